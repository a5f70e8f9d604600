/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counting sort of bytes: scratch arrays of bytes and halfwords. */
#include "program.h"

PROGRAM(.grid = {70}, .block = {64}, .in = 70 * 16, .out = 70 * 16)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0);
	GLOBAL const uchar *from = (GLOBAL const uchar *)(in + 16 * i);
	GLOBAL uchar *to = (GLOBAL uchar *)(out + 16 * i);
	ushort count[257];

	if (i >= n)
		return;
	for (uint k = 0; k < 257; k++)
		count[k] = 0;
	for (uint k = 0; k < 64; k++)
		count[from[k] + 1]++;
	for (uint k = 0; k < 256; k++)
		count[k + 1] += count[k];
	for (uint k = 0; k < 64; k++)
		to[count[from[k]]++] = from[k];
}
