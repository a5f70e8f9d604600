/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rings, write pointers and fences of all queues. CP counts dwords, SDMA bytes. */
#include <stdio.h>
#include <string.h>

#include "guest.h"

uint64_t gv_deadline(const struct gv_guest *g)
{
	return gv_now_ns() + g->cfg.timeout_ns;
}

static uint64_t load(const uint64_t *at)
{
	return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

static bool is_sdma(const struct gv_guest_queue *q)
{
	return q->type == GV_QUEUE_SDMA;
}

static uint32_t nop(const struct gv_guest_queue *q)
{
	return is_sdma(q) ? GV_SDMA_HEADER(NOP) : GV_PM4_NOP1;
}

static void reset(struct gv_guest_queue *q)
{
	uint32_t *ring = q->ring.dma.cpu;

	/* a harmless pattern, should the engine ever run past the write pointer */
	for (unsigned i = 0; i < q->ring_dw; i++)
		ring[i] = nop(q);
	memset(q->wb, 0, sizeof(*q->wb));
	__atomic_store_n(&q->wb->fence, q->seq, __ATOMIC_RELEASE);
	atomic_store(&q->irqs, q->seq);
	q->wptr = 0;
	q->lost_seq = q->seq;
	memset(q->ib_seq, 0, sizeof(q->ib_seq));
}

int gv_ring_make(struct gv_guest_queue *q, unsigned ring_dw, unsigned eop_bytes, struct gv_err *err)
{
	struct gv_guest *g = q->g;
	int rc = 0;

	q->ring_dw = ring_dw;
	q->wb = (struct gv_writeback *)g->wb.dma.cpu + q->wb_index;
	q->wb_mc = g->wb.mc + q->wb_index * sizeof(struct gv_writeback);
	if (!q->ring.dma.cpu)
		rc = gv_gmem_alloc(g, ring_dw * sizeof(uint32_t), &q->ring);
	if (!rc && eop_bytes && !q->eop.dma.cpu)
		rc = gv_gmem_alloc(g, eop_bytes, &q->eop);
	if (rc)
		return gv_fail(err, rc, "%s: no DMA memory for the ring", q->name);
	/* the MQD is saved with the VF by the host, so it lies in the frame buffer */
	rc = gv_heap_take(&g->vram, GV_GPU_PAGE, GV_GPU_PAGE, 0, g->visible_bytes, false,
	                  &q->mqd_off);
	if (rc)
		return gv_fail(err, -ENOMEM, "%s: no visible memory for the MQD", q->name);
	reset(q);
	return 0;
}

void gv_ring_free(struct gv_guest_queue *q)
{
	struct gv_guest *g = q->g;

	if (!g)
		return;
	gv_gmem_free(g, &q->ring);
	gv_gmem_free(g, &q->eop);
	if (q->mqd_off && g->vram_ready)
		(void)gv_heap_give(&g->vram, q->mqd_off, GV_GPU_PAGE);
	q->mqd_off = 0;
}

/* Free dwords by what the engine last reported; its report is not trusted to be in range. */
static unsigned room(const struct gv_guest_queue *q)
{
	uint64_t rptr = load(&q->wb->rptr);
	uint32_t mask = q->ring_dw - 1;

	rptr = is_sdma(q) ? rptr >> 2 : rptr & UINT32_MAX;
	return ((uint32_t)rptr - (uint32_t)q->wptr - 1) & mask;
}

int gv_ring_room(struct gv_guest_queue *q, unsigned count, uint64_t deadline_ns, struct gv_err *err)
{
	unsigned spins = 0;
	char text[128];

	if (count > q->ring_dw / 2)
		return gv_fail(err, -EMSGSIZE, "%s: %u dwords at once, the ring has %u", q->name,
		               count, q->ring_dw);
	while (room(q) < count) {
		if (atomic_load(&q->g->flr_pending))
			return gv_fail(err, -ECONNRESET, "%s: the PF announced a reset", q->name);
		if (gv_now_ns() >= deadline_ns) {
			gv_ring_describe(q, text, sizeof(text));
			return gv_fail(err, -ETIMEDOUT, "ring stayed full: %s", text);
		}
		gv_irq_pause(q->g, &spins, deadline_ns);
	}
	return 0;
}

void gv_ring_put(struct gv_guest_queue *q, uint32_t dw)
{
	uint32_t *ring = q->ring.dma.cpu;

	ring[q->wptr++ & (q->ring_dw - 1)] = dw;
}

void gv_ring_put_n(struct gv_guest_queue *q, const uint32_t *dw, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		gv_ring_put(q, dw[i]);
}

void gv_ring_commit(struct gv_guest_queue *q)
{
	uint64_t val = is_sdma(q) ? q->wptr << 2 : q->wptr;

	gv_dma_to_device();
	__atomic_store_n(&q->wb->wptr, val, __ATOMIC_RELEASE);
	gv_doorbell64(q->g->bus, q->doorbell * 4, val);
}

/* ---- fences -------------------------------------------------------------------- */

enum {
	FENCE_PM4_DW = 8,
	FENCE_SDMA_DW = SDMA_FENCE__DW + SDMA_TRAP__DW,
	FENCE_KIQ_DW = 5,
};

unsigned gv_ring_fence_dw(const struct gv_guest_queue *q)
{
	static const unsigned dw[] = {
	        [GV_QUEUE_KIQ] = FENCE_KIQ_DW,
	        [GV_QUEUE_COMPUTE] = FENCE_PM4_DW,
	        [GV_QUEUE_SDMA] = FENCE_SDMA_DW,
	};

	return dw[q->type];
}

/* End of pipe: caches written back, 64-bit fence, then the interrupt. */
static void release_mem(struct gv_guest_queue *q, uint64_t va, uint64_t seq)
{
	enum { WRITE_64 = 2, AFTER_WRITE = 2 };
	const uint32_t dw[FENCE_PM4_DW] = {
	        gv_pm4_header(PM4_RELEASE_MEM, 7),
	        GV_PUT(PM4_RELEASE_MEM, EVENT_TYPE, PM4_EVENT_CACHE_FLUSH_AND_INV_TS) |
	                GV_PUT(PM4_RELEASE_MEM, EVENT_INDEX, PM4_EVENT_INDEX_EOP) |
	                GV_PUT(PM4_RELEASE_MEM, TC_WB_ACTION_ENA, 1) |
	                GV_PUT(PM4_RELEASE_MEM, TCL1_ACTION_ENA, 1) |
	                GV_PUT(PM4_RELEASE_MEM, TC_ACTION_ENA, 1) |
	                GV_PUT(PM4_RELEASE_MEM, TC_MD_ACTION_ENA, 1),
	        GV_PUT(PM4_RELEASE_MEM, DATA_SEL, WRITE_64) |
	                GV_PUT(PM4_RELEASE_MEM, INT_SEL, AFTER_WRITE),
	        (uint32_t)va,
	        (uint32_t)(va >> 32),
	        (uint32_t)seq,
	        (uint32_t)(seq >> 32),
	        0,
	};

	gv_ring_put_n(q, dw, GV_ARRAY_LEN(dw));
}

/* The KIQ's polling fence: a confirmed 32-bit write. */
static void write_data(struct gv_guest_queue *q, uint64_t va, uint64_t seq)
{
	enum { MEMORY_ASYNC = 5 };
	const uint32_t dw[FENCE_KIQ_DW] = {
	        gv_pm4_header(PM4_WRITE_DATA, 4),
	        GV_PUT(PM4_WRITE_DATA, DST_SEL, MEMORY_ASYNC) |
	                GV_PUT(PM4_WRITE_DATA, WR_CONFIRM, 1),
	        (uint32_t)va,
	        (uint32_t)(va >> 32),
	        (uint32_t)seq,
	};

	gv_ring_put_n(q, dw, GV_ARRAY_LEN(dw));
}

static void sdma_fence(struct gv_guest_queue *q, uint64_t va, uint64_t seq)
{
	const uint32_t dw[FENCE_SDMA_DW] = {
	        GV_SDMA_HEADER(FENCE), (uint32_t)va,         (uint32_t)(va >> 32),
	        (uint32_t)seq,         GV_SDMA_HEADER(TRAP), GV_PUT(SDMA_TRAP, int_context, 0),
	};

	gv_ring_put_n(q, dw, GV_ARRAY_LEN(dw));
}

void gv_ring_fence(struct gv_guest_queue *q)
{
	uint64_t va = q->wb_mc + offsetof(struct gv_writeback, fence), seq = ++q->seq;

	switch (q->type) {
	case GV_QUEUE_KIQ:
		write_data(q, va, seq);
		break;
	case GV_QUEUE_COMPUTE:
		release_mem(q, va, seq);
		break;
	case GV_QUEUE_SDMA:
		sdma_fence(q, va, seq);
		break;
	}
}

bool gv_ring_done(const struct gv_guest_queue *q, uint64_t seq)
{
	uint64_t fence = load(&q->wb->fence);

	if (q->type == GV_QUEUE_COMPUTE)
		return fence >= seq;
	/* 32 bits are written; compare as distances */
	return (int32_t)((uint32_t)fence - (uint32_t)seq) >= 0;
}

void gv_ring_describe(const struct gv_guest_queue *q, char *text, size_t size)
{
	uint64_t rptr = load(&q->wb->rptr);

	rptr = is_sdma(q) ? rptr >> 2 : rptr;
	(void)snprintf(text, size, "%s: rptr %llu wptr %llu of %u dwords, fence %llu of %llu",
	               q->name, (unsigned long long)rptr,
	               (unsigned long long)(q->wptr & (q->ring_dw - 1)), q->ring_dw,
	               (unsigned long long)load(&q->wb->fence), (unsigned long long)q->seq);
}

const char *gv_guest_queue_name(const struct gv_guest_queue *q)
{
	return q->name;
}
