/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* AES-128: the S-box is computed into LDS bytes, keys expand in scratch. */
#include "program.h"

PROGRAM(.grid = {192}, .block = {64}, .in = 192 * 4, .out = 192 * 4)

static uint gf_multiply(uint a, uint b)
{
	uint p = 0;

	for (uint k = 0; k < 8; k++) {
		p ^= a & -(b & 1);
		a = a << 1 ^ (a & 0x80 ? 0x11b : 0);
		b >>= 1;
	}
	return p & 255;
}

static uint sbox_of(uint x)
{
	uint y = 1;

	for (uint k = 0; k < 254; k++) /* x^254 is the inverse */
		y = gf_multiply(y, x);
	return (y ^ (y << 1 | y >> 7) ^ (y << 2 | y >> 6) ^ (y << 3 | y >> 5) ^ (y << 4 | y >> 4) ^
			0x63) & 255;
}

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL uchar sbox[256];
	uint i = global_id(0);
	uchar key[16], s[16], rcon = 1;

	for (uint k = local_id(0); k < 256; k += group_size(0))
		sbox[k] = (uchar)sbox_of(k);
	sync_group();
	for (uint k = 0; k < 16; k++) {
		key[k] = (uchar)(k * 17 + i);
		s[k] = (uchar)(in[i * 4 + k / 4] >> k % 4 * 8) ^ key[k];
	}
	for (uint round = 1; round <= 10; round++) {
		uchar t[16];

		for (uint k = 0; k < 16; k++)
			t[k] = sbox[s[(k + k % 4 * 4) % 16]];
		for (uint k = 0; k < 16; k++) {
			uint c = k & ~3u;

			s[k] = round == 10 ? t[k]
							   : (uchar)(gf_multiply(t[k], 2) ^ gf_multiply(t[c + (k + 1) % 4], 3) ^
										 t[c + (k + 2) % 4] ^ t[c + (k + 3) % 4]);
		}
		for (uint k = 0; k < 4; k++)
			key[k] ^= sbox[key[12 + (k + 1) % 4]];
		key[0] ^= rcon;
		rcon = (uchar)gf_multiply(rcon, 2);
		for (uint k = 4; k < 16; k++)
			key[k] ^= key[k - 4];
		for (uint k = 0; k < 16; k++)
			s[k] ^= key[k];
	}
	for (uint k = 0; k < 4; k++)
		out[i * 4 + k] = s[4 * k] | s[4 * k + 1] << 8 | s[4 * k + 2] << 16 | (uint)s[4 * k + 3] << 24;
}
