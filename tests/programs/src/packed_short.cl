/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packed 16-bit integers: add, multiply, shifts, minimum, maximum of pairs. */
#include "program.h"

PROGRAM(.grid = {512}, .block = {64}, .in = 1024, .out = 512 * 6)

static uint pack(ushort2 x)
{
	return x.x | (uint)x.y << 16;
}

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	GLOBAL const ushort2 *p = (GLOBAL const ushort2 *)in;
	uint i = global_id(0);
	ushort2 a = p[i], b = p[1023 - i];
	short2 s = ((GLOBAL const short2 *)in)[i], t = ((GLOBAL const short2 *)in)[i + 512];
	short2 m = {s.x > t.x ? s.x : t.x, s.y > t.y ? s.y : t.y};
	ushort2 u = {a.x < b.x ? a.x : b.x, a.y < b.y ? a.y : b.y};

	out[6 * i] = pack(a + b);
	out[6 * i + 1] = pack(a * b + a.yx);
	out[6 * i + 2] = pack(a << (b & (ushort)15)) ^ pack(a >> (b.yx & (ushort)15));
	out[6 * i + 3] = (ushort)m.x | (uint)(ushort)m.y << 16;
	out[6 * i + 4] = pack(u - b);
	s = s >> (t & (short)15);
	out[6 * i + 5] = (ushort)s.x | (uint)(ushort)s.y << 16;
}
