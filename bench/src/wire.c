/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A vfio-user client that only reads: the same for our server and for a peer's. */
#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <gv/vfio_user.h>

#include "bench.h"

#define VALUE_BYTES 4u

struct request {
	struct gv_vfu_hdr hdr;
	struct gv_vfu_region_io io;
} __attribute__((packed));

struct reply {
	struct gv_vfu_hdr hdr;
	struct gv_vfu_region_io io;
	uint8_t value[VALUE_BYTES];
} __attribute__((packed));

struct bench_wire {
	int fd;
	uint16_t id;
	struct gv_vfu_region_io io;
	struct request out[BENCH_BURST];
	struct reply in[BENCH_BURST];
};

static int send_all(const struct bench_wire *w, const void *buf, size_t n)
{
	return send(w->fd, buf, n, MSG_NOSIGNAL) == (ssize_t)n ? 0 : -EPIPE;
}

static int recv_all(const struct bench_wire *w, void *buf, size_t n)
{
	for (size_t have = 0; have < n;) {
		ssize_t got = recv(w->fd, (uint8_t *)buf + have, n - have, 0);

		if (got < 0 && errno == EINTR && !bench_stop)
			continue;
		if (got <= 0)
			return got == 0 ? -EPIPE : -errno;
		have += (size_t)got;
	}
	return 0;
}

static int transact(struct bench_wire *w, unsigned count)
{
	int rc;

	for (unsigned i = 0; i < count; i++)
		w->out[i] = (struct request){
		        {.id = w->id++, .cmd = GV_VFU_REGION_READ, .size = sizeof(struct request)},
		        w->io};
	rc = send_all(w, w->out, count * sizeof(w->out[0]));
	if (!rc)
		rc = recv_all(w, w->in, count * sizeof(w->in[0]));
	for (unsigned i = 0; i < count && !rc; i++)
		if (w->in[i].hdr.flags != GV_VFU_REPLY || w->in[i].hdr.id != w->out[i].hdr.id ||
		    w->in[i].hdr.size != sizeof(w->in[i]))
			rc = -EPROTO;
	return rc;
}

int bench_wire_read(void *w)
{
	return transact(w, 1);
}

int bench_wire_burst(void *w)
{
	return transact(w, BENCH_BURST);
}

static int negotiate(struct bench_wire *w)
{
	const struct gv_vfu_caps caps = {.max_msg_fds = 1,
	                                 .max_data_xfer_size = GV_VFU_MAX_XFER,
	                                 .pgsizes = GV_VFU_PAGE,
	                                 .max_dma_maps = GV_VFU_MAX_MAPS};
	struct gv_vfu_version ver = {GV_VFU_MAJOR, GV_VFU_MINOR};
	struct gv_vfu_hdr hdr = {.id = w->id++, .cmd = GV_VFU_VERSION};
	uint8_t buf[GV_VFU_PAGE];
	char json[256];
	size_t n = gv_vfu_caps_format(json, sizeof(json), &caps);
	int rc;

	hdr.size = (uint32_t)(sizeof(hdr) + sizeof(ver) + n);
	memcpy(buf, &hdr, sizeof(hdr));
	memcpy(buf + sizeof(hdr), &ver, sizeof(ver));
	memcpy(buf + sizeof(hdr) + sizeof(ver), json, n);
	rc = send_all(w, buf, hdr.size);
	if (!rc)
		rc = recv_all(w, &hdr, sizeof(hdr));
	if (rc)
		return rc;
	if (hdr.flags != GV_VFU_REPLY || hdr.size < sizeof(hdr) + sizeof(ver) ||
	    hdr.size - sizeof(hdr) > sizeof(buf))
		return -EPROTO;
	return recv_all(w, buf, hdr.size - sizeof(hdr));
}

int bench_dial(const char *path, int *fd)
{
	const struct timeval limit = {.tv_sec = 5};
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(at.sun_path))
		return -ENAMETOOLONG;
	memcpy(at.sun_path, path, strlen(path));
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return -errno;
	(void)setsockopt(*fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(*fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	return connect(*fd, (struct sockaddr *)&at, sizeof(at)) ? -errno : 0;
}

int bench_wire_open(const char *path, unsigned region, uint64_t off, struct bench_wire **out,
                    struct gv_err *err)
{
	struct bench_wire *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return gv_fail(err, -ENOMEM, "no memory for a client");
	w->fd = -1;
	w->io = (struct gv_vfu_region_io){.off = off, .region = region, .count = VALUE_BYTES};
	rc = bench_dial(path, &w->fd);
	if (!rc)
		rc = negotiate(w);
	if (!rc)
		rc = bench_wire_read(w);
	if (rc) {
		bench_wire_close(w);
		return gv_fail(err, rc, "%s: no vfio-user server that lets us read region %u: %s",
		               path, region, strerror(-rc));
	}
	*out = w;
	return 0;
}

static bool task_has(const char *tid, const cpu_set_t *want)
{
	cpu_set_t set;
	pid_t id = (pid_t)strtol(tid, NULL, 10);

	return id <= 0 || (sched_getaffinity(id, sizeof(set), &set) == 0 && CPU_EQUAL(&set, want));
}

bool bench_wire_same_cpu(const struct bench_wire *w)
{
	struct ucred peer = {0};
	socklen_t n = sizeof(peer);
	cpu_set_t mine;
	char path[64];
	struct dirent *e;
	bool same = true;
	DIR *d;

	if (getsockopt(w->fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) ||
	    sched_getaffinity(0, sizeof(mine), &mine))
		return false;
	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)peer.pid);
	d = opendir(path);
	if (!d)
		return false;
	while ((e = readdir(d)) != NULL)
		same &= task_has(e->d_name, &mine);
	(void)closedir(d);
	return same;
}

struct bench_wire *bench_wire_close(struct bench_wire *w)
{
	if (w) {
		gv_closep(&w->fd);
		free(w);
	}
	return NULL;
}
