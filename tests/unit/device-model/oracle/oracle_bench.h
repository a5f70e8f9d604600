/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs instructions under test on the interpreter, through cu.h only. A program is: load
 * registers from the wave's block, the words under test, store registers. One run is many
 * waves of the same program, each with its own block.
 *
 *	before                                    after, in the block that comes back
 *	s[16:17] EXEC, s[18:19] VCC and s[36:37]  sgpr[0:1] VCC, [2:3] EXEC, [4] SCC, [5] M0,
 *	s26 M0, s27 != 0 SCC                      [6:7] s[36:37], [8:9] s[38:39], [10] address
 *	s[20:25], s[28:31] free for the test      of the program counter read under test
 *	v2 and up: the block's rows               rows: v2 and up
 *
 * v0 is 4 * lane, v1 belongs to the program.
 */
#ifndef ORACLE_BENCH_H
#define ORACLE_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gv/gfx9.h>

#include "oracle.h"

enum {
	BENCH_ROWS = 14,    /* VGPRs in and out: v2 to v15 */
	BENCH_SGPRS = 16,   /* s16 to s31 in */
	BENCH_WAVES = 64,   /* at most in a run */
	BENCH_MAX_TEST = 40 /* words under test */
};

/* 4096 bytes. */
struct bench_block {
	uint32_t sgpr[64];
	uint32_t row[BENCH_ROWS][64];
	uint32_t unused[64];
};

struct bench_program {
	const uint32_t *words;
	unsigned n;
	unsigned rows; /* loaded and stored, v2 and up */
	struct orc_mode mode;
	uint32_t lds_bytes;
	const char *isa; /* of the host, see gv_cu_dispatch */
};

struct bench {
	struct bench_block in[BENCH_WAVES], out[BENCH_WAVES];
	uint8_t memory[65536]; /* at s[28:29] */
	uint32_t code[160];
	char fault[128]; /* how the last run ended, when it failed */
};

/** In every wave: all lanes on, everything else 0. */
void bench_clear(struct bench *b);
/** 0, -EIO when a wave faulted. */
int bench_run(struct bench *b, const struct bench_program *p, unsigned waves);
/** Number of an instruction, of the table in hw-spec. */
uint32_t bench_op(const char *name);
uint64_t bench_memory_va(void);
/** Bits 9:0 of the MODE register. */
uint32_t bench_mode_bits(const struct orc_mode *m);

/** Waves to run per default one: 1, or what GV_ORACLE_SCALE says. */
unsigned bench_scale(void);
/** A generator that every run begins alike: xorshift. */
uint64_t bench_random(void);
/** One of 0 to @n - 1. */
unsigned bench_below(unsigned n);

#endif
