/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Interrupt ring: where entries go, overflow, re-arming, and rings of drivers that lie. */
#include "core_rig.h"
#include "ut.h"

#define VF GV_DEV_VF(0)

static struct gv_ih_iv entry(uint32_t tag)
{
	struct gv_ih_iv iv = gv_ih_iv(GV_IH_CLIENT_GRBM_CP, GV_IH_SRC_CP_EOP, 4, 0, GV_HUB_GC);

	iv.dw[4] = tag;
	return iv;
}

static void post(struct core *c, unsigned func, uint32_t tag)
{
	struct gv_ih_iv iv = entry(tag);

	gv_ih_post(core_fn(c, func), &iv);
}

/* All entries posted so far are in memory, or dropped. */
static void settle(struct core *c, unsigned func)
{
	gv_fn_mem_enter(core_fn(c, func));
	gv_ih_drain(core_fn(c, func));
	gv_fn_mem_leave(core_fn(c, func));
}

static void open_ring(struct core *c, uint32_t cntl)
{
	core_open(c);
	core_gates(c, 0xf);
	core_ih_start(c, VF, cntl);
}

static uint32_t wptr_reg(struct core *c)
{
	return core_rd(c, VF, IH_RB_WPTR__BYTE);
}

static void entries_arrive_in_order_and_wrap(void)
{
	struct core c;
	struct gv_ih_iv iv;
	uint32_t time = 0;

	open_ring(&c, core_ih_cntl(CORE_RING_LOG));
	core_wr(&c, VF, GV_BYTE_N(IH_VMID_0_LUT, 5), 0x1234);
	core_wr(&c, VF, GV_BYTE_N(IH_VMID_0_LUT_MM, 5), 0x4321);
	for (uint32_t k = 0; k < 40; k++) {
		enum gv_hub hub = k % 2 ? GV_HUB_MM : GV_HUB_GC;
		struct gv_ih_iv out =
		        gv_ih_iv(GV_IH_CLIENT_SDMA1, GV_IH_SRC_SDMA_TRAP, k % 4, 5, hub);

		out.dw[4] = k;
		gv_ih_post(core_fn(&c, VF), &out);
		CU_ASSERT_FATAL(core_ih_next(&c, VF, &iv, CORE_PATIENCE));
		CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, CLIENT_ID), GV_IH_CLIENT_SDMA1);
		CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, SRC_ID), GV_IH_SRC_SDMA_TRAP);
		CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, RING_ID), k % 4);
		CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, VMID), 5);
		CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, VMID_SRC), k % 2);
		CU_ASSERT_EQUAL(iv.dw[3], k % 2 ? 0x4321 : 0x1234);
		CU_ASSERT_EQUAL(iv.dw[4], k);
		CU_ASSERT((int32_t)(iv.dw[1] - time) >= 0 || k == 0);
		time = iv.dw[1];
		core_ih_ack(&c, VF);
		CU_ASSERT_EQUAL(GV_GET(wptr_reg(&c), IH_RB_WPTR, OFFSET) * 4, c.rptr[VF]);
	}
	CU_ASSERT_EQUAL(core_stats(&c, VF).guest_errors, 0);
	core_close(&c);
}

static void a_ring_in_gpu_va_space_works(void)
{
	struct core c;
	struct gv_ih_iv iv;
	struct gv_dma *d;
	uint64_t flat, *table;
	uint32_t cntl =
	        GV_SET(core_ih_cntl(CORE_RING_LOG), IH_RB_CNTL, MC_SPACE, GV_IH_MC_SPACE_GPU_VA);

	core_open(&c);
	core_gates(&c, 0xf);
	d = &c.ring[VF];
	CU_ASSERT_EQUAL_FATAL(gv_dma_alloc(c.bus[VF], 3ull * GV_GPU_PAGE, d), 0);
	/* one flat table of the MM hub's context 0: VA page 1 is the ring, page 2 the write-back */
	table = (uint64_t *)(void *)((uint8_t *)d->cpu + 2 * GV_GPU_PAGE);
	flat = d->iova + 2ull * GV_GPU_PAGE;
	for (unsigned k = 0; k < 2; k++)
		table[k] = (d->iova + k * 4096ull) | GV_PTE_VALID | GV_PTE_SYSTEM |
		           GV_PTE_READABLE | GV_PTE_WRITEABLE;
	core_wr(&c, VF, MMHUB_VM_CONTEXT0_PAGE_TABLE_BASE_ADDR_LO32__BYTE,
	        (uint32_t)flat | (uint32_t)(GV_PTE_VALID | GV_PTE_SYSTEM));
	core_wr(&c, VF, MMHUB_VM_CONTEXT0_PAGE_TABLE_BASE_ADDR_HI32__BYTE, (uint32_t)(flat >> 32));
	core_wr(&c, VF, MMHUB_VM_CONTEXT0_PAGE_TABLE_START_ADDR_LO32__BYTE, 0x100);
	core_wr(&c, VF, MMHUB_VM_CONTEXT0_PAGE_TABLE_END_ADDR_LO32__BYTE, 0x101);
	core_wr(&c, VF, MMHUB_VM_CONTEXT0_CNTL__BYTE, GV_PUT(VM_CONTEXT0_CNTL, ENABLE_CONTEXT, 1));
	core_wr(&c, VF, IH_RB_BASE__BYTE, 0x100000 >> 8);
	core_wr(&c, VF, IH_RB_WPTR_ADDR_LO__BYTE, 0x101000);
	core_wr(&c, VF, IH_RB_CNTL__BYTE, cntl);
	post(&c, VF, 0x77);
	CU_ASSERT(core_ih_next(&c, VF, &iv, CORE_PATIENCE));
	CU_ASSERT_EQUAL(iv.dw[4], 0x77);
	CU_ASSERT_EQUAL(core_stats(&c, VF).guest_errors, 0);
	core_close(&c);
}

/* ---- overflow --------------------------------------------------------------------- */

static void overflow_is_flagged_until_it_is_cleared(void)
{
	const uint32_t cntl = core_ih_cntl(CORE_RING_LOG);
	struct core c;
	uint32_t vfs;

	open_ring(&c, cntl);
	for (uint32_t k = 0; k < 7; k++)
		post(&c, VF, k);
	settle(&c, VF);
	CU_ASSERT(!GV_GET(wptr_reg(&c), IH_RB_WPTR, RB_OVERFLOW)); /* one slot stays free */
	post(&c, VF, 7);
	settle(&c, VF);
	CU_ASSERT(UNTIL(GV_GET(wptr_reg(&c), IH_RB_WPTR, RB_OVERFLOW)));
	CU_ASSERT(UNTIL(GV_GET(core_ih_wptr(&c, VF), IH_RB_WPTR, RB_OVERFLOW)));
	CU_ASSERT(GV_GET(core_rd(&c, VF, IH_STATUS__BYTE), IH_STATUS, RB_OVERFLOW));
	vfs = core_rd(&c, GV_DEV_PF, IH_VF_RB_STATUS__BYTE);
	CU_ASSERT_EQUAL(GV_GET(vfs, IH_VF_RB_STATUS, RB_OVERFLOW_VF), 1);
	/* the oldest entry is gone; the driver goes on at wptr + 1 */
	post(&c, VF, 8);
	settle(&c, VF);
	core_wr(&c, VF, IH_RB_CNTL__BYTE, cntl | GV_PUT(IH_RB_CNTL, WPTR_OVERFLOW_CLEAR, 1));
	core_wr(&c, VF, IH_RB_CNTL__BYTE, cntl);
	CU_ASSERT(!GV_GET(wptr_reg(&c), IH_RB_WPTR, RB_OVERFLOW));
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, IH_VF_RB_STATUS__BYTE), 0);
	CU_ASSERT_EQUAL(GV_GET(wptr_reg(&c), IH_RB_WPTR, OFFSET) * 4, 32);
	core_close(&c);
}

static void without_overflow_a_full_ring_keeps_the_old_entries(void)
{
	struct core c;
	struct gv_ih_iv iv;

	open_ring(&c, core_ih_cntl(CORE_RING_LOG) & ~GV_PUT(IH_RB_CNTL, WPTR_OVERFLOW_ENABLE, 1));
	for (uint32_t k = 0; k < 20; k++)
		post(&c, VF, k);
	settle(&c, VF);
	for (uint32_t k = 0; k < 7; k++) {
		CU_ASSERT_FATAL(core_ih_next(&c, VF, &iv, CORE_PATIENCE));
		CU_ASSERT_EQUAL(iv.dw[4], k);
	}
	CU_ASSERT(core_ih_silent(&c, VF));
	CU_ASSERT(GV_GET(wptr_reg(&c), IH_RB_WPTR, RB_OVERFLOW));
	core_close(&c);
}

static void entries_lost_before_the_ring_are_an_overflow_too(void)
{
	const uint32_t cntl = GV_SET(core_ih_cntl(CORE_RING_LOG), IH_RB_CNTL, RB_SIZE, 14);
	struct core c;

	open_ring(&c, cntl); /* 64 KiB: 2048 entries, 300 do not fill it */
	gv_ih_pause(core_fn(&c, VF));
	for (uint32_t k = 0; k < 300; k++)
		post(&c, VF, k);
	gv_ih_resume(core_fn(&c, VF));
	CU_ASSERT(UNTIL(GV_GET(wptr_reg(&c), IH_RB_WPTR, RB_OVERFLOW)));
	core_close(&c);
}

/* ---- doorbell and interrupts --------------------------------------------------------- */

static int fired(int fd)
{
	return gv_irq_wait(fd, gv_now_ns() + CORE_PATIENCE);
}
static int quiet(int fd)
{
	return gv_irq_wait(fd, gv_now_ns() + 20 * GV_MS) == -ETIMEDOUT;
}

static void the_read_pointer_follows_the_doorbell_at_once(void)
{
	struct core c;
	uint32_t mask = gv_reg_info(GV_REG_IH_RB_RPTR)->rw;

	open_ring(&c, core_ih_cntl(CORE_RING_LOG));
	for (uint32_t k = 0; k < 200; k++) {
		uint32_t rptr = k * 32;

		CU_ASSERT_EQUAL(
		        gv_bus_write(c.bus[VF], GV_REGION_DOORBELL, GV_DOORBELL_IH * 4, &rptr, 4),
		        0);
		CU_ASSERT_EQUAL(core_rd(&c, VF, IH_RB_RPTR__BYTE), rptr & mask);
	}
	core_close(&c);
}

static void vector_0_fires_when_entries_arrive(void)
{
	struct core c;
	uint64_t before;
	int fd = -1;

	open_ring(&c, core_ih_cntl(CORE_RING_LOG));
	CU_ASSERT_EQUAL_FATAL(gv_bus_irq_enable(c.bus[VF], 0, &fd), 0);
	post(&c, VF, 1);
	CU_ASSERT_EQUAL(fired(fd), 0);
	before = core_stats(&c, VF).interrupts;
	CU_ASSERT(before >= 1);
	/* not while interrupts are off, and once when they come on with entries waiting */
	core_wr(&c, VF, IH_RB_CNTL__BYTE,
	        core_ih_cntl(CORE_RING_LOG) & ~GV_PUT(IH_RB_CNTL, ENABLE_INTR, 1));
	post(&c, VF, 2);
	CU_ASSERT(quiet(fd));
	core_wr(&c, VF, IH_RB_CNTL__BYTE, core_ih_cntl(CORE_RING_LOG));
	CU_ASSERT_EQUAL(fired(fd), 0);
	CU_ASSERT(quiet(fd));
	core_close(&c);
}

static void rearm_holds_the_vector_until_the_driver_was_there(void)
{
	struct core c;
	uint32_t rptr = 32;
	int fd = -1;

	open_ring(&c, core_ih_cntl(CORE_RING_LOG) | GV_PUT(IH_RB_CNTL, RPTR_REARM, 1));
	CU_ASSERT_EQUAL_FATAL(gv_bus_irq_enable(c.bus[VF], 0, &fd), 0);
	post(&c, VF, 1);
	CU_ASSERT_EQUAL(fired(fd), 0);
	post(&c, VF, 2);
	post(&c, VF, 3);
	settle(&c, VF);
	CU_ASSERT(quiet(fd)); /* entries, but not armed */
	/* the driver took one: two are left, so it is told at once */
	(void)gv_bus_write(c.bus[VF], GV_REGION_DOORBELL, GV_DOORBELL_IH * 4, &rptr, 4);
	CU_ASSERT_EQUAL(fired(fd), 0);
	CU_ASSERT(quiet(fd));
	/* it took all: silence, then the next entry fires */
	rptr = 96;
	(void)gv_bus_write(c.bus[VF], GV_REGION_DOORBELL, GV_DOORBELL_IH * 4, &rptr, 4);
	CU_ASSERT(quiet(fd));
	post(&c, VF, 4);
	CU_ASSERT_EQUAL(fired(fd), 0);
	core_close(&c);
}

/* A ring that looks empty because it overflowed is not empty. */
static void an_overflown_ring_still_interrupts(void)
{
	const uint32_t cntl = core_ih_cntl(CORE_RING_LOG);
	struct core c;
	int fd = -1;

	open_ring(&c, cntl & ~GV_PUT(IH_RB_CNTL, ENABLE_INTR, 1));
	CU_ASSERT_EQUAL_FATAL(gv_bus_irq_enable(c.bus[VF], 0, &fd), 0);
	for (uint32_t k = 0; k < 8; k++)
		post(&c, VF, k);
	settle(&c, VF);
	CU_ASSERT(UNTIL(GV_GET(core_ih_wptr(&c, VF), IH_RB_WPTR, RB_OVERFLOW)));
	CU_ASSERT_EQUAL(GV_GET(wptr_reg(&c), IH_RB_WPTR, OFFSET), 0);
	core_wr(&c, VF, IH_RB_CNTL__BYTE, cntl);
	CU_ASSERT_EQUAL(fired(fd), 0);
	core_close(&c);
}

static void interrupts_of_one_function_do_not_reach_another(void)
{
	struct core c;
	int fd[2] = {-1, -1};

	open_ring(&c, core_ih_cntl(CORE_RING_LOG));
	core_ih_start(&c, GV_DEV_VF(1), core_ih_cntl(CORE_RING_LOG));
	CU_ASSERT_EQUAL_FATAL(gv_bus_irq_enable(c.bus[VF], 0, &fd[0]), 0);
	CU_ASSERT_EQUAL_FATAL(gv_bus_irq_enable(c.bus[VF + 1], 0, &fd[1]), 0);
	post(&c, VF, 1);
	CU_ASSERT_EQUAL(fired(fd[0]), 0);
	CU_ASSERT(quiet(fd[1]));
	CU_ASSERT_EQUAL(core_ih_wptr(&c, GV_DEV_VF(1)), 0);
	core_close(&c);
}

/* ---- rings that lie --------------------------------------------------------------------- */

static void every_ring_size_stays_inside_its_memory(void)
{
	struct core c;

	core_open(&c);
	core_gates(&c, 0xf);
	for (unsigned size = 0; size < 32; size++) {
		uint32_t cntl = GV_SET(core_ih_cntl(CORE_RING_LOG), IH_RB_CNTL, RB_SIZE, size);
		uint64_t bytes = GV_MIN(4ull << size, 1ull << 18);

		core_ih_start(&c, VF, cntl);
		core_wr(&c, VF, IH_RB_WPTR__BYTE, UINT32_MAX);
		core_wr(&c, VF, IH_RB_RPTR__BYTE, UINT32_MAX);
		for (uint32_t k = 0; k < 5; k++)
			post(&c, VF, k);
		settle(&c, VF);
		if (bytes >= 64 && size < 10)
			CU_ASSERT(UNTIL(GV_GET(wptr_reg(&c), IH_RB_WPTR, OFFSET) * 4 < bytes));
	}
	CU_ASSERT(core_stats(&c, VF).guest_errors > 0);
	core_close(&c);
}

static void rings_and_write_backs_nowhere_are_counted_not_followed(void)
{
	static const uint64_t base[] = {0, 0x1000, 1ull << 47, ~255ull, 0xffffffffffull << 8};
	struct core c;
	uint64_t errors, faults;

	open_ring(&c, core_ih_cntl(CORE_RING_LOG));
	for (unsigned space = 0; space < 8; space++)
		for (size_t k = 0; k < GV_ARRAY_LEN(base); k++) {
			struct gv_dev_stats before = core_stats(&c, VF), now;

			core_wr(&c, VF, IH_RB_CNTL__BYTE,
			        GV_SET(core_ih_cntl(CORE_RING_LOG), IH_RB_CNTL, MC_SPACE, space) |
			                GV_PUT(IH_RB_CNTL, MC_VMID, k));
			core_wr(&c, VF, IH_RB_BASE__BYTE, (uint32_t)(base[k] >> 8));
			core_wr(&c, VF, IH_RB_BASE_HI__BYTE, (uint32_t)(base[k] >> 40));
			post(&c, VF, 1);
			settle(&c, VF);
			CU_ASSERT(UNTIL((now = core_stats(&c, VF),
			                 now.guest_errors + now.unimplemented >
			                         before.guest_errors + before.unimplemented)));
		}
	/* a good ring with a bad write-back: the entry is there and the register says so */
	core_ih_start(&c, VF, core_ih_cntl(CORE_RING_LOG));
	core_wr(&c, VF, IH_RB_WPTR_ADDR_HI__BYTE, 0xffff);
	errors = core_stats(&c, VF).guest_errors;
	faults = core_stats(&c, VF).vm_faults;
	post(&c, VF, 0x99);
	CU_ASSERT(UNTIL(core_stats(&c, VF).guest_errors > errors));
	CU_ASSERT_EQUAL(GV_GET(wptr_reg(&c), IH_RB_WPTR, OFFSET) * 4, 32);
	CU_ASSERT_EQUAL(((const uint32_t *)c.ring[VF].cpu)[4], 0x99);
	/* a fault entry for the fault ring would never end */
	CU_ASSERT_EQUAL(core_stats(&c, VF).vm_faults, faults);
	core_close(&c);
}

static void without_a_ring_entries_are_dropped(void)
{
	struct core c;
	struct gv_ih_iv iv;

	open_ring(&c, 0);
	for (uint32_t k = 0; k < 1000; k++)
		post(&c, VF, k);
	settle(&c, VF);
	core_wr(&c, VF, IH_RB_CNTL__BYTE, core_ih_cntl(CORE_RING_LOG));
	settle(&c, VF);
	post(&c, VF, 0xabc);
	CU_ASSERT(core_ih_next(&c, VF, &iv, CORE_PATIENCE));
	CU_ASSERT_EQUAL(iv.dw[4], 0xabc);
	core_close(&c);
}

static void reset_forgets_waiting_entries(void)
{
	struct core c;
	struct gv_ih_iv iv;

	open_ring(&c, core_ih_cntl(CORE_RING_LOG));
	gv_ih_pause(core_fn(&c, VF));
	post(&c, VF, 1);
	CU_ASSERT_EQUAL(gv_dev_reset(c.dev, VF), 0);
	gv_ih_resume(core_fn(&c, VF));
	core_gates(&c, 0xf);
	core_ih_start(&c, VF, core_ih_cntl(CORE_RING_LOG));
	post(&c, VF, 2);
	CU_ASSERT(core_ih_next(&c, VF, &iv, CORE_PATIENCE));
	CU_ASSERT_EQUAL(iv.dw[4], 2);
	core_close(&c);
}

static void other_rings_keep_their_pointers(void)
{
	struct core c;
	uint32_t rptr = 64;

	open_ring(&c, core_ih_cntl(CORE_RING_LOG));
	core_wr(&c, VF, IH_DOORBELL_RPTR_RING1__BYTE,
	        GV_PUT(IH_DOORBELL_RPTR_RING1, OFFSET, GV_DOORBELL_IH_RING1) |
	                GV_PUT(IH_DOORBELL_RPTR_RING1, ENABLE, 1));
	(void)gv_bus_write(c.bus[VF], GV_REGION_DOORBELL, GV_DOORBELL_IH_RING1 * 4, &rptr, 4);
	CU_ASSERT_EQUAL(core_rd(&c, VF, IH_RB_RPTR_RING1__BYTE), 64);
	CU_ASSERT_EQUAL(core_rd(&c, VF, IH_RB_RPTR__BYTE), 0);
	core_wr(&c, VF, IH_RB_WPTR_RING1__BYTE, GV_PUT(IH_RB_WPTR_RING1, RB_OVERFLOW, 1));
	core_wr(&c, VF, IH_RB_CNTL_RING1__BYTE, GV_PUT(IH_RB_CNTL_RING1, WPTR_OVERFLOW_CLEAR, 1));
	CU_ASSERT_EQUAL(core_rd(&c, VF, IH_RB_WPTR_RING1__BYTE), 0);
	core_close(&c);
}

UT_MAIN("ih", UT(entries_arrive_in_order_and_wrap), UT(a_ring_in_gpu_va_space_works),
        UT(overflow_is_flagged_until_it_is_cleared),
        UT(without_overflow_a_full_ring_keeps_the_old_entries),
        UT(entries_lost_before_the_ring_are_an_overflow_too),
        UT(the_read_pointer_follows_the_doorbell_at_once), UT(vector_0_fires_when_entries_arrive),
        UT(rearm_holds_the_vector_until_the_driver_was_there),
        UT(an_overflown_ring_still_interrupts), UT(interrupts_of_one_function_do_not_reach_another),
        UT(every_ring_size_stays_inside_its_memory),
        UT(rings_and_write_backs_nowhere_are_counted_not_followed),
        UT(without_a_ring_entries_are_dropped), UT(reset_forgets_waiting_entries),
        UT(other_rings_keep_their_pointers))
