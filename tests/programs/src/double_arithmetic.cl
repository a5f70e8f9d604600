/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* f64: + - * / on edge cases, comparisons, conversions to f32 and back. */
#include "program.h"

PROGRAM(.grid = {2048}, .block = {128}, .in = 4096, .out = 2048 * 12, .fill = FILL_DOUBLE)

static void put(GLOBAL uint *out, double x)
{
	ulong bits = canon64(x);

	out[0] = (uint)bits;
	out[1] = (uint)(bits >> 32);
}

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	GLOBAL const ulong *p = (GLOBAL const ulong *)in;
	uint i = global_id(0);
	double a = double_of(p[i]), b = double_of(p[(i * 13 + 5) % n]);

	out += 12 * i;
	put(out, a + b);
	put(out + 2, a - b);
	put(out + 4, a * b);
	put(out + 6, a / b);
	out[8] = canon32((float)a);
	put(out + 9, (double)(float)b);
	out[11] = (uint)(a < b) | (uint)(a <= b) << 1 | (uint)(a == b) << 2 | (uint)(a != b) << 3;
}
