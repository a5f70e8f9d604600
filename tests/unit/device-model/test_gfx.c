/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The graphics ring, as amdgpu uses it. */
#include "cp_rig.h"
#include "ut.h"

#define VF0 GV_DEV_VF(0)
#define VF1 GV_DEV_VF(1)

/* VMID 1 sees a page at USER_VA, VMID 0 does not. */
#define USER_VA 0x7fffffe00000ull
#define USER_PA (RIG_SCRATCH_VA + 0x40000)
#define TABLE   (RIG_SCRATCH_VA + 0x20000)

static struct rig r;

static void up(void)
{
	rig_open(&r);
	rig_start_kiq(&r, VF0);
	rig_start_gfx(&r, VF0);
}

static bool is_still(unsigned fn, uint64_t va, uint32_t val)
{
	return !rig_wait_mem(&r, fn, va, !val, 30) && rig_get32(&r, fn, va) == val;
}

static void ring_test_writes_the_scratch_register(void)
{
	up();
	rig_wr(&r, VF0, SCRATCH_REG0__BYTE, 0xcafedead);
	RIG_EMIT(&r, VF0, RIG_GFX, gv_pm4_header(PM4_SET_UCONFIG_REG, 2),
	         SCRATCH_REG0__DW - PM4_SET_UCONFIG_REG_START, 0xdeadbeef);
	rig_kick(&r, VF0, RIG_GFX);
	CU_ASSERT_TRUE(rig_wait_reg(&r, VF0, SCRATCH_REG0__BYTE, 0xdeadbeef, 20000));
	CU_ASSERT_TRUE(rig_wait_mem(&r, VF0, rig_rptr_va(RIG_GFX), 3, 20000));
	CU_ASSERT_EQUAL(rig_rd(&r, VF0, CP_RB0_RPTR__BYTE), 3);
	CU_ASSERT_EQUAL(rig_rd(&r, VF0, CP_RB0_WPTR__BYTE), 3);
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).unimplemented, 0);
	rig_close(&r);
}

/* Without a doorbell, by CP_RB0_WPTR. */
static void the_write_pointer_register_rings_too(void)
{
	uint32_t seq;

	up();
	seq = rig_emit_fence(&r, VF0, RIG_GFX, 0);
	rig_wr(&r, VF0, CP_RB0_WPTR__BYTE, (uint32_t)r.queue[VF0][RIG_GFX].wptr);
	CU_ASSERT_TRUE(rig_wait_mem(&r, VF0, rig_fence_va(RIG_GFX), seq, 20000));
	rig_close(&r);
}

/* The first thing that amdgpu puts on it: the state of a context, register by register. */
static void the_clear_state_is_taken(void)
{
	uint32_t dw[66] = {gv_pm4_header(PM4_SET_CONTEXT_REG, 65)};

	up();
	RIG_EMIT(&r, VF0, RIG_GFX, gv_pm4_header(PM4_PREAMBLE_CNTL, 1), 2u << 28);
	RIG_EMIT(&r, VF0, RIG_GFX, gv_pm4_header(PM4_CONTEXT_CONTROL, 2), 0x80000000, 0x80000000);
	for (dw[1] = 0; dw[1] < 0x380; dw[1] += 64) {
		for (unsigned i = 0; i < 64; i++)
			dw[2 + i] = 0x10000 + dw[1] + i;
		rig_emit(&r, VF0, RIG_GFX, dw, 66);
	}
	RIG_EMIT(&r, VF0, RIG_GFX, gv_pm4_header(PM4_PREAMBLE_CNTL, 1), 3u << 28);
	RIG_EMIT(&r, VF0, RIG_GFX, gv_pm4_header(PM4_CLEAR_STATE, 1), 0);
	RIG_EMIT(&r, VF0, RIG_GFX, gv_pm4_header(PM4_SET_BASE, 3), 3, 0x8000, 0x8000);
	RIG_EMIT(&r, VF0, RIG_GFX, gv_pm4_header(PM4_SET_UCONFIG_REG, 2),
	         2u << 28 | (VGT_INDEX_TYPE__DW - PM4_SET_UCONFIG_REG_START), 0);
	/* Mesa's compute jobs begin with the table of border colours */
	RIG_EMIT(&r, VF0, RIG_GFX, gv_pm4_header(PM4_SET_UCONFIG_REG, 3),
	         TA_CS_BC_BASE_ADDR__DW - PM4_SET_UCONFIG_REG_START, 0x1002100, 0x80);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_GFX, 20000));
	CU_ASSERT_EQUAL(rig_rd(&r, VF0, TA_CS_BC_BASE_ADDR__BYTE), 0x1002100);
	CU_ASSERT_EQUAL(rig_rd(&r, VF0, TA_CS_BC_BASE_ADDR_HI__BYTE), 0x80);
	CU_ASSERT_EQUAL(rig_rd(&r, VF0, GV_BYTE_N(DB_RENDER_CONTROL, 0x37f)), 0x1037f);
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).unimplemented, 0);
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).guest_errors, 0);
	rig_close(&r);
}

static void its_end_of_pipe_interrupt_names_me_0(void)
{
	struct gv_ih_iv iv;

	up();
	(void)rig_emit_fence(&r, VF0, RIG_GFX, 2);
	rig_kick(&r, VF0, RIG_GFX);
	CU_ASSERT_TRUE(rig_find_iv(&r, VF0, GV_IH_SRC_CP_EOP, &iv, 20000));
	CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, CLIENT_ID), GV_IH_CLIENT_GRBM_CP);
	CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, RING_ID), 0);
	rig_close(&r);
}

static void a_halted_engine_waits(void)
{
	const uint32_t halts[] = {GV_PUT(CP_ME_CNTL, CE_HALT, 1), GV_PUT(CP_ME_CNTL, PFP_HALT, 1),
	                          GV_PUT(CP_ME_CNTL, ME_HALT, 1)};

	up();
	for (size_t k = 0; k < GV_ARRAY_LEN(halts); k++) {
		uint32_t seq, was = r.queue[VF0][RIG_GFX].fence;

		rig_wr(&r, VF0, CP_ME_CNTL__BYTE, halts[k]);
		seq = rig_emit_fence(&r, VF0, RIG_GFX, 0);
		rig_kick(&r, VF0, RIG_GFX);
		CU_ASSERT_TRUE(is_still(VF0, rig_fence_va(RIG_GFX), was));
		rig_wr(&r, VF0, CP_ME_CNTL__BYTE, 0);
		CU_ASSERT_TRUE(rig_wait_mem(&r, VF0, rig_fence_va(RIG_GFX), seq, 20000));
	}
	rig_close(&r);
}

/* As on reload of the driver without a reset. */
static void setting_it_up_again_begins_at_its_start(void)
{
	up();
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 5 + round; i++)
			CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_GFX, 20000));
		if (round)
			rig_wr(&r, VF0, CP_ME_CNTL__BYTE, gv_reg_info(GV_REG_CP_ME_CNTL)->reset);
		rig_start_gfx(&r, VF0);
	}
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_GFX, 20000));
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).guest_errors, 0);
	rig_close(&r);
}

static void the_ring_wraps(void)
{
	up();
	for (unsigned i = 0; i < 2000; i++) {
		uint32_t dw[17] = {gv_pm4_header(PM4_NOP, i % 16 + 1)};

		rig_emit(&r, VF0, RIG_GFX, dw, i % 16 + 2);
		if (i % 50 == 0)
			CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_GFX, 20000));
	}
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).guest_errors, 0);
	rig_close(&r);
}

/* Each waits for what the other writes, twice, as fences of two schedulers do; the one that comes
 * first finds nothing. */
static void graphics_and_sdma_wait_for_each_other(void)
{
	const uint32_t ring = (uint32_t)RIG_SCRATCH_VA, flag = ring + 0x1000;
	const uint32_t poll = GV_SDMA_HEADER(POLL_REGMEM) | GV_PUT(SDMA_POLL_REGMEM, func, 3) |
	                      GV_PUT(SDMA_POLL_REGMEM, mem_poll, 1);
	uint32_t dw[20];

	for (unsigned first = 0; first < 2; first++) {
		up();
		for (unsigned k = 0; k < 2; k++) {
			const uint32_t sdma[] = {poll,
			                         flag + 16 * k,
			                         0,
			                         1,
			                         UINT32_MAX,
			                         0xfff0004,
			                         GV_SDMA_HEADER(FENCE),
			                         flag + 16 * k + 8,
			                         0,
			                         1};

			for (unsigned i = 0; i < 10; i++)
				dw[10 * k + i] = sdma[i];
			RIG_EMIT(&r, VF0, RIG_GFX, gv_pm4_header(PM4_WRITE_DATA, 4), 0x100,
			         flag + 16 * k, 0, 1);
			RIG_EMIT(&r, VF0, RIG_GFX, gv_pm4_header(PM4_WAIT_REG_MEM, 6), 0x13,
			         flag + 16 * k + 8, 0, 1, UINT32_MAX, 4);
		}
		rig_put(&r, VF0, ring, dw, sizeof(dw));
		rig_wr(&r, VF0, SDMA0_F32_CNTL__BYTE, 0);
		rig_wr(&r, VF0, SDMA0_GFX_RB_BASE__BYTE, ring >> 8);
		rig_wr(&r, VF0, SDMA0_GFX_RB_CNTL__BYTE,
		       GV_PUT(SDMA0_GFX_RB_CNTL, RB_SIZE, 10) |
		               GV_PUT(SDMA0_GFX_RB_CNTL, RB_ENABLE, 1));
		if (first == 0)
			rig_wr(&r, VF0, SDMA0_GFX_RB_WPTR__BYTE, sizeof(dw));
		(void)rig_emit_fence(&r, VF0, RIG_GFX, 0);
		rig_kick(&r, VF0, RIG_GFX);
		if (first == 1)
			CU_ASSERT_TRUE(is_still(VF0, rig_fence_va(RIG_GFX), 0));
		rig_wr(&r, VF0, SDMA0_GFX_RB_WPTR__BYTE, sizeof(dw));
		CU_ASSERT_TRUE(rig_wait_mem(&r, VF0, rig_fence_va(RIG_GFX), 1, 20000));
		CU_ASSERT_EQUAL(rig_stats(&r, VF0).guest_errors, 0);
		rig_close(&r);
	}
}

/* ---- context-save payloads ------------------------------------------------ */

static void emit_payload(uint32_t val)
{
	RIG_EMIT(&r, VF0, RIG_GFX, gv_pm4_header(PM4_WRITE_DATA, 4),
	         GV_PUT(PM4_WRITE_DATA, DST_SEL, 8) | GV_PUT(PM4_WRITE_DATA, WR_CONFIRM, 1),
	         (uint32_t)USER_VA, (uint32_t)(USER_VA >> 32), val);
}

static void emit_ib(unsigned vmid)
{
	rig_put32(&r, VF0, USER_PA + 0x100, GV_PM4_NOP1);
	RIG_EMIT(&r, VF0, RIG_GFX, gv_pm4_header(PM4_INDIRECT_BUFFER, 3),
	         (uint32_t)(USER_VA + 0x100), (uint32_t)(USER_VA >> 32),
	         GV_PUT(PM4_INDIRECT_BUFFER, IB_SIZE, 1) | GV_PUT(PM4_INDIRECT_BUFFER, VMID, vmid));
}

/* Also where the IB is further away than what the engine fetches at once. */
static void payloads_are_written_in_the_address_space_of_the_next_ib(void)
{
	static const unsigned between[] = {0, 3, 500, 507, 508, 509, 510, 511, 512, 700};

	up();
	rig_make_table(&r, VF0, TABLE, USER_PA, 1);
	rig_open_vmid(&r, VF0, 1, USER_VA, 1, TABLE);
	for (uint32_t k = 0; k < GV_ARRAY_LEN(between); k++) {
		uint32_t dw[701] = {between[k] ? gv_pm4_header(PM4_NOP, between[k]) : 0};

		emit_payload(0x100 + k);
		rig_emit(&r, VF0, RIG_GFX, dw, between[k] ? between[k] + 1 : 0);
		emit_ib(1);
		CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_GFX, 20000));
		CU_ASSERT_EQUAL(rig_get32(&r, VF0, USER_PA), 0x100 + k);
	}
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).guest_errors, 0);
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).vm_faults, 0);
	rig_close(&r);
}

/* Nothing to look for it in, or nothing but packets that are not IBs: its own address space. */
static void a_payload_without_an_ib_faults_as_any_write_does(void)
{
	up();
	rig_make_table(&r, VF0, TABLE, USER_PA, 1);
	rig_open_vmid(&r, VF0, 1, USER_VA, 1, TABLE);
	emit_payload(1);
	for (unsigned i = 0; i < 1000; i++)
		RIG_EMIT(&r, VF0, RIG_GFX, GV_PM4_NOP1);
	emit_ib(1);
	CU_ASSERT_FALSE(rig_sync(&r, VF0, RIG_GFX, 30));
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, USER_PA), 0);
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).vm_faults, 1);
	rig_close(&r);
}

/* ---- pre-emption, as amdgpu of Linux 6.12 does it -------------------------- */

static void emit_cond_exec(uint64_t flag, unsigned dw)
{
	RIG_EMIT(&r, VF0, RIG_GFX, gv_pm4_header(PM4_COND_EXEC, 4), (uint32_t)flag, 0, 0, dw);
}

/* The ring halts in the middle of what it has; then a fence is put behind that, without a
 * doorbell, and the KIQ is told. What has not begun is left out, the fence is not. */
static void preempting_runs_up_to_the_trailing_fence(void)
{
	const uint64_t flag = RIG_SCRATCH_VA, gate = RIG_SCRATCH_VA + 8, seen = RIG_SCRATCH_VA + 16;
	uint32_t seq;

	up();
	rig_put32(&r, VF0, flag, 1);
	RIG_EMIT(&r, VF0, RIG_GFX, gv_pm4_header(PM4_WAIT_REG_MEM, 6), 0x13, (uint32_t)gate, 0, 1,
	         UINT32_MAX, 4);
	emit_cond_exec(flag, 5);
	RIG_EMIT(&r, VF0, RIG_GFX, gv_pm4_header(PM4_WRITE_DATA, 4), 0x100, (uint32_t)seen, 0, 1);
	rig_kick(&r, VF0, RIG_GFX);
	rig_put32(&r, VF0, flag, 0);
	seq = rig_emit_fence(&r, VF0, RIG_GFX, 0);
	RIG_EMIT(&r, VF0, RIG_KIQ, gv_pm4_header(PM4_UNMAP_QUEUES, 5),
	         GV_PUT(PM4_UNMAP_QUEUES, ACTION, 3) | GV_PUT(PM4_UNMAP_QUEUES, ENGINE_SEL, 4) |
	                 GV_PUT(PM4_UNMAP_QUEUES, NUM_QUEUES, 1),
	         GV_PUT(PM4_UNMAP_QUEUES, DOORBELL_OFFSET0, GV_DOORBELL_GFX_RING0),
	         (uint32_t)r.queue[VF0][RIG_GFX].wptr, 0, 0);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
	rig_put32(&r, VF0, gate, 1);
	CU_ASSERT_TRUE(rig_wait_mem(&r, VF0, rig_fence_va(RIG_GFX), seq, 20000));
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, seen), 0);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_GFX, 20000)); /* and on, by doorbell */
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).guest_errors, 0);
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).unimplemented, 0);
	rig_close(&r);
}

/* ---- who may do what ------------------------------------------------------- */

/* RLC_CP_SCHEDULERS has a number that would be the graphics ring's. */
static void it_is_never_a_scheduler(void)
{
	up();
	rig_wr(&r, VF0, RLC_CP_SCHEDULERS__BYTE, 0x80e0e0e0);
	RIG_EMIT(&r, VF0, RIG_GFX, gv_pm4_header(PM4_SET_RESOURCES, 7), 0, 0, 0, 0, 0, 0, 0);
	CU_ASSERT_FALSE(rig_sync(&r, VF0, RIG_GFX, 30));
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).guest_errors, 1);
	rig_close(&r);
}

static void a_reset_forgets_it(void)
{
	up();
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_GFX, 20000));
	CU_ASSERT_EQUAL(gv_dev_reset(r.dev, VF0), 0);
	rig_admit_vf(&r, 0);
	CU_ASSERT_EQUAL(rig_rd(&r, VF0, CP_RB0_BASE__BYTE), 0);
	CU_ASSERT_EQUAL(rig_rd(&r, VF0, CP_RB0_RPTR__BYTE), 0);
	CU_ASSERT_EQUAL(rig_rd(&r, VF0, CP_RB0_WPTR__BYTE), 0);
	CU_ASSERT_EQUAL(rig_rd(&r, VF0, CP_RB_DOORBELL_CONTROL__BYTE), 0);
	rig_put32(&r, VF0, rig_fence_va(RIG_GFX), 0);
	CU_ASSERT_FALSE(rig_sync(&r, VF0, RIG_GFX, 30));
	rig_start_kiq(&r, VF0);
	rig_start_gfx(&r, VF0);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_GFX, 20000));
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).guest_errors, 0);
	rig_close(&r);
}

/* Base, size and pointers are the guest's: they lead into its own memory or nowhere. */
static void impossible_rings_stop_or_fault(void)
{
	static const struct {
		uint32_t byte, val;
	} bad[] = {{CP_RB0_BASE_HI__BYTE, 0xff},
	           {CP_RB0_CNTL__BYTE, 0x3f},
	           {CP_RB0_BASE__BYTE, UINT32_MAX},
	           {CP_RB0_WPTR_HI__BYTE, UINT32_MAX},
	           {CP_RB_VMID__BYTE, 7}};

	up();
	rig_start_kiq(&r, VF1);
	rig_start_gfx(&r, VF1);
	for (size_t k = 0; k < GV_ARRAY_LEN(bad); k++) {
		rig_start_gfx(&r, VF0);
		rig_wr(&r, VF0, bad[k].byte, bad[k].val);
		(void)rig_sync(&r, VF0, RIG_GFX, 20);
		CU_ASSERT_TRUE(rig_sync(&r, VF1, RIG_GFX, 20000));
		rig_wr(&r, VF0, CP_RB_VMID__BYTE, 0);
	}
	rig_start_gfx(&r, VF0);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_GFX, 20000));
	CU_ASSERT_EQUAL(rig_stats(&r, VF1).guest_errors, 0);
	rig_close(&r);
}

/* ---- what there is not ---------------------------------------------------- */

static void draws_are_counted_and_passed(void)
{
	up();
	RIG_EMIT(&r, VF0, RIG_GFX, gv_pm4_header(PM4_DRAW_INDEX_AUTO, 2), 3, 2);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_GFX, 20000));
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).unimplemented, 1);
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).guest_errors, 0);
	rig_close(&r);
}

static void a_compute_queue_does_not_draw(void)
{
	up();
	CU_ASSERT_TRUE(rig_map(&r, VF0, 1));
	RIG_EMIT(&r, VF0, 1, gv_pm4_header(PM4_DRAW_INDEX_AUTO, 2), 3, 2);
	CU_ASSERT_FALSE(rig_sync(&r, VF0, 1, 30));
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).guest_errors, 1);
	rig_close(&r);
}

UT_MAIN("gfx", UT(ring_test_writes_the_scratch_register), UT(the_write_pointer_register_rings_too),
        UT(the_clear_state_is_taken), UT(its_end_of_pipe_interrupt_names_me_0),
        UT(a_halted_engine_waits), UT(setting_it_up_again_begins_at_its_start), UT(the_ring_wraps),
        UT(graphics_and_sdma_wait_for_each_other),
        UT(payloads_are_written_in_the_address_space_of_the_next_ib),
        UT(a_payload_without_an_ib_faults_as_any_write_does),
        UT(preempting_runs_up_to_the_trailing_fence), UT(it_is_never_a_scheduler),
        UT(a_reset_forgets_it), UT(impossible_rings_stop_or_fault),
        UT(draws_are_counted_and_passed), UT(a_compute_queue_does_not_draw))
