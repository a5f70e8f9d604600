/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Odd-even transposition of 128 signed words a group. */
#include "program.h"

PROGRAM(.grid = {256}, .block = {64}, .in = 512, .out = 512)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL int v[128];
	uint t = local_id(0), base = group_id(0) * 128;

	v[2 * t] = (int)in[base + 2 * t];
	v[2 * t + 1] = (int)in[base + 2 * t + 1];
	for (uint k = 0; k < 128; k++) {
		uint a = 2 * t + (k & 1);

		sync_group();
		if (a + 1 < 128 && v[a] > v[a + 1]) {
			int x = v[a];

			v[a] = v[a + 1];
			v[a + 1] = x;
		}
	}
	sync_group();
	out[base + t] = (uint)v[t];
	out[base + 64 + t] = (uint)v[64 + t];
}
