/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The "guard" of a profile: how much each VF may do in a time, and what happens above that. Part of
 * <gv/configs.h>. */
#ifndef GV_CFG_GUARD_H
#define GV_CFG_GUARD_H

#include <gv/base.h>

/* What is counted, per VF. */
enum gv_cfg_guard_kind {
	GV_CFG_GUARD_MESSAGES,           /* mailbox messages */
	GV_CFG_GUARD_EXCLUSIVE,          /* requests for exclusive access */
	GV_CFG_GUARD_EXCLUSIVE_TIMEOUTS, /* exclusive access not given back in time */
	GV_CFG_GUARD_FLRS,               /* resets by the guest's fault */
	GV_CFG_GUARD_INTERRUPTS,         /* that the VF raised */
	GV_CFG_GUARD_FAULTS,             /* accesses to memory that it may not touch */
	GV_CFG_GUARDS,
};
/** The key in a profile: "messages", "exclusive", "exclusive_timeouts", "flrs", ... */
const char *gv_cfg_guard_name(enum gv_cfg_guard_kind kind);

/* What happens above the limit, from mild to hard. */
enum gv_cfg_guard_policy {
	GV_CFG_GUARD_IGNORE,     /* counted only */
	GV_CFG_GUARD_THROTTLE,   /* what is too much waits or is refused */
	GV_CFG_GUARD_PAUSE,      /* no engine time until the VF was calm for a window */
	GV_CFG_GUARD_FLR,        /* the VF is reset */
	GV_CFG_GUARD_QUARANTINE, /* taken out until the operator takes it back */
	GV_CFG_GUARD_POLICIES,
};
/** "ignore", "throttle", "pause", "flr", "quarantine". */
const char *gv_cfg_guard_policy_name(enum gv_cfg_guard_policy policy);

#define GV_CFG_GUARD_WINDOW_MS_MIN 100u
#define GV_CFG_GUARD_WINDOW_MS_MAX 3600000u
#define GV_CFG_GUARD_LIMIT_MAX     1000000000u
#define GV_CFG_GUARD_REQUEST_MAX   512u /* of what comes through the mailbox: each is remembered */

struct gv_cfg_guard {
	uint32_t limit;     /* at most so many ... */
	uint32_t window_ms; /* ... in any time of this length; 0: not said, as
	                       gv_cfg_guard_default() */
	enum gv_cfg_guard_policy policy;
};

/** What holds for @kind when a profile says nothing. */
struct gv_cfg_guard gv_cfg_guard_default(enum gv_cfg_guard_kind kind);
/** What holds for @kind when a profile says @said. */
struct gv_cfg_guard gv_cfg_guard_of(const struct gv_cfg_guard *said, enum gv_cfg_guard_kind kind);

#endif
