/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MD5 of one block: a switch in each step. */
#include "program.h"

PROGRAM(.grid = {300}, .block = {128}, .in = 300 * 16, .out = 300 * 4)

CONSTANT uchar shifts[16] = {7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21};

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), a = 0x67452301, b = 0xefcdab89, c = 0x98badcfe, d = 0x10325476;

	if (i >= n)
		return;
	for (uint k = 0; k < 64; k++) {
		uint f, g;

		switch (k / 16) {
		case 0:
			f = (b & c) | (~b & d);
			g = k;
			break;
		case 1:
			f = (d & b) | (~d & c);
			g = 5 * k + 1;
			break;
		case 2:
			f = b ^ c ^ d;
			g = 3 * k + 5;
			break;
		default:
			f = c ^ (b | ~d);
			g = 7 * k;
		}
		/* a pseudo-sine table: the real one is of no interest here */
		f += a + (k * 0x9e3779b9u ^ 0xd76aa478u) + in[i * 16 + (g & 15)];
		a = d;
		d = c;
		c = b;
		b += rotl32(f, shifts[k / 16 * 4 + k % 4]);
	}
	out[i * 4] = a;
	out[i * 4 + 1] = b;
	out[i * 4 + 2] = c;
	out[i * 4 + 3] = d;
}
