/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PF driver's structs as JSON. Keys are only ever added; what is unknown is absent. */
#include <string.h>

#include <gv/pf_driver.h>
#include <gv/pf_rpc.h>

#include "contain_json.h"
#include "json_put.h"
#include "world_json.h"

/* Members that are plain numbers: one row each, for both directions. */
#define CAPS(row)                                                                                  \
	row(vram_mib) row(pf_window_mib) row(max_vfs) row(fb_unit_mib) row(fb_min_mib)             \
	        row(doorbell_pages)

struct json_object *gv_pf_caps_json(const struct gv_pf_caps *caps)
{
	struct json_object *o = json_object_new_object();

#define ROW(name) put_u64(o, #name, caps->name);
	CAPS(ROW)
#undef ROW
	return o;
}

static int get(struct json_object *o, const char *key, uint32_t *val)
{
	struct json_object *v;
	int64_t n;

	if (!json_object_object_get_ex(o, key, &v) || !json_object_is_type(v, json_type_int))
		return -EINVAL;
	n = json_object_get_int64(v);
	if (n < 0 || n > UINT32_MAX)
		return -EINVAL;
	*val = (uint32_t)n;
	return 0;
}

int gv_pf_caps_from_json(struct json_object *o, struct gv_pf_caps *caps)
{
	struct gv_pf_caps c = {0};
	int rc = o && json_object_is_type(o, json_type_object) ? 0 : -EINVAL;

#define ROW(name)                                                                                  \
	if (!rc)                                                                                   \
		rc = get(o, #name, &c.name);
	CAPS(ROW)
#undef ROW
	if (!rc)
		*caps = c;
	return rc;
}

static void put_plan_vf(struct json_object *o, const struct gv_pf_plan_vf *v, unsigned vf)
{
	put_u64(o, "index", vf);
	put_text(o, "label", v->label);
	put_u64(o, "fb_mib", v->fb_mib);
	put_u64(o, "fb_offset_mib", v->fb_offset_mib);
	put_u64(o, "doorbells", v->doorbell_pages * 512ull);
	put_u64(o, "quantum_ms", v->quantum_ms);
	put_u64(o, "weight", v->weight);
	put_u64(o, "priority", v->priority);
	put_u64(o, "preempt_timeout_ms", v->preempt_timeout_ms);
}

struct json_object *gv_pf_plan_json(const struct gv_pf_plan *plan)
{
	struct json_object *o = json_object_new_object(), *vfs = json_object_new_array();

	put_text(o, "name", plan->name);
	put_u64(o, "num_vfs", plan->num_vfs);
	put_u64(o, "vram_mib", plan->caps.vram_mib);
	put_u64(o, "pf_mib", plan->pf_mib);
	put_u64(o, "free_mib", plan->free_mib);
	put_u64(o, "csa_kib", plan->csa_kib);
	put(o, "policy", json_object_new_string(gv_cfg_sched_name(plan->policy)));
	put_u64(o, "csa_offset_bytes", plan->csa_offset);
	put(o, "guard", pf_guard_limits_json(plan->guard));
	for (unsigned i = 0; i < plan->num_vfs; i++) {
		struct json_object *v = json_object_new_object();

		put_plan_vf(v, &plan->vf[i], i);
		put_u64(v, "table_offset_bytes", plan->vf[i].l2_offset);
		put_u64(v, "table_entries", plan->vf[i].l2_entries);
		put_u64(v, "capacity", plan->vf[i].capacity);
		(void)json_object_array_add(vfs, v);
	}
	put(o, "vfs", vfs);
	return o;
}

static struct json_object *fault_json(const struct gv_pf_fault *f)
{
	struct json_object *o = json_object_new_object();

	put_u64(o, "count", f->count);
	put_u64(o, "address", f->addr);
	put(o, "space", json_object_new_string(f->second_level ? "frame-buffer" : "virtual"));
	put(o, "access", json_object_new_string(f->write ? "write" : "read"));
	put_u64(o, "vmid", f->vmid);
	put_u64(o, "client", f->client);
	return o;
}

/* Versions as the guest says them. */
static struct json_object *firmware_json(const struct gv_mbox_vf2pf_info *g)
{
	struct json_object *o = json_object_new_object();

	for (unsigned i = 0; i < g->ucode_count; i++)
		put_u64(o, gv_mbox_ucode_name(g->ucode[i].id), g->ucode[i].version);
	return o;
}

static struct json_object *guest_json(const struct gv_mbox_vf2pf_info *g)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "driver_version", g->driver_version);
	put_u64(o, "os_info", g->os_info);
	put_u64(o, "fb_size_mib", g->fb_size_mib);
	put_u64(o, "fb_usage_mib", g->fb_usage_mib);
	put(o, "firmware", firmware_json(g));
	return o;
}

static struct json_object *mailbox_json(const struct gv_mbox_stats *s)
{
	struct json_object *o = json_object_new_object();

#define ROW(name) put_u64(o, #name, s->name);
	ROW(messages)
	ROW(acks)
	ROW(sent)
	ROW(unknown)
	ROW(unsupported)
	ROW(refused)
	ROW(repeated)
	ROW(rate_dropped)
	ROW(limited)
	ROW(vf_errors)
	ROW(excl_grants)
	ROW(excl_timeouts)
	ROW(resets)
	ROW(reset_failures)
#undef ROW
	return o;
}

struct json_object *gv_pf_vf_json(const struct gv_pf_status *status, unsigned vf, bool all)
{
	const struct gv_pf_vf_status *v = &status->vf[vf];
	struct json_object *o = json_object_new_object(), *gates;

	put_plan_vf(o, &v->plan, vf);
	put(o, "state", json_object_new_string(gv_mbox_state_name(v->state)));
	put_u64(o, "since_ms", v->since_ms);
	put(o, "scheduler", pf_world_vf_json(&v->world));
	put_u64(o, "resets", v->resets);
	put_u64(o, "faults", v->faults);
	put_u64(o, "errors", v->errors);
	put_u64(o, "messages", v->mailbox.messages);
	put_u64(o, "messages_refused", v->messages_refused);
	if (v->guest_known)
		put(o, "guest", guest_json(&v->guest));
	put(o, "guard", pf_guard_json(&v->guard));
	put(o, "scrub", pf_scrub_json(&v->scrub));
	put(o, "containment", pf_contain_json(&v->contain));
	if (!all)
		return o;
	gates = json_object_new_object();
	put_bool(gates, "fb", v->fb_gate);
	put_bool(gates, "doorbell", v->doorbell_gate);
	put_bool(gates, "regwr", v->regwr_gate);
	put(o, "gates", gates);
	put_bool(o, "scrubbing", v->scrubbing);
	put(o, "mailbox", mailbox_json(&v->mailbox));
	if (v->fault.count)
		put(o, "last_fault", fault_json(&v->fault));
	put_text(o, "last_error", v->last_error);
	return o;
}

struct json_object *gv_pf_status_json(const struct gv_pf_status *s)
{
	struct json_object *o = json_object_new_object(), *vfs;

	put_text(o, "gpu", s->bus);
	put_bool(o, "booted", s->booted);
	put_bool(o, "lost", s->lost);
	if (s->booted)
		put(o, "caps", gv_pf_caps_json(&s->caps));
	put_u64(o, "num_vfs", s->num_vfs);
	put_u64(o, "unimplemented", s->unimplemented);
	put_u64(o, "guest_errors", s->guest_errors);
	put_u64(o, "interrupts", s->interrupts);
	put_u64(o, "ring_overflows", s->ring_overflows);
	put_u64(o, "unknown_interrupts", s->unknown_interrupts);
	put(o, "boot", gv_pf_boot_json(&s->boot));
	if (!s->has_plan)
		return o;
	put(o, "scheduler", pf_world_json(&s->world));
	put(o, "plan", gv_pf_plan_json(&s->plan));
	vfs = json_object_new_array();
	for (unsigned i = 0; i < s->num_vfs; i++)
		(void)json_object_array_add(vfs, gv_pf_vf_json(s, i, false));
	put(o, "vfs", vfs);
	return o;
}

struct json_object *gv_pf_event_json(const struct gv_pf_event *e)
{
	struct json_object *o = json_object_new_object();

	put_u64(o, "seq", e->seq);
	put_u64(o, "time_ms", e->time_ms);
	put_text(o, "kind", gv_pf_event_name(e->kind));
	if (e->vf >= 0)
		put_u64(o, "vf", (uint64_t)e->vf);
	put_text(o, "text", e->text);
	return o;
}
