/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BAR0 as memory. A function's aperture is RAM of QEMU's at an address that never changes; what
 * lies there is mapped over it:
 *
 *     [0, bytes)       the descriptor that the core gives for this function: its memory, nobody
 *                      else's, exchanged in place each time the core replaces it
 *     [bytes, room)    anonymous zeros, not shown to the guest: accesses trap
 *
 * The exchange needs no BQL and is over before the core says that a new second-level table is in
 * force. Only how much the guest sees is changed in the main loop. Whoever comes between (a vCPU
 * that still has the larger window) meets zeros, never a hole and never others' memory.
 */
#include <sys/mman.h>

#include "front.h"

static int map_over(uint8_t *at, uint64_t bytes, int fd)
{
	int flags = MAP_FIXED | MAP_NORESERVE | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);

	if (bytes && mmap(at, bytes, PROT_READ | PROT_WRITE, flags, fd, 0) == MAP_FAILED)
		return -errno;
	return 0;
}

static int reserve(struct gvq_window *w, uint64_t room)
{
	void *p = mmap(NULL, room, PROT_READ | PROT_WRITE,
	               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return -errno;
	w->host = p;
	w->room = room;
	return 0;
}

/* Under map_lock. */
static void exchange(struct gvq_front *front, unsigned func)
{
	struct gvq_window *w = &front->window[func];
	uint64_t was = atomic_load(&w->bytes), bytes = 0;
	gv_auto_fd int fd = -1;
	int rc;

	if (gv_dev_region_fd(front->dev, func, GV_REGION_VRAM, &fd, &bytes))
		bytes = 0; /* it has no memory, or only memory that traps */
	bytes = GV_MIN(bytes, w->room);
	rc = map_over(w->host, bytes, fd);
	if (rc) {
		gv_logf(&front->log, GV_LOG_ERR, "function %u: BAR0 not mapped, it traps: %s", func,
		        strerror(-rc));
		bytes = 0;
	}
	if (was > bytes)
		(void)map_over(w->host + bytes, was - bytes, -1);
	atomic_store(&w->bytes, bytes);
	if (was != bytes) {
		atomic_store(&front->layout_changed, true);
		qemu_bh_schedule(front->bh);
	}
}

void gvq_region_changed(void *arg, unsigned func, enum gv_region region)
{
	struct gvq_front *front = arg;

	/* The core may call before gv_dev_new() has returned it: nothing is mapped yet. */
	if (region != GV_REGION_VRAM || !front->dev || !front->window[func].host)
		return;
	(void)pthread_mutex_lock(&front->map_lock);
	exchange(front, func);
	(void)pthread_mutex_unlock(&front->map_lock);
}

/* The PF's part that can be mapped never changes; a VF's may grow to the whole BAR. */
int gvq_windows_init(struct gvq_front *front)
{
	gv_auto_fd int fd = -1;
	uint64_t bytes = 0;
	int rc;

	if (!front->map_vram)
		return 0;
	rc = gv_dev_region_fd(front->dev, GV_DEV_PF, GV_REGION_VRAM, &fd, &bytes);
	if (!rc)
		rc = reserve(&front->window[GV_DEV_PF], GV_MIN(bytes, front->pf_bars.bytes[0]));
	for (unsigned n = 0; !rc && n < gv_dev_max_vfs(front->dev); n++)
		rc = reserve(&front->window[GV_DEV_VF(n)], front->vf_bars.bytes[0]);
	if (!rc)
		gvq_region_changed(front, GV_DEV_PF, GV_REGION_VRAM);
	return rc;
}

void gvq_windows_register(struct gvq_fn *pf)
{
	for (unsigned func = 0; func < GV_DEV_MAX_FUNCS; func++) {
		const struct gvq_window *w = &pf->front->window[func];

		if (w->host)
			memory_region_init_ram_ptr(&pf->memory[func], OBJECT(&pf->pdev),
			                           "gpuvisor-bar0-vram", w->room, w->host);
	}
}

void gvq_windows_done(struct gvq_front *front)
{
	for (unsigned func = 0; func < GV_DEV_MAX_FUNCS; func++)
		if (front->window[func].host)
			(void)munmap(front->window[func].host, front->window[func].room);
}

static void show(struct gvq_fn *fn)
{
	uint64_t bytes = atomic_load(&fn->front->window[fn->func].bytes);

	if (!fn->has_memory)
		return;
	memory_region_set_enabled(&fn->bar0_shown, bytes != 0);
	if (bytes)
		memory_region_set_size(&fn->bar0_shown, bytes);
}

void gvq_windows_show(struct gvq_front *front)
{
	memory_region_transaction_begin();
	for (unsigned func = 0; func < GV_DEV_MAX_FUNCS; func++)
		if (front->pdev[func])
			show(gvq_fn(front->pdev[func]));
	memory_region_transaction_commit();
}
