/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pattern matching with * ? and . by backtracking on an explicit stack. */
#include "program.h"

PROGRAM(.grid = {128}, .block = {64}, .in = 128 * 8, .out = 128 * 2, .fill = FILL_TEXT)

CONSTANT char patterns[4][8] = {"a*b.", ".a*c", "*ab*.", "z*.*e"};

/* '*' is any run of characters, '.' any one. */
static bool match(CONSTANT char *p, GLOBAL const char *s, uint length, uint *steps)
{
	uint stack[32], top = 0, at = 0, in_pattern = 0;

	for (;;) {
		++*steps;
		if (p[in_pattern] == '*') {
			if (at < length && top < 32)
				stack[top++] = (at + 1) << 8 | in_pattern;
			in_pattern++;
		} else if (p[in_pattern] && at < length && (p[in_pattern] == '.' || p[in_pattern] == s[at])) {
			in_pattern++;
			at++;
		} else if (!p[in_pattern]) {
			return true;
		} else if (top) {
			at = stack[--top] >> 8;
			in_pattern = stack[top] & 255;
		} else {
			return false;
		}
	}
}

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), steps = 0, found = 0;

	for (uint k = 0; k < 4; k++)
		found |= (uint)match(patterns[k], (GLOBAL const char *)(in + 8 * i), 32, &steps) << k;
	out[2 * i] = found;
	out[2 * i + 1] = steps;
}
