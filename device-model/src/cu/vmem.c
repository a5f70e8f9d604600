/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loads and stores of 64 lanes at 64 places. */
#include <gv/base.h>

#include "memop.h"

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

/* ---- any places, lane by lane */
static bool read_place(struct cu_wave *w, const struct cu_place *p, uint8_t *to)
{
	for (unsigned n = 0; n < p->n; n++) {
		const struct cu_piece *c = &p->piece[n];

		if (c->space == CU_MEMORY && !cu_mem_read(w, c->at, to, c->bytes))
			return false;
		if (c->space == CU_LDS)
			(void)cu_lds_read(w, (uint32_t)c->at, to, c->bytes);
		w->run->n.buffer_out_of_range += c->space == CU_NOWHERE;
		to += c->bytes;
	}
	return true;
}

static bool check_place(struct cu_wave *w, const struct cu_place *p)
{
	for (unsigned n = 0; n < p->n; n++) {
		const struct cu_piece *c = &p->piece[n];

		if (c->space == CU_MEMORY && !cu_mem_check(w, c->at, c->bytes, GV_CU_W))
			return false;
	}
	return true;
}

static bool write_place(struct cu_wave *w, const struct cu_place *p, const uint8_t *from)
{
	for (unsigned n = 0; n < p->n; n++) {
		const struct cu_piece *c = &p->piece[n];

		if (c->space == CU_MEMORY && !cu_mem_write(w, c->at, from, c->bytes))
			return false;
		if (c->space == CU_LDS)
			(void)cu_lds_write(w, (uint32_t)c->at, from, c->bytes);
		w->run->n.buffer_out_of_range += c->space == CU_NOWHERE;
		from += c->bytes;
	}
	return true;
}

static void load_lanes(struct cu_wave *w, const struct cu_inst *i, uint64_t lanes,
                       const struct cu_transfer *t)
{
	uint8_t data[CU_LANES][16] = {0}; /* out of range is 0 */

	CU_FOR_LANES(l, lanes)
	{
		struct cu_place p = {0};

		t->locate(w, i, t->where, (unsigned)l, t->bytes, &p);
		if (!read_place(w, &p, data[l])) {
			cu_mem_in_lane(w, (unsigned)l);
			return;
		}
	}
	CU_FOR_LANES(l, lanes)
	t->load(w, i, (unsigned)l, data[l]);
}

static void store_lanes(struct cu_wave *w, const struct cu_inst *i, uint64_t lanes,
                        const struct cu_transfer *t)
{
	CU_FOR_LANES(l, lanes)
	{
		struct cu_place p = {0};

		t->locate(w, i, t->where, (unsigned)l, t->bytes, &p);
		if (!check_place(w, &p)) {
			cu_mem_in_lane(w, (unsigned)l);
			return;
		}
	}
	CU_FOR_LANES(l, lanes)
	{
		struct cu_place p = {0};
		uint8_t data[16] = {0};

		t->locate(w, i, t->where, (unsigned)l, t->bytes, &p);
		t->store(w, i, (unsigned)l, data);
		if (!write_place(w, &p, data)) {
			cu_mem_in_lane(w, (unsigned)l);
			return;
		}
	}
}

void cu_transfer(struct cu_wave *w, const struct cu_inst *i, uint64_t lanes,
                 const struct cu_transfer *t)
{
	if (t->load)
		load_lanes(w, i, lanes, t);
	else
		store_lanes(w, i, lanes, t);
}

static void into_registers(struct cu_wave *w, const struct cu_inst *i, unsigned lane,
                           const void *from)
{
	cu_mem_lane_load(w, i->op, i->data, lane, from);
}

static void from_registers(struct cu_wave *w, const struct cu_inst *i, unsigned lane, void *to)
{
	cu_mem_lane_data(w, i->op, i->data, lane, to);
}

/* A dword each, whatever was loaded. */
static void into_lds(struct cu_wave *w, const struct cu_inst *i, unsigned lane, const void *from)
{
	uint32_t v = 0;

	cu_guest_copy(&v, from, cu_mem_bytes(i->op));
	if (i->op->kind == CU_MEM_LOAD_I8)
		v = (uint32_t)(int8_t)v;
	else if (i->op->kind == CU_MEM_LOAD_I16)
		v = (uint32_t)(int16_t)v;
	(void)cu_lds_write(w, cu_dma_lds_at(w, i, lane), &v, 4);
}

void cu_transfer_untyped(struct cu_wave *w, const struct cu_inst *i, uint64_t lanes,
                         cu_locate locate, const void *where)
{
	struct cu_transfer t = {.locate = locate, .where = where, .bytes = cu_mem_bytes(i->op)};

	if (cu_mem_is_load(i->op))
		t.load = i->lds_dma ? into_lds : into_registers;
	else
		t.store = from_registers;
	cu_transfer(w, i, lanes, &t);
}

/* ---- memory only, and most often near together: what fast_mem.h does not take */
/* Host address of the lowest lane if one window holds all lanes. */
static uint8_t *one_window(struct cu_wave *w, const struct cu_inst *i, const uint64_t *va,
                           uint64_t lanes, uint32_t bytes, unsigned access, uint64_t *lowest)
{
	uint64_t lo = ~0ull, hi = 0;

	CU_FOR_LANES(l, lanes)
	{
		lo = GV_MIN(lo, va[l]);
		hi = GV_MAX(hi, va[l]);
	}
	if (hi - lo > UINT32_MAX - bytes)
		return NULL;
	*lowest = lo;
	return cu_mem_try(w, i, lo, (uint32_t)(hi - lo) + bytes, access);
}

static void load_one_window(struct cu_wave *w, const struct cu_inst *i, const uint64_t *va,
                            uint64_t lanes, const uint8_t *host, uint64_t lowest)
{
	CU_FOR_LANES(l, lanes)
	cu_mem_lane_load(w, i->op, i->data, (unsigned)l, host + (va[l] - lowest));
}

static void store_one_window(const struct cu_wave *w, const struct cu_inst *i, const uint64_t *va,
                             uint64_t lanes, uint8_t *host, uint64_t lowest)
{
	CU_FOR_LANES(l, lanes)
	cu_mem_lane_data(w, i->op, i->data, (unsigned)l, host + (va[l] - lowest));
}

static bool in_one_window(struct cu_wave *w, const struct cu_inst *i, const uint64_t *va,
                          uint64_t lanes)
{
	bool is_load = cu_mem_is_load(i->op);
	uint64_t lowest;
	uint8_t *host = one_window(w, i, va, lanes, cu_mem_bytes(i->op),
	                           is_load ? GV_CU_R : GV_CU_W, &lowest);

	if (!host)
		return false;
	if (is_load)
		load_one_window(w, i, va, lanes, host, lowest);
	else
		store_one_window(w, i, va, lanes, host, lowest);
	return true;
}

void cu_locate_va(const struct cu_wave *w, const struct cu_inst *i, const void *where,
                  unsigned lane, uint32_t bytes, struct cu_place *p)
{
	const uint64_t *va = where;

	(void)w, (void)i;
	cu_place_add(p, CU_MEMORY, va[lane], bytes);
}

void cu_vmem(struct cu_wave *w, const struct cu_inst *i, const uint64_t *va, uint64_t lanes)
{
	if (!lanes || (!i->lds_dma && in_one_window(w, i, va, lanes)))
		return;
	cu_transfer_untyped(w, i, lanes, cu_locate_va, va);
}
