/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PSP's rings: commands, answers and fences, firmware. */
#include "psp_rig.h"

/* ---- commands ------------------------------------------------------------------------- */

static void registers_are_programmed(bool gart)
{
	static const uint32_t bytes[] = {IH_RB_CNTL__BYTE, IH_RB_CNTL_RING1__BYTE,
	                                 IH_RB_CNTL_RING2__BYTE};
	struct mem_rig r;
	struct psp_driver d;

	rig_open(&r, true);
	d = psp_driver_of(&r, 0, gart);
	for (uint32_t id = 0; id < GV_ARRAY_LEN(bytes); id++) {
		uint32_t val = GV_PUT(IH_RB_CNTL, RB_SIZE, 10 + id);

		CU_ASSERT_EQUAL(psp_prog_reg(&d, id, val), 0);
		CU_ASSERT_EQUAL(rig_rd(d.f, bytes[id]), val);
		CU_ASSERT_EQUAL(rig_rd(r.vf[1], bytes[id]), 0);
	}
	CU_ASSERT_EQUAL(psp_errors(&d), 0);
	CU_ASSERT_EQUAL(atomic_load(&d.f->count.vm_faults), 0);
	rig_close(&r);
}

static void registers_are_programmed_from_the_frame_buffer(void)
{
	registers_are_programmed(false);
}

static void registers_are_programmed_through_the_gart(void)
{
	registers_are_programmed(true);
}

static void an_interrupt_ring_is_on_when_the_fence_is_there(void)
{
	const uint32_t on = GV_PUT(IH_RB_CNTL, RB_ENABLE, 1) | GV_PUT(IH_RB_CNTL, RB_SIZE, 16) |
	                    GV_PUT(IH_RB_CNTL, MC_SPACE, GV_IH_MC_SPACE_BUS);
	struct gv_ih_iv iv = gv_ih_iv(GV_IH_CLIENT_GRBM_CP, GV_IH_SRC_CP_EOP, 0, 0, GV_HUB_GC);
	struct mem_rig r;
	struct psp_driver d;

	rig_open(&r, true);
	d = psp_driver_of(&r, 0, false);
	rig_wr(d.f, IH_RB_BASE__BYTE, (uint32_t)(RIG_IOVA >> 8));
	CU_ASSERT_EQUAL(psp_prog_reg(&d, GV_PSP_REG_IH_RB_CNTL, on), 0);
	gv_ih_post(d.f, &iv);
	CU_ASSERT(UNTIL(rig_rd(d.f, IH_RB_WPTR__BYTE) == sizeof(iv)));
	rig_close(&r);
}

static void the_ring_goes_round(void)
{
	struct mem_rig r;
	struct psp_driver d;

	rig_open(&r, true);
	d = psp_driver_of(&r, 0, false);
	for (uint32_t k = 1; k <= 200; k++) {
		uint32_t val = GV_PUT(IH_RB_CNTL, RB_SIZE, k);

		CU_ASSERT_EQUAL(psp_prog_reg(&d, 0, val), 0);
		CU_ASSERT_EQUAL(rig_rd(d.f, IH_RB_CNTL__BYTE), val);
	}
	CU_ASSERT_EQUAL(psp_errors(&d), 0);
	rig_close(&r);
}

static void many_frames_are_run_in_their_order(void)
{
	const struct gv_psp_cmd cmd = {.id = GV_PSP_PROG_REG, .reg = {.val = 0x20}};
	struct gv_psp_frame frame;
	struct mem_rig r;
	struct psp_driver d;

	rig_open(&r, true);
	d = psp_driver_of(&r, 0, false);
	psp_put(&d, PSP_CMD, &cmd, sizeof(cmd));
	for (unsigned k = 0; k < GV_PSP_RING_DW / GV_PSP_FRAME_DW - 1; k++) {
		frame = psp_frame_of(&d);
		psp_add_frame(&d, &frame);
	}
	psp_kick(&d, d.wptr);
	CU_ASSERT(UNTIL(psp_fence(&d) == d.fence));
	CU_ASSERT_EQUAL(rig_rd(d.f, IH_RB_CNTL__BYTE), 0x20);
	CU_ASSERT_EQUAL(psp_errors(&d), 0);
	rig_close(&r);
}

static void other_registers_are_refused(void)
{
	struct mem_rig r;
	struct psp_driver d;

	rig_open(&r, true);
	d = psp_driver_of(&r, 0, false);
	for (uint32_t id = 3; id < 64; id++)
		CU_ASSERT_EQUAL(psp_prog_reg(&d, id, UINT32_MAX), GV_PSP_ACCESS_DENIED);
	CU_ASSERT_EQUAL(psp_prog_reg(&d, IH_RB_CNTL__DW, UINT32_MAX), GV_PSP_ACCESS_DENIED);
	CU_ASSERT_EQUAL(psp_prog_reg(&d, UINT32_MAX, UINT32_MAX), GV_PSP_ACCESS_DENIED);
	CU_ASSERT_EQUAL(psp_errors(&d), 63);
	for (size_t k = 0; k < 3; k++)
		CU_ASSERT_EQUAL(rig_rd(d.f, IH_RB_CNTL__BYTE), 0);
	rig_close(&r);
}

static void what_is_not_modelled_is_answered_and_counted(void)
{
	static const uint32_t known[] = {GV_PSP_SETUP_TMR, GV_PSP_LOAD_IP_FW,  GV_PSP_DESTROY_TMR,
	                                 GV_PSP_SETUP_VMR, GV_PSP_DESTROY_VMR, GV_PSP_PROG_REG};
	unsigned unknown = 0;
	struct mem_rig r;
	struct psp_driver d;

	rig_open(&r, true);
	d = psp_driver_of(&r, 0, false);
	for (uint32_t id = 0; id < 0x40; id++) {
		struct gv_psp_cmd cmd = {.id = id};
		bool is_known = false;

		for (size_t k = 0; k < GV_ARRAY_LEN(known); k++)
			is_known |= id == known[k];
		if (is_known)
			continue;
		CU_ASSERT_EQUAL(psp_run(&d, &cmd).status, GV_PSP_STATUS_UNKNOWN);
		CU_ASSERT_EQUAL(atomic_load(&d.f->count.unimplemented), ++unknown);
	}
	CU_ASSERT_EQUAL(psp_ask(&d, 0x0a), GV_PSP_STATUS_UNKNOWN);
	CU_ASSERT_EQUAL(atomic_load(&d.f->count.unimplemented), unknown + 1);
	CU_ASSERT_EQUAL(psp_prog_reg(&d, 0, 0x40), 0); /* the ring goes on */
	rig_close(&r);
}

/* As psp_v3_1_reroute_ih(): a driver waits for the answer, but goes on without. */
static void interrupt_clients_are_rerouted_with_an_answer(void)
{
	struct mem_rig r;

	rig_open(&r, true);
	CU_ASSERT_EQUAL(rig_rd(r.vf[0], MP0_SMN_C2PMSG_64__BYTE), 0x80000000);
	for (uint32_t client = 3; client <= 4; client++) {
		rig_wr(r.vf[0], MP0_SMN_C2PMSG_69__BYTE, client);
		rig_wr(r.vf[0], MP0_SMN_C2PMSG_70__BYTE, 0x10121640);
		rig_wr(r.vf[0], MP0_SMN_C2PMSG_64__BYTE,
		       GV_PUT(PSP_C2PMSG, COMMAND, GV_PSP_GBR_IH_SET));
		CU_ASSERT_EQUAL(rig_rd(r.vf[0], MP0_SMN_C2PMSG_64__BYTE), 0x80000000);
	}
	CU_ASSERT_EQUAL(atomic_load(&r.vf[0]->count.unimplemented), 0);
	rig_close(&r);
}

/* ---- firmware ----------------------------------------------------------------------------- */

static void fill(struct psp_driver *d, uint64_t off, uint32_t seed, uint32_t bytes, uint8_t *copy)
{
	uint64_t s = seed;

	for (uint32_t k = 0; k < bytes; k++)
		copy[k] = (uint8_t)rig_random(&s);
	psp_put(d, off, copy, bytes);
}

static void firmware_is_loaded(bool gart)
{
	static const struct {
		unsigned type;
		uint32_t bytes;
	} row[] = {{GV_PSP_FW_CP_CE, 8192},      {GV_PSP_FW_CP_PFP, 20000},
	           {GV_PSP_FW_CP_ME, 1},         {GV_PSP_FW_CP_MEC, 1u << 20},
	           {GV_PSP_FW_CP_MEC_ME1, 4096}, {GV_PSP_FW_UVD, 12345},
	           {GV_PSP_FW_CAP, 4096}};
	static uint8_t want[1 << 20], got[1 << 20];
	struct mem_rig r;
	struct psp_driver d;
	uint64_t next;

	rig_open(&r, true);
	d = psp_driver_of(&r, 0, gart);
	next = d.at + PSP_VMR;
	CU_ASSERT_EQUAL(psp_setup_vmr(&d, d.at + PSP_VMR, PSP_VMR_SIZE), 0);
	for (size_t k = 0; k < GV_ARRAY_LEN(row); k++) {
		struct gv_psp_fw fw;
		struct gv_psp_resp resp;

		fill(&d, PSP_FIRMWARE, (uint32_t)k + 1, row[k].bytes, want);
		resp = psp_load(&d, row[k].type, d.at + PSP_FIRMWARE, row[k].bytes);
		CU_ASSERT_EQUAL(resp.status, 0);
		CU_ASSERT_EQUAL((uint64_t)resp.fw_hi << 32 | resp.fw_lo, next);
		fw = gv_psp_firmware(d.f, row[k].type);
		CU_ASSERT_EQUAL(fw.bytes, row[k].bytes);
		CU_ASSERT_EQUAL(fw.crc, gv_crc32(0, want, row[k].bytes));
		CU_ASSERT_EQUAL(fw.va, next);
		psp_get(&d, next - d.at, got, row[k].bytes);
		CU_ASSERT_EQUAL(memcmp(got, want, row[k].bytes), 0);
		next += (row[k].bytes + 4095) & ~4095ull;
	}
	CU_ASSERT_EQUAL(gv_psp_firmware(d.f, GV_PSP_FW_VCE).bytes, 0);
	CU_ASSERT_EQUAL(gv_psp_firmware(r.vf[1], GV_PSP_FW_CP_CE).bytes, 0);
	CU_ASSERT_EQUAL(psp_errors(&d), 0);
	rig_close(&r);
}

static void firmware_is_loaded_within_the_frame_buffer(void)
{
	firmware_is_loaded(false);
}

static void firmware_is_loaded_through_the_gart(void)
{
	firmware_is_loaded(true);
}

/* A driver loads it all again after a reset, into the same PSP_VMR. */
static void firmware_is_replaced_where_it_is(void)
{
	struct mem_rig r;
	struct psp_driver d;

	rig_open(&r, true);
	d = psp_driver_of(&r, 0, false);
	CU_ASSERT_EQUAL(psp_setup_vmr(&d, PSP_VMR, PSP_VMR_SIZE), 0);
	for (unsigned k = 0; k < 100; k++)
		CU_ASSERT_EQUAL(psp_load(&d, GV_PSP_FW_CP_MEC, PSP_FIRMWARE, 300000 - k).fw_lo,
		                PSP_VMR);
	CU_ASSERT_EQUAL(psp_load(&d, GV_PSP_FW_CP_MEC, PSP_FIRMWARE, 400000).status, 0);
	CU_ASSERT_NOT_EQUAL(gv_psp_firmware(d.f, GV_PSP_FW_CP_MEC).va, PSP_VMR);
	CU_ASSERT_EQUAL(psp_setup_vmr(&d, PSP_VMR, PSP_VMR_SIZE), 0); /* all of it is free again */
	CU_ASSERT_EQUAL(gv_psp_firmware(d.f, GV_PSP_FW_CP_MEC).bytes, 0);
	CU_ASSERT_EQUAL(psp_load(&d, GV_PSP_FW_CP_ME, PSP_FIRMWARE, 400000).fw_lo, PSP_VMR);
	rig_close(&r);
}

static void firmware_that_is_none_is_refused(void)
{
	static const struct {
		unsigned type;
		uint64_t va;
		uint32_t bytes, status;
	} row[] = {
	        {GV_PSP_FW_RLC_G, PSP_FIRMWARE, 4096, GV_PSP_ACCESS_DENIED},
	        {GV_PSP_FW_SDMA0, PSP_FIRMWARE, 4096, GV_PSP_ACCESS_DENIED},
	        {0, PSP_FIRMWARE, 4096, GV_PSP_ACCESS_DENIED},
	        {GV_PSP_FW_TYPES, PSP_FIRMWARE, 4096, GV_PSP_ACCESS_DENIED},
	        {UINT32_MAX, PSP_FIRMWARE, 4096, GV_PSP_ACCESS_DENIED},
	        {GV_PSP_FW_CP_ME, PSP_FIRMWARE, 0, GV_PSP_BAD_PARAMETERS},
	        {GV_PSP_FW_CP_ME, PSP_FIRMWARE + 8, 4096, GV_PSP_BAD_PARAMETERS},
	        {GV_PSP_FW_CP_ME, PSP_FIRMWARE, GV_MIB + 1, GV_PSP_BAD_PARAMETERS},
	        {GV_PSP_FW_CP_ME, PSP_FIRMWARE, UINT32_MAX, GV_PSP_BAD_PARAMETERS},
	        {GV_PSP_FW_CP_ME, PSP_FIRMWARE, PSP_VMR_SIZE / 8 + 1, GV_PSP_OUT_OF_MEMORY},
	        {GV_PSP_FW_CP_ME, RIG_FB, 4096, GV_PSP_BAD_FORMAT},
	        {GV_PSP_FW_CP_ME, RIG_FB - 4096, 8192, GV_PSP_BAD_FORMAT},
	        {GV_PSP_FW_CP_ME, -4096ull, 4096, GV_PSP_BAD_FORMAT},
	};
	struct mem_rig r;
	struct psp_driver d;

	rig_open(&r, true);
	d = psp_driver_of(&r, 0, false);
	CU_ASSERT_EQUAL(psp_load(&d, GV_PSP_FW_CP_ME, PSP_FIRMWARE, 4096).status, GV_PSP_BAD_STATE);
	CU_ASSERT_EQUAL(psp_setup_vmr(&d, PSP_VMR, PSP_VMR_SIZE / 8), 0);
	for (size_t k = 0; k < GV_ARRAY_LEN(row); k++) {
		struct gv_psp_resp resp = psp_load(&d, row[k].type, row[k].va, row[k].bytes);

		CU_ASSERT_EQUAL(resp.status, row[k].status);
		CU_ASSERT_EQUAL(resp.fw_lo, 0);
		CU_ASSERT_EQUAL(psp_errors(&d), k + 2);
	}
	CU_ASSERT_EQUAL(gv_psp_firmware(d.f, GV_PSP_FW_CP_ME).bytes, 0);
	rig_close(&r);
}

static void a_vmr_that_is_none_is_refused(void)
{
	static const struct {
		uint64_t va;
		uint32_t bytes;
	} row[] = {{PSP_VMR, 0},
	           {PSP_VMR, 100},
	           {PSP_VMR + 1, 4096},
	           {PSP_VMR, 0x80000000},
	           {-4096ull, 8192}};
	struct mem_rig r;
	struct psp_driver d;

	rig_open(&r, true);
	d = psp_driver_of(&r, 0, false);
	for (size_t k = 0; k < GV_ARRAY_LEN(row); k++)
		CU_ASSERT_EQUAL(psp_setup_vmr(&d, row[k].va, row[k].bytes), GV_PSP_BAD_PARAMETERS);
	CU_ASSERT_EQUAL(psp_errors(&d), GV_ARRAY_LEN(row));
	/* what nobody could write to is found out when it is used */
	CU_ASSERT_EQUAL(psp_setup_vmr(&d, RIG_FB, PSP_VMR_SIZE), 0);
	CU_ASSERT_EQUAL(psp_load(&d, GV_PSP_FW_CP_ME, PSP_FIRMWARE, 4096).status,
	                GV_PSP_BAD_FORMAT);
	rig_close(&r);
}

UT_MAIN("device-model/psp", UT(registers_are_programmed_from_the_frame_buffer),
        UT(registers_are_programmed_through_the_gart),
        UT(an_interrupt_ring_is_on_when_the_fence_is_there), UT(the_ring_goes_round),
        UT(many_frames_are_run_in_their_order), UT(other_registers_are_refused),
        UT(what_is_not_modelled_is_answered_and_counted),
        UT(interrupt_clients_are_rerouted_with_an_answer),
        UT(firmware_is_loaded_within_the_frame_buffer), UT(firmware_is_loaded_through_the_gart),
        UT(firmware_is_replaced_where_it_is), UT(firmware_that_is_none_is_refused),
        UT(a_vmr_that_is_none_is_refused))
