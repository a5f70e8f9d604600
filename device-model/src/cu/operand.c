/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operands of the scalar and vector ALU formats. */
#include <errno.h>

#include "operand.h"
#include "valu_special.h"

#define SEL_DWORD 6

int cu_bind_register(const struct gv_cu_run *run, const struct gv_gfx9_operand *o, uint8_t *reg)
{
	*reg = (uint8_t)o->code;
	return o->code < GV9_VGPR || *reg + (unsigned)o->dwords <= run->num_vgprs ? 0 : -EINVAL;
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

static uint64_t constant(const struct gv_cu_run *run, const struct cu_inst *i,
                         const struct gv_gfx9_operand *o)
{
	const uint64_t shared = run->d.shared_base, private = run->d.private_base;
	const uint64_t special[] = {shared, shared | UINT32_MAX, private, private | UINT32_MAX,
	                            0 /* POPS_EXITING_WAVE_ID */};

	if (o->code == GV9_LITERAL)
		return literal(i, o->type);
	if (o->code >= GV9_SHARED_BASE && o->code < GV9_FLOATS)
		return special[o->code - GV9_SHARED_BASE];
	return gv_gfx9_constant(o->code, o->type);
}

int cu_bind_source(const struct gv_cu_run *run, struct cu_inst *i, unsigned n,
                   const struct gv_gfx9_operand *o)
{
	static const uint16_t status[] = {CU_STATUS_VCCZ, CU_STATUS_EXECZ, CU_STATUS_SCC,
	                                  CU_STATUS_LDS};
	struct cu_src *s = &i->src[n];
	uint8_t reg;
	int rc;

	s->neg = o->neg;
	s->abs = o->abs;
	s->sext = o->sext;
	s->sel = i->sdwa ? o->sdwa_sel : o->sel;
	s->sel_hi = o->sel_hi;
	s->neg_hi = i->op->flags & GV9_F_MIX ? o->abs : o->neg_hi;
	if (o->code == GV9_LDS_DIRECT && i->op->format < GV9_VOP2)
		return -EOPNOTSUPP;
	if (o->code >= GV9_VCCZ && o->code <= GV9_LDS_DIRECT) {
		s->kind = CU_SRC_SGPR;
		s->reg = status[o->code - GV9_VCCZ];
		i->status = 1;
		return 0;
	}
	if (o->code >= GV9_INT_0 && o->code < GV9_VGPR) {
		s->kind = CU_SRC_CONST;
		i->imm[n] = constant(run, i, o);
		return 0;
	}
	s->kind = o->code < GV9_VGPR ? CU_SRC_SGPR : CU_SRC_VGPR;
	rc = cu_bind_register(run, o, &reg);
	s->reg = reg;
	return rc;
}

/* ---- SALU */
int cu_bind_salu(const struct gv_cu_run *run, const struct gv_gfx9_inst *in, struct cu_inst *i)
{
	int rc = 0;

	i->simm = (int16_t)in->simm;
	for (unsigned n = 0; n < in->num_operands && !rc; n++) {
		const struct gv_gfx9_operand *o = &in->operand[n];

		if (o->role == GV9_DST || (i->op->format == GV9_SOPK && o->code < GV9_INT_0))
			i->dst = o->code; /* SOPK has one register, read or written */
		else if (o->role == GV9_SRC0 || o->role == GV9_SRC1)
			rc = cu_bind_source(run, i, o->role - GV9_SRC0, o);
	}
	return rc;
}

/* ---- VALU */
static unsigned num_sources(const struct cu_op *op)
{
	unsigned n = 0;

	while (n < 3 && op->st[n] != GV9_NONE)
		n++;
	return n;
}

static int bind_operand(const struct gv_cu_run *run, struct cu_inst *i, unsigned form,
                        const struct gv_gfx9_operand *o)
{
	uint8_t reg;
	int rc;

	switch (o->role) {
	case GV9_DST:
		rc = cu_bind_register(run, o, &reg);
		if (o->code < GV9_VGPR)
			i->sdst = reg;
		else
			i->dst = reg;
		return rc;
	case GV9_SDST:
		i->sdst = (uint8_t)o->code;
		return 0;
	case GV9_MASK: /* elsewhere it is VCC */
		i->mask_in_src2 = form == GV9_VOP3_FORM;
		return i->mask_in_src2 ? cu_bind_source(run, i, 2, o) : 0;
	default:
		return cu_bind_source(run, i, o->role - GV9_SRC0, o);
	}
}

static void bind_modifiers(const struct gv_gfx9_inst *in, struct cu_inst *i)
{
	i->sdwa = in->form == GV9_SDWA_FORM;
	i->dpp = in->form == GV9_DPP_FORM;
	i->clamp = in->clamp;
	i->omod = in->omod;
	if (in->form == GV9_VOP3_FORM) { /* also where no assembler sets them */
		i->clamp = in->word[0] >> 15 & 1;
		i->omod = in->word[1] >> 27 & 3;
	}
	i->op_sel_dst = in->op_sel_dst || i->op->flags & GV9_F_HIGH;
	i->dst_sel = in->dst_sel;
	i->dst_unused = in->dst_unused;
	i->dpp_ctrl = in->dpp_ctrl;
	i->dpp_row_mask = in->row_mask;
	i->dpp_bank_mask = in->bank_mask;
	i->bound_ctrl = in->bound_ctrl;
	if (i->sdwa)
		i->src[2].sel = SEL_DWORD;
}

/* v_mac: the third source is the destination. */
static int bind_accumulator(const struct gv_cu_run *run, struct cu_inst *i)
{
	const struct gv_gfx9_operand o = {.code = (uint16_t)(GV9_VGPR + i->dst),
	                                  .type = i->op->st[2],
	                                  .dwords = 1,
	                                  .sdwa_sel = SEL_DWORD};

	return i->op->flags & GV9_F_MAC ? cu_bind_source(run, i, 2, &o) : 0;
}

static bool vop3_is_plain(const struct cu_inst *i)
{
	bool plain = !i->omod && !i->op_sel_dst && (!i->clamp || i->op->clamp_core);

	for (unsigned n = 0; n < i->nsrc; n++)
		plain &= !i->src[n].neg && !i->src[n].abs && !i->src[n].sel;
	return plain;
}

static bool is_slow(const struct gv_gfx9_inst *in, const struct cu_inst *i)
{
	return i->sdwa || i->dpp || in->op->format == GV9_VOP3P ||
	       (in->form == GV9_VOP3_FORM && !vop3_is_plain(i));
}

int cu_bind_valu(const struct gv_cu_run *run, const struct gv_gfx9_inst *in, struct cu_inst *i)
{
	int rc = 0;

	i->nsrc = (uint8_t)num_sources(i->op);
	i->fp = cu_valu_fp(i->op);
	i->sdst = CU_VCC;
	bind_modifiers(in, i);
	for (unsigned n = 0; n < in->num_operands && !rc; n++)
		rc = bind_operand(run, i, in->form, &in->operand[n]);
	rc = rc ? rc : bind_accumulator(run, i);
	i->slow = is_slow(in, i);
	return rc;
}
