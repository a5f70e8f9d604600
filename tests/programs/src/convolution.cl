/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* 5 x 5 convolution of bytes with a constant kernel, clamped at the edges. */
#include "program.h"

PROGRAM(.grid = {50, 30}, .block = {32, 4}, .in = 375, .out = 1500)

CONSTANT int weights[5][5] = {
	{1, 4, 6, 4, 1}, {4, 16, 24, 16, 4}, {6, 24, -476, 24, 6}, {4, 16, 24, 16, 4}, {1, 4, 6, 4, 1}};

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	GLOBAL const uchar *image = (GLOBAL const uchar *)in;
	int x = (int)global_id(0), y = (int)global_id(1), sum = 0;

	if (x >= 50 || y >= 30)
		return;
	for (int dy = -2; dy <= 2; dy++) {
		for (int dx = -2; dx <= 2; dx++) {
			int cx = x + dx < 0 ? 0 : x + dx > 49 ? 49 : x + dx;
			int cy = y + dy < 0 ? 0 : y + dy > 29 ? 29 : y + dy;

			sum += weights[dy + 2][dx + 2] * image[cy * 50 + cx];
		}
	}
	sum = sum / -256;
	out[y * 50 + x] = (uint)(sum < 0 ? 0 : sum > 255 ? 255 : sum) | (uint)sum << 8;
}
