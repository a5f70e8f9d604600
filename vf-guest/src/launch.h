/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What PM4 and AQL launches share. */
#ifndef GV_LAUNCH_H
#define GV_LAUNCH_H

#include <gv/gfx9.h>
#include <gv/hsa.h>

#include "guest.h"

/** A launch with its defaults filled in. */
struct gv_shape {
	uint32_t grid[3], block[3], groups[3], rest[3];
	uint64_t total_waves;
	uint32_t lds_bytes;
};

/** Check a launch. @room: bytes there are for arguments. -EINVAL, -EOPNOTSUPP with text. */
int gv_launch_shape(const struct gv_co_kernel *k, const struct gv_guest_launch *l, uint32_t room,
                    struct gv_shape *s, struct gv_err *err);

/** Scratch that a launch needs: all 0 when none. */
struct gv_scratch_need {
	uint64_t bytes;
	uint32_t item_bytes, tmpring_size; /* COMPUTE_TMPRING_SIZE */
};
int gv_launch_scratch(const struct gv_co_kernel *k, const struct gv_shape *s,
                      struct gv_scratch_need *need, struct gv_err *err);

/** Arguments of the caller, then what the compiler added to them: k->kernarg_bytes. */
void gv_launch_kernarg(uint8_t *to, const struct gv_co_kernel *k, const struct gv_guest_launch *l,
                       const struct gv_shape *s);

/** The launch as an AQL packet, without a signal; kernels read their sizes from it. */
void gv_launch_packet(struct gv_aql_dispatch *aql, const struct gv_co_kernel *k,
                      const struct gv_shape *s, uint64_t descriptor, uint64_t kernarg);

/** What kernels look up in their queue: where the apertures of LDS and scratch are. */
void gv_launch_amd_queue(struct gv_amd_queue *aq);

#endif
