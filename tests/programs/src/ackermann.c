/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ackermann's function: recursion as deep as a few hundred calls, all in scratch. */
#include "program.h"

PROGRAM(.grid = {64}, .block = {64}, .in = 64, .out = 64)

static NOINLINE uint ackermann(uint m, uint n)
{
	if (!m)
		return n + 1;
	return n ? ackermann(m - 1, ackermann(m, n - 1)) : ackermann(m - 1, 1);
}

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0);

	out[i] = ackermann(i % 3, i % 11) * 1000 + ackermann(2, in[i] % 9);
}
