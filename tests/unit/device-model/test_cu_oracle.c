/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every vector ALU instruction of the table against oracle/: results, masks, EXEC, idle lanes.
 *
 * Each row is tried in its base form with edges crossed pairwise, then in random shapes: form,
 * modifiers, operand kinds, MODE. GV_ORACLE_SCALE=100 does a hundred times as much,
 * GV_ORACLE_ONLY=v_add_f32 one row, GV_ORACLE_ALL=1 prints every difference.
 *
 * What documents leave open, and is therefore not compared to the bit:
 *  - payload and sign of a NaN result: any NaN, in IEEE mode any quiet one (v_min and v_max of
 *    two sources are specified to the bit);
 *  - the sign of a zero after omod or clamp; whether omod overflows to an infinity;
 *  - whether v_pack_b32_f16 flushes denormals;
 *  - with denormal results flushed: whether a number that rounds up to the smallest normal one
 *    is flushed before;
 *  - v_rcp, v_rsq, v_sqrt, v_exp, v_log, v_sin, v_cos: one unit in the last place, of f64 half
 *    of the bits, of sines 2^-20; f32 denormals may be taken for zeros in any mode;
 *  - v_div_scale where the quotient is denormal only before rounding; v_div_fmas and v_div_fixup
 *    of denormal results (one unit) and of what no division makes;
 *  - v_cvt_pk_u8_f32: to the nearest, or truncated; v_cvt_*norm: as MODE says, or to the nearest;
 *  - v_cvt_rpi_i32_f32 of the largest number below a half;
 *  - f16 multiply-adds with two roundings, but v_mad_f16: denormals as MODE says, or flushed;
 *  - the high half of the result of v_mac_f16, v_madmk_f16, v_madak_f16;
 *  - whether v_div_scale, v_div_fixup and the cube map instructions make a NaN quiet that they
 *    pass on;
 *  - the mask bits of lanes that DPP switches off.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cu/cu.h"

#include "oracle/oracle_encode.h"
#include "oracle/oracle_valu.h"
#include "oracle/oracle_values.h"
#include "ut.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct bench bench;
static struct {
	uint64_t rows, lanes, differences;
} sum;

/* Move between lanes or do nothing: the cases below. */
static const char *const elsewhere[] = {"v_nop",          "v_clrexcp",       "v_readfirstlane_b32",
                                        "v_readlane_b32", "v_writelane_b32", "v_swap_b32"};

static bool in_list(const char *name, const char *const *list, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (!strcmp(list[k], name))
			return true;
	return false;
}

static bool is_valu(const struct gv_gfx9_op *op)
{
	return op->format >= GV9_VOP2 && op->format <= GV9_VOP3P;
}

static bool is_float(unsigned t)
{
	return t == GV9_F32 || t == GV9_F64 || t == GV9_F16 || t == GV9_PKF16;
}

static struct valu_shape plain(const struct gv_gfx9_op *op)
{
	struct valu_shape s = {
	        .op = op,
	        .fn = orc_find(op->name),
	        .form = op->format == GV9_VOP3 ? FORM_VOP3 : FORM_BASE,
	        .mode = {.denorm32 = 3, .denorm64 = 3, .dx10_clamp = true, .ieee = true},
	        .op_sel_hi = op->flags & GV9_F_MIX ? 0 : 7,
	        .sel = {6, 6},
	        .dst_sel = 6,
	        .dpp_ctrl = 0xe4,
	        .row_mask = 15,
	        .bank_mask = 15,
	        .literal = 0x3fc00000,
	};

	if (op->format == GV9_VOP3P)
		s.form = FORM_VOP3;
	return s;
}

static bool executed(const struct gv_gfx9_op *op)
{
	struct valu_shape s = plain(op);
	uint32_t w[3] = {0};

	valu_encode(&s, w);
	return gv_cu_implemented(w);
}

/* ---- registers */
static void put_source(unsigned wave, unsigned k, unsigned lane, uint64_t v)
{
	bench.in[wave].row[2 * k][lane] = (uint32_t)v;
	bench.in[wave].row[2 * k + 1][lane] = (uint32_t)(v >> 32);
}

/* Edges of sources 0 and 1 in every pair, then anything. */
static uint64_t operand(const struct gv_gfx9_op *op, unsigned k, uint64_t n, bool crossed)
{
	unsigned edges0 = value_edges(op->st[0]), edges1 = value_edges(op->st[1]);

	if (!crossed || k == 2 || n >= (uint64_t)edges0 * edges1)
		return value_any(op->st[k]);
	return value_edge(op->st[k], (unsigned)(k ? n / edges0 : n % edges0));
}

/* A source now and then equals another: v_div_scale's does, and comparisons like it. */
static void fill_lane(const struct gv_gfx9_op *op, unsigned w, unsigned lane, uint64_t n,
                      bool crossed)
{
	for (unsigned k = 0; k < 3; k++)
		put_source(w, k, lane, operand(op, k, n, crossed));
	if (!crossed && bench_below(4) == 0)
		for (unsigned h = 0; h < 2; h++)
			bench.in[w].row[h][lane] =
			        bench.in[w].row[2 + 2 * bench_below(2) + h][lane];
	for (unsigned k = 0; k < 4; k++)
		bench.in[w].row[8 + k][lane] =
		        (uint32_t)value_any(op->flags & GV9_F_MAC ? op->st[2] : GV9_B32);
	if (op->st[2] == GV9_B64) /* 128 bits of v_mqsad_u32_u8 */
		put_source(w, 3, lane, value_any(GV9_B64));
}

static void fill_scalars(const struct gv_gfx9_op *op, unsigned w, bool all_lanes)
{
	uint32_t *s = bench.in[w].sgpr;

	for (unsigned k = 0; k < 16; k++)
		s[k] = (uint32_t)bench_random();
	for (unsigned k = 0; k < 3; k++) {
		uint64_t v = value_any(op->st[k]);

		s[4 + 2 * k] = (uint32_t)v;
		s[5 + 2 * k] = (uint32_t)(v >> 32);
	}
	if (all_lanes)
		s[0] = s[1] = ~0u;
	s[10] = 0;
}

/* ---- a shape on some waves */
static void note(const char *why)
{
	static char last[64];

	sum.differences++;
	if (!strncmp(last, why, strcspn(why, " \n")) && !getenv("GV_ORACLE_ALL"))
		return;
	snprintf(last, sizeof(last), "%.*s", (int)strcspn(why, " \n"), why);
	printf("%s\n", why);
}

/* The words under test. Of random shapes some get their MODE from an instruction before, instead of
 * from the dispatch. */
static struct bench_program program(const struct valu_shape *s, uint32_t *words, bool crossed)
{
	struct bench_program p = {.words = words, .rows = 12, .mode = s->mode};

	if (!crossed && bench_below(2))
		p.isa = "base"; /* test_cu_modes.c: the others do the same */
	if (!crossed && bench_below(3) == 0) {
		p.mode = (struct orc_mode){.round32 = bench_below(4) & 3,
		                           .denorm64 = bench_below(4) & 3};
		words[0] = enc_sopk(bench_op("s_setreg_imm32_b32"), 0, 9u << 11 | 1);
		words[1] = bench_mode_bits(&s->mode);
		p.n = 2;
	}
	p.n += valu_encode(s, words + p.n);
	return p;
}

static void run_shape(const struct valu_shape *s, unsigned waves, bool crossed)
{
	uint32_t words[BENCH_MAX_TEST];
	struct bench_program p = program(s, words, crossed);
	char why[400];

	for (uint64_t n = 0; waves;) {
		unsigned now = waves < BENCH_WAVES ? waves : BENCH_WAVES;

		for (unsigned w = 0; w < now; w++) {
			fill_scalars(s->op, w, crossed || bench_below(2));
			for (unsigned lane = 0; lane < 64; lane++)
				fill_lane(s->op, w, lane, n++, crossed);
		}
		if (bench_run(&bench, &p, now)) {
			valu_describe(s, why, sizeof(why));
			snprintf(why + strlen(why), sizeof(why) - strlen(why), ": %s", bench.fault);
			note(why);
			return;
		}
		for (unsigned w = 0; w < now; w++)
			if (valu_check(s, &bench.in[w], &bench.out[w], &sum.lanes, why,
			               sizeof(why)))
				note(why);
		waves -= now;
	}
}

/* ---- random shapes */
static struct orc_mode random_mode(const struct gv_gfx9_op *op)
{
	struct orc_mode m = {(uint8_t)bench_below(4), (uint8_t)bench_below(4),
	                     (uint8_t)bench_below(4), (uint8_t)bench_below(4),
	                     bench_below(2) != 0,     bench_below(2) != 0};

	if (op->flags & GV9_F_MIX)
		m.denorm64 = 3; /* how v_mad_mix widens a flushed denormal is not documented */
	return m;
}

static uint16_t random_constant(void)
{
	unsigned n = bench_below(90);

	return (uint16_t)(n < 81 ? 128 + n : 240 + n - 81);
}

/* Constants of 128 bits are not documented. */
static bool is_128(const struct gv_gfx9_op *op, unsigned k)
{
	return k == 2 && !strcmp(op->name, "v_mqsad_u32_u8");
}

/* One scalar register or literal at most; @scalars: sources that may be scalar. */
static void random_sources(struct valu_shape *s, unsigned scalars, bool constants)
{
	bool bus = (s->op->flags & (GV9_F_CIN | GV9_F_VCCIN)) != 0;

	for (unsigned k = 0; k < 3; k++) {
		unsigned kind = bench_below(6);

		if (!(scalars >> k & 1) || !valu_has_source(s->op, k) || is_128(s->op, k))
			continue;
		if (kind == 0 && constants &&
		    !(s->op_sel_hi >> k & 1 && s->op->flags & GV9_F_MIX)) {
			s->source[k] = SOURCE_CONSTANT;
			s->code[k] = random_constant();
		} else if (kind == 1 && !bus) {
			s->source[k] = SOURCE_SGPR;
			bus = true;
		} else if (kind == 2 && !bus && s->form == FORM_BASE && s->op->st[k] != GV9_B64) {
			s->source[k] = SOURCE_LITERAL;
			bus = true;
		}
	}
}

static void random_base(struct valu_shape *s)
{
	s->literal = (uint32_t)value_any(s->op->st[0]);
	if (s->op->flags & (GV9_F_MADK | GV9_F_MADMK))
		return;
	random_sources(s, 1, true);
}

/* neg and abs of the sources that are floats. */
static void random_signs(struct valu_shape *s)
{
	if (s->op->flags & GV9_F_NOFLUSH && s->form != FORM_VOP3)
		return; /* v_cndmask_b32 has them in VOP3 only */
	for (unsigned k = 0; k < 3; k++)
		if (is_float(s->op->st[k]) && !(s->op->flags & GV9_F_MAC && k == 2)) {
			s->neg |= (uint8_t)(bench_below(2) << k);
			s->abs |= (uint8_t)(bench_below(2) << k);
		}
}

/* Whether omod acts where MODE keeps denormal results but the instruction does not is open. */
static bool has_no_denormals(const struct gv_gfx9_op *op)
{
	static const char *const parts[] = {"_mad", "_mac", "_rcp", "_rsq", "_sqrt",
	                                    "_exp", "_log", "_sin", "_cos"};

	for (size_t k = 0; k < COUNT(parts); k++)
		if (strstr(op->name, parts[k]))
			return true;
	return false;
}

static bool keeps_denormals(const struct valu_shape *s)
{
	return ((s->op->dt == GV9_F32 ? s->mode.denorm32 : s->mode.denorm64) & 2) != 0;
}

static void random_output(struct valu_shape *s)
{
	if (is_float(s->op->dt) && !(s->op->flags & GV9_F_CMP)) {
		s->clamp = bench_below(3) == 0;
		s->omod = (uint8_t)(bench_below(2) ? bench_below(4) : 0);
	} else if (valu_clamps_int(s->op)) {
		s->clamp = bench_below(2) != 0;
	}
	if (s->op->flags & GV9_F_NOFLUSH)
		s->omod = s->clamp = 0;
	if (valu_has_op_sel(s->op) || (has_no_denormals(s->op) && keeps_denormals(s)))
		s->omod = 0;
}

static void random_op_sel(struct valu_shape *s)
{
	if (!valu_has_op_sel(s->op))
		return;
	for (unsigned k = 0; k < 3; k++)
		if (valu_has_source(s->op, k) && value_bits(s->op->st[k]) == 16)
			s->op_sel |= (uint8_t)(bench_below(2) << k);
	if (value_bits(s->op->dt) == 16)
		s->op_sel |= (uint8_t)(bench_below(2) << 3);
}

static void random_vop3(struct valu_shape *s)
{
	random_op_sel(s);
	random_sources(s, s->op->flags & GV9_F_MAC ? 3 : 7, !s->op_sel);
	random_signs(s);
	random_output(s);
	if (s->op->flags & GV9_F_VOP3B)
		s->abs = 0;
	if (s->op->flags & GV9_F_VOP3B && s->op->flags & GV9_F_CMP)
		s->clamp = 0;
}

static void random_vop3p(struct valu_shape *s)
{
	for (unsigned k = 0; k < 3; k++) {
		s->op_sel |= (uint8_t)(bench_below(2) << k);
		s->op_sel_hi ^= (uint8_t)(bench_below(2) << k);
	}
	random_sources(s, 7, true);
	random_signs(s);
	random_output(s);
	s->omod = 0;
}

static void random_sdwa(struct valu_shape *s)
{
	random_sources(s, 3, false);
	random_signs(s);
	random_output(s);
	for (unsigned k = 0; k < 2; k++) {
		s->sel[k] = (uint8_t)bench_below(7);
		if (!is_float(s->op->st[k]))
			s->sext |= (uint8_t)(bench_below(2) << k);
	}
	s->dst_sel = (uint8_t)bench_below(7);
	s->dst_unused = (uint8_t)bench_below(3);
	if (valu_clamps_int(s->op))
		s->clamp = 0;
}

static void random_dpp(struct valu_shape *s)
{
	static const uint16_t whole[] = {0x130, 0x134, 0x138, 0x13c, 0x140, 0x141, 0x142, 0x143};
	unsigned kind = bench_below(5);

	random_signs(s);
	if (kind == 0)
		s->dpp_ctrl = (uint16_t)bench_below(256);
	else if (kind < 4)
		s->dpp_ctrl = (uint16_t)(0x100 + 16 * (kind - 1) + 1 + bench_below(15));
	else
		s->dpp_ctrl = whole[bench_below(COUNT(whole))];
	s->row_mask = (uint8_t)(bench_below(2) ? 15 : bench_below(16));
	s->bank_mask = (uint8_t)(bench_below(2) ? 15 : bench_below(16));
	s->bound_ctrl = bench_below(2) != 0;
}

static bool is_wide(const struct gv_gfx9_op *op)
{
	return value_bits(op->dt) == 64 || value_bits(op->st[0]) == 64 ||
	       value_bits(op->st[1]) == 64;
}

static struct valu_shape random_shape(const struct gv_gfx9_op *op)
{
	struct valu_shape s = plain(op);
	bool mac = op->flags & GV9_F_MAC;

	s.mode = random_mode(op);
	if (op->format == GV9_VOP3P) {
		random_vop3p(&s);
		return s;
	}
	if (op->format != GV9_VOP3 && !(op->flags & GV9_F_ALONE))
		s.form = bench_below(op->format == GV9_VOPC ? 3 : 4); /* no DPP there */
	if (is_wide(op) && s.form > FORM_VOP3)
		s.form = FORM_VOP3;
	if (s.form == FORM_SDWA && mac)
		s.form = FORM_DPP;
	switch (s.form) {
	case FORM_BASE:
		random_base(&s);
		break;
	case FORM_VOP3:
		random_vop3(&s);
		break;
	case FORM_SDWA:
		random_sdwa(&s);
		break;
	case FORM_DPP:
		random_dpp(&s);
		break;
	}
	return s;
}

/* ---- cases */
static void each_row(void (*does)(const struct gv_gfx9_op *op))
{
	memset(&sum, 0, sizeof(sum));
	bench_clear(&bench);
	for (size_t k = 0; k < gv_gfx9_num_ops; k++) {
		const struct gv_gfx9_op *op = &gv_gfx9_ops[k];
		const char *only = getenv("GV_ORACLE_ONLY");

		if (!is_valu(op) || in_list(op->name, elsewhere, COUNT(elsewhere)) ||
		    !executed(op) || !orc_find(op->name) || (only && strcmp(only, op->name)))
			continue;
		sum.rows++;
		does(op);
	}
	printf("%llu rows, %llu lanes, %llu waves differ\n", (unsigned long long)sum.rows,
	       (unsigned long long)sum.lanes, (unsigned long long)sum.differences);
	CU_ASSERT(sum.rows > 300 || getenv("GV_ORACLE_ONLY"));
	CU_ASSERT_EQUAL(sum.differences, 0);
}

static void every_executed_row_has_an_oracle(void)
{
	for (size_t k = 0; k < gv_gfx9_num_ops; k++) {
		const struct gv_gfx9_op *op = &gv_gfx9_ops[k];

		if (!is_valu(op) || in_list(op->name, elsewhere, COUNT(elsewhere)) ||
		    !executed(op) || orc_find(op->name))
			continue;
		printf("no oracle: %s\n", op->name);
		CU_FAIL("a row has no oracle");
	}
}

static void cross_edges(const struct gv_gfx9_op *op)
{
	struct valu_shape s = plain(op);
	unsigned pairs = value_edges(op->st[0]) * value_edges(op->st[1]);

	run_shape(&s, (pairs + 63) / 64 + bench_scale(), true);
}

static void edges_of_every_row(void)
{
	each_row(cross_edges);
}

static void random_shapes(const struct gv_gfx9_op *op)
{
	for (unsigned k = 0; k < 24 * bench_scale(); k++) {
		struct valu_shape s = random_shape(op);

		run_shape(&s, 2, false);
	}
}

static void random_shapes_of_every_row(void)
{
	each_row(random_shapes);
}

UT_MAIN("cu oracle", UT(every_executed_row_has_an_oracle), UT(edges_of_every_row),
        UT(random_shapes_of_every_row))
