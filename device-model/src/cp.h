/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Command processor: what its files know of each other.
 *
 *   doorbell, register hook            cp.c: one worker thread per function
 *        | (dev->lock held:             for each active queue, round robin:
 *        |  set a flag, kick)             hqd.c  do what registers asked
 *        v                                pm4.c  fetch, decode, run packets
 *   gv_queue.asked, .wptr_in ------------>  pm4_*.c, kiq.c, dispatch.c
 *
 * Nothing in the worker waits. A packet that cannot finish yet returns -EAGAIN; it is kept in
 * the queue and tried again later, while other queues of the function go on.
 *
 * When a queue fails (page fault, bad packet, shader fault) it stays ACTIVE and stops for good
 * with CP_HQD_ERROR set, as a hung queue does: no fence behind the failure is ever signalled. The
 * guest sees it time out and unmaps or resets the queue, which clears the error.
 */
#ifndef GV_CP_H
#define GV_CP_H

#include "device.h"

struct gv_cp;
struct gv_grid;

/* FAULT_STATUS.CID of the parts of the graphics core (gmc_v9_0.c, gfxhub client ids). */
enum gv_gc_cid { GV_CID_CPF = 4, GV_CID_CPC = 5, GV_CID_TCP = 8 };

enum {
	GV_FETCH_DW = 512,      /* dwords fetched at once */
	GV_PM4_MAX_DW = 0x4001, /* longest packet */
	GV_IB_DEPTH = 2,        /* IB1 and IB2 */
	GV_SH_COUNT = 0x50,     /* COMPUTE_* registers, from COMPUTE_DISPATCH_INITIATOR */
	GV_BLOCKED_DW = 10,     /* longest packet that may have to wait */
	GV_SLICE_PACKETS = 256, /* packets of one queue before others get their turn */
	GV_NO_DOORBELL = 0xffffffff,
	GV_CODE_ROOM = 8192, /* KiB of code that a function's shaders keep decoded: 34 times that */
};
/* CP_HQD_ERROR when an MQD, or what a scheduler writes, cannot be reached. */
#define GV_MQD_ERROR   GV_PUT(CP_HQD_ERROR, QU_UTCL1_ERROR, 1)
#define GV_RING_MAX_DW (1ull << 30)
#define GV_IB_MASK     ((1ull << 40) - 1) /* an IB's positions never wrap */
#define GV_IB_MAX      0xfffffull         /* dwords */
#define GV_DRAIN_NS    (1 * GV_S)    /* a preempted queue may finish what it runs in this time */
#define GV_POLL_MIN    (4 * GV_US)   /* first and */
#define GV_POLL_MAX    (200 * GV_US) /* longest pause between two looks at a WAIT_REG_MEM */

/* What hooks ask of the worker (gv_queue.asked). */
enum {
	GV_ASK_MAP = 1,    /* ACTIVE was written 1 */
	GV_ASK_DRAIN = 2,  /* DEQUEUE_REQUEST: finish the packet, then stop */
	GV_ASK_KILL = 4,   /* ACTIVE was written 0 */
	GV_ASK_WPTR = 8,   /* wptr_in is new */
	GV_ASK_WPREG = 16, /* CP_HQD_PQ_WPTR_LO/HI were written */
	GV_ASK_RESET = 32, /* DEQUEUE_REQUEST: stop now, ACTIVE goes to 0 */
	GV_ASK_SAVE = 64,  /* DEQUEUE_REQUEST: save the waves, then stop */
	GV_ASK_ALL = 127,
};

/* A range of dwords that packets are fetched from: the ring (pos and end run freely) or an IB. */
struct gv_stream {
	uint64_t va;
	uint64_t pos, end; /* dwords */
	uint64_t mask;     /* ring: dwords - 1 */
	uint32_t skip;     /* dwords that COND_EXEC still skips */
	uint8_t vmid;
};

struct gv_queue {
	struct gv_fn *fn;
	struct gv_cp *cp;
	unsigned slot;

	/* any thread */
	_Atomic uint32_t asked;
	_Atomic uint64_t wptr_in;
	/* under dev->lock */
	uint32_t doorbell; /* dword index watched, or GV_NO_DOORBELL */

	/* the worker's */
	bool active, halted, draining;
	bool save_waves;  /* draining: as soon as they can be saved */
	bool no_save;     /* its context could not be saved: it drains */
	bool hold;        /* preempted without unmapping: starts no new packet */
	bool in_progress; /* in the middle of a long packet */
	bool no_report;   /* rptr report address faulted */
	bool scheduler;   /* may run management packets: mapped as one by the KIQ */
	bool listed;      /* mapped from a run list */
	uint64_t drain_deadline;
	struct gv_stream stream[1 + GV_IB_DEPTH]; /* 0: ring */
	unsigned depth;                           /* which stream runs */
	struct gv_stream enter; /* IB that the packet just run asked for (end 0: none) */
	bool enter_chain;       /* it takes the place of the running IB */
	uint64_t ib_start;      /* ring position of the INDIRECT_BUFFER that runs now */
	uint32_t reported;      /* rptr as last written to memory */
	/* packet that waits: a copy, so that what was checked stays what is run */
	uint32_t blocked[GV_BLOCKED_DW];
	unsigned blocked_dw;  /* 0: none */
	unsigned blocked_len; /* of the whole packet */
	uint64_t step;        /* how far it is; its handler's, 0 at first */
	uint64_t retry_at, backoff;
	uint32_t sh[GV_SH_COUNT]; /* this queue's COMPUTE_* registers */
	bool sh_news;             /* the register file does not show them yet */
	bool aql;                 /* the ring holds AQL packets, see aql.c */
	bool aql_busy;            /* the one at the read index has begun */
	bool aql_refused;         /* it cannot run: the runtime was told */
	uint64_t aql_start;       /* when it began: GPU clock */
	struct gv_grid *grid;     /* running dispatch, or NULL */
	struct gv_grid *store;    /* memory of the last one, kept for the next */
};

/* What SET_RESOURCES gave a scheduler. */
struct gv_resources {
	uint64_t queues; /* bit per HQD */
	uint32_t vmids;
};

enum gv_hws_state {
	GV_HWS_OFF,
	GV_HWS_MAP,     /* reading the list */
	GV_HWS_ALL,     /* all of it is mapped */
	GV_HWS_SLICE,   /* part of it is, until slice_end */
	GV_HWS_PREEMPT, /* taking that down */
	GV_HWS_STATES
};

/* A run list in force: see hws.c. */
struct gv_hws {
	enum gv_hws_state state;
	unsigned slot;                /* of the queue that runs it */
	uint64_t va, start_va;        /* of the list being read; where this round began */
	uint32_t pos, end, start_pos; /* dwords */
	uint64_t home_va;             /* behind its end it begins here */
	uint32_t home_end;
	uint32_t read;                  /* packets of this round */
	uint32_t mapped;                /* queues of this round */
	uint32_t limit;                 /* processes at a time */
	uint32_t body[15];              /* the MAP_PROCESS that pos is behind; its PASID */
	uint32_t has_process, has_vmid; /* there was one; it has a VMID in this round */
	unsigned vmid;
	uint64_t slice_end;
};

struct gv_cp {
	struct gv_fn *fn;
	struct gv_worker worker;
	struct gv_queue queue[GV_CP_QUEUES];
	uint64_t mapped;              /* bit per HQD with a doorbell; under dev->lock */
	struct gv_resources given[2]; /* to the KIQ, and to queues it mapped as schedulers */
	struct gv_hws hws;
	unsigned first; /* queue that goes first next time */
	_Atomic bool rlc_rung;
	_Atomic bool busy;  /* a queue had something left to do when the worker last looked */
	bool unseen;        /* loaded, with something the worker has not looked at. Paused */
	bool irq;           /* an interrupt was posted and not drained */
	uint32_t code_room; /* gv_cu_dispatch.code_room */
	bool mem_ready[GV_NUM_VMID];
	struct gv_mem mem[GV_NUM_VMID];
	uint32_t fetch[GV_PM4_MAX_DW];
};

/* A packet: header in dw[0], dw[n - 1] its last; `left` more fetched dwords follow. */
struct gv_pkt {
	const uint32_t *dw;
	unsigned n, left;
	uint8_t vmid;
	struct gv_mem *mem;
};

/* 0 done; -EAGAIN wait (q->retry_at says when); -EINPROGRESS made progress, call again soon;
 * other errors: the queue fails. */
typedef int gv_pkt_fn(struct gv_queue *q, const struct gv_pkt *p);

#define GV_PKT(p, pkt, field) GV_GET((p)->dw[PM4_##pkt##__##field##__DW], PM4_##pkt, field)
/** Address made of two packet dwords, dword aligned. */
static inline uint64_t gv_pkt_va(uint32_t lo, uint32_t hi)
{
	return ((uint64_t)hi << 32 | lo) & ~3ull;
}

/* cp.c */
struct gv_mem *gv_cp_mem(struct gv_cp *cp, unsigned vmid);
/** Post an interrupt of @q (client GRBM_CP). */
void gv_queue_irq(struct gv_queue *q, enum gv_ih_src src, unsigned vmid, uint32_t data0);
/** The queue fails: @bits for CP_HQD_ERROR, interrupt @src (0 none). Returns -EIO. */
int gv_queue_fail(struct gv_queue *q, uint32_t bits, enum gv_ih_src src, const char *why);
/** Try the packet again after a pause that grows. Returns -EAGAIN. */
int gv_queue_poll(struct gv_queue *q);
/** Try again when woken (grid done). Returns -EAGAIN. */
int gv_queue_sleep(struct gv_queue *q);
/** CP_PQ_STATUS.DOORBELL_ENABLE lets doorbells of MEC queues through. */
bool gv_cp_takes_doorbell(const struct gv_queue *q);
/** Not halted, and not at the end of its ring. */
bool gv_queue_has_work(const struct gv_queue *q);
bool gv_queue_is_scheduler(const struct gv_queue *q);

static inline bool gv_queue_is_gfx(const struct gv_queue *q)
{
	return q->slot == GV_GFX_SLOT;
}

/* gfx.c */
/** CP_ME_CNTL: one of the three that process the graphics ring stands still. */
bool gv_gfx_is_halted(struct gv_fn *f);
/** Its packets up to the one at @wptr, which counts within the ring, are to run. Worker. */
void gv_gfx_extend(struct gv_queue *q, uint32_t wptr);
/** The ring's registers as after a reset, also when the register file is not reset. */
void gv_gfx_reset(struct gv_fn *f);

/* hqd.c */
void gv_hqd_work(struct gv_queue *q, uint32_t asked);
/** Load @q from its HQD registers and let it run, from its saved context if there is one. */
void gv_hqd_activate(struct gv_queue *q);
/** The engine holds nothing of @q any more; its registers, its doorbell and what was asked of it
 *  stay (a world switch). */
void gv_hqd_drop(struct gv_queue *q);
/** Stop now: kills its grid, ACTIVE reads 0. */
void gv_hqd_deactivate(struct gv_queue *q);
/** A draining queue that has come to rest, or whose time is over, stops. */
void gv_hqd_check_drain(struct gv_queue *q, uint64_t now);
bool gv_hqd_at_rest(const struct gv_queue *q);
/** Write rptr to the register and, if changed, to memory. */
void gv_hqd_report_rptr(struct gv_queue *q);
void gv_hqd_poll_wptr(struct gv_queue *q);
/** Dword index watched for @q follows its registers. Under dev->lock. */
void gv_hqd_watch(struct gv_queue *q);
void gv_hqd_forget(struct gv_queue *q);

/** rptr, wptr, COMPUTE_* and what says that a context is saved go back to the MQD, so that mapping
 *  it again goes on there. 0 (also when the queue has none), -EFAULT. */
int gv_hqd_store_mqd(struct gv_queue *q);

/* context.c: what a queue is in the middle of, see there */

/** Bytes of the context now: 0 when there is none to save. The queue's grid is parked. */
size_t gv_context_size(const struct gv_queue *q);
/** @bytes: gv_context_size(), not 0. 0, or -EINVAL (the dispatch has faulted: nothing to go on
 *  with). The grid is parked. */
int gv_context_pack(const struct gv_queue *q, void *buf, size_t bytes);
/** The queue, just activated, goes on where the packed one stood. @buf, which nobody changes
 *  meanwhile, is not trusted. -EINVAL: not what gv_context_pack() wrote for such a ring; -ENOMEM.
 */
int gv_context_unpack(struct gv_queue *q, const void *buf, size_t bytes);
/** Stop the waves and save into the HQD's area for it (CTX_SAVE_*). 0: the queue can be stopped now
 * and loses nothing. -EAGAIN: in the middle of a packet, ask again when it has run. Others: it goes
 * on as if nobody had asked (-ENOSPC: the area is too small; -EFAULT: recorded). */
int gv_context_save(struct gv_queue *q);
/** After activation: go on from the area if the HQD says that something is saved there. Fails the
 *  queue if that is not possible. */
void gv_context_restore(struct gv_queue *q);

/* pm4.c */
enum gv_run { GV_RUN_IDLE, GV_RUN_WAIT, GV_RUN_MORE };
/** Run packets of @q for a slice. */
enum gv_run gv_pm4_run(struct gv_queue *q);
uint32_t gv_pm4_reg_read(struct gv_queue *q, uint32_t dw);
void gv_pm4_reg_write(struct gv_queue *q, uint32_t dw, uint32_t val);
/** The function's register file shows the COMPUTE_* registers of @q. */
void gv_pm4_show_sh(struct gv_queue *q);
/** Turn the error of a memory access into that of the queue. 0 and -EAGAIN pass. */
int gv_pm4_mem_rc(struct gv_queue *q, int rc, uint32_t error_bits);

/** Where the INDIRECT_BUFFER packet @dw, found in @from, leads. */
struct gv_stream gv_pm4_ib_stream(const struct gv_stream *from, const uint32_t *dw);

/* aql.c */
/** Whether the HQD asks for AQL packets. */
bool gv_aql_is_on(const struct gv_queue *q);
/** Its ring is loaded: go on at the queue's read index. Fails the queue if that is not possible. */
void gv_aql_attach(struct gv_queue *q);
/** Packets before @index may be ready. */
void gv_aql_set_write_index(struct gv_queue *q, uint64_t index);
/** Begin, or go on with, the packet at the read index. As gv_pkt_fn. */
int gv_aql_run(struct gv_queue *q);

/* pm4_mem.c */
gv_pkt_fn gv_pm4_write_data, gv_pm4_copy_data, gv_pm4_wait_reg_mem, gv_pm4_atomic_mem,
        gv_pm4_dma_data, gv_pm4_release_mem, gv_pm4_cond_exec;
/* kiq.c */
gv_pkt_fn gv_kiq_set_resources, gv_kiq_map_queues, gv_kiq_query_status, gv_kiq_invalidate_tlbs;
/** 0, or the queue fails: it may not run management packets. */
int gv_kiq_check_scheduler(struct gv_queue *q);
/** What SET_RESOURCES gave to queues like @q. */
struct gv_resources *gv_kiq_given(struct gv_queue *q);
/** A free HQD of the mask, or NULL. */
struct gv_queue *gv_kiq_free_slot(struct gv_cp *cp, uint64_t queues);
/** Load @t from the MQD of MAP_QUEUES @p, which @q runs, and let it go in @vmid. */
int gv_kiq_load(struct gv_queue *q, struct gv_queue *t, const struct gv_pkt *p, unsigned vmid);
/* unmap.c */
/* ENGINE_SEL of MAP_QUEUES and UNMAP_QUEUES */
enum {
	GV_ENGINE_COMPUTE = 0,
	GV_ENGINE_SCHEDULER = 1,
	GV_ENGINE_SDMA0 = 2,
	GV_ENGINE_SDMA1 = 3,
	GV_ENGINE_GFX = 4,
};
/* ACTION of UNMAP_QUEUES */
enum gv_unmap { GV_PREEMPT, GV_RESET, GV_DISABLE_PROCESS, GV_PREEMPT_NO_UNMAP };
gv_pkt_fn gv_unmap_queues;
/** Take @t from its HQD, for @q: 0 when it is stored, -EAGAIN while it runs, else @q failed. With
 *  @spare a queue that does not come to rest in time goes on, -EBUSY. */
int gv_unmap_one(struct gv_queue *q, struct gv_queue *t, enum gv_unmap action, bool spare);
/* hws.c */
gv_pkt_fn gv_hws_run_list;
/** Nothing is mapped from the list any more; what is mapped stays. */
void gv_hws_stop(struct gv_cp *cp);
/** Whether @t is one of the list's, and of @pasid (negative: of any). */
bool gv_hws_has(const struct gv_queue *t, int pasid);
/** The VMIDs of @pasid (negative: all) that the list's queues may have. */
uint32_t gv_hws_vmids(struct gv_fn *f, int pasid);
/** Go on. Returns when it wants to be called again. */
uint64_t gv_hws_run(struct gv_cp *cp, uint64_t now);
/** It has something to do that does not wait for a queue's doorbell. */
bool gv_hws_has_work(const struct gv_cp *cp);
/** Whether this could be the state of one. */
bool gv_hws_is_valid(const struct gv_hws *h);
/* dispatch.c */
gv_pkt_fn gv_pm4_dispatch_direct, gv_pm4_dispatch_indirect;
/** COMPUTE_* as after a reset: all compute units, nothing else. */
void gv_dispatch_defaults(struct gv_queue *q);
/** Run what the queue's COMPUTE_* registers say, once gv_dispatch_wait() says 0. 0; -EINVAL: a
 *  workgroup that no compute unit holds; -EAGAIN: no unit is enabled; -ENOSPC: too little scratch;
 * -EIO: the queue failed. */
int gv_dispatch_start(struct gv_queue *q, unsigned vmid, uint32_t initiator);
/** Whether the queue's dispatches are over: 0, -EAGAIN, or an error (the queue failed). */
int gv_dispatch_wait(struct gv_queue *q);
/** End the queue's dispatch now, whatever it does. */
void gv_dispatch_drop(struct gv_queue *q);
/** The same, and what was decoded for it is not kept for the next. */
void gv_dispatch_kill(struct gv_queue *q);
/** Note the end of the queue's dispatch, if it has come. */
void gv_dispatch_reap(struct gv_queue *q);
/** Kill, and free what was kept. */
void gv_dispatch_free(struct gv_queue *q);

/* rlc.c */
void gv_rlc_work(struct gv_fn *f);

/* ---- cu_pool.c: threads that run grids between add and remove; the queue owns the grid ---- */

/* What the pool knows of a grid; what runs is in dispatch.c. A grid is made of parts, each run by
 * one thread at a time. has_work, take and put are called under the pool's lock, slice is not. */
struct gv_grid_head {
	struct gv_fn *fn;
	struct gv_grid_head *next; /* of the same function, round */
	_Atomic unsigned users;    /* threads in it; changed under the lock of the pool */
	bool queued;
	unsigned waiting;                         /* parts to be tried again later */
	_Atomic bool cancel;                      /* slices end soon */
	_Atomic bool over;                        /* nothing left, no thread in it */
	bool (*has_work)(struct gv_grid_head *g); /* a part that a thread could take now */
	void *(*take)(struct gv_grid_head *g);
	void (*slice)(struct gv_grid_head *g, void *part);
	void (*put)(struct gv_grid_head *g, void *part);
};
void gv_cu_pool_add(struct gv_cu_pool *pool, struct gv_grid_head *g);
/** Take @g out; returns when no thread runs it (a slice at most). Under mem_lock (read or write)
 *  and dev->lock at most. */
void gv_cu_pool_remove(struct gv_cu_pool *pool, struct gv_grid_head *g);
/** Threads leave the grids of @f and do not come back until gv_cu_pool_resume(). No locks. False:
 *  at @end_ns (gv_now_ns(); UINT64_MAX: wait) one was there still. */
bool gv_cu_pool_pause_until(struct gv_cu_pool *pool, struct gv_fn *f, uint64_t end_ns);
void gv_cu_pool_resume(struct gv_cu_pool *pool, struct gv_fn *f);

#endif
