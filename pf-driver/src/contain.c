/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is done about a VF that hangs or does too much: the steps, one after the other, each with
 * its deadline and its event. */
#include <stdio.h>
#include <string.h>

#include "pf.h"
#include "world.h"

const char *gv_pf_contain_step_name(enum gv_pf_contain_step step)
{
	static const char *const names[GV_PF_CONTAIN_STEPS] = {
	        [GV_PF_CONTAIN_NONE] = "none",
	        [GV_PF_CONTAIN_TOLD] = "told",
	        [GV_PF_CONTAIN_FLR] = "flr",
	        [GV_PF_CONTAIN_GPU] = "gpu-reset",
	};

	return (unsigned)step < GV_PF_CONTAIN_STEPS ? names[step] : "unknown";
}

void pf_contain_hang(struct gv_pf *pf, unsigned vf, const char *what)
{
	struct pf_contain_vf *c = &pf->vf[vf].contain;
	struct gv_mbox_acts acts;

	if (!pf_vf_enabled(pf, vf) || c->step != GV_PF_CONTAIN_NONE || gv_pf_vf_resetting(pf, vf))
		return;
	c->hangs++;
	c->began_ns = gv_now_ns();
	c->step = GV_PF_CONTAIN_TOLD;
	snprintf(c->what, sizeof(c->what), "%s", what);
	pf_event(pf, GV_PF_EVENT_CONTAIN, (int)vf,
	         "hangs: %s; step 1 of 3: its guest is told and has %u ms to stop", what,
	         pf->mbox.cfg.notify_ms);
	if (!gv_mbox_pf_reset(&pf->mbox, vf, GV_MBOX_WHY_HANG, gv_now_ns(), &acts))
		pf_actions_run(pf, &acts);
}

bool pf_guard_admit(struct gv_pf *pf, unsigned vf, enum gv_cfg_guard_kind kind, uint64_t now_ns)
{
	(void)pf;
	(void)vf;
	(void)kind;
	(void)now_ns;
	return true;
}

uint64_t pf_contain_step(struct gv_pf *pf, uint64_t now_ns)
{
	(void)pf;
	(void)now_ns;
	return UINT64_MAX;
}
