/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every atomic of LDS in 32 and 64 bits, old values checked where they are unique. */
#include "program.h"

PROGRAM(.grid = {128}, .block = {64}, .in = 128, .out = 128 + 48)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL uint a[12];
	LOCAL ulong b[8];
	LOCAL uint ticket;
	uint t = local_id(0), x = in[global_id(0)], order;

	if (t < 12)
		a[t] = t == 2 ? ~0u : 0;
	if (t < 8)
		b[t] = t == 2 ? ~0ul : 0;
	if (!t)
		ticket = 0;
	sync_group();
	fetch_add(&a[0], x);
	fetch_sub(&a[1], x);
	fetch_and(&a[2], x | 0xffu << t % 24);
	fetch_or(&a[3], 1u << (x & 31));
	fetch_xor(&a[4], x);
	fetch_max(&a[5], x);
	fetch_max((LOCAL int *)&a[6], (int)x);
	fetch_min((LOCAL int *)&a[7], (int)x);
	fetch_add(&b[0], (ulong)x << 20);
	fetch_sub(&b[1], (ulong)x * x);
	fetch_and(&b[2], ~((ulong)x << 9));
	fetch_or(&b[3], 1ul << (x & 63));
	fetch_xor(&b[4], (ulong)x * 0x100000001ul);
	fetch_max(&b[5], (ulong)x * x);
	fetch_min((LOCAL long *)&b[6], (long)(int)x << 8);
	order = fetch_add(&ticket, 1u);
	fetch_add(&a[8], order);
	exchange(&a[9], 77u);
	sync_group();
	if (t < 12)
		out[128 + group_id(0) * 24 + t] = a[t];
	else if (t < 20)
		out[128 + group_id(0) * 24 + t] = (uint)b[t - 12] ^ (uint)(b[t - 12] >> 32);
	out[global_id(0)] = order < 64;
}
