/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cleaning a VF between tenants or after a fault, a piece at a time, so that
 * the other VFs' mailboxes are served meanwhile.
 *
 *   DRAIN -> FLR -> SCRUB -> VERIFY -> REFILL -> gv_mbox_pf_done()
 */
#include <string.h>

#include "pf.h"

#define DRAIN_FINI_NS  (600 * GV_MS) /* a guest waits 500 ms for our ACK, looking every 5 ms */
#define DRAIN_RESET_NS (30 * GV_MS)
#define FLR_NS         (10 * GV_S)

void pf_job_start(struct gv_pf *pf, unsigned vf, const struct gv_mbox_act *act)
{
	struct pf_vf *v = &pf->vf[vf];
	bool reset = act->code != GV_MBOX_ACT_LEAVE;

	v->job = (struct pf_job){
	        .phase = PF_JOB_DRAIN,
	        .ticket = act->ticket,
	        .scrub = !(reset && v->no_scrub_next),
	        .reset = reset,
	        .enter = act->code == GV_MBOX_ACT_ENTER,
	        .reason = act->reason,
	        .deadline_ns = gv_now_ns() + (reset ? DRAIN_RESET_NS : DRAIN_FINI_NS),
	};
	v->no_scrub_next = false;
}

/* The next phase; what has ended goes to the timeline. */
static void go_on(struct gv_pf *pf, unsigned vf, enum pf_job_phase next)
{
	struct pf_job *job = &pf->vf[vf].job;
	uint64_t now_ns = gv_now_ns();

	if (job->phase == PF_JOB_FLR)
		pf_trace(pf, GV_PF_TRACE_FLR, (int)vf, job->since_ns, now_ns, "%s", "");
	if (job->phase == PF_JOB_SCRUB)
		pf_trace(pf, GV_PF_TRACE_SCRUB, (int)vf, job->since_ns, now_ns, "%u MiB",
		         pf->plan.vf[vf].fb_mib);
	job->phase = next;
	job->since_ns = now_ns;
}

static void finish(struct gv_pf *pf, unsigned vf, int result, const char *why)
{
	struct pf_job job = pf->vf[vf].job;
	struct gv_mbox_acts acts;

	go_on(pf, vf, PF_JOB_NONE);
	pf->vf[vf].guest_known = false;
	if (result)
		pf_event(pf, GV_PF_EVENT_GPU, (int)vf, "cleaning failed: %s", why);
	else if (job.reset)
		pf_event(pf, GV_PF_EVENT_VF_RESET, (int)vf, "reset is done%s",
		         job.scrub ? ", frame buffer scrubbed" : "");
	if (!result && job.enter)
		pf_gates_open(pf, vf, PF_GATE_ALL);
	if (!gv_mbox_pf_done(&pf->mbox, vf, job.ticket, result, gv_now_ns(), &acts))
		pf_actions_run(pf, &acts);
}

/* The reset takes the mailbox's state along: a guest should have seen our ACK before. */
static void drain(struct gv_pf *pf, unsigned vf, uint64_t now_ns)
{
	struct pf_job *job = &pf->vf[vf].job;

	if (now_ns < job->deadline_ns && pf_mailbox_rcv_valid(pf, vf))
		return;
	gv_wr32(pf->bus, GVX_VF_RESET__BYTE, 1u << vf);
	go_on(pf, vf, PF_JOB_FLR);
	job->deadline_ns = now_ns + FLR_NS;
}

static void flr(struct gv_pf *pf, unsigned vf, uint64_t now_ns)
{
	struct pf_job *job = &pf->vf[vf].job;

	if (!(gv_rd32(pf->bus, GVX_VF_RESET__BYTE) >> vf & 1)) {
		go_on(pf, vf, job->scrub ? PF_JOB_SCRUB : PF_JOB_REFILL);
		return;
	}
	if (now_ns >= job->deadline_ns)
		finish(pf, vf, -ETIMEDOUT, "GVX_VF_RESET stays busy");
}

static void scrub(struct gv_pf *pf, unsigned vf, uint64_t now_ns)
{
	const struct gv_pf_plan_vf *p = &pf->plan.vf[vf];
	int rc;

	if (!pf->scrub.active &&
	    pf_scrub_start(pf, (int)vf, p->fb_offset_mib * GV_MIB, p->fb_mib * GV_MIB))
		return;
	if (pf->scrub.vf != (int)vf)
		return; /* the engine is busy for another VF: our turn comes */
	rc = pf_scrub_step(pf, now_ns);
	if (!rc)
		go_on(pf, vf, PF_JOB_VERIFY);
	else if (rc != -EINPROGRESS)
		finish(pf, vf, rc, strerror(-rc));
}

static void verify(struct gv_pf *pf, unsigned vf)
{
	const struct gv_pf_plan_vf *p = &pf->plan.vf[vf];
	struct gv_err err = {0};
	int rc = pf_scrub_verify(pf, p->fb_offset_mib * GV_MIB, p->fb_mib * GV_MIB, &err);

	go_on(pf, vf, PF_JOB_REFILL);
	if (rc)
		finish(pf, vf, rc, err.text);
}

static void refill(struct gv_pf *pf, unsigned vf)
{
	struct gv_err err = {0};
	int rc = pf_exchange_write(pf, &pf->plan, vf, &err);

	finish(pf, vf, rc, err.text);
}

static void step(struct gv_pf *pf, unsigned vf, uint64_t now_ns)
{
	switch (pf->vf[vf].job.phase) {
	case PF_JOB_NONE:
		break;
	case PF_JOB_DRAIN:
		drain(pf, vf, now_ns);
		break;
	case PF_JOB_FLR:
		flr(pf, vf, now_ns);
		break;
	case PF_JOB_SCRUB:
		scrub(pf, vf, now_ns);
		break;
	case PF_JOB_VERIFY:
		verify(pf, vf);
		break;
	case PF_JOB_REFILL:
		refill(pf, vf);
		break;
	}
}

void pf_jobs_step(struct gv_pf *pf, uint64_t now_ns)
{
	for (unsigned i = 0; pf->has_plan && i < pf->plan.num_vfs; i++)
		step(pf, i, now_ns);
}

bool pf_jobs_busy(const struct gv_pf *pf)
{
	for (unsigned i = 0; pf->has_plan && i < pf->plan.num_vfs; i++)
		if (pf->vf[i].job.phase != PF_JOB_NONE)
			return true;
	return false;
}

void pf_jobs_forget(struct gv_pf *pf)
{
	unsigned spins = 0;

	for (unsigned i = 0; i < GV_PF_MAX_VFS; i++)
		pf->vf[i].job.phase = PF_JOB_NONE;
	/* What the engine has been given it will still do: let it, before the ring is used again.
	 */
	while (pf->scrub.active && pf_sdma_reached(pf) != pf->scrub.fence &&
	       gv_now_ns() < pf->scrub.deadline_ns && !gv_bus_status(pf->bus))
		gv_poll_pause(&spins);
	pf->scrub.active = false;
}
