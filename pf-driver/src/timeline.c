/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records as a timeline. "Trace Event Format", Google: events of one track that overlap must lie
 * one in the other, so what only overlaps goes to a track beside it.
 */
#include <inttypes.h>
#include <string.h>

#include <json-c/json.h>

#include <gv/pf_trace.h>

#include "json_put.h"

#define PID       1
#define MAX_VFS   16
#define SPARE     4             /* tracks beside each other */
#define DEPTH     8             /* events one in the other */
#define SHARE_NS  (100 * GV_MS) /* a counter stands for so long, or longer: */
#define SHARES    1000u         /* at most so many */
#define TEXT_ROOM 512

/* Tracks of one VF, or of the PF, from top to bottom. */
enum lane { LANE_RUN, LANE_LIFE, LANE_MAIL, LANES };

struct track {
	bool named;
	unsigned depth;
	uint64_t end_ns[DEPTH]; /* of what is open */
};

struct writer {
	FILE *file;
	const struct gv_pf_timeline *head;
	bool comma;
	struct track track[MAX_VFS + 1][LANES][SPARE];
	uint64_t flow[MAX_VFS]; /* the last that began */
	/* Slices in the stretch that ends at share_end_ns (0: none yet). */
	uint64_t ran_ns[MAX_VFS], share_ns, share_end_ns;
};

/* Microseconds, exactly. */
static struct json_object *us(uint64_t ns)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%llu.%03u", (unsigned long long)(ns / GV_US),
	               (unsigned)(ns % GV_US));
	return json_object_new_double_s((double)ns / 1000, text);
}

static struct json_object *event(const char *ph, const char *name, int tid)
{
	struct json_object *o = json_object_new_object();

	put(o, "ph", json_object_new_string(ph));
	put(o, "name", json_object_new_string(name));
	put(o, "pid", json_object_new_int(PID));
	put(o, "tid", json_object_new_int(tid));
	return o;
}

static void emit(struct writer *w, struct json_object *o)
{
	fprintf(w->file, "%s\n%s", w->comma ? "," : "",
	        json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
	                                                  JSON_C_TO_STRING_NOSLASHESCAPE));
	w->comma = true;
	json_object_put(o);
}

/* ---- tracks --------------------------------------------------------------------- */

static enum lane lane_of(unsigned kind)
{
	switch (kind) {
	case GV_PF_TRACE_SLICE:
	case GV_PF_TRACE_SWITCH:
		return LANE_RUN;
	case GV_PF_TRACE_MSG_IN:
	case GV_PF_TRACE_MSG_OUT:
		return LANE_MAIL;
	default:
		return LANE_LIFE;
	}
}

static int tid_of(int vf, enum lane lane, unsigned spare)
{
	return (vf + 1) * LANES * SPARE + (int)lane * SPARE + (int)spare;
}

static void say_track(struct writer *w, int tid, const char *what, struct json_object *value)
{
	struct json_object *o = event("M", what, tid), *args = json_object_new_object();

	put(args, strcmp(what, "thread_sort_index") ? "name" : "sort_index", value);
	put(o, "args", args);
	emit(w, o);
}

/* "VF0 web (vm-web) mailbox" */
static void name_track(struct writer *w, int vf, enum lane lane, int tid)
{
	static const char *const part[LANES] = {"", " life", " mailbox"};
	const char *label = vf < 0 ? NULL : w->head->vf[vf].label;
	const char *domain = vf < 0 ? NULL : w->head->vf[vf].domain;
	char text[TEXT_ROOM], who[16] = "PF";

	if (vf >= 0)
		(void)snprintf(who, sizeof(who), "VF%d", vf);
	(void)snprintf(text, sizeof(text), "%s%s%s%s%s%s%s", who, label ? " " : "",
	               label ? label : "", domain ? " (" : "", domain ? domain : "",
	               domain ? ")" : "", part[lane]);
	say_track(w, tid, "thread_name", json_object_new_string(text));
	say_track(w, tid, "thread_sort_index", json_object_new_int(tid));
}

/* Does [begin, end) lie inside of what is open, or behind it? */
static bool fits(struct track *t, uint64_t begin_ns, uint64_t end_ns)
{
	while (t->depth && t->end_ns[t->depth - 1] <= begin_ns)
		t->depth--;
	return !t->depth || (t->depth < DEPTH && end_ns <= t->end_ns[t->depth - 1]);
}

static int place(struct writer *w, const struct gv_pf_trace_record *r)
{
	enum lane lane = lane_of(r->kind);
	unsigned i = 0;
	struct track *t;

	while (i < SPARE - 1 && !fits(&w->track[r->vf + 1][lane][i], r->begin_ns, r->end_ns))
		i++;
	t = &w->track[r->vf + 1][lane][i];
	if (!t->named)
		name_track(w, r->vf, lane, tid_of(r->vf, lane, i));
	t->named = true;
	if (r->end_ns > r->begin_ns && t->depth < DEPTH)
		t->end_ns[t->depth++] = r->end_ns;
	return tid_of(r->vf, lane, i);
}

/* ---- events --------------------------------------------------------------------- */

static uint64_t since_start(const struct writer *w, uint64_t ns)
{
	return ns > w->head->started_ns ? ns - w->head->started_ns : 0;
}

static void put_flow(struct writer *w, const struct gv_pf_trace_record *r, int tid)
{
	const char *ph = r->kind == GV_PF_TRACE_MSG_OUT ? "f"
	                 : w->flow[r->vf] == r->flow    ? "t" /* asked again */
	                                                : "s";
	struct json_object *o = event(ph, "request", tid);
	char id[40];

	(void)snprintf(id, sizeof(id), "%d.%" PRIu64, r->vf, r->flow);
	put(o, "cat", json_object_new_string("request"));
	put(o, "id", json_object_new_string(id));
	put(o, "ts", us(since_start(w, r->begin_ns)));
	if (*ph == 'f')
		put(o, "bp", json_object_new_string("e")); /* the event around it, not the next */
	emit(w, o);
	w->flow[r->vf] = r->flow;
}

/* "scrub 64 MiB"; the text of a message or a step says it alone. */
static void name_record(const struct gv_pf_trace_record *r, char *name, size_t room)
{
	const char *kind = gv_pf_trace_kind_name(r->kind);
	bool alone = lane_of(r->kind) == LANE_MAIL || r->kind == GV_PF_TRACE_APPLY ||
	             r->kind == GV_PF_TRACE_BOOT;

	if (alone && r->text[0])
		kind = "";
	(void)snprintf(name, room, "%s%s%.*s", kind, *kind && r->text[0] ? ": " : "",
	               (int)sizeof(r->text), r->text);
}

static void put_record(struct writer *w, const struct gv_pf_trace_record *r)
{
	bool moment = r->kind == GV_PF_TRACE_FAULT || r->kind == GV_PF_TRACE_GUARD;
	char name[GV_PF_TRACE_TEXT + 16];
	int tid = place(w, r);
	struct json_object *o;

	name_record(r, name, sizeof(name));
	o = event(moment ? "i" : "X", name, tid);
	put(o, "cat", json_object_new_string(gv_pf_trace_kind_name(r->kind)));
	put(o, "ts", us(since_start(w, r->begin_ns)));
	if (moment)
		put(o, "s", json_object_new_string("t"));
	else
		put(o, "dur", us(since_start(w, r->end_ns) - since_start(w, r->begin_ns)));
	emit(w, o);
	if (r->flow && r->vf >= 0 && lane_of(r->kind) == LANE_MAIL)
		put_flow(w, r, tid);
}

/* ---- shares --------------------------------------------------------------------- */

static void put_shares(struct writer *w)
{
	struct json_object *o = event("C", "share %", 0), *args = json_object_new_object();
	char name[16];

	for (unsigned i = 0; i < w->head->num_vfs; i++) {
		(void)snprintf(name, sizeof(name), "VF%u", i);
		put_u64(args, name, w->ran_ns[i] * 100 / w->share_ns);
		w->ran_ns[i] = 0;
	}
	put(o, "ts", us(since_start(w, w->share_end_ns - w->share_ns)));
	put(o, "args", args);
	emit(w, o);
}

/* A slice, cut where stretches end. In the order of time. */
static void add_slice(struct writer *w, const struct gv_pf_trace_record *r)
{
	uint64_t at = r->begin_ns;

	if (!w->share_end_ns)
		w->share_end_ns = at + w->share_ns;
	while (r->end_ns > w->share_end_ns) {
		if (at < w->share_end_ns) {
			w->ran_ns[r->vf] += w->share_end_ns - at;
			at = w->share_end_ns;
		}
		put_shares(w);
		w->share_end_ns += w->share_ns;
	}
	w->ran_ns[r->vf] += r->end_ns - at;
}

/* ---- all of it ------------------------------------------------------------------- */

/* What lies inside of another one comes after it. */
static int by_time(const void *a, const void *b)
{
	const struct gv_pf_trace_record *x = a, *y = b;

	if (x->begin_ns != y->begin_ns)
		return x->begin_ns < y->begin_ns ? -1 : 1;
	return x->end_ns == y->end_ns ? 0 : x->end_ns > y->end_ns ? -1 : 1;
}

static void put_head(struct writer *w)
{
	struct json_object *other = json_object_new_object();
	char text[TEXT_ROOM];

	put_u64(other, "lost_records", w->head->lost);
	put(other, "clock", json_object_new_string("CLOCK_MONOTONIC"));
	put_u64(other, "started_ns", w->head->started_ns);
	fprintf(w->file, "{\"displayTimeUnit\":\"ns\",\"otherData\":%s,\"traceEvents\":[",
	        json_object_to_json_string_ext(other, JSON_C_TO_STRING_PLAIN));
	json_object_put(other);
	(void)snprintf(text, sizeof(text), "GPU %s", w->head->gpu);
	say_track(w, 0, "process_name", json_object_new_string(text));
}

static bool sane(const struct gv_pf_timeline *head, const struct gv_pf_trace_record *r)
{
	return r->vf >= -1 && r->vf < MAX_VFS && r->end_ns >= r->begin_ns &&
	       r->end_ns >= head->started_ns && r->end_ns < UINT64_MAX / 2;
}

/* Leave out what cannot be, and sort the rest. Returns how many are left. */
static size_t tidy(const struct gv_pf_timeline *head, struct gv_pf_trace_record *records,
                   size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (sane(head, &records[i]))
			records[n++] = records[i];
	qsort(records, n, sizeof(*records), by_time);
	return n;
}

static uint64_t span_ns(const struct gv_pf_trace_record *records, size_t count)
{
	uint64_t end_ns = 0;

	for (size_t i = 0; i < count; i++)
		end_ns = GV_MAX(end_ns, records[i].end_ns);
	return count ? end_ns - records[0].begin_ns : 0;
}

int gv_pf_timeline_write(FILE *file, const struct gv_pf_timeline *head,
                         struct gv_pf_trace_record *records, size_t count)
{
	struct writer *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->file = file;
	w->head = head;
	count = tidy(head, records, count);
	w->share_ns = GV_MAX(SHARE_NS, span_ns(records, count) / SHARES + 1);
	put_head(w);
	for (size_t i = 0; i < count; i++) {
		put_record(w, &records[i]);
		if (records[i].kind == GV_PF_TRACE_SLICE && records[i].vf >= 0)
			add_slice(w, &records[i]);
	}
	if (w->share_end_ns)
		put_shares(w);
	fputs("\n]}\n", file);
	free(w);
	return ferror(file) ? -EIO : 0;
}
