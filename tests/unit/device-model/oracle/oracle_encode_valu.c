/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "oracle_encode.h"
#include "oracle_valu.h"

/* Registers of the program: sources v2, v4, v6 or s20, s22, s24, result v10, mask s[36:37]. */
enum { SRC_V = 2, SRC_S = 20, DST_V = 10, DST_S = 36, MASK_S = 24 };

static bool listed(const char *name, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(name, *list))
			return true;
	return false;
}

/* AMD "Vega" ISA, VOP3A: OP_SEL; LLVM gives these the operand on gfx9. */
bool valu_has_op_sel(const struct gv_gfx9_op *op)
{
	static const char *const list[] = {"v_mad_f16",
	                                   "v_mad_u16",
	                                   "v_mad_i16",
	                                   "v_fma_f16",
	                                   "v_div_fixup_f16",
	                                   "v_min3_f16",
	                                   "v_min3_i16",
	                                   "v_min3_u16",
	                                   "v_max3_f16",
	                                   "v_max3_i16",
	                                   "v_max3_u16",
	                                   "v_med3_f16",
	                                   "v_med3_i16",
	                                   "v_med3_u16",
	                                   "v_add_i16",
	                                   "v_sub_i16",
	                                   "v_pack_b32_f16",
	                                   "v_cvt_pknorm_i16_f16",
	                                   "v_cvt_pknorm_u16_f16",
	                                   "v_mad_u32_u16",
	                                   "v_mad_i32_i16",
	                                   NULL};

	return listed(op->name, list);
}

bool valu_clamps_int(const struct gv_gfx9_op *op)
{
	static const char *const list[] = {
	        "v_add_u32",         "v_sub_u32",        "v_subrev_u32",  "v_add_i32",
	        "v_sub_i32",         "v_add_u16",        "v_sub_u16",     "v_subrev_u16",
	        "v_add_i16",         "v_sub_i16",        "v_mad_u16",     "v_mad_i16",
	        "v_mad_legacy_u16",  "v_mad_legacy_i16", "v_mad_u32_u16", "v_mad_i32_i16",
	        "v_mad_u32_u24",     "v_mad_i32_i24",    "v_add_co_u32",  "v_sub_co_u32",
	        "v_subrev_co_u32",   "v_addc_co_u32",    "v_subb_co_u32", "v_subbrev_co_u32",
	        "v_mad_u64_u32",     "v_mad_i64_i32",    "v_sad_u8",      "v_sad_hi_u8",
	        "v_sad_u16",         "v_sad_u32",        "v_msad_u8",     "v_qsad_pk_u16_u8",
	        "v_mqsad_pk_u16_u8", "v_pk_mad_i16",     "v_pk_mad_u16",  "v_pk_add_i16",
	        "v_pk_sub_i16",      "v_pk_add_u16",     "v_pk_sub_u16",  NULL};

	return listed(op->name, list);
}

bool valu_has_source(const struct gv_gfx9_op *op, unsigned k)
{
	return op->st[k] != GV9_NONE;
}

static uint32_t operand(const struct valu_shape *s, unsigned k)
{
	if (!valu_has_source(s->op, k))
		return 0;
	switch ((enum valu_source)s->source[k]) {
	case SOURCE_SGPR:
		return SRC_S + 2 * k;
	case SOURCE_CONSTANT:
		return s->code[k];
	case SOURCE_LITERAL:
		return ENC_LITERAL;
	case SOURCE_VGPR:
		break;
	}
	return ENC_VGPR + SRC_V + 2 * k;
}

static uint32_t first_word(const struct valu_shape *s, uint32_t src0)
{
	uint32_t op = s->op->num, vsrc1 = SRC_V + 2;

	if (s->form == FORM_SDWA && s->source[1] == SOURCE_SGPR)
		vsrc1 = SRC_S + 2;
	if (s->op->flags & GV9_F_MADMK)
		vsrc1 = SRC_V + 4;
	switch (s->op->format) {
	case GV9_VOP1:
		return enc_vop1(op, DST_V, src0);
	case GV9_VOPC:
		return enc_vopc(op, src0, vsrc1);
	default:
		return enc_vop2(op, DST_V, src0, vsrc1);
	}
}

static unsigned encode_base(const struct valu_shape *s, uint32_t *w)
{
	bool k = s->op->flags & (GV9_F_MADK | GV9_F_MADMK);

	w[0] = first_word(s, operand(s, 0));
	w[1] = s->literal;
	return k || s->source[0] == SOURCE_LITERAL ? 2 : 1;
}

static unsigned encode_vop3(const struct valu_shape *s, uint32_t *w)
{
	const struct gv_gfx9_op *op = s->op;
	uint32_t num = op->num, mods = (uint32_t)s->clamp << 15, src2 = operand(s, 2);

	num += op->format == GV9_VOP2 ? 256 : op->format == GV9_VOP1 ? 320 : 0;
	if (op->flags & GV9_F_VOP3B)
		mods |= DST_S << 8;
	else
		mods |= (uint32_t)s->op_sel << 11 | (uint32_t)s->abs << 8;
	if (op->flags & GV9_F_CIN)
		src2 = MASK_S;
	if (op->flags & GV9_F_MAC)
		src2 = 0;
	w[0] = enc_vop3(num, op->flags & GV9_F_CMP ? DST_S : DST_V, mods);
	w[1] = enc_vop3_sources(operand(s, 0), operand(s, 1), src2, s->omod, s->neg);
	return 2;
}

static unsigned encode_vop3p(const struct valu_shape *s, uint32_t *w)
{
	uint32_t mods = (uint32_t)s->clamp << 15 | (uint32_t)s->op_sel << 11 |
	                (uint32_t)(s->op_sel_hi >> 2) << 14 | (uint32_t)s->abs << 8;

	w[0] = enc_vop3p(s->op->num, DST_V, mods);
	w[1] = enc_vop3_sources(operand(s, 0), operand(s, 1), operand(s, 2), s->op_sel_hi & 3,
	                        s->neg);
	return 2;
}

static uint32_t bit(unsigned bits, unsigned k, unsigned at)
{
	return (bits >> k & 1u) << at;
}

static unsigned encode_sdwa(const struct valu_shape *s, uint32_t *w)
{
	uint32_t v = operand(s, 0) & 0xff;

	w[0] = first_word(s, ENC_SDWA);
	if (s->op->format == GV9_VOPC)
		v |= DST_S << 8 | 1u << 15;
	else
		v |= (uint32_t)s->dst_sel << 8 | (uint32_t)s->dst_unused << 11 |
		     (uint32_t)s->clamp << 13 | (uint32_t)s->omod << 14;
	v |= (uint32_t)s->sel[0] << 16 | bit(s->sext, 0, 19) | bit(s->neg, 0, 20) |
	     bit(s->abs, 0, 21) | (uint32_t)(s->source[0] == SOURCE_SGPR) << 23;
	v |= (uint32_t)s->sel[1] << 24 | bit(s->sext, 1, 27) | bit(s->neg, 1, 28) |
	     bit(s->abs, 1, 29) | (uint32_t)(s->source[1] == SOURCE_SGPR) << 31;
	w[1] = v;
	return 2;
}

static unsigned encode_dpp(const struct valu_shape *s, uint32_t *w)
{
	w[0] = first_word(s, ENC_DPP);
	w[1] = (operand(s, 0) & 0xff) | (uint32_t)s->dpp_ctrl << 8 | (uint32_t)s->bound_ctrl << 19 |
	       bit(s->neg, 0, 20) | bit(s->abs, 0, 21) | bit(s->neg, 1, 22) | bit(s->abs, 1, 23) |
	       (uint32_t)s->bank_mask << 24 | (uint32_t)s->row_mask << 28;
	return 2;
}

unsigned valu_encode(const struct valu_shape *s, uint32_t words[3])
{
	if (s->op->format == GV9_VOP3P)
		return encode_vop3p(s, words);
	switch (s->form) {
	case FORM_VOP3:
		return encode_vop3(s, words);
	case FORM_SDWA:
		return encode_sdwa(s, words);
	case FORM_DPP:
		return encode_dpp(s, words);
	case FORM_BASE:
		break;
	}
	return encode_base(s, words);
}

void valu_describe(const struct valu_shape *s, char *text, size_t bytes)
{
	static const char *const forms[] = {"", " e64", " sdwa", " dpp"};
	uint32_t w[3] = {0};

	valu_encode(s, w);
	snprintf(text, bytes,
	         "%s%s %08x %08x: round %u/%u denorm %u/%u ieee %u dx10 %u neg %u abs %u clamp %u "
	         "omod %u op_sel %u/%u",
	         s->op->name, forms[s->form], w[0], w[1], s->mode.round32, s->mode.round64,
	         s->mode.denorm32, s->mode.denorm64, s->mode.ieee, s->mode.dx10_clamp, s->neg,
	         s->abs, s->clamp, s->omod, s->op_sel, s->op_sel_hi);
}
