/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the MODE register does, hardware registers, forks, and all host instruction sets alike. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gv/base.h>

#include "cu/state.h"

#include "oracle/oracle_bench.h"
#include "oracle/oracle_encode.h"
#include "ut.h"

enum { S36 = 36, A = 2, B = 4, C = 6, D = 10, LDS_DIRECT = 254 }; /* registers of the bench */
enum { HW_MODE = 1, HW_STATUS, HW_TRAPSTS, HW_ID, HW_GPR_ALLOC, HW_LDS_ALLOC };
enum { UP = 1, DOWN = 2, TO_ZERO = 3 };

static struct bench bench;
static const char *const isas[] = {"base", "avx2", "avx512"};
static const struct orc_mode usual = {
        .denorm32 = 3, .denorm64 = 3, .dx10_clamp = true, .ieee = true};

/* ---- programs */
struct text {
	uint32_t word[BENCH_MAX_TEST];
	unsigned n;
};

static void add(struct text *t, uint32_t word)
{
	t->word[t->n++] = word;
}

static void add2(struct text *t, uint32_t word, uint32_t second)
{
	add(t, word);
	add(t, second);
}

static uint32_t field(unsigned reg, unsigned at, unsigned bits)
{
	return reg | at << 6 | (bits - 1) << 11;
}

static void set_mode(struct text *t, unsigned at, unsigned bits, uint32_t v)
{
	add2(t, enc_sopk(bench_op("s_setreg_imm32_b32"), 0, field(HW_MODE, at, bits)), v);
}

static void get_reg(struct text *t, unsigned dst, unsigned reg)
{
	add(t, enc_sopk(bench_op("s_getreg_b32"), dst, field(reg, 0, 32)));
}

/* The VOP3 form of a row, v[D] = f(v[A], v[B], v[C]). */
static bool add_vop3(struct text *t, const struct gv_gfx9_op *op, uint32_t mods, uint32_t omod)
{
	static const uint16_t offset[] = {[GV9_VOP2] = 256, [GV9_VOP1] = 320, [GV9_VOPC] = 0};
	uint32_t mask = op->flags & (GV9_F_CIN | GV9_F_VCCIN) ? S36 : ENC_VGPR + C;
	uint32_t dst = op->flags & GV9_F_CMP ? S36 : D;

	if (op->flags & (GV9_F_ALONE | GV9_F_SPECIAL))
		return false;
	if (op->format == GV9_VOP3P)
		add(t, enc_vop3p(op->num, dst, mods | 1u << 14));
	else if (op->format == GV9_VOP3)
		add(t, enc_vop3(op->num, dst, mods | (op->flags & GV9_F_VOP3B ? S36 << 8 : 0)));
	else if (op->format >= GV9_VOP2 && op->format <= GV9_VOPC)
		add(t, enc_vop3(op->num + offset[op->format], dst,
		                mods | (op->flags & GV9_F_VOP3B ? S36 << 8 : 0)));
	else
		return false;
	if (op->flags & GV9_F_VCCIN)
		mask = ENC_VGPR + C;
	add(t, enc_vop3_sources(ENC_VGPR + A, ENC_VGPR + B, mask,
	                        op->format == GV9_VOP3P ? 3 : omod, 0));
	return gv_cu_implemented(t->word + t->n - 2);
}

static const struct gv_gfx9_op *row(const char *name)
{
	for (size_t n = 0; n < gv_gfx9_num_ops; n++)
		if (strcmp(gv_gfx9_ops[n].name, name) == 0)
			return &gv_gfx9_ops[n];
	return NULL;
}

static void put_source(unsigned reg, uint64_t v)
{
	for (unsigned l = 0; l < 64; l++) {
		bench.in[0].row[reg - 2][l] = (uint32_t)v;
		bench.in[0].row[reg - 1][l] = (uint32_t)(v >> 32);
	}
}

static bool run_text(const struct text *t, const struct orc_mode *mode)
{
	struct bench_program p = {
	        .words = t->word, .n = t->n, .rows = 12, .mode = *mode, .lds_bytes = 1024};
	int rc = bench_run(&bench, &p, 1);

	if (rc)
		printf("%s\n", bench.fault);
	return rc == 0;
}

/* One instruction on a and b in all lanes. */
static uint64_t result(const char *name, const struct orc_mode *mode, uint32_t mods, uint32_t omod,
                       uint64_t a, uint64_t b)
{
	struct text t = {.n = 0};

	bench_clear(&bench);
	put_source(A, a);
	put_source(B, b);
	if (!add_vop3(&t, row(name), mods, omod) || !run_text(&t, mode)) {
		CU_FAIL("does not run");
		return 0;
	}
	return (uint64_t)bench.out[0].row[D - 1][63] << 32 | bench.out[0].row[D - 2][63];
}

static uint32_t result32(const char *name, const struct orc_mode *mode, uint64_t a, uint64_t b)
{
	return (uint32_t)result(name, mode, 0, 0, a, b);
}

/* ---- cases */
static void f32_and_the_others_round_each_their_way(void)
{
	static const struct {
		uint32_t f32, f16, cvt;
		uint64_t f64;
	} want[] = {{0x3f800000, 0x3c00, 0x3c01, 0x3ff0000000000000ull},
	            {0x3f800001, 0x3c01, 0x3c01, 0x3ff0000000000001ull},
	            {0x3f800000, 0x3c00, 0x3c00, 0x3ff0000000000000ull},
	            {0x3f800000, 0x3c00, 0x3c00, 0x3ff0000000000000ull}};

	for (uint8_t r32 = 0; r32 < 4; r32++)
		for (uint8_t r64 = 0; r64 < 4; r64++) {
			struct orc_mode m = usual;

			m.round32 = r32;
			m.round64 = r64;
			CU_ASSERT_EQUAL(result32("v_add_f32", &m, 0x3f800000, 0x30000000),
			                want[r32].f32);
			CU_ASSERT_EQUAL(result32("v_add_f16", &m, 0x3c00, 0x0400), want[r64].f16);
			CU_ASSERT_EQUAL(result32("v_cvt_f16_f32", &m, 0x3f801fff, 0),
			                want[r64].cvt);
			CU_ASSERT_EQUAL(result("v_add_f64", &m, 0, 0, 0x3ff0000000000000ull,
			                       0x3c00000000000000ull),
			                want[r64].f64);
			CU_ASSERT_EQUAL(result32("v_rndne_f32", &m, 0x40200000, 0), 0x40000000);
			CU_ASSERT_EQUAL(result32("v_cvt_i32_f32", &m, 0xc039999a, 0), -2u);
			CU_ASSERT_EQUAL(result32("v_cvt_pkrtz_f16_f32", &m, 0x3f801fff, 0), 0x3c00);
		}
}

static void subnormals_go_in_and_out_as_mode_says(void)
{
	for (uint8_t kept = 0; kept < 4; kept++) {
		struct orc_mode m = usual;
		uint32_t in = kept & 1, out = kept >> 1;

		m.denorm32 = kept;
		/* in: times 2^30; out: the smallest normal number halved */
		CU_ASSERT_EQUAL(result32("v_mul_f32", &m, 1, 0x4e800000), in ? 0x04000000 : 0);
		CU_ASSERT_EQUAL(result32("v_mul_f32", &m, 0x80800000, 0x3f000000),
		                out ? 0x80400000 : 0x80000000);
		CU_ASSERT_EQUAL(result32("v_max_f32", &m, 5, 0), in && out ? 5 : 0);
		CU_ASSERT_EQUAL(result32("v_mov_b32", &m, 5, 0), 5);
		m.denorm64 = kept;
		m.denorm32 = 3;
		CU_ASSERT_EQUAL(result32("v_mul_f16", &m, 1, 0x6400), in ? 0x0400 : 0);
		CU_ASSERT_EQUAL(result32("v_mul_f16", &m, 0x8400, 0x3800), out ? 0x8200 : 0x8000);
		CU_ASSERT_EQUAL(result("v_mul_f64", &m, 0, 0, 1, 0x43e0000000000000ull),
		                in ? 0x00c0000000000000ull : 0);
		CU_ASSERT_EQUAL(result("v_mul_f64", &m, 0, 0, 1ull << 52, 0x3fe0000000000000ull),
		                out ? 1ull << 51 : 0);
		/* v_mad never keeps them */
		CU_ASSERT_EQUAL(result32("v_mad_f32", &usual, 1, 0x4e800000), 0);
	}
}

static void minima_know_signalling_nans_in_ieee_mode(void)
{
	struct orc_mode m = usual;

	CU_ASSERT_EQUAL(result32("v_min_f32", &m, 0x7f800001, 0x3f800000), 0x7fc00001);
	CU_ASSERT_EQUAL(result32("v_max_f32", &m, 0x3f800000, 0xff800001), 0xffc00001);
	CU_ASSERT_EQUAL(result32("v_max_f16", &m, 0x3c00, 0x7c01), 0x7e01);
	CU_ASSERT_EQUAL(result32("v_min_f32", &m, 0x7fc00000, 0x3f800000), 0x3f800000);
	CU_ASSERT_EQUAL(result32("v_min_f32", &m, 0, 0x80000000), 0x80000000);
	m.ieee = false;
	CU_ASSERT_EQUAL(result32("v_min_f32", &m, 0x7f800001, 0x3f800000), 0x3f800000);
	CU_ASSERT_EQUAL(result32("v_max_f16", &m, 0x3c00, 0x7c01), 0x3c00);
	CU_ASSERT_EQUAL(result("v_max_f64", &m, 0, 0, 1, 0x7ff0000000000001ull), 1);
}

static void omod_needs_neither_ieee_nor_subnormals(void)
{
	struct orc_mode m = usual;

	CU_ASSERT_EQUAL(result("v_add_f32", &m, 0, 1, 0x3f800000, 0x3f800000) & ~0u, 0x40000000);
	m.ieee = false;
	CU_ASSERT_EQUAL(result("v_add_f32", &m, 0, 1, 0x3f800000, 0x3f800000) & ~0u, 0x40000000);
	m.denorm32 = 1;
	CU_ASSERT_EQUAL(result("v_add_f32", &m, 0, 1, 0x3f800000, 0x3f800000) & ~0u, 0x40800000);
	CU_ASSERT_EQUAL(result("v_add_f32", &m, 0, 3, 0x3f800000, 0x3f800000) & ~0u, 0x3f800000);
}

static void clamping_makes_nan_zero_only_in_dx10_mode(void)
{
	const uint32_t clamp = 1u << 15;
	struct orc_mode m = usual;

	CU_ASSERT_EQUAL(result("v_add_f32", &m, clamp, 0, 0x7fc00000, 0) & ~0u, 0);
	CU_ASSERT_EQUAL(result("v_add_f32", &m, clamp, 0, 0x40000000, 0) & ~0u, 0x3f800000);
	m.dx10_clamp = false;
	CU_ASSERT_EQUAL(result("v_add_f32", &m, clamp, 0, 0x7fc00000, 0) & ~0u, 0x7fc00000);
	CU_ASSERT_EQUAL(result("v_add_u32", &m, clamp, 0, 0xffffffff, 2) & ~0u, 0xffffffff);
	CU_ASSERT_EQUAL(result("v_mad_u64_u32", &m, clamp, 0, ~0u, ~0u) & ~0u, 1);
}

static void f16_overflow_stops_at_the_largest(void)
{
	struct text t = {.n = 0};

	bench_clear(&bench);
	put_source(A, 0x7bff);
	put_source(B, 0x7bff);
	set_mode(&t, 23, 1, 1); /* FP16_OVFL */
	CU_ASSERT_TRUE(add_vop3(&t, row("v_add_f16"), 0, 0) && run_text(&t, &usual));
	CU_ASSERT_EQUAL(bench.out[0].row[D - 2][0], 0x7bff);
	CU_ASSERT_EQUAL(result32("v_add_f16", &usual, 0x7bff, 0x7bff), 0x7c00);
}

static void hardware_registers_read_what_they_are(void)
{
	struct text t = {.n = 0};

	bench_clear(&bench);
	set_mode(&t, 0, 4, 0x9);
	get_reg(&t, 36, HW_MODE);
	get_reg(&t, 37, HW_GPR_ALLOC);
	get_reg(&t, 38, HW_LDS_ALLOC);
	get_reg(&t, 39, HW_STATUS);
	CU_ASSERT_TRUE(run_text(&t, &usual));
	CU_ASSERT_EQUAL(bench.out[0].sgpr[6], 0x3f9);
	CU_ASSERT_EQUAL(bench.out[0].sgpr[7], 7u << 8 | 6u << 24); /* 32 VGPRs, 112 SGPRs */
	CU_ASSERT_EQUAL(bench.out[0].sgpr[8], 4u << 12);           /* 1 KiB */
	CU_ASSERT_EQUAL(bench.out[0].sgpr[9] & 0x10200, 0x10000);  /* VALID, not EXECZ */

	t.n = 0;
	add2(&t, enc_sopk(bench_op("s_setreg_imm32_b32"), 0, field(HW_TRAPSTS, 0, 9)), 0x55);
	get_reg(&t, 36, HW_TRAPSTS);
	CU_ASSERT_TRUE(run_text(&t, &usual));
	CU_ASSERT_EQUAL(bench.out[0].sgpr[6], 0x55);
}

static void skipped_vector_instructions_do_nothing(void)
{
	struct text t = {.n = 0};

	bench_clear(&bench);
	add(&t, enc_sopc(bench_op("s_setvskip"), ENC_ZERO + 4, ENC_ZERO + 2));
	add(&t, enc_vop1(bench_op("v_mov_b32"), D, ENC_ZERO + 7));
	add(&t, enc_sop1(bench_op("s_mov_b32"), S36, ENC_ZERO + 9));
	add(&t, enc_sopc(bench_op("s_setvskip"), ENC_ZERO, ENC_ZERO));
	add(&t, enc_vop1(bench_op("v_mov_b32"), D + 1, ENC_ZERO + 7));
	CU_ASSERT_TRUE(run_text(&t, &usual));
	CU_ASSERT_EQUAL(bench.out[0].row[D - 2][3], 0);
	CU_ASSERT_EQUAL(bench.out[0].row[D - 1][3], 7);
	CU_ASSERT_EQUAL(bench.out[0].sgpr[6], 9);
}

/* Lanes that pass add 1, those that fail 2; with EXEC restored all add 4. */
static void forks_join(void)
{
	static const uint64_t masks[] = {0, ~0ull, 0xff, ~0xffull, 0x8000000000000001ull};
	const uint32_t add_d = bench_op("v_add_u32");

	for (unsigned k = 0; k < GV_ARRAY_LEN(masks); k++) {
		struct text t = {.n = 0};
		unsigned wrong = 0;

		bench_clear(&bench);
		memcpy(&bench.in[0].sgpr[2], &masks[k], 8);
		add(&t, enc_sopk(bench_op("s_cbranch_i_fork"), S36, 2));
		add(&t, enc_vop2(add_d, D, ENC_ZERO + 2, D));
		add(&t, enc_sopp(bench_op("s_branch"), 1));
		add(&t, enc_vop2(add_d, D, ENC_ZERO + 1, D));
		add(&t, enc_sop1(bench_op("s_mov_b32"), 64, ENC_ZERO));
		add(&t, enc_sop1(bench_op("s_cbranch_join"), 0, 64));
		add(&t, enc_sop1(bench_op("s_mov_b64"), ENC_EXEC, ENC_MINUS_ONE));
		add(&t, enc_vop2(add_d, D, ENC_ZERO + 4, D));
		CU_ASSERT_TRUE(run_text(&t, &usual));
		for (unsigned l = 0; l < 64; l++)
			wrong += bench.out[0].row[D - 2][l] != (masks[k] >> l & 1 ? 5u : 6u);
		CU_ASSERT_EQUAL(wrong, 0);
	}
}

static void lds_direct_reads_where_m0_points(void)
{
	static const struct {
		uint32_t m0, want;
	} cases[] = {{0, 0x81},          {1u << 16 | 2, 0xf0c3},     {2u << 16, 0xf0c3a281},
	             {4u << 16, ~0x7eu}, {5u << 16 | 2, 0xfffff0c3}, {2u << 16 | 1022, 0},
	             {3u << 16, 0}};

	for (unsigned k = 0; k < GV_ARRAY_LEN(cases); k++) {
		struct text t = {.n = 0};

		bench_clear(&bench);
		put_source(A, 0xf0c3a281);
		bench.in[0].sgpr[10] = ~0u; /* M0 */
		add(&t, enc_vop1(bench_op("v_mov_b32"), C, ENC_ZERO));
		add2(&t, enc_ds(bench_op("ds_write_b32"), 0, 0), enc_ds_regs(C, A, 0, 0));
		add2(&t, enc_sop1(bench_op("s_mov_b32"), ENC_M0, ENC_LITERAL), cases[k].m0);
		add(&t, enc_vop1(bench_op("v_mov_b32"), D, LDS_DIRECT));
		CU_ASSERT_TRUE(run_text(&t, &usual));
		CU_ASSERT_EQUAL(bench.out[0].row[D - 2][17], cases[k].want);
	}
}

static void exceptions_are_kept_once_somebody_looks(void)
{
	static const struct {
		const char *name;
		uint64_t a, b;
		uint32_t want;
	} cases[] = {{"v_add_f32", 0x3f800000, 0x3f800000, 0},
	             {"v_add_f32", 0x3f800000, 1, 0x22},
	             {"v_add_f32", 0x7f800001, 0, 1},
	             {"v_mul_f32", 0x7f7fffff, 0x7f7fffff, 0x28},
	             {"v_mul_f32", 0x00800000, 0x3e800001, 0x30},
	             {"v_mul_f32", 0x7f800000, 0, 1},
	             {"v_rcp_f32", 0, 0, 4},
	             {"v_rcp_iflag_f32", 0, 0, 0x40},
	             {"v_sqrt_f32", 0xbf800000, 0, 1},
	             {"v_mul_f64", 1ull << 52, 1ull << 52, 0x30},
	             {"v_mul_f16", 0x7bff, 0x7bff, 0x28},
	             {"v_cmp_lt_f32", 0x7f800001, 0, 1}};

	for (unsigned k = 0; k < GV_ARRAY_LEN(cases); k++) {
		struct text t = {.n = 0};

		bench_clear(&bench);
		put_source(A, cases[k].a);
		put_source(B, cases[k].b);
		bench.in[0].row[A - 2][5] = 0x7f800001; /* in a lane that is off */
		bench.in[0].sgpr[0] &= ~(1u << 5);
		add(&t, enc_vop1(bench_op("v_clrexcp"), 0, 0));
		CU_ASSERT_TRUE(add_vop3(&t, row(cases[k].name), 0, 0));
		get_reg(&t, 38, HW_TRAPSTS);
		CU_ASSERT_TRUE(run_text(&t, &usual));
		if (bench.out[0].sgpr[8] != cases[k].want)
			printf("%s: %x\n", cases[k].name, bench.out[0].sgpr[8]);
		CU_ASSERT_EQUAL(bench.out[0].sgpr[8], cases[k].want);
	}
}

/* ---- all host instruction sets */
static bool is_nan(uint8_t type, uint64_t v)
{
	switch (type) {
	case GV9_F32:
		return (v & 0x7fffffff) > 0x7f800000;
	case GV9_F64:
		return v << 1 > 0xffe0000000000000ull;
	case GV9_F16:
		return (v & 0x7fff) > 0x7c00;
	case GV9_PKF16: /* either half */
		return (v & 0x7fff) > 0x7c00 || (v >> 16 & 0x7fff) > 0x7c00;
	default:
		return false;
	}
}

/* Results alike, but for the payloads of NaNs. */
static unsigned differ(const struct bench_block *x, const struct bench_block *y, uint8_t type)
{
	unsigned n = memcmp(&x->sgpr[6], &y->sgpr[6], 8) != 0;

	for (unsigned l = 0; l < 64; l++) {
		uint64_t p = (uint64_t)x->row[D - 1][l] << 32 | x->row[D - 2][l];
		uint64_t q = (uint64_t)y->row[D - 1][l] << 32 | y->row[D - 2][l];

		n += p != q && !(is_nan(type, p) && is_nan(type, q));
	}
	return n;
}

static void fill(struct bench_block *b)
{
	static const uint32_t edge[] = {0,          1,          0x7f800000, 0xff800000, 0x7fc00000,
	                                0x3f800000, 0x00800000, 0x007fffff, 0x80000001, 0x7f7fffff,
	                                0x3c007c00, 0x03ff0001, 0x7bff8400, 0x7ff00000, 0x00100000};

	for (unsigned r = 0; r < 12; r++)
		for (unsigned l = 0; l < 64; l++) {
			uint64_t x = bench_random();

			b->row[r][l] =
			        x % 3 ? (uint32_t)(x >> 32) : edge[(x >> 8) % GV_ARRAY_LEN(edge)];
		}
	for (unsigned k = 2; k < 4; k++)
		b->sgpr[k] = (uint32_t)bench_random();
}

/* -ENOTSUP, or how many lanes differ from the plain C's. */
static int compare_isa(const char *isa, const struct gv_gfx9_op *op, const struct orc_mode *mode)
{
	static struct bench_block want;
	struct text t = {.n = 0};
	struct bench_program p = {.words = t.word, .rows = 12, .mode = *mode};

	bench_clear(&bench);
	if (!add_vop3(&t, op, 0, 0))
		return 0;
	p.n = t.n;
	fill(&bench.in[0]);
	p.isa = "base";
	CU_ASSERT_EQUAL(bench_run(&bench, &p, 1), 0);
	want = bench.out[0];
	memset(&bench.out[0], 0, sizeof(bench.out[0]));
	p.isa = isa;
	CU_ASSERT_EQUAL(bench_run(&bench, &p, 1), 0);
	return (int)differ(&want, &bench.out[0], op->dt);
}

static bool has_isa(const char *isa)
{
	struct bench_program p = {.isa = isa, .mode = usual};

	bench_clear(&bench);
	return bench_run(&bench, &p, 1) == 0;
}

static int no_memory(void *ctx, uint64_t va, unsigned access, struct gv_cu_window *w)
{
	(void)ctx, (void)va, (void)access, (void)w;
	return -EFAULT;
}

/* GV_TEST_ISA: what has to be the best here (scripts/rig run avx512). */
static void a_run_takes_the_best_of_this_host(void)
{
	const struct gv_cu_dispatch d = {.mem.translate = no_memory, .num_thread = {64, 1, 1}};
	const char *want = getenv("GV_TEST_ISA");
	struct gv_cu_run *run = NULL;
	unsigned best = GV_ARRAY_LEN(isas) - 1;

	while (best && !has_isa(isas[best]))
		best--;
	CU_ASSERT_EQUAL_FATAL(gv_cu_begin(&run, &d), 0);
	CU_ASSERT_PTR_EQUAL(run->isa, cu_isa_find(isas[best]));
	if (want)
		CU_ASSERT_STRING_EQUAL(isas[best], want);
	gv_cu_free(run);
}

static void every_host_isa_gives_the_same(void)
{
	static const struct orc_mode modes[] = {
	        {.denorm32 = 3, .denorm64 = 3, .dx10_clamp = true, .ieee = true},
	        {.denorm64 = 3, .dx10_clamp = true, .ieee = true},
	        {.round32 = UP, .round64 = TO_ZERO, .denorm32 = 3, .denorm64 = 0},
	        {.round32 = DOWN, .round64 = UP, .denorm32 = 1, .denorm64 = 2, .ieee = true}};

	CU_ASSERT_TRUE(has_isa("base"));
	CU_ASSERT_FALSE(has_isa("z80"));
	for (unsigned k = 1; k < GV_ARRAY_LEN(isas); k++) {
		unsigned rows = 0, bad = 0;

		if (!has_isa(isas[k])) {
			printf("SKIP: this host has no %s\n", isas[k]);
			continue;
		}
		for (size_t n = 0; n < gv_gfx9_num_ops; n++)
			for (unsigned m = 0; m < GV_ARRAY_LEN(modes); m++) {
				int d = compare_isa(isas[k], &gv_gfx9_ops[n], &modes[m]);

				rows += m == 0;
				if (d && bad++ < 10)
					printf("%s: %s in mode %u: %d lanes\n", isas[k],
					       gv_gfx9_ops[n].name, m, d);
			}
		CU_ASSERT_EQUAL(bad, 0);
		CU_ASSERT_TRUE(rows > 400);
	}
}

static const struct ut_case cases[] = {
        UT(f32_and_the_others_round_each_their_way),
        UT(subnormals_go_in_and_out_as_mode_says),
        UT(minima_know_signalling_nans_in_ieee_mode),
        UT(omod_needs_neither_ieee_nor_subnormals),
        UT(clamping_makes_nan_zero_only_in_dx10_mode),
        UT(f16_overflow_stops_at_the_largest),
        UT(hardware_registers_read_what_they_are),
        UT(skipped_vector_instructions_do_nothing),
        UT(forks_join),
        UT(lds_direct_reads_where_m0_points),
        UT(exceptions_are_kept_once_somebody_looks),
        UT(a_run_takes_the_best_of_this_host),
        UT(every_host_isa_gives_the_same),
};

int main(int argc, char **argv)
{
	return ut_main(argc, argv, "cu modes", cases, (int)GV_ARRAY_LEN(cases));
}
