/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a player of records (gv/record.h) must know of the hardware: names, and what may differ. */
#ifndef GV_HW_PLAY_H
#define GV_HW_PLAY_H

#include <gv/hw_spec.h>
#include <gv/record.h>

/* Where each function has its interrupt ring. */
struct gv_hw_play {
	struct gv_hw_play_ring {
		uint32_t base, base_hi, cntl;
	} ring[GV_PLAY_MAX];
};
/** Rules for gv_record_play() that keep what they see in @state, zeroed by the caller: registers
 *  that show time or progress may differ; of entries in interrupt rings the time stamps may differ.
 */
struct gv_play_rules gv_hw_play_rules(struct gv_hw_play *state);

#endif
