/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the vector memory formats share: kinds of access, per-lane addresses, atomics. */
#ifndef GV_CU_MEMOP_H
#define GV_CU_MEMOP_H

#include "state.h"

/* cu_op.kind of a load or store; dwords move cu_op.dw registers. */
enum cu_mem_kind {
	CU_MEM_LOAD,
	CU_MEM_STORE, /* dwords */
	CU_MEM_LOAD_U8,
	CU_MEM_LOAD_I8,
	CU_MEM_LOAD_U16,
	CU_MEM_LOAD_I16,
	CU_MEM_STORE_8,
	CU_MEM_STORE_8_HI,
	CU_MEM_STORE_16,
	CU_MEM_STORE_16_HI,
	/* into half a register, the other half stays */
	CU_MEM_LOAD_U8_D16,
	CU_MEM_LOAD_U8_HI,
	CU_MEM_LOAD_I8_D16,
	CU_MEM_LOAD_I8_HI,
	CU_MEM_LOAD_16_D16,
	CU_MEM_LOAD_16_HI,
};

enum cu_atomic {
	CU_AT_SWAP,
	CU_AT_CMPSWAP,
	CU_AT_ADD,
	CU_AT_SUB,
	CU_AT_SMIN,
	CU_AT_UMIN,
	CU_AT_SMAX,
	CU_AT_UMAX,
	CU_AT_AND,
	CU_AT_OR,
	CU_AT_XOR,
	CU_AT_INC,
	CU_AT_DEC,
	/* LDS only */
	CU_AT_RSUB,
	CU_AT_MSKOR,
	CU_AT_FMIN,
	CU_AT_FMAX,
	CU_AT_FADD,
	CU_AT_FCMPSWAP,
};

static inline bool cu_mem_is_load(unsigned kind)
{
	return kind == CU_MEM_LOAD || (kind >= CU_MEM_LOAD_U8 && kind <= CU_MEM_LOAD_I16) ||
	       kind >= CU_MEM_LOAD_U8_D16;
}

/** Bytes one lane moves. */
static inline uint32_t cu_mem_bytes(const struct cu_op *op)
{
	static const uint8_t small[] = {0, 0, 1, 1, 2, 2, 1, 1, 2, 2, 1, 1, 1, 1, 2, 2};

	return op->kind <= CU_MEM_STORE ? op->dw * 4u : small[op->kind];
}

/** Move between host memory and lane @lane of register @reg on. */
void cu_mem_lane_load(struct cu_wave *w, const struct cu_op *op, unsigned reg, unsigned lane,
                      const void *from);
/** What the lane stores, at most 16 bytes. */
void cu_mem_lane_data(const struct cu_wave *w, const struct cu_op *op, unsigned reg, unsigned lane,
                      void *to);

/** Load or store of the active @lanes at @va[]. */
void cu_vmem(struct cu_wave *w, const struct cu_inst *i, const uint64_t *va, uint64_t lanes);
/** Memory atomic of the lanes, in lane order. */
void cu_vmem_atomic(struct cu_wave *w, const struct cu_inst *i, const uint64_t *va, uint64_t lanes);

/** New value of an atomic. */
uint64_t cu_atomic_result(unsigned kind, bool wide, uint64_t old, uint64_t data, uint64_t cmp);

/** Scratch memory of a lane: dwords of the 64 lanes interleaved. */
static inline uint64_t cu_private_va(const struct cu_wave *w, uint32_t offset, unsigned lane)
{
	return cu_rd64(&w->s[CU_FLAT_SCRATCH]) + (uint64_t)(offset & ~3u) * CU_LANES + lane * 4u +
	       (offset & 3);
}

void cu_flat(struct cu_wave *w, const struct cu_inst *i);
void cu_global(struct cu_wave *w, const struct cu_inst *i);
void cu_scratch(struct cu_wave *w, const struct cu_inst *i);
void cu_flat_atomic(struct cu_wave *w, const struct cu_inst *i);
void cu_mubuf(struct cu_wave *w, const struct cu_inst *i);
void cu_mubuf_atomic(struct cu_wave *w, const struct cu_inst *i);
void cu_s_load(struct cu_wave *w, const struct cu_inst *i);
void cu_s_store(struct cu_wave *w, const struct cu_inst *i);
void cu_s_buffer_load(struct cu_wave *w, const struct cu_inst *i);
void cu_s_time(struct cu_wave *w, const struct cu_inst *i);
void cu_s_cache(struct cu_wave *w, const struct cu_inst *i);

/* ---- lds.c; false from the accessors: out of range, counted */
bool cu_lds_read(struct cu_wave *w, uint32_t at, void *to, uint32_t bytes);
bool cu_lds_write(struct cu_wave *w, uint32_t at, const void *from, uint32_t bytes);
uint64_t cu_lds_atomic(struct cu_wave *w, unsigned kind, bool wide, uint32_t at, uint64_t data,
                       uint64_t cmp);
void cu_ds_access(struct cu_wave *w, const struct cu_inst *i);
void cu_ds_two(struct cu_wave *w, const struct cu_inst *i);
void cu_ds_atomic(struct cu_wave *w, const struct cu_inst *i);
void cu_ds_xchg2(struct cu_wave *w, const struct cu_inst *i);
void cu_ds_wrap(struct cu_wave *w, const struct cu_inst *i);
void cu_ds_count(struct cu_wave *w, const struct cu_inst *i);
void cu_ds_swizzle(struct cu_wave *w, const struct cu_inst *i);
void cu_ds_permute(struct cu_wave *w, const struct cu_inst *i);
void cu_ds_bpermute(struct cu_wave *w, const struct cu_inst *i);
void cu_ds_addtid(struct cu_wave *w, const struct cu_inst *i);
void cu_ds_nop(struct cu_wave *w, const struct cu_inst *i);

#endif
