/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of which only base and step are kept: ramp.c. */
#ifndef GV_CU_RAMP_H
#define GV_CU_RAMP_H

#include "memop.h"

#define CU_RAMP_PATIENCE 16 /* VALU instructions in a row that have no use for ramps */

/** A fresh wave has none, but it may get some. */
static inline void cu_ramp_start(struct cu_wave *w)
{
	w->ramps = 0;
	w->ramped = 1;
	w->ramp_patience = CU_RAMP_PATIENCE;
}

/** @i is decoded: its handler while there are ramps. */
void cu_ramp_bind(const struct gv_cu_run *run, struct cu_inst *i);
/** @behind comes after @i: they may have a handler for both while there are ramps. */
void cu_ramp_join(struct cu_inst *i, const struct cu_inst *behind);
/** For cu_ramp_settle(). */
void cu_ramp_write_out(struct cu_wave *w, uint64_t rows);

static inline bool cu_ramp_is(const struct cu_wave *w, unsigned reg)
{
	return reg < CU_RAMPS && w->ramps >> reg & 1;
}

/** From now on v[@reg] is one. Only while cu_wave.ramped. */
static inline void cu_ramp_put(struct cu_wave *w, unsigned reg, uint32_t base, uint32_t step)
{
	w->ramp_base[reg] = base;
	w->ramp_step[reg] = step;
	w->ramps |= 1ull << reg;
}

/** No more of them. */
void cu_ramp_give_up(struct cu_wave *w);

/** Write out those of @rows that are ramps. */
static inline void cu_ramp_settle(struct cu_wave *w, uint64_t rows)
{
	if (w->ramps & rows)
		cu_ramp_write_out(w, rows);
}

#endif
