/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reset of the whole GPU while guests run: all are told, PSP mode 1, bring-up, the plan in force
 * again, then every VF is scrubbed and its guest may start anew. A piece at a time. Mode 1 leaves
 * the PCI Express end alone, so VFs, BARs and vectors stay; whatever was in VRAM is lost.
 */
#include <string.h>

#include "boot_state.h"
#include "pf.h"

#define LOOK_NS  (2 * GV_MS)
#define SLACK_NS (200 * GV_MS) /* for ACKs to be seen, besides what guests have */
#define BACK_NS  (120 * GV_S)  /* scrubbing all of it */

static void start(struct gv_pf *pf, int culprit, const char *why)
{
	struct pf_gpu_reset *r = &pf->gpu_reset;
	uint64_t notify_ns = pf->mbox.cfg.gpu_notify_ms * GV_MS;
	struct gv_mbox_acts acts;

	r->phase = PF_GPU_TELL;
	r->culprit = culprit;
	r->begin_ns = gv_now_ns();
	r->deadline_ns = r->begin_ns + notify_ns + SLACK_NS;
	pf_event(pf, GV_PF_EVENT_CONTAIN, -1,
	         "whole-GPU reset: %s; every guest is told, and has %u ms to get ready", why,
	         pf->mbox.cfg.gpu_notify_ms);
	for (unsigned i = 0; pf->has_plan && i < pf->plan.num_vfs; i++)
		if (!gv_mbox_pf_reset(&pf->mbox, i, GV_MBOX_WHY_GPU_RESET, gv_now_ns(), &acts))
			pf_actions_run(pf, &acts);
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
	struct pf_gpu_reset *r = &pf->gpu_reset;

	pf_event(pf, GV_PF_EVENT_CONTAIN, -1, "whole-GPU reset: PSP mode 1%s",
	         count_late(pf) ? ", not every VF was ready" : "");
	pf_world_stop(pf);
	pf_gates_close_all(pf);
	pf->scrub.active = false; /* its engine is reset, too */
	for (unsigned i = 0; pf->has_plan && i < pf->plan.num_vfs; i++)
		pf_scrub_forget(pf, i);
	gv_wr32(pf->bus, MP0_SMN_C2PMSG_64__BYTE, GV_PUT(PSP_C2PMSG, COMMAND, GV_PSP_MODE1_RST));
	r->phase = PF_GPU_RESET;
	r->deadline_ns = gv_now_ns() + pf->cfg.reset_ms * GV_MS;
}

/* ---- RESET -------------------------------------------------------------------- */

static bool boot_loader_is_back(struct gv_pf *pf)
{
	uint32_t v = gv_rd32(pf->bus, MP0_SMN_C2PMSG_33__BYTE);

	return v != UINT32_MAX && GV_GET(v, PSP_C2PMSG, RESPONSE);
}

static int plan_again(struct gv_pf *pf, struct gv_err *err)
{
	int rc = pf_tables_write(pf, &pf->plan, err);

	if (!rc)
		rc = pf_slices_write(pf, &pf->plan, err);
	if (!rc)
		rc = pf_slices_check(pf, &pf->plan, err);
	return rc ? rc : pf_state_write(pf, false, &pf->plan, err);
}

/* Whatever a VF was in the middle of: its memory is lost, so it is scrubbed. One that has come to
 * its end since it was told is reset once more. */
static void scrub_all(struct gv_pf *pf)
{
	struct gv_mbox_acts acts;

	for (unsigned i = 0; i < pf->plan.num_vfs; i++) {
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
	if (!rc && pf->has_plan)
		rc = plan_again(pf, err);
	if (rc || !pf->has_plan)
		return rc;
	scrub_all(pf);
	pf_world_start(pf);
	return 0;
}

static void failed(struct gv_pf *pf, const char *why)
{
	pf->gpu_reset.phase = PF_GPU_NONE;
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
	r->phase = PF_GPU_BACK;
	r->deadline_ns = gv_now_ns() + BACK_NS;
	pf_event(pf, GV_PF_EVENT_CONTAIN, -1,
	         "whole-GPU reset: up again after %llu ms, VRAM is lost, every VF is scrubbed",
	         (unsigned long long)((gv_now_ns() - r->begin_ns) / GV_MS));
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
