/* SPDX-License-Identifier: LGPL-2.1-or-later */
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <gv/layouts.h>
#include <gv/page_table.h>

/* One table and what we know of it. Bit i of `map`: entry i is in use, as a leaf or, where
 * child[i] is set, as a pointer to the next table. Level 0 tables have no children. */
struct node {
	struct gv_pt_page page;
	unsigned level, used;
	uint64_t map[GV_PT_ENTRIES / 64];
	struct node **child;
	uint64_t *leaf; /* values of the huge leaves; level 1 only */
};

struct gv_pt {
	unsigned levels, tables;
	struct gv_pt_mem mem;
	struct node *root;
};

#define LEAF_FLAGS                                                                                 \
	(GV_PTE_SYSTEM | GV_PTE_SNOOPED | GV_PTE_EXECUTABLE | GV_PTE_READABLE | GV_PTE_WRITEABLE | \
	 GV_PTE_PRT | GV_PTE_MTYPE(3))
#define MAX_FRAG (GV_GPU_HUGE_SHIFT - GV_GPU_PAGE_SHIFT)

static unsigned shift_of(unsigned level)
{
	return GV_GPU_PAGE_SHIFT + 9 * level;
}

static unsigned index_of(uint64_t va, unsigned level)
{
	return (unsigned)(va >> shift_of(level)) & (GV_PT_ENTRIES - 1);
}

/* End of the part of [va, end) that one entry of @level covers. */
static uint64_t entry_end(uint64_t va, uint64_t end, unsigned level)
{
	uint64_t span = 1ull << shift_of(level);

	return GV_MIN(end, (va & ~(span - 1)) + span);
}

static bool used(const struct node *n, unsigned i)
{
	return n->map[i / 64] >> (i % 64) & 1;
}

static void set_used(struct node *n, unsigned i, bool on)
{
	if (used(n, i) == on)
		return;
	n->map[i / 64] ^= 1ull << (i % 64);
	n->used += on ? 1u : -1u;
}

/* Bits [first, first + count) of one word of the map. */
static uint64_t bits(unsigned first, unsigned count)
{
	return (count == 64 ? ~0ull : (1ull << count) - 1) << first;
}

/* Set or clear a run of bits; returns whether any was set before. */
static bool mark_run(struct node *n, unsigned first, unsigned count, bool on)
{
	bool any = false;

	while (count) {
		unsigned in_word = GV_MIN(count, 64 - first % 64);
		uint64_t mask = bits(first % 64, in_word), was = n->map[first / 64] & mask;

		any |= was != 0;
		n->used -= (unsigned)__builtin_popcountll(was);
		n->used += on ? in_word : 0;
		n->map[first / 64] = (n->map[first / 64] & ~mask) | (on ? mask : 0);
		first += in_word;
		count -= in_word;
	}
	return any;
}

static bool run_free(const struct node *n, unsigned first, unsigned count)
{
	while (count) {
		unsigned in_word = GV_MIN(count, 64 - first % 64);

		if (n->map[first / 64] & bits(first % 64, in_word))
			return false;
		first += in_word;
		count -= in_word;
	}
	return true;
}

/* @count entries pte, pte + step, ... past the cache: tables are write-combined or large memory.
 * Who has filled a range fences. */
static void fill(uint64_t *entry, unsigned count, uint64_t pte, uint64_t step)
{
#if defined(__SSE2__)
	__m128i value, add;

	if (count && ((uintptr_t)entry & 15)) {
		_mm_stream_si64((long long *)entry++, (long long)pte);
		pte += step;
		count--;
	}
	value = _mm_set_epi64x((long long)(pte + step), (long long)pte);
	add = _mm_set1_epi64x((long long)(2 * step));
	for (; count >= 2; count -= 2, entry += 2, pte += 2 * step) {
		_mm_stream_si128((__m128i *)(void *)entry, value);
		value = _mm_add_epi64(value, add);
	}
#endif
	for (; count; count--, pte += step)
		*entry++ = pte;
}

static void store(struct gv_pt *pt, struct node *n, unsigned first, unsigned count, uint64_t pte,
                  uint64_t step)
{
	fill(&n->page.cpu[first], count, pte, step);
	if (pt->mem.wrote)
		pt->mem.wrote(pt->mem.arg, &n->page, first, count);
}

/* ---- tables --------------------------------------------------------------- */

static struct node *node_free(struct gv_pt *pt, struct node *n)
{
	if (!n)
		return NULL;
	for (unsigned i = 0; n->child && i < GV_PT_ENTRIES; i++)
		node_free(pt, n->child[i]);
	if (n->page.cpu) {
		pt->mem.free(pt->mem.arg, &n->page);
		pt->tables--;
	}
	free(n->child);
	free(n->leaf);
	free(n);
	return NULL;
}

/* @clear: entries are made invalid; not needed when all will be written at once. */
static struct node *node_new(struct gv_pt *pt, unsigned level, bool clear)
{
	struct node *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->level = level;
	if (level > 0)
		n->child = calloc(GV_PT_ENTRIES, sizeof(struct node *));
	if (level == 1)
		n->leaf = calloc(GV_PT_ENTRIES, sizeof(*n->leaf));
	if ((level > 0 && !n->child) || (level == 1 && !n->leaf) ||
	    pt->mem.alloc(pt->mem.arg, &n->page)) {
		n->page.cpu = NULL;
		return node_free(pt, n);
	}
	pt->tables++;
	if (clear)
		store(pt, n, 0, GV_PT_ENTRIES, 0, 0);
	return n;
}

static uint64_t pde(const struct node *n)
{
	uint64_t system = n->page.system ? GV_PTE_SYSTEM | GV_PTE_SNOOPED : 0;

	return (n->page.addr & GV_PDE_ADDR_MASK) | system | GV_PTE_VALID;
}

/* The child is complete: now the walker may see it. */
static void link_child(struct gv_pt *pt, struct node *n, unsigned i, struct node *child)
{
	n->child[i] = child;
	set_used(n, i, true);
	gv_dma_to_device();
	store(pt, n, i, 1, pde(child), 0);
}

static void unlink_child(struct gv_pt *pt, struct node *n, unsigned i)
{
	store(pt, n, i, 1, 0, 0);
	set_used(n, i, false);
	n->child[i] = node_free(pt, n->child[i]);
}

int gv_pt_new(unsigned levels, const struct gv_pt_mem *mem, struct gv_pt **out)
{
	struct gv_pt *pt;

	if (levels < 3 || levels > 4)
		return -EINVAL;
	pt = calloc(1, sizeof(*pt));
	if (!pt)
		return -ENOMEM;
	pt->levels = levels;
	pt->mem = *mem;
	pt->root = node_new(pt, levels - 1, true);
	if (!pt->root) {
		free(pt);
		return -ENOMEM;
	}
	*out = pt;
	return 0;
}

struct gv_pt *gv_pt_free(struct gv_pt *pt)
{
	if (!pt)
		return NULL;
	node_free(pt, pt->root);
	free(pt);
	return NULL;
}

uint64_t gv_pt_end(const struct gv_pt *pt)
{
	return pt->levels == 4 ? 1ull << 47 : 1ull << 39; /* 47: a VF ends below the hole */
}

unsigned gv_pt_depth(const struct gv_pt *pt)
{
	return pt->levels - 1;
}

uint64_t gv_pt_root(const struct gv_pt *pt)
{
	return pde(pt->root);
}

unsigned gv_pt_tables(const struct gv_pt *pt)
{
	return pt->tables;
}

/* ---- mapping --------------------------------------------------------------- */

static bool range_free(const struct node *n, uint64_t va, uint64_t end)
{
	if (n->level == 0)
		return run_free(n, index_of(va, 0), (unsigned)((end - va) >> GV_GPU_PAGE_SHIFT));
	for (uint64_t next; va < end; va = next) {
		unsigned i = index_of(va, n->level);

		next = entry_end(va, end, n->level);
		if (!used(n, i))
			continue;
		if (!n->child[i] || !range_free(n->child[i], va, next))
			return false;
	}
	return true;
}

/* Entries of one table, with the largest fragments that alignment of both sides allows. */
static void map_pages(struct gv_pt *pt, struct node *n, uint64_t va, uint64_t end, uint64_t pa,
                      uint64_t pte)
{
	uint64_t differ = ((va ^ pa) >> GV_GPU_PAGE_SHIFT) | 1ull << MAX_FRAG;
	unsigned best = (unsigned)__builtin_ctzll(differ);
	unsigned left = (unsigned)((end - va) >> GV_GPU_PAGE_SHIFT), i = index_of(va, 0);

	mark_run(n, i, left, true);
	while (left) {
		unsigned align = (unsigned)__builtin_ctz(i | 1u << best);
		unsigned frag = GV_MIN(align, 31u - (unsigned)__builtin_clz(left));
		unsigned run = frag == best ? left & ~((1u << frag) - 1) : 1u << frag;

		store(pt, n, i, run, pte | pa | GV_PTE_FRAG(frag), GV_GPU_PAGE);
		i += run;
		left -= run;
		pa += (uint64_t)run << GV_GPU_PAGE_SHIFT;
	}
}

static bool huge_ok(uint64_t va, uint64_t end, uint64_t pa, unsigned options)
{
	uint64_t huge = 1ull << GV_GPU_HUGE_SHIFT;

	return !(options & GV_PT_NO_HUGE) && !((va | pa) & (huge - 1)) && end - va == huge;
}

static void map_huge(struct gv_pt *pt, struct node *n, unsigned i, uint64_t pte)
{
	n->leaf[i] = pte | GV_PDE_PTE | GV_PTE_FRAG(MAX_FRAG);
	set_used(n, i, true);
	store(pt, n, i, 1, n->leaf[i], 0);
}

static int map_level(struct gv_pt *pt, struct node *n, uint64_t va, uint64_t end, uint64_t pa,
                     uint64_t pte, unsigned options)
{
	if (n->level == 0) {
		map_pages(pt, n, va, end, pa, pte);
		return 0;
	}
	for (uint64_t next; va < end; pa += next - va, va = next) {
		unsigned i = index_of(va, n->level);
		struct node *child = n->child[i];
		int rc;

		next = entry_end(va, end, n->level);
		if (n->level == 1 && huge_ok(va, next, pa, options)) {
			map_huge(pt, n, i, pte | pa);
			continue;
		}
		if (!child) {
			bool whole = n->level == 1 && next - va == 1ull << GV_GPU_HUGE_SHIFT;

			child = node_new(pt, n->level - 1, !whole);
			if (!child)
				return -ENOMEM;
		}
		rc = map_level(pt, child, va, next, pa, pte, options);
		if (child->used && !n->child[i])
			link_child(pt, n, i, child);
		else if (!child->used)
			node_free(pt, child);
		if (rc)
			return rc;
	}
	return 0;
}

static int check_range(const struct gv_pt *pt, uint64_t va, uint64_t bytes)
{
	if (!bytes || ((va | bytes) & (GV_GPU_PAGE - 1)))
		return -EINVAL;
	if (va >= gv_pt_end(pt) || bytes > gv_pt_end(pt) - va)
		return -ERANGE;
	return 0;
}

int gv_pt_map(struct gv_pt *pt, uint64_t va, uint64_t pa, uint64_t bytes, uint64_t pte_flags,
              unsigned options)
{
	int rc = check_range(pt, va, bytes);

	if (rc)
		return rc;
	if ((pa & ~GV_PTE_ADDR_MASK) || bytes - 1 > GV_PTE_ADDR_MASK - pa ||
	    (pte_flags & ~LEAF_FLAGS))
		return -EINVAL;
	if (!range_free(pt->root, va, va + bytes))
		return -EEXIST;
	rc = map_level(pt, pt->root, va, va + bytes, pa, pte_flags | GV_PTE_VALID, options);
	if (rc)
		(void)gv_pt_unmap(pt, va, bytes);
	gv_dma_to_device();
	return rc;
}

/* The level-0 table for @va, made if needed. */
static struct node *table_at(struct gv_pt *pt, uint64_t va)
{
	struct node *n = pt->root;

	while (n->level > 0) {
		unsigned i = index_of(va, n->level);

		if (!n->child[i]) {
			struct node *child = node_new(pt, n->level - 1, true);

			if (!child)
				return NULL;
			link_child(pt, n, i, child);
		}
		n = n->child[i];
	}
	return n;
}

static bool pages_ok(const uint64_t *pa, size_t count)
{
	uint64_t bad = 0;

	for (size_t i = 0; i < count; i++)
		bad |= pa[i] & ~GV_PTE_ADDR_MASK;
	return !bad;
}

int gv_pt_map_pages(struct gv_pt *pt, uint64_t va, const uint64_t *pa, size_t count,
                    uint64_t pte_flags)
{
	uint64_t bytes = (uint64_t)count << GV_GPU_PAGE_SHIFT, pte = pte_flags | GV_PTE_VALID;
	size_t done = 0;
	int rc = count > (1ull << 35) ? -ERANGE : check_range(pt, va, bytes);

	if (rc)
		return rc;
	if ((pte_flags & ~LEAF_FLAGS) || !pages_ok(pa, count))
		return -EINVAL;
	if (!range_free(pt->root, va, va + bytes))
		return -EEXIST;
	while (done < count) {
		uint64_t at = va + ((uint64_t)done << GV_GPU_PAGE_SHIFT);
		struct node *n = table_at(pt, at);
		unsigned i = index_of(at, 0);
		unsigned here = (unsigned)GV_MIN(count - done, (size_t)(GV_PT_ENTRIES - i));

		if (!n) {
			(void)gv_pt_unmap(pt, va, bytes);
			return -ENOMEM;
		}
		mark_run(n, i, here, true);
		for (unsigned k = 0; k < here; k++)
			n->page.cpu[i + k] = pte | pa[done + k];
		if (pt->mem.wrote)
			pt->mem.wrote(pt->mem.arg, &n->page, i, here);
		done += here;
	}
	gv_dma_to_device();
	return 0;
}

/* ---- unmapping ------------------------------------------------------------- */

/* Replace a 2 MiB leaf by a table of the same meaning. */
static int split(struct gv_pt *pt, struct node *n, unsigned i)
{
	struct node *child = node_new(pt, 0, false);
	uint64_t pte = n->leaf[i] & ~GV_PDE_PTE;

	if (!child)
		return -ENOMEM;
	mark_run(child, 0, GV_PT_ENTRIES, true);
	/* the fragment is going to have holes */
	pte &= ~GV_PTE_FRAG(0x1f);
	store(pt, child, 0, GV_PT_ENTRIES, pte, GV_GPU_PAGE);
	n->leaf[i] = 0;
	link_child(pt, n, i, child);
	return 0;
}

/* Entries [first, end) stay, but the fragment that they were in does not. */
static void strip_fragments(struct gv_pt *pt, struct node *n, unsigned first, unsigned end)
{
	for (unsigned i = first; i < end; i++) {
		if (used(n, i))
			store(pt, n, i, 1, n->page.cpu[i] & ~GV_PTE_FRAG(0x1f), 0);
	}
}

/* Entries [va, end) of a level-0 table. A fragment that is cut here loses its field on what is
 * left of it: a walker may use it to look ahead, over the hole. The only place where table memory
 * is read. */
static void unmap_pages(struct gv_pt *pt, struct node *n, uint64_t va, uint64_t end)
{
	unsigned i = index_of(va, 0), count = (unsigned)((end - va) >> GV_GPU_PAGE_SHIFT);
	unsigned stop = i + count, size;

	if (i > 0 && used(n, i - 1)) {
		size = 1u << (n->page.cpu[i - 1] >> 7 & 0x1f);
		if (i & (size - 1))
			strip_fragments(pt, n, i & ~(size - 1), i);
	}
	if (stop < GV_PT_ENTRIES && used(n, stop)) {
		size = 1u << (n->page.cpu[stop] >> 7 & 0x1f);
		if (stop & (size - 1))
			strip_fragments(pt, n, stop, (stop | (size - 1)) + 1);
	}
	mark_run(n, i, count, false);
	store(pt, n, i, count, 0, 0);
}

static int unmap_level(struct gv_pt *pt, struct node *n, uint64_t va, uint64_t end)
{
	if (n->level == 0) {
		unmap_pages(pt, n, va, end);
		return 0;
	}
	for (uint64_t next; va < end; va = next) {
		unsigned i = index_of(va, n->level);
		int rc;

		next = entry_end(va, end, n->level);
		if (!used(n, i))
			continue;
		if (!n->child[i] && next - va == 1ull << shift_of(n->level)) {
			n->leaf[i] = 0;
			set_used(n, i, false);
			store(pt, n, i, 1, 0, 0);
			continue;
		}
		rc = n->child[i] ? 0 : split(pt, n, i);
		if (!rc)
			rc = unmap_level(pt, n->child[i], va, next);
		if (rc)
			return rc;
		if (!n->child[i]->used)
			unlink_child(pt, n, i);
	}
	return 0;
}

int gv_pt_unmap(struct gv_pt *pt, uint64_t va, uint64_t bytes)
{
	int rc = check_range(pt, va, bytes);

	if (rc)
		return rc;
	rc = unmap_level(pt, pt->root, va, va + bytes);
	gv_dma_to_device();
	return rc;
}
