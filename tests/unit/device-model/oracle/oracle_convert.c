/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conversions between number formats. */
#include "oracle.h"

static void to_int(const struct orc_lane *l, struct orc_result *r, const struct orc_format *from,
                   int64_t low, int64_t high)
{
	r->d = (uint64_t)orc_to_int(orc_integral(orc_source(l, from, 0), ORC_TO_ZERO), low, high) &
	       (high > 0xffff ? 0xffffffff : 0xffff);
}

#define TO_INT(name, from, low, high)                                                              \
	static void name(const struct orc_lane *l, struct orc_result *r)                           \
	{                                                                                          \
		to_int(l, r, from, low, high);                                                     \
	}
TO_INT(i32_f64, &orc_f64, INT32_MIN, INT32_MAX)
TO_INT(i32_f32, &orc_f32, INT32_MIN, INT32_MAX)
TO_INT(u32_f64, &orc_f64, 0, UINT32_MAX)
TO_INT(u32_f32, &orc_f32, 0, UINT32_MAX)
TO_INT(i16_f16, &orc_f16, INT16_MIN, INT16_MAX)
TO_INT(u16_f16, &orc_f16, 0, UINT16_MAX)

#define FROM_INT(name, to, num)                                                                    \
	static void name(const struct orc_lane *l, struct orc_result *r)                           \
	{                                                                                          \
		r->d = orc_result_bits(l, to, num);                                                \
	}
FROM_INT(f32_i32, &orc_f32, orc_from_int((int32_t)l->s[0]))
FROM_INT(f32_u32, &orc_f32, orc_from_uint((uint32_t)l->s[0]))
FROM_INT(f64_i32, &orc_f64, orc_from_int((int32_t)l->s[0]))
FROM_INT(f64_u32, &orc_f64, orc_from_uint((uint32_t)l->s[0]))
FROM_INT(f16_i16, &orc_f16, orc_from_int((int16_t)l->s[0]))
FROM_INT(f16_u16, &orc_f16, orc_from_uint((uint16_t)l->s[0]))
FROM_INT(f32_ubyte0, &orc_f32, orc_from_uint(l->s[0] & 255))
FROM_INT(f32_ubyte1, &orc_f32, orc_from_uint(l->s[0] >> 8 & 255))
FROM_INT(f32_ubyte2, &orc_f32, orc_from_uint(l->s[0] >> 16 & 255))
FROM_INT(f32_ubyte3, &orc_f32, orc_from_uint(l->s[0] >> 24 & 255))
FROM_INT(f32_f64, &orc_f32, orc_source(l, &orc_f64, 0))
FROM_INT(f64_f32, &orc_f64, orc_source(l, &orc_f32, 0))
FROM_INT(f16_f32, &orc_f16, orc_source(l, &orc_f32, 0))
FROM_INT(f32_f16, &orc_f32, orc_source(l, &orc_f16, 0))

static struct orc_num half(void)
{
	return (struct orc_num){.kind = ORC_FINITE, .exp = -1, .man = 1};
}

/* floor(x + 0.5). The compiler takes the sum for an f32; the document does not say that it is
 * rounded. They differ at the largest number below a half. */
static void rpi(const struct orc_lane *l, struct orc_result *r)
{
	struct orc_pack nearest = {ORC_NEAREST, false, false};
	struct orc_num v = orc_add(orc_source(l, &orc_f32, 0), half(), ORC_DOWN);
	struct orc_num rounded = orc_unpack(&orc_f32, orc_round(&orc_f32, v, nearest), false);

	r->has_alt = true;
	r->alt = (uint32_t)orc_to_int(orc_integral(v, ORC_DOWN), INT32_MIN, INT32_MAX);
	r->d = (uint32_t)orc_to_int(orc_integral(rounded, ORC_DOWN), INT32_MIN, INT32_MAX);
}

static void flr(const struct orc_lane *l, struct orc_result *r)
{
	struct orc_num v = orc_integral(orc_source(l, &orc_f32, 0), ORC_DOWN);

	r->d = (uint32_t)orc_to_int(v, INT32_MIN, INT32_MAX);
}

/* A signed 4-bit number over 16. */
static void off_i4(const struct orc_lane *l, struct orc_result *r)
{
	struct orc_num v = orc_from_int((int64_t)(l->s[0] << 60) >> 60);

	v.exp -= 4;
	r->d = orc_result_bits(l, &orc_f32, v);
}

static void frexp_exp(const struct orc_lane *l, struct orc_result *r)
{
	struct orc_num v = orc_source(l, l->f, 0);
	int e = v.kind == ORC_FINITE ? orc_ilog2(v) + 1 : 0;

	r->d = l->f == &orc_f16 ? (uint16_t)e : (uint32_t)e;
}

/* v * scale to an integer of [low, high]. */
static uint32_t norm(struct orc_num v, int64_t scale, int64_t low, enum orc_rounding how)
{
	v = orc_mul(v, orc_from_int(scale));
	return (uint16_t)orc_to_int(orc_integral(v, how), low, scale);
}

static uint32_t norm_source(const struct orc_lane *l, const struct orc_format *f, unsigned k,
                            bool sign, enum orc_rounding how)
{
	return norm(orc_source(l, f, k), sign ? 32767 : 65535, sign ? -32767 : 0, how);
}

/* The document says of the f16 forms that they round as MODE does, of the others nothing:
 * to the nearest is accepted of all. */
static void norm2(const struct orc_lane *l, struct orc_result *r, const struct orc_format *f,
                  bool sign)
{
	enum orc_rounding how = orc_mode_round(l->mode, f);

	r->d = norm_source(l, f, 1, sign, how) << 16 | norm_source(l, f, 0, sign, how);
	r->has_alt = true;
	r->alt = norm_source(l, f, 1, sign, ORC_NEAREST) << 16 |
	         norm_source(l, f, 0, sign, ORC_NEAREST);
}

#define NORM(name, f, sign)                                                                        \
	static void pknorm_##name(const struct orc_lane *l, struct orc_result *r)                  \
	{                                                                                          \
		norm2(l, r, f, sign);                                                              \
	}
NORM(i16_f32, &orc_f32, true)
NORM(u16_f32, &orc_f32, false)
NORM(i16_f16, &orc_f16, true)
NORM(u16_f16, &orc_f16, false)

static void norm1(const struct orc_lane *l, struct orc_result *r, bool sign)
{
	r->d = norm_source(l, &orc_f16, 0, sign, orc_mode_round(l->mode, &orc_f16));
	r->has_alt = true;
	r->alt = norm_source(l, &orc_f16, 0, sign, ORC_NEAREST);
}

static void norm_i16(const struct orc_lane *l, struct orc_result *r)
{
	norm1(l, r, true);
}

static void norm_u16(const struct orc_lane *l, struct orc_result *r)
{
	norm1(l, r, false);
}

static uint64_t rtz(const struct orc_lane *l, unsigned k)
{
	struct orc_pack how = {ORC_TO_ZERO, !orc_keeps_out(l->mode, &orc_f16), false};

	return orc_round(&orc_f16, orc_source(l, &orc_f32, k), how);
}

/* NaNs among the halves are compared as halves by the test: PKF16. */
static void pkrtz(const struct orc_lane *l, struct orc_result *r)
{
	r->d = rtz(l, 1) << 16 | rtz(l, 0);
}

/* The document says only "convert": both the nearest and the truncated byte are accepted. */
static void byte_into(const struct orc_lane *l, struct orc_result *r, uint64_t rest)
{
	unsigned at = 8 * (l->s[1] & 3);
	struct orc_num v = orc_source(l, &orc_f32, 0);

	rest = (uint32_t)rest & ~(0xffull << at);
	r->d = rest | (uint64_t)orc_to_int(orc_integral(v, ORC_NEAREST), 0, 255) << at;
	r->has_alt = true;
	r->alt = rest | (uint64_t)orc_to_int(orc_integral(v, ORC_TO_ZERO), 0, 255) << at;
}

static void pk_u8(const struct orc_lane *l, struct orc_result *r)
{
	byte_into(l, r, l->s[2]);
}

static void pkaccum_u8(const struct orc_lane *l, struct orc_result *r)
{
	byte_into(l, r, l->old);
}

/* clang-format off */
#define CVT(name) {"v_cvt_" #name, name}

static const struct orc_row rows[] = {
	CVT(i32_f64), CVT(i32_f32), CVT(u32_f64), CVT(u32_f32), CVT(i16_f16), CVT(u16_f16),
	CVT(f32_i32), CVT(f32_u32), CVT(f64_i32), CVT(f64_u32), CVT(f16_i16), CVT(f16_u16),
	CVT(f32_ubyte0), CVT(f32_ubyte1), CVT(f32_ubyte2), CVT(f32_ubyte3),
	CVT(f32_f64), CVT(f64_f32), CVT(f16_f32), CVT(f32_f16),
	{"v_cvt_rpi_i32_f32", rpi}, {"v_cvt_flr_i32_f32", flr}, {"v_cvt_off_f32_i4", off_i4},
	{"v_frexp_exp_i32_f64", frexp_exp}, {"v_frexp_exp_i32_f32", frexp_exp},
	{"v_frexp_exp_i16_f16", frexp_exp},
	CVT(pknorm_i16_f32), CVT(pknorm_u16_f32), CVT(pknorm_i16_f16), CVT(pknorm_u16_f16),
	{"v_cvt_norm_i16_f16", norm_i16}, {"v_cvt_norm_u16_f16", norm_u16},
	{"v_cvt_pkrtz_f16_f32", pkrtz}, {"v_cvt_pk_u8_f32", pk_u8},
	{"v_cvt_pkaccum_u8_f32", pkaccum_u8},
};
/* clang-format on */

const struct orc_table orc_convert_rows = ORC_TABLE(rows);
