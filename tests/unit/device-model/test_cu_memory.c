/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* FLAT, GLOBAL and SCRATCH: loads, stores, atomics, faults; byte by byte against a plain model. */
#include <stdio.h>
#include <string.h>

#include <gv/base.h>

#include "cu_mem_model.h"
#include "ut.h"

enum { FLAT, SCRATCH, GLOBAL, NUM_SEGMENTS };
enum { ADDR = 2, DATA = 8 };
#define OFF           0x7fu
#define SHARED        (2ull << 48)
#define PRIVATE       (1ull << 48)
#define PRIVATE_BYTES 512u /* of a lane, that the test uses */

static struct cu_model m;

/* ---- what a test is about */
static struct {
	const struct cu_vmem_kind *k;
	unsigned segment, saddr;
	int imm;
	uint64_t at[CU_LANES]; /* of the lane: address, or offset in scratch, imm included */
	bool glc, wide;
	const char *name;
} t;

/* The model's byte @n of the lane's access; NULL: out of range. */
static uint8_t *byte_at(unsigned lane, unsigned n, unsigned bytes)
{
	uint64_t at = t.at[lane], in = at;

	if (t.segment == FLAT && at >> 32 == SHARED >> 32) {
		in = (uint32_t)at;
		return in + bytes <= CU_ONE_LDS ? &m.lds[in + n] : NULL;
	}
	if (t.segment == SCRATCH || (t.segment == FLAT && at >> 32 == PRIVATE >> 32)) {
		in = (uint32_t)at + n;
		return cu_model_at(&m, cu_rd64(&m.s[CU_FLAT_SCRATCH]) + in / 4 * 256 + lane * 4 +
		                               in % 4);
	}
	return cu_model_at(&m, at + n);
}

static void expect_load(unsigned lane)
{
	uint8_t b[16] = {0};
	uint32_t w[4];

	for (unsigned n = 0; n < t.k->bytes; n++) {
		const uint8_t *p = byte_at(lane, n, t.k->bytes);

		b[n] = p ? *p : 0;
	}
	if (t.k->sext && b[t.k->bytes - 1] & 0x80)
		memset(b + t.k->bytes, 0xff, 4 - t.k->bytes);
	memcpy(w, b, sizeof(w));
	if (t.k->half == 0)
		w[0] = (m.v[DATA][lane] & 0xffff0000u) | (w[0] & 0xffff);
	if (t.k->half == 1)
		w[0] = (m.v[DATA][lane] & 0xffff) | w[0] << 16;
	for (unsigned n = 0; n < (t.k->bytes + 3) / 4; n++)
		m.v[DATA + n][lane] = w[n];
}

static void expect_store(unsigned lane)
{
	for (unsigned n = 0; n < t.k->bytes; n++) {
		uint8_t *p = byte_at(lane, n, t.k->bytes);
		unsigned bit = 8 * (n % 4) + (t.k->half == 1 ? 16 : 0);

		if (p)
			*p = (uint8_t)(m.v[DATA + n / 4][lane] >> bit);
	}
}

static void expect_access(struct cu_model *model)
{
	for (unsigned l = 0; l < CU_LANES; l++)
		if (cu_model_active(model, l) && t.k->store)
			expect_store(l);
		else if (cu_model_active(model, l))
			expect_load(l);
}

/* ---- addresses */
static uint64_t below(uint64_t n)
{
	return cu_one_random() % n;
}

/* An aperture address of lane @l; the immediate may not lead into it, but within it. */
static uint64_t flat_address(unsigned bytes, uint64_t align)
{
	switch (below(3)) {
	case 0:
		return SHARED + (uint64_t)t.imm +
		       below(CU_ONE_LDS - (uint64_t)t.imm + 32) / align * align;
	case 1:
		return PRIVATE + (uint64_t)t.imm +
		       below(PRIVATE_BYTES - bytes - (uint64_t)t.imm) / align * align;
	default:
		return CU_ONE_VA + below(CU_ONE_BYTES - bytes) / align * align;
	}
}

static void choose_places(unsigned bytes, uint64_t align)
{
	bool mixed = below(3) > 0, row = below(4) == 0;
	uint64_t first = below(CU_ONE_BYTES - 64 * 16) / align * align;

	for (unsigned l = 0; l < CU_LANES; l++) {
		if (t.segment == SCRATCH)
			t.at[l] = below(PRIVATE_BYTES - bytes) / align * align;
		else if (t.segment == FLAT && mixed)
			t.at[l] = flat_address(bytes, align);
		else
			t.at[l] = CU_ONE_VA + (row ? first + l * bytes
			                           : below(CU_ONE_BYTES - bytes) / align * align);
	}
}

static void choose_immediate(uint64_t align)
{
	t.imm = (int)(t.segment == FLAT ? below(256) : below(8192)) -
	        (t.segment == FLAT ? 0 : 4096);
	t.imm -= t.imm % (int)align;
	if (below(3) == 0)
		t.imm = 0;
}

static void set_lane_address(unsigned l)
{
	uint64_t va = t.at[l] - (uint64_t)(int64_t)t.imm;

	if (t.segment == GLOBAL && t.saddr != OFF) {
		m.o.w->v[ADDR][l] = (uint32_t)(va - cu_rd64(&m.o.w->s[t.saddr]));
		return;
	}
	m.o.w->v[ADDR][l] = (uint32_t)va;
	if (t.segment != SCRATCH)
		m.o.w->v[ADDR + 1][l] = (uint32_t)(va >> 32);
}

static void set_addresses(void)
{
	cu_wr64(&m.o.w->s[CU_FLAT_SCRATCH], CU_ONE_VA + 4096);
	if (t.segment == GLOBAL && t.saddr != OFF)
		cu_wr64(&m.o.w->s[t.saddr], CU_ONE_VA - 0x10000);
	if (t.segment == SCRATCH && t.saddr != OFF) {
		for (unsigned l = 0; l < CU_LANES; l++)
			t.at[l] = t.at[0];
		m.o.w->s[t.saddr] = (uint32_t)(t.at[0] - (uint64_t)(int64_t)t.imm);
		return;
	}
	for (unsigned l = 0; l < CU_LANES; l++)
		set_lane_address(l);
}

static void one_access(const struct cu_vmem_kind *k, unsigned segment, unsigned way)
{
	uint64_t align = below(2) ? 1 : 4;

	t.k = k;
	t.segment = segment;
	t.saddr = segment == FLAT || below(2) ? OFF : 12;
	if (segment == SCRATCH) /* sums do not wrap: see scratch_offsets_do_not_wrap */
		align = 1;
	choose_immediate(align);
	if (segment == SCRATCH)
		t.imm = -(int)below(2) * (int)below(128);
	cu_model_begin(&m, cu_enc_flat(segment, k->op, t.imm, ADDR, DATA, t.saddr, DATA, false));
	choose_places(k->bytes, align);
	set_addresses();
	cu_model_ready(&m);
	cu_model_check(&m, way, expect_access);
}

static void loads_and_stores_reach_the_right_bytes(void)
{
	m.faults = m.retries = 0;
	for (unsigned round = 0; round < 4; round++)
		for (unsigned s = 0; s < NUM_SEGMENTS; s++)
			for (unsigned k = 0; k < CU_VMEM_KINDS; k++)
				for (unsigned way = 0; way < MODEL_WAYS; way++)
					one_access(&cu_vmem_kinds[k], s, way);
	CU_ASSERT_TRUE(m.faults > 100);
	CU_ASSERT_TRUE(m.retries > 100);
}

/* ---- atomics */
static const char *const atomics[] = {"swap", "cmpswap", "add", "sub", "smin", "umin", "smax",
                                      "umax", "and",     "or",  "xor", "inc",  "dec"};

static void expect_atomics(struct cu_model *model)
{
	unsigned bytes = t.wide ? 8 : 4, dw = bytes / 4;

	for (unsigned l = 0; l < CU_LANES; l++) {
		uint64_t in[2] = {0}, old = 0, now;

		if (!cu_model_active(model, l))
			continue;
		for (unsigned n = 0; n < 2 * dw; n++)
			in[n / dw] |= (uint64_t)m.v[DATA + n][l] << (32 * (n % dw));
		for (unsigned n = 0; n < bytes; n++)
			old |= byte_at(l, n, bytes) ? (uint64_t)*byte_at(l, n, bytes) << (8 * n)
			                            : 0;
		now = cu_model_atomic(t.name, t.wide, old, in[0], in[1]);
		for (unsigned n = 0; n < bytes; n++)
			if (byte_at(l, n, bytes))
				*byte_at(l, n, bytes) = (uint8_t)(now >> (8 * n));
		for (unsigned n = 0; n < dw && t.glc; n++)
			m.v[16 + n][l] = (uint32_t)(old >> (32 * n));
	}
}

/* Values that meet: the same in memory and registers, zero, neighbours. */
static void make_values_meet(void)
{
	for (unsigned l = 0; l < CU_LANES; l++)
		for (unsigned n = 0; n < 4; n++)
			if (below(2))
				m.o.w->v[DATA + n][l] = (uint32_t)below(3) - 1;
	for (unsigned n = 0; n < CU_ONE_BYTES; n += 4) {
		uint32_t v = (uint32_t)below(4) - 1;

		if (below(2))
			memcpy(cu_one_byte(&m.o, CU_ONE_VA + n), &v, 4);
	}
}

static void one_atomic(unsigned n, bool wide, unsigned segment, unsigned way)
{
	t.name = atomics[n];
	t.wide = wide;
	t.glc = below(2);
	t.segment = segment;
	t.saddr = segment == FLAT || below(2) ? OFF : 12;
	choose_immediate(8);
	cu_model_begin(&m, cu_enc_flat(segment, 64 + n + (wide ? 32 : 0), t.imm, ADDR, DATA,
	                               t.saddr, 16, t.glc));
	make_values_meet();
	choose_places(wide ? 8 : 4, wide ? 8 : 4);
	if (below(2)) /* lanes meet too */
		for (unsigned l = 0; l < CU_LANES; l++)
			t.at[l] = t.at[l % 3];
	set_addresses();
	cu_model_ready(&m);
	cu_model_check(&m, way, expect_atomics);
}

static void atomics_happen_once_in_every_aperture(void)
{
	m.faults = m.retries = 0;
	for (unsigned round = 0; round < 4; round++)
		for (unsigned n = 0; n < GV_ARRAY_LEN(atomics); n++)
			for (unsigned wide = 0; wide < 2; wide++)
				for (unsigned way = 0; way < MODEL_WAYS; way++) {
					one_atomic(n, wide, FLAT, way);
					one_atomic(n, wide, GLOBAL, way);
				}
	CU_ASSERT_TRUE(m.faults > 100);
	CU_ASSERT_TRUE(m.retries > 100);
}

/* ---- LDS instead of registers */
static void expect_lds_load(struct cu_model *model)
{
	for (unsigned l = 0; l < CU_LANES; l++) {
		uint32_t v = 0, at = (model->s[CU_M0] & 0xffff) + (uint32_t)t.imm + 4 * l;

		if (!cu_model_active(model, l))
			continue;
		for (unsigned n = 0; n < t.k->bytes; n++)
			v |= (uint32_t)*byte_at(l, n, t.k->bytes) << (8 * n);
		if (t.k->sext && v >> (8 * t.k->bytes - 1))
			v |= ~0u << (8 * t.k->bytes);
		if (at <= CU_ONE_LDS - 4)
			memcpy(&model->lds[at], &v, 4);
	}
}

static void a_load_may_end_in_lds(void)
{
	for (unsigned k = 0; k < 5; k++)
		for (unsigned n = 0; n < 4 * MODEL_WAYS; n++) {
			struct cu_words word;

			t.k = &cu_vmem_kinds[k];
			t.segment = GLOBAL;
			t.saddr = OFF;
			t.imm = (int)below(1024);
			word = cu_enc_flat(GLOBAL, t.k->op, t.imm, ADDR, 0, OFF, DATA, false);
			word.w[0] |= 1u << 13;
			cu_model_begin(&m, word);
			m.o.w->s[CU_M0] = (uint32_t)below(CU_ONE_LDS) | 0xabc0000;
			choose_places(t.k->bytes, 1);
			set_addresses();
			cu_model_ready(&m);
			cu_model_check(&m, n % MODEL_WAYS, expect_lds_load);
		}
}

/* ---- faults */
static struct gv_cu_fault fault_of(struct cu_words word, uint64_t first, uint64_t step)
{
	struct gv_cu_fault f;

	cu_model_begin(&m, word);
	m.o.absent = 1 << 3;
	m.o.read_only = 1 << 5;
	cu_wr64(&m.o.w->s[CU_EXEC], ~0ull << 2);
	for (unsigned l = 0; l < CU_LANES; l++) {
		m.o.w->v[ADDR][l] = (uint32_t)(first + l * step);
		m.o.w->v[ADDR + 1][l] = (uint32_t)((first + l * step) >> 32);
	}
	CU_ASSERT_EQUAL(cu_one_run(&m.o), GV_CU_FAULT);
	f = *gv_cu_fault(m.o.run);
	m.o.read_only = 0;
	cu_one_end(&m.o);
	return f;
}

static void a_fault_names_address_access_and_lane(void)
{
	static const struct {
		unsigned op;
		bool glc;
		uint64_t first, step, va;
		unsigned lane, access;
	} c[] = {
	        {20, false, CU_ONE_VA + 0x2ff0, 4, CU_ONE_VA + 0x3000, 4, GV_CU_R},
	        {23, false, CU_ONE_VA + 0x2f00, 16, CU_ONE_VA + 0x3000, 16, GV_CU_R},
	        {23, false, CU_ONE_VA + 0x2f04, 16, CU_ONE_VA + 0x3000, 15, GV_CU_R},
	        {28, false, CU_ONE_VA + 0x4fc0, 4, CU_ONE_VA + 0x5000, 16, GV_CU_W},
	        {31, false, CU_ONE_VA + 0x4fc8, 8, CU_ONE_VA + 0x5000, 6, GV_CU_W},
	        {66, false, CU_ONE_VA + 0x4fc0, 8, CU_ONE_VA + 0x5000, 8, GV_CU_R | GV_CU_W},
	        {98, true, CU_ONE_VA + 0x2fc0, 8, CU_ONE_VA + 0x3000, 8, GV_CU_R | GV_CU_W},
	};

	for (unsigned n = 0; n < GV_ARRAY_LEN(c); n++) {
		struct gv_cu_fault f =
		        fault_of(cu_enc_flat(GLOBAL, c[n].op, 0, ADDR, DATA, OFF, DATA, c[n].glc),
		                 c[n].first, c[n].step);
		char text[256], want[64];

		CU_ASSERT_EQUAL(f.reason, GV_CU_MEMORY_FAULT);
		CU_ASSERT_EQUAL(f.va, c[n].va);
		CU_ASSERT_EQUAL(f.lane, c[n].lane);
		CU_ASSERT_EQUAL(f.access, c[n].access);
		CU_ASSERT_EQUAL(f.wave, 0);
		CU_ASSERT_EQUAL(f.pc, CU_ONE_CODE + 4);
		(void)snprintf(want, sizeof(want), "at va 0x%llx by lane %u",
		               (unsigned long long)c[n].va, c[n].lane);
		CU_ASSERT_PTR_NOT_NULL(strstr(gv_cu_fault_text(&f, text, sizeof(text)), want));
	}
}

static void an_unaligned_atomic_is_a_fault(void)
{
	struct gv_cu_fault f = fault_of(cu_enc_flat(GLOBAL, 98, 0, ADDR, DATA, OFF, DATA, false),
	                                CU_ONE_VA + 8, 4);

	CU_ASSERT_EQUAL(f.reason, GV_CU_UNALIGNED_ATOMIC);
	CU_ASSERT_EQUAL(f.va, CU_ONE_VA + 8 + 12);
	CU_ASSERT_EQUAL(f.lane, 3);
	f = fault_of(cu_enc_flat(FLAT, 66, 0, ADDR, DATA, OFF, DATA, false), PRIVATE + 6, 4);
	CU_ASSERT_EQUAL(f.reason, GV_CU_UNALIGNED_ATOMIC);
	CU_ASSERT_EQUAL(f.lane, 2);
}

/* The immediate does not choose the aperture: one byte before it is not in it. */
static void the_immediate_does_not_change_the_aperture(void)
{
	struct gv_cu_fault f =
	        fault_of(cu_enc_flat(FLAT, 20, 16, ADDR, DATA, OFF, DATA, false), SHARED - 8, 0);

	CU_ASSERT_EQUAL(f.reason, GV_CU_MEMORY_FAULT);
	CU_ASSERT_EQUAL(f.va, SHARED + 8);
}

static void scratch_offsets_do_not_wrap(void)
{
	struct gv_cu_fault f;

	/* FLAT_SCRATCH is 0 */
	f = fault_of(cu_enc_flat(SCRATCH, 20, 16, ADDR, DATA, OFF, DATA, false), 0xfffffff8u, 0);
	CU_ASSERT_EQUAL(f.reason, GV_CU_MEMORY_FAULT);
	CU_ASSERT_EQUAL(f.va, 0x100000008ull * 64 + 2 * 4);
}

static void check_code_is_waited_for(void)
{
	memset(m.o.w->v[DATA], 0, CU_LANES * 4);
	m.o.no_code = true;
	m.o.generation++;
	for (unsigned n = 0; n < 3; n++)
		CU_ASSERT_EQUAL(cu_one_run(&m.o), GV_CU_RETRY);
	CU_ASSERT_EQUAL(m.o.w->v[DATA][0], 0);
	m.o.no_code = false;
	CU_ASSERT_EQUAL(cu_one_run(&m.o), GV_CU_DONE);
	CU_ASSERT_EQUAL(m.o.w->v[DATA][0], 7);
}

/* In the middle of a program, and before its first instruction in a run that had it decoded. */
static void a_fetch_waits_for_its_page(void)
{
	cu_model_begin(&m, (struct cu_words){{0x7e100287, 0xbf800000}}); /* v_mov_b32 v8, 7 */
	cu_wr64(&m.o.w->s[CU_EXEC], ~0ull);
	m.o.retry = true;
	check_code_is_waited_for();
	cu_one_again(&m.o);
	check_code_is_waited_for();
	cu_one_end(&m.o);
}

UT_MAIN("cu memory", UT(loads_and_stores_reach_the_right_bytes),
        UT(atomics_happen_once_in_every_aperture), UT(a_load_may_end_in_lds),
        UT(a_fault_names_address_access_and_lane), UT(an_unaligned_atomic_is_a_fault),
        UT(the_immediate_does_not_change_the_aperture), UT(scratch_offsets_do_not_wrap),
        UT(a_fetch_waits_for_its_page))
