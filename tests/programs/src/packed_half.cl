/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packed half: two at a time, swizzled operands, negation of one half. */
#include "program.h"

PROGRAM(.grid = {512}, .block = {64}, .in = 1024, .out = 512 * 4, .fill = FILL_HALF)

static uint pack(half2 x)
{
	union {
		half2 h;
		ushort2 u;
	} u = {.h = x};

	return (x.x != x.x ? 0x7e00u : u.u.x) | (x.y != x.y ? 0x7e00u : (uint)u.u.y) << 16;
}

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	GLOBAL const half2 *h = (GLOBAL const half2 *)in;
	uint i = global_id(0);
	half2 a = h[i], b = h[i + 512], c = h[(i * 3) % 1024];

	out[4 * i] = pack(a + b.yx);
	out[4 * i + 1] = pack(a * b);
	out[4 * i + 2] = pack(a.yx * (half2){-b.x, b.y} + c);
	out[4 * i + 3] = pack((a - c) * (half2){2, 2});
}
