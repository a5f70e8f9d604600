/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>

#include "oracle_bench.h"
#include "oracle_values.h"

#define COUNT(a) ((unsigned)(sizeof(a) / sizeof((a)[0])))

/* Halves that round up and down, numbers next to powers of two, to the limits of integers and of
 * exponentials, denormals, the smallest normal number, the largest, quiet and signalling NaNs. */
static const uint64_t f32s[] = {
        0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x807fffff, 0x00400000,
        0x00800000, 0x80800000, 0x00800001, 0x3f800000, 0xbf800000, 0x3f7fffff, 0x3f800001,
        0x3f000000, 0xbf000000, 0x3effffff, 0x3fc00000, 0xbfc00000, 0x40200000, 0x40000000,
        0xc0400000, 0x40490fdb, 0x3e22f983, 0x33000000, 0x4b000000, 0x4b7fffff, 0xcb800001,
        0x4f000000, 0xcf000000, 0x4effffff, 0x4f800000, 0x4f7fffff, 0x5f000000, 0x477fe000,
        0x477ff000, 0x38800000, 0x387fc000, 0x33000001, 0x7f7fffff, 0xff7fffff, 0x7f000000,
        0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001, 0x7f800001, 0xffbfffff, 0x42fe0000,
        0xc3160000, 0x1f800000, 0x20000000, 0x5f800000, 0x3f803333};
static const uint64_t f64s[] = {
        0x0000000000000000, 0x8000000000000000, 0x0000000000000001, 0x8000000000000001,
        0x000fffffffffffff, 0x800fffffffffffff, 0x0008000000000000, 0x0010000000000000,
        0x8010000000000001, 0x3ff0000000000000, 0xbff0000000000000, 0x3fefffffffffffff,
        0x3ff0000000000001, 0x3fe0000000000000, 0xbfe0000000000000, 0x3ff8000000000000,
        0xbff8000000000000, 0x4004000000000000, 0x4000000000000000, 0xc008000000000000,
        0x400921fb54442d18, 0x3ca0000000000000, 0x4330000000000000, 0x433fffffffffffff,
        0xc340000000000001, 0x41dfffffffc00000, 0x41e0000000000000, 0xc1e0000000000000,
        0x41efffffffe00000, 0x41f0000000000000, 0xc1e0000000200000, 0x43e0000000000000,
        0x7fefffffffffffff, 0xffefffffffffffff, 0x7fe0000000000000, 0x7ff0000000000000,
        0xfff0000000000000, 0x7ff8000000000000, 0xfff8000000000001, 0x7ff0000000000001,
        0xfff7ffffffffffff, 0x47efffffe0000000, 0x47effffff0000000, 0x380fffffe0000000,
        0x36a0000000000000, 0x3690000000000000, 0x20b0000000000000, 0x5fe0000000000000};
static const uint64_t f16s[] = {0x0000, 0x8000, 0x0001, 0x8001, 0x03ff, 0x83ff, 0x0200, 0x0400,
                                0x8400, 0x0401, 0x3c00, 0xbc00, 0x3bff, 0x3c01, 0x3800, 0xb800,
                                0x37ff, 0x3e00, 0xbe00, 0x4100, 0x4000, 0xc200, 0x4248, 0x3118,
                                0x1000, 0x6400, 0x67ff, 0xe801, 0x77ff, 0x7800, 0xf800, 0x7bff,
                                0xfbff, 0x7c00, 0xfc00, 0x7e00, 0xfe01, 0x7c01, 0xfdff, 0x5bf8};
static const uint64_t b32s[] = {
        0,          1,          2,          3,          4,          5,          7,
        8,          15,         16,         23,         24,         31,         32,
        33,         63,         64,         0x7f,       0x80,       0xff,       0x100,
        0x7fff,     0x8000,     0xffff,     0x10000,    0x7fffff,   0x800000,   0xffffff,
        0x1000000,  0x1000001,  0x7ffffffe, 0x7fffffff, 0x80000000, 0x80000001, 0xff800000,
        0xff7fffff, 0xffff0000, 0xffff7fff, 0xffff8000, 0xfffffffe, 0xffffffff, 0x55555555,
        0xaaaaaaaa, 0x0c0b0a09, 0x03020100, 0x01234567, 0x7fff8000, 0x00ff00ff};
static const uint64_t b64s[] = {0,
                                1,
                                2,
                                31,
                                32,
                                63,
                                0x7fffffff,
                                0x80000000,
                                0xffffffff,
                                0x100000000,
                                0x7fffffffffffffff,
                                0x8000000000000000,
                                0x8000000000000001,
                                0xffffffff00000000,
                                0xffffffff80000000,
                                0xfffffffffffffffe,
                                0xffffffffffffffff,
                                0x5555555555555555,
                                0xaaaaaaaaaaaaaaaa,
                                0x0123456789abcdef,
                                0x00ff00ff00ff00ff};
static const uint64_t b16s[] = {0,      1,      2,      3,      7,      8,      15,
                                16,     17,     31,     32,     0x7f,   0x80,   0xff,
                                0x100,  0x7ffe, 0x7fff, 0x8000, 0x8001, 0xff7f, 0xff80,
                                0xfffe, 0xffff, 0x5555, 0xaaaa, 0x00b5, 0x0100, 0x1234};

static const struct {
	const uint64_t *edges;
	unsigned count, bits, exponent_at;
} types[] = {
        [GV9_NONE] = {b32s, 1, 32, 0},
        [GV9_B32] = {b32s, COUNT(b32s), 32, 0},
        [GV9_F32] = {f32s, COUNT(f32s), 32, 23},
        [GV9_B64] = {b64s, COUNT(b64s), 64, 0},
        [GV9_F64] = {f64s, COUNT(f64s), 64, 52},
        [GV9_B16] = {b16s, COUNT(b16s), 16, 0},
        [GV9_F16] = {f16s, COUNT(f16s), 16, 10},
        [GV9_PK16] = {b16s, COUNT(b16s), 32, 0},
        [GV9_PKF16] = {f16s, COUNT(f16s), 32, 10},
};

unsigned value_bits(enum gv_gfx9_type t)
{
	return types[t].bits;
}

unsigned value_edges(enum gv_gfx9_type t)
{
	return types[t].count;
}

/* Of a packed type the other half is another edge; the unused half of a register is random. */
uint64_t value_edge(enum gv_gfx9_type t, unsigned k)
{
	uint64_t v = types[t].edges[k];

	if (t == GV9_PK16 || t == GV9_PKF16)
		v |= types[t].edges[bench_random() % types[t].count] << 16;
	if (types[t].bits == 16)
		v |= bench_random() << 16 & 0xffff0000;
	return v;
}

uint64_t value_any(enum gv_gfx9_type t)
{
	uint64_t v = bench_random(), near = 1;

	if (v & 1)
		return value_edge(t, (unsigned)(v >> 8) % types[t].count);
	v = bench_random();
	if (types[t].exponent_at && v & 1) { /* exponents around that of 1 */
		near = types[t].bits == 64 ? 0x3f : types[t].exponent_at == 23 ? 7 : 3;
		near <<= types[t].exponent_at + (types[t].bits == 64          ? 4
		                                 : types[t].exponent_at == 23 ? 4
		                                                              : 2);
		v = (v & ~(near << 1)) | near;
	}
	return types[t].bits == 64 ? v : (uint32_t)v;
}

static uint64_t float_constant(enum gv_gfx9_type t, uint32_t code)
{
	static const uint64_t values[][3] = {
	        {0x3800, 0x3f000000, 0x3fe0000000000000}, {0xb800, 0xbf000000, 0xbfe0000000000000},
	        {0x3c00, 0x3f800000, 0x3ff0000000000000}, {0xbc00, 0xbf800000, 0xbff0000000000000},
	        {0x4000, 0x40000000, 0x4000000000000000}, {0xc000, 0xc0000000, 0xc000000000000000},
	        {0x4400, 0x40800000, 0x4010000000000000}, {0xc400, 0xc0800000, 0xc010000000000000},
	        {0x3118, 0x3e22f983, 0x3fc45f306dc9c882},
	};
	bool half = types[t].bits == 16 || t == GV9_PK16 || t == GV9_PKF16;

	return values[code - 240][half ? 0 : types[t].bits == 64 ? 2 : 1];
}

uint64_t value_constant(enum gv_gfx9_type t, uint32_t code)
{
	int64_t v = code <= 192 ? (int64_t)code - 128 : 192 - (int64_t)code;

	if (code >= 240)
		return float_constant(t, code);
	return types[t].bits == 64 ? (uint64_t)v : (uint32_t)v;
}
