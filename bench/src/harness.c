/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <sched.h>
#include <stdio.h>

#include "bench.h"

volatile sig_atomic_t bench_stop;

void bench_add(struct bench *b, const struct bench_row *row)
{
	if (b->count < GV_ARRAY_LEN(b->row))
		b->row[b->count++] = *row;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int run_round(struct bench_probe *p, uint64_t *t)
{
	double took;

	for (unsigned i = 0; i < p->samples; i++) {
		int rc = bench_stop ? -EINTR : 0;
		uint64_t start;

		if (!rc && p->before)
			rc = p->before(p->arg);
		start = gv_now_ns();
		if (!rc)
			rc = p->run(p->arg);
		t[i] = gv_now_ns() - start;
		if (rc)
			return rc;
	}
	qsort(t, p->samples, sizeof(*t), compare);
	took = (double)t[p->rate ? 0 : p->samples / 2];
	if (p->ns == 0 || took < p->ns)
		p->ns = took;
	return 0;
}

int bench_measure(struct bench_probe *probe, size_t count)
{
	return bench_measure_rounds(probe, count, BENCH_ROUNDS);
}

int bench_measure_rounds(struct bench_probe *probe, size_t count, unsigned rounds)
{
	gv_auto_free uint64_t *t = NULL;
	unsigned most = 1;

	for (size_t i = 0; i < count; i++) {
		most = GV_MAX(most, probe[i].samples);
		probe[i].ns = 0;
	}
	t = calloc(most, sizeof(*t));
	if (!t)
		return -ENOMEM;
	for (unsigned round = 0; round < rounds; round++) {
		for (size_t i = 0; i < count; i++) {
			int rc = run_round(&probe[i], t);

			if (rc)
				return rc;
		}
	}
	return 0;
}

/* ---- CPUs ---------------------------------------------------------------------- */

/* What we were started with: taskset and containers may have taken some away. */
static const cpu_set_t *allowed(void)
{
	static cpu_set_t set;
	static bool known;

	if (!known && sched_getaffinity(0, sizeof(set), &set))
		CPU_SET(0, &set);
	known = true;
	return &set;
}

unsigned bench_cpus(void)
{
	return (unsigned)CPU_COUNT(allowed());
}

static cpu_set_t pick(int nth)
{
	cpu_set_t set = *allowed();
	int left = nth % (int)bench_cpus();

	for (int i = 0; nth >= 0 && i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set) && left-- != 0)
			CPU_CLR(i, &set);
	return set;
}

void bench_pin(int nth)
{
	cpu_set_t set = pick(nth);

	(void)sched_setaffinity(0, sizeof(set), &set);
}

void bench_pin_process(pid_t pid, int nth)
{
	cpu_set_t set = pick(nth);
	char path[64];
	struct dirent *e;
	DIR *d;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	d = opendir(path);
	while (d && (e = readdir(d)) != NULL) {
		pid_t tid = (pid_t)strtol(e->d_name, NULL, 10);

		if (tid > 0)
			(void)sched_setaffinity(tid, sizeof(set), &set);
	}
	if (d)
		(void)closedir(d);
}
