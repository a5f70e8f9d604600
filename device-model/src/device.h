/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Private face of the device model: what its blocks know of each other.
 *
 * Locks, in the order in which they may be taken:
 *   0. dev->life_lock (mutex): resets and VF Enable, one at a time. Held while engines stop, so
 *      never taken by an engine thread or under another lock.
 *   1. fn->mem_lock (rwlock): read-held by an engine thread while it uses memory of the
 *      function, for one bounded slice; write-held to change what memory is behind it
 *      (second-level table, DMA unmap, FLR). Never taken under dev->lock. Writers go first, so
 *      a thread that holds it for reading must not take it again.
 *   2. dev->lock (mutex): registers and their side effects, the mailbox, which functions
 *      exist. Held for nanoseconds: no DMA, no memory, no waiting under it.
 * Register hooks run under dev->lock: they store, set flags and kick workers, nothing else.
 */
#ifndef GV_DEVICE_H
#define GV_DEVICE_H

#include <pthread.h>
#include <stdatomic.h>

#include <gv/device_model.h>
#include <gv/hw_spec.h>
#include <gv/layouts.h>
#include <gv/packets.h>

struct gv_fn;
struct gv_cp;
struct gv_sdma;
struct gv_gmc;
struct gv_ih;
struct gv_vram;
struct gv_pci;
struct gv_nbio;
struct gv_psp;
struct gv_mm;
struct gv_cu_pool;
struct gv_world;
struct gv_inproc;

/* Queues of the command processor: one per HQD slot, and the graphics ring, whose CP_RB0_*
 * registers are brought into the shape of an HQD that GRBM_GFX_CNTL cannot select (gfx.c). */
enum { GV_GFX_SLOT = GV_NUM_HQD, GV_CP_QUEUES };

/* ---- worker threads (worker.c) ------------------------------------------- */

/* One thread that runs `run` whenever it was kicked, or when the delay that `run` returned is
 * over. `run` must return within a bounded time (a slice: about a millisecond) and looks at
 * gv_fn_stopping() in loops. Returns: UINT64_MAX = sleep until kicked, else nanoseconds. */
struct gv_worker {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	uint64_t (*run)(void *arg);
	void *arg;
	_Atomic bool kicked;
	_Atomic bool sleeping;
	bool started, quit, running, prompt;
	unsigned paused;
	uint64_t due;       /* when it runs without being kicked */
	uint64_t rested_ns; /* since when it does not run */
	bool often;         /* the last kick came soon after that */
};
int gv_worker_start(struct gv_worker *w, const char *name, uint64_t (*run)(void *arg), void *arg);
/** One that runs seldom and is waited for (gv_thread_be_prompt()). One that is rung all the time is
 *  better off without: who rang could not go on. */
int gv_worker_start_prompt(struct gv_worker *w, const char *name, uint64_t (*run)(void *arg),
                           void *arg);
/** Make `run` run (again). Any thread, also under dev->lock; cheap when it runs already. */
void gv_worker_kick(struct gv_worker *w);
/** Wait until @cond is signalled: true; or until @end_ns (gv_now_ns(); UINT64_MAX: for ever). */
bool gv_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t end_ns);
/** `run` will not run until gv_worker_resume(). Nests. False: at @end_ns it was running still. */
bool gv_worker_pause_until(struct gv_worker *w, uint64_t end_ns);
/** Return once `run` is not running. */
static inline void gv_worker_pause(struct gv_worker *w)
{
	(void)gv_worker_pause_until(w, UINT64_MAX);
}
/** Somebody asked for a run that is not over. */
bool gv_worker_was_kicked(struct gv_worker *w);
void gv_worker_resume(struct gv_worker *w);
/** End the thread. Takes one that never started. */
void gv_worker_stop(struct gv_worker *w);

/* ---- functions and the device -------------------------------------------- */

struct gv_fn_counters {
	_Atomic uint64_t unimplemented, guest_errors, vm_faults, doorbells, packets, dispatches,
	        wave_instructions, interrupts;
};

struct gv_fn {
	struct gv_dev *dev;
	unsigned index;       /* 0 PF, 1 + n VFn */
	char name[8];         /* "PF", "VF3" */
	_Atomic bool enabled; /* changed under life_lock and dev->lock */

	/* Register file. FN and MBX banks: reg[slot]. HQD bank: hqd[queue][slot]; VMID bank:
	 * vmid[16][slot]. Slots are those of gv_reg_info(). Plain reads of FN registers are
	 * lock-free, so they are atomics. */
	_Atomic uint32_t *reg;
	_Atomic uint32_t *hqd[GV_CP_QUEUES];
	_Atomic uint32_t *vmid[GV_NUM_VMID];

	pthread_rwlock_t mem_lock;
	_Atomic bool stopping;           /* engines leave their loops: see gv_fn_reset() */
	_Atomic uint64_t mem_generation; /* grows whenever cached translations must be dropped */

	struct gv_fn_counters count;
	struct gv_pci *pci;
	struct gv_nbio *nbio;
	struct gv_ih *ih;
	struct gv_gmc *gmc;
	struct gv_cp *cp;
	struct gv_sdma *sdma;
	struct gv_psp *psp;
	struct gv_mm *mm;
};

struct gv_dev {
	struct gv_dev_cfg cfg; /* resolved: no zero members */
	struct gv_dev_host host;
	const struct gv_log *log;
	pthread_mutex_t life_lock;
	pthread_mutex_t lock;
	_Atomic uint32_t *gpu_reg; /* GPU bank, by slot */
	_Atomic uint32_t smn[GV_SMN_SLOTS];
	_Atomic unsigned num_vfs; /* VF Enable; changed under life_lock and dev->lock */
	const struct gv_reg_hook **wrote_hook, **read_hook; /* by register; see gv_mmio_init() */
	struct gv_fn fn[GV_DEV_MAX_FUNCS];
	struct gv_vram *vram;
	struct gv_cu_pool *cu_pool;
	struct gv_world *world;
	struct gv_worker
	        housekeeper;  /* VF resets and second-level table changes asked by register */
	struct gv_worker psp; /* the security processor: one for all functions */
	struct gv_worker mm;  /* UVD, VCE and their scheduler */
	_Atomic uint32_t reset_pending;   /* VF bits, from GVX_VF_RESET */
	_Atomic bool mode1_pending;       /* the PSP was told to reset the whole GPU */
	_Atomic uint32_t l2_pending;      /* VF bits, from GVX_VFn_L2_INVALIDATE */
	struct gv_worker doorbell_poller; /* looks at doorbell pages that clients have mapped */
	uint64_t doorbell_active_ns;      /* the poller's own: when it last found one */
	struct gv_inproc *inproc;         /* when made without a host */
	_Atomic uintptr_t warned[64];     /* kinds of unimplemented things warned about once */
	bool built;                       /* gv_dev_new() got to its end */
};

static inline bool gv_fn_is_vf(const struct gv_fn *f)
{
	return f->index != GV_DEV_PF;
}
/** VF number; only for VFs. */
static inline unsigned gv_fn_vf(const struct gv_fn *f)
{
	return f->index - 1;
}
static inline bool gv_fn_stopping(const struct gv_fn *f)
{
	return atomic_load_explicit(&f->stopping, memory_order_relaxed);
}
/** Enter and leave a slice in which memory of @f is used (mem_lock, read side). */
static inline void gv_fn_mem_enter(struct gv_fn *f)
{
	(void)pthread_rwlock_rdlock(&f->mem_lock);
}
static inline void gv_fn_mem_leave(struct gv_fn *f)
{
	(void)pthread_rwlock_unlock(&f->mem_lock);
}

/** Stop the function's engines, forget all its state, registers to their reset values (FLR).
 *  Blocks (bounded). Not under any lock, not from a worker of this function. (life.c) */
void gv_fn_reset(struct gv_fn *f);

/** Exactly @num_vfs VFs exist from now on: those that vanish are stopped, those that appear are
 *  fresh. Blocks (bounded); no locks held; calls host.vfs_changed. (life.c) */
void gv_dev_set_vfs(struct gv_dev *dev, unsigned num_vfs);
/** The same, with what VF Enable and NumVFs of the PF say at the time: whoever else writes or
 *  resets them meanwhile, functions and configuration space end up in agreement. (life.c) */
void gv_dev_follow_vf_enable(struct gv_dev *dev);
/** The PF's engines stop and forget everything, the rest of the GPU goes on (SOFT_PF_FLR). */
void gv_fn_reset_engines(struct gv_fn *f);
/** Queues and SDMA as after a reset. Engines paused, under life_lock. */
void gv_fn_forget_engines(struct gv_fn *f);
/** What the housekeeper runs. @arg: the device. */
uint64_t gv_dev_keep_house(void *arg);
/** GPU clock count, 100 MHz: IH timestamps, RLC_GPU_CLOCK_COUNT, release timestamps. */
static inline uint64_t gv_dev_clock(void)
{
	return gv_now_ns() / 10;
}

/** A function did what it may not do: count, log at debug, go on. (device.c) */
void gv_guest_error(struct gv_fn *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** The model lacks something a function asked for: count, log (debug; warn the first time). */
void gv_unimplemented(struct gv_fn *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- registers (mmio.c) -------------------------------------------------- */

/* Side effects of a register, one row per register that has any. Under dev->lock.
 * wrote: after the table's masks were applied; read: what a read returns given the stored value.
 * @i: element of a register array. For MBX and HQD banks the hook reads the selection itself. */
struct gv_reg_hook {
	enum gv_reg reg;
	void (*wrote)(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now);
	uint32_t (*read)(struct gv_fn *f, uint32_t i, uint32_t stored);
};
struct gv_reg_hooks {
	const struct gv_reg_hook *row;
	size_t count;
};
/* Each block's rows. */
extern const struct gv_reg_hooks gv_nbio_hooks, gv_ih_hooks, gv_gmc_hooks, gv_vram_hooks,
        gv_cp_hooks, gv_gfx_hooks, gv_rlc_hooks, gv_sdma_hooks, gv_psp_hooks, gv_mm_hooks,
        gv_gpuiov_hooks, gv_dev_hooks;

/* Who makes an access: the function's CPU side (BAR5; VF_REGWR_EN applies), or its own engines
 * (packets, RLC-G), which are not gated. The access columns of the table apply to both. */
enum gv_origin { GV_ORIGIN_HOST, GV_ORIGIN_ENGINE };

/** One dword access with access columns, banks, masks and hooks. Takes dev->lock itself (a plain
 *  read of a register without read hook does not). A VF reading what it may not reads 0. */
uint32_t gv_mmio_read32(struct gv_fn *f, uint32_t byte, enum gv_origin origin);
void gv_mmio_write32(struct gv_fn *f, uint32_t byte, uint32_t val, enum gv_origin origin);
/** BAR5 access of any size as the front end delivers it; 8- and 16-bit ones are merged. */
int gv_mmio_access(struct gv_fn *f, uint64_t off, void *buf, size_t n, bool write);

/** The stored value, no checks, no hooks: for blocks. GPU bank registers ignore @f's index. */
uint32_t gv_reg_get(struct gv_fn *f, enum gv_reg reg, uint32_t i);
void gv_reg_put(struct gv_fn *f, enum gv_reg reg, uint32_t i, uint32_t val);
/** HQD and VMID bank registers of an explicit slot. */
uint32_t gv_hqd_get(struct gv_fn *f, unsigned hqd, enum gv_reg reg);
void gv_hqd_put(struct gv_fn *f, unsigned hqd, enum gv_reg reg, uint32_t val);
uint32_t gv_vmid_get(struct gv_fn *f, unsigned vmid, enum gv_reg reg);
void gv_vmid_put(struct gv_fn *f, unsigned vmid, enum gv_reg reg, uint32_t val);
/** Slot selected by GRBM_GFX_CNTL, or -1 for ME 0 or ME 3. */
int gv_hqd_selected(struct gv_fn *f);
#define GV_RGET(f, name)      gv_reg_get(f, GV_REG_##name, 0)
#define GV_RPUT(f, name, val) gv_reg_put(f, GV_REG_##name, 0, val)

/** Allocates the register files and collects the hooks. -ENOMEM; -EEXIST: two blocks hook one
 *  register (our own mistake). */
int gv_mmio_init(struct gv_dev *dev);
void gv_mmio_done(struct gv_dev *dev);
/** All registers of the function's banks to their reset values (PF: the GPU bank as well). */
void gv_mmio_reset(struct gv_fn *f);

/* ---- memory (vram.c, gmc.c) ---------------------------------------------- */

enum gv_hub { GV_HUB_GC, GV_HUB_MM };
enum gv_acc { GV_ACC_R = 1, GV_ACC_W = 2, GV_ACC_X = 4, GV_ACC_ATOMIC = 8 };

#define GV_MEM_TLB_ENTRIES 64
#define GV_MEM_RETRIES     8

/* Host memory behind [va, va + bytes). */
struct gv_window {
	uint64_t va, bytes;
	uint8_t *host; /* NULL: system memory without a pointer, use gv_mem_read/gv_mem_write */
	uint64_t iova; /* when host is NULL */
	unsigned access;
};

/* One engine's view of memory: whose, through which hub, which VMID. Owned by one thread; caches
 * translations until fn->mem_generation changes. Use only inside gv_fn_mem_enter/leave. */
struct gv_mem {
	struct gv_fn *fn;
	enum gv_hub hub;
	uint8_t vmid;
	uint8_t client; /* FAULT_STATUS.CID, IH: who asked */
	bool quiet;     /* do not record or raise faults (probing) */
	bool retry;     /* it can be tried again later (XNACK): see gv_mem_window() */
	uint64_t generation;
	uint64_t retried[GV_MEM_RETRIES]; /* page numbers + 1 whose retry fault was raised */
	struct gv_window tlb[GV_MEM_TLB_ENTRIES];
};
void gv_mem_init(struct gv_mem *m, struct gv_fn *fn, enum gv_hub hub, uint8_t vmid, uint8_t client);

/** Translate. -EFAULT: not mapped or not permitted; recorded in the hub's FAULT registers,
 *  counted, and raised through IH (attributed to the function and VMID). -EAGAIN, with retry: the
 *  page is not there or does not permit it, and CONTEXTn_CNTL says to try again (RETRY_PERMISSION_
 *  OR_INVALID_PAGE_FAULT); raised through IH as a retry fault, once until translations change. */
int gv_mem_window(struct gv_mem *m, uint64_t va, unsigned access, struct gv_window *w);
/** Copy across pages. -EFAULT as above; part of a write may have happened. */
int gv_mem_read(struct gv_mem *m, uint64_t va, void *buf, size_t n);
int gv_mem_write(struct gv_mem *m, uint64_t va, const void *buf, size_t n);
int gv_mem_read32(struct gv_mem *m, uint64_t va, uint32_t *val);
int gv_mem_write32(struct gv_mem *m, uint64_t va, uint32_t val);
int gv_mem_read64(struct gv_mem *m, uint64_t va, uint64_t *val);
int gv_mem_write64(struct gv_mem *m, uint64_t va, uint64_t val);
/** TC atomic (enum gv_tc_op) on aligned memory; *@old gets the previous value. -EINVAL unaligned,
 *  -EOPNOTSUPP unknown op. */
int gv_mem_atomic(struct gv_mem *m, uint64_t va, unsigned tc_op, uint64_t src, uint64_t cmp,
                  uint64_t *old);
/** Replace the 4 or 8 bytes at @va by next(arg, what they are): for memory without a pointer, one
 *  step among the engines of this function. */
int gv_mem_update(struct gv_mem *m, uint64_t va, size_t n,
                  uint64_t (*next)(const void *arg, uint64_t old), const void *arg, uint64_t *old);
/** System memory at a bus address, no page tables (IH ring in bus space). */
int gv_mem_bus_write(struct gv_fn *f, uint64_t iova, const void *buf, size_t n);
int gv_mem_bus_read(struct gv_fn *f, uint64_t iova, void *buf, size_t n);

int gv_gmc_init(struct gv_fn *f);
void gv_gmc_done(struct gv_fn *f);
void gv_gmc_reset(struct gv_fn *f);

int gv_vram_init(struct gv_dev *dev);
void gv_vram_done(struct gv_dev *dev);
/** Host memory behind frame-buffer address @fb of @f (PF: device address). *@bytes gets how much
 *  follows contiguously. -EFAULT outside (a VF: recorded in GVX_VFn_L2_FAULT_*). */
int gv_vram_ptr(struct gv_fn *f, uint64_t fb, unsigned access, uint8_t **host, uint64_t *bytes);
/** Frame-buffer bytes of the function now (PF: all VRAM; VF: its second-level table). */
uint64_t gv_vram_fb_bytes(struct gv_fn *f);
/** BAR0 and MM_INDEX accesses: bounds, VF_FB_EN gate and second-level table apply; outside reads
 *  ~0 and drops writes (counted). Takes mem_lock itself. */
void gv_vram_access(struct gv_fn *f, uint64_t fb, void *buf, size_t n, bool write);
/** Read the VF's second-level table again and put its memory behind a fresh descriptor.
 *  Takes mem_lock for writing. From the housekeeper only. */
void gv_vram_l2_reload(struct gv_fn *f);
int gv_vram_fd(struct gv_fn *f, int *fd, uint64_t *bytes);
/** Fresh descriptor for this VF's memory (client gone). */
void gv_vram_rotate(struct gv_fn *f);
/** VF vanished (VF Enable 0): its memory returns to the pool, contents unchanged. */
void gv_vram_release(struct gv_fn *f);

/* ---- interrupts (ih.c) --------------------------------------------------- */

/** Queue an entry for the function's IH ring 0. Any thread, also under dev->lock; bounded queue,
 *  overflow sets RB_OVERFLOW. The entry reaches memory from a worker. */
void gv_ih_post(struct gv_fn *f, const struct gv_ih_iv *iv);
/** The same for an engine that calls gv_ih_drain() soon: no worker is woken. */
void gv_ih_add(struct gv_fn *f, const struct gv_ih_iv *iv);
/** Deliver queued entries now, on this thread: for engine threads, which hold mem_lock for
 *  reading and not dev->lock. */
void gv_ih_drain(struct gv_fn *f);
/** Build an entry. */
struct gv_ih_iv gv_ih_iv(enum gv_ih_client client, enum gv_ih_src src, unsigned ring_id,
                         unsigned vmid, enum gv_hub hub);
void gv_ih_doorbell(struct gv_fn *f, unsigned ring, uint32_t rptr); /* under dev->lock */
int gv_ih_init(struct gv_fn *f);
void gv_ih_done(struct gv_fn *f);
void gv_ih_reset(struct gv_fn *f);
void gv_ih_pause(struct gv_fn *f);
void gv_ih_resume(struct gv_fn *f);

/* ---- PSP (psp.c, psp_cmd.c) ---------------------------------------------- */

/* Firmware that a function had loaded through its ring. */
struct gv_psp_fw {
	uint32_t bytes; /* 0: none */
	uint32_t crc;   /* CRC-32 of them */
	uint64_t va;    /* where in its VMR they are */
};
/** What @f loaded of @type (enum gv_psp_fw_type). Takes dev->lock. */
struct gv_psp_fw gv_psp_firmware(struct gv_fn *f, unsigned type);
int gv_psp_start(struct gv_dev *dev);
int gv_psp_init(struct gv_fn *f);
void gv_psp_done(struct gv_fn *f);
void gv_psp_reset(struct gv_fn *f);
void gv_psp_pause(struct gv_fn *f);
void gv_psp_resume(struct gv_fn *f);

/* ---- multimedia (mmsch.c, mm_ring.c) -------------------------------------- */

/** Whether the doorbell is that of an encode ring that is on. Under dev->lock. */
bool gv_mm_doorbell(struct gv_fn *f, uint32_t index, uint64_t val);
int gv_mm_start(struct gv_dev *dev);
int gv_mm_init(struct gv_fn *f);
void gv_mm_done(struct gv_fn *f);
void gv_mm_reset(struct gv_fn *f);
void gv_mm_pause(struct gv_fn *f);
void gv_mm_resume(struct gv_fn *f);

/* ---- nbio (nbio.c, doorbell.c, config.c, gpuiov.c) ----------------------- */

/** Mailbox registers (bank MBX) as @f sees them; @be: the bits that the access carries. A VF's
 *  bank is stored in its own register file, in the VF's view. Under dev->lock. */
uint32_t gv_nbio_mbx_read(struct gv_fn *f, enum gv_reg reg);
void gv_nbio_mbx_write(struct gv_fn *f, enum gv_reg reg, uint32_t val, uint32_t be);
/** MM_DATA: what MM_INDEX and MM_INDEX_HI point at. Not under dev->lock. */
uint32_t gv_nbio_mm_read(struct gv_fn *f);
void gv_nbio_mm_write(struct gv_fn *f, uint32_t val);

int gv_nbio_init(struct gv_fn *f);
void gv_nbio_done(struct gv_fn *f);
/** Registers behind PCIE_INDEX2 to their reset values. */
void gv_nbio_reset_smn(struct gv_dev *dev);
void gv_nbio_reset(struct gv_fn *f);
/** BAR2 access; writes are routed to CP, SDMA or IH after the VF_DOORBELL_EN gate. */
int gv_doorbell_access(struct gv_fn *f, uint64_t off, void *buf, size_t n, bool write);
/** Descriptor of the function's doorbell page(s); from now on a poller watches them. */
int gv_doorbell_fd(struct gv_fn *f, int *fd, uint64_t *bytes);
void gv_doorbell_client_gone(struct gv_fn *f);
/** See what was written to a mapped page at @index by now. Under dev->lock. */
void gv_doorbell_look(struct gv_fn *f, uint32_t index);
/** An engine owns (or gives up) the doorbell at dword index @index: mapped pages are watched
 *  there. Under dev->lock. */
void gv_doorbell_watch(struct gv_fn *f, uint32_t index, bool on);
/** Last value written at @index since it was last given up (gv_doorbell_watch(off)), 0 when none:
 *  a doorbell rung before its queue was mapped counts, that of its previous owner does not. */
uint64_t gv_doorbell_value(struct gv_fn *f, uint32_t index);
/** Under dev->lock, after gv_doorbell_watch(on): a doorbell whose first value is 0 is seen in a
 *  mapped page, too, where 0 is what is there. The page shows another value until it is rung. */
void gv_doorbell_expect_zero(struct gv_fn *f, uint32_t index);

int gv_pci_init(struct gv_fn *f);
void gv_pci_done(struct gv_fn *f);
void gv_pci_reset(struct gv_fn *f);
int gv_pci_config(struct gv_fn *f, uint64_t off, void *buf, size_t n, bool write);
/** MSI-X: fire the vector unless masked. No locks needed. */
void gv_pci_irq(struct gv_fn *f, unsigned vector);
/** Dword at byte @off of BAR5 inside the MSI-X table or pending-bit window; @be as above. */
bool gv_pci_in_msix(uint64_t off);
uint32_t gv_pci_msix_read(struct gv_fn *f, uint32_t off);
void gv_pci_msix_write(struct gv_fn *f, uint32_t off, uint32_t val, uint32_t be);
/** VFs that VF Enable and NumVFs of the PF ask for now. Takes dev->lock. */
unsigned gv_pci_wanted_vfs(struct gv_fn *pf);
/** Bytes of a region of @f, whether or not it is enabled. */
uint64_t gv_pci_bar_bytes(struct gv_fn *f, enum gv_region region);

/* GPUIOV capability; @cap, @rw, @w1c: its bytes and masks in the PF's configuration space. */
void gv_gpuiov_fill(struct gv_dev *dev, uint8_t *cap, uint8_t *rw, uint8_t *w1c);
/** Bring @cap up to date before a read or a write. Under dev->lock. */
void gv_gpuiov_refresh(struct gv_dev *dev, uint8_t *cap);
/** Bytes [off, off + n) of @cap were written. Under dev->lock. Returns true when the PF's
 *  engines are to be reset once the lock is free (SOFT_PF_FLR). */
bool gv_gpuiov_wrote(struct gv_dev *dev, uint8_t *cap, unsigned off, size_t n);

/* ---- world switch (world.c) ---------------------------------------------- */

int gv_world_init(struct gv_dev *dev);
/** No command is begun any more. */
void gv_world_stop(struct gv_dev *dev);
void gv_world_done(struct gv_dev *dev);
/** Whether a scheduler command is one that this model has, for functions that it has it for. */
bool gv_world_takes(uint32_t word);
/** RLC_GPU_IOV_CFG_REG1 shows @word, CMD_EXECUTE set: a command to be executed, if it is not
 *  already. Under dev->lock; gv_world_begin() once that is free. */
void gv_world_give(struct gv_dev *dev, uint32_t word);
/** Begin what was given, if anything was. @here: this thread may execute it, where the host allows
 *  that and nobody makes it wait. No locks. */
void gv_world_begin(struct gv_dev *dev, bool here);
/** GVX_STALL changed. Under dev->lock. */
void gv_world_kick(struct gv_dev *dev);
/** Somebody got work or ran out of it: whoever asked for an interrupt then gets one. Any thread,
 *  also under dev->lock; cheap when nobody asked. */
void gv_world_look(struct gv_dev *dev);
/** GIOV_INTR_ENABLE and GIOV_INTR_STATUS. Under dev->lock. */
uint32_t gv_world_intr_enable(struct gv_dev *dev);
uint32_t gv_world_intr_status(struct gv_dev *dev);
void gv_world_set_intr(struct gv_dev *dev, uint32_t enable, uint32_t status);
/** VM_BUSY_STATUS: a bit per VF, bit 31 the PF. Under dev->lock. */
uint32_t gv_world_busy(struct gv_dev *dev);
/** @f is being reset, its engines are paused: nothing of it is saved, a command that waits for it
 *  is aborted. A VF that was ever stopped by a command stays stopped. Under life_lock. */
void gv_world_reset(struct gv_fn *f);
/** VF Enable changed: it runs beside the others until a command stops it. Under life_lock. */
void gv_world_free_vf(struct gv_fn *f);
/** The whole GPU was reset, its engines are paused: every VF is as after VF Enable. Under
 * life_lock. */
void gv_world_reset_all(struct gv_dev *dev);

/* In-process front end (inproc.c): the host of a device made without one. */
int gv_inproc_new(struct gv_dev *dev);
void gv_inproc_free(struct gv_dev *dev);

/* ---- engines ------------------------------------------------------------- */

/* Doorbells: under dev->lock; they remember the value and kick their worker. */
void gv_cp_doorbell(struct gv_fn *f, uint32_t index, uint64_t val);
void gv_sdma_doorbell(struct gv_fn *f, uint32_t index, uint64_t val);
/** Whether an SDMA queue of @f claims this doorbell dword index. Under dev->lock. */
bool gv_sdma_owns_doorbell(struct gv_fn *f, uint32_t index);
/** MAP_QUEUES and UNMAP_QUEUES of an SDMA engine: load an RLC queue (0 or 1) of engine 0 or 1 from
 *  its MQD, or store it there. @listed: from a run list. In a memory slice, not under dev->lock.
 *  -EBUSY: both are in use; -EEXIST: the doorbell is; -ENOENT: none has that doorbell; -EFAULT. */
int gv_sdma_map_queue(struct gv_fn *f, unsigned engine, unsigned vmid, uint64_t mqd_va,
                      uint32_t doorbell_index, uint64_t wptr_va, bool listed);
int gv_sdma_unmap_queue(struct gv_fn *f, unsigned engine, uint32_t doorbell_index, bool reset);
/** VMIDs of those that are of a run list. */
uint32_t gv_sdma_listed_vmids(struct gv_fn *f);
/** All of @engine (negative: both) that are of a run list and of these VMIDs. 0, or -EFAULT. */
int gv_sdma_unmap_listed(struct gv_fn *f, int engine, uint32_t vmids, bool reset);

/* init/done once per function; pause: return once no engine thread of @f touches memory; reset:
 * forget everything (paused); resume.
 *
 * Every gv_*_reset() runs with the function's engines paused, under mem_lock (write) and
 * dev->lock, after gv_mmio_reset(): it takes neither lock and may set registers whose reset
 * value the table cannot know. gv_dev_new() calls each once after all inits. `done` takes a
 * function whose init failed or never ran. */
int gv_cp_init(struct gv_fn *f);
void gv_cp_done(struct gv_fn *f);
void gv_cp_pause(struct gv_fn *f);
/** False: at @end_ns (gv_now_ns()) a thread was busy still; it will leave. */
bool gv_cp_pause_until(struct gv_fn *f, uint64_t end_ns);
void gv_cp_resume(struct gv_fn *f);
void gv_cp_reset(struct gv_fn *f);

/** Something to do, or a doorbell that nobody looked at yet. Any thread. */
bool gv_cp_has_work(struct gv_fn *f);
bool gv_sdma_has_work(struct gv_fn *f);

/* A switch of worlds (world.c). Paused, all waves of the function stand between two instructions,
 *in host memory, until gv_cp_resume(). To have them elsewhere, between the two:
 *
 *	gv_cp_pause(f);  gv_cp_save(f, buf, room, &bytes);  gv_cp_forget(f);
 *	gv_fn_mem_enter(f);  gv_cp_restore(f, buf, bytes);  gv_fn_mem_leave(f);  gv_cp_resume(f);
 */
/** Active queues and their waves to @to. The function is as before and goes on if it is resumed.
 *  Paused, in a memory slice. *@bytes: what they are. -ENOSPC: more than @room; -EINVAL: not to be
 * saved. */
int gv_cp_save(struct gv_fn *f, uint8_t *to, size_t room, size_t *bytes);
/** No queue is active in the engine any more. Registers, doorbells and what was asked of queues and
 *  not looked at yet stay. Paused. */
void gv_cp_forget(struct gv_fn *f);
/** Queues go on as they were saved, whatever their registers say by now; @buf, which nobody changes
 *  meanwhile, is not trusted. Forgotten, paused, in a memory slice. -EINVAL: not what gv_cp_save()
 *  wrote; -ENOMEM; the engine then holds nothing. */
int gv_cp_restore(struct gv_fn *f, const uint8_t *buf, size_t bytes);
/** The same of the SDMA queues: gv_sdma_save_bytes() bytes, always. */
size_t gv_sdma_save_bytes(void);
void gv_sdma_save(struct gv_fn *f, uint8_t *to);
void gv_sdma_forget(struct gv_fn *f);
/** -EINVAL: not what gv_sdma_save() wrote; nothing is changed then. */
int gv_sdma_restore(struct gv_fn *f, const uint8_t *buf);

int gv_sdma_init(struct gv_fn *f);
void gv_sdma_done(struct gv_fn *f);
void gv_sdma_pause(struct gv_fn *f);
bool gv_sdma_pause_until(struct gv_fn *f, uint64_t end_ns);
void gv_sdma_resume(struct gv_fn *f);
void gv_sdma_reset(struct gv_fn *f);

/* Threads that run shaders of all functions, slice by slice, round robin (cp/cu_pool.c). */
int gv_cu_pool_new(struct gv_dev *dev, unsigned threads, struct gv_cu_pool **pool);
struct gv_cu_pool *gv_cu_pool_free(struct gv_cu_pool *pool);

#endif
