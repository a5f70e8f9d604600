/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* World switch: a VF's engines stop and go on. */
#include "world.h"

bool gv_world_hold_until(struct gv_fn *f, uint64_t end_ns)
{
	struct gv_world_vf *v = gv_world_of(f);
	bool cp, sdma;

	if (v->held)
		return true;
	atomic_store(&f->stopping, true);
	cp = gv_cp_pause_until(f, end_ns);
	sdma = gv_sdma_pause_until(f, end_ns);
	if (v->asked) { /* once is enough */
		gv_sdma_resume(f);
		gv_cp_resume(f);
	}
	v->asked = true;
	if (!cp || !sdma)
		return false;
	atomic_store(&f->stopping, false);
	v->held = true;
	return true;
}

void gv_world_hold(struct gv_fn *f)
{
	(void)gv_world_hold_until(f, UINT64_MAX);
}

void gv_world_let_go(struct gv_fn *f)
{
	struct gv_world_vf *v = gv_world_of(f);

	if (!v->asked)
		return;
	v->asked = v->held = false;
	atomic_store(&f->stopping, false);
	gv_sdma_resume(f);
	gv_cp_resume(f);
}
