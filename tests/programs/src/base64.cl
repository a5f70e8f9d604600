/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Base64 encoding and decoding of bytes. */
#include "program.h"

PROGRAM(.grid = {100}, .block = {64}, .in = 100 * 3, .out = 100 * 7)

CONSTANT char alphabet[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static uint value_of(uchar c)
{
	return c >= 'a' ? c - 'a' + 26 : c >= 'A' ? c - 'A' : c == '+' ? 62 : c == '/' ? 63 : c - '0' + 52;
}

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0);
	GLOBAL const uchar *from = (GLOBAL const uchar *)(in + 3 * i);
	GLOBAL uchar *to = (GLOBAL uchar *)(out + 7 * i), *back = to + 16;

	if (i >= n)
		return;
	for (uint k = 0; k < 4; k++) {
		uint w = (uint)from[3 * k] << 16 | from[3 * k + 1] << 8 | from[3 * k + 2];

		for (uint c = 0; c < 4; c++)
			to[4 * k + c] = (uchar)alphabet[w >> (18 - 6 * c) & 63];
	}
	for (uint k = 0; k < 4; k++) {
		uint w = 0;

		for (uint c = 0; c < 4; c++)
			w = w << 6 | value_of(to[4 * k + c]);
		back[3 * k] = (uchar)(w >> 16);
		back[3 * k + 1] = (uchar)(w >> 8);
		back[3 * k + 2] = (uchar)w;
	}
}
