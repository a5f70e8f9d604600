/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DS: local memory and moves between lanes, against a plain model. */
#include <math.h>
#include <string.h>

#include <gv/base.h>

#include "cu_mem_model.h"
#include "ut.h"

enum { ADDR = 2, D0 = 8, D1 = 12, DST = 16 };

static struct cu_model m;
static struct {
	unsigned bytes, offset, elements;
	bool store, sext, wide, ret;
	int half;
	unsigned unit; /* of the two offsets */
	const char *name;
} t;

static bool inside(uint32_t at, unsigned bytes)
{
	return at < CU_ONE_LDS && bytes <= CU_ONE_LDS - at;
}

static void run(struct cu_words word, uint32_t align, void (*expect)(struct cu_model *))
{
	cu_model_begin(&m, word);
	for (unsigned l = 0; l < CU_LANES; l++) {
		m.o.w->v[ADDR][l] = cu_one_below(CU_ONE_LDS + 16) / align * align;
		if (cu_one_below(30) == 0)
			m.o.w->v[ADDR][l] = 0u - align * cu_one_below(64);
	}
	m.o.w->s[CU_M0] = cu_one_below(CU_ONE_LDS) | cu_one_below(CU_ONE_LDS) << 16;
	cu_model_ready(&m);
	cu_model_check(&m, MODEL_PLAIN, expect);
}

/* ---- reads and writes */
static void lane_load(unsigned l, unsigned dst, uint32_t at)
{
	uint8_t b[16] = {0};
	uint32_t w[4];

	if (inside(at, t.bytes))
		memcpy(b, &m.lds[at], t.bytes);
	if (t.sext && b[t.bytes - 1] & 0x80)
		memset(b + t.bytes, 0xff, 4 - t.bytes);
	memcpy(w, b, sizeof(w));
	if (t.half == 0)
		w[0] = (m.v[dst][l] & 0xffff0000u) | (w[0] & 0xffff);
	if (t.half == 1)
		w[0] = (m.v[dst][l] & 0xffff) | w[0] << 16;
	for (unsigned n = 0; n < (t.bytes + 3) / 4; n++)
		m.v[dst + n][l] = w[n];
}

static void lane_store(unsigned l, unsigned reg, uint32_t at)
{
	if (!inside(at, t.bytes))
		return;
	for (unsigned n = 0; n < t.bytes; n++)
		m.lds[at + n] =
		        (uint8_t)(m.v[reg + n / 4][l] >> (8 * (n % 4) + (t.half == 1 ? 16 : 0)));
}

static void expect_access(struct cu_model *model)
{
	for (unsigned l = 0; l < CU_LANES; l++) {
		uint32_t at = m.v[ADDR][l] + t.offset;

		if (cu_model_active(model, l) && t.store)
			lane_store(l, D0, at);
		else if (cu_model_active(model, l))
			lane_load(l, DST, at);
	}
}

static void reads_and_writes_reach_the_right_bytes(void)
{
	static const struct {
		unsigned op, bytes;
		bool store, sext;
		int half;
	} c[] = {
	        {13, 4, true, false, -1},    {30, 1, true, false, 0},
	        {31, 2, true, false, 0},     {84, 1, true, false, 1},
	        {85, 2, true, false, 1},     {77, 8, true, false, -1},
	        {222, 12, true, false, -1},  {223, 16, true, false, -1},
	        {54, 4, false, false, -1},   {57, 1, false, true, -1},
	        {58, 1, false, false, -1},   {59, 2, false, true, -1},
	        {60, 2, false, false, -1},   {86, 1, false, false, 0},
	        {87, 1, false, false, 1},    {88, 1, false, true, 0},
	        {89, 1, false, true, 1},     {90, 2, false, false, 0},
	        {91, 2, false, false, 1},    {118, 8, false, false, -1},
	        {254, 12, false, false, -1}, {255, 16, false, false, -1},
	};

	for (unsigned n = 0; n < GV_ARRAY_LEN(c) * 20; n++) {
		unsigned k = n % GV_ARRAY_LEN(c);

		t.bytes = c[k].bytes;
		t.store = c[k].store;
		t.sext = c[k].sext;
		t.half = c[k].half;
		t.offset = cu_one_below(3) ? cu_one_below(64) : cu_one_below(65536);
		run(cu_enc_ds(c[k].op, t.offset, ADDR, D0, 0, t.store ? 0 : DST),
		    cu_one_below(2) ? 4 : 1, expect_access);
	}
}

static void expect_two(struct cu_model *model)
{
	unsigned dw = t.bytes / 4;

	for (unsigned l = 0; l < CU_LANES; l++)
		for (unsigned n = 0; n < 2 && cu_model_active(model, l); n++) {
			uint32_t at = m.v[ADDR][l] + (t.offset >> (8 * n) & 0xff) * t.unit;

			if (t.store)
				lane_store(l, n ? D1 : D0, at);
			else
				lane_load(l, DST + n * dw, at);
		}
}

static void two_elements_at_a_time(void)
{
	static const struct {
		unsigned op, bytes, unit;
		bool store;
	} c[] = {{14, 4, 4, true},  {15, 4, 256, true},  {78, 8, 8, true},   {79, 8, 512, true},
	         {55, 4, 4, false}, {56, 4, 256, false}, {119, 8, 8, false}, {120, 8, 512, false}};

	t.half = -1;
	t.sext = false;
	for (unsigned n = 0; n < GV_ARRAY_LEN(c) * 20; n++) {
		unsigned k = n % GV_ARRAY_LEN(c);

		t.bytes = c[k].bytes;
		t.unit = c[k].unit;
		t.store = c[k].store;
		t.offset = cu_one_below(8) | cu_one_below(8) << 8;
		if (cu_one_below(4) == 0)
			t.offset = cu_one_below(65536);
		run(cu_enc_ds(c[k].op, t.offset, ADDR, D0, D1, t.store ? 0 : DST), 4, expect_two);
	}
}

/* ---- atomics */
static float f32(uint64_t v)
{
	uint32_t u = (uint32_t)v;
	float f;

	memcpy(&f, &u, 4);
	return f;
}

static uint32_t u32(float f)
{
	uint32_t u;

	memcpy(&u, &f, 4);
	return u;
}

static double f64(uint64_t v)
{
	double d;

	memcpy(&d, &v, 8);
	return d;
}

static uint64_t exchanged(uint64_t old, uint64_t data)
{
	uint64_t v = 0;

	for (unsigned s = 0; s < 64; s += 32) {
		uint32_t d = (uint32_t)(data >> s), o = (uint32_t)(old >> s);

		v |= (uint64_t)(d & 1u << 31 ? d & ~(1u << 31) : o) << s;
	}
	return v;
}

static uint64_t new_value(uint64_t old, uint64_t a, uint64_t b)
{
	double x = t.wide ? f64(old) : (double)f32(old), y = t.wide ? f64(a) : (double)f32(a);

	if (strcmp(t.name, "mskor") == 0)
		return (old & ~a) | b;
	if (strcmp(t.name, "wrap") == 0)
		return (uint32_t)(old >= a ? old - a : old + b);
	if (strcmp(t.name, "condxchg") == 0)
		return exchanged(old, a);
	if (strcmp(t.name, "fmin") == 0)
		return y < x ? a : old;
	if (strcmp(t.name, "fmax") == 0)
		return y > x ? a : old;
	if (strcmp(t.name, "fadd") == 0)
		return u32(f32(old) + f32(a));
	if (strcmp(t.name, "fcmpst") == 0)
		return x == y ? b : old;
	if (strcmp(t.name, "cmpswap") == 0)
		return old == a ? b : old;
	return cu_model_atomic(t.name, t.wide, old, a, 0);
}

static uint64_t lds_value(uint32_t at)
{
	uint64_t v = 0;

	if (inside(at, t.wide ? 8 : 4))
		memcpy(&v, &m.lds[at], t.wide ? 8 : 4);
	return v;
}

static void set_lds(uint32_t at, uint64_t v)
{
	if (inside(at, t.wide ? 8 : 4))
		memcpy(&m.lds[at], &v, t.wide ? 8 : 4);
}

static uint64_t value(unsigned reg, unsigned l)
{
	return m.v[reg][l] | (t.wide ? (uint64_t)m.v[reg + 1][l] << 32 : 0);
}

static void expect_atomic(struct cu_model *model)
{
	for (unsigned l = 0; l < CU_LANES; l++) {
		uint32_t at = m.v[ADDR][l] + t.offset;
		uint64_t old = lds_value(at);

		if (!cu_model_active(model, l))
			continue;
		set_lds(at, new_value(old, value(D0, l), value(D1, l)));
		if (!t.ret)
			continue;
		m.v[DST][l] = (uint32_t)old;
		if (t.wide)
			m.v[DST + 1][l] = (uint32_t)(old >> 32);
	}
}

/* So that comparisons come out both ways, and floats are numbers. */
static void make_values_meet(void)
{
	for (unsigned l = 0; l < CU_LANES; l++)
		for (unsigned r = 0; r < 6; r++)
			m.o.w->v[D0 + r][l] = cu_one_below(3) ? u32((float)cu_one_below(6) - 3)
			                                      : cu_one_below(5) - 2;
	for (unsigned n = 0; n < CU_ONE_LDS; n += 4) {
		uint32_t v =
		        cu_one_below(3) ? u32((float)cu_one_below(6) - 3) : cu_one_below(5) - 2;

		if (v >> 23 == 0x1ff) /* no NaN */
			v = 7;
		memcpy(&m.o.run->lds[n], &v, 4);
	}
	for (unsigned l = 0; l < CU_LANES; l++)
		for (unsigned r = 0; r < 6; r++)
			if (m.o.w->v[D0 + r][l] >> 23 == 0x1ff)
				m.o.w->v[D0 + r][l] = 7;
}

static void one_atomic(unsigned op, const char *name, bool wide, bool ret)
{
	uint32_t align = wide ? 8 : 4;

	t.name = name;
	t.wide = wide;
	t.ret = ret;
	t.offset = cu_one_below(2) ? cu_one_below(128) * align : 0;
	cu_model_begin(&m, cu_enc_ds(op, t.offset, ADDR, D0, D1, ret ? DST : 0));
	make_values_meet();
	for (unsigned l = 0; l < CU_LANES; l++)
		m.o.w->v[ADDR][l] = cu_one_below(2) ? cu_one_below(CU_ONE_LDS / 8 + 2) * 8 : 64;
	m.o.w->mode |= 3u << 4; /* f32 subnormals stay */
	cu_model_ready(&m);
	cu_model_check(&m, MODEL_PLAIN, expect_atomic);
}

static void atomics_give_old_and_new_value(void)
{
	static const char *const name[] = {"add",  "sub",  "rsub", "inc", "dec", "smin", "smax",
	                                   "umin", "umax", "and",  "or",  "xor", "mskor"};

	for (unsigned n = 0; n < 200; n++) {
		bool wide = n & 1, ret = n & 2;
		unsigned plus = (wide ? 64 : 0) + (ret ? 32 : 0);

		for (unsigned k = 0; k < GV_ARRAY_LEN(name); k++)
			if (n < 40)
				one_atomic(k + plus, name[k], wide, ret);
		one_atomic(16 + plus, "cmpswap", wide, ret);
		one_atomic(17 + plus, "fcmpst", wide, ret);
		one_atomic(18 + plus, "fmin", wide, ret);
		one_atomic(19 + plus, "fmax", wide, ret);
		if (!wide)
			one_atomic(21 + plus, "fadd", false, ret);
		one_atomic(wide ? 109 : 45, "swap", wide, true);
		one_atomic(52, "wrap", false, true);
		one_atomic(126, "condxchg", true, true);
	}
}

static void expect_xchg2(struct cu_model *model)
{
	unsigned dw = t.wide ? 2 : 1;

	for (unsigned l = 0; l < CU_LANES; l++)
		for (unsigned n = 0; n < 2 && cu_model_active(model, l); n++) {
			uint32_t at = m.v[ADDR][l] + (t.offset >> (8 * n) & 0xff) * t.unit;
			uint64_t old = lds_value(at);

			set_lds(at, value(n ? D1 : D0, l));
			for (unsigned k = 0; k < dw; k++)
				m.v[DST + n * dw + k][l] = (uint32_t)(old >> (32 * k));
		}
}

static void two_values_are_exchanged(void)
{
	static const unsigned op[] = {46, 47, 110, 111};

	for (unsigned n = 0; n < 80; n++) {
		t.wide = n % 4 >= 2;
		t.unit = (t.wide ? 8 : 4) * (n % 2 ? 64 : 1);
		t.offset = cu_one_below(6) | cu_one_below(6) << 8;
		run(cu_enc_ds(op[n % 4], t.offset, ADDR, D0, D1, DST), 8, expect_xchg2);
	}
}

/* ---- both operands in LDS */
static void expect_src2(struct cu_model *model)
{
	bool by_address = t.offset & 0x8000;

	for (unsigned l = 0; l < CU_LANES; l++) {
		uint32_t addr = m.v[ADDR][l], at = by_address ? addr & 0x1ffff : addr;
		int32_t dwords = by_address ? (int32_t)addr >> 17
		                            : (int32_t)(t.offset & 0x7fff) -
		                                      (t.offset & 0x4000 ? 0x8000 : 0);
		uint32_t other = at + (uint32_t)dwords * 4;

		if (!cu_model_active(model, l) || !inside(other, t.wide ? 8 : 4))
			continue;
		set_lds(at, new_value(lds_value(at), lds_value(other), 0));
	}
}

static void one_src2(unsigned op, const char *name, bool wide)
{
	t.name = name;
	t.wide = wide;
	t.offset =
	        cu_one_below(2) ? 0x8000 | cu_one_below(0x8000) : (cu_one_below(128) - 64) & 0x7fff;
	cu_model_begin(&m, cu_enc_ds(op + (wide ? 64 : 0), t.offset, ADDR, 0, 0, 0));
	make_values_meet();
	for (unsigned l = 0; l < CU_LANES; l++) {
		m.o.w->v[ADDR][l] = cu_one_below(CU_ONE_LDS / 8 + 2) * 8;
		if (t.offset & 0x8000)
			m.o.w->v[ADDR][l] |= (cu_one_below(128) - 64) << 17;
	}
	m.o.w->mode |= 3u << 4;
	cu_model_ready(&m);
	cu_model_check(&m, MODEL_PLAIN, expect_src2);
}

static void both_operands_may_be_local_memory(void)
{
	static const struct {
		unsigned op;
		const char *name;
	} c[] = {{128, "add"},  {129, "sub"},  {130, "rsub"}, {131, "inc"},  {132, "dec"},
	         {133, "smin"}, {134, "smax"}, {135, "umin"}, {136, "umax"}, {137, "and"},
	         {138, "or"},   {139, "xor"},  {141, "swap"}, {146, "fmin"}, {147, "fmax"}};

	for (unsigned n = 0; n < GV_ARRAY_LEN(c) * 30; n++)
		one_src2(c[n % GV_ARRAY_LEN(c)].op, c[n % GV_ARRAY_LEN(c)].name,
		         n / GV_ARRAY_LEN(c) & 1);
	for (unsigned n = 0; n < 10; n++)
		one_src2(149, "fadd", false);
}

/* ---- counters, and dwords by thread id */
static void expect_count(struct cu_model *model)
{
	uint32_t at = t.offset + (m.s[CU_M0] >> 16), n = 0;
	uint64_t old;

	t.wide = false;
	old = lds_value(at);
	for (unsigned l = 0; l < CU_LANES; l++)
		n += cu_model_active(model, l);
	for (unsigned l = 0; l < CU_LANES; l++)
		if (cu_model_active(model, l))
			m.v[DST][l] = (uint32_t)old;
	set_lds(at, t.store ? old + n : old - n);
}

static void expect_addtid(struct cu_model *model)
{
	for (unsigned l = 0; l < CU_LANES; l++) {
		uint32_t at = t.offset + (m.s[CU_M0] & 0xffff) + 4 * l;

		if (cu_model_active(model, l) && t.store)
			lane_store(l, D0, at);
		else if (cu_model_active(model, l))
			lane_load(l, DST, at);
	}
}

static void m0_is_an_address(void)
{
	t.bytes = 4;
	t.half = -1;
	t.sext = false;
	for (unsigned n = 0; n < 40; n++) {
		t.store = n & 1;
		t.offset = cu_one_below(256) * 4;
		run(cu_enc_ds(t.store ? 190 : 189, t.offset, 0, 0, 0, DST), 4, expect_count);
		run(cu_enc_ds(t.store ? 29 : 182, t.offset, 0, D0, 0, t.store ? 0 : DST), 4,
		    expect_addtid);
	}
}

/* What is in memory, what is added, and the sum when subnormals go in and out. */
static void check_addition(uint32_t denorm, uint32_t was, uint32_t add, uint32_t want)
{
	uint32_t got;

	cu_model_begin(&m, cu_enc_ds(21, 0, ADDR, D0, 0, 0));
	m.o.w->mode = (m.o.w->mode & ~0x30u) | denorm << 4;
	cu_wr64(&m.o.w->s[CU_EXEC], 1);
	m.o.w->v[ADDR][0] = 8;
	m.o.w->v[D0][0] = add;
	memcpy(&m.o.run->lds[8], &was, 4);
	CU_ASSERT_EQUAL(cu_one_run(&m.o), GV_CU_DONE);
	memcpy(&got, &m.o.run->lds[8], 4);
	CU_ASSERT_EQUAL(got, want);
	cu_one_end(&m.o);
}

static void additions_flush_subnormals_as_mode_says(void)
{
	const uint32_t tiny = 0x00400000, normal = 0x00c00000, minus = 1u << 31;

	for (uint32_t denorm = 0; denorm < 4; denorm++) {
		uint32_t sum = denorm & 1 ? normal + tiny : normal;

		check_addition(denorm, tiny, normal, sum);
		check_addition(denorm, normal, tiny, sum);
		check_addition(denorm, normal + tiny / 2, normal | minus,
		               denorm & 2 ? tiny / 2 : 0);
	}
}

/* ---- between lanes */
static uint32_t from[CU_LANES];

static void expect_lanes(struct cu_model *model)
{
	for (unsigned l = 0; l < CU_LANES; l++)
		if (cu_model_active(model, l))
			m.v[DST][l] = from[l] < CU_LANES && cu_model_active(model, from[l])
			                      ? m.v[D0][from[l]]
			                      : 0;
}

static void check_swizzle(unsigned pattern)
{
	cu_model_begin(&m, cu_enc_ds(61, pattern, D0, 0, 0, DST));
	cu_model_ready(&m);
	cu_model_check(&m, MODEL_PLAIN, expect_lanes);
}

/* The two rows that the ISA document shows of the FFT mode; lanes counted from 1. */
static const uint8_t fft_0[32] = {1,    0x11, 9,    0x19, 5,    0x15, 0xd,  0x1d, 3,    0x13, 0xb,
                                  0x1b, 7,    0x17, 0xf,  0x1f, 2,    0x12, 0xa,  0x1a, 6,    0x16,
                                  0xe,  0x1e, 4,    0x14, 0xc,  0x1c, 8,    0x18, 0x10, 0x20};
static const uint8_t fft_16[32] = {1,    9,    5,    0xd,  3,    0xb,  7,    0xf,  2,    0xa,  6,
                                   0xe,  4,    0xc,  8,    0x10, 0x11, 0x19, 0x15, 0x1d, 0x13, 0x1b,
                                   0x17, 0x1f, 0x12, 0x1a, 0x16, 0x1e, 0x14, 0x1c, 0x18, 0x20};

static void lanes_are_swizzled(void)
{
	for (unsigned n = 0; n < 32; n++) {
		for (unsigned l = 0; l < CU_LANES; l++)
			from[l] = (l & 32) + fft_0[l % 32] - 1;
		check_swizzle(0xe000);
		for (unsigned l = 0; l < CU_LANES; l++)
			from[l] = (l & 32) + fft_16[l % 32] - 1;
		check_swizzle(0xe010);
		for (unsigned l = 0; l < CU_LANES; l++)
			from[l] = l;
		check_swizzle(0xe01f);
		for (unsigned l = 0; l < CU_LANES; l++)
			from[l] = (l & 32) + (l + n) % 32;
		check_swizzle(0xc000 | n << 5);
		for (unsigned l = 0; l < CU_LANES; l++)
			from[l] = (l & 32) + (l + 32 - n) % 32;
		check_swizzle(0xc400 | n << 5);
		for (unsigned l = 0; l < CU_LANES; l++)
			from[l] = (l & ~3u) + (l + n) % 4;
		check_swizzle(0x8000 | n % 4 | (n + 1) % 4 << 2 | (n + 2) % 4 << 4 |
		              (n + 3) % 4 << 6);
		for (unsigned l = 0; l < CU_LANES; l++)
			from[l] = l ^ n;
		check_swizzle(31 | n << 10);
		for (unsigned l = 0; l < CU_LANES; l++)
			from[l] = (l & 32) + n;
		check_swizzle(n << 5);
	}
}

static void lanes_are_permuted(void)
{
	for (unsigned n = 0; n < 60; n++) {
		unsigned offset = cu_one_below(3) ? 0 : cu_one_below(64) * 4;
		bool back = n & 1;

		cu_model_begin(&m, cu_enc_ds(back ? 63 : 62, offset, ADDR, D0, 0, DST));
		for (unsigned l = 0; l < CU_LANES; l++)
			m.o.w->v[ADDR][l] =
			        cu_one_below(3) ? cu_one_below(256) : cu_one_below(1ull << 32);
		for (unsigned l = 0; l < CU_LANES; l++)
			from[l] = CU_LANES; /* nobody: 0 */
		for (unsigned l = 0; l < CU_LANES; l++) {
			unsigned other = (m.o.w->v[ADDR][l] + offset) / 4 % 64;

			if (back)
				from[l] = other;
			else if (cu_model_active(&m, l))
				from[other] = l;
		}
		cu_model_ready(&m);
		cu_model_check(&m, MODEL_PLAIN, expect_lanes);
	}
}

UT_MAIN("cu lds", UT(reads_and_writes_reach_the_right_bytes), UT(two_elements_at_a_time),
        UT(atomics_give_old_and_new_value), UT(two_values_are_exchanged),
        UT(both_operands_may_be_local_memory), UT(m0_is_an_address),
        UT(additions_flush_subnormals_as_mode_says), UT(lanes_are_swizzled), UT(lanes_are_permuted))
