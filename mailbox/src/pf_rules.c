/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a message of a VF means in each state. Order of the PF's work: docs/mailbox.md. */
#include "guard.h"
#include "pf.h"

/* The moves that a message can cause; the session's states are drawn in <gv/mailbox.h>.
 *
 *   UP    write exchange data, answer 7            ASK   stand in line for exclusive access
 *   ORPH  the last guest never gave the VF back:   SAME  the same request again: in the line it
 *         reset it, then ASK                             stays, with access READY once more
 *   HOLD  keep it until the action has ended       END   give exclusive access back, if it pairs
 *   LATE  already clean: CMPL at once              FLR   the guest asks to be reset
 *   GO    it is ready for the reset we announced   CMPL  is being reset: announce the end
 *   no    ACK, count, say FAIL to whoever waits    off   not even ACKed
 */
enum rule { no, off, UP, ASK, ORPH, SAME, HOLD, END, LATE, FLR, GO, CMPL };

enum column { INIT_DATA, REQ_INIT, REQ_FINI, REQ_RESET, REL_INIT, REL_FINI, TO_RESET, COLUMNS };

/* clang-format off */
static const uint8_t rules[GV_MBOX_STATES][COLUMNS] = {
	/*                     6     1     3     5     2    4    201 */
	[GV_MBOX_OFF]       = {off,  off,  off,  off,  off, off, off },
	[GV_MBOX_IDLE]      = {UP,   ASK,  no,   ASK,  no,  no,  LATE},
	[GV_MBOX_UPLOAD]    = {HOLD, HOLD, HOLD, HOLD, no,  no,  HOLD},
	[GV_MBOX_QUEUED]    = {no,   SAME, SAME, SAME, no,  no,  FLR },
	[GV_MBOX_ENTER]     = {HOLD, HOLD, HOLD, HOLD, no,  no,  HOLD},
	[GV_MBOX_EXCLUSIVE] = {no,   SAME, SAME, SAME, END, END, FLR },
	[GV_MBOX_LEAVE]     = {HOLD, HOLD, HOLD, HOLD, no,  no,  HOLD},
	[GV_MBOX_ACTIVE]    = {UP,   ORPH, ASK,  ASK,  no,  no,  FLR },
	[GV_MBOX_NOTIFY]    = {HOLD, HOLD, HOLD, HOLD, no,  no,  GO  },
	[GV_MBOX_RESET]     = {HOLD, HOLD, HOLD, HOLD, no,  no,  CMPL},
	[GV_MBOX_FAILED]    = {no,   no,   no,   no,   no,  no,  no  },
};
/* clang-format on */

static int column_of(uint32_t code)
{
	static const uint32_t codes[COLUMNS] = {
	        [INIT_DATA] = GV_MBOX_REQ_GPU_INIT_DATA,
	        [REQ_INIT] = GV_MBOX_REQ_GPU_INIT_ACCESS,
	        [REQ_FINI] = GV_MBOX_REQ_GPU_FINI_ACCESS,
	        [REQ_RESET] = GV_MBOX_REQ_GPU_RESET_ACCESS,
	        [REL_INIT] = GV_MBOX_REL_GPU_INIT_ACCESS,
	        [REL_FINI] = GV_MBOX_REL_GPU_FINI_ACCESS,
	        [TO_RESET] = GV_MBOX_READY_TO_RESET,
	};

	for (int i = 0; i < COLUMNS; i++)
		if (codes[i] == code)
			return i;
	return -1;
}

static enum gv_mbox_access access_of(uint32_t code)
{
	switch (code) {
	case GV_MBOX_REQ_GPU_INIT_ACCESS:
		return GV_MBOX_ACCESS_INIT;
	case GV_MBOX_REQ_GPU_FINI_ACCESS:
		return GV_MBOX_ACCESS_FINI;
	case GV_MBOX_REQ_GPU_RESET_ACCESS:
		return GV_MBOX_ACCESS_RESET;
	default:
		return GV_MBOX_ACCESS_NONE;
	}
}

void gv_mbox_report(struct turn *t, enum gv_mbox_report report, const struct gv_mbox_msg *msg)
{
	struct gv_mbox_act *act = gv_mbox_emit(t, GV_MBOX_ACT_REPORT);

	act->report = report;
	act->msg = *msg;
}

/* Say FAIL to a guest that would wait for an answer; one that waits for the ACK only has it. */
static void refuse(struct turn *t, enum gv_mbox_report report, const struct gv_mbox_msg *msg)
{
	if (gv_mbox_reply_of(msg->dw[0]))
		gv_mbox_emit_send(t, (struct gv_mbox_msg){{GV_MBOX_FAIL}}, true);
	gv_mbox_report(t, report, msg);
}

static void refuse_state(struct turn *t, const struct gv_mbox_msg *msg)
{
	t->s->stats.refused++;
	refuse(t, GV_MBOX_BAD_STATE, msg);
}

static bool room(struct turn *t, enum gv_mbox_guard_kind kind)
{
	return gv_mbox_guard_room(&t->s->guard[kind], &t->pf->cfg.guard[kind], t->now_ns);
}

static void refuse_limit(struct turn *t, enum gv_mbox_guard_kind kind,
                         const struct gv_mbox_msg *msg)
{
	t->s->stats.limited++;
	refuse(t, GV_MBOX_BAD_LIMIT, msg);
	gv_mbox_emit(t, GV_MBOX_ACT_GUARD)->guard = kind;
}

/* The first limit that @access would pass; GV_MBOX_GUARDS: none. */
static enum gv_mbox_guard_kind limit_of(struct turn *t, enum gv_mbox_access access)
{
	static const enum gv_mbox_guard_kind kinds[] = {
	        GV_MBOX_GUARD_EXCLUSIVE, GV_MBOX_GUARD_EXCL_TIMEOUT, GV_MBOX_GUARD_RESET};

	for (size_t i = 0; i < GV_ARRAY_LEN(kinds); i++) {
		/* A guest that keeps hanging must still be able to leave. */
		if (access == GV_MBOX_ACCESS_FINI && kinds[i] != GV_MBOX_GUARD_EXCLUSIVE)
			continue;
		if (!room(t, kinds[i]))
			return kinds[i];
	}
	return GV_MBOX_GUARDS;
}

static void ask(struct turn *t, const struct gv_mbox_msg *msg)
{
	enum gv_mbox_access access = access_of(msg->dw[0]);
	enum gv_mbox_guard_kind over = limit_of(t, access);

	if (over != GV_MBOX_GUARDS) {
		refuse_limit(t, over, msg);
		return;
	}
	gv_mbox_guard_add(&t->s->guard[GV_MBOX_GUARD_EXCLUSIVE],
	                  &t->pf->cfg.guard[GV_MBOX_GUARD_EXCLUSIVE], t->now_ns);
	gv_mbox_begin_wait(t, access);
}

/* The reset is not announced (the new guest polls for READY), the request waits for its end. */
static void replace_orphan(struct turn *t, const struct gv_mbox_msg *msg)
{
	if (!room(t, GV_MBOX_GUARD_RESET)) {
		refuse_limit(t, GV_MBOX_GUARD_RESET, msg);
		return;
	}
	t->s->pending = *msg;
	gv_mbox_begin_reset(t, GV_MBOX_WHY_ORPHAN, true);
}

static void repeat(struct turn *t, const struct gv_mbox_msg *msg)
{
	if (access_of(msg->dw[0]) != t->s->access) {
		refuse_state(t, msg);
		return;
	}
	t->s->stats.repeated++;
	if (t->s->state == GV_MBOX_EXCLUSIVE)
		gv_mbox_send_ready(t); /* the window does not get longer by asking twice */
}

static void release(struct turn *t, const struct gv_mbox_msg *msg)
{
	bool fini = t->s->access == GV_MBOX_ACCESS_FINI;

	if (fini != (msg->dw[0] == GV_MBOX_REL_GPU_FINI_ACCESS)) {
		refuse_state(t, msg);
		return;
	}
	gv_mbox_begin_leave(t);
}

static void hold(struct turn *t, const struct gv_mbox_msg *msg)
{
	if (t->s->pending.dw[0])
		t->s->stats.repeated++;
	t->s->pending = *msg;
}

static void refuse_rule(struct turn *t, const struct gv_mbox_msg *msg)
{
	if (t->s->excuse_rel && msg->dw[0] == GV_MBOX_REL_GPU_FINI_ACCESS) {
		t->s->excuse_rel = false;
		return;
	}
	refuse_state(t, msg);
}

static void send_cmpl(struct turn *t)
{
	gv_mbox_emit_send(t, (struct gv_mbox_msg){{GV_MBOX_FLR_NOTIFICATION_CMPL}}, false);
}

static void follow(struct turn *t, enum rule rule, const struct gv_mbox_msg *msg)
{
	switch (rule) {
	case UP:
		gv_mbox_begin_upload(t, t->s->state);
		break;
	case ASK:
		ask(t, msg);
		break;
	case ORPH:
		replace_orphan(t, msg);
		break;
	case SAME:
		repeat(t, msg);
		break;
	case HOLD:
		hold(t, msg);
		break;
	case END:
		release(t, msg);
		break;
	case LATE:
		send_cmpl(t);
		break;
	case FLR:
		gv_mbox_begin_reset(t, GV_MBOX_WHY_GUEST, false);
		break;
	case GO:
		gv_mbox_begin_reset(t, t->s->reason, false);
		break;
	case CMPL:
		t->s->quiet = false;
		break;
	case no:
	case off:
		refuse_rule(t, msg);
		break;
	}
}

/* ---- messages that do not depend on the state ------------------------------ */
static void log_vf_error(struct turn *t, const struct gv_mbox_msg *msg)
{
	struct gv_mbox_vf_error error;

	if (gv_mbox_vf_error_parse(msg, &error)) {
		t->s->stats.bad_categories++;
		gv_mbox_report(t, GV_MBOX_BAD_CATEGORY, msg);
		return;
	}
	t->s->stats.vf_errors++;
	gv_mbox_emit(t, GV_MBOX_ACT_VF_ERROR)->error = error;
}

static void ras(struct turn *t, const struct gv_mbox_msg *msg)
{
	bool poison = msg->dw[0] == GV_MBOX_RAS_POISON;
	bool runs = t->s->state == GV_MBOX_ACTIVE || (poison && t->s->state == GV_MBOX_EXCLUSIVE);

	if (!poison && !t->pf->cfg.ras_telemetry) {
		t->s->stats.unsupported++;
		refuse(t, GV_MBOX_BAD_UNSUPPORTED, msg);
		return;
	}
	if (!runs || (!poison && t->s->ras_ticket)) {
		refuse_state(t, msg);
		return;
	}
	if (!room(t, GV_MBOX_GUARD_RAS)) {
		refuse_limit(t, GV_MBOX_GUARD_RAS, msg);
		return;
	}
	gv_mbox_guard_add(&t->s->guard[GV_MBOX_GUARD_RAS], &t->pf->cfg.guard[GV_MBOX_GUARD_RAS],
	                  t->now_ns);
	if (poison) {
		gv_mbox_emit(t, GV_MBOX_ACT_RAS_POISON)->msg = *msg;
		gv_mbox_emit_send(t, (struct gv_mbox_msg){{GV_MBOX_RAS_POISON_READY}}, true);
		return;
	}
	t->s->ras_code = msg->dw[0];
	t->s->ras_ticket = gv_mbox_new_ticket(t->pf);

	struct gv_mbox_act *act = gv_mbox_emit(t, GV_MBOX_ACT_RAS);

	act->ticket = t->s->ras_ticket;
	act->msg = *msg;
}

void gv_mbox_apply_rule(struct turn *t, const struct gv_mbox_msg *msg)
{
	int column = column_of(msg->dw[0]);

	if (column >= 0) {
		follow(t, (enum rule)rules[t->s->state][column], msg);
		return;
	}
	switch (msg->dw[0]) {
	case GV_MBOX_LOG_VF_ERROR:
		log_vf_error(t, msg);
		break;
	case GV_MBOX_RAS_POISON:
	case GV_MBOX_RAS_ERROR_COUNT:
	case GV_MBOX_RAS_CPER_DUMP:
		ras(t, msg);
		break;
	case GV_MBOX_PSP_VF_CMD_RELAY:
	case GV_MBOX_REQ_GPU_DEBUG: /* only for a host that debugs several VFs at once */
	case GV_MBOX_REL_GPU_DEBUG:
		t->s->stats.unsupported++;
		refuse(t, GV_MBOX_BAD_UNSUPPORTED, msg);
		break;
	default:
		t->s->stats.unknown++;
		gv_mbox_report(t, GV_MBOX_BAD_UNKNOWN, msg);
		break;
	}
}
