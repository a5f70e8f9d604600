/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private face of the PF driver: what its files know of each other. */
#ifndef GV_PF_H
#define GV_PF_H

#include <gv/hw_spec.h>
#include <gv/layouts.h>
#include <gv/packets.h>
#include <gv/pf_driver.h>

#include "journal.h"
#include "contain.h"
#include "trace.h"
#include "world.h"

/* The PF's window, from device address 0 (the first MiB mirrors a VF's exchange region):
 *   1 MiB  SDMA ring, then its write-back page; 128 KiB on, the boot record; 256 KiB on, what is
 *          fetched from scrubbed memory
 *   2 MiB  second-level tables
 *   then   context save areas
 */
#define PF_SDMA_RING       GV_MIB
#define PF_SDMA_RING_BYTES (64 * GV_KIB)
#define PF_SDMA_WB         (PF_SDMA_RING + PF_SDMA_RING_BYTES)
#define PF_BOOT_RECORD     (PF_SDMA_RING + 128 * GV_KIB)  /* boot_state.h */
#define PF_BOOT_PENDING    (PF_BOOT_RECORD + 16 * GV_KIB) /* of each VF, 8 bytes (adopt.c) */
#define PF_SCRUB_FETCHED   (PF_SDMA_RING + 256 * GV_KIB)  /* scrub.c */
#define PF_TABLES          (2 * GV_MIB)

#define PF_IH_RING_BYTES (64 * GV_KIB)

/* A register that a step has changed, and what was in it. */
struct pf_saved {
	uint32_t byte, was;
	bool config; /* configuration space, not BAR5 */
};
#define PF_MAX_SAVED 128

/* Work on a VF that takes longer than one call; at most one per VF. */
enum pf_job_phase {
	PF_JOB_NONE,
	PF_JOB_DRAIN,  /* let the guest see our ACK */
	PF_JOB_FLR,    /* GVX_VF_RESET is busy */
	PF_JOB_SCRUB,  /* the slice is being filled */
	PF_JOB_REFILL, /* exchange pages */
	PF_JOB_ENTER,  /* others are being switched out */
	PF_JOB_GPU,    /* the whole GPU is being reset */
};

struct pf_job {
	enum pf_job_phase phase;
	uint32_t ticket;
	bool scrub, reset;
	bool enter; /* exclusive access follows */
	enum gv_mbox_reason reason;
	uint64_t deadline_ns;
	uint64_t since_ns; /* of this phase */
	uint64_t scrub_ns; /* when the scrub began, 0 not yet */
};

struct pf_vf {
	struct pf_job job;
	bool unacked;           /* the message in RCV was dropped on purpose: do not look again */
	bool no_scrub_next;     /* asked for the reset that comes */
	bool gone_next;         /* that reset is ours, because the guest is gone */
	unsigned gates;         /* PF_GATE_*: what we opened */
	uint32_t noted_pending; /* as PF_BOOT_PENDING has it */
	uint32_t heard;         /* code of the last message that was taken */
	uint32_t asked;         /* code of the request that reply_due is about */
	unsigned shut;          /* of these, kept shut by the guard */
	enum gv_mbox_state seen_state;
	uint64_t since_ms, since_ns;
	uint32_t l2_fault_count;
	uint64_t resets, errors, messages_refused;
	uint32_t reply_due; /* code of the reply that its guest waits for, 0 none */
	uint64_t asked_ns;
	struct gv_pf_hist answer;
	struct gv_pf_fault fault;
	bool guest_known;
	struct gv_mbox_vf2pf_info guest;
	char last_error[160];
	uint64_t told_ns; /* begin of the second in which ... */
	unsigned told;    /* ... so many events were about its messages */
	struct pf_contain_vf contain;
};

/* The one fill that the SDMA engine works on. */
struct pf_scrub {
	bool active;
	int vf;                           /* -1: none of a job */
	uint64_t start, chunk, next, end; /* [chunk, next): what the engine has */
	uint64_t left;                    /* the first place that was not zero */
	uint32_t walk, fence;
	uint64_t deadline_ns;
};
#define PF_SCRUB_NOTHING_LEFT UINT64_MAX

struct pf_sdma {
	bool up;
	uint64_t wptr;  /* bytes, never wraps */
	uint32_t fence; /* last number handed out */
};

struct pf_ih {
	struct gv_dma ring, wb;
	int eventfd;
	uint32_t rptr;
};

struct gv_pf {
	struct gv_bus *bus;
	struct gv_pf_cfg cfg;
	struct gv_log log;
	char who[160];
	struct gv_pf_caps caps;
	uint64_t vram_bytes, bar0_bytes;
	uint16_t giov;         /* offset of the GPUIOV capability */
	uint32_t pcie_atomics; /* what guests are told of it */
	unsigned steps_done;
	bool booted;

	struct pf_saved saved[PF_MAX_SAVED];
	unsigned num_saved;
	unsigned saved_at[16]; /* num_saved before each step */

	struct pf_trace trace;
	struct pf_journal *journal; /* NULL: none */
	struct gv_pf_boot_status boot;
	uint64_t boot_id; /* boot_state.h */
	struct pf_ih ih;
	struct pf_sdma sdma;
	struct pf_scrub scrub;
	struct pf_scrubbed scrubbed[GV_PF_MAX_VFS];
	struct pf_gpu_reset gpu_reset;
	struct pf_world world;

	bool has_plan;
	uint32_t vfs_made;      /* how often VFs were made or taken away */
	struct gv_pf_plan plan; /* in force */
	struct gv_mbox_pf mbox;
	struct pf_vf vf[GV_PF_MAX_VFS];
	uint64_t poll_ns;
	uint64_t interrupts, ring_overflows, unknown_interrupts;
	uint64_t event_seq;
};

#define PF_LOG(pf, level, ...) gv_logf(&(pf)->log, level, __VA_ARGS__)

/** An event to the owner, and an info line to the log. @vf -1: the GPU. (pf.c) */
void pf_event(struct gv_pf *pf, enum gv_pf_event_kind kind, int vf, const char *fmt, ...)
        __attribute__((format(printf, 4, 5)));
uint64_t pf_time_ms(void);

/* ---- registers that can be put back (regs.c) */
/** Write @val; remember what was there for pf_restore(). With a @mask other than 0: read back and
 *  compare under it. -EIO names register, written and read. */
int pf_set(struct gv_pf *pf, uint32_t byte, uint32_t val, uint32_t mask, struct gv_err *err);
int pf_set_cfg(struct gv_pf *pf, uint16_t off, uint32_t val, uint32_t mask, struct gv_err *err);
/** Put back everything remembered since there were @down_to, last first. */
void pf_restore(struct gv_pf *pf, unsigned down_to);
/** -EIO unless (register & mask) == want. */
int pf_expect(struct gv_pf *pf, uint32_t byte, uint32_t mask, uint32_t want, struct gv_err *err);

/* ---- bring-up as a whole (boot.c) */
/** All steps; after a failure none. @adopt: VFs may run, and are not touched. */
int pf_bring_up(struct gv_pf *pf, bool adopt, struct gv_err *err);
/** Undo what pf_bring_up() has done. */
void pf_bring_down(struct gv_pf *pf);

/* ---- bring-up steps: init and fini of each block */
int pf_identity_init(struct gv_pf *pf, struct gv_err *err);
int pf_nbio_init(struct gv_pf *pf, struct gv_err *err);
int pf_psp_init(struct gv_pf *pf, struct gv_err *err);
int pf_gmc_init(struct gv_pf *pf, struct gv_err *err);
int pf_ih_init(struct gv_pf *pf, struct gv_err *err);
void pf_ih_fini(struct gv_pf *pf);
/** No entry is written any more. */
void pf_ih_quiet(struct gv_pf *pf);
int pf_rlc_init(struct gv_pf *pf, struct gv_err *err);
int pf_gfx_init(struct gv_pf *pf, struct gv_err *err);
int pf_sdma_init(struct gv_pf *pf, struct gv_err *err);
void pf_sdma_fini(struct gv_pf *pf);
int pf_mailbox_init(struct gv_pf *pf, struct gv_err *err);
int pf_gpuiov_init(struct gv_pf *pf, struct gv_err *err);

/* ---- scrubbing (sdma.c, scrub.c) */
/** Hand @count dwords and a fence behind them to the engine; *@fence gets its number. What was
 *  pushed before must have ended. -EINVAL: larger than the ring. */
int pf_sdma_push(struct gv_pf *pf, const uint32_t *dw, unsigned count, uint32_t *fence);
/** Fence number that the engine has reached. */
uint32_t pf_sdma_reached(struct gv_pf *pf);
/** Begin to fill [device, device + bytes) with zeros. -EBUSY: one is under way. */
int pf_scrub_start(struct gv_pf *pf, int vf, uint64_t device, uint64_t bytes);
/** Hand the engine more when it is ready. 0: done, -EINPROGRESS, or -ETIMEDOUT. */
int pf_scrub_step(struct gv_pf *pf, uint64_t now_ns);
/** Start, wait, verify. */
int pf_scrub_wait(struct gv_pf *pf, int vf, uint64_t device, uint64_t bytes, struct gv_err *err);
/** Was the fill that has ended just now one of this, and is it zero wherever it was looked at: in
 *  every 2 MiB, and at both ends? -EIO: something is left, -EINVAL: it was another one. */
int pf_scrub_verify(struct gv_pf *pf, uint64_t device, uint64_t bytes, struct gv_err *err);
/** At how many places of @bytes is looked, and at how many bytes at each. */
uint32_t pf_scrub_samples(uint64_t bytes, uint32_t *each);

/* ---- what a VF finds (exchange.c, slice.c) */
int pf_exchange_write(struct gv_pf *pf, const struct gv_pf_plan *plan, unsigned vf,
                      struct gv_err *err);
/** Is all there, before anybody else can write there? -EIO. */
int pf_exchange_check(struct gv_pf *pf, const struct gv_pf_plan *plan, unsigned vf,
                      struct gv_err *err);
uint32_t pf_pcie_atomics(struct gv_pf *pf);
/** Copy vf2pf, check it, remember it. */
void pf_exchange_read(struct gv_pf *pf, unsigned vf);
int pf_tables_write(struct gv_pf *pf, const struct gv_pf_plan *plan, struct gv_err *err);
void pf_tables_clear(struct gv_pf *pf, const struct gv_pf_plan *plan);
int pf_slices_write(struct gv_pf *pf, const struct gv_pf_plan *plan, struct gv_err *err);
void pf_slices_clear(struct gv_pf *pf, const struct gv_pf_plan *plan);
int pf_slices_check(struct gv_pf *pf, const struct gv_pf_plan *plan, struct gv_err *err);

/* ---- gates (gates.c) */
#define PF_GATE_FB       1u
#define PF_GATE_DOORBELL 2u
#define PF_GATE_REGWR    4u /* and the RLC's register interface */
#define PF_GATE_ALL      7u
void pf_gates_open(struct gv_pf *pf, unsigned vf, unsigned gates);
void pf_gates_close(struct gv_pf *pf, unsigned vf, unsigned gates);
void pf_gates_close_all(struct gv_pf *pf);
/** Keep the doorbells shut, whatever is opened meanwhile; or let them be as opened again. */
void pf_gates_hold(struct gv_pf *pf, unsigned vf, bool on);
/* The gates of all VFs at one moment. */
struct pf_gate_words {
	uint32_t word[4];
};
void pf_gates_read(struct gv_pf *pf, struct pf_gate_words *words);
unsigned pf_gates_of(const struct pf_gate_words *words, unsigned vf);
unsigned pf_gates(struct gv_pf *pf, unsigned vf);

/* ---- mailbox service (mailbox.c, actions.c, jobs.c, fault.c) */
bool pf_vf_enabled(const struct gv_pf *pf, unsigned vf);
/** Look at one VF's mailbox. @again: also at a message that was dropped before. */
void pf_mailbox_look(struct gv_pf *pf, unsigned vf, bool again);
void pf_mailbox_acked(struct gv_pf *pf, unsigned vf);
void pf_mailbox_clear(struct gv_pf *pf, unsigned vf);
void pf_mailbox_ack(struct gv_pf *pf, unsigned vf);
void pf_mailbox_send(struct gv_pf *pf, unsigned vf, const struct gv_mbox_msg *msg, bool valid);
/** What both ends show, without acting on it (but for the gates: adopt.h). */
struct pf_seen;
void pf_mailbox_seen(struct gv_pf *pf, unsigned vf, struct pf_seen *seen);
/** Take a message that came and went while nobody looked; pf->vf[].heard must be known. */
void pf_mailbox_withdrawn(struct gv_pf *pf, unsigned vf);
/** The VF still shows a message to us. */
bool pf_mailbox_rcv_valid(struct gv_pf *pf, unsigned vf);
void pf_actions_run(struct gv_pf *pf, const struct gv_mbox_acts *acts);
void pf_job_start(struct gv_pf *pf, unsigned vf, const struct gv_mbox_act *act);
/** Ask for the engines and wait for them; the action ends then. */
void pf_job_enter(struct gv_pf *pf, unsigned vf, const struct gv_mbox_act *act);
/** After a reset of the whole GPU: whatever was under way for the VF, it is scrubbed now. */
void pf_job_scrub_next(struct gv_pf *pf, unsigned vf);
/** What is under way for the VF has failed. */
void pf_job_fail(struct gv_pf *pf, unsigned vf, const char *why);
void pf_jobs_step(struct gv_pf *pf, uint64_t now_ns);
bool pf_jobs_busy(const struct gv_pf *pf);
void pf_jobs_forget(struct gv_pf *pf);
void pf_sessions_start(struct gv_pf *pf);
/** Note in the journal what the session, its gates, its job are; before that has any effect. */
void pf_session_note(struct gv_pf *pf, unsigned vf);
/** -EBUSY: a VF is in use, and no GV_PF_APPLY_FORCE in @flags (apply.c). */
int pf_check_idle(struct gv_pf *pf, unsigned flags, struct gv_err *err);
/** Put @plan into force where there is none; after a failure none is (apply.c). */
int pf_put_up(struct gv_pf *pf, const struct gv_pf_plan *plan, unsigned flags, struct gv_err *err);
/** Mode 1 has taken it out of the hardware: the steps of that which VFs do not see (apply.c). */
int pf_put_back(struct gv_pf *pf, const struct gv_pf_plan *plan, struct gv_err *err);
void pf_sessions_stop(struct gv_pf *pf);
void pf_faults_look(struct gv_pf *pf);
void pf_fault_interrupt(struct gv_pf *pf, bool mmhub);
void pf_states_look(struct gv_pf *pf);

#endif
