/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SipHash-2-4: 64-bit additions and rotations. */
#include "program.h"

PROGRAM(.grid = {500}, .block = {100}, .in = 500 * 8, .out = 1000)

#define ROUND                                                                                      \
	do {                                                                                           \
		v0 += v1;                                                                                  \
		v1 = rotl64(v1, 13) ^ v0;                                                                  \
		v0 = rotl64(v0, 32);                                                                       \
		v2 += v3;                                                                                  \
		v3 = rotl64(v3, 16) ^ v2;                                                                  \
		v0 += v3;                                                                                  \
		v3 = rotl64(v3, 21) ^ v0;                                                                  \
		v2 += v1;                                                                                  \
		v1 = rotl64(v1, 17) ^ v2;                                                                  \
		v2 = rotl64(v2, 32);                                                                       \
	} while (0)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0);
	ulong k0 = 0x0706050403020100ul, k1 = 0x0f0e0d0c0b0a0908ul ^ i;
	ulong v0 = k0 ^ 0x736f6d6570736575ul, v1 = k1 ^ 0x646f72616e646f6dul;
	ulong v2 = k0 ^ 0x6c7967656e657261ul, v3 = k1 ^ 0x7465646279746573ul;

	for (uint w = 0; w < 4; w++) {
		ulong m = in[i * 8 + 2 * w] | (ulong)in[i * 8 + 2 * w + 1] << 32;

		v3 ^= m;
		ROUND;
		ROUND;
		v0 ^= m;
	}
	v2 ^= 0xff;
	for (uint r = 0; r < 4; r++)
		ROUND;
	v0 ^= v1 ^ v2 ^ v3;
	out[2 * i] = (uint)v0;
	out[2 * i + 1] = (uint)(v0 >> 32);
}
