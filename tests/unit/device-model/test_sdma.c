/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every packet does what it says. */
#include "sdma_rig.h"
#include "ut.h"

#define SRC (DATA_FB)
#define DST (DATA_FB + 8 * GV_MIB)

static uint64_t errors(struct sdma_rig *r)
{
	return atomic_load(&r->f->count.guest_errors);
}
static uint64_t unimplemented(struct sdma_rig *r)
{
	return atomic_load(&r->f->count.unimplemented);
}

static void emit_copy(struct sdma_rig *r, uint64_t dst, uint64_t src, uint64_t n)
{
	EMIT(r, GV_SDMA_HEADER(COPY_LINEAR), (uint32_t)(n - 1), 0, LO(src), HI(src), LO(dst),
	     HI(dst));
}

static void a_queue_runs_fences_and_reports_its_read_pointer(void)
{
	struct sdma_rig r;

	rig_sdma_open(&r);
	CU_ASSERT(rig_sync(&r));
	CU_ASSERT(rig_wait32(r.f, WB_FB, (uint32_t)r.wptr, 1000));
	CU_ASSERT_EQUAL(rig_qrd(&r, rig_q(&r)->rb_rptr), r.wptr);
	CU_ASSERT(rig_qrd(&r, GV_REG_SDMA0_STATUS_REG) & gv_mask(SDMA0_STATUS_REG__IDLE__LO, 1));
	CU_ASSERT_EQUAL(rig_qrd(&r, rig_q(&r)->context_status), 5);
	rig_sdma_close(&r);
}

static void both_engines_and_all_queues_run(void)
{
	struct sdma_rig r;

	rig_sdma_open(&r);
	for (unsigned e = 0; e < SDMA_ENGINES; e++)
		for (unsigned q = 0; q < SDMA_QUEUES; q++) {
			uint32_t off = GV_PUT(SDMA0_GFX_RB_CNTL, RB_SIZE, RING_LOG2);

			rig_start_queue(&r, e, q, 0x400 + e * 16 + q * 2, 0);
			CU_ASSERT(rig_sync(&r));
			rig_qwr(&r, rig_q(&r)->rb_cntl, off);
		}
	rig_sdma_close(&r);
}

static void linear_copies_equal_memcpy_at_random_places(void)
{
	struct sdma_rig r;
	uint64_t s = 88172645463325252ull;
	uint8_t *ref = malloc(8 * GV_MIB), *got = malloc(8 * GV_MIB);

	rig_sdma_open(&r);
	rig_fill_random(r.f, SRC, 8 * GV_MIB, 3);
	rig_fill_random(r.f, DST, 8 * GV_MIB, 4);
	rig_get(r.f, DST, ref, 8 * GV_MIB);
	for (unsigned i = 0; i < 60; i++) {
		uint64_t max = i % 3 ? 70000 : 4 * GV_MIB, n = rig_random(&s) % max + 1;
		uint64_t from = rig_random(&s) % (8 * GV_MIB - n);
		uint64_t to = rig_random(&s) % (8 * GV_MIB - n);

		emit_copy(&r, DST + to, SRC + from, n);
		rig_get(r.f, SRC + from, ref + to, n);
	}
	CU_ASSERT(rig_sync_within(&r, 20000));
	rig_get(r.f, DST, got, 8 * GV_MIB);
	CU_ASSERT_EQUAL(memcmp(ref, got, 8 * GV_MIB), 0);
	free(ref);
	free(got);
	rig_sdma_close(&r);
}

static void a_broadcast_writes_both_places(void)
{
	struct sdma_rig r;
	uint64_t d2 = DST + 2 * GV_MIB + 4;

	rig_sdma_open(&r);
	rig_fill_random(r.f, SRC, GV_MIB, 9);
	EMIT(&r, GV_SDMA_HEADER(COPY_LINEAR) | GV_PUT(SDMA_COPY_LINEAR, broadcast, 1), GV_MIB - 1,
	     0, LO(SRC), 0, LO(DST), 0, LO(d2), 0);
	CU_ASSERT(rig_sync(&r));
	CU_ASSERT(rig_same(r.f, SRC, DST, GV_MIB));
	CU_ASSERT(rig_same(r.f, SRC, d2, GV_MIB));
	rig_sdma_close(&r);
}

static void physical_copies_reach_bus_and_frame_buffer(void)
{
	struct sdma_rig r;
	uint64_t back = DST + 4096;

	rig_sdma_open(&r);
	rig_fill_random(r.f, SRC, 65536, 5);
	EMIT(&r, GV_SDMA_HEADER(COPY_PHYSICAL_LINEAR), 65535,
	     GV_PUT(SDMA_COPY_PHYSICAL_LINEAR, dst_sys, 1), LO(SRC), 0, LO(RIG_IOVA), HI(RIG_IOVA));
	EMIT(&r, GV_SDMA_HEADER(COPY_PHYSICAL_LINEAR), 65535,
	     GV_PUT(SDMA_COPY_PHYSICAL_LINEAR, src_sys, 1), LO(RIG_IOVA), HI(RIG_IOVA), LO(back),
	     0);
	CU_ASSERT(rig_sync(&r));
	CU_ASSERT(rig_same(r.f, SRC, back, 65536));
	CU_ASSERT_EQUAL(*(uint32_t *)(void *)r.mem.sys[1], rig_get32(r.f, SRC));
	rig_sdma_close(&r);
}

static void a_sub_window_copies_the_box(void)
{
	struct sdma_rig r;
	const unsigned e = 2, pitch = 100, slice = 3000, w = 17, h = 9, d = 3;
	bool same = true;

	rig_sdma_open(&r);
	rig_fill_random(r.f, SRC, 65536, 6);
	EMIT(&r,
	     GV_SDMA_HEADER(COPY_LINEAR_SUBWIN) | GV_PUT(SDMA_COPY_LINEAR_SUBWIN, elementsize, e),
	     LO(SRC), 0, 5u | 7u << 16, 1u | (pitch - 1) << 13, slice - 1, LO(DST), 0,
	     2u | 3u << 16, 0u | (pitch * 2 - 1) << 13, slice * 2 - 1, (w - 1) | (h - 1) << 16,
	     d - 1);
	CU_ASSERT(rig_sync(&r));
	for (unsigned z = 0; z < d; z++)
		for (unsigned y = 0; y < h; y++)
			for (unsigned x = 0; x < w; x++) {
				uint64_t s = ((z + 1) * slice + (y + 7) * pitch + x + 5) * 4ull;
				uint64_t t = (z * slice * 2 + (y + 3) * pitch * 2 + x + 2) * 4ull;

				same &= rig_get32(r.f, SRC + s) == rig_get32(r.f, DST + t);
			}
	CU_ASSERT(same);
	CU_ASSERT_EQUAL(rig_get32(r.f, DST + (3 * pitch * 2 + w + 2) * 4ull), 0);
	rig_sdma_close(&r);
}

static void writes_take_their_data_from_the_stream(void)
{
	struct sdma_rig r;

	rig_sdma_open(&r);
	/* bring the pointers near the end of the ring: the packet wraps */
	EMIT(&r, GV_SDMA_HEADER(NOP) | GV_PUT(SDMA_NOP, count, RING_BYTES / 4 - 6 - 1));
	r.wptr = RING_BYTES - 24;
	rig_kick(&r);
	CU_ASSERT(rig_wait32(r.f, WB_FB, RING_BYTES - 24, 5000));
	EMIT(&r, GV_SDMA_HEADER(WRITE_UNTILED), LO(DST), 0, 4, 11, 22, 33, 44, 55);
	CU_ASSERT(rig_sync(&r));
	for (unsigned i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(rig_get32(r.f, DST + 4 * i), (i + 1) * 11);
	CU_ASSERT_EQUAL(rig_get32(r.f, DST + 20), 0);
	rig_sdma_close(&r);
}

static void page_table_entries_are_generated(void)
{
	struct sdma_rig r;
	const unsigned n = 200000;
	bool right = true;

	rig_sdma_open(&r);
	EMIT(&r, GV_SDMA_HEADER(WRITE_INCR), LO(DST), 0, 0x73, 0x2000000, 0x5000, 1, 0x1000, 0,
	     n - 1);
	CU_ASSERT(rig_sync(&r));
	for (unsigned i = 0; i < n; i += 97)
		right &= rig_get64(r.f, DST + 8ull * i) ==
		         (0x200000000000073ull | (0x100005000ull + i * 0x1000ull));
	CU_ASSERT(right);
	CU_ASSERT_EQUAL(rig_get64(r.f, DST + 8ull * n), 0);
	rig_put64(r.f, SRC, 0x1111222233334444ull);
	rig_put64(r.f, DST, 0xaaaabbbbccccddddull);
	EMIT(&r, GV_SDMA_HEADER(PTEPDE_COPY), LO(SRC), 0, LO(DST), 0, 0xffff0000, 0xffff, 0);
	EMIT(&r, GV_SDMA_HEADER(PTEPDE_RMW), LO(SRC), 0, 0xff, 0, 0x55, 0);
	CU_ASSERT(rig_sync(&r));
	CU_ASSERT_EQUAL(rig_get64(r.f, DST), 0xaaaa22223333ddddull);
	CU_ASSERT_EQUAL(rig_get64(r.f, SRC), 0x1111222233334455ull);
	rig_sdma_close(&r);
}

static void fills_have_all_sizes(void)
{
	struct sdma_rig r;
	const uint32_t want[3] = {0x78787878, 0x56785678, 0x12345678};

	rig_sdma_open(&r);
	for (unsigned size = 0; size < 3; size++) {
		uint64_t at = DST + size * GV_MIB * 3;

		EMIT(&r, GV_SDMA_HEADER(CONSTANT_FILL) | GV_PUT(SDMA_CONSTANT_FILL, fillsize, size),
		     LO(at + 64), 0, 0x12345678, 2 * GV_MIB + 4096 - 1);
		CU_ASSERT(rig_sync(&r));
		CU_ASSERT_EQUAL(rig_get32(r.f, at + 60), 0);
		CU_ASSERT_EQUAL(rig_get32(r.f, at + 64), want[size]);
		CU_ASSERT_EQUAL(rig_get32(r.f, at + 64 + GV_MIB), want[size]);
		CU_ASSERT_EQUAL(rig_get32(r.f, at + 60 + 2 * GV_MIB + 4096), want[size]);
		CU_ASSERT_EQUAL(rig_get32(r.f, at + 64 + 2 * GV_MIB + 4096), 0);
	}
	EMIT(&r, GV_SDMA_HEADER(DATA_FILL_MULTI), 4096, 3, LO(DST + 128), 0, 63);
	CU_ASSERT(rig_sync(&r));
	for (unsigned i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(rig_get32(r.f, DST + 124 + i * 4096), want[0]);
		CU_ASSERT_EQUAL(rig_get32(r.f, DST + 188 + i * 4096), i < 3 ? 0 : want[0]);
		CU_ASSERT_EQUAL(rig_get32(r.f, DST + 192 + i * 4096), want[0]);
	}
	rig_sdma_close(&r);
}

static void an_ib_runs_in_its_own_vmid(void)
{
	struct sdma_rig r;
	const uint64_t ib = DATA_FB, table = DATA_FB + 0x10000, page = DATA_FB + 0x20000;
	const uint32_t body[] = {GV_SDMA_HEADER(WRITE_UNTILED),
	                         0x3000,
	                         0,
	                         0,
	                         0xabcd,
	                         GV_SDMA_HEADER(NOP),
	                         GV_SDMA_HEADER(NOP),
	                         GV_SDMA_HEADER(NOP)};

	rig_sdma_open(&r);
	rig_put(r.f, page + 4096, body, sizeof(body)); /* VA 0x1000 of VMID 5 */
	rig_put(r.f, ib, body, 0);
	for (unsigned i = 0; i < 4; i++)
		rig_put64(r.f, table + 8 * i, (page + i * 4096) | RIG_PTE);
	rig_context(r.f, 5, 0, table | GV_PTE_VALID, 0, 0x3fff);
	EMIT(&r, GV_SDMA_HEADER(INDIRECT) | GV_PUT(SDMA_INDIRECT, vmid, 5), 0x1000, 0,
	     GV_ARRAY_LEN(body), 0, 0);
	CU_ASSERT(rig_sync(&r));
	CU_ASSERT_EQUAL(rig_get32(r.f, page + 3 * 4096), 0xabcd);
	CU_ASSERT_EQUAL(rig_get32(r.f, 0x3000), 0);
	CU_ASSERT_EQUAL(atomic_load(&r.f->count.vm_faults), 0);
	rig_sdma_close(&r);
}

static void a_trap_raises_its_interrupt_when_enabled(void)
{
	struct sdma_rig r;
	uint64_t before;

	rig_sdma_open(&r);
	EMIT(&r, GV_SDMA_HEADER(TRAP), 0x77);
	CU_ASSERT(rig_sync(&r));
	before = atomic_load(&r.f->count.interrupts);
	/* an IH ring in bus space, as vega10_ih.c makes it */
	rig_wr(r.f, IH_RB_BASE__BYTE, (uint32_t)(RIG_IOVA >> 8));
	rig_wr(r.f, IH_RB_CNTL__BYTE,
	       GV_PUT(IH_RB_CNTL, RB_ENABLE, 1) | GV_PUT(IH_RB_CNTL, RB_SIZE, 10) |
	               GV_PUT(IH_RB_CNTL, ENABLE_INTR, 1) |
	               GV_PUT(IH_RB_CNTL, MC_SPACE, GV_IH_MC_SPACE_BUS));
	rig_qwr(&r, GV_REG_SDMA0_CNTL, GV_PUT(SDMA0_CNTL, TRAP_ENABLE, 1));
	EMIT(&r, GV_SDMA_HEADER(TRAP), 0x77);
	CU_ASSERT(rig_sync(&r));
	for (unsigned spins = 0; !*(volatile uint32_t *)(void *)r.mem.sys[1] && spins < 2000;)
		gv_poll_pause(&spins);
	CU_ASSERT_EQUAL(*(uint32_t *)(void *)r.mem.sys[1] & 0xffff,
	                GV_IH_CLIENT_SDMA0 | GV_IH_SRC_SDMA_TRAP << 8);
	CU_ASSERT_EQUAL(((uint32_t *)(void *)r.mem.sys[1])[4], 0x77);
	CU_ASSERT(atomic_load(&r.f->count.interrupts) >= before);
	rig_sdma_close(&r);
}

static void a_poll_blocks_only_its_queue(void)
{
	struct sdma_rig r;
	uint64_t wptr;

	rig_sdma_open(&r);
	EMIT(&r,
	     GV_SDMA_HEADER(POLL_REGMEM) | GV_PUT(SDMA_POLL_REGMEM, func, 3) |
	             GV_PUT(SDMA_POLL_REGMEM, mem_poll, 1),
	     LO(DATA_FB), 0, 0x50, 0xf0, GV_PUT(SDMA_POLL_REGMEM, retry_count, 0xfff) | 4);
	CU_ASSERT_FALSE(rig_sync_within(&r, 50));
	CU_ASSERT_FALSE(rig_qrd(&r, GV_REG_SDMA0_STATUS_REG) & 1);
	CU_ASSERT_FALSE(rig_qrd(&r, rig_q(&r)->context_status) &
	                gv_mask(SDMA0_GFX_CONTEXT_STATUS__IDLE__LO, 1));
	wptr = r.wptr;
	/* the other engine goes on, and its write lets the first continue; rings overlap, so that
	 * of the second lies elsewhere */
	r.engine = 1;
	rig_qwr(&r, rig_q(&r)->rb_base, (uint32_t)((RING_FB + RING_BYTES) >> 8));
	rig_qwr(&r, rig_q(&r)->rptr_addr_lo, 0);
	rig_qwr(&r, rig_q(&r)->doorbell, GV_PUT(SDMA0_GFX_DOORBELL, ENABLE, 1));
	rig_qwr(&r, rig_q(&r)->doorbell_offset,
	        GV_PUT(SDMA0_GFX_DOORBELL_OFFSET, OFFSET, GV_DOORBELL_SDMA1));
	const uint32_t fence[] = {GV_SDMA_HEADER(FENCE), LO(DATA_FB), 0, 0x1057};
	rig_put(r.f, RING_FB + RING_BYTES, fence, sizeof(fence));
	rig_qwr(&r, rig_q(&r)->rb_cntl,
	        GV_PUT(SDMA0_GFX_RB_CNTL, RB_SIZE, RING_LOG2) |
	                GV_PUT(SDMA0_GFX_RB_CNTL, RB_ENABLE, 1));
	rig_qwr(&r, GV_REG_SDMA1_F32_CNTL, 0);
	rig_ring_doorbell(&r, sizeof(fence));
	CU_ASSERT(rig_wait32(r.f, FENCE_FB, r.fence, 5000));
	CU_ASSERT_EQUAL(rig_qrd(&r, GV_REG_SDMA0_GFX_RB_RPTR), wptr);
	rig_sdma_close(&r);
}

static void every_poll_comparison_is_right(void)
{
	struct sdma_rig r;
	/* for value below, equal to, above the reference: whether func 0..6 passes */
	static const bool pass[3][7] = {
	        {1, 1, 1, 0, 1, 0, 0}, {1, 0, 1, 1, 0, 1, 0}, {1, 0, 0, 0, 1, 1, 1}};

	rig_sdma_open(&r);
	for (unsigned v = 0; v < 3; v++)
		for (unsigned func = 0; func < 7; func++) {
			uint64_t before = atomic_load(&r.f->count.packets);
			uint64_t start = gv_now_ns();

			rig_put64(r.f, DATA_FB, 0xff00 + 4 + v);
			EMIT(&r,
			     GV_SDMA_HEADER(POLL_REGMEM) | GV_PUT(SDMA_POLL_REGMEM, func, func) |
			             GV_PUT(SDMA_POLL_REGMEM, mem_poll, 1),
			     LO(DATA_FB), 0, 5, 0xff, GV_PUT(SDMA_POLL_REGMEM, retry_count, 12));
			CU_ASSERT(rig_sync(&r));
			CU_ASSERT_EQUAL(atomic_load(&r.f->count.packets), before + 2);
			/* 12 pauses of 1 us doubled up to 256 us: at least 1 ms when it fails */
			if (!pass[v][func])
				CU_ASSERT(gv_now_ns() - start > GV_MS);
		}
	rig_sdma_close(&r);
}

static void register_packets_write_poll_and_copy_registers(void)
{
	struct sdma_rig r;
	uint32_t scratch = SCRATCH_REG0__BYTE;

	rig_sdma_open(&r);
	EMIT(&r, GV_SDMA_HEADER(SRBM_WRITE) | GV_PUT(SDMA_SRBM_WRITE, byte_en, 15), scratch / 4,
	     0x11223344);
	EMIT(&r, GV_SDMA_HEADER(SRBM_WRITE) | GV_PUT(SDMA_SRBM_WRITE, byte_en, 2), scratch / 4,
	     0xaabbccdd);
	EMIT(&r, GV_SDMA_HEADER(POLL_REGMEM) | GV_PUT(SDMA_POLL_REGMEM, func, 3), scratch, 0,
	     0x1122cc44, UINT32_MAX, GV_PUT(SDMA_POLL_REGMEM, retry_count, 0xfff));
	EMIT(&r, GV_SDMA_HEADER(POLL_REG_WRITE_MEM), scratch, LO(DST), 0);
	CU_ASSERT(rig_sync(&r));
	CU_ASSERT_EQUAL(rig_get32(r.f, DST), 0x1122cc44);
	/* HDP flush as sdma_v4_0.c emits it */
	EMIT(&r,
	     GV_SDMA_HEADER(POLL_REGMEM) | GV_PUT(SDMA_POLL_REGMEM, hdp_flush, 1) |
	             GV_PUT(SDMA_POLL_REGMEM, func, 3),
	     BIF_BX_PF0_GPU_HDP_FLUSH_DONE__BYTE, BIF_BX_PF0_GPU_HDP_FLUSH_REQ__BYTE, 1u << 10,
	     1u << 10, GV_PUT(SDMA_POLL_REGMEM, retry_count, 0xfff) | 10);
	/* TLB flush as the ring does it */
	EMIT(&r, GV_SDMA_HEADER(SRBM_WRITE) | GV_PUT(SDMA_SRBM_WRITE, byte_en, 15),
	     GV_DW_N(MMHUB_VM_INVALIDATE_ENG0_REQ, 4), 0x7c0008);
	EMIT(&r, GV_SDMA_HEADER(POLL_REGMEM) | GV_PUT(SDMA_POLL_REGMEM, func, 3),
	     GV_BYTE_N(MMHUB_VM_INVALIDATE_ENG0_ACK, 4), 0, 8, 8,
	     GV_PUT(SDMA_POLL_REGMEM, retry_count, 0xfff));
	CU_ASSERT(rig_sync(&r));
	rig_sdma_close(&r);
}

static void user_queues_reach_no_registers_and_no_other_vmid(void)
{
	struct sdma_rig r;
	const uint64_t table = DATA_FB, n = 256;

	rig_sdma_open(&r);
	for (unsigned i = 0; i < n; i++)
		rig_put64(r.f, table + 8 * i, (i * 4096ull) | RIG_PTE);
	rig_context(r.f, 7, 0, table | GV_PTE_VALID, 0, n * 4096 - 1);
	rig_wr(r.f, SCRATCH_REG0__BYTE, 1);
	rig_qwr(&r, rig_q(&r)->rb_cntl, 0);
	rig_start_queue(&r, 0, SDMA_GFX, GV_DOORBELL_SDMA0, 7);
	EMIT(&r, GV_SDMA_HEADER(SRBM_WRITE) | GV_PUT(SDMA_SRBM_WRITE, byte_en, 15),
	     SCRATCH_REG0__DW, 2);
	EMIT(&r, GV_SDMA_HEADER(POLL_REG_WRITE_MEM), SCRATCH_REG0__BYTE, 0x8000, 0);
	EMIT(&r, GV_SDMA_HEADER(COPY_PHYSICAL_LINEAR), 63,
	     GV_PUT(SDMA_COPY_PHYSICAL_LINEAR, dst_sys, 1), 0, 0, LO(RIG_IOVA), HI(RIG_IOVA));
	/* an IB of VMID 0 stays in 7: its address is not mapped there */
	EMIT(&r, GV_SDMA_HEADER(INDIRECT), LO(DST), 0, 8, 0, 0);
	rig_kick(&r);
	for (unsigned spins = 0; atomic_load(&r.f->count.vm_faults) == 0 && spins < 3000;)
		gv_poll_pause(&spins);
	CU_ASSERT_EQUAL(atomic_load(&r.f->count.vm_faults), 1);
	CU_ASSERT_EQUAL(rig_rd(r.f, SCRATCH_REG0__BYTE), 1);
	CU_ASSERT_EQUAL(rig_get32(r.f, 0x8000), 0);
	CU_ASSERT_EQUAL(errors(&r), 3);
	rig_sdma_close(&r);
}

static void conditions_pass_over_exactly_their_dwords(void)
{
	struct sdma_rig r;

	rig_sdma_open(&r);
	for (unsigned go = 0; go < 2; go++) {
		rig_put64(r.f, DATA_FB, go);
		rig_put64(r.f, DST, 0);
		EMIT(&r, GV_SDMA_HEADER(COND_EXE), LO(DATA_FB), 0, 1, 8);
		EMIT(&r, GV_SDMA_HEADER(FENCE), LO(DST), 0, 1);
		EMIT(&r, GV_SDMA_HEADER(FENCE), LO(DST + 4), 0, 1);
		EMIT(&r, GV_SDMA_HEADER(FENCE), LO(DST + 8), 0, 3 + go);
		CU_ASSERT(rig_sync(&r));
		CU_ASSERT_EQUAL(rig_get32(r.f, DST), go);
		CU_ASSERT_EQUAL(rig_get32(r.f, DST + 4), go);
		CU_ASSERT_EQUAL(rig_get32(r.f, DST + 8), 3 + go);
		EMIT(&r, GV_SDMA_HEADER(PRE_EXE) | GV_PUT(SDMA_PRE_EXE, dev_sel, go ? 1 : 2), 4);
		EMIT(&r, GV_SDMA_HEADER(FENCE), LO(DST + 12), 0, 9);
		CU_ASSERT(rig_sync(&r));
		CU_ASSERT_EQUAL(rig_get32(r.f, DST + 12), go ? 9 : 0);
	}
	rig_sdma_close(&r);
}

static void atomics_and_semaphores_change_memory_once(void)
{
	struct sdma_rig r;

	rig_sdma_open(&r);
	rig_put64(r.f, DST, 5);
	EMIT(&r, GV_SDMA_HEADER(ATOMIC) | GV_PUT(SDMA_ATOMIC, atomic_op, GV_TC_ADD_RTN_64), LO(DST),
	     0, 3, 1, 0, 0, 0);
	CU_ASSERT(rig_sync(&r));
	CU_ASSERT_EQUAL(rig_get64(r.f, DST), 0x100000008ull);
	/* loop until the compare matches */
	EMIT(&r,
	     GV_SDMA_HEADER(ATOMIC) | GV_PUT(SDMA_ATOMIC, atomic_op, GV_TC_CMPSWAP_RTN_32) |
	             GV_PUT(SDMA_ATOMIC, loop, 1),
	     LO(DST), 0, 99, 0, 7, 0, 10);
	CU_ASSERT_FALSE(rig_sync_within(&r, 30));
	rig_put64(r.f, DST, 7);
	CU_ASSERT(rig_wait32(r.f, FENCE_FB, r.fence, 5000));
	CU_ASSERT_EQUAL(rig_get64(r.f, DST), 99);
	EMIT(&r, GV_SDMA_HEADER(ATOMIC) | GV_PUT(SDMA_ATOMIC, atomic_op, 1), LO(DST), 0, 1, 0, 0, 0,
	     0);
	EMIT(&r, GV_SDMA_HEADER(ATOMIC) | GV_PUT(SDMA_ATOMIC, atomic_op, GV_TC_ADD_RTN_64),
	     LO(DST + 4), 0, 1, 0, 0, 0, 0);
	CU_ASSERT(rig_sync(&r));
	CU_ASSERT_EQUAL(rig_get64(r.f, DST), 99);
	CU_ASSERT_EQUAL(unimplemented(&r), 1);
	CU_ASSERT_EQUAL(errors(&r), 1);
	/* semaphore: a wait takes what a signal gave */
	EMIT(&r, GV_SDMA_HEADER(SEMAPHORE), LO(DST + 64), 0);
	CU_ASSERT_FALSE(rig_sync_within(&r, 30));
	rig_put64(r.f, DST + 64, 2);
	CU_ASSERT(rig_wait32(r.f, FENCE_FB, r.fence, 5000));
	CU_ASSERT_EQUAL(rig_get64(r.f, DST + 64), 1);
	EMIT(&r, GV_SDMA_HEADER(SEMAPHORE) | GV_PUT(SDMA_SEMAPHORE, signal, 1), LO(DST + 64), 0);
	CU_ASSERT(rig_sync(&r));
	CU_ASSERT_EQUAL(rig_get64(r.f, DST + 64), 2);
	rig_sdma_close(&r);
}

static void timestamps_run(void)
{
	struct sdma_rig r;
	uint64_t a, b, g;

	rig_sdma_open(&r);
	EMIT(&r, GV_SDMA_HEADER(TIMESTAMP_SET), 1000, 0);
	EMIT(&r, GV_SDMA_HEADER(TIMESTAMP_GET), LO(DST), 0);
	EMIT(&r, GV_SDMA_HEADER(TIMESTAMP_GET_GLOBAL), LO(DST + 8), 0);
	CU_ASSERT(rig_sync(&r));
	EMIT(&r, GV_SDMA_HEADER(TIMESTAMP_GET), LO(DST + 16), 0);
	CU_ASSERT(rig_sync(&r));
	a = rig_get64(r.f, DST);
	g = rig_get64(r.f, DST + 8);
	b = rig_get64(r.f, DST + 16);
	CU_ASSERT(a >= 1000 && a < 1000 + 100000000);
	CU_ASSERT(b > a);
	CU_ASSERT(gv_dev_clock() >= g);
	rig_sdma_close(&r);
}

static void dirty_pages_are_told_and_copied(void)
{
	struct sdma_rig r;
	uint64_t clean = 12 * GV_MIB, dirty = 14 * GV_MIB, out = 20 * GV_MIB;

	rig_sdma_open(&r);
	/* contents that were there before the table was read: clean */
	rig_fill_random(r.mem.pf, rig_chunk_addr(&r.mem, 0, 6), 4096, 1);
	rig_fill_random(r.f, dirty, 4096, 2);
	EMIT(&r, GV_SDMA_HEADER(POLL_DBIT_WRITE_MEM), LO(DST), 0, (uint32_t)(clean >> 12), 1024);
	CU_ASSERT(rig_sync(&r));
	CU_ASSERT_EQUAL(rig_get64(r.f, DST), 0);
	CU_ASSERT_EQUAL(rig_get64(r.f, DST + 56), 0);
	CU_ASSERT_EQUAL(rig_get64(r.f, DST + 64), UINT64_MAX);
	CU_ASSERT_EQUAL(rig_get64(r.f, DST + 120), UINT64_MAX);
	CU_ASSERT_EQUAL(rig_get64(r.f, DST + 128), 0);
	EMIT(&r, GV_SDMA_HEADER(COPY_DIRTY_PAGE), 4 * GV_MIB - 1, 0, LO(clean), 0, LO(out), 0);
	CU_ASSERT(rig_sync(&r));
	CU_ASSERT_EQUAL(rig_get64(r.f, out), 0);
	CU_ASSERT(rig_same(r.f, dirty, out + 2 * GV_MIB, 4096));
	EMIT(&r, GV_SDMA_HEADER(COPY_DIRTY_PAGE) | GV_PUT(SDMA_COPY_DIRTY_PAGE, all, 1),
	     4 * GV_MIB - 1, 0, LO(clean), 0, LO(out), 0);
	CU_ASSERT(rig_sync(&r));
	CU_ASSERT(rig_same(r.f, clean, out, 4096));
	CU_ASSERT_NOT_EQUAL(rig_get64(r.f, out), 0);
	rig_sdma_close(&r);
}

static void what_is_not_modelled_is_counted_and_passed_over(void)
{
	struct sdma_rig r;
	uint32_t dw[16] = {0};
	static const struct {
		uint32_t header;
		unsigned dw;
	} p[] = {
	        {GV_SDMA_HEADER(COPY_TILED), SDMA_COPY_TILED__DW},
	        {GV_SDMA_HEADER(COPY_STRUCT), SDMA_COPY_STRUCT__DW},
	        {GV_SDMA_HEADER(COPY_TILED_SUBWIN), SDMA_COPY_TILED_SUBWIN__DW},
	        {GV_SDMA_HEADER(COPY_T2T), SDMA_COPY_T2T__DW},
	        {GV_SDMA_HEADER(WRITE_TILED), SDMA_WRITE_TILED__DW + 1},
	        {GV_SDMA_HEADER(POLL_MEM_VERIFY), SDMA_POLL_MEM_VERIFY__DW},
	        {GV_SDMA_HEADER(PTEPDE_COPY_BACKWARDS), SDMA_PTEPDE_COPY_BACKWARDS__DW},
	};

	rig_sdma_open(&r);
	for (size_t i = 0; i < GV_ARRAY_LEN(p); i++) {
		dw[0] = p[i].header;
		rig_emit(&r, dw, p[i].dw);
		CU_ASSERT(rig_sync(&r));
		CU_ASSERT_EQUAL(unimplemented(&r), i + 1);
	}
	rig_sdma_close(&r);
}

UT_MAIN("sdma packets", UT(a_queue_runs_fences_and_reports_its_read_pointer),
        UT(both_engines_and_all_queues_run), UT(linear_copies_equal_memcpy_at_random_places),
        UT(a_broadcast_writes_both_places), UT(physical_copies_reach_bus_and_frame_buffer),
        UT(a_sub_window_copies_the_box), UT(writes_take_their_data_from_the_stream),
        UT(page_table_entries_are_generated), UT(fills_have_all_sizes),
        UT(an_ib_runs_in_its_own_vmid), UT(a_trap_raises_its_interrupt_when_enabled),
        UT(a_poll_blocks_only_its_queue), UT(every_poll_comparison_is_right),
        UT(register_packets_write_poll_and_copy_registers),
        UT(user_queues_reach_no_registers_and_no_other_vmid),
        UT(conditions_pass_over_exactly_their_dwords),
        UT(atomics_and_semaphores_change_memory_once), UT(timestamps_run),
        UT(dirty_pages_are_told_and_copied), UT(what_is_not_modelled_is_counted_and_passed_over))
