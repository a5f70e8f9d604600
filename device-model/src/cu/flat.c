/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * FLAT, GLOBAL and SCRATCH. i->addr is the address register, i->data the
 * register loaded, stored or returned into, i->data1 an atomic's operands.
 */
#include <gv/base.h>

#include "memop.h"

static void lane_pairs(const struct cu_wave *w, const struct cu_inst *i, uint64_t add, uint64_t *va)
{
	const uint32_t *lo = w->v[i->addr], *hi = w->v[i->addr + 1];

	for (unsigned l = 0; l < CU_LANES; l++)
		va[l] = ((uint64_t)hi[l] << 32 | lo[l]) + add;
}

static void global_addresses(const struct cu_wave *w, const struct cu_inst *i, uint64_t *va)
{
	uint64_t add = (uint64_t)(int64_t)i->simm, base;
	const uint32_t *off = w->v[i->addr];

	if (i->saddr >= CU_NO_SGPR) {
		lane_pairs(w, i, add, va);
		return;
	}
	base = cu_rd64(&w->s[i->saddr]) + add;
	for (unsigned l = 0; l < CU_LANES; l++)
		va[l] = base + off[l];
}

void cu_global(struct cu_wave *w, const struct cu_inst *i)
{
	uint64_t va[CU_LANES];

	global_addresses(w, i, va);
	cu_vmem(w, i, va, cu_exec(w));
}

void cu_global_atomic(struct cu_wave *w, const struct cu_inst *i)
{
	uint64_t va[CU_LANES];

	global_addresses(w, i, va);
	cu_vmem_atomic(w, i, cu_exec(w), cu_locate_va, va);
}

/* ---- scratch */

/* Add pieces of scratch: dwords of the 64 lanes lie interleaved from FLAT_SCRATCH on. */
static void place_private(const struct cu_wave *w, unsigned lane, uint64_t offset, uint32_t bytes,
                          struct cu_place *p)
{
	uint64_t base = cu_rd64(&w->s[CU_FLAT_SCRATCH]) + lane * 4u;

	while (bytes) {
		uint32_t in = offset & 3, now = GV_MIN(bytes, 4 - in);

		cu_place_add(p, CU_MEMORY, base + (offset - in) * CU_LANES + in, now);
		offset += now;
		bytes -= now;
	}
}

/* Base and immediate are added without wrapping at 32 bits (LLVM: "isFlatScratchBaseLegal"). gfx9
 * has no size of a wave's scratch that would bound the sum: what is mapped there is reached. */
static void locate_scratch(const struct cu_wave *w, const struct cu_inst *i, const void *where,
                           unsigned lane, uint32_t bytes, struct cu_place *p)
{
	uint32_t base = i->saddr < CU_NO_SGPR ? w->s[i->saddr] : w->v[i->addr][lane];

	(void)where;
	place_private(w, lane, base + (uint64_t)(int64_t)i->simm, bytes, p);
}

void cu_scratch(struct cu_wave *w, const struct cu_inst *i)
{
	cu_transfer_untyped(w, i, cu_exec(w), locate_scratch, NULL);
}

/* ---- flat: the top half of an address tells LDS and scratch from memory */
struct flat_lanes {
	uint64_t va[CU_LANES]; /* without the immediate: that does not choose the aperture */
	uint64_t shared, private;
};

static uint64_t aperture_lanes(const uint64_t *va, uint64_t base, uint64_t exec)
{
	uint64_t lanes = 0;

	for (unsigned l = 0; l < CU_LANES; l++)
		lanes |= (uint64_t)(va[l] >> 32 == base >> 32) << l;
	return base ? lanes & exec : 0;
}

static void flat_lanes(const struct cu_wave *w, const struct cu_inst *i, struct flat_lanes *f)
{
	lane_pairs(w, i, 0, f->va);
	f->shared = aperture_lanes(f->va, w->run->d.shared_base, cu_exec(w));
	f->private = aperture_lanes(f->va, w->run->d.private_base, cu_exec(w));
}

static void locate_flat(const struct cu_wave *w, const struct cu_inst *i, const void *where,
                        unsigned lane, uint32_t bytes, struct cu_place *p)
{
	const struct flat_lanes *f = where;
	uint32_t add = (uint32_t)i->simm, offset = (uint32_t)f->va[lane];

	if (f->shared >> lane & 1)
		cu_place_add(p, CU_LDS, offset + add, bytes);
	else if (f->private >> lane & 1)
		place_private(w, lane, offset + (uint64_t)add, bytes, p);
	else
		cu_place_add(p, CU_MEMORY, f->va[lane] + add, bytes);
}

void cu_flat(struct cu_wave *w, const struct cu_inst *i)
{
	struct flat_lanes f;

	flat_lanes(w, i, &f);
	if (f.shared | f.private) {
		cu_transfer_untyped(w, i, cu_exec(w), locate_flat, &f);
		return;
	}
	for (unsigned l = 0; l < CU_LANES; l++)
		f.va[l] += (uint32_t)i->simm;
	cu_vmem(w, i, f.va, cu_exec(w));
}

void cu_flat_atomic(struct cu_wave *w, const struct cu_inst *i)
{
	struct flat_lanes f;

	flat_lanes(w, i, &f);
	cu_vmem_atomic(w, i, cu_exec(w), locate_flat, &f);
}
