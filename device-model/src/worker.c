/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One thread per engine that sleeps until it is kicked. */
#include <sched.h>
#include <string.h>
#include <time.h>

#include "device.h"

/* A queue that was rung soon after it had rested is likely to be rung so again: looking for that
 * long is cheaper than going to sleep and being woken. */
#define SPIN_NS  (20 * GV_US)
#define OFTEN_NS (50 * GV_US) /* with the time that waking up took */

static void spin(struct gv_worker *w)
{
	uint64_t end = gv_now_ns() + SPIN_NS;

	while (!atomic_load_explicit(&w->kicked, memory_order_relaxed) && gv_now_ns() < end)
		(void)sched_yield();
}

bool gv_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t end_ns)
{
	struct timespec ts = {.tv_sec = (time_t)(end_ns / GV_S), .tv_nsec = (long)(end_ns % GV_S)};

	if (end_ns == UINT64_MAX)
		return pthread_cond_wait(cond, lock) == 0;
	return pthread_cond_clockwait(cond, lock, CLOCK_MONOTONIC, &ts) == 0;
}

/* Has it something to do? Under w->lock. */
static bool is_due(struct gv_worker *w)
{
	return atomic_load(&w->kicked) || gv_now_ns() >= w->due;
}

/* Until a kick, the deadline, resume or stop. Under w->lock. */
static void rest(struct gv_worker *w)
{
	bool sleeps, for_good;

	atomic_store(&w->sleeping, true);
	sleeps = w->paused || !atomic_load(&w->kicked);
	for_good = w->due == UINT64_MAX || (w->paused && is_due(w));
	if (sleeps)
		(void)gv_cond_wait_until(&w->cond, &w->lock, for_good ? UINT64_MAX : w->due);
	atomic_store(&w->sleeping, false);
}

/* One run, and a look around after it. Under w->lock, which it drops meanwhile. Returns when to
 * run again if nobody kicks. */
static uint64_t run_once(struct gv_worker *w)
{
	uint64_t delay, now;

	w->running = true;
	(void)pthread_mutex_unlock(&w->lock);
	delay = w->run(w->arg);
	(void)pthread_mutex_lock(&w->lock);
	w->running = false;
	if (w->paused)
		(void)pthread_cond_broadcast(&w->cond);
	w->rested_ns = gv_now_ns();
	if (w->often && !w->paused && !w->quit && delay >= SPIN_NS) {
		(void)pthread_mutex_unlock(&w->lock);
		spin(w);
		(void)pthread_mutex_lock(&w->lock);
	}
	now = gv_now_ns();
	return delay > UINT64_MAX - now ? UINT64_MAX : now + delay;
}

static void *loop(void *arg)
{
	struct gv_worker *w = arg;

	if (w->prompt)
		gv_thread_be_prompt(GV_NICE_PROMPT);
	(void)pthread_mutex_lock(&w->lock);
	while (!w->quit) {
		if (w->paused || !is_due(w)) {
			rest(w);
			continue;
		}
		w->often =
		        atomic_exchange(&w->kicked, false) && gv_now_ns() - w->rested_ns < OFTEN_NS;
		w->due = run_once(w);
	}
	(void)pthread_mutex_unlock(&w->lock);
	return NULL;
}

static int start(struct gv_worker *w, const char *name, uint64_t (*run)(void *arg), void *arg,
                 bool prompt)
{
	char short_name[16] = ""; /* what the kernel keeps of a thread's name */
	int rc;

	memset(w, 0, sizeof(*w));
	w->prompt = prompt;
	w->run = run;
	w->arg = arg;
	w->due = UINT64_MAX;
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->cond, NULL);
	rc = pthread_create(&w->thread, NULL, loop, w);
	if (rc) {
		(void)pthread_cond_destroy(&w->cond);
		(void)pthread_mutex_destroy(&w->lock);
		return -rc;
	}
	w->started = true;
	memcpy(short_name, name, strnlen(name, sizeof(short_name) - 1));
	(void)pthread_setname_np(w->thread, short_name);
	return 0;
}

int gv_worker_start(struct gv_worker *w, const char *name, uint64_t (*run)(void *arg), void *arg)
{
	return start(w, name, run, arg, false);
}

int gv_worker_start_prompt(struct gv_worker *w, const char *name, uint64_t (*run)(void *arg),
                           void *arg)
{
	return start(w, name, run, arg, true);
}

void gv_worker_kick(struct gv_worker *w)
{
	/* Store, then look; the sleeper says it sleeps, then looks: one of the two sees. Woken with
	 * the lock free: it may run at once, in place of us. */
	atomic_store(&w->kicked, true);
	if (!atomic_load(&w->sleeping) || !w->started)
		return;
	(void)pthread_mutex_lock(&w->lock);
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_cond_broadcast(&w->cond);
}

bool gv_worker_pause_until(struct gv_worker *w, uint64_t end_ns)
{
	bool running;

	if (!w->started)
		return true;
	(void)pthread_mutex_lock(&w->lock);
	w->paused++;
	while (w->running && gv_cond_wait_until(&w->cond, &w->lock, end_ns))
		;
	running = w->running;
	(void)pthread_mutex_unlock(&w->lock);
	return !running;
}

bool gv_worker_was_kicked(struct gv_worker *w)
{
	bool kicked;

	(void)pthread_mutex_lock(&w->lock);
	kicked = w->running || atomic_load(&w->kicked);
	(void)pthread_mutex_unlock(&w->lock);
	return kicked;
}

void gv_worker_resume(struct gv_worker *w)
{
	if (!w->started)
		return;
	(void)pthread_mutex_lock(&w->lock);
	if (w->paused)
		w->paused--;
	if (is_due(w)) /* else it need not hear of it: a kick or its time will wake it */
		(void)pthread_cond_broadcast(&w->cond);
	(void)pthread_mutex_unlock(&w->lock);
}

void gv_worker_stop(struct gv_worker *w)
{
	if (!w->started)
		return;
	(void)pthread_mutex_lock(&w->lock);
	w->quit = true;
	(void)pthread_cond_broadcast(&w->cond);
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_join(w->thread, NULL);
	(void)pthread_cond_destroy(&w->cond);
	(void)pthread_mutex_destroy(&w->lock);
	w->started = false;
}
