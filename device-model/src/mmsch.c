/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Multimedia scheduler: mailbox, init tables, the worker, life. */
#include <string.h>

#include "mm.h"

#define TABLE_MAX 4096u /* dwords; a driver has a page (amdgpu_virt_alloc_mm_table()) */

/* ---- init tables, on the worker ------------------------------------------------------ */

/* A register of UVD or VCE, nothing else: byte address, or 0. */
static uint32_t find_reg(struct gv_fn *f, uint32_t dw)
{
	int reg = dw < GV_BAR5_BYTES / 4 ? gv_reg_at(dw * 4, NULL) : -ENOENT;
	enum gv_block block = reg < 0 ? GV_BLOCK_GVX : gv_reg_info((enum gv_reg)reg)->block;

	if (block == GV_BLOCK_UVD || block == GV_BLOCK_VCE)
		return dw * 4;
	gv_guest_error(f, "MMSCH init table: register dword 0x%x", dw);
	return 0;
}

static unsigned length_of(uint32_t type)
{
	switch (type) {
	case GV_MMSCH_WRITE:
	case GV_MMSCH_INDIRECT:
		return 2;
	case GV_MMSCH_POLL:
	case GV_MMSCH_MODIFY:
		return 3;
	default:
		return 1;
	}
}

/* One command that is all there. */
static bool run_command(struct gv_fn *f, const uint32_t *dw)
{
	uint32_t type = GV_GET(dw[0], MMSCH_CMD, TYPE), byte, val;

	if (type != GV_MMSCH_WRITE && type != GV_MMSCH_POLL && type != GV_MMSCH_MODIFY) {
		gv_unimplemented(f, "MMSCH command 0x%x", dw[0]);
		return false;
	}
	byte = find_reg(f, GV_GET(dw[0], MMSCH_CMD, REG));
	if (!byte)
		return false;
	if (type == GV_MMSCH_WRITE) {
		gv_mmio_write32(f, byte, dw[1], GV_ORIGIN_ENGINE);
		return true;
	}
	val = gv_mmio_read32(f, byte, GV_ORIGIN_ENGINE);
	if (type == GV_MMSCH_MODIFY) {
		gv_mmio_write32(f, byte, (val & dw[2]) | dw[1], GV_ORIGIN_ENGINE);
		return true;
	}
	/* Whatever a register comes to show, it shows at once. */
	if ((val & dw[1]) == dw[2])
		return true;
	gv_guest_error(f, "MMSCH init table waits for ever: register 0x%x is 0x%x", byte, val);
	return false;
}

static bool run_table(struct gv_fn *f, const uint32_t *dw, uint32_t off, uint32_t n, uint32_t all)
{
	if (off > all || n > all - off) {
		gv_guest_error(f, "MMSCH init table at 0x%x of 0x%x dwords", off, all);
		return false;
	}
	for (uint32_t i = off, len = 0; i < off + n; i += len) {
		uint32_t type = GV_GET(dw[i], MMSCH_CMD, TYPE);

		len = length_of(type);
		if (type == GV_MMSCH_END)
			return true;
		if (len > off + n - i || !run_command(f, dw + i))
			return false;
	}
	gv_guest_error(f, "MMSCH init table without end");
	return false;
}

/* Both tables, from a copy, and the rings that they set up. */
static bool initialize(struct gv_fn *f, const uint32_t *dw, uint32_t n)
{
	struct gv_mmsch_init h;

	memcpy(&h, dw, sizeof(h));
	if (h.version != GV_MMSCH_VERSION) {
		gv_unimplemented(f, "MMSCH init table of version %u", h.version);
		return false;
	}
	return (!h.uvd_dw ||
	        (run_table(f, dw, h.uvd_off, h.uvd_dw, n) && gv_mm_ring_start(f, GV_MM_UVD))) &&
	       (!h.vce_dw ||
	        (run_table(f, dw, h.vce_off, h.vce_dw, n) && gv_mm_ring_start(f, GV_MM_VCE)));
}

static bool read_and_initialize(struct gv_fn *f)
{
	uint32_t n = GV_RGET(f, VCE_MMSCH_VF_CTX_SIZE);
	uint64_t at = (uint64_t)GV_RGET(f, VCE_MMSCH_VF_CTX_ADDR_HI) << 32 |
	              GV_RGET(f, VCE_MMSCH_VF_CTX_ADDR_LO);
	gv_auto_free uint32_t *dw = NULL;

	for (int e = 0; e < GV_MM_ENGINES; e++)
		gv_mm_ring_stop(f, (enum gv_mm_engine)e);
	if (GV_GET(GV_RGET(f, VCE_MMSCH_VF_VMID), VCE_MMSCH_VF_VMID, VF_CTX_VMID)) {
		gv_unimplemented(f, "MMSCH init table in a VMID");
		return false;
	}
	if (n < sizeof(struct gv_mmsch_init) / 4 || n > TABLE_MAX) {
		gv_guest_error(f, "MMSCH init table of %u dwords", n);
		return false;
	}
	dw = malloc(n * sizeof(*dw));
	if (!dw)
		return false;
	if (gv_mem_read(&f->mm->mem, at, dw, n * sizeof(*dw))) {
		gv_guest_error(f, "MMSCH init table at 0x%llx is not readable",
		               (unsigned long long)at);
		return false;
	}
	return initialize(f, dw, n);
}

/* ---- the worker ------------------------------------------------------------------------- */

static bool take(struct gv_fn *f, uint32_t *host)
{
	bool asked;

	(void)pthread_mutex_lock(&f->dev->lock);
	asked = f->mm->asked;
	f->mm->asked = false;
	*host = GV_RGET(f, VCE_MMSCH_VF_MAILBOX_HOST);
	(void)pthread_mutex_unlock(&f->dev->lock);
	return asked;
}

/* Without success there is no answer: what a driver is told then is not known. */
static void answer(struct gv_fn *f, uint32_t host)
{
	if (host != GV_MMSCH_INIT)
		gv_unimplemented(f, "MMSCH message 0x%x", host);
	else if (read_and_initialize(f))
		GV_RPUT(f, VCE_MMSCH_VF_MAILBOX_RESP, GV_MMSCH_INIT_DONE);
}

static uint64_t work(struct gv_fn *f)
{
	uint64_t next = UINT64_MAX;
	uint32_t host = 0;
	bool asked;

	if (gv_fn_stopping(f))
		return next;
	asked = take(f, &host);
	if (!asked && !f->mm->ring[GV_MM_UVD].on && !f->mm->ring[GV_MM_VCE].on)
		return next;
	gv_fn_mem_enter(f);
	if (asked)
		answer(f, host);
	for (int e = 0; e < GV_MM_ENGINES; e++)
		next = GV_MIN(next, gv_mm_ring_run(f, (enum gv_mm_engine)e));
	gv_fn_mem_leave(f);
	return next;
}

static uint64_t run(void *arg)
{
	struct gv_dev *dev = arg;
	uint64_t next = UINT64_MAX;

	for (unsigned n = 0; n <= dev->cfg.max_vfs; n++)
		next = GV_MIN(next, work(&dev->fn[n]));
	return next;
}

/* ---- registers and doorbells: under dev->lock ----------------------------------------------- */

static void wrote_host(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i;
	(void)was;
	if (!now)
		return;
	f->mm->asked = true;
	gv_worker_kick(&f->dev->mm);
}

/* The processors boot when they have a clock and are out of reset, and say so. */
static void wrote_uvd_reset(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i;
	(void)was;
	if (GV_GET(GV_RGET(f, UVD_VCPU_CNTL), UVD_VCPU_CNTL, CLK_EN) &&
	    !GV_GET(now, UVD_SOFT_RESET, VCPU_SOFT_RESET))
		GV_RPUT(f, UVD_STATUS, GV_RGET(f, UVD_STATUS) | GV_PUT(UVD_STATUS, VCPU_REPORT, 1));
}

static void wrote_vce_reset(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i;
	(void)was;
	if (GV_GET(GV_RGET(f, VCE_VCPU_CNTL), VCE_VCPU_CNTL, CLK_EN) &&
	    !GV_GET(now, VCE_SOFT_RESET, ECPU_SOFT_RESET))
		GV_RPUT(f, VCE_STATUS, GV_RGET(f, VCE_STATUS) | GV_PUT(VCE_STATUS, VCPU_REPORT, 1));
}

static const struct gv_reg_hook rows[] = {
        {GV_REG_VCE_MMSCH_VF_MAILBOX_HOST, wrote_host, NULL},
        {GV_REG_UVD_SOFT_RESET, wrote_uvd_reset, NULL},
        {GV_REG_VCE_SOFT_RESET, wrote_vce_reset, NULL},
};
const struct gv_reg_hooks gv_mm_hooks = {rows, GV_ARRAY_LEN(rows)};

bool gv_mm_doorbell(struct gv_fn *f, uint32_t index, uint64_t val)
{
	for (int e = 0; e < GV_MM_ENGINES; e++) {
		struct gv_mm_ring *r = &f->mm->ring[e];

		if (index != gv_mm_regs[e].doorbell || !atomic_load(&r->on))
			continue;
		atomic_store(&r->wptr, (uint32_t)val);
		gv_worker_kick(&f->dev->mm);
		return true;
	}
	return false;
}

/* ---- life --------------------------------------------------------------------------------------
 */

int gv_mm_init(struct gv_fn *f)
{
	f->mm = calloc(1, sizeof(*f->mm));
	return f->mm ? 0 : -ENOMEM;
}

void gv_mm_done(struct gv_fn *f)
{
	free(f->mm);
	f->mm = NULL;
}

int gv_mm_start(struct gv_dev *dev)
{
	/* Drivers wait for the MMSCH for 10 ms and the time of 1000 register reads. */
	return gv_worker_start_prompt(&dev->mm, "gv-mm", run, dev);
}

void gv_mm_reset(struct gv_fn *f)
{
	f->mm->asked = false;
	for (int e = 0; e < GV_MM_ENGINES; e++)
		f->mm->ring[e] = (struct gv_mm_ring){.on = false};
	gv_mem_init(&f->mm->mem, f, GV_HUB_MM, 0, 0);
	gv_mem_init(&f->mm->ib, f, GV_HUB_MM, 0, 0);
}

void gv_mm_pause(struct gv_fn *f)
{
	gv_worker_pause(&f->dev->mm);
}

void gv_mm_resume(struct gv_fn *f)
{
	gv_worker_resume(&f->dev->mm);
}
