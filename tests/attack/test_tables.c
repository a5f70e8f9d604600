/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Page tables are the attacker's to write. Whatever is in them, and whenever it changes, what lies
 * behind them stays its own frame buffer and the system memory that was given to it.
 */
#include <string.h>

#include "arena.h"
#include "forge.h"

#define EVIL_VMID 7u

/* Write and read through @va of EVIL_VMID by both hubs' engines. */
static void use(uint64_t va)
{
	(void)FORGE_CP_IB(EVIL_VMID, gv_pm4_header(PM4_WRITE_DATA, 4),
	                  GV_PUT(PM4_WRITE_DATA, DST_SEL, 1), LO(va), HI(va), FORGE_JUNK);
	(void)FORGE_CP_IB(EVIL_VMID, gv_pm4_header(PM4_DMA_DATA, 6), 0, LO(va), HI(va),
	                  LO(FORGE_OWN), 0, 4096);
	(void)FORGE_SDMA_IB(EVIL_VMID, GV_SDMA_HEADER(CONSTANT_FILL), LO(va), HI(va), FORGE_JUNK,
	                    4095);
	(void)FORGE_SDMA_IB(EVIL_VMID, GV_SDMA_HEADER(COPY_LINEAR), 4095, 0, LO(va), HI(va),
	                    LO(FORGE_OWN), 0);
}

/* ---- entries -------------------------------------------------------------------- */

static void what_a_page_leads_to_is_reached_when_it_is_its_own(void)
{
	const uint64_t pte = FORGE_ARGS | FORGE_PTE;

	arena_begin();
	forge_space(EVIL_VMID, &pte, 1);
	use(FORGE_EVIL);
	CU_ASSERT(forge_get32(FORGE_ARGS) == 0x6a6a6a6a); /* the fill is of bytes */
	CU_ASSERT(forge_get32(FORGE_OWN) == 0x6a6a6a6a);
	CU_ASSERT(!forge_fault_reported());
	arena_expect(0);
}

static void pages_lead_to_no_neighbour(void)
{
	arena_begin();
	for (size_t i = 0; i < forge_num_outside; i++) {
		const uint64_t pte = (forge_outside[i] & GV_PTE_ADDR_MASK) | FORGE_PTE;

		forge_space(EVIL_VMID, &pte, 1);
		use(FORGE_EVIL);
	}
	CU_ASSERT(forge_own_is_untouched());
	arena_expect(NAMED_L2 | NAMED_FAULT);
}

/* The frame buffer's last page, and a promise that what follows is contiguous with it. */
static void fragments_do_not_grow_into_a_neighbour(void)
{
	uint64_t pte[32];

	arena_begin();
	for (size_t i = 0; i < GV_ARRAY_LEN(pte); i++)
		pte[i] = (ARENA_FB - 16 * GV_GPU_PAGE + i * GV_GPU_PAGE) | FORGE_PTE |
		         GV_PTE_FRAG(i % 2 ? 31 : 9);
	forge_space(EVIL_VMID, pte, GV_ARRAY_LEN(pte));
	use(FORGE_EVIL);
	(void)FORGE_SDMA_IB(EVIL_VMID, GV_SDMA_HEADER(CONSTANT_FILL), LO(FORGE_EVIL), 0, FORGE_JUNK,
	                    (uint32_t)sizeof(pte) / 8 * GV_GPU_PAGE - 1);
	arena_expect(NAMED_L2 | NAMED_FAULT);
}

/* 2 MiB, 1 GiB and 512 GiB at once. */
static void huge_pages_lead_to_no_neighbour(void)
{
	static const uint64_t to[] = {0, ARENA_FB, ARENA_DEVICE(2), GV_GIB, 1ull << 40};
	const uint64_t root = FORGE_ARGS;

	arena_begin();
	for (unsigned depth = 1; depth <= 3; depth++)
		for (size_t i = 0; i < GV_ARRAY_LEN(to); i++) {
			uint64_t leaf = to[i] | FORGE_PTE | GV_PDE_PTE;

			for (uint64_t k = 0; k < GV_PT_ENTRIES; k++)
				forge_put64(root + k * 8, leaf);
			forge_context(EVIL_VMID, depth, root | GV_PTE_VALID, 1ull << 48);
			forge_invalidate();
			(void)FORGE_SDMA(GV_SDMA_HEADER(INDIRECT) |
			                         GV_PUT(SDMA_INDIRECT, vmid, EVIL_VMID),
			                 LO(ARENA_FB + FORGE_IB), HI(ARENA_FB), 64, 0, 0);
		}
	arena_expect(NAMED_L2 | NAMED_FAULT);
}

/* Tables themselves: the root, and a directory's next level. */
static void tables_are_read_from_no_neighbour(void)
{
	const uint64_t root = FORGE_ARGS;

	arena_begin();
	for (size_t i = 0; i < forge_num_outside; i++) {
		uint64_t at = forge_outside[i] & GV_PDE_ADDR_MASK;

		for (unsigned depth = 0; depth <= 3; depth++) {
			forge_context(EVIL_VMID, depth, at | GV_PTE_VALID, 1ull << 48);
			forge_invalidate();
			use(FORGE_EVIL);
		}
		for (uint64_t k = 0; k < 16; k++)
			forge_put64(root + k * 8, at | GV_PTE_VALID);
		forge_context(EVIL_VMID, 1, root | GV_PTE_VALID, 1ull << 30);
		forge_invalidate();
		use(FORGE_EVIL);
	}
	CU_ASSERT(forge_own_is_untouched());
	arena_expect(NAMED_L2 | NAMED_FAULT);
}

/* A page directory that is its own page table is still only its own memory. */
static void tables_that_lead_to_themselves_lead_nowhere_else(void)
{
	const uint64_t root = FORGE_ARGS;

	arena_begin();
	for (uint64_t k = 0; k < GV_PT_ENTRIES; k++)
		forge_put64(root + k * 8, root | FORGE_PTE);
	for (unsigned depth = 0; depth <= 3; depth++) {
		forge_context(EVIL_VMID, depth, root | GV_PTE_VALID, 1ull << 48);
		forge_invalidate();
		use(FORGE_EVIL);
	}
	arena_expect(0);
}

/* Where the PF keeps the tables that bind the attacker, as an address of the attacker's: that is
 * its own memory, and the tables stay. */
static void the_second_level_table_is_not_at_the_pfs_address(void)
{
	uint64_t was = 0, is = 0;
	uint64_t table;

	arena_begin();
	table = gv_rd32(arena_pf_bus(), GV_BYTE_N(GVX_VF0_L2_BASE_LO, ATTACKER));
	CU_ASSERT_FATAL(!gv_bus_read(arena_pf_bus(), GV_REGION_VRAM, table, &was, 8));
	for (uint64_t vf = 0; vf < ARENA_VFS; vf++) {
		uint64_t at = gv_rd32(arena_pf_bus(), GV_BYTE_N(GVX_VF0_L2_BASE_LO, vf));

		CU_ASSERT(FORGE_SDMA(GV_SDMA_HEADER(CONSTANT_FILL), LO(at), 0, UINT32_MAX, 4095));
		CU_ASSERT(FORGE_CP(gv_pm4_header(PM4_WRITE_DATA, 4),
		                   GV_PUT(PM4_WRITE_DATA, DST_SEL, 1), LO(at), 0, UINT32_MAX));
	}
	CU_ASSERT_FATAL(!gv_bus_read(arena_pf_bus(), GV_REGION_VRAM, table, &is, 8));
	CU_ASSERT((was & ~GV_L2PTE_DIRTY) == (is & ~GV_L2PTE_DIRTY));
	arena_expect(0);
}

/* ---- the CPU's side ------------------------------------------------------------------ */

static void the_aperture_ends_with_the_frame_buffer(void)
{
	uint32_t junk = FORGE_JUNK, now = 0;
	void *p = NULL;

	arena_begin();
	for (uint64_t at = ARENA_FB; at < ARENA_APERTURE; at += GV_MIB) {
		(void)gv_bus_write(arena_bus(), GV_REGION_VRAM, at, &junk, sizeof(junk));
		CU_ASSERT(!gv_bus_read(arena_bus(), GV_REGION_VRAM, at, &now, sizeof(now)));
		CU_ASSERT(now == UINT32_MAX);
	}
	CU_ASSERT(!gv_bus_map(arena_bus(), GV_REGION_VRAM, ARENA_FB - 4096, 4096, &p));
	CU_ASSERT(gv_bus_map(arena_bus(), GV_REGION_VRAM, ARENA_FB, 4096, &p) == -ERANGE);
	CU_ASSERT(gv_bus_map(arena_bus(), GV_REGION_VRAM, 0, ARENA_APERTURE, &p) == -ERANGE);
	arena_expect(NAMED_L2);
}

static void mm_index_ends_with_the_frame_buffer(void)
{
	arena_begin();
	for (size_t i = 0; i < forge_num_outside; i++) {
		uint64_t at = forge_outside[i];

		forge_wr(MM_INDEX_HI__BYTE, (uint32_t)(at >> 31));
		forge_wr(MM_INDEX__BYTE, GV_PUT(MM_INDEX, MM_APER, 1) | (LO(at) & 0x7fffffff));
		forge_wr(MM_DATA__BYTE, FORGE_JUNK);
		CU_ASSERT(forge_rd(MM_DATA__BYTE) == UINT32_MAX);
	}
	arena_expect(NAMED_L2);
}

/* ---- system memory ----------------------------------------------------------------- */

static void system_pages_lead_only_to_memory_given_to_this_vf(void)
{
	static const uint64_t nowhere[] = {0, 4096, 0xfee00000, 1ull << 47};
	struct gv_dma theirs = {0}, pfs = {0};
	uint64_t at[6];

	arena_begin();
	CU_ASSERT_FATAL(!gv_dma_alloc(arena_victim_bus(2), 4096, &theirs));
	CU_ASSERT_FATAL(!gv_dma_alloc(arena_pf_bus(), 4096, &pfs));
	memset(theirs.cpu, 0xa7, 4096);
	memset(pfs.cpu, 0xa7, 4096);
	memcpy(at, nowhere, sizeof(nowhere));
	at[4] = theirs.iova;
	at[5] = pfs.iova;
	for (size_t i = 0; i < GV_ARRAY_LEN(at); i++) {
		const uint64_t pte = at[i] | FORGE_PTE | GV_PTE_SYSTEM;

		forge_space(EVIL_VMID, &pte, 1);
		use(FORGE_EVIL);
	}
	for (size_t i = 0; i < 4096; i++) {
		CU_ASSERT(((uint8_t *)theirs.cpu)[i] == 0xa7);
		CU_ASSERT(((uint8_t *)pfs.cpu)[i] == 0xa7);
	}
	CU_ASSERT(forge_own_is_untouched());
	arena_expect(NAMED_FAULT);
	gv_dma_free(arena_victim_bus(2), &theirs);
	gv_dma_free(arena_pf_bus(), &pfs);
}

/* An address that was good, and whose memory was taken away. */
static void system_memory_that_was_taken_back_is_out_of_reach(void)
{
	struct gv_dma mine = {0};
	uint64_t pte;

	arena_begin();
	CU_ASSERT_FATAL(!gv_dma_alloc(arena_bus(), 4096, &mine));
	pte = mine.iova | FORGE_PTE | GV_PTE_SYSTEM;
	forge_space(EVIL_VMID, &pte, 1);
	use(FORGE_EVIL);
	CU_ASSERT(*(uint32_t *)mine.cpu == 0x6a6a6a6a);
	CU_ASSERT(!forge_fault_reported());
	gv_dma_free(arena_bus(), &mine);
	forge_put32(FORGE_OWN, FORGE_UNTOUCHED);
	use(FORGE_EVIL);
	CU_ASSERT(forge_get32(FORGE_OWN) == FORGE_UNTOUCHED);
	arena_expect(NAMED_FAULT);
}

/* The AGP aperture of VMID 0 is a way to system memory without any table. */
static void the_agp_aperture_leads_only_to_memory_given_to_this_vf(void)
{
	struct gv_dma theirs = {0};
	const uint64_t bottom = 1ull << 40;

	arena_begin();
	CU_ASSERT_FATAL(!gv_dma_alloc(arena_victim_bus(0), 4096, &theirs));
	memset(theirs.cpu, 0xa7, 4096);
	forge_wr(MMHUB_MC_VM_AGP_BASE__BYTE, LO(theirs.iova >> 24));
	forge_wr(MMHUB_MC_VM_AGP_BOT__BYTE, LO(bottom >> 24));
	forge_wr(MMHUB_MC_VM_AGP_TOP__BYTE, LO((bottom >> 24) + 255));
	for (uint64_t off = 0; off < 64 * GV_MIB; off += GV_MIB / 4) {
		uint64_t at = bottom + off;

		(void)FORGE_SDMA(GV_SDMA_HEADER(CONSTANT_FILL), LO(at), HI(at), FORGE_JUNK, 4095);
		(void)FORGE_SDMA(GV_SDMA_HEADER(COPY_LINEAR), 4095, 0, LO(at), HI(at),
		                 LO(FORGE_OWN), 0);
	}
	for (size_t i = 0; i < 4096; i++)
		CU_ASSERT(((uint8_t *)theirs.cpu)[i] == 0xa7);
	CU_ASSERT(forge_own_is_untouched());
	arena_expect(NAMED_FAULT);
	gv_dma_free(arena_victim_bus(0), &theirs);
}

/* ---- VMIDs ------------------------------------------------------------------------ */

/* A victim's VMID 1 has page tables; the attacker's VMID 1 has none. */
static void a_vmid_is_the_attackers_own_not_a_neighbours(void)
{
	uint64_t root = gv_pt_root(gv_guest_vm_table(gv_guest_default_vm(arena_victim(0))));

	arena_begin();
	for (unsigned vmid = 1; vmid < GV_NUM_VMID; vmid++) {
		CU_ASSERT(!FORGE_CP_IB(vmid, GV_PM4_NOP1));
		(void)FORGE_SDMA_IB(vmid, GV_SDMA_HEADER(FENCE), LO(FORGE_OWN), 0, FORGE_JUNK);
	}
	arena_expect(NAMED_FAULT);
	/* and with the neighbour's root, the table is looked for in the attacker's memory */
	forge_context(1, 2, root, 1ull << 39);
	forge_invalidate();
	CU_ASSERT(!FORGE_CP_IB(1, GV_PM4_NOP1));
	CU_ASSERT(forge_own_is_untouched());
	arena_expect(NAMED_FAULT);
}

static void faults_name_the_vmid_that_faulted(void)
{
	for (unsigned vmid = 1; vmid < GV_NUM_VMID; vmid += 7) {
		struct gv_ih_iv iv = {{0}};
		uint32_t status;

		arena_begin();
		CU_ASSERT(!FORGE_CP_IB(vmid, GV_PM4_NOP1));
		CU_ASSERT(
		        ARENA_UNTIL(forge_interrupt(GV_IH_CLIENT_UTCL2, GV_IH_SRC_VM_FAULT, &iv)));
		CU_ASSERT(GV_GET(iv.dw[0], IH_IV0, VMID) == vmid);
		status = forge_rd(VM_L2_PROTECTION_FAULT_STATUS__BYTE);
		CU_ASSERT(GV_GET(status, VM_L2_PROTECTION_FAULT_STATUS, VMID) == vmid);
		CU_ASSERT(GV_GET(status, VM_L2_PROTECTION_FAULT_STATUS, VF) == 1);
		CU_ASSERT(GV_GET(status, VM_L2_PROTECTION_FAULT_STATUS, VFID) == ATTACKER);
	}
}

/* ---- time ---------------------------------------------------------------------------- */

/* The root changes, and changes, and changes, while a copy runs through it. */
static void a_root_that_is_swapped_while_a_copy_runs_leads_to_no_neighbour(void)
{
	const uint64_t good = FORGE_ARGS, evil = FORGE_ARGS + 0x10000;
	uint32_t ib[64 * 7];

	arena_begin();
	for (uint64_t k = 0; k < GV_PT_ENTRIES; k++) {
		forge_put64(good + k * 8, (k % 16 * GV_L2_PAGE) | FORGE_PTE | GV_PDE_PTE);
		forge_put64(evil + k * 8,
		            (ARENA_FB + k % 96 * GV_L2_PAGE) | FORGE_PTE | GV_PDE_PTE);
	}
	for (size_t i = 0; i < GV_ARRAY_LEN(ib); i += 7) {
		const uint32_t copy[7] = {
		        GV_SDMA_HEADER(COPY_LINEAR), 0x3fffff, 0, 0x1000000, 0, 0x1800000, 0};

		memcpy(ib + i, copy, sizeof(copy));
	}
	for (unsigned round = 0; round < 20; round++) {
		forge_context(EVIL_VMID, 1, good | GV_PTE_VALID, 1ull << 30);
		forge_invalidate();
		forge_put(FORGE_IB, ib, sizeof(ib));
		forge_sdma_start_ib(EVIL_VMID, GV_ARRAY_LEN(ib));
		for (unsigned swap = 0; swap < 50; swap++) {
			forge_context(EVIL_VMID, 1, (swap % 2 ? good : evil) | GV_PTE_VALID,
			              1ull << 30);
			if (swap % 3)
				forge_invalidate();
		}
		forge_sdma_wait();
	}
	arena_expect(0);
}

/* Memory that the PF takes from the VF is gone for engines that had it in their TLBs. */
static void memory_taken_away_by_the_pf_is_gone_from_every_tlb(void)
{
	const uint32_t entries = GV_BYTE_N(GVX_VF0_L2_ENTRIES, ATTACKER);
	const uint32_t invalidate = GV_BYTE_N(GVX_VF0_L2_INVALIDATE, ATTACKER);
	const uint64_t last = ARENA_FB - GV_L2_PAGE, device = ARENA_DEVICE(ATTACKER) + last;
	uint32_t was, mark = 0x11223344, now = 0;

	arena_begin();
	was = gv_rd32(arena_pf_bus(), entries);
	CU_ASSERT(FORGE_SDMA(GV_SDMA_HEADER(FENCE), LO(last), 0, FORGE_JUNK));
	CU_ASSERT(FORGE_CP(gv_pm4_header(PM4_WRITE_DATA, 4), GV_PUT(PM4_WRITE_DATA, DST_SEL, 1),
	                   LO(last), 0, FORGE_JUNK));
	gv_wr32(arena_pf_bus(), entries, was - 1);
	gv_wr32(arena_pf_bus(), invalidate, 1);
	CU_ASSERT(ARENA_UNTIL(gv_rd32(arena_pf_bus(), invalidate) == 0));
	CU_ASSERT(!gv_bus_write(arena_pf_bus(), GV_REGION_VRAM, device, &mark, 4));
	(void)FORGE_SDMA(GV_SDMA_HEADER(FENCE), LO(last), 0, FORGE_JUNK);
	CU_ASSERT(!FORGE_CP(gv_pm4_header(PM4_WRITE_DATA, 4), GV_PUT(PM4_WRITE_DATA, DST_SEL, 1),
	                    LO(last), 0, FORGE_JUNK));
	CU_ASSERT(!FORGE_CP(gv_pm4_header(PM4_COPY_DATA, 5),
	                    GV_PUT(PM4_COPY_DATA, SRC_SEL, 1) | GV_PUT(PM4_COPY_DATA, DST_SEL, 1),
	                    LO(last), 0, LO(FORGE_OWN), 0));
	CU_ASSERT(!gv_bus_read(arena_pf_bus(), GV_REGION_VRAM, device, &now, 4));
	CU_ASSERT(now == mark);
	CU_ASSERT(forge_own_is_untouched());
	gv_wr32(arena_pf_bus(), entries, was);
	gv_wr32(arena_pf_bus(), invalidate, 1);
	CU_ASSERT(ARENA_UNTIL(gv_rd32(arena_pf_bus(), invalidate) == 0));
	arena_expect(NAMED_FAULT);
}

/* Likewise a page that the attacker itself unmaps: after the invalidation it is gone. */
static void an_unmapped_page_is_gone_after_the_invalidation(void)
{
	const uint64_t good = FORGE_ARGS | FORGE_PTE, none = 0;

	arena_begin();
	forge_space(EVIL_VMID, &good, 1);
	use(FORGE_EVIL);
	forge_put32(FORGE_ARGS, 1);
	forge_space(EVIL_VMID, &none, 1);
	use(FORGE_EVIL);
	CU_ASSERT(forge_get32(FORGE_ARGS) == 1);
	arena_expect(NAMED_FAULT);
}

/* ---- permissions of the second level ------------------------------------------------------ */

static void set_entry(unsigned i, uint64_t entry)
{
	const uint32_t invalidate = GV_BYTE_N(GVX_VF0_L2_INVALIDATE, ATTACKER);
	uint64_t table = gv_rd32(arena_pf_bus(), GV_BYTE_N(GVX_VF0_L2_BASE_LO, ATTACKER));

	CU_ASSERT(!gv_bus_write(arena_pf_bus(), GV_REGION_VRAM, table + 8ull * i, &entry, 8));
	gv_wr32(arena_pf_bus(), invalidate, 1);
	CU_ASSERT(ARENA_UNTIL(gv_rd32(arena_pf_bus(), invalidate) == 0));
}

#define PIECE    24u
#define PIECE_FB (PIECE * GV_L2_PAGE)
#define PIECE_AT (ARENA_DEVICE(ATTACKER) + PIECE_FB)

static void write_piece_in_every_way(void)
{
	const uint64_t pte = PIECE_FB | FORGE_PTE;
	uint32_t junk = FORGE_JUNK;

	(void)FORGE_SDMA(GV_SDMA_HEADER(FENCE), LO(PIECE_FB), 0, junk);
	(void)FORGE_CP(gv_pm4_header(PM4_WRITE_DATA, 4), GV_PUT(PM4_WRITE_DATA, DST_SEL, 1),
	               LO(PIECE_FB), 0, junk);
	(void)gv_bus_write(arena_bus(), GV_REGION_VRAM, PIECE_FB, &junk, 4);
	forge_wr(MM_INDEX_HI__BYTE, 0);
	forge_wr(MM_INDEX__BYTE, GV_PUT(MM_INDEX, MM_APER, 1) | LO(PIECE_FB));
	forge_wr(MM_DATA__BYTE, junk);
	forge_space(EVIL_VMID, &pte, 1);
	(void)FORGE_SDMA_IB(EVIL_VMID, GV_SDMA_HEADER(FENCE), LO(FORGE_EVIL), 0, junk);
}

static void memory_that_is_read_only_for_the_vf_is_not_written(void)
{
	uint32_t mark = 0x11223344, now = 0;

	arena_begin();
	CU_ASSERT(!gv_bus_write(arena_pf_bus(), GV_REGION_VRAM, PIECE_AT, &mark, 4));
	set_entry(PIECE, PIECE_AT | GV_L2PTE_VALID | GV_L2PTE_READABLE);
	CU_ASSERT(forge_get32(PIECE_FB) == mark);
	write_piece_in_every_way();
	CU_ASSERT(!gv_bus_read(arena_pf_bus(), GV_REGION_VRAM, PIECE_AT, &now, 4));
	CU_ASSERT(now == mark);
	set_entry(PIECE, PIECE_AT | GV_L2PTE_VALID | GV_L2PTE_READABLE | GV_L2PTE_WRITEABLE);
	arena_expect(NAMED_L2);
}

/* Nor by a copy that begins in memory that it may read. */
static void memory_that_is_write_only_for_the_vf_is_not_read(void)
{
	const uint64_t rw = GV_L2PTE_VALID | GV_L2PTE_READABLE | GV_L2PTE_WRITEABLE;
	const uint64_t from = PIECE_FB - 4096;
	uint32_t mark = 0x11223344;

	arena_begin();
	CU_ASSERT(!gv_bus_write(arena_pf_bus(), GV_REGION_VRAM, PIECE_AT, &mark, 4));
	set_entry(PIECE, PIECE_AT | GV_L2PTE_VALID | GV_L2PTE_WRITEABLE);
	CU_ASSERT(forge_get32(PIECE_FB) == UINT32_MAX);
	(void)FORGE_SDMA(GV_SDMA_HEADER(COPY_LINEAR), 8191, 0, LO(from), 0, LO(FORGE_OWN), 0);
	CU_ASSERT(forge_get32(FORGE_OWN + 4096) == FORGE_UNTOUCHED);
	set_entry(PIECE, PIECE_AT | rw);
	arena_expect(NAMED_L2);
}

/* Even if the PF manager were wrong, or its memory corrupted: no entry makes two VFs share. */
static void entries_that_name_foreign_memory_are_not_taken(void)
{
	static const uint64_t foreign[] = {0,
	                                   2 * GV_MIB, /* the PF's tables */
	                                   ARENA_DEVICE(0),
	                                   ARENA_DEVICE(2) + 4 * GV_MIB,
	                                   256 * GV_MIB,
	                                   1ull << 40,
	                                   PIECE_AT + GV_L2_PAGE, /* entered twice */
	                                   PIECE_AT + 4096};
	const uint64_t rw = GV_L2PTE_VALID | GV_L2PTE_READABLE | GV_L2PTE_WRITEABLE;

	arena_begin();
	for (size_t i = 0; i < GV_ARRAY_LEN(foreign); i++) {
		set_entry(PIECE, foreign[i] | rw);
		/* of two entries for one piece, the second is the one that is not taken */
		CU_ASSERT(forge_get32(foreign[i] == PIECE_AT + GV_L2_PAGE
		                              ? PIECE_FB + GV_L2_PAGE
		                              : PIECE_FB) == UINT32_MAX);
		write_piece_in_every_way();
	}
	set_entry(PIECE, PIECE_AT | rw);
	arena_expect(NAMED_L2);
}

ARENA_MAIN("attack/tables", UT(what_a_page_leads_to_is_reached_when_it_is_its_own),
           UT(pages_lead_to_no_neighbour), UT(fragments_do_not_grow_into_a_neighbour),
           UT(huge_pages_lead_to_no_neighbour), UT(tables_are_read_from_no_neighbour),
           UT(tables_that_lead_to_themselves_lead_nowhere_else),
           UT(the_second_level_table_is_not_at_the_pfs_address),
           UT(the_aperture_ends_with_the_frame_buffer), UT(mm_index_ends_with_the_frame_buffer),
           UT(system_pages_lead_only_to_memory_given_to_this_vf),
           UT(system_memory_that_was_taken_back_is_out_of_reach),
           UT(the_agp_aperture_leads_only_to_memory_given_to_this_vf),
           UT(a_vmid_is_the_attackers_own_not_a_neighbours), UT(faults_name_the_vmid_that_faulted),
           UT(a_root_that_is_swapped_while_a_copy_runs_leads_to_no_neighbour),
           UT(memory_taken_away_by_the_pf_is_gone_from_every_tlb),
           UT(an_unmapped_page_is_gone_after_the_invalidation),
           UT(memory_that_is_read_only_for_the_vf_is_not_written),
           UT(memory_that_is_write_only_for_the_vf_is_not_read),
           UT(entries_that_name_foreign_memory_are_not_taken))
