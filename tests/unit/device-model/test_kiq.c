/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cp_rig.h"
#include "ut.h"

#define VF0 GV_DEV_VF(0)

static void kiq_ring_test_writes_the_scratch_register(void)
{
	struct rig r;

	rig_open(&r);
	rig_start_kiq(&r, VF0);
	rig_wr(&r, VF0, SCRATCH_REG0__BYTE, 0xcafedead);
	RIG_EMIT(&r, VF0, RIG_KIQ, gv_pm4_header(PM4_SET_UCONFIG_REG, 2),
	         SCRATCH_REG0__DW - PM4_SET_UCONFIG_REG_START, 0xdeadbeef);
	rig_kick(&r, VF0, RIG_KIQ);
	CU_ASSERT_TRUE(rig_wait_reg(&r, VF0, SCRATCH_REG0__BYTE, 0xdeadbeef, 20000));
	CU_ASSERT_TRUE(rig_wait_mem(&r, VF0, rig_rptr_va(RIG_KIQ), 3, 20000));
	CU_ASSERT_EQUAL(rig_rd(&r, GV_DEV_VF(1), SCRATCH_REG0__BYTE), 0);
	rig_close(&r);
}

/* The words that Linux 6.1 sends for ring 0: me1 pipe0 queue0, doorbell 6. */
static void the_map_packet_of_amdgpu_maps_its_first_ring(void)
{
	struct rig r;

	rig_open(&r);
	rig_start_kiq(&r, VF0);
	rig_make_mqd(&r, VF0, 1);
	CU_ASSERT_FALSE(rig_is_active(&r, VF0, 1));
	RIG_EMIT(&r, VF0, RIG_KIQ, 0xc005a200, 0x20000000, 0x00000018, (uint32_t)rig_mqd_va(1), 0,
	         (uint32_t)rig_wptr_va(1), 0);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
	CU_ASSERT_TRUE(rig_is_active(&r, VF0, 1));
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 20000));
	rig_close(&r);
}

static void eight_compute_queues_and_two_functions_run(void)
{
	struct rig r;

	rig_open(&r);
	for (unsigned fn = GV_DEV_VF(0); fn <= GV_DEV_VF(1); fn++)
		CU_ASSERT_TRUE(rig_start(&r, fn, 8));
	for (unsigned round = 0; round < 20; round++)
		for (unsigned fn = GV_DEV_VF(0); fn <= GV_DEV_VF(1); fn++)
			for (unsigned q = 1; q <= 8; q++)
				CU_ASSERT_TRUE(rig_sync(&r, fn, q, 20000));
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).guest_errors, 0);
	rig_close(&r);
}

/* A ring is filled many times over, so that packets wrap at every offset. */
static void rings_wrap(void)
{
	struct rig r;

	rig_open(&r);
	CU_ASSERT_TRUE(rig_start(&r, VF0, 1));
	for (unsigned i = 0; i < 2000; i++) {
		uint32_t dw[17] = {gv_pm4_header(PM4_NOP, i % 16 + 1)};

		rig_emit(&r, VF0, 1, dw, i % 16 + 2);
		if (i % 50 == 0)
			CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 20000));
	}
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 20000));
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).guest_errors, 0);
	rig_close(&r);
}

static void a_doorbell_rung_before_mapping_counts(void)
{
	struct rig r;
	uint32_t seq;

	rig_open(&r);
	CU_ASSERT_TRUE(rig_start(&r, VF0, 0));
	rig_make_mqd(&r, VF0, 1);
	seq = rig_emit_fence(&r, VF0, 1, 0);
	rig_kick(&r, VF0, 1);
	/* only the doorbell: the pointer in memory is wiped */
	rig_put(&r, VF0, rig_wptr_va(1), &(uint64_t){0}, 8);
	rig_emit_map(&r, VF0, 1);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
	CU_ASSERT_TRUE(rig_wait_mem(&r, VF0, rig_fence_va(1), seq, 20000));
	rig_close(&r);
}

static void mapping_reads_the_pointer_in_memory(void)
{
	struct rig r;
	uint32_t seq;
	uint64_t wptr;

	rig_open(&r);
	CU_ASSERT_TRUE(rig_start(&r, VF0, 0));
	rig_make_mqd(&r, VF0, 1);
	seq = rig_emit_fence(&r, VF0, 1, 0);
	wptr = r.queue[VF0][1].wptr;
	rig_put(&r, VF0, rig_wptr_va(1), &wptr, sizeof(wptr)); /* no doorbell */
	rig_emit_map(&r, VF0, 1);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
	CU_ASSERT_TRUE(rig_wait_mem(&r, VF0, rig_fence_va(1), seq, 20000));
	rig_close(&r);
}

static void unmapping_stores_rptr_and_mapping_again_goes_on_there(void)
{
	struct rig r;
	uint32_t rptr;

	rig_open(&r);
	CU_ASSERT_TRUE(rig_start(&r, VF0, 1));
	for (unsigned i = 0; i < 5; i++)
		CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 20000));
	for (unsigned action = 0; action < 2; action++) {
		rig_emit_unmap(&r, VF0, 1, action);
		CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
		CU_ASSERT_FALSE(rig_is_active(&r, VF0, 1));
		rptr = rig_get32(&r, VF0, rig_mqd_va(1) + GV_MQD_DW(CP_HQD_PQ_RPTR) * 4);
		CU_ASSERT_EQUAL(rptr, r.queue[VF0][1].wptr);
		/* what is rung now waits for the mapping */
		CU_ASSERT_FALSE(rig_sync(&r, VF0, 1, 20));
		rig_emit_map(&r, VF0, 1);
		CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
		CU_ASSERT_TRUE(
		        rig_wait_mem(&r, VF0, rig_fence_va(1), r.queue[VF0][1].fence, 20000));
	}
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).guest_errors, 0);
	rig_close(&r);
}

static void unmapping_a_waiting_queue_keeps_its_packet(void)
{
	const uint64_t flag = RIG_SCRATCH_VA;
	struct rig r;

	rig_open(&r);
	CU_ASSERT_TRUE(rig_start(&r, VF0, 1));
	rig_put32(&r, VF0, flag, 0);
	RIG_EMIT(&r, VF0, 1, gv_pm4_header(PM4_WAIT_REG_MEM, 6),
	         GV_PUT(PM4_WAIT_REG_MEM, FUNCTION, 3) | GV_PUT(PM4_WAIT_REG_MEM, MEM_SPACE, 1),
	         (uint32_t)flag, 0, 1, 0xffffffff, 4);
	CU_ASSERT_FALSE(rig_sync(&r, VF0, 1, 20));
	rig_emit_unmap(&r, VF0, 1, 0);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
	CU_ASSERT_FALSE(rig_is_active(&r, VF0, 1));
	rig_emit_map(&r, VF0, 1);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
	CU_ASSERT_FALSE(rig_wait_mem(&r, VF0, rig_fence_va(1), r.queue[VF0][1].fence, 20));
	rig_put32(&r, VF0, flag, 1);
	CU_ASSERT_TRUE(rig_wait_mem(&r, VF0, rig_fence_va(1), r.queue[VF0][1].fence, 20000));
	rig_close(&r);
}

static void unmapping_all_spares_the_kiq(void)
{
	struct rig r;

	rig_open(&r);
	CU_ASSERT_TRUE(rig_start(&r, VF0, 8));
	RIG_EMIT(&r, VF0, RIG_KIQ, gv_pm4_header(PM4_UNMAP_QUEUES, 5),
	         GV_PUT(PM4_UNMAP_QUEUES, ACTION, 1) | GV_PUT(PM4_UNMAP_QUEUES, QUEUE_SEL, 2), 0, 0,
	         0, 0);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
	for (unsigned q = 1; q <= 8; q++)
		CU_ASSERT_FALSE(rig_is_active(&r, VF0, q));
	CU_ASSERT_TRUE(rig_is_active(&r, VF0, RIG_KIQ));
	rig_close(&r);
}

static void preempting_without_unmapping_writes_its_fence(void)
{
	const uint64_t fence = RIG_SCRATCH_VA + 0x40;
	struct rig r;

	rig_open(&r);
	CU_ASSERT_TRUE(rig_start(&r, VF0, 1));
	RIG_EMIT(&r, VF0, RIG_KIQ, gv_pm4_header(PM4_UNMAP_QUEUES, 5),
	         GV_PUT(PM4_UNMAP_QUEUES, ACTION, 3) | GV_PUT(PM4_UNMAP_QUEUES, NUM_QUEUES, 1),
	         GV_PUT(PM4_UNMAP_QUEUES, DOORBELL_OFFSET0, rig_doorbell(1)), (uint32_t)fence, 0,
	         77);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, fence), 77);
	CU_ASSERT_TRUE(rig_is_active(&r, VF0, 1));
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 20000));
	rig_close(&r);
}

static void query_status_answers_by_fence_and_interrupt(void)
{
	const uint64_t fence = RIG_SCRATCH_VA + 0x40;
	struct gv_ih_iv iv;
	struct rig r;

	rig_open(&r);
	CU_ASSERT_TRUE(rig_start(&r, VF0, 0));
	RIG_EMIT(&r, VF0, RIG_KIQ, gv_pm4_header(PM4_QUERY_STATUS, 6),
	         GV_PUT(PM4_QUERY_STATUS, COMMAND, 3) | GV_PUT(PM4_QUERY_STATUS, CONTEXT_ID, 0x123),
	         0, (uint32_t)fence, 0, 0x55, 0x66);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, fence), 0x55);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, fence + 4), 0x66);
	CU_ASSERT_TRUE(rig_find_iv(&r, VF0, GV_IH_SRC_CP_QUERY_STATUS, &iv, 20000));
	CU_ASSERT_EQUAL(iv.dw[4], 0x123);
	rig_close(&r);
}

static void only_a_scheduler_queue_may_map_queues(void)
{
	struct gv_ih_iv iv;
	struct rig r;

	rig_open(&r);
	CU_ASSERT_TRUE(rig_start(&r, VF0, 1));
	rig_make_mqd(&r, VF0, 2);
	RIG_EMIT(&r, VF0, 1, gv_pm4_header(PM4_MAP_QUEUES, 6),
	         GV_PUT(PM4_MAP_QUEUES, PIPE, 1) | GV_PUT(PM4_MAP_QUEUES, NUM_QUEUES, 1),
	         GV_PUT(PM4_MAP_QUEUES, DOORBELL_OFFSET, rig_doorbell(2)), (uint32_t)rig_mqd_va(2),
	         0, (uint32_t)rig_wptr_va(2), 0);
	CU_ASSERT_FALSE(rig_sync(&r, VF0, 1, 50));
	CU_ASSERT_FALSE(rig_is_active(&r, VF0, 2));
	CU_ASSERT_TRUE(rig_find_iv(&r, VF0, GV_IH_SRC_CP_PRIV_INSTR, &iv, 20000));
	/* the KIQ takes the hung queue down and up again */
	rig_emit_unmap(&r, VF0, 1, 0);
	CU_ASSERT_TRUE(rig_map(&r, VF0, 1));
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 20000));
	rig_close(&r);
}

/* QUEUE_SEL 1: the scheduler takes a free slot out of SET_RESOURCES, or refuses. */
static void a_scheduler_chosen_slot_comes_from_the_mask(void)
{
	struct rig r;

	rig_open(&r);
	rig_start_kiq(&r, VF0);
	for (unsigned i = 0; i < 2; i++) {
		/* only slot 8: me1 pipe1 queue0, which is queue 2 here */
		RIG_EMIT(&r, VF0, RIG_KIQ, gv_pm4_header(PM4_SET_RESOURCES, 7), 0, 1u << 8, 0, 0, 0,
		         0, 0);
		rig_make_mqd(&r, VF0, i ? 3 : 2);
		RIG_EMIT(&r, VF0, RIG_KIQ, gv_pm4_header(PM4_MAP_QUEUES, 6),
		         GV_PUT(PM4_MAP_QUEUES, QUEUE_SEL, 1) |
		                 GV_PUT(PM4_MAP_QUEUES, NUM_QUEUES, 1),
		         GV_PUT(PM4_MAP_QUEUES, DOORBELL_OFFSET, rig_doorbell(i ? 3 : 2)),
		         (uint32_t)rig_mqd_va(i ? 3 : 2), 0, (uint32_t)rig_wptr_va(i ? 3 : 2), 0);
		CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
		CU_ASSERT_EQUAL(rig_stats(&r, VF0).guest_errors, i);
	}
	CU_ASSERT_TRUE(rig_is_active(&r, VF0, 2));
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 2, 20000));
	CU_ASSERT_FALSE(rig_sync(&r, VF0, 3, 20));
	rig_close(&r);
}

static void dequeue_request_stops_a_queue(void)
{
	struct rig r;

	rig_open(&r);
	CU_ASSERT_TRUE(rig_start(&r, VF0, 2));
	for (unsigned q = 1; q <= 2; q++) {
		rig_select(&r, VF0, q);
		rig_wr(&r, VF0, CP_HQD_DEQUEUE_REQUEST__BYTE, q);
		CU_ASSERT_TRUE(rig_wait_reg(&r, VF0, CP_HQD_ACTIVE__BYTE, 0, 20000));
	}
	rig_wr(&r, VF0, GRBM_GFX_CNTL__BYTE, 0);
	CU_ASSERT_FALSE(rig_sync(&r, VF0, 1, 20));
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
	rig_close(&r);
}

static void a_halted_mec_runs_nothing_until_released(void)
{
	struct rig r;

	rig_open(&r);
	CU_ASSERT_TRUE(rig_start(&r, VF0, 1));
	rig_wr(&r, VF0, CP_MEC_CNTL__BYTE, GV_PUT(CP_MEC_CNTL, MEC_ME1_HALT, 1));
	CU_ASSERT_FALSE(rig_sync(&r, VF0, 1, 20));
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
	rig_wr(&r, VF0, CP_MEC_CNTL__BYTE, 0);
	CU_ASSERT_TRUE(rig_wait_mem(&r, VF0, rig_fence_va(1), r.queue[VF0][1].fence, 20000));
	rig_close(&r);
}

static void a_reset_forgets_queues_and_a_new_start_works(void)
{
	struct rig r;

	rig_open(&r);
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_TRUE(rig_start(&r, VF0, 8));
		CU_ASSERT_TRUE(rig_sync(&r, VF0, 8, 20000));
		CU_ASSERT_EQUAL(gv_dev_reset(r.dev, VF0), 0);
		CU_ASSERT_FALSE(rig_is_active(&r, VF0, RIG_KIQ));
		rig_admit_vf(&r, 0);
	}
	rig_close(&r);
}

static void pointers_out_of_any_range_are_bounded(void)
{
	static const uint64_t hostile[] = {UINT64_MAX, 1ull << 63, 5000, 1ull << 32, 4095, 0, 1};
	struct rig r;

	rig_open(&r);
	CU_ASSERT_TRUE(rig_start(&r, VF0, 2));
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
		CU_ASSERT_EQUAL(gv_dev_write(r.dev, VF0, GV_REGION_DOORBELL, rig_doorbell(1) * 4,
		                             &hostile[i], 8),
		                0);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 2, 20000));
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
	rig_close(&r);
}

UT_MAIN("kiq", UT(kiq_ring_test_writes_the_scratch_register),
        UT(the_map_packet_of_amdgpu_maps_its_first_ring),
        UT(eight_compute_queues_and_two_functions_run), UT(rings_wrap),
        UT(a_doorbell_rung_before_mapping_counts), UT(mapping_reads_the_pointer_in_memory),
        UT(unmapping_stores_rptr_and_mapping_again_goes_on_there),
        UT(unmapping_a_waiting_queue_keeps_its_packet), UT(unmapping_all_spares_the_kiq),
        UT(preempting_without_unmapping_writes_its_fence),
        UT(query_status_answers_by_fence_and_interrupt), UT(only_a_scheduler_queue_may_map_queues),
        UT(a_scheduler_chosen_slot_comes_from_the_mask), UT(dequeue_request_stops_a_queue),
        UT(a_halted_mec_runs_nothing_until_released),
        UT(a_reset_forgets_queues_and_a_new_start_works), UT(pointers_out_of_any_range_are_bounded))
