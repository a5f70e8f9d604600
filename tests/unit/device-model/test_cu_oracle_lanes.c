/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Instructions that move data between lanes or between lanes and scalars, against loops over
 * lanes written here from the ISA document: DS permutes and swizzles, v_readlane and its family,
 * v_swap_b32, DS counters.
 */
#include <stdio.h>
#include <string.h>

#include "cu/cu.h"

#include "oracle/oracle_bench.h"
#include "oracle/oracle_encode.h"
#include "ut.h"

enum { ADDR = 2, DATA = 3, DST = 4, MASK = 36 };

static struct bench bench;

static uint64_t pair(const uint32_t *s)
{
	return s[0] | (uint64_t)s[1] << 32;
}

/* Registers are random; EXEC is all, some or (@none) no lanes. */
static void fill(bool none)
{
	bench_clear(&bench);
	for (unsigned w = 0; w < BENCH_WAVES; w++) {
		uint32_t *s = bench.in[w].sgpr;

		for (unsigned k = 2; k < 12; k++)
			s[k] = (uint32_t)bench_random();
		s[10] = 0;
		if (w % 3)
			s[0] = (uint32_t)bench_random(), s[1] = (uint32_t)bench_random();
		if (none && w % 5 == 0)
			s[0] = s[1] = 0;
		for (unsigned k = 0; k < 4; k++)
			for (unsigned lane = 0; lane < 64; lane++)
				bench.in[w].row[k][lane] = (uint32_t)bench_random();
	}
}

static bool run(const uint32_t *words, unsigned n, const char *name)
{
	struct bench_program p = {.words = words, .n = n, .rows = 4, .lds_bytes = 1024};
	int rc = bench_run(&bench, &p, BENCH_WAVES);

	CU_ASSERT_EQUAL(rc, 0);
	if (rc)
		printf("%s: %s\n", name, bench.fault);
	return rc == 0;
}

static void compare(const char *name, unsigned w, unsigned lane, uint32_t got, uint32_t want)
{
	CU_ASSERT_EQUAL(got, want);
	if (got != want)
		printf("%s wave %u lane %u exec %llx: got %x, want %x\n", name, w, lane,
		       (unsigned long long)pair(bench.in[w].sgpr), got, want);
}

/* ---- DS permutes: @from[lane] is the lane a value comes from, or -1 for 0 */
typedef void (*lanes_fn)(const struct bench_block *in, uint64_t exec, unsigned offset, int *from);

static void try_lanes(const char *name, unsigned offset, lanes_fn fn)
{
	uint32_t words[] = {enc_ds(bench_op(name), offset & 255, offset >> 8),
	                    enc_ds_regs(ADDR, DATA, 0, DST)};

	if (!strcmp(name, "ds_swizzle_b32"))
		words[1] = enc_ds_regs(DATA, 0, 0, DST);
	fill(false);
	if (!run(words, 2, name))
		return;
	for (unsigned w = 0; w < BENCH_WAVES; w++) {
		const struct bench_block *in = &bench.in[w];
		uint64_t exec = pair(in->sgpr);
		int from[64];

		fn(in, exec, offset, from);
		for (unsigned lane = 0; lane < 64; lane++) {
			uint32_t want = in->row[DST - 2][lane];

			if (exec >> lane & 1)
				want = from[lane] < 0 ? 0 : in->row[DATA - 2][from[lane]];
			compare(name, w, lane, bench.out[w].row[DST - 2][lane], want);
		}
	}
}

/* Every active lane pushes; of several to one lane the last counts. */
static void permute(const struct bench_block *in, uint64_t exec, unsigned offset, int *from)
{
	for (unsigned lane = 0; lane < 64; lane++)
		from[lane] = -1;
	for (unsigned lane = 0; lane < 64; lane++)
		if (exec >> lane & 1)
			from[(in->row[ADDR - 2][lane] + offset) / 4 % 64] = (int)lane;
}

/* Every active lane pulls; from a lane that is off it gets 0. */
static void bpermute(const struct bench_block *in, uint64_t exec, unsigned offset, int *from)
{
	for (unsigned lane = 0; lane < 64; lane++) {
		unsigned at = (in->row[ADDR - 2][lane] + offset) / 4 % 64;

		from[lane] = exec >> at & 1 ? (int)at : -1;
	}
}

static unsigned swizzled(unsigned lane, unsigned offset)
{
	unsigned in = lane & 31;

	if (offset & 0x8000)
		return (lane & ~3u) | (offset >> 2 * (lane & 3) & 3);
	return (lane & 32) | (((in & offset) | (offset >> 5 & 31)) ^ (offset >> 10 & 31));
}

static void swizzle(const struct bench_block *in, uint64_t exec, unsigned offset, int *from)
{
	(void)in;
	for (unsigned lane = 0; lane < 64; lane++) {
		unsigned at = swizzled(lane, offset);

		from[lane] = exec >> at & 1 ? (int)at : -1;
	}
}

static void lds_hardware_permutes_lanes(void)
{
	for (unsigned k = 0; k < 8; k++) {
		try_lanes("ds_permute_b32", k ? bench_below(65536) : 0, permute);
		try_lanes("ds_bpermute_b32", k ? bench_below(65536) : 0, bpermute);
	}
	for (unsigned k = 0; k < 64; k++)
		try_lanes("ds_swizzle_b32", k & 1 ? 0x8000 | bench_below(256) : bench_below(0x8000),
		          swizzle);
}

/* ---- scalars and lanes */
static unsigned lowest(uint64_t exec)
{
	unsigned lane = 0;

	while (exec && !(exec >> lane & 1))
		lane++;
	return lane;
}

static void readfirstlane_takes_the_lowest_active_lane(void)
{
	uint32_t word = enc_vop1(bench_op("v_readfirstlane_b32"), MASK, ENC_VGPR + DATA);

	fill(true);
	if (!run(&word, 1, "v_readfirstlane_b32"))
		return;
	for (unsigned w = 0; w < BENCH_WAVES; w++) {
		unsigned lane = lowest(pair(bench.in[w].sgpr));

		compare("v_readfirstlane_b32", w, lane, bench.out[w].sgpr[6],
		        bench.in[w].row[DATA - 2][lane]);
	}
}

/* The lane number is in a scalar register, of which six bits count, or a constant. */
static void lanes_are_read_and_written_whatever_exec_says(void)
{
	for (unsigned n = 0; n < 8; n++) {
		uint32_t lane_operand = n ? ENC_ZERO + 9 * n : 22;
		uint32_t words[] = {
		        enc_vop3(bench_op("v_readlane_b32"), MASK, 0),
		        enc_vop3_sources(ENC_VGPR + DATA, lane_operand, 0, 0, 0),
		        enc_vop3(bench_op("v_writelane_b32"), DST, 0),
		        enc_vop3_sources(n & 1 ? 20 : ENC_ZERO + 5,
		                         n & 1 ? ENC_ZERO + n : lane_operand, 0, 0, 0),
		};

		fill(true);
		if (!run(words, 4, "v_readlane_b32, v_writelane_b32"))
			return;
		for (unsigned w = 0; w < BENCH_WAVES; w++) {
			const struct bench_block *in = &bench.in[w];
			unsigned from = n ? 9 * n & 63 : in->sgpr[6] & 63, to = n & 1 ? n : from;
			uint32_t value = n & 1 ? in->sgpr[4] : 5;

			compare("v_readlane_b32", w, from, bench.out[w].sgpr[6],
			        in->row[DATA - 2][from]);
			for (unsigned lane = 0; lane < 64; lane++)
				compare("v_writelane_b32", w, lane, bench.out[w].row[DST - 2][lane],
				        lane == to ? value : in->row[DST - 2][lane]);
		}
	}
}

static void swap_exchanges_active_lanes(void)
{
	uint32_t word = enc_vop1(bench_op("v_swap_b32"), DST, ENC_VGPR + DATA);

	fill(true);
	if (!run(&word, 1, "v_swap_b32"))
		return;
	for (unsigned w = 0; w < BENCH_WAVES; w++)
		for (unsigned lane = 0; lane < 64; lane++) {
			const struct bench_block *in = &bench.in[w];
			unsigned on = pair(in->sgpr) >> lane & 1;

			compare("v_swap_b32", w, lane, bench.out[w].row[DST - 2][lane],
			        in->row[on ? DATA - 2 : DST - 2][lane]);
			compare("v_swap_b32", w, lane, bench.out[w].row[DATA - 2][lane],
			        in->row[on ? DST - 2 : DATA - 2][lane]);
		}
}

/* ---- counters: the number of active lanes is added or taken away. M0 is 0: AMD's documents do not
 * agree on whether it counts in LDS, nor do LLVM and Mesa. */
static void counters_count_active_lanes(void)
{
	static const char *const names[] = {"ds_append", "ds_consume"};

	for (unsigned k = 0; k < 2; k++) {
		uint32_t words[] = {
		        enc_sop1(bench_op("s_mov_b64"), 38, ENC_EXEC),
		        enc_sop1(bench_op("s_mov_b64"), ENC_EXEC, ENC_MINUS_ONE),
		        enc_ds(bench_op("ds_write_b32"), 0, 0),
		        enc_ds_regs(0, DATA, 0, 0), /* LDS is v3 of lane, at 4 * lane */
		        enc_sop1(bench_op("s_mov_b64"), ENC_EXEC, 38),
		        enc_ds(bench_op(names[k]), 8, 0),
		        enc_ds_regs(0, 0, 0, DST),
		        enc_sop1(bench_op("s_mov_b64"), ENC_EXEC, ENC_MINUS_ONE),
		        enc_ds(bench_op("ds_read_b32"), 0, 0),
		        enc_ds_regs(0, 0, 0, DATA),
		};

		fill(false);
		if (!run(words, sizeof(words) / sizeof(words[0]), names[k]))
			return;
		for (unsigned w = 0; w < BENCH_WAVES; w++) {
			const struct bench_block *in = &bench.in[w];
			unsigned at = 2, n = 0;
			uint64_t exec = pair(in->sgpr);
			uint32_t old = in->row[DATA - 2][at];

			for (uint64_t left = exec; left; left &= left - 1)
				n++;
			compare(names[k], w, at, bench.out[w].row[DATA - 2][at],
			        k ? old - n : old + n);
			for (unsigned lane = 0; lane < 64; lane++)
				compare(names[k], w, lane, bench.out[w].row[DST - 2][lane],
				        exec >> lane & 1 ? old : in->row[DST - 2][lane]);
		}
	}
}

UT_MAIN("cu oracle lanes", UT(lds_hardware_permutes_lanes),
        UT(readfirstlane_takes_the_lowest_active_lane),
        UT(lanes_are_read_and_written_whatever_exec_says), UT(swap_exchanges_active_lanes),
        UT(counters_count_active_lanes))
