/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mailbox in both directions, and what a function learns about itself. */
#include "core_rig.h"
#include "ut.h"

#define CONTROL   BIF_BX_PF0_MAILBOX_CONTROL__BYTE
#define TRN(dw)   (BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW0__BYTE + 4u * (dw))
#define RCV(dw)   (BIF_BX_PF0_MAILBOX_MSGBUF_RCV_DW0__BYTE + 4u * (dw))
#define VALID     1u /* CONTROL by bytes, as mxgpu_ai.c uses it */
#define ACKED     2u
#define RCV_ACK   2u
#define RCV_VALID 1u

struct side {
	struct core *c;
	unsigned func;
};

static void aim(struct core *c, unsigned vf)
{
	core_wr(c, GV_DEV_PF, MAILBOX_INDEX__BYTE, vf);
}
static uint8_t trn(struct side s)
{
	return gv_rd8(s.c->bus[s.func], CONTROL);
}
static uint8_t rcv(struct side s)
{
	return gv_rd8(s.c->bus[s.func], CONTROL + 1);
}
static void set_valid(struct side s, uint8_t val)
{
	gv_wr8(s.c->bus[s.func], CONTROL, val);
}
static void set_ack(struct side s, uint8_t val)
{
	gv_wr8(s.c->bus[s.func], CONTROL + 1, val);
}

/* One whole exchange from @a to @b. */
static void exchange(struct side a, struct side b)
{
	for (unsigned dw = 0; dw < 4; dw++)
		core_wr(a.c, a.func, TRN(dw), 0x1000 + dw);
	set_valid(a, VALID);
	CU_ASSERT_EQUAL(trn(a), VALID);
	CU_ASSERT_EQUAL(rcv(b), RCV_VALID);
	CU_ASSERT_EQUAL(trn(b), 0);
	for (unsigned dw = 0; dw < 4; dw++)
		CU_ASSERT_EQUAL(core_rd(b.c, b.func, RCV(dw)), 0x1000 + dw);
	set_ack(b, RCV_ACK);
	CU_ASSERT_EQUAL(trn(a), VALID | ACKED);
	CU_ASSERT_EQUAL(rcv(b), RCV_VALID | RCV_ACK);
	set_valid(a, 0);
	/* the ack falls with valid, on both sides: mxgpu_ai.c waits for it */
	CU_ASSERT_EQUAL(trn(a), 0);
	CU_ASSERT_EQUAL(rcv(b), 0);
	/* words stay visible: the driver reads them without looking at valid */
	CU_ASSERT_EQUAL(core_rd(b.c, b.func, RCV(0)), 0x1000);
}

static void messages_go_both_ways_and_acks_fall_with_valid(void)
{
	struct core c;

	core_open(&c);
	for (unsigned vf = 0; vf < CORE_VFS; vf++) {
		struct side guest = {&c, GV_DEV_VF(vf)}, pf = {&c, GV_DEV_PF};

		aim(&c, vf);
		exchange(guest, pf);
		exchange(pf, guest);
	}
	core_close(&c);
}

static void both_directions_at_once_do_not_disturb_each_other(void)
{
	struct core c;
	struct side vf = {&c, GV_DEV_VF(2)}, pf = {&c, GV_DEV_PF};

	core_open(&c);
	aim(&c, 2);
	set_valid(vf, VALID);
	set_valid(pf, VALID);
	set_ack(pf, RCV_ACK);
	CU_ASSERT_EQUAL(trn(vf), VALID | ACKED);
	CU_ASSERT_EQUAL(rcv(vf), RCV_VALID);
	set_valid(vf, 0);
	CU_ASSERT_EQUAL(trn(vf), 0);
	CU_ASSERT_EQUAL(rcv(vf), RCV_VALID);
	CU_ASSERT_EQUAL(trn(pf), VALID);
	/* one dword carries both views */
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, CONTROL), VALID);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_VF(2), CONTROL), RCV_VALID << 8);
	core_close(&c);
}

static void read_only_mailbox_bits_cannot_be_forged(void)
{
	struct core c;
	struct side vf = {&c, GV_DEV_VF(0)}, pf = {&c, GV_DEV_PF};

	core_open(&c);
	aim(&c, 0);
	core_wr(&c, GV_DEV_VF(0), CONTROL, UINT32_MAX);
	/* valid is set; no ack of its own message, nothing received, and nothing to ack */
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_VF(0), CONTROL), VALID);
	CU_ASSERT_EQUAL(trn(pf), 0);
	CU_ASSERT_EQUAL(rcv(pf), RCV_VALID);
	set_ack(vf, RCV_ACK);
	CU_ASSERT_EQUAL(trn(pf), 0);
	core_wr(&c, GV_DEV_VF(0), RCV(0), 0xbad);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_VF(0), RCV(0)), 0);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, TRN(0)), 0);
	core_close(&c);
}

static void mailboxes_of_other_vfs_stay_untouched(void)
{
	struct core c;

	core_open(&c);
	core_wr(&c, GV_DEV_VF(1), TRN(0), 0x77);
	set_valid((struct side){&c, GV_DEV_VF(1)}, VALID);
	for (unsigned vf = 0; vf < CORE_VFS; vf++) {
		aim(&c, vf);
		CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, RCV(0)), vf == 1 ? 0x77 : 0);
		CU_ASSERT_EQUAL(rcv((struct side){&c, GV_DEV_PF}), vf == 1 ? RCV_VALID : 0);
		CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_VF(vf), RCV(0)), 0);
	}
	core_close(&c);
}

static void an_index_without_a_vf_reads_zero_and_is_counted(void)
{
	struct core c;

	core_open(&c);
	for (unsigned index = CORE_VFS; index < 32; index++) {
		uint64_t before = core_stats(&c, GV_DEV_PF).guest_errors;

		aim(&c, index);
		core_wr(&c, GV_DEV_PF, TRN(0), 1);
		CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, CONTROL), 0);
		CU_ASSERT_EQUAL(core_stats(&c, GV_DEV_PF).guest_errors, before + 2);
	}
	core_close(&c);
}

/* ---- interrupts ----------------------------------------------------------------------- */

static void expect_iv(struct core *c, unsigned func, enum gv_ih_src src, uint32_t data)
{
	struct gv_ih_iv iv = {{0}};

	CU_ASSERT(core_ih_next(c, func, &iv, CORE_PATIENCE));
	CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, CLIENT_ID), GV_IH_CLIENT_BIF);
	CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, SRC_ID), src);
	CU_ASSERT_EQUAL(iv.dw[4], data);
	core_ih_ack(c, func);
}

static void each_edge_interrupts_the_other_side_once(void)
{
	struct core c;
	struct side vf = {&c, GV_DEV_VF(3)}, pf = {&c, GV_DEV_PF};
	const uint32_t both = GV_PUT(BIF_BX_PF0_MAILBOX_INT_CNTL, VALID_INT_EN, 1) |
	                      GV_PUT(BIF_BX_PF0_MAILBOX_INT_CNTL, ACK_INT_EN, 1);

	core_open(&c);
	core_gates(&c, 0xf);
	core_ih_start(&c, pf.func, core_ih_cntl(CORE_RING_LOG));
	core_ih_start(&c, vf.func, core_ih_cntl(CORE_RING_LOG));
	core_wr(&c, pf.func, BIF_BX_PF0_MAILBOX_INT_CNTL__BYTE, both);
	core_wr(&c, vf.func, BIF_BX_PF0_MAILBOX_INT_CNTL__BYTE, both);
	aim(&c, 3);
	set_valid(vf, VALID);
	expect_iv(&c, pf.func, GV_IH_SRC_BIF_PF_MSGBUF_VALID, 3);
	set_ack(pf, RCV_ACK);
	expect_iv(&c, vf.func, GV_IH_SRC_BIF_VF_MSGBUF_ACK, 0);
	set_valid(vf, 0);
	set_valid(pf, VALID);
	expect_iv(&c, vf.func, GV_IH_SRC_BIF_VF_MSGBUF_VALID, 0);
	set_ack(vf, RCV_ACK);
	expect_iv(&c, pf.func, GV_IH_SRC_BIF_PF_MSGBUF_ACK, 3);
	/* levels and falling edges are no events */
	set_ack(vf, RCV_ACK);
	set_valid(pf, VALID);
	set_valid(pf, 0);
	CU_ASSERT(core_ih_silent(&c, pf.func));
	CU_ASSERT(core_ih_silent(&c, vf.func));
	core_close(&c);
}

static void disabled_mailbox_interrupts_stay_silent(void)
{
	struct core c;
	struct side vf = {&c, GV_DEV_VF(0)}, pf = {&c, GV_DEV_PF};

	core_open(&c);
	core_gates(&c, 1);
	core_ih_start(&c, pf.func, core_ih_cntl(CORE_RING_LOG));
	core_wr(&c, pf.func, BIF_BX_PF0_MAILBOX_INT_CNTL__BYTE,
	        GV_PUT(BIF_BX_PF0_MAILBOX_INT_CNTL, ACK_INT_EN, 1));
	aim(&c, 0);
	set_valid(vf, VALID);
	CU_ASSERT(core_ih_silent(&c, pf.func));
	set_ack(pf, RCV_ACK);
	set_valid(pf, VALID);
	set_ack(vf, RCV_ACK);
	expect_iv(&c, pf.func, GV_IH_SRC_BIF_PF_MSGBUF_ACK, 0);
	core_close(&c);
}

static void reset_of_a_vf_empties_its_mailbox(void)
{
	struct core c;
	struct side vf = {&c, GV_DEV_VF(0)}, pf = {&c, GV_DEV_PF};

	core_open(&c);
	aim(&c, 0);
	core_wr(&c, vf.func, TRN(1), 5);
	set_valid(vf, VALID);
	set_valid(pf, VALID);
	CU_ASSERT_EQUAL(gv_dev_reset(c.dev, vf.func), 0);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, CONTROL), 0);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, RCV(1)), 0);
	core_close(&c);
}

/* ---- identity ------------------------------------------------------------------------------ */

static void functions_say_what_they_are(void)
{
	struct core c;
	uint32_t id;

	core_open(&c);
	for (unsigned f = 0; f <= CORE_VFS; f++) {
		id = core_rd(&c, f, RCC_PF_0_0_RCC_IOV_FUNC_IDENTIFIER__BYTE);
		CU_ASSERT_EQUAL(GV_GET(id, RCC_PF_0_0_RCC_IOV_FUNC_IDENTIFIER, FUNC_IDENTIFIER),
		                f != GV_DEV_PF);
		CU_ASSERT_EQUAL(GV_GET(id, RCC_PF_0_0_RCC_IOV_FUNC_IDENTIFIER, IOV_ENABLE), 1);
		id = core_rd(&c, f, RCC_DEV0_EPF0_STRAP0__BYTE);
		CU_ASSERT_EQUAL(GV_GET(id, RCC_DEV0_EPF0_STRAP0, STRAP_DEVICE_ID_DEV0_F0),
		                f ? GV_PCI_DEVICE_VF : GV_PCI_DEVICE_PF);
	}
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, RCC_PF_0_0_RCC_CONFIG_MEMSIZE__BYTE), 256);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_VF(0), RCC_PF_0_0_RCC_CONFIG_MEMSIZE__BYTE), 0);
	CU_ASSERT_EQUAL(gv_bus_enable_vfs(c.bus[0], 0, NULL), 0);
	id = core_rd(&c, GV_DEV_PF, RCC_PF_0_0_RCC_IOV_FUNC_IDENTIFIER__BYTE);
	CU_ASSERT_EQUAL(GV_GET(id, RCC_PF_0_0_RCC_IOV_FUNC_IDENTIFIER, IOV_ENABLE), 0);
	core_close(&c);
}

static void a_flush_is_done_when_it_is_asked_about(void)
{
	struct core c;
	uint32_t all = gv_reg_info(GV_REG_BIF_BX_PF0_GPU_HDP_FLUSH_REQ)->rw;

	core_open(&c);
	core_wr(&c, GV_DEV_VF(0), BIF_BX_PF0_GPU_HDP_FLUSH_REQ__BYTE, all);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_VF(0), BIF_BX_PF0_GPU_HDP_FLUSH_DONE__BYTE), all);
	core_close(&c);
}

static void a_vmhv_message_is_counted(void)
{
	struct core c;
	uint64_t before;

	core_open(&c);
	before = core_stats(&c, GV_DEV_VF(0)).unimplemented;
	core_wr(&c, GV_DEV_VF(0), BIF_BX_PF0_BIF_VMHV_MAILBOX__BYTE,
	        GV_PUT(BIF_BX_PF0_BIF_VMHV_MAILBOX, VMHV_MAILBOX_TRN_MSG_VALID, 1));
	CU_ASSERT_EQUAL(core_stats(&c, GV_DEV_VF(0)).unimplemented, before + 1);
	core_close(&c);
}

UT_MAIN("nbio", UT(messages_go_both_ways_and_acks_fall_with_valid),
        UT(both_directions_at_once_do_not_disturb_each_other),
        UT(read_only_mailbox_bits_cannot_be_forged), UT(mailboxes_of_other_vfs_stay_untouched),
        UT(an_index_without_a_vf_reads_zero_and_is_counted),
        UT(each_edge_interrupts_the_other_side_once), UT(disabled_mailbox_interrupts_stay_silent),
        UT(reset_of_a_vf_empties_its_mailbox), UT(functions_say_what_they_are),
        UT(a_flush_is_done_when_it_is_asked_about), UT(a_vmhv_message_is_counted))
