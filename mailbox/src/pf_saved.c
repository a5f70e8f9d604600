/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions of a PF whose program is replaced by another: what is kept, and how they go on. */
#include <string.h>

#include "pf.h"

static uint8_t flags_of(const struct gv_mbox_pf *pf, unsigned vf)
{
	const struct gv_mbox_session *s = &pf->vf[vf];

	return (uint8_t)((s->data_ready ? GV_MBOX_SAVED_DATA_READY : 0) |
	                 (s->quiet ? GV_MBOX_SAVED_QUIET : 0) |
	                 (s->reset_asked ? GV_MBOX_SAVED_RESET_ASKED : 0) |
	                 (s->asked_quiet ? GV_MBOX_SAVED_ASKED_QUIET : 0) |
	                 (s->excuse_rel ? GV_MBOX_SAVED_EXCUSE_REL : 0) |
	                 (s->sent_valid ? GV_MBOX_SAVED_SENT_VALID : 0) |
	                 (pf->holder == (int)vf ? GV_MBOX_SAVED_HOLDER : 0));
}

int gv_mbox_pf_save(const struct gv_mbox_pf *pf, unsigned vf, struct gv_mbox_saved *saved)
{
	const struct gv_mbox_session *s;

	if (vf >= pf->num_vfs)
		return -EINVAL;
	s = &pf->vf[vf];
	*saved = (struct gv_mbox_saved){.state = (uint8_t)s->state,
	                                .back = (uint8_t)s->back,
	                                .access = (uint8_t)s->access,
	                                .reason = (uint8_t)s->reason,
	                                .asked_reason = (uint8_t)s->asked_reason,
	                                .flags = flags_of(pf, vf),
	                                .sent = s->sent,
	                                .pending = s->pending};
	return 0;
}

/* Who is in one of these has exclusive access; who is being reset may. */
static bool holds(const struct gv_mbox_saved *s)
{
	return s->state == GV_MBOX_ENTER || s->state == GV_MBOX_EXCLUSIVE ||
	       s->state == GV_MBOX_LEAVE ||
	       (s->state == GV_MBOX_UPLOAD && s->back == GV_MBOX_ENTER);
}

static bool may_hold(const struct gv_mbox_saved *s)
{
	return holds(s) || s->state == GV_MBOX_RESET || s->state == GV_MBOX_NOTIFY;
}

static bool is_possible(const struct gv_mbox_saved *s)
{
	bool waits = s->state == GV_MBOX_QUEUED;
	bool back =
	        s->back == GV_MBOX_IDLE || s->back == GV_MBOX_ACTIVE || s->back == GV_MBOX_ENTER;

	if (s->state >= GV_MBOX_STATES || s->access > GV_MBOX_ACCESS_RESET ||
	    s->reason >= GV_MBOX_REASONS || s->asked_reason >= GV_MBOX_REASONS ||
	    s->flags & ~GV_MBOX_SAVED_FLAGS)
		return false;
	if (s->state == GV_MBOX_UPLOAD && !back)
		return false;
	if ((holds(s) || waits) && s->access == GV_MBOX_ACCESS_NONE)
		return false;
	return s->flags & GV_MBOX_SAVED_HOLDER ? may_hold(s) : !holds(s);
}

int gv_mbox_pf_restore(struct gv_mbox_pf *pf, unsigned vf, const struct gv_mbox_saved *saved)
{
	struct gv_mbox_session *s;

	if (vf >= pf->num_vfs || !is_possible(saved) ||
	    (saved->flags & GV_MBOX_SAVED_HOLDER && pf->holder >= 0))
		return -EINVAL;
	s = &pf->vf[vf];
	memset(s, 0, sizeof(*s));
	s->state = (enum gv_mbox_state)saved->state;
	s->back = (enum gv_mbox_state)saved->back;
	s->access = (enum gv_mbox_access)saved->access;
	s->reason = (enum gv_mbox_reason)saved->reason;
	s->asked_reason = (enum gv_mbox_reason)saved->asked_reason;
	s->data_ready = saved->flags & GV_MBOX_SAVED_DATA_READY;
	s->quiet = saved->flags & GV_MBOX_SAVED_QUIET;
	s->reset_asked = saved->flags & GV_MBOX_SAVED_RESET_ASKED;
	s->asked_quiet = saved->flags & GV_MBOX_SAVED_ASKED_QUIET;
	s->excuse_rel = saved->flags & GV_MBOX_SAVED_EXCUSE_REL;
	s->sent_valid = saved->flags & GV_MBOX_SAVED_SENT_VALID;
	s->sent = saved->sent;
	s->pending = saved->pending;
	if (saved->flags & GV_MBOX_SAVED_HOLDER)
		pf->holder = (int)vf;
	if (s->state == GV_MBOX_QUEUED)
		pf->queue[pf->queued++] = (uint8_t)vf;
	return 0;
}

int gv_mbox_pf_resume(struct gv_mbox_pf *pf, unsigned vf, uint64_t now_ns,
                      struct gv_mbox_acts *acts)
{
	struct turn t = {pf, vf, &pf->vf[vf < pf->num_vfs ? vf : 0], now_ns, acts};

	acts->count = 0;
	if (vf >= pf->num_vfs)
		return -EINVAL;
	switch (t.s->state) {
	case GV_MBOX_UPLOAD:
		gv_mbox_begin_upload(&t, t.s->back);
		break;
	case GV_MBOX_ENTER:
		gv_mbox_begin(&t, GV_MBOX_ACT_ENTER, GV_MBOX_ENTER);
		break;
	case GV_MBOX_EXCLUSIVE:
		t.s->deadline_ns = now_ns + gv_mbox_pf_exclusive_ms(pf) * GV_MS;
		break;
	case GV_MBOX_LEAVE:
		gv_mbox_begin_leave(&t);
		break;
	case GV_MBOX_NOTIFY:
		gv_mbox_wait_for_ready(&t);
		break;
	case GV_MBOX_RESET:
		gv_mbox_begin(&t, GV_MBOX_ACT_RESET, GV_MBOX_RESET)->reason = t.s->reason;
		break;
	case GV_MBOX_QUEUED:
	case GV_MBOX_OFF:
	case GV_MBOX_IDLE:
	case GV_MBOX_ACTIVE:
	case GV_MBOX_FAILED:
	case GV_MBOX_STATES:
		break;
	}
	gv_mbox_grant(&t);
	return 0;
}
