/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The same in f64, with divisions. */
#include "program.h"

PROGRAM(.grid = {64}, .block = {64}, .in = 256, .out = 384, .fill = FILL_UNIT)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL double4 body[64];
	uint t = local_id(0);
	GLOBAL const float *start = (GLOBAL const float *)in + 4 * t;
	double4 p = {start[0] * 1.1, start[1] * 1.1, start[2] * 1.1, start[3] * 1.1};
	double4 v = {0, 0, 0, 0};

	for (uint step = 0; step < 2; step++) {
		body[t] = p;
		sync_group();
		for (uint k = 0; k < 64; k++) {
			double4 d = body[k] - p;
			double r2 = d.x * d.x + d.y * d.y + d.z * d.z + 0.01;

			v.xyz += d.xyz * ((body[k].w + 1.5) / (r2 * root64(r2)));
		}
		p += v * 1e-3;
		sync_group();
	}
	for (uint k = 0; k < 3; k++) {
		out[6 * t + 2 * k] = (uint)bits64(p[k]);
		out[6 * t + 2 * k + 1] = (uint)(bits64(p[k]) >> 32);
	}
}
