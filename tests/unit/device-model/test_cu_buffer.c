/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MUBUF and MTBUF: where a V# puts things, its range, and what typed elements are. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gv/base.h>

#include "cu_mem_model.h"
#include "ut.h"

enum { ADDR = 2, DATA = 8, SRSRC = 8, SOFFSET = 13 };
enum { OFFEN = 1, IDXEN = 2, GLC = 4 };

static struct cu_model m;

/* The buffer and the instruction, as this test chose them. */
static struct {
	uint64_t base;
	uint32_t stride, records, index_stride, soffset, imm;
	bool swizzle, tid, idxen, offen, whole;
	unsigned dfmt, nfmt, sel[4];
	/* the access */
	unsigned bytes, components;
	bool store, sext, d16, high, glc, wide;
	int half;
	const char *name;
} t;

static uint32_t below(uint64_t n)
{
	return (uint32_t)(cu_one_random() % n);
}

/* ---- where */
static uint32_t index_of(unsigned lane)
{
	return (t.idxen ? m.v[ADDR][lane] : 0) + (t.tid ? lane : 0);
}

static uint32_t offset_of(unsigned lane)
{
	return t.imm + (t.offen ? m.v[ADDR + t.idxen][lane] : 0);
}

static uint64_t buffer_offset(unsigned lane, uint32_t byte)
{
	uint64_t index = index_of(lane), o = (uint64_t)offset_of(lane) + byte, is = t.index_stride;

	if (!t.swizzle)
		return index * t.stride + o;
	return (index / is * t.stride + o / 4 * 4) * is + index % is * 4 + o % 4;
}

/* Bytes [first, first + n) of the lane's access: one component. */
static bool fits(unsigned lane, uint32_t first, uint32_t n)
{
	if (t.stride && (t.idxen || t.tid))
		return index_of(lane) < t.records &&
		       (uint64_t)offset_of(lane) + first + n <= t.stride;
	return buffer_offset(lane, first) + t.soffset + n <= t.records;
}

static bool in_range(unsigned lane, uint32_t byte)
{
	uint32_t first = byte / 4 * 4;

	for (uint32_t c = 0; t.whole && c < t.bytes; c += 4)
		if (!fits(lane, c, GV_MIN(t.bytes - c, 4u)))
			return false;
	return t.whole || fits(lane, first, GV_MIN(t.bytes - first, 4u));
}

static uint8_t *byte_at(unsigned lane, uint32_t byte)
{
	if (!in_range(lane, byte))
		return NULL;
	return cu_model_at(&m, t.base + t.soffset + buffer_offset(lane, byte));
}

/* ---- a buffer; what is in its range is in the memory, so that nothing faults by itself */
static void choose_buffer(void)
{
	t.stride = below(3) ? 4 * (1 + below(12)) : 0;
	t.swizzle = below(2);
	t.tid = below(3) == 0;
	t.idxen = below(2);
	t.offen = below(2);
	t.index_stride = 8u << below(4);
	t.records = t.stride && (t.idxen || t.tid) ? 1 + below(200) : 4 * below(6000);
	t.soffset = below(3) ? 4 * below(64) : 0;
	t.imm = below(3) ? below(t.stride ? t.stride + 4 : 256) : 0;
	t.base = CU_ONE_VA + 4 * below(1000);
}

static void align_access(uint32_t align)
{
	t.imm -= t.imm % align;
	t.soffset -= t.soffset % 8;
	t.base -= t.base % 8;
}

static void set_vsharp(void)
{
	uint32_t *s = &m.o.w->s[SRSRC];

	s[0] = (uint32_t)t.base;
	s[1] = (uint32_t)(t.base >> 32) | t.stride << 16 | (uint32_t)t.swizzle << 31;
	s[2] = t.records;
	s[3] = t.sel[0] | t.sel[1] << 3 | t.sel[2] << 6 | t.sel[3] << 9 | t.nfmt << 12 |
	       t.dfmt << 15 | (uint32_t)__builtin_ctz(t.index_stride / 8) << 21 |
	       (uint32_t)t.tid << 23;
	if (t.tid) { /* the format's place is the stride's */
		s[3] &= ~(15u << 15);
		t.dfmt = 0;
	}
	m.o.w->s[SOFFSET] = t.soffset;
}

static void set_lanes(uint32_t align)
{
	for (unsigned l = 0; l < CU_LANES; l++) {
		uint32_t o = below(t.stride && (t.idxen || t.tid) ? t.stride + 4 : t.records + 64);
		unsigned reg = ADDR;

		if (t.idxen)
			m.o.w->v[reg++][l] = below(t.stride ? t.records + 4 : 256);
		m.o.w->v[reg][l] = o / align * align;
		if (below(50) == 0)
			m.o.w->v[reg][l] = 0u - align * (1 + below(16));
	}
}

static unsigned mode_bits(void)
{
	return (t.offen ? OFFEN : 0u) | (t.idxen ? IDXEN : 0u) | (t.glc ? GLC : 0u);
}

static void run(struct cu_words word, uint32_t align, unsigned way,
                void (*expect)(struct cu_model *))
{
	cu_model_begin(&m, word);
	set_vsharp();
	set_lanes(align);
	cu_model_ready(&m);
	cu_model_check(&m, way, expect);
}

/* ---- untyped */
static void load_bytes(unsigned lane, uint8_t b[16])
{
	memset(b, 0, 16);
	for (unsigned n = 0; n < t.bytes; n++)
		b[n] = byte_at(lane, n) ? *byte_at(lane, n) : 0;
}

static void expect_load(unsigned lane)
{
	uint8_t b[16];
	uint32_t w[4], old = m.v[DATA][lane];

	load_bytes(lane, b);
	if (t.sext && b[t.bytes - 1] & 0x80)
		memset(b + t.bytes, 0xff, 4 - t.bytes);
	memcpy(w, b, sizeof(w));
	if (t.half == 0)
		w[0] = (old & 0xffff0000u) | (w[0] & 0xffff);
	if (t.half == 1)
		w[0] = (old & 0xffff) | w[0] << 16;
	for (unsigned n = 0; n < (t.bytes + 3) / 4; n++)
		m.v[DATA + n][lane] = w[n];
}

static void expect_untyped(struct cu_model *model)
{
	for (unsigned l = 0; l < CU_LANES; l++) {
		if (!cu_model_active(model, l))
			continue;
		if (!t.store)
			expect_load(l);
		for (unsigned n = 0; n < t.bytes && t.store; n++)
			if (byte_at(l, n))
				*byte_at(l, n) = (uint8_t)(m.v[DATA + n / 4][l] >>
				                           (8 * (n % 4) + (t.half == 1 ? 16 : 0)));
	}
}

static const struct {
	unsigned op, bytes;
	bool store, sext;
	int half;
} untyped[] = {
        {16, 1, false, false, -1},  {17, 1, false, true, -1},   {18, 2, false, false, -1},
        {19, 2, false, true, -1},   {20, 4, false, false, -1},  {21, 8, false, false, -1},
        {22, 12, false, false, -1}, {23, 16, false, false, -1}, {24, 1, true, false, 0},
        {25, 1, true, false, 1},    {26, 2, true, false, 0},    {27, 2, true, false, 1},
        {28, 4, true, false, -1},   {29, 8, true, false, -1},   {30, 12, true, false, -1},
        {31, 16, true, false, -1},  {32, 1, false, false, 0},   {33, 1, false, false, 1},
        {34, 1, false, true, 0},    {35, 1, false, true, 1},    {36, 2, false, false, 0},
        {37, 2, false, false, 1},
};

static void untyped_accesses_reach_the_right_bytes(void)
{
	m.faults = m.retries = 0;
	for (unsigned n = 0; n < GV_ARRAY_LEN(untyped) * 12 * MODEL_WAYS; n++) {
		unsigned k = n % GV_ARRAY_LEN(untyped);
		uint32_t align = GV_MIN(untyped[k].bytes, 4u);

		t.bytes = untyped[k].bytes;
		t.store = untyped[k].store;
		t.sext = untyped[k].sext;
		t.half = untyped[k].half;
		t.whole = t.glc = false;
		choose_buffer();
		align_access(align);
		run(cu_enc_mubuf(untyped[k].op, t.imm, mode_bits(), ADDR, DATA, SRSRC, SOFFSET),
		    align, n / GV_ARRAY_LEN(untyped) % MODEL_WAYS, expect_untyped);
	}
	CU_ASSERT_TRUE(m.faults > 50);
	CU_ASSERT_TRUE(m.retries > 50);
}

/* ---- to and from LDS */
static void expect_into_lds(struct cu_model *model)
{
	for (unsigned l = 0; l < CU_LANES; l++) {
		uint32_t at = (m.s[CU_M0] & 0xffff) + t.imm + 4 * l, v;
		uint8_t b[16];

		if (!cu_model_active(model, l))
			continue;
		load_bytes(l, b);
		if (t.sext && b[t.bytes - 1] & 0x80)
			memset(b + t.bytes, 0xff, 4 - t.bytes);
		memcpy(&v, b, 4);
		if (at <= CU_ONE_LDS - 4)
			memcpy(&m.lds[at], &v, 4);
	}
}

static void expect_from_lds(struct cu_model *model)
{
	for (unsigned l = 0; l < CU_LANES; l++) {
		uint32_t at = (m.s[CU_M0] & 0xffff) + t.imm + 4 * l;

		for (unsigned n = 0; n < 4 && cu_model_active(model, l); n++)
			if (byte_at(l, n))
				*byte_at(l, n) = at <= CU_ONE_LDS - 4 ? m.lds[at + n] : 0;
	}
}

static void lds_is_the_other_side_if_asked(void)
{
	for (unsigned n = 0; n < 6 * 4 * MODEL_WAYS; n++) {
		bool store = n % 6 == 5;
		struct cu_words word;

		t.bytes = store ? 4 : untyped[n % 6].bytes;
		t.sext = untyped[n % 6].sext;
		choose_buffer();
		if (store) /* no assembler knows it with an address register */
			t.idxen = t.offen = false;
		align_access(4);
		word = cu_enc_mubuf(store ? 61 : untyped[n % 6].op, t.imm, mode_bits(), ADDR, 0,
		                    SRSRC, SOFFSET);
		word.w[0] |= 1u << 16;
		cu_model_begin(&m, word);
		set_vsharp();
		set_lanes(4);
		m.o.w->s[CU_M0] = below(CU_ONE_LDS) | 0x5550000;
		cu_model_ready(&m);
		cu_model_check(&m, n / 6 % MODEL_WAYS, store ? expect_from_lds : expect_into_lds);
	}
}

/* ---- atomics: all or nothing, 0 comes back from nowhere */
static void expect_atomic(unsigned l)
{
	unsigned dw = t.bytes / 4;
	uint64_t in[2] = {0}, old = 0, now;

	for (unsigned n = 0; n < 2 * dw; n++)
		in[n / dw] |= (uint64_t)m.v[DATA + n][l] << (32 * (n % dw));
	for (unsigned n = 0; n < t.bytes; n++)
		old |= byte_at(l, n) ? (uint64_t)*byte_at(l, n) << (8 * n) : 0;
	now = cu_model_atomic(t.name, t.wide, old, in[0], in[1]);
	for (unsigned n = 0; n < t.bytes; n++)
		if (byte_at(l, n))
			*byte_at(l, n) = (uint8_t)(now >> (8 * n));
	for (unsigned n = 0; n < dw && t.glc; n++)
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
		t.bytes = t.wide ? 8 : 4;
		t.name = name[n / 2 % 13];
		t.glc = below(2);
		t.whole = true;
		choose_buffer();
		align_access(8);
		t.stride -= t.stride % 8;
		if (!t.stride && t.records < 64)
			t.records = 8 * below(1000);
		run(cu_enc_mubuf(64 + n / 2 % 13 + (t.wide ? 32 : 0), t.imm, mode_bits(), ADDR,
		                 DATA, SRSRC, SOFFSET),
		    8, n / 26 % MODEL_WAYS, expect_atomics);
	}
	t.glc = false;
}

/* ---- typed: names of formats list the highest bits first */
static const char *const formats[] = {
        "",        "8",        "16",          "8_8",        "32",
        "16_16",   "10_11_11", "11_11_10",    "10_10_10_2", "2_10_10_10",
        "8_8_8_8", "32_32",    "16_16_16_16", "32_32_32",   "32_32_32_32",
};
enum { UNORM, SNORM, USCALED, SSCALED, UINT, SINT, FLOAT = 7 };

/* Widths of the components, X first; how many. */
static unsigned widths(unsigned dfmt, unsigned w[4])
{
	const char *p = formats[dfmt];
	unsigned n = 0, list[4] = {0};

	while (*p) {
		list[n++] = (unsigned)strtoul(p, NULL, 10);
		p += strspn(p, "0123456789");
		p += *p == '_';
	}
	for (unsigned k = 0; k < n; k++)
		w[k] = list[n - 1 - k];
	return n;
}

static uint64_t get_bits(const uint8_t *b, unsigned at, unsigned n)
{
	uint64_t v = 0;

	for (unsigned k = 0; k < n; k++)
		v |= (uint64_t)(b[(at + k) / 8] >> ((at + k) % 8) & 1) << k;
	return v;
}

static void put_bits(uint8_t *b, unsigned at, unsigned n, uint64_t v)
{
	for (unsigned k = 0; k < n; k++) {
		b[(at + k) / 8] = (uint8_t)(b[(at + k) / 8] & ~(1u << (at + k) % 8));
		b[(at + k) / 8] |= (uint8_t)((v >> k & 1) << ((at + k) % 8));
	}
}

/* A float of 5 bits of exponent and @mant of mantissa, without its sign. */
static double decode_float(uint64_t v, unsigned mant)
{
	int e = (int)(v >> mant & 31);
	double f = ldexp((double)(v & ((1u << mant) - 1)), -(int)mant);

	if (e == 31)
		return f == 0 ? INFINITY : NAN;
	return e ? ldexp(1 + f, e - 15) : ldexp(f, -14);
}

/* The code whose value is nearest, the even one of two: by looking at all. */
static uint64_t encode_float(double d, unsigned mant)
{
	uint64_t lo = 0, hi = 31ull << mant;
	double a, b;

	if (d != d) /* quiet; the small ones have all bits set */
		return mant == 10 ? 0x7e00 : (1ull << (mant + 5)) - 1;
	while (hi - lo > 1) {
		uint64_t mid = (lo + hi) / 2;

		if (decode_float(mid, mant) <= d)
			lo = mid;
		else
			hi = mid;
	}
	a = decode_float(lo, mant);
	b = hi == 31ull << mant ? 65536.0 : decode_float(hi, mant);
	return d - a < b - d || (d - a == b - d && lo % 2 == 0) ? lo : hi;
}

static double as_float(uint32_t u, bool d16)
{
	float f;

	if (d16)
		return copysign(decode_float(u & 0x7fff, 10), u & 0x8000 ? -1 : 1);
	memcpy(&f, &u, 4);
	return f;
}

static uint32_t to_register(double d, bool d16)
{
	float f = (float)d;
	uint32_t u;

	memcpy(&u, &f, 4);
	return d16 ? (uint32_t)encode_float(fabs((double)f), 10) | u >> 31 << 15 : u;
}

static int64_t sign_extend(uint64_t v, unsigned bits)
{
	return (int64_t)(v << (64 - bits)) >> (64 - bits);
}

static uint32_t unpack(uint64_t v, unsigned bits)
{
	double top = ldexp(1, (int)bits) - 1, half = ldexp(1, (int)bits - 1) - 1;
	int64_t s = sign_extend(v, bits);

	switch (t.nfmt) {
	case UNORM:
		return to_register((double)v / top, t.d16);
	case SNORM:
		return to_register(s < -half ? -1.0 : (double)s / half, t.d16);
	case USCALED:
		return to_register((double)v, t.d16);
	case SSCALED:
		return to_register((double)s, t.d16);
	case UINT:
		return (uint32_t)v;
	case SINT:
		return (uint32_t)s;
	default:
		if (bits == 32)
			return t.d16 ? to_register(as_float((uint32_t)v, false), true)
			             : (uint32_t)v;
		if (bits == 16)
			return t.d16 ? (uint32_t)v
			             : to_register(as_float((uint32_t)v, true), false);
		return bits < 10 ? 0 : to_register(decode_float(v, bits - 5), t.d16);
	}
}

static int64_t limit(double v, double lo, double hi)
{
	return v != v ? 0 : (int64_t)fmin(fmax(rint(v), lo), hi);
}

static uint64_t pack(uint32_t r, unsigned bits)
{
	double top = ldexp(1, (int)bits) - 1, half = ldexp(1, (int)bits - 1) - 1;
	double d = as_float(r, t.d16);

	switch (t.nfmt) {
	case UNORM:
		return (uint64_t)limit(d * top, 0, top);
	case SNORM:
		return (uint64_t)limit(d * half, -half, half);
	case USCALED:
		return (uint64_t)limit(d, 0, top);
	case SSCALED:
		return (uint64_t)limit(d, -half - 1, half);
	case UINT:
		return (uint64_t)limit(t.d16 ? r & 0xffff : r, 0, top);
	case SINT:
		return (uint64_t)limit(t.d16 ? (int16_t)r : (int32_t)r, -half - 1, half);
	default:
		if (bits == 32)
			return t.d16 ? to_register(d, false) : r;
		if (bits == 16)
			return t.d16 ? r & 0xffff : to_register(d, true);
		return bits < 10 ? 0 : d > 0 || d != d ? encode_float(d, bits - 5) : 0;
	}
}

static uint32_t one(void)
{
	return t.nfmt == UINT || t.nfmt == SINT ? 1 : to_register(1, t.d16);
}

/* Where component @c of the lane is: a register, or half of it. */
static void put_component(unsigned lane, unsigned c, uint32_t v)
{
	uint32_t *r = &m.v[DATA + (t.d16 ? c / 2 : c)][lane];

	if (!t.d16)
		*r = v;
	else if (c % 2 || t.high)
		*r = (*r & 0xffff) | v << 16;
	else
		*r = (*r & 0xffff0000u) | (v & 0xffff);
}

static uint32_t component(unsigned lane, unsigned c)
{
	uint32_t r = m.v[DATA + (t.d16 ? c / 2 : c)][lane];

	return !t.d16 ? r : c % 2 || t.high ? r >> 16 : r & 0xffff;
}

static void expect_typed_load(unsigned lane)
{
	unsigned w[4] = {0}, n = widths(t.dfmt, w), at = 0;
	uint32_t in[4] = {0, 0, 0, one()};
	uint8_t b[16];

	load_bytes(lane, b);
	for (unsigned c = 0; c < n; at += w[c++])
		in[c] = unpack(get_bits(b, at, w[c]), w[c]);
	for (unsigned c = 0; c < t.components; c++)
		put_component(lane, c,
		              t.sel[c] >= 4   ? in[t.sel[c] - 4]
		              : t.sel[c] == 1 ? one()
		                              : 0);
}

static void expect_typed_store(unsigned lane)
{
	unsigned w[4] = {0}, n = widths(t.dfmt, w), at = 0;
	uint8_t b[16] = {0};

	for (unsigned c = 0; c < n; at += w[c++]) {
		uint32_t v = 0;

		for (unsigned k = t.components; k-- > 0;)
			if (t.sel[k] == 4 + c)
				v = component(lane, k);
		put_bits(b, at, w[c], pack(v, w[c]));
	}
	for (unsigned k = 0; k < t.bytes; k++)
		if (byte_at(lane, k))
			*byte_at(lane, k) = b[k];
}

static void expect_typed(struct cu_model *model)
{
	for (unsigned l = 0; l < CU_LANES; l++)
		if (cu_model_active(model, l) && t.store)
			expect_typed_store(l);
		else if (cu_model_active(model, l))
			expect_typed_load(l);
}

/* Numbers that a format can nearly hold, its limits, and what is no number. */
static void make_values_typical(void)
{
	static const float special[] = {
	        0.0f,   1.0f,        -1.0f,  0.5f,   -0.5f,      65504.0f, 1e30f,   1.0e-7f,
	        -1e30f, 0.49999997f, 255.5f, 127.5f, 65519.996f, 65520.0f, 6.1e-5f, 1023.5f};

	for (unsigned r = DATA; r < DATA + 4; r++)
		for (unsigned l = 0; l < CU_LANES; l++) {
			float f = below(2) ? special[below(GV_ARRAY_LEN(special))]
			                   : (float)((double)below(1u << 30) / (1 << 29) - 1);

			if (t.nfmt == FLOAT && below(2))
				f = ldexpf(f, (int)below(36) - 18);
			if (below(16) == 0)
				f = below(2) ? NAN : INFINITY;
			m.o.w->v[r][l] = to_register((double)f, false);
			if (t.d16)
				m.o.w->v[r][l] = to_register((double)f, true) |
				                 to_register((double)-f / 3, true) << 16;
			if (t.nfmt == UINT || t.nfmt == SINT)
				m.o.w->v[r][l] =
				        below(3) ? below(1u << below(20)) : below(1ull << 32);
		}
}

static bool has_format(void)
{
	unsigned w[4], n = widths(t.dfmt, w);

	return t.nfmt != 6 && n > 0;
}

/* NaN with a payload: which one comes out of a conversion is nobody's business here. */
static void quiet_nans(void)
{
	for (unsigned n = 0; n < CU_ONE_BYTES && t.nfmt == FLOAT; n++)
		*cu_one_byte(&m.o, CU_ONE_VA + n) &= 0xbb;
}

static void typed(unsigned op, unsigned way, bool own)
{
	struct cu_words word;
	uint32_t align;

	t.components = op % 4 + 1;
	t.store = op / 4 % 2;
	t.d16 = op / 8 % 2;
	t.whole = true;
	t.high = false;
	choose_buffer();
	t.tid = t.tid && own; /* or there is no format */
	for (unsigned c = 0; c < 4; c++)
		t.sel[c] = own ? 4 + c : below(3) ? 4 + below(4) : below(2);
	t.bytes = 0;
	{
		unsigned w[4] = {0}, n = widths(t.dfmt, w);

		for (unsigned c = 0; c < n; c++)
			t.bytes += w[c];
		t.bytes /= 8;
	}
	align = GV_MIN(t.bytes, 4u);
	align_access(align);
	word = own ? cu_enc_mtbuf(op, t.dfmt, t.nfmt, t.imm, mode_bits(), ADDR, DATA, SRSRC,
	                          SOFFSET)
	           : cu_enc_mubuf(op, t.imm, mode_bits(), ADDR, DATA, SRSRC, SOFFSET);
	cu_model_begin(&m, word);
	{
		unsigned dfmt = t.dfmt;

		set_vsharp();
		t.dfmt = dfmt;
	}
	make_values_typical();
	set_lanes(align);
	quiet_nans();
	cu_model_ready(&m);
	cu_model_check(&m, way, expect_typed);
}

static void typed_elements_are_converted(void)
{
	unsigned n = 0;

	for (t.dfmt = 1; t.dfmt < GV_ARRAY_LEN(formats); t.dfmt++)
		for (t.nfmt = 0; t.nfmt < 8; t.nfmt++)
			for (unsigned op = 0; op < 16 && has_format(); op++, n++) {
				typed(op, n % 7 ? MODEL_PLAIN : n / 7 % MODEL_WAYS, true);
				typed(op, n % 5 ? MODEL_PLAIN : n / 5 % MODEL_WAYS, false);
			}
}

UT_MAIN("cu buffer", UT(untyped_accesses_reach_the_right_bytes), UT(lds_is_the_other_side_if_asked),
        UT(atomics_are_in_range_or_not), UT(typed_elements_are_converted))
