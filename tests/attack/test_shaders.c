/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory and registers that are not the attacker's, by shaders. s[0:1] is where a shader leaves
 * what it got, s[2:3] the address it reaches for. Code made with llvm-mc -mcpu=gfx900.
 */
#include "arena.h"
#include "forge.h"

#define MARK 0x5ec2e75eu /* what somebody else leaves behind */

/* v[0:1] = s[2:3], v[3:4] = s[0:1]; flat_load_dword v2, v[0:1]; flat_store_dword v[3:4], v2 */
static const uint32_t load_flat[] = {0x7e000202, 0x7e020203, 0x7e060200, 0x7e080201, 0xdc500000,
                                     0x02000000, 0xbf8c0070, 0xdc700000, 0x00000203, 0xbf810000};
/* flat_store_dword v[0:1], v2 */
static const uint32_t store_flat[] = {0x7e000202, 0x7e020203, 0x7e0402ff, FORGE_JUNK,
                                      0xdc700000, 0x00000200, 0xbf810000};
/* flat_atomic_add v[0:1], v2 */
static const uint32_t atomic_flat[] = {0x7e000202, 0x7e020203, 0x7e0402ff, FORGE_JUNK,
                                       0xdd080000, 0x00000200, 0xbf810000};
/* global_load_dword v2, v0, s[2:3]; global_store_dword v[3:4], v2, off */
static const uint32_t load_global[] = {0x7e000280, 0x7e060200, 0x7e080201, 0xdc508000, 0x02020000,
                                       0xbf8c0f70, 0xdc708000, 0x007f0203, 0xbf810000};
/* global_store_dword v0, v2, s[2:3] */
static const uint32_t store_global[] = {0x7e000280, 0x7e0402ff, FORGE_JUNK,
                                        0xdc708000, 0x00020200, 0xbf810000};
/* s_load_dword s8, s[2:3], 0x0; global_store_dword v[3:4], v2, off */
static const uint32_t load_scalar[] = {0xc0020201, 0x00000000, 0x7e060200, 0x7e080201, 0xbf8cc07f,
                                       0x7e040208, 0xdc708000, 0x007f0203, 0xbf810000};
/* s_store_dword s8, s[2:3], 0x0; s_dcache_wb */
static const uint32_t store_scalar[] = {0xbe8800ff, FORGE_JUNK, 0xc0420201, 0x00000000,
                                        0xc0840000, 0x00000000, 0xbf810000};
/* buffer_load_dword v2, off, s[4:7], 0; global_store_dword v[3:4], v2, off */
static const uint32_t load_buffer[] = {0x7e060200, 0x7e080201, 0xe0500000, 0x80010200,
                                       0xbf8c0f70, 0xdc708000, 0x007f0203, 0xbf810000};
/* buffer_store_dword v2, off, s[4:7], 0 */
static const uint32_t store_buffer[] = {0x7e0402ff, FORGE_JUNK, 0xe0700000, 0x80010200, 0xbf810000};
/* flat_scratch = s[2:3]; scratch_load_dword v2, v0, off; global_store_dword v[3:4], v2, off */
static const uint32_t load_scratch[] = {0xbee60002, 0xbee70003, 0x7e060200, 0x7e080201,
                                        0x7e000280, 0xdc504000, 0x027f0000, 0xbf8c0f70,
                                        0xdc708000, 0x007f0203, 0xbf810000};
/* scratch_store_dword v0, v2, off */
static const uint32_t store_scratch[] = {0xbee60002, 0xbee70003, 0x7e000280, 0x7e0402ff,
                                         FORGE_JUNK, 0xdc704000, 0x007f0200, 0xbf810000};
/* s_setpc_b64 s[2:3] */
static const uint32_t jump[] = {0xbe801d02};
/* ds_write_b32 v0, v0 with v0 = s2; ds_read_b32 v2, v0; global_store_dword v[3:4], v2, off */
static const uint32_t lds_at_s2[] = {0x7e060200, 0x7e080201, 0x7e000202, 0xd81a0000,
                                     0x00000000, 0xbf8cc07f, 0xd86c0000, 0x02000000,
                                     0xbf8cc07f, 0xdc708000, 0x007f0203, 0xbf810000};

#define EVIL_VMID 5u

static bool run_at(const uint32_t *code, size_t n, unsigned vmid, uint64_t at)
{
	struct forge_shader s = {.code = code, .n = n, .vmid = vmid, .items = 1};

	s.user[0] = LO(FORGE_OWN);
	s.user[2] = LO(at);
	s.user[3] = HI(at);
	s.user[4] = LO(at); /* a buffer of all there is, from there on */
	s.user[5] = HI(at) & 0xffff;
	s.user[6] = UINT32_MAX;
	s.user[7] = 0x00024fac; /* X Y Z W, dword */
	return forge_run(&s);
}

/* By VMID 0, where addresses are frame-buffer addresses, and by a page table that leads there. */
static void reach_out(const uint32_t *code, size_t n)
{
	arena_begin();
	for (size_t i = 0; i < forge_num_outside; i++)
		CU_ASSERT(!run_at(code, n, 0, forge_outside[i]));
	CU_ASSERT(forge_own_is_untouched());
	arena_expect(NAMED_FAULT | NAMED_ERROR);
	for (size_t i = 0; i < forge_num_outside; i++) {
		uint64_t pte = (forge_outside[i] & GV_PTE_ADDR_MASK) | FORGE_PTE;

		forge_space(EVIL_VMID, &pte, 1);
		CU_ASSERT(!run_at(code, n, EVIL_VMID, FORGE_EVIL));
	}
	CU_ASSERT(forge_own_is_untouched());
	arena_expect(NAMED_FAULT | NAMED_L2 | NAMED_ERROR);
}

#define REACH_OUT(code) reach_out(code, GV_ARRAY_LEN(code))

/* The same code is good for what is its own: it does not fail for another reason. */
static void what_reaches_no_neighbour_reaches_its_own(void)
{
	static const struct {
		const uint32_t *dw;
		size_t n;
		bool loads;
	} all[] = {
#define ONE(code, loads) {code, GV_ARRAY_LEN(code), loads}
	        ONE(load_flat, true),     ONE(store_flat, false),    ONE(atomic_flat, false),
	        ONE(load_global, true),   ONE(store_global, false),  ONE(load_scalar, true),
	        ONE(store_scalar, false), ONE(load_buffer, true),    ONE(store_buffer, false),
	        ONE(load_scratch, true),  ONE(store_scratch, false),
#undef ONE
	};
	const uint64_t pte = FORGE_ARGS | FORGE_PTE;

	arena_begin();
	forge_space(EVIL_VMID, &pte, 1);
	for (size_t i = 0; i < GV_ARRAY_LEN(all); i++)
		for (unsigned vmid = 0; vmid <= EVIL_VMID; vmid += EVIL_VMID) {
			uint64_t at = vmid ? FORGE_EVIL : FORGE_ARGS;

			forge_put32(FORGE_OWN, 0);
			forge_put32(FORGE_ARGS, all[i].loads ? FORGE_JUNK : 0);
			CU_ASSERT(run_at(all[i].dw, all[i].n, vmid, at));
			CU_ASSERT(forge_get32(all[i].loads ? FORGE_OWN : FORGE_ARGS) == FORGE_JUNK);
		}
	forge_put32(FORGE_ARGS, 0xbf810000); /* s_endpgm */
	CU_ASSERT(run_at(jump, GV_ARRAY_LEN(jump), 0, FORGE_ARGS));
	CU_ASSERT(run_at(jump, GV_ARRAY_LEN(jump), EVIL_VMID, FORGE_EVIL));
	arena_expect(0);
}

static void flat_loads_read_no_neighbour(void)
{
	REACH_OUT(load_flat);
}

static void flat_stores_write_no_neighbour(void)
{
	REACH_OUT(store_flat);
}

static void flat_atomics_change_no_neighbour(void)
{
	REACH_OUT(atomic_flat);
}

static void global_accesses_reach_no_neighbour(void)
{
	REACH_OUT(load_global);
	REACH_OUT(store_global);
}

static void scalar_accesses_reach_no_neighbour(void)
{
	REACH_OUT(load_scalar);
	REACH_OUT(store_scalar);
}

static void forged_buffer_descriptors_reach_no_neighbour(void)
{
	REACH_OUT(load_buffer);
	REACH_OUT(store_buffer);
}

static void scratch_in_a_neighbours_memory_is_not_reached(void)
{
	REACH_OUT(load_scratch);
	REACH_OUT(store_scratch);
}

static void code_is_fetched_from_no_neighbour(void)
{
	struct forge_shader s = {.items = 1};

	REACH_OUT(jump);
	for (size_t i = 0; i < forge_num_outside; i++) {
		s.pgm = forge_outside[i] & ~0xffull;
		CU_ASSERT(!forge_run(&s));
	}
	arena_expect(NAMED_FAULT | NAMED_ERROR);
}

/* Outside of its share, LDS reads 0 and takes nothing. */
static void lds_outside_of_its_share_reads_nothing(void)
{
	/* the first is its own: there it reads what it wrote, its address */
	static const uint32_t at[] = {508, 512, 1024, 4096, 65532, 65536, 0x10000000, 0xfffffffc};

	arena_begin();
	for (size_t i = 0; i < GV_ARRAY_LEN(at); i++) {
		struct forge_shader s = {.code = lds_at_s2,
		                         .n = GV_ARRAY_LEN(lds_at_s2),
		                         .lds_bytes = 512,
		                         .items = 1};

		s.user[0] = LO(FORGE_OWN);
		s.user[2] = at[i];
		forge_put32(FORGE_OWN, FORGE_UNTOUCHED);
		CU_ASSERT(forge_run(&s));
		CU_ASSERT(forge_get32(FORGE_OWN) == (at[i] < 512 ? at[i] : 0));
	}
	arena_expect(0);
}

/* ---- what others left in the compute units ------------------------------------------ */

enum { FIRST_VGPR = 8, END_VGPR = 32, FIRST_SGPR = 16, END_SGPR = 40, LDS_BYTES = 4096 };

struct program {
	uint32_t dw[640];
	size_t n;
};

static void emit(struct program *p, uint32_t dw)
{
	if (p->n < GV_ARRAY_LEN(p->dw))
		p->dw[p->n++] = dw;
}

static void emit_lane_address(struct program *p) /* v1 = 4 * lane */
{
	static const uint32_t mbcnt[] = {0xd28c0001, 0x000100c1, 0xd28d0001, 0x000202c1,
	                                 0x24020282};

	for (size_t i = 0; i < GV_ARRAY_LEN(mbcnt); i++)
		emit(p, mbcnt[i]);
}

/* Marks in LDS, then in all VGPRs and SGPRs; no memory is needed. */
static struct program leave_marks(void)
{
	struct program p = {.n = 0};

	emit_lane_address(&p);
	emit(&p, 0x7e0002ff); /* v0 = MARK */
	emit(&p, MARK);
	for (uint32_t off = 0; off < LDS_BYTES; off += 256) {
		emit(&p, 0xd81a0000 | off); /* ds_write_b32 v1, v0 offset:off */
		emit(&p, 0x00000001);
	}
	emit(&p, 0xbf8cc07f);
	for (uint32_t v = FIRST_VGPR; v < END_VGPR; v++) {
		emit(&p, 0x7e0002ff | v << 17); /* v_mov_b32 */
		emit(&p, MARK);
	}
	for (uint32_t r = FIRST_SGPR; r < END_SGPR; r++) {
		emit(&p, 0xbe8000ff | r << 16); /* s_mov_b32 */
		emit(&p, MARK);
	}
	emit(&p, 0xbf810000);
	return p;
}

static void emit_store(struct program *p, uint32_t vgpr) /* 256 bytes to s[0:1], and on */
{
	emit(p, 0xdc708000);
	emit(p, vgpr << 8 | 1);
	emit(p, 0x8000ff00); /* s_add_u32 s0, s0, 256 */
	emit(p, 256);
	emit(p, 0x82018001); /* s_addc_u32 s1, s1, 0 */
}

/* What is in registers and LDS before anybody wrote them. */
static struct program look_around(void)
{
	struct program p = {.n = 0};

	emit_lane_address(&p);
	for (uint32_t v = FIRST_VGPR; v < END_VGPR; v++)
		emit_store(&p, v);
	for (uint32_t off = 0; off < LDS_BYTES; off += 256) {
		emit(&p, 0xd86c0000 | off); /* ds_read_b32 v2, v1 offset:off */
		emit(&p, 0x02000001);
		emit(&p, 0xbf8cc07f);
		emit_store(&p, 2);
	}
	for (uint32_t r = FIRST_SGPR; r < END_SGPR; r++) {
		emit(&p, 0x7e040200 | r); /* v_mov_b32 v2, s[r] */
		emit_store(&p, 2);
	}
	emit(&p, 0xbf810000);
	return p;
}

static bool run_program(const struct program *p)
{
	struct forge_shader s = {
	        .code = p->dw, .n = p->n, .vgprs = 32, .lds_bytes = LDS_BYTES, .items = 64};

	s.user[0] = LO(FORGE_OWN);
	return forge_run(&s);
}

static void run_on_victim(unsigned vf, const struct program *p)
{
	static const struct gv_co_kernel kernel = {
	        .name = "marks",
	        .lds_bytes = LDS_BYTES,
	        .kernarg_bytes = 8,
	        .properties = 1 << 3,
	        .rsrc1 = 0xaf0140 | 7, /* 48 SGPRs, 32 VGPRs */
	        .rsrc2 = 2 << COMPUTE_PGM_RSRC2__USER_SGPR__LO,
	};
	struct gv_guest_launch launch = {.grid = {64}, .block = {64}};
	struct gv_guest *g = arena_victim(vf);
	struct gv_guest_program *program = NULL;
	uint64_t seq = 0;
	struct gv_err err = {0};

	CU_ASSERT_FATAL(!gv_guest_program_raw(g, p->dw, sizeof(p->dw), &program, &err));
	CU_ASSERT(!gv_guest_launch(gv_guest_compute(g, 0), program, &kernel, &launch, &seq, &err));
	CU_ASSERT(!gv_guest_wait(gv_guest_compute(g, 0), seq, gv_now_ns() + ARENA_PATIENCE, &err));
	program = gv_guest_program_free(program);
}

static unsigned count_marks(void)
{
	unsigned n = 0;

	for (uint32_t at = 0; at < FORGE_OWN_BYTES; at += 4)
		n += forge_get32(FORGE_OWN + at) == MARK;
	return n;
}

static void a_program_sees_the_marks_that_are_its_own(void)
{
	struct program both = leave_marks(), look = look_around();

	arena_begin();
	both.n--; /* instead of s_endpgm: go on and look; v1 and s[0:1] are as they were */
	for (size_t i = 0; i < look.n; i++)
		emit(&both, look.dw[i]);
	CU_ASSERT(run_program(&both));
	CU_ASSERT(count_marks() ==
	          ((END_VGPR - FIRST_VGPR) + (END_SGPR - FIRST_SGPR)) * 64 + LDS_BYTES / 4);
	arena_expect(0);
}

static void a_wave_finds_nothing_of_a_neighbours_in_registers_and_lds(void)
{
	struct program leave = leave_marks(), look = look_around();

	arena_begin();
	for (unsigned i = 0; i < 8; i++) {
		run_on_victim(0, &leave);
		run_on_victim(2, &leave);
		CU_ASSERT(run_program(&look));
		CU_ASSERT(!forge_own_is_untouched());
		CU_ASSERT(count_marks() == 0);
	}
}

static void a_new_tenant_finds_nothing_in_registers_and_lds(void)
{
	struct program leave = leave_marks(), look = look_around();

	for (unsigned i = 0; i < 4; i++) {
		arena_begin();
		CU_ASSERT(run_program(&leave));
		arena_begin(); /* resets the VF */
		CU_ASSERT(run_program(&look));
		CU_ASSERT(count_marks() == 0);
	}
	arena_expect(0);
}

ARENA_MAIN("attack/shaders", UT(what_reaches_no_neighbour_reaches_its_own),
           UT(flat_loads_read_no_neighbour), UT(flat_stores_write_no_neighbour),
           UT(flat_atomics_change_no_neighbour), UT(global_accesses_reach_no_neighbour),
           UT(scalar_accesses_reach_no_neighbour), UT(forged_buffer_descriptors_reach_no_neighbour),
           UT(scratch_in_a_neighbours_memory_is_not_reached), UT(code_is_fetched_from_no_neighbour),
           UT(lds_outside_of_its_share_reads_nothing),
           UT(a_program_sees_the_marks_that_are_its_own),
           UT(a_wave_finds_nothing_of_a_neighbours_in_registers_and_lds),
           UT(a_new_tenant_finds_nothing_in_registers_and_lds))
