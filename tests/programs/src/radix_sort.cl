/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Radix sort, 4 bits a pass: counts in LDS, scans, scatter; stable. */
#include "program.h"

PROGRAM(.grid = {512}, .block = {256}, .in = 512, .out = 512)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL uint keys[256], counts[256 * 16], sums[256];
	uint t = local_id(0), key = in[global_id(0)];

	for (uint shift = 0; shift < 32; shift += 4) {
		uint digit = key >> shift & 15, sum = 0, at;

		for (uint d = 0; d < 16; d++)
			counts[d * 256 + t] = d == digit;
		sync_group();
		for (uint k = 0; k < 16; k++) { /* each item sums 16 in a row */
			uint c = counts[t * 16 + k];

			counts[t * 16 + k] = sum;
			sum += c;
		}
		sums[t] = sum;
		for (uint by = 1; by < 256; by *= 2) {
			uint add;

			sync_group();
			add = t >= by ? sums[t - by] : 0;
			sync_group();
			sums[t] += add;
		}
		sync_group();
		at = digit * 256 + t;
		keys[counts[at] + (at >= 16 ? sums[at / 16 - 1] : 0)] = key;
		sync_group();
		key = keys[t];
		sync_group();
	}
	out[global_id(0)] = key;
}
