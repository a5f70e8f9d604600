/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A dispatch in flight, in memory: struct saved_grid, then for each part that is in the middle of
 * something struct saved_part and what gv_cu_save() wrote, 8 byte aligned. Part of a queue's saved
 * context (context.c), whose version counts this as well.
 */
#include <stdlib.h>
#include <string.h>

#include "dispatch.h"

/* More parts than this, or than this model has threads, are refused: each costs host memory,
 * however little of the guest's says that it is there. */
#define MAX_PARTS 64u

struct saved_grid {
	uint64_t pgm_va, scratch_base;
	uint64_t next_group; /* the first that nobody has taken */
	uint32_t rsrc1, rsrc2, tmpring_size, lds_bytes;
	uint32_t user_data[16];
	uint32_t start[3], dim[3], num_thread[3], partial[3];
	uint32_t vmid, num_parts;
};

/* @index: its scratch is where that part's is */
struct saved_part {
	uint32_t index, bytes; /* of the run, rounded up to 8 */
};

_Static_assert(sizeof(struct saved_grid) == 24 + 16 + 64 + 48 + 8, "changed: count VERSION up");

/* ---- park ---------------------------------------------------------------- */

int gv_dispatch_park(struct gv_queue *q)
{
	struct gv_grid *g = q->grid;

	if (!g)
		return 0;
	gv_cu_pool_remove(q->fn->dev->cu_pool, &g->head);
	/* a fault in one part is the end of all */
	if (__atomic_load_n(&g->shared.stop, __ATOMIC_RELAXED) ||
	    (!g->head.waiting && !g->head.has_work(&g->head))) {
		atomic_store(&g->head.over, true);
		gv_dispatch_reap(q);
	}
	return q->halted ? -EIO : 0;
}

void gv_dispatch_go_on(struct gv_queue *q)
{
	if (!q->grid)
		return;
	atomic_store(&q->grid->head.cancel, false);
	gv_cu_pool_add(q->fn->dev->cu_pool, &q->grid->head);
}

/* ---- save ---------------------------------------------------------------- */

static bool is_in_flight(const struct gv_part *part)
{
	return part->begun && (part->state == GV_PART_PARKED || part->state == GV_PART_WAITING);
}

static uint32_t run_bytes(const struct gv_part *part)
{
	return (uint32_t)(gv_cu_save_size(part->run) + 7) & ~7u;
}

size_t gv_dispatch_save_size(const struct gv_grid *g)
{
	size_t bytes = sizeof(struct saved_grid);

	for (unsigned i = 0; i < g->begun; i++)
		if (is_in_flight(&g->part[i]))
			bytes += sizeof(struct saved_part) + run_bytes(&g->part[i]);
	return bytes;
}

static struct saved_grid describe(const struct gv_grid *g)
{
	const struct gv_cu_dispatch *d = &g->d;
	struct saved_grid sg = {
	        .pgm_va = d->pgm_va,
	        .scratch_base = d->scratch_base,
	        .next_group = GV_MIN(g->shared.next_group, g->groups),
	        .rsrc1 = d->rsrc1,
	        .rsrc2 = d->rsrc2,
	        .tmpring_size = d->tmpring_size,
	        .lds_bytes = d->lds_bytes,
	        .vmid = g->part[0].mem.vmid,
	};

	memcpy(sg.user_data, d->user_data, sizeof(sg.user_data));
	memcpy(sg.start, d->start, sizeof(sg.start));
	memcpy(sg.dim, d->dim, sizeof(sg.dim));
	memcpy(sg.num_thread, d->num_thread, sizeof(sg.num_thread));
	memcpy(sg.partial, d->partial, sizeof(sg.partial));
	return sg;
}

int gv_dispatch_save(const struct gv_grid *g, uint8_t *buf)
{
	struct saved_grid sg = describe(g);
	uint8_t *to = buf + sizeof(sg);
	int rc = 0;

	for (unsigned i = 0; i < g->begun && !rc; i++) {
		const struct gv_part *part = &g->part[i];
		struct saved_part sp = {.index = i};

		if (!is_in_flight(part))
			continue;
		sp.bytes = run_bytes(part);
		memcpy(to, &sp, sizeof(sp));
		to += sizeof(sp);
		/* what it is rounded up by goes to the guest as well */
		memset(to + sp.bytes - 8, 0, 8);
		rc = gv_cu_save(part->run, to, sp.bytes);
		to += sp.bytes;
		sg.num_parts++;
	}
	memcpy(buf, &sg, sizeof(sg));
	return rc;
}

/* ---- restore: @buf is not trusted ---------------------------------------- */

static void take_description(const struct gv_queue *q, struct gv_grid *g,
                             const struct saved_grid *sg)
{
	struct gv_cu_dispatch *d = &g->d;

	*d = (struct gv_cu_dispatch){
	        .pgm_va = sg->pgm_va,
	        .scratch_base = sg->scratch_base,
	        .rsrc1 = sg->rsrc1,
	        .rsrc2 = sg->rsrc2,
	        .tmpring_size = sg->tmpring_size,
	        .lds_bytes = sg->lds_bytes,
	};
	memcpy(d->user_data, sg->user_data, sizeof(d->user_data));
	memcpy(d->start, sg->start, sizeof(d->start));
	memcpy(d->dim, sg->dim, sizeof(d->dim));
	memcpy(d->num_thread, sg->num_thread, sizeof(d->num_thread));
	memcpy(d->partial, sg->partial, sizeof(d->partial));
	gv_dispatch_set_memory(g, sg->vmid);
	g->groups = gv_dispatch_count_groups(d);
	g->shared = (struct gv_cu_shared){.next_group = GV_MIN(sg->next_group, g->groups)};
	/* waves in flight run on, whatever units the queue has been left */
	g->max_parts = GV_MIN(GV_MIN(gv_cu_max_runs(d), g->num_parts),
	                      GV_MAX(gv_dispatch_enabled_cus(q), 1u));
}

/* One part at *@at; *@at and *@left move behind it. */
static int restore_part(struct gv_grid *g, const uint8_t **at, size_t *left)
{
	struct saved_part sp;
	struct gv_part *part;

	if (*left < sizeof(sp))
		return -EINVAL;
	memcpy(&sp, *at, sizeof(sp));
	*at += sizeof(sp);
	*left -= sizeof(sp);
	if (sp.index < g->begun || sp.index >= g->num_parts || sp.bytes > *left || sp.bytes % 8)
		return -EINVAL;
	while (g->begun <= sp.index)
		g->part[g->begun++].state = GV_PART_DONE;
	part = &g->part[sp.index];
	if (gv_dispatch_begin_part(g, sp.index) || gv_cu_restore(part->run, *at, sp.bytes))
		return -EINVAL;
	part->state = GV_PART_PARKED;
	part->status = GV_CU_YIELD;
	*at += sp.bytes;
	*left -= sp.bytes;
	return 0;
}

/* Parts that there must be for those in @buf. */
static int count_parts(const uint8_t *buf, size_t bytes, uint32_t num_parts, uint32_t max,
                       unsigned *count)
{
	struct saved_part sp = {0};
	uint32_t highest = 0;

	for (uint32_t n = 0; n < num_parts; n++) {
		if (bytes < sizeof(sp))
			return -EINVAL;
		memcpy(&sp, buf, sizeof(sp));
		if (sp.index >= max || sp.bytes > bytes - sizeof(sp))
			return -EINVAL;
		highest = GV_MAX(highest, sp.index);
		buf += sizeof(sp) + sp.bytes;
		bytes -= sizeof(sp) + sp.bytes;
	}
	*count = highest + 1;
	return 0;
}

int gv_dispatch_restore(struct gv_queue *q, const uint8_t *buf, size_t bytes)
{
	uint32_t max = GV_MAX(q->fn->dev->cfg.engine_threads, MAX_PARTS);
	uint8_t ring_vmid = q->stream[0].vmid;
	struct saved_grid sg;
	struct gv_grid *g;
	unsigned parts = 1;
	int rc;

	if (bytes < sizeof(sg))
		return -EINVAL;
	memcpy(&sg, buf, sizeof(sg));
	buf += sizeof(sg);
	bytes -= sizeof(sg);
	if (ring_vmid) /* it may have another VMID now */
		sg.vmid = ring_vmid;
	if (sg.vmid >= GV_NUM_VMID || sg.num_parts > max ||
	    count_parts(buf, bytes, sg.num_parts, max, &parts))
		return -EINVAL;
	g = gv_dispatch_get_grid(q, sg.vmid, parts);
	if (!g)
		return -ENOMEM;
	take_description(q, g, &sg);
	rc = g->groups ? 0 : -EINVAL;
	for (uint32_t n = 0; n < sg.num_parts && !rc; n++)
		rc = restore_part(g, &buf, &bytes);
	if (!rc && !g->head.has_work(&g->head))
		rc = -EINVAL;
	if (rc) {
		gv_dispatch_end_parts(g);
		return rc;
	}
	q->grid = g;
	gv_dispatch_go_on(q);
	return 0;
}
