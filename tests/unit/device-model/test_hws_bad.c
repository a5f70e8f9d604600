/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Run lists that are none, lead nowhere or never end. */
#include <unistd.h>

#include "hws_rig.h"

/* ---- what means harm ------------------------------------------------------ */

static bool hiq_lives(void)
{
	return rig_sync(&r, VF0, RIG_HIQ, 20000);
}

/* They end, are said to be wrong, and KFD's queue goes on. */
static void lists_that_are_none_are_given_up(void)
{
	for (unsigned k = 0; k < 6; k++) {
		up(VMIDS, SLOTS);
		switch (k) {
		case 0:
			add_queue(0, 0); /* of no process */
			break;
		case 1:
			ADD(gv_pm4_header(PM4_WRITE_DATA, 4), 0x100, (uint32_t)STATUS, 0, 7);
			break;
		case 2: /* ends in the middle of a packet */
			add_process(0);
			list_dw -= 3;
			break;
		case 3: /* too short to be one */
			ADD(gv_pm4_header(PM4_MAP_PROCESS, 4), 1, 2, 3, 4);
			break;
		case 4:
			ADD(0xffffffff);
			break;
		default: /* longer than any */
			add_process(0);
			add_list(LIST + 0x1000, 0xfffff);
			for (uint64_t at = 0; at < 0x3c000; at += 4)
				rig_put32(&r, VF0, LIST + 0x1000 + at, GV_PM4_NOP1);
		}
		run(1);
		CU_ASSERT_TRUE(wait_errors(1));
		CU_ASSERT_TRUE(hiq_lives());
		CU_ASSERT_TRUE(unmap_all());
		CU_ASSERT_EQUAL(rig_get32(&r, VF0, STATUS), (uint32_t)statuses);
		/* and a good one runs */
		add_process(0);
		add_queue(0, 0);
		run(1);
		all_run(1, 1, 1);
		others_are_well();
		rig_close(&r);
	}
}

/* Where there is no memory the queue that gave the list stops, as with any IB. */
static void a_list_outside_of_memory_faults(void)
{
	static const uint64_t where[] = {RIG_FB_BYTES, UINT64_C(1) << 40, 0xfffffffffffcull,
	                                 RIG_FB_BYTES - 8};

	for (size_t k = 0; k < GV_ARRAY_LEN(where); k++) {
		up(VMIDS, SLOTS);
		rig_put32(&r, VF0, RIG_FB_BYTES - 8, GV_PM4_NOP1);
		rig_put32(&r, VF0, RIG_FB_BYTES - 4, GV_PM4_NOP1);
		run_at(where[k], 0xfffff, 1);
		for (unsigned n = 0; n < 2000 && !rig_stats(&r, VF0).vm_faults; n++)
			(void)usleep(10000);
		CU_ASSERT_TRUE(rig_stats(&r, VF0).vm_faults > 0);
		CU_ASSERT_FALSE(rig_sync(&r, VF0, RIG_HIQ, 10));
		others_are_well();
		rig_close(&r);
	}
}

/* Lists that lead to themselves and to each other, with and without anything in them. */
static void endless_lists_take_no_time_from_others(void)
{
	for (unsigned k = 0; k < 4; k++) {
		up(VMIDS, SLOTS);
		if (k == 1 || k == 3)
			add_process(0);
		if (k == 3)
			add_queue(0, 0);
		if (k < 2)
			chain();
		else /* to one that leads to itself */
			add_list(LIST + 0x1000, 4);
		rig_put(&r, VF0, LIST + 0x1000,
		        (const uint32_t[]){gv_pm4_header(PM4_RUN_LIST, 3), (uint32_t)LIST + 0x1000,
		                           0, 4},
		        16);
		run(1);
		for (unsigned i = 0; i < 3; i++)
			CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 20000));
		CU_ASSERT_TRUE(hiq_lives());
		CU_ASSERT_TRUE(unmap_all());
		others_are_well();
		rig_close(&r);
	}
}

/* Nothing of it can ever be mapped. */
static void without_a_vmid_or_hqd_it_says_so(void)
{
	static const struct {
		uint32_t vmids;
		uint64_t queues;
	} none[] = {{0, SLOTS}, {1, SLOTS}, {VMIDS, 0}, {VMIDS, 1ull << 32}};

	for (size_t k = 0; k < GV_ARRAY_LEN(none); k++) {
		up(none[k].vmids, none[k].queues);
		if (none[k].queues >> 32) /* the HIQ's own: it is in use */
			CU_ASSERT_TRUE(rig_is_active(&r, VF0, RIG_HIQ));
		add_all(2, 1);
		chain();
		run(1);
		CU_ASSERT_TRUE(wait_errors(1));
		CU_ASSERT_TRUE(hiq_lives());
		CU_ASSERT_TRUE(unmap_all());
		CU_ASSERT_EQUAL(ERRORS, 1);
		rig_close(&r);
	}
}

/* Page tables that lead nowhere: its own faults. The same process and queue over and over. */
static void bad_processes_harm_only_themselves(void)
{
	up(VMIDS, SLOTS);
	ADD(gv_pm4_header(PM4_MAP_PROCESS, 15), pasid(5), UINT32_MAX, UINT32_MAX, UINT32_MAX,
	    UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, 0, 0, 0, UINT32_MAX,
	    UINT32_MAX, UINT32_MAX);
	add_queue(5, 0);
	for (unsigned i = 0; i < 20; i++) {
		add_process(0);
		add_queue(0, 0);
		add_queue(0, 1);
	}
	give(5, 0, 0);
	run(8);
	all_run(1, 2, 3);
	CU_ASSERT_FALSE(is_done(5, 0, 10));
	CU_ASSERT_EQUAL(count_active(SLOTS), 3);
	CU_ASSERT_TRUE(unmap_all());
	others_are_well();
	rig_close(&r);
}

static void noise_in_lists_leaves_the_other_function_alone(void)
{
	uint64_t seed = 7;

	up(VMIDS, SLOTS);
	for (unsigned round = 0; round < 60; round++) {
		static const uint32_t ops[] = {PM4_MAP_PROCESS, PM4_MAP_QUEUES, PM4_RUN_LIST,
		                               PM4_NOP};
		static const unsigned lens[] = {15, 6, 3, 2};

		list_dw = 0;
		for (unsigned i = 0; i < 10; i++) {
			unsigned op = (unsigned)(seed >> 33) % 4;
			uint32_t dw[16] = {gv_pm4_header(ops[op], lens[op])};

			for (unsigned j = 1; j <= lens[op]; j++) {
				seed = seed * 6364136223846793005ull + 1442695040888963407ull;
				dw[j] = (uint32_t)(seed >> 32) &
				        (round & 1 ? UINT32_MAX : 0x00ffffffu);
			}
			add(dw, lens[op] + 1);
		}
		run(round % 16);
		(void)rig_sync(&r, VF0, RIG_HIQ, 5);
		if (round % 4 == 3) {
			CU_ASSERT_EQUAL(gv_dev_reset(r.dev, VF0), 0);
			CU_ASSERT_EQUAL(r.dev->fn[VF0].cp->hws.state, GV_HWS_OFF);
			rig_admit_vf(&r, 0);
			CU_ASSERT_TRUE(rig_start(&r, VF0, 1));
			CU_ASSERT_TRUE(rig_map(&r, VF0, RIG_HIQ));
		}
	}
	others_are_well();
	rig_close(&r);
}

static void only_schedulers_run_lists(void)
{
	up(VMIDS, SLOTS);
	RIG_EMIT(&r, VF0, 1, gv_pm4_header(PM4_RUN_LIST, 3), (uint32_t)LIST, 0, 4);
	CU_ASSERT_FALSE(rig_sync(&r, VF0, 1, 20));
	CU_ASSERT_EQUAL(ERRORS, 1);
	rig_close(&r);
}

UT_MAIN("hws_bad", UT(lists_that_are_none_are_given_up), UT(a_list_outside_of_memory_faults),
        UT(endless_lists_take_no_time_from_others), UT(without_a_vmid_or_hqd_it_says_so),
        UT(bad_processes_harm_only_themselves), UT(noise_in_lists_leaves_the_other_function_alone),
        UT(only_schedulers_run_lists))
