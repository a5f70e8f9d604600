/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include "oracle_float.h"

#define TOP 125 /* where sums keep the top bit: room for a carry, and 19 bits below a product */

const struct orc_format orc_f16 = {16, 10, 5};
const struct orc_format orc_f32 = {32, 23, 8};
const struct orc_format orc_f64 = {64, 52, 11};

static int bias(const struct orc_format *f)
{
	return (1 << (f->exponent - 1)) - 1;
}

uint64_t orc_sign_bit(const struct orc_format *f)
{
	return 1ull << (f->bits - 1);
}

uint64_t orc_inf_bits(const struct orc_format *f)
{
	return ((1ull << f->exponent) - 1) << f->fraction;
}

uint64_t orc_one_bits(const struct orc_format *f)
{
	return (uint64_t)bias(f) << f->fraction;
}

static uint64_t quiet_bit(const struct orc_format *f)
{
	return 1ull << (f->fraction - 1);
}

static uint64_t magnitude(const struct orc_format *f, uint64_t bits)
{
	return bits & (orc_sign_bit(f) - 1);
}

bool orc_is_nan(const struct orc_format *f, uint64_t bits)
{
	return magnitude(f, bits) > orc_inf_bits(f);
}

bool orc_is_snan(const struct orc_format *f, uint64_t bits)
{
	return orc_is_nan(f, bits) && !(bits & quiet_bit(f));
}

bool orc_is_denormal(const struct orc_format *f, uint64_t bits)
{
	uint64_t m = magnitude(f, bits);

	return m && m < 1ull << f->fraction;
}

uint64_t orc_quiet(const struct orc_format *f, uint64_t bits)
{
	return bits | quiet_bit(f);
}

static int top_bit(orc_u128 m)
{
	uint64_t high = (uint64_t)(m >> 64);

	return high ? 127 - __builtin_clzll(high) : 63 - __builtin_clzll((uint64_t)m);
}

int orc_ilog2(struct orc_num v)
{
	return v.exp + top_bit(v.man);
}

struct orc_num orc_unpack(const struct orc_format *f, uint64_t bits, bool flush)
{
	struct orc_num v = {.neg = (bits & orc_sign_bit(f)) != 0};
	uint64_t m = magnitude(f, bits), e = m >> f->fraction;
	uint64_t fraction = m & ((1ull << f->fraction) - 1);

	if (m > orc_inf_bits(f))
		v.kind = ORC_NAN;
	else if (m == orc_inf_bits(f))
		v.kind = ORC_INF;
	else if (!m || (!e && flush))
		v.kind = ORC_ZERO;
	else
		v.kind = ORC_FINITE;
	v.man = e ? fraction | 1ull << f->fraction : fraction;
	v.exp = (int)(e ? e : 1) - bias(f) - (int)f->fraction;
	return v;
}

/* Shift right by @n; what falls out is or-ed into the lowest bit. */
static orc_u128 jam(orc_u128 m, int n)
{
	if (n <= 0)
		return m;
	if (n >= 128)
		return m != 0;
	return m >> n | ((m & (((orc_u128)1 << n) - 1)) != 0);
}

static struct orc_num normal(struct orc_num v)
{
	int up = TOP - top_bit(v.man);

	v.man = up >= 0 ? v.man << up : jam(v.man, -up);
	v.exp -= up;
	return v;
}

/* Is the integer @m, whose lowest @n bits are dropped, rounded away from 0? */
static bool rounds_up(orc_u128 m, int n, bool neg, enum orc_rounding r)
{
	orc_u128 rest = m & (((orc_u128)1 << n) - 1), half = (orc_u128)1 << (n - 1);
	bool odd = (m >> n & 1) != 0;

	if (!rest)
		return false;
	switch (r) {
	case ORC_NEAREST:
		return rest > half || (rest == half && odd);
	case ORC_UP:
		return !neg;
	case ORC_DOWN:
		return neg;
	case ORC_TO_ZERO:
		break;
	}
	return false;
}

/* v as an integer times 2^lsb. */
static orc_u128 at_exponent(struct orc_num v, int lsb, enum orc_rounding r)
{
	int n = lsb - v.exp;

	if (n <= 0)
		return v.man << -n;
	if (n > 126) {
		v.man = 1; /* far below half of the last place */
		n = 2;
	}
	return (v.man >> n) + rounds_up(v.man, n, v.neg, r);
}

static uint64_t overflowed(const struct orc_format *f, bool neg, struct orc_pack how)
{
	bool to_inf = how.rounding == ORC_NEAREST || how.rounding == (neg ? ORC_DOWN : ORC_UP);

	return orc_inf_bits(f) - (to_inf && !how.saturates ? 0 : 1);
}

static uint64_t round_finite(const struct orc_format *f, struct orc_num v, struct orc_pack how)
{
	int emin = 1 - bias(f), e = orc_ilog2(v), lsb = (e < emin ? emin : e) - (int)f->fraction;
	orc_u128 m = 0;

	if (e > bias(f))
		return overflowed(f, v.neg, how);
	m = at_exponent(v, lsb, how.rounding);
	if (m >> f->fraction > 1) { /* rounded up to a power of two */
		m >>= 1;
		lsb++;
	}
	if (m >> f->fraction == 0)
		return how.flush ? 0 : (uint64_t)m;
	if (lsb + (int)f->fraction > bias(f))
		return overflowed(f, v.neg, how);
	return (uint64_t)(m + ((orc_u128)(lsb + (int)f->fraction + bias(f) - 1) << f->fraction));
}

uint64_t orc_round(const struct orc_format *f, struct orc_num v, struct orc_pack how)
{
	uint64_t sign = v.neg ? orc_sign_bit(f) : 0;

	switch (v.kind) {
	case ORC_NAN:
		return orc_inf_bits(f) | quiet_bit(f);
	case ORC_INF:
		return sign | orc_inf_bits(f);
	case ORC_ZERO:
		return sign;
	case ORC_FINITE:
		break;
	}
	return sign | round_finite(f, v, how);
}

struct orc_num orc_negate(struct orc_num v)
{
	v.neg = !v.neg;
	return v;
}

static struct orc_num not_a_number(void)
{
	return (struct orc_num){.kind = ORC_NAN};
}

static struct orc_num add_finite(struct orc_num a, struct orc_num b, enum orc_rounding r)
{
	struct orc_num big = normal(a), small = normal(b);
	struct orc_num swap = big;

	if (big.exp < small.exp) {
		big = small;
		small = swap;
	}
	small.man = jam(small.man, big.exp - small.exp);
	if (big.neg == small.neg) {
		big.man += small.man;
	} else if (big.man >= small.man) {
		big.man -= small.man;
	} else {
		big.man = small.man - big.man;
		big.neg = small.neg;
	}
	if (!big.man) {
		big.kind = ORC_ZERO;
		big.neg = r == ORC_DOWN;
	}
	return big;
}

struct orc_num orc_add(struct orc_num a, struct orc_num b, enum orc_rounding r)
{
	if (a.kind == ORC_NAN || b.kind == ORC_NAN)
		return not_a_number();
	if (a.kind == ORC_INF && b.kind == ORC_INF && a.neg != b.neg)
		return not_a_number();
	if (a.kind == ORC_INF || b.kind == ORC_INF)
		return a.kind == ORC_INF ? a : b;
	if (a.kind == ORC_ZERO && b.kind == ORC_ZERO) {
		a.neg = a.neg == b.neg ? a.neg : r == ORC_DOWN;
		return a;
	}
	if (a.kind == ORC_ZERO || b.kind == ORC_ZERO)
		return a.kind == ORC_ZERO ? b : a;
	return add_finite(a, b, r);
}

struct orc_num orc_mul(struct orc_num a, struct orc_num b)
{
	struct orc_num v = {.kind = ORC_FINITE, .neg = a.neg != b.neg};
	bool zero = a.kind == ORC_ZERO || b.kind == ORC_ZERO;
	bool inf = a.kind == ORC_INF || b.kind == ORC_INF;

	if (a.kind == ORC_NAN || b.kind == ORC_NAN || (zero && inf))
		return not_a_number();
	if (zero || inf) {
		v.kind = zero ? ORC_ZERO : ORC_INF;
		return v;
	}
	v.man = a.man * b.man;
	v.exp = a.exp + b.exp;
	return v;
}

struct orc_num orc_fma(struct orc_num a, struct orc_num b, struct orc_num c, enum orc_rounding r)
{
	return orc_add(orc_mul(a, b), c, r);
}

struct orc_num orc_integral(struct orc_num v, enum orc_rounding r)
{
	if (v.kind != ORC_FINITE || v.exp >= 0)
		return v;
	v.man = at_exponent(v, 0, r);
	v.exp = 0;
	if (!v.man)
		v.kind = ORC_ZERO;
	return v;
}

struct orc_num orc_from_uint(uint64_t n)
{
	struct orc_num v = {.kind = n ? ORC_FINITE : ORC_ZERO, .man = n};

	return v;
}

struct orc_num orc_from_int(int64_t n)
{
	struct orc_num v = orc_from_uint(n < 0 ? 0 - (uint64_t)n : (uint64_t)n);

	v.neg = n < 0;
	return v;
}

int64_t orc_to_int(struct orc_num v, int64_t low, int64_t high)
{
	__int128 n = 0;

	if (v.kind == ORC_NAN || v.kind == ORC_ZERO)
		return 0;
	if (v.kind == ORC_INF || orc_ilog2(v) > 63)
		return v.neg ? low : high;
	n = (__int128)at_exponent(v, 0, ORC_TO_ZERO);
	if (v.neg)
		n = -n;
	return n < low ? low : n > high ? high : (int64_t)n;
}

int orc_compare(struct orc_num a, struct orc_num b)
{
	struct orc_num d;

	if (a.kind == ORC_NAN || b.kind == ORC_NAN)
		return 2;
	if (a.kind == ORC_INF && b.kind == ORC_INF && a.neg == b.neg)
		return 0;
	d = orc_add(a, orc_negate(b), ORC_NEAREST);
	return d.kind == ORC_ZERO ? 0 : d.neg ? -1 : 1;
}

long double orc_to_long_double(struct orc_num v)
{
	long double x = v.kind == ORC_FINITE ? ldexpl((long double)(uint64_t)v.man, v.exp) : 0;

	if (v.kind == ORC_NAN)
		return NAN;
	if (v.kind == ORC_INF)
		x = INFINITY;
	return v.neg ? -x : x;
}
