/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* f64 Cholesky factors of 6 x 6 matrices, one per work item. */
#include "program.h"

PROGRAM(.grid = {100}, .block = {64}, .in = 100 * 36, .out = 100 * 42, .fill = FILL_UNIT)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), w = 0;
	double a[6][6], l[6][6];

	if (i >= n)
		return;
	for (uint r = 0; r < 6; r++) {
		for (uint c = 0; c < 6; c++) {
			a[r][c] = r == c ? 4.0 : 0.0; /* I + M M' is positive definite */
			for (uint k = 0; k < 6; k++)
				a[r][c] += (double)float_of(in[36 * i + 6 * r + k]) *
						   (double)float_of(in[36 * i + 6 * c + k]);
		}
	}
	for (uint r = 0; r < 6; r++) {
		for (uint c = 0; c <= r; c++) {
			double s = a[r][c];
			ulong bits;

			for (uint k = 0; k < c; k++)
				s -= l[r][k] * l[c][k];
			l[r][c] = r == c ? root64(s) : s / l[c][c];
			bits = bits64(l[r][c]);
			out[42 * i + w++] = (uint)bits;
			out[42 * i + w++] = (uint)(bits >> 32);
		}
	}
}
