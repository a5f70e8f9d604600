/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What each vfio-user command does. Sizes and descriptors are checked by the table before. */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "server_priv.h"

/* ---- waiting for engines without letting them wait for us ------------------ */

struct aside {
	struct vfus_slot *slot;
	void (*run)(struct vfus_slot *s, void *arg);
	void *arg;
	_Atomic bool done;
};

static void *aside_main(void *arg)
{
	struct aside *a = arg;

	a->run(a->slot, a->arg);
	atomic_store(&a->done, true);
	return NULL;
}

static void serve_replies_until(struct vfus_slot *s, const _Atomic bool *done)
{
	struct pollfd p = {.fd = s->fd, .events = POLLIN};

	while (!atomic_load(done)) {
		if (poll(&p, 1, 1) <= 0)
			continue;
		if (vfus_stream_fill(s, MSG_DONTWAIT) == 0)
			vfus_stream_take_replies(s);
		else
			p.fd = -1; /* gone or full: from now on only wait */
	}
}

/* An engine may be waiting for an answer that sits in our socket, and @run for that engine. Only
 * clients with memory that is reached by messages can bring that about. */
void vfus_run_aside(struct vfus_slot *s, void (*run)(struct vfus_slot *s, void *arg), void *arg)
{
	struct aside a = {.slot = s, .run = run, .arg = arg};
	pthread_t thread;

	if (!s->message_maps || pthread_create(&thread, NULL, aside_main, &a) != 0) {
		run(s, arg);
		return;
	}
	vfus_stream_take_replies(s);
	serve_replies_until(s, &a.done);
	(void)pthread_join(thread, NULL);
}

/* ---- VERSION ---------------------------------------------------------------- */

static int do_version(struct vfus_slot *s, struct vfus_msg *m, struct vfus_answer *a)
{
	const struct gv_vfu_caps ours = {.max_msg_fds = GV_VFU_MAX_FDS,
	                                 .max_data_xfer_size = GV_VFU_MAX_XFER,
	                                 .pgsizes = GV_VFU_PAGE,
	                                 .max_dma_maps = GV_VFU_MAX_MAPS};
	struct gv_vfu_caps theirs = gv_vfu_caps_default();
	struct gv_vfu_version ver;
	size_t n;

	memcpy(&ver, m->payload, sizeof(ver));
	if (s->negotiated)
		return -EINVAL;
	s->leave = true; /* whoever cannot agree on a version cannot go on */
	if (ver.major != GV_VFU_MAJOR)
		return -EINVAL;
	if (m->bytes > sizeof(ver) && gv_vfu_caps_parse((const char *)m->payload + sizeof(ver),
	                                                m->bytes - sizeof(ver), &theirs))
		return -EINVAL;
	s->leave = false;
	s->negotiated = true;
	vfus_dma_open(s, theirs.max_data_xfer_size);
	ver.minor = GV_MIN(ver.minor, GV_VFU_MINOR);
	memcpy(a->data, &ver, sizeof(ver));
	n = gv_vfu_caps_format((char *)a->data + sizeof(ver), GV_VFU_PAGE, &ours);
	/* Clients exist that receive the reply into the buffer of their request: then silence,
	 * which promises less than we can, is what fits. */
	a->bytes = sizeof(ver) + (sizeof(ver) + n <= m->bytes ? n : 0);
	return 0;
}

/* ---- information ------------------------------------------------------------ */

static int do_info(struct vfus_slot *s, struct vfus_msg *m, struct vfus_answer *a)
{
	const struct gv_vfu_dev_info info = {.argsz = sizeof(info),
	                                     .flags = GV_VFU_DEV_RESET | GV_VFU_DEV_PCI,
	                                     .num_regions = GV_VFU_NUM_REGION,
	                                     .num_irqs = GV_VFU_NUM_IRQ};

	(void)s;
	(void)m;
	memcpy(a->data, &info, sizeof(info));
	a->bytes = sizeof(info);
	return 0;
}

struct region_caps {
	struct gv_vfu_region_info info;
	struct gv_vfu_sparse_cap cap;
	struct gv_vfu_sparse_area area;
};

static bool may_map(const struct vfus_slot *s, unsigned index)
{
	return index == GV_REGION_VRAM ||
	       (index == GV_REGION_DOORBELL && !s->srv->cfg.no_mapped_doorbells);
}

/* Asking for a descriptor has effects (a watched doorbell page), so it is fetched only for a
 * client that has room for the capability, that is, one that asked a second time. */
static int region_info(struct vfus_slot *s, struct vfus_msg *m, struct vfus_answer *a)
{
	struct region_caps r = {.cap = {.id = GV_VFU_CAP_SPARSE, .version = 1, .nr_areas = 1}};
	struct gv_vfu_region_info req;

	memcpy(&req, m->payload, sizeof(req));
	if (req.argsz < sizeof(req) || req.index >= GV_VFU_NUM_REGION)
		return -EINVAL;
	r.info = (struct gv_vfu_region_info){.argsz = sizeof(r.info), .index = req.index};
	r.info.bytes = gv_dev_region_bytes(s->srv->dev, s->func, (enum gv_region)req.index);
	if (r.info.bytes)
		r.info.flags = GV_VFU_REGION_R | GV_VFU_REGION_W;
	a->bytes = sizeof(r.info);
	if (r.info.bytes && may_map(s, req.index)) {
		r.info.argsz = sizeof(r);
		r.info.flags |= GV_VFU_REGION_CAPS;
		r.info.cap_offset = offsetof(struct region_caps, cap);
		if (req.argsz >= sizeof(r)) {
			if (gv_dev_region_fd(s->srv->dev, s->func, (enum gv_region)req.index,
			                     &a->fd, &r.area.bytes) == 0) {
				r.info.flags |= GV_VFU_REGION_MMAP;
				r.area.bytes = GV_MIN(r.area.bytes, r.info.bytes);
			} else {
				r.cap.nr_areas = 0; /* no descriptor: it traps */
			}
			a->bytes = sizeof(r);
		}
	}
	memcpy(a->data, &r, a->bytes);
	return 0;
}

static int not_supported(struct vfus_slot *s, struct vfus_msg *m, struct vfus_answer *a)
{
	(void)s;
	(void)m;
	(void)a;
	return -EOPNOTSUPP;
}

/* ---- regions ----------------------------------------------------------------- */

static int do_read(struct vfus_slot *s, struct vfus_msg *m, struct vfus_answer *a)
{
	struct gv_vfu_region_io io;
	int rc;

	memcpy(&io, m->payload, sizeof(io));
	if (io.count == 0 || io.count > GV_VFU_MAX_XFER || io.region >= GV_VFU_NUM_REGION)
		return -EINVAL;
	rc = gv_dev_read(s->srv->dev, s->func, (enum gv_region)io.region, io.off,
	                 a->data + sizeof(io), io.count);
	if (rc)
		return rc;
	memcpy(a->data, &io, sizeof(io));
	a->bytes = sizeof(io) + io.count;
	return 0;
}

struct write_args {
	enum gv_region region;
	uint64_t off;
	const void *data;
	size_t n;
	int rc;
};

static void write_region(struct vfus_slot *s, void *arg)
{
	struct write_args *w = arg;

	w->rc = gv_dev_write(s->srv->dev, s->func, w->region, w->off, w->data, w->n);
}

static int write_any(struct vfus_slot *s, uint32_t region, uint64_t off, const void *data, size_t n)
{
	struct write_args w = {(enum gv_region)region, off, data, n, 0};

	/* A write to configuration space can be a reset, which waits for engines. */
	if (region == GV_REGION_CONFIG)
		vfus_run_aside(s, write_region, &w);
	else
		write_region(s, &w);
	return w.rc;
}

static int do_write(struct vfus_slot *s, struct vfus_msg *m, struct vfus_answer *a)
{
	struct gv_vfu_region_io io;
	int rc;

	memcpy(&io, m->payload, sizeof(io));
	if (io.count == 0 || io.count != m->bytes - sizeof(io) || io.region >= GV_VFU_NUM_REGION)
		return -EINVAL;
	rc = write_any(s, io.region, io.off, m->payload + sizeof(io), io.count);
	if (rc)
		return rc;
	memcpy(a->data, &io, sizeof(io));
	a->bytes = sizeof(io);
	return 0;
}

static int check_multi(const struct vfus_msg *m, uint64_t *count)
{
	struct gv_vfu_multi_write w;
	const uint8_t *at = m->payload + sizeof(*count);

	memcpy(count, m->payload, sizeof(*count));
	if (*count > GV_VFU_MAX_MULTI || m->bytes - sizeof(*count) != *count * sizeof(w))
		return -EINVAL;
	for (uint64_t i = 0; i < *count; i++, at += sizeof(w)) {
		memcpy(&w, at, sizeof(w));
		if (w.count == 0 || w.count > sizeof(w.data) || w.region >= GV_VFU_NUM_REGION)
			return -EINVAL;
	}
	return 0;
}

/* In order, up to the first that fails; the answer says how many were done. */
static int do_write_multi(struct vfus_slot *s, struct vfus_msg *m, struct vfus_answer *a)
{
	struct gv_vfu_multi_write w;
	const uint8_t *at = m->payload + sizeof(uint64_t);
	uint64_t count, done = 0;
	int rc = check_multi(m, &count);

	for (; !rc && done < count; at += sizeof(w)) {
		memcpy(&w, at, sizeof(w));
		rc = write_any(s, w.region, w.off, w.data, w.count);
		done += !rc;
	}
	if (rc)
		return rc;
	memcpy(a->data, &done, sizeof(done));
	a->bytes = sizeof(done);
	return 0;
}

/* ---- reset ------------------------------------------------------------------- */

static void reset(struct vfus_slot *s, void *rc)
{
	*(int *)rc = gv_dev_reset(s->srv->dev, s->func);
}

static int do_reset(struct vfus_slot *s, struct vfus_msg *m, struct vfus_answer *a)
{
	int rc = 0;

	(void)m;
	(void)a;
	vfus_run_aside(s, reset, &rc);
	return rc;
}

/* ---- the table ---------------------------------------------------------------- */

struct row {
	int (*run)(struct vfus_slot *s, struct vfus_msg *m, struct vfus_answer *a);
	size_t min, max; /* payload bytes */
	unsigned fds;    /* descriptors it may bring */
};

static const struct row rows[] = {
        [GV_VFU_VERSION] = {do_version, sizeof(struct gv_vfu_version), GV_VFU_PAGE, 0},
        [GV_VFU_DMA_MAP] = {vfus_dma_map, sizeof(struct gv_vfu_dma_map),
                            sizeof(struct gv_vfu_dma_map), 1},
        [GV_VFU_DMA_UNMAP] = {vfus_dma_unmap, sizeof(struct gv_vfu_dma_unmap),
                              sizeof(struct gv_vfu_dma_unmap), 0},
        [GV_VFU_GET_INFO] = {do_info, sizeof(struct gv_vfu_dev_info), GV_VFU_PAGE, 0},
        [GV_VFU_GET_REGION_INFO] = {region_info, sizeof(struct gv_vfu_region_info), GV_VFU_PAGE, 0},
        [GV_VFU_GET_REGION_IO_FDS] = {not_supported, 0, GV_VFU_PAGE, 0},
        [GV_VFU_GET_IRQ_INFO] = {vfus_irq_info, sizeof(struct gv_vfu_irq_info), GV_VFU_PAGE, 0},
        [GV_VFU_SET_IRQS] = {vfus_irq_set, sizeof(struct gv_vfu_irq_set), GV_VFU_PAGE,
                             GV_VFU_MAX_FDS},
        [GV_VFU_REGION_READ] = {do_read, sizeof(struct gv_vfu_region_io),
                                sizeof(struct gv_vfu_region_io), 0},
        [GV_VFU_REGION_WRITE] = {do_write, sizeof(struct gv_vfu_region_io),
                                 sizeof(struct gv_vfu_region_io) + GV_VFU_MAX_XFER, 0},
        [GV_VFU_DEVICE_RESET] = {do_reset, 0, 0, 0},
        [GV_VFU_WRITE_MULTI] = {do_write_multi, sizeof(uint64_t),
                                sizeof(uint64_t) +
                                        GV_VFU_MAX_MULTI * sizeof(struct gv_vfu_multi_write),
                                0},
        [GV_VFU_DEVICE_FEATURE] = {not_supported, 0, GV_VFU_PAGE, 0},
        [GV_VFU_MIG_DATA_READ] = {not_supported, 0, GV_VFU_PAGE, 0},
        [GV_VFU_MIG_DATA_WRITE] = {not_supported, 0, GV_VFU_MAX_MSG, 0},
};

static int check(struct vfus_slot *s, const struct vfus_msg *m)
{
	const struct row *row;

	if (m->hdr.cmd >= GV_ARRAY_LEN(rows) || !rows[m->hdr.cmd].run)
		return -ENOSYS;
	row = &rows[m->hdr.cmd];
	if (m->hdr.flags & ~(GV_VFU_TYPE_MASK | GV_VFU_NO_REPLY))
		return -EINVAL;
	if (m->bytes < row->min || m->bytes > row->max || m->fds.overflow || m->fds.n > row->fds)
		return -EINVAL;
	if (!s->negotiated && m->hdr.cmd != GV_VFU_VERSION) {
		s->leave = true;
		return -EPROTO;
	}
	return 0;
}

static void refuse(struct vfus_slot *s, const struct vfus_msg *m, int rc)
{
	atomic_fetch_add(&s->bad_messages, 1);
	gv_logf(&s->log, GV_LOG_DEBUG, "refused command %u (%zu bytes, %u descriptors): %s",
	        m->hdr.cmd, m->bytes, m->fds.n, strerror(-rc));
}

void vfus_handle(struct vfus_slot *s, struct vfus_msg *m)
{
	struct vfus_answer a = {.fd = -1};
	int rc;

	atomic_fetch_add_explicit(&s->requests, 1, memory_order_relaxed);
	if ((m->hdr.flags & GV_VFU_TYPE_MASK) == GV_VFU_REPLY) {
		if (!vfus_answered(s, m))
			refuse(s, m, -ESRCH);
		return;
	}
	a.data = vfus_stream_room(s);
	if (!a.data) {
		s->leave = true;
		return;
	}
	rc = (m->hdr.flags & GV_VFU_TYPE_MASK) == GV_VFU_COMMAND ? check(s, m) : -EINVAL;
	if (!rc)
		rc = rows[m->hdr.cmd].run(s, m, &a);
	if (rc)
		refuse(s, m, rc);
	if (!(m->hdr.flags & GV_VFU_NO_REPLY) && vfus_stream_answer(s, m, rc, &a))
		s->leave = true;
	gv_closep(&a.fd);
}
