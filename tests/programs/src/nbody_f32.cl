/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gravity of 128 bodies, three steps; positions pass through LDS. */
#include "program.h"

PROGRAM(.grid = {128}, .block = {128}, .in = 512, .out = 384, .fill = FILL_UNIT)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL float4 body[128];
	uint t = local_id(0);
	float4 p, v = {0, 0, 0, 0};

	for (uint k = 0; k < 4; k++)
		p[k] = float_of(in[4 * t + k]);
	for (uint step = 0; step < 3; step++) {
		body[t] = p;
		sync_group();
		for (uint k = 0; k < 128; k++) {
			float4 d = body[k] - p;
			float r2 = d.x * d.x + d.y * d.y + d.z * d.z + 0.01f;
			float s = (body[k].w + 1.5f) / (r2 * root32(r2));

			v.xyz += d.xyz * (s * 0.001f);
		}
		p.xyz += v.xyz;
		sync_group();
	}
	for (uint k = 0; k < 3; k++)
		out[3 * t + k] = bits32(p[k]);
}
