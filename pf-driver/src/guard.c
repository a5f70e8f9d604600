/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "guard.h"

const char *gv_pf_guard_state_name(enum gv_pf_guard_state state)
{
	static const char *const names[GV_PF_GUARD_STATES] = {
	        [GV_PF_GUARD_NORMAL] = "normal",
	        [GV_PF_GUARD_THROTTLED] = "throttled",
	        [GV_PF_GUARD_PAUSED] = "paused",
	        [GV_PF_GUARD_QUARANTINED] = "quarantined",
	};

	return (unsigned)state < GV_PF_GUARD_STATES ? names[state] : "unknown";
}

static uint64_t window_ns(const struct gv_cfg_guard *rule)
{
	return rule->window_ms * GV_MS;
}

static uint64_t slot_of(const struct gv_cfg_guard *rule, uint64_t now_ns)
{
	return now_ns / GV_MAX(window_ns(rule) / PF_GUARD_SLOTS, 1ull);
}

/* Forget the pieces that have left the window. */
static void move(struct pf_guard_window *w, uint64_t slot)
{
	uint64_t steps = slot > w->slot ? GV_MIN(slot - w->slot, (uint64_t)PF_GUARD_SLOTS) : 0;

	for (uint64_t i = 0; i < steps; i++)
		w->n[(slot - i) % PF_GUARD_SLOTS] = 0;
	w->slot = GV_MAX(w->slot, slot);
}

static uint64_t sum(const struct pf_guard_window *w)
{
	uint64_t all = 0;

	for (unsigned i = 0; i < PF_GUARD_SLOTS; i++)
		all += w->n[i];
	return all;
}

bool pf_guard_count(struct pf_guard *g, const struct gv_cfg_guard *rule,
                    enum gv_cfg_guard_kind kind, uint32_t n, uint64_t now_ns)
{
	struct pf_guard_one *o = &g->one[kind];
	uint32_t *slot;

	move(&o->window, slot_of(rule, now_ns));
	slot = &o->window.n[o->window.slot % PF_GUARD_SLOTS];
	*slot += GV_MIN(n, UINT32_MAX - *slot);
	o->total += n;
	return n && sum(&o->window) > rule->limit;
}

uint32_t pf_guard_in_window(const struct pf_guard *g, const struct gv_cfg_guard *rule,
                            enum gv_cfg_guard_kind kind, uint64_t now_ns)
{
	struct pf_guard_window w = g->one[kind].window;

	move(&w, slot_of(rule, now_ns));
	return (uint32_t)GV_MIN(sum(&w), (uint64_t)UINT32_MAX);
}

static enum gv_pf_guard_state state_for(enum gv_cfg_guard_policy policy)
{
	static const enum gv_pf_guard_state states[GV_CFG_GUARD_POLICIES] = {
	        [GV_CFG_GUARD_THROTTLE] = GV_PF_GUARD_THROTTLED,
	        [GV_CFG_GUARD_PAUSE] = GV_PF_GUARD_PAUSED,
	        [GV_CFG_GUARD_QUARANTINE] = GV_PF_GUARD_QUARANTINED,
	};

	return states[policy];
}

/* A reset takes away what was too much, so the count begins anew; and there is one in a window at
 * most, because what the mailbox counts goes on. */
static enum gv_cfg_guard_policy flr(struct pf_guard_one *o, const struct gv_cfg_guard *rule,
                                    uint64_t now_ns)
{
	if (o->acted_ns && now_ns - o->acted_ns < window_ns(rule))
		return GV_CFG_GUARD_IGNORE;
	o->acted_ns = now_ns;
	memset(&o->window, 0, sizeof(o->window));
	return GV_CFG_GUARD_FLR;
}

enum gv_cfg_guard_policy pf_guard_hit(struct pf_guard *g, const struct gv_cfg_guard *rule,
                                      enum gv_cfg_guard_kind kind, uint64_t now_ns)
{
	struct pf_guard_one *o = &g->one[kind];
	bool was = o->over;

	o->hits++;
	o->hit_ns = now_ns;
	if (g->state == GV_PF_GUARD_QUARANTINED || rule->policy == GV_CFG_GUARD_IGNORE)
		return GV_CFG_GUARD_IGNORE;
	o->over = true;
	if (rule->policy == GV_CFG_GUARD_FLR)
		return flr(o, rule, now_ns);
	g->state = GV_MAX(g->state, state_for(rule->policy));
	return was ? GV_CFG_GUARD_IGNORE : rule->policy;
}

/* What is throttled goes on as soon as there is room; the rest waits for a calm window. Both last a
 * piece of the window at least, or a VF at its limit would change its state all the time. */
static bool may_go(const struct pf_guard *g, const struct gv_cfg_guard *rule,
                   enum gv_cfg_guard_kind kind, uint64_t now_ns)
{
	uint64_t since = now_ns - g->one[kind].hit_ns;

	if (rule->policy == GV_CFG_GUARD_THROTTLE && kind >= GV_CFG_GUARD_INTERRUPTS)
		return since >= window_ns(rule) / PF_GUARD_SLOTS &&
		       pf_guard_in_window(g, rule, kind, now_ns) <= rule->limit / 2;
	return since >= window_ns(rule);
}

bool pf_guard_calm(struct pf_guard *g, const struct gv_cfg_guard rules[GV_CFG_GUARDS],
                   uint64_t now_ns)
{
	enum gv_pf_guard_state was = g->state, now = GV_PF_GUARD_NORMAL;

	for (unsigned k = 0; k < GV_CFG_GUARDS; k++) {
		struct pf_guard_one *o = &g->one[k];

		if (o->over && may_go(g, &rules[k], k, now_ns))
			o->over = false;
		if (o->over)
			now = GV_MAX(now, state_for(rules[k].policy));
	}
	if (was != GV_PF_GUARD_QUARANTINED)
		g->state = now;
	return g->state != was;
}

uint64_t pf_guard_next(const struct pf_guard *g, const struct gv_cfg_guard rules[GV_CFG_GUARDS])
{
	uint64_t next = UINT64_MAX;

	for (unsigned k = 0; k < GV_CFG_GUARDS; k++) {
		uint64_t wait = window_ns(&rules[k]);

		if (!g->one[k].over)
			continue;
		if (k >= GV_CFG_GUARD_INTERRUPTS && rules[k].policy == GV_CFG_GUARD_THROTTLE)
			wait /= PF_GUARD_SLOTS;
		next = GV_MIN(next, g->one[k].hit_ns + wait);
	}
	return next;
}
