/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* 256 x 256 bit multiplication, digit by digit with carries. */
#include "program.h"

PROGRAM(.grid = {200}, .block = {64}, .in = 200 * 16, .out = 200 * 16)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), a[8], b[8], r[16];

	if (i >= n)
		return;
	for (uint k = 0; k < 8; k++) {
		a[k] = in[16 * i + k];
		b[k] = in[16 * i + 8 + k];
		r[k] = r[k + 8] = 0;
	}
	for (uint x = 0; x < 8; x++) {
		ulong carry = 0;

		for (uint y = 0; y < 8; y++) {
			carry += (ulong)a[x] * b[y] + r[x + y];
			r[x + y] = (uint)carry;
			carry >>= 32;
		}
		r[x + 8] = (uint)carry;
	}
	for (uint k = 0; k < 16; k++)
		out[16 * i + k] = r[k];
}
