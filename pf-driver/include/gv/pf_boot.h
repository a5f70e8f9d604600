/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How the GPU was found at the start and what was done about it; and what one daemon leaves to
 * the next. docs/restart.md tells the story.
 *
 *   cold          nobody has set it up                        all steps
 *   other         somebody else has                           reset of the whole GPU, all steps
 *   forced        GPUVISOR_RESET=1                            the same
 *   taken-over    we have, and VFs may run                    volatile blocks only, no VF is
 * touched
 */
#ifndef GV_PF_BOOT_H
#define GV_PF_BOOT_H

#include <gv/base.h>

struct gv_pf;

enum gv_pf_boot_path {
	GV_PF_BOOT_NOT,
	GV_PF_BOOT_COLD,
	GV_PF_BOOT_OTHER,
	GV_PF_BOOT_FORCED,
	GV_PF_BOOT_TAKEN_OVER,
	GV_PF_BOOT_PATHS,
};
/** "not", "cold", "other", "forced", "taken-over". */
const char *gv_pf_boot_path_name(enum gv_pf_boot_path path);

/* What became of an apply, or disable, in which the daemon before was killed. */
enum gv_pf_boot_apply {
	GV_PF_BOOT_APPLY_NONE,     /* there was none */
	GV_PF_BOOT_ROLLED_BACK,    /* the plan before it is in force again, with fresh VFs */
	GV_PF_BOOT_FINISHED,       /* all its steps were done: it is in force */
	GV_PF_BOOT_RESET_FINISHED, /* no apply: a reset of the whole GPU, which was finished */
	GV_PF_BOOT_APPLY_STATES,
};
/** "none", "rolled-back", "finished", "reset-finished". */
const char *gv_pf_boot_apply_name(enum gv_pf_boot_apply apply);

#define GV_PF_BOOT_STEPS 16u

struct gv_pf_boot_status {
	enum gv_pf_boot_path path;
	char why[160];       /* what told so */
	uint64_t generation; /* of the boot record: counts changes of the plan */
	uint64_t total_us;
	unsigned num_steps;
	struct {
		const char *name;
		uint64_t us;
	} step[GV_PF_BOOT_STEPS]; /* "reset" and "adopt", where they were needed, among them */

	char journal[240];      /* its file, "" none */
	const char *found;      /* "new", "whole", "torn", "newer", "damaged"; "" none */
	uint64_t journal_bytes; /* now */

	/* taken-over only */
	unsigned vfs_adopted;
	unsigned sessions_read, sessions_rebuilt; /* from the journal, from the hardware */
	unsigned jobs_redone;                     /* resets, uploads, windows begun again */
	enum gv_pf_boot_apply apply;
};

/**
 * Leave the GPU as it is, VFs and all, and stop touching it: the next gv_pf_boot(), of whatever
 * process, takes over. Afterwards gv_pf_close() only. Nothing when it is not up.
 */
void gv_pf_leave(struct gv_pf *pf);

/* What the owner wants to find again after a restart. Numbers are in files. */
enum gv_pf_keep {
	GV_PF_KEEP_POOL = 5,    /* of a VF */
	GV_PF_KEEP_EARLIER = 6, /* of the GPU: @vf -1 */
};
/** Keep @bytes (at most 8192) in the journal, in place of what was kept before. Without a journal:
 *  nothing. */
void gv_pf_keep(struct gv_pf *pf, enum gv_pf_keep what, int vf, const void *data, size_t bytes);
/** What was kept, borrowed until the next gv_pf_keep(); NULL: nothing. */
const void *gv_pf_kept(const struct gv_pf *pf, enum gv_pf_keep what, int vf, size_t *bytes);

struct json_object;
/** As `status` shows it. Caller frees. */
struct json_object *gv_pf_boot_json(const struct gv_pf_boot_status *s);

#endif
