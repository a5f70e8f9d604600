/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What fetches commands from a VF's memory besides its queues: the security processor and the
 * multimedia scheduler with its encode rings. */
#include <string.h>

#include "arena.h"
#include "forge.h"

#define CMD     (FORGE_ARGS + 0x1000)
#define RING    FORGE_ARGS
#define FENCE   (FORGE_ARGS + 0x3000)
#define IMAGE   (FORGE_ARGS + 0x10000)
#define VMR     (FORGE_ARGS + 0x100000)
#define ANSWER  GV_PUT(PSP_C2PMSG, RESPONSE, 1)
#define TABLE   (FORGE_ARGS + 0x200000)
#define MM_RING (FORGE_ARGS + 0x210000)

/* ---- security processor ----------------------------------------------------------- */

static uint32_t psp_wptr, psp_fence;

static void psp_ask(uint32_t command)
{
	forge_wr(MP0_SMN_C2PMSG_101__BYTE, GV_PUT(PSP_C2PMSG, COMMAND, command));
	CU_ASSERT(ARENA_UNTIL(forge_rd(MP0_SMN_C2PMSG_101__BYTE) & ANSWER));
}

static void psp_ring_at(uint64_t at)
{
	psp_wptr = 0;
	forge_wr(MP0_SMN_C2PMSG_102__BYTE, LO(at));
	forge_wr(MP0_SMN_C2PMSG_103__BYTE, HI(at));
	psp_ask(GV_PSP_INIT_GPCOM_RING);
}

static void psp_frame(uint64_t cmd, uint64_t fence)
{
	const struct gv_psp_frame frame = {.cmd_lo = LO(cmd),
	                                   .cmd_hi = HI(cmd),
	                                   .fence_lo = LO(fence),
	                                   .fence_hi = HI(fence),
	                                   .fence = ++psp_fence};

	forge_put(RING + psp_wptr * 4ull, &frame, sizeof(frame));
	psp_wptr = (psp_wptr + GV_PSP_FRAME_DW) % GV_PSP_RING_DW;
}

static void psp_kick(void)
{
	forge_wr(MP0_SMN_C2PMSG_102__BYTE, psp_wptr);
	psp_ask(GV_PSP_CONSUME_CMD);
}

/* Behind all others: when its fence is there, they have been looked at. */
static void psp_settle(void)
{
	const struct gv_psp_cmd cmd = {.id = GV_PSP_DESTROY_VMR};

	forge_put(CMD, &cmd, sizeof(cmd));
	psp_frame(CMD, FENCE);
	psp_kick();
	CU_ASSERT(ARENA_UNTIL(forge_get32(FENCE) == psp_fence));
}

static void psp_run(const struct gv_psp_cmd *cmd)
{
	forge_put(CMD, cmd, sizeof(*cmd));
	psp_frame(CMD, FENCE);
	psp_kick();
	CU_ASSERT(ARENA_UNTIL(forge_get32(FENCE) == psp_fence));
}

static void psp_begin(void)
{
	arena_begin();
	forge_put32(FENCE, 0);
	psp_ring_at(RING);
}

static void a_ring_in_a_neighbours_memory_is_not_read(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		psp_ring_at(at & ~4095ull);
		forge_wr(MP0_SMN_C2PMSG_102__BYTE, GV_PSP_RING_DW - GV_PSP_FRAME_DW);
		psp_ask(GV_PSP_CONSUME_CMD);
	}
	psp_ring_at(RING);
	psp_settle();
	arena_expect(NAMED_ERROR | NAMED_FAULT);
}

static void commands_and_fences_in_a_neighbours_memory_are_not_touched(void)
{
	psp_begin();
	FOR_EACH_OUTSIDE(at)
	{
		psp_frame(at & ~4095ull, FENCE);
		psp_frame(CMD, at);
	}
	psp_kick();
	psp_settle();
	arena_expect(NAMED_ERROR | NAMED_FAULT);
}

static void firmware_is_copied_from_and_to_its_own_memory(void)
{
	struct gv_psp_cmd vmr = {.id = GV_PSP_SETUP_VMR, .vmr = {.bytes = 0x200000}};
	struct gv_psp_cmd fw = {.id = GV_PSP_LOAD_IP_FW,
	                        .fw = {.bytes = 0x100000, .type = GV_PSP_FW_CP_MEC}};

	psp_begin();
	FOR_EACH_OUTSIDE(at)
	{
		vmr.vmr.lo = LO(at & ~4095ull);
		vmr.vmr.hi = HI(at);
		fw.fw.lo = LO(IMAGE);
		fw.fw.hi = 0;
		psp_run(&vmr);
		psp_run(&fw); /* to there */
		vmr.vmr.lo = LO(VMR);
		vmr.vmr.hi = 0;
		fw.fw.lo = LO(at & ~4095ull);
		fw.fw.hi = HI(at);
		psp_run(&vmr);
		psp_run(&fw); /* from there */
	}
	arena_expect(NAMED_ERROR | NAMED_FAULT);
}

static void registers_behind_the_ring_are_its_own_three(void)
{
	struct gv_psp_cmd cmd = {.id = GV_PSP_PROG_REG};

	psp_begin();
	for (uint32_t id = 0; id < 300; id++) {
		cmd.reg.id = id;
		cmd.reg.val = UINT32_MAX;
		psp_run(&cmd);
		cmd.reg.id = id << 12 | GVX_VF_FB_EN__DW;
		psp_run(&cmd);
	}
	arena_expect(NAMED_ERROR);
}

static void garbage_frames_keep_nobody_from_the_security_processor(void)
{
	uint64_t seed = 0x9e3779b97f4a7c15ull;

	psp_begin();
	for (unsigned round = 0; round < 20; round++) {
		for (uint64_t at = RING; at < RING + 4096; at += 8) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			forge_put64(at, round % 2 ? seed : seed & 0x3ffff000);
		}
		forge_wr(MP0_SMN_C2PMSG_102__BYTE, (uint32_t)(seed >> 40) % 64 * GV_PSP_FRAME_DW);
		psp_ask(GV_PSP_CONSUME_CMD);
		forge_wr(MP0_SMN_C2PMSG_102__BYTE, (uint32_t)seed);
		psp_ask(GV_PSP_CONSUME_CMD);
		gv_wr32(arena_pf_bus(), MP0_SMN_C2PMSG_101__BYTE,
		        GV_PUT(PSP_C2PMSG, COMMAND, GV_PSP_DESTROY_GPCOM_RING));
		CU_ASSERT(ARENA_UNTIL(gv_rd32(arena_pf_bus(), MP0_SMN_C2PMSG_101__BYTE) & ANSWER));
	}
	psp_ring_at(RING);
	psp_settle();
	arena_expect(NAMED_ERROR);
}

/* ---- multimedia ----------------------------------------------------------------------- */

static bool mm_start_at(uint64_t at, uint32_t dwords)
{
	uint64_t before = arena_stats(ATTACKER).guest_errors;

	forge_wr(VCE_MMSCH_VF_CTX_ADDR_LO__BYTE, LO(at));
	forge_wr(VCE_MMSCH_VF_CTX_ADDR_HI__BYTE, HI(at));
	forge_wr(VCE_MMSCH_VF_CTX_SIZE__BYTE, dwords);
	forge_wr(VCE_MMSCH_VF_MAILBOX_RESP__BYTE, 0);
	forge_wr(VCE_MMSCH_VF_MAILBOX_HOST__BYTE, GV_MMSCH_INIT);
	CU_ASSERT(ARENA_UNTIL(forge_rd(VCE_MMSCH_VF_MAILBOX_RESP__BYTE) ||
	                      arena_stats(ATTACKER).guest_errors > before));
	return forge_rd(VCE_MMSCH_VF_MAILBOX_RESP__BYTE) == GV_MMSCH_INIT_DONE;
}

static bool mm_start(const uint32_t *dw, uint32_t n)
{
	const struct gv_mmsch_init h = {
	        .version = GV_MMSCH_VERSION, .uvd_off = sizeof(h) / 4, .uvd_dw = n};

	forge_put(TABLE, &h, sizeof(h));
	forge_put(TABLE + sizeof(h), dw, n * 4ul);
	return mm_start_at(TABLE, n + (uint32_t)(sizeof(h) / 4));
}

static bool mm_ring_at(uint64_t at)
{
	const uint32_t dw[] = {UVD_RB_BASE_LO__DW,
	                       LO(at),
	                       UVD_RB_BASE_HI__DW,
	                       HI(at),
	                       UVD_RB_SIZE__DW,
	                       512,
	                       GV_PUT(MMSCH_CMD, TYPE, GV_MMSCH_END)};

	return mm_start(dw, GV_ARRAY_LEN(dw));
}

static void mm_ring(uint32_t wptr)
{
	(void)gv_bus_write(arena_bus(), GV_REGION_DOORBELL, GV_DOORBELL_UVD_RING0 * 4, &wptr, 4);
}

/* Run it; the ring stops, and complains. */
static void mm_fails(uint64_t ring, const uint32_t *dw, size_t n)
{
	uint64_t before;

	CU_ASSERT(mm_ring_at(ring));
	if (n)
		forge_put(ring, dw, n * 4);
	before = arena_stats(ATTACKER).guest_errors;
	mm_ring(16);
	CU_ASSERT(ARENA_UNTIL(arena_stats(ATTACKER).guest_errors > before));
}
#define MM_FAILS(...) mm_fails(MM_RING, (const uint32_t[]){__VA_ARGS__}, FORGE_COUNT(__VA_ARGS__))

static void init_tables_in_a_neighbours_memory_are_not_read(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	CU_ASSERT(!mm_start_at(at & ~63ull, 64));
	arena_expect(NAMED_ERROR | NAMED_FAULT);
}

static void init_tables_set_only_its_own_video_registers(void)
{
	arena_begin();
	for (int r = 0; r < GV_REG_COUNT; r++) {
		const struct gv_reg_info *info = gv_reg_info((enum gv_reg)r);
		const uint32_t dw[] = {info->byte / 4, UINT32_MAX,
		                       GV_PUT(MMSCH_CMD, TYPE, GV_MMSCH_END)};

		if (info->block == GV_BLOCK_UVD || info->block == GV_BLOCK_VCE)
			continue;
		CU_ASSERT(!mm_start(dw, GV_ARRAY_LEN(dw)));
	}
	arena_expect(NAMED_ERROR);
}

static void encode_rings_reach_only_its_own_memory(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		mm_fails(at & ~63ull, NULL, 0);
		MM_FAILS(GV_ENC_FENCE, LO(at), HI(at), FORGE_JUNK);
		MM_FAILS(GV_ENC_IB_VM, 0, LO(at), HI(at), 16);
	}
	arena_expect(NAMED_ERROR | NAMED_FAULT);
}

static void encode_rings_write_none_of_the_pfs_registers(void)
{
	static const uint32_t bytes[] = {GVX_VF_FB_EN__BYTE, RLC_GPM_GENERAL_14__BYTE,
	                                 VM_L2_CNTL__BYTE, GVX_VF_RESET__BYTE};
	uint32_t at = 0;

	arena_begin();
	CU_ASSERT(mm_ring_at(MM_RING));
	forge_put32(FENCE, 0);
	for (size_t k = 0; k < GV_ARRAY_LEN(bytes); k++, at += 12) {
		const uint32_t dw[] = {GV_ENC_REG_WRITE, bytes[k], UINT32_MAX};

		forge_put(MM_RING + at, dw, sizeof(dw));
	}
	forge_put(MM_RING + at,
	          ((const uint32_t[]){GV_ENC_FENCE, LO(FENCE), HI(FENCE), FORGE_JUNK}), 16);
	mm_ring(at / 4 + 4);
	CU_ASSERT(ARENA_UNTIL(forge_get32(FENCE) == FORGE_JUNK));
	arena_expect(NAMED_ERROR);
}

ARENA_MAIN("attack/firmware", UT(a_ring_in_a_neighbours_memory_is_not_read),
           UT(commands_and_fences_in_a_neighbours_memory_are_not_touched),
           UT(firmware_is_copied_from_and_to_its_own_memory),
           UT(registers_behind_the_ring_are_its_own_three),
           UT(garbage_frames_keep_nobody_from_the_security_processor),
           UT(init_tables_in_a_neighbours_memory_are_not_read),
           UT(init_tables_set_only_its_own_video_registers),
           UT(encode_rings_reach_only_its_own_memory),
           UT(encode_rings_write_none_of_the_pfs_registers))
