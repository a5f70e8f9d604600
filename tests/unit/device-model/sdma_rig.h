/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A running SDMA queue of VF0, driven as a driver drives it: ring, doorbell, fences. */
#ifndef GV_SDMA_RIG_H
#define GV_SDMA_RIG_H

#include "mem_rig.h"
#include "sdma.h"

#define RING_FB    0x10000ull
#define RING_LOG2  12u /* dwords: 16 KiB */
#define RING_BYTES (4ull << RING_LOG2)
#define WB_FB      0x1000ull /* rptr write-back, then the polled wptr */
#define FENCE_FB   0x1010ull
#define DATA_FB    0x100000ull /* tests use what is from here on */

struct sdma_rig {
	struct mem_rig mem;
	struct gv_fn *f;
	unsigned engine, queue;
	uint64_t wptr;
	uint32_t fence;
};

static inline const struct gv_sdma_queue_regs *rig_q(const struct sdma_rig *r)
{
	return &gv_sdma_queue_regs[r->engine][r->queue];
}
static inline void rig_qwr(struct sdma_rig *r, enum gv_reg reg, uint32_t val)
{
	rig_wr(r->f, gv_reg_info(reg)->byte, val);
}
static inline uint32_t rig_qrd(struct sdma_rig *r, enum gv_reg reg)
{
	return rig_rd(r->f, gv_reg_info(reg)->byte);
}

/* The order of sdma_v4_0_gfx_resume(). */
static inline void rig_start_queue(struct sdma_rig *r, unsigned engine, unsigned queue,
                                   uint32_t doorbell, unsigned vmid)
{
	const struct gv_sdma_queue_regs *q;
	uint32_t cntl = GV_PUT(SDMA0_GFX_RB_CNTL, RB_SIZE, RING_LOG2) |
	                GV_PUT(SDMA0_GFX_RB_CNTL, RB_VMID, vmid);

	r->engine = engine;
	r->queue = queue;
	r->wptr = 0;
	q = rig_q(r);
	rig_qwr(r, q->rb_cntl, cntl);
	rig_qwr(r, q->rb_rptr, 0);
	rig_qwr(r, q->rb_rptr_hi, 0);
	rig_qwr(r, q->rb_wptr, 0);
	rig_qwr(r, q->rb_wptr_hi, 0);
	rig_qwr(r, q->rptr_addr_lo, (uint32_t)WB_FB);
	rig_qwr(r, q->rb_base, (uint32_t)(RING_FB >> 8));
	rig_qwr(r, q->minor_ptr_update, 1);
	rig_qwr(r, q->doorbell, GV_PUT(SDMA0_GFX_DOORBELL, ENABLE, 1));
	rig_qwr(r, q->doorbell_offset, GV_PUT(SDMA0_GFX_DOORBELL_OFFSET, OFFSET, doorbell));
	rig_qwr(r, q->minor_ptr_update, 0);
	cntl |= GV_PUT(SDMA0_GFX_RB_CNTL, RPTR_WRITEBACK_ENABLE, 1) |
	        GV_PUT(SDMA0_GFX_RB_CNTL, RB_ENABLE, 1);
	rig_qwr(r, q->rb_cntl, cntl);
	rig_qwr(r, gv_sdma_engine_regs[engine].f32_cntl, 0);
}

static inline void rig_sdma_open(struct sdma_rig *r)
{
	memset(r, 0, sizeof(*r));
	rig_open(&r->mem, true);
	r->f = r->mem.vf[0];
	rig_start_queue(r, 0, SDMA_GFX, GV_DOORBELL_SDMA0, 0);
}
static inline void rig_sdma_close(struct sdma_rig *r)
{
	rig_close(&r->mem);
}

static inline void rig_emit(struct sdma_rig *r, const uint32_t *dw, size_t n)
{
	for (size_t i = 0; i < n; i++, r->wptr += 4)
		rig_put(r->f, RING_FB + (r->wptr & (RING_BYTES - 1)), &dw[i], 4);
}
#define EMIT(r, ...)                                                                               \
	rig_emit(r, (const uint32_t[]){__VA_ARGS__},                                               \
	         sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))
#define LO(x) ((uint32_t)(x))
#define HI(x) ((uint32_t)((uint64_t)(x) >> 32))

static inline void rig_ring_doorbell(struct sdma_rig *r, uint64_t val)
{
	uint32_t index =
	        GV_GET(rig_qrd(r, rig_q(r)->doorbell_offset), SDMA0_GFX_DOORBELL_OFFSET, OFFSET);

	rig_must(gv_doorbell_access(r->f, index * 4ull, &val, 8, true) == 0, "doorbell");
}
static inline void rig_kick(struct sdma_rig *r)
{
	rig_ring_doorbell(r, r->wptr);
}

static inline bool rig_wait32(struct gv_fn *f, uint64_t fb, uint32_t want, unsigned ms)
{
	uint64_t end = gv_now_ns() + ms * GV_MS;
	unsigned spins = 0;

	while (rig_get32(f, fb) != want) {
		if (gv_now_ns() > end)
			return false;
		gv_poll_pause(&spins);
	}
	return true;
}

/* Fence, doorbell, wait. */
static inline bool rig_sync_within(struct sdma_rig *r, unsigned ms)
{
	r->fence++;
	EMIT(r, GV_SDMA_HEADER(FENCE), LO(FENCE_FB), 0, r->fence);
	rig_kick(r);
	return rig_wait32(r->f, FENCE_FB, r->fence, ms);
}
static inline bool rig_sync(struct sdma_rig *r)
{
	return rig_sync_within(r, 5000);
}

static inline void rig_fill_random(struct gv_fn *f, uint64_t fb, size_t n, uint64_t seed)
{
	uint64_t *buf = malloc(n), s = seed;

	rig_must(buf != NULL, "memory");
	for (size_t i = 0; i < n / 8; i++)
		buf[i] = rig_random(&s);
	rig_put(f, fb, buf, n);
	free(buf);
}

static inline bool rig_same(struct gv_fn *f, uint64_t a, uint64_t b, size_t n)
{
	uint8_t *x = malloc(n), *y = malloc(n);
	bool same;

	rig_must(x && y, "memory");
	rig_get(f, a, x, n);
	rig_get(f, b, y, n);
	same = memcmp(x, y, n) == 0;
	free(x);
	free(y);
	return same;
}

#endif
