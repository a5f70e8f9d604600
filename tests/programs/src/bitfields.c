/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bit fields of every width, signed and unsigned, across words. */
#include "program.h"

PROGRAM(.grid = {128}, .block = {64}, .in = 256, .out = 128 * 5)

struct fields {
	uint a : 3, b : 11;
	int c : 7, d : 20;
	ulong e : 37;
	long f : 23;
	uint g : 1;
	uchar h : 5;
};

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), x = in[2 * i], y = in[2 * i + 1];
	struct fields s = {x,      y,       (int)x, (int)y, (ulong)x << 11 ^ y, (int)(x ^ y),
	                   x >> 9, (uchar)y};

	s.a += s.b;
	s.c -= s.d;
	s.d ^= s.c << 3;
	s.e = s.e * s.b + s.g;
	s.f += s.c;
	s.h |= s.a;
	out[5 * i] = s.a | s.b << 3 | s.g << 14 | (uint)s.h << 15;
	out[5 * i + 1] = (uint)s.c;
	out[5 * i + 2] = (uint)s.d;
	out[5 * i + 3] = (uint)s.e ^ (uint)(s.e >> 32);
	out[5 * i + 4] = (uint)s.f;
}
