/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One GPU core for a PF and its VFs: making it, its interrupts, its end. */
#include "front.h"

/* ---- interrupts ------------------------------------------------------------- */

/* Any thread of the core, also under its locks. The table of MSI-X in the core is never
 * programmed here, so it masks nothing: QEMU's table, which the guest writes, decides. */
static void fire(void *arg, unsigned func, unsigned vector)
{
	struct gvq_front *front = arg;

	(void)atomic_fetch_or(&front->irqs[func], 1u << vector);
	qemu_bh_schedule(front->bh);
}

/* Under the BQL. */
static void notify(struct gvq_front *front, unsigned func)
{
	uint32_t due = atomic_exchange(&front->irqs[func], 0);
	PCIDevice *pdev = front->pdev[func];

	for (unsigned v = 0; pdev && v < GV_MSIX_VECTORS; v++)
		if ((due & (1u << v)) && msix_enabled(pdev))
			msix_notify(pdev, v);
}

static void in_main_loop(void *arg)
{
	struct gvq_front *front = arg;

	for (unsigned func = 0; func < GV_DEV_MAX_FUNCS; func++)
		if (atomic_load(&front->irqs[func]))
			notify(front, func);
	if (atomic_exchange(&front->layout_changed, false))
		gvq_windows_show(front);
}

/* ---- BARs as the core has them --------------------------------------------------- */

/* Size a BAR as firmware does: write ones, read what stayed. */
static void size_bar(struct gvq_front *front, unsigned at, unsigned n, struct gvq_bars *bars)
{
	const uint64_t ones = UINT64_MAX, zero = 0, flags = 0xf;
	uint64_t was = 0, mask = 0;
	size_t bytes = 4;

	at += 4 * n;
	if (gv_dev_read(front->dev, GV_DEV_PF, GV_REGION_CONFIG, at, &was, bytes))
		return;
	if (was & PCI_BASE_ADDRESS_MEM_TYPE_64)
		bytes = 8;
	(void)gv_dev_write(front->dev, GV_DEV_PF, GV_REGION_CONFIG, at, &ones, bytes);
	(void)gv_dev_read(front->dev, GV_DEV_PF, GV_REGION_CONFIG, at, &mask, bytes);
	(void)gv_dev_write(front->dev, GV_DEV_PF, GV_REGION_CONFIG, at, &zero, bytes);
	if (bytes == 4 && mask)
		mask |= ~(uint64_t)UINT32_MAX;
	bars->type[n] = (uint8_t)(was & flags);
	bars->bytes[n] = mask ? ~(mask & ~flags) + 1 : 0;
}

static void size_bars(struct gvq_front *front)
{
	static const enum gv_region regions[] = {GV_REGION_VRAM, GV_REGION_DOORBELL,
	                                         GV_REGION_MMIO};

	for (size_t k = 0; k < GV_ARRAY_LEN(regions); k++) {
		size_bar(front, PCI_BASE_ADDRESS_0, regions[k], &front->pf_bars);
		size_bar(front, GV_CFG_SRIOV + PCI_SRIOV_BAR, regions[k], &front->vf_bars);
	}
}

/* ---- life ------------------------------------------------------------------------- */

static bool make_core(struct gvq_front *front, const struct gvq_fn *pf, Error **errp)
{
	const struct gv_dev_cfg cfg = {.vram_mib = pf->vram_mib,
	                               .max_vfs = pf->max_vfs,
	                               .vf_bar0_mib = pf->vf_bar0_mib,
	                               .engine_threads = pf->engine_threads,
	                               .log = &front->log};
	const struct gv_dev_host host = {.arg = front,
	                                 .dma_read = gvq_dma_read,
	                                 .dma_write = gvq_dma_write,
	                                 .irq = fire,
	                                 .region_changed = gvq_region_changed};
	struct gv_err err = {0};
	int rc = gv_dev_new(&cfg, &host, &front->dev, &err);

	if (rc) {
		error_setg(errp, "gpuvisor-gpu: %s", err.code ? err.text : strerror(-rc));
		return false;
	}
	size_bars(front);
	rc = gvq_windows_init(front);
	if (rc) {
		error_setg_errno(errp, -rc, "gpuvisor-gpu: no addresses for BAR0");
		front->dev = gv_dev_free(front->dev);
		return false;
	}
	return true;
}

/* The core's threads inherit the caller's signal mask; signals are QEMU's main thread's. */
static bool make_core_masked(struct gvq_front *front, const struct gvq_fn *pf, Error **errp)
{
	sigset_t all, old;
	bool ok;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &old);
	ok = make_core(front, pf, errp);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ok;
}

bool gvq_front_new(struct gvq_fn *pf, Error **errp)
{
	struct gvq_front *front = calloc(1, sizeof(*front));

	if (!front) {
		error_setg(errp, "gpuvisor-gpu: no memory");
		return false;
	}
	front->trace = pf->trace;
	front->map_vram = pf->map_vram;
	front->log = (struct gv_log){.sink = gv_log_stderr,
	                             .max = pf->trace ? GV_LOG_DEBUG : GV_LOG_WARN,
	                             .who = "gpuvisor-gpu"};
	front->bh = qemu_bh_new(in_main_loop, front);
	(void)pthread_mutex_init(&front->map_lock, NULL);
	if (!make_core_masked(front, pf, errp) || !gvq_life_start(front, errp)) {
		(void)gv_dev_free(front->dev);
		gvq_windows_done(front);
		qemu_bh_delete(front->bh);
		(void)pthread_mutex_destroy(&front->map_lock);
		free(front);
		return false;
	}
	atomic_store(&front->refs, 1);
	pf->front = front;
	return true;
}

struct gvq_front *gvq_front_get(struct gvq_front *front)
{
	(void)atomic_fetch_add(&front->refs, 1);
	return front;
}

void gvq_front_put(struct gvq_front *front)
{
	if (front && atomic_fetch_sub(&front->refs, 1) == 1)
		gvq_life_quit(front);
}
