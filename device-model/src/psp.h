/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * PSP (MP0): what its two files know of each other.
 *
 *   C2PMSG_101 written --> psp.c: latched, the PSP's worker is woken --> C2PMSG_101 answered
 *   CONSUME_CMD: wptr in C2PMSG_102 --> frames of the function's ring
 *       --> command, answer, fence: all in the function's memory, MMHUB's VMID 0
 *   psp_cmd.c: what the commands do
 */
#ifndef GV_PSP_H
#define GV_PSP_H

#include "device.h"

struct gv_psp {
	/* under dev->lock */
	bool asked;              /* C2PMSG_101 holds a command that was not taken yet */
	uint32_t command;        /* as written, */
	uint32_t arg_lo, arg_hi; /* with C2PMSG_102 and _103 as they were then */
	struct gv_psp_fw fw[GV_PSP_FW_TYPES];

	/* the worker's */
	struct gv_mem mem;
	bool on; /* there is a ring */
	uint64_t ring_va;
	uint32_t rptr, wptr;       /* dwords */
	uint64_t vmr_va, vmr_used; /* memory that the driver gave for firmware */
	uint32_t vmr_bytes;        /* 0: none */
};

/** Do what @cmd says, a copy of our own. In a memory slice, which it may
 *  leave meanwhile, on the PSP's worker. */
void gv_psp_command(struct gv_fn *f, const struct gv_psp_cmd *cmd, struct gv_psp_resp *resp);

static inline uint64_t gv_psp_va(uint32_t lo, uint32_t hi)
{
	return (uint64_t)hi << 32 | lo;
}

#endif
