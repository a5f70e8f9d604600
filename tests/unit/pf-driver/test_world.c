/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The world switch against commands that end late, never, wrongly, or are not known at all. */
#include "world_fake.h"

static void the_engines_go_round(void)
{
	struct fake *f = up(GV_CFG_SCHED_FAIR, 3);
	struct gv_pf_vf_world vf;
	struct gv_pf_world_status all;

	f->late = 3;
	for (unsigned i = 0; i < 3; i++)
		UNTIL(f, slices(f, i) >= 5);
	CU_ASSERT(f->count[GV_GIOV_CONTEXT_SWITCH] >= 3);
	pf_world_get_vf_status(&f->pf, 1, &vf);
	CU_ASSERT(vf.switches && vf.switch_p50_ns && vf.switch_p99_ns >= vf.switch_p50_ns);
	CU_ASSERT(vf.ran_ns > 3 * GV_MS);
	pf_world_get_status(&f->pf, &all);
	CU_ASSERT_EQUAL(all.policy, GV_CFG_SCHED_FAIR);
	CU_ASSERT(all.rounds && all.switches >= 3);
	CU_ASSERT(all.active >= 0);
	CU_ASSERT_EQUAL(all.window, -1);
	down(f);
}

static void who_is_alone_costs_no_command(void)
{
	struct fake *f = up(GV_CFG_SCHED_FAIR, 4);

	for (unsigned i = 1; i < 4; i++)
		f->pf.mbox.vf[i].state = GV_MBOX_IDLE;
	f->busy = 1;
	UNTIL(f, slices(f, 0) >= 5);
	CU_ASSERT_EQUAL(f->commands, 0);
	down(f);
}

static void an_idle_neighbour_is_woken_when_it_gets_work(void)
{
	struct fake *f = up(GV_CFG_SCHED_BEST_EFFORT, 2);

	f->busy = 1;
	UNTIL(f, slices(f, 0) >= 5 && f->at[1] == GV_WORLD_OUT);
	CU_ASSERT_EQUAL(slices(f, 1), 0);
	f->busy = 2;
	UNTIL(f, f->at[1] == GV_WORLD_RUNNING);
	f->busy = 0;
	f->commands = 0;
	for (unsigned i = 0; i < 50; i++)
		step(f);
	CU_ASSERT_EQUAL(f->commands, 0); /* nobody has work: nothing to do */
	pf_world_interrupt(&f->pf, GV_PUT(GIOV_INTR_STATUS, GFX_VM_BUSY_TRANSITION_INTR_STATUS, 1),
	                   0);
	f->busy = 1;
	step(f); /* at once */
	UNTIL(f, f->at[0] == GV_WORLD_RUNNING);
	down(f);
}

static void who_could_not_look_for_long_does_not_doze(void)
{
	struct fake *f = up(GV_CFG_SCHED_FAIR, 2);
	struct pf_world *w = &f->pf.world;

	f->busy = 1;
	UNTIL(f, slices(f, 0) >= 2 && !w->interrupts);
	w->seen_interrupt = true;
	f->busy = 3; /* while a switch took 30 ms */
	(void)pf_world_look(&f->pf, w->look_ns + 30 * GV_MS);
	CU_ASSERT(w->sched.vf[1].busy);
	f->busy = 0; /* now it has seen an idle GPU, and is told of news */
	(void)pf_world_look(&f->pf, w->look_ns + 30 * GV_MS);
	(void)pf_world_look(&f->pf, w->look_ns + 30 * GV_MS);
	f->busy = 1;
	CU_ASSERT(pf_world_look(&f->pf, w->look_ns + 30 * GV_MS) > w->look_ns + 100 * GV_MS);
	CU_ASSERT(!w->sched.vf[0].busy);
	down(f);
}

static void a_gap_is_looked_at_often(void)
{
	struct fake *f = up(GV_CFG_SCHED_FAIR, 2);
	struct pf_world *w = &f->pf.world;
	unsigned runs;

	UNTIL(f, slices(f, 1) >= 2 && w->sched.running >= 0 && !w->cmd);
	runs = (unsigned)w->sched.running;
	f->busy = 3 & ~(1u << runs); /* it waits for its kernel, and launches the next */
	(void)pf_world_look(&f->pf, w->look_ns + GV_MS);
	CU_ASSERT(!w->sched.vf[runs].busy);
	f->busy = 3;
	(void)pf_world_look(&f->pf, w->look_ns + 200 * GV_US);
	CU_ASSERT(w->sched.vf[runs].busy);
	down(f);
}

static void what_runs_while_we_look_late_is_of_its_slice(void)
{
	struct fake *f = up(GV_CFG_SCHED_BEST_EFFORT, 2);
	struct pf_world *w = &f->pf.world;
	uint64_t due;

	UNTIL(f, slices(f, 0) >= 1 && slices(f, 1) >= 1 && !w->cmd);
	f->late = 1000; /* no command ends by itself */
	UNTIL(f, w->cmd == GV_GIOV_CONTEXT_SWITCH);
	due = GV_MAX(w->cmd_due_ns, w->cmd_ns + w->usual_ns);
	f->left = 0;
	while (gv_now_ns() < due + GV_MS)
		gv_poll_pause(&(unsigned){0});
	step(f);
	CU_ASSERT_EQUAL(w->sched.began_ns, due);
	down(f);
}

static void without_a_policy_nobody_is_touched(void)
{
	struct fake *f = up(GV_CFG_SCHED_NONE, 4);

	for (unsigned i = 0; i < 50; i++)
		step(f);
	pf_world_enter(&f->pf, 2, true);
	CU_ASSERT(pf_world_entered(&f->pf, 2));
	pf_world_leave(&f->pf, 2);
	CU_ASSERT_EQUAL(f->commands, 0);
	down(f);
}

static void a_gpu_that_takes_no_commands_is_not_asked_twice(void)
{
	struct fake *f = up(GV_CFG_SCHED_FAIR, 2);
	struct gv_pf_world_status all;

	f->unsupported = true;
	UNTIL(f, f->events > 0);
	for (unsigned i = 0; i < 50; i++)
		step(f);
	CU_ASSERT_EQUAL(f->events, 1);
	CU_ASSERT_EQUAL(f->commands, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(f->last_event, "side by side"));
	pf_world_get_status(&f->pf, &all);
	CU_ASSERT_EQUAL(all.asked, GV_CFG_SCHED_FAIR);
	CU_ASSERT_EQUAL(all.policy, GV_CFG_SCHED_NONE);
	pf_world_enter(&f->pf, 1, true);
	CU_ASSERT(pf_world_entered(&f->pf, 1));
	down(f);
}

/* What the reset of @vf does to the GPU, and tells the manager. */
static void flr(struct fake *f, unsigned vf)
{
	f->stall &= ~(1u << vf);
	f->cmd &= ~GV_PUT(RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE, 1);
	f->status = GV_GIOV_ABORTED;
	f->error = GV_PUT(GVX_WORLD_ERROR, WHY, GV_WORLD_RESET);
	f->at[vf] = GV_WORLD_OUT;
	f->saved[vf] = false;
	pf_world_forget(&f->pf, vf);
	f->pf.mbox.vf[vf].state = GV_MBOX_IDLE;
}

static void who_does_not_let_go_is_named_and_the_others_go_on(void)
{
	struct fake *f = up(GV_CFG_SCHED_FAIR, 3);
	uint64_t had;

	f->stall = 1u << 1;
	UNTIL(f, f->pf.world.hangs > 0);
	CU_ASSERT_EQUAL(f->pf.world.vf[1].hangs, 1);
	CU_ASSERT(f->pf.world.vf[1].lost);
	CU_ASSERT(f->pf.mbox.vf[1].state == GV_MBOX_NOTIFY ||
	          f->pf.mbox.vf[1].state == GV_MBOX_RESET);
	for (unsigned i = 0; i < 50; i++)
		step(f);
	CU_ASSERT_EQUAL(f->pf.world.hangs, 1); /* once */
	flr(f, 1);
	had = slices(f, 1);
	UNTIL(f, slices(f, 0) >= 5 && slices(f, 2) >= 5);
	CU_ASSERT_EQUAL(slices(f, 1), had);
	f->pf.mbox.vf[1].state = GV_MBOX_ACTIVE; /* a new guest */
	UNTIL(f, slices(f, 1) >= had + 2);
	CU_ASSERT(f->count[GV_GIOV_INIT] > 0 || f->count[GV_GIOV_CONTEXT_SWITCH] > 0);
	down(f);
}

static void commands_that_are_aborted_again_and_again_are_a_hang(void)
{
	struct fake *f = up(GV_CFG_SCHED_FAIR, 2);

	f->abort = true;
	UNTIL(f, f->pf.world.hangs > 0);
	CU_ASSERT(f->commands >= 3);
	CU_ASSERT(f->commands <= 8);
	down(f);
}

static void the_policy_can_change_while_vfs_run(void)
{
	struct fake *f = up(GV_CFG_SCHED_FAIR, 3);

	UNTIL(f, slices(f, 2) >= 2);
	f->pf.plan.policy = GV_CFG_SCHED_NONE;
	pf_world_start(&f->pf);
	UNTIL(f, running(f) + (f->at[0] == GV_WORLD_FREE) == 3);
	f->commands = 0;
	for (unsigned i = 0; i < 50; i++)
		step(f);
	CU_ASSERT_EQUAL(f->commands, 0);
	f->pf.plan.policy = GV_CFG_SCHED_FIXED;
	pf_world_start(&f->pf);
	while (running(f) > 1) /* step() wants one at most */
		(void)pf_world_step(&f->pf, gv_now_ns());
	UNTIL(f, slices(f, 0) >= 5 && slices(f, 1) >= 5 && slices(f, 2) >= 5);
	down(f);
}

static void who_is_held_has_no_engines_under_any_policy(void)
{
	for (unsigned policy = 0; policy < GV_CFG_SCHEDS; policy++) {
		struct fake *f = up(policy, 2);
		uint64_t had;

		pf_world_hold(&f->pf, 1, true);
		UNTIL(f, f->at[1] == GV_WORLD_OUT);
		had = slices(f, 1);
		for (unsigned i = 0; i < 50; i++)
			step(f);
		CU_ASSERT_EQUAL(f->at[1], GV_WORLD_OUT);
		CU_ASSERT_EQUAL(slices(f, 1), had);
		pf_world_hold(&f->pf, 1, false);
		UNTIL(f, f->at[1] == GV_WORLD_RUNNING);
		down(f);
	}
}

static void who_is_restarted_finds_out_where_everybody_is(void)
{
	struct fake *f = up(GV_CFG_SCHED_FAIR, 4);

	for (unsigned n = 0; n < 200; n++) {
		unsigned steps = n % 7 + 1;

		f->late = n % 5 * 3;
		for (unsigned i = 0; i < steps; i++)
			step(f);
		if (n % 2) /* in the middle of a command, too */
			f->left += 1000;
		memset(&f->pf.world, 0, sizeof(f->pf.world));
		f->left = n % 3;
		pf_world_start(&f->pf);
	}
	for (unsigned i = 0; i < 4; i++)
		UNTIL(f, slices(f, i) >= 3);
	CU_ASSERT_EQUAL(f->pf.world.hangs, 0);
	down(f);
}

static void whatever_comes_no_command_is_out_of_order(void)
{
	uint64_t x = 0x2545f4914f6cdd1dull;
	struct fake *f = up(GV_CFG_SCHED_FAIR, 5);

	for (unsigned n = 0; n < 4000; n++) {
		unsigned vf = (unsigned)(x >> 60) % 5;

		x = x * 6364136223846793005ull + 1442695040888963407ull;
		switch (x >> 40 & 15) {
		case 0:
			pf_world_enter(&f->pf, vf, x >> 30 & 1);
			break;
		case 1:
		case 2:
			pf_world_leave(&f->pf, vf);
			break;
		case 3:
			pf_world_hold(&f->pf, vf, x >> 30 & 1);
			break;
		case 4:
			pf_world_leave(&f->pf, vf);
			flr(f, vf);
			f->pf.mbox.vf[vf].state = GV_MBOX_ACTIVE;
			break;
		case 5:
			f->busy = x >> 20 & 31;
			break;
		case 6:
			f->late = x >> 20 & 7;
			break;
		case 7:
			pf_world_interrupt(&f->pf, UINT32_MAX, x >> 8);
			break;
		default:
			step(f);
		}
	}
	for (unsigned i = 0; i < 5; i++) {
		pf_world_leave(&f->pf, i);
		pf_world_hold(&f->pf, i, false);
	}
	f->busy = 31;
	for (unsigned i = 0; i < 5; i++) {
		uint64_t had = slices(f, i);

		UNTIL(f, slices(f, i) >= had + 2);
	}
	CU_ASSERT_EQUAL(f->pf.world.hangs, 0);
	down(f);
}

UT_MAIN("world", UT(the_engines_go_round), UT(who_is_alone_costs_no_command),
        UT(an_idle_neighbour_is_woken_when_it_gets_work),
        UT(who_could_not_look_for_long_does_not_doze), UT(a_gap_is_looked_at_often),
        UT(what_runs_while_we_look_late_is_of_its_slice), UT(without_a_policy_nobody_is_touched),
        UT(a_gpu_that_takes_no_commands_is_not_asked_twice),
        UT(who_does_not_let_go_is_named_and_the_others_go_on),
        UT(commands_that_are_aborted_again_and_again_are_a_hang),
        UT(the_policy_can_change_while_vfs_run), UT(who_is_held_has_no_engines_under_any_policy),
        UT(who_is_restarted_finds_out_where_everybody_is),
        UT(whatever_comes_no_command_is_out_of_order))
