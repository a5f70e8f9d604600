/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hardware queue descriptors: registers become a running queue and back.
 *
 *              ACTIVE=1 / MAP_QUEUES (goes on from a saved context)
 *   inactive ------------------------> active --- failure ---> halted (still ACTIVE)
 *      ^                                  | DEQUEUE_REQUEST 1, 3 / UNMAP preempt
 *      |   at rest, context saved,        v
 *      |   or GV_DRAIN_NS over            |
 *      +------------------------------ draining
 *      +---- ACTIVE=0, DEQUEUE_REQUEST 2, UNMAP reset: from any state, at once
 */
#include "cp.h"

static uint32_t get(const struct gv_queue *q, enum gv_reg reg)
{
	return gv_hqd_get(q->fn, q->slot, reg);
}

static void put(struct gv_queue *q, enum gv_reg reg, uint32_t val)
{
	gv_hqd_put(q->fn, q->slot, reg, val);
}

static uint64_t get64(const struct gv_queue *q, enum gv_reg lo, enum gv_reg hi)
{
	return (uint64_t)get(q, hi) << 32 | get(q, lo);
}

static uint64_t reg_wptr(const struct gv_queue *q)
{
	return get64(q, GV_REG_CP_HQD_PQ_WPTR_LO, GV_REG_CP_HQD_PQ_WPTR_HI);
}

static void ask(struct gv_queue *q, uint32_t what)
{
	atomic_fetch_or(&q->asked, what);
	gv_worker_kick(&q->cp->worker);
}

/* ---- doorbell: which one, and one rung before its queue was there -------- */

/* A doorbell rung while nobody owned it. */
static void take_early_doorbell(struct gv_queue *q)
{
	uint64_t val;

	if (q->doorbell == GV_NO_DOORBELL || !gv_cp_takes_doorbell(q))
		return;
	val = gv_doorbell_value(q->fn, q->doorbell);
	if (!val)
		return;
	atomic_store(&q->wptr_in, val);
	ask(q, GV_ASK_WPTR);
}

/* In gv_cp.mapped. */
static uint64_t bit(const struct gv_queue *q)
{
	return gv_queue_is_gfx(q) ? 0 : 1ull << q->slot;
}

void gv_hqd_watch(struct gv_queue *q)
{
	uint32_t control = get(q, GV_REG_CP_HQD_PQ_DOORBELL_CONTROL);
	uint32_t index = GV_NO_DOORBELL;

	if (GV_GET(get(q, GV_REG_CP_HQD_ACTIVE), CP_HQD_ACTIVE, ACTIVE) &&
	    GV_GET(control, CP_HQD_PQ_DOORBELL_CONTROL, DOORBELL_EN))
		index = GV_GET(control, CP_HQD_PQ_DOORBELL_CONTROL, DOORBELL_OFFSET);
	if (index == q->doorbell)
		return;
	if (q->doorbell != GV_NO_DOORBELL) {
		gv_doorbell_watch(q->fn, q->doorbell, false);
		q->cp->mapped &= ~bit(q);
	}
	q->doorbell = index;
	if (index != GV_NO_DOORBELL) {
		q->cp->mapped |= bit(q);
		gv_doorbell_watch(q->fn, index, true);
		if (gv_aql_is_on(q)) /* the index of a first packet is 0 */
			gv_doorbell_expect_zero(q->fn, index);
		take_early_doorbell(q);
	}
}

/* ---- start and stop (worker) --------------------------------------------- */

static void set_wptr(struct gv_queue *q, uint64_t wptr)
{
	struct gv_stream *ring = &q->stream[0];

	if (wptr - ring->pos > ring->mask + 1) {
		/* backwards, or further than the ring is long: only its offset counts */
		uint64_t pos = wptr - ((wptr - ring->pos) & ring->mask);

		q->ib_start += pos - ring->pos;
		ring->pos = pos;
	}
	ring->end = wptr;
	put(q, GV_REG_CP_HQD_PQ_WPTR_LO, (uint32_t)wptr);
	put(q, GV_REG_CP_HQD_PQ_WPTR_HI, (uint32_t)(wptr >> 32));
}

void gv_hqd_poll_wptr(struct gv_queue *q)
{
	uint64_t va = get64(q, GV_REG_CP_HQD_PQ_WPTR_POLL_ADDR, GV_REG_CP_HQD_PQ_WPTR_POLL_ADDR_HI);
	uint32_t error = get(q, GV_REG_CP_HQD_ERROR);
	uint64_t wptr;

	if (!va || GV_GET(error, CP_HQD_ERROR, WPP_UTCL1_ERROR))
		return;
	if (gv_mem_read64(gv_cp_mem(q->cp, q->stream[0].vmid), va, &wptr))
		put(q, GV_REG_CP_HQD_ERROR, error | GV_PUT(CP_HQD_ERROR, WPP_UTCL1_ERROR, 1));
	else if (q->aql)
		gv_aql_set_write_index(q, wptr);
	else
		set_wptr(q, wptr);
}

static void clear(struct gv_queue *q)
{
	q->halted = q->draining = q->hold = q->in_progress = q->no_report = false;
	q->aql_busy = false;
	q->save_waves = q->no_save = false;
	q->depth = 0;
	q->blocked_dw = 0;
	q->step = q->backoff = q->retry_at = 0;
}

void gv_hqd_activate(struct gv_queue *q)
{
	struct gv_stream *ring = &q->stream[0];
	uint32_t size = GV_GET(get(q, GV_REG_CP_HQD_PQ_CONTROL), CP_HQD_PQ_CONTROL, QUEUE_SIZE);
	/* the graphics ring begins at its start, whatever it reported meanwhile */
	uint32_t rptr = gv_queue_is_gfx(q) ? 0 : get(q, GV_REG_CP_HQD_PQ_RPTR);
	uint64_t wptr = reg_wptr(q);

	gv_dispatch_kill(q);
	clear(q);
	put(q, GV_REG_CP_HQD_PQ_RPTR, rptr);
	put(q, GV_REG_CP_HQD_ERROR, 0);
	q->active = true;
	*ring = (struct gv_stream){
	        .va = get64(q, GV_REG_CP_HQD_PQ_BASE, GV_REG_CP_HQD_PQ_BASE_HI) << 8,
	        .mask = (2ull << GV_MIN(size, 29u)) - 1, /* 2^(n+1) dwords */
	        .vmid = (uint8_t)GV_GET(get(q, GV_REG_CP_HQD_VMID), CP_HQD_VMID, VMID),
	        .end = wptr,
	};
	ring->pos = wptr - ((wptr - rptr) & ring->mask);
	q->aql = gv_aql_is_on(q);
	q->reported = (uint32_t)(rptr & ring->mask);
	gv_worker_kick(&q->cp->worker); /* its turn of this round may be over */
	if (size > 29)
		(void)gv_queue_fail(q, GV_PUT(CP_HQD_ERROR, AQL_ERROR, 1), 0, "ring too large");
	else
		gv_context_restore(q);
	if (q->aql && !q->halted)
		gv_aql_attach(q);
}

int gv_hqd_store_mqd(struct gv_queue *q)
{
	static const struct {
		enum gv_reg reg;
		uint32_t dw;
	} also[] = {
	        {GV_REG_CP_HQD_PQ_RPTR, GV_MQD_DW(CP_HQD_PQ_RPTR)},
	        {GV_REG_CP_HQD_PERSISTENT_STATE, GV_MQD_DW(CP_HQD_PERSISTENT_STATE)},
	        {GV_REG_CP_HQD_WG_STATE_OFFSET, GV_MQD_DW(CP_HQD_WG_STATE_OFFSET)},
	};
	uint64_t va = get64(q, GV_REG_CP_MQD_BASE_ADDR, GV_REG_CP_MQD_BASE_ADDR_HI);
	uint32_t vmid = GV_GET(get(q, GV_REG_CP_MQD_CONTROL), CP_MQD_CONTROL, VMID);
	struct gv_mem *mem = gv_cp_mem(q->cp, vmid);
	uint64_t wptr = q->stream[0].end;
	int rc;

	if (!va)
		return 0;
	rc = gv_mem_write(mem, va + GV_MQD_COMPUTE_FIRST * 4, q->sh, GV_MQD_COMPUTE_COUNT * 4);
	if (!rc)
		rc = gv_mem_write(
		        mem, va + GV_MQD_USER_DATA_FIRST * 4,
		        q->sh + (COMPUTE_USER_DATA_0__DW - COMPUTE_DISPATCH_INITIATOR__DW),
		        GV_MQD_USER_DATA_COUNT * 4);
	for (size_t i = 0; i < GV_ARRAY_LEN(also) && !rc; i++)
		rc = gv_mem_write32(mem, va + also[i].dw * 4, get(q, also[i].reg));
	return rc ? rc
	          : gv_mem_write(mem, va + GV_MQD_DW(CP_HQD_PQ_WPTR_LO) * 4, &wptr, sizeof(wptr));
}

void gv_hqd_drop(struct gv_queue *q)
{
	gv_dispatch_drop(q);
	clear(q);
	q->active = false;
	q->scheduler = q->listed = false;
	gv_dispatch_defaults(q);
}

static void stop(struct gv_queue *q)
{
	gv_dispatch_kill(q);
	clear(q);
	q->active = false;
	q->scheduler = q->listed = false;
}

void gv_hqd_deactivate(struct gv_queue *q)
{
	gv_hqd_report_rptr(q);
	stop(q);
	(void)pthread_mutex_lock(&q->fn->dev->lock);
	put(q, GV_REG_CP_HQD_ACTIVE, 0);
	put(q, GV_REG_CP_HQD_DEQUEUE_REQUEST, 0);
	gv_hqd_watch(q);
	(void)pthread_mutex_unlock(&q->fn->dev->lock);
}

void gv_hqd_forget(struct gv_queue *q)
{
	stop(q);
	if (q->doorbell != GV_NO_DOORBELL)
		gv_doorbell_watch(q->fn, q->doorbell, false);
	q->cp->mapped &= ~bit(q);
	q->doorbell = GV_NO_DOORBELL;
	atomic_store(&q->asked, 0);
	put(q, GV_REG_CP_HQD_ACTIVE, 0);
	gv_dispatch_defaults(q);
}

static void drain(struct gv_queue *q)
{
	if (q->draining)
		return;
	q->draining = true;
	q->drain_deadline = gv_now_ns() + GV_DRAIN_NS;
}

/* Between packets of the ring, or at one that only waits: that one is run again after mapping. */
bool gv_hqd_at_rest(const struct gv_queue *q)
{
	return q->halted || (q->depth == 0 && !q->grid && !q->in_progress && !q->aql_busy);
}

/* It came to rest, or its waves are saved, as asked or because they take too long. */
static bool drained(struct gv_queue *q, bool late)
{
	if (gv_hqd_at_rest(q))
		return true;
	if (!(q->save_waves || late) || gv_context_save(q))
		return false;
	gv_hqd_report_rptr(q);
	(void)gv_hqd_store_mqd(q);
	return true;
}

void gv_hqd_check_drain(struct gv_queue *q, uint64_t now)
{
	bool late = now >= q->drain_deadline, done = drained(q, late);

	if (!done && !late)
		return;
	if (!done)
		gv_guest_error(q->fn, "queue %u did not come to rest, stopped", q->slot);
	gv_hqd_deactivate(q);
}

void gv_hqd_work(struct gv_queue *q, uint32_t asked)
{
	if (asked & GV_ASK_KILL)
		stop(q);
	if (asked & GV_ASK_MAP && GV_GET(get(q, GV_REG_CP_HQD_ACTIVE), CP_HQD_ACTIVE, ACTIVE))
		gv_hqd_activate(q);
	if (!q->active)
		return;
	if (asked & GV_ASK_WPREG && !q->aql)
		set_wptr(q, reg_wptr(q));
	if (asked & GV_ASK_WPTR && q->aql) /* the last packet's index */
		gv_aql_set_write_index(q, atomic_load(&q->wptr_in) + 1);
	else if (asked & GV_ASK_WPTR)
		set_wptr(q, atomic_load(&q->wptr_in));
	if (asked & GV_ASK_RESET)
		gv_hqd_deactivate(q);
	else if (asked & (GV_ASK_DRAIN | GV_ASK_SAVE))
		drain(q);
	q->save_waves |= q->draining && asked & GV_ASK_SAVE;
}

void gv_hqd_report_rptr(struct gv_queue *q)
{
	const struct gv_stream *ring = &q->stream[0];
	uint32_t rptr = (uint32_t)((q->depth ? q->ib_start : ring->pos) & ring->mask);
	uint64_t va =
	        get64(q, GV_REG_CP_HQD_PQ_RPTR_REPORT_ADDR, GV_REG_CP_HQD_PQ_RPTR_REPORT_ADDR_HI);

	if (!q->active || rptr == q->reported)
		return;
	q->reported = rptr;
	put(q, GV_REG_CP_HQD_PQ_RPTR, rptr);
	if (!va || q->no_report || q->aql ||
	    GV_GET(get(q, GV_REG_CP_HQD_PQ_CONTROL), CP_HQD_PQ_CONTROL, NO_UPDATE_RPTR))
		return;
	if (gv_mem_write32(gv_cp_mem(q->cp, ring->vmid), va, rptr)) {
		q->no_report = true;
		put(q, GV_REG_CP_HQD_ERROR,
		    get(q, GV_REG_CP_HQD_ERROR) | GV_PUT(CP_HQD_ERROR, RRPT_UTCL1_ERROR, 1));
	}
}

/* ---- register hooks: under dev->lock, set a flag and kick ---------------- */

static struct gv_queue *selected(struct gv_fn *f)
{
	int slot = gv_hqd_selected(f);

	return f->cp && slot >= 0 && slot < GV_NUM_HQD ? &f->cp->queue[slot] : NULL;
}

static void wrote_active(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	struct gv_queue *q = selected(f);
	bool on = GV_GET(now, CP_HQD_ACTIVE, ACTIVE);

	(void)i;
	if (!q || on == (bool)GV_GET(was, CP_HQD_ACTIVE, ACTIVE))
		return;
	ask(q, on ? GV_ASK_MAP : GV_ASK_KILL);
	gv_hqd_watch(q);
}

static void wrote_dequeue(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	struct gv_queue *q = selected(f);
	uint32_t how = GV_GET(now, CP_HQD_DEQUEUE_REQUEST, DEQUEUE_REQ);

	(void)i;
	(void)was;
	/* 1 drain, 2 reset, 3 save (gfx_v9_0.c, hqd_dequeue_request_type of amdkfd) */
	if (q && how)
		ask(q, how == 2 ? GV_ASK_RESET : how == 3 ? GV_ASK_SAVE : GV_ASK_DRAIN);
}

static void wrote_doorbell_control(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	struct gv_queue *q = selected(f);

	(void)i;
	(void)was;
	(void)now;
	if (q)
		gv_hqd_watch(q);
}

static void wrote_wptr(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	struct gv_queue *q = selected(f);

	(void)i;
	(void)was;
	(void)now;
	if (q)
		ask(q, GV_ASK_WPREG);
}

static void wrote_control(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i;
	(void)was;
	(void)now;
	if (f->cp)
		gv_worker_kick(&f->cp->worker);
}

static void wrote_doorbell_gate(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i;
	(void)was;
	(void)now;
	for (uint64_t left = f->cp ? f->cp->mapped : 0; left; left &= left - 1)
		take_early_doorbell(&f->cp->queue[__builtin_ctzll(left)]);
}

static const struct gv_reg_hook rows[] = {
        {GV_REG_CP_HQD_ACTIVE, wrote_active, NULL},
        {GV_REG_CP_HQD_DEQUEUE_REQUEST, wrote_dequeue, NULL},
        {GV_REG_CP_HQD_PQ_DOORBELL_CONTROL, wrote_doorbell_control, NULL},
        {GV_REG_CP_HQD_PQ_WPTR_LO, wrote_wptr, NULL},
        {GV_REG_CP_HQD_PQ_WPTR_HI, wrote_wptr, NULL},
        {GV_REG_CP_MEC_CNTL, wrote_control, NULL},
        {GV_REG_CP_PQ_WPTR_POLL_CNTL, wrote_control, NULL},
        {GV_REG_CP_PQ_STATUS, wrote_doorbell_gate, NULL},
};
const struct gv_reg_hooks gv_cp_hooks = {rows, GV_ARRAY_LEN(rows)};
