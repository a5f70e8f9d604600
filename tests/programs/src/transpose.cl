/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Transposition through LDS of words, halfwords and bytes at once. */
#include "program.h"

PROGRAM(.grid = {32, 64}, .block = {32, 8}, .in = 2048, .out = 2048 * 3)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL uint w[32][9];
	LOCAL ushort h[32][9];
	LOCAL uchar b[32][9];
	uint x = local_id(0), y = local_id(1), x2 = y * 32 + x, row, column;

	w[x][y] = in[global_id(1) * 32 + x];
	h[x][y] = (ushort)(w[x][y] >> 5);
	b[x][y] = (uchar)(w[x][y] >> 11);
	sync_group();
	row = x2 / 8;
	column = group_id(1) * 8 + x2 % 8;
	out[row * 64 + column] = w[row][x2 % 8];
	((GLOBAL ushort *)(out + 2048))[row * 64 + column] = h[row][x2 % 8];
	((GLOBAL uchar *)(out + 4096))[row * 64 + column] = b[row][x2 % 8];
}
