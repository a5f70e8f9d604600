/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is done about a VF that hangs or does too much: the steps, one after the other, each with
 * its deadline and its event. The guard's rules are in guard.c. */
#include <stdio.h>
#include <string.h>

#include "journal.h"
#include "pf.h"

/* ---- engine time ------------------------------------------------------------------ */

/* A GPU that takes no world-switch commands has nothing to withhold but doorbells: what runs goes
 * on, nothing new begins. */
static void hold(struct gv_pf *pf, unsigned vf, bool on)
{
	struct pf_contain_vf *c = &pf->vf[vf].contain;

	if (c->held == on)
		return;
	c->held = on;
	pf_world_hold(pf, vf, on);
	pf_gates_hold(pf, vf, on && pf->world.unsupported);
}

/* Only what the GPU counts can be throttled by engine time; the mailbox holds back its own. */
static bool wants_hold(const struct gv_pf *pf, const struct pf_guard *g)
{
	bool hold = g->state >= GV_PF_GUARD_PAUSED;

	for (unsigned k = GV_CFG_GUARD_INTERRUPTS; k < GV_CFG_GUARDS; k++)
		hold = hold ||
		       (g->one[k].over && pf->plan.guard[k].policy == GV_CFG_GUARD_THROTTLE);
	return hold;
}

/* ---- hangs -------------------------------------------------------------------------- */

const char *gv_pf_contain_step_name(enum gv_pf_contain_step step)
{
	static const char *const names[GV_PF_CONTAIN_STEPS] = {
	        [GV_PF_CONTAIN_NONE] = "none",
	        [GV_PF_CONTAIN_TOLD] = "told",
	        [GV_PF_CONTAIN_FLR] = "flr",
	        [GV_PF_CONTAIN_GPU] = "gpu-reset",
	};

	return (unsigned)step < GV_PF_CONTAIN_STEPS ? names[step] : "unknown";
}

static void reset(struct gv_pf *pf, unsigned vf, enum gv_mbox_reason reason)
{
	struct gv_mbox_acts acts;

	if (!gv_mbox_pf_reset(&pf->mbox, vf, reason, gv_now_ns(), &acts))
		pf_actions_run(pf, &acts);
}

void pf_contain_hang(struct gv_pf *pf, unsigned vf, const char *what)
{
	struct pf_contain_vf *c;

	if (!pf_vf_enabled(pf, vf) || gv_pf_vf_resetting(pf, vf))
		return;
	c = &pf->vf[vf].contain;
	c->hangs++;
	c->began_ns = gv_now_ns();
	c->step = GV_PF_CONTAIN_TOLD;
	snprintf(c->what, sizeof(c->what), "%s", what);
	pf_event(pf, GV_PF_EVENT_CONTAIN, (int)vf,
	         "hangs: %s; step 1 of 3: its guest is told, and has %u ms to stop", what,
	         pf->mbox.cfg.notify_ms);
	reset(pf, vf, GV_MBOX_WHY_HANG);
}

void pf_contain_flr(struct gv_pf *pf, unsigned vf)
{
	struct pf_contain_vf *c = &pf->vf[vf].contain;

	if (c->step != GV_PF_CONTAIN_TOLD)
		return;
	c->step = GV_PF_CONTAIN_FLR;
	pf_event(pf, GV_PF_EVENT_CONTAIN, (int)vf, "step 2 of 3: FLR of the VF, %llu ms after: %s",
	         (unsigned long long)((gv_now_ns() - c->began_ns) / GV_MS), c->what);
}

void pf_contain_flr_failed(struct gv_pf *pf, unsigned vf)
{
	struct pf_contain_vf *c = &pf->vf[vf].contain;

	c->began_ns = c->step == GV_PF_CONTAIN_NONE ? gv_now_ns() : c->began_ns;
	c->step = GV_PF_CONTAIN_GPU;
	pf_event(pf, GV_PF_EVENT_CONTAIN, (int)vf,
	         "step 3 of 3: its FLR does not end, so the whole GPU is reset");
	pf_gpu_reset_for(pf, vf, "the FLR of a VF does not end");
}

static void contained(struct gv_pf *pf, unsigned vf, int result)
{
	struct pf_contain_vf *c = &pf->vf[vf].contain;

	if (c->step == GV_PF_CONTAIN_NONE)
		return;
	c->last_ns = gv_now_ns() - c->began_ns;
	pf_event(pf, GV_PF_EVENT_CONTAIN, (int)vf, "%s after %llu ms, by %s: %s",
	         result ? "not contained" : "contained", (unsigned long long)(c->last_ns / GV_MS),
	         c->step == GV_PF_CONTAIN_GPU ? "a reset of the whole GPU" : "its FLR",
	         c->what[0] ? c->what : "its FLR did not end");
	c->step = GV_PF_CONTAIN_NONE;
}

/* ---- quarantine ---------------------------------------------------------------------- */

/* On disk, for the next daemon. */
struct quarantine_note {
	uint32_t quarantined;
	char why[96];
};

static void note(struct gv_pf *pf, unsigned vf, bool quarantined)
{
	struct quarantine_note n;

	memset(&n, 0, sizeof(n));
	n.quarantined = quarantined;
	memcpy(n.why, pf->vf[vf].contain.guard_why, sizeof(n.why));
	pf_journal_note(pf, PF_JOURNAL_GUARD, (int)vf, &n, sizeof(n));
}

/* What the guard knows, on disk. Times are of a clock that goes on; the GPU's counters, too. */
struct counts_note {
	struct pf_guard guard;
	uint32_t seen[GV_CFG_GUARDS];
	uint64_t since_ms;
	char why[sizeof(((struct pf_contain_vf *)0)->guard_why)];
};

static void note_counts(struct gv_pf *pf, unsigned vf, uint64_t now_ns)
{
	struct pf_contain_vf *c = &pf->vf[vf].contain;
	struct counts_note n;

	memset(&n, 0, sizeof(n));
	n.guard = c->guard;
	n.since_ms = c->guard_since_ms;
	memcpy(n.seen, c->seen, sizeof(n.seen));
	memcpy(n.why, c->guard_why, sizeof(n.why));
	c->noted_ns = now_ns;
	pf_journal_note(pf, PF_JOURNAL_COUNTS, (int)vf, &n, sizeof(n));
}

static bool is_possible(const struct pf_guard *g, uint64_t now_ns)
{
	bool ok = (unsigned)g->state < GV_PF_GUARD_QUARANTINED;

	for (unsigned k = 0; k < GV_CFG_GUARDS; k++)
		ok = ok && g->one[k].hit_ns <= now_ns && g->one[k].acted_ns <= now_ns;
	return ok;
}

static void adopt_counts(struct gv_pf *pf, unsigned vf)
{
	struct pf_contain_vf *c = &pf->vf[vf].contain;
	struct counts_note n;
	size_t bytes;
	const void *last = pf_journal_last(pf, PF_JOURNAL_COUNTS, (int)vf, &bytes);

	if (!last || bytes != sizeof(n))
		return;
	memcpy(&n, last, sizeof(n));
	n.why[sizeof(n.why) - 1] = '\0';
	if (!is_possible(&n.guard, gv_now_ns()))
		return;
	c->guard = n.guard;
	c->guard_since_ms = n.since_ms;
	memcpy(c->guard_why, n.why, sizeof(c->guard_why));
	memcpy(c->seen, n.seen, sizeof(c->seen));
	c->seen_any = true;
}

static void set_why(struct pf_contain_vf *c, const char *why)
{
	snprintf(c->guard_why, sizeof(c->guard_why), "%s", why);
	c->guard_since_ms = pf_time_ms();
}

static void quarantine(struct gv_pf *pf, unsigned vf, enum gv_mbox_reason reason, const char *why)
{
	struct pf_contain_vf *c = &pf->vf[vf].contain;

	c->guard.state = GV_PF_GUARD_QUARANTINED;
	c->quarantine_next = true;
	set_why(c, why);
	note(pf, vf, true);
	pf_event(pf, GV_PF_EVENT_GUARD, (int)vf,
	         "quarantined: %s; it is reset, and nobody gets it until gpuvisor vf unquarantine "
	         "%u",
	         why, vf);
	hold(pf, vf, true);
	pf_gates_close(pf, vf, PF_GATE_ALL);
	reset(pf, vf, reason);
}

/* Nobody is listened to any more. */
static void shut_session(struct gv_pf *pf, unsigned vf)
{
	struct pf_contain_vf *c = &pf->vf[vf].contain;
	struct gv_mbox_acts acts;

	c->quarantine_next = false;
	c->quarantined = true;
	pf_gates_close(pf, vf, PF_GATE_ALL);
	if (!gv_mbox_pf_disable(&pf->mbox, vf, gv_now_ns(), &acts))
		pf_actions_run(pf, &acts);
}

bool pf_contain_reset_ended(struct gv_pf *pf, unsigned vf, int result)
{
	struct pf_contain_vf *c = &pf->vf[vf].contain;

	contained(pf, vf, result);
	if (!c->quarantine_next)
		return false;
	shut_session(pf, vf);
	return true;
}

int gv_pf_vf_quarantine(struct gv_pf *pf, unsigned vf, const char *why, struct gv_err *err)
{
	if (!pf_vf_enabled(pf, vf))
		return gv_fail(err, -ENODEV, "VF%u is not enabled", vf);
	if (pf->vf[vf].contain.guard.state == GV_PF_GUARD_QUARANTINED)
		return gv_fail(err, -EALREADY, "VF%u is in quarantine already", vf);
	quarantine(pf, vf, GV_MBOX_WHY_HOST, why);
	return 0;
}

int gv_pf_vf_unquarantine(struct gv_pf *pf, unsigned vf, struct gv_err *err)
{
	struct pf_contain_vf *c;
	struct gv_mbox_acts acts;

	if (!pf_vf_enabled(pf, vf))
		return gv_fail(err, -ENODEV, "VF%u is not enabled", vf);
	c = &pf->vf[vf].contain;
	if (c->guard.state != GV_PF_GUARD_QUARANTINED)
		return gv_fail(err, -EALREADY, "VF%u is not in quarantine", vf);
	if (!c->quarantined || gv_pf_gpu_resetting(pf))
		return gv_fail(err, -EBUSY, "VF%u is still being reset: try again in a moment", vf);
	memset(&c->guard, 0, sizeof(c->guard));
	c->quarantined = false;
	set_why(c, "");
	note(pf, vf, false);
	pf_event(pf, GV_PF_EVENT_GUARD, (int)vf, "out of quarantine, by the operator");
	hold(pf, vf, false);
	if (!gv_mbox_pf_enable(&pf->mbox, vf, gv_now_ns(), &acts))
		pf_actions_run(pf, &acts);
	reset(pf, vf, GV_MBOX_WHY_HOST);
	return 0;
}

void pf_contain_new(struct gv_pf *pf, unsigned vf)
{
	size_t bytes;

	if (pf_journal_last(pf, PF_JOURNAL_GUARD, (int)vf, &bytes))
		note(pf, vf, false);
	if (pf_journal_last(pf, PF_JOURNAL_COUNTS, (int)vf, &bytes))
		note_counts(pf, vf, 0);
}

void pf_contain_adopt(struct gv_pf *pf)
{
	for (unsigned i = 0; pf->has_plan && i < pf->plan.num_vfs; i++) {
		struct pf_contain_vf *c = &pf->vf[i].contain;
		struct quarantine_note n;
		size_t bytes;
		const void *last = pf_journal_last(pf, PF_JOURNAL_GUARD, (int)i, &bytes);

		adopt_counts(pf, i);
		hold(pf, i, wants_hold(pf, &c->guard));
		if (!last || bytes != sizeof(n))
			continue;
		memcpy(&n, last, sizeof(n));
		n.why[sizeof(n.why) - 1] = '\0';
		if (!n.quarantined)
			continue;
		c->guard.state = GV_PF_GUARD_QUARANTINED;
		set_why(c, n.why);
		hold(pf, i, true);
		if (pf->mbox.vf[i].state == GV_MBOX_OFF) {
			shut_session(pf, i);
			continue;
		}
		c->quarantine_next = true; /* it was on its way */
		reset(pf, i, GV_MBOX_WHY_GUARD);
	}
}

/* ---- guard ----------------------------------------------------------------------------- */

static const enum gv_cfg_guard_kind kinds[GV_MBOX_GUARDS] = {
        [GV_MBOX_GUARD_MSG] = GV_CFG_GUARD_MESSAGES,
        [GV_MBOX_GUARD_EXCLUSIVE] = GV_CFG_GUARD_EXCLUSIVE,
        [GV_MBOX_GUARD_EXCL_TIMEOUT] = GV_CFG_GUARD_EXCLUSIVE_TIMEOUTS,
        [GV_MBOX_GUARD_RESET] = GV_CFG_GUARD_FLRS,
        [GV_MBOX_GUARD_RAS] = GV_CFG_GUARDS, /* held back in the mailbox, and that is all */
};

static bool guarded(const struct gv_pf *pf)
{
	return pf->has_plan && !pf->cfg.mailbox.guard_off;
}

static uint32_t in_window(const struct gv_pf *pf, unsigned vf, enum gv_cfg_guard_kind kind,
                          uint64_t now_ns)
{
	for (unsigned k = 0; k < GV_MBOX_GUARDS; k++)
		if (kinds[k] == kind)
			return gv_mbox_pf_guard_count(&pf->mbox, vf, k, now_ns);
	return pf_guard_in_window(&pf->vf[vf].contain.guard, &pf->plan.guard[kind], kind, now_ns);
}

static void take_step(struct gv_pf *pf, unsigned vf, enum gv_cfg_guard_kind kind,
                      enum gv_cfg_guard_policy step, uint64_t now_ns)
{
	static const char *const what[GV_CFG_GUARD_POLICIES] = {
	        [GV_CFG_GUARD_THROTTLE] = "throttled",
	        [GV_CFG_GUARD_PAUSE] = "paused",
	        [GV_CFG_GUARD_FLR] = "reset",
	};
	struct pf_contain_vf *c = &pf->vf[vf].contain;
	const struct gv_cfg_guard *rule = &pf->plan.guard[kind];
	char why[sizeof(c->guard_why)];

	if (step == GV_CFG_GUARD_IGNORE)
		return;
	snprintf(why, sizeof(why), "%s: %u in %u ms, %u are allowed", gv_cfg_guard_name(kind),
	         GV_MAX(in_window(pf, vf, kind, now_ns), rule->limit), rule->window_ms,
	         rule->limit);
	if (step == GV_CFG_GUARD_QUARANTINE) {
		quarantine(pf, vf, GV_MBOX_WHY_GUARD, why);
		return;
	}
	set_why(c, why);
	pf_event(pf, GV_PF_EVENT_GUARD, (int)vf, "%s: %s", what[step], why);
	if (step == GV_CFG_GUARD_FLR)
		reset(pf, vf, GV_MBOX_WHY_GUARD);
	hold(pf, vf, wants_hold(pf, &c->guard));
	note_counts(pf, vf, now_ns);
}

void pf_guard_over(struct gv_pf *pf, unsigned vf, enum gv_mbox_guard_kind mailbox_kind,
                   uint64_t now_ns)
{
	enum gv_cfg_guard_kind kind = kinds[mailbox_kind];

	if (guarded(pf) && kind != GV_CFG_GUARDS)
		take_step(pf, vf, kind,
		          pf_guard_hit(&pf->vf[vf].contain.guard, &pf->plan.guard[kind], kind,
		                       now_ns),
		          now_ns);
}

static void count(struct gv_pf *pf, unsigned vf, enum gv_cfg_guard_kind kind, uint32_t n,
                  uint64_t now_ns)
{
	const struct gv_cfg_guard *rule = &pf->plan.guard[kind];
	struct pf_guard *g = &pf->vf[vf].contain.guard;

	if (pf_guard_count(g, rule, kind, n, now_ns))
		take_step(pf, vf, kind, pf_guard_hit(g, rule, kind, now_ns), now_ns);
}

static void look(struct gv_pf *pf, unsigned vf, uint64_t now_ns)
{
	static const struct {
		enum gv_cfg_guard_kind kind;
		uint32_t byte, stride;
	} counters[] = {
	        {GV_CFG_GUARD_INTERRUPTS, GV_BYTE_N(GVX_VF0_INTERRUPTS, 0),
	         GV_BYTE_N(GVX_VF0_INTERRUPTS, 1) - GV_BYTE_N(GVX_VF0_INTERRUPTS, 0)},
	        {GV_CFG_GUARD_FAULTS, GV_BYTE_N(GVX_VF0_FAULTS, 0),
	         GV_BYTE_N(GVX_VF0_FAULTS, 1) - GV_BYTE_N(GVX_VF0_FAULTS, 0)},
	};
	struct pf_contain_vf *c = &pf->vf[vf].contain;
	bool near = false; /* a limit: what was counted must not be forgotten */

	for (size_t i = 0; i < GV_ARRAY_LEN(counters); i++) {
		uint32_t now = gv_rd32(pf->bus, counters[i].byte + vf * counters[i].stride);
		uint32_t more = c->seen_any ? now - c->seen[counters[i].kind] : 0;

		c->seen[counters[i].kind] = now;
		count(pf, vf, counters[i].kind, more, now_ns);
		near = near || in_window(pf, vf, counters[i].kind, now_ns) >
		                       pf->plan.guard[counters[i].kind].limit / 2;
	}
	c->seen_any = true;
	if (near && now_ns - c->noted_ns >= GV_S)
		note_counts(pf, vf, now_ns);
}

void pf_guard_look(struct gv_pf *pf, uint64_t now_ns)
{
	for (unsigned i = 0; guarded(pf) && i < pf->plan.num_vfs; i++)
		look(pf, i, now_ns);
}

void pf_guard_changed(struct gv_pf *pf)
{
	static const struct gv_mbox_limit none[GV_MBOX_GUARDS];
	const struct gv_mbox_pf_cfg *cfg = &pf->cfg.mailbox;
	bool owners = memcmp(cfg->guard, none, sizeof(none)) != 0; /* who knows better */
	struct gv_mbox_limit limit[GV_MBOX_GUARDS];

	if (cfg->guard_off)
		return;
	memcpy(limit, cfg->guard, sizeof(limit));
	for (unsigned k = 0; k < GV_MBOX_GUARDS && !owners; k++) {
		const struct gv_cfg_guard *rule = &pf->plan.guard[kinds[k]];

		if (kinds[k] == GV_CFG_GUARDS)
			limit[k] = gv_mbox_guard_defaults[k];
		else if (rule->policy != GV_CFG_GUARD_IGNORE)
			limit[k] = (struct gv_mbox_limit){rule->limit, rule->window_ms};
	}
	(void)gv_mbox_pf_set_guards(&pf->mbox, limit);
}

/* ---- time ---------------------------------------------------------------------------------- */

static void calm(struct gv_pf *pf, unsigned vf, uint64_t now_ns)
{
	struct pf_contain_vf *c = &pf->vf[vf].contain;
	enum gv_pf_guard_state was = c->guard.state;

	if (!pf_guard_calm(&c->guard, pf->plan.guard, now_ns))
		return;
	set_why(c, c->guard.state == GV_PF_GUARD_NORMAL ? "" : c->guard_why);
	pf_event(pf, GV_PF_EVENT_GUARD, (int)vf, "%s again, was %s: it is calm",
	         gv_pf_guard_state_name(c->guard.state), gv_pf_guard_state_name(was));
	hold(pf, vf, wants_hold(pf, &c->guard));
	note_counts(pf, vf, now_ns);
}

uint64_t pf_contain_step(struct gv_pf *pf, uint64_t now_ns)
{
	uint64_t next = pf_gpu_reset_step(pf, now_ns);

	for (unsigned i = 0; guarded(pf) && i < pf->plan.num_vfs; i++) {
		calm(pf, i, now_ns);
		next = GV_MIN(next, pf_guard_next(&pf->vf[i].contain.guard, pf->plan.guard));
	}
	return next;
}

/* ---- status --------------------------------------------------------------------------------- */

static uint64_t total(const struct gv_pf *pf, unsigned vf, enum gv_cfg_guard_kind kind)
{
	const struct gv_mbox_stats *s = &pf->mbox.vf[vf].stats;

	switch (kind) {
	case GV_CFG_GUARD_MESSAGES:
		return s->messages;
	case GV_CFG_GUARD_EXCLUSIVE:
		return s->excl_grants;
	case GV_CFG_GUARD_EXCLUSIVE_TIMEOUTS:
		return s->excl_timeouts;
	case GV_CFG_GUARD_FLRS:
		return s->resets;
	case GV_CFG_GUARD_INTERRUPTS:
	case GV_CFG_GUARD_FAULTS:
	case GV_CFG_GUARDS:
		break;
	}
	return pf->vf[vf].contain.guard.one[kind].total;
}

void pf_contain_get_status(const struct gv_pf *pf, unsigned vf, struct gv_pf_guard_status *guard,
                           struct gv_pf_contain_status *contain)
{
	const struct pf_contain_vf *c = &pf->vf[vf].contain;
	uint64_t now_ns = gv_now_ns();

	guard->state = c->guard.state;
	guard->since_ms = c->guard_since_ms;
	memcpy(guard->why, c->guard_why, sizeof(guard->why));
	for (unsigned k = 0; k < GV_CFG_GUARDS; k++)
		guard->kind[k] = (struct gv_pf_guard_count){
		        .total = total(pf, vf, k),
		        .hits = c->guard.one[k].hits,
		        .in_window = in_window(pf, vf, k, now_ns),
		        .over = c->guard.one[k].over,
		};
	contain->step = c->step;
	contain->hangs = c->hangs;
	contain->last_ns = c->last_ns;
	memcpy(contain->what, c->what, sizeof(contain->what));
}
