/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From instruction words to a table row (here) and to a cu_inst (operand.c). */
#include <pthread.h>

#include <gv/base.h>

#include "memop.h"
#include "operand.h"

#define NUM_OPS 1024

/* Row of each (format, opcode): an index over const tables, made once. */
static const struct cu_op *index_of[GV9_NUM_FORMATS][NUM_OPS];
static pthread_once_t index_once = PTHREAD_ONCE_INIT;

static void add_table(const struct cu_table *t)
{
	for (unsigned n = 0; n < t->count; n++) {
		const struct cu_op *op = &t->row[n];

		index_of[op->format][op->num] = op;
		if (op->flags & GV9_F_ALONE)
			continue;
		if (op->format == GV9_VOPC)
			index_of[GV9_VOP3][op->num] = op;
		else if (op->format == GV9_VOP2)
			index_of[GV9_VOP3][256 + op->num] = op;
		else if (op->format == GV9_VOP1)
			index_of[GV9_VOP3][320 + op->num] = op;
	}
}

static void make_index(void)
{
	add_table(&cu_table);
}

/* Formats that are told apart by their top six bits. */
static enum gv_gfx9_format long_format(uint32_t w, unsigned *num)
{
	switch (w >> 26) {
	case 0x30:
		*num = w >> 18 & 0xff;
		return GV9_SMEM;
	case 0x34:
		*num = w >> 16 & 0x3ff;
		if (w >> 23 != 0x1a7)
			return GV9_VOP3;
		*num &= 0x7f;
		return GV9_VOP3P;
	case 0x36:
		*num = w >> 17 & 0xff;
		return GV9_DS;
	case 0x37:
		*num = w >> 18 & 0x7f;
		return (w >> 14 & 3) == 0   ? GV9_FLAT
		       : (w >> 14 & 3) == 1 ? GV9_SCRATCH
		       : (w >> 14 & 3) == 2 ? GV9_GLOBAL
		                            : GV9_NUM_FORMATS;
	case 0x38:
		*num = w >> 18 & 0x7f;
		return GV9_MUBUF;
	case 0x3a:
		*num = w >> 15 & 0xf;
		return GV9_MTBUF;
	default:
		*num = 0;
		return (w >> 26) == 0x3c   ? GV9_MIMG
		       : (w >> 26) == 0x31 ? GV9_EXP
		       : (w >> 26) == 0x35 ? GV9_VINTRP
		                           : GV9_NUM_FORMATS;
	}
}

static enum gv_gfx9_format find_format(uint32_t w, unsigned *num)
{
	if (!(w >> 31)) {
		unsigned op = w >> 25 & 0x3f;

		*num = op == 63 ? w >> 9 & 0xff : op == 62 ? w >> 17 & 0xff : op;
		return op == 63 ? GV9_VOP1 : op == 62 ? GV9_VOPC : GV9_VOP2;
	}
	if (w >> 30 == 3)
		return long_format(w, num);
	*num = w >> (w >> 23 == 0x17d ? 8 : 16) & (w >> 23 == 0x17d ? 0xff : 0x7f);
	if (w >> 23 >= 0x17d)
		return w >> 23 == 0x17d ? GV9_SOP1 : w >> 23 == 0x17e ? GV9_SOPC : GV9_SOPP;
	*num = w >> 23 & (w >> 28 == 0xb ? 0x1f : 0x7f);
	return w >> 28 == 0xb ? GV9_SOPK : GV9_SOP2;
}

static bool is_long(enum gv_gfx9_format f)
{
	return f == GV9_SMEM || (f >= GV9_VOP3 && f != GV9_VINTRP);
}

/* A literal, or SDWA and DPP, which stand where a literal would. */
static bool has_second(enum gv_gfx9_format f, const struct cu_op *op, uint32_t w)
{
	unsigned s0 = f <= GV9_SOPC ? w & 0xff : w & 0x1ff, s1 = w >> 8 & 0xff;

	switch (f) {
	case GV9_SOP2:
	case GV9_SOPC:
		return s0 == 255 || s1 == 255;
	case GV9_SOP1:
		return s0 == 255;
	case GV9_SOPK:
		return op && op->num == 20; /* s_setreg_imm32_b32 */
	case GV9_VOP1:
	case GV9_VOP2:
	case GV9_VOPC:
		return s0 == 255 || s0 == 249 || s0 == 250 ||
		       (op && op->flags & (GV9_F_MADK | GV9_F_MADMK));
	default:
		return false;
	}
}

/* Formats without rows of their own: known, none of them interpreted. */
static const struct cu_op foreign[] = {
        {.name = "MIMG", .format = GV9_MIMG},
        {.name = "EXP", .format = GV9_EXP},
        {.name = "VINTRP", .format = GV9_VINTRP},
};

const struct cu_op *cu_decode_op(const uint32_t word[2], unsigned *dwords)
{
	unsigned num;
	enum gv_gfx9_format f = find_format(word[0], &num);
	const struct cu_op *op = NULL;

	(void)pthread_once(&index_once, make_index);
	if (f >= GV9_MIMG)
		op = f < GV9_NUM_FORMATS ? &foreign[f - GV9_MIMG] : NULL;
	else
		op = index_of[f][num];
	*dwords = f < GV9_NUM_FORMATS && (is_long(f) || has_second(f, op, word[0])) ? 2 : 1;
	return op;
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

static int decode_operands(const struct gv_cu_run *run, const uint32_t word[2], struct cu_inst *i)
{
	switch (i->op->format) {
	case GV9_SOP2:
	case GV9_SOP1:
	case GV9_SOPC:
	case GV9_SOPK:
	case GV9_SOPP:
		return cu_operands_salu(run, word, i);
	case GV9_SMEM:
		return cu_operands_smem(word, i);
	case GV9_VOP1:
	case GV9_VOP2:
	case GV9_VOPC:
		if (word[0] >> 26 != 0x34)
			return cu_operands_short(run, word, i);
		return cu_operands_vop3(run, word, i);
	case GV9_VOP3:
		return cu_operands_vop3(run, word, i);
	case GV9_VOP3P:
		return cu_operands_vop3p(run, word, i);
	default:
		return cu_operands_mem(run, word, i);
	}
}

static void with_status(struct cu_wave *w, const struct cu_inst *i)
{
	w->s[CU_STATUS_SCC] = w->scc;
	w->s[CU_STATUS_VCCZ] = !cu_rd64(&w->s[CU_VCC]);
	w->s[CU_STATUS_EXECZ] = !cu_exec(w);
	i->inner(w, i);
}

static bool is_valu(const struct cu_op *op)
{
	return op->format >= GV9_VOP2 && op->format <= GV9_VOP3P;
}

enum gv_cu_reason cu_decode(const struct gv_cu_run *run, const uint32_t word[2], struct cu_inst *i)
{
	unsigned dwords;
	int rc;

	i->op = cu_decode_op(word, &dwords);
	i->len = (uint8_t)dwords;
	i->word[0] = word[0];
	i->word[1] = word[1];
	if (!i->op)
		return GV_CU_BAD_INSTRUCTION;
	if (!is_done(i->op))
		return GV_CU_UNIMPLEMENTED;
	rc = decode_operands(run, word, i);
	if (rc)
		return rc == -EOPNOTSUPP ? GV_CU_UNIMPLEMENTED : GV_CU_BAD_INSTRUCTION;
	i->fn = i->op->fn;
	if (is_valu(i->op) && !i->fn) {
		i->core = run->isa->cores[i->clamp && i->op->clamp_core ? i->op->clamp_core
		                                                        : i->op->core];
		i->fn = cu_valu_handler(run, i);
	}
	if (i->op->format == GV9_GLOBAL || i->op->format == GV9_FLAT) {
		cu_fn fast = run->isa->memory(i);

		i->fn = fast ? fast : i->fn;
	}
	if (i->status) {
		i->inner = i->fn;
		i->fn = with_status;
	}
	return GV_CU_NO_FAULT;
}
