/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gv-bench: every figure is measured next to its raw limit, in the same run and on the same
 * cores, and reported as a ratio. Times are nanoseconds; latency figures are p50 over the
 * samples of the best round, throughput figures the best of the rounds.
 */
#ifndef GV_BENCH_H
#define GV_BENCH_H

#include <gv/base.h>

#define BENCH_ROUNDS 5

struct bench_row {
	const char *figure;    /* "F1" .. "F8", as in docs/bench.md */
	const char *what;      /* one line */
	const char *unit;      /* "ns", "PTE/s", "GB/s", "1/s" */
	double ours, limit;    /* limit 0: no raw limit for this row */
	const char *peer_name; /* NULL: none ran */
	double peer;
	bool smaller_is_better;
	char conditions[160];
};

struct bench {
	struct bench_row row[64];
	size_t count;
	const char *bin_dir; /* where gpuvisor-gpu and gpuvisord are */
	bool quick;
};

/** Add a figure. Not more than 64. */
void bench_add(struct bench *b, const struct bench_row *row);

/** p50 of the best of BENCH_ROUNDS rounds of @samples timed calls of @fn, in ns per call. */
double bench_latency(void (*fn)(void *arg), void *arg, unsigned samples);
/** Best of BENCH_ROUNDS: ns for one call of @fn that does a lot of work. */
double bench_best(void (*fn)(void *arg), void *arg);

/** Run this thread (and children forked later) on one CPU; -1 allows all again. */
void bench_pin(int cpu);

/* raw.c: the limits */
struct bench_raw_sock;
/** A child process that answers @req_bytes with @reply_bytes over a unix stream socket. */
int bench_raw_sock_new(size_t req_bytes, size_t reply_bytes, struct bench_raw_sock **s);
void bench_raw_sock_round_trip(void *s);
struct bench_raw_sock *bench_raw_sock_free(struct bench_raw_sock *s);
/** Median round trip of two eventfds between two threads of this core, ns. */
double bench_raw_eventfd(void);

/* the figures */
int bench_mmio(struct bench *b, struct gv_err *err);       /* F1 */
int bench_interrupt(struct bench *b, struct gv_err *err);  /* F3 */
int bench_page_table(struct bench *b, struct gv_err *err); /* F4 */
int bench_launch(struct bench *b, struct gv_err *err);     /* F6 */
int bench_sdma(struct bench *b, struct gv_err *err);       /* F8 */

#endif
