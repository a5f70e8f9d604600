/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One client of one function from its arrival to its end, and the next. */
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "server_priv.h"

/* Who is it? For the log: the directory's mode is what keeps others out. */
static void log_peer(struct vfus_slot *s)
{
	struct ucred peer = {0};
	socklen_t n = sizeof(peer);

	if (getsockopt(s->fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) != 0)
		peer.pid = 0;
	gv_logf(&s->log, GV_LOG_INFO, "client connected: pid %d uid %u gid %u", (int)peer.pid,
	        (unsigned)peer.uid, (unsigned)peer.gid);
}

static int fill(struct vfus_slot *s)
{
	uint64_t until;
	int rc;

	if (!s->srv->cfg.spin_us)
		return vfus_stream_fill(s, 0);
	until = gv_now_ns() + s->srv->cfg.spin_us * GV_US;
	do {
		rc = vfus_stream_fill(s, MSG_DONTWAIT);
		if (rc != -EAGAIN)
			return rc;
		(void)sched_yield(); /* the client may be waiting for this very CPU */
	} while (gv_now_ns() < until);
	return vfus_stream_fill(s, 0);
}

static void serve_client(struct vfus_slot *s)
{
	struct vfus_msg m;
	int rc;

	while (!s->leave) {
		rc = fill(s);
		if (rc)
			break;
		while (!s->leave && (rc = vfus_stream_next(s, &m)) == 0) {
			vfus_handle(s, &m);
			vfus_msg_close_fds(&m);
		}
		if (!s->leave && rc != -EAGAIN) {
			atomic_fetch_add(&s->bad_messages, 1);
			gv_logf(&s->log, GV_LOG_WARN, "client sent no message: parting from it");
			s->leave = true;
		}
		if (vfus_stream_flush(s))
			s->leave = true;
	}
}

static void reset_func(struct vfus_slot *s, void *arg)
{
	int rc = gv_dev_reset(s->srv->dev, s->func);

	(void)arg;
	if (rc && rc != -ENODEV)
		gv_logf(&s->log, GV_LOG_WARN, "reset: %s, continuing", strerror(-rc));
}

/* As when a VFIO device is closed: no interrupts, a reset, then its memory is ours no more. */
static void part(struct vfus_slot *s)
{
	const struct gv_vfus_cfg *cfg = &s->srv->cfg;

	(void)shutdown(s->fd,
	               SHUT_RDWR); /* an engine may be sending: it must not wait for the client */
	vfus_dma_shut(s);
	vfus_irq_drop_all(s);
	if (s->func == GV_DEV_PF ? cfg->reset_pf_on_close : !cfg->keep_vf_on_close)
		reset_func(s, NULL);
	vfus_dma_drop_all(s);
	gv_dev_client_gone(s->srv->dev, s->func);
	vfus_stream_restart(s);
	gv_logf(&s->log, GV_LOG_INFO, "client gone");
}

static void prepare(struct vfus_slot *s)
{
	const struct timeval tv = {.tv_sec = (time_t)(GV_VFU_TIMEOUT_NS / GV_S)};

	(void)setsockopt(s->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	s->negotiated = s->leave = false;
	atomic_fetch_add(&s->clients, 1);
	log_peer(s);
}

/* Wait for a client. False: the server stops. */
static bool next_client(struct vfus_slot *s)
{
	struct gv_vfus *srv = s->srv;
	bool got;

	(void)pthread_mutex_lock(&srv->lock);
	while (s->next_fd < 0 && !srv->quit)
		(void)pthread_cond_wait(&s->wake, &srv->lock);
	got = !srv->quit;
	if (got) {
		(void)pthread_mutex_lock(&s->tx_lock);
		s->fd = gv_take_fd(&s->next_fd);
		(void)pthread_mutex_unlock(&s->tx_lock);
	}
	(void)pthread_mutex_unlock(&srv->lock);
	return got;
}

static void drop_socket(struct vfus_slot *s)
{
	(void)pthread_mutex_lock(&s->srv->lock);
	(void)pthread_mutex_lock(&s->tx_lock);
	gv_closep(&s->fd);
	(void)pthread_mutex_unlock(&s->tx_lock);
	(void)pthread_mutex_unlock(&s->srv->lock);
}

static void *slot_main(void *slot)
{
	struct vfus_slot *s = slot;

	gv_thread_be_prompt(s->func == GV_DEV_PF ? GV_NICE_PROMPT : 0);
	while (next_client(s)) {
		prepare(s);
		serve_client(s);
		part(s);
		drop_socket(s);
	}
	return NULL;
}

static int start_thread(struct vfus_slot *s)
{
	char name[16];
	int rc;

	if (s->thread_started)
		return 0;
	rc = vfus_stream_init(s);
	if (!rc)
		rc = -pthread_create(&s->thread, NULL, slot_main, s);
	if (rc) {
		vfus_stream_done(s);
		return rc;
	}
	(void)snprintf(name, sizeof(name), "gv-vfu-%s", s->name);
	(void)pthread_setname_np(s->thread, name);
	s->thread_started = true;
	return 0;
}

/* A client that has hung up makes room for the next, although its end, or what it sent before
 * that, may still be in work. */
static bool hung_up(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLRDHUP};

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLRDHUP));
}

int vfus_slot_offer(struct vfus_slot *s, int fd)
{
	int rc;

	if (s->srv->quit)
		return -ESHUTDOWN;
	if (s->next_fd >= 0 || (s->fd >= 0 && !hung_up(s->fd)))
		return -EBUSY;
	rc = start_thread(s);
	if (rc)
		return rc;
	s->next_fd = fd;
	(void)pthread_cond_signal(&s->wake);
	return 0;
}
