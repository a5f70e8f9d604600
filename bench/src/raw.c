/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Raw limits: what the machine does with nothing of ours in the way. */
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "bench.h"

/* ---- sockets -------------------------------------------------------------------- */

#define BUF_BYTES 16384u

/* Front of a frame: how long it is, and how long its answer must be. */
struct frame {
	uint32_t bytes, reply_bytes;
};

struct bench_raw_sock {
	int fd;
	pid_t child;
	size_t req, reply;
	bool spin;
	uint8_t in[BUF_BYTES], out[BUF_BYTES];
};

static ssize_t receive(const struct bench_raw_sock *s, int fd, void *buf, size_t n)
{
	ssize_t got;

	do
		got = recv(fd, buf, n, s->spin ? MSG_DONTWAIT : 0);
	while (got < 0 && (errno == EINTR || (s->spin && errno == EAGAIN)));
	return got;
}

/* Answer all whole frames in @in; *@have gets what is left of it. Bytes to send. */
static size_t answer_frames(struct bench_raw_sock *s, size_t *have)
{
	size_t at = 0, out = 0;
	struct frame f;

	while (*have - at >= sizeof(f)) {
		memcpy(&f, s->in + at, sizeof(f));
		if (*have - at < f.bytes || out + f.reply_bytes > BUF_BYTES)
			break;
		at += f.bytes;
		out += f.reply_bytes;
	}
	*have -= at;
	memmove(s->in, s->in + at, *have);
	return out;
}

static void serve(struct bench_raw_sock *s, int fd)
{
	size_t have = 0, n;
	ssize_t got;

	for (;;) {
		got = receive(s, fd, s->in + have, BUF_BYTES - have);
		if (got <= 0)
			_exit(0);
		have += (size_t)got;
		n = answer_frames(s, &have);
		if (n && send(fd, s->out, n, MSG_NOSIGNAL) != (ssize_t)n)
			_exit(0);
	}
}

int bench_raw_sock_new(size_t req_bytes, size_t reply_bytes, int nth, bool spin,
                       struct bench_raw_sock **out)
{
	gv_auto_free struct bench_raw_sock *s = calloc(1, sizeof(*s));
	int fds[2];

	if (!s || req_bytes * BENCH_BURST > BUF_BYTES || reply_bytes * BENCH_BURST > BUF_BYTES)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	s->req = req_bytes;
	s->reply = reply_bytes;
	s->spin = spin;
	s->child = fork();
	if (s->child == 0) {
		(void)close(fds[0]);
		bench_pin(nth);
		serve(s, fds[1]);
	}
	(void)close(fds[1]);
	s->fd = fds[0];
	if (s->child < 0) {
		gv_closep(&s->fd);
		return -EAGAIN;
	}
	*out = GV_TAKE(s);
	return 0;
}

/* @count frames in one send. */
static int post(struct bench_raw_sock *s, size_t bytes, size_t reply, unsigned count)
{
	const struct frame f = {(uint32_t)bytes, (uint32_t)reply};
	size_t n = bytes * count;

	for (unsigned i = 0; i < count; i++)
		memcpy(s->out + i * bytes, &f, sizeof(f));
	return send(s->fd, s->out, n, MSG_NOSIGNAL) == (ssize_t)n ? 0 : -EPIPE;
}

static int collect(struct bench_raw_sock *s, size_t n)
{
	for (size_t have = 0; have < n;) {
		ssize_t got = receive(s, s->fd, s->in, BUF_BYTES);

		if (got <= 0)
			return -EPIPE;
		have += (size_t)got;
	}
	return 0;
}

int bench_raw_sock_call(void *arg)
{
	struct bench_raw_sock *s = arg;
	int rc = post(s, s->req, s->reply, 1);

	return rc ? rc : collect(s, s->reply);
}

int bench_raw_sock_burst(void *arg)
{
	struct bench_raw_sock *s = arg;
	int rc = post(s, s->req, s->reply, BENCH_BURST);

	return rc ? rc : collect(s, s->reply * BENCH_BURST);
}

int bench_raw_sock_posts(void *arg)
{
	struct bench_raw_sock *s = arg;
	int rc = 0;

	for (unsigned i = 0; i < BENCH_POSTS && !rc; i++)
		rc = post(s, s->req + sizeof(uint32_t), 0, 1);
	return rc ? rc : bench_raw_sock_call(s);
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

/* ---- two threads ------------------------------------------------------------------ */

struct bench_raw_pair {
	bool shm;
	int other_cpu;
	int there, back; /* eventfds */
	pthread_t thread;
	_Alignas(64) _Atomic uint64_t ask;
	_Alignas(64) _Atomic uint64_t told;
	_Alignas(64) _Atomic bool quit;
};

static void answer_memory(struct bench_raw_pair *p)
{
	while (!p->quit)
		p->told = p->ask;
}

static void answer_eventfd(struct bench_raw_pair *p)
{
	uint64_t v;

	while (read(p->there, &v, sizeof(v)) == sizeof(v) && !p->quit)
		if (write(p->back, &v, sizeof(v)) != sizeof(v))
			break;
}

static void *answer(void *arg)
{
	struct bench_raw_pair *p = arg;

	bench_pin(p->other_cpu);
	if (p->shm)
		answer_memory(p);
	else
		answer_eventfd(p);
	return NULL;
}

int bench_raw_pair_new(bool shm, int other_cpu, struct bench_raw_pair **out)
{
	struct bench_raw_pair *p = aligned_alloc(64, sizeof(*p));

	if (!p)
		return -ENOMEM;
	memset(p, 0, sizeof(*p));
	p->shm = shm;
	p->other_cpu = other_cpu;
	p->there = eventfd(0, EFD_CLOEXEC);
	p->back = eventfd(0, EFD_CLOEXEC);
	if (p->there < 0 || p->back < 0 || pthread_create(&p->thread, NULL, answer, p)) {
		gv_closep(&p->there);
		gv_closep(&p->back);
		free(p);
		return -EAGAIN;
	}
	*out = p;
	return 0;
}

int bench_raw_pair_call(void *arg)
{
	struct bench_raw_pair *p = arg;
	uint64_t v = 1;

	if (p->shm) {
		v = ++p->ask;
		while (p->told != v)
			;
		return 0;
	}
	return write(p->there, &v, sizeof(v)) == sizeof(v) &&
	                       read(p->back, &v, sizeof(v)) == sizeof(v)
	               ? 0
	               : -EIO;
}

struct bench_raw_pair *bench_raw_pair_free(struct bench_raw_pair *p)
{
	uint64_t one = 1;

	if (!p)
		return NULL;
	p->quit = true;
	if (write(p->there, &one, sizeof(one)) == sizeof(one))
		(void)pthread_join(p->thread, NULL);
	gv_closep(&p->there);
	gv_closep(&p->back);
	free(p);
	return NULL;
}
