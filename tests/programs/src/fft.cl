/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Radix-2 FFT of 256 complex floats in LDS; twiddles by recurrence. */
#include "program.h"

PROGRAM(.grid = {256}, .block = {128}, .in = 1024, .out = 1024, .fill = FILL_UNIT)

/* cos and sin of a power of two's part of the circle: half-angle formulas */
static float2 rotation(uint parts)
{
	float2 w = {-1.0f, 0.0f};

	for (uint k = 2; k < parts; k *= 2) {
		float c = root32((1.0f + w.x) * 0.5f);

		w = k == 2 ? (float2){0.0f, -1.0f} : (float2){c, w.y / (2.0f * c)};
	}
	return w;
}

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL float2 v[256];
	uint t = local_id(0), base = group_id(0) * 512;

	for (uint k = t; k < 256; k += 128)
		v[__builtin_bitreverse32(k) >> 24] =
			(float2){float_of(in[base + 2 * k]), float_of(in[base + 2 * k + 1])};
	for (uint size = 2; size <= 256; size *= 2) {
		uint at = t / (size / 2) * size + t % (size / 2);
		float2 w = {1.0f, 0.0f}, step = rotation(size), a, b;

		for (uint k = 0; k < t % (size / 2); k++)
			w = (float2){w.x * step.x - w.y * step.y, w.x * step.y + w.y * step.x};
		sync_group();
		a = v[at];
		b = v[at + size / 2];
		b = (float2){b.x * w.x - b.y * w.y, b.x * w.y + b.y * w.x};
		v[at] = a + b;
		v[at + size / 2] = a - b;
	}
	sync_group();
	for (uint k = t; k < 256; k += 128) {
		out[base + 2 * k] = bits32(v[k].x);
		out[base + 2 * k + 1] = bits32(v[k].y);
	}
}
