/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that is not the attacker's, by SDMA. A page fault ends a packet and the ring goes on, as
 * on silicon, so what counts is that nothing moved and who is named. */
#include <string.h>

#include "arena.h"
#include "forge.h"

/* The same packets are good for what is its own: they do not fail for another reason. */
static void what_sdma_does_to_no_neighbour_it_does_to_its_own(void)
{
	const uint32_t to = LO(FORGE_ARGS);
	const struct {
		uint32_t dw[12];
		size_t n;
		uint32_t want;
	} all[] = {
	        {{GV_SDMA_HEADER(COPY_LINEAR), 4095, 0, LO(FORGE_OWN), 0, to, 0},
	         7,
	         FORGE_UNTOUCHED},
	        {{GV_SDMA_HEADER(COPY_PHYSICAL_LINEAR), 4095, 0, LO(FORGE_OWN), 0, to, 0},
	         7,
	         FORGE_UNTOUCHED},
	        {{GV_SDMA_HEADER(COPY_DIRTY_PAGE) | 1u << 31, 4095, 0, LO(FORGE_OWN), 0, to, 0},
	         7,
	         FORGE_UNTOUCHED},
	        {{GV_SDMA_HEADER(CONSTANT_FILL) | GV_PUT(SDMA_CONSTANT_FILL, fillsize, 2), to, 0,
	          FORGE_JUNK, 4095},
	         5,
	         FORGE_JUNK},
	        {{GV_SDMA_HEADER(WRITE_UNTILED), to, 0, 0, FORGE_JUNK}, 5, FORGE_JUNK},
	        {{GV_SDMA_HEADER(FENCE), to, 0, FORGE_JUNK}, 4, FORGE_JUNK},
	        {{GV_SDMA_HEADER(ATOMIC) | GV_PUT(SDMA_ATOMIC, atomic_op, GV_TC_ADD_RTN_32), to, 0,
	          FORGE_JUNK},
	         8,
	         FORGE_JUNK},
	        {{GV_SDMA_HEADER(SEMAPHORE) | GV_PUT(SDMA_SEMAPHORE, signal, 1), to, 0}, 3, 1},
	        {{GV_SDMA_HEADER(WRITE_INCR), to, 0, LO(FORGE_PTE)}, 10, LO(FORGE_PTE)},
	        {{GV_SDMA_HEADER(PTEPDE_COPY), LO(FORGE_OWN), 0, to, 0, UINT32_MAX, UINT32_MAX},
	         8,
	         FORGE_UNTOUCHED},
	        {{GV_SDMA_HEADER(PTEPDE_RMW), to, 0, UINT32_MAX, 0, FORGE_JUNK}, 7, FORGE_JUNK},
	};

	arena_begin();
	for (size_t i = 0; i < GV_ARRAY_LEN(all); i++) {
		forge_put64(FORGE_ARGS, 0);
		CU_ASSERT(forge_sdma_on(NULL, all[i].dw, all[i].n));
		CU_ASSERT(forge_get32(FORGE_ARGS) == all[i].want);
	}
	CU_ASSERT(!forge_fault_reported());
	arena_expect(0);
}

static void sdma_copies_nothing_from_a_neighbour(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	(void)FORGE_SDMA(GV_SDMA_HEADER(COPY_LINEAR), 4095, 0, LO(at), HI(at), LO(FORGE_OWN), 0);
	CU_ASSERT(forge_own_is_untouched());
	arena_expect(NAMED_FAULT);
}

static void sdma_copies_nothing_to_a_neighbour(void)
{
	const uint32_t broadcast = GV_PUT(SDMA_COPY_LINEAR, broadcast, 1);

	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		(void)FORGE_SDMA(GV_SDMA_HEADER(COPY_LINEAR), 4095, 0, LO(FORGE_OWN), 0, LO(at),
		                 HI(at));
		(void)FORGE_SDMA(GV_SDMA_HEADER(COPY_LINEAR) | broadcast, 4095, 0, LO(FORGE_OWN), 0,
		                 LO(FORGE_OWN + 8192), 0, LO(at), HI(at));
	}
	arena_expect(NAMED_FAULT);
}

/* From inside to outside in one packet, forwards: it may not run on. */
static void an_sdma_copy_stops_at_the_end_of_the_frame_buffer(void)
{
	const uint64_t at = ARENA_FB - 4096;

	arena_begin();
	(void)FORGE_SDMA(GV_SDMA_HEADER(COPY_LINEAR), 65535, 0, LO(FORGE_OWN), 0, LO(at), HI(at));
	arena_expect(NAMED_FAULT);
	(void)FORGE_SDMA(GV_SDMA_HEADER(COPY_LINEAR), 65535, 0, LO(at), HI(at), LO(FORGE_OWN), 0);
	arena_expect(NAMED_FAULT);
}

static void sdma_fills_no_neighbour(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		for (unsigned size = 0; size < 3; size++)
			(void)FORGE_SDMA(GV_SDMA_HEADER(CONSTANT_FILL) |
			                         GV_PUT(SDMA_CONSTANT_FILL, fillsize, size),
			                 LO(at), HI(at), FORGE_JUNK, 4095);
		(void)FORGE_SDMA(GV_SDMA_HEADER(CONSTANT_FILL), LO(at), HI(at), 0, 0x3fffff);
	}
	arena_expect(NAMED_FAULT);
}

/* The first piece is the attacker's, the next is not: by a stride of 64 MiB. */
static void strided_fills_do_not_step_into_a_neighbour(void)
{
	arena_begin();
	(void)FORGE_SDMA(GV_SDMA_HEADER(DATA_FILL_MULTI), LO(ARENA_FB), 4, LO(FORGE_OWN + 0x8000),
	                 0, 4095);
	(void)FORGE_SDMA(GV_SDMA_HEADER(DATA_FILL_MULTI), UINT32_MAX, 4, LO(FORGE_OWN + 0x8000), 0,
	                 4095);
	arena_expect(NAMED_FAULT);
}

/* Pitches that take row after row out of the frame buffer. */
static void boxes_do_not_step_into_a_neighbour(void)
{
	const uint32_t pitch = GV_PUT(SDMA_COPY_LINEAR_SUBWIN, src_pitch, 0x7ffff);
	const uint32_t dwords = GV_PUT(SDMA_COPY_LINEAR_SUBWIN, elementsize, 4);

	arena_begin();
	(void)FORGE_SDMA(GV_SDMA_HEADER(COPY_LINEAR_SUBWIN) | dwords, LO(FORGE_OWN), 0, 0, pitch,
	                 0xfffffff, LO(FORGE_OWN), 0, 0,
	                 GV_PUT(SDMA_COPY_LINEAR_SUBWIN, dst_pitch, 0x7ffff), 0xfffffff,
	                 GV_PUT(SDMA_COPY_LINEAR_SUBWIN, rect_x, 15) |
	                         GV_PUT(SDMA_COPY_LINEAR_SUBWIN, rect_y, 63),
	                 3);
	arena_expect(NAMED_FAULT);
}

static void sdma_writes_data_to_no_neighbour(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	(void)FORGE_SDMA(GV_SDMA_HEADER(WRITE_UNTILED), LO(at), HI(at), 3, FORGE_JUNK, FORGE_JUNK,
	                 FORGE_JUNK, FORGE_JUNK);
	arena_expect(NAMED_FAULT);
}

static void sdma_fences_and_timestamps_reach_no_neighbour(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		(void)FORGE_SDMA(GV_SDMA_HEADER(FENCE), LO(at), HI(at), FORGE_JUNK);
		(void)FORGE_SDMA(GV_SDMA_HEADER(TIMESTAMP_GET), LO(at), HI(at));
		(void)FORGE_SDMA(GV_SDMA_HEADER(TIMESTAMP_GET_GLOBAL), LO(at), HI(at));
	}
	arena_expect(NAMED_FAULT);
}

static void sdma_atomics_and_semaphores_reach_no_neighbour(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		(void)FORGE_SDMA(GV_SDMA_HEADER(ATOMIC) |
		                         GV_PUT(SDMA_ATOMIC, atomic_op, GV_TC_ADD_RTN_32),
		                 LO(at), HI(at), FORGE_JUNK, 0, 0, 0, 0);
		(void)FORGE_SDMA(GV_SDMA_HEADER(SEMAPHORE) | GV_PUT(SDMA_SEMAPHORE, signal, 1),
		                 LO(at), HI(at));
		(void)FORGE_SDMA(GV_SDMA_HEADER(SEMAPHORE), LO(at), HI(at));
	}
	arena_expect(NAMED_FAULT);
}

/* Neither by waiting for a value nor by acting on it. */
static void sdma_polls_tell_nothing_of_a_neighbour(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		(void)FORGE_SDMA(GV_SDMA_HEADER(POLL_REGMEM) |
		                         GV_PUT(SDMA_POLL_REGMEM, mem_poll, 1),
		                 LO(at), HI(at), 0, 0, GV_PUT(SDMA_POLL_REGMEM, retry_count, 2));
		(void)FORGE_SDMA(GV_SDMA_HEADER(COND_EXE), LO(at), HI(at), 0, 4,
		                 GV_SDMA_HEADER(FENCE), LO(FORGE_OWN), 0, FORGE_JUNK);
	}
	CU_ASSERT(forge_own_is_untouched());
	arena_expect(NAMED_FAULT);
}

static void sdma_fetches_indirect_buffers_from_no_neighbour(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	(void)FORGE_SDMA(GV_SDMA_HEADER(INDIRECT), LO(at & ~0x1full), HI(at), 64, 0, 0);
	arena_expect(NAMED_FAULT);
}

static void page_table_packets_write_no_neighbours_tables(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		(void)FORGE_SDMA(GV_SDMA_HEADER(WRITE_INCR), LO(at), HI(at), LO(FORGE_PTE), 0, 0, 0,
		                 4096, 0, 511);
		(void)FORGE_SDMA(GV_SDMA_HEADER(PTEPDE_COPY), LO(FORGE_OWN), 0, LO(at), HI(at),
		                 UINT32_MAX, UINT32_MAX, 15);
		(void)FORGE_SDMA(GV_SDMA_HEADER(PTEPDE_COPY), LO(at), HI(at), LO(FORGE_OWN), 0,
		                 UINT32_MAX, UINT32_MAX, 15);
		(void)FORGE_SDMA(GV_SDMA_HEADER(PTEPDE_RMW), LO(at), HI(at), UINT32_MAX, UINT32_MAX,
		                 FORGE_JUNK, FORGE_JUNK);
	}
	CU_ASSERT(forge_own_is_untouched());
	arena_expect(NAMED_FAULT);
}

/* "Physical" addresses go past the page tables, not past the second-level table. */
static void physical_copies_stay_in_the_frame_buffer(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		(void)FORGE_SDMA(GV_SDMA_HEADER(COPY_PHYSICAL_LINEAR), 4095, 0, LO(at), HI(at),
		                 LO(FORGE_OWN), 0);
		(void)FORGE_SDMA(GV_SDMA_HEADER(COPY_PHYSICAL_LINEAR), 4095, 0, LO(FORGE_OWN), 0,
		                 LO(at), HI(at));
		(void)FORGE_SDMA(GV_SDMA_HEADER(COPY_DIRTY_PAGE) | 1u << 31, 4095, 0, LO(at),
		                 HI(at), LO(FORGE_OWN), 0);
		(void)FORGE_SDMA(GV_SDMA_HEADER(COPY_DIRTY_PAGE) | 1u << 31, 4095, 0, LO(FORGE_OWN),
		                 0, LO(at), HI(at));
	}
	CU_ASSERT(forge_own_is_untouched());
	arena_expect(NAMED_L2);
}

/* ... and physical system addresses only to what was given to this function. */
static void physical_copies_reach_no_foreign_system_memory(void)
{
	const uint32_t src_sys = GV_PUT(SDMA_COPY_PHYSICAL_LINEAR, src_sys, 1);
	const uint32_t dst_sys = GV_PUT(SDMA_COPY_PHYSICAL_LINEAR, dst_sys, 1);
	struct gv_dma theirs = {0};

	arena_begin();
	CU_ASSERT_FATAL(!gv_dma_alloc(arena_victim_bus(0), 4096, &theirs));
	memset(theirs.cpu, 0xa7, 4096);
	(void)FORGE_SDMA(GV_SDMA_HEADER(COPY_PHYSICAL_LINEAR), 4095, src_sys, LO(theirs.iova),
	                 HI(theirs.iova), LO(FORGE_OWN), 0);
	CU_ASSERT(forge_own_is_untouched());
	(void)FORGE_SDMA(GV_SDMA_HEADER(COPY_PHYSICAL_LINEAR), 4095, dst_sys, LO(FORGE_OWN), 0,
	                 LO(theirs.iova), HI(theirs.iova));
	for (size_t i = 0; i < 4096; i++)
		CU_ASSERT(((uint8_t *)theirs.cpu)[i] == 0xa7);
	arena_expect(NAMED_FAULT);
	gv_dma_free(arena_victim_bus(0), &theirs);
}

/* Which pages of a neighbour were written is the neighbour's affair. */
static void dirty_bits_show_nothing_of_a_neighbour(void)
{
	arena_begin();
	(void)FORGE_SDMA(GV_SDMA_HEADER(POLL_DBIT_WRITE_MEM), LO(FORGE_OWN), 0,
	                 LO(ARENA_FB / GV_GPU_PAGE), 4096);
	for (uint32_t at = 0; at < FORGE_OWN_BYTES; at += 4) {
		uint32_t v = forge_get32(FORGE_OWN + at);

		CU_ASSERT(v == FORGE_UNTOUCHED || v == 0);
	}
	arena_expect(0);
}

static void rings_in_a_neighbours_memory_run_nothing(void)
{
	const uint32_t nop = 0;

	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		struct forge_rb r = forge_rb();

		r.ring = at & ~0xffull;
		(void)forge_sdma_on(&r, &nop, 1);
	}
	arena_expect(NAMED_FAULT);
}

static void sdma_pointers_are_kept_in_no_neighbours_memory(void)
{
	const uint32_t nop = 0;

	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		struct forge_rb r = forge_rb();

		r.rptr_report = at;
		(void)forge_sdma_on(&r, &nop, 1);
		r = forge_rb();
		r.wptr_poll = at;
		(void)forge_sdma_on(&r, &nop, 1);
	}
	arena_expect(NAMED_FAULT);
}

ARENA_MAIN("attack/sdma", UT(what_sdma_does_to_no_neighbour_it_does_to_its_own),
           UT(sdma_copies_nothing_from_a_neighbour), UT(sdma_copies_nothing_to_a_neighbour),
           UT(an_sdma_copy_stops_at_the_end_of_the_frame_buffer), UT(sdma_fills_no_neighbour),
           UT(strided_fills_do_not_step_into_a_neighbour), UT(boxes_do_not_step_into_a_neighbour),
           UT(sdma_writes_data_to_no_neighbour), UT(sdma_fences_and_timestamps_reach_no_neighbour),
           UT(sdma_atomics_and_semaphores_reach_no_neighbour),
           UT(sdma_polls_tell_nothing_of_a_neighbour),
           UT(sdma_fetches_indirect_buffers_from_no_neighbour),
           UT(page_table_packets_write_no_neighbours_tables),
           UT(physical_copies_stay_in_the_frame_buffer),
           UT(physical_copies_reach_no_foreign_system_memory),
           UT(dirty_bits_show_nothing_of_a_neighbour), UT(rings_in_a_neighbours_memory_run_nothing),
           UT(sdma_pointers_are_kept_in_no_neighbours_memory))
