/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scaling an RGBA image by 1.37: packed bytes to floats and back. */
#include "program.h"

PROGRAM(.grid = {44, 33}, .block = {8, 8}, .in = 32 * 24, .out = 44 * 33)

static float4 texel(GLOBAL const uint *in, int x, int y)
{
	uint p = in[(y > 23 ? 23 : y) * 32 + (x > 31 ? 31 : x)];

	return (float4){(float)(p & 255), (float)(p >> 8 & 255), (float)(p >> 16 & 255), (float)(p >> 24)};
}

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint x = global_id(0), y = global_id(1), packed = 0;
	float u = (float)x / 1.37f, v = (float)y / 1.37f;
	int ix = (int)u, iy = (int)v;
	float fu = u - (float)ix, fv = v - (float)iy;
	float4 a, b, c;

	a = texel(in, ix, iy) * (1.0f - fu) + texel(in, ix + 1, iy) * fu;
	b = texel(in, ix, iy + 1) * (1.0f - fu) + texel(in, ix + 1, iy + 1) * fu;
	c = a * (1.0f - fv) + b * fv + 0.5f;
	for (int k = 3; k >= 0; k--)
		packed = packed << 8 | (uchar)c[k];
	out[y * 44 + x] = packed;
}
