/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shifts and rotations of every width by every amount, shifts of halves of registers. */
#include "program.h"

PROGRAM(.grid = {1024}, .block = {64}, .in = 1024, .out = 1024 * 6)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), x = in[i], by = in[(i + 5) % n];
	ulong u = x | (ulong)(x * 0x9e3779b9u) << 32;
	ushort h = (ushort)x;
	uchar b = (uchar)(x >> 8);

	out += 6 * i;
	out[0] = x << (by & 31) ^ x >> (by >> 5 & 31);
	out[1] = (uint)((int)x >> (by & 31)) ^ rotl32(x, by);
	u = u << (by & 63) ^ u >> (by >> 6 & 63) ^ (ulong)((long)u >> (by >> 12 & 63)) ^ rotl64(u, by);
	out[2] = (uint)u;
	out[3] = (uint)(u >> 32);
	out[4] = (ushort)(h << (by & 15)) | (uint)(ushort)((short)h >> (by & 15)) << 16;
	out[5] = (uchar)(b << (by & 7)) | (uint)(uchar)((char)b >> (by & 7)) << 8 |
			 (uint)(uchar)(b << (by & 7) | b >> (-by & 7)) << 16 | (uint)(b >> (by & 7)) << 24;
}
