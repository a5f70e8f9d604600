/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans: what a profile would do, whether it is in force, putting it into force and back. */
#include <string.h>

#include <json-c/json.h>

#include "methods.h"

#define MAX_CHANGES 128u

static const struct gv_pf_plan no_plan;
static const struct gv_cfg no_cfg;

static int get_plan(struct daemon *d, struct json_object *params, struct gv_pf_plan *plan,
                    struct gv_cfg *cfg, struct gv_err *err)
{
	struct json_object *profile;
	struct gv_pf_status s;
	const char *busy, *text;
	int rc;

	if (!params || !json_object_object_get_ex(params, "profile", &profile) ||
	    !json_object_is_type(profile, json_type_object))
		return gv_fail(err, -EINVAL, "profile: an object is missing");
	text = json_object_to_json_string_ext(profile, JSON_C_TO_STRING_PLAIN);
	rc = gv_cfg_parse(text, strlen(text), cfg, err);
	snapshot(d, &s, &busy);
	return rc ? rc : gv_pf_plan(&s.caps, cfg, plan, err);
}

int do_plan(void *ctx, struct json_object *params, struct json_object **result, struct gv_err *err)
{
	struct call *c = ctx;
	struct gv_pf_plan plan;
	struct gv_cfg cfg;
	int rc = get_plan(c->d, params, &plan, &cfg, err);

	if (!rc)
		*result = gv_pf_plan_json(&plan);
	return rc;
}

/* ---- what would happen --------------------------------------------------- */

static struct json_object *changes_json(const struct gv_pf_plan *now, const struct gv_pf_plan *want)
{
	gv_auto_free struct gv_pf_change *change = calloc(MAX_CHANGES, sizeof(*change));
	struct json_object *list = json_object_new_array();
	size_t count = change ? gv_pf_plan_diff(now, want, change, MAX_CHANGES) : 0;

	for (size_t i = 0; i < GV_MIN(count, MAX_CHANGES); i++) {
		struct json_object *o = json_object_new_object();

		put(o, "path", json_object_new_string(change[i].path));
		put(o, "now", json_object_new_string(change[i].now));
		put(o, "want", json_object_new_string(change[i].want));
		(void)json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *steps_json(void)
{
	struct json_object *list = json_object_new_array();
	const char *name;

	for (unsigned i = 0; (name = gv_pf_apply_step_name(i)) != NULL; i++)
		(void)json_object_array_add(list, json_object_new_string(name));
	return list;
}

/* VFs that somebody uses: these stand in the way of a new split. */
static struct json_object *blockers_json(struct daemon *d, const struct gv_pf_status *s)
{
	struct json_object *list = json_object_new_array();
	struct vf_pool pool;

	pool_snapshot(d, &pool);
	for (unsigned i = 0; i < s->num_vfs; i++) {
		struct json_object *o;

		if (gv_pool_state(&pool.rules, i, s->vf[i].state) != GV_POOL_IN_USE)
			continue;
		o = json_object_new_object();
		put(o, "vf", json_object_new_int((int)i));
		put(o, "session", json_object_new_string(gv_mbox_state_name(s->vf[i].state)));
		put_text(o, "domain", pool.rules.vf[i].domain);
		put_bool(o, "can_be_forced", !pool.rules.vf[i].domain[0]);
		(void)json_object_array_add(list, o);
	}
	return list;
}

int do_diff(void *ctx, struct json_object *params, struct json_object **result, struct gv_err *err)
{
	struct call *c = ctx;
	struct gv_pf_status s;
	struct gv_pf_plan plan;
	struct gv_cfg cfg;
	const struct gv_pf_plan *now;
	const char *busy, *action = "replace";
	int rc = get_plan(c->d, params, &plan, &cfg, err);

	if (rc)
		return rc;
	snapshot(c->d, &s, &busy);
	now = s.has_plan ? &s.plan : NULL;
	if (now && !memcmp(now, &plan, sizeof(plan)))
		action = "nothing";
	else if (now && gv_pf_plan_same_vfs(now, &plan))
		action = "rename";
	*result = json_object_new_object();
	put(*result, "action", json_object_new_string(action));
	put(*result, "changes", changes_json(now, &plan));
	if (!strcmp(action, "replace")) {
		put(*result, "steps", steps_json());
		put(*result, "blockers", blockers_json(c->d, &s));
	}
	return 0;
}

/* ---- doing it ------------------------------------------------------------ */

static int get_apply_flags(struct json_object *params, bool *dry_run, unsigned *flags,
                           struct gv_err *err)
{
	bool force = false, scrub = true;
	int rc = gv_rpc_get_bool(params, "dry_run", dry_run, err);

	if (!rc)
		rc = gv_rpc_get_bool(params, "force", &force, err);
	if (!rc)
		rc = gv_rpc_get_bool(params, "scrub", &scrub, err);
	*flags = (force ? GV_PF_APPLY_FORCE : 0) | (scrub ? 0 : GV_PF_APPLY_NO_SCRUB);
	return rc;
}

/* What is in force then can be asked for again with do_rollback(). A plan without VFs: none. */
static int change(struct daemon *d, const struct gv_pf_plan *plan, const struct gv_cfg *cfg,
                  unsigned flags, struct gv_err *err)
{
	const struct gv_pf_plan *in_force = gv_pf_get_plan(d->pf);
	const struct gv_pf_plan old = in_force ? *in_force : no_plan;
	int rc = 0;

	if (!memcmp(plan, &old, sizeof(old)))
		return 0;
	if (!gv_pf_plan_same_vfs(plan, &old))
		rc = pool_may_change(d, err);
	if (!rc)
		rc = plan->num_vfs ? gv_pf_apply(d->pf, plan, flags, err)
		                   : gv_pf_disable(d->pf, flags, err);
	if (rc)
		return rc;
	d->had_earlier = true;
	d->earlier = old;
	d->earlier_cfg = d->cfg;
	keep_store(d, cfg);
	return 0;
}

int do_apply(void *ctx, struct json_object *params, struct json_object **result, struct gv_err *err)
{
	struct call *c = ctx;
	struct gv_pf_plan plan;
	struct gv_cfg cfg;
	bool dry_run = false;
	unsigned flags;
	int rc = get_apply_flags(params, &dry_run, &flags, err);

	if (!rc)
		rc = get_plan(c->d, params, &plan, &cfg, err);
	if (!rc && !dry_run)
		rc = change(c->d, &plan, &cfg, flags, err);
	if (rc)
		return rc;
	*result = gv_pf_plan_json(&plan);
	put_bool(*result, "applied", !dry_run);
	return 0;
}

int do_disable(void *ctx, struct json_object *params, struct json_object **result,
               struct gv_err *err)
{
	struct call *c = ctx;
	bool force = false;
	int rc = gv_rpc_get_bool(params, "force", &force, err);

	*result = NULL;
	return rc ? rc : change(c->d, &no_plan, &no_cfg, force ? GV_PF_APPLY_FORCE : 0, err);
}

int do_rollback(void *ctx, struct json_object *params, struct json_object **result,
                struct gv_err *err)
{
	struct call *c = ctx;
	struct gv_pf_plan earlier = c->d->earlier;
	struct gv_cfg cfg = c->d->earlier_cfg;
	bool dry_run = false;
	unsigned flags;
	int rc = get_apply_flags(params, &dry_run, &flags, err);

	if (!rc && !c->d->had_earlier)
		rc = gv_fail(err, -ENOENT, "nothing was applied since gpuvisord started");
	if (!rc && !dry_run)
		rc = change(c->d, &earlier, &cfg, flags, err);
	if (rc)
		return rc;
	*result = earlier.num_vfs ? gv_pf_plan_json(&earlier) : json_object_new_object();
	put_bool(*result, "applied", !dry_run);
	return 0;
}
