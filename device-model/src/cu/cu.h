/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The compute units of the emulated GPU: an interpreter for the gfx900 (GCN5)
 * instruction set. It runs the waves of one COMPUTE dispatch and knows nothing
 * of rings, page tables or VFs; memory is reached only through callbacks.
 *
 * A dispatch is split by workgroup. Every thread that helps has its own run
 * (gv_cu_begin); the runs of one dispatch share an atomic counter from which
 * each takes its next workgroup. A run holds one workgroup at a time: all its
 * waves, and its LDS. Nothing runs unbounded: gv_cu_step() executes about as
 * many wave instructions as it was told and can be called again. All state is
 * in the run, so between two steps it may be kept, or freed (VF reset).
 *
 *	struct gv_cu_shared shared = {0};
 *	d.shared = &shared;
 *	gv_cu_begin(&run, &d);                      one per thread
 *	while (gv_cu_step(run, 100000) == GV_CU_YIELD)
 *		;
 *	gv_cu_free(run);
 *
 * Not interpreted (the wave ends with a fault that names the instruction, and
 * is counted): MIMG, EXP, VINTRP, GDS with GWS and ordered count, the TFE bit.
 * Memory: as with SH_MEM_CONFIG.ALIGNMENT_MODE UNALIGNED, but atomics on memory
 * must be aligned. An instruction that faults has not happened in part, except
 * where the guest takes memory away while it executes.
 * Exceptions of floating point are kept in TRAPSTS from a wave's first look at it, v_clrexcp or
 * MODE.EXCP_EN on (valu_excp.c says which); that they raise a trap is not implemented.
 * A wave does not see another thread's workgroup make progress unless that
 * workgroup's run is stepped too: grid-wide barriers need as many runs as
 * workgroups, as they need that many slots on silicon.
 */
#ifndef GV_CU_H
#define GV_CU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GV_CU_R         1u
#define GV_CU_W         2u
#define GV_CU_X         4u
#define GV_CU_NO_LANE   UINT32_MAX
#define GV_CU_MAX_WAVES 16u
/* 16 waves of a workgroup have 1024 VGPRs of 256 bytes at most, and 64 KiB of LDS. */
#define GV_CU_SAVE_MAX (1024u * 256 + 65536 + GV_CU_MAX_WAVES * 1024 + 1024)

/* Host memory behind a range of GPU virtual addresses. */
struct gv_cu_window {
	uint64_t va_base, bytes;
	uint8_t *host;   /* NULL: memory without a pointer, reached through copy() and update() */
	unsigned access; /* GV_CU_R | GV_CU_W | GV_CU_X that the whole window allows */
};

struct gv_cu_mem {
	void *ctx;
	/* A window that contains @va and allows @access. 0, or -EFAULT; the callee has then
	 * recorded the VM fault. -EAGAIN: the guest may map it yet; the callee has said so to the
	 * guest, the wave waits (GV_CU_RETRY). Called from the thread that steps the run. */
	int (*translate)(void *ctx, uint64_t va, unsigned access, struct gv_cu_window *w);
	/* Memory of windows without a pointer: all @n bytes, which lie in one window. 0, or -EFAULT
	 * as above. NULL: translate() never gives such a window. */
	int (*copy)(void *ctx, uint64_t va, void *buf, size_t n, bool write);
	/* There: replace the 4 or 8 bytes at @va, aligned, by next(arg, what they are), in one
	 * step among all that use this call. *@old: what they were. */
	int (*update)(void *ctx, uint64_t va, size_t n,
	              uint64_t (*next)(const void *arg, uint64_t old), const void *arg,
	              uint64_t *old);
	/* Windows kept by a run are dropped when this changes. NULL: they never are. */
	const uint64_t *generation;
};

/* Shared by the runs of one dispatch; zero it first, keep it until all are freed. */
struct gv_cu_shared {
	uint64_t next_group; /* atomic: next workgroup nobody has taken */
	uint32_t stop;       /* atomic: set by a fault, ends the other runs */
};

struct gv_cu_counters {
	uint64_t instructions; /* wave instructions */
	uint64_t waves, groups, barriers;
	uint64_t messages;      /* s_sendmsg */
	uint64_t unimplemented; /* instructions this interpreter does not know */
	uint64_t lds_out_of_range, buffer_out_of_range;
};

/* One dispatch, as the command processor read it from the COMPUTE_* registers. */
struct gv_cu_dispatch {
	struct gv_cu_mem mem;
	struct gv_cu_shared *shared;
	uint64_t pgm_va;       /* byte address of the first instruction */
	uint32_t rsrc1, rsrc2; /* COMPUTE_PGM_RSRC1/2 */
	uint32_t tmpring_size; /* COMPUTE_TMPRING_SIZE */
	uint32_t user_data[16];
	uint32_t start[3], dim[3]; /* workgroups [start, dim), COMPUTE_START_*, COMPUTE_DIM_* */
	uint32_t num_thread[3];    /* work items of a full workgroup */
	uint32_t partial[3]; /* size of the last workgroup; 0: it is full (PARTIAL_TG_EN off) */
	uint64_t private_base, shared_base; /* flat apertures, from SH_MEM_BASES; 4 GiB each */
	uint64_t scratch_base;              /* initial FLAT_SCRATCH; kernels set it themselves */
	uint32_t scratch_slot;              /* first scratch wave slot of this run, see below */
	uint32_t lds_bytes;                 /* at least this much LDS; 0: what rsrc2 says */
	/* Atomic: how many pieces of decoded code (CU_CHUNK_BYTES of code each) the runs that share
	 * it may keep, besides one each. The same for all of a run's life; NULL: each has its own
	 * bound only. */
	uint32_t *code_room;
	uint64_t tba, tma;   /* trap handler and its memory (SQ_SHADER_TBA, TMA); tba 0: none */
	uint64_t wave_limit; /* instructions after which a wave ends with a fault; 0: none */
	const char *isa; /* host instructions: "base", "avx2", "avx512"; NULL: the best there are */
};

enum gv_cu_status { GV_CU_DONE, GV_CU_YIELD, GV_CU_FAULT, GV_CU_RETRY };

enum gv_cu_reason {
	GV_CU_NO_FAULT,
	GV_CU_MEMORY_FAULT,    /* translate() refused; the VM fault is recorded there */
	GV_CU_FETCH_FAULT,     /* same, for an instruction */
	GV_CU_BAD_INSTRUCTION, /* no such encoding, or a register the wave does not have */
	GV_CU_UNIMPLEMENTED,   /* a real instruction that is not interpreted */
	GV_CU_UNALIGNED_ATOMIC,
	GV_CU_TRAP,      /* s_trap without a trap handler, or in it */
	GV_CU_NO_MEMORY, /* host out of memory */
	GV_CU_WATCHDOG,  /* gv_cu_dispatch.wave_limit */
};

struct gv_cu_fault {
	enum gv_cu_reason reason;
	uint64_t pc;
	uint32_t word[2];
	const char *name; /* of the instruction, "?" when unknown */
	uint64_t va;      /* of the access, for memory faults */
	unsigned access;  /* likewise: GV_CU_R, _W, _X; R and W: an atomic */
	uint32_t group[3], wave;
	uint32_t lane; /* the lowest that faulted; GV_CU_NO_LANE: not a vector access */
};

struct gv_cu_run;

/** Start a run over the workgroups of @d (copied). 0, -ENOMEM, -EINVAL (workgroup of 0 or over
 *  1024 items, more VGPRs than a wave of it may have), -ENOSPC (tmpring_size has no room for a
 *  workgroup's waves from scratch_slot on), -ENOTSUP (this host is not @d->isa). Freed with
 * gv_cu_free(). Does not touch memory. */
int gv_cu_begin(struct gv_cu_run **run, const struct gv_cu_dispatch *d);

/** The same with a run that is there, whatever it did before; @d must reach the same memory. Keeps
 *  what gv_cu_begin() would make anew: registers, decoded code (compared with memory before it is
 *  used), windows. Registers and LDS hold what the last dispatch left. Errors as gv_cu_begin();
 *  the run can then only be freed or tried again. */
int gv_cu_again(struct gv_cu_run *run, const struct gv_cu_dispatch *d);

/** Execute about @max_instructions wave instructions. DONE: no workgroup is left for this run.
 *  YIELD: call again. FAULT: a wave faulted, gv_cu_fault() says how; the run stays faulted.
 *  RETRY: every wave that is left waits for memory that the guest may map yet (translate() said
 *  -EAGAIN) or was halted by s_sethalt: call again later. Each call tries what waits once more. */
enum gv_cu_status gv_cu_step(struct gv_cu_run *run, uint64_t max_instructions);

/** Bytes that gv_cu_save() writes now: at most GV_CU_SAVE_MAX. */
size_t gv_cu_save_size(const struct gv_cu_run *run);

/** What the run is in the middle of, between two steps: the workgroup, all registers of its
 *  waves, its LDS, the counters. The layout is in save.c. What other runs do, and which groups
 *  nobody has taken (gv_cu_shared), is the caller's to keep. 0, -EINVAL (the run has faulted),
 *  -ENOSPC (@bytes < gv_cu_save_size()). */
int gv_cu_save(const struct gv_cu_run *run, void *buf, size_t bytes);

/** Go on where the saved run was. @run: fresh from gv_cu_begin() with the same dispatch. @buf is
 *  not trusted: -EINVAL when it is not what gv_cu_save() could have written for this dispatch, and
 *  @run is then as before. It must not change meanwhile: copy it out of guest memory first. What
 *  one host saved, with whatever vector instructions, another restores. */
int gv_cu_restore(struct gv_cu_run *run, const void *buf, size_t bytes);

/** Always NULL; takes NULL. */
struct gv_cu_run *gv_cu_free(struct gv_cu_run *run);

/** Valid while the run lives. */
const struct gv_cu_fault *gv_cu_fault(const struct gv_cu_run *run);
const struct gv_cu_counters *gv_cu_counters(const struct gv_cu_run *run);

/** Waves of a full workgroup: run number n of a dispatch uses scratch_slot = n * this. */
uint32_t gv_cu_waves_per_group(const struct gv_cu_dispatch *d);

/** How many runs COMPUTE_TMPRING_SIZE has scratch for; UINT32_MAX when scratch is off. */
uint32_t gv_cu_max_runs(const struct gv_cu_dispatch *d);

/** One line for the log: "pc 0x...: v_foo_b32 v0, v1: reason". */
const char *gv_cu_fault_text(const struct gv_cu_fault *f, char *buf, unsigned bytes);

/** Name and length in dwords of the instruction in @word; NULL and 1 when there is none. */
const char *gv_cu_name(const uint32_t word[2], unsigned *dwords);

/** Does the interpreter execute it? */
bool gv_cu_implemented(const uint32_t word[2]);

#endif
