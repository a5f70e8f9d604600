/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Code and dispatches a guest should not send: they must end in a fault or in
 * GV_CU_YIELD, never outside the run's memory (the sanitizers watch).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <gv/base.h>

#include "cu/state.h"
#include "cu_rig.h"
#include "ut.h"

#define MEM_BYTES 0x10000u
#define MEM_VA    0x40000000ull

static uint8_t mem[MEM_BYTES] __attribute__((aligned(4096)));
static uint64_t state, executed;
static char everywhere;

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 2685821657736338717ull;
}

static int translate(void *ctx, uint64_t va, unsigned access, struct gv_cu_window *w)
{
	(void)access;
	if (ctx) { /* every address is some page of the memory */
		*w = (struct gv_cu_window){va & ~0xfffull, 0x1000, mem + (va & 0xf000), 7};
		return 0;
	}
	if (va - MEM_VA >= MEM_BYTES)
		return -EFAULT;
	*w = (struct gv_cu_window){va & ~0xfffull, 0x1000, mem + ((va - MEM_VA) & ~0xfffull), 7};
	return 0;
}

static struct gv_cu_dispatch dispatch(void)
{
	return (struct gv_cu_dispatch){
	        .mem = {.translate = translate},
	        .pgm_va = MEM_VA,
	        .rsrc1 = 0xaf0000 | 15, /* 64 VGPRs */
	        .rsrc2 = 16u << 1 | 7u << 7 | 2u << 15,
	        .dim = {1, 1, 1},
	        .num_thread = {64, 1, 1},
	        .private_base = 1ull << 48,
	        .shared_base = 2ull << 48,
	};
}

static void put(unsigned at, const uint32_t *word, unsigned n)
{
	memcpy(mem + 4 * at, word, 4 * n);
}

static enum gv_cu_status run(const struct gv_cu_dispatch *d, uint64_t steps, struct gv_cu_fault *f)
{
	struct gv_cu_run *r = NULL;
	enum gv_cu_status s = GV_CU_FAULT;
	int rc = gv_cu_begin(&r, d);

	CU_ASSERT_EQUAL(rc, 0);
	if (rc)
		return s;
	for (uint64_t n = 0; n < steps; n++) {
		s = gv_cu_step(r, 50);
		if (s != GV_CU_YIELD)
			break;
	}
	executed += gv_cu_counters(r)->instructions;
	if (f)
		*f = *gv_cu_fault(r);
	(void)gv_cu_free(r);
	return s;
}

/* An encoding near a real one: random operands in a row the interpreter has. */
static void random_row(uint32_t word[2])
{
	static const uint32_t top[] = {0x80000000u, 0xb0000000u, 0xbe800000u, 0xbf000000u,
	                               0xc0000000u, 0xd0000000u, 0xd3800000u, 0xd8000000u,
	                               0xdc000000u, 0xe0000000u, 0x00000000u, 0x7e000000u,
	                               0x7c000000u};
	static const uint32_t rest[] = {0x3fffffffu, 0x0fffffffu, 0x007fffffu, 0x007fffffu,
	                                0x03ffffffu, 0x03ffffffu, 0x007fffffu, 0x03ffffffu,
	                                0x03ffffffu, 0x03ffffffu, 0x7fffffffu, 0x01ffffffu,
	                                0x01ffffffu};
	unsigned n = (unsigned)(next() % GV_ARRAY_LEN(top));

	word[0] = top[n] | ((uint32_t)next() & rest[n]);
	word[1] = (uint32_t)next();
	if (next() & 1) /* registers within reach, so that more of it executes */
		word[1] &= 0x3f3f3f3fu;
	if (next() % 3 == 0)
		word[1] = (word[1] & 0xff80ffffu) | 0x7f0000u;
}

static void random_instructions_stay_inside(void)
{
	unsigned done = 0, faults = 0, open = 0;

	for (unsigned round = 0; round < 3000; round++) {
		struct gv_cu_dispatch d = dispatch();
		unsigned at = 0;

		state = 0x9e3779b97f4a7c15ull * (round + 1);
		if (round & 1)
			d.rsrc1 |= 63; /* all registers there are */
		if (round & 2)
			d.mem.ctx = &everywhere;
		for (unsigned k = 0; k < 16; k++)
			d.user_data[k] =
			        next() % 3 ? (uint32_t)(k & 1 ? 0 : MEM_VA + next() % MEM_BYTES)
			                   : (uint32_t)next();
		while (at < 900) {
			uint32_t word[2];
			unsigned dwords;

			random_row(word);
			/* ends and traps would hide what comes after them */
			if (!gv_cu_implemented(word) || word[0] >> 16 == 0xbf81 ||
			    word[0] >> 16 == 0xbf92)
				continue;
			(void)gv_cu_name(word, &dwords);
			put(at, word, dwords);
			at += dwords;
		}
		switch (run(&d, 200, NULL)) {
		case GV_CU_DONE:
			done++;
			break;
		case GV_CU_FAULT:
			faults++;
			break;
		default:
			open++;
			break;
		}
	}
	CU_ASSERT_EQUAL(done + faults + open, 3000);
	CU_ASSERT_TRUE(faults > 100);
	CU_ASSERT_TRUE(executed > 100000);
}

/* One instruction at a time: every row with every kind of operand, far from the easy faults. */
static void single_instructions_with_random_state_stay_inside(void)
{
	struct gv_cu_dispatch d = dispatch();
	unsigned ended = 0;

	state = 12345;
	d.rsrc1 |= 63;
	for (unsigned round = 0; round < 60000; round++) {
		uint32_t word[2], end = 0xbf810000u;
		unsigned dwords, at = 0;

		random_row(word);
		if (!gv_cu_implemented(word))
			continue;
		d.mem.ctx = round & 1 ? &everywhere : NULL;
		(void)gv_cu_name(word, &dwords);
		for (unsigned k = 0; k < 16; k++)
			d.user_data[k] = (uint32_t)(k & 1 ? next() % 3 ? 0 : next()
			                                  : MEM_VA + next() % 0x8000);
		d.user_data[next() % 16] = (uint32_t)next();
		/* addresses, data and odd lanes for it to work on */
		for (uint32_t v = 0; v < 8; v++) {
			uint32_t lit[2] = {0x7e0000ffu | v << 17 | 1 << 9,
			                   v & 1 ? 0 : (uint32_t)(MEM_VA + next() % 0x8000)};

			put(at, lit, 2);
			at += 2;
		}
		{
			uint32_t m0[2] = {0xbefc00ffu, (uint32_t)next()};
			uint32_t exec[2] = {0xbefe00ffu, (uint32_t)next()};

			put(at, m0, 2);
			put(at + 2, exec, next() & 1 ? 2 : 0);
			at += next() & 1 ? 2 : 4;
		}
		put(at, word, dwords);
		for (unsigned k = 0; k < 8; k++)
			put(at + dwords + k, &end, 1);
		ended += run(&d, 20, NULL) != GV_CU_YIELD;
	}
	CU_ASSERT_TRUE(ended > 10000);
}

static void an_endless_loop_yields(void)
{
	static const uint32_t loop[] = {0xbf82ffff}; /* s_branch to itself */
	struct gv_cu_dispatch d = dispatch();

	put(0, loop, 1);
	CU_ASSERT_EQUAL(run(&d, 1000, NULL), GV_CU_YIELD);
}

static void a_waiting_wave_does_not_starve_the_one_it_waits_for(void)
{
	/* v0 of wave 0 is 0..63: it spins until LDS dword 0 is set; wave 1 sets it */
	static const uint32_t code[] = {
	        0x7e020500,             /* v_readfirstlane_b32 s1, v0 */
	        0x7e060280,             /* v_mov_b32 v3, 0 */
	        0xbf068001,             /* s_cmp_eq_u32 s1, 0 */
	        0xbf850004,             /* s_cbranch_scc1 +4: wave 0 */
	        0x7e080281,             /* v_mov_b32 v4, 1 */
	        0xd81a0000, 0x00000403, /* ds_write_b32 v3, v4 */
	        0xbf810000,             /* s_endpgm */
	        0xd86c0000, 0x05000003, /* ds_read_b32 v5, v3 */
	        0x7e040505,             /* v_readfirstlane_b32 s2, v5 */
	        0xbf068002,             /* s_cmp_eq_u32 s2, 0 */
	        0xbf85fffb,             /* s_cbranch_scc1 -5 */
	        0xbf810000,
	};
	struct gv_cu_dispatch d = dispatch();

	d.num_thread[0] = 128;
	put(0, code, GV_ARRAY_LEN(code));
	CU_ASSERT_EQUAL(run(&d, 5000, NULL), GV_CU_DONE);
}

/* Four registers of result, of which the last would be v64 of 64. */
static void an_indexed_register_is_checked_for_all_its_dwords(void)
{
	static const uint32_t code[] = {0xbf1108bc, /* s_set_gpr_idx_on 60, gpr_idx(DST) */
	                                0xd1e70001, 0x04120702, /* v_mqsad_u32_u8 v[1:4], ... */
	                                0xbf810000};
	struct gv_cu_dispatch d = dispatch();
	struct gv_cu_fault f;

	put(0, code, GV_ARRAY_LEN(code));
	CU_ASSERT_EQUAL(run(&d, 10, &f), GV_CU_FAULT);
	CU_ASSERT_EQUAL(f.reason, GV_CU_BAD_INSTRUCTION);
	CU_ASSERT_EQUAL(f.pc, MEM_VA + 4);
}

static void faults_say_what_and_where(void)
{
	static const struct {
		uint32_t word[2];
		enum gv_cu_reason why;
		const char *name;
	} t[] = {
	        {{0xdc508000, 0x017f0000}, GV_CU_MEMORY_FAULT, "global_load_dword"},
	        {{0xf0000000, 0}, GV_CU_UNIMPLEMENTED, "image_load"},
	        {{0xe8000000, 1u << 23}, GV_CU_UNIMPLEMENTED, "tbuffer_load_format_x"}, /* TFE */
	        {{0xc4000000, 0}, GV_CU_UNIMPLEMENTED, "exp"},
	        {{0xd81b0000, 0}, GV_CU_UNIMPLEMENTED, "ds_write_b32"}, /* GDS */
	        {{0xbf920001, 0}, GV_CU_TRAP, "s_trap"},
	        {{0x7e0002ff, 0xbf810000}, GV_CU_NO_FAULT, ""}, /* v_mov_b32 v0, literal */
	        {{0x7fff0200 | 0x1ff, 0}, GV_CU_BAD_INSTRUCTION, "?"},
	        {{0x7f800300, 0}, GV_CU_BAD_INSTRUCTION, "v_mov_b32"}, /* v192 of 64 */
	        {{0xbe8100fe, 0}, GV_CU_UNIMPLEMENTED, "s_mov_b32"},   /* LDS_DIRECT */
	};

	for (unsigned n = 0; n < GV_ARRAY_LEN(t); n++) {
		struct gv_cu_dispatch d = dispatch();
		struct gv_cu_fault f;
		char text[256];
		static const uint32_t end[] = {0xbf810000, 0xbf810000};

		put(0, (const uint32_t[]){0xbf800000}, 1);
		put(1, t[n].word, 2);
		put(3, end, 2);
		CU_ASSERT_EQUAL(run(&d, 10, &f), t[n].why ? GV_CU_FAULT : GV_CU_DONE);
		CU_ASSERT_EQUAL(f.reason, t[n].why);
		if (!t[n].why)
			continue;
		CU_ASSERT_EQUAL(f.pc, MEM_VA + 4);
		CU_ASSERT_EQUAL(f.word[0], t[n].word[0]);
		if (t[n].name[0] != '?')
			CU_ASSERT_STRING_EQUAL(f.name, t[n].name);
		CU_ASSERT_PTR_NOT_NULL(
		        strstr(gv_cu_fault_text(&f, text, sizeof(text)), "pc 0x40000004: "));
		CU_ASSERT_PTR_NOT_NULL(strstr(text, t[n].name[0] == '?' ? ".long" : t[n].name));
	}
}

static void running_off_the_code_is_a_fetch_fault(void)
{
	struct gv_cu_dispatch d = dispatch();
	struct gv_cu_fault f;

	for (unsigned n = 0; n < MEM_BYTES / 4; n++)
		put(n, (const uint32_t[]){0xbf800000}, 1);
	CU_ASSERT_EQUAL(run(&d, 1000, &f), GV_CU_FAULT);
	CU_ASSERT_EQUAL(f.reason, GV_CU_FETCH_FAULT);
	CU_ASSERT_EQUAL(f.va, MEM_VA + MEM_BYTES);
}

static void impossible_dispatches_are_refused(void)
{
	struct gv_cu_run *r = NULL;
	struct gv_cu_dispatch d = dispatch();

	d.num_thread[0] = 0;
	CU_ASSERT_EQUAL(gv_cu_begin(&r, &d), -EINVAL);
	d.num_thread[0] = 1025;
	CU_ASSERT_EQUAL(gv_cu_begin(&r, &d), -EINVAL);
	d.num_thread[0] = d.num_thread[1] = d.num_thread[2] = 0xffffffff;
	CU_ASSERT_EQUAL(gv_cu_begin(&r, &d), -EINVAL);
	d = dispatch();
	d.num_thread[0] = 1024;
	d.rsrc1 |= 63; /* 256 VGPRs for each of 16 waves */
	CU_ASSERT_EQUAL(gv_cu_begin(&r, &d), -EINVAL);
	d = dispatch();
	d.rsrc2 |= 1;
	d.tmpring_size = 3 | 1 << 12;
	d.scratch_slot = 3;
	CU_ASSERT_EQUAL(gv_cu_begin(&r, &d), -ENOSPC);
	d.scratch_slot = 2;
	CU_ASSERT_EQUAL(gv_cu_begin(&r, &d), 0);
	r = gv_cu_free(r);
	CU_ASSERT_PTR_NULL(gv_cu_free(NULL));
}

static void a_grid_of_any_size_can_be_left(void)
{
	static const uint32_t end[] = {0xbf810000};
	struct gv_cu_dispatch d = dispatch();
	struct gv_cu_fault f;

	d.dim[0] = d.dim[1] = d.dim[2] = UINT32_MAX;
	put(0, end, 1);
	CU_ASSERT_EQUAL(run(&d, 100, &f), GV_CU_YIELD);
	d.dim[1] = 0;
	CU_ASSERT_EQUAL(run(&d, 1, &f), GV_CU_DONE);
}

static void code_is_fetched_again_when_the_mapping_changes(void)
{
	/* s_mov_b32 s0, 1; s_branch -2: after the change the loop ends */
	static const uint32_t loop[] = {0xbe800081, 0xbf82fffe};
	struct gv_cu_dispatch d = dispatch();
	uint64_t generation = 1;
	struct gv_cu_run *r = NULL;

	d.mem.generation = &generation;
	put(0, loop, 2);
	CU_ASSERT_EQUAL_FATAL(gv_cu_begin(&r, &d), 0);
	CU_ASSERT_EQUAL(gv_cu_step(r, 100), GV_CU_YIELD);
	put(0, (const uint32_t[]){0xbf810000}, 1);
	generation++;
	CU_ASSERT_EQUAL(gv_cu_step(r, 100), GV_CU_DONE);
	r = gv_cu_free(r);
}

static void jumping_through_all_of_memory_keeps_the_cache_small(void)
{
	/* a jump into a new chunk each time; memory is mapped again and again */
	static const uint32_t code[] = {
	        0xbe800000 | 2 << 16 | 28 << 8, /* s_getpc_b64 s[2:3] */
	        0x8002ff02, 0x400 - 4,          /* s_add_u32 s2, s2, literal */
	        0xbe801d02,                     /* s_setpc_b64 s[2:3] */
	};
	struct gv_cu_dispatch d = dispatch();

	for (unsigned at = 0; at < MEM_BYTES / 4; at += 256)
		put(at, code, GV_ARRAY_LEN(code));
	d.mem.ctx = &everywhere;
	CU_ASSERT_EQUAL(run(&d, 500, NULL), GV_CU_YIELD); /* more chunks than are kept */
}

UT_MAIN("cu hostile", UT(random_instructions_stay_inside),
        UT(single_instructions_with_random_state_stay_inside), UT(an_endless_loop_yields),
        UT(a_waiting_wave_does_not_starve_the_one_it_waits_for),
        UT(an_indexed_register_is_checked_for_all_its_dwords), UT(faults_say_what_and_where),
        UT(running_off_the_code_is_a_fetch_fault), UT(impossible_dispatches_are_refused),
        UT(a_grid_of_any_size_can_be_left), UT(code_is_fetched_again_when_the_mapping_changes),
        UT(jumping_through_all_of_memory_keeps_the_cache_small))
