/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Doorbells and interrupts: an attacker rings only at home, and only its own door is rung. */
#include <string.h>

#include "arena.h"
#include "forge.h"

/* ---- doorbells --------------------------------------------------------------------- */

/* Victims' queues have the same doorbell offsets in pages of their own. */
static void every_doorbell_rings_only_the_attackers_own(void)
{
	arena_begin();
	for (uint64_t at = 0; at < GV_BAR2_BYTES; at += at < 8192 ? 8 : 4096) {
		uint64_t junk = 0x7fffffff;

		(void)gv_bus_write(arena_bus(), GV_REGION_DOORBELL, at, &junk, 8);
		(void)gv_bus_write(arena_bus(), GV_REGION_DOORBELL, at + 4, &junk, 4);
	}
	arena_expect(NAMED_ERROR);
}

static void doorbells_of_odd_sizes_and_places_ring_nothing(void)
{
	static const size_t size[] = {1, 2, 3, 5, 6, 7};
	uint64_t junk = UINT64_MAX, rung;

	arena_begin();
	forge_cp_start(NULL, 0);
	rung = arena_stats(ATTACKER).doorbells;
	for (uint64_t at = 0; at < 4096; at += 4) {
		for (size_t i = 0; i < GV_ARRAY_LEN(size); i++)
			(void)gv_bus_write(arena_bus(), GV_REGION_DOORBELL, at, &junk, size[i]);
		(void)gv_bus_write(arena_bus(), GV_REGION_DOORBELL, at + 1, &junk, 4);
		(void)gv_bus_write(arena_bus(), GV_REGION_DOORBELL, at + 2, &junk, 8);
		if (at % 8)
			(void)gv_bus_write(arena_bus(), GV_REGION_DOORBELL, at, &junk, 8);
	}
	CU_ASSERT(arena_stats(ATTACKER).doorbells == rung);
	arena_expect(NAMED_ERROR);
}

static void doorbells_behind_the_aperture_are_no_doorbells(void)
{
	uint64_t junk = 1;

	arena_begin();
	CU_ASSERT(gv_bus_write(arena_bus(), GV_REGION_DOORBELL, GV_BAR2_BYTES, &junk, 8) ==
	          -ERANGE);
	CU_ASSERT(gv_bus_write(arena_bus(), GV_REGION_DOORBELL, GV_BAR2_BYTES - 4, &junk, 8) ==
	          -ERANGE);
	CU_ASSERT(gv_bus_write(arena_bus(), GV_REGION_DOORBELL, UINT64_MAX - 7, &junk, 8) ==
	          -ERANGE);
	arena_expect(0);
}

static void listen_at(uint32_t index)
{
	forge_cp_start(NULL, 0);
	forge_put32(FORGE_RING, GV_PM4_NOP1);
	forge_wr(CP_MEC_DOORBELL_RANGE_UPPER__BYTE, 0xfffffff);
	forge_wr(GRBM_GFX_CNTL__BYTE, GV_PUT(GRBM_GFX_CNTL, MEID, 1));
	forge_wr(CP_HQD_PQ_DOORBELL_CONTROL__BYTE,
	         GV_PUT(CP_HQD_PQ_DOORBELL_CONTROL, DOORBELL_OFFSET, index) |
	                 GV_PUT(CP_HQD_PQ_DOORBELL_CONTROL, DOORBELL_EN, 1));
}

/* The plan gives it some pages: a queue hears the last doorbell of them, and none behind. */
static void doorbells_behind_the_pages_of_the_plan_are_deaf(void)
{
	uint32_t pages = gv_rd32(arena_pf_bus(), GV_BYTE_N(GVX_VF0_DOORBELL_PAGES, ATTACKER));
	uint32_t end = pages * GV_GPU_PAGE / 4;
	uint64_t wptr = 1;

	arena_begin();
	listen_at(end - 2);
	CU_ASSERT(!gv_bus_write(arena_bus(), GV_REGION_DOORBELL, (end - 2) * 4, &wptr, 8));
	CU_ASSERT(ARENA_UNTIL(forge_rd(CP_HQD_PQ_WPTR_LO__BYTE) == 1));
	arena_expect(0);
	listen_at(end);
	CU_ASSERT(!gv_bus_write(arena_bus(), GV_REGION_DOORBELL, end * 4, &wptr, 8));
	arena_expect(NAMED_ERROR);
	CU_ASSERT(forge_rd(CP_HQD_PQ_WPTR_LO__BYTE) == 0);
	forge_wr(GRBM_GFX_CNTL__BYTE, 0);
}

/* Doorbell offsets far outside of anything, in every register that takes one. */
static void queues_that_name_impossible_doorbells_hear_nothing(void)
{
	static const uint32_t index[] = {GV_BAR2_BYTES / 4, GV_BAR2_BYTES / 4 - 1, 0x3ffffff};

	arena_begin();
	for (size_t i = 0; i < GV_ARRAY_LEN(index); i++) {
		for (uint32_t slot = 0; slot < 8; slot++) {
			forge_wr(GRBM_GFX_CNTL__BYTE, GV_PUT(GRBM_GFX_CNTL, MEID, 1) |
			                                      GV_PUT(GRBM_GFX_CNTL, QUEUEID, slot));
			forge_wr(CP_HQD_PQ_DOORBELL_CONTROL__BYTE,
			         GV_PUT(CP_HQD_PQ_DOORBELL_CONTROL, DOORBELL_OFFSET, index[i]) |
			                 GV_PUT(CP_HQD_PQ_DOORBELL_CONTROL, DOORBELL_EN, 1));
			forge_wr(CP_HQD_ACTIVE__BYTE, 1);
		}
		forge_wr(GRBM_GFX_CNTL__BYTE, 0);
		forge_wr(SDMA0_GFX_DOORBELL__BYTE, GV_PUT(SDMA0_GFX_DOORBELL, ENABLE, 1));
		forge_wr(SDMA0_GFX_DOORBELL_OFFSET__BYTE,
		         GV_PUT(SDMA0_GFX_DOORBELL_OFFSET, OFFSET, index[i]));
		forge_wr(IH_DOORBELL_RPTR__BYTE, GV_PUT(IH_DOORBELL_RPTR, OFFSET, index[i]) |
		                                         GV_PUT(IH_DOORBELL_RPTR, ENABLE, 1));
	}
	arena_expect(0);
}

static void a_mapped_doorbell_page_is_the_attackers_own(void)
{
	gv_auto_fd int mine = -1, theirs = -1;
	uint64_t bytes = 0, junk = 0xdeadbeef, now = 0;

	arena_begin();
	CU_ASSERT_FATAL(!gv_dev_region_fd(arena_dev(), GV_DEV_VF(ATTACKER), GV_REGION_DOORBELL,
	                                  &mine, &bytes));
	CU_ASSERT_FATAL(
	        !gv_dev_region_fd(arena_dev(), GV_DEV_VF(0), GV_REGION_DOORBELL, &theirs, &bytes));
	for (off_t at = 0; at < 4096; at += 8)
		CU_ASSERT(pwrite(mine, &junk, sizeof(junk), at) == sizeof(junk));
	for (off_t at = 0; at < 4096; at += 8) {
		CU_ASSERT(pread(theirs, &now, sizeof(now), at) == sizeof(now));
		CU_ASSERT(now != junk);
	}
	/* nor can it be made to grow or shrink under the device's feet */
	CU_ASSERT(ftruncate(mine, 0) != 0);
	CU_ASSERT(ftruncate(mine, (off_t)bytes * 2) != 0);
	arena_expect(0);
}

/* ---- interrupt rings ------------------------------------------------------------------- */

static void raise_an_interrupt(void)
{
	(void)FORGE_SDMA(GV_SDMA_HEADER(TRAP), 0x123);
	(void)FORGE_CP(gv_pm4_header(PM4_RELEASE_MEM, 7), GV_PUT(PM4_RELEASE_MEM, EVENT_INDEX, 5),
	               GV_PUT(PM4_RELEASE_MEM, INT_SEL, 1), 0, 0, 0, 0, 0x55);
}

static void point_ih(unsigned space, uint64_t ring, uint64_t wptr, unsigned vmid)
{
	forge_wr(SDMA0_CNTL__BYTE, GV_PUT(SDMA0_CNTL, TRAP_ENABLE, 1));
	forge_wr(IH_RB_CNTL__BYTE, 0);
	forge_wr(IH_RB_BASE__BYTE, LO(ring >> 8));
	forge_wr(IH_RB_BASE_HI__BYTE, HI(ring >> 8));
	forge_wr(IH_RB_WPTR_ADDR_LO__BYTE, LO(wptr));
	forge_wr(IH_RB_WPTR_ADDR_HI__BYTE, HI(wptr));
	forge_wr(IH_RB_WPTR__BYTE, 0);
	forge_wr(IH_RB_RPTR__BYTE, 0);
	forge_wr(IH_RB_CNTL__BYTE,
	         GV_PUT(IH_RB_CNTL, RB_ENABLE, 1) | GV_PUT(IH_RB_CNTL, RB_SIZE, 12) |
	                 GV_PUT(IH_RB_CNTL, MC_SPACE, space) | GV_PUT(IH_RB_CNTL, MC_VMID, vmid) |
	                 GV_PUT(IH_RB_CNTL, WPTR_WRITEBACK_ENABLE, 1) |
	                 GV_PUT(IH_RB_CNTL, ENABLE_INTR, 1));
}

static void an_interrupt_ring_in_its_own_memory_works(void)
{
	arena_begin();
	point_ih(GV_IH_MC_SPACE_GPU_VA, FORGE_IH, FORGE_ARGS, 0);
	forge_put32(FORGE_ARGS, 0);
	raise_an_interrupt();
	CU_ASSERT(ARENA_UNTIL(forge_get32(FORGE_ARGS) != 0));
	CU_ASSERT(ARENA_UNTIL(forge_interrupt(GV_IH_CLIENT_GRBM_CP, GV_IH_SRC_CP_EOP, NULL)));
	CU_ASSERT(ARENA_UNTIL(forge_interrupt(GV_IH_CLIENT_SDMA0, GV_IH_SRC_SDMA_TRAP, NULL)));
	arena_expect(0);
}

static void an_interrupt_ring_in_a_neighbours_memory_gets_no_entry(void)
{
	arena_begin();
	for (size_t i = 0; i < forge_num_outside; i++) {
		point_ih(GV_IH_MC_SPACE_GPU_VA, forge_outside[i] & ~0xffull, FORGE_ARGS, 0);
		raise_an_interrupt();
	}
	CU_ASSERT(ARENA_UNTIL(arena_stats(ATTACKER).guest_errors > 0));
	arena_expect(NAMED_ERROR);
}

static void interrupt_pointers_are_written_to_no_neighbour(void)
{
	arena_begin();
	for (size_t i = 0; i < forge_num_outside; i++) {
		point_ih(GV_IH_MC_SPACE_GPU_VA, FORGE_IH, forge_outside[i], 0);
		raise_an_interrupt();
	}
	arena_expect(NAMED_ERROR);
}

static void an_interrupt_ring_on_the_bus_reaches_only_memory_given_to_this_vf(void)
{
	struct gv_dma theirs = {0};

	arena_begin();
	CU_ASSERT_FATAL(!gv_dma_alloc(arena_victim_bus(0), 16 * 4096, &theirs));
	memset(theirs.cpu, 0xa7, theirs.bytes);
	point_ih(GV_IH_MC_SPACE_BUS, theirs.iova, theirs.iova + 4096, 0);
	raise_an_interrupt();
	point_ih(GV_IH_MC_SPACE_BUS, 0, 0xfee00000, 0);
	raise_an_interrupt();
	for (size_t i = 0; i < theirs.bytes; i++)
		CU_ASSERT(((uint8_t *)theirs.cpu)[i] == 0xa7);
	arena_expect(NAMED_ERROR);
	gv_dma_free(arena_victim_bus(0), &theirs);
}

static void interrupt_rings_of_other_spaces_sizes_and_vmids_reach_nothing(void)
{
	arena_begin();
	for (unsigned space = 0; space < 8; space++)
		for (unsigned vmid = 0; vmid < 16; vmid += 5) {
			point_ih(space, ARENA_FB, ARENA_FB + 4096, vmid);
			raise_an_interrupt();
		}
	for (unsigned size = 0; size < 32; size++) {
		point_ih(GV_IH_MC_SPACE_GPU_VA, ARENA_FB - 4096, FORGE_ARGS, 0);
		forge_wr(IH_RB_CNTL__BYTE,
		         GV_SET(forge_rd(IH_RB_CNTL__BYTE), IH_RB_CNTL, RB_SIZE, size));
		forge_wr(IH_RB_WPTR__BYTE, 0x3fffc);
		raise_an_interrupt();
	}
	arena_expect(NAMED_ERROR);
}

/* Thousands of faults: the PF and the neighbours get no interrupt of them. */
static void a_storm_of_faults_interrupts_nobody_else(void)
{
	uint32_t dw[4 * 512];
	uint64_t pf;

	arena_begin();
	pf = gv_rd32(arena_pf_bus(), IH_RB_WPTR__BYTE);
	for (size_t i = 0; i < GV_ARRAY_LEN(dw); i += 4) {
		const uint32_t fence[4] = {GV_SDMA_HEADER(FENCE), LO(ARENA_FB + i * 4096), 0, 1};

		memcpy(dw + i, fence, sizeof(fence));
	}
	for (unsigned round = 0; round < 4; round++)
		CU_ASSERT(forge_sdma_on(NULL, dw, GV_ARRAY_LEN(dw)));
	CU_ASSERT(gv_rd32(arena_pf_bus(), IH_RB_WPTR__BYTE) == pf);
	arena_expect(NAMED_FAULT);
}

/* Its MSI-X table says where its vectors go; a neighbour's says where the neighbour's go. */
static void msix_tables_are_its_own(void)
{
	uint32_t was[12], is[12];

	arena_begin();
	for (uint32_t i = 0; i < 12; i++)
		was[i] = gv_rd32(arena_victim_bus(0), GV_MSIX_TABLE + i * 4);
	for (uint32_t i = 0; i < 64; i++) {
		forge_wr(GV_MSIX_TABLE + i * 4, 0xfee00000 + i);
		forge_wr(GV_MSIX_PBA + i * 4, UINT32_MAX);
	}
	for (uint32_t i = 0; i < 12; i++)
		is[i] = gv_rd32(arena_victim_bus(0), GV_MSIX_TABLE + i * 4);
	CU_ASSERT(memcmp(was, is, sizeof(was)) == 0);
	arena_expect(NAMED_UNKNOWN);
}

ARENA_MAIN("attack/doorbells", UT(every_doorbell_rings_only_the_attackers_own),
           UT(doorbells_of_odd_sizes_and_places_ring_nothing),
           UT(doorbells_behind_the_aperture_are_no_doorbells),
           UT(doorbells_behind_the_pages_of_the_plan_are_deaf),
           UT(queues_that_name_impossible_doorbells_hear_nothing),
           UT(a_mapped_doorbell_page_is_the_attackers_own),
           UT(an_interrupt_ring_in_its_own_memory_works),
           UT(an_interrupt_ring_in_a_neighbours_memory_gets_no_entry),
           UT(interrupt_pointers_are_written_to_no_neighbour),
           UT(an_interrupt_ring_on_the_bus_reaches_only_memory_given_to_this_vf),
           UT(interrupt_rings_of_other_spaces_sizes_and_vmids_reach_nothing),
           UT(a_storm_of_faults_interrupts_nobody_else), UT(msix_tables_are_its_own))
