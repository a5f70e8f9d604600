/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Points in a circle by a counter-based generator; 64-bit sums. */
#include "program.h"

PROGRAM(.grid = {512}, .block = {128}, .in = 512, .out = 514)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), hits = 0;
	ulong counter = (ulong)in[i] << 32 | i;

	for (uint k = 0; k < 64; k++) {
		ulong z = counter += 0x9e3779b97f4a7c15ul;
		float x, y;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ul;
		z = (z ^ z >> 27) * 0x94d049bb133111ebul;
		x = (float)(z & 0xffffff) * (1.0f / 16777216);
		y = (float)(z >> 40) * (1.0f / 16777216);
		hits += x * x + y * y < 1.0f;
	}
	out[2 + i] = hits;
	fetch_add((GLOBAL ulong *)out, (ulong)hits << 24 | 1);
}
