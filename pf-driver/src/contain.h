/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Containment inside the PF driver: escalation, guard, whole-GPU reset. Included by pf.h. */
#ifndef GV_PF_CONTAIN_H
#define GV_PF_CONTAIN_H

#include <gv/pf_guard.h>

#include "guard.h"

struct gv_mbox_act;

struct pf_contain_vf {
	struct pf_guard guard;
	uint64_t guard_since_ms;
	char guard_why[96];
	uint32_t seen[GV_CFG_GUARDS]; /* counters of the GPU at the last look */
	bool seen_any;
	bool held;            /* gets no engine time */
	unsigned held_gates;  /* shut by us, to be opened again */
	bool quarantine_next; /* as soon as the reset under way has ended */
	bool quarantined;
	enum gv_pf_contain_step step;
	uint64_t hangs, began_ns, last_ns;
	char what[96];
};

/** @vf made no progress in time: tell its guest, reset it, and the GPU if that fails. @what: for
 *  people, "no answer to IDLE within 6 ms". A VF whose hang is being handled already: nothing. */
void pf_contain_hang(struct gv_pf *pf, unsigned vf, const char *what);
/** Do what is due; when to call again. */
uint64_t pf_contain_step(struct gv_pf *pf, uint64_t now_ns);

/** One more of @kind. False: it is over the limit and the policy is not to ignore that; what the
 *  policy asks for was begun. */
bool pf_guard_admit(struct gv_pf *pf, unsigned vf, enum gv_cfg_guard_kind kind, uint64_t now_ns);

#endif
