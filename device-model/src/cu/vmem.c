/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loads, stores and atomics of 64 lanes at 64 addresses. */
#include "cores_math.h"
#include "memop.h"

#define FOR_LANES(l, lanes)                                                                        \
	for (uint64_t left_ = (lanes), l; left_ && ((l = (uint64_t)__builtin_ctzll(left_)), true); \
	     left_ &= left_ - 1)

static uint32_t low(uint32_t old, uint32_t v)
{
	return (old & 0xffff0000u) | (v & 0xffff);
}

static uint32_t high(uint32_t old, uint32_t v)
{
	return (old & 0xffff) | v << 16;
}

void cu_mem_lane_load(struct cu_wave *w, const struct cu_op *op, unsigned reg, unsigned lane,
                      const void *from)
{
	uint32_t *d = &w->v[reg][lane], word[4] = {0};

	cu_guest_copy(word, from, cu_mem_bytes(op));
	switch (op->kind) {
	case CU_MEM_LOAD:
		for (unsigned n = 0; n < op->dw; n++)
			d[n * CU_LANES] = word[n];
		break;
	case CU_MEM_LOAD_I8:
		*d = (uint32_t)(int8_t)word[0];
		break;
	case CU_MEM_LOAD_I16:
		*d = (uint32_t)(int16_t)word[0];
		break;
	case CU_MEM_LOAD_U8_D16:
	case CU_MEM_LOAD_16_D16:
		*d = low(*d, word[0]);
		break;
	case CU_MEM_LOAD_I8_D16:
		*d = low(*d, (uint32_t)(int8_t)word[0]);
		break;
	case CU_MEM_LOAD_U8_HI:
	case CU_MEM_LOAD_16_HI:
		*d = high(*d, word[0]);
		break;
	case CU_MEM_LOAD_I8_HI:
		*d = high(*d, (uint32_t)(int8_t)word[0]);
		break;
	default: /* unsigned bytes and shorts */
		*d = word[0];
		break;
	}
}

void cu_mem_lane_data(const struct cu_wave *w, const struct cu_op *op, unsigned reg, unsigned lane,
                      void *to)
{
	const uint32_t *s = &w->v[reg][lane];
	uint32_t word[4] = {*s};

	if (op->kind == CU_MEM_STORE)
		for (unsigned n = 1; n < op->dw; n++)
			word[n] = s[n * CU_LANES];
	else if (op->kind == CU_MEM_STORE_8_HI || op->kind == CU_MEM_STORE_16_HI)
		word[0] >>= 16;
	cu_guest_copy(to, word, cu_mem_bytes(op));
}

/* All lanes one behind the other, as most programs do. */
static bool contiguous(const uint64_t *va, uint64_t stride)
{
	uint64_t diff = 0;

	for (unsigned l = 0; l < CU_LANES; l++)
		diff |= va[l] ^ (va[0] + l * stride);
	return diff == 0;
}

/* Host address of the lowest lane if one window holds all lanes. */
static uint8_t *one_window(struct cu_wave *w, const uint64_t *va, uint64_t lanes, uint32_t bytes,
                           unsigned access, uint64_t *lowest)
{
	uint64_t lo = ~0ull, hi = 0;

	FOR_LANES(l, lanes)
	{
		lo = GV_MIN(lo, va[l]);
		hi = GV_MAX(hi, va[l]);
	}
	if (hi - lo > UINT32_MAX - bytes)
		return NULL;
	*lowest = lo;
	return cu_mem_try(w, lo, (uint32_t)(hi - lo) + bytes, access);
}

static void load_one_window(struct cu_wave *w, const struct cu_inst *i, const uint64_t *va,
                            uint64_t lanes, const uint8_t *host, uint64_t lowest)
{
	uint32_t *d = w->v[i->data];

	if (i->op->kind == CU_MEM_LOAD && i->op->dw == 1) {
		FOR_LANES(l, lanes)
		cu_guest_copy(&d[l], host + (va[l] - lowest), 4);
		return;
	}
	FOR_LANES(l, lanes)
	cu_mem_lane_load(w, i->op, i->data, (unsigned)l, host + (va[l] - lowest));
}

static void load(struct cu_wave *w, const struct cu_inst *i, const uint64_t *va, uint64_t lanes)
{
	uint32_t bytes = cu_mem_bytes(i->op);
	uint64_t lowest;
	const uint8_t *host = one_window(w, va, lanes, bytes, GV_CU_R, &lowest);

	if (host) {
		load_one_window(w, i, va, lanes, host, lowest);
		return;
	}
	FOR_LANES(l, lanes)
	{
		uint32_t word[4];

		if (!cu_mem_read(w, va[l], word, bytes))
			return;
		cu_mem_lane_load(w, i->op, i->data, (unsigned)l, word);
	}
}

static void store(struct cu_wave *w, const struct cu_inst *i, const uint64_t *va, uint64_t lanes)
{
	uint32_t bytes = cu_mem_bytes(i->op);
	uint64_t lowest;
	uint8_t *host = one_window(w, va, lanes, bytes, GV_CU_W, &lowest);

	FOR_LANES(l, lanes)
	{
		uint32_t word[4];

		if (host) {
			cu_mem_lane_data(w, i->op, i->data, (unsigned)l, host + (va[l] - lowest));
			continue;
		}
		cu_mem_lane_data(w, i->op, i->data, (unsigned)l, word);
		if (!cu_mem_write(w, va[l], word, bytes))
			return;
	}
}

/* One dword per lane, all lanes, one window: a copy. */
static bool copy_row(struct cu_wave *w, const struct cu_inst *i, const uint64_t *va, uint64_t lanes)
{
	bool is_load = i->op->kind == CU_MEM_LOAD;
	uint8_t *host;

	if (lanes != ~0ull || i->op->kind > CU_MEM_STORE || i->op->dw != 1 || !contiguous(va, 4))
		return false;
	host = cu_mem_try(w, va[0], 4 * CU_LANES, is_load ? GV_CU_R : GV_CU_W);
	if (!host)
		return false;
	if (is_load)
		cu_guest_copy(w->v[i->data], host, 4 * CU_LANES);
	else
		cu_guest_copy(host, w->v[i->data], 4 * CU_LANES);
	return true;
}

void cu_vmem(struct cu_wave *w, const struct cu_inst *i, const uint64_t *va, uint64_t lanes)
{
	if (!lanes || copy_row(w, i, va, lanes))
		return;
	if (cu_mem_is_load(i->op->kind))
		load(w, i, va, lanes);
	else
		store(w, i, va, lanes);
}

/* ---- atomics */
static uint64_t float_result(unsigned kind, bool wide, uint64_t old, uint64_t data, uint64_t cmp)
{
	double a = wide ? cu_d(old) : (double)cu_f((uint32_t)old);
	double b = wide ? cu_d(data) : (double)cu_f((uint32_t)data);
	double c = wide ? cu_d(cmp) : (double)cu_f((uint32_t)cmp);

	switch (kind) {
	case CU_AT_FMIN:
		return b < a || a != a ? data : old;
	case CU_AT_FMAX:
		return b > a || a != a ? data : old;
	case CU_AT_FCMPSWAP:
		return a == c ? data : old;
	default: /* CU_AT_FADD, of floats only */
		return cu_u(cu_f((uint32_t)old) + cu_f((uint32_t)data));
	}
}

uint64_t cu_atomic_result(unsigned kind, bool wide, uint64_t old, uint64_t data, uint64_t cmp)
{
	int64_t so = wide ? (int64_t)old : (int32_t)old, sd = wide ? (int64_t)data : (int32_t)data;

	switch (kind) {
	case CU_AT_SWAP:
		return data;
	case CU_AT_CMPSWAP:
		return old == cmp ? data : old;
	case CU_AT_ADD:
		return old + data;
	case CU_AT_SUB:
		return old - data;
	case CU_AT_RSUB:
		return data - old;
	case CU_AT_SMIN:
		return so < sd ? old : data;
	case CU_AT_SMAX:
		return so > sd ? old : data;
	case CU_AT_UMIN:
		return GV_MIN(old, data);
	case CU_AT_UMAX:
		return GV_MAX(old, data);
	case CU_AT_AND:
		return old & data;
	case CU_AT_OR:
		return old | data;
	case CU_AT_XOR:
		return old ^ data;
	case CU_AT_INC:
		return old >= data ? 0 : old + 1;
	case CU_AT_DEC:
		return old == 0 || old > data ? data : old - 1;
	case CU_AT_MSKOR: /* data: mask, cmp: bits */
		return (old & ~data) | cmp;
	default:
		return float_result(kind, wide, old, data, cmp);
	}
}

static uint64_t atomic32(uint32_t *p, unsigned kind, uint32_t data, uint32_t cmp)
{
	uint32_t old = __atomic_load_n(p, __ATOMIC_RELAXED);

	if (kind == CU_AT_ADD)
		return __atomic_fetch_add(p, data, __ATOMIC_SEQ_CST);
	while (!__atomic_compare_exchange_n(p, &old,
	                                    (uint32_t)cu_atomic_result(kind, false, old, data, cmp),
	                                    false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	return old;
}

static uint64_t atomic64(uint64_t *p, unsigned kind, uint64_t data, uint64_t cmp)
{
	uint64_t old = __atomic_load_n(p, __ATOMIC_RELAXED);

	if (kind == CU_AT_ADD)
		return __atomic_fetch_add(p, data, __ATOMIC_SEQ_CST);
	while (!__atomic_compare_exchange_n(p, &old, cu_atomic_result(kind, true, old, data, cmp),
	                                    false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	return old;
}

static uint64_t reg_pair(const struct cu_wave *w, unsigned reg, uint64_t lane)
{
	return (uint64_t)w->v[reg + 1][lane] << 32 | w->v[reg][lane];
}

struct operands {
	unsigned kind;
	bool wide;
	uint64_t data, cmp;
};

static uint64_t next_value(const void *arg, uint64_t old)
{
	const struct operands *o = arg;

	return cu_atomic_result(o->kind, o->wide, old, o->data, o->cmp);
}

static bool atomic_lane(struct cu_wave *w, const struct cu_inst *i, uint64_t va, uint64_t l)
{
	bool wide = i->op->dw == 2, two = i->op->kind == CU_AT_CMPSWAP, indirect;
	void *p = cu_mem_atomic(w, va, wide ? 8 : 4, &indirect);
	struct operands o = {.kind = i->op->kind, .wide = wide};
	uint64_t old;

	if (!p && !indirect)
		return false;
	if (wide) {
		o.data = reg_pair(w, i->data1, l);
		o.cmp = two ? reg_pair(w, i->data1 + 2u, l) : 0;
	} else {
		o.data = w->v[i->data1][l];
		o.cmp = two ? w->v[i->data1 + 1][l] : 0;
	}
	if (indirect) {
		if (!cu_mem_update(w, va, wide ? 8 : 4, next_value, &o, &old))
			return false;
	} else {
		old = wide ? atomic64(p, o.kind, o.data, o.cmp)
		           : atomic32(p, o.kind, (uint32_t)o.data, (uint32_t)o.cmp);
	}
	if (i->glc) {
		w->v[i->data][l] = (uint32_t)old;
		if (wide)
			w->v[i->data + 1][l] = (uint32_t)(old >> 32);
	}
	return true;
}

void cu_vmem_atomic(struct cu_wave *w, const struct cu_inst *i, const uint64_t *va, uint64_t lanes)
{
	FOR_LANES(l, lanes)
	if (!atomic_lane(w, i, va[l], l))
		return;
}
