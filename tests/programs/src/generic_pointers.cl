/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* OpenCL's generic address space: one function reads LDS, scratch and memory. */
#include "program.h"

PROGRAM(.grid = {256}, .block = {64}, .in = 256, .out = 512)

static NOINLINE uint fold(__generic const uint *p, uint count)
{
	uint h = 7;

	for (uint k = 0; k < count; k++)
		h = rotl32(h, 5) ^ p[k];
	return h;
}

static NOINLINE void swap(__generic uint *a, __generic uint *b)
{
	uint x = *a;

	*a = *b;
	*b = x;
}

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL uint v[128];
	uint i = global_id(0), t = local_id(0), own[16];

	for (uint k = 0; k < 16; k++)
		own[k] = in[(i + 3 * k) % n];
	v[2 * t] = in[i];
	v[2 * t + 1] = i;
	swap(&v[2 * t], i & 1 ? (__generic uint *)&own[i & 15] : (__generic uint *)&v[2 * t + 1]);
	sync_group();
	out[2 * i] = fold(i & 2 ? (__generic const uint *)own : (__generic const uint *)&v[t & 63], 16);
	out[2 * i + 1] = fold(i & 4 ? (__generic const uint *)(in + t) : (__generic const uint *)v, 8);
	fetch_add((__generic uint *)&out[2 * i], i & 1 ? own[1] : v[5]);
}
