/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Queue management packets: only the KIQ (named in RLC_CP_SCHEDULERS) and queues it mapped as
 * schedulers run them.
 *
 * MAP_QUEUES with an explicit slot is not held against SET_RESOURCES (amdgpu maps KFD's
 * scheduler queue outside of it); QUEUE_SEL 1 picks a free slot of the mask.
 */
#include <string.h>

#include "cp.h"

int gv_kiq_check_scheduler(struct gv_queue *q)
{
	if (gv_queue_is_scheduler(q))
		return 0;
	return gv_queue_fail(q, GV_PUT(CP_HQD_ERROR, AQL_ERROR, 1), GV_IH_SRC_CP_PRIV_INSTR,
	                     "management packet on a queue that is no scheduler");
}

struct gv_resources *gv_kiq_given(struct gv_queue *q)
{
	return &q->cp->given[q->scheduler];
}

int gv_kiq_set_resources(struct gv_queue *q, const struct gv_pkt *p)
{
	int rc = gv_kiq_check_scheduler(q);

	if (!rc)
		*gv_kiq_given(q) = (struct gv_resources){
		        .queues = (uint64_t)p->dw[3] << 32 | p->dw[2],
		        .vmids = GV_PKT(p, SET_RESOURCES, VMID_MASK),
		};
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

/* What the packet says wins over what the MQD says. @vmid: 0 when it says none. */
static void apply_packet(struct gv_queue *t, const struct gv_pkt *p, unsigned vmid)
{
	struct gv_fn *f = t->fn;
	uint32_t control = gv_hqd_get(f, t->slot, GV_REG_CP_HQD_PQ_DOORBELL_CONTROL);

	control = GV_SET(control, CP_HQD_PQ_DOORBELL_CONTROL, DOORBELL_OFFSET,
	                 GV_PKT(p, MAP_QUEUES, DOORBELL_OFFSET));
	control = GV_SET(control, CP_HQD_PQ_DOORBELL_CONTROL, DOORBELL_EN, 1);
	if (vmid)
		gv_hqd_put(f, t->slot, GV_REG_CP_HQD_VMID,
		           GV_SET(gv_hqd_get(f, t->slot, GV_REG_CP_HQD_VMID), CP_HQD_VMID, VMID,
		                  vmid));
	gv_hqd_put(f, t->slot, GV_REG_CP_HQD_PQ_DOORBELL_CONTROL, control);
	gv_hqd_put(f, t->slot, GV_REG_CP_MQD_BASE_ADDR, p->dw[3] & ~3u);
	gv_hqd_put(f, t->slot, GV_REG_CP_MQD_BASE_ADDR_HI, p->dw[4]);
	gv_hqd_put(f, t->slot, GV_REG_CP_HQD_PQ_WPTR_POLL_ADDR, p->dw[5] & ~3u);
	gv_hqd_put(f, t->slot, GV_REG_CP_HQD_PQ_WPTR_POLL_ADDR_HI, p->dw[6]);
	gv_hqd_put(f, t->slot, GV_REG_CP_HQD_DEQUEUE_REQUEST, 0);
}

/* ---- MAP_QUEUES ---------------------------------------------------------- */

struct gv_queue *gv_kiq_free_slot(struct gv_cp *cp, uint64_t queues)
{
	for (; queues; queues &= queues - 1) {
		struct gv_queue *t = &cp->queue[__builtin_ctzll(queues)];

		if (!t->active && !(atomic_load(&t->asked) & GV_ASK_MAP))
			return t;
	}
	return NULL;
}

static struct gv_queue *pick_slot(struct gv_queue *q, const struct gv_pkt *p)
{
	if (GV_PKT(p, MAP_QUEUES, QUEUE_SEL) == 0)
		return &q->cp->queue[GV_HQD_SLOT(GV_PKT(p, MAP_QUEUES, ME),
		                                 GV_PKT(p, MAP_QUEUES, PIPE),
		                                 GV_PKT(p, MAP_QUEUES, QUEUE))];
	return gv_kiq_free_slot(q->cp, gv_kiq_given(q)->queues);
}

int gv_kiq_load(struct gv_queue *q, struct gv_queue *t, const struct gv_pkt *p, unsigned vmid)
{
	uint32_t mqd[GV_MQD_HQD_FIRST + GV_MQD_HQD_COUNT];
	int rc = gv_mem_read(p->mem, gv_pkt_va(p->dw[3], p->dw[4]), mqd, sizeof(mqd));

	if (rc)
		return gv_pm4_mem_rc(q, rc, GV_MQD_ERROR);
	if (t->active)
		gv_hqd_deactivate(t);
	load_mqd(t, mqd);
	apply_packet(t, p, vmid);
	gv_hqd_activate(t);
	t->scheduler = GV_PKT(p, MAP_QUEUES, ENGINE_SEL) == GV_ENGINE_SCHEDULER;
	gv_hqd_poll_wptr(t);
	(void)pthread_mutex_lock(&q->fn->dev->lock);
	gv_hqd_put(t->fn, t->slot, GV_REG_CP_HQD_ACTIVE, GV_PUT(CP_HQD_ACTIVE, ACTIVE, 1));
	gv_hqd_watch(t);
	(void)pthread_mutex_unlock(&q->fn->dev->lock);
	return 0;
}

static int map_compute(struct gv_queue *q, const struct gv_pkt *p)
{
	struct gv_queue *t = pick_slot(q, p);

	if (t && t != q)
		return gv_kiq_load(q, t, p, GV_PKT(p, MAP_QUEUES, VMID));
	gv_guest_error(q->fn, "MAP_QUEUES: %s", t ? "the slot it runs on" : "no free slot");
	return 0;
}

int gv_kiq_map_queues(struct gv_queue *q, const struct gv_pkt *p)
{
	unsigned engine = GV_PKT(p, MAP_QUEUES, ENGINE_SEL);
	int rc = gv_kiq_check_scheduler(q);

	if (rc)
		return rc;
	switch (engine) {
	case GV_ENGINE_COMPUTE:
	case GV_ENGINE_SCHEDULER:
		return map_compute(q, p);
	case GV_ENGINE_SDMA0:
	case GV_ENGINE_SDMA1:
		rc = gv_sdma_map_queue(q->fn, engine - GV_ENGINE_SDMA0, GV_PKT(p, MAP_QUEUES, VMID),
		                       gv_pkt_va(p->dw[3], p->dw[4]),
		                       GV_PKT(p, MAP_QUEUES, DOORBELL_OFFSET),
		                       gv_pkt_va(p->dw[5], p->dw[6]), false);
		if (rc)
			gv_guest_error(q->fn, "MAP_QUEUES: sdma%u refuses (%d)",
			               engine - GV_ENGINE_SDMA0, rc);
		return rc == -EFAULT ? gv_pm4_mem_rc(q, rc, GV_MQD_ERROR) : 0;
	default:
		gv_unimplemented(q->fn, "MAP_QUEUES for engine %u", engine);
		return 0;
	}
}

/* ---- QUERY_STATUS -------------------------------------------------------- */

int gv_kiq_query_status(struct gv_queue *q, const struct gv_pkt *p)
{
	unsigned command = GV_PKT(p, QUERY_STATUS, COMMAND);
	int rc = gv_kiq_check_scheduler(q);

	if (rc)
		return rc;
	/* packets before this one are done: the fence is true at once */
	if (command != 0)
		rc = gv_mem_write64(p->mem, gv_pkt_va(p->dw[3], p->dw[4]),
		                    (uint64_t)p->dw[6] << 32 | p->dw[5]);
	if (rc)
		return gv_pm4_mem_rc(q, rc, GV_MQD_ERROR);
	if (command == 0 || command == 3)
		gv_queue_irq(q, GV_IH_SRC_CP_QUERY_STATUS, p->vmid,
		             GV_PKT(p, QUERY_STATUS, CONTEXT_ID));
	return 0;
}
