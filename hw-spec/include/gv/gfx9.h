/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The instruction set of gfx900 (GCN5, "Vega") as data: one row per instruction.
 *
 * The rows stand in gfx9_salu.def, gfx9_vop.def and gfx9_mem.def. Here is what the columns mean;
 * gv_gfx9_ops[] is the rows as an array. The last column of a row says how the device model
 * executes it: CORE(), HANDLER() and so on name functions of device-model/src/cu (see its
 * table.c), NOT_DONE that it does not. Nothing else looks at that column.
 *
 * Source: AMD, "Vega" Instruction Set Architecture Reference Guide (2017).
 */
#ifndef GV_GFX9_H
#define GV_GFX9_H

#include <stddef.h>
#include <stdint.h>

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
	GV9_F_FLUSH = 1u << 7,    /* flushes f32 denormals whatever MODE says */
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
};

struct gv_gfx9_op {
	const char *name;
	uint32_t flags;    /* GV9_F_* */
	uint16_t num;      /* opcode number within the format */
	uint8_t format;    /* enum gv_gfx9_format */
	uint8_t dt, st[3]; /* vector ALU: enum gv_gfx9_type of result and sources */
	uint8_t dw, sw[2]; /* scalar: dwords of result and sources; memory: dwords moved (dw) */
};

/* Rows of the .def files as initializers of struct gv_gfx9_op's fields, to which a file that
 * wants the behaviour column too may append. */
#define GV_GFX9_SALU(f, n, nm, d, s0, s1, fl)                                                      \
	.name = nm, .format = GV9_##f, .num = (n), .dw = (d), .sw = {s0, s1}, .flags = (fl)
#define GV_GFX9_VOP(f, n, nm, d, s0, s1, s2, fl)                                                   \
	.name = nm, .format = GV9_##f, .num = (n), .dt = GV9_##d,                                  \
	.st = {GV9_##s0, GV9_##s1, GV9_##s2}, .flags = (fl)
#define GV_GFX9_MEM(f, n, nm, d, fl)                                                               \
	.name = nm, .format = GV9_##f, .num = (n), .dw = (d), .flags = (fl)

/* All rows, in the order of the .def files: salu, vop, mem. */
extern const struct gv_gfx9_op gv_gfx9_ops[];
extern const size_t gv_gfx9_num_ops;

#endif
