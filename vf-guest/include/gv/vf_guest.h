/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guest's side of a VF: brings a VF up as AMD's driver does (mailbox, page
 * tables, interrupts, KIQ, queues), then memory, copies and compute on it.
 * Uses nothing but a struct gv_bus. See docs/gpuvisor-guest.md.
 *
 * After exclusive access is released, registers are reached through the KIQ
 * only; the exceptions are the mailbox, the HDP flush and the IH pointers.
 *
 * Threads: one struct gv_guest may be used by several threads for submitting
 * and waiting; open, close, recover, and making and freeing buffers, VMs and
 * programs must not run at the same time as anything else.
 */
#ifndef GV_VF_GUEST_H
#define GV_VF_GUEST_H

#include <gv/base.h>
#include <gv/bus.h>
#include <gv/code_object.h>
#include <gv/page_table.h>

struct gv_guest;
struct gv_guest_buf;
struct gv_guest_vm;
struct gv_guest_queue;
struct gv_guest_program;

/* ---- life ---------------------------------------------------------------- */

struct gv_guest_cfg {
	unsigned page_table_levels; /* of the default VM: 3 or 4; 0 = 3 */
	unsigned compute_queues;    /* 1..8; 0 = 2 */
	uint64_t timeout_ns;        /* longest wait for a ring or a register; 0 = 10 s */
	bool force_rlcg;            /* GC registers through RLC-G during exclusive access even if
	                               pf2vf does not ask for it */
	const char *driver_version; /* told to the PF in vf2pf; NULL = "gpuvisor-guest" */
	const struct gv_log *log;   /* borrowed; NULL = silent */
};

/**
 * Bring the VF up. @bus is borrowed until gv_guest_close(). Blocks, bounded by the mailbox's
 * deadlines (some 20 s at worst; milliseconds when the PF answers).
 *
 * Errors name the step: "step 'KIQ ring test': ...". -ENODEV: not a VF; -ETIMEDOUT: PF or engine
 * did not answer; -EACCES: the PF refused; -EBADMSG: wrong exchange data; -ENOMEM.
 */
int gv_guest_open(struct gv_bus *bus, const struct gv_guest_cfg *cfg, struct gv_guest **guest,
                  struct gv_err *err);
/** Give the VF back (REQ_FINI .. REL_FINI). All buffers, VMs and programs must be freed before.
 *  Takes NULL, returns NULL. */
struct gv_guest *gv_guest_close(struct gv_guest *guest);

/**
 * After -EIO, -ETIMEDOUT or -ECONNRESET from a wait: reset and come back. If the PF announced a
 * reset, answers READY_TO_RESET and waits for the end; else asks for one (REQ_RESET). Then all is
 * established again: page tables, buffers at their addresses, programs, queues. Contents of VRAM
 * buffers are lost; system buffers keep theirs; work in flight is cancelled.
 */
int gv_guest_recover(struct gv_guest *guest, struct gv_err *err);

/** Handle interrupts and mailbox messages until @deadline_ns; returns at once when the PF
 *  announced a reset (-ECONNRESET: call gv_guest_recover()). Waiting calls do this themselves. */
int gv_guest_service(struct gv_guest *guest, uint64_t deadline_ns);

struct gv_guest_info {
	char bus[128];
	uint64_t fb_bytes;      /* frame buffer of the VF */
	uint64_t visible_bytes; /* of it, reachable through BAR0 */
	bool aperture_mapped;   /* BAR0 is memory of ours; else every access traps */
	uint64_t free_bytes;
	uint32_t vf_index;
	unsigned pf2vf_version;
	uint32_t feature_flags, reg_access_flags;
	uint64_t uuid;
	uint32_t gpu_capacity; /* 65535 = the whole GPU */
	char vbios[32], vbios_date[16];
	unsigned page_table_levels;
	unsigned compute_queues, sdma_queues;
	unsigned bad_pages;
	unsigned resets; /* gv_guest_recover() calls that worked */
	uint64_t interrupts, ih_overflows, vm_faults, cp_errors;
	uint64_t kiq_accesses, tlb_flushes;
};
void gv_guest_get_info(struct gv_guest *guest, struct gv_guest_info *info);

/* The last page fault that was attributed to this VF. */
struct gv_guest_fault {
	bool valid;
	uint64_t gpu_va;
	unsigned vmid;
	bool write;
	bool mmhub; /* SDMA; else shader or CP */
};
void gv_guest_get_fault(struct gv_guest *guest, struct gv_guest_fault *fault);

/** The KIQ ring test of bring-up, once more. */
int gv_guest_kiq_test(struct gv_guest *guest, struct gv_err *err);

/** Registers by the way that is right now: direct or RLC-G in exclusive access, KIQ after. -EIO
 *  or -ETIMEDOUT. */
int gv_guest_rreg(struct gv_guest *guest, uint32_t byte, uint32_t *val, struct gv_err *err);
int gv_guest_wreg(struct gv_guest *guest, uint32_t byte, uint32_t val, struct gv_err *err);

/* ---- virtual memory ------------------------------------------------------ */

/** The VM of VMID 1, in which buffers are made. Borrowed. */
struct gv_guest_vm *gv_guest_default_vm(struct gv_guest *guest);
/** Another VM: @vmid 2..7, @levels 3 or 4. -EBUSY: VMID in use. Free with gv_guest_vm_free(). */
int gv_guest_vm_new(struct gv_guest *guest, unsigned vmid, unsigned levels, struct gv_guest_vm **vm,
                    struct gv_err *err);
struct gv_guest_vm *gv_guest_vm_free(struct gv_guest_vm *vm);
/** Its page table, for reading its shape. Borrowed. */
const struct gv_pt *gv_guest_vm_table(const struct gv_guest_vm *vm);
/** Drop the TLB entries of this VM (engine 17, or the KIQ after release). */
int gv_guest_vm_flush(struct gv_guest_vm *vm, struct gv_err *err);

/* ---- buffers ------------------------------------------------------------- */

enum gv_guest_where {
	GV_GUEST_VRAM,         /* anywhere in the frame buffer; may be in several pieces */
	GV_GUEST_VRAM_VISIBLE, /* behind BAR0 */
	GV_GUEST_SYSTEM,       /* our memory, reached by DMA */
};

/**
 * Make a buffer of @bytes (rounded up to 4 KiB), mapped in @vm (NULL: the default VM) readable,
 * writable and executable. Contents undefined. -EINVAL: 0 bytes; -ENOMEM: the text says what
 * was free. Free with gv_guest_buf_free() before the guest is closed.
 */
int gv_guest_buf_new(struct gv_guest *guest, struct gv_guest_vm *vm, enum gv_guest_where where,
                     uint64_t bytes, struct gv_guest_buf **buf, struct gv_err *err);
/** Takes NULL, returns NULL. */
struct gv_guest_buf *gv_guest_buf_free(struct gv_guest_buf *buf);
uint64_t gv_guest_buf_va(const struct gv_guest_buf *buf);
uint64_t gv_guest_buf_bytes(const struct gv_guest_buf *buf);
/** Our view: system buffers, and visible VRAM where BAR0 is mapped; else NULL. */
void *gv_guest_buf_cpu(const struct gv_guest_buf *buf);
/** Move bytes between our memory and a buffer, by the aperture or by SDMA. -ERANGE, or as
 *  gv_guest_wait(). */
int gv_guest_buf_upload(struct gv_guest_buf *buf, uint64_t off, const void *data, uint64_t bytes,
                        struct gv_err *err);
int gv_guest_buf_download(struct gv_guest_buf *buf, uint64_t off, void *data, uint64_t bytes,
                          struct gv_err *err);

/* ---- queues -------------------------------------------------------------- */

/** Compute queue @i, SDMA queue @i (one per engine), borrowed; NULL beyond the end. */
struct gv_guest_queue *gv_guest_compute(struct gv_guest *guest, unsigned i);
struct gv_guest_queue *gv_guest_sdma(struct gv_guest *guest, unsigned i);
const char *gv_guest_queue_name(const struct gv_guest_queue *queue);

/** Put raw dwords on the ring (VMID 0 packets), followed by a fence and its interrupt. *@seq is
 *  what to wait for. -ETIMEDOUT: ring stayed full; -EMSGSIZE: larger than the ring. */
int gv_guest_submit(struct gv_guest_queue *queue, const uint32_t *dw, unsigned count, uint64_t *seq,
                    struct gv_err *err);
/** Run an indirect buffer at @ib_va (32-byte aligned) of @vm. */
int gv_guest_submit_ib(struct gv_guest_queue *queue, const struct gv_guest_vm *vm, uint64_t ib_va,
                       unsigned dw, uint64_t *seq, struct gv_err *err);
/**
 * Wait until the fence @seq was written. Handles interrupts meanwhile.
 *
 * -ETIMEDOUT: @deadline_ns passed; the text names the queue, its pointers and the last fault.
 * -EIO: a page fault or a bad packet of this VF was reported while waiting. -ECONNRESET: the PF
 * announced a reset. -ECANCELED: lost in a reset.
 */
int gv_guest_wait(struct gv_guest_queue *queue, uint64_t seq, uint64_t deadline_ns,
                  struct gv_err *err);

/** SDMA: copy or fill (32-bit pattern) in @vm, queued; wait for *@seq. Any size: split into
 *  packets. Fill: va and bytes are multiples of 4. */
int gv_guest_sdma_copy(struct gv_guest_queue *queue, const struct gv_guest_vm *vm, uint64_t dst_va,
                       uint64_t src_va, uint64_t bytes, uint64_t *seq, struct gv_err *err);
int gv_guest_sdma_fill(struct gv_guest_queue *queue, const struct gv_guest_vm *vm, uint64_t dst_va,
                       uint32_t pattern, uint64_t bytes, uint64_t *seq, struct gv_err *err);

/* ---- programs ------------------------------------------------------------ */

/** Load a code object into the default VM. @co is borrowed until the program is freed. */
int gv_guest_program_new(struct gv_guest *guest, const struct gv_co *co,
                         struct gv_guest_program **program, struct gv_err *err);
/** Machine code without a code object, 256-byte aligned from the start of the program: for self
 *  tests. The caller describes its kernel itself. @code is borrowed until the program is freed. */
int gv_guest_program_raw(struct gv_guest *guest, const void *code, size_t bytes,
                         struct gv_guest_program **program, struct gv_err *err);
/** Takes NULL, returns NULL. */
struct gv_guest_program *gv_guest_program_free(struct gv_guest_program *program);

struct gv_guest_launch {
	uint32_t grid[3];       /* work items; 0 = 1 */
	uint32_t block[3];      /* work items of a group; 0 = 1 */
	const void *kernarg;    /* copied; laid out as the kernel's arguments say */
	uint32_t kernarg_bytes; /* the rest up to the kernel's size is zero */
	uint32_t dynamic_lds_bytes;
};

/**
 * Queue a launch. -EINVAL: a size that the kernel or the hardware does not allow (text says
 * which); -ENOMEM: scratch; else as gv_guest_submit().
 */
int gv_guest_launch(struct gv_guest_queue *queue, struct gv_guest_program *program,
                    const struct gv_co_kernel *kernel, const struct gv_guest_launch *launch,
                    uint64_t *seq, struct gv_err *err);

/* ---- AQL ------------------------------------------------------------------ */

struct gv_guest_aql;

/**
 * A compute queue of AQL packets in the default VM, as a ROCm process has it: the engine reads
 * packets and kernel descriptors from the VM's memory and tells ends by signals. There is one per
 * guest. Not for several threads at once. It does not live through a reset of the VF: free it and
 * make another. -EBUSY: gv_guest_cfg.compute_queues leaves no slot, or there is one; -ENOMEM; else
 * as gv_guest_open(). Free before the guest is closed.
 */
int gv_guest_aql_new(struct gv_guest *guest, struct gv_guest_aql **aql, struct gv_err *err);
/** Takes NULL, returns NULL. Kills what runs. */
struct gv_guest_aql *gv_guest_aql_free(struct gv_guest_aql *aql);

/** As gv_guest_launch(); *@index counts packets from 0. Waits while all slots are in use. */
int gv_guest_aql_launch(struct gv_guest_aql *aql, struct gv_guest_program *program,
                        const struct gv_co_kernel *kernel, const struct gv_guest_launch *launch,
                        uint64_t *index, struct gv_err *err);
/** Until packet @index has completed. -EIO: the engine refused a packet or reported a fault;
 *  -ETIMEDOUT, -ECONNRESET (reset of the VF). */
int gv_guest_aql_wait(struct gv_guest_aql *aql, uint64_t index, uint64_t deadline_ns,
                      struct gv_err *err);

#endif
