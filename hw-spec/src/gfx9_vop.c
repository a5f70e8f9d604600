/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fields of the vector ALU formats. */
#include "gfx9_bits.h"

#define SEL_DWORD 6

/* VOP3 opcodes whose operands are like nobody else's. */
enum { MQSAD_U32_U8 = 487, READLANE = 649, WRITELANE = 650 };

static const enum gv_gfx9_role source_role[3] = {GV9_SRC0, GV9_SRC1, GV9_SRC2};

static struct gv_gfx9_operand *last(struct gv_gfx9_inst *in)
{
	return &in->operand[in->num_operands - 1];
}

static unsigned num_sources(const struct gv_gfx9_op *op)
{
	unsigned n = 0;

	while (n < 3 && op->st[n] != GV9_NONE)
		n++;
	return op->flags & GV9_F_MAC ? 2 : n;
}

static bool any_float(const struct gv_gfx9_op *op)
{
	return gv_gfx9_is_float(op->st[0]) || gv_gfx9_is_float(op->st[1]) ||
	       gv_gfx9_is_float(op->st[2]);
}

/* v_mqsad_u32_u8 has four dwords of result and of source 2. */
static unsigned rows(const struct gv_gfx9_op *op, uint8_t type)
{
	return op->format == GV9_VOP3 && op->num == MQSAD_U32_U8 && type == GV9_B64
	               ? 4
	               : gv_gfx9_dwords(type);
}

/* Result, and the lane mask beside it or in its place. */
static int add_results(struct gv_gfx9_inst *in, unsigned vdst, unsigned sdst)
{
	const struct gv_gfx9_op *op = in->op;
	int rc = 0;

	if (op->flags & GV9_F_CMP)
		return gv_gfx9_add_sgpr(in, GV9_SDST, sdst, 2);
	if (op->dt == GV9_NONE)
		gv_gfx9_unused(in, vdst);
	else if (op->flags & GV9_F_SDST)
		rc = gv_gfx9_add_sgpr(in, GV9_DST, vdst, 1);
	else
		rc = gv_gfx9_add_vgpr(in, GV9_DST, vdst, rows(op, op->dt));
	if (!rc && op->flags & GV9_F_VOP3B)
		rc = gv_gfx9_add_sgpr(in, GV9_SDST, sdst, 2);
	return rc;
}

/* ---- VOP1, VOP2, VOPC */
static bool small(const struct gv_gfx9_op *op)
{
	for (unsigned n = 0; n < 3; n++)
		if (gv_gfx9_dwords(op->st[n]) == 2)
			return false;
	return gv_gfx9_dwords(op->dt) == 1;
}

static bool has_dpp(const struct gv_gfx9_op *op)
{
	return small(op) && op->format != GV9_VOPC && !(op->flags & GV9_F_ALONE);
}

static bool has_sdwa(const struct gv_gfx9_op *op)
{
	return small(op) && !(op->flags & (GV9_F_ALONE | GV9_F_MAC));
}

/* v_cndmask_b32: its neg and abs, floats, exist in VOP3 only. */
static bool is_select(const struct gv_gfx9_op *op)
{
	return op->flags & GV9_F_CIN && !(op->flags & GV9_F_VOP3B);
}

/* neg, abs and sext in the four bits at @at. */
static void sdwa_modifiers(struct gv_gfx9_inst *in, unsigned n, unsigned at)
{
	struct gv_gfx9_operand *o = last(in);
	uint32_t w = in->word[1];

	o->sdwa_sel = (uint8_t)gv_gfx9_bits(w, at, 3);
	if (gv_gfx9_is_float(in->op->st[n]) && !is_select(in->op)) {
		gv_gfx9_unused(in, gv_gfx9_bit(w, at + 3));
		o->neg = gv_gfx9_bit(w, at + 4);
		o->abs = gv_gfx9_bit(w, at + 5);
	} else {
		o->sext = gv_gfx9_bit(w, at + 3);
		gv_gfx9_unused(in, gv_gfx9_bits(w, at + 4, 2));
	}
}

static int sdwa_source(struct gv_gfx9_inst *in, unsigned n, unsigned reg)
{
	unsigned at = 16 + 8 * n;
	bool scalar = gv_gfx9_bit(in->word[1], at + 7);
	int rc = gv_gfx9_add_source(in, source_role[n], reg + (scalar ? 0 : GV9_VGPR),
	                            in->op->st[n]);

	if (rc)
		return rc;
	sdwa_modifiers(in, n, at);
	return last(in)->sdwa_sel > SEL_DWORD ? -EINVAL : 0;
}

static int fields_sdwa(struct gv_gfx9_inst *in, unsigned sources, bool vop1)
{
	const struct gv_gfx9_op *op = in->op;
	uint32_t w = in->word[1];
	bool to_sgpr = op->flags & GV9_F_CMP && gv_gfx9_bit(w, 15);
	int rc = add_results(in, gv_gfx9_bits(in->word[0], 17, 8),
	                     to_sgpr ? gv_gfx9_bits(w, 8, 7) : GV9_VCC);

	in->form = GV9_SDWA_FORM;
	in->dst_sel = SEL_DWORD;
	if (!(op->flags & GV9_F_CMP)) {
		in->dst_sel = (uint8_t)gv_gfx9_bits(w, 8, 3);
		in->dst_unused = (uint8_t)gv_gfx9_bits(w, 11, 2);
		in->clamp = gv_gfx9_bit(w, 13);
		in->omod = op->flags & GV9_F_OMOD && gv_gfx9_is_float(op->dt)
		                   ? (uint8_t)gv_gfx9_bits(w, 14, 2)
		                   : 0;
		gv_gfx9_unused(in, gv_gfx9_bits(w, 14, 2) != in->omod);
	}
	if (sources >= 1)
		rc = rc ? rc : sdwa_source(in, 0, w & 0xff);
	if (sources >= 2)
		rc = rc ? rc : sdwa_source(in, 1, gv_gfx9_bits(in->word[0], 9, 8));
	if (vop1)
		gv_gfx9_unused(in, w & 0xbf000000);
	return in->dst_sel > SEL_DWORD || in->dst_unused == 3 ? -EINVAL : rc;
}

static bool dpp_control_exists(unsigned c)
{
	return c <= 0xff || (c > 0x100 && c <= 0x10f) || (c > 0x110 && c <= 0x11f) ||
	       (c > 0x120 && c <= 0x12f) || (c >= 0x130 && c <= 0x13c && c % 4 == 0) ||
	       (c >= 0x140 && c <= 0x143);
}

static void dpp_modifiers(struct gv_gfx9_inst *in, unsigned n)
{
	struct gv_gfx9_operand *o = last(in);
	unsigned mods = gv_gfx9_bits(in->word[1], 20 + 2 * n, 2);

	if (gv_gfx9_is_float(in->op->st[n]) && !is_select(in->op)) {
		o->neg = mods & 1;
		o->abs = mods >> 1;
	} else if (!is_select(in->op)) {
		gv_gfx9_unused(in, any_float(in->op) ? mods & 1 : mods);
	}
}

static int fields_dpp(struct gv_gfx9_inst *in, unsigned sources)
{
	uint32_t w = in->word[1];
	int rc = add_results(in, gv_gfx9_bits(in->word[0], 17, 8), GV9_VCC);

	in->form = GV9_DPP_FORM;
	in->dpp_ctrl = (uint16_t)gv_gfx9_bits(w, 8, 9);
	in->bound_ctrl = gv_gfx9_bit(w, 19);
	in->bank_mask = (uint8_t)gv_gfx9_bits(w, 24, 4);
	in->row_mask = (uint8_t)(w >> 28);
	if (sources >= 1)
		rc = rc ? rc : gv_gfx9_add_vgpr(in, GV9_SRC0, w & 0xff, 1);
	if (!rc && sources >= 1)
		dpp_modifiers(in, 0);
	if (sources >= 2)
		rc = rc ? rc : gv_gfx9_add_vgpr(in, GV9_SRC1, gv_gfx9_bits(in->word[0], 9, 8), 1);
	if (!rc && sources >= 2)
		dpp_modifiers(in, 1);
	else
		gv_gfx9_unused(in, gv_gfx9_bits(w, 22, 2));
	return dpp_control_exists(in->dpp_ctrl) ? rc : -EINVAL;
}

/* Lane 0 of a VGPR, and what v_swap exchanges: no scalar is taken. */
static bool wants_vgpr(const struct gv_gfx9_op *op, unsigned src0)
{
	return op->flags & GV9_F_ALONE && op->format == GV9_VOP1 && src0 < GV9_VGPR &&
	       !(op->flags & GV9_F_SDST && src0 == GV9_LDS_DIRECT);
}

static int fields_plain(struct gv_gfx9_inst *in, unsigned sources)
{
	const struct gv_gfx9_op *op = in->op;
	uint32_t w = in->word[0];
	unsigned src0 = gv_gfx9_bits(w, 0, 9);
	unsigned src1 = GV9_VGPR + gv_gfx9_bits(w, 9, 8);
	int rc = add_results(in, gv_gfx9_bits(w, 17, 8), GV9_VCC);

	if (sources >= 1)
		rc = rc ? rc : gv_gfx9_add_source(in, GV9_SRC0, src0, op->st[0]);
	if (op->flags & GV9_F_MADMK)
		rc = rc ? rc : gv_gfx9_add_source(in, GV9_SRC1, GV9_LITERAL, op->st[1]);
	if (sources >= 2)
		rc = rc ? rc
		        : gv_gfx9_add_source(in, op->flags & GV9_F_MADMK ? GV9_SRC2 : GV9_SRC1,
		                             src1, op->st[1]);
	if (op->flags & GV9_F_MADK)
		rc = rc ? rc : gv_gfx9_add_source(in, GV9_SRC2, GV9_LITERAL, op->st[2]);
	return rc || !wants_vgpr(op, src0) ? rc : -EINVAL;
}

int gv_gfx9_fields_short(struct gv_gfx9_inst *in)
{
	const struct gv_gfx9_op *op = in->op;
	unsigned src0 = gv_gfx9_bits(in->word[0], 0, 9);
	unsigned sources = num_sources(op) > 2 ? 2 : num_sources(op);
	int rc;

	if (src0 == GV9_SDWA)
		rc = has_sdwa(op) ? fields_sdwa(in, sources, op->format == GV9_VOP1) : -EINVAL;
	else if (src0 == GV9_DPP)
		rc = has_dpp(op) ? fields_dpp(in, sources) : -EINVAL;
	else
		rc = fields_plain(in, sources);
	if (!rc && op->flags & GV9_F_CIN)
		rc = gv_gfx9_add_sgpr(in, GV9_MASK, GV9_VCC, 2);
	return rc;
}

/* ---- VOP3 */
/* The lane number is a scalar, and so is what v_writelane_b32 writes. */
static bool lane_access_is_wrong(const struct gv_gfx9_inst *in)
{
	const struct gv_gfx9_op *op = in->op;
	const struct gv_gfx9_operand *s0 = gv_gfx9_operand(in, GV9_SRC0);
	const struct gv_gfx9_operand *s1 = gv_gfx9_operand(in, GV9_SRC1);

	if (op->format != GV9_VOP3 || (op->num != READLANE && op->num != WRITELANE))
		return false;
	return s1->code >= GV9_VGPR || (s0->code >= GV9_VGPR) == (op->num == WRITELANE);
}

/* neg, abs and op_sel of source @n; a source of bits has no neg. */
static void vop3_modifiers(struct gv_gfx9_inst *in, unsigned n)
{
	const struct gv_gfx9_op *op = in->op;
	struct gv_gfx9_operand *o = last(in);
	bool neg = gv_gfx9_bit(in->word[1], 29 + n);
	bool abs = gv_gfx9_bit(in->word[0], 8 + n) && !(op->flags & GV9_F_VOP3B);

	if (gv_gfx9_is_float(op->st[n])) {
		o->neg = neg;
		o->abs = abs;
	} else if (!(op->flags & GV9_F_SDST)) {
		gv_gfx9_unused(in, neg || (abs && (!any_float(op) || op->flags & GV9_F_CMP)));
	}
	if (op->flags & GV9_F_OPSEL)
		o->sel = gv_gfx9_bit(in->word[0], 11 + n);
}

/* Fields of sources that this instruction does not have. */
static void vop3_unused(struct gv_gfx9_inst *in, unsigned sources, bool mask)
{
	uint32_t w = in->word[0], v = in->word[1];

	if (in->op->flags & GV9_F_SDST)
		return;
	for (unsigned n = sources; n < 3; n++) {
		gv_gfx9_unused(in, gv_gfx9_bit(v, 29 + n));
		if (!(n == 2 && mask))
			gv_gfx9_unused(in, gv_gfx9_bits(v, 9 * n, 9));
		if (in->op->flags & GV9_F_VOP3B)
			continue;
		gv_gfx9_unused(in, gv_gfx9_bit(w, 8 + n));
		if (in->op->flags & GV9_F_OPSEL)
			gv_gfx9_unused(in, gv_gfx9_bit(w, 11 + n));
	}
}

static void vop3_result_modifiers(struct gv_gfx9_inst *in)
{
	bool clamp = gv_gfx9_bit(in->word[0], 15);
	uint8_t omod = (uint8_t)gv_gfx9_bits(in->word[1], 27, 2);

	in->clamp = clamp && in->op->flags & GV9_F_CLAMP;
	in->omod = in->op->flags & GV9_F_OMOD ? omod : 0;
	in->op_sel_dst = in->op->flags & GV9_F_OPSEL && gv_gfx9_bit(in->word[0], 14);
	gv_gfx9_unused(in, clamp != in->clamp || omod != in->omod);
}

static int vop3_source(struct gv_gfx9_inst *in, unsigned n)
{
	unsigned code = gv_gfx9_bits(in->word[1], 9 * n, 9);
	int rc;

	if (n < 2 || rows(in->op, in->op->st[n]) < 4)
		rc = gv_gfx9_add_source(in, source_role[n], code, in->op->st[n]);
	else if (code >= GV9_VGPR)
		rc = gv_gfx9_add_vgpr(in, GV9_SRC2, code - GV9_VGPR, 4);
	else
		rc = -EINVAL;
	if (!rc)
		vop3_modifiers(in, n);
	return rc;
}

/* A source of interpolation: no number, and its neg and abs at @n. */
static int interp_source(struct gv_gfx9_inst *in, enum gv_gfx9_role role, unsigned n)
{
	unsigned code = gv_gfx9_bits(in->word[1], 9 * n, 9);
	int rc = gv_gfx9_is_number(code) ? -EINVAL : gv_gfx9_add_source(in, role, code, GV9_F32);

	if (!rc) {
		last(in)->neg = gv_gfx9_bit(in->word[1], 29 + n);
		last(in)->abs = gv_gfx9_bit(in->word[0], 8 + n);
	}
	return rc;
}

/* An attribute stands in the field of source 0, so the sources begin in that of source 1. */
static int fields_interp(struct gv_gfx9_inst *in)
{
	const struct gv_gfx9_op *op = in->op;
	uint32_t w = in->word[0], v = in->word[1];
	bool f32 = op->num < 628, mov = op->st[0] == GV9_NONE, two = op->st[1] != GV9_NONE;
	int rc = gv_gfx9_add_vgpr(in, GV9_DST, w & 0xff, 1);

	in->attr = (uint8_t)gv_gfx9_bits(v, 0, 6);
	in->chan = (uint8_t)gv_gfx9_bits(v, 6, 2);
	in->high = gv_gfx9_bit(v, 8);
	in->param = (uint16_t)gv_gfx9_bits(v, 9, 9);
	if (mov)
		gv_gfx9_add(in, GV9_SRC0, GV9_OFF, 0);
	else
		rc = rc ? rc : interp_source(in, GV9_SRC0, 1);
	gv_gfx9_add(in, GV9_IMM, GV9_OFF, 0);
	if (two)
		rc = rc ? rc : interp_source(in, GV9_SRC2, 2);
	else
		gv_gfx9_unused(in, gv_gfx9_bits(v, 18, 9) | gv_gfx9_bit(w, 10) | v >> 31);
	gv_gfx9_unused(in, gv_gfx9_bit(w, 8) || gv_gfx9_bit(v, 29) || (f32 && in->high));
	gv_gfx9_unused(in, mov && (gv_gfx9_bit(w, 9) || gv_gfx9_bit(v, 30)));
	vop3_result_modifiers(in);
	return rc;
}

int gv_gfx9_fields_vop3(struct gv_gfx9_inst *in)
{
	const struct gv_gfx9_op *op = in->op;
	uint32_t w = in->word[0];
	unsigned sources = num_sources(op), code = gv_gfx9_bits(in->word[1], 18, 9);
	bool b = op->flags & GV9_F_VOP3B, mask = op->flags & GV9_F_CIN;
	int rc;

	in->form = GV9_VOP3_FORM;
	if (op->flags & GV9_F_INTERP)
		return fields_interp(in);
	rc = add_results(in, w & 0xff, b ? gv_gfx9_bits(w, 8, 7) : w & 0xff);
	for (unsigned n = 0; n < sources && !rc; n++)
		rc = vop3_source(in, n);
	if (!rc && mask)
		rc = code < 128 || (code >= GV9_SHARED_BASE && code < GV9_FLOATS) ||
		                     (code >= GV9_VCCZ && code <= GV9_SCC)
		             ? gv_gfx9_add_source(in, GV9_MASK, code, GV9_B64)
		             : -EINVAL;
	if (rc || lane_access_is_wrong(in))
		return -EINVAL;
	vop3_unused(in, sources, mask);
	vop3_result_modifiers(in);
	return 0;
}

int gv_gfx9_fields_vop3p(struct gv_gfx9_inst *in)
{
	const struct gv_gfx9_op *op = in->op;
	uint32_t w = in->word[0], v = in->word[1];
	uint32_t sel_hi = gv_gfx9_bits(v, 27, 2) | gv_gfx9_bits(w, 14, 1) << 2;
	unsigned sources = num_sources(op);
	int rc = add_results(in, w & 0xff, 0);

	for (unsigned n = 0; n < sources && !rc; n++) {
		struct gv_gfx9_operand *o;
		bool half = op->flags & GV9_F_MIX && gv_gfx9_bit(sel_hi, n);

		rc = gv_gfx9_add_source(in, source_role[n], gv_gfx9_bits(v, 9 * n, 9),
		                        half ? GV9_F16 : op->st[n]);
		o = last(in);
		o->sel = gv_gfx9_bit(w, 11 + n);
		o->sel_hi = gv_gfx9_bit(sel_hi, n);
		o->neg = gv_gfx9_bit(v, 29 + n);
		if (op->flags & GV9_F_MIX)
			o->abs = gv_gfx9_bit(w, 8 + n);
		else
			o->neg_hi = gv_gfx9_bit(w, 8 + n);
		if (op->st[n] == GV9_PK16 && n)
			gv_gfx9_unused(in, o->neg || o->neg_hi);
	}
	if (sources < 3)
		gv_gfx9_unused(in, gv_gfx9_bits(v, 18, 9) | gv_gfx9_bit(w, 13) |
		                           gv_gfx9_bit(w, 10) | gv_gfx9_bit(v, 31));
	in->clamp = gv_gfx9_bit(w, 15);
	return rc;
}

int gv_gfx9_fields_vintrp(struct gv_gfx9_inst *in)
{
	uint32_t w = in->word[0];
	int rc = gv_gfx9_add_vgpr(in, GV9_DST, gv_gfx9_bits(w, 18, 8), 1);

	in->attr = (uint8_t)gv_gfx9_bits(w, 10, 6);
	in->chan = (uint8_t)gv_gfx9_bits(w, 8, 2);
	in->param = (uint16_t)(w & 0xff);
	if (in->op->st[0] == GV9_NONE)
		gv_gfx9_add(in, GV9_SRC0, GV9_OFF, 0);
	else
		rc = rc ? rc : gv_gfx9_add_vgpr(in, GV9_SRC0, w & 0xff, 1);
	gv_gfx9_add(in, GV9_IMM, GV9_OFF, 0);
	return rc;
}
