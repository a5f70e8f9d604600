/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Large private arrays with dynamic indices: 1 KiB of scratch per work item. */
#include "program.h"

PROGRAM(.grid = {130}, .block = {64}, .in = 256, .out = 130 * 2)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), a[160], x, sum = 0;
	ushort b[120];
	uchar c[140];

	if (i >= n)
		return;
	for (uint k = 0; k < 160; k++)
		a[k] = in[(i + k) % 256];
	for (uint k = 0; k < 140; k++)
		c[k] = (uchar)(a[k] >> 3);
	for (uint k = 0; k < 120; k++)
		b[k] = (ushort)(a[159 - k] ^ c[k]);
	x = in[i];
	for (uint k = 0; k < 300; k++) {
		uint at = x % 120;

		a[at + 40] += b[at] * 3u + c[at + 20];
		b[(at * 7) % 120] = (ushort)a[at];
		c[(at * 11) % 140] ^= (uchar)x;
		x = next_random(x | 1) ^ a[at];
	}
	for (uint k = 0; k < 120; k++)
		sum = sum * 31 + a[k] + b[k] + c[k];
	out[2 * i] = sum;
	out[2 * i + 1] = x;
}
