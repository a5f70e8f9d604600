/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lies in memory: MQD, interrupt entries, GPUIOV, doorbells. */
#include <gv/layouts.h>

#include "ut.h"

/* v9_structs.h, Linux 6.1. */
static void mqd_dwords_are_an_image_of_the_registers(void)
{
	CU_ASSERT_EQUAL(GV_MQD_DW(CP_MQD_BASE_ADDR), 128);
	CU_ASSERT_EQUAL(GV_MQD_DW(CP_HQD_ACTIVE), 130);
	CU_ASSERT_EQUAL(GV_MQD_DW(CP_HQD_VMID), 131);
	CU_ASSERT_EQUAL(GV_MQD_DW(CP_HQD_PERSISTENT_STATE), 132);
	CU_ASSERT_EQUAL(GV_MQD_DW(CP_HQD_QUANTUM), 135);
	CU_ASSERT_EQUAL(GV_MQD_DW(CP_HQD_PQ_BASE), 136);
	CU_ASSERT_EQUAL(GV_MQD_DW(CP_HQD_PQ_RPTR), 138);
	CU_ASSERT_EQUAL(GV_MQD_DW(CP_HQD_PQ_RPTR_REPORT_ADDR), 139);
	CU_ASSERT_EQUAL(GV_MQD_DW(CP_HQD_PQ_WPTR_POLL_ADDR), 141);
	CU_ASSERT_EQUAL(GV_MQD_DW(CP_HQD_PQ_DOORBELL_CONTROL), 143);
	CU_ASSERT_EQUAL(GV_MQD_DW(CP_HQD_PQ_CONTROL), 145);
	CU_ASSERT_EQUAL(GV_MQD_DW(CP_HQD_IB_CONTROL), 149);
	CU_ASSERT_EQUAL(GV_MQD_DW(CP_HQD_DEQUEUE_REQUEST), 152);
	CU_ASSERT_EQUAL(GV_MQD_DW(CP_MQD_CONTROL), 162);
	CU_ASSERT_EQUAL(GV_MQD_DW(CP_HQD_EOP_BASE_ADDR), 165);
	CU_ASSERT_EQUAL(GV_MQD_DW(CP_HQD_EOP_CONTROL), 167);
	CU_ASSERT_EQUAL(GV_MQD_DW(CP_HQD_PQ_WPTR_LO), 182);
	CU_ASSERT_EQUAL(GV_MQD_DW(CP_HQD_PQ_WPTR_HI), 183);
	CU_ASSERT_EQUAL(GV_MQD_COMPUTE_DW(COMPUTE_DISPATCH_INITIATOR), 1);
	CU_ASSERT_EQUAL(GV_MQD_COMPUTE_DW(COMPUTE_PIPELINESTAT_ENABLE), 11);
	CU_ASSERT_EQUAL(GV_MQD_COMPUTE_DW(COMPUTE_STATIC_THREAD_MGMT_SE0), 23);
	CU_ASSERT_EQUAL(GV_MQD_COMPUTE_DW(COMPUTE_STATIC_THREAD_MGMT_SE3), 27);
	CU_ASSERT_EQUAL(GV_MQD_COMPUTE_DW(COMPUTE_MISC_RESERVED), 32);
	CU_ASSERT_EQUAL(GV_MQD_COMPUTE_DW(COMPUTE_USER_DATA_0), GV_MQD_USER_DATA_FIRST);
	CU_ASSERT_EQUAL((uint32_t)GV_MQD_HEADER_MAGIC, 0xc0310800);
}

/* Every dword of the image: a register per queue slot, or a hole, never one of another bank. */
static void the_hqd_image_holds_queue_registers_only(void)
{
	unsigned there = 0;

	for (uint32_t dw = 0; dw < GV_MQD_HQD_COUNT; dw++) {
		int reg = gv_reg_at((CP_MQD_BASE_ADDR__DW + dw) * 4u, NULL);

		if (reg < 0)
			continue;
		there++;
		CU_ASSERT_EQUAL(gv_reg_info((enum gv_reg)reg)->bank, GV_BANK_HQD);
	}
	CU_ASSERT(there >= 50);
	for (int r = 0; r < GV_REG_COUNT; r++) {
		const struct gv_reg_info *i = gv_reg_info((enum gv_reg)r);

		if (i->bank == GV_BANK_HQD)
			CU_ASSERT(i->byte / 4 >= CP_MQD_BASE_ADDR__DW &&
			          i->byte / 4 < CP_MQD_BASE_ADDR__DW + GV_MQD_HQD_COUNT);
	}
}

static void sdma_descriptors_have_the_kernels_order(void)
{
	CU_ASSERT_EQUAL(GV_SDMA_MQD_RB_WPTR_POLL_CNTL, 7);
	CU_ASSERT_EQUAL(GV_SDMA_MQD_RB_RPTR_ADDR_HI, 8);
	CU_ASSERT_EQUAL(GV_SDMA_MQD_DOORBELL, 18);
	CU_ASSERT_EQUAL(GV_SDMA_MQD_DOORBELL_OFFSET, 22);
	CU_ASSERT_EQUAL(GV_SDMA_MQD_RB_AQL_CNTL, 30);
	CU_ASSERT_EQUAL(GV_SDMA_MQD_MIDCMD_CNTL, 41);
}

static void queue_slots_are_numbered_without_gaps(void)
{
	unsigned next = 0;

	for (unsigned mec = 0; mec < GV_NUM_MEC; mec++)
		for (unsigned pipe = 0; pipe < GV_NUM_PIPE; pipe++)
			for (unsigned queue = 0; queue < GV_NUM_QUEUE; queue++)
				CU_ASSERT_EQUAL(GV_HQD_SLOT(mec, pipe, queue), next++);
	CU_ASSERT_EQUAL(next, GV_NUM_HQD);
}

/* vega10_reg_init.c: 64-bit slots times two. */
static void doorbells_are_those_of_vega10(void)
{
	CU_ASSERT_EQUAL(GV_DOORBELL_KIQ * 4, 0x000);
	CU_ASSERT_EQUAL(GV_DOORBELL_MEC_RING0 * 4, 0x018);
	CU_ASSERT_EQUAL(GV_DOORBELL_SDMA0 * 4, 0x780);
	CU_ASSERT_EQUAL(GV_DOORBELL_SDMA1 * 4, 0x790);
	CU_ASSERT_EQUAL(GV_DOORBELL_IH * 4, 0x7a0);
}

static void pte_bits_are_those_of_gfx9(void)
{
	CU_ASSERT_EQUAL(GV_PTE_VALID | GV_PTE_SYSTEM | GV_PTE_SNOOPED, 7);
	CU_ASSERT_EQUAL(GV_PTE_EXECUTABLE | GV_PTE_READABLE | GV_PTE_WRITEABLE, 0x70);
	CU_ASSERT_EQUAL(GV_PTE_FRAG(9), 9 << 7);
	CU_ASSERT_EQUAL(GV_PDE_PTE, 1ull << 54);
	CU_ASSERT_EQUAL(GV_PTE_ADDR_MASK & (GV_PTE_FRAG(31) | GV_PTE_PRT | GV_PDE_PTE), 0);
	CU_ASSERT_EQUAL(GV_L2PTE_ADDR_MASK & (GV_L2_PAGE - 1), 0);
}

static void interrupt_entries_decode_as_the_kernel_does(void)
{
	uint32_t dw0 = GV_IH_CLIENT_SDMA0 | GV_IH_SRC_SDMA_TRAP << 8 | 2 << 16 | 5 << 24 | 1u << 31;

	CU_ASSERT_EQUAL(GV_GET(dw0, IH_IV0, CLIENT_ID), 8);
	CU_ASSERT_EQUAL(GV_GET(dw0, IH_IV0, SRC_ID), 224);
	CU_ASSERT_EQUAL(GV_GET(dw0, IH_IV0, RING_ID), 2);
	CU_ASSERT_EQUAL(GV_GET(dw0, IH_IV0, VMID), 5);
	CU_ASSERT_EQUAL(GV_GET(dw0, IH_IV0, VMID_SRC), 1);
	/* the KIQ is me 2, pipe 1, queue 0 */
	CU_ASSERT_EQUAL(GV_PUT(IH_CP_RING, ME, 2) | GV_PUT(IH_CP_RING, PIPE, 1), 0x09);
}

static void gpuiov_lies_where_vega10_has_it(void)
{
	CU_ASSERT_EQUAL(GV_CFG_GPUIOV + GIOV_SRIOV_SHADOW__OFF, 0x408);
	CU_ASSERT_EQUAL(GV_CFG_GPUIOV + GIOV_RESET_CONTROL__OFF, 0x414);
	CU_ASSERT_EQUAL(GV_CFG_GPUIOV + GIOV_CONTEXT__OFF, 0x424);
	CU_ASSERT_EQUAL(GV_CFG_GPUIOV + GIOV_TOTAL_FB__OFF, 0x428);
	CU_ASSERT_EQUAL(GV_CFG_GPUIOV + GIOV_OFFSETS__OFF, 0x42c);
	for (unsigned n = 0; n < GV_MAX_VFS; n++)
		CU_ASSERT_EQUAL(GV_CFG_GPUIOV + GV_GIOV_VF_FB(n), 0x430 + 4 * n);
	CU_ASSERT_EQUAL(GV_CFG_GPUIOV + GIOV_UVDSCH_DW0__OFF, 0x470);
	CU_ASSERT_EQUAL(GV_CFG_GPUIOV + GIOV_VCESCH_DW0__OFF, 0x4a0);
	CU_ASSERT_EQUAL(GV_CFG_GPUIOV + GIOV_GFXSCH_DW0__OFF, 0x4d0);
	CU_ASSERT(GIOV_GFXSCH_DW8__OFF + 4 <= GIOV_BYTES);
}

UT_MAIN("layouts", UT(mqd_dwords_are_an_image_of_the_registers),
        UT(the_hqd_image_holds_queue_registers_only), UT(sdma_descriptors_have_the_kernels_order),
        UT(queue_slots_are_numbered_without_gaps), UT(doorbells_are_those_of_vega10),
        UT(pte_bits_are_those_of_gfx9), UT(interrupt_entries_decode_as_the_kernel_does),
        UT(gpuiov_lies_where_vega10_has_it))
