/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kinds of kernel of the demonstration, as clang compiles them, on the interpreter. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gv/base.h>

#include "cu_rig.h"
#include "ut.h"

static struct cu_rig rig;
static const char *const levels[] = {"-O0", "-O1", "-O2", "-O3"};

#define FOR_LEVELS(o)                                                                              \
	for (unsigned o = 0; o < GV_ARRAY_LEN(levels); cu_rig_close(&rig), o++)                    \
		if (CU_rig_opened(levels[o]))

static bool CU_rig_opened(const char *opt)
{
	int rc = cu_rig_open(&rig, "demo.cl", opt);

	CU_ASSERT_EQUAL(rc, 0);
	return rc == 0;
}

struct args4 {
	uint64_t a, b, c;
	uint32_t n;
} __attribute__((packed));

static void vector_add_is_exact_also_in_the_last_group(void)
{
	enum { N = 1000 };

	FOR_LEVELS(o)
	{
		float *a = cu_rig_alloc(&rig, N * 4), *b = cu_rig_alloc(&rig, N * 4);
		float *c = cu_rig_alloc(&rig, (N + 64) * 4);
		struct args4 args = {cu_rig_va(&rig, a), cu_rig_va(&rig, b), cu_rig_va(&rig, c), N};
		unsigned bad = 0;

		for (unsigned i = 0; i < N; i++) {
			a[i] = (float)i * 0.37f;
			b[i] = 1.0f / (float)(i + 1);
		}
		CU_ASSERT_EQUAL(cu_rig_run(&rig, "vadd", (uint32_t[]){N, 1, 1},
		                           (uint32_t[]){256, 1, 1}, &args, sizeof(args), 0),
		                GV_CU_DONE);
		for (unsigned i = 0; i < N; i++)
			bad += c[i] != a[i] + b[i];
		CU_ASSERT_EQUAL(bad, 0);
		CU_ASSERT_EQUAL(c[N], 0);
	}
}

static void matrix_product(const char *kernel, uint32_t n, const uint32_t group[3])
{
	float *a = cu_rig_alloc(&rig, n * n * 4), *b = cu_rig_alloc(&rig, n * n * 4);
	float *c = cu_rig_alloc(&rig, n * n * 4);
	struct args4 args = {cu_rig_va(&rig, a), cu_rig_va(&rig, b), cu_rig_va(&rig, c), n};
	unsigned bad = 0;

	for (uint32_t i = 0; i < n * n; i++) {
		a[i] = (float)(i % 17) * 0.11f - 1;
		b[i] = (float)(i % 23) * 0.07f - 0.5f;
	}
	CU_ASSERT_EQUAL(
	        cu_rig_run(&rig, kernel, (uint32_t[]){n, n, 1}, group, &args, sizeof(args), 0),
	        GV_CU_DONE);
	for (uint32_t y = 0; y < n; y++)
		for (uint32_t x = 0; x < n; x++) {
			float sum = 0;

			for (uint32_t k = 0; k < n; k++)
				sum = fmaf(a[y * n + k], b[k * n + x], sum);
			bad += sum != c[y * n + x];
		}
	CU_ASSERT_EQUAL(bad, 0);
}

static void tiled_matmul_through_lds_is_exact(void)
{
	FOR_LEVELS(o)
	matrix_product("matmul", 64, (uint32_t[]){8, 8, 1});
}

static void naive_matmul_is_exact(void)
{
	FOR_LEVELS(o)
	matrix_product("naive", 128, (uint32_t[]){64, 1, 1});
}

static void reduction_with_barriers_and_atomics_counts_everything(void)
{
	enum { N = 5000 };

	FOR_LEVELS(o)
	{
		uint32_t *in = cu_rig_alloc(&rig, N * 4), *total = cu_rig_alloc(&rig, 4), want = 0;
		struct {
			uint64_t in, total;
			uint32_t n;
		} __attribute__((packed)) args = {cu_rig_va(&rig, in), cu_rig_va(&rig, total), N};

		for (uint32_t i = 0; i < N; i++)
			want += in[i] = i * 2654435761u;
		rig.threads = 2;
		CU_ASSERT_EQUAL(cu_rig_run(&rig, "reduce", (uint32_t[]){5120, 1, 1},
		                           (uint32_t[]){256, 1, 1}, &args, sizeof(args), 0),
		                GV_CU_DONE);
		CU_ASSERT_EQUAL(*total, want);
		CU_ASSERT_EQUAL(rig.count.groups, 20);
	}
}

static uint32_t scratch_host(uint32_t in)
{
	uint32_t a[24];

	for (uint32_t k = 0; k < 24; k++)
		a[k] = (in * (k + 1)) ^ k;
	for (uint32_t k = 0; k < 24; k++)
		a[a[k] % 24] += a[(k * 7 + in) % 24];
	return a[in % 24] + a[5];
}

static void private_arrays_live_in_scratch(void)
{
	enum { N = 512 };

	FOR_LEVELS(o)
	{
		uint32_t *in = cu_rig_alloc(&rig, N * 4), *out = cu_rig_alloc(&rig, N * 4), bad = 0;
		uint64_t args[2] = {cu_rig_va(&rig, in), cu_rig_va(&rig, out)};

		for (uint32_t i = 0; i < N; i++)
			in[i] = i * 40503u + 7;
		rig.threads = 2;
		CU_ASSERT_EQUAL(cu_rig_run(&rig, "scratch", (uint32_t[]){N, 1, 1},
		                           (uint32_t[]){128, 1, 1}, args, sizeof(args), 0),
		                GV_CU_DONE);
		for (uint32_t i = 0; i < N; i++)
			bad += out[i] != scratch_host(in[i]);
		CU_ASSERT_EQUAL(bad, 0);
	}
}

static void small_windows_and_small_steps_change_nothing(void)
{
	if (!CU_rig_opened("-O2"))
		return;
	rig.window = 4096;
	rig.slice = 7;
	matrix_product("matmul", 32, (uint32_t[]){8, 8, 1});
	cu_rig_close(&rig);
}

/* Not a limit, a number to look at: GV_CU_SPEED=1. */
static void speed_of_the_naive_matmul(void)
{
	if (!getenv("GV_CU_SPEED") || !CU_rig_opened("-O2"))
		return;
	matrix_product("naive", 512, (uint32_t[]){64, 1, 1});
	printf("%.1f M wave instructions/s ", (double)rig.count.instructions / rig.seconds * 1e-6);
	cu_rig_close(&rig);
}

static const struct ut_case cases[] = {
        UT(vector_add_is_exact_also_in_the_last_group),
        UT(tiled_matmul_through_lds_is_exact),
        UT(naive_matmul_is_exact),
        UT(reduction_with_barriers_and_atomics_counts_everything),
        UT(private_arrays_live_in_scratch),
        UT(small_windows_and_small_steps_change_nothing),
        UT(speed_of_the_naive_matmul),
};

int main(int argc, char **argv)
{
	if (!cu_rig_has("clang-14") || !cu_rig_has("ld.lld-14")) {
		puts("SKIP: clang-14 or ld.lld-14 is not installed");
		return 77;
	}
	return ut_main(argc, argv, "cu demo kernels", cases, (int)GV_ARRAY_LEN(cases));
}
