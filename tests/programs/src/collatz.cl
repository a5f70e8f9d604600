/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Collatz sequences: loops whose length every lane decides for itself. */
#include "program.h"

PROGRAM(.grid = {1000}, .block = {64}, .in = 1000, .out = 2000, .fill = FILL_SMALL)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), steps = 0;
	ulong x, top;

	if (i >= n)
		return;
	x = top = in[i] + 1 + i;
	while (x != 1) {
		x = x & 1 ? 3 * x + 1 : x / 2;
		top = x > top ? x : top;
		steps++;
	}
	out[2 * i] = steps;
	out[2 * i + 1] = (uint)top ^ (uint)(top >> 32);
}
