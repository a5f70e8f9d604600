/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* 64- and 128-bit arithmetic with carries, borrows, comparisons. */
#include "program.h"

PROGRAM(.grid = {1000}, .block = {64}, .in = 2048, .out = 1000 * 8)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0);
	ulong a, b, lo, hi, p[4];
	long s, t;

	if (i >= n)
		return;
	a = in[i] | (ulong)in[i + 1] << 32;
	b = in[i + 7] | (ulong)in[i + 1000] << 32;
	s = (long)a;
	t = (long)b;
	p[0] = (a & 0xffffffff) * (b & 0xffffffff);
	p[1] = (a >> 32) * (b & 0xffffffff) + (p[0] >> 32);
	p[2] = (a & 0xffffffff) * (b >> 32) + (p[1] & 0xffffffff);
	hi = (a >> 32) * (b >> 32) + (p[1] >> 32) + (p[2] >> 32);
	lo = a * b;
	out += 8 * i;
	out[0] = (uint)lo;
	out[1] = (uint)(lo >> 32);
	out[2] = (uint)hi;
	out[3] = (uint)(hi >> 32);
	lo = a + b;
	out[4] = (uint)(lo < a) | (uint)(a - b > a) << 1 | (uint)(s < t) << 2 | (uint)(a < b) << 3 |
			 (uint)(s == t) << 4 | (uint)(s + 1 > t - 1) << 5 | (uint)((a & b) != 0) << 6;
	lo = (s < t ? a : b) - (a > b ? a ^ b : a | b);
	out[5] = (uint)lo ^ (uint)(lo >> 32);
	lo = (ulong)(s < 0 ? -s : s) + (ulong)(t > 100 ? 100 : t < -100 ? -100 : t);
	out[6] = (uint)lo;
	out[7] = (uint)(lo >> 32);
}
