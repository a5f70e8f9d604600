/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The queues of a function, with their waves, outside of it: for a switch of worlds. A struct
 * saved_cp, then for each active queue a struct saved_queue and its packed context (context.c).
 *
 * What was asked of a queue and not looked at yet (doorbells, registers that were written) is no
 * state of the engine: it waits at the queue's slot, wherever the queue is.
 */
#include <string.h>

#include "dispatch.h"

#define MAGIC   0x51534347u /* "GCSQ" */
#define VERSION 3u

struct saved_cp {
	uint32_t magic, version;
	uint64_t bytes; /* of everything */
	struct gv_resources given[2];
	struct gv_hws hws;
	uint64_t unseen; /* 1: the worker had something to look at */
};

struct saved_queue {
	uint64_t bytes; /* with the context behind it */
	uint32_t slot, flags;
	uint64_t ring_va, ring_pos, ring_end, ring_mask;
	uint64_t ib_start, step, aql_start;
	uint32_t ring_skip, ring_vmid, reported, zero;
	uint32_t blocked_dw, blocked_len;
	uint32_t blocked[GV_BLOCKED_DW], sh[GV_SH_COUNT];
};

_Static_assert(sizeof(struct saved_cp) == 16 + 2 * 16 + 144 + 8 &&
                       sizeof(struct saved_queue) ==
                               16 + 56 + 24 + 4 * (GV_BLOCKED_DW + GV_SH_COUNT),
               "changed: count VERSION up");

/* ---- flags --------------------------------------------------------------- */

/* Of struct saved_queue: bit n is the n-th of these. */
static const size_t flags[] = {
        offsetof(struct gv_queue, halted),      offsetof(struct gv_queue, draining),
        offsetof(struct gv_queue, hold),        offsetof(struct gv_queue, in_progress),
        offsetof(struct gv_queue, no_report),   offsetof(struct gv_queue, scheduler),
        offsetof(struct gv_queue, save_waves),  offsetof(struct gv_queue, aql_busy),
        offsetof(struct gv_queue, aql_refused), offsetof(struct gv_queue, no_save),
        offsetof(struct gv_queue, listed),      offsetof(struct gv_queue, aql),
};
#define FLAGS    ((1u << GV_ARRAY_LEN(flags)) - 1)
#define FLAG_AQL (1u << (GV_ARRAY_LEN(flags) - 1)) /* the last */

static uint32_t get_flags(const struct gv_queue *q)
{
	uint32_t f = 0;

	for (size_t i = 0; i < GV_ARRAY_LEN(flags); i++)
		f |= (uint32_t) * (const bool *)((const char *)q + flags[i]) << i;
	return f;
}

static void set_flags(struct gv_queue *q, uint32_t f)
{
	for (size_t i = 0; i < GV_ARRAY_LEN(flags); i++)
		*(bool *)((char *)q + flags[i]) = f >> i & 1;
}

/* ---- save ---------------------------------------------------------------- */

/* The arrays go straight to @to: together they are most of it. */
static int save_queue(const struct gv_queue *q, uint8_t *to, size_t context_bytes)
{
	const size_t head = offsetof(struct saved_queue, blocked);
	const struct gv_stream *ring = &q->stream[0];
	struct saved_queue sq;

	sq.bytes = sizeof(sq) + context_bytes;
	sq.slot = q->slot;
	sq.flags = get_flags(q);
	sq.ring_va = ring->va;
	sq.ring_pos = ring->pos;
	sq.ring_end = ring->end;
	sq.ring_mask = ring->mask;
	sq.ring_skip = ring->skip;
	sq.ring_vmid = ring->vmid;
	sq.ib_start = q->ib_start;
	sq.step = q->step;
	sq.aql_start = q->aql_start;
	sq.reported = q->reported;
	sq.zero = 0;
	sq.blocked_dw = q->blocked_dw;
	sq.blocked_len = q->blocked_len;
	memcpy(to, &sq, head);
	memcpy(to + head, q->blocked, sizeof(q->blocked));
	memcpy(to + head + sizeof(q->blocked), q->sh, sizeof(q->sh));
	return context_bytes ? gv_context_pack(q, to + sizeof(sq), context_bytes) : 0;
}

int gv_cp_save(struct gv_fn *f, uint8_t *to, size_t room, size_t *bytes)
{
	struct gv_cp *cp = f->cp;
	struct saved_cp sc;
	int rc = 0;

	memset(&sc, 0, sizeof(sc));
	sc.magic = MAGIC;
	sc.version = VERSION;
	sc.bytes = sizeof(sc);
	memcpy(sc.given, cp->given, sizeof(sc.given));
	sc.hws = cp->hws;
	sc.unseen = gv_worker_was_kicked(&cp->worker);
	for (unsigned i = 0; i < GV_CP_QUEUES; i++) {
		struct gv_queue *q = &cp->queue[i];
		size_t context_bytes, at = sc.bytes;

		if (!q->active)
			continue;
		(void)gv_dispatch_park(q); /* a failed queue is saved as one */
		context_bytes = gv_context_size(q);
		sc.bytes += sizeof(struct saved_queue) + context_bytes;
		if (!rc && sc.bytes <= room)
			rc = save_queue(q, to + at, context_bytes);
		gv_dispatch_go_on(q);
	}
	if (cp->irq) { /* of a grid that was over */
		cp->irq = false;
		gv_ih_drain(f);
	}
	*bytes = sc.bytes;
	if (sc.bytes > room)
		return -ENOSPC;
	memcpy(to, &sc, sizeof(sc));
	return rc;
}

void gv_cp_forget(struct gv_fn *f)
{
	for (unsigned i = 0; i < GV_CP_QUEUES; i++)
		if (f->cp->queue[i].active)
			gv_hqd_drop(&f->cp->queue[i]);
	memset(f->cp->given, 0, sizeof(f->cp->given));
	memset(&f->cp->hws, 0, sizeof(f->cp->hws));
}

/* ---- restore: @buf is not trusted ---------------------------------------- */

static bool ring_is_valid(const struct saved_queue *sq)
{
	return sq->ring_mask <= GV_RING_MAX_DW - 1 && !(sq->ring_mask & (sq->ring_mask + 1)) &&
	       sq->ring_mask && sq->ring_va % 256 == 0 && sq->ring_vmid < GV_NUM_VMID &&
	       (sq->flags & FLAG_AQL || sq->ring_end - sq->ring_pos <= sq->ring_mask + 1);
}

static bool is_valid(const struct saved_queue *sq, size_t left)
{
	return sq->slot < GV_CP_QUEUES && !(sq->flags & ~FLAGS) && sq->bytes >= sizeof(*sq) &&
	       sq->bytes <= left && ring_is_valid(sq) && sq->blocked_dw <= GV_BLOCKED_DW &&
	       sq->blocked_len >= sq->blocked_dw && sq->blocked_len <= GV_PM4_MAX_DW;
}

static void restore_fields(struct gv_queue *q, const struct saved_queue *sq)
{
	q->stream[0] = (struct gv_stream){.va = sq->ring_va,
	                                  .pos = sq->ring_pos,
	                                  .end = sq->ring_end,
	                                  .mask = sq->ring_mask,
	                                  .skip = sq->ring_skip,
	                                  .vmid = (uint8_t)sq->ring_vmid};
	q->ib_start = sq->ib_start;
	q->reported = sq->reported;
	q->step = sq->step;
	q->aql_start = sq->aql_start;
	q->blocked_dw = sq->blocked_dw;
	q->blocked_len = sq->blocked_len;
	memcpy(q->blocked, sq->blocked, sizeof(q->blocked));
	memcpy(q->sh, sq->sh, sizeof(q->sh));
	q->drain_deadline = gv_now_ns() + GV_DRAIN_NS;
	set_flags(q, sq->flags);
}

static int restore_queue(struct gv_queue *q, const struct saved_queue *sq, const uint8_t *context)
{
	if (q->active)
		return -EINVAL;
	gv_hqd_drop(q);
	q->active = true;
	restore_fields(q, sq);
	if (sq->bytes == sizeof(*sq))
		return 0;
	return gv_context_unpack(q, context, sq->bytes - sizeof(*sq));
}

static int restore_queues(struct gv_cp *cp, const uint8_t *at, size_t left)
{
	bool busy = gv_hws_has_work(cp);
	int rc = 0;

	while (left && !rc) {
		struct saved_queue sq;

		if (left < sizeof(sq))
			return -EINVAL;
		memcpy(&sq, at, sizeof(sq));
		if (!is_valid(&sq, left))
			return -EINVAL;
		rc = restore_queue(&cp->queue[sq.slot], &sq, at + sizeof(sq));
		busy |= gv_queue_has_work(&cp->queue[sq.slot]);
		at += sq.bytes;
		left -= sq.bytes;
	}
	atomic_store(&cp->busy, busy);
	return rc;
}

int gv_cp_restore(struct gv_fn *f, const uint8_t *buf, size_t bytes)
{
	struct saved_cp sc;
	int rc;

	if (bytes < sizeof(sc))
		return -EINVAL;
	memcpy(&sc, buf, sizeof(sc));
	if (sc.magic != MAGIC || sc.version != VERSION || sc.bytes != bytes ||
	    !gv_hws_is_valid(&sc.hws))
		return -EINVAL;
	memcpy(f->cp->given, sc.given, sizeof(sc.given));
	f->cp->hws = sc.hws;
	f->cp->unseen = sc.unseen;
	rc = restore_queues(f->cp, buf + sizeof(sc), bytes - sizeof(sc));
	if (rc)
		gv_cp_forget(f);
	return rc;
}
