/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading an interrupt ring: pure. The ring and its write pointer are written by the device, so
 * they are copied once and never trusted to lie inside. */
#ifndef GV_GUEST_IH_H
#define GV_GUEST_IH_H

#include <gv/base.h>
#include <gv/layouts.h>

struct gv_ih_ring {
	const void *ring;
	uint32_t bytes; /* power of two, at least two entries */
	uint32_t rptr;  /* bytes */
	uint64_t entries, overflows;
};

/* One entry, taken apart. */
struct gv_ih_event {
	unsigned client, src, ring_id, vmid, pasid;
	bool mmhub;
	uint64_t timestamp;
	uint32_t data[4];
};

void gv_ih_decode(const struct gv_ih_iv *iv, struct gv_ih_event *event);

/** VA and direction of a page-fault entry. */
uint64_t gv_ih_fault_va(const struct gv_ih_event *event);
bool gv_ih_fault_write(const struct gv_ih_event *event);

/**
 * Hand every entry up to write pointer @wptr (as the device wrote it, RB_OVERFLOW in bit 0) to
 * @handle, and advance rptr. On overflow reading starts at the oldest entry that is still there.
 * Never more entries than the ring has. Returns whether there was an overflow, which the caller
 * then clears in IH_RB_CNTL.
 */
bool gv_ih_consume(struct gv_ih_ring *ih, uint32_t wptr,
                   void (*handle)(void *arg, const struct gv_ih_event *event), void *arg);

#endif
