/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DS: the workgroup's local memory, and moves between lanes. Only the thread
 * that steps the run touches its LDS. Out of range: reads give 0, writes are
 * dropped, both are counted.
 */
#include <gv/base.h>

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

uint64_t cu_lds_atomic(struct cu_wave *w, unsigned kind, bool wide, uint32_t at, uint64_t data,
                       uint64_t cmp)
{
	uint64_t old = 0, fresh;

	if (!cu_lds_read(w, at, &old, wide ? 8 : 4))
		return 0;
	fresh = cu_atomic_result(kind, wide, old, data, cmp);
	(void)cu_lds_write(w, at, &fresh, wide ? 8 : 4);
	return old;
}

/* One dword per lane, all active: no per-lane checks when the largest address is inside. */
static bool dword_rows(struct cu_wave *w, const struct cu_inst *i)
{
	const uint32_t *addr = w->v[i->addr];
	uint32_t at[CU_LANES], max = 0, off = (uint32_t)i->simm, *row;
	const uint8_t *lds = w->run->lds;

	if (i->op->kind > CU_MEM_STORE || i->op->dw != 1 || cu_exec(w) != ~0ull ||
	    w->run->lds_bytes < 4)
		return false;
	for (unsigned l = 0; l < CU_LANES; l++) {
		at[l] = addr[l] + off;
		max = GV_MAX(max, GV_MAX(addr[l], at[l]));
	}
	if (max > w->run->lds_bytes - 4)
		return false;
	row = w->v[i->op->kind == CU_MEM_LOAD ? i->dst : i->data];
	for (unsigned l = 0; l < CU_LANES; l++)
		if (i->op->kind == CU_MEM_LOAD)
			memcpy(&row[l], lds + at[l], 4);
		else
			memcpy(w->run->lds + at[l], &row[l], 4);
	return true;
}

void cu_ds_access(struct cu_wave *w, const struct cu_inst *i)
{
	uint32_t bytes = cu_mem_bytes(i->op);
	uint64_t exec = cu_exec(w);

	if (dword_rows(w, i))
		return;
	for (unsigned l = 0; l < CU_LANES; l++) {
		uint32_t at = w->v[i->addr][l] + (uint32_t)i->simm;
		uint8_t data[16] = {0};

		if (!(exec >> l & 1))
			continue;
		if (cu_mem_is_load(i->op->kind)) {
			(void)cu_lds_read(w, at, data, bytes);
			cu_mem_lane_load(w, i->op, i->dst, l, data);
		} else {
			cu_mem_lane_data(w, i->op, i->data, l, data);
			(void)cu_lds_write(w, at, data, bytes);
		}
	}
}

/* Offset of half @n of a read2/write2: counted in elements, or in 64 of them. */
static uint32_t offset_two(const struct cu_inst *i, unsigned n)
{
	uint32_t unit = i->op->dw * 4u * (i->op->flags & GV9_F_ST64 ? 64 : 1);

	return ((uint32_t)i->simm >> (8 * n) & 0xff) * unit;
}

static void two_lane(struct cu_wave *w, const struct cu_inst *i, unsigned l)
{
	unsigned dw = i->op->dw;
	bool is_load = i->op->kind == CU_MEM_LOAD;
	uint32_t base = w->v[i->addr][l], data[4] = {0};

	for (unsigned n = 0; n < 2; n++) {
		uint32_t at = base + offset_two(i, n);

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

static uint64_t operand(const struct cu_wave *w, unsigned reg, bool wide, unsigned l)
{
	return w->v[reg][l] | (wide ? (uint64_t)w->v[reg + 1][l] << 32 : 0);
}

static void give_back(struct cu_wave *w, unsigned reg, bool wide, unsigned l, uint64_t v)
{
	w->v[reg][l] = (uint32_t)v;
	if (wide)
		w->v[reg + 1][l] = (uint32_t)(v >> 32);
}

void cu_ds_atomic(struct cu_wave *w, const struct cu_inst *i)
{
	uint64_t exec = cu_exec(w);
	unsigned kind = i->op->kind;
	bool wide = i->op->dw == 2;
	bool swap = kind == CU_AT_CMPSWAP || kind == CU_AT_FCMPSWAP,
	     two = swap || kind == CU_AT_MSKOR;

	for (unsigned l = 0; l < CU_LANES; l++) {
		uint64_t a, b, old;

		if (!(exec >> l & 1))
			continue;
		a = operand(w, i->data, wide, l);
		b = two ? operand(w, i->data1, wide, l) : 0;
		/* DS has the compare value first, memory atomics last */
		old = cu_lds_atomic(w, kind, wide, w->v[i->addr][l] + (uint32_t)i->simm,
		                    swap ? b : a, swap ? a : b);
		if (i->op->flags & GV9_F_RTN)
			give_back(w, i->dst, wide, l, old);
	}
}

void cu_ds_xchg2(struct cu_wave *w, const struct cu_inst *i)
{
	uint64_t exec = cu_exec(w);
	bool wide = i->op->dw == 2;

	for (unsigned l = 0; l < CU_LANES; l++) {
		uint32_t base = w->v[i->addr][l];
		uint64_t first, second;

		if (!(exec >> l & 1))
			continue;
		first = cu_lds_atomic(w, CU_AT_SWAP, wide, base + offset_two(i, 0),
		                      operand(w, i->data, wide, l), 0);
		second = cu_lds_atomic(w, CU_AT_SWAP, wide, base + offset_two(i, 1),
		                       operand(w, i->data1, wide, l), 0);
		give_back(w, i->dst, wide, l, first);
		give_back(w, i->dst + i->op->dw, wide, l, second);
	}
}

/* old >= data0 ? old - data0 : old + data1 */
void cu_ds_wrap(struct cu_wave *w, const struct cu_inst *i)
{
	uint64_t exec = cu_exec(w);

	for (unsigned l = 0; l < CU_LANES; l++) {
		uint32_t at = w->v[i->addr][l] + (uint32_t)i->simm, old = 0, fresh;

		if (!(exec >> l & 1))
			continue;
		if (cu_lds_read(w, at, &old, 4)) {
			uint32_t a = w->v[i->data][l], b = w->v[i->data1][l];

			fresh = old >= a ? old - a : old + b;
			(void)cu_lds_write(w, at, &fresh, 4);
		}
		w->v[i->dst][l] = old;
	}
}

/* ds_append and ds_consume: one counter for the wave, at the offset plus M0's top half. */
void cu_ds_count(struct cu_wave *w, const struct cu_inst *i)
{
	uint32_t at = (uint32_t)i->simm + (w->s[CU_M0] >> 16);
	uint32_t n = (uint32_t)__builtin_popcountll(cu_exec(w)), old;
	const uint32_t *m = cu_mask(w);

	old = (uint32_t)cu_lds_atomic(w, i->op->kind, false, at, n, 0);
	for (unsigned l = 0; l < CU_LANES; l++)
		if (m[l])
			w->v[i->dst][l] = old;
}

void cu_ds_addtid(struct cu_wave *w, const struct cu_inst *i)
{
	uint64_t exec = cu_exec(w);

	for (unsigned l = 0; l < CU_LANES; l++) {
		uint32_t v = 0;

		if (!(exec >> l & 1))
			continue;
		(void)cu_lds_read(w, (uint32_t)i->simm + (w->s[CU_M0] & 0xffff) + 4 * l, &v, 4);
		w->v[i->dst][l] = v;
	}
}

/* ---- between lanes: LDS hardware, no LDS memory */
static unsigned swizzled(uint32_t pattern, unsigned lane)
{
	unsigned in = lane & 31;

	if (pattern & 0x8000u) /* any lane of the four */
		return (lane & ~3u) | (pattern >> (2 * (lane & 3)) & 3);
	in = ((in & (pattern & 31)) | (pattern >> 5 & 31)) ^ (pattern >> 10 & 31);
	return (lane & ~31u) | in;
}

void cu_ds_swizzle(struct cu_wave *w, const struct cu_inst *i)
{
	uint64_t exec = cu_exec(w);
	uint32_t from[CU_LANES];

	memcpy(from, w->v[i->addr], sizeof(from));
	for (unsigned l = 0; l < CU_LANES; l++) {
		unsigned n = swizzled((uint32_t)i->simm, l);

		if (exec >> l & 1)
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
