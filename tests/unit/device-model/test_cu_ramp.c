/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows of which only base and step are kept give what written out rows give: random instructions,
 * alone and in a row, on registers that are ramps in one wave and lanes in the other.
 * GV_RAMP_SCALE=100 tries a hundred times as much.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gv/base.h>

#include "cu/ramp.h"
#include "cu_one.h"
#include "ut.h"

enum { REGS = 12, MOST = 12, VIA = 2 /* v2 and v3 are an address */, TURNS = 20 /* s20 */ };

#define S_NOP 0xbf800000u

static struct cu_one on_ramps, on_lanes;
static uint64_t stayed; /* rows that were ramps to the end */

static uint32_t any(void)
{
	static const uint32_t edge[] = {
	        0,          1,          2,          4,          8,          63,
	        64,         256,        0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe,
	        0xffffffc0, 0xfffffe00, 0x00ffffff, 0x01000000, 0x00ffffc1, 0x80000000u - 63};

	switch (cu_one_below(4)) {
	case 0:
		return cu_one_below(1000);
	case 1:
		return (uint32_t)cu_one_random();
	default:
		return edge[cu_one_below(GV_ARRAY_LEN(edge))];
	}
}

/* ---- instructions */
static uint32_t source(void)
{
	switch (cu_one_below(8)) {
	case 0:
		return 128 + cu_one_below(80); /* constants */
	case 1:
	case 2:
		return cu_one_below(16);
	case 3:
		return CU_VCC;
	default:
		return 256 + cu_one_below(REGS);
	}
}

static unsigned put_vop3(uint32_t *word, uint32_t op, uint32_t b)
{
	static const uint32_t three[] = {509, 510, 511, 512, 514, 515, 451, 456};
	static const uint32_t two[] = {645, 655, 657, 656, 281, 282, 283, 284, 285, 286, 256};
	bool has_three = cu_one_below(2);

	if (op < 200) /* any */
		op = has_three ? three[cu_one_below(GV_ARRAY_LEN(three))]
		               : two[cu_one_below(GV_ARRAY_LEN(two))];
	word[0] = 0xd0000000u | op << 16 | (op >= 281 && op <= 286 ? 2 * cu_one_below(8) << 8 : 0) |
	          cu_one_below(REGS);
	word[1] = source() | b << 9 | (has_three ? source() : 2 * cu_one_below(8)) << 18;
	return 2;
}

/* A load or store of the address in v2 and v3; sometimes of v2 and SGPRs. */
static unsigned put_memory(uint32_t *word)
{
	static const unsigned op[] = {16, 17, 18, 20, 21, 22, 23, 24, 26, 28, 29, 30, 31};
	struct cu_words f =
	        cu_enc_flat(cu_one_below(2) ? 2 : 0, op[cu_one_below(GV_ARRAY_LEN(op))], 0, VIA,
	                    4 + cu_one_below(4), 0x7f, 4 + cu_one_below(4), false);

	memcpy(word, f.w, sizeof(f.w));
	return 2;
}

/* v_add_co_u32 and v_addc_co_u32, which may be one to the interpreter. */
static unsigned put_sum(uint32_t *word)
{
	for (unsigned half = 0; half < 2; half++)
		word[half] = (half ? 28u : 25u) << 25 | cu_one_below(REGS) << 17 |
		             cu_one_below(REGS) << 9 | source();
	return 2;
}

static unsigned put_instruction(uint32_t *word)
{
	static const uint32_t vop2[] = {0,  8,  16, 17, 18, 19, 20, 21, 25, 26,
	                                27, 28, 29, 30, 52, 53, 54, 1,  59, 22};
	uint32_t b = cu_one_below(REGS);

	switch (cu_one_below(18)) {
	case 17:
		return put_sum(word);
	case 16:
		word[0] = S_NOP;
		return 1;
	case 0:
	case 1:
		word[0] = 0x7e000000u | cu_one_below(REGS) << 17 |
		          (cu_one_below(3) ? 1u : 43u) << 9 | source();
		return 1;
	case 2:
	case 3: /* unsigned and signed comparisons, some to EXEC */
		word[0] = 0x7c000000u | (0xc0 + cu_one_below(cu_one_below(8) ? 16 : 32)) << 17 |
		          b << 9 | source();
		return 1;
	case 4:
		return put_memory(word);
	case 5: /* v_readfirstlane, v_readlane */
		word[0] = 0x7e000000u | cu_one_below(16) << 17 | 2u << 9 | (256 + b);
		return 1;
	case 6:
	case 7:
	case 8:
	case 9:
		return put_vop3(word, 0, source());
	default:
		word[0] = vop2[cu_one_below(GV_ARRAY_LEN(vop2))] << 25 | cu_one_below(REGS) << 17 |
		          b << 9 | source();
		return 1;
	}
}

/* ---- registers */
static void write_row(struct cu_one *o, unsigned reg, uint32_t base, uint32_t step)
{
	for (unsigned l = 0; l < CU_LANES; l++)
		o->w->v[reg][l] = base + step * l;
}

static void set_ramp(unsigned reg, uint32_t base, uint32_t step)
{
	cu_ramp_put(on_ramps.w, reg, base, step);
	write_row(&on_lanes, reg, base, step);
}

static void set_registers(void)
{
	static const uint32_t steps[] = {0, 0, 1, 4, 8, 16, 12, 0xffffffff, 0xfffffffc};
	uint64_t exec = cu_one_below(8) ? ~0ull : cu_one_random() * 3;

	for (unsigned n = 0; n < 16; n++)
		on_ramps.w->s[n] = any();
	on_ramps.w->s[TURNS] = 1;
	for (unsigned n = CU_VCC; n < CU_VCC + 2; n++)
		on_ramps.w->s[n] = cu_one_below(3) ? cu_one_below(2) - 1u : any();
	if (cu_one_below(2))
		on_ramps.w->s[CU_VCC + 1] = on_ramps.w->s[CU_VCC];
	cu_wr64(&on_ramps.w->s[CU_EXEC], exec);
	memcpy(on_lanes.w->s, on_ramps.w->s, sizeof(on_lanes.w->s));
	for (unsigned r = 0; r < REGS; r++)
		set_ramp(r, any(),
		         cu_one_below(6) ? steps[cu_one_below(GV_ARRAY_LEN(steps))] : any());
	set_ramp(VIA, (uint32_t)CU_ONE_VA + 4 * cu_one_below(4096), steps[cu_one_below(7)]);
	set_ramp(VIA + 1, 0, 0);
	if (cu_one_below(4) == 0) { /* not all are ramps */
		unsigned r = 4 + cu_one_below(REGS - 4);

		on_ramps.w->ramps &= ~(1ull << r);
		for (unsigned l = 0; l < CU_LANES; l++)
			on_lanes.w->v[r][l] = on_ramps.w->v[r][l] = any();
	}
}

/* ---- one program, twice over: what is joined at decode is so from the second turn on */
static unsigned put_turns(uint32_t *words, unsigned n)
{
	words[n] = 0x80808100u | (TURNS << 16) | TURNS;         /* s_sub_u32 s20, s20, 1 */
	words[n + 1] = 0xbf840000u | ((0u - (n + 2)) & 0xffff); /* s_cbranch_scc0, to the first */
	return n + 2;
}

static void begin(struct cu_one *o, const uint32_t *words, unsigned n)
{
	for (unsigned k = 0; k < CU_ONE_PAGES; k++)
		for (unsigned b = 0; b < sizeof(o->page[k].byte); b++)
			o->page[k].byte[b] = (uint8_t)(b * 7 + k);
	cu_one_begin(o, words, n);
}

static bool same_rows(void)
{
	bool same = true;

	stayed += (unsigned)__builtin_popcountll(on_ramps.w->ramps);
	cu_ramp_settle(on_ramps.w, ~0ull);
	for (unsigned r = 0; r < REGS + 4; r++)
		same &= !memcmp(on_ramps.w->v[r], on_lanes.w->v[r], 4 * CU_LANES);
	return same;
}

static bool same_memory(void)
{
	bool same = true;

	for (unsigned k = 0; k < CU_ONE_PAGES; k++)
		same &= !memcmp(on_ramps.page[k].byte, on_lanes.page[k].byte, 4096);
	return same;
}

static uint64_t executed(const struct cu_one *o)
{
	return gv_cu_counters(o->run)->instructions;
}

static void try(unsigned length)
{
	uint32_t words[2 * MOST + 2];
	enum gv_cu_status ramps, lanes;
	unsigned n = 0;
	bool same;

	for (unsigned k = 0; k < length; k++)
		n += put_instruction(&words[n]);
	n = put_turns(words, n);
	begin(&on_ramps, words, n);
	begin(&on_lanes, words, n);
	on_lanes.w->ramped = 0;
	set_registers();
	ramps = gv_cu_step(on_ramps.run, 100);
	lanes = gv_cu_step(on_lanes.run, 100);
	same = same_rows() && same_memory() && ramps == lanes &&
	       !memcmp(on_ramps.w->s, on_lanes.w->s, sizeof(on_ramps.w->s)) &&
	       gv_cu_fault(on_ramps.run)->pc == gv_cu_fault(on_lanes.run)->pc &&
	       executed(&on_ramps) == executed(&on_lanes);
	CU_ASSERT_TRUE(same);
	for (unsigned k = 0; k < n && !same; k++)
		printf("%08x%c", words[k], k + 1 == n ? '\n' : ' ');
	cu_one_end(&on_ramps);
	cu_one_end(&on_lanes);
}

static void repeat(unsigned times, unsigned length)
{
	const char *scale = getenv("GV_RAMP_SCALE");
	unsigned long n = times * (scale ? strtoul(scale, NULL, 0) : 1);

	stayed = 0;
	for (unsigned long k = 0; k < n; k++)
		try(length);
	CU_ASSERT_TRUE(stayed > n);
}

static void an_instruction_on_ramps_gives_the_same_lanes(void)
{
	repeat(6000, 1);
}

static void so_does_a_program(void)
{
	repeat(1500, MOST);
}

static void run_twice(void)
{
	on_ramps.w->s[TURNS] = 1;
	CU_ASSERT_EQUAL(cu_one_run(&on_ramps), GV_CU_DONE);
}

/* What was joined is decoded anew when the second half has become another instruction. */
static void joined_code_may_change(void)
{
	uint32_t words[6] = {0x320a0a80, /* v_add_co_u32 v5, vcc, 0, v5 */
	                     0x380c0c80, /* v_addc_co_u32 v6, vcc, 0, v6, vcc */
	                     0x7e0e0281, /* v_mov_b32 v7, 1 */
	                     S_NOP};

	cu_one_begin(&on_ramps, words, put_turns(words, 4));
	run_twice();
	CU_ASSERT_EQUAL(on_ramps.w->v[7][1], 1);
	on_ramps.code[2] = 0x7e0c0287; /* v_mov_b32 v6, 7; the program begins at code[1] */
	on_ramps.code[4] = 0x7e0e0288; /* v_mov_b32 v7, 8 */
	cu_one_again(&on_ramps);
	run_twice();
	CU_ASSERT_EQUAL(on_ramps.w->v[6][1], 7);
	CU_ASSERT_EQUAL(on_ramps.w->v[7][1], 8);
	cu_one_end(&on_ramps);
}

/* Sixteen instructions that have no use for ramps, and all is written out. */
static void a_wave_without_use_for_ramps_gives_them_up(void)
{
	uint32_t words[40];

	for (unsigned n = 0; n < GV_ARRAY_LEN(words); n++)
		words[n] = 0x0a000905; /* v_mul_f32 v0, v5, v4 */
	cu_one_begin(&on_ramps, words, GV_ARRAY_LEN(words));
	on_ramps.w->v[4][7] = 1;
	cu_ramp_put(on_ramps.w, 9, 5, 3);
	CU_ASSERT_EQUAL(gv_cu_step(on_ramps.run, 5), GV_CU_YIELD);
	CU_ASSERT_TRUE(on_ramps.w->ramped && on_ramps.w->ramps);
	CU_ASSERT_EQUAL(gv_cu_step(on_ramps.run, 100), GV_CU_DONE);
	CU_ASSERT_FALSE(on_ramps.w->ramped || on_ramps.w->ramps);
	CU_ASSERT_EQUAL(on_ramps.w->v[9][63], 5 + 3 * 63);
	cu_one_end(&on_ramps);
}

UT_MAIN("cu ramp", UT(an_instruction_on_ramps_gives_the_same_lanes), UT(so_does_a_program),
        UT(joined_code_may_change), UT(a_wave_without_use_for_ramps_gives_them_up))
