/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UTF-8 decoding as a state machine; malformed sequences are counted. */
#include "program.h"

PROGRAM(.grid = {128}, .block = {64}, .in = 128 * 8, .out = 128 * 3, .fill = FILL_TEXT)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), left = 0, code = 0, sum = 0, bad = 0, count = 0;
	GLOBAL const uchar *p = (GLOBAL const uchar *)(in + 8 * i);

	for (uint k = 0; k < 32; k++) {
		uchar c = p[k] ^ (i % 5 == 4 && k % 9 == 3 ? 0x80 : 0);

		if (left && (c & 0xc0) == 0x80) {
			code = code << 6 | (c & 63);
			left--;
		} else {
			bad += left != 0;
			left = c < 0x80 ? 0 : c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
			bad += c >= 0x80 && !left;
			code = left ? c & (0x3f >> left) : c;
		}
		if (!left) {
			sum = sum * 33 + code;
			count++;
		}
	}
	out[3 * i] = sum;
	out[3 * i + 1] = count;
	out[3 * i + 2] = bad;
}
