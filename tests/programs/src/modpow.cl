/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Modular powers of 64-bit numbers by add-and-double and by 64-bit remainders. */
#include "program.h"

PROGRAM(.grid = {128}, .block = {64}, .in = 128 * 4, .out = 128 * 3)

static ulong multiply_modulo(ulong a, ulong b, ulong m)
{
	ulong r = 0;

	for (a %= m; b; b >>= 1) {
		if (b & 1)
			r = r >= m - a ? r - (m - a) : r + a;
		a = a >= m - a ? a - (m - a) : a + a;
	}
	return r;
}

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0);
	ulong base = in[4 * i] | (ulong)in[4 * i + 1] << 32, m = in[4 * i + 2] | 1ul << 62, r = 1;
	ulong small = 1, b = base;

	for (uint e = in[4 * i + 3] & 0xffff; e; e >>= 1) {
		if (e & 1)
			r = multiply_modulo(r, b, m);
		b = multiply_modulo(b, b, m);
	}
	for (uint k = 0; k < 20; k++)
		small = small * ((uint)base | 1) % 4294967291ul;
	out[3 * i] = (uint)r;
	out[3 * i + 1] = (uint)(r >> 32);
	out[3 * i + 2] = (uint)small;
}
