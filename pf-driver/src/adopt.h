/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Taking over what another gpuvisord has left: journal, boot record and hardware made to agree. */
#ifndef PF_ADOPT_H
#define PF_ADOPT_H

#include "boot_state.h"

/* What the hardware shows of a session. */
struct pf_seen {
	unsigned gates; /* PF_GATE_* that are open */
	uint32_t heard; /* code in the VF's words, whether it still shows them or not */
	bool heard_valid, heard_acked;
	uint32_t said; /* code in ours */
	bool said_valid, said_acked;
	uint32_t pending; /* asked and ACKed, to be answered after a reset: PF_BOOT_PENDING */
};
/** The session that looks so. Pure. Where the gates say that nobody runs, it is one whose reset is
 *  to be done (again): that is safe whatever was the case. */
void pf_session_rebuild(const struct pf_seen *seen, struct gv_mbox_saved *saved);

/** One that is reset, and what its guest @asked for, if it waits for the answer, asked for again.
 */
struct gv_mbox_saved pf_session_cleaned(uint32_t asked);
/** What becomes of a session when mode 1 has taken its VF's registers along: it is being reset, its
 *  guest is told at the end, and what it had asked for is asked again then. Pure. */
void pf_session_wiped(struct gv_mbox_saved *saved);

/* What is to be done about two states, one of the journal and one of the boot record. */
enum pf_reconciled {
	PF_SAME,        /* they agree */
	PF_JOURNAL_OLD, /* the hardware went on without this journal: its sessions mean nothing */
	PF_FINISH,      /* the journal's plan is in force, only its record is missing */
	PF_NOT_BEGUN,   /* a change was noted and nothing of it done */
	PF_NO_MATCH,    /* cannot be */
};
/** @journal NULL: there is none. Pure. */
enum pf_reconciled pf_reconcile(const struct pf_state *journal, const struct pf_state *record);

/** Open the journal. -EBUSY: another process has it. */
int pf_adopt_open(struct gv_pf *pf, struct gv_err *err);
/** After the bring-up: take over what @record says is in force; NULL: nothing is, and what the
 *  journal says of sessions is forgotten. -ESTALE: hardware, record and journal do not agree. */
int pf_adopt(struct gv_pf *pf, const struct pf_state *record, struct gv_err *err);
/** Last: sessions go on, what was under way begins again. */
void pf_adopt_resume(struct gv_pf *pf);
/** Note what sessions are, where that has changed. */
void pf_sessions_note(struct gv_pf *pf);
/** The GPU was put back: nothing is left to take over. */
void pf_adopt_forget(struct gv_pf *pf);

#endif
