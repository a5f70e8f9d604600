/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "pf.h"
#include "ut.h"

static struct gv_pf *pf;
static struct gv_pf_trace_record got[GV_PF_TRACE_ROOM];

static void fresh(void)
{
	pf = calloc(1, sizeof(*pf));
	pf_trace_init(&pf->trace);
}

static void over(void)
{
	pf_trace_done(&pf->trace);
	free(pf);
}

/* ---- the ring -------------------------------------------------------------------- */

static void nothing_is_kept_while_it_is_off(void)
{
	struct gv_pf_trace_status s;
	uint64_t next = 0, lost = 0;

	fresh();
	pf_trace(pf, GV_PF_TRACE_FAULT, 0, 1, 1, "before");
	CU_ASSERT_EQUAL(gv_pf_trace_start(pf, NULL), 0);
	CU_ASSERT_EQUAL(gv_pf_trace_start(pf, NULL), -EBUSY);
	pf_trace(pf, GV_PF_TRACE_FAULT, 3, 5, 4, "0x%x is a text that is longer than its place is",
	         16);
	gv_pf_trace_stop(pf);
	pf_trace(pf, GV_PF_TRACE_FAULT, 0, 1, 1, "after");
	CU_ASSERT_EQUAL_FATAL(gv_pf_trace_read(pf, &next, got, GV_PF_TRACE_ROOM, &lost), 1);
	CU_ASSERT_STRING_EQUAL(got[0].text, "0x10 is a text that is longer than it");
	CU_ASSERT_EQUAL(got[0].vf, 3);
	CU_ASSERT_EQUAL(got[0].end_ns, 5); /* never before the begin */
	gv_pf_trace_get_status(pf, &s);
	CU_ASSERT_FALSE(s.on);
	CU_ASSERT_TRUE(s.stopped_ns >= s.started_ns && s.started_ns);
	CU_ASSERT_EQUAL(gv_pf_trace_start(pf, NULL), 0);
	gv_pf_trace_get_status(pf, &s);
	CU_ASSERT_EQUAL(s.next, 0); /* the earlier ones are forgotten */
	over();
}

static void the_newest_stay_and_the_others_are_counted(void)
{
	uint64_t next = 0, lost = 0;
	size_t n = 0, page;

	fresh();
	CU_ASSERT_EQUAL(gv_pf_trace_start(pf, NULL), 0);
	for (uint64_t i = 0; i < GV_PF_TRACE_ROOM + 100; i++)
		pf_trace(pf, GV_PF_TRACE_SLICE, 0, i, i + 1, "%s", "");
	while ((page = gv_pf_trace_read(pf, &next, got + n, GV_MIN(1000u, GV_PF_TRACE_ROOM - n),
	                                &lost)) != 0)
		n += page;
	CU_ASSERT_EQUAL(n, GV_PF_TRACE_ROOM);
	CU_ASSERT_EQUAL(lost, 100);
	CU_ASSERT_EQUAL(next, GV_PF_TRACE_ROOM + 100);
	for (size_t i = 0; i < n; i++)
		if (got[i].begin_ns != i + 100)
			CU_FAIL("records are not in order");
	over();
}

static void *write_many(void *arg)
{
	for (unsigned i = 0; i < 100000; i++)
		pf_trace(arg, GV_PF_TRACE_SLICE, 1, i, i, "%u", i);
	return NULL;
}

static void one_thread_writes_and_another_reads(void)
{
	uint64_t next = 0, lost = 0, seen = 0;
	bool whole = true, ended = false;
	char text[GV_PF_TRACE_TEXT];
	pthread_t t;

	fresh();
	CU_ASSERT_EQUAL(gv_pf_trace_start(pf, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, write_many, pf), 0);
	while (!ended) {
		size_t n;

		ended = !pthread_tryjoin_np(t, NULL);
		while ((n = gv_pf_trace_read(pf, &next, got, 1024, &lost)) != 0) {
			seen += n;
			for (size_t i = 0; i < n; i++) {
				(void)snprintf(text, sizeof(text), "%u", (unsigned)got[i].begin_ns);
				whole = whole && !strcmp(text, got[i].text);
			}
		}
	}
	CU_ASSERT_TRUE(whole);
	CU_ASSERT_EQUAL(seen + lost, 100000);
	over();
}

static void every_kind_has_a_name_that_leads_back(void)
{
	enum gv_pf_trace_kind back;

	for (unsigned k = 0; k < GV_PF_TRACE_KINDS; k++) {
		CU_ASSERT_EQUAL(gv_pf_trace_kind_of(gv_pf_trace_kind_name(k), &back), 0);
		CU_ASSERT_EQUAL((unsigned)back, k);
	}
	CU_ASSERT_EQUAL(gv_pf_trace_kind_of("slices", &back), -EINVAL);
	CU_ASSERT_STRING_EQUAL(gv_pf_trace_kind_name(GV_PF_TRACE_KINDS), "unknown");
}

/* ---- the timeline ----------------------------------------------------------------- */

#define T0 (5 * GV_S)

static struct gv_pf_timeline head;

static struct gv_pf_trace_record rec(enum gv_pf_trace_kind kind, int vf, uint64_t begin_us,
                                     uint64_t end_us, const char *text)
{
	struct gv_pf_trace_record r = {.begin_ns = T0 + begin_us * GV_US,
	                               .end_ns = T0 + end_us * GV_US,
	                               .kind = (uint8_t)kind,
	                               .vf = (int8_t)vf};

	(void)snprintf(r.text, sizeof(r.text), "%s", text);
	return r;
}

/* What a viewer would read; the caller puts it. */
static struct json_object *timeline(struct gv_pf_trace_record *r, size_t count)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *f = open_memstream(&text, &bytes);
	struct json_object *o;

	head.started_ns = T0;
	head.gpu = "vfio:0000:03:00.0";
	CU_ASSERT_EQUAL(gv_pf_timeline_write(f, &head, r, count), 0);
	(void)fclose(f);
	o = json_tokener_parse(text);
	if (!o)
		printf("no JSON: %s\n", text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(o);
	free(text);
	return o;
}

static struct json_object *member(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	(void)json_object_object_get_ex(o, key, &v);
	return v;
}

static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *v = member(o, key);

	return v ? json_object_get_string(v) : "";
}

static double number(struct json_object *o, const char *key)
{
	return json_object_get_double(member(o, key));
}

static struct json_object *event(struct json_object *t, size_t i)
{
	return json_object_array_get_idx(member(t, "traceEvents"), i);
}

static size_t num_events(struct json_object *t)
{
	return json_object_array_length(member(t, "traceEvents"));
}

/* Event @ph called @name, NULL when there is none. */
static struct json_object *find(struct json_object *t, const char *ph, const char *name)
{
	for (size_t i = 0; i < num_events(t); i++)
		if (!strcmp(text_of(event(t, i), "ph"), ph) &&
		    !strcmp(text_of(event(t, i), "name"), name))
			return event(t, i);
	return NULL;
}

/* The rules of the format: known phases, what each must have, order and nesting in a track. */
static void check_format(struct json_object *t)
{
	double last[256] = {0}, end[256][16];
	unsigned depth[256] = {0};

	for (size_t i = 0; i < num_events(t); i++) {
		struct json_object *e = event(t, i);
		const char *ph = text_of(e, "ph");
		int tid = (int)number(e, "tid");
		double ts = number(e, "ts");

		CU_ASSERT_TRUE(strlen(ph) == 1 && strchr("XiMstfC", *ph));
		CU_ASSERT_TRUE(member(e, "pid") && tid >= 0 && tid < 256);
		CU_ASSERT_TRUE(*text_of(e, "name"));
		if (*ph == 'M' || *ph == 'C')
			continue;
		CU_ASSERT_TRUE(member(e, "ts") && ts >= last[tid]);
		last[tid] = ts;
		if (strchr("stf", *ph))
			CU_ASSERT_TRUE(*text_of(e, "id") && *text_of(e, "cat"));
		if (*ph != 'X')
			continue;
		CU_ASSERT_TRUE(member(e, "dur") && number(e, "dur") >= 0);
		while (depth[tid] && end[tid][depth[tid] - 1] <= ts + 1e-6)
			depth[tid]--;
		if (depth[tid])
			CU_ASSERT_TRUE(ts + number(e, "dur") <= end[tid][depth[tid] - 1] + 1e-6);
		CU_ASSERT_TRUE_FATAL(depth[tid] < 16);
		end[tid][depth[tid]++] = ts + number(e, "dur");
	}
}

static void a_request_is_tied_to_its_answer(void)
{
	struct gv_pf_trace_record r[] = {
	        rec(GV_PF_TRACE_MSG_OUT, 1, 900, 910, "READY_TO_ACCESS_GPU"),
	        rec(GV_PF_TRACE_MSG_IN, 1, 100, 130, "REQ_GPU_INIT_ACCESS"),
	        rec(GV_PF_TRACE_MSG_IN, 1, 500, 530, "REQ_GPU_INIT_ACCESS"),
	};
	struct json_object *t, *s, *f;

	for (unsigned i = 0; i < 3; i++)
		r[i].flow = 77;
	head = (struct gv_pf_timeline){.num_vfs = 2};
	t = timeline(r, 3);
	check_format(t);
	s = find(t, "s", "request");
	f = find(t, "f", "request");
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_STRING_EQUAL(text_of(s, "id"), text_of(f, "id"));
	CU_ASSERT_EQUAL(number(s, "ts"), 100);
	CU_ASSERT_EQUAL(number(f, "ts"), 900);
	CU_ASSERT_STRING_EQUAL(text_of(f, "bp"), "e");
	CU_ASSERT_EQUAL(number(find(t, "t", "request"), "ts"), 500); /* asked again */
	json_object_put(t);
}

static void times_are_exact_microseconds(void)
{
	struct gv_pf_trace_record r = {.begin_ns = T0 + 1001,
	                               .end_ns = T0 + 3 * GV_S + 1,
	                               .kind = GV_PF_TRACE_APPLY,
	                               .vf = -1};
	struct json_object *t, *e;

	head = (struct gv_pf_timeline){.lost = 12};
	t = timeline(&r, 1);
	e = find(t, "X", "apply");
	CU_ASSERT_PTR_NOT_NULL_FATAL(e);
	CU_ASSERT_STRING_EQUAL(text_of(e, "ts"), "1.001");
	CU_ASSERT_STRING_EQUAL(text_of(e, "dur"), "2999999.000");
	CU_ASSERT_EQUAL(number(member(t, "otherData"), "lost_records"), 12);
	json_object_put(t);
}

/* A track's name, "" when it has none. */
static const char *track_name(struct json_object *t, struct json_object *e)
{
	for (size_t i = 0; i < num_events(t); i++)
		if (!strcmp(text_of(event(t, i), "name"), "thread_name") &&
		    number(event(t, i), "tid") == number(e, "tid"))
			return text_of(member(event(t, i), "args"), "name");
	return "";
}

static void each_vf_has_tracks_that_say_whose_they_are(void)
{
	struct gv_pf_trace_record r[] = {
	        rec(GV_PF_TRACE_SLICE, 0, 0, 10, ""),
	        rec(GV_PF_TRACE_FAULT, 0, 5, 5, "read 0x10"),
	        rec(GV_PF_TRACE_SCRUB, 15, 5, 9, "64 MiB"),
	        rec(GV_PF_TRACE_BOOT, -1, 1, 2, "gmc"),
	};
	struct json_object *t;

	head = (struct gv_pf_timeline){.num_vfs = 1, .vf = {{"we\"b\n", "vm\\1"}}};
	t = timeline(r, 4);
	check_format(t);
	CU_ASSERT_STRING_EQUAL(text_of(member(find(t, "M", "process_name"), "args"), "name"),
	                       "GPU vfio:0000:03:00.0");
	CU_ASSERT_STRING_EQUAL(track_name(t, find(t, "X", "slice")), "VF0 we\"b\n (vm\\1)");
	CU_ASSERT_STRING_EQUAL(track_name(t, find(t, "i", "fault: read 0x10")),
	                       "VF0 we\"b\n (vm\\1) life");
	CU_ASSERT_STRING_EQUAL(track_name(t, find(t, "X", "scrub: 64 MiB")), "VF15 life");
	CU_ASSERT_STRING_EQUAL(track_name(t, find(t, "X", "gmc")), "PF life");
	json_object_put(t);
}

static void what_only_overlaps_lies_beside(void)
{
	struct gv_pf_trace_record r[3 * 64];
	size_t n = 0;
	struct json_object *t;

	for (unsigned i = 0; i < 64; i++) {
		r[n++] = rec(GV_PF_TRACE_EXCLUSIVE, 0, i * 10, i * 10 + 8, "");
		r[n++] = rec(GV_PF_TRACE_RESET, 0, i * 10 + 4, i * 10 + 12, "");
		r[n++] = rec(GV_PF_TRACE_FLR, 0, i * 10 + 5, i * 10 + 6, "");
	}
	head = (struct gv_pf_timeline){.num_vfs = 1};
	t = timeline(r, n);
	check_format(t);
	n = 0;
	for (size_t i = 0; i < num_events(t); i++)
		n += *text_of(event(t, i), "ph") == 'X';
	CU_ASSERT_EQUAL(n, 3 * 64);
	json_object_put(t);
}

static void shares_add_up(void)
{
	struct gv_pf_trace_record r[100];
	double sum[2] = {0};
	unsigned n = 0;
	struct json_object *t;

	for (unsigned i = 0; i < 100; i++) /* 3:1 of each 10 ms */
		r[i] = rec(GV_PF_TRACE_SLICE, i % 2, i / 2 * 10000 + i % 2 * 7500,
		           i / 2 * 10000 + (i % 2 ? 10000 : 7500), "");
	head = (struct gv_pf_timeline){.num_vfs = 2};
	t = timeline(r, 100);
	check_format(t);
	for (size_t i = 0; i < num_events(t); i++) {
		struct json_object *args = member(event(t, i), "args");

		if (*text_of(event(t, i), "ph") != 'C')
			continue;
		sum[0] += number(args, "VF0");
		sum[1] += number(args, "VF1");
		n++;
	}
	CU_ASSERT_EQUAL(n, 5); /* of 100 ms each */
	CU_ASSERT_EQUAL(sum[0] / n, 75);
	CU_ASSERT_EQUAL(sum[1] / n, 25);
	json_object_put(t);
}

static void nonsense_is_left_out_and_years_are_few_counters(void)
{
	struct gv_pf_trace_record r[] = {
	        rec(GV_PF_TRACE_SLICE, 16, 0, 1, "no such VF"),
	        rec(GV_PF_TRACE_SLICE, -2, 0, 1, "no such VF"),
	        rec(GV_PF_TRACE_SLICE, 0, 9, 1, "ends before it begins"),
	        rec(200, 0, 1, 2, ""),
	        {.begin_ns = 1, .end_ns = UINT64_MAX, .kind = GV_PF_TRACE_SLICE, .vf = 0},
	        {.begin_ns = 1, .end_ns = UINT64_MAX / 4, .kind = GV_PF_TRACE_SLICE, .vf = 0},
	};
	struct json_object *t;

	memset(r[3].text, 'x', sizeof(r[3].text)); /* without an end */
	head = (struct gv_pf_timeline){.num_vfs = 1};
	t = timeline(r, GV_ARRAY_LEN(r));
	check_format(t);
	CU_ASSERT_PTR_NULL(find(t, "X", "slice: no such VF"));
	CU_ASSERT_PTR_NULL(find(t, "X", "slice: ends before it begins"));
	CU_ASSERT_TRUE(num_events(t) < 1100);
	json_object_put(t);
}

UT_MAIN("trace", UT(nothing_is_kept_while_it_is_off),
        UT(the_newest_stay_and_the_others_are_counted), UT(one_thread_writes_and_another_reads),
        UT(every_kind_has_a_name_that_leads_back), UT(a_request_is_tied_to_its_answer),
        UT(times_are_exact_microseconds), UT(each_vf_has_tracks_that_say_whose_they_are),
        UT(what_only_overlaps_lies_beside), UT(shares_add_up),
        UT(nonsense_is_left_out_and_years_are_few_counters))
