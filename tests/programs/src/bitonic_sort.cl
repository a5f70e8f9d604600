/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bitonic sort of 1024 words by 512 work items in LDS. */
#include "program.h"

PROGRAM(.grid = {2048}, .block = {512}, .in = 4096, .out = 4096)

KERNEL GROUP_UP_TO(1024) void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL uint v[1024];
	uint t = local_id(0), base = group_id(0) * 1024;

	v[t] = in[base + t];
	v[t + 512] = in[base + t + 512];
	for (uint size = 2; size <= 1024; size *= 2) {
		for (uint step = size / 2; step; step /= 2) {
			uint a = 2 * t - (t & (step - 1)), x, y;

			sync_group();
			x = v[a];
			y = v[a + step];
			if ((x > y) == ((a & size) == 0)) {
				v[a] = y;
				v[a + step] = x;
			}
		}
	}
	sync_group();
	out[base + t] = v[t];
	out[base + t + 512] = v[t + 512];
}
