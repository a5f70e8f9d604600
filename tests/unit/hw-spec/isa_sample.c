/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random and structured encodings of gfx900. */
#include "isa_sample.h"

/* What follows an instruction of one word: LLVM must find it there. */
#define S_TRAP 0xbf921234u

static uint32_t rnd(uint64_t *seed)
{
	*seed += 0x9e3779b97f4a7c15ull;
	uint64_t z = *seed;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (uint32_t)(z >> 32);
}

/* Where the opcode goes, and the bits that tell the format. */
static uint32_t base_of(const struct gv_gfx9_op *op, uint64_t *seed)
{
	uint32_t n = op->num;
	bool long_form = rnd(seed) % 2 && !(op->flags & GV9_F_ALONE);

	switch (op->format) {
	case GV9_SOP2:
		return 0x80000000 | n << 23;
	case GV9_SOPK:
		return 0xb0000000 | n << 23;
	case GV9_SOP1:
		return 0xbe800000 | n << 8;
	case GV9_SOPC:
		return 0xbf000000 | n << 16;
	case GV9_SOPP:
		return 0xbf800000 | n << 16;
	case GV9_SMEM:
		return 0xc0000000 | n << 18;
	case GV9_VOP2:
		return long_form ? 0xd0000000 | (n + 256) << 16 : n << 25;
	case GV9_VOP1:
		return long_form ? 0xd0000000 | (n + 320) << 16 : 0x7e000000 | n << 9;
	case GV9_VOPC:
		return long_form ? 0xd0000000 | n << 16 : 0x7c000000 | n << 17;
	case GV9_VOP3:
		return 0xd0000000 | n << 16;
	case GV9_VOP3P:
		return 0xd3800000 | n << 16;
	case GV9_DS:
		return 0xd8000000 | n << 17;
	case GV9_FLAT:
		return 0xdc000000 | n << 18;
	case GV9_SCRATCH:
		return 0xdc004000 | n << 18;
	case GV9_GLOBAL:
		return 0xdc008000 | n << 18;
	case GV9_MUBUF:
		return 0xe0000000 | n << 18;
	case GV9_MTBUF:
		return 0xe8000000 | n << 15;
	case GV9_MIMG:
		return 0xf0000000 | n << 18;
	case GV9_EXP:
		return 0xc4000000;
	default:
		return 0xd4000000 | n << 16;
	}
}

/* The bits of the first word that are operands and modifiers. */
static uint32_t free_bits(uint32_t base, unsigned format)
{
	switch (format) {
	case GV9_SOP2:
		return 0x007fffff;
	case GV9_SOPK:
		return 0x007fffff;
	case GV9_SOP1:
		return 0x007f00ff;
	case GV9_SOPC:
	case GV9_SOPP:
		return 0x0000ffff;
	case GV9_SMEM:
		return 0x0003ffff;
	case GV9_VOP2:
	case GV9_VOP1:
	case GV9_VOPC:
		if (base >> 26 == 0x34)
			return 0x0000ffff;
		return format == GV9_VOP2 ? 0x01ffffff : format == GV9_VOP1 ? 0x01fe01ff : 0x1ffff;
	case GV9_VOP3:
	case GV9_VOP3P:
		return 0x0000ffff;
	case GV9_DS:
		return 0x0001ffff;
	case GV9_FLAT:
	case GV9_SCRATCH:
	case GV9_GLOBAL:
		return 0x00033fff;
	case GV9_MUBUF:
		return 0x0003ffff;
	case GV9_MTBUF:
		return 0x03f87fff;
	case GV9_MIMG:
		return 0x0203ffff;
	case GV9_EXP:
		return 0x00001fff;
	default:
		return 0x03fcffff;
	}
}

/* Operand bytes that are somebody's edge. */
static uint32_t edges(uint64_t *seed)
{
	static const uint8_t byte[] = {0,   1,   2,   4,   8,   16,  63,  64,  96,  100, 101,
	                               102, 103, 104, 106, 107, 108, 122, 123, 124, 125, 126,
	                               127, 128, 129, 192, 193, 208, 209, 234, 235, 239, 240,
	                               242, 248, 249, 250, 251, 252, 253, 254, 255};
	uint32_t v = 0;

	for (unsigned n = 0; n < 4; n++)
		v |= (uint32_t)byte[rnd(seed) % sizeof(byte)] << (8 * n);
	return v;
}

/* Random bits, of which whole runs are 0 or all are. */
static uint32_t sparse(uint64_t *seed)
{
	uint32_t v = rnd(seed);

	switch (rnd(seed) % 6) {
	case 0:
		return v;
	case 1:
		return v & rnd(seed);
	case 2:
		return v & rnd(seed) & rnd(seed);
	case 3:
		return edges(seed);
	case 4:
		return v & (rnd(seed) % 2 ? 0xffu : 0xffffu) << 8 * (rnd(seed) % 4);
	default:
		return 0;
	}
}

/* A literal: small, a float, or anything. */
static uint32_t literal(uint64_t *seed)
{
	static const uint32_t some[] = {0,          1,          64,         65,     0xfffffff0,
	                                0xffffffef, 0x3f000000, 0x3f800000, 0x3c00, 0x3118,
	                                0xbf800000, 0x40000000, 0x3e22f983, 0xbc00, 0x13c00};

	return rnd(seed) % 2 ? some[rnd(seed) % (sizeof(some) / sizeof(some[0]))] : sparse(seed);
}

static void fill(struct isa_sample *s, const struct gv_gfx9_op *op, uint64_t *seed)
{
	uint32_t base = base_of(op, seed), mask = free_bits(base, op->format);

	s->word[0] = base | (sparse(seed) & mask);
	s->word[1] = sparse(seed);
	if (base < 0x80000000u) { /* SDWA, DPP, a VGPR or a literal: the ninth bit chooses */
		uint32_t pick = rnd(seed) % 8;

		if (pick < 4)
			s->word[0] =
			        (s->word[0] & ~0x1ffu) | (pick == 0   ? 249u
			                                  : pick == 1 ? 250u
			                                  : pick == 2 ? 255u
			                                              : 256u | (rnd(seed) & 0xff));
		if (pick == 0 && rnd(seed) % 2) /* selectors that exist, and little else */
			s->word[1] = (rnd(seed) & 0xff) | (rnd(seed) % 7) << 8 |
			             (rnd(seed) % 3) << 11 | (rnd(seed) % 7) << 16 |
			             (op->format == GV9_VOP1 ? 0 : (rnd(seed) % 7) << 24) |
			             (sparse(seed) & 0xb0b0e000);
		if (pick == 1 && rnd(seed) % 2)
			s->word[1] = (rnd(seed) & 0x00f0ffff) | 0xff000000;
		if (pick == 2)
			s->word[1] = literal(seed);
	} else if (base < 0xc0000000u && rnd(seed) % 2) {
		s->word[1] = literal(seed);
	}
}

/* LLVM's printer does not come back from these. */
static bool stops_llvm(const struct isa_sample *s)
{
	uint32_t w = s->word[0], v = s->word[1];
	bool cmp = w >> 25 == 0x3e;

	if (w >> 31 || (w & 0x1ff) != 249)
		return false;
	return (v >> 16 & 7) == 7 || (v >> 24 & 7) == 7 ||
	       (!cmp && ((v >> 8 & 7) == 7 || (v >> 11 & 3) == 3));
}

static bool is_instruction(const struct isa_sample *s)
{
	struct gv_gfx9_inst in;

	return gv_gfx9_decode(s->word, 2, &in) == 0 && !in.loose;
}

/* Any words; any of a row; instructions, which most samples shall be. */
static void pick(struct isa_sample *s, const struct gv_gfx9_op *row, uint64_t *seed)
{
	unsigned style = rnd(seed) % 16, tries = row ? 100000 : style > 4 ? 64 : 1;

	if (!row && style == 0) {
		*s = (struct isa_sample){.word = {rnd(seed), rnd(seed)}};
		return;
	}
	do
		fill(s, row ? row : &gv_gfx9_ops[rnd(seed) % gv_gfx9_num_ops], seed);
	while (--tries && !is_instruction(s));
}

void isa_make(struct isa_sample *s, unsigned long n, uint64_t *seed)
{
	bool each = n < ISA_EACH * gv_gfx9_num_ops;
	struct gv_gfx9_inst in;

	do {
		pick(s, each ? &gv_gfx9_ops[n % gv_gfx9_num_ops] : NULL, seed);
		s->llvm[0] = 0;
		s->next = false;
		(void)gv_gfx9_decode(s->word, 2, &in);
		if (in.dwords == 1)
			s->word[1] = S_TRAP;
	} while (stops_llvm(s));
}
