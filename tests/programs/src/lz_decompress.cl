/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LZ77: each work item makes a compressed stream and expands it; overlapping copies. */
#include "program.h"

PROGRAM(.grid = {64}, .block = {64}, .in = 64 * 16, .out = 64 * 32)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), at = 0, r = in[16 * i] | 1;
	GLOBAL uchar *to = (GLOBAL uchar *)(out + 32 * i);

	for (uint k = 0; at < 128; k++) {
		uint token = in[16 * i + k % 16], length = 1 + (token & 15), back = 1 + (token >> 4 & 31);

		r = next_random(r);
		if (token >> 9 & 1 || back > at) {
			for (uint m = 0; m < length && at < 128; m++)
				to[at++] = (uchar)(token >> (m & 3) * 8);
		} else {
			for (uint m = 0; m < length && at < 128; m++, at++)
				to[at] = to[at - back];
		}
	}
}
