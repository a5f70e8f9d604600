/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page-table builder, judged by a walker of its own that knows only the bits of the format. */
#include <string.h>

#include <gv/page_table.h>
#include <gv/layouts.h>

#include "ut.h"

#define POOL 4096u

/* Tables live in one array; their address is the index times 4 KiB plus a base. */
static uint64_t pool[POOL][512];
static bool taken[POOL];
static unsigned in_use, limit = POOL;
static const uint64_t BASE = 0x40000000;

static int pool_alloc(void *arg, struct gv_pt_page *page)
{
	(void)arg;
	if (in_use >= limit)
		return -ENOMEM;
	for (unsigned i = 0; i < POOL; i++) {
		if (taken[i])
			continue;
		taken[i] = true;
		in_use++;
		memset(pool[i], 0xa5, sizeof(pool[i])); /* garbage: the builder must clear */
		*page = (struct gv_pt_page){.cpu = pool[i], .addr = BASE + i * 4096ull};
		return 0;
	}
	return -ENOMEM;
}

static void pool_free(void *arg, struct gv_pt_page *page)
{
	(void)arg;
	taken[(page->addr - BASE) / 4096] = false;
	in_use--;
}

static const struct gv_pt_mem mem = {.alloc = pool_alloc, .free = pool_free};

struct walk {
	bool valid;
	uint64_t pa, pte;
	unsigned level; /* of the leaf: 0 = 4 KiB, 1 = 2 MiB */
};

/* Independent of the builder: numbers of the format as hardware documents them. */
static struct walk walk(uint64_t root, unsigned levels, uint64_t va)
{
	uint64_t table = root & 0x0000ffffffffffc0ull;

	for (unsigned level = levels; level-- > 0;) {
		unsigned shift = 12 + 9 * level;
		uint64_t e = pool[(table - BASE) / 4096][va >> shift & 511];

		if (!(e & 1))
			return (struct walk){0};
		if (level == 0 || (e >> 54 & 1)) {
			uint64_t size = 1ull << shift, base = e & 0x0000fffffffff000ull;

			CU_ASSERT_EQUAL(base & (size - 1), 0); /* a leaf is aligned to its size */
			return (struct walk){true, base | (va & (size - 1)), e, level};
		}
		table = e & 0x0000ffffffffffc0ull;
	}
	return (struct walk){0};
}

static const uint64_t RW = GV_PTE_READABLE | GV_PTE_WRITEABLE;

static struct gv_pt *make(unsigned levels)
{
	struct gv_pt *pt = NULL;

	limit = POOL;
	CU_ASSERT_EQUAL_FATAL(gv_pt_new(levels, &mem, &pt), 0);
	return pt;
}

static void expect_range(const struct gv_pt *pt, unsigned levels, uint64_t va, uint64_t pa,
                         uint64_t bytes)
{
	bool all = true;

	for (uint64_t at = 0; at < bytes; at += 4096) {
		struct walk w = walk(gv_pt_root(pt), levels, va + at);

		all &= w.valid && w.pa == pa + at && (w.pte & RW) == RW;
	}
	CU_ASSERT_TRUE(all);
}

static void every_page_of_a_range_translates_and_its_neighbours_do_not(void)
{
	for (unsigned levels = 3; levels <= 4; levels++) {
		struct gv_pt *pt = make(levels);
		uint64_t va = 0x123456000, pa = 0x7001000, bytes = 5 * GV_MIB + 0x3000;

		CU_ASSERT_EQUAL(gv_pt_depth(pt), levels - 1);
		CU_ASSERT_EQUAL(gv_pt_map(pt, va, pa, bytes, RW, 0), 0);
		expect_range(pt, levels, va, pa, bytes);
		CU_ASSERT_FALSE(walk(gv_pt_root(pt), levels, va - 1).valid);
		CU_ASSERT_FALSE(walk(gv_pt_root(pt), levels, va + bytes).valid);
		gv_pt_free(pt);
		CU_ASSERT_EQUAL(in_use, 0);
	}
}

static void a_huge_leaf_needs_both_addresses_aligned(void)
{
	struct gv_pt *pt = make(3);
	uint64_t va = 0x200000000;
	struct walk w;

	/* aligned address, misaligned memory: no huge leaf may appear */
	CU_ASSERT_EQUAL(gv_pt_map(pt, va, 0x1000, 2 * GV_MIB, RW, 0), 0);
	w = walk(gv_pt_root(pt), 3, va + 0x5000);
	CU_ASSERT_EQUAL(w.level, 0);
	CU_ASSERT_EQUAL(w.pa, 0x6000);
	expect_range(pt, 3, va, 0x1000, 2 * GV_MIB);
	/* both aligned */
	CU_ASSERT_EQUAL(gv_pt_map(pt, va + 4 * GV_MIB, 6 * GV_MIB, 2 * GV_MIB, RW, 0), 0);
	w = walk(gv_pt_root(pt), 3, va + 4 * GV_MIB + 0x123000);
	CU_ASSERT_EQUAL(w.level, 1);
	CU_ASSERT_EQUAL(w.pa, 6 * GV_MIB + 0x123000);
	/* aligned memory, misaligned address */
	CU_ASSERT_EQUAL(gv_pt_map(pt, va + 8 * GV_MIB + 0x1000, 8 * GV_MIB, 2 * GV_MIB, RW, 0), 0);
	CU_ASSERT_EQUAL(walk(gv_pt_root(pt), 3, va + 8 * GV_MIB + 0x1000).level, 0);
	expect_range(pt, 3, va + 8 * GV_MIB + 0x1000, 8 * GV_MIB, 2 * GV_MIB);
	/* unless told otherwise */
	CU_ASSERT_EQUAL(gv_pt_map(pt, va + 16 * GV_MIB, 0, 2 * GV_MIB, RW, GV_PT_NO_HUGE), 0);
	CU_ASSERT_EQUAL(walk(gv_pt_root(pt), 3, va + 16 * GV_MIB).level, 0);
	gv_pt_free(pt);
}

static unsigned frag(const struct walk *w)
{
	return w->pte >> 7 & 0x1f;
}

/* A fragment of 2^n pages: all of them are mapped, contiguous, and aligned on both sides. */
static void expect_fragments_true(const struct gv_pt *pt, uint64_t va, uint64_t bytes)
{
	for (uint64_t at = 0; at < bytes; at += 4096) {
		struct walk w = walk(gv_pt_root(pt), 3, va + at);
		uint64_t size = 4096ull << frag(&w), first = (va + at) & ~(size - 1);
		struct walk lo = walk(gv_pt_root(pt), 3, first);
		struct walk hi = walk(gv_pt_root(pt), 3, first + size - 4096);

		if (!w.valid)
			continue;
		CU_ASSERT_TRUE(lo.valid && hi.valid && hi.pa - lo.pa == size - 4096 &&
		               !(lo.pa & (size - 1)));
	}
}

static void fragments_never_promise_what_is_not_there(void)
{
	static const uint64_t vas[] = {0x100000000, 0x100001000, 0x100007000, 0x1001ff000};
	static const uint64_t pas[] = {0, 0x1000, 0x3000, 0x8000, 0x1ff000};
	static const uint64_t sizes[] = {0x1000, 0x5000, 0x10000, 0x7f000, 0x200000, 0x234000};

	for (size_t a = 0; a < 4; a++) {
		for (size_t b = 0; b < 5; b++) {
			for (size_t c = 0; c < 6; c++) {
				struct gv_pt *pt = make(3);

				CU_ASSERT_EQUAL(
				        gv_pt_map(pt, vas[a], pas[b], sizes[c], RW, GV_PT_NO_HUGE),
				        0);
				expect_range(pt, 3, vas[a], pas[b], sizes[c]);
				expect_fragments_true(pt, vas[a], sizes[c]);
				/* cut a hole: still true on both sides of it */
				if (sizes[c] > 0x3000) {
					CU_ASSERT_EQUAL(gv_pt_unmap(pt, vas[a] + 0x1000, 0x2000),
					                0);
					expect_fragments_true(pt, vas[a], sizes[c]);
				}
				gv_pt_free(pt);
			}
		}
	}
	CU_ASSERT_EQUAL(in_use, 0);
}

static void mapping_over_a_mapping_is_refused_and_changes_nothing(void)
{
	struct gv_pt *pt = make(3);
	uint64_t va = 0x180000000;
	unsigned before;

	CU_ASSERT_EQUAL(gv_pt_map(pt, va + 3 * GV_MIB, 0x5000, 4096, RW, 0), 0);
	before = gv_pt_tables(pt);
	CU_ASSERT_EQUAL(gv_pt_map(pt, va, 0, 8 * GV_MIB, RW, 0), -EEXIST);
	CU_ASSERT_EQUAL(gv_pt_tables(pt), before);
	CU_ASSERT_FALSE(walk(gv_pt_root(pt), 3, va).valid);
	CU_ASSERT_EQUAL(walk(gv_pt_root(pt), 3, va + 3 * GV_MIB).pa, 0x5000);
	gv_pt_free(pt);
}

static void running_out_of_tables_changes_nothing(void)
{
	struct gv_pt *pt = make(4);
	unsigned before = gv_pt_tables(pt);

	for (unsigned extra = 0; extra < 6; extra++) {
		limit = in_use + extra;
		CU_ASSERT_EQUAL(gv_pt_map(pt, 0x5000000000, 0x1000, 12 * GV_MIB, RW, 0), -ENOMEM);
		CU_ASSERT_EQUAL(gv_pt_tables(pt), before);
		CU_ASSERT_EQUAL(in_use, before);
	}
	gv_pt_free(pt);
	CU_ASSERT_EQUAL(in_use, 0);
}

static void unmapping_part_of_a_huge_leaf_splits_it(void)
{
	struct gv_pt *pt = make(3);
	uint64_t va = 0x140000000;

	CU_ASSERT_EQUAL(gv_pt_map(pt, va, 4 * GV_MIB, 4 * GV_MIB, RW, 0), 0);
	CU_ASSERT_EQUAL(gv_pt_unmap(pt, va + 0x10000, 0x1000), 0);
	CU_ASSERT_FALSE(walk(gv_pt_root(pt), 3, va + 0x10000).valid);
	expect_range(pt, 3, va, 4 * GV_MIB, 0x10000);
	expect_range(pt, 3, va + 0x11000, 4 * GV_MIB + 0x11000, 4 * GV_MIB - 0x11000);
	CU_ASSERT_EQUAL(walk(gv_pt_root(pt), 3, va + 2 * GV_MIB).level, 1);
	/* and empty tables go away */
	CU_ASSERT_EQUAL(gv_pt_unmap(pt, va, 4 * GV_MIB), 0);
	CU_ASSERT_EQUAL(gv_pt_tables(pt), 1);
	gv_pt_free(pt);
}

static void scattered_pages_translate_one_by_one(void)
{
	struct gv_pt *pt = make(4);
	uint64_t pa[1500], va = 0x8000001000;
	bool all = true;

	for (unsigned i = 0; i < 1500; i++)
		pa[i] = (uint64_t)(i * 7919 % 65536) * 4096;
	CU_ASSERT_EQUAL(gv_pt_map_pages(pt, va, pa, 1500, RW | GV_PTE_SYSTEM), 0);
	for (unsigned i = 0; i < 1500; i++) {
		struct walk w = walk(gv_pt_root(pt), 4, va + i * 4096ull);

		all &= w.valid && w.pa == pa[i] && (w.pte & GV_PTE_SYSTEM) && !frag(&w);
	}
	CU_ASSERT_TRUE(all);
	CU_ASSERT_EQUAL(gv_pt_map_pages(pt, va + 4096, pa, 1, RW), -EEXIST);
	pa[1] |= 0x800;
	CU_ASSERT_EQUAL(gv_pt_map_pages(pt, va + 0x10000000, pa, 3, RW), -EINVAL);
	gv_pt_free(pt);
}

static void what_does_not_fit_the_format_is_refused(void)
{
	struct gv_pt *pt = make(3);
	uint64_t end = gv_pt_end(pt);

	CU_ASSERT_EQUAL(end, 512 * GV_GIB);
	CU_ASSERT_EQUAL(gv_pt_map(pt, 0x1000, 0, 0, RW, 0), -EINVAL);
	CU_ASSERT_EQUAL(gv_pt_map(pt, 0x1001, 0, 4096, RW, 0), -EINVAL);
	CU_ASSERT_EQUAL(gv_pt_map(pt, 0x1000, 1, 4096, RW, 0), -EINVAL);
	CU_ASSERT_EQUAL(gv_pt_map(pt, 0x1000, 0, 4097, RW, 0), -EINVAL);
	CU_ASSERT_EQUAL(gv_pt_map(pt, 0x1000, 1ull << 48, 4096, RW, 0), -EINVAL);
	CU_ASSERT_EQUAL(gv_pt_map(pt, 0x1000, 0, 4096, GV_PDE_PTE, 0), -EINVAL);
	CU_ASSERT_EQUAL(gv_pt_map(pt, end, 0, 4096, RW, 0), -ERANGE);
	CU_ASSERT_EQUAL(gv_pt_map(pt, end - 4096, 0, 8192, RW, 0), -ERANGE);
	CU_ASSERT_EQUAL(gv_pt_map(pt, 4096, 0, ~4095ull, RW, 0), -ERANGE);
	CU_ASSERT_EQUAL(gv_pt_map(pt, end - 4096, 0, 4096, RW, 0), 0);
	CU_ASSERT_EQUAL(gv_pt_tables(pt), 3);
	gv_pt_free(pt);
}

UT_MAIN("page_table", UT(every_page_of_a_range_translates_and_its_neighbours_do_not),
        UT(a_huge_leaf_needs_both_addresses_aligned), UT(fragments_never_promise_what_is_not_there),
        UT(mapping_over_a_mapping_is_refused_and_changes_nothing),
        UT(running_out_of_tables_changes_nothing), UT(unmapping_part_of_a_huge_leaf_splits_it),
        UT(scattered_pages_translate_one_by_one), UT(what_does_not_fit_the_format_is_refused))
