/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Levenshtein distance of two texts, by anti-diagonals of a work-group. */
#include "program.h"

PROGRAM(.grid = {256}, .block = {64}, .in = 512, .out = 4, .fill = FILL_TEXT)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL int d[3][65];
	GLOBAL const uchar *a = (GLOBAL const uchar *)in + 128 * group_id(0), *b = a + 200;
	int t = (int)local_id(0);

	for (int sum = 0; sum <= 128; sum++) {
		LOCAL int *now = d[sum % 3], *last = d[(sum + 2) % 3], *older = d[(sum + 1) % 3];

		for (int x = t; x <= 64; x += 64) {
			int y = sum - x, best;

			if (y < 0 || y > 64)
				continue;
			if (!x || !y) {
				now[x] = x + y;
				continue;
			}
			best = older[x - 1] + (a[x - 1] != b[y - 1]);
			best = last[x - 1] + 1 < best ? last[x - 1] + 1 : best;
			now[x] = last[x] + 1 < best ? last[x] + 1 : best;
		}
		sync_group();
	}
	if (!t)
		out[group_id(0)] = (uint)d[128 % 3][64];
}
