/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GPUIOV commands of a PF to the GPU of cp_rig.h, and work for its VFs. */
#ifndef GV_WORLD_RIG_H
#define GV_WORLD_RIG_H

#include "cp_rig.h"
#include "device.h"

#define WORLD_CSA        (4 * GV_MIB) /* in the PF's window; the slot of VFn is number n + 1 */
#define WORLD_SLOT       GV_MIB
#define WORLD_PATIENCE   (20 * GV_S)
#define WORLD_SLOT_OF(n) (WORLD_CSA + (1 + (n)) * WORLD_SLOT)

/* Size and offset in 256 KiB. */
static inline void world_set_area(struct rig *r, uint64_t at, uint64_t slot_bytes)
{
	rig_wr(r, GV_DEV_PF, RLC_GPU_IOV_CFG_REG6__BYTE,
	       GV_PUT(RLC_GPU_IOV_CFG_REG6, CNTXT_SIZE, slot_bytes >> 18) |
	               GV_PUT(RLC_GPU_IOV_CFG_REG6, CNTXT_OFFSET, at >> 18));
}

static inline uint32_t world_word(unsigned cmd, unsigned vf, unsigned next)
{
	return GV_PUT(RLC_GPU_IOV_CFG_REG1, CMD_TYPE, cmd) |
	       GV_PUT(RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE, 1) |
	       GV_PUT(RLC_GPU_IOV_CFG_REG1, FCN_ID, GV_GIOV_FCN_VF(vf)) |
	       GV_PUT(RLC_GPU_IOV_CFG_REG1, NEXT_FCN_ID, GV_GIOV_FCN_VF(next));
}

static inline bool world_executes(struct rig *r)
{
	return GV_GET(rig_rd(r, GV_DEV_PF, RLC_GPU_IOV_CFG_REG1__BYTE), RLC_GPU_IOV_CFG_REG1,
	              CMD_EXECUTE);
}

/* CMD_STATUS, or -1: it does not end. */
static inline int world_wait(struct rig *r)
{
	uint64_t end = gv_now_ns() + WORLD_PATIENCE;
	unsigned spins = 0;

	while (world_executes(r)) {
		if (gv_now_ns() > end)
			return -1;
		gv_poll_pause(&spins);
	}
	return (int)rig_rd(r, GV_DEV_PF, RLC_GPU_IOV_CFG_REG2__BYTE);
}

static inline void world_begin(struct rig *r, unsigned cmd, unsigned vf)
{
	rig_wr(r, GV_DEV_PF, RLC_GPU_IOV_CFG_REG1__BYTE, world_word(cmd, vf, 0));
}

static inline int world_do(struct rig *r, unsigned cmd, unsigned vf)
{
	world_begin(r, cmd, vf);
	return world_wait(r);
}

/* IDLE, SAVE @vf, LOAD or INIT, RUN @next. */
static inline int world_switch(struct rig *r, unsigned vf, unsigned next)
{
	rig_wr(r, GV_DEV_PF, RLC_GPU_IOV_CFG_REG1__BYTE,
	       world_word(GV_GIOV_CONTEXT_SWITCH, vf, next));
	return world_wait(r);
}

/* For the file's only rig, `r`. */
#define DONE(cmd, vf)    CU_ASSERT_EQUAL(world_do(&r, GV_GIOV_##cmd, vf), GV_GIOV_DONE)
#define ABORTED(cmd, vf) CU_ASSERT_EQUAL(world_do(&r, GV_GIOV_##cmd, vf), GV_GIOV_ABORTED)

static inline enum gv_world_state world_state(struct rig *r, unsigned vf)
{
	uint32_t v = rig_rd(r, GV_DEV_PF, GV_BYTE_N(GVX_VF0_WORLD, vf));

	return (enum gv_world_state)GV_GET(v, GVX_VF0_WORLD, STATE);
}

static inline bool world_is_saved(struct rig *r, unsigned vf)
{
	return GV_GET(rig_rd(r, GV_DEV_PF, GV_BYTE_N(GVX_VF0_WORLD, vf)), GVX_VF0_WORLD, SAVED);
}

static inline enum gv_world_error world_why(struct rig *r)
{
	return (enum gv_world_error)GV_GET(rig_rd(r, GV_DEV_PF, GVX_WORLD_ERROR__BYTE),
	                                   GVX_WORLD_ERROR, WHY);
}

static inline uint32_t world_busy(struct rig *r)
{
	return rig_rd(r, GV_DEV_PF, RLC_GPU_IOV_VM_BUSY_STATUS__BYTE);
}

/* As silicon resets one: the gates are to be opened again. */
static inline bool world_flr(struct rig *r, unsigned vf)
{
	rig_wr(r, GV_DEV_PF, GVX_VF_RESET__BYTE, 1u << vf);
	return rig_wait_reg(r, GV_DEV_PF, GVX_VF_RESET__BYTE, 0, 20000);
}

/* ---- VFs with queues ------------------------------------------------------ */

/* Nobody has work left: the fence of the last is seen a little before its queue is at rest. */
static inline bool world_rests(struct rig *r)
{
	return rig_wait_reg(r, GV_DEV_PF, RLC_GPU_IOV_VM_BUSY_STATUS__BYTE, 0, 20000);
}

/* VF0 has two queues besides the KIQ, VF1 one. */
static inline void world_open(struct rig *r)
{
	rig_open(r);
	world_set_area(r, WORLD_CSA, WORLD_SLOT);
	CU_ASSERT_TRUE(rig_start(r, GV_DEV_VF(0), 2));
	CU_ASSERT_TRUE(rig_start(r, GV_DEV_VF(1), 1));
	CU_ASSERT_TRUE(world_rests(r));
}

/* Workgroups of @items that loop for ever, with 64 registers and 64 KiB of LDS. */
static inline void world_launch_endless(struct rig *r, unsigned fn, unsigned q, unsigned items)
{
	static const uint32_t endless[] = {0xbf82ffff}; /* s_branch to itself */

	rig_put(r, fn, RIG_SCRATCH_VA, endless, sizeof(endless));
	RIG_EMIT(r, fn, q, gv_pm4_header(PM4_SET_SH_REG, 3),
	         COMPUTE_PGM_LO__DW - PM4_SET_SH_REG_START, (uint32_t)(RIG_SCRATCH_VA >> 8), 0);
	RIG_EMIT(r, fn, q, gv_pm4_header(PM4_SET_SH_REG, 3),
	         COMPUTE_PGM_RSRC1__DW - PM4_SET_SH_REG_START, GV_PUT(COMPUTE_PGM_RSRC1, VGPRS, 15),
	         GV_PUT(COMPUTE_PGM_RSRC2, LDS_SIZE, 128));
	RIG_EMIT(r, fn, q, gv_pm4_header(PM4_SET_SH_REG, 4),
	         COMPUTE_NUM_THREAD_X__DW - PM4_SET_SH_REG_START, items, 1, 1);
	RIG_EMIT(r, fn, q, gv_pm4_header(PM4_DISPATCH_DIRECT, 4), 8, 1, 1,
	         GV_PUT(COMPUTE_DISPATCH_INITIATOR, COMPUTE_SHADER_EN, 1));
	rig_kick(r, fn, q);
}

/* What another queue of VF0 was given before has been looked at: two fences of @q, each a round. */
static inline bool world_is_dispatched(struct rig *r, unsigned q)
{
	return rig_sync(r, GV_DEV_VF(0), q, 20000) && rig_sync(r, GV_DEV_VF(0), q, 20000) &&
	       world_busy(r) & 1;
}

#endif
