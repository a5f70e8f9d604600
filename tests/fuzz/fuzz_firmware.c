/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a hostile guest leaves for the processors beside its queues. The first byte says for whom
 * the rest is: 0 the PSP's ring with all its commands, 1 an init table of the MMSCH, 2 an encode
 * ring. The device must not crash, and must be as new after a reset.
 */
#include "../unit/device-model/mem_rig.h"
#include "mm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define AT      0x10000u /* where the rest lies in the frame buffer: addresses in it may name it */
#define ROOM    0x10000u
#define RING_DW 1024u
#define RUN_NS  (3 * GV_MS)

static struct mem_rig r;
static struct gv_fn *f;

static void put(const uint8_t *data, size_t size)
{
	static uint8_t all[ROOM];

	memset(all, 0, sizeof(all));
	memcpy(all, data, GV_MIN(size, sizeof(all)));
	rig_put(f, AT, all, sizeof(all));
}

static uint64_t complaints(void)
{
	return atomic_load(&f->count.guest_errors) + atomic_load(&f->count.unimplemented);
}

static void psp(void)
{
	uint64_t before = complaints(), end = gv_now_ns() + RUN_NS;

	rig_wr(f, MP0_SMN_C2PMSG_102__BYTE, AT);
	rig_wr(f, MP0_SMN_C2PMSG_101__BYTE, GV_PUT(PSP_C2PMSG, COMMAND, GV_PSP_INIT_GPCOM_RING));
	while (!GV_GET(rig_rd(f, MP0_SMN_C2PMSG_101__BYTE), PSP_C2PMSG, RESPONSE))
		;
	rig_wr(f, MP0_SMN_C2PMSG_102__BYTE, GV_PSP_RING_DW - GV_PSP_FRAME_DW);
	rig_wr(f, MP0_SMN_C2PMSG_101__BYTE, GV_PUT(PSP_C2PMSG, COMMAND, GV_PSP_CONSUME_CMD));
	while (complaints() < before + 60 && gv_now_ns() < end)
		;
}

static void start_mmsch(uint64_t at, uint32_t dw)
{
	uint64_t before = complaints(), end = gv_now_ns() + RUN_NS;

	rig_wr(f, VCE_MMSCH_VF_CTX_ADDR_LO__BYTE, (uint32_t)at);
	rig_wr(f, VCE_MMSCH_VF_CTX_SIZE__BYTE, dw);
	rig_wr(f, VCE_MMSCH_VF_MAILBOX_HOST__BYTE, GV_MMSCH_INIT);
	while (!rig_rd(f, VCE_MMSCH_VF_MAILBOX_RESP__BYTE) && complaints() == before &&
	       gv_now_ns() < end)
		;
}

static void encode(void)
{
	const uint32_t table[] = {GV_MMSCH_VERSION,
	                          8,
	                          0,
	                          0,
	                          0,
	                          0,
	                          8,
	                          7,
	                          UVD_RB_BASE_LO__DW,
	                          AT,
	                          UVD_RB_SIZE__DW,
	                          RING_DW,
	                          UVD_RB_BASE_HI__DW,
	                          0,
	                          GV_PUT(MMSCH_CMD, TYPE, GV_MMSCH_END)};
	uint32_t wptr = RING_DW - 16;
	uint64_t end;

	rig_put(f, AT + ROOM, table, sizeof(table));
	start_mmsch(AT + ROOM, GV_ARRAY_LEN(table));
	(void)gv_doorbell_access(f, GV_DOORBELL_UVD_RING0 * 4, &wptr, sizeof(wptr), true);
	end = gv_now_ns() + RUN_NS;
	while (rig_rd(f, UVD_RB_RPTR__BYTE) != wptr && gv_now_ns() < end)
		;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t since;

	if (size < 5)
		return 0;
	if (!f) {
		rig_open(&r, true);
		f = r.vf[0];
	}
	put(data + 1, size - 1);
	if (data[0] % 3 == 0)
		psp();
	else if (data[0] % 3 == 1)
		start_mmsch(AT, (uint32_t)GV_MIN((size - 1) / 4, (size_t)ROOM / 4));
	else
		encode();
	since = gv_now_ns();
	gv_fn_reset(f);
	if (gv_now_ns() - since > 5 * GV_S)
		abort(); /* a reset is bounded, whatever runs */
	rig_wr(r.pf, GVX_VF_FB_EN__BYTE, 3);
	rig_wr(r.pf, GVX_VF_DOORBELL_EN__BYTE, 3);
	return 0;
}
