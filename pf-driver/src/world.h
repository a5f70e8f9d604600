/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * World switch: takes the engines from one VF and gives them to another by GPUIOV commands, as
 * sched_rounds.h decides, a command at a time and without waiting. All calls come from the thread
 * that owns the struct gv_pf.
 *
 *             IDLE            SAVE              LOAD, INIT          RUN
 *   RUNNING ---------> IDLE ---------> OUT -----------------> READY ----> RUNNING
 *     |                                 ^ |                                  ^
 *     | CONTEXT_SWITCH of the one ______| |__ and of the other ______________|
 *
 * FREE is a VF that no command ever stopped. Where a VF is is asked of the GPU when we start, and
 * when a command was aborted or the VF was reset; else it follows from the commands that ended.
 */
#ifndef PF_WORLD_H
#define PF_WORLD_H

#include <gv/layouts.h>
#include <gv/pf_world.h>

#include "sched_rounds.h"

struct gv_pf;

struct pf_world_vf {
	enum gv_world_state at;
	bool saved; /* its context save area holds it */
	bool fresh; /* and shall be forgotten */
	bool lost;  /* hangs: no command about it until it was reset */
	bool stays; /* IDLE, but not saved: its area is too small */
	bool stayed;
	unsigned aborted;  /* commands in a row */
	uint64_t after_ns; /* no exclusive access before that while others want the engines */
	uint64_t asked_ns; /* for it */
	uint64_t hangs;
	uint64_t switches, switch_sum_ns;
	uint32_t switch_ns[GV_PF_SWITCHES]; /* the last ones, a ring */
	uint64_t busy_was_ns;
	uint32_t busy_permille;
};

struct pf_world {
	bool on, unsupported, interrupts;
	struct sched sched;
	unsigned members;
	struct pf_world_vf vf[SCHED_MAX_VFS];
	/* the command under way */
	enum gv_giov_cmd cmd; /* 0 none */
	unsigned cmd_vf;
	int cmd_next;
	unsigned cmd_looks;
	bool cmd_late;             /* it was reported as a hang; we wait for its end all the same */
	uint64_t cmd_ns, usual_ns; /* began; a switch in one command takes so long */
	uint64_t cmd_due_ns;       /* when it is looked at next, if nobody keeps us from it */
	uint64_t cmd_end_ns;       /* when it ended, as the GPU tells, 0: it has not told */
	bool tells_ends;           /* it has told of one by an interrupt */
	uint64_t clock_lag,
	        clock_ns; /* our clock is so far ahead of the GPU's; seen at that time */
	uint64_t came_ns; /* somebody got the engines just now, 0: by no command */

	unsigned num_windows;
	uint8_t window[SCHED_MAX_VFS]; /* who has, and who waits for, exclusive access */
	uint64_t window_ns;        /* since when the first of them stops the round, 0: not yet */
	uint64_t switch_ns;        /* when the one under way began, 0 none */
	bool told, seen_interrupt; /* by the GPU: somebody has work now, or has none */
	uint64_t awake_ns;         /* last time that somebody had work */
	uint64_t look_ns;          /* last look at who has work */
	uint64_t share_ns;
	uint64_t switches, hangs;
};

/** A plan came into force, or its policy, weights, quanta changed: follow pf->plan. VFs that are
 *  in the middle of something (we were restarted) go on from where they are. */
void pf_world_start(struct gv_pf *pf);
/** No VF any more. */
void pf_world_stop(struct gv_pf *pf);
/** Do what is due. Returns when it wants to be called again, UINT64_MAX: when something happens. */
uint64_t pf_world_step(struct gv_pf *pf, uint64_t now_ns);

/* Exclusive access: the round stops, @vf gets the engines alone. Two that ask at once: one after
 * the other. Who asks again soon waits until the others had the engines as long as it had them, or
 * they would never get to run. With policy none nobody is stopped. */
/** @fresh: what was saved of it is not loaded. */
void pf_world_enter(struct gv_pf *pf, unsigned vf, bool fresh);
/** Does it have them now? */
bool pf_world_entered(const struct gv_pf *pf, unsigned vf);
/** Exclusive access is over, or is not wanted any more. */
void pf_world_leave(struct gv_pf *pf, unsigned vf);

/** Its place in the line for exclusive access, -1: it is not there. */
int pf_window_of(const struct pf_world *w, unsigned vf);
/** Does the round stop for somebody? That one is the first of the line then. */
bool pf_window_is_due(struct pf_world *w, uint64_t now_ns);
/** Nobody's time has come: all who wait do without slices. Returns when to ask again. */
uint64_t pf_window_next(struct pf_world *w);

/** Its engines were reset: what we knew of them is no more. */
void pf_world_forget(struct gv_pf *pf, unsigned vf);
/** A VF that is held gets no slices, until it is let go. */
void pf_world_hold(struct gv_pf *pf, unsigned vf, bool hold);

/** Does the policy in force give the engines to one VF at a time? */
bool pf_world_alone(const struct gv_pf *pf);
/** Has a guest's VF them now? */
bool pf_world_runs(const struct gv_pf *pf, unsigned vf);

/* ---- who has work (world_look.c) */
/** Look, if it is time. Returns when to look again. */
uint64_t pf_world_look(struct gv_pf *pf, uint64_t now_ns);
/** Shall the GPU tell when somebody gets work, or has none any more? */
void pf_world_interrupts(struct gv_pf *pf, bool on);
/** It does: new bits of GIOV_INTR_STATUS, and its clock (48 bits of 10 ns) at that time. */
void pf_world_interrupt(struct gv_pf *pf, uint32_t status, uint64_t gpu_clock);

/* ---- status (world_status.c) */
/** Once a second: who used how much of it. */
void pf_world_measure_shares(struct pf_world *w, uint64_t now_ns);
void pf_world_get_status(const struct gv_pf *pf, struct gv_pf_world_status *status);
void pf_world_get_vf_status(const struct gv_pf *pf, unsigned vf, struct gv_pf_vf_world *status);

#endif
