/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The three helpers of a division: v_div_scale moves numerator and denominator
 * to where Newton's steps neither overflow nor lose bits and says so in VCC,
 * v_div_fmas does the last step and moves the quotient back, v_div_fixup puts
 * in what IEEE wants of zeros, infinities and NaNs. Together correctly rounded.
 */
#ifndef GV_CU_CORES_DIV_H
#define GV_CU_CORES_DIV_H

#include "cores_math.h"

CU_INLINE int cu_exp32(float f)
{
	return (int)(cu_u(f) >> 23 & 0xff);
}

CU_INLINE int cu_exp64(double d)
{
	return (int)(cu_ud(d) >> 52 & 0x7ff);
}

/* @s is the one to scale: numerator or denominator. */
CU_INLINE float cu_div_scale32(float s, float den, float num, uint32_t *vcc)
{
	bool scale_den = cu_u(s) == cu_u(den), scale_num = cu_u(s) == cu_u(num);
	/* in double nothing underflows, so these are the real quotients */
	bool tiny_rcp = fabs(1.0 / (double)den) < 0x1p-126;
	bool tiny_q = fabs((double)num / (double)den) < 0x1p-126;

	*vcc = 0;
	if (den == 0 || num == 0)
		return cu_f(0x7fc00000u);
	if (cu_exp32(num) - cu_exp32(den) >= 96) {
		*vcc = ~0u;
		return scale_den ? s * 0x1p64f : s;
	}
	if (cu_exp32(den) == 0)
		return s * 0x1p64f;
	if (tiny_rcp && tiny_q) {
		*vcc = ~0u; /* the quotient grows by 2^64, as in the next case but one */
		return scale_den ? s * 0x1p-64f : s;
	}
	if (tiny_rcp)
		return s * 0x1p-64f;
	if (tiny_q) {
		*vcc = ~0u;
		return scale_num ? s * 0x1p64f : s;
	}
	return cu_exp32(num) <= 23 ? s * 0x1p64f : s;
}

CU_INLINE double cu_div_scale64(double s, double den, double num, uint32_t *vcc)
{
	bool scale_den = cu_ud(s) == cu_ud(den), scale_num = cu_ud(s) == cu_ud(num);
	bool tiny_rcp = fabs(1.0 / den) < 0x1p-1022, tiny_q = fabs(num / den) < 0x1p-1022;

	*vcc = 0;
	if (den == 0 || num == 0)
		return cu_d(0x7ff8ull << 48);
	if (cu_exp64(num) - cu_exp64(den) >= 768) {
		*vcc = ~0u;
		return scale_den ? s * 0x1p128 : s;
	}
	if (cu_exp64(den) == 0)
		return s * 0x1p128;
	if (tiny_rcp && tiny_q) {
		*vcc = ~0u;
		return scale_den ? s * 0x1p-128 : s;
	}
	if (tiny_rcp)
		return s * 0x1p-128;
	if (tiny_q) {
		*vcc = ~0u;
		return scale_num ? s * 0x1p128 : s;
	}
	return cu_exp64(num) <= 53 ? s * 0x1p128 : s;
}

/* The last Newton step, and back from the scaled range: the quotient was scaled down if it is
 * large now, else up. Rounded once: in f32 the sum is to odd in double; in f64 the sources are
 * scaled instead, where that loses nothing. */
CU_INLINE float cu_div_fmas32(float a, float b, float c, uint32_t vcc)
{
	if (!vcc)
		return __builtin_fmaf(a, b, c);
	return (float)(cu_sum_to_odd((double)a * (double)b, (double)c) *
	               (cu_exp32(c) > 127 ? 0x1p64 : 0x1p-64));
}

CU_INLINE double cu_div_fmas64(double a, double b, double c, uint32_t vcc)
{
	bool swap = fabs(a) < fabs(b);
	double big = swap ? b : a, small = swap ? a : b, scaled = c * 0x1p-128;

	if (!vcc)
		return __builtin_fma(a, b, c);
	if (cu_exp64(c) > 1023)
		return __builtin_fma(a, b, c) * 0x1p128;
	if (cu_exp64(big) > 128 && (scaled * 0x1p128 == c || fabs(big * small) > 0x1p-700))
		return __builtin_fma(big * 0x1p-128, small,
		                     scaled * 0x1p128 == c ? scaled /* else it only rounds */
		                     : c < 0               ? -0x1p-1074
		                                           : 0x1p-1074);
	return __builtin_fma(a, b, c) * 0x1p-128;
}

/* A quotient among the subnormals that is half way between two: Newton's last step comes down on
 * either side of it, so it is rounded here. @units: the quotient in smallest subnormals. Anything
 * else is the program's business. */
CU_INLINE bool cu_half_way(double units)
{
	return fabs(units - floor(units) - 0.5) < 0x1p-20;
}

CU_INLINE uint32_t cu_div_settle32(float q, float den, float num)
{
	uint32_t mine = cu_u(q) & 0x7fffffffu, exact = cu_u(num / den) & 0x7fffffffu;
	bool near = mine <= 0x800000u && mine - exact + 1 <= 2;

	return near && cu_half_way(fabs((double)num / (double)den) * 0x1p149) ? exact : mine;
}

CU_INLINE uint64_t cu_div_settle64(double q, double den, double num)
{
	uint64_t m = ~(1ull << 63), mine = cu_ud(q) & m, exact = cu_ud(num / den) & m;
	bool near = mine <= 1ull << 52 && mine - exact + 1 <= 2;

	return near && cu_half_way(fabs(num * 0x1p537 / den) * 0x1p537) ? exact : mine;
}

CU_INLINE float cu_div_fixup32(float q, float den, float num)
{
	uint32_t sign = (cu_u(den) ^ cu_u(num)) & 0x80000000u;

	if (num != num || den != den)
		return num != num ? cu_f(cu_u(num) | 0x400000u) : cu_f(cu_u(den) | 0x400000u);
	if ((den == 0 && num == 0) || (isinf(den) && isinf(num)))
		return cu_f(0xffc00000u);
	if (den == 0 || isinf(num))
		return cu_f(sign | 0x7f800000u);
	if (q != q && cu_exp32(num) - cu_exp32(den) > 128) /* Newton's steps overflowed */
		return cu_f(sign | 0x7f000000u) * 0x1p64f;
	if (isinf(den) || num == 0)
		return cu_f(sign);
	if (cu_exp32(num) - cu_exp32(den) < -150)
		return cu_f(sign | 0x800000u) * 0x1p-64f; /* as MODE rounds what is so small */
	return cu_f(sign | cu_div_settle32(q, den, num));
}

CU_INLINE double cu_div_fixup64(double q, double den, double num)
{
	uint64_t sign = (cu_ud(den) ^ cu_ud(num)) & 1ull << 63;

	if (num != num || den != den)
		return cu_d((num != num ? cu_ud(num) : cu_ud(den)) | 1ull << 51);
	if ((den == 0 && num == 0) || (isinf(den) && isinf(num)))
		return cu_d(0xfff8ull << 48);
	if (den == 0 || isinf(num))
		return cu_d(sign | 0x7ffull << 52);
	if (q != q && cu_exp64(num) - cu_exp64(den) > 1024)
		return cu_d(sign | 0x7feull << 52) * 0x1p64;
	if (isinf(den) || num == 0)
		return cu_d(sign);
	if (cu_exp64(num) - cu_exp64(den) < -1075)
		return cu_d(sign | 1ull << 52) * 0x1p-128;
	return cu_d(sign | cu_div_settle64(q, den, num));
}

#endif
