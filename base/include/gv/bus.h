/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a PCI function is reached. Drivers touch hardware only through a
 * struct gv_bus; the same driver code runs on silicon (Linux VFIO), over a
 * socket (vfio-user) and in one process (the device model makes its own bus).
 *
 * A bus is used by one driver instance. Register and doorbell calls may come
 * from several threads at once; open, close, DMA and interrupt set-up may not.
 */
#ifndef GV_BUS_H
#define GV_BUS_H

#include <gv/base.h>

/* Region numbers are those of VFIO: BARs 0..5, ROM, PCI configuration space. */
enum gv_region {
	GV_REGION_VRAM = 0,     /* BAR0: frame-buffer aperture */
	GV_REGION_DOORBELL = 2, /* BAR2: doorbells */
	GV_REGION_MMIO = 5,     /* BAR5: registers */
	GV_REGION_CONFIG = 7,   /* PCI configuration space, 4096 bytes */
	GV_REGION_COUNT = 9,
};

struct gv_bus;

/* Memory that both we and the device reach. Owned by the bus that made it. */
struct gv_dma {
	void *cpu;      /* our view */
	uint64_t iova;  /* the device's view */
	uint64_t bytes; /* a multiple of 4096 */
	void *priv;     /* the bus's own */
};

/* What a bus must do. Every call is required unless it says "may be NULL". Private to buses:
 * drivers use the gv_* calls below. */
struct gv_bus_ops {
	uint32_t (*read32)(struct gv_bus *bus, uint32_t byte);
	void (*write32)(struct gv_bus *bus, uint32_t byte, uint32_t val);
	void (*doorbell64)(struct gv_bus *bus, uint32_t byte, uint64_t val);
	int (*read)(struct gv_bus *bus, enum gv_region region, uint64_t off, void *buf, size_t n);
	int (*write)(struct gv_bus *bus, enum gv_region region, uint64_t off, const void *buf,
	             size_t n);
	int (*region_bytes)(struct gv_bus *bus, enum gv_region region, uint64_t *bytes);
	int (*map)(struct gv_bus *bus, enum gv_region region, uint64_t off, uint64_t bytes,
	           void **cpu); /* may be NULL: -ENOTSUP */
	int (*dma_alloc)(struct gv_bus *bus, uint64_t bytes, struct gv_dma *dma);
	void (*dma_free)(struct gv_bus *bus, struct gv_dma *dma);
	int (*irq_enable)(struct gv_bus *bus, unsigned vector, int *eventfd);
	int (*reset)(struct gv_bus *bus);
	int (*status)(struct gv_bus *bus);
	int (*enable_vfs)(struct gv_bus *bus, unsigned num_vfs); /* may be NULL: config write */
	void (*close)(struct gv_bus *bus);
};

struct gv_bus {
	const struct gv_bus_ops *ops;
	char name[128]; /* "vfio-user:/run/x/vf0.sock", "vfio:0000:03:02.1", "inproc:VF0" */
};

/* ---- registers and doorbells: the hot path ------------------------------ */

/** Read the 32-bit register at byte offset @byte of BAR5. A lost device reads as ~0: see
 *  gv_bus_status(). */
static inline uint32_t gv_rd32(struct gv_bus *bus, uint32_t byte)
{
	return bus->ops->read32(bus, byte);
}

/** Write the 32-bit register at byte offset @byte of BAR5. */
static inline void gv_wr32(struct gv_bus *bus, uint32_t byte, uint32_t val)
{
	bus->ops->write32(bus, byte, val);
}

/** Ring a doorbell: gv_dma_to_device(), then a 64-bit write at byte @byte of BAR2. */
static inline void gv_doorbell64(struct gv_bus *bus, uint32_t byte, uint64_t val)
{
	gv_dma_to_device();
	bus->ops->doorbell64(bus, byte, val);
}

/* ---- regions ------------------------------------------------------------ */

/** Copy @n bytes out of a region. -ERANGE outside the region, -EIO or -ENODEV when the device is
 *  lost. BAR5 accesses of 1, 2 and 4 bytes are one access. */
static inline int gv_bus_read(struct gv_bus *bus, enum gv_region region, uint64_t off, void *buf,
                              size_t n)
{
	return bus->ops->read(bus, region, off, buf, n);
}

/** Copy @n bytes into a region. Errors as gv_bus_read(). */
static inline int gv_bus_write(struct gv_bus *bus, enum gv_region region, uint64_t off,
                               const void *buf, size_t n)
{
	return bus->ops->write(bus, region, off, buf, n);
}

/** Size of a region in bytes. -ENOENT when the function does not have it. */
static inline int gv_bus_region_bytes(struct gv_bus *bus, enum gv_region region, uint64_t *bytes)
{
	return bus->ops->region_bytes(bus, region, bytes);
}

/** Map part of a region into our address space; the mapping lives as long as the bus.
 *  -ENOTSUP when this bus or region only traps (use gv_bus_read/gv_bus_write), -ERANGE outside
 *  what can be mapped. */
static inline int gv_bus_map(struct gv_bus *bus, enum gv_region region, uint64_t off,
                             uint64_t bytes, void **cpu)
{
	return bus->ops->map ? bus->ops->map(bus, region, off, bytes, cpu) : -ENOTSUP;
}

/* One-, two- and four-byte configuration-space accesses. A failed read gives all ones. */
uint8_t gv_cfg_rd8(struct gv_bus *bus, uint16_t off);
uint16_t gv_cfg_rd16(struct gv_bus *bus, uint16_t off);
uint32_t gv_cfg_rd32(struct gv_bus *bus, uint16_t off);
void gv_cfg_wr8(struct gv_bus *bus, uint16_t off, uint8_t val);
void gv_cfg_wr16(struct gv_bus *bus, uint16_t off, uint16_t val);
void gv_cfg_wr32(struct gv_bus *bus, uint16_t off, uint32_t val);

/* One-byte BAR5 accesses (the mailbox control register is used by bytes). */
uint8_t gv_rd8(struct gv_bus *bus, uint32_t byte);
void gv_wr8(struct gv_bus *bus, uint32_t byte, uint8_t val);

/** Offset of PCI capability @id (or -ENOENT). Walks with a bound: a looping list is -EPROTO. */
int gv_cfg_find_cap(struct gv_bus *bus, uint8_t id, uint16_t *off);
/** Offset of PCIe extended capability @id. Errors as gv_cfg_find_cap(). */
int gv_cfg_find_ext_cap(struct gv_bus *bus, uint16_t id, uint16_t *off);
/** Offset of the vendor-specific extended capability (0x0B) whose VSEC id is @vsec. */
int gv_cfg_find_vsec(struct gv_bus *bus, uint16_t vsec, uint16_t *off);

/* ---- memory, interrupts, life ------------------------------------------- */

/** Allocate zeroed memory that the device may read and write. -ENOMEM, -EINVAL for 0 bytes.
 *  Freed by gv_dma_free() or with the bus. */
int gv_dma_alloc(struct gv_bus *bus, uint64_t bytes, struct gv_dma *dma);
/** Takes NULL and a zeroed struct; leaves it zeroed. The device can no longer reach it. */
void gv_dma_free(struct gv_bus *bus, struct gv_dma *dma);

/** Enable MSI-X vector @vector. *@eventfd is borrowed (non-blocking, close-on-exec); it becomes
 *  readable at each interrupt. -EINVAL: no such vector. */
int gv_bus_irq_enable(struct gv_bus *bus, unsigned vector, int *eventfd);

/** Wait for the eventfd of gv_bus_irq_enable() until @deadline_ns (gv_now_ns() time) and consume
 *  it. 0, -ETIMEDOUT, or -EINTR. */
int gv_irq_wait(int eventfd, uint64_t deadline_ns);

/** Reset the function (FLR). -ENOTSUP when it cannot be reset. */
int gv_bus_reset(struct gv_bus *bus);

/** 0 while the device answers; the first error (negative errno) once it is lost. */
int gv_bus_status(struct gv_bus *bus);

/** Set NumVFs and VF Enable (0 disables), by whatever way the bus has: configuration space, or
 *  sysfs on Linux VFIO. -ERANGE above TotalVFs, -ENOTSUP on a function that is no PF. */
int gv_bus_enable_vfs(struct gv_bus *bus, unsigned num_vfs, struct gv_err *err);

/** Close and free. Takes NULL, returns NULL. */
struct gv_bus *gv_bus_close(struct gv_bus *bus);

/**
 * Open a function by URI: "vfio-user:SOCKET", "vfio:BDF" (0000:03:00.0), or "replay:FILE": no
 * function but a record of one (gv/record.h).
 *
 * @vf_token: 16 bytes for VFs of a vfio-pci PF (see docs/vfio.md), or NULL.
 * Errors: -EINVAL for a URI of no known kind, else what connecting gave; the
 * text names the step that failed and what to do. Blocks at most 5 s.
 */
int gv_bus_open(const char *uri, const uint8_t *vf_token, const struct gv_log *log,
                struct gv_bus **bus, struct gv_err *err);

/**
 * Wait until (register & mask) == want, or the time is over.
 *
 * Return: 0, or -ETIMEDOUT, or the bus's status when the device is lost. @last, if not
 * NULL, gets the last value read, so that the caller can say what the hardware showed.
 */
int gv_wait32(struct gv_bus *bus, uint32_t byte, uint32_t mask, uint32_t want, uint64_t timeout_ns,
              uint32_t *last);

#endif
