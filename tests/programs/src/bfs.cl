/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Breadth-first search, level by level; the frontier grows through an atomic counter. */
#include "program.h"

PROGRAM(.grid = {256}, .block = {256}, .in = 1024, .out = 512)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL uint level[512], frontier[2][512], count[2];
	uint t = local_id(0), from = 0;

	for (uint k = t; k < 512; k += 256)
		level[k] = k ? ~0u : 0;
	if (!t) {
		frontier[0][0] = 0;
		count[0] = 1;
	}
	sync_group();
	for (uint depth = 1; count[from]; depth++) {
		if (!t)
			count[1 - from] = 0;
		sync_group();
		for (uint k = t; k < count[from] * 2; k += 256) {
			uint to = (in[2 * frontier[from][k / 2] + k % 2] >> 7) % 512, expected = ~0u;

			if (compare_exchange(&level[to], &expected, depth))
				frontier[1 - from][fetch_add(&count[1 - from], 1)] = to;
		}
		sync_group();
		from = 1 - from;
	}
	for (uint k = t; k < 512; k += 256)
		out[k] = level[k];
}
