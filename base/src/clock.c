/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Slots that are never freed, so that a thread may look at one that is being given up. */
#include <stdatomic.h>
#include <sys/random.h>
#include <time.h>

#include "clock.h"

#define MAX_CLOCKS 20 /* a PF and its VFs in one process, and some */

struct gv_clock {
	_Atomic bool taken;
	_Atomic unsigned owner; /* 0: nobody */
	uint64_t (*now)(void *arg, uint64_t real_ns);
	uint64_t (*chance)(void *arg, uint64_t real);
	void *arg;
};

static struct gv_clock clocks[MAX_CLOCKS];
static _Atomic unsigned num_taken; /* none: nobody pays */
static _Atomic unsigned last_thread;

/* A number that no other thread ever has. */
static unsigned self(void)
{
	static _Thread_local unsigned number;

	if (!number)
		number = atomic_fetch_add(&last_thread, 1) + 1;
	return number;
}

uint64_t gv_real_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * GV_S + (uint64_t)ts.tv_nsec;
}

/* The calling thread's, NULL when it has none. */
static struct gv_clock *mine(void)
{
	if (!atomic_load_explicit(&num_taken, memory_order_relaxed))
		return NULL;
	for (struct gv_clock *c = clocks; c < clocks + MAX_CLOCKS; c++)
		if (atomic_load(&c->owner) == self())
			return c;
	return NULL;
}

uint64_t gv_now_ns(void)
{
	struct gv_clock *c = mine();
	uint64_t real_ns = gv_real_ns();

	return c ? c->now(c->arg, real_ns) : real_ns;
}

int gv_random64(uint64_t *number)
{
	struct gv_clock *c = mine();
	uint64_t real = 0;
	ssize_t got;

	do {
		got = getrandom(&real, sizeof(real), 0);
	} while (got < 0 && errno == EINTR);
	if (got != sizeof(real))
		return got < 0 ? -errno : -EIO;
	*number = c ? c->chance(c->arg, real) : real;
	return 0;
}

int gv_clock_new(uint64_t (*now)(void *arg, uint64_t real_ns),
                 uint64_t (*chance)(void *arg, uint64_t real), void *arg, struct gv_clock **clock)
{
	for (struct gv_clock *c = clocks; c < clocks + MAX_CLOCKS; c++) {
		if (atomic_exchange(&c->taken, true))
			continue;
		c->now = now;
		c->chance = chance;
		c->arg = arg;
		atomic_fetch_add(&num_taken, 1);
		*clock = c;
		return 0;
	}
	return -ENOSPC;
}

void gv_clock_use(struct gv_clock *clock)
{
	atomic_store(&clock->owner, self());
}

void gv_clock_rest(struct gv_clock *clock)
{
	atomic_store(&clock->owner, 0);
}

void gv_clock_free(struct gv_clock *clock)
{
	if (!clock)
		return;
	atomic_store(&clock->owner, 0);
	atomic_fetch_sub(&num_taken, 1);
	atomic_store(&clock->taken, false);
}
