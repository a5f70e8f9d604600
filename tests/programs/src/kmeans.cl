/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* k-means of 256 points in the plane: assignments by lanes, exact sums by atomics. */
#include "program.h"

PROGRAM(.grid = {256}, .block = {256}, .in = 512, .out = 272, .fill = FILL_SMALL)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL uint sum[8][3];
	LOCAL float centre[8][2];
	uint t = local_id(0), best = 0;
	float x = (float)in[2 * t], y = (float)in[2 * t + 1];

	if (t < 8) {
		centre[t][0] = x;
		centre[t][1] = y;
	}
	for (uint round = 0; round < 6; round++) {
		float nearest = 1e30f;

		if (t < 24)
			sum[t / 3][t % 3] = 0;
		sync_group();
		for (uint k = 0; k < 8; k++) {
			float dx = x - centre[k][0], dy = y - centre[k][1], d = dx * dx + dy * dy;

			if (d < nearest) {
				nearest = d;
				best = k;
			}
		}
		fetch_add(&sum[best][0], (uint)x);
		fetch_add(&sum[best][1], (uint)y);
		fetch_add(&sum[best][2], 1);
		sync_group();
		if (t < 16 && sum[t / 2][2])
			centre[t / 2][t % 2] = (float)sum[t / 2][t % 2] / (float)sum[t / 2][2];
		sync_group();
	}
	out[t] = best;
	if (t < 16)
		out[256 + t] = bits32(centre[t / 2][t % 2]);
}
