/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * World switch: takes the engines from one VF and gives them to another by GPUIOV commands, in the
 * order that sched_rounds.h decides, a command at a time and without waiting. All calls come from the
 * thread that owns the struct gv_pf.
 */
#ifndef PF_WORLD_H
#define PF_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include <gv/pf_world.h>

struct gv_pf;

/** A plan came into force, or its policy, weights, quanta changed: follow pf->plan. */
void pf_world_start(struct gv_pf *pf);
/** No VF any more. */
void pf_world_stop(struct gv_pf *pf);
/** Do what is due. Returns when it wants to be called again, UINT64_MAX: when something happens. */
uint64_t pf_world_step(struct gv_pf *pf, uint64_t now_ns);

/* Exclusive access: the round stops, @vf gets the engines alone. Two that ask at once: one after
 * the other. */
/** @fresh: whatever its engines had is forgotten. */
void pf_world_enter(struct gv_pf *pf, unsigned vf, bool fresh);
/** Does it have them now? */
bool pf_world_entered(const struct gv_pf *pf, unsigned vf);
/** Exclusive access is over, or given up. @active: it gets slices from now on, else none. */
void pf_world_leave(struct gv_pf *pf, unsigned vf, bool active);

/** Its engines were reset: there is nothing to save or to load. */
void pf_world_forget(struct gv_pf *pf, unsigned vf);
/** A VF that is held gets no slices, until it is let go. */
void pf_world_hold(struct gv_pf *pf, unsigned vf, bool hold);

#endif
