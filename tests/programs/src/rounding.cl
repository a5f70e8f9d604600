/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Floor, ceiling, truncation, to nearest even, fractions, exponents and mantissas. */
#include "program.h"

PROGRAM(.grid = {1024}, .block = {64}, .in = 2048, .out = 1024 * 10, .fill = FILL_FLOAT)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0);
	float f = float_of(in[i]);
	double d = (double)f * 0.7 + (double)(int)in[i + 1024] / 3.0;
	ulong r;

	out += 10 * i;
	out[0] = canon32(__builtin_floorf(f));
	out[1] = canon32(__builtin_ceilf(f));
	out[2] = canon32(__builtin_truncf(f));
	out[3] = canon32(__builtin_rintf(f));
	r = canon64(__builtin_floor(d)) ^ canon64(__builtin_trunc(d)) << 1;
	out[4] = (uint)r;
	out[5] = (uint)(r >> 32);
	r = canon64(__builtin_ceil(d)) + canon64(__builtin_rint(d));
	out[6] = (uint)r;
	out[7] = (uint)(r >> 32);
	out[8] = canon32(__builtin_fminf(f, 3.25f)) + canon32(__builtin_fmaxf(f, -2.5f));
	r = canon64(__builtin_fmin(d, 2.0) - __builtin_fmax(d, -7.0));
	out[9] = (uint)r ^ (uint)(r >> 32);
}
