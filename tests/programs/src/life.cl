/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Game of life, 16 generations of a 64 x 64 torus, a row of 64 bits per lane. */
#include "program.h"

PROGRAM(.grid = {64}, .block = {64}, .in = 128, .out = 128)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL ulong rows[2][64];
	uint t = local_id(0), from = 0;

	rows[0][t] = ((GLOBAL const ulong *)in)[t];
	sync_group();
	for (uint generation = 0; generation < 16; generation++) {
		ulong ones = 0, twos = 0, fours = 0, self = rows[from][t];

		for (uint k = 0; k < 9; k++) {
			ulong row = rows[from][(t + 63 + k / 3) & 63], c, d;

			if (k == 4)
				continue;
			row = rotl64(row, (k % 3 + 63) & 63);
			c = ones & row;
			ones ^= row;
			d = twos & c;
			twos ^= c;
			fours |= d;
		}
		rows[1 - from][t] = twos & ~fours & (ones | self);
		from = 1 - from;
		sync_group();
	}
	((GLOBAL ulong *)out)[t] = rows[from][t];
}
