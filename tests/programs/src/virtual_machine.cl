/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An interpreter of a small stack machine: a big switch in a loop. */
#include "program.h"

PROGRAM(.grid = {128}, .block = {64}, .in = 128 * 8, .out = 128 * 2)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), stack[16], top = 2, pc = 0, steps = 0;
	GLOBAL const uchar *code = (GLOBAL const uchar *)(in + 8 * i);

	stack[0] = i + 1;
	stack[1] = in[8 * i];
	for (; steps < 200 && pc < 32; steps++) {
		uchar op = code[pc++];
		uint a = stack[top - 1], b = stack[top - 2];

		switch (op & 15) {
		case 0:
			stack[top - 2] = a + b;
			break;
		case 1:
			stack[top - 2] = b - a;
			break;
		case 2:
			stack[top - 2] = a * b;
			break;
		case 3:
			stack[top - 2] = b / (a | 1);
			break;
		case 4:
			stack[top - 2] = a ^ b;
			break;
		case 5:
			stack[top - 1] = rotl32(a, b);
			continue;
		case 6:
			if (top < 16)
				stack[top++] = op >> 4;
			continue;
		case 7:
			if (top < 16)
				stack[top++] = a;
			continue;
		case 8:
			stack[top - 1] = b;
			stack[top - 2] = a;
			continue;
		case 9:
			if (a & 1)
				pc = (pc + (op >> 4)) & 31;
			stack[top - 1] = a >> 1;
			continue;
		case 10:
			stack[top - 1] = ~a;
			continue;
		case 11:
			stack[top - 1] = (uint)((int)a >> (op >> 4));
			continue;
		case 12:
			if (steps < 100)
				pc = op >> 4;
			continue;
		case 13:
			stack[top - 1] = a * 3 + 1;
			continue;
		default:
			continue;
		}
		if (top > 2)
			top--;
	}
	out[2 * i] = stack[top - 1] ^ stack[0];
	out[2 * i + 1] = steps | top << 16 | pc << 24;
}
