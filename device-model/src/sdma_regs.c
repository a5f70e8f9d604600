/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SDMA registers and doorbells. Everything here runs under dev->lock. */
#include "sdma.h"

#define QUEUE(p)                                                                                   \
	{                                                                                          \
		GV_REG_##p##_RB_CNTL, GV_REG_##p##_RB_BASE, GV_REG_##p##_RB_BASE_HI,               \
		        GV_REG_##p##_RB_RPTR, GV_REG_##p##_RB_RPTR_HI, GV_REG_##p##_RB_WPTR,       \
		        GV_REG_##p##_RB_WPTR_HI, GV_REG_##p##_RB_WPTR_POLL_CNTL,                   \
		        GV_REG_##p##_RB_RPTR_ADDR_HI, GV_REG_##p##_RB_RPTR_ADDR_LO,                \
		        GV_REG_##p##_IB_CNTL, GV_REG_##p##_IB_RPTR, GV_REG_##p##_IB_OFFSET,        \
		        GV_REG_##p##_IB_BASE_LO, GV_REG_##p##_IB_BASE_HI, GV_REG_##p##_IB_SIZE,    \
		        GV_REG_##p##_SKIP_CNTL, GV_REG_##p##_CONTEXT_STATUS,                       \
		        GV_REG_##p##_DOORBELL, GV_REG_##p##_DOORBELL_LOG,                          \
		        GV_REG_##p##_DOORBELL_OFFSET, GV_REG_##p##_CSA_ADDR_LO,                    \
		        GV_REG_##p##_CSA_ADDR_HI, GV_REG_##p##_PREEMPT,                            \
		        GV_REG_##p##_RB_WPTR_POLL_ADDR_HI, GV_REG_##p##_RB_WPTR_POLL_ADDR_LO,      \
		        GV_REG_##p##_RB_AQL_CNTL, GV_REG_##p##_MINOR_PTR_UPDATE                    \
	}

const struct gv_sdma_queue_regs gv_sdma_queue_regs[SDMA_ENGINES][SDMA_QUEUES] = {
        {QUEUE(SDMA0_GFX), QUEUE(SDMA0_RLC0), QUEUE(SDMA0_RLC1)},
        {QUEUE(SDMA1_GFX), QUEUE(SDMA1_RLC0), QUEUE(SDMA1_RLC1)},
};

const struct gv_sdma_engine_regs gv_sdma_engine_regs[SDMA_ENGINES] = {
        {GV_REG_SDMA0_CNTL, GV_REG_SDMA0_F32_CNTL, GV_REG_SDMA0_STATUS_REG, GV_IH_CLIENT_SDMA0},
        {GV_REG_SDMA1_CNTL, GV_REG_SDMA1_F32_CNTL, GV_REG_SDMA1_STATUS_REG, GV_IH_CLIENT_SDMA1},
};

/* ---- doorbells ------------------------------------------------------------ */

static uint32_t doorbell_index(struct gv_sdma_queue *q)
{
	return GV_GET(gv_reg_get(q->sdma->fn, q->r->doorbell_offset, 0), SDMA0_GFX_DOORBELL_OFFSET,
	              OFFSET);
}

/* Drivers enable the doorbell before they name it; index 0 is the KIQ's, never an SDMA queue's. */
static bool claims(struct gv_sdma_queue *q, uint32_t *index)
{
	uint32_t on =
	        GV_GET(gv_reg_get(q->sdma->fn, q->r->doorbell, 0), SDMA0_GFX_DOORBELL, ENABLE);

	*index = doorbell_index(q);
	return on && *index != GV_DOORBELL_KIQ;
}

void gv_sdma_update_doorbell(struct gv_sdma_queue *q)
{
	uint32_t index;
	int32_t want = claims(q, &index) ? (int32_t)index : -1;

	if (want == q->watched)
		return;
	if (q->watched >= 0)
		gv_doorbell_watch(q->sdma->fn, (uint32_t)q->watched, false);
	if (want >= 0)
		gv_doorbell_watch(q->sdma->fn, index, true);
	q->watched = want;
}

static struct gv_sdma_queue *by_doorbell(struct gv_fn *f, uint32_t index)
{
	for (unsigned i = 0; f->sdma && i < GV_ARRAY_LEN(f->sdma->queue); i++)
		if (f->sdma->queue[i].watched == (int32_t)index)
			return &f->sdma->queue[i];
	return NULL;
}

bool gv_sdma_owns_doorbell(struct gv_fn *f, uint32_t index)
{
	return by_doorbell(f, index) != NULL;
}

/* Where the pointer in memory is polled too, the engine may have run ahead of a doorbell that is
 * still on its way. Taken at its word, such a doorbell would run the ring once more. */
static bool overtaken(const struct gv_sdma_queue *q, uint64_t val)
{
	struct gv_fn *f = q->sdma->fn;
	uint64_t wptr = (uint64_t)gv_reg_get(f, q->r->rb_wptr_hi, 0) << 32 |
	                gv_reg_get(f, q->r->rb_wptr, 0);
	unsigned size = GV_GET(gv_reg_get(f, q->r->rb_cntl, 0), SDMA0_GFX_RB_CNTL, RB_SIZE);

	return GV_GET(gv_reg_get(f, q->r->poll_cntl, 0), SDMA0_GFX_RB_WPTR_POLL_CNTL,
	              F32_POLL_ENABLE) &&
	       val < wptr && wptr - val <= 4ull << GV_MIN(size, 31u);
}

void gv_sdma_doorbell(struct gv_fn *f, uint32_t index, uint64_t val)
{
	struct gv_sdma_queue *q = by_doorbell(f, index);

	if (!q)
		return;
	if (val % 4) {
		gv_guest_error(f, "SDMA%u doorbell 0x%llx is not a dword address", q->engine,
		               (unsigned long long)val);
		val &= ~3ull;
	}
	if (overtaken(q, val))
		return;
	gv_reg_put(f, q->r->rb_wptr, 0, (uint32_t)val);
	gv_reg_put(f, q->r->rb_wptr_hi, 0, (uint32_t)(val >> 32));
	gv_reg_put(f, q->r->doorbell_log, 0, (uint32_t)val);
	gv_worker_kick(&f->sdma->worker);
	gv_world_look(f->dev);
}

/* ---- hooks ---------------------------------------------------------------- */

#define NUM_QUEUES (SDMA_ENGINES * SDMA_QUEUES)

static void wrote_rb_cntl(struct gv_sdma_queue *q, uint32_t was, uint32_t now)
{
	if (GV_GET(was, SDMA0_GFX_RB_CNTL, RB_ENABLE) != GV_GET(now, SDMA0_GFX_RB_CNTL, RB_ENABLE))
		atomic_store(&q->restart, true);
	gv_worker_kick(&q->sdma->worker);
}

static uint32_t read_context_status(struct gv_sdma_queue *q, uint32_t stored)
{
	stored = GV_SET(stored, SDMA0_GFX_CONTEXT_STATUS, IDLE, !atomic_load(&q->busy));
	return GV_SET(stored, SDMA0_GFX_CONTEXT_STATUS, EXCEPTION, atomic_load(&q->stuck));
}

/* One set of hooks per queue: the hook must know which. */
#define QUEUE_HOOKS(n)                                                                             \
	static void rb_cntl_##n(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)           \
	{                                                                                          \
		(void)i;                                                                           \
		wrote_rb_cntl(&f->sdma->queue[n], was, now);                                       \
	}                                                                                          \
	static void doorbell_##n(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)          \
	{                                                                                          \
		(void)i, (void)was, (void)now;                                                     \
		gv_sdma_update_doorbell(&f->sdma->queue[n]);                                       \
	}                                                                                          \
	static uint32_t context_status_##n(struct gv_fn *f, uint32_t i, uint32_t stored)           \
	{                                                                                          \
		(void)i;                                                                           \
		return read_context_status(&f->sdma->queue[n], stored);                            \
	}

QUEUE_HOOKS(0)
QUEUE_HOOKS(1)
QUEUE_HOOKS(2)
QUEUE_HOOKS(3)
QUEUE_HOOKS(4)
QUEUE_HOOKS(5)

static void kick(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i, (void)was, (void)now;
	gv_worker_kick(&f->sdma->worker);
}

/* The reset value shows an idle engine; what is busy or stuck clears its bits. */
static uint32_t read_status(struct gv_fn *f, unsigned engine, uint32_t stored)
{
	for (unsigned i = 0; i < SDMA_QUEUES; i++) {
		struct gv_sdma_queue *q = &f->sdma->queue[engine * SDMA_QUEUES + i];

		if (!atomic_load(&q->busy))
			continue;
		stored = GV_SET(stored, SDMA0_STATUS_REG, IDLE, 0);
		stored = GV_SET(stored, SDMA0_STATUS_REG, RB_EMPTY, 0);
		stored = GV_SET(stored, SDMA0_STATUS_REG, RB_CMD_IDLE, 0);
		if (atomic_load(&q->stuck))
			stored = GV_SET(stored, SDMA0_STATUS_REG, EX_IDLE, 0);
	}
	return stored;
}

static uint32_t read_status_0(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	(void)i;
	return read_status(f, 0, stored);
}

static uint32_t read_status_1(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	(void)i;
	return read_status(f, 1, stored);
}

#define QUEUE_ROWS(p, n)                                                                           \
	{GV_REG_##p##_RB_CNTL, rb_cntl_##n, NULL}, {GV_REG_##p##_RB_WPTR, kick, NULL},             \
	        {GV_REG_##p##_RB_WPTR_HI, kick, NULL},                                             \
	        {GV_REG_##p##_RB_WPTR_POLL_CNTL, kick, NULL},                                      \
	        {GV_REG_##p##_MINOR_PTR_UPDATE, kick, NULL},                                       \
	        {GV_REG_##p##_DOORBELL, doorbell_##n, NULL},                                       \
	        {GV_REG_##p##_DOORBELL_OFFSET, doorbell_##n, NULL},                                \
	{                                                                                          \
		GV_REG_##p##_CONTEXT_STATUS, NULL, context_status_##n                              \
	}

static const struct gv_reg_hook hooks[] = {
        QUEUE_ROWS(SDMA0_GFX, 0),
        QUEUE_ROWS(SDMA0_RLC0, 1),
        QUEUE_ROWS(SDMA0_RLC1, 2),
        QUEUE_ROWS(SDMA1_GFX, 3),
        QUEUE_ROWS(SDMA1_RLC0, 4),
        QUEUE_ROWS(SDMA1_RLC1, 5),
        {GV_REG_SDMA0_F32_CNTL, kick, NULL},
        {GV_REG_SDMA1_F32_CNTL, kick, NULL},
        {GV_REG_SDMA0_STATUS_REG, NULL, read_status_0},
        {GV_REG_SDMA1_STATUS_REG, NULL, read_status_1},
};
const struct gv_reg_hooks gv_sdma_hooks = {hooks, GV_ARRAY_LEN(hooks)};

/* ---- reset ---------------------------------------------------------------- */

/* Also when only the engines are reset, and the register file is not. */
static void reset_regs(struct gv_sdma_queue *q)
{
	const enum gv_reg *reg = (const enum gv_reg *)q->r;

	for (size_t i = 0; i < sizeof(*q->r) / sizeof(*reg); i++)
		gv_reg_put(q->sdma->fn, reg[i], 0, gv_reg_info(reg[i])->reset);
}

void gv_sdma_reset(struct gv_fn *f)
{
	struct gv_sdma *s = f->sdma;

	for (unsigned i = 0; i < NUM_QUEUES; i++) {
		struct gv_sdma_queue *q = &s->queue[i];

		gv_sdma_queue_forget(q);
		q->mapped = q->listed = false;
		q->halted = false;
		q->rptr = 0;
		reset_regs(q);
		gv_sdma_update_doorbell(q);
		atomic_store(&q->busy, false);
		atomic_store(&q->stuck, false);
		atomic_store(&q->restart, true);
	}
	atomic_store(&s->clock_base, 0);
}
