/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The VF pool: who may have a VF, who has it, and whether it is clean. Rules
 * only, no I/O; gpuvisord keeps the claims' files and does the cleaning.
 *
 *   free --claim--> claimed --used--> in use --left--> cleaning --ok--> claimed or free
 *                      |  release                         |
 *                      +----------------> cleaning        +--failed--> dirty
 *
 * A dirty VF is handed out to nobody until a cleaning of it succeeds; one without a record of a
 * scrub that still holds (<gv/pf_guard.h>) until it was scrubbed; one in quarantine until the
 * operator takes it back.
 */
#ifndef GV_PF_POOL_H
#define GV_PF_POOL_H

#include <gv/base.h>
#include <gv/mailbox.h>

#define GV_POOL_MAX_VFS 16u
#define GV_POOL_TEXT    128
#define GV_POOL_UUID    37
/* The claim of a domain: this, then its name or UUID. */
#define GV_POOL_DOMAIN "domain:"

enum gv_pool_state {
	GV_POOL_FREE,
	GV_POOL_CLAIMED,
	GV_POOL_IN_USE,
	GV_POOL_CLEANING,
	GV_POOL_DIRTY,
	GV_POOL_UNSCRUBBED, /* nobody's, and somebody could write to its memory since the last scrub
	                     */
	GV_POOL_QUARANTINED, /* taken out by the guard or the operator */
	GV_POOL_STATES,
};
/** "free", "claimed", "in use", "cleaning", "dirty", "needs scrub", "quarantined". */
const char *gv_pool_state_name(enum gv_pool_state state);

struct gv_pool_vf {
	char owner[GV_POOL_TEXT];  /* "": nobody */
	char domain[GV_POOL_TEXT]; /* runs with it now; "": none that we know */
	char uuid[GV_POOL_UUID];
	char taken[GV_POOL_UUID]; /* the domain it was taken from by force, until that is news */
	bool cleaning, dirty;
	bool unscrubbed, quarantined; /* as the PF driver says, the caller keeps them up to date */
	bool releasing;               /* free once it is clean */
	bool seen;                    /* since gv_pool_sync_begin() */
	bool old; /* claimed before this start, or left since, and by nobody again: is its
	             domain still there? */
	uint32_t claims;
};

struct gv_pool {
	unsigned num_vfs;
	struct gv_pool_vf vf[GV_POOL_MAX_VFS];
};

/** @session: what the mailbox knows; a guest may use a VF that no domain has. */
enum gv_pool_state gv_pool_state(const struct gv_pool *pool, unsigned vf,
                                 enum gv_mbox_state session);

/** Claim for @owner. *@fresh: nobody had it (else it was @owner's already). -EINVAL: an owner that
 *  is empty, too long or not printable; -ENODEV: no such VF; -EBUSY: has an owner, is used, or is
 *  being cleaned; -EIO: dirty; -EUCLEAN: needs a scrub; -EPERM: in quarantine. */
int gv_pool_claim(struct gv_pool *pool, unsigned vf, enum gv_mbox_state session, const char *owner,
                  bool *fresh, struct gv_err *err);
/** Begin to give it back: the caller cleans it now. @owner NULL: whoever's. @force: although a
 *  domain was seen to use it (the caller has taken it away). -ENODEV; -EPERM: another one's;
 *  -EBUSY: used, or being released. One that is being cleaned is free afterwards; one without an
 *  owner is cleaned, too. */
int gv_pool_release(struct gv_pool *pool, unsigned vf, enum gv_mbox_state session,
                    const char *owner, bool force, struct gv_err *err);

/** A domain runs with it. Without an owner it becomes the owner. Returns whether it may: false
 *  when somebody else has the claim, or the VF is dirty, not scrubbed, or in quarantine. */
bool gv_pool_used(struct gv_pool *pool, unsigned vf, const char *domain, const char *uuid);
/** The domain (@uuid) does not have it any more. True: clean it now. */
bool gv_pool_left(struct gv_pool *pool, unsigned vf, const char *uuid);
/** Cleaning has ended. */
void gv_pool_cleaned(struct gv_pool *pool, unsigned vf, bool ok);

/** After a new connection: begin, gv_pool_used() for all that run, end. Returns the VFs whose
 *  domain is gone (clean them now), as a mask. */
void gv_pool_sync_begin(struct gv_pool *pool);
uint32_t gv_pool_sync_end(struct gv_pool *pool);

/** Is it the claim of the domain with this name or UUID? */
bool gv_pool_owned_by(const struct gv_pool_vf *vf, const char *name, const char *uuid);
/** The domain that it was for is gone. Drops the claim when it still is the one with number
 *  @claims, a domain's, and no domain runs with it. True: dropped. */
bool gv_pool_forget(struct gv_pool *pool, unsigned vf, uint32_t claims);

#endif
