/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cp_rig.h"
#include "ut.h"

#define VF0 GV_DEV_VF(0)

enum { LEGACY = 0x8, GC_WRITE = 0x0, GC_READ = 0x1, MMHUB_WRITE = 0x2 };

/* The guest's side; returns SCRATCH_REG1 as it is when the address bits are 0, or ~0. */
static uint32_t rlcg(struct rig *r, unsigned fn, uint32_t command, uint32_t dw, uint32_t val)
{
	uint64_t end = gv_now_ns() + 500 * GV_MS;
	uint32_t word;

	rig_wr(r, fn, SCRATCH_REG0__BYTE, val);
	rig_wr(r, fn, SCRATCH_REG1__BYTE, command << 28 | dw);
	rig_wr(r, fn, RLC_SPARE_INT__BYTE, 1);
	do {
		word = rig_rd(r, fn, SCRATCH_REG1__BYTE);
		if (!(word & 0xfffff))
			return word;
	} while (gv_now_ns() < end);
	return UINT32_MAX;
}

static void open_gate(struct rig *r, bool open)
{
	rig_wr(r, GV_DEV_PF, RLC_GPM_GENERAL_14__BYTE, open);
}

static void writes_and_reads_of_gc_registers_are_done(void)
{
	struct rig r;

	rig_open(&r);
	open_gate(&r, true);
	CU_ASSERT_EQUAL(rlcg(&r, VF0, LEGACY, SCRATCH_REG4__DW, 0x1234), 0);
	CU_ASSERT_EQUAL(rig_rd(&r, VF0, SCRATCH_REG4__BYTE), 0x1234);
	CU_ASSERT_EQUAL(rlcg(&r, VF0, GC_WRITE, SCRATCH_REG5__DW, 0x5678), 0);
	CU_ASSERT_EQUAL(rig_rd(&r, VF0, SCRATCH_REG5__BYTE), 0x5678);
	CU_ASSERT_EQUAL(rlcg(&r, VF0, GC_READ, SCRATCH_REG4__DW, 0), 0);
	CU_ASSERT_EQUAL(rig_rd(&r, VF0, SCRATCH_REG0__BYTE), 0x1234);
	CU_ASSERT_EQUAL(rig_rd(&r, VF0, RLC_SPARE_INT__BYTE), 0);
	rig_close(&r);
}

/* As a driver sets up its KIQ while it has full access. */
static void banked_registers_follow_the_selection(void)
{
	struct rig r;

	rig_open(&r);
	open_gate(&r, true);
	rig_select(&r, VF0, RIG_KIQ);
	CU_ASSERT_EQUAL(rlcg(&r, VF0, LEGACY, CP_HQD_PQ_BASE__DW, 0x1000), 0);
	CU_ASSERT_EQUAL(rig_rd(&r, VF0, CP_HQD_PQ_BASE__BYTE), 0x1000);
	rig_select(&r, VF0, 1);
	CU_ASSERT_EQUAL(rig_rd(&r, VF0, CP_HQD_PQ_BASE__BYTE), 0);
	rig_close(&r);
}

/* A driver that has no direct access says in two scratch registers what is selected. */
static void banked_registers_follow_the_scratch_registers(void)
{
	const uint32_t kiq = GV_PUT(GRBM_GFX_CNTL, MEID, 2) | GV_PUT(GRBM_GFX_CNTL, PIPEID, 1);
	struct rig r;

	rig_open(&r);
	open_gate(&r, true);
	rig_select(&r, VF0, 1);
	rig_wr(&r, VF0, SCRATCH_REG2__BYTE, kiq);
	rig_wr(&r, VF0, SCRATCH_REG3__BYTE, 0x40000000);
	/* the old command goes by what the driver selected itself */
	CU_ASSERT_EQUAL(rlcg(&r, VF0, LEGACY, CP_HQD_PQ_BASE__DW, 0x2000), 0);
	CU_ASSERT_EQUAL(rlcg(&r, VF0, GC_WRITE, CP_HQD_PQ_BASE__DW, 0x1000), 0);
	CU_ASSERT_EQUAL(rlcg(&r, VF0, GC_READ, CP_HQD_PQ_BASE__DW, 0), 0);
	CU_ASSERT_EQUAL(rig_rd(&r, VF0, SCRATCH_REG0__BYTE), 0x1000);
	CU_ASSERT_EQUAL(rig_rd(&r, VF0, GRBM_GFX_INDEX__BYTE), 0x40000000);
	rig_select(&r, VF0, RIG_KIQ);
	CU_ASSERT_EQUAL(rig_rd(&r, VF0, CP_HQD_PQ_BASE__BYTE), 0x1000);
	rig_select(&r, VF0, 1);
	CU_ASSERT_EQUAL(rig_rd(&r, VF0, CP_HQD_PQ_BASE__BYTE), 0x2000);
	rig_close(&r);
}

static void a_closed_gate_says_so(void)
{
	struct rig r;

	rig_open(&r);
	CU_ASSERT_EQUAL(rlcg(&r, VF0, LEGACY, SCRATCH_REG4__DW, 1), 0x4000000);
	CU_ASSERT_EQUAL(rig_rd(&r, VF0, SCRATCH_REG4__BYTE), 0);
	open_gate(&r, true);
	CU_ASSERT_EQUAL(rlcg(&r, GV_DEV_VF(1), LEGACY, SCRATCH_REG4__DW, 1), 0x4000000);
	rig_close(&r);
}

static void registers_a_vf_may_not_write_are_refused(void)
{
	static const uint32_t dws[] = {RLC_GPM_GENERAL_14__DW, GVX_VF_FB_EN__DW,  VM_L2_CNTL__DW,
	                               SCRATCH_REG1__DW,       RLC_SPARE_INT__DW, 0xfffff,
	                               GRBM_STATUS__DW};
	struct rig r;

	rig_open(&r);
	open_gate(&r, true);
	for (size_t i = 0; i < sizeof(dws) / sizeof(dws[0]); i++)
		CU_ASSERT_EQUAL(rlcg(&r, VF0, LEGACY, dws[i], UINT32_MAX), 0x1000000);
	CU_ASSERT_EQUAL(rig_rd(&r, GV_DEV_PF, RLC_GPM_GENERAL_14__BYTE), 1);
	/* each command has its block */
	CU_ASSERT_EQUAL(rlcg(&r, VF0, MMHUB_WRITE, SCRATCH_REG4__DW, 1), 0x1000000);
	CU_ASSERT_EQUAL(rlcg(&r, VF0, GC_WRITE, MM_INDEX__DW + 1, 1), 0x1000000);
	for (uint32_t command = 3; command < 16; command++)
		if (command != LEGACY)
			CU_ASSERT_EQUAL(rlcg(&r, VF0, command, SCRATCH_REG4__DW, 1), 0x2000000);
	rig_close(&r);
}

static void clock_capture_grows(void)
{
	uint64_t last = 0;
	struct rig r;

	rig_open(&r);
	for (unsigned i = 0; i < 10; i++) {
		uint64_t now;

		rig_wr(&r, VF0, RLC_CAPTURE_GPU_CLOCK_COUNT__BYTE, 1);
		now = rig_rd(&r, VF0, RLC_GPU_CLOCK_COUNT_LSB__BYTE) |
		      (uint64_t)rig_rd(&r, VF0, RLC_GPU_CLOCK_COUNT_MSB__BYTE) << 32;
		CU_ASSERT_TRUE(now > last);
		last = now;
	}
	rig_close(&r);
}

UT_MAIN("rlc", UT(writes_and_reads_of_gc_registers_are_done),
        UT(banked_registers_follow_the_selection),
        UT(banked_registers_follow_the_scratch_registers), UT(a_closed_gate_says_so),
        UT(registers_a_vf_may_not_write_are_refused), UT(clock_capture_grows))
