/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every scalar instruction that computes, against oracle/oracle_salu.c: destination, SCC, EXEC.
 * One wave is one set of operands. Then what moves the program counter, and MODE.
 *
 * Not compared: s_max_i32 and s_max_u32's SCC of equal operands (documents of different years
 * say 0 and 1); literals with bit 31 set as 64-bit sources.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cu/cu.h"

#include "oracle/oracle_bench.h"
#include "oracle/oracle_encode.h"
#include "oracle/oracle_salu.h"
#include "oracle/oracle_values.h"
#include "ut.h"

enum { DST = 36, S0 = 20, S1 = 22 };

static struct bench bench;
static uint64_t compared;
static unsigned differences;

/* Program flow and state; those that are executed are tried in the cases below. */
static const char *const elsewhere[] = {
        "s_getpc_b64",       "s_setpc_b64",       "s_swappc_b64",       "s_call_b64",
        "s_getreg_b32",      "s_setreg_b32",      "s_setreg_imm32_b32", "s_movrels_b32",
        "s_movrels_b64",     "s_movreld_b32",     "s_movreld_b64",      "s_set_gpr_idx_on",
        "s_set_gpr_idx_idx", "s_rfe_b64",         "s_cbranch_join",     "s_cbranch_g_fork",
        "s_cbranch_i_fork",  "s_rfe_restore_b64", "s_setvskip"};

static bool is_elsewhere(const char *name)
{
	for (size_t k = 0; k < sizeof(elsewhere) / sizeof(elsewhere[0]); k++)
		if (!strcmp(elsewhere[k], name))
			return true;
	return false;
}

/* ---- operands */
struct operands {
	uint32_t code[2], literal;
	bool has_literal;
};

static enum gv_gfx9_type type_of(unsigned dwords)
{
	return dwords == 2 ? GV9_B64 : GV9_B32;
}

static void pick(const struct gv_gfx9_op *op, struct operands *o, unsigned k, bool plain)
{
	unsigned kind = plain ? 0 : bench_below(6);

	o->code[k] = k ? S1 : S0;
	if (kind == 1)
		o->code[k] = 128 + bench_below(81);
	else if (kind == 2 && !o->has_literal) {
		o->code[k] = ENC_LITERAL;
		o->has_literal = true;
		o->literal = (uint32_t)value_any(GV9_B32);
		if (op->sw[0] == 2 || op->sw[1] == 2)
			o->literal &= 0x7fffffff;
	} else if (kind == 3) {
		o->code[k] = ENC_VCC;
	} else if (kind == 4) {
		o->code[k] = ENC_EXEC;
	}
}

static uint64_t pair(const uint32_t *s)
{
	return s[0] | (uint64_t)s[1] << 32;
}

static uint64_t operand(const struct operands *o, const struct bench_block *in, unsigned k,
                        unsigned dwords)
{
	uint64_t v = 0;

	switch (o->code[k]) {
	case S0:
	case S1:
		v = pair(&in->sgpr[k ? 6 : 4]);
		break;
	case ENC_LITERAL:
		v = o->literal;
		break;
	case ENC_VCC:
		v = pair(&in->sgpr[2]);
		break;
	case ENC_EXEC:
		v = pair(&in->sgpr[0]);
		break;
	default:
		return value_constant(type_of(dwords), o->code[k]);
	}
	return dwords == 2 ? v : (uint32_t)v;
}

/* SOPK's constant is in the instruction: the same in all waves of a run. */
static unsigned encode(const struct gv_gfx9_op *op, const struct operands *o, uint32_t *w)
{
	w[1] = o->literal;
	switch (op->format) {
	case GV9_SOP2:
		w[0] = enc_sop2(op->num, DST, o->code[0], o->code[1]);
		break;
	case GV9_SOP1:
		w[0] = enc_sop1(op->num, DST, o->code[0]);
		break;
	case GV9_SOPC:
		w[0] = enc_sopc(op->num, o->code[0], o->code[1]);
		break;
	default:
		w[0] = enc_sopk(op->num, DST, o->literal);
		return 1;
	}
	return o->has_literal ? 2 : 1;
}

/* The destination starts as VCC: of SOPK it is the source. */
static struct orc_scalar before(const struct gv_gfx9_op *op, const struct operands *o,
                                const struct bench_block *in)
{
	struct orc_scalar x = {
	        .exec = pair(&in->sgpr[0]), .scc = in->sgpr[11] != 0, .d = pair(&in->sgpr[2])};

	for (unsigned k = 0; k < 2; k++)
		x.s[k] = operand(o, in, k, op->sw[k]);
	if (op->format == GV9_SOPK) {
		x.s[0] = (uint32_t)x.d;
		x.s[1] = o->literal & 0xffff;
	}
	return x;
}

static bool scc_is_open(const struct gv_gfx9_op *op, const struct orc_scalar *x)
{
	return !strncmp(op->name, "s_max_", 6) && x->s[0] == x->s[1];
}

static void check(const struct gv_gfx9_op *op, const struct operands *o, unsigned w)
{
	const struct bench_block *in = &bench.in[w], *out = &bench.out[w];
	struct orc_scalar x = before(op, o, in), want = x;
	uint64_t d = pair(&out->sgpr[6]), exec = pair(&out->sgpr[2]);
	bool scc = out->sgpr[4] != 0;

	orc_find_scalar(op->name)(&want);
	compared++;
	if (scc_is_open(op, &x))
		want.scc = scc;
	if (d == want.d && exec == want.exec && scc == want.scc)
		return;
	if (!differences++ || getenv("GV_ORACLE_ALL"))
		printf("%s %llx %llx scc %u exec %llx d %llx: got %llx scc %u exec %llx, want %llx "
		       "scc %u exec %llx\n",
		       op->name, (unsigned long long)x.s[0], (unsigned long long)x.s[1], x.scc,
		       (unsigned long long)x.exec, (unsigned long long)x.d, (unsigned long long)d,
		       scc, (unsigned long long)exec, (unsigned long long)want.d, want.scc,
		       (unsigned long long)want.exec);
}

static void put64(uint32_t *s, uint64_t v)
{
	s[0] = (uint32_t)v;
	s[1] = (uint32_t)(v >> 32);
}

static void fill(const struct gv_gfx9_op *op, unsigned w, unsigned n, bool crossed)
{
	uint32_t *s = bench.in[w].sgpr;
	enum gv_gfx9_type t0 = type_of(op->sw[0]), t1 = type_of(op->sw[1]);

	put64(s, value_any(GV9_B64));
	put64(s + 2, value_any(GV9_B64));
	put64(s + 4, crossed ? value_edge(t0, n % value_edges(t0)) : value_any(t0));
	put64(s + 6,
	      crossed ? value_edge(t1, n / value_edges(t0) % value_edges(t1)) : value_any(t1));
	if (!crossed && bench_below(4) == 0)
		s[6] = (uint32_t)bench_random() & 0x007f003f; /* a field's place */
	s[11] = bench_below(2);
}

static void run_row(const struct gv_gfx9_op *op, bool crossed, unsigned first)
{
	uint32_t words[2];
	struct operands o = {.literal = (uint32_t)value_any(GV9_B16) & 0xffff};
	struct bench_program p = {.words = words};

	for (unsigned k = 0; k < 2 && op->format != GV9_SOPK; k++)
		if (op->sw[k])
			pick(op, &o, k, crossed);
	p.n = encode(op, &o, words);
	for (unsigned w = 0; w < BENCH_WAVES; w++)
		fill(op, w, first + w, crossed);
	if (bench_run(&bench, &p, BENCH_WAVES)) {
		printf("%s: %s\n", op->name, bench.fault);
		differences++;
		return;
	}
	for (unsigned w = 0; w < BENCH_WAVES; w++)
		check(op, &o, w);
}

static bool computes(const struct gv_gfx9_op *op)
{
	struct operands o = {{S0, S1}, 0, false};
	uint32_t w[2];

	if (op->format != GV9_SOP1 && op->format != GV9_SOP2 && op->format != GV9_SOPC &&
	    op->format != GV9_SOPK)
		return false;
	encode(op, &o, w);
	return !is_elsewhere(op->name) && gv_cu_implemented(w);
}

static void every_row_computes_what_the_oracle_does(void)
{
	unsigned rows = 0, all = 0;

	bench_clear(&bench);
	for (size_t k = 0; k < gv_gfx9_num_ops; k++) {
		const struct gv_gfx9_op *op = &gv_gfx9_ops[k];
		unsigned pairs = value_edges(type_of(op->sw[0])) * value_edges(type_of(op->sw[1]));

		if (!computes(op))
			continue;
		if (!orc_find_scalar(op->name)) {
			printf("no oracle: %s\n", op->name);
			CU_FAIL("a row has no oracle");
			continue;
		}
		rows++;
		differences = 0;
		for (unsigned n = 0; n < pairs && op->format != GV9_SOPK; n += BENCH_WAVES)
			run_row(op, true, n);
		for (unsigned n = 0; n < 20 * bench_scale(); n++)
			run_row(op, false, 0);
		all += differences;
	}
	printf("%u rows, %llu operand sets, %u differ\n", rows, (unsigned long long)compared, all);
	CU_ASSERT(rows > 100);
	CU_ASSERT_EQUAL(all, 0);
}

/* ---- program flow: s36 becomes 1 unless the word after the branch is skipped */
static unsigned run_words(const uint32_t *words, unsigned n)
{
	struct bench_program p = {.words = words, .n = n};
	int rc = bench_run(&bench, &p, BENCH_WAVES);

	CU_ASSERT_EQUAL(rc, 0);
	if (rc)
		printf("%s\n", bench.fault);
	return rc == 0;
}

static bool taken(const char *name, const uint32_t *s)
{
	bool want_set = name[strlen(name) - 1] != '0' && !strstr(name, "z");
	uint64_t v = strstr(name, "scc") ? s[11] : strstr(name, "vcc") ? pair(s + 2) : pair(s);

	if (strstr(name, "nz"))
		want_set = true;
	return !strcmp(name, "s_branch") || (v != 0) == want_set;
}

static void branches_look_at_scc_vcc_and_exec(void)
{
	static const char *const names[] = {"s_branch",        "s_cbranch_scc0",  "s_cbranch_scc1",
	                                    "s_cbranch_vccz",  "s_cbranch_vccnz", "s_cbranch_execz",
	                                    "s_cbranch_execnz"};

	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		uint32_t words[] = {enc_sopp(bench_op(names[k]), 1),
		                    enc_sopk(bench_op("s_movk_i32"), DST, 1)};

		bench_clear(&bench);
		for (unsigned w = 0; w < BENCH_WAVES; w++) {
			put64(bench.in[w].sgpr, w & 1 ? 0 : bench_random() & -(uint64_t)(w & 8));
			put64(bench.in[w].sgpr + 2, w & 2 ? 0 : 1ull << (w & 63));
			bench.in[w].sgpr[11] = w >> 2 & 1;
		}
		if (!run_words(words, 2))
			continue;
		for (unsigned w = 0; w < BENCH_WAVES; w++) {
			const uint32_t *in = bench.in[w].sgpr;
			uint32_t want = taken(names[k], in) ? in[2] : 1;

			CU_ASSERT_EQUAL(bench.out[w].sgpr[6], want);
		}
	}
}

/* s_getpc gives the address of word 1: word n is 4 * (n - 1) bytes from it. */
static void calls_and_returns(void)
{
	uint32_t words[] = {
	        enc_sop1(bench_op("s_getpc_b64"), DST, 0),
	        enc_sop2(bench_op("s_add_u32"), 20, DST, ENC_ZERO + 16),
	        enc_sop2(bench_op("s_addc_u32"), 21, DST + 1, ENC_ZERO),
	        enc_sop1(bench_op("s_swappc_b64"), 38, 20), /* to word 5 */
	        enc_sopk(bench_op("s_movk_i32"), DST, 1),
	        enc_sopk(bench_op("s_call_b64"), 22, 1), /* to word 7 */
	        enc_sopk(bench_op("s_movk_i32"), DST, 2),
	        enc_sop2(bench_op("s_sub_u32"), 38, 38, DST),
	        enc_sop2(bench_op("s_sub_u32"), 39, 22, DST),
	        enc_sop2(bench_op("s_add_u32"), 20, 20, ENC_ZERO + 28),
	        enc_sop1(bench_op("s_setpc_b64"), 0, 20), /* to word 12 */
	        enc_sopk(bench_op("s_movk_i32"), DST, 3),
	        enc_sopp(bench_op("s_nop"), 0),
	};

	bench_clear(&bench);
	if (!run_words(words, sizeof(words) / sizeof(words[0])))
		return;
	CU_ASSERT(bench.out[0].sgpr[6] > 3);       /* nothing that was jumped over ran */
	CU_ASSERT_EQUAL(bench.out[0].sgpr[8], 12); /* s_swappc: word 4 */
	CU_ASSERT_EQUAL(bench.out[0].sgpr[9], 20); /* s_call: word 6 */
}

/* ---- registers by index */
static void moves_by_m0(void)
{
	static const char *const names[] = {"s_movrels_b32", "s_movrels_b64", "s_movreld_b32",
	                                    "s_movreld_b64"};

	for (unsigned k = 0; k < 4; k++) {
		uint32_t word = enc_sop1(bench_op(names[k]), DST, S0);
		bool wide = k & 1, to = k & 2;

		if (!gv_cu_implemented((uint32_t[]){word, 0}))
			continue;
		bench_clear(&bench);
		for (unsigned w = 0; w < BENCH_WAVES; w++) {
			for (unsigned n = 2; n < 16; n++)
				bench.in[w].sgpr[n] = (uint32_t)bench_random();
			bench.in[w].sgpr[10] = to ? 2 * (w & 1) : 2 * (w & 3);
		}
		if (!run_words(&word, 1))
			continue;
		for (unsigned w = 0; w < BENCH_WAVES; w++) {
			const uint32_t *in = bench.in[w].sgpr;
			uint32_t at = 6 + (to ? in[10] : 0), from = 4 + (to ? 0 : in[10]);

			CU_ASSERT_EQUAL(bench.out[w].sgpr[at], in[from]);
			CU_ASSERT_EQUAL(bench.out[w].sgpr[at + 1], wide ? in[from + 1] : in[3]);
		}
	}
}

/* ---- MODE: hwreg 1, size - 1 in 15:11, offset in 10:6 */
static uint32_t hwreg(unsigned offset, unsigned size)
{
	return (size - 1) << 11 | offset << 6 | 1;
}

static void mode_is_written_in_fields(void)
{
	for (unsigned offset = 0; offset < 10; offset++)
		for (unsigned size = 1; offset + size <= 10; size++) {
			uint32_t mask = ((1u << size) - 1) << offset;
			uint32_t words[] = {
			        enc_sopk(bench_op("s_setreg_imm32_b32"), 0, hwreg(0, 10)),
			        0x2a5,
			        enc_sopk(bench_op("s_setreg_b32"), S0, hwreg(offset, size)),
			        enc_sopk(bench_op("s_getreg_b32"), DST, hwreg(0, 10)),
			        enc_sopk(bench_op("s_getreg_b32"), 38, hwreg(offset, size)),
			};

			bench_clear(&bench);
			for (unsigned w = 0; w < BENCH_WAVES; w++)
				bench.in[w].sgpr[4] = (uint32_t)bench_random();
			if (!run_words(words, 5))
				return;
			for (unsigned w = 0; w < BENCH_WAVES; w++) {
				uint32_t in = bench.in[w].sgpr[4] << offset & mask;

				CU_ASSERT_EQUAL(bench.out[w].sgpr[6], (0x2a5 & ~mask) | in);
				CU_ASSERT_EQUAL(bench.out[w].sgpr[8], in >> offset);
			}
		}
}

UT_MAIN("cu oracle salu", UT(every_row_computes_what_the_oracle_does),
        UT(branches_look_at_scc_vcc_and_exec), UT(calls_and_returns), UT(moves_by_m0),
        UT(mode_is_written_in_fields))
