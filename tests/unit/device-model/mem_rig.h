/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A GPU with two VFs and system memory of our own, for tests of memory and SDMA. VF frame buffers
 * are 32 MiB; by default VF n's chunks are every second one of the pool, so nothing that works
 * does so because memory happens to be contiguous.
 */
#ifndef GV_MEM_RIG_H
#define GV_MEM_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

#define RIG_VFS      2u
#define RIG_FB       (32 * GV_MIB)
#define RIG_ENTRIES  ((unsigned)(RIG_FB / GV_L2_PAGE))
#define RIG_SYS      (16 * GV_MIB) /* of each function */
#define RIG_IOVA     0x100000000ull
#define RIG_TABLE(n) (16 * GV_MIB + (n)*65536ull) /* of VF n, in the PF's window */
#define RIG_PATIENCE (5 * GV_S)
#define RIG_PTE      (GV_PTE_VALID | GV_PTE_READABLE | GV_PTE_WRITEABLE | GV_PTE_EXECUTABLE)

/* Whether it comes to be. */
#define UNTIL(cond)                                                                                \
	({                                                                                         \
		uint64_t until_end_ = gv_now_ns() + RIG_PATIENCE;                                  \
		unsigned until_spins_ = 0;                                                         \
		bool until_ok_;                                                                    \
		while (!(until_ok_ = (cond)) && gv_now_ns() < until_end_)                          \
			gv_poll_pause(&until_spins_);                                              \
		until_ok_;                                                                         \
	})

struct mem_rig {
	struct gv_dev *dev;
	struct gv_fn *pf, *vf[RIG_VFS];
	uint8_t *sys[GV_DEV_MAX_FUNCS];
	bool follow; /* what region_changed() tells, into the next two */
	uint64_t followed[GV_DEV_MAX_FUNCS];
	unsigned changes[GV_DEV_MAX_FUNCS];
	bool no_pointers; /* system memory only through dma_read and dma_write */
	_Atomic unsigned irqs;
};

static inline void rig_must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "rig: %s\n", what);
		abort();
	}
}

static inline uint8_t *rig_sys(struct mem_rig *r, unsigned func, uint64_t iova, uint64_t n)
{
	if (iova < RIG_IOVA || n > RIG_SYS || iova - RIG_IOVA > RIG_SYS - n || !r->sys[func])
		return NULL;
	return r->sys[func] + (iova - RIG_IOVA);
}

static inline void *rig_dma_ptr(void *arg, unsigned func, uint64_t iova, uint64_t *bytes,
                                bool write)
{
	struct mem_rig *r = arg;
	uint8_t *p = r->no_pointers ? NULL : rig_sys(r, func, iova, 1);

	(void)write;
	if (p)
		*bytes = GV_MIN(*bytes, RIG_SYS - (iova - RIG_IOVA));
	return p;
}

static inline int rig_dma_read(void *arg, unsigned func, uint64_t iova, void *buf, size_t n)
{
	uint8_t *p = rig_sys(arg, func, iova, n);

	if (!p)
		return -EFAULT;
	memcpy(buf, p, n);
	return 0;
}

static inline int rig_dma_write(void *arg, unsigned func, uint64_t iova, const void *buf, size_t n)
{
	uint8_t *p = rig_sys(arg, func, iova, n);

	if (!p)
		return -EFAULT;
	memcpy(p, buf, n);
	return 0;
}

static inline void rig_irq(void *arg, unsigned func, unsigned vector)
{
	struct mem_rig *r = arg;

	(void)func, (void)vector;
	atomic_fetch_add(&r->irqs, 1);
}

/* Registers by table name, as the engines write them: no VF gate in the way. */
static inline void rig_wr(struct gv_fn *f, uint32_t byte, uint32_t val)
{
	gv_mmio_write32(f, byte, val, GV_ORIGIN_ENGINE);
}
static inline uint32_t rig_rd(struct gv_fn *f, uint32_t byte)
{
	return gv_mmio_read32(f, byte, GV_ORIGIN_ENGINE);
}

static inline uint64_t rig_chunk_addr(struct mem_rig *r, unsigned vf, unsigned i)
{
	return r->dev->vram->window_bytes + (uint64_t)(i * RIG_VFS + vf) * GV_L2_PAGE;
}

/* Put a table in force and wait for it. */
static inline void rig_l2(struct mem_rig *r, unsigned vf, const uint64_t *entry, unsigned n)
{
	uint32_t inv = GV_BYTE_N(GVX_VF0_L2_INVALIDATE, vf);
	unsigned spins = 0;

	if (n)
		gv_vram_access(r->pf, RIG_TABLE(vf), (void *)(uintptr_t)entry, n * 8ul, true);
	rig_wr(r->pf, GV_BYTE_N(GVX_VF0_L2_BASE_LO, vf), (uint32_t)RIG_TABLE(vf));
	rig_wr(r->pf, GV_BYTE_N(GVX_VF0_L2_BASE_HI, vf), 0);
	rig_wr(r->pf, GV_BYTE_N(GVX_VF0_L2_ENTRIES, vf), n);
	rig_wr(r->pf, inv, 1);
	while (rig_rd(r->pf, inv)) {
		rig_must(spins < 10000, "second-level table not taken");
		gv_poll_pause(&spins);
	}
}

/* As a front end does that keeps the descriptor mapped. */
static inline void rig_region_changed(void *arg, unsigned func, enum gv_region region)
{
	struct mem_rig *r = arg;
	uint64_t bytes = 0;
	int fd = -1;

	if (region != GV_REGION_VRAM || !r->follow)
		return;
	if (gv_dev_region_fd(r->dev, func, region, &fd, &bytes))
		bytes = 0;
	if (fd >= 0)
		(void)close(fd);
	r->followed[func] = bytes;
	r->changes[func]++;
}

static inline void rig_default_l2(struct mem_rig *r, unsigned vf)
{
	uint64_t entry[RIG_ENTRIES];

	for (unsigned i = 0; i < RIG_ENTRIES; i++)
		entry[i] = rig_chunk_addr(r, vf, i) | GV_L2PTE_VALID | GV_L2PTE_READABLE |
		           GV_L2PTE_WRITEABLE;
	rig_l2(r, vf, entry, RIG_ENTRIES);
}

static inline void rig_open(struct mem_rig *r, bool tables)
{
	struct gv_dev_cfg cfg = {.vram_mib = 256,
	                         .max_vfs = RIG_VFS,
	                         .vf_bar0_mib = 16,
	                         .pf_window_mib = 32,
	                         .engine_threads = 1};
	struct gv_dev_host host = {.arg = r,
	                           .dma_ptr = rig_dma_ptr,
	                           .dma_read = rig_dma_read,
	                           .dma_write = rig_dma_write,
	                           .irq = rig_irq,
	                           .region_changed = rig_region_changed};
	struct gv_err err = {0};

	memset(r, 0, sizeof(*r));
	if (gv_dev_new(&cfg, &host, &r->dev, &err) != 0) {
		fprintf(stderr, "rig: %s\n", err.text);
		abort();
	}
	gv_dev_set_vfs(r->dev, RIG_VFS);
	r->pf = &r->dev->fn[GV_DEV_PF];
	for (unsigned n = 0; n < RIG_VFS; n++) {
		r->vf[n] = &r->dev->fn[GV_DEV_VF(n)];
		if (tables)
			rig_default_l2(r, n);
	}
	for (unsigned f = 0; f <= RIG_VFS; f++) {
		r->sys[f] = calloc(1, RIG_SYS);
		rig_must(r->sys[f] != NULL, "memory");
	}
	rig_wr(r->pf, GVX_VF_FB_EN__BYTE, 3);
	rig_wr(r->pf, GVX_VF_REGWR_EN__BYTE, 3);
	rig_wr(r->pf, GVX_VF_DOORBELL_EN__BYTE, 3);
}

static inline void rig_close(struct mem_rig *r)
{
	r->dev = gv_dev_free(r->dev);
	for (unsigned f = 0; f < GV_DEV_MAX_FUNCS; f++)
		free(r->sys[f]);
}

/* Frame buffer of a function, as its BAR0 shows it. */
static inline void rig_put(struct gv_fn *f, uint64_t fb, const void *buf, size_t n)
{
	gv_vram_access(f, fb, (void *)(uintptr_t)buf, n, true);
}
static inline void rig_get(struct gv_fn *f, uint64_t fb, void *buf, size_t n)
{
	gv_vram_access(f, fb, buf, n, false);
}
static inline void rig_put64(struct gv_fn *f, uint64_t fb, uint64_t v)
{
	rig_put(f, fb, &v, sizeof(v));
}
static inline uint64_t rig_get64(struct gv_fn *f, uint64_t fb)
{
	uint64_t v = 0;

	rig_get(f, fb, &v, sizeof(v));
	return v;
}
static inline uint32_t rig_get32(struct gv_fn *f, uint64_t fb)
{
	uint32_t v = 0;

	rig_get(f, fb, &v, sizeof(v));
	return v;
}

/* A VM context of both hubs. @base with its flag bits; @start and @end are addresses. */
static inline void rig_context(struct gv_fn *f, unsigned vmid, unsigned depth, uint64_t base,
                               uint64_t start, uint64_t end)
{
	for (unsigned h = 0; h < 2; h++) {
		const struct gv_hub_regs *r = &gv_hub[h];
		const struct {
			enum gv_reg reg;
			uint32_t val;
		} row[] = {
		        {r->base_lo, (uint32_t)base},
		        {r->base_hi, (uint32_t)(base >> 32)},
		        {r->start_lo, (uint32_t)(start >> 12)},
		        {r->start_hi, (uint32_t)(start >> 44)},
		        {r->end_lo, (uint32_t)(end >> 12)},
		        {r->end_hi, (uint32_t)(end >> 44)},
		        {r->cntl, gv_reg_info(r->cntl)->reset |
		                          GV_PUT(VM_CONTEXT0_CNTL, ENABLE_CONTEXT, 1) |
		                          GV_PUT(VM_CONTEXT0_CNTL, PAGE_TABLE_DEPTH, depth)},
		};

		for (size_t i = 0; i < GV_ARRAY_LEN(row); i++)
			rig_wr(f,
			       gv_reg_info(row[i].reg)->byte +
			               vmid * gv_reg_info(row[i].reg)->stride,
			       row[i].val);
	}
}

/* xorshift: the same numbers in every run. */
static inline uint64_t rig_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

#endif
