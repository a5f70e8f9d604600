/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * UNMAP_QUEUES. Preempting saves the waves of a queue that has an area for it (context.c). Else it
 * waits for the queue to come to rest, the scheduler queue alone waits with it.
 */
#include "cp.h"

#define SPARE_NS (10 * GV_MS) /* for a queue that may go on if it does not come to rest */

enum { SELECT_DOORBELL, SELECT_PASID, SELECT_ALL, SELECT_NON_STATIC };

static uint32_t listed_doorbell(const struct gv_pkt *p, unsigned i)
{
	return GV_GET(p->dw[2 + i], PM4_UNMAP_QUEUES, DOORBELL_OFFSET0);
}

static bool is_listed(const struct gv_pkt *p, uint32_t doorbell)
{
	unsigned n = GV_PKT(p, UNMAP_QUEUES, NUM_QUEUES);

	/* action 3 has a fence where the other doorbells would be */
	if (GV_PKT(p, UNMAP_QUEUES, ACTION) == GV_PREEMPT_NO_UNMAP)
		n = GV_MIN(n, 1u);
	for (unsigned i = 0; i < GV_MIN(n, 4u); i++)
		if (listed_doorbell(p, i) == doorbell)
			return true;
	return false;
}

static int pasid_of(const struct gv_pkt *p)
{
	return GV_PKT(p, UNMAP_QUEUES, QUEUE_SEL) == SELECT_PASID
	               ? (int)GV_PKT(p, UNMAP_QUEUES, PASID)
	               : -1;
}

/* A scheduler that has a run list means the queues of that. */
static bool is_meant(const struct gv_queue *q, const struct gv_pkt *p, const struct gv_queue *t)
{
	uint32_t control = gv_hqd_get(t->fn, t->slot, GV_REG_CP_HQD_PQ_DOORBELL_CONTROL);
	unsigned selection = GV_PKT(p, UNMAP_QUEUES, QUEUE_SEL);

	if (!t->active || t == q)
		return false;
	if (selection == SELECT_DOORBELL)
		return is_listed(p, GV_GET(control, CP_HQD_PQ_DOORBELL_CONTROL, DOORBELL_OFFSET));
	if (q->scheduler || selection == SELECT_PASID)
		return gv_hws_has(t, pasid_of(p));
	return selection == SELECT_ALL || !gv_queue_is_scheduler(t);
}

/* Store and stop. */
static int take_down(struct gv_queue *q, struct gv_queue *t)
{
	int rc;

	gv_hqd_report_rptr(t);
	rc = gv_hqd_store_mqd(t);
	gv_hqd_deactivate(t);
	return gv_pm4_mem_rc(q, rc, GV_MQD_ERROR);
}

/* It has not come to rest in time. */
static int give_up(struct gv_queue *t, bool spare)
{
	if (spare) {
		t->hold = false;
		return -EBUSY;
	}
	gv_guest_error(t->fn, "queue %u did not come to rest, stopped", t->slot);
	gv_dispatch_kill(t);
	return 0;
}

int gv_unmap_one(struct gv_queue *q, struct gv_queue *t, enum gv_unmap action, bool spare)
{
	int rc = 0;

	if (action == GV_RESET)
		return take_down(q, t);
	if (!t->hold) {
		t->hold = true;
		t->drain_deadline = gv_now_ns() + (spare ? SPARE_NS : GV_DRAIN_NS);
		gv_worker_kick(&t->cp->worker);
	}
	if (action != GV_PREEMPT_NO_UNMAP && !gv_hqd_at_rest(t) && gv_context_save(t) == 0)
		return take_down(q, t);
	if (!gv_hqd_at_rest(t))
		rc = gv_now_ns() < t->drain_deadline ? -EAGAIN : give_up(t, spare);
	if (rc || action == GV_PREEMPT_NO_UNMAP)
		return rc;
	return take_down(q, t);
}

static int unmap_compute(struct gv_queue *q, const struct gv_pkt *p)
{
	enum gv_unmap action = GV_PKT(p, UNMAP_QUEUES, ACTION);
	bool waits = false;
	int rc = 0;

	for (unsigned i = 0; i < GV_NUM_HQD; i++) {
		struct gv_queue *t = &q->cp->queue[i];
		int one = is_meant(q, p, t) ? gv_unmap_one(q, t, action, false) : 0;

		waits |= one == -EAGAIN;
		if (one && one != -EAGAIN)
			rc = one;
	}
	if (rc)
		return rc;
	return waits ? gv_queue_poll(q) : 0;
}

/* Preempted without unmapping: say so in memory, then let the queues go on. */
static int finish_preempt(struct gv_queue *q, const struct gv_pkt *p)
{
	int rc = gv_mem_write32(p->mem, gv_pkt_va(p->dw[3], p->dw[4]), p->dw[5]);

	for (unsigned i = 0; i < GV_NUM_HQD; i++)
		if (is_meant(q, p, &q->cp->queue[i]))
			q->cp->queue[i].hold = false;
	gv_worker_kick(&q->cp->worker);
	return gv_pm4_mem_rc(q, rc, GV_MQD_ERROR);
}

/* @engine: negative: both. */
static int unmap_listed_sdma(struct gv_queue *q, const struct gv_pkt *p, int engine)
{
	int rc = gv_sdma_unmap_listed(q->fn, engine, gv_hws_vmids(q->fn, pasid_of(p)),
	                              GV_PKT(p, UNMAP_QUEUES, ACTION) == GV_RESET);

	return gv_pm4_mem_rc(q, rc, GV_MQD_ERROR);
}

static int unmap_sdma(struct gv_queue *q, const struct gv_pkt *p, unsigned engine)
{
	bool reset = GV_PKT(p, UNMAP_QUEUES, ACTION) == GV_RESET;
	unsigned n = GV_MIN(GV_PKT(p, UNMAP_QUEUES, NUM_QUEUES), 4u);

	if (GV_PKT(p, UNMAP_QUEUES, QUEUE_SEL) != SELECT_DOORBELL)
		return unmap_listed_sdma(q, p, (int)engine);
	for (unsigned i = 0; i < n; i++) {
		int rc = gv_sdma_unmap_queue(q->fn, engine, listed_doorbell(p, i), reset);

		if (rc)
			gv_guest_error(q->fn, "UNMAP_QUEUES: sdma%u doorbell 0x%x: %d", engine,
			               listed_doorbell(p, i), rc);
	}
	return 0;
}

/* amdgpu puts a fence behind what the ring has and pre-empts up to it (gfx_v9_0_ring_preempt_ib of
 * Linux 6.12): the ring's new write pointer is in the packet. What has begun is not cut short: what
 * has not is left out by the COND_EXEC in front of it. */
static int preempt_gfx(struct gv_queue *q, const struct gv_pkt *p)
{
	struct gv_queue *t = &q->cp->queue[GV_GFX_SLOT];

	if (GV_PKT(p, UNMAP_QUEUES, ACTION) != GV_PREEMPT_NO_UNMAP)
		gv_unimplemented(q->fn, "UNMAP_QUEUES of the graphics ring, action %u",
		                 GV_PKT(p, UNMAP_QUEUES, ACTION));
	else if (is_listed(p, t->doorbell))
		gv_gfx_extend(t, p->dw[3]);
	return 0;
}

/* Compute queues and, of a scheduler with a run list, SDMA queues as well: KFD names compute and
 * means both (kfd_packet_manager_v9.c). */
static int unmap(struct gv_queue *q, const struct gv_pkt *p)
{
	bool by_doorbell = GV_PKT(p, UNMAP_QUEUES, QUEUE_SEL) == SELECT_DOORBELL;
	int rc;

	if (q->scheduler && !by_doorbell && pasid_of(p) < 0)
		gv_hws_stop(q->cp);
	rc = unmap_compute(q, p);
	if (!rc && GV_PKT(p, UNMAP_QUEUES, ACTION) == GV_PREEMPT_NO_UNMAP)
		return finish_preempt(q, p);
	return !rc && q->scheduler && !by_doorbell ? unmap_listed_sdma(q, p, -1) : rc;
}

int gv_unmap_queues(struct gv_queue *q, const struct gv_pkt *p)
{
	unsigned engine = GV_PKT(p, UNMAP_QUEUES, ENGINE_SEL);
	int rc = gv_kiq_check_scheduler(q);

	if (rc)
		return rc;
	switch (engine) {
	case GV_ENGINE_COMPUTE:
	case GV_ENGINE_SCHEDULER:
		return unmap(q, p);
	case GV_ENGINE_SDMA0:
	case GV_ENGINE_SDMA1:
		return unmap_sdma(q, p, engine - GV_ENGINE_SDMA0);
	case GV_ENGINE_GFX:
		return preempt_gfx(q, p);
	default:
		gv_unimplemented(q->fn, "UNMAP_QUEUES of engine %u", engine);
		return 0;
	}
}
