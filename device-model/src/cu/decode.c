/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From what hw-spec decodes to a cu_inst: what executes it, and on which registers. */
#include <errno.h>

#include "memop.h"
#include "operand.h"
#include "ramp.h"
#include "salu.h"
#include "valu_special.h"

/* The rows here and in hw-spec are the same, in the same order. */
static const struct cu_op *row_of(const struct gv_gfx9_inst *in)
{
	return in->op ? &cu_table.row[in->op - gv_gfx9_ops] : NULL;
}

const struct cu_op *cu_decode_op(const uint32_t word[2], unsigned *dwords)
{
	struct gv_gfx9_inst in;

	(void)gv_gfx9_decode(word, 2, &in);
	*dwords = in.dwords;
	return row_of(&in);
}

const char *gv_cu_name(const uint32_t word[2], unsigned *dwords)
{
	const struct cu_op *op = cu_decode_op(word, dwords);

	return op ? op->name : NULL;
}

static bool is_done(const struct cu_op *op)
{
	return op->fn || op->core;
}

bool gv_cu_implemented(const uint32_t word[2])
{
	unsigned dwords;
	const struct cu_op *op = cu_decode_op(word, &dwords);

	return op && is_done(op);
}

static bool is_valu(const struct cu_op *op)
{
	return op->format >= GV9_VOP2 && op->format <= GV9_VOP3P;
}

static int bind(const struct gv_cu_run *run, const struct gv_gfx9_inst *in, struct cu_inst *i)
{
	if (i->op->format <= GV9_SOPP)
		return cu_bind_salu(run, in, i);
	return is_valu(i->op) ? cu_bind_valu(run, in, i) : cu_bind_mem(run, in, i);
}

static void with_status(struct cu_wave *w, const struct cu_inst *i)
{
	w->s[CU_STATUS_SCC] = w->scc;
	w->s[CU_STATUS_VCCZ] = !cu_rd64(&w->s[CU_VCC]);
	w->s[CU_STATUS_EXECZ] = !cu_exec(w);
	w->s[CU_STATUS_LDS] = cu_lds_direct(w);
	i->inner(w, i);
}

enum gv_cu_reason cu_decode(const struct gv_cu_run *run, const uint32_t word[2], struct cu_inst *i)
{
	struct gv_gfx9_inst in;
	int rc = gv_gfx9_decode(word, 2, &in);

	i->op = row_of(&in);
	i->len = in.dwords;
	i->word[0] = word[0];
	i->word[1] = word[1];
	if (!i->op)
		return GV_CU_BAD_INSTRUCTION;
	if (!is_done(i->op))
		return GV_CU_UNIMPLEMENTED;
	rc = rc ? rc : bind(run, &in, i);
	if (rc)
		return rc == -EOPNOTSUPP ? GV_CU_UNIMPLEMENTED : GV_CU_BAD_INSTRUCTION;
	i->fn = i->op->fn;
	if (is_valu(i->op) && !i->fn) {
		i->core = run->isa->cores[i->clamp && i->op->clamp_core ? i->op->clamp_core
		                                                        : i->op->core];
		i->fn = cu_valu_handler(run, i);
	}
	if (i->op->format == GV9_SMEM)
		i->fn = cu_smem_handler(i);
	if (i->op->format == GV9_GLOBAL || i->op->format == GV9_FLAT || i->op->format == GV9_DS) {
		cu_fn fast = run->isa->memory(i);

		i->fn = fast ? fast : i->fn;
	}
	if (i->status) {
		i->inner = i->fn;
		i->fn = with_status;
	}
	i->straight = is_valu(i->op) || cu_salu_is_straight(i->op);
	cu_ramp_bind(run, i);
	return GV_CU_NO_FAULT;
}
