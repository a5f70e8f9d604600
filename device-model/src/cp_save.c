/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The queues of a function, with their waves, outside of it: for a switch of worlds. One
 * struct saved_queue for each queue that runs or was just asked to, then its packed context
 * (context.c).
 */
#include <stdlib.h>
#include <string.h>

#include "dispatch.h"

#define MAGIC   0x51534347u /* "GCSQ" */
#define VERSION 1u

enum {
	FLAG_HALTED = 1,
	FLAG_DRAINING = 2,
	FLAG_HOLD = 4,
	FLAG_IN_PROGRESS = 8,
	FLAG_NO_REPORT = 16,
	FLAG_SCHEDULER = 32,
	FLAG_SAVE_WAVES = 64,
	FLAG_AQL_BUSY = 128,
	FLAG_AQL_REFUSED = 256,
	FLAG_ACTIVE = 512,
	FLAGS = 1023,
};

struct saved_queue {
	uint32_t magic, version;
	uint64_t bytes; /* with the context behind it */
	uint32_t slot, flags;
	uint64_t ring_pos, ring_end, ib_start, step, aql_start;
	uint64_t wptr_in;
	uint32_t ring_skip, reported;
	uint32_t blocked_dw, blocked_len;
	uint32_t asked, zero;
	uint32_t blocked[GV_BLOCKED_DW];
	uint32_t sh[GV_SH_COUNT];
};

_Static_assert(sizeof(struct saved_queue) == 24 + 48 + 24 + 4 * (GV_BLOCKED_DW + GV_SH_COUNT),
               "changed: count VERSION up");

/* ---- flags --------------------------------------------------------------- */

static const struct {
	uint32_t flag;
	size_t at;
} flags[] = {
        {FLAG_ACTIVE, offsetof(struct gv_queue, active)},
        {FLAG_HALTED, offsetof(struct gv_queue, halted)},
        {FLAG_DRAINING, offsetof(struct gv_queue, draining)},
        {FLAG_HOLD, offsetof(struct gv_queue, hold)},
        {FLAG_IN_PROGRESS, offsetof(struct gv_queue, in_progress)},
        {FLAG_NO_REPORT, offsetof(struct gv_queue, no_report)},
        {FLAG_SCHEDULER, offsetof(struct gv_queue, scheduler)},
        {FLAG_SAVE_WAVES, offsetof(struct gv_queue, save_waves)},
        {FLAG_AQL_BUSY, offsetof(struct gv_queue, aql_busy)},
        {FLAG_AQL_REFUSED, offsetof(struct gv_queue, aql_refused)},
};

static uint32_t get_flags(const struct gv_queue *q)
{
	uint32_t f = 0;

	for (size_t i = 0; i < GV_ARRAY_LEN(flags); i++)
		if (*(const bool *)((const char *)q + flags[i].at))
			f |= flags[i].flag;
	return f;
}

static void set_flags(struct gv_queue *q, uint32_t f)
{
	for (size_t i = 0; i < GV_ARRAY_LEN(flags); i++)
		*(bool *)((char *)q + flags[i].at) = f & flags[i].flag;
}

/* ---- save ---------------------------------------------------------------- */

static size_t bytes_of(const struct gv_queue *q)
{
	return sizeof(struct saved_queue) + gv_context_size(q);
}

static int save_queue(const struct gv_queue *q, uint8_t *to)
{
	const struct gv_stream *ring = &q->stream[0];
	struct saved_queue sq = {
	        .magic = MAGIC,
	        .version = VERSION,
	        .bytes = bytes_of(q),
	        .slot = q->slot,
	        .flags = get_flags(q),
	        .ring_pos = ring->pos,
	        .ring_end = ring->end,
	        .ib_start = q->ib_start,
	        .step = q->step,
	        .aql_start = q->aql_start,
	        .wptr_in = atomic_load(&q->wptr_in),
	        .asked = atomic_load(&q->asked),
	        .ring_skip = ring->skip,
	        .reported = q->reported,
	        .blocked_dw = q->blocked_dw,
	        .blocked_len = q->blocked_len,
	};

	memcpy(sq.blocked, q->blocked, sizeof(sq.blocked));
	memcpy(sq.sh, q->sh, sizeof(sq.sh));
	memcpy(to, &sq, sizeof(sq));
	return gv_context_size(q) ? gv_context_pack(q, to + sizeof(sq)) : 0;
}

static bool is_in_use(const struct gv_queue *q)
{
	return q->active || atomic_load(&q->asked);
}

/* Parked, a grid that was over has ended. */
static size_t park_all(struct gv_cp *cp)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < GV_NUM_HQD; i++) {
		struct gv_queue *q = &cp->queue[i];

		if (!is_in_use(q))
			continue;
		(void)gv_dispatch_park(q); /* a failed queue is saved as one */
		bytes += bytes_of(q);
	}
	return bytes;
}

int gv_cp_save(struct gv_fn *f, void **out, size_t *out_bytes)
{
	struct gv_cp *cp = f->cp;
	size_t bytes = park_all(cp);
	gv_auto_free uint8_t *buf = malloc(bytes + 1);
	uint8_t *to = buf;
	int rc = buf ? 0 : -ENOMEM;

	for (unsigned i = 0; i < GV_NUM_HQD; i++) {
		struct gv_queue *q = &cp->queue[i];

		if (!is_in_use(q))
			continue;
		if (!rc) {
			rc = save_queue(q, to);
			to += bytes_of(q);
		}
		gv_dispatch_go_on(q);
	}
	if (rc)
		return rc;
	*out = GV_TAKE(buf);
	*out_bytes = bytes;
	return 0;
}

/* ---- restore ------------------------------------------------------------- */

static bool is_valid(const struct saved_queue *sq, size_t left)
{
	return sq->magic == MAGIC && sq->version == VERSION && sq->slot < GV_NUM_HQD &&
	       !(sq->flags & ~(uint32_t)FLAGS) && sq->bytes >= sizeof(*sq) && sq->bytes <= left &&
	       sq->blocked_dw <= GV_BLOCKED_DW && sq->blocked_len >= sq->blocked_dw &&
	       sq->blocked_len <= GV_PM4_MAX_DW && !(sq->asked & ~(uint32_t)GV_ASK_ALL);
}

static void restore_fields(struct gv_queue *q, const struct saved_queue *sq)
{
	struct gv_stream *ring = &q->stream[0];

	ring->pos = sq->ring_pos;
	ring->end = sq->ring_end;
	ring->skip = sq->ring_skip;
	q->ib_start = sq->ib_start;
	q->reported = sq->reported;
	q->step = sq->step;
	q->aql_start = sq->aql_start;
	q->blocked_dw = sq->blocked_dw;
	q->blocked_len = sq->blocked_len;
	memcpy(q->blocked, sq->blocked, sizeof(q->blocked));
	memcpy(q->sh, sq->sh, sizeof(q->sh));
	q->drain_deadline = gv_now_ns() + GV_DRAIN_NS;
	q->retry_at = q->backoff = 0;
	set_flags(q, sq->flags);
}

/* Its registers say where the ring is; starting it clears what it failed of. If the guest's MQD has
 * a saved context, too, that is not where it was. */
static int activate(struct gv_queue *q, const struct saved_queue *sq)
{
	uint32_t error = gv_hqd_get(q->fn, q->slot, GV_REG_CP_HQD_ERROR);

	gv_hqd_activate(q);
	gv_hqd_put(q->fn, q->slot, GV_REG_CP_HQD_ERROR, error);
	gv_dispatch_kill(q);
	q->depth = 0;
	if (!q->aql && sq->ring_end - sq->ring_pos > q->stream[0].mask + 1)
		return -EINVAL;
	restore_fields(q, sq);
	return 0;
}

static int restore_queue(struct gv_queue *q, const struct saved_queue *sq, const uint8_t *context)
{
	int rc;

	if (q->active)
		return -EINVAL;
	rc = sq->flags & FLAG_ACTIVE ? activate(q, sq) : 0;
	if (rc)
		return rc;
	atomic_store(&q->wptr_in, sq->wptr_in);
	atomic_fetch_or(&q->asked, sq->asked);
	(void)pthread_mutex_lock(&q->fn->dev->lock);
	gv_hqd_watch(q);
	(void)pthread_mutex_unlock(&q->fn->dev->lock);
	if (!q->active || sq->bytes == sizeof(*sq))
		return 0;
	return gv_context_unpack(q, context, sq->bytes - sizeof(*sq));
}

int gv_cp_restore(struct gv_fn *f, const void *buf, size_t bytes)
{
	const uint8_t *at = buf;
	int rc = 0;

	while (bytes && !rc) {
		struct saved_queue sq;

		if (bytes < sizeof(sq))
			return -EINVAL;
		memcpy(&sq, at, sizeof(sq));
		if (!is_valid(&sq, bytes))
			return -EINVAL;
		rc = restore_queue(&f->cp->queue[sq.slot], &sq, at + sizeof(sq));
		at += sq.bytes;
		bytes -= sq.bytes;
	}
	return rc;
}
