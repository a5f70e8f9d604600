/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs that are saved and restored, traps, halts and the watchdog. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gv/base.h>

#include "cu/state.h"
#include "cu_rig.h"
#include "ut.h"

static struct cu_rig rig;
static uint8_t saved[GV_CU_SAVE_MAX];

/* Into a fresh run, which has other vector instructions every other time. */
static struct gv_cu_run *move(struct gv_cu_run *run, const struct gv_cu_dispatch *d, unsigned n)
{
	size_t bytes = gv_cu_save_size(run);
	struct gv_cu_run *fresh = NULL;

	CU_ASSERT_TRUE_FATAL(bytes <= sizeof(saved));
	CU_ASSERT_EQUAL(gv_cu_save(run, saved, bytes - 1), -ENOSPC);
	CU_ASSERT_EQUAL(gv_cu_save(run, saved, bytes), 0);
	(void)gv_cu_free(run);
	CU_ASSERT_EQUAL_FATAL(gv_cu_begin(&fresh, d), 0);
	if (n & 1)
		fresh->isa = &cu_isa_base;
	CU_ASSERT_EQUAL(gv_cu_restore(fresh, saved, bytes), 0);
	return fresh;
}

/* How often it was moved; *@s: how it ended. */
static unsigned run_moving(struct gv_cu_dispatch d, uint64_t slice, enum gv_cu_status *s)
{
	struct gv_cu_shared shared = {0};
	struct gv_cu_run *run = NULL;
	unsigned moves = 0;

	d.shared = &shared;
	CU_ASSERT_EQUAL_FATAL(gv_cu_begin(&run, &d), 0);
	while ((*s = gv_cu_step(run, slice)) == GV_CU_YIELD && moves < 100000)
		run = move(run, &d, moves++);
	CU_ASSERT_EQUAL(gv_cu_counters(run)->groups,
	                (CU_RIG_SAVE_ITEMS + CU_RIG_SAVE_GROUP - 1) / CU_RIG_SAVE_GROUP);
	(void)gv_cu_free(run);
	return moves;
}

static void check_kernel(const char *name, uint32_t rounds, uint64_t slice)
{
	static uint32_t straight[CU_RIG_SAVE_ITEMS];
	struct gv_cu_dispatch d;
	enum gv_cu_status s;
	unsigned moves;
	uint64_t zeros = 0;
	const uint32_t *out = cu_rig_run_straight(&rig, name, rounds, straight, &d);

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	moves = run_moving(d, slice, &s);
	CU_ASSERT_EQUAL(s, GV_CU_DONE);
	CU_ASSERT_TRUE(moves >= 1000);
	CU_ASSERT_EQUAL(memcmp(straight, out, sizeof(straight)), 0);
	for (unsigned i = 0; i < 64; i++)
		zeros += straight[i] == 0;
	CU_ASSERT_TRUE(zeros < 8);
}

static void a_kernel_moved_a_thousand_times_gives_the_same_bits(void)
{
	static const char *const opt[] = {"-O0", "-O2"};

	for (unsigned o = 0; o < GV_ARRAY_LEN(opt); o++) {
		CU_ASSERT_EQUAL_FATAL(cu_rig_open(&rig, "save.cl", opt[o]), 0);
		check_kernel("sort", 48, o ? 7 : 31);
		check_kernel("atomics", 60, o ? 3 : 17);
		check_kernel("scratch", 96, o ? 5 : 31);
		check_kernel("divergent", 80, o ? 5 : 17);
		cu_rig_close(&rig);
	}
}

/* ---- hand-made programs ---- */

#define MEM_VA    0x40000000ull
#define MEM_BYTES 0x4000u

static uint32_t mem[MEM_BYTES / 4] __attribute__((aligned(4096)));

static int translate(void *ctx, uint64_t va, unsigned access, struct gv_cu_window *w)
{
	(void)ctx;
	(void)access;
	if (va - MEM_VA >= MEM_BYTES)
		return -EFAULT;
	*w = (struct gv_cu_window){MEM_VA, MEM_BYTES, (uint8_t *)mem, 7};
	return 0;
}

/* One workgroup of two waves; s[0:1] is where to store. */
static struct gv_cu_dispatch program(const uint32_t *code, size_t bytes)
{
	memset(mem, 0, sizeof(mem));
	memcpy(mem, code, bytes);
	return (struct gv_cu_dispatch){
	        .mem = {.translate = translate},
	        .pgm_va = MEM_VA,
	        .rsrc1 = 0xaf0000 | 3,                 /* 16 VGPRs */
	        .rsrc2 = 2u << 1 | 1u << 7 | 2u << 15, /* two user SGPRs, 1 KiB of LDS */
	        .user_data = {(uint32_t)MEM_VA + 0x2000},
	        .dim = {1, 1, 1},
	        .num_thread = {128, 1, 1},
	};
}
#define PROGRAM(code) program(code, sizeof(code))

static struct gv_cu_run *begin(const struct gv_cu_dispatch *d)
{
	struct gv_cu_run *run = NULL;

	CU_ASSERT_EQUAL_FATAL(gv_cu_begin(&run, d), 0);
	return run;
}

/* s3 counts to 200, then v0 + s3 goes to memory */
static const uint32_t counting[] = {
        0xb0030000,             /* s_movk_i32 s3, 0 */
        0x80038103,             /* s_add_u32 s3, s3, 1 */
        0xb60300c8,             /* s_cmpk_lt_u32 s3, 200 */
        0xbf85fffd,             /* s_cbranch_scc1 -3 */
        0x68020003,             /* v_add_u32_e32 v1, s3, v0 */
        0x24040082,             /* v_lshlrev_b32_e32 v2, 2, v0 */
        0xdc708000, 0x00000102, /* global_store_dword v2, v1, s[0:1] */
        0xbf810000,             /* s_endpgm */
};

static const uint32_t *counted(void)
{
	return mem + 0x2000 / 4;
}

static bool counted_right(void)
{
	for (uint32_t i = 0; i < 128; i++)
		if (counted()[i] != 200 + i)
			return false;
	return true;
}

static size_t save_counting(struct gv_cu_dispatch *d)
{
	struct gv_cu_run *run;
	size_t bytes;

	*d = PROGRAM(counting);
	run = begin(d);
	CU_ASSERT_EQUAL(gv_cu_step(run, 100), GV_CU_YIELD);
	bytes = gv_cu_save_size(run);
	CU_ASSERT_EQUAL(gv_cu_save(run, saved, sizeof(saved)), 0);
	(void)gv_cu_free(run);
	return bytes;
}

static void a_run_between_two_workgroups_is_small(void)
{
	struct gv_cu_dispatch d = PROGRAM(counting);
	struct gv_cu_run *run = begin(&d);
	size_t bytes = gv_cu_save_size(run);

	CU_ASSERT_TRUE(bytes < 256);
	CU_ASSERT_EQUAL(gv_cu_save(run, saved, bytes), 0);
	CU_ASSERT_EQUAL(gv_cu_step(run, 5), GV_CU_YIELD);
	CU_ASSERT_TRUE(gv_cu_save_size(run) > 2 * 16 * 256);
	(void)gv_cu_free(run);
	run = begin(&d);
	CU_ASSERT_EQUAL(gv_cu_restore(run, saved, bytes), 0);
	CU_ASSERT_EQUAL(gv_cu_step(run, 100000), GV_CU_DONE);
	CU_ASSERT_TRUE(counted_right());
	(void)gv_cu_free(run);
}

/* Every word that is checked, with values that are wrong in it; and the run still works. */
static void what_save_did_not_write_is_refused_and_changes_nothing(void)
{
	static const struct {
		size_t at;
		uint32_t bad[3];
	} t[] = {
	        {0, {0, 1, UINT32_MAX}},            /* magic */
	        {4, {0, 2, UINT32_MAX}},            /* version */
	        {8, {0, 120, UINT32_MAX}},          /* bytes */
	        {12, {1, 0x80000000, UINT32_MAX}},  /* bytes, high */
	        {16, {0, 2, UINT32_MAX}},           /* in a group */
	        {20, {0, 1, 3}},                    /* waves */
	        {24, {0, 15, 256}},                 /* VGPRs */
	        {28, {0, 1023, UINT32_MAX}},        /* LDS */
	        {32, {2, 3, UINT32_MAX}},           /* current */
	        {36, {1, 2, UINT32_MAX}},           /* group */
	        {40, {1, 2, UINT32_MAX}},           /* group */
	        {44, {1, 2, UINT32_MAX}},           /* group */
	        {120, {1, 2, 3}},                   /* PC of wave 0 */
	        {136, {5, 6, UINT32_MAX}},          /* its state */
	        {140, {1, 4, UINT32_MAX}},          /* flags: PRIV without a handler */
	        {144, {2, 3, UINT32_MAX}},          /* SCC */
	        {156, {1, 2, UINT32_MAX}},          /* zero */
	        {120 + 552 + 4096, {1, 2, 3}},      /* PC of wave 1 */
	        {120 + 552 + 4096 + 16, {5, 6, 7}}, /* its state */
	};
	static uint8_t copy[sizeof(saved)];
	struct gv_cu_dispatch d;
	size_t bytes = save_counting(&d);
	struct gv_cu_run *run = begin(&d);

	CU_ASSERT_EQUAL(bytes, 120 + 2 * (552 + 4096) + 1024);
	for (size_t n = 0; n < GV_ARRAY_LEN(t); n++)
		for (size_t k = 0; k < 3; k++) {
			memcpy(copy, saved, bytes);
			memcpy(copy + t[n].at, &t[n].bad[k], 4);
			CU_ASSERT_EQUAL(gv_cu_restore(run, copy, bytes), -EINVAL);
		}
	for (size_t n = 0; n < bytes; n += n < 200 ? 1 : 97)
		CU_ASSERT_EQUAL(gv_cu_restore(run, saved, n), -EINVAL);
	CU_ASSERT_EQUAL(gv_cu_save_size(run), 120);
	CU_ASSERT_EQUAL(gv_cu_step(run, 100000), GV_CU_DONE);
	CU_ASSERT_EQUAL(gv_cu_counters(run)->groups, 1);
	CU_ASSERT_TRUE(counted_right());
	(void)gv_cu_free(run);
}

static void another_dispatch_is_refused(void)
{
	struct gv_cu_dispatch d, other;
	size_t bytes = save_counting(&d);
	struct gv_cu_run *run;

	for (unsigned n = 0; n < 5; n++) {
		other = d;
		switch (n) {
		case 0:
			other.rsrc1++; /* more VGPRs */
			break;
		case 1:
			other.rsrc2 ^= 1u << 15; /* other LDS */
			break;
		case 2:
			other.num_thread[0] = 64;
			break;
		case 3:
			other.partial[0] = 1;
			break;
		default:
			other.dim[1] = 0;
			break;
		}
		run = begin(&other);
		CU_ASSERT_EQUAL(gv_cu_restore(run, saved, bytes), -EINVAL);
		(void)gv_cu_free(run);
	}
}

static void a_faulted_run_is_not_saved(void)
{
	static const uint32_t code[] = {0xffffffff, 0xffffffff};
	struct gv_cu_dispatch d = PROGRAM(code);
	struct gv_cu_run *run = begin(&d);

	CU_ASSERT_EQUAL(gv_cu_step(run, 100), GV_CU_FAULT);
	CU_ASSERT_EQUAL(gv_cu_save(run, saved, sizeof(saved)), -EINVAL);
	(void)gv_cu_free(run);
}

/* Any PC, registers and modes: what a guest can write over its save area. */
static void a_forged_wave_stays_inside(void)
{
	struct gv_cu_dispatch d;
	size_t bytes = save_counting(&d);
	uint32_t at = 1;
	unsigned taken = 0;

	for (unsigned n = 0; n < 2000; n++) {
		struct gv_cu_run *run = begin(&d);
		uint32_t word;

		at = at * 1664525u + 1013904223u;
		word = at;
		memcpy(saved + 48 + 4 * (at >> 8) % (bytes - 52) / 4 * 4, &word, 4);
		if (n % 16 == 0)
			(void)save_counting(&d);
		if (gv_cu_restore(run, saved, bytes) == 0) {
			taken++;
			for (unsigned k = 0; k < 20 && gv_cu_step(run, 100) == GV_CU_YIELD; k++)
				;
		}
		(void)gv_cu_free(run);
	}
	CU_ASSERT_TRUE(taken > 500);
}

/* Between s_set_gpr_idx_on and the instruction it is for. */
static void relative_registers_stay_relative(void)
{
	static const uint32_t code[] = {
	        0x7e02028a,             /* v_mov_b32_e32 v1, 10 */
	        0x7e040294,             /* v_mov_b32_e32 v2, 20 */
	        0xbe830082,             /* s_mov_b32 s3, 2 */
	        0xbf110103,             /* s_set_gpr_idx_on s3, gpr_idx(SRC0) */
	        0x7e060300,             /* v_mov_b32_e32 v3, v0 */
	        0xbf9c0000,             /* s_set_gpr_idx_off */
	        0x24080082,             /* v_lshlrev_b32_e32 v4, 2, v0 */
	        0xdc708000, 0x00000304, /* global_store_dword v4, v3, s[0:1] */
	        0xbf810000,             /* s_endpgm */
	};
	struct gv_cu_dispatch d = PROGRAM(code);
	struct gv_cu_run *run = begin(&d);
	unsigned moves = 0;

	while (gv_cu_step(run, 1) == GV_CU_YIELD && moves < 1000)
		run = move(run, &d, moves++);
	CU_ASSERT_TRUE(moves >= 18);
	for (uint32_t i = 0; i < 128; i++)
		CU_ASSERT_EQUAL(counted()[i], 20);
	(void)gv_cu_free(run);
}

/* ---- traps and halts ---- */

/* s4 = 2 from the handler, then s3 = 200 + s4 as in `counting` */
static const uint32_t trapping[] = {
        0xb0030000,             /* s_movk_i32 s3, 0 */
        0xbe840080,             /* s_mov_b32 s4, 0 */
        0x80038103,             /* s_add_u32 s3, s3, 1 */
        0xbf920002,             /* s_trap 2 */
        0xb60300c8,             /* s_cmpk_lt_u32 s3, 200 */
        0xbf85fffc,             /* s_cbranch_scc1 -4 */
        0x80030403,             /* s_add_u32 s3, s3, s4 */
        0x68020003,             /* v_add_u32_e32 v1, s3, v0 */
        0x24040082,             /* v_lshlrev_b32_e32 v2, 2, v0 */
        0xdc708000, 0x00000102, /* global_store_dword v2, v1, s[0:1] */
        0xbf810000,             /* s_endpgm */
};
static const uint32_t handler[] = {
        0x8f6e906d, /* s_lshr_b32 ttmp2, ttmp1, 16 */
        0x80046e04, /* s_add_u32 s4, s4, ttmp2 */
        0x806c846c, /* s_add_u32 ttmp0, ttmp0, 4 */
        0x826d806d, /* s_addc_u32 ttmp1, ttmp1, 0 */
        0xbe801f6c, /* s_rfe_b64 ttmp[0:1] */
};

static void a_trap_handler_is_entered_and_left(void)
{
	for (uint64_t slice = 1; slice < 2000; slice = slice * 3 + 1) {
		struct gv_cu_dispatch d = PROGRAM(trapping);
		enum gv_cu_status s;
		struct gv_cu_run *run;
		unsigned moves = 0;

		memcpy(mem + 0x1000 / 4, handler, sizeof(handler));
		d.tba = MEM_VA + 0x1000;
		run = begin(&d);
		while ((s = gv_cu_step(run, slice)) == GV_CU_YIELD)
			run = move(run, &d, moves++);
		CU_ASSERT_EQUAL(s, GV_CU_DONE);
		for (uint32_t i = 0; i < 128; i += 63)
			CU_ASSERT_EQUAL(counted()[i], 200 + 400 + i);
		(void)gv_cu_free(run);
	}
}

static enum gv_cu_reason reason(const struct gv_cu_dispatch *d, const char **name)
{
	struct gv_cu_run *run = begin(d);
	enum gv_cu_reason why;

	CU_ASSERT_EQUAL(gv_cu_step(run, 100000), GV_CU_FAULT);
	why = gv_cu_fault(run)->reason;
	*name = gv_cu_fault(run)->name;
	(void)gv_cu_free(run);
	return why;
}

static void a_trap_without_handler_or_in_it_is_a_fault(void)
{
	static const uint32_t leaves[] = {0xbe801f6c, 0xbf810000}; /* s_rfe_b64 */
	struct gv_cu_dispatch d = PROGRAM(trapping);
	const char *name;

	CU_ASSERT_EQUAL(reason(&d, &name), GV_CU_TRAP);
	CU_ASSERT_STRING_EQUAL(name, "s_trap");
	d.tba = MEM_VA; /* the program is its own handler: s_trap again */
	CU_ASSERT_EQUAL(reason(&d, &name), GV_CU_TRAP);
	d = PROGRAM(leaves);
	CU_ASSERT_EQUAL(reason(&d, &name), GV_CU_BAD_INSTRUCTION);
	CU_ASSERT_STRING_EQUAL(name, "s_rfe_b64");
}

/* Wave 0 halts at once; wave 1 goes on to its end and stores. */
static void a_halted_wave_stays_and_others_go_on(void)
{
	static const uint32_t code[] = {
	        0x7e020500,             /* v_readfirstlane_b32 s1, v0 */
	        0xbf068001,             /* s_cmp_eq_u32 s1, 0 */
	        0xbe810080,             /* s_mov_b32 s1, 0 */
	        0xbf840001,             /* s_cbranch_scc0 1 */
	        0xbf8d0001,             /* s_sethalt 1 */
	        0x24040082,             /* v_lshlrev_b32_e32 v2, 2, v0 */
	        0xdc708000, 0x00000002, /* global_store_dword v2, v0, s[0:1] */
	        0xbf810000,
	};
	struct gv_cu_dispatch d = PROGRAM(code);
	struct gv_cu_run *run = begin(&d);

	for (unsigned n = 0; n < 10; n++) {
		CU_ASSERT_EQUAL(gv_cu_step(run, 1000), GV_CU_RETRY);
		run = move(run, &d, n);
	}
	CU_ASSERT_EQUAL(counted()[1], 0);
	CU_ASSERT_EQUAL(counted()[64], 64);
	CU_ASSERT_EQUAL(counted()[127], 127);
	(void)gv_cu_free(run);
}

static void the_watchdog_ends_a_wave_that_takes_too_long(void)
{
	static const uint32_t endless[] = {0xbf82ffff}; /* s_branch to itself */
	struct gv_cu_dispatch d = PROGRAM(endless);
	struct gv_cu_run *run;
	const char *name;

	d.wave_limit = 50000;
	CU_ASSERT_EQUAL(reason(&d, &name), GV_CU_WATCHDOG);
	d = PROGRAM(counting);
	d.wave_limit = 604; /* one of its two waves has that many */
	run = begin(&d);
	CU_ASSERT_EQUAL(gv_cu_step(run, 100000), GV_CU_DONE);
	(void)gv_cu_free(run);
	d.wave_limit = 300;
	run = begin(&d);
	for (unsigned n = 0; n < 20; n++) /* and counts on when it is moved */
		if (gv_cu_step(run, 50) == GV_CU_YIELD)
			run = move(run, &d, n);
	CU_ASSERT_EQUAL(gv_cu_fault(run)->reason, GV_CU_WATCHDOG);
	(void)gv_cu_free(run);
}

/* ---- runs that are used again ---- */

/* Sixteen waves of few registers, then one of many: the sixteen are no more. */
static void a_run_used_again_forgets_the_waves_it_had(void)
{
	struct gv_cu_dispatch d = PROGRAM(counting);
	struct gv_cu_run *run;

	d.num_thread[0] = 1024;
	run = begin(&d);
	CU_ASSERT_EQUAL(gv_cu_step(run, 100000), GV_CU_DONE);
	d.num_thread[0] = 64;
	d.rsrc1 |= 63;
	CU_ASSERT_EQUAL_FATAL(gv_cu_again(run, &d), 0);
	CU_ASSERT_TRUE(run->num_waves <= run->max_waves);
	CU_ASSERT_EQUAL(gv_cu_step(run, 100000), GV_CU_DONE);
	CU_ASSERT_EQUAL(counted()[63], 263);
	(void)gv_cu_free(run);
}

/* s3 from src_shared_base; v3 = s3 goes to memory */
static void a_run_used_again_sees_other_apertures(void)
{
	static const uint32_t code[] = {
	        0xbe8201eb,             /* s_mov_b64 s[2:3], src_shared_base */
	        0x7e060203,             /* v_mov_b32_e32 v3, s3 */
	        0x24040082,             /* v_lshlrev_b32_e32 v2, 2, v0 */
	        0xdc708000, 0x00000302, /* global_store_dword v2, v3, s[0:1] */
	        0xbf810000,             /* s_endpgm */
	};
	struct gv_cu_dispatch d = PROGRAM(code);
	struct gv_cu_run *run;

	d.shared_base = 1ull << 48;
	run = begin(&d);
	CU_ASSERT_EQUAL(gv_cu_step(run, 1000), GV_CU_DONE);
	CU_ASSERT_EQUAL(counted()[0], 0x10000);
	d.shared_base = 2ull << 48;
	CU_ASSERT_EQUAL_FATAL(gv_cu_again(run, &d), 0);
	CU_ASSERT_EQUAL(gv_cu_step(run, 1000), GV_CU_DONE);
	CU_ASSERT_EQUAL(counted()[0], 0x20000);
	(void)gv_cu_free(run);
}

/* Once compared with memory, decoded again while it was other code, then as it was before. */
static void code_that_was_other_code_for_a_while_is_noticed(void)
{
	static const uint32_t code[] = {
	        0x7e060281,             /* v_mov_b32_e32 v3, 1 */
	        0x24040082,             /* v_lshlrev_b32_e32 v2, 2, v0 */
	        0xdc708000, 0x00000302, /* global_store_dword v2, v3, s[0:1] */
	        0xbf810000,             /* s_endpgm */
	};
	uint64_t generation = 1;
	struct gv_cu_dispatch d = PROGRAM(code);
	struct gv_cu_run *run;

	d.mem.generation = &generation;
	run = begin(&d);
	for (unsigned n = 0; n < 2; n++) {
		CU_ASSERT_EQUAL(gv_cu_step(run, 1000), GV_CU_DONE);
		CU_ASSERT_EQUAL_FATAL(gv_cu_again(run, &d), 0);
	}
	CU_ASSERT_EQUAL(gv_cu_step(run, 1), GV_CU_YIELD); /* compared: it is the same */
	generation++;                                     /* and everything decoded is forgotten */
	mem[0] = 0x7e060282;                              /* v_mov_b32_e32 v3, 2 */
	d.num_thread[0] = 64;
	CU_ASSERT_EQUAL(gv_cu_step(run, 1000), GV_CU_DONE); /* wave 1 decodes that */
	CU_ASSERT_EQUAL(counted()[64], 2);
	mem[0] = code[0];
	CU_ASSERT_EQUAL_FATAL(gv_cu_again(run, &d), 0);
	CU_ASSERT_EQUAL(gv_cu_step(run, 1000), GV_CU_DONE);
	CU_ASSERT_EQUAL(counted()[0], 1);
	(void)gv_cu_free(run);
}

/* A jump every KiB, round and round: two runs have room for three pieces of it, and one each. */
static void decoded_code_has_a_bound(void)
{
	static const uint32_t jump[] = {
	        0x80038103, /* s_add_u32 s3, s3, 1 */
	        0xbf8200fe, /* s_branch 254 */
	};
	struct gv_cu_dispatch d = PROGRAM(jump);
	struct gv_cu_run *run[2];
	uint32_t room = 3;

	for (unsigned n = 1; n < 7; n++)
		memcpy(mem + n * CU_CHUNK_DW, jump, sizeof(jump));
	mem[7 * CU_CHUNK_DW] = 0xbf82f8ff; /* s_branch to the first */
	d.code_room = &room;
	for (unsigned n = 0; n < 2; n++)
		run[n] = begin(&d);
	for (unsigned n = 0; n < 100; n++) {
		CU_ASSERT_EQUAL(gv_cu_step(run[n & 1], 100), GV_CU_YIELD);
		CU_ASSERT_EQUAL(run[0]->num_chunks + run[1]->num_chunks - (n ? 2u : 1u) + room, 3);
	}
	for (unsigned n = 0; n < 2; n++)
		(void)gv_cu_free(run[n]);
	CU_ASSERT_EQUAL(room, 3);
}

int main(int argc, char **argv)
{
	static const struct ut_case cases[] = {
	        UT(a_kernel_moved_a_thousand_times_gives_the_same_bits),
	        UT(a_run_between_two_workgroups_is_small),
	        UT(what_save_did_not_write_is_refused_and_changes_nothing),
	        UT(another_dispatch_is_refused),
	        UT(a_faulted_run_is_not_saved),
	        UT(a_forged_wave_stays_inside),
	        UT(relative_registers_stay_relative),
	        UT(a_trap_handler_is_entered_and_left),
	        UT(a_trap_without_handler_or_in_it_is_a_fault),
	        UT(a_halted_wave_stays_and_others_go_on),
	        UT(the_watchdog_ends_a_wave_that_takes_too_long),
	        UT(a_run_used_again_forgets_the_waves_it_had),
	        UT(a_run_used_again_sees_other_apertures),
	        UT(code_that_was_other_code_for_a_while_is_noticed),
	        UT(decoded_code_has_a_bound),
	};

	if (!cu_rig_has("clang-14")) {
		printf("SKIP: clang-14 is not installed\n");
		return 77;
	}
	return ut_main(argc, argv, "cu save", cases, (int)GV_ARRAY_LEN(cases));
}
