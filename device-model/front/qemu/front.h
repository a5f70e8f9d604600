/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Private face of the QEMU front end: one GPU core behind a PF and its VFs, which are PCI devices
 * of QEMU. QEMU owns what PCI defines (header, BARs, MSI-X, PCIe, SR-IOV); the core owns memory,
 * doorbells, registers and the GPUIOV capability.
 *
 * The one rule about locks. An engine of the core that reaches guest memory needs QEMU's big lock
 * (BQL), so whoever holds the BQL must not wait for an engine:
 *   - accesses to BARs drop the BQL while they are in the core;
 *   - those to the configuration space keep it (QEMU would refuse other vCPUs meanwhile), and only
 *     do what takes the core no longer than a register;
 *   - resets, VF Enable and the end of the device are only asked for, a thread of ours does them
 *     (life.c). An access to a BAR waits, without the BQL, until what was asked has been done:
 *     software never sees a function half reset.
 */
#ifndef GVQ_FRONT_H
#define GVQ_FRONT_H

#include "compat.h"

#include <pthread.h>
#include <stdatomic.h>

#undef FIELD /* QEMU has a macro of this name, the register tables too */
#include <gv/device_model.h>
#include <gv/hw_spec.h>
#include <gv/layouts.h>

#define GVQ_TYPE_PF "gpuvisor-gpu"
#define GVQ_TYPE_VF "gpuvisor-gpu-vf"

/* BARs as the core's configuration space describes them; index is the BAR number. */
struct gvq_bars {
	uint64_t bytes[PCI_NUM_REGIONS - 1]; /* 0: none */
	uint8_t type[PCI_NUM_REGIONS - 1];
};

/* Memory of one function's BAR0, at an address that never changes: what lies there does. */
struct gvq_window {
	uint8_t *host;
	uint64_t room;
	_Atomic uint64_t bytes; /* from the start of the BAR on: VRAM. The rest traps. */
};

/* What a thread of ours is to do next, later requests merged into earlier ones. */
struct gvq_wanted {
	uint32_t resets; /* one bit per function */
	bool vfs, drop_vfs_first, soft_flr;
	unsigned num_vfs;
};

struct gvq_front {
	struct gv_dev *dev;
	struct gv_log log;
	bool trace, map_vram;
	_Atomic unsigned refs; /* the PF's object, and VFs as long as they are realized */
	struct gvq_bars pf_bars, vf_bars;

	/* Under the BQL. */
	PCIDevice *pdev[GV_DEV_MAX_FUNCS];
	unsigned told_vfs;

	QEMUBH *bh; /* what engines want done under the BQL */
	_Atomic uint32_t irqs[GV_DEV_MAX_FUNCS];
	_Atomic bool layout_changed;

	pthread_mutex_t map_lock;
	struct gvq_window window[GV_DEV_MAX_FUNCS];

	pthread_mutex_t job_lock; /* leaf */
	pthread_cond_t job_cond;
	struct gvq_wanted wanted;
	bool quit;
	_Atomic uint64_t asked, done;
};

/* One PCI function. */
struct gvq_fn {
	PCIDevice pdev;
	struct gvq_front *front;
	unsigned func;
	MemoryRegion bar0, bar0_trap, bar0_shown; /* shown: the part of memory that is VRAM */
	MemoryRegion bar2, bar5, registers;
	bool has_memory;
	MemoryRegion memory[GV_DEV_MAX_FUNCS]; /* the PF's: behind BAR0 of each function */

	/* properties of the PF */
	uint64_t vram_mib, vf_bar0_mib;
	uint32_t max_vfs, engine_threads;
	bool trace, map_vram;
};

/** The function behind a device of one of our two types. */
struct gvq_fn *gvq_fn(void *obj);

/* ---- pci.c ------------------------------------------------------------------ */

void gvq_register_types(void);

/* ---- front.c ---------------------------------------------------------------- */

/** Make the GPU of @pf from its properties. False: said in @errp. The reference is @pf's. */
bool gvq_front_new(struct gvq_fn *pf, Error **errp);
struct gvq_front *gvq_front_get(struct gvq_front *front);
/** Any thread. The last one makes the life thread free everything. NULL does nothing. */
void gvq_front_put(struct gvq_front *front);

/* ---- life.c: what blocks and must not hold the BQL ---------------------------- */

bool gvq_life_start(struct gvq_front *front, Error **errp);
void gvq_life_quit(struct gvq_front *front);
void gvq_ask_reset(struct gvq_front *front, unsigned func);
void gvq_ask_vfs(struct gvq_front *front, unsigned num_vfs);
void gvq_ask_soft_flr(struct gvq_front *front);
/** Wait (bounded, BQL not held) until what was asked so far has been done. */
void gvq_settle(struct gvq_front *front);

/* ---- dma.c ------------------------------------------------------------------ */

int gvq_dma_read(void *arg, unsigned func, uint64_t iova, void *buf, size_t n);
int gvq_dma_write(void *arg, unsigned func, uint64_t iova, const void *buf, size_t n);

/* ---- bars.c ----------------------------------------------------------------- */

/** Make the memory regions of @fn and say in @errp what failed. */
bool gvq_bars_init(struct gvq_fn *fn, struct gvq_fn *pf, Error **errp);
/** Takes a function whose gvq_bars_init() failed. */
void gvq_bars_done(struct gvq_fn *fn);

/* ---- window.c: BAR0 as memory --------------------------------------------------- */

/** Reserve the addresses behind the BAR0 of every function. 0 or negative errno. */
int gvq_windows_init(struct gvq_front *front);
void gvq_windows_done(struct gvq_front *front);
/** host.region_changed: put behind the window what belongs there now. */
void gvq_region_changed(void *arg, unsigned func, enum gv_region region);
/** Tell QEMU of the memory, once: VFs come and go, and QEMU 7.2 never frees one. */
void gvq_windows_register(struct gvq_fn *pf);
/** Show to the guest what the windows hold. Under the BQL. */
void gvq_windows_show(struct gvq_front *front);

#endif
