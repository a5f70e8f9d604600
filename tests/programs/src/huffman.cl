/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Huffman codes of 16 symbols built per work item, a message encoded and decoded. */
#include "program.h"

PROGRAM(.grid = {48}, .block = {48}, .in = 48 * 16, .out = 48 * 8)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), weight[31], bits = 0, wrong = 0, total = 0, at = 0;
	uchar parent[31], side[31], child[31][2], stream[128];

	for (uint k = 0; k < 16; k++)
		weight[k] = 1 + in[16 * i + k] % 100;
	for (uint k = 0; k < 31; k++)
		parent[k] = 0;
	for (uint made = 16; made < 31; made++) {
		for (uint s = 0; s < 2; s++) {
			uint best = 99;

			for (uint k = 0; k < made; k++)
				if (!parent[k] && (best == 99 || weight[k] < weight[best]))
					best = k;
			parent[best] = (uchar)made;
			side[best] = (uchar)s;
			child[made][s] = (uchar)best;
		}
		weight[made] = weight[child[made][0]] + weight[child[made][1]];
	}
	for (uint k = 0; k < 128; k++)
		stream[k] = 0;
	for (uint m = 0; m < 60; m++) {
		uint code = 0, length = 0;

		for (uint node = in[16 * i + m % 16] >> m % 29 & 15; node != 30; node = parent[node])
			code |= (uint)side[node] << length++;
		while (length--) {
			stream[bits / 8] |= (uchar)((code >> length & 1) << bits % 8);
			bits++;
		}
	}
	for (uint m = 0; m < 60; m++) {
		uint node = 30;

		while (node >= 16) {
			node = child[node][stream[at / 8] >> at % 8 & 1];
			at++;
		}
		wrong += node != (in[16 * i + m % 16] >> m % 29 & 15);
		total = total * 17 + node;
	}
	out[8 * i] = bits;
	out[8 * i + 1] = wrong;
	out[8 * i + 2] = total;
	for (uint k = 0; k < 4; k++)
		out[8 * i + 3 + k] = stream[k] | (uint)stream[4 + k] << 8 | (uint)stream[8 + k] << 16;
}
