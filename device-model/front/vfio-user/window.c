/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pieces of the client's files in our address space. A client with an emulated IOMMU maps guest
 * memory page by page, tens of thousands of them, all from one file, while Linux grants a process
 * 65530 mappings for all clients together. So a mapping of the client is only a line in a table,
 * and points into a window, which is as large as is useful and serves all that lie in it. What
 * engines may touch is decided by the table.
 *
 * Windows belong to the slot's thread alone.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "server_priv.h"

#define WINDOW_BYTES (1ull << 30) /* a multiple of any huge page */

/* Only shared memory (memfd, tmpfs, hugetlbfs): a file system of the client's own making could let
 * an engine that touches a page wait for ever, and so could a device node. Only such files know
 * seals, and asking for them asks no file system. That the file may shrink later is guard.c's
 * matter. */
static bool is_memory(int fd)
{
	return fcntl(fd, F_GET_SEALS) >= 0;
}

static int prot_of(const struct gv_vfu_dma_map *req)
{
	return (req->flags & GV_VFU_DMA_R ? PROT_READ : 0) |
	       (req->flags & GV_VFU_DMA_W ? PROT_WRITE : 0);
}

/* A file that shrank and grew again has its contents only in a new window. */
static struct vfus_window *find(const struct vfus_slot *s, const struct gv_vfu_dma_map *req,
                                const struct stat *st)
{
	struct vfus_window *w;

	for (w = s->windows; w; w = w->next)
		if (w->dev == st->st_dev && w->ino == st->st_ino && w->prot == prot_of(req) &&
		    req->fd_offset >= w->off && req->fd_offset - w->off <= w->bytes &&
		    req->bytes <= w->bytes - (req->fd_offset - w->off) && !atomic_load(&w->damaged))
			return w;
	return NULL;
}

/* The range in whole WINDOW_BYTES as far as the file goes; @req lies inside the file. */
static void widen(const struct gv_vfu_dma_map *req, uint64_t file_bytes, struct vfus_window *w)
{
	uint64_t end = req->fd_offset + req->bytes;

	w->off = req->fd_offset / WINDOW_BYTES * WINDOW_BYTES;
	w->bytes =
	        GV_MIN((end + WINDOW_BYTES - 1) / WINDOW_BYTES * WINDOW_BYTES, file_bytes) - w->off;
}

static int map(struct vfus_window *w, int fd)
{
	void *p = mmap(NULL, w->bytes, w->prot, MAP_SHARED, fd, (off_t)w->off);

	if (p == MAP_FAILED)
		return -errno;
	w->cpu = p;
	return 0;
}

static int open_window(struct vfus_slot *s, const struct gv_vfu_dma_map *req, int fd,
                       const struct stat *st, struct vfus_window **window)
{
	struct vfus_window *w;
	int rc;

	if (s->num_windows >= VFUS_MAX_WINDOWS)
		return -ENOSPC;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->dev = st->st_dev;
	w->ino = st->st_ino;
	w->prot = prot_of(req);
	widen(req, (uint64_t)st->st_size, w);
	rc = map(w, fd);
	if (rc) { /* limits of memory or of huge pages: then no more than was asked */
		w->off = req->fd_offset;
		w->bytes = req->bytes;
		rc = map(w, fd);
	}
	if (rc) {
		free(w);
		return rc;
	}
	vfus_guard_add(w);
	w->next = s->windows;
	s->windows = w;
	s->num_windows++;
	*window = w;
	return 0;
}

int vfus_window_get(struct vfus_slot *s, const struct gv_vfu_dma_map *req, int fd,
                    struct vfus_window **window)
{
	struct vfus_window *w = NULL;
	struct stat st;
	int rc = 0;

	if (!is_memory(fd))
		return -EINVAL;
	if (fstat(fd, &st) != 0)
		return -errno;
	if (req->fd_offset > (uint64_t)st.st_size ||
	    req->bytes > (uint64_t)st.st_size - req->fd_offset)
		return -EINVAL;
	w = find(s, req, &st);
	if (!w)
		rc = open_window(s, req, fd, &st, &w);
	if (rc)
		return rc;
	w->users++;
	*window = w;
	return 0;
}

void vfus_window_put(struct vfus_slot *s, struct vfus_window *w)
{
	struct vfus_window **at = &s->windows;

	if (!w || --w->users)
		return;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	s->num_windows--;
	vfus_guard_remove(w);
	(void)munmap(w->cpu, w->bytes);
	free(w);
}
