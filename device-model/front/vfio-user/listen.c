/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The accepting thread: a listener per function that exists, and one for counters. */
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <gv/listen.h>

#include "server_priv.h"

#define BACKLOG 8

/* epoll data: a function number, or one of these */
#define ID_STATS 100u
#define ID_WAKE  101u
#define TICK_MS  500 /* how often the interrupt watchdog looks */

#define STATS_NAME "stats.sock"

static int watch(struct gv_vfus *srv, int fd, uint32_t id)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = id};

	return epoll_ctl(srv->epoll_fd, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

static void socket_name(const struct vfus_slot *s, char *name, size_t n)
{
	if (s->func == GV_DEV_PF)
		(void)snprintf(name, n, "pf.sock");
	else
		(void)snprintf(name, n, "vf%u.sock", s->func - 1);
}

static int open_listener(struct vfus_slot *s, struct gv_err *err)
{
	struct gv_vfus *srv = s->srv;
	char name[16];
	int rc;

	if (s->listen_fd >= 0)
		return 0;
	socket_name(s, name, sizeof(name));
	rc = gv_listen_at(srv->dir_fd, name, 0600, BACKLOG, &s->listen_fd, err);
	if (rc)
		return rc;
	rc = watch(srv, s->listen_fd, s->func);
	if (rc) {
		gv_closep(&s->listen_fd);
		vfus_dir_remove(srv->dir_fd, name);
		return gv_fail(err, rc, "%s: %s", name, strerror(-rc));
	}
	return 0;
}

static void close_listener(struct vfus_slot *s)
{
	char name[16];

	if (s->listen_fd < 0)
		return;
	socket_name(s, name, sizeof(name));
	vfus_dir_remove(s->srv->dir_fd, name);
	gv_closep(&s->listen_fd); /* leaves the epoll set too */
}

static void part_from_clients(struct vfus_slot *s)
{
	gv_closep(&s->next_fd);
	if (s->fd >= 0)
		(void)shutdown(s->fd, SHUT_RDWR); /* its thread sees the end and cleans up */
}

void vfus_listen_update(struct gv_vfus *srv, unsigned num_vfs)
{
	struct gv_err err = {0};

	(void)pthread_mutex_lock(&srv->lock);
	for (unsigned f = GV_DEV_VF(0); f < GV_DEV_MAX_FUNCS; f++) {
		struct vfus_slot *s = &srv->slot[f];

		if (!srv->quit && f <= num_vfs) {
			if (srv->dir_fd >= 0 && open_listener(s, &err))
				gv_logf(&srv->log, GV_LOG_ERR, "%s cannot be reached: %s", s->name,
				        err.text);
		} else {
			close_listener(s);
			part_from_clients(s);
		}
	}
	(void)pthread_mutex_unlock(&srv->lock);
}

/* ---- the thread ------------------------------------------------------------ */

static void accept_client(struct gv_vfus *srv, unsigned func)
{
	struct vfus_slot *s = &srv->slot[func];
	gv_auto_fd int fd = -1;
	int rc;

	(void)pthread_mutex_lock(&srv->lock);
	if (s->listen_fd >= 0) /* else: the VF vanished since epoll told us */
		fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0) {
		rc = vfus_slot_offer(s, fd);
		if (rc) {
			atomic_fetch_add(&s->refused, 1);
			gv_logf(&s->log, GV_LOG_WARN, "connection refused: %s",
			        rc == -EBUSY ? "there is a client" : strerror(-rc));
		} else {
			fd = -1;
		}
	}
	(void)pthread_mutex_unlock(&srv->lock);
}

/* A few kB always fit an empty socket, so a caller that does not read holds up nobody. */
static void accept_stats(struct gv_vfus *srv)
{
	gv_auto_fd int fd = accept4(srv->stats_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	gv_auto_free char *line = fd >= 0 ? gv_vfus_stats_json(srv) : NULL;

	if (line)
		(void)send(fd, line, strlen(line), MSG_NOSIGNAL);
}

static void *accept_main(void *arg)
{
	struct gv_vfus *srv = arg;
	struct epoll_event e[8];

	for (;;) {
		int n = epoll_wait(srv->epoll_fd, e, GV_ARRAY_LEN(e), TICK_MS);

		for (int i = 0; i < n; i++) {
			if (e[i].data.u32 == ID_WAKE)
				return NULL;
			if (e[i].data.u32 == ID_STATS)
				accept_stats(srv);
			else
				accept_client(srv, e[i].data.u32);
		}
		for (unsigned f = 0; f < GV_DEV_MAX_FUNCS; f++)
			vfus_irq_watchdog(&srv->slot[f]);
	}
}

static int start_accepter(struct gv_vfus *srv)
{
	int rc;

	srv->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	srv->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (srv->epoll_fd < 0 || srv->wake_fd < 0)
		return -errno;
	rc = watch(srv, srv->wake_fd, ID_WAKE);
	if (!rc)
		rc = -pthread_create(&srv->accepter, NULL, accept_main, srv);
	if (rc)
		return rc;
	(void)pthread_setname_np(srv->accepter, "gv-vfu-accept");
	srv->accepter_started = true;
	return 0;
}

/* A socket is there if and only if its VF is. What else stands in its place shows when it does. */
static void clear_left_behind(struct gv_vfus *srv)
{
	char name[16];

	for (unsigned f = GV_DEV_VF(0); f < GV_DEV_MAX_FUNCS; f++) {
		socket_name(&srv->slot[f], name, sizeof(name));
		(void)gv_listen_clear(srv->dir_fd, name, NULL);
	}
}

static int open_listeners(struct gv_vfus *srv, const char *dir, struct gv_err *err)
{
	int rc = vfus_dir_open(dir, &srv->dir_fd, &srv->lock_fd, err);

	if (!rc) {
		clear_left_behind(srv);
		rc = gv_listen_at(srv->dir_fd, STATS_NAME, 0600, BACKLOG, &srv->stats_fd, err);
	}
	if (!rc && watch(srv, srv->stats_fd, ID_STATS))
		rc = gv_fail(err, -ENOMEM, STATS_NAME ": cannot be watched");
	if (!rc) {
		(void)pthread_mutex_lock(&srv->lock);
		rc = open_listener(&srv->slot[GV_DEV_PF], err);
		(void)pthread_mutex_unlock(&srv->lock);
	}
	if (!rc)
		vfus_listen_update(srv, gv_dev_num_vfs(srv->dev));
	return rc;
}

int vfus_listen_start(struct gv_vfus *srv, const char *dir, struct gv_err *err)
{
	int rc = start_accepter(srv);

	if (rc)
		return gv_fail(err, rc, "accepting thread: %s", strerror(-rc));
	return dir ? open_listeners(srv, dir, err) : 0;
}

void vfus_listen_stop(struct gv_vfus *srv)
{
	const uint64_t one = 1;

	if (srv->accepter_started) {
		(void)!write(srv->wake_fd, &one, sizeof(one));
		(void)pthread_join(srv->accepter, NULL);
		srv->accepter_started = false;
	}
	(void)pthread_mutex_lock(&srv->lock);
	for (unsigned f = 0; f < GV_DEV_MAX_FUNCS; f++) {
		close_listener(&srv->slot[f]);
		part_from_clients(&srv->slot[f]);
		(void)pthread_cond_signal(&srv->slot[f].wake);
	}
	(void)pthread_mutex_unlock(&srv->lock);
	if (srv->stats_fd >= 0)
		vfus_dir_remove(srv->dir_fd, STATS_NAME);
	gv_closep(&srv->stats_fd);
	gv_closep(&srv->epoll_fd);
	gv_closep(&srv->wake_fd);
}
