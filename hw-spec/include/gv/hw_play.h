/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a player of records (gv/record.h) must know of the hardware: names, and what may differ. */
#ifndef GV_HW_PLAY_H
#define GV_HW_PLAY_H

#include <gv/hw_spec.h>
#include <gv/record.h>

/* A register that shows another value at another time, whatever is done to it. */
struct gv_volatile {
	enum gv_reg reg; /* all elements */
	uint32_t mask;   /* the bits that may differ */
	const char *why;
};

/** All of them; *@count gets their number. */
const struct gv_volatile *gv_volatile_rows(size_t *count);
/** Bits of the register at @byte of BAR5 that may differ, 0 none. */
uint32_t gv_volatile_mask(uint32_t byte);

/* Where each function has its interrupt ring. */
struct gv_hw_play {
	struct gv_hw_play_ring {
		uint32_t base, base_hi, cntl;
	} ring[GV_PLAY_MAX];
};
/** Rules for gv_record_play() that keep what they see in @state, zeroed by the caller: registers
 *  by the table above; of entries in interrupt rings the time stamps may differ. */
struct gv_play_rules gv_hw_play_rules(struct gv_hw_play *state);

#endif
