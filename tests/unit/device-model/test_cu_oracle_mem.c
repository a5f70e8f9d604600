/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loads, stores and atomics of DS, GLOBAL, FLAT and MUBUF against oracle/oracle_mem.c: every
 * lane has 16 bytes of its own in LDS or in memory, in random order; what comes back, all of the
 * memory and the lanes that are off are compared.
 *
 * Atomics of SMEM likewise, one to a wave. DS instructions with two addresses in one register
 * (src2) and without one (addtid) are in test_cu_lds.c.
 *
 * Not compared: float minima and maxima with a NaN or of two zeros; which NaN infinities add up to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cu/cu.h"

#include "oracle/oracle_bench.h"
#include "oracle/oracle_encode.h"
#include "oracle/oracle_mem.h"
#include "oracle/oracle_values.h"
#include "ut.h"

/* Registers: address v2 (v7 above it), data0 v3, data1 v5, result v8, memory before and after
 * v12 to v15 (LDS) or bench.memory. */
enum { ADDR = 2, DATA = 3, DATA1 = 5, ADDR64 = 6, DST = 8, LDS = 12, SLOT = 16, BYTES = 1024 };

static struct bench bench;
static uint8_t memory_before[sizeof(bench.memory)];
static uint64_t lanes;
static unsigned differences;

/* How an instruction is tried once. */
struct attempt {
	const struct gv_gfx9_op *op;
	struct orc_mem_op what;
	uint32_t offset[2]; /* fields of the instruction */
	bool glc;
	uint8_t order[BENCH_WAVES][64]; /* slots of the lanes */
};

static bool uses_lds(const struct gv_gfx9_op *op)
{
	return op->format == GV9_DS;
}

/* ---- encoding */
static unsigned encode(const struct attempt *a, uint32_t *w)
{
	const struct gv_gfx9_op *op = a->op;
	uint32_t o = a->offset[0];

	switch (op->format) {
	case GV9_DS:
		w[0] = enc_ds(op->num, o, a->offset[1]);
		w[1] = enc_ds_regs(ADDR, DATA, DATA1, DST);
		break;
	case GV9_MUBUF: /* offen, V# in s[20:23] */
		w[0] = 0xe0000000u | op->num << 18 | (uint32_t)a->glc << 14 | 1u << 12 | o;
		w[1] = ADDR | (uint32_t)(a->what.kind == ORC_STORE ? DATA : DST) << 8 | 5u << 16 |
		       (uint32_t)ENC_ZERO << 24;
		break;
	case GV9_GLOBAL:
		w[0] = enc_flat(op->num, 2, a->glc, o);
		w[1] = enc_flat_regs(ADDR, DATA, 28, DST);
		break;
	default: /* FLAT */
		w[0] = enc_flat(op->num, 0, a->glc, o);
		w[1] = enc_flat_regs(ADDR64, DATA, 0x7f, DST);
		break;
	}
	return 2;
}

/* MUBUF has one register for data and result: copy, both ways. */
static unsigned program(const struct attempt *a, uint32_t *w)
{
	unsigned n = 0;
	bool copies = a->op->format == GV9_MUBUF && a->what.kind == ORC_ATOMIC;

	for (uint32_t k = 0; k < 4 && uses_lds(a->op); k++) {
		w[n++] = enc_sop1(bench_op("s_mov_b64"), ENC_EXEC, ENC_MINUS_ONE);
		w[n++] = enc_ds(bench_op("ds_write_b32"), 0, k);
		w[n++] = enc_ds_regs(0, LDS + k, 0, 0);
	}
	if (uses_lds(a->op))
		w[n++] = enc_sop1(bench_op("s_mov_b64"), ENC_EXEC, 16);
	for (uint32_t k = 0; k < 4 && copies; k++)
		w[n++] = enc_vop1(bench_op("v_mov_b32"), DST + k, ENC_VGPR + DATA + k);
	n += encode(a, w + n);
	for (uint32_t k = 0; k < 4 && uses_lds(a->op); k++) {
		if (!k) {
			w[n++] = enc_sop1(bench_op("s_mov_b64"), 36, ENC_EXEC);
			w[n++] = enc_sop1(bench_op("s_mov_b64"), ENC_EXEC, ENC_MINUS_ONE);
		}
		w[n++] = enc_ds(bench_op("ds_read_b32"), 0, k);
		w[n++] = enc_ds_regs(0, 0, 0, LDS + k);
	}
	return n;
}

/* ---- operands */
static bool calm_float(uint32_t v)
{
	return !orc_is_nan(&orc_f32, v) && (v & 0x7fffffff);
}

static uint32_t value(const struct attempt *a)
{
	uint32_t v = (uint32_t)value_any(a->what.is_float ? GV9_F32 : GV9_B32);

	return a->what.is_float && !calm_float(v) ? 0x3f800000 | (v & 0xff) : v;
}

/* Of f64 the upper half must be calm. */
static void fill_lane(struct attempt *a, unsigned w, unsigned lane)
{
	struct bench_block *b = &bench.in[w];
	uint32_t at = SLOT * a->order[w][lane];
	uint64_t va = 0;

	if (a->what.unit > SLOT) /* st64: offsets reach far */
		at = a->what.bytes * a->order[w][lane];
	if (!uses_lds(a->op))
		at += w * BYTES;
	va = bench_memory_va() + at;
	b->row[ADDR - 2][lane] = at;
	for (unsigned k = 0; k < 4; k++) {
		b->row[DATA - 2 + k][lane] = value(a);
		b->row[DST - 2 + k][lane] = value(a);
		b->row[LDS - 2 + k][lane] = value(a);
	}
	if (bench_below(3) == 0) /* what is compared is equal */
		b->row[DATA1 - 2][lane] = b->row[DATA - 2][lane];
	if (a->op->format == GV9_FLAT) {
		b->row[ADDR64 - 2][lane] = (uint32_t)va;
		b->row[ADDR64 - 1][lane] = (uint32_t)(va >> 32);
	}
}

static void shuffle(uint8_t *order)
{
	for (unsigned k = 0; k < 64; k++) {
		unsigned other = bench_below(k + 1);

		order[k] = order[other];
		order[other] = (uint8_t)k;
	}
}

/* Some of memory is what a compare looks for. */
static void plant(const struct attempt *a, unsigned w)
{
	unsigned row = a->op->format == GV9_DS ? DATA : DATA + a->what.bytes / 4;

	for (unsigned lane = 0; lane < 64; lane += 2) {
		uint32_t at = SLOT * a->order[w][lane];
		uint32_t from = bench.in[w].row[row - 2][lane];

		if (uses_lds(a->op))
			bench.in[w].row[LDS - 2 + at / 256][at / 4 % 64] = from;
		else
			memcpy(bench.memory + w * BYTES + at, &from, 4);
	}
}

static void fill(struct attempt *a, unsigned waves)
{
	for (size_t k = 0; k < sizeof(bench.memory); k += 4) {
		uint32_t v = value(a);

		memcpy(bench.memory + k, &v, 4);
	}
	bench_clear(&bench);
	for (unsigned w = 0; w < waves; w++) {
		uint32_t *s = bench.in[w].sgpr;

		if (bench_below(2)) {
			s[0] = (uint32_t)bench_random();
			s[1] = (uint32_t)bench_random();
		}
		s[4] = (uint32_t)bench_memory_va();
		s[5] = (uint32_t)(bench_memory_va() >> 32);
		s[6] = sizeof(bench.memory);
		s[7] = 0x27000;
		shuffle(a->order[w]);
		for (unsigned lane = 0; lane < 64; lane++)
			fill_lane(a, w, lane);
		if (a->what.kind == ORC_ATOMIC && a->what.two_data)
			plant(a, w);
	}
	memcpy(memory_before, bench.memory, sizeof(memory_before));
}

static void random_offsets(struct attempt *a)
{
	unsigned room = a->what.bytes == 12 ? 1 : SLOT / a->what.bytes;

	a->offset[0] = a->what.bytes * bench_below(room);
	a->offset[1] = 0;
	if (a->what.elements == 2) {
		a->offset[0] = bench_below(a->what.unit > SLOT ? BYTES / a->what.unit : room);
		a->offset[1] = a->offset[0] ^ 1;
	}
}

/* ---- the oracle over a wave */
static void gather(const struct bench_block *b, unsigned row, unsigned lane, uint32_t *regs)
{
	for (unsigned k = 0; k < 4; k++)
		regs[k] = row - 2 + k < BENCH_ROWS ? b->row[row - 2 + k][lane] : 0;
}

static void apply_lane(const struct attempt *a, const struct bench_block *in, unsigned lane,
                       uint8_t *memory, uint32_t *dst)
{
	struct orc_mem_op what = a->what;
	uint32_t data[4], data2[4], at = in->row[ADDR - 2][lane];

	what.returns |= a->glc;
	gather(in, DATA, lane, data);
	gather(in, a->op->format == GV9_DS ? DATA1 : DATA + what.bytes / 4, lane, data2);
	for (unsigned k = 0; k < what.elements; k++) {
		uint32_t offset = what.unit ? a->offset[k] * what.unit : a->offset[0];

		orc_mem_apply(&what, memory + at + offset, k ? data2 : data, data2,
		              dst + k * what.bytes / 4);
	}
}

/* NaNs are the same. */
static bool same(const struct attempt *a, uint32_t got, uint32_t want)
{
	return got == want ||
	       (a->what.is_float && orc_is_nan(&orc_f32, got) && orc_is_nan(&orc_f32, want));
}

static void complain(const struct attempt *a, unsigned w, unsigned lane, const char *what,
                     uint32_t got, uint32_t want)
{
	if (differences++ && !getenv("GV_ORACLE_ALL"))
		return;
	printf("%s offsets %u %u glc %u wave %u lane %u data %x %x addr %x: %s got %x, want %x\n",
	       a->op->name, a->offset[0], a->offset[1], a->glc, w, lane,
	       bench.in[w].row[DATA - 2][lane], bench.in[w].row[DATA1 - 2][lane],
	       bench.in[w].row[ADDR - 2][lane], what, got, want);
}

static void check_wave(const struct attempt *a, unsigned w, uint8_t *memory)
{
	const struct bench_block *in = &bench.in[w], *out = &bench.out[w];
	uint64_t exec = in->sgpr[0] | (uint64_t)in->sgpr[1] << 32;

	/* a load to MUBUF's and the others' result register starts from what was there; so does
	 * MUBUF's atomic, from the data that was copied */
	for (unsigned lane = 0; lane < 64; lane++) {
		bool copied = a->op->format == GV9_MUBUF && a->what.kind == ORC_ATOMIC;
		uint32_t dst[5] = {0};

		lanes++;
		gather(in, DST, lane, dst);
		if (exec >> lane & 1 && copied)
			gather(in, DATA, lane, dst);
		if (exec >> lane & 1)
			apply_lane(a, in, lane, memory, dst);
		for (unsigned k = 0; k < 4; k++)
			if (!same(a, out->row[DST - 2 + k][lane], dst[k]))
				complain(a, w, lane, "result", out->row[DST - 2 + k][lane], dst[k]);
	}
}

static void check_lds(const struct attempt *a, unsigned w)
{
	uint32_t lds[BYTES / 4 + 16];

	memcpy(lds, bench.in[w].row[LDS - 2], BYTES);
	check_wave(a, w, (uint8_t *)lds);
	for (unsigned k = 0; k < BYTES / 4; k++)
		if (!same(a, bench.out[w].row[LDS - 2 + k / 64][k % 64], lds[k]))
			complain(a, w, k % 64, "LDS", bench.out[w].row[LDS - 2 + k / 64][k % 64],
			         lds[k]);
}

static void check_memory(const struct attempt *a)
{
	for (size_t k = 0; k < sizeof(bench.memory); k += 4)
		if (memcmp(bench.memory + k, memory_before + k, 4)) {
			uint32_t got = 0, want = 0;

			memcpy(&got, bench.memory + k, 4);
			memcpy(&want, memory_before + k, 4);
			complain(a, (unsigned)(k / BYTES), 0, "memory", got, want);
		}
}

static void attempt_once(struct attempt *a)
{
	enum { WAVES = 8 };
	uint32_t words[40];
	struct bench_program p = {.words = words,
	                          .rows = BENCH_ROWS,
	                          .lds_bytes = BYTES,
	                          .mode = {.denorm32 = 3, .denorm64 = 3, .ieee = true}};

	random_offsets(a);
	a->glc = a->what.kind == ORC_ATOMIC && a->op->format != GV9_DS && bench_below(2);
	fill(a, WAVES);
	p.n = program(a, words);
	if (bench_run(&bench, &p, WAVES)) {
		printf("%s: %s\n", a->op->name, bench.fault);
		differences++;
		return;
	}
	for (unsigned w = 0; w < WAVES; w++)
		if (uses_lds(a->op))
			check_lds(a, w);
		else
			check_wave(a, w, memory_before);
	if (!uses_lds(a->op))
		check_memory(a);
}

/* ---- cases */
static bool is_executed(struct attempt *a)
{
	uint32_t w[2];

	encode(a, w);
	return gv_cu_implemented(w);
}

static bool belongs(const struct gv_gfx9_op *op, unsigned format)
{
	return op->format == format && !strstr(op->name, "format") && !strstr(op->name, "wbinv") &&
	       !strstr(op->name, "_lds_");
}

/* LDS instructions that move between lanes or count: test_cu_oracle_lanes.c; others: test_cu_lds.c.
 */
static bool is_elsewhere(const char *name)
{
	static const char *const parts[] = {"permute", "swizzle", "append",  "consume", "ds_nop",
	                                    "src2",    "addtid",  "ordered", "gws"};

	for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++)
		if (strstr(name, parts[k]))
			return true;
	return false;
}

static void try_format(unsigned format)
{
	unsigned rows = 0, all = 0;

	lanes = 0;
	for (size_t k = 0; k < gv_gfx9_num_ops; k++) {
		static struct attempt a;

		memset(&a, 0, sizeof(a));
		a.op = &gv_gfx9_ops[k];
		if (!belongs(a.op, format) || is_elsewhere(a.op->name) || !is_executed(&a))
			continue;
		if (!orc_mem_parse(a.op->name, &a.what)) {
			printf("no oracle: %s\n", a.op->name);
			CU_FAIL("a row has no oracle");
			continue;
		}
		rows++;
		differences = 0;
		for (unsigned n = 0; n < 12 * bench_scale(); n++)
			attempt_once(&a);
		all += differences;
	}
	printf("%u rows, %llu lanes, %u differ\n", rows, (unsigned long long)lanes, all);
	CU_ASSERT(rows > 30);
	CU_ASSERT_EQUAL(all, 0);
}

static void lds(void)
{
	try_format(GV9_DS);
}

static void global(void)
{
	try_format(GV9_GLOBAL);
}

static void flat(void)
{
	try_format(GV9_FLAT);
}

static void buffers(void)
{
	try_format(GV9_MUBUF);
}

/* ---- scalar atomics: one to a wave, data and what comes back in s20 and up */
enum { SCALAR_SLOT = 64 };

static void fill_scalar(struct attempt *a, bool buffer)
{
	fill(a, 0);
	for (unsigned w = 0; w < BENCH_WAVES; w++) {
		uint32_t *s = bench.in[w].sgpr;
		uint64_t va = bench_memory_va() + w * SCALAR_SLOT;

		for (unsigned k = 0; k < 4; k++)
			s[4 + k] = value(a);
		if (a->what.two_data && w & 1) /* what is compared is equal */
			memcpy(s + 4 + a->what.bytes / 4,
			       bench.memory + w * SCALAR_SLOT + a->offset[0], a->what.bytes);
		if (buffer) { /* V# in s[24:27] */
			s[8] = (uint32_t)va;
			s[9] = (uint32_t)(va >> 32);
			s[10] = SCALAR_SLOT;
			s[11] = 0x27000;
		} else {
			s[12] = (uint32_t)va;
			s[13] = (uint32_t)(va >> 32);
		}
	}
}

static void check_scalar(const struct attempt *a)
{
	struct orc_mem_op what = a->what;

	what.returns = a->glc;
	for (unsigned w = 0; w < BENCH_WAVES; w++) {
		const uint32_t *data = &bench.in[w].sgpr[4];
		uint32_t dst[4];

		memcpy(dst, data, sizeof(dst));
		orc_mem_apply(&what, memory_before + w * SCALAR_SLOT + a->offset[0], data,
		              data + what.bytes / 4, dst);
		lanes++;
		for (unsigned k = 0; k < 4; k++)
			if (bench.out[w].sgpr[6 + k] != dst[k])
				complain(a, w, 0, "result", bench.out[w].sgpr[6 + k], dst[k]);
	}
	check_memory(a);
}

static void attempt_scalar(struct attempt *a)
{
	bool buffer = strstr(a->op->name, "buffer") != NULL;
	struct bench_program p = {.n = 5};
	uint32_t words[5] = {0};

	a->glc = bench_below(2);
	a->offset[0] = a->what.bytes * bench_below(SCALAR_SLOT / a->what.bytes);
	fill_scalar(a, buffer);
	words[0] = enc_smem(a->op->num, 20, buffer ? 24 : 28) | (uint32_t)a->glc << 16;
	words[1] = a->offset[0];
	words[2] = enc_sopp(bench_op("s_waitcnt"), 0);
	words[3] = enc_sop1(bench_op("s_mov_b64"), 36, 20);
	words[4] = enc_sop1(bench_op("s_mov_b64"), 38, 22);
	p.words = words;
	if (bench_run(&bench, &p, BENCH_WAVES)) {
		printf("%s: %s\n", a->op->name, bench.fault);
		differences++;
		return;
	}
	check_scalar(a);
}

static void scalar_atomics(void)
{
	unsigned rows = 0, all = 0;

	lanes = 0;
	for (size_t k = 0; k < gv_gfx9_num_ops; k++) {
		static struct attempt a;
		const struct gv_gfx9_op *op = &gv_gfx9_ops[k];
		uint32_t w[2] = {enc_smem(op->num, 20, 24), 0};

		if (op->format != GV9_SMEM || !strstr(op->name, "atomic") || !gv_cu_implemented(w))
			continue;
		memset(&a, 0, sizeof(a));
		a.op = op;
		CU_ASSERT_FATAL(orc_mem_parse(op->name, &a.what));
		rows++;
		differences = 0;
		for (unsigned n = 0; n < 8 * bench_scale(); n++)
			attempt_scalar(&a);
		all += differences;
	}
	printf("%u rows, %llu waves, %u differ\n", rows, (unsigned long long)lanes, all);
	CU_ASSERT(rows > 30);
	CU_ASSERT_EQUAL(all, 0);
}

UT_MAIN("cu oracle memory", UT(lds), UT(global), UT(flat), UT(buffers), UT(scalar_atomics))
