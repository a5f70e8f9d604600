/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Arithmetic of one lane that C has no operator for. All of it must be exact:
 * f16 rounds once, to nearest even; NaNs come out quiet.
 */
#ifndef GV_CU_CORES_MATH_H
#define GV_CU_CORES_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include <gv/base.h>

#define CU_INLINE static inline __attribute__((always_inline, unused))

CU_INLINE float cu_f(uint32_t u)
{
	float f;

	memcpy(&f, &u, 4);
	return f;
}

CU_INLINE uint32_t cu_u(float f)
{
	uint32_t u;

	memcpy(&u, &f, 4);
	return u;
}

CU_INLINE double cu_d(uint64_t u)
{
	double d;

	memcpy(&d, &u, 8);
	return d;
}

CU_INLINE uint64_t cu_ud(double d)
{
	uint64_t u;

	memcpy(&u, &d, 8);
	return u;
}

/* ---- subnormals become zeros of the same sign */
CU_INLINE uint32_t cu_flush(uint32_t u)
{
	return (u & 0x7f800000u) ? u : u & 0x80000000u;
}

CU_INLINE float cu_flushed(uint32_t u)
{
	return cu_f(cu_flush(u));
}

CU_INLINE float cu_flushf(float f)
{
	return cu_flushed(cu_u(f));
}

CU_INLINE uint32_t cu_flush16(uint32_t h)
{
	return (h & 0x7c00u) ? h : h & ~0x3ffu;
}

/* ---- f16 */
CU_INLINE float cu_h2f(uint32_t h)
{
	uint32_t em = h & 0x7fffu, sign = (h & 0x8000u) << 16;
	uint32_t finite = cu_u(cu_f(em << 13) * 0x1p112f); /* the exponent bias differs by 112 */
	uint32_t special = (em << 13) | 0x7f800000u | (em > 0x7c00u ? 0x400000u : 0);

	return cu_f((em >= 0x7c00u ? special : finite) | sign);
}

/* The same, subnormals flushed. */
CU_INLINE float cu_hz2f(uint32_t h)
{
	return cu_h2f(cu_flush16(h));
}

CU_INLINE uint32_t cu_f2h(float f)
{
	uint32_t sign = (cu_u(f) >> 16) & 0x8000u, u = cu_u(f) & 0x7fffffffu;
	uint32_t nan = 0x7e00u | ((u >> 13) & 0x3ffu);
	uint32_t tiny = cu_u(cu_f(u) + 0.5f) - cu_u(0.5f); /* the adder rounds at 2^-24 for us */
	uint32_t normal = (u - (112u << 23) + 0xfffu + ((u >> 13) & 1u)) >> 13;
	uint32_t r = u < 0x38800000u ? tiny : normal;

	r = u >= 0x47800000u ? 0x7c00u : r;
	return (u > 0x7f800000u ? nan : r) | sign;
}

/* Toward zero: what overflows is the largest finite value. */
CU_INLINE uint32_t cu_f2h_rtz(float f)
{
	uint32_t sign = (cu_u(f) >> 16) & 0x8000u, u = cu_u(f) & 0x7fffffffu;

	if (u > 0x7f800000u)
		return sign | 0x7e00u | ((u >> 13) & 0x3ffu);
	if (u == 0x7f800000u)
		return sign | 0x7c00u;
	if (u >= 0x47800000u)
		return sign | 0x7bffu;
	if (u < 0x38800000u) /* below 2^-14: count units of 2^-24 */
		return sign | (uint32_t)(cu_f(u) * 0x1p24f);
	return sign | ((u - (112u << 23)) >> 13);
}

/* As MODE.round says: 0 to nearest even, 1 up, 2 down, 3 to zero; @max16 as MODE.FP16_OVFL: what
 * overflows is the largest finite value. */
CU_INLINE uint32_t cu_f2h_mode(float f, uint32_t round, bool max16)
{
	uint32_t sign = (cu_u(f) >> 16) & 0x8000u, u = cu_u(f) & 0x7fffffffu;
	uint32_t e = u >> 23, m = (u & 0x7fffffu) | (e ? 0x800000u : 0);
	uint32_t s = e < 100 ? 26 : e < 113 ? 126 - e : 13; /* bits of the significand to lose */
	uint32_t q = (e < 113 ? 0 : (e - 113) << 10) + (m >> s), lost = m & ((1u << s) - 1);
	uint32_t half = 1u << (s - 1);
	bool up = round == 0 ? lost > half || (lost == half && q & 1)
	                     : lost && round == (sign ? 2u : 1u);

	if (u >= 0x7f800000u) /* infinite or NaN */
		return sign | (u > 0x7f800000u ? 0x7e00u | (u >> 13 & 0x3ffu) : 0x7c00u);
	q += up;
	if (q < 0x7c00u)
		return sign | q;
	return sign | (max16 || (round != 0 && round != (sign ? 2u : 1u)) ? 0x7bffu : 0x7c00u);
}

/* A sum that is not exact is rounded to the number next to it whose last bit is 1: from that, any
 * further rounding is as from the exact one. */
CU_INLINE double cu_sum_to_odd(double p, double q)
{
	double s = p + q, bb = s - p, err = (p - (s - bb)) + (q - bb);
	uint64_t u = cu_ud(s);

	if (err != 0 && s - s == 0) {
		u -= ((err < 0) != (s < 0)) && s != 0;
		u |= 1;
	}
	return cu_d(u);
}

/* a*b+c of f16 as a float that rounds to the right f16: the product is exact in double. To nearest
 * the sum and the cut to float round to odd, which keeps enough for the last rounding; other
 * directions, in which the host then computes too, go the same way twice. */
CU_INLINE float cu_fmah(uint32_t a, uint32_t b, uint32_t c, uint32_t round)
{
	double p = (double)cu_h2f(a) * (double)cu_h2f(b), q = (double)cu_h2f(c), s = p + q;
	float f;
	uint32_t v;

	if (!(s - s == 0) || round) /* inf or NaN */
		return (float)s;
	s = cu_sum_to_odd(p, q);
	f = (float)s;
	v = cu_u(f);
	if ((double)f != s) {
		v -= fabs((double)f) > fabs(s);
		v |= 1;
	}
	return cu_f(v);
}

/* ---- integers */
CU_INLINE uint32_t cu_bitrev(uint32_t v)
{
	v = (v >> 1 & 0x55555555u) | (v & 0x55555555u) << 1;
	v = (v >> 2 & 0x33333333u) | (v & 0x33333333u) << 2;
	v = (v >> 4 & 0x0f0f0f0fu) | (v & 0x0f0f0f0fu) << 4;
	return __builtin_bswap32(v);
}

CU_INLINE uint32_t cu_ffbh_i32(uint32_t v)
{
	uint32_t x = v ^ (uint32_t)((int32_t)v >> 31);

	return x ? (uint32_t)__builtin_clz(x) : ~0u;
}

CU_INLINE int32_t cu_clamp_s(int32_t v, int32_t lo, int32_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

CU_INLINE uint32_t cu_sat_u8(uint32_t v)
{
	return (uint32_t)cu_clamp_s((int16_t)v, 0, 255);
}

CU_INLINE uint32_t cu_sat_s32(int64_t v)
{
	return (uint32_t)(v < INT32_MIN ? INT32_MIN : v > INT32_MAX ? INT32_MAX : v);
}

CU_INLINE uint32_t cu_sat_u32(uint64_t v)
{
	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

CU_INLINE int32_t cu_s24(uint32_t v)
{
	return (int32_t)(v << 8) >> 8;
}

CU_INLINE uint32_t cu_absdiff(uint32_t a, uint32_t b)
{
	return a > b ? a - b : b - a;
}

CU_INLINE uint32_t cu_bfe_i32(uint32_t a, uint32_t b, uint32_t c)
{
	uint32_t from = b & 31, bits = c & 31, v = a >> from;

	if (bits == 0)
		return 0;
	if (from + bits >= 32)
		return (uint32_t)((int32_t)a >> from);
	return (uint32_t)((int32_t)(v << (32 - bits)) >> (32 - bits));
}

CU_INLINE uint32_t cu_perm_byte(uint64_t bytes, uint32_t sel)
{
	if (sel <= 7)
		return (uint32_t)(bytes >> (8 * sel)) & 0xff;
	if (sel <= 11) /* sign of byte 1, 3, 5 or 7 */
		return (bytes >> (16 * (sel - 8) + 15)) & 1 ? 0xff : 0;
	return sel == 12 ? 0 : 0xff;
}

CU_INLINE uint32_t cu_perm(uint32_t a, uint32_t b, uint32_t sel)
{
	uint64_t bytes = (uint64_t)a << 32 | b;
	uint32_t r = 0;

	for (unsigned n = 0; n < 4; n++)
		r |= cu_perm_byte(bytes, (sel >> (8 * n)) & 0xff) << (8 * n);
	return r;
}

CU_INLINE uint32_t cu_lerp(uint32_t a, uint32_t b, uint32_t c)
{
	uint32_t r = 0;

	for (unsigned s = 0; s < 32; s += 8)
		r |= ((((a >> s) & 0xff) + ((b >> s) & 0xff) + ((c >> s) & 1)) >> 1 & 0xff) << s;
	return r;
}

CU_INLINE uint32_t cu_sad_u8(uint32_t a, uint32_t b)
{
	uint32_t r = 0;

	for (unsigned s = 0; s < 32; s += 8)
		r += cu_absdiff((a >> s) & 0xff, (b >> s) & 0xff);
	return r;
}

/* Bytes where the reference @b is 0 do not count. */
CU_INLINE uint32_t cu_msad_u8(uint32_t a, uint32_t b)
{
	uint32_t r = 0;

	for (unsigned s = 0; s < 32; s += 8)
		if ((b >> s) & 0xff)
			r += cu_absdiff((a >> s) & 0xff, (b >> s) & 0xff);
	return r;
}

/* ---- f32 */
/*
 * Minimum and maximum of the bits of floats: -0 is below +0, and a NaN loses against a number. In
 * IEEE mode a signalling NaN wins instead, and is quiet then. Of three the median, which looks for
 * what is left when the maximum is taken away.
 */
#define CU_MIN_MAX(type, bits, value, sign, inf)                                                   \
	CU_INLINE bits cu_nan_##type(bits a) /* all bits or none */                                \
	{                                                                                          \
		return (a & ((sign)-1)) > (inf) ? ~(bits)0 : 0;                                    \
	}                                                                                          \
	CU_INLINE bits cu_loud_##type(bits r, bits a, bits ieee)                                   \
	{                                                                                          \
		const bits quiet = ((inf) & ~((inf) << 1)) >> 1;                                   \
		bits loud = cu_nan_##type(a) & (a & quiet ? 0 : ieee);                             \
                                                                                                   \
		return (r & ~loud) | ((a | quiet) & loud);                                         \
	}                                                                                          \
	CU_INLINE bits cu_not_nan_##type(bits r, bits a, bits b, bool ieee)                        \
	{                                                                                          \
		bits nan = cu_nan_##type(b), all = ieee ? ~(bits)0 : 0;                            \
                                                                                                   \
		r = (r & ~nan) | (a & nan);                                                        \
		nan = cu_nan_##type(a);                                                            \
		r = (r & ~nan) | (b & nan);                                                        \
		return cu_loud_##type(cu_loud_##type(r, b, all), a, all);                          \
	}                                                                                          \
	CU_INLINE bits cu_min_##type(bits a, bits b, bool ieee)                                    \
	{                                                                                          \
		bits r = value(a) < value(b) ? a : b;                                              \
                                                                                                   \
		r = value(a) == value(b) ? a | b : r;                                              \
		return cu_not_nan_##type(r, a, b, ieee);                                           \
	}                                                                                          \
	CU_INLINE bits cu_max_##type(bits a, bits b, bool ieee)                                    \
	{                                                                                          \
		bits r = value(a) > value(b) ? a : b;                                              \
                                                                                                   \
		r = value(a) == value(b) ? a & b : r;                                              \
		return cu_not_nan_##type(r, a, b, ieee);                                           \
	}                                                                                          \
	CU_INLINE bits cu_med3_##type(bits a, bits b, bits c, bool ieee)                           \
	{                                                                                          \
		bits max = cu_max_##type(cu_max_##type(a, b, ieee), c, ieee);                      \
		bits min = cu_min_##type(cu_min_##type(a, b, ieee), c, ieee);                      \
		bits ab = cu_max_##type(a, b, ieee), ac = cu_max_##type(a, c, ieee);               \
		bits nan = cu_nan_##type(a) | cu_nan_##type(b) | cu_nan_##type(c);                 \
		bits r = value(max) == value(b) ? ac : ab;                                         \
                                                                                                   \
		r = value(max) == value(a) ? cu_max_##type(b, c, ieee) : r;                        \
		return (r & ~nan) | (min & nan);                                                   \
	}
CU_MIN_MAX(f16, uint32_t, cu_h2f, 0x8000u, 0x7c00u)
CU_MIN_MAX(f32, uint32_t, cu_f, 0x80000000u, 0x7f800000u)
CU_MIN_MAX(f64, uint64_t, cu_d, 1ull << 63, 0x7ffull << 52)

/* Conversions saturate; NaN is 0. */
CU_INLINE uint32_t cu_f2u(float f)
{
	float t = f > 0 ? f : 0; /* NaN too */

	return t >= 0x1p32f ? UINT32_MAX : (uint32_t)(int64_t)t;
}

CU_INLINE int32_t cu_f2i(float f)
{
	if (f != f)
		return 0;
	if (f >= 0x1p31f)
		return INT32_MAX;
	return f < -0x1p31f ? INT32_MIN : (int32_t)f;
}

CU_INLINE uint32_t cu_norm_i16(float f)
{
	f = f != f ? 0 : f > 1 ? 1 : f < -1 ? -1 : f;
	return (uint32_t)(uint16_t)(int32_t)nearbyint((double)f *
	                                              32767.0); /* the product is exact */
}

CU_INLINE uint32_t cu_norm_u16(float f)
{
	f = f > 1 ? 1 : f > 0 ? f : 0;
	return (uint32_t)nearbyint((double)f * 65535.0);
}

CU_INLINE uint32_t cu_pk_u8(float f, uint32_t which, uint32_t old)
{
	uint32_t s = 8 * (which & 3);
	float t = f > 0 ? nearbyintf(f) : 0;

	return (old & ~(0xffu << s)) | (t > 255 ? 255u : (uint32_t)t) << s;
}

/* A NaN made quiet, which not every host's way to round to an integer does. */
CU_INLINE float cu_quietf(float f)
{
	return f != f ? f + f : f;
}

CU_INLINE double cu_quietd(double d)
{
	return d != d ? d + d : d;
}

CU_INLINE float cu_fractf(float f)
{
	float r = f - floorf(f);

	return r != r ? r : r < 0x1.fffffep-1f ? r : 0x1.fffffep-1f; /* stays below 1 */
}

/* The f16 below 1, at most. */
CU_INLINE uint32_t cu_below_one16(uint32_t r)
{
	return r == 0x3c00 ? 0x3bffu : r;
}

CU_INLINE double cu_fractd(double d)
{
	double r = d - floor(d);

	return r != r ? r : r < 0x1.fffffffffffffp-1 ? r : 0x1.fffffffffffffp-1;
}

/* 2^e, -1022 <= e <= 1023 */
CU_INLINE double cu_power(int e)
{
	return cu_d((uint64_t)(1023 + e) << 52);
}

/* Every float is a normal double. */
CU_INLINE float cu_frexp_mant(float f)
{
	uint64_t u = cu_ud((double)f);
	float r = (float)cu_d((u & 0x800fffffffffffffull) | 1022ull << 52);

	return f - f != 0 || f == 0 ? f + f : r;
}

CU_INLINE int32_t cu_frexp_exp(float f)
{
	int32_t e = (int32_t)(cu_ud((double)f) >> 52 & 0x7ff) - 1022;

	return f - f != 0 || f == 0 ? 0 : e;
}

CU_INLINE float cu_ldexpf(float f, int32_t e)
{
	return (float)((double)f * cu_power(cu_clamp_s(e, -400, 400)));
}

CU_INLINE double cu_frexp_mantd(double d)
{
	int e;

	return d - d == 0 ? frexp(d, &e) : d + d;
}

/* ---- cube maps: which face, its two coordinates, twice its major axis */
CU_INLINE float cu_cubeid(float x, float y, float z)
{
	float ax = fabsf(x), ay = fabsf(y), az = fabsf(z);

	if (az >= ax && az >= ay)
		return z < 0 ? 5.0f : 4.0f;
	if (ay >= ax)
		return y < 0 ? 3.0f : 2.0f;
	return x < 0 ? 1.0f : 0.0f;
}

CU_INLINE float cu_cubesc(float x, float y, float z)
{
	float ax = fabsf(x), ay = fabsf(y), az = fabsf(z);

	if (az >= ax && az >= ay)
		return z < 0 ? -x : x;
	if (ay >= ax)
		return x;
	return x < 0 ? z : -z;
}

CU_INLINE float cu_cubetc(float x, float y, float z)
{
	float ax = fabsf(x), ay = fabsf(y), az = fabsf(z);

	if (az >= ax && az >= ay)
		return -y;
	if (ay >= ax)
		return y < 0 ? -z : z;
	return -y;
}

CU_INLINE float cu_cubema(float x, float y, float z)
{
	float ax = fabsf(x), ay = fabsf(y), az = fabsf(z);

	if (az >= ax && az >= ay)
		return 2.0f * z;
	return ay >= ax ? 2.0f * y : 2.0f * x;
}

/* ---- classes: one bit for each kind of number, tested against a mask */
CU_INLINE uint32_t cu_class_bit(bool neg, bool nan, bool quiet, bool inf, bool zero, bool tiny)
{
	if (nan)
		return quiet ? 2 : 1;
	if (inf)
		return neg ? 1u << 2 : 1u << 9;
	if (zero)
		return neg ? 1u << 5 : 1u << 6;
	if (tiny)
		return neg ? 1u << 4 : 1u << 7;
	return neg ? 1u << 3 : 1u << 8;
}

CU_INLINE uint32_t cu_class_f32(uint32_t a, uint32_t mask)
{
	uint32_t m = a & 0x7fffffffu;
	uint32_t bit = cu_class_bit(a >> 31, m > 0x7f800000u, a & 0x400000u, m == 0x7f800000u,
	                            m == 0, m < 0x800000u);

	return bit & mask ? ~0u : 0;
}

CU_INLINE uint32_t cu_class_f16(uint32_t a, uint32_t mask)
{
	uint32_t m = a & 0x7fffu;
	uint32_t bit = cu_class_bit((a >> 15) & 1, m > 0x7c00u, a & 0x200u, m == 0x7c00u, m == 0,
	                            m < 0x400u);

	return bit & mask ? ~0u : 0;
}

CU_INLINE uint32_t cu_class_f64(uint64_t a, uint32_t mask)
{
	uint64_t m = a & ~(1ull << 63), inf = 0x7ffull << 52;
	uint32_t bit =
	        cu_class_bit(a >> 63, m > inf, (a >> 51) & 1, m == inf, m == 0, m < 1ull << 52);

	return bit & mask ? ~0u : 0;
}

/* ---- the special cases of a division num/den whose quotient is q */
CU_INLINE uint32_t cu_div_fixup_h(uint32_t q, uint32_t den, uint32_t num)
{
	uint32_t sign = (den ^ num) & 0x8000u, d = den & 0x7fffu, n = num & 0x7fffu;

	if (n > 0x7c00u)
		return num | 0x200u;
	if (d > 0x7c00u)
		return den | 0x200u;
	if ((d == 0 && n == 0) || (d == 0x7c00u && n == 0x7c00u))
		return 0xfe00u;
	if (d == 0 || n == 0x7c00u)
		return sign | 0x7c00u;
	if (d == 0x7c00u || n == 0)
		return sign;
	return sign | (q & 0x7fffu);
}

#endif
