/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory of a function, in the order an engine's access passes through it:
 *
 *   gv_mem (mem.c)  one engine's view, caches windows
 *     -> gv_walk (walk.c)  page tables of a VMID, hub GC or MM
 *          -> gv_vram_find (vram.c)  frame buffer, a VF's second-level table
 *          -> host.dma_ptr, dma_read, dma_write  system memory
 *
 * Only the last step yields host pointers, and it belongs to the device, so no page table that a
 * guest writes can name memory of another function.
 */
#ifndef GV_MEM_H
#define GV_MEM_H

#include "device.h"

/* ---- frame buffer (vram.c, vram_l2.c) ------------------------------------ */

#define GV_NO_CHUNK UINT32_MAX
/* Owners of a 2 MiB chunk of VRAM: nobody, 1 + vf, or nobody ever again (it could not be
 * remapped; see vram_l2.c). */
enum { GV_CHUNK_FREE = 0, GV_CHUNK_LOST = 0xff };

/* One entry of a VF's second-level table, checked. */
struct gv_l2_entry {
	uint32_t chunk;     /* device address / 2 MiB, or GV_NO_CHUNK */
	uint8_t access;     /* enum gv_acc R and W */
	_Atomic bool dirty; /* written through since the last reload */
};

/* Memory of one VF. No table in force: fd is -1 and entries 0. */
struct gv_vf_mem {
	int fd; /* holds the whole frame buffer, offset = frame-buffer address */
	uint32_t entries;
	struct gv_l2_entry *entry;
	uint64_t table;  /* device address of the table, for the DIRTY bits */
	bool handed_out; /* somebody got a descriptor: writes may go unseen */
};

struct gv_vram {
	uint8_t *map; /* what we reserved */
	size_t map_bytes;
	uint8_t *base;         /* device address 0 */
	uint64_t bytes;        /* of all VRAM */
	uint64_t window_bytes; /* the PF's own, from 0 */
	int window_fd;         /* backs [0, window_bytes) */
	int pool_fd;           /* backs the rest, offset = device address */
	uint32_t chunks;
	bool clzero;     /* the processor has that instruction */
	uint8_t *owner;  /* per chunk; changed with the PF's mem_lock held for writing, as is */
	uint32_t *place; /* ... where in its owner's file, or the pool, its bytes are, in chunks */
	struct gv_vf_mem vf[GV_MAX_VFS];
	pthread_mutex_t fault_lock; /* the L2_FAULT registers of all VFs; a leaf */
};

/** A sealed memfd of @bytes: its size is fixed for whoever holds it. */
int gv_vram_memfd(const char *name, uint64_t bytes, int *fd);
/** Map @fd at device address @dev. -ENOMEM. */
int gv_vram_map(struct gv_vram *v, uint64_t dev, uint64_t bytes, int fd, uint64_t off);
/** Zero [host, host + bytes), if it is VRAM and large enough to pay: only what was ever written, by
 *  overwriting it or, where that is little, by giving it back. Else false and nothing happened. */
bool gv_vram_zero(struct gv_dev *dev, uint8_t *host, uint64_t bytes);
/** The file that holds the chunk, and where in it; -1: none. */
int gv_vram_file_of(const struct gv_vram *v, uint32_t chunk, uint64_t *off);
/** As gv_vram_ptr(), but a failure is the caller's to report. *@bytes in: how many are wanted. */
int gv_vram_find(struct gv_fn *f, uint64_t fb, unsigned access, uint8_t **host, uint64_t *bytes);
/** Record a refused access in GVX_VFn_L2_FAULT_*. */
void gv_vram_fault(struct gv_fn *f, uint64_t fb, unsigned access, unsigned client, unsigned vmid);
/** Whether the 2 MiB at @fb may have been written since the last reload (PF: always). */
bool gv_vram_dirty(struct gv_fn *f, uint64_t fb);

/** Between memory that others see too, @host, and our own: an aligned 4 or 8 byte word in a single
 *  access, anything else as memcpy does. */
void gv_mem_move(uint8_t *host, uint8_t *buf, size_t n, bool write);

/* ---- page walks (walk.c, gmc.c) ------------------------------------------ */

/* Besides VMIDs, a gv_mem can look at memory without page tables. */
enum { GV_VMID_BUS = GV_NUM_VMID, GV_VMID_FB };

/* FAULT_STATUS.WALKER_ERROR. The encoding is a guess: the order of the enables in FAULT_CNTL. */
enum gv_walker_error {
	GV_WALK_OK,
	GV_WALK_RANGE,
	GV_WALK_PDE0,
	GV_WALK_PDE1,
	GV_WALK_PDE2,
	GV_WALK_FURTHER,
};
/* FAULT_STATUS.PERMISSION_FAULTS */
enum { GV_PERM_VALID = 1, GV_PERM_READ = 2, GV_PERM_WRITE = 4, GV_PERM_EXECUTE = 8 };

struct gv_fault {
	enum gv_walker_error walker;
	unsigned permission;
	bool mapping; /* what an entry points to is not there */
	bool l2;      /* ... because the table at frame-buffer address @fb is outside the VF's */
	uint64_t fb;
};

/* Where [va, va + bytes) lies. */
struct gv_leaf {
	uint64_t va, bytes;
	uint64_t target; /* frame-buffer address or, with system, bus address */
	unsigned access; /* all that is permitted */
	bool system, prt;
};

/* Registers of one hub; the tables are in gmc.c. */
struct gv_hub_regs {
	enum gv_reg cntl, base_lo, base_hi, start_lo, start_hi, end_lo, end_hi;
	enum gv_reg agp_top, agp_bot, agp_base;
	enum gv_reg fault_cntl, fault_status, fault_lo, fault_hi;
	enum gv_reg inv_req, inv_ack;
	enum gv_ih_client client;
};
extern const struct gv_hub_regs gv_hub[2];

struct gv_gmc {
	pthread_mutex_t lock; /* fault state; a leaf, taken under dev->lock too */
	bool fault_held[2];   /* FAULT_STATUS shows a fault not cleared yet */
	uint64_t iv_since_ns;
	unsigned iv_count;
	_Atomic uint64_t ivs_dropped;
	uint8_t *sink;             /* a page that takes what is written to PRT pages */
	pthread_mutex_t slow_lock; /* atomics on system memory that has no pointer */
};

/** Translate one address. -EFAULT with the reason in *@fault. Nothing is recorded. */
int gv_walk(struct gv_fn *f, enum gv_hub hub, unsigned vmid, uint64_t va, struct gv_leaf *leaf,
            struct gv_fault *fault);
/** Count a fault, and unless @m is quiet record it and raise an interrupt. Returns -EFAULT, or
 *  -EAGAIN where gv_mem_window() does. */
int gv_gmc_fault(struct gv_mem *m, uint64_t va, unsigned access, const struct gv_fault *fault);

/** memmove between two views: copies up to *@n bytes, of which *@n were when an error stopped
 *  it. -EFAULT as gv_mem_window(). */
int gv_mem_copy(struct gv_mem *to, uint64_t to_va, struct gv_mem *from, uint64_t from_va,
                uint64_t n);

#endif
