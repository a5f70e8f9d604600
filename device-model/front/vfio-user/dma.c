/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of system memory that a client gave to its function. */
#include <string.h>

#include "server_priv.h"

/* ---- the table (dma_lock) ------------------------------------------------ */

/* First mapping that ends above @iova. */
static size_t lower(const struct vfus_slot *s, uint64_t iova)
{
	size_t lo = 0, hi = s->num_maps;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->map[mid]->iova + (s->map[mid]->bytes - 1) < iova)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct vfus_map *find(const struct vfus_slot *s, uint64_t iova)
{
	size_t i = lower(s, iova);

	return i < s->num_maps && s->map[i]->iova <= iova ? s->map[i] : NULL;
}

static int grow(struct vfus_slot *s)
{
	size_t room = s->room_maps ? 2 * s->room_maps : 16;
	struct vfus_map **map;

	if (s->num_maps < s->room_maps)
		return 0;
	map = realloc(s->map, room * sizeof(struct vfus_map *));
	if (!map)
		return -ENOMEM;
	s->map = map;
	s->room_maps = room;
	return 0;
}

static int insert(struct vfus_slot *s, struct vfus_map *m)
{
	size_t at = lower(s, m->iova);
	int rc;

	if (at < s->num_maps && s->map[at]->iova <= m->iova + (m->bytes - 1))
		return -EEXIST;
	if (s->num_maps >= GV_VFU_MAX_MAPS)
		return -ENOSPC;
	rc = grow(s);
	if (rc)
		return rc;
	memmove(&s->map[at + 1], &s->map[at], (s->num_maps - at) * sizeof(struct vfus_map *));
	s->map[at] = m;
	s->num_maps++;
	s->message_maps += !m->cpu;
	return 0;
}

static void free_map(struct vfus_slot *s, struct vfus_map *m)
{
	vfus_window_put(s, m->window);
	free(m);
}

/* ---- DMA_MAP ------------------------------------------------------------- */

static int check_map(const struct gv_vfu_dma_map *req, const struct vfus_msg *m)
{
	if (req->argsz < sizeof(*req) || m->fds.n > 1)
		return -EINVAL;
	if (req->flags == 0 || (req->flags & ~(GV_VFU_DMA_R | GV_VFU_DMA_W)))
		return -EINVAL;
	if (req->bytes == 0 || (req->bytes | req->iova | req->fd_offset) % GV_VFU_PAGE)
		return -EINVAL;
	return req->bytes - 1 > UINT64_MAX - req->iova ? -EINVAL : 0;
}

int vfus_dma_map(struct vfus_slot *s, struct vfus_msg *m, struct vfus_answer *a)
{
	struct gv_vfu_dma_map req;
	struct vfus_map *map;
	int rc;

	(void)a;
	memcpy(&req, m->payload, sizeof(req));
	rc = check_map(&req, m);
	if (rc)
		return rc;
	map = calloc(1, sizeof(*map));
	if (!map)
		return -ENOMEM;
	*map = (struct vfus_map){.iova = req.iova, .bytes = req.bytes, .flags = req.flags};
	if (m->fds.n)
		rc = vfus_window_get(s, &req, m->fds.fd[0], &map->window);
	if (!rc) {
		if (map->window)
			map->cpu = map->window->cpu + (req.fd_offset - map->window->off);
		(void)pthread_rwlock_wrlock(&s->dma_lock);
		rc = insert(s, map);
		(void)pthread_rwlock_unlock(&s->dma_lock);
	}
	if (rc) {
		free_map(s, map);
		return rc;
	}
	gv_logf(&s->log, GV_LOG_DEBUG, "DMA map [0x%llx, +0x%llx)%s", (unsigned long long)req.iova,
	        (unsigned long long)req.bytes, map->cpu ? "" : " by messages");
	return 0;
}

/* ---- DMA_UNMAP ------------------------------------------------------------ */

struct gone {
	struct vfus_map **map; /* taken out of the table, not yet freed */
	size_t n, messages;
	uint64_t iova, bytes;
};

/* A range may hold any number of mappings, but may not cut one. Under dma_lock. */
static int take_range(struct vfus_slot *s, uint64_t first, uint64_t last, struct gone *gone)
{
	size_t lo = lower(s, first), hi = lo;

	for (; hi < s->num_maps && s->map[hi]->iova <= last; hi++)
		if (s->map[hi]->iova < first || s->map[hi]->iova + (s->map[hi]->bytes - 1) > last)
			return -EINVAL;
	if (lo == hi)
		return 0;
	gone->map = malloc((hi - lo) * sizeof(struct vfus_map *));
	if (!gone->map)
		return -ENOMEM;
	gone->n = hi - lo;
	memcpy(gone->map, &s->map[lo], gone->n * sizeof(struct vfus_map *));
	memmove(&s->map[lo], &s->map[hi], (s->num_maps - hi) * sizeof(struct vfus_map *));
	s->num_maps -= gone->n;
	for (size_t i = 0; i < gone->n; i++)
		gone->messages += !gone->map[i]->cpu;
	return 0;
}

static void tell_core(struct vfus_slot *s, void *arg)
{
	const struct gone *g = arg;

	gv_dev_dma_changed(s->srv->dev, s->func, g->iova, g->bytes);
}

/* Out of the table first, so that nobody finds it again; then engines that wait for messages in
 * the range let go; then those that use pointers; only then the memory may vanish. */
static int drop_range(struct vfus_slot *s, uint64_t first, uint64_t last)
{
	struct gone gone = {.iova = first, .bytes = last - first};
	int rc;

	if (gone.bytes != UINT64_MAX)
		gone.bytes++;
	(void)pthread_rwlock_wrlock(&s->dma_lock);
	rc = take_range(s, first, last, &gone);
	(void)pthread_rwlock_unlock(&s->dma_lock);
	if (rc || !gone.n)
		return rc;
	vfus_ask_abort(s, gone.iova, gone.bytes);
	vfus_run_aside(s, tell_core, &gone);
	(void)pthread_rwlock_wrlock(&s->dma_lock);
	s->message_maps -= gone.messages;
	(void)pthread_rwlock_unlock(&s->dma_lock);
	for (size_t i = 0; i < gone.n; i++)
		free_map(s, gone.map[i]);
	free(gone.map);
	return 0;
}

int vfus_dma_unmap(struct vfus_slot *s, struct vfus_msg *m, struct vfus_answer *a)
{
	struct gv_vfu_dma_unmap req;
	int rc;

	memcpy(&req, m->payload, sizeof(req));
	if (req.argsz < sizeof(req) || (req.flags & ~GV_VFU_UNMAP_ALL))
		return -EINVAL;
	if (req.flags & GV_VFU_UNMAP_ALL) {
		if (req.iova || req.bytes)
			return -EINVAL;
		rc = drop_range(s, 0, UINT64_MAX);
	} else {
		if (req.bytes == 0 || (req.bytes | req.iova) % GV_VFU_PAGE ||
		    req.bytes - 1 > UINT64_MAX - req.iova)
			return -EINVAL;
		rc = drop_range(s, req.iova, req.iova + (req.bytes - 1));
	}
	if (rc)
		return rc;
	req.argsz = sizeof(req);
	memcpy(a->data, &req, sizeof(req));
	a->bytes = sizeof(req);
	return 0;
}

/* ---- client's life -------------------------------------------------------- */

void vfus_dma_open(struct vfus_slot *s, uint64_t max_xfer)
{
	(void)pthread_mutex_lock(&s->wait_lock);
	s->max_xfer = GV_MIN(max_xfer, (uint64_t)GV_VFU_MAX_XFER);
	s->held_window = s->held_ns = 0;
	s->dma_open = true;
	(void)pthread_mutex_unlock(&s->wait_lock);
}

void vfus_dma_shut(struct vfus_slot *s)
{
	(void)pthread_mutex_lock(&s->wait_lock);
	s->dma_open = false;
	(void)pthread_mutex_unlock(&s->wait_lock);
	vfus_ask_abort(s, 0, UINT64_MAX);
}

void vfus_dma_drop_all(struct vfus_slot *s)
{
	if (drop_range(s, 0, UINT64_MAX) == -ENOMEM) {
		/* One by one needs no list. */
		while (s->num_maps && drop_range(s, s->map[0]->iova,
		                                 s->map[0]->iova + (s->map[0]->bytes - 1)) == 0)
			;
	}
	(void)pthread_rwlock_wrlock(&s->dma_lock);
	if (!s->num_maps) {
		free(s->map);
		s->map = NULL;
		s->room_maps = 0;
	}
	(void)pthread_rwlock_unlock(&s->dma_lock);
}

/* ---- engines --------------------------------------------------------------- */

static uint32_t needs(bool write)
{
	return write ? GV_VFU_DMA_W : GV_VFU_DMA_R;
}

void *vfus_dma_ptr(void *arg, unsigned func, uint64_t iova, uint64_t *bytes, bool write)
{
	struct vfus_slot *s = &((struct gv_vfus *)arg)->slot[func];
	const struct vfus_map *m;
	void *cpu = NULL;

	(void)pthread_rwlock_rdlock(&s->dma_lock);
	m = find(s, iova);
	if (m && m->cpu && (m->flags & needs(write))) {
		*bytes = GV_MIN(*bytes, m->bytes - (iova - m->iova));
		cpu = m->cpu + (iova - m->iova);
	}
	(void)pthread_rwlock_unlock(&s->dma_lock);
	return cpu;
}

/* One piece inside one mapping: copied here when there is a pointer. *@by_message: it is not
 * done, and to be asked for after the lock is dropped. */
static int copy_piece(struct vfus_slot *s, uint64_t iova, uint8_t *buf, size_t *n, bool write,
                      bool *by_message)
{
	const struct vfus_map *m = find(s, iova);
	uint8_t *cpu;

	if (!m)
		return -EFAULT;
	if (!(m->flags & needs(write)))
		return -EPERM;
	*n = GV_MIN(*n, m->bytes - (iova - m->iova));
	*by_message = !m->cpu;
	if (*by_message)
		return 0;
	cpu = m->cpu + (iova - m->iova);
	memcpy(write ? cpu : buf, write ? buf : cpu, *n);
	return 0;
}

static int copy(struct vfus_slot *s, uint64_t iova, uint8_t *buf, size_t n, bool write)
{
	int rc = 0;

	while (!rc && n) {
		size_t part = GV_MIN(n, (size_t)GV_VFU_MAX_XFER);
		bool by_message = false;

		(void)pthread_rwlock_rdlock(&s->dma_lock);
		rc = copy_piece(s, iova, buf, &part, write, &by_message);
		(void)pthread_rwlock_unlock(&s->dma_lock);
		if (!rc && by_message) {
			part = GV_MIN(part, (size_t)s->max_xfer);
			rc = vfus_ask(s, write ? GV_VFU_DMA_WRITE : GV_VFU_DMA_READ, iova, buf,
			              part);
		}
		iova += part;
		buf += part;
		n -= part;
	}
	return rc;
}

int vfus_dma_read(void *arg, unsigned func, uint64_t iova, void *buf, size_t n)
{
	return copy(&((struct gv_vfus *)arg)->slot[func], iova, buf, n, false);
}

int vfus_dma_write(void *arg, unsigned func, uint64_t iova, const void *buf, size_t n)
{
	return copy(&((struct gv_vfus *)arg)->slot[func], iova, (uint8_t *)(uintptr_t)buf, n, true);
}
