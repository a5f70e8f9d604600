/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operands of SMEM, DS, FLAT, GLOBAL, SCRATCH and MUBUF. */
#include <errno.h>

#include "memop.h"
#include "operand.h"

#define NO_SGPR 0x7f

static bool is_load(const struct cu_op *op)
{
	return cu_mem_is_load(op);
}

int cu_operands_smem(const uint32_t word[2], struct cu_inst *i)
{
	uint32_t w = word[0], v = word[1];
	bool imm = w >> 17 & 1, soe = w >> 14 & 1;
	unsigned base = (w & 0x3f) * 2;
	bool buffer = i->op->fn == cu_s_buffer_load || i->op->fn == cu_s_buffer_store ||
	              i->op->fn == cu_s_buffer_atomic;
	unsigned dw = i->op->dw * (i->op->flags & GV9_F_CMPSWAP ? 2u : 1u);
	int rc = 0;

	if (i->op->dw == 0)
		return 0;
	i->dst = w >> 6 & 0x7f;
	rc = cu_check_sgprs(i->dst, dw);
	i->glc = w >> 16 & 1;
	if (i->op->fn == cu_s_memtime || i->op->fn == cu_s_memrealtime)
		return rc;
	i->saddr = (uint8_t)base;
	i->soffset = CU_NUM_S;
	if (imm)
		i->simm = (int32_t)(v << 11) >> 11;
	if (soe || !imm)
		i->soffset = (uint8_t)(soe ? v >> 25 : v & 0x7f);
	rc = rc ? rc : cu_check_sgprs(base, buffer ? 4 : 2);
	return rc || i->soffset == CU_NUM_S ? rc : cu_check_sgprs(i->soffset, 1);
}

static int decode_ds(const struct gv_cu_run *run, const uint32_t word[2], struct cu_inst *i)
{
	const struct cu_op *op = i->op;
	uint32_t v = word[1];
	bool reads_data = op->flags & (GV9_F_ATOMIC | GV9_F_STORE);
	unsigned back = op->flags & GV9_F_TWICE ? op->dw * 2u : op->dw;
	int rc = 0;

	if (word[0] >> 16 & 1) /* GDS */
		return -EOPNOTSUPP;
	i->simm = (int32_t)(word[0] & 0xffff);
	i->addr = v & 0xff;
	i->data = v >> 8 & 0xff;
	i->data1 = v >> 16 & 0xff;
	i->dst = (uint16_t)(v >> 24);
	if (op->fn == cu_ds_nop)
		return 0;
	if (!(op->flags & GV9_F_NOADDR))
		rc = cu_check_vgprs(run, i->addr, 1);
	if (reads_data)
		rc = rc ? rc : cu_check_vgprs(run, i->data, op->dw);
	if (op->flags & GV9_F_TWO)
		rc = rc ? rc : cu_check_vgprs(run, i->data1, op->dw);
	if (op->flags & GV9_F_RTN)
		rc = rc ? rc : cu_check_vgprs(run, i->dst, back);
	return rc;
}

/* Registers of what is loaded, stored or returned; the same for FLAT and MUBUF. */
static int check_data(const struct gv_cu_run *run, const struct cu_inst *i)
{
	const struct cu_op *op = i->op;
	unsigned in = op->kind == CU_AT_CMPSWAP ? op->dw * 2u : op->dw;
	int rc;

	if (op->flags & (GV9_F_LOAD | GV9_F_STORE))
		return cu_check_vgprs(run, i->data, op->dw);
	if (!(op->flags & GV9_F_ATOMIC))
		return 0;
	rc = cu_check_vgprs(run, i->data1, in);
	return rc || !i->glc ? rc : cu_check_vgprs(run, i->data, op->dw);
}

/* A dword or less; wider ones have the bit, but no meaning for it that we know. */
static bool may_go_to_lds(const struct cu_op *op)
{
	return is_load(op) && op->dw == 1 && (op->kind <= CU_MEM_LOAD_I16 || op->kind == CU_MEM_X);
}

static int decode_flat(const struct gv_cu_run *run, const uint32_t word[2], struct cu_inst *i)
{
	const struct cu_op *op = i->op;
	uint32_t w = word[0], v = word[1];
	bool pair, uses_addr = true;
	int rc = 0;

	i->lds_dma = w >> 13 & 1;
	if (i->lds_dma && !may_go_to_lds(op))
		return -EOPNOTSUPP;
	i->glc = w >> 16 & 1;
	i->addr = v & 0xff;
	i->saddr = v >> 16 & 0x7f;
	i->data1 = v >> 8 & 0xff;
	i->data = (uint8_t)(op->flags & GV9_F_ATOMIC || is_load(op) ? v >> 24 : v >> 8);
	if (op->format == GV9_FLAT) {
		i->simm = (int32_t)(w & 0xfff);
		i->saddr = NO_SGPR;
	} else {
		i->simm = (int32_t)(w << 19) >> 19;
	}
	pair = i->saddr == NO_SGPR && op->format != GV9_SCRATCH;
	if (op->format == GV9_SCRATCH && i->saddr != NO_SGPR)
		uses_addr = false;
	if (i->saddr != NO_SGPR)
		rc = cu_check_sgprs(i->saddr, op->format == GV9_SCRATCH ? 1 : 2);
	if (uses_addr)
		rc = rc ? rc : cu_check_vgprs(run, i->addr, pair ? 2 : 1);
	return rc ? rc : check_data(run, i);
}

/* MUBUF and MTBUF */
static int decode_buffer(const struct gv_cu_run *run, const uint32_t word[2], struct cu_inst *i)
{
	uint32_t w = word[0], v = word[1];
	int rc;

	if (i->op->dw == 0) /* cache control */
		return 0;
	if (v >> 23 & 1) /* TFE */
		return -EOPNOTSUPP;
	i->simm = (int32_t)(w & 0xfff);
	i->offen = w >> 12 & 1;
	i->idxen = w >> 13 & 1;
	i->glc = w >> 14 & 1;
	i->addr = v & 0xff;
	i->data = i->data1 = v >> 8 & 0xff;
	i->srsrc = (uint8_t)((v >> 16 & 0x1f) * 4);
	rc = cu_check_sgprs(i->srsrc, 4);
	if (i->offen || i->idxen)
		rc = rc ? rc : cu_check_vgprs(run, i->addr, i->offen + i->idxen);
	rc = rc ? rc : cu_source(run, i, 0, v >> 24, GV9_B32);
	return rc ? rc : check_data(run, i);
}

static int decode_mubuf(const struct gv_cu_run *run, const uint32_t word[2], struct cu_inst *i)
{
	i->lds_dma = word[0] >> 16 & 1;
	if (i->lds_dma && i->op->fn != cu_mubuf_store_lds && !may_go_to_lds(i->op))
		return -EOPNOTSUPP;
	return decode_buffer(run, word, i);
}

static int decode_mtbuf(const struct gv_cu_run *run, const uint32_t word[2], struct cu_inst *i)
{
	i->dfmt = word[0] >> 19 & 15;
	i->nfmt = word[0] >> 23 & 7;
	return decode_buffer(run, word, i);
}

int cu_operands_mem(const struct gv_cu_run *run, const uint32_t word[2], struct cu_inst *i)
{
	if (i->op->format == GV9_DS)
		return decode_ds(run, word, i);
	if (i->op->format == GV9_MUBUF)
		return decode_mubuf(run, word, i);
	if (i->op->format == GV9_MTBUF)
		return decode_mtbuf(run, word, i);
	return decode_flat(run, word, i);
}
