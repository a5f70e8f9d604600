/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sine, cosine, powers and logarithms, for which the hardware has tables: here
 * good to about 1e-10, so that one rounding is left. Written without calls and
 * branches, for the vector units.
 */
#ifndef GV_CU_CORES_TRANS_H
#define GV_CU_CORES_TRANS_H

#include "cores_math.h"

#define CU_ROUND_BY 0x1.8p52 /* added and taken away again, it rounds doubles below 2^51 */

CU_INLINE double cu_nearest(double d)
{
	return (d + CU_ROUND_BY) - CU_ROUND_BY;
}

/* sin and cos of 2 pi y, |y| <= 1/8 */
CU_INLINE double cu_sin_eighth(double y)
{
	double t = 6.283185307179586476925 * y, z = t * t, p = -1.0 / 39916800;

	p = p * z + 1.0 / 362880;
	p = p * z - 1.0 / 5040;
	p = p * z + 1.0 / 120;
	p = p * z - 1.0 / 6;
	return t + t * z * p;
}

CU_INLINE double cu_cos_eighth(double y)
{
	double t = 6.283185307179586476925 * y, z = t * t, p = 1.0 / 479001600;

	p = p * z - 1.0 / 3628800;
	p = p * z + 1.0 / 40320;
	p = p * z - 1.0 / 720;
	p = p * z + 1.0 / 24;
	p = p * z - 1.0 / 2;
	return 1 + z * p;
}

/* The angle is in turns; reducing it is exact, so quarter turns give 0 and 1. @ahead: quarters. */
CU_INLINE double cu_turn(float f, int ahead)
{
	double t = (double)f, r = t - cu_nearest(t), quarters, y, s, c;
	int k;

	r = fabs(t) < 0x1p24 ? r : t - t; /* whole turns beyond; NaN for infinities */
	quarters = cu_nearest(4 * r);
	k = (int)(r == r ? quarters : 0) + ahead;
	y = r - 0.25 * quarters;
	s = cu_sin_eighth(y);
	c = cu_cos_eighth(y);
	s = k & 1 ? c : s;
	return (k & 2 ? -s : s) + 0.0; /* no -0 */
}

CU_INLINE float cu_sin_turns(float f)
{
	return f == 0 ? f : (float)cu_turn(f, 0);
}

CU_INLINE float cu_cos_turns(float f)
{
	return (float)cu_turn(f, 1);
}

CU_INLINE float cu_exp2(float f)
{
	double x = (double)(f > 200 ? 200 : f < -200 ? -200 : f), k, t, p = 1.0 / 3628800;

	x = f == f ? x : 0;
	k = cu_nearest(x);
	t = (x - k) * 0.693147180559945309417;
	p = p * t + 1.0 / 362880;
	p = p * t + 1.0 / 40320;
	p = p * t + 1.0 / 5040;
	p = p * t + 1.0 / 720;
	p = p * t + 1.0 / 120;
	p = p * t + 1.0 / 24;
	p = p * t + 1.0 / 6;
	p = p * t + 1.0 / 2;
	p = 1 + (t + t * t * p);
	return f == f ? (float)(p * cu_power((int)k)) : f + f;
}

CU_INLINE float cu_log2(float f)
{
	uint64_t u = cu_ud((double)f);
	/* f = m 2^e with m from sqrt(1/2) to sqrt(2) */
	uint64_t up = (u & 0xfffffffffffffull) > 0x6a09e667f3bccull;
	int e = (int)(u >> 52) - 1023 + (int)up;
	double m = cu_d((u & 0xfffffffffffffull) | (1023 - up) << 52);
	double s = (m - 1) / (m + 1), z = s * s, p = 1.0 / 15;
	float r;

	p = p * z + 1.0 / 13;
	p = p * z + 1.0 / 11;
	p = p * z + 1.0 / 9;
	p = p * z + 1.0 / 7;
	p = p * z + 1.0 / 5;
	p = p * z + 1.0 / 3;
	r = (float)((double)e + 2.885390081777926814720 * (s + s * z * p));
	r = f == 0 ? -INFINITY : f < 0 ? cu_f(0xffc00000u) : r;
	return f - f == 0 ? r : f > 0 || f != f ? f + f : cu_f(0xffc00000u);
}

#endif
