/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waves in flight on a VF. The kernels of cu_kernels/save.cl, compiled by clang, are moved from
 * the bench of the interpreter (cu_rig.h) into the memory of a VF (cp_rig.h) and launched there by
 * PM4 packets, on queues that may have an area to save waves.
 */
#ifndef GV_WAVE_RIG_H
#define GV_WAVE_RIG_H

#include "cp_rig.h"
#include "cu_rig.h"

#define WAVE_VF GV_DEV_VF(0)

/* Memory of the VF: IBs, what the bench has at 0, then scratch, then the save area. */
#define WAVE_IB          0x380000ull
#define WAVE_IMAGE       0x400000ull
#define WAVE_IMAGE_BYTES 0x500000ull
#define WAVE_AREA        0xe00000ull
#define WAVE_AREA_BYTES  0x180000u
#define WAVE_STACK_BYTES 0x1000u /* its control stack */

extern struct rig wave_rig;
extern struct cu_rig wave_bench;            /* cu_rig_open() it before wave_load_kernel() */
extern struct gv_cu_dispatch wave_dispatch; /* what wave_launch() launches */
extern uint64_t wave_out_va;                /* where the kernel stores */

/** A GPU with two queues on the VF; queue 1 is in slot 0 and has this save area, if any. */
void wave_up(uint64_t area, uint32_t bytes);
/** What kernel @name stores on the bench is what is expected; then it is in the VF. */
void wave_load_kernel(const char *name, uint32_t rounds);
/** How many of the stored words are not as expected. */
unsigned wave_wrong(void);
/** SET_SH_REG of all that a dispatch takes, and the dispatch: at most 128 dwords. */
unsigned wave_launch_words(uint32_t *dw);
void wave_launch(unsigned q);
/** A program that never ends, on queue 1: it runs when this returns. */
void wave_launch_endless(void);
bool wave_fence_is(unsigned q, uint32_t seq);

void wave_put_mqd(unsigned q, uint32_t dw, uint32_t val);
void wave_give_area(unsigned q, uint64_t va, uint32_t bytes);
/** The MQD says that waves are saved. */
bool wave_is_saved(unsigned q);
/** MAP_QUEUES to any slot of the first MEC, with the MQD as it is. */
bool wave_map_at(unsigned q, unsigned slot);
/** UNMAP_QUEUES, preempt; by reset. */
bool wave_preempt(unsigned q);
bool wave_kill_queue(unsigned q);
/** CP_HQD_ERROR of a slot of the first MEC. */
uint32_t wave_queue_error(unsigned slot);

#endif
