/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Time slices: what gv_pf_status tells of how the VFs share the engines. Which VF has them when
 * is decided by the profile's "scheduler" (docs/profiles.md); docs/gpuvisord.md tells how a
 * switch goes.
 */
#ifndef GV_PF_WORLD_H
#define GV_PF_WORLD_H

#include <gv/configs.h>

/* Of one VF. Zero with policy "none". */
struct gv_pf_vf_world {
	bool active;            /* its engines run now */
	bool busy;              /* it has work, as was seen last */
	bool held;              /* gets no slices */
	uint64_t slices;        /* that it ran */
	uint64_t overruns;      /* slices that ended more than a tenth later than they should */
	uint64_t given_up;      /* slices that ended early because it had nothing to do */
	uint64_t hangs;         /* commands about it that did not end in time */
	uint64_t ran_ns;        /* time that it had the engines, all in all */
	uint32_t busy_permille; /* of the last second: time in which it had them, and work */
	/* From the first command that takes the engines from another to the end of the one that
	 * gives them to this VF; p50 and p99 of the last GV_PF_SWITCHES. */
	uint64_t switches, switch_sum_ns, switch_p50_ns, switch_p99_ns;
};
#define GV_PF_SWITCHES 128u

struct gv_pf_world_status {
	enum gv_cfg_sched asked;  /* policy of the plan in force */
	enum gv_cfg_sched policy; /* in force: none when the GPU does not take the commands */
	int active;               /* VF whose engines run alone, -1: none, or all side by side */
	int window;               /* VF that has, or waits for, exclusive access; -1 none */
	uint64_t rounds, switches, hangs;
};

#endif
