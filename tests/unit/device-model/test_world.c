/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* World switch by GPUIOV commands: which are taken when, what a VF that is away does, resets. */
#include <stdio.h>
#include <unistd.h>

#include "cp.h"
#include "ut.h"
#include "world.h"
#include "world_rig.h"

#define VF0 GV_DEV_VF(0)
#define VF1 GV_DEV_VF(1)

static struct rig r;

/* ---- states -------------------------------------------------------------- */

/* From a VF that was just made: how it gets to a state. */
static const struct {
	const char *name;
	enum gv_world_state state;
	bool saved;
	unsigned cmd[8];
} states[] = {
        {"free", GV_WORLD_FREE, false, {0}},
        {"idle", GV_WORLD_IDLE, false, {GV_GIOV_IDLE}},
        {"saved", GV_WORLD_OUT, true, {GV_GIOV_IDLE, GV_GIOV_SAVE}},
        {"loaded", GV_WORLD_READY, false, {GV_GIOV_IDLE, GV_GIOV_SAVE, GV_GIOV_LOAD}},
        {"running",
         GV_WORLD_RUNNING,
         false,
         {GV_GIOV_IDLE, GV_GIOV_SAVE, GV_GIOV_LOAD, GV_GIOV_RUN}},
        {"shut down", GV_WORLD_OUT, false, {GV_GIOV_IDLE, GV_GIOV_SAVE, GV_GIOV_SHUTDOWN}},
        {"fresh", GV_WORLD_READY, false, {GV_GIOV_INIT}},
};

/* What a command makes of it; what is not here is refused and changes nothing. */
static const struct {
	enum gv_world_state from;
	bool saved;
	unsigned cmd;
	enum gv_world_state to;
	bool to_saved;
} moves[] = {
        {GV_WORLD_FREE, false, GV_GIOV_IDLE, GV_WORLD_IDLE, false},
        {GV_WORLD_FREE, false, GV_GIOV_INIT, GV_WORLD_READY, false},
        {GV_WORLD_RUNNING, false, GV_GIOV_IDLE, GV_WORLD_IDLE, false},
        {GV_WORLD_IDLE, false, GV_GIOV_SAVE, GV_WORLD_OUT, true},
        {GV_WORLD_IDLE, false, GV_GIOV_RUN, GV_WORLD_RUNNING, false},
        {GV_WORLD_OUT, true, GV_GIOV_LOAD, GV_WORLD_READY, false},
        {GV_WORLD_OUT, true, GV_GIOV_INIT, GV_WORLD_READY, false},
        {GV_WORLD_OUT, true, GV_GIOV_SHUTDOWN, GV_WORLD_OUT, false},
        {GV_WORLD_OUT, true, GV_GIOV_CLEAR_VF_STATE, GV_WORLD_OUT, false},
        {GV_WORLD_OUT, false, GV_GIOV_INIT, GV_WORLD_READY, false},
        {GV_WORLD_OUT, false, GV_GIOV_SHUTDOWN, GV_WORLD_OUT, false},
        {GV_WORLD_OUT, false, GV_GIOV_CLEAR_VF_STATE, GV_WORLD_OUT, false},
        {GV_WORLD_READY, false, GV_GIOV_RUN, GV_WORLD_RUNNING, false},
};

static const unsigned commands[] = {GV_GIOV_IDLE,          GV_GIOV_SAVE, GV_GIOV_LOAD,
                                    GV_GIOV_RUN,           GV_GIOV_INIT, GV_GIOV_SHUTDOWN,
                                    GV_GIOV_CLEAR_VF_STATE};

static void check_move(unsigned from, unsigned cmd)
{
	enum gv_world_state to = states[from].state;
	bool saved = states[from].saved, may = false, ok;
	int status = world_do(&r, cmd, 1);

	for (size_t k = 0; k < GV_ARRAY_LEN(moves); k++)
		if (moves[k].from == states[from].state && moves[k].saved == states[from].saved &&
		    moves[k].cmd == cmd) {
			may = true;
			to = moves[k].to;
			saved = moves[k].to_saved;
		}
	ok = status == (may ? GV_GIOV_DONE : GV_GIOV_ABORTED) && world_state(&r, 1) == to &&
	     world_is_saved(&r, 1) == saved;
	if (!ok)
		printf("%s, command %u: status %d, state %d\n", states[from].name, cmd, status,
		       world_state(&r, 1));
	CU_ASSERT_TRUE(ok);
}

static void every_command_from_every_state(bool prompt)
{
	world_open(&r);
	r.dev->host.prompt = prompt;
	for (unsigned s = 0; s < GV_ARRAY_LEN(states); s++)
		for (size_t c = 0; c < GV_ARRAY_LEN(commands); c++) {
			gv_dev_set_vfs(r.dev, 1);
			gv_dev_set_vfs(r.dev, 2);
			for (unsigned k = 0; states[s].cmd[k]; k++)
				CU_ASSERT_EQUAL(world_do(&r, states[s].cmd[k], 1), GV_GIOV_DONE);
			CU_ASSERT_EQUAL(world_state(&r, 1), states[s].state);
			check_move(s, commands[c]);
		}
	/* the other VF never noticed */
	CU_ASSERT_EQUAL(world_state(&r, 0), GV_WORLD_FREE);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 20000));
	rig_close(&r);
}

static void commands_are_taken_from_the_right_states_only(void)
{
	every_command_from_every_state(true);
	every_command_from_every_state(false);
}

static void functions_that_are_not_there_are_refused(void)
{
	static const unsigned fcn[] = {1, 0x7f, 0x82, 0x8f, 0x90, 0xff};

	world_open(&r);
	for (size_t k = 0; k < GV_ARRAY_LEN(fcn); k++) {
		rig_wr(&r, GV_DEV_PF, RLC_GPU_IOV_CFG_REG1__BYTE,
		       GV_PUT(RLC_GPU_IOV_CFG_REG1, CMD_TYPE, GV_GIOV_IDLE) |
		               GV_PUT(RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE, 1) |
		               GV_PUT(RLC_GPU_IOV_CFG_REG1, FCN_ID, fcn[k]));
		CU_ASSERT_EQUAL(world_wait(&r), GV_GIOV_ABORTED);
		CU_ASSERT_EQUAL(world_why(&r), GV_WORLD_NO_SUCH_VF);
	}
	gv_dev_set_vfs(r.dev, 1);
	ABORTED(IDLE, 1);
	CU_ASSERT_EQUAL(world_why(&r), GV_WORLD_NO_SUCH_VF);
	/* next of a switch: nothing happens to the first either */
	CU_ASSERT_EQUAL(world_switch(&r, 0, 1), GV_GIOV_ABORTED);
	CU_ASSERT_EQUAL(world_state(&r, 0), GV_WORLD_FREE);
	rig_close(&r);
}

static void what_runs_is_shown(void)
{
	uint32_t v;

	world_open(&r);
	DONE(IDLE, 1);
	v = rig_rd(&r, GV_DEV_PF, RLC_GPU_IOV_ACTIVE_FCN_ID__BYTE);
	CU_ASSERT_EQUAL(GV_GET(v, RLC_GPU_IOV_ACTIVE_FCN_ID, PF_VF), 1);
	CU_ASSERT_EQUAL(GV_GET(v, RLC_GPU_IOV_ACTIVE_FCN_ID, VF_ID), 1);
	CU_ASSERT_EQUAL(GV_GET(v, GIOV_GFXSCH_DW5, FCN_STATUS), GV_GIOV_FCN_IDLE);
	v = rig_rd(&r, GV_DEV_PF, RLC_GPU_IOV_SDMA0_STATUS__BYTE);
	CU_ASSERT_EQUAL(GV_GET(v, RLC_GPU_IOV_SDMA0_STATUS, PREEMPTED), 1);
	DONE(SAVE, 1);
	v = rig_rd(&r, GV_DEV_PF, RLC_GPU_IOV_SDMA0_STATUS__BYTE);
	CU_ASSERT_EQUAL(GV_GET(v, RLC_GPU_IOV_SDMA0_STATUS, SAVED), 1);
	v = rig_rd(&r, GV_DEV_PF, GV_BYTE_N(GVX_VF0_WORLD, 1));
	CU_ASSERT_TRUE(GV_GET(v, GVX_VF0_WORLD, SAVED_KIB) > 0);
	CU_ASSERT_EQUAL(world_switch(&r, 0, 1), GV_GIOV_DONE);
	v = rig_rd(&r, GV_DEV_PF, RLC_GPU_IOV_ACTIVE_FCN_ID__BYTE);
	CU_ASSERT_EQUAL(GV_GET(v, RLC_GPU_IOV_ACTIVE_FCN_ID, VF_ID), 1);
	CU_ASSERT_EQUAL(GV_GET(v, GIOV_GFXSCH_DW5, FCN_STATUS), GV_GIOV_FCN_ACTIVE);
	/* and is not written by the PF */
	rig_wr(&r, GV_DEV_PF, RLC_GPU_IOV_ACTIVE_FCN_ID__BYTE, 0);
	CU_ASSERT_EQUAL(rig_rd(&r, GV_DEV_PF, RLC_GPU_IOV_ACTIVE_FCN_ID__BYTE), v);
	rig_close(&r);
}

/* ---- a VF that is away --------------------------------------------------- */

static uint32_t fence_of(unsigned fn, unsigned q)
{
	return rig_get32(&r, fn, rig_fence_va(q));
}

static void doorbells_of_a_vf_that_is_away_wait(void)
{
	static const unsigned last[] = {GV_GIOV_IDLE, GV_GIOV_SAVE, GV_GIOV_LOAD};

	world_open(&r);
	for (size_t k = 0; k < GV_ARRAY_LEN(last); k++) {
		uint32_t want[3], rptr;

		rig_select(&r, VF0, 1);
		rptr = rig_rd(&r, VF0, CP_HQD_PQ_RPTR__BYTE);
		for (unsigned c = GV_GIOV_IDLE; c <= last[k]; c++)
			CU_ASSERT_EQUAL(world_do(&r, c, 0), GV_GIOV_DONE);
		CU_ASSERT_EQUAL(world_busy(&r), 0);
		for (unsigned q = 0; q < 3; q++) { /* the KIQ as well */
			want[q] = rig_emit_fence(&r, VF0, q, 0);
			rig_kick(&r, VF0, q);
		}
		CU_ASSERT_TRUE(rig_sync(&r, VF1, 1, 20000)); /* the other one runs */
		(void)usleep(3000);
		CU_ASSERT_EQUAL(world_busy(&r), 1);
		for (unsigned q = 0; q < 3; q++)
			CU_ASSERT_EQUAL(fence_of(VF0, q), want[q] - 1);
		CU_ASSERT_EQUAL(rig_rd(&r, VF0, CP_HQD_PQ_RPTR__BYTE), rptr);
		CU_ASSERT_EQUAL(rig_rd(&r, VF0, CP_HQD_ACTIVE__BYTE) & 1, 1);
		rig_wr(&r, VF0, GRBM_GFX_CNTL__BYTE, 0);
		for (unsigned c = last[k] + 1; c <= GV_GIOV_RUN; c++)
			if (last[k] != GV_GIOV_IDLE)
				CU_ASSERT_EQUAL(world_do(&r, c, 0), GV_GIOV_DONE);
		if (last[k] == GV_GIOV_IDLE)
			DONE(RUN, 0);
		for (unsigned q = 0; q < 3; q++)
			CU_ASSERT_TRUE(rig_wait_mem(&r, VF0, rig_fence_va(q), want[q], 20000));
		CU_ASSERT_TRUE(
		        rig_wait_reg(&r, GV_DEV_PF, RLC_GPU_IOV_VM_BUSY_STATUS__BYTE, 0, 20000));
	}
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).guest_errors, 0);
	rig_close(&r);
}

/* The engine has nothing to go on from but the image. */
static void after_save_the_engines_hold_nothing(void)
{
	struct gv_fn *f;

	world_open(&r);
	f = &r.dev->fn[VF0];
	DONE(IDLE, 0);
	DONE(SAVE, 0);
	for (unsigned i = 0; i < GV_NUM_HQD; i++) {
		CU_ASSERT_FALSE(f->cp->queue[i].active);
		CU_ASSERT_FALSE(f->cp->queue[i].scheduler);
		CU_ASSERT_PTR_NULL(f->cp->queue[i].grid);
		CU_ASSERT_EQUAL(f->cp->queue[i].sh[1], 0);
	}
	CU_ASSERT_EQUAL(f->cp->given[0].queues, 0);
	DONE(SHUTDOWN, 0);
	ABORTED(LOAD, 0);
	CU_ASSERT_EQUAL(world_why(&r), GV_WORLD_NOT_SAVED);
	CU_ASSERT_EQUAL(rig_get32(&r, GV_DEV_PF, WORLD_SLOT_OF(0)), 0);
	DONE(INIT, 0);
	DONE(RUN, 0);
	for (unsigned q = 0; q < 3; q++)
		CU_ASSERT_FALSE(rig_is_active(&r, VF0, q));
	CU_ASSERT_TRUE(rig_start(&r, VF0, 2));
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 20000));
	rig_close(&r);
}

static bool runs(struct gv_fn *f)
{
	struct gv_worker *w = &f->cp->worker;
	bool running;

	(void)pthread_mutex_lock(&w->lock);
	running = w->running;
	(void)pthread_mutex_unlock(&w->lock);
	return running;
}

/* This thread has the VF's memory: if it executed the command, it would wait for itself. */
static void who_gives_a_command_does_not_wait_for_the_vf(void)
{
	static const unsigned cmds[] = {GV_GIOV_IDLE, GV_GIOV_SAVE, GV_GIOV_LOAD};
	struct gv_fn *f;

	world_open(&r);
	f = &r.dev->fn[VF0];
	for (size_t k = 0; k < GV_ARRAY_LEN(cmds); k++) {
		(void)pthread_rwlock_wrlock(&f->mem_lock);
		if (cmds[k] == GV_GIOV_IDLE) {
			gv_worker_kick(&f->cp->worker);
			for (unsigned ms = 0; !runs(f) && ms < 20000; ms++)
				(void)usleep(1000);
		}
		world_begin(&r, cmds[k], 0);
		CU_ASSERT_TRUE(world_executes(&r));
		(void)pthread_rwlock_unlock(&f->mem_lock);
		CU_ASSERT_EQUAL(world_wait(&r), GV_GIOV_DONE);
	}
	DONE(RUN, 0);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 20000));
	rig_close(&r);
}

/* A queue that a guest takes down while it is away is not there when it comes back. */
static void a_queue_killed_while_away_stays_dead(void)
{
	world_open(&r);
	DONE(IDLE, 0);
	DONE(SAVE, 0);
	rig_select(&r, VF0, 1);
	rig_wr(&r, VF0, CP_HQD_ACTIVE__BYTE, 0);
	rig_wr(&r, VF0, CP_HQD_PQ_CONTROL__BYTE, 0);
	rig_wr(&r, VF0, GRBM_GFX_CNTL__BYTE, 0);
	DONE(LOAD, 0);
	DONE(RUN, 0);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 2, 20000));
	CU_ASSERT_FALSE(rig_is_active(&r, VF0, 1));
	CU_ASSERT_FALSE(rig_sync(&r, VF0, 1, 20));
	CU_ASSERT_TRUE(rig_map(&r, VF0, 1));
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 20000));
	rig_close(&r);
}

/* ---- resets -------------------------------------------------------------- */

static void a_reset_in_every_state_shuts_the_vf_down(void)
{
	world_open(&r);
	for (unsigned s = 0; s < GV_ARRAY_LEN(states); s++) {
		bool was_free = states[s].state == GV_WORLD_FREE;

		gv_dev_set_vfs(r.dev, 1);
		gv_dev_set_vfs(r.dev, 2);
		rig_admit_vf(&r, 1);
		CU_ASSERT_TRUE(rig_start(&r, VF1, 1));
		world_launch_endless(&r, VF1, 1, 64);
		for (unsigned k = 0; states[s].cmd[k]; k++)
			CU_ASSERT_EQUAL(world_do(&r, states[s].cmd[k], 1), GV_GIOV_DONE);
		CU_ASSERT_TRUE(world_flr(&r, 1));
		CU_ASSERT_EQUAL(world_state(&r, 1), was_free ? GV_WORLD_FREE : GV_WORLD_OUT);
		CU_ASSERT_FALSE(world_is_saved(&r, 1));
		CU_ASSERT_EQUAL(world_busy(&r) & 2, 0);
		ABORTED(LOAD, 1);
		rig_admit_vf(&r, 1);
		DONE(INIT, 1);
		DONE(RUN, 1);
		CU_ASSERT_TRUE(rig_start(&r, VF1, 1));
		CU_ASSERT_TRUE(rig_sync(&r, VF1, 1, 20000));
		/* its own, through the configuration space, is no other */
		CU_ASSERT_EQUAL(gv_dev_reset(r.dev, VF1), 0);
		CU_ASSERT_EQUAL(world_state(&r, 1), GV_WORLD_OUT);
	}
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 20000));
	rig_close(&r);
}

/* The GPU has begun the IDLE of @vf, and it does not end. */
static bool is_stalled(unsigned vf)
{
	return rig_wait_reg(&r, GV_DEV_PF, RLC_GPU_IOV_ACTIVE_FCN_ID__BYTE,
	                    GV_PUT(GIOV_GFXSCH_DW5, VF_ID, vf) |
	                            GV_PUT(GIOV_GFXSCH_DW5, FCN_STATUS, GV_GIOV_FCN_STALLED) |
	                            GV_PUT(GIOV_GFXSCH_DW5, PF_VF, 1),
	                    20000) &&
	       world_executes(&r);
}

static void a_stalled_idle_ends_with_the_reset_of_its_vf(void)
{
	world_open(&r);
	rig_wr(&r, GV_DEV_PF, GVX_STALL__BYTE, 0xffff0002);
	CU_ASSERT_EQUAL(rig_rd(&r, GV_DEV_PF, GVX_STALL__BYTE), 2);
	rig_wr(&r, VF0, GVX_STALL__BYTE, 1); /* not a VF's */
	CU_ASSERT_EQUAL(rig_rd(&r, GV_DEV_PF, GVX_STALL__BYTE), 2);
	CU_ASSERT_EQUAL(world_do(&r, GV_GIOV_IDLE, 0), GV_GIOV_DONE);
	DONE(RUN, 0);
	world_begin(&r, GV_GIOV_IDLE, 1);
	CU_ASSERT_TRUE(is_stalled(1));
	CU_ASSERT_TRUE(rig_sync(&r, VF1, 1, 20000)); /* nobody stops it */
	world_begin(&r, GV_GIOV_IDLE, 0);            /* lost: one at a time */
	CU_ASSERT_EQUAL(rig_rd(&r, GV_DEV_PF, RLC_GPU_IOV_CFG_REG1__BYTE),
	                world_word(GV_GIOV_IDLE, 1, 0));
	CU_ASSERT_TRUE(world_flr(&r, 0)); /* the other's reset is no help */
	CU_ASSERT_TRUE(world_executes(&r));
	CU_ASSERT_TRUE(world_flr(&r, 1));
	CU_ASSERT_EQUAL(world_wait(&r), GV_GIOV_ABORTED);
	CU_ASSERT_EQUAL(world_why(&r), GV_WORLD_RESET);
	CU_ASSERT_EQUAL(rig_rd(&r, GV_DEV_PF, GVX_STALL__BYTE), 0);
	/* or when the fault is taken back */
	rig_wr(&r, GV_DEV_PF, GVX_STALL__BYTE, 1);
	DONE(INIT, 0);
	DONE(RUN, 0);
	world_begin(&r, GV_GIOV_IDLE, 0);
	CU_ASSERT_TRUE(is_stalled(0));
	rig_wr(&r, GV_DEV_PF, GVX_STALL__BYTE, 0);
	CU_ASSERT_EQUAL(world_wait(&r), GV_GIOV_DONE);
	CU_ASSERT_EQUAL(world_state(&r, 0), GV_WORLD_IDLE);
	/* a reset of the PF takes everything back */
	DONE(RUN, 0);
	rig_wr(&r, GV_DEV_PF, GVX_STALL__BYTE, 1);
	world_begin(&r, GV_GIOV_IDLE, 0);
	CU_ASSERT_TRUE(is_stalled(0));
	CU_ASSERT_EQUAL(gv_dev_reset(r.dev, GV_DEV_PF), 0);
	CU_ASSERT_FALSE(world_executes(&r));
	gv_dev_set_vfs(r.dev, 2);
	CU_ASSERT_EQUAL(world_state(&r, 0), GV_WORLD_FREE);
	DONE(IDLE, 0);
	rig_close(&r);
}

struct flood {
	struct rig *r;
	unsigned kind;
	_Atomic bool *stop;
};

static void *flood(void *arg)
{
	struct flood *f = arg;
	uint32_t s = 99 + f->kind;

	while (!atomic_load(f->stop)) {
		s = s * 1664525u + 1013904223u;
		if (f->kind == 0)
			rig_wr(f->r, GV_DEV_PF, RLC_GPU_IOV_CFG_REG1__BYTE,
			       world_word(1 + (s >> 20) % 13, s >> 30 & 1, s >> 31));
		else if (f->kind == 1 && s % 16 == 0)
			rig_wr(f->r, GV_DEV_PF, GVX_VF_RESET__BYTE, 1 + (s >> 30) % 3);
		else if (f->kind == 1)
			rig_wr(f->r, GV_DEV_PF, GVX_STALL__BYTE, s >> 28);
		else
			(void)gv_dev_read(f->r->dev, GV_DEV_PF, GV_REGION_CONFIG,
			                  GV_CFG_GPUIOV + (s >> 8) % 0xf0, &s, 4);
		if (f->kind == 2 && s % 64 == 0)
			gv_dev_set_vfs(f->r->dev, s >> 10 & 1 ? 2 : 1);
	}
	return NULL;
}

static void a_flood_of_commands_and_resets_ends_well(void)
{
	_Atomic bool stop = false;
	pthread_t t[3];
	struct flood f[3];

	world_open(&r);
	world_launch_endless(&r, VF0, 1, 64);
	for (unsigned k = 0; k < 3; k++) {
		f[k] = (struct flood){&r, k, &stop};
		CU_ASSERT_EQUAL_FATAL(pthread_create(&t[k], NULL, flood, &f[k]), 0);
	}
	(void)usleep(300000);
	atomic_store(&stop, true);
	for (unsigned k = 0; k < 3; k++)
		(void)pthread_join(t[k], NULL);
	rig_wr(&r, GV_DEV_PF, GVX_STALL__BYTE, 0);
	CU_ASSERT_TRUE(world_wait(&r) >= 0);
	CU_ASSERT_TRUE(world_flr(&r, 0));
	gv_dev_set_vfs(r.dev, 0);
	gv_dev_set_vfs(r.dev, 2);
	rig_admit_vf(&r, 0);
	CU_ASSERT_TRUE(rig_start(&r, VF0, 2));
	DONE(IDLE, 0);
	DONE(SAVE, 0);
	DONE(LOAD, 0);
	DONE(RUN, 0);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 20000));
	rig_close(&r);
}

/* ---- interrupts ---------------------------------------------------------- */

#define CAP(off) (GV_CFG_GPUIOV + (off))

static uint32_t cfg_rd(unsigned off)
{
	uint32_t v = 0;

	CU_ASSERT_EQUAL(gv_dev_read(r.dev, GV_DEV_PF, GV_REGION_CONFIG, CAP(off), &v, 4), 0);
	return v;
}

static void cfg_wr(unsigned off, uint32_t v)
{
	CU_ASSERT_EQUAL(gv_dev_write(r.dev, GV_DEV_PF, GV_REGION_CONFIG, CAP(off), &v, 4), 0);
}

static bool next_status(uint32_t *bits)
{
	struct gv_ih_iv iv;

	if (!rig_find_iv(&r, GV_DEV_PF, GV_IH_SRC_BIF_GPUIOV, &iv, 20000))
		return false;
	*bits = iv.dw[4];
	return true;
}

static void the_pf_is_told_of_ends_and_of_work(void)
{
	const uint32_t complete = GV_PUT(GIOV_INTR_STATUS, GFX_CMD_COMPLETE_INTR_STATUS, 1);
	const uint32_t busy = GV_PUT(GIOV_INTR_STATUS, GFX_VM_BUSY_TRANSITION_INTR_STATUS, 1);
	struct gv_ih_iv iv;
	uint32_t bits = 0;

	world_open(&r);
	rig_start_kiq(&r, GV_DEV_PF); /* its interrupt ring */
	DONE(IDLE, 0);
	CU_ASSERT_FALSE(rig_next_iv(&r, GV_DEV_PF, &iv, 5)); /* nobody asked */
	CU_ASSERT_EQUAL(cfg_rd(GIOV_INTR_STATUS__OFF), complete);
	cfg_wr(GIOV_INTR_STATUS__OFF, complete);
	CU_ASSERT_EQUAL(cfg_rd(GIOV_INTR_STATUS__OFF), 0);
	/* by the command itself */
	cfg_wr(GIOV_GFXSCH_DW1__OFF, world_word(GV_GIOV_SAVE, 0, 0) |
	                                     GV_PUT(RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE_INTR_EN, 1));
	CU_ASSERT_TRUE(next_status(&bits));
	CU_ASSERT_EQUAL(bits, complete);
	CU_ASSERT_EQUAL(cfg_rd(GIOV_GFXSCH_DW2__OFF), GV_GIOV_DONE);
	/* by the enable register */
	cfg_wr(GIOV_INTR_STATUS__OFF, complete);
	cfg_wr(GIOV_INTR_ENABLE__OFF, GV_PUT(GIOV_INTR_ENABLE, GFX_CMD_COMPLETE_INTR_EN, 1));
	DONE(LOAD, 0);
	CU_ASSERT_TRUE(next_status(&bits));
	CU_ASSERT_EQUAL(bits, complete);
	DONE(RUN, 0);
	CU_ASSERT_TRUE(next_status(&bits));
	/* a doorbell, then its end */
	cfg_wr(GIOV_INTR_ENABLE__OFF, GV_PUT(GIOV_INTR_ENABLE, GFX_VM_BUSY_TRANSITION_INTR_EN, 1));
	world_launch_endless(&r, VF0, 1, 64);
	CU_ASSERT_TRUE(next_status(&bits));
	CU_ASSERT_EQUAL(bits, busy);
	CU_ASSERT_EQUAL(cfg_rd(GIOV_GFXSCH_DW3__OFF), 1);
	CU_ASSERT_TRUE(world_flr(&r, 0));
	rig_admit_vf(&r, 0);
	DONE(INIT, 0);
	DONE(RUN, 0);
	CU_ASSERT_TRUE(next_status(&bits));
	CU_ASSERT_EQUAL(bits, busy);
	CU_ASSERT_EQUAL(cfg_rd(GIOV_GFXSCH_DW3__OFF), 0);
	rig_close(&r);
}

/* And what the registers show is what is so. */
static void mode_1_lets_every_vf_go_from_every_state(void)
{
	world_open(&r);
	for (unsigned s = 0; s < GV_ARRAY_LEN(states); s++) {
		for (unsigned k = 0; states[s].cmd[k]; k++)
			CU_ASSERT_EQUAL(world_do(&r, states[s].cmd[k], 1), GV_GIOV_DONE);
		rig_wr(&r, GV_DEV_PF, MP0_SMN_C2PMSG_64__BYTE,
		       GV_PUT(PSP_C2PMSG, COMMAND, GV_PSP_MODE1_RST));
		CU_ASSERT_TRUE(rig_wait_reg(&r, GV_DEV_PF, MP0_SMN_C2PMSG_33__BYTE,
		                            GV_PUT(PSP_C2PMSG, RESPONSE, 1), 20000));
		CU_ASSERT_EQUAL(world_state(&r, 1), GV_WORLD_FREE);
		CU_ASSERT_FALSE(world_is_saved(&r, 1));
		DONE(IDLE, 1);
		DONE(RUN, 1);
		DONE(IDLE, 1);
		world_set_area(&r, WORLD_CSA, WORLD_SLOT);
		DONE(SAVE, 1);
		DONE(INIT, 1);
		DONE(RUN, 1);
		gv_dev_set_vfs(r.dev, 1);
		gv_dev_set_vfs(r.dev, 2);
	}
	rig_close(&r);
}

static void a_vf_reaches_none_of_it(void)
{
	static const uint32_t reg[] = {
	        RLC_GPU_IOV_CFG_REG1__BYTE,      RLC_GPU_IOV_CFG_REG6__BYTE,
	        RLC_GPU_IOV_ACTIVE_FCN_ID__BYTE, GVX_STALL__BYTE,
	        GVX_WORLD_ERROR__BYTE,           GVX_VF0_WORLD__BYTE,
	};

	world_open(&r);
	for (size_t k = 0; k < GV_ARRAY_LEN(reg); k++) {
		uint32_t was = rig_rd(&r, GV_DEV_PF, reg[k]);

		rig_wr(&r, VF0, reg[k], world_word(GV_GIOV_IDLE, 1, 0));
		CU_ASSERT_EQUAL(rig_rd(&r, VF0, reg[k]), 0);
		CU_ASSERT_EQUAL(rig_rd(&r, GV_DEV_PF, reg[k]), was);
	}
	CU_ASSERT_EQUAL(world_state(&r, 1), GV_WORLD_FREE);
	rig_close(&r);
}

UT_MAIN("world", UT(commands_are_taken_from_the_right_states_only),
        UT(functions_that_are_not_there_are_refused), UT(what_runs_is_shown),
        UT(doorbells_of_a_vf_that_is_away_wait), UT(after_save_the_engines_hold_nothing),
        UT(who_gives_a_command_does_not_wait_for_the_vf), UT(a_queue_killed_while_away_stays_dead),
        UT(a_reset_in_every_state_shuts_the_vf_down),
        UT(a_stalled_idle_ends_with_the_reset_of_its_vf),
        UT(a_flood_of_commands_and_resets_ends_well), UT(the_pf_is_told_of_ends_and_of_work),
        UT(mode_1_lets_every_vf_go_from_every_state), UT(a_vf_reaches_none_of_it))
