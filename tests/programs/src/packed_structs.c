/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packed structures: words and doubles at odd addresses, in memory, LDS and scratch. */
#include "program.h"

PROGRAM(.grid = {64}, .block = {64}, .in = 64 * 6, .out = 64 * 6)

struct __attribute__((packed)) record {
	uchar tag;
	uint word;
	ushort small;
	double number;
	ulong wide;
};
LOCAL uchar heap[64 * 23 + 64];

static NOINLINE uint digest(const struct record *r)
{
	ulong bits = bits64(r->number);

	return r->tag + r->word * 3 + r->small * 5 + (uint)bits + (uint)(bits >> 32) +
	       (uint)(r->wide >> 17);
}

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0);
	const struct record *from = (const struct record *)((const char *)in + 24 * i + i % 2);
	struct record own[3], *shared_record = (struct record *)((uchar *)heap + 23 * i);

	own[0] = *from;
	own[1] = (struct record){(uchar)i, in[i], (ushort)in[i + 1], (double)(int)in[i + 2],
	                         in[i + 3]};
	own[2] = own[i & 1];
	own[2].word ^= 0xffu;
	*shared_record = own[2];
	sync_group();
	out[6 * i] = digest(from);
	out[6 * i + 1] = digest(&own[i % 3]);
	out[6 * i + 2] = digest((struct record *)((uchar *)heap + 23 * (63 - i)));
	out[6 * i + 3] = digest(&own[1]);
	((struct record *)((char *)out + 24 * i + 17))->word = own[2].word;
}
