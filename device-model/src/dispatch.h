/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The grid that a queue runs, and the parts that threads run of it.
 */
#ifndef GV_DISPATCH_H
#define GV_DISPATCH_H

#include "cp.h"
#include "cu/cu.h"

enum gv_part_state { GV_PART_UNUSED, GV_PART_PARKED, GV_PART_RUNNING, GV_PART_DONE };

/** What one thread runs of a grid. */
struct gv_part {
	enum gv_part_state state; /* under the pool's lock once the grid is there */
	struct gv_cu_run *run;    /* kept from dispatch to dispatch */
	bool begun;               /* it runs groups of this one */
	enum gv_cu_status status;
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

#endif
