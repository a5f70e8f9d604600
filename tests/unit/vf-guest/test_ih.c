/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "ih.h"
#include "ut.h"

#define ENTRIES 16u

static struct gv_ih_iv ring[ENTRIES];
static uint32_t got[64];
static unsigned count;

static void handle(void *arg, const struct gv_ih_event *event)
{
	(void)arg;
	if (count < 64)
		got[count] = event->data[0];
	count++;
}

static struct gv_ih_ring fresh(void)
{
	for (uint32_t i = 0; i < ENTRIES; i++)
		ring[i] = (struct gv_ih_iv){.dw = {0x14 | 181 << 8, 0, 0, 0, 100 + i, 0, 0, 0}};
	count = 0;
	return (struct gv_ih_ring){.ring = ring, .bytes = sizeof(ring)};
}

static void entries_come_once_and_in_order(void)
{
	struct gv_ih_ring ih = fresh();

	CU_ASSERT_FALSE(gv_ih_consume(&ih, 3 * 32, handle, NULL));
	CU_ASSERT_EQUAL(count, 3);
	CU_ASSERT_EQUAL(got[2], 102);
	CU_ASSERT_FALSE(gv_ih_consume(&ih, 3 * 32, handle, NULL));
	CU_ASSERT_EQUAL(count, 3);
	CU_ASSERT_EQUAL(ih.rptr, 96);
}

static void the_ring_wraps(void)
{
	struct gv_ih_ring ih = fresh();

	ih.rptr = 14 * 32;
	CU_ASSERT_FALSE(gv_ih_consume(&ih, 2 * 32, handle, NULL));
	CU_ASSERT_EQUAL(count, 4);
	CU_ASSERT_EQUAL(got[0], 114);
	CU_ASSERT_EQUAL(got[3], 101);
}

static void after_overflow_reading_starts_at_the_oldest_entry(void)
{
	struct gv_ih_ring ih = fresh();

	ih.rptr = 7 * 32;
	CU_ASSERT_TRUE(gv_ih_consume(&ih, 5 * 32 | 1, handle, NULL));
	CU_ASSERT_EQUAL(count, ENTRIES - 1);
	CU_ASSERT_EQUAL(got[0], 106); /* entry 6, the one after the write pointer */
	CU_ASSERT_EQUAL(got[14], 104);
	CU_ASSERT_EQUAL(ih.rptr, 5 * 32);
	CU_ASSERT_EQUAL(ih.overflows, 1);
}

static void any_write_pointer_is_safe_and_bounded(void)
{
	uint32_t x = 12345;

	for (unsigned i = 0; i < 10000; i++) {
		struct gv_ih_ring ih = fresh();

		x = x * 1664525u + 1013904223u;
		ih.rptr = (x >> 8) % ENTRIES * 32;
		(void)gv_ih_consume(&ih, x, handle, NULL);
		CU_ASSERT_TRUE(count < ENTRIES);
		CU_ASSERT_TRUE(ih.rptr < sizeof(ring) && !(ih.rptr & 31));
	}
}

static void a_page_fault_entry_is_taken_apart(void)
{
	const struct gv_ih_iv iv = {.dw = {0x1b | 0 << 8 | 1u << 24, 7, 0xffff0001, 0xabcd0042,
	                                   0x12345678, 0x29, 0, 0}};
	struct gv_ih_event e;

	gv_ih_decode(&iv, &e);
	CU_ASSERT_EQUAL(e.client, GV_IH_CLIENT_UTCL2);
	CU_ASSERT_EQUAL(e.vmid, 1);
	CU_ASSERT_FALSE(e.mmhub);
	CU_ASSERT_EQUAL(e.pasid, 0x42);
	CU_ASSERT_EQUAL(e.timestamp, 0x100000007ull);
	CU_ASSERT_EQUAL(gv_ih_fault_va(&e), 0x912345678000ull);
	CU_ASSERT_TRUE(gv_ih_fault_write(&e));
}

UT_MAIN("ih", UT(entries_come_once_and_in_order), UT(the_ring_wraps),
        UT(after_overflow_reading_starts_at_the_oldest_entry),
        UT(any_write_pointer_is_safe_and_bounded), UT(a_page_fault_entry_is_taken_apart))
