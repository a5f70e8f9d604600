/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heap.h"
#include "ut.h"

static void ranges_are_aligned_inside_bounds_and_from_the_end_asked(void)
{
	struct gv_heap h;
	uint64_t at = 0;

	CU_ASSERT_EQUAL_FATAL(gv_heap_init(&h, 0x1000, 0x100000), 0);
	CU_ASSERT_EQUAL(gv_heap_take(&h, 0x2000, 0x10000, 0, UINT64_MAX, false, &at), 0);
	CU_ASSERT_EQUAL(at, 0x10000);
	CU_ASSERT_EQUAL(gv_heap_take(&h, 0x2000, 0x1000, 0, UINT64_MAX, true, &at), 0);
	CU_ASSERT_EQUAL(at, 0xff000);
	CU_ASSERT_EQUAL(gv_heap_take(&h, 0x1000, 0x1000, 0x20000, 0x30000, true, &at), 0);
	CU_ASSERT_EQUAL(at, 0x2f000);
	CU_ASSERT_EQUAL(gv_heap_take(&h, 0x20000, 0x1000, 0x20000, 0x30000, false, &at), -ENOSPC);
	CU_ASSERT_EQUAL(gv_heap_take_at(&h, 0x2f000, 0x1000), -EBUSY);
	CU_ASSERT_EQUAL(gv_heap_give(&h, 0x2e000, 0x2000), -EINVAL); /* half of it is free */
	gv_heap_done(&h);
}

static void taking_and_giving_at_random_neither_overlaps_nor_loses(void)
{
	enum { N = 64 };
	uint64_t at[N] = {0}, bytes[N] = {0};
	struct gv_heap h;
	uint32_t x = 99;

	CU_ASSERT_EQUAL_FATAL(gv_heap_init(&h, 0, 1 << 20), 0);
	for (unsigned step = 0; step < 20000; step++) {
		unsigned i = (x = x * 1664525u + 1013904223u) >> 26;

		if (bytes[i]) {
			CU_ASSERT_EQUAL(gv_heap_give(&h, at[i], bytes[i]), 0);
			bytes[i] = 0;
			continue;
		}
		bytes[i] = ((x >> 10 & 15) + 1) * 4096;
		if (gv_heap_take(&h, bytes[i], 4096ull << (x & 3), 0, UINT64_MAX, x >> 5 & 1,
		                 &at[i]))
			bytes[i] = 0;
		for (unsigned k = 0; k < N && bytes[i]; k++)
			CU_ASSERT_TRUE(k == i || !bytes[k] || at[k] + bytes[k] <= at[i] ||
			               at[i] + bytes[i] <= at[k]);
	}
	for (unsigned i = 0; i < N; i++) {
		if (bytes[i])
			CU_ASSERT_EQUAL(gv_heap_give(&h, at[i], bytes[i]), 0);
	}
	CU_ASSERT_EQUAL(h.free_bytes, 1 << 20);
	CU_ASSERT_EQUAL(h.count, 1);
	CU_ASSERT_EQUAL(gv_heap_largest(&h), 1 << 20);
	gv_heap_done(&h);
}

UT_MAIN("heap", UT(ranges_are_aligned_inside_bounds_and_from_the_end_asked),
        UT(taking_and_giving_at_random_neither_overlaps_nor_loses))
