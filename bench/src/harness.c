/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sched.h>

#include "bench.h"

void bench_add(struct bench *b, const struct bench_row *row)
{
	if (b->count < GV_ARRAY_LEN(b->row))
		b->row[b->count++] = *row;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

double bench_latency(void (*fn)(void *arg), void *arg, unsigned samples)
{
	gv_auto_free uint64_t *t = calloc(samples, sizeof(*t));
	double best = 0;

	if (!t)
		return 0;
	for (unsigned round = 0; round < BENCH_ROUNDS; round++) {
		for (unsigned i = 0; i < samples; i++) {
			uint64_t start = gv_now_ns();

			fn(arg);
			t[i] = gv_now_ns() - start;
		}
		qsort(t, samples, sizeof(*t), compare);
		if (round == 0 || (double)t[samples / 2] < best)
			best = (double)t[samples / 2];
	}
	return best;
}

double bench_best(void (*fn)(void *arg), void *arg)
{
	double best = 0;

	for (unsigned round = 0; round < BENCH_ROUNDS; round++) {
		uint64_t start = gv_now_ns();
		double took;

		fn(arg);
		took = (double)(gv_now_ns() - start);
		if (round == 0 || took < best)
			best = took;
	}
	return best;
}

void bench_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (cpu < 0 || i == cpu)
			CPU_SET(i, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}
