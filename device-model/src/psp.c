/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * PSP (MP0): only what tells a driver that the security processor lives, and
 * that its rings are created and stopped, and the PF's mode-1 reset. The ring's
 * commands are not modelled: each is counted and answered with an error status.
 */
#include "device.h"

static uint32_t read_sign_of_life(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	(void)f;
	(void)i;
	return stored ? stored : 1;
}

static void answer(struct gv_fn *f, enum gv_reg reg, uint32_t asked)
{
	uint32_t status = GV_PSP_STATUS_UNKNOWN;

	switch (GV_GET(asked, PSP_C2PMSG, COMMAND)) {
	case GV_PSP_INIT_GPCOM_RING:
	case GV_PSP_DESTROY_RINGS:
	case GV_PSP_DESTROY_GPCOM_RING:
		status = 0;
		break;
	default:
		gv_unimplemented(f, "PSP command 0x%x", asked);
	}
	gv_reg_put(f, reg, 0, GV_PUT(PSP_C2PMSG, RESPONSE, 1) | GV_PUT(PSP_C2PMSG, STATUS, status));
}

/* The whole GPU, by the PF: amdgpu asks for it here and then looks at C2PMSG_33 (psp_v3_1.c). */
static bool mode1(struct gv_fn *f, uint32_t asked)
{
	if (gv_fn_is_vf(f) || GV_GET(asked, PSP_C2PMSG, COMMAND) != GV_PSP_MODE1_RST)
		return false;
	atomic_store(&f->dev->mode1_pending, true);
	gv_worker_kick(&f->dev->housekeeper);
	return true;
}

/* The boot loader is back as soon as nothing is pending. */
static uint32_t read_boot_loader(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	(void)i;
	(void)stored;
	return GV_PUT(PSP_C2PMSG, RESPONSE, !atomic_load(&f->dev->mode1_pending));
}

static void wrote_64(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i;
	(void)was;
	if (!mode1(f, now))
		answer(f, GV_REG_MP0_SMN_C2PMSG_64, now);
}

static void wrote_101(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i;
	(void)was;
	answer(f, GV_REG_MP0_SMN_C2PMSG_101, now);
}

static const struct gv_reg_hook rows[] = {
        {GV_REG_MP0_SMN_C2PMSG_33, NULL, read_boot_loader},
        {GV_REG_MP0_SMN_C2PMSG_81, NULL, read_sign_of_life},
        {GV_REG_MP0_SMN_C2PMSG_64, wrote_64, NULL},
        {GV_REG_MP0_SMN_C2PMSG_101, wrote_101, NULL},
};
const struct gv_reg_hooks gv_psp_hooks = {rows, GV_ARRAY_LEN(rows)};
