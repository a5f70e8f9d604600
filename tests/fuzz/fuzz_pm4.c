/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * PM4 from a hostile guest: the first byte says where the rest is run (bit 0: the KIQ's ring,
 * else a compute ring; bit 1: as an indirect buffer). The device must not crash, and must be as
 * new after a reset.
 */
#include <string.h>

#include <gv/device_model.h>
#include <gv/layouts.h>
#include <gv/packets.h>

#include "device.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VF       GV_DEV_VF(0)
#define FB_BYTES (16 * GV_MIB)
#define FB_AT    (64 * GV_MIB)
#define TABLE_AT (32 * GV_MIB)
#define RING     0x100000u
#define IB       0x200000u
#define RING_DW  4096u
#define MAX_DW   2048u
#define RUN_NS   (3 * GV_MS)

static struct gv_dev *dev;

static void wr(unsigned fn, uint32_t byte, uint32_t val)
{
	(void)gv_dev_write(dev, fn, GV_REGION_MMIO, byte, &val, sizeof(val));
}

static uint32_t rd(unsigned fn, uint32_t byte)
{
	uint32_t val = 0;

	(void)gv_dev_read(dev, fn, GV_REGION_MMIO, byte, &val, sizeof(val));
	return val;
}

static void wait_reg(unsigned fn, uint32_t byte, uint32_t want, uint64_t ns)
{
	uint64_t end = gv_now_ns() + ns;
	unsigned spins = 0;

	while (rd(fn, byte) != want && gv_now_ns() < end)
		gv_poll_pause(&spins);
}

static void make_device(void)
{
	static const struct gv_dev_cfg cfg = {.vram_mib = 256, .max_vfs = 1, .engine_threads = 1};

	if (gv_dev_new(&cfg, NULL, &dev, NULL))
		abort();
	gv_dev_set_vfs(dev, 1);
	for (uint32_t i = 0; i < FB_BYTES / GV_L2_PAGE; i++) {
		uint64_t entry = (FB_AT + i * GV_L2_PAGE) | GV_L2PTE_VALID | GV_L2PTE_READABLE |
		                 GV_L2PTE_WRITEABLE;

		(void)gv_dev_write(dev, GV_DEV_PF, GV_REGION_VRAM, TABLE_AT + i * 8, &entry, 8);
	}
}

static void admit(void)
{
	wr(GV_DEV_PF, GVX_VF0_L2_BASE_LO__BYTE, TABLE_AT);
	wr(GV_DEV_PF, GVX_VF0_L2_ENTRIES__BYTE, FB_BYTES / GV_L2_PAGE);
	wr(GV_DEV_PF, GVX_VF0_L2_INVALIDATE__BYTE, 1);
	wait_reg(GV_DEV_PF, GVX_VF0_L2_INVALIDATE__BYTE, 0, GV_S);
	wr(GV_DEV_PF, GVX_VF_REGWR_EN__BYTE, 1);
	wr(GV_DEV_PF, GVX_VF_DOORBELL_EN__BYTE, 1);
	wr(GV_DEV_PF, GVX_VF_FB_EN__BYTE, 1);
}

static void start_queue(bool kiq)
{
	wr(VF, CP_MEC_CNTL__BYTE, 0);
	wr(VF, RLC_CP_SCHEDULERS__BYTE, 0x80 | 2 << 5 | 1 << 3);
	wr(VF, GRBM_GFX_CNTL__BYTE,
	   GV_PUT(GRBM_GFX_CNTL, MEID, kiq ? 2 : 1) | GV_PUT(GRBM_GFX_CNTL, PIPEID, kiq));
	wr(VF, CP_HQD_PQ_BASE__BYTE, RING >> 8);
	wr(VF, CP_HQD_PQ_CONTROL__BYTE, GV_PUT(CP_HQD_PQ_CONTROL, QUEUE_SIZE, 11));
	wr(VF, CP_HQD_ACTIVE__BYTE, 1);
}

static uint32_t fill(const uint8_t *data, size_t size, bool as_ib)
{
	uint32_t dw = (uint32_t)GV_MIN(size / 4, (size_t)MAX_DW);
	const uint32_t call[4] = {gv_pm4_header(PM4_INDIRECT_BUFFER, 3), IB, 0,
	                          GV_PUT(PM4_INDIRECT_BUFFER, IB_SIZE, dw)};

	(void)gv_dev_write(dev, VF, GV_REGION_VRAM, as_ib ? IB : RING, data, (size_t)dw * 4);
	if (!as_ib)
		return dw;
	(void)gv_dev_write(dev, VF, GV_REGION_VRAM, RING, call, sizeof(call));
	return (uint32_t)GV_ARRAY_LEN(call);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t end;
	uint32_t dw;

	if (size < 5)
		return 0;
	if (!dev)
		make_device();
	admit();
	dw = fill(data + 1, size - 1, data[0] & 2);
	start_queue(data[0] & 1);
	wr(VF, CP_HQD_PQ_WPTR_LO__BYTE, dw);
	end = gv_now_ns() + RUN_NS;
	while (rd(VF, CP_HQD_PQ_RPTR__BYTE) != dw && !rd(VF, CP_HQD_ERROR__BYTE) &&
	       gv_now_ns() < end)
		;
	if (gv_dev_reset(dev, VF) || gv_now_ns() > end + 5 * GV_S)
		abort(); /* a reset is bounded, whatever runs */
	return 0;
}
