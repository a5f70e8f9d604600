/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pointers, doorbells, MQDs, and rings that mean harm. */
#include "sdma_rig.h"
#include "ut.h"

#define DST    (DATA_FB + 8 * GV_MIB)
#define MQD_FB (DATA_FB + GV_MIB)
#define BELL   0x600u

static uint64_t errors(struct sdma_rig *r)
{
	return atomic_load(&r->f->count.guest_errors);
}

static bool wait_bit(struct sdma_rig *r, enum gv_reg reg, unsigned bit)
{
	uint64_t end = gv_now_ns() + 20 * GV_S;
	unsigned spins = 0;

	while (!(rig_qrd(r, reg) >> bit & 1)) {
		if (gv_now_ns() > end)
			return false;
		gv_poll_pause(&spins);
	}
	return true;
}

static bool wait_stuck(struct sdma_rig *r)
{
	return wait_bit(r, rig_q(r)->context_status, SDMA0_GFX_CONTEXT_STATUS__EXCEPTION__LO);
}

/* A fence is there before the engine has nothing else to do. */
static bool wait_engine_idle(struct sdma_rig *r)
{
	return wait_bit(r, GV_REG_SDMA0_STATUS_REG, SDMA0_STATUS_REG__IDLE__LO);
}

static void restart(struct sdma_rig *r)
{
	rig_qwr(r, rig_q(r)->rb_cntl, 0);
	rig_start_queue(r, r->engine, r->queue, GV_DOORBELL_SDMA0, 0);
}

static void a_bad_packet_stops_its_queue_only(void)
{
	struct sdma_rig r;
	const uint32_t bad[][6] = {
	        {0x000000ff},                                            /* no such opcode */
	        {GV_SDMA_HEADER(COPY_LINEAR) | 9 << 8},                  /* no such sub-opcode */
	        {GV_SDMA_HEADER(WRITE_UNTILED), 0, 0, 0xfffff},          /* larger than the ring */
	        {GV_SDMA_HEADER(NOP) | GV_PUT(SDMA_NOP, count, 0x3fff)}, /* same */
	};

	rig_sdma_open(&r);
	for (size_t i = 0; i < GV_ARRAY_LEN(bad); i++) {
		uint64_t before = errors(&r);

		CU_ASSERT(rig_sync(&r));
		rig_emit(&r, bad[i], GV_ARRAY_LEN(bad[i]));
		CU_ASSERT_FALSE(rig_sync_within(&r, 20));
		CU_ASSERT(wait_stuck(&r));
		CU_ASSERT_EQUAL(errors(&r), before + 1);
		CU_ASSERT_FALSE(rig_qrd(&r, GV_REG_SDMA0_STATUS_REG) & 1);
		rig_kick(&r); /* does not help */
		CU_ASSERT_FALSE(rig_wait32(r.f, FENCE_FB, r.fence, 20));
		restart(&r);
		CU_ASSERT(rig_sync(&r));
		CU_ASSERT(wait_engine_idle(&r));
	}
	rig_sdma_close(&r);
}

static void a_bad_ib_stops_the_queue(void)
{
	struct sdma_rig r;
	const uint32_t bad[][8] = {
	        {GV_SDMA_HEADER(INDIRECT), LO(DST), 0, 8, 0, 0, 0, 0},       /* nested */
	        {0, 0, 0, 0, 0, GV_SDMA_HEADER(COPY_LINEAR), 1, 2},          /* cut off */
	        {0, 0, 0, 0, GV_SDMA_HEADER(WRITE_UNTILED), LO(DST), 0, 99}, /* data cut off */
	};

	rig_sdma_open(&r);
	for (size_t i = 0; i < GV_ARRAY_LEN(bad); i++) {
		rig_put(r.f, DATA_FB, bad[i], sizeof(bad[i]));
		EMIT(&r, GV_SDMA_HEADER(INDIRECT), LO(DATA_FB), 0, 8, 0, 0);
		CU_ASSERT_FALSE(rig_sync_within(&r, 20));
		CU_ASSERT(wait_stuck(&r));
		restart(&r);
		CU_ASSERT(rig_sync(&r));
	}
	/* a condition inside an IB does not reach the ring behind it */
	const uint32_t cond[8] = {0, 0, 0, GV_SDMA_HEADER(COND_EXE), LO(DST), 0, 1, 0x3fff};
	rig_put(r.f, DATA_FB, cond, sizeof(cond));
	EMIT(&r, GV_SDMA_HEADER(INDIRECT), LO(DATA_FB), 0, 8, 0, 0);
	CU_ASSERT(rig_sync(&r));
	EMIT(&r, GV_SDMA_HEADER(INDIRECT), LO(DATA_FB), 0, 0, 0, 0); /* empty */
	CU_ASSERT(rig_sync(&r));
	rig_sdma_close(&r);
}

static void a_fault_skips_the_packet_and_the_queue_goes_on(void)
{
	struct sdma_rig r;

	rig_sdma_open(&r);
	EMIT(&r, GV_SDMA_HEADER(COPY_LINEAR), 4095, 0, LO(RIG_FB), 0, LO(DST), 0);
	EMIT(&r, GV_SDMA_HEADER(CONSTANT_FILL), LO(RIG_FB - 4096), 0, 1, 8191);
	EMIT(&r, GV_SDMA_HEADER(FENCE), 0, 0x100, 1);
	CU_ASSERT(rig_sync(&r));
	CU_ASSERT_EQUAL(atomic_load(&r.f->count.vm_faults), 3);
	CU_ASSERT_EQUAL(rig_get32(r.f, RIG_FB - 4), 0x01010101); /* what was mapped was filled */
	CU_ASSERT_EQUAL(GV_GET(rig_rd(r.f, MMHUB_VM_L2_PROTECTION_FAULT_STATUS__BYTE),
	                       MMHUB_VM_L2_PROTECTION_FAULT_STATUS, CID),
	                GV_IH_CLIENT_SDMA0);
	/* the ring itself gone: nothing to go on with */
	rig_qwr(&r, rig_q(&r)->rb_cntl, 0);
	rig_qwr(&r, rig_q(&r)->rb_base, (uint32_t)(RIG_FB >> 8));
	rig_qwr(&r, rig_q(&r)->rb_cntl,
	        GV_PUT(SDMA0_GFX_RB_CNTL, RB_SIZE, RING_LOG2) |
	                GV_PUT(SDMA0_GFX_RB_CNTL, RB_ENABLE, 1));
	rig_ring_doorbell(&r, r.wptr + 64);
	CU_ASSERT(wait_stuck(&r));
	rig_sdma_close(&r);
}

static void wild_write_pointers_are_bounded(void)
{
	struct sdma_rig r;
	const uint64_t wild[] = {UINT64_MAX, 1ull << 63, RING_BYTES * 3 + 5, 3, 0};

	rig_sdma_open(&r);
	for (size_t i = 0; i < GV_ARRAY_LEN(wild); i++) {
		uint64_t want = wild[i] & ~3ull;

		rig_ring_doorbell(&r, wild[i]); /* a ring of NOPs */
		CU_ASSERT(rig_wait32(r.f, WB_FB, (uint32_t)want, 5000));
		CU_ASSERT_EQUAL(rig_get32(r.f, WB_FB + 4), HI(want));
	}
	CU_ASSERT(errors(&r) > 0);
	CU_ASSERT(atomic_load(&r.f->count.packets) <= RING_BYTES / 4 * GV_ARRAY_LEN(wild));
	restart(&r);
	CU_ASSERT(rig_sync(&r));
	rig_sdma_close(&r);
}

static void an_enabled_doorbell_without_offset_is_not_the_kiqs(void)
{
	struct sdma_rig r;
	const enum gv_reg off = GV_REG_SDMA1_GFX_DOORBELL_OFFSET;

	rig_sdma_open(&r);
	rig_qwr(&r, GV_REG_SDMA1_GFX_DOORBELL, GV_PUT(SDMA0_GFX_DOORBELL, ENABLE, 1));
	(void)pthread_mutex_lock(&r.f->dev->lock);
	CU_ASSERT_FALSE(gv_sdma_owns_doorbell(r.f, GV_DOORBELL_KIQ));
	CU_ASSERT(gv_sdma_owns_doorbell(r.f, GV_DOORBELL_SDMA0));
	CU_ASSERT_FALSE(gv_sdma_owns_doorbell(r.f, GV_DOORBELL_SDMA1));
	(void)pthread_mutex_unlock(&r.f->dev->lock);
	rig_qwr(&r, off, GV_PUT(SDMA0_GFX_DOORBELL_OFFSET, OFFSET, GV_DOORBELL_SDMA1));
	(void)pthread_mutex_lock(&r.f->dev->lock);
	CU_ASSERT(gv_sdma_owns_doorbell(r.f, GV_DOORBELL_SDMA1));
	(void)pthread_mutex_unlock(&r.f->dev->lock);
	rig_qwr(&r, GV_REG_SDMA1_GFX_DOORBELL, 0);
	(void)pthread_mutex_lock(&r.f->dev->lock);
	CU_ASSERT_FALSE(gv_sdma_owns_doorbell(r.f, GV_DOORBELL_SDMA1));
	(void)pthread_mutex_unlock(&r.f->dev->lock);
	rig_sdma_close(&r);
}

static void halt_minor_update_and_polled_pointers_hold(void)
{
	struct sdma_rig r;

	rig_sdma_open(&r);
	rig_qwr(&r, GV_REG_SDMA0_F32_CNTL, 1);
	CU_ASSERT_FALSE(rig_sync_within(&r, 20));
	rig_qwr(&r, GV_REG_SDMA0_F32_CNTL, 0);
	CU_ASSERT(rig_wait32(r.f, FENCE_FB, r.fence, 5000));
	rig_qwr(&r, rig_q(&r)->minor_ptr_update, 1);
	CU_ASSERT_FALSE(rig_sync_within(&r, 20));
	rig_qwr(&r, rig_q(&r)->minor_ptr_update, 0);
	CU_ASSERT(rig_wait32(r.f, FENCE_FB, r.fence, 5000));
	/* no doorbell: the pointer is found in memory */
	rig_put64(r.f, WB_FB + 8, r.wptr);
	rig_qwr(&r, rig_q(&r)->poll_addr_lo, (uint32_t)WB_FB + 8);
	rig_qwr(&r, rig_q(&r)->poll_cntl, GV_PUT(SDMA0_GFX_RB_WPTR_POLL_CNTL, F32_POLL_ENABLE, 1));
	for (unsigned i = 0; i < 5; i++) {
		EMIT(&r, GV_SDMA_HEADER(FENCE), LO(FENCE_FB), 0, ++r.fence);
		rig_put64(r.f, WB_FB + 8, r.wptr);
		CU_ASSERT(rig_wait32(r.f, FENCE_FB, r.fence, 5000));
	}
	rig_put64(r.f, WB_FB + 8, 0); /* stale memory does not turn the queue back */
	CU_ASSERT(rig_sync(&r));
	/* and by register */
	EMIT(&r, GV_SDMA_HEADER(FENCE), LO(FENCE_FB), 0, ++r.fence);
	rig_qwr(&r, rig_q(&r)->rb_wptr, (uint32_t)r.wptr);
	CU_ASSERT(rig_wait32(r.f, FENCE_FB, r.fence, 5000));
	rig_sdma_close(&r);
}

/* The engine polled ahead of a doorbell that was still on its way. */
static void an_overtaken_doorbell_runs_nothing_again(void)
{
	const uint64_t counter = FENCE_FB + 64;
	struct sdma_rig r;
	uint64_t before;

	rig_sdma_open(&r);
	rig_put64(r.f, counter, 0);
	rig_put64(r.f, WB_FB + 8, r.wptr);
	rig_qwr(&r, rig_q(&r)->poll_addr_lo, (uint32_t)WB_FB + 8);
	rig_qwr(&r, rig_q(&r)->poll_cntl, GV_PUT(SDMA0_GFX_RB_WPTR_POLL_CNTL, F32_POLL_ENABLE, 1));
	before = r.wptr;
	EMIT(&r, GV_SDMA_HEADER(ATOMIC) | GV_PUT(SDMA_ATOMIC, atomic_op, GV_TC_ADD_RTN_32),
	     LO(counter), 0, 1, 0, 0, 0, 0);
	EMIT(&r, GV_SDMA_HEADER(FENCE), LO(FENCE_FB), 0, ++r.fence);
	rig_put64(r.f, WB_FB + 8, r.wptr);
	CU_ASSERT(rig_wait32(r.f, FENCE_FB, r.fence, 5000));
	rig_ring_doorbell(&r, before + SDMA_ATOMIC__DW * 4);
	CU_ASSERT_FALSE(rig_wait32(r.f, counter, 2, 50));
	CU_ASSERT(rig_sync(&r));
	CU_ASSERT_EQUAL(atomic_load(&r.f->count.guest_errors), 0);
	rig_sdma_close(&r);
}

/* ---- MQDs ----------------------------------------------------------------- */

static void make_mqd(struct sdma_rig *r, uint64_t fb, uint64_t ring)
{
	uint32_t mqd[GV_SDMA_MQD_DWORDS] = {0};

	mqd[GV_SDMA_MQD_RB_CNTL] = GV_PUT(SDMA0_RLC0_RB_CNTL, RB_SIZE, RING_LOG2) |
	                           GV_PUT(SDMA0_RLC0_RB_CNTL, RPTR_WRITEBACK_ENABLE, 1);
	mqd[GV_SDMA_MQD_RB_BASE] = (uint32_t)(ring >> 8);
	mqd[GV_SDMA_MQD_RB_RPTR_ADDR_LO] = (uint32_t)WB_FB;
	rig_put(r->f, fb, mqd, sizeof(mqd));
}

static int map_queue(struct sdma_rig *r, unsigned engine, unsigned vmid, uint64_t mqd,
                     uint32_t bell, uint64_t wptr_va)
{
	int rc;

	gv_fn_mem_enter(r->f);
	rc = gv_sdma_map_queue(r->f, engine, vmid, mqd, bell, wptr_va, false);
	gv_fn_mem_leave(r->f);
	return rc;
}

static int unmap_queue(struct sdma_rig *r, unsigned engine, uint32_t bell, bool reset)
{
	int rc;

	gv_fn_mem_enter(r->f);
	rc = gv_sdma_unmap_queue(r->f, engine, bell, reset);
	gv_fn_mem_leave(r->f);
	return rc;
}

static void mapped_queues_run_and_give_back_their_pointers(void)
{
	struct sdma_rig r;

	rig_sdma_open(&r);
	make_mqd(&r, MQD_FB, RING_FB);
	rig_qwr(&r, rig_q(&r)->rb_cntl, 0); /* the driver's own ring is not used here */
	for (unsigned e = 0; e < SDMA_ENGINES; e++) {
		uint64_t wptr;

		rig_qwr(&r, gv_sdma_engine_regs[e].f32_cntl, 0);
		CU_ASSERT_EQUAL(map_queue(&r, e, 0, MQD_FB, BELL, 0), 0);
		CU_ASSERT_EQUAL(map_queue(&r, e, 0, MQD_FB, BELL, 0), -EEXIST);
		r.engine = e;
		r.queue = 1;
		CU_ASSERT(rig_sync(&r));
		wptr = r.wptr;
		CU_ASSERT_EQUAL(unmap_queue(&r, e, BELL, false), 0);
		CU_ASSERT_EQUAL(unmap_queue(&r, e, BELL, false), -ENOENT);
		CU_ASSERT_EQUAL(rig_get32(r.f, MQD_FB + 4 * GV_SDMA_MQD_RB_RPTR), wptr);
		CU_ASSERT_EQUAL(rig_get32(r.f, MQD_FB + 4 * GV_SDMA_MQD_RB_WPTR), wptr);
		CU_ASSERT_EQUAL(rig_get32(r.f, MQD_FB + 4 * GV_SDMA_MQD_RB_BASE), RING_FB >> 8);
		CU_ASSERT_FALSE(rig_get32(r.f, MQD_FB + 4 * GV_SDMA_MQD_RB_CNTL) & 1);
		CU_ASSERT_EQUAL(rig_qrd(&r, rig_q(&r)->rb_cntl),
		                gv_reg_info(rig_q(&r)->rb_cntl)->reset);
	}
	rig_sdma_close(&r);
}

static void an_engine_has_two_queues_to_map(void)
{
	struct sdma_rig r;

	rig_sdma_open(&r);
	make_mqd(&r, MQD_FB, RING_FB);
	CU_ASSERT_EQUAL(map_queue(&r, 1, 0, MQD_FB, BELL, 0), 0);
	CU_ASSERT_EQUAL(map_queue(&r, 1, 0, MQD_FB, BELL + 2, 0), 0);
	CU_ASSERT_EQUAL(map_queue(&r, 1, 0, MQD_FB, BELL + 4, 0), -EBUSY);
	CU_ASSERT_EQUAL(map_queue(&r, 2, 0, MQD_FB, BELL + 4, 0), -EINVAL);
	CU_ASSERT_EQUAL(map_queue(&r, 0, 16, MQD_FB, BELL + 4, 0), -EINVAL);
	CU_ASSERT_EQUAL(map_queue(&r, 0, 0, RIG_FB - 16, BELL + 4, 0), -EFAULT);
	CU_ASSERT_EQUAL(unmap_queue(&r, 0, BELL, false), -ENOENT);
	CU_ASSERT_EQUAL(unmap_queue(&r, 7, BELL, false), -ENOENT);
	CU_ASSERT_EQUAL(unmap_queue(&r, 1, BELL, true), 0);
	CU_ASSERT_EQUAL(map_queue(&r, 1, 0, MQD_FB, BELL + 4, 0), 0);
	rig_sdma_close(&r);
}

static void a_queue_rung_before_it_was_mapped_runs(void)
{
	struct sdma_rig r;
	const uint32_t fence[] = {GV_SDMA_HEADER(FENCE), LO(FENCE_FB), 0, 0x77};

	rig_sdma_open(&r);
	make_mqd(&r, MQD_FB, RING_FB + RING_BYTES);
	rig_put(r.f, RING_FB + RING_BYTES, fence, sizeof(fence));
	rig_put64(r.f, WB_FB + 8, sizeof(fence));
	CU_ASSERT_EQUAL(map_queue(&r, 0, 0, MQD_FB, BELL, WB_FB + 8), 0);
	CU_ASSERT(rig_wait32(r.f, FENCE_FB, 0x77, 5000));
	rig_sdma_close(&r);
}

static void a_queue_unmapped_inside_an_ib_goes_on_there(void)
{
	struct sdma_rig r;
	const uint32_t ib[] = {
	        /* add 1, wait for memory, add 1 */
	        GV_SDMA_HEADER(ATOMIC) | GV_PUT(SDMA_ATOMIC, atomic_op, GV_TC_ADD_RTN_32),
	        LO(DST),
	        0,
	        1,
	        0,
	        0,
	        0,
	        0,
	        GV_SDMA_HEADER(POLL_REGMEM) | GV_PUT(SDMA_POLL_REGMEM, func, 3) |
	                GV_PUT(SDMA_POLL_REGMEM, mem_poll, 1),
	        LO(DST + 8),
	        0,
	        1,
	        1,
	        GV_PUT(SDMA_POLL_REGMEM, retry_count, 0xfff),
	        GV_SDMA_HEADER(ATOMIC) | GV_PUT(SDMA_ATOMIC, atomic_op, GV_TC_ADD_RTN_32),
	        LO(DST),
	        0,
	        1,
	        0,
	        0,
	        0,
	        0};

	rig_sdma_open(&r);
	rig_put(r.f, DATA_FB, ib, sizeof(ib));
	make_mqd(&r, MQD_FB, RING_FB);
	rig_qwr(&r, rig_q(&r)->rb_cntl, 0);
	CU_ASSERT_EQUAL(map_queue(&r, 0, 0, MQD_FB, BELL, 0), 0);
	r.queue = 1;
	EMIT(&r, GV_SDMA_HEADER(INDIRECT), LO(DATA_FB), 0, GV_ARRAY_LEN(ib), 0, 0);
	rig_kick(&r);
	CU_ASSERT(rig_wait32(r.f, DST, 1, 5000));
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(unmap_queue(&r, 0, BELL, false), 0);
		CU_ASSERT(GV_GET(rig_get32(r.f, MQD_FB + 4 * GV_SDMA_MQD_CONTEXT_STATUS),
		                 SDMA0_RLC0_CONTEXT_STATUS, PREEMPTED));
		CU_ASSERT_EQUAL(map_queue(&r, 0, 0, MQD_FB, BELL, 0), 0);
	}
	rig_put64(r.f, DST + 8, 1);
	CU_ASSERT(rig_sync(&r));
	CU_ASSERT_EQUAL(rig_get32(r.f, DST), 2); /* each once */
	rig_sdma_close(&r);
}

/* ---- disturbance ---------------------------------------------------------- */

static void resets_and_table_changes_in_mid_copy_are_safe(void)
{
	struct sdma_rig r;

	rig_sdma_open(&r);
	for (unsigned i = 0; i < 20; i++) {
		for (unsigned k = 0; k < 16; k++)
			EMIT(&r, GV_SDMA_HEADER(COPY_LINEAR), 4 * GV_MIB - 1, 0, LO(DATA_FB), 0,
			     LO(DST), 0);
		rig_kick(&r);
		if (i % 4 == 0)
			gv_vram_rotate(r.f);
		else if (i % 4 == 1)
			gv_vram_release(r.f);
		else if (i % 4 == 2)
			gv_dev_dma_changed(r.f->dev, r.f->index, RIG_IOVA, RIG_SYS);
		gv_fn_reset(r.f);
		CU_ASSERT_EQUAL(rig_qrd(&r, rig_q(&r)->rb_cntl),
		                gv_reg_info(rig_q(&r)->rb_cntl)->reset);
		rig_wr(r.mem.pf, GVX_VF_FB_EN__BYTE, 3);
		rig_wr(r.mem.pf, GVX_VF_REGWR_EN__BYTE, 3);
		rig_wr(r.mem.pf, GVX_VF_DOORBELL_EN__BYTE, 3);
		rig_default_l2(&r.mem, 0);
		rig_start_queue(&r, 0, SDMA_GFX, GV_DOORBELL_SDMA0, 0);
		CU_ASSERT(rig_sync(&r));
	}
	rig_sdma_close(&r);
}

static void endless_packets_end_with_the_queue(void)
{
	struct sdma_rig r;
	uint64_t start;

	rig_sdma_open(&r);
	/* zeroes the same place for ever */
	EMIT(&r, GV_SDMA_HEADER(DATA_FILL_MULTI), 0, UINT32_MAX, LO(DST), 0, 0x3ffffff >> 4);
	rig_kick(&r);
	start = gv_now_ns();
	gv_fn_reset(r.f);
	CU_ASSERT(gv_now_ns() - start < GV_S);
	rig_sdma_close(&r);
}

UT_MAIN("sdma queues", UT(a_bad_packet_stops_its_queue_only), UT(a_bad_ib_stops_the_queue),
        UT(a_fault_skips_the_packet_and_the_queue_goes_on), UT(wild_write_pointers_are_bounded),
        UT(an_enabled_doorbell_without_offset_is_not_the_kiqs),
        UT(halt_minor_update_and_polled_pointers_hold),
        UT(an_overtaken_doorbell_runs_nothing_again),
        UT(mapped_queues_run_and_give_back_their_pointers), UT(an_engine_has_two_queues_to_map),
        UT(a_queue_rung_before_it_was_mapped_runs), UT(a_queue_unmapped_inside_an_ib_goes_on_there),
        UT(resets_and_table_changes_in_mid_copy_are_safe), UT(endless_packets_end_with_the_queue))
