/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SMEM: scalar loads, stores, atomics and clocks, against a plain model. */
#include <string.h>

#include <gv/base.h>

#include "cu_mem_model.h"
#include "ut.h"

enum { BASE = 8, DATA = 16, SOFFSET = 40 };

static struct cu_model m;
static struct {
	uint64_t at, size; /* size: of a buffer, from at's base on; or ~0 */
	uint64_t base;
	unsigned dw;
	bool store, glc, wide, buffer;
	const char *name;
} t;

/* Dword @n of the access; NULL: out of range. */
static uint8_t *dword_at(unsigned n)
{
	uint64_t va = (t.at & ~3ull) + 4 * n;

	if (t.buffer && va + 4 - t.base > t.size)
		return NULL;
	return cu_model_at(&m, va);
}

static void expect_access(struct cu_model *model)
{
	for (unsigned n = 0; n < t.dw; n++) {
		uint8_t *p = dword_at(n);

		if (t.store && p)
			memcpy(p, &model->s[DATA + n], 4);
		else if (!t.store && p)
			memcpy(&model->s[DATA + n], p, 4);
		else if (!t.store)
			model->s[DATA + n] = 0;
	}
}

static void expect_atomic(struct cu_model *model)
{
	unsigned dw = t.wide ? 2 : 1;
	uint64_t in[2] = {0}, old = 0, now;
	bool there = dword_at(dw - 1) != NULL;

	for (unsigned n = 0; n < 2 * dw; n++)
		in[n / dw] |= (uint64_t)model->s[DATA + n] << (32 * (n % dw));
	for (unsigned n = 0; n < dw && there; n++) {
		uint32_t v;

		memcpy(&v, dword_at(n), 4);
		old |= (uint64_t)v << (32 * n);
	}
	now = cu_model_atomic(t.name, t.wide, old, in[0], in[1]);
	for (unsigned n = 0; n < dw && there; n++)
		memcpy(dword_at(n), &(uint32_t){(uint32_t)(now >> (32 * n))}, 4);
	for (unsigned n = 0; n < dw && t.glc; n++)
		model->s[DATA + n] = (uint32_t)(old >> (32 * n));
}

static void set64(unsigned s, uint64_t v)
{
	cu_wr64(&m.o.w->s[s], v);
}

/* Base, immediate and SGPR so that t.at comes out. */
static struct cu_words addressed(unsigned op, int *imm, int *soffset)
{
	*imm = cu_one_below(2) ? (int)cu_one_below(1u << 21) - (1 << 20) : 0;
	*soffset = cu_one_below(2) ? SOFFSET : -1;
	return cu_enc_smem(op, DATA, BASE, *imm, *soffset, t.glc);
}

static void run_at(unsigned op, unsigned scale, unsigned way, void (*expect)(struct cu_model *))
{
	int imm, soffset;
	struct cu_words word = addressed(op, &imm, &soffset);
	uint32_t add = cu_one_below(2) ? cu_one_below(4096) : cu_one_below(1u << 24);

	t.buffer = false;
	cu_model_begin(&m, word);
	m.o.w->s[SOFFSET] = add;
	set64(BASE, t.at - (uint64_t)(int64_t)imm - (soffset < 0 ? 0 : (uint64_t)add * scale));
	cu_model_ready(&m);
	cu_model_check(&m, way, expect);
}

static void run_buffer(unsigned op, unsigned way, void (*expect)(struct cu_model *))
{
	unsigned stride = cu_one_below(2) ? 0 : 4 * (1 + cu_one_below(10));
	uint32_t records = cu_one_below(stride ? 40 : 800), offset;
	struct cu_words word = cu_enc_smem(op, DATA, BASE, (int)cu_one_below(64), SOFFSET, t.glc);

	t.buffer = true;
	t.base = CU_ONE_VA + 4096 - 4 * cu_one_below(64);
	t.size = (uint64_t)(stride ? stride : 1) * records / 4 * 4;
	offset = cu_one_below(t.size + 32);
	t.at = t.base + offset;
	if (t.name)
		offset &= t.wide ? ~7u : ~3u, t.base &= ~7ull, t.at = t.base + offset;
	cu_model_begin(&m, word);
	set64(BASE, t.base | (uint64_t)stride << 48);
	m.o.w->s[BASE + 2] = stride ? records : (uint32_t)t.size;
	m.o.w->s[SOFFSET] = offset - (word.w[1] & 0x3f);
	if (offset < (word.w[1] & 0x3f)) /* sums of a buffer do not wrap */
		t.at = t.base + (1ull << 32) + offset;
	cu_model_ready(&m);
	cu_model_check(&m, way, expect);
}

static void loads_and_stores_move_dwords(void)
{
	static const struct {
		unsigned op, dw;
		bool store;
		unsigned scale; /* 0: a buffer */
	} c[] = {{0, 1, false, 1},   {1, 2, false, 1},  {2, 4, false, 1},  {3, 8, false, 1},
	         {4, 16, false, 1},  {5, 1, false, 64}, {6, 2, false, 64}, {7, 4, false, 64},
	         {8, 1, false, 0},   {9, 2, false, 0},  {10, 4, false, 0}, {11, 8, false, 0},
	         {12, 16, false, 0}, {16, 1, true, 1},  {17, 2, true, 1},  {18, 4, true, 1},
	         {21, 1, true, 64},  {22, 2, true, 64}, {23, 4, true, 64}, {24, 1, true, 0},
	         {25, 2, true, 0},   {26, 4, true, 0}};

	t.name = NULL;
	m.faults = m.retries = 0;
	for (unsigned n = 0; n < GV_ARRAY_LEN(c) * 15 * MODEL_WAYS; n++) {
		unsigned k = n % GV_ARRAY_LEN(c), way = n / GV_ARRAY_LEN(c) % MODEL_WAYS;

		t.dw = c[k].dw;
		t.store = c[k].store;
		t.glc = false;
		t.at = CU_ONE_VA + cu_one_below(CU_ONE_BYTES - 64);
		if (cu_one_below(2)) /* over a border */
			t.at = CU_ONE_VA + 4096 * (1 + cu_one_below(15)) -
			       4 * cu_one_below(t.dw + 1);
		if (c[k].scale)
			run_at(c[k].op, c[k].scale, way, expect_access);
		else
			run_buffer(c[k].op, way, expect_access);
	}
	CU_ASSERT_TRUE(m.faults > 10);
	CU_ASSERT_TRUE(m.retries > 10);
}

static void atomics_happen_once(void)
{
	static const char *const name[] = {"swap", "cmpswap", "add", "sub", "smin", "umin", "smax",
	                                   "umax", "and",     "or",  "xor", "inc",  "dec"};

	for (unsigned n = 0; n < GV_ARRAY_LEN(name) * 8 * MODEL_WAYS; n++) {
		unsigned k = n % GV_ARRAY_LEN(name), way = n / GV_ARRAY_LEN(name) % MODEL_WAYS;

		t.name = name[k];
		t.glc = cu_one_below(2);
		t.wide = cu_one_below(2);
		t.at = CU_ONE_VA + cu_one_below(CU_ONE_BYTES / 8) * 8;
		run_at(128 + k + (t.wide ? 32 : 0), 1, way, expect_atomic);
		run_buffer(64 + k + (t.wide ? 32 : 0), way, expect_atomic);
	}
}

static uint64_t clock_of(unsigned op)
{
	uint64_t v;

	cu_model_begin(&m, cu_enc_smem(op, DATA, 0, 0, -1, false));
	CU_ASSERT_EQUAL(cu_one_run(&m.o), GV_CU_DONE);
	v = cu_rd64(&m.o.w->s[DATA]);
	cu_one_end(&m.o);
	return v;
}

static void clocks_go_forward(void)
{
	uint64_t start = gv_now_ns(), a = clock_of(37), first = clock_of(36), last, ns;

	while (gv_now_ns() - start < 2 * GV_MS)
		;
	last = clock_of(36);
	a = clock_of(37) - a;
	ns = gv_now_ns() - start;
	CU_ASSERT_TRUE(last > first);
	CU_ASSERT_TRUE(a * 10 <= ns); /* 100 MHz */
	CU_ASSERT_TRUE(a * 10 >= 1 * GV_MS);
}

/* Registers past the last one are none. */
static void data_must_fit_the_registers(void)
{
	const struct cu_words word[] = {cu_enc_smem(4, 96, 0, 0, -1, false),
	                                cu_enc_smem(3, 100, 0, 0, -1, false)};

	for (unsigned n = 0; n < GV_ARRAY_LEN(word); n++) {
		cu_model_begin(&m, word[n]);
		CU_ASSERT_EQUAL(cu_one_run(&m.o), GV_CU_FAULT);
		CU_ASSERT_EQUAL(gv_cu_fault(m.o.run)->reason, GV_CU_BAD_INSTRUCTION);
		cu_one_end(&m.o);
	}
}

UT_MAIN("cu smem", UT(loads_and_stores_move_dwords), UT(atomics_happen_once), UT(clocks_go_forward),
        UT(data_must_fit_the_registers))
