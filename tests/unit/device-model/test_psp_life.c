/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PSP's rings through resets and world switches, and rings of drivers that lie. */
#include "psp_rig.h"

/* ---- life ------------------------------------------------------------------------------------ */

static void a_destroyed_ring_runs_nothing(void)
{
	struct mem_rig r;
	struct psp_driver d;

	rig_open(&r, true);
	d = psp_driver_of(&r, 0, false);
	CU_ASSERT_EQUAL(psp_prog_reg(&d, 0, 0x40), 0);
	CU_ASSERT_EQUAL(psp_ask(&d, GV_PSP_DESTROY_GPCOM_RING), 0);
	rig_wr(d.f, MP0_SMN_C2PMSG_102__BYTE, d.wptr + GV_PSP_FRAME_DW);
	CU_ASSERT_NOT_EQUAL(psp_ask(&d, GV_PSP_CONSUME_CMD), 0);
	CU_ASSERT_EQUAL(psp_errors(&d), 1);
	psp_create(&d); /* and begins at its start again */
	CU_ASSERT_EQUAL(psp_prog_reg(&d, 0, 0x20), 0);
	CU_ASSERT_EQUAL(rig_rd(d.f, IH_RB_CNTL__BYTE), 0x20);
	rig_close(&r);
}

/* Trap 7 of amdgpu's: nothing of the driver before may be left. */
static void a_reset_forgets_ring_and_firmware(void)
{
	struct mem_rig r;
	struct psp_driver d;

	rig_open(&r, true);
	d = psp_driver_of(&r, 0, false);
	CU_ASSERT_EQUAL(psp_setup_vmr(&d, PSP_VMR, PSP_VMR_SIZE), 0);
	CU_ASSERT_EQUAL(psp_load(&d, GV_PSP_FW_CP_ME, PSP_FIRMWARE, 4096).status, 0);
	gv_fn_reset(d.f);
	CU_ASSERT_EQUAL(rig_rd(d.f, MP0_SMN_C2PMSG_101__BYTE), 0x80000000);
	CU_ASSERT_EQUAL(gv_psp_firmware(d.f, GV_PSP_FW_CP_ME).bytes, 0);
	rig_wr(r.pf, GVX_VF_FB_EN__BYTE, 3);
	rig_wr(d.f, MP0_SMN_C2PMSG_102__BYTE, d.wptr + GV_PSP_FRAME_DW);
	CU_ASSERT_NOT_EQUAL(psp_ask(&d, GV_PSP_CONSUME_CMD), 0);
	psp_create(&d);
	CU_ASSERT_EQUAL(psp_load(&d, GV_PSP_FW_CP_ME, PSP_FIRMWARE, 4096).status, GV_PSP_BAD_STATE);
	CU_ASSERT_EQUAL(psp_setup_vmr(&d, PSP_VMR, PSP_VMR_SIZE), 0);
	CU_ASSERT_EQUAL(psp_load(&d, GV_PSP_FW_CP_ME, PSP_FIRMWARE, 4096).status, 0);
	rig_close(&r);
}

/* ---- world switches ------------------------------------------------------------------------- */

static bool world_does(struct mem_rig *r, unsigned cmd)
{
	rig_wr(r->pf, RLC_GPU_IOV_CFG_REG1__BYTE,
	       GV_PUT(RLC_GPU_IOV_CFG_REG1, CMD_TYPE, cmd) |
	               GV_PUT(RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE, 1) |
	               GV_PUT(RLC_GPU_IOV_CFG_REG1, FCN_ID, GV_GIOV_FCN_VF(0)));
	return UNTIL(!GV_GET(rig_rd(r->pf, RLC_GPU_IOV_CFG_REG1__BYTE), RLC_GPU_IOV_CFG_REG1,
	                     CMD_EXECUTE)) &&
	       rig_rd(r->pf, RLC_GPU_IOV_CFG_REG2__BYTE) == GV_GIOV_DONE;
}

/* Ring and firmware are the function's, wherever its engine state is. */
static void the_ring_works_in_every_state_of_a_world_switch(void)
{
	static const unsigned switches[] = {GV_GIOV_IDLE, GV_GIOV_SAVE, GV_GIOV_LOAD, GV_GIOV_RUN,
	                                    GV_GIOV_IDLE, GV_GIOV_SAVE, GV_GIOV_INIT, GV_GIOV_RUN};
	struct gv_psp_fw before, after;
	struct mem_rig r;
	struct psp_driver d;

	rig_open(&r, true);
	rig_wr(r.pf, RLC_GPU_IOV_CFG_REG6__BYTE,
	       GV_PUT(RLC_GPU_IOV_CFG_REG6, CNTXT_SIZE, GV_MIB >> 18) |
	               GV_PUT(RLC_GPU_IOV_CFG_REG6, CNTXT_OFFSET, 4 * GV_MIB >> 18));
	d = psp_driver_of(&r, 0, false);
	CU_ASSERT_EQUAL(psp_setup_vmr(&d, PSP_VMR, PSP_VMR_SIZE), 0);
	CU_ASSERT_EQUAL(psp_load(&d, GV_PSP_FW_CP_ME, PSP_FIRMWARE, 4096).status, 0);
	before = gv_psp_firmware(d.f, GV_PSP_FW_CP_ME);
	for (size_t k = 0; k < GV_ARRAY_LEN(switches); k++) {
		uint32_t val = GV_PUT(IH_RB_CNTL, RB_SIZE, k + 1);

		CU_ASSERT(world_does(&r, switches[k]));
		CU_ASSERT_EQUAL(psp_prog_reg(&d, GV_PSP_REG_IH_RB_CNTL, val), 0);
		CU_ASSERT_EQUAL(rig_rd(d.f, IH_RB_CNTL__BYTE), val);
	}
	after = gv_psp_firmware(d.f, GV_PSP_FW_CP_ME);
	CU_ASSERT_EQUAL(after.bytes, before.bytes);
	CU_ASSERT_EQUAL(after.crc, before.crc);
	CU_ASSERT_EQUAL(after.va, before.va);
	rig_close(&r);
}

/* ---- drivers that lie ---------------------------------------------------------------------------
 */

static void rings_that_are_nowhere_are_refused_or_fault(void)
{
	static const uint64_t faults[] = {RIG_FB, 0x7ffffffff000ull, -4096ull, PSP_GART + RIG_SYS};
	struct mem_rig r;
	struct psp_driver d;
	uint64_t n = 0;

	rig_open(&r, true);
	d = psp_driver_of(&r, 0, false);
	CU_ASSERT_NOT_EQUAL(psp_create_at(&d, PSP_RING + 64), 0);
	for (size_t k = 0; k < GV_ARRAY_LEN(faults); k++) {
		uint64_t before = psp_errors(&d);

		CU_ASSERT_EQUAL(psp_create_at(&d, faults[k]), 0);
		psp_kick(&d, GV_PSP_FRAME_DW);
		CU_ASSERT(UNTIL(psp_errors(&d) > before));
		n++;
	}
	CU_ASSERT_EQUAL(atomic_load(&d.f->count.vm_faults), n);
	CU_ASSERT_EQUAL(atomic_load(&r.vf[1]->count.vm_faults), 0);
	psp_create(&d);
	CU_ASSERT_EQUAL(psp_prog_reg(&d, 0, 0x20), 0);
	rig_close(&r);
}

static void write_pointers_outside_the_ring_are_refused(void)
{
	static const uint32_t bad[] = {
	        1, 15, 17, GV_PSP_RING_DW, GV_PSP_RING_DW + 16, 0x80000000, UINT32_MAX};
	struct mem_rig r;
	struct psp_driver d;

	rig_open(&r, true);
	d = psp_driver_of(&r, 0, false);
	for (size_t k = 0; k < GV_ARRAY_LEN(bad); k++) {
		rig_wr(d.f, MP0_SMN_C2PMSG_102__BYTE, bad[k]);
		CU_ASSERT_NOT_EQUAL(psp_ask(&d, GV_PSP_CONSUME_CMD), 0);
		CU_ASSERT_EQUAL(psp_errors(&d), k + 1);
	}
	CU_ASSERT_EQUAL(psp_prog_reg(&d, 0, 0x20), 0);
	rig_close(&r);
}

/* A frame that cannot be run is skipped; the ones behind it are not. */
static void frames_that_point_nowhere_are_skipped(void)
{
	static const uint64_t nowhere[] = {RIG_FB, PSP_CMD + 64, -4096ull, 0x7ffffffff000ull};
	const struct gv_psp_cmd cmd = {.id = GV_PSP_PROG_REG, .reg = {.val = 0x20}};
	struct gv_psp_frame frame;
	struct mem_rig r;
	struct psp_driver d;
	uint64_t before;

	rig_open(&r, true);
	d = psp_driver_of(&r, 0, false);
	psp_put(&d, PSP_CMD, &cmd, sizeof(cmd));
	for (size_t k = 0; k < GV_ARRAY_LEN(nowhere); k++) {
		frame = psp_frame_of(&d);
		frame.cmd_lo = (uint32_t)nowhere[k];
		frame.cmd_hi = (uint32_t)(nowhere[k] >> 32);
		psp_add_frame(&d, &frame);
		frame = psp_frame_of(&d);
		frame.fence_lo = (uint32_t)(nowhere[k] | 3);
		frame.fence_hi = (uint32_t)(nowhere[k] >> 32);
		if (nowhere[k] != PSP_CMD + 64)
			psp_add_frame(&d, &frame);
	}
	frame = psp_frame_of(&d);
	frame.vmid = 3;
	psp_add_frame(&d, &frame);
	before = psp_errors(&d);
	CU_ASSERT_EQUAL(psp_prog_reg(&d, 0, 0x40), 0);
	CU_ASSERT_EQUAL(psp_errors(&d) - before, 2 * GV_ARRAY_LEN(nowhere));
	rig_close(&r);
}

/* Each command that a driver writes lets less than a ring of frames run, whatever they say. */
static void a_flood_does_not_keep_others_from_the_psp(void)
{
	struct mem_rig r;
	struct psp_driver flood, other;

	rig_open(&r, true);
	flood = psp_driver_of(&r, 0, false);
	other = psp_driver_of(&r, 1, false);
	CU_ASSERT_EQUAL(psp_setup_vmr(&flood, PSP_VMR, PSP_VMR_SIZE), 0);
	(void)psp_load(&flood, GV_PSP_FW_CP_MEC, PSP_FIRMWARE, 1u << 20);
	for (unsigned k = 0; k < GV_PSP_RING_DW / GV_PSP_FRAME_DW; k++) {
		struct gv_psp_frame frame = psp_frame_of(&flood);

		psp_add_frame(&flood, &frame);
	}
	for (uint32_t k = 1; k <= 50; k++) {
		psp_kick(&flood, (flood.wptr + k * 48 * GV_PSP_FRAME_DW) % GV_PSP_RING_DW);
		CU_ASSERT_EQUAL(psp_prog_reg(&other, 0, GV_PUT(IH_RB_CNTL, RB_SIZE, k)), 0);
	}
	gv_fn_reset(flood.f); /* and it ends with a reset, at once */
	CU_ASSERT_EQUAL(psp_errors(&other), 0);
	rig_close(&r);
}

UT_MAIN("device-model/psp_life", UT(a_destroyed_ring_runs_nothing),
        UT(a_reset_forgets_ring_and_firmware), UT(the_ring_works_in_every_state_of_a_world_switch),
        UT(rings_that_are_nowhere_are_refused_or_fault),
        UT(write_pointers_outside_the_ring_are_refused), UT(frames_that_point_nowhere_are_skipped),
        UT(a_flood_does_not_keep_others_from_the_psp))
