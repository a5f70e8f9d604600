/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Irreducible control flow: jumps into loops, switches that fall through. */
#include "program.h"

PROGRAM(.grid = {320}, .block = {64}, .in = 320, .out = 640)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), x = in[i], steps = 0, trail = 1, k = 0;

	if (x & 1)
		goto second;
first:
	trail = trail * 3 + 1;
	if (++steps > 40)
		goto end;
	if ((x >>= 1) & 1)
		goto third;
second:
	trail = trail * 5 + 2;
	x ^= trail;
	if (++steps > 40)
		goto end;
	for (k = 0; k < (x & 7); k++) {
		trail += k;
		if ((trail & 15) == 9)
			goto first;
third:
		trail ^= x >> 3;
		if ((trail & 31) == 17)
			break;
		if (++steps > 60)
			goto end;
	}
	switch (x & 3) {
	case 2:
		trail++;
	case 0:
		trail += 7;
		x = next_random(x | 1);
		goto first;
	case 3:
		x = x / 3;
		goto second;
	default:
		x += 5;
	}
	if (steps < 30)
		goto first;
end:
	out[2 * i] = trail;
	out[2 * i + 1] = steps;
}
