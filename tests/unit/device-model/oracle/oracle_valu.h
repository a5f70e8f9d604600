/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One way to write a vector ALU instruction (its form, operand kinds, modifiers, MODE): how it
 * is encoded, and what it does to the registers of a wave when orc_find()'s function says what
 * it does to a lane.
 */
#ifndef ORACLE_VALU_H
#define ORACLE_VALU_H

#include "oracle_bench.h"

enum valu_form { FORM_BASE, FORM_VOP3, FORM_SDWA, FORM_DPP };
enum valu_source { SOURCE_VGPR, SOURCE_SGPR, SOURCE_CONSTANT, SOURCE_LITERAL };

struct valu_shape {
	const struct gv_gfx9_op *op;
	orc_fn fn;
	enum valu_form form;
	struct orc_mode mode;
	uint8_t source[3]; /* enum valu_source */
	uint16_t code[3];  /* operand numbers of SOURCE_CONSTANT */
	uint32_t literal;
	uint8_t neg, abs, omod; /* VOP3P: neg is neg_lo, abs is neg_hi */
	bool clamp;
	uint8_t op_sel, op_sel_hi;
	uint8_t sel[2], sext, dst_sel, dst_unused; /* SDWA */
	uint16_t dpp_ctrl;
	uint8_t row_mask, bank_mask;
	bool bound_ctrl;
};

/** Words of the instruction; at most 3. */
unsigned valu_encode(const struct valu_shape *s, uint32_t words[3]);
/** Source @k is one the instruction has. */
bool valu_has_source(const struct gv_gfx9_op *op, unsigned k);
/** What is written in a line of a report. */
void valu_describe(const struct valu_shape *s, char *text, size_t bytes);

/** Compare a wave with the oracle. Lanes compared are added to *@lanes; differences are
 *  returned, the first one written to @why. */
unsigned valu_check(const struct valu_shape *s, const struct bench_block *in,
                    const struct bench_block *out, uint64_t *lanes, char *why, size_t bytes);

/** op_sel chooses halves of its sources (VOP3). */
bool valu_has_op_sel(const struct gv_gfx9_op *op);
/** The clamp bit saturates its integer result. */
bool valu_clamps_int(const struct gv_gfx9_op *op);

#endif
