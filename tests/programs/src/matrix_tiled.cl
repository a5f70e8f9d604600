/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* f32 matrix product 64 x 64 by tiles in LDS. */
#include "program.h"

PROGRAM(.grid = {64, 64}, .block = {16, 16}, .in = 2 * 64 * 64, .out = 64 * 64, .fill = FILL_UNIT)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL float a[16][17], b[16][17];
	uint tx = local_id(0), ty = local_id(1), x = global_id(0), y = global_id(1);
	float sum = 0;

	for (uint tile = 0; tile < 4; tile++) {
		a[ty][tx] = float_of(in[y * 64 + tile * 16 + tx]);
		b[ty][tx] = float_of(in[4096 + (tile * 16 + ty) * 64 + x]);
		sync_group();
		for (uint k = 0; k < 16; k++)
			sum += a[ty][k] * b[k][tx];
		sync_group();
	}
	out[y * 64 + x] = bits32(sum);
}
