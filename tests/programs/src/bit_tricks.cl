/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counting, finding, reversing and gathering bits; bit fields of odd widths. */
#include "program.h"

PROGRAM(.grid = {1024}, .block = {128}, .in = 1024, .out = 1024 * 6)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), x = in[i], y = in[n - 1 - i], r = 0;
	ulong u = x | (ulong)y << 32;

	for (uint k = 0; k < 32; k++)
		r |= (x >> k & 1) << (31 - k);
	out += 6 * i;
	out[0] = (uint)__builtin_popcount(x) | (uint)__builtin_popcountl(u) << 8 |
			 (uint)(x ? __builtin_clz(x) : 32) << 16 | (uint)(x ? __builtin_ctz(x) : 32) << 24;
	out[1] = (uint)(u ? __builtin_clzl(u) : 64) | (uint)(u ? __builtin_ctzl(u) : 64) << 8;
	out[2] = r ^ __builtin_bitreverse32(y) ^ __builtin_bswap32(x);
	out[3] = (x & y) | (~x & (y >> 3));
	out[4] = (x >> (y & 31) & ((1u << (y >> 5 & 31)) - 1)) ^ (uint)((int)(x << 11) >> 19);
	u = __builtin_bswap64(u) ^ __builtin_bitreverse64(u);
	out[5] = (uint)u ^ (uint)(u >> 32) ^ (x & 0x00ff00ff) << 8 ^ (x >> 8 & 0x00ff00ff);
}
