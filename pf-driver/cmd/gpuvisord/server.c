/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The control socket. Every client has its own buffers, limits and deadline; none can hold up
 * another one. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <gv/listen.h>

#include "gpuvisord.h"

#define MAX_OUT_BYTES (8u << 20)
#define STALL_NS      (10 * GV_S) /* a line half sent, a reply not taken */
#define READ_BYTES    65536u
#define BACKLOG       128
#define MAX_GROUPS    64

struct client {
	uint64_t id;
	int fd;
	uid_t uid;
	struct server *server;
	sd_event_source *io;
	char *in;
	size_t in_bytes, in_room;
	char *out;
	size_t out_bytes, out_room;
	uint64_t stalled_ns; /* 0: nothing half done */
	unsigned jobs;
	bool subscribed, closing;
};

struct server {
	struct daemon *d;
	int fd;
	sd_event_source *io, *timer;
	uint64_t last_id;
	struct client *client[MAX_CLIENTS];
};

/* ---- clients ------------------------------------------------------------------ */

static void drop(struct client *c)
{
	for (unsigned i = 0; i < MAX_CLIENTS; i++)
		if (c->server->client[i] == c)
			c->server->client[i] = NULL;
	(void)sd_event_source_disable_unref(c->io);
	gv_closep(&c->fd);
	free(c->in);
	free(c->out);
	free(c);
}

static struct client *find(struct server *s, uint64_t id)
{
	for (unsigned i = 0; i < MAX_CLIENTS; i++)
		if (s->client[i] && s->client[i]->id == id)
			return s->client[i];
	return NULL;
}

/* Room for @more bytes, at most @max in all. */
static int grow(char **buf, size_t *room, size_t have, size_t more, size_t max)
{
	size_t want = *room ? *room : 4096;
	char *bigger;

	if (more > max || have > max - more)
		return -E2BIG;
	while (want < have + more)
		want *= 2;
	if (want == *room)
		return 0;
	bigger = realloc(*buf, want);
	if (!bigger)
		return -ENOMEM;
	*buf = bigger;
	*room = want;
	return 0;
}

/* Send what fits now. -EPIPE and friends: the client is gone. */
static int flush(struct client *c)
{
	while (c->out_bytes) {
		ssize_t n = send(c->fd, c->out, c->out_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
			return -EPIPE;
		c->out_bytes -= (size_t)n;
		memmove(c->out, c->out + n, c->out_bytes);
		c->stalled_ns = 0;
	}
	if (c->out_bytes && !c->stalled_ns)
		c->stalled_ns = gv_now_ns() + STALL_NS;
	/* Who does not take replies is not asked for more requests. */
	(void)sd_event_source_set_io_events(c->io, c->out_bytes ? (uint32_t)EPOLLOUT
	                                           : c->closing ? 0u
	                                                        : (uint32_t)EPOLLIN);
	return c->closing && !c->out_bytes ? -EPIPE : 0;
}

static int say(struct client *c, const char *line)
{
	size_t n = strlen(line);
	int rc = grow(&c->out, &c->out_room, c->out_bytes, n, MAX_OUT_BYTES);

	if (rc)
		return rc; /* does not read what it asked for */
	memcpy(c->out + c->out_bytes, line, n);
	c->out_bytes += n;
	return flush(c);
}

static int say_error(struct client *c, int code, const char *text)
{
	gv_auto_free char *line = gv_rpc_error_line(code, text);

	return line ? say(c, line) : -ENOMEM;
}

/* ---- requests ------------------------------------------------------------------- */

static int handle_line(struct client *c, const char *text, size_t bytes)
{
	struct daemon *d = c->server->d;
	struct call call = {d, c->id, c->uid};
	gv_auto_free char *reply = NULL;
	struct json_object *request = gv_rpc_parse(text, bytes, &reply);

	if (!request)
		return reply ? say(c, reply) : -ENOMEM;
	if (!gv_rpc_is_slow(request, methods, num_methods)) {
		reply = gv_rpc_run(request, methods, num_methods, &call);
		gv_rpc_put(request);
		return reply ? say(c, reply) : 0;
	}
	if (c->jobs < MAX_CLIENT_JOBS && !gpu_job(d, &call, request)) {
		c->jobs++;
		return 0;
	}
	gv_rpc_put(request);
	return say_error(c, GV_RPC_BUSY, "8 requests of this client are under way");
}

/* Handle complete lines, as long as the replies are taken. */
static int handle_input(struct client *c)
{
	size_t at = 0;
	char *end = NULL;
	int rc = 0;

	while (!rc && !c->out_bytes && c->in_bytes > at &&
	       (end = memchr(c->in + at, '\n', c->in_bytes - at)) != NULL) {
		size_t n = (size_t)(end - (c->in + at));

		if (n)
			rc = handle_line(c, c->in + at, n);
		at += n + 1;
	}
	c->in_bytes -= at;
	if (at && c->in_bytes)
		memmove(c->in, c->in + at, c->in_bytes);
	if (!rc && !end && c->in_bytes > GV_RPC_MAX_BYTES) {
		c->closing = true;
		rc = say_error(c, GV_RPC_INVALID_REQUEST, "request above 1 MiB");
	}
	/* Half a line has a deadline from its first byte on: sending slowly does not move it. */
	if (!c->out_bytes && (!c->in_bytes || at || !c->stalled_ns))
		c->stalled_ns = c->in_bytes ? gv_now_ns() + STALL_NS : 0;
	return rc;
}

static int receive(struct client *c)
{
	ssize_t n;
	int rc = grow(&c->in, &c->in_room, c->in_bytes, READ_BYTES,
	              GV_RPC_MAX_BYTES + 2 * READ_BYTES);

	if (rc)
		return rc;
	n = recv(c->fd, c->in + c->in_bytes, READ_BYTES, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -EPIPE;
	c->in_bytes += (size_t)n;
	return handle_input(c);
}

static int on_client(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct client *c = arg;
	int rc = 0;

	(void)s;
	(void)fd;
	if (revents & EPOLLOUT)
		rc = flush(c);
	if (!rc && !c->out_bytes && !c->closing)
		rc = handle_input(c); /* what was left while replies were not taken */
	if (!rc && (revents & EPOLLIN) && !c->closing)
		rc = receive(c);
	else if (!rc && (revents & (EPOLLHUP | EPOLLERR)))
		rc = -EPIPE;
	if (rc)
		drop(c);
	return 0;
}

/* ---- who may ------------------------------------------------------------------------ */

static bool listed(const uint32_t *list, unsigned n, uint32_t id)
{
	for (unsigned i = 0; i < n; i++)
		if (list[i] == id)
			return true;
	return false;
}

static bool group_allowed(const struct options *o, int fd, gid_t primary)
{
	gid_t groups[MAX_GROUPS];
	socklen_t bytes = sizeof(groups);

	if (listed(o->allow_gid, o->num_gids, primary))
		return true;
	if (!o->num_gids || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &bytes))
		return false;
	for (size_t i = 0; i < bytes / sizeof(*groups); i++)
		if (listed(o->allow_gid, o->num_gids, groups[i]))
			return true;
	return false;
}

static bool allowed(struct daemon *d, int fd, uid_t *uid)
{
	struct ucred peer;
	socklen_t bytes = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes))
		return false;
	*uid = peer.uid;
	if (peer.uid == 0 || peer.uid == geteuid() ||
	    listed(d->opt.allow_uid, d->opt.num_uids, peer.uid) ||
	    group_allowed(&d->opt, fd, peer.gid))
		return true;
	gv_logf(&d->log, GV_LOG_WARN, "uid %u (pid %d) refused on the control socket, continuing",
	        peer.uid, peer.pid);
	return false;
}

static void refuse(int fd, int code, const char *text)
{
	gv_auto_free char *line = gv_rpc_error_line(code, text);

	if (line && send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return; /* it does not even read that */
}

static int add_client(struct server *s, int *fd, uid_t uid)
{
	struct client *c;

	for (unsigned i = 0; i < MAX_CLIENTS; i++) {
		if (s->client[i])
			continue;
		c = calloc(1, sizeof(*c));
		if (!c)
			return -ENOMEM;
		*c = (struct client){.id = ++s->last_id, .fd = *fd, .uid = uid, .server = s};
		if (sd_event_add_io(s->d->loop, &c->io, c->fd, EPOLLIN, on_client, c) < 0) {
			free(c);
			return -ENOMEM;
		}
		*fd = -1;
		s->client[i] = c;
		return 0;
	}
	return -EBUSY;
}

static int on_listen(sd_event_source *source, int listen_fd, uint32_t revents, void *arg)
{
	struct server *s = arg;
	gv_auto_fd int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	uid_t uid;

	(void)source;
	(void)revents;
	if (fd < 0)
		return 0;
	if (!allowed(s->d, fd, &uid))
		refuse(fd, GV_RPC_DENIED,
		       "permission denied: root, the daemon's user, or who was "
		       "named by --allow-uid or --allow-group");
	else if (add_client(s, &fd, uid))
		refuse(fd, GV_RPC_BUSY, "too many clients");
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct server *s = arg;
	uint64_t now = gv_now_ns();

	for (unsigned i = 0; i < MAX_CLIENTS; i++)
		if (s->client[i] && s->client[i]->stalled_ns && now > s->client[i]->stalled_ns)
			drop(s->client[i]);
	(void)sd_event_source_set_time(source, usec + 1000000);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* ---- posts ------------------------------------------------------------------------------ */

static void deliver(struct server *s, const struct post *p)
{
	struct client *c;

	for (unsigned i = 0; i < MAX_CLIENTS; i++) {
		c = s->client[i];
		if (!c || (p->client ? c->id != p->client : !c->subscribed))
			continue;
		c->jobs -= p->job_ended && c->jobs;
		if (p->line && say(c, p->line))
			drop(c);
	}
}

void server_deliver(struct daemon *d)
{
	struct post *p, *next;

	(void)pthread_mutex_lock(&d->lock);
	p = d->posts;
	d->posts = NULL;
	d->posts_end = &d->posts;
	(void)pthread_mutex_unlock(&d->lock);
	for (; p; p = next) {
		next = p->next;
		if (d->server)
			deliver(d->server, p);
		free(p->line);
		free(p);
	}
}

void server_subscribe(struct daemon *d, uint64_t id)
{
	struct client *c = find(d->server, id);

	if (c)
		c->subscribed = true;
}

/* ---- life -------------------------------------------------------------------------------- */

/* Clients connect by this path. */
static int check_path(const char *path, struct gv_err *err)
{
	const size_t max = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;

	return strlen(path) <= max ? 0
	                           : gv_fail(err, -ENAMETOOLONG, "%s: longer than %zu", path, max);
}

static int open_socket(const char *path, int *out, struct gv_err *err)
{
	char dir[sizeof(((struct sockaddr_un *)0)->sun_path)];
	gv_auto_fd int dir_fd = -1;
	const char *name = strrchr(path, '/');
	int rc = check_path(path, err);

	if (rc)
		return rc;
	name = name ? name + 1 : path;
	(void)snprintf(dir, sizeof(dir), "%.*s.", (int)(name - path), path);
	dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return gv_fail(err, -errno, "%s: %s", path, strerror(errno));
	/* who may is decided by SO_PEERCRED, not by the mode */
	rc = gv_listen_at(dir_fd, name, 0666, BACKLOG, out, err);
	if (rc)
		(void)gv_fail_prefix(err, "control socket %s", path);
	return rc;
}

int server_start(struct daemon *d, struct gv_err *err)
{
	struct server *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return gv_fail(err, -ENOMEM, "no memory for the control socket");
	s->d = d;
	s->fd = -1;
	rc = open_socket(d->opt.socket, &s->fd, err);
	if (rc) {
		free(s);
		return rc;
	}
	d->server = s;
	rc = sd_event_add_io(d->loop, &s->io, s->fd, EPOLLIN, on_listen, s);
	if (rc >= 0)
		rc = sd_event_add_time_relative(d->loop, &s->timer, CLOCK_MONOTONIC, 1000000, 0,
		                                on_timer, s);
	return rc < 0 ? gv_fail(err, rc, "event loop: %s", strerror(-rc)) : 0;
}

void server_stop(struct daemon *d)
{
	struct server *s = d->server;

	if (!s)
		return;
	server_deliver(d);
	for (unsigned i = 0; i < MAX_CLIENTS; i++)
		if (s->client[i])
			drop(s->client[i]);
	(void)sd_event_source_disable_unref(s->io);
	(void)sd_event_source_disable_unref(s->timer);
	gv_closep(&s->fd);
	(void)unlink(d->opt.socket);
	free(s);
	d->server = NULL;
}
