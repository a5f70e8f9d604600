/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sieve of Eratosthenes: bytes of LDS, strided stores of the whole group. */
#include "program.h"

PROGRAM(.grid = {256}, .block = {256}, .in = 1, .out = 1024)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL uchar composite[16384];
	LOCAL uint found;
	uint t = local_id(0);

	for (uint k = t; k < 16384; k += 256)
		composite[k] = k < 2;
	if (t == 0)
		found = 0;
	sync_group();
	for (uint p = 2; p < 128; p++) {
		if (!composite[p])
			for (uint k = p * p + t * p; k < 16384; k += 256 * p)
				composite[k] = 1;
		sync_group();
	}
	for (uint k = t * 64, word = 0; k < t * 64 + 64; k++) {
		word |= (uint)!composite[k] << (k & 31);
		if ((k & 31) == 31) {
			out[k / 32] = word;
			fetch_add(&found, (uint)__builtin_popcount(word));
			word = 0;
		}
	}
	sync_group();
	if (t == 0)
		out[1000] = found;
}
