/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "cp_rig.h"
#include "ut.h"

#define VF0   GV_DEV_VF(0)
#define VF1   GV_DEV_VF(1)
#define Q     1u /* the queue most tests use */
#define DATA  RIG_SCRATCH_VA
#define IB(n) (RIG_SCRATCH_VA + 0x10000ull + (n)*0x1000ull)

static struct rig r;

static void up(unsigned queues)
{
	rig_open(&r);
	CU_ASSERT_TRUE(rig_start(&r, VF0, queues));
}

static void write_mem(unsigned q, uint64_t va, uint32_t val)
{
	RIG_EMIT(&r, VF0, q, gv_pm4_header(PM4_WRITE_DATA, 4),
	         GV_PUT(PM4_WRITE_DATA, DST_SEL, 5) | GV_PUT(PM4_WRITE_DATA, WR_CONFIRM, 1),
	         (uint32_t)va, (uint32_t)(va >> 32), val);
}

static void emit_ib(unsigned q, uint64_t va, unsigned dw)
{
	RIG_EMIT(&r, VF0, q, gv_pm4_header(PM4_INDIRECT_BUFFER, 3), (uint32_t)va,
	         (uint32_t)(va >> 32),
	         GV_PUT(PM4_INDIRECT_BUFFER, IB_SIZE, dw) | GV_PUT(PM4_INDIRECT_BUFFER, VALID, 1));
}

static void put_write(uint64_t at, uint64_t va, uint32_t val)
{
	const uint32_t ib[5] = {gv_pm4_header(PM4_WRITE_DATA, 4),
	                        GV_PUT(PM4_WRITE_DATA, DST_SEL, 5), (uint32_t)va, 0, val};

	rig_put(&r, VF0, at, ib, sizeof(ib));
}

static void put_ib(uint64_t at, uint64_t va, unsigned dw, bool chain)
{
	const uint32_t ib[4] = {gv_pm4_header(PM4_INDIRECT_BUFFER, 3), (uint32_t)va, 0,
	                        GV_PUT(PM4_INDIRECT_BUFFER, IB_SIZE, dw) |
	                                GV_PUT(PM4_INDIRECT_BUFFER, CHAIN, chain)};

	rig_put(&r, VF0, at, ib, sizeof(ib));
}

/* ---- indirect buffers ---------------------------------------------------- */

static void an_ib_runs_before_the_fence_behind_it(void)
{
	up(1);
	rig_put32(&r, VF0, DATA, 0xcafedead);
	put_write(IB(0), DATA, 0xdeadbeef);
	emit_ib(Q, IB(0), 5);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, Q, 20000));
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA), 0xdeadbeef);
	rig_close(&r);
}

static void ibs_nest_twice_and_chain(void)
{
	up(1);
	put_write(IB(0), DATA, 1);
	put_ib(IB(0) + 20, IB(1), 5, false); /* IB2, comes back */
	put_write(IB(0) + 36, DATA + 4, 2);
	put_ib(IB(0) + 56, IB(2), 5, true); /* takes the place of IB1 */
	put_write(IB(0) + 72, DATA + 12, 99);
	put_write(IB(1), DATA + 8, 3);
	put_write(IB(2), DATA + 16, 4);
	emit_ib(Q, IB(0), 23);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, Q, 20000));
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA), 1);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA + 4), 2);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA + 8), 3);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA + 12), 0);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA + 16), 4);
	rig_close(&r);
}

static void an_ib_in_an_ib_in_an_ib_stops_the_queue(void)
{
	up(2);
	put_ib(IB(0), IB(1), 4, false);
	put_ib(IB(1), IB(2), 5, false);
	put_write(IB(2), DATA, 1);
	emit_ib(Q, IB(0), 4);
	CU_ASSERT_FALSE(rig_sync(&r, VF0, Q, 30));
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 2, 20000));
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA), 0);
	rig_close(&r);
}

static void an_ib_that_chains_to_itself_stops_nobody_else(void)
{
	up(2);
	put_ib(IB(0), IB(0), 4, true);
	emit_ib(Q, IB(0), 4);
	rig_kick(&r, VF0, Q);
	for (unsigned i = 0; i < 20; i++) {
		CU_ASSERT_TRUE(rig_sync(&r, VF0, 2, 20000));
		CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
	}
	rig_emit_unmap(&r, VF0, Q, 1);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
	CU_ASSERT_FALSE(rig_is_active(&r, VF0, Q));
	rig_close(&r);
}

/* ---- data and registers -------------------------------------------------- */

static void write_data_writes_runs_and_single_addresses(void)
{
	up(1);
	RIG_EMIT(&r, VF0, Q, gv_pm4_header(PM4_WRITE_DATA, 6), GV_PUT(PM4_WRITE_DATA, DST_SEL, 1),
	         (uint32_t)DATA, 0, 11, 22, 33);
	RIG_EMIT(&r, VF0, Q, gv_pm4_header(PM4_WRITE_DATA, 6),
	         GV_PUT(PM4_WRITE_DATA, DST_SEL, 1) | GV_PUT(PM4_WRITE_DATA, WR_ONE_ADDR, 1),
	         (uint32_t)DATA + 16, 0, 44, 55, 66);
	RIG_EMIT(&r, VF0, Q, gv_pm4_header(PM4_WRITE_DATA, 5), 0, SCRATCH_REG4__DW, 0, 7, 8);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, Q, 20000));
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA), 11);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA + 8), 33);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA + 16), 66);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA + 20), 0);
	CU_ASSERT_EQUAL(rig_rd(&r, VF0, SCRATCH_REG4__BYTE), 7);
	CU_ASSERT_EQUAL(rig_rd(&r, VF0, SCRATCH_REG5__BYTE), 8);
	rig_close(&r);
}

static void copy_data(unsigned src_sel, uint32_t src, unsigned dst_sel, uint32_t dst, unsigned wide)
{
	RIG_EMIT(&r, VF0, Q, gv_pm4_header(PM4_COPY_DATA, 5),
	         GV_PUT(PM4_COPY_DATA, SRC_SEL, src_sel) | GV_PUT(PM4_COPY_DATA, DST_SEL, dst_sel) |
	                 GV_PUT(PM4_COPY_DATA, COUNT_SEL, wide),
	         src, 0, dst, 0);
}

static void copy_data_knows_its_sources(void)
{
	up(1);
	rig_wr(&r, VF0, SCRATCH_REG4__BYTE, 0x44);
	rig_wr(&r, VF0, SCRATCH_REG5__BYTE, 0x55);
	rig_put(&r, VF0, DATA + 64, &(uint64_t){0x1111111122222222}, 8);
	copy_data(0, SCRATCH_REG4__DW, 5, (uint32_t)DATA, 0);
	copy_data(0, SCRATCH_REG4__DW, 5, (uint32_t)DATA + 8, 1);
	copy_data(1, (uint32_t)DATA + 64, 5, (uint32_t)DATA + 16, 1);
	copy_data(1, (uint32_t)DATA + 64, 0, SCRATCH_REG6__DW, 0);
	copy_data(5, 0x77, 5, (uint32_t)DATA + 24, 0);
	copy_data(9, 0, 5, (uint32_t)DATA + 32, 1);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, Q, 20000));
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA), 0x44);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA + 4), 0);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA + 8), 0x44);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA + 12), 0x55);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA + 20), 0x11111111);
	CU_ASSERT_EQUAL(rig_rd(&r, VF0, SCRATCH_REG6__BYTE), 0x22222222);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA + 24), 0x77);
	CU_ASSERT_NOT_EQUAL(rig_get32(&r, VF0, DATA + 32), 0);
	rig_close(&r);
}

/* A VF's packet reaches no register that the VF may not reach. */
static void privileged_registers_stay_as_they_are(void)
{
	static const uint32_t dws[] = {GVX_VF_FB_EN__DW, GVX_VF_RESET__DW, RLC_GPM_GENERAL_14__DW,
	                               VM_L2_CNTL__DW, GVX_VF_REGWR_EN__DW};
	uint32_t was[GV_ARRAY_LEN(dws)];
	struct gv_ih_iv iv;
	uint64_t errors;

	up(1);
	rig_wr(&r, VF0, CPC_INT_CNTL__BYTE, GV_PUT(CPC_INT_CNTL, PRIV_REG_INT_ENABLE, 1));
	errors = rig_stats(&r, VF0).guest_errors;
	for (size_t i = 0; i < GV_ARRAY_LEN(dws); i++) {
		was[i] = rig_rd(&r, GV_DEV_PF, dws[i] * 4);
		RIG_EMIT(&r, VF0, Q, gv_pm4_header(PM4_WRITE_DATA, 4), 0, dws[i], 0, UINT32_MAX);
	}
	copy_data(0, GVX_VF_FB_EN__DW, 5, (uint32_t)DATA, 0);
	RIG_EMIT(&r, VF0, Q, gv_pm4_header(PM4_WRITE_DATA, 4), 0, UINT32_MAX, 0, 1);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, Q, 20000));
	for (size_t i = 0; i < GV_ARRAY_LEN(dws); i++)
		CU_ASSERT_EQUAL(rig_rd(&r, GV_DEV_PF, dws[i] * 4), was[i]);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA), 0);
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).guest_errors - errors, GV_ARRAY_LEN(dws) + 2);
	CU_ASSERT_TRUE(rig_find_iv(&r, VF0, GV_IH_SRC_CP_PRIV_REG, &iv, 20000));
	CU_ASSERT_EQUAL(iv.dw[4], dws[0]);
	rig_close(&r);
}

static void cond_exec_skips(void)
{
	up(1);
	for (uint32_t on = 0; on < 2; on++) {
		rig_put32(&r, VF0, DATA, on);
		RIG_EMIT(&r, VF0, Q, gv_pm4_header(PM4_COND_EXEC, 4), (uint32_t)DATA, 0, 0, 5);
		write_mem(Q, DATA + 8 + on * 4, 1);
		write_mem(Q, DATA + 16 + on * 4, 1);
		CU_ASSERT_TRUE(rig_sync(&r, VF0, Q, 20000));
		CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA + 8 + on * 4), on);
		CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA + 16 + on * 4), 1);
	}
	rig_close(&r);
}

static void atomic(unsigned op, unsigned command, uint32_t src, uint32_t cmp)
{
	RIG_EMIT(&r, VF0, Q, gv_pm4_header(PM4_ATOMIC_MEM, 8),
	         GV_PUT(PM4_ATOMIC_MEM, ATOMIC, op) | GV_PUT(PM4_ATOMIC_MEM, COMMAND, command),
	         (uint32_t)DATA, 0, src, 0, cmp, 0, 10);
}

static void atomics_add_and_loop_until_swapped(void)
{
	up(1);
	rig_put32(&r, VF0, DATA, 40);
	atomic(GV_TC_ADD_RTN_32, 0, 2, 0);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, Q, 20000));
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA), 42);
	atomic(GV_TC_CMPSWAP_RTN_32, 1, 7, 5);
	CU_ASSERT_FALSE(rig_sync(&r, VF0, Q, 20));
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA), 42);
	rig_put32(&r, VF0, DATA, 5);
	CU_ASSERT_TRUE(rig_wait_mem(&r, VF0, rig_fence_va(Q), r.queue[VF0][Q].fence, 20000));
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA), 7);
	rig_close(&r);
}

static void dma(unsigned src_sel, uint32_t src, uint32_t dst, uint32_t bytes)
{
	RIG_EMIT(&r, VF0, Q, gv_pm4_header(PM4_DMA_DATA, 6), GV_PUT(PM4_DMA_DATA, SRC_SEL, src_sel),
	         src, 0, dst, 0, GV_PUT(PM4_DMA_DATA, BYTE_COUNT, bytes));
}

static void dma_data_fills_and_copies_megabytes(void)
{
	const uint32_t a = 0x400000, b = 0x800001, n = 3 * 1024 * 1024 + 5;
	static uint8_t from[3 * 1024 * 1024 + 5], to[3 * 1024 * 1024 + 5];

	up(1);
	for (uint32_t i = 0; i < n; i++)
		from[i] = (uint8_t)(i * 7 + (i >> 8));
	rig_put(&r, VF0, a, from, n);
	dma(0, a, b, n);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, Q, 5000));
	rig_get(&r, VF0, b, to, n);
	CU_ASSERT_EQUAL(memcmp(from, to, n), 0);
	dma(2, 0xa5a5a5a5, a, 100000);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, Q, 5000));
	rig_get(&r, VF0, a, to, 100004);
	for (uint32_t i = 0; i < 100000; i++)
		if (to[i] != 0xa5) {
			CU_FAIL("fill");
			break;
		}
	CU_ASSERT_EQUAL(memcmp(to + 100000, from + 100000, 4), 0);
	rig_close(&r);
}

/* ---- waits and fences ---------------------------------------------------- */

static void wait_mem(unsigned q, unsigned function, uint64_t va, uint32_t ref, uint32_t mask)
{
	RIG_EMIT(&r, VF0, q, gv_pm4_header(PM4_WAIT_REG_MEM, 6),
	         GV_PUT(PM4_WAIT_REG_MEM, FUNCTION, function) |
	                 GV_PUT(PM4_WAIT_REG_MEM, MEM_SPACE, 1),
	         (uint32_t)va, 0, ref, mask, 4);
}

static void every_comparison_waits_for_its_own(void)
{
	static const struct {
		uint32_t no, yes;
	} values[7] = {{0, 0}, {5, 4}, {6, 5}, {4, 5}, {5, 6}, {4, 5}, {5, 6}};

	up(1);
	for (unsigned function = 1; function < 7; function++) {
		rig_put32(&r, VF0, DATA, values[function].no | 0xff00);
		wait_mem(Q, function, DATA, 5, 0xff);
		CU_ASSERT_FALSE(rig_sync(&r, VF0, Q, 10));
		rig_put32(&r, VF0, DATA, values[function].yes | 0xff00);
		CU_ASSERT_TRUE(
		        rig_wait_mem(&r, VF0, rig_fence_va(Q), r.queue[VF0][Q].fence, 20000));
	}
	rig_put32(&r, VF0, DATA, 0);
	wait_mem(Q, 0, DATA, 5, 0xff);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, Q, 20000));
	rig_close(&r);
}

static void a_wait_blocks_only_its_own_queue(void)
{
	up(8);
	rig_put32(&r, VF0, DATA, 0);
	for (unsigned q = 1; q <= 7; q++) {
		wait_mem(q, 3, DATA, q, 0xff);
		CU_ASSERT_FALSE(rig_sync(&r, VF0, q, 5));
	}
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 8, 20000));
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
	/* queue 8 releases the others, one after the other */
	for (unsigned q = 1; q <= 7; q++) {
		write_mem(8, DATA, q);
		CU_ASSERT_TRUE(rig_sync(&r, VF0, 8, 20000));
		CU_ASSERT_TRUE(
		        rig_wait_mem(&r, VF0, rig_fence_va(q), r.queue[VF0][q].fence, 20000));
	}
	rig_close(&r);
}

/* As amdgpu flushes a TLB: write the request, wait for the bit of the VMID. */
static void write_and_wait_uses_the_bits_of_the_mask(void)
{
	up(1);
	RIG_EMIT(&r, VF0, Q, gv_pm4_header(PM4_WAIT_REG_MEM, 6),
	         GV_PUT(PM4_WAIT_REG_MEM, FUNCTION, 3) | GV_PUT(PM4_WAIT_REG_MEM, OPERATION, 1),
	         VM_INVALIDATE_ENG0_REQ__DW, VM_INVALIDATE_ENG0_ACK__DW, 0x007c0002, 1 << 1, 0x20);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, Q, 20000));
	rig_close(&r);
}

static void release_mem_writes_what_data_sel_says_and_interrupts(void)
{
	struct gv_ih_iv iv;

	up(1);
	for (uint32_t sel = 0; sel < 5; sel++) {
		rig_put(&r, VF0, DATA, &(uint64_t){0x1111111122222222}, 8);
		RIG_EMIT(&r, VF0, Q, gv_pm4_header(PM4_RELEASE_MEM, 7),
		         GV_PUT(PM4_RELEASE_MEM, EVENT_TYPE, 0x14) |
		                 GV_PUT(PM4_RELEASE_MEM, EVENT_INDEX, 5),
		         GV_PUT(PM4_RELEASE_MEM, DATA_SEL, sel) |
		                 GV_PUT(PM4_RELEASE_MEM, INT_SEL, 2),
		         (uint32_t)DATA, 0, 0x33, 0x44, 0x500 + sel);
		CU_ASSERT_TRUE(rig_sync(&r, VF0, Q, 20000));
		CU_ASSERT_TRUE(rig_find_iv(&r, VF0, GV_IH_SRC_CP_EOP, &iv, 20000));
		CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, CLIENT_ID), GV_IH_CLIENT_GRBM_CP);
		CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, RING_ID), 1 << 2); /* me1 pipe0 queue0 */
		CU_ASSERT_EQUAL(iv.dw[4], 0x500 + sel);
		if (sel < 3) {
			CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA), sel ? 0x33 : 0x22222222);
			CU_ASSERT_EQUAL(rig_get32(&r, VF0, DATA + 4), sel == 2 ? 0x44 : 0x11111111);
		} else {
			CU_ASSERT_NOT_EQUAL(rig_get32(&r, VF0, DATA), 0x22222222);
		}
	}
	rig_close(&r);
}

static void the_kiq_fence_interrupt_is_source_178(void)
{
	struct gv_ih_iv iv;

	up(0);
	RIG_EMIT(&r, VF0, RIG_KIQ, gv_pm4_header(PM4_WRITE_DATA, 4), 0, CPC_INT_STATUS__DW, 0,
	         0x20000000);
	rig_kick(&r, VF0, RIG_KIQ);
	CU_ASSERT_TRUE(rig_find_iv(&r, VF0, GV_IH_SRC_CP_IB2, &iv, 20000));
	CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, RING_ID), 0x09); /* me2 pipe1 queue0 */
	rig_close(&r);
}

/* ---- what goes wrong ----------------------------------------------------- */

static uint32_t hqd_error(unsigned q)
{
	uint32_t val;

	rig_select(&r, VF0, q);
	val = rig_rd(&r, VF0, CP_HQD_ERROR__BYTE);
	rig_wr(&r, VF0, GRBM_GFX_CNTL__BYTE, 0);
	return val;
}

static void an_unknown_opcode_stops_its_queue_and_says_so(void)
{
	struct gv_ih_iv iv;

	up(2);
	RIG_EMIT(&r, VF0, Q, gv_pm4_header(0xfe, 1), 0);
	CU_ASSERT_FALSE(rig_sync(&r, VF0, Q, 30));
	CU_ASSERT_TRUE(rig_find_iv(&r, VF0, GV_IH_SRC_CP_BAD_OPCODE, &iv, 20000));
	CU_ASSERT_NOT_EQUAL(hqd_error(Q), 0);
	RIG_EMIT(&r, VF0, 2, 0x00000000, 0);
	CU_ASSERT_FALSE(rig_sync(&r, VF0, 2, 30));
	CU_ASSERT_TRUE(rig_find_iv(&r, VF0, GV_IH_SRC_CP_RESERVED_BIT, &iv, 20000));
	/* unmapping and mapping again makes it work again */
	rig_emit_unmap(&r, VF0, Q, 1);
	CU_ASSERT_TRUE(rig_map(&r, VF0, Q));
	CU_ASSERT_TRUE(rig_sync(&r, VF0, Q, 20000));
	CU_ASSERT_EQUAL(hqd_error(Q), 0);
	rig_close(&r);
}

static void a_page_fault_stops_the_queue_without_its_fence(void)
{
	up(2);
	write_mem(Q, 0x123456789000, 1);
	CU_ASSERT_FALSE(rig_sync(&r, VF0, Q, 30));
	CU_ASSERT_TRUE(rig_stats(&r, VF0).vm_faults > 0);
	CU_ASSERT_EQUAL(GV_GET(hqd_error(Q), CP_HQD_ERROR, TC_UTCL1_ERROR), 1);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 2, 20000));
	rig_close(&r);
}

static void refresh_queue(unsigned q)
{
	rig_emit_unmap(&r, VF0, q, 1);
	CU_ASSERT_TRUE(rig_map(&r, VF0, q));
}

static void check_others_work(void)
{
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 2, 5000));
	CU_ASSERT_TRUE(rig_sync(&r, VF1, 1, 5000));
}

static void packets_that_are_too_short_stop_only_their_queue(void)
{
	up(2);
	CU_ASSERT_TRUE(rig_start(&r, VF1, 1));
	for (unsigned op = 0; op < 256; op++) {
		int min = gv_pm4_min_dw(op);

		for (int body = 1; body < min; body++) {
			uint32_t dw[16] = {gv_pm4_header(op, (unsigned)body)};

			rig_emit(&r, VF0, Q, dw, (size_t)body + 1);
			CU_ASSERT_FALSE(rig_sync(&r, VF0, Q, 3));
			refresh_queue(Q);
		}
	}
	check_others_work();
	rig_close(&r);
}

static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*state >> 32);
}

/* Every opcode with noise behind it, on the KIQ as well: it may stop or remap queues of its own
 * function, and nothing else. */
static void every_opcode_with_noise_leaves_the_other_function_alone(void)
{
	uint64_t seed = 1;

	up(2);
	CU_ASSERT_TRUE(rig_start(&r, VF1, 1));
	for (unsigned round = 0; round < 512; round++) {
		unsigned q = round & 1 ? RIG_KIQ : Q;
		uint32_t dw[20];

		for (size_t i = 0; i < GV_ARRAY_LEN(dw); i++)
			dw[i] = next_random(&seed) & (round & 2 ? UINT32_MAX : 0x003fffffu);
		dw[0] = gv_pm4_header(round / 2, 1 + next_random(&seed) % 18);
		rig_emit(&r, VF0, q, dw, 20);
		rig_kick(&r, VF0, q);
		if (round % 8 == 7) {
			CU_ASSERT_TRUE(rig_sync(&r, VF1, 1, 5000));
			CU_ASSERT_EQUAL(gv_dev_reset(r.dev, VF0), 0);
			rig_admit_vf(&r, 0);
			CU_ASSERT_TRUE(rig_start(&r, VF0, 2));
		}
	}
	check_others_work();
	CU_ASSERT_EQUAL(rig_stats(&r, VF1).guest_errors, 0);
	rig_close(&r);
}

UT_MAIN("pm4", UT(an_ib_runs_before_the_fence_behind_it), UT(ibs_nest_twice_and_chain),
        UT(an_ib_in_an_ib_in_an_ib_stops_the_queue),
        UT(an_ib_that_chains_to_itself_stops_nobody_else),
        UT(write_data_writes_runs_and_single_addresses), UT(copy_data_knows_its_sources),
        UT(privileged_registers_stay_as_they_are), UT(cond_exec_skips),
        UT(atomics_add_and_loop_until_swapped), UT(dma_data_fills_and_copies_megabytes),
        UT(every_comparison_waits_for_its_own), UT(a_wait_blocks_only_its_own_queue),
        UT(write_and_wait_uses_the_bits_of_the_mask),
        UT(release_mem_writes_what_data_sel_says_and_interrupts),
        UT(the_kiq_fence_interrupt_is_source_178),
        UT(an_unknown_opcode_stops_its_queue_and_says_so),
        UT(a_page_fault_stops_the_queue_without_its_fence),
        UT(packets_that_are_too_short_stop_only_their_queue),
        UT(every_opcode_with_noise_leaves_the_other_function_alone))
