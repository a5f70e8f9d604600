/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the CPU itself does with F5's kernels: C loops that the compiler makes vector code of. */
#include "bench.h"

#define LANES 64

#ifdef __x86_64__
#define WITH_AVX2 __attribute__((target("avx2,fma")))
#else
#define WITH_AVX2 __attribute__((unused))
#endif

/* 64 neighbours of a row at a time, as a wave does it. */
static inline __attribute__((always_inline)) void matmul(const float *a, const float *b, float *c,
                                                         unsigned n, unsigned rows)
{
	for (unsigned row = 0; row < rows; row++) {
		for (unsigned col = 0; col < n; col += LANES) {
			float sum[LANES] = {0};

			for (unsigned k = 0; k < n; k++)
				for (unsigned l = 0; l < LANES; l++)
					sum[l] +=
					        a[(size_t)row * n + k] * b[(size_t)k * n + col + l];
			for (unsigned l = 0; l < LANES; l++)
				c[(size_t)row * n + col + l] = sum[l];
		}
	}
}

WITH_AVX2 static void matmul_avx2(const float *a, const float *b, float *c, unsigned n,
                                  unsigned rows)
{
	matmul(a, b, c, n, rows);
}

void bench_cpu_matmul(const float *a, const float *b, float *c, unsigned n, unsigned rows)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
		matmul_avx2(a, b, c, n, rows);
		return;
	}
#endif
	matmul(a, b, c, n, rows);
}

void bench_cpu_vadd(const float *restrict a, const float *restrict b, float *restrict c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		c[i] = a[i] + b[i];
}
