/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* f32: + - * / on edge cases, denormals, infinities; comparisons, classes. */
#include "program.h"

PROGRAM(.grid = {4096}, .block = {256}, .in = 4096, .out = 4096 * 6, .fill = FILL_FLOAT)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0);
	float a = float_of(in[i]), b = float_of(in[(i * 29 + 7) % n]);

	out[6 * i] = canon32(a + b);
	out[6 * i + 1] = canon32(a - b * 0.5f);
	out[6 * i + 2] = canon32(a * b);
	out[6 * i + 3] = canon32(a / b);
	out[6 * i + 4] = (uint)(a < b) | (uint)(a <= b) << 1 | (uint)(a == b) << 2 | (uint)(a != b) << 3 |
					 (uint)(a > b) << 4 | (uint)(a >= b) << 5 | (uint)!(a < b) << 6 |
					 (uint)__builtin_isnan(a) << 7 | (uint)__builtin_isinf(b) << 8 |
					 (uint)__builtin_isunordered(a, b) << 9 | (uint)__builtin_islessgreater(a, b) << 10;
	out[6 * i + 5] = canon32(__builtin_copysignf(a, b)) ^ canon32(__builtin_fabsf(b));
}
