/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LCG with jump-ahead, xorshift128, PCG: generators side by side. */
#include "program.h"

PROGRAM(.grid = {333}, .block = {64}, .in = 333, .out = 333 * 4)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), x, y = 362436069, z = 521288629, w = 88675123;
	ulong a = 6364136223846793005ul, c = 1442695040888963407ul, am = 1, cm = 0, pcg;

	if (i >= n)
		return;
	for (uint jump = in[i]; jump; jump >>= 1) {
		if (jump & 1) {
			am *= a;
			cm = cm * a + c;
		}
		c *= a + 1;
		a *= a;
	}
	pcg = am * 42 + cm;
	x = in[i] | 1;
	for (uint k = 0; k < 50; k++) {
		uint t = x ^ x << 11;

		x = y;
		y = z;
		z = w;
		w ^= w >> 19 ^ t ^ t >> 8;
	}
	out[4 * i] = (uint)pcg;
	out[4 * i + 1] = (uint)(pcg >> 32);
	out[4 * i + 2] = w;
	out[4 * i + 3] = rotl32((uint)((pcg >> 18 ^ pcg) >> 27), -(uint)(pcg >> 59));
}
