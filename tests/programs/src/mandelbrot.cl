/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mandelbrot set, f32 and f64: lanes leave at different times. */
#include "program.h"

PROGRAM(.grid = {64, 48}, .block = {16, 16}, .out = 64 * 48)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint px = global_id(0), py = global_id(1), k = 0, m = 0;
	float cx = (float)px * (3.0f / 64) - 2.2f, cy = (float)py * (2.4f / 48) - 1.2f, x = 0, y = 0;
	double dx = 0, dy = 0, t;

	for (; k < 200 && x * x + y * y < 4.0f; k++) {
		float next = x * x - y * y + cx;

		y = 2 * x * y + cy;
		x = next;
	}
	for (; m < 50 && dx * dx + dy * dy < 4.0; m++) {
		t = dx * dx - dy * dy + px * (3.0 / 64) - 2.2;
		dy = 2 * dx * dy + py * (2.4 / 48) - 1.2;
		dx = t;
	}
	out[py * 64 + px] = k | m << 16;
}
