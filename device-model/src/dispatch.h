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
/** Compute units that the queue may use. */
unsigned gv_dispatch_enabled_cus(const struct gv_queue *q);
/** Workgroups of a dispatch; saturates. */
uint64_t gv_dispatch_count_groups(const struct gv_cu_dispatch *d);
/** Part @n may be stepped from now on. 0, or the error of gv_cu_begin(). */
int gv_dispatch_begin_part(struct gv_grid *g, unsigned n);
/** None of its parts is in the middle of anything any more. */
void gv_dispatch_end_parts(struct gv_grid *g);

/* dispatch_save.c */

/** Take the queue's grid, if it has one, from the threads: when this returns its waves stand
 *  between two instructions, until gv_dispatch_go_on() or gv_dispatch_kill(). A grid that is over
 *  ends. 0, or -EIO: it ended with a fault and the queue failed. Blocks for a slice at most. */
int gv_dispatch_park(struct gv_queue *q);
void gv_dispatch_go_on(struct gv_queue *q);

/** Bytes that gv_dispatch_save() writes for a parked grid: a multiple of 8. */
size_t gv_dispatch_save_size(const struct gv_grid *g);
/** 0, or -EINVAL (a part has faulted). */
int gv_dispatch_save(const struct gv_grid *g, uint8_t *buf);
/** The queue, which runs none, runs this grid. @buf, which nobody changes meanwhile, is not
 *  trusted. -EINVAL: not what gv_dispatch_save() wrote; -ENOMEM. */
int gv_dispatch_restore(struct gv_queue *q, const uint8_t *buf, size_t bytes);

#endif
