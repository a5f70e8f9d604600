/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The device as a whole: making it, its front end's calls, complaints and counters. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "device.h"

#define DEFAULT_VRAM_MIB      4096u
#define DEFAULT_VF_BAR0_MIB   256u
#define DEFAULT_PF_WINDOW_MIB 64u
#define MIN_VRAM_MIB          256u
#define MAX_VRAM_MIB          262144u
#define VRAM_STEP_MIB         16u
#define MAX_ENGINE_THREADS    256u

/* ---- complaints ------------------------------------------------------------- */

/* Debug lines of a function that floods: all of the first few, then every 1024th. */
static bool worth_a_line(uint64_t count)
{
	return count < 64 || count % 1024 == 0;
}

static void complain(struct gv_fn *f, enum gv_log_level level, const char *fmt, va_list ap)
{
	char line[256];

	(void)vsnprintf(line, sizeof(line), fmt, ap);
	gv_logf(f->dev->log, level, "%s: %s", f->name, line);
}

void gv_guest_error(struct gv_fn *f, const char *fmt, ...)
{
	uint64_t before = atomic_fetch_add(&f->count.guest_errors, 1);
	va_list ap;

	if (!f->dev->log || f->dev->log->max < GV_LOG_DEBUG || !worth_a_line(before))
		return;
	va_start(ap, fmt);
	complain(f, GV_LOG_DEBUG, fmt, ap);
	va_end(ap);
}

/* A kind is its format string. A full table means debug only: the count still says it. */
static bool first_of_kind(struct gv_dev *dev, const char *fmt)
{
	for (size_t k = 0; k < GV_ARRAY_LEN(dev->warned); k++) {
		uintptr_t seen = atomic_load(&dev->warned[k]);

		if (seen == (uintptr_t)fmt)
			return false;
		if (!seen && atomic_compare_exchange_strong(&dev->warned[k], &seen, (uintptr_t)fmt))
			return true;
		if (seen == (uintptr_t)fmt)
			return false;
	}
	return false;
}

void gv_unimplemented(struct gv_fn *f, const char *fmt, ...)
{
	uint64_t before = atomic_fetch_add(&f->count.unimplemented, 1);
	enum gv_log_level level = first_of_kind(f->dev, fmt) ? GV_LOG_WARN : GV_LOG_DEBUG;
	char text[224];
	va_list ap;

	if (!f->dev->log || f->dev->log->max < level ||
	    (level == GV_LOG_DEBUG && !worth_a_line(before)))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	gv_logf(f->dev->log, level, "%s: not modelled, continuing without: %s", f->name, text);
}

/* ---- new and free ------------------------------------------------------------------ */

static bool power_of_two(uint64_t v)
{
	return v && !(v & (v - 1));
}

static int resolve_cfg(const struct gv_dev_cfg *in, struct gv_dev_cfg *out, struct gv_err *err)
{
	struct gv_dev_cfg c = *in;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	c.vram_mib = c.vram_mib ? c.vram_mib : DEFAULT_VRAM_MIB;
	c.max_vfs = c.max_vfs ? c.max_vfs : GV_MAX_VFS;
	c.vf_bar0_mib = c.vf_bar0_mib ? c.vf_bar0_mib : DEFAULT_VF_BAR0_MIB;
	c.pf_window_mib = c.pf_window_mib ? c.pf_window_mib : DEFAULT_PF_WINDOW_MIB;
	c.engine_threads = c.engine_threads ? c.engine_threads : (unsigned)GV_MAX(cpus, 1L);
	if (c.vram_mib < MIN_VRAM_MIB || c.vram_mib > MAX_VRAM_MIB || c.vram_mib % VRAM_STEP_MIB)
		return gv_fail(err, -EINVAL, "vram_mib: %llu asked, possible are %u..%u, by %u",
		               (unsigned long long)c.vram_mib, MIN_VRAM_MIB, MAX_VRAM_MIB,
		               VRAM_STEP_MIB);
	if (c.max_vfs > GV_MAX_VFS)
		return gv_fail(err, -EINVAL, "max_vfs: %u asked, this GPU has %u", c.max_vfs,
		               GV_MAX_VFS);
	if (!power_of_two(c.vf_bar0_mib) || c.vf_bar0_mib > MAX_VRAM_MIB)
		return gv_fail(err, -EINVAL,
		               "vf_bar0_mib: %llu asked, must be a power of two <= %u",
		               (unsigned long long)c.vf_bar0_mib, MAX_VRAM_MIB);
	if (c.pf_window_mib % VRAM_STEP_MIB || c.pf_window_mib >= c.vram_mib)
		return gv_fail(err, -EINVAL, "pf_window_mib: %llu asked, must be below %llu, by %u",
		               (unsigned long long)c.pf_window_mib, (unsigned long long)c.vram_mib,
		               VRAM_STEP_MIB);
	if (c.engine_threads > MAX_ENGINE_THREADS)
		return gv_fail(err, -EINVAL, "engine_threads: %u asked, at most %u",
		               c.engine_threads, MAX_ENGINE_THREADS);
	*out = c;
	return 0;
}

static void init_locks(struct gv_dev *dev)
{
	pthread_rwlockattr_t attr;

	(void)pthread_mutex_init(&dev->lock, NULL);
	(void)pthread_mutex_init(&dev->life_lock, NULL);
	(void)pthread_rwlockattr_init(&attr);
	/* Engines read-lock slice after slice: without this an unmap could wait forever. */
	(void)pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	for (unsigned n = 0; n < GV_DEV_MAX_FUNCS; n++)
		(void)pthread_rwlock_init(&dev->fn[n].mem_lock, &attr);
	(void)pthread_rwlockattr_destroy(&attr);
}

static void done_locks(struct gv_dev *dev)
{
	for (unsigned n = 0; n < GV_DEV_MAX_FUNCS; n++)
		(void)pthread_rwlock_destroy(&dev->fn[n].mem_lock);
	(void)pthread_mutex_destroy(&dev->life_lock);
	(void)pthread_mutex_destroy(&dev->lock);
}

static void name_functions(struct gv_dev *dev)
{
	for (unsigned n = 0; n < GV_DEV_MAX_FUNCS; n++) {
		struct gv_fn *f = &dev->fn[n];

		f->dev = dev;
		f->index = n;
		atomic_store(&f->mem_generation, 1);
		if (n == GV_DEV_PF)
			(void)snprintf(f->name, sizeof(f->name), "PF");
		else
			(void)snprintf(f->name, sizeof(f->name), "VF%u", gv_fn_vf(f) & 0xff);
	}
}

struct step {
	const char *what;
	int (*init)(struct gv_fn *f);
};

static int build_functions(struct gv_dev *dev, struct gv_err *err)
{
	static const struct step steps[] = {
	        {"configuration space", gv_pci_init}, {"nbio", gv_nbio_init},
	        {"interrupt handler", gv_ih_init},    {"memory controller", gv_gmc_init},
	        {"command processor", gv_cp_init},    {"sdma", gv_sdma_init},
	        {"security processor", gv_psp_init},  {"multimedia", gv_mm_init},
	};

	for (unsigned n = 0; n <= dev->cfg.max_vfs; n++)
		for (size_t s = 0; s < GV_ARRAY_LEN(steps); s++) {
			int rc = steps[s].init(&dev->fn[n]);

			if (rc)
				return gv_fail(err, rc, "%s of %s: %s", steps[s].what,
				               dev->fn[n].name, strerror(-rc));
		}
	return 0;
}

static int build(struct gv_dev *dev, bool own_host, struct gv_err *err)
{
	int rc = gv_mmio_init(dev);

	if (rc)
		return gv_fail(err, rc, "register files: %s", strerror(-rc));
	rc = own_host ? gv_inproc_new(dev) : 0;
	if (rc)
		return gv_fail(err, rc, "in-process host: %s", strerror(-rc));
	rc = gv_vram_init(dev);
	if (rc)
		return gv_fail(err, rc, "%llu MiB of VRAM: %s",
		               (unsigned long long)dev->cfg.vram_mib, strerror(-rc));
	rc = gv_cu_pool_new(dev, dev->cfg.engine_threads, &dev->cu_pool);
	if (rc)
		return gv_fail(err, rc, "%u shader threads: %s", dev->cfg.engine_threads,
		               strerror(-rc));
	rc = gv_world_init(dev);
	if (rc)
		return gv_fail(err, rc, "world switch: %s", strerror(-rc));
	rc = build_functions(dev, err);
	if (rc)
		return rc;
	rc = gv_worker_start(&dev->housekeeper, "gv-house", gv_dev_keep_house, dev);
	if (rc)
		return gv_fail(err, rc, "housekeeper: %s", strerror(-rc));
	rc = gv_psp_start(dev);
	if (rc)
		return gv_fail(err, rc, "security processor: %s", strerror(-rc));
	rc = gv_mm_start(dev);
	if (rc)
		return gv_fail(err, rc, "multimedia: %s", strerror(-rc));
	for (unsigned n = 0; n <= dev->cfg.max_vfs; n++)
		gv_fn_reset(&dev->fn[n]);
	atomic_store(&dev->fn[GV_DEV_PF].enabled, true); /* nobody else knows the device yet */
	dev->built = true;
	return 0;
}

int gv_dev_new(const struct gv_dev_cfg *cfg, const struct gv_dev_host *host, struct gv_dev **out,
               struct gv_err *err)
{
	static const struct gv_dev_cfg defaults;
	struct gv_dev_cfg resolved = defaults;
	struct gv_dev *dev;
	int rc = resolve_cfg(cfg ? cfg : &defaults, &resolved, err);

	if (rc)
		return rc;
	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return gv_fail(err, -ENOMEM, "no memory for a device");
	dev->cfg = resolved;
	dev->log = resolved.log;
	if (host)
		dev->host = *host;
	init_locks(dev);
	name_functions(dev);
	rc = build(dev, !host, err);
	if (rc) {
		(void)gv_dev_free(dev);
		return rc;
	}
	*out = dev;
	return 0;
}

/* Those that call others first: doorbells and resets, then engines, then what engines use. */
struct gv_dev *gv_dev_free(struct gv_dev *dev)
{
	if (!dev)
		return NULL;
	gv_worker_stop(&dev->doorbell_poller);
	gv_world_stop(dev);
	gv_worker_stop(&dev->housekeeper);
	for (unsigned n = 0; n < GV_DEV_MAX_FUNCS; n++)
		atomic_store(&dev->fn[n].stopping, true);
	gv_worker_stop(&dev->psp);
	gv_worker_stop(&dev->mm);
	for (unsigned n = 0; n <= dev->cfg.max_vfs; n++) {
		gv_psp_done(&dev->fn[n]);
		gv_mm_done(&dev->fn[n]);
		gv_cp_done(&dev->fn[n]);
		gv_sdma_done(&dev->fn[n]);
	}
	dev->cu_pool = gv_cu_pool_free(dev->cu_pool);
	for (unsigned n = 0; n <= dev->cfg.max_vfs; n++) {
		gv_ih_done(&dev->fn[n]);
		gv_gmc_done(&dev->fn[n]);
		gv_nbio_done(&dev->fn[n]);
		gv_pci_done(&dev->fn[n]);
	}
	gv_world_done(dev);
	gv_vram_done(dev);
	gv_inproc_free(dev);
	gv_mmio_done(dev);
	done_locks(dev);
	free(dev);
	return NULL;
}

/* ---- front ends --------------------------------------------------------------------- */

static struct gv_fn *find(struct gv_dev *dev, unsigned func)
{
	if (func >= GV_DEV_MAX_FUNCS || !atomic_load(&dev->fn[func].enabled))
		return NULL;
	return &dev->fn[func];
}

unsigned gv_dev_num_vfs(struct gv_dev *dev)
{
	return atomic_load(&dev->num_vfs);
}

unsigned gv_dev_max_vfs(struct gv_dev *dev)
{
	return dev->cfg.max_vfs;
}

uint64_t gv_dev_region_bytes(struct gv_dev *dev, unsigned func, enum gv_region region)
{
	struct gv_fn *f = find(dev, func);

	return f ? gv_pci_bar_bytes(f, region) : 0;
}

static int access_region(struct gv_dev *dev, unsigned func, enum gv_region region, uint64_t off,
                         void *buf, size_t n, bool write)
{
	struct gv_fn *f = find(dev, func);
	uint64_t bytes;

	if (!f)
		return -ENODEV;
	bytes = gv_pci_bar_bytes(f, region);
	if (off > bytes || n > bytes - off)
		return -ERANGE;
	switch (region) {
	case GV_REGION_VRAM:
		gv_vram_access(f, off, buf, n, write);
		return 0;
	case GV_REGION_DOORBELL:
		return gv_doorbell_access(f, off, buf, n, write);
	case GV_REGION_MMIO:
		return gv_mmio_access(f, off, buf, n, write);
	case GV_REGION_CONFIG:
		return gv_pci_config(f, off, buf, n, write);
	case GV_REGION_COUNT:
		break;
	}
	return -ERANGE;
}

int gv_dev_read(struct gv_dev *dev, unsigned func, enum gv_region region, uint64_t off, void *buf,
                size_t n)
{
	return access_region(dev, func, region, off, buf, n, false);
}

int gv_dev_write(struct gv_dev *dev, unsigned func, enum gv_region region, uint64_t off,
                 const void *buf, size_t n)
{
	/* The blocks share one path for both directions and only read from @buf here. */
	return access_region(dev, func, region, off, (void *)(uintptr_t)buf, n, true);
}

int gv_dev_region_fd(struct gv_dev *dev, unsigned func, enum gv_region region, int *fd,
                     uint64_t *bytes)
{
	struct gv_fn *f = find(dev, func);

	if (!f)
		return -ENODEV;
	if (region == GV_REGION_VRAM)
		return gv_vram_fd(f, fd, bytes);
	return region == GV_REGION_DOORBELL ? gv_doorbell_fd(f, fd, bytes) : -ENOTSUP;
}

void gv_dev_client_gone(struct gv_dev *dev, unsigned func)
{
	if (func > dev->cfg.max_vfs)
		return;
	gv_doorbell_client_gone(&dev->fn[func]);
	/* The PF's window is the PF's for good: its next client may see it. */
	if (func != GV_DEV_PF)
		gv_vram_rotate(&dev->fn[func]);
}

void gv_dev_dma_changed(struct gv_dev *dev, unsigned func, uint64_t iova, uint64_t bytes)
{
	(void)iova; /* translations are dropped as a whole */
	(void)bytes;
	if (func > dev->cfg.max_vfs)
		return;
	(void)pthread_rwlock_wrlock(&dev->fn[func].mem_lock);
	atomic_fetch_add(&dev->fn[func].mem_generation, 1);
	(void)pthread_rwlock_unlock(&dev->fn[func].mem_lock);
}

void gv_dev_get_stats(struct gv_dev *dev, unsigned func, struct gv_dev_stats *stats)
{
	struct gv_fn_counters *c;

	memset(stats, 0, sizeof(*stats));
	if (func >= GV_DEV_MAX_FUNCS)
		return;
	c = &dev->fn[func].count;
	stats->unimplemented = atomic_load(&c->unimplemented);
	stats->guest_errors = atomic_load(&c->guest_errors);
	stats->vm_faults = atomic_load(&c->vm_faults);
	stats->doorbells = atomic_load(&c->doorbells);
	stats->packets = atomic_load(&c->packets);
	stats->dispatches = atomic_load(&c->dispatches);
	stats->wave_instructions = atomic_load(&c->wave_instructions);
	stats->interrupts = atomic_load(&c->interrupts);
}
