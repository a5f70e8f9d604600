/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Floating point arithmetic: the same functions for f16, f32 and f64. */
#include "oracle.h"

static struct orc_num src(const struct orc_lane *l, unsigned k)
{
	return orc_source(l, l->f, k);
}

static void done(const struct orc_lane *l, struct orc_result *r, struct orc_num v)
{
	r->d = orc_result_bits(l, l->f, v);
}

static enum orc_rounding mode_round(const struct orc_lane *l)
{
	return orc_mode_round(l->mode, l->f);
}

static void add(const struct orc_lane *l, struct orc_result *r)
{
	done(l, r, orc_add(src(l, 0), src(l, 1), mode_round(l)));
}

static void sub(const struct orc_lane *l, struct orc_result *r)
{
	done(l, r, orc_add(src(l, 0), orc_negate(src(l, 1)), mode_round(l)));
}

static void subrev(const struct orc_lane *l, struct orc_result *r)
{
	done(l, r, orc_add(src(l, 1), orc_negate(src(l, 0)), mode_round(l)));
}

static void mul(const struct orc_lane *l, struct orc_result *r)
{
	done(l, r, orc_mul(src(l, 0), src(l, 1)));
}

static void fma_any(const struct orc_lane *l, struct orc_result *r)
{
	done(l, r, orc_fma(src(l, 0), src(l, 1), src(l, 2), mode_round(l)));
}

/* 0 * anything is 0, also for infinities and NaNs. */
static void mul_legacy(const struct orc_lane *l, struct orc_result *r)
{
	if (src(l, 0).kind == ORC_ZERO || src(l, 1).kind == ORC_ZERO) {
		r->d = 0;
		return;
	}
	mul(l, r);
}

/* Two roundings: of the product, then of the sum. @in, @out: flush sources, product and result. */
static uint64_t mad_bits(const struct orc_lane *l, bool in, bool out, bool legacy)
{
	struct orc_pack how = {mode_round(l), out, false};
	struct orc_num a = orc_unpack(l->f, l->s[0], in), b = orc_unpack(l->f, l->s[1], in);
	struct orc_num c = orc_unpack(l->f, l->s[2], in), product;
	uint64_t bits = 0;

	if (!legacy || (a.kind != ORC_ZERO && b.kind != ORC_ZERO))
		bits = orc_round(l->f, orc_mul(a, b), how);
	product = orc_unpack(l->f, bits, false);
	return orc_round(l->f, orc_add(product, c, how.rounding), how);
}

/* There are no denormals here whatever MODE says. */
static void mad(const struct orc_lane *l, struct orc_result *r)
{
	r->d = mad_bits(l, true, true, false);
}

static void mad_legacy(const struct orc_lane *l, struct orc_result *r)
{
	r->d = mad_bits(l, true, true, true);
}

/* The document says "denormals are flushed" of v_mad_f16 only: of its relatives both are right. */
static void mad_f16(const struct orc_lane *l, struct orc_result *r)
{
	mad(l, r);
	r->has_alt = true;
	r->alt = mad_bits(l, !orc_keeps_in(l->mode, l->f), !orc_keeps_out(l->mode, l->f), false);
}

/* A source that becomes the result as it is: only denormals may be flushed. */
static uint64_t passed(const struct orc_lane *l, uint64_t bits)
{
	bool keep = orc_keeps_in(l->mode, l->f) && orc_keeps_out(l->mode, l->f);

	return orc_is_denormal(l->f, bits) && !keep ? bits & orc_sign_bit(l->f) : bits;
}

static uint64_t min_max(const struct orc_lane *l, uint64_t a, uint64_t b, bool max)
{
	bool flush = !orc_keeps_in(l->mode, l->f);
	int order = orc_compare(orc_unpack(l->f, a, flush), orc_unpack(l->f, b, flush));

	if (l->mode->ieee && orc_is_snan(l->f, a))
		return orc_quiet(l->f, a);
	if (l->mode->ieee && orc_is_snan(l->f, b))
		return orc_quiet(l->f, b);
	if (orc_is_nan(l->f, a) || orc_is_nan(l->f, b))
		return orc_is_nan(l->f, a) ? b : a;
	if (order == 0 && flush) { /* zeros, when not the same number */
		a = passed(l, a);
		b = passed(l, b);
	}
	if (order == 0) /* +0 is more than -0; what else is equal has equal bits */
		return max ? a & b : a | b;
	return (order < 0) == max ? b : a;
}

static void min2(const struct orc_lane *l, struct orc_result *r)
{
	r->exact_nan = true;
	r->d = passed(l, min_max(l, l->s[0], l->s[1], false));
}

static void max2(const struct orc_lane *l, struct orc_result *r)
{
	r->exact_nan = true;
	r->d = passed(l, min_max(l, l->s[0], l->s[1], true));
}

static uint64_t of_three(const struct orc_lane *l, bool max)
{
	return min_max(l, min_max(l, l->s[0], l->s[1], max), l->s[2], max);
}

static void min3(const struct orc_lane *l, struct orc_result *r)
{
	r->d = passed(l, of_three(l, false));
}

static void max3(const struct orc_lane *l, struct orc_result *r)
{
	r->d = passed(l, of_three(l, true));
}

static void med3(const struct orc_lane *l, struct orc_result *r)
{
	struct orc_num top = orc_unpack(l->f, of_three(l, true), !orc_keeps_in(l->mode, l->f));
	uint64_t v = 0;

	if (src(l, 0).kind == ORC_NAN || src(l, 1).kind == ORC_NAN || src(l, 2).kind == ORC_NAN) {
		min3(l, r);
		return;
	}
	if (orc_compare(top, src(l, 0)) == 0)
		v = min_max(l, l->s[1], l->s[2], true);
	else if (orc_compare(top, src(l, 1)) == 0)
		v = min_max(l, l->s[0], l->s[2], true);
	else
		v = min_max(l, l->s[0], l->s[1], true);
	r->d = passed(l, v);
}

static void integral(const struct orc_lane *l, struct orc_result *r, enum orc_rounding how)
{
	done(l, r, orc_integral(src(l, 0), how));
}

static void trunc_any(const struct orc_lane *l, struct orc_result *r)
{
	integral(l, r, ORC_TO_ZERO);
}

static void ceil_any(const struct orc_lane *l, struct orc_result *r)
{
	integral(l, r, ORC_UP);
}

static void floor_any(const struct orc_lane *l, struct orc_result *r)
{
	integral(l, r, ORC_DOWN);
}

static void rndne(const struct orc_lane *l, struct orc_result *r)
{
	integral(l, r, ORC_NEAREST);
}

/* Never 1: the largest number below it instead. An infinity less itself is NaN. */
static void fract(const struct orc_lane *l, struct orc_result *r)
{
	struct orc_num v = src(l, 0);

	done(l, r, orc_add(v, orc_negate(orc_integral(v, ORC_DOWN)), mode_round(l)));
	if (r->d == orc_one_bits(l->f))
		r->d--;
}

static void ldexp_any(const struct orc_lane *l, struct orc_result *r)
{
	struct orc_num v = src(l, 0);
	int64_t n = l->f == &orc_f16 ? (int16_t)l->s[1] : (int32_t)l->s[1];

	if (v.kind == ORC_FINITE)
		v.exp += (int)(n < -9999 ? -9999 : n > 9999 ? 9999 : n);
	done(l, r, v);
}

static void frexp_mant(const struct orc_lane *l, struct orc_result *r)
{
	struct orc_num v = src(l, 0);

	if (v.kind == ORC_FINITE)
		v.exp -= orc_ilog2(v) + 1;
	done(l, r, v);
}

/* ---- comparisons: F LT EQ LE GT LG GE O U NGE NLG NGT NLE NEQ NLT TRU, in this order the
 * outcomes (less, equal, greater, unordered) that are true. */
static void compare(const struct orc_lane *l, struct orc_result *r, const char *outcomes)
{
	r->carry = outcomes[orc_compare(src(l, 0), src(l, 1)) + 1] == '1';
}

#define COMPARE(name, outcomes)                                                                    \
	static void cmp_##name(const struct orc_lane *l, struct orc_result *r)                     \
	{                                                                                          \
		compare(l, r, outcomes);                                                           \
	}
/* <=>? */
COMPARE(f, "0000")
COMPARE(lt, "1000")
COMPARE(eq, "0100")
COMPARE(le, "1100")
COMPARE(gt, "0010")
COMPARE(lg, "1010")
COMPARE(ge, "0110")
COMPARE(o, "1110")
COMPARE(u, "0001")
COMPARE(nge, "1001")
COMPARE(nlg, "0101")
COMPARE(ngt, "1101")
COMPARE(nle, "0011")
COMPARE(neq, "1011")
COMPARE(nlt, "0111")
COMPARE(tru, "1111")

static void class(const struct orc_lane *l, struct orc_result *r)
{
	uint64_t b = l->s[0];
	struct orc_num v = orc_unpack(l->f, b, false);
	unsigned bit = 0;

	switch (v.kind) {
	case ORC_NAN:
		r->carry = (l->s[1] >> (orc_is_snan(l->f, b) ? 0 : 1) & 1) != 0;
		return;
	case ORC_INF:
		bit = 9;
		break;
	case ORC_FINITE:
		bit = orc_is_denormal(l->f, b) ? 7 : 8;
		break;
	case ORC_ZERO:
		bit = 6;
		break;
	}
	r->carry = (l->s[1] >> (v.neg ? 11 - bit : bit) & 1) != 0;
}

/* clang-format off */
#define CMPS(op) \
	{"v_cmp_" #op "_f16", cmp_##op}, {"v_cmpx_" #op "_f16", cmp_##op}, \
	{"v_cmp_" #op "_f32", cmp_##op}, {"v_cmpx_" #op "_f32", cmp_##op}, \
	{"v_cmp_" #op "_f64", cmp_##op}, {"v_cmpx_" #op "_f64", cmp_##op}
#define ALL(op, fn) {"v_" #op "_f16", fn}, {"v_" #op "_f32", fn}, {"v_" #op "_f64", fn}
#define CLASS(t)    {"v_cmp_class_" #t, class}, {"v_cmpx_class_" #t, class}

static const struct orc_row rows[] = {
	ALL(add, add), ALL(sub, sub), ALL(subrev, subrev), ALL(mul, mul), ALL(fma, fma_any),
	ALL(min, min2), ALL(max, max2), ALL(min3, min3), ALL(max3, max3), ALL(med3, med3),
	ALL(mad, mad),
	{"v_mac_f32", mad}, {"v_madmk_f32", mad}, {"v_madak_f32", mad}, {"v_mac_f16", mad_f16},
	{"v_madmk_f16", mad_f16}, {"v_madak_f16", mad_f16},
	{"v_mul_legacy_f32", mul_legacy}, {"v_mad_legacy_f32", mad_legacy},
	{"v_mad_legacy_f16", mad_f16}, {"v_fma_legacy_f16", fma_any},
	ALL(trunc, trunc_any), ALL(ceil, ceil_any), ALL(floor, floor_any), ALL(rndne, rndne),
	ALL(fract, fract), ALL(ldexp, ldexp_any), ALL(frexp_mant, frexp_mant),
	CMPS(f), CMPS(lt), CMPS(eq), CMPS(le), CMPS(gt), CMPS(lg), CMPS(ge), CMPS(o), CMPS(u),
	CMPS(nge), CMPS(nlg), CMPS(ngt), CMPS(nle), CMPS(neq), CMPS(nlt), CMPS(tru),
	CLASS(f16), CLASS(f32), CLASS(f64),
};
/* clang-format on */

const struct orc_table orc_float_rows = ORC_TABLE(rows);
