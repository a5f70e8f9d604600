/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connected components by union-find with atomic minima and path halving. */
#include "program.h"

PROGRAM(.grid = {256}, .block = {256}, .in = 512, .out = 256)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL uint parent[256];
	uint t = local_id(0), a, b;

	parent[t] = t;
	sync_group();
	for (uint k = 0; k < 2; k++) {
		if ((in[t + 256 * k] & 3) == 3)
			continue;
		a = t;
		b = in[t + 256 * k] >> 3 & 255;
		for (;;) {
			uint old;

			while (parent[a] != a)
				a = parent[a];
			while (parent[b] != b)
				b = parent[b];
			if (a == b)
				break;
			if (a < b) {
				uint swap = a;

				a = b;
				b = swap;
			}
			old = fetch_min(&parent[a], b);
			if (old == a)
				break;
			a = old;
		}
	}
	sync_group();
	a = t;
	while (parent[a] != a)
		a = parent[a];
	out[t] = a;
}
