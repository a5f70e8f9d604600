/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conversions between f32, f64, half and integers of 8 to 64 bits. */
#include "program.h"

PROGRAM(.grid = {2048}, .block = {256}, .in = 2048, .out = 2048 * 12, .fill = FILL_FLOAT)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), x = in[i], y = in[(i + 1) % n];
	float f = float_of(x), g;
	ulong u = x | (ulong)y << 32, d;
	union {
		half h;
		ushort u;
	} h;

	out += 12 * i;
	/* only numbers that fit are converted: everything else is undefined in C */
	g = f > -2e9f && f < 2e9f ? f : 5.75f;
	out[0] = (uint)(int)g;
	out[1] = (uint)(g < 0 ? -g : g);
	out[2] = (uint)(long)(g * 1000.0f) ^ (uint)((long)(g * 1e9f) >> 32);
	out[3] = bits32((float)(int)x);
	out[4] = bits32((float)x);
	out[5] = bits32((float)u);
	out[6] = bits32((float)(long)u);
	d = bits64((double)(long)u);
	out[7] = (uint)d ^ (uint)(d >> 32);
	d = bits64((double)u + (double)(int)x);
	out[8] = (uint)d ^ (uint)(d >> 32);
	h.h = (half)f;
	out[9] = f != f ? 0 : h.u;
	out[10] = bits32((float)(char)x + (float)(uchar)(x >> 8) * (float)(short)y);
	d = (ulong)((double)(f > 0 && f < 1e18f ? f : 77.5f) * 1.7);
	out[11] = (uint)d ^ (uint)(d >> 32) ^ (uint)(long)(double)(int)y;
}
