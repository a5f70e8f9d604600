/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A lock-free maximum and a sum of floats, by compare-and-swap loops. */
#include "program.h"

PROGRAM(.grid = {640}, .block = {64}, .in = 640, .out = 8)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL ulong best;
	uint x = in[global_id(0)], old, next;
	ulong seen;

	if (local_id(0) == 0)
		best = 0;
	sync_group();
	seen = best;
	while (seen < ((ulong)x << 7) && !compare_exchange(&best, &seen, (ulong)x << 7))
		;
	sync_group();
	if (local_id(0) == 0)
		fetch_max((GLOBAL ulong *)out, best);
	/* small integers: the order of additions does not matter */
	old = out[2];
	do
		next = bits32(float_of(old) + (float)(x & 255));
	while (!compare_exchange(&out[2], &old, next));
	do
		old = out[3];
	while (!compare_exchange(&out[3], &old, old ^ x));
}
