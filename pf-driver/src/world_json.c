/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Time slices as JSON. */
#include <gv/pf_driver.h>

#include "json_put.h"
#include "world_json.h"

/* A member that is a whole number. */
#define ROW(name) put(o, #name, json_object_new_uint64(s->name));

struct json_object *pf_world_json(const struct gv_pf_world_status *s)
{
	struct json_object *o = json_object_new_object();

	put(o, "policy", json_object_new_string(gv_cfg_sched_name(s->policy)));
	put(o, "asked", json_object_new_string(gv_cfg_sched_name(s->asked)));
	if (s->active >= 0)
		put(o, "active_vf", json_object_new_int(s->active));
	if (s->window >= 0)
		put(o, "exclusive_vf", json_object_new_int(s->window));
	ROW(rounds)
	ROW(switches)
	ROW(hangs)
	return o;
}

struct json_object *pf_world_vf_json(const struct gv_pf_vf_world *s)
{
	struct json_object *o = json_object_new_object();

	put_bool(o, "active", s->active);
	put_bool(o, "busy", s->busy);
	put_bool(o, "held", s->held);
	ROW(busy_permille)
	ROW(slices)
	ROW(overruns)
	ROW(given_up)
	ROW(hangs)
	ROW(ran_ns)
	ROW(switches)
	ROW(switch_sum_ns)
	if (!s->switches)
		return o;
	ROW(switch_p50_ns)
	ROW(switch_p99_ns)
	return o;
}
