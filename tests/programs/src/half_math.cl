/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Half precision: every basic operation, comparisons, minimum, conversions. */
#include "program.h"

PROGRAM(.grid = {1024}, .block = {64}, .in = 1024, .out = 1024 * 4, .fill = FILL_HALF)

static uint canon16(half x)
{
	union {
		half h;
		ushort u;
	} u = {.h = x};

	return x != x ? 0x7e00 : u.u;
}

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	GLOBAL const half *h = (GLOBAL const half *)in;
	uint i = global_id(0);
	half a = h[2 * i], b = h[2 * i + 1], c = h[(5 * i + 3) % (2 * n)];

	out[4 * i] = canon16(a + b) | canon16(a * b) << 16;
	out[4 * i + 1] = canon16(a - c) | canon16(a / c) << 16;
	out[4 * i + 2] = canon16(a < b ? a : b) | (uint)(a > c) << 16 | (uint)(a == b) << 17 |
					 (uint)(b <= c) << 18 | (uint)(a != c) << 19;
	out[4 * i + 3] = canon16(-a * b + c) | canon16((half)((float)a * 1.5f)) << 16;
}
