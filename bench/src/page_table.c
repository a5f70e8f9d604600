/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* F4: filling page tables, against bare stores of the same entries. */
#include <stdio.h>
#include <string.h>

#include <gv/layouts.h>
#include <gv/page_table.h>

#include "bench.h"

#define MAP_BYTES (1ull << 30)
#define PTES      (MAP_BYTES / GV_GPU_PAGE)
#define TABLES    (PTES / GV_PT_ENTRIES + 16)

/* Tables come from memory that is there already, as a driver's pool does. */
struct arena {
	uint64_t *memory;
	size_t next;
	struct gv_pt *pt;
	int rc;
};

static int take(void *arg, struct gv_pt_page *page)
{
	struct arena *a = arg;

	if (a->next == TABLES)
		return -ENOMEM;
	page->cpu = a->memory + a->next * GV_PT_ENTRIES;
	page->addr = a->next * GV_GPU_PAGE;
	page->system = false;
	a->next++;
	return 0;
}

static void give_back(void *arg, struct gv_pt_page *page)
{
	(void)arg;
	(void)page;
}

static const uint64_t flags = GV_PTE_READABLE | GV_PTE_WRITEABLE;

static void map_contiguous(void *arg)
{
	struct arena *a = arg;

	a->rc |= gv_pt_map(a->pt, 1ull << 30, 0, MAP_BYTES, flags, GV_PT_NO_HUGE);
}

static void map_huge(void *arg)
{
	struct arena *a = arg;

	a->rc |= gv_pt_map(a->pt, 1ull << 30, 0, MAP_BYTES, flags, 0);
}

static void store(void *arg)
{
	volatile uint64_t *entry = ((struct arena *)arg)->memory;

	for (uint64_t i = 0; i < PTES; i++)
		entry[i] = i << GV_GPU_PAGE_SHIFT | flags | GV_PTE_VALID;
}

/* Best time of one map into an empty table; unmapping is not timed. */
static double time_map(struct arena *a, void (*map)(void *))
{
	const struct gv_pt_mem mem = {.alloc = take, .free = give_back, .arg = a};
	double best = 0;

	for (int round = 0; round < BENCH_ROUNDS; round++) {
		uint64_t start, took;

		a->next = 0;
		a->rc |= gv_pt_new(3, &mem, &a->pt);
		if (a->rc)
			return 0;
		start = gv_now_ns();
		map(a);
		took = gv_now_ns() - start;
		if (round == 0 || (double)took < best)
			best = (double)took;
		a->pt = gv_pt_free(a->pt);
	}
	return best;
}

int bench_page_table(struct bench *b, struct gv_err *err)
{
	struct bench_row row = {.figure = "F4",
	                        .unit = "PTE/s",
	                        .what = "contiguous 4 KiB map of 1 GiB, guest page table",
	                        .conditions =
	                                "3 levels, tables in warm CPU memory; limit: plain stores "
	                                "of the same 262144 entries"};
	struct bench_row huge = {.figure = "F4",
	                         .unit = "ns",
	                         .smaller_is_better = true,
	                         .what = "the same range with 2 MiB leaves, one call",
	                         .conditions = "512 leaves; no raw limit"};
	struct arena a = {.memory = aligned_alloc(1 << 21, TABLES * GV_GPU_PAGE + (1 << 21))};

	if (!a.memory)
		return gv_fail(err, -ENOMEM, "memory for tables");
	memset(a.memory, 1, TABLES * GV_GPU_PAGE);
	row.limit = (double)PTES * 1e9 / bench_best(store, &a);
	row.ours = (double)PTES * 1e9 / time_map(&a, map_contiguous);
	huge.ours = time_map(&a, map_huge);
	free(a.memory);
	if (a.rc)
		return gv_fail(err, -EIO, "mapping failed");
	bench_add(b, &row);
	bench_add(b, &huge);
	return 0;
}
