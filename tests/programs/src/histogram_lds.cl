/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Histogram: atomics on LDS, then on memory. */
#include "program.h"

PROGRAM(.grid = {3000}, .block = {192}, .in = 3000, .out = 256)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL uint bins[256];

	for (uint k = local_id(0); k < 256; k += group_size(0))
		bins[k] = 0;
	sync_group();
	if (global_id(0) < n)
		for (uint k = 0; k < 32; k += 8)
			fetch_add(&bins[in[global_id(0)] >> k & 255], 1 + k);
	sync_group();
	for (uint k = local_id(0); k < 256; k += group_size(0))
		if (bins[k])
			fetch_add(&out[k], bins[k]);
}
