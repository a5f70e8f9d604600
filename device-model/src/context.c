/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a queue is in the middle of: where it is in its ring and its IBs, and the dispatch in
 * flight with all its waves. pack and unpack work on any memory; save and restore use the area
 * that the HQD names (compute wave save and restore).
 *
 *	CTX_SAVE_BASE_ADDR  +------------------+
 *	                    | control stack    |  the hardware's own; not used here
 *	  + CNTL_STACK_SIZE +------------------+
 *	                    | struct context   |
 *	                    | saved dispatch   |  dispatch_save.c
 *	  + WG_STATE_OFFSET +------------------+  when saved; else WG_STATE_OFFSET = CNTL_STACK_SIZE
 *	  + CTX_SAVE_SIZE   +------------------+
 *
 * CP_HQD_PERSISTENT_STATE.QSWITCH_MODE says that there is an area (KFD's init_mqd for v9),
 * RELAUNCH_WAVES that it holds a context: our choice of bit. Both, with WG_STATE_OFFSET, are in
 * the MQD, so that the queue goes on in whatever HQD slot, and whatever model, maps it next.
 */
#include <stdlib.h>
#include <string.h>

#include "dispatch.h"

#define MAGIC   0x58544347u /* "GCTX" */
#define VERSION 1u

struct saved_ib {
	uint64_t va;
	uint32_t pos, end, skip, vmid;
};

struct context {
	uint32_t magic, version;
	uint64_t bytes; /* of everything */
	uint64_t ring_pos, ib_start;
	uint32_t ring_skip, depth;
	uint32_t in_flight, zero; /* a dispatch follows */
	struct saved_ib ib[GV_IB_DEPTH];
};

_Static_assert(sizeof(struct context) == 48 + 24 * GV_IB_DEPTH, "changed: count VERSION up");

/* ---- to and from a buffer ------------------------------------------------ */

size_t gv_context_size(const struct gv_queue *q)
{
	if (!q->grid && q->depth == 0)
		return 0;
	return sizeof(struct context) + (q->grid ? gv_dispatch_save_size(q->grid) : 0);
}

int gv_context_pack(const struct gv_queue *q, void *buf, size_t bytes)
{
	struct context c = {
	        .magic = MAGIC,
	        .version = VERSION,
	        .bytes = bytes,
	        .ring_pos = q->stream[0].pos,
	        .ib_start = q->ib_start,
	        .ring_skip = q->stream[0].skip,
	        .depth = q->depth,
	        .in_flight = q->grid != NULL,
	};

	for (unsigned i = 0; i < q->depth; i++) {
		const struct gv_stream *s = &q->stream[1 + i];

		c.ib[i] = (struct saved_ib){s->va, (uint32_t)s->pos, (uint32_t)s->end, s->skip,
		                            s->vmid};
	}
	memcpy(buf, &c, sizeof(c));
	return q->grid ? gv_dispatch_save(q->grid, (uint8_t *)buf + sizeof(c)) : 0;
}

static bool ib_is_valid(const struct saved_ib *ib)
{
	return ib->va % 4 == 0 && ib->end <= GV_IB_MAX && ib->pos <= ib->end &&
	       ib->vmid < GV_NUM_VMID;
}

static bool is_valid(const struct gv_queue *q, const struct context *c, size_t bytes)
{
	const struct gv_stream *ring = &q->stream[0];

	if (c->magic != MAGIC || c->version != VERSION || c->bytes != bytes)
		return false;
	if (c->depth > GV_IB_DEPTH || c->in_flight > 1)
		return false;
	/* AQL: the queue's read index in memory says where it is */
	if (!q->aql && ring->end - c->ring_pos > ring->mask + 1)
		return false;
	for (unsigned i = 0; i < c->depth; i++)
		if (!ib_is_valid(&c->ib[i]))
			return false;
	return true;
}

int gv_context_unpack(struct gv_queue *q, const void *buf, size_t bytes)
{
	uint8_t ring_vmid = q->stream[0].vmid; /* may be another than when it was saved */
	struct context c;
	int rc = 0;

	if (bytes < sizeof(c))
		return -EINVAL;
	memcpy(&c, buf, sizeof(c));
	if (!is_valid(q, &c, bytes))
		return -EINVAL;
	if (c.in_flight)
		rc = gv_dispatch_restore(q, (const uint8_t *)buf + sizeof(c), bytes - sizeof(c));
	if (rc)
		return rc;
	q->stream[0].pos = c.ring_pos;
	q->stream[0].skip = c.ring_skip;
	q->ib_start = c.ib_start;
	q->depth = c.depth;
	for (unsigned i = 0; i < c.depth; i++)
		q->stream[1 + i] = (struct gv_stream){
		        .va = c.ib[i].va,
		        .pos = c.ib[i].pos,
		        .end = c.ib[i].end,
		        .mask = GV_IB_MASK,
		        .skip = c.ib[i].skip,
		        .vmid = ring_vmid ? ring_vmid : (uint8_t)c.ib[i].vmid,
		};
	return 0;
}

/* ---- to and from the area ------------------------------------------------ */

static uint32_t get(const struct gv_queue *q, enum gv_reg reg)
{
	return gv_hqd_get(q->fn, q->slot, reg);
}

static uint64_t area_va(const struct gv_queue *q)
{
	return (uint64_t)get(q, GV_REG_CP_HQD_CTX_SAVE_BASE_ADDR_HI) << 32 |
	       get(q, GV_REG_CP_HQD_CTX_SAVE_BASE_ADDR_LO);
}

/* Bytes behind the control stack. */
static uint64_t room(const struct gv_queue *q)
{
	uint32_t bytes = get(q, GV_REG_CP_HQD_CTX_SAVE_SIZE);
	uint32_t stack = get(q, GV_REG_CP_HQD_CNTL_STACK_SIZE);

	return bytes > stack ? bytes - stack : 0;
}

static bool persistent(const struct gv_queue *q, uint32_t bits)
{
	return get(q, GV_REG_CP_HQD_PERSISTENT_STATE) & bits;
}

/* The HQD says that @bytes are saved: 0 none. */
static void note_saved(struct gv_queue *q, uint32_t bytes)
{
	uint32_t state = get(q, GV_REG_CP_HQD_PERSISTENT_STATE);
	uint32_t stack = get(q, GV_REG_CP_HQD_CNTL_STACK_SIZE);

	gv_hqd_put(q->fn, q->slot, GV_REG_CP_HQD_PERSISTENT_STATE,
	           GV_SET(state, CP_HQD_PERSISTENT_STATE, RELAUNCH_WAVES, bytes != 0));
	gv_hqd_put(q->fn, q->slot, GV_REG_CP_HQD_WG_STATE_OFFSET, stack + bytes);
}

/* Does the HQD give an area for it? */
static bool wanted(const struct gv_queue *q)
{
	return persistent(q, GV_PUT(CP_HQD_PERSISTENT_STATE, QSWITCH_MODE, 1)) && area_va(q) &&
	       room(q) && !q->no_save;
}

/* The grid is parked. */
static int save_parked(struct gv_queue *q)
{
	struct gv_mem *mem = gv_cp_mem(q->cp, q->stream[0].vmid);
	uint64_t va = area_va(q) + get(q, GV_REG_CP_HQD_CNTL_STACK_SIZE);
	size_t bytes = gv_context_size(q);
	gv_auto_free void *buf = NULL;
	int rc;

	if (bytes > room(q))
		return -ENOSPC;
	if (!bytes)
		return 0;
	buf = malloc(bytes);
	rc = buf ? gv_context_pack(q, buf, bytes) : -ENOMEM;
	if (!rc)
		rc = gv_mem_write(mem, va, buf, bytes);
	if (!rc)
		note_saved(q, (uint32_t)bytes);
	return rc;
}

static void set_error(struct gv_queue *q, uint32_t bits)
{
	gv_hqd_put(q->fn, q->slot, GV_REG_CP_HQD_ERROR, get(q, GV_REG_CP_HQD_ERROR) | bits);
}

int gv_context_save(struct gv_queue *q)
{
	int rc;

	if (!wanted(q))
		return -ENOSPC;
	if (q->in_progress)
		return -EAGAIN;
	if (gv_dispatch_park(q))
		return 0; /* it failed: as any failed queue, it is at rest */
	if (q->aql_busy && !q->grid && !q->depth)
		return -EAGAIN; /* all but its completion signal is done */
	rc = save_parked(q);
	if (!rc)
		return 0;
	q->no_save = true;
	if (rc == -EFAULT)
		set_error(q, GV_PUT(CP_HQD_ERROR, SR_UTCL1_ERROR, 1));
	gv_guest_error(q->fn, "queue %u: its waves could not be saved (%d)", q->slot, rc);
	gv_dispatch_go_on(q);
	return rc;
}

/* It is used once: who maps this MQD again without unmapping it does not go back in time. */
static int forget_saved(struct gv_queue *q)
{
	note_saved(q, 0);
	return gv_hqd_store_mqd(q);
}

static int restore(struct gv_queue *q)
{
	struct gv_mem *mem = gv_cp_mem(q->cp, q->stream[0].vmid);
	uint32_t stack = get(q, GV_REG_CP_HQD_CNTL_STACK_SIZE);
	uint64_t bytes = (uint64_t)get(q, GV_REG_CP_HQD_WG_STATE_OFFSET) - stack;
	gv_auto_free void *buf = NULL;
	int rc;

	if (bytes < sizeof(struct context) || bytes > room(q)) /* 32 MiB at most */
		return -EINVAL;
	buf = malloc(bytes);
	if (!buf)
		return -ENOMEM;
	rc = gv_mem_read(mem, area_va(q) + stack, buf, bytes);
	if (!rc)
		rc = gv_context_unpack(q, buf, bytes);
	return rc ? rc : forget_saved(q);
}

void gv_context_restore(struct gv_queue *q)
{
	int rc;

	if (!persistent(q, GV_PUT(CP_HQD_PERSISTENT_STATE, RELAUNCH_WAVES, 1)))
		return;
	rc = wanted(q) ? restore(q) : -EINVAL;
	if (!rc)
		return;
	gv_dispatch_kill(q);
	(void)gv_queue_fail(q,
	                    rc == -EFAULT ? GV_PUT(CP_HQD_ERROR, SR_UTCL1_ERROR, 1)
	                                  : GV_PUT(CP_HQD_ERROR, SUA_ERROR, 1),
	                    GV_IH_SRC_CP_SQ, "the saved context is not one");
}
