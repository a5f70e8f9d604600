/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RLC: the indirect register interface (RLC-G) and the GPU clock capture.
 *
 *   guest: SCRATCH_REG0 = value, SCRATCH_REG1 = command | dword address, RLC_SPARE_INT = 1
 *   here:  does it, SCRATCH_REG0 = what was read, SCRATCH_REG1 = error bits, address bits 0
 *
 * The hook only wakes the function's CP worker: register hooks may not access registers. An
 * access goes through the table's columns like any other of the function; the PF opens the
 * interface for a VF with its bit of RLC_GPM_GENERAL_14.
 *
 * Which queue or VMID a banked register is of, a driver says in SCRATCH_REG2 and SCRATCH_REG3 in
 * place of GRBM_GFX_CNTL and GRBM_GFX_INDEX; with the old command it writes those, too, itself
 * (amdgpu_virt_rlcg_reg_rw()).
 */
#include "cp.h"

/* SCRATCH_REG1 (amdgpu_virt.h) */
enum {
	RLCG__ADDR__LO = 0,
	RLCG__ADDR__BITS = 20,
	RLCG__COMMAND__LO = 28,
	RLCG__COMMAND__BITS = 4,
	RLCG_GC_WRITE = 0x0,
	RLCG_GC_READ = 0x1,
	RLCG_MMHUB_WRITE = 0x2,
	RLCG_LEGACY_WRITE = 0x8,
};
#define RLCG_NOT_IN_RANGE    0x1000000u
#define RLCG_WRONG_OPERATION 0x2000000u
#define RLCG_VFGATE_DISABLED 0x4000000u

static bool gate_open(struct gv_fn *f)
{
	return !gv_fn_is_vf(f) || (GV_RGET(f, RLC_GPM_GENERAL_14) >> gv_fn_vf(f) & 1);
}

/* The interface's own registers would call it again. */
static bool is_own(enum gv_reg reg)
{
	return reg == GV_REG_SCRATCH_REG0 || reg == GV_REG_SCRATCH_REG1 ||
	       reg == GV_REG_RLC_SPARE_INT;
}

static uint32_t check(struct gv_fn *f, uint32_t command, uint32_t dw)
{
	const struct gv_reg_info *info;
	enum gv_access access;
	int reg;

	if (!gate_open(f))
		return RLCG_VFGATE_DISABLED;
	if (command != RLCG_GC_WRITE && command != RLCG_GC_READ && command != RLCG_MMHUB_WRITE &&
	    command != RLCG_LEGACY_WRITE)
		return RLCG_WRONG_OPERATION;
	reg = dw < GV_BAR5_BYTES / 4 ? gv_reg_at(dw * 4, NULL) : -ENOENT;
	if (reg < 0 || is_own((enum gv_reg)reg))
		return RLCG_NOT_IN_RANGE;
	info = gv_reg_info((enum gv_reg)reg);
	access = gv_fn_is_vf(f) ? info->vf : info->pf;
	if (access == GV_NONE || (command != RLCG_GC_READ && access != GV_RW))
		return RLCG_NOT_IN_RANGE;
	if (command == RLCG_MMHUB_WRITE)
		return info->block == GV_BLOCK_MMHUB ? 0 : RLCG_NOT_IN_RANGE;
	return info->block == GV_BLOCK_GC ? 0 : RLCG_NOT_IN_RANGE;
}

static void select_bank(struct gv_fn *f)
{
	gv_mmio_write32(f, GRBM_GFX_CNTL__BYTE, GV_RGET(f, SCRATCH_REG2), GV_ORIGIN_ENGINE);
	gv_mmio_write32(f, GRBM_GFX_INDEX__BYTE, GV_RGET(f, SCRATCH_REG3), GV_ORIGIN_ENGINE);
}

void gv_rlc_work(struct gv_fn *f)
{
	uint32_t word = GV_RGET(f, SCRATCH_REG1), command = GV_GET(word, RLCG, COMMAND);
	uint32_t dw = GV_GET(word, RLCG, ADDR), error = check(f, command, dw);

	if (!error && (command == RLCG_GC_WRITE || command == RLCG_GC_READ))
		select_bank(f);
	if (error)
		gv_guest_error(f, "RLC-G command 0x%x to register dword 0x%x refused (0x%x)",
		               command, dw, error);
	else if (command == RLCG_GC_READ)
		GV_RPUT(f, SCRATCH_REG0, gv_mmio_read32(f, dw * 4, GV_ORIGIN_ENGINE));
	else
		gv_mmio_write32(f, dw * 4, GV_RGET(f, SCRATCH_REG0), GV_ORIGIN_ENGINE);
	GV_RPUT(f, RLC_SPARE_INT, 0);
	GV_RPUT(f, SCRATCH_REG1, error);
}

static void wrote_spare_int(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i;
	(void)was;
	if (!GV_GET(now, RLC_SPARE_INT, INTERRUPT) || !f->cp)
		return;
	atomic_store(&f->cp->rlc_rung, true);
	gv_worker_kick(&f->cp->worker);
}

static void wrote_capture(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	uint64_t clock = gv_dev_clock();

	(void)i;
	(void)was;
	if (!GV_GET(now, RLC_CAPTURE_GPU_CLOCK_COUNT, CAPTURE))
		return;
	GV_RPUT(f, RLC_GPU_CLOCK_COUNT_LSB, (uint32_t)clock);
	GV_RPUT(f, RLC_GPU_CLOCK_COUNT_MSB, (uint32_t)(clock >> 32));
	GV_RPUT(f, RLC_CAPTURE_GPU_CLOCK_COUNT, 0);
}

static const struct gv_reg_hook rows[] = {
        {GV_REG_RLC_SPARE_INT, wrote_spare_int, NULL},
        {GV_REG_RLC_CAPTURE_GPU_CLOCK_COUNT, wrote_capture, NULL},
};
const struct gv_reg_hooks gv_rlc_hooks = {rows, GV_ARRAY_LEN(rows)};
