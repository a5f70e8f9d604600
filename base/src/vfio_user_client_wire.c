/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages of the vfio-user client: one send and one receive per register access. */
#include <string.h>
#include <sys/socket.h>

#include "vfio_user_client.h"

/* The receive buffer always has room for what follows a partial message. */
#define RX_BYTES GV_VFU_MAX_MSG

int vfu_lose(struct vfu *v, int rc)
{
	int none = 0;

	if (atomic_compare_exchange_strong(&v->status, &none, rc)) {
		gv_logf(v->log, GV_LOG_ERR, "%s: connection lost: %s", v->bus.name, strerror(-rc));
		(void)shutdown(v->fd, SHUT_RDWR); /* nothing can be in step after this */
	}
	return rc;
}

/* ---- out ----------------------------------------------------------------- */

static int send_flat(struct vfu *v, const uint8_t *buf, size_t n)
{
	while (n) {
		ssize_t sent = send(v->fd, buf, n, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -ENODEV;
		buf += sent;
		n -= (size_t)sent;
	}
	return 0;
}

static void put_fd(struct msghdr *m, void *control, size_t room, int fd)
{
	struct cmsghdr *c;

	m->msg_control = control;
	m->msg_controllen = room;
	c = CMSG_FIRSTHDR(m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
}

/* The descriptor goes with the header; the rest may need several sends. */
static int send_parts(struct vfu *v, struct iovec *part, size_t parts, int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	struct msghdr m = {.msg_iov = part, .msg_iovlen = parts};
	size_t done;
	ssize_t sent;

	if (fd >= 0)
		put_fd(&m, control, sizeof(control), fd);
	do
		sent = sendmsg(v->fd, &m, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -ENODEV;
	done = (size_t)sent;
	for (size_t i = 0; i < parts; i++) {
		size_t skip = GV_MIN(done, part[i].iov_len), left = part[i].iov_len - skip;
		int rc = left ? send_flat(v, (uint8_t *)part[i].iov_base + skip, left) : 0;

		if (rc)
			return rc;
		done -= skip;
	}
	return 0;
}

static int send_msg(struct vfu *v, struct gv_vfu_hdr hdr, const struct iovec part[2], int fd)
{
	size_t n = sizeof(hdr) + part[0].iov_len + part[1].iov_len;
	uint8_t flat[VFU_SMALL];

	hdr.size = (uint32_t)n;
	if (n <= sizeof(flat) && fd < 0) {
		memcpy(flat, &hdr, sizeof(hdr));
		if (part[0].iov_len)
			memcpy(flat + sizeof(hdr), part[0].iov_base, part[0].iov_len);
		if (part[1].iov_len)
			memcpy(flat + sizeof(hdr) + part[0].iov_len, part[1].iov_base,
			       part[1].iov_len);
		return send_flat(v, flat, n);
	}
	return send_parts(v, (struct iovec[]){{&hdr, sizeof(hdr)}, part[0], part[1]}, 3, fd);
}

/* ---- in ------------------------------------------------------------------ */

static int take_fd(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fd = -1;

	/* The control buffer holds one descriptor: the kernel has dropped the others. */
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len >= CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static ssize_t recv_once(struct vfu *v, int *fd, int flags)
{
	_Alignas(struct cmsghdr) char control[CMSG_LEN(sizeof(int))];
	struct iovec part = {v->rx + v->rx_have, RX_BYTES - v->rx_have};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t n;
	int got;

	if (!fd) /* descriptors that nobody asked for are dropped by the kernel */
		return recv(v->fd, part.iov_base, part.iov_len, flags);
	m.msg_control = control;
	m.msg_controllen = sizeof(control);
	n = recvmsg(v->fd, &m, flags | MSG_CMSG_CLOEXEC);
	got = n >= 0 ? take_fd(&m) : -1;
	if (got >= 0 && *fd >= 0)
		(void)close(got);
	else if (got >= 0)
		*fd = got;
	return n;
}

static ssize_t recv_spinning(struct vfu *v, int *fd)
{
	uint64_t until = gv_now_ns() + v->opts.spin_us * GV_US;
	ssize_t n;

	do
		n = recv_once(v, fd, MSG_DONTWAIT);
	while (n < 0 && errno == EAGAIN && gv_now_ns() < until);
	return n < 0 && errno == EAGAIN ? recv_once(v, fd, 0) : n;
}

static int recv_more(struct vfu *v, int *fd, uint64_t deadline)
{
	ssize_t n;

	/* The socket's own timeout bounds each receive; this bounds a server that drips bytes. */
	if (v->rx_have && gv_now_ns() >= deadline)
		return -ETIMEDOUT;
	n = v->opts.spin_us ? recv_spinning(v, fd) : recv_once(v, fd, 0);
	if (n == 0)
		return -ENODEV;
	if (n < 0 && errno == EINTR)
		return gv_now_ns() >= deadline ? -ETIMEDOUT : 0;
	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -ENODEV;
	v->rx_have += (size_t)n;
	return 0;
}

/* The next whole message is at the front of rx when this returns 0. */
static int next_msg(struct vfu *v, struct gv_vfu_hdr *hdr, int *fd, uint64_t deadline)
{
	if (v->rx_done) {
		v->rx_have -= v->rx_done;
		memmove(v->rx, v->rx + v->rx_done, v->rx_have);
		v->rx_done = 0;
	}
	for (;;) {
		int rc;

		if (v->rx_have >= sizeof(*hdr)) {
			memcpy(hdr, v->rx, sizeof(*hdr));
			if (hdr->size < sizeof(*hdr) || hdr->size > RX_BYTES)
				return -EPROTO;
			if (v->rx_have >= hdr->size) {
				v->rx_done = hdr->size;
				return 0;
			}
		}
		rc = recv_more(v, fd, deadline);
		if (rc)
			return rc;
	}
}

/* ---- the server asks us: DMA of memory that it could not map --------------- */

static int check_dma(struct vfu *v, const struct gv_vfu_hdr *hdr, struct gv_vfu_dma_io *io,
                     uint8_t **mem)
{
	size_t payload = hdr->size - sizeof(*hdr), data;

	if (hdr->cmd != GV_VFU_DMA_READ && hdr->cmd != GV_VFU_DMA_WRITE)
		return -EOPNOTSUPP;
	if (payload < sizeof(*io))
		return -EINVAL;
	memcpy(io, v->rx + sizeof(*hdr), sizeof(*io));
	data = payload - sizeof(*io);
	if (io->count > GV_VFU_MAX_XFER || data != (hdr->cmd == GV_VFU_DMA_WRITE ? io->count : 0))
		return -EINVAL;
	*mem = vfu_dma_find(v, io->iova, io->count);
	return *mem ? 0 : -EFAULT;
}

static int serve(struct vfu *v, const struct gv_vfu_hdr *hdr)
{
	struct gv_vfu_hdr answer = {.id = hdr->id, .cmd = hdr->cmd, .flags = GV_VFU_REPLY};
	struct gv_vfu_dma_io io;
	struct iovec part[2] = {{&io, sizeof(io)}, {NULL, 0}};
	uint8_t *mem = NULL;
	int rc = check_dma(v, hdr, &io, &mem);

	if (rc) {
		answer.flags |= GV_VFU_ERROR;
		answer.error = (uint32_t)-rc;
		part[0].iov_len = 0;
	} else if (hdr->cmd == GV_VFU_DMA_WRITE) {
		memcpy(mem, v->rx + sizeof(*hdr) + sizeof(io), io.count);
	} else {
		part[1] = (struct iovec){mem, io.count};
	}
	return hdr->flags & GV_VFU_NO_REPLY ? 0 : send_msg(v, answer, part, -1);
}

/* ---- calls --------------------------------------------------------------- */

static int wait_reply(struct vfu *v, struct vfu_call *call, uint16_t id, int *refused)
{
	uint64_t deadline = gv_now_ns() + GV_VFU_TIMEOUT_NS;
	struct gv_vfu_hdr hdr;
	int rc;

	for (;;) {
		rc = next_msg(v, &hdr, call->want_fd ? &call->reply_fd : NULL, deadline);
		if (rc)
			return rc;
		if ((hdr.flags & GV_VFU_TYPE_MASK) != GV_VFU_COMMAND)
			break;
		rc = serve(v, &hdr);
		if (rc || gv_now_ns() >= deadline)
			return rc ? rc : -ETIMEDOUT;
	}
	if ((hdr.flags & GV_VFU_TYPE_MASK) != GV_VFU_REPLY || hdr.id != id || hdr.cmd != call->cmd)
		return -EPROTO;
	if (hdr.flags & GV_VFU_ERROR)
		*refused = hdr.error && hdr.error < 4096 ? -(int)hdr.error : -EIO;
	call->reply = v->rx + sizeof(hdr);
	call->reply_bytes = hdr.size - sizeof(hdr);
	return 0;
}

int vfu_call(struct vfu *v, struct vfu_call *call)
{
	struct gv_vfu_hdr hdr = {.id = v->next_id++, .cmd = call->cmd};
	int refused = 0, rc = atomic_load_explicit(&v->status, memory_order_relaxed);

	if (rc)
		return rc;
	rc = send_msg(v, hdr, call->part, call->send_fd);
	if (!rc)
		rc = wait_reply(v, call, hdr.id, &refused);
	if (!rc && !refused)
		return 0;
	gv_closep(&call->reply_fd);
	return rc ? vfu_lose(v, rc) : refused;
}

int vfu_call_fixed(struct vfu *v, struct vfu_call *call, void *out, size_t n)
{
	int rc;

	(void)pthread_mutex_lock(&v->lock);
	rc = vfu_call(v, call);
	if (!rc && call->reply_bytes != n) {
		gv_closep(&call->reply_fd);
		rc = vfu_lose(v, -EPROTO);
	}
	if (!rc && n)
		memcpy(out, call->reply, n);
	(void)pthread_mutex_unlock(&v->lock);
	return rc;
}

void vfu_post(struct vfu *v, uint16_t cmd, const void *req, size_t n)
{
	struct gv_vfu_hdr hdr = {.cmd = cmd, .flags = GV_VFU_NO_REPLY};
	const struct iovec part[2] = {{(void *)(uintptr_t)req, n}};
	int rc;

	(void)pthread_mutex_lock(&v->lock);
	hdr.id = v->next_id++;
	rc = atomic_load_explicit(&v->status, memory_order_relaxed);
	if (!rc) {
		rc = send_msg(v, hdr, part, -1);
		if (rc)
			(void)vfu_lose(v, rc);
	}
	(void)pthread_mutex_unlock(&v->lock);
}
