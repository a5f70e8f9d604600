/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waves whose memory comes and goes: with retry faults on, a kernel whose memory is not mapped goes
 * on once the guest mapped it, and can be preempted, killed and reset meanwhile.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cp.h"
#include "ut.h"
#include "wave_rig.h"

#define VMID     1u
#define TABLE    0x390000ull
#define PAGES    (RIG_FB_BYTES / GV_GPU_PAGE)
#define OUT_PAGE (wave_out_va / GV_GPU_PAGE)

static void set_page(uint64_t page, bool mapped)
{
	uint64_t pte = page << GV_GPU_PAGE_SHIFT | GV_PTE_VALID | GV_PTE_READABLE |
	               GV_PTE_WRITEABLE | GV_PTE_EXECUTABLE;

	if (!mapped)
		pte = 0;
	rig_put(&wave_rig, WAVE_VF, TABLE + page * 8, &pte, sizeof(pte));
}

static void invalidate(void)
{
	rig_wr(&wave_rig, WAVE_VF, VM_INVALIDATE_ENG0_REQ__BYTE,
	       GV_PUT(VM_INVALIDATE_ENG0_REQ, PER_VMID_INVALIDATE_REQ, 1u << VMID));
}

static void select_vmid(unsigned vmid)
{
	rig_wr(&wave_rig, WAVE_VF, GRBM_GFX_CNTL__BYTE, GV_PUT(GRBM_GFX_CNTL, VMID, vmid));
}

/* VMID 1 sees all of the VF's memory at its own addresses, by one flat table. */
static void make_context(bool retry)
{
	for (uint64_t page = 0; page < PAGES; page++)
		set_page(page, true);
	rig_wr(&wave_rig, WAVE_VF, GV_BYTE_N(VM_CONTEXT0_PAGE_TABLE_BASE_ADDR_LO32, VMID),
	       (uint32_t)(TABLE | GV_PTE_VALID));
	rig_wr(&wave_rig, WAVE_VF, GV_BYTE_N(VM_CONTEXT0_PAGE_TABLE_BASE_ADDR_HI32, VMID), 0);
	rig_wr(&wave_rig, WAVE_VF, GV_BYTE_N(VM_CONTEXT0_PAGE_TABLE_START_ADDR_LO32, VMID), 0);
	rig_wr(&wave_rig, WAVE_VF, GV_BYTE_N(VM_CONTEXT0_PAGE_TABLE_START_ADDR_HI32, VMID), 0);
	rig_wr(&wave_rig, WAVE_VF, GV_BYTE_N(VM_CONTEXT0_PAGE_TABLE_END_ADDR_LO32, VMID),
	       PAGES - 1);
	rig_wr(&wave_rig, WAVE_VF, GV_BYTE_N(VM_CONTEXT0_PAGE_TABLE_END_ADDR_HI32, VMID), 0);
	rig_wr(&wave_rig, WAVE_VF, GV_BYTE_N(VM_CONTEXT0_CNTL, VMID),
	       GV_PUT(VM_CONTEXT0_CNTL, ENABLE_CONTEXT, 1) |
	               GV_PUT(VM_CONTEXT0_CNTL, VALID_PROTECTION_FAULT_ENABLE_INTERRUPT, 1) |
	               GV_PUT(VM_CONTEXT0_CNTL, RETRY_PERMISSION_OR_INVALID_PAGE_FAULT, retry));
	select_vmid(VMID);
	rig_wr(&wave_rig, WAVE_VF, SH_MEM_BASES__BYTE,
	       GV_PUT(SH_MEM_BASES, PRIVATE_BASE, 1) | GV_PUT(SH_MEM_BASES, SHARED_BASE, 2));
	select_vmid(0);
	invalidate();
}

static void set_retry_disable(bool disable)
{
	select_vmid(VMID);
	rig_wr(&wave_rig, WAVE_VF, SH_MEM_CONFIG__BYTE,
	       GV_PUT(SH_MEM_CONFIG, RETRY_DISABLE, disable));
	select_vmid(0);
}

/* The dispatch in an IB of VMID 1; the fence behind it on the ring, of VMID 0. */
static uint32_t launch_in_vmid(void)
{
	uint32_t dw[128];
	unsigned n = wave_launch_words(dw);

	rig_put(&wave_rig, WAVE_VF, WAVE_IB, dw, n * 4);
	RIG_EMIT(&wave_rig, WAVE_VF, 1, gv_pm4_header(PM4_INDIRECT_BUFFER, 3), (uint32_t)WAVE_IB, 0,
	         GV_PUT(PM4_INDIRECT_BUFFER, IB_SIZE, n) | GV_PUT(PM4_INDIRECT_BUFFER, VMID, VMID));
	n = rig_emit_fence(&wave_rig, WAVE_VF, 1, 0);
	rig_kick(&wave_rig, WAVE_VF, 1);
	return n;
}

static void up(bool retry)
{
	wave_up(WAVE_AREA, WAVE_AREA_BYTES);
	make_context(retry);
	CU_ASSERT_EQUAL_FATAL(cu_rig_open(&wave_bench, "save.cl", "-O2"), 0);
	wave_load_kernel("divergent", 100);
}

static void down(void)
{
	cu_rig_close(&wave_bench);
	rig_close(&wave_rig);
}

/* A retry fault of @page was raised, and nothing is done. */
static void check_waits(uint64_t page, uint32_t seq)
{
	struct gv_ih_iv iv;

	/* another thread of the model may have raised the one before */
	do {
		CU_ASSERT_TRUE_FATAL(
		        rig_find_iv(&wave_rig, WAVE_VF, GV_IH_SRC_VM_FAULT, &iv, 20000));
	} while (iv.dw[4] != page);
	CU_ASSERT_TRUE(GV_GET(iv.dw[5], IH_IV5_FAULT, RETRY));
	CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, RING_ID), 0);
	CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, VMID), VMID);
	CU_ASSERT_FALSE(wave_fence_is(1, seq));
	CU_ASSERT_EQUAL(wave_queue_error(0), 0);
	CU_ASSERT_TRUE(rig_sync(&wave_rig, WAVE_VF, 2, 20000));
}

/* First the code is not there, then where it stores. */
static void a_kernel_goes_on_when_its_pages_are_mapped(void)
{
	uint64_t code;
	uint32_t seq;

	up(true);
	code = wave_dispatch.pgm_va / GV_GPU_PAGE;
	CU_ASSERT_NOT_EQUAL(code, OUT_PAGE);
	set_page(code, false);
	set_page(OUT_PAGE, false);
	invalidate();
	seq = launch_in_vmid();
	check_waits(code, seq);
	set_page(code, true); /* no invalidation: nothing was mapped there */
	check_waits(OUT_PAGE, seq);
	CU_ASSERT_NOT_EQUAL(wave_wrong(), 0);
	set_page(OUT_PAGE, true);
	CU_ASSERT_TRUE(rig_wait_mem(&wave_rig, WAVE_VF, rig_fence_va(1), seq, 20000));
	CU_ASSERT_EQUAL(wave_wrong(), 0);
	CU_ASSERT_EQUAL(rig_stats(&wave_rig, WAVE_VF).dispatches, 1);
	/* each thread of the model raises it at most once */
	CU_ASSERT_TRUE(rig_stats(&wave_rig, WAVE_VF).vm_faults <= 4);
	down();
}

static void a_write_to_a_page_that_is_read_only_waits_as_well(void)
{
	uint64_t pte;
	uint32_t seq;

	up(true);
	pte = OUT_PAGE << GV_GPU_PAGE_SHIFT | GV_PTE_VALID | GV_PTE_READABLE;
	rig_put(&wave_rig, WAVE_VF, TABLE + OUT_PAGE * 8, &pte, sizeof(pte));
	invalidate();
	seq = launch_in_vmid();
	check_waits(OUT_PAGE, seq);
	set_page(OUT_PAGE, true);
	invalidate();
	CU_ASSERT_TRUE(rig_wait_mem(&wave_rig, WAVE_VF, rig_fence_va(1), seq, 20000));
	CU_ASSERT_EQUAL(wave_wrong(), 0);
	down();
}

static void a_waiting_kernel_is_preempted_and_mapped_again(void)
{
	uint32_t seq;

	up(true);
	set_page(OUT_PAGE, false);
	invalidate();
	seq = launch_in_vmid();
	check_waits(OUT_PAGE, seq);
	for (unsigned n = 0; n < 20; n++) {
		uint64_t start = gv_now_ns();

		CU_ASSERT_TRUE(wave_preempt(1));
		CU_ASSERT_TRUE(gv_now_ns() - start < GV_DRAIN_NS / 2);
		CU_ASSERT_TRUE(wave_is_saved(1));
		CU_ASSERT_TRUE(wave_map_at(1, n % 2 ? 0 : 4));
		(void)usleep(1000);
	}
	set_page(OUT_PAGE, true);
	CU_ASSERT_TRUE(rig_wait_mem(&wave_rig, WAVE_VF, rig_fence_va(1), seq, 20000));
	CU_ASSERT_EQUAL(wave_wrong(), 0);
	CU_ASSERT_EQUAL(rig_stats(&wave_rig, WAVE_VF).dispatches, 1);
	down();
}

static void a_waiting_kernel_is_killed_and_reset(void)
{
	uint64_t start;
	uint32_t seq;

	up(true);
	set_page(OUT_PAGE, false);
	invalidate();
	seq = launch_in_vmid();
	check_waits(OUT_PAGE, seq);
	CU_ASSERT_TRUE(wave_kill_queue(1));
	CU_ASSERT_FALSE(wave_is_saved(1));
	CU_ASSERT_TRUE(rig_map(&wave_rig, WAVE_VF, 1));
	seq = launch_in_vmid();
	(void)usleep(5000);
	CU_ASSERT_FALSE(wave_fence_is(1, seq));
	start = gv_now_ns();
	CU_ASSERT_EQUAL(gv_dev_reset(wave_rig.dev, WAVE_VF), 0);
	CU_ASSERT_TRUE(gv_now_ns() - start < 500 * GV_MS);
	rig_admit_vf(&wave_rig, 0);
	CU_ASSERT_TRUE(rig_start(&wave_rig, WAVE_VF, 2));
	CU_ASSERT_TRUE(rig_sync(&wave_rig, WAVE_VF, 1, 20000));
	down();
}

/* ---- system memory that goes away under a kernel ---- */

#define BUS_PAGE 0xd00u /* where VMID 1 sees it */

static void *_Atomic bus; /* a page of the guest's, or NULL */

static void *bus_ptr(void *arg, unsigned func, uint64_t iova, uint64_t *bytes, bool write)
{
	uint64_t in = iova % GV_GPU_PAGE;
	uint8_t *page = atomic_load(&bus);

	(void)arg, (void)func, (void)write;
	*bytes = GV_MIN(*bytes, GV_GPU_PAGE - in);
	return page && iova / GV_GPU_PAGE == BUS_PAGE ? page + in : NULL;
}

static void give_bus_page(void)
{
	void *p =
	        mmap(NULL, GV_GPU_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CU_ASSERT_NOT_EQUAL_FATAL(p, MAP_FAILED);
	atomic_store(&bus, p);
	gv_dev_dma_changed(wave_rig.dev, WAVE_VF, BUS_PAGE * GV_GPU_PAGE, GV_GPU_PAGE);
}

/* From here on, whoever still knows where it was crashes. */
static void take_bus_page(void)
{
	void *p = atomic_exchange(&bus, NULL);

	gv_dev_dma_changed(wave_rig.dev, WAVE_VF, BUS_PAGE * GV_GPU_PAGE, GV_GPU_PAGE);
	(void)munmap(p, GV_GPU_PAGE);
}

static void map_bus_page(void)
{
	uint64_t pte = (uint64_t)BUS_PAGE << GV_GPU_PAGE_SHIFT | GV_PTE_VALID | GV_PTE_SYSTEM |
	               GV_PTE_READABLE | GV_PTE_WRITEABLE;

	make_context(true);
	rig_put(&wave_rig, WAVE_VF, TABLE + BUS_PAGE * 8, &pte, sizeof(pte));
	invalidate();
}

/* Every thread of the model stores there, on and on, when this returns. */
static void launch_stores(void)
{
	static const uint32_t code[] = {
	        0x24040082,             /* v_lshlrev_b32_e32 v2, 2, v0 */
	        0xdc708000, 0x00000002, /* global_store_dword v2, v0, s[0:1] */
	        0xbf82fffd,             /* s_branch -3 */
	};
	const volatile uint32_t *at = atomic_load(&bus);
	uint64_t end = gv_now_ns() + 2 * GV_S;

	wave_dispatch = (struct gv_cu_dispatch){
	        .pgm_va = WAVE_IMAGE,
	        .rsrc1 = 3,
	        .rsrc2 = 2u << 1,
	        .user_data = {BUS_PAGE << GV_GPU_PAGE_SHIFT},
	        .dim = {8, 1, 1},
	        .num_thread = {128, 1, 1},
	};
	rig_put(&wave_rig, WAVE_VF, WAVE_IMAGE, code, sizeof(code));
	(void)launch_in_vmid();
	while (at[127] != 127 && gv_now_ns() < end)
		(void)usleep(50);
	CU_ASSERT_EQUAL(at[127], 127);
}

static void memory_goes_away_under_a_kernel(void)
{
	wave_up(WAVE_AREA, WAVE_AREA_BYTES);
	wave_rig.dev->host.dma_ptr = bus_ptr;
	map_bus_page();
	for (unsigned n = 0; n < 12; n++) {
		give_bus_page();
		launch_stores();
		switch (n % 3) {
		case 0: /* while it runs */
			take_bus_page();
			CU_ASSERT_TRUE(wave_kill_queue(1));
			CU_ASSERT_TRUE(rig_map(&wave_rig, WAVE_VF, 1));
			break;
		case 1: /* saved; it goes on with another page, and with none */
			CU_ASSERT_TRUE(wave_preempt(1));
			take_bus_page();
			give_bus_page();
			CU_ASSERT_TRUE(wave_map_at(1, 0));
			take_bus_page();
			CU_ASSERT_TRUE(wave_kill_queue(1));
			CU_ASSERT_TRUE(rig_map(&wave_rig, WAVE_VF, 1));
			break;
		default: /* the client is gone, so the VF's own memory is elsewhere, too */
			gv_dev_client_gone(wave_rig.dev, WAVE_VF);
			CU_ASSERT_EQUAL(gv_dev_reset(wave_rig.dev, WAVE_VF), 0);
			take_bus_page();
			rig_admit_vf(&wave_rig, 0);
			CU_ASSERT_TRUE(rig_start(&wave_rig, WAVE_VF, 2));
			wave_give_area(1, WAVE_AREA, WAVE_AREA_BYTES);
			map_bus_page();
		}
		CU_ASSERT_TRUE(rig_sync(&wave_rig, WAVE_VF, 2, 20000));
	}
	rig_close(&wave_rig);
}

/* The context, or the waves' configuration, wants none: the fault is final. */
static void without_retry_a_missing_page_is_a_fault(void)
{
	for (unsigned n = 0; n < 2; n++) {
		struct gv_ih_iv iv;

		up(n);
		set_retry_disable(n);
		set_page(OUT_PAGE, false);
		invalidate();
		(void)launch_in_vmid();
		CU_ASSERT_TRUE(rig_find_iv(&wave_rig, WAVE_VF, GV_IH_SRC_VM_FAULT, &iv, 20000));
		CU_ASSERT_FALSE(GV_GET(iv.dw[5], IH_IV5_FAULT, RETRY));
		/* KFD tells the process by these: not present, written to */
		CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, RING_ID), 0x28);
		CU_ASSERT_TRUE(rig_find_iv(&wave_rig, WAVE_VF, GV_IH_SRC_CP_SQ, &iv, 20000));
		CU_ASSERT_NOT_EQUAL(wave_queue_error(0), 0);
		down();
	}
}

int main(int argc, char **argv)
{
	static const struct ut_case cases[] = {
	        UT(a_kernel_goes_on_when_its_pages_are_mapped),
	        UT(a_write_to_a_page_that_is_read_only_waits_as_well),
	        UT(a_waiting_kernel_is_preempted_and_mapped_again),
	        UT(a_waiting_kernel_is_killed_and_reset),
	        UT(memory_goes_away_under_a_kernel),
	        UT(without_retry_a_missing_page_is_a_fault),
	};

	if (!cu_rig_has("clang-14")) {
		printf("SKIP: clang-14 is not installed\n");
		return 77;
	}
	return ut_main(argc, argv, "retry", cases, (int)GV_ARRAY_LEN(cases));
}
