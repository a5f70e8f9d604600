/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Queue management packets: only the KIQ (named in RLC_CP_SCHEDULERS) and queues it mapped as
 * schedulers run them.
 *
 * MAP_QUEUES with an explicit slot is not held against SET_RESOURCES (amdgpu maps KFD's
 * scheduler queue outside of it); QUEUE_SEL 1 picks a free slot of the mask.
 * Preempting saves the waves of a queue that has an area for it (context.c). Else it waits for the
 * queue to come to rest, the scheduler queue alone waits with it.
 */
#include <string.h>

#include "cp.h"

enum {
	ENGINE_COMPUTE = 0,
	ENGINE_SCHEDULER = 1,
	ENGINE_SDMA0 = 2,
	ENGINE_SDMA1 = 3,
	ENGINE_GFX = 4,
};
enum { ACTION_PREEMPT, ACTION_RESET, ACTION_DISABLE_PROCESS, ACTION_PREEMPT_NO_UNMAP };
enum { SELECT_DOORBELL, SELECT_PASID, SELECT_ALL, SELECT_NON_STATIC };

#define MQD_ERROR GV_PUT(CP_HQD_ERROR, QU_UTCL1_ERROR, 1)

static int check_scheduler(struct gv_queue *q)
{
	if (gv_queue_is_scheduler(q))
		return 0;
	return gv_queue_fail(q, GV_PUT(CP_HQD_ERROR, AQL_ERROR, 1), GV_IH_SRC_CP_PRIV_INSTR,
	                     "management packet on a queue that is no scheduler");
}

int gv_kiq_unimplemented(struct gv_queue *q, const struct gv_pkt *p)
{
	gv_unimplemented(q->fn, "%s", gv_pm4_name(GV_GET(p->dw[0], PM4_HEADER, OP)));
	return check_scheduler(q);
}

int gv_kiq_set_resources(struct gv_queue *q, const struct gv_pkt *p)
{
	int rc = check_scheduler(q);

	if (!rc)
		q->cp->queue_mask = (uint64_t)p->dw[3] << 32 | p->dw[2];
	return rc;
}

int gv_kiq_invalidate_tlbs(struct gv_queue *q, const struct gv_pkt *p)
{
	(void)p;
	atomic_fetch_add(&q->fn->mem_generation, 1);
	return 0;
}

/* ---- MQD ----------------------------------------------------------------- */

static uint32_t hqd_reg_masked(enum gv_reg reg, uint32_t val)
{
	return val & gv_reg_info(reg)->rw;
}

/* MQD image to HQD registers and COMPUTE_*. */
static void load_mqd(struct gv_queue *t, const uint32_t *mqd)
{
	for (uint32_t i = 0; i < GV_MQD_HQD_COUNT; i++) {
		int reg = gv_reg_at((CP_MQD_BASE_ADDR__DW + i) * 4, NULL);

		if (reg >= 0)
			gv_hqd_put(t->fn, t->slot, (enum gv_reg)reg,
			           hqd_reg_masked((enum gv_reg)reg, mqd[GV_MQD_HQD_FIRST + i]));
	}
	memcpy(t->sh, mqd + GV_MQD_COMPUTE_FIRST, GV_MQD_COMPUTE_COUNT * sizeof(uint32_t));
	memcpy(t->sh + (COMPUTE_USER_DATA_0__DW - COMPUTE_DISPATCH_INITIATOR__DW),
	       mqd + GV_MQD_USER_DATA_FIRST, GV_MQD_USER_DATA_COUNT * sizeof(uint32_t));
}

/* What the packet says wins over what the MQD says. */
static void apply_packet(struct gv_queue *t, const struct gv_pkt *p)
{
	struct gv_fn *f = t->fn;
	uint32_t control = gv_hqd_get(f, t->slot, GV_REG_CP_HQD_PQ_DOORBELL_CONTROL);
	uint32_t vmid = gv_hqd_get(f, t->slot, GV_REG_CP_HQD_VMID);

	control = GV_SET(control, CP_HQD_PQ_DOORBELL_CONTROL, DOORBELL_OFFSET,
	                 GV_PKT(p, MAP_QUEUES, DOORBELL_OFFSET));
	control = GV_SET(control, CP_HQD_PQ_DOORBELL_CONTROL, DOORBELL_EN, 1);
	if (GV_PKT(p, MAP_QUEUES, VMID))
		vmid = GV_SET(vmid, CP_HQD_VMID, VMID, GV_PKT(p, MAP_QUEUES, VMID));
	gv_hqd_put(f, t->slot, GV_REG_CP_HQD_PQ_DOORBELL_CONTROL, control);
	gv_hqd_put(f, t->slot, GV_REG_CP_HQD_VMID, vmid);
	gv_hqd_put(f, t->slot, GV_REG_CP_MQD_BASE_ADDR, p->dw[3] & ~3u);
	gv_hqd_put(f, t->slot, GV_REG_CP_MQD_BASE_ADDR_HI, p->dw[4]);
	gv_hqd_put(f, t->slot, GV_REG_CP_HQD_PQ_WPTR_POLL_ADDR, p->dw[5] & ~3u);
	gv_hqd_put(f, t->slot, GV_REG_CP_HQD_PQ_WPTR_POLL_ADDR_HI, p->dw[6]);
	gv_hqd_put(f, t->slot, GV_REG_CP_HQD_DEQUEUE_REQUEST, 0);
}

/* ---- MAP_QUEUES ---------------------------------------------------------- */

static struct gv_queue *pick_slot(struct gv_queue *q, const struct gv_pkt *p)
{
	struct gv_cp *cp = q->cp;

	if (GV_PKT(p, MAP_QUEUES, QUEUE_SEL) == 0)
		return &cp->queue[GV_HQD_SLOT(GV_PKT(p, MAP_QUEUES, ME),
		                              GV_PKT(p, MAP_QUEUES, PIPE),
		                              GV_PKT(p, MAP_QUEUES, QUEUE))];
	for (uint64_t left = cp->queue_mask; left; left &= left - 1) {
		struct gv_queue *t = &cp->queue[__builtin_ctzll(left)];

		if (!t->active && !(atomic_load(&t->asked) & GV_ASK_MAP))
			return t;
	}
	return NULL;
}

static int map_compute(struct gv_queue *q, const struct gv_pkt *p)
{
	struct gv_queue *t = pick_slot(q, p);
	uint32_t mqd[GV_MQD_HQD_FIRST + GV_MQD_HQD_COUNT];
	int rc;

	if (!t || t == q) {
		gv_guest_error(q->fn, "MAP_QUEUES: %s", t ? "the slot it runs on" : "no free slot");
		return 0;
	}
	rc = gv_mem_read(p->mem, gv_pkt_va(p->dw[3], p->dw[4]), mqd, sizeof(mqd));
	if (rc)
		return gv_pm4_mem_rc(q, rc, MQD_ERROR);
	if (t->active)
		gv_hqd_deactivate(t);
	load_mqd(t, mqd);
	apply_packet(t, p);
	gv_hqd_activate(t);
	t->scheduler = GV_PKT(p, MAP_QUEUES, ENGINE_SEL) == ENGINE_SCHEDULER;
	gv_hqd_poll_wptr(t);
	(void)pthread_mutex_lock(&q->fn->dev->lock);
	gv_hqd_put(t->fn, t->slot, GV_REG_CP_HQD_ACTIVE, GV_PUT(CP_HQD_ACTIVE, ACTIVE, 1));
	gv_hqd_watch(t);
	(void)pthread_mutex_unlock(&q->fn->dev->lock);
	return 0;
}

int gv_kiq_map_queues(struct gv_queue *q, const struct gv_pkt *p)
{
	unsigned engine = GV_PKT(p, MAP_QUEUES, ENGINE_SEL);
	int rc = check_scheduler(q);

	if (rc)
		return rc;
	switch (engine) {
	case ENGINE_COMPUTE:
	case ENGINE_SCHEDULER:
		return map_compute(q, p);
	case ENGINE_SDMA0:
	case ENGINE_SDMA1:
		rc = gv_sdma_map_queue(q->fn, engine - ENGINE_SDMA0, GV_PKT(p, MAP_QUEUES, VMID),
		                       gv_pkt_va(p->dw[3], p->dw[4]),
		                       GV_PKT(p, MAP_QUEUES, DOORBELL_OFFSET),
		                       gv_pkt_va(p->dw[5], p->dw[6]));
		if (rc)
			gv_guest_error(q->fn, "MAP_QUEUES: sdma%u refuses (%d)",
			               engine - ENGINE_SDMA0, rc);
		return rc == -EFAULT ? gv_pm4_mem_rc(q, rc, MQD_ERROR) : 0;
	default:
		gv_unimplemented(q->fn, "MAP_QUEUES for engine %u", engine);
		return 0;
	}
}

/* ---- UNMAP_QUEUES -------------------------------------------------------- */

static uint32_t listed_doorbell(const struct gv_pkt *p, unsigned i)
{
	return GV_GET(p->dw[2 + i], PM4_UNMAP_QUEUES, DOORBELL_OFFSET0);
}

static bool is_listed(const struct gv_pkt *p, uint32_t doorbell)
{
	unsigned n = GV_PKT(p, UNMAP_QUEUES, NUM_QUEUES);

	/* action 3 has a fence where the other doorbells would be */
	if (GV_PKT(p, UNMAP_QUEUES, ACTION) == ACTION_PREEMPT_NO_UNMAP)
		n = GV_MIN(n, 1u);
	for (unsigned i = 0; i < GV_MIN(n, 4u); i++)
		if (listed_doorbell(p, i) == doorbell)
			return true;
	return false;
}

static bool is_meant(const struct gv_queue *q, const struct gv_pkt *p, const struct gv_queue *t)
{
	uint32_t control = gv_hqd_get(t->fn, t->slot, GV_REG_CP_HQD_PQ_DOORBELL_CONTROL);

	if (!t->active || t == q)
		return false;
	switch (GV_PKT(p, UNMAP_QUEUES, QUEUE_SEL)) {
	case SELECT_DOORBELL:
		return is_listed(p, GV_GET(control, CP_HQD_PQ_DOORBELL_CONTROL, DOORBELL_OFFSET));
	case SELECT_ALL:
		return true;
	case SELECT_NON_STATIC:
		return !gv_queue_is_scheduler(t);
	default:
		return false;
	}
}

/* Store and stop. */
static int take_down(struct gv_queue *q, struct gv_queue *t)
{
	int rc;

	gv_hqd_report_rptr(t);
	rc = gv_hqd_store_mqd(t);
	gv_hqd_deactivate(t);
	return gv_pm4_mem_rc(q, rc, MQD_ERROR);
}

/* One queue of UNMAP_QUEUES: 0 when it has stopped, -EAGAIN when it still runs. */
static int unmap_one(struct gv_queue *q, const struct gv_pkt *p, struct gv_queue *t)
{
	unsigned action = GV_PKT(p, UNMAP_QUEUES, ACTION);

	if (action == ACTION_RESET)
		return take_down(q, t);
	if (!t->hold) {
		t->hold = true;
		t->drain_deadline = gv_now_ns() + GV_DRAIN_NS;
		gv_worker_kick(&t->cp->worker);
	}
	if (action == ACTION_PREEMPT && !gv_hqd_at_rest(t) && gv_context_save(t) == 0)
		return take_down(q, t);
	if (!gv_hqd_at_rest(t)) {
		if (gv_now_ns() < t->drain_deadline)
			return -EAGAIN;
		gv_guest_error(q->fn, "queue %u did not come to rest, stopped", t->slot);
		gv_dispatch_kill(t);
	}
	if (action != ACTION_PREEMPT_NO_UNMAP)
		return take_down(q, t);
	return 0;
}

static int unmap_compute(struct gv_queue *q, const struct gv_pkt *p)
{
	bool waits = false;
	int rc = 0;

	for (unsigned i = 0; i < GV_NUM_HQD; i++) {
		struct gv_queue *t = &q->cp->queue[i];
		int one = is_meant(q, p, t) ? unmap_one(q, p, t) : 0;

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
	return gv_pm4_mem_rc(q, rc, MQD_ERROR);
}

static int unmap_sdma(struct gv_queue *q, const struct gv_pkt *p, unsigned engine)
{
	bool reset = GV_PKT(p, UNMAP_QUEUES, ACTION) == ACTION_RESET;
	unsigned n = GV_MIN(GV_PKT(p, UNMAP_QUEUES, NUM_QUEUES), 4u);
	int rc = 0;

	if (GV_PKT(p, UNMAP_QUEUES, QUEUE_SEL) != SELECT_DOORBELL) {
		gv_unimplemented(q->fn, "UNMAP_QUEUES of sdma%u other than by doorbell", engine);
		return 0;
	}
	for (unsigned i = 0; i < n; i++) {
		rc = gv_sdma_unmap_queue(q->fn, engine, listed_doorbell(p, i), reset);
		if (rc == -EAGAIN)
			return gv_queue_poll(q);
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

	if (GV_PKT(p, UNMAP_QUEUES, ACTION) != ACTION_PREEMPT_NO_UNMAP)
		gv_unimplemented(q->fn, "UNMAP_QUEUES of the graphics ring, action %u",
		                 GV_PKT(p, UNMAP_QUEUES, ACTION));
	else if (is_listed(p, t->doorbell))
		gv_gfx_extend(t, p->dw[3]);
	return 0;
}

int gv_kiq_unmap_queues(struct gv_queue *q, const struct gv_pkt *p)
{
	unsigned engine = GV_PKT(p, UNMAP_QUEUES, ENGINE_SEL);
	int rc = check_scheduler(q);

	if (rc)
		return rc;
	if (engine == ENGINE_SDMA0 || engine == ENGINE_SDMA1)
		return unmap_sdma(q, p, engine - ENGINE_SDMA0);
	if (engine == ENGINE_GFX)
		return preempt_gfx(q, p);
	if (engine > ENGINE_SCHEDULER || GV_PKT(p, UNMAP_QUEUES, QUEUE_SEL) == SELECT_PASID) {
		gv_unimplemented(q->fn, "UNMAP_QUEUES engine %u, selection %u", engine,
		                 GV_PKT(p, UNMAP_QUEUES, QUEUE_SEL));
		return 0;
	}
	rc = unmap_compute(q, p);
	if (!rc && GV_PKT(p, UNMAP_QUEUES, ACTION) == ACTION_PREEMPT_NO_UNMAP)
		rc = finish_preempt(q, p);
	return rc;
}

int gv_kiq_query_status(struct gv_queue *q, const struct gv_pkt *p)
{
	unsigned command = GV_PKT(p, QUERY_STATUS, COMMAND);
	int rc = check_scheduler(q);

	if (rc)
		return rc;
	/* packets before this one are done: the fence is true at once */
	if (command != 0)
		rc = gv_mem_write64(p->mem, gv_pkt_va(p->dw[3], p->dw[4]),
		                    (uint64_t)p->dw[6] << 32 | p->dw[5]);
	if (rc)
		return gv_pm4_mem_rc(q, rc, MQD_ERROR);
	if (command == 0 || command == 3)
		gv_queue_irq(q, GV_IH_SRC_CP_QUERY_STATUS, p->vmid,
		             GV_PKT(p, QUERY_STATUS, CONTEXT_ID));
	return 0;
}
