/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GV_BENCH_RIG_H
#define GV_BENCH_RIG_H

#include <gv/vf_guest.h>

#include "bench.h"
#include "procs.h"

/* The whole stack with a guest on VF0: emulated GPU, daemon with profile uneven-2, guest library.
 */
struct bench_rig {
	struct gv_procs procs;
	struct gv_bus *bus;
	struct gv_guest *guest;
};

int bench_rig_start(struct bench_rig *r, const struct bench *b, struct gv_err *err);
void bench_rig_stop(struct bench_rig *r);

/** Wait for a fence with a deadline of 20 s. */
int bench_rig_wait(struct gv_guest_queue *q, uint64_t seq, struct gv_err *err);

#endif
