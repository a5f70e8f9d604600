/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scheduler of user queues: what KFD does with it. */
#include "hws_rig.h"

/* ---- what must work ------------------------------------------------------- */

static void a_process_runs_in_a_vmid_with_its_pasid(void)
{
	struct gv_ih_iv iv;

	up(VMIDS, SLOTS);
	give(2, 0, 2); /* rung before it is mapped */
	add_process(2);
	add_queue(2, 0);
	run(1);
	CU_ASSERT_TRUE(is_done(2, 0, 20000));
	CU_ASSERT_TRUE(rig_find_iv(&r, VF0, GV_IH_SRC_CP_EOP, &iv, 20000));
	CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, VMID), FIRST_VMID);
	CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, RING_ID), 1 << 2 | 1); /* me1 pipe1 queue0 */
	CU_ASSERT_EQUAL(iv.dw[3] & 0xffff, pasid(2));
	CU_ASSERT_EQUAL(iv.dw[4], 0x70);
	CU_ASSERT_EQUAL(gv_vmid_get(&r.dev->fn[VF0], FIRST_VMID, GV_REG_SH_MEM_BASES), 0x60005002);
	CU_ASSERT_EQUAL(gv_vmid_get(&r.dev->fn[VF0], FIRST_VMID, GV_REG_SQ_SHADER_TBA_LO), 0x11);
	CU_ASSERT_EQUAL(gv_vmid_get(&r.dev->fn[VF0], FIRST_VMID, GV_REG_SQ_SHADER_TMA_LO), 0x22);
	for (unsigned i = 0; i < 5; i++) {
		give(2, 0, 0);
		CU_ASSERT_TRUE(is_done(2, 0, 20000));
	}
	CU_ASSERT_TRUE(unmap_all());
	CU_ASSERT_EQUAL(count_active(SLOTS), 0);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, MQD(2, 0) + GV_MQD_DW(CP_HQD_PQ_RPTR) * 4),
	                users[2][0].wptr);
	CU_ASSERT_EQUAL(ERRORS, 0);
	rig_close(&r);
}

/* KFD takes everything down and puts it up again for every change. */
static void every_change_maps_all_again(void)
{
	up(VMIDS, SLOTS);
	for (unsigned round = 1; round <= 12; round++) {
		unsigned processes = 1 + round % 3;

		for (unsigned p = 0; p < processes; p++) {
			add_process(p);
			add_queue(p, 0);
			add_queue(p, 1);
		}
		run(processes);
		for (unsigned p = 0; p < processes; p++)
			for (unsigned k = 0; k < 2; k++)
				give(p, k, 0);
		for (unsigned p = 0; p < processes; p++)
			for (unsigned k = 0; k < 2; k++)
				CU_ASSERT_TRUE(is_done(p, k, 20000));
		CU_ASSERT_TRUE(unmap_all());
		CU_ASSERT_EQUAL(count_active(SLOTS), 0);
	}
	CU_ASSERT_EQUAL(ERRORS, 0);
	rig_close(&r);
}

static void what_is_not_kfds_stays(void)
{
	up(VMIDS, SLOTS);
	add_process(0);
	add_queue(0, 0);
	run(1);
	CU_ASSERT_TRUE(wait_active(SLOTS, 1));
	CU_ASSERT_TRUE(unmap(2, 0, 0)); /* all */
	CU_ASSERT_EQUAL(count_active(SLOTS), 0);
	CU_ASSERT_TRUE(rig_is_active(&r, VF0, 1));
	CU_ASSERT_TRUE(rig_is_active(&r, VF0, RIG_KIQ));
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 20000));
	rig_close(&r);
}

static void unmapping_by_pasid_takes_only_that_process(void)
{
	up(VMIDS, SLOTS);
	for (unsigned p = 0; p < 2; p++) {
		add_process(p);
		add_queue(p, 0);
	}
	run(2);
	CU_ASSERT_TRUE(wait_active(SLOTS, 2));
	CU_ASSERT_TRUE(unmap(1, 0, pasid(0)));
	give(0, 0, 0);
	give(1, 0, 0);
	CU_ASSERT_TRUE(is_done(1, 0, 20000));
	CU_ASSERT_FALSE(is_done(0, 0, 30));
	CU_ASSERT_TRUE(unmap(1, 0, 0x1234)); /* nobody's */
	CU_ASSERT_EQUAL(count_active(SLOTS), 1);
	CU_ASSERT_EQUAL(ERRORS, 0);
	rig_close(&r);
}

/* A reset stores nothing that is not so, and takes a queue at once that would never stop. */
static void a_reset_action_does_not_wait(void)
{
	up(VMIDS, SLOTS);
	add_process(0);
	add_queue(0, 0);
	give_wait_in_ib(0, 0);
	run(1);
	CU_ASSERT_TRUE(wait_active(SLOTS, 1));
	CU_ASSERT_TRUE(unmap(3, 1, 0));
	CU_ASSERT_EQUAL(count_active(SLOTS), 0);
	CU_ASSERT_FALSE(is_done(0, 0, 10));
	rig_close(&r);
}

static void a_fault_names_the_process(void)
{
	struct gv_ih_iv iv;

	up(VMIDS, SLOTS);
	for (unsigned p = 0; p < 2; p++) {
		add_process(p);
		add_queue(p, 0);
	}
	run(2);
	EMIT(1, 0, gv_pm4_header(PM4_WRITE_DATA, 4), 0x100, (uint32_t)(USER + PAGES * GV_GPU_PAGE),
	     (uint32_t)(USER >> 32), 1);
	give(1, 0, 0);
	give(0, 0, 0);
	CU_ASSERT_TRUE(is_done(0, 0, 20000));
	CU_ASSERT_TRUE(rig_find_iv(&r, VF0, 0, &iv, 20000));
	CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, CLIENT_ID), GV_IH_CLIENT_UTCL2);
	CU_ASSERT_EQUAL(iv.dw[3] & 0xffff, pasid(1));
	CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, VMID), FIRST_VMID + 1);
	CU_ASSERT_FALSE(is_done(1, 0, 10));
	CU_ASSERT_TRUE(unmap_all()); /* also the one that failed */
	CU_ASSERT_EQUAL(count_active(SLOTS), 0);
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).vm_faults, 1);
	rig_close(&r);
}

/* ---- turns ---------------------------------------------------------------- */

static void more_queues_than_hqds_take_turns(void)
{
	up(VMIDS, 0x300);
	add_all(1, 5);
	chain();
	run(1);
	all_run(1, 5, 4);
	CU_ASSERT_TRUE(count_active(0x300) <= 2);
	CU_ASSERT_TRUE(unmap_all());
	CU_ASSERT_EQUAL(count_active(0x300), 0);
	CU_ASSERT_EQUAL(ERRORS, 0);
	rig_close(&r);
}

/* Also without a RUN_LIST at its end. */
static void more_processes_than_vmids_take_turns(void)
{
	for (unsigned chained = 0; chained < 2; chained++) {
		up(0x300, SLOTS);
		add_all(PROCESSES, 2);
		if (chained)
			chain();
		run(chained ? 2 : 0);
		all_run(PROCESSES, 2, 3);
		CU_ASSERT_TRUE(unmap_all());
		CU_ASSERT_EQUAL(count_active(SLOTS), 0);
		CU_ASSERT_EQUAL(ERRORS, 0);
		rig_close(&r);
	}
}

static void no_more_processes_at_a_time_than_the_list_says(void)
{
	up(VMIDS, SLOTS);
	add_all(3, 1);
	chain();
	run(1);
	all_run(3, 1, 2);
	for (unsigned i = 0; i < 50; i++)
		CU_ASSERT_TRUE(count_active(SLOTS) <= 1);
	CU_ASSERT_TRUE(unmap_all());
	rig_close(&r);
}

/* One waits for the other, which has no place at first. */
static void a_queue_that_waits_lets_the_others_have_a_turn(void)
{
	up(VMIDS, 0x100);
	add_all(1, 3);
	chain();
	EMIT(0, 0, gv_pm4_header(PM4_WAIT_REG_MEM, 6), 0x13, (uint32_t)(USER + CONTROL(2) + FENCE),
	     (uint32_t)(USER >> 32), 1, UINT32_MAX, 4);
	run(1);
	all_run(1, 3, 1);
	CU_ASSERT_TRUE(unmap_all());
	CU_ASSERT_EQUAL(ERRORS, 0);
	rig_close(&r);
}

/* What is in the middle of a wait in an IB has no area to be saved in: it keeps its HQD. */
static void what_cannot_be_preempted_keeps_its_place(void)
{
	up(VMIDS, 0x300);
	add_all(1, 5);
	chain();
	give_wait_in_ib(0, 0);
	run(1);
	for (unsigned k = 1; k < 5; k++)
		give(0, k, 0);
	for (unsigned k = 1; k < 5; k++)
		CU_ASSERT_TRUE(is_done(0, k, 20000));
	CU_ASSERT_FALSE(is_done(0, 0, 1));
	rig_put32(&r, VF0, PHYS(0) + FLAG(0), 1);
	CU_ASSERT_TRUE(is_done(0, 0, 20000));
	CU_ASSERT_TRUE(unmap_all());
	CU_ASSERT_EQUAL(ERRORS, 0);
	rig_close(&r);
}

/* Those from @first on stand in their IBs. */
static void all_have_a_turn_but_wait(unsigned first)
{
	for (unsigned p = 0; p < 3; p++) {
		give(p, 1, 0);
		CU_ASSERT_TRUE(is_done(p, 1, 20000));
		CU_ASSERT_TRUE(p < first || !is_done(p, 0, 0));
	}
}

/* The same with an area: it is saved, and goes on in whatever VMID and HQD its next turn brings. */
static void what_is_preempted_goes_on_in_another_vmid(void)
{
	up(0x300, 0xf00);
	for (unsigned p = 0; p < 3; p++) {
		rig_put32(&r, VF0, MQD(p, 0) + GV_MQD_DW(CP_HQD_PERSISTENT_STATE) * 4,
		          GV_PUT(CP_HQD_PERSISTENT_STATE, QSWITCH_MODE, 1));
		rig_put32(&r, VF0, MQD(p, 0) + GV_MQD_DW(CP_HQD_CTX_SAVE_BASE_ADDR_LO) * 4,
		          (uint32_t)(USER + SAVED(0)));
		rig_put32(&r, VF0, MQD(p, 0) + GV_MQD_DW(CP_HQD_CTX_SAVE_BASE_ADDR_HI) * 4,
		          (uint32_t)(USER >> 32));
		rig_put32(&r, VF0, MQD(p, 0) + GV_MQD_DW(CP_HQD_CTX_SAVE_SIZE) * 4, GV_GPU_PAGE);
		give_wait_in_ib(p, 0);
	}
	add_all(3, 2);
	chain();
	run(2);
	for (unsigned p = 0; p < 3; p++) {
		for (unsigned i = 0; i < 4; i++)
			all_have_a_turn_but_wait(p);
		rig_put32(&r, VF0, PHYS(p) + FLAG(0), 1); /* its own, none of the others' */
		CU_ASSERT_TRUE(is_done(p, 0, 20000));
	}
	CU_ASSERT_TRUE(unmap_all());
	CU_ASSERT_EQUAL(ERRORS, 0);
	rig_close(&r);
}

/* A world switch in the middle of turns, forty times. */
static void turns_survive_switches_of_worlds(void)
{
	up(0x300, 0x300);
	world_set_area(&r, WORLD_CSA, WORLD_SLOT);
	add_all(3, 4);
	chain();
	run(2);
	for (unsigned i = 0; i < 40; i++) {
		give(i % 3, i % 4, 0);
		DONE(IDLE, 0);
		DONE(SAVE, 0);
		CU_ASSERT_EQUAL(r.dev->fn[VF0].cp->hws.state, GV_HWS_OFF);
		DONE(LOAD, 0);
		DONE(RUN, 0);
	}
	all_run(3, 4, 2);
	CU_ASSERT_TRUE(unmap_all());
	CU_ASSERT_EQUAL(count_active(0x300), 0);
	CU_ASSERT_EQUAL(ERRORS, 0);
	rig_close(&r);
}

/* ---- SDMA ----------------------------------------------------------------- */

static void sdma_queues_of_a_process_copy_for_it(void)
{
	struct gv_ih_iv iv;

	up(VMIDS, SLOTS);
	rig_wr(&r, VF0, SDMA0_F32_CNTL__BYTE, 0);
	rig_wr(&r, VF0, SDMA1_F32_CNTL__BYTE, 0);
	rig_wr(&r, VF0, SDMA0_CNTL__BYTE, GV_PUT(SDMA0_CNTL, TRAP_ENABLE, 1));
	for (unsigned k = 2; k < 4; k++)
		make_sdma_mqd(1, k);
	for (unsigned round = 0; round < 4; round++) {
		add_process(0);
		add_queue(0, 0);
		add_process(1);
		add_queue(1, 0);
		add_engine(1, 2, 2);
		add_engine(1, 3, 3);
		run(2);
		for (unsigned k = 2; k < 4; k++)
			give_copy(1, k, 0x500 + round * 2 + k);
		give(1, 0, 0);
		for (unsigned k = 2; k < 4; k++) {
			CU_ASSERT_TRUE(is_done(1, k, 20000));
			CU_ASSERT_EQUAL(rig_get32(&r, VF0, PHYS(1) + DATA(k)),
			                0x500 + round * 2 + k);
		}
		CU_ASSERT_TRUE(is_done(1, 0, 20000));
		CU_ASSERT_TRUE(unmap_all());
		CU_ASSERT_EQUAL(gv_sdma_listed_vmids(&r.dev->fn[VF0]), 0);
		CU_ASSERT_EQUAL(rig_get32(&r, VF0, MQD(1, 2) + GV_SDMA_MQD_RB_RPTR * 4),
		                users[1][2].wptr * 4);
	}
	CU_ASSERT_TRUE(rig_find_iv(&r, VF0, GV_IH_SRC_SDMA_TRAP, &iv, 20000));
	CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, CLIENT_ID), GV_IH_CLIENT_SDMA0);
	CU_ASSERT_EQUAL(iv.dw[3] & 0xffff, pasid(1));
	CU_ASSERT_EQUAL(ERRORS, 0);
	rig_close(&r);
}

/* Two an engine. */
static void more_sdma_queues_than_there_are_take_turns(void)
{
	up(VMIDS, SLOTS);
	rig_wr(&r, VF0, SDMA0_F32_CNTL__BYTE, 0);
	add_process(0);
	for (unsigned k = 0; k < 5; k++) {
		make_sdma_mqd(0, k);
		add_engine(0, k, 2);
	}
	chain();
	run(1);
	for (unsigned k = 0; k < 5; k++)
		give_copy(0, k, 0x600 + k);
	for (unsigned k = 0; k < 5; k++)
		CU_ASSERT_TRUE(is_done(0, k, 20000));
	CU_ASSERT_TRUE(unmap_all());
	CU_ASSERT_EQUAL(ERRORS, 0);
	rig_close(&r);
}

/* ---- the reset contract ----------------------------------------------------- */

/* The first that does not read as after a reset, or -1. */
static int changed_register(struct gv_fn *f)
{
	for (int reg = 0; reg < GV_REG_COUNT; reg++) {
		const struct gv_reg_info *info = gv_reg_info((enum gv_reg)reg);
		bool fn = info->bank == GV_BANK_FN, hqd = info->bank == GV_BANK_HQD;

		if (reg == GV_REG_RLC_CP_SCHEDULERS) /* none is set up: the PF sees it there */
			continue;
		for (uint32_t i = 0; fn && i < info->count; i++)
			if (gv_reg_get(f, (enum gv_reg)reg, i) != info->reset)
				return reg;
		for (unsigned q = 0; hqd && q < GV_CP_QUEUES; q++)
			if (gv_hqd_get(f, q, (enum gv_reg)reg) != info->reset)
				return reg;
		for (unsigned v = 0; info->bank == GV_BANK_VMID && v < GV_NUM_VMID; v++)
			if (gv_vmid_get(f, v, (enum gv_reg)reg) != info->reset)
				return reg;
	}
	return -1;
}

/* KFD, graphics and SDMA in full swing, then an FLR: the next driver finds no HQD, no ring pointer,
 * no address space and no doorbell of this one. */
static void a_reset_leaves_nothing_of_a_guest(void)
{
	struct gv_fn *f;
	uint64_t wptr = 0;
	int reg;

	up(0x300, 0x300);
	f = &r.dev->fn[VF0];
	for (unsigned round = 0; round < 3; round++) {
		rig_start_gfx(&r, VF0);
		CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_GFX, 20000));
		add_all(3, 3);
		make_sdma_mqd(0, 4);
		add_engine(0, 4, 2);
		chain();
		run(2);
		all_run(3, 3, 1);
		for (unsigned k = 0; k < 3; k++)
			give(k, k, 2);
		CU_ASSERT_EQUAL(gv_dev_reset(r.dev, VF0), 0);
		reg = changed_register(f);
		if (reg >= 0)
			printf("%s\n", gv_reg_info((enum gv_reg)reg)->name);
		CU_ASSERT_EQUAL(reg, -1);
		CU_ASSERT_EQUAL(f->cp->hws.state, GV_HWS_OFF);
		CU_ASSERT_EQUAL(f->cp->mapped, 0);
		CU_ASSERT_EQUAL(gv_sdma_listed_vmids(f), 0);
		for (unsigned k = 0; k < 3; k++) {
			(void)gv_dev_read(r.dev, VF0, GV_REGION_DOORBELL, doorbell(k, k) * 4ul,
			                  &wptr, sizeof(wptr));
			CU_ASSERT_EQUAL(wptr, 0);
		}
		rig_admit_vf(&r, 0);
		bring_up(0x300, 0x300);
	}
	rig_close(&r);
}

UT_MAIN("hws", UT(a_process_runs_in_a_vmid_with_its_pasid), UT(every_change_maps_all_again),
        UT(what_is_not_kfds_stays), UT(unmapping_by_pasid_takes_only_that_process),
        UT(a_reset_action_does_not_wait), UT(a_fault_names_the_process),
        UT(more_queues_than_hqds_take_turns), UT(more_processes_than_vmids_take_turns),
        UT(no_more_processes_at_a_time_than_the_list_says),
        UT(a_queue_that_waits_lets_the_others_have_a_turn),
        UT(what_cannot_be_preempted_keeps_its_place), UT(what_is_preempted_goes_on_in_another_vmid),
        UT(turns_survive_switches_of_worlds), UT(sdma_queues_of_a_process_copy_for_it),
        UT(more_sdma_queues_than_there_are_take_turns), UT(a_reset_leaves_nothing_of_a_guest))
