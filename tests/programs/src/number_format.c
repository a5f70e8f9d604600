/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decimal, hexadecimal and octal numbers into text, and read back. */
#include "program.h"

PROGRAM(.grid = {160}, .block = {64}, .in = 160, .out = 160 * 6)

static NOINLINE uint print(char *text, ulong x, uint base, bool negative)
{
	char digits[64];
	uint n = 0, length = 0;

	do
		digits[n++] = "0123456789abcdef"[x % base];
	while (x /= base);
	if (negative)
		text[length++] = '-';
	while (n)
		text[length++] = digits[--n];
	text[length] = 0;
	return length;
}

static NOINLINE long scan(const char *text, uint base)
{
	bool negative = *text == '-';
	long x = 0;

	for (text += negative; *text; text++)
		x = x * (long)base + (*text >= 'a' ? *text - 'a' + 10 : *text - '0');
	return negative ? -x : x;
}

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	static const uint bases[4] = {10, 16, 8, 2};
	uint i = global_id(0), length, h = 0;
	char text[72];
	int x = (int)in[i % 160];
	long back;

	if (i >= n)
		return;
	length = print(text, x < 0 ? -(ulong)x : (ulong)x, bases[i & 3], x < 0);
	for (uint k = 0; k < length; k++)
		h = h * 31 + (uchar)text[k];
	back = scan(text, bases[i & 3]);
	for (uint k = 0; k < 3; k++)
		out[6 * i + k] = (uchar)text[3 * k % length] | (uint)(uchar)text[length - 1] << 8;
	out[6 * i + 3] = length;
	out[6 * i + 4] = h;
	out[6 * i + 5] = back == x ? 1 : (uint)back;
}
