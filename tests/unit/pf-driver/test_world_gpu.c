/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exclusive access and hangs on the emulated GPU, with time slices on. */
#include <stdlib.h>
#include <string.h>

#include "pf.h"
#include "rig.h"

static const struct gv_mbox_pf_cfg patient = {.exclusive_ms = 60000, .notify_ms = 50};

static void start(struct rig *r, enum gv_cfg_sched policy, struct gv_bus *vf[2])
{
	struct gv_pf_plan plan;

	rig_up(r, &patient);
	plan = rig_plan(r, 2, 64);
	plan.policy = policy;
	for (unsigned i = 0; i < 2; i++)
		plan.vf[i].preempt_timeout_ms = 50;
	CU_ASSERT_EQUAL_FATAL(gv_pf_boot(r->pf, &r->err), 0);
	CU_ASSERT_EQUAL_FATAL(gv_pf_apply(r->pf, &plan, 0, &r->err), 0);
	for (unsigned i = 0; i < 2; i++) {
		vf[i] = rig_vf(r, i);
		rig_init_guest(r, vf[i]);
	}
}

static void stop(struct rig *r, struct gv_bus *vf[2])
{
	for (unsigned i = 0; i < 2; i++)
		(void)gv_bus_close(vf[i]);
	rig_down(r);
}

static unsigned where(struct rig *r, unsigned vf)
{
	return GV_GET(gv_rd32(r->lying.real, GV_BYTE_N(GVX_VF0_WORLD, vf)), GVX_VF0_WORLD, STATE);
}

static bool runs(struct rig *r, unsigned vf)
{
	return where(r, vf) == GV_WORLD_FREE || where(r, vf) == GV_WORLD_RUNNING;
}

static void who_has_exclusive_access_runs_alone(void)
{
	static const enum gv_cfg_sched all[] = {GV_CFG_SCHED_FAIR, GV_CFG_SCHED_FIXED,
	                                        GV_CFG_SCHED_BEST_EFFORT};

	for (size_t p = 0; p < GV_ARRAY_LEN(all); p++) {
		struct gv_bus *vf[2];
		struct gv_pf_status s;
		struct rig r;

		start(&r, all[p], vf);
		for (unsigned n = 0; n < 4; n++) {
			unsigned i = n % 2;

			CU_ASSERT_TRUE(rig_send(&r, vf[i], GV_MBOX_REQ_GPU_FINI_ACCESS));
			CU_ASSERT_TRUE(rig_hear(&r, vf[i], GV_MBOX_READY_TO_ACCESS_GPU, 5000));
			CU_ASSERT(runs(&r, i));
			CU_ASSERT(!runs(&r, !i) || rig_state(&r, !i) == GV_MBOX_IDLE);
			gv_pf_get_status(r.pf, &s);
			CU_ASSERT_EQUAL(s.world.window, (int)i);
			CU_ASSERT_EQUAL(s.world.active, (int)i);
			CU_ASSERT_TRUE(rig_send(&r, vf[i], GV_MBOX_REL_GPU_FINI_ACCESS));
			CU_ASSERT_TRUE(rig_serve_until(&r, i, GV_MBOX_IDLE, 20000));
			rig_init_guest(&r, vf[i]);
			CU_ASSERT_TRUE(rig_serve_until(&r, i, GV_MBOX_ACTIVE, 20000));
		}
		gv_pf_get_status(r.pf, &s);
		CU_ASSERT(s.world.switches > 0);
		CU_ASSERT_EQUAL(s.world.hangs, 0);
		stop(&r, vf);
	}
}

static void side_by_side_nobody_is_stopped(void)
{
	struct gv_bus *vf[2];
	struct rig r;

	start(&r, GV_CFG_SCHED_NONE, vf);
	CU_ASSERT_TRUE(rig_send(&r, vf[0], GV_MBOX_REQ_GPU_FINI_ACCESS));
	CU_ASSERT_TRUE(rig_hear(&r, vf[0], GV_MBOX_READY_TO_ACCESS_GPU, 5000));
	CU_ASSERT(runs(&r, 0) && runs(&r, 1));
	stop(&r, vf);
}

/* VF1 has the engines and does not let go, VF0 asks for exclusive access. */
static void nobody_waits_for_ever_for_one_that_hangs(void)
{
	struct gv_pf_vf_status s;
	struct gv_bus *vf[2];
	struct rig r;

	start(&r, GV_CFG_SCHED_FAIR, vf);
	CU_ASSERT(runs(&r, 1));
	gv_wr32(r.lying.real, GVX_STALL__BYTE, 1u << 1);
	CU_ASSERT_TRUE(rig_send(&r, vf[0], GV_MBOX_REQ_GPU_FINI_ACCESS));
	CU_ASSERT_TRUE(rig_hear(&r, vf[0], GV_MBOX_READY_TO_ACCESS_GPU, 20000));
	CU_ASSERT_EQUAL(gv_pf_get_vf_status(r.pf, 1, &s), 0);
	CU_ASSERT_EQUAL(s.world.hangs, 1);
	CU_ASSERT(s.resets >= 1);
	CU_ASSERT_EQUAL(gv_pf_get_vf_status(r.pf, 0, &s), 0);
	CU_ASSERT_EQUAL(s.world.hangs, 0);
	CU_ASSERT_EQUAL(s.resets, 0);
	CU_ASSERT_TRUE(rig_send(&r, vf[0], GV_MBOX_REL_GPU_FINI_ACCESS));
	CU_ASSERT_TRUE(rig_serve_until(&r, 1, GV_MBOX_IDLE, 20000));
	rig_init_guest(&r, vf[1]); /* and it can start again */
	stop(&r, vf);
}

static void the_policy_changes_without_touching_a_vf(void)
{
	struct gv_bus *vf[2];
	struct gv_pf_plan plan;
	struct gv_pf_status s;
	struct rig r;

	start(&r, GV_CFG_SCHED_NONE, vf);
	plan = *gv_pf_get_plan(r.pf);
	plan.policy = GV_CFG_SCHED_FIXED;
	CU_ASSERT_EQUAL(gv_pf_apply(r.pf, &plan, 0, &r.err), 0);
	for (unsigned i = 0; i < 20000 && runs(&r, 0) && runs(&r, 1); i++)
		rig_serve(&r, 1);
	CU_ASSERT(!runs(&r, 0) || !runs(&r, 1));
	gv_pf_get_status(r.pf, &s);
	CU_ASSERT_EQUAL(s.world.policy, GV_CFG_SCHED_FIXED);
	plan.policy = GV_CFG_SCHED_NONE;
	CU_ASSERT_EQUAL(gv_pf_apply(r.pf, &plan, 0, &r.err), 0);
	for (unsigned i = 0; i < 20000 && !(runs(&r, 0) && runs(&r, 1)); i++)
		rig_serve(&r, 1);
	CU_ASSERT(runs(&r, 0) && runs(&r, 1));
	CU_ASSERT_EQUAL(rig_state(&r, 0), GV_MBOX_ACTIVE);
	CU_ASSERT_EQUAL(rig_state(&r, 1), GV_MBOX_ACTIVE);
	stop(&r, vf);
}

/* By a clock of 10 ns in 48 bits that was 0 at @epoch_ns. */
static void tell_of_end(struct gv_pf *pf, uint64_t epoch_ns, uint64_t at_ns)
{
	pf_world_interrupt(pf, GV_PUT(GIOV_INTR_STATUS, GFX_CMD_COMPLETE_INTR_STATUS, 1),
	                   ((at_ns - epoch_ns) / 10) & ((1ull << 48) - 1));
}

static void an_end_is_when_the_gpu_says_it_was(void)
{
	struct gv_pf *pf = calloc(1, sizeof(*pf));
	struct pf_world *w = &pf->world;
	uint64_t epoch = gv_now_ns() + 2 * GV_MS, at; /* it is about to begin again */
	unsigned spins = 0;

	for (unsigned n = 0; n < 100; n++) /* one of them we see at once */
		tell_of_end(pf, epoch, gv_now_ns());
	CU_ASSERT_EQUAL(w->cmd_end_ns, 0); /* of what? */
	w->cmd = GV_GIOV_CONTEXT_SWITCH;
	w->cmd_ns = gv_now_ns();
	tell_of_end(pf, epoch, w->cmd_ns - 50 * GV_MS);
	CU_ASSERT_EQUAL(w->cmd_end_ns, 0); /* of the command before */
	at = gv_now_ns();
	while (gv_now_ns() < at + 10 * GV_MS)
		gv_poll_pause(&spins);
	tell_of_end(pf, epoch, at);
	CU_ASSERT(w->cmd_end_ns >= at && w->cmd_end_ns < at + 5 * GV_MS);
	free(pf);
}

static void a_gpu_that_tells_of_ends_is_not_asked_before(void)
{
	struct gv_bus *vf[2];
	struct rig r;

	start(&r, GV_CFG_SCHED_FAIR, vf);
	CU_ASSERT(r.pf->world.tells_ends); /* guests had exclusive access, in turn */
	r.pf->world.cmd = GV_GIOV_IDLE;
	r.pf->world.cmd_due_ns = UINT64_MAX;
	r.pf->world.cmd_end_ns = 0;
	CU_ASSERT_EQUAL(pf_world_step(r.pf, gv_now_ns()), UINT64_MAX);
	r.pf->world.cmd_end_ns = gv_now_ns();
	(void)pf_world_step(r.pf, gv_now_ns());
	CU_ASSERT_NOT_EQUAL(r.pf->world.cmd, GV_GIOV_IDLE);
	stop(&r, vf);
}

UT_MAIN("world on the GPU", UT(who_has_exclusive_access_runs_alone),
        UT(side_by_side_nobody_is_stopped), UT(nobody_waits_for_ever_for_one_that_hangs),
        UT(the_policy_changes_without_touching_a_vf), UT(an_end_is_when_the_gpu_says_it_was),
        UT(a_gpu_that_tells_of_ends_is_not_asked_before))
