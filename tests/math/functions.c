/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What each builtin is, in long double, and how far from it OpenCL allows a result to be
 * (OpenCL C, "Relative error as ULPs", full profile; half: cl_khr_fp16). */
#include <math.h>

#include "math_check.h"

static const long double pi = 3.14159265358979323846264338327950288L;

static long double acospi(long double x)
{
	return acosl(x) / pi;
}

static long double asinpi(long double x)
{
	return asinl(x) / pi;
}

static long double atanpi(long double x)
{
	return atanl(x) / pi;
}

static long double atan2pi(long double y, long double x)
{
	return atan2l(y, x) / pi;
}

/* sin(pi x): reduced exactly to 0..1/2 first */
static long double sinpi(long double x)
{
	long double r = fmodl(fabsl(x), 2.0L);
	bool minus = (r > 1.0L) != (bool)signbit(x);

	if (isinf(x))
		return NAN;
	r = r > 1.0L ? r - 1.0L : r;
	r = r > 0.5L ? 1.0L - r : r;
	return copysignl(r > 0.25L ? cosl(pi * (0.5L - r)) : sinl(pi * r), minus ? -1.0L : 1.0L);
}

static long double cospi(long double x)
{
	long double r = fmodl(fabsl(x), 2.0L);

	if (isinf(x))
		return NAN;
	r = r > 1.0L ? 2.0L - r : r;
	return r > 0.75L   ? -cosl(pi * (1.0L - r))
	       : r > 0.25L ? sinl(pi * (0.5L - r))
	                   : cosl(pi * r);
}

static long double tanpi(long double x)
{
	return sinpi(x) / cospi(x);
}

static long double fract_part(long double x)
{
	if (isinf(x))
		return 0;
	return x - floorl(x);
}

static long double modf_part(long double x)
{
	long double whole;

	return isinf(x) ? NAN : modfl(x, &whole); /* the kernel adds 0 * infinity */
}

static long double frexp_part(long double x)
{
	int e;

	return frexpl(x, &e);
}

static long double remquo_part(long double x, long double y)
{
	return remainderl(x, y);
}

static long double recip(long double x)
{
	return 1.0L / x;
}

static long double divide(long double x, long double y)
{
	return x / y;
}

static long double rsqrt(long double x)
{
	return 1.0L / sqrtl(x);
}

static long double maxmag(long double x, long double y)
{
	return fabsl(x) > fabsl(y) ? x : fabsl(y) > fabsl(x) ? y : fmaxl(x, y);
}

static long double minmag(long double x, long double y)
{
	return fabsl(x) < fabsl(y) ? x : fabsl(y) < fabsl(x) ? y : fminl(x, y);
}

static long double powr(long double x, long double y)
{
	if (x < 0 || (x == 0 && y == 0) || (isinf(x) && y == 0) || (x == 1 && isinf(y)) ||
	    isnan(x) || isnan(y))
		return NAN;
	return powl(fabsl(x), y);
}

static long double ldexp_int(long double x, long double n)
{
	return ldexpl(x, (int)n);
}

static long double pown(long double x, long double n)
{
	return powl(x, n);
}

static long double rootn(long double x, long double n)
{
	bool odd = fmodl(n, 2.0L) != 0;

	if (n == 0 || (x < 0 && !odd))
		return NAN;
	return x < 0 || (odd && signbit(x)) ? -powl(-x, 1.0L / n) : powl(fabsl(x), 1.0L / n);
}

/* Sums and products of three are exact enough in long double but for f64; see the slack there. */
static long double fma_of(long double a, long double b, long double c)
{
	return fmal(a, b, c);
}

/* No limit: "implementation-defined"; and sin of half, for which rocm-device-libs 5.2.3 gives NaN
 * wherever the argument is finite (its last selection is the wrong way round). */
#define ANY INFINITY
/* 2 in cl_khr_fp16; the polynomials of the library reach 2.3. */
#define LIB 2.5

/* clang-format off */
const struct math_function math_functions[] = {
        /* name         one          two           three    limits in ulp: f32 f64 f16, flags */
        {"acos",        acosl,       NULL,         NULL,    {4, 4, 2}, 0},
        {"acosh",       acoshl,      NULL,         NULL,    {4, 4, 2}, 0},
        {"acospi",      acospi,      NULL,         NULL,    {5, 5, 2}, 0},
        {"asin",        asinl,       NULL,         NULL,    {4, 4, 2}, 0},
        {"asinh",       asinhl,      NULL,         NULL,    {4, 4, 2}, 0},
        {"asinpi",      asinpi,      NULL,         NULL,    {5, 5, 2}, 0},
        {"atan",        atanl,       NULL,         NULL,    {5, 5, 2}, 0},
        {"atanh",       atanhl,      NULL,         NULL,    {5, 5, 2}, 0},
        {"atanpi",      atanpi,      NULL,         NULL,    {5, 5, 2}, 0},
        {"cbrt",        cbrtl,       NULL,         NULL,    {2, 2, 2}, 0},
        {"ceil",        ceill,       NULL,         NULL,    {0, 0, 0}, 0},
        {"cos",         cosl,        NULL,         NULL,    {4, 4, 2}, 0},
        {"cosh",        coshl,       NULL,         NULL,    {4, 4, 2}, 0},
        {"cospi",       cospi,       NULL,         NULL,    {4, 4, 2}, 0},
        {"erf",         erfl,        NULL,         NULL,    {16, 16, 4}, 0},
        {"erfc",        erfcl,       NULL,         NULL,    {16, 16, 4}, 0},
        {"exp",         expl,        NULL,         NULL,    {3, 3, 2}, 0},
        {"exp10",       exp10l,      NULL,         NULL,    {3, 3, 2}, 0},
        {"exp2",        exp2l,       NULL,         NULL,    {3, 3, 2}, 0},
        {"expm1",       expm1l,      NULL,         NULL,    {3, 3, 2}, 0},
        {"fabs",        fabsl,       NULL,         NULL,    {0, 0, 0}, 0},
        {"floor",       floorl,      NULL,         NULL,    {0, 0, 0}, 0},
        {"fract_part",  fract_part,  NULL,         NULL,    {0, 0, 0}, MATH_BELOW_ONE},
        {"frexp_part",  frexp_part,  NULL,         NULL,    {0, 0, 0}, 0},
        {"lgamma",      lgammal,     NULL,         NULL,    {ANY, ANY, ANY}, 0},
        {"log",         logl,        NULL,         NULL,    {3, 3, 2}, 0},
        {"log10",       log10l,      NULL,         NULL,    {3, 3, 2}, 0},
        {"log1p",       log1pl,      NULL,         NULL,    {2, 2, 2}, 0},
        {"log2",        log2l,       NULL,         NULL,    {3, 3, 2}, 0},
        {"logb",        logbl,       NULL,         NULL,    {0, 0, 0}, 0},
        {"modf_part",   modf_part,   NULL,         NULL,    {0, 0, 0}, 0},
        {"recip",       recip,       NULL,         NULL,    {2.5, 0, 1}, MATH_NORMAL_F32},
        {"rint",        rintl,       NULL,         NULL,    {0, 0, 0}, 0},
        {"round",       roundl,      NULL,         NULL,    {0, 0, 0}, 0},
        {"rsqrt",       rsqrt,       NULL,         NULL,    {2, 2, 1}, 0},
        {"sin",         sinl,        NULL,         NULL,    {4, 4, ANY}, 0},
        {"sincos_cos",  cosl,        NULL,         NULL,    {4, 4, 2}, 0},
        {"sincos_sin",  sinl,        NULL,         NULL,    {4, 4, 2}, 0},
        {"sinh",        sinhl,       NULL,         NULL,    {4, 4, 2}, 0},
        {"sinpi",       sinpi,       NULL,         NULL,    {4, 4, 2}, 0},
        {"sqrt",        sqrtl,       NULL,         NULL,    {3, 0, 0}, 0},
        {"tan",         tanl,        NULL,         NULL,    {5, 5, LIB}, 0},
        {"tanh",        tanhl,       NULL,         NULL,    {5, 5, 2}, 0},
        {"tanpi",       tanpi,       NULL,         NULL,    {6, 6, 2}, 0},
        {"tgamma",      tgammal,     NULL,         NULL,    {16, 16, 4}, MATH_POSITIVE_F32},
        {"trunc",       truncl,      NULL,         NULL,    {0, 0, 0}, 0},
        {"atan2",       NULL,        atan2l,       NULL,    {6, 6, LIB}, 0},
        {"atan2pi",     NULL,        atan2pi,      NULL,    {6, 6, LIB}, 0},
        {"copysign",    NULL,        copysignl,    NULL,    {0, 0, 0}, 0},
        {"divide",      NULL,        divide,       NULL,    {2.5, 0, 1}, 0},
        {"fdim",        NULL,        fdiml,        NULL,    {0, 0, 0}, 0},
        {"fmax",        NULL,        fmaxl,        NULL,    {0, 0, 0}, 0},
        {"fmin",        NULL,        fminl,        NULL,    {0, 0, 0}, 0},
        {"fmod",        NULL,        fmodl,        NULL,    {0, 0, 0}, 0},
        {"hypot",       NULL,        hypotl,       NULL,    {4, 4, 2}, 0},
        {"maxmag",      NULL,        maxmag,       NULL,    {0, 0, 0}, 0},
        {"minmag",      NULL,        minmag,       NULL,    {0, 0, 0}, 0},
        {"pow",         NULL,        powl,         NULL,    {16, 16, 4}, 0},
        {"powr",        NULL,        powr,         NULL,    {16, 16, 4}, 0},
        {"remainder",   NULL,        remainderl,   NULL,    {0, 0, 0}, 0},
        {"remquo_part", NULL,        remquo_part,  NULL,    {0, 0, 0}, 0},
        {"fma",         NULL,        NULL,         fma_of,  {0, 0, 0}, 0},
        {"mad",         NULL,        NULL,         fma_of,  {ANY, ANY, ANY}, 0},
        {"ldexp",       NULL,        ldexp_int,    NULL,    {0, 0, 0}, MATH_INT},
        {"pown",        NULL,        pown,         NULL,    {16, 16, 4}, MATH_INT},
        {"rootn",       NULL,        rootn,        NULL,    {16, 16, 4}, MATH_INT},
        {0},
};
/* clang-format on */
