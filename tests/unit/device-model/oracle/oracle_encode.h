/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Instruction words from opcode number and fields, as the microcode formats of the "Vega" ISA
 * document (chapter 13) have them. Source operand numbers: 0-101 SGPRs, 106 VCC, 124 M0,
 * 126 EXEC, 128-208 and 240-248 constants, 249 SDWA, 250 DPP, 255 literal, 256+ VGPRs.
 */
#ifndef ORACLE_ENCODE_H
#define ORACLE_ENCODE_H

#include <stdint.h>

enum {
	ENC_VCC = 106,
	ENC_M0 = 124,
	ENC_EXEC = 126,
	ENC_ZERO = 128,
	ENC_MINUS_ONE = 193,
	ENC_SDWA = 249,
	ENC_DPP = 250,
	ENC_LITERAL = 255,
	ENC_VGPR = 256,
};

static inline uint32_t enc_sop2(uint32_t op, uint32_t dst, uint32_t s0, uint32_t s1)
{
	return 0x80000000u | op << 23 | dst << 16 | s1 << 8 | s0;
}

static inline uint32_t enc_sopk(uint32_t op, uint32_t dst, uint32_t imm)
{
	return 0xb0000000u | op << 23 | dst << 16 | (imm & 0xffff);
}

static inline uint32_t enc_sop1(uint32_t op, uint32_t dst, uint32_t s0)
{
	return 0xbe800000u | dst << 16 | op << 8 | s0;
}

static inline uint32_t enc_sopc(uint32_t op, uint32_t s0, uint32_t s1)
{
	return 0xbf000000u | op << 16 | s1 << 8 | s0;
}

static inline uint32_t enc_sopp(uint32_t op, uint32_t imm)
{
	return 0xbf800000u | op << 16 | (imm & 0xffff);
}

/* First word; the second is the byte offset. */
static inline uint32_t enc_smem(uint32_t op, uint32_t data, uint32_t base)
{
	return 0xc0000000u | op << 18 | 1u << 17 | data << 6 | base >> 1;
}

static inline uint32_t enc_vop2(uint32_t op, uint32_t dst, uint32_t s0, uint32_t vsrc1)
{
	return op << 25 | dst << 17 | vsrc1 << 9 | s0;
}

static inline uint32_t enc_vop1(uint32_t op, uint32_t dst, uint32_t s0)
{
	return 0x7e000000u | dst << 17 | op << 9 | s0;
}

static inline uint32_t enc_vopc(uint32_t op, uint32_t s0, uint32_t vsrc1)
{
	return 0x7c000000u | op << 17 | vsrc1 << 9 | s0;
}

/* @mods: clamp 15, op_sel 14:11, abs 10:8; of VOP3B sdst 14:8. */
static inline uint32_t enc_vop3(uint32_t op, uint32_t dst, uint32_t mods)
{
	return 0xd0000000u | op << 16 | mods | dst;
}

/* Second word of VOP3 and VOP3P. */
static inline uint32_t enc_vop3_sources(uint32_t s0, uint32_t s1, uint32_t s2, uint32_t omod,
                                        uint32_t neg)
{
	return s0 | s1 << 9 | s2 << 18 | omod << 27 | neg << 29;
}

static inline uint32_t enc_vop3p(uint32_t op, uint32_t dst, uint32_t mods)
{
	return 0xd3800000u | op << 16 | mods | dst;
}

static inline uint32_t enc_ds(uint32_t op, uint32_t offset0, uint32_t offset1)
{
	return 0xd8000000u | op << 17 | offset1 << 8 | offset0;
}

static inline uint32_t enc_ds_regs(uint32_t vaddr, uint32_t data0, uint32_t data1, uint32_t vdst)
{
	return vaddr | data0 << 8 | data1 << 16 | vdst << 24;
}

/* FLAT, SCRATCH, GLOBAL: @segment 0, 1, 2. */
static inline uint32_t enc_flat(uint32_t op, uint32_t segment, uint32_t glc, uint32_t offset)
{
	return 0xdc000000u | op << 18 | glc << 16 | segment << 14 | (offset & 0x1fff);
}

/* @saddr 0x7f: none. */
static inline uint32_t enc_flat_regs(uint32_t vaddr, uint32_t data, uint32_t saddr, uint32_t vdst)
{
	return vaddr | data << 8 | saddr << 16 | vdst << 24;
}

#endif
