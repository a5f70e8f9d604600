/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All shortest paths of 32 nodes: 1024 work items, a barrier per step. */
#include "program.h"

PROGRAM(.grid = {32, 32}, .block = {32, 32}, .in = 1024, .out = 1024, .fill = FILL_SMALL)

KERNEL GROUP_UP_TO(1024) void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL uint d[32][32];
	uint x = local_id(0), y = local_id(1);

	d[y][x] = x == y ? 0 : in[32 * y + x] % 3 ? 100000 : in[32 * y + x];
	for (uint k = 0; k < 32; k++) {
		uint through;

		sync_group();
		through = d[y][k] + d[k][x];
		sync_group();
		if (through < d[y][x])
			d[y][x] = through;
	}
	out[32 * y + x] = d[y][x];
}
