/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* IH ring 0 on the device: bring-up, and what each interrupt means to us. */
#include <poll.h>

#include "guest.h"

#define IH_RING_BYTES (256 * GV_KIB)
#define SPINS         64u         /* polls before we sleep on the interrupt */
#define SLICE_NS      (5 * GV_MS) /* longest sleep: an interrupt may get lost */

/* The ring first, then a page for the write pointer. */
static uint32_t read_wptr(const struct gv_guest *g)
{
	const uint32_t *wb =
	        (const uint32_t *)(const void *)((uint8_t *)g->ih_mem.dma.cpu + IH_RING_BYTES);

	return __atomic_load_n(wb, __ATOMIC_ACQUIRE);
}

static void cp_problem(struct gv_guest *g, const struct gv_ih_event *e)
{
	g->last_cp_error = e->src;
	atomic_fetch_add(&g->cp_errors, 1);
	gv_logf(g->log, GV_LOG_WARN, "CP error interrupt: source %u, ring id 0x%x, VMID %u", e->src,
	        e->ring_id, e->vmid);
}

/* The compute queue that an interrupt is about, or NULL. */
static struct gv_guest_queue *cp_queue(struct gv_guest *g, const struct gv_ih_event *e)
{
	for (unsigned i = 0; i < g->cfg.compute_queues; i++) {
		struct gv_guest_queue *q = &g->compute[i];

		if (q->me == GV_GET(e->ring_id, IH_CP_RING, ME) &&
		    q->pipe == GV_GET(e->ring_id, IH_CP_RING, PIPE) &&
		    q->queue == GV_GET(e->ring_id, IH_CP_RING, QUEUE))
			return q;
	}
	return NULL;
}

/* These stop their queue: no fence of it comes any more. */
static void cp_stopped(struct gv_guest *g, const struct gv_ih_event *e)
{
	struct gv_guest_queue *q = cp_queue(g, e);

	cp_problem(g, e);
	if (q)
		atomic_store(&q->failed_ns, gv_now_ns());
}

static void cp_event(struct gv_guest *g, const struct gv_ih_event *e)
{
	struct gv_guest_queue *q;

	switch (e->src) {
	case GV_IH_SRC_CP_EOP:
		q = cp_queue(g, e);
		if (q)
			atomic_fetch_add(&q->irqs, 1);
		break;
	case GV_IH_SRC_CP_RESERVED_BIT:
	case GV_IH_SRC_CP_BAD_OPCODE:
		cp_stopped(g, e);
		break;
	case GV_IH_SRC_CP_SQ:
		if (GV_GET(e->data[0], IH_IV4_SQ, ENCODING) == IH_SQ_ENCODING_ERROR)
			cp_stopped(g, e);
		break;
	case GV_IH_SRC_CP_PRIV_REG:
	case GV_IH_SRC_CP_PRIV_INSTR:
		cp_problem(g, e);
		break;
	default:
		gv_logf(g->log, GV_LOG_DEBUG, "CP interrupt source %u not handled", e->src);
	}
}

static void fault_event(struct gv_guest *g, const struct gv_ih_event *e)
{
	g->fault = (struct gv_guest_fault){
	        .valid = true,
	        .gpu_va = gv_ih_fault_va(e),
	        .vmid = e->vmid,
	        .write = gv_ih_fault_write(e),
	        .mmhub = e->client == GV_IH_CLIENT_VMC,
	};
	atomic_fetch_add(&g->vm_faults, 1);
	gv_logf(g->log, GV_LOG_WARN, "page fault: %s of 0x%llx, VMID %u, %s",
	        g->fault.write ? "write" : "read", (unsigned long long)g->fault.gpu_va,
	        g->fault.vmid, g->fault.mmhub ? "MMHUB" : "GFXHUB");
}

static void handle(void *arg, const struct gv_ih_event *e)
{
	struct gv_guest *g = arg;

	atomic_fetch_add(&g->interrupts, 1);
	switch (e->client) {
	case GV_IH_CLIENT_BIF:
		if (e->src == GV_IH_SRC_BIF_VF_MSGBUF_VALID)
			atomic_store(&g->mbox_event, true);
		break;
	case GV_IH_CLIENT_GRBM_CP:
		cp_event(g, e);
		break;
	case GV_IH_CLIENT_SDMA0:
	case GV_IH_CLIENT_SDMA1:
		if (e->src == GV_IH_SRC_SDMA_TRAP)
			atomic_fetch_add(&g->sdma[e->client - GV_IH_CLIENT_SDMA0].irqs, 1);
		else
			cp_problem(g, e);
		break;
	case GV_IH_CLIENT_VMC:
	case GV_IH_CLIENT_UTCL2:
		if (e->src == GV_IH_SRC_VM_FAULT)
			fault_event(g, e);
		break;
	default:
		gv_logf(g->log, GV_LOG_DEBUG, "interrupt of client 0x%x source %u not handled",
		        e->client, e->src);
	}
}

static uint32_t ring_cntl(bool on)
{
	return GV_PUT(IH_RB_CNTL, MC_SPACE, GV_IH_MC_SPACE_BUS) |
	       GV_PUT(IH_RB_CNTL, WPTR_OVERFLOW_CLEAR, !on) |
	       GV_PUT(IH_RB_CNTL, WPTR_OVERFLOW_ENABLE, 1) |
	       GV_PUT(IH_RB_CNTL, RB_SIZE, __builtin_ctzll(IH_RING_BYTES / 4)) |
	       GV_PUT(IH_RB_CNTL, WPTR_WRITEBACK_ENABLE, 1) | GV_PUT(IH_RB_CNTL, MC_SNOOP, 1) |
	       GV_PUT(IH_RB_CNTL, RPTR_REARM, 1) | GV_PUT(IH_RB_CNTL, RB_GPU_TS_ENABLE, 1) |
	       GV_PUT(IH_RB_CNTL, RB_ENABLE, on) | GV_PUT(IH_RB_CNTL, ENABLE_INTR, on);
}

/* Tell the device how far we are, which lets it raise the next interrupt. The register must follow
 * the doorbell, or interrupts would stop: look now and then. */
static void move_rptr(struct gv_guest *g)
{
	enum { LOOK_EVERY = 64, TRIES = 10 };

	g->ih_told = g->ih.rptr;
	gv_doorbell64(g->bus, GV_DOORBELL_IH * 4, g->ih.rptr);
	if (++g->ih_doorbells % LOOK_EVERY != 1)
		return;
	for (unsigned i = 0; i < TRIES; i++) {
		if (gv_rd32(g->bus, IH_RB_RPTR__BYTE) == g->ih.rptr)
			return;
		gv_doorbell64(g->bus, GV_DOORBELL_IH * 4, g->ih.rptr);
	}
	gv_wr32(g->bus, IH_RB_RPTR__BYTE, g->ih.rptr);
}

/* With ih_lock held. */
static void consume(struct gv_guest *g)
{
	uint32_t wptr = read_wptr(g), mask = g->ih.bytes - 1;
	bool overflow;

	/* the write-back may be older than the overflow: ask the register, as amdgpu does */
	if (GV_GET(wptr, IH_RB_WPTR, RB_OVERFLOW))
		wptr = gv_rd32(g->bus, IH_RB_WPTR__BYTE);
	if ((wptr & mask & ~31u) == g->ih.rptr && !GV_GET(wptr, IH_RB_WPTR, RB_OVERFLOW))
		return;
	overflow = gv_ih_consume(&g->ih, wptr, handle, g);
	if (overflow) {
		gv_logf(g->log, GV_LOG_WARN, "interrupt ring overflow, going on at 0x%x",
		        g->ih.rptr);
		gv_wr32(g->bus, IH_RB_CNTL__BYTE,
		        ring_cntl(true) | GV_PUT(IH_RB_CNTL, WPTR_OVERFLOW_CLEAR, 1));
		gv_wr32(g->bus, IH_RB_CNTL__BYTE, ring_cntl(true));
		/* end-of-pipe interrupts may be among the lost ones */
		for (unsigned i = 0; i < g->cfg.compute_queues; i++)
			atomic_store(&g->compute[i].irqs, g->compute[i].seq);
		for (unsigned i = 0; i < GV_NUM_SDMA; i++)
			atomic_store(&g->sdma[i].irqs, g->sdma[i].seq);
	}
	/* Who polls needs no interrupt: until somebody sleeps, only keep the ring from filling. */
	if (overflow || ((g->ih.rptr - g->ih_told) & mask) >= g->ih.bytes / 8)
		move_rptr(g);
}

/* Before sleeping: interrupts on, and one at once if an entry came meanwhile. An interrupt turned
 * them off, even if what it was for had been polled already. */
static void rearm(struct gv_guest *g)
{
	(void)pthread_mutex_lock(&g->ih_lock);
	if (atomic_exchange(&g->ih_fired, false) || g->ih_told != g->ih.rptr)
		move_rptr(g);
	(void)pthread_mutex_unlock(&g->ih_lock);
}

void gv_irq_drain(struct gv_guest *g)
{
	if (!g->ih_up || pthread_mutex_trylock(&g->ih_lock))
		return;
	consume(g);
	(void)pthread_mutex_unlock(&g->ih_lock);
	if (atomic_exchange(&g->mbox_event, false))
		gv_mbox_look(g);
}

void gv_irq_pause(struct gv_guest *g, unsigned *spins, uint64_t deadline_ns)
{
	uint64_t slice = gv_now_ns() + SLICE_NS;

	gv_irq_drain(g);
	if (!g->ih_up || *spins < SPINS) {
		gv_poll_pause(spins);
		return;
	}
	rearm(g);
	/* the eventfd wakes one waiter only; the others come back after their slice */
	if (gv_irq_wait(g->ih_fd, GV_MIN(slice, deadline_ns)) == 0)
		atomic_store(&g->ih_fired, true);
	gv_irq_drain(g);
}

uint64_t gv_irq_problems(struct gv_guest *g)
{
	return atomic_load(&g->vm_faults) + atomic_load(&g->cp_errors);
}

/* ---- bring-up ------------------------------------------------------------------- */

static int ring_registers(struct gv_guest *g, struct gv_err *err)
{
	uint64_t ring = g->ih_mem.dma.iova, wb = ring + IH_RING_BYTES;
	const struct gv_regval list[] = {
	        {IH_RB_CNTL__BYTE, ring_cntl(false)},
	        {IH_RB_BASE__BYTE, (uint32_t)(ring >> 8)},
	        {IH_RB_BASE_HI__BYTE, (uint32_t)(ring >> 40)},
	        {IH_RB_WPTR_ADDR_LO__BYTE, (uint32_t)wb},
	        {IH_RB_WPTR_ADDR_HI__BYTE, (uint32_t)(wb >> 32)},
	        {IH_RB_RPTR__BYTE, 0},
	        {IH_RB_WPTR__BYTE, 0},
	        {IH_DOORBELL_RPTR__BYTE, GV_PUT(IH_DOORBELL_RPTR, OFFSET, GV_DOORBELL_IH) |
	                                         GV_PUT(IH_DOORBELL_RPTR, ENABLE, 1)},
	        {IH_RB_CNTL__BYTE, ring_cntl(true)},
	};

	return gv_reg_wr_list(g, list, GV_ARRAY_LEN(list), err);
}

int gv_irq_up(struct gv_guest *g, struct gv_err *err)
{
	uint32_t *wb;
	int rc = 0;

	if (!g->ih_mem.dma.cpu)
		rc = gv_dma_alloc(g->bus, IH_RING_BYTES + GV_GPU_PAGE, &g->ih_mem.dma);
	if (rc)
		return gv_fail(err, rc, "no DMA memory for the interrupt ring");
	wb = (uint32_t *)(void *)((uint8_t *)g->ih_mem.dma.cpu + IH_RING_BYTES);
	__atomic_store_n(wb, 0, __ATOMIC_RELEASE);
	g->ih = (struct gv_ih_ring){.ring = g->ih_mem.dma.cpu, .bytes = (uint32_t)IH_RING_BYTES};
	g->ih_told = 0;
	atomic_store(&g->ih_fired, false);
	rc = gv_bus_irq_enable(g->bus, 0, &g->ih_fd);
	if (rc)
		return gv_fail(err, rc, "MSI-X vector 0 cannot be enabled");
	rc = ring_registers(g, err);
	g->ih_up = !rc;
	return rc;
}

void gv_irq_down(struct gv_guest *g)
{
	if (g->ih_up)
		(void)gv_reg_wr(g, IH_RB_CNTL__BYTE, ring_cntl(false), NULL);
	g->ih_up = false;
	gv_dma_free(g->bus, &g->ih_mem.dma);
}

int gv_irq_mailbox_up(struct gv_guest *g, struct gv_err *err)
{
	return gv_reg_wr(g, BIF_BX_PF0_MAILBOX_INT_CNTL__BYTE,
	                 GV_PUT(BIF_BX_PF0_MAILBOX_INT_CNTL, VALID_INT_EN, 1) |
	                         GV_PUT(BIF_BX_PF0_MAILBOX_INT_CNTL, ACK_INT_EN, 1),
	                 err);
}

int gv_guest_service(struct gv_guest *g, uint64_t deadline_ns)
{
	unsigned spins = SPINS;

	do {
		if (atomic_load(&g->flr_pending))
			return -ECONNRESET;
		gv_irq_pause(g, &spins, deadline_ns);
		gv_mbox_look(g);
	} while (gv_now_ns() < deadline_ns);
	return atomic_load(&g->flr_pending) ? -ECONNRESET : 0;
}

void gv_guest_get_fault(struct gv_guest *g, struct gv_guest_fault *fault)
{
	gv_irq_drain(g);
	(void)pthread_mutex_lock(&g->ih_lock);
	*fault = g->fault;
	(void)pthread_mutex_unlock(&g->ih_lock);
}
