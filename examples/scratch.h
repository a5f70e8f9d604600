/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GV_EXAMPLES_SCRATCH_H
#define GV_EXAMPLES_SCRATCH_H

#include <stdint.h>

/** What kernels/scratch.cl makes of one number. */
static inline uint32_t gv_scratch_item(uint32_t in)
{
	uint32_t box[32], at = in;

	for (uint32_t k = 0; k < 32; k++)
		box[k] = in * (2 * k + 1) + k;
	for (uint32_t k = 0; k < 64; k++) {
		uint32_t v = box[at & 31];

		box[(at >> 5) & 31] = v ^ k;
		at = at * 1664525u + v;
	}
	return at;
}

#endif
