/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a world switch moves: the engine state of a VF, as an image in its context save area.
 *
 *	CONTEXT (GPUIOV) -> area of the PF's window:  | PF | VF0 | VF1 | ...   one slot each
 *	slot: struct gv_world_image, SDMA queues (sdma_save.c), CP queues with waves (cp_save.c)
 *
 * Registers are not in it: each VF has a bank of its own, which nobody else uses meanwhile.
 */
#ifndef GV_WORLD_H
#define GV_WORLD_H

#include "device.h"

#define GV_WORLD_MAGIC   0x444c5247u /* "GRLD" */
#define GV_WORLD_VERSION 1u

struct gv_world_image {
	uint32_t magic, crc; /* of all that follows */
	uint32_t version, fcn_id;
	uint64_t bytes; /* of everything */
	uint64_t cp_bytes;
};

/** Memory for a copy of an image, kept from one to the next. */
struct gv_world_copy {
	uint8_t *buf;
	size_t room;
};

struct gv_world_vf {
	enum gv_world_state state;
	bool asked; /* its engines are to pause, by us, and may have done so */
	bool held;  /* they have */
	bool saved;
	uint64_t saved_bytes;
};

struct gv_world {
	struct gv_dev *dev;
	struct gv_worker worker;
	_Atomic bool watch;      /* somebody asked for VM_BUSY_TRANSITION */
	_Atomic bool fresh;      /* a command that nobody has begun yet */
	_Atomic unsigned untold; /* commands that have ended, of which the PF is to be told */
	_Atomic uint32_t given;  /* the command that executes, or is to; 0: none */
	/* under life_lock */
	struct gv_world_vf vf[GV_MAX_VFS];
	struct gv_fn *stalled; /* whose IDLE waits */
	bool aborted;          /* it was reset meanwhile */
	struct gv_world_copy copy;
	/* under dev->lock */
	uint32_t intr_enable, intr_status, busy;
};

static inline struct gv_world_vf *gv_world_of(const struct gv_fn *f)
{
	return &f->dev->world->vf[gv_fn_vf(f)];
}

/* All three: engines of @f paused, under life_lock. Text in @err when not 0 (enum gv_world_error,
 * which they return). */

/** Engine state to the slot; the engines still hold it. *@bytes: of the image. */
int gv_world_image_save(struct gv_fn *f, uint64_t *bytes, struct gv_err *err);
/** The engines, which hold nothing of @f, hold what the slot says; on failure nothing. What is in
 *  the slot is not trusted. */
int gv_world_image_load(struct gv_fn *f, struct gv_world_copy *copy, struct gv_err *err);
/** The slot holds no image any more. @all: it is zeroed. No text: without a slot there is nothing
 *  to forget. */
void gv_world_image_wipe(struct gv_fn *f, bool all);

/* world_hold.c, under life_lock. */

/** Loops end soon while they see `stopping`: it takes as long as a few instructions of a wave.
 *  False: not by @end_ns; they will, and gv_world_hold() waits for it. */
bool gv_world_hold_until(struct gv_fn *f, uint64_t end_ns);
void gv_world_hold(struct gv_fn *f);
/** What was held, or asked for in vain, goes on. */
void gv_world_let_go(struct gv_fn *f);

#endif
