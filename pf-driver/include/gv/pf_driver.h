/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The PF manager: brings the whole GPU up, splits it as a profile says, and
 * serves the VFs' mailboxes. docs/gpuvisord.md tells the story; this header
 * is the reference.
 *
 *   profile -> gv_cfg -> gv_pf_plan() -> gv_pf_apply() -> gv_pf_service() ...
 *
 * One thread owns a struct gv_pf: no call here may run at the same time as
 * another one on the same GPU. Callbacks run on that thread, inside the call.
 */
#ifndef GV_PF_DRIVER_H
#define GV_PF_DRIVER_H

#include <gv/base.h>
#include <gv/bus.h>
#include <gv/configs.h>
#include <gv/mailbox.h>
#include <gv/pf_boot.h>
#include <gv/pf_guard.h>
#include <gv/pf_world.h>

#define GV_PF_MAX_VFS 16u

/* ---- plan: pure ---------------------------------------------------------- */

/* What a GPU can be split into. */
struct gv_pf_caps {
	uint32_t vram_mib;
	uint32_t pf_window_mib;  /* at device address 0, the PF's for good */
	uint32_t max_vfs;        /* TotalVFs */
	uint32_t fb_unit_mib;    /* sizes and offsets of slices are multiples of this */
	uint32_t fb_min_mib;     /* smallest slice */
	uint32_t doorbell_pages; /* 4 KiB pages in the doorbell BAR of one VF */
};

/** What the emulated GPU has when it is started with @vram_mib and @max_vfs (0: 4096 and 16). */
struct gv_pf_caps gv_pf_caps_default(uint32_t vram_mib, uint32_t max_vfs);

struct gv_pf_plan_vf {
	char label[64];
	uint32_t fb_offset_mib; /* device address of the slice */
	uint32_t fb_mib;
	uint32_t doorbell_pages;
	uint32_t quantum_ms, weight;
	uint32_t priority, preempt_timeout_ms;
	uint32_t capacity;  /* share of the GPU's memory for pf2vf: 65535 = all of it */
	uint64_t l2_offset; /* second-level table, device address inside the PF's window */
	uint32_t l2_entries;
};

/* Everything gv_pf_apply() will do. Made by gv_pf_plan() only; no padding is left unset, so two
 * plans are the same when memcmp() says so. */
struct gv_pf_plan {
	struct gv_pf_caps caps;
	char name[64];
	uint32_t policy; /* enum gv_cfg_sched */
	uint32_t num_vfs;
	uint32_t pf_mib;                          /* the PF's part, at device address 0 */
	uint32_t free_mib;                        /* behind the last slice, nobody's */
	uint32_t csa_kib;                         /* context save area, per function */
	uint64_t csa_offset;                      /* of the PF's; those of the VFs follow */
	struct gv_cfg_guard guard[GV_CFG_GUARDS]; /* by kind; all said */
	struct gv_pf_plan_vf vf[GV_PF_MAX_VFS];
};

/**
 * Fit @cfg onto a GPU with @caps. Slices lie one behind the other, in order, from the end of the
 * PF's window on; who asked for no size gets an equal share of what the others leave.
 *
 * -EINVAL or -ERANGE: what gv_cfg_check() refuses; -ERANGE: more VFs or doorbells than the GPU
 * has; -ENOSPC: does not fit. The text starts with the place in the profile:
 * "vfs[1].fb_mib: 2817 asked, 2816 MiB left". @plan is written only on success.
 */
int gv_pf_plan(const struct gv_pf_caps *caps, const struct gv_cfg *cfg, struct gv_pf_plan *plan,
               struct gv_err *err);

/** Fill @count entries of a second-level table: entry i leads to @device + i * 2 MiB, readable and
 *  writeable. @device must be 2 MiB aligned (else -EINVAL and nothing is written). */
int gv_pf_l2_fill(uint64_t *entries, size_t count, uint64_t device);

/* ---- life ---------------------------------------------------------------- */

struct gv_pf;

enum gv_pf_event_kind {
	GV_PF_EVENT_BOOT,       /* the GPU is up, or down */
	GV_PF_EVENT_APPLY,      /* a plan is in force, or was rolled back, or VFs were disabled */
	GV_PF_EVENT_VF_STATE,   /* a VF's session moved on */
	GV_PF_EVENT_VF_RESET,   /* a VF was reset */
	GV_PF_EVENT_VF_FAULT,   /* a VF touched memory that it may not */
	GV_PF_EVENT_VF_ERROR,   /* a guest reported an error */
	GV_PF_EVENT_VF_MESSAGE, /* a guest sent something that it may not */
	GV_PF_EVENT_GPU,        /* the GPU needs attention */
	GV_PF_EVENT_VF_POOL,    /* of the owner: who has a VF, and whether it is clean */
	GV_PF_EVENT_DOMAIN,     /* of the owner: a domain got, or lost, a VF */
	GV_PF_EVENT_CONTAIN,    /* a step against a VF that hangs, or for the whole GPU */
	GV_PF_EVENT_GUARD, /* a VF did too much, and what is done about it; or is normal again */
	GV_PF_EVENT_SCRUB, /* a VF's memory was scrubbed: what, when, for whom */
	GV_PF_EVENT_KINDS,
};
/** "boot", "apply", "vf-state", ... */
const char *gv_pf_event_name(enum gv_pf_event_kind kind);

struct gv_pf_event {
	uint64_t seq;     /* 1, 2, 3, ... of this struct gv_pf */
	uint64_t time_ms; /* since 1970 */
	enum gv_pf_event_kind kind;
	int vf; /* -1: the GPU as a whole */
	char text[240];
};

struct gv_pf_cfg {
	const struct gv_log *log;
	void *arg;
	void (*event)(void *arg, const struct gv_pf_event *event);
	bool event_logs; /* `event` writes them to the log, too: they are not written here */
	/* Long work: @done of @total MiB of @what ("scrub") are done; @vf -1: all. */
	void (*progress)(void *arg, const char *what, int vf, uint32_t done_mib,
	                 uint32_t total_mib);
	struct gv_mbox_pf_cfg mailbox; /* zero: the defaults there, limits of the plan */
	uint32_t poll_ms;              /* slow look at all mailboxes and faults; 0: 250 */
	uint32_t reset_ms;             /* longest time of a VF's FLR, or PSP's mode 1; 0: 10000 */
	const char *state_dir; /* where the journal is (docs/restart.md); NULL: there is none */
	bool full_reset;       /* reset the GPU first, whoever has set it up */
	bool trace_registers;  /* log what bring-up writes, at level debug */
};

/** Make a PF manager on @bus, which stays the caller's and must outlive it. Touches no hardware.
 *  @cfg may be NULL. -ENOMEM. */
int gv_pf_new(struct gv_bus *bus, const struct gv_pf_cfg *cfg, struct gv_pf **pf,
              struct gv_err *err);
/** Disable every VF, undo the bring-up, free. Takes NULL, returns NULL. */
struct gv_pf *gv_pf_close(struct gv_pf *pf);

/**
 * Bring the whole GPU up, or take it over as it was left (<gv/pf_boot.h>): one step per block
 * (gv_pf_boot_step_name()), in order. When a step fails, those before it are undone backwards and
 * the text names the step and what was read. -ENOTSUP: not a GPU that we can run (the text says
 * what is missing); -EALREADY: is up; -EIO: a register does not hold what it must; -ETIMEDOUT;
 * -EBUSY: another process has its journal; -EBADMSG, -ESTALE: VFs of a gpuvisord are enabled, and
 * what it left does not fit together (the text says what to do). Blocks for seconds at most.
 */
int gv_pf_boot(struct gv_pf *pf, struct gv_err *err);
/** Disable every VF and undo gv_pf_boot(). Nothing when it is not up. */
void gv_pf_shutdown(struct gv_pf *pf);
/** Name of bring-up step @i, NULL behind the last one. */
const char *gv_pf_boot_step_name(unsigned i);
/** Of the GPU that was booted; borrowed until gv_pf_close(). NULL before gv_pf_boot(). */
const struct gv_pf_caps *gv_pf_get_caps(const struct gv_pf *pf);

/** An event of the owner's, numbered with ours. @vf -1: the GPU as a whole. */
void gv_pf_note(struct gv_pf *pf, enum gv_pf_event_kind kind, int vf, const char *text);

/* ---- access -------------------------------------------------------------- */

/** A register of the table by byte offset. -ENOENT: no such register, -EACCES: not for the PF to
 *  read (write), -ENODEV: the GPU does not answer. */
int gv_pf_reg_read(struct gv_pf *pf, uint32_t byte, uint32_t *val);
int gv_pf_reg_write(struct gv_pf *pf, uint32_t byte, uint32_t val);

/** Copy from and to device address @device: BAR0 where it reaches, MM_INDEX/MM_DATA beyond (then
 *  @device and @n must be multiples of 4, else -EINVAL). -ERANGE outside VRAM. */
int gv_pf_vram_read(struct gv_pf *pf, uint64_t device, void *buf, size_t n);
int gv_pf_vram_write(struct gv_pf *pf, uint64_t device, const void *buf, size_t n);

/* ---- apply --------------------------------------------------------------- */

#define GV_PF_APPLY_FORCE    1u /* take VFs away from guests that use them */
#define GV_PF_APPLY_NO_SCRUB 2u /* leave what is in the slices (tests; never between tenants) */

/**
 * Put @plan into force: second-level tables, slices and doorbells of every VF, scrub, exchange
 * pages, SR-IOV; then read everything back. The plan in force already: nothing is touched; one
 * that differs only in names or in how VFs share the engines: no VF is touched, and it holds from
 * the next round on.
 *
 * -EBUSY: VFs are in use (the text says which) and no FORCE; -EAGAIN: not booted; -EINVAL: made
 * for another GPU; -EIO, -ETIMEDOUT: a step failed. After a failure everything is as before: the
 * earlier plan is in force again, or no VF is enabled; the text names the step. Blocks for as long
 * as scrubbing takes; see `progress`.
 */
int gv_pf_apply(struct gv_pf *pf, const struct gv_pf_plan *plan, unsigned flags,
                struct gv_err *err);
/** Would the second leave the VFs of the first as they are? */
bool gv_pf_plan_same_vfs(const struct gv_pf_plan *a, const struct gv_pf_plan *b);
/** Name of step @i of putting a plan into force, in order; NULL behind the last one. */
const char *gv_pf_apply_step_name(unsigned i);

#define GV_PF_CHANGE_TEXT 80
struct gv_pf_change {
	char path[GV_PF_CHANGE_TEXT]; /* "vfs[1].fb_mib", as in the profile */
	char now[GV_PF_CHANGE_TEXT], want[GV_PF_CHANGE_TEXT]; /* "": not there */
};
/** What differs, at most @room of it into @change. NULL: no VF. Returns how much there is. */
size_t gv_pf_plan_diff(const struct gv_pf_plan *now, const struct gv_pf_plan *want,
                       struct gv_pf_change *change, size_t room);
/** No VF any more. -EBUSY as gv_pf_apply(). */
int gv_pf_disable(struct gv_pf *pf, unsigned flags, struct gv_err *err);
/** The plan in force, NULL when there is none. Borrowed until the next apply. */
const struct gv_pf_plan *gv_pf_get_plan(const struct gv_pf *pf);

/** Changes whenever VFs were made or taken away: what one knew of them is over. */
uint32_t gv_pf_vfs_made(const struct gv_pf *pf);

/* ---- service ------------------------------------------------------------- */

/** Readable when gv_pf_service() has work: poll it. -1 before gv_pf_boot(). */
int gv_pf_irq_fd(const struct gv_pf *pf);
/** Do what is due: interrupts, mailboxes, deadlines, the next piece of a scrub. Bounded work, does
 *  not wait. *@next_ns: call again at this time (gv_now_ns()) at the latest. Returns the bus's
 *  status: negative once the GPU is lost. */
int gv_pf_service(struct gv_pf *pf, uint64_t *next_ns);
/** Consume the interrupt ring only, at most one ring full of entries. Returns their number. */
unsigned gv_pf_handle_irq(struct gv_pf *pf);

/** Send QUERY_ALIVE, GPU_RMA or TEXT_MESSAGE to a running guest. Errors of gv_mbox_pf_tell(). */
int gv_pf_vf_notify(struct gv_pf *pf, unsigned vf, const struct gv_mbox_msg *msg,
                    struct gv_err *err);

#define GV_PF_RESET_NO_SCRUB 1u /* the guest keeps its frame buffer */
#define GV_PF_RESET_GONE     2u /* nobody is there to be told */
/** Begin to reset a VF: its guest is told, has notify_ms to get ready, then it is reset, scrubbed,
 *  given fresh exchange pages and told that it is over. gv_pf_service() does the work.
 *  -ENODEV: not enabled; -EBUSY: is being reset already. */
int gv_pf_vf_reset(struct gv_pf *pf, unsigned vf, unsigned flags, struct gv_err *err);
/** Is its reset asked for or under way? */
bool gv_pf_vf_resetting(const struct gv_pf *pf, unsigned vf);
/** gv_pf_vf_reset(), then gv_pf_service() until it is done. -ETIMEDOUT after @timeout_ns,
 *  -EIO: the reset failed. */
int gv_pf_vf_reset_wait(struct gv_pf *pf, unsigned vf, unsigned flags, uint64_t timeout_ns,
                        struct gv_err *err);

/* ---- status -------------------------------------------------------------- */

/* The last thing a VF did to memory that it may not touch. */
struct gv_pf_fault {
	uint64_t count; /* 0: none, the rest means nothing */
	uint64_t addr;  /* address in the VF's own frame buffer, or virtual address */
	bool second_level, write, mmhub;
	uint32_t vmid, client;
};

/* Durations, counted by size. */
#define GV_PF_HIST_BUCKETS 12u
struct gv_pf_hist {
	uint64_t bucket[GV_PF_HIST_BUCKETS]; /* up to gv_pf_hist_limit_ns() each; longer: in none */
	uint64_t count, sum_ns;
};
/** Largest duration that bucket @bucket counts; UINT64_MAX when there is none of that number. */
uint64_t gv_pf_hist_limit_ns(unsigned bucket);
void gv_pf_hist_add(struct gv_pf_hist *h, uint64_t ns);

struct gv_pf_vf_status {
	struct gv_pf_plan_vf plan;
	enum gv_mbox_state state;
	enum gv_mbox_access access;
	bool fb_gate, doorbell_gate, regwr_gate;
	bool scrubbing;
	struct gv_mbox_stats mailbox;
	uint64_t resets, faults, errors, messages_refused;
	uint64_t since_ms;        /* of this state, time since 1970 */
	struct gv_pf_hist answer; /* from seeing a request of its guest to its reply, or ACK */
	struct gv_pf_fault fault;
	struct gv_pf_vf_world world;
	bool guest_known; /* the guest has filled in its page: */
	struct gv_mbox_vf2pf_info guest;
	char last_error[160]; /* the guest's last error report */
	struct gv_pf_guard_status guard;
	struct gv_pf_contain_status contain;
	struct gv_pf_scrub_record scrub;
};

struct gv_pf_status {
	char bus[128];
	bool booted, lost;
	struct gv_pf_caps caps;
	bool has_plan;
	struct gv_pf_plan plan;
	uint32_t num_vfs;
	uint32_t unimplemented, guest_errors; /* counters of the emulated GPU */
	uint64_t interrupts, ring_overflows, unknown_interrupts;
	struct gv_pf_world_status world;
	struct gv_pf_boot_status boot;
	struct gv_pf_vf_status vf[GV_PF_MAX_VFS];
};

/** A copy of what is known now; reads gates and counters from the GPU. */
void gv_pf_get_status(struct gv_pf *pf, struct gv_pf_status *status);
/** -ENODEV: no such VF now. */
int gv_pf_get_vf_status(struct gv_pf *pf, unsigned vf, struct gv_pf_vf_status *status);

#endif
