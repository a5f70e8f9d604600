/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The timeline's records, in pages: whoever asked writes the file, with its own rights. */
#include <json-c/json.h>

#include <gv/pf_trace.h>

#include "methods.h"

#define PAGE 1024u /* records of one reply, below 256 KiB of JSON */

static struct json_object *status_json(struct daemon *d)
{
	struct json_object *o = json_object_new_object();
	struct gv_pf_trace_status s;

	gv_pf_trace_get_status(d->pf, &s);
	put_bool(o, "on", s.on);
	if (s.started_ns)
		put_u64(o, "started_ns", s.started_ns);
	if (s.stopped_ns)
		put_u64(o, "stopped_ns", s.stopped_ns);
	put_u64(o, "now_ns", gv_now_ns());
	put_u64(o, "records", s.next);
	put_u64(o, "kept", s.next - s.oldest);
	put_u64(o, "room", GV_PF_TRACE_ROOM);
	return o;
}

METHOD(trace_start)
{
	struct call *c = ctx;
	int rc = gv_pf_trace_start(c->d->pf, err);

	(void)params;
	if (!rc)
		*result = status_json(c->d);
	return rc;
}

METHOD(trace_stop)
{
	struct call *c = ctx;

	(void)params;
	(void)err;
	gv_pf_trace_stop(c->d->pf);
	*result = status_json(c->d);
	return 0;
}

METHOD(trace_status)
{
	struct call *c = ctx;

	(void)params;
	(void)err;
	*result = status_json(c->d);
	return 0;
}

static struct json_object *record_json(const struct gv_pf_trace_record *r)
{
	struct json_object *o = json_object_new_object();

	put(o, "kind", json_object_new_string(gv_pf_trace_kind_name(r->kind)));
	if (r->vf >= 0)
		put(o, "vf", json_object_new_int(r->vf));
	put_u64(o, "begin_ns", r->begin_ns);
	put_u64(o, "end_ns", r->end_ns);
	if (r->flow)
		put_u64(o, "flow", r->flow);
	put_text(o, "text", r->text);
	return o;
}

METHOD(trace_read)
{
	gv_auto_free struct gv_pf_trace_record *page = calloc(PAGE, sizeof(*page));
	struct json_object *list, *v = NULL;
	struct call *c = ctx;
	uint64_t next = 0, lost = 0;
	size_t n;

	if (!page)
		return gv_fail(err, -ENOMEM, "no memory for a page of records");
	if (params && json_object_object_get_ex(params, "next", &v)) {
		if (!json_object_is_type(v, json_type_int) || json_object_get_int64(v) < 0)
			return gv_fail(err, -EINVAL, "next: a whole number from 0 on asked");
		next = json_object_get_uint64(v);
	}
	n = gv_pf_trace_read(c->d->pf, &next, page, PAGE, &lost);
	list = json_object_new_array_ext((int)n);
	for (size_t i = 0; i < n; i++)
		(void)json_object_array_add(list, record_json(&page[i]));
	*result = json_object_new_object();
	put(*result, "records", list);
	put_u64(*result, "next", next);
	put_u64(*result, "lost", lost);
	return 0;
}
