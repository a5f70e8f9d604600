/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inclusive scan of 1024 work items: two buffers in LDS, barriers of 16 waves. */
#include "program.h"

PROGRAM(.grid = {4096}, .block = {1024}, .in = 4096, .out = 4096)

KERNEL GROUP_UP_TO(1024) void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL uint v[2][1024];
	uint t = local_id(0), from = 0;

	v[0][t] = in[global_id(0)];
	sync_group();
	for (uint by = 1; by < 1024; by *= 2) {
		v[1 - from][t] = v[from][t] + (t >= by ? v[from][t - by] : 0);
		from = 1 - from;
		sync_group();
	}
	out[global_id(0)] = v[from][t];
}
