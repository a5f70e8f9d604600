/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Worker threads: no kick is lost, pauses nest, stop ends. */
#include "core_rig.h"
#include "ut.h"

struct job {
	struct gv_worker w;
	_Atomic unsigned runs, inside;
	_Atomic bool hold;      /* stay in `run` until this falls */
	_Atomic uint64_t delay; /* what `run` returns */
	_Atomic unsigned served, asked;
};

static uint64_t run(void *arg)
{
	struct job *j = arg;
	unsigned spins = 0;

	atomic_fetch_add(&j->inside, 1);
	atomic_store(&j->served, atomic_load(&j->asked));
	while (atomic_load(&j->hold))
		gv_poll_pause(&spins);
	atomic_fetch_add(&j->runs, 1);
	atomic_fetch_sub(&j->inside, 1);
	return atomic_load(&j->delay);
}

static void start(struct job *j)
{
	memset(j, 0, sizeof(*j));
	atomic_store(&j->delay, UINT64_MAX);
	core_must(gv_worker_start(&j->w, "a-name-longer-than-the-kernel-keeps", run, j) == 0,
	          "worker");
}

static void nap(void)
{
	struct timespec ts = {.tv_nsec = 5000000};

	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
}

static void it_runs_when_kicked_and_not_before(void)
{
	struct job j;

	start(&j);
	nap();
	CU_ASSERT_EQUAL(j.runs, 0);
	for (unsigned k = 1; k <= 100; k++) {
		gv_worker_kick(&j.w);
		CU_ASSERT(UNTIL(atomic_load(&j.runs) >= k));
		if (k % 10 == 0)
			nap(); /* past the time it looks around: asleep */
	}
	CU_ASSERT_EQUAL(j.runs, 100);
	gv_worker_stop(&j.w);
}

static void a_kick_during_a_run_causes_another(void)
{
	struct job j;

	start(&j);
	atomic_store(&j.hold, true);
	gv_worker_kick(&j.w);
	CU_ASSERT(UNTIL(atomic_load(&j.inside) == 1));
	gv_worker_kick(&j.w);
	gv_worker_kick(&j.w);
	atomic_store(&j.hold, false);
	CU_ASSERT(UNTIL(atomic_load(&j.runs) == 2));
	nap();
	CU_ASSERT_EQUAL(j.runs, 2); /* merged */
	gv_worker_stop(&j.w);
}

struct kicker {
	struct job *j;
	pthread_t thread;
};

static void *kick_often(void *arg)
{
	struct kicker *k = arg;

	for (unsigned n = 0; n < 20000; n++) {
		atomic_fetch_add(&k->j->asked, 1);
		gv_worker_kick(&k->j->w);
	}
	return NULL;
}

static void no_kick_of_many_threads_is_lost(void)
{
	struct kicker k[3];
	struct job j;

	start(&j);
	for (unsigned t = 0; t < 3; t++) {
		k[t].j = &j;
		core_must(pthread_create(&k[t].thread, NULL, kick_often, &k[t]) == 0, "thread");
	}
	for (unsigned t = 0; t < 3; t++)
		(void)pthread_join(k[t].thread, NULL);
	/* the last one who asked was served */
	CU_ASSERT(UNTIL(atomic_load(&j.served) == 60000));
	gv_worker_stop(&j.w);
}

static void pause_waits_for_the_run_and_nests(void)
{
	struct job j;
	unsigned runs;

	start(&j);
	atomic_store(&j.delay, 0); /* runs all the time */
	gv_worker_kick(&j.w);
	CU_ASSERT(UNTIL(atomic_load(&j.runs) > 10));
	for (unsigned k = 0; k < 50; k++) {
		gv_worker_pause(&j.w);
		CU_ASSERT_EQUAL(j.inside, 0);
		gv_worker_pause(&j.w);
		gv_worker_resume(&j.w);
		runs = atomic_load(&j.runs);
		gv_worker_kick(&j.w);
		if (k % 10 == 0)
			nap();
		CU_ASSERT_EQUAL(atomic_load(&j.runs), runs); /* still paused once */
		CU_ASSERT_EQUAL(j.inside, 0);
		gv_worker_resume(&j.w);
		CU_ASSERT(UNTIL(atomic_load(&j.runs) > runs));
	}
	gv_worker_stop(&j.w);
}

static void a_kick_while_paused_runs_after_resume(void)
{
	struct job j;

	start(&j);
	gv_worker_pause(&j.w);
	gv_worker_kick(&j.w);
	nap();
	CU_ASSERT_EQUAL(j.runs, 0);
	gv_worker_resume(&j.w);
	CU_ASSERT(UNTIL(atomic_load(&j.runs) == 1));
	gv_worker_resume(&j.w); /* one too many does no harm */
	gv_worker_pause(&j.w);
	gv_worker_kick(&j.w);
	nap();
	CU_ASSERT_EQUAL(j.runs, 1);
	gv_worker_stop(&j.w);
}

static void a_delay_runs_it_again_without_a_kick(void)
{
	struct job j;
	uint64_t begin;

	start(&j);
	atomic_store(&j.delay, 10 * GV_MS);
	begin = gv_now_ns();
	gv_worker_kick(&j.w);
	CU_ASSERT(UNTIL(atomic_load(&j.runs) >= 4));
	CU_ASSERT(gv_now_ns() - begin >= 30 * GV_MS);
	atomic_store(&j.delay, UINT64_MAX - 1); /* must not wrap into the past */
	CU_ASSERT(UNTIL(atomic_load(&j.runs) >= 5));
	nap();
	CU_ASSERT(atomic_load(&j.runs) <= 6);
	gv_worker_stop(&j.w);
}

static void stop_ends_it_in_any_state(void)
{
	struct gv_worker never = {0};
	struct job j;

	gv_worker_stop(&never);
	gv_worker_pause(&never);
	gv_worker_resume(&never);
	gv_worker_kick(&never);
	start(&j); /* never kicked */
	gv_worker_stop(&j.w);
	gv_worker_stop(&j.w);
	start(&j); /* paused, with a kick waiting */
	gv_worker_pause(&j.w);
	gv_worker_kick(&j.w);
	gv_worker_stop(&j.w);
	CU_ASSERT_EQUAL(j.runs, 0);
	start(&j); /* busy */
	atomic_store(&j.delay, 0);
	gv_worker_kick(&j.w);
	CU_ASSERT(UNTIL(atomic_load(&j.runs) > 0));
	gv_worker_stop(&j.w);
	CU_ASSERT_EQUAL(j.inside, 0);
}

UT_MAIN("worker", UT(it_runs_when_kicked_and_not_before), UT(a_kick_during_a_run_causes_another),
        UT(no_kick_of_many_threads_is_lost), UT(pause_waits_for_the_run_and_nests),
        UT(a_kick_while_paused_runs_after_resume), UT(a_delay_runs_it_again_without_a_kick),
        UT(stop_ends_it_in_any_state))
