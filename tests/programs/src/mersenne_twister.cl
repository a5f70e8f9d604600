/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MT19937: 624 words of state in scratch. */
#include "program.h"

PROGRAM(.grid = {64}, .block = {64}, .in = 64, .out = 64 * 4)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), mt[624];

	mt[0] = in[i];
	for (uint k = 1; k < 624; k++)
		mt[k] = 1812433253u * (mt[k - 1] ^ mt[k - 1] >> 30) + k;
	for (uint k = 0; k < 624; k++) {
		uint y = (mt[k] & 0x80000000u) | (mt[(k + 1) % 624] & 0x7fffffffu);

		mt[k] = mt[(k + 397) % 624] ^ y >> 1 ^ (y & 1 ? 0x9908b0dfu : 0);
	}
	for (uint k = 0; k < 4; k++) {
		uint y = mt[(k * 199 + i) % 624];

		y ^= y >> 11;
		y ^= y << 7 & 0x9d2c5680u;
		y ^= y << 15 & 0xefc60000u;
		out[4 * i + k] = y ^ y >> 18;
	}
}
