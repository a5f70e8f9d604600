/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Containment inside the PF driver: escalation, guard, quarantine, reset of the whole GPU, scrub
 * records. docs/containment.md tells the story. Included by pf.h. */
#ifndef GV_PF_CONTAIN_H
#define GV_PF_CONTAIN_H

#include <gv/pf_guard.h>

#include "guard.h"

struct gv_pf_plan;
struct pf_state;

struct pf_contain_vf {
	/* guard */
	struct pf_guard guard;
	uint64_t guard_since_ms;
	char guard_why[96];
	uint32_t seen[GV_CFG_GUARDS]; /* the GPU's counters at the last look */
	bool seen_any;
	uint64_t noted_ns;    /* when the journal got these counts */
	bool held;            /* gets no engine time */
	bool quarantine_next; /* as soon as the reset under way has ended */
	bool quarantined;     /* its session is OFF */
	/* hangs */
	enum gv_pf_contain_step step;
	uint64_t hangs, began_ns, last_ns;
	char what[96];
};

/* Reset of the whole GPU.
 *
 *   TELL -> RESET -> BACK -> NONE
 *     |       |        every VF is scrubbed, and its guest may start anew
 *     |       PSP mode 1, then bring-up and the plan in force again
 *     guests are told, until all are ready or the deadline
 */
enum pf_gpu_phase { PF_GPU_NONE, PF_GPU_TELL, PF_GPU_RESET, PF_GPU_BACK }; /* in files */

struct pf_gpu_reset {
	enum pf_gpu_phase phase;
	int culprit; /* -1 none */
	char why[96];
	uint64_t begin_ns, deadline_ns;
	uint64_t count, failures;
};

/* What is known of the memory of a VF. Outlives its session. */
struct pf_scrubbed {
	struct gv_pf_scrub_record record;
	char tenant[GV_PF_TENANT_TEXT];  /* whose it is now */
	char data_of[GV_PF_TENANT_TEXT]; /* whose data is in it */
};

/* ---- contain.c: escalation and guard */

/** @vf made no progress in time: tell its guest, reset it, and the GPU if that fails. @what: for
 *  people, "no answer to IDLE within 6 ms". A VF that is being reset already: nothing. */
void pf_contain_hang(struct gv_pf *pf, unsigned vf, const char *what);
/** Do what is due; when to call again. */
uint64_t pf_contain_step(struct gv_pf *pf, uint64_t now_ns);
/** The VF's FLR begins, or does not end in time. */
void pf_contain_flr(struct gv_pf *pf, unsigned vf);
void pf_contain_flr_failed(struct gv_pf *pf, unsigned vf);
/** Its reset has ended. True: the VF went into quarantine, its session is over. */
bool pf_contain_reset_ended(struct gv_pf *pf, unsigned vf, int result);

/** The mailbox's guard has held something back. */
void pf_guard_over(struct gv_pf *pf, unsigned vf, enum gv_mbox_guard_kind kind, uint64_t now_ns);
/** Look at the GPU's counters. */
void pf_guard_look(struct gv_pf *pf, uint64_t now_ns);
/** The same plan with other limits is in force. */
void pf_guard_changed(struct gv_pf *pf);
/** The VF was made: it is in no quarantine any more. */
void pf_contain_new(struct gv_pf *pf, unsigned vf);
/** What the journal knows of quarantines is so again. After sessions were taken over. */
void pf_contain_adopt(struct gv_pf *pf);
void pf_contain_get_status(const struct gv_pf *pf, unsigned vf, struct gv_pf_guard_status *guard,
                           struct gv_pf_contain_status *contain);

/* ---- gpu_reset.c */
/** Because of @culprit, which goes into quarantine afterwards. */
void pf_gpu_reset_for(struct gv_pf *pf, unsigned culprit, const char *why);
/** A reset of the whole GPU is about to do what an FLR would. */
bool pf_gpu_reset_does(const struct gv_pf *pf);
uint64_t pf_gpu_reset_step(struct gv_pf *pf, uint64_t now_ns);
/** Was the daemon before killed in one? Then it is under way again, in TELL or RESET, and *@state
 * is what was in force. */
bool pf_gpu_reset_found(struct gv_pf *pf, struct pf_state *state);
/** That is over, or means nothing for this GPU. */
void pf_gpu_reset_forget(struct gv_pf *pf);
/** Sessions were taken over: it goes on. */
void pf_gpu_reset_resume(struct gv_pf *pf);

/* ---- scrub_record.c */
/** Nobody knows any more what is in the VF's memory, or somebody may write to it from now on. */
void pf_scrub_dirty(struct gv_pf *pf, unsigned vf);
/** Its memory @why was filled with zeros from @begin_ns on, and looked at. */
void pf_scrub_note(struct gv_pf *pf, const struct gv_pf_plan *plan, unsigned vf,
                   enum gv_pf_scrub_why why, uint64_t begin_ns);
/** It was not, although it should have been: what is in there is unknown. */
void pf_scrub_forget(struct gv_pf *pf, unsigned vf);
/** What the journal knows of the memory of the VFs in force. */
void pf_scrub_adopt(struct gv_pf *pf);

#endif
