/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MUBUF: where a V# puts things, and its range. */
#include <string.h>

#include <gv/base.h>

#include "cu_vsharp.h"
#include "ut.h"

enum { DATA = 8 };

static struct cu_model m;
static struct {
	struct cu_vsharp b;
	bool store, sext, wide;
	int half;
	const char *name;
} t;

static void run(struct cu_words word, uint32_t align, unsigned way,
                void (*expect)(struct cu_model *))
{
	cu_model_begin(&m, word);
	cu_vsharp_set(&t.b, &m);
	cu_vsharp_lanes(&t.b, &m, align);
	cu_model_ready(&m);
	cu_model_check(&m, way, expect);
}

/* ---- untyped */
static void expect_load(unsigned lane)
{
	uint8_t b[16];
	uint32_t w[4], old = m.v[DATA][lane];

	cu_vsharp_load(&t.b, &m, lane, b);
	if (t.sext && b[t.b.bytes - 1] & 0x80)
		memset(b + t.b.bytes, 0xff, 4 - t.b.bytes);
	memcpy(w, b, sizeof(w));
	if (t.half == 0)
		w[0] = (old & 0xffff0000u) | (w[0] & 0xffff);
	if (t.half == 1)
		w[0] = (old & 0xffff) | w[0] << 16;
	for (unsigned n = 0; n < (t.b.bytes + 3) / 4; n++)
		m.v[DATA + n][lane] = w[n];
}

static void expect_untyped(struct cu_model *model)
{
	for (unsigned l = 0; l < CU_LANES; l++) {
		if (!cu_model_active(model, l))
			continue;
		if (!t.store)
			expect_load(l);
		for (unsigned n = 0; n < t.b.bytes && t.store; n++)
			if (cu_vsharp_byte(&t.b, &m, l, n))
				*cu_vsharp_byte(&t.b, &m, l, n) =
				        (uint8_t)(m.v[DATA + n / 4][l] >>
				                  (8 * (n % 4) + (t.half == 1 ? 16 : 0)));
	}
}

static void untyped_accesses_reach_the_right_bytes(void)
{
	m.faults = m.retries = 0;
	for (unsigned n = 0; n < CU_VMEM_KINDS * 12 * MODEL_WAYS; n++) {
		unsigned k = n % CU_VMEM_KINDS;
		uint32_t align = GV_MIN(cu_vmem_kinds[k].bytes, 4u);

		t.b.bytes = cu_vmem_kinds[k].bytes;
		t.store = cu_vmem_kinds[k].store;
		t.sext = cu_vmem_kinds[k].sext;
		t.half = cu_vmem_kinds[k].half;
		t.b.whole = t.b.glc = false;
		cu_vsharp_choose(&t.b);
		cu_vsharp_align(&t.b, align);
		run(cu_enc_mubuf(cu_vmem_kinds[k].op, t.b.imm, cu_vsharp_mode(&t.b), CU_VSHARP_ADDR,
		                 DATA, CU_VSHARP_SRSRC, CU_VSHARP_SOFFSET),
		    align, n / CU_VMEM_KINDS % MODEL_WAYS, expect_untyped);
	}
	CU_ASSERT_TRUE(m.faults > 50);
	CU_ASSERT_TRUE(m.retries > 50);
}

/* ---- to and from LDS */
static void expect_into_lds(struct cu_model *model)
{
	for (unsigned l = 0; l < CU_LANES; l++) {
		uint32_t at = (m.s[CU_M0] & 0xffff) + t.b.imm + 4 * l, v;
		uint8_t b[16];

		if (!cu_model_active(model, l))
			continue;
		cu_vsharp_load(&t.b, &m, l, b);
		if (t.sext && b[t.b.bytes - 1] & 0x80)
			memset(b + t.b.bytes, 0xff, 4 - t.b.bytes);
		memcpy(&v, b, 4);
		if (at <= CU_ONE_LDS - 4)
			memcpy(&m.lds[at], &v, 4);
	}
}

static void expect_from_lds(struct cu_model *model)
{
	for (unsigned l = 0; l < CU_LANES; l++) {
		uint32_t at = (m.s[CU_M0] & 0xffff) + t.b.imm + 4 * l;

		for (unsigned n = 0; n < 4 && cu_model_active(model, l); n++)
			if (cu_vsharp_byte(&t.b, &m, l, n))
				*cu_vsharp_byte(&t.b, &m, l, n) =
				        at <= CU_ONE_LDS - 4 ? m.lds[at + n] : 0;
	}
}

static void lds_is_the_other_side_if_asked(void)
{
	for (unsigned n = 0; n < 6 * 4 * MODEL_WAYS; n++) {
		bool store = n % 6 == 5;
		struct cu_words word;

		t.b.bytes = store ? 4 : cu_vmem_kinds[n % 6].bytes;
		t.sext = cu_vmem_kinds[n % 6].sext;
		cu_vsharp_choose(&t.b);
		if (store) /* no assembler knows it with an address register */
			t.b.idxen = t.b.offen = false;
		cu_vsharp_align(&t.b, 4);
		word = cu_enc_mubuf(store ? 61 : cu_vmem_kinds[n % 6].op, t.b.imm,
		                    cu_vsharp_mode(&t.b), CU_VSHARP_ADDR, 0, CU_VSHARP_SRSRC,
		                    CU_VSHARP_SOFFSET);
		word.w[0] |= 1u << 16;
		cu_model_begin(&m, word);
		cu_vsharp_set(&t.b, &m);
		cu_vsharp_lanes(&t.b, &m, 4);
		m.o.w->s[CU_M0] = cu_one_below(CU_ONE_LDS) | 0x5550000;
		cu_model_ready(&m);
		cu_model_check(&m, n / 6 % MODEL_WAYS, store ? expect_from_lds : expect_into_lds);
	}
}

/* ---- atomics: all or nothing, 0 comes back from nowhere */
static void expect_atomic(unsigned l)
{
	unsigned dw = t.b.bytes / 4;
	uint64_t in[2] = {0}, old = 0, now;

	for (unsigned n = 0; n < 2 * dw; n++)
		in[n / dw] |= (uint64_t)m.v[DATA + n][l] << (32 * (n % dw));
	for (unsigned n = 0; n < t.b.bytes; n++)
		old |= cu_vsharp_byte(&t.b, &m, l, n)
		               ? (uint64_t)*cu_vsharp_byte(&t.b, &m, l, n) << (8 * n)
		               : 0;
	now = cu_model_atomic(t.name, t.wide, old, in[0], in[1]);
	for (unsigned n = 0; n < t.b.bytes; n++)
		if (cu_vsharp_byte(&t.b, &m, l, n))
			*cu_vsharp_byte(&t.b, &m, l, n) = (uint8_t)(now >> (8 * n));
	for (unsigned n = 0; n < dw && t.b.glc; n++)
		m.v[DATA + n][l] = (uint32_t)(old >> (32 * n));
}

static void expect_atomics(struct cu_model *model)
{
	for (unsigned l = 0; l < CU_LANES; l++)
		if (cu_model_active(model, l))
			expect_atomic(l);
}

static void atomics_are_in_range_or_not(void)
{
	static const char *const name[] = {"swap", "cmpswap", "add", "sub", "smin", "umin", "smax",
	                                   "umax", "and",     "or",  "xor", "inc",  "dec"};

	for (unsigned n = 0; n < 26 * 4 * MODEL_WAYS; n++) {
		t.wide = n % 2;
		t.b.bytes = t.wide ? 8 : 4;
		t.name = name[n / 2 % 13];
		t.b.glc = cu_one_below(2);
		t.b.whole = true;
		cu_vsharp_choose(&t.b);
		cu_vsharp_align(&t.b, 8);
		t.b.stride -= t.b.stride % 8;
		if (!t.b.stride && t.b.records < 64)
			t.b.records = 8 * cu_one_below(1000);
		run(cu_enc_mubuf(64 + n / 2 % 13 + (t.wide ? 32 : 0), t.b.imm, cu_vsharp_mode(&t.b),
		                 CU_VSHARP_ADDR, DATA, CU_VSHARP_SRSRC, CU_VSHARP_SOFFSET),
		    8, n / 26 % MODEL_WAYS, expect_atomics);
	}
	t.b.glc = false;
}

UT_MAIN("cu buffer", UT(untyped_accesses_reach_the_right_bytes), UT(lds_is_the_other_side_if_asked),
        UT(atomics_are_in_range_or_not))
