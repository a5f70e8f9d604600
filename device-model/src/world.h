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

#endif
