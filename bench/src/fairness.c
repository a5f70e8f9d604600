/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* F10: VFs that are busy all the time share the engines as the profile says; measured by what
 * their guests get done. Everything is a process of its own but the guests, who are threads. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include <gv/configs.h>

#include "rig.h"

#define MAX_VFS  4u
#define DEPTH    16u
#define EQUAL_S  10u
#define WEIGHT_S 6u
#define IDLE_S   4u
#define N        128u /* of the matrices: a few milliseconds */

struct tenant {
	struct gv_bus *bus;
	struct gv_guest *guest;
	struct gv_guest_program *program;
	const struct gv_co_kernel *kernel;
	struct gv_guest_buf *buf;
	struct gv_guest_launch launch;
	struct {
		uint64_t a, b, c;
		uint32_t n;
	} __attribute__((packed)) arg;
	_Atomic uint64_t done;
	_Atomic bool quit;
	pthread_t thread;
	bool runs;
	int rc;
	struct gv_err err;
};

struct host {
	struct gv_procs procs;
	struct gv_co *co;
	enum gv_cfg_sched policy;
	unsigned vfs, busy; /* the first ones have work */
	struct tenant tenant[MAX_VFS];
};

/* ---- guests ------------------------------------------------------------------ */

static int compute(struct tenant *t)
{
	struct gv_guest_queue *queue = gv_guest_compute(t->guest, 0);
	uint64_t seq[DEPTH] = {0};
	int rc = 0;

	for (unsigned n = 0; !rc && !atomic_load(&t->quit); n++) {
		if (n >= DEPTH) {
			rc = bench_rig_wait(queue, seq[n % DEPTH], &t->err);
			atomic_fetch_add(&t->done, rc == 0);
		}
		if (!rc)
			rc = gv_guest_launch(queue, t->program, t->kernel, &t->launch,
			                     &seq[n % DEPTH], &t->err);
	}
	for (unsigned n = 0; !rc && n < DEPTH; n++)
		rc = seq[n] ? bench_rig_wait(queue, seq[n], &t->err) : 0;
	return rc;
}

static void *run_tenant(void *arg)
{
	struct tenant *t = arg;

	t->rc = compute(t);
	return NULL;
}

static int open_tenant(struct host *h, unsigned vf, struct gv_err *err)
{
	struct tenant *t = &h->tenant[vf];
	char uri[160];
	int rc;

	(void)snprintf(uri, sizeof(uri), "vfio-user:%s/gpu/vf%u.sock", h->procs.dir, vf);
	rc = gv_bus_open(uri, NULL, NULL, &t->bus, err);
	if (!rc)
		rc = gv_guest_open(t->bus, NULL, &t->guest, err);
	if (!rc)
		rc = gv_co_find(h->co, "matmul", &t->kernel, err);
	if (!rc)
		rc = gv_guest_program_new(t->guest, h->co, &t->program, err);
	if (!rc)
		rc = gv_guest_buf_new(t->guest, NULL, GV_GUEST_VRAM, 4ull * N * N, &t->buf, err);
	if (rc)
		return rc;
	t->arg.a = t->arg.b = t->arg.c = gv_guest_buf_va(t->buf);
	t->arg.n = N;
	t->launch = (struct gv_guest_launch){.grid = {N, N},
	                                     .block = {64, 1},
	                                     .kernarg = &t->arg,
	                                     .kernarg_bytes = sizeof(t->arg)};
	return 0;
}

static int start_tenants(struct host *h, struct gv_err *err)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < h->vfs; i++)
		rc = open_tenant(h, i, err);
	for (unsigned i = 0; !rc && i < h->busy; i++) {
		if (pthread_create(&h->tenant[i].thread, NULL, run_tenant, &h->tenant[i]))
			return gv_fail(err, -EAGAIN, "no thread for a guest");
		h->tenant[i].runs = true;
	}
	return rc;
}

static int stop_tenants(struct host *h, struct gv_err *err)
{
	int rc = 0;

	for (unsigned i = 0; i < h->vfs; i++)
		atomic_store(&h->tenant[i].quit, true);
	for (unsigned i = 0; i < h->vfs; i++) {
		struct tenant *t = &h->tenant[i];

		if (t->runs)
			(void)pthread_join(t->thread, NULL);
		if (t->rc && !rc)
			rc = gv_fail(err, t->rc, "guest on VF%u: %s", i, t->err.text);
		(void)gv_guest_buf_free(t->buf);
		(void)gv_guest_program_free(t->program);
		(void)gv_guest_close(t->guest);
		(void)gv_bus_close(t->bus);
	}
	return rc;
}

/* ---- the host ------------------------------------------------------------------ */

static int write_profile(const struct gv_cfg *cfg, char *path, struct gv_err *err)
{
	gv_auto_free char *json = NULL;
	gv_auto_fd int fd = mkstemp(path);
	int rc = fd < 0 ? -errno : gv_cfg_to_json(cfg, &json);

	if (!rc && write(fd, json, strlen(json)) != (ssize_t)strlen(json))
		rc = -EIO;
	return rc ? gv_fail(err, rc, "%s: %s", path, strerror(-rc)) : 0;
}

static int start_host(struct bench *b, struct host *h, const uint32_t *weights, struct gv_err *err)
{
	struct gv_cfg cfg = {.num_vfs = h->vfs, .policy = h->policy};
	char path[] = "/tmp/gv-fairness-XXXXXX";
	int rc;

	for (unsigned i = 0; i < h->vfs; i++)
		cfg.vfs[i] = (struct gv_cfg_vf){
		        .fb_mib = 256, .quantum_ms = GV_CFG_QUANTUM_MS, .weight = weights[i]};
	rc = write_profile(&cfg, path, err);
	if (!rc)
		rc = gv_procs_start(&h->procs, b->bin_dir, path, err);
	(void)unlink(path);
	if (!rc)
		rc = gv_co_open(GV_SPEED_OBJECT, &h->co, err);
	return rc ? rc : start_tenants(h, err);
}

static int stop_host(struct host *h, struct gv_err *err)
{
	int rc = stop_tenants(h, err);

	(void)gv_co_free(h->co);
	gv_procs_stop(&h->procs);
	return rc;
}

/* What each gets done in @seconds. */
static void watch(struct host *h, unsigned seconds, double *done)
{
	uint64_t end = gv_now_ns() + seconds * GV_S;

	for (unsigned i = 0; i < h->vfs; i++)
		done[i] = -(double)atomic_load(&h->tenant[i].done);
	while (gv_now_ns() < end && !bench_stop)
		(void)usleep(10000);
	for (unsigned i = 0; i < h->vfs; i++)
		done[i] += (double)atomic_load(&h->tenant[i].done);
}

/* What the daemon says of all slices, at one time. Caller puts it. */
static struct json_object *status_of(struct bench *b, const struct host *h)
{
	char command[512], text[65536];
	size_t n;
	FILE *f;

	(void)snprintf(command, sizeof(command),
	               "%s/gpuvisor --socket %s/gpuvisor.sock --json status", b->bin_dir,
	               h->procs.dir);
	f = popen(command, "r");
	if (!f)
		return NULL;
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	return pclose(f) ? NULL : json_tokener_parse(text);
}

/* 0: it is not there. */
static uint64_t slices_of(struct json_object *status, unsigned vf, const char *key)
{
	struct json_object *o = NULL;

	if (!json_object_object_get_ex(status, "vfs", &o))
		return 0;
	o = json_object_array_get_idx(o, vf);
	if (!json_object_object_get_ex(o, "scheduler", &o) ||
	    !json_object_object_get_ex(o, key, &o))
		return 0;
	return json_object_get_uint64(o);
}

/* Time that each VF had the engines until now, times @sign, on top of @ran. */
static void add_ran(struct bench *b, const struct host *h, double sign, double *ran)
{
	struct json_object *status = status_of(b, h);

	for (unsigned i = 0; i < h->vfs; i++)
		ran[i] += sign * (double)slices_of(status, i, "ran_ns");
	json_object_put(status);
}

/* 1: all the same; 1/n: one has everything. */
static double jain(const double *x, unsigned n)
{
	double sum = 0, squares = 0;

	for (unsigned i = 0; i < n; i++) {
		sum += x[i];
		squares += x[i] * x[i];
	}
	return squares > 0 ? sum * sum / (n * squares) : 0;
}

static void report_switches(struct bench *b, struct host *h)
{
	struct json_object *status = status_of(b, h);
	uint64_t p50 = slices_of(status, 0, "switch_p50_ns"),
	         p99 = slices_of(status, 0, "switch_p99_ns");
	struct bench_row row = {.figure = "F10",
	                        .what = "switch from one busy VF to the next, p50",
	                        .unit = "ns",
	                        .ours = (double)p50};

	(void)snprintf(
	        row.conditions, sizeof(row.conditions),
	        "as gpuvisord sees it, over vfio-user, both CPUs busy; p99 %.0f us; %.1f %% of a "
	        "slice of %u ms",
	        (double)p99 / 1e3, (double)p50 / 1e4 / GV_CFG_QUANTUM_MS, GV_CFG_QUANTUM_MS);
	bench_add(b, &row);
	json_object_put(status);
}

static int equal(struct bench *b, struct gv_err *err)
{
	static const uint32_t weights[MAX_VFS] = {1, 1, 1, 1};
	struct host h = {.policy = GV_CFG_SCHED_FAIR, .vfs = 4, .busy = 4};
	struct bench_row row = {.figure = "F10",
	                        .what = "Jain's index of 4 equal VFs, all busy",
	                        .unit = "1",
	                        .limit = 1};
	double done[MAX_VFS] = {0};
	int rc = start_host(b, &h, weights, err), rc2;

	if (!rc) {
		watch(&h, EQUAL_S, done);
		row.ours = jain(done, 4);
		(void)snprintf(row.conditions, sizeof(row.conditions),
		               "matrix products of 128 done in %u s: %.0f %.0f %.0f %.0f", EQUAL_S,
		               done[0], done[1], done[2], done[3]);
		bench_add(b, &row);
		report_switches(b, &h);
	}
	rc2 = stop_host(&h, err);
	return rc ? rc : rc2;
}

static int weighted(struct bench *b, struct gv_err *err)
{
	static const uint32_t weights[MAX_VFS] = {3, 1};
	struct host h = {.policy = GV_CFG_SCHED_FAIR, .vfs = 2, .busy = 2};
	struct bench_row row = {.figure = "F10",
	                        .what = "work done by weights 3:1, both busy",
	                        .unit = "1",
	                        .limit = 3};
	double done[MAX_VFS] = {0}, ran[MAX_VFS] = {0};
	int rc = start_host(b, &h, weights, err), rc2;

	if (!rc) {
		add_ran(b, &h, -1, ran);
		watch(&h, WEIGHT_S, done);
		add_ran(b, &h, 1, ran);
		row.ours = done[0] / GV_MAX(done[1], 1.0);
		(void)snprintf(row.conditions, sizeof(row.conditions),
		               "matrix products of 128 done in %u s: %.0f and %.0f; by time of the "
		               "engines %.2f",
		               WEIGHT_S, done[0], done[1], ran[0] / GV_MAX(ran[1], 1.0));
		bench_add(b, &row);
	}
	rc2 = stop_host(&h, err);
	return rc ? rc : rc2;
}

/* The part of the engines' time that a VF has which has a guest, but no work. */
static int share_of_idle(struct bench *b, enum gv_cfg_sched policy, double *share,
                         struct gv_err *err)
{
	static const uint32_t weights[MAX_VFS] = {1, 1, 1};
	struct host h = {.policy = policy, .vfs = 3, .busy = 2};
	double done[MAX_VFS] = {0}, ran[MAX_VFS] = {0};
	int rc = start_host(b, &h, weights, err), rc2;

	if (!rc) {
		add_ran(b, &h, -1, ran);
		watch(&h, IDLE_S, done);
		add_ran(b, &h, 1, ran);
	}
	*share = rc ? 0 : ran[2] / (ran[0] + ran[1] + ran[2]);
	rc2 = stop_host(&h, err);
	return rc ? rc : rc2;
}

static int idle(struct bench *b, struct gv_err *err)
{
	struct bench_row row = {.figure = "F10",
	                        .what = "time of an idle VF beside two busy ones, fixed",
	                        .unit = "1",
	                        .limit = 1 / 3.};
	double best = 0;
	int rc = share_of_idle(b, GV_CFG_SCHED_FIXED, &row.ours, err);

	if (!rc)
		rc = share_of_idle(b, GV_CFG_SCHED_BEST_EFFORT, &best, err);
	if (rc)
		return rc;
	(void)snprintf(row.conditions, sizeof(row.conditions),
	               "part of the engines' time in %u s; under best-effort it is %.3f", IDLE_S,
	               best);
	bench_add(b, &row);
	return 0;
}

int bench_fairness(struct bench *b, struct gv_err *err)
{
	int rc = equal(b, err);

	if (!rc)
		rc = weighted(b, err);
	return rc ? rc : idle(b, err);
}
