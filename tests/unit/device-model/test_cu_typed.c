/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Typed buffer accesses, MTBUF and MUBUF: every format, both ways, against a plain model. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gv/base.h>

#include "cu_vsharp.h"
#include "ut.h"

enum { DATA = 8 };

static struct cu_model m;
static struct {
	struct cu_vsharp b;
	unsigned components;
	bool store, d16, high;
} t;

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

	switch (t.b.nfmt) {
	case UNORM:
		return to_register((double)v / top, t.d16);
	case SNORM:
		return to_register((double)s < -half ? -1.0 : (double)s / half, t.d16);
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

	switch (t.b.nfmt) {
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
	return t.b.nfmt == UINT || t.b.nfmt == SINT ? 1 : to_register(1, t.d16);
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
	unsigned w[4] = {0}, n = widths(t.b.dfmt, w), at = 0;
	uint32_t in[4] = {0, 0, 0, one()};
	uint8_t b[16];

	cu_vsharp_load(&t.b, &m, lane, b);
	for (unsigned c = 0; c < n; at += w[c++])
		in[c] = unpack(get_bits(b, at, w[c]), w[c]);
	for (unsigned c = 0; c < t.components; c++)
		put_component(lane, c,
		              t.b.sel[c] >= 4   ? in[t.b.sel[c] - 4]
		              : t.b.sel[c] == 1 ? one()
		                                : 0);
}

static void expect_typed_store(unsigned lane)
{
	unsigned w[4] = {0}, n = widths(t.b.dfmt, w), at = 0;
	uint8_t b[16] = {0};

	for (unsigned c = 0; c < n; at += w[c++]) {
		uint32_t v = 0;

		for (unsigned k = t.components; k-- > 0;)
			if (t.b.sel[k] == 4 + c)
				v = component(lane, k);
		put_bits(b, at, w[c], pack(v, w[c]));
	}
	for (unsigned k = 0; k < t.b.bytes; k++)
		if (cu_vsharp_byte(&t.b, &m, lane, k))
			*cu_vsharp_byte(&t.b, &m, lane, k) = b[k];
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
			float f = cu_one_below(2)
			                  ? special[cu_one_below(GV_ARRAY_LEN(special))]
			                  : (float)((double)cu_one_below(1u << 30) / (1 << 29) - 1);

			if (t.b.nfmt == FLOAT && cu_one_below(2))
				f = ldexpf(f, (int)cu_one_below(36) - 18);
			if (cu_one_below(16) == 0)
				f = cu_one_below(2) ? NAN : INFINITY;
			m.o.w->v[r][l] = to_register((double)f, false);
			if (t.d16)
				m.o.w->v[r][l] = to_register((double)f, true) |
				                 to_register((double)-f / 3, true) << 16;
			if (t.b.nfmt == UINT || t.b.nfmt == SINT)
				m.o.w->v[r][l] = cu_one_below(3)
				                         ? cu_one_below(1u << cu_one_below(20))
				                         : cu_one_below(1ull << 32);
		}
}

static bool has_format(void)
{
	unsigned w[4], n = widths(t.b.dfmt, w);

	return t.b.nfmt != 6 && n > 0;
}

/* NaN with a payload: which one comes out of a conversion is nobody's business here. */
static void quiet_nans(void)
{
	for (unsigned n = 0; n < CU_ONE_BYTES && t.b.nfmt == FLOAT; n++)
		*cu_one_byte(&m.o, CU_ONE_VA + n) &= 0xbb;
}

/* After the 16 that MTBUF has too: buffer_load_format_d16_hi_x and the store. */
enum { D16_HI = 16, MUBUF_D16_HI = 38 };

static unsigned element_bytes(void)
{
	unsigned w[4] = {0}, n = widths(t.b.dfmt, w), bits = 0;

	for (unsigned c = 0; c < n; c++)
		bits += w[c];
	return bits / 8;
}

static void typed(unsigned op, unsigned way, bool own)
{
	struct cu_words word;
	uint32_t align;

	t.high = op >= D16_HI;
	t.components = t.high ? 1 : op % 4 + 1;
	t.store = t.high ? op % 2 : op / 4 % 2;
	t.d16 = t.high || op / 8 % 2;
	t.b.whole = true;
	cu_vsharp_choose(&t.b);
	t.b.tid = t.b.tid && own; /* or there is no format */
	for (unsigned c = 0; c < 4; c++)
		t.b.sel[c] = own ? 4 + c : cu_one_below(3) ? 4 + cu_one_below(4) : cu_one_below(2);
	t.b.bytes = element_bytes();
	align = GV_MIN(t.b.bytes, 4u);
	cu_vsharp_align(&t.b, align);
	word = own ? cu_enc_mtbuf(op, t.b.dfmt, t.b.nfmt, t.b.imm, cu_vsharp_mode(&t.b),
	                          CU_VSHARP_ADDR, DATA, CU_VSHARP_SRSRC, CU_VSHARP_SOFFSET)
	           : cu_enc_mubuf(t.high ? op - D16_HI + MUBUF_D16_HI : op, t.b.imm,
	                          cu_vsharp_mode(&t.b), CU_VSHARP_ADDR, DATA, CU_VSHARP_SRSRC,
	                          CU_VSHARP_SOFFSET);
	cu_model_begin(&m, word);
	cu_vsharp_set(&t.b, &m);
	make_values_typical();
	cu_vsharp_lanes(&t.b, &m, align);
	quiet_nans();
	cu_model_ready(&m);
	cu_model_check(&m, way, expect_typed);
}

static void typed_elements_are_converted(void)
{
	unsigned n = 0;

	for (t.b.dfmt = 1; t.b.dfmt < GV_ARRAY_LEN(formats); t.b.dfmt++)
		for (t.b.nfmt = 0; t.b.nfmt < 8; t.b.nfmt++)
			for (unsigned op = 0; op < D16_HI + 2 && has_format(); op++, n++) {
				if (op < D16_HI)
					typed(op, n % 7 ? MODEL_PLAIN : n / 7 % MODEL_WAYS, true);
				typed(op, n % 5 ? MODEL_PLAIN : n / 5 % MODEL_WAYS, false);
			}
}

static void expect_into_lds(struct cu_model *model)
{
	for (unsigned l = 0; l < CU_LANES; l++) {
		uint32_t at = (m.s[CU_M0] & 0xffff) + t.b.imm + 4 * l, kept = m.v[DATA][l];

		if (!cu_model_active(model, l))
			continue;
		expect_typed_load(l);
		if (at <= CU_ONE_LDS - 4)
			memcpy(&m.lds[at], &m.v[DATA][l], 4);
		m.v[DATA][l] = kept;
	}
}

static void a_converted_element_may_end_in_lds(void)
{
	for (unsigned n = 0; n < 20 * MODEL_WAYS; n++) {
		struct cu_words word;

		t.b.dfmt = 1 + cu_one_below(GV_ARRAY_LEN(formats) - 1);
		t.b.nfmt = cu_one_below(4);
		t.components = 1;
		t.d16 = t.high = false;
		cu_vsharp_choose(&t.b);
		t.b.tid = false;
		t.b.sel[0] = 4 + cu_one_below(4);
		t.b.bytes = element_bytes();
		cu_vsharp_align(&t.b, GV_MIN(t.b.bytes, 4u));
		word = cu_enc_mubuf(0, t.b.imm, cu_vsharp_mode(&t.b), CU_VSHARP_ADDR, 0,
		                    CU_VSHARP_SRSRC, CU_VSHARP_SOFFSET);
		word.w[0] |= 1u << 16;
		cu_model_begin(&m, word);
		cu_vsharp_set(&t.b, &m);
		cu_vsharp_lanes(&t.b, &m, GV_MIN(t.b.bytes, 4u));
		m.o.w->s[CU_M0] = cu_one_below(CU_ONE_LDS);
		cu_model_ready(&m);
		cu_model_check(&m, n % MODEL_WAYS, expect_into_lds);
	}
}

UT_MAIN("cu typed", UT(typed_elements_are_converted), UT(a_converted_element_may_end_in_lds))
