/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LU of a 16 x 16 matrix with pivoting, in LDS, by one wave. */
#include "program.h"

PROGRAM(.grid = {256}, .block = {64}, .in = 256 * 4, .out = 256 * 4, .fill = FILL_UNIT)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL float m[16][16];
	uint t = local_id(0), base = group_id(0) * 256;

	for (uint k = t; k < 256; k += 64)
		m[k / 16][k % 16] = float_of(in[base + k]);
	sync_group();
	for (uint c = 0; c < 15; c++) {
		uint best = c;
		float x;

		for (uint r = c + 1; r < 16; r++)
			if (__builtin_fabsf(m[r][c]) > __builtin_fabsf(m[best][c]))
				best = r;
		sync_group();
		if (t < 16 && best != c) {
			x = m[c][t];
			m[c][t] = m[best][t];
			m[best][t] = x;
		}
		sync_group();
		if (t > c && t < 16)
			m[t][c] /= m[c][c];
		sync_group();
		for (uint k = t; k < 256; k += 64)
			if (k / 16 > c && k % 16 > c)
				m[k / 16][k % 16] -= m[k / 16][c] * m[c][k % 16];
		sync_group();
	}
	for (uint k = t; k < 256; k += 64)
		out[base + k] = bits32(m[k / 16][k % 16]);
}
