/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that is not the attacker's, by packets of the command processor and by what its queues
 * are made of. Addresses of VMID 0, where frame-buffer addresses are direct. */
#include <string.h>

#include "arena.h"
#include "forge.h"

/* The same packets are good for what is its own: they do not fail for another reason. */
static void what_packets_do_to_no_neighbour_they_do_to_their_own(void)
{
	const uint32_t to = LO(FORGE_ARGS);
	const struct {
		uint32_t dw[10];
		size_t n;
		uint32_t want;
	} all[] = {
	        {{gv_pm4_header(PM4_WRITE_DATA, 4), GV_PUT(PM4_WRITE_DATA, DST_SEL, 5), to, 0,
	          FORGE_JUNK},
	         5,
	         FORGE_JUNK},
	        {{gv_pm4_header(PM4_RELEASE_MEM, 7), GV_PUT(PM4_RELEASE_MEM, EVENT_INDEX, 5),
	          GV_PUT(PM4_RELEASE_MEM, DATA_SEL, 1), to, 0, FORGE_JUNK},
	         8,
	         FORGE_JUNK},
	        {{gv_pm4_header(PM4_ATOMIC_MEM, 8), GV_TC_ADD_RTN_32, to, 0, FORGE_JUNK},
	         9,
	         FORGE_JUNK},
	        {{gv_pm4_header(PM4_DMA_DATA, 6), GV_PUT(PM4_DMA_DATA, SRC_SEL, 2), FORGE_JUNK, 0,
	          to, 0, 4096},
	         7,
	         FORGE_JUNK},
	        {{gv_pm4_header(PM4_DMA_DATA, 6), 0, LO(FORGE_OWN), 0, to, 0, 4096},
	         7,
	         FORGE_UNTOUCHED},
	        {{gv_pm4_header(PM4_COPY_DATA, 5),
	          GV_PUT(PM4_COPY_DATA, SRC_SEL, 1) | GV_PUT(PM4_COPY_DATA, DST_SEL, 1),
	          LO(FORGE_OWN), 0, to, 0},
	         6,
	         FORGE_UNTOUCHED},
	        {{gv_pm4_header(PM4_QUERY_STATUS, 6), GV_PUT(PM4_QUERY_STATUS, COMMAND, 2), 0, to,
	          0, FORGE_JUNK},
	         7,
	         FORGE_JUNK},
	        {{gv_pm4_header(PM4_WAIT_REG_MEM, 6), GV_PUT(PM4_WAIT_REG_MEM, MEM_SPACE, 1), to, 0,
	          0, 0, 4},
	         7,
	         0},
	};

	arena_begin();
	for (size_t i = 0; i < GV_ARRAY_LEN(all); i++) {
		forge_put64(FORGE_ARGS, 0);
		CU_ASSERT(forge_cp_on(NULL, all[i].dw, all[i].n));
		CU_ASSERT(forge_get32(FORGE_ARGS) == all[i].want);
	}
	CU_ASSERT(!forge_fault_reported());
	arena_expect(0);
}

/* ---- packets that write ------------------------------------------------------- */

static void write_data_reaches_no_neighbour(void)
{
	static const unsigned sel[] = {1, 2, 5, 8};

	arena_begin();
	FOR_EACH_OUTSIDE(at)
	for (size_t i = 0; i < GV_ARRAY_LEN(sel); i++)
		CU_ASSERT(!FORGE_CP(gv_pm4_header(PM4_WRITE_DATA, 4),
		                    GV_PUT(PM4_WRITE_DATA, DST_SEL, sel[i]), LO(at), HI(at),
		                    FORGE_JUNK));
	arena_expect(NAMED_FAULT | NAMED_ERROR);
}

/* A write that begins inside and ends outside. */
static void write_data_across_the_end_stops_at_the_end(void)
{
	const uint64_t at = ARENA_FB - 8;

	arena_begin();
	CU_ASSERT(!FORGE_CP(gv_pm4_header(PM4_WRITE_DATA, 7), GV_PUT(PM4_WRITE_DATA, DST_SEL, 1),
	                    LO(at), HI(at), FORGE_JUNK, FORGE_JUNK, FORGE_JUNK, FORGE_JUNK));
	arena_expect(NAMED_FAULT);
}

static void release_mem_fences_reach_no_neighbour(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	for (unsigned data = 1; data <= 4; data++)
		CU_ASSERT(!FORGE_CP(gv_pm4_header(PM4_RELEASE_MEM, 7),
		                    GV_PUT(PM4_RELEASE_MEM, EVENT_INDEX, 5),
		                    GV_PUT(PM4_RELEASE_MEM, DATA_SEL, data), LO(at), HI(at),
		                    FORGE_JUNK, FORGE_JUNK, 0));
	arena_expect(NAMED_FAULT);
}

static void atomics_of_packets_reach_no_neighbour(void)
{
	static const unsigned op[] = {GV_TC_SWAP_RTN_32, GV_TC_ADD_RTN_32, GV_TC_CMPSWAP_RTN_64,
	                              GV_TC_XOR_RTN_64};

	arena_begin();
	FOR_EACH_OUTSIDE(at)
	for (size_t i = 0; i < GV_ARRAY_LEN(op); i++)
		CU_ASSERT(!FORGE_CP(gv_pm4_header(PM4_ATOMIC_MEM, 8), op[i], LO(at), HI(at),
		                    FORGE_JUNK, FORGE_JUNK, 0, 0, 0));
	arena_expect(NAMED_FAULT);
}

static void dma_data_fills_no_neighbour(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	CU_ASSERT(!FORGE_CP(gv_pm4_header(PM4_DMA_DATA, 6), GV_PUT(PM4_DMA_DATA, SRC_SEL, 2),
	                    FORGE_JUNK, 0, LO(at), HI(at), 4096));
	arena_expect(NAMED_FAULT);
}

/* ---- packets that read -------------------------------------------------------- */

static void dma_data_copies_nothing_of_a_neighbour(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	CU_ASSERT(!FORGE_CP(gv_pm4_header(PM4_DMA_DATA, 6), 0, LO(at), HI(at), LO(FORGE_OWN), 0,
	                    4096));
	CU_ASSERT(forge_own_is_untouched());
	arena_expect(NAMED_FAULT);
}

static void copy_data_moves_nothing_between_neighbours(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	for (unsigned wide = 0; wide < 2; wide++) {
		uint32_t how = GV_PUT(PM4_COPY_DATA, SRC_SEL, 1) |
		               GV_PUT(PM4_COPY_DATA, DST_SEL, 1) |
		               GV_PUT(PM4_COPY_DATA, COUNT_SEL, wide);

		CU_ASSERT(!FORGE_CP(gv_pm4_header(PM4_COPY_DATA, 5), how, LO(at), HI(at),
		                    LO(FORGE_OWN), 0));
		CU_ASSERT(!FORGE_CP(gv_pm4_header(PM4_COPY_DATA, 5), how, LO(FORGE_OWN), 0, LO(at),
		                    HI(at)));
	}
	CU_ASSERT(forge_own_is_untouched());
	arena_expect(NAMED_FAULT);
}

/* Waiting for a value, or acting on it, would tell it bit by bit. */
static void waits_and_conditions_tell_nothing_of_a_neighbour(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		CU_ASSERT(!FORGE_CP(gv_pm4_header(PM4_WAIT_REG_MEM, 6),
		                    GV_PUT(PM4_WAIT_REG_MEM, MEM_SPACE, 1), LO(at), HI(at), 0, 0,
		                    4));
		CU_ASSERT(!FORGE_CP(gv_pm4_header(PM4_COND_EXEC, 4), LO(at), HI(at), 0, 5,
		                    gv_pm4_header(PM4_WRITE_DATA, 4),
		                    GV_PUT(PM4_WRITE_DATA, DST_SEL, 1), LO(FORGE_OWN), 0,
		                    FORGE_JUNK));
	}
	CU_ASSERT(forge_own_is_untouched());
	arena_expect(NAMED_FAULT);
}

static void indirect_buffers_are_fetched_from_no_neighbour(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	CU_ASSERT(!FORGE_CP(gv_pm4_header(PM4_INDIRECT_BUFFER, 3), LO(at), HI(at), 64));
	arena_expect(NAMED_FAULT);
}

static void dispatch_sizes_are_read_from_no_neighbour(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	CU_ASSERT(!FORGE_CP(gv_pm4_header(PM4_DISPATCH_INDIRECT, 3), LO(at), HI(at) & 0xffff,
	                    GV_PUT(COMPUTE_DISPATCH_INITIATOR, COMPUTE_SHADER_EN, 1)));
	arena_expect(NAMED_FAULT);
}

/* ---- what a queue is made of ------------------------------------------------------ */

static bool nop_on(const struct forge_hqd *h)
{
	const uint32_t nop = GV_PM4_NOP1;

	return forge_cp_on(h, &nop, 1);
}

static void a_ring_in_a_neighbours_memory_fetches_nothing(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		struct forge_hqd h = forge_hqd();

		h.ring = at & ~0xffull;
		CU_ASSERT(!nop_on(&h));
	}
	arena_expect(NAMED_FAULT);
}

static void read_pointers_are_reported_to_no_neighbour(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		struct forge_hqd h = forge_hqd();

		h.rptr_report = at;
		(void)nop_on(&h);
		CU_ASSERT(ARENA_UNTIL(forge_cp_error() != 0));
	}
	arena_expect(NAMED_FAULT);
}

static void write_pointers_are_polled_from_no_neighbour(void)
{
	arena_begin();
	forge_wr(CP_PQ_WPTR_POLL_CNTL__BYTE, GV_PUT(CP_PQ_WPTR_POLL_CNTL, EN, 1));
	FOR_EACH_OUTSIDE(at)
	{
		struct forge_hqd h = forge_hqd();

		h.wptr_poll = at;
		(void)nop_on(&h);
		CU_ASSERT(ARENA_UNTIL(forge_cp_error() != 0));
	}
	arena_expect(NAMED_FAULT);
}

static void end_of_pipe_buffers_lie_in_no_neighbours_memory(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		struct forge_hqd h = forge_hqd();

		h.eop = at;
		(void)nop_on(&h);
	}
	arena_expect(0);
}

static void map_queue(uint64_t mqd, uint64_t wptr, unsigned engine, bool works)
{
	bool ended = FORGE_CP(gv_pm4_header(PM4_MAP_QUEUES, 6),
	                      GV_PUT(PM4_MAP_QUEUES, QUEUE, 1) |
	                              GV_PUT(PM4_MAP_QUEUES, ENGINE_SEL, engine) |
	                              GV_PUT(PM4_MAP_QUEUES, NUM_QUEUES, 1),
	                      GV_PUT(PM4_MAP_QUEUES, DOORBELL_OFFSET, 0x40), LO(mqd), HI(mqd),
	                      LO(wptr), HI(wptr));

	CU_ASSERT(ended == works);
}

static void queue_descriptors_are_read_from_no_neighbour(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	for (unsigned engine = 0; engine < 4; engine++)
		map_queue(at, FORGE_WPTR, engine, false);
	arena_expect(NAMED_FAULT);
}

static void make_mqd(uint64_t mqd, uint64_t elsewhere)
{
	uint32_t dw[GV_MQD_DWORDS] = {(uint32_t)GV_MQD_HEADER_MAGIC};

	dw[GV_MQD_DW(CP_MQD_BASE_ADDR)] = LO(mqd);
	dw[GV_MQD_DW(CP_HQD_PQ_BASE)] = LO(FORGE_ARGS >> 8);
	dw[GV_MQD_DW(CP_HQD_PQ_RPTR_REPORT_ADDR)] = LO(elsewhere);
	dw[GV_MQD_DW(CP_HQD_PQ_RPTR_REPORT_ADDR_HI)] = HI(elsewhere);
	dw[GV_MQD_DW(CP_HQD_PQ_CONTROL)] = GV_PUT(CP_HQD_PQ_CONTROL, QUEUE_SIZE, 11);
	dw[GV_MQD_DW(CP_HQD_EOP_BASE_ADDR)] = LO(elsewhere >> 8);
	dw[GV_MQD_DW(CP_HQD_EOP_BASE_ADDR_HI)] = HI(elsewhere >> 8);
	forge_put(mqd, dw, sizeof(dw));
}

/* The address that unmapping writes to is a register by then, and the attacker's. */
static void queue_descriptors_are_written_back_to_no_neighbour(void)
{
	const uint32_t unmap[] = {gv_pm4_header(PM4_UNMAP_QUEUES, 5),
	                          GV_PUT(PM4_UNMAP_QUEUES, NUM_QUEUES, 1),
	                          GV_PUT(PM4_UNMAP_QUEUES, DOORBELL_OFFSET0, 0x40),
	                          0,
	                          0,
	                          0};

	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		make_mqd(FORGE_MQD, at);
		map_queue(FORGE_MQD, FORGE_WPTR, 0, true);
		forge_wr(GRBM_GFX_CNTL__BYTE,
		         GV_PUT(GRBM_GFX_CNTL, MEID, 1) | GV_PUT(GRBM_GFX_CNTL, QUEUEID, 1));
		forge_wr(CP_MQD_BASE_ADDR__BYTE, LO(at));
		forge_wr(CP_MQD_BASE_ADDR_HI__BYTE, HI(at));
		forge_wr(GRBM_GFX_CNTL__BYTE, 0);
		CU_ASSERT(!forge_cp_on(NULL, unmap, GV_ARRAY_LEN(unmap)));
	}
	arena_expect(NAMED_FAULT);
}

static void fences_of_management_packets_reach_no_neighbour(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		CU_ASSERT(!FORGE_CP(gv_pm4_header(PM4_QUERY_STATUS, 6),
		                    GV_PUT(PM4_QUERY_STATUS, COMMAND, 2), 0, LO(at), HI(at),
		                    FORGE_JUNK, FORGE_JUNK));
		CU_ASSERT(!FORGE_CP(gv_pm4_header(PM4_UNMAP_QUEUES, 5),
		                    GV_PUT(PM4_UNMAP_QUEUES, ACTION, 3), 0, LO(at), HI(at),
		                    FORGE_JUNK));
	}
	arena_expect(NAMED_FAULT);
}

/* ---- saved contexts ---------------------------------------------------------------- */

#define SAVED                                                                                      \
	(GV_PUT(CP_HQD_PERSISTENT_STATE, QSWITCH_MODE, 1) |                                        \
	 GV_PUT(CP_HQD_PERSISTENT_STATE, RELAUNCH_WAVES, 1))

static void waves_are_restored_from_no_neighbours_memory(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		struct forge_hqd h = forge_hqd();

		h.ctx_save = at & ~0xfffull;
		h.ctx_bytes = 0x100000;
		h.persistent = SAVED;
		h.wg_state_offset = 4096;
		CU_ASSERT(!nop_on(&h));
	}
	arena_expect(NAMED_FAULT | NAMED_ERROR);
}

/* The area is the attacker's own and says what it likes: sizes, positions, waves, VMIDs. */
static void forged_saved_contexts_restore_nothing(void)
{
	static uint32_t noise[4096];
	uint32_t x = 88172645;

	arena_begin();
	for (unsigned round = 0; round < 64; round++) {
		struct forge_hqd h = forge_hqd();

		for (size_t i = 0; i < GV_ARRAY_LEN(noise); i++) {
			x ^= x << 13;
			x ^= x >> 17;
			x ^= x << 5;
			noise[i] = x % 3 ? x : x % 17;
		}
		noise[0] = 0x58544347u; /* as context.c begins */
		noise[1] = 1;
		noise[2] = round % 2 ? sizeof(noise) : 192;
		noise[3] = 0;
		forge_put(FORGE_ARGS, noise, sizeof(noise));
		h.ctx_save = FORGE_ARGS;
		h.ctx_bytes = sizeof(noise);
		h.persistent = SAVED;
		h.wg_state_offset = noise[2];
		CU_ASSERT(!nop_on(&h));
	}
	arena_expect(NAMED_ERROR);
}

ARENA_MAIN("attack/packets", UT(what_packets_do_to_no_neighbour_they_do_to_their_own),
           UT(write_data_reaches_no_neighbour), UT(write_data_across_the_end_stops_at_the_end),
           UT(release_mem_fences_reach_no_neighbour), UT(atomics_of_packets_reach_no_neighbour),
           UT(dma_data_fills_no_neighbour), UT(dma_data_copies_nothing_of_a_neighbour),
           UT(copy_data_moves_nothing_between_neighbours),
           UT(waits_and_conditions_tell_nothing_of_a_neighbour),
           UT(indirect_buffers_are_fetched_from_no_neighbour),
           UT(dispatch_sizes_are_read_from_no_neighbour),
           UT(a_ring_in_a_neighbours_memory_fetches_nothing),
           UT(read_pointers_are_reported_to_no_neighbour),
           UT(write_pointers_are_polled_from_no_neighbour),
           UT(end_of_pipe_buffers_lie_in_no_neighbours_memory),
           UT(queue_descriptors_are_read_from_no_neighbour),
           UT(queue_descriptors_are_written_back_to_no_neighbour),
           UT(fences_of_management_packets_reach_no_neighbour),
           UT(waves_are_restored_from_no_neighbours_memory),
           UT(forged_saved_contexts_restore_nothing))
