/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fused multiply-add of f32 and f64: one rounding, also when the product cancels. */
#include "program.h"

PROGRAM(.grid = {1024}, .block = {64}, .in = 1024, .out = 1024 * 4, .fill = FILL_FLOAT)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0);
	float a = float_of(in[i]), b = float_of(in[(i * 7 + 1) % n]), c = float_of(in[(i * 11 + 2) % n]);
	ulong d;

	out[4 * i] = canon32(__builtin_fmaf(a, b, c));
	out[4 * i + 1] = canon32(__builtin_fmaf(a, b, -(a * b)));
	d = canon64(__builtin_fma((double)a * 1.1, (double)b, (double)c * 0.7));
	out[4 * i + 2] = (uint)d;
	out[4 * i + 3] = (uint)(d >> 32);
}
