/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The "guard" of a profile: names, defaults, from JSON and back. */
#include <string.h>

#include <json-c/json.h>

#include "check.h"

#define GUARD_KEYS                                                                                 \
	"messages, exclusive, exclusive_timeouts, flrs, interrupts and faults are possible"
#define POLICIES "\"ignore\", \"throttle\", \"pause\", \"flr\" or \"quarantine\" is possible"

static const char *const kinds[GV_CFG_GUARDS] = {
        [GV_CFG_GUARD_MESSAGES] = "messages",
        [GV_CFG_GUARD_EXCLUSIVE] = "exclusive",
        [GV_CFG_GUARD_EXCLUSIVE_TIMEOUTS] = "exclusive_timeouts",
        [GV_CFG_GUARD_FLRS] = "flrs",
        [GV_CFG_GUARD_INTERRUPTS] = "interrupts",
        [GV_CFG_GUARD_FAULTS] = "faults",
};
static const char *const policies[GV_CFG_GUARD_POLICIES] = {
        [GV_CFG_GUARD_IGNORE] = "ignore",         [GV_CFG_GUARD_THROTTLE] = "throttle",
        [GV_CFG_GUARD_PAUSE] = "pause",           [GV_CFG_GUARD_FLR] = "flr",
        [GV_CFG_GUARD_QUARANTINE] = "quarantine",
};

/* GIM 8 allows per minute what a VM needs that loads a driver once (56 messages, 9 exclusive
 * requests, 3 resets). Guests here may also be programs that come and go dozens of times a second,
 * so the windows are short: they bound the PF's work, not the guest's number of starts. Interrupts
 * and faults: what a busy guest does not reach and a host can still take. */
static const struct gv_cfg_guard defaults[GV_CFG_GUARDS] = {
        [GV_CFG_GUARD_MESSAGES] = {500, 1000, GV_CFG_GUARD_THROTTLE},
        [GV_CFG_GUARD_EXCLUSIVE] = {200, 1000, GV_CFG_GUARD_THROTTLE},
        [GV_CFG_GUARD_EXCLUSIVE_TIMEOUTS] = {4, 60000, GV_CFG_GUARD_THROTTLE},
        [GV_CFG_GUARD_FLRS] = {120, 60000, GV_CFG_GUARD_THROTTLE},
        [GV_CFG_GUARD_INTERRUPTS] = {50000, 1000, GV_CFG_GUARD_THROTTLE},
        [GV_CFG_GUARD_FAULTS] = {10000, 1000, GV_CFG_GUARD_THROTTLE},
};

static const struct gv_cfg_number request_limit = {"limit",
                                                   "a whole number from 1 to 512 is possible",
                                                   offsetof(struct gv_cfg_guard, limit),
                                                   1,
                                                   1,
                                                   GV_CFG_GUARD_REQUEST_MAX,
                                                   0};
static const struct gv_cfg_number limit = {"limit",
                                           "a whole number from 1 to 1000000000 is possible",
                                           offsetof(struct gv_cfg_guard, limit),
                                           1,
                                           1,
                                           GV_CFG_GUARD_LIMIT_MAX,
                                           0};
static const struct gv_cfg_number window = {
        "window_ms",
        "a whole number of milliseconds from 100 to 3600000 is possible",
        offsetof(struct gv_cfg_guard, window_ms),
        1,
        GV_CFG_GUARD_WINDOW_MS_MIN,
        GV_CFG_GUARD_WINDOW_MS_MAX,
        0};

const char *gv_cfg_guard_name(enum gv_cfg_guard_kind kind)
{
	return (unsigned)kind < GV_CFG_GUARDS ? kinds[kind] : "unknown";
}

const char *gv_cfg_guard_policy_name(enum gv_cfg_guard_policy policy)
{
	return (unsigned)policy < GV_CFG_GUARD_POLICIES ? policies[policy] : "unknown";
}

struct gv_cfg_guard gv_cfg_guard_default(enum gv_cfg_guard_kind kind)
{
	return defaults[kind];
}

struct gv_cfg_guard gv_cfg_guard_of(const struct gv_cfg_guard *said, enum gv_cfg_guard_kind kind)
{
	return said->window_ms ? *said : defaults[kind];
}

static const struct gv_cfg_number *limit_of(enum gv_cfg_guard_kind kind)
{
	return kind < GV_CFG_GUARD_INTERRUPTS ? &request_limit : &limit;
}

static int check_one(const struct gv_cfg_guard *g, enum gv_cfg_guard_kind kind, struct gv_err *err)
{
	const struct gv_cfg_number *what = limit_of(kind);
	int rc = gv_cfg_check_number(what, g->limit, err);

	if (!rc) {
		what = &window;
		rc = gv_cfg_check_number(what, g->window_ms, err);
	}
	if (rc)
		gv_fail_prefix(err, "guard.%s.%s", kinds[kind], what->key);
	else if ((unsigned)g->policy >= GV_CFG_GUARD_POLICIES)
		rc = gv_fail(err, -EINVAL, "guard.%s.policy: %u asked, " POLICIES, kinds[kind],
		             (unsigned)g->policy);
	return rc;
}

int gv_cfg_check_guard(const struct gv_cfg *cfg, struct gv_err *err)
{
	int rc = 0;

	for (unsigned k = 0; !rc && k < GV_CFG_GUARDS; k++)
		if (cfg->guard[k].window_ms)
			rc = check_one(&cfg->guard[k], k, err);
	return rc;
}

/* ---- from JSON ------------------------------------------------------------- */

static int take_policy(struct json_object *o, struct gv_cfg_guard *g, struct gv_err *err)
{
	char name[32];
	int rc = gv_cfg_take_string(o, POLICIES, name, sizeof(name), err);

	for (unsigned i = 0; !rc && i < GV_CFG_GUARD_POLICIES; i++) {
		if (strcmp(name, policies[i]) != 0)
			continue;
		g->policy = i;
		return 0;
	}
	return rc ? rc : gv_fail(err, -EINVAL, "\"%s\" asked, " POLICIES, name);
}

static int take_number(struct json_object *o, const struct gv_cfg_number *n, uint32_t *to,
                       struct gv_err *err)
{
	int64_t v = 0;
	int rc = gv_cfg_take_number(o, n->possible, &v, err);

	if (!rc)
		rc = gv_cfg_check_number(n, v, err);
	if (!rc)
		*to = (uint32_t)v;
	return rc;
}

static int take_key(const char *key, struct json_object *o, enum gv_cfg_guard_kind kind,
                    struct gv_cfg_guard *g, struct gv_err *err)
{
	if (!strcmp(key, "limit"))
		return take_number(o, limit_of(kind), &g->limit, err);
	if (!strcmp(key, window.key))
		return take_number(o, &window, &g->window_ms, err);
	if (!strcmp(key, "policy"))
		return take_policy(o, g, err);
	return gv_fail(err, -EINVAL, "unknown key asked, limit, window_ms and policy are possible");
}

static int no_object(struct json_object *o, const char *key, struct gv_err *err)
{
	return gv_fail(err, -EINVAL, "guard%s%s: %.60s asked, an object is possible",
	               key[0] ? "." : "", key,
	               json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
}

static int take_one(struct json_object *o, enum gv_cfg_guard_kind kind, struct gv_cfg_guard *to,
                    struct gv_err *err)
{
	struct gv_cfg_guard g = defaults[kind];

	if (!json_object_is_type(o, json_type_object))
		return no_object(o, kinds[kind], err);
	json_object_object_foreach(o, key, value)
	{
		int rc = take_key(key, value, kind, &g, err);

		if (rc) {
			gv_fail_prefix(err, "guard.%s.%.40s", kinds[kind], key);
			return rc;
		}
	}
	*to = g;
	return 0;
}

static int kind_of(const char *key, struct gv_err *err)
{
	for (int k = 0; k < GV_CFG_GUARDS; k++)
		if (!strcmp(key, kinds[k]))
			return k;
	return gv_fail(err, -EINVAL, "guard.%.40s: unknown key asked, " GUARD_KEYS, key);
}

int gv_cfg_take_guard(struct json_object *o, struct gv_cfg *cfg, struct gv_err *err)
{
	if (!json_object_is_type(o, json_type_object))
		return no_object(o, "", err);
	json_object_object_foreach(o, key, value)
	{
		int kind = kind_of(key, err), rc = kind;

		if (kind >= 0)
			rc = take_one(value, (enum gv_cfg_guard_kind)kind, &cfg->guard[kind], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* ---- to JSON --------------------------------------------------------------- */

static struct json_object *one_json(const struct gv_cfg_guard *g)
{
	struct json_object *o = json_object_new_object();

	if (!o)
		return NULL;
	if (json_object_object_add(o, "limit", json_object_new_int64(g->limit)) ||
	    json_object_object_add(o, "window_ms", json_object_new_int64(g->window_ms)) ||
	    json_object_object_add(o, "policy",
	                           json_object_new_string(gv_cfg_guard_policy_name(g->policy)))) {
		json_object_put(o);
		return NULL;
	}
	return o;
}

int gv_cfg_add_guard(struct json_object *root, const struct gv_cfg *cfg)
{
	struct json_object *all = NULL, *one;

	for (unsigned k = 0; k < GV_CFG_GUARDS; k++) {
		if (!cfg->guard[k].window_ms)
			continue;
		if (!all) {
			all = json_object_new_object();
			if (!all || json_object_object_add(root, "guard", all)) {
				json_object_put(all);
				return -ENOMEM;
			}
		}
		one = one_json(&cfg->guard[k]);
		if (!one || json_object_object_add(all, kinds[k], one)) {
			json_object_put(one);
			return -ENOMEM;
		}
	}
	return 0;
}
