/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "ih.h"

void gv_ih_decode(const struct gv_ih_iv *iv, struct gv_ih_event *event)
{
	*event = (struct gv_ih_event){
	        .client = GV_GET(iv->dw[0], IH_IV0, CLIENT_ID),
	        .src = GV_GET(iv->dw[0], IH_IV0, SRC_ID),
	        .ring_id = GV_GET(iv->dw[0], IH_IV0, RING_ID),
	        .vmid = GV_GET(iv->dw[0], IH_IV0, VMID),
	        .mmhub = GV_GET(iv->dw[0], IH_IV0, VMID_SRC),
	        .timestamp = iv->dw[1] | (uint64_t)(iv->dw[2] & 0xffff) << 32,
	        .pasid = iv->dw[3] & 0xffff,
	        .data = {iv->dw[4], iv->dw[5], iv->dw[6], iv->dw[7]},
	};
}

uint64_t gv_ih_fault_va(const struct gv_ih_event *event)
{
	return (uint64_t)event->data[0] << GV_GPU_PAGE_SHIFT |
	       (uint64_t)GV_GET(event->data[1], IH_IV5_FAULT, VA_47_44) << 44;
}

bool gv_ih_fault_write(const struct gv_ih_event *event)
{
	return GV_GET(event->data[1], IH_IV5_FAULT, WRITE);
}

bool gv_ih_consume(struct gv_ih_ring *ih, uint32_t wptr,
                   void (*handle)(void *arg, const struct gv_ih_event *event), void *arg)
{
	uint32_t mask = ih->bytes - 1, entry = sizeof(struct gv_ih_iv);
	bool overflow = GV_GET(wptr, IH_RB_WPTR, RB_OVERFLOW);
	uint32_t end = wptr & mask & ~(entry - 1);

	if (overflow) {
		/* the entry after the write pointer is the oldest one not overwritten */
		ih->rptr = (end + entry) & mask;
		ih->overflows++;
	}
	while (ih->rptr != end) {
		struct gv_ih_event event;
		struct gv_ih_iv iv;

		memcpy(&iv, (const uint8_t *)ih->ring + ih->rptr, sizeof(iv));
		ih->rptr = (ih->rptr + entry) & mask;
		ih->entries++;
		gv_ih_decode(&iv, &event);
		handle(arg, &event);
	}
	return overflow;
}
