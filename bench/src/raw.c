/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Raw limits: what the machine does with nothing of ours in the way. */
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "bench.h"

struct bench_raw_sock {
	int fd;
	pid_t child;
	size_t req, reply;
	uint8_t buf[4096];
};

static void serve(struct bench_raw_sock *s, int fd)
{
	for (;;) {
		if (recv(fd, s->buf, s->req, MSG_WAITALL) != (ssize_t)s->req)
			_exit(0);
		if (send(fd, s->buf, s->reply, MSG_NOSIGNAL) != (ssize_t)s->reply)
			_exit(0);
	}
}

int bench_raw_sock_new(size_t req_bytes, size_t reply_bytes, struct bench_raw_sock **out)
{
	gv_auto_free struct bench_raw_sock *s = calloc(1, sizeof(*s));
	int fds[2];

	if (!s || req_bytes > sizeof(s->buf) || reply_bytes > sizeof(s->buf))
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	s->fd = fds[0];
	s->req = req_bytes;
	s->reply = reply_bytes;
	s->child = fork();
	if (s->child == 0) {
		(void)close(fds[0]);
		serve(s, fds[1]);
	}
	(void)close(fds[1]);
	if (s->child < 0) {
		(void)close(fds[0]);
		return -EAGAIN;
	}
	*out = GV_TAKE(s);
	return 0;
}

void bench_raw_sock_round_trip(void *arg)
{
	struct bench_raw_sock *s = arg;

	if (send(s->fd, s->buf, s->req, MSG_NOSIGNAL) != (ssize_t)s->req ||
	    recv(s->fd, s->buf, s->reply, MSG_WAITALL) != (ssize_t)s->reply)
		abort(); /* our own child: only a bug ends it */
}

struct bench_raw_sock *bench_raw_sock_free(struct bench_raw_sock *s)
{
	if (s) {
		(void)close(s->fd);
		(void)waitpid(s->child, NULL, 0);
		free(s);
	}
	return NULL;
}

struct eventfd_pair {
	int there, back;
};

static void *answer(void *arg)
{
	struct eventfd_pair *p = arg;
	uint64_t v;

	while (read(p->there, &v, sizeof(v)) == sizeof(v) && v == 1)
		if (write(p->back, &v, sizeof(v)) != sizeof(v))
			break;
	return NULL;
}

static void eventfd_round_trip(void *arg)
{
	struct eventfd_pair *p = arg;
	uint64_t one = 1, v;

	if (write(p->there, &one, sizeof(one)) != sizeof(one) ||
	    read(p->back, &v, sizeof(v)) != sizeof(v))
		abort();
}

double bench_raw_eventfd(void)
{
	struct eventfd_pair p = {eventfd(0, EFD_CLOEXEC), eventfd(0, EFD_CLOEXEC)};
	uint64_t stop = 2;
	pthread_t t;
	double ns;

	if (p.there < 0 || p.back < 0 || pthread_create(&t, NULL, answer, &p))
		return 0;
	ns = bench_latency(eventfd_round_trip, &p, 5000);
	if (write(p.there, &stop, sizeof(stop)) == sizeof(stop))
		(void)pthread_join(t, NULL);
	gv_closep(&p.there);
	gv_closep(&p.back);
	return ns;
}
