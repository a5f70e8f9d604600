/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * FLAT, GLOBAL and SCRATCH. i->addr is the address register, i->data the
 * register loaded, stored or returned into, i->data1 an atomic's operands.
 */
#include <gv/base.h>

#include "memop.h"

static void lane_pairs(const struct cu_wave *w, const struct cu_inst *i, uint64_t *va)
{
	const uint32_t *lo = w->v[i->addr], *hi = w->v[i->addr + 1];
	uint64_t add = (uint64_t)(int64_t)i->simm;

	for (unsigned l = 0; l < CU_LANES; l++)
		va[l] = ((uint64_t)hi[l] << 32 | lo[l]) + add;
}

static void global_addresses(const struct cu_wave *w, const struct cu_inst *i, uint64_t *va)
{
	const uint32_t *off = w->v[i->addr];
	uint64_t base;

	if (i->saddr >= 0x7f) {
		lane_pairs(w, i, va);
		return;
	}
	base = cu_rd64(&w->s[i->saddr]) + (uint64_t)(int64_t)i->simm;
	for (unsigned l = 0; l < CU_LANES; l++)
		va[l] = base + off[l];
}

void cu_global(struct cu_wave *w, const struct cu_inst *i)
{
	uint64_t va[CU_LANES];

	global_addresses(w, i, va);
	cu_vmem(w, i, va, cu_exec(w));
}

/* ---- scratch: a lane's bytes lie in dwords 256 bytes apart */
static bool private_bytes(struct cu_wave *w, unsigned lane, uint32_t offset, uint8_t *data,
                          uint32_t bytes, bool write)
{
	while (bytes) {
		uint32_t now = GV_MIN(bytes, 4 - (offset & 3));
		uint64_t va = cu_private_va(w, offset, lane);

		if (!(write ? cu_mem_write(w, va, data, now) : cu_mem_read(w, va, data, now)))
			return false;
		data += now;
		offset += now;
		bytes -= now;
	}
	return true;
}

static bool private_lane(struct cu_wave *w, const struct cu_inst *i, unsigned lane, uint32_t offset)
{
	uint8_t data[16];
	uint32_t bytes = cu_mem_bytes(i->op);

	if (!cu_mem_is_load(i->op->kind)) {
		cu_mem_lane_data(w, i->op, i->data, lane, data);
		return private_bytes(w, lane, offset, data, bytes, true);
	}
	if (!private_bytes(w, lane, offset, data, bytes, false))
		return false;
	cu_mem_lane_load(w, i->op, i->data, lane, data);
	return true;
}

void cu_scratch(struct cu_wave *w, const struct cu_inst *i)
{
	uint64_t exec = cu_exec(w);
	bool by_sgpr = i->saddr < 0x7f;

	for (unsigned l = 0; l < CU_LANES; l++) {
		uint32_t base = by_sgpr ? w->s[i->saddr] : w->v[i->addr][l];

		if ((exec >> l & 1) && !private_lane(w, i, l, base + (uint32_t)i->simm))
			return;
	}
}

/* ---- flat: the top half of an address tells LDS and scratch from memory */
static uint64_t aperture_lanes(const uint64_t *va, uint64_t base, uint64_t exec)
{
	uint64_t lanes = 0;

	for (unsigned l = 0; l < CU_LANES; l++)
		lanes |= (uint64_t)(va[l] >> 32 == base >> 32) << l;
	return base ? lanes & exec : 0;
}

static void lds_lane(struct cu_wave *w, const struct cu_inst *i, unsigned lane, uint32_t at)
{
	uint8_t data[16] = {0};
	uint32_t bytes = cu_mem_bytes(i->op);

	if (cu_mem_is_load(i->op->kind)) {
		(void)cu_lds_read(w, at, data, bytes);
		cu_mem_lane_load(w, i->op, i->data, lane, data);
	} else {
		cu_mem_lane_data(w, i->op, i->data, lane, data);
		(void)cu_lds_write(w, at, data, bytes);
	}
}

void cu_flat(struct cu_wave *w, const struct cu_inst *i)
{
	uint64_t va[CU_LANES], exec = cu_exec(w), shared, private;

	lane_pairs(w, i, va);
	shared = aperture_lanes(va, w->run->d.shared_base, exec);
	private = aperture_lanes(va, w->run->d.private_base, exec);
	cu_vmem(w, i, va, exec & ~shared & ~private);
	for (unsigned l = 0; l < CU_LANES && !(w->attention & CU_STOP); l++) {
		if (shared >> l & 1)
			lds_lane(w, i, l, (uint32_t)va[l]);
		else if ((private >> l & 1) && !private_lane(w, i, l, (uint32_t)va[l]))
			return;
	}
}

static void flat_lds_atomic(struct cu_wave *w, const struct cu_inst *i, unsigned l, uint32_t at)
{
	bool wide = i->op->dw == 2, two = i->op->kind == CU_AT_CMPSWAP;
	unsigned step = wide ? 2 : 1;
	uint64_t data = w->v[i->data1][l], cmp = two ? w->v[i->data1 + step][l] : 0, old;

	if (wide) {
		data |= (uint64_t)w->v[i->data1 + 1][l] << 32;
		cmp |= two ? (uint64_t)w->v[i->data1 + 3][l] << 32 : 0;
	}
	old = cu_lds_atomic(w, i->op->kind, wide, at, data, cmp);
	if (!i->glc)
		return;
	w->v[i->data][l] = (uint32_t)old;
	if (wide)
		w->v[i->data + 1][l] = (uint32_t)(old >> 32);
}

void cu_flat_atomic(struct cu_wave *w, const struct cu_inst *i)
{
	uint64_t va[CU_LANES], exec = cu_exec(w), shared = 0, private = 0;

	if (i->op->format == GV9_GLOBAL) {
		global_addresses(w, i, va);
	} else {
		lane_pairs(w, i, va);
		shared = aperture_lanes(va, w->run->d.shared_base, exec);
		private = aperture_lanes(va, w->run->d.private_base, exec);
	}
	for (unsigned l = 0; l < CU_LANES && private; l++)
		if (private >> l & 1)
			va[l] = cu_private_va(w, (uint32_t)va[l], l);
	cu_vmem_atomic(w, i, va, exec & ~shared);
	for (unsigned l = 0; l < CU_LANES && shared; l++)
		if (shared >> l & 1)
			flat_lds_atomic(w, i, l, (uint32_t)va[l]);
}
