/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which bus addresses are taken: first fit in a sorted list. For one thread. */
#ifndef GV_IOVA_H
#define GV_IOVA_H

#include <gv/base.h>

/* Below 4 GiB lie the interrupt window and, on some platforms, reserved ranges. */
#define GV_IOVA_FIRST (4 * GV_GIB)
#define GV_IOVA_LAST  ((1ull << 39) - 1) /* the narrowest IOMMU we know: 39 bits */

struct gv_iova_range {
	uint64_t first, bytes;
};

struct gv_iova {
	struct gv_iova_range *used; /* sorted */
	size_t count, room;
};

/** Reserve @bytes (a multiple of 4096); 2 MiB and more are 2 MiB aligned so that the IOMMU can
 *  use large pages. -ENOMEM, -ENOSPC. */
int gv_iova_get(struct gv_iova *space, uint64_t bytes, uint64_t *iova);
/** Give back what gv_iova_get() gave. Unknown addresses are ignored. */
void gv_iova_put(struct gv_iova *space, uint64_t iova);
void gv_iova_done(struct gv_iova *space);

#endif
