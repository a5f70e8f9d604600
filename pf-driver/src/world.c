/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "pf.h"

_Static_assert(SCHED_MAX_VFS == GV_PF_MAX_VFS, "one for each");

#define SPIN_NS      (60 * GV_US)  /* most commands are over by then */
#define POLL_NS      (100 * GV_US) /* between two looks at one that is not, at first */
#define POLL_MAX_NS  (2 * GV_MS)
#define POLL_TOLD_NS GV_MS /* of a GPU that tells of ends, before the first look */
#define MIN_LOOKS    20u   /* before it is a hang: it may be us who did not run */
#define MAX_COMMANDS 8u    /* in one call */
#define MAX_ABORTED  3u    /* in a row: something is wrong with that VF */

/* ---- who is in which state ---------------------------------------------------- */

static enum gv_mbox_state session(const struct gv_pf *pf, unsigned vf)
{
	return pf->mbox.vf[vf].state;
}

/* Somebody may have work in its queues. Being reset, it is not touched any more. */
static bool engaged(const struct gv_pf *pf, unsigned vf)
{
	enum gv_mbox_state s = session(pf, vf);

	return s != GV_MBOX_OFF && s != GV_MBOX_IDLE && s != GV_MBOX_RESET && s != GV_MBOX_FAILED;
}

static bool being_reset(const struct gv_pf *pf, unsigned vf)
{
	return session(pf, vf) == GV_MBOX_RESET || session(pf, vf) == GV_MBOX_FAILED;
}

bool pf_world_alone(const struct gv_pf *pf)
{
	return !pf->world.unsupported && pf->plan.policy != GV_CFG_SCHED_NONE;
}

static bool has_engines(const struct pf_world_vf *v)
{
	return v->at == GV_WORLD_RUNNING || v->at == GV_WORLD_FREE;
}

bool pf_world_runs(const struct gv_pf *pf, unsigned vf)
{
	return engaged(pf, vf) && has_engines(&pf->world.vf[vf]);
}

static void ask_where(struct gv_pf *pf, unsigned vf)
{
	uint32_t now = gv_rd32(pf->bus, GV_BYTE_N(GVX_VF0_WORLD, vf));

	pf->world.vf[vf].at = GV_GET(now, GVX_VF0_WORLD, STATE);
	pf->world.vf[vf].saved = GV_GET(now, GVX_VF0_WORLD, SAVED);
}

static void members_follow(struct gv_pf *pf)
{
	struct pf_world *w = &pf->world;

	w->members = 0;
	for (unsigned i = 0; i < pf->plan.num_vfs; i++) {
		sched_join(&w->sched, i, engaged(pf, i) && !w->vf[i].lost);
		w->members += w->sched.vf[i].member;
	}
}

/* ---- commands ------------------------------------------------------------------ */

static const char *command_name(enum gv_giov_cmd cmd)
{
	static const char *const names[] = {
	        [GV_GIOV_IDLE] = "IDLE",         [GV_GIOV_SAVE] = "SAVE",
	        [GV_GIOV_LOAD] = "LOAD",         [GV_GIOV_RUN] = "RUN",
	        [GV_GIOV_INIT] = "INIT",         [GV_GIOV_CONTEXT_SWITCH] = "CONTEXT_SWITCH",
	        [GV_GIOV_SHUTDOWN] = "SHUTDOWN",
	};
	const char *name = cmd < GV_ARRAY_LEN(names) ? names[cmd] : NULL;

	return name ? name : "command";
}

static void give(struct gv_pf *pf, enum gv_giov_cmd cmd, unsigned vf, int next)
{
	struct pf_world *w = &pf->world;
	uint32_t word = GV_PUT(RLC_GPU_IOV_CFG_REG1, CMD_TYPE, cmd) |
	                GV_PUT(RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE, 1) |
	                GV_PUT(RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE_INTR_EN, 1) |
	                GV_PUT(RLC_GPU_IOV_CFG_REG1, FCN_ID, GV_GIOV_FCN_VF(vf));

	if (next >= 0)
		word |= GV_PUT(RLC_GPU_IOV_CFG_REG1, NEXT_FCN_ID, GV_GIOV_FCN_VF((unsigned)next));
	w->cmd = cmd;
	w->cmd_vf = vf;
	w->cmd_next = next;
	w->cmd_late = false;
	w->cmd_looks = 0;
	w->cmd_ns = gv_now_ns();
	w->cmd_end_ns = 0;
	w->cmd_due_ns = w->cmd_ns + (w->tells_ends ? POLL_TOLD_NS : POLL_NS);
	if (!w->switch_ns && pf_world_alone(pf))
		w->switch_ns = w->cmd_ns;
	gv_wr32(pf->bus, RLC_GPU_IOV_CFG_REG1__BYTE, word);
}

static void note_switch(struct gv_pf *pf, unsigned vf, uint64_t now_ns)
{
	struct pf_world *w = &pf->world;
	struct pf_world_vf *v = &w->vf[vf];
	uint64_t ns = now_ns - w->switch_ns;

	if (!w->switch_ns)
		return;
	pf_trace(pf, GV_PF_TRACE_SWITCH, (int)vf, w->switch_ns, now_ns, "%s", "");
	v->switch_ns[v->switches++ % GV_PF_SWITCHES] = (uint32_t)GV_MIN(ns, UINT32_MAX);
	v->switch_sum_ns += ns;
	w->switches++;
	w->switch_ns = 0;
}

static void stopped(struct gv_pf *pf, unsigned vf, uint64_t now_ns)
{
	struct sched *s = &pf->world.sched;

	if (s->running != (int)vf)
		return;
	pf_trace(pf, GV_PF_TRACE_SLICE, (int)vf, s->began_ns, now_ns, "%s", "");
	sched_stopped(s, pf->world.window_ns || !s->vf[vf].member || s->vf[vf].held, now_ns);
}

/* When a VF that was switched had the engines no more. What a switch takes is nobody's time; only
 * what it takes longer than quick ones did of late is that of the VF that did not let go. */
static uint64_t let_go_ns(struct pf_world *w, uint64_t now_ns)
{
	uint64_t took_ns = now_ns - w->cmd_ns;

	w->usual_ns = w->usual_ns ? GV_MIN(took_ns, w->usual_ns + w->usual_ns / 64) : took_ns;
	return now_ns - w->usual_ns;
}

/* What a command that has ended has made of the VFs. */
static void took_effect(struct gv_pf *pf, uint64_t now_ns)
{
	struct pf_world *w = &pf->world;
	struct pf_world_vf *v = &w->vf[w->cmd_vf];

	v->aborted = 0;
	switch (w->cmd) {
	case GV_GIOV_IDLE:
		v->at = GV_WORLD_IDLE;
		stopped(pf, w->cmd_vf, now_ns);
		break;
	case GV_GIOV_SAVE:
		v->at = GV_WORLD_OUT;
		v->saved = true;
		break;
	case GV_GIOV_SHUTDOWN:
		v->at = GV_WORLD_OUT;
		v->saved = v->fresh = false;
		break;
	case GV_GIOV_LOAD:
	case GV_GIOV_INIT:
		v->at = GV_WORLD_READY;
		v->saved = v->fresh = false;
		break;
	case GV_GIOV_RUN:
		v->at = GV_WORLD_RUNNING;
		v->stays = false;
		w->came_ns = now_ns;
		note_switch(pf, w->cmd_vf, gv_now_ns());
		break;
	case GV_GIOV_CONTEXT_SWITCH:
		v->at = GV_WORLD_OUT;
		v->saved = true;
		stopped(pf, w->cmd_vf, let_go_ns(w, now_ns));
		w->vf[w->cmd_next].at = GV_WORLD_RUNNING;
		w->vf[w->cmd_next].saved = false;
		w->came_ns = now_ns;
		note_switch(pf, (unsigned)w->cmd_next, gv_now_ns());
		break;
	default:
		break;
	}
}

/* ---- when a command fails ------------------------------------------------------ */

static void lose(struct gv_pf *pf, unsigned vf, const char *what)
{
	struct pf_world_vf *v = &pf->world.vf[vf];

	if (v->lost)
		return;
	v->lost = true;
	v->hangs++;
	pf->world.hangs++;
	pf_contain_hang(pf, vf, what);
}

/* Of a switch it is the first VF, unless the GPU is through with that. */
static unsigned culprit(struct gv_pf *pf)
{
	struct pf_world *w = &pf->world;

	if (w->cmd_next < 0)
		return w->cmd_vf;
	ask_where(pf, w->cmd_vf);
	return w->vf[w->cmd_vf].at == GV_WORLD_OUT ? (unsigned)w->cmd_next : w->cmd_vf;
}

static void timed_out(struct gv_pf *pf)
{
	struct pf_world *w = &pf->world;
	unsigned vf = culprit(pf);
	char what[64];

	w->cmd_late = true;
	w->switch_ns = 0;
	(void)snprintf(what, sizeof(what), "no answer to %s within %u ms", command_name(w->cmd),
	               pf->plan.vf[vf].preempt_timeout_ms);
	lose(pf, vf, what);
}

static void ask_where_all(struct gv_pf *pf)
{
	struct pf_world *w = &pf->world;
	uint64_t now_ns = gv_now_ns();

	for (unsigned i = 0; i < pf->plan.num_vfs; i++) {
		ask_where(pf, i);
		if (!has_engines(&w->vf[i]))
			stopped(pf, i, now_ns);
	}
}

/* More waves in flight than its area holds. It is stopped all the same, and other engines are
 * there for others: an ability of the emulated GPU. */
static void stays(struct gv_pf *pf, unsigned vf)
{
	struct pf_world_vf *v = &pf->world.vf[vf];

	v->stays = true;
	if (!v->stayed)
		PF_LOG(pf, GV_LOG_WARN,
		       "VF%u: its state does not fit into %u KiB, continuing with it in the "
		       "engines",
		       vf, pf->plan.csa_kib);
	v->stayed = true;
}

/* A VF that was reset on the way has nothing to be saved: that is no fault of it. */
static void aborted(struct gv_pf *pf)
{
	struct pf_world *w = &pf->world;
	uint32_t error = gv_rd32(pf->bus, GVX_WORLD_ERROR__BYTE);
	unsigned why = GV_GET(error, GVX_WORLD_ERROR, WHY), vf = culprit(pf);
	char what[64];

	ask_where_all(pf);
	w->switch_ns = 0;
	if (why == GV_WORLD_AREA_TOO_SMALL && w->vf[vf].at == GV_WORLD_IDLE) {
		stays(pf, vf);
		return;
	}
	if (why == GV_WORLD_RESET || ++w->vf[vf].aborted < MAX_ABORTED)
		return;
	w->vf[vf].aborted = 0;
	(void)snprintf(what, sizeof(what), "%s was aborted, GVX_WORLD_ERROR %u",
	               command_name(w->cmd), why);
	lose(pf, vf, what);
}

static void unsupported(struct gv_pf *pf)
{
	pf->world.unsupported = true;
	pf->world.switch_ns = 0;
	pf_event(pf, GV_PF_EVENT_GPU, -1,
	         "this GPU takes no world-switch commands: VFs run side by side, policy %s is "
	         "not in force",
	         gv_cfg_sched_name(pf->plan.policy));
}

/* On a busy host we look late, and whoever got the engines uses them already: it is its time. */
static uint64_t ended_ns(const struct pf_world *w)
{
	if (w->cmd_end_ns)
		return w->cmd_end_ns;
	return GV_MIN(gv_now_ns(), GV_MAX(w->cmd_due_ns, w->cmd_ns + w->usual_ns));
}

/* Has the command under way ended? */
static bool ended(struct gv_pf *pf)
{
	struct pf_world *w = &pf->world;
	uint32_t word = gv_rd32(pf->bus, RLC_GPU_IOV_CFG_REG1__BYTE), status;

	if (GV_GET(word, RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE))
		return false;
	status = GV_GET(gv_rd32(pf->bus, RLC_GPU_IOV_CFG_REG2__BYTE), RLC_GPU_IOV_CFG_REG2,
	                CMD_STATUS);
	if (status == GV_GIOV_DONE)
		took_effect(pf, ended_ns(w));
	else if (status == GV_GIOV_UNSUPPORTED)
		unsupported(pf);
	else
		aborted(pf);
	w->cmd = 0;
	return true;
}

/* Wait for it, for as long as it is worth. */
static bool await(struct gv_pf *pf, uint64_t *again_ns)
{
	struct pf_world *w = &pf->world;
	uint64_t now_ns = gv_now_ns();
	uint64_t timeout_ns = pf->plan.vf[w->cmd_vf].preempt_timeout_ms * GV_MS;
	unsigned spins = 0;

	if (w->tells_ends && !w->cmd_end_ns && now_ns < w->cmd_due_ns) {
		*again_ns = w->cmd_due_ns;
		return false;
	}
	for (;;) {
		w->cmd_looks++;
		if (ended(pf))
			return true;
		now_ns = gv_now_ns();
		if (w->tells_ends || now_ns - w->cmd_ns >= SPIN_NS || gv_bus_status(pf->bus))
			break;
		gv_poll_pause(&spins);
	}
	if (!w->cmd_late && w->cmd_looks >= MIN_LOOKS && now_ns - w->cmd_ns >= timeout_ns)
		timed_out(pf);
	*again_ns = now_ns + GV_MIN(GV_MAX(POLL_NS, (now_ns - w->cmd_ns) / 8), POLL_MAX_NS);
	w->cmd_due_ns = *again_ns + POLL_NS;
	return false;
}

/* ---- what comes next --------------------------------------------------------------- */

/* The next command on the way to the engines; 0: it has them. */
static enum gv_giov_cmd to_start(const struct pf_world_vf *v)
{
	switch (v->at) {
	case GV_WORLD_IDLE:
		return v->stays ? GV_GIOV_RUN : GV_GIOV_SAVE;
	case GV_WORLD_OUT:
		return !v->saved ? GV_GIOV_INIT : v->fresh ? GV_GIOV_SHUTDOWN : GV_GIOV_LOAD;
	case GV_WORLD_READY:
		return GV_GIOV_RUN;
	default:
		return 0;
	}
}

/* And away from them; 0: it has nothing there. */
static enum gv_giov_cmd to_stop(const struct pf_world_vf *v)
{
	switch (v->at) {
	case GV_WORLD_IDLE:
		return v->stays ? 0 : GV_GIOV_SAVE;
	case GV_WORLD_READY:
		return GV_GIOV_RUN;
	case GV_WORLD_OUT:
		return 0;
	default:
		return GV_GIOV_IDLE;
	}
}

/* One that never had a guest has nothing that could run. */
static bool must_stop(const struct gv_pf *pf, unsigned vf)
{
	const struct pf_world_vf *v = &pf->world.vf[vf];

	if (v->lost || being_reset(pf, vf) || !to_stop(v))
		return false;
	return v->at != GV_WORLD_FREE || engaged(pf, vf);
}

static void give_stop(struct gv_pf *pf, unsigned vf, int next)
{
	const struct pf_world_vf *v = &pf->world.vf[vf], *n = next < 0 ? NULL : &pf->world.vf[next];

	if (n && n->at == GV_WORLD_OUT && !(n->fresh && n->saved) && has_engines(v))
		give(pf, GV_GIOV_CONTEXT_SWITCH, vf, next);
	else
		give(pf, to_stop(v), vf, -1);
}

/* One command towards @want having the engines alone, -1: nobody. False: that is so. */
static bool towards(struct gv_pf *pf, int want)
{
	int stop = -1;
	unsigned stops = 0;

	for (unsigned i = 0; i < pf->plan.num_vfs; i++) {
		if ((int)i == want || !must_stop(pf, i))
			continue;
		stop = stop < 0 ? (int)i : stop;
		stops++;
	}
	if (stops) {
		give_stop(pf, (unsigned)stop, stops == 1 ? want : -1);
		return true;
	}
	if (want < 0 || pf->world.vf[want].lost || !to_start(&pf->world.vf[want]))
		return false;
	give(pf, to_start(&pf->world.vf[want]), (unsigned)want, -1);
	return true;
}

/* Side by side: whoever was stopped before is let go. */
static bool towards_all(struct gv_pf *pf)
{
	struct pf_world *w = &pf->world;

	for (unsigned i = 0; i < pf->plan.num_vfs; i++) {
		enum gv_giov_cmd cmd = w->sched.vf[i].held && pf_window_of(w, i) < 0
		                               ? to_stop(&w->vf[i])
		                               : to_start(&w->vf[i]);

		if (!cmd || w->vf[i].lost || w->unsupported || !engaged(pf, i))
			continue;
		give(pf, cmd, i, -1);
		return true;
	}
	return false;
}

/* After a start or exclusive access: it has the engines, and its slice begins now. */
static void begin_slices(struct gv_pf *pf, uint64_t from_ns)
{
	struct pf_world *w = &pf->world;

	for (unsigned i = 0; w->sched.running < 0 && i < pf->plan.num_vfs; i++)
		if (w->sched.vf[i].member && !w->sched.vf[i].held && !w->sched.vf[i].waits &&
		    has_engines(&w->vf[i]))
			sched_began(&w->sched, i, from_ns);
}

/* Give the next command, if there is one. */
static bool go_on(struct gv_pf *pf, uint64_t now_ns, uint64_t *again_ns)
{
	struct pf_world *w = &pf->world;
	uint64_t from_ns = w->came_ns ? w->came_ns : now_ns, look_ns, window_ns;

	w->came_ns = 0;
	*again_ns = UINT64_MAX;
	members_follow(pf);
	if (!pf_world_alone(pf))
		return towards_all(pf);
	if (pf_window_is_due(w, now_ns)) {
		stopped(pf, w->window[0], now_ns); /* that was a slice; this is not */
		return towards(pf, w->window[0]);
	}
	window_ns = pf_window_next(w);
	begin_slices(pf, from_ns);
	look_ns = pf_world_look(pf, now_ns);
	if (towards(pf, sched_next(&w->sched, now_ns, again_ns)))
		return true;
	*again_ns = w->members ? GV_MIN(*again_ns, look_ns) : UINT64_MAX;
	*again_ns = GV_MIN(*again_ns, window_ns);
	return false;
}

uint64_t pf_world_step(struct gv_pf *pf, uint64_t now_ns)
{
	struct pf_world *w = &pf->world;
	uint64_t again_ns;

	if (!w->on || !pf->has_plan)
		return UINT64_MAX;
	pf_world_measure_shares(&pf->world, now_ns);
	for (unsigned n = 0; n < MAX_COMMANDS; n++) {
		if (w->cmd && !await(pf, &again_ns))
			return again_ns;
		if (!go_on(pf, gv_now_ns(), &again_ns))
			return again_ns;
	}
	return 0; /* others first */
}

/* ---- life ---------------------------------------------------------------------------- */

/* Who was restarted finds VFs as they are, and maybe a command that is not over. */
static void find(struct gv_pf *pf)
{
	struct pf_world *w = &pf->world;
	uint32_t word = gv_rd32(pf->bus, RLC_GPU_IOV_CFG_REG1__BYTE);
	unsigned vf = GV_GET(word, RLC_GPU_IOV_CFG_REG1, FCN_ID) & ~GV_GIOV_FCN_VF(0);
	unsigned next = GV_GET(word, RLC_GPU_IOV_CFG_REG1, NEXT_FCN_ID) & ~GV_GIOV_FCN_VF(0);
	int holder = pf->mbox.holder;

	for (unsigned i = 0; i < pf->plan.num_vfs; i++)
		ask_where(pf, i);
	if (holder >= 0 && session(pf, (unsigned)holder) == GV_MBOX_EXCLUSIVE)
		w->window[w->num_windows++] = (uint8_t)holder;
	if (!GV_GET(word, RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE) || vf >= pf->plan.num_vfs)
		return;
	w->cmd = GV_GET(word, RLC_GPU_IOV_CFG_REG1, CMD_TYPE);
	w->cmd_vf = vf;
	w->cmd_next = w->cmd == GV_GIOV_CONTEXT_SWITCH && next < pf->plan.num_vfs ? (int)next : -1;
	w->cmd_ns = gv_now_ns();
}

void pf_world_start(struct gv_pf *pf)
{
	struct pf_world *w = &pf->world;

	if (!w->on) {
		memset(w, 0, sizeof(*w));
		sched_init(&w->sched, pf->plan.policy);
		find(pf);
		for (unsigned i = 0; i < pf->plan.num_vfs; i++)
			w->sched.vf[i].held = pf->vf[i].contain.held;
		w->share_ns = w->look_ns = gv_now_ns();
		w->on = true;
	}
	w->sched.policy = pf->plan.policy;
	for (unsigned i = 0; i < pf->plan.num_vfs; i++)
		sched_set(&w->sched, i, pf->plan.vf[i].quantum_ms * GV_MS, pf->plan.vf[i].weight,
		          pf->plan.vf[i].priority);
	if (!pf_world_alone(pf))
		pf_world_interrupts(pf, false);
}

void pf_world_stop(struct gv_pf *pf)
{
	pf_world_interrupts(pf, false);
	pf->world.on = false;
}

/* ---- exclusive access, resets, holding ------------------------------------------------- */

bool pf_world_entered(const struct gv_pf *pf, unsigned vf)
{
	const struct pf_world *w = &pf->world;

	if (!has_engines(&w->vf[vf]))
		return false;
	if (!pf_world_alone(pf))
		return true;
	for (unsigned i = 0; i < pf->plan.num_vfs; i++)
		if (i != vf && must_stop(pf, i))
			return false;
	return !w->cmd && w->window_ns && pf_window_of(w, vf) == 0;
}

void pf_world_forget(struct gv_pf *pf, unsigned vf)
{
	struct pf_world_vf *v = &pf->world.vf[vf];

	stopped(pf, vf, gv_now_ns());
	pf->world.sched.vf[vf].credit_ns = 0;
	v->lost = v->fresh = v->stays = false;
	v->aborted = 0;
	ask_where(pf, vf);
}

void pf_world_hold(struct gv_pf *pf, unsigned vf, bool hold)
{
	pf->world.sched.vf[vf].held = hold;
}
