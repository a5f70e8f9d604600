/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From instruction words to a row of the table, and the scalar formats. */
#include <gv/base.h>

#include "gfx9_bits.h"

/* Rows by (format, opcode): one more than their place in gv_gfx9_ops[]. */
enum {
#define SALU(f, n, ...) AT_##f##_##n,
#define VOP             SALU
#define MEM             SALU
#include <gv/gfx9_salu.def>
#include <gv/gfx9_vop.def>
#include <gv/gfx9_mem.def>
#include <gv/gfx9_gfx.def>
#undef SALU
};

/* clang-format off */
static const uint16_t row_of[GV9_NUM_FORMATS][1024] = {
#define SALU(f, n, ...) [GV9_##f][n] = AT_##f##_##n + 1,
#include <gv/gfx9_salu.def>
#include <gv/gfx9_vop.def>
#include <gv/gfx9_mem.def>
#include <gv/gfx9_gfx.def>
#undef SALU
#undef VOP
#undef MEM
};
/* clang-format on */

static const struct gv_gfx9_op *row(unsigned format, unsigned num)
{
	unsigned at = row_of[format][num];

	return at ? &gv_gfx9_ops[at - 1] : NULL;
}

/* VOP3 opcodes below 448 are those of VOPC, VOP2 and VOP1, in this order. */
static const struct gv_gfx9_op *vop3_row(unsigned num)
{
	const struct gv_gfx9_op *op;

	if (num >= 448)
		return row(GV9_VOP3, num);
	op = num < 256   ? row(GV9_VOPC, num)
	     : num < 320 ? row(GV9_VOP2, num - 256)
	                 : row(GV9_VOP1, num - 320);
	return op && !(op->flags & GV9_F_ALONE) ? op : NULL;
}

/* ---- formats */
struct format {
	uint32_t mask, value; /* of the first word */
	uint8_t format;
	uint8_t num_lo, num_bits; /* where the opcode is */
	uint8_t dwords;           /* 1: a literal may follow */
};

/* The first that fits: the more bits tell a format, the earlier it comes. */
static const struct format formats[] = {
        {0xfe000000, 0x7e000000, GV9_VOP1, 9, 8, 1},
        {0xfe000000, 0x7c000000, GV9_VOPC, 17, 8, 1},
        {0x80000000, 0x00000000, GV9_VOP2, 25, 6, 1},
        {0xff800000, 0xbe800000, GV9_SOP1, 8, 8, 1},
        {0xff800000, 0xbf000000, GV9_SOPC, 16, 7, 1},
        {0xff800000, 0xbf800000, GV9_SOPP, 16, 7, 1},
        {0xf0000000, 0xb0000000, GV9_SOPK, 23, 5, 1},
        {0xc0000000, 0x80000000, GV9_SOP2, 23, 7, 1},
        {0xfc000000, 0xc0000000, GV9_SMEM, 18, 8, 2},
        {0xfc000000, 0xc4000000, GV9_EXP, 0, 0, 2},
        {0xff800000, 0xd3800000, GV9_VOP3P, 16, 7, 2},
        {0xfc000000, 0xd0000000, GV9_VOP3, 16, 10, 2},
        {0xfc000000, 0xd4000000, GV9_VINTRP, 16, 2, 1},
        {0xfc000000, 0xd8000000, GV9_DS, 17, 8, 2},
        {0xfc00c000, 0xdc000000, GV9_FLAT, 18, 7, 2},
        {0xfc00c000, 0xdc004000, GV9_SCRATCH, 18, 7, 2},
        {0xfc00c000, 0xdc008000, GV9_GLOBAL, 18, 7, 2},
        {0xfc000000, 0xe0000000, GV9_MUBUF, 18, 7, 2},
        {0xfc000000, 0xe8000000, GV9_MTBUF, 15, 4, 2},
        {0xfc000000, 0xf0000000, GV9_MIMG, 18, 7, 2},
};

static const struct format *find_format(uint32_t w)
{
	for (unsigned n = 0; n < GV_ARRAY_LEN(formats); n++)
		if ((w & formats[n].mask) == formats[n].value)
			return &formats[n];
	return NULL;
}

/* A literal, or what stands in its place: SDWA, DPP, the constant of v_madak and the like. */
static bool has_second(const struct format *f, const struct gv_gfx9_op *op, uint32_t w)
{
	unsigned s0 = gv_gfx9_bits(w, 0, 8), s1 = gv_gfx9_bits(w, 8, 8);

	switch (f->format) {
	case GV9_SOPC:
		return s0 == GV9_LITERAL ||
		       (s1 == GV9_LITERAL && !(op && op->imm == GV9_I_GPR_IDX));
	case GV9_SOP2:
		return s0 == GV9_LITERAL || s1 == GV9_LITERAL;
	case GV9_SOP1:
		return s0 == GV9_LITERAL && !(op && !op->sw[0]);
	case GV9_SOPK:
		return op && op->imm == GV9_I_HWREG && !op->dw && !op->sw[0]; /* s_setreg_imm32 */
	case GV9_VOP1:
	case GV9_VOP2:
	case GV9_VOPC:
		s0 = gv_gfx9_bits(w, 0, 9);
		return s0 == GV9_LITERAL || s0 == GV9_SDWA || s0 == GV9_DPP ||
		       (op && op->flags & (GV9_F_MADK | GV9_F_MADMK));
	default:
		return false;
	}
}

/* ---- operands */
struct gv_gfx9_operand *gv_gfx9_add(struct gv_gfx9_inst *in, enum gv_gfx9_role role, unsigned code,
                                    unsigned dwords)
{
	struct gv_gfx9_operand *o = &in->operand[in->num_operands++];

	*o = (struct gv_gfx9_operand){
	        .code = (uint16_t)code, .role = (uint8_t)role, .dwords = (uint8_t)dwords};
	return o;
}

int gv_gfx9_add_vgpr(struct gv_gfx9_inst *in, enum gv_gfx9_role role, unsigned reg, unsigned dwords)
{
	if (reg + dwords > 256)
		return -EINVAL;
	gv_gfx9_add(in, role, GV9_VGPR + reg, dwords);
	return 0;
}

/* Pairs start at an even register, four and more at a multiple of four; hardware drops the bits. */
static unsigned align(unsigned reg, unsigned dwords)
{
	return dwords == 1 ? reg : dwords == 2 ? reg & ~1u : reg & ~3u;
}

/* Above the SGPRs: the halves of FLAT_SCRATCH, XNACK_MASK, VCC and EXEC, and M0. */
static bool is_special(unsigned code, unsigned dwords)
{
	if (dwords == 1)
		return code != 125;
	return dwords == 2 && code % 2 == 0 && code != GV9_M0;
}

int gv_gfx9_add_sgpr(struct gv_gfx9_inst *in, enum gv_gfx9_role role, unsigned code,
                     unsigned dwords)
{
	unsigned first = align(code, dwords);

	if (code >= 128)
		return -EINVAL;
	if (code < GV9_FLAT_SCRATCH) {
		/* the last four may be FLAT_SCRATCH and XNACK_MASK */
		if (first + dwords > GV9_XNACK_MASK)
			return -EINVAL;
	} else if (code >= GV9_TTMP && code < GV9_M0) {
		if (first + dwords > GV9_M0)
			return -EINVAL;
		in->privileged = true;
	} else {
		first = code;
		if (!is_special(code, dwords))
			return -EINVAL;
	}
	gv_gfx9_add(in, role, first, dwords);
	return 0;
}

static bool is_constant(const struct gv_gfx9_inst *in, unsigned code, unsigned dwords)
{
	if (code <= 208 || (code >= GV9_SHARED_BASE && code < GV9_FLOATS + 9))
		return true;
	if (code >= GV9_VCCZ && code <= GV9_SCC)
		return true;
	if (code == GV9_LDS_DIRECT)
		return dwords == 1;
	return code == GV9_LITERAL && in->dwords == 2 && in->op->format <= GV9_VOPC &&
	       in->form == GV9_PLAIN;
}

int gv_gfx9_add_source(struct gv_gfx9_inst *in, enum gv_gfx9_role role, unsigned code, uint8_t type)
{
	unsigned dwords = gv_gfx9_dwords(type);
	int rc = 0;

	if (code >= GV9_VGPR)
		rc = gv_gfx9_add_vgpr(in, role, code - GV9_VGPR, dwords);
	else if (code < 128)
		rc = gv_gfx9_add_sgpr(in, role, code, dwords);
	else if (is_constant(in, code, dwords))
		gv_gfx9_add(in, role, code, dwords);
	else
		rc = -EINVAL;
	if (!rc)
		in->operand[in->num_operands - 1].type = type;
	return rc;
}

const struct gv_gfx9_operand *gv_gfx9_operand(const struct gv_gfx9_inst *in, enum gv_gfx9_role role)
{
	for (unsigned n = 0; n < in->num_operands; n++)
		if (in->operand[n].role == role)
			return &in->operand[n];
	return NULL;
}

uint64_t gv_gfx9_constant(unsigned code, uint8_t type)
{
	static const uint64_t d[] = {
	        0x3fe0000000000000ull, 0xbfe0000000000000ull, 0x3ff0000000000000ull,
	        0xbff0000000000000ull, 0x4000000000000000ull, 0xc000000000000000ull,
	        0x4010000000000000ull, 0xc010000000000000ull, 0x3fc45f306dc9c882ull};
	static const uint32_t f[] = {0x3f000000, 0xbf000000, 0x3f800000, 0xbf800000, 0x40000000,
	                             0xc0000000, 0x40800000, 0xc0800000, 0x3e22f983};
	static const uint16_t h[] = {0x3800, 0xb800, 0x3c00, 0xbc00, 0x4000,
	                             0xc000, 0x4400, 0xc400, 0x3118};

	if (code < GV9_FLOATS)
		return (uint64_t)(code <= 192 ? (int64_t)code - 128 : 192 - (int64_t)code);
	if (type == GV9_F64 || type == GV9_B64)
		return d[code - GV9_FLOATS];
	if (gv_gfx9_is_half(type))
		return h[code - GV9_FLOATS];
	return f[code - GV9_FLOATS];
}

/* ---- scalar formats */
static uint8_t type_of(unsigned dwords)
{
	return dwords == 2 ? GV9_B64 : GV9_B32;
}

static int add_sources(struct gv_gfx9_inst *in)
{
	uint32_t w = in->word[0];
	int rc = 0;

	if (in->op->sw[0])
		rc = gv_gfx9_add_source(in, GV9_SRC0, w & 0xff, type_of(in->op->sw[0]));
	if (!rc && in->op->sw[1])
		rc = gv_gfx9_add_source(in, GV9_SRC1, w >> 8 & 0xff, type_of(in->op->sw[1]));
	return rc;
}

static void add_imm(struct gv_gfx9_inst *in)
{
	gv_gfx9_add(in, GV9_IMM, GV9_OFF, 0);
}

static int fields_sop(struct gv_gfx9_inst *in)
{
	const struct gv_gfx9_op *op = in->op;
	int rc = 0;

	if (op->dw)
		rc = gv_gfx9_add_sgpr(in, GV9_DST, gv_gfx9_bits(in->word[0], 16, 7), op->dw);
	if (!rc)
		rc = add_sources(in);
	if (op->imm == GV9_I_REGISTER && (in->word[0] & 0xff) >= 128)
		rc = -EINVAL;
	if (op->imm == GV9_I_GPR_IDX) { /* s_set_gpr_idx_on: the second source field is a number */
		in->simm = (uint16_t)gv_gfx9_bits(in->word[0], 8, 8);
		add_imm(in);
	}
	return rc;
}

static int fields_sopk(struct gv_gfx9_inst *in)
{
	const struct gv_gfx9_op *op = in->op;
	unsigned reg = gv_gfx9_bits(in->word[0], 16, 7);
	int rc = 0;

	in->simm = (uint16_t)in->word[0];
	if (op->imm == GV9_I_HWREG && !op->dw) /* s_setreg: first where, then what */
		add_imm(in);
	if (op->dw)
		rc = gv_gfx9_add_sgpr(in, GV9_DST, reg, op->dw);
	else if (op->sw[0])
		rc = gv_gfx9_add_sgpr(in, GV9_SRC0, reg, op->sw[0]);
	else
		rc = gv_gfx9_add_source(in, GV9_SRC0, GV9_LITERAL, GV9_B32);
	if (op->imm != GV9_I_HWREG || op->dw)
		add_imm(in);
	return rc;
}

static int fields_sopp(struct gv_gfx9_inst *in)
{
	in->simm = (uint16_t)in->word[0];
	if (in->op->imm)
		add_imm(in);
	else
		gv_gfx9_unused(in, in->simm);
	return 0;
}

static int fields(struct gv_gfx9_inst *in, unsigned format)
{
	static int (*const of[GV9_NUM_FORMATS])(struct gv_gfx9_inst *) = {
	        [GV9_SOP2] = fields_sop,
	        [GV9_SOP1] = fields_sop,
	        [GV9_SOPC] = fields_sop,
	        [GV9_SOPK] = fields_sopk,
	        [GV9_SOPP] = fields_sopp,
	        [GV9_SMEM] = gv_gfx9_fields_smem,
	        [GV9_VOP1] = gv_gfx9_fields_short,
	        [GV9_VOP2] = gv_gfx9_fields_short,
	        [GV9_VOPC] = gv_gfx9_fields_short,
	        [GV9_VOP3] = gv_gfx9_fields_vop3,
	        [GV9_VOP3P] = gv_gfx9_fields_vop3p,
	        [GV9_VINTRP] = gv_gfx9_fields_vintrp,
	        [GV9_DS] = gv_gfx9_fields_ds,
	        [GV9_FLAT] = gv_gfx9_fields_flat,
	        [GV9_SCRATCH] = gv_gfx9_fields_flat,
	        [GV9_GLOBAL] = gv_gfx9_fields_flat,
	        [GV9_MUBUF] = gv_gfx9_fields_buffer,
	        [GV9_MTBUF] = gv_gfx9_fields_buffer,
	        [GV9_MIMG] = gv_gfx9_fields_image,
	        [GV9_EXP] = gv_gfx9_fields_export,
	};

	return of[format](in);
}

int gv_gfx9_decode(const uint32_t *words, size_t available, struct gv_gfx9_inst *out)
{
	const struct format *f = find_format(words[0]);
	struct gv_gfx9_inst in = {.word = {words[0]}, .dwords = 1};
	unsigned num = f ? gv_gfx9_bits(words[0], f->num_lo, f->num_bits) : 0;
	int rc = -EINVAL;

	if (f)
		in.op = f->format == GV9_VOP3 ? vop3_row(num) : row(f->format, num);
	if (f && (f->dwords == 2 || has_second(f, in.op, words[0])))
		in.dwords = 2;
	if (in.dwords == 2 && available < 2)
		rc = -ENODATA;
	else if (in.dwords == 2)
		in.word[1] = words[1];
	if (in.op && rc != -ENODATA)
		rc = fields(&in, f->format);
	in.valid = rc == 0;
	if (rc)
		in.num_operands = 0;
	*out = in;
	return rc;
}

bool gv_gfx9_target(const struct gv_gfx9_inst *in, uint64_t pc, uint64_t *target)
{
	if (!in->op || in->op->imm != GV9_I_BRANCH || !in->num_operands)
		return false;
	*target = pc + 4u * in->dwords + (uint64_t)((int64_t)(int16_t)in->simm * 4);
	return true;
}
