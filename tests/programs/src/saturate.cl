/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Saturating addition and subtraction, absolute differences, clamps, high halves. */
#include "program.h"

PROGRAM(.grid = {1024}, .block = {64}, .in = 1024, .out = 1024 * 8)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), x = in[i], y = in[(i * 5 + 1) % n];
	long sum;

	out += 8 * i;
	out[0] = x + y < x ? ~0u : x + y;
	sum = (long)(int)x + (int)y;
	out[1] = (uint)(sum > 0x7fffffff ? 0x7fffffff : sum < -0x80000000l ? -0x80000000l : sum);
	out[2] = x > y ? x - y : 0;
	out[3] = (uint)((ulong)x * y >> 32);
	out[4] = (uint)((long)(int)x * (int)y >> 32);
	out[5] = (uint)(ushort)((short)x > (short)y ? (short)x : (short)y) | (uint)(ushort)((ushort)x < (ushort)y ? x : y) << 16;
	out[6] = (uint)((int)x < -1000 ? -1000 : (int)x > (int)(y & 0xffff) ? (int)(y & 0xffff) : (int)x);
	out[7] = (x & 0xffffff) * (y & 0xffffff) ^ (uint)(((int)x << 8 >> 8) * ((int)y << 8 >> 8));
}
