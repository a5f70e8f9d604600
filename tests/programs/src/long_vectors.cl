/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Vectors of 64-bit integers: multiply, shift by vectors, compare, select. */
#include "program.h"

PROGRAM(.grid = {128}, .block = {64}, .in = 128 * 16, .out = 128 * 8)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0);
	ulong4 a = ((GLOBAL const ulong4 *)in)[2 * i], b = ((GLOBAL const ulong4 *)in)[2 * i + 1];
	ulong4 less = __builtin_convertvector(__builtin_convertvector(a, long4) < __builtin_convertvector(b, long4), ulong4);
	ulong4 r = (a * b + a.wzyx) >> (b & 63ul);

	r ^= a << (b.yxwz & 31ul);
	r += (less & a) | (~less & b);
	((GLOBAL ulong4 *)out)[i] = r;
}
