/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* f32 matrix product, 33 x 47 x 29, two-dimensional partial groups. */
#include "program.h"

PROGRAM(.grid = {47, 33}, .block = {16, 8}, .in = 33 * 29 + 29 * 47, .out = 33 * 47, .fill = FILL_UNIT)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	GLOBAL const float *a = (GLOBAL const float *)in, *b = a + 33 * 29;
	uint x = global_id(0), y = global_id(1);
	float sum = 0;

	if (x >= 47 || y >= 33)
		return;
	for (uint k = 0; k < 29; k++)
		sum += a[y * 29 + k] * b[k * 47 + x];
	out[y * 47 + x] = bits32(sum);
}
