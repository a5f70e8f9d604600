/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Knapsack by dynamic programming over 200 capacities in LDS. */
#include "program.h"

PROGRAM(.grid = {400}, .block = {200}, .in = 64, .out = 400, .fill = FILL_SMALL)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL uint best[2][200];
	uint t = local_id(0), from = 0;

	best[0][t] = 0;
	for (uint item = 0; item < 16; item++) {
		uint weight = 1 + in[32 * group_id(0) + item] % 60, worth = in[32 * group_id(0) + 16 + item], x;

		sync_group();
		x = best[from][t];
		if (t >= weight && best[from][t - weight] + worth > x)
			x = best[from][t - weight] + worth;
		best[1 - from][t] = x;
		from = 1 - from;
	}
	out[global_id(0)] = best[from][t];
}
