/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a test expects of memory, LDS and vector registers: its own copies, changed byte by byte in
 * the order of lanes, compared when the instruction is done. The same instruction is executed in
 * several ways (enum), of which none may show in the result.
 */
#ifndef GV_CU_MEM_MODEL_H
#define GV_CU_MEM_MODEL_H

#include "cu_one.h"

enum {
	MODEL_PLAIN,
	MODEL_NO_POINTERS, /* memory through copies */
	MODEL_RETRY,       /* pages are absent, and come one by one */
	MODEL_FAULT,       /* pages are absent for good: nothing may have happened */
	MODEL_WAYS,
};

#define MODEL_VGPRS 64u

/* Loads and stores that FLAT and untyped MUBUF have under the same numbers. */
struct cu_vmem_kind {
	unsigned op, bytes;
	bool store, sext;
	int half; /* of a register: -1 all of it, 0 low, 1 high */
};
#define CU_VMEM_KINDS 22u
extern const struct cu_vmem_kind cu_vmem_kinds[CU_VMEM_KINDS];

struct cu_model {
	struct cu_one o;
	uint64_t exec;
	uint8_t mem[CU_ONE_BYTES], lds[CU_ONE_LDS];
	uint32_t v[MODEL_VGPRS][CU_LANES], s[CU_NUM_S];
	unsigned faults, retries; /* how often those ways were gone */
};

/** Random memory, LDS, registers and EXEC; @word decoded. The test then sets the registers that
 *  matter in m->o.w and calls cu_model_ready(). */
void cu_model_begin(struct cu_model *m, struct cu_words word);
/** The copies become what is there now. */
void cu_model_ready(struct cu_model *m);
/** Execute, once @expect has changed the copies as it should be; compare everything. */
void cu_model_check(struct cu_model *m, unsigned way, void (*expect)(struct cu_model *m));

static inline bool cu_model_active(const struct cu_model *m, unsigned lane)
{
	return m->exec >> lane & 1;
}

static inline uint8_t *cu_model_at(struct cu_model *m, uint64_t va)
{
	return cu_one_has(va, 1) ? &m->mem[va - CU_ONE_VA] : NULL;
}

/** New value of operation @name ("smin"), written once more for the tests. */
uint64_t cu_model_atomic(const char *name, bool wide, uint64_t old, uint64_t data, uint64_t cmp);

#endif
