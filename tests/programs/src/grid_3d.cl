/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A three-dimensional grid that no group divides: ids in all dimensions. */
#include "program.h"

PROGRAM(.grid = {13, 11, 7}, .block = {4, 3, 5}, .in = 1, .out = 13 * 11 * 7 * 2)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint x = global_id(0), y = global_id(1), z = global_id(2), at = (z * 11 + y) * 13 + x;

	if (x >= 13 || y >= 11 || z >= 7)
		return;
	out[2 * at] = x | y << 8 | z << 16 | 1u << 31;
	out[2 * at + 1] = local_id(0) | local_id(1) << 4 | local_id(2) << 8 | group_id(0) << 12 |
					  group_id(1) << 16 | group_id(2) << 20 | group_size(0) * group_size(1) << 24;
}
