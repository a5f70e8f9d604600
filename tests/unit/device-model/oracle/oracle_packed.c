/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * VOP3P. Sources are halves already chosen by op_sel and op_sel_hi and negated by neg_lo and
 * neg_hi: low halves in bits 15:0, high halves in 31:16. Each half is the 16-bit instruction.
 */

#include "oracle.h"

static void both_halves(const struct orc_lane *l, struct orc_result *r, orc_fn fn)
{
	for (unsigned h = 0; h < 2; h++) {
		struct orc_lane one = *l;
		struct orc_result part = {.exact_nan = false};

		for (unsigned k = 0; k < 3; k++)
			one.s[k] = l->s[k] >> 16 * h & 0xffff;
		fn(&one, &part);
		r->d |= (part.d & 0xffff) << 16 * h;
	}
}

#define PACKED(op)                                                                                 \
	static void pk_##op(const struct orc_lane *l, struct orc_result *r)                        \
	{                                                                                          \
		static orc_fn half;                                                                \
                                                                                                   \
		if (!half)                                                                         \
			half = orc_find("v_" #op);                                                 \
		both_halves(l, r, half);                                                           \
	}
PACKED(mad_i16)
PACKED(mul_lo_u16)
PACKED(add_i16)
PACKED(sub_i16)
PACKED(lshlrev_b16)
PACKED(lshrrev_b16)
PACKED(ashrrev_i16)
PACKED(max_i16)
PACKED(min_i16)
PACKED(mad_u16)
PACKED(add_u16)
PACKED(sub_u16)
PACKED(max_u16)
PACKED(min_u16)
PACKED(fma_f16)
PACKED(add_f16)
PACKED(mul_f16)
PACKED(min_f16)
PACKED(max_f16)

/*
 * v_mad_mix*: sources are f32 numbers already (halves were widened, which is exact), one
 * multiply-add as v_mad_f32 does it: two roundings, no f32 denormals. mixlo and mixhi then
 * round to f16.
 */
static void mix_f32(const struct orc_lane *l, struct orc_result *r)
{
	struct orc_lane wide = *l;

	wide.f = &orc_f32;
	orc_find("v_mad_f32")(&wide, r);
}

static void mix_f16(const struct orc_lane *l, struct orc_result *r)
{
	mix_f32(l, r);
	r->d = orc_result_bits(l, &orc_f16, orc_unpack(&orc_f32, r->d, false));
}

/* clang-format off */
#define PK(op) {"v_pk_" #op, pk_##op}

static const struct orc_row rows[] = {
	PK(mad_i16), PK(mul_lo_u16), PK(add_i16), PK(sub_i16), PK(lshlrev_b16), PK(lshrrev_b16),
	PK(ashrrev_i16), PK(max_i16), PK(min_i16), PK(mad_u16), PK(add_u16), PK(sub_u16),
	PK(max_u16), PK(min_u16), PK(fma_f16), PK(add_f16), PK(mul_f16), PK(min_f16), PK(max_f16),
	{"v_mad_mix_f32", mix_f32}, {"v_mad_mixlo_f16", mix_f16}, {"v_mad_mixhi_f16", mix_f16},
};
/* clang-format on */

const struct orc_table orc_packed_rows = ORC_TABLE(rows);
