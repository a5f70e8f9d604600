/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "rig.h"

/* ---- as processes ------------------------------------------------------------- */

static int start_stack(struct bench *b, struct bench_stack *s, struct gv_err *err)
{
	char uri[160];
	int rc = gv_procs_start(&s->procs, b->bin_dir, GV_PROFILE_DIR "/uneven-2.json", err);

	if (rc)
		return rc;
	(void)snprintf(uri, sizeof(uri), "vfio-user:%s/gpu/vf0.sock", s->procs.dir);
	rc = gv_bus_open(uri, NULL, NULL, &s->bus, err);
	return rc ? rc : gv_guest_open(s->bus, NULL, &s->guest, err);
}

void bench_stack_stop(struct bench *b)
{
	struct bench_stack *s = b->stack;

	if (!s)
		return;
	s->guest = gv_guest_close(s->guest);
	s->bus = gv_bus_close(s->bus);
	gv_procs_stop(&s->procs);
	free(s);
	b->stack = NULL;
}

int bench_stack_get(struct bench *b, int nth, struct bench_stack **stack, struct gv_err *err)
{
	int rc = 0;

	bench_pin(-1);
	if (!b->stack) {
		b->stack = calloc(1, sizeof(*b->stack));
		rc = b->stack ? start_stack(b, b->stack, err)
		              : gv_fail(err, -ENOMEM, "no memory for a rig");
	}
	if (rc) {
		bench_stack_stop(b);
		return rc;
	}
	bench_pin(nth);
	bench_pin_process(b->stack->procs.gpu, nth);
	bench_pin_process(b->stack->procs.daemon, nth);
	*stack = b->stack;
	return 0;
}

/* ---- in process ----------------------------------------------------------------- */

struct bench_local {
	struct gv_dev *dev;
	struct gv_bus *pf_bus, *vf_bus;
	struct gv_pf *pf;
	struct gv_guest *guest;
	pthread_t server;
	bool serving;
	_Atomic bool quit;
};

/* What gpuvisord does, without its socket. */
static void *serve(void *arg)
{
	struct bench_local *l = arg;
	struct pollfd p = {.fd = gv_pf_irq_fd(l->pf), .events = POLLIN};

	while (!atomic_load(&l->quit)) {
		uint64_t next = 0;

		if (gv_pf_service(l->pf, &next))
			break;
		if (next > gv_now_ns())
			(void)poll(&p, 1, (int)GV_MIN((next - gv_now_ns()) / GV_MS + 1, 10ull));
	}
	return NULL;
}

static int start_pf(struct bench_local *l, struct gv_err *err)
{
	struct gv_cfg cfg = {.num_vfs = 1};
	struct gv_pf_plan plan;
	int rc = gv_pf_new(l->pf_bus, NULL, &l->pf, err);

	cfg.vfs[0] = (struct gv_cfg_vf){.fb_mib = 1024, .quantum_ms = 6, .weight = 1};
	if (!rc)
		rc = gv_pf_boot(l->pf, err);
	if (!rc)
		rc = gv_pf_plan(gv_pf_get_caps(l->pf), &cfg, &plan, err);
	if (!rc)
		rc = gv_pf_apply(l->pf, &plan, 0, err);
	if (!rc && pthread_create(&l->server, NULL, serve, l))
		rc = gv_fail(err, -EAGAIN, "no thread to serve the PF");
	l->serving = !rc;
	return rc;
}

int bench_local_new(struct bench_local **local, struct gv_err *err)
{
	const struct gv_dev_cfg cfg = {.vram_mib = 2048, .max_vfs = 1};
	struct bench_local *l = calloc(1, sizeof(*l));
	int rc = l ? gv_dev_new(&cfg, NULL, &l->dev, err)
	           : gv_fail(err, -ENOMEM, "no memory for a rig");

	if (!rc)
		rc = gv_dev_bus(l->dev, GV_DEV_PF, &l->pf_bus, err);
	if (!rc)
		rc = start_pf(l, err);
	if (!rc)
		rc = gv_dev_bus(l->dev, GV_DEV_VF(0), &l->vf_bus, err);
	if (!rc)
		rc = gv_guest_open(l->vf_bus, NULL, &l->guest, err);
	if (rc)
		l = bench_local_free(l);
	else
		*local = l;
	return rc;
}

struct bench_local *bench_local_free(struct bench_local *l)
{
	if (!l)
		return NULL;
	l->guest = gv_guest_close(l->guest);
	l->vf_bus = gv_bus_close(l->vf_bus);
	atomic_store(&l->quit, true);
	if (l->serving)
		(void)pthread_join(l->server, NULL);
	l->pf = gv_pf_close(l->pf);
	l->pf_bus = gv_bus_close(l->pf_bus);
	l->dev = gv_dev_free(l->dev);
	free(l);
	return NULL;
}

/* ---- both ------------------------------------------------------------------------- */

int bench_rig_wait(struct gv_guest_queue *q, uint64_t seq, struct gv_err *err)
{
	return gv_guest_wait(q, seq, gv_now_ns() + 20 * GV_S, err);
}

int bench_both(struct bench *b, bool one_cpu,
               int (*run)(struct bench *b, struct gv_guest *guest, struct gv_bus *bus,
                          const char *where, struct gv_err *err),
               struct gv_err *err)
{
	struct bench_stack *stack;
	struct bench_local *local = NULL;
	int rc = bench_stack_get(b, one_cpu ? 0 : -1, &stack, err);

	if (!rc)
		rc = run(b, stack->guest, stack->bus, "vfio-user", err);
	if (!rc)
		rc = bench_local_new(&local, err);
	if (!rc)
		rc = run(b, local->guest, local->vf_bus, "in process", err);
	bench_local_free(local);
	bench_pin(-1);
	return rc;
}
