/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Page walks, permissions, faults, invalidation, copies and atomics. */
#include "mem_rig.h"
#include "ut.h"

#define TABLES 0x100000ull /* page tables in VF0's frame buffer: 4 KiB each from here */
#define VMID   3u

static struct gv_mem view(struct gv_fn *f, unsigned vmid)
{
	struct gv_mem m;

	gv_mem_init(&m, f, GV_HUB_GC, (uint8_t)vmid, 1);
	return m;
}

/* A page table built as a driver builds it, one page at a time. */
struct tables {
	struct gv_fn *f;
	unsigned depth;
	uint64_t root, next;
};

static void tables_init(struct tables *t, struct gv_fn *f, unsigned depth, unsigned vmid,
                        uint64_t end)
{
	*t = (struct tables){f, depth, TABLES, TABLES + 0x10000};
	rig_context(f, vmid, depth, t->root | GV_PTE_VALID, 0, end - 1);
}

/* Entry of @va at @level (0 = PTE); makes the tables above it. */
static uint64_t entry_at(struct tables *t, uint64_t va, unsigned level)
{
	uint64_t table = t->root;

	for (unsigned l = t->depth; l > level; l--) {
		uint64_t at = table + 8 * ((va >> (12 + 9 * l)) & 511), pde = rig_get64(t->f, at);

		if (!pde) {
			pde = t->next | GV_PTE_VALID;
			t->next += GV_GPU_PAGE;
			rig_put64(t->f, at, pde);
		}
		table = pde & GV_PDE_ADDR_MASK;
	}
	return table + 8 * (t->depth ? (va >> (12 + 9 * level)) & 511 : va >> 12);
}

static void map(struct tables *t, uint64_t va, uint64_t entry)
{
	rig_put64(t->f, entry_at(t, va, 0), entry);
}

static void walks_of_every_depth_are_exact(void)
{
	struct mem_rig r;
	static const unsigned va_bits[4] = {21, 30, 39, 48};

	rig_open(&r, true);
	for (unsigned depth = 0; depth < 4; depth++) {
		uint64_t s = 77 + depth, limit = 1ull << (va_bits[depth] - (depth == 3)), va[64];
		struct gv_mem m = view(r.vf[0], VMID);
		uint8_t zero[4096] = {0};
		struct tables t;

		for (uint64_t a = TABLES; a < TABLES + 0x200000; a += sizeof(zero))
			rig_put(r.vf[0], a, zero, sizeof(zero));
		tables_init(&t, r.vf[0], depth, VMID, limit);
		for (unsigned i = 0; i < 64; i++) {
			va[i] = depth ? (rig_random(&s) % limit) & ~4095ull : i * 0x7000ull;
			if (i == 63)
				va[i] = limit - 4096;
			map(&t, va[i], (16 * GV_MIB + i * 8192) | RIG_PTE);
			rig_put64(r.vf[0], 16 * GV_MIB + i * 8192 + 8 * i, va[i] + i);
		}
		gv_fn_mem_enter(r.vf[0]);
		for (unsigned i = 0; i < 64; i++) {
			uint64_t got = 0;

			CU_ASSERT_EQUAL(gv_mem_read64(&m, va[i] + 8 * i, &got), 0);
			CU_ASSERT_EQUAL(got, va[i] + i);
		}
		gv_fn_mem_leave(r.vf[0]);
	}
	CU_ASSERT_EQUAL(atomic_load(&r.vf[0]->count.vm_faults), 0);
	rig_close(&r);
}

static void tables_and_pages_may_be_in_system_memory(void)
{
	struct mem_rig r;

	for (unsigned no_pointers = 0; no_pointers < 2; no_pointers++) {
		struct gv_mem m;
		uint64_t val = 0, *sys;

		rig_open(&r, true);
		r.no_pointers = no_pointers;
		sys = (uint64_t *)(void *)r.sys[1];
		m = view(r.vf[0], VMID);
		/* flat table at IOVA + 4 KiB, page 2 of it is system memory, page 3 VRAM */
		sys[512 + 2] = (RIG_IOVA + 0x5000) | RIG_PTE | GV_PTE_SYSTEM | GV_PTE_SNOOPED;
		sys[512 + 3] = 0x7000 | RIG_PTE;
		rig_context(r.vf[0], VMID, 0, (RIG_IOVA + 4096) | GV_PTE_VALID | GV_PTE_SYSTEM, 0,
		            0xffff);
		gv_fn_mem_enter(r.vf[0]);
		CU_ASSERT_EQUAL(gv_mem_write64(&m, 0x2ff8, 0x1234), 0);
		CU_ASSERT_EQUAL(gv_mem_write64(&m, 0x3000, 0x5678), 0);
		CU_ASSERT_EQUAL(gv_mem_read64(&m, 0x2ff8, &val), 0);
		CU_ASSERT_EQUAL(val, 0x1234);
		CU_ASSERT_EQUAL(gv_mem_atomic(&m, 0x2ff8, GV_TC_ADD_RTN_64, 1, 0, &val), 0);
		CU_ASSERT_EQUAL(gv_mem_write64(&m, 0x2ffc, 1), 0); /* across both */
		gv_fn_mem_leave(r.vf[0]);
		CU_ASSERT_EQUAL(sys[0x5ff8 / 8] >> 32, 1);
		CU_ASSERT_EQUAL(sys[0x5ff8 / 8] & UINT32_MAX, 0x1235);
		CU_ASSERT_EQUAL(rig_get64(r.vf[0], 0x7000), 0);
		rig_close(&r);
	}
}

static void huge_leaves_and_fragments_make_large_windows(void)
{
	struct mem_rig r;
	struct tables t;
	struct gv_window w;
	struct gv_mem m;

	rig_open(&r, true);
	m = view(r.pf, VMID); /* the PF: its memory is contiguous, so windows show the leaf */
	t = (struct tables){r.pf, 3, TABLES, TABLES + 0x10000};
	rig_context(r.pf, VMID, 3, t.root | GV_PTE_VALID, 0, (1ull << 47) - 1);
	rig_put64(r.pf, entry_at(&t, 0x40000000, 2), 0 | RIG_PTE | GV_PDE_PTE);         /* 1 GiB */
	rig_put64(r.pf, entry_at(&t, 0x80200000, 1), 0x4000000 | RIG_PTE | GV_PDE_PTE); /* 2 MiB */
	for (unsigned i = 0; i < 16; i++) /* 64 KiB fragment, then 16 pages that do not touch */
		map(&t, 0x90010000 + i * 4096, (0x5010000 + i * 4096) | RIG_PTE | GV_PTE_FRAG(4));
	for (unsigned i = 0; i < 16; i++)
		map(&t, 0x90020000 + i * 4096, (0x6000000 + i * 8192) | RIG_PTE);
	for (unsigned i = 0; i < 512; i++) /* contiguous without a fragment */
		map(&t, 0x90200000 + i * 4096, (0x6200000 + i * 4096) | RIG_PTE);
	gv_fn_mem_enter(r.pf);
	CU_ASSERT_EQUAL(gv_mem_window(&m, 0x40000000 + 0x1234567, GV_ACC_R, &w), 0);
	CU_ASSERT_EQUAL(w.host + (0x41234567 - w.va), r.dev->vram->base + 0x1234567);
	CU_ASSERT(w.bytes >= 100 * GV_MIB);
	CU_ASSERT_EQUAL(gv_mem_window(&m, 0x80234567, GV_ACC_W, &w), 0);
	CU_ASSERT_EQUAL(w.va, 0x80200000);
	CU_ASSERT_EQUAL(w.bytes, GV_L2_PAGE);
	CU_ASSERT_EQUAL(w.host, r.dev->vram->base + 0x4000000);
	CU_ASSERT_EQUAL(gv_mem_window(&m, 0x90015678, GV_ACC_R, &w), 0);
	CU_ASSERT_EQUAL(w.va, 0x90010000);
	CU_ASSERT_EQUAL(w.bytes, 65536);
	CU_ASSERT_EQUAL(gv_mem_window(&m, 0x90025678, GV_ACC_R, &w), 0);
	CU_ASSERT_EQUAL(w.bytes, 4096);
	CU_ASSERT_EQUAL(w.host, r.dev->vram->base + 0x6000000 + 5 * 8192);
	CU_ASSERT_EQUAL(gv_mem_window(&m, 0x902ff123, GV_ACC_R, &w), 0);
	CU_ASSERT_EQUAL(w.va, 0x90200000);
	CU_ASSERT_EQUAL(w.bytes, GV_L2_PAGE);
	CU_ASSERT_EQUAL(gv_mem_window(&m, 0x80400000, GV_ACC_R, &w), -EFAULT);
	gv_fn_mem_leave(r.pf);
	rig_close(&r);
}

static void permissions_are_refused_in_every_combination(void)
{
	struct mem_rig r;
	struct tables t;
	uint64_t faults = 0;

	rig_open(&r, true);
	tables_init(&t, r.vf[0], 1, VMID, GV_GIB);
	for (unsigned p = 0; p < 16; p++)
		map(&t, p * 4096ull,
		    (0x800000 + p * 8192) | (p & 8 ? GV_PTE_VALID : 0) |
		            (p & GV_ACC_R ? GV_PTE_READABLE : 0) |
		            (p & GV_ACC_W ? GV_PTE_WRITEABLE : 0) |
		            (p & GV_ACC_X ? GV_PTE_EXECUTABLE : 0));
	for (unsigned p = 0; p < 16; p++)
		for (unsigned a = 1; a < 8; a++) {
			struct gv_mem m = view(r.vf[0], VMID);
			uint32_t status, perm;
			struct gv_window w;
			bool ok = (p & 8) && !(a & ~p);

			rig_wr(r.vf[0], VM_L2_PROTECTION_FAULT_CNTL__BYTE, 1);
			gv_fn_mem_enter(r.vf[0]);
			CU_ASSERT_EQUAL(gv_mem_window(&m, p * 4096ull, a, &w), ok ? 0 : -EFAULT);
			gv_fn_mem_leave(r.vf[0]);
			faults += !ok;
			status = rig_rd(r.vf[0], VM_L2_PROTECTION_FAULT_STATUS__BYTE);
			perm = GV_GET(status, VM_L2_PROTECTION_FAULT_STATUS, PERMISSION_FAULTS);
			CU_ASSERT_EQUAL(perm, ok ? 0 : p & 8 ? (a & ~p) << 1 : (a << 1) | 1);
		}
	CU_ASSERT_EQUAL(atomic_load(&r.vf[0]->count.vm_faults), faults);
	rig_close(&r);
}

static int try(struct gv_fn *f, unsigned vmid, uint64_t va)
{
	struct gv_mem m = view(f, vmid);
	uint32_t val;
	int rc;

	rig_wr(f, VM_L2_PROTECTION_FAULT_CNTL__BYTE, 1);
	gv_fn_mem_enter(f);
	rc = gv_mem_read32(&m, va, &val);
	gv_fn_mem_leave(f);
	return rc;
}

static unsigned walker_error(struct gv_fn *f)
{
	return GV_GET(rig_rd(f, VM_L2_PROTECTION_FAULT_STATUS__BYTE), VM_L2_PROTECTION_FAULT_STATUS,
	              WALKER_ERROR);
}

static void what_is_not_mapped_faults_where_the_walk_ended(void)
{
	struct mem_rig r;
	struct tables t;
	struct gv_fn *f;

	rig_open(&r, true);
	f = r.vf[0];
	CU_ASSERT_EQUAL(try(f, VMID, 0x1000), -EFAULT); /* context off */
	tables_init(&t, f, 3, VMID, 1ull << 40);
	map(&t, 0x7000, 0x4000 | RIG_PTE);
	CU_ASSERT_EQUAL(try(f, VMID, 0x7000), 0);
	CU_ASSERT_EQUAL(try(f, VMID, 0x8000), -EFAULT);
	CU_ASSERT_EQUAL(walker_error(f), GV_WALK_OK);
	CU_ASSERT_EQUAL(try(f, VMID, 0x200000), -EFAULT);
	CU_ASSERT_EQUAL(walker_error(f), GV_WALK_PDE0);
	CU_ASSERT_EQUAL(try(f, VMID, 0x40000000), -EFAULT);
	CU_ASSERT_EQUAL(walker_error(f), GV_WALK_PDE1);
	CU_ASSERT_EQUAL(try(f, VMID, 1ull << 39), -EFAULT);
	CU_ASSERT_EQUAL(walker_error(f), GV_WALK_PDE2);
	CU_ASSERT_EQUAL(try(f, VMID, 1ull << 40), -EFAULT); /* END */
	CU_ASSERT_EQUAL(walker_error(f), GV_WALK_RANGE);
	CU_ASSERT_EQUAL(try(f, VMID, 0x0000900000000000ull | 0xfffe000000000000ull), -EFAULT);
	CU_ASSERT_EQUAL(walker_error(f), GV_WALK_RANGE); /* hole */
	CU_ASSERT_EQUAL(try(f, VMID, 0x0001000000007000ull), -EFAULT);
	/* a leaf outside the second-level table */
	map(&t, 0x9000, (RIG_FB + 0x5000) | RIG_PTE);
	CU_ASSERT_EQUAL(try(f, VMID, 0x9000), -EFAULT);
	CU_ASSERT_EQUAL(rig_rd(r.pf, GVX_VF0_L2_FAULT_ADDR_LO__BYTE), RIG_FB + 0x5000);
	CU_ASSERT_EQUAL(
	        GV_GET(rig_rd(r.pf, GVX_VF0_L2_FAULT_STATUS__BYTE), GVX_VF0_L2_FAULT_STATUS, VMID),
	        VMID);
	/* a table outside it, translate further, system memory that is not there */
	rig_put64(f, entry_at(&t, 0x400000, 1), (RIG_FB * 2) | GV_PTE_VALID);
	CU_ASSERT_EQUAL(try(f, VMID, 0x400000), -EFAULT);
	map(&t, 0xa000, 0x4000 | RIG_PTE | 1ull << 56);
	CU_ASSERT_EQUAL(try(f, VMID, 0xa000), -EFAULT);
	CU_ASSERT_EQUAL(atomic_load(&f->count.unimplemented), 1);
	map(&t, 0xb000, (RIG_IOVA + RIG_SYS) | RIG_PTE | GV_PTE_SYSTEM);
	CU_ASSERT_EQUAL(try(f, VMID, 0xb000), -EFAULT);
	rig_close(&r);
}

static void vmid_0_sees_frame_buffer_and_gart(void)
{
	struct mem_rig r;
	const uint64_t gart = 0x7fff00000000ull;
	struct gv_mem m;
	uint64_t val = 0;

	rig_open(&r, true);
	rig_put64(r.vf[0], 0x123000, 0xfb);
	rig_put64(r.vf[0], TABLES + 8 * 3, (RIG_IOVA + 0x2000) | RIG_PTE | GV_PTE_SYSTEM);
	((uint64_t *)(void *)r.sys[1])[0x2008 / 8] = 0x6a47;
	rig_context(r.vf[0], 0, 0, TABLES | GV_PTE_VALID, gart, gart + 512 * GV_MIB - 1);
	m = view(r.vf[0], 0);
	gv_fn_mem_enter(r.vf[0]);
	CU_ASSERT_EQUAL(gv_mem_read64(&m, 0x123000, &val), 0);
	CU_ASSERT_EQUAL(val, 0xfb);
	CU_ASSERT_EQUAL(gv_mem_read64(&m, gart + 0x3008, &val), 0);
	CU_ASSERT_EQUAL(val, 0x6a47);
	CU_ASSERT_EQUAL(gv_mem_read64(&m, RIG_FB, &val), -EFAULT);
	CU_ASSERT_EQUAL(gv_mem_read64(&m, gart - 4096, &val), -EFAULT);
	CU_ASSERT_EQUAL(gv_mem_read64(&m, gart + 512 * GV_MIB, &val), -EFAULT);
	gv_fn_mem_leave(r.vf[0]);
	rig_close(&r);
}

static void invalidation_drops_stale_translations(void)
{
	struct mem_rig r;
	struct tables t;
	struct gv_mem m;
	uint64_t val = 0;

	rig_open(&r, true);
	tables_init(&t, r.vf[0], 1, VMID, GV_GIB);
	map(&t, 0x5000, 0x800000 | RIG_PTE);
	rig_put64(r.vf[0], 0x800000, 1);
	rig_put64(r.vf[0], 0x900000, 2);
	m = view(r.vf[0], VMID);
	gv_fn_mem_enter(r.vf[0]);
	CU_ASSERT_EQUAL(gv_mem_read64(&m, 0x5000, &val), 0);
	gv_fn_mem_leave(r.vf[0]);
	map(&t, 0x5000, 0x900000 | RIG_PTE);
	gv_fn_mem_enter(r.vf[0]);
	CU_ASSERT_EQUAL(gv_mem_read64(&m, 0x5000, &val), 0);
	CU_ASSERT_EQUAL(val, 1); /* the cache is real */
	gv_fn_mem_leave(r.vf[0]);
	CU_ASSERT_FALSE(rig_rd(r.vf[0], GV_BYTE_N(VM_INVALIDATE_ENG0_ACK, 17)) & (1u << VMID));
	rig_wr(r.vf[0], GV_BYTE_N(VM_INVALIDATE_ENG0_REQ, 17), 0x7c0000 | 1u << VMID);
	CU_ASSERT(rig_rd(r.vf[0], GV_BYTE_N(VM_INVALIDATE_ENG0_ACK, 17)) & (1u << VMID));
	CU_ASSERT_EQUAL(rig_rd(r.vf[0], GV_BYTE_N(VM_INVALIDATE_ENG0_SEM, 3)), 1);
	gv_fn_mem_enter(r.vf[0]);
	CU_ASSERT_EQUAL(gv_mem_read64(&m, 0x5000, &val), 0);
	CU_ASSERT_EQUAL(val, 2);
	gv_fn_mem_leave(r.vf[0]);
	/* another second-level table behind the same page table */
	rig_put64(r.vf[0], 0x900000, 3);
	gv_vram_release(r.vf[0]);
	gv_fn_mem_enter(r.vf[0]);
	CU_ASSERT_EQUAL(gv_mem_read64(&m, 0x5000, &val), -EFAULT);
	gv_fn_mem_leave(r.vf[0]);
	rig_close(&r);
}

static void the_first_fault_stays_until_it_is_cleared(void)
{
	struct mem_rig r;
	struct gv_mem m;
	uint32_t s;

	rig_open(&r, true);
	m = view(r.vf[1], 5);
	m.hub = GV_HUB_MM;
	gv_fn_mem_enter(r.vf[1]);
	CU_ASSERT_EQUAL(gv_mem_write32(&m, 0x123456789000ull, 1), -EFAULT);
	CU_ASSERT_EQUAL(gv_mem_read32(&m, 0x1000, &s), -EFAULT);
	gv_fn_mem_leave(r.vf[1]);
	s = rig_rd(r.vf[1], MMHUB_VM_L2_PROTECTION_FAULT_STATUS__BYTE);
	CU_ASSERT_EQUAL(GV_GET(s, MMHUB_VM_L2_PROTECTION_FAULT_STATUS, MORE_FAULTS), 1);
	CU_ASSERT_EQUAL(GV_GET(s, MMHUB_VM_L2_PROTECTION_FAULT_STATUS, RW), 1);
	CU_ASSERT_EQUAL(GV_GET(s, MMHUB_VM_L2_PROTECTION_FAULT_STATUS, VMID), 5);
	CU_ASSERT_EQUAL(GV_GET(s, MMHUB_VM_L2_PROTECTION_FAULT_STATUS, VF), 1);
	CU_ASSERT_EQUAL(GV_GET(s, MMHUB_VM_L2_PROTECTION_FAULT_STATUS, VFID), 1);
	CU_ASSERT_EQUAL(rig_rd(r.vf[1], MMHUB_VM_L2_PROTECTION_FAULT_ADDR_LO32__BYTE), 0x23456789);
	CU_ASSERT_EQUAL(rig_rd(r.vf[1], MMHUB_VM_L2_PROTECTION_FAULT_ADDR_HI32__BYTE), 1);
	CU_ASSERT_EQUAL(rig_rd(r.vf[1], VM_L2_PROTECTION_FAULT_STATUS__BYTE), 0);
	rig_wr(r.vf[1], MMHUB_VM_L2_PROTECTION_FAULT_CNTL__BYTE, 1);
	CU_ASSERT_EQUAL(rig_rd(r.vf[1], MMHUB_VM_L2_PROTECTION_FAULT_STATUS__BYTE), 0);
	gv_fn_mem_enter(r.vf[1]);
	CU_ASSERT_EQUAL(gv_mem_read32(&m, 0x1000, &s), -EFAULT);
	gv_fn_mem_leave(r.vf[1]);
	CU_ASSERT_EQUAL(rig_rd(r.vf[1], MMHUB_VM_L2_PROTECTION_FAULT_ADDR_LO32__BYTE), 1);
	rig_close(&r);
}

static void a_fault_storm_is_counted_but_raises_few_interrupts(void)
{
	struct mem_rig r;
	struct gv_mem m;
	uint64_t start, periods;
	uint32_t val;

	rig_open(&r, true);
	m = view(r.vf[0], 5);
	start = gv_now_ns();
	gv_fn_mem_enter(r.vf[0]);
	for (unsigned i = 0; i < 5000; i++)
		(void)gv_mem_read32(&m, 0x1000ull * i, &val);
	gv_fn_mem_leave(r.vf[0]);
	periods = (gv_now_ns() - start) / (10 * GV_MS) + 2;
	CU_ASSERT_EQUAL(atomic_load(&r.vf[0]->count.vm_faults), 5000);
	CU_ASSERT(5000 - atomic_load(&r.vf[0]->gmc->ivs_dropped) <= 64 * periods);
	m.quiet = true;
	gv_fn_mem_enter(r.vf[0]);
	CU_ASSERT_EQUAL(gv_mem_read32(&m, 0x1000, &val), -EFAULT);
	gv_fn_mem_leave(r.vf[0]);
	CU_ASSERT_EQUAL(atomic_load(&r.vf[0]->count.vm_faults), 5000);
	rig_close(&r);
}

static void hostile_tables_end_and_stay_inside(void)
{
	struct mem_rig r;
	uint64_t s = 4242, good = 0, lo, hi;
	struct gv_mem m;

	rig_open(&r, true);
	/* every entry points to its own table */
	for (unsigned i = 0; i < 512; i++)
		rig_put64(r.vf[0], TABLES + 8 * i, TABLES | RIG_PTE);
	for (unsigned depth = 0; depth < 4; depth++) {
		rig_context(r.vf[0], VMID, depth, TABLES | GV_PTE_VALID, 0, (1ull << 47) - 1);
		(void)try(r.vf[0], VMID, rig_random(&s) >> 17);
	}
	/* noise as tables: nothing but this VF's chunks and its system memory is ever named */
	for (unsigned round = 0; round < 40; round++) {
		for (unsigned i = 0; i < 4096; i++)
			rig_put64(r.vf[0], 8 * i,
			          rig_random(&s) & (round % 5 == 4 ? ~0ull : 0x1fff0ffull));
		rig_context(r.vf[0], VMID, round & 3,
		            (rig_random(&s) & 0x7000) | (round % 8 == 7 ? GV_PTE_SYSTEM : 0) |
		                    GV_PTE_VALID,
		            0, (1ull << 47) - 1);
		m = view(r.vf[0], VMID);
		m.quiet = true;
		gv_fn_mem_enter(r.vf[0]);
		for (unsigned i = 0; i < 500; i++) {
			struct gv_window w;
			uint64_t va = rig_random(&s) >> (17 + i % 40);

			if (gv_mem_window(&m, va, i & 1 ? GV_ACC_W : GV_ACC_R, &w) || !w.host)
				continue;
			CU_ASSERT(va - w.va < w.bytes);
			lo = (uint64_t)(w.host - r.dev->vram->base) >> GV_L2_SHIFT;
			hi = (uint64_t)(w.host + w.bytes - 1 - r.dev->vram->base) >> GV_L2_SHIFT;
			if (hi < r.dev->vram->chunks) {
				for (; lo <= hi; lo++)
					CU_ASSERT_EQUAL(r.dev->vram->owner[lo], GV_DEV_VF(0));
			} else {
				CU_ASSERT((w.host >= r.sys[1] &&
				           w.host + w.bytes <= r.sys[1] + RIG_SYS) ||
				          w.bytes == GV_GPU_PAGE);
			}
			good++;
		}
		gv_fn_mem_leave(r.vf[0]);
	}
	CU_ASSERT(good > 100);
	rig_close(&r);
}

static void prt_pages_read_zero_and_drop_writes(void)
{
	struct mem_rig r;
	struct tables t;
	struct gv_mem m;
	uint64_t val = 1;

	rig_open(&r, true);
	tables_init(&t, r.vf[0], 1, VMID, GV_GIB);
	map(&t, 0x3000, GV_PTE_PRT | 0x4000);
	rig_put64(r.vf[0], 0x4000, 0x99);
	m = view(r.vf[0], VMID);
	gv_fn_mem_enter(r.vf[0]);
	CU_ASSERT_EQUAL(gv_mem_write64(&m, 0x3000, 5), 0);
	CU_ASSERT_EQUAL(gv_mem_read64(&m, 0x3000, &val), 0);
	CU_ASSERT_EQUAL(val, 0);
	val = 1;
	CU_ASSERT_EQUAL(gv_mem_atomic(&m, 0x3000, GV_TC_ADD_RTN_64, 5, 0, &val), 0);
	CU_ASSERT_EQUAL(val, 0);
	gv_fn_mem_leave(r.vf[0]);
	CU_ASSERT_EQUAL(rig_get64(r.vf[0], 0x4000), 0x99);
	rig_close(&r);
}

static void atomics_compute_what_the_isa_says(void)
{
	static const struct {
		unsigned op;
		uint32_t old, src, cmp, want;
	} c[] = {
	        {GV_TC_SWAP_RTN_32, 1, 2, 0, 2},
	        {GV_TC_CMPSWAP_RTN_32, 1, 2, 1, 2},
	        {GV_TC_CMPSWAP_RTN_32, 1, 2, 3, 1},
	        {GV_TC_ADD_RTN_32, 0xffffffff, 2, 0, 1},
	        {GV_TC_SUB_RTN_32, 1, 2, 0, 0xffffffff},
	        {GV_TC_SMIN_RTN_32, 1, 0xfffffffe, 0, 0xfffffffe},
	        {GV_TC_UMIN_RTN_32, 1, 0xfffffffe, 0, 1},
	        {GV_TC_SMAX_RTN_32, 1, 0xfffffffe, 0, 1},
	        {GV_TC_UMAX_RTN_32, 1, 0xfffffffe, 0, 0xfffffffe},
	        {GV_TC_AND_RTN_32, 0xf0, 0x3c, 0, 0x30},
	        {GV_TC_OR_RTN_32, 0xf0, 0x3c, 0, 0xfc},
	        {GV_TC_XOR_RTN_32, 0xf0, 0x3c, 0, 0xcc},
	        {GV_TC_INC_RTN_32, 4, 5, 0, 5},
	        {GV_TC_INC_RTN_32, 5, 5, 0, 0},
	        {GV_TC_DEC_RTN_32, 0, 5, 0, 5},
	        {GV_TC_DEC_RTN_32, 6, 5, 0, 5},
	        {GV_TC_DEC_RTN_32, 3, 5, 0, 2},
	};
	struct mem_rig r;
	struct gv_mem m;
	uint64_t old = 0, now = 0;

	rig_open(&r, true);
	m = view(r.vf[0], 0);
	gv_fn_mem_enter(r.vf[0]);
	for (size_t i = 0; i < GV_ARRAY_LEN(c); i++) {
		/* sign-extend what is negative, so that both widths have the same answer */
		uint64_t src = (uint64_t)(int32_t)c[i].src, o = (uint64_t)(int32_t)c[i].old;

		(void)gv_mem_write64(&m, 0x8000, 0xeeeeeeee00000000ull | c[i].old);
		CU_ASSERT_EQUAL(gv_mem_atomic(&m, 0x8000, c[i].op, src, c[i].cmp, &old), 0);
		CU_ASSERT_EQUAL(old, c[i].old);
		(void)gv_mem_read64(&m, 0x8000, &now);
		CU_ASSERT_EQUAL(now, 0xeeeeeeee00000000ull | c[i].want);
		(void)gv_mem_write64(&m, 0x8000, o);
		CU_ASSERT_EQUAL(gv_mem_atomic(&m, 0x8000, c[i].op + 32, src, c[i].cmp, &old), 0);
		CU_ASSERT_EQUAL(old, o);
		(void)gv_mem_read64(&m, 0x8000, &now);
		CU_ASSERT_EQUAL(now, (uint64_t)(int32_t)c[i].want);
	}
	CU_ASSERT_EQUAL(gv_mem_atomic(&m, 0x8002, GV_TC_ADD_RTN_32, 1, 0, &old), -EINVAL);
	CU_ASSERT_EQUAL(gv_mem_atomic(&m, 0x8004, GV_TC_ADD_RTN_64, 1, 0, &old), -EINVAL);
	for (unsigned op = 0; op < 128; op++) {
		bool known = op == 7 || op == 8 || (op >= 15 && op <= 24 + 1) || op == 39 ||
		             op == 40 || (op >= 47 && op <= 57);

		CU_ASSERT_EQUAL(gv_mem_atomic(&m, 0x8000, op, 1, 0, &old), known ? 0 : -EOPNOTSUPP);
	}
	gv_fn_mem_leave(r.vf[0]);
	rig_close(&r);
}

static void random_copies_over_scattered_pages_equal_memcpy(void)
{
	const unsigned pages = 512;
	uint8_t *ref = malloc(pages * 4096ul), *got = malloc(pages * 4096ul), *tmp;
	struct mem_rig r;
	struct tables t;
	struct gv_mem m;
	uint64_t s = 99;

	rig_open(&r, true);
	tables_init(&t, r.vf[0], 2, VMID, 512 * GV_GIB);
	tmp = calloc(1, pages * 4096ul);
	for (unsigned i = 0; i < pages; i++) { /* VRAM backwards, system memory, VRAM in pairs */
		uint64_t at = i % 3 == 1 ? (RIG_IOVA + i * 4096ull) | GV_PTE_SYSTEM
		                         : 8 * GV_MIB + (pages - i) * 12288ull;

		map(&t, 0x7f000000ull + i * 4096ull,
		    (at & ~4095ull) | RIG_PTE | (at & GV_PTE_SYSTEM));
	}
	m = view(r.vf[0], VMID);
	memset(ref, 0, pages * 4096ul);
	gv_fn_mem_enter(r.vf[0]);
	CU_ASSERT_EQUAL(gv_mem_write(&m, 0x7f000000, ref, pages * 4096ul), 0);
	for (unsigned i = 0; i < 300; i++) {
		size_t n = rig_random(&s) % 40000 + 1, off = rig_random(&s) % (pages * 4096ul - n);

		for (size_t k = 0; k < n; k++)
			tmp[k] = (uint8_t)rig_random(&s);
		if (i & 1) {
			CU_ASSERT_EQUAL(gv_mem_write(&m, 0x7f000000 + off, tmp, n), 0);
			memcpy(ref + off, tmp, n);
		} else { /* between two views, not overlapping */
			size_t from = off / 2, to = pages * 2048ul + off / 2;

			n = GV_MIN(n, pages * 2048ul - off / 2);
			CU_ASSERT_EQUAL(gv_mem_copy(&m, 0x7f000000 + to, &m, 0x7f000000 + from, n),
			                0);
			memcpy(ref + to, ref + from, n);
		}
	}
	CU_ASSERT_EQUAL(gv_mem_read(&m, 0x7f000000, got, pages * 4096ul), 0);
	gv_fn_mem_leave(r.vf[0]);
	CU_ASSERT_EQUAL(memcmp(ref, got, pages * 4096ul), 0);
	free(ref);
	free(got);
	free(tmp);
	rig_close(&r);
}

static void functions_reach_only_their_own_memory(void)
{
	struct mem_rig r;

	rig_open(&r, true);
	/* the same table contents in both VFs name different memory */
	for (unsigned v = 0; v < 2; v++) {
		struct gv_mem m = view(r.vf[v], 0);

		gv_fn_mem_enter(r.vf[v]);
		CU_ASSERT_EQUAL(gv_mem_write64(&m, 0x200000, 100 + v), 0);
		gv_fn_mem_leave(r.vf[v]);
	}
	CU_ASSERT_EQUAL(rig_get64(r.pf, rig_chunk_addr(&r, 0, 1)), 100);
	CU_ASSERT_EQUAL(rig_get64(r.pf, rig_chunk_addr(&r, 1, 1)), 101);
	for (uint64_t fb = 0; fb < 64 * GV_MIB; fb += GV_L2_PAGE) {
		uint64_t bytes;
		uint8_t *host;

		if (gv_vram_ptr(r.vf[0], fb, GV_ACC_W, &host, &bytes) == 0) {
			CU_ASSERT_EQUAL(
			        r.dev->vram->owner[(host - r.dev->vram->base) >> GV_L2_SHIFT],
			        GV_DEV_VF(0));
			continue;
		}
		CU_ASSERT(fb >= RIG_FB);
	}
	rig_close(&r);
}

UT_MAIN("gmc", UT(walks_of_every_depth_are_exact), UT(tables_and_pages_may_be_in_system_memory),
        UT(huge_leaves_and_fragments_make_large_windows),
        UT(permissions_are_refused_in_every_combination),
        UT(what_is_not_mapped_faults_where_the_walk_ended), UT(vmid_0_sees_frame_buffer_and_gart),
        UT(invalidation_drops_stale_translations), UT(the_first_fault_stays_until_it_is_cleared),
        UT(a_fault_storm_is_counted_but_raises_few_interrupts),
        UT(hostile_tables_end_and_stay_inside), UT(prt_pages_read_zero_and_drop_writes),
        UT(atomics_compute_what_the_isa_says), UT(random_copies_over_scattered_pages_equal_memcpy),
        UT(functions_reach_only_their_own_memory))
