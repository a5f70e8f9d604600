/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes as the ring of a VF's SDMA, and as its page tables: the first byte says how. Whatever
 * they are, the queue ends, waits or stops; memory of others stays as it was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"

#define VF_FB     (4 * GV_MIB)
#define VF_DEVICE (32 * GV_MIB)
#define TABLE     (1 * GV_MIB) /* second-level table, in the PF's window */
#define RING      0x10000u
#define RING_LOG2 12u
#define GUARD     0x600df00ddeadbeefull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gv_dev *dev;

static void wr(struct gv_fn *f, uint32_t byte, uint32_t val)
{
	gv_mmio_write32(f, byte, val, GV_ORIGIN_ENGINE);
}

static void admit(struct gv_fn *pf, struct gv_fn *vf)
{
	for (unsigned i = 0; i < VF_FB / GV_L2_PAGE; i++) {
		uint64_t entry = (VF_DEVICE + i * GV_L2_PAGE) | GV_L2PTE_VALID | GV_L2PTE_READABLE |
		                 GV_L2PTE_WRITEABLE;

		gv_vram_access(pf, TABLE + 8ull * i, &entry, sizeof(entry), true);
	}
	wr(pf, GVX_VF0_L2_BASE_LO__BYTE, (uint32_t)TABLE);
	wr(pf, GVX_VF0_L2_ENTRIES__BYTE, VF_FB / GV_L2_PAGE);
	gv_vram_l2_reload(vf);
	wr(pf, GVX_VF_FB_EN__BYTE, 1);
}

static void set_guards(struct gv_fn *pf)
{
	uint64_t guard = GUARD;

	gv_vram_access(pf, VF_DEVICE - 8, &guard, sizeof(guard), true);
	gv_vram_access(pf, VF_DEVICE + VF_FB, &guard, sizeof(guard), true);
}

static void check_guards(struct gv_fn *pf)
{
	uint64_t before = 0, after = 0;

	gv_vram_access(pf, VF_DEVICE - 8, &before, sizeof(before), false);
	gv_vram_access(pf, VF_DEVICE + VF_FB, &after, sizeof(after), false);
	if (before != GUARD || after != GUARD)
		abort();
}

static void start(struct gv_fn *vf, uint8_t how, uint32_t bytes)
{
	uint32_t cntl = GV_PUT(SDMA0_GFX_RB_CNTL, RB_SIZE, RING_LOG2) |
	                GV_PUT(SDMA0_GFX_RB_CNTL, RB_ENABLE, 1) |
	                GV_PUT(SDMA0_GFX_RB_CNTL, RB_VMID, how & 1);

	wr(vf, SDMA0_GFX_RB_BASE__BYTE, RING >> 8);
	/* VMID 1: the ring's bytes are also its page tables, from depth 0 to 3 */
	wr(vf, GV_BYTE_N(MMHUB_VM_CONTEXT0_PAGE_TABLE_BASE_ADDR_LO32, 1),
	   (RING & ~0xfffu) | (how >> 4 & 2) | 1);
	wr(vf, GV_BYTE_N(MMHUB_VM_CONTEXT0_PAGE_TABLE_END_ADDR_LO32, 1), UINT32_MAX);
	wr(vf, GV_BYTE_N(MMHUB_VM_CONTEXT0_CNTL, 1),
	   GV_PUT(MMHUB_VM_CONTEXT0_CNTL, ENABLE_CONTEXT, 1) |
	           GV_PUT(MMHUB_VM_CONTEXT0_CNTL, PAGE_TABLE_DEPTH, how >> 1));
	wr(vf, SDMA0_GFX_RB_CNTL__BYTE, cntl);
	wr(vf, SDMA0_F32_CNTL__BYTE, 0);
	wr(vf, SDMA0_GFX_RB_WPTR__BYTE, bytes & ~3u);
}

/* Until it is idle, stuck or has had its time. */
static void let_run(struct gv_fn *vf)
{
	uint64_t end = gv_now_ns() + 5 * GV_MS;
	unsigned spins = 0;

	while (gv_now_ns() < end) {
		uint32_t s = gv_mmio_read32(vf, SDMA0_GFX_CONTEXT_STATUS__BYTE, GV_ORIGIN_ENGINE);
		uint32_t rptr = gv_mmio_read32(vf, SDMA0_GFX_RB_RPTR__BYTE, GV_ORIGIN_ENGINE);

		if (GV_GET(s, SDMA0_GFX_CONTEXT_STATUS, EXCEPTION) ||
		    rptr == gv_mmio_read32(vf, SDMA0_GFX_RB_WPTR__BYTE, GV_ORIGIN_ENGINE))
			return;
		gv_poll_pause(&spins);
	}
}

static void make(void)
{
	const struct gv_dev_cfg cfg = {.vram_mib = 256,
	                               .max_vfs = 1,
	                               .vf_bar0_mib = 16,
	                               .pf_window_mib = 16,
	                               .engine_threads = 1};
	const struct gv_dev_host host = {0};
	struct gv_err err = {0};

	if (gv_dev_new(&cfg, &host, &dev, &err) != 0) {
		fprintf(stderr, "fuzz_sdma: %s\n", err.text);
		exit(1);
	}
	gv_dev_set_vfs(dev, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gv_fn *pf, *vf;
	uint32_t bytes;

	if (size < 5)
		return 0;
	if (!dev)
		make();
	pf = &dev->fn[GV_DEV_PF];
	vf = &dev->fn[GV_DEV_VF(0)];
	gv_fn_reset(vf);
	admit(pf, vf);
	set_guards(pf);
	bytes = (uint32_t)GV_MIN(size - 1, 4u << RING_LOG2);
	gv_vram_access(vf, RING, (uint8_t *)(uintptr_t)data + 1, bytes, true);
	start(vf, data[0], bytes);
	let_run(vf);
	check_guards(pf);
	return 0;
}
