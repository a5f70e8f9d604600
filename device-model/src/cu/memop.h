/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the memory formats share. A vector access is, for each active lane, a
 * place (pieces of memory or LDS, or nothing where it is out of range) and
 * what to do with the bytes there. The formats differ in how they find the
 * place: flat.c, mubuf.c. What is done is in vmem.c (loads and stores) and
 * vatomic.c; format.c converts typed elements.
 */
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
	/* typed: so many components, each a register */
	CU_MEM_X,
	CU_MEM_XY,
	CU_MEM_XYZ,
	CU_MEM_XYZW,
	/* ... of 16 bits, two in a register */
	CU_MEM_D16_X,
	CU_MEM_D16_XY,
	CU_MEM_D16_XYZ,
	CU_MEM_D16_XYZW,
	CU_MEM_D16_HI_X, /* one, in the high half */
};

enum cu_atomic_kind {
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
	CU_AT_WRAP,
	CU_AT_CONDXCHG, /* two dwords, each if its top bit is set */
};

#define CU_FOR_LANES(l, lanes)                                                                     \
	for (uint64_t left_ = (lanes), l; left_ && ((l = (uint64_t)__builtin_ctzll(left_)), true); \
	     left_ &= left_ - 1)

static inline bool cu_mem_is_load(const struct cu_op *op)
{
	return op->flags & GV9_F_LOAD;
}

#define CU_NO_SGPR 0x7f /* cu_inst.saddr: there is none */

/** Bytes one lane moves, untyped. */
static inline uint32_t cu_mem_bytes(const struct cu_op *op)
{
	static const uint8_t small[] = {0, 0, 1, 1, 2, 2, 1, 1, 2, 2, 1, 1, 1, 1, 2, 2};

	return op->kind <= CU_MEM_STORE ? op->dw * 4u : small[op->kind];
}

/* ---- where */
enum cu_space { CU_NOWHERE, CU_MEMORY, CU_LDS };

struct cu_piece {
	uint64_t at; /* virtual address, or offset in the LDS */
	uint8_t bytes, space;
};

/* 16 bytes at most; when dwords are apart and the first is begun in the middle, five pieces. */
#define CU_MAX_PIECES 5
struct cu_place {
	unsigned n;
	struct cu_piece piece[CU_MAX_PIECES];
};

/* Where @bytes bytes of @lane's access lie; @where is what the caller gave with it. */
typedef void (*cu_locate)(const struct cu_wave *w, const struct cu_inst *i, const void *where,
                          unsigned lane, uint32_t bytes, struct cu_place *p);

/** At va[lane] of the uint64_t va[] that @where is. */
void cu_locate_va(const struct cu_wave *w, const struct cu_inst *i, const void *where,
                  unsigned lane, uint32_t bytes, struct cu_place *p);

static inline void cu_place_add(struct cu_place *p, enum cu_space space, uint64_t at,
                                uint32_t bytes)
{
	p->piece[p->n++] = (struct cu_piece){at, (uint8_t)bytes, (uint8_t)space};
}

/* ---- what: vmem.c */
struct cu_transfer {
	cu_locate locate;
	const void *where;
	uint32_t bytes; /* of one lane */
	/* One of both: take the lane's bytes, or give them (as many are zero before). */
	void (*load)(struct cu_wave *w, const struct cu_inst *i, unsigned lane, const void *from);
	void (*store)(struct cu_wave *w, const struct cu_inst *i, unsigned lane, void *to);
};

void cu_transfer(struct cu_wave *w, const struct cu_inst *i, uint64_t lanes,
                 const struct cu_transfer *t);

/** An untyped load or store as the instruction says: registers, or LDS (the lds bit). */
void cu_transfer_untyped(struct cu_wave *w, const struct cu_inst *i, uint64_t lanes,
                         cu_locate locate, const void *where);

/** The same when the @lanes lie at @va[]. */
void cu_vmem(struct cu_wave *w, const struct cu_inst *i, const uint64_t *va, uint64_t lanes);

/** Move between host memory and lane @lane of register @reg on. */
void cu_mem_lane_load(struct cu_wave *w, const struct cu_op *op, unsigned reg, unsigned lane,
                      const void *from);
/** What the lane stores, at most 16 bytes. */
void cu_mem_lane_data(const struct cu_wave *w, const struct cu_op *op, unsigned reg, unsigned lane,
                      void *to);

/** Where the lds bit sends or finds @lane's dword. */
static inline uint32_t cu_dma_lds_at(const struct cu_wave *w, const struct cu_inst *i,
                                     unsigned lane)
{
	return (w->s[CU_M0] & 0xffff) + (uint32_t)i->simm + 4 * lane;
}

/* ---- smem.c */
/** Of a load, or what the instruction has anyway. */
cu_fn cu_smem_handler(const struct cu_inst *i);

/* ---- vatomic.c */
struct cu_operands {
	unsigned kind; /* enum cu_atomic_kind */
	bool wide;     /* 8 bytes */
	uint64_t data, cmp;
};

/** New value of an atomic. */
uint64_t cu_atomic_result(const struct cu_operands *o, uint64_t old);
/** One at @va. False: the wave has faulted, nothing was changed. */
bool cu_atomic_at(struct cu_wave *w, uint64_t va, const struct cu_operands *o, uint64_t *old);
/** Those of the lanes, in lane order; all of their memory is there before the first is done. */
void cu_vmem_atomic(struct cu_wave *w, const struct cu_inst *i, uint64_t lanes, cu_locate locate,
                    const void *where);

static inline uint64_t cu_lane_value(const struct cu_wave *w, unsigned reg, bool wide, unsigned l)
{
	return w->v[reg][l] | (wide ? (uint64_t)w->v[reg + 1][l] << 32 : 0);
}

static inline void cu_lane_return(struct cu_wave *w, unsigned reg, bool wide, unsigned l,
                                  uint64_t v)
{
	w->v[reg][l] = (uint32_t)v;
	if (wide)
		w->v[reg + 1][l] = (uint32_t)(v >> 32);
}

/* ---- format.c: elements of typed buffers */
/** Bytes of an element in data format @dfmt; 0: no such format. */
uint32_t cu_format_bytes(unsigned dfmt);
/** The four components at @from as 32-bit values (d16: 16-bit): what the format lacks is 0, 0, 0,
 *  1. */
void cu_format_unpack(unsigned dfmt, unsigned nfmt, bool d16, const void *from, uint32_t to[4]);
/** The reverse; components beyond the format's are dropped. Values are clamped to its range. */
void cu_format_pack(unsigned dfmt, unsigned nfmt, bool d16, const uint32_t from[4], void *to);
/** 1 as a component of number format @nfmt. */
uint32_t cu_format_one(unsigned nfmt, bool d16);

/** Offset of half @n of a ds_read2 or ds_write2: counted in elements, or in 64 of them. */
static inline uint32_t cu_ds_offset(const struct cu_inst *i, unsigned n)
{
	uint32_t unit = i->op->dw * 4u * (i->op->flags & GV9_F_ST64 ? 64 : 1);

	return ((uint32_t)i->simm >> (8 * n) & 0xff) * unit;
}

/* ---- lds.c; false from the accessors: out of range, counted */
bool cu_lds_read(struct cu_wave *w, uint32_t at, void *to, uint32_t bytes);
bool cu_lds_write(struct cu_wave *w, uint32_t at, const void *from, uint32_t bytes);
uint64_t cu_lds_atomic(struct cu_wave *w, uint32_t at, const struct cu_operands *o);

/* ---- the handlers that gfx9_mem.def names */
/* clang-format off */
#define DECLARE_HANDLER(h)   void h(struct cu_wave *w, const struct cu_inst *i);
#define DECLARE_ACCESS(h, k) DECLARE_HANDLER(h)
#define DECLARE_ATOMIC(h, k) DECLARE_HANDLER(h)
#define DECLARE_NOT_DONE
#define MEM(f, n, nm, d, fl, behaviour) DECLARE_##behaviour
#include <gv/gfx9_mem.def>
#undef MEM
/* clang-format on */

#endif
