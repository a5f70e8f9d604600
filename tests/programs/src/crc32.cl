/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CRC-32 of 64-byte messages: table in LDS, made by the group, and bit by bit. */
#include "program.h"

PROGRAM(.grid = {512}, .block = {256}, .in = 512 * 16, .out = 1024)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL uint table[256];
	uint i = global_id(0), t = local_id(0), a = ~0u, b = ~0u;

	for (uint k = 0, c = t; k < 8; k++) {
		c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
		table[t] = c;
	}
	sync_group();
	for (uint w = 0; w < 16; w++) {
		for (uint byte = 0; byte < 4; byte++) {
			uint c = in[i * 16 + w] >> 8 * byte & 255;

			a = table[(a ^ c) & 255] ^ a >> 8;
			b ^= c;
			for (uint k = 0; k < 8; k++)
				b = b >> 1 ^ (0xedb88320u & -(b & 1));
		}
	}
	out[2 * i] = ~a;
	out[2 * i + 1] = ~b;
}
