/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* F3: doorbell -> PM4 fence -> interrupt, seen by the guest. */
#include <stdio.h>
#include <string.h>

#include <gv/packets.h>

#include "rig.h"

#define SAMPLES 1000

struct fence {
	struct gv_guest_queue *queue;
	struct gv_err *err;
};

static int submit_and_wait(void *arg)
{
	struct fence *f = arg;
	uint32_t nop = GV_PM4_NOP1;
	uint64_t seq;
	int rc = gv_guest_submit(f->queue, &nop, 1, &seq, f->err);

	return rc ? rc : bench_rig_wait(f->queue, seq, f->err);
}

static int measure(struct bench *b, struct gv_guest *guest, const char *where, struct gv_err *err)
{
	struct fence f = {gv_guest_compute(guest, 0), err};
	struct bench_raw_pair *raw = NULL;
	struct bench_probe p[] = {{.run = bench_raw_pair_call, .samples = SAMPLES},
	                          {.run = submit_and_wait, .arg = &f, .samples = SAMPLES}};
	bool socket = strcmp(where, "vfio-user") == 0;
	struct bench_row row = {.figure = "F3",
	                        .unit = "ns",
	                        .what = socket ? "doorbell -> fence -> interrupt, vfio-user, p50"
	                                       : "doorbell -> fence -> interrupt, in process, p50"};
	int rc = bench_raw_pair_new(false, 0, &raw);

	p[0].arg = raw;
	if (!rc)
		rc = bench_measure(p, GV_ARRAY_LEN(p));
	raw = bench_raw_pair_free(raw);
	if (rc)
		return err->code ? rc : gv_fail(err, rc, "measuring: %s", strerror(-rc));
	(void)snprintf(row.conditions, sizeof(row.conditions),
	               "one CPU for %s; NOP and RELEASE_MEM with interrupt; limit: eventfd round "
	               "trip of two threads there",
	               socket ? "guest, GPU and daemon" : "all threads");
	row.ours = p[1].ns;
	row.limit = p[0].ns;
	bench_add(b, &row);
	return 0;
}

int bench_interrupt(struct bench *b, struct gv_err *err)
{
	return bench_both(b, true, measure, err);
}
