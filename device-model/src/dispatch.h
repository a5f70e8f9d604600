/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The grid that a queue runs, and the parts that threads run of it.
 */
#ifndef GV_DISPATCH_H
#define GV_DISPATCH_H

#include "cp.h"
#include "cu/cu.h"

/* WAITING: nothing in it can go on now (GV_CU_RETRY). */
enum gv_part_state {
	GV_PART_UNUSED,
	GV_PART_PARKED,
	GV_PART_WAITING,
	GV_PART_RUNNING,
	GV_PART_DONE,
};

/** What one thread runs of a grid. */
struct gv_part {
	enum gv_part_state state; /* under the pool's lock once the grid is there */
	struct gv_cu_run *run;    /* kept from dispatch to dispatch */
	bool begun;               /* it runs groups of this one */
	enum gv_cu_status status;
	uint64_t retry_at, backoff, generation; /* when WAITING, or for how long it was (0: not) */
	struct gv_mem mem;
	bool mem_ready;
};

/** A queue has one (gv_queue.store), made with the first DISPATCH and used again. */
struct gv_grid {
	struct gv_grid_head head;
	struct gv_cu_dispatch d;
	struct gv_cu_shared shared;
	uint64_t groups; /* saturates */
	unsigned begun, max_parts, num_parts;
	struct gv_part part[]; /* one per thread of the pool */
};

/* dispatch.c, for dispatch_save.c */

/** The queue's grid with memory for @min_parts parts at least, nothing begun; NULL: out of memory.
 *  Only while none of the queue's runs. */
struct gv_grid *gv_dispatch_get_grid(struct gv_queue *q, unsigned vmid, unsigned min_parts);
/** What of g->d depends on the VMID and on the device, not on COMPUTE_*. */
void gv_dispatch_set_memory(struct gv_grid *g, unsigned vmid);
/** Workgroups of a dispatch; saturates. */
uint64_t gv_dispatch_count_groups(const struct gv_cu_dispatch *d);
/** Part @n may be stepped from now on. 0, or the error of gv_cu_begin(). */
int gv_dispatch_begin_part(struct gv_grid *g, unsigned n);

#endif
