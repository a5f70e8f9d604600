/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Approximations, the pieces of a division, range reduction, cube maps. */
#include <math.h>

#include "oracle.h"

/* ---- approximations: the exact value in long double, and how far off hardware may be */
static uint64_t from_long_double(const struct orc_format *f, long double x)
{
	struct orc_num v = {.kind = ORC_FINITE, .neg = signbit(x) != 0};
	int e = 0;

	if (isnan(x))
		v.kind = ORC_NAN;
	else if (isinf(x))
		v.kind = ORC_INF;
	else if (x == 0)
		v.kind = ORC_ZERO;
	else
		v.man = (orc_u128)ldexpl(frexpl(fabsl(x), &e), 64);
	v.exp = e - 64;
	return orc_round(f, v, (struct orc_pack){ORC_NEAREST, false, false});
}

static uint64_t flushed(const struct orc_format *f, uint64_t bits)
{
	return orc_is_denormal(f, bits) ? bits & orc_sign_bit(f) : bits;
}

/*
 * f32: 1 ulp; sources and results that are denormal may count as zeros whatever MODE says (the
 * compiler assumes that they do). f16: 1 ulp. f64: half of the bits, the document's 2^29 ulp.
 */
static void approximate(const struct orc_lane *l, struct orc_result *r,
                        long double (*fn)(long double))
{
	struct orc_num v = orc_source(l, l->f, 0);
	uint64_t as_zero = from_long_double(l->f, fn(v.neg ? -0.0L : 0.0L));

	r->d = from_long_double(l->f, fn(orc_to_long_double(v)));
	r->has_alt = true;
	r->alt = flushed(l->f, r->d);
	if (orc_is_denormal(l->f, l->s[0])) {
		if (l->f == &orc_f32)
			r->alt = as_zero;
	} else if (!orc_keeps_out(l->mode, l->f)) {
		r->d = r->alt;
	}
	r->ulps = l->f == &orc_f64 ? 1ull << 29 : 1;
}

static long double rcp1(long double x)
{
	return 1 / x;
}

static long double rsq1(long double x)
{
	return x == 0 ? 1 / x : 1 / sqrtl(x);
}

#define APPROXIMATE(name, fn1)                                                                     \
	static void name(const struct orc_lane *l, struct orc_result *r)                           \
	{                                                                                          \
		approximate(l, r, fn1);                                                            \
	}
APPROXIMATE(rcp, rcp1)
APPROXIMATE(rsq, rsq1)
APPROXIMATE(square_root, sqrtl)
APPROXIMATE(exponential, exp2l)
APPROXIMATE(logarithm, log2l)

/* Revolutions, not radians: exact remainder first. The whole range works on gfx9: the compiler
 * takes no fraction before, as it does for older chips. */
static void wave(const struct orc_lane *l, struct orc_result *r, long double (*fn)(long double))
{
	struct orc_num v = orc_source(l, l->f, 0);
	long double x = orc_to_long_double(v);

	if (isinf(x))
		x = NAN;
	r->d = from_long_double(l->f, fn(remainderl(x, 1) * 2 * acosl(-1)));
	r->has_alt = true;
	r->alt = flushed(l->f, r->d);
	r->ulps = 1;
	r->absolute = l->f == &orc_f32 ? 0x1p-20 : 0x1p-11;
}

static void sine(const struct orc_lane *l, struct orc_result *r)
{
	wave(l, r, sinl);
}

static void cosine(const struct orc_lane *l, struct orc_result *r)
{
	wave(l, r, cosl);
}

/* ---- division */
static int biased(const struct orc_format *f, uint64_t bits)
{
	return (int)((bits & orc_inf_bits(f)) >> f->fraction);
}

enum quotient { NORMAL, DENORMAL, OPEN };

/* |n / d| against 2^exp * man. */
static int compare_quotient(struct orc_num n, struct orc_num d, int exp, uint64_t man)
{
	struct orc_num limit = {.kind = ORC_FINITE, .exp = exp, .man = man};

	n.neg = d.neg = false;
	return orc_compare(n, orc_mul(limit, d));
}

/* Is n / d a denormal? Open where rounding may make 0 or the smallest normal number of it:
 * there v_div_fixup decides, or both ways are exact. */
static enum quotient quotient(const struct orc_format *f, struct orc_num n, struct orc_num d)
{
	int least =
	        1 - (int)f->fraction - (1 << (f->exponent - 1)); /* half the smallest denormal */

	if (n.kind != ORC_FINITE || d.kind != ORC_FINITE)
		return NORMAL;
	if (compare_quotient(n, d, least, 2ull << f->fraction) >= 0)
		return NORMAL;
	if (compare_quotient(n, d, least, (2ull << f->fraction) - 2) >= 0)
		return OPEN;
	return compare_quotient(n, d, least, 2) >= 0 ? DENORMAL : OPEN;
}

static void div_scale(const struct orc_lane *l, struct orc_result *r)
{
	const struct orc_format *f = l->f;
	struct orc_num s0 = orc_source(l, f, 0), den = orc_source(l, f, 1);
	struct orc_num num = orc_source(l, f, 2), one = orc_from_int(1);
	int by = f == &orc_f64 ? 128 : 64, far = f == &orc_f64 ? 768 : 96, scale = 0;
	bool is_den = orc_compare(s0, den) == 0, is_num = orc_compare(s0, num) == 0;
	enum quotient rcp = quotient(f, one, den), q = quotient(f, num, den);
	bool tiny_rcp = rcp == DENORMAL, tiny = q == DENORMAL;

	r->anything = rcp == OPEN || q == OPEN || num.kind >= ORC_INF || den.kind >= ORC_INF;
	if (num.kind == ORC_ZERO || den.kind == ORC_ZERO) {
		r->anything = false;
		r->d = orc_round(f, (struct orc_num){.kind = ORC_NAN}, (struct orc_pack){0});
		return;
	}
	if (biased(f, l->s[2]) - biased(f, l->s[1]) >= far) {
		r->carry = true;
		scale = is_den ? by : 0;
	} else if (orc_is_denormal(f, l->s[1])) {
		scale = by;
	} else if (tiny_rcp && tiny) { /* documents print +by, which would make it infinite */
		r->carry = true;
		scale = is_den ? -by : 0;
	} else if (tiny_rcp) {
		scale = -by;
	} else if (tiny) {
		r->carry = true;
		scale = is_num ? by : 0;
	} else if (biased(f, l->s[2]) <= (int)f->fraction + (f == &orc_f64)) {
		scale = by;
	}
	if (s0.kind == ORC_FINITE)
		s0.exp += scale;
	r->any_nan = true;
	r->d = orc_result_bits(l, f, s0);
}

/* The unscaled result of v_div_fmas, sources flushed or not. */
static struct orc_num fmas(const struct orc_lane *l, bool flush)
{
	const struct orc_format *f = l->f;

	return orc_fma(orc_unpack(f, l->s[0], flush), orc_unpack(f, l->s[1], flush),
	               orc_unpack(f, l->s[2], flush), orc_mode_round(l->mode, f));
}

/*
 * The scale undoes div_scale's: up when the quotient is large, else down. (Documents before that
 * of RDNA 3 print 2^32 and 2^64 here, which undoes nothing.) Sources are not flushed.
 *
 * Tolerated, since no division sees it: flushed sources; a second rounding where the scaled result
 * is denormal, which v_div_fixup mends; a sum that overflows before it is scaled.
 */
static void div_fmas(const struct orc_lane *l, struct orc_result *r)
{
	const struct orc_format *f = l->f;
	struct orc_num v = fmas(l, false), flushed_sum = fmas(l, !orc_keeps_in(l->mode, f));
	int by = f == &orc_f64 ? 128 : 64, middle = f == &orc_f64 ? 1023 : 127;

	by = !l->carry ? 0 : biased(f, l->s[2]) > middle ? by : -by;
	r->anything = by && v.kind == ORC_FINITE && orc_ilog2(v) >= middle;
	v.exp += by;
	flushed_sum.exp += by;
	r->d = orc_result_bits(l, f, v);
	r->has_alt = true;
	r->alt = orc_result_bits(l, f, flushed_sum);
	r->ulps = by && biased(f, r->d) <= 1;
}

/* What rounding makes of a number that is far too small or far too large. */
static uint64_t extreme(const struct orc_lane *l, bool neg, int exp)
{
	struct orc_num v = {.kind = ORC_FINITE, .neg = neg, .exp = exp, .man = 1};

	return orc_result_bits(l, l->f, v);
}

/* Of a quotient that is NaN, where it overflowed on the way, documents and a right division say
 * different things. A denormal one may be mended by a unit, see v_div_fmas. */
static void div_fixup(const struct orc_lane *l, struct orc_result *r)
{
	const struct orc_format *f = l->f;
	struct orc_num den = orc_source(l, f, 1), num = orc_source(l, f, 2), q = {.neg = false};
	int far = f == &orc_f64 ? -1075 : f == &orc_f32 ? -150 : -9999;

	q.neg = den.neg != num.neg;
	if (num.kind == ORC_NAN || den.kind == ORC_NAN ||
	    (num.kind == den.kind && num.kind != ORC_FINITE)) {
		q.kind = ORC_NAN;
	} else if (den.kind == ORC_ZERO || num.kind == ORC_INF) {
		q.kind = ORC_INF;
	} else if (den.kind == ORC_INF || num.kind == ORC_ZERO) {
		q.kind = ORC_ZERO;
	} else if (biased(f, l->s[2]) - biased(f, l->s[1]) < far) {
		r->d = extreme(l, q.neg, -9999);
		r->has_alt = true; /* "underflow": a zero, or rounded */
		r->alt = q.neg ? orc_sign_bit(f) : 0;
		return;
	} else {
		struct orc_num s0 = orc_source(l, f, 0);

		s0.neg = q.neg;
		q = s0;
		r->any_nan = true; /* a quotient is not said to be made quiet */
		r->anything = q.kind == ORC_NAN;
		r->ulps = biased(f, l->s[0]) <= 1;
	}
	r->d = orc_result_bits(l, f, q);
}

/* ---- 2/pi to 1201 bits and more, by pi = 16 atan(1/5) - 4 atan(1/239) */
#define WORDS 44 /* 1 of integer, 43 of fraction: 1376 bits */

struct big {
	uint32_t w[WORDS]; /* the first is the integer part */
};

static bool big_zero(const struct big *a)
{
	for (unsigned k = 0; k < WORDS; k++)
		if (a->w[k])
			return false;
	return true;
}

static void big_divide(struct big *a, uint32_t by)
{
	uint64_t rest = 0;

	for (unsigned k = 0; k < WORDS; k++) {
		rest = rest << 32 | a->w[k];
		a->w[k] = (uint32_t)(rest / by);
		rest %= by;
	}
}

/* a + factor * b, modulo 2^32. */
static void big_add(struct big *a, const struct big *b, int64_t factor)
{
	__int128 carry = 0;

	for (unsigned k = WORDS; k-- > 0;) {
		carry += (__int128)a->w[k] + (__int128)factor * b->w[k];
		a->w[k] = (uint32_t)carry;
		carry >>= 32;
	}
}

static void add_atan(struct big *sum, uint32_t x, int64_t factor)
{
	struct big power = {.w = {1}}, term;

	big_divide(&power, x);
	for (uint32_t n = 1; !big_zero(&power); n += 2) {
		term = power;
		big_divide(&term, n);
		big_add(sum, &term, n & 2 ? -factor : factor);
		big_divide(&power, x * x);
	}
}

static int big_compare(const struct big *a, const struct big *b)
{
	for (unsigned k = 0; k < WORDS; k++)
		if (a->w[k] != b->w[k])
			return a->w[k] < b->w[k] ? -1 : 1;
	return 0;
}

/* Bit @n (1: a half) of 2/pi. */
static const uint8_t *two_over_pi(void)
{
	static uint8_t bits[1300];
	struct big pi = {.w = {0}}, rest = {.w = {2}};

	if (bits[1]) /* its first bit is set */
		return bits;
	add_atan(&pi, 5, 16);
	add_atan(&pi, 239, -4);
	for (unsigned n = 1; n < sizeof(bits); n++) {
		big_add(&rest, &rest, 1);
		bits[n] = big_compare(&rest, &pi) >= 0;
		if (bits[n])
			big_add(&rest, &pi, -1);
	}
	return bits;
}

/* 53 bits of 2/pi from bit @shift on; there are 1201. */
static void trig_preop(const struct orc_lane *l, struct orc_result *r)
{
	const uint8_t *bits = two_over_pi();
	int e = biased(&orc_f64, l->s[0]);
	unsigned shift = (unsigned)(l->s[1] & 31) * 53 + (e > 1077 ? (unsigned)(e - 1077) : 0);
	struct orc_num v = {.kind = ORC_FINITE, .exp = -53 - (int)shift};

	for (unsigned k = 1; k <= 53; k++)
		v.man = v.man << 1 | (shift + k <= 1201 ? bits[shift + k] : 0);
	if (e >= 1968)
		v.exp += 128;
	if (!v.man)
		v.kind = ORC_ZERO;
	r->d = orc_round(&orc_f64, v,
	                 (struct orc_pack){ORC_TO_ZERO, !orc_keeps_out(l->mode, &orc_f64), false});
}

/* ---- cube maps: which of x, y, z has the largest magnitude */
struct cube {
	struct orc_num x, y, z;
	char major;
};

static bool at_least(struct orc_num a, struct orc_num b)
{
	int order = 0;

	a.neg = b.neg = false;
	order = orc_compare(a, b);
	return order == 0 || order == 1;
}

static struct cube cube(const struct orc_lane *l)
{
	struct cube c = {orc_source(l, &orc_f32, 0), orc_source(l, &orc_f32, 1),
	                 orc_source(l, &orc_f32, 2), 'x'};

	if (at_least(c.z, c.x) && at_least(c.z, c.y))
		c.major = 'z';
	else if (at_least(c.y, c.x))
		c.major = 'y';
	return c;
}

static bool below_zero(struct orc_num v)
{
	return orc_compare(v, orc_from_int(0)) == -1;
}

static struct orc_num negated_if(bool negate, struct orc_num v)
{
	return negate ? orc_negate(v) : v;
}

static void cube_id(const struct orc_lane *l, struct orc_result *r)
{
	struct cube c = cube(l);
	struct orc_num m = c.major == 'z' ? c.z : c.major == 'y' ? c.y : c.x;
	int face = c.major == 'z' ? 4 : c.major == 'y' ? 2 : 0;

	r->d = orc_result_bits(l, &orc_f32, orc_from_int(face + below_zero(m)));
}

static void cube_sc(const struct orc_lane *l, struct orc_result *r)
{
	struct cube c = cube(l);
	struct orc_num v = c.major == 'z'   ? negated_if(below_zero(c.z), c.x)
	                   : c.major == 'y' ? c.x
	                                    : negated_if(!below_zero(c.x), c.z);

	r->any_nan = true;
	r->d = orc_result_bits(l, &orc_f32, v);
}

static void cube_tc(const struct orc_lane *l, struct orc_result *r)
{
	struct cube c = cube(l);
	struct orc_num v = c.major == 'y' ? negated_if(below_zero(c.y), c.z) : orc_negate(c.y);

	r->any_nan = true;
	r->d = orc_result_bits(l, &orc_f32, v);
}

static void cube_ma(const struct orc_lane *l, struct orc_result *r)
{
	struct cube c = cube(l);
	struct orc_num v = c.major == 'z' ? c.z : c.major == 'y' ? c.y : c.x;

	v.exp++;
	r->any_nan = true;
	r->d = orc_result_bits(l, &orc_f32, v);
}

/* clang-format off */
#define BOTH(op, fn) {"v_" #op "_f16", fn}, {"v_" #op "_f32", fn}
#define ALL(op, fn)  BOTH(op, fn), {"v_" #op "_f64", fn}

static const struct orc_row rows[] = {
	ALL(rcp, rcp), ALL(rsq, rsq), ALL(sqrt, square_root), BOTH(exp, exponential),
	BOTH(log, logarithm), BOTH(sin, sine), BOTH(cos, cosine),
	{"v_rcp_iflag_f32", rcp}, {"v_exp_legacy_f32", exponential},
	{"v_log_legacy_f32", logarithm},
	ALL(div_scale, div_scale), ALL(div_fmas, div_fmas), ALL(div_fixup, div_fixup),
	{"v_div_fixup_legacy_f16", div_fixup}, {"v_trig_preop_f64", trig_preop},
	{"v_cubeid_f32", cube_id}, {"v_cubesc_f32", cube_sc}, {"v_cubetc_f32", cube_tc},
	{"v_cubema_f32", cube_ma},
};
/* clang-format on */

const struct orc_table orc_special_rows = ORC_TABLE(rows);
