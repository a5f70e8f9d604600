/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PM4: fetch, decode, which packets there are, and those that only touch registers. */
#include <string.h>

#include "cp.h"

/* ---- registers as packets see them --------------------------------------- */

static bool is_sh(uint32_t dw)
{
	return dw - COMPUTE_DISPATCH_INITIATOR__DW < GV_SH_COUNT;
}

/* CP_INT_CNTL_RING0, CPC_INT_CNTL and those of the pipes have the same fields. */
static uint32_t interrupts_of(const struct gv_queue *q)
{
	unsigned pipe = q->slot / GV_NUM_QUEUE;
	enum gv_reg bank =
	        pipe < GV_NUM_PIPE ? GV_REG_CP_ME1_PIPE0_INT_CNTL : GV_REG_CP_ME2_PIPE0_INT_CNTL;

	if (gv_queue_is_gfx(q))
		return GV_RGET(q->fn, CP_INT_CNTL_RING0);
	return gv_reg_get(q->fn, bank, pipe % GV_NUM_PIPE) | GV_RGET(q->fn, CPC_INT_CNTL);
}

/* A privileged register raises an interrupt where the driver enabled it. */
static void refuse_register(struct gv_queue *q, uint32_t dw, const char *what)
{
	uint32_t enable = interrupts_of(q);

	gv_guest_error(q->fn, "queue %u: packet %s register dword 0x%x", q->slot, what, dw);
	if (GV_GET(enable, CPC_INT_CNTL, PRIV_REG_INT_ENABLE))
		gv_queue_irq(q, GV_IH_SRC_CP_PRIV_REG, q->stream[q->depth].vmid, dw);
}

static bool may_access(struct gv_queue *q, uint32_t dw, bool write)
{
	int reg = dw < GV_BAR5_BYTES / 4 ? gv_reg_at(dw * 4, NULL) : -ERANGE;
	enum gv_access access;

	if (reg == -ERANGE) {
		refuse_register(q, dw, "names no");
		return false;
	}
	if (reg < 0)
		return true; /* unknown: counted where registers are */
	access = gv_fn_is_vf(q->fn) ? gv_reg_info((enum gv_reg)reg)->vf
	                            : gv_reg_info((enum gv_reg)reg)->pf;
	if (access == GV_NONE || (write && access == GV_RO)) {
		refuse_register(q, dw, write ? "writes" : "reads");
		return false;
	}
	return true;
}

uint32_t gv_pm4_reg_read(struct gv_queue *q, uint32_t dw)
{
	if (is_sh(dw))
		return q->sh[dw - COMPUTE_DISPATCH_INITIATOR__DW];
	if (!may_access(q, dw, false))
		return 0;
	return gv_mmio_read32(q->fn, dw * 4, GV_ORIGIN_ENGINE);
}

/* COMPUTE_* belong to the queue; the register file shows, a slice later, what was written last. */
static void write_sh(struct gv_queue *q, uint32_t dw, const uint32_t *val, unsigned count)
{
	memcpy(&q->sh[dw - COMPUTE_DISPATCH_INITIATOR__DW], val, count * sizeof(*val));
	q->sh_news = true;
}

void gv_pm4_show_sh(struct gv_queue *q)
{
	q->sh_news = false;
	for (uint32_t n = 0; n < GV_SH_COUNT; n++) {
		uint32_t i;
		int reg = gv_reg_at((COMPUTE_DISPATCH_INITIATOR__DW + n) * 4, &i);

		if (reg >= 0)
			gv_reg_put(q->fn, (enum gv_reg)reg, i, q->sh[n]);
	}
}

void gv_pm4_reg_write(struct gv_queue *q, uint32_t dw, uint32_t val)
{
	const uint32_t generic = GV_PUT(CPC_INT_STATUS, GENERIC0_INT_STATUS, 1) |
	                         GV_PUT(CPC_INT_STATUS, GENERIC1_INT_STATUS, 1) |
	                         GV_PUT(CPC_INT_STATUS, GENERIC2_INT_STATUS, 1);

	if (is_sh(dw)) {
		write_sh(q, dw, &val, 1);
		return;
	}
	if (dw == CPC_INT_STATUS__DW) {
		/* the KIQ's fence interrupt; delivered at once, so the status stays 0 */
		if (val & generic)
			gv_queue_irq(q, GV_IH_SRC_CP_IB2, q->stream[q->depth].vmid, val);
		return;
	}
	if (may_access(q, dw, true))
		gv_mmio_write32(q->fn, dw * 4, val, GV_ORIGIN_ENGINE);
}

static int set_regs(struct gv_queue *q, const struct gv_pkt *p, uint32_t start, uint32_t end)
{
	uint32_t dw = start + GV_PKT(p, SET_SH_REG, REG_OFFSET);

	if (p->n > 2 && is_sh(dw) && is_sh(dw + p->n - 3)) {
		write_sh(q, dw, p->dw + 2, p->n - 2);
		return 0;
	}
	for (unsigned i = 2; i < p->n; i++, dw++) {
		if (dw >= end) {
			gv_guest_error(q->fn, "queue %u: SET_REG leaves its window", q->slot);
			break;
		}
		gv_pm4_reg_write(q, dw, p->dw[i]);
	}
	return 0;
}

static int set_config_reg(struct gv_queue *q, const struct gv_pkt *p)
{
	return set_regs(q, p, PM4_SET_CONFIG_REG_START, PM4_SET_CONFIG_REG_END);
}

static int set_sh_reg(struct gv_queue *q, const struct gv_pkt *p)
{
	return set_regs(q, p, PM4_SET_SH_REG_START, PM4_SET_SH_REG_END);
}

static int set_context_reg(struct gv_queue *q, const struct gv_pkt *p)
{
	return set_regs(q, p, PM4_SET_CONTEXT_REG_START, PM4_SET_CONTEXT_REG_END);
}

static int set_uconfig_reg(struct gv_queue *q, const struct gv_pkt *p)
{
	return set_regs(q, p, PM4_SET_UCONFIG_REG_START, PM4_SET_UCONFIG_REG_END);
}

/* ---- control ------------------------------------------------------------- */

/* Packets that order or hint what this model does in order anyway. */
static int nothing(struct gv_queue *q, const struct gv_pkt *p)
{
	(void)q;
	(void)p;
	return 0;
}

/* There is no graphics pipeline. What waits for a draw finds it done. */
static int draw(struct gv_queue *q, const struct gv_pkt *p)
{
	gv_unimplemented(q->fn, "%s", gv_pm4_name(GV_GET(p->dw[0], PM4_HEADER, OP)));
	return 0;
}

static int event_write(struct gv_queue *q, const struct gv_pkt *p)
{
	switch (GV_PKT(p, EVENT_WRITE, EVENT_TYPE)) {
	case PM4_EVENT_CS_PARTIAL_FLUSH:
	case PM4_EVENT_CS_DONE:
		return gv_dispatch_wait(q);
	default:
		return 0; /* cache and counter events */
	}
}

/* MAP_PROCESS stands in run lists (hws.c). */
static int no_list(struct gv_queue *q, const struct gv_pkt *p)
{
	return gv_queue_fail(q, GV_PUT(CP_HQD_ERROR, AQL_ERROR, 1), GV_IH_SRC_CP_BAD_OPCODE,
	                     gv_pm4_name(GV_GET(p->dw[0], PM4_HEADER, OP)));
}

struct gv_stream gv_pm4_ib_stream(const struct gv_stream *from, const uint32_t *dw)
{
	return (struct gv_stream){
	        .va = gv_pkt_va(dw[1], dw[2]),
	        .end = GV_GET(dw[3], PM4_INDIRECT_BUFFER, IB_SIZE),
	        .mask = GV_IB_MASK,
	        .vmid = from->vmid ? from->vmid : (uint8_t)GV_GET(dw[3], PM4_INDIRECT_BUFFER, VMID),
	};
}

static int indirect_buffer(struct gv_queue *q, const struct gv_pkt *p)
{
	const struct gv_stream *from = &q->stream[q->depth];
	bool chain = GV_PKT(p, INDIRECT_BUFFER, CHAIN) && q->depth > 0;

	if (!chain && q->depth == GV_IB_DEPTH)
		return gv_queue_fail(q, GV_PUT(CP_HQD_ERROR, AQL_ERROR, 1), GV_IH_SRC_CP_BAD_OPCODE,
		                     "IBs nested too deep");
	q->enter = gv_pm4_ib_stream(from, p->dw);
	q->enter_chain = chain;
	return 0;
}

static const struct {
	gv_pkt_fn *run;
	unsigned min_dw;
	bool gfx; /* on the graphics ring only */
} ops[256] = {
#define ROW(name, fn)     [PM4_##name] = {fn, PM4_##name##__MIN_DW, false}
#define ROW_GFX(name, fn) [PM4_##name] = {fn, PM4_##name##__MIN_DW, true}
        ROW(NOP, nothing),
        ROW(SET_BASE, nothing),
        ROW(CLEAR_STATE, nothing),
        ROW(DISPATCH_DIRECT, gv_pm4_dispatch_direct),
        ROW(DISPATCH_INDIRECT, gv_pm4_dispatch_indirect),
        ROW(ATOMIC_MEM, gv_pm4_atomic_mem),
        ROW(COND_EXEC, gv_pm4_cond_exec),
        ROW(CONTEXT_CONTROL, nothing),
        ROW(WRITE_DATA, gv_pm4_write_data),
        ROW(WAIT_REG_MEM, gv_pm4_wait_reg_mem),
        ROW(INDIRECT_BUFFER, indirect_buffer),
        ROW(COPY_DATA, gv_pm4_copy_data),
        ROW(PFP_SYNC_ME, nothing),
        ROW(EVENT_WRITE, event_write),
        ROW(RELEASE_MEM, gv_pm4_release_mem),
        ROW(PREAMBLE_CNTL, nothing),
        ROW(DMA_DATA, gv_pm4_dma_data),
        ROW(ACQUIRE_MEM, nothing),
        ROW(SET_CONFIG_REG, set_config_reg),
        ROW(SET_CONTEXT_REG, set_context_reg),
        ROW(SET_SH_REG, set_sh_reg),
        ROW(SET_UCONFIG_REG, set_uconfig_reg),
        ROW(SWITCH_BUFFER, nothing),
        ROW(FRAME_CONTROL, nothing),
        ROW(INVALIDATE_TLBS, gv_kiq_invalidate_tlbs),
        ROW(SET_RESOURCES, gv_kiq_set_resources),
        ROW(MAP_PROCESS, no_list),
        ROW(MAP_QUEUES, gv_kiq_map_queues),
        ROW(UNMAP_QUEUES, gv_unmap_queues),
        ROW(QUERY_STATUS, gv_kiq_query_status),
        ROW(RUN_LIST, gv_hws_run_list),
        ROW_GFX(SET_PREDICATION, nothing),
        ROW_GFX(INDEX_BUFFER_SIZE, nothing),
        ROW_GFX(INDEX_BASE, nothing),
        ROW_GFX(INDEX_TYPE, nothing),
        ROW_GFX(NUM_INSTANCES, nothing),
        ROW_GFX(INDIRECT_BUFFER_CONST, indirect_buffer),
        ROW_GFX(DRAW_INDIRECT, draw),
        ROW_GFX(DRAW_INDEX_INDIRECT, draw),
        ROW_GFX(DRAW_INDEX_2, draw),
        ROW_GFX(DRAW_INDIRECT_MULTI, draw),
        ROW_GFX(DRAW_INDEX_AUTO, draw),
        ROW_GFX(DRAW_INDEX_MULTI_AUTO, draw),
        ROW_GFX(DRAW_INDEX_OFFSET_2, draw),
        ROW_GFX(DRAW_INDEX_INDIRECT_MULTI, draw),
        ROW_GFX(STRMOUT_BUFFER_UPDATE, draw),
#undef ROW
#undef ROW_GFX
};

int gv_pm4_mem_rc(struct gv_queue *q, int rc, uint32_t error_bits)
{
	if (!rc || rc == -EAGAIN)
		return rc;
	return gv_queue_fail(q, error_bits, 0,
	                     rc == -EFAULT ? "page fault" : "memory access refused");
}

/* ---- fetch and run ------------------------------------------------------- */

static int run_packet(struct gv_queue *q, const struct gv_pkt *p)
{
	unsigned op = GV_GET(p->dw[0], PM4_HEADER, OP);

	/* Compute queues have no predicate to be false (SET_PREDICATION is a graphics packet), so
	 * the predicate bit does not skip. */
	if (GV_GET(p->dw[0], PM4_HEADER, TYPE) == PM4_TYPE2)
		return 0;
	if (!ops[op].run || (ops[op].gfx && !gv_queue_is_gfx(q)))
		return gv_queue_fail(q, GV_PUT(CP_HQD_ERROR, AQL_ERROR, 1), GV_IH_SRC_CP_BAD_OPCODE,
		                     "unknown packet");
	if (p->n - 1 < ops[op].min_dw)
		return gv_queue_fail(q, GV_PUT(CP_HQD_ERROR, AQL_ERROR, 1),
		                     GV_IH_SRC_CP_RESERVED_BIT, "packet too short");
	return ops[op].run(q, p);
}

/* The packet of @len dwords at the head of stream @s is over. */
static void advance(struct gv_queue *q, struct gv_stream *s, unsigned len)
{
	uint64_t start = s->pos;

	q->blocked_dw = 0;
	q->step = q->backoff = q->retry_at = 0;
	s->pos += len;
	if (!q->enter.end)
		return;
	if (q->depth == 0)
		q->ib_start = start;
	if (!q->enter_chain)
		q->depth++;
	q->stream[q->depth] = q->enter;
	q->enter.end = 0;
}

static void keep_blocked(struct gv_queue *q, const struct gv_pkt *p)
{
	unsigned n = GV_MIN(p->n, (unsigned)GV_BLOCKED_DW);

	if (q->blocked_dw)
		return;
	memcpy(q->blocked, p->dw, n * sizeof(uint32_t));
	q->blocked_dw = n;
	q->blocked_len = p->n;
}

/* Run one packet and note what became of it. */
static int step_packet(struct gv_queue *q, const struct gv_pkt *p, unsigned len)
{
	int rc = run_packet(q, p);

	q->in_progress = rc == -EINPROGRESS;
	if (!rc)
		advance(q, &q->stream[q->depth], len);
	else if (rc == -EAGAIN || rc == -EINPROGRESS)
		keep_blocked(q, p);
	return rc;
}

static int retry_blocked(struct gv_queue *q)
{
	uint8_t vmid = q->stream[q->depth].vmid;
	struct gv_pkt p = {
	        .dw = q->blocked, .n = q->blocked_dw, .vmid = vmid, .mem = gv_cp_mem(q->cp, vmid)};

	return step_packet(q, &p, q->blocked_len);
}

/* Copy @n dwords from the head of @s; a ring goes on at its start. */
static int fetch(struct gv_queue *q, const struct gv_stream *s, unsigned n)
{
	struct gv_mem *mem = gv_cp_mem(q->cp, s->vmid);
	uint64_t at = s->pos & s->mask;
	uint64_t first = GV_MIN((uint64_t)n, s->mask - at + 1);
	int rc = gv_mem_read(mem, s->va + at * 4, q->cp->fetch, first * 4);

	if (!rc && first < n)
		rc = gv_mem_read(mem, s->va, q->cp->fetch + first, (n - first) * 4);
	return gv_pm4_mem_rc(q, rc,
	                     q->depth ? GV_PUT(CP_HQD_ERROR, IB_UTCL1_ERROR, 1)
	                              : GV_PUT(CP_HQD_ERROR, PQ_UTCL1_ERROR, 1));
}

/* A packet that is longer than what is there: the rest of a ring may still come. */
static int incomplete(struct gv_queue *q, const struct gv_stream *s, unsigned len)
{
	if (q->depth == 0 && len <= s->mask + 1)
		return -ENODATA;
	return gv_queue_fail(q, GV_PUT(CP_HQD_ERROR, AQL_ERROR, 1), GV_IH_SRC_CP_RESERVED_BIT,
	                     "packet ends behind its buffer");
}

/* Run what one fetch brings, at most *@budget. 0: call again; else as gv_pkt_fn, or -ENODATA. */
static int run_fetched(struct gv_queue *q, unsigned *budget, unsigned want)
{
	struct gv_stream *s = &q->stream[q->depth];
	uint64_t avail = s->end - s->pos;
	unsigned n = (unsigned)GV_MIN(avail, (uint64_t)want), off = 0, len;
	struct gv_mem *mem = gv_cp_mem(q->cp, s->vmid);
	int rc = fetch(q, s, n);

	while (!rc && off < n && *budget && s == &q->stream[q->depth]) {
		struct gv_pkt p = {.dw = q->cp->fetch + off, .vmid = s->vmid, .mem = mem};

		len = gv_pm4_packet_dw(p.dw[0]);
		if (!len)
			return gv_queue_fail(q, GV_PUT(CP_HQD_ERROR, AQL_ERROR, 1),
			                     GV_IH_SRC_CP_RESERVED_BIT, "not a type-3 packet");
		if (len > avail - off)
			return incomplete(q, s, len);
		if (len > n - off) /* fetch again from here, at least this packet */
			return off ? 0 : run_fetched(q, budget, GV_PM4_MAX_DW);
		p.n = len;
		p.left = n - off - len;
		rc = step_packet(q, &p, len);
		off += len;
		*budget -= GV_MIN(*budget, 1 + len / 64);
		if (s->skip || s->pos == 0)
			break; /* COND_EXEC, or a chained IB took this stream's place */
	}
	return rc;
}

/* Leave finished IBs, and what COND_EXEC skips. */
static void settle(struct gv_queue *q)
{
	struct gv_stream *s = &q->stream[q->depth];
	uint64_t skip = GV_MIN((uint64_t)s->skip, s->end - s->pos);

	s->pos += skip;
	s->skip -= (uint32_t)skip;
	while (q->depth && q->stream[q->depth].pos >= q->stream[q->depth].end)
		q->depth--;
}

static int run_some(struct gv_queue *q, unsigned *budget)
{
	settle(q);
	if ((q->draining || q->hold) && gv_hqd_at_rest(q))
		return -ENODATA;
	if (q->stream[q->depth].pos == q->stream[q->depth].end)
		return q->depth ? 0 : -ENODATA;
	if (!q->aql || q->depth)
		return run_fetched(q, budget, GV_FETCH_DW);
	(*budget)--;
	return gv_aql_run(q);
}

enum gv_run gv_pm4_run(struct gv_queue *q)
{
	unsigned budget = GV_SLICE_PACKETS;
	int rc = 0;

	gv_dispatch_reap(q);
	if (q->halted)
		return GV_RUN_IDLE;
	if (q->blocked_dw) {
		if (q->retry_at != UINT64_MAX && q->retry_at > gv_now_ns())
			return GV_RUN_WAIT;
		if ((q->draining || q->hold) && gv_hqd_at_rest(q))
			return GV_RUN_IDLE;
		rc = retry_blocked(q);
	}
	while (!rc && budget && !q->halted && !gv_fn_stopping(q->fn))
		rc = run_some(q, &budget);
	atomic_fetch_add_explicit(&q->fn->count.packets, GV_SLICE_PACKETS - budget,
	                          memory_order_relaxed);
	switch (rc) {
	case 0:
	case -EINPROGRESS:
		return GV_RUN_MORE;
	case -EAGAIN:
		return GV_RUN_WAIT;
	default:
		return GV_RUN_IDLE; /* no data, or failed */
	}
}
