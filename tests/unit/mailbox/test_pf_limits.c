/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PF end: limits, and what guests report. */
#include "pf_rig.h"

static void a_flood_is_not_acked_reported_once_and_forgiven_later(void)
{
	unsigned acked = 0, reports = 0, over = 0;

	begin(2, true);
	for (int i = 0; i < 1000; i++) {
		say(0, 200);
		acked += did(GV_MBOX_ACT_ACK, 0);
		over += did(GV_MBOX_ACT_GUARD, 0);
		reports += acts.count && acts.act[0].code == GV_MBOX_ACT_REPORT;
	}
	CU_ASSERT_EQUAL(acked, 500);
	CU_ASSERT_EQUAL(reports, 1);
	CU_ASSERT_EQUAL(over, 500);
	CU_ASSERT_EQUAL(gv_mbox_pf_guard_count(&pf, 0, GV_MBOX_GUARD_MSG, now), 500);
	CU_ASSERT_EQUAL(pf.vf[0].stats.rate_dropped, 500);
	say(1, 6); /* the neighbour does not notice */
	CU_ASSERT(did(GV_MBOX_ACT_ACK, 1));
	now += 60 * GV_S;
	CU_ASSERT_EQUAL(gv_mbox_pf_guard_count(&pf, 0, GV_MBOX_GUARD_MSG, now), 0);
	say(0, 6);
	CU_ASSERT(did(GV_MBOX_ACT_ACK, 0));
}

static void exclusive_requests_timeouts_and_resets_have_limits(void)
{
	begin(1, true);
	for (int i = 0; i < 201; i++) { /* two hundred leave room, one more does not */
		now += GV_MS;
		say(0, 1);
		if (i == 200)
			break;
		while (pf.vf[0].ticket)
			done(0, 0);
		say(0, 2);
		done(0, -ENOENT);
	}
	CU_ASSERT_EQUAL(find(GV_MBOX_ACT_REPORT, 0)->report, GV_MBOX_BAD_LIMIT);
	CU_ASSERT_EQUAL(sent(0, NULL), GV_MBOX_FAIL);
	CU_ASSERT_EQUAL(find(GV_MBOX_ACT_GUARD, 0)->guard, GV_MBOX_GUARD_EXCLUSIVE);

	begin(1, true);
	for (int i = 0; i < 5; i++) {
		say(0, 1);
		if (i == 4)
			break;
		while (pf.vf[0].ticket)
			done(0, 0);
		now += 3 * GV_S;
		gv_mbox_pf_tick(&pf, now, &acts);
		done(0, 0);
	}
	CU_ASSERT_EQUAL(find(GV_MBOX_ACT_REPORT, 0)->report, GV_MBOX_BAD_LIMIT);
	CU_ASSERT_EQUAL(find(GV_MBOX_ACT_GUARD, 0)->guard, GV_MBOX_GUARD_EXCL_TIMEOUT);
	now += 60 * GV_S;
	say(0, 1);
	CU_ASSERT(did(GV_MBOX_ACT_UPLOAD, 0));
}

static void resets_by_the_hypervisor_do_not_use_up_the_guests_limit(void)
{
	begin(1, true);
	for (int i = 0; i < 20; i++) {
		reset(0, GV_MBOX_WHY_PCI_FLR);
		done(0, 0);
	}
	say(0, 1);
	CU_ASSERT(did(GV_MBOX_ACT_UPLOAD, 0));
}

static void before_the_whole_gpu_is_reset_guests_have_longer(void)
{
	reach(GV_MBOX_ACTIVE);
	reset(0, GV_MBOX_WHY_GPU_RESET);
	CU_ASSERT_EQUAL(sent(0, NULL), GV_MBOX_FLR_NOTIFICATION);
	CU_ASSERT_EQUAL(gv_mbox_pf_deadline(&pf), now + 500 * GV_MS);
	now += 499 * GV_MS;
	gv_mbox_pf_tick(&pf, now, &acts);
	CU_ASSERT_EQUAL(pf.vf[0].state, GV_MBOX_NOTIFY);
	now += GV_MS; /* a guest that never answers */
	gv_mbox_pf_tick(&pf, now, &acts);
	CU_ASSERT_EQUAL(find(GV_MBOX_ACT_RESET, 0)->reason, GV_MBOX_WHY_GPU_RESET);
	CU_ASSERT_EQUAL(gv_mbox_pf_guard_count(&pf, 0, GV_MBOX_GUARD_RESET, now), 0);
}

static void limits_can_be_changed_while_guests_run(void)
{
	struct gv_mbox_limit guard[GV_MBOX_GUARDS] = {[GV_MBOX_GUARD_MSG] = {3, 1000}};

	reach(GV_MBOX_ACTIVE);
	CU_ASSERT_EQUAL(gv_mbox_pf_set_guards(&pf, guard), 0);
	for (int i = 0; i < 4; i++)
		say(0, 200);
	CU_ASSERT(did(GV_MBOX_ACT_GUARD, 0));
	CU_ASSERT_FALSE(did(GV_MBOX_ACT_ACK, 0));
	guard[GV_MBOX_GUARD_MSG].limit = GV_MBOX_GUARD_MAX + 1;
	CU_ASSERT_EQUAL(gv_mbox_pf_set_guards(&pf, guard), -ERANGE);
	CU_ASSERT_EQUAL(pf.cfg.guard[GV_MBOX_GUARD_MSG].limit, 3);
}

static void vf_errors_and_poison_are_passed_on(void)
{
	struct gv_mbox_msg msg;

	reach(GV_MBOX_ACTIVE);
	gv_mbox_vf_error_build(9, 1, 5, &msg);
	gv_mbox_pf_message(&pf, 0, &msg, now, &acts);
	CU_ASSERT(did(GV_MBOX_ACT_VF_ERROR, 0));
	CU_ASSERT_EQUAL(find(GV_MBOX_ACT_VF_ERROR, 0)->error.sub, 9);
	say(0, 200); /* category 0 */
	CU_ASSERT_EQUAL(find(GV_MBOX_ACT_REPORT, 0)->report, GV_MBOX_BAD_CATEGORY);
	say(0, 202);
	CU_ASSERT_EQUAL(find(GV_MBOX_ACT_RAS_POISON, 0)->msg.dw[1], 11);
	CU_ASSERT_EQUAL(sent(0, NULL), 8);
}

static void telemetry_is_answered_when_it_is_offered(void)
{
	reach(GV_MBOX_ACTIVE);
	pf.cfg.ras_telemetry = true;
	say(0, 203);
	CU_ASSERT(did(GV_MBOX_ACT_RAS, 0));
	gv_mbox_pf_done(&pf, 0, find(GV_MBOX_ACT_RAS, 0)->ticket, 0, now, &acts);
	CU_ASSERT_EQUAL(sent(0, NULL), 11);
	say(0, 204);
	gv_mbox_pf_done(&pf, 0, find(GV_MBOX_ACT_RAS, 0)->ticket, -EIO, now, &acts);
	CU_ASSERT_EQUAL(sent(0, NULL), GV_MBOX_FAIL);
}

static void a_running_guest_can_be_asked_whether_it_lives(void)
{
	struct gv_mbox_msg alive = {{GV_MBOX_QUERY_ALIVE}}, ready = {{1}};

	reach(GV_MBOX_IDLE);
	CU_ASSERT_EQUAL(gv_mbox_pf_tell(&pf, 0, &alive, now, &acts), -EBUSY);
	reach(GV_MBOX_ACTIVE);
	CU_ASSERT_EQUAL(gv_mbox_pf_tell(&pf, 0, &ready, now, &acts), -EINVAL);
	CU_ASSERT_EQUAL(gv_mbox_pf_tell(&pf, 0, &alive, now, &acts), 0);
	CU_ASSERT_EQUAL(gv_mbox_pf_tell(&pf, 0, &alive, now, &acts), -EBUSY);
	gv_mbox_pf_acked(&pf, 0, now, &acts);
	CU_ASSERT(did(GV_MBOX_ACT_ALIVE, 0));
	CU_ASSERT_EQUAL(gv_mbox_pf_tell(&pf, 0, &alive, now, &acts), 0);
	now = gv_mbox_pf_deadline(&pf);
	gv_mbox_pf_tick(&pf, now, &acts);
	CU_ASSERT(did(GV_MBOX_ACT_NOT_ALIVE, 0));
	CU_ASSERT_EQUAL(gv_mbox_pf_deadline(&pf), UINT64_MAX);
}

static void an_ack_of_nothing_clears_nothing(void)
{
	reach(GV_MBOX_ACTIVE);
	reset(0, GV_MBOX_WHY_HOST);
	say(0, 201);
	done(0, 0); /* CMPL stands there without VALID */
	gv_mbox_pf_acked(&pf, 0, now, &acts);
	CU_ASSERT_EQUAL(acts.count, 0);
}

static void wrong_numbers_are_refused(void)
{
	struct gv_mbox_pf_cfg cfg = {.guard = {{GV_MBOX_GUARD_MAX + 1, 1}}};
	struct gv_mbox_msg msg = {{1}};

	CU_ASSERT_EQUAL(gv_mbox_pf_init(&pf, 32, NULL), -ERANGE);
	CU_ASSERT_EQUAL(gv_mbox_pf_init(&pf, 1, &cfg), -ERANGE);
	begin(2, true);
	CU_ASSERT_EQUAL(gv_mbox_pf_message(&pf, 2, &msg, now, &acts), -EINVAL);
	CU_ASSERT_EQUAL(gv_mbox_pf_done(&pf, 99, 1, 0, now, &acts), -EINVAL);
	CU_ASSERT_EQUAL(acts.count, 0);
}

UT_MAIN("mailbox PF end, limits", UT(a_flood_is_not_acked_reported_once_and_forgiven_later),
        UT(exclusive_requests_timeouts_and_resets_have_limits),
        UT(resets_by_the_hypervisor_do_not_use_up_the_guests_limit),
        UT(before_the_whole_gpu_is_reset_guests_have_longer),
        UT(limits_can_be_changed_while_guests_run), UT(vf_errors_and_poison_are_passed_on),
        UT(telemetry_is_answered_when_it_is_offered),
        UT(a_running_guest_can_be_asked_whether_it_lives), UT(an_ack_of_nothing_clears_nothing),
        UT(wrong_numbers_are_refused))
