/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PF end without a GPU: what it is told, and what it wants done. */
#ifndef GV_MBOX_PF_RIG_H
#define GV_MBOX_PF_RIG_H

#include <gv/mailbox.h>
#include <ut.h>

static struct gv_mbox_pf pf;
static struct gv_mbox_acts acts;
static uint64_t now;

static inline void begin(unsigned vfs, bool guards)
{
	struct gv_mbox_pf_cfg cfg = {
	        .guard_off = !guards,
	        .guard = {[GV_MBOX_GUARD_MSG] = {500, 1000},
	                  [GV_MBOX_GUARD_EXCLUSIVE] = {200, 1000},
	                  [GV_MBOX_GUARD_EXCL_TIMEOUT] = {4, 60000},
	                  [GV_MBOX_GUARD_RESET] = {120, 60000},
	                  [GV_MBOX_GUARD_RAS] = gv_mbox_guard_defaults[GV_MBOX_GUARD_RAS]}};

	now = GV_S;
	CU_ASSERT_EQUAL_FATAL(gv_mbox_pf_init(&pf, vfs, &cfg), 0);
	for (unsigned i = 0; i < vfs; i++)
		CU_ASSERT_EQUAL(gv_mbox_pf_enable(&pf, i, now, &acts), 0);
}

static inline void say(unsigned vf, uint32_t code)
{
	struct gv_mbox_msg msg = {{code, 11, 22, 33}};

	CU_ASSERT_EQUAL(gv_mbox_pf_message(&pf, vf, &msg, now, &acts), 0);
}

static inline const struct gv_mbox_act *find(enum gv_mbox_act_code code, unsigned vf)
{
	for (unsigned i = 0; i < acts.count; i++)
		if (acts.act[i].code == code && acts.act[i].vf == vf)
			return &acts.act[i];
	return NULL;
}

static inline bool did(enum gv_mbox_act_code code, unsigned vf)
{
	return find(code, vf) != NULL;
}

/* Code of the message that was sent last, -1 none. */
static inline int sent(unsigned vf, bool *valid)
{
	int code = -1;

	for (unsigned i = 0; i < acts.count; i++)
		if (acts.act[i].code == GV_MBOX_ACT_SEND && acts.act[i].vf == vf) {
			code = (int)acts.act[i].msg.dw[0];
			if (valid)
				*valid = acts.act[i].valid;
		}
	return code;
}

static inline void done(unsigned vf, int result)
{
	uint32_t ticket = pf.vf[vf].ticket;

	CU_ASSERT_NOT_EQUAL(ticket, 0);
	CU_ASSERT_EQUAL(gv_mbox_pf_done(&pf, vf, ticket, result, now, &acts), 0);
}

static inline enum gv_mbox_state state(unsigned vf)
{
	return pf.vf[vf].state;
}

static inline void reset(unsigned vf, enum gv_mbox_reason reason)
{
	CU_ASSERT_EQUAL(gv_mbox_pf_reset(&pf, vf, reason, now, &acts), 0);
}

/* Bring VF0 (of two) into @want by legal messages only; VF1 serves to hold exclusive access. */
static inline void reach(enum gv_mbox_state want)
{
	begin(2, false);
	switch (want) {
	case GV_MBOX_OFF:
		gv_mbox_pf_disable(&pf, 0, now, &acts);
		break;
	case GV_MBOX_IDLE:
		break;
	case GV_MBOX_UPLOAD:
		say(0, 6);
		break;
	case GV_MBOX_QUEUED:
		say(1, 1);
		say(0, 1);
		break;
	default:
		say(0, 1);
		done(0, 0);
		if (want == GV_MBOX_ENTER)
			break;
		done(0, 0);
		if (want == GV_MBOX_EXCLUSIVE)
			break;
		say(0, 2);
		if (want == GV_MBOX_LEAVE)
			break;
		done(0, 0);
		if (want == GV_MBOX_ACTIVE)
			break;
		reset(0, GV_MBOX_WHY_HOST);
		if (want == GV_MBOX_NOTIFY)
			break;
		say(0, 201);
		if (want == GV_MBOX_RESET)
			break;
		done(0, -EIO);
	}
	CU_ASSERT_EQUAL(state(0), want);
}

#endif
