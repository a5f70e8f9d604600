/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is told of the time slices: shares, what switches cost. */
#include <string.h>

#include "pf.h"

/* Of the last second: how much of it a VF had the engines and work for them. */
void pf_world_measure_shares(struct pf_world *w, uint64_t now_ns)
{
	uint64_t ns = now_ns - w->share_ns;

	if (ns < GV_S)
		return;
	w->share_ns = now_ns;
	for (unsigned i = 0; i < SCHED_MAX_VFS; i++) {
		uint64_t busy_ns = w->sched.vf[i].busy_ns - w->vf[i].busy_was_ns;

		w->vf[i].busy_was_ns = w->sched.vf[i].busy_ns;
		w->vf[i].busy_permille = (uint32_t)GV_MIN(1000 * busy_ns / ns, 1000u);
	}
}

static int smaller_first(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void percentiles(const struct pf_world_vf *v, struct gv_pf_vf_world *status)
{
	size_t n = GV_MIN(v->switches, (uint64_t)GV_PF_SWITCHES);
	uint32_t ns[GV_PF_SWITCHES];

	if (!n)
		return;
	memcpy(ns, v->switch_ns, n * sizeof(ns[0]));
	qsort(ns, n, sizeof(ns[0]), smaller_first);
	status->switch_p50_ns = ns[(n - 1) / 2];
	status->switch_p99_ns = ns[(n - 1) * 99 / 100];
}

void pf_world_get_vf_status(const struct gv_pf *pf, unsigned vf, struct gv_pf_vf_world *status)
{
	const struct sched_vf *s = &pf->world.sched.vf[vf];
	const struct pf_world_vf *v = &pf->world.vf[vf];

	*status = (struct gv_pf_vf_world){
	        .active = pf_world_alone(pf) && pf_world_runs(pf, vf),
	        .busy = s->busy,
	        .held = s->held,
	        .slices = s->slices,
	        .overruns = s->overruns,
	        .given_up = s->given_up,
	        .hangs = v->hangs,
	        .ran_ns = s->ran_ns,
	        .busy_permille = v->busy_permille,
	        .switches = v->switches,
	        .switch_sum_ns = v->switch_sum_ns,
	};
	percentiles(v, status);
}

void pf_world_get_status(const struct gv_pf *pf, struct gv_pf_world_status *status)
{
	const struct pf_world *w = &pf->world;

	*status = (struct gv_pf_world_status){
	        .asked = pf->plan.policy,
	        .policy = pf_world_alone(pf) ? pf->plan.policy : GV_CFG_SCHED_NONE,
	        .active = -1,
	        .window = w->window_ns ? w->window[0] : -1,
	        .rounds = w->sched.rounds,
	        .switches = w->switches,
	        .hangs = w->hangs,
	};
	for (unsigned i = 0; pf_world_alone(pf) && i < pf->plan.num_vfs; i++)
		if (pf_world_runs(pf, i))
			status->active = (int)i;
}
