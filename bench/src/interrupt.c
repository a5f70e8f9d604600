/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* F3: doorbell -> PM4 fence -> interrupt, seen by the guest. */
#include <stdio.h>
#include <string.h>

#include <gv/packets.h>

#include "rig.h"

#define SAMPLES 1000

struct fence {
	struct gv_guest_queue *queue;
	struct gv_guest *guest;
	int eventfd;
	struct gv_err *err;
};

/* Interrupts on, none pending. */
static int rearm(void *arg)
{
	struct fence *f = arg;

	return gv_guest_service(f->guest, 0);
}

static int submit(struct fence *f, uint64_t *seq)
{
	uint32_t nop = GV_PM4_NOP1;

	return gv_guest_submit(f->queue, &nop, 1, seq, f->err);
}

/* As a driver that sleeps: the fence was written before the interrupt, so it must be there. */
static int submit_and_sleep(void *arg)
{
	struct fence *f = arg;
	uint64_t seq;
	int rc = submit(f, &seq);

	if (!rc)
		rc = gv_irq_wait(f->eventfd, gv_now_ns() + GV_S);
	return rc ? rc : gv_guest_wait(f->queue, seq, gv_now_ns(), f->err);
}

/* As the guest library waits: polls a little first. */
static int submit_and_wait(void *arg)
{
	struct fence *f = arg;
	uint64_t seq;
	int rc = submit(f, &seq);

	return rc ? rc : bench_rig_wait(f->queue, seq, f->err);
}

static void add(struct bench *b, const char *what, double ours, double limit, bool socket)
{
	struct bench_row row = {
	        .figure = "F3", .unit = "ns", .what = what, .ours = ours, .limit = limit};

	(void)snprintf(row.conditions, sizeof(row.conditions),
	               "one CPU for %s; NOP, RELEASE_MEM with interrupt; limit: eventfd round trip "
	               "of two threads there",
	               socket ? "guest, GPU and daemon" : "all threads");
	bench_add(b, &row);
}

static int measure(struct bench *b, struct gv_guest *guest, struct gv_bus *bus, const char *where,
                   struct gv_err *err)
{
	struct fence f = {gv_guest_compute(guest, 0), guest, -1, err};
	struct bench_raw_pair *raw = NULL;
	struct bench_probe p[] = {
	        {.run = bench_raw_pair_call, .samples = SAMPLES},
	        {.run = submit_and_sleep, .before = rearm, .arg = &f, .samples = SAMPLES},
	        {.run = submit_and_wait, .arg = &f, .samples = SAMPLES},
	};
	bool socket = strcmp(where, "vfio-user") == 0;
	int rc = gv_bus_irq_enable(bus, 0, &f.eventfd); /* the guest's own */

	if (!rc)
		rc = bench_raw_pair_new(false, 0, &raw);
	p[0].arg = raw;
	if (!rc)
		rc = bench_measure(p, GV_ARRAY_LEN(p));
	raw = bench_raw_pair_free(raw);
	if (rc)
		return err->code ? rc : gv_fail(err, rc, "measuring: %s", strerror(-rc));
	add(b,
	    socket ? "doorbell -> fence -> interrupt, vfio-user, p50"
	           : "doorbell -> fence -> interrupt, in process, p50",
	    p[1].ns, p[0].ns, socket);
	add(b,
	    socket ? "submit until the guest's wait is over, vfio-user"
	           : "submit until the guest's wait is over, in process",
	    p[2].ns, p[0].ns, socket);
	return 0;
}

int bench_interrupt(struct bench *b, struct gv_err *err)
{
	return bench_both(b, true, measure, err);
}
