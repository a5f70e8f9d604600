/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compute and SDMA queues: mapped and unmapped by the KIQ only; submitting and waiting. */
#include <stdio.h>
#include <string.h>

#include "launch.h"

#define STOPPED_NS (200 * GV_MS) /* a fence that is on its way comes within this */

enum {
	COMPUTE_RING_DW = 8192,
	SDMA_RING_DW = 4096,
	EOP_BYTES = 4096,
	ENGINE_COMPUTE = 0,
	ENGINE_SDMA0 = 2,
	ACTION_RESET = 1,
};

/* ---- KIQ packets ------------------------------------------------------------------ */

static unsigned engine_of(const struct gv_guest_queue *q)
{
	return q->type == GV_QUEUE_SDMA ? ENGINE_SDMA0 + q->queue : ENGINE_COMPUTE;
}

int gv_queue_map(struct gv_guest_queue *q, uint64_t wptr, struct gv_err *err)
{
	uint64_t mqd = q->g->fb_mc + q->mqd_off;
	bool compute = q->type == GV_QUEUE_COMPUTE;
	const uint32_t dw[] = {
	        gv_pm4_header(PM4_MAP_QUEUES, 6),
	        GV_PUT(PM4_MAP_QUEUES, QUEUE, compute ? q->queue : 0) |
	                GV_PUT(PM4_MAP_QUEUES, PIPE, compute ? q->pipe : 0) |
	                GV_PUT(PM4_MAP_QUEUES, ME, compute ? q->me - 1 : 0) |
	                GV_PUT(PM4_MAP_QUEUES, ENGINE_SEL, engine_of(q)) |
	                GV_PUT(PM4_MAP_QUEUES, NUM_QUEUES, 1),
	        GV_PUT(PM4_MAP_QUEUES, DOORBELL_OFFSET, q->doorbell),
	        (uint32_t)mqd,
	        (uint32_t)(mqd >> 32),
	        (uint32_t)wptr,
	        (uint32_t)(wptr >> 32),
	};

	int rc = gv_kiq_run(q->g, dw, GV_ARRAY_LEN(dw), err);

	q->up = !rc;
	return rc ? gv_fail_prefix(err, "%s: MAP_QUEUES", q->name) : 0;
}

void gv_queue_unmap(struct gv_guest_queue *q)
{
	const uint32_t dw[] = {
	        gv_pm4_header(PM4_UNMAP_QUEUES, 5),
	        GV_PUT(PM4_UNMAP_QUEUES, ACTION, ACTION_RESET) |
	                GV_PUT(PM4_UNMAP_QUEUES, ENGINE_SEL, engine_of(q)) |
	                GV_PUT(PM4_UNMAP_QUEUES, NUM_QUEUES, 1),
	        GV_PUT(PM4_UNMAP_QUEUES, DOORBELL_OFFSET0, q->doorbell),
	        0,
	        0,
	        0,
	};

	if (q->up && gv_kiq_run(q->g, dw, GV_ARRAY_LEN(dw), NULL))
		gv_logf(q->g->log, GV_LOG_WARN, "%s could not be unmapped", q->name);
	q->up = false;
}

void gv_queue_place_compute(struct gv_guest_queue *q, unsigned i)
{
	/* me1, pipes first: comp_1.0.0, 1.1.0, ... as amdgpu's multipipe policy */
	q->me = 1;
	q->pipe = i % GV_NUM_PIPE;
	q->queue = i / GV_NUM_PIPE;
	q->doorbell = GV_DOORBELL_MEC_RING0 + 2 * i;
	(void)snprintf(q->name, sizeof(q->name), "comp_%u.%u.%u", q->me, q->pipe, q->queue);
}

int gv_resources_up(struct gv_guest *g, struct gv_err *err)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < g->cfg.compute_queues; i++) {
		gv_queue_place_compute(&g->compute[i], i);
		mask |= 1ull << GV_HQD_SLOT(g->compute[i].me - 1, g->compute[i].pipe,
		                            g->compute[i].queue);
	}
	const uint32_t dw[] = {
	        gv_pm4_header(PM4_SET_RESOURCES, 7),
	        0,
	        (uint32_t)mask,
	        (uint32_t)(mask >> 32),
	        0,
	        0,
	        0,
	        0,
	};

	return gv_kiq_run(g, dw, GV_ARRAY_LEN(dw), err);
}

/* ---- tests of a fresh queue --------------------------------------------------------- */

/* The ring runs, writes memory and raises its interrupt: AMD's ring test, with a fence. */
static int ring_test(struct gv_guest_queue *q, struct gv_err *err)
{
	enum { MEMORY_ASYNC = 5, AFTER = (int)0xdeadbeef };
	uint64_t to = q->wb_mc + offsetof(struct gv_writeback, value), seq = 0;
	const uint32_t pm4[] = {
	        gv_pm4_header(PM4_WRITE_DATA, 4),
	        GV_PUT(PM4_WRITE_DATA, DST_SEL, MEMORY_ASYNC) |
	                GV_PUT(PM4_WRITE_DATA, WR_CONFIRM, 1),
	        (uint32_t)to,
	        (uint32_t)(to >> 32),
	        (uint32_t)AFTER,
	};
	const uint32_t sdma[] = {
	        GV_SDMA_HEADER(WRITE_UNTILED),
	        (uint32_t)to,
	        (uint32_t)(to >> 32),
	        0,
	        (uint32_t)AFTER,
	};
	uint32_t seen;
	int rc = q->type == GV_QUEUE_SDMA ? gv_guest_submit(q, sdma, GV_ARRAY_LEN(sdma), &seq, err)
	                                  : gv_guest_submit(q, pm4, GV_ARRAY_LEN(pm4), &seq, err);

	if (!rc)
		rc = gv_guest_wait(q, seq, gv_deadline(q->g), err);
	if (rc)
		return gv_fail_prefix(err, "ring test");
	seen = (uint32_t)__atomic_load_n(&q->wb->value, __ATOMIC_ACQUIRE);
	if (seen != (uint32_t)AFTER)
		return gv_fail(err, -EIO, "ring test: %s left 0x%x in memory", q->name, seen);
	return 0;
}

static int make_ib(struct gv_guest_queue *q, struct gv_err *err)
{
	int rc = gv_buf_make(q->g, q->g->vm, GV_GUEST_SYSTEM, GV_IB_BUF_BYTES, true, &q->ib, err);

	if (!rc)
		gv_launch_amd_queue((void *)((uint8_t *)q->ib->dma.cpu + GV_IB_AMD_QUEUE));
	return rc;
}

static int queue_up(struct gv_guest_queue *q, unsigned ring_dw, unsigned eop, struct gv_err *err)
{
	struct gv_guest *g = q->g;
	uint32_t mqd[GV_MQD_DWORDS];
	int rc = gv_ring_make(q, ring_dw, eop, err);

	if (rc)
		return rc;
	if (q->type == GV_QUEUE_SDMA)
		gv_sdma_mqd_build(q, mqd, GV_MQD_DWORDS);
	else
		gv_mqd_build(q, mqd);
	rc = gv_vram_write(g, q->mqd_off, mqd, sizeof(mqd));
	if (rc)
		return gv_fail(err, rc, "%s: writing the MQD failed", q->name);
	gv_hdp_flush(g);
	rc = gv_queue_map(q, q->wb_mc + offsetof(struct gv_writeback, wptr), err);
	if (rc)
		return rc;
	q->problems_seen = gv_irq_problems(g);
	atomic_store(&q->failed_ns, 0);
	rc = ring_test(q, err);
	if (!rc && !q->ib)
		rc = make_ib(q, err);
	return rc;
}

static void queue_down(struct gv_guest_queue *q)
{
	gv_queue_unmap(q);
	q->scratch = gv_guest_buf_free(q->scratch);
	q->ib = gv_guest_buf_free(q->ib);
	gv_ring_free(q);
}

/* ---- all of them ----------------------------------------------------------------------- */

static int eop_interrupts(struct gv_guest *g, struct gv_err *err)
{
	uint32_t on = GV_PUT(CP_ME1_PIPE0_INT_CNTL, TIME_STAMP_INT_ENABLE, 1) |
	              GV_PUT(CP_ME1_PIPE0_INT_CNTL, PRIV_REG_INT_ENABLE, 1) |
	              GV_PUT(CP_ME1_PIPE0_INT_CNTL, OPCODE_ERROR_INT_ENABLE, 1) |
	              GV_PUT(CP_ME1_PIPE0_INT_CNTL, RESERVED_BIT_ERROR_INT_ENABLE, 1);
	int rc = gv_reg_wr(g, CPC_INT_CNTL__BYTE, on, err);

	for (unsigned pipe = 0; pipe < GV_NUM_PIPE && !rc; pipe++)
		rc = gv_reg_wr(g, GV_BYTE_N(CP_ME1_PIPE0_INT_CNTL, pipe), on, err);
	return rc;
}

int gv_compute_up(struct gv_guest *g, struct gv_err *err)
{
	int rc = eop_interrupts(g, err);

	for (unsigned i = 0; i < g->cfg.compute_queues && !rc; i++)
		rc = queue_up(&g->compute[i], COMPUTE_RING_DW, EOP_BYTES, err);
	return rc;
}

void gv_compute_down(struct gv_guest *g)
{
	for (unsigned i = g->cfg.compute_queues; i-- > 0;)
		queue_down(&g->compute[i]);
}

/* The engine itself; its queues come by the KIQ. */
static int sdma_engine(struct gv_guest *g, unsigned engine, struct gv_err *err)
{
	uint32_t shift = engine ? SDMA1_CNTL__BYTE - SDMA0_CNTL__BYTE : 0;
	const struct gv_regval list[] = {
	        {SDMA0_SEM_WAIT_FAIL_TIMER_CNTL__BYTE + shift, 0},
	        {SDMA0_UTCL1_TIMEOUT__BYTE + shift,
	         GV_PUT(SDMA0_UTCL1_TIMEOUT, RD_XNACK_LIMIT, 0x80) |
	                 GV_PUT(SDMA0_UTCL1_TIMEOUT, WR_XNACK_LIMIT, 0x80)},
	        {SDMA0_CNTL__BYTE + shift, GV_PUT(SDMA0_CNTL, UTC_L1_ENABLE, 1) |
	                                           GV_PUT(SDMA0_CNTL, TRAP_ENABLE, 1) |
	                                           GV_PUT(SDMA0_CNTL, AUTO_CTXSW_ENABLE, 1)},
	        {SDMA0_F32_CNTL__BYTE + shift, GV_PUT(SDMA0_F32_CNTL, HALT, 0)},
	};

	return gv_reg_wr_list(g, list, GV_ARRAY_LEN(list), err);
}

int gv_sdma_up(struct gv_guest *g, struct gv_err *err)
{
	static const unsigned doorbell[GV_NUM_SDMA] = {GV_DOORBELL_SDMA0, GV_DOORBELL_SDMA1};
	int rc = 0;

	for (unsigned i = 0; i < GV_NUM_SDMA && !rc; i++) {
		struct gv_guest_queue *q = &g->sdma[i];

		q->queue = i;
		q->doorbell = doorbell[i];
		(void)snprintf(q->name, sizeof(q->name), "sdma%u", i);
		rc = sdma_engine(g, i, err);
		if (!rc)
			rc = queue_up(q, SDMA_RING_DW, 0, err);
	}
	return rc;
}

void gv_sdma_down(struct gv_guest *g)
{
	for (unsigned i = GV_NUM_SDMA; i-- > 0;)
		queue_down(&g->sdma[i]);
}

struct gv_guest_queue *gv_guest_compute(struct gv_guest *g, unsigned i)
{
	return i < g->cfg.compute_queues ? &g->compute[i] : NULL;
}

struct gv_guest_queue *gv_guest_sdma(struct gv_guest *g, unsigned i)
{
	return i < GV_NUM_SDMA ? &g->sdma[i] : NULL;
}

/* ---- submitting ------------------------------------------------------------------------- */

/* Rings that could not be mapped again, or a device that is gone, take nothing. */
static int check_up(const struct gv_guest_queue *q, struct gv_err *err)
{
	if (atomic_load(&q->g->flr_pending))
		return gv_fail(err, -ECONNRESET, "%s: the PF announced a reset", q->name);
	return q->up ? 0 : gv_fail(err, -ENXIO, "%s is not up", q->name);
}

int gv_guest_submit(struct gv_guest_queue *q, const uint32_t *dw, unsigned count, uint64_t *seq,
                    struct gv_err *err)
{
	int rc = check_up(q, err);

	if (rc)
		return rc;
	(void)pthread_mutex_lock(&q->lock);
	rc = gv_ring_room(q, count + gv_ring_fence_dw(q), gv_deadline(q->g), err);
	if (!rc) {
		gv_ring_put_n(q, dw, count);
		gv_ring_fence(q);
		gv_ring_commit(q);
		*seq = q->seq;
	}
	(void)pthread_mutex_unlock(&q->lock);
	return rc;
}

int gv_ib_slot(struct gv_guest_queue *q, unsigned *slot, struct gv_err *err)
{
	uint64_t deadline = gv_deadline(q->g);
	unsigned i = q->ib_next, spins = 0;
	char text[128];

	while (!gv_ring_done(q, q->ib_seq[i])) {
		if (atomic_load(&q->g->flr_pending))
			return gv_fail(err, -ECONNRESET, "%s: the PF announced a reset", q->name);
		if (gv_now_ns() >= deadline) {
			gv_ring_describe(q, text, sizeof(text));
			return gv_fail(err, -ETIMEDOUT, "all command buffers in use: %s", text);
		}
		gv_irq_pause(q->g, &spins, deadline);
	}
	*slot = i;
	q->ib_next = (i + 1) % GV_IB_SLOTS;
	return 0;
}

static unsigned put_ib(struct gv_guest_queue *q, unsigned vmid, uint64_t va, unsigned dw)
{
	const uint32_t pm4[] = {
	        gv_pm4_header(PM4_INDIRECT_BUFFER, 3),
	        (uint32_t)va,
	        (uint32_t)(va >> 32),
	        GV_PUT(PM4_INDIRECT_BUFFER, IB_SIZE, dw) | GV_PUT(PM4_INDIRECT_BUFFER, VALID, 1) |
	                GV_PUT(PM4_INDIRECT_BUFFER, VMID, vmid),
	};
	const uint32_t sdma[] = {
	        GV_SDMA_HEADER(INDIRECT) | GV_PUT(SDMA_INDIRECT, vmid, vmid),
	        (uint32_t)va,
	        (uint32_t)(va >> 32),
	        dw,
	        0,
	        0,
	};
	unsigned pad = 0;

	if (q->type != GV_QUEUE_SDMA) {
		gv_ring_put_n(q, pm4, GV_ARRAY_LEN(pm4));
		return 0;
	}
	/* the packet must end on an 8-dword boundary */
	for (; ((q->wptr + GV_ARRAY_LEN(sdma)) & 7) != 0; pad++)
		gv_ring_put(q, GV_SDMA_HEADER(NOP));
	gv_ring_put_n(q, sdma, GV_ARRAY_LEN(sdma));
	return pad;
}

int gv_ib_submit(struct gv_guest_queue *q, unsigned vmid, uint64_t va, unsigned dw, uint64_t *seq,
                 struct gv_err *err)
{
	enum { LONGEST = 16 };
	int rc = gv_ring_room(q, LONGEST + gv_ring_fence_dw(q), gv_deadline(q->g), err);

	if (rc)
		return rc;
	(void)put_ib(q, vmid, va, dw);
	gv_ring_fence(q);
	gv_ring_commit(q);
	*seq = q->seq;
	return 0;
}

int gv_guest_submit_ib(struct gv_guest_queue *q, const struct gv_guest_vm *vm, uint64_t ib_va,
                       unsigned dw, uint64_t *seq, struct gv_err *err)
{
	int rc = check_up(q, err);

	if (rc)
		return rc;
	if ((ib_va & 31) || !dw || dw > gv_mask(0, SDMA_INDIRECT__ib_size__BITS))
		return gv_fail(err, -EINVAL, "indirect buffer of %u dwords at 0x%llx", dw,
		               (unsigned long long)ib_va);
	(void)pthread_mutex_lock(&q->lock);
	rc = gv_ib_submit(q, vm->vmid, ib_va, dw, seq, err);
	(void)pthread_mutex_unlock(&q->lock);
	return rc;
}

/* ---- waiting ----------------------------------------------------------------------------- */

static int timed_out(struct gv_guest_queue *q, struct gv_err *err)
{
	struct gv_guest_fault f;
	char text[128], fault[96] = "no page fault seen";

	gv_mbox_look(q->g);
	if (atomic_load(&q->g->flr_pending))
		return gv_fail(err, -ECONNRESET, "%s: the PF announced a reset", q->name);
	gv_guest_get_fault(q->g, &f);
	gv_ring_describe(q, text, sizeof(text));
	if (f.valid)
		(void)snprintf(fault, sizeof(fault), "last page fault: %s of 0x%llx in VMID %u",
		               f.write ? "write" : "read", (unsigned long long)f.gpu_va, f.vmid);
	return gv_fail(err, -ETIMEDOUT, "hang: %s; %s", text, fault);
}

/* Faults and bad packets since this queue last asked. */
static int check_problems(struct gv_guest_queue *q, struct gv_err *err)
{
	uint64_t now = gv_irq_problems(q->g), was = q->problems_seen;
	struct gv_guest_fault f;

	if (now == was)
		return 0;
	q->problems_seen = now;
	gv_guest_get_fault(q->g, &f);
	if (f.valid)
		return gv_fail(err, -EIO, "%s: page fault: %s of 0x%llx in VMID %u (%s)", q->name,
		               f.write ? "write" : "read", (unsigned long long)f.gpu_va, f.vmid,
		               f.mmhub ? "MMHUB" : "GFXHUB");
	return gv_fail(err, -EIO, "%s: the engine reported an error (interrupt source %u%s)",
	               q->name, q->g->last_cp_error,
	               q->g->last_cp_error == GV_IH_SRC_CP_SQ
	                       ? ": the shader trapped or met a bad instruction or address"
	                       : "");
}

/* The interrupt of a fence comes after everything that the work before it reported: wait for it,
 * but not long, it may be masked. */
static void settle(struct gv_guest_queue *q, uint64_t seq)
{
	uint64_t until = gv_now_ns() + 20 * GV_MS;
	unsigned spins = 0;

	while (atomic_load(&q->irqs) < seq && gv_now_ns() < until)
		gv_irq_pause(q->g, &spins, until);
}

/* The engine said that it stopped here, and no fence came since: none will. */
static bool stopped(const struct gv_guest_queue *q)
{
	uint64_t since = atomic_load(&q->failed_ns);

	return since && gv_now_ns() - since > STOPPED_NS;
}

static int say_stopped(struct gv_guest_queue *q, struct gv_err *err)
{
	int rc = check_problems(q, err);

	return rc ? rc : gv_fail(err, -EIO, "%s: stopped by an earlier error", q->name);
}

int gv_guest_wait(struct gv_guest_queue *q, uint64_t seq, uint64_t deadline_ns, struct gv_err *err)
{
	unsigned spins = 0;

	if (seq <= q->lost_seq && seq)
		return gv_fail(err, -ECANCELED, "%s: lost in a reset", q->name);
	while (!gv_ring_done(q, seq)) {
		if (atomic_load(&q->g->flr_pending))
			return gv_fail(err, -ECONNRESET, "%s: the PF announced a reset", q->name);
		if (gv_bus_status(q->g->bus))
			return gv_fail(err, -EIO, "%s: the device is lost", q->name);
		if (stopped(q))
			return say_stopped(q, err);
		if (gv_now_ns() >= deadline_ns)
			return timed_out(q, err);
		gv_irq_pause(q->g, &spins, deadline_ns);
	}
	gv_dma_from_device();
	settle(q, seq);
	gv_irq_drain(q->g);
	return check_problems(q, err);
}
