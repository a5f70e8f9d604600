/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The instruction set of gfx900 (GCN5, "Vega"): one row per instruction, and the decoder and the
 * disassembler that follow from the rows.
 *
 * The rows stand in gfx9_salu.def, gfx9_vop.def, gfx9_mem.def and gfx9_gfx.def. Here is what the
 * columns mean; gv_gfx9_ops[] is the rows as an array. The last column of a row says how the
 * device model executes it: CORE(), HANDLER() and so on name functions of device-model/src/cu
 * (see its table.c), NOT_DONE that it does not. Nothing else looks at that column.
 *
 *	struct gv_gfx9_inst in;
 *	char line[GV_GFX9_TEXT];
 *
 *	if (gv_gfx9_decode(words, available, &in) == 0)
 *		puts(gv_gfx9_print(&in, line, sizeof(line)));
 *	words += in.dwords;
 *
 * Source: AMD, "Vega" Instruction Set Architecture Reference Guide (2017). The spelling is that of
 * LLVM's assembler; docs/isa.md lists where the two do not agree and why.
 */
#ifndef GV_GFX9_H
#define GV_GFX9_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What there is for one workgroup, and its units. */
enum {
	GV9_LANES = 64, /* of a wave */
	GV9_GROUP_ITEMS = 1024,
	GV9_LDS_BYTES = 65536,
	GV9_LDS_GRANULE = 512,      /* of COMPUTE_PGM_RSRC2.LDS_SIZE */
	GV9_SCRATCH_GRANULE = 1024, /* of COMPUTE_TMPRING_SIZE.WAVESIZE, which is for a wave */
};

enum gv_gfx9_format {
	GV9_SOP2,
	GV9_SOPK,
	GV9_SOP1,
	GV9_SOPC,
	GV9_SOPP,
	GV9_SMEM,
	GV9_VOP2,
	GV9_VOP1,
	GV9_VOPC,
	GV9_VOP3,
	GV9_VOP3P,
	GV9_DS,
	GV9_FLAT,
	GV9_SCRATCH,
	GV9_GLOBAL,
	GV9_MUBUF,
	GV9_MTBUF,
	GV9_MIMG,
	GV9_EXP,
	GV9_VINTRP,
	GV9_NUM_FORMATS,
};

/* How a vector operand's bits are read: width, and what neg, abs and constants mean. */
enum gv_gfx9_type {
	GV9_NONE,
	GV9_B32,
	GV9_F32,
	GV9_B64,
	GV9_F64,
	GV9_B16,
	GV9_F16,
	GV9_PK16,
	GV9_PKF16,
};

/* Flags of a row. */
enum {
	GV9_F_CIN = 1u << 0,      /* reads a lane mask: VCC, or src2 in VOP3 */
	GV9_F_COUT = 1u << 1,     /* writes a lane mask: VCC, or sdst in VOP3 */
	GV9_F_CMP = 1u << 2,      /* the result is a lane mask */
	GV9_F_CMPX = 1u << 3,     /* and EXEC becomes it */
	GV9_F_MAC = 1u << 4,      /* src2 is the destination */
	GV9_F_MADK = 1u << 5,     /* 32-bit constant follows: src2 */
	GV9_F_MADMK = 1u << 6,    /* it is src1, and src1 is src2 */
	GV9_F_FLUSH = 1u << 7,    /* flushes f32 or f16 denormals whatever MODE says */
	GV9_F_KEEPHI = 1u << 8,   /* 16-bit result leaves the other half of the register alone */
	GV9_F_VOP3B = 1u << 9,    /* VOP3 form has an sdst */
	GV9_F_VCCIN = 1u << 10,   /* reads VCC in every form */
	GV9_F_SPECIAL = 1u << 11, /* handler does everything itself */
	GV9_F_LOAD = 1u << 12,    /* memory: dwords come back */
	GV9_F_RTN = 1u << 13,     /* DS: returns a value */
	GV9_F_ALONE = 1u << 14,   /* no VOP3 form at VOP2/VOP1 + offset */
	GV9_F_SDST = 1u << 15,    /* v_readlane and the like: destination is an SGPR */
	GV9_F_MIX = 1u << 16,     /* v_mad_mix*: op_sel_hi chooses f16 or f32 */
	GV9_F_HIGH = 1u << 17,    /* result goes to the high half */
	GV9_F_NOFLUSH = 1u << 18, /* float modifiers, but the bits are not touched */
	GV9_F_ST64 = 1u << 19,    /* DS offsets count 64 elements */
	GV9_F_ATOMIC = 1u << 20,  /* reads data registers, may return */
	GV9_F_TWO = 1u << 21,     /* DS: data1 is used */
	GV9_F_TWICE = 1u << 22,   /* DS: twice dw registers come back */
	GV9_F_NOADDR = 1u << 23,  /* DS: the address register is not used */
	GV9_F_STORE = 1u << 24,   /* memory: dwords go out */
	GV9_F_CMPSWAP = 1u << 25, /* atomic with twice dw registers of data */
	GV9_F_NOROUND = 1u << 19, /* vector ALU: rounds to nearest whatever MODE says */
	/* The VOP3 form has the field; SDWA and VOP3P always have clamp. */
	GV9_F_CLAMP = 1u << 26,
	GV9_F_OMOD = 1u << 27,
	GV9_F_OPSEL = 1u << 28,
	GV9_F_FLOAT = GV9_F_CLAMP | GV9_F_OMOD,
	GV9_F_GDS = 1u << 29,   /* DS: only with gds */
	GV9_F_NOGDS = 1u << 30, /* DS: never with gds */
	GV9_F_LDS = 1u << 31,   /* MUBUF: may load into LDS */
	/* Memory and vector ALU instructions never meet: these share bits. */
	GV9_F_SAMPLE = 1u << 0,  /* MIMG: has a sampler */
	GV9_F_GATHER = 1u << 1,  /* MIMG: four dwords come back whatever dmask says */
	GV9_F_PROBE = 1u << 3,   /* SMEM: a number stands where the data register would */
	GV9_F_ADDRESS = 1u << 4, /* SMEM: an address, no data */
	GV9_F_INTERP = 1u << 12, /* interpolation: an attribute stands where source 0 would */
};

/* What the 16 bits of a scalar instruction's constant mean. */
enum gv_gfx9_imm {
	GV9_I_NONE,
	GV9_I_REGISTER, /* none, and source 0 is a register, not a constant */
	GV9_I_HEX,
	GV9_I_VALUE,
	GV9_I_OPTIONAL, /* not printed when 0 */
	GV9_I_BRANCH,   /* dwords from the end of the instruction */
	GV9_I_WAITCNT,
	GV9_I_MSG,
	GV9_I_HWREG,
	GV9_I_GPR_IDX,
};

struct gv_gfx9_op {
	const char *name;
	uint32_t flags;    /* GV9_F_* */
	uint16_t num;      /* opcode number within the format */
	uint8_t format;    /* enum gv_gfx9_format */
	uint8_t dt, st[3]; /* vector ALU: enum gv_gfx9_type of result and sources */
	uint8_t dw, sw[2]; /* scalar: dwords of result and sources; memory: dwords moved (dw) */
	uint8_t imm;       /* scalar: enum gv_gfx9_imm */
};

/* Rows of the .def files as initializers of struct gv_gfx9_op's fields, to which a file that
 * wants the behaviour column too may append. */
#define GV_GFX9_SALU(f, n, nm, d, s0, s1, im)                                                      \
	.name = nm, .format = GV9_##f, .num = (n), .dw = (d), .sw = {s0, s1}, .imm = GV9_I_##im
#define GV_GFX9_VOP(f, n, nm, d, s0, s1, s2, fl)                                                   \
	.name = nm, .format = GV9_##f, .num = (n), .dt = GV9_##d,                                  \
	.st = {GV9_##s0, GV9_##s1, GV9_##s2}, .flags = (fl)
#define GV_GFX9_MEM(f, n, nm, d, fl)                                                               \
	.name = nm, .format = GV9_##f, .num = (n), .dw = (d), .flags = (fl)

/* All rows, in the order of the .def files: salu, vop, mem, gfx. */
extern const struct gv_gfx9_op gv_gfx9_ops[];
extern const size_t gv_gfx9_num_ops;

/* What an operand is for. */
enum gv_gfx9_role {
	GV9_DST,
	GV9_SDST, /* scalar result of a vector instruction: carry, compare */
	GV9_SRC0,
	GV9_SRC1,
	GV9_SRC2,
	GV9_MASK, /* lane mask that is read: carry in, select */
	GV9_ADDR, /* vector address */
	GV9_DATA, /* what is stored, or goes into an atomic */
	GV9_DATA1,
	GV9_SADDR, /* scalar base of GLOBAL, SCRATCH and SMEM; V# or T# of buffers and images */
	GV9_SOFFSET,
	GV9_SAMPLER,
	GV9_IMM, /* a field of the instruction, see gv_gfx9_inst.simm, tgt, attr */
};

/* Operand codes: 0..255 as in the 8-bit source fields, 256 + n for VGPR n, then: */
enum {
	GV9_FLAT_SCRATCH = 102,
	GV9_XNACK_MASK = 104,
	GV9_VCC = 106,
	GV9_TTMP = 108, /* 16 of them; only a trap handler may use them */
	GV9_M0 = 124,
	GV9_EXEC = 126,
	GV9_INT_0 = 128, /* 0..64, then -1..-16 */
	GV9_SHARED_BASE = 235,
	GV9_FLOATS = 240, /* 0.5 -0.5 1 -1 2 -2 4 -4 1/(2 pi) */
	GV9_SDWA = 249,
	GV9_DPP = 250,
	GV9_VCCZ,
	GV9_EXECZ,
	GV9_SCC,
	GV9_LDS_DIRECT,
	GV9_LITERAL,
	GV9_VGPR = 256,
	GV9_OFF = 512, /* no register: "off" */
};

struct gv_gfx9_operand {
	uint16_t code;       /* aligned down where registers must be */
	uint8_t role;        /* enum gv_gfx9_role */
	uint8_t type;        /* enum gv_gfx9_type: how a constant reads */
	uint8_t dwords;      /* registers from code on */
	bool neg, abs, sext; /* neg: of the low half for packed ones */
	bool sel, sel_hi;    /* op_sel, op_sel_hi */
	bool neg_hi;         /* packed */
	uint8_t sdwa_sel;    /* BYTE_0..3, WORD_0, WORD_1, DWORD */
};

enum gv_gfx9_form { GV9_PLAIN, GV9_VOP3_FORM, GV9_SDWA_FORM, GV9_DPP_FORM };

#define GV_GFX9_OPERANDS 8
#define GV_GFX9_TEXT     192 /* longest text is shorter */

struct gv_gfx9_inst {
	const struct gv_gfx9_op *op; /* NULL: no such opcode */
	uint32_t word[2];
	uint8_t dwords; /* 1 or 2; also of what is not valid, as far as the format tells */
	uint8_t form;   /* enum gv_gfx9_form: of what VOP1, VOP2 and VOPC rows describe */
	/* Bits that this instruction does not use are set, or registers not aligned: an assembler
	 * does not make it. Hardware does not look. */
	bool loose;
	bool valid;      /* gv_gfx9_decode() returned 0 */
	bool privileged; /* uses ttmp registers: valid in a trap handler only */
	uint8_t num_operands;
	struct gv_gfx9_operand operand[GV_GFX9_OPERANDS]; /* in the order they are printed */

	uint16_t simm;   /* scalar: the 16-bit field */
	int32_t offset;  /* memory: bytes; DS: the 16-bit field, of which two are two bytes */
	bool has_offset; /* SMEM: an offset beside or instead of the register */
	bool clamp, op_sel_dst;
	uint8_t omod;                /* 0, *2, *4, /2 */
	uint8_t dst_sel, dst_unused; /* SDWA */
	uint16_t dpp_ctrl;
	uint8_t row_mask, bank_mask;
	bool bound_ctrl;
	bool glc, slc, lds, tfe, offen, idxen, gds;
	uint8_t dfmt, nfmt; /* MTBUF */
	uint8_t dmask;      /* MIMG */
	bool unorm, a16, lwe, da, d16;
	uint8_t tgt, en; /* EXP */
	bool done, compr, vm;
	uint8_t attr, chan; /* interpolation */
	bool high;
	uint16_t param; /* of v_interp_mov_f32 */
};

/** Decode the instruction at @words, of which @available (at least 1) may be read. 0; -EINVAL:
 *  there is no such instruction or operand; -ENODATA: its second dword is not @available. In all
 *  cases @out->dwords and, where the opcode exists, @out->op are set. */
int gv_gfx9_decode(const uint32_t *words, size_t available, struct gv_gfx9_inst *out);

/** Its text, as LLVM's assembler takes it, into @buf, which is also returned: always terminated,
 *  cut when @bytes is less than GV_GFX9_TEXT. For what did not decode: ".long 0x...". */
char *gv_gfx9_print(const struct gv_gfx9_inst *in, char *buf, size_t bytes);

/** Where a branch at @pc goes, into @target. False: it is no branch with a constant target. */
bool gv_gfx9_target(const struct gv_gfx9_inst *in, uint64_t pc, uint64_t *target);

/** The operand in @role, or NULL. */
const struct gv_gfx9_operand *gv_gfx9_operand(const struct gv_gfx9_inst *in,
                                              enum gv_gfx9_role role);

/** The 32 or 64 bits that a constant operand code (128..248) stands for in @type. */
uint64_t gv_gfx9_constant(unsigned code, uint8_t type);

#endif
