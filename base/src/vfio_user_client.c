/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bus over a vfio-user socket. Reads and configuration writes wait for their reply; register
 * and doorbell writes are posted, as they are on PCI: the server works in order, so a later
 * read sees them, and a write that could not be delivered shows in gv_bus_status().
 */
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "vfio_user_client.h"

#define LOOK_EVERY 64u /* calls of gv_bus_status(); waiting loops make 200 a second */

#define MAX_VECTORS 2048 /* what MSI-X can have */

struct io32 {
	struct gv_vfu_region_io io;
	uint32_t val;
} __attribute__((packed));

struct io64 {
	struct gv_vfu_region_io io;
	uint64_t val;
} __attribute__((packed));

/* ---- registers ----------------------------------------------------------- */

static uint32_t client_read32(struct gv_bus *bus, uint32_t byte)
{
	struct vfu *v = (struct vfu *)bus;
	struct gv_vfu_region_io req = {.off = byte, .region = GV_REGION_MMIO, .count = 4};
	struct vfu_call call = VFU_CALL(GV_VFU_REGION_READ, &req, sizeof(req));
	struct io32 reply;

	if (vfu_call_fixed(v, &call, &reply, sizeof(reply)))
		return UINT32_MAX;
	return reply.val;
}

static void client_write32(struct gv_bus *bus, uint32_t byte, uint32_t val)
{
	struct io32 req = {{.off = byte, .region = GV_REGION_MMIO, .count = 4}, val};

	vfu_post((struct vfu *)bus, GV_VFU_REGION_WRITE, &req, sizeof(req));
}

static void client_doorbell64(struct gv_bus *bus, uint32_t byte, uint64_t val)
{
	struct vfu *v = (struct vfu *)bus;
	struct io64 req = {{.off = byte, .region = GV_REGION_DOORBELL, .count = 8}, val};

	if (v->doorbells && byte % 8 == 0 && byte < v->doorbells_bytes)
		__atomic_store_n((uint64_t *)(void *)(v->doorbells + byte), val, __ATOMIC_RELEASE);
	else
		vfu_post(v, GV_VFU_REGION_WRITE, &req, sizeof(req));
}

/* ---- regions ------------------------------------------------------------- */

static int check_range(struct vfu *v, enum gv_region region, uint64_t off, size_t n)
{
	if ((unsigned)region >= GV_VFU_NUM_REGION || off > v->region_bytes[region] ||
	    n > v->region_bytes[region] - off)
		return -ERANGE;
	return 0;
}

static int read_chunk(struct vfu *v, struct gv_vfu_region_io req, void *buf)
{
	struct vfu_call call = VFU_CALL(GV_VFU_REGION_READ, &req, sizeof(req));
	int rc;

	(void)pthread_mutex_lock(&v->lock);
	rc = vfu_call(v, &call);
	if (!rc && call.reply_bytes != sizeof(req) + req.count)
		rc = vfu_lose(v, -EPROTO);
	if (!rc)
		memcpy(buf, call.reply + sizeof(req), req.count);
	(void)pthread_mutex_unlock(&v->lock);
	return rc;
}

static int write_chunk(struct vfu *v, struct gv_vfu_region_io req, const void *buf)
{
	struct gv_vfu_region_io echo;
	struct vfu_call call = VFU_CALL(GV_VFU_REGION_WRITE, &req, sizeof(req));

	call.part[1] = (struct iovec){(void *)(uintptr_t)buf, req.count};
	return vfu_call_fixed(v, &call, &echo, sizeof(echo));
}

static size_t chunk_bytes(const struct vfu *v, size_t n)
{
	uint64_t most = GV_MIN(v->caps.max_data_xfer_size, (uint64_t)GV_VFU_MAX_XFER);

	return n < most ? n : (size_t)most;
}

static int client_read(struct gv_bus *bus, enum gv_region region, uint64_t off, void *buf, size_t n)
{
	struct vfu *v = (struct vfu *)bus;
	int rc = check_range(v, region, off, n);

	for (size_t done = 0; !rc && done < n;) {
		size_t part = chunk_bytes(v, n - done);

		rc = read_chunk(v,
		                (struct gv_vfu_region_io){.off = off + done,
		                                          .region = region,
		                                          .count = (uint32_t)part},
		                (uint8_t *)buf + done);
		done += part;
	}
	return rc;
}

static int client_write(struct gv_bus *bus, enum gv_region region, uint64_t off, const void *buf,
                        size_t n)
{
	struct vfu *v = (struct vfu *)bus;
	int rc = check_range(v, region, off, n);

	for (size_t done = 0; !rc && done < n;) {
		size_t part = chunk_bytes(v, n - done);

		rc = write_chunk(v,
		                 (struct gv_vfu_region_io){.off = off + done,
		                                           .region = region,
		                                           .count = (uint32_t)part},
		                 (const uint8_t *)buf + done);
		done += part;
	}
	return rc;
}

static int client_region_bytes(struct gv_bus *bus, enum gv_region region, uint64_t *bytes)
{
	struct vfu *v = (struct vfu *)bus;

	if ((unsigned)region >= GV_VFU_NUM_REGION || v->region_bytes[region] == 0)
		return -ENOENT;
	*bytes = v->region_bytes[region];
	return 0;
}

/* ---- interrupts, life ---------------------------------------------------- */

static int client_irq_enable(struct gv_bus *bus, unsigned vector, int *eventfd_out)
{
	struct vfu *v = (struct vfu *)bus;
	struct gv_vfu_irq_set req = {.argsz = sizeof(req),
	                             .flags = GV_VFU_SET_EVENTFD | GV_VFU_SET_TRIGGER,
	                             .index = GV_VFU_IRQ_MSIX,
	                             .start = vector,
	                             .count = 1};
	struct vfu_call call = VFU_CALL(GV_VFU_SET_IRQS, &req, sizeof(req));
	gv_auto_fd int fd = -1;
	int rc;

	if (vector >= v->num_vectors)
		return -EINVAL;
	if (v->eventfd[vector] < 0) {
		fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (fd < 0)
			return -errno;
		call.send_fd = fd;
		rc = vfu_call_fixed(v, &call, NULL, 0);
		if (rc)
			return rc;
		v->eventfd[vector] = gv_take_fd(&fd);
	}
	*eventfd_out = v->eventfd[vector];
	return 0;
}

static int client_reset(struct gv_bus *bus)
{
	struct vfu_call call = VFU_CALL(GV_VFU_DEVICE_RESET, NULL, 0);

	return vfu_call_fixed((struct vfu *)bus, &call, NULL, 0);
}

/* Who waits for memory to change sends nothing, and would not notice a server that hung up: every
 * now and then this looks for the end of the stream. */
static int client_status(struct gv_bus *bus)
{
	struct vfu *v = (struct vfu *)bus;
	int rc = atomic_load_explicit(&v->status, memory_order_relaxed);
	char byte;

	if (rc || atomic_fetch_add_explicit(&v->looks, 1, memory_order_relaxed) % LOOK_EVERY)
		return rc;
	return recv(v->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0 ? vfu_lose(v, -ENODEV) : 0;
}

static void client_close(struct gv_bus *bus)
{
	struct vfu *v = (struct vfu *)bus;

	/* A child that was just forked may still have a copy, and to the server we would be there
	 * until it is gone. */
	(void)shutdown(v->fd, SHUT_RDWR);
	gv_closep(&v->fd);
	vfu_mem_done(v);
	for (unsigned i = 0; v->eventfd && i < v->num_vectors; i++)
		gv_closep(&v->eventfd[i]);
	free(v->eventfd);
	free(v->rx);
	(void)pthread_mutex_destroy(&v->lock);
	free(v);
}

static const struct gv_bus_ops client_ops = {
        .read32 = client_read32,
        .write32 = client_write32,
        .doorbell64 = client_doorbell64,
        .read = client_read,
        .write = client_write,
        .region_bytes = client_region_bytes,
        .map = vfu_map,
        .dma_alloc = vfu_dma_alloc,
        .dma_free = vfu_dma_free,
        .irq_enable = client_irq_enable,
        .reset = client_reset,
        .status = client_status,
        .close = client_close,
};

/* ---- opening ------------------------------------------------------------- */

static struct vfu *new_client(int fd, const char *name, const struct gv_vfu_opts *opts)
{
	struct vfu *v = calloc(1, sizeof(*v));

	if (!v) {
		(void)close(fd);
		return NULL;
	}
	v->bus.ops = &client_ops;
	(void)snprintf(v->bus.name, sizeof(v->bus.name), "%s", name);
	v->fd = fd;
	v->caps = gv_vfu_caps_default();
	if (opts)
		v->opts = *opts;
	(void)pthread_mutex_init(&v->lock, NULL);
	v->rx = malloc(GV_VFU_MAX_MSG);
	if (!v->rx) {
		client_close(&v->bus);
		return NULL;
	}
	return v;
}

static int negotiate(struct vfu *v, struct gv_err *err)
{
	const struct gv_vfu_caps ours = {.max_msg_fds = GV_VFU_MAX_FDS,
	                                 .max_data_xfer_size = GV_VFU_MAX_XFER,
	                                 .pgsizes = GV_VFU_PAGE,
	                                 .max_dma_maps = GV_VFU_MAX_MAPS};
	struct gv_vfu_version ver = {GV_VFU_MAJOR, GV_VFU_MINOR}, got;
	char json[VFU_SMALL];
	struct vfu_call call = VFU_CALL(GV_VFU_VERSION, &ver, sizeof(ver));
	int rc;

	call.part[1] = (struct iovec){json, gv_vfu_caps_format(json, sizeof(json), &ours)};
	rc = vfu_call(v, &call); /* nobody else knows this bus yet: no lock */
	if (rc == -ENODEV)
		return gv_fail(err, -EBUSY,
		               "the server closed the connection; it serves one client at a time");
	if (rc)
		return gv_fail(err, rc, "version negotiation: %s", strerror(-rc));
	if (call.reply_bytes < sizeof(got))
		return gv_fail(err, -EPROTO, "version negotiation: short reply");
	memcpy(&got, call.reply, sizeof(got));
	if (got.major != GV_VFU_MAJOR || got.minor > GV_VFU_MINOR)
		return gv_fail(err, -EPROTO, "server speaks vfio-user %u.%u, we speak %u.%u",
		               got.major, got.minor, GV_VFU_MAJOR, GV_VFU_MINOR);
	if (call.reply_bytes > sizeof(got) &&
	    gv_vfu_caps_parse((const char *)call.reply + sizeof(got),
	                      call.reply_bytes - sizeof(got), &v->caps))
		return gv_fail(err, -EPROTO, "version negotiation: bad capabilities in the reply");
	return 0;
}

static int ask_device(struct vfu *v, struct gv_vfu_dev_info *info, struct gv_err *err)
{
	struct gv_vfu_dev_info req = {.argsz = sizeof(req)};
	struct vfu_call call = VFU_CALL(GV_VFU_GET_INFO, &req, sizeof(req));
	int rc = vfu_call_fixed(v, &call, info, sizeof(*info));

	if (rc)
		return gv_fail(err, rc, "device information: %s", strerror(-rc));
	if (!(info->flags & GV_VFU_DEV_PCI) || info->num_regions <= GV_REGION_CONFIG ||
	    info->num_irqs <= GV_VFU_IRQ_MSIX)
		return gv_fail(err, -ENODEV, "the server's device is not a PCI function");
	return 0;
}

static int ask_region_bytes(struct vfu *v, unsigned region, struct gv_err *err)
{
	struct gv_vfu_region_info req = {.argsz = sizeof(req), .index = region}, info = {0};
	struct vfu_call call = VFU_CALL(GV_VFU_GET_REGION_INFO, &req, sizeof(req));
	int rc = vfu_call(v, &call);

	if (!rc && call.reply_bytes < sizeof(info))
		rc = vfu_lose(v, -EPROTO);
	if (!rc)
		memcpy(&info, call.reply, sizeof(info));
	if (!rc && info.index != region)
		rc = vfu_lose(v, -EPROTO);
	if (rc == -EINVAL && region > GV_REGION_CONFIG)
		return 0; /* VGA: a server need not know it */
	if (rc)
		return gv_fail(err, rc, "region %u: %s", region, strerror(-rc));
	v->region_bytes[region] = info.bytes;
	return 0;
}

static int ask_vectors(struct vfu *v, struct gv_err *err)
{
	struct gv_vfu_irq_info req = {.argsz = sizeof(req), .index = GV_VFU_IRQ_MSIX}, info;
	struct vfu_call call = VFU_CALL(GV_VFU_GET_IRQ_INFO, &req, sizeof(req));
	int rc = vfu_call_fixed(v, &call, &info, sizeof(info));

	if (rc)
		return gv_fail(err, rc, "interrupt information: %s", strerror(-rc));
	if (info.index != GV_VFU_IRQ_MSIX || info.count > MAX_VECTORS)
		return gv_fail(err, -EPROTO, "the server claims %u MSI-X vectors", info.count);
	if (!info.count)
		return 0;
	v->eventfd = malloc(info.count * sizeof(*v->eventfd));
	if (!v->eventfd)
		return gv_fail(err, -ENOMEM, "out of memory");
	for (unsigned i = 0; i < info.count; i++)
		v->eventfd[i] = -1;
	v->num_vectors = info.count;
	return 0;
}

static int learn(struct vfu *v, struct gv_err *err)
{
	struct gv_vfu_dev_info info;
	void *page;
	int rc = negotiate(v, err);

	if (!rc)
		rc = ask_device(v, &info, err);
	for (unsigned i = 0; !rc && i < GV_MIN(info.num_regions, GV_VFU_NUM_REGION); i++)
		rc = ask_region_bytes(v, i, err);
	if (!rc)
		rc = ask_vectors(v, err);
	if (rc || !v->opts.mapped_doorbells)
		return rc;
	/* Not offered: trapped doorbells do the same. */
	v->doorbells_bytes = GV_VFU_PAGE;
	if (vfu_map(&v->bus, GV_REGION_DOORBELL, 0, v->doorbells_bytes, &page) == 0)
		v->doorbells = page;
	return 0;
}

static int set_timeouts(int fd)
{
	struct timeval tv = {.tv_sec = (time_t)(GV_VFU_TIMEOUT_NS / GV_S)};

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) != 0)
		return -errno;
	return 0;
}

int gv_vfu_open_fd(int fd, const char *name, const struct gv_vfu_opts *opts,
                   const struct gv_log *log, struct gv_bus **bus, struct gv_err *err)
{
	struct vfu *v = new_client(fd, name, opts);
	int rc;

	if (!v)
		return gv_fail(err, -ENOMEM, "out of memory");
	rc = set_timeouts(v->fd);
	if (rc)
		rc = gv_fail(err, rc, "socket timeouts: %s", strerror(-rc));
	else
		rc = learn(v, err);
	if (rc) {
		(void)gv_fail_prefix(err, "%s", name);
		client_close(&v->bus);
		return rc;
	}
	v->log = log; /* only now: until here the caller hears of every failure */
	*bus = &v->bus;
	return 0;
}

static int connect_to(const char *path, int *out)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	gv_auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc;

	if (strlen(path) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	memcpy(sa.sun_path, path, strlen(path) + 1);
	if (fd < 0)
		return -errno;
	rc = set_timeouts(fd); /* connecting to a full queue waits as long as a send would */
	if (rc)
		return rc;
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	*out = gv_take_fd(&fd);
	return 0;
}

int gv_vfu_open(const char *path, const struct gv_vfu_opts *opts, const struct gv_log *log,
                struct gv_bus **bus, struct gv_err *err)
{
	char name[128];
	int fd = -1, rc = connect_to(path, &fd);

	(void)snprintf(name, sizeof(name), "vfio-user:%s", path);
	if (rc == -ENOENT || rc == -ECONNREFUSED)
		return gv_fail(err, rc, "%s: connecting: %s; is the server of this function up?",
		               name, strerror(-rc));
	if (rc)
		return gv_fail(err, rc, "%s: connecting: %s", name, strerror(-rc));
	return gv_vfu_open_fd(fd, name, opts, log, bus, err);
}
