/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a run, a wave and a decoded instruction are. Private to cu/. */
#ifndef GV_CU_STATE_H
#define GV_CU_STATE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <gv/gfx9.h>

#include "cu.h"

#define CU_LANES       GV9_LANES
#define CU_CHUNK_BYTES 1024u /* code is decoded and cached in pieces of this size */
#define CU_CHUNK_DW    (CU_CHUNK_BYTES / 4)
#define CU_MAX_CHUNKS  512u
#define CU_KEPT_CHUNKS 64u /* that one dispatch may leave to the next */
#define CU_WAYS        2u
#define CU_WINDOWS     128u
#define CU_BIG_WINDOWS 16u
#define CU_BIG_SHIFT   21u /* a window of this size is big: a page of the second level */
#define CU_PC_MASK     0xffffffffffffull
#define CU_RAMPS       64u /* VGPRs that can be ramps, from v0 on */
#define CU_SITES       64u
#define CU_FIRST_S     32u /* SGPRs among which all are that waves find something in */

/* Scalar operand numbers, also the index into cu_wave.s. */
enum {
	CU_FLAT_SCRATCH = 102,
	CU_VCC = 106,
	CU_TTMP = 108, /* 16 registers of the trap handler */
	CU_M0 = 124,
	CU_EXEC = 126,
	CU_NUM_S = 128,
};

struct cu_wave;
struct cu_inst;
typedef void (*cu_fn)(struct cu_wave *w, const struct cu_inst *i);

/* Rows of lanes that are 0 or ~0: carry in and out, compare results. */
struct cu_aux {
	uint32_t *in, *out;
	uint32_t round16; /* for cores_modes.c: MODE's rounding of f16, 0 to nearest */
	bool ieee, max16; /* MODE.IEEE, MODE.FP16_OVFL */
};

/* All 64 lanes of one VALU operation; 64-bit values are two rows of 64. Unused sources NULL. */
typedef void (*cu_core)(uint32_t *d, const uint32_t *a, const uint32_t *b, const uint32_t *c,
                        struct cu_aux *x);

/* A row of hw-spec and what executes it: table.c. */
struct cu_op {
	const char *name;
	cu_fn fn;
	uint32_t flags; /* GV9_F_* */
	uint16_t num;
	uint8_t format;
	uint8_t dt, st[3]; /* enum gv_gfx9_type */
	uint8_t dw, sw[2]; /* SALU: dwords of destination and sources; memory: dwords moved */
	uint8_t imm;       /* enum gv_gfx9_imm */
	uint16_t core, clamp_core; /* index into the core table, 0: none */
	uint8_t kind;              /* of memory operations */
};

/* SCC, VCCZ and EXECZ as operands: kept up to date here by cu_with_status() */
enum { CU_STATUS_SCC = CU_NUM_S, CU_STATUS_VCCZ, CU_STATUS_EXECZ, CU_STATUS_LDS };

enum cu_src_kind { CU_SRC_SGPR, CU_SRC_CONST, CU_SRC_VGPR };

struct cu_src {
	uint8_t kind;
	uint8_t neg, abs, sext; /* 0 or 1 */
	uint8_t sel;            /* SDWA selector, or for VOP3 op_sel: 0 low, 1 high half */
	uint8_t sel_hi, neg_hi; /* packed: of the high result */
	uint16_t reg;
};

/* One per dword of code. */
struct cu_inst {
	cu_fn fn, on_ramps; /* on_ramps: while cu_wave.ramped, see ramp.c */
	cu_core core;
	const struct cu_op *op;
	const struct cu_inst *next; /* the one behind, or what is joined to this (code.c) */
	const struct cu_inst *next_on_ramps; /* on_ramps may do more at once */
	const struct cu_inst *target;        /* of a branch inside the chunk */
	uint64_t imm[3];                     /* constants of src[] */
	struct cu_src src[3];
	uint16_t dst;
	uint8_t sdst, len, nsrc;
	uint8_t slow, mask_in_src2, status;
	uint8_t fp; /* CU_FP_*: what of MODE matters */
	uint8_t clamp, omod, dst_sel, dst_unused, op_sel_dst;
	uint8_t sdwa, dpp, dpp_row_mask, dpp_bank_mask, bound_ctrl;
	uint16_t dpp_ctrl;
	int32_t simm;
	uint32_t word[2];
	/* memory: register numbers and bits */
	uint8_t addr, data, data1, saddr, glc, offen, idxen, soffset;
	uint8_t lds_dma;    /* a load goes to LDS, not to registers */
	uint8_t dfmt, nfmt; /* MTBUF */
	cu_fn inner;        /* what a wrapping fn calls */
	/* bits of VGPRs that can be ramps; memory: of the address, and of the data either way */
	uint64_t reads, writes;
	uint8_t beyond_ramps; /* there are others */
	uint8_t site;         /* of memory: cu_run.site[] */
	/* its handlers leave cu_wave.ip and attention alone, and have no use for cur */
	uint8_t straight;
	uint8_t count, count_on_ramps; /* instructions until next, and until next_on_ramps */
};

struct cu_chunk {
	uint64_t va, epoch;
	struct cu_chunk *next;
	uint32_t num_vgprs;
	uint32_t first, end; /* slots that were decoded lie in [first, end) */
	/* those words when they were compared last; bytes of another count: not compared yet */
	uint32_t seen_bytes, seen[CU_CHUNK_DW];
	struct cu_inst slot[CU_CHUNK_DW + 2]; /* the last two lead to the next chunk */
};

/* ENTER: the code at cu_wave.pc is in no chunk yet */
/* GPR_IDX, VSKIP: MODE has these bits, see cu_valu_odd() */
/* NO_RAMPS: the wave is to give them up */
enum cu_attention { CU_STOP = 1, CU_GPR_IDX = 2, CU_ENTER = 4, CU_VSKIP = 8, CU_NO_RAMPS = 16 };
/* WAITING: for memory, until the next gv_cu_step(). HALTED: by s_sethalt, for good. */
enum cu_state { CU_RUNNING, CU_AT_BARRIER, CU_WAITING, CU_HALTED, CU_ENDED };

struct cu_wave {
	/* 64-byte aligned scratch rows first, see cu_row() */
	uint32_t tmp[4][2 * CU_LANES];
	uint32_t mask[CU_LANES];         /* exec_of_mask as lanes of 0 or ~0 */
	uint32_t lane_mask[2][CU_LANES]; /* behind aux */
	struct cu_aux aux;
	uint64_t in_of;            /* the mask that aux.in holds as lanes */
	uint32_t s[CU_NUM_S + 32]; /* room behind it: a wide access at the end stays inside */
	uint32_t (*v)[CU_LANES];
	const struct cu_inst *ip; /* next */
	struct cu_chunk *chunk;
	const struct cu_inst *cur; /* the one executing */
	struct gv_cu_run *run;
	uint64_t exec_of_mask;
	uint64_t pc; /* where to go on when ip is NULL */
	uint32_t scc, mode, attention;
	uint32_t fp_slow; /* CU_FP_*: what MODE asks for that the plain cores do not do */
	uint32_t ramped;  /* handlers are cu_inst.on_ramps; 0: there are no ramps */
	uint32_t ramp_patience;
	uint64_t ramps; /* bit r: v[r] is not written out, lane l has ramp_base[r] + ramp_step[r] *
	                   l */
	uint32_t ramp_base[CU_RAMPS], ramp_step[CU_RAMPS];
	uint32_t index;
	uint32_t trapsts;  /* TRAPSTS */
	bool priv, halt;   /* STATUS.PRIV: in the trap handler; STATUS.HALT */
	uint64_t executed; /* instructions */
	enum cu_state state;
};

struct gv_cu_run {
	struct gv_cu_dispatch d;
	struct gv_cu_counters n;
	struct gv_cu_fault fault;
	const struct cu_isa *isa;
	/* all with a pointer */
	struct gv_cu_window window[CU_WINDOWS][CU_WAYS], big_window[CU_BIG_WINDOWS][CU_WAYS];
	struct gv_cu_window indirect;       /* the last one without; asked for each time */
	struct gv_cu_window site[CU_SITES]; /* what an instruction found last */
	uint64_t generation;
	struct cu_chunk *chunks, *chunk_of[64];
	unsigned num_chunks;
	uint64_t code_epoch; /* chunks of another one may hold old code */
	uint8_t *lds;
	uint32_t lds_bytes, lds_room;
	uint64_t next_local; /* stands in for shared->next_group when shared is NULL */
	uint32_t group[3];
	uint32_t mode, fp_slow, first_s[CU_FIRST_S]; /* that waves begin with */
	uint32_t num_waves, max_waves, current, num_vgprs, room_vgprs;
	uint32_t turn; /* instructions that wave `current` had of its turn */
	bool in_group;
	struct cu_wave *wave[GV_CU_MAX_WAVES];
};

/* ---- COMPUTE_PGM_RSRC1/2, COMPUTE_TMPRING_SIZE fields */
static inline uint32_t cu_bits(uint32_t v, unsigned lo, unsigned n)
{
	return (v >> lo) & ((1u << n) - 1);
}
#define CU_RSRC1_VGPRS(r)      cu_bits(r, 0, 6)
#define CU_RSRC1_SGPRS(r)      cu_bits(r, 6, 4)
#define CU_RSRC1_FLOAT_MODE(r) cu_bits(r, 12, 8)
#define CU_RSRC1_DX10_CLAMP(r) cu_bits(r, 21, 1)
#define CU_RSRC1_IEEE(r)       cu_bits(r, 23, 1)
#define CU_RSRC2_SCRATCH_EN(r) cu_bits(r, 0, 1)
#define CU_RSRC2_USER_SGPR(r)  cu_bits(r, 1, 5)
#define CU_RSRC2_TGID_EN(r, d) cu_bits(r, 7 + (d), 1)
#define CU_RSRC2_TG_SIZE_EN(r) cu_bits(r, 10, 1)
#define CU_RSRC2_TIDIG(r)      cu_bits(r, 11, 2)
#define CU_RSRC2_LDS_SIZE(r)   cu_bits(r, 15, 9)
#define CU_TMPRING_WAVES(r)    cu_bits(r, 0, 12)
#define CU_TMPRING_WAVESIZE(r) cu_bits(r, 12, 13)

/* MODE register */
#define CU_MODE_ROUND32(m)  cu_bits(m, 0, 2)
#define CU_MODE_ROUND64(m)  cu_bits(m, 2, 2) /* f64 and f16 */
#define CU_MODE_DENORM32(m) cu_bits(m, 4, 2) /* 1: not flushed on the way in, 2: out */
#define CU_MODE_DENORM64(m) cu_bits(m, 6, 2)
#define CU_MODE_DX10_CLAMP  (1u << 8)
#define CU_MODE_IEEE        (1u << 9)
#define CU_MODE_EXCP_EN(m)  cu_bits(m, 12, 9)
#define CU_MODE_FP16_OVFL   (1u << 23)
#define CU_MODE_GPR_IDX_EN  (1u << 27)
#define CU_MODE_VSKIP       (1u << 28)
#define CU_MODE_CSP_SHIFT   29 /* how many paths wait for s_cbranch_join */
#define CU_MODE_CSP(m)      cu_bits(m, CU_MODE_CSP_SHIFT, 3)

/* TRAPSTS */
#define CU_TRAPSTS_EXCP    0x1ffu
#define CU_TRAPSTS_WATCHED (1u << 9) /* a reserved bit, never seen by the wave: EXCP is kept */

/* What the plain cores, which round to nearest even, keep subnormals and quiet NaNs, do not do. */
enum {
	CU_FP_ROUND32 = 1,
	CU_FP_ROUND64 = 2, /* f64 and f16 */
	CU_FP_FLUSH32 = 4, /* both ways */
	CU_FP_FLUSH32_PART = 8,
	CU_FP_FLUSH64 = 16, /* f64 and f16, either way */
	CU_FP_NO_IEEE = 32, /* minima and maxima do not care for signalling NaNs */
	CU_FP_MAX16 = 64,   /* f16 does not overflow */
	CU_FP_EXCP = 128,   /* TRAPSTS is watched */
};

/* In two halves: pairs are mostly written so, and a wide load would wait for both to arrive. */
static inline uint64_t cu_rd64(const uint32_t *p)
{
	uint32_t lo = p[0], hi = p[1];

	__asm__("" : "+r"(lo), "+r"(hi)); /* or the compiler makes one load of it */
	return (uint64_t)hi << 32 | lo;
}

static inline void cu_wr64(uint32_t *p, uint64_t v)
{
	memcpy(p, &v, 8);
}

/* A source that is no VGPR. */
static inline uint32_t cu_scalar32(const struct cu_wave *w, const struct cu_inst *i, unsigned n)
{
	return i->src[n].kind == CU_SRC_CONST ? (uint32_t)i->imm[n] : w->s[i->src[n].reg];
}

static inline uint64_t cu_scalar64(const struct cu_wave *w, const struct cu_inst *i, unsigned n)
{
	return i->src[n].kind == CU_SRC_CONST ? i->imm[n] : cu_rd64(&w->s[i->src[n].reg]);
}

/* Of a type that takes two registers. */
static inline bool cu_is_wide(uint8_t type)
{
	return type == GV9_B64 || type == GV9_F64;
}

/* VCC or EXEC, which are mostly written as a whole. */
static inline uint64_t cu_lane_mask(const struct cu_wave *w, unsigned reg)
{
	uint64_t v;

	memcpy(&v, &w->s[reg], 8);
	return v;
}

static inline uint64_t cu_exec(const struct cu_wave *w)
{
	return cu_lane_mask(w, CU_EXEC);
}

/* To or from guest memory. Other waves may write it meanwhile: a race of the guest's, which it
 * gets as on silicon, dword by dword; no concern of the thread sanitizer. */
#if defined(__SANITIZE_THREAD__)
#define CU_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CU_TSAN 1
#endif
#endif
#ifdef CU_TSAN
__attribute__((noinline, unused, no_sanitize("thread"))) static void
cu_guest_copy(void *to, const void *from, size_t bytes)
{
	volatile uint8_t *t = to;
	const volatile uint8_t *f = from;

	if ((((uintptr_t)to | (uintptr_t)from | bytes) & 3) == 0)
		for (size_t n = 0; n < bytes; n += 4)
			*(volatile uint32_t *)(t + n) = *(const volatile uint32_t *)(f + n);
	else
		for (size_t n = 0; n < bytes; n++)
			t[n] = f[n];
}
#else
static inline void cu_guest_copy(void *to, const void *from, size_t bytes)
{
	memcpy(to, from, bytes);
}
#endif

/* ---- mem.c
 * An instruction asks for all its memory (loads: reads all of it) before it changes anything, so
 * that one which has to wait (cu_wait_for_memory()) can be executed again, and one which faults
 * has not happened in part. Below, "faulted" is either. */
/** Host address of [va, va+bytes) if one window holds it all, else NULL: no fault is recorded. */
static inline uint8_t *cu_mem_try(struct cu_wave *w, const struct cu_inst *i, uint64_t va,
                                  uint32_t bytes, unsigned access);
/** Copy, across windows if needed. False: the wave has faulted. */
bool cu_mem_read(struct cu_wave *w, uint64_t va, void *to, uint32_t bytes);
/** The same with another access right, GV_CU_X for code. */
bool cu_mem_fetch(struct cu_wave *w, uint64_t va, void *to, uint32_t bytes, unsigned access);
bool cu_mem_write(struct cu_wave *w, uint64_t va, const void *from, uint32_t bytes);
/** Whether all of it may be accessed so, without doing it. False: the wave has faulted. */
bool cu_mem_check(struct cu_wave *w, uint64_t va, uint32_t bytes, unsigned access);
/** The access that just failed was @lane's. */
void cu_mem_in_lane(struct cu_wave *w, unsigned lane);
/** For an atomic: naturally aligned, one window. NULL: the wave has faulted or, with *@indirect,
 *  the memory has no pointer: cu_mem_update(). */
void *cu_mem_atomic(struct cu_wave *w, uint64_t va, uint32_t bytes, bool *indirect);
/** See gv_cu_mem.update. False: the wave has faulted. */
bool cu_mem_update(struct cu_wave *w, uint64_t va, uint32_t bytes,
                   uint64_t (*next)(const void *arg, uint64_t old), const void *arg, uint64_t *old);
void cu_mem_check_generation(struct gv_cu_run *run);
/** For cu_mem_try(): what the instruction did not find where it did last. */
uint8_t *cu_mem_search(struct cu_wave *w, const struct cu_inst *i, uint64_t va, uint32_t bytes,
                       unsigned access);

/* Where @i found its memory last; NULL: this is not there, or not any more. */
static inline uint8_t *cu_mem_here(const struct cu_wave *w, const struct cu_inst *i, uint64_t va,
                                   uint32_t bytes, unsigned access)
{
	const struct gv_cu_run *run = w->run;
	const struct gv_cu_window *win = &run->site[i->site];
	uint64_t at = va - win->va_base;

	if (__atomic_load_n(run->d.mem.generation, __ATOMIC_ACQUIRE) != run->generation ||
	    at >= win->bytes || bytes > win->bytes - at || (win->access & access) != access)
		return NULL;
	return win->host + at;
}

static inline uint8_t *cu_mem_try(struct cu_wave *w, const struct cu_inst *i, uint64_t va,
                                  uint32_t bytes, unsigned access)
{
	uint8_t *host = cu_mem_here(w, i, va, bytes, access);

	return host ? host : cu_mem_search(w, i, va, bytes, access);
}

/* ---- exec.c */
/** Execute @w until it stops or about @budget instructions are done; how many were. */
uint64_t cu_exec_wave(struct cu_wave *w, uint64_t budget);

/* ---- run.c */
void cu_fault(struct cu_wave *w, const struct cu_inst *i, enum gv_cu_reason why, uint64_t va);
void cu_end_wave(struct cu_wave *w);
/** Memory that the current instruction needs is not there yet: nothing of it has happened, and it
 *  is executed again in the next gv_cu_step(). */
void cu_wait_for_memory(struct cu_wave *w);
/** s_trap @id at @i: into the trap handler; a fault when there is none, or already in it. */
void cu_trap(struct cu_wave *w, const struct cu_inst *i, unsigned id);
/** s_rfe_b64 to @pc: out of it. A fault outside of it. */
void cu_return_from_trap(struct cu_wave *w, const struct cu_inst *i, uint64_t pc);
/** s_sethalt; in the trap handler it counts from its end on. */
void cu_set_halt(struct cu_wave *w, bool halt);
/** Where @w goes on. */
uint64_t cu_wave_pc(const struct cu_wave *w);
/** Work items of the workgroup @group by axis; the product is returned. */
uint32_t cu_group_size(const struct gv_cu_run *run, const uint32_t group[3], uint32_t size[3]);

/* ---- code.c */
void cu_goto(struct cu_wave *w, uint64_t va);
uint64_t cu_pc(const struct cu_wave *w, const struct cu_inst *i);
void cu_code_forget(struct gv_cu_run *run);
void cu_code_free(struct gv_cu_run *run);
/** Another dispatch begins: what is decoded counts only if memory still holds it. */
void cu_code_keep(struct gv_cu_run *run);
/** Go on at w->pc, making its chunk. False: the wave has faulted. */
bool cu_code_enter(struct cu_wave *w);
/** Decode the slot @i of @w's chunk. False: the wave has faulted. */
bool cu_code_decode(struct cu_wave *w, struct cu_inst *i);

/* ---- decode.c */
/** The row of an instruction, or NULL. @dwords is 1 or 2 (or as many as the format has). */
const struct cu_op *cu_decode_op(const uint32_t word[2], unsigned *dwords);
enum gv_cu_reason cu_decode(const struct gv_cu_run *run, const uint32_t word[2], struct cu_inst *i);

/* ---- valu.c */
const uint32_t *cu_mask(struct cu_wave *w);
uint64_t cu_pack(const uint32_t *lanes);
/** The handler for a decoded VALU instruction. */
cu_fn cu_valu_handler(const struct gv_cu_run *run, const struct cu_inst *i);
/** The lane mask a carry or a select reads, into w->aux.in. */
void cu_valu_read_mask(struct cu_wave *w, const struct cu_inst *i);
/** CU_FP_*: what of MODE matters to @op. */
uint8_t cu_valu_fp(const struct cu_op *op);
/** CU_FP_*: what @mode asks for that the plain cores do not do. */
uint32_t cu_mode_fp(uint32_t mode);
/** After MODE changed. */
void cu_mode_changed(struct cu_wave *w);
void cu_valu_slow(struct cu_wave *w, const struct cu_inst *i);
/** Registers of source @n, or of the result (3). */
unsigned cu_valu_rows(const struct cu_op *op, unsigned n);
/** The wave looks at TRAPSTS.EXCP: from now on it is kept, see valu_excp.c. */
void cu_watch_exceptions(struct cu_wave *w);
/** An instruction while MODE.GPR_IDX_EN or VSKIP is set. */
void cu_valu_odd(struct cu_wave *w, const struct cu_inst *i);
/** Row of a source: the register itself, or a constant spread into tmp[n]. */
const uint32_t *cu_row(struct cu_wave *w, const struct cu_inst *i, unsigned n);

/* ---- valu_excp.c: around the core of a float operation, whose sources are in tmp[] */
void cu_excp_begin(struct cu_wave *w, const struct cu_inst *i, uint64_t lanes);
void cu_excp_end(struct cu_wave *w, const struct cu_inst *i, uint64_t lanes);

/* ---- valu_mod.c: operand modifiers, SDWA, DPP, clamp */
void cu_mod_source(struct cu_wave *w, const struct cu_inst *i, unsigned n, uint32_t *to);
/** DPP: src0 of every lane from another lane; returns the lanes that may be written. */
uint64_t cu_mod_dpp(const struct cu_wave *w, const struct cu_inst *i, uint32_t *row);
void cu_mod_result(const struct cu_wave *w, const struct cu_inst *i, uint32_t *row);
/** Put a 16-bit or SDWA result into what the destination holds. */
void cu_mod_merge(const struct cu_inst *i, uint32_t *row, const uint32_t *old);

/* ---- what is compiled once for every host ISA: cores.h and fast.h */
struct cu_isa {
	const cu_core *cores;
	const cu_core *flushing; /* f32 subnormals, in and out; NULL: has no such twin */
	cu_fn plain[3];          /* one, two, three sources */
	cu_fn compare, carry;
	/* A handler for just this instruction, NULL: it takes the ordinary one. VALU without
	 * modifiers; FLAT, GLOBAL and DS. */
	cu_fn (*hot)(const struct cu_inst *i), (*memory)(const struct cu_inst *i);
	cu_fn (*memory_on_ramps)(const struct cu_inst *i); /* cu_inst.on_ramps of them */
};
extern const struct cu_isa cu_isa_base, cu_isa_avx2, cu_isa_avx512;
/** isa.c: the one of this name, NULL when the host has not got it. @name NULL: the best it has. */
const struct cu_isa *cu_isa_find(const char *name);
/* All cores once more; these ask struct cu_aux for MODE. */
extern const cu_core *const cu_cores_modes;

/* ---- table.c */
struct cu_table {
	const struct cu_op *row;
	unsigned count;
};
extern const struct cu_table cu_table;

#endif
