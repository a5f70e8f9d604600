/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Multimedia: the scheduler (MMSCH) and the first encode ring of UVD and VCE, which is all that a
 * VF has.
 *
 *   VCE_MMSCH_VF_MAILBOX_HOST --> mmsch.c: init table in the function's memory --> UVD and VCE
 *       registers, rings on --> VCE_MMSCH_VF_MAILBOX_RESP
 *   doorbell (wptr) --> mm_ring.c: fences, traps, registers, sessions
 *
 * No video is coded: tasks of an IB other than opening and closing a session are counted as
 * unimplemented. The engines run in every state of a world switch: they have schedulers of their
 * own (GPUIOV, UVDSCH and VCESCH), which nobody drives here.
 */
#ifndef GV_MM_H
#define GV_MM_H

#include "device.h"

enum gv_mm_engine { GV_MM_UVD, GV_MM_VCE, GV_MM_ENGINES };

struct gv_mm_ring {
	_Atomic bool on;
	_Atomic uint32_t wptr; /* dwords, as rung */
	/* the worker's */
	uint64_t base;
	uint32_t dw; /* of the ring, a power of two */
	uint32_t rptr;
	bool halted; /* until it is set up again */
};

struct gv_mm {
	bool asked; /* of the MMSCH; under dev->lock */
	struct gv_mm_ring ring[GV_MM_ENGINES];
	/* the worker's */
	struct gv_mem mem; /* VMID 0: rings, fences, tables */
	struct gv_mem ib;  /* of the VMID that the last IB had */
};

/* Registers of one engine's ring, its doorbell and its interrupt. */
struct gv_mm_regs {
	const char *name;
	uint32_t doorbell;
	enum gv_reg base_lo, base_hi, size, rptr, enable;
	uint32_t enable_bits;
	enum gv_ih_client client;
	enum gv_ih_src src;
};
extern const struct gv_mm_regs gv_mm_regs[GV_MM_ENGINES];

/* mm_ring.c, on the worker */

/** Begin at the ring's start with what its registers say. False: they say nothing sensible. */
bool gv_mm_ring_start(struct gv_fn *f, enum gv_mm_engine e);
void gv_mm_ring_stop(struct gv_fn *f, enum gv_mm_engine e);
/** Run commands for a slice, in a memory slice. Nanoseconds until it wants to go on, UINT64_MAX
 *  when rung. */
uint64_t gv_mm_ring_run(struct gv_fn *f, enum gv_mm_engine e);

#endif
