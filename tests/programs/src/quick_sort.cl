/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Quicksort of 48 floats per work item, with an explicit stack. */
#include "program.h"

PROGRAM(.grid = {96}, .block = {64}, .in = 96 * 48, .out = 96 * 48, .fill = FILL_UNIT)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0);
	float v[48];
	int stack[64], top = 0;

	if (i >= n)
		return;
	for (int k = 0; k < 48; k++)
		v[k] = float_of(in[48 * i + k]);
	stack[top++] = 0;
	stack[top++] = 47;
	while (top) {
		int hi = stack[--top], lo = stack[--top], l = lo, r = hi;
		float pivot = v[(lo + hi) / 2];

		while (l <= r) {
			while (v[l] < pivot)
				l++;
			while (v[r] > pivot)
				r--;
			if (l <= r) {
				float x = v[l];

				v[l++] = v[r];
				v[r--] = x;
			}
		}
		if (lo < r) {
			stack[top++] = lo;
			stack[top++] = r;
		}
		if (l < hi) {
			stack[top++] = l;
			stack[top++] = hi;
		}
	}
	for (int k = 0; k < 48; k++)
		out[48 * i + k] = bits32(v[k]);
}
