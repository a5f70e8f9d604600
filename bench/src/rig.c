/* SPDX-License-Identifier: LGPL-2.1-or-later */
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
	struct gv_local_gpu *local = NULL;
	int rc = bench_stack_get(b, one_cpu ? 0 : -1, &stack, err);

	if (!rc)
		rc = run(b, stack->guest, stack->bus, "vfio-user", err);
	if (!rc)
		rc = gv_local_gpu_new(&local, err);
	if (!rc)
		rc = run(b, gv_local_gpu_guest(local), gv_local_gpu_bus(local), "in process", err);
	(void)gv_local_gpu_free(local);
	bench_pin(-1);
	return rc;
}
