/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt's calls have no deadline: one that waits for a QEMU which waits for a
 * device comes back when it pleases. So it is made on a thread; who does not want to wait any
 * longer goes, and the thread tidies up when it comes back.
 */
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "virt.h"

struct bounded {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool finished, alone; /* alone: the caller is gone */
	int rc;
	struct gv_err err;
	const struct gv_virt_call *call;
	void *arg;
};

static void free_bounded(struct bounded *b)
{
	(void)pthread_cond_destroy(&b->cond);
	(void)pthread_mutex_destroy(&b->lock);
	free(b);
}

static void *run(void *arg)
{
	struct bounded *b = arg;
	int rc = b->call->run(b->arg, &b->err);
	bool alone;

	(void)pthread_mutex_lock(&b->lock);
	b->rc = rc;
	b->finished = true;
	alone = b->alone;
	(void)pthread_cond_signal(&b->cond);
	(void)pthread_mutex_unlock(&b->lock);
	if (alone) {
		b->call->release(b->arg);
		free_bounded(b);
	}
	return NULL;
}

static struct bounded *new_bounded(const struct gv_virt_call *call, void *arg)
{
	struct bounded *b = calloc(1, sizeof(*b));
	pthread_condattr_t monotonic;

	if (!b)
		return NULL;
	b->call = call;
	b->arg = arg;
	(void)pthread_mutex_init(&b->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&b->cond, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	return b;
}

static bool wait_for(struct bounded *b, unsigned timeout_ms)
{
	struct timespec t;
	int rc = 0;
	bool finished;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += timeout_ms / 1000;
	t.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	(void)pthread_mutex_lock(&b->lock);
	while (!b->finished && !rc)
		rc = pthread_cond_timedwait(&b->cond, &b->lock, &t);
	finished = b->finished;
	b->alone = !finished;
	(void)pthread_mutex_unlock(&b->lock);
	return finished;
}

int gv_virt_bounded(const struct gv_virt_call *call, void *arg, unsigned timeout_ms,
                    struct gv_err *err)
{
	struct bounded *b = new_bounded(call, arg);
	pthread_t thread;
	int rc = b ? pthread_create(&thread, NULL, run, b) : ENOMEM;

	if (rc) {
		if (b)
			free_bounded(b);
		call->release(arg);
		return gv_fail(err, -rc, "libvirt: thread: %s", strerror(rc));
	}
	if (!wait_for(b, timeout_ms)) {
		(void)pthread_detach(thread);
		return gv_fail(err, -ETIMEDOUT, "%s: no answer for %u ms; it may still happen",
		               call->what, timeout_ms);
	}
	(void)pthread_join(thread, NULL);
	rc = b->rc;
	if (rc && err)
		*err = b->err;
	if (!rc && call->take)
		call->take(arg);
	free_bounded(b);
	call->release(arg);
	return rc;
}
