/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sum, minimum, maximum and exclusive or of a group, then global atomics. */
#include "program.h"

PROGRAM(.grid = {5000}, .block = {256}, .in = 5000, .out = 8)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL uint4 v[256];
	uint i = global_id(0), t = local_id(0), x = i < n ? in[i] : 0;

	/* out[] starts as zero: the minimum is kept as the maximum of the complement */
	v[t] = (uint4){x, i < n ? ~x : 0, x, x};
	for (uint half_group = 128; half_group; half_group /= 2) {
		sync_group();
		if (t < half_group && i + half_group < n) {
			uint4 a = v[t], b = v[t + half_group];

			v[t] = (uint4){a.x + b.x, a.y > b.y ? a.y : b.y, a.z > b.z ? a.z : b.z, a.w ^ b.w};
		}
	}
	if (t)
		return;
	fetch_add(&out[0], v[0].x);
	fetch_max(&out[1], v[0].y);
	fetch_max(&out[2], v[0].z);
	fetch_xor(&out[3], v[0].w);
	fetch_max((GLOBAL int *)&out[4], (int)v[0].z);
	fetch_add((GLOBAL ulong *)out + 3, (ulong)v[0].x << 16);
}
