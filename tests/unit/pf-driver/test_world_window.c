/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exclusive access: alone, in turn, and not for ever. */
#include "world_fake.h"

static void exclusive_access_is_alone_and_in_turn(void)
{
	struct fake *f = up(GV_CFG_SCHED_FIXED, 4);
	uint64_t had;

	f->late = 2;
	UNTIL(f, slices(f, 3) >= 2);
	pf_world_enter(&f->pf, 2, true);
	pf_world_enter(&f->pf, 0, false);
	UNTIL(f, pf_world_entered(&f->pf, 2));
	CU_ASSERT_EQUAL(f->at[2], GV_WORLD_RUNNING);
	had = f->pf.world.sched.turns;
	for (unsigned i = 0; i < 100; i++)
		step(f);
	CU_ASSERT(!pf_world_entered(&f->pf, 0));
	CU_ASSERT_EQUAL(f->pf.world.sched.turns, had); /* no slices */
	pf_world_leave(&f->pf, 2);
	CU_ASSERT(!pf_world_entered(&f->pf, 2));
	UNTIL(f, pf_world_entered(&f->pf, 0));
	CU_ASSERT_EQUAL(f->at[0], GV_WORLD_RUNNING);
	pf_world_leave(&f->pf, 0);
	for (unsigned i = 0; i < 4; i++)
		UNTIL(f, slices(f, i) >= 4);
	down(f);
}

static void who_asks_for_exclusive_access_again_lets_others_run_first(void)
{
	struct fake *f = up(GV_CFG_SCHED_FAIR, 2);
	struct pf_world *w = &f->pf.world;
	uint64_t had;

	UNTIL(f, slices(f, 0) >= 2);
	pf_world_enter(&f->pf, 1, false);
	UNTIL(f, pf_world_entered(&f->pf, 1));
	w->window_ns -= GV_S; /* it kept it for a second */
	pf_world_leave(&f->pf, 1);
	CU_ASSERT(w->vf[1].after_ns > gv_now_ns() + GV_S / 2);
	CU_ASSERT(w->vf[1].after_ns <= gv_now_ns() + 2 * GV_S);
	w->vf[1].after_ns += 1000 * GV_S; /* or this host may be too slow for us */
	had = slices(f, 1);
	pf_world_enter(&f->pf, 1, false);
	UNTIL(f, slices(f, 0) >= 10);
	CU_ASSERT(!pf_world_entered(&f->pf, 1));
	CU_ASSERT_EQUAL(slices(f, 1), had); /* it waits, for whatever */
	pf_world_enter(&f->pf, 0, false);   /* who did not have it goes first */
	UNTIL(f, pf_world_entered(&f->pf, 0));
	pf_world_leave(&f->pf, 0);
	f->busy = 0; /* nobody is kept from anything */
	UNTIL(f, pf_world_entered(&f->pf, 1));
	pf_world_leave(&f->pf, 1);
	f->busy = 3;
	UNTIL(f, slices(f, 1) >= had + 2);
	down(f);
}

static void fresh_means_that_nothing_saved_comes_back(void)
{
	struct fake *f = up(GV_CFG_SCHED_FAIR, 2);

	UNTIL(f, slices(f, 0) >= 2 && f->at[1] == GV_WORLD_OUT && f->saved[1]);
	f->count[GV_GIOV_SHUTDOWN] = f->count[GV_GIOV_INIT] = 0;
	pf_world_enter(&f->pf, 1, true);
	UNTIL(f, pf_world_entered(&f->pf, 1));
	CU_ASSERT_EQUAL(f->count[GV_GIOV_SHUTDOWN], 1);
	CU_ASSERT_EQUAL(f->count[GV_GIOV_INIT], 1);
	down(f);
}

UT_MAIN("world, exclusive access", UT(exclusive_access_is_alone_and_in_turn),
        UT(who_asks_for_exclusive_access_again_lets_others_run_first),
        UT(fresh_means_that_nothing_saved_comes_back))
