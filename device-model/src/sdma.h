/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SDMA of one function: 2 engines of 3 queues, all served by one worker.
 *
 *   registers, doorbells (sdma_regs.c)   under dev->lock: store, mark, kick
 *   worker (sdma.c)                      takes turns over ready queues, one step each
 *   packets (sdma_packets.c, sdma_fill.c) a step of one packet: at most 1 MiB moved
 *   MQDs (sdma_mqd.c)                    queues that the KIQ maps
 *
 * Locks: mem_lock, then sdma->lock (what the worker and the KIQ share), then dev->lock.
 * Registers are accessed with none of them held: a hook may use memory.
 */
#ifndef GV_SDMA_H
#define GV_SDMA_H

#include "mem.h"

enum { SDMA_ENGINES = 2, SDMA_QUEUES = 3, SDMA_GFX = 0 };

#define SDMA_STEP_BYTES    (1 * GV_MIB) /* moved under one hold of mem_lock */
#define SDMA_MAX_PACKET_DW 16           /* fixed part of the longest packet */

/* Registers of one queue. */
struct gv_sdma_queue_regs {
	enum gv_reg rb_cntl, rb_base, rb_base_hi, rb_rptr, rb_rptr_hi, rb_wptr, rb_wptr_hi,
	        poll_cntl, rptr_addr_hi, rptr_addr_lo, ib_cntl, ib_rptr, ib_offset, ib_base_lo,
	        ib_base_hi, ib_size, skip_cntl, context_status, doorbell, doorbell_log,
	        doorbell_offset, csa_addr_lo, csa_addr_hi, preempt, poll_addr_hi, poll_addr_lo,
	        aql_cntl, minor_ptr_update;
};
extern const struct gv_sdma_queue_regs gv_sdma_queue_regs[SDMA_ENGINES][SDMA_QUEUES];

struct gv_sdma_engine_regs {
	enum gv_reg cntl, f32_cntl, status;
	enum gv_ih_client client;
};
extern const struct gv_sdma_engine_regs gv_sdma_engine_regs[SDMA_ENGINES];

/* A packet being worked on, in as many steps as it needs. */
struct gv_sdma_op {
	uint32_t dw[SDMA_MAX_PACKET_DW];
	unsigned have;  /* dwords in dw[] */
	unsigned total; /* dwords of the packet in its stream, data included */
	bool active;
	bool wrote;       /* HDP flush form: the request was written */
	uint64_t done;    /* progress, what it means is the packet's business */
	uint32_t tries;   /* polls that were not satisfied */
	uint64_t wait_ns; /* ... and the pause before the next */
	uint64_t next_ns;
};

struct gv_sdma_queue {
	struct gv_sdma *sdma;
	const struct gv_sdma_queue_regs *r;
	unsigned engine, id;
	struct gv_mem ring_mem, ib_mem;

	/* under sdma->lock */
	uint64_t rptr; /* bytes, never wraps */
	bool halted;   /* met what it cannot pass; until RB_ENABLE falls */
	bool in_ib;
	uint64_t ib_va;
	uint32_t ib_dw, ib_pos;
	uint32_t skip_dw; /* COND_EXE, PRE_EXE: still to be passed over */
	struct gv_sdma_op op;
	uint64_t poll_ns, poll_next_ns; /* wptr polling: pause, and when it is over */
	bool mapped;                    /* by MAP_QUEUES */
	bool listed;                    /* of a run list */
	uint64_t mqd_va;

	int32_t watched;      /* doorbell index claimed, -1 none; under dev->lock */
	_Atomic bool restart; /* RB_ENABLE changed: forget the packet in progress */
	_Atomic bool busy;    /* what STATUS and CONTEXT_STATUS show */
	_Atomic bool stuck;
};

struct gv_sdma {
	struct gv_fn *fn;
	struct gv_worker worker;
	pthread_mutex_t lock;
	struct gv_sdma_queue queue[SDMA_ENGINES * SDMA_QUEUES];
	unsigned turn;
	_Atomic uint64_t clock_base; /* TIMESTAMP_SET */
};

/* What the registers of a queue say, read together. */
struct gv_sdma_ring {
	bool runs;
	uint64_t base, bytes, rptr, wptr, writeback, poll;
	unsigned vmid;
};

/* What a step came to. */
enum gv_sdma_step {
	SDMA_DONE,     /* packet finished, or skipped */
	SDMA_MORE,     /* same packet again */
	SDMA_WAIT,     /* not before op.next_ns */
	SDMA_REG_READ, /* needs a register: op.dw[] says which, see gv_sdma_reg */
	SDMA_REG_WRITE,
	SDMA_IRQ,  /* finished; interrupts wait for delivery */
	SDMA_HALT, /* the queue cannot go on */
	SDMA_IDLE, /* nothing to do until the write pointer moves */
};

/* A register access that a step asks for. */
struct gv_sdma_reg {
	uint32_t byte, val, enable; /* enable: mask of the bytes to write */
};

/* ---- sdma_packets.c ------------------------------------------------------- */

/** Dwords of the packet that starts with @dw[0..have): all of it, data included. 0: more dwords
 *  are needed to tell. -ENOENT: no such packet. */
int gv_sdma_packet_dw(const uint32_t *dw, unsigned have, uint64_t *total);
/** Work on q->op for at most about SDMA_STEP_BYTES. In a memory slice, sdma->lock held. */
enum gv_sdma_step gv_sdma_step(struct gv_sdma_queue *q, struct gv_sdma_reg *reg);
/** Go on with the value that SDMA_REG_READ asked for. */
enum gv_sdma_step gv_sdma_step_reg(struct gv_sdma_queue *q, uint32_t val);

/* ---- sdma_moves.c: packets that move or fill memory ----------------------- */
enum gv_sdma_step gv_sdma_copy(struct gv_sdma_queue *q);
enum gv_sdma_step gv_sdma_copy_physical(struct gv_sdma_queue *q);
enum gv_sdma_step gv_sdma_copy_subwin(struct gv_sdma_queue *q);
enum gv_sdma_step gv_sdma_write(struct gv_sdma_queue *q);
enum gv_sdma_step gv_sdma_write_incr(struct gv_sdma_queue *q);
enum gv_sdma_step gv_sdma_ptepde_copy(struct gv_sdma_queue *q);
enum gv_sdma_step gv_sdma_ptepde_rmw(struct gv_sdma_queue *q);
enum gv_sdma_step gv_sdma_fill(struct gv_sdma_queue *q);
enum gv_sdma_step gv_sdma_fill_multi(struct gv_sdma_queue *q);
enum gv_sdma_step gv_sdma_dirty_bits(struct gv_sdma_queue *q);

/* ---- sdma.c --------------------------------------------------------------- */

/** The view of memory of the stream that the packet came from. */
static inline struct gv_mem *gv_sdma_mem(struct gv_sdma_queue *q)
{
	return q->in_ib ? &q->ib_mem : &q->ring_mem;
}
static inline uint64_t gv_sdma_va(const struct gv_sdma_queue *q, unsigned lo)
{
	return (uint64_t)q->op.dw[lo + 1] << 32 | q->op.dw[lo];
}
/** Copy @n bytes of the stream from byte @at of the packet in progress to @to_va. */
int gv_sdma_copy_stream(struct gv_sdma_queue *q, uint64_t at, uint64_t to_va, uint64_t n);
/** Forget the packet and the IB in progress. */
void gv_sdma_queue_forget(struct gv_sdma_queue *q);

/* ---- sdma_regs.c ---------------------------------------------------------- */

/** Claim or give up the doorbell that the registers name. Under dev->lock. */
void gv_sdma_update_doorbell(struct gv_sdma_queue *q);

#endif
