/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside of the PF end: what one call works on, and the moves that several files make. */
#ifndef GV_MBOX_PF_H
#define GV_MBOX_PF_H

#include <gv/mailbox.h>

/* One event of one VF, and the list that its actions go to. */
struct turn {
	struct gv_mbox_pf *pf;
	unsigned vf;
	struct gv_mbox_session *s;
	uint64_t now_ns;
	struct gv_mbox_acts *acts;
};

static inline bool busy(enum gv_mbox_state state)
{
	return state == GV_MBOX_UPLOAD || state == GV_MBOX_ENTER || state == GV_MBOX_LEAVE;
}

/* pf_flow.c */
struct gv_mbox_act *gv_mbox_emit(struct turn *t, enum gv_mbox_act_code code);
void gv_mbox_emit_send(struct turn *t, struct gv_mbox_msg msg, bool valid);
/** An action with a ticket; the session is in @state until it has ended. */
struct gv_mbox_act *gv_mbox_begin(struct turn *t, enum gv_mbox_act_code code,
                                  enum gv_mbox_state state);
uint32_t gv_mbox_new_ticket(struct gv_mbox_pf *pf);
/** Write exchange data, then go on to @back. */
void gv_mbox_begin_upload(struct turn *t, enum gv_mbox_state back);
/** Stand in line for exclusive access. */
void gv_mbox_begin_wait(struct turn *t, enum gv_mbox_access access);
void gv_mbox_begin_leave(struct turn *t);
void gv_mbox_begin_reset(struct turn *t, enum gv_mbox_reason reason, bool quiet);
/** Tell the guest first, as far as its state makes sense of it; then reset. */
void gv_mbox_announce_reset(struct turn *t, enum gv_mbox_reason reason);
/** A guest that was told, now or by the program before, has so long from now on. */
void gv_mbox_wait_for_ready(struct turn *t);
/** Leave the line and give up exclusive access. */
void gv_mbox_give_up(struct turn *t);
/** Let the next in line have exclusive access, if nobody has it. */
void gv_mbox_grant(struct turn *t);
void gv_mbox_action_ended(struct turn *t, int result);
void gv_mbox_send_ready(struct turn *t);

/* pf_rules.c */
void gv_mbox_apply_rule(struct turn *t, const struct gv_mbox_msg *msg);
void gv_mbox_report(struct turn *t, enum gv_mbox_report report, const struct gv_mbox_msg *msg);

#endif
