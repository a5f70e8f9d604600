/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/eventfd.h>

#include "fake_bus.h"
#include "ut.h"

static void the_clock_goes_forward(void)
{
	uint64_t a = gv_now_ns(), b = gv_now_ns();

	CU_ASSERT(a > 0);
	CU_ASSERT(b >= a);
}

static void waiting_ends_when_the_register_shows_it(void)
{
	struct fake_bus f;
	uint32_t last = 0;

	fake_init(&f);
	f.ready_at = 100;
	f.ready = 0xabc1;
	CU_ASSERT_EQUAL(gv_wait32(&f.bus, 0, 0xf, 1, 5 * GV_S, &last), 0);
	CU_ASSERT_EQUAL(last, 0xabc1);
	CU_ASSERT_EQUAL(f.reads, 100);
	CU_ASSERT_EQUAL(gv_wait32(&f.bus, 0, 0xf, 1, 0, NULL), 0);
}

static void waiting_ends_at_the_deadline_with_the_last_value(void)
{
	struct fake_bus f;
	uint64_t begin = gv_now_ns(), took;
	uint32_t last = 0;

	fake_init(&f);
	f.mmio[4] = 0x42;
	CU_ASSERT_EQUAL(gv_wait32(&f.bus, 4, 1, 1, 20 * GV_MS, &last), -ETIMEDOUT);
	took = gv_now_ns() - begin;
	CU_ASSERT(took >= 20 * GV_MS && took < 5 * GV_S);
	CU_ASSERT_EQUAL(last, 0x42);
	/* sleeping between reads, not spinning through them */
	CU_ASSERT(f.reads < 1000);
}

static void one_read_follows_the_deadline(void)
{
	struct fake_bus f;

	fake_init(&f);
	f.ready_at = 2;
	f.ready = 1;
	CU_ASSERT_EQUAL(gv_wait32(&f.bus, 0, 1, 1, 0, NULL), 0);
}

static void a_lost_device_ends_the_wait_at_once(void)
{
	struct fake_bus f;
	uint64_t begin = gv_now_ns();

	fake_init(&f);
	f.lost = -EIO;
	/* all ones would match */
	CU_ASSERT_EQUAL(gv_wait32(&f.bus, 0, 1, 1, 5 * GV_S, NULL), -EIO);
	CU_ASSERT(gv_now_ns() - begin < GV_S);
}

static void interrupts_are_consumed_once(void)
{
	gv_auto_fd int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	uint64_t two = 2, begin;

	CU_ASSERT_EQUAL(write(fd, &two, sizeof(two)), (ssize_t)sizeof(two));
	CU_ASSERT_EQUAL(gv_irq_wait(fd, 0), 0); /* the past: only looks */
	begin = gv_now_ns();
	CU_ASSERT_EQUAL(gv_irq_wait(fd, begin + 10 * GV_MS), -ETIMEDOUT);
	CU_ASSERT(gv_now_ns() - begin >= 9 * GV_MS);
}

UT_MAIN("wait", UT(the_clock_goes_forward), UT(waiting_ends_when_the_register_shows_it),
        UT(waiting_ends_at_the_deadline_with_the_last_value), UT(one_read_follows_the_deadline),
        UT(a_lost_device_ends_the_wait_at_once), UT(interrupts_are_consumed_once))
