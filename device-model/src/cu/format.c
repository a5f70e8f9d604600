/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Elements of typed buffers: data format (how many components of how many
 * bits) and number format (what the bits mean). Codes as in the V# of gfx9
 * (BUF_DATA_FORMAT_*, BUF_NUM_FORMAT_*).
 *
 * Source: AMD "Vega" ISA, 8.1; Mesa's format tables for the order of packed
 * components (names list the highest bits first, X is the lowest). How a store
 * rounds is a guess: to nearest even, NaN to 0 of integers.
 */
#include <math.h>

#include <gv/base.h>

#include "cores_math.h"
#include "memop.h"

static const struct data_format {
	uint8_t bytes, bits[4];
} formats[16] = {
        {0, {0}},              /* invalid */
        {1, {8}},              /* 8 */
        {2, {16}},             /* 16 */
        {2, {8, 8}},           /* 8_8 */
        {4, {32}},             /* 32 */
        {4, {16, 16}},         /* 16_16 */
        {4, {11, 11, 10}},     /* 10_11_11 */
        {4, {10, 11, 11}},     /* 11_11_10 */
        {4, {2, 10, 10, 10}},  /* 10_10_10_2 */
        {4, {10, 10, 10, 2}},  /* 2_10_10_10 */
        {4, {8, 8, 8, 8}},     /* 8_8_8_8 */
        {8, {32, 32}},         /* 32_32 */
        {8, {16, 16, 16, 16}}, /* 16_16_16_16 */
        {12, {32, 32, 32}},    /* 32_32_32 */
        {16, {32, 32, 32, 32}} /* 32_32_32_32 */,
        {0, {0}}, /* reserved */
};

enum number_format { UNORM, SNORM, USCALED, SSCALED, UINT, SINT, RESERVED, FLOAT };

uint32_t cu_format_bytes(unsigned dfmt)
{
	return formats[dfmt & 15].bytes;
}

static bool is_integer(unsigned nfmt)
{
	return nfmt == UINT || nfmt == SINT;
}

static uint32_t from_float(float f, bool d16)
{
	return d16 ? cu_f2h(f) : cu_u(f);
}

uint32_t cu_format_one(unsigned nfmt, bool d16)
{
	return is_integer(nfmt) ? 1 : from_float(1.0f, d16);
}

static uint32_t max_of(unsigned bits)
{
	return (uint32_t)((1ull << bits) - 1);
}

static int32_t sign_extend(uint32_t v, unsigned bits)
{
	return (int32_t)(v << (32 - bits)) >> (32 - bits);
}

/* ---- floats of 10 and 11 bits: no sign, 5 bits of exponent as f16, the top of its mantissa */
static uint32_t small_to_half(uint32_t v, unsigned bits)
{
	return v << (15 - bits);
}

static uint32_t float_to_small(float f, unsigned bits)
{
	unsigned mant = bits - 5;
	uint32_t inf = 31u << mant, v;
	int e;

	if (f != f)
		return max_of(bits);
	if (!(f > 0))
		return 0;
	if (f < 0x1p-14f) /* subnormal: the code counts the smallest step */
		return (uint32_t)rint(ldexp(f, 14 + (int)mant));
	if (f >= 0x1p16f)
		return inf;
	e = ilogb(f); /* a mantissa that rounds up to 2 carries into the exponent */
	v = (uint32_t)(e + 15) << mant;
	v += (uint32_t)rint(ldexp(f, (int)mant - e)) - (1u << mant);
	return GV_MIN(v, inf);
}

static uint32_t unpack_float(uint32_t v, unsigned bits, bool d16)
{
	switch (bits) {
	case 32:
		return d16 ? cu_f2h(cu_f(v)) : v;
	case 16:
		return d16 ? v : cu_u(cu_h2f(v));
	case 10:
	case 11:
		v = small_to_half(v, bits);
		return d16 ? v : cu_u(cu_h2f(v));
	default:
		return 0;
	}
}

static uint32_t pack_float(uint32_t v, unsigned bits, bool d16)
{
	float f = d16 ? cu_h2f(v & 0xffff) : cu_f(v);

	switch (bits) {
	case 32:
		return d16 ? cu_u(f) : v;
	case 16:
		return d16 ? v : cu_f2h(f);
	case 10:
	case 11:
		return float_to_small(f, bits);
	default:
		return 0;
	}
}

/* ---- one component */
static uint32_t unpack(uint32_t v, unsigned bits, unsigned nfmt, bool d16)
{
	int32_t s = sign_extend(v, bits);

	switch (nfmt) {
	case UNORM:
		return from_float((float)((double)v / max_of(bits)), d16);
	case SNORM:
		return from_float((float)fmax(-1.0, (double)s / max_of(bits - 1)), d16);
	case USCALED:
		return from_float((float)v, d16);
	case SSCALED:
		return from_float((float)s, d16);
	case UINT:
		return v;
	case SINT:
		return (uint32_t)s;
	case FLOAT:
		return unpack_float(v, bits, d16);
	default:
		return 0;
	}
}

/* @f times @scale, rounded, between the limits; NaN is 0. */
static uint32_t to_integer(double f, double scale, double lo, double hi)
{
	double v = rint(f * scale);

	return v != v ? 0 : (uint32_t)(int64_t)(v < lo ? lo : v > hi ? hi : v);
}

static uint32_t pack(uint32_t v, unsigned bits, unsigned nfmt, bool d16)
{
	double f = d16 ? (double)cu_h2f(v & 0xffff) : (double)cu_f(v);
	double umax = max_of(bits), smax = max_of(bits - 1);
	int32_t s = d16 ? (int16_t)v : (int32_t)v;

	switch (nfmt) {
	case UNORM:
		return to_integer(f, umax, 0, umax);
	case SNORM:
		return to_integer(f, smax, -smax, smax);
	case USCALED:
		return to_integer(f, 1, 0, umax);
	case SSCALED:
		return to_integer(f, 1, -smax - 1, smax);
	case UINT:
		return GV_MIN(d16 ? v & 0xffff : v, max_of(bits));
	case SINT:
		return to_integer(s, 1, -smax - 1, smax);
	case FLOAT:
		return pack_float(v, bits, d16);
	default:
		return 0;
	}
}

/* ---- elements; no component straddles a dword */
void cu_format_unpack(unsigned dfmt, unsigned nfmt, bool d16, const void *from, uint32_t to[4])
{
	const struct data_format *d = &formats[dfmt & 15];
	uint32_t word[4] = {0};
	unsigned at = 0;

	memcpy(word, from, d->bytes);
	for (unsigned c = 0; c < 4; c++) {
		unsigned bits = d->bits[c];

		to[c] = c == 3 ? cu_format_one(nfmt, d16) : 0;
		if (bits)
			to[c] = unpack(word[at / 32] >> (at % 32) & max_of(bits), bits, nfmt, d16);
		at += bits;
	}
}

void cu_format_pack(unsigned dfmt, unsigned nfmt, bool d16, const uint32_t from[4], void *to)
{
	const struct data_format *d = &formats[dfmt & 15];
	uint32_t word[4] = {0};
	unsigned at = 0;

	for (unsigned c = 0; c < 4 && d->bits[c]; c++) {
		unsigned bits = d->bits[c];

		word[at / 32] |= (pack(from[c], bits, nfmt, d16) & max_of(bits)) << (at % 32);
		at += bits;
	}
	memcpy(to, word, d->bytes);
}
