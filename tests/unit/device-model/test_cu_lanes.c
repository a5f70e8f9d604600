/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lanes, workgroups, atomics, LDS, ids, the chip's functions: cu_kernels/lanes.cl. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gv/base.h>

#include "cu_rig.h"
#include "ut.h"

static struct cu_rig rig;
static const char *level = "-O2";
static bool no_pointers;

static bool opened(void)
{
	static const char *compiled;
	int rc = 0;

	if (compiled == level) {
		cu_rig_reset(&rig);
		rig.threads = 1;
		rig.denorm_off = 0;
		rig.no_pointers = no_pointers;
		return true;
	}
	cu_rig_close(&rig);
	rc = cu_rig_open(&rig, "lanes.cl", level);
	compiled = rc ? NULL : level;
	rig.no_pointers = no_pointers;
	CU_ASSERT_EQUAL(rc, 0);
	return rc == 0;
}

static void *buffer(size_t bytes)
{
	void *p = cu_rig_alloc(&rig, bytes);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	return p;
}

/* A kernel whose arguments are all buffers, and perhaps one number. */
static void run(const char *kernel, uint32_t items, uint32_t group, const void *const *buf,
                unsigned n, uint32_t number)
{
	uint64_t args[8] = {0};

	for (unsigned k = 0; k < n; k++)
		args[k] = cu_rig_va(&rig, buf[k]);
	args[n] = number;
	CU_ASSERT_EQUAL(cu_rig_run(&rig, kernel, (uint32_t[]){items, 1, 1},
	                           (uint32_t[]){group, 1, 1}, args, sizeof(args), 0),
	                GV_CU_DONE);
}
#define RUN(kernel, items, group, number, ...)                                                     \
	run(kernel, items, group, (const void *const[]){__VA_ARGS__},                              \
	    sizeof((const void *const[]){__VA_ARGS__}) / sizeof(void *), number)

static uint32_t mix(uint32_t n)
{
	n = (n ^ n >> 15) * 0x2c1b3c6du;
	n = (n ^ n >> 12) * 0x297a2d39u;
	return n ^ n >> 15;
}

static unsigned differ(const uint32_t *got, const uint32_t *want, unsigned n)
{
	unsigned bad = 0;

	for (unsigned k = 0; k < n; k++)
		if (got[k] != want[k] && bad++ < 4)
			printf("[%u] %x, not %x\n", k, got[k], want[k]);
	return bad;
}

/* ---- lanes */
static void lane_moves_host(const int *v, int *out)
{
	int below = 0;

	for (int l = 0; l < 64; l++)
		below += (uint32_t)v[l] < 500;
	for (int l = 0; l < 64; l++) {
		int row = l & ~15, in = l & 15;

		out[0 * 64 + l] = v[(l * 5 + 3) & 63];
		out[1 * 64 + (l ^ 21)] = v[l];
		out[2 * 64 + l] = v[l ^ 1];
		out[3 * 64 + l] = v[(l & ~3) | (3 - (l & 3))];
		out[4 * 64 + l] = v[0] + 1;
		out[5 * 64 + l] = v[37];
		out[6 * 64 + l] = in < 15 ? v[l + 1] : -1;
		out[7 * 64 + l] = in >= 2 ? v[l - 2] : 0;
		out[8 * 64 + l] = v[row | ((in - 3) & 15)];
		out[9 * 64 + l] = l ? v[l - 1] : -1;
		out[10 * 64 + l] = v[row | (15 - in)];
		out[11 * 64 + l] = row == 16 || row == 48 ? v[row - 1] : -1;
		out[12 * 64 + l] = l >= 32 ? v[31] : -1;
		out[13 * 64 + l] = v[l ^ 2];
		out[14 * 64 + l] = l;
		out[15 * 64 + l] = below + ((uint32_t)v[l] < 500) * 1000;
	}
}

static void lanes_see_each_other(void)
{
	int *in, *out, want[16 * 64];

	if (!opened())
		return;
	in = buffer(64 * 4);
	out = buffer(16 * 64 * 4);
	for (unsigned l = 0; l < 64; l++)
		in[l] = (int)(mix(l) % 1000);
	lane_moves_host(in, want);
	RUN("lane_moves", 64, 64, 0, in, out);
	CU_ASSERT_EQUAL(differ((uint32_t *)out, (uint32_t *)want, 16 * 64), 0);
}

static void a_wave_scan_by_dpp_sums(void)
{
	uint32_t *in, *out, want[256], sum = 0;

	if (!opened())
		return;
	in = buffer(256 * 4);
	out = buffer(256 * 4);
	for (unsigned l = 0; l < 256; l++) {
		in[l] = mix(l);
		want[l] = sum = (l & 63 ? sum : 0) + in[l];
	}
	RUN("wave_scan", 256, 128, 0, in, out);
	CU_ASSERT_EQUAL(differ(out, want, 256), 0);
}

/* ---- atomics */
static void atomics_host(uint32_t n, uint32_t *t, int32_t *s, uint64_t *w)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t v = i * 2654435761u;
		uint64_t big = (uint64_t)v << 30 ^ i, low = (uint64_t)v << 31 | 5;

		t[0] += v;
		t[1] -= v;
		t[2] &= v | 0xf0f0f0ffu;
		t[3] |= 1u << (i & 31);
		t[4] ^= v;
		t[5] = GV_MIN(t[5], v);
		t[6] = GV_MAX(t[6], v);
		s[0] = GV_MIN(s[0], (int32_t)v);
		s[1] = GV_MAX(s[1], (int32_t)v);
		w[0] += (uint64_t)v << 20;
		w[1] = GV_MAX(w[1], big);
		w[2] ^= (uint64_t)v * v;
		w[3] = GV_MIN(w[3], low);
		t[7]++;
		t[8] = t[8] >= 99 ? 0 : t[8] + 1;
		w[4] += i;
	}
}

static void global_atomics_lose_nothing_between_threads(void)
{
	enum { N = 2048 };
	uint32_t *t, *old, want_t[10] = {[2] = ~0u, [5] = ~0u};
	int32_t *s, want_s[2] = {0};
	uint64_t *w, want_w[5] = {[3] = ~0ull};
	float count;
	gv_auto_free uint8_t *seen = calloc(N, 1);
	unsigned bad = 0;

	if (!opened())
		return;
	rig.threads = 2;
	t = buffer(64);
	s = buffer(64);
	w = buffer(64);
	old = buffer(N * 4);
	t[2] = t[5] = ~0u;
	w[3] = ~0ull;
	atomics_host(N, want_t, want_s, want_w);
	RUN("atomics", N, 256, 0, t, s, w, old);
	CU_ASSERT_EQUAL(differ(t, want_t, 9), 0);
	CU_ASSERT_EQUAL(memcmp(s, want_s, sizeof(want_s)), 0);
	CU_ASSERT_EQUAL(memcmp(w, want_w, sizeof(want_w)), 0);
	memcpy(&count, &t[9], 4);
	CU_ASSERT_EQUAL(count, N);
	for (unsigned i = 0; i < N; i++)
		bad += old[i] >= N || seen[old[i]]++;
	CU_ASSERT_EQUAL(bad, 0);
}

static void local_atomics_work(void)
{
	uint32_t *in, *out, t[12] = {[2] = ~0u, [5] = ~0u};
	uint64_t w[2] = {0};

	if (!opened())
		return;
	in = buffer(256 * 4);
	out = buffer(4096);
	for (unsigned i = 0; i < 256; i++) {
		uint32_t v = in[i] = mix(i);
		uint64_t high = (uint64_t)v << 17;

		t[0] += v;
		t[1] -= v;
		t[2] &= v | 0xffff00u;
		t[3] |= v & 0x5555;
		t[4] ^= v;
		t[5] = GV_MIN(t[5], v);
		t[6] = GV_MAX(t[6], v);
		t[7] += v;
		w[0] += (uint64_t)v * v;
		w[1] = GV_MAX(w[1], high);
	}
	memcpy(&t[8], w, sizeof(w));
	RUN("local_atomics", 256, 256, 0, in, out);
	CU_ASSERT_EQUAL(differ(out, t, 12), 0);
	CU_ASSERT_EQUAL(rig.count.lds_out_of_range, 0);
}

/* ---- widths */
static void lds_of_every_width(void)
{
	uint32_t *in, *out, want[256];

	if (!opened())
		return;
	in = buffer(1024);
	out = buffer(1024);
	for (unsigned n = 0; n < 256; n++)
		in[n] = mix(n);
	for (unsigned l = 0; l < 64; l++) {
		unsigned m = 63 - l;

		want[4 * l] = in[4 * m] + (uint8_t)in[4 * m] + (uint32_t)(int8_t)in[4 * (l ^ 1)];
		want[4 * l + 1] = in[4 * m + 1] + (uint16_t)in[4 * m + 1] -
		                  (uint32_t)(int16_t)in[4 * (l ^ 3) + 1];
		want[4 * l + 2] = in[4 * m + 2] ^ in[4 * m + 2];
		want[4 * l + 3] = in[4 * m + 3] ^ in[4 * (l ^ 7) + 3];
	}
	RUN("local_widths", 64, 64, 0, in, out);
	CU_ASSERT_EQUAL(differ(out, want, 256), 0);
}

static void memory_of_every_width(void)
{
	enum { N = 200 };
	uint8_t *b, *bo;
	uint16_t *h, *ho;
	uint64_t *q;
	uint32_t *out, want[4 * N], bad = 0;

	if (!opened())
		return;
	b = buffer(4096);
	h = buffer(4096);
	q = buffer(4096);
	out = buffer(N * 16 + 64);
	bo = buffer(4096);
	ho = buffer(4096);
	for (unsigned n = 0; n < 4096; n++)
		b[n] = (uint8_t)mix(n);
	for (unsigned n = 0; n < 2 * N; n++) {
		h[n] = (uint16_t)mix(n + 7777);
		q[n] = (uint64_t)mix(n) << 32 | mix(n + 99999);
	}
	for (unsigned i = 0; i < N; i++) {
		uint32_t t[3];

		memcpy(t, b + 4 * i, 12);
		want[4 * i] = (uint32_t)q[2 * i] + b[i];
		want[4 * i + 1] = (uint32_t)(q[2 * i + 1] >> 32) - (uint32_t)(int8_t)b[i + 1];
		want[4 * i + 2] = h[i] * 3u + t[0];
		want[4 * i + 3] = (uint32_t)(int16_t)h[i] ^ t[1] ^ t[2];
	}
	RUN("global_widths", N, 64, 0, b, h, q, out, bo, ho);
	CU_ASSERT_EQUAL(differ(out, want, 4 * N), 0);
	for (unsigned i = 0; i < N; i++)
		bad += bo[i] != (uint8_t)(b[i] + 1) || ho[i] != (uint16_t)(h[i] * 7);
	CU_ASSERT_EQUAL(bad + bo[N] + ho[N], 0);
}

/* ---- ids */
static void three_dimensions_with_partial_groups_reach_every_item_once(void)
{
	static const uint32_t items[3] = {13, 10, 5}, group[3] = {8, 4, 2};
	uint32_t *out, bad = 0;
	uint64_t args[1];

	if (!opened())
		return;
	out = buffer(16 * 16 * 16 * 16);
	args[0] = cu_rig_va(&rig, out);
	CU_ASSERT_EQUAL(cu_rig_run(&rig, "ids", items, group, args, sizeof(args), 0), GV_CU_DONE);
	for (uint32_t n = 0; n < 16 * 16 * 16; n++) {
		uint32_t x = n & 15, y = n >> 4 & 15, z = n >> 8, *o = &out[4 * n];
		bool in = x < items[0] && y < items[1] && z < items[2];

		bad += in ? o[0] != x || o[1] != y || o[2] != z || o[3] != 1 : o[3] != 0;
	}
	CU_ASSERT_EQUAL(bad, 0);
}

/* ---- functions of the chip */
static bool near32(float got, double want, double ulps)
{
	float w = (float)want;
	double ulp;

	if (isnan(w) || isinf(w) || w == 0)
		return (isnan(w) && isnan(got)) || got == w;
	ulp = (double)(nextafterf(fabsf(w), INFINITY) - fabsf(w));
	return fabs((double)got - want) <= ulps * ulp;
}

static void f32_functions_are_within_an_ulp(void)
{
	enum { N = 512 };
	float *in, *out;
	unsigned bad[12] = {0};

	if (!opened())
		return;
	in = buffer(N * 4);
	out = buffer(12 * N * 4);
	for (unsigned i = 0; i < N; i++)
		in[i] = (float)(mix(i) & 0xffffff) * 0.00013f + 0.001f;
	RUN("functions", N, 64, N, in, out);
	for (unsigned i = 0; i < N; i++) {
		double x = (double)in[i], turn = (double)(in[i] * 0.01f);
		int e;
		double want[12] = {1 / x,
		                   1 / sqrt(x),
		                   sqrt(x),
		                   exp2((double)(in[i] * 0.01f)),
		                   log2(x),
		                   sin(turn * 2 * M_PI),
		                   cos(turn * 2 * M_PI),
		                   x - floor(x),
		                   (double)frexpf(in[i], &e),
		                   0,
		                   ldexp(x, (int)(i & 31) - 16),
		                   x < 2   ? 2
		                   : x > 5 ? 5
		                           : x};

		want[9] = e;
		for (unsigned k = 0; k < 12; k++)
			bad[k] += !near32(out[k * N + i], want[k], k == 5 || k == 6 ? 64 : 1);
	}
	for (unsigned k = 0; k < 12; k++)
		CU_ASSERT_EQUAL(bad[k], 0);
}

static void f64_functions_are_exact(void)
{
	enum { N = 256 };
	double *in, *out;
	unsigned bad = 0;

	if (!opened())
		return;
	in = buffer(N * 8);
	out = buffer(7 * N * 8);
	for (unsigned i = 0; i < N; i++)
		in[i] = (double)mix(i) * 0.0000137 + 0.01;
	RUN("functions64", N, 64, N, in, out);
	for (unsigned i = 0; i < N; i++) {
		int e;
		double x = in[i], m = frexp(x, &e);

		bad += out[i] != 1 / x || out[N + i] != 1 / sqrt(x) || out[2 * N + i] != sqrt(x) ||
		       out[3 * N + i] != x - floor(x) || out[4 * N + i] != m ||
		       out[5 * N + i] != e || out[6 * N + i] != ldexp(x, (int)(i & 31) - 16);
	}
	CU_ASSERT_EQUAL(bad, 0);
}

static uint32_t byte(uint64_t v, unsigned n)
{
	return (uint32_t)(v >> (8 * n)) & 0xff;
}

static uint32_t byte_host(unsigned k, uint32_t x, uint32_t y, uint32_t i)
{
	uint64_t both = (uint64_t)x << 32 | y;
	uint32_t r = 0, sel = 0x0c050301u + (i & 3), at = y & 31, n = i & 15;

	switch (k) {
	case 0:
		for (unsigned b = 0; b < 4; b++) {
			uint32_t s = byte(sel, b);

			r |= (s < 8 ? byte(both, s) : s > 12 ? 0xff : 0) << (8 * b);
		}
		return r;
	case 1:
		return (uint32_t)(both >> (i & 31));
	case 2:
		return (uint32_t)(both >> (8 * (i & 3)));
	case 3:
		for (unsigned b = 0; b < 4; b++)
			r |= ((byte(x, b) + byte(y, b) + (byte(0x01000100u, b) & 1)) >> 1)
			     << (8 * b);
		return r;
	case 4:
	case 6:
		for (unsigned b = 0; b < 4; b++)
			r += k == 6 && !byte(y, b)
			             ? 0
			             : (uint32_t)abs((int)byte(x, b) - (int)byte(y, b));
		return r + i;
	case 5:
		return (uint32_t)abs((int)(x & 0xffff) - (int)(y & 0xffff)) +
		       (uint32_t)abs((int)(x >> 16) - (int)(y >> 16)) + i;
	case 7:
		return n ? x >> at & ((1u << n) - 1) : 0;
	default:
		if (!n)
			return 0;
		if (at + n >= 32)
			return (uint32_t)((int32_t)x >> at);
		return (uint32_t)((int32_t)(x << (32 - at - n)) >> (32 - n));
	}
}

static void byte_and_field_functions_are_exact(void)
{
	enum { N = 256 };
	uint32_t *a, *b, *out;
	unsigned bad = 0;

	if (!opened())
		return;
	a = buffer(N * 4);
	b = buffer(N * 4);
	out = buffer(9 * N * 4);
	for (unsigned i = 0; i < N; i++) {
		a[i] = mix(i);
		b[i] = mix(i + 5000) & (i & 1 ? ~0u : 0xff00ffu);
	}
	RUN("byte_functions", N, 64, N, a, b, out);
	for (unsigned k = 0; k < 9; k++)
		for (unsigned i = 0; i < N; i++)
			if (out[k * N + i] != byte_host(k, a[i], b[i], i) && bad++ < 5)
				printf("%u: %x\n", k, out[k * N + i]);
	CU_ASSERT_EQUAL(bad, 0);
}

/* ---- compiled shapes */
static void registers_can_be_indexed(void)
{
	for (uint32_t k = 0; k < 8; k++) {
		uint32_t *in, *out, want[64];

		if (!opened())
			return;
		in = buffer(32);
		out = buffer(64 * 4);
		for (unsigned n = 0; n < 8; n++)
			in[n] = mix(n);
		for (unsigned l = 0; l < 64; l++)
			want[l] = in[k] * 3 + in[l & 7];
		RUN("vector_index", 64, 64, k, in, out);
		CU_ASSERT_EQUAL(differ(out, want, 64), 0);
	}
}

static uint32_t structs_host(uint32_t in, uint32_t i)
{
	uint32_t a[6], b[6], by[2] = {in & 7, i};

	for (uint32_t n = 0; n < 6; n++)
		a[n] = in + n * n;
	for (unsigned t = 0; t < 2; t++) {
		for (uint32_t n = 0; n < 6; n++)
			b[n] = a[(n + by[t]) % 6] + n;
		memcpy(a, b, sizeof(a));
	}
	return a[0] + a[3] * 5;
}

static void structs_and_recursion_go_through_the_stack(void)
{
	uint32_t *in, *out, *fib, want[128], want_fib[128];

	if (!opened())
		return;
	in = buffer(512);
	out = buffer(512);
	fib = buffer(512);
	for (unsigned i = 0; i < 128; i++) {
		static const uint32_t f[] = {0, 1, 1, 2, 3, 5, 8, 13};

		in[i] = mix(i) & 0xffffff;
		want[i] = structs_host(in[i], i);
		want_fib[i] = f[i & 7];
	}
	RUN("structs", 128, 64, 0, in, out);
	CU_ASSERT_EQUAL(differ(out, want, 128), 0);
	RUN("recursion", 128, 128, 0, fib);
	CU_ASSERT_EQUAL(differ(fib, want_fib, 128), 0);
}

static void pairs_of_shorts(void)
{
	enum { N = 512 };
	int16_t *a, *b, *out;
	unsigned bad = 0;

	if (!opened())
		return;
	a = buffer(N * 2);
	b = buffer(N * 2);
	out = buffer(N * 2);
	for (unsigned n = 0; n < N; n++) {
		a[n] = (int16_t)mix(n);
		b[n] = (int16_t)mix(n + 900);
	}
	RUN("short_pairs", N / 2, 64, 0, a, b, out);
	for (unsigned n = 0; n < N; n++) {
		int x = a[n], y = b[n];

		bad += out[n] != (int16_t)((int16_t)(x * y + x) ^ (x > y ? x : y) ^
		                           (int16_t)((uint32_t)x << 3) ^ (y >> 2) ^
		                           (int16_t)(x < y ? x - y : y - x));
	}
	CU_ASSERT_EQUAL(bad, 0);
}

static void clocks_go_forward(void)
{
	uint64_t *out;

	if (!opened())
		return;
	out = buffer(1024);
	RUN("clocks", 64, 64, 0, out);
	CU_ASSERT_TRUE(out[0] > 0 && out[63] < GV_S);
	CU_ASSERT_TRUE(out[127] < GV_S);
}

/* MODE says no f32 subnormals: they come in and go out as zero. */
static void subnormals_are_flushed_when_mode_says_so(void)
{
	float *in, *out;

	for (unsigned off = strstr(level, "ftz") ? 1 : 0; off < 2; off++) {
		if (!opened())
			return;
		rig.denorm_off = off;
		in = buffer(192 * 4);
		out = buffer(64 * 4);
		for (unsigned n = 0; n < 64; n++) {
			in[n] = n & 1 ? 0x1p-100f : 0x1p-140f;
			in[64 + n] = n & 1 ? 0x1p-40f : 0x1p20f;
			in[128 + n] = n & 2 ? 0x1p-130f : 0;
		}
		RUN("unfused", 64, 64, 0, in, out);
		for (unsigned n = 0; n < 64; n++) {
			float product = in[n] * in[64 + n];
			float want = product + in[128 + n];

			CU_ASSERT_EQUAL(out[n], off ? 0 : want);
		}
	}
}

static void halves_of_registers_are_loaded_and_stored(void)
{
	int16_t *a, *out, l[128];
	uint8_t *b;
	unsigned bad = 0;

	if (!opened())
		return;
	a = buffer(1024);
	b = buffer(256);
	out = buffer(256);
	for (unsigned n = 0; n < 512; n++)
		a[n] = (int16_t)mix(n);
	for (unsigned n = 0; n < 256; n++)
		b[n] = (uint8_t)mix(n + 3333);
	for (unsigned i = 0; i < 64; i++) {
		l[2 * i] = a[i * 5 + 1];
		l[2 * i + 1] = a[i * 3];
	}
	RUN("gather_pairs", 64, 64, 0, a, b, out);
	for (unsigned i = 0; i < 64; i++) {
		int x = a[i * 3] * b[i] + l[(i ^ 1) * 2];
		int y = a[i * 5 + 1] * (int8_t)b[i + 9] + l[(i ^ 3) * 2 + 1];

		bad += out[i] != (int16_t)y || out[i + 64] != (int16_t)x;
	}
	CU_ASSERT_EQUAL(bad, 0);
}

static void pointers_go_to_lds_scratch_memory_and_tables(void)
{
	static const uint32_t primes[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37};
	uint32_t *out, want[64];

	if (!opened())
		return;
	out = buffer(1024);
	for (unsigned i = 0; i < 64; i++)
		want[i] = primes[i % 12] + i * 10 + i * 100 + 10;
	RUN("pointers", 64, 64, 0, out);
	CU_ASSERT_EQUAL(differ(out, want, 64), 0);
	CU_ASSERT_EQUAL(out[64], 1064);
}

#if !defined(__clang__) && defined(__SSE2__)
static void f16_and_f32_mix(void)
{
	_Float16 *a, *small;
	float *b, *out;
	unsigned bad = 0;

	if (!opened())
		return;
	a = buffer(256);
	b = buffer(256);
	out = buffer(256);
	small = buffer(128);
	for (unsigned n = 0; n < 128; n++)
		a[n] = (_Float16)((float)(mix(n) & 0xffff) * 0.003f - 90.0f);
	for (unsigned n = 0; n < 64; n++)
		b[n] = (float)(mix(n + 77) & 0xffff) * 0.01f - 300.0f;
	RUN("mixed", 64, 64, 0, a, b, out, small);
	for (unsigned n = 0; n < 64; n++) {
		float x = (float)a[n], y = (float)a[n + 64];

		bad += out[n] != x * b[n] + y || small[n] != (_Float16)(x * y + b[n]);
	}
	CU_ASSERT_EQUAL(bad, 0);
}
#endif

static const struct ut_case cases[] = {
        UT(lanes_see_each_other),
        UT(a_wave_scan_by_dpp_sums),
        UT(global_atomics_lose_nothing_between_threads),
        UT(local_atomics_work),
        UT(lds_of_every_width),
        UT(memory_of_every_width),
        UT(three_dimensions_with_partial_groups_reach_every_item_once),
        UT(f32_functions_are_within_an_ulp),
        UT(f64_functions_are_exact),
        UT(byte_and_field_functions_are_exact),
        UT(registers_can_be_indexed),
        UT(structs_and_recursion_go_through_the_stack),
        UT(pairs_of_shorts),
        UT(clocks_go_forward),
        UT(subnormals_are_flushed_when_mode_says_so),
        UT(halves_of_registers_are_loaded_and_stored),
        UT(pointers_go_to_lds_scratch_memory_and_tables),
#if !defined(__clang__) && defined(__SSE2__)
        UT(f16_and_f32_mix),
#endif
};

int main(int argc, char **argv)
{
	static const char *const levels[] = {"-O0", "-O2", "-O3", "-O2 ftz", "-O2 copies"};
	int rc = 0;

	if (!cu_rig_has("clang-14") || !cu_rig_has("ld.lld-14")) {
		puts("SKIP: clang-14 or ld.lld-14 is not installed");
		return 77;
	}
	for (unsigned n = 0; n < GV_ARRAY_LEN(levels); n++) {
		level = levels[n];
		no_pointers = strstr(level, "copies") != NULL;
		printf("compiled with %s\n", level);
		rc |= ut_main(argc, argv, "cu lanes", cases, (int)GV_ARRAY_LEN(cases));
	}
	cu_rig_close(&rig);
	return rc;
}
