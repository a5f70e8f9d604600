/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* F3: doorbell -> PM4 fence -> interrupt, seen by the guest. */
#include <stdio.h>
#include <string.h>

#include <gv/packets.h>

#include "rig.h"

static struct gv_err failure;

static void fence(void *arg)
{
	struct gv_guest_queue *q = arg;
	uint32_t nop = GV_PM4_NOP1;
	uint64_t seq;

	if (failure.code == 0 && gv_guest_submit(q, &nop, 1, &seq, &failure) == 0)
		(void)bench_rig_wait(q, seq, &failure);
}

int bench_interrupt(struct bench *b, struct gv_err *err)
{
	struct bench_row row = {.figure = "F3",
	                        .unit = "ns",
	                        .smaller_is_better = true,
	                        .what = "doorbell -> fence -> interrupt, vfio-user, p50",
	                        .conditions =
	                                "all processes on one core; limit: eventfd round trip "
	                                "between two threads of that core"};
	struct bench_rig rig;
	int rc;

	bench_pin(0);
	rc = bench_rig_start(&rig, b, err);
	if (rc == 0) {
		failure = (struct gv_err){0};
		row.limit = bench_raw_eventfd();
		row.ours = bench_latency(fence, gv_guest_compute(rig.guest, 0), 2000);
		rc = failure.code ? gv_fail(err, failure.code, "%s", failure.text) : 0;
		if (rc == 0)
			bench_add(b, &row);
		bench_rig_stop(&rig);
	}
	bench_pin(-1);
	return rc;
}
