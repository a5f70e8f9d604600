/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operands of SMEM, DS, FLAT, GLOBAL, SCRATCH, MUBUF and MTBUF. */
#include <errno.h>

#include "memop.h"
#include "operand.h"

/* What every format has; where a role stands in a cu_inst differs by format. */
static int bind_registers(const struct gv_cu_run *run, const struct gv_gfx9_inst *in,
                          struct cu_inst *i)
{
	int rc = 0;

	for (unsigned n = 0; n < in->num_operands && !rc; n++) {
		const struct gv_gfx9_operand *o = &in->operand[n];
		uint8_t reg = 0, *to = o->role == GV9_ADDR    ? &i->addr
		                       : o->role == GV9_DATA  ? &i->data
		                       : o->role == GV9_DATA1 ? &i->data1
		                       : o->role == GV9_SADDR ? &i->saddr
		                                              : &reg;

		if (o->code == GV9_OFF || o->role == GV9_SOFFSET)
			continue;
		rc = cu_bind_register(run, o, to);
		if (o->role == GV9_DST)
			i->dst = reg;
	}
	return rc;
}

static int bind_smem(const struct gv_cu_run *run, const struct gv_gfx9_inst *in, struct cu_inst *i)
{
	const struct gv_gfx9_operand *offset = gv_gfx9_operand(in, GV9_SOFFSET);
	int rc = bind_registers(run, in, i);

	if (!gv_gfx9_operand(in, GV9_DST))
		i->dst = i->data;
	i->soffset = offset ? (uint8_t)offset->code : CU_NUM_S;
	i->simm = in->offset;
	i->glc = in->glc;
	return rc;
}

static int bind_ds(const struct gv_cu_run *run, const struct gv_gfx9_inst *in, struct cu_inst *i)
{
	if (in->gds)
		return -EOPNOTSUPP;
	i->simm = in->offset;
	return bind_registers(run, in, i);
}

/* Loads and atomics return into data; atomics take data1, stores data. */
static void place_data(const struct gv_gfx9_inst *in, struct cu_inst *i)
{
	i->data1 = i->data;
	if (gv_gfx9_operand(in, GV9_DST))
		i->data = (uint8_t)i->dst;
}

/* A dword or less; wider ones have the bit, but no meaning for it that we know. */
static bool may_go_to_lds(const struct cu_op *op)
{
	return cu_mem_is_load(op) && op->dw == 1 &&
	       (op->kind <= CU_MEM_LOAD_I16 || op->kind == CU_MEM_X);
}

static int bind_flat(const struct gv_cu_run *run, const struct gv_gfx9_inst *in, struct cu_inst *i)
{
	int rc;

	if (in->lds && !may_go_to_lds(i->op))
		return -EOPNOTSUPP;
	i->saddr = CU_NO_SGPR;
	i->lds_dma = in->lds;
	i->glc = in->glc;
	i->simm = in->offset;
	rc = bind_registers(run, in, i);
	place_data(in, i);
	return rc;
}

static int bind_buffer(const struct gv_cu_run *run, const struct gv_gfx9_inst *in,
                       struct cu_inst *i)
{
	const struct gv_gfx9_operand *offset = gv_gfx9_operand(in, GV9_SOFFSET);
	int rc;

	if (in->tfe || (in->lds && i->op->fn != cu_mubuf_store_lds && !may_go_to_lds(i->op)))
		return -EOPNOTSUPP;
	i->lds_dma = in->lds;
	i->glc = in->glc;
	i->offen = in->offen;
	i->idxen = in->idxen;
	i->dfmt = in->dfmt;
	i->nfmt = in->nfmt;
	i->simm = in->offset;
	rc = bind_registers(run, in, i);
	place_data(in, i);
	return rc || !offset ? rc : cu_bind_source(run, i, 0, offset);
}

int cu_bind_mem(const struct gv_cu_run *run, const struct gv_gfx9_inst *in, struct cu_inst *i)
{
	switch (i->op->format) {
	case GV9_SMEM:
		return bind_smem(run, in, i);
	case GV9_DS:
		return bind_ds(run, in, i);
	case GV9_MUBUF:
	case GV9_MTBUF:
		return bind_buffer(run, in, i);
	default:
		return bind_flat(run, in, i);
	}
}
