/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GV_BENCH_RIG_H
#define GV_BENCH_RIG_H

#include <gv/device_model.h>
#include <gv/pf_driver.h>
#include <gv/vf_guest.h>

#include "bench.h"
#include "local_gpu.h"
#include "procs.h"

/* The whole stack as processes, with a guest of ours on VF0: emulated GPU, daemon with profile
 * uneven-2, guest library. Started by the first figure that needs it. */
struct bench_stack {
	struct gv_procs procs;
	struct gv_bus *bus;
	struct gv_guest *guest;
};

/** The stack, started now if it was not; bound to the @nth CPU, us included (-1: all). */
int bench_stack_get(struct bench *b, int nth, struct bench_stack **stack, struct gv_err *err);
void bench_stack_stop(struct bench *b);

/** Wait for a fence with a deadline of 20 s. */
int bench_rig_wait(struct gv_guest_queue *q, uint64_t seq, struct gv_err *err);

/** Run a figure twice: @run gets the guest over vfio-user, then the guest in process; everything
 *  on one CPU (@one_cpu) or on all. @where says which, for the row. */
int bench_both(struct bench *b, bool one_cpu,
               int (*run)(struct bench *b, struct gv_guest *guest, struct gv_bus *bus,
                          const char *where, struct gv_err *err),
               struct gv_err *err);

#endif
