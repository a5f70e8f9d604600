/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private face of the guest driver: what its files know of each other. */
#ifndef GV_GUEST_H
#define GV_GUEST_H

#include <pthread.h>
#include <stdatomic.h>

#include <gv/hw_spec.h>
#include <gv/layouts.h>
#include <gv/mailbox.h>
#include <gv/packets.h>
#include <gv/vf_guest.h>

#include "heap.h"
#include "ih.h"

#define GV_MAX_COMPUTE    8u
#define GV_NUM_SDMA       2u
#define GV_GART_BYTES     (512 * GV_MIB)
#define GV_GART_START     0x7fff00000000ull /* as amdgpu: top of the low canonical half */
#define GV_VRAM_RESERVED  (2 * GV_MIB)      /* exchange pages, up to where a TMR would be */
#define GV_CPU_ENGINE     17u               /* invalidation engine of the CPU */
#define GV_REG_TIMEOUT_NS (500 * GV_MS)
#define GV_VM_LOW         (4 * GV_GIB)    /* first address that we hand out */
#define GV_VM_HIGH_START  (1024 * GV_GIB) /* 4-level VMs prefer addresses above this */

/* DMA memory that the engines see through the GART (VMID 0). */
struct gv_gmem {
	struct gv_dma dma;
	uint64_t mc; /* address in VMID 0 */
};

enum gv_queue_type { GV_QUEUE_KIQ, GV_QUEUE_COMPUTE, GV_QUEUE_SDMA };

/* What a queue and the CPU tell each other, one cache line per queue. */
struct gv_writeback {
	uint64_t rptr, wptr, fence, value;
	uint64_t pad[4];
};

/* SH_MEM_BASES: where flat addressing finds scratch and LDS, in units of 1 << GV_APERTURE_SHIFT. */
#define GV_PRIVATE_BASE 0x1000u
#define GV_SHARED_BASE  0x2000u

#define GV_IB_SLOTS      32u
#define GV_IB_SLOT_BYTES 8192u
#define GV_IB_BYTES      2048u /* commands; then an AQL packet, then kernel arguments */
#define GV_IB_AMD_QUEUE                                                                            \
	(GV_IB_SLOTS * GV_IB_SLOT_BYTES) /* behind the slots: struct gv_amd_queue                  \
	                                  */
#define GV_IB_BUF_BYTES (GV_IB_AMD_QUEUE + GV_GPU_PAGE)

struct gv_guest_queue {
	struct gv_guest *g;
	enum gv_queue_type type;
	char name[24];
	unsigned me, pipe, queue; /* compute; SDMA: queue = engine */
	unsigned doorbell;        /* dword index */
	unsigned wb_index;
	struct gv_gmem ring, eop;
	unsigned ring_dw;
	uint64_t wptr; /* dwords, free running */
	struct gv_writeback *wb;
	uint64_t wb_mc;
	uint64_t mqd_off; /* in VRAM */
	uint64_t seq;     /* last fence emitted */
	uint64_t lost_seq;
	_Atomic uint64_t irqs;
	_Atomic uint64_t failed_ns; /* when the engine said that it stopped here; 0 never */
	uint64_t problems_seen;
	struct gv_guest_buf *ib;
	uint64_t ib_seq[GV_IB_SLOTS];
	unsigned ib_next;
	struct gv_guest_buf *scratch;
	uint64_t scratch_seq;
	bool up;
	pthread_mutex_t lock;
};

struct gv_extent {
	uint64_t off, bytes; /* in VRAM */
};

struct gv_guest_buf {
	struct gv_guest *g;
	struct gv_guest_vm *vm;
	enum gv_guest_where where;
	uint64_t bytes, va;
	struct gv_dma dma;
	struct gv_extent *extent;
	unsigned extents;
	struct gv_guest_buf *next;
};

struct gv_guest_vm {
	struct gv_guest *g;
	unsigned vmid, levels;
	struct gv_pt *pt;
	struct gv_heap va;
	struct gv_guest_vm *next;
};

struct gv_guest_program {
	struct gv_guest *g;
	const struct gv_co *co; /* NULL: raw code */
	const void *code;
	size_t code_bytes;
	struct gv_guest_buf *buf;
	struct gv_guest_program *next;
};

struct gv_guest {
	struct gv_bus *bus;
	struct gv_guest_cfg cfg;
	char driver_version[GV_MBOX_DRIVER_VERSION + 1];
	const struct gv_log *log;
	unsigned steps_done;

	/* mailbox and access */
	struct gv_mbox_vf mbox;
	pthread_mutex_t mbox_lock;
	enum gv_mbox_access access; /* exclusive access that we hold */
	bool runtime;               /* registers through the KIQ */
	_Atomic bool flr_pending;
	_Atomic bool mbox_event;
	uint32_t key;

	/* what the PF said */
	struct gv_mbox_vbios vbios;
	struct gv_mbox_pf2vf_info pf2vf;
	uint64_t bad_pfn[GV_MBOX_BAD_PAGES_MAX];
	unsigned bad_pages;

	/* memory */
	uint64_t fb_bytes, visible_bytes, fb_mc, fb_pa;
	uint8_t *aperture; /* NULL: BAR0 only traps */
	struct gv_heap vram, gart;
	bool vram_ready, gart_ready;
	uint64_t gart_table; /* in VRAM */
	struct gv_gmem wb;
	struct gv_extent *pt_chunk; /* 2 MiB pieces that tables are cut from */
	unsigned pt_chunks;
	uint64_t *pt_free;
	size_t pt_free_count, pt_free_room;

	/* interrupts */
	struct gv_gmem ih_mem;
	struct gv_ih_ring ih;
	int ih_fd;
	bool ih_up;
	unsigned ih_doorbells;
	uint32_t ih_told;      /* read pointer that the device knows; under ih_lock */
	_Atomic bool ih_fired; /* an interrupt came since */
	pthread_mutex_t ih_lock;
	struct gv_guest_fault fault;
	_Atomic uint64_t interrupts, vm_faults, cp_errors;
	uint32_t last_cp_error;

	/* queues */
	struct gv_guest_queue kiq, compute[GV_MAX_COMPUTE], sdma[GV_NUM_SDMA];
	_Atomic uint64_t kiq_accesses, tlb_flushes;
	unsigned resets;

	struct gv_guest_vm *vms, *vm; /* vm: the default one */
	struct gv_guest_buf *bufs;
	struct gv_guest_program *programs;
};

/* ---- mbox.c: messages to the PF --------------------------------------------- */
/** Send request @code and wait for its answer (or its ACK). */
int gv_mbox_request(struct gv_guest *g, uint32_t code, struct gv_mbox_msg *reply,
                    struct gv_err *err);
/** READY_TO_RESET, then wait for FLR_NOTIFICATION_CMPL. */
int gv_mbox_ready_to_reset(struct gv_guest *g, struct gv_err *err);
/** Look for events (FLR_NOTIFICATION, QUERY_ALIVE, ...). */
void gv_mbox_look(struct gv_guest *g);

/* ---- exchange.c: pages in the frame buffer ------------------------------------ */
int gv_exchange_read(struct gv_guest *g, struct gv_err *err);
int gv_exchange_write(struct gv_guest *g, struct gv_err *err);

/* ---- reg.c: registers ---------------------------------------------------------- */
int gv_reg_wr(struct gv_guest *g, uint32_t byte, uint32_t val, struct gv_err *err);
int gv_reg_rd(struct gv_guest *g, uint32_t byte, uint32_t *val, struct gv_err *err);
/** Select a queue slot, or VMID, for the banked registers. */
int gv_grbm_select(struct gv_guest *g, unsigned me, unsigned pipe, unsigned queue, unsigned vmid,
                   struct gv_err *err);

struct gv_regval {
	uint32_t byte, val;
};
int gv_reg_wr_list(struct gv_guest *g, const struct gv_regval *list, size_t count,
                   struct gv_err *err);

/* ---- vram.c: the frame buffer and the aperture --------------------------------- */
int gv_vram_up(struct gv_guest *g, struct gv_err *err);
void gv_vram_down(struct gv_guest *g);
/** Move bytes through BAR0; [off, off + n) is visible. */
int gv_vram_write(struct gv_guest *g, uint64_t off, const void *data, size_t n);
int gv_vram_read(struct gv_guest *g, uint64_t off, void *data, size_t n);
void gv_hdp_flush(struct gv_guest *g);
/** One 4 KiB page for a page table, for struct gv_pt_mem. */
int gv_vram_table_alloc(void *arg, struct gv_pt_page *page);
void gv_vram_table_free(void *arg, struct gv_pt_page *page);
void gv_vram_table_wrote(void *arg, const struct gv_pt_page *page, unsigned first, unsigned count);

/* ---- gmc.c: GART, contexts, TLBs ------------------------------------------------ */
int gv_gart_up(struct gv_guest *g, struct gv_err *err);
void gv_gart_down(struct gv_guest *g);
int gv_contexts_up(struct gv_guest *g, struct gv_err *err);
void gv_contexts_down(struct gv_guest *g);
int gv_sh_mem_up(struct gv_guest *g, struct gv_err *err);
int gv_gmem_alloc(struct gv_guest *g, uint64_t bytes, struct gv_gmem *m);
void gv_gmem_free(struct gv_guest *g, struct gv_gmem *m);
int gv_tlb_flush(struct gv_guest *g, unsigned vmid, struct gv_err *err);
int gv_context_set(struct gv_guest *g, unsigned vmid, const struct gv_pt *pt, struct gv_err *err);
int gv_context_off(struct gv_guest *g, unsigned vmid, struct gv_err *err);

/* ---- vm.c, buffer.c -------------------------------------------------------------- */
int gv_vm_make(struct gv_guest *g, unsigned vmid, unsigned levels, struct gv_guest_vm **vm,
               struct gv_err *err);
struct gv_guest_vm *gv_vm_free(struct gv_guest_vm *vm);
int gv_vm_map_buf(struct gv_guest_vm *vm, const struct gv_guest_buf *buf, uint64_t va,
                  struct gv_err *err);
/** @low: an address below GV_VM_HIGH_START, so that every VM can have it. */
int gv_buf_make(struct gv_guest *g, struct gv_guest_vm *vm, enum gv_guest_where where,
                uint64_t bytes, bool low, struct gv_guest_buf **buf, struct gv_err *err);
/** New VRAM for all buffers and page tables after a reset; same addresses. */
int gv_vms_rebuild(struct gv_guest *g, struct gv_err *err);
int gv_programs_reload(struct gv_guest *g, struct gv_err *err);

/* ---- irq.c: interrupts -------------------------------------------------------------- */
int gv_irq_up(struct gv_guest *g, struct gv_err *err);
void gv_irq_down(struct gv_guest *g);
/** Handle what is in the IH ring. */
void gv_irq_drain(struct gv_guest *g);
/** Handle it, or wait for it until @deadline_ns (a bounded slice of it). */
void gv_irq_pause(struct gv_guest *g, unsigned *spins, uint64_t deadline_ns);
/** Interrupts of the mailbox on. */
int gv_irq_mailbox_up(struct gv_guest *g, struct gv_err *err);
/** Page faults and CP errors so far. */
uint64_t gv_irq_problems(struct gv_guest *g);

/* ---- ring.c: rings and fences ---------------------------------------------------------- */
int gv_ring_make(struct gv_guest_queue *q, unsigned ring_dw, unsigned eop_bytes,
                 struct gv_err *err);
void gv_ring_free(struct gv_guest_queue *q);
/** Wait for room for @count dwords. With q->lock held, as the calls below. */
int gv_ring_room(struct gv_guest_queue *q, unsigned count, uint64_t deadline_ns,
                 struct gv_err *err);
void gv_ring_put(struct gv_guest_queue *q, uint32_t dw);
void gv_ring_put_n(struct gv_guest_queue *q, const uint32_t *dw, unsigned count);
void gv_ring_commit(struct gv_guest_queue *q);
/** Dwords that gv_ring_fence() needs. */
unsigned gv_ring_fence_dw(const struct gv_guest_queue *q);
void gv_ring_fence(struct gv_guest_queue *q);
bool gv_ring_done(const struct gv_guest_queue *q, uint64_t seq);
/** "comp_1.0.0: rptr 12 wptr 40 of 16384, fence 3 of 5" */
void gv_ring_describe(const struct gv_guest_queue *q, char *text, size_t size);
uint64_t gv_deadline(const struct gv_guest *g);

/* ---- mqd.c, kiq.c, queue.c ----------------------------------------------------------------- */
void gv_mqd_build(const struct gv_guest_queue *q, uint32_t mqd[GV_MQD_DWORDS]);
void gv_sdma_mqd_build(const struct gv_guest_queue *q, uint32_t *mqd, unsigned count);
int gv_kiq_up(struct gv_guest *g, struct gv_err *err);
void gv_kiq_down(struct gv_guest *g);
int gv_kiq_test(struct gv_guest *g, struct gv_err *err);
/** Put packets on the KIQ and wait for them. */
int gv_kiq_run(struct gv_guest *g, const uint32_t *dw, unsigned count, struct gv_err *err);
int gv_kiq_rreg(struct gv_guest *g, uint32_t byte, uint32_t *val, struct gv_err *err);
int gv_kiq_wreg(struct gv_guest *g, uint32_t byte, uint32_t val, struct gv_err *err);
/** MAP_QUEUES of what its MQD says; @wptr: where the engine finds the write pointer. */
int gv_queue_map(struct gv_guest_queue *q, uint64_t wptr, struct gv_err *err);
void gv_queue_unmap(struct gv_guest_queue *q);
/** HQD slot, doorbell and name of compute queue @i. */
void gv_queue_place_compute(struct gv_guest_queue *q, unsigned i);
int gv_resources_up(struct gv_guest *g, struct gv_err *err);
int gv_compute_up(struct gv_guest *g, struct gv_err *err);
void gv_compute_down(struct gv_guest *g);
int gv_sdma_up(struct gv_guest *g, struct gv_err *err);
void gv_sdma_down(struct gv_guest *g);
/** A free command slot of the queue's own buffer: index. With q->lock held. */
int gv_ib_slot(struct gv_guest_queue *q, unsigned *slot, struct gv_err *err);
/** Queue an IB; with q->lock held. */
int gv_ib_submit(struct gv_guest_queue *q, unsigned vmid, uint64_t va, unsigned dw, uint64_t *seq,
                 struct gv_err *err);

#endif
