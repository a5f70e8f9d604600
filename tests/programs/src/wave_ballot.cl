/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Votes of a wave: stream compaction by counting the lanes below. */
#include "program.h"

PROGRAM(.grid = {512}, .block = {64}, .in = 512, .out = 512 + 32)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), x = in[i], base = group_id(0) * 64;
	ulong odd = wave_ballot(x & 1), large = wave_ballot(x > 0x7fffffff);

	if (x & 1)
		out[base + lanes_below(odd)] = x;
	else
		out[base + (uint)__builtin_popcountl(odd) + lanes_below(~odd)] = ~x;
	if (!local_id(0)) {
		out[512 + 4 * group_id(0)] = (uint)odd;
		out[513 + 4 * group_id(0)] = (uint)(odd >> 32);
		out[514 + 4 * group_id(0)] = (uint)__builtin_popcountl(large);
		out[515 + 4 * group_id(0)] = (uint)__builtin_ctzl(large | 1ul << 63);
	}
}
