/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DS: the workgroup's local memory, and moves between lanes. Only the thread
 * that steps the run touches its LDS. Out of range: reads give 0, writes are
 * dropped, both are counted.
 */
#include <gv/base.h>

#include "cores_math.h"
#include "memop.h"

static bool in_range(struct cu_wave *w, uint32_t at, uint32_t bytes)
{
	if (at < w->run->lds_bytes && bytes <= w->run->lds_bytes - at)
		return true;
	w->run->n.lds_out_of_range++;
	return false;
}

bool cu_lds_read(struct cu_wave *w, uint32_t at, void *to, uint32_t bytes)
{
	if (!in_range(w, at, bytes))
		return false;
	memcpy(to, w->run->lds + at, bytes);
	return true;
}

bool cu_lds_write(struct cu_wave *w, uint32_t at, const void *from, uint32_t bytes)
{
	if (!in_range(w, at, bytes))
		return false;
	memcpy(w->run->lds + at, from, bytes);
	return true;
}

/* Only additions look at MODE, and they always round to nearest even (LLVM, SIISelLowering). */
static uint64_t result(const struct cu_wave *w, const struct cu_operands *o, uint64_t old)
{
	uint32_t denorm = CU_MODE_DENORM32(w->mode);
	struct cu_operands in = *o;

	if (o->kind != CU_AT_FADD)
		return cu_atomic_result(o, old);
	if (!(denorm & 1)) { /* MODE's bit for what goes in; the other: for what comes out */
		in.data = cu_flush((uint32_t)in.data);
		old = cu_flush((uint32_t)old);
	}
	old = cu_atomic_result(&in, old);
	return denorm & 2 ? (uint32_t)old : cu_flush((uint32_t)old);
}

uint64_t cu_lds_atomic(struct cu_wave *w, uint32_t at, const struct cu_operands *o)
{
	uint64_t old = 0, fresh;
	uint32_t bytes = o->wide ? 8 : 4;

	if (!cu_lds_read(w, at, &old, bytes))
		return 0;
	fresh = result(w, o, old);
	(void)cu_lds_write(w, at, &fresh, bytes);
	return old;
}

void cu_ds_access(struct cu_wave *w, const struct cu_inst *i)
{
	uint32_t bytes = cu_mem_bytes(i->op);
	uint64_t exec = cu_exec(w);

	for (unsigned l = 0; l < CU_LANES; l++) {
		uint32_t at = w->v[i->addr][l] + (uint32_t)i->simm;
		uint8_t data[16] = {0};

		if (!(exec >> l & 1))
			continue;
		if (cu_mem_is_load(i->op)) {
			(void)cu_lds_read(w, at, data, bytes);
			cu_mem_lane_load(w, i->op, i->dst, l, data);
		} else {
			cu_mem_lane_data(w, i->op, i->data, l, data);
			(void)cu_lds_write(w, at, data, bytes);
		}
	}
}

static void two_lane(struct cu_wave *w, const struct cu_inst *i, unsigned l)
{
	unsigned dw = i->op->dw;
	bool is_load = i->op->kind == CU_MEM_LOAD;
	uint32_t base = w->v[i->addr][l], data[4] = {0};

	for (unsigned n = 0; n < 2; n++) {
		uint32_t at = base + cu_ds_offset(i, n);

		for (unsigned k = 0; k < dw && !is_load; k++)
			data[k] = w->v[(n ? i->data1 : i->data) + k][l];
		if (is_load)
			(void)cu_lds_read(w, at, data + n * dw, dw * 4);
		else
			(void)cu_lds_write(w, at, data, dw * 4);
	}
	for (unsigned k = 0; k < 2 * dw && is_load; k++)
		w->v[i->dst + k][l] = data[k];
}

void cu_ds_two(struct cu_wave *w, const struct cu_inst *i)
{
	uint64_t exec = cu_exec(w);

	for (unsigned l = 0; l < CU_LANES; l++)
		if (exec >> l & 1)
			two_lane(w, i, l);
}

void cu_ds_atomic(struct cu_wave *w, const struct cu_inst *i)
{
	struct cu_operands o = {.kind = i->op->kind, .wide = i->op->dw == 2};
	bool two = i->op->flags & GV9_F_TWO;
	/* DS has the compare value first, memory atomics last */
	bool swap = o.kind == CU_AT_CMPSWAP || o.kind == CU_AT_FCMPSWAP;

	CU_FOR_LANES(l, cu_exec(w))
	{
		unsigned lane = (unsigned)l;
		uint64_t a = cu_lane_value(w, i->data, o.wide, lane), old;
		uint64_t b = two ? cu_lane_value(w, i->data1, o.wide, lane) : 0;

		o.data = swap ? b : a;
		o.cmp = swap ? a : b;
		old = cu_lds_atomic(w, w->v[i->addr][l] + (uint32_t)i->simm, &o);
		if (i->op->flags & GV9_F_RTN)
			cu_lane_return(w, i->dst, o.wide, lane, old);
	}
}

void cu_ds_xchg2(struct cu_wave *w, const struct cu_inst *i)
{
	struct cu_operands o = {.kind = CU_AT_SWAP, .wide = i->op->dw == 2};

	CU_FOR_LANES(l, cu_exec(w))
	{
		unsigned lane = (unsigned)l;
		uint64_t second = cu_lane_value(w, i->data1, o.wide, lane), first;
		uint32_t base = w->v[i->addr][l];

		o.data = cu_lane_value(w, i->data, o.wide, lane);
		first = cu_lds_atomic(w, base + cu_ds_offset(i, 0), &o);
		o.data = second;
		second = cu_lds_atomic(w, base + cu_ds_offset(i, 1), &o);
		cu_lane_return(w, i->dst, o.wide, lane, first);
		cu_lane_return(w, i->dst + i->op->dw, o.wide, lane, second);
	}
}

/* The other operand of the src2 forms is LDS too: so many dwords away as the offset says, or, with
 * its top bit, the upper 15 bits of the address. */
static void src2_lane(struct cu_wave *w, const struct cu_inst *i, struct cu_operands *o,
                      uint32_t addr)
{
	uint32_t offset = (uint32_t)i->simm, at = addr;
	int32_t dwords = (int32_t)(offset << 17) >> 17;

	if (offset & 0x8000) {
		at = addr & 0x1ffff;
		dwords = (int32_t)addr >> 17;
	}
	o->data = 0;
	if (cu_lds_read(w, at + (uint32_t)dwords * 4, &o->data, o->wide ? 8 : 4))
		(void)cu_lds_atomic(w, at, o);
}

void cu_ds_src2(struct cu_wave *w, const struct cu_inst *i)
{
	struct cu_operands o = {.kind = i->op->kind, .wide = i->op->dw == 2};

	CU_FOR_LANES(l, cu_exec(w))
	src2_lane(w, i, &o, w->v[i->addr][l]);
}

/* ds_append and ds_consume: one counter for the wave, at the offset plus M0's top half. */
void cu_ds_count(struct cu_wave *w, const struct cu_inst *i)
{
	uint32_t at = (uint32_t)i->simm + (w->s[CU_M0] >> 16), old;
	const struct cu_operands o = {.kind = i->op->kind,
	                              .data = (uint32_t)__builtin_popcountll(cu_exec(w))};

	old = (uint32_t)cu_lds_atomic(w, at, &o);
	CU_FOR_LANES(l, cu_exec(w))
	w->v[i->dst][l] = old;
}

/* A dword for each lane, from M0 on. */
static uint32_t addtid(const struct cu_wave *w, const struct cu_inst *i, uint64_t lane)
{
	return (uint32_t)i->simm + (w->s[CU_M0] & 0xffff) + 4 * (uint32_t)lane;
}

void cu_ds_read_addtid(struct cu_wave *w, const struct cu_inst *i)
{
	CU_FOR_LANES(l, cu_exec(w))
	{
		uint32_t v = 0;

		(void)cu_lds_read(w, addtid(w, i, l), &v, 4);
		w->v[i->dst][l] = v;
	}
}

void cu_ds_write_addtid(struct cu_wave *w, const struct cu_inst *i)
{
	CU_FOR_LANES(l, cu_exec(w))
	(void)cu_lds_write(w, addtid(w, i, l), &w->v[i->data][l], 4);
}

/* ---- between lanes: LDS hardware, no LDS memory */

/* From which lane of its 32 @in gets; "Vega" ISA, "DS_SWIZZLE_B32 details". */
static unsigned fft(uint32_t pattern, unsigned in)
{
	unsigned mask = pattern & 31, reversed = 0;

	for (unsigned b = 0; b < 5; b++)
		reversed |= (in >> b & 1) << (4 - b);
	return reversed >> __builtin_popcount(mask) | (in & mask);
}

static unsigned rotated(uint32_t pattern, unsigned in)
{
	unsigned mask = pattern & 31, by = pattern >> 5 & 31;
	unsigned to = pattern & 0x400 ? in - by : in + by;

	return (in & mask) | (to & ~mask & 31);
}

static unsigned masked(uint32_t pattern, unsigned in)
{
	return ((in & (pattern & 31)) | (pattern >> 5 & 31)) ^ (pattern >> 10 & 31);
}

static unsigned swizzled(uint32_t pattern, unsigned lane)
{
	unsigned half = lane & ~31u, in = lane & 31;

	if (pattern >= 0xe000)
		return half | fft(pattern, in);
	if (pattern >= 0xc000)
		return half | rotated(pattern, in);
	if (pattern & 0x8000) /* any lane of the four */
		return (lane & ~3u) | (pattern >> (2 * (lane & 3)) & 3);
	return half | masked(pattern, in);
}

void cu_ds_swizzle(struct cu_wave *w, const struct cu_inst *i)
{
	uint64_t exec = cu_exec(w);
	uint32_t from[CU_LANES];

	memcpy(from, w->v[i->addr], sizeof(from));
	CU_FOR_LANES(l, exec)
	{
		unsigned n = swizzled((uint32_t)i->simm, (unsigned)l);

		w->v[i->dst][l] = exec >> n & 1 ? from[n] : 0;
	}
}

void cu_ds_bpermute(struct cu_wave *w, const struct cu_inst *i)
{
	uint64_t exec = cu_exec(w);
	uint32_t from[CU_LANES], addr[CU_LANES];

	memcpy(from, w->v[i->data], sizeof(from));
	memcpy(addr, w->v[i->addr], sizeof(addr));
	for (unsigned l = 0; l < CU_LANES; l++) {
		unsigned n = (addr[l] + (uint32_t)i->simm) >> 2 & 63;

		if (exec >> l & 1)
			w->v[i->dst][l] = exec >> n & 1 ? from[n] : 0;
	}
}

void cu_ds_permute(struct cu_wave *w, const struct cu_inst *i)
{
	uint64_t exec = cu_exec(w);
	uint32_t to[CU_LANES] = {0};

	for (unsigned l = 0; l < CU_LANES; l++)
		if (exec >> l & 1)
			to[(w->v[i->addr][l] + (uint32_t)i->simm) >> 2 & 63] = w->v[i->data][l];
	for (unsigned l = 0; l < CU_LANES; l++)
		if (exec >> l & 1)
			w->v[i->dst][l] = to[l];
}

void cu_ds_nop(struct cu_wave *w, const struct cu_inst *i)
{
	(void)w;
	(void)i;
}
