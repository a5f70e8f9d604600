/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What PF and VF say to each other, and when. Pure: no register, no clock, no
 * memory of others is touched here. The owner of the hardware feeds events in
 * and carries out the actions that come out. The pages that both ends keep in
 * the VF's frame buffer are in <gv/mailbox_pages.h>. See docs/mailbox.md.
 *
 * Nothing here blocks, allocates, or keeps a pointer beyond the call.
 */
#ifndef GV_MAILBOX_H
#define GV_MAILBOX_H

#include <gv/base.h>
#include <gv/mailbox_pages.h>

/* MAILBOX_INDEX has five bits and the PF is not among them. */
#define GV_MBOX_MAX_VFS 31

/* One message: DW0 is the code, DW1..DW3 depend on it. */
struct gv_mbox_msg {
	uint32_t dw[4];
};

/* VF -> PF, in DW0. */
enum gv_mbox_req {
	GV_MBOX_REQ_GPU_INIT_ACCESS = 1,
	GV_MBOX_REL_GPU_INIT_ACCESS = 2,
	GV_MBOX_REQ_GPU_FINI_ACCESS = 3,
	GV_MBOX_REL_GPU_FINI_ACCESS = 4,
	GV_MBOX_REQ_GPU_RESET_ACCESS = 5,
	GV_MBOX_REQ_GPU_INIT_DATA = 6,
	GV_MBOX_PSP_VF_CMD_RELAY = 7, /* DW1 = write pointer of the PSP ring */
	GV_MBOX_LOG_VF_ERROR = 200,   /* DW1 = code << 16 | flags, DW2/DW3 = data low/high */
	GV_MBOX_READY_TO_RESET = 201,
	GV_MBOX_RAS_POISON = 202, /* DW1 = RAS block */
	GV_MBOX_RAS_ERROR_COUNT = 203,
	GV_MBOX_RAS_CPER_DUMP = 204, /* DW1/DW2 = read pointer high/low */
	GV_MBOX_REQ_GPU_DEBUG = 300,
	GV_MBOX_REL_GPU_DEBUG = 301,
};

/* PF -> VF, in DW0. */
enum gv_mbox_event_code {
	GV_MBOX_CLR_MSG_BUF = 0,
	GV_MBOX_READY_TO_ACCESS_GPU = 1, /* DW2 = checksum key of pf2vf v1; we send 0 */
	GV_MBOX_FLR_NOTIFICATION = 2,
	GV_MBOX_FLR_NOTIFICATION_CMPL = 3,
	GV_MBOX_SUCCESS = 4,
	GV_MBOX_FAIL = 5,
	GV_MBOX_QUERY_ALIVE = 6,
	GV_MBOX_GPU_INIT_DATA_READY = 7, /* DW1 = version, 1 */
	GV_MBOX_RAS_POISON_READY = 8,
	GV_MBOX_PF_SOFT_FLR_NOTIFICATION = 9, /* only ever in DW1, next to FLR_NOTIFICATION */
	GV_MBOX_GPU_RMA = 10,
	GV_MBOX_RAS_ERROR_COUNT_READY = 11,
	GV_MBOX_GPU_DEBUG_NOTIFICATION = 12,
	GV_MBOX_GPU_DEBUG_COMPLETION = 13,
	GV_MBOX_RAS_CPER_DUMP_READY = 14,
	GV_MBOX_TEXT_MESSAGE = 255, /* DW2/DW3 = up to 8 characters */
};

#define GV_MBOX_INIT_DATA_VERSION 1

/** AMD's name of a message, "REQ_GPU_INIT_ACCESS"; "UNKNOWN" for a code of no message. */
const char *gv_mbox_req_name(uint32_t code);
const char *gv_mbox_event_name(uint32_t code);
/** The event that answers request @code, or 0 when the ACK is all the VF waits for. */
uint32_t gv_mbox_reply_of(uint32_t code);

/* ---- LOG_VF_ERROR -------------------------------------------------------- */
struct gv_mbox_vf_error {
	unsigned category; /* 3 from Linux guests, 8 in the host driver's own table */
	unsigned sub;      /* 0 ATOMBIOS_INIT_FAIL .. 10 TEST; others are passed on as numbers */
	unsigned flags;
	uint64_t data;
};

/** Take a LOG_VF_ERROR apart. -EINVAL for another code, -EPROTO for a category that is not
 *  3 or 8 (@error is written all the same, so that it can be logged). */
int gv_mbox_vf_error_parse(const struct gv_mbox_msg *msg, struct gv_mbox_vf_error *error);
/** Make one, category 3. -ERANGE when @sub or @flags do not fit. */
int gv_mbox_vf_error_build(unsigned sub, unsigned flags, uint64_t data, struct gv_mbox_msg *msg);
const char *gv_mbox_vf_error_name(unsigned sub);

/* ======== PF end ==========================================================
 * One struct gv_mbox_pf per GPU: a session per VF, and the arbiter that lets
 * one VF at a time have exclusive access. Not thread-safe: one thread feeds it.
 *
 *         6             granted                done            2
 *   IDLE --> UPLOAD     QUEUED --> [UPLOAD] --> ENTER --> EXCLUSIVE --> LEAVE
 *    ^  <----- 7           ^ 1 5                 READY       | |          |
 *    |  \__________________/                     (DW2 = 0)   | 4 (LEAVE)  v done: read vf2pf
 *    |                     \_____________ 3, 5 ______________|________ ACTIVE
 *    |                                                       |          | reset asked: 2
 *    |     3 (no VALID)              deadline, 201, FLR      v          v (VALID)
 *    +----------------------------------------------------- RESET <-- NOTIFY
 *                                                            |  201 or deadline
 *                                               failed: FAILED (whole GPU)
 */
enum gv_mbox_state {
	GV_MBOX_OFF,       /* the VF is not enabled */
	GV_MBOX_IDLE,      /* AVAIL: enabled and clean, no guest has it */
	GV_MBOX_UPLOAD,    /* exchange data is being written (action under way) */
	GV_MBOX_QUEUED,    /* wants exclusive access, somebody else has it */
	GV_MBOX_ENTER,     /* exclusive access is being set up (action under way) */
	GV_MBOX_EXCLUSIVE, /* the VF has it, until it releases or the deadline */
	GV_MBOX_LEAVE,     /* exclusive access is being taken back (action under way) */
	GV_MBOX_ACTIVE,    /* runs; scheduled with the others */
	GV_MBOX_NOTIFY, /* told that it will be reset; READY_TO_RESET or the deadline comes next */
	GV_MBOX_RESET,  /* is being reset (action under way) */
	GV_MBOX_FAILED, /* its reset failed; waits for a reset of the whole GPU */
	GV_MBOX_STATES,
};

const char *gv_mbox_state_name(enum gv_mbox_state state);

/* What exclusive access is for; also which release ends it. */
enum gv_mbox_access {
	GV_MBOX_ACCESS_NONE,
	GV_MBOX_ACCESS_INIT,  /* REQ_GPU_INIT_ACCESS,  ended by REL_GPU_INIT_ACCESS */
	GV_MBOX_ACCESS_FINI,  /* REQ_GPU_FINI_ACCESS,  ended by REL_GPU_FINI_ACCESS */
	GV_MBOX_ACCESS_RESET, /* REQ_GPU_RESET_ACCESS, ended by REL_GPU_INIT_ACCESS */
};

enum gv_mbox_reason {
	GV_MBOX_WHY_HOST,         /* the host asked: gv_mbox_pf_reset() */
	GV_MBOX_WHY_PCI_FLR,      /* the function was reset on the bus, the rest must follow */
	GV_MBOX_WHY_GUEST,        /* READY_TO_RESET that nobody asked for */
	GV_MBOX_WHY_ORPHAN,       /* a new guest on a VF that the last one never gave back */
	GV_MBOX_WHY_EXCL_TIMEOUT, /* kept exclusive access too long */
	GV_MBOX_WHY_ENTER_FAILED, /* could not be switched in */
	GV_MBOX_WHY_LEAVE_FAILED, /* could not be switched out */
	GV_MBOX_WHY_HANG,         /* the scheduler found it hung */
	GV_MBOX_WHY_GUARD,        /* it did more than it may */
	GV_MBOX_WHY_GPU_RESET,    /* the whole GPU is reset: every guest has gpu_notify_ms */
	GV_MBOX_REASONS,
};

const char *gv_mbox_reason_name(enum gv_mbox_reason reason);

/* Per-VF rate guard: at most `limit` in any `window_ms`; 0 = unlimited. */
struct gv_mbox_limit {
	uint32_t limit; /* at most GV_MBOX_GUARD_MAX */
	uint32_t window_ms;
};

#define GV_MBOX_GUARD_MAX 512

enum gv_mbox_guard_kind {
	GV_MBOX_GUARD_MSG,          /* over it: no ACK */
	GV_MBOX_GUARD_EXCLUSIVE,    /* requests; over it: 1, 3 and 5 are refused */
	GV_MBOX_GUARD_EXCL_TIMEOUT, /* over it: 1 and 5 are refused */
	GV_MBOX_GUARD_RESET,        /* by the guest's fault; over it: 1 and 5 are refused */
	GV_MBOX_GUARD_RAS,          /* over it: 202..204 are refused */
	GV_MBOX_GUARDS,
};

/** What holds when the owner gives no limit: 15 requests about RAS in 60 s. */
extern const struct gv_mbox_limit gv_mbox_guard_defaults[GV_MBOX_GUARDS];

struct gv_mbox_pf_cfg {
	uint32_t exclusive_ms;  /* 0: 3000 with one VF enabled, 1500 with more */
	uint32_t notify_ms;     /* wait for READY_TO_RESET; 0: 10 */
	uint32_t gpu_notify_ms; /* the same before a reset of the whole GPU; 0: 500 */
	uint32_t alive_ms;      /* wait for the ACK of QUERY_ALIVE; 0: 1000 */
	bool ras_telemetry;     /* offered in pf2vf: 203 and 204 become GV_MBOX_ACT_RAS */
	bool guard_off;         /* no limits at all (bring-up and tests) */
	struct gv_mbox_limit guard[GV_MBOX_GUARDS]; /* all zero: the defaults above */
};

/* What the PF must do, in this order. `ticket` != 0: report the end by gv_mbox_pf_done(). */
enum gv_mbox_act_code {
	/* Under the mailbox lock, MAILBOX_INDEX = vf: the RCV words have been read already (they
	 * were the event); now write 0 to TRN_DW0..3, clear TRN_VALID, and only then write
	 * RCV_ACK. A guest polls RCV_DW0 without looking at VALID: an old READY left in TRN_DW0
	 * would answer its next request. */
	GV_MBOX_ACT_ACK,
	/* The VF has read what we sent: write 0 to TRN_DW0..3 and clear TRN_VALID. */
	GV_MBOX_ACT_CLEAR,
	/* Clear TRN_VALID if it is up (so that the ACK of an older message falls), write TRN_DW1,
	 * DW2, DW3, then DW0 (last: it is what the guest polls), then TRN_VALID if `valid`; without
	 * it there is no interrupt. */
	GV_MBOX_ACT_SEND,
	/* Open the frame-buffer gate; put VBIOS, pf2vf (checksum last), bad pages into the VF's
	 * frame buffer and zero vf2pf. Ticket. */
	GV_MBOX_ACT_UPLOAD,
	/* Stop world switches, switch the VF in (INIT or LOAD, then RUN), open its gates, set up
	 * indirect register access. `access` says for what. Ticket. */
	GV_MBOX_ACT_ENTER,
	/* Take it back. INIT, RESET: IDLE, SAVE, close the register gate, add to the scheduler;
	 * done with -ENOENT when the guest left no scheduler set up (the VF then goes to IDLE).
	 * FINI: close all gates, SHUTDOWN, scrub. Ticket. */
	GV_MBOX_ACT_LEAVE,
	/* Copy vf2pf once, check it, keep the guest's driver version. No ticket. */
	GV_MBOX_ACT_READ_VF2PF,
	/* Take the VF off the engines, close gates, FLR, scrub, restore. `reason` says why. Ticket.
	 */
	GV_MBOX_ACT_RESET,
	/* The reset of this VF failed: the whole GPU needs one. Afterwards gv_mbox_pf_enable(). */
	GV_MBOX_ACT_GPU_RESET,
	/* The guest reported `error`. */
	GV_MBOX_ACT_VF_ERROR,
	/* The guest hit poisoned memory: `msg` has the block in DW1. Already answered. */
	GV_MBOX_ACT_RAS_POISON,
	/* Write telemetry (203) or CPER records (204, `msg` has the read pointer). Ticket. */
	GV_MBOX_ACT_RAS,
	/* QUERY_ALIVE was answered / was not answered in time. */
	GV_MBOX_ACT_ALIVE,
	GV_MBOX_ACT_NOT_ALIVE,
	/* The guest did more than `guard` allows, and that was not done: already answered, or not
	 * ACKed. */
	GV_MBOX_ACT_GUARD,
	/* Nothing to do: log and attribute `msg` to the VF; `report` says what is wrong with it. */
	GV_MBOX_ACT_REPORT,
};

enum gv_mbox_report {
	GV_MBOX_BAD_NOTHING,
	GV_MBOX_BAD_UNKNOWN,     /* code of no message; ACKed, so that the guest goes on */
	GV_MBOX_BAD_UNSUPPORTED, /* known, but we do not offer it (7, 203, 204, 300, 301) */
	GV_MBOX_BAD_STATE,       /* not now: REL without REQ, FINI before INIT, ... */
	GV_MBOX_BAD_CATEGORY,    /* LOG_VF_ERROR of a category that is not 3 or 8 */
	GV_MBOX_BAD_RATE,        /* over the message limit, not ACKed; said once per overflow */
	GV_MBOX_BAD_LIMIT,       /* over a request limit (exclusive, timeout, reset, RAS) */
	GV_MBOX_BAD_OFF,         /* from a VF that is not enabled; not ACKed */
	GV_MBOX_BAD_UPLOAD,      /* our own UPLOAD or RAS action failed; the guest got FAIL */
	GV_MBOX_REPORTS,
};

const char *gv_mbox_report_name(enum gv_mbox_report report);

struct gv_mbox_act {
	enum gv_mbox_act_code code;
	unsigned vf;
	uint32_t ticket;
	bool valid;                    /* SEND */
	enum gv_mbox_access access;    /* ENTER, LEAVE */
	enum gv_mbox_reason reason;    /* RESET, GPU_RESET */
	enum gv_mbox_report report;    /* REPORT */
	enum gv_mbox_guard_kind guard; /* GUARD */
	struct gv_mbox_msg msg;        /* SEND: what; REPORT, RAS*: what came */
	struct gv_mbox_vf_error error; /* VF_ERROR */
};

#define GV_MBOX_MAX_ACTS 64

/* Filled by every call below; the caller need not clear it. */
struct gv_mbox_acts {
	unsigned count;
	struct gv_mbox_act act[GV_MBOX_MAX_ACTS];
};

/* Counters only grow, until gv_mbox_pf_enable(). */
struct gv_mbox_stats {
	uint64_t messages, acks, sent, unknown, unsupported, refused, repeated, rate_dropped,
	        limited, vf_errors, bad_categories, excl_grants, excl_timeouts, resets,
	        reset_failures, stale_done;
};

/* Everything below this line is read with the calls, not by hand. */
struct gv_mbox_guard {
	uint64_t at_ns[GV_MBOX_GUARD_MAX]; /* ring of the last times */
	uint32_t next, count;
	bool overflow;
};

struct gv_mbox_session {
	enum gv_mbox_state state, back; /* back: where UPLOAD returns to */
	enum gv_mbox_access access;
	enum gv_mbox_reason reason;
	bool data_ready;  /* exchange data uploaded since the last reset */
	bool quiet;       /* this reset is not announced: nobody polls for CMPL */
	bool reset_asked; /* reset as soon as the action under way has ended */
	bool asked_quiet;
	enum gv_mbox_reason asked_reason;
	bool excuse_rel; /* READY was sent without access: the REL that follows is no mistake */
	bool sent_valid; /* TRN_VALID is up */
	bool off_told;   /* OFF: it was reported that it speaks all the same */
	uint32_t sent;   /* code in TRN_DW0 */
	uint32_t ticket; /* of the action under way, 0 none */
	uint64_t deadline_ns;
	uint64_t alive_ns;          /* QUERY_ALIVE must be ACKed by then, 0 none */
	struct gv_mbox_msg pending; /* came while an action was under way; DW0 = 0 none */
	uint32_t ras_code, ras_ticket;
	struct gv_mbox_guard guard[GV_MBOX_GUARDS];
	struct gv_mbox_stats stats;
};

struct gv_mbox_pf {
	struct gv_mbox_pf_cfg cfg;
	unsigned num_vfs;
	int holder; /* the VF that has or is being given exclusive access, -1 none */
	unsigned queued;
	uint8_t queue[GV_MBOX_MAX_VFS]; /* in the order of asking */
	uint32_t last_ticket;
	struct gv_mbox_session vf[GV_MBOX_MAX_VFS];
};

/** All sessions OFF. -ERANGE: @num_vfs above GV_MBOX_MAX_VFS or a guard limit above
 *  GV_MBOX_GUARD_MAX. @cfg NULL: all defaults. */
int gv_mbox_pf_init(struct gv_mbox_pf *pf, unsigned num_vfs, const struct gv_mbox_pf_cfg *cfg);

/** The VF exists and is clean (SR-IOV enabled, or the whole GPU was reset): session to IDLE, all
 *  counters and guards zero. -EINVAL: no such VF (as everywhere below). */
int gv_mbox_pf_enable(struct gv_mbox_pf *pf, unsigned vf, uint64_t now_ns,
                      struct gv_mbox_acts *acts);
/** The VF is gone: OFF, its place in the queue and its exclusive access are given up. */
int gv_mbox_pf_disable(struct gv_mbox_pf *pf, unsigned vf, uint64_t now_ns,
                       struct gv_mbox_acts *acts);

/** A message was read from the VF's RCV words (VALID was set). Without a GV_MBOX_ACT_ACK in the
 *  answer it stays un-ACKed: do not bring it again before VALID has fallen. */
int gv_mbox_pf_message(struct gv_mbox_pf *pf, unsigned vf, const struct gv_mbox_msg *msg,
                       uint64_t now_ns, struct gv_mbox_acts *acts);
/** TRN_ACK reads 1: the VF has ACKed what we sent. (Look at the bit, not only at the interrupt:
 *  it may be of an older message.) */
int gv_mbox_pf_acked(struct gv_mbox_pf *pf, unsigned vf, uint64_t now_ns,
                     struct gv_mbox_acts *acts);
/** An action with a ticket has ended: @result 0 or a negative errno. A ticket that is not under
 *  way any more (the VF was disabled meanwhile) is counted and ignored: 0. */
int gv_mbox_pf_done(struct gv_mbox_pf *pf, unsigned vf, uint32_t ticket, int result,
                    uint64_t now_ns, struct gv_mbox_acts *acts);
/** Reset this VF. HOST, HANG, GUARD and GPU_RESET announce it to a running guest first; PCI_FLR
 *  does not. -ENODEV: it is OFF. -EINVAL: another reason. */
int gv_mbox_pf_reset(struct gv_mbox_pf *pf, unsigned vf, enum gv_mbox_reason reason,
                     uint64_t now_ns, struct gv_mbox_acts *acts);
/** Tell a running guest something that changes no state: QUERY_ALIVE, GPU_RMA or TEXT_MESSAGE.
 *  -EBUSY: not ACTIVE, or the last message is not ACKed yet. -EINVAL: another code. */
int gv_mbox_pf_tell(struct gv_mbox_pf *pf, unsigned vf, const struct gv_mbox_msg *msg,
                    uint64_t now_ns, struct gv_mbox_acts *acts);

/* ---- sessions that outlive the PF's program ---- */

/* What the next one must know. Fixed layout, all bytes set: it is kept in files. Counters, rates
 * and the place in the line are not in it. */
struct gv_mbox_saved {
	uint8_t state, back, access, reason, asked_reason;
	uint8_t flags; /* GV_MBOX_SAVED_* */
	uint8_t reserved[2];
	uint32_t sent; /* code in TRN_DW0, 0: none */
	struct gv_mbox_msg pending;
};
_Static_assert(sizeof(struct gv_mbox_saved) == 28, "in files");
#define GV_MBOX_SAVED_DATA_READY  0x01u
#define GV_MBOX_SAVED_QUIET       0x02u
#define GV_MBOX_SAVED_RESET_ASKED 0x04u
#define GV_MBOX_SAVED_ASKED_QUIET 0x08u
#define GV_MBOX_SAVED_EXCUSE_REL  0x10u
#define GV_MBOX_SAVED_SENT_VALID  0x20u
#define GV_MBOX_SAVED_HOLDER      0x40u /* has exclusive access, or is being given it */
#define GV_MBOX_SAVED_FLAGS       0x7fu

/** -EINVAL: no such VF. */
int gv_mbox_pf_save(const struct gv_mbox_pf *pf, unsigned vf, struct gv_mbox_saved *saved);
/** After gv_mbox_pf_init(), for all VFs first: the session is as it was. -EINVAL: no session can be
 *  like that, or two would have exclusive access; nothing is changed. */
int gv_mbox_pf_restore(struct gv_mbox_pf *pf, unsigned vf, const struct gv_mbox_saved *saved);
/** Then this, for all: an action that was under way is begun again from its start, waits get a
 *  new deadline, the line moves on. */
int gv_mbox_pf_resume(struct gv_mbox_pf *pf, unsigned vf, uint64_t now_ns,
                      struct gv_mbox_acts *acts);

/** Time has passed. Call at gv_mbox_pf_deadline() or later. */
int gv_mbox_pf_tick(struct gv_mbox_pf *pf, uint64_t now_ns, struct gv_mbox_acts *acts);
/** When to call gv_mbox_pf_tick() next; UINT64_MAX when nothing is waited for. */
uint64_t gv_mbox_pf_deadline(const struct gv_mbox_pf *pf);

/** Other limits from now on, for all VFs. -ERANGE: one is above GV_MBOX_GUARD_MAX. */
int gv_mbox_pf_set_guards(struct gv_mbox_pf *pf, const struct gv_mbox_limit guard[GV_MBOX_GUARDS]);
/** How many of @kind there were in the window that ends now. */
uint32_t gv_mbox_pf_guard_count(const struct gv_mbox_pf *pf, unsigned vf,
                                enum gv_mbox_guard_kind kind, uint64_t now_ns);

/** Length of an exclusive window now, in ms. */
uint32_t gv_mbox_pf_exclusive_ms(const struct gv_mbox_pf *pf);

/* ======== VF end ==========================================================
 * For a guest driver. It polls its mailbox, hands what it saw to
 * gv_mbox_vf_step(), does what comes out, sleeps `wait_ns`, and again.
 *
 *          start                  TRN_ACK 0            TRN_ACK 1 or 500 ms
 *   READY -------> CLEARING (VALID 0) ----> SENDING (words, VALID 1) ----> WAITING -> READY
 *     ^                 | 500 ms: -ETIMEDOUT          | ACK was all: done    | reply: ACK it
 *     +-----------------+-----------------------------+----------------------+ 6000 ms: again or
 *                                                                              -ETIMEDOUT
 */
enum gv_mbox_vf_state {
	GV_MBOX_VF_READY,    /* nothing asked; looks out for events */
	GV_MBOX_VF_CLEARING, /* waits for TRN_ACK to fall */
	GV_MBOX_VF_SENDING,  /* waits for TRN_ACK to rise */
	GV_MBOX_VF_WAITING,  /* waits for the answer in RCV_DW0 */
};

/* Times and repeats of a guest. */
struct gv_mbox_vf_limits {
	uint32_t ack_ms, reply_ms, flr_ms;
	uint32_t reset_tries;  /* REQ_GPU_RESET_ACCESS */
	uint32_t access_tries; /* REQ_GPU_INIT_ACCESS, REQ_GPU_FINI_ACCESS */
};

extern const struct gv_mbox_vf_limits gv_mbox_vf_limits_ai; /* 500, 6000, 10000, 11, 1: Vega10 */
extern const struct gv_mbox_vf_limits gv_mbox_vf_limits_nv; /* 500, 6000, 5000, 2, 2 */

/* What the guest's mailbox registers show: read CONTROL first, then the words. */
struct gv_mbox_vf_in {
	uint64_t now_ns;
	bool trn_ack;
	bool rcv_valid;
	struct gv_mbox_msg rcv;
};

/* Bits of gv_mbox_vf_out.acts; to be done in the order of the bits. */
#define GV_MBOX_VF_CLEAR_VALID 0x01u /* write 0 to TRN_VALID (byte access) */
#define GV_MBOX_VF_WRITE       0x02u /* write `send` to TRN_DW0..3 */
#define GV_MBOX_VF_SET_VALID   0x04u /* write 1 to TRN_VALID */
#define GV_MBOX_VF_ACK         0x08u /* write RCV_ACK (byte access) */
#define GV_MBOX_VF_FINISHED    0x10u /* what was started has ended: `result` */
#define GV_MBOX_VF_FLR         0x20u /* we shall be reset: stop all work, then gv_mbox_vf_flr() */
#define GV_MBOX_VF_EVENT       0x40u /* `event` came that asks for nothing (text, RMA, ...) */

struct gv_mbox_vf_out {
	uint32_t acts;
	struct gv_mbox_msg send;
	int result;               /* FINISHED: 0, -ETIMEDOUT, -EACCES (the PF said FAIL) */
	struct gv_mbox_msg reply; /* FINISHED with 0: the answer, zero when ACK was all */
	struct gv_mbox_msg event;
	uint64_t wait_ns; /* until the next step, at most; events by interrupt may come earlier */
};

struct gv_mbox_vf {
	struct gv_mbox_vf_limits limits;
	enum gv_mbox_vf_state state;
	struct gv_mbox_msg msg;
	uint32_t want; /* reply code waited for, 0 ACK only */
	uint32_t tries_left;
	uint32_t resends_left; /* of REQ_GPU_INIT_DATA, when its ACK does not come */
	uint64_t deadline_ns;
	bool runtime; /* no exclusive access: registers only through the KIQ */
	bool in_flr;
	bool flr_seen; /* this FLR_NOTIFICATION was reported already */
	uint32_t last_event;
	uint32_t missed_acks, repeats, bad_events;
};

/** @limits NULL: gv_mbox_vf_limits_ai. Starts not in runtime. */
void gv_mbox_vf_init(struct gv_mbox_vf *vf, const struct gv_mbox_vf_limits *limits);
/** Begin to send request @msg. -EBUSY: the last one has not ended; -EINVAL: not a request. */
int gv_mbox_vf_start(struct gv_mbox_vf *vf, const struct gv_mbox_msg *msg);
/** After GV_MBOX_VF_FLR, when all work is stopped: send READY_TO_RESET, wait for CMPL. Ends
 *  with FINISHED; then REQ_GPU_INIT_ACCESS comes next, whatever the result. -EBUSY as above. */
int gv_mbox_vf_flr(struct gv_mbox_vf *vf);
/** One look at the mailbox. */
void gv_mbox_vf_step(struct gv_mbox_vf *vf, const struct gv_mbox_vf_in *in,
                     struct gv_mbox_vf_out *out);

#endif
