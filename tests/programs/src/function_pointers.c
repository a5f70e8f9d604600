/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls through a table of functions; lanes call different ones. */
#include "program.h"

PROGRAM(.grid = {256}, .block = {64}, .in = 256, .out = 512)

typedef uint (*operation)(uint, uint);

static NOINLINE uint add(uint a, uint b)
{
	return a + b;
}

static NOINLINE uint multiply(uint a, uint b)
{
	return a * (b | 1);
}

static NOINLINE uint power(uint a, uint b)
{
	uint r = 1;

	for (b &= 15; b; b--)
		r *= a;
	return r;
}

static NOINLINE uint mix(uint a, uint b)
{
	return rotl32(a ^ b, b) + 1;
}

static operation const operations[] = {add, multiply, power, mix};

static NOINLINE uint apply(operation f, uint times, uint x)
{
	while (times--)
		x = f(x, times);
	return x;
}

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), x = in[i];

	for (uint k = 0; k < 8; k++)
		x = operations[x >> k & 3](x, k);
	out[2 * i] = x;
	out[2 * i + 1] = apply(operations[in[i] >> 5 & 3], i & 7, in[i]);
}
