/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The graphics ring: CP_RB0_* and CP_ME_CNTL. Its packets are run by what runs those of compute
 * queues (pm4.c); here its registers become those of an HQD, which nobody selects.
 *
 *	CP_RB0_CNTL, CP_RB0_BASE written --> the ring begins at its first dword
 *	CP_RB0_WPTR, doorbell            --> packets up to there run, unless CP_ME_CNTL halts
 *
 * It has a base or it does not run.
 */
#include "cp.h"

static struct gv_queue *ring(struct gv_fn *f)
{
	return f->cp ? &f->cp->queue[GV_GFX_SLOT] : NULL;
}

static void put(struct gv_fn *f, enum gv_reg reg, uint32_t val)
{
	gv_hqd_put(f, GV_GFX_SLOT, reg, val);
}

static uint32_t pq_control(struct gv_fn *f)
{
	uint32_t cntl = GV_RGET(f, CP_RB0_CNTL);

	return GV_PUT(CP_HQD_PQ_CONTROL, QUEUE_SIZE, GV_GET(cntl, CP_RB0_CNTL, RB_BUFSZ)) |
	       GV_PUT(CP_HQD_PQ_CONTROL, NO_UPDATE_RPTR, GV_GET(cntl, CP_RB0_CNTL, RB_NO_UPDATE));
}

/* What may be changed while it runs. The doorbell register's fields are those of an HQD's. */
static void update(struct gv_fn *f)
{
	put(f, GV_REG_CP_HQD_PQ_RPTR_REPORT_ADDR, GV_RGET(f, CP_RB0_RPTR_ADDR));
	put(f, GV_REG_CP_HQD_PQ_RPTR_REPORT_ADDR_HI, GV_RGET(f, CP_RB0_RPTR_ADDR_HI));
	put(f, GV_REG_CP_HQD_PQ_DOORBELL_CONTROL, GV_RGET(f, CP_RB_DOORBELL_CONTROL));
	gv_hqd_watch(ring(f));
}

static void ask(struct gv_fn *f, uint32_t what)
{
	atomic_fetch_or(&ring(f)->asked, what);
	gv_worker_kick(&f->cp->worker);
}

static void put_wptr(struct gv_fn *f)
{
	put(f, GV_REG_CP_HQD_PQ_WPTR_LO, GV_RGET(f, CP_RB0_WPTR));
	put(f, GV_REG_CP_HQD_PQ_WPTR_HI, GV_RGET(f, CP_RB0_WPTR_HI));
}

/* ---- hooks ---------------------------------------------------------------- */

static void wrote_ring(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	uint32_t lo = GV_RGET(f, CP_RB0_BASE), hi = GV_RGET(f, CP_RB0_BASE_HI);
	bool on = lo || hi;

	(void)i, (void)was, (void)now;
	put(f, GV_REG_CP_HQD_ACTIVE, GV_PUT(CP_HQD_ACTIVE, ACTIVE, on));
	put(f, GV_REG_CP_HQD_PQ_BASE, lo);
	put(f, GV_REG_CP_HQD_PQ_BASE_HI, hi);
	put(f, GV_REG_CP_HQD_PQ_CONTROL, pq_control(f));
	put(f, GV_REG_CP_HQD_VMID,
	    GV_PUT(CP_HQD_VMID, VMID, GV_GET(GV_RGET(f, CP_RB_VMID), CP_RB_VMID, RB0_VMID)));
	put(f, GV_REG_CP_HQD_PQ_RPTR, 0);
	put_wptr(f);
	update(f);
	ask(f, on ? GV_ASK_MAP : GV_ASK_KILL);
}

static void wrote_other(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i, (void)was, (void)now;
	update(f);
}

static void wrote_wptr(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i, (void)was, (void)now;
	put_wptr(f);
	ask(f, GV_ASK_WPREG);
}

static void wrote_me_cntl(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i, (void)was, (void)now;
	gv_worker_kick(&f->cp->worker);
}

static uint32_t read_rptr(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	(void)i, (void)stored;
	return gv_hqd_get(f, GV_GFX_SLOT, GV_REG_CP_HQD_PQ_RPTR);
}

static uint32_t read_wptr(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	(void)i, (void)stored;
	return gv_hqd_get(f, GV_GFX_SLOT, GV_REG_CP_HQD_PQ_WPTR_LO);
}

static uint32_t read_wptr_hi(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	(void)i, (void)stored;
	return gv_hqd_get(f, GV_GFX_SLOT, GV_REG_CP_HQD_PQ_WPTR_HI);
}

static const struct gv_reg_hook rows[] = {
        {GV_REG_CP_RB0_BASE, wrote_ring, NULL},
        {GV_REG_CP_RB0_BASE_HI, wrote_ring, NULL},
        {GV_REG_CP_RB0_CNTL, wrote_ring, NULL},
        {GV_REG_CP_RB_VMID, wrote_ring, NULL},
        {GV_REG_CP_RB0_RPTR_ADDR, wrote_other, NULL},
        {GV_REG_CP_RB0_RPTR_ADDR_HI, wrote_other, NULL},
        {GV_REG_CP_RB_DOORBELL_CONTROL, wrote_other, NULL},
        {GV_REG_CP_RB0_RPTR, NULL, read_rptr},
        {GV_REG_CP_RB0_WPTR, wrote_wptr, read_wptr},
        {GV_REG_CP_RB0_WPTR_HI, wrote_wptr, read_wptr_hi},
        {GV_REG_CP_ME_CNTL, wrote_me_cntl, NULL},
};
const struct gv_reg_hooks gv_gfx_hooks = {rows, GV_ARRAY_LEN(rows)};

/* ---- life ----------------------------------------------------------------- */

bool gv_gfx_is_halted(struct gv_fn *f)
{
	uint32_t cntl = GV_RGET(f, CP_ME_CNTL);

	return GV_GET(cntl, CP_ME_CNTL, CE_HALT) || GV_GET(cntl, CP_ME_CNTL, PFP_HALT) ||
	       GV_GET(cntl, CP_ME_CNTL, ME_HALT);
}

void gv_gfx_extend(struct gv_queue *q, uint32_t wptr)
{
	struct gv_stream *s = &q->stream[0];

	gv_hqd_work(q, atomic_exchange(&q->asked, 0)); /* a doorbell not looked at yet is older */
	if (!q->active)
		return;
	s->end = s->pos + ((wptr - s->pos) & s->mask);
	put(q->fn, GV_REG_CP_HQD_PQ_WPTR_LO, (uint32_t)s->end);
	put(q->fn, GV_REG_CP_HQD_PQ_WPTR_HI, (uint32_t)(s->end >> 32));
	gv_worker_kick(&q->cp->worker);
}

void gv_gfx_reset(struct gv_fn *f)
{
	for (size_t k = 0; k < GV_ARRAY_LEN(rows); k++)
		gv_reg_put(f, rows[k].reg, 0, gv_reg_info(rows[k].reg)->reset);
	put(f, GV_REG_CP_HQD_PQ_RPTR, 0);
	put(f, GV_REG_CP_HQD_PQ_DOORBELL_CONTROL, 0);
	put_wptr(f);
}
