/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mnemonic and operands of an instruction, in LLVM's spelling. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "gfx9_text.h"

void gv_gfx9_put(struct gv_gfx9_text *t, const char *fmt, ...)
{
	size_t room = t->bytes - t->used;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->used, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->used += (size_t)n < room ? (size_t)n : room - 1;
}

/* ---- registers */
static const char *const whole[] = {
        [GV9_FLAT_SCRATCH] = "flat_scratch",
        [GV9_XNACK_MASK] = "xnack_mask",
        [GV9_VCC] = "vcc",
        [GV9_EXEC] = "exec",
        [GV9_SHARED_BASE] = "src_shared_base",
        "src_shared_limit",
        "src_private_base",
        "src_private_limit",
        "src_pops_exiting_wave_id",
        [GV9_VCCZ] = "src_vccz",
        "src_execz",
        "src_scc",
        "src_lds_direct",
};

static void put_range(struct gv_gfx9_text *t, const char *file, unsigned reg, unsigned dwords)
{
	if (dwords <= 1)
		gv_gfx9_put(t, "%s%u", file, reg);
	else
		gv_gfx9_put(t, "%s[%u:%u]", file, reg, reg + dwords - 1);
}

static void put_register(struct gv_gfx9_text *t, unsigned code, unsigned dwords)
{
	if (code >= GV9_VGPR)
		put_range(t, "v", code - GV9_VGPR, dwords);
	else if (code < GV9_FLAT_SCRATCH)
		put_range(t, "s", code, dwords);
	else if (code >= GV9_TTMP && code < GV9_M0)
		put_range(t, "ttmp", code - GV9_TTMP, dwords);
	else if (code == GV9_M0)
		gv_gfx9_put(t, "m0");
	else if (code > 128 || dwords == 2)
		gv_gfx9_put(t, "%s", whole[code]);
	else
		gv_gfx9_put(t, "%s_%s", whole[code & ~1u], code % 2 ? "hi" : "lo");
}

/* ---- constants: those that have a code are printed as numbers, others as bits */
static bool put_float(struct gv_gfx9_text *t, uint64_t v, uint8_t type)
{
	static const char *const name[] = {"0.5",  "-0.5", "1.0",  "-1.0",      "2.0",
	                                   "-2.0", "4.0",  "-4.0", "0.15915494"};

	for (unsigned n = 0; n < 9; n++) {
		if (gv_gfx9_constant(GV9_FLOATS + n, type) != v)
			continue;
		gv_gfx9_put(t, "%s",
		            n == 8 && gv_gfx9_dwords(type) == 2 ? "0.15915494309189532" : name[n]);
		return true;
	}
	return false;
}

static void put_constant(struct gv_gfx9_text *t, uint64_t v, uint8_t type)
{
	bool half = gv_gfx9_is_half(type);
	int64_t i = half ? (int16_t)v : gv_gfx9_dwords(type) == 2 ? (int64_t)v : (int32_t)v;

	if (i >= -16 && i <= 64)
		gv_gfx9_put(t, "%d", (int)i);
	else if (type == GV9_B16 || type == GV9_PK16 || !put_float(t, v, type))
		gv_gfx9_put(t, "0x%" PRIx64, half ? v & 0xffff : v);
}

/* The constant of v_madmk and v_madak is printed as it stands. */
static bool is_raw_literal(const struct gv_gfx9_inst *in, const struct gv_gfx9_operand *o)
{
	return (in->op->flags & GV9_F_MADMK && o->role == GV9_SRC1) ||
	       (in->op->flags & GV9_F_MADK && o->role == GV9_SRC2);
}

static void put_value(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in,
                      const struct gv_gfx9_operand *o)
{
	if (o->code == GV9_LITERAL && is_raw_literal(in, o))
		gv_gfx9_put(t, "0x%x", in->word[1]);
	else if (o->code == GV9_LITERAL)
		put_constant(t, in->word[1], in->op->flags & GV9_F_MADMK ? GV9_F32 : o->type);
	else if (gv_gfx9_is_number(o->code))
		put_constant(t, gv_gfx9_constant(o->code, o->type), o->type);
	else
		put_register(t, o->code, o->dwords);
}

/* neg(1) where -1 would be another constant */
static void put_modified(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in,
                         const struct gv_gfx9_operand *o)
{
	bool word = o->neg && !o->abs && (gv_gfx9_is_number(o->code) || o->code == GV9_LITERAL);

	gv_gfx9_put(t, "%s%s%s",
	            word     ? "neg("
	            : o->neg ? "-"
	                     : "",
	            o->abs ? "|" : "", o->sext ? "sext(" : "");
	put_value(t, in, o);
	gv_gfx9_put(t, "%s%s%s", o->sext ? ")" : "", o->abs ? "|" : "", word ? ")" : "");
}

/* Which corner of the triangle v_interp_mov_f32 reads. */
static void put_parameter(struct gv_gfx9_text *t, unsigned param)
{
	static const char *const name[] = {"p10", "p20", "p0"};

	if (param < 3)
		gv_gfx9_put(t, "%s", name[param]);
	else
		gv_gfx9_put(t, "invalid_param_%u", param);
}

static void put_operand(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in,
                        const struct gv_gfx9_operand *o)
{
	if (o->role == GV9_DATA && in->op->format == GV9_SMEM && in->op->flags & GV9_F_PROBE)
		gv_gfx9_put(t, in->simm <= 64 ? "%u" : "0x%x", in->simm);
	else if (o->role == GV9_IMM)
		gv_gfx9_put_imm(t, in);
	else if (o->code == GV9_OFF && o->role == GV9_SRC0) /* v_interp_mov_f32 */
		put_parameter(t, in->param);
	else if (o->code == GV9_OFF)
		gv_gfx9_put(t, "off");
	else if (in->op->format == GV9_VOP3P && !(in->op->flags & GV9_F_MIX))
		put_value(t, in, o);
	else
		put_modified(t, in, o);
}

/* ---- the whole */
static const char *tail(const struct gv_gfx9_inst *in)
{
	static const char *const of[] = {"_e32", "_e64", "_sdwa", "_dpp"};
	const struct gv_gfx9_op *op = in->op;

	if (op->format == GV9_VINTRP)
		return "_e32";
	if (op->format == GV9_VOP3 && op->flags & GV9_F_INTERP && op->num < 628)
		return "_e64"; /* has a short form too */
	if (op->format < GV9_VOP2 || op->format > GV9_VOPC || op->flags & GV9_F_ALONE ||
	    (op->dt == GV9_NONE && !(op->flags & GV9_F_CMP)))
		return "";
	return of[in->form];
}

static bool is_printed(const struct gv_gfx9_inst *in, const struct gv_gfx9_operand *o)
{
	return o->role != GV9_IMM || in->op->imm != GV9_I_OPTIONAL || in->simm;
}

char *gv_gfx9_print(const struct gv_gfx9_inst *in, char *buf, size_t bytes)
{
	struct gv_gfx9_text t = {.buf = buf, .bytes = bytes};
	const char *between = " ";

	if (!bytes)
		return buf;
	buf[0] = 0;
	if (!in->valid) {
		gv_gfx9_put(&t, ".long 0x%08x", in->word[0]);
		if (in->dwords == 2)
			gv_gfx9_put(&t, ", 0x%08x", in->word[1]);
		return buf;
	}
	gv_gfx9_put(&t, "%s%s", in->op->name, tail(in));
	if (in->op->format == GV9_EXP)
		gv_gfx9_put_target(&t, in);
	for (unsigned n = 0; n < in->num_operands; n++) {
		if (!is_printed(in, &in->operand[n]))
			continue;
		gv_gfx9_put(&t, "%s", between);
		put_operand(&t, in, &in->operand[n]);
		between = ", ";
	}
	gv_gfx9_put_suffix(&t, in);
	return buf;
}
