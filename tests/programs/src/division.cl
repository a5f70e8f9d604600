/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Quotients and remainders of 8, 16, 32 and 64 bits, signed and not. */
#include "program.h"

PROGRAM(.grid = {2048}, .block = {256}, .in = 4096, .out = 2048 * 10)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), x = in[i], y = in[(i * 7 + 3) % 4096];
	uint d = y ? y : 1;
	int sx = (int)x, sd = d == ~0u ? 3 : (int)d;
	ulong ux = x | (ulong)y << 32, ud = (ulong)d << (i & 31) | d >> (i & 15);
	long lx = (long)ux, ld;
	short hd = (short)(sd | 1) == -1 ? 5 : (short)(sd | 1);
	char bd = (char)(sd | 1) == -1 ? 7 : (char)(sd | 1);

	ud = ud ? ud : 1;
	ld = ud == ~0ul ? 9 : (long)ud;
	out += 10 * i;
	out[0] = x / d;
	out[1] = x % d;
	out[2] = (uint)(sx / sd);
	out[3] = (uint)(sx % sd);
	out[4] = (uint)(ux / ud ^ ux / ud >> 32);
	out[5] = (uint)(ux % ud ^ ux % ud >> 32);
	out[6] = (uint)(lx / ld ^ (ulong)(lx / ld) >> 32);
	out[7] = (uint)(lx % ld ^ (ulong)(lx % ld) >> 32);
	out[8] = (uint)(ushort)((short)x / hd) | (uint)(ushort)((short)x % hd) << 16;
	out[9] = (uint)(uchar)((char)x / bd) | (uint)(uchar)((char)x % bd) << 8 | x / 10 << 16 ^ x % 1000;
}
