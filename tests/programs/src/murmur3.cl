/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MurmurHash3 of messages of every length, with tails. */
#include "program.h"

PROGRAM(.grid = {257}, .block = {64}, .in = 512, .out = 257)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	GLOBAL const uchar *bytes = (GLOBAL const uchar *)in;
	uint i = global_id(0), h = 42, k;

	if (i >= n)
		return;
	for (uint at = 0; at + 4 <= i; at += 4) {
		k = in[at / 4] * 0xcc9e2d51;
		h ^= rotl32(k, 15) * 0x1b873593;
		h = rotl32(h, 13) * 5 + 0xe6546b64;
	}
	k = 0;
	switch (i & 3) {
	case 3:
		k ^= bytes[(i & ~3u) + 2] << 16;
	case 2:
		k ^= bytes[(i & ~3u) + 1] << 8;
	case 1:
		k ^= bytes[i & ~3u];
		h ^= rotl32(k * 0xcc9e2d51, 15) * 0x1b873593;
	}
	h ^= i;
	h = (h ^ h >> 16) * 0x85ebca6b;
	h = (h ^ h >> 13) * 0xc2b2ae35;
	out[i] = h ^ h >> 16;
}
