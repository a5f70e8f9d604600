/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Address ranges: which are free. For VRAM and for GPU virtual addresses. Not thread-safe. */
#ifndef GV_HEAP_H
#define GV_HEAP_H

#include <gv/base.h>

struct gv_range {
	uint64_t start, bytes;
};

/* Free ranges, sorted, never touching each other. */
struct gv_heap {
	struct gv_range *free;
	size_t count, room;
	uint64_t free_bytes;
};

/** All of [start, start + bytes) free. -ENOMEM. */
int gv_heap_init(struct gv_heap *heap, uint64_t start, uint64_t bytes);
void gv_heap_done(struct gv_heap *heap);
/** Take @bytes aligned to @align (power of two) wholly inside [lo, hi): from the top when @high.
 *  -ENOSPC. */
int gv_heap_take(struct gv_heap *heap, uint64_t bytes, uint64_t align, uint64_t lo, uint64_t hi,
                 bool high, uint64_t *start);
/** Take exactly this range. -EBUSY when any of it is taken. */
int gv_heap_take_at(struct gv_heap *heap, uint64_t start, uint64_t bytes);
/** Give a range back. -EINVAL when any of it is free already; -ENOMEM. */
int gv_heap_give(struct gv_heap *heap, uint64_t start, uint64_t bytes);
/** Largest free range. */
uint64_t gv_heap_largest(const struct gv_heap *heap);

#endif
