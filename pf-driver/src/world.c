/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pf.h"
#include "world.h"

void pf_world_start(struct gv_pf *pf)
{
	(void)pf;
}

void pf_world_stop(struct gv_pf *pf)
{
	(void)pf;
}

uint64_t pf_world_step(struct gv_pf *pf, uint64_t now_ns)
{
	(void)pf;
	(void)now_ns;
	return UINT64_MAX;
}

/* Side by side: nobody has to be switched out. */
void pf_world_enter(struct gv_pf *pf, unsigned vf, bool fresh)
{
	(void)pf;
	(void)vf;
	(void)fresh;
}

bool pf_world_entered(const struct gv_pf *pf, unsigned vf)
{
	return pf_vf_enabled(pf, vf);
}

void pf_world_leave(struct gv_pf *pf, unsigned vf, bool active)
{
	(void)pf;
	(void)vf;
	(void)active;
}

void pf_world_forget(struct gv_pf *pf, unsigned vf)
{
	(void)pf;
	(void)vf;
}

void pf_world_hold(struct gv_pf *pf, unsigned vf, bool hold)
{
	(void)pf;
	(void)vf;
	(void)hold;
}
