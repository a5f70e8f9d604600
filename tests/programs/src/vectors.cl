/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Vectors of 2 to 16 elements of each type: arithmetic, comparisons, swizzles. */
#include "program.h"

PROGRAM(.grid = {200}, .block = {64}, .in = 256 * 16, .out = 200 * 16)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0);
	uint16 v;
	long8 w;
	char16 c;
	short4 s;
	double2 d;
	float8 f;

	if (i >= n)
		return;
	v = *((GLOBAL const uint16 *)in + i);
	w = __builtin_convertvector(v.even, long8) * __builtin_convertvector(v.odd, long8);
	c = __builtin_convertvector(v, char16) + (char)i;
	s = __builtin_convertvector(w.lo, short4) - __builtin_convertvector(v.s0f3a, short4);
	f = __builtin_convertvector(v.hi, float8) * 0.5f;
	d = __builtin_convertvector(w.s07, double2) / 3.0;
	v.lo = v.lo + v.hi.s76543210;
	v.hi ^= (uint8)(__builtin_convertvector(f > 1e9f, uint8));
	v.s5 = (uint)(w.s1 >> 32) + (uint)c.s9;
	v.sabcd = v.sabcd * 3u + __builtin_convertvector(s, uint4);
	v.s01 ^= __builtin_convertvector(__builtin_convertvector(d * 1e-10, long2), uint2);
	*((GLOBAL uint16 *)out + i) = v;
}
