/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SDMA packets that move or fill memory. Each call does about SDMA_STEP_BYTES of the packet and
 * keeps its place in op.done. A page fault is recorded by the memory view and ends the packet;
 * the queue goes on with the next one.
 */
#include <string.h>

#include "sdma.h"

#define OP(q, pkt, field) GV_GET((q)->op.dw[SDMA_##pkt##__##field##__DW], SDMA_##pkt, field)
#define AT(q, pkt, field) gv_sdma_va(q, SDMA_##pkt##__##field##__DW)

#define ROW_COST 256u /* what a row, stride or entry costs at least, in bytes of the budget */

static enum gv_sdma_step after(struct gv_sdma_queue *q, int rc, uint64_t n, uint64_t all)
{
	q->op.done += n;
	return rc || q->op.done >= all ? SDMA_DONE : SDMA_MORE;
}

static void no_swap(struct gv_sdma_queue *q, unsigned swap)
{
	if (swap && q->op.done == 0)
		gv_unimplemented(q->sdma->fn, "SDMA byte swapping (mode %u)", swap);
}

/* ---- copies --------------------------------------------------------------- */

enum gv_sdma_step gv_sdma_copy(struct gv_sdma_queue *q)
{
	struct gv_mem *m = gv_sdma_mem(q);
	uint64_t all = OP(q, COPY_LINEAR, count) + 1ull, at = q->op.done;
	uint64_t n = GV_MIN(all - at, SDMA_STEP_BYTES);
	uint64_t src = AT(q, COPY_LINEAR, src_addr_31_0) + at;
	int rc;

	no_swap(q, OP(q, COPY_LINEAR, dst_sw) | OP(q, COPY_LINEAR, src_sw));
	rc = gv_mem_copy(m, AT(q, COPY_LINEAR, dst_addr_31_0) + at, m, src, n);
	if (!rc && OP(q, COPY_LINEAR, broadcast))
		rc = gv_mem_copy(m, AT(q, COPY_BROADCAST_LINEAR, dst2_addr_31_0) + at, m, src, n);
	return after(q, rc, n, all);
}

/* COPY_PHYSICAL_LINEAR and COPY_DIRTY_PAGE differ in one bit of the header and one of the rules:
 * the latter passes over pages that were not written. */
enum gv_sdma_step gv_sdma_copy_physical(struct gv_sdma_queue *q)
{
	struct gv_fn *f = q->sdma->fn;
	uint8_t client = (uint8_t)gv_sdma_engine_regs[q->engine].client;
	bool src_sys = OP(q, COPY_DIRTY_PAGE, src_sys), dst_sys = OP(q, COPY_DIRTY_PAGE, dst_sys);
	bool only_dirty = OP(q, COPY_DIRTY_PAGE, sub_op) == SDMA_COPY_DIRTY_PAGE__SUB_OP &&
	                  !OP(q, COPY_DIRTY_PAGE, all) && !src_sys;
	uint64_t all = OP(q, COPY_DIRTY_PAGE, count) + 1ull, at = q->op.done;
	uint64_t src = AT(q, COPY_DIRTY_PAGE, src_addr_31_0) + at, n;
	struct gv_mem from, to;
	int rc = 0;

	gv_mem_init(&from, f, GV_HUB_MM, src_sys ? GV_VMID_BUS : GV_VMID_FB, client);
	gv_mem_init(&to, f, GV_HUB_MM, dst_sys ? GV_VMID_BUS : GV_VMID_FB, client);
	n = GV_MIN(all - at, GV_L2_PAGE - (src & (GV_L2_PAGE - 1)));
	if (!only_dirty || gv_vram_dirty(f, src)) {
		n = GV_MIN(n, SDMA_STEP_BYTES);
		rc = gv_mem_copy(&to, AT(q, COPY_DIRTY_PAGE, dst_addr_31_0) + at, &from, src, n);
	}
	return after(q, rc, n, all);
}

/* Place of row @row of the box in an image: pitches and sizes are stored minus one. */
struct image {
	uint64_t base, x, y, z, pitch, slice;
};

static uint64_t row_va(const struct image *i, unsigned element, uint64_t y, uint64_t z)
{
	return i->base + (((i->z + z) * i->slice + (i->y + y) * i->pitch + i->x) << element);
}

enum gv_sdma_step gv_sdma_copy_subwin(struct gv_sdma_queue *q)
{
	struct gv_mem *m = gv_sdma_mem(q);
	unsigned element = OP(q, COPY_LINEAR_SUBWIN, elementsize);
	const struct image src = {
	        AT(q, COPY_LINEAR_SUBWIN, src_addr_31_0),
	        OP(q, COPY_LINEAR_SUBWIN, src_x),
	        OP(q, COPY_LINEAR_SUBWIN, src_y),
	        OP(q, COPY_LINEAR_SUBWIN, src_z),
	        OP(q, COPY_LINEAR_SUBWIN, src_pitch) + 1ull,
	        OP(q, COPY_LINEAR_SUBWIN, src_slice_pitch) + 1ull,
	};
	const struct image dst = {
	        AT(q, COPY_LINEAR_SUBWIN, dst_addr_31_0),
	        OP(q, COPY_LINEAR_SUBWIN, dst_x),
	        OP(q, COPY_LINEAR_SUBWIN, dst_y),
	        OP(q, COPY_LINEAR_SUBWIN, dst_z),
	        OP(q, COPY_LINEAR_SUBWIN, dst_pitch) + 1ull,
	        OP(q, COPY_LINEAR_SUBWIN, dst_slice_pitch) + 1ull,
	};
	uint64_t n = (OP(q, COPY_LINEAR_SUBWIN, rect_x) + 1ull) << element;
	uint64_t rows = OP(q, COPY_LINEAR_SUBWIN, rect_y) + 1ull;
	uint64_t all = rows * (OP(q, COPY_LINEAR_SUBWIN, rect_z) + 1ull);
	uint64_t spent = 0;

	no_swap(q, OP(q, COPY_LINEAR_SUBWIN, dst_sw) | OP(q, COPY_LINEAR_SUBWIN, src_sw));
	while (q->op.done < all && spent < SDMA_STEP_BYTES) {
		uint64_t y = q->op.done % rows, z = q->op.done / rows;

		if (gv_mem_copy(m, row_va(&dst, element, y, z), m, row_va(&src, element, y, z), n))
			return SDMA_DONE;
		q->op.done++;
		spent += GV_MAX(n, ROW_COST);
	}
	return after(q, 0, 0, all);
}

enum gv_sdma_step gv_sdma_write(struct gv_sdma_queue *q)
{
	uint64_t all = 4 * (OP(q, WRITE_UNTILED, count) + 1ull), at = q->op.done;
	uint64_t n = GV_MIN(all - at, SDMA_STEP_BYTES);
	int rc;

	no_swap(q, OP(q, WRITE_UNTILED, sw));
	rc = gv_sdma_copy_stream(q, 4ull * SDMA_WRITE_UNTILED__DW + at,
	                         (AT(q, WRITE_UNTILED, dst_addr_31_0) & ~3ull) + at, n);
	return after(q, rc, n, all);
}

/* ---- page table entries --------------------------------------------------- */

/* Up to @count entries flags | val, flags | val + incr, ... at @va. How many, or -EFAULT. */
static int64_t write_entries(struct gv_mem *m, uint64_t va, uint64_t flags, uint64_t val,
                             uint64_t incr, uint64_t count)
{
	struct gv_window w;
	uint64_t n, *p;
	int rc = gv_mem_window(m, va, GV_ACC_W, &w);

	if (rc)
		return rc;
	n = GV_MIN((w.va + w.bytes - va) / 8, count);
	if (!w.host || n == 0 || va % 8) {
		rc = gv_mem_write64(m, va, flags | val);
		return rc ? rc : 1;
	}
	p = (uint64_t *)(void *)(w.host + (va - w.va));
	for (uint64_t i = 0; i < n; i++)
		p[i] = flags | (val + i * incr);
	return (int64_t)n;
}

enum gv_sdma_step gv_sdma_write_incr(struct gv_sdma_queue *q)
{
	uint64_t all = OP(q, WRITE_INCR, count) + 1ull, spent = 0;
	uint64_t incr = AT(q, WRITE_INCR, incr_dw0);

	while (q->op.done < all && spent < SDMA_STEP_BYTES) {
		int64_t n = write_entries(gv_sdma_mem(q),
		                          AT(q, WRITE_INCR, dst_addr_31_0) + 8 * q->op.done,
		                          AT(q, WRITE_INCR, mask_dw0),
		                          AT(q, WRITE_INCR, init_dw0) + q->op.done * incr, incr,
		                          GV_MIN(all - q->op.done, SDMA_STEP_BYTES / 8));

		if (n < 0)
			return SDMA_DONE;
		q->op.done += (uint64_t)n;
		spent += GV_MAX(8 * (uint64_t)n, ROW_COST);
	}
	return after(q, 0, 0, all);
}

/* Guess: the mask says which bits come from the source. */
enum gv_sdma_step gv_sdma_ptepde_copy(struct gv_sdma_queue *q)
{
	struct gv_mem *m = gv_sdma_mem(q);
	uint64_t all = OP(q, PTEPDE_COPY, count) + 1ull, mask = AT(q, PTEPDE_COPY, mask_dw0);
	uint64_t end = GV_MIN(all, q->op.done + SDMA_STEP_BYTES / ROW_COST);

	for (; q->op.done < end; q->op.done++) {
		uint64_t dst = AT(q, PTEPDE_COPY, dst_addr_31_0) + 8 * q->op.done, from, to;

		if (gv_mem_read64(m, AT(q, PTEPDE_COPY, src_addr_31_0) + 8 * q->op.done, &from) ||
		    gv_mem_read64(m, dst, &to) ||
		    gv_mem_write64(m, dst, (to & ~mask) | (from & mask)))
			return SDMA_DONE;
	}
	return after(q, 0, 0, all);
}

/* Guess: the mask says which bits of the entry take the value. */
enum gv_sdma_step gv_sdma_ptepde_rmw(struct gv_sdma_queue *q)
{
	struct gv_mem *m = gv_sdma_mem(q);
	uint64_t va = AT(q, PTEPDE_RMW, addr_31_0) & ~7ull, mask = AT(q, PTEPDE_RMW, mask_31_0);
	uint64_t val = 0;

	if (!gv_mem_read64(m, va, &val))
		(void)gv_mem_write64(m, va, (val & ~mask) | (AT(q, PTEPDE_RMW, value_31_0) & mask));
	return SDMA_DONE;
}

/* ---- fills ---------------------------------------------------------------- */

static void fill_host(uint8_t *p, uint32_t pattern, uint64_t n)
{
	if (pattern == (pattern & 0xff) * 0x01010101u) {
		memset(p, (int)(pattern & 0xff), n);
		return;
	}
	for (uint64_t i = 0; i + 4 <= n; i += 4)
		memcpy(p + i, &pattern, 4);
	memcpy(p + (n & ~3ull), &pattern, n & 3);
}

/* @pattern starts anew at @va; windows are whole dwords but for the ends. */
static int fill(struct gv_mem *m, uint64_t va, uint32_t pattern, uint64_t n)
{
	while (n) {
		uint8_t buf[1024];
		struct gv_window w;
		uint64_t now;
		int rc = gv_mem_window(m, va, GV_ACC_W, &w);

		if (rc)
			return rc;
		now = GV_MIN(w.va + w.bytes - va, n);
		if (!w.host) {
			now = GV_MIN(now, sizeof(buf));
			fill_host(buf, pattern, now);
			rc = gv_mem_write(m, va, buf, (size_t)now);
		} else {
			uint8_t *p = w.host + (va - w.va);

			if (pattern || !gv_vram_zero(m->fn->dev, p, now))
				fill_host(p, pattern, now);
		}
		if (rc)
			return rc;
		for (unsigned k = 0; k < now % 4; k++) /* go on where the pattern was cut */
			pattern = pattern >> 8 | pattern << 24;
		va += now;
		n -= now;
	}
	return 0;
}

/* fillsize: 0 bytes, 1 halfwords, 2 dwords, each with the low bits of the data. With dwords the
 * two low bits of the count do not matter. */
enum gv_sdma_step gv_sdma_fill(struct gv_sdma_queue *q)
{
	uint32_t count = OP(q, CONSTANT_FILL, count), data = OP(q, CONSTANT_FILL, src_data_31_0);
	uint64_t all = count + 1ull, dst = AT(q, CONSTANT_FILL, dst_addr_31_0), n;
	int rc;

	no_swap(q, OP(q, CONSTANT_FILL, sw));
	switch (OP(q, CONSTANT_FILL, fillsize)) {
	case 0:
		data = (data & 0xff) * 0x01010101u;
		break;
	case 1:
		data = (data & 0xffff) * 0x00010001u;
		break;
	default:
		dst &= ~3ull;
		all = (count & ~3u) + 4ull;
		break;
	}
	n = GV_MIN(all - q->op.done, SDMA_STEP_BYTES); /* keeps the phase: a multiple of 4 */
	rc = fill(gv_sdma_mem(q), dst + q->op.done, data, n);
	return after(q, rc, n, all);
}

/* Zeroes dma_count pieces. The packet has no data field, so the value is a guess; its count is
 * taken minus one like all others. */
enum gv_sdma_step gv_sdma_fill_multi(struct gv_sdma_queue *q)
{
	uint64_t len = OP(q, DATA_FILL_MULTI, count) + 1ull, spent = 0;
	uint64_t all = len * OP(q, DATA_FILL_MULTI, dma_count);
	uint64_t stride = OP(q, DATA_FILL_MULTI, byte_stride);

	while (q->op.done < all && spent < SDMA_STEP_BYTES) {
		uint64_t piece = q->op.done / len, off = q->op.done % len;
		uint64_t n = GV_MIN(len - off, SDMA_STEP_BYTES - spent);

		if (fill(gv_sdma_mem(q),
		         AT(q, DATA_FILL_MULTI, dst_addr_31_0) + piece * stride + off, 0, n))
			return SDMA_DONE;
		q->op.done += n;
		spent += GV_MAX(n, ROW_COST);
	}
	return after(q, 0, 0, all);
}

/* ---- dirty bits ----------------------------------------------------------- */

/* One bit per 4 KiB page of frame buffer from the start page on (a multiple of 16), rounded up to
 * 16 pages. Guess: the field layout is known, the plane's format is not. */
enum gv_sdma_step gv_sdma_dirty_bits(struct gv_sdma_queue *q)
{
	struct gv_fn *f = q->sdma->fn;
	uint64_t pages = gv_vram_fb_bytes(f) >> GV_GPU_PAGE_SHIFT;
	uint64_t first = q->op.dw[SDMA_POLL_DBIT_WRITE_MEM__addr_31_4__DW] & ~15ull;
	uint64_t all = OP(q, POLL_DBIT_WRITE_MEM, page_num_31_0), spent = 0;

	all = first < pages ? GV_MIN(all, pages - first) : 0;
	while (q->op.done < all && spent < SDMA_STEP_BYTES) {
		uint64_t page = first + q->op.done;
		uint16_t bits = gv_vram_dirty(f, page << GV_GPU_PAGE_SHIFT) ? UINT16_MAX : 0;

		if (gv_mem_write(gv_sdma_mem(q),
		                 AT(q, POLL_DBIT_WRITE_MEM, addr_31_0) + q->op.done / 8, &bits,
		                 sizeof(bits)))
			return SDMA_DONE;
		q->op.done += 16;
		spent += ROW_COST;
	}
	return after(q, 0, 0, all);
}
