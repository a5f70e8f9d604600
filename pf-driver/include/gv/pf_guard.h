/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One VF must not harm the others: what each may do in a time (the guard), what
 * happens when one hangs (escalation), and whose data is where (scrub records).
 * docs/containment.md tells the story; the limits come from the profile.
 *
 *   hang -> its guest is told, may stop -> FLR of the VF -> reset of the whole GPU
 *   over a limit -> throttled | paused | FLR | quarantined -> calm for a window -> normal
 *
 * Threads as in <gv/pf_driver.h>: whoever owns the struct gv_pf calls.
 */
#ifndef GV_PF_GUARD_H
#define GV_PF_GUARD_H

#include <gv/base.h>
#include <gv/configs.h>

struct gv_pf;

/* ---- guard ---------------------------------------------------------------- */

enum gv_pf_guard_state {
	GV_PF_GUARD_NORMAL,
	GV_PF_GUARD_THROTTLED,   /* what is over its limit is held back */
	GV_PF_GUARD_PAUSED,      /* gets no engine time until it was calm for a window */
	GV_PF_GUARD_QUARANTINED, /* taken out; gv_pf_vf_unquarantine() only */
	GV_PF_GUARD_STATES,
};
/** "normal", "throttled", "paused", "quarantined". */
const char *gv_pf_guard_state_name(enum gv_pf_guard_state state);

struct gv_pf_guard_count {
	uint64_t total;     /* since the VF was made */
	uint64_t hits;      /* of them over the limit */
	uint32_t in_window; /* now */
	bool over;          /* and not calm for a window since */
};

struct gv_pf_guard_status {
	enum gv_pf_guard_state state;
	uint64_t since_ms; /* of this state, time since 1970; 0: always */
	char why[96];      /* "" when normal */
	struct gv_pf_guard_count kind[GV_CFG_GUARDS];
};

/** Take a VF out now: gates shut, reset, scrubbed, not served and not assignable until
 *  gv_pf_vf_unquarantine(). @why is for people. -ENODEV: not enabled; -EALREADY. Does not wait. */
int gv_pf_vf_quarantine(struct gv_pf *pf, unsigned vf, const char *why, struct gv_err *err);
/** Take it back: it is reset and scrubbed, then as new, with all counts at 0. -ENODEV; -EALREADY:
 *  is not in quarantine; -EBUSY: is still on its way into it. Does not wait: see
 *  gv_pf_vf_resetting(). */
int gv_pf_vf_unquarantine(struct gv_pf *pf, unsigned vf, struct gv_err *err);

/* ---- hangs ------------------------------------------------------------------ */

/* How far the escalation has come for a VF. */
enum gv_pf_contain_step {
	GV_PF_CONTAIN_NONE,
	GV_PF_CONTAIN_TOLD, /* its guest was told and may stop its queues */
	GV_PF_CONTAIN_FLR,  /* the VF is being reset */
	GV_PF_CONTAIN_GPU,  /* the whole GPU is being reset because of it */
	GV_PF_CONTAIN_STEPS,
};
/** "none", "told", "flr", "gpu-reset". */
const char *gv_pf_contain_step_name(enum gv_pf_contain_step step);

struct gv_pf_contain_status {
	enum gv_pf_contain_step step;
	uint64_t hangs;   /* since the VF was made */
	uint64_t last_ns; /* how long the last one took from the report to the end of the reset */
	char what[96];    /* of the last one, "" none */
};

/** Reset the whole GPU: every guest is told and has 500 ms, PSP mode-1 reset, bring-up, the plan in
 *  force again, every VF scrubbed and free for its guest to start anew. gv_pf_service() does the
 *  work. -EBUSY: VFs are in use, and no GV_PF_APPLY_FORCE in @flags; -EAGAIN: not up; -EALREADY:
 * one is under way. @why is for people. */
int gv_pf_gpu_reset(struct gv_pf *pf, unsigned flags, const char *why, struct gv_err *err);
/** Is one under way? */
bool gv_pf_gpu_resetting(const struct gv_pf *pf);

/* ---- scrub records ------------------------------------------------------------ */

#define GV_PF_TENANT_TEXT 128

enum gv_pf_scrub_why {
	GV_PF_SCRUB_NEVER, /* nobody knows what is in there */
	GV_PF_SCRUB_APPLY, /* the VF was made */
	GV_PF_SCRUB_RESET,
	GV_PF_SCRUB_FINI, /* its guest gave it back */
	GV_PF_SCRUB_WHYS,
};
/** "never", "apply", "reset", "fini". */
const char *gv_pf_scrub_why_name(enum gv_pf_scrub_why why);

/* The last scrub of a VF's frame buffer. All but `clean` and `after` is 0 with NEVER. */
struct gv_pf_scrub_record {
	enum gv_pf_scrub_why why;
	bool clean;                     /* nobody could write to it since */
	uint64_t begin_ms, end_ms;      /* time since 1970 */
	uint64_t device_offset, bytes;  /* all of it was overwritten with zeros */
	uint32_t samples, sample_bytes; /* read back and found zero: so many, of this size */
	uint64_t count;                 /* scrubs of this VF since it was made */
	char before[GV_PF_TENANT_TEXT]; /* whose data was there, "" nobody known */
	char after[GV_PF_TENANT_TEXT];  /* whose it is since, "" nobody yet */
};

/** The VF's memory is @tenant's from now on ("": nobody's). Remembered with the record. */
void gv_pf_vf_set_tenant(struct gv_pf *pf, unsigned vf, const char *tenant);
/** May somebody new have this VF? -EUCLEAN: it needs a scrub first (the text says why, and how);
 *  -ENODEV; -EPERM: in quarantine. */
int gv_pf_vf_check_clean(struct gv_pf *pf, unsigned vf, struct gv_err *err);

#endif
