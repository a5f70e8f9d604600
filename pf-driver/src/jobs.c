/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cleaning a VF between tenants or after a fault, a piece at a time, so that
 * the other VFs' mailboxes are served meanwhile.
 *
 *   DRAIN -> FLR -> SCRUB -> REFILL -> [ENTER] -> gv_mbox_pf_done()
 *
 * and waiting for the engines, when a guest is to have them alone.
 */
#include <string.h>

#include "pf.h"

#define DRAIN_FINI_NS  (600 * GV_MS) /* a guest waits 500 ms for our ACK, looking every 5 ms */
#define DRAIN_RESET_NS (30 * GV_MS)
#define ENTER_NS       (5 * GV_S) /* its guest asks again after 6 s */

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

static void begin_enter(struct gv_pf *pf, unsigned vf, bool fresh)
{
	pf_world_enter(pf, vf, fresh);
	go_on(pf, vf, PF_JOB_ENTER);
	pf->vf[vf].job.deadline_ns = gv_now_ns() + ENTER_NS;
}

static void end(struct gv_pf *pf, unsigned vf, int result)
{
	struct gv_mbox_acts acts;

	go_on(pf, vf, PF_JOB_NONE);
	if (!gv_mbox_pf_done(&pf->mbox, vf, pf->vf[vf].job.ticket, result, gv_now_ns(), &acts))
		pf_actions_run(pf, &acts);
}

/* It has the engines, or will not get them. */
static void enter(struct gv_pf *pf, unsigned vf, uint64_t now_ns)
{
	int rc = gv_bus_status(pf->bus);

	if (!rc && pf->world.vf[vf].lost)
		rc = -EIO;
	else if (!rc && !pf_world_entered(pf, vf))
		rc = now_ns < pf->vf[vf].job.deadline_ns ? -EINPROGRESS : -ETIMEDOUT;
	if (rc == -EINPROGRESS)
		return;
	if (rc)
		pf_world_leave(pf, vf);
	else
		pf_gates_open(pf, vf, PF_GATE_ALL);
	end(pf, vf, rc);
}

void pf_job_enter(struct gv_pf *pf, unsigned vf, const struct gv_mbox_act *act)
{
	pf->vf[vf].job = (struct pf_job){.ticket = act->ticket};
	begin_enter(pf, vf, act->access != GV_MBOX_ACCESS_FINI);
	enter(pf, vf, gv_now_ns()); /* at once, if nobody is in the way */
}

static void finish(struct gv_pf *pf, unsigned vf, int result, const char *why)
{
	struct pf_job job = pf->vf[vf].job;
	bool quarantined;

	pf->vf[vf].guest_known = false;
	if (result)
		pf_event(pf, GV_PF_EVENT_GPU, (int)vf, "cleaning failed: %s", why);
	else if (job.reset)
		pf_event(pf, GV_PF_EVENT_VF_RESET, (int)vf, "reset is done%s",
		         job.scrub ? ", frame buffer scrubbed" : "");
	quarantined = job.reset && pf_contain_reset_ended(pf, vf, result);
	if (quarantined)
		go_on(pf, vf, PF_JOB_NONE);
	else if (!result && job.enter)
		begin_enter(pf, vf, true);
	else
		end(pf, vf, result);
}

/* The reset takes the mailbox's state along: a guest should have seen our ACK before. */
static void drain(struct gv_pf *pf, unsigned vf, uint64_t now_ns)
{
	struct pf_job *job = &pf->vf[vf].job;

	if (now_ns < job->deadline_ns && pf_mailbox_rcv_valid(pf, vf))
		return;
	if (pf_gpu_reset_does(pf)) {
		go_on(pf, vf, PF_JOB_GPU);
		return;
	}
	pf_contain_flr(pf, vf);
	gv_wr32(pf->bus, GVX_VF_RESET__BYTE, 1u << vf);
	go_on(pf, vf, PF_JOB_FLR);
	job->deadline_ns = now_ns + pf->cfg.reset_ms * GV_MS;
}

static void flr(struct gv_pf *pf, unsigned vf, uint64_t now_ns)
{
	struct pf_job *job = &pf->vf[vf].job;

	if (!(gv_rd32(pf->bus, GVX_VF_RESET__BYTE) >> vf & 1)) {
		pf_world_forget(pf, vf);
		go_on(pf, vf, job->scrub ? PF_JOB_SCRUB : PF_JOB_REFILL);
		return;
	}
	if (now_ns < job->deadline_ns)
		return;
	go_on(pf, vf, PF_JOB_GPU);
	pf_contain_flr_failed(pf, vf);
}

static void scrub_failed(struct gv_pf *pf, unsigned vf, int result, const char *why)
{
	pf_scrub_forget(pf, vf);
	finish(pf, vf, result, why);
}

/* Before the engine is given something else: what was fetched is looked at in one place. */
static void scrubbed(struct gv_pf *pf, unsigned vf)
{
	const struct gv_pf_plan_vf *p = &pf->plan.vf[vf];
	struct pf_job *job = &pf->vf[vf].job;
	struct gv_err err = {0};
	int rc = pf_scrub_verify(pf, p->fb_offset_mib * GV_MIB, p->fb_mib * GV_MIB, &err);

	go_on(pf, vf, PF_JOB_REFILL);
	if (rc)
		scrub_failed(pf, vf, rc, err.text);
	else
		pf_scrub_note(pf, &pf->plan, vf, job->reset ? GV_PF_SCRUB_RESET : GV_PF_SCRUB_FINI,
		              job->scrub_ns);
}

static void scrub(struct gv_pf *pf, unsigned vf, uint64_t now_ns)
{
	const struct gv_pf_plan_vf *p = &pf->plan.vf[vf];
	struct pf_job *job = &pf->vf[vf].job;
	int rc;

	if (!pf->scrub.active &&
	    pf_scrub_start(pf, (int)vf, p->fb_offset_mib * GV_MIB, p->fb_mib * GV_MIB))
		return;
	if (pf->scrub.vf != (int)vf)
		return; /* the engine is busy for another VF: our turn comes */
	job->scrub_ns = job->scrub_ns ? job->scrub_ns : now_ns;
	rc = pf_scrub_step(pf, now_ns);
	if (!rc)
		scrubbed(pf, vf);
	else if (rc != -EINPROGRESS)
		scrub_failed(pf, vf, rc, strerror(-rc));
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
	case PF_JOB_GPU: /* gpu_reset.c goes on */
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
	case PF_JOB_REFILL:
		refill(pf, vf);
		break;
	case PF_JOB_ENTER:
		enter(pf, vf, now_ns);
		break;
	}
}

void pf_job_scrub_next(struct gv_pf *pf, unsigned vf)
{
	struct pf_job *job = &pf->vf[vf].job;

	if (job->phase == PF_JOB_ENTER) /* its reset was asked for and begins now */
		end(pf, vf, -EIO);
	if (job->phase == PF_JOB_NONE)
		return;
	job->scrub = true;
	job->scrub_ns = 0;
	go_on(pf, vf, PF_JOB_SCRUB);
}

void pf_job_fail(struct gv_pf *pf, unsigned vf, const char *why)
{
	if (pf->vf[vf].job.phase != PF_JOB_NONE)
		finish(pf, vf, -EIO, why);
}

/* As far as it goes without waiting. */
static void advance(struct gv_pf *pf, unsigned vf, uint64_t now_ns)
{
	enum pf_job_phase was;

	do {
		was = pf->vf[vf].job.phase;
		step(pf, vf, now_ns);
	} while (pf->vf[vf].job.phase > was);
}

void pf_jobs_step(struct gv_pf *pf, uint64_t now_ns)
{
	for (unsigned i = 0; pf->has_plan && i < pf->plan.num_vfs; i++)
		advance(pf, i, now_ns);
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
