/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A device behind a real vfio-user server, a client at the other end of a socket pair, and means
 * to send what no proper client would. */
#ifndef VFIO_USER_RIG_H
#define VFIO_USER_RIG_H

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <gv/vfio.h>
#include <gv/vfio_user.h>

#include "vfio_user_server.h"

struct rig {
	struct gv_dev *dev;
	struct gv_vfus *srv;
	struct gv_dev_host host; /* tests call it as the device's engines do */
};

static inline int rig_up(struct rig *r, const struct gv_vfus_cfg *cfg, const char *dir)
{
	const struct gv_dev_cfg dev = {.vram_mib = 256, .max_vfs = 4, .engine_threads = 1};
	int rc;

	*r = (struct rig){0};
	rc = gv_vfus_new(cfg, &r->srv);
	if (rc)
		return rc;
	r->host = gv_vfus_host(r->srv);
	rc = gv_dev_new(&dev, &r->host, &r->dev, NULL);
	return rc ? rc : gv_vfus_start(r->srv, r->dev, dir, NULL);
}

static inline void rig_down(struct rig *r)
{
	gv_vfus_stop(r->srv);
	r->dev = gv_dev_free(r->dev);
	r->srv = gv_vfus_free(r->srv);
}

/* A raw connection to @func: -1 when it is refused. */
static inline int rig_socket(struct rig *r, unsigned func)
{
	const struct timeval tv = {.tv_sec = 3};
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0)
		return -1;
	(void)setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (gv_vfus_attach_fd(r->srv, func, fd[1]) != 0) {
		(void)close(fd[0]);
		return -1;
	}
	return fd[0];
}

static inline struct gv_bus *rig_client(struct rig *r, unsigned func)
{
	struct gv_bus *bus = NULL;
	struct gv_err err = {0};
	int fd = rig_socket(r, func);

	if (fd >= 0 && gv_vfu_open_fd(fd, "test", NULL, NULL, &bus, &err))
		fprintf(stderr, "open: %s\n", err.text);
	return bus;
}

static inline int rig_send(int sock, const void *buf, size_t n, const int *fds, unsigned num_fds)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(64 * sizeof(int))] = {0};
	struct iovec part = {(void *)(uintptr_t)buf, n};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};

	if (num_fds) {
		struct cmsghdr *c;

		m.msg_control = control;
		m.msg_controllen = CMSG_SPACE(num_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(num_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, num_fds * sizeof(int));
	}
	return sendmsg(sock, &m, MSG_NOSIGNAL) == (ssize_t)n ? 0 : -EIO;
}

/* One request as bytes. */
static inline size_t rig_build(uint8_t *buf, uint16_t id, uint16_t cmd, const void *payload,
                               size_t n)
{
	struct gv_vfu_hdr hdr = {.id = id, .cmd = cmd, .size = (uint32_t)(sizeof(hdr) + n)};

	memcpy(buf, &hdr, sizeof(hdr));
	if (n)
		memcpy(buf + sizeof(hdr), payload, n);
	return sizeof(hdr) + n;
}

static inline int rig_recv_exact(int sock, void *buf, size_t n)
{
	for (size_t have = 0; have < n;) {
		ssize_t got = recv(sock, (uint8_t *)buf + have, n - have, 0);

		if (got <= 0)
			return got == 0 ? -ENODEV : -errno;
		have += (size_t)got;
	}
	return 0;
}

/* Send one request, take one reply: its payload bytes, or what it was refused with, or -ENODEV
 * when the server hung up. @reply has room for 4096 bytes. */
static inline int rig_call_fds(int sock, uint16_t cmd, const void *payload, size_t n,
                               const int *fds, unsigned num_fds, uint8_t *reply)
{
	static uint8_t buf[GV_VFU_MAX_MSG];
	struct gv_vfu_hdr hdr;
	int rc = rig_send(sock, buf, rig_build(buf, 77, cmd, payload, n), fds, num_fds);

	if (rc || rig_recv_exact(sock, &hdr, sizeof(hdr)))
		return -ENODEV;
	if (hdr.id != 77 || hdr.cmd != cmd || (hdr.flags & GV_VFU_TYPE_MASK) != GV_VFU_REPLY)
		return -EPROTO;
	if (hdr.size - sizeof(hdr) > 4096 || rig_recv_exact(sock, reply, hdr.size - sizeof(hdr)))
		return -EPROTO;
	return hdr.flags & GV_VFU_ERROR ? -(int)hdr.error : (int)(hdr.size - sizeof(hdr));
}

static inline int rig_call(int sock, uint16_t cmd, const void *payload, size_t n)
{
	uint8_t reply[4096];

	return rig_call_fds(sock, cmd, payload, n, NULL, 0, reply);
}

/* A raw connection that has agreed on the version. */
static inline int rig_raw(struct rig *r, unsigned func)
{
	static const char hello[] = "\0\0\1\0{\"capabilities\":{\"max_msg_fds\":16,\"x\":[1,{}]}}"
	                            "                                                         ";
	int fd = rig_socket(r, func);

	if (fd >= 0 && rig_call(fd, GV_VFU_VERSION, hello, sizeof(hello)) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static inline int rig_open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static inline void rig_nap_ms(unsigned ms)
{
	(void)poll(NULL, 0, (int)ms);
}

#endif
