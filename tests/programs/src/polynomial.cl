/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Polynomials, continued fractions and Newton iterations in f32 and f64. */
#include "program.h"

PROGRAM(.grid = {512}, .block = {64}, .in = 512, .out = 512 * 4, .fill = FILL_UNIT)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0);
	float x = float_of(in[i]), p = 0, q = 1;
	double y = (double)x + 1.5, z = 1, e = 1, term = 1;
	ulong bits;

	for (int k = 12; k > 0; k--)
		p = p * x + 1.0f / (float)k;
	for (int k = 10; k > 0; k--)
		q = (float)k + x * x / q;
	for (int k = 0; k < 8; k++)
		z -= (z * z * z - y) / (3.0 * z * z);
	for (int k = 1; k < 20; k++) {
		term *= (double)x / k;
		e += term;
	}
	bits = bits64(z) ^ bits64(e) << 7;
	out[4 * i] = bits32(p);
	out[4 * i + 1] = bits32(q);
	out[4 * i + 2] = (uint)bits;
	out[4 * i + 3] = (uint)(bits >> 32);
}
