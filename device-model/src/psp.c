/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * PSP (MP0): what tells a driver that the security processor lives, its GPCOM
 * rings, one per function, and the PF's mode-1 reset.
 */
#include "psp.h"

/* ---- the ring, on the worker ----------------------------------------------- */

/* One frame. What cannot be read or answered is the driver's mistake: it waits for its fence. */
static void run_frame(struct gv_fn *f, uint64_t frame_va)
{
	struct gv_mem *m = &f->psp->mem;
	struct gv_psp_frame frame;
	struct gv_psp_cmd cmd;
	struct gv_psp_resp resp = {0};
	uint64_t at;

	if (gv_mem_read(m, frame_va, &frame, sizeof(frame))) {
		gv_guest_error(f, "PSP frame at 0x%llx is not readable",
		               (unsigned long long)frame_va);
		return;
	}
	at = gv_psp_va(frame.cmd_lo, frame.cmd_hi);
	if (frame.vmid || at % GV_PSP_PAGE || gv_mem_read(m, at, &cmd, sizeof(cmd))) {
		gv_guest_error(f, "PSP command at 0x%llx of VMID %u is not readable",
		               (unsigned long long)at, frame.vmid);
		return;
	}
	gv_psp_command(f, &cmd, &resp);
	if (gv_mem_write(m, at + sizeof(cmd), &resp, sizeof(resp))) {
		gv_guest_error(f, "PSP command at 0x%llx cannot be answered",
		               (unsigned long long)at);
		return;
	}
	gv_dma_to_device(); /* the answer is there before the fence says so */
	at = gv_psp_va(frame.fence_lo, frame.fence_hi);
	if (gv_mem_write32(m, at, frame.fence))
		gv_guest_error(f, "PSP fence at 0x%llx is not writable", (unsigned long long)at);
}

/* Frames up to @wptr wait. */
static uint32_t consume(struct gv_fn *f, uint32_t wptr)
{
	if (!f->psp->on) {
		gv_guest_error(f, "PSP frames without a ring");
		return GV_PSP_BAD_STATE;
	}
	if (wptr >= GV_PSP_RING_DW || wptr % GV_PSP_FRAME_DW) {
		gv_guest_error(f, "PSP write pointer 0x%x", wptr);
		return GV_PSP_BAD_PARAMETERS;
	}
	f->psp->wptr = wptr;
	return 0;
}

static uint32_t create(struct gv_fn *f, uint64_t va)
{
	struct gv_psp *p = f->psp;

	if (va % GV_PSP_PAGE) {
		gv_guest_error(f, "PSP ring at 0x%llx", (unsigned long long)va);
		return GV_PSP_BAD_PARAMETERS;
	}
	p->on = true;
	p->ring_va = va;
	p->rptr = p->wptr = 0;
	return 0;
}

static uint32_t execute(struct gv_fn *f, uint32_t command, uint32_t lo, uint32_t hi)
{
	switch (GV_GET(command, PSP_C2PMSG, COMMAND)) {
	case GV_PSP_INIT_GPCOM_RING:
		return create(f, gv_psp_va(lo, hi));
	case GV_PSP_DESTROY_RINGS:
	case GV_PSP_DESTROY_GPCOM_RING:
		f->psp->on = false;
		return 0; /* no frame is run any more: the driver may free the ring */
	case GV_PSP_CONSUME_CMD:
		return consume(f, lo);
	default:
		gv_unimplemented(f, "PSP command 0x%x", command);
		return GV_PSP_STATUS_UNKNOWN;
	}
}

static uint32_t response(uint32_t status)
{
	return GV_PUT(PSP_C2PMSG, RESPONSE, 1) | GV_PUT(PSP_C2PMSG, STATUS, status);
}

/* The next command of @f, if there is one. */
static bool take(struct gv_fn *f, uint32_t *command, uint32_t *lo, uint32_t *hi)
{
	struct gv_psp *p = f->psp;
	bool asked;

	(void)pthread_mutex_lock(&f->dev->lock);
	asked = p->asked;
	p->asked = false;
	*command = p->command;
	*lo = p->arg_lo;
	*hi = p->arg_hi;
	(void)pthread_mutex_unlock(&f->dev->lock);
	return asked;
}

/* Unless the driver has asked for something else meanwhile: it does not look at this answer then.
 */
static void put_answer(struct gv_fn *f, uint32_t status)
{
	(void)pthread_mutex_lock(&f->dev->lock);
	if (!f->psp->asked)
		GV_RPUT(f, MP0_SMN_C2PMSG_101, response(status));
	(void)pthread_mutex_unlock(&f->dev->lock);
}

static bool frame_waits(const struct gv_psp *p)
{
	return p->on && p->rptr != p->wptr;
}

/* One command and one frame. Returns whether there is more. */
static bool work(struct gv_fn *f)
{
	struct gv_psp *p = f->psp;
	uint32_t command = 0, lo = 0, hi = 0;

	if (gv_fn_stopping(f))
		return false;
	if (take(f, &command, &lo, &hi))
		put_answer(f, execute(f, command, lo, hi));
	if (!frame_waits(p))
		return false;
	gv_fn_mem_enter(f);
	run_frame(f, p->ring_va + p->rptr * 4ull);
	gv_fn_mem_leave(f);
	p->rptr = (p->rptr + GV_PSP_FRAME_DW) % GV_PSP_RING_DW;
	return frame_waits(p);
}

/* Functions take turns, a frame each. */
static uint64_t run(void *arg)
{
	struct gv_dev *dev = arg;
	bool more = false;

	for (unsigned n = 0; n <= dev->cfg.max_vfs; n++)
		more |= work(&dev->fn[n]);
	return more ? 0 : UINT64_MAX;
}

/* ---- registers: under dev->lock --------------------------------------------- */

static uint32_t read_sign_of_life(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	(void)f;
	(void)i;
	return stored ? stored : 1;
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

static uint32_t command_64(struct gv_fn *f, uint32_t asked)
{
	switch (GV_GET(asked, PSP_C2PMSG, COMMAND)) {
	case GV_PSP_INIT_GPCOM_RING:
	case GV_PSP_DESTROY_RINGS:
	case GV_PSP_DESTROY_GPCOM_RING:
		if (!gv_fn_is_vf(f))
			return 0;
		break;
	case GV_PSP_GBR_IH_SET:
		/* Which IH ring a client's entries go to is one setting for the GPU, so it is not
		 * a VF's to make: they stay in ring 0, where a driver takes them as well. */
		return 0;
	}
	gv_unimplemented(f, "PSP command 0x%x", asked);
	return GV_PSP_STATUS_UNKNOWN;
}

static void wrote_64(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i;
	(void)was;
	if (!mode1(f, now))
		GV_RPUT(f, MP0_SMN_C2PMSG_64, response(command_64(f, now)));
}

static void wrote_101(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	struct gv_psp *p = f->psp;

	(void)i;
	(void)was;
	p->asked = true;
	p->command = now;
	p->arg_lo = GV_RGET(f, MP0_SMN_C2PMSG_102);
	p->arg_hi = GV_RGET(f, MP0_SMN_C2PMSG_103);
	GV_RPUT(f, MP0_SMN_C2PMSG_101, now & ~GV_PUT(PSP_C2PMSG, RESPONSE, 1));
	gv_worker_kick(&f->dev->psp);
}

static const struct gv_reg_hook rows[] = {
        {GV_REG_MP0_SMN_C2PMSG_33, NULL, read_boot_loader},
        {GV_REG_MP0_SMN_C2PMSG_81, NULL, read_sign_of_life},
        {GV_REG_MP0_SMN_C2PMSG_64, wrote_64, NULL},
        {GV_REG_MP0_SMN_C2PMSG_101, wrote_101, NULL},
};
const struct gv_reg_hooks gv_psp_hooks = {rows, GV_ARRAY_LEN(rows)};

/* ---- life ---------------------------------------------------------------------- */

int gv_psp_init(struct gv_fn *f)
{
	f->psp = calloc(1, sizeof(*f->psp));
	return f->psp ? 0 : -ENOMEM;
}

void gv_psp_done(struct gv_fn *f)
{
	free(f->psp);
	f->psp = NULL;
}

int gv_psp_start(struct gv_dev *dev)
{
	return gv_worker_start(&dev->psp, "gv-psp", run, dev);
}

void gv_psp_reset(struct gv_fn *f)
{
	*f->psp = (struct gv_psp){.asked = false};
	gv_mem_init(&f->psp->mem, f, GV_HUB_MM, 0, 0);
}

void gv_psp_pause(struct gv_fn *f)
{
	gv_worker_pause(&f->dev->psp);
}

void gv_psp_resume(struct gv_fn *f)
{
	gv_worker_resume(&f->dev->psp);
}
