/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SOP1, SOP2, SOPC and SOPK: one handler each, for gfx9_salu.def. */
#include "salu.h"

/* clang-format off */
#define R32(n) cu_scalar32(w, i, n)
#define R64(n) cu_scalar64(w, i, n)
#define OP CU_HANDLER
/* A B: sources; D: result; SCC is left alone, or set as the second expression says */
#define B32(name, e)      OP(name) { uint32_t A = R32(0), B = R32(1), D = (e); (void)A; w->s[i->dst] = D; }
#define B32S(name, e, c)  OP(name) { uint32_t A = R32(0), B = R32(1), D = (e); (void)B; w->s[i->dst] = D; w->scc = (c) != 0; }
#define B64S(name, e, c)  OP(name) { uint64_t A = R64(0), B = R64(1), D = (e); cu_wr64(&w->s[i->dst], D); w->scc = (c) != 0; }
#define SH64S(name, e)    OP(name) { uint64_t A = R64(0), D; uint32_t B = R32(1); D = (e); cu_wr64(&w->s[i->dst], D); w->scc = D != 0; }
#define U32(name, e)      OP(name) { uint32_t A = R32(0); w->s[i->dst] = (e); }
#define U32S(name, e, c)  OP(name) { uint32_t A = R32(0), D = (e); w->s[i->dst] = D; w->scc = (c) != 0; }
#define U64(name, e)      OP(name) { uint64_t A = R64(0); cu_wr64(&w->s[i->dst], (e)); }
#define U64S(name, e, c)  OP(name) { uint64_t A = R64(0), D = (e); cu_wr64(&w->s[i->dst], D); w->scc = (c) != 0; }
#define N64(name, e)      OP(name) { uint64_t A = R64(0); w->s[i->dst] = (e); }
#define N64S(name, e)     OP(name) { uint64_t A = R64(0); uint32_t D = (e); w->s[i->dst] = D; w->scc = D != 0; }
#define CMP(name, e)      OP(name) { uint32_t A = R32(0), B = R32(1); w->scc = (e) != 0; }
#define CMP64(name, e)    OP(name) { uint64_t A = R64(0), B = R64(1); w->scc = (e) != 0; }
#define SAVE(name, e)     OP(name) { uint64_t A = R64(0), X = cu_exec(w), D = (e); cu_wr64(&w->s[i->dst], X); cu_wr64(&w->s[CU_EXEC], D); w->scc = D != 0; }
#define WREXEC(name, e)   OP(name) { uint64_t A = R64(0), X = cu_exec(w), D = (e); cu_wr64(&w->s[CU_EXEC], D); cu_wr64(&w->s[i->dst], D); w->scc = D != 0; }
#define I(v) ((int32_t)(v))
/* clang-format on */

static uint64_t bits(unsigned n)
{
	return n >= 64 ? ~0ull : (1ull << n) - 1;
}

static uint64_t bfe_u(uint64_t v, uint32_t b, unsigned width)
{
	unsigned from = b & (width - 1), n = b >> 16 & 0x7f;

	return v >> from & bits(n);
}

static uint64_t bfe_i(uint64_t v, uint32_t b, unsigned width)
{
	unsigned from = b & (width - 1), n = b >> 16 & 0x7f;
	int64_t sv = width == 32 ? (int32_t)v : (int64_t)v;

	if (n == 0)
		return 0;
	if (n >= 64)
		return (uint64_t)(sv >> from);
	return (uint64_t)((int64_t)((uint64_t)(sv >> from) << (64 - n)) >> (64 - n));
}

static uint64_t reverse(uint64_t v)
{
	v = (v >> 1 & 0x5555555555555555ull) | (v & 0x5555555555555555ull) << 1;
	v = (v >> 2 & 0x3333333333333333ull) | (v & 0x3333333333333333ull) << 2;
	v = (v >> 4 & 0x0f0f0f0f0f0f0f0full) | (v & 0x0f0f0f0f0f0f0f0full) << 4;
	return __builtin_bswap64(v);
}

/* Any bit of four sets all four. */
static uint64_t whole_quads(uint64_t v)
{
	v |= v >> 1;
	v |= v >> 2;
	v &= 0x1111111111111111ull;
	return v * 15;
}

static uint64_t quad_mask(uint64_t v)
{
	uint64_t r = 0;

	for (unsigned n = 0; n < 16; n++)
		r |= (uint64_t)((v >> (4 * n) & 15) != 0) << n;
	return r;
}

static uint64_t replicate(uint32_t v)
{
	uint64_t r = 0;

	for (unsigned n = 0; n < 32; n++)
		r |= (uint64_t)(v >> n & 1) * 3 << (2 * n);
	return r;
}

static uint32_t first_one(uint64_t v)
{
	return v ? (uint32_t)__builtin_ctzll(v) : ~0u;
}

static uint32_t leading(uint64_t v, unsigned width)
{
	return v ? (uint32_t)__builtin_clzll(v) - (64 - width) : ~0u;
}

/* clang-format off */
/* ---- SOP2 */
B32S(add_u32, A + B, D < A)
B32S(sub_u32, A - B, A < B)
B32S(add_i32, A + B, ((A ^ D) & (B ^ D)) >> 31)
B32S(sub_i32, A - B, ((A ^ B) & (A ^ D)) >> 31)
B32S(addc_u32, A + B + w->scc, ((uint64_t)A + B + w->scc) >> 32)
B32S(subb_u32, A - B - w->scc, (uint64_t)B + w->scc > A)
B32S(min_i32, I(A) < I(B) ? A : B, I(A) < I(B))
B32S(min_u32, A < B ? A : B, A < B)
B32S(max_i32, I(A) > I(B) ? A : B, I(A) > I(B))
B32S(max_u32, A > B ? A : B, A > B)
B32(cselect_b32, w->scc ? A : B)
OP(cselect_b64) { cu_wr64(&w->s[i->dst], w->scc ? R64(0) : R64(1)); }
B32S(and_b32, A & B, D != 0)
B64S(and_b64, A & B, D != 0)
B32S(or_b32, A | B, D != 0)
B64S(or_b64, A | B, D != 0)
B32S(xor_b32, A ^ B, D != 0)
B64S(xor_b64, A ^ B, D != 0)
B32S(andn2_b32, A & ~B, D != 0)
B64S(andn2_b64, A & ~B, D != 0)
B32S(orn2_b32, A | ~B, D != 0)
B64S(orn2_b64, A | ~B, D != 0)
B32S(nand_b32, ~(A & B), D != 0)
B64S(nand_b64, ~(A & B), D != 0)
B32S(nor_b32, ~(A | B), D != 0)
B64S(nor_b64, ~(A | B), D != 0)
B32S(xnor_b32, ~(A ^ B), D != 0)
B64S(xnor_b64, ~(A ^ B), D != 0)
B32S(lshl_b32, A << (B & 31), D != 0)
SH64S(lshl_b64, A << (B & 63))
B32S(lshr_b32, A >> (B & 31), D != 0)
SH64S(lshr_b64, A >> (B & 63))
B32S(ashr_i32, (uint32_t)(I(A) >> (B & 31)), D != 0)
SH64S(ashr_i64, (uint64_t)((int64_t)A >> (B & 63)))
B32(bfm_b32, ((1u << (A & 31)) - 1) << (B & 31))
OP(bfm_b64) { cu_wr64(&w->s[i->dst], ((1ull << (R32(0) & 63)) - 1) << (R32(1) & 63)); }
B32(mul_i32, A * B)
B32S(bfe_u32, (uint32_t)bfe_u(A, B, 32), D != 0)
B32S(bfe_i32, (uint32_t)bfe_i(A, B, 32), D != 0)
SH64S(bfe_u64, bfe_u(A, B, 64))
SH64S(bfe_i64, bfe_i(A, B, 64))
/* the sign of the wrapped difference decides */
B32S(absdiff_i32, I(A - B) < 0 ? B - A : A - B, D != 0)
B32(mul_hi_u32, (uint32_t)((uint64_t)A * B >> 32))
B32(mul_hi_i32, (uint32_t)((uint64_t)((int64_t)I(A) * I(B)) >> 32))
B32S(lshl1_add_u32, (A << 1) + B, ((uint64_t)A << 1) + B > UINT32_MAX)
B32S(lshl2_add_u32, (A << 2) + B, ((uint64_t)A << 2) + B > UINT32_MAX)
B32S(lshl3_add_u32, (A << 3) + B, ((uint64_t)A << 3) + B > UINT32_MAX)
B32S(lshl4_add_u32, (A << 4) + B, ((uint64_t)A << 4) + B > UINT32_MAX)
B32(pack_ll_b32_b16, (A & 0xffff) | B << 16)
B32(pack_lh_b32_b16, (A & 0xffff) | (B & 0xffff0000u))
B32(pack_hh_b32_b16, A >> 16 | (B & 0xffff0000u))
/* ---- SOP1 */
U32(mov_b32, A)
U64(mov_b64, A)
OP(cmov_b32) { if (w->scc) w->s[i->dst] = R32(0); }
OP(cmov_b64) { if (w->scc) cu_wr64(&w->s[i->dst], R64(0)); }
U32S(not_b32, ~A, D != 0)
U64S(not_b64, ~A, D != 0)
U32S(wqm_b32, (uint32_t)whole_quads(A), D != 0)
U64S(wqm_b64, whole_quads(A), D != 0)
U32(brev_b32, (uint32_t)(reverse(A) >> 32))
U64(brev_b64, reverse(A))
U32S(bcnt0_i32_b32, 32 - (uint32_t)__builtin_popcount(A), D != 0)
N64S(bcnt0_i32_b64, 64 - (uint32_t)__builtin_popcountll(A))
U32S(bcnt1_i32_b32, (uint32_t)__builtin_popcount(A), D != 0)
N64S(bcnt1_i32_b64, (uint32_t)__builtin_popcountll(A))
U32(ff0_i32_b32, first_one((uint32_t)~A))
N64(ff0_i32_b64, first_one(~A))
U32(ff1_i32_b32, first_one(A))
N64(ff1_i32_b64, first_one(A))
U32(flbit_i32_b32, leading(A, 32))
N64(flbit_i32_b64, leading(A, 64))
U32(flbit_i32, leading(A ^ (uint32_t)(I(A) >> 31), 32))
N64(flbit_i32_i64, leading(A ^ (uint64_t)((int64_t)A >> 63), 64))
U32(sext_i32_i8, (uint32_t)(int32_t)(int8_t)A)
U32(sext_i32_i16, (uint32_t)(int32_t)(int16_t)A)
U32(bitset0_b32, w->s[i->dst] & ~(1u << (A & 31)))
OP(bitset0_b64) { cu_wr64(&w->s[i->dst], cu_rd64(&w->s[i->dst]) & ~(1ull << (R32(0) & 63))); }
U32(bitset1_b32, w->s[i->dst] | 1u << (A & 31))
OP(bitset1_b64) { cu_wr64(&w->s[i->dst], cu_rd64(&w->s[i->dst]) | 1ull << (R32(0) & 63)); }
OP(getpc_b64) { cu_wr64(&w->s[i->dst], cu_pc(w, i) + 4u * i->len); }
OP(setpc_b64) { cu_goto(w, R64(0)); }
OP(rfe_b64) { cu_return_from_trap(w, i, R64(0)); }
OP(swappc_b64) { uint64_t to = R64(0); cu_wr64(&w->s[i->dst], cu_pc(w, i) + 4u * i->len); cu_goto(w, to); }
SAVE(and_saveexec_b64, A & X)
SAVE(or_saveexec_b64, A | X)
SAVE(xor_saveexec_b64, A ^ X)
SAVE(andn2_saveexec_b64, A & ~X)
SAVE(orn2_saveexec_b64, A | ~X)
SAVE(nand_saveexec_b64, ~(A & X))
SAVE(nor_saveexec_b64, ~(A | X))
SAVE(xnor_saveexec_b64, ~(A ^ X))
SAVE(andn1_saveexec_b64, ~A & X)
SAVE(orn1_saveexec_b64, ~A | X)
WREXEC(andn1_wrexec_b64, ~A & X)
WREXEC(andn2_wrexec_b64, A & ~X)
U32S(quadmask_b32, (uint32_t)quad_mask(A), D != 0)
U64S(quadmask_b64, quad_mask(A), D != 0)
U32S(abs_i32, I(A) < 0 ? 0 - A : A, D != 0)
OP(bitreplicate_b64_b32) { cu_wr64(&w->s[i->dst], replicate(R32(0))); }
OP(set_gpr_idx_idx) { w->s[CU_M0] = (w->s[CU_M0] & ~0xffu) | (R32(0) & 0xff); }
/* ---- SOPC */
CMP(cmp_eq, A == B)
CMP(cmp_lg, A != B)
CMP(cmp_gt_i32, I(A) > I(B))
CMP(cmp_ge_i32, I(A) >= I(B))
CMP(cmp_lt_i32, I(A) < I(B))
CMP(cmp_le_i32, I(A) <= I(B))
CMP(cmp_gt_u32, A > B)
CMP(cmp_ge_u32, A >= B)
CMP(cmp_lt_u32, A < B)
CMP(cmp_le_u32, A <= B)
CMP(bitcmp0_b32, !(A >> (B & 31) & 1))
CMP(bitcmp1_b32, A >> (B & 31) & 1)
OP(bitcmp0_b64) { w->scc = !(R64(0) >> (R32(1) & 63) & 1); }
OP(bitcmp1_b64) { w->scc = R64(0) >> (R32(1) & 63) & 1; }
CMP64(cmp_eq_u64, A == B)
CMP64(cmp_lg_u64, A != B)
/* ---- SOPK: src[0] is the SGPR, simm the constant */
#define K(name, e) OP(name) { int32_t S = I(w->s[i->dst]), KI = i->simm; uint32_t U = (uint32_t)S, KU = (uint16_t)i->simm; (void)KI; (void)U; (void)KU; w->scc = (e) != 0; }
OP(movk_i32) { w->s[i->dst] = (uint32_t)i->simm; }
OP(cmovk_i32) { if (w->scc) w->s[i->dst] = (uint32_t)i->simm; }
K(cmpk_eq_i32, S == KI)
K(cmpk_lg_i32, S != KI)
K(cmpk_gt_i32, S > KI)
K(cmpk_ge_i32, S >= KI)
K(cmpk_lt_i32, S < KI)
K(cmpk_le_i32, S <= KI)
K(cmpk_eq_u32, U == KU)
K(cmpk_lg_u32, U != KU)
K(cmpk_gt_u32, U > KU)
K(cmpk_ge_u32, U >= KU)
K(cmpk_lt_u32, U < KU)
K(cmpk_le_u32, U <= KU)
OP(addk_i32) { int32_t d; w->scc = __builtin_add_overflow(I(w->s[i->dst]), i->simm, &d); w->s[i->dst] = (uint32_t)d; }
OP(mulk_i32) { w->s[i->dst] *= (uint32_t)i->simm; }
OP(call_b64) { uint64_t next = cu_pc(w, i) + 4; cu_wr64(&w->s[i->dst], next); cu_goto(w, next + (uint64_t)((int64_t)i->simm * 4)); }

/* s_set_gpr_idx_on: the second source field is four mode bits, not an operand. */
OP(set_gpr_idx_on)
{
	w->s[CU_M0] = (w->s[CU_M0] & ~0xf0ffu) | (R32(0) & 0xff) | (i->word[0] >> 8 & 0xfu) << 12;
	w->mode |= CU_MODE_GPR_IDX_EN;
	cu_mode_changed(w);
}

OP(setvskip)
{
	bool on = R32(0) >> (R32(1) & 31) & 1;

	w->mode = (w->mode & ~CU_MODE_VSKIP) | (on ? CU_MODE_VSKIP : 0);
	cu_mode_changed(w);
}

/* s_movrels/d: the register number plus M0, kept inside the file. */
static unsigned moved(const struct cu_wave *w, unsigned reg)
{
	uint64_t r = (uint64_t)reg + w->s[CU_M0];

	return r < CU_VCC ? (unsigned)r : 0;
}

OP(movrels_b32) { w->s[i->dst] = w->s[moved(w, i->src[0].reg)]; }
OP(movrels_b64) { cu_wr64(&w->s[i->dst], cu_rd64(&w->s[moved(w, i->src[0].reg)])); }
OP(movreld_b32) { w->s[moved(w, i->dst)] = R32(0); }
OP(movreld_b64) { cu_wr64(&w->s[moved(w, i->dst)], R64(0)); }
/* clang-format on */
