/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pointers that may be LDS, scratch, a global variable or a buffer: the same load reaches each. */
#include "program.h"

PROGRAM(.grid = {320}, .block = {64}, .in = 320, .out = 320)

LOCAL uint shared_words[64];
static uint table[4] = {11, 22, 33, 44};
static uint *const entry = &table[2];

static NOINLINE uint sum(const uint *p, uint stride, uint count)
{
	uint s = 0;

	for (uint i = 0; i < count; i++)
		s = s * 31 + p[i * stride];
	return s;
}

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), own[8];
	const uint *from[4];

	for (uint k = 0; k < 8; k++)
		own[k] = in[(i + k) % n] ^ k;
	shared_words[local_id(0)] = in[i];
	sync_group();
	from[0] = own;
	from[1] = (const uint *)&shared_words[0];
	from[2] = in + i % 64;
	from[3] = entry - 2;
	out[i] = sum(from[i & 3], 1, (i & 3) == 3 ? 4 : 8) + sum(from[(i >> 2) & 3], 1, 4);
}
