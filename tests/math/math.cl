/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each builtin as a kernel of its own. T: float, double or half. */
#pragma OPENCL EXTENSION cl_khr_fp16 : enable

#define KERNEL(name, result)                                                                       \
	__kernel void name(__global const T *pa, __global const T *pb, __global const T *pc,       \
	                   __global T *out, uint n)                                                \
	{                                                                                          \
		size_t i = get_global_id(0);                                                       \
		T a = pa[i], b = pb[i], c = pc[i];                                                 \
                                                                                                   \
		if (i < n)                                                                         \
			out[i] = result;                                                           \
	}
#define ONE(f)   KERNEL(k_##f, f(a))
#define TWO(f)   KERNEL(k_##f, f(a, b))
#define THREE(f) KERNEL(k_##f, f(a, b, c))
#define INT(f)   KERNEL(k_##f, f(a, (int)b))

static T fract_part(T x)
{
	T whole;

	return fract(x, &whole);
}

static T modf_part(T x)
{
	T whole;

	return modf(x, &whole) + whole * 0;
}

static T frexp_part(T x)
{
	int e;

	return frexp(x, &e);
}

static T remquo_part(T x, T y)
{
	int q;

	return remquo(x, y, &q);
}

static T sincos_sin(T x)
{
	T c;

	return sincos(x, &c);
}

static T sincos_cos(T x)
{
	T c;

	(void)sincos(x, &c);
	return c;
}

static T recip(T x)
{
	return (T)1 / x;
}

static T divide(T x, T y)
{
	return x / y;
}

ONE(acos) ONE(acosh) ONE(acospi) ONE(asin) ONE(asinh) ONE(asinpi) ONE(atan) ONE(atanh) ONE(atanpi)
ONE(cbrt) ONE(ceil) ONE(cos) ONE(cosh) ONE(cospi) ONE(erf) ONE(erfc) ONE(exp) ONE(exp10) ONE(exp2)
ONE(expm1) ONE(fabs) ONE(floor) ONE(fract_part) ONE(frexp_part) ONE(lgamma) ONE(log)
ONE(log10) ONE(log1p) ONE(log2) ONE(logb) ONE(modf_part) ONE(recip) ONE(rint) ONE(round) ONE(rsqrt)
ONE(sin) ONE(sincos_cos) ONE(sincos_sin) ONE(sinh) ONE(sinpi) ONE(sqrt) ONE(tan) ONE(tanh)
ONE(tanpi) ONE(tgamma) ONE(trunc)
TWO(atan2) TWO(atan2pi) TWO(copysign) TWO(divide) TWO(fdim) TWO(fmax) TWO(fmin) TWO(fmod)
TWO(hypot) TWO(maxmag) TWO(minmag) TWO(nextafter) TWO(pow) TWO(powr) TWO(remainder)
TWO(remquo_part)
THREE(fma) THREE(mad)
INT(ldexp) INT(pown) INT(rootn)
