/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PF end: every code in every state, the line for exclusive access, resets. */
#include "pf_rig.h"

static void a_guest_lives_and_goes(void)
{
	const struct gv_mbox_act *a;
	bool valid = false;

	begin(1, true);
	say(0, 6);
	CU_ASSERT_EQUAL(acts.act[0].code, GV_MBOX_ACT_ACK);
	CU_ASSERT_EQUAL(acts.act[1].code, GV_MBOX_ACT_UPLOAD);
	CU_ASSERT_EQUAL(acts.count, 2);
	done(0, 0);
	a = find(GV_MBOX_ACT_SEND, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	CU_ASSERT(a->valid && a->msg.dw[0] == 7 && a->msg.dw[1] == 1 && !a->msg.dw[2]);
	gv_mbox_pf_acked(&pf, 0, now, &acts);
	CU_ASSERT(did(GV_MBOX_ACT_CLEAR, 0));

	say(0, 1);
	CU_ASSERT(did(GV_MBOX_ACT_ENTER, 0)); /* the data is there already */
	CU_ASSERT_EQUAL(find(GV_MBOX_ACT_ENTER, 0)->access, GV_MBOX_ACCESS_INIT);
	done(0, 0);
	a = find(GV_MBOX_ACT_SEND, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	CU_ASSERT(a->valid && a->msg.dw[0] == 1 && a->msg.dw[2] == 0);
	say(0, 2);
	CU_ASSERT(did(GV_MBOX_ACT_LEAVE, 0));
	CU_ASSERT_EQUAL(sent(0, NULL), -1); /* ACK is all */
	done(0, 0);
	CU_ASSERT(did(GV_MBOX_ACT_READ_VF2PF, 0));
	CU_ASSERT_EQUAL(state(0), GV_MBOX_ACTIVE);

	say(0, 3);
	done(0, 0);
	CU_ASSERT_EQUAL(sent(0, &valid), 1);
	say(0, 4);
	CU_ASSERT_EQUAL(find(GV_MBOX_ACT_LEAVE, 0)->access, GV_MBOX_ACCESS_FINI);
	done(0, 0);
	CU_ASSERT_EQUAL(state(0), GV_MBOX_IDLE);
	CU_ASSERT_EQUAL(pf.holder, -1);
}

/* What must be after each message in each state: the sheet, once more, as text. Letters:
 * . refused and nothing changed, h held, x no ACK, U upload, E enter, L leave, R reset,
 * c CMPL at once, q queued as before, r READY again, n nothing to see (ACK only). */
static void every_code_in_every_state(void)
{
	static const uint32_t codes[] = {6, 1, 3, 5, 2, 4, 201};
	static const char *const want[GV_MBOX_STATES] = {
	        [GV_MBOX_OFF] = "xxxxxxx",    [GV_MBOX_IDLE] = "UU.U..c",
	        [GV_MBOX_UPLOAD] = "hhhh..h", [GV_MBOX_QUEUED] = ".q....R",
	        [GV_MBOX_ENTER] = "hhhh..h",  [GV_MBOX_EXCLUSIVE] = ".r..L.R",
	        [GV_MBOX_LEAVE] = "hhhh..h",  [GV_MBOX_ACTIVE] = "UREU..R",
	        [GV_MBOX_NOTIFY] = "hhhh..R", [GV_MBOX_RESET] = "hhhh..n",
	        [GV_MBOX_FAILED] = ".......",
	};

	for (int s = 0; s < GV_MBOX_STATES; s++) {
		for (size_t c = 0; c < GV_ARRAY_LEN(codes); c++) {
			struct gv_mbox_stats before;
			bool refused;

			reach((enum gv_mbox_state)s);
			before = pf.vf[0].stats;
			say(0, codes[c]);
			refused = pf.vf[0].stats.refused == before.refused + 1;
			CU_ASSERT_EQUAL(did(GV_MBOX_ACT_ACK, 0), want[s][c] != 'x');
			CU_ASSERT_EQUAL(refused, want[s][c] == '.');
			CU_ASSERT_EQUAL(did(GV_MBOX_ACT_REPORT, 0),
			                want[s][c] == '.' || want[s][c] == 'x');
			CU_ASSERT_EQUAL(did(GV_MBOX_ACT_UPLOAD, 0), want[s][c] == 'U');
			CU_ASSERT_EQUAL(did(GV_MBOX_ACT_ENTER, 0), want[s][c] == 'E');
			CU_ASSERT_EQUAL(did(GV_MBOX_ACT_LEAVE, 0), want[s][c] == 'L');
			CU_ASSERT_EQUAL(did(GV_MBOX_ACT_RESET, 0), want[s][c] == 'R');
			CU_ASSERT_EQUAL(sent(0, NULL) == 3, want[s][c] == 'c');
			CU_ASSERT_EQUAL(sent(0, NULL) == 1, want[s][c] == 'r');
			/* a refusal is said to those who wait for an answer */
			CU_ASSERT_EQUAL(sent(0, NULL) == GV_MBOX_FAIL,
			                want[s][c] == '.' && gv_mbox_reply_of(codes[c]));
			if (strchr(".hxcqrn", want[s][c]))
				CU_ASSERT_EQUAL((int)state(0), s);
			CU_ASSERT_EQUAL(pf.vf[0].pending.dw[0] == codes[c],
			                want[s][c] == 'h' ||
			                        (s == GV_MBOX_ACTIVE && codes[c] == 1));
		}
	}
}

static void unknown_and_unsupported_codes_are_acked_counted_and_change_nothing(void)
{
	static const uint32_t unknown[] = {0, 8, 9, 42, 199, 205, 255, 299, 302, 0xffffffff};
	static const uint32_t unsupported[] = {7, 203, 204, 300, 301};

	for (int s = GV_MBOX_IDLE; s < GV_MBOX_STATES; s++) {
		reach((enum gv_mbox_state)s);
		for (size_t i = 0; i < GV_ARRAY_LEN(unknown); i++) {
			say(0, unknown[i]);
			CU_ASSERT(did(GV_MBOX_ACT_ACK, 0));
			CU_ASSERT_EQUAL(acts.count, 2);
			CU_ASSERT_EQUAL(acts.act[1].report, GV_MBOX_BAD_UNKNOWN);
			CU_ASSERT_EQUAL(acts.act[1].msg.dw[0], unknown[i]);
		}
		CU_ASSERT_EQUAL(pf.vf[0].stats.unknown, GV_ARRAY_LEN(unknown));
		for (size_t i = 0; i < GV_ARRAY_LEN(unsupported); i++) {
			say(0, unsupported[i]);
			CU_ASSERT(did(GV_MBOX_ACT_ACK, 0));
			CU_ASSERT_EQUAL(find(GV_MBOX_ACT_REPORT, 0)->report,
			                GV_MBOX_BAD_UNSUPPORTED);
		}
		CU_ASSERT_EQUAL(pf.vf[0].stats.unsupported, GV_ARRAY_LEN(unsupported));
		CU_ASSERT_EQUAL((int)state(0), s);
	}
}

static void one_vf_at_a_time_has_exclusive_access_in_order_of_asking(void)
{
	static const unsigned order[] = {5, 0, 15, 7, 3};

	begin(16, false);
	for (size_t i = 0; i < GV_ARRAY_LEN(order); i++)
		say(order[i], 1);
	for (size_t i = 0; i < GV_ARRAY_LEN(order); i++) {
		unsigned vf = order[i];

		CU_ASSERT_EQUAL(pf.holder, (int)vf);
		done(vf, 0); /* upload */
		done(vf, 0); /* enter */
		CU_ASSERT_EQUAL(state(vf), GV_MBOX_EXCLUSIVE);
		for (unsigned k = 0; k < 16; k++)
			CU_ASSERT(k == vf || state(k) != GV_MBOX_EXCLUSIVE);
		say(vf, 2);
		done(vf, 0);
	}
	CU_ASSERT_EQUAL(pf.holder, -1);
}

static void the_window_is_3000_ms_for_one_vf_and_1500_for_more(void)
{
	begin(1, false);
	CU_ASSERT_EQUAL(gv_mbox_pf_exclusive_ms(&pf), 3000);
	begin(2, false);
	CU_ASSERT_EQUAL(gv_mbox_pf_exclusive_ms(&pf), 1500);
	gv_mbox_pf_disable(&pf, 1, now, &acts);
	CU_ASSERT_EQUAL(gv_mbox_pf_exclusive_ms(&pf), 3000);
	pf.cfg.exclusive_ms = 20000;
	CU_ASSERT_EQUAL(gv_mbox_pf_exclusive_ms(&pf), 20000);
}

static void who_keeps_exclusive_access_too_long_is_reset_and_the_next_gets_it(void)
{
	bool valid = true;

	reach(GV_MBOX_EXCLUSIVE);
	say(1, 1);
	CU_ASSERT_EQUAL(gv_mbox_pf_deadline(&pf), now + 1500 * GV_MS);
	now += 1500 * GV_MS - 1;
	gv_mbox_pf_tick(&pf, now, &acts);
	CU_ASSERT_EQUAL(acts.count, 0);
	say(0, 1); /* asking again does not make it longer */
	CU_ASSERT_EQUAL(gv_mbox_pf_deadline(&pf), now + 1);
	now++;
	gv_mbox_pf_tick(&pf, now, &acts);
	CU_ASSERT_EQUAL(sent(0, &valid), GV_MBOX_FLR_NOTIFICATION);
	CU_ASSERT_FALSE(valid);
	CU_ASSERT_EQUAL(find(GV_MBOX_ACT_RESET, 0)->reason, GV_MBOX_WHY_EXCL_TIMEOUT);
	CU_ASSERT_EQUAL(pf.vf[0].stats.excl_timeouts, 1);
	CU_ASSERT_EQUAL(state(1), GV_MBOX_QUEUED); /* not before the reset is done */
	done(0, 0);
	CU_ASSERT_EQUAL(sent(0, &valid), GV_MBOX_FLR_NOTIFICATION_CMPL);
	CU_ASSERT_FALSE(valid);
	CU_ASSERT(did(GV_MBOX_ACT_UPLOAD, 1));
	CU_ASSERT_EQUAL(pf.holder, 1);
	say(0, 2); /* too late */
	CU_ASSERT_EQUAL(pf.vf[0].stats.refused, 1);
}

static void a_running_guest_is_told_waited_for_and_reset(void)
{
	bool valid = false;

	reach(GV_MBOX_ACTIVE);
	reset(0, GV_MBOX_WHY_HOST);
	CU_ASSERT_EQUAL(sent(0, &valid), 2);
	CU_ASSERT(valid);
	CU_ASSERT_FALSE(did(GV_MBOX_ACT_RESET, 0));
	CU_ASSERT_EQUAL(gv_mbox_pf_deadline(&pf), now + 10 * GV_MS);
	now += 10 * GV_MS;
	gv_mbox_pf_tick(&pf, now, &acts); /* it never said that it is ready */
	CU_ASSERT(did(GV_MBOX_ACT_RESET, 0));
	done(0, 0);
	CU_ASSERT_EQUAL(sent(0, &valid), 3);
	CU_ASSERT_FALSE(valid);
	say(0, 201); /* now it does: its ACK has cleared CMPL, so it is said again */
	CU_ASSERT_EQUAL(sent(0, &valid), 3);
	CU_ASSERT_FALSE(did(GV_MBOX_ACT_RESET, 0));
}

static void a_reset_asked_for_meanwhile_comes_after_the_action(void)
{
	static const enum gv_mbox_state states[] = {GV_MBOX_UPLOAD, GV_MBOX_ENTER, GV_MBOX_LEAVE};

	for (size_t i = 0; i < GV_ARRAY_LEN(states); i++) {
		for (int quiet = 0; quiet < 2; quiet++) {
			reach(states[i]);
			reset(0, quiet ? GV_MBOX_WHY_PCI_FLR : GV_MBOX_WHY_HOST);
			CU_ASSERT_EQUAL(acts.count, 0);
			done(0, 0);
			if (state(0) == GV_MBOX_NOTIFY)
				say(0, 201);
			CU_ASSERT_EQUAL(state(0), GV_MBOX_RESET);
			CU_ASSERT_NOT_EQUAL(sent(0, NULL), 1);
			done(0, 0);
			CU_ASSERT_EQUAL(state(0), GV_MBOX_IDLE);
			CU_ASSERT_EQUAL(pf.holder, -1);
		}
	}
}

static void pci_flr_is_followed_in_every_state_without_a_word(void)
{
	for (int s = GV_MBOX_IDLE; s < GV_MBOX_STATES; s++) {
		reach((enum gv_mbox_state)s);
		reset(0, GV_MBOX_WHY_PCI_FLR);
		for (int i = 0; i < 4 && state(0) != GV_MBOX_IDLE; i++)
			done(0, 0);
		CU_ASSERT_EQUAL(state(0), GV_MBOX_IDLE);
		CU_ASSERT_FALSE(pf.vf[0].data_ready);
		CU_ASSERT_NOT_EQUAL(pf.holder, 0);
	}
	begin(1, false);
	gv_mbox_pf_disable(&pf, 0, now, &acts);
	CU_ASSERT_EQUAL(gv_mbox_pf_reset(&pf, 0, GV_MBOX_WHY_HOST, now, &acts), -ENODEV);
	CU_ASSERT_EQUAL(gv_mbox_pf_reset(&pf, 0, GV_MBOX_WHY_GUEST, now, &acts), -EINVAL);
}

static void a_guest_waiting_in_line_gets_its_answer_after_a_host_reset(void)
{
	reach(GV_MBOX_QUEUED);
	reset(0, GV_MBOX_WHY_HOST);
	CU_ASSERT_EQUAL(sent(0, NULL), -1); /* it polls for READY, nothing may stand in for it */
	done(0, 0);
	CU_ASSERT_EQUAL(state(0), GV_MBOX_QUEUED);
	done(1, 0);
	done(1, 0);
	say(1, 2);
	done(1, 0);
	done(0, 0);
	done(0, 0);
	CU_ASSERT_EQUAL(sent(0, NULL), 1);
}

static void an_orphan_is_reset_before_the_new_guest_gets_it(void)
{
	reach(GV_MBOX_ACTIVE);
	say(0, 1);
	CU_ASSERT_EQUAL(find(GV_MBOX_ACT_RESET, 0)->reason, GV_MBOX_WHY_ORPHAN);
	CU_ASSERT_EQUAL(sent(0, NULL), -1);
	done(0, 0);
	CU_ASSERT_EQUAL(sent(0, NULL), -1); /* no CMPL: the guest polls for READY */
	done(0, 0);
	done(0, 0);
	CU_ASSERT_EQUAL(sent(0, NULL), 1);
	CU_ASSERT_EQUAL(state(0), GV_MBOX_EXCLUSIVE);
}

static void failures_of_the_pf_are_told_and_lead_to_a_known_state(void)
{
	reach(GV_MBOX_UPLOAD);
	done(0, -EIO);
	CU_ASSERT_EQUAL(sent(0, NULL), GV_MBOX_FAIL);
	CU_ASSERT_EQUAL(state(0), GV_MBOX_IDLE);

	reach(GV_MBOX_ENTER);
	done(0, -ETIMEDOUT);
	CU_ASSERT_EQUAL(find(GV_MBOX_ACT_RESET, 0)->reason, GV_MBOX_WHY_ENTER_FAILED);
	CU_ASSERT_EQUAL(pf.holder, 0);
	done(0, 0);
	CU_ASSERT_EQUAL(pf.holder, -1);

	reach(GV_MBOX_LEAVE);
	done(0, -ETIMEDOUT);
	CU_ASSERT_EQUAL(state(0), GV_MBOX_NOTIFY);
	CU_ASSERT_EQUAL(pf.holder, 0); /* nobody else gets a GPU that does not let go */
	say(0, 201);
	done(0, 0);
	CU_ASSERT_EQUAL(pf.holder, -1);

	reach(GV_MBOX_LEAVE);
	done(0, -ENOENT); /* no queue set up */
	CU_ASSERT_EQUAL(state(0), GV_MBOX_IDLE);
	CU_ASSERT_FALSE(did(GV_MBOX_ACT_READ_VF2PF, 0));

	reach(GV_MBOX_RESET);
	done(0, -EIO);
	CU_ASSERT(did(GV_MBOX_ACT_GPU_RESET, 0));
	CU_ASSERT_EQUAL(state(0), GV_MBOX_FAILED);
	gv_mbox_pf_enable(&pf, 0, now, &acts);
	CU_ASSERT_EQUAL(state(0), GV_MBOX_IDLE);
}

static void a_guest_that_wants_to_go_is_let_go_even_if_it_hangs(void)
{
	reach(GV_MBOX_ACTIVE);
	say(0, 3);
	done(0, -ETIMEDOUT);
	CU_ASSERT_EQUAL(sent(0, NULL), 1);
	CU_ASSERT_EQUAL(state(0), GV_MBOX_RESET);
	say(0, 4); /* no mistake of the guest */
	CU_ASSERT_EQUAL(pf.vf[0].stats.refused, 0);
	done(0, 0);
	CU_ASSERT_EQUAL(sent(0, NULL), -1);
	say(0, 4);
	CU_ASSERT_EQUAL(pf.vf[0].stats.refused, 1);
}

static void ends_of_actions_that_are_not_under_way_are_ignored(void)
{
	uint32_t old;

	reach(GV_MBOX_ENTER);
	old = pf.vf[0].ticket;
	CU_ASSERT_EQUAL(gv_mbox_pf_done(&pf, 0, old + 1, 0, now, &acts), 0);
	CU_ASSERT_EQUAL(gv_mbox_pf_done(&pf, 0, 0, 0, now, &acts), 0);
	CU_ASSERT_EQUAL(state(0), GV_MBOX_ENTER);
	gv_mbox_pf_disable(&pf, 0, now, &acts);
	gv_mbox_pf_enable(&pf, 0, now, &acts);
	CU_ASSERT_EQUAL(gv_mbox_pf_done(&pf, 0, old, 0, now, &acts), 0);
	CU_ASSERT_EQUAL(acts.count, 0);
	CU_ASSERT_EQUAL(pf.vf[0].stats.stale_done, 1);
	CU_ASSERT_EQUAL(state(0), GV_MBOX_IDLE);
}

static void a_vf_that_vanishes_gives_its_place_to_the_next(void)
{
	reach(GV_MBOX_EXCLUSIVE);
	say(1, 1);
	gv_mbox_pf_disable(&pf, 0, now, &acts);
	CU_ASSERT_EQUAL(pf.holder, 1);
	CU_ASSERT(did(GV_MBOX_ACT_UPLOAD, 1));
	reach(GV_MBOX_QUEUED);
	gv_mbox_pf_disable(&pf, 0, now, &acts);
	CU_ASSERT_EQUAL(pf.queued, 0);
	CU_ASSERT_EQUAL(pf.holder, 1);
}

/* Anything in any order: the promises that hold always. */
static void check_promises(void)
{
	unsigned exclusive = 0;

	for (unsigned i = 0; i < pf.num_vfs; i++) {
		const struct gv_mbox_session *s = &pf.vf[i];
		bool working = s->state == GV_MBOX_UPLOAD || s->state == GV_MBOX_ENTER ||
		               s->state == GV_MBOX_LEAVE || s->state == GV_MBOX_RESET;

		exclusive += s->state == GV_MBOX_EXCLUSIVE || s->state == GV_MBOX_ENTER;
		if (working != (s->ticket != 0))
			CU_FAIL("an action is under way exactly in the states that say so");
		if (s->state == GV_MBOX_EXCLUSIVE && pf.holder != (int)i)
			CU_FAIL("only the holder is in exclusive access");
		if ((s->state == GV_MBOX_EXCLUSIVE || s->state == GV_MBOX_NOTIFY) !=
		    !!s->deadline_ns)
			CU_FAIL("whoever is waited for has a deadline");
	}
	if (exclusive > 1)
		CU_FAIL("one VF at a time");
	if (pf.holder < 0 && pf.queued)
		CU_FAIL("nobody waits for nothing");
}

static void any_order_of_events_keeps_the_promises(void)
{
	static const uint32_t codes[] = {1, 2, 3, 4, 5, 6, 7, 200, 201, 202, 203, 204, 300, 77, 0};
	uint64_t x = 0x9e3779b97f4a7c15ull;

	for (int round = 0; round < 40; round++) {
		begin(1 + (unsigned)round % 16, round % 2);
		pf.cfg.ras_telemetry = round % 3 == 0;
		for (int i = 0; i < 4000; i++) {
			unsigned vf;

			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			vf = (unsigned)(x >> 8) % pf.num_vfs;
			now += (x >> 40) % (400 * GV_MS);
			switch (x % 16) {
			case 0:
				gv_mbox_pf_reset(&pf, vf, (enum gv_mbox_reason)(x >> 16 & 7), now,
				                 &acts);
				break;
			case 1:
				gv_mbox_pf_tick(&pf, now, &acts);
				break;
			case 2:
				if (!(x >> 20 & 15))
					gv_mbox_pf_disable(&pf, vf, now, &acts);
				break;
			case 3:
				if (pf.vf[vf].state == GV_MBOX_OFF ||
				    pf.vf[vf].state == GV_MBOX_FAILED)
					gv_mbox_pf_enable(&pf, vf, now, &acts);
				break;
			case 4:
				gv_mbox_pf_acked(&pf, vf, now, &acts);
				break;
			case 5:
			case 6:
			case 7:
			case 8:
				if (pf.vf[vf].ticket)
					gv_mbox_pf_done(&pf, vf, pf.vf[vf].ticket,
					                x >> 24 & 7 ? 0 : -EIO, now, &acts);
				break;
			default:
				say(vf, codes[(x >> 32) % GV_ARRAY_LEN(codes)]);
				break;
			}
			check_promises();
		}
	}
}

UT_MAIN("mailbox PF end", UT(a_guest_lives_and_goes), UT(every_code_in_every_state),
        UT(unknown_and_unsupported_codes_are_acked_counted_and_change_nothing),
        UT(one_vf_at_a_time_has_exclusive_access_in_order_of_asking),
        UT(the_window_is_3000_ms_for_one_vf_and_1500_for_more),
        UT(who_keeps_exclusive_access_too_long_is_reset_and_the_next_gets_it),
        UT(a_running_guest_is_told_waited_for_and_reset),
        UT(a_reset_asked_for_meanwhile_comes_after_the_action),
        UT(pci_flr_is_followed_in_every_state_without_a_word),
        UT(a_guest_waiting_in_line_gets_its_answer_after_a_host_reset),
        UT(an_orphan_is_reset_before_the_new_guest_gets_it),
        UT(failures_of_the_pf_are_told_and_lead_to_a_known_state),
        UT(a_guest_that_wants_to_go_is_let_go_even_if_it_hangs),
        UT(ends_of_actions_that_are_not_under_way_are_ignored),
        UT(a_vf_that_vanishes_gives_its_place_to_the_next),
        UT(any_order_of_events_keeps_the_promises))
