/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* World switches: what a VF can do while it is out of the engines, and to the state that was saved
 * of it. The case gives the PF's commands itself. */
#include <string.h>

#include "arena.h"
#include "forge.h"

#define SLOT_MAX GV_MIB

/* A GPUIOV command about the attacker. Returns CMD_STATUS: 0 done. */
static uint32_t command(enum gv_giov_cmd cmd)
{
	struct gv_bus *pf = arena_pf_bus();
	uint32_t status;

	(void)arena_pf_get();
	gv_wr32(pf, RLC_GPU_IOV_CFG_REG1__BYTE,
	        GV_PUT(RLC_GPU_IOV_CFG_REG1, CMD_TYPE, cmd) |
	                GV_PUT(RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE, 1) |
	                GV_PUT(RLC_GPU_IOV_CFG_REG1, FCN_ID, GV_GIOV_FCN_VF(ATTACKER)));
	CU_ASSERT(ARENA_UNTIL(!GV_GET(gv_rd32(pf, RLC_GPU_IOV_CFG_REG1__BYTE), RLC_GPU_IOV_CFG_REG1,
	                              CMD_EXECUTE)));
	status = GV_GET(gv_rd32(pf, RLC_GPU_IOV_CFG_REG2__BYTE), RLC_GPU_IOV_CFG_REG2, CMD_STATUS);
	arena_pf_put();
	return status;
}

/* global_store_dword v0, v2, s[2:3] for ever */
static const uint32_t endless[] = {0x7e000280, 0x7e0402ff, FORGE_JUNK, 0xdc708000,
                                   0x00020200, 0xbf8c0f70, 0xbf82fffc};

/* A VF that was taken out once stays out when it is reset: as a scheduler does, let it in. */
static void begin(void)
{
	arena_begin();
	if (GV_GET(gv_rd32(arena_pf_bus(), GV_BYTE_N(GVX_VF0_WORLD, ATTACKER)), GVX_VF0_WORLD,
	           STATE) != GV_WORLD_OUT)
		return;
	CU_ASSERT(command(GV_GIOV_INIT) == 0);
	CU_ASSERT(command(GV_GIOV_RUN) == 0);
}

static void start_world(void)
{
	begin();
	forge_start_endless(endless, GV_ARRAY_LEN(endless), FORGE_OWN + 4096);
	CU_ASSERT(ARENA_UNTIL(forge_get32(FORGE_OWN + 4096) == FORGE_JUNK));
}

static void take_out(void)
{
	CU_ASSERT(command(GV_GIOV_IDLE) == 0);
	CU_ASSERT(command(GV_GIOV_SAVE) == 0);
}

/* Where what was saved of the attacker lies. */
static uint64_t slot_at(uint64_t *bytes)
{
	const struct gv_pf_plan *plan = gv_pf_get_plan(arena_pf_get());
	uint64_t kib = plan->csa_kib, at = plan->csa_offset + (1 + ATTACKER) * kib * GV_KIB;

	arena_pf_put();
	*bytes = GV_MIN(kib * GV_KIB, SLOT_MAX);
	return at;
}

static void read_slot(uint8_t *buf)
{
	uint64_t bytes, at = slot_at(&bytes);

	memset(buf, 0, SLOT_MAX);
	CU_ASSERT(!gv_bus_read(arena_pf_bus(), GV_REGION_VRAM, at, buf, bytes));
}

static void a_vf_that_is_out_of_the_engines_runs_nothing(void)
{
	uint32_t was;

	start_world();
	take_out();
	was = (uint32_t)arena_stats(ATTACKER).packets;
	forge_put32(FORGE_OWN + 4096, 1);
	for (uint32_t bell = 0; bell < 1024; bell += 2)
		gv_doorbell64(arena_bus(), bell * 4, 4096);
	(void)usleep(10000);
	CU_ASSERT(forge_get32(FORGE_OWN + 4096) == 1);
	CU_ASSERT(arena_stats(ATTACKER).packets == was);
	arena_begin();
	arena_expect(0);
}

static void what_was_saved_is_out_of_the_attackers_reach(void)
{
	static uint8_t was[SLOT_MAX], is[SLOT_MAX];
	uint64_t bytes, at;
	uint32_t junk = FORGE_JUNK;

	start_world();
	take_out();
	at = slot_at(&bytes);
	read_slot(was);
	for (uint64_t off = 0; off < bytes; off += 4096) {
		(void)gv_bus_write(arena_bus(), GV_REGION_VRAM, (at + off) % ARENA_FB, &junk, 4);
		forge_wr(MM_INDEX__BYTE, GV_PUT(MM_INDEX, MM_APER, 1) | LO(at + off));
		forge_wr(MM_DATA__BYTE, junk);
	}
	read_slot(is);
	CU_ASSERT(memcmp(was, is, sizeof(was)) == 0);
	arena_begin();
	arena_expect(0);
}

/* Should something else have damaged it: it is not loaded, and nothing of it runs. */
static void a_damaged_save_area_is_not_loaded(void)
{
	static uint8_t slot[SLOT_MAX];
	uint64_t bytes, at;

	for (unsigned round = 0; round < 12; round++) {
		uint32_t where = round < 6 ? round * 4 : 64 + round * 37;

		start_world();
		take_out();
		at = slot_at(&bytes);
		read_slot(slot);
		slot[where] ^= (uint8_t)(1u << round % 8);
		CU_ASSERT(
		        !gv_bus_write(arena_pf_bus(), GV_REGION_VRAM, at + where, &slot[where], 1));
		CU_ASSERT(command(GV_GIOV_LOAD) != 0);
		forge_put32(FORGE_OWN + 4096, 1);
		(void)command(GV_GIOV_RUN);
		CU_ASSERT(forge_get32(FORGE_OWN + 4096) == 1);
	}
	arena_begin();
	arena_expect(0);
}

/* One tenant was saved, and is gone: the next does not go on with its waves. */
static void a_new_tenant_does_not_inherit_a_saved_world(void)
{
	start_world();
	take_out();
	(void)arena_pf_get();
	CU_ASSERT(!gv_bus_reset(arena_bus()));
	arena_pf_put();
	CU_ASSERT(command(GV_GIOV_LOAD) != 0);
	CU_ASSERT(command(GV_GIOV_INIT) == 0);
	CU_ASSERT(command(GV_GIOV_RUN) == 0);
	arena_open_gates();
	forge_put32(FORGE_OWN + 4096, 1);
	(void)usleep(10000);
	CU_ASSERT(forge_get32(FORGE_OWN + 4096) == 1);
	arena_begin();
	arena_expect(0);
}

/* It goes on where it stood, and reaches what it reached. */
static void a_world_that_comes_back_is_the_attackers_own(void)
{
	start_world();
	take_out();
	forge_put32(FORGE_OWN + 4096, 1);
	CU_ASSERT(command(GV_GIOV_LOAD) == 0);
	CU_ASSERT(command(GV_GIOV_RUN) == 0);
	CU_ASSERT(ARENA_UNTIL(forge_get32(FORGE_OWN + 4096) == FORGE_JUNK));
	arena_begin();
	arena_expect(0);
}

ARENA_MAIN("attack/world", UT(a_world_that_comes_back_is_the_attackers_own),
           UT(a_vf_that_is_out_of_the_engines_runs_nothing),
           UT(what_was_saved_is_out_of_the_attackers_reach), UT(a_damaged_save_area_is_not_loaded),
           UT(a_new_tenant_does_not_inherit_a_saved_world))
