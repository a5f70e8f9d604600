/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt has one event loop per process, and once it is registered every connection relies on
 * it (a connection that answers no keepalive is closed after half a minute). So it runs on a
 * thread of its own as long as anybody has a connection. Nothing that blocks happens on it.
 */
#include <pthread.h>
#include <string.h>

#include "virt.h"

static struct {
	pthread_mutex_t lock;
	pthread_t thread;
	unsigned users;
	bool registered;
	int timer;
	bool stop; /* by atomic access */
} loop = {.lock = PTHREAD_MUTEX_INITIALIZER, .timer = -1};

static void wake(int timer, void *arg)
{
	(void)arg;
	virEventUpdateTimeout(timer, -1);
}

static void *run(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&loop.stop, __ATOMIC_ACQUIRE))
		if (virEventRunDefaultImpl() < 0)
			(void)usleep(10000); /* poll() failed: memory; not a busy loop */
	return NULL;
}

static int start(struct gv_err *err)
{
	int rc;

	if (!loop.registered && virEventRegisterDefaultImpl() < 0)
		return gv_virt_fail(err, "libvirt: event loop");
	loop.registered = true;
	if (loop.timer < 0)
		loop.timer = virEventAddTimeout(-1, wake, NULL, NULL);
	if (loop.timer < 0)
		return gv_virt_fail(err, "libvirt: timer");
	__atomic_store_n(&loop.stop, false, __ATOMIC_RELEASE);
	rc = pthread_create(&loop.thread, NULL, run, NULL);
	return rc ? gv_fail(err, -rc, "libvirt: thread: %s", strerror(rc)) : 0;
}

int gv_virt_loop_get(struct gv_err *err)
{
	int rc = gv_virt_init(err);

	if (rc)
		return rc;
	(void)pthread_mutex_lock(&loop.lock);
	if (!loop.users)
		rc = start(err);
	if (!rc)
		loop.users++;
	(void)pthread_mutex_unlock(&loop.lock);
	return rc;
}

void gv_virt_loop_put(void)
{
	(void)pthread_mutex_lock(&loop.lock);
	if (!--loop.users) {
		__atomic_store_n(&loop.stop, true, __ATOMIC_RELEASE);
		virEventUpdateTimeout(loop.timer, 0);
		(void)pthread_join(loop.thread, NULL);
	}
	(void)pthread_mutex_unlock(&loop.lock);
}
