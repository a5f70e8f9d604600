/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gv-math: functions.c says what is right, numbers.c makes and measures numbers of three formats,
 * main.c runs the kernels and prints the table. */
#ifndef GV_MATH_CHECK_H
#define GV_MATH_CHECK_H

#include <gv/base.h>

enum math_format { MATH_F32, MATH_F64, MATH_F16, MATH_FORMATS };

enum {
	MATH_INT = 1,       /* the second argument is an integer: small whole numbers */
	MATH_BELOW_ONE = 2, /* never rounds up to 1 */
	/* What the compiler or the library gets wrong on hardware as well: */
	MATH_NORMAL_F32 = 4,   /* f32 denormals: 1 / x is V_RCP_F32 alone, which takes them as 0 */
	MATH_POSITIVE_F32 = 8, /* f32 below 0: tgamma() of 5.2.3 goes up where it should not */
};

struct math_function {
	const char *name; /* the kernel is k_NAME */
	long double (*one)(long double);
	long double (*two)(long double, long double);
	long double (*three)(long double, long double, long double);
	double limit[MATH_FORMATS]; /* ulp; 0: correctly rounded */
	unsigned flags;
};

/** Ends with a name of NULL. */
extern const struct math_function math_functions[];

extern const char *const math_format_name[MATH_FORMATS];
extern const unsigned math_bytes[MATH_FORMATS];

/** Element @i of an array. */
long double math_get(enum math_format f, const void *array, size_t i);
/** Fill with edge cases, numbers of ordinary size, and any bits; @small_ints: whole numbers. The
 *  same @seed gives the same numbers. */
void math_fill(enum math_format f, void *array, size_t n, uint64_t seed, bool small_ints);
/** Units in the last place of @want between it and @got; 0 when both are NaN or the same
 *  infinity, INFINITY when only one is. */
double math_ulps(enum math_format f, long double want, long double got);

#endif
