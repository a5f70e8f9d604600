/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Atomics: the new value from the old one, and where they happen. Memory with
 * a pointer: with the host's own, so that other CUs, engines and CPUs see one
 * step. LDS and scratch belong to the thread that steps the run.
 */
#include "cores_math.h"
#include "memop.h"

/* ---- the new value */
static uint64_t float_result(const struct cu_operands *o, uint64_t old)
{
	double a = o->wide ? cu_d(old) : (double)cu_f((uint32_t)old);
	double b = o->wide ? cu_d(o->data) : (double)cu_f((uint32_t)o->data);
	double c = o->wide ? cu_d(o->cmp) : (double)cu_f((uint32_t)o->cmp);

	switch (o->kind) {
	case CU_AT_FMIN:
		return b < a || a != a ? o->data : old;
	case CU_AT_FMAX:
		return b > a || a != a ? o->data : old;
	case CU_AT_FCMPSWAP:
		return a == c ? o->data : old;
	default: /* CU_AT_FADD, of floats only */
		return cu_u(cu_f((uint32_t)old) + cu_f((uint32_t)o->data));
	}
}

static uint32_t exchange_if(uint32_t old, uint32_t data)
{
	return data >> 31 ? data & 0x7fffffff : old;
}

/* Those that only the LDS has. */
static uint64_t lds_result(const struct cu_operands *o, uint64_t old)
{
	uint64_t data = o->data, cmp = o->cmp;

	switch (o->kind) {
	case CU_AT_RSUB:
		return data - old;
	case CU_AT_MSKOR: /* data: mask, cmp: bits */
		return (old & ~data) | cmp;
	case CU_AT_WRAP:
		return old >= data ? old - data : old + cmp;
	case CU_AT_CONDXCHG:
		return exchange_if((uint32_t)old, (uint32_t)data) |
		       (uint64_t)exchange_if((uint32_t)(old >> 32), (uint32_t)(data >> 32)) << 32;
	default:
		return float_result(o, old);
	}
}

uint64_t cu_atomic_result(const struct cu_operands *o, uint64_t old)
{
	uint64_t data = o->data;
	int64_t so = o->wide ? (int64_t)old : (int32_t)old;
	int64_t sd = o->wide ? (int64_t)data : (int32_t)data;

	switch (o->kind) {
	case CU_AT_SWAP:
		return data;
	case CU_AT_CMPSWAP:
		return old == o->cmp ? data : old;
	case CU_AT_ADD:
		return old + data;
	case CU_AT_SUB:
		return old - data;
	case CU_AT_SMIN:
		return so < sd ? old : data;
	case CU_AT_SMAX:
		return so > sd ? old : data;
	case CU_AT_UMIN:
		return old < data ? old : data;
	case CU_AT_UMAX:
		return old > data ? old : data;
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
	default:
		return lds_result(o, old);
	}
}

/* ---- where */
static uint64_t atomic32(uint32_t *p, const struct cu_operands *o)
{
	uint32_t old = __atomic_load_n(p, __ATOMIC_RELAXED);

	if (o->kind == CU_AT_ADD)
		return __atomic_fetch_add(p, (uint32_t)o->data, __ATOMIC_SEQ_CST);
	while (!__atomic_compare_exchange_n(p, &old, (uint32_t)cu_atomic_result(o, old), false,
	                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	return old;
}

static uint64_t atomic64(uint64_t *p, const struct cu_operands *o)
{
	uint64_t old = __atomic_load_n(p, __ATOMIC_RELAXED);

	if (o->kind == CU_AT_ADD)
		return __atomic_fetch_add(p, o->data, __ATOMIC_SEQ_CST);
	while (!__atomic_compare_exchange_n(p, &old, cu_atomic_result(o, old), false,
	                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	return old;
}

static uint64_t next_value(const void *arg, uint64_t old)
{
	return cu_atomic_result(arg, old);
}

enum target_kind { DROPPED, POINTER, INDIRECT, IN_LDS, APART };

struct target {
	enum target_kind kind;
	void *host;
	uint64_t at[2]; /* APART: two dwords, of which no other thread knows */
};

static bool find_in_memory(struct cu_wave *w, uint64_t va, uint32_t bytes, struct target *t)
{
	bool indirect;

	t->at[0] = va;
	t->host = cu_mem_atomic(w, va, bytes, &indirect);
	t->kind = indirect ? INDIRECT : POINTER;
	return t->host || indirect;
}

/* False: the wave has faulted. */
static bool find_target(struct cu_wave *w, const struct cu_place *p, struct target *t)
{
	const struct cu_piece *c = p->piece;

	*t = (struct target){.kind = DROPPED};
	if (p->n == 1 && c->space == CU_MEMORY)
		return find_in_memory(w, c->at, c->bytes, t);
	if (p->n == 1) {
		t->kind = c->space == CU_LDS ? IN_LDS : DROPPED;
		t->at[0] = c->at;
		return true;
	}
	if (c[0].bytes != 4) {
		cu_fault(w, NULL, GV_CU_UNALIGNED_ATOMIC, c[0].at);
		return false;
	}
	t->kind = APART;
	for (unsigned n = 0; n < 2; n++) {
		t->at[n] = c[n].at;
		if (!cu_mem_check(w, c[n].at, 4, GV_CU_R | GV_CU_W))
			return false;
	}
	return true;
}

static bool do_apart(struct cu_wave *w, const uint64_t at[2], const struct cu_operands *o,
                     uint64_t *old)
{
	uint32_t half[2] = {0};
	uint64_t fresh;

	for (unsigned n = 0; n < 2; n++)
		if (!cu_mem_read(w, at[n], &half[n], 4))
			return false;
	*old = cu_rd64(half);
	fresh = cu_atomic_result(o, *old);
	cu_wr64(half, fresh);
	return cu_mem_write(w, at[0], &half[0], 4) && cu_mem_write(w, at[1], &half[1], 4);
}

static bool do_target(struct cu_wave *w, const struct target *t, const struct cu_operands *o,
                      uint64_t *old)
{
	*old = 0;
	switch (t->kind) {
	case POINTER:
		*old = o->wide ? atomic64(t->host, o) : atomic32(t->host, o);
		return true;
	case INDIRECT:
		return cu_mem_update(w, t->at[0], o->wide ? 8 : 4, next_value, o, old);
	case IN_LDS:
		*old = cu_lds_atomic(w, (uint32_t)t->at[0], o);
		return true;
	case APART:
		return do_apart(w, t->at, o, old);
	case DROPPED:
		break;
	}
	w->run->n.buffer_out_of_range++;
	return true;
}

bool cu_atomic_at(struct cu_wave *w, uint64_t va, const struct cu_operands *o, uint64_t *old)
{
	struct target t;

	return find_in_memory(w, va, o->wide ? 8 : 4, &t) && do_target(w, &t, o, old);
}

static bool find_targets(struct cu_wave *w, const struct cu_inst *i, uint64_t lanes,
                         cu_locate locate, const void *where, struct target *t)
{
	CU_FOR_LANES(l, lanes)
	{
		struct cu_place p = {0};

		locate(w, i, where, (unsigned)l, i->op->dw * 4u, &p);
		if (!find_target(w, &p, &t[l])) {
			cu_mem_in_lane(w, (unsigned)l);
			return false;
		}
	}
	return true;
}

void cu_vmem_atomic(struct cu_wave *w, const struct cu_inst *i, uint64_t lanes, cu_locate locate,
                    const void *where)
{
	struct cu_operands o = {.kind = i->op->kind, .wide = i->op->dw == 2};
	struct target t[CU_LANES];

	if (!find_targets(w, i, lanes, locate, where, t))
		return;
	CU_FOR_LANES(l, lanes)
	{
		uint64_t old;

		o.data = cu_lane_value(w, i->data1, o.wide, (unsigned)l);
		if (o.kind == CU_AT_CMPSWAP)
			o.cmp = cu_lane_value(w, i->data1 + i->op->dw, o.wide, (unsigned)l);
		if (!do_target(w, &t[l], &o, &old)) {
			cu_mem_in_lane(w, (unsigned)l);
			return;
		}
		if (i->glc)
			cu_lane_return(w, i->data, o.wide, (unsigned)l, old);
	}
}
