/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The SDMA queues of a function outside of it, for a switch of worlds: where each is in its ring
 * or IB, and how far it is with a packet. Rings, doorbells and all that a driver writes stay in
 * the register bank.
 */
#include <string.h>

#include "sdma.h"

#define MAGIC   0x414d4453u /* "SDMA" */
#define VERSION 1u
#define QUEUES  (SDMA_ENGINES * SDMA_QUEUES)

enum { HALTED = 1, IN_IB = 2, MAPPED = 4, IN_PACKET = 8, WROTE = 16, LISTED = 32, FLAGS = 63 };

struct saved_queue {
	uint64_t rptr, ib_va, mqd_va, done;
	uint32_t ib_dw, ib_pos, ib_vmid, skip_dw;
	uint32_t flags, have, total, tries;
	uint32_t dw[SDMA_MAX_PACKET_DW];
};

struct saved_sdma {
	uint32_t magic, version;
	uint64_t clock_base;
	struct saved_queue queue[QUEUES];
};

_Static_assert(sizeof(struct saved_queue) == 64 + 4 * SDMA_MAX_PACKET_DW &&
                       sizeof(struct saved_sdma) == 16 + QUEUES * sizeof(struct saved_queue),
               "changed: count VERSION up");

size_t gv_sdma_save_bytes(void)
{
	return sizeof(struct saved_sdma);
}

static void save_queue(const struct gv_sdma_queue *q, struct saved_queue *s)
{
	*s = (struct saved_queue){
	        .rptr = q->rptr,
	        .ib_va = q->ib_va,
	        .mqd_va = q->mqd_va,
	        .done = q->op.done,
	        .ib_dw = q->ib_dw,
	        .ib_pos = q->ib_pos,
	        .ib_vmid = q->ib_mem.vmid,
	        .skip_dw = q->skip_dw,
	        .flags = (q->halted ? HALTED : 0u) | (q->in_ib ? IN_IB : 0u) |
	                 (q->mapped ? MAPPED : 0u) | (q->op.active ? IN_PACKET : 0u) |
	                 (q->op.wrote ? WROTE : 0u) | (q->listed ? LISTED : 0u),
	        .have = q->op.have,
	        .total = q->op.total,
	        .tries = q->op.tries,
	};
	memcpy(s->dw, q->op.dw, sizeof(s->dw));
}

void gv_sdma_save(struct gv_fn *f, uint8_t *to)
{
	struct gv_sdma *s = f->sdma;
	struct saved_sdma saved = {
	        .magic = MAGIC, .version = VERSION, .clock_base = atomic_load(&s->clock_base)};

	(void)pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < QUEUES; i++)
		save_queue(&s->queue[i], &saved.queue[i]);
	(void)pthread_mutex_unlock(&s->lock);
	memcpy(to, &saved, sizeof(saved));
}

void gv_sdma_forget(struct gv_fn *f)
{
	struct gv_sdma *s = f->sdma;

	(void)pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < QUEUES; i++) {
		struct gv_sdma_queue *q = &s->queue[i];

		gv_sdma_queue_forget(q);
		q->rptr = q->mqd_va = q->ib_va = 0;
		q->mapped = q->listed = q->halted = false;
	}
	(void)pthread_mutex_unlock(&s->lock);
	atomic_store(&s->clock_base, 0);
}

/* ---- restore: @buf is not trusted ---------------------------------------- */

/* The packet is one, all of its head is here, and it ends within its IB. How far it is need not be
 * true: whatever it reaches, it reaches as the guest does. */
static bool packet_is_valid(const struct saved_queue *s)
{
	uint64_t total = 0;

	if (s->have == 0 || s->have > SDMA_MAX_PACKET_DW ||
	    gv_sdma_packet_dw(s->dw, s->have, &total) || total == 0 || s->total != total ||
	    s->have < GV_MIN(total, (uint64_t)SDMA_MAX_PACKET_DW))
		return false;
	return !(s->flags & IN_IB) || total <= s->ib_dw - s->ib_pos;
}

static bool is_valid(const struct gv_sdma_queue *q, const struct saved_queue *s)
{
	if (s->flags & ~(uint32_t)FLAGS || s->rptr % 4 || s->ib_va % 32 ||
	    s->ib_dw > gv_mask(0, SDMA_INDIRECT__ib_size__BITS) || s->ib_pos > s->ib_dw ||
	    s->ib_vmid >= GV_NUM_VMID || (s->flags & MAPPED && q->id == SDMA_GFX) ||
	    (s->flags & LISTED && !(s->flags & MAPPED)))
		return false;
	return !(s->flags & IN_PACKET) || packet_is_valid(s);
}

static void restore_queue(struct gv_sdma_queue *q, const struct saved_queue *s)
{
	gv_sdma_queue_forget(q);
	q->rptr = s->rptr;
	q->ib_va = s->ib_va;
	q->mqd_va = s->mqd_va;
	q->ib_dw = s->ib_dw;
	q->ib_pos = s->ib_pos;
	q->skip_dw = s->skip_dw;
	q->halted = s->flags & HALTED;
	q->in_ib = s->flags & IN_IB;
	q->mapped = s->flags & MAPPED;
	q->listed = s->flags & LISTED;
	if (q->ib_mem.vmid != s->ib_vmid)
		gv_mem_init(&q->ib_mem, q->sdma->fn, GV_HUB_MM, (uint8_t)s->ib_vmid,
		            q->ib_mem.client);
	if (!(s->flags & IN_PACKET))
		return;
	q->op = (struct gv_sdma_op){.have = s->have,
	                            .total = s->total,
	                            .active = true,
	                            .wrote = s->flags & WROTE,
	                            .done = s->done,
	                            .tries = s->tries};
	memcpy(q->op.dw, s->dw, sizeof(q->op.dw));
}

int gv_sdma_restore(struct gv_fn *f, const uint8_t *buf)
{
	struct gv_sdma *s = f->sdma;
	struct saved_sdma saved;

	memcpy(&saved, buf, sizeof(saved));
	if (saved.magic != MAGIC || saved.version != VERSION)
		return -EINVAL;
	for (unsigned i = 0; i < QUEUES; i++)
		if (!is_valid(&s->queue[i], &saved.queue[i]))
			return -EINVAL;
	(void)pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < QUEUES; i++)
		restore_queue(&s->queue[i], &saved.queue[i]);
	(void)pthread_mutex_unlock(&s->lock);
	atomic_store(&s->clock_base, saved.clock_base);
	return 0;
}
