/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ChaCha20 block function on vectors of four. */
#include "program.h"

PROGRAM(.grid = {100}, .block = {32}, .in = 100 * 12, .out = 100 * 16)

static uint4 rotate4(uint4 x, uint by)
{
	return x << by | x >> (32 - by);
}

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0);
	uint4 a = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}, b, c, d, start[4];

	if (i >= n)
		return;
	for (uint k = 0; k < 4; k++) {
		b[k] = in[12 * i + k];
		c[k] = in[12 * i + 4 + k];
		d[k] = in[12 * i + 8 + k];
	}
	start[0] = a;
	start[1] = b;
	start[2] = c;
	start[3] = d;
	for (uint r = 0; r < 20; r++) {
		a += b;
		d = rotate4(d ^ a, 16);
		c += d;
		b = rotate4(b ^ c, 12);
		a += b;
		d = rotate4(d ^ a, 8);
		c += d;
		b = rotate4(b ^ c, 7);
		/* columns and diagonals in turn */
		b = r & 1 ? b.wxyz : b.yzwx;
		c = c.zwxy;
		d = r & 1 ? d.yzwx : d.wxyz;
	}
	a += start[0];
	b += start[1];
	c += start[2];
	d += start[3];
	((GLOBAL uint4 *)out)[4 * i] = a;
	((GLOBAL uint4 *)out)[4 * i + 1] = b;
	((GLOBAL uint4 *)out)[4 * i + 2] = c;
	((GLOBAL uint4 *)out)[4 * i + 3] = d;
}
