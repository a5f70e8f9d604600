/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sparse matrix (rows of uneven length) times vector, f64 sums. */
#include "program.h"

PROGRAM(.grid = {300}, .block = {64}, .in = 4096, .out = 600, .fill = FILL_SMALL)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), start = i * 11 % 3000, length = in[i] % 40;
	double sum = 0;
	ulong bits;

	if (i >= n)
		return;
	for (uint k = start; k < start + length; k++)
		sum += (double)in[k] * 0.01 * ((double)in[(in[k] * 3 + k) % 4096] - 500.0);
	bits = bits64(sum);
	out[2 * i] = (uint)bits;
	out[2 * i + 1] = (uint)(bits >> 32);
}
