/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>
#include <string.h>

#include "oracle_salu.h"

static uint32_t a32(const struct orc_scalar *x)
{
	return (uint32_t)x->s[0];
}

static uint32_t b32(const struct orc_scalar *x)
{
	return (uint32_t)x->s[1];
}

static int64_t sa(const struct orc_scalar *x)
{
	return (int32_t)x->s[0];
}

static int64_t sb(const struct orc_scalar *x)
{
	return (int32_t)x->s[1];
}

static int64_t imm(const struct orc_scalar *x)
{
	return (int16_t)x->s[1];
}

static void set32(struct orc_scalar *x, uint32_t v)
{
	x->d = (x->d & ~0xffffffffull) | v;
}

#define DO(name, ...)                                                                              \
	static void name(struct orc_scalar *x)                                                     \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
/* A result, and SCC as a function of the operands before it is written. */
#define SUM(name, value, carry)                                                                    \
	DO(name, bool scc = carry; set32(x, (uint32_t)(value)); x->scc = scc;)
/* A result, SCC: it is not 0. */
#define BITS32(name, value) DO(name, uint32_t v = (uint32_t)(value); set32(x, v); x->scc = v != 0;)
#define BITS64(name, value) DO(name, x->d = (uint64_t)(value); x->scc = x->d != 0;)
/* A result alone. */
#define ONLY32(name, value) DO(name, set32(x, (uint32_t)(value));)
#define ONLY64(name, value) DO(name, x->d = (uint64_t)(value);)
#define TEST(name, value)   DO(name, x->scc = value;)

static bool overflows(int64_t v)
{
	return v != (int32_t)v;
}

SUM(add_u32, a32(x) + b32(x), (uint64_t)a32(x) + b32(x) > UINT32_MAX)
SUM(sub_u32, a32(x) - b32(x), b32(x) > a32(x))
SUM(add_i32, sa(x) + sb(x), overflows(sa(x) + sb(x)))
SUM(sub_i32, sa(x) - sb(x), overflows(sa(x) - sb(x)))
SUM(addc_u32, a32(x) + b32(x) + x->scc, (uint64_t)a32(x) + b32(x) + x->scc > UINT32_MAX)
SUM(subb_u32, a32(x) - b32(x) - x->scc, (uint64_t)b32(x) + x->scc > a32(x))
SUM(min_i32, sa(x) < sb(x) ? sa(x) : sb(x), sa(x) < sb(x))
SUM(min_u32, a32(x) < b32(x) ? a32(x) : b32(x), a32(x) < b32(x))
SUM(max_i32, sa(x) > sb(x) ? sa(x) : sb(x), sa(x) > sb(x))
SUM(max_u32, a32(x) > b32(x) ? a32(x) : b32(x), a32(x) > b32(x))
SUM(lshl1_add, (a32(x) << 1) + b32(x), ((uint64_t)a32(x) << 1) + b32(x) > UINT32_MAX)
SUM(lshl2_add, (a32(x) << 2) + b32(x), ((uint64_t)a32(x) << 2) + b32(x) > UINT32_MAX)
SUM(lshl3_add, (a32(x) << 3) + b32(x), ((uint64_t)a32(x) << 3) + b32(x) > UINT32_MAX)
SUM(lshl4_add, (a32(x) << 4) + b32(x), ((uint64_t)a32(x) << 4) + b32(x) > UINT32_MAX)
ONLY32(cselect_b32, x->scc ? a32(x) : b32(x))
ONLY64(cselect_b64, x->scc ? x->s[0] : x->s[1])
BITS32(and_b32, a32(x) & b32(x))
BITS64(and_b64, x->s[0] & x->s[1])
BITS32(or_b32, a32(x) | b32(x))
BITS64(or_b64, x->s[0] | x->s[1])
BITS32(xor_b32, a32(x) ^ b32(x))
BITS64(xor_b64, x->s[0] ^ x->s[1])
BITS32(andn2_b32, a32(x) & ~b32(x))
BITS64(andn2_b64, x->s[0] & ~x->s[1])
BITS32(orn2_b32, a32(x) | ~b32(x))
BITS64(orn2_b64, x->s[0] | ~x->s[1])
BITS32(nand_b32, ~(a32(x) & b32(x)))
BITS64(nand_b64, ~(x->s[0] & x->s[1]))
BITS32(nor_b32, ~(a32(x) | b32(x)))
BITS64(nor_b64, ~(x->s[0] | x->s[1]))
BITS32(xnor_b32, ~(a32(x) ^ b32(x)))
BITS64(xnor_b64, ~(x->s[0] ^ x->s[1]))
BITS32(lshl_b32, a32(x) << (b32(x) & 31))
BITS64(lshl_b64, x->s[0] << (b32(x) & 63))
BITS32(lshr_b32, a32(x) >> (b32(x) & 31))
BITS64(lshr_b64, x->s[0] >> (b32(x) & 63))
BITS32(ashr_i32, sa(x) >> (b32(x) & 31))
BITS64(ashr_i64, (int64_t)x->s[0] >> (b32(x) & 63))
ONLY32(bfm_b32, ((1u << (a32(x) & 31)) - 1) << (b32(x) & 31))
ONLY64(bfm_b64, ((1ull << (a32(x) & 63)) - 1) << (b32(x) & 63))
ONLY32(mul_i32, a32(x) * b32(x))
ONLY32(mul_hi_u32, (uint64_t)a32(x) * b32(x) >> 32)
ONLY32(mul_hi_i32, sa(x) * sb(x) >> 32)
ONLY32(pack_ll, b32(x) << 16 | (a32(x) & 0xffff))
ONLY32(pack_lh, (b32(x) & 0xffff0000) | (a32(x) & 0xffff))
ONLY32(pack_hh, (b32(x) & 0xffff0000) | a32(x) >> 16)
BITS32(absdiff_i32, (int32_t)(a32(x) - b32(x)) < 0 ? b32(x) - a32(x) : a32(x) - b32(x))
BITS32(abs_i32, sa(x) < 0 ? -sa(x) : sa(x))

/* Fields: offset in bits 5:0 (4:0), width in 22:16. */
static uint64_t field(int64_t v, uint32_t where, unsigned bits, bool sign)
{
	unsigned width = where >> 16 & 127;
	int64_t shifted = v >> (where & (bits - 1));

	if (!width)
		return 0;
	if (width >= 64)
		return (uint64_t)shifted;
	shifted = (int64_t)((uint64_t)shifted << (64 - width));
	return sign ? (uint64_t)(shifted >> (64 - width)) : (uint64_t)shifted >> (64 - width);
}

static uint64_t field_u64(uint64_t v, uint32_t where)
{
	unsigned width = where >> 16 & 127;

	v >>= where & 63;
	return width >= 64 ? v : v & ((1ull << width) - 1);
}

BITS32(bfe_u32, field(a32(x), b32(x), 32, false))
BITS32(bfe_i32, field(sa(x), b32(x), 32, true))
BITS64(bfe_u64, field_u64(x->s[0], b32(x)))
BITS64(bfe_i64, field((int64_t)x->s[0], b32(x), 64, true))

/* ---- one source */
ONLY32(mov_b32, a32(x))
ONLY64(mov_b64, x->s[0])
ONLY32(cmov_b32, x->scc ? a32(x) : (uint32_t)x->d)
ONLY64(cmov_b64, x->scc ? x->s[0] : x->d)
BITS32(not_b32, ~a32(x))
BITS64(not_b64, ~x->s[0])
ONLY32(sext_i8, (int8_t)a32(x))
ONLY32(sext_i16, (int16_t)a32(x))
ONLY32(bitset0_b32, (uint32_t)x->d & ~(1u << (a32(x) & 31)))
ONLY64(bitset0_b64, x->d & ~(1ull << (a32(x) & 63)))
ONLY32(bitset1_b32, (uint32_t)x->d | 1u << (a32(x) & 31))
ONLY64(bitset1_b64, x->d | 1ull << (a32(x) & 63))

static unsigned ones(uint64_t v)
{
	unsigned n = 0;

	for (; v; v &= v - 1)
		n++;
	return n;
}

/* Lowest bit that is set; from the top: distance of the highest. -1: none. */
static int from_bottom(uint64_t v)
{
	for (int k = 0; k < 64; k++)
		if (v >> k & 1)
			return k;
	return -1;
}

static int from_top(uint64_t v, int bits)
{
	for (int k = 0; k < bits; k++)
		if (v >> (bits - 1 - k) & 1)
			return k;
	return -1;
}

static uint64_t reversed(uint64_t v)
{
	uint64_t r = 0;

	for (int k = 0; k < 64; k++)
		r |= (v >> k & 1) << (63 - k);
	return r;
}

/* How many bits are like the sign: where the first other one is. */
static int sign_run(int64_t v, int bits)
{
	return from_top((uint64_t)(v < 0 ? ~v : v) & (bits == 64 ? ~0ull : 0xffffffff), bits);
}

ONLY32(brev_b32, reversed(a32(x)) >> 32)
ONLY64(brev_b64, reversed(x->s[0]))
BITS32(bcnt0_b32, 32 - ones(a32(x)))
BITS32(bcnt0_b64, 64 - ones(x->s[0]))
BITS32(bcnt1_b32, ones(a32(x)))
BITS32(bcnt1_b64, ones(x->s[0]))
ONLY32(ff0_b32, from_bottom(~a32(x)))
ONLY32(ff0_b64, from_bottom(~x->s[0]))
ONLY32(ff1_b32, from_bottom(a32(x)))
ONLY32(ff1_b64, from_bottom(x->s[0]))
ONLY32(flbit_b32, from_top(a32(x), 32))
ONLY32(flbit_b64, from_top(x->s[0], 64))
ONLY32(flbit_i32, sign_run(sa(x), 32))
ONLY32(flbit_i64, sign_run((int64_t)x->s[0], 64))

/* Quads of lanes: all bits of a quad, or one bit for each. */
static uint64_t quads(uint64_t v, bool packed)
{
	uint64_t r = 0;

	for (unsigned k = 0; k < 16; k++)
		if (v >> 4 * k & 15)
			r |= packed ? 1ull << k : 15ull << 4 * k;
	return r;
}

BITS32(wqm_b32, quads(a32(x), false))
BITS64(wqm_b64, quads(x->s[0], false))
BITS32(quadmask_b32, quads(a32(x), true))
BITS64(quadmask_b64, quads(x->s[0], true))

static uint64_t replicated(uint32_t v)
{
	uint64_t r = 0;

	for (unsigned k = 0; k < 32; k++)
		r |= (uint64_t)(v >> k & 1) * 3 << 2 * k;
	return r;
}

ONLY64(bitreplicate, replicated(a32(x)))

/* The old EXEC goes to the destination; SCC: the new one is not 0. */
#define SAVEEXEC(name, value)                                                                      \
	DO(name, uint64_t old = x->exec; x->exec = value; x->d = old; x->scc = x->exec != 0;)
SAVEEXEC(and_saveexec, x->s[0] & old)
SAVEEXEC(or_saveexec, x->s[0] | old)
SAVEEXEC(xor_saveexec, x->s[0] ^ old)
SAVEEXEC(andn2_saveexec, x->s[0] & ~old)
SAVEEXEC(orn2_saveexec, x->s[0] | ~old)
SAVEEXEC(nand_saveexec, ~(x->s[0] & old))
SAVEEXEC(nor_saveexec, ~(x->s[0] | old))
SAVEEXEC(xnor_saveexec, ~(x->s[0] ^ old))
SAVEEXEC(andn1_saveexec, ~x->s[0] & old)
SAVEEXEC(orn1_saveexec, ~x->s[0] | old)
DO(andn1_wrexec, x->exec = ~x->s[0] & x->exec; x->d = x->exec; x->scc = x->exec != 0;)
DO(andn2_wrexec, x->exec = x->s[0] & ~x->exec; x->d = x->exec; x->scc = x->exec != 0;)

/* ---- comparisons */
TEST(eq_i32, sa(x) == sb(x))
TEST(lg_i32, sa(x) != sb(x))
TEST(gt_i32, sa(x) > sb(x))
TEST(ge_i32, sa(x) >= sb(x))
TEST(lt_i32, sa(x) < sb(x))
TEST(le_i32, sa(x) <= sb(x))
TEST(eq_u32, a32(x) == b32(x))
TEST(lg_u32, a32(x) != b32(x))
TEST(gt_u32, a32(x) > b32(x))
TEST(ge_u32, a32(x) >= b32(x))
TEST(lt_u32, a32(x) < b32(x))
TEST(le_u32, a32(x) <= b32(x))
TEST(bitcmp0_b32, !(a32(x) >> (b32(x) & 31) & 1))
TEST(bitcmp1_b32, (a32(x) >> (b32(x) & 31) & 1) != 0)
TEST(bitcmp0_b64, !(x->s[0] >> (b32(x) & 63) & 1))
TEST(bitcmp1_b64, (x->s[0] >> (b32(x) & 63) & 1) != 0)
TEST(eq_u64, x->s[0] == x->s[1])
TEST(lg_u64, x->s[0] != x->s[1])

/* ---- SOPK: the destination is also the source */
ONLY32(movk, imm(x))
ONLY32(cmovk, x->scc ? (uint32_t)imm(x) : (uint32_t)x->d)
SUM(addk, sa(x) + imm(x), overflows(sa(x) + imm(x)))
ONLY32(mulk, sa(x) * imm(x))
TEST(eqk_i32, sa(x) == imm(x))
TEST(lgk_i32, sa(x) != imm(x))
TEST(gtk_i32, sa(x) > imm(x))
TEST(gek_i32, sa(x) >= imm(x))
TEST(ltk_i32, sa(x) < imm(x))
TEST(lek_i32, sa(x) <= imm(x))
TEST(eqk_u32, a32(x) == (uint16_t)x->s[1])
TEST(lgk_u32, a32(x) != (uint16_t)x->s[1])
TEST(gtk_u32, a32(x) > (uint16_t)x->s[1])
TEST(gek_u32, a32(x) >= (uint16_t)x->s[1])
TEST(ltk_u32, a32(x) < (uint16_t)x->s[1])
TEST(lek_u32, a32(x) <= (uint16_t)x->s[1])

/* clang-format off */
#define ROW(name) {"s_" #name, name}
#define BOTH(op) ROW(op##_b32), ROW(op##_b64)
#define COMPARE(op) {"s_cmp_" #op "_i32", op##_i32}, {"s_cmp_" #op "_u32", op##_u32}, \
	{"s_cmpk_" #op "_i32", op##k_i32}, {"s_cmpk_" #op "_u32", op##k_u32}
#define EXECS(op) {"s_" #op "_saveexec_b64", op##_saveexec}

static const struct {
	const char *name;
	orc_scalar_fn fn;
} rows[] = {
	ROW(add_u32), ROW(sub_u32), ROW(add_i32), ROW(sub_i32), ROW(addc_u32), ROW(subb_u32),
	ROW(min_i32), ROW(min_u32), ROW(max_i32), ROW(max_u32), BOTH(cselect), BOTH(and), BOTH(or),
	BOTH(xor), BOTH(andn2), BOTH(orn2), BOTH(nand), BOTH(nor), BOTH(xnor), BOTH(lshl),
	BOTH(lshr), ROW(ashr_i32), ROW(ashr_i64), BOTH(bfm), ROW(mul_i32), ROW(mul_hi_u32),
	ROW(mul_hi_i32), ROW(bfe_u32), ROW(bfe_i32), ROW(bfe_u64), ROW(bfe_i64), ROW(absdiff_i32),
	{"s_lshl1_add_u32", lshl1_add}, {"s_lshl2_add_u32", lshl2_add},
	{"s_lshl3_add_u32", lshl3_add}, {"s_lshl4_add_u32", lshl4_add},
	{"s_pack_ll_b32_b16", pack_ll}, {"s_pack_lh_b32_b16", pack_lh},
	{"s_pack_hh_b32_b16", pack_hh},
	BOTH(mov), BOTH(cmov), BOTH(not), BOTH(wqm), BOTH(brev), BOTH(bitset0), BOTH(bitset1),
	BOTH(quadmask), ROW(abs_i32), {"s_sext_i32_i8", sext_i8}, {"s_sext_i32_i16", sext_i16},
	{"s_bcnt0_i32_b32", bcnt0_b32}, {"s_bcnt0_i32_b64", bcnt0_b64},
	{"s_bcnt1_i32_b32", bcnt1_b32}, {"s_bcnt1_i32_b64", bcnt1_b64},
	{"s_ff0_i32_b32", ff0_b32}, {"s_ff0_i32_b64", ff0_b64}, {"s_ff1_i32_b32", ff1_b32},
	{"s_ff1_i32_b64", ff1_b64}, {"s_flbit_i32_b32", flbit_b32},
	{"s_flbit_i32_b64", flbit_b64}, {"s_flbit_i32", flbit_i32}, {"s_flbit_i32_i64", flbit_i64},
	{"s_bitreplicate_b64_b32", bitreplicate},
	EXECS(and), EXECS(or), EXECS(xor), EXECS(andn2), EXECS(orn2), EXECS(nand), EXECS(nor),
	EXECS(xnor), EXECS(andn1), EXECS(orn1), {"s_andn1_wrexec_b64", andn1_wrexec},
	{"s_andn2_wrexec_b64", andn2_wrexec},
	COMPARE(eq), COMPARE(lg), COMPARE(gt), COMPARE(ge), COMPARE(lt), COMPARE(le),
	{"s_bitcmp0_b32", bitcmp0_b32}, {"s_bitcmp0_b64", bitcmp0_b64},
	{"s_bitcmp1_b32", bitcmp1_b32}, {"s_bitcmp1_b64", bitcmp1_b64}, {"s_cmp_eq_u64", eq_u64}, {"s_cmp_lg_u64", lg_u64},
	{"s_movk_i32", movk}, {"s_cmovk_i32", cmovk}, {"s_addk_i32", addk}, {"s_mulk_i32", mulk},
};
/* clang-format on */

orc_scalar_fn orc_find_scalar(const char *name)
{
	for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++)
		if (!strcmp(rows[k].name, name))
			return rows[k].fn;
	return NULL;
}
