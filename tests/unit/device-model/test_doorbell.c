/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Doorbells: gate, routing, what is remembered, and pages that a client has mapped. */
#include <sys/mman.h>

#include "core_rig.h"
#include "ut.h"

#define VF   GV_DEV_VF(0)
#define FREE 0x200u /* a doorbell that nobody's reset state owns */

static void ring(struct core *c, unsigned func, uint32_t index, uint64_t val)
{
	CU_ASSERT_EQUAL(gv_bus_write(c->bus[func], GV_REGION_DOORBELL, index * 4ull, &val, 8), 0);
}

static uint64_t page_at(struct core *c, unsigned func, uint32_t index)
{
	uint64_t val = 0;

	CU_ASSERT_EQUAL(gv_bus_read(c->bus[func], GV_REGION_DOORBELL, index * 4ull, &val, 8), 0);
	return val;
}

static void lock(struct core *c)
{
	(void)pthread_mutex_lock(&c->dev->lock);
}
static void unlock(struct core *c)
{
	(void)pthread_mutex_unlock(&c->dev->lock);
}
static void watch(struct core *c, unsigned func, uint32_t index, bool on)
{
	lock(c);
	gv_doorbell_watch(core_fn(c, func), index, on);
	unlock(c);
}
static uint64_t remembered(struct core *c, unsigned func, uint32_t index)
{
	uint64_t val;

	lock(c);
	val = gv_doorbell_value(core_fn(c, func), index);
	unlock(c);
	return val;
}

static void a_closed_gate_drops_and_counts(void)
{
	struct core c;

	core_open(&c);
	ring(&c, VF, FREE, 5);
	CU_ASSERT_EQUAL(page_at(&c, VF, FREE), 0);
	CU_ASSERT_EQUAL(core_stats(&c, VF).guest_errors, 1);
	CU_ASSERT_EQUAL(core_stats(&c, VF).doorbells, 0);
	core_wr(&c, GV_DEV_PF, GVX_VF_DOORBELL_EN__BYTE, 1);
	ring(&c, VF, FREE, 5);
	ring(&c, GV_DEV_VF(1), FREE, 5); /* its own bit */
	CU_ASSERT_EQUAL(page_at(&c, VF, FREE), 5);
	CU_ASSERT_EQUAL(page_at(&c, GV_DEV_VF(1), FREE), 0);
	CU_ASSERT_EQUAL(core_stats(&c, VF).doorbells, 1);
	/* the PF has no gate */
	ring(&c, GV_DEV_PF, FREE, 6);
	CU_ASSERT_EQUAL(core_stats(&c, GV_DEV_PF).doorbells, 1);
	core_close(&c);
}

static void a_vf_stays_in_its_pages(void)
{
	struct core c;
	const uint32_t per_page = GV_GPU_PAGE / 4, last = GV_BAR2_BYTES / 4 - 2;

	core_open(&c);
	core_wr(&c, GV_DEV_PF, GVX_VF_DOORBELL_EN__BYTE, 0xf);
	for (uint32_t pages = 1; pages < 4; pages++) {
		uint64_t before = core_stats(&c, VF).guest_errors;

		core_wr(&c, GV_DEV_PF, GVX_VF0_DOORBELL_PAGES__BYTE, pages);
		ring(&c, VF, pages * per_page - 2, pages);
		CU_ASSERT_EQUAL(page_at(&c, VF, pages * per_page - 2), pages);
		ring(&c, VF, pages * per_page, 0xbad);
		ring(&c, VF, last, 0xbad);
		CU_ASSERT_EQUAL(core_stats(&c, VF).guest_errors, before + 2);
		CU_ASSERT_EQUAL(page_at(&c, VF, pages * per_page), 0);
	}
	core_wr(&c, GV_DEV_PF, GVX_VF0_DOORBELL_PAGES__BYTE, 0); /* 0: all */
	ring(&c, VF, last, 7);
	CU_ASSERT_EQUAL(page_at(&c, VF, last), 7);
	core_close(&c);
}

static void odd_sizes_and_places_are_refused(void)
{
	struct core c;
	uint8_t buf[16] = {1, 2, 3, 4};
	static const struct {
		uint64_t off;
		size_t n;
	} odd[] = {{0x1000, 1}, {0x1000, 2}, {0x1002, 4}, {0x1004, 8}, {0x1000, 3}, {0x1000, 16}};
	uint64_t before;

	core_open(&c);
	before = core_stats(&c, GV_DEV_PF).guest_errors;
	for (size_t k = 0; k < GV_ARRAY_LEN(odd); k++)
		CU_ASSERT_EQUAL(
		        gv_dev_write(c.dev, 0, GV_REGION_DOORBELL, odd[k].off, buf, odd[k].n), 0);
	CU_ASSERT_EQUAL(core_stats(&c, 0).guest_errors, before + GV_ARRAY_LEN(odd));
	CU_ASSERT_EQUAL(page_at(&c, 0, 0x400), 0);
	CU_ASSERT_EQUAL(gv_dev_write(c.dev, 0, GV_REGION_DOORBELL, GV_BAR2_BYTES - 4, buf, 8),
	                -ERANGE);
	CU_ASSERT_EQUAL(gv_dev_read(c.dev, 0, GV_REGION_DOORBELL, UINT64_MAX, buf, 8), -ERANGE);
	CU_ASSERT_EQUAL(gv_doorbell_access(core_fn(&c, 0), UINT64_MAX - 3, buf, 8, true), -ERANGE);
	core_close(&c);
}

static void functions_have_doorbells_of_their_own(void)
{
	struct core c;

	core_open(&c);
	core_gates(&c, 0xf);
	for (unsigned f = 0; f <= CORE_VFS; f++)
		ring(&c, f, FREE, 100 + f);
	for (unsigned f = 0; f <= CORE_VFS; f++)
		CU_ASSERT_EQUAL(page_at(&c, f, FREE), 100 + f);
	core_close(&c);
}

static void a_doorbell_rung_before_its_queue_exists_counts(void)
{
	struct core c;

	core_open(&c);
	core_gates(&c, 1);
	CU_ASSERT_EQUAL(remembered(&c, VF, FREE), 0);
	ring(&c, VF, FREE, 64);
	CU_ASSERT_EQUAL(remembered(&c, VF, FREE), 64);
	watch(&c, VF, FREE, true);
	ring(&c, VF, FREE, 128);
	CU_ASSERT_EQUAL(remembered(&c, VF, FREE), 128);
	/* the next owner does not get the pointer of the previous one, but what is rung after */
	watch(&c, VF, FREE, false);
	CU_ASSERT_EQUAL(remembered(&c, VF, FREE), 0);
	ring(&c, VF, FREE, 32);
	CU_ASSERT_EQUAL(remembered(&c, VF, FREE), 32);
	CU_ASSERT_EQUAL(gv_dev_reset(c.dev, VF), 0);
	CU_ASSERT_EQUAL(remembered(&c, VF, FREE), 0);
	CU_ASSERT_EQUAL(page_at(&c, VF, FREE), 0);
	core_close(&c);
}

static void indexes_beyond_the_bar_do_nothing(void)
{
	static const uint32_t far[] = {GV_BAR2_BYTES / 4, 0x3ffffff, UINT32_MAX};
	struct core c;

	core_open(&c);
	for (size_t k = 0; k < GV_ARRAY_LEN(far); k++) {
		watch(&c, VF, far[k], true);
		CU_ASSERT_EQUAL(remembered(&c, VF, far[k]), 0);
		watch(&c, VF, far[k], false);
	}
	core_close(&c);
}

static void more_watches_than_fit_are_counted_and_old_ones_reused(void)
{
	struct core c;

	core_open(&c);
	for (uint32_t k = 0; k < 300; k++)
		watch(&c, VF, FREE + 2 * k, true);
	CU_ASSERT_EQUAL(core_stats(&c, VF).unimplemented, 300 - 256);
	for (uint32_t k = 0; k < 300; k++)
		watch(&c, VF, FREE + 2 * k, false);
	CU_ASSERT_EQUAL(gv_dev_reset(c.dev, VF), 0);
	for (uint32_t k = 0; k < 2000; k++) {
		watch(&c, VF, FREE + 2 * k, true);
		watch(&c, VF, FREE + 2 * k, false);
	}
	CU_ASSERT(core_stats(&c, VF).unimplemented <= 300);
	core_close(&c);
}

/* ---- mapped pages ------------------------------------------------------------------- */

static uint8_t *map(struct core *c, unsigned func, int *fd_out)
{
	gv_auto_fd int fd = -1;
	uint64_t bytes = 0;
	void *cpu;

	CU_ASSERT_EQUAL_FATAL(gv_dev_region_fd(c->dev, func, GV_REGION_DOORBELL, &fd, &bytes), 0);
	CU_ASSERT_EQUAL(bytes, GV_BAR2_BYTES);
	cpu = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CU_ASSERT_FATAL(cpu != MAP_FAILED);
	if (fd_out)
		*fd_out = gv_take_fd(&fd);
	return cpu;
}

static void store32(uint8_t *page, uint32_t index, uint32_t val)
{
	__atomic_store_n((uint32_t *)(void *)(page + 4ul * index), val, __ATOMIC_RELEASE);
}

static void writes_through_a_mapping_are_found(void)
{
	struct core c;
	uint8_t *page;

	core_open(&c);
	core_gates(&c, 1);
	core_ih_start(&c, VF, core_ih_cntl(CORE_RING_LOG));
	page = map(&c, VF, NULL);
	for (uint32_t k = 1; k < 20; k++) {
		store32(page, GV_DOORBELL_IH, 32 * k);
		CU_ASSERT(UNTIL(core_rd(&c, VF, IH_RB_RPTR__BYTE) == 32 * k));
	}
	/* a trapped write is not routed twice */
	CU_ASSERT_EQUAL(core_stats(&c, VF).doorbells, 19);
	ring(&c, VF, GV_DOORBELL_IH, 32);
	CU_ASSERT_EQUAL(core_rd(&c, VF, IH_RB_RPTR__BYTE), 32);
	store32(page, GV_DOORBELL_IH, 64); /* when this is seen, so was the one before */
	CU_ASSERT(UNTIL(core_rd(&c, VF, IH_RB_RPTR__BYTE) == 64));
	CU_ASSERT_EQUAL(core_stats(&c, VF).doorbells, 21);
	(void)munmap(page, GV_BAR2_BYTES);
	core_close(&c);
}

/* Trap 9 of amdgpu's: else it rings again and again (vega10_ih_irq_rearm()). */
static void an_interrupt_doorbell_moves_the_read_pointer_at_once(void)
{
	struct core c;
	uint8_t *page;

	core_open(&c);
	core_gates(&c, 1);
	core_ih_start(&c, VF, core_ih_cntl(CORE_RING_LOG));
	for (uint32_t k = 1; k < 8; k++) {
		ring(&c, VF, GV_DOORBELL_IH, 32 * k);
		CU_ASSERT_EQUAL(core_rd(&c, VF, IH_RB_RPTR__BYTE), 32 * k);
	}
	page = map(&c, VF, NULL);
	for (uint32_t k = 0; k < 1000; k++) {
		store32(page, GV_DOORBELL_IH, 32 * (k % 8));
		CU_ASSERT_EQUAL(core_rd(&c, VF, IH_RB_RPTR__BYTE), 32 * (k % 8));
	}
	(void)munmap(page, GV_BAR2_BYTES);
	core_close(&c);
}

static void the_gate_counts_for_mapped_pages(void)
{
	struct core c;
	uint8_t *page;

	core_open(&c);
	core_gates(&c, 1);
	core_ih_start(&c, VF, core_ih_cntl(CORE_RING_LOG));
	core_gates(&c, 0);
	page = map(&c, VF, NULL);
	store32(page, GV_DOORBELL_IH, 64);
	CU_ASSERT(UNTIL(core_stats(&c, VF).guest_errors == 1));
	CU_ASSERT_EQUAL(core_rd(&c, VF, IH_RB_RPTR__BYTE), 0);
	CU_ASSERT_EQUAL(core_stats(&c, VF).doorbells, 0);
	(void)munmap(page, GV_BAR2_BYTES);
	core_close(&c);
}

static void a_client_cannot_shrink_the_page(void)
{
	struct core c;
	uint8_t *page;
	int fd = -1;

	core_open(&c);
	page = map(&c, VF, &fd);
	CU_ASSERT_NOT_EQUAL(ftruncate(fd, 0), 0);
	CU_ASSERT_NOT_EQUAL(ftruncate(fd, 2 * GV_BAR2_BYTES), 0);
	(void)munmap(page, GV_BAR2_BYTES);
	(void)close(fd);
	core_close(&c);
}

static void an_old_client_cannot_ring_for_the_next(void)
{
	struct core c;
	uint8_t *old, *now;

	core_open(&c);
	core_gates(&c, 1);
	old = map(&c, VF, NULL);
	gv_dev_client_gone(c.dev, VF);
	core_ih_start(&c, VF, core_ih_cntl(CORE_RING_LOG));
	now = map(&c, VF, NULL);
	store32(old, GV_DOORBELL_IH, 96);
	store32(now, GV_DOORBELL_IH, 32);
	CU_ASSERT(UNTIL(core_rd(&c, VF, IH_RB_RPTR__BYTE) == 32));
	store32(old, GV_DOORBELL_IH, 160);
	store32(now, GV_DOORBELL_IH, 64);
	CU_ASSERT(UNTIL(core_rd(&c, VF, IH_RB_RPTR__BYTE) == 64));
	CU_ASSERT_EQUAL(core_stats(&c, VF).doorbells, 2);
	(void)munmap(old, GV_BAR2_BYTES);
	(void)munmap(now, GV_BAR2_BYTES);
	core_close(&c);
}

/* The queues of the function go on, so must what they were told. */
static void a_fresh_page_rings_nothing(void)
{
	struct timespec nap = {.tv_nsec = 20000000};
	struct core c;
	uint8_t *page;

	core_open(&c);
	core_gates(&c, 1);
	core_ih_start(&c, VF, core_ih_cntl(CORE_RING_LOG));
	page = map(&c, VF, NULL);
	store32(page, GV_DOORBELL_IH, 96);
	CU_ASSERT(UNTIL(core_rd(&c, VF, IH_RB_RPTR__BYTE) == 96));
	(void)munmap(page, GV_BAR2_BYTES);
	gv_dev_client_gone(c.dev, VF);
	page = map(&c, VF, NULL);
	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
	CU_ASSERT_EQUAL(core_rd(&c, VF, IH_RB_RPTR__BYTE), 96);
	CU_ASSERT_EQUAL(core_stats(&c, VF).doorbells, 1);
	(void)munmap(page, GV_BAR2_BYTES);
	core_close(&c);
}

static void reset_clears_the_page_that_a_client_sees(void)
{
	struct core c;
	uint8_t *page;

	core_open(&c);
	core_gates(&c, 1);
	page = map(&c, VF, NULL);
	store32(page, FREE, 9);
	CU_ASSERT_EQUAL(gv_dev_reset(c.dev, VF), 0);
	CU_ASSERT_EQUAL(page[4 * FREE], 0);
	CU_ASSERT_EQUAL(remembered(&c, VF, FREE), 0);
	(void)munmap(page, GV_BAR2_BYTES);
	core_close(&c);
}

UT_MAIN("doorbell", UT(a_closed_gate_drops_and_counts), UT(a_vf_stays_in_its_pages),
        UT(odd_sizes_and_places_are_refused), UT(functions_have_doorbells_of_their_own),
        UT(a_doorbell_rung_before_its_queue_exists_counts), UT(indexes_beyond_the_bar_do_nothing),
        UT(more_watches_than_fit_are_counted_and_old_ones_reused),
        UT(writes_through_a_mapping_are_found),
        UT(an_interrupt_doorbell_moves_the_read_pointer_at_once),
        UT(the_gate_counts_for_mapped_pages), UT(a_client_cannot_shrink_the_page),
        UT(an_old_client_cannot_ring_for_the_next), UT(a_fresh_page_rings_nothing),
        UT(reset_clears_the_page_that_a_client_sees))
