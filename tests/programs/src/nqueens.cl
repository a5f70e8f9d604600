/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Solutions of n queens by backtracking: masks on a stack of each work item. */
#include "program.h"

PROGRAM(.grid = {64}, .block = {64}, .in = 1, .out = 64)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	/* a work item takes the first two rows as given */
	uint i = global_id(0), a = i % 8, b = i / 8, found = 0;
	uint columns[9], left[9], right[9], todo[9];
	int row = 2;

	if (a == b || a + 1 == b || b + 1 == a) {
		out[i] = 0;
		return;
	}
	columns[2] = 1u << a | 1u << b;
	left[2] = 1u << a << 2 | 1u << b << 1;
	right[2] = 1u << a >> 2 | 1u << b >> 1;
	todo[2] = ~(columns[2] | left[2] | right[2]) & 255;
	while (row >= 2) {
		uint bit = todo[row] & -todo[row];

		if (!bit) {
			row--;
			continue;
		}
		todo[row] ^= bit;
		if (row == 7) {
			found++;
			continue;
		}
		columns[row + 1] = columns[row] | bit;
		left[row + 1] = (left[row] | bit) << 1;
		right[row + 1] = (right[row] | bit) >> 1;
		row++;
		todo[row] = ~(columns[row] | left[row] | right[row]) & 255;
	}
	out[i] = found;
}
