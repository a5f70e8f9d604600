/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Butterfly sums, rotations and arbitrary gathers between lanes. */
#include "program.h"

PROGRAM(.grid = {256}, .block = {128}, .in = 256, .out = 256 * 4)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), lane = lane_id(), x = in[i], sum = x, top = x;

	for (uint by = 1; by < 64; by *= 2) {
		uint other = wave_shuffle(top, lane ^ by);

		sum += wave_shuffle(sum, lane ^ by);
		top = other > top ? other : top;
	}
	out[4 * i] = sum;
	out[4 * i + 1] = top;
	out[4 * i + 2] = wave_shuffle(x, lane + 13);
	out[4 * i + 3] = wave_shuffle(x, x) + wave_first(x) * 3 + wave_read(x, x ? 17 : 17);
}
