/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many lanes add to few words: conflicts in every wave, 32 and 64 bits. */
#include "program.h"

PROGRAM(.grid = {2000}, .block = {256}, .in = 2000, .out = 64)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0);

	if (i >= n)
		return;
	fetch_add(&out[in[i] % 7], in[i]);
	fetch_sub(&out[8 + in[i] % 3], i);
	fetch_or(&out[16], 1u << in[i] % 32);
	fetch_xor(&out[17], in[i]);
	fetch_and(&out[18], in[i]);
	fetch_add((GLOBAL ulong *)out + 10 + in[i] % 5, (ulong)in[i] << 20);
	fetch_max((GLOBAL ulong *)out + 16, (ulong)in[i] << 13 ^ i);
	fetch_max((GLOBAL long *)out + 17, (long)(int)in[i] << 13);
	fetch_min((GLOBAL long *)out + 18, (long)(int)in[i] << 17);
	fetch_min((GLOBAL int *)out + 40, (int)in[i]);
	fetch_xor((GLOBAL ulong *)out + 21, (ulong)in[i] * i);
	exchange(&out[50 + in[i] % 2 * 0], 7u);
}
