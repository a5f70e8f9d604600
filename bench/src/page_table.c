/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* F4: filling page tables, against bare stores of the same entries. */
#include <stdio.h>
#include <string.h>

#include <gv/layouts.h>
#include <gv/page_table.h>

#include "bench.h"

#define MAP_BYTES (1ull << 30)
#define MAP_VA    (1ull << 30)
#define PTES      (MAP_BYTES / GV_GPU_PAGE)
#define TABLES    (PTES / GV_PT_ENTRIES + 16)
#define SINGLES   2000

/* Tables come from memory that is there already, as a driver's pool does. */
struct arena {
	uint64_t *memory;
	struct gv_pt_page spare[TABLES]; /* given back, taken first */
	size_t spares, next;
	struct gv_pt *pt;
	uint64_t *pages; /* a scatter list: PTES addresses */
};

static int take(void *arg, struct gv_pt_page *page)
{
	struct arena *a = arg;

	if (a->spares) {
		*page = a->spare[--a->spares];
		return 0;
	}
	if (a->next == TABLES)
		return -ENOMEM;
	page->cpu = a->memory + a->next * GV_PT_ENTRIES;
	page->addr = a->next * GV_GPU_PAGE;
	page->system = false;
	page->priv = NULL;
	a->next++;
	return 0;
}

static void give_back(void *arg, struct gv_pt_page *page)
{
	struct arena *a = arg;

	a->spare[a->spares++] = *page;
}

static const uint64_t flags = GV_PTE_READABLE | GV_PTE_WRITEABLE;

/* An empty table: not part of what is timed. */
static int start_empty(void *arg)
{
	struct arena *a = arg;
	const struct gv_pt_mem mem = {.alloc = take, .free = give_back, .arg = a};

	a->pt = gv_pt_free(a->pt);
	a->spares = a->next = 0;
	return gv_pt_new(3, &mem, &a->pt);
}

static int map_contiguous(void *arg)
{
	struct arena *a = arg;

	return gv_pt_map(a->pt, MAP_VA, 0, MAP_BYTES, flags, GV_PT_NO_HUGE);
}

static int map_huge(void *arg)
{
	struct arena *a = arg;

	return gv_pt_map(a->pt, MAP_VA, 0, MAP_BYTES, flags, 0);
}

static int map_scattered(void *arg)
{
	struct arena *a = arg;

	return gv_pt_map_pages(a->pt, MAP_VA, a->pages, PTES, flags | GV_PTE_SYSTEM);
}

static int start_mapped(void *arg)
{
	int rc = start_empty(arg);

	return rc ? rc : map_contiguous(arg);
}

static int unmap(void *arg)
{
	struct arena *a = arg;

	return gv_pt_unmap(a->pt, MAP_VA, MAP_BYTES);
}

static int map_unmap_one(void *arg)
{
	struct arena *a = arg;
	int rc = 0;

	for (unsigned i = 0; i < SINGLES && !rc; i++) {
		rc = gv_pt_map(a->pt, MAP_VA, i * GV_GPU_PAGE, GV_GPU_PAGE, flags, 0);
		if (!rc)
			rc = gv_pt_unmap(a->pt, MAP_VA, GV_GPU_PAGE);
	}
	return rc;
}

static int store(void *arg)
{
	volatile uint64_t *entry = ((struct arena *)arg)->memory;

	for (uint64_t i = 0; i < PTES; i++)
		entry[i] = i << GV_GPU_PAGE_SHIFT | flags | GV_PTE_VALID;
	return 0;
}

static int store_scattered(void *arg)
{
	struct arena *a = arg;
	volatile uint64_t *entry = a->memory;

	for (uint64_t i = 0; i < PTES; i++)
		entry[i] = a->pages[i] | flags | GV_PTE_VALID;
	return 0;
}

static void add(struct bench *b, const char *what, const char *unit, double ours, double limit,
                const char *conditions)
{
	struct bench_row row = {
	        .figure = "F4", .what = what, .unit = unit, .ours = ours, .limit = limit};

	(void)snprintf(row.conditions, sizeof(row.conditions), "%s", conditions);
	bench_add(b, &row);
}

static int measure(struct bench *b, struct arena *a)
{
	enum { STORE, MAP, STORE_LIST, MAP_LIST, HUGE_LEAVES, UNMAP, SINGLE, COUNT };
	struct bench_probe p[COUNT] = {
	        [STORE] = {.run = store},
	        [MAP] = {.run = map_contiguous, .before = start_empty},
	        [STORE_LIST] = {.run = store_scattered},
	        [MAP_LIST] = {.run = map_scattered, .before = start_empty},
	        [HUGE_LEAVES] = {.run = map_huge, .before = start_empty},
	        [UNMAP] = {.run = unmap, .before = start_mapped},
	        [SINGLE] = {.run = map_unmap_one, .before = start_empty},
	};
	int rc;

	for (unsigned i = 0; i < COUNT; i++) {
		p[i].arg = a;
		p[i].samples = 5;
		p[i].rate = true;
	}
	rc = bench_measure(p, COUNT);
	if (rc)
		return rc;
	add(b, "contiguous 4 KiB map of 1 GiB", "PTE/s", PTES * 1e9 / p[MAP].ns,
	    PTES * 1e9 / p[STORE].ns,
	    "guest page table, 3 levels, tables in warm CPU memory; limit: plain stores of the "
	    "same 262144 entries");
	add(b, "scattered 4 KiB map of 1 GiB", "PTE/s", PTES * 1e9 / p[MAP_LIST].ns,
	    PTES * 1e9 / p[STORE_LIST].ns,
	    "262144 system pages from a list in random order; limit: plain stores from the same "
	    "list");
	add(b, "unmap of 1 GiB of 4 KiB pages", "PTE/s", PTES * 1e9 / p[UNMAP].ns,
	    PTES * 1e9 / p[STORE].ns, "tables freed; limit: plain stores of as many entries");
	add(b, "map of 1 GiB with 2 MiB leaves", "ns", p[HUGE_LEAVES].ns, 0,
	    "512 leaves, one call");
	add(b, "map and unmap of one 4 KiB page", "ns", p[SINGLE].ns / SINGLES, 0,
	    "tables made and freed each time; mean of 2000");
	return 0;
}

/* Pages in an order that no stride fits; the same each time. */
static void shuffle(uint64_t *pages)
{
	uint64_t x = 88172645463325252ull;

	for (uint64_t i = 0; i < PTES; i++)
		pages[i] = i << GV_GPU_PAGE_SHIFT;
	for (uint64_t i = PTES - 1; i > 0; i--) {
		uint64_t j, keep = pages[i];

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		j = x % (i + 1);
		pages[i] = pages[j];
		pages[j] = keep;
	}
}

int bench_page_table(struct bench *b, struct gv_err *err)
{
	struct arena *a = calloc(1, sizeof(*a));
	int rc = a ? 0 : -ENOMEM;

	if (!rc) {
		a->memory = aligned_alloc(GV_GPU_PAGE, TABLES * GV_GPU_PAGE);
		a->pages = malloc(PTES * sizeof(*a->pages));
		rc = a->memory && a->pages ? 0 : -ENOMEM;
	}
	bench_pin(0);
	if (!rc) {
		memset(a->memory, 1, TABLES * GV_GPU_PAGE);
		shuffle(a->pages);
		rc = measure(b, a);
	}
	bench_pin(-1);
	if (a) {
		a->pt = gv_pt_free(a->pt);
		free(a->memory);
		free(a->pages);
		free(a);
	}
	return rc ? gv_fail(err, rc, "mapping: %s", strerror(-rc)) : 0;
}
