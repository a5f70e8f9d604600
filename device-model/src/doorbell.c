/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Doorbells (BAR2). A function's doorbells are a memfd of its own, so that a
 * client can map them; a trapped write is stored there and routed at once, a
 * write through a mapping is found by the poller.
 *
 *     write --> gate (VF_DOORBELL_EN, DOORBELL_PAGES) --> SDMA's own offsets
 *                                                     --> IH_DOORBELL_RPTR offsets
 *                                                     --> UVD, VCE: their numbers
 *                                                     --> CP: all else
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "device.h"

/* More than can be owned at once: 64 queue slots, 8 SDMA queues, 3 IH rings. */
#define MAX_WATCHES 256u

/* A doorbell that an engine owns or owned. Changed under dev->lock, looked at without. */
struct watch {
	_Atomic uint32_t index_plus_1; /* 0: free */
	_Atomic bool on;
	_Atomic uint64_t seen; /* last value that was routed */
	_Atomic uint64_t base; /* value when it was last given up */
};

struct gv_nbio {
	int fd;
	uint8_t *page; /* GV_BAR2_BYTES; the address stays when the memfd is replaced */
	_Atomic bool mapped;
	struct watch watch[MAX_WATCHES];
};

/* ---- the memory ------------------------------------------------------------ */

static uint64_t load(const struct gv_nbio *nb, uint32_t index)
{
	const uint8_t *at = nb->page + (size_t)index * 4;

	if (index % 2)
		return __atomic_load_n((const uint32_t *)(const void *)at, __ATOMIC_ACQUIRE);
	return __atomic_load_n((const uint64_t *)(const void *)at, __ATOMIC_ACQUIRE);
}

static void store(struct gv_nbio *nb, uint32_t index, uint64_t val, size_t n)
{
	uint8_t *at = nb->page + (size_t)index * 4;

	if (n == sizeof(uint64_t))
		__atomic_store_n((uint64_t *)(void *)at, val, __ATOMIC_RELEASE);
	else
		__atomic_store_n((uint32_t *)(void *)at, (uint32_t)val, __ATOMIC_RELEASE);
}

/* The seals keep whoever holds the descriptor from shrinking memory that we read. */
static int make_memfd(struct gv_fn *f, int *out)
{
	gv_auto_fd int fd = memfd_create("gv-doorbells", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	(void)f;
	if (fd < 0 || ftruncate(fd, GV_BAR2_BYTES) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return -errno;
	*out = gv_take_fd(&fd);
	return 0;
}

/* Put a fresh memfd where the old one is (or anywhere, the first time). */
static int renew(struct gv_fn *f)
{
	struct gv_nbio *nb = f->nbio;
	gv_auto_fd int fd = -1;
	int rc = make_memfd(f, &fd);
	void *at;

	if (rc)
		return rc;
	at = mmap(nb->page, GV_BAR2_BYTES, PROT_READ | PROT_WRITE,
	          MAP_SHARED | (nb->page ? MAP_FIXED : 0), fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	if (!nb->page) /* afterwards it stays, and the poller reads it */
		nb->page = at;
	if (nb->fd >= 0)
		(void)close(nb->fd);
	nb->fd = gv_take_fd(&fd);
	return 0;
}

/* ---- watches ---------------------------------------------------------------- */

static struct watch *find(struct gv_nbio *nb, uint32_t index)
{
	for (size_t k = 0; k < MAX_WATCHES; k++)
		if (atomic_load(&nb->watch[k].index_plus_1) == index + 1)
			return &nb->watch[k];
	return NULL;
}

/* A free entry, else one that nobody owns any more. */
static struct watch *take(struct gv_nbio *nb)
{
	struct watch *idle = NULL;

	for (size_t k = 0; k < MAX_WATCHES; k++) {
		if (!atomic_load(&nb->watch[k].index_plus_1))
			return &nb->watch[k];
		if (!atomic_load(&nb->watch[k].on))
			idle = &nb->watch[k];
	}
	return idle;
}

void gv_doorbell_watch(struct gv_fn *f, uint32_t index, bool on)
{
	struct gv_nbio *nb = f->nbio;
	struct watch *w;

	if (index >= GV_BAR2_BYTES / 4)
		return;
	w = find(nb, index);
	if (!w && (w = take(nb)) != NULL) {
		atomic_store(&w->index_plus_1, 0);
		atomic_store(&w->base, 0);
		atomic_store(&w->seen, 0);
		atomic_store(&w->on, false);
		atomic_store(&w->index_plus_1, index + 1);
	}
	if (!w) {
		gv_unimplemented(f, "more than %u doorbells in use", MAX_WATCHES);
		return;
	}
	/* What was rung while nobody owned it is routed (again): it is the current pointer. */
	if (on && !atomic_load(&w->on))
		atomic_store(&w->seen, atomic_load(&w->base));
	if (!on)
		atomic_store(&w->base, load(nb, index));
	atomic_store(&w->on, on);
	if (on && atomic_load(&nb->mapped))
		gv_worker_kick(&f->dev->doorbell_poller);
}

void gv_doorbell_expect_zero(struct gv_fn *f, uint32_t index)
{
	struct watch *w = index < GV_BAR2_BYTES / 4 ? find(f->nbio, index) : NULL;

	if (!w || load(f->nbio, index) != atomic_load(&w->base))
		return;
	store(f->nbio, index, UINT64_MAX, index % 2 ? sizeof(uint32_t) : sizeof(uint64_t));
	atomic_store(&w->base, load(f->nbio, index));
	atomic_store(&w->seen, load(f->nbio, index));
}

/* A trapped write was routed: the poller must not route it again. */
static void note_seen(struct gv_nbio *nb, uint32_t index)
{
	struct watch *w = find(nb, index);

	if (w)
		atomic_store(&w->seen, load(nb, index));
	if (index % 2 && (w = find(nb, index - 1)) != NULL)
		atomic_store(&w->seen, load(nb, index - 1));
}

uint64_t gv_doorbell_value(struct gv_fn *f, uint32_t index)
{
	struct watch *w;
	uint64_t now;

	if (index >= GV_BAR2_BYTES / 4)
		return 0;
	now = load(f->nbio, index);
	w = find(f->nbio, index);
	return w && atomic_load(&w->base) == now ? 0 : now;
}

/* ---- routing: under dev->lock ------------------------------------------------ */

static bool gate_open(struct gv_fn *f, uint32_t index)
{
	uint32_t pages;

	if (!gv_fn_is_vf(f))
		return true;
	pages = gv_reg_get(f, GV_REG_GVX_VF0_DOORBELL_PAGES, gv_fn_vf(f));
	if (pages && (uint64_t)index * 4 / GV_GPU_PAGE >= pages)
		return false;
	return GV_RGET(f, GVX_VF_DOORBELL_EN) >> gv_fn_vf(f) & 1;
}

static int ih_ring_of(struct gv_fn *f, uint32_t index)
{
	static const enum gv_reg regs[] = {GV_REG_IH_DOORBELL_RPTR, GV_REG_IH_DOORBELL_RPTR_RING1,
	                                   GV_REG_IH_DOORBELL_RPTR_RING2};

	for (size_t k = 0; k < GV_ARRAY_LEN(regs); k++) {
		uint32_t v = gv_reg_get(f, regs[k], 0);

		if (GV_GET(v, IH_DOORBELL_RPTR, ENABLE) &&
		    GV_GET(v, IH_DOORBELL_RPTR, OFFSET) == index)
			return (int)k;
	}
	return -1;
}

static void route(struct gv_fn *f, uint32_t index, uint64_t val)
{
	int ring;

	atomic_fetch_add(&f->count.doorbells, 1);
	/* Drivers enable an SDMA doorbell before they say where it is: until then its offset is
	 * 0, which is the KIQ's (sdma_v4_0_gfx_resume, Linux 6.1). */
	if (index != GV_DOORBELL_KIQ && gv_sdma_owns_doorbell(f, index)) {
		gv_sdma_doorbell(f, index, val);
		return;
	}
	ring = index == GV_DOORBELL_KIQ ? -1 : ih_ring_of(f, index);
	if (ring >= 0)
		gv_ih_doorbell(f, (unsigned)ring, (uint32_t)val);
	else if (!gv_mm_doorbell(f, index, val))
		gv_cp_doorbell(f, index, val);
}

static void write_one(struct gv_fn *f, uint32_t index, uint64_t val, size_t n)
{
	(void)pthread_mutex_lock(&f->dev->lock);
	if (gate_open(f, index)) {
		store(f->nbio, index, val, n);
		note_seen(f->nbio, index);
		route(f, index, val);
	} else {
		gv_guest_error(f, "doorbell 0x%x rung while its gate is closed", index);
	}
	(void)pthread_mutex_unlock(&f->dev->lock);
}

int gv_doorbell_access(struct gv_fn *f, uint64_t off, void *buf, size_t n, bool write)
{
	uint64_t val = 0;

	if (off > GV_BAR2_BYTES || n > GV_BAR2_BYTES - off)
		return -ERANGE;
	if (!write) {
		memcpy(buf, f->nbio->page + off, n);
		return 0;
	}
	if ((n != 4 && n != 8) || off % n) {
		gv_guest_error(f, "doorbell write of %zu bytes at 0x%llx", n,
		               (unsigned long long)off);
		return 0;
	}
	memcpy(&val, buf, n);
	write_one(f, (uint32_t)(off / 4), val, n);
	return 0;
}

/* ---- mapped pages -------------------------------------------------------------- */

/* Route what was written to the page and not seen yet. Under dev->lock. */
static void look(struct gv_fn *f, struct watch *w)
{
	uint32_t index = atomic_load(&w->index_plus_1) - 1;
	uint64_t now;

	if (index == UINT32_MAX || !atomic_load(&w->on))
		return;
	now = load(f->nbio, index);
	if (now == atomic_load(&w->seen))
		return;
	atomic_store(&w->seen, now);
	if (gate_open(f, index))
		route(f, index, now);
	else
		gv_guest_error(f, "doorbell 0x%x rung while its gate is closed", index);
}

void gv_doorbell_look(struct gv_fn *f, uint32_t index)
{
	struct watch *w = atomic_load(&f->nbio->mapped) ? find(f->nbio, index) : NULL;

	if (w)
		look(f, w);
}

static void changed(struct gv_fn *f, struct watch *w)
{
	(void)pthread_mutex_lock(&f->dev->lock);
	look(f, w);
	(void)pthread_mutex_unlock(&f->dev->lock);
}

static bool scan(struct gv_fn *f)
{
	struct gv_nbio *nb = f->nbio;
	bool active = false;

	for (size_t k = 0; k < MAX_WATCHES; k++) {
		struct watch *w = &nb->watch[k];
		uint32_t index = atomic_load(&w->index_plus_1);

		if (!index)
			break;
		if (!atomic_load(&w->on) || load(nb, index - 1) == atomic_load(&w->seen))
			continue;
		changed(f, w);
		active = true;
	}
	return active;
}

/* Look often while doorbells ring, seldom when they do not. */
static uint64_t next_look(uint64_t quiet_ns)
{
	static const struct {
		uint64_t quiet_ns, delay_ns;
	} pace[] = {{50 * GV_US, 0}, {2 * GV_MS, 30 * GV_US}, {50 * GV_MS, 200 * GV_US}};

	for (size_t k = 0; k < GV_ARRAY_LEN(pace); k++)
		if (quiet_ns < pace[k].quiet_ns)
			return pace[k].delay_ns;
	return 3 * GV_MS / 2;
}

static uint64_t poll_pages(void *arg)
{
	struct gv_dev *dev = arg;
	bool any = false, active = false;
	uint64_t now;

	for (unsigned n = 0; n <= dev->cfg.max_vfs; n++) {
		struct gv_nbio *nb = dev->fn[n].nbio;

		if (!nb || !atomic_load(&nb->mapped))
			continue;
		any = true;
		active |= scan(&dev->fn[n]);
	}
	now = gv_now_ns();
	if (active)
		dev->doorbell_active_ns = now;
	return any ? next_look(now - dev->doorbell_active_ns) : UINT64_MAX;
}

int gv_doorbell_fd(struct gv_fn *f, int *fd, uint64_t *bytes)
{
	int copy;

	(void)pthread_mutex_lock(&f->dev->lock);
	copy = fcntl(f->nbio->fd, F_DUPFD_CLOEXEC, 0);
	if (copy >= 0)
		atomic_store(&f->nbio->mapped, true);
	(void)pthread_mutex_unlock(&f->dev->lock);
	if (copy < 0)
		return -errno;
	*fd = copy;
	*bytes = GV_BAR2_BYTES;
	gv_worker_kick(&f->dev->doorbell_poller);
	return 0;
}

/* A fresh page reads 0: that is no doorbell of the next client. */
static void forget_values(struct gv_nbio *nb)
{
	for (size_t k = 0; k < MAX_WATCHES; k++) {
		atomic_store(&nb->watch[k].seen, 0);
		atomic_store(&nb->watch[k].base, 0);
	}
}

void gv_doorbell_client_gone(struct gv_fn *f)
{
	int rc = 0;

	if (!f->nbio)
		return;
	(void)pthread_mutex_lock(&f->dev->lock);
	if (atomic_exchange(&f->nbio->mapped, false)) {
		rc = renew(f);
		if (rc == 0)
			forget_values(f->nbio);
	}
	(void)pthread_mutex_unlock(&f->dev->lock);
	if (rc)
		gv_logf(f->dev->log, GV_LOG_ERR,
		        "%s: no fresh doorbell page (%s): an old client may still ring", f->name,
		        strerror(-rc));
}

/* ---- life ------------------------------------------------------------------------ */

int gv_nbio_init(struct gv_fn *f)
{
	struct gv_nbio *nb = calloc(1, sizeof(*nb));
	int rc;

	if (!nb)
		return -ENOMEM;
	nb->fd = -1;
	f->nbio = nb;
	rc = renew(f);
	if (rc || gv_fn_is_vf(f))
		return rc;
	return gv_worker_start(&f->dev->doorbell_poller, "gv-doorbells", poll_pages, f->dev);
}

void gv_nbio_done(struct gv_fn *f)
{
	if (!f->nbio)
		return;
	if (f->nbio->page)
		(void)munmap(f->nbio->page, GV_BAR2_BYTES);
	if (f->nbio->fd >= 0)
		(void)close(f->nbio->fd);
	free(f->nbio);
	f->nbio = NULL;
}

void gv_nbio_reset(struct gv_fn *f)
{
	struct gv_nbio *nb = f->nbio;

	if (!gv_fn_is_vf(f))
		gv_nbio_reset_smn(f->dev);
	for (size_t k = 0; k < MAX_WATCHES; k++) {
		atomic_store(&nb->watch[k].on, false);
		atomic_store(&nb->watch[k].index_plus_1, 0);
	}
	/* Whoever has it mapped sees zeroes; only pages that were used exist. */
	if (fallocate(nb->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, GV_BAR2_BYTES))
		memset(nb->page, 0, GV_BAR2_BYTES);
}
