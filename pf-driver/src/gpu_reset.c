/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reset of the whole GPU while guests run: all are told, PSP mode 1, bring-up, the plan in force
 * again, then every VF is scrubbed and its guest may start anew. A piece at a time. Mode 1 leaves
 * the PCI Express end alone, so VFs, BARs and vectors stay; whatever was in VRAM is lost, and so
 * are the signs that the GPU is ours: the journal knows of each step before it is taken.
 */
#include <stdio.h>
#include <string.h>

#include "adopt.h"
#include "pf.h"

#define LOOK_NS  (2 * GV_MS)
#define SLACK_NS (200 * GV_MS) /* for ACKs to be seen, besides what guests have */
#define BACK_NS  (120 * GV_S)  /* scrubbing all of it */

/* ---- for the next daemon ------------------------------------------------------ */

/* On disk, in front of the state that comes back. */
struct reset_note {
	uint32_t phase;
	int32_t culprit;
	char why[sizeof(((struct pf_gpu_reset *)0)->why)];
};

/* Sessions are noted as they change; what is theirs is told by their generation. */
static void note(struct gv_pf *pf, enum pf_gpu_phase phase)
{
	struct pf_gpu_reset *r = &pf->gpu_reset;
	struct reset_note n = {.phase = phase, .culprit = r->culprit};
	struct pf_state state = {.boot_id = pf->boot_id,
	                         .generation = pf->boot.generation,
	                         .has_plan = pf->has_plan,
	                         .plan = pf->plan};
	uint8_t all[sizeof(n) + PF_STATE_BYTES];

	r->phase = phase;
	memcpy(n.why, r->why, sizeof(n.why));
	memcpy(all, &n, sizeof(n));
	pf_journal_note(pf, PF_JOURNAL_RESET, PF_JOURNAL_NO_VF, all,
	                sizeof(n) + pf_state_pack(&state, all + sizeof(n)));
}

bool pf_gpu_reset_found(struct gv_pf *pf, struct pf_state *state)
{
	struct pf_gpu_reset *r = &pf->gpu_reset;
	struct reset_note n;
	size_t bytes;
	const uint8_t *last = pf_journal_last(pf, PF_JOURNAL_RESET, PF_JOURNAL_NO_VF, &bytes);

	if (!last || bytes < sizeof(n))
		return false;
	memcpy(&n, last, sizeof(n));
	if ((n.phase != PF_GPU_TELL && n.phase != PF_GPU_RESET) ||
	    pf_state_unpack(last + sizeof(n), bytes - sizeof(n), state, NULL))
		return false;
	r->phase = (enum pf_gpu_phase)n.phase;
	r->culprit = n.culprit >= 0 && n.culprit < (int)GV_PF_MAX_VFS ? n.culprit : -1;
	memcpy(r->why, n.why, sizeof(r->why));
	r->why[sizeof(r->why) - 1] = '\0';
	r->begin_ns = gv_now_ns();
	return true;
}

void pf_gpu_reset_forget(struct gv_pf *pf)
{
	pf->gpu_reset.phase = PF_GPU_NONE;
	if (pf->journal)
		(void)pf_journal_drop(pf->journal, PF_JOURNAL_RESET);
}

/* ---- beginning ------------------------------------------------------------------ */

/* Who is being reset already need not be told. */
static void tell_all(struct gv_pf *pf)
{
	struct pf_gpu_reset *r = &pf->gpu_reset;
	struct gv_mbox_acts acts;

	r->deadline_ns = gv_now_ns() + pf->mbox.cfg.gpu_notify_ms * GV_MS + SLACK_NS;
	pf_event(pf, GV_PF_EVENT_CONTAIN, -1,
	         "whole-GPU reset: %s; every guest is told, and has %u ms to get ready", r->why,
	         pf->mbox.cfg.gpu_notify_ms);
	for (unsigned i = 0; pf->has_plan && i < pf->plan.num_vfs; i++)
		if (!gv_mbox_pf_reset(&pf->mbox, i, GV_MBOX_WHY_GPU_RESET, gv_now_ns(), &acts))
			pf_actions_run(pf, &acts);
}

static void start(struct gv_pf *pf, int culprit, const char *why)
{
	struct pf_gpu_reset *r = &pf->gpu_reset;

	r->culprit = culprit;
	r->begin_ns = gv_now_ns();
	snprintf(r->why, sizeof(r->why), "%s", why);
	note(pf, PF_GPU_TELL);
	tell_all(pf);
}

int gv_pf_gpu_reset(struct gv_pf *pf, unsigned flags, const char *why, struct gv_err *err)
{
	int rc;

	if (!pf->booted)
		return gv_fail(err, -EAGAIN, "the GPU is not up");
	if (gv_pf_gpu_resetting(pf))
		return gv_fail(err, -EALREADY, "the GPU is being reset already");
	rc = pf_check_idle(pf, flags, err);
	if (!rc)
		start(pf, -1, why);
	return rc;
}

bool gv_pf_gpu_resetting(const struct gv_pf *pf)
{
	return pf->gpu_reset.phase != PF_GPU_NONE;
}

bool pf_gpu_reset_does(const struct gv_pf *pf)
{
	return pf->gpu_reset.phase == PF_GPU_TELL || pf->gpu_reset.phase == PF_GPU_RESET;
}

void pf_gpu_reset_for(struct gv_pf *pf, unsigned culprit, const char *why)
{
	pf->vf[culprit].contain.quarantine_next = true;
	if (!gv_pf_gpu_resetting(pf))
		start(pf, (int)culprit, why);
}

/* ---- TELL --------------------------------------------------------------------- */

static bool ready(const struct gv_pf *pf, unsigned vf)
{
	enum gv_mbox_state state = pf->mbox.vf[vf].state;

	return state == GV_MBOX_OFF || pf->vf[vf].job.phase == PF_JOB_GPU;
}

static bool all_ready(const struct gv_pf *pf)
{
	for (unsigned i = 0; pf->has_plan && i < pf->plan.num_vfs; i++)
		if (!ready(pf, i))
			return false;
	return true;
}

static unsigned count_late(const struct gv_pf *pf)
{
	unsigned late = 0;

	for (unsigned i = 0; pf->has_plan && i < pf->plan.num_vfs; i++)
		late += !ready(pf, i);
	return late;
}

/* As psp_v3_1_mode1_reset() of amdgpu. */
static void mode1(struct gv_pf *pf)
{
	pf_event(pf, GV_PF_EVENT_CONTAIN, -1, "whole-GPU reset: PSP mode 1%s",
	         count_late(pf) ? ", not every VF was ready" : "");
	note(pf, PF_GPU_RESET);
	pf_world_stop(pf);
	pf_gates_close_all(pf);
	pf->scrub.active = false; /* its engine is reset, too */
	for (unsigned i = 0; pf->has_plan && i < pf->plan.num_vfs; i++)
		pf_scrub_forget(pf, i);
	gv_wr32(pf->bus, MP0_SMN_C2PMSG_64__BYTE, GV_PUT(PSP_C2PMSG, COMMAND, GV_PSP_MODE1_RST));
	pf->gpu_reset.deadline_ns = gv_now_ns() + pf->cfg.reset_ms * GV_MS;
}

/* ---- RESET -------------------------------------------------------------------- */

static bool boot_loader_is_back(struct gv_pf *pf)
{
	uint32_t v = gv_rd32(pf->bus, MP0_SMN_C2PMSG_33__BYTE);

	return v != UINT32_MAX && GV_GET(v, PSP_C2PMSG, RESPONSE);
}

/* Whatever a VF was in the middle of: its memory is lost, so it is scrubbed. One that has come to
 * its end since it was told is reset once more. */
static void scrub_all(struct gv_pf *pf)
{
	struct gv_mbox_acts acts;

	for (unsigned i = 0; pf->has_plan && i < pf->plan.num_vfs; i++) {
		pf->vf[i].contain.seen_any = false;
		pf->vf[i].l2_fault_count = gv_rd32(pf->bus, GV_BYTE_N(GVX_VF0_L2_FAULT_COUNT, i));
		pf_mailbox_clear(pf, i);
		if (pf->vf[i].job.phase == PF_JOB_NONE &&
		    !gv_mbox_pf_reset(&pf->mbox, i, GV_MBOX_WHY_GPU_RESET, gv_now_ns(), &acts))
			pf_actions_run(pf, &acts);
		pf_job_scrub_next(pf, i);
	}
}

static int bring_back(struct gv_pf *pf, struct gv_err *err)
{
	int rc;

	pf_bring_down(pf);
	rc = pf_bring_up(pf, false, err);
	return rc || !pf->has_plan ? rc : pf_put_back(pf, &pf->plan, err);
}

/* From here on sessions know what is to be done. */
static void is_back(struct gv_pf *pf)
{
	struct pf_gpu_reset *r = &pf->gpu_reset;

	scrub_all(pf);
	pf_sessions_note(pf);
	pf_gpu_reset_forget(pf);
	r->phase = PF_GPU_BACK;
	r->deadline_ns = gv_now_ns() + BACK_NS;
	pf_event(pf, GV_PF_EVENT_CONTAIN, -1,
	         "whole-GPU reset: up again after %llu ms, VRAM is lost, every VF is scrubbed",
	         (unsigned long long)((gv_now_ns() - r->begin_ns) / GV_MS));
}

static void failed(struct gv_pf *pf, const char *why)
{
	pf_gpu_reset_forget(pf);
	pf->gpu_reset.failures++;
	pf_event(pf, GV_PF_EVENT_GPU, -1, "the reset of the whole GPU failed: %s", why);
	for (unsigned i = 0; pf->has_plan && i < pf->plan.num_vfs; i++)
		pf_job_fail(pf, i, "the reset of the whole GPU failed");
}

static void come_back(struct gv_pf *pf, uint64_t now_ns)
{
	struct pf_gpu_reset *r = &pf->gpu_reset;
	struct gv_err err = {0};

	if (!boot_loader_is_back(pf)) {
		if (now_ns >= r->deadline_ns)
			failed(pf, "the PSP does not come back");
		return;
	}
	if (bring_back(pf, &err)) {
		failed(pf, err.text);
		return;
	}
	is_back(pf);
	if (pf->has_plan)
		pf_world_start(pf);
}

void pf_gpu_reset_resume(struct gv_pf *pf)
{
	struct pf_gpu_reset *r = &pf->gpu_reset;

	if (r->phase == PF_GPU_NONE)
		return;
	if (r->culprit >= 0)
		pf->vf[r->culprit].contain.quarantine_next = true;
	if (r->phase == PF_GPU_TELL)
		tell_all(pf);
	else
		is_back(pf);
}

static void all_back(struct gv_pf *pf)
{
	struct pf_gpu_reset *r = &pf->gpu_reset;

	if (pf_jobs_busy(pf) && gv_now_ns() < r->deadline_ns)
		return;
	r->phase = PF_GPU_NONE;
	r->count++;
	pf_event(pf, GV_PF_EVENT_CONTAIN, -1, "whole-GPU reset: done after %llu ms",
	         (unsigned long long)((gv_now_ns() - r->begin_ns) / GV_MS));
}

uint64_t pf_gpu_reset_step(struct gv_pf *pf, uint64_t now_ns)
{
	struct pf_gpu_reset *r = &pf->gpu_reset;

	switch (r->phase) {
	case PF_GPU_NONE:
		return UINT64_MAX;
	case PF_GPU_TELL:
		if (all_ready(pf) || now_ns >= r->deadline_ns)
			mode1(pf);
		break;
	case PF_GPU_RESET:
		come_back(pf, now_ns);
		break;
	case PF_GPU_BACK:
		all_back(pf);
		break;
	}
	return now_ns + LOOK_NS;
}
