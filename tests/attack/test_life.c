/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gates, resets and tenants: what a VF may not do now, and what it finds of who was there before.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arena.h"
#include "forge.h"

#define MARK 0x5ec2e75eu

/* ---- gates --------------------------------------------------------------------- */

static uint32_t mm_read(uint64_t fb)
{
	forge_wr(MM_INDEX_HI__BYTE, (uint32_t)(fb >> 31));
	forge_wr(MM_INDEX__BYTE, GV_PUT(MM_INDEX, MM_APER, 1) | (uint32_t)fb);
	return forge_rd(MM_DATA__BYTE);
}

static void mm_write(uint64_t fb, uint32_t val)
{
	(void)mm_read(fb);
	forge_wr(MM_DATA__BYTE, val);
}

static void a_shut_frame_buffer_gate_hides_memory(void)
{
	arena_begin();
	arena_gate(GVX_VF_FB_EN__BYTE, false);
	CU_ASSERT(forge_get32(FORGE_OWN) == UINT32_MAX);
	CU_ASSERT(mm_read(FORGE_OWN) == UINT32_MAX);
	forge_put32(FORGE_OWN, FORGE_JUNK);
	mm_write(FORGE_OWN + 4, FORGE_JUNK);
	arena_gate(GVX_VF_FB_EN__BYTE, true);
	CU_ASSERT(forge_own_is_untouched());
	CU_ASSERT(mm_read(FORGE_OWN) == FORGE_UNTOUCHED);
	arena_expect(NAMED_ERROR);
}

static void a_shut_doorbell_gate_lets_nothing_through(void)
{
	struct gv_dev_stats was;
	uint64_t wptr = 4;
	void *page = NULL;

	arena_begin();
	CU_ASSERT_FATAL(!gv_bus_map(arena_bus(), GV_REGION_DOORBELL, 0, 4096, &page));
	forge_cp_start(NULL, 0);
	forge_put32(FORGE_RING, GV_PM4_NOP1);
	arena_gate(GVX_VF_DOORBELL_EN__BYTE, false);
	was = arena_stats(ATTACKER);
	CU_ASSERT(!gv_bus_write(arena_bus(), GV_REGION_DOORBELL, GV_DOORBELL_MEC_RING0 * 4, &wptr,
	                        8));
	*(volatile uint64_t *)page = 7; /* the KIQ's, by the mapped page */
	((volatile uint64_t *)page)[GV_DOORBELL_MEC_RING0 / 2] = 9;
	CU_ASSERT(ARENA_UNTIL(arena_stats(ATTACKER).guest_errors > was.guest_errors + 1));
	CU_ASSERT(arena_stats(ATTACKER).packets == was.packets);
	CU_ASSERT(arena_stats(ATTACKER).doorbells == was.doorbells);
	arena_gate(GVX_VF_DOORBELL_EN__BYTE, true);
	arena_expect(NAMED_ERROR);
}

/* Only what a driver needs at run time, and cannot reach by its KIQ, stays open: mailbox, HDP
 * flush, interrupt pointers, invalidation of its own TLBs, and the way in of MM_INDEX, which is
 * looked at again. */
static void a_shut_register_gate_refuses_what_a_driver_needs_not(void)
{
	static const char *const open[] = {"BIF_BX_PF0_",
	                                   "MM_",
	                                   "IH_RB_",
	                                   "HDP_READ_CACHE_INVALIDATE",
	                                   "VM_INVALIDATE_ENG0_REQ",
	                                   "MMHUB_VM_INVALIDATE_ENG0_REQ"};
	unsigned shut = 0;

	arena_begin();
	arena_gate(GVX_VF_REGWR_EN__BYTE, false);
	for (int r = 0; r < GV_REG_COUNT; r++) {
		const struct gv_reg_info *info = gv_reg_info((enum gv_reg)r);
		uint32_t was;
		bool may = false;

		if (info->vf != GV_RW || info->bank != GV_BANK_FN)
			continue;
		for (size_t i = 0; i < GV_ARRAY_LEN(open); i++)
			may |= !strncmp(info->name, open[i], strlen(open[i]));
		if (may || r == GV_REG_PCIE_DATA2)
			continue;
		was = forge_rd(info->byte);
		forge_wr(info->byte, ~was);
		forge_wr(MM_INDEX_HI__BYTE, 0);
		forge_wr(MM_INDEX__BYTE, info->byte);
		forge_wr(MM_DATA__BYTE, ~was);
		CU_ASSERT(forge_rd(info->byte) == was);
		shut++;
	}
	CU_ASSERT(shut > 200);
	arena_gate(GVX_VF_REGWR_EN__BYTE, true);
	arena_expect(NAMED_ERROR);
}

static void after_a_reset_all_gates_are_shut(void)
{
	uint64_t junk = 1;

	arena_begin();
	(void)arena_pf_get(); /* nobody opens or shuts meanwhile */
	CU_ASSERT(!gv_bus_reset(arena_bus()));
	CU_ASSERT(forge_get32(FORGE_OWN) == UINT32_MAX);
	forge_wr(SCRATCH_REG4__BYTE, MARK);
	CU_ASSERT(forge_rd(SCRATCH_REG4__BYTE) == 0);
	CU_ASSERT(!gv_bus_write(arena_bus(), GV_REGION_DOORBELL, 0, &junk, 8));
	arena_pf_put();
	arena_open_gates();
	CU_ASSERT(forge_own_is_untouched());
	arena_expect(NAMED_ERROR);
}

/* ---- while it is reset and scrubbed ----------------------------------------------------- */

static _Atomic bool hammering;

static void *hammer(void *arg)
{
	struct gv_bus *bus = arg;
	uint32_t junk = FORGE_JUNK;
	uint64_t bell = 1;

	for (uint64_t at = 0; atomic_load(&hammering); at = (at + 4096 + 4) % ARENA_FB) {
		(void)gv_bus_write(bus, GV_REGION_VRAM, at & ~3ull, &junk, 4);
		(void)gv_bus_write(bus, GV_REGION_DOORBELL, at % 4096 & ~7ull, &bell, 8);
		gv_wr32(bus, SDMA0_GFX_RB_CNTL__BYTE, UINT32_MAX);
		gv_wr32(bus, CP_HQD_ACTIVE__BYTE, 1);
		gv_wr32(bus, BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW0__BYTE, junk);
	}
	return NULL;
}

/* Frame buffer behind the exchange pages: nothing but zeroes. */
static bool memory_is_clean(void)
{
	static uint64_t buf[GV_L2_PAGE / 8];
	bool clean = true;

	for (uint64_t at = GV_MIB; at < ARENA_FB; at += sizeof(buf)) {
		size_t n = (size_t)GV_MIN(sizeof(buf), ARENA_FB - at);

		CU_ASSERT(!gv_bus_read(arena_pf_bus(), GV_REGION_VRAM, ARENA_DEVICE(ATTACKER) + at,
		                       buf, n));
		for (size_t i = 0; i < n / 8; i++)
			clean &= buf[i] == 0;
	}
	return clean;
}

static void reset_by_the_pf(void)
{
	CU_ASSERT(!gv_pf_vf_reset_wait(arena_pf_get(), ATTACKER, GV_PF_RESET_GONE, ARENA_PATIENCE,
	                               NULL));
	arena_pf_put();
}

static void a_vf_cannot_write_while_it_is_reset_and_scrubbed(void)
{
	pthread_t thread;

	arena_begin();
	atomic_store(&hammering, true);
	CU_ASSERT_FATAL(!pthread_create(&thread, NULL, hammer, arena_bus()));
	reset_by_the_pf();
	CU_ASSERT(memory_is_clean());
	atomic_store(&hammering, false);
	(void)pthread_join(thread, NULL);
	CU_ASSERT(memory_is_clean());
	arena_begin();
	arena_expect(0);
}

/* Stores of a shader, copies and packets without end stop with the reset. */
static void nothing_that_ran_goes_on_after_a_reset(void)
{
	/* global_store_dword v0, v2, s[2:3] for ever */
	static const uint32_t endless[] = {0x7e000280, 0x7e0402ff, FORGE_JUNK, 0xdc708000,
	                                   0x00020200, 0xbf8c0f70, 0xbf82fffc};
	const uint64_t at = ARENA_DEVICE(ATTACKER) + FORGE_ARGS;
	uint32_t zero = 0, now = 1;

	arena_begin();
	forge_start_endless(endless, GV_ARRAY_LEN(endless), FORGE_ARGS);
	CU_ASSERT(ARENA_UNTIL(forge_get32(FORGE_ARGS) == FORGE_JUNK));
	(void)arena_pf_get();
	CU_ASSERT(!gv_bus_reset(arena_bus()));
	CU_ASSERT(!gv_bus_write(arena_pf_bus(), GV_REGION_VRAM, at, &zero, 4));
	(void)usleep(20000);
	CU_ASSERT(!gv_bus_read(arena_pf_bus(), GV_REGION_VRAM, at, &now, 4));
	CU_ASSERT(now == 0);
	arena_pf_put();
	arena_begin();
	arena_expect(0);
}

/* ---- the next tenant ----------------------------------------------------------------------- */

static void a_new_tenant_finds_no_memory_of_the_last(void)
{
	static uint32_t junk[GV_MIB / 4];

	arena_begin();
	for (size_t i = 0; i < GV_ARRAY_LEN(junk); i++)
		junk[i] = MARK;
	for (uint64_t at = 0; at < ARENA_FB; at += sizeof(junk))
		forge_put(at, junk, sizeof(junk));
	reset_by_the_pf();
	CU_ASSERT(memory_is_clean());
	arena_begin();
	arena_expect(0);
}

struct file {
	uint32_t val[16384];
	size_t n;
};

static void take_selected(struct file *f, enum gv_bank bank)
{
	for (int r = 0; r < GV_REG_COUNT; r++) {
		const struct gv_reg_info *info = gv_reg_info((enum gv_reg)r);

		if (info->bank != bank || info->vf == GV_NONE || r == GV_REG_MM_DATA ||
		    r == GV_REG_PCIE_DATA2)
			continue;
		for (uint32_t i = 0; i < info->count && f->n < GV_ARRAY_LEN(f->val); i++)
			f->val[f->n++] = forge_rd(info->byte + i * info->stride);
	}
}

/* All that a VF can read: its registers, those of all its queue slots and VMIDs, its mailbox. */
static void take_file(struct file *f)
{
	f->n = 0;
	take_selected(f, GV_BANK_FN);
	take_selected(f, GV_BANK_MBX);
	for (uint32_t slot = 0; slot < GV_NUM_HQD; slot++) {
		forge_wr(GRBM_GFX_CNTL__BYTE, GV_PUT(GRBM_GFX_CNTL, MEID, 1 + slot / 32) |
		                                      GV_PUT(GRBM_GFX_CNTL, PIPEID, slot / 8 % 4) |
		                                      GV_PUT(GRBM_GFX_CNTL, QUEUEID, slot % 8));
		take_selected(f, GV_BANK_HQD);
	}
	for (uint32_t vmid = 0; vmid < GV_NUM_VMID; vmid++) {
		forge_wr(GRBM_GFX_CNTL__BYTE, GV_PUT(GRBM_GFX_CNTL, VMID, vmid));
		take_selected(f, GV_BANK_VMID);
	}
	forge_wr(GRBM_GFX_CNTL__BYTE, 0);
}

static void scribble(void)
{
	for (uint32_t sel = 0; sel < 1u << 11; sel += 7) {
		forge_wr(GRBM_GFX_CNTL__BYTE, sel);
		for (int r = 0; r < GV_REG_COUNT; r++) {
			const struct gv_reg_info *info = gv_reg_info((enum gv_reg)r);
			bool banked = info->bank == GV_BANK_HQD || info->bank == GV_BANK_VMID;

			if (info->vf == GV_RW && banked && r != GV_REG_CP_HQD_ACTIVE)
				forge_wr(info->byte, MARK);
		}
	}
	for (int r = 0; r < GV_REG_COUNT; r++) {
		const struct gv_reg_info *info = gv_reg_info((enum gv_reg)r);

		if (info->vf != GV_RW || r == GV_REG_MM_DATA || r == GV_REG_RLC_SPARE_INT)
			continue;
		for (uint32_t i = 0; i < info->count; i++)
			forge_wr(info->byte + i * info->stride, MARK);
	}
}

static void fresh(struct file *f)
{
	(void)arena_pf_get();
	CU_ASSERT(!gv_bus_reset(arena_bus()));
	arena_pf_put();
	arena_open_gates();
	take_file(f);
}

static void a_new_tenant_finds_no_register_of_the_last(void)
{
	static struct file first, next;

	arena_begin();
	fresh(&first);
	CU_ASSERT(first.n > 3000);
	scribble();
	arena_end_session();
	fresh(&next);
	CU_ASSERT(first.n == next.n);
	for (size_t i = 0; i < first.n; i++)
		CU_ASSERT(first.val[i] == next.val[i]);
	arena_begin();
	arena_expect(0);
}

/* MM_INDEX points somewhere, MM_DATA would show it: both begin anew. */
static void a_new_tenant_finds_no_latched_address(void)
{
	arena_begin();
	forge_put32(FORGE_OWN, MARK);
	CU_ASSERT(mm_read(FORGE_OWN) == MARK);
	(void)arena_pf_get();
	CU_ASSERT(!gv_bus_reset(arena_bus()));
	CU_ASSERT(forge_rd(MM_INDEX__BYTE) == 0 && forge_rd(MM_INDEX_HI__BYTE) == 0);
	CU_ASSERT(forge_rd(MM_DATA__BYTE) != MARK);
	arena_pf_put();
	arena_begin();
	arena_expect(0);
}

/* Interrupts that waited for the last tenant's ring are not delivered into the next one's. */
static void a_new_tenant_gets_no_interrupt_of_the_last(void)
{
	arena_begin();
	for (unsigned i = 0; i < 40; i++)
		(void)FORGE_SDMA(GV_SDMA_HEADER(FENCE), LO(ARENA_FB), 0, MARK);
	arena_begin(); /* resets the VF, makes a ring and enables it */
	CU_ASSERT(FORGE_SDMA(0));
	CU_ASSERT(!forge_fault_reported());
	CU_ASSERT(forge_rd(IH_RB_WPTR__BYTE) == 0);
	arena_expect(0);
}

static void a_new_tenant_finds_no_doorbell_of_the_last(void)
{
	uint64_t val = MARK, now = 1;

	arena_begin();
	for (uint64_t at = 0; at < 4096; at += 8)
		CU_ASSERT(!gv_bus_write(arena_bus(), GV_REGION_DOORBELL, at, &val, 8));
	arena_begin();
	for (uint64_t at = 0; at < 4096; at += 8) {
		CU_ASSERT(!gv_bus_read(arena_bus(), GV_REGION_DOORBELL, at, &now, 8));
		CU_ASSERT(now == 0);
	}
	arena_expect(0);
}

/* Who kept its mapping of the frame buffer when it left sees a copy of what was, and nothing of
 * what the next one does. */
static void an_old_mapping_sees_nothing_of_the_next_tenant(void)
{
	gv_auto_fd int fd = -1;
	uint64_t bytes = 0;
	uint32_t *old;

	arena_begin();
	CU_ASSERT_FATAL(
	        !gv_dev_region_fd(arena_dev(), GV_DEV_VF(ATTACKER), GV_REGION_VRAM, &fd, &bytes));
	old = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CU_ASSERT_FATAL(old != MAP_FAILED);
	gv_dev_client_gone(arena_dev(), GV_DEV_VF(ATTACKER));
	forge_put32(FORGE_OWN, MARK);
	CU_ASSERT(old[FORGE_OWN / 4] != MARK);
	old[FORGE_OWN / 4 + 1] = MARK;
	CU_ASSERT(forge_get32(FORGE_OWN + 4) == FORGE_UNTOUCHED);
	(void)munmap(old, bytes);
	arena_expect(0);
}

/* ---- a VF that is gone ---------------------------------------------------------------------- */

/* On a GPU of its own: the arena's VFs stay. */
static void a_vf_that_was_disabled_is_gone_with_all_its_ways(void)
{
	const struct gv_dev_cfg cfg = {.vram_mib = 256, .max_vfs = 2, .engine_threads = 1};
	uint32_t junk = FORGE_JUNK, now = 0;
	struct gv_bus *pf = NULL, *vf = NULL;
	struct gv_dev *dev = NULL;
	struct gv_err err;

	CU_ASSERT_FATAL(!gv_dev_new(&cfg, NULL, &dev, &err));
	CU_ASSERT_FATAL(!gv_dev_bus(dev, GV_DEV_PF, &pf, &err));
	CU_ASSERT_FATAL(!gv_dev_bus(dev, GV_DEV_VF(1), &vf, &err));
	CU_ASSERT(!gv_bus_enable_vfs(pf, 2, &err));
	CU_ASSERT(gv_bus_status(vf) == 0);
	gv_wr32(pf, GVX_VF_REGWR_EN__BYTE, 3);
	gv_wr32(vf, SCRATCH_REG4__BYTE, MARK);
	CU_ASSERT(gv_rd32(vf, SCRATCH_REG4__BYTE) == MARK);
	CU_ASSERT(!gv_bus_enable_vfs(pf, 0, &err));
	CU_ASSERT(gv_bus_status(vf) == -ENODEV);
	CU_ASSERT(gv_rd32(vf, SCRATCH_REG4__BYTE) == UINT32_MAX);
	for (int region = 0; region < GV_REGION_COUNT; region++) {
		CU_ASSERT(gv_bus_write(vf, (enum gv_region)region, 0, &junk, 4) == -ENODEV);
		CU_ASSERT(gv_bus_read(vf, (enum gv_region)region, 0, &now, 4) == -ENODEV);
	}
	CU_ASSERT(gv_bus_reset(vf) == -ENODEV);
	/* it comes back as one that never was */
	CU_ASSERT(!gv_bus_enable_vfs(pf, 2, &err));
	CU_ASSERT(gv_rd32(vf, SCRATCH_REG4__BYTE) == 0);
	CU_ASSERT(gv_rd32(pf, GVX_VF_REGWR_EN__BYTE) == 0);
	vf = gv_bus_close(vf);
	pf = gv_bus_close(pf);
	dev = gv_dev_free(dev);
}

ARENA_MAIN("attack/life", UT(a_shut_frame_buffer_gate_hides_memory),
           UT(a_shut_doorbell_gate_lets_nothing_through),
           UT(a_shut_register_gate_refuses_what_a_driver_needs_not),
           UT(after_a_reset_all_gates_are_shut),
           UT(a_vf_cannot_write_while_it_is_reset_and_scrubbed),
           UT(nothing_that_ran_goes_on_after_a_reset), UT(a_new_tenant_finds_no_memory_of_the_last),
           UT(a_new_tenant_finds_no_register_of_the_last),
           UT(a_new_tenant_finds_no_latched_address),
           UT(a_new_tenant_gets_no_interrupt_of_the_last),
           UT(a_new_tenant_finds_no_doorbell_of_the_last),
           UT(an_old_mapping_sees_nothing_of_the_next_tenant),
           UT(a_vf_that_was_disabled_is_gone_with_all_its_ways))
