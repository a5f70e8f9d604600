/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "rig.h"

static const struct gv_mbox_pf_cfg unguarded = {.guard_off = true};

static unsigned gates(struct rig *r, unsigned vf)
{
	struct gv_pf_vf_status s = {0};

	CU_ASSERT_EQUAL(gv_pf_get_vf_status(r->pf, vf, &s), 0);
	return (s.fb_gate ? 1u : 0) | (s.doorbell_gate ? 2u : 0) | (s.regwr_gate ? 4u : 0);
}

static void a_guests_life_opens_and_closes_the_gates(void)
{
	struct gv_bus *vf;
	struct rig r;

	rig_up(&r, NULL);
	rig_boot_and_apply(&r, 2, 64);
	vf = rig_vf(&r, 0);
	CU_ASSERT_EQUAL(gates(&r, 0), 0);
	CU_ASSERT_TRUE(rig_send(&r, vf, GV_MBOX_REQ_GPU_INIT_DATA));
	CU_ASSERT_TRUE(rig_hear(&r, vf, GV_MBOX_GPU_INIT_DATA_READY, 500));
	CU_ASSERT_EQUAL(gates(&r, 0), 1);
	CU_ASSERT_TRUE(rig_send(&r, vf, GV_MBOX_REQ_GPU_INIT_ACCESS));
	CU_ASSERT_TRUE(rig_hear(&r, vf, GV_MBOX_READY_TO_ACCESS_GPU, 500));
	CU_ASSERT_EQUAL(gates(&r, 0), 7);
	CU_ASSERT_EQUAL(rig_state(&r, 0), GV_MBOX_EXCLUSIVE);
	CU_ASSERT_TRUE(rig_send(&r, vf, GV_MBOX_REL_GPU_INIT_ACCESS));
	CU_ASSERT_EQUAL(gates(&r, 0), 3);
	CU_ASSERT_EQUAL(rig_state(&r, 0), GV_MBOX_ACTIVE);
	CU_ASSERT_TRUE(rig_send(&r, vf, GV_MBOX_REQ_GPU_FINI_ACCESS));
	CU_ASSERT_TRUE(rig_hear(&r, vf, GV_MBOX_READY_TO_ACCESS_GPU, 500));
	CU_ASSERT_EQUAL(gates(&r, 0), 7);
	CU_ASSERT_TRUE(rig_send(&r, vf, GV_MBOX_REL_GPU_FINI_ACCESS));
	CU_ASSERT_EQUAL(gates(&r, 0), 0);
	CU_ASSERT_TRUE(rig_serve_until(&r, 0, GV_MBOX_IDLE, 5000));
	CU_ASSERT_EQUAL(gates(&r, 1), 0);
	vf = gv_bus_close(vf);
	rig_down(&r);
}

static void a_guests_driver_version_is_read_at_release(void)
{
	const struct gv_mbox_vf2pf_info info = {.driver_version = "6.1.0-test", .fb_size_mib = 64};
	struct gv_mbox_vf2pf_v3 page;
	struct gv_pf_vf_status s;
	struct gv_bus *vf;
	struct rig r;

	rig_up(&r, NULL);
	rig_boot_and_apply(&r, 1, 64);
	vf = rig_vf(&r, 0);
	CU_ASSERT_TRUE(rig_send(&r, vf, GV_MBOX_REQ_GPU_INIT_ACCESS));
	CU_ASSERT_TRUE(rig_hear(&r, vf, GV_MBOX_READY_TO_ACCESS_GPU, 500));
	CU_ASSERT_EQUAL(gv_mbox_vf2pf_build(&info, &page, NULL), 0);
	CU_ASSERT_EQUAL(gv_bus_write(vf, GV_REGION_VRAM, GV_MBOX_VF2PF_OFF, &page, sizeof(page)),
	                0);
	CU_ASSERT_TRUE(rig_send(&r, vf, GV_MBOX_REL_GPU_INIT_ACCESS));
	CU_ASSERT_EQUAL(gv_pf_get_vf_status(r.pf, 0, &s), 0);
	CU_ASSERT_TRUE(s.guest_known);
	CU_ASSERT_STRING_EQUAL(s.guest.driver_version, "6.1.0-test");
	vf = gv_bus_close(vf);
	rig_down(&r);
}

static void keeping_exclusive_access_too_long_ends_in_a_reset(void)
{
	const struct gv_mbox_pf_cfg quick = {.guard_off = true, .exclusive_ms = 50};
	struct gv_bus *vf;
	struct rig r;

	rig_up(&r, &quick);
	rig_boot_and_apply(&r, 2, 64);
	vf = rig_vf(&r, 0);
	CU_ASSERT_TRUE(rig_send(&r, vf, GV_MBOX_REQ_GPU_INIT_ACCESS));
	CU_ASSERT_TRUE(rig_hear(&r, vf, GV_MBOX_READY_TO_ACCESS_GPU, 500));
	CU_ASSERT_TRUE(rig_serve_until(&r, 0, GV_MBOX_IDLE, 10000));
	CU_ASSERT_EQUAL(gates(&r, 0), 0);
	CU_ASSERT_TRUE(rig_saw(&r, GV_PF_EVENT_VF_RESET, 0, "reset is done"));
	vf = gv_bus_close(vf);
	/* the other one can have it now */
	vf = rig_vf(&r, 1);
	CU_ASSERT_TRUE(rig_send(&r, vf, GV_MBOX_REQ_GPU_INIT_ACCESS));
	CU_ASSERT_TRUE(rig_hear(&r, vf, GV_MBOX_READY_TO_ACCESS_GPU, 500));
	vf = gv_bus_close(vf);
	rig_down(&r);
}

static void a_reset_is_announced_scrubs_and_is_announced_over(void)
{
	const struct gv_mbox_pf_cfg patient = {.guard_off = true, .notify_ms = 400};
	uint64_t secret = 0x5ec2e7, got = 1, at = 64 * GV_MIB + 40 * GV_MIB;
	struct gv_mbox_pf2vf_info info;
	uint8_t page[GV_MBOX_PAGE_BYTES];
	struct gv_bus *vf;
	struct rig r;

	rig_up(&r, &patient);
	rig_boot_and_apply(&r, 2, 64);
	vf = rig_vf(&r, 0);
	rig_init_guest(&r, vf);
	CU_ASSERT_EQUAL(gv_bus_write(vf, GV_REGION_VRAM, 40 * GV_MIB, &secret, 8), 0);
	CU_ASSERT_EQUAL(gv_pf_vram_read(r.pf, at, &got, 8), 0);
	CU_ASSERT_EQUAL(got, secret);
	CU_ASSERT_EQUAL(gv_pf_vf_reset(r.pf, 0, 0, &r.err), 0);
	CU_ASSERT_EQUAL(gv_pf_vf_reset(r.pf, 0, 0, &r.err), -EBUSY);
	CU_ASSERT_EQUAL(gv_rd32(vf, BIF_BX_PF0_MAILBOX_MSGBUF_RCV_DW0__BYTE),
	                GV_MBOX_FLR_NOTIFICATION);
	CU_ASSERT_TRUE(rig_send(&r, vf, GV_MBOX_READY_TO_RESET));
	CU_ASSERT_TRUE(rig_hear(&r, vf, GV_MBOX_FLR_NOTIFICATION_CMPL, 10000));
	CU_ASSERT_EQUAL(gv_pf_vram_read(r.pf, at, &got, 8), 0);
	CU_ASSERT_EQUAL(got, 0);
	CU_ASSERT_EQUAL(gv_pf_vram_read(r.pf, 64 * GV_MIB + GV_MBOX_PF2VF_OFF, page, sizeof(page)),
	                0);
	CU_ASSERT_EQUAL(gv_mbox_pf2vf_read(page, 0, &info, &r.err), 0);
	CU_ASSERT_EQUAL(gates(&r, 0), 0);
	rig_init_guest(&r, vf); /* and it can start again */
	vf = gv_bus_close(vf);
	rig_down(&r);
}

static void a_guest_that_says_nothing_is_reset_all_the_same(void)
{
	struct gv_bus *vf;
	struct rig r;

	rig_up(&r, &unguarded);
	rig_boot_and_apply(&r, 2, 64);
	vf = rig_vf(&r, 1);
	rig_init_guest(&r, vf);
	CU_ASSERT_EQUAL(gv_pf_vf_reset_wait(r.pf, 1, GV_PF_RESET_NO_SCRUB, 10 * GV_S, &r.err), 0);
	CU_ASSERT_EQUAL(rig_state(&r, 1), GV_MBOX_IDLE);
	CU_ASSERT_EQUAL(gv_pf_vf_reset_wait(r.pf, 7, 0, GV_S, &r.err), -ENODEV);
	vf = gv_bus_close(vf);
	rig_down(&r);
}

/* What happens when a VM is stopped hard: VFIO resets the function, nobody says goodbye. */
static void a_reset_on_the_bus_is_noticed_and_the_slice_scrubbed(void)
{
	uint64_t secret = 0x5ec2e7, got = 1;
	struct gv_bus *vf;
	struct rig r;

	rig_up(&r, &unguarded);
	rig_boot_and_apply(&r, 1, 64);
	vf = rig_vf(&r, 0);
	rig_init_guest(&r, vf);
	CU_ASSERT_EQUAL(gv_bus_write(vf, GV_REGION_VRAM, 40 * GV_MIB, &secret, 8), 0);
	CU_ASSERT_EQUAL(gv_bus_reset(vf), 0);
	CU_ASSERT_TRUE(rig_serve_until(&r, 0, GV_MBOX_IDLE, 10000));
	CU_ASSERT_EQUAL(gv_pf_vram_read(r.pf, 64 * GV_MIB + 40 * GV_MIB, &got, 8), 0);
	CU_ASSERT_EQUAL(got, 0);
	CU_ASSERT_TRUE(rig_saw(&r, GV_PF_EVENT_VF_RESET, 0, "reset from outside"));
	rig_init_guest(&r, vf);
	vf = gv_bus_close(vf);
	rig_down(&r);
}

static void nonsense_is_acked_counted_and_told(void)
{
	struct gv_pf_vf_status s;
	struct gv_bus *vf;
	struct rig r;

	rig_up(&r, &unguarded);
	rig_boot_and_apply(&r, 1, 64);
	vf = rig_vf(&r, 0);
	CU_ASSERT_TRUE(rig_send(&r, vf, 0xdeadbeef));
	CU_ASSERT_TRUE(rig_send(&r, vf, GV_MBOX_REL_GPU_INIT_ACCESS));
	CU_ASSERT_TRUE(rig_send(&r, vf, GV_MBOX_PSP_VF_CMD_RELAY));
	CU_ASSERT_TRUE(rig_send(&r, vf, 0));
	CU_ASSERT_EQUAL(gv_pf_get_vf_status(r.pf, 0, &s), 0);
	CU_ASSERT(s.messages_refused >= 3);
	CU_ASSERT_EQUAL(s.mailbox.unknown, 2);
	CU_ASSERT_EQUAL(rig_state(&r, 0), GV_MBOX_IDLE);
	CU_ASSERT_TRUE(rig_saw(&r, GV_PF_EVENT_VF_MESSAGE, 0, "UNKNOWN"));
	vf = gv_bus_close(vf);
	rig_down(&r);
}

static void a_flood_is_cut_off_and_the_other_vf_served(void)
{
	struct gv_mbox_pf_cfg few = {.guard = {[GV_MBOX_GUARD_MSG] = {10, 60000}}};
	struct gv_bus *vf[2];
	struct gv_pf_vf_status s;
	unsigned acked = 0;
	struct rig r;

	rig_up(&r, &few);
	rig_boot_and_apply(&r, 2, 64);
	vf[0] = rig_vf(&r, 0);
	vf[1] = rig_vf(&r, 1);
	for (unsigned i = 0; i < 10; i++)
		acked += rig_send(&r, vf[0], GV_MBOX_REQ_GPU_INIT_DATA);
	CU_ASSERT_EQUAL(acked, 10);
	CU_ASSERT_FALSE(rig_send(&r, vf[0], GV_MBOX_REQ_GPU_INIT_DATA));
	rig_init_guest(&r, vf[1]);
	CU_ASSERT_EQUAL(gv_pf_get_vf_status(r.pf, 0, &s), 0);
	CU_ASSERT(s.mailbox.rate_dropped >= 1 && s.mailbox.rate_dropped <= 3);
	vf[0] = gv_bus_close(vf[0]);
	vf[1] = gv_bus_close(vf[1]);
	rig_down(&r);
}

static void an_error_report_of_a_guest_is_kept(void)
{
	struct gv_pf_vf_status s;
	struct gv_mbox_msg msg;
	struct gv_bus *vf;
	struct rig r;

	rig_up(&r, &unguarded);
	rig_boot_and_apply(&r, 1, 64);
	vf = rig_vf(&r, 0);
	CU_ASSERT_EQUAL(gv_mbox_vf_error_build(5, 2, 0x1234, &msg), 0);
	for (unsigned i = 1; i < 4; i++)
		gv_wr32(vf, BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW0__BYTE + 4 * i, msg.dw[i]);
	CU_ASSERT_TRUE(rig_send(&r, vf, msg.dw[0]));
	CU_ASSERT_EQUAL(gv_pf_get_vf_status(r.pf, 0, &s), 0);
	CU_ASSERT_EQUAL(s.errors, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(s.last_error, "AMDGPU_INIT_FAIL"));
	vf = gv_bus_close(vf);
	rig_down(&r);
}

static void reaching_outside_of_the_slice_is_counted_against_the_vf(void)
{
	struct gv_pf_vf_status s;
	struct gv_bus *vf;
	uint32_t got = 0;
	struct rig r;

	rig_up(&r, &unguarded);
	rig_boot_and_apply(&r, 2, 64);
	vf = rig_vf(&r, 1);
	rig_init_guest(&r, vf);
	CU_ASSERT_EQUAL(gv_bus_read(vf, GV_REGION_VRAM, 80 * GV_MIB, &got, 4), 0);
	CU_ASSERT_EQUAL(got, UINT32_MAX);
	rig_serve(&r, 150);
	CU_ASSERT_EQUAL(gv_pf_get_vf_status(r.pf, 1, &s), 0);
	CU_ASSERT_EQUAL(s.faults, 1);
	CU_ASSERT_EQUAL(s.fault.addr, 80 * GV_MIB);
	CU_ASSERT_TRUE(s.fault.second_level && !s.fault.write);
	CU_ASSERT_EQUAL(gv_pf_get_vf_status(r.pf, 0, &s), 0);
	CU_ASSERT_EQUAL(s.faults, 0);
	CU_ASSERT_TRUE(rig_saw(&r, GV_PF_EVENT_VF_FAULT, 1, "1 faults more"));
	vf = gv_bus_close(vf);
	rig_down(&r);
}

static void a_running_guest_can_be_told_something(void)
{
	const struct gv_mbox_msg alive = {{GV_MBOX_QUERY_ALIVE}}, ready = {{1}};
	struct gv_bus *vf;
	struct rig r;

	rig_up(&r, &unguarded);
	rig_boot_and_apply(&r, 1, 64);
	vf = rig_vf(&r, 0);
	CU_ASSERT_EQUAL(gv_pf_vf_notify(r.pf, 0, &alive, &r.err), -EBUSY);
	rig_init_guest(&r, vf);
	CU_ASSERT_EQUAL(gv_pf_vf_notify(r.pf, 0, &ready, &r.err), -EINVAL);
	CU_ASSERT_EQUAL(gv_pf_vf_notify(r.pf, 0, &alive, &r.err), 0);
	CU_ASSERT_TRUE(rig_hear(&r, vf, GV_MBOX_QUERY_ALIVE, 100));
	rig_serve(&r, 100);
	CU_ASSERT_TRUE(rig_saw(&r, GV_PF_EVENT_VF_STATE, 0, "guest is alive"));
	CU_ASSERT_EQUAL(gv_pf_vf_notify(r.pf, 9, &alive, &r.err), -ENODEV);
	vf = gv_bus_close(vf);
	rig_down(&r);
}

/* Whatever the device writes into ring and write pointer: entries stay inside, work stays bounded.
 */
static void a_lying_interrupt_ring_is_survived(void)
{
	struct rig r;

	rig_up(&r, &unguarded);
	rig_boot_and_apply(&r, 1, 64);
	for (uint32_t i = 0; i < 64; i++) {
		uint32_t junk = i * 2654435761u | (i % 3 == 0); /* with and without overflow */

		CU_ASSERT_EQUAL(rig_spoil_wptr(&r, junk), 0);
		CU_ASSERT(gv_pf_handle_irq(r.pf) <= (64 << 10) / sizeof(struct gv_ih_iv));
	}
	rig_down(&r);
}

static void a_guest_that_is_gone_is_not_told_of_the_reset(void)
{
	struct gv_bus *vf;
	struct rig r;

	rig_up(&r, &unguarded);
	rig_boot_and_apply(&r, 1, 64);
	vf = rig_vf(&r, 0);
	CU_ASSERT_TRUE(rig_send(&r, vf, GV_MBOX_REQ_GPU_INIT_ACCESS));
	CU_ASSERT_TRUE(rig_hear(&r, vf, GV_MBOX_READY_TO_ACCESS_GPU, 500));
	CU_ASSERT_TRUE(rig_send(&r, vf, GV_MBOX_REL_GPU_INIT_ACCESS));
	CU_ASSERT_EQUAL(gv_pf_vf_reset_wait(r.pf, 0, GV_PF_RESET_GONE, 10 * GV_S, NULL), 0);
	CU_ASSERT_FALSE(gv_pf_vf_resetting(r.pf, 0));
	CU_ASSERT_EQUAL(rig_state(&r, 0), GV_MBOX_IDLE);
	CU_ASSERT_FALSE(rig_saw(&r, GV_PF_EVENT_VF_STATE, 0, "NOTIFY"));
	CU_ASSERT_TRUE(rig_saw(&r, GV_PF_EVENT_VF_RESET, 0, "its guest is gone"));
	vf = gv_bus_close(vf);
	rig_down(&r);
}

UT_MAIN("pf-driver/service", UT(a_guests_life_opens_and_closes_the_gates),
        UT(a_guests_driver_version_is_read_at_release),
        UT(keeping_exclusive_access_too_long_ends_in_a_reset),
        UT(a_reset_is_announced_scrubs_and_is_announced_over),
        UT(a_guest_that_says_nothing_is_reset_all_the_same),
        UT(a_reset_on_the_bus_is_noticed_and_the_slice_scrubbed),
        UT(nonsense_is_acked_counted_and_told), UT(a_flood_is_cut_off_and_the_other_vf_served),
        UT(an_error_report_of_a_guest_is_kept),
        UT(reaching_outside_of_the_slice_is_counted_against_the_vf),
        UT(a_running_guest_can_be_told_something), UT(a_lying_interrupt_ring_is_survived),
        UT(a_guest_that_is_gone_is_not_told_of_the_reset))
