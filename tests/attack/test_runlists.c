/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Run lists of the attacker: processes with page tables, queues and lists that are not its own, and
 * lists that have no end. */
#include <string.h>

#include "arena.h"
#include "forge.h"

#define LIST     FORGE_IB
#define SECOND   (FORGE_IB + 0x4000)
#define USER     0x10000ull /* virtual address of a process's ring */
#define DOORBELL 0x1000u
#define VMIDS    0xff00u
#define HQDS     0x0f00u

static uint32_t list[1024];
static size_t list_dw;

static void add(const uint32_t *dw, size_t n)
{
	memcpy(list + list_dw, dw, n * sizeof(*dw));
	list_dw += n;
}
#define ADD(...) add((const uint32_t[]){__VA_ARGS__}, FORGE_COUNT(__VA_ARGS__))

static void add_process(uint64_t table)
{
	ADD(gv_pm4_header(PM4_MAP_PROCESS, 15), 0x8001, LO(table) | 1, HI(table), 0, 0, 0, 0, 0, 0,
	    0, 0, 0, 0, 0, 0);
}

static void add_queue(uint64_t mqd, uint64_t wptr, unsigned engine)
{
	ADD(gv_pm4_header(PM4_MAP_QUEUES, 6),
	    GV_PUT(PM4_MAP_QUEUES, QUEUE_SEL, 1) | GV_PUT(PM4_MAP_QUEUES, ENGINE_SEL, engine),
	    GV_PUT(PM4_MAP_QUEUES, DOORBELL_OFFSET, DOORBELL), LO(mqd), HI(mqd), LO(wptr),
	    HI(wptr));
}

static void add_list(uint64_t at, uint32_t dw)
{
	ADD(gv_pm4_header(PM4_RUN_LIST, 3), LO(at), HI(at),
	    GV_PUT(PM4_RUN_LIST, IB_SIZE, dw) | GV_PUT(PM4_RUN_LIST, CHAIN, 1));
}

/* True when the queue that gave it went on. */
static bool run_at(uint64_t at, uint32_t dw)
{
	return FORGE_CP(gv_pm4_header(PM4_SET_RESOURCES, 7), VMIDS, HQDS, 0, 0, 0, 0, 0,
	                gv_pm4_header(PM4_RUN_LIST, 3), LO(at), HI(at), dw);
}

static bool run(void)
{
	bool ok;

	forge_put(LIST, list, list_dw * 4);
	ok = run_at(LIST, (uint32_t)list_dw);
	list_dw = 0;
	return ok;
}

/* A compute queue with its ring at @ring of its process and a packet in it. */
static void make_mqd(uint64_t ring)
{
	uint32_t dw[GV_MQD_DWORDS] = {(uint32_t)GV_MQD_HEADER_MAGIC};

	dw[GV_MQD_DW(CP_HQD_PQ_BASE)] = LO(ring >> 8);
	dw[GV_MQD_DW(CP_HQD_PQ_BASE_HI)] = HI(ring >> 8);
	dw[GV_MQD_DW(CP_HQD_PQ_CONTROL)] = GV_PUT(CP_HQD_PQ_CONTROL, QUEUE_SIZE, 9);
	dw[GV_MQD_DW(CP_HQD_PQ_WPTR_LO)] = 16;
	forge_put(FORGE_MQD, dw, sizeof(dw));
}

static void open_contexts(void)
{
	for (unsigned vmid = 8; vmid < GV_NUM_VMID; vmid++)
		forge_context(vmid, 0, 0, 0x40000000);
}

/* ---- cases ----------------------------------------------------------------- */

static void run_lists_of_its_own_are_run(void)
{
	static const uint64_t pte[] = {FORGE_ARGS | FORGE_PTE};

	arena_begin();
	forge_space(8, pte, GV_ARRAY_LEN(pte));
	make_mqd(FORGE_ARGS);
	for (unsigned i = 0; i < 16; i++)
		forge_put32(FORGE_ARGS + i * 4, GV_PM4_NOP1);
	add_process(FORGE_TABLE);
	add_queue(FORGE_MQD, 0, 0);
	CU_ASSERT(run());
	forge_wr(GRBM_GFX_CNTL__BYTE,
	         GV_PUT(GRBM_GFX_CNTL, MEID, 1) | GV_PUT(GRBM_GFX_CNTL, PIPEID, 1));
	CU_ASSERT(ARENA_UNTIL(forge_rd(CP_HQD_PQ_RPTR__BYTE) == 16));
	forge_wr(GRBM_GFX_CNTL__BYTE, 0);
	arena_expect(0);
}

static void run_lists_are_read_from_no_neighbour(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		(void)run_at(at, 64);
		CU_ASSERT(ARENA_UNTIL(forge_cp_error()));
		add_process(FORGE_TABLE);
		add_list(at, 64);
		(void)run();
		CU_ASSERT(ARENA_UNTIL(forge_cp_error()));
	}
	arena_expect(NAMED_FAULT | NAMED_ERROR);
}

static void processes_have_no_tables_in_a_neighbours_memory(void)
{
	arena_begin();
	open_contexts();
	make_mqd(USER);
	FOR_EACH_OUTSIDE(at)
	{
		uint64_t before = arena_stats(ATTACKER).vm_faults;

		add_process(at & ~0xfffull);
		add_queue(FORGE_MQD, 0, 0);
		(void)run();
		CU_ASSERT(ARENA_UNTIL(arena_stats(ATTACKER).vm_faults > before));
	}
	arena_expect(NAMED_FAULT);
}

static void queues_of_run_lists_have_no_descriptors_in_a_neighbours_memory(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	for (unsigned engine = 0; engine < 4; engine++) {
		if (engine == 1)
			continue; /* schedulers are not of a list */
		add_process(FORGE_TABLE);
		add_queue(at, 0, engine);
		(void)run();
		CU_ASSERT(ARENA_UNTIL(forge_cp_error()));
	}
	arena_expect(NAMED_FAULT);
}

/* To itself, to one that leads to itself, as long as can be; turns that never end. */
static void run_lists_without_end_cost_nobody_but_the_attacker(void)
{
	arena_begin();
	open_contexts();
	make_mqd(USER);
	for (unsigned k = 0; k < 4; k++) {
		if (k & 1)
			for (unsigned i = 0; i < 30; i++) {
				add_process(FORGE_TABLE + i * GV_GPU_PAGE);
				add_queue(FORGE_MQD + i * 0x1000ul, 0, 0);
			}
		add_list(k & 2 ? SECOND : LIST, (uint32_t)list_dw + 4);
		forge_put(SECOND,
		          (const uint32_t[]){gv_pm4_header(PM4_RUN_LIST, 3), LO(SECOND), 0, 4}, 16);
		(void)run();
		for (unsigned i = 0; i < 3; i++)
			CU_ASSERT(FORGE_CP(GV_PM4_NOP1) || forge_cp_error());
	}
	CU_ASSERT(run_at(FORGE_ARGS, 0xfffff));
	arena_expect(NAMED_ERROR);
}

static void forged_run_lists_map_nothing_that_is_not_its_own(void)
{
	static const unsigned ops[] = {PM4_MAP_PROCESS, PM4_MAP_QUEUES, PM4_RUN_LIST, PM4_NOP};
	static const unsigned lens[] = {15, 6, 3, 1};
	uint32_t x = 2463534242u;

	arena_begin();
	open_contexts();
	for (unsigned round = 0; round < 48; round++) {
		for (unsigned i = 0; i < 12; i++) {
			unsigned op = x % 4;
			uint32_t dw[16] = {gv_pm4_header(ops[op], lens[op])};

			for (unsigned j = 1; j <= lens[op]; j++) {
				x ^= x << 13;
				x ^= x >> 17;
				x ^= x << 5;
				dw[j] = round & 1 ? x : x & 0xffffff;
			}
			add(dw, lens[op] + 1);
		}
		(void)run();
	}
	arena_expect(NAMED_ERROR);
}

ARENA_MAIN("runlists", UT(run_lists_of_its_own_are_run), UT(run_lists_are_read_from_no_neighbour),
           UT(processes_have_no_tables_in_a_neighbours_memory),
           UT(queues_of_run_lists_have_no_descriptors_in_a_neighbours_memory),
           UT(run_lists_without_end_cost_nobody_but_the_attacker),
           UT(forged_run_lists_map_nothing_that_is_not_its_own))
