/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arithmetic that ends in denormals of f32, f64 and half. */
#include "program.h"

PROGRAM(.grid = {512}, .block = {64}, .in = 1024, .out = 512 * 6)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0);
	float a = float_of(in[i] & 0x81ffffff), b = float_of(in[i + 512] & 0x80ffffff);
	double c = double_of((ulong)in[i] << 20 | in[i + 512]), d = double_of(0x0008000000000000ul + in[i]);
	float tiny = float_of(0x1f000000u + (in[i] & 0xffffff));
	union {
		half h;
		ushort u;
	} h;
	ulong r;

	out += 6 * i;
	out[0] = bits32(a + b);
	out[1] = bits32(a * 0.5f - b * 0.25f);
	out[2] = bits32(tiny * tiny);
	r = bits64(c * 0.75 + d);
	out[3] = (uint)r;
	out[4] = (uint)(r >> 32);
	h.h = (half)(float)((in[i] & 0x3ff) * 0.0000000596f);
	h.h = h.h + (half)0.00001f;
	out[5] = h.u;
}
