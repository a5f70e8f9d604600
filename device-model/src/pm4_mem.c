/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PM4 packets that move data: memory, registers, fences, waits. */
#include <string.h>

#include "cp.h"
#include "mem.h"

#define LOOK_AHEAD 256u /* packets between what is written for an IB and that IB */

#define TC_ERROR GV_PUT(CP_HQD_ERROR, TC_UTCL1_ERROR, 1)

/* WRITE_DATA.DST_SEL, COPY_DATA.SRC_SEL and DST_SEL (soc15d.h; kfd_pm4_headers_ai.h) */
enum {
	SEL_REG = 0,
	SEL_MEM = 1,
	SEL_TC_L2 = 2,
	SEL_IMM = 5, /* as source */
	SEL_MEM_ASYNC = 5,
	SEL_CSA = 8,
	SEL_GPU_CLOCK = 9,
};

static bool is_memory(unsigned dst_sel)
{
	return dst_sel == SEL_MEM || dst_sel == SEL_TC_L2 || dst_sel == SEL_MEM_ASYNC;
}

/* ---- WRITE_DATA ---------------------------------------------------------- */

/* Dword @at of the stream, counted from packet @p, which runs now. */
static bool peek(struct gv_queue *q, const struct gv_pkt *p, uint64_t at, uint32_t *dw)
{
	const struct gv_stream *s = &q->stream[q->depth];

	if (at >= s->end - s->pos)
		return false;
	if (at >= p->n + p->left)
		return !gv_mem_read32(p->mem, s->va + ((s->pos + at) & s->mask) * 4, dw);
	*dw = p->dw[at];
	return true;
}

/* Context-save payloads are written for the IB that follows, in its address space. */
static unsigned vmid_of_next_ib(struct gv_queue *q, const struct gv_pkt *p)
{
	uint64_t at = p->n;
	uint32_t head, size;
	unsigned len;

	for (unsigned n = 0; n < LOOK_AHEAD && peek(q, p, at, &head); n++, at += len) {
		len = gv_pm4_packet_dw(head);
		if (!len)
			break;
		if (GV_GET(head, PM4_HEADER, TYPE) == PM4_TYPE3 &&
		    GV_GET(head, PM4_HEADER, OP) == PM4_INDIRECT_BUFFER &&
		    peek(q, p, at + PM4_INDIRECT_BUFFER__VMID__DW, &size))
			return GV_GET(size, PM4_INDIRECT_BUFFER, VMID);
	}
	return p->vmid;
}

static int write_registers(struct gv_queue *q, const struct gv_pkt *p, bool one)
{
	uint32_t dw = p->dw[2];

	for (unsigned i = 4; i < p->n; i++, dw += !one)
		gv_pm4_reg_write(q, dw, p->dw[i]);
	return 0;
}

static int write_memory(struct gv_queue *q, struct gv_mem *mem, const struct gv_pkt *p, bool one)
{
	uint64_t va = gv_pkt_va(p->dw[2], p->dw[3]);
	int rc = 0;

	if (p->n == 5)
		rc = gv_mem_write32(mem, va, p->dw[4]);
	else if (!one)
		rc = gv_mem_write(mem, va, p->dw + 4, (p->n - 4) * sizeof(uint32_t));
	else
		for (unsigned i = 4; i < p->n && !rc; i++)
			rc = gv_mem_write32(mem, va, p->dw[i]);
	return gv_pm4_mem_rc(q, rc, TC_ERROR);
}

int gv_pm4_write_data(struct gv_queue *q, const struct gv_pkt *p)
{
	unsigned dst = GV_PKT(p, WRITE_DATA, DST_SEL);
	bool one = GV_PKT(p, WRITE_DATA, WR_ONE_ADDR);

	if (dst == SEL_REG)
		return write_registers(q, p, one);
	if (is_memory(dst))
		return write_memory(q, p->mem, p, one);
	if (dst == SEL_CSA)
		return write_memory(q, gv_cp_mem(q->cp, p->vmid ? p->vmid : vmid_of_next_ib(q, p)),
		                    p, one);
	gv_unimplemented(q->fn, "WRITE_DATA to destination %u", dst);
	return 0;
}

/* ---- COPY_DATA ----------------------------------------------------------- */

static int copy_source(struct gv_queue *q, const struct gv_pkt *p, bool wide, uint64_t *val)
{
	uint64_t va = gv_pkt_va(p->dw[2], p->dw[3]);
	uint32_t low = 0;
	int rc = 0;

	switch (GV_PKT(p, COPY_DATA, SRC_SEL)) {
	case SEL_REG:
		*val = gv_pm4_reg_read(q, p->dw[2]);
		if (wide)
			*val |= (uint64_t)gv_pm4_reg_read(q, p->dw[2] + 1) << 32;
		break;
	case SEL_MEM:
	case SEL_TC_L2:
		rc = wide ? gv_mem_read64(p->mem, va, val) : gv_mem_read32(p->mem, va, &low);
		if (!rc && !wide)
			*val = low;
		break;
	case SEL_IMM:
		*val = (uint64_t)p->dw[3] << 32 | p->dw[2];
		break;
	case SEL_GPU_CLOCK:
		*val = gv_dev_clock();
		break;
	default:
		gv_unimplemented(q->fn, "COPY_DATA from source %u", GV_PKT(p, COPY_DATA, SRC_SEL));
		*val = 0;
	}
	return rc;
}

int gv_pm4_copy_data(struct gv_queue *q, const struct gv_pkt *p)
{
	unsigned dst = GV_PKT(p, COPY_DATA, DST_SEL);
	bool wide = GV_PKT(p, COPY_DATA, COUNT_SEL);
	uint64_t va = gv_pkt_va(p->dw[4], p->dw[5]), val = 0;
	int rc = copy_source(q, p, wide, &val);

	if (rc)
		return gv_pm4_mem_rc(q, rc, TC_ERROR);
	if (dst == SEL_REG) {
		gv_pm4_reg_write(q, p->dw[4], (uint32_t)val);
		if (wide)
			gv_pm4_reg_write(q, p->dw[4] + 1, (uint32_t)(val >> 32));
		return 0;
	}
	if (!is_memory(dst)) {
		gv_unimplemented(q->fn, "COPY_DATA to destination %u", dst);
		return 0;
	}
	rc = wide ? gv_mem_write64(p->mem, va, val) : gv_mem_write32(p->mem, va, (uint32_t)val);
	return gv_pm4_mem_rc(q, rc, TC_ERROR);
}

/* ---- WAIT_REG_MEM -------------------------------------------------------- */

int gv_pm4_wait_reg_mem(struct gv_queue *q, const struct gv_pkt *p)
{
	unsigned operation = GV_PKT(p, WAIT_REG_MEM, OPERATION);
	uint32_t ref = GV_PKT(p, WAIT_REG_MEM, REFERENCE), mask = GV_PKT(p, WAIT_REG_MEM, MASK);
	uint32_t val = 0;
	int rc = 0;

	if (operation > 1)
		gv_unimplemented(q->fn, "WAIT_REG_MEM operation %u", operation);
	if (operation == 1) {
		/* write the reference to one register, wait for its bits in the other */
		if (!q->step)
			gv_pm4_reg_write(q, p->dw[2], ref);
		q->step = 1;
		val = gv_pm4_reg_read(q, p->dw[3]);
		ref &= mask;
	} else if (GV_PKT(p, WAIT_REG_MEM, MEM_SPACE) == 1) {
		rc = gv_mem_read32(p->mem, gv_pkt_va(p->dw[2], p->dw[3]), &val);
	} else {
		val = gv_pm4_reg_read(q, p->dw[2]);
	}
	if (rc)
		return gv_pm4_mem_rc(q, rc, TC_ERROR);
	return gv_packet_compare(GV_PKT(p, WAIT_REG_MEM, FUNCTION), val & mask, ref)
	               ? 0
	               : gv_queue_poll(q);
}

/* ---- RELEASE_MEM --------------------------------------------------------- */

static int write_fence(const struct gv_pkt *p)
{
	uint64_t va = gv_pkt_va(p->dw[3], p->dw[4]);

	switch (GV_PKT(p, RELEASE_MEM, DATA_SEL)) {
	case 1:
		return gv_mem_write32(p->mem, va, p->dw[5]);
	case 2:
		return gv_mem_write64(p->mem, va, (uint64_t)p->dw[6] << 32 | p->dw[5]);
	case 3: /* GPU clock */
	case 4: /* system clock: the same counter here */
		return gv_mem_write64(p->mem, va, gv_dev_clock());
	default:
		return 0;
	}
}

int gv_pm4_release_mem(struct gv_queue *q, const struct gv_pkt *p)
{
	unsigned int_sel = GV_PKT(p, RELEASE_MEM, INT_SEL);
	int rc = gv_dispatch_wait(q);

	if (rc)
		return rc;
	if (GV_PKT(p, RELEASE_MEM, DATA_SEL) > 4)
		gv_unimplemented(q->fn, "RELEASE_MEM data %u", GV_PKT(p, RELEASE_MEM, DATA_SEL));
	rc = write_fence(p);
	if (rc)
		return gv_pm4_mem_rc(q, rc, TC_ERROR);
	if (int_sel == 1 || int_sel == 2)
		gv_queue_irq(q, GV_IH_SRC_CP_EOP, p->vmid, GV_PKT(p, RELEASE_MEM, INT_CTXID));
	return 0;
}

/* ---- ATOMIC_MEM, COND_EXEC ----------------------------------------------- */

int gv_pm4_atomic_mem(struct gv_queue *q, const struct gv_pkt *p)
{
	unsigned op = GV_PKT(p, ATOMIC_MEM, ATOMIC);
	uint64_t va = (uint64_t)p->dw[3] << 32 | p->dw[2];
	uint64_t src = (uint64_t)p->dw[5] << 32 | p->dw[4];
	uint64_t cmp = (uint64_t)p->dw[7] << 32 | p->dw[6], old = 0;
	bool loop = GV_PKT(p, ATOMIC_MEM, COMMAND) == 1;
	int rc = gv_mem_atomic(p->mem, va, op, src, cmp, &old);

	if (rc == -EOPNOTSUPP) {
		gv_unimplemented(q->fn, "ATOMIC_MEM operation %u", op);
		return 0;
	}
	if (rc)
		return gv_pm4_mem_rc(q, rc, TC_ERROR);
	/* the loop form waits until the compare-and-swap swapped */
	if (loop && op == GV_TC_CMPSWAP_RTN_32 && (uint32_t)old != (uint32_t)cmp)
		return gv_queue_poll(q);
	if (loop && op == GV_TC_CMPSWAP_RTN_64 && old != cmp)
		return gv_queue_poll(q);
	return 0;
}

int gv_pm4_cond_exec(struct gv_queue *q, const struct gv_pkt *p)
{
	uint32_t val;
	int rc = gv_mem_read32(p->mem, gv_pkt_va(p->dw[1], p->dw[2]), &val);

	if (rc)
		return gv_pm4_mem_rc(q, rc, TC_ERROR);
	if (!val)
		q->stream[q->depth].skip = GV_PKT(p, COND_EXEC, EXEC_COUNT);
	return 0;
}

/* ---- DMA_DATA ------------------------------------------------------------ */

enum { DMA_ADDR = 0, DMA_NOWHERE = 2, DMA_DATA_IMM = 2, DMA_ADDR_L2 = 3, DMA_CHUNK = 1 << 16 };

static int fill_chunk(struct gv_mem *mem, uint64_t dst, uint32_t data, uint64_t *bytes)
{
	uint32_t pattern[1024];

	for (size_t i = 0; i < GV_ARRAY_LEN(pattern); i++)
		pattern[i] = data;
	*bytes = GV_MIN(*bytes, sizeof(pattern));
	return gv_mem_write(mem, dst, pattern, *bytes);
}

static bool dma_supported(const struct gv_pkt *p)
{
	unsigned dst = GV_PKT(p, DMA_DATA, DST_SEL), src = GV_PKT(p, DMA_DATA, SRC_SEL);

	return (dst == DMA_ADDR || dst == DMA_ADDR_L2) &&
	       (src == DMA_ADDR || src == DMA_ADDR_L2 || src == DMA_DATA_IMM) &&
	       !GV_PKT(p, DMA_DATA, SAS) && !GV_PKT(p, DMA_DATA, DAS) &&
	       !GV_PKT(p, DMA_DATA, SAIC) && !GV_PKT(p, DMA_DATA, DAIC);
}

int gv_pm4_dma_data(struct gv_queue *q, const struct gv_pkt *p)
{
	uint64_t dst = (uint64_t)p->dw[5] << 32 | p->dw[4];
	uint64_t src = (uint64_t)p->dw[3] << 32 | p->dw[2];
	uint64_t total = GV_PKT(p, DMA_DATA, BYTE_COUNT), stop, n;
	bool fill = GV_PKT(p, DMA_DATA, SRC_SEL) == DMA_DATA_IMM;
	int rc = 0;

	if (GV_PKT(p, DMA_DATA, DST_SEL) == DMA_NOWHERE)
		return 0; /* a prefetch */
	if (!dma_supported(p)) {
		gv_unimplemented(q->fn, "DMA_DATA control 0x%x command 0x%x", p->dw[1], p->dw[6]);
		return 0;
	}
	stop = GV_MIN(total, q->step + DMA_CHUNK);
	while (q->step < stop && !rc) {
		n = stop - q->step;
		rc = fill ? fill_chunk(p->mem, dst + q->step, (uint32_t)src, &n)
		          : gv_mem_copy(p->mem, dst + q->step, p->mem, src + q->step, n);
		if (!rc)
			q->step += n;
	}
	if (rc)
		return gv_pm4_mem_rc(q, rc, GV_PUT(CP_HQD_ERROR, DMA_DST_UTCL1_ERROR, 1));
	return q->step < total ? -EINPROGRESS : 0;
}
