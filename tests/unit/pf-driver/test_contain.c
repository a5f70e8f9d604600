/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VFs that hang, do too much, or leave something behind. */
#include <string.h>

#include "pf.h"
#include "rig.h"

/* Windows short enough to wait for; FLRs that do not end are given up soon. */
static const struct gv_pf_cfg quick = {
        .poll_ms = 20, .reset_ms = 300, .mailbox = {.notify_ms = 50, .gpu_notify_ms = 100}};

static void up(struct rig *r, uint32_t num_vfs)
{
	rig_up_with(r, &quick);
	rig_boot_and_apply(r, num_vfs, 64);
}

static void up_with_guard(struct rig *r, enum gv_cfg_guard_kind kind, struct gv_cfg_guard rule)
{
	struct gv_pf_plan plan;

	rig_up_with(r, &quick);
	plan = rig_plan(r, 2, 64);
	plan.guard[kind] = rule;
	CU_ASSERT_EQUAL_FATAL(gv_pf_boot(r->pf, &r->err), 0);
	CU_ASSERT_EQUAL_FATAL(gv_pf_apply(r->pf, &plan, 0, &r->err), 0);
}

static struct gv_pf_vf_status status(struct rig *r, unsigned vf)
{
	struct gv_pf_vf_status s = {.state = GV_MBOX_OFF};

	CU_ASSERT_EQUAL(gv_pf_get_vf_status(r->pf, vf, &s), 0);
	return s;
}

static bool serve_until(struct rig *r, bool (*is)(struct rig *r))
{
	for (unsigned i = 0; i < 20000 && !is(r); i++)
		rig_serve(r, 1);
	return is(r);
}

static bool gpu_is_back(struct rig *r)
{
	return !gv_pf_gpu_resetting(r->pf);
}

static bool vf0_is_quarantined(struct rig *r)
{
	return r->pf->vf[0].contain.quarantined;
}

static bool vf0_is_normal(struct rig *r)
{
	return r->pf->vf[0].contain.guard.state == GV_PF_GUARD_NORMAL;
}

static bool vf0_is_not_normal(struct rig *r)
{
	return !vf0_is_normal(r);
}

static bool event(const struct rig *r, int vf, const char *text)
{
	return rig_saw(r, GV_PF_EVENT_CONTAIN, vf, text) || rig_saw(r, GV_PF_EVENT_GUARD, vf, text);
}

/* ---- hangs ---------------------------------------------------------------------- */

static void a_hang_goes_through_its_steps_and_names_the_vf(void)
{
	struct gv_bus *vf;
	struct rig r;

	up(&r, 2);
	vf = rig_vf(&r, 1);
	rig_init_guest(&r, vf);
	pf_contain_hang(r.pf, 1, "no answer to IDLE within 6 ms");
	CU_ASSERT_EQUAL(status(&r, 1).contain.step, GV_PF_CONTAIN_TOLD);
	pf_contain_hang(r.pf, 1, "once more"); /* it is being handled */
	CU_ASSERT_EQUAL(status(&r, 1).contain.hangs, 1);
	/* the guest never answers */
	CU_ASSERT_TRUE(rig_serve_until(&r, 1, GV_MBOX_IDLE, 20000));
	CU_ASSERT_TRUE(event(&r, 1, "hangs: no answer to IDLE within 6 ms; step 1 of 3"));
	CU_ASSERT_TRUE(event(&r, 1, "step 2 of 3: FLR"));
	CU_ASSERT_TRUE(event(&r, 1, "contained after"));
	CU_ASSERT_FALSE(event(&r, 1, "step 3 of 3"));
	CU_ASSERT_FALSE(event(&r, 0, ""));
	CU_ASSERT_EQUAL(status(&r, 1).contain.step, GV_PF_CONTAIN_NONE);
	CU_ASSERT(status(&r, 1).contain.last_ns >= 50 * GV_MS);
	CU_ASSERT_EQUAL(status(&r, 1).mailbox.resets, 1);
	rig_init_guest(&r, vf); /* and it may start again */
	vf = gv_bus_close(vf);
	rig_down(&r);
}

static void a_guest_that_answers_is_not_waited_for(void)
{
	struct gv_bus *vf;
	struct rig r;
	const struct gv_pf_cfg patient = {.poll_ms = 20, .mailbox = {.notify_ms = 60000}};

	rig_up_with(&r, &patient);
	rig_boot_and_apply(&r, 1, 64);
	vf = rig_vf(&r, 0);
	rig_init_guest(&r, vf);
	pf_contain_hang(r.pf, 0, "x");
	CU_ASSERT_EQUAL(gv_rd32(vf, BIF_BX_PF0_MAILBOX_MSGBUF_RCV_DW0__BYTE),
	                GV_MBOX_FLR_NOTIFICATION);
	CU_ASSERT_TRUE(rig_send(&r, vf, GV_MBOX_READY_TO_RESET));
	CU_ASSERT_TRUE(rig_hear(&r, vf, GV_MBOX_FLR_NOTIFICATION_CMPL, 20000));
	CU_ASSERT_TRUE(event(&r, 0, "contained after"));
	vf = gv_bus_close(vf);
	rig_down(&r);
}

/* ---- the whole GPU ------------------------------------------------------------------ */

static void an_flr_that_does_not_end_costs_the_gpu_and_the_culprit_its_place(void)
{
	uint64_t secret = 0x5ec2e7, got = 1, at = (64 + 64 + 40) * GV_MIB;
	struct gv_bus *vf[2];
	struct rig r;

	up(&r, 2);
	for (unsigned i = 0; i < 2; i++)
		vf[i] = rig_vf(&r, i);
	rig_init_guest(&r, vf[0]);
	rig_init_guest(&r, vf[1]);
	CU_ASSERT_EQUAL(gv_bus_write(vf[1], GV_REGION_VRAM, 40 * GV_MIB, &secret, 8), 0);
	r.lying.ones = GVX_VF_RESET__BYTE;
	pf_contain_hang(r.pf, 0, "busy for ever");
	for (unsigned i = 0; i < 5000 && !gv_pf_gpu_resetting(r.pf); i++)
		rig_serve(&r, 1);
	CU_ASSERT_TRUE(event(&r, 0, "step 3 of 3"));
	/* the neighbour is told, and answers */
	CU_ASSERT_TRUE(rig_hear(&r, vf[1], GV_MBOX_FLR_NOTIFICATION, 1000));
	CU_ASSERT_TRUE(rig_send(&r, vf[1], GV_MBOX_READY_TO_RESET));
	CU_ASSERT_TRUE(serve_until(&r, gpu_is_back));
	CU_ASSERT_TRUE(rig_hear(&r, vf[1], GV_MBOX_FLR_NOTIFICATION_CMPL, 1000));
	CU_ASSERT_TRUE(event(&r, -1, "whole-GPU reset: done"));
	CU_ASSERT_TRUE(event(&r, 0, "by a reset of the whole GPU: busy for ever"));
	CU_ASSERT_EQUAL(r.pf->gpu_reset.count, 1);
	CU_ASSERT_EQUAL(gv_pf_vram_read(r.pf, at, &got, 8), 0);
	CU_ASSERT_EQUAL(got, 0);
	CU_ASSERT_TRUE(vf0_is_quarantined(&r));
	CU_ASSERT_FALSE(rig_send(&r, vf[0], GV_MBOX_REQ_GPU_INIT_DATA));
	rig_init_guest(&r, vf[1]);
	CU_ASSERT_EQUAL(gv_bus_write(vf[1], GV_REGION_VRAM, 40 * GV_MIB, &secret, 8), 0);
	CU_ASSERT_EQUAL(gv_pf_vram_read(r.pf, at, &got, 8), 0);
	CU_ASSERT_EQUAL(got, secret); /* its tables are there again */
	vf[0] = gv_bus_close(vf[0]);
	vf[1] = gv_bus_close(vf[1]);
	rig_down(&r);
}

static void the_operator_resets_the_gpu_when_nobody_is_in_the_way(void)
{
	struct gv_mbox_pf2vf_info info;
	uint8_t page[GV_MBOX_PAGE_BYTES];
	struct gv_pf_plan other;
	struct gv_bus *vf;
	struct rig r;

	up(&r, 2);
	vf = rig_vf(&r, 0);
	rig_init_guest(&r, vf);
	CU_ASSERT_EQUAL(gv_pf_gpu_reset(r.pf, 0, "test", &r.err), -EBUSY);
	CU_ASSERT_EQUAL(gv_pf_gpu_reset(r.pf, GV_PF_APPLY_FORCE, "test", &r.err), 0);
	CU_ASSERT_EQUAL(gv_pf_gpu_reset(r.pf, GV_PF_APPLY_FORCE, "test", &r.err), -EALREADY);
	other = rig_plan(&r, 1, 64);
	CU_ASSERT_EQUAL(gv_pf_apply(r.pf, &other, GV_PF_APPLY_FORCE, &r.err), -EBUSY);
	CU_ASSERT_TRUE(serve_until(&r, gpu_is_back)); /* nobody answers */
	CU_ASSERT_TRUE(event(&r, -1, "whole-GPU reset: test"));
	CU_ASSERT_TRUE(event(&r, -1, "VRAM is lost"));
	CU_ASSERT_EQUAL(gv_dev_num_vfs(r.dev), 2);
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(rig_state(&r, i), GV_MBOX_IDLE);
		CU_ASSERT_EQUAL(gv_pf_vram_read(r.pf, (1 + i) * 64 * GV_MIB + GV_MBOX_PF2VF_OFF,
		                                page, sizeof(page)),
		                0);
		CU_ASSERT_EQUAL(gv_mbox_pf2vf_read(page, 0, &info, &r.err), 0);
		CU_ASSERT(info.feature_flags & GV_MBOX_FEAT_HOST_FLR_VRAMLOST);
		CU_ASSERT_TRUE(status(&r, i).scrub.clean);
		CU_ASSERT_EQUAL(status(&r, i).scrub.why, GV_PF_SCRUB_RESET);
	}
	rig_init_guest(&r, vf);
	vf = gv_bus_close(vf);
	rig_down(&r);
}

/* In the middle of everything that a VF can be in the middle of. */
static void a_gpu_reset_in_any_state_gives_every_vf_back(void)
{
	struct gv_bus *vf[3];
	struct rig r;

	up(&r, 3);
	for (unsigned i = 0; i < 3; i++)
		vf[i] = rig_vf(&r, i);
	rig_init_guest(&r, vf[0]); /* ACTIVE, then on its way into quarantine */
	CU_ASSERT_TRUE(rig_send(&r, vf[1], GV_MBOX_REQ_GPU_INIT_ACCESS)); /* EXCLUSIVE */
	CU_ASSERT_TRUE(rig_hear(&r, vf[1], GV_MBOX_READY_TO_ACCESS_GPU, 500));
	CU_ASSERT_TRUE(rig_send(&r, vf[2], GV_MBOX_REQ_GPU_INIT_ACCESS)); /* QUEUED */
	CU_ASSERT_EQUAL(gv_pf_vf_quarantine(r.pf, 0, "test", &r.err), 0);
	CU_ASSERT_EQUAL(gv_pf_gpu_reset(r.pf, GV_PF_APPLY_FORCE, "test", &r.err), 0);
	CU_ASSERT_TRUE(serve_until(&r, gpu_is_back));
	CU_ASSERT_EQUAL(rig_state(&r, 0), GV_MBOX_OFF);
	CU_ASSERT_EQUAL(rig_state(&r, 1), GV_MBOX_IDLE);
	/* who stood in the line is served without asking again */
	CU_ASSERT_TRUE(rig_hear(&r, vf[2], GV_MBOX_READY_TO_ACCESS_GPU, 5000));
	CU_ASSERT_TRUE(rig_send(&r, vf[2], GV_MBOX_REL_GPU_INIT_ACCESS));
	rig_init_guest(&r, vf[1]);
	for (unsigned i = 0; i < 3; i++)
		vf[i] = gv_bus_close(vf[i]);
	rig_down(&r);
}

static bool vf0_is_being_scrubbed(struct rig *r)
{
	return r->pf->vf[0].job.phase == PF_JOB_SCRUB;
}

static bool gpu_comes_back(struct rig *r)
{
	return r->pf->gpu_reset.phase == PF_GPU_BACK;
}

/* One reset ends while guests are told, another begins while VFs are scrubbed. */
static void resets_of_vfs_before_and_after_that_of_the_gpu_end(void)
{
	uint64_t end = gv_now_ns() + 20 * GV_S, next;
	struct gv_bus *vf;
	struct rig r;

	up(&r, 2);
	vf = rig_vf(&r, 1);
	rig_init_guest(&r, vf); /* never answers, so there is time */
	CU_ASSERT_EQUAL(gv_pf_vf_reset(r.pf, 0, 0, &r.err), 0);
	while (!vf0_is_being_scrubbed(&r) && gv_now_ns() < end)
		CU_ASSERT_EQUAL(gv_pf_service(r.pf, &next), 0);
	CU_ASSERT_TRUE(vf0_is_being_scrubbed(&r));
	CU_ASSERT_EQUAL(gv_pf_gpu_reset(r.pf, GV_PF_APPLY_FORCE, "test", &r.err), 0);
	CU_ASSERT_TRUE(serve_until(&r, gpu_comes_back));
	CU_ASSERT_TRUE(rig_serve_until(&r, 0, GV_MBOX_IDLE, 10000));
	if (gv_pf_vf_reset(r.pf, 0, 0, &r.err)) /* the slow may see it all done */
		CU_ASSERT_FALSE(gv_pf_gpu_resetting(r.pf));
	CU_ASSERT_TRUE(serve_until(&r, gpu_is_back));
	CU_ASSERT_TRUE(rig_serve_until(&r, 0, GV_MBOX_IDLE, 10000));
	for (unsigned i = 0; i < 2; i++)
		CU_ASSERT_EQUAL(gv_pf_vf_check_clean(r.pf, i, &r.err), 0);
	rig_init_guest(&r, vf);
	vf = gv_bus_close(vf);
	rig_down(&r);
}

static void a_psp_that_does_not_come_back_is_told_and_nothing_is_claimed(void)
{
	struct rig r;

	up(&r, 2);
	r.lying.ones = MP0_SMN_C2PMSG_33__BYTE;
	CU_ASSERT_EQUAL(gv_pf_gpu_reset(r.pf, 0, "test", &r.err), 0);
	CU_ASSERT_TRUE(serve_until(&r, gpu_is_back));
	CU_ASSERT_TRUE(rig_saw(&r, GV_PF_EVENT_GPU, -1, "the PSP does not come back"));
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(rig_state(&r, i), GV_MBOX_FAILED);
		CU_ASSERT_EQUAL(gv_pf_vf_check_clean(r.pf, i, &r.err), -EUCLEAN);
	}
	/* and once it is there again */
	r.lying.ones = 0;
	CU_ASSERT_EQUAL(gv_pf_gpu_reset(r.pf, 0, "again", &r.err), 0);
	CU_ASSERT_TRUE(serve_until(&r, gpu_is_back));
	CU_ASSERT_EQUAL(rig_state(&r, 0), GV_MBOX_IDLE);
	CU_ASSERT_EQUAL(gv_pf_vf_check_clean(r.pf, 0, &r.err), 0);
	rig_down(&r);
}

/* ---- scrub records -------------------------------------------------------------------- */

static void a_record_says_what_was_scrubbed_after_whom_and_for_whom(void)
{
	struct gv_pf_scrub_record s;
	struct gv_bus *vf;
	struct rig r;

	up(&r, 2);
	s = status(&r, 1).scrub;
	CU_ASSERT_TRUE(s.clean);
	CU_ASSERT_EQUAL(s.why, GV_PF_SCRUB_APPLY);
	CU_ASSERT_EQUAL(s.device_offset, 128 * GV_MIB);
	CU_ASSERT_EQUAL(s.bytes, 64 * GV_MIB);
	CU_ASSERT_EQUAL(s.samples, 34);
	CU_ASSERT_EQUAL(s.sample_bytes, 64);
	CU_ASSERT(s.begin_ms && s.end_ms >= s.begin_ms);
	gv_pf_vf_set_tenant(r.pf, 1, "bob");
	CU_ASSERT_STRING_EQUAL(status(&r, 1).scrub.after, "bob");
	vf = rig_vf(&r, 1);
	rig_init_guest(&r, vf);
	CU_ASSERT_FALSE(status(&r, 1).scrub.clean);
	CU_ASSERT_EQUAL(gv_pf_vf_check_clean(r.pf, 1, &r.err), -EUCLEAN);
	CU_ASSERT_PTR_NOT_NULL(strstr(r.err.text, "VF1 needs a scrub"));
	gv_pf_vf_set_tenant(r.pf, 1, "");
	CU_ASSERT_EQUAL(gv_pf_vf_reset_wait(r.pf, 1, GV_PF_RESET_GONE, 10 * GV_S, &r.err), 0);
	gv_pf_vf_set_tenant(r.pf, 1, "eve");
	s = status(&r, 1).scrub;
	CU_ASSERT_TRUE(s.clean);
	CU_ASSERT_EQUAL(s.why, GV_PF_SCRUB_RESET);
	CU_ASSERT_EQUAL(s.count, 2);
	CU_ASSERT_STRING_EQUAL(s.before, "bob");
	CU_ASSERT_STRING_EQUAL(s.after, "eve");
	CU_ASSERT_TRUE(
	        rig_saw(&r, GV_PF_EVENT_SCRUB, 1, "34 samples of 64 bytes are zero; data of bob"));
	CU_ASSERT_EQUAL(gv_pf_vf_check_clean(r.pf, 0, &r.err), 0);
	vf = gv_bus_close(vf);
	rig_down(&r);
}

static void what_was_not_scrubbed_is_not_clean(void)
{
	struct gv_pf_plan plan;
	struct gv_bus *vf;
	struct rig r;

	up(&r, 1);
	vf = rig_vf(&r, 0);
	/* one that only asks for its data can write to the frame buffer, too */
	CU_ASSERT_TRUE(rig_send(&r, vf, GV_MBOX_REQ_GPU_INIT_DATA));
	CU_ASSERT_TRUE(rig_hear(&r, vf, GV_MBOX_GPU_INIT_DATA_READY, 500));
	CU_ASSERT_EQUAL(rig_state(&r, 0), GV_MBOX_IDLE);
	CU_ASSERT_EQUAL(gv_pf_vf_check_clean(r.pf, 0, &r.err), -EUCLEAN);
	CU_ASSERT_EQUAL(gv_pf_vf_reset_wait(r.pf, 0, GV_PF_RESET_NO_SCRUB, 10 * GV_S, &r.err), 0);
	CU_ASSERT_EQUAL(gv_pf_vf_check_clean(r.pf, 0, &r.err), -EUCLEAN);
	/* its guest goes in peace */
	rig_init_guest(&r, vf);
	CU_ASSERT_TRUE(rig_send(&r, vf, GV_MBOX_REQ_GPU_FINI_ACCESS));
	CU_ASSERT_TRUE(rig_hear(&r, vf, GV_MBOX_READY_TO_ACCESS_GPU, 500));
	CU_ASSERT_TRUE(rig_send(&r, vf, GV_MBOX_REL_GPU_FINI_ACCESS));
	CU_ASSERT_TRUE(rig_serve_until(&r, 0, GV_MBOX_IDLE, 5000));
	CU_ASSERT_EQUAL(gv_pf_vf_check_clean(r.pf, 0, &r.err), 0);
	CU_ASSERT_EQUAL(status(&r, 0).scrub.why, GV_PF_SCRUB_FINI);
	plan = rig_plan(&r, 1, 128);
	CU_ASSERT_EQUAL(gv_pf_apply(r.pf, &plan, GV_PF_APPLY_NO_SCRUB, &r.err), 0);
	CU_ASSERT_EQUAL(status(&r, 0).scrub.why, GV_PF_SCRUB_NEVER);
	CU_ASSERT_EQUAL(gv_pf_vf_check_clean(r.pf, 0, &r.err), -EUCLEAN);
	CU_ASSERT_EQUAL(gv_pf_vf_check_clean(r.pf, 1, &r.err), -ENODEV);
	vf = gv_bus_close(vf);
	rig_down(&r);
}

static void a_scrub_that_fails_leaves_nothing_to_rely_on(void)
{
	struct rig r;

	up(&r, 1);
	r.lying.vram_spoil = 128 * GV_MIB - 64;
	CU_ASSERT_EQUAL(gv_pf_vf_reset_wait(r.pf, 0, 0, 10 * GV_S, &r.err), -EIO);
	CU_ASSERT_EQUAL(gv_pf_vf_check_clean(r.pf, 0, &r.err), -EUCLEAN);
	CU_ASSERT_EQUAL(status(&r, 0).scrub.why, GV_PF_SCRUB_NEVER);
	CU_ASSERT_FALSE(gv_pf_gpu_resetting(r.pf)); /* that would not help */
	rig_down(&r);
}

/* ---- guard ------------------------------------------------------------------------------- */

static void the_operator_takes_a_vf_out_and_back(void)
{
	struct gv_pf_vf_status s;
	struct gv_bus *vf;
	struct rig r;

	up(&r, 2);
	vf = rig_vf(&r, 0);
	rig_init_guest(&r, vf);
	CU_ASSERT_EQUAL(gv_pf_vf_unquarantine(r.pf, 0, &r.err), -EALREADY);
	CU_ASSERT_EQUAL(gv_pf_vf_quarantine(r.pf, 0, "it mines", &r.err), 0);
	CU_ASSERT_EQUAL(gv_pf_vf_quarantine(r.pf, 0, "it mines", &r.err), -EALREADY);
	CU_ASSERT_EQUAL(gv_pf_vf_quarantine(r.pf, 9, "", &r.err), -ENODEV);
	s = status(&r, 0); /* at once */
	CU_ASSERT_FALSE(s.fb_gate || s.doorbell_gate || s.regwr_gate);
	CU_ASSERT_EQUAL(gv_pf_vf_unquarantine(r.pf, 0, &r.err), -EBUSY);
	CU_ASSERT_TRUE(serve_until(&r, vf0_is_quarantined));
	CU_ASSERT_EQUAL(gv_pf_vf_check_clean(r.pf, 0, &r.err), -EPERM);
	CU_ASSERT_FALSE(rig_send(&r, vf, GV_MBOX_REQ_GPU_INIT_DATA));
	s = status(&r, 0);
	CU_ASSERT_EQUAL(s.guard.state, GV_PF_GUARD_QUARANTINED);
	CU_ASSERT_STRING_EQUAL(s.guard.why, "it mines");
	CU_ASSERT_TRUE(s.scrub.clean);
	CU_ASSERT_EQUAL(gv_pf_vf_unquarantine(r.pf, 0, &r.err), 0);
	CU_ASSERT_TRUE(rig_serve_until(&r, 0, GV_MBOX_IDLE, 10000));
	CU_ASSERT_EQUAL(gv_pf_vf_check_clean(r.pf, 0, &r.err), 0);
	rig_init_guest(&r, vf);
	vf = gv_bus_close(vf);
	rig_down(&r);
}

static void a_flood_of_messages_ends_as_the_profile_says(void)
{
	const struct gv_cfg_guard ten = {10, 60000, GV_CFG_GUARD_QUARANTINE};
	struct gv_bus *vf[2];
	unsigned acked = 0;
	struct rig r;

	up_with_guard(&r, GV_CFG_GUARD_MESSAGES, ten);
	vf[0] = rig_vf(&r, 0);
	vf[1] = rig_vf(&r, 1);
	for (unsigned i = 0; i < 10; i++)
		acked += rig_send(&r, vf[0], GV_MBOX_LOG_VF_ERROR);
	CU_ASSERT_EQUAL(acked, 10);
	CU_ASSERT_EQUAL(status(&r, 0).guard.state, GV_PF_GUARD_NORMAL);
	CU_ASSERT_EQUAL(status(&r, 0).guard.kind[GV_CFG_GUARD_MESSAGES].in_window, 10);
	CU_ASSERT_FALSE(rig_send(&r, vf[0], GV_MBOX_LOG_VF_ERROR));
	CU_ASSERT_TRUE(serve_until(&r, vf0_is_quarantined));
	CU_ASSERT_TRUE(event(&r, 0, "quarantined: messages: 10 in 60000 ms, 10 are allowed"));
	CU_ASSERT_FALSE(event(&r, 1, ""));
	rig_init_guest(&r, vf[1]);
	vf[0] = gv_bus_close(vf[0]);
	vf[1] = gv_bus_close(vf[1]);
	rig_down(&r);
}

static unsigned count_events(const struct rig *r, enum gv_pf_event_kind kind, int vf)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->num_events; i++)
		n += r->event[i].kind == kind && r->event[i].vf == vf;
	return n;
}

/* A message whose ACK nobody waits for. */
static void shout(struct rig *r, struct gv_bus *vf)
{
	gv_wr8(vf, BIF_BX_PF0_MAILBOX_CONTROL__BYTE, 0);
	rig_serve(r, 25);
	gv_wr8(vf, BIF_BX_PF0_MAILBOX_CONTROL__BYTE,
	       (uint8_t)GV_PUT(BIF_BX_PF0_MAILBOX_CONTROL, TRN_MSG_VALID, 1));
	rig_serve(r, 25);
}

/* Of what one VF does, others must still be seen. */
static void a_flood_does_not_fill_the_list_of_events(void)
{
	const struct gv_pf_cfg unguarded = {.poll_ms = 20, .mailbox = {.guard_off = true}};
	uint64_t begin_ns;
	struct gv_bus *vf;
	unsigned told;
	struct rig r;

	rig_up_with(&r, &unguarded);
	rig_boot_and_apply(&r, 1, 64);
	vf = rig_vf(&r, 0);
	begin_ns = gv_now_ns();
	for (unsigned i = 0; i < 60; i++)
		CU_ASSERT_TRUE(rig_send(&r, vf, 0xdeadbeef));
	CU_ASSERT_EQUAL(status(&r, 0).messages_refused, 60);
	told = count_events(&r, GV_PF_EVENT_VF_MESSAGE, 0);
	CU_ASSERT(told >= 10 && told <= 10 * ((gv_now_ns() - begin_ns) / GV_S + 2));
	CU_ASSERT_EQUAL(gv_pf_vf_quarantine(r.pf, 0, "test", &r.err), 0);
	CU_ASSERT_TRUE(serve_until(&r, vf0_is_quarantined));
	r.num_events = 0;
	r.pf->vf[0].told = 0;
	for (unsigned i = 0; i < 3; i++)
		shout(&r, vf);
	CU_ASSERT_EQUAL(count_events(&r, GV_PF_EVENT_VF_MESSAGE, 0), 1);
	vf = gv_bus_close(vf);
	rig_down(&r);
}

static void fault(struct gv_bus *vf, unsigned times)
{
	uint32_t got;

	for (unsigned i = 0; i < times; i++)
		(void)gv_bus_read(vf, GV_REGION_VRAM, 80 * GV_MIB, &got, 4);
}

static struct gv_bus *up_with_faulting_guest(struct rig *r, struct gv_cfg_guard rule)
{
	struct gv_bus *vf;

	up_with_guard(r, GV_CFG_GUARD_FAULTS, rule);
	vf = rig_vf(r, 0);
	rig_init_guest(r, vf);
	return vf;
}

static void faults_pause_a_vf_until_it_is_calm(void)
{
	const struct gv_cfg_guard few = {20, 400, GV_CFG_GUARD_PAUSE};
	struct gv_bus *vf;
	struct rig r;

	vf = up_with_faulting_guest(&r, few);
	fault(vf, 10);
	rig_serve(&r, 60);
	CU_ASSERT_EQUAL(status(&r, 0).guard.state, GV_PF_GUARD_NORMAL);
	fault(vf, 100);
	CU_ASSERT_TRUE(serve_until(&r, vf0_is_not_normal));
	CU_ASSERT_EQUAL(status(&r, 0).guard.state, GV_PF_GUARD_PAUSED);
	CU_ASSERT_TRUE(event(&r, 0, "paused: faults: "));
	rig_serve(&r, 20);
	CU_ASSERT_TRUE(status(&r, 0).world.held);
	CU_ASSERT_FALSE(pf_world_runs(r.pf, 0));
	CU_ASSERT_TRUE(status(&r, 0).fb_gate && status(&r, 0).doorbell_gate);
	CU_ASSERT_TRUE(serve_until(&r, vf0_is_normal));
	CU_ASSERT_TRUE(event(&r, 0, "normal again, was paused"));
	rig_serve(&r, 20);
	CU_ASSERT_TRUE(pf_world_runs(r.pf, 0));
	CU_ASSERT_EQUAL(status(&r, 0).guard.kind[GV_CFG_GUARD_FAULTS].total, 110);
	CU_ASSERT_EQUAL(rig_state(&r, 0), GV_MBOX_ACTIVE);
	vf = gv_bus_close(vf);
	rig_down(&r);
}

/* On a GPU that takes no world-switch commands. */
static void a_paused_vf_that_starts_anew_stays_paused(void)
{
	const struct gv_cfg_guard few = {20, 60000, GV_CFG_GUARD_PAUSE};
	struct gv_bus *vf;
	struct rig r;

	vf = up_with_faulting_guest(&r, few);
	r.pf->world.unsupported = true;
	fault(vf, 100);
	CU_ASSERT_TRUE(serve_until(&r, vf0_is_not_normal));
	rig_serve(&r, 60);
	CU_ASSERT_EQUAL(rig_state(&r, 0), GV_MBOX_ACTIVE); /* no reset from outside */
	CU_ASSERT_EQUAL(gv_pf_vf_reset_wait(r.pf, 0, 0, 10 * GV_S, &r.err), 0);
	rig_init_guest(&r, vf);
	CU_ASSERT_FALSE(status(&r, 0).doorbell_gate);
	CU_ASSERT_TRUE(status(&r, 0).fb_gate);
	vf = gv_bus_close(vf);
	rig_down(&r);
}

static void faults_reset_a_vf_where_the_profile_says_so(void)
{
	const struct gv_cfg_guard few = {20, 60000, GV_CFG_GUARD_FLR};
	struct gv_bus *vf;
	struct rig r;

	vf = up_with_faulting_guest(&r, few);
	fault(vf, 100);
	CU_ASSERT_TRUE(rig_serve_until(&r, 0, GV_MBOX_IDLE, 10000));
	CU_ASSERT_TRUE(event(&r, 0, "reset: faults: "));
	CU_ASSERT_TRUE(rig_saw(&r, GV_PF_EVENT_VF_RESET, 0, "it did more than it may"));
	CU_ASSERT_EQUAL(status(&r, 0).resets, 1);
	rig_init_guest(&r, vf);
	vf = gv_bus_close(vf);
	rig_down(&r);
}

static void other_limits_hold_at_once_without_touching_vfs(void)
{
	struct gv_pf_plan plan;
	struct gv_bus *vf;
	struct rig r;

	up(&r, 2);
	vf = rig_vf(&r, 0);
	rig_init_guest(&r, vf);
	plan = rig_plan(&r, 2, 64);
	plan.guard[GV_CFG_GUARD_MESSAGES] = (struct gv_cfg_guard){1, 60000, GV_CFG_GUARD_THROTTLE};
	CU_ASSERT_EQUAL(gv_pf_apply(r.pf, &plan, 0, &r.err), 0);
	CU_ASSERT_EQUAL(rig_state(&r, 0), GV_MBOX_ACTIVE);
	CU_ASSERT_FALSE(rig_send(&r, vf, GV_MBOX_LOG_VF_ERROR));
	CU_ASSERT_TRUE(event(&r, 0, "throttled: messages: "));
	CU_ASSERT_TRUE(status(&r, 0).doorbell_gate); /* messages are held back, nothing else */
	vf = gv_bus_close(vf);
	rig_down(&r);
}

UT_MAIN("pf-driver/contain", UT(a_hang_goes_through_its_steps_and_names_the_vf),
        UT(a_guest_that_answers_is_not_waited_for),
        UT(an_flr_that_does_not_end_costs_the_gpu_and_the_culprit_its_place),
        UT(the_operator_resets_the_gpu_when_nobody_is_in_the_way),
        UT(a_gpu_reset_in_any_state_gives_every_vf_back),
        UT(resets_of_vfs_before_and_after_that_of_the_gpu_end),
        UT(a_psp_that_does_not_come_back_is_told_and_nothing_is_claimed),
        UT(a_record_says_what_was_scrubbed_after_whom_and_for_whom),
        UT(what_was_not_scrubbed_is_not_clean), UT(a_scrub_that_fails_leaves_nothing_to_rely_on),
        UT(the_operator_takes_a_vf_out_and_back), UT(a_flood_of_messages_ends_as_the_profile_says),
        UT(a_flood_does_not_fill_the_list_of_events), UT(faults_pause_a_vf_until_it_is_calm),
        UT(a_paused_vf_that_starts_anew_stays_paused),
        UT(faults_reset_a_vf_where_the_profile_says_so),
        UT(other_limits_hold_at_once_without_touching_vfs))
