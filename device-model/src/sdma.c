/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The SDMA worker: takes turns over the queues, fetches packets, moves read pointers. */
#include <string.h>

#include "sdma.h"

#define TURN_NS       (1 * GV_MS)
#define SLICE_PACKETS 64u
#define MAX_RB_SIZE   26u /* log2 dwords: 256 MiB */
#define POLL_MIN_NS   (20 * GV_US)
#define POLL_MAX_NS   (10 * GV_MS)

/* ---- pointers ------------------------------------------------------------- */

static uint64_t pair(struct gv_fn *f, enum gv_reg lo, enum gv_reg hi)
{
	return (uint64_t)gv_reg_get(f, hi, 0) << 32 | gv_reg_get(f, lo, 0);
}

/* Registers under one lock. */
static void sample(struct gv_sdma_queue *q, struct gv_sdma_ring *ring)
{
	struct gv_fn *f = q->sdma->fn;
	const struct gv_sdma_queue_regs *r = q->r;
	uint32_t cntl, poll;

	(void)pthread_mutex_lock(&f->dev->lock);
	cntl = gv_reg_get(f, r->rb_cntl, 0);
	poll = gv_reg_get(f, r->poll_cntl, 0);
	ring->runs =
	        GV_GET(cntl, SDMA0_GFX_RB_CNTL, RB_ENABLE) &&
	        !GV_GET(gv_reg_get(f, gv_sdma_engine_regs[q->engine].f32_cntl, 0), SDMA0_F32_CNTL,
	                HALT) &&
	        !GV_GET(gv_reg_get(f, r->minor_ptr_update, 0), SDMA0_GFX_MINOR_PTR_UPDATE, ENABLE);
	ring->base = pair(f, r->rb_base, r->rb_base_hi) << 8;
	ring->bytes = 4ull << GV_MIN(GV_GET(cntl, SDMA0_GFX_RB_CNTL, RB_SIZE), MAX_RB_SIZE);
	ring->vmid = GV_GET(cntl, SDMA0_GFX_RB_CNTL, RB_VMID);
	ring->rptr = pair(f, r->rb_rptr, r->rb_rptr_hi) & ~3ull;
	ring->wptr = pair(f, r->rb_wptr, r->rb_wptr_hi) & ~3ull;
	ring->writeback = GV_GET(cntl, SDMA0_GFX_RB_CNTL, RPTR_WRITEBACK_ENABLE)
	                          ? pair(f, r->rptr_addr_lo, r->rptr_addr_hi) & ~3ull
	                          : 0;
	ring->poll = GV_GET(poll, SDMA0_GFX_RB_WPTR_POLL_CNTL, F32_POLL_ENABLE) ||
	                             GV_GET(poll, SDMA0_GFX_RB_WPTR_POLL_CNTL, ENABLE)
	                     ? pair(f, r->poll_addr_lo, r->poll_addr_hi) & ~3ull
	                     : 0;
	(void)pthread_mutex_unlock(&f->dev->lock);
}

/* Show how far we are, unless the queue was stopped meanwhile and RPTR is the driver's again. */
static void publish(struct gv_sdma_queue *q, const struct gv_sdma_ring *ring)
{
	struct gv_fn *f = q->sdma->fn;
	bool ours;

	if (ring->rptr == q->rptr)
		return;
	(void)pthread_mutex_lock(&f->dev->lock);
	ours = !atomic_load(&q->restart);
	if (ours) {
		gv_reg_put(f, q->r->rb_rptr, 0, (uint32_t)q->rptr);
		gv_reg_put(f, q->r->rb_rptr_hi, 0, (uint32_t)(q->rptr >> 32));
	}
	(void)pthread_mutex_unlock(&f->dev->lock);
	if (ours && ring->writeback)
		(void)gv_mem_write64(&q->ring_mem, ring->writeback, q->rptr);
}

void gv_sdma_queue_forget(struct gv_sdma_queue *q)
{
	memset(&q->op, 0, sizeof(q->op));
	q->in_ib = false;
	q->ib_dw = q->ib_pos = q->skip_dw = 0;
	q->poll_ns = q->poll_next_ns = 0;
}

/* RB_ENABLE changed: start from what the registers say. */
static void restart(struct gv_sdma_queue *q, struct gv_sdma_ring *ring)
{
	sample(q, ring); /* again: the flag may be younger than the sample */
	gv_sdma_queue_forget(q);
	q->rptr = ring->rptr;
	q->halted = false;
	atomic_store(&q->stuck, false);
}

/* A write pointer more than a ring ahead (or behind) means its place in the ring only. */
static void tame_wptr(struct gv_sdma_queue *q, const struct gv_sdma_ring *ring)
{
	if (ring->wptr - q->rptr <= ring->bytes)
		return;
	gv_guest_error(q->sdma->fn, "SDMA%u queue %u: write pointer 0x%llx, read pointer 0x%llx",
	               q->engine, q->id, (unsigned long long)ring->wptr,
	               (unsigned long long)q->rptr);
	q->rptr = ring->wptr - ((ring->wptr - q->rptr) & (ring->bytes - 1));
}

/* ---- fetching packets ----------------------------------------------------- */

/* Read @dw dwords of the ring at pointer @at, around its end. */
static int read_ring(struct gv_sdma_queue *q, const struct gv_sdma_ring *ring, uint64_t at,
                     uint32_t *dw, unsigned count)
{
	uint64_t off = at & (ring->bytes - 1), n = count * 4ull;
	uint64_t first = GV_MIN(n, ring->bytes - off);
	int rc = gv_mem_read(&q->ring_mem, ring->base + off, dw, (size_t)first);

	if (!rc && first < n)
		rc = gv_mem_read(&q->ring_mem, ring->base, (uint8_t *)dw + first,
		                 (size_t)(n - first));
	return rc;
}

int gv_sdma_copy_stream(struct gv_sdma_queue *q, uint64_t at, uint64_t to_va, uint64_t n)
{
	struct gv_sdma_ring ring;
	uint64_t off, first;
	int rc;

	if (q->in_ib)
		return gv_mem_copy(&q->ib_mem, to_va, &q->ib_mem, q->ib_va + 4ull * q->ib_pos + at,
		                   n);
	sample(q, &ring);
	off = (q->rptr + at) & (ring.bytes - 1);
	first = GV_MIN(n, ring.bytes - off);
	rc = gv_mem_copy(&q->ring_mem, to_va, &q->ring_mem, ring.base + off, first);
	if (!rc && first < n)
		rc = gv_mem_copy(&q->ring_mem, to_va + first, &q->ring_mem, ring.base, n - first);
	return rc;
}

static void advance(struct gv_sdma_queue *q, uint64_t dw)
{
	if (q->in_ib)
		q->ib_pos += (uint32_t)dw;
	else
		q->rptr += 4 * dw;
}

/* Dwords that the stream has from here. */
static uint64_t available(const struct gv_sdma_queue *q, const struct gv_sdma_ring *ring)
{
	return q->in_ib ? q->ib_dw - q->ib_pos : (ring->wptr - q->rptr) / 4;
}

static void leave_ib(struct gv_sdma_queue *q)
{
	q->in_ib = false;
	q->skip_dw = 0; /* a condition reaches no further than its IB */
	advance(q, SDMA_INDIRECT__DW);
}

static void pass_over(struct gv_sdma_queue *q, const struct gv_sdma_ring *ring)
{
	uint64_t n = GV_MIN((uint64_t)q->skip_dw, available(q, ring));

	advance(q, n);
	q->skip_dw -= (uint32_t)n;
}

/* What a packet that does not end within its stream means. */
static enum gv_sdma_step truncated(struct gv_sdma_queue *q, const struct gv_sdma_ring *ring,
                                   uint64_t total)
{
	if (!q->in_ib && total * 4 <= ring->bytes)
		return SDMA_IDLE; /* the rest is still being written */
	gv_guest_error(q->sdma->fn, "SDMA%u queue %u: packet 0x%x of %llu dwords does not fit",
	               q->engine, q->id, q->op.dw[0], (unsigned long long)total);
	return SDMA_HALT;
}

static enum gv_sdma_step load_packet(struct gv_sdma_queue *q, const struct gv_sdma_ring *ring,
                                     uint64_t have)
{
	struct gv_sdma_op *op = &q->op;
	uint64_t total = 0;
	int rc;

	memset(op, 0, sizeof(*op));
	op->have = (unsigned)GV_MIN(have, (uint64_t)SDMA_MAX_PACKET_DW);
	rc = q->in_ib ? gv_mem_read(&q->ib_mem, q->ib_va + 4ull * q->ib_pos, op->dw, op->have * 4u)
	              : read_ring(q, ring, q->rptr, op->dw, op->have);
	if (rc)
		return SDMA_HALT; /* the fault is recorded */
	rc = gv_sdma_packet_dw(op->dw, op->have, &total);
	if (rc) {
		gv_guest_error(q->sdma->fn, "SDMA%u queue %u: no such packet: 0x%x", q->engine,
		               q->id, op->dw[0]);
		return SDMA_HALT;
	}
	if (total == 0 || total > have)
		return truncated(q, ring, GV_MAX(total, have + 1));
	op->total = (unsigned)total;
	op->active = true;
	return SDMA_DONE;
}

static enum gv_sdma_step next_packet(struct gv_sdma_queue *q, const struct gv_sdma_ring *ring)
{
	uint64_t have;

	if (q->skip_dw)
		pass_over(q, ring);
	if (q->in_ib && q->ib_pos >= q->ib_dw)
		leave_ib(q);
	if (q->skip_dw)
		pass_over(q, ring);
	have = available(q, ring);
	return have ? load_packet(q, ring, have) : SDMA_IDLE;
}

/* ---- working -------------------------------------------------------------- */

static void halt(struct gv_sdma_queue *q)
{
	q->halted = true;
	atomic_store(&q->stuck, true);
}

/* Book a step's result. */
static void settle(struct gv_sdma_queue *q, enum gv_sdma_step step)
{
	if (step == SDMA_HALT)
		halt(q);
	if (step != SDMA_DONE && step != SDMA_IRQ)
		return;
	atomic_fetch_add_explicit(&q->sdma->fn->count.packets, 1, memory_order_relaxed);
	q->op.active = false;
	if ((q->op.dw[0] & gv_mask(SDMA_INDIRECT__op__LO, SDMA_INDIRECT__op__BITS)) ==
	            SDMA_INDIRECT__OP &&
	    q->in_ib && q->ib_pos == 0)
		return; /* just entered: the ring stays at the INDIRECT until the IB's end */
	advance(q, q->op.total);
}

/* Packets of one queue under one hold of the locks. */
static enum gv_sdma_step slice(struct gv_sdma_queue *q, const struct gv_sdma_ring *ring,
                               struct gv_sdma_reg *reg)
{
	for (unsigned n = 0; n < SLICE_PACKETS && !gv_fn_stopping(q->sdma->fn); n++) {
		enum gv_sdma_step step = SDMA_DONE;

		if (!q->op.active)
			step = next_packet(q, ring);
		if (step == SDMA_DONE)
			step = gv_sdma_step(q, reg);
		settle(q, step);
		if (step != SDMA_DONE)
			return step;
	}
	return SDMA_MORE;
}

static void set_vmid(struct gv_mem *m, struct gv_sdma_queue *q, unsigned vmid)
{
	if (m->vmid != vmid)
		gv_mem_init(m, q->sdma->fn, GV_HUB_MM, (uint8_t)vmid, m->client);
}

/* The write pointer in memory, for guests that do not ring. Only forward: it may be older than
 * the last doorbell. */
static bool poll_wptr(struct gv_sdma_queue *q, const struct gv_sdma_ring *ring)
{
	struct gv_fn *f = q->sdma->fn;
	uint64_t val = 0;
	int rc;

	q->ring_mem.quiet = true;
	rc = gv_mem_read64(&q->ring_mem, ring->poll, &val);
	q->ring_mem.quiet = false;
	val &= ~3ull;
	if (rc || val == ring->wptr || val - ring->wptr > ring->bytes)
		return false;
	(void)pthread_mutex_lock(&f->dev->lock);
	gv_reg_put(f, q->r->rb_wptr, 0, (uint32_t)val);
	gv_reg_put(f, q->r->rb_wptr_hi, 0, (uint32_t)(val >> 32));
	(void)pthread_mutex_unlock(&f->dev->lock);
	return true;
}

/* Nothing to do: look at the polled pointer, ever more seldom. Returns the pause. */
static uint64_t idle(struct gv_sdma_queue *q, const struct gv_sdma_ring *ring)
{
	uint64_t now;

	if (!ring->poll)
		return UINT64_MAX;
	now = gv_now_ns();
	if (now < q->poll_next_ns)
		return q->poll_next_ns - now;
	if (poll_wptr(q, ring)) {
		q->poll_ns = q->poll_next_ns = 0;
		return 0;
	}
	q->poll_ns = q->poll_ns ? GV_MIN(q->poll_ns * 2, POLL_MAX_NS) : POLL_MIN_NS;
	q->poll_next_ns = now + q->poll_ns;
	return q->poll_ns;
}

static uint64_t pause_left(const struct gv_sdma_queue *q)
{
	uint64_t now;

	if (!q->op.active || !q->op.next_ns)
		return 0;
	now = gv_now_ns();
	return now < q->op.next_ns ? q->op.next_ns - now : 0;
}

/* One slice with sdma->lock and mem_lock held. Returns the pause until there is more to do. */
static uint64_t work(struct gv_sdma_queue *q, enum gv_sdma_step *step, struct gv_sdma_reg *reg)
{
	struct gv_sdma_ring ring;
	uint64_t left;

	*step = SDMA_IDLE;
	sample(q, &ring);
	if (atomic_exchange(&q->restart, false))
		restart(q, &ring);
	if (!ring.runs || q->halted) {
		atomic_store(&q->busy, ring.runs && q->halted);
		return UINT64_MAX;
	}
	left = pause_left(q);
	if (left)
		return left;
	set_vmid(&q->ring_mem, q, ring.vmid);
	tame_wptr(q, &ring);
	atomic_store(&q->busy, q->rptr != ring.wptr || q->in_ib);
	*step = slice(q, &ring, reg);
	publish(q, &ring);
	atomic_store(&q->busy, *step != SDMA_IDLE || q->rptr != ring.wptr);
	if (*step == SDMA_IDLE)
		return idle(q, &ring);
	if (q->poll_ns)
		q->poll_ns = q->poll_next_ns = 0;
	if (*step == SDMA_HALT)
		return UINT64_MAX;
	return pause_left(q);
}

/* The register a packet wants, with no lock held: hooks may use memory. */
static uint32_t access_reg(struct gv_fn *f, enum gv_sdma_step step, const struct gv_sdma_reg *reg)
{
	uint32_t val = reg->val;

	if (step == SDMA_REG_READ)
		return gv_mmio_read32(f, reg->byte, GV_ORIGIN_ENGINE);
	if (reg->enable != UINT32_MAX)
		val = (val & reg->enable) |
		      (gv_mmio_read32(f, reg->byte, GV_ORIGIN_ENGINE) & ~reg->enable);
	gv_mmio_write32(f, reg->byte, val, GV_ORIGIN_ENGINE);
	return 0;
}

/* Go on with the packet after its register access, if it is still the same. */
static uint64_t resume(struct gv_sdma_queue *q, uint32_t val)
{
	uint64_t left = 0;

	gv_fn_mem_enter(q->sdma->fn);
	(void)pthread_mutex_lock(&q->sdma->lock);
	if (q->op.active && !atomic_load(&q->restart)) {
		enum gv_sdma_step step = gv_sdma_step_reg(q, val);

		settle(q, step);
		left = pause_left(q);
	}
	(void)pthread_mutex_unlock(&q->sdma->lock);
	gv_fn_mem_leave(q->sdma->fn);
	return left;
}

static uint64_t serve(struct gv_sdma_queue *q)
{
	struct gv_fn *f = q->sdma->fn;
	struct gv_sdma_reg reg = {0};
	enum gv_sdma_step step;
	uint64_t left;

	/* Most queues are off most of the time. */
	if (!GV_GET(gv_reg_get(f, q->r->rb_cntl, 0), SDMA0_GFX_RB_CNTL, RB_ENABLE) &&
	    !atomic_load(&q->restart))
		return UINT64_MAX;
	gv_fn_mem_enter(f);
	(void)pthread_mutex_lock(&q->sdma->lock);
	left = work(q, &step, &reg);
	(void)pthread_mutex_unlock(&q->sdma->lock);
	if (step == SDMA_IRQ)
		gv_ih_drain(f);
	gv_fn_mem_leave(f);
	if (step == SDMA_REG_READ || step == SDMA_REG_WRITE)
		left = resume(q, access_reg(f, step, &reg));
	return left;
}

/* Every queue once, starting at another one each time. Returns the shortest pause. */
static uint64_t serve_all(struct gv_sdma *s)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < GV_ARRAY_LEN(s->queue); i++) {
		uint64_t left;

		if (gv_fn_stopping(s->fn))
			return UINT64_MAX;
		left = serve(&s->queue[(s->turn + i) % GV_ARRAY_LEN(s->queue)]);
		least = GV_MIN(least, left);
	}
	s->turn++;
	return least;
}

static uint64_t run(void *arg)
{
	struct gv_sdma *s = arg;
	uint64_t end = gv_now_ns() + TURN_NS, least;

	do
		least = serve_all(s);
	while (least == 0 && !gv_fn_stopping(s->fn) && gv_now_ns() < end);
	if (least)
		gv_world_look(s->fn->dev);
	return gv_fn_stopping(s->fn) ? 0 : least; /* it may not have seen all */
}

/* ---- life ----------------------------------------------------------------- */

int gv_sdma_init(struct gv_fn *f)
{
	struct gv_sdma *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return -ENOMEM;
	s->fn = f;
	(void)pthread_mutex_init(&s->lock, NULL);
	for (unsigned i = 0; i < GV_ARRAY_LEN(s->queue); i++) {
		struct gv_sdma_queue *q = &s->queue[i];

		q->sdma = s;
		q->engine = i / SDMA_QUEUES;
		q->id = i % SDMA_QUEUES;
		q->r = &gv_sdma_queue_regs[q->engine][q->id];
		q->watched = -1;
		gv_mem_init(&q->ring_mem, f, GV_HUB_MM, 0,
		            (uint8_t)gv_sdma_engine_regs[q->engine].client);
		gv_mem_init(&q->ib_mem, f, GV_HUB_MM, 0,
		            (uint8_t)gv_sdma_engine_regs[q->engine].client);
	}
	f->sdma = s;
	rc = gv_worker_start(&s->worker, "gv-sdma", run, s);
	if (rc)
		gv_sdma_done(f);
	return rc;
}

void gv_sdma_done(struct gv_fn *f)
{
	if (!f->sdma)
		return;
	gv_worker_stop(&f->sdma->worker);
	(void)pthread_mutex_destroy(&f->sdma->lock);
	free(f->sdma);
	f->sdma = NULL;
}

bool gv_sdma_has_work(struct gv_fn *f)
{
	for (unsigned i = 0; i < GV_ARRAY_LEN(f->sdma->queue); i++) {
		struct gv_sdma_queue *q = &f->sdma->queue[i];
		uint32_t cntl = gv_reg_get(f, q->r->rb_cntl, 0);

		if (GV_GET(cntl, SDMA0_GFX_RB_CNTL, RB_ENABLE) && !atomic_load(&q->stuck) &&
		    (atomic_load(&q->busy) || pair(f, q->r->rb_rptr, q->r->rb_rptr_hi) !=
		                                      pair(f, q->r->rb_wptr, q->r->rb_wptr_hi)))
			return true;
	}
	return false;
}

bool gv_sdma_pause_until(struct gv_fn *f, uint64_t end_ns)
{
	return gv_worker_pause_until(&f->sdma->worker, end_ns);
}

void gv_sdma_pause(struct gv_fn *f)
{
	(void)gv_sdma_pause_until(f, UINT64_MAX);
}

void gv_sdma_resume(struct gv_fn *f)
{
	if (gv_sdma_has_work(f)) /* that it never saw: it was loaded */
		gv_worker_kick(&f->sdma->worker);
	gv_worker_resume(&f->sdma->worker);
}
