/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Queues of one function and the worker that runs them, slice by slice. */
#include <string.h>

#include "cp.h"

struct gv_mem *gv_cp_mem(struct gv_cp *cp, unsigned vmid)
{
	vmid %= GV_NUM_VMID;
	if (!cp->mem_ready[vmid]) {
		gv_mem_init(&cp->mem[vmid], cp->fn, GV_HUB_GC, (uint8_t)vmid, GV_CID_CPC);
		cp->mem_ready[vmid] = true;
	}
	return &cp->mem[vmid];
}

/* me << 2 | pipe | queue << 4, as interrupts name a queue. The graphics ring's is 0. */
static unsigned ring_id(const struct gv_queue *q)
{
	unsigned mec = q->slot / (GV_NUM_PIPE * GV_NUM_QUEUE);

	if (gv_queue_is_gfx(q))
		return 0;
	return GV_PUT(IH_CP_RING, ME, mec + 1) |
	       GV_PUT(IH_CP_RING, PIPE, q->slot / GV_NUM_QUEUE % GV_NUM_PIPE) |
	       GV_PUT(IH_CP_RING, QUEUE, q->slot % GV_NUM_QUEUE);
}

static void post(struct gv_queue *q, enum gv_ih_src src, unsigned vmid, uint32_t data0,
                 uint32_t data1)
{
	struct gv_ih_iv iv = gv_ih_iv(GV_IH_CLIENT_GRBM_CP, src, ring_id(q), vmid, GV_HUB_GC);

	iv.dw[4] = data0;
	iv.dw[5] = data1;
	gv_ih_add(q->fn, &iv);
	q->cp->irq = true;
}

void gv_queue_irq(struct gv_queue *q, enum gv_ih_src src, unsigned vmid, uint32_t data0)
{
	post(q, src, vmid, data0, 0);
}

static void post_failure(struct gv_queue *q, enum gv_ih_src src, uint32_t bits)
{
	bool memory = GV_GET(bits, CP_HQD_ERROR, TC_UTCL1_ERROR);
	uint8_t vmid = q->stream[q->depth].vmid;

	if (src == GV_IH_SRC_CP_SQ)
		post(q, src, vmid, GV_PUT(IH_IV4_SQ, ENCODING, IH_SQ_ENCODING_ERROR),
		     GV_PUT(IH_IV5_SQ, ERR_TYPE,
		            memory ? IH_SQ_ERROR_MEMVIOL : IH_SQ_ERROR_ILLEGAL_INST));
	else if (src)
		post(q, src, vmid, 0, 0);
}

int gv_queue_fail(struct gv_queue *q, uint32_t bits, enum gv_ih_src src, const char *why)
{
	uint32_t was = gv_hqd_get(q->fn, q->slot, GV_REG_CP_HQD_ERROR);

	if (q->halted)
		return -EIO;
	gv_guest_error(q->fn, "queue %u halts: %s", q->slot, why);
	gv_hqd_put(q->fn, q->slot, GV_REG_CP_HQD_ERROR, was | bits);
	q->halted = true;
	post_failure(q, src, bits);
	return -EIO;
}

int gv_queue_poll(struct gv_queue *q)
{
	q->backoff = q->backoff ? GV_MIN(q->backoff * 2, GV_POLL_MAX) : GV_POLL_MIN;
	q->retry_at = gv_now_ns() + q->backoff;
	return -EAGAIN;
}

int gv_queue_sleep(struct gv_queue *q)
{
	q->retry_at = UINT64_MAX;
	return -EAGAIN;
}

/* RLC_CP_SCHEDULERS names up to four slots: me << 5 | pipe << 3 | queue, bit 7 makes it count. */
bool gv_queue_is_scheduler(const struct gv_queue *q)
{
	uint32_t ids = GV_RGET(q->fn, RLC_CP_SCHEDULERS);
	uint32_t mine = 0x80 | (q->slot / 32 + 1) << 5 | (q->slot % 32);

	if (q->scheduler || gv_queue_is_gfx(q))
		return q->scheduler;
	for (unsigned i = 0; i < 4; i++)
		if ((ids >> 8 * i & 0xff) == mine)
			return true;
	return false;
}

static bool me_halted(const struct gv_queue *q)
{
	uint32_t cntl = GV_RGET(q->fn, CP_MEC_CNTL);

	if (gv_queue_is_gfx(q))
		return gv_gfx_is_halted(q->fn);
	return q->slot < 32 ? GV_GET(cntl, CP_MEC_CNTL, MEC_ME1_HALT)
	                    : GV_GET(cntl, CP_MEC_CNTL, MEC_ME2_HALT);
}

bool gv_queue_has_work(const struct gv_queue *q)
{
	return q->active && !q->halted &&
	       (q->grid || q->depth || q->blocked_dw || q->stream[0].pos != q->stream[0].end);
}

/* One turn of one queue. Returns when it wants the next: a time, 0 = now, UINT64_MAX = never. */
static uint64_t run_queue(struct gv_queue *q, uint64_t now)
{
	enum gv_run verdict = GV_RUN_IDLE;

	if (atomic_load_explicit(&q->asked, memory_order_relaxed)) {
		atomic_store(&q->cp->busy, true); /* seen before what was asked is taken */
		gv_hqd_work(q, atomic_exchange(&q->asked, 0));
	}
	if (!q->active)
		return UINT64_MAX;
	if (!q->halted && !me_halted(q))
		verdict = gv_pm4_run(q);
	gv_hqd_report_rptr(q);
	if (q->draining)
		gv_hqd_check_drain(q, now);
	if (!q->active || q->halted)
		return q->draining ? q->drain_deadline : UINT64_MAX;
	if (verdict == GV_RUN_MORE)
		return 0;
	if (verdict == GV_RUN_WAIT)
		return q->draining ? GV_MIN(q->retry_at, q->drain_deadline) : q->retry_at;
	if (q->draining)
		return q->drain_deadline;
	if (GV_GET(GV_RGET(q->fn, CP_PQ_WPTR_POLL_CNTL), CP_PQ_WPTR_POLL_CNTL, EN)) {
		gv_hqd_poll_wptr(q);
		return q->stream[0].pos != q->stream[0].end ? 0 : now + GV_POLL_MAX;
	}
	return UINT64_MAX;
}

static void deliver(struct gv_cp *cp)
{
	if (!cp->irq)
		return;
	cp->irq = false;
	gv_ih_drain(cp->fn);
}

static uint64_t run_queues(struct gv_cp *cp, uint64_t now)
{
	uint64_t next = UINT64_MAX;
	bool busy = false;
	unsigned i;

	for (i = 0; i < GV_CP_QUEUES && !gv_fn_stopping(cp->fn); i++) {
		struct gv_queue *q = &cp->queue[(cp->first + i) % GV_CP_QUEUES];

		if (q->active || atomic_load(&q->asked)) {
			next = GV_MIN(next, run_queue(q, now));
			busy |= gv_queue_has_work(q);
		}
		deliver(cp);
		if (q->sh_news)
			gv_pm4_show_sh(q);
	}
	cp->first = (cp->first + 1) % GV_CP_QUEUES;
	next = GV_MIN(next, gv_hws_run(cp, now));
	busy |= gv_hws_has_work(cp);
	deliver(cp);
	if (busy || i == GV_CP_QUEUES)
		atomic_store(&cp->busy, busy);
	return next;
}

/* The worker: rounds over all queues for about a millisecond. */
static uint64_t cp_run(void *arg)
{
	struct gv_cp *cp = arg;
	uint64_t start = gv_now_ns(), now = start, next;

	gv_fn_mem_enter(cp->fn);
	do {
		if (atomic_load_explicit(&cp->rlc_rung, memory_order_relaxed) &&
		    atomic_exchange(&cp->rlc_rung, false))
			gv_rlc_work(cp->fn);
		next = run_queues(cp, now);
		now = gv_now_ns();
	} while (next <= now && now - start < GV_MS && !gv_fn_stopping(cp->fn));
	gv_fn_mem_leave(cp->fn);
	gv_world_look(cp->fn->dev);
	if (gv_fn_stopping(cp->fn)) /* it may not have seen all: again, once it may */
		return 0;
	if (next == UINT64_MAX)
		return UINT64_MAX;
	return next > now ? next - now : 0;
}

/* ---- doorbells ----------------------------------------------------------- */

/* CP_MEC_DOORBELL_RANGE and CP_RB_DOORBELL_RANGE are no filter: they say what wakes a GC that
 * sleeps (check_if_enlarge_doorbell_range() in gfx_v9_0.c). KFD's doorbells lie beyond them. */
bool gv_cp_takes_doorbell(const struct gv_queue *q)
{
	return gv_queue_is_gfx(q) ||
	       GV_GET(GV_RGET(q->fn, CP_PQ_STATUS), CP_PQ_STATUS, DOORBELL_ENABLE);
}

static struct gv_queue *by_doorbell(struct gv_cp *cp, uint32_t index)
{
	if (cp->queue[GV_GFX_SLOT].doorbell == index)
		return &cp->queue[GV_GFX_SLOT];
	for (uint64_t left = cp->mapped; left; left &= left - 1) {
		struct gv_queue *q = &cp->queue[__builtin_ctzll(left)];

		if (q->doorbell == index)
			return q;
	}
	return NULL;
}

void gv_cp_doorbell(struct gv_fn *f, uint32_t index, uint64_t val)
{
	struct gv_queue *q = f->cp ? by_doorbell(f->cp, index) : NULL;

	if (!q || !gv_cp_takes_doorbell(q))
		return;
	atomic_store(&q->wptr_in, val);
	atomic_fetch_or(&q->asked, GV_ASK_WPTR);
	gv_worker_kick(&f->cp->worker);
	gv_world_look(f->dev);
}

bool gv_cp_has_work(struct gv_fn *f)
{
	struct gv_cp *cp = f->cp;

	if (atomic_load(&cp->busy))
		return true;
	for (unsigned i = 0; i < GV_CP_QUEUES; i++)
		if (atomic_load(&cp->queue[i].asked))
			return true;
	return false;
}

/* ---- life ---------------------------------------------------------------- */

int gv_cp_init(struct gv_fn *f)
{
	struct gv_cp *cp = calloc(1, sizeof(*cp));
	int rc;

	if (!cp)
		return -ENOMEM;
	cp->fn = f;
	cp->code_room = GV_CODE_ROOM;
	for (unsigned i = 0; i < GV_CP_QUEUES; i++) {
		cp->queue[i].fn = f;
		cp->queue[i].cp = cp;
		cp->queue[i].slot = i;
		cp->queue[i].doorbell = GV_NO_DOORBELL;
		gv_dispatch_defaults(&cp->queue[i]);
	}
	f->cp = cp;
	rc = gv_worker_start(&cp->worker, "gv-cp", cp_run, cp);
	if (rc) {
		f->cp = NULL;
		free(cp);
	}
	return rc;
}

void gv_cp_done(struct gv_fn *f)
{
	if (!f->cp)
		return;
	gv_worker_stop(&f->cp->worker);
	for (unsigned i = 0; i < GV_CP_QUEUES; i++)
		gv_dispatch_free(&f->cp->queue[i]);
	free(f->cp);
	f->cp = NULL;
}

bool gv_cp_pause_until(struct gv_fn *f, uint64_t end_ns)
{
	bool done;

	if (!f->cp)
		return true;
	done = gv_worker_pause_until(&f->cp->worker, end_ns);
	return gv_cu_pool_pause_until(f->dev->cu_pool, f, end_ns) && done;
}

void gv_cp_pause(struct gv_fn *f)
{
	(void)gv_cp_pause_until(f, UINT64_MAX);
}

void gv_cp_resume(struct gv_fn *f)
{
	if (!f->cp)
		return;
	gv_cu_pool_resume(f->dev->cu_pool, f);
	if (f->cp->unseen && gv_cp_has_work(f))
		gv_worker_kick(&f->cp->worker);
	f->cp->unseen = false;
	gv_worker_resume(&f->cp->worker);
}

/* Paused, under mem_lock and dev->lock. */
void gv_cp_reset(struct gv_fn *f)
{
	struct gv_cp *cp = f->cp;

	if (!cp)
		return;
	for (unsigned i = 0; i < GV_CP_QUEUES; i++)
		gv_hqd_forget(&cp->queue[i]);
	gv_gfx_reset(f);
	memset(cp->given, 0, sizeof(cp->given));
	memset(&cp->hws, 0, sizeof(cp->hws));
	cp->irq = false;
	atomic_store(&cp->rlc_rung, false);
	atomic_store(&cp->busy, false);
	for (unsigned i = 0; i < GV_NUM_VMID; i++)
		cp->mem_ready[i] = false;
	/* no scheduler queue is set up: the PF sees from this whether the guest got that far */
	if (gv_fn_is_vf(f))
		GV_RPUT(f, RLC_CP_SCHEDULERS, 0);
}
