/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The emulated GPU: one core, register-compatible with AMD Vega10 where
 * Vega10 has a register (hw-spec), with one PF and up to 16 VFs.
 *
 * The core knows functions (0 = PF, 1 + n = VFn), their regions, DMA and
 * interrupts through callbacks. It never knows which front end it runs
 * behind: in process (gv_dev_bus), vfio-user (gpuvisor-gpu), QEMU.
 *
 * Threads: every call may come from any thread. Register accesses never wait
 * for a running shader. Engines run on the device's own threads; so do the
 * callbacks in struct gv_dev_host.
 */
#ifndef GV_DEVICE_MODEL_H
#define GV_DEVICE_MODEL_H

#include <gv/base.h>
#include <gv/bus.h>

struct gv_dev;

#define GV_DEV_PF        0u
#define GV_DEV_VF(n)     (1u + (n))
#define GV_DEV_MAX_FUNCS 17u

struct gv_dev_cfg {
	uint64_t vram_mib;       /* multiple of 16, 256..262144; 0 = 4096 */
	unsigned max_vfs;        /* TotalVFs, 1..16; 0 = 16 */
	uint64_t vf_bar0_mib;    /* VF aperture, power of two; 0 = 256 */
	uint64_t pf_window_mib;  /* VRAM below this is the PF's for good; 0 = 64 */
	unsigned engine_threads; /* threads that run shaders; 0 = number of CPUs */
	uint64_t wave_limit;     /* instructions after which a wave faults; 0 = none, as hardware */
	const struct gv_log *log;
};

/* How the core reaches the world outside; any member may be NULL (then: no such memory, nobody
 * listens). func numbers as above. */
struct gv_dev_host {
	void *arg;
	/* Host pointer behind system memory [iova, iova + *bytes): *bytes in: wanted, out: usable
	 * from iova on (>= 1). Stays valid until gv_dev_dma_changed(). NULL: not mapped, or
	 * memory without a pointer (then dma_read/dma_write are tried). */
	void *(*dma_ptr)(void *arg, unsigned func, uint64_t iova, uint64_t *bytes, bool write);
	/* Copy from and to system memory; 0 or negative errno. May block (bounded). */
	int (*dma_read)(void *arg, unsigned func, uint64_t iova, void *buf, size_t n);
	int (*dma_write)(void *arg, unsigned func, uint64_t iova, const void *buf, size_t n);
	/* MSI-X vector of a function fires. */
	void (*irq)(void *arg, unsigned func, unsigned vector);
	/* VF Enable or NumVFs changed: now @num_vfs VFs exist. Called without locks held. */
	void (*vfs_changed)(void *arg, unsigned num_vfs);
	/* What gv_dev_region_fd() gives for @region of @func may be another now; a new
	 * second-level table counts as taken over once this returned. May call
	 * gv_dev_region_fd(), nothing else of this header. */
	void (*region_changed)(void *arg, unsigned func, enum gv_region region);
	/* The callbacks above never wait for what a thread inside gv_dev_write() holds: a world
	 * switch may then happen on the thread that commands it, which keeps that for up to 0.1 ms
	 * instead of waking another. */
	bool prompt;
};

/** Make a powered-on, uninitialised GPU. -EINVAL: which member was wrong; -ENOMEM.
 *  Caller frees with gv_dev_free(). */
int gv_dev_new(const struct gv_dev_cfg *cfg, const struct gv_dev_host *host, struct gv_dev **dev,
               struct gv_err *err);
/** Stops every engine and frees. Takes NULL, returns NULL. */
struct gv_dev *gv_dev_free(struct gv_dev *dev);

/* ---- what a front end does ---------------------------------------------- */

/** VFs that exist now (VF Enable). */
unsigned gv_dev_num_vfs(struct gv_dev *dev);
/** TotalVFs. */
unsigned gv_dev_max_vfs(struct gv_dev *dev);

/** Size of region @region of @func in bytes, 0 when it has none. */
uint64_t gv_dev_region_bytes(struct gv_dev *dev, unsigned func, enum gv_region region);

/** Access a region. BAR5: 1, 2, 4 or 8 bytes aligned, anything else is split into dwords.
 *  -ERANGE outside the region, -ENODEV for a function that does not exist now. */
int gv_dev_read(struct gv_dev *dev, unsigned func, enum gv_region region, uint64_t off, void *buf,
                size_t n);
int gv_dev_write(struct gv_dev *dev, unsigned func, enum gv_region region, uint64_t off,
                 const void *buf, size_t n);

/** Function-level reset (as PCIe FLR or VFIO_DEVICE_RESET). Blocks until the function's engines
 *  have stopped (bounded). Resetting the PF makes the VFs vanish, as on silicon. */
int gv_dev_reset(struct gv_dev *dev, unsigned func);

/**
 * Descriptor behind the part of a region that a client may map: BAR0 (bytes
 * [0, *bytes) of it) and BAR2. The descriptor holds this function's memory
 * and nobody else's. Caller closes *@fd. -ENOTSUP: this region only traps
 * (now). A VF's BAR0 descriptor is replaced by a fresh one each time the VF's
 * second-level table changes; holders of an old one keep a dead copy.
 */
int gv_dev_region_fd(struct gv_dev *dev, unsigned func, enum gv_region region, int *fd,
                     uint64_t *bytes);

/** The client behind @func is gone: give its memory a fresh descriptor, so that an old mapping
 *  cannot see the next tenant, and stop watching its doorbell page. */
void gv_dev_client_gone(struct gv_dev *dev, unsigned func);

/** System memory [iova, iova + bytes) of @func is about to be unmapped (or was remapped): no
 *  engine touches a pointer from dma_ptr() in that range after this returns (bounded wait).
 *  Must not be called from a struct gv_dev_host callback. */
void gv_dev_dma_changed(struct gv_dev *dev, unsigned func, uint64_t iova, uint64_t bytes);

/* ---- in-process front end ------------------------------------------------ */

/**
 * A bus to @func inside this process, for drivers under test. DMA memory is
 * ordinary memory; interrupts are eventfds. A device used this way must have
 * been made with host = NULL. Close with gv_bus_close() before gv_dev_free().
 */
int gv_dev_bus(struct gv_dev *dev, unsigned func, struct gv_bus **bus, struct gv_err *err);

/* ---- what tests and operators read -------------------------------------- */

struct gv_dev_stats {
	uint64_t unimplemented; /* accesses to registers, packets, instructions that are not
	                           modelled */
	uint64_t guest_errors;  /* things a function may not do, answered as hardware would */
	uint64_t vm_faults;     /* page faults and second-level faults */
	uint64_t doorbells;
	uint64_t packets;           /* PM4 and SDMA */
	uint64_t dispatches;        /* compute grids finished */
	uint64_t wave_instructions; /* that they executed */
	uint64_t interrupts;
};

/** Counters of one function since it came to life. */
void gv_dev_get_stats(struct gv_dev *dev, unsigned func, struct gv_dev_stats *stats);

#endif
