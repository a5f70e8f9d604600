/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PF's own SDMA ring: engine 0, in the PF's window, VMID 0 (device addresses). */
#include <string.h>

#include "pf.h"

#define RING_DW      (PF_SDMA_RING_BYTES / 4)
#define WB_FENCE     PF_SDMA_WB
#define WB_TEST      (PF_SDMA_WB + 64)
#define WB_RPTR      (PF_SDMA_WB + 128)
#define TEST_PATTERN 0xdeadbeefu
#define TEST_NS      (2 * GV_S)

static uint32_t lo(uint64_t x)
{
	return (uint32_t)x;
}

static uint32_t hi(uint64_t x)
{
	return (uint32_t)(x >> 32);
}

static uint32_t rb_cntl(bool on)
{
	return GV_PUT(SDMA0_GFX_RB_CNTL, RB_SIZE, __builtin_ctz(RING_DW)) |
	       GV_PUT(SDMA0_GFX_RB_CNTL, RPTR_WRITEBACK_ENABLE, 1) |
	       GV_PUT(SDMA0_GFX_RB_CNTL, RB_PRIV, 1) | GV_PUT(SDMA0_GFX_RB_CNTL, RB_ENABLE, on);
}

/* In the order of sdma_v4_0_gfx_resume(). */
static int program(struct gv_pf *pf, struct gv_err *err)
{
	const uint32_t rows[][2] = {
	        {SDMA0_F32_CNTL__BYTE, GV_PUT(SDMA0_F32_CNTL, HALT, 1)},
	        {SDMA0_SEM_WAIT_FAIL_TIMER_CNTL__BYTE, 0},
	        {SDMA0_GFX_RB_CNTL__BYTE, rb_cntl(false)},
	        {SDMA0_GFX_RB_RPTR__BYTE, 0},
	        {SDMA0_GFX_RB_RPTR_HI__BYTE, 0},
	        {SDMA0_GFX_RB_WPTR__BYTE, 0},
	        {SDMA0_GFX_RB_WPTR_HI__BYTE, 0},
	        {SDMA0_GFX_RB_RPTR_ADDR_HI__BYTE, hi(WB_RPTR)},
	        {SDMA0_GFX_RB_RPTR_ADDR_LO__BYTE, lo(WB_RPTR)},
	        {SDMA0_GFX_RB_BASE__BYTE, lo(PF_SDMA_RING >> 8)},
	        {SDMA0_GFX_RB_BASE_HI__BYTE, hi(PF_SDMA_RING >> 8)},
	        {SDMA0_GFX_DOORBELL_OFFSET__BYTE,
	         GV_PUT(SDMA0_GFX_DOORBELL_OFFSET, OFFSET, GV_DOORBELL_SDMA0)},
	        {SDMA0_GFX_DOORBELL__BYTE, GV_PUT(SDMA0_GFX_DOORBELL, ENABLE, 1)},
	        {SDMA0_GFX_RB_CNTL__BYTE, rb_cntl(true)},
	        {SDMA0_CNTL__BYTE, GV_PUT(SDMA0_CNTL, UTC_L1_ENABLE, 1)},
	        {SDMA0_F32_CNTL__BYTE, 0},
	};
	int rc = 0;

	for (size_t i = 0; !rc && i < GV_ARRAY_LEN(rows); i++)
		rc = pf_set(pf, rows[i][0], rows[i][1], 0, err);
	if (!rc)
		rc = pf_expect(pf, SDMA0_GFX_RB_BASE__BYTE, UINT32_MAX, lo(PF_SDMA_RING >> 8), err);
	if (!rc)
		rc = pf_expect(pf, SDMA0_GFX_RB_CNTL__BYTE, UINT32_MAX, rb_cntl(true), err);
	return rc;
}

/* Writes of any length into the ring, around its end. */
static int ring_write(struct gv_pf *pf, const uint32_t *dw, unsigned count)
{
	uint64_t at = pf->sdma.wptr % PF_SDMA_RING_BYTES;
	unsigned first = GV_MIN(count, (unsigned)((PF_SDMA_RING_BYTES - at) / 4));
	int rc = gv_pf_vram_write(pf, PF_SDMA_RING + at, dw, first * 4ul);

	if (!rc && first < count)
		rc = gv_pf_vram_write(pf, PF_SDMA_RING, dw + first, (count - first) * 4ul);
	if (!rc)
		pf->sdma.wptr += count * 4ul;
	return rc;
}

int pf_sdma_push(struct gv_pf *pf, const uint32_t *dw, unsigned count, uint32_t *fence)
{
	uint32_t number = pf->sdma.fence + 1;
	uint64_t begin = pf->sdma.wptr;
	const uint32_t end[] = {GV_SDMA_HEADER(FENCE), lo(WB_FENCE), hi(WB_FENCE), number};
	int rc;

	if (count + GV_ARRAY_LEN(end) >= RING_DW)
		return -EINVAL;
	rc = ring_write(pf, dw, count);
	if (!rc)
		rc = ring_write(pf, end, GV_ARRAY_LEN(end));
	if (rc) { /* half of it must not run with what is pushed next */
		pf->sdma.wptr = begin;
		return rc;
	}
	pf->sdma.fence = number;
	*fence = number;
	gv_doorbell64(pf->bus, GV_DOORBELL_SDMA0 * 4, pf->sdma.wptr);
	return 0;
}

uint32_t pf_sdma_reached(struct gv_pf *pf)
{
	uint32_t reached = 0;

	if (gv_pf_vram_read(pf, WB_FENCE, &reached, sizeof(reached)))
		return 0;
	gv_dma_from_device();
	return reached;
}

static int ring_test(struct gv_pf *pf, struct gv_err *err)
{
	const uint32_t write[] = {GV_SDMA_HEADER(WRITE_UNTILED), lo(WB_TEST), hi(WB_TEST), 0,
	                          TEST_PATTERN};
	uint64_t deadline = gv_now_ns() + TEST_NS;
	uint32_t fence, got = 0;
	unsigned spins = 0;
	int rc = pf_sdma_push(pf, write, GV_ARRAY_LEN(write), &fence);

	while (!rc && pf_sdma_reached(pf) != fence && gv_now_ns() < deadline)
		gv_poll_pause(&spins);
	if (!rc)
		rc = gv_pf_vram_read(pf, WB_TEST, &got, sizeof(got));
	if (rc)
		return gv_fail(err, rc, "ring test: %s", strerror(-rc));
	if (got == TEST_PATTERN && pf_sdma_reached(pf) == fence)
		return 0;
	return gv_fail(err, -ETIMEDOUT,
	               "ring test: memory reads 0x%08x, must be 0x%08x; SDMA0_GFX_RB_RPTR 0x%x, "
	               "STATUS 0x%08x",
	               got, TEST_PATTERN, gv_rd32(pf->bus, SDMA0_GFX_RB_RPTR__BYTE),
	               gv_rd32(pf->bus, SDMA0_STATUS_REG__BYTE));
}

int pf_sdma_init(struct gv_pf *pf, struct gv_err *err)
{
	static const uint8_t zeros[4096];
	int rc = gv_pf_vram_write(pf, PF_SDMA_WB, zeros, sizeof(zeros));

	if (rc)
		return gv_fail(err, rc, "write-back page: %s", strerror(-rc));
	/* The ring is full of NOPs (zeros) before the engine may look at it. */
	for (uint64_t at = 0; !rc && at < PF_SDMA_RING_BYTES; at += sizeof(zeros))
		rc = gv_pf_vram_write(pf, PF_SDMA_RING + at, zeros, sizeof(zeros));
	if (rc)
		return gv_fail(err, rc, "ring: %s", strerror(-rc));
	pf->sdma = (struct pf_sdma){.up = true};
	rc = program(pf, err);
	return rc ? rc : ring_test(pf, err);
}

void pf_sdma_fini(struct gv_pf *pf)
{
	if (pf->sdma.up) {
		gv_wr32(pf->bus, SDMA0_GFX_RB_CNTL__BYTE, rb_cntl(false));
		gv_wr32(pf->bus, SDMA0_F32_CNTL__BYTE, GV_PUT(SDMA0_F32_CNTL, HALT, 1));
	}
	pf->sdma.up = false;
	pf->scrub.active = false;
}
