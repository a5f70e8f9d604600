/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Register files and the one point where every register access is checked. */
#include <string.h>

#include "device.h"

static const struct gv_reg_hooks *const all_hooks[] = {
        &gv_dev_hooks,  &gv_nbio_hooks, &gv_ih_hooks,  &gv_gmc_hooks,
        &gv_vram_hooks, &gv_cp_hooks,   &gv_gfx_hooks, &gv_rlc_hooks,
        &gv_sdma_hooks, &gv_psp_hooks,  &gv_mm_hooks,  &gv_gpuiov_hooks,
};

/* What a VF's CPU side may write while VF_REGWR_EN is closed: what a driver needs at run time and
 * cannot reach through its KIQ (mxgpu_ai.c, vega10_ih.c, amdgpu_device.c), or does not while a
 * reset goes on (gmc_v9_0.c: its own TLBs). MM_DATA is here as a way in; the register it leads to
 * is checked again. */
static const enum gv_reg ungated[] = {
        GV_REG_BIF_BX_PF0_MAILBOX_INT_CNTL,
        GV_REG_BIF_BX_PF0_BIF_VMHV_MAILBOX,
        GV_REG_BIF_BX_PF0_GPU_HDP_FLUSH_REQ,
        GV_REG_BIF_BX_PF0_HDP_MEM_COHERENCY_FLUSH_CNTL,
        GV_REG_HDP_READ_CACHE_INVALIDATE,
        GV_REG_VM_INVALIDATE_ENG0_REQ,
        GV_REG_MMHUB_VM_INVALIDATE_ENG0_REQ,
        GV_REG_MM_INDEX,
        GV_REG_MM_INDEX_HI,
        GV_REG_MM_DATA,
        GV_REG_IH_RB_CNTL,
        GV_REG_IH_RB_CNTL_RING1,
        GV_REG_IH_RB_CNTL_RING2,
        GV_REG_IH_RB_RPTR,
        GV_REG_IH_RB_RPTR_RING1,
        GV_REG_IH_RB_RPTR_RING2,
        GV_REG_IH_RB_WPTR,
        GV_REG_IH_RB_WPTR_RING1,
        GV_REG_IH_RB_WPTR_RING2,
};

static uint32_t load(_Atomic uint32_t *cell)
{
	return atomic_load_explicit(cell, memory_order_acquire);
}

static void store(_Atomic uint32_t *cell, uint32_t val)
{
	atomic_store_explicit(cell, val, memory_order_release);
}

int gv_hqd_selected(struct gv_fn *f)
{
	uint32_t v = load(&f->reg[gv_reg_info(GV_REG_GRBM_GFX_CNTL)->slot]);
	unsigned me = GV_GET(v, GRBM_GFX_CNTL, MEID);

	if (me == 0 || me > GV_NUM_MEC)
		return -1;
	return (int)GV_HQD_SLOT(me - 1, GV_GET(v, GRBM_GFX_CNTL, PIPEID),
	                        GV_GET(v, GRBM_GFX_CNTL, QUEUEID));
}

/* Where the value is kept, NULL when the selection points nowhere. */
static _Atomic uint32_t *cell(struct gv_fn *f, enum gv_reg reg, uint32_t i)
{
	const struct gv_reg_info *info = gv_reg_info(reg);
	uint32_t slot = info->slot + i;
	int hqd;

	if (i >= info->count)
		return NULL;
	switch (info->bank) {
	case GV_BANK_GPU:
		return &f->dev->gpu_reg[slot];
	case GV_BANK_HQD:
		hqd = gv_hqd_selected(f);
		return hqd < 0 ? NULL : &f->hqd[hqd][slot];
	case GV_BANK_VMID:
		hqd = (int)GV_GET(load(&f->reg[gv_reg_info(GV_REG_GRBM_GFX_CNTL)->slot]),
		                  GRBM_GFX_CNTL, VMID);
		return &f->vmid[hqd][slot];
	case GV_BANK_FN:
	case GV_BANK_MBX:
		return &f->reg[slot];
	}
	return NULL;
}

uint32_t gv_reg_get(struct gv_fn *f, enum gv_reg reg, uint32_t i)
{
	_Atomic uint32_t *c = cell(f, reg, i);

	return c ? load(c) : 0;
}

void gv_reg_put(struct gv_fn *f, enum gv_reg reg, uint32_t i, uint32_t val)
{
	_Atomic uint32_t *c = cell(f, reg, i);

	if (c)
		store(c, val);
}

uint32_t gv_hqd_get(struct gv_fn *f, unsigned hqd, enum gv_reg reg)
{
	return hqd < GV_CP_QUEUES ? load(&f->hqd[hqd][gv_reg_info(reg)->slot]) : 0;
}

void gv_hqd_put(struct gv_fn *f, unsigned hqd, enum gv_reg reg, uint32_t val)
{
	if (hqd < GV_CP_QUEUES)
		store(&f->hqd[hqd][gv_reg_info(reg)->slot], val);
}

uint32_t gv_vmid_get(struct gv_fn *f, unsigned vmid, enum gv_reg reg)
{
	return vmid < GV_NUM_VMID ? load(&f->vmid[vmid][gv_reg_info(reg)->slot]) : 0;
}

void gv_vmid_put(struct gv_fn *f, unsigned vmid, enum gv_reg reg, uint32_t val)
{
	if (vmid < GV_NUM_VMID)
		store(&f->vmid[vmid][gv_reg_info(reg)->slot], val & gv_reg_info(reg)->rw);
}

/* ---- access --------------------------------------------------------------- */

static bool gate_open(struct gv_fn *f, const struct gv_reg_info *info, enum gv_reg reg)
{
	uint32_t gate = gv_reg_get(f, GV_REG_GVX_VF_REGWR_EN, 0);

	if ((gate >> gv_fn_vf(f)) & 1 || info->bank == GV_BANK_MBX)
		return true;
	for (size_t k = 0; k < GV_ARRAY_LEN(ungated); k++)
		if (ungated[k] == reg)
			return true;
	return false;
}

/* To write back what it read is no mistake, to want its own register to be otherwise is one. */
static void ignore(struct gv_fn *f, const struct gv_reg_info *info, uint32_t byte, uint32_t val,
                   enum gv_origin origin)
{
	if (info->bank == GV_BANK_FN && gv_mmio_read32(f, byte, origin) != val)
		gv_guest_error(f, "wrote 0x%x to %s, which it may only read", val, info->name);
}

static bool may_write(struct gv_fn *f, enum gv_reg reg, enum gv_origin origin)
{
	const struct gv_reg_info *info = gv_reg_info(reg);
	enum gv_access access = gv_fn_is_vf(f) ? info->vf : info->pf;

	if (access != GV_RW) {
		gv_guest_error(f, "wrote %s, which it may not", info->name);
		return false;
	}
	if (gv_fn_is_vf(f) && origin == GV_ORIGIN_HOST && !gate_open(f, info, reg)) {
		gv_guest_error(f, "wrote %s while VF_REGWR_EN is closed", info->name);
		return false;
	}
	return true;
}

static void write_stored(struct gv_fn *f, enum gv_reg reg, uint32_t i, uint32_t val, uint32_t be)
{
	const struct gv_reg_info *info = gv_reg_info(reg);
	_Atomic uint32_t *c = cell(f, reg, i);
	uint32_t was, now;

	if (!c) {
		gv_guest_error(f, "wrote %s while GRBM_GFX_CNTL selects no queue", info->name);
		return;
	}
	was = load(c);
	now = (was & ~(info->rw & be)) | (val & info->rw & be);
	now &= ~(val & info->w1c & be);
	store(c, now);
	if (f->dev->wrote_hook[reg])
		f->dev->wrote_hook[reg]->wrote(f, i, was, now);
}

static void write_masked(struct gv_fn *f, uint32_t byte, uint32_t val, uint32_t be,
                         enum gv_origin origin)
{
	uint32_t i = 0;
	int reg = gv_reg_at(byte, &i);

	if (reg < 0) {
		gv_unimplemented(f, "write of register 0x%x = 0x%x", byte, val);
		return;
	}
	if (gv_fn_is_vf(f) && gv_reg_info((enum gv_reg)reg)->vf == GV_WI) {
		ignore(f, gv_reg_info((enum gv_reg)reg), byte, val, origin);
		return;
	}
	if (!may_write(f, (enum gv_reg)reg, origin))
		return;
	if (reg == GV_REG_MM_DATA) {
		if (origin == GV_ORIGIN_HOST && be == UINT32_MAX)
			gv_nbio_mm_write(f, val);
		else
			gv_unimplemented(f, "MM_DATA written by an engine or in part");
		return;
	}
	(void)pthread_mutex_lock(&f->dev->lock);
	if (gv_reg_info((enum gv_reg)reg)->bank == GV_BANK_MBX)
		gv_nbio_mbx_write(f, (enum gv_reg)reg, val, be);
	else
		write_stored(f, (enum gv_reg)reg, i, val, be);
	(void)pthread_mutex_unlock(&f->dev->lock);
	if (reg == GV_REG_RLC_GPU_IOV_CFG_REG1)
		gv_world_begin(f->dev, origin == GV_ORIGIN_HOST);
}

void gv_mmio_write32(struct gv_fn *f, uint32_t byte, uint32_t val, enum gv_origin origin)
{
	write_masked(f, byte, val, UINT32_MAX, origin);
}

static uint32_t read_locked(struct gv_fn *f, enum gv_reg reg, uint32_t i)
{
	const struct gv_reg_hook *hook = f->dev->read_hook[reg];
	uint32_t val;

	(void)pthread_mutex_lock(&f->dev->lock);
	if (gv_reg_info(reg)->bank == GV_BANK_MBX)
		val = gv_nbio_mbx_read(f, reg);
	else
		val = hook->read(f, i, gv_reg_get(f, reg, i));
	(void)pthread_mutex_unlock(&f->dev->lock);
	return val;
}

uint32_t gv_mmio_read32(struct gv_fn *f, uint32_t byte, enum gv_origin origin)
{
	const struct gv_reg_info *info;
	uint32_t i = 0;
	int reg = gv_reg_at(byte, &i);

	if (reg < 0) {
		gv_unimplemented(f, "read of register 0x%x", byte);
		return 0;
	}
	info = gv_reg_info((enum gv_reg)reg);
	if ((gv_fn_is_vf(f) ? info->vf : info->pf) == GV_NONE) {
		gv_guest_error(f, "read %s, which it may not", info->name);
		return 0;
	}
	if (reg == GV_REG_MM_DATA) {
		if (origin == GV_ORIGIN_HOST)
			return gv_nbio_mm_read(f);
		gv_unimplemented(f, "MM_DATA read by an engine");
		return 0;
	}
	if (f->dev->read_hook[reg] || info->bank == GV_BANK_MBX)
		return read_locked(f, (enum gv_reg)reg, i);
	return gv_reg_get(f, (enum gv_reg)reg, i);
}

/* @n bytes (1..4) inside one dword of BAR5. */
static void access_dword(struct gv_fn *f, uint32_t off, uint8_t *buf, size_t n, bool write)
{
	unsigned shift = off % 4 * 8;
	uint32_t byte = off & ~3u, val = 0, be = (uint32_t)(((1ull << n * 8) - 1) << shift);
	bool msix = gv_pci_in_msix(byte);

	if (write) {
		memcpy(&val, buf, n);
		val <<= shift;
		if (msix)
			gv_pci_msix_write(f, byte, val, be);
		else
			write_masked(f, byte, val, be, GV_ORIGIN_HOST);
		return;
	}
	val = msix ? gv_pci_msix_read(f, byte) : gv_mmio_read32(f, byte, GV_ORIGIN_HOST);
	val >>= shift;
	memcpy(buf, &val, n);
}

int gv_mmio_access(struct gv_fn *f, uint64_t off, void *buf, size_t n, bool write)
{
	uint8_t *at = buf;

	if (off > GV_BAR5_BYTES || n > GV_BAR5_BYTES - off)
		return -ERANGE;
	while (n) {
		size_t part = GV_MIN(n, (size_t)(4 - off % 4));

		access_dword(f, (uint32_t)off, at, part, write);
		off += part;
		at += part;
		n -= part;
	}
	return 0;
}

/* ---- life ------------------------------------------------------------------ */

static int add_hook(struct gv_dev *dev, const struct gv_reg_hook *h)
{
	if ((h->wrote && dev->wrote_hook[h->reg]) || (h->read && dev->read_hook[h->reg])) {
		gv_logf(dev->log, GV_LOG_ERR, "register %s is hooked twice",
		        gv_reg_info(h->reg)->name);
		return -EEXIST;
	}
	if (h->wrote)
		dev->wrote_hook[h->reg] = h;
	if (h->read)
		dev->read_hook[h->reg] = h;
	return 0;
}

static int collect_hooks(struct gv_dev *dev)
{
	dev->wrote_hook = calloc(GV_REG_COUNT, sizeof(struct gv_reg_hook *));
	dev->read_hook = calloc(GV_REG_COUNT, sizeof(struct gv_reg_hook *));
	if (!dev->wrote_hook || !dev->read_hook)
		return -ENOMEM;
	for (size_t b = 0; b < GV_ARRAY_LEN(all_hooks); b++)
		for (size_t k = 0; k < all_hooks[b]->count; k++) {
			int rc = add_hook(dev, &all_hooks[b]->row[k]);

			if (rc)
				return rc;
		}
	return 0;
}

/* One block of memory per function: its registers, then a bank per queue and per VMID. */
static int alloc_fn(struct gv_fn *f, size_t slots)
{
	f->reg = calloc(slots * (1 + GV_CP_QUEUES + GV_NUM_VMID), sizeof(*f->reg));
	if (!f->reg)
		return -ENOMEM;
	for (size_t k = 0; k < GV_CP_QUEUES; k++)
		f->hqd[k] = f->reg + slots * (1 + k);
	for (size_t k = 0; k < GV_NUM_VMID; k++)
		f->vmid[k] = f->reg + slots * (1 + GV_CP_QUEUES + k);
	return 0;
}

int gv_mmio_init(struct gv_dev *dev)
{
	size_t slots = gv_reg_slots();
	int rc = collect_hooks(dev);

	if (rc)
		return rc;
	dev->gpu_reg = calloc(slots, sizeof(*dev->gpu_reg));
	if (!dev->gpu_reg)
		return -ENOMEM;
	for (unsigned n = 0; n <= dev->cfg.max_vfs; n++) {
		rc = alloc_fn(&dev->fn[n], slots);
		if (rc)
			return rc;
		gv_mmio_reset(&dev->fn[n]);
	}
	return 0;
}

void gv_mmio_done(struct gv_dev *dev)
{
	for (unsigned n = 0; n < GV_DEV_MAX_FUNCS; n++) {
		free((void *)dev->fn[n].reg);
		dev->fn[n].reg = NULL;
	}
	free((void *)dev->gpu_reg);
	dev->gpu_reg = NULL;
	free(dev->wrote_hook);
	free(dev->read_hook);
	dev->wrote_hook = dev->read_hook = NULL;
}

static void reset_reg(struct gv_fn *f, const struct gv_reg_info *info, uint32_t slot)
{
	switch (info->bank) {
	case GV_BANK_FN:
	case GV_BANK_MBX:
		store(&f->reg[slot], info->reset);
		break;
	case GV_BANK_GPU:
		if (!gv_fn_is_vf(f))
			store(&f->dev->gpu_reg[slot], info->reset);
		break;
	case GV_BANK_HQD:
		for (unsigned k = 0; k < GV_CP_QUEUES; k++)
			store(&f->hqd[k][slot], info->reset);
		break;
	case GV_BANK_VMID:
		for (unsigned k = 0; k < GV_NUM_VMID; k++)
			store(&f->vmid[k][slot], info->reset);
		break;
	}
}

void gv_mmio_reset(struct gv_fn *f)
{
	for (int r = 0; r < GV_REG_COUNT; r++) {
		const struct gv_reg_info *info = gv_reg_info((enum gv_reg)r);

		for (uint32_t k = 0; k < info->count; k++)
			reset_reg(f, info, info->slot + k);
	}
}
