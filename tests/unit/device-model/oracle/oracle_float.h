/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exact binary floating point for the oracle: a number is sign, 128-bit integer
 * and power of two, so a sum, a product or a fused product-sum is known exactly
 * (one sticky bit for what is far below) and is rounded once, in any of the four
 * rounding modes, to f16, f32 or f64. No host floating point is involved.
 */
#ifndef ORACLE_FLOAT_H
#define ORACLE_FLOAT_H

#include <stdbool.h>
#include <stdint.h>

typedef unsigned __int128 orc_u128;

enum orc_kind { ORC_ZERO, ORC_FINITE, ORC_INF, ORC_NAN };

/* (-1)^neg * man * 2^exp */
struct orc_num {
	enum orc_kind kind;
	bool neg;
	int exp;
	orc_u128 man;
};

struct orc_format {
	unsigned bits, fraction, exponent;
};
extern const struct orc_format orc_f16, orc_f32, orc_f64;

/* MODE.FP_ROUND's numbers. */
enum orc_rounding { ORC_NEAREST, ORC_UP, ORC_DOWN, ORC_TO_ZERO };

/* How a result becomes bits. */
struct orc_pack {
	enum orc_rounding rounding;
	bool flush;     /* denormal results are zero, with their sign */
	bool saturates; /* MODE.FP16_OVFL: what overflows is the largest number */
};

struct orc_num orc_unpack(const struct orc_format *f, uint64_t bits, bool flush);
uint64_t orc_round(const struct orc_format *f, struct orc_num v, struct orc_pack how);
/** What a mantissa without a limit of the exponent would be: NaN stays NaN. */
struct orc_num orc_add(struct orc_num a, struct orc_num b, enum orc_rounding r);
struct orc_num orc_mul(struct orc_num a, struct orc_num b);
struct orc_num orc_fma(struct orc_num a, struct orc_num b, struct orc_num c, enum orc_rounding r);
/** To an integer, exactly; ORC_NEAREST is to even. */
struct orc_num orc_integral(struct orc_num v, enum orc_rounding r);
struct orc_num orc_negate(struct orc_num v);
struct orc_num orc_from_int(int64_t v);
struct orc_num orc_from_uint(uint64_t v);
/** An integral number between @low and @high; NaN is 0. */
int64_t orc_to_int(struct orc_num v, int64_t low, int64_t high);
/** -1, 0, 1; 2 when one is a NaN. */
int orc_compare(struct orc_num a, struct orc_num b);
/** Exponent e of 2^e <= |v| < 2^(e+1); v is finite and not 0. */
int orc_ilog2(struct orc_num v);
long double orc_to_long_double(struct orc_num v);

bool orc_is_nan(const struct orc_format *f, uint64_t bits);
bool orc_is_snan(const struct orc_format *f, uint64_t bits);
bool orc_is_denormal(const struct orc_format *f, uint64_t bits);
uint64_t orc_quiet(const struct orc_format *f, uint64_t bits);
uint64_t orc_sign_bit(const struct orc_format *f);
uint64_t orc_inf_bits(const struct orc_format *f);
/** The number of 1.0. */
uint64_t orc_one_bits(const struct orc_format *f);

#endif
