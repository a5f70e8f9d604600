/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "heap.h"

int gv_heap_init(struct gv_heap *heap, uint64_t start, uint64_t bytes)
{
	heap->room = 16;
	heap->free = calloc(heap->room, sizeof(*heap->free));
	if (!heap->free)
		return -ENOMEM;
	heap->free[0] = (struct gv_range){start, bytes};
	heap->count = bytes > 0 ? 1 : 0;
	heap->free_bytes = bytes;
	return 0;
}

void gv_heap_done(struct gv_heap *heap)
{
	free(heap->free);
	*heap = (struct gv_heap){0};
}

static int grow(struct gv_heap *heap)
{
	struct gv_range *bigger;

	if (heap->count < heap->room)
		return 0;
	bigger = realloc(heap->free, heap->room * 2 * sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	heap->free = bigger;
	heap->room *= 2;
	return 0;
}

static void drop(struct gv_heap *heap, size_t i)
{
	memmove(&heap->free[i], &heap->free[i + 1], (heap->count - i - 1) * sizeof(*heap->free));
	heap->count--;
}

static void insert(struct gv_heap *heap, size_t i, struct gv_range range)
{
	memmove(&heap->free[i + 1], &heap->free[i], (heap->count - i) * sizeof(*heap->free));
	heap->free[i] = range;
	heap->count++;
}

/* Cut [start, start + bytes) out of free range @i, which holds it. */
static int cut(struct gv_heap *heap, size_t i, uint64_t start, uint64_t bytes)
{
	struct gv_range *r = &heap->free[i];
	uint64_t before = start - r->start, after = r->bytes - before - bytes;

	if (before && after && grow(heap))
		return -ENOMEM;
	r = &heap->free[i];
	if (before && after)
		insert(heap, i + 1, (struct gv_range){start + bytes, after});
	if (before)
		heap->free[i].bytes = before;
	else if (after)
		*r = (struct gv_range){start + bytes, after};
	else
		drop(heap, i);
	heap->free_bytes -= bytes;
	return 0;
}

/* Where in @r, narrowed to [lo, hi), an aligned range would start. */
static bool fits(const struct gv_range *r, uint64_t bytes, uint64_t align, uint64_t lo, uint64_t hi,
                 bool high, uint64_t *start)
{
	uint64_t from = GV_MAX(r->start, lo), end = GV_MIN(r->start + r->bytes, hi);

	if (from >= end || end - from < bytes)
		return false;
	if (high) {
		*start = (end - bytes) & ~(align - 1);
		return *start >= from;
	}
	if (from > UINT64_MAX - (align - 1))
		return false;
	*start = (from + align - 1) & ~(align - 1);
	return *start < end && end - *start >= bytes;
}

int gv_heap_take(struct gv_heap *heap, uint64_t bytes, uint64_t align, uint64_t lo, uint64_t hi,
                 bool high, uint64_t *start)
{
	uint64_t at = 0;

	if (!bytes)
		return -EINVAL;
	for (size_t n = 0; n < heap->count; n++) {
		size_t i = high ? heap->count - 1 - n : n;
		int rc;

		if (!fits(&heap->free[i], bytes, align, lo, hi, high, &at))
			continue;
		rc = cut(heap, i, at, bytes);
		if (rc)
			return rc;
		*start = at;
		return 0;
	}
	return -ENOSPC;
}

int gv_heap_take_at(struct gv_heap *heap, uint64_t start, uint64_t bytes)
{
	for (size_t i = 0; i < heap->count; i++) {
		const struct gv_range *r = &heap->free[i];

		if (start >= r->start && start - r->start <= r->bytes &&
		    r->bytes - (start - r->start) >= bytes && bytes)
			return cut(heap, i, start, bytes);
	}
	return -EBUSY;
}

int gv_heap_give(struct gv_heap *heap, uint64_t start, uint64_t bytes)
{
	size_t i = 0;
	bool left, right;

	while (i < heap->count && heap->free[i].start < start)
		i++;
	if (!bytes || (i < heap->count && bytes > heap->free[i].start - start) ||
	    (i > 0 && heap->free[i - 1].start + heap->free[i - 1].bytes > start))
		return -EINVAL;
	left = i > 0 && heap->free[i - 1].start + heap->free[i - 1].bytes == start;
	right = i < heap->count && start + bytes == heap->free[i].start;
	if (!left && !right && grow(heap))
		return -ENOMEM;
	heap->free_bytes += bytes;
	if (left && right) {
		heap->free[i - 1].bytes += bytes + heap->free[i].bytes;
		drop(heap, i);
	} else if (left) {
		heap->free[i - 1].bytes += bytes;
	} else if (right) {
		heap->free[i].start = start;
		heap->free[i].bytes += bytes;
	} else {
		insert(heap, i, (struct gv_range){start, bytes});
	}
	return 0;
}

uint64_t gv_heap_largest(const struct gv_heap *heap)
{
	uint64_t best = 0;

	for (size_t i = 0; i < heap->count; i++)
		best = GV_MAX(best, heap->free[i].bytes);
	return best;
}
