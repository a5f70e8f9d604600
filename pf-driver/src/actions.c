/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the session rules decide is done here, in their order. */
#include <stdio.h>

#include "adopt.h"
#include "pf.h"

static void done(struct gv_pf *pf, const struct gv_mbox_act *act, int result)
{
	struct gv_mbox_acts next;

	if (!gv_mbox_pf_done(&pf->mbox, act->vf, act->ticket, result, gv_now_ns(), &next))
		pf_actions_run(pf, &next);
}

static void upload(struct gv_pf *pf, const struct gv_mbox_act *act)
{
	struct gv_err err = {0};
	int rc;

	pf_gates_open(pf, act->vf, PF_GATE_FB);
	rc = pf_exchange_write(pf, &pf->plan, act->vf, &err);
	if (rc)
		pf_event(pf, GV_PF_EVENT_GPU, (int)act->vf, "exchange pages: %s", err.text);
	done(pf, act, rc);
}

static const char *why_reset(const struct gv_pf *pf, const struct gv_mbox_act *act)
{
	if (act->code == GV_MBOX_ACT_ENTER)
		return "the guest asked for it";
	return pf->vf[act->vf].gone_next ? "its guest is gone" : gv_mbox_reason_name(act->reason);
}

static void reset(struct gv_pf *pf, const struct gv_mbox_act *act)
{
	pf->vf[act->vf].resets++;
	pf_event(pf, GV_PF_EVENT_VF_RESET, (int)act->vf, "reset begins: %s", why_reset(pf, act));
	pf->vf[act->vf].gone_next = false;
	pf_world_leave(pf, act->vf);
	pf_gates_close(pf, act->vf, PF_GATE_ALL);
	pf_job_start(pf, act->vf, act);
}

/* A guest that asks for a reset gets fresh engines first: its queues may hang or hold what has
 * faulted. */
static void enter(struct gv_pf *pf, const struct gv_mbox_act *act)
{
	if (act->access == GV_MBOX_ACCESS_RESET) {
		reset(pf, act);
		return;
	}
	pf_job_enter(pf, act->vf, act);
}

static void leave(struct gv_pf *pf, const struct gv_mbox_act *act)
{
	pf_world_leave(pf, act->vf);
	if (act->access == GV_MBOX_ACCESS_FINI) {
		pf_gates_close(pf, act->vf, PF_GATE_ALL);
		pf_job_start(pf, act->vf, act);
		return;
	}
	/* From now on the guest writes registers through its KIQ only. */
	pf_gates_close(pf, act->vf, PF_GATE_REGWR);
	done(pf, act, gv_bus_status(pf->bus));
}

#define TELL_MAX 10u /* events about a VF's messages in a second; the rest is counted */

/* Who floods us would else push out of the list of events what others have done. */
static bool may_tell(struct pf_vf *v)
{
	uint64_t now_ns = gv_now_ns();

	if (now_ns - v->told_ns >= GV_S) {
		v->told_ns = now_ns;
		v->told = 0;
	}
	return ++v->told <= TELL_MAX;
}

static void vf_error(struct gv_pf *pf, const struct gv_mbox_act *act)
{
	struct pf_vf *v = &pf->vf[act->vf];

	v->errors++;
	snprintf(v->last_error, sizeof(v->last_error), "%s flags 0x%x data 0x%llx",
	         gv_mbox_vf_error_name(act->error.sub), act->error.flags,
	         (unsigned long long)act->error.data);
	if (may_tell(v))
		pf_event(pf, GV_PF_EVENT_VF_ERROR, (int)act->vf, "guest reports %s", v->last_error);
}

static void report(struct gv_pf *pf, const struct gv_mbox_act *act)
{
	pf->vf[act->vf].messages_refused++;
	if (!may_tell(&pf->vf[act->vf]))
		return;
	pf_event(pf, GV_PF_EVENT_VF_MESSAGE, (int)act->vf, "%s (%u) refused: %s",
	         gv_mbox_req_name(act->msg.dw[0]), act->msg.dw[0],
	         gv_mbox_report_name(act->report));
}

static void run(struct gv_pf *pf, const struct gv_mbox_act *act)
{
	int vf = (int)act->vf;

	switch (act->code) {
	case GV_MBOX_ACT_ACK:
		pf_mailbox_ack(pf, act->vf);
		break;
	case GV_MBOX_ACT_CLEAR:
		pf_mailbox_clear(pf, act->vf);
		break;
	case GV_MBOX_ACT_SEND:
		pf_mailbox_send(pf, act->vf, &act->msg, act->valid);
		break;
	case GV_MBOX_ACT_UPLOAD:
		upload(pf, act);
		break;
	case GV_MBOX_ACT_ENTER:
		enter(pf, act);
		break;
	case GV_MBOX_ACT_LEAVE:
		leave(pf, act);
		break;
	case GV_MBOX_ACT_READ_VF2PF:
		pf_exchange_read(pf, act->vf);
		break;
	case GV_MBOX_ACT_RESET:
		reset(pf, act);
		break;
	case GV_MBOX_ACT_GPU_RESET:
		pf_event(pf, GV_PF_EVENT_GPU, vf,
		         "its reset failed: reset it again, or apply the "
		         "profile anew by force");
		break;
	case GV_MBOX_ACT_VF_ERROR:
		vf_error(pf, act);
		break;
	case GV_MBOX_ACT_RAS_POISON:
		pf_event(pf, GV_PF_EVENT_VF_ERROR, vf, "poisoned memory in block %u",
		         act->msg.dw[1]);
		break;
	case GV_MBOX_ACT_RAS: /* never: telemetry is not offered */
		done(pf, act, -EOPNOTSUPP);
		break;
	case GV_MBOX_ACT_ALIVE:
		pf_event(pf, GV_PF_EVENT_VF_STATE, vf, "guest is alive");
		break;
	case GV_MBOX_ACT_NOT_ALIVE:
		pf_event(pf, GV_PF_EVENT_VF_STATE, vf, "guest does not answer");
		break;
	case GV_MBOX_ACT_GUARD:
		pf_guard_over(pf, act->vf, act->guard, gv_now_ns());
		break;
	case GV_MBOX_ACT_REPORT:
		report(pf, act);
		break;
	}
}

void pf_actions_run(struct gv_pf *pf, const struct gv_mbox_acts *acts)
{
	pf_sessions_note(pf);
	for (unsigned i = 0; i < acts->count; i++)
		if (pf_vf_enabled(pf, acts->act[i].vf))
			run(pf, &acts->act[i]);
	pf_states_look(pf);
}
