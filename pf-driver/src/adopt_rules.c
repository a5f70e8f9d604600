/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is made of what the one before has left: pure. docs/restart.md has the tables. */
#include <string.h>

#include "adopt.h"
#include "pf.h"

static enum gv_mbox_access access_of(uint32_t req)
{
	switch (req) {
	case GV_MBOX_REQ_GPU_FINI_ACCESS:
	case GV_MBOX_REL_GPU_FINI_ACCESS:
		return GV_MBOX_ACCESS_FINI;
	case GV_MBOX_REQ_GPU_RESET_ACCESS:
		return GV_MBOX_ACCESS_RESET;
	default:
		return GV_MBOX_ACCESS_INIT;
	}
}

static bool is_release(uint32_t req)
{
	return req == GV_MBOX_REL_GPU_INIT_ACCESS || req == GV_MBOX_REL_GPU_FINI_ACCESS;
}

static struct gv_mbox_saved with(enum gv_mbox_state state, enum gv_mbox_access access,
                                 unsigned flags)
{
	return (struct gv_mbox_saved){
	        .state = (uint8_t)state, .access = (uint8_t)access, .flags = (uint8_t)flags};
}

/* What the guest asked for, and has our ACK for, will be asked for again when it is clean. */
struct gv_mbox_saved pf_session_cleaned(uint32_t asked)
{
	struct gv_mbox_saved s = with(GV_MBOX_RESET, GV_MBOX_ACCESS_NONE, 0);

	if (asked == GV_MBOX_REQ_GPU_INIT_DATA || asked == GV_MBOX_REQ_GPU_INIT_ACCESS ||
	    asked == GV_MBOX_REQ_GPU_RESET_ACCESS)
		s.pending.dw[0] = asked;
	return s;
}

/* All gates are open only in a window. READY is said again unless its ACK is there: a guest that
 * has heard it does not mind. */
static struct gv_mbox_saved in_window(uint32_t asked, uint32_t heard)
{
	struct gv_mbox_saved s =
	        with(is_release(asked) ? GV_MBOX_LEAVE : GV_MBOX_EXCLUSIVE, access_of(heard),
	             GV_MBOX_SAVED_HOLDER | GV_MBOX_SAVED_DATA_READY);

	if (asked && s.state == GV_MBOX_EXCLUSIVE) {
		s.sent = GV_MBOX_READY_TO_ACCESS_GPU;
		s.flags |= GV_MBOX_SAVED_SENT_VALID;
	}
	return s;
}

/* Frame buffer and doorbells are open, registers are not: it runs. */
static struct gv_mbox_saved running(uint32_t asked)
{
	struct gv_mbox_saved s;

	switch (asked) {
	case GV_MBOX_REQ_GPU_FINI_ACCESS:
	case GV_MBOX_REQ_GPU_RESET_ACCESS:
		return with(GV_MBOX_QUEUED, access_of(asked), GV_MBOX_SAVED_DATA_READY);
	case GV_MBOX_REQ_GPU_INIT_DATA:
		s = with(GV_MBOX_UPLOAD, GV_MBOX_ACCESS_NONE, 0);
		s.back = GV_MBOX_ACTIVE;
		return s;
	case GV_MBOX_REQ_GPU_INIT_ACCESS: /* a new guest on a VF that was never given back */
	case GV_MBOX_READY_TO_RESET:
		return pf_session_cleaned(asked);
	default:
		return with(GV_MBOX_ACTIVE, GV_MBOX_ACCESS_NONE, GV_MBOX_SAVED_DATA_READY);
	}
}

/* Only the frame buffer: it has, or gets, its exchange data, and may stand in the line. */
static struct gv_mbox_saved starting(uint32_t asked)
{
	struct gv_mbox_saved s = with(GV_MBOX_UPLOAD, GV_MBOX_ACCESS_NONE, 0);

	s.back = GV_MBOX_IDLE;
	if (asked == GV_MBOX_REQ_GPU_INIT_ACCESS || asked == GV_MBOX_REQ_GPU_RESET_ACCESS)
		return with(GV_MBOX_QUEUED, access_of(asked), 0);
	if (asked == GV_MBOX_REQ_GPU_INIT_DATA)
		return s;
	return with(GV_MBOX_IDLE, GV_MBOX_ACCESS_NONE, GV_MBOX_SAVED_DATA_READY);
}

void pf_session_rebuild(const struct pf_seen *seen, struct gv_mbox_saved *saved)
{
	/* What has no ACK yet will be read as if it came now. What was refused is over. */
	bool open = seen->heard_valid && !seen->heard_acked;
	bool refused = seen->said == GV_MBOX_FAIL;
	uint32_t asked = open || refused ? 0 : seen->heard;

	if (!asked && !refused)
		asked = seen->pending;

	if (seen->gates == PF_GATE_ALL)
		*saved = in_window(asked, seen->heard);
	else if (seen->gates == (PF_GATE_FB | PF_GATE_DOORBELL) &&
	         seen->said == GV_MBOX_FLR_NOTIFICATION)
		*saved = pf_session_cleaned(asked);
	else if (seen->gates == (PF_GATE_FB | PF_GATE_DOORBELL))
		*saved = running(asked);
	else if (seen->gates == PF_GATE_FB)
		*saved = starting(asked);
	else
		*saved = pf_session_cleaned(asked);
}

/* As gv_mbox_pf_reset() would, had it been heard in time. */
void pf_session_wiped(struct gv_mbox_saved *s)
{
	static const uint32_t ask_again[] = {
	        [GV_MBOX_ACCESS_INIT] = GV_MBOX_REQ_GPU_INIT_ACCESS,
	        [GV_MBOX_ACCESS_FINI] = GV_MBOX_REQ_GPU_FINI_ACCESS,
	        [GV_MBOX_ACCESS_RESET] = GV_MBOX_REQ_GPU_RESET_ACCESS,
	};
	bool loud = s->state == GV_MBOX_NOTIFY || s->state == GV_MBOX_ACTIVE ||
	            s->state == GV_MBOX_EXCLUSIVE || s->state == GV_MBOX_ENTER ||
	            s->state == GV_MBOX_LEAVE;

	if (s->state == GV_MBOX_OFF)
		return;
	if (s->state == GV_MBOX_QUEUED && s->access < GV_ARRAY_LEN(ask_again))
		s->pending = (struct gv_mbox_msg){{ask_again[s->access]}};
	if (s->state == GV_MBOX_UPLOAD)
		s->pending = (struct gv_mbox_msg){{GV_MBOX_REQ_GPU_INIT_DATA}};
	if (s->state != GV_MBOX_RESET) {
		s->reason = GV_MBOX_WHY_GPU_RESET;
		s->flags &= GV_MBOX_SAVED_HOLDER | GV_MBOX_SAVED_EXCUSE_REL;
		s->flags |= loud ? 0 : GV_MBOX_SAVED_QUIET;
	}
	s->flags &= (uint8_t) ~(GV_MBOX_SAVED_SENT_VALID | GV_MBOX_SAVED_RESET_ASKED);
	s->state = GV_MBOX_RESET;
	s->access = GV_MBOX_ACCESS_NONE;
	s->sent = 0;
}

enum pf_reconciled pf_reconcile(const struct pf_state *journal, const struct pf_state *record)
{
	if (!journal || journal->boot_id != record->boot_id ||
	    journal->generation < record->generation)
		return PF_JOURNAL_OLD;
	if (journal->generation == record->generation)
		return journal->changing == record->changing &&
		                       journal->has_plan == record->has_plan &&
		                       !memcmp(&journal->plan, &record->plan, sizeof(record->plan))
		               ? PF_SAME
		               : PF_NO_MATCH;
	/* The journal is written first: it may be one ahead, never more. */
	if (journal->generation != record->generation + 1)
		return PF_NO_MATCH;
	if (journal->changing)
		return record->changing ? PF_NO_MATCH : PF_NOT_BEGUN;
	return PF_FINISH;
}
