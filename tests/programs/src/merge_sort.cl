/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bottom-up merge sort of 64-bit keys in scratch. */
#include "program.h"

PROGRAM(.grid = {64}, .block = {64}, .in = 64 * 64, .out = 64 * 64)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	ulong a[2][32];
	uint i = global_id(0), from = 0;

	for (uint k = 0; k < 32; k++)
		a[0][k] = ((GLOBAL const ulong *)in)[32 * i + k];
	for (uint width = 1; width < 32; width *= 2) {
		for (uint lo = 0; lo < 32; lo += 2 * width) {
			uint l = lo, r = lo + width;

			for (uint k = lo; k < lo + 2 * width; k++) {
				bool left = r == lo + 2 * width ||
							(l < lo + width && a[from][l] <= a[from][r]);

				a[1 - from][k] = left ? a[from][l++] : a[from][r++];
			}
		}
		from = 1 - from;
	}
	for (uint k = 0; k < 32; k++)
		((GLOBAL ulong *)out)[32 * i + k] = a[from][k];
}
