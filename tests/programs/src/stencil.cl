/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Five-point stencil of f32 with a halo in LDS; the edges differ. */
#include "program.h"

PROGRAM(.grid = {60, 40}, .block = {16, 16}, .in = 2400, .out = 2400, .fill = FILL_UNIT)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL float v[18][18];
	int gx = (int)(group_id(0) * 16), gy = (int)(group_id(1) * 16), w = 60, h = 40;
	uint tx = local_id(0), ty = local_id(1), items, t;

	/* a partial group has fewer to load the halo */
	items = (uint)(w - gx < 16 ? w - gx : 16) * (uint)(h - gy < 16 ? h - gy : 16);
	t = ty * (uint)(w - gx < 16 ? w - gx : 16) + tx;
	for (uint k = t; k < 18 * 18; k += items) {
		int x = gx + (int)(k % 18) - 1, y = gy + (int)(k / 18) - 1;

		v[k / 18][k % 18] = x < 0 || y < 0 || x >= w || y >= h ? 0.5f : float_of(in[y * w + x]);
	}
	sync_group();
	out[(gy + (int)ty) * w + gx + (int)tx] =
		bits32(0.5f * v[ty + 1][tx + 1] + 0.125f * (v[ty][tx + 1] + v[ty + 2][tx + 1] +
													v[ty + 1][tx] + v[ty + 1][tx + 2]));
}
