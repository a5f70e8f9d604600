/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What differs between two plans, in the profile's own words. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <gv/pf_driver.h>

struct list {
	struct gv_pf_change *change;
	size_t room, count;
};

static void add(struct list *l, const char *path, const char *now, const char *want)
{
	struct gv_pf_change *c = l->count < l->room ? &l->change[l->count] : NULL;

	l->count++;
	if (!c)
		return;
	(void)snprintf(c->path, sizeof(c->path), "%s", path);
	(void)snprintf(c->now, sizeof(c->now), "%s", now);
	(void)snprintf(c->want, sizeof(c->want), "%s", want);
}

static void compare_u32(struct list *l, const char *path, uint32_t now, uint32_t want)
{
	char a[16], b[16];

	if (now == want)
		return;
	(void)snprintf(a, sizeof(a), "%" PRIu32, now);
	(void)snprintf(b, sizeof(b), "%" PRIu32, want);
	add(l, path, a, b);
}

static void compare_vf(struct list *l, unsigned i, const struct gv_pf_plan_vf *now,
                       const struct gv_pf_plan_vf *want)
{
	char path[GV_PF_CHANGE_TEXT];

#define PATH(key) (snprintf(path, sizeof(path), "vfs[%u]." key, i), path)
	if (strcmp(now->label, want->label) != 0)
		add(l, PATH("label"), now->label, want->label);
	compare_u32(l, PATH("fb_mib"), now->fb_mib, want->fb_mib);
	compare_u32(l, PATH("fb_offset_mib"), now->fb_offset_mib, want->fb_offset_mib);
	compare_u32(l, PATH("doorbells"), now->doorbell_pages * 512, want->doorbell_pages * 512);
	compare_u32(l, PATH("quantum_ms"), now->quantum_ms, want->quantum_ms);
	compare_u32(l, PATH("weight"), now->weight, want->weight);
	compare_u32(l, PATH("priority"), now->priority, want->priority);
	compare_u32(l, PATH("preempt_timeout_ms"), now->preempt_timeout_ms,
	            want->preempt_timeout_ms);
#undef PATH
}

static void compare_guard(struct list *l, const struct gv_pf_plan *now,
                          const struct gv_pf_plan *want)
{
	for (unsigned k = 0; k < GV_CFG_GUARDS; k++) {
		const struct gv_cfg_guard *a = &now->guard[k], *b = &want->guard[k];
		char path[GV_PF_CHANGE_TEXT];

#define PATH(key) (snprintf(path, sizeof(path), "guard.%s." key, gv_cfg_guard_name(k)), path)
		compare_u32(l, PATH("limit"), a->limit, b->limit);
		compare_u32(l, PATH("window_ms"), a->window_ms, b->window_ms);
		if (a->policy != b->policy)
			add(l, PATH("policy"), gv_cfg_guard_policy_name(a->policy),
			    gv_cfg_guard_policy_name(b->policy));
#undef PATH
	}
}

static void add_vf(struct list *l, unsigned i, const struct gv_pf_plan_vf *v, bool comes)
{
	char path[GV_PF_CHANGE_TEXT], text[GV_PF_CHANGE_TEXT];

	(void)snprintf(path, sizeof(path), "vfs[%u]", i);
	(void)snprintf(text, sizeof(text), "%" PRIu32 " MiB", v->fb_mib);
	add(l, path, comes ? "" : text, comes ? text : "");
}

size_t gv_pf_plan_diff(const struct gv_pf_plan *now, const struct gv_pf_plan *want,
                       struct gv_pf_change *change, size_t room)
{
	static const struct gv_pf_plan none;
	struct list l = {change, room, 0};

	now = now ? now : &none;
	want = want ? want : &none;
	if (strcmp(now->name, want->name) != 0)
		add(&l, "name", now->name, want->name);
	if (now->num_vfs && want->num_vfs && now->policy != want->policy)
		add(&l, "scheduler.policy", gv_cfg_sched_name(now->policy),
		    gv_cfg_sched_name(want->policy));
	compare_u32(&l, "num_vfs", now->num_vfs, want->num_vfs);
	if (now->num_vfs && want->num_vfs)
		compare_guard(&l, now, want);
	for (unsigned i = 0; i < GV_MIN(now->num_vfs, want->num_vfs); i++)
		compare_vf(&l, i, &now->vf[i], &want->vf[i]);
	for (unsigned i = now->num_vfs; i < want->num_vfs; i++)
		add_vf(&l, i, &want->vf[i], true);
	for (unsigned i = want->num_vfs; i < now->num_vfs; i++)
		add_vf(&l, i, &now->vf[i], false);
	return l.count;
}
