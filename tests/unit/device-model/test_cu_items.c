/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cu_kernels/items.cl twice: by clang for gfx900 on the interpreter, by this compiler on the
 * host. Results are compared bit for bit, any NaN being as good as another; square roots may
 * be off by 2 ulp, as on silicon.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gv/base.h>

#include "cu_rig.h"
#include "ut.h"

#define N 4096

typedef unsigned int uint;
#if defined(__clang__) || !defined(__SSE2__)
#define CU_NO_HALF /* no _Float16 here */
#else
static inline _Float16 as_half(unsigned short u)
{
	_Float16 h;

	memcpy(&h, &u, 2);
	return h;
}

static inline unsigned short as_ushort(_Float16 h)
{
	unsigned short u;

	memcpy(&u, &h, 2);
	return u;
}
#define AS_HALF(u)   as_half(u)
#define AS_USHORT(h) as_ushort(h)
#endif

static uint32_t BITREV32(uint32_t v)
{
	uint32_t r = 0;

	for (unsigned n = 0; n < 32; n++)
		r |= (v >> n & 1) << (31 - n);
	return r;
}

static uint64_t BITREV64(uint64_t v)
{
	return (uint64_t)BITREV32((uint32_t)v) << 32 | BITREV32((uint32_t)(v >> 32));
}

/* Kernels may wrap and shift as the hardware does; the sanitizer is for our own code. */
#define CU_HOST __attribute__((no_sanitize("undefined")))
#define ITEM(name, TA, TC)                                                                         \
	CU_HOST static void name##_item(TA x, TA y, TC *r, uint i);                                \
	static void name(const void *a, const void *b, void *c, uint i)                            \
	{                                                                                          \
		TC r = 0;                                                                          \
		name##_item(((const TA *)a)[i], ((const TA *)b)[i], &r, i);                        \
		((TC *)c)[i] = r;                                                                  \
	}                                                                                          \
	CU_HOST static void name##_item(TA x, __attribute__((unused)) TA y, TC *r,                 \
	                                __attribute__((unused)) uint i)

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wimplicit-fallthrough"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include "cu_kernels/items.cl"
#pragma GCC diagnostic pop

enum kind { INT, F32, F64, F16 };

static struct item {
	const char *name;
	void (*host)(const void *a, const void *b, void *c, uint i);
	unsigned in_bytes, out_bytes;
	enum kind in, out;
	unsigned ulp;
} const items[] = {
#define I(n, in, out)      {#n, n, in, out, INT, INT, 0},
#define X(n, i, o, ki, ko) {#n, n, i, o, ki, ko, 0},
        I(int_div, 4, 4) I(uint_div, 4, 4) I(uint_div_small, 4, 4) I(long_div, 8, 8) I(
                ulong_div, 8, 8) I(long_mul, 8, 8) I(mul_high, 4, 4) I(mul24, 4, 4) I(shifts, 4, 4)
                I(long_shifts, 8, 8) I(rotate, 4, 4) I(bit_counts, 4, 4) I(long_bit_counts, 8, 8) I(
                        bit_fields, 4, 4) I(min_max, 4, 4) I(three_operands, 4, 4) I(bytes, 4, 4)
                        I(signed_bytes, 4, 4) I(byte_array, 1, 1) I(short_array, 2, 2) I(
                                halves_of_words, 4, 4) I(chained_compares, 4,
                                                         4) I(long_compares, 8, 8) I(collatz, 4, 4)
                                I(nested_loops, 4, 4) I(switch_table, 4, 4) I(calls, 4, 4) I(
                                        private_array, 4, 4) I(private_bytes, 4, 4)
                                        I(flat_private, 4, 4) X(float_basic, 4, 4, F32, F32) X(
                                                float_div, 4, 4,
                                                F32, F32) X(float_fma, 4, 4, F32,
                                                            F32) X(float_round, 4, 4, F32, F32)
                                                X(float_minmax, 4, 4, F32,
                                                  F32) X(float_compare, 4, 4, F32,
                                                         INT) X(float_from_int, 4, 4, INT, F32)
                                                        X(float_to_int, 4, 4, F32,
                                                          INT) X(float_from_long, 8, 4, INT, F32)
                                                                X(float_to_long, 4, 8, F32,
                                                                  INT){"float_sqrt", float_sqrt, 4,
                                                                       4, F32, F32, 2},
        X(double_basic, 8, 8, F64, F64) X(double_div, 8, 8, F64, F64) X(double_fma, 8, 8, F64, F64)
                X(double_round, 8, 8, F64, F64) X(double_compare, 8, 4, F64, INT)
                        X(double_minmax, 8, 8, F64, F64) X(double_convert, 8, 8, F64, F64){
                                "double_sqrt", double_sqrt, 8, 8, F64, F64, 2},
#ifndef CU_NO_HALF
        X(half_basic, 2, 2, F16, F16) X(half_div, 2, 2, F16, F16) X(half_compare, 2, 2, F16, INT)
                X(half_convert, 2, 4, F16, F32) X(half_from_float, 4, 2, F32, F16)
                        X(half_packed, 4, 4, F16, F16)
#endif
};

static struct cu_rig rig;

/* ---- inputs: random, with the awkward values mixed in */
static uint64_t state = 88172645463325252ull;

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 2685821657736338717ull;
}

static uint64_t random_float(void)
{
	static const uint32_t odd[] = {0,          0x80000000, 0x3f800000, 0xbf800000,
	                               0x7f800000, 0xff800000, 0x7fc00000, 1,
	                               0x807fffff, 0x00800000, 0x7f7fffff, 0x3f000000,
	                               0x3f7fffff, 0x4b000001, 0xcf000000, 0x00000fff};
	uint64_t r = next();

	if (r % 5 == 0)
		return odd[r >> 8 & 15];
	if (r % 5 == 1)
		return r >> 32; /* any bits */
	return (r >> 32 & 0x807fffffu) | (uint32_t)(110 + (r >> 8) % 36) << 23;
}

static uint64_t random_double(void)
{
	static const uint64_t odd[] = {0,
	                               1ull << 63,
	                               0x3ff0000000000000ull,
	                               0x7ff0000000000000ull,
	                               0xfff0000000000000ull,
	                               0x7ff8000000000000ull,
	                               1,
	                               0x800fffffffffffffull,
	                               0x0010000000000000ull,
	                               0x7fefffffffffffffull,
	                               0x3fe0000000000000ull,
	                               0x4330000000000001ull,
	                               0xc1e0000000000000ull,
	                               0xfff,
	                               0x7fe0000000000000ull,
	                               0x0020000000000001ull};
	uint64_t r = next(), bits = next();

	if (r % 5 == 0)
		return odd[r >> 8 & 15];
	if (r % 5 == 1)
		return bits;
	return (bits & 0x800fffffffffffffull) | (uint64_t)(1000 + (r >> 8) % 60) << 52;
}

static uint64_t random_int(void)
{
	uint64_t r = next();
	unsigned keep = r & 63;

	return r % 7 == 0   ? r >> 60
	       : r % 7 == 1 ? 0 - (r >> 60)
	                    : next() >> (r % 7 == 2 ? keep : 0);
}

static void fill(void *to, unsigned bytes, enum kind k)
{
	for (unsigned n = 0; n < N; n++) {
		uint64_t v = k == F32 ? random_float() : k == F64 ? random_double() : random_int();

		memcpy((uint8_t *)to + (size_t)n * bytes, &v, bytes);
	}
}

/* ---- results */
static bool same_f32(uint32_t a, uint32_t b, unsigned ulp)
{
	bool nan = (a & 0x7fffffffu) > 0x7f800000u && (b & 0x7fffffffu) > 0x7f800000u;

	return nan || a == b || (ulp && (a ^ b) >> 31 == 0 && (a > b ? a - b : b - a) <= ulp);
}

static bool same_f64(uint64_t a, uint64_t b, unsigned ulp)
{
	uint64_t inf = 0x7ffull << 52, m = ~(1ull << 63);
	bool nan = (a & m) > inf && (b & m) > inf;

	return nan || a == b || (ulp && (a ^ b) >> 63 == 0 && (a > b ? a - b : b - a) <= ulp);
}

static bool same_f16(uint32_t a, uint32_t b)
{
	return a == b || ((a & 0x7fff) > 0x7c00 && (b & 0x7fff) > 0x7c00);
}

static bool same(const struct item *it, uint64_t a, uint64_t b)
{
	switch (it->out) {
	case F32:
		return same_f32((uint32_t)a, (uint32_t)b, it->ulp);
	case F64:
		return same_f64(a, b, it->ulp);
	case F16:
		return same_f16(a & 0xffff, b & 0xffff) &&
		       same_f16(a >> 16 & 0xffff, b >> 16 & 0xffff);
	default:
		return a == b;
	}
}

static unsigned compare(const struct item *it, const char *opt, const uint8_t *a, const uint8_t *b,
                        const uint8_t *got, const uint8_t *want)
{
	unsigned bad = 0;

	for (unsigned n = 0; n < N; n++) {
		uint64_t x = 0, y = 0, g = 0, w = 0;

		memcpy(&x, a + (size_t)n * it->in_bytes, it->in_bytes);
		memcpy(&y, b + (size_t)n * it->in_bytes, it->in_bytes);
		memcpy(&g, got + (size_t)n * it->out_bytes, it->out_bytes);
		memcpy(&w, want + (size_t)n * it->out_bytes, it->out_bytes);
		if (!same(it, g, w) && bad++ < 3)
			printf("%s %s [%u]: %llx, %llx: %llx, not %llx\n", it->name, opt, n,
			       (unsigned long long)x, (unsigned long long)y, (unsigned long long)g,
			       (unsigned long long)w);
	}
	return bad;
}

static unsigned run_item(const struct item *it, const char *opt)
{
	uint8_t *a = cu_rig_alloc(&rig, N * 8), *b = cu_rig_alloc(&rig, N * 8);
	uint8_t *c = cu_rig_alloc(&rig, N * 8);
	gv_auto_free uint8_t *want = calloc(N, 8);
	uint64_t args[3] = {cu_rig_va(&rig, a), cu_rig_va(&rig, b), cu_rig_va(&rig, c)};

	fill(a, it->in_bytes, it->in);
	fill(b, it->in_bytes, it->in);
	for (unsigned n = 0; want && n < N; n++)
		it->host(a, b, want, n);
	if (!want || cu_rig_run(&rig, it->name, (uint32_t[]){N, 1, 1}, (uint32_t[]){128, 1, 1},
	                        args, sizeof(args), 0) != GV_CU_DONE)
		return 1;
	return compare(it, opt, a, b, c, want);
}

/* By the names in GV_CU_ONLY, GV_CU_WITHOUT. */
static bool is_wanted(const char *name)
{
	const char *only = getenv("GV_CU_ONLY"), *without = getenv("GV_CU_WITHOUT");

	return (!only || strcmp(only, name) == 0) && !(without && strstr(without, name));
}

static void run_all(const char *opt)
{
	int rc = cu_rig_open(&rig, "items.cl", opt);

	CU_ASSERT_EQUAL(rc, 0);
	for (unsigned n = 0; !rc && n < GV_ARRAY_LEN(items); n++) {
		if (!is_wanted(items[n].name))
			continue;
		cu_rig_reset(&rig);
		CU_ASSERT_EQUAL(run_item(&items[n], opt), 0);
	}
	cu_rig_close(&rig);
}

static void unoptimised_kernels_match_the_host(void)
{
	run_all("-O0");
}

static void lightly_optimised_kernels_match_the_host(void)
{
	run_all("-O1");
}

static void optimised_kernels_match_the_host(void)
{
	run_all("-O2");
}

static void fully_optimised_kernels_match_the_host(void)
{
	run_all("-O3");
}

/* Subnormal quotients that differ from the middle of two neighbours by less than a last bit. */
static void ties_f32(float *a, float *b)
{
	for (unsigned n = 0; n < N; n++) {
		double y = (double)((next() & 0xffffff) | 0x800000) * 0x1p-3;
		double middle = (double)((next() & (n & 1 ? 0xff : 0xfffff)) * 2 + 1) * 0x1p-150;

		b[n] = (float)y;
		a[n] = (float)(y * middle);
	}
}

static void ties_f64(double *a, double *b)
{
	for (unsigned n = 0; n < N; n++) {
		uint64_t m = (next() & (n & 1 ? 0xff : 0xffffffffff)) * 2 + 1;

		b[n] = ldexp((double)((next() >> 11) | 1ull << 52), 10);
		a[n] = ldexp((double)((long double)b[n] * (long double)m), -1075);
	}
}

static unsigned run_ties(const char *name, bool wide)
{
	const struct item *it = items;
	void *a = cu_rig_alloc(&rig, N * 8), *b = cu_rig_alloc(&rig, N * 8);
	uint8_t *c = cu_rig_alloc(&rig, N * 8);
	gv_auto_free uint8_t *want = calloc(N, 8);
	uint64_t args[3] = {cu_rig_va(&rig, a), cu_rig_va(&rig, b), cu_rig_va(&rig, c)};

	while (strcmp(it->name, name) != 0)
		it++;
	if (wide)
		ties_f64(a, b);
	else
		ties_f32(a, b);
	for (unsigned n = 0; want && n < N; n++)
		it->host(a, b, want, n);
	if (!want || cu_rig_run(&rig, name, (uint32_t[]){N, 1, 1}, (uint32_t[]){128, 1, 1}, args,
	                        sizeof(args), 0) != GV_CU_DONE)
		return 1;
	return compare(it, "ties", a, b, c, want);
}

static void quotients_next_to_a_tie_are_rounded_once(void)
{
	int rc = cu_rig_open(&rig, "items.cl", "-O2");

	CU_ASSERT_EQUAL(rc, 0);
	if (!rc) {
		CU_ASSERT_EQUAL(run_ties("float_div", false), 0);
		CU_ASSERT_EQUAL(run_ties("double_div", true), 0);
	}
	cu_rig_close(&rig);
}

static const struct ut_case cases[] = {
        UT(unoptimised_kernels_match_the_host),       UT(lightly_optimised_kernels_match_the_host),
        UT(optimised_kernels_match_the_host),         UT(fully_optimised_kernels_match_the_host),
        UT(quotients_next_to_a_tie_are_rounded_once),
};

int main(int argc, char **argv)
{
	if (!cu_rig_has("clang-14") || !cu_rig_has("ld.lld-14")) {
		puts("SKIP: clang-14 or ld.lld-14 is not installed");
		return 77;
	}
	return ut_main(argc, argv, "cu items", cases, (int)GV_ARRAY_LEN(cases));
}
