/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions that go on in another process. */
#include <string.h>

#include <gv/mailbox.h>
#include <ut.h>

static struct gv_mbox_pf pf, next;
static struct gv_mbox_acts acts;
static uint64_t now = GV_S;

static void begin(struct gv_mbox_pf *p)
{
	const struct gv_mbox_pf_cfg cfg = {.guard_off = true};

	CU_ASSERT_EQUAL_FATAL(gv_mbox_pf_init(p, 2, &cfg), 0);
	for (unsigned i = 0; i < 2; i++)
		(void)gv_mbox_pf_enable(p, i, now, &acts);
}

static void say(struct gv_mbox_pf *p, unsigned vf, uint32_t code)
{
	const struct gv_mbox_msg msg = {{code}};

	CU_ASSERT_EQUAL(gv_mbox_pf_message(p, vf, &msg, now, &acts), 0);
}

static void done(struct gv_mbox_pf *p, unsigned vf, int result)
{
	CU_ASSERT_NOT_EQUAL(p->vf[vf].ticket, 0);
	CU_ASSERT_EQUAL(gv_mbox_pf_done(p, vf, p->vf[vf].ticket, result, now, &acts), 0);
}

static const struct gv_mbox_act *find(enum gv_mbox_act_code code)
{
	for (unsigned i = 0; i < acts.count; i++)
		if (acts.act[i].code == code)
			return &acts.act[i];
	return NULL;
}

/* What @pf has goes on in @next, an hour later. @acts: of both VFs' resumption. */
static void hand_over(void)
{
	struct gv_mbox_acts all = {0};
	struct gv_mbox_saved saved;
	const struct gv_mbox_pf_cfg cfg = {.guard_off = true};

	now += 3600 * GV_S;
	CU_ASSERT_EQUAL_FATAL(gv_mbox_pf_init(&next, 2, &cfg), 0);
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(gv_mbox_pf_save(&pf, i, &saved), 0);
		CU_ASSERT_EQUAL(gv_mbox_pf_restore(&next, i, &saved), 0);
		CU_ASSERT_EQUAL(next.vf[i].state, pf.vf[i].state);
		CU_ASSERT_EQUAL(next.vf[i].access, pf.vf[i].access);
	}
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(gv_mbox_pf_resume(&next, i, now, &acts), 0);
		for (unsigned k = 0; k < acts.count; k++)
			all.act[all.count++] = acts.act[k];
	}
	acts = all;
}

static void an_upload_begins_again_and_is_answered(void)
{
	begin(&pf);
	say(&pf, 1, GV_MBOX_REQ_GPU_INIT_DATA);
	hand_over();
	CU_ASSERT_PTR_NOT_NULL(find(GV_MBOX_ACT_UPLOAD));
	done(&next, 1, 0);
	CU_ASSERT_EQUAL(next.vf[1].state, GV_MBOX_IDLE);
	CU_ASSERT_EQUAL(find(GV_MBOX_ACT_SEND)->msg.dw[0], GV_MBOX_GPU_INIT_DATA_READY);
}

static void the_line_for_exclusive_access_goes_on(void)
{
	begin(&pf);
	say(&pf, 1, GV_MBOX_REQ_GPU_INIT_ACCESS);
	done(&pf, 1, 0);
	done(&pf, 1, 0);
	CU_ASSERT_EQUAL(pf.vf[1].state, GV_MBOX_EXCLUSIVE);
	say(&pf, 0, GV_MBOX_REQ_GPU_INIT_ACCESS);
	hand_over();
	CU_ASSERT_EQUAL(acts.count, 0); /* VF0 waits, though it was restored first */
	CU_ASSERT_EQUAL(next.vf[0].state, GV_MBOX_QUEUED);
	CU_ASSERT_EQUAL(next.holder, 1);
	CU_ASSERT_EQUAL(gv_mbox_pf_deadline(&next), now + gv_mbox_pf_exclusive_ms(&next) * GV_MS);
	say(&next, 1, GV_MBOX_REL_GPU_INIT_ACCESS);
	done(&next, 1, 0);
	CU_ASSERT_EQUAL(next.holder, 0);
}

static void who_waits_alone_is_let_in(void)
{
	begin(&pf);
	say(&pf, 1, GV_MBOX_REQ_GPU_INIT_ACCESS); /* upload first, then the access */
	hand_over();
	CU_ASSERT_PTR_NOT_NULL(find(GV_MBOX_ACT_UPLOAD));
	done(&next, 1, 0);
	CU_ASSERT_PTR_NOT_NULL(find(GV_MBOX_ACT_ENTER));
	done(&next, 1, 0);
	CU_ASSERT_EQUAL(next.vf[1].state, GV_MBOX_EXCLUSIVE);
}

static void a_reset_and_what_was_asked_meanwhile_are_not_forgotten(void)
{
	begin(&pf);
	CU_ASSERT_EQUAL(gv_mbox_pf_reset(&pf, 0, GV_MBOX_WHY_PCI_FLR, now, &acts), 0);
	say(&pf, 0, GV_MBOX_REQ_GPU_INIT_DATA);
	hand_over();
	CU_ASSERT_PTR_NOT_NULL_FATAL(find(GV_MBOX_ACT_RESET));
	CU_ASSERT_EQUAL(find(GV_MBOX_ACT_RESET)->reason, GV_MBOX_WHY_PCI_FLR);
	done(&next, 0, 0);
	CU_ASSERT_PTR_NOT_NULL(find(GV_MBOX_ACT_UPLOAD));
	CU_ASSERT_PTR_NULL(find(GV_MBOX_ACT_SEND)); /* it was quiet */
}

static void impossible_sessions_are_refused_and_change_nothing(void)
{
	static const struct gv_mbox_saved bad[] = {
	        {.state = GV_MBOX_STATES},
	        {.state = GV_MBOX_IDLE, .access = 9},
	        {.state = GV_MBOX_IDLE, .reason = GV_MBOX_REASONS},
	        {.state = GV_MBOX_IDLE, .asked_reason = 200},
	        {.state = GV_MBOX_IDLE, .flags = 0x80},
	        {.state = GV_MBOX_IDLE, .flags = GV_MBOX_SAVED_HOLDER},
	        {.state = GV_MBOX_QUEUED},
	        {.state = GV_MBOX_EXCLUSIVE, .access = GV_MBOX_ACCESS_INIT},
	        {.state = GV_MBOX_EXCLUSIVE, .flags = GV_MBOX_SAVED_HOLDER},
	        {.state = GV_MBOX_UPLOAD, .back = GV_MBOX_RESET},
	};
	const struct gv_mbox_saved holder = {.state = GV_MBOX_EXCLUSIVE,
	                                     .access = GV_MBOX_ACCESS_INIT,
	                                     .flags = GV_MBOX_SAVED_HOLDER};
	static struct gv_mbox_pf before;

	begin(&next);
	before = next;
	for (size_t i = 0; i < GV_ARRAY_LEN(bad); i++)
		CU_ASSERT_EQUAL(gv_mbox_pf_restore(&next, 0, &bad[i]), -EINVAL);
	CU_ASSERT_EQUAL(gv_mbox_pf_restore(&next, 2, &holder), -EINVAL);
	CU_ASSERT_EQUAL(memcmp(&before, &next, sizeof(next)), 0);
	CU_ASSERT_EQUAL(gv_mbox_pf_restore(&next, 0, &holder), 0);
	CU_ASSERT_EQUAL(gv_mbox_pf_restore(&next, 1, &holder), -EINVAL); /* two have it */
}

UT_MAIN("mailbox/saved", UT(an_upload_begins_again_and_is_answered),
        UT(the_line_for_exclusive_access_goes_on), UT(who_waits_alone_is_let_in),
        UT(a_reset_and_what_was_asked_meanwhile_are_not_forgotten),
        UT(impossible_sessions_are_refused_and_change_nothing))
