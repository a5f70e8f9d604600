/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The GPUIOV capability and the registers that mirror it. */
#include "core_rig.h"
#include "ut.h"

#define CAP(off) ((uint16_t)(GV_CFG_GPUIOV + (off)))

static uint32_t rd(struct core *c, unsigned off)
{
	return gv_cfg_rd32(c->bus[GV_DEV_PF], CAP(off));
}
static void wr(struct core *c, unsigned off, uint32_t val)
{
	gv_cfg_wr32(c->bus[GV_DEV_PF], CAP(off), val);
}
static uint32_t fb(uint32_t size, uint32_t offset)
{
	return GV_PUT(GIOV_VF0_FB, VF0_FB_SIZE, size) | GV_PUT(GIOV_VF0_FB, VF0_FB_OFFSET, offset);
}

static void the_capability_describes_this_gpu(void)
{
	struct core c;
	uint32_t v;

	core_open(&c);
	v = rd(&c, GIOV_HDR__OFF);
	CU_ASSERT_EQUAL(GV_GET(v, GIOV_HDR, VSEC_ID), 2);
	CU_ASSERT_EQUAL(GV_GET(v, GIOV_HDR, VSEC_LENGTH), GIOV_BYTES);
	CU_ASSERT_EQUAL(GV_GET(rd(&c, GIOV_ENH_CAP_LIST__OFF), GIOV_ENH_CAP_LIST, NEXT_PTR), 0);
	CU_ASSERT_EQUAL(GV_GET(rd(&c, GIOV_TOTAL_FB__OFF), GIOV_TOTAL_FB, TOTAL_FB_AVAILABLE), 256);
	v = rd(&c, GIOV_OFFSETS__OFF);
	CU_ASSERT_EQUAL(GV_GET(v, GIOV_OFFSETS, GFXSCH_OFFSET) * 16, GIOV_GFXSCH_DW0__OFF);
	CU_ASSERT_EQUAL(GV_GET(v, GIOV_OFFSETS, UVDSCH_OFFSET) * 16, GIOV_UVDSCH_DW0__OFF);
	CU_ASSERT_EQUAL(GV_GET(v, GIOV_OFFSETS, VCESCH_OFFSET) * 16, GIOV_VCESCH_DW0__OFF);
	core_close(&c);
}

static void the_shadow_follows_vf_enable(void)
{
	struct core c;
	uint32_t v;

	core_open(&c);
	for (unsigned n = 0; n <= CORE_VFS; n++) {
		CU_ASSERT_EQUAL(gv_bus_enable_vfs(c.bus[0], n, NULL), 0);
		v = rd(&c, GIOV_SRIOV_SHADOW__OFF);
		CU_ASSERT_EQUAL(GV_GET(v, GIOV_SRIOV_SHADOW, VF_EN), n > 0);
		CU_ASSERT_EQUAL(GV_GET(v, GIOV_SRIOV_SHADOW, VF_NUM), n);
		v = core_rd(&c, GV_DEV_PF, RLC_GPU_IOV_VF_ENABLE__BYTE);
		CU_ASSERT_EQUAL(GV_GET(v, RLC_GPU_IOV_VF_ENABLE, VF_NUM), n);
		wr(&c, GIOV_SRIOV_SHADOW__OFF, UINT32_MAX);
		CU_ASSERT_EQUAL(GV_GET(rd(&c, GIOV_SRIOV_SHADOW__OFF), GIOV_SRIOV_SHADOW, VF_NUM),
		                n);
	}
	core_close(&c);
}

static void a_slice_is_the_same_in_both_hubs_and_in_configuration_space(void)
{
	struct core c;

	core_open(&c);
	for (unsigned vf = 0; vf < CORE_VFS; vf++) {
		uint32_t a = fb(2 + vf, 8 + 4 * vf), b = fb(3, 20 + vf), d = fb(1, 1 + vf);

		wr(&c, (unsigned)GV_GIOV_VF_FB(vf), a);
		CU_ASSERT_EQUAL(core_rd(&c, 0, GV_BYTE_N(MC_VM_FB_SIZE_OFFSET_VF0, vf)), a);
		CU_ASSERT_EQUAL(core_rd(&c, 0, GV_BYTE_N(MMHUB_MC_VM_FB_SIZE_OFFSET_VF0, vf)), a);
		core_wr(&c, 0, GV_BYTE_N(MC_VM_FB_SIZE_OFFSET_VF0, vf), b);
		CU_ASSERT_EQUAL(rd(&c, (unsigned)GV_GIOV_VF_FB(vf)), b);
		CU_ASSERT_EQUAL(core_rd(&c, 0, GV_BYTE_N(MMHUB_MC_VM_FB_SIZE_OFFSET_VF0, vf)), b);
		core_wr(&c, 0, GV_BYTE_N(MMHUB_MC_VM_FB_SIZE_OFFSET_VF0, vf), d);
		CU_ASSERT_EQUAL(rd(&c, (unsigned)GV_GIOV_VF_FB(vf)), d);
	}
	/* VFs that this GPU does not have cannot be given memory here */
	wr(&c, (unsigned)GV_GIOV_VF_FB(CORE_VFS), UINT32_MAX);
	CU_ASSERT_EQUAL(rd(&c, (unsigned)GV_GIOV_VF_FB(CORE_VFS)), 0);
	core_close(&c);
}

static void writing_half_of_a_slice_keeps_the_other_half(void)
{
	struct core c;

	core_open(&c);
	wr(&c, (unsigned)GV_GIOV_VF_FB(1), fb(2, 8));
	core_wr(&c, 0, GV_BYTE_N(MC_VM_FB_SIZE_OFFSET_VF0, 1), fb(4, 12));
	/* nobody read the capability in between */
	gv_cfg_wr16(c.bus[0], CAP(GV_GIOV_VF_FB(1)), 5);
	CU_ASSERT_EQUAL(core_rd(&c, 0, GV_BYTE_N(MC_VM_FB_SIZE_OFFSET_VF0, 1)), fb(5, 12));
	CU_ASSERT_EQUAL(rd(&c, (unsigned)GV_GIOV_VF_FB(1)), fb(5, 12));
	core_close(&c);
}

static uint32_t command(unsigned cmd, unsigned fcn)
{
	return GV_PUT(RLC_GPU_IOV_CFG_REG1, CMD_TYPE, cmd) |
	       GV_PUT(RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE, 1) |
	       GV_PUT(RLC_GPU_IOV_CFG_REG1, FCN_ID, fcn);
}

/* Those of the video engines, that this GPU does not have; automatic switches; the PF, which is
 * never switched. */
static void commands_that_are_not_there_are_answered_and_counted(void)
{
	static const struct {
		unsigned block, cmd, fcn;
	} t[] = {
	        {GIOV_UVDSCH_DW0__OFF, GV_GIOV_IDLE, GV_GIOV_FCN_VF(0)},
	        {GIOV_VCESCH_DW0__OFF, GV_GIOV_RUN, GV_GIOV_FCN_VF(1)},
	        {GIOV_GFXSCH_DW0__OFF, 0, GV_GIOV_FCN_VF(0)},
	        {GIOV_GFXSCH_DW0__OFF, GV_GIOV_ENABLE_AUTO_HW_SWITCH, GV_GIOV_FCN_VF(0)},
	        {GIOV_GFXSCH_DW0__OFF, GV_GIOV_SAVE_RLCV_STATE, GV_GIOV_FCN_VF(0)},
	        {GIOV_GFXSCH_DW0__OFF, GV_GIOV_DISABLE_AUTO_HW_SCHED, GV_GIOV_FCN_VF(0)},
	        {GIOV_GFXSCH_DW0__OFF, GV_GIOV_CONFIG_AUTO_HW_SCHED_MODE, GV_GIOV_FCN_VF(0)},
	        {GIOV_GFXSCH_DW0__OFF, GV_GIOV_IDLE, 0},
	        {GIOV_GFXSCH_DW0__OFF, GV_GIOV_CONTEXT_SWITCH, GV_GIOV_FCN_VF(0)}, /* to the PF */
	};
	struct core c;

	core_open(&c);
	for (size_t k = 0; k < GV_ARRAY_LEN(t); k++) {
		uint64_t before = core_stats(&c, 0).unimplemented;
		uint32_t word = command(t[k].cmd, t[k].fcn), now;

		wr(&c, t[k].block + 4, word & ~GV_PUT(RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE, 1));
		CU_ASSERT_EQUAL(core_stats(&c, 0).unimplemented, before);
		wr(&c, t[k].block + 4, word);
		now = rd(&c, t[k].block + 4);
		CU_ASSERT_EQUAL(GV_GET(now, RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE), 0);
		CU_ASSERT_EQUAL(rd(&c, t[k].block + 8), GV_GIOV_UNSUPPORTED);
		CU_ASSERT_EQUAL(core_stats(&c, 0).unimplemented, before + 1);
	}
	core_close(&c);
}

/* Word by word the same, whichever way it is written. */
static void the_gfx_scheduler_is_the_same_in_registers_and_in_configuration_space(void)
{
	static const struct {
		unsigned dw;
		uint32_t byte;
		bool writable;
	} t[] = {
	        {0, RLC_GPU_IOV_SCH_BLOCK__BYTE, false}, {1, RLC_GPU_IOV_CFG_REG1__BYTE, true},
	        {2, RLC_GPU_IOV_CFG_REG2__BYTE, false},  {4, RLC_GPU_IOV_SCH_0__BYTE, true},
	        {6, RLC_GPU_IOV_SCH_3__BYTE, true},      {7, RLC_GPU_IOV_SCH_1__BYTE, true},
	        {8, RLC_GPU_IOV_SCH_2__BYTE, true},
	};
	struct core c;

	core_open(&c);
	for (size_t k = 0; k < GV_ARRAY_LEN(t); k++) {
		unsigned at = GIOV_GFXSCH_DW0__OFF + 4 * t[k].dw;
		uint32_t was = rd(&c, at);

		CU_ASSERT_EQUAL(core_rd(&c, 0, t[k].byte), was);
		wr(&c, at, 0x12340080 + t[k].dw); /* without CMD_EXECUTE */
		CU_ASSERT_EQUAL(rd(&c, at), t[k].writable ? 0x12340080 + t[k].dw : was);
		CU_ASSERT_EQUAL(core_rd(&c, 0, t[k].byte), rd(&c, at));
		core_wr(&c, 0, t[k].byte, 0x05670080 + t[k].dw);
		CU_ASSERT_EQUAL(rd(&c, at), t[k].writable ? 0x05670080 + t[k].dw : was);
	}
	core_close(&c);
}

static void requests_to_the_hardware_scheduler_are_counted(void)
{
	static const uint32_t reg[] = {
	        RLC_GPU_IOV_VIRT_RESET_REQ__BYTE,         MC_SHARED_VIRT_RESET_REQ__BYTE,
	        MMHUB_MC_SHARED_VIRT_RESET_REQ__BYTE,     IH_VIRT_RESET_REQ__BYTE,
	        RLC_GPU_IOV_VF_DOORBELL_STATUS_SET__BYTE, RLC_GPU_IOV_VF_DOORBELL_STATUS_CLR__BYTE,
	};
	struct core c;

	core_open(&c);
	for (size_t k = 0; k < GV_ARRAY_LEN(reg); k++) {
		uint64_t before = core_stats(&c, 0).unimplemented;

		core_wr(&c, GV_DEV_PF, reg[k], 1);
		CU_ASSERT_EQUAL(core_stats(&c, 0).unimplemented, before + 1);
	}
	core_close(&c);
}

static void soft_flr_of_the_pf_leaves_vfs_and_configuration_alone(void)
{
	struct core c;
	struct gv_fn *pf;

	core_open(&c);
	core_gates(&c, 0xf);
	pf = core_fn(&c, GV_DEV_PF);
	gv_hqd_put(pf, 3, GV_REG_CP_HQD_ACTIVE, 1);
	core_wr(&c, 1, INTERRUPT_CNTL2__BYTE, 9);
	wr(&c, GIOV_RESET_CONTROL__OFF, GV_PUT(GIOV_RESET_CONTROL, SOFT_PF_FLR, 1));
	CU_ASSERT_EQUAL(rd(&c, GIOV_RESET_CONTROL__OFF), 0);
	CU_ASSERT_EQUAL(gv_hqd_get(pf, 3, GV_REG_CP_HQD_ACTIVE), 0);
	CU_ASSERT_EQUAL(gv_dev_num_vfs(c.dev), CORE_VFS);
	CU_ASSERT_EQUAL(core_rd(&c, 1, INTERRUPT_CNTL2__BYTE), 9);
	CU_ASSERT_EQUAL(core_rd(&c, 0, GVX_VF_REGWR_EN__BYTE), 0xf);
	core_close(&c);
}

static void the_context_area_and_hvvm_mailbox_are_taken(void)
{
	struct core c;
	uint64_t before;

	core_open(&c);
	wr(&c, GIOV_CONTEXT__OFF, 0x12345);
	CU_ASSERT_EQUAL(core_rd(&c, 0, RLC_GPU_IOV_CFG_REG6__BYTE),
	                0x12345 & gv_reg_info(GV_REG_RLC_GPU_IOV_CFG_REG6)->rw);
	before = core_stats(&c, 0).unimplemented;
	wr(&c, GIOV_HVVM_MBOX_DW0__OFF, GV_PUT(GIOV_HVVM_MBOX_DW0, TRN_MSG_VALID, 1));
	CU_ASSERT_EQUAL(core_stats(&c, 0).unimplemented, before + 1);
	core_close(&c);
}

/* Whatever is written wherever: nothing breaks, VFs and the headers stay. */
static void random_writes_do_not_break_the_capability(void)
{
	struct core c;
	uint32_t s = 12345, head;

	core_open(&c);
	head = rd(&c, GIOV_HDR__OFF);
	for (unsigned k = 0; k < 20000; k++) {
		uint64_t val;
		size_t n;

		s = s * 1664525u + 1013904223u;
		val = (uint64_t)s * s;
		n = 1 + (s >> 5) % 8;
		(void)gv_dev_write(c.dev, 0, GV_REGION_CONFIG,
		                   GV_CFG_GPUIOV - 8 + (s >> 16) % 0x110, &val, n);
	}
	CU_ASSERT_EQUAL(rd(&c, GIOV_HDR__OFF), head);
	CU_ASSERT_EQUAL(gv_dev_num_vfs(c.dev), CORE_VFS);
	core_close(&c);
}

UT_MAIN("gpuiov", UT(the_capability_describes_this_gpu), UT(the_shadow_follows_vf_enable),
        UT(a_slice_is_the_same_in_both_hubs_and_in_configuration_space),
        UT(writing_half_of_a_slice_keeps_the_other_half),
        UT(commands_that_are_not_there_are_answered_and_counted),
        UT(the_gfx_scheduler_is_the_same_in_registers_and_in_configuration_space),
        UT(requests_to_the_hardware_scheduler_are_counted),
        UT(soft_flr_of_the_pf_leaves_vfs_and_configuration_alone),
        UT(the_context_area_and_hvvm_mailbox_are_taken),
        UT(random_writes_do_not_break_the_capability))
