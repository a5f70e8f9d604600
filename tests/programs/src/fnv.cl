/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* FNV-1a of 8 to 64 bits wide, over bytes. */
#include "program.h"

PROGRAM(.grid = {256}, .block = {64}, .in = 256 * 4, .out = 256 * 5)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), h32 = 0x811c9dc5;
	GLOBAL const uchar *p = (GLOBAL const uchar *)in + 16 * i;
	ulong h64 = 0xcbf29ce484222325ul;
	ushort h16 = 0x9dc5;
	uchar h8 = 0xc5;

	for (uint k = 0; k < 16; k++) {
		h8 = (uchar)((h8 ^ p[k]) * 0x93);
		h16 = (ushort)((h16 ^ p[k]) * 0x0193);
		h32 = (h32 ^ p[k]) * 0x01000193;
		h64 = (h64 ^ p[k]) * 0x00000100000001b3ul;
	}
	out[5 * i] = h8;
	out[5 * i + 1] = h16;
	out[5 * i + 2] = h32;
	out[5 * i + 3] = (uint)h64;
	out[5 * i + 4] = (uint)(h64 >> 32);
}
