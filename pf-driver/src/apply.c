/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plan becomes real, step by step, or not at all. */
#include <string.h>

#include "adopt.h"
#include "pf.h"

/* ---- steps ------------------------------------------------------------------ */

static int do_tables(struct gv_pf *pf, const struct gv_pf_plan *plan, unsigned flags,
                     struct gv_err *err)
{
	(void)flags;
	return pf_tables_write(pf, plan, err);
}

static int do_slices(struct gv_pf *pf, const struct gv_pf_plan *plan, unsigned flags,
                     struct gv_err *err)
{
	(void)flags;
	return pf_slices_write(pf, plan, err);
}

static int do_scrub(struct gv_pf *pf, const struct gv_pf_plan *plan, unsigned flags,
                    struct gv_err *err)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < plan->num_vfs; i++) {
		uint64_t begin_ns = gv_now_ns();

		pf_scrub_forget(pf, i);
		if (flags & GV_PF_APPLY_NO_SCRUB)
			continue;
		rc = pf_scrub_wait(pf, (int)i, plan->vf[i].fb_offset_mib * GV_MIB,
		                   plan->vf[i].fb_mib * GV_MIB, err);
		if (!rc)
			pf_scrub_note(pf, plan, i, GV_PF_SCRUB_APPLY, begin_ns);
	}
	return rc;
}

static int do_exchange(struct gv_pf *pf, const struct gv_pf_plan *plan, unsigned flags,
                       struct gv_err *err)
{
	int rc = 0;

	(void)flags;
	for (unsigned i = 0; !rc && i < plan->num_vfs; i++)
		rc = pf_exchange_write(pf, plan, i, err);
	for (unsigned i = 0; !rc && i < plan->num_vfs; i++)
		rc = pf_exchange_check(pf, plan, i, err);
	return rc;
}

static uint32_t read_shadow(struct gv_pf *pf)
{
	return gv_cfg_rd32(pf->bus, (uint16_t)(pf->giov + GIOV_SRIOV_SHADOW__OFF));
}

/* VFs that are there already would keep what ran on them. */
static int do_sriov(struct gv_pf *pf, const struct gv_pf_plan *plan, unsigned flags,
                    struct gv_err *err)
{
	uint32_t shadow = read_shadow(pf);
	int rc;

	(void)flags;
	pf_gates_close_all(pf);
	if (GV_GET(shadow, GIOV_SRIOV_SHADOW, VF_EN))
		return gv_fail(err, -EIO, "GPUIOV SRIOV_SHADOW reads 0x%08x: VFs are still enabled",
		               shadow);
	rc = gv_bus_enable_vfs(pf->bus, plan->num_vfs, err);
	if (rc)
		return rc;
	shadow = read_shadow(pf);
	if (GV_GET(shadow, GIOV_SRIOV_SHADOW, VF_EN) &&
	    GV_GET(shadow, GIOV_SRIOV_SHADOW, VF_NUM) == plan->num_vfs)
		return 0;
	return gv_fail(err, -EIO, "GPUIOV SRIOV_SHADOW reads 0x%08x, %u VFs were enabled", shadow,
	               plan->num_vfs);
}

/* Twice at most: nobody else would notice that they stayed. */
static void undo_sriov(struct gv_pf *pf, const struct gv_pf_plan *plan)
{
	(void)plan;
	if (gv_bus_enable_vfs(pf->bus, 0, NULL) ||
	    GV_GET(read_shadow(pf), GIOV_SRIOV_SHADOW, VF_EN))
		(void)gv_bus_enable_vfs(pf->bus, 0, NULL);
}

static int do_check(struct gv_pf *pf, const struct gv_pf_plan *plan, unsigned flags,
                    struct gv_err *err)
{
	(void)flags;
	return pf_slices_check(pf, plan, err);
}

static int do_record(struct gv_pf *pf, const struct gv_pf_plan *plan, unsigned flags,
                     struct gv_err *err)
{
	(void)flags;
	return pf_state_write(pf, false, plan, err);
}

struct step {
	const char *name;
	int (*run)(struct gv_pf *pf, const struct gv_pf_plan *plan, unsigned flags,
	           struct gv_err *err);
	void (*undo)(struct gv_pf *pf, const struct gv_pf_plan *plan); /* may be NULL */
	bool again; /* after a reset of the whole GPU, too: VFs stayed, and are scrubbed later */
};

/* Scrub and exchange pages come before the VFs exist: nobody can look meanwhile. */
static const struct step steps[] = {
        {"second-level tables", do_tables, pf_tables_clear, true},
        {"slices", do_slices, pf_slices_clear, true},
        {"scrub", do_scrub, NULL, false},
        {"exchange pages", do_exchange, NULL, false},
        {"SR-IOV", do_sriov, undo_sriov, false},
        {"read-back", do_check, NULL, true},
        {"record", do_record, NULL, true},
};

const char *gv_pf_apply_step_name(unsigned i)
{
	return i < GV_ARRAY_LEN(steps) ? steps[i].name : NULL;
}

static int run_step(struct gv_pf *pf, unsigned i, const struct gv_pf_plan *plan, unsigned flags,
                    struct gv_err *err)
{
	uint64_t begin_ns = gv_now_ns();
	int rc = steps[i].run(pf, plan, flags, err);

	pf_trace(pf, GV_PF_TRACE_APPLY, -1, begin_ns, gv_now_ns(), "%s", steps[i].name);
	return rc;
}

int pf_put_back(struct gv_pf *pf, const struct gv_pf_plan *plan, struct gv_err *err)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < GV_ARRAY_LEN(steps); i++)
		if (steps[i].again) {
			rc = run_step(pf, i, plan, 0, err);
			if (rc)
				(void)gv_fail_prefix(err, "the plan again, step %s", steps[i].name);
		}
	return rc;
}

int pf_put_up(struct gv_pf *pf, const struct gv_pf_plan *plan, unsigned flags, struct gv_err *err)
{
	for (unsigned i = 0; i < GV_ARRAY_LEN(steps); i++) {
		int rc = run_step(pf, i, plan, flags, err);

		if (!rc)
			continue;
		for (unsigned k = i + 1; k-- > 0;)
			if (steps[k].undo)
				steps[k].undo(pf, plan);
		(void)gv_fail_prefix(err, "apply, step %s", steps[i].name);
		return rc;
	}
	pf->plan = *plan;
	pf->has_plan = true;
	pf->vfs_made++;
	pf_sessions_start(pf);
	pf_world_start(pf);
	return 0;
}

static void take_down(struct gv_pf *pf)
{
	pf_gates_close_all(pf);
	pf_world_stop(pf);
	pf_sessions_stop(pf);
	for (unsigned k = GV_ARRAY_LEN(steps); k-- > 0;)
		if (steps[k].undo)
			steps[k].undo(pf, &pf->plan);
	pf->has_plan = false;
	pf->vfs_made++;
	memset(&pf->plan, 0, sizeof(pf->plan));
}

/* ---- may it? ------------------------------------------------------------------ */

static bool in_use(enum gv_mbox_state state)
{
	return state != GV_MBOX_OFF && state != GV_MBOX_IDLE && state != GV_MBOX_FAILED;
}

int pf_check_idle(struct gv_pf *pf, unsigned flags, struct gv_err *err)
{
	for (unsigned i = 0; pf->has_plan && i < pf->plan.num_vfs; i++)
		if (in_use(pf->mbox.vf[i].state) && !(flags & GV_PF_APPLY_FORCE))
			return gv_fail(err, -EBUSY,
			               "VF%u is in use (%s): shut its guest down, or force it", i,
			               gv_mbox_state_name(pf->mbox.vf[i].state));
	return 0;
}

/* Would the hardware be set up in the same way? */
bool gv_pf_plan_same_vfs(const struct gv_pf_plan *a, const struct gv_pf_plan *b)
{
	bool same = a->num_vfs == b->num_vfs && a->csa_kib == b->csa_kib &&
	            a->csa_offset == b->csa_offset;

	for (unsigned i = 0; same && i < a->num_vfs; i++)
		same = a->vf[i].fb_offset_mib == b->vf[i].fb_offset_mib &&
		       a->vf[i].fb_mib == b->vf[i].fb_mib &&
		       a->vf[i].doorbell_pages == b->vf[i].doorbell_pages;
	return same;
}

static int check_plan(struct gv_pf *pf, const struct gv_pf_plan *plan, struct gv_err *err)
{
	if (!pf->booted)
		return gv_fail(err, -EAGAIN, "the GPU is not up");
	if (gv_pf_gpu_resetting(pf))
		return gv_fail(err, -EBUSY, "the whole GPU is being reset: try again in a moment");
	if (memcmp(&plan->caps, &pf->caps, sizeof(pf->caps)))
		return gv_fail(
		        err, -EINVAL,
		        "the plan is for a GPU with %u MiB and %u VFs, this one has %u and %u",
		        plan->caps.vram_mib, plan->caps.max_vfs, pf->caps.vram_mib,
		        pf->caps.max_vfs);
	if (!plan->num_vfs || plan->num_vfs > pf->caps.max_vfs)
		return gv_fail(err, -EINVAL, "the plan has %u VFs", plan->num_vfs);
	return 0;
}

/* ---- public --------------------------------------------------------------------- */

static int replace(struct gv_pf *pf, const struct gv_pf_plan *plan, unsigned flags,
                   struct gv_err *err)
{
	gv_auto_free struct gv_pf_plan *old = pf->has_plan ? malloc(sizeof(*old)) : NULL;
	struct gv_err again = {0};
	int rc;

	if (pf->has_plan && !old)
		return gv_fail(err, -ENOMEM, "no memory to keep the plan in force");
	/* Who finds this goes back to the old plan: docs/restart.md. */
	rc = pf_state_write(pf, true, pf->has_plan ? &pf->plan : NULL, err);
	if (rc)
		return rc;
	if (old) {
		*old = pf->plan;
		take_down(pf);
	}
	rc = pf_put_up(pf, plan, flags, err);
	if (!rc)
		return 0;
	if (old && pf_put_up(pf, old, flags, &again))
		pf_event(pf, GV_PF_EVENT_GPU, -1, "the earlier plan could not be restored: %s",
		         again.text);
	if (!pf->has_plan)
		(void)pf_state_write(pf, false, NULL, NULL);
	pf_event(pf, GV_PF_EVENT_APPLY, -1, "rolled back, %u VFs are enabled: %s",
	         pf->has_plan ? pf->plan.num_vfs : 0, err ? err->text : strerror(-rc));
	return rc;
}

int gv_pf_apply(struct gv_pf *pf, const struct gv_pf_plan *plan, unsigned flags, struct gv_err *err)
{
	struct gv_err local = {0};
	int rc = check_plan(pf, plan, err);

	err = err ? err : &local;
	if (rc)
		return rc;
	if (pf->has_plan && !memcmp(plan, &pf->plan, sizeof(*plan)))
		return 0;
	if (pf->has_plan && gv_pf_plan_same_vfs(plan, &pf->plan)) {
		rc = pf_state_write(pf, false, plan, err);
		if (rc)
			return rc;
		pf->plan = *plan;
		pf_sessions_note(pf);
		pf_guard_changed(pf);
		pf_world_start(pf);
		pf_event(pf, GV_PF_EVENT_APPLY, -1, "names, quanta and weights changed");
		return 0;
	}
	rc = pf_check_idle(pf, flags, err);
	if (!rc)
		rc = replace(pf, plan, flags, err);
	if (!rc)
		pf_event(pf, GV_PF_EVENT_APPLY, -1, "%s%s%u VFs are enabled", plan->name,
		         plan->name[0] ? ": " : "", plan->num_vfs);
	return rc;
}

int gv_pf_disable(struct gv_pf *pf, unsigned flags, struct gv_err *err)
{
	int rc;

	if (!pf->has_plan)
		return 0;
	rc = pf_check_idle(pf, flags, err);
	if (rc)
		return rc;
	(void)pf_state_write(pf, true, NULL, NULL);
	take_down(pf);
	(void)pf_state_write(pf, false, NULL, NULL);
	pf_event(pf, GV_PF_EVENT_APPLY, -1, "no VF is enabled");
	return 0;
}

const struct gv_pf_plan *gv_pf_get_plan(const struct gv_pf *pf)
{
	return pf->has_plan ? &pf->plan : NULL;
}

uint32_t gv_pf_vfs_made(const struct gv_pf *pf)
{
	return pf->vfs_made;
}
