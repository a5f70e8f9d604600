/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A scan of halfs through LDS: 16-bit LDS accesses, conversions on the way. */
#include "program.h"

PROGRAM(.grid = {256}, .block = {64}, .in = 256, .out = 256, .fill = FILL_SMALL)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL half v[64];
	uint t = local_id(0);
	union {
		half h;
		ushort u;
	} r;

	v[t] = (half)(float)in[global_id(0)] * (half)0.125f;
	for (uint by = 1; by < 64; by *= 2) {
		half add;

		sync_group();
		add = t >= by ? v[t - by] : (half)0;
		sync_group();
		v[t] += add;
	}
	r.h = v[t];
	out[global_id(0)] = r.u;
}
