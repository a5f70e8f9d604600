/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory queue descriptors, as gfx_v9_0.c and kfd_mqd_manager_v9.c of Linux 6.1 fill them. */
#include <string.h>

#include "guest.h"

static unsigned log2_of(unsigned n)
{
	return (unsigned)__builtin_ctz(n);
}

/* Fields that are changed on top of the registers' reset values. */
static uint32_t reset_of(enum gv_reg reg)
{
	return gv_reg_info(reg)->reset;
}

static uint32_t pq_control(const struct gv_guest_queue *q)
{
	uint32_t v = reset_of(GV_REG_CP_HQD_PQ_CONTROL);

	v = GV_SET(v, CP_HQD_PQ_CONTROL, QUEUE_SIZE, log2_of(q->ring_dw) - 1);
	v = GV_SET(v, CP_HQD_PQ_CONTROL, RPTR_BLOCK_SIZE, 9);
	v = GV_SET(v, CP_HQD_PQ_CONTROL, UNORD_DISPATCH, 0);
	v = GV_SET(v, CP_HQD_PQ_CONTROL, ROQ_PQ_IB_FLIP, 0);
	v = GV_SET(v, CP_HQD_PQ_CONTROL, PRIV_STATE, 1);
	return GV_SET(v, CP_HQD_PQ_CONTROL, KMD_QUEUE, 1);
}

static void put_addresses(const struct gv_guest_queue *q, uint32_t *mqd)
{
	uint64_t mqd_mc = q->g->fb_mc + q->mqd_off;
	uint64_t rptr = q->wb_mc + offsetof(struct gv_writeback, rptr);
	uint64_t wptr = q->wb_mc + offsetof(struct gv_writeback, wptr);

	mqd[GV_MQD_DW(CP_MQD_BASE_ADDR)] = (uint32_t)mqd_mc & ~3u;
	mqd[GV_MQD_DW(CP_MQD_BASE_ADDR_HI)] = (uint32_t)(mqd_mc >> 32);
	mqd[GV_MQD_DW(CP_HQD_PQ_BASE)] = (uint32_t)(q->ring.mc >> 8);
	mqd[GV_MQD_DW(CP_HQD_PQ_BASE_HI)] = (uint32_t)(q->ring.mc >> 40);
	mqd[GV_MQD_DW(CP_HQD_PQ_RPTR_REPORT_ADDR)] = (uint32_t)rptr & ~3u;
	mqd[GV_MQD_DW(CP_HQD_PQ_RPTR_REPORT_ADDR_HI)] = (uint32_t)(rptr >> 32) & 0xffff;
	mqd[GV_MQD_DW(CP_HQD_PQ_WPTR_POLL_ADDR)] = (uint32_t)wptr & ~3u;
	mqd[GV_MQD_DW(CP_HQD_PQ_WPTR_POLL_ADDR_HI)] = (uint32_t)(wptr >> 32) & 0xffff;
	mqd[GV_MQD_DW(CP_HQD_EOP_BASE_ADDR)] = (uint32_t)(q->eop.mc >> 8);
	mqd[GV_MQD_DW(CP_HQD_EOP_BASE_ADDR_HI)] = (uint32_t)(q->eop.mc >> 40);
}

static void put_compute(uint32_t *mqd)
{
	static const enum gv_reg masks[] = {
	        GV_REG_COMPUTE_STATIC_THREAD_MGMT_SE0,
	        GV_REG_COMPUTE_STATIC_THREAD_MGMT_SE1,
	        GV_REG_COMPUTE_STATIC_THREAD_MGMT_SE2,
	        GV_REG_COMPUTE_STATIC_THREAD_MGMT_SE3,
	};

	for (size_t i = 0; i < GV_ARRAY_LEN(masks); i++)
		mqd[GV_MQD_COMPUTE_FIRST + (gv_reg_info(masks[i])->byte / 4 -
		                            COMPUTE_DISPATCH_INITIATOR__DW)] = UINT32_MAX;
	mqd[GV_MQD_COMPUTE_DW(COMPUTE_PIPELINESTAT_ENABLE)] = 1;
	mqd[GV_MQD_COMPUTE_DW(COMPUTE_MISC_RESERVED)] = 3;
}

void gv_mqd_build(const struct gv_guest_queue *q, uint32_t mqd[GV_MQD_DWORDS])
{
	memset(mqd, 0, GV_MQD_DWORDS * sizeof(*mqd));
	mqd[GV_MQD_HEADER] = (uint32_t)GV_MQD_HEADER_MAGIC;
	put_compute(mqd);
	put_addresses(q, mqd);
	/* only the KIQ is made active by hand; the KIQ itself activates the others */
	mqd[GV_MQD_DW(CP_HQD_ACTIVE)] = GV_PUT(CP_HQD_ACTIVE, ACTIVE, q->type == GV_QUEUE_KIQ);
	mqd[GV_MQD_DW(CP_HQD_PERSISTENT_STATE)] =
	        GV_SET(reset_of(GV_REG_CP_HQD_PERSISTENT_STATE), CP_HQD_PERSISTENT_STATE,
	               PRELOAD_SIZE, 0x53);
	mqd[GV_MQD_DW(CP_HQD_QUANTUM)] = reset_of(GV_REG_CP_HQD_QUANTUM);
	mqd[GV_MQD_DW(CP_HQD_PQ_DOORBELL_CONTROL)] =
	        GV_PUT(CP_HQD_PQ_DOORBELL_CONTROL, DOORBELL_OFFSET, q->doorbell) |
	        GV_PUT(CP_HQD_PQ_DOORBELL_CONTROL, DOORBELL_EN, 1);
	mqd[GV_MQD_DW(CP_HQD_PQ_CONTROL)] = pq_control(q);
	mqd[GV_MQD_DW(CP_HQD_IB_CONTROL)] =
	        GV_SET(reset_of(GV_REG_CP_HQD_IB_CONTROL), CP_HQD_IB_CONTROL, MIN_IB_AVAIL_SIZE, 3);
	mqd[GV_MQD_DW(CP_MQD_CONTROL)] =
	        GV_SET(reset_of(GV_REG_CP_MQD_CONTROL), CP_MQD_CONTROL, VMID, 0);
	/* 2^(n+1) dwords */
	mqd[GV_MQD_DW(CP_HQD_EOP_CONTROL)] =
	        GV_SET(reset_of(GV_REG_CP_HQD_EOP_CONTROL), CP_HQD_EOP_CONTROL, EOP_SIZE,
	               log2_of((unsigned)(q->eop.dma.bytes / 4)) - 1);
}

void gv_sdma_mqd_build(const struct gv_guest_queue *q, uint32_t *mqd, unsigned count)
{
	uint64_t rptr = q->wb_mc + offsetof(struct gv_writeback, rptr);

	memset(mqd, 0, count * sizeof(*mqd));
	mqd[GV_SDMA_MQD_RB_CNTL] = GV_PUT(SDMA0_RLC0_RB_CNTL, RB_SIZE, log2_of(q->ring_dw)) |
	                           GV_PUT(SDMA0_RLC0_RB_CNTL, RPTR_WRITEBACK_ENABLE, 1) |
	                           GV_PUT(SDMA0_RLC0_RB_CNTL, RPTR_WRITEBACK_TIMER, 6) |
	                           GV_PUT(SDMA0_RLC0_RB_CNTL, RB_ENABLE, 1);
	mqd[GV_SDMA_MQD_RB_BASE] = (uint32_t)(q->ring.mc >> 8);
	mqd[GV_SDMA_MQD_RB_BASE_HI] = (uint32_t)(q->ring.mc >> 40);
	mqd[GV_SDMA_MQD_RB_RPTR_ADDR_HI] = (uint32_t)(rptr >> 32);
	mqd[GV_SDMA_MQD_RB_RPTR_ADDR_LO] = (uint32_t)rptr & ~3u;
	mqd[GV_SDMA_MQD_IB_CNTL] = GV_PUT(SDMA0_RLC0_IB_CNTL, IB_ENABLE, 1);
	mqd[GV_SDMA_MQD_DOORBELL] = GV_PUT(SDMA0_RLC0_DOORBELL, ENABLE, 1);
	mqd[GV_SDMA_MQD_DOORBELL_OFFSET] = GV_PUT(SDMA0_RLC0_DOORBELL_OFFSET, OFFSET, q->doorbell);
}
