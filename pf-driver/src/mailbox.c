/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PF's side of the mailbox registers. One thread, so MAILBOX_INDEX is ours. */
#include "adopt.h"
#include "pf.h"

#define CONTROL_TRN BIF_BX_PF0_MAILBOX_CONTROL__BYTE       /* byte with TRN_VALID */
#define CONTROL_RCV (BIF_BX_PF0_MAILBOX_CONTROL__BYTE + 1) /* byte with RCV_ACK */
#define RCV_BYTE(field)                                                                            \
	(uint8_t)(GV_PUT(BIF_BX_PF0_MAILBOX_CONTROL, field, 1) >>                                  \
	          BIF_BX_PF0_MAILBOX_CONTROL__RCV_MSG_VALID__LO)

static const uint32_t trn[4] = {
        BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW0__BYTE, BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW1__BYTE,
        BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW2__BYTE, BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW3__BYTE};
static const uint32_t rcv[4] = {
        BIF_BX_PF0_MAILBOX_MSGBUF_RCV_DW0__BYTE, BIF_BX_PF0_MAILBOX_MSGBUF_RCV_DW1__BYTE,
        BIF_BX_PF0_MAILBOX_MSGBUF_RCV_DW2__BYTE, BIF_BX_PF0_MAILBOX_MSGBUF_RCV_DW3__BYTE};

static void select_vf(struct gv_pf *pf, unsigned vf)
{
	gv_wr32(pf->bus, MAILBOX_INDEX__BYTE, vf);
}

void pf_mailbox_clear(struct gv_pf *pf, unsigned vf)
{
	select_vf(pf, vf);
	for (unsigned i = 0; i < 4; i++)
		gv_wr32(pf->bus, trn[i], 0);
	gv_wr8(pf->bus, CONTROL_TRN, 0);
}

/* Asked again for the same: it has waited since the first time. */
static void note_request(struct pf_vf *v, uint32_t reply)
{
	if (!reply || reply != v->reply_due)
		v->asked_ns = gv_now_ns();
	v->reply_due = reply;
}

/* How long the guest waited for what it asked. */
static void answered(struct gv_pf *pf, unsigned vf)
{
	struct pf_vf *v = &pf->vf[vf];

	v->reply_due = 0;
	gv_pf_hist_add(&v->answer, gv_now_ns() - v->asked_ns);
}

/* A guest polls RCV_DW0 without looking at VALID: what we said before must be gone by the time
 * it sees the ACK. */
void pf_mailbox_ack(struct gv_pf *pf, unsigned vf)
{
	pf_mailbox_clear(pf, vf);
	gv_wr8(pf->bus, CONTROL_RCV, RCV_BYTE(RCV_MSG_ACK));
}

/* DW0 last: it is what the guest polls. VALID goes down first, so that going up is an edge. */
void pf_mailbox_send(struct gv_pf *pf, unsigned vf, const struct gv_mbox_msg *msg, bool valid)
{
	uint64_t begin_ns = gv_now_ns(), flow = 0;

	select_vf(pf, vf);
	gv_wr8(pf->bus, CONTROL_TRN, 0);
	for (unsigned i = 4; i-- > 0;)
		gv_wr32(pf->bus, trn[i], msg->dw[i]);
	if (valid)
		gv_wr8(pf->bus, CONTROL_TRN,
		       (uint8_t)GV_PUT(BIF_BX_PF0_MAILBOX_CONTROL, TRN_MSG_VALID, 1));
	if (pf->vf[vf].reply_due &&
	    (msg->dw[0] == pf->vf[vf].reply_due || msg->dw[0] == GV_MBOX_FAIL)) {
		flow = pf->vf[vf].asked_ns;
		answered(pf, vf);
	}
	pf_trace_flow(pf, GV_PF_TRACE_MSG_OUT, (int)vf, flow, begin_ns, gv_now_ns(),
	              gv_mbox_event_name(msg->dw[0]));
}

bool pf_mailbox_rcv_valid(struct gv_pf *pf, unsigned vf)
{
	select_vf(pf, vf);
	return GV_GET(gv_rd32(pf->bus, BIF_BX_PF0_MAILBOX_CONTROL__BYTE),
	              BIF_BX_PF0_MAILBOX_CONTROL, RCV_MSG_VALID);
}

void pf_mailbox_seen(struct gv_pf *pf, unsigned vf, struct pf_seen *seen)
{
	uint32_t control;

	select_vf(pf, vf);
	control = gv_rd32(pf->bus, BIF_BX_PF0_MAILBOX_CONTROL__BYTE);
	seen->heard = gv_rd32(pf->bus, rcv[0]);
	seen->heard_valid = GV_GET(control, BIF_BX_PF0_MAILBOX_CONTROL, RCV_MSG_VALID);
	seen->heard_acked = GV_GET(control, BIF_BX_PF0_MAILBOX_CONTROL, RCV_MSG_ACK);
	seen->said = gv_rd32(pf->bus, trn[0]);
	seen->said_valid = GV_GET(control, BIF_BX_PF0_MAILBOX_CONTROL, TRN_MSG_VALID);
	seen->said_acked = GV_GET(control, BIF_BX_PF0_MAILBOX_CONTROL, TRN_MSG_ACK);
}

bool pf_vf_enabled(const struct gv_pf *pf, unsigned vf)
{
	return pf->has_plan && vf < pf->plan.num_vfs;
}

static bool acked(const struct gv_mbox_acts *acts)
{
	for (unsigned i = 0; i < acts->count; i++)
		if (acts->act[i].code == GV_MBOX_ACT_ACK)
			return true;
	return false;
}

/* A reset on the bus (the VM was stopped or rebooted) shuts the gates that we opened. */
static void notice_flr(struct gv_pf *pf, unsigned vf)
{
	struct gv_mbox_acts acts;

	if (pf->vf[vf].job.phase != PF_JOB_NONE ||
	    !(pf->vf[vf].gates & ~pf->vf[vf].shut & ~pf_gates(pf, vf)))
		return;
	pf->vf[vf].gates = 0;
	pf_event(pf, GV_PF_EVENT_VF_RESET, (int)vf,
	         "reset from outside: its VM was stopped or rebooted, or somebody reset the "
	         "function");
	if (!gv_mbox_pf_reset(&pf->mbox, vf, GV_MBOX_WHY_PCI_FLR, gv_now_ns(), &acts))
		pf_actions_run(pf, &acts);
}

static void take_message(struct gv_pf *pf, unsigned vf)
{
	uint64_t begin_ns = gv_now_ns(), flow;
	struct gv_mbox_msg msg;
	struct gv_mbox_acts acts;

	select_vf(pf, vf);
	for (unsigned i = 0; i < 4; i++)
		msg.dw[i] = gv_rd32(pf->bus, rcv[i]);
	pf->vf[vf].heard = msg.dw[0];
	if (gv_mbox_reply_of(msg.dw[0]))
		pf->vf[vf].asked = msg.dw[0];
	note_request(&pf->vf[vf], gv_mbox_reply_of(msg.dw[0]));
	flow = pf->vf[vf].reply_due ? pf->vf[vf].asked_ns : 0;
	if (gv_mbox_pf_message(&pf->mbox, vf, &msg, gv_now_ns(), &acts))
		return;
	pf->vf[vf].unacked = !acked(&acts);
	pf_actions_run(pf, &acts);
	if (acked(&acts) && !gv_mbox_reply_of(msg.dw[0]))
		answered(pf, vf);
	pf_trace_flow(pf, GV_PF_TRACE_MSG_IN, (int)vf, flow, begin_ns, gv_now_ns(),
	              gv_mbox_req_name(msg.dw[0]));
}

/* A guest takes its message back when it has no ACK after 500 ms, and waits for the answer all the
 * same, or goes on as if it had been heard (amdgpu does both). The words are still there. */
void pf_mailbox_withdrawn(struct gv_pf *pf, unsigned vf)
{
	struct pf_seen seen = {0};

	pf_mailbox_seen(pf, vf, &seen);
	if (!seen.heard_valid && seen.heard && seen.heard != pf->vf[vf].heard)
		take_message(pf, vf);
}

void pf_mailbox_acked(struct gv_pf *pf, unsigned vf)
{
	struct gv_mbox_acts acts;

	if (!pf_vf_enabled(pf, vf))
		return;
	select_vf(pf, vf);
	/* An interrupt may be about something that was replaced meanwhile. */
	if (!GV_GET(gv_rd32(pf->bus, BIF_BX_PF0_MAILBOX_CONTROL__BYTE), BIF_BX_PF0_MAILBOX_CONTROL,
	            TRN_MSG_ACK))
		return;
	if (!gv_mbox_pf_acked(&pf->mbox, vf, gv_now_ns(), &acts))
		pf_actions_run(pf, &acts);
}

void pf_mailbox_look(struct gv_pf *pf, unsigned vf, bool again)
{
	uint32_t control;

	if (!pf_vf_enabled(pf, vf))
		return;
	notice_flr(pf, vf);
	select_vf(pf, vf);
	control = gv_rd32(pf->bus, BIF_BX_PF0_MAILBOX_CONTROL__BYTE);
	if (GV_GET(control, BIF_BX_PF0_MAILBOX_CONTROL, TRN_MSG_ACK))
		pf_mailbox_acked(pf, vf);
	if (!GV_GET(control, BIF_BX_PF0_MAILBOX_CONTROL, RCV_MSG_VALID))
		pf->vf[vf].unacked = false;
	else if (!GV_GET(control, BIF_BX_PF0_MAILBOX_CONTROL, RCV_MSG_ACK) &&
	         (again || !pf->vf[vf].unacked))
		take_message(pf, vf);
}
