/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes of a client's socket to messages and answers back. One receive takes all that is queued,
 * one send answers it: under load the cost of a system call is shared by many requests.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "server_priv.h"

#define FLAG_TAKEN 0x0fu /* a message type that no peer may send: already dealt with */

int vfus_stream_init(struct vfus_slot *s)
{
	s->rx = malloc(VFUS_RX_BYTES);
	s->tx = malloc(VFUS_TX_BYTES);
	return s->rx && s->tx ? 0 : -ENOMEM;
}

static void close_set(struct vfus_fds *set)
{
	for (unsigned i = 0; i < set->n; i++)
		gv_closep(&set->fd[i]);
	set->n = 0;
}

void vfus_stream_restart(struct vfus_slot *s)
{
	for (unsigned i = 0; i < s->num_sets; i++)
		close_set(&s->sets[i]);
	s->num_sets = 0;
	s->rx_head = s->rx_have = s->tx_have = 0;
}

void vfus_stream_done(struct vfus_slot *s)
{
	vfus_stream_restart(s);
	free(s->rx);
	free(s->tx);
	s->rx = s->tx = NULL;
}

/* ---- in ------------------------------------------------------------------ */

static void keep_fds(struct vfus_slot *s, struct msghdr *m)
{
	struct vfus_fds *set = &s->sets[s->num_sets];
	const struct cmsghdr *c = CMSG_FIRSTHDR(m);

	*set = (struct vfus_fds){.overflow = m->msg_flags & MSG_CTRUNC, .end = s->rx_have};
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		set->n = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(set->fd, CMSG_DATA(c), set->n * sizeof(int));
	}
	if (set->n || set->overflow)
		s->num_sets++;
}

int vfus_stream_fill(struct vfus_slot *s, int flags)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(GV_VFU_MAX_FDS * sizeof(int))];
	struct iovec part = {s->rx + s->rx_have, VFUS_RX_BYTES - s->rx_have};
	struct msghdr m = {.msg_iov = &part,
	                   .msg_iovlen = 1,
	                   .msg_control = control,
	                   .msg_controllen = CMSG_LEN(GV_VFU_MAX_FDS * sizeof(int))};
	ssize_t n;

	if (part.iov_len == 0 || s->num_sets == VFUS_FD_SETS)
		return -ENOBUFS;
	do
		n = recvmsg(s->fd, &m, flags | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? -EAGAIN : -ENODEV;
	if (n == 0)
		return -ENODEV;
	s->rx_have += (size_t)n;
	if (m.msg_controllen || (m.msg_flags & MSG_CTRUNC))
		keep_fds(s, &m);
	return 0;
}

/* Everything complete was handled: what is left begins one message, which owns what descriptors
 * are left. */
static void compact(struct vfus_slot *s)
{
	s->rx_have -= s->rx_head;
	if (s->rx_head)
		memmove(s->rx, s->rx + s->rx_head, s->rx_have);
	for (unsigned i = 0; i < s->num_sets; i++)
		s->sets[i].end -= GV_MIN(s->sets[i].end, s->rx_head);
	s->rx_head = 0;
}

static void add_fds(struct vfus_fds *to, struct vfus_fds *from)
{
	to->overflow |= from->overflow;
	for (unsigned i = 0; i < from->n; i++) {
		if (to->n < GV_VFU_MAX_FDS)
			to->fd[to->n++] = from->fd[i];
		else
			(void)close(from->fd[i]);
	}
	from->n = 0;
}

static void claim_fds(struct vfus_slot *s, struct vfus_msg *m, size_t end)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < s->num_sets; i++) {
		if (s->sets[i].end <= end) {
			if (m->fds.n + s->sets[i].n > GV_VFU_MAX_FDS)
				m->fds.overflow = true;
			add_fds(&m->fds, &s->sets[i]);
		} else {
			s->sets[kept++] = s->sets[i];
		}
	}
	s->num_sets = kept;
}

int vfus_stream_next(struct vfus_slot *s, struct vfus_msg *m)
{
	size_t left;

	for (;;) {
		left = s->rx_have - s->rx_head;
		if (left < sizeof(m->hdr))
			break;
		memcpy(&m->hdr, s->rx + s->rx_head, sizeof(m->hdr));
		if (m->hdr.size < sizeof(m->hdr) || m->hdr.size > GV_VFU_MAX_MSG)
			return -EPROTO;
		if (left < m->hdr.size)
			break;
		m->payload = s->rx + s->rx_head + sizeof(m->hdr);
		m->bytes = m->hdr.size - sizeof(m->hdr);
		m->fds = (struct vfus_fds){.n = 0};
		s->rx_head += m->hdr.size;
		claim_fds(s, m, s->rx_head);
		if ((m->hdr.flags & GV_VFU_TYPE_MASK) != FLAG_TAKEN)
			return 0;
		vfus_msg_close_fds(m);
	}
	compact(s);
	return -EAGAIN;
}

void vfus_msg_close_fds(struct vfus_msg *m)
{
	close_set(&m->fds);
}

void vfus_stream_take_replies(struct vfus_slot *s)
{
	for (size_t at = s->rx_head; s->rx_have - at >= sizeof(struct gv_vfu_hdr);) {
		struct vfus_msg m = {.payload = s->rx + at + sizeof(m.hdr)};

		memcpy(&m.hdr, s->rx + at, sizeof(m.hdr));
		if (m.hdr.size < sizeof(m.hdr) || m.hdr.size > s->rx_have - at)
			return;
		m.bytes = m.hdr.size - sizeof(m.hdr);
		if ((m.hdr.flags & GV_VFU_TYPE_MASK) == GV_VFU_REPLY) {
			(void)vfus_answered(s, &m);
			m.hdr.flags = FLAG_TAKEN;
			memcpy(s->rx + at, &m.hdr, sizeof(m.hdr));
		}
		at += m.hdr.size;
	}
}

/* ---- out ----------------------------------------------------------------- */

static void attach_fd(struct msghdr *m, void *control, size_t room, int fd)
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

/* Send it all; the socket's send timeout bounds a client that does not read, the deadline one
 * that reads drop by drop. Under tx_lock. */
static int send_all(int sock, const uint8_t *buf, size_t n, int fd)
{
	const uint64_t deadline = gv_now_ns() + GV_VFU_TIMEOUT_NS;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};

	while (n) {
		struct iovec part = {(void *)(uintptr_t)buf, n};
		struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
		ssize_t sent;

		if (fd >= 0)
			attach_fd(&m, control, sizeof(control), fd);
		sent = sendmsg(sock, &m, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 || ((size_t)sent < n && gv_now_ns() > deadline)) {
			(void)shutdown(sock, SHUT_RDWR); /* half a message: nothing can follow */
			return -ENODEV;
		}
		fd = -1;
		buf += sent;
		n -= (size_t)sent;
	}
	return 0;
}

int vfus_stream_flush(struct vfus_slot *s)
{
	int rc;

	if (!s->tx_have)
		return 0;
	(void)pthread_mutex_lock(&s->tx_lock);
	rc = send_all(s->fd, s->tx, s->tx_have, -1);
	(void)pthread_mutex_unlock(&s->tx_lock);
	s->tx_have = 0;
	return rc;
}

uint8_t *vfus_stream_room(struct vfus_slot *s)
{
	if (VFUS_TX_BYTES - s->tx_have < GV_VFU_MAX_MSG && vfus_stream_flush(s))
		return NULL;
	return s->tx + s->tx_have + sizeof(struct gv_vfu_hdr);
}

int vfus_stream_answer(struct vfus_slot *s, const struct vfus_msg *m, int rc,
                       const struct vfus_answer *a)
{
	struct gv_vfu_hdr hdr = {.id = m->hdr.id, .cmd = m->hdr.cmd, .flags = GV_VFU_REPLY};
	uint8_t *at;

	hdr.size = (uint32_t)(sizeof(hdr) + (rc ? 0 : a->bytes));
	if (rc) {
		hdr.flags |= GV_VFU_ERROR;
		hdr.error = (uint32_t)-rc;
	}
	if (a->fd >= 0 && !rc) { /* its descriptor must travel with this message alone */
		int failed;

		memcpy(a->data - sizeof(hdr), &hdr, sizeof(hdr));
		failed = vfus_stream_flush(s);
		(void)pthread_mutex_lock(&s->tx_lock);
		if (!failed)
			failed = send_all(s->fd, a->data - sizeof(hdr), hdr.size, a->fd);
		(void)pthread_mutex_unlock(&s->tx_lock);
		return failed;
	}
	at = s->tx + s->tx_have;
	memcpy(at, &hdr, sizeof(hdr));
	s->tx_have += hdr.size;
	return 0;
}

int vfus_stream_send(struct vfus_slot *s, struct gv_vfu_hdr hdr, const void *req, size_t n,
                     const void *data, size_t data_n)
{
	uint8_t head[64];
	size_t head_n = sizeof(hdr) + n;
	int rc;

	if (head_n > sizeof(head))
		return -EINVAL;
	hdr.size = (uint32_t)(head_n + data_n);
	memcpy(head, &hdr, sizeof(hdr));
	memcpy(head + sizeof(hdr), req, n);
	(void)pthread_mutex_lock(&s->tx_lock);
	rc = s->fd < 0 ? -ENODEV : send_all(s->fd, head, head_n, -1);
	if (!rc && data_n)
		rc = send_all(s->fd, data, data_n, -1);
	(void)pthread_mutex_unlock(&s->tx_lock);
	return rc;
}
