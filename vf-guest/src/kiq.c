/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel interface queue: brought up through its HQD registers, as the only one. It maps the
 * other queues, and after release of exclusive access all registers are reached through it.
 */
#include <string.h>

#include "guest.h"

/* me2 pipe1 queue0, as amdgpu places it (gfx_v9_0.c, Linux 6.1). */
enum { KIQ_ME = 2, KIQ_PIPE = 1, KIQ_QUEUE = 0, KIQ_RING_DW = 4096, KIQ_EOP_BYTES = 4096 };

/* ---- HQD by registers ------------------------------------------------------------ */

static int drain_hqd(struct gv_guest *g, struct gv_err *err)
{
	uint64_t deadline = gv_now_ns() + 100 * GV_MS;
	uint32_t active = 0;
	unsigned spins = 0;
	int rc = gv_reg_rd(g, CP_HQD_ACTIVE__BYTE, &active, err);

	if (rc || !GV_GET(active, CP_HQD_ACTIVE, ACTIVE))
		return rc;
	rc = gv_reg_wr(g, CP_HQD_DEQUEUE_REQUEST__BYTE, 1, err);
	while (!rc && GV_GET(active, CP_HQD_ACTIVE, ACTIVE) && gv_now_ns() < deadline) {
		gv_poll_pause(&spins);
		rc = gv_reg_rd(g, CP_HQD_ACTIVE__BYTE, &active, err);
	}
	if (!rc && GV_GET(active, CP_HQD_ACTIVE, ACTIVE)) /* it hangs: switch it off */
		rc = gv_reg_wr(g, CP_HQD_ACTIVE__BYTE, 0, err);
	if (!rc)
		rc = gv_reg_wr(g, CP_HQD_DEQUEUE_REQUEST__BYTE, 0, err);
	return rc;
}

#define FROM_MQD(reg)                                                                              \
	{                                                                                          \
		reg##__BYTE, mqd[GV_MQD_DW(reg)]                                                   \
	}

/* In AMD's order; ACTIVE last. */
static int write_hqd(struct gv_guest *g, const uint32_t *mqd, struct gv_err *err)
{
	const struct gv_regval list[] = {
	        FROM_MQD(CP_HQD_EOP_BASE_ADDR),
	        FROM_MQD(CP_HQD_EOP_BASE_ADDR_HI),
	        FROM_MQD(CP_HQD_EOP_CONTROL),
	        FROM_MQD(CP_HQD_PQ_DOORBELL_CONTROL),
	        {CP_HQD_PQ_RPTR__BYTE, 0},
	        FROM_MQD(CP_MQD_BASE_ADDR),
	        FROM_MQD(CP_MQD_BASE_ADDR_HI),
	        FROM_MQD(CP_MQD_CONTROL),
	        FROM_MQD(CP_HQD_PQ_BASE),
	        FROM_MQD(CP_HQD_PQ_BASE_HI),
	        FROM_MQD(CP_HQD_PQ_CONTROL),
	        FROM_MQD(CP_HQD_PQ_RPTR_REPORT_ADDR),
	        FROM_MQD(CP_HQD_PQ_RPTR_REPORT_ADDR_HI),
	        FROM_MQD(CP_HQD_PQ_WPTR_POLL_ADDR),
	        FROM_MQD(CP_HQD_PQ_WPTR_POLL_ADDR_HI),
	        {CP_MEC_DOORBELL_RANGE_LOWER__BYTE, GV_DOORBELL_KIQ * 4},
	        {CP_MEC_DOORBELL_RANGE_UPPER__BYTE, (GV_DOORBELL_SDMA0 - 2) * 4},
	        FROM_MQD(CP_HQD_PQ_DOORBELL_CONTROL),
	        {CP_HQD_PQ_WPTR_LO__BYTE, 0},
	        {CP_HQD_PQ_WPTR_HI__BYTE, 0},
	        FROM_MQD(CP_HQD_VMID),
	        FROM_MQD(CP_HQD_PERSISTENT_STATE),
	        {CP_HQD_ACTIVE__BYTE, GV_PUT(CP_HQD_ACTIVE, ACTIVE, 1)},
	        {CP_PQ_STATUS__BYTE, GV_PUT(CP_PQ_STATUS, DOORBELL_ENABLE, 1)},
	};

	return gv_reg_wr_list(g, list, GV_ARRAY_LEN(list), err);
}

static int schedulers(struct gv_guest *g, bool on, struct gv_err *err)
{
	enum { VALID = 0x80 };
	uint32_t who = KIQ_ME << 5 | KIQ_PIPE << 3 | KIQ_QUEUE, v = 0;
	int rc = gv_reg_rd(g, RLC_CP_SCHEDULERS__BYTE, &v, err);

	if (!rc)
		rc = gv_reg_wr(g, RLC_CP_SCHEDULERS__BYTE,
		               on ? GV_SET(v, RLC_CP_SCHEDULERS, scheduler0, who) : 0, err);
	if (!rc && on)
		rc = gv_reg_wr(g, RLC_CP_SCHEDULERS__BYTE,
		               GV_SET(v, RLC_CP_SCHEDULERS, scheduler0, who | VALID), err);
	return rc;
}

int gv_kiq_up(struct gv_guest *g, struct gv_err *err)
{
	struct gv_guest_queue *q = &g->kiq;
	uint32_t mqd[GV_MQD_DWORDS];
	int rc = gv_ring_make(q, KIQ_RING_DW, KIQ_EOP_BYTES, err);

	q->me = KIQ_ME;
	q->pipe = KIQ_PIPE;
	q->queue = KIQ_QUEUE;
	q->doorbell = GV_DOORBELL_KIQ;
	if (rc)
		return rc;
	gv_mqd_build(q, mqd);
	rc = gv_vram_write(g, q->mqd_off, mqd, sizeof(mqd));
	if (rc)
		return gv_fail(err, rc, "writing the MQD failed");
	gv_hdp_flush(g);
	rc = gv_reg_wr(g, CP_MEC_CNTL__BYTE, 0, err); /* both MECs run */
	if (!rc)
		rc = schedulers(g, true, err);
	if (!rc)
		rc = gv_reg_wr(g, CP_PQ_WPTR_POLL_CNTL__BYTE, 0, err);
	if (!rc)
		rc = gv_grbm_select(g, KIQ_ME, KIQ_PIPE, KIQ_QUEUE, 0, err);
	if (!rc)
		rc = drain_hqd(g, err);
	if (!rc)
		rc = write_hqd(g, mqd, err);
	if (!rc)
		rc = gv_grbm_select(g, 0, 0, 0, 0, err);
	q->up = !rc;
	return rc;
}

void gv_kiq_down(struct gv_guest *g)
{
	if (g->kiq.up) {
		(void)gv_grbm_select(g, KIQ_ME, KIQ_PIPE, KIQ_QUEUE, 0, NULL);
		(void)drain_hqd(g, NULL);
		(void)gv_reg_wr(g, CP_HQD_PQ_DOORBELL_CONTROL__BYTE, 0, NULL);
		(void)gv_grbm_select(g, 0, 0, 0, 0, NULL);
		(void)schedulers(g, false, NULL);
	}
	g->kiq.up = false;
	gv_ring_free(&g->kiq);
}

/* ---- work ------------------------------------------------------------------------- */

/* Wait for the KIQ by polling: it has no interrupt of ours. With q->lock held. */
static int wait_done(struct gv_guest_queue *q, uint64_t seq, struct gv_err *err)
{
	uint64_t deadline = gv_deadline(q->g);
	unsigned spins = 0;
	char text[128];

	while (!gv_ring_done(q, seq)) {
		if (gv_now_ns() >= deadline) {
			gv_ring_describe(q, text, sizeof(text));
			q->up = false; /* the next caller need not wait as long */
			return gv_fail(err, -ETIMEDOUT, "no answer: %s", text);
		}
		if (atomic_load(&q->g->flr_pending))
			return gv_fail(err, -ECONNRESET, "%s: the PF announced a reset", q->name);
		gv_poll_pause(&spins);
		if (spins > 64)
			gv_irq_drain(q->g);
	}
	gv_dma_from_device();
	return 0;
}

static int run_locked(struct gv_guest_queue *q, const uint32_t *dw, unsigned count,
                      struct gv_err *err)
{
	int rc = gv_ring_room(q, count + gv_ring_fence_dw(q), gv_deadline(q->g), err);

	if (rc)
		return rc;
	gv_ring_put_n(q, dw, count);
	gv_ring_fence(q);
	gv_ring_commit(q);
	return wait_done(q, q->seq, err);
}

int gv_kiq_run(struct gv_guest *g, const uint32_t *dw, unsigned count, struct gv_err *err)
{
	int rc;

	if (!g->kiq.up)
		return gv_fail(err, -ENXIO, "the KIQ is not up");
	(void)pthread_mutex_lock(&g->kiq.lock);
	rc = run_locked(&g->kiq, dw, count, err);
	(void)pthread_mutex_unlock(&g->kiq.lock);
	return rc;
}

int gv_kiq_rreg(struct gv_guest *g, uint32_t byte, uint32_t *val, struct gv_err *err)
{
	enum { REGISTER = 0, MEMORY_ASYNC = 5 };
	struct gv_guest_queue *q = &g->kiq;
	uint64_t to = q->wb_mc + offsetof(struct gv_writeback, value);
	const uint32_t dw[] = {
	        gv_pm4_header(PM4_COPY_DATA, 5),
	        GV_PUT(PM4_COPY_DATA, SRC_SEL, REGISTER) |
	                GV_PUT(PM4_COPY_DATA, DST_SEL, MEMORY_ASYNC) |
	                GV_PUT(PM4_COPY_DATA, WR_CONFIRM, 1),
	        byte / 4,
	        0,
	        (uint32_t)to,
	        (uint32_t)(to >> 32),
	};
	int rc;

	if (!q->up)
		return gv_fail(err, -ENXIO, "the KIQ is not up");
	(void)pthread_mutex_lock(&q->lock);
	rc = run_locked(q, dw, GV_ARRAY_LEN(dw), err);
	if (!rc)
		*val = (uint32_t)__atomic_load_n(&q->wb->value, __ATOMIC_ACQUIRE);
	(void)pthread_mutex_unlock(&q->lock);
	atomic_fetch_add(&g->kiq_accesses, 1);
	return rc;
}

int gv_kiq_wreg(struct gv_guest *g, uint32_t byte, uint32_t val, struct gv_err *err)
{
	enum { REGISTER = 0 };
	const uint32_t dw[] = {
	        gv_pm4_header(PM4_WRITE_DATA, 4),
	        GV_PUT(PM4_WRITE_DATA, DST_SEL, REGISTER) | GV_PUT(PM4_WRITE_DATA, WR_ONE_ADDR, 1),
	        byte / 4,
	        0,
	        val,
	};

	atomic_fetch_add(&g->kiq_accesses, 1);
	return gv_kiq_run(g, dw, GV_ARRAY_LEN(dw), err);
}

/* AMD's ring test: the CPU writes one value to a scratch register, the ring another. */
int gv_kiq_test(struct gv_guest *g, struct gv_err *err)
{
	enum { BEFORE = (int)0xcafedead, AFTER = (int)0xdeadbeef };
	const uint32_t dw[] = {
	        gv_pm4_header(PM4_SET_UCONFIG_REG, 2),
	        SCRATCH_REG0__DW - PM4_SET_UCONFIG_REG_START,
	        (uint32_t)AFTER,
	};
	uint32_t val = 0;
	int rc = gv_reg_wr(g, SCRATCH_REG0__BYTE, (uint32_t)BEFORE, err);

	if (!rc)
		rc = gv_kiq_run(g, dw, GV_ARRAY_LEN(dw), err);
	if (!rc)
		rc = gv_reg_rd(g, SCRATCH_REG0__BYTE, &val, err);
	if (!rc && val != (uint32_t)AFTER)
		rc = gv_fail(err, -EIO, "SCRATCH_REG0 is 0x%x, the ring should have written 0x%x",
		             val, (uint32_t)AFTER);
	return rc;
}

int gv_guest_kiq_test(struct gv_guest *g, struct gv_err *err)
{
	return gv_kiq_test(g, err);
}
