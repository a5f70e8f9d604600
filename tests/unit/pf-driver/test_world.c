/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The world switch against commands that end late, never, wrongly, or are not known at all. */
#include <stdio.h>
#include <string.h>

#include "pf.h"
#include "ut.h"

#define WAIT_NS (20 * GV_S) /* for what must come; ends early */

/* A GPU of which only the scheduler is there. */
struct fake {
	struct gv_bus bus;
	struct gv_pf pf;
	uint32_t cmd, status, error, busy, stall;
	bool unsupported, abort;
	unsigned late, left; /* looks until a command has ended */
	enum gv_world_state at[SCHED_MAX_VFS];
	bool saved[SCHED_MAX_VFS];
	unsigned count[16], commands, wrong; /* wrong: not from that state */
	unsigned events;
	char last_event[240];
};

static struct fake *of(struct gv_bus *bus)
{
	return (struct fake *)bus;
}

static unsigned field_vf(uint32_t fcn)
{
	return fcn & 15u;
}

static bool move(struct fake *f, unsigned vf, enum gv_world_state from,
                 enum gv_world_state also_from, enum gv_world_state to)
{
	if (f->at[vf] != from && f->at[vf] != also_from)
		return false;
	f->at[vf] = to;
	return true;
}

static bool act(struct fake *f, unsigned cmd, unsigned vf, unsigned next)
{
	switch (cmd) {
	case GV_GIOV_IDLE:
		return move(f, vf, GV_WORLD_RUNNING, GV_WORLD_FREE, GV_WORLD_IDLE);
	case GV_GIOV_SAVE:
		f->saved[vf] = f->at[vf] == GV_WORLD_IDLE;
		return move(f, vf, GV_WORLD_IDLE, GV_WORLD_IDLE, GV_WORLD_OUT);
	case GV_GIOV_LOAD:
		return f->saved[vf] && move(f, vf, GV_WORLD_OUT, GV_WORLD_OUT, GV_WORLD_READY);
	case GV_GIOV_INIT:
		return move(f, vf, GV_WORLD_OUT, GV_WORLD_OUT, GV_WORLD_READY);
	case GV_GIOV_SHUTDOWN:
		f->saved[vf] = false;
		return move(f, vf, GV_WORLD_OUT, GV_WORLD_OUT, GV_WORLD_OUT);
	case GV_GIOV_RUN:
		f->saved[vf] = false;
		return move(f, vf, GV_WORLD_READY, GV_WORLD_READY, GV_WORLD_RUNNING);
	case GV_GIOV_CONTEXT_SWITCH:
		return act(f, GV_GIOV_IDLE, vf, 0) && act(f, GV_GIOV_SAVE, vf, 0) &&
		       act(f, f->saved[next] ? GV_GIOV_LOAD : GV_GIOV_INIT, next, 0) &&
		       act(f, GV_GIOV_RUN, next, 0);
	default:
		return false;
	}
}

static bool stalled(const struct fake *f, unsigned cmd, unsigned vf)
{
	return (cmd == GV_GIOV_IDLE || cmd == GV_GIOV_CONTEXT_SWITCH) && (f->stall >> vf & 1);
}

/* The command ends when it has been looked at often enough. */
static void progress(struct fake *f)
{
	unsigned cmd = GV_GET(f->cmd, RLC_GPU_IOV_CFG_REG1, CMD_TYPE);
	unsigned vf = field_vf(GV_GET(f->cmd, RLC_GPU_IOV_CFG_REG1, FCN_ID));
	unsigned next = field_vf(GV_GET(f->cmd, RLC_GPU_IOV_CFG_REG1, NEXT_FCN_ID));
	bool good;

	if (!GV_GET(f->cmd, RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE) || stalled(f, cmd, vf) || f->left--)
		return;
	f->cmd &= ~GV_PUT(RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE, 1);
	good = !f->abort && act(f, cmd, vf, next);
	f->wrong += !f->abort && !good;
	f->status = good ? GV_GIOV_DONE : GV_GIOV_ABORTED;
	f->error = GV_PUT(GVX_WORLD_ERROR, WHY, GV_WORLD_BAD_IMAGE);
}

static uint32_t read32(struct gv_bus *bus, uint32_t byte)
{
	struct fake *f = of(bus);
	uint32_t vf = (byte - GVX_VF0_WORLD__BYTE) / 4;

	if (byte == RLC_GPU_IOV_CFG_REG1__BYTE)
		progress(f);
	if (byte == RLC_GPU_IOV_CFG_REG1__BYTE)
		return f->cmd;
	if (byte == RLC_GPU_IOV_CFG_REG2__BYTE)
		return f->status;
	if (byte == RLC_GPU_IOV_VM_BUSY_STATUS__BYTE)
		return f->busy;
	if (byte == GVX_WORLD_ERROR__BYTE)
		return f->error;
	if (byte >= GVX_VF0_WORLD__BYTE && vf < SCHED_MAX_VFS)
		return GV_PUT(GVX_VF0_WORLD, STATE, f->at[vf]) |
		       GV_PUT(GVX_VF0_WORLD, SAVED, f->saved[vf]);
	return 0;
}

static void write32(struct gv_bus *bus, uint32_t byte, uint32_t val)
{
	struct fake *f = of(bus);

	if (byte != RLC_GPU_IOV_CFG_REG1__BYTE)
		return;
	CU_ASSERT(!GV_GET(f->cmd, RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE)); /* one at a time */
	CU_ASSERT(GV_GET(val, RLC_GPU_IOV_CFG_REG1, FCN_ID) & 0x80);
	f->cmd = val;
	f->left = f->late;
	f->commands++;
	f->count[GV_GET(val, RLC_GPU_IOV_CFG_REG1, CMD_TYPE)]++;
	if (!f->unsupported)
		return;
	f->cmd &= ~GV_PUT(RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE, 1);
	f->status = GV_GIOV_UNSUPPORTED;
}

static int read_region(struct gv_bus *bus, enum gv_region region, uint64_t off, void *buf, size_t n)
{
	(void)bus;
	(void)region;
	(void)off;
	memset(buf, 0, n);
	return 0;
}

static int write_region(struct gv_bus *bus, enum gv_region region, uint64_t off, const void *buf,
                        size_t n)
{
	(void)bus;
	(void)region;
	(void)off;
	(void)buf;
	(void)n;
	return 0;
}

static int status(struct gv_bus *bus)
{
	(void)bus;
	return 0;
}

static void on_event(void *arg, const struct gv_pf_event *e)
{
	struct fake *f = arg;

	f->events++;
	(void)snprintf(f->last_event, sizeof(f->last_event), "%s", e->text);
}

/* @vfs of them, all with a guest that is done initialising, and with work. */
static struct fake *up(enum gv_cfg_sched policy, unsigned vfs)
{
	static const struct gv_bus_ops ops = {.read32 = read32,
	                                      .write32 = write32,
	                                      .read = read_region,
	                                      .write = write_region,
	                                      .status = status};
	struct gv_pf_caps caps = gv_pf_caps_default(0, 0);
	struct gv_cfg cfg = {.num_vfs = vfs, .policy = policy, .preempt_timeout_ms = 30};
	struct fake *f = calloc(1, sizeof(*f));

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	f->bus.ops = &ops;
	f->pf.bus = &f->bus;
	f->pf.cfg.event = on_event;
	f->pf.cfg.arg = f;
	pf_trace_init(&f->pf.trace);
	for (unsigned i = 0; i < vfs; i++)
		cfg.vfs[i].quantum_ms = cfg.vfs[i].weight = 1;
	CU_ASSERT_EQUAL_FATAL(gv_pf_plan(&caps, &cfg, &f->pf.plan, NULL), 0);
	CU_ASSERT_EQUAL(gv_mbox_pf_init(&f->pf.mbox, vfs, NULL), 0);
	for (unsigned i = 0; i < vfs; i++)
		f->pf.mbox.vf[i].state = GV_MBOX_ACTIVE;
	f->busy = (1u << vfs) - 1;
	f->pf.has_plan = f->pf.booted = true;
	pf_world_start(&f->pf);
	return f;
}

static void down(struct fake *f)
{
	CU_ASSERT_EQUAL(f->wrong, 0);
	pf_world_stop(&f->pf);
	pf_trace_done(&f->pf.trace);
	free(f);
}

static unsigned running(const struct fake *f)
{
	unsigned n = 0;

	for (unsigned i = 0; i < f->pf.plan.num_vfs; i++)
		n += f->at[i] == GV_WORLD_RUNNING;
	return n;
}

static void step(struct fake *f)
{
	uint64_t next = pf_world_step(&f->pf, gv_now_ns()), now = gv_now_ns();

	CU_ASSERT(!pf_world_alone(&f->pf) || running(f) <= 1);
	if (next > now + 200 * GV_US)
		gv_poll_pause(&(unsigned){0});
}

#define UNTIL(f, condition)                                                                        \
	do {                                                                                       \
		uint64_t end_ = gv_now_ns() + WAIT_NS;                                             \
		while (!(condition) && gv_now_ns() < end_)                                         \
			step(f);                                                                   \
		CU_ASSERT(condition);                                                              \
	} while (0)

static uint64_t slices(const struct fake *f, unsigned vf)
{
	return f->pf.world.sched.vf[vf].slices;
}

/* ---- cases -------------------------------------------------------------------------- */

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
	f->busy = 3; /* while a switch took 10 ms */
	(void)pf_world_look(&f->pf, w->look_ns + 10 * GV_MS);
	CU_ASSERT(w->sched.vf[1].busy);
	f->busy = 0; /* now it has seen an idle GPU, and is told of news */
	(void)pf_world_look(&f->pf, w->look_ns + 10 * GV_MS);
	(void)pf_world_look(&f->pf, w->look_ns + 10 * GV_MS);
	f->busy = 1;
	CU_ASSERT(pf_world_look(&f->pf, w->look_ns + 10 * GV_MS) > w->look_ns + 100 * GV_MS);
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
        UT(exclusive_access_is_alone_and_in_turn), UT(fresh_means_that_nothing_saved_comes_back),
        UT(the_policy_can_change_while_vfs_run), UT(who_is_held_has_no_engines_under_any_policy),
        UT(who_is_restarted_finds_out_where_everybody_is),
        UT(whatever_comes_no_command_is_out_of_order))
