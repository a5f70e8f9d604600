/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gpuvisor trace: the daemon's records become a file here, with the rights of who asked. With
 * --out, `start` fetches them while they come, so that a trace may be longer than the ring.
 */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include <json-c/json.h>

#include <gv/pf_trace.h>

#include "gpuvisor.h"

#define MAX_RECORDS (1u << 20) /* 64 MiB */
#define PAUSE_MS    100

struct taken {
	struct gv_pf_trace_record *record;
	size_t count, room;
	uint64_t started_ns, next, lost;
};

static volatile sig_atomic_t quit;

static void on_signal(int sig)
{
	(void)sig;
	quit = 1;
}

/* ---- fetching ------------------------------------------------------------------ */

static int add(struct taken *t, struct json_object *o, struct gv_err *err)
{
	enum gv_pf_trace_kind kind;
	struct gv_pf_trace_record *r;

	if (t->count == t->room) {
		size_t room = t->room ? t->room * 2 : 4096;

		r = realloc(t->record, room * sizeof(*r));
		if (!r)
			return gv_fail(err, -ENOMEM, "no memory for %zu records", room);
		t->record = r;
		t->room = room;
	}
	if (gv_pf_trace_kind_of(shown_text(o, "kind"), &kind))
		return 0; /* a newer daemon's */
	r = &t->record[t->count++];
	*r = (struct gv_pf_trace_record){.begin_ns = num(o, "begin_ns"),
	                                 .end_ns = num(o, "end_ns"),
	                                 .flow = num(o, "flow"),
	                                 .kind = (uint8_t)kind,
	                                 .vf = get(o, "vf") ? (int8_t)num(o, "vf") : -1};
	if (get(o, "text"))
		(void)snprintf(r->text, sizeof(r->text), "%s", shown_text(o, "text"));
	return 0;
}

/* All that there are now. */
static int fetch(struct client *c, struct taken *t, struct gv_err *err)
{
	bool more = true;
	int rc = 0;

	while (!rc && more && t->count < MAX_RECORDS) {
		struct json_object *params = json_object_new_object(), *page = NULL, *list;

		put_u64(params, "next", t->next);
		rc = client_call(c, "trace.read", params, NULL, &page, err);
		list = get(page, "records");
		more = list && json_object_array_length(list);
		for (size_t i = 0; !rc && more && i < json_object_array_length(list); i++)
			rc = add(t, json_object_array_get_idx(list, i), err);
		t->next = GV_MAX(t->next, num(page, "next"));
		t->lost += num(page, "lost");
		json_object_put(page);
	}
	return rc;
}

/* ---- the file ------------------------------------------------------------------ */

static int open_out(const char *path, FILE **file, struct gv_err *err)
{
	*file = strcmp(path, "-") ? fopen(path, "we") : stdout;
	return *file ? 0 : gv_fail(err, -errno, "%s: %s", path, strerror(errno));
}

/* Names of VFs borrowed from @status. */
static void name_vfs(struct gv_pf_timeline *head, struct json_object *status)
{
	struct json_object *vfs = get(status, "vfs");

	head->gpu = get(status, "gpu") ? shown_text(status, "gpu") : "?";
	head->num_vfs =
	        vfs ? (unsigned)GV_MIN(json_object_array_length(vfs), GV_ARRAY_LEN(head->vf)) : 0;
	for (unsigned i = 0; i < head->num_vfs; i++) {
		struct json_object *vf = json_object_array_get_idx(vfs, i);

		head->vf[i].label = get(vf, "label") ? shown_text(vf, "label") : NULL;
		head->vf[i].domain = get(vf, "domain") ? shown_text(vf, "domain") : NULL;
	}
}

static int write_out(const struct cli *cli, FILE *file, struct json_object *status, struct taken *t,
                     struct gv_err *err)
{
	struct gv_pf_timeline head = {.started_ns = t->started_ns, .lost = t->lost};
	int rc;

	name_vfs(&head, status);
	rc = gv_pf_timeline_write(file, &head, t->record, t->count);
	if (file == stdout ? fflush(file) : fclose(file))
		rc = rc ? rc : -EIO;
	if (rc)
		return gv_fail(err, rc, "%s: %s", cli->out, strerror(-rc));
	fprintf(stderr, "gpuvisor: %s: %zu records, %" PRIu64 " lost%s\n", cli->out, t->count,
	        t->lost, t->count >= MAX_RECORDS ? "; more than that are not taken at once" : "");
	return 0;
}

/* ---- verbs --------------------------------------------------------------------- */

static void print_trace(struct json_object *o)
{
	bool on = json_object_get_boolean(get(o, "on"));
	uint64_t end = on ? num(o, "now_ns") : num(o, "stopped_ns");

	if (!get(o, "started_ns")) {
		puts("no trace was taken");
		return;
	}
	printf("%s, %.1f s: %" PRIu64 " records, the last %" PRIu64 " are kept (room for %" PRIu64
	       ")\n",
	       on ? "a trace is being taken" : "a trace was taken",
	       (double)(end - num(o, "started_ns")) / 1e9, num(o, "records"), num(o, "kept"),
	       num(o, "room"));
}

/* Until the time is over or somebody says so. */
static int collect(const struct cli *cli, struct client *c, struct taken *t, struct gv_err *err)
{
	uint64_t end_ns = cli->seconds ? gv_now_ns() + cli->seconds * GV_S : UINT64_MAX;
	const struct sigaction sa = {.sa_handler = on_signal};
	int rc = 0;

	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	while (!rc && !quit && gv_now_ns() < end_ns && t->count < MAX_RECORDS) {
		rc = fetch(c, t, err);
		if (!rc && !quit)
			(void)poll(NULL, 0, PAUSE_MS);
	}
	return rc;
}

/* End the trace and write what there is, also when the daemon has gone away. */
static int finish(const struct cli *cli, struct client *c, FILE *file, struct taken *t, int rc,
                  struct gv_err *err)
{
	struct json_object *stopped = NULL, *status = NULL;
	struct gv_err late = {0};
	int wrote;

	if (!rc)
		rc = client_call(c, "trace.stop", NULL, NULL, &stopped, err);
	if (!rc)
		rc = client_call(c, "status", NULL, NULL, &status, err);
	if (!rc)
		rc = fetch(c, t, err);
	if (stopped)
		t->started_ns = num(stopped, "started_ns");
	wrote = write_out(cli, file, status, t, rc ? &late : err);
	json_object_put(stopped);
	json_object_put(status);
	free(t->record);
	return rc ? rc : wrote;
}

/* Into a file: @begin the trace first, and collect. */
static int take(const struct cli *cli, bool begin, struct gv_err *err)
{
	struct json_object *started = NULL;
	struct taken t = {0};
	struct client c;
	FILE *file = NULL;
	int rc = client_open(cli->socket, &c, err);

	if (rc)
		return rc;
	rc = open_out(cli->out, &file, err);
	if (!rc && begin)
		rc = client_call(&c, "trace.start", NULL, NULL, &started, err);
	if (rc && file && file != stdout)
		(void)fclose(file);
	if (!rc) {
		t.started_ns = num(started, "started_ns");
		rc = finish(cli, &c, file, &t, begin ? collect(cli, &c, &t, err) : 0, err);
	}
	json_object_put(started);
	client_close(&c);
	return rc;
}

int run_trace_start(struct cli *cli, char **args, struct gv_err *err)
{
	(void)args;
	return cli->out ? take(cli, true, err) : ask(cli, "trace.start", NULL, print_trace, err);
}

int run_trace_stop(struct cli *cli, char **args, struct gv_err *err)
{
	(void)args;
	return cli->out ? take(cli, false, err) : ask(cli, "trace.stop", NULL, print_trace, err);
}

int run_trace_status(struct cli *cli, char **args, struct gv_err *err)
{
	(void)args;
	return ask(cli, "trace.status", NULL, print_trace, err);
}
