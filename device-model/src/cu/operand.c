/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operands of SALU, VOP1, VOP2, VOPC, VOP3 and VOP3P. */
#include <errno.h>

#include "operand.h"
#include "valu_special.h"

static unsigned rows_of(uint8_t type)
{
	return type == GV9_B64 || type == GV9_F64 ? 2 : 1;
}

int cu_check_vgprs(const struct gv_cu_run *run, unsigned reg, unsigned count)
{
	return reg + count <= run->num_vgprs ? 0 : -EINVAL;
}

int cu_check_sgprs(unsigned reg, unsigned count)
{
	return reg + count <= CU_NUM_S && reg != 125 ? 0 : -EINVAL;
}

/* Codes 240..248: 0.5 -0.5 1 -1 2 -2 4 -4 1/(2 pi) */
static uint64_t inline_float(unsigned code, uint8_t type)
{
	static const uint64_t d[] = {
	        0x3fe0000000000000ull, 0xbfe0000000000000ull, 0x3ff0000000000000ull,
	        0xbff0000000000000ull, 0x4000000000000000ull, 0xc000000000000000ull,
	        0x4010000000000000ull, 0xc010000000000000ull, 0x3fc45f306dc9c882ull};
	static const uint32_t f[] = {0x3f000000, 0xbf000000, 0x3f800000, 0xbf800000, 0x40000000,
	                             0xc0000000, 0x40800000, 0xc0800000, 0x3e22f983};
	static const uint16_t h[] = {0x3800, 0xb800, 0x3c00, 0xbc00, 0x4000,
	                             0xc000, 0x4400, 0xc400, 0x3118};

	if (type == GV9_F64 || type == GV9_B64)
		return d[code - 240];
	if (type == GV9_F16 || type == GV9_B16 || type == GV9_PK16 || type == GV9_PKF16)
		return h[code - 240];
	return f[code - 240];
}

/* A literal is 32 bits: the top of a double, a number for everything else. */
static uint64_t literal(const struct cu_inst *i, uint8_t type)
{
	if (type == GV9_F64)
		return (uint64_t)i->word[1] << 32;
	if (type == GV9_B64 && i->op->format == GV9_VOPC && !(i->op->num & 8))
		return (uint64_t)(int64_t)(int32_t)i->word[1]; /* v_cmp_*_i64 */
	return i->word[1];
}

static int constant(const struct gv_cu_run *run, const struct cu_inst *i, unsigned code,
                    uint8_t type, uint64_t *v)
{
	if (code <= 192)
		*v = code - 128;
	else if (code <= 208)
		*v = (uint64_t)(192 - (int64_t)code);
	else if (code >= 240 && code <= 248)
		*v = inline_float(code, type);
	else if (code == 255 && i->len == 2 && i->op->format <= GV9_VOPC)
		*v = literal(i, type);
	else if (code == 235 || code == 236)
		*v = run->d.shared_base | (code == 236 ? UINT32_MAX : 0);
	else if (code == 237 || code == 238)
		*v = run->d.private_base | (code == 238 ? UINT32_MAX : 0);
	else if (code == 239) /* POPS_EXITING_WAVE_ID */
		*v = 0;
	else
		return code == 254 ? -EOPNOTSUPP : -EINVAL;
	return 0;
}

int cu_source(const struct gv_cu_run *run, struct cu_inst *i, unsigned n, unsigned code,
              uint8_t type)
{
	struct cu_src *s = &i->src[n];

	s->code = (uint8_t)code;
	if (code >= 256) {
		s->kind = CU_SRC_VGPR;
		s->reg = (uint16_t)(code - 256);
		return cu_check_vgprs(run, s->reg, rows_of(type));
	}
	if (code >= 251 && code <= 253) {
		s->kind = CU_SRC_SGPR;
		s->reg = code == 251   ? CU_STATUS_VCCZ
		         : code == 252 ? CU_STATUS_EXECZ
		                       : CU_STATUS_SCC;
		i->status = 1;
		return 0;
	}
	if (code < 128) {
		s->kind = CU_SRC_SGPR;
		s->reg = (uint16_t)code;
		return cu_check_sgprs(code, rows_of(type));
	}
	s->kind = CU_SRC_CONST;
	return constant(run, i, code, type, &i->imm[n]);
}

/* ---- SALU */
static int salu_source(const struct gv_cu_run *run, struct cu_inst *i, unsigned n, unsigned code)
{
	if (i->op->sw[n] == 0)
		return 0;
	return cu_source(run, i, n, code & 0xff, i->op->sw[n] == 2 ? GV9_B64 : GV9_B32);
}

int cu_operands_salu(const struct gv_cu_run *run, const uint32_t word[2], struct cu_inst *i)
{
	uint32_t w = word[0];
	int rc = 0;

	i->simm = (int16_t)(w & 0xffff);
	if (i->op->format != GV9_SOPP && i->op->format != GV9_SOPC) {
		i->dst = w >> 16 & 0x7f;
		rc = i->op->dw ? cu_check_sgprs(i->dst, i->op->dw) : 0;
	}
	if (i->op->format <= GV9_SOPC && i->op->format != GV9_SOPK) {
		rc = rc ? rc : salu_source(run, i, 0, w);
		rc = rc ? rc : salu_source(run, i, 1, w >> 8);
	}
	return rc;
}

/* ---- VALU */
static unsigned num_sources(const struct cu_op *op)
{
	return op->st[0] == GV9_NONE   ? 0
	       : op->st[1] == GV9_NONE ? 1
	       : op->st[2] == GV9_NONE ? 2
	                               : 3;
}

static int destination(const struct gv_cu_run *run, struct cu_inst *i, unsigned reg)
{
	const struct cu_op *op = i->op;

	i->nsrc = (uint8_t)num_sources(op);
	i->fp = cu_valu_fp(op);
	if (op->flags & GV9_F_CMP || op->dt == GV9_NONE)
		return 0;
	if (op->flags & GV9_F_SDST) {
		i->sdst = (uint8_t)(reg & 0x7f);
		return cu_check_sgprs(i->sdst, 1);
	}
	i->dst = (uint16_t)reg;
	return cu_check_vgprs(run, reg, op->fn == cu_v_mqsad ? 4 : rows_of(op->dt));
}

static int decode_sdwa(const struct gv_cu_run *run, struct cu_inst *i)
{
	uint32_t w = i->word[1];
	int rc;

	i->sdwa = i->slow = 1;
	if (i->op->flags & GV9_F_CMP) {
		i->dst_sel = 6;
		i->sdst = w >> 15 & 1 ? w >> 8 & 0x7f : CU_VCC;
	} else {
		i->dst_sel = (uint8_t)(w >> 8 & 7);
		i->dst_unused = w >> 11 & 3;
		i->clamp = w >> 13 & 1;
		i->omod = w >> 14 & 3;
	}
	rc = cu_check_sgprs(i->sdst, 2);
	rc = rc ? rc : cu_source(run, i, 0, (w & 0xff) | (w >> 23 & 1 ? 0 : 256), i->op->st[0]);
	i->src[0].sel = w >> 16 & 7;
	i->src[0].sext = w >> 19 & 1;
	i->src[0].neg = w >> 20 & 1;
	i->src[0].abs = w >> 21 & 1;
	i->src[1].sel = w >> 24 & 7;
	i->src[1].sext = w >> 27 & 1;
	i->src[1].neg = w >> 28 & 1;
	i->src[1].abs = w >> 29 & 1;
	i->src[2].sel = 6;
	return i->dst_sel == 7 || i->dst_unused == 3 ? -EINVAL : rc;
}

static int decode_dpp(const struct gv_cu_run *run, struct cu_inst *i)
{
	uint32_t w = i->word[1];

	i->dpp = i->slow = 1;
	i->dpp_ctrl = w >> 8 & 0x1ff;
	i->bound_ctrl = w >> 19 & 1;
	i->src[0].neg = w >> 20 & 1;
	i->src[0].abs = w >> 21 & 1;
	i->src[1].neg = w >> 22 & 1;
	i->src[1].abs = w >> 23 & 1;
	i->dpp_bank_mask = w >> 24 & 15;
	i->dpp_row_mask = (uint8_t)(w >> 28);
	return cu_source(run, i, 0, 256 + (w & 0xff), i->op->st[0]);
}

/* What VOP2 adds to its two encoded sources. */
static int third_source(const struct gv_cu_run *run, struct cu_inst *i)
{
	uint32_t flags = i->op->flags;
	uint64_t k = i->word[1];

	if (flags & GV9_F_MAC)
		return cu_source(run, i, 2, 256u + i->dst, i->op->st[2]);
	if (flags & GV9_F_MADK) {
		i->src[2].kind = CU_SRC_CONST;
		i->imm[2] = k;
	} else if (flags & GV9_F_MADMK) {
		i->src[2] = i->src[1];
		i->src[1].kind = CU_SRC_CONST;
		i->imm[1] = k;
	}
	return 0;
}

int cu_operands_short(const struct gv_cu_run *run, const uint32_t word[2], struct cu_inst *i)
{
	uint32_t w = word[0], s0 = w & 0x1ff, s1 = w >> 9 & 0xff;
	bool two = i->op->format != GV9_VOP1;
	int rc = destination(run, i, w >> 17 & 0xff);

	if (!(i->op->flags & GV9_F_SDST))
		i->sdst = CU_VCC;
	if (i->op->flags & GV9_F_SPECIAL && (s0 == 249 || s0 == 250))
		return -EOPNOTSUPP;
	if (s0 == 249)
		rc = rc ? rc : decode_sdwa(run, i);
	else if (s0 == 250)
		rc = rc ? rc : decode_dpp(run, i);
	else if (i->nsrc)
		rc = rc ? rc : cu_source(run, i, 0, s0, i->op->st[0]);
	if (!rc && i->op->fn == cu_v_swap && i->src[0].kind != CU_SRC_VGPR)
		return -EINVAL;
	if (rc || !two)
		return rc;
	rc = cu_source(run, i, 1, s1 + (i->sdwa && i->word[1] >> 31 ? 0 : 256), i->op->st[1]);
	return rc ? rc : third_source(run, i);
}

static bool vop3_is_plain(const struct cu_inst *i)
{
	bool plain = !i->omod && !i->op_sel_dst && (!i->clamp || i->op->clamp_core);

	for (unsigned n = 0; n < i->nsrc; n++)
		plain &= !i->src[n].neg && !i->src[n].abs && !i->src[n].sel;
	return plain;
}

/* The lane number is a scalar, and so is what v_writelane writes. */
static int check_lane_access(const struct cu_inst *i)
{
	if (i->src[1].kind == CU_SRC_VGPR)
		return -EINVAL;
	return i->op->fn == cu_v_writelane && i->src[0].kind == CU_SRC_VGPR ? -EINVAL : 0;
}

static bool is_vop3b(const struct cu_op *op)
{
	return op->flags & GV9_F_VOP3B;
}

int cu_operands_vop3(const struct gv_cu_run *run, const uint32_t word[2], struct cu_inst *i)
{
	const struct cu_op *op = i->op;
	uint32_t w = word[0], v = word[1];
	int rc = destination(run, i, w & 0xff);

	if (op->flags & GV9_F_CMP)
		i->sdst = w & 0x7f;
	else if (is_vop3b(op))
		i->sdst = w >> 8 & 0x7f;
	rc = rc ? rc : cu_check_sgprs(i->sdst, 2);
	i->clamp = w >> 15 & 1;
	i->omod = v >> 27 & 3;
	for (unsigned n = 0; n < 3 && !rc; n++) {
		bool mask = n == 2 && op->flags & GV9_F_CIN;

		if (n >= i->nsrc && !mask)
			break;
		if ((v >> (9 * n) & 0x1ff) == 255) /* VOP3 has no literals on this chip */
			return -EINVAL;
		rc = n == 2 && op->flags & GV9_F_MAC ? third_source(run, i)
		                                     : cu_source(run, i, n, v >> (9 * n) & 0x1ff,
		                                                 mask ? GV9_B64 : op->st[n]);
		i->mask_in_src2 |= mask;
		i->src[n].neg = v >> (29 + n) & 1;
		if (is_vop3b(op))
			continue;
		i->src[n].abs = w >> (8 + n) & 1;
		i->src[n].sel = w >> (11 + n) & 1;
	}
	if (!is_vop3b(op))
		i->op_sel_dst = w >> 14 & 1;
	if (!rc && i->mask_in_src2 && i->src[2].kind == CU_SRC_VGPR)
		return -EINVAL;
	if (!rc && (op->fn == cu_v_readlane || op->fn == cu_v_writelane))
		rc = check_lane_access(i);
	if (!rc && op->fn == cu_v_mqsad)
		rc = i->src[2].kind == CU_SRC_VGPR ? cu_check_vgprs(run, i->src[2].reg, 4)
		                                   : -EINVAL;
	i->slow = !vop3_is_plain(i);
	return rc;
}

int cu_operands_vop3p(const struct gv_cu_run *run, const uint32_t word[2], struct cu_inst *i)
{
	uint32_t w = word[0], v = word[1];
	uint32_t sel_hi = (v >> 27 & 3) | (w >> 14 & 1) << 2;
	int rc = destination(run, i, w & 0xff);

	i->clamp = w >> 15 & 1;
	i->slow = 1;
	i->op_sel_dst = i->op->flags & GV9_F_HIGH ? 1 : 0;
	for (unsigned n = 0; n < i->nsrc && !rc; n++) {
		struct cu_src *s = &i->src[n];
		uint8_t type = i->op->st[n];

		s->sel = w >> (11 + n) & 1;
		s->sel_hi = sel_hi >> n & 1;
		s->neg = v >> (29 + n) & 1;
		s->neg_hi = w >> (8 + n) & 1;
		if (i->op->flags & GV9_F_MIX && s->sel_hi)
			type = GV9_F16;
		rc = cu_source(run, i, n, v >> (9 * n) & 0x1ff, type);
	}
	return rc;
}
