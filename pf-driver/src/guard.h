/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guard's rules: pure, no clock, no hardware. A kind goes over its limit at once and comes
 * back only after a window without a hit (hysteresis); the VF's state is the worst of its kinds.
 * What comes through the mailbox is counted there (mailbox/src/guard.c) and arrives as a hit;
 * what only the GPU can count is counted here.
 */
#ifndef GV_PF_GUARD_RULES_H
#define GV_PF_GUARD_RULES_H

#include <gv/pf_guard.h>

/* A sliding window in pieces: right to a sixteenth of its length. */
#define PF_GUARD_SLOTS 16u
struct pf_guard_window {
	uint32_t n[PF_GUARD_SLOTS];
	uint64_t slot; /* number of the newest piece since time 0 */
};

struct pf_guard_one {
	struct pf_guard_window window;
	uint64_t total, hits;
	uint64_t hit_ns;   /* the last one */
	uint64_t acted_ns; /* FLR: the last one, 0 none */
	bool over;
};

struct pf_guard {
	struct pf_guard_one one[GV_CFG_GUARDS];
	enum gv_pf_guard_state state;
};

/** @n more of @kind have happened. True: the limit is passed. */
bool pf_guard_count(struct pf_guard *g, const struct gv_cfg_guard *rule,
                    enum gv_cfg_guard_kind kind, uint32_t n, uint64_t now_ns);
/** How many there were in the window that ends now. */
uint32_t pf_guard_in_window(const struct pf_guard *g, const struct gv_cfg_guard *rule,
                            enum gv_cfg_guard_kind kind, uint64_t now_ns);
/** Something above the limit has happened. Returns what is to be done now: IGNORE while it is being
 *  done already, so that each step is taken once per time over the limit. */
enum gv_cfg_guard_policy pf_guard_hit(struct pf_guard *g, const struct gv_cfg_guard *rule,
                                      enum gv_cfg_guard_kind kind, uint64_t now_ns);
/** Time has passed: kinds that were calm for a window are over no more. True: the state changed. */
bool pf_guard_calm(struct pf_guard *g, const struct gv_cfg_guard rules[GV_CFG_GUARDS],
                   uint64_t now_ns);
/** When to look again; UINT64_MAX: nothing is over. */
uint64_t pf_guard_next(const struct pf_guard *g, const struct gv_cfg_guard rules[GV_CFG_GUARDS]);
#endif
