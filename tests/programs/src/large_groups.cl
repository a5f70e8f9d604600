/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Groups of 1024 work items pass values around for many barriers. */
#include "program.h"

PROGRAM(.grid = {3000}, .block = {1024}, .in = 3000, .out = 3000)

KERNEL GROUP_UP_TO(1024) void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL uint v[1024];
	uint t = local_id(0), x = in[global_id(0)], count = n - group_id(0) * 1024;

	count = count < 1024 ? count : 1024;
	for (uint round = 0; round < 24; round++) {
		v[t] = x;
		sync_group();
		x = x * 5 + v[(t + 61 * round + 1) % count];
		sync_group();
	}
	out[global_id(0)] = x;
}
