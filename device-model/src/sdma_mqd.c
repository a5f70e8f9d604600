/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SDMA queues that the KIQ maps: registers from and to a v9_sdma_mqd. A queue that is unmapped
 * inside an IB keeps its place in IB_* and CONTEXT_STATUS.PREEMPTED, and goes on there.
 */
#include <string.h>

#include "sdma.h"

/* Dword of the MQD and the register it is an image of, as an offset in gv_sdma_queue_regs. */
#define ROW(dw, member)                                                                            \
	{                                                                                          \
		GV_SDMA_MQD_##dw, offsetof(struct gv_sdma_queue_regs, member)                      \
	}
static const struct {
	uint16_t dw, reg;
} image[] = {
        ROW(RB_CNTL, rb_cntl),
        ROW(RB_BASE, rb_base),
        ROW(RB_BASE_HI, rb_base_hi),
        ROW(RB_RPTR, rb_rptr),
        ROW(RB_RPTR_HI, rb_rptr_hi),
        ROW(RB_WPTR, rb_wptr),
        ROW(RB_WPTR_HI, rb_wptr_hi),
        ROW(RB_WPTR_POLL_CNTL, poll_cntl),
        ROW(RB_RPTR_ADDR_HI, rptr_addr_hi),
        ROW(RB_RPTR_ADDR_LO, rptr_addr_lo),
        ROW(IB_CNTL, ib_cntl),
        ROW(IB_RPTR, ib_rptr),
        ROW(IB_OFFSET, ib_offset),
        ROW(IB_BASE_LO, ib_base_lo),
        ROW(IB_BASE_HI, ib_base_hi),
        ROW(IB_SIZE, ib_size),
        ROW(SKIP_CNTL, skip_cntl),
        ROW(CONTEXT_STATUS, context_status),
        ROW(DOORBELL, doorbell),
        ROW(DOORBELL_LOG, doorbell_log),
        ROW(DOORBELL_OFFSET, doorbell_offset),
        ROW(CSA_ADDR_LO, csa_addr_lo),
        ROW(CSA_ADDR_HI, csa_addr_hi),
        ROW(PREEMPT, preempt),
        ROW(RB_WPTR_POLL_ADDR_HI, poll_addr_hi),
        ROW(RB_WPTR_POLL_ADDR_LO, poll_addr_lo),
        ROW(RB_AQL_CNTL, aql_cntl),
        ROW(MINOR_PTR_UPDATE, minor_ptr_update),
};

static enum gv_reg reg_of(const struct gv_sdma_queue *q, size_t row)
{
	return *(const enum gv_reg *)(const void *)((const char *)q->r + image[row].reg);
}

static struct gv_sdma_queue *queue(struct gv_sdma *s, unsigned engine, unsigned id)
{
	return &s->queue[engine * SDMA_QUEUES + id];
}

/* A free RLC queue of the engine. Under dev->lock. */
static int find_free(struct gv_sdma *s, unsigned engine, uint32_t doorbell,
                     struct gv_sdma_queue **out)
{
	struct gv_sdma_queue *found = NULL;

	if (gv_sdma_owns_doorbell(s->fn, doorbell))
		return -EEXIST;
	for (unsigned id = SDMA_GFX + 1; id < SDMA_QUEUES && !found; id++) {
		struct gv_sdma_queue *q = queue(s, engine, id);
		uint32_t cntl = gv_reg_get(s->fn, q->r->rb_cntl, 0);

		if (!q->mapped && !GV_GET(cntl, SDMA0_GFX_RB_CNTL, RB_ENABLE))
			found = q;
	}
	if (!found)
		return -EBUSY;
	*out = found;
	return 0;
}

static uint64_t wptr_of(const uint32_t *mqd)
{
	return (uint64_t)mqd[GV_SDMA_MQD_RB_WPTR_HI] << 32 | mqd[GV_SDMA_MQD_RB_WPTR];
}

/* What MAP_QUEUES itself says wins over the image. */
static void patch(uint32_t *mqd, unsigned vmid, uint32_t doorbell, uint64_t wptr, uint64_t wptr_va)
{
	uint32_t cntl = mqd[GV_SDMA_MQD_RB_CNTL];

	cntl = GV_SET(cntl, SDMA0_RLC0_RB_CNTL, RB_VMID, vmid);
	mqd[GV_SDMA_MQD_RB_CNTL] = GV_SET(cntl, SDMA0_RLC0_RB_CNTL, RB_ENABLE, 1);
	mqd[GV_SDMA_MQD_DOORBELL] = GV_PUT(SDMA0_RLC0_DOORBELL, ENABLE, doorbell != 0);
	mqd[GV_SDMA_MQD_DOORBELL_OFFSET] = GV_PUT(SDMA0_RLC0_DOORBELL_OFFSET, OFFSET, doorbell);
	mqd[GV_SDMA_MQD_RB_WPTR] = (uint32_t)wptr;
	mqd[GV_SDMA_MQD_RB_WPTR_HI] = (uint32_t)(wptr >> 32);
	mqd[GV_SDMA_MQD_MINOR_PTR_UPDATE] = 0;
	if (!wptr_va)
		return;
	mqd[GV_SDMA_MQD_RB_WPTR_POLL_ADDR_LO] = (uint32_t)wptr_va;
	mqd[GV_SDMA_MQD_RB_WPTR_POLL_ADDR_HI] = (uint32_t)(wptr_va >> 32);
	mqd[GV_SDMA_MQD_RB_WPTR_POLL_CNTL] =
	        GV_SET(mqd[GV_SDMA_MQD_RB_WPTR_POLL_CNTL], SDMA0_RLC0_RB_WPTR_POLL_CNTL,
	               F32_POLL_ENABLE, 1);
}

static void load_regs(struct gv_sdma_queue *q, const uint32_t *mqd)
{
	for (size_t i = 0; i < GV_ARRAY_LEN(image); i++) {
		const struct gv_reg_info *info = gv_reg_info(reg_of(q, i));

		gv_reg_put(q->sdma->fn, reg_of(q, i), 0, mqd[image[i].dw] & info->rw);
	}
	gv_sdma_update_doorbell(q);
}

/* Take up the state that registers do not hold. */
static void take_up(struct gv_sdma_queue *q, const uint32_t *mqd, uint64_t mqd_va)
{
	unsigned vmid = GV_GET(mqd[GV_SDMA_MQD_RB_CNTL], SDMA0_RLC0_RB_CNTL, RB_VMID);

	gv_sdma_queue_forget(q);
	q->mapped = true;
	q->mqd_va = mqd_va;
	q->halted = false;
	q->rptr = ((uint64_t)mqd[GV_SDMA_MQD_RB_RPTR_HI] << 32 | mqd[GV_SDMA_MQD_RB_RPTR]) & ~3ull;
	q->skip_dw = GV_GET(mqd[GV_SDMA_MQD_SKIP_CNTL], SDMA0_RLC0_SKIP_CNTL, SKIP_COUNT);
	gv_mem_init(&q->ring_mem, q->sdma->fn, GV_HUB_MM, (uint8_t)vmid, q->ring_mem.client);
	atomic_store(&q->stuck, false);
	atomic_store(&q->restart, false);
	if (!GV_GET(mqd[GV_SDMA_MQD_CONTEXT_STATUS], SDMA0_RLC0_CONTEXT_STATUS, PREEMPTED))
		return;
	q->ib_va = (uint64_t)mqd[GV_SDMA_MQD_IB_BASE_HI] << 32 |
	           (mqd[GV_SDMA_MQD_IB_BASE_LO] & ~0x1fu);
	q->ib_dw = GV_GET(mqd[GV_SDMA_MQD_IB_SIZE], SDMA0_RLC0_IB_SIZE, SIZE);
	q->ib_pos = GV_MIN(GV_GET(mqd[GV_SDMA_MQD_IB_RPTR], SDMA0_RLC0_IB_RPTR, OFFSET), q->ib_dw);
	q->in_ib = true;
	if (vmid == 0)
		vmid = GV_GET(mqd[GV_SDMA_MQD_IB_CNTL], SDMA0_RLC0_IB_CNTL, CMD_VMID);
	gv_mem_init(&q->ib_mem, q->sdma->fn, GV_HUB_MM, (uint8_t)vmid, q->ib_mem.client);
}

int gv_sdma_map_queue(struct gv_fn *f, unsigned engine, unsigned vmid, uint64_t mqd_va,
                      uint32_t doorbell_index, uint64_t wptr_va, bool listed)
{
	struct gv_sdma *s = f->sdma;
	struct gv_sdma_queue *q = NULL;
	uint32_t mqd[GV_SDMA_MQD_DWORDS];
	uint64_t wptr = 0, polled = 0;
	struct gv_mem m;
	int rc;

	if (engine >= SDMA_ENGINES || vmid >= GV_NUM_VMID)
		return -EINVAL;
	gv_mem_init(&m, f, GV_HUB_GC, 0, GV_IH_CLIENT_GRBM_CP);
	rc = gv_mem_read(&m, mqd_va, mqd, sizeof(mqd)); /* once: the guest can change it */
	if (rc)
		return rc;
	wptr = wptr_of(mqd);
	if (wptr_va) { /* rung before it was mapped: memory knows */
		gv_mem_init(&m, f, GV_HUB_MM, (uint8_t)vmid, GV_IH_CLIENT_GRBM_CP);
		m.quiet = true;
		if (gv_mem_read64(&m, wptr_va, &polled) == 0 && polled > wptr)
			wptr = polled & ~3ull;
	}
	patch(mqd, vmid, doorbell_index, wptr, wptr_va);
	(void)pthread_mutex_lock(&s->lock);
	(void)pthread_mutex_lock(&f->dev->lock);
	rc = find_free(s, engine, doorbell_index, &q);
	if (!rc) {
		load_regs(q, mqd);
		take_up(q, mqd, mqd_va);
		q->listed = listed;
	}
	(void)pthread_mutex_unlock(&f->dev->lock);
	(void)pthread_mutex_unlock(&s->lock);
	if (!rc)
		gv_worker_kick(&s->worker);
	return rc;
}

/* The registers as they are now, with what only the worker knows. Under both locks. */
static void save(struct gv_sdma_queue *q, uint32_t *mqd)
{
	struct gv_fn *f = q->sdma->fn;
	uint32_t status;

	for (size_t i = 0; i < GV_ARRAY_LEN(image); i++)
		mqd[image[i].dw] = gv_reg_get(f, reg_of(q, i), 0);
	mqd[GV_SDMA_MQD_RB_CNTL] =
	        GV_SET(mqd[GV_SDMA_MQD_RB_CNTL], SDMA0_RLC0_RB_CNTL, RB_ENABLE, 0);
	mqd[GV_SDMA_MQD_RB_RPTR] = (uint32_t)q->rptr;
	mqd[GV_SDMA_MQD_RB_RPTR_HI] = (uint32_t)(q->rptr >> 32);
	mqd[GV_SDMA_MQD_SKIP_CNTL] = GV_PUT(SDMA0_RLC0_SKIP_CNTL, SKIP_COUNT, q->skip_dw);
	mqd[GV_SDMA_MQD_IB_BASE_LO] = (uint32_t)q->ib_va;
	mqd[GV_SDMA_MQD_IB_BASE_HI] = (uint32_t)(q->ib_va >> 32);
	mqd[GV_SDMA_MQD_IB_SIZE] = GV_PUT(SDMA0_RLC0_IB_SIZE, SIZE, q->ib_dw);
	mqd[GV_SDMA_MQD_IB_RPTR] = GV_PUT(SDMA0_RLC0_IB_RPTR, OFFSET, q->ib_pos);
	mqd[GV_SDMA_MQD_IB_CNTL] =
	        GV_SET(mqd[GV_SDMA_MQD_IB_CNTL], SDMA0_RLC0_IB_CNTL, CMD_VMID, q->ib_mem.vmid);
	status = GV_SET(mqd[GV_SDMA_MQD_CONTEXT_STATUS], SDMA0_RLC0_CONTEXT_STATUS, IDLE, 1);
	mqd[GV_SDMA_MQD_CONTEXT_STATUS] =
	        GV_SET(status, SDMA0_RLC0_CONTEXT_STATUS, PREEMPTED, q->in_ib);
}

static void let_go(struct gv_sdma_queue *q)
{
	struct gv_fn *f = q->sdma->fn;

	for (size_t i = 0; i < GV_ARRAY_LEN(image); i++)
		gv_reg_put(f, reg_of(q, i), 0, gv_reg_info(reg_of(q, i))->reset);
	gv_sdma_update_doorbell(q);
	gv_sdma_queue_forget(q);
	q->mapped = q->listed = false;
	q->halted = false;
	atomic_store(&q->busy, false);
	atomic_store(&q->stuck, false);
}

static int write_back(struct gv_fn *f, uint64_t mqd_va, const uint32_t *mqd)
{
	struct gv_mem m;
	int rc = 0;

	gv_mem_init(&m, f, GV_HUB_GC, 0, GV_IH_CLIENT_GRBM_CP);
	for (size_t i = 0; i < GV_ARRAY_LEN(image) && !rc; i++)
		rc = gv_mem_write32(&m, mqd_va + 4ull * image[i].dw, mqd[image[i].dw]);
	return rc;
}

/* The worker holds sdma->lock while it works on a packet, so what is in flight has ended, or
 * stands between two steps and starts again from its beginning. */
static int unmap(struct gv_sdma_queue *q, bool reset)
{
	struct gv_sdma *s = q->sdma;
	uint32_t mqd[GV_SDMA_MQD_DWORDS];
	uint64_t mqd_va;

	(void)pthread_mutex_lock(&s->lock);
	(void)pthread_mutex_lock(&s->fn->dev->lock);
	mqd_va = q->mqd_va;
	save(q, mqd);
	let_go(q);
	(void)pthread_mutex_unlock(&s->fn->dev->lock);
	(void)pthread_mutex_unlock(&s->lock);
	return reset ? 0 : write_back(s->fn, mqd_va, mqd);
}

/* Only who asks for it, the command processor's worker, maps and unmaps. */
int gv_sdma_unmap_queue(struct gv_fn *f, unsigned engine, uint32_t doorbell_index, bool reset)
{
	for (unsigned id = SDMA_GFX + 1; engine < SDMA_ENGINES && id < SDMA_QUEUES; id++) {
		struct gv_sdma_queue *q = queue(f->sdma, engine, id);

		if (q->mapped && q->watched == (int32_t)doorbell_index)
			return unmap(q, reset);
	}
	return -ENOENT;
}

static unsigned vmid_of(const struct gv_sdma_queue *q)
{
	return GV_GET(gv_reg_get(q->sdma->fn, q->r->rb_cntl, 0), SDMA0_RLC0_RB_CNTL, RB_VMID);
}

uint32_t gv_sdma_listed_vmids(struct gv_fn *f)
{
	struct gv_sdma *s = f->sdma;
	uint32_t vmids = 0;

	(void)pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < GV_ARRAY_LEN(s->queue); i++)
		if (s->queue[i].listed)
			vmids |= 1u << vmid_of(&s->queue[i]);
	(void)pthread_mutex_unlock(&s->lock);
	return vmids;
}

int gv_sdma_unmap_listed(struct gv_fn *f, int engine, uint32_t vmids, bool reset)
{
	int rc = 0;

	for (size_t i = 0; i < GV_ARRAY_LEN(f->sdma->queue); i++) {
		struct gv_sdma_queue *q = &f->sdma->queue[i];
		int one = 0;

		if (q->listed && (engine < 0 || q->engine == (unsigned)engine) &&
		    vmids >> vmid_of(q) & 1)
			one = unmap(q, reset);
		rc = rc ? rc : one;
	}
	return rc;
}
