/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>

#include "math_check.h"

const char *const math_format_name[MATH_FORMATS] = {"f32", "f64", "f16"};
const unsigned math_bytes[MATH_FORMATS] = {4, 8, 2};

static const struct {
	int digits, min_exp, max_exp; /* bits of the mantissa; of the smallest normal number, the
	                                 largest: 2^min_exp, below 2^max_exp */
} formats[MATH_FORMATS] = {{24, -126, 128}, {53, -1022, 1024}, {11, -14, 16}};

static long double half_value(uint16_t h)
{
	int e = h >> 10 & 31;
	long double m = h & 1023;

	if (e == 31)
		m = m != 0 ? (long double)NAN : (long double)INFINITY;
	else
		m = e ? ldexpl(1024 + m, e - 25) : ldexpl(m, -24);
	return h & 0x8000 ? -m : m;
}

long double math_get(enum math_format f, const void *array, size_t i)
{
	const uint8_t *at = (const uint8_t *)array + i * math_bytes[f];
	uint16_t h;
	float s;
	double d;

	switch (f) {
	case MATH_F32:
		memcpy(&s, at, sizeof(s));
		return s;
	case MATH_F64:
		memcpy(&d, at, sizeof(d));
		return d;
	default:
		memcpy(&h, at, sizeof(h));
		return half_value(h);
	}
}

/* Bits of a number that the format has. */
static uint64_t encode(enum math_format f, double x)
{
	uint64_t bits = 0;
	float s = (float)x;
	int e = 0;
	double m;

	if (f == MATH_F32)
		memcpy(&bits, &s, sizeof(s));
	else if (f == MATH_F64)
		memcpy(&bits, &x, sizeof(x));
	if (f != MATH_F16)
		return bits;
	m = frexp(fabs(x), &e); /* truncated: it only makes inputs */
	bits = x == 0 ? 0 : (uint64_t)(e + 14) << 10 | ((uint64_t)(m * 2048) & 1023);
	return bits | (signbit(x) ? 0x8000 : 0);
}

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * 0x2545f4914f6cdd1dull;
}

/* Zero, denormals, largest, infinity, NaN, and neighbours of one, each with both signs. */
static uint64_t edge(enum math_format f, size_t i)
{
	unsigned mantissa = (unsigned)formats[f].digits - 1, bits = math_bytes[f] * 8;
	uint64_t one = encode(f, 1.0), inf = (1ull << (bits - 1)) - (1ull << mantissa);
	const uint64_t list[] = {
	        0,
	        1,
	        (1ull << mantissa) - 1,
	        1ull << mantissa,
	        inf - 1,
	        inf,
	        inf | 1ull << (mantissa - 1),
	        one,
	        one - 1,
	        one + 1,
	        encode(f, 2.0),
	        encode(f, 0.5),
	        encode(f, 3.0),
	        encode(f, 1.5),
	        encode(f, 0.25),
	        encode(f, 3.140625),
	};
	uint64_t v = list[i / 2 % GV_ARRAY_LEN(list)];

	return v | (uint64_t)(i & 1) << (bits - 1);
}

void math_fill(enum math_format f, void *array, size_t n, uint64_t seed, bool small_ints)
{
	uint64_t state = seed * 0x9e3779b97f4a7c15ull + 1;

	for (size_t i = 0; i < n; i++) {
		uint64_t r = next(&state), v;
		double near = (double)(int64_t)(next(&state) >> 11) / 4503599627370496.0; /* 0..2 */
		static const double scales[] = {1, 8, 100, 1e-3, -1, -8, -100, -1e-3};

		if (small_ints)
			v = encode(f, (double)((int)(r >> 40) % 41 - 20));
		else if (i < 1024) /* all pairs of edges, for functions of two */
			v = edge(f, seed & 1 ? i : i / 32);
		else if (r & 1)
			v = encode(f, near * scales[r >> 1 & 7]);
		else
			v = r >> 8 ^ r << 40;
		memcpy((uint8_t *)array + i * math_bytes[f], &v, math_bytes[f]);
	}
}

double math_ulps(enum math_format f, long double want, long double got)
{
	long double largest =
	        ldexpl(2.0L - ldexpl(1.0L, 1 - formats[f].digits), formats[f].max_exp - 1);
	int e;

	if (isnan(want) || isnan(got))
		return isnan(want) && isnan(got) ? 0 : INFINITY;
	/* what is larger than the format's largest: infinity stands for the next step */
	if (isinf(got) && fabsl(want) > largest * 0.9999L && signbit(got) == signbit(want))
		got = copysignl(ldexpl(1.0L, formats[f].max_exp), got);
	if (fabsl(want) >= ldexpl(1.0L, formats[f].max_exp))
		want = copysignl(ldexpl(1.0L, formats[f].max_exp), want);
	if (want == got)
		return 0;
	if (isinf(got))
		return INFINITY;
	e = want != 0 ? ilogbl(want) : formats[f].min_exp;
	e = GV_MIN(GV_MAX(e, formats[f].min_exp), formats[f].max_exp - 1);
	return (double)(fabsl(want - got) / ldexpl(1.0L, e - formats[f].digits + 1));
}
