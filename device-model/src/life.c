/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Life of the functions: resets, VFs that come and go, and the registers that ask for it. */
#include "device.h"

/* ---- registers of the device itself ------------------------------------------ */

static void wrote_vf_reset(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	uint32_t vfs = now & gv_mask(0, f->dev->cfg.max_vfs);

	(void)i;
	(void)was;
	gv_reg_put(f, GV_REG_GVX_VF_RESET, 0, 0);
	if (!vfs)
		return;
	atomic_fetch_or(&f->dev->reset_pending, vfs);
	gv_worker_kick(&f->dev->housekeeper);
}

static uint32_t read_vf_reset(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	(void)i;
	(void)stored;
	return atomic_load(&f->dev->reset_pending);
}

static uint32_t read_unimplemented(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	uint64_t sum = 0;

	(void)i;
	(void)stored;
	for (unsigned n = 0; n <= f->dev->cfg.max_vfs; n++)
		sum += atomic_load(&f->dev->fn[n].count.unimplemented);
	return (uint32_t)GV_MIN(sum, UINT32_MAX);
}

static uint32_t read_guest_errors(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	uint64_t sum = 0;

	(void)i;
	(void)stored;
	for (unsigned n = 0; n <= f->dev->cfg.max_vfs; n++)
		sum += atomic_load(&f->dev->fn[n].count.guest_errors);
	return (uint32_t)GV_MIN(sum, UINT32_MAX);
}

#define COUNTER(reg, member)                                                                       \
	static uint32_t read_##reg(struct gv_fn *f, uint32_t i, uint32_t stored)                   \
	{                                                                                          \
		(void)stored;                                                                      \
		return (uint32_t)atomic_load(&f->dev->fn[GV_DEV_VF(i)].count.member);              \
	}
COUNTER(vf_interrupts, interrupts)
COUNTER(vf_faults, vm_faults)
COUNTER(vf_errors, guest_errors)
COUNTER(vf_doorbells, doorbells)
#undef COUNTER

static const struct gv_reg_hook rows[] = {
        {GV_REG_GVX_VF_RESET, wrote_vf_reset, read_vf_reset},
        {GV_REG_GVX_UNIMPLEMENTED, NULL, read_unimplemented},
        {GV_REG_GVX_GUEST_ERRORS, NULL, read_guest_errors},
        {GV_REG_GVX_VF0_INTERRUPTS, NULL, read_vf_interrupts},
        {GV_REG_GVX_VF0_FAULTS, NULL, read_vf_faults},
        {GV_REG_GVX_VF0_ERRORS, NULL, read_vf_errors},
        {GV_REG_GVX_VF0_DOORBELLS, NULL, read_vf_doorbells},
};
const struct gv_reg_hooks gv_dev_hooks = {rows, GV_ARRAY_LEN(rows)};

/* ---- reset -------------------------------------------------------------------- */

/* Registers whose reset value the table cannot know, and the gates: a VF that was reset stays
 * shut until the PF opens it. */
static void reset_gpu_bank(struct gv_fn *f)
{
	static const enum gv_reg gates[] = {GV_REG_GVX_VF_REGWR_EN, GV_REG_GVX_VF_DOORBELL_EN,
	                                    GV_REG_GVX_VF_FB_EN};

	for (size_t k = 0; gv_fn_is_vf(f) && k < GV_ARRAY_LEN(gates); k++)
		gv_reg_put(f, gates[k], 0, gv_reg_get(f, gates[k], 0) & ~gv_mask(gv_fn_vf(f), 1));
	if (gv_fn_is_vf(f))
		return;
	GV_RPUT(f, GVX_VRAM_SIZE_MIB, (uint32_t)f->dev->cfg.vram_mib);
	GV_RPUT(f, GVX_PF_WINDOW_MIB, (uint32_t)f->dev->cfg.pf_window_mib);
}

/* Engines paused, mem_lock and dev->lock held. */
static void reset_gpu_blocks(struct gv_fn *f)
{
	gv_mmio_reset(f);
	reset_gpu_bank(f);
	gv_gmc_reset(f);
	gv_cp_reset(f);
	gv_sdma_reset(f);
	gv_psp_reset(f);
	gv_mm_reset(f);
	gv_ih_reset(f);
	gv_nbio_reset(f);
}

static void reset_blocks(struct gv_fn *f)
{
	reset_gpu_blocks(f);
	gv_pci_reset(f);
}

static void pause_engines(struct gv_fn *f)
{
	atomic_store(&f->stopping, true);
	gv_cp_pause(f);
	gv_sdma_pause(f);
	gv_psp_pause(f);
	gv_mm_pause(f);
	gv_ih_pause(f);
}

static void resume_engines(struct gv_fn *f)
{
	atomic_store(&f->stopping, false);
	gv_ih_resume(f);
	gv_psp_resume(f);
	gv_mm_resume(f);
	gv_sdma_resume(f);
	gv_cp_resume(f);
}

static void lock_for_reset(struct gv_fn *f)
{
	(void)pthread_rwlock_wrlock(&f->mem_lock);
	(void)pthread_mutex_lock(&f->dev->lock);
	atomic_fetch_add(&f->mem_generation, 1);
}

static void unlock_after_reset(struct gv_fn *f)
{
	(void)pthread_mutex_unlock(&f->dev->lock);
	(void)pthread_rwlock_unlock(&f->mem_lock);
}

/* Under life_lock. */
static void reset_by(struct gv_fn *f, void (*blocks)(struct gv_fn *f))
{
	pause_engines(f);
	lock_for_reset(f);
	blocks(f);
	unlock_after_reset(f);
	gv_world_reset(f);
	resume_engines(f);
}

static void reset_fn(struct gv_fn *f)
{
	reset_by(f, reset_blocks);
}

/* The PF resets a VF under a guest that goes on: amdgpu starts the GPU again, but neither memory
 * accesses nor its interrupt vector. So the PCI Express end stays, as it does where the host's
 * driver saves and restores it. */
static void reset_by_pf(struct gv_fn *f)
{
	(void)pthread_mutex_lock(&f->dev->life_lock);
	reset_by(f, reset_gpu_blocks);
	(void)pthread_mutex_unlock(&f->dev->life_lock);
}

void gv_fn_reset(struct gv_fn *f)
{
	(void)pthread_mutex_lock(&f->dev->life_lock);
	reset_fn(f);
	(void)pthread_mutex_unlock(&f->dev->life_lock);
}

/* Mode 1: every block of the GPU, of all functions. The PCI Express end stays as it is, and with it
 * BARs, interrupt vectors and the VFs; what is in VRAM is not to be relied on, but not touched. */
static void reset_all(struct gv_dev *dev)
{
	(void)pthread_mutex_lock(&dev->life_lock);
	for (unsigned n = 0; n <= dev->cfg.max_vfs; n++)
		pause_engines(&dev->fn[n]);
	for (unsigned n = 0; n <= dev->cfg.max_vfs; n++) {
		lock_for_reset(&dev->fn[n]);
		reset_gpu_blocks(&dev->fn[n]);
		unlock_after_reset(&dev->fn[n]);
	}
	gv_world_reset_all(dev);
	for (unsigned n = 0; n <= dev->cfg.max_vfs; n++)
		resume_engines(&dev->fn[n]);
	(void)pthread_mutex_unlock(&dev->life_lock);
	gv_logf(dev->log, GV_LOG_INFO, "PF: mode-1 reset");
}

void gv_fn_forget_engines(struct gv_fn *f)
{
	lock_for_reset(f);
	gv_cp_reset(f);
	gv_sdma_reset(f);
	unlock_after_reset(f);
}

void gv_fn_reset_engines(struct gv_fn *f)
{
	(void)pthread_mutex_lock(&f->dev->life_lock);
	pause_engines(f);
	gv_fn_forget_engines(f);
	resume_engines(f);
	(void)pthread_mutex_unlock(&f->dev->life_lock);
}

/* ---- VFs come and go ------------------------------------------------------------ */

static void set_enabled(struct gv_fn *f, bool on)
{
	(void)pthread_mutex_lock(&f->dev->lock);
	atomic_store(&f->enabled, on);
	(void)pthread_mutex_unlock(&f->dev->lock);
}

static void disable_vf(struct gv_fn *f)
{
	set_enabled(f, false);
	reset_fn(f);
	gv_world_free_vf(f);
	gv_doorbell_client_gone(f);
	gv_vram_release(f);
}

static void zero_counters(struct gv_fn_counters *c)
{
	_Atomic uint64_t *const all[] = {&c->unimplemented,     &c->guest_errors, &c->vm_faults,
	                                 &c->doorbells,         &c->packets,      &c->dispatches,
	                                 &c->wave_instructions, &c->interrupts};

	for (size_t k = 0; k < GV_ARRAY_LEN(all); k++)
		atomic_store(all[k], 0);
}

static void enable_vf(struct gv_fn *f)
{
	reset_fn(f);
	zero_counters(&f->count);
	set_enabled(f, true);
}

/* Under life_lock. Returns whether anything changed. */
static bool set_vfs(struct gv_dev *dev, unsigned num_vfs)
{
	unsigned was = atomic_load(&dev->num_vfs);

	for (unsigned n = num_vfs; n < was; n++)
		disable_vf(&dev->fn[GV_DEV_VF(n)]);
	for (unsigned n = was; n < num_vfs; n++)
		enable_vf(&dev->fn[GV_DEV_VF(n)]);
	(void)pthread_mutex_lock(&dev->lock);
	atomic_store(&dev->num_vfs, num_vfs);
	(void)pthread_mutex_unlock(&dev->lock);
	return was != num_vfs;
}

static void tell_vfs(struct gv_dev *dev)
{
	unsigned now = atomic_load(&dev->num_vfs);

	gv_logf(dev->log, GV_LOG_INFO, "PF: %u VFs enabled", now);
	if (dev->host.vfs_changed)
		dev->host.vfs_changed(dev->host.arg, now);
}

void gv_dev_set_vfs(struct gv_dev *dev, unsigned num_vfs)
{
	bool changed;

	(void)pthread_mutex_lock(&dev->life_lock);
	changed = set_vfs(dev, GV_MIN(num_vfs, dev->cfg.max_vfs));
	(void)pthread_mutex_unlock(&dev->life_lock);
	if (changed)
		tell_vfs(dev);
}

void gv_dev_follow_vf_enable(struct gv_dev *dev)
{
	bool changed;

	(void)pthread_mutex_lock(&dev->life_lock);
	changed = set_vfs(dev, gv_pci_wanted_vfs(&dev->fn[GV_DEV_PF]));
	(void)pthread_mutex_unlock(&dev->life_lock);
	if (changed)
		tell_vfs(dev);
}

int gv_dev_reset(struct gv_dev *dev, unsigned func)
{
	struct gv_fn *f;
	bool changed = false;

	if (func >= GV_DEV_MAX_FUNCS || !atomic_load(&dev->fn[func].enabled))
		return -ENODEV;
	f = &dev->fn[func];
	(void)pthread_mutex_lock(&dev->life_lock);
	if (func == GV_DEV_PF)
		changed = set_vfs(dev, 0);
	reset_fn(f);
	(void)pthread_mutex_unlock(&dev->life_lock);
	gv_logf(dev->log, GV_LOG_INFO, "%s: reset", f->name);
	if (changed)
		tell_vfs(dev);
	return 0;
}

/* ---- housekeeper ----------------------------------------------------------------- */

uint64_t gv_dev_keep_house(void *arg)
{
	struct gv_dev *dev = arg;

	if (atomic_load(&dev->mode1_pending)) {
		reset_all(dev);
		atomic_store(&dev->mode1_pending, false);
	}
	for (unsigned n = 0; n < dev->cfg.max_vfs; n++) {
		uint32_t bit = gv_mask(n, 1);

		/* The bit falls only when it is done: the PF polls it. */
		if (atomic_load(&dev->reset_pending) & bit) {
			reset_by_pf(&dev->fn[GV_DEV_VF(n)]);
			atomic_fetch_and(&dev->reset_pending, ~bit);
		}
		if (atomic_load(&dev->l2_pending) & bit) {
			atomic_fetch_and(&dev->l2_pending, ~bit);
			gv_vram_l2_reload(&dev->fn[GV_DEV_VF(n)]);
		}
	}
	return atomic_load(&dev->mode1_pending) || atomic_load(&dev->reset_pending) ||
	                       atomic_load(&dev->l2_pending)
	               ? 0
	               : UINT64_MAX;
}
