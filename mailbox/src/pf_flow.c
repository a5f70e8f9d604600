/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a session moves on: uploads, the line for exclusive access, resets, ends of actions. */
#include <assert.h>

#include "guard.h"
#include "pf.h"

struct gv_mbox_act *gv_mbox_emit(struct turn *t, enum gv_mbox_act_code code)
{
	struct gv_mbox_act *act;

	/* One event makes a handful of actions and gv_mbox_pf_tick() stops early, so the list never
	 * fills; were that wrong one day, the last action is lost, not memory of others. */
	assert(t->acts->count < GV_MBOX_MAX_ACTS);
	if (t->acts->count == GV_MBOX_MAX_ACTS)
		t->acts->count--;
	act = &t->acts->act[t->acts->count++];
	*act = (struct gv_mbox_act){.code = code, .vf = t->vf};
	return act;
}

void gv_mbox_emit_send(struct turn *t, struct gv_mbox_msg msg, bool valid)
{
	struct gv_mbox_act *act = gv_mbox_emit(t, GV_MBOX_ACT_SEND);

	act->msg = msg;
	act->valid = valid;
	t->s->sent = msg.dw[0];
	t->s->sent_valid = valid;
	t->s->stats.sent++;
}

uint32_t gv_mbox_new_ticket(struct gv_mbox_pf *pf)
{
	if (!++pf->last_ticket)
		++pf->last_ticket;
	return pf->last_ticket;
}

struct gv_mbox_act *gv_mbox_begin(struct turn *t, enum gv_mbox_act_code code,
                                  enum gv_mbox_state state)
{
	struct gv_mbox_act *act = gv_mbox_emit(t, code);

	t->s->state = state;
	t->s->deadline_ns = 0;
	t->s->ticket = gv_mbox_new_ticket(t->pf);
	act->ticket = t->s->ticket;
	act->access = t->s->access;
	return act;
}

void gv_mbox_begin_upload(struct turn *t, enum gv_mbox_state back)
{
	t->s->back = back;
	gv_mbox_begin(t, GV_MBOX_ACT_UPLOAD, GV_MBOX_UPLOAD);
}

void gv_mbox_send_ready(struct turn *t)
{
	/* DW2 is the checksum key: 0, because the guest reads it after its ACK has cleared it */
	gv_mbox_emit_send(t, (struct gv_mbox_msg){{GV_MBOX_READY_TO_ACCESS_GPU}}, true);
}

/* ---- the line for exclusive access ------------------------------------------ */
void gv_mbox_begin_wait(struct turn *t, enum gv_mbox_access access)
{
	t->s->access = access;
	t->s->state = GV_MBOX_QUEUED;
	t->s->excuse_rel = false;
	if (access == GV_MBOX_ACCESS_RESET)
		t->s->data_ready = false; /* the guest may have lost its frame buffer */
	t->pf->queue[t->pf->queued++] = (uint8_t)t->vf;
	gv_mbox_grant(t);
}

static void leave_queue(struct gv_mbox_pf *pf, unsigned vf)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < pf->queued; i++)
		if (pf->queue[i] != vf)
			pf->queue[kept++] = pf->queue[i];
	pf->queued = kept;
}

void gv_mbox_give_up(struct turn *t)
{
	leave_queue(t->pf, t->vf);
	if (t->pf->holder == (int)t->vf)
		t->pf->holder = -1;
}

void gv_mbox_grant(struct turn *t)
{
	struct turn next = *t;

	if (t->pf->holder >= 0 || !t->pf->queued)
		return;
	next.vf = t->pf->queue[0];
	next.s = &t->pf->vf[next.vf];
	leave_queue(t->pf, next.vf);
	t->pf->holder = (int)next.vf;
	next.s->stats.excl_grants++;
	if (next.s->access != GV_MBOX_ACCESS_FINI && !next.s->data_ready)
		gv_mbox_begin_upload(&next, GV_MBOX_ENTER);
	else
		gv_mbox_begin(&next, GV_MBOX_ACT_ENTER, GV_MBOX_ENTER);
}

void gv_mbox_begin_leave(struct turn *t)
{
	gv_mbox_begin(t, GV_MBOX_ACT_LEAVE, GV_MBOX_LEAVE);
}

/* ---- resets ------------------------------------------------------------------ */
static bool guests_fault(enum gv_mbox_reason reason)
{
	return reason != GV_MBOX_WHY_HOST && reason != GV_MBOX_WHY_PCI_FLR &&
	       reason != GV_MBOX_WHY_ENTER_FAILED && reason != GV_MBOX_WHY_GPU_RESET;
}

/* Exclusive access stays taken until the reset is done: nobody shares the GPU with a VF that
 * did not let go of it. */
void gv_mbox_begin_reset(struct turn *t, enum gv_mbox_reason reason, bool quiet)
{
	leave_queue(t->pf, t->vf);
	if (guests_fault(reason))
		gv_mbox_guard_add(&t->s->guard[GV_MBOX_GUARD_RESET],
		                  &t->pf->cfg.guard[GV_MBOX_GUARD_RESET], t->now_ns);
	t->s->stats.resets++;
	t->s->access = GV_MBOX_ACCESS_NONE;
	t->s->reason = reason;
	t->s->quiet = quiet;
	t->s->reset_asked = false;
	t->s->data_ready = false;
	t->s->alive_ns = 0;
	t->s->ras_ticket = 0;
	gv_mbox_begin(t, GV_MBOX_ACT_RESET, GV_MBOX_RESET)->reason = reason;
}

/* What a guest in the line polls for will be asked for again once the reset is done. */
static void ask_again_later(struct gv_mbox_session *s)
{
	static const uint32_t code[] = {
	        [GV_MBOX_ACCESS_INIT] = GV_MBOX_REQ_GPU_INIT_ACCESS,
	        [GV_MBOX_ACCESS_FINI] = GV_MBOX_REQ_GPU_FINI_ACCESS,
	        [GV_MBOX_ACCESS_RESET] = GV_MBOX_REQ_GPU_RESET_ACCESS,
	};

	s->pending = (struct gv_mbox_msg){{code[s->access]}};
}

void gv_mbox_wait_for_ready(struct turn *t)
{
	uint32_t ms = t->s->reason == GV_MBOX_WHY_GPU_RESET ? t->pf->cfg.gpu_notify_ms
	                                                    : t->pf->cfg.notify_ms;

	t->s->deadline_ns = t->now_ns + ms * GV_MS;
}

void gv_mbox_announce_reset(struct turn *t, enum gv_mbox_reason reason)
{
	static const struct gv_mbox_msg notification = {{GV_MBOX_FLR_NOTIFICATION}};

	switch (t->s->state) {
	case GV_MBOX_ACTIVE:
		gv_mbox_emit_send(t, notification, true);
		t->s->state = GV_MBOX_NOTIFY;
		t->s->reason = reason;
		gv_mbox_wait_for_ready(t);
		break;
	case GV_MBOX_QUEUED:
		ask_again_later(t->s);
		gv_mbox_begin_reset(t, reason, true);
		break;
	case GV_MBOX_EXCLUSIVE:
	case GV_MBOX_ENTER:
		/* a guest that initialises ignores the interrupt: no VALID, no wait */
		gv_mbox_emit_send(t, notification, false);
		gv_mbox_begin_reset(t, reason, false);
		break;
	default:
		gv_mbox_begin_reset(t, reason, true);
		break;
	}
}

/* ---- ends of actions --------------------------------------------------------- */
static void upload_failed(struct turn *t)
{
	static const struct gv_mbox_msg request = {{GV_MBOX_REQ_GPU_INIT_DATA}};

	gv_mbox_emit_send(t, (struct gv_mbox_msg){{GV_MBOX_FAIL}}, true);
	gv_mbox_report(t, GV_MBOX_BAD_UPLOAD, &request);
}

static void upload_ended(struct turn *t, int result)
{
	t->s->data_ready = !result;
	if (result && t->s->back == GV_MBOX_ENTER) {
		upload_failed(t);
		gv_mbox_begin_reset(t, GV_MBOX_WHY_ENTER_FAILED, true);
		return;
	}
	if (t->s->back == GV_MBOX_ENTER) {
		gv_mbox_begin(t, GV_MBOX_ACT_ENTER, GV_MBOX_ENTER);
		return;
	}
	t->s->state = t->s->back;
	if (result) {
		upload_failed(t);
		return;
	}
	gv_mbox_emit_send(
	        t, (struct gv_mbox_msg){{GV_MBOX_GPU_INIT_DATA_READY, GV_MBOX_INIT_DATA_VERSION}},
	        true);
}

static void enter_ended(struct turn *t, int result)
{
	if (!result) {
		t->s->state = GV_MBOX_EXCLUSIVE;
		t->s->deadline_ns = t->now_ns + gv_mbox_pf_exclusive_ms(t->pf) * GV_MS;
		gv_mbox_send_ready(t);
		return;
	}
	if (t->s->access != GV_MBOX_ACCESS_FINI) {
		gv_mbox_announce_reset(t, GV_MBOX_WHY_ENTER_FAILED);
		return;
	}
	/* It wants to go: let it, without access. Nothing may replace this READY. */
	gv_mbox_send_ready(t);
	gv_mbox_begin_reset(t, GV_MBOX_WHY_ENTER_FAILED, true);
	t->s->excuse_rel = true;
}

static void leave_ended(struct turn *t, int result)
{
	bool fini = t->s->access == GV_MBOX_ACCESS_FINI;
	bool no_queues = !fini && result == -ENOENT;

	if (result && fini) {
		gv_mbox_begin_reset(t, GV_MBOX_WHY_LEAVE_FAILED, true);
		return;
	}
	t->s->access = GV_MBOX_ACCESS_NONE;
	t->s->state = fini || no_queues ? GV_MBOX_IDLE : GV_MBOX_ACTIVE;
	if (result && !no_queues) {
		gv_mbox_announce_reset(t, GV_MBOX_WHY_LEAVE_FAILED); /* keeps exclusive access */
		return;
	}
	gv_mbox_give_up(t);
	if (fini)
		t->s->data_ready = false;
	else if (!no_queues)
		gv_mbox_emit(t, GV_MBOX_ACT_READ_VF2PF);
}

static void reset_ended(struct turn *t, int result)
{
	gv_mbox_give_up(t);
	t->s->reset_asked = false;
	if (result) {
		t->s->state = GV_MBOX_FAILED;
		t->s->stats.reset_failures++;
		t->s->pending = (struct gv_mbox_msg){{0}};
		gv_mbox_emit(t, GV_MBOX_ACT_GPU_RESET)->reason = t->s->reason;
		return;
	}
	t->s->state = GV_MBOX_IDLE;
	if (!t->s->quiet)
		gv_mbox_emit_send(t, (struct gv_mbox_msg){{GV_MBOX_FLR_NOTIFICATION_CMPL}}, false);
}

/* A reset that was asked for while an action was under way. */
static void reset_now(struct turn *t)
{
	enum gv_mbox_reason reason = t->s->asked_reason;

	t->s->reset_asked = false;
	if (t->s->asked_quiet)
		gv_mbox_begin_reset(t, reason, true);
	else if (t->s->state != GV_MBOX_NOTIFY)
		gv_mbox_announce_reset(t, reason);
}

static void take_pending(struct turn *t)
{
	struct gv_mbox_msg msg = t->s->pending;

	if (!msg.dw[0] || t->s->ticket || t->s->state == GV_MBOX_NOTIFY)
		return;
	t->s->pending = (struct gv_mbox_msg){{0}};
	gv_mbox_apply_rule(t, &msg);
}

void gv_mbox_action_ended(struct turn *t, int result)
{
	t->s->ticket = 0;
	if (t->s->reset_asked && (t->s->state == GV_MBOX_UPLOAD || t->s->state == GV_MBOX_ENTER)) {
		if (t->s->state == GV_MBOX_UPLOAD && t->s->back != GV_MBOX_ENTER)
			t->s->state = t->s->back;
		else
			t->s->state = GV_MBOX_ENTER;
		reset_now(t);
		return;
	}
	if (t->s->state == GV_MBOX_UPLOAD)
		upload_ended(t, result);
	else if (t->s->state == GV_MBOX_ENTER)
		enter_ended(t, result);
	else if (t->s->state == GV_MBOX_LEAVE)
		leave_ended(t, result);
	else if (t->s->state == GV_MBOX_RESET)
		reset_ended(t, result);
	if (t->s->reset_asked && !t->s->ticket)
		reset_now(t);
	take_pending(t);
	gv_mbox_grant(t);
}
