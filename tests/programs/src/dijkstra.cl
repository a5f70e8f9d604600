/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shortest paths from one node per work item; a graph of 24 nodes in constant form. */
#include "program.h"

PROGRAM(.grid = {24}, .block = {24}, .in = 576, .out = 576, .fill = FILL_SMALL)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), d[24], done = 0;

	for (uint k = 0; k < 24; k++)
		d[k] = k == i ? 0 : ~0u;
	for (;;) {
		uint at = 24;

		for (uint k = 0; k < 24; k++)
			if (!(done >> k & 1) && d[k] != ~0u && (at == 24 || d[k] < d[at]))
				at = k;
		if (at == 24)
			break;
		done |= 1u << at;
		for (uint k = 0; k < 24; k++) {
			uint length = in[24 * at + k];

			if (length % 4 == 0 && d[at] + length < d[k])
				d[k] = d[at] + length;
		}
	}
	for (uint k = 0; k < 24; k++)
		out[24 * i + k] = d[k];
}
