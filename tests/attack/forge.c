/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "forge.h"

#define RING_DW    4096u
#define DOORBELL   GV_DOORBELL_MEC_RING0
#define SLOT_GRBM  GV_PUT(GRBM_GFX_CNTL, MEID, 1) /* ME1 pipe 0 queue 0 */
#define SCHEDULERS (0x80 | 1 << 5)
#define MAX_EVIL   64u /* pages */

const uint64_t forge_outside[] = {
        ARENA_FB,
        ARENA_FB + 4096,
        ARENA_DEVICE(0) + 5 * GV_MIB,
        ARENA_DEVICE(1),
        ARENA_DEVICE(2) - 4096,
        ARENA_DEVICE(2),
        ARENA_DEVICE(2) + 5 * GV_MIB,
        256 * GV_MIB - 4096,
        256 * GV_MIB,
        4 * GV_GIB - 4096,
        1ull << 40,
        (1ull << 47) - GV_GIB,
};
const size_t forge_num_outside = GV_ARRAY_LEN(forge_outside);

static struct {
	uint64_t wptr;
	uint32_t fence;
	uint64_t sdma_wptr;
	uint32_t sdma_fence;
} f;

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "forge: %s\n", what);
	exit(1);
}

/* ---- memory and registers ---------------------------------------------------- */

void forge_put(uint64_t fb, const void *buf, size_t n)
{
	must(!gv_bus_write(arena_bus(), GV_REGION_VRAM, fb, buf, n), "own memory");
}

void forge_get(uint64_t fb, void *buf, size_t n)
{
	must(!gv_bus_read(arena_bus(), GV_REGION_VRAM, fb, buf, n), "own memory");
}

void forge_put32(uint64_t fb, uint32_t val)
{
	forge_put(fb, &val, sizeof(val));
}

void forge_put64(uint64_t fb, uint64_t val)
{
	forge_put(fb, &val, sizeof(val));
}

uint32_t forge_get32(uint64_t fb)
{
	uint32_t val;

	forge_get(fb, &val, sizeof(val));
	return val;
}

static void fill(uint64_t fb, uint32_t val, size_t bytes)
{
	static uint32_t buf[FORGE_OWN_BYTES / 4];

	for (size_t i = 0; i < bytes / 4; i++)
		buf[i] = val;
	forge_put(fb, buf, bytes);
}

bool forge_own_is_untouched(void)
{
	static uint32_t buf[FORGE_OWN_BYTES / 4];
	bool same = true;

	forge_get(FORGE_OWN, buf, sizeof(buf));
	for (size_t i = 0; i < GV_ARRAY_LEN(buf); i++)
		same &= buf[i] == FORGE_UNTOUCHED;
	return same;
}

void forge_wr(uint32_t byte, uint32_t val)
{
	gv_wr32(arena_bus(), byte, val);
}

uint32_t forge_rd(uint32_t byte)
{
	return gv_rd32(arena_bus(), byte);
}

static void doorbell(uint32_t index, uint64_t val)
{
	gv_doorbell64(arena_bus(), index * 4, val);
}

/* ---- interrupts ----------------------------------------------------------------- */

static void start_ih(void)
{
	fill(FORGE_IH, 0, FORGE_IH_BYTES);
	forge_wr(IH_RB_BASE__BYTE, LO(FORGE_IH >> 8));
	forge_wr(IH_RB_BASE_HI__BYTE, 0);
	forge_wr(IH_RB_RPTR__BYTE, 0);
	forge_wr(IH_RB_CNTL__BYTE, GV_PUT(IH_RB_CNTL, RB_ENABLE, 1) |
	                                   GV_PUT(IH_RB_CNTL, RB_SIZE, 12) |
	                                   GV_PUT(IH_RB_CNTL, MC_SPACE, GV_IH_MC_SPACE_GPU_VA));
}

bool forge_interrupt(unsigned client, unsigned src, struct gv_ih_iv *iv)
{
	uint32_t wptr = GV_GET(forge_rd(IH_RB_WPTR__BYTE), IH_RB_WPTR, OFFSET) * 4;
	struct gv_ih_iv one;
	bool found = false;

	for (uint32_t at = 0; at < GV_MIN(wptr, FORGE_IH_BYTES); at += (uint32_t)sizeof(one)) {
		forge_get(FORGE_IH + at, &one, sizeof(one));
		if (GV_GET(one.dw[0], IH_IV0, CLIENT_ID) != client ||
		    GV_GET(one.dw[0], IH_IV0, SRC_ID) != src)
			continue;
		found = true;
		if (iv)
			*iv = one;
	}
	return found;
}

bool forge_fault_reported(void)
{
	return forge_interrupt(GV_IH_CLIENT_UTCL2, GV_IH_SRC_VM_FAULT, NULL) ||
	       forge_interrupt(GV_IH_CLIENT_VMC, GV_IH_SRC_VM_FAULT, NULL);
}

/* ---- command processor -------------------------------------------------------------- */

static void select_slot(bool on)
{
	forge_wr(GRBM_GFX_CNTL__BYTE, on ? SLOT_GRBM : 0);
}

struct forge_hqd forge_hqd(void)
{
	return (struct forge_hqd){.ring = FORGE_RING,
	                          .rptr_report = FORGE_RPTR,
	                          .wptr_poll = FORGE_WPTR,
	                          .mqd = FORGE_MQD};
}

uint32_t forge_cp_error(void)
{
	uint32_t error;

	select_slot(true);
	error = forge_rd(CP_HQD_ERROR__BYTE);
	select_slot(false);
	return error;
}

/* As drivers do: who asks a queue that is not active may stop the next. */
void forge_cp_stop(void)
{
	select_slot(true);
	if (forge_rd(CP_HQD_ACTIVE__BYTE) & 1) {
		forge_wr(CP_HQD_DEQUEUE_REQUEST__BYTE, 2);
		must(ARENA_UNTIL(!(forge_rd(CP_HQD_ACTIVE__BYTE) & 1)), "queue does not stop");
	}
	select_slot(false);
}

static void write64(uint32_t lo, uint32_t hi, uint64_t val)
{
	forge_wr(lo, LO(val));
	forge_wr(hi, HI(val));
}

static void write_hqd(const struct forge_hqd *h)
{
	forge_wr(CP_HQD_ERROR__BYTE, 0);
	forge_wr(CP_HQD_VMID__BYTE, h->vmid);
	write64(CP_MQD_BASE_ADDR__BYTE, CP_MQD_BASE_ADDR_HI__BYTE, h->mqd);
	write64(CP_HQD_PQ_BASE__BYTE, CP_HQD_PQ_BASE_HI__BYTE, h->ring >> 8);
	write64(CP_HQD_PQ_RPTR_REPORT_ADDR__BYTE, CP_HQD_PQ_RPTR_REPORT_ADDR_HI__BYTE,
	        h->rptr_report);
	write64(CP_HQD_PQ_WPTR_POLL_ADDR__BYTE, CP_HQD_PQ_WPTR_POLL_ADDR_HI__BYTE, h->wptr_poll);
	write64(CP_HQD_EOP_BASE_ADDR__BYTE, CP_HQD_EOP_BASE_ADDR_HI__BYTE, h->eop >> 8);
	write64(CP_HQD_CTX_SAVE_BASE_ADDR_LO__BYTE, CP_HQD_CTX_SAVE_BASE_ADDR_HI__BYTE,
	        h->ctx_save);
	forge_wr(CP_HQD_CTX_SAVE_SIZE__BYTE, h->ctx_bytes);
	forge_wr(CP_HQD_PERSISTENT_STATE__BYTE, h->persistent);
	forge_wr(CP_HQD_WG_STATE_OFFSET__BYTE, h->wg_state_offset);
	forge_wr(CP_HQD_AQL_CONTROL__BYTE, h->aql);
	forge_wr(CP_HQD_PQ_CONTROL__BYTE, GV_PUT(CP_HQD_PQ_CONTROL, QUEUE_SIZE, 11));
	forge_wr(CP_HQD_PQ_DOORBELL_CONTROL__BYTE,
	         GV_PUT(CP_HQD_PQ_DOORBELL_CONTROL, DOORBELL_OFFSET, DOORBELL) |
	                 GV_PUT(CP_HQD_PQ_DOORBELL_CONTROL, DOORBELL_EN, 1));
	forge_wr(CP_HQD_PQ_RPTR__BYTE, 0);
	write64(CP_HQD_PQ_WPTR_LO__BYTE, CP_HQD_PQ_WPTR_HI__BYTE, 0);
}

void forge_cp_start(const struct forge_hqd *h, uint64_t wptr)
{
	const struct forge_hqd own = forge_hqd();

	forge_cp_stop();
	f.wptr = 0;
	forge_put64(FORGE_WPTR, 0);
	forge_wr(CP_MEC_CNTL__BYTE, 0);
	forge_wr(RLC_CP_SCHEDULERS__BYTE, SCHEDULERS);
	forge_wr(CP_MEC_DOORBELL_RANGE_LOWER__BYTE, 0);
	forge_wr(CP_MEC_DOORBELL_RANGE_UPPER__BYTE, 0x450);
	select_slot(true);
	write_hqd(h ? h : &own);
	forge_wr(CP_HQD_ACTIVE__BYTE, 1);
	select_slot(false);
	forge_wr(CP_PQ_STATUS__BYTE, GV_PUT(CP_PQ_STATUS, DOORBELL_ENABLE, 1));
	if (wptr)
		doorbell(DOORBELL, wptr);
}

void forge_cp_more(const uint32_t *dw, size_t n)
{
	must(f.wptr + n <= RING_DW, "ring is full");
	forge_put(FORGE_RING + f.wptr * 4, dw, n * 4);
	f.wptr += n;
	doorbell(DOORBELL, f.wptr);
}

bool forge_cp_reached(uint32_t fence)
{
	return forge_get32(FORGE_FENCE) == fence;
}

static uint32_t emit_fence(void)
{
	const uint32_t dw[] = {
	        gv_pm4_header(PM4_RELEASE_MEM, 7),
	        GV_PUT(PM4_RELEASE_MEM, EVENT_TYPE, PM4_EVENT_CACHE_FLUSH_AND_INV_TS),
	        GV_PUT(PM4_RELEASE_MEM, DATA_SEL, 1),
	        LO(FORGE_FENCE),
	        0,
	        ++f.fence,
	        0,
	        0};

	forge_cp_more(dw, GV_ARRAY_LEN(dw));
	return f.fence;
}

bool forge_cp_on(const struct forge_hqd *h, const uint32_t *dw, size_t n)
{
	uint32_t fence;

	forge_cp_start(h, 0);
	forge_cp_more(dw, n);
	fence = emit_fence();
	if (!ARENA_UNTIL(forge_cp_reached(fence) || forge_cp_error()))
		CU_FAIL("the attacker's queue neither ends nor fails");
	return forge_cp_reached(fence);
}

bool forge_cp_ib(unsigned vmid, const uint32_t *dw, size_t n)
{
	forge_put(FORGE_IB, dw, n * 4);
	return FORGE_CP(gv_pm4_header(PM4_INDIRECT_BUFFER, 3), LO(FORGE_IB), 0,
	                (uint32_t)n | GV_PUT(PM4_INDIRECT_BUFFER, VMID, vmid));
}

/* ---- SDMA --------------------------------------------------------------------------- */

struct forge_rb forge_rb(void)
{
	return (struct forge_rb){.ring = FORGE_SDMA_RING, .rptr_report = FORGE_SDMA_RPTR};
}

static uint32_t rb_cntl(const struct forge_rb *r, bool on)
{
	return GV_PUT(SDMA0_GFX_RB_CNTL, RB_SIZE, 12) |
	       GV_PUT(SDMA0_GFX_RB_CNTL, RB_VMID, r->vmid) |
	       GV_PUT(SDMA0_GFX_RB_CNTL, RPTR_WRITEBACK_ENABLE, r->rptr_report != 0) |
	       GV_PUT(SDMA0_GFX_RB_CNTL, RB_ENABLE, on);
}

static void start_sdma(const struct forge_rb *r)
{
	forge_wr(SDMA0_GFX_RB_CNTL__BYTE, 0);
	write64(SDMA0_GFX_RB_RPTR__BYTE, SDMA0_GFX_RB_RPTR_HI__BYTE, 0);
	write64(SDMA0_GFX_RB_WPTR__BYTE, SDMA0_GFX_RB_WPTR_HI__BYTE, 0);
	write64(SDMA0_GFX_RB_RPTR_ADDR_LO__BYTE, SDMA0_GFX_RB_RPTR_ADDR_HI__BYTE, r->rptr_report);
	write64(SDMA0_GFX_RB_BASE__BYTE, SDMA0_GFX_RB_BASE_HI__BYTE, r->ring >> 8);
	write64(SDMA0_GFX_RB_WPTR_POLL_ADDR_LO__BYTE, SDMA0_GFX_RB_WPTR_POLL_ADDR_HI__BYTE,
	        r->wptr_poll);
	forge_wr(SDMA0_GFX_RB_WPTR_POLL_CNTL__BYTE,
	         GV_PUT(SDMA0_GFX_RB_WPTR_POLL_CNTL, F32_POLL_ENABLE, r->wptr_poll != 0));
	forge_wr(SDMA0_GFX_MINOR_PTR_UPDATE__BYTE, 0);
	forge_wr(SDMA0_GFX_DOORBELL__BYTE, GV_PUT(SDMA0_GFX_DOORBELL, ENABLE, 1));
	forge_wr(SDMA0_GFX_DOORBELL_OFFSET__BYTE,
	         GV_PUT(SDMA0_GFX_DOORBELL_OFFSET, OFFSET, GV_DOORBELL_SDMA0));
	forge_wr(SDMA0_GFX_RB_CNTL__BYTE, rb_cntl(r, true));
	forge_wr(SDMA0_F32_CNTL__BYTE, 0);
	f.sdma_wptr = 0;
}

static bool sdma_is_stuck(void)
{
	return GV_GET(forge_rd(SDMA0_GFX_CONTEXT_STATUS__BYTE), SDMA0_GFX_CONTEXT_STATUS,
	              EXCEPTION);
}

static bool sdma_is_through(void)
{
	return forge_rd(SDMA0_GFX_RB_RPTR__BYTE) == (uint32_t)f.sdma_wptr;
}

bool forge_sdma_wait(void)
{
	if (!ARENA_UNTIL(sdma_is_through() || sdma_is_stuck()))
		CU_FAIL("the attacker's SDMA ring neither ends nor fails");
	return sdma_is_through();
}

static void start_packets(const struct forge_rb *r, const uint32_t *dw, size_t n)
{
	must(n <= RING_DW, "ring is full");
	start_sdma(r);
	forge_put(FORGE_SDMA_RING, dw, n * 4);
	f.sdma_wptr = n * 4;
	doorbell(GV_DOORBELL_SDMA0, f.sdma_wptr);
}

void forge_sdma_start_ib(unsigned vmid, size_t n)
{
	const struct forge_rb own = forge_rb();
	const uint32_t dw[] = {GV_SDMA_HEADER(INDIRECT) | GV_PUT(SDMA_INDIRECT, vmid, vmid),
	                       LO(FORGE_IB),
	                       0,
	                       (uint32_t)n,
	                       0,
	                       0};

	start_packets(&own, dw, GV_ARRAY_LEN(dw));
}

bool forge_sdma_on(const struct forge_rb *how, const uint32_t *dw, size_t n)
{
	const struct forge_rb own = forge_rb();

	start_packets(how ? how : &own, dw, n);
	return forge_sdma_wait();
}

bool forge_sdma_ib(unsigned vmid, const uint32_t *dw, size_t n)
{
	forge_put(FORGE_IB, dw, n * 4);
	forge_sdma_start_ib(vmid, n);
	return forge_sdma_wait();
}

void forge_settle(void)
{
	(void)ARENA_UNTIL(
	        GV_GET(forge_rd(SDMA0_GFX_CONTEXT_STATUS__BYTE), SDMA0_GFX_CONTEXT_STATUS, IDLE) ||
	        sdma_is_stuck());
}

/* ---- page tables ------------------------------------------------------------------------ */

static void write_context(unsigned vmid, const uint32_t *reg, uint32_t stride, uint64_t base,
                          uint64_t bytes, uint32_t cntl)
{
	uint32_t at = vmid * stride;

	write64(reg[0] + at, reg[1] + at, base);
	write64(reg[2] + at, reg[3] + at, 0);
	write64(reg[4] + at, reg[5] + at, (bytes - 1) >> GV_GPU_PAGE_SHIFT);
	forge_wr(reg[6] + vmid * VM_CONTEXT0_CNTL__STRIDE, cntl);
}

#define CONTEXT(p)                                                                                 \
	{                                                                                          \
		p##VM_CONTEXT0_PAGE_TABLE_BASE_ADDR_LO32__BYTE,                                    \
		        p##VM_CONTEXT0_PAGE_TABLE_BASE_ADDR_HI32__BYTE,                            \
		        p##VM_CONTEXT0_PAGE_TABLE_START_ADDR_LO32__BYTE,                           \
		        p##VM_CONTEXT0_PAGE_TABLE_START_ADDR_HI32__BYTE,                           \
		        p##VM_CONTEXT0_PAGE_TABLE_END_ADDR_LO32__BYTE,                             \
		        p##VM_CONTEXT0_PAGE_TABLE_END_ADDR_HI32__BYTE, p##VM_CONTEXT0_CNTL__BYTE   \
	}

void forge_context(unsigned vmid, unsigned depth, uint64_t base, uint64_t bytes)
{
	static const uint32_t gc[] = CONTEXT(), mm[] = CONTEXT(MMHUB_);
	uint32_t cntl = gv_reg_info(GV_REG_VM_CONTEXT0_CNTL)->reset;

	cntl = GV_SET(cntl, VM_CONTEXT0_CNTL, ENABLE_CONTEXT, 1);
	cntl = GV_SET(cntl, VM_CONTEXT0_CNTL, PAGE_TABLE_DEPTH, depth);
	cntl = GV_SET(cntl, VM_CONTEXT0_CNTL, RETRY_PERMISSION_OR_INVALID_PAGE_FAULT, 0);
	write_context(vmid, gc, VM_CONTEXT0_PAGE_TABLE_BASE_ADDR_LO32__STRIDE, base, bytes, cntl);
	write_context(vmid, mm, MMHUB_VM_CONTEXT0_PAGE_TABLE_BASE_ADDR_LO32__STRIDE, base, bytes,
	              cntl);
}

void forge_space(unsigned vmid, const uint64_t *pte, size_t n)
{
	static uint64_t table[FORGE_EVIL / GV_GPU_PAGE + MAX_EVIL];
	size_t own = FORGE_EVIL / GV_GPU_PAGE;

	must(n <= MAX_EVIL, "table");
	for (size_t i = 0; i < own; i++)
		table[i] = i * GV_GPU_PAGE | FORGE_PTE;
	memcpy(table + own, pte, n * sizeof(*pte));
	forge_put(FORGE_TABLE, table, (own + n) * sizeof(*pte));
	forge_context(vmid, 0, FORGE_TABLE | GV_PTE_VALID, (own + n) * GV_GPU_PAGE);
	forge_invalidate();
}

void forge_invalidate(void)
{
	forge_wr(VM_INVALIDATE_ENG0_REQ__BYTE,
	         GV_PUT(VM_INVALIDATE_ENG0_REQ, PER_VMID_INVALIDATE_REQ, 0xffff));
	forge_wr(MMHUB_VM_INVALIDATE_ENG0_REQ__BYTE,
	         GV_PUT(VM_INVALIDATE_ENG0_REQ, PER_VMID_INVALIDATE_REQ, 0xffff));
}

/* ---- shaders ---------------------------------------------------------------------------- */

static size_t set_sh(uint32_t *dw, uint32_t reg_dw, uint32_t val)
{
	dw[0] = gv_pm4_header(PM4_SET_SH_REG, 2);
	dw[1] = reg_dw - PM4_SET_SH_REG_START;
	dw[2] = val;
	return 3;
}

/* SET_SH_REG packets and the DISPATCH into @dw. */
static size_t build_dispatch(const struct forge_shader *s, uint32_t *dw)
{
	uint64_t pgm = s->pgm ? s->pgm : FORGE_CODE;
	uint32_t granule = 512;
	const uint32_t reg[][2] = {
	        {COMPUTE_PGM_LO__DW, LO(pgm >> 8)},
	        {COMPUTE_PGM_HI__DW, HI(pgm >> 8)},
	        {COMPUTE_PGM_RSRC1__DW,
	         GV_PUT(COMPUTE_PGM_RSRC1, VGPRS, s->vgprs ? (s->vgprs - 1) / 4 : 3) |
	                 GV_PUT(COMPUTE_PGM_RSRC1, SGPRS, 5) |
	                 GV_PUT(COMPUTE_PGM_RSRC1, FLOAT_MODE, 0xc0)},
	        {COMPUTE_PGM_RSRC2__DW, GV_PUT(COMPUTE_PGM_RSRC2, USER_SGPR, 8) |
	                                        GV_PUT(COMPUTE_PGM_RSRC2, LDS_SIZE,
	                                               (s->lds_bytes + granule - 1) / granule)},
	        {COMPUTE_NUM_THREAD_X__DW, s->items ? s->items : 64},
	        {COMPUTE_NUM_THREAD_Y__DW, 1},
	        {COMPUTE_NUM_THREAD_Z__DW, 1},
	        {COMPUTE_START_X__DW, 0},
	        {COMPUTE_START_Y__DW, 0},
	        {COMPUTE_START_Z__DW, 0},
	};
	size_t n = 0;

	for (size_t i = 0; i < GV_ARRAY_LEN(reg); i++)
		n += set_sh(dw + n, reg[i][0], reg[i][1]);
	for (uint32_t i = 0; i < 8; i++)
		n += set_sh(dw + n, COMPUTE_USER_DATA_0__DW + i, s->user[i]);
	dw[n++] = gv_pm4_header(PM4_DISPATCH_DIRECT, 4);
	dw[n++] = 1;
	dw[n++] = 1;
	dw[n++] = 1;
	dw[n++] = GV_PUT(COMPUTE_DISPATCH_INITIATOR, COMPUTE_SHADER_EN, 1);
	return n;
}

bool forge_run(const struct forge_shader *s)
{
	uint32_t dw[128];
	size_t n = build_dispatch(s, dw);

	if (s->code)
		forge_put(FORGE_CODE, s->code, s->n * 4);
	return s->vmid ? forge_cp_ib(s->vmid, dw, n) : forge_cp_on(NULL, dw, n);
}

void forge_start_endless(const uint32_t *code, size_t n, uint64_t at)
{
	struct forge_shader s = {.items = 64, .user = {0, 0, LO(at), HI(at)}};
	uint32_t dw[128];

	forge_put(FORGE_CODE, code, n * 4);
	forge_cp_start(NULL, 0);
	forge_cp_more(dw, build_dispatch(&s, dw));
}

/* ---- life --------------------------------------------------------------------------------- */

void forge_begin(void)
{
	memset(&f, 0, sizeof(f));
	fill(FORGE_OWN, FORGE_UNTOUCHED, FORGE_OWN_BYTES);
	fill(FORGE_RING, 0, FORGE_OWN_BYTES);
	forge_put32(FORGE_FENCE, 0);
	start_ih();
}
