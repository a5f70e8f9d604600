/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the next daemon must know of the decisions of this one: a file of records, appended before
 * a decision takes effect. docs/restart.md tells the story.
 *
 * The last record of a kind and VF is the one that counts. Records written with write() survive
 * the death of the daemon; kinds that must survive a power cut, too, are synced (journal.c, the
 * table). A file that cannot be written is removed: what it does not know would be missed later,
 * and the hardware knows enough.
 */
#ifndef GV_PF_JOURNAL_H
#define GV_PF_JOURNAL_H

#include <gv/base.h>

struct gv_pf;

/* Numbers are in files: only ever added. */
enum pf_journal_kind {
	PF_JOURNAL_STATE = 1,   /* plan in force, or being changed (boot_state.h); synced */
	PF_JOURNAL_SESSION = 2, /* of a VF (adopt.c) */
	PF_JOURNAL_GUARD = 3,   /* of a VF: quarantine; synced */
	PF_JOURNAL_SCRUB = 4,   /* of a VF: needed, or when and how it was done */
	PF_JOURNAL_POOL = 5,    /* of a VF: owner, dirty, cleaning (the daemon) */
	PF_JOURNAL_EARLIER = 6, /* what rollback goes back to (the daemon) */
	PF_JOURNAL_RESET = 7,   /* reset of the whole GPU under way, and the plan (gpu_reset.c) */
	PF_JOURNAL_COUNTS = 8,  /* of a VF: what the guard has counted and done about it */
	PF_JOURNAL_KINDS,
};

#define PF_JOURNAL_MAX_BYTES 8192u /* of one record */
#define PF_JOURNAL_NO_VF     (-1)

/** Note @bytes of @data as the last word of @kind about @vf (PF_JOURNAL_NO_VF: the GPU). What is
 *  in force already is not written again. Without a journal: nothing. Never fails: a journal that
 *  cannot be written is removed, and that is logged. */
void pf_journal_note(struct gv_pf *pf, enum pf_journal_kind kind, int vf, const void *data,
                     size_t bytes);
/** The last word, borrowed until the next note of its kind and VF; NULL when there is none. */
const void *pf_journal_last(const struct gv_pf *pf, enum pf_journal_kind kind, int vf,
                            size_t *bytes);

/* ---- the file, without a PF ------------------------------------------------------- */

#define PF_JOURNAL_MAGIC   0x314a5647u /* "GVJ1" */
#define PF_JOURNAL_VERSION 1u

/* In front of every record, of all versions. Little endian, as the machines that run this. */
struct pf_journal_head {
	uint32_t magic;
	uint16_t version, kind;
	int32_t vf;
	uint32_t bytes;      /* of data behind it */
	uint64_t generation; /* one more than that of the record before */
	uint32_t crc;        /* of this with crc 0, and the data */
	uint32_t reserved;
};
_Static_assert(sizeof(struct pf_journal_head) == 32, "on disk");

struct pf_journal;

enum pf_journal_found {
	PF_JOURNAL_NEW,   /* there was none */
	PF_JOURNAL_WHOLE, /* read to its end */
	PF_JOURNAL_TORN,  /* cut at its last good record: the writer was killed in the one behind */
	PF_JOURNAL_NEWER, /* of a newer version: not read */
	PF_JOURNAL_BAD,   /* damaged before its end: not read */
};
/** "new", "whole", "torn", "newer", "damaged". */
const char *pf_journal_found_name(enum pf_journal_found found);

/**
 * Open or make @path and read it. One that is newer or damaged is renamed to @path.refused (an
 * earlier one there is replaced) and a new one begun; @found and @why (what is wrong; may be
 * NULL) say so. -EBUSY: another process has it; else what opening gave.
 */
int pf_journal_open(const char *path, struct pf_journal **journal, enum pf_journal_found *found,
                    struct gv_err *why);
/** Takes NULL, returns NULL. The file stays. */
struct pf_journal *pf_journal_close(struct pf_journal *j);
/** -EINVAL: not a kind, a VF above 31, or too long; or what writing gave. */
int pf_journal_put(struct pf_journal *j, enum pf_journal_kind kind, int vf, const void *data,
                   size_t bytes);
const void *pf_journal_get(const struct pf_journal *j, enum pf_journal_kind kind, int vf,
                           size_t *bytes);
/** Forget what is known of @kind about all VFs. */
int pf_journal_drop(struct pf_journal *j, enum pf_journal_kind kind);
/** How long the file is. */
uint64_t pf_journal_bytes(const struct pf_journal *j);
uint64_t pf_journal_generation(const struct pf_journal *j);
/** Remove the file, and close. */
struct pf_journal *pf_journal_remove(struct pf_journal *j);

#endif
