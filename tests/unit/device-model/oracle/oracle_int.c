/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Integer instructions of the vector ALU. Sums and products are done in 128 bits. */
#include <stdlib.h>

#include "oracle.h"

typedef __int128 wide;

#define INT(name, expr)                                                                            \
	static void name(const struct orc_lane *l, struct orc_result *r)                           \
	{                                                                                          \
		uint32_t a = (uint32_t)l->s[0], b = (uint32_t)l->s[1], c = (uint32_t)l->s[2];      \
                                                                                                   \
		(void)a, (void)b, (void)c;                                                         \
		r->d = (uint64_t)(expr);                                                           \
	}

/* What does not fit into @bits wraps, or with clamp is the nearest that does. */
static uint64_t fit(const struct orc_lane *l, wide v, unsigned bits, bool is_signed)
{
	wide high = ((wide)1 << (is_signed ? bits - 1 : bits)) - 1, low = is_signed ? -high - 1 : 0;

	if (l->clamp)
		v = v < low ? low : v > high ? high : v;
	return (uint64_t)v & (bits == 64 ? ~0ull : (1ull << bits) - 1);
}

static wide u(const struct orc_lane *l, unsigned k, unsigned bits)
{
	return (wide)(l->s[k] & (bits == 64 ? ~0ull : (1ull << bits) - 1));
}

static wide s(const struct orc_lane *l, unsigned k, unsigned bits)
{
	return (wide)((int64_t)(l->s[k] << (64 - bits)) >> (64 - bits));
}

#define SUM(name, bits, sign, expr)                                                                \
	static void name(const struct orc_lane *l, struct orc_result *r)                           \
	{                                                                                          \
		r->d = fit(l, expr, bits, sign);                                                   \
	}
SUM(add_u32, 32, false, u(l, 0, 32) + u(l, 1, 32))
SUM(sub_u32, 32, false, u(l, 0, 32) - u(l, 1, 32))
SUM(subrev_u32, 32, false, u(l, 1, 32) - u(l, 0, 32))
SUM(add_i32, 32, true, s(l, 0, 32) + s(l, 1, 32))
SUM(sub_i32, 32, true, s(l, 0, 32) - s(l, 1, 32))
SUM(add_u16, 16, false, u(l, 0, 16) + u(l, 1, 16))
SUM(sub_u16, 16, false, u(l, 0, 16) - u(l, 1, 16))
SUM(subrev_u16, 16, false, u(l, 1, 16) - u(l, 0, 16))
SUM(add_i16, 16, true, s(l, 0, 16) + s(l, 1, 16))
SUM(sub_i16, 16, true, s(l, 0, 16) - s(l, 1, 16))
SUM(mad_u16, 16, false, u(l, 0, 16) * u(l, 1, 16) + u(l, 2, 16))
SUM(mad_i16, 16, true, s(l, 0, 16) * s(l, 1, 16) + s(l, 2, 16))
SUM(mad_u32_u16, 32, false, u(l, 0, 16) * u(l, 1, 16) + u(l, 2, 32))
SUM(mad_i32_i16, 32, true, s(l, 0, 16) * s(l, 1, 16) + s(l, 2, 32))
SUM(mad_u32_u24, 32, false, u(l, 0, 24) * u(l, 1, 24) + u(l, 2, 32))
SUM(mad_i32_i24, 32, true, s(l, 0, 24) * s(l, 1, 24) + s(l, 2, 32))
INT(mul_u32_u24, u(l, 0, 24) * u(l, 1, 24) & 0xffffffff)
INT(mul_i32_i24, s(l, 0, 24) * s(l, 1, 24) & 0xffffffff)
INT(mul_hi_u32_u24, u(l, 0, 24) * u(l, 1, 24) >> 32)
INT(mul_hi_i32_i24, s(l, 0, 24) * s(l, 1, 24) >> 32 & 0xffffffff)
INT(mul_lo_u16, u(l, 0, 16) * u(l, 1, 16) & 0xffff)
INT(mul_lo_u32, u(l, 0, 32) * u(l, 1, 32) & 0xffffffff)
INT(mul_hi_u32, u(l, 0, 32) * u(l, 1, 32) >> 32)
INT(mul_hi_i32, s(l, 0, 32) * s(l, 1, 32) >> 32 & 0xffffffff)

/* ---- with carry */
static void carried(const struct orc_lane *l, struct orc_result *r, wide v)
{
	r->d = fit(l, v, 32, false);
	r->carry = (v >> 32 & 1) != 0;
}

#define CARRY(name, expr)                                                                          \
	static void name(const struct orc_lane *l, struct orc_result *r)                           \
	{                                                                                          \
		carried(l, r, expr);                                                               \
	}
CARRY(add_co, u(l, 0, 32) + u(l, 1, 32))
CARRY(sub_co, u(l, 0, 32) - u(l, 1, 32))
CARRY(subrev_co, u(l, 1, 32) - u(l, 0, 32))
CARRY(addc_co, u(l, 0, 32) + u(l, 1, 32) + l->carry)
CARRY(subb_co, u(l, 0, 32) - u(l, 1, 32) - l->carry)
CARRY(subbrev_co, u(l, 1, 32) - u(l, 0, 32) - l->carry)

static void mad_u64_u32(const struct orc_lane *l, struct orc_result *r)
{
	wide v = u(l, 0, 32) * u(l, 1, 32) + u(l, 2, 64);

	r->d = fit(l, v, 64, false);
	r->carry = (v >> 64 & 1) != 0;
}

/* The carry is that of the 64-bit sum: bit 64 of the sign-extended product and source 2. */
static void mad_i64_i32(const struct orc_lane *l, struct orc_result *r)
{
	wide v = s(l, 0, 32) * s(l, 1, 32) + s(l, 2, 64);

	r->d = fit(l, v, 64, true);
	r->carry = (v >> 64 & 1) != 0;
}

/* ---- bits */
INT(mov, a)
INT(cndmask, l->carry ? b : a)
INT(not_b32, (uint32_t)~a)
INT(and_b32, a &b)
INT(or_b32, a | b)
INT(xor_b32, a ^ b)
INT(lshl, (uint32_t)(b << (a & 31)))
INT(lshr, b >> (a & 31))
INT(ashr, (uint32_t)((int32_t)b >> (a & 31)))
INT(lshl16, (uint16_t)((b & 0xffff) << (a & 15)))
INT(lshr16, (b & 0xffff) >> (a & 15))
INT(ashr16, (uint16_t)((int16_t)b >> (a & 15)))
INT(lshl64, l->s[1] << (a & 63))
INT(lshr64, l->s[1] >> (a & 63))
INT(ashr64, (int64_t)l->s[1] >> (a & 63))
INT(bfi, (a & b) | (~a & c))
INT(bfm, (uint32_t)(((1u << (a & 31)) - 1) << (b & 31)))
INT(bfe_u, (a >> (b & 31)) & ((1u << (c & 31)) - 1))
INT(xad, (uint32_t)((a ^ b) + c))
INT(lshl_add, (uint32_t)((a << (b & 31)) + c))
INT(add_lshl, (uint32_t)((a + b) << (c & 31)))
INT(add3, (uint32_t)(a + b + c))
INT(lshl_or, (uint32_t)(a << (b & 31)) | c)
INT(and_or, (a & b) | c)
INT(or3, a | b | c)
INT(alignbit, (uint32_t)(((uint64_t)a << 32 | b) >> (c & 31)))
INT(alignbyte, (uint32_t)(((uint64_t)a << 32 | b) >> (c & 3) * 8))
INT(bcnt, (uint32_t)__builtin_popcount(a) + b)
INT(ffbh_u, a ? __builtin_clz(a) : -1 & 0xffffffffll)
INT(ffbl, a ? __builtin_ctz(a) : -1 & 0xffffffffll)

static uint64_t flushed_half(const struct orc_lane *l, unsigned k)
{
	bool keep = orc_keeps_in(l->mode, &orc_f16) && orc_keeps_out(l->mode, &orc_f16);
	uint64_t v = l->s[k] & 0xffff;

	return orc_is_denormal(&orc_f16, v) && !keep ? v & 0x8000 : v;
}

/* Moved or, being f16 numbers, flushed: documents do not say. */
static void pack(const struct orc_lane *l, struct orc_result *r)
{
	r->d = (l->s[1] & 0xffff) << 16 | (l->s[0] & 0xffff);
	r->has_alt = true;
	r->alt = flushed_half(l, 1) << 16 | flushed_half(l, 0);
}

INT(pk_u16, (b > 0xffff ? 0xffff : b) << 16 | (a > 0xffff ? 0xffff : a))

static void bfe_i(const struct orc_lane *l, struct orc_result *r)
{
	unsigned width = l->s[2] & 31;
	int64_t v = (int32_t)l->s[0] >> (l->s[1] & 31);

	r->d = width ? (uint32_t)((int64_t)((uint64_t)v << (64 - width)) >> (64 - width)) : 0;
}

static void bfrev(const struct orc_lane *l, struct orc_result *r)
{
	for (unsigned k = 0; k < 32; k++)
		r->d |= (l->s[0] >> k & 1) << (31 - k);
}

/* How many bits from the top are like the sign bit; -1 when all are. */
static void ffbh_i(const struct orc_lane *l, struct orc_result *r)
{
	uint32_t v = (uint32_t)l->s[0], sign = v >> 31;

	r->d = 0xffffffff;
	for (unsigned k = 1; k < 32; k++)
		if ((v >> (31 - k) & 1) != sign) {
			r->d = k;
			return;
		}
}

static void mbcnt_lo(const struct orc_lane *l, struct orc_result *r)
{
	uint32_t below = l->lane >= 32 ? ~0u : (1u << l->lane) - 1;

	r->d = (uint32_t)__builtin_popcount((uint32_t)l->s[0] & below) + (uint32_t)l->s[1];
}

static void mbcnt_hi(const struct orc_lane *l, struct orc_result *r)
{
	uint32_t below = l->lane <= 32 ? 0 : (1u << (l->lane - 32)) - 1;

	r->d = (uint32_t)__builtin_popcount((uint32_t)l->s[0] & below) + (uint32_t)l->s[1];
}

/* ---- order */
static wide smaller(wide a, wide b)
{
	return a < b ? a : b;
}

static wide larger(wide a, wide b)
{
	return a > b ? a : b;
}

static wide middle(wide a, wide b, wide c)
{
	return larger(smaller(a, b), smaller(larger(a, b), c));
}

#define ORDER(t, get, bits)                                                                        \
	INT(min_##t, smaller(get(l, 0, bits), get(l, 1, bits)) & ((1ull << bits) - 1))             \
	INT(max_##t, larger(get(l, 0, bits), get(l, 1, bits)) & ((1ull << bits) - 1))              \
	INT(min3_##t, smaller(smaller(get(l, 0, bits), get(l, 1, bits)), get(l, 2, bits)) &        \
	                      ((1ull << bits) - 1))                                                \
	INT(max3_##t, larger(larger(get(l, 0, bits), get(l, 1, bits)), get(l, 2, bits)) &          \
	                      ((1ull << bits) - 1))                                                \
	INT(med3_##t,                                                                              \
	    middle(get(l, 0, bits), get(l, 1, bits), get(l, 2, bits)) & ((1ull << bits) - 1))
ORDER(u16, u, 16)
ORDER(i16, s, 16)
ORDER(u32, u, 32)
ORDER(i32, s, 32)

#define CMP(t, get, bits, op, sign)                                                                \
	static void cmp_##op##_##t(const struct orc_lane *l, struct orc_result *r)                 \
	{                                                                                          \
		r->carry = get(l, 0, bits) sign get(l, 1, bits);                                   \
	}
#define CMPS(t, get, bits)                                                                         \
	CMP(t, get, bits, lt, <)                                                                   \
	CMP(t, get, bits, eq, ==)                                                                  \
	CMP(t, get, bits, le, <=)                                                                  \
	CMP(t, get, bits, gt, >)                                                                   \
	CMP(t, get, bits, ne, !=)                                                                  \
	CMP(t, get, bits, ge, >=)
CMPS(u16, u, 16)
CMPS(i16, s, 16)
CMPS(u32, u, 32)
CMPS(i32, s, 32)
CMPS(u64, u, 64)
CMPS(i64, s, 64)

static void never(const struct orc_lane *l, struct orc_result *r)
{
	(void)l;
	r->carry = false;
}

static void always(const struct orc_lane *l, struct orc_result *r)
{
	(void)l;
	r->carry = true;
}

/* ---- bytes */
static unsigned byte(uint64_t v, unsigned k)
{
	return (unsigned)(v >> 8 * k & 0xff);
}

/* Sum of absolute differences; masked: bytes that are 0 in the reference @b do not count. */
static uint32_t sad(uint64_t a, uint64_t b, bool masked)
{
	uint32_t sum = 0;

	for (unsigned k = 0; k < 4; k++)
		if (!masked || byte(b, k))
			sum += (uint32_t)abs((int)byte(a, k) - (int)byte(b, k));
	return sum;
}

static wide sad_halves(const struct orc_lane *l)
{
	wide sum = 0;

	for (unsigned k = 0; k < 2; k++) {
		wide a = (wide)(l->s[0] >> 16 * k & 0xffff), b = (wide)(l->s[1] >> 16 * k & 0xffff);

		sum += larger(a, b) - smaller(a, b);
	}
	return sum;
}

SUM(sad_u8, 32, false, (wide)sad(l->s[0], l->s[1], false) + u(l, 2, 32))
SUM(sad_hi_u8, 32, false, ((wide)sad(l->s[0], l->s[1], false) << 16) + u(l, 2, 32))
SUM(msad_u8, 32, false, (wide)sad(l->s[0], l->s[1], true) + u(l, 2, 32))
SUM(sad_u16, 32, false, sad_halves(l) + u(l, 2, 32))
SUM(sad_u32, 32, false,
    larger(u(l, 0, 32), u(l, 1, 32)) - smaller(u(l, 0, 32), u(l, 1, 32)) + u(l, 2, 32))

static void quad_sad(const struct orc_lane *l, struct orc_result *r, bool masked)
{
	for (unsigned k = 0; k < 4; k++) {
		wide sum = sad(l->s[0] >> 8 * k, l->s[1], masked);

		r->d |= fit(l, sum + (wide)(l->s[2] >> 16 * k & 0xffff), 16, false) << 16 * k;
	}
}

static void qsad(const struct orc_lane *l, struct orc_result *r)
{
	quad_sad(l, r, false);
}

static void mqsad_pk(const struct orc_lane *l, struct orc_result *r)
{
	quad_sad(l, r, true);
}

static void mqsad_u32(const struct orc_lane *l, struct orc_result *r)
{
	uint32_t v[4];

	for (unsigned k = 0; k < 4; k++) {
		uint64_t addend = k < 2 ? l->s[2] >> 32 * k : l->s2_high >> 32 * (k - 2);

		v[k] = sad(l->s[0] >> 8 * k, l->s[1], true) + (uint32_t)addend;
	}
	r->d = v[0] | (uint64_t)v[1] << 32;
	r->d_high = v[2] | (uint64_t)v[3] << 32;
}

static void lerp(const struct orc_lane *l, struct orc_result *r)
{
	for (unsigned k = 0; k < 4; k++)
		r->d |= (uint64_t)((byte(l->s[0], k) + byte(l->s[1], k) + (byte(l->s[2], k) & 1)) >>
		                   1)
		        << 8 * k;
}

static unsigned permuted(uint64_t bytes, unsigned select)
{
	if (select < 8)
		return byte(bytes, select);
	if (select < 12) /* the sign of byte 1, 3, 5, 7 */
		return byte(bytes, 2 * (select - 8) + 1) & 0x80 ? 0xff : 0;
	return select == 12 ? 0 : 0xff;
}

static void perm(const struct orc_lane *l, struct orc_result *r)
{
	uint64_t bytes = l->s[0] << 32 | (uint32_t)l->s[1];

	for (unsigned k = 0; k < 4; k++)
		r->d |= (uint64_t)permuted(bytes, byte(l->s[2], k)) << 8 * k;
}

static void pk_i16(const struct orc_lane *l, struct orc_result *r)
{
	struct orc_lane clamped = *l;

	clamped.clamp = true;
	r->d = fit(&clamped, s(l, 1, 32), 16, true) << 16 | fit(&clamped, s(l, 0, 32), 16, true);
}

static void sat_pk_u8(const struct orc_lane *l, struct orc_result *r)
{
	struct orc_lane clamped = *l;

	clamped.clamp = true;
	r->d = fit(&clamped, (int16_t)(l->s[0] >> 16), 8, false) << 8 |
	       fit(&clamped, s(l, 0, 16), 8, false);
}

/* clang-format off */
#define ROW(name) {"v_" #name, name}
#define ORDERS(t) {"v_min_" #t, min_##t}, {"v_max_" #t, max_##t}, {"v_min3_" #t, min3_##t}, \
	{"v_max3_" #t, max3_##t}, {"v_med3_" #t, med3_##t}
#define CMP1(op, t, fn) {"v_cmp_" #op "_" #t, fn}, {"v_cmpx_" #op "_" #t, fn}
#define ALWAYS(t) {"v_cmp_t_" #t, always}, {"v_cmpx_t_" #t, always}
#define CMPROWS(t) CMP1(f, t, never), CMP1(lt, t, cmp_lt_##t), CMP1(eq, t, cmp_eq_##t), \
	CMP1(le, t, cmp_le_##t), CMP1(gt, t, cmp_gt_##t), CMP1(ne, t, cmp_ne_##t), \
	CMP1(ge, t, cmp_ge_##t), ALWAYS(t)

static const struct orc_row rows[] = {
	ROW(add_u32), ROW(sub_u32), ROW(subrev_u32), ROW(add_i32), ROW(sub_i32), ROW(add_u16),
	ROW(sub_u16), ROW(subrev_u16), ROW(add_i16), ROW(sub_i16), ROW(mad_u16), ROW(mad_i16),
	{"v_mad_legacy_u16", mad_u16}, {"v_mad_legacy_i16", mad_i16},
	ROW(mad_u32_u16), ROW(mad_i32_i16), ROW(mad_u32_u24), ROW(mad_i32_i24), ROW(mul_u32_u24),
	ROW(mul_i32_i24), ROW(mul_hi_u32_u24), ROW(mul_hi_i32_i24), ROW(mul_lo_u16),
	ROW(mul_lo_u32), ROW(mul_hi_u32), ROW(mul_hi_i32),
	{"v_add_co_u32", add_co}, {"v_sub_co_u32", sub_co}, {"v_subrev_co_u32", subrev_co},
	{"v_addc_co_u32", addc_co}, {"v_subb_co_u32", subb_co}, {"v_subbrev_co_u32", subbrev_co},
	ROW(mad_u64_u32), ROW(mad_i64_i32),
	{"v_mov_b32", mov}, {"v_cndmask_b32", cndmask}, ROW(not_b32), ROW(and_b32), ROW(or_b32),
	ROW(xor_b32), {"v_lshlrev_b32", lshl}, {"v_lshrrev_b32", lshr}, {"v_ashrrev_i32", ashr},
	{"v_lshlrev_b16", lshl16}, {"v_lshrrev_b16", lshr16}, {"v_ashrrev_i16", ashr16},
	{"v_lshlrev_b64", lshl64}, {"v_lshrrev_b64", lshr64}, {"v_ashrrev_i64", ashr64},
	{"v_bfi_b32", bfi}, {"v_bfm_b32", bfm}, {"v_bfe_u32", bfe_u}, {"v_bfe_i32", bfe_i},
	{"v_xad_u32", xad}, {"v_lshl_add_u32", lshl_add}, {"v_add_lshl_u32", add_lshl},
	{"v_add3_u32", add3}, {"v_lshl_or_b32", lshl_or}, {"v_and_or_b32", and_or},
	{"v_or3_b32", or3}, {"v_alignbit_b32", alignbit}, {"v_alignbyte_b32", alignbyte},
	{"v_bcnt_u32_b32", bcnt}, {"v_ffbh_u32", ffbh_u}, {"v_ffbh_i32", ffbh_i},
	{"v_ffbl_b32", ffbl}, {"v_bfrev_b32", bfrev}, {"v_mbcnt_lo_u32_b32", mbcnt_lo},
	{"v_mbcnt_hi_u32_b32", mbcnt_hi}, {"v_pack_b32_f16", pack}, {"v_cvt_pk_u16_u32", pk_u16},
	{"v_cvt_pk_i16_i32", pk_i16}, {"v_sat_pk_u8_i16", sat_pk_u8}, {"v_perm_b32", perm},
	{"v_lerp_u8", lerp}, ROW(sad_u8), ROW(sad_hi_u8), ROW(msad_u8), ROW(sad_u16), ROW(sad_u32),
	{"v_qsad_pk_u16_u8", qsad}, {"v_mqsad_pk_u16_u8", mqsad_pk}, {"v_mqsad_u32_u8", mqsad_u32},
	ORDERS(u16), ORDERS(i16), ORDERS(u32), ORDERS(i32),
	CMPROWS(u16), CMPROWS(i16), CMPROWS(u32), CMPROWS(i32), CMPROWS(u64), CMPROWS(i64),
};
/* clang-format on */

const struct orc_table orc_int_rows = ORC_TABLE(rows);
