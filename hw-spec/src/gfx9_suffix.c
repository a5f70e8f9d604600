/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Constants with a meaning, and the modifiers that follow the operands, in LLVM's spelling. */
#include <string.h>

#include <gv/base.h>

#include "gfx9_text.h"

/* ---- constants of scalar instructions */
static void put_waitcnt(struct gv_gfx9_text *t, unsigned v)
{
	unsigned vm = gv_gfx9_bits(v, 0, 4) | gv_gfx9_bits(v, 14, 2) << 4;
	unsigned exp = gv_gfx9_bits(v, 4, 3), lgkm = gv_gfx9_bits(v, 8, 4);
	bool all = vm == 63 && exp == 7 && lgkm == 15;
	const char *between = "";

	if (vm != 63 || all) {
		gv_gfx9_put(t, "vmcnt(%u)", vm);
		between = " ";
	}
	if (exp != 7 || all) {
		gv_gfx9_put(t, "%sexpcnt(%u)", between, exp);
		between = " ";
	}
	if (lgkm != 15 || all)
		gv_gfx9_put(t, "%slgkmcnt(%u)", between, lgkm);
}

struct message {
	const char *name;
	const char *op[5]; /* NULL: there is none of that number */
	bool stream;       /* all but the first operation name a stream */
};

static const struct message messages[16] = {
        [1] = {.name = "MSG_INTERRUPT"},
        [2] = {"MSG_GS", {NULL, "GS_OP_CUT", "GS_OP_EMIT", "GS_OP_EMIT_CUT"}, true},
        [3] = {"MSG_GS_DONE", {"GS_OP_NOP", "GS_OP_CUT", "GS_OP_EMIT", "GS_OP_EMIT_CUT"}, true},
        [4] = {.name = "MSG_SAVEWAVE"},
        [5] = {.name = "MSG_STALL_WAVE_GEN"},
        [6] = {.name = "MSG_HALT_WAVES"},
        [7] = {.name = "MSG_ORDERED_PS_DONE"},
        [8] = {.name = "MSG_EARLY_PRIM_DEALLOC"},
        [9] = {.name = "MSG_GS_ALLOC_REQ"},
        [10] = {.name = "MSG_GET_DOORBELL"},
        [15] = {"MSG_SYSMSG",
                {NULL, "SYSMSG_OP_ECC_ERR_INTERRUPT", "SYSMSG_OP_REG_RD", "SYSMSG_OP_HOST_TRAP_ACK",
                 "SYSMSG_OP_TTRACE_PC"},
                false},
};

static bool has_ops(const struct message *m)
{
	return m->op[0] || m->op[1];
}

/* Bits 3:0 message, 6:4 operation, 9:8 stream; what does not fit is printed as numbers. */
static void put_message(struct gv_gfx9_text *t, unsigned v)
{
	unsigned id = v & 15, op = v >> 4 & 7, stream = v >> 8 & 3;
	const struct message *m = &messages[id];
	const char *name = op < GV_ARRAY_LEN(m->op) ? m->op[op] : NULL;
	bool streamed = m->stream && op;

	if (m->name && !has_ops(m) && !op && !stream)
		gv_gfx9_put(t, "sendmsg(%s)", m->name);
	else if (m->name && name && streamed)
		gv_gfx9_put(t, "sendmsg(%s, %s, %u)", m->name, name, stream);
	else if (m->name && name && !stream)
		gv_gfx9_put(t, "sendmsg(%s, %s)", m->name, name);
	else if (v & ~0x37fu)
		gv_gfx9_put(t, "%u", v);
	else
		gv_gfx9_put(t, "sendmsg(%u, %u, %u)", id, op, stream);
}

static const char *const hwregs[] = {[1] = "MODE", "STATUS",    "TRAPSTS", "HW_ID",
                                     "GPR_ALLOC",  "LDS_ALLOC", "IB_STS",  [15] = "SH_MEM_BASES"};

static void put_hwreg(struct gv_gfx9_text *t, unsigned v)
{
	unsigned id = v & 63, from = v >> 6 & 31, width = (v >> 11 & 31) + 1;

	if (id < GV_ARRAY_LEN(hwregs) && hwregs[id])
		gv_gfx9_put(t, "hwreg(HW_REG_%s", hwregs[id]);
	else
		gv_gfx9_put(t, "hwreg(%u", id);
	if (from || width != 32)
		gv_gfx9_put(t, ", %u, %u", from, width);
	gv_gfx9_put(t, ")");
}

static void put_gpr_idx(struct gv_gfx9_text *t, unsigned v)
{
	static const char *const name[] = {"SRC0", "SRC1", "SRC2", "DST"};
	const char *between = "";

	if (v > 15) {
		gv_gfx9_put(t, "0x%x", v);
		return;
	}
	gv_gfx9_put(t, "gpr_idx(");
	for (unsigned n = 0; n < 4; n++) {
		if (!(v >> n & 1))
			continue;
		gv_gfx9_put(t, "%s%s", between, name[n]);
		between = ",";
	}
	gv_gfx9_put(t, ")");
}

static void put_scalar(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in)
{
	unsigned v = in->simm;

	switch (in->op->imm) {
	case GV9_I_WAITCNT:
		put_waitcnt(t, v);
		break;
	case GV9_I_MSG:
		put_message(t, v);
		break;
	case GV9_I_HWREG:
		put_hwreg(t, v);
		break;
	case GV9_I_GPR_IDX:
		put_gpr_idx(t, v);
		break;
	case GV9_I_HEX:
		gv_gfx9_put(t, "0x%x", v);
		break;
	case GV9_I_VALUE:
		gv_gfx9_put(t, v <= 64 ? "%u" : "0x%x", v);
		break;
	default:
		gv_gfx9_put(t, "%u", v);
	}
}

static void put_smem(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in)
{
	if (in->offset < 0)
		gv_gfx9_put(t, "-0x%x", -(uint32_t)in->offset);
	else
		gv_gfx9_put(t, "0x%x", (uint32_t)in->offset);
}

void gv_gfx9_put_imm(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in)
{
	if (in->op->flags & GV9_F_INTERP && in->op->format != GV9_SMEM && !in->op->imm)
		gv_gfx9_put(t, "attr%u.%c", in->attr, "xyzw"[in->chan]);
	else if (in->op->format == GV9_SMEM)
		put_smem(t, in);
	else
		put_scalar(t, in);
}

/* ---- vector ALU */
/* " name:[1,0,1]" unless all are @usual. */
static void put_bits(struct gv_gfx9_text *t, const char *name, const bool *bit, unsigned count,
                     bool usual)
{
	bool all = true;

	for (unsigned n = 0; n < count; n++)
		all &= bit[n] == usual;
	if (all)
		return;
	for (unsigned n = 0; n < count; n++)
		gv_gfx9_put(t, "%s%s%d", n ? "," : " ", n ? "" : name, bit[n]);
	gv_gfx9_put(t, "]");
}

static void put_clamp_omod(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in)
{
	static const char *const omod[] = {"", " mul:2", " mul:4", " div:2"};

	gv_gfx9_put(t, "%s%s", in->clamp ? " clamp" : "", omod[in->omod]);
}

struct packed_bits {
	bool sel[4], sel_hi[3], neg_lo[3], neg_hi[3];
	unsigned sources;
};

static struct packed_bits packed_bits(const struct gv_gfx9_inst *in)
{
	struct packed_bits b = {.sources = 0};

	for (unsigned n = 0; n < in->num_operands; n++) {
		const struct gv_gfx9_operand *o = &in->operand[n];

		if (o->role < GV9_SRC0 || o->role > GV9_SRC2)
			continue;
		b.sel[b.sources] = o->sel;
		b.sel_hi[b.sources] = o->sel_hi;
		b.neg_lo[b.sources] = o->neg;
		b.neg_hi[b.sources++] = o->neg_hi;
	}
	return b;
}

static void suffix_vop3(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in)
{
	struct packed_bits b = packed_bits(in);

	b.sel[b.sources] = in->op_sel_dst;
	gv_gfx9_put(t, "%s", in->high ? " high" : "");
	put_bits(t, "op_sel:[", b.sel, b.sources + 1, false);
	put_clamp_omod(t, in);
}

static void suffix_vop3p(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in)
{
	struct packed_bits b = packed_bits(in);
	bool mix = in->op->flags & GV9_F_MIX;

	put_bits(t, "op_sel:[", b.sel, b.sources, false);
	put_bits(t, "op_sel_hi:[", b.sel_hi, b.sources, !mix);
	if (!mix) {
		put_bits(t, "neg_lo:[", b.neg_lo, b.sources, false);
		put_bits(t, "neg_hi:[", b.neg_hi, b.sources, false);
	}
	put_clamp_omod(t, in);
}

static const char *const selector[] = {"BYTE_0", "BYTE_1", "BYTE_2", "BYTE_3",
                                       "WORD_0", "WORD_1", "DWORD"};

static void suffix_sdwa(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in)
{
	static const char *const unused[] = {"PAD", "SEXT", "PRESERVE"};
	const struct gv_gfx9_operand *s0 = gv_gfx9_operand(in, GV9_SRC0);
	const struct gv_gfx9_operand *s1 = gv_gfx9_operand(in, GV9_SRC1);

	put_clamp_omod(t, in);
	if (s0 && !(in->op->flags & GV9_F_CMP))
		gv_gfx9_put(t, " dst_sel:%s dst_unused:UNUSED_%s", selector[in->dst_sel],
		            unused[in->dst_unused]);
	if (s0)
		gv_gfx9_put(t, " src0_sel:%s", selector[s0->sdwa_sel]);
	if (s1)
		gv_gfx9_put(t, " src1_sel:%s", selector[s1->sdwa_sel]);
}

static void put_dpp_control(struct gv_gfx9_text *t, unsigned c)
{
	static const char *const row[] = {"row_shl", "row_shr", "row_ror"};
	static const char *const wave[] = {"wave_shl", "wave_rol", "wave_shr", "wave_ror"};
	static const char *const rest[] = {"row_mirror", "row_half_mirror", "row_bcast:15",
	                                   "row_bcast:31"};

	if (c < 0x100)
		gv_gfx9_put(t, " quad_perm:[%u,%u,%u,%u]", c & 3, c >> 2 & 3, c >> 4 & 3, c >> 6);
	else if (c < 0x130)
		gv_gfx9_put(t, " %s:%u", row[(c >> 4) - 0x10], c & 15);
	else if (c < 0x140)
		gv_gfx9_put(t, " %s:1", wave[c >> 2 & 3]);
	else
		gv_gfx9_put(t, " %s", rest[c & 3]);
}

static void suffix_dpp(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in)
{
	put_dpp_control(t, in->dpp_ctrl);
	gv_gfx9_put(t, " row_mask:0x%x bank_mask:0x%x%s", in->row_mask, in->bank_mask,
	            in->bound_ctrl ? " bound_ctrl:1" : "");
}

static void suffix_vop(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in)
{
	if (in->form == GV9_SDWA_FORM)
		suffix_sdwa(t, in);
	else if (in->form == GV9_DPP_FORM)
		suffix_dpp(t, in);
	else if (in->form == GV9_VOP3_FORM)
		suffix_vop3(t, in);
}

/* ---- memory */
static void put_cache(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in)
{
	gv_gfx9_put(t, "%s%s", in->glc ? " glc" : "", in->slc ? " slc" : "");
}

static void put_offset(struct gv_gfx9_text *t, int32_t offset)
{
	if (offset)
		gv_gfx9_put(t, " offset:%d", offset);
}

static void suffix_smem(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in)
{
	if (in->has_offset && gv_gfx9_operand(in, GV9_SOFFSET))
		gv_gfx9_put(t, " offset:"), gv_gfx9_put_imm(t, in);
	gv_gfx9_put(t, "%s", in->glc ? " glc" : "");
}

static bool is_two(const struct gv_gfx9_op *op)
{
	return op->flags & GV9_F_TWICE || (op->flags & GV9_F_TWO && op->flags & GV9_F_STORE);
}

/* The masks of ds_swizzle_b32 that have a name, LLVM's way. */
static void put_swizzle_bits(struct gv_gfx9_text *t, unsigned and, unsigned or, unsigned xor)
{
	gv_gfx9_put(t, "BITMASK_PERM,\"");
	for (int n = 4; n >= 0; n--) {
		bool a = and >> n & 1, o = or >> n & 1, x = xor >> n & 1;

		gv_gfx9_put(t, "%c", o ? (x ? '0' : '1') : !a ? (x ? '1' : '0') : x ? 'i' : 'p');
	}
	gv_gfx9_put(t, "\"");
}

static void put_swizzle(struct gv_gfx9_text *t, unsigned v)
{
	unsigned and = v & 31, or = v >> 5 & 31, xor = v >> 10 & 31;

	if (!v)
		return;
	gv_gfx9_put(t, " offset:");
	if ((v & 0xff00) == 0x8000) {
		gv_gfx9_put(t, "swizzle(QUAD_PERM,%u,%u,%u,%u)", v & 3, v >> 2 & 3, v >> 4 & 3,
		            v >> 6 & 3);
		return;
	}
	if (v & 0x8000) {
		gv_gfx9_put(t, "%u", v);
		return;
	}
	gv_gfx9_put(t, "swizzle(");
	if (and == 31 && or == 0 && xor&&(xor&(xor-1)) == 0)
		gv_gfx9_put(t, "SWAP,%u", xor);
	else if (and == 31 && or == 0 && xor&&(xor&(xor+1)) == 0)
		gv_gfx9_put(t, "REVERSE,%u", xor+1);
	else if (xor == 0 && or < 32u - and&&((32u - and) & (31u - and)) == 0 && and != 31)
		gv_gfx9_put(t, "BROADCAST,%u,%u", 32 - and, or);
	else
		put_swizzle_bits(t, and, or, xor);
	gv_gfx9_put(t, ")");
}

static void suffix_ds(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in)
{
	if (strcmp(in->op->name, "ds_swizzle_b32") == 0) {
		put_swizzle(t, (unsigned)in->offset);
	} else if (is_two(in->op)) {
		if (in->offset & 0xff)
			gv_gfx9_put(t, " offset0:%d", in->offset & 0xff);
		if (in->offset >> 8)
			gv_gfx9_put(t, " offset1:%d", in->offset >> 8);
	} else {
		put_offset(t, in->offset);
	}
	gv_gfx9_put(t, "%s", in->gds ? " gds" : "");
}

static void suffix_flat(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in)
{
	put_offset(t, in->offset);
	put_cache(t, in);
	gv_gfx9_put(t, "%s", in->lds ? " lds" : "");
}

static void put_buffer_format(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in)
{
	static const char *const data[] = {
	        "INVALID",     "8",        "16",          "8_8",        "32",      "16_16",
	        "10_11_11",    "11_11_10", "10_10_10_2",  "2_10_10_10", "8_8_8_8", "32_32",
	        "16_16_16_16", "32_32_32", "32_32_32_32", "RESERVED_15"};
	static const char *const number[] = {"UNORM", "SNORM", "USCALED",    "SSCALED",
	                                     "UINT",  "SINT",  "RESERVED_6", "FLOAT"};

	if (in->dfmt == 1 && in->nfmt == 0) /* what an assembler assumes */
		return;
	gv_gfx9_put(t, " format:[");
	if (in->dfmt != 1)
		gv_gfx9_put(t, "BUF_DATA_FORMAT_%s%s", data[in->dfmt], in->nfmt ? "," : "");
	if (in->nfmt)
		gv_gfx9_put(t, "BUF_NUM_FORMAT_%s", number[in->nfmt]);
	gv_gfx9_put(t, "]");
}

static void suffix_buffer(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in)
{
	if (in->op->format == GV9_MTBUF)
		put_buffer_format(t, in);
	gv_gfx9_put(t, "%s%s", in->idxen ? " idxen" : "", in->offen ? " offen" : "");
	put_offset(t, in->offset);
	if (gv_gfx9_operand(in, GV9_ADDR)) {
		put_cache(t, in);
		gv_gfx9_put(t, "%s%s", in->lds ? " lds" : "", in->tfe ? " tfe" : "");
	} else if (in->op->dw) { /* buffer_store_lds_dword */
		gv_gfx9_put(t, "%s", in->lds ? " lds" : "");
		put_cache(t, in);
	}
}

static void suffix_image(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in)
{
	if (in->dmask)
		gv_gfx9_put(t, " dmask:0x%x", in->dmask);
	gv_gfx9_put(t, "%s", in->unorm ? " unorm" : "");
	put_cache(t, in);
	gv_gfx9_put(t, "%s%s%s%s%s", in->a16 ? " a16" : "", in->tfe ? " tfe" : "",
	            in->lwe ? " lwe" : "", in->da ? " da" : "", in->d16 ? " d16" : "");
}

void gv_gfx9_put_target(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in)
{
	unsigned tgt = in->tgt;

	if (tgt < 8)
		gv_gfx9_put(t, " mrt%u", tgt);
	else if (tgt < 10)
		gv_gfx9_put(t, tgt == 8 ? " mrtz" : " null");
	else if (tgt >= 12 && tgt < 16)
		gv_gfx9_put(t, " pos%u", tgt - 12);
	else
		gv_gfx9_put(t, tgt < 32 ? " invalid_target_%u" : " param%u", tgt % 32);
}

static void suffix_export(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in)
{
	gv_gfx9_put(t, "%s%s%s", in->done ? " done" : "", in->compr ? " compr" : "",
	            in->vm ? " vm" : "");
}

void gv_gfx9_put_suffix(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in)
{
	static void (*const of[GV9_NUM_FORMATS])(struct gv_gfx9_text *,
	                                         const struct gv_gfx9_inst *) = {
	        [GV9_SMEM] = suffix_smem,    [GV9_VOP1] = suffix_vop,
	        [GV9_VOP2] = suffix_vop,     [GV9_VOPC] = suffix_vop,
	        [GV9_VOP3] = suffix_vop,     [GV9_VOP3P] = suffix_vop3p,
	        [GV9_DS] = suffix_ds,        [GV9_FLAT] = suffix_flat,
	        [GV9_SCRATCH] = suffix_flat, [GV9_GLOBAL] = suffix_flat,
	        [GV9_MUBUF] = suffix_buffer, [GV9_MTBUF] = suffix_buffer,
	        [GV9_MIMG] = suffix_image,   [GV9_EXP] = suffix_export,
	};

	if (of[in->op->format])
		of[in->op->format](t, in);
}
