/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who has set the GPU up: a flag in a scratch register of the PF, and the boot record in the PF's
 * window. A VF reaches neither. The same bytes are in the journal.
 *
 *   record, generation g      READY old
 *   apply begins          g+1 CHANGING, old is what to go back to     (journal, then VRAM)
 *   ... its steps ...
 *   apply ends            g+2 READY new
 */
#ifndef PF_BOOT_STATE_H
#define PF_BOOT_STATE_H

#include <gv/pf_boot.h>
#include <gv/pf_driver.h>

struct pf_state {
	uint64_t boot_id;    /* random: this life of the GPU, from its bring-up on */
	uint64_t generation; /* one more with every state */
	bool changing;       /* the plan is what to go back to */
	bool has_plan;
	struct gv_pf_plan plan;
};

#define PF_STATE_BYTES 4096u /* room for a packed one */
/* SCRATCH_REG7 of the PF, as AM (the tinygrad driver) uses it: silicon keeps it until a reset. */
#define PF_STATE_FLAG 0x47560001u /* "GV", layout 1 */

/** @buf gets the packed state. Returns its length. */
size_t pf_state_pack(const struct pf_state *s, uint8_t buf[PF_STATE_BYTES]);
/** -EBADMSG: not a state, or damaged; -ENOTSUP: of a newer version. */
int pf_state_unpack(const void *buf, size_t bytes, struct pf_state *s, struct gv_err *err);

/** The newest whole record in VRAM. Errors of pf_state_unpack(), or of reading. */
int pf_state_read(struct gv_pf *pf, struct pf_state *s, struct gv_err *err);
/** Put the next one down, into the journal first. @plan NULL: none. */
int pf_state_write(struct gv_pf *pf, bool changing, const struct gv_pf_plan *plan,
                   struct gv_err *err);

/** Which way to bring the GPU up; @s: what is in force, with GV_PF_BOOT_TAKEN_OVER. -EBADMSG,
 *  -ENOTSUP: it was set up by a gpuvisord, VFs are enabled, and its record cannot be used. */
int pf_boot_look(struct gv_pf *pf, enum gv_pf_boot_path *path, struct pf_state *s,
                 struct gv_err *err);
/** Are VFs enabled? How many. */
unsigned pf_boot_vfs(struct gv_pf *pf);

/* The last step of the bring-up. */
int pf_state_init(struct gv_pf *pf, struct gv_err *err);
int pf_state_adopt(struct gv_pf *pf, struct gv_err *err);
void pf_state_fini(struct gv_pf *pf);

#endif
