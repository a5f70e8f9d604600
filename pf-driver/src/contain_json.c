/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "contain_json.h"
#include "json_put.h"

static struct json_object *count_json(const struct gv_pf_guard_count *c)
{
	struct json_object *o = json_object_new_object();

	put_u64(o, "total", c->total);
	put_u64(o, "in_window", c->in_window);
	put_u64(o, "hits", c->hits);
	put_bool(o, "over", c->over);
	return o;
}

struct json_object *pf_guard_json(const struct gv_pf_guard_status *s)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "state", gv_pf_guard_state_name(s->state));
	if (s->since_ms)
		put_u64(o, "since_ms", s->since_ms);
	put_text(o, "why", s->why);
	for (unsigned k = 0; k < GV_CFG_GUARDS; k++)
		put(o, gv_cfg_guard_name(k), count_json(&s->kind[k]));
	return o;
}

struct json_object *pf_contain_json(const struct gv_pf_contain_status *s)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "step", gv_pf_contain_step_name(s->step));
	put_u64(o, "hangs", s->hangs);
	if (s->last_ns)
		put_u64(o, "last_us", s->last_ns / GV_US);
	put_text(o, "last", s->what);
	return o;
}

struct json_object *pf_scrub_json(const struct gv_pf_scrub_record *r)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "why", gv_pf_scrub_why_name(r->why));
	put_bool(o, "clean", r->clean);
	put_text(o, "after", r->after);
	if (r->why == GV_PF_SCRUB_NEVER)
		return o;
	put_text(o, "before", r->before);
	put_u64(o, "begin_ms", r->begin_ms);
	put_u64(o, "end_ms", r->end_ms);
	put_u64(o, "device_offset_bytes", r->device_offset);
	put_u64(o, "bytes", r->bytes);
	put_u64(o, "samples", r->samples);
	put_u64(o, "sample_bytes", r->sample_bytes);
	put_u64(o, "count", r->count);
	return o;
}

struct json_object *pf_guard_limits_json(const struct gv_cfg_guard guard[GV_CFG_GUARDS])
{
	struct json_object *all = json_object_new_object();

	for (unsigned k = 0; k < GV_CFG_GUARDS; k++) {
		struct json_object *o = json_object_new_object();

		put_u64(o, "limit", guard[k].limit);
		put_u64(o, "window_ms", guard[k].window_ms);
		put_text(o, "policy", gv_cfg_guard_policy_name(guard[k].policy));
		put(all, gv_cfg_guard_name(k), o);
	}
	return all;
}
