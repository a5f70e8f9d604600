/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bus that is a few arrays: what the shared bus helpers are tested on. */
#ifndef GV_FAKE_BUS_H
#define GV_FAKE_BUS_H

#include <string.h>

#include <gv/bus.h>

struct fake_bus {
	struct gv_bus bus;
	uint8_t config[4096], mmio[4096];
	int lost;          /* what status gives */
	unsigned reads;    /* of registers */
	unsigned ready_at; /* read number from which register 0 shows @ready */
	uint32_t ready;
	unsigned cfg_reads;    /* of configuration space */
	uint32_t cfg_write[8]; /* offset << 16 | value of the last 16-bit configuration writes */
	unsigned cfg_writes;
	int enable_rc;
	unsigned enabled; /* what enable_vfs was asked */
	uint64_t dma_bytes;
	unsigned dma_frees;
};

static inline struct fake_bus *fake_of(struct gv_bus *bus)
{
	return (struct fake_bus *)(void *)bus;
}

static inline uint8_t *fake_region(struct gv_bus *bus, enum gv_region region, uint64_t off,
                                   size_t n)
{
	struct fake_bus *f = fake_of(bus);

	if (off > 4096 || n > 4096 - off)
		return NULL;
	if (region == GV_REGION_CONFIG)
		return f->config + off;
	return region == GV_REGION_MMIO ? f->mmio + off : NULL;
}

static inline int fake_read(struct gv_bus *bus, enum gv_region region, uint64_t off, void *buf,
                            size_t n)
{
	const uint8_t *at = fake_region(bus, region, off, n);

	if (!at || fake_of(bus)->lost)
		return at ? -EIO : -ERANGE;
	fake_of(bus)->cfg_reads += region == GV_REGION_CONFIG;
	memcpy(buf, at, n);
	return 0;
}

static inline int fake_write(struct gv_bus *bus, enum gv_region region, uint64_t off,
                             const void *buf, size_t n)
{
	struct fake_bus *f = fake_of(bus);
	uint8_t *at = fake_region(bus, region, off, n);
	uint16_t val;

	if (!at)
		return -ERANGE;
	memcpy(at, buf, n);
	if (region == GV_REGION_CONFIG && n == 2 && f->cfg_writes < GV_ARRAY_LEN(f->cfg_write)) {
		memcpy(&val, buf, 2);
		f->cfg_write[f->cfg_writes++] = (uint32_t)off << 16 | val;
	}
	return 0;
}

static inline uint32_t fake_read32(struct gv_bus *bus, uint32_t byte)
{
	struct fake_bus *f = fake_of(bus);
	uint32_t val;

	if (f->lost)
		return UINT32_MAX;
	if (++f->reads >= f->ready_at && f->ready_at)
		return f->ready;
	memcpy(&val, f->mmio + byte, sizeof(val));
	return val;
}

static inline int fake_status(struct gv_bus *bus)
{
	return fake_of(bus)->lost;
}

static inline int fake_enable_vfs(struct gv_bus *bus, unsigned num_vfs)
{
	fake_of(bus)->enabled = num_vfs;
	return fake_of(bus)->enable_rc;
}

static inline int fake_dma_alloc(struct gv_bus *bus, uint64_t bytes, struct gv_dma *dma)
{
	fake_of(bus)->dma_bytes = bytes;
	*dma = (struct gv_dma){.cpu = bus, .iova = 1, .bytes = bytes};
	return 0;
}

static inline void fake_dma_free(struct gv_bus *bus, struct gv_dma *dma)
{
	(void)dma;
	fake_of(bus)->dma_frees++;
}

static inline void fake_init(struct fake_bus *f)
{
	static const struct gv_bus_ops ops = {
	        .read32 = fake_read32,
	        .read = fake_read,
	        .write = fake_write,
	        .status = fake_status,
	        .dma_alloc = fake_dma_alloc,
	        .dma_free = fake_dma_free,
	};

	memset(f, 0, sizeof(*f));
	f->bus.ops = &ops;
	memcpy(f->bus.name, "fake", 5);
}

#endif
