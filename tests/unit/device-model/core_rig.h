/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A small GPU in this process with a bus per function, for tests of the model's core. */
#ifndef GV_CORE_RIG_H
#define GV_CORE_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"

#define CORE_VFS      4u /* TotalVFs */
#define CORE_RING_LOG 6u /* IH ring of 4 << 6 = 256 bytes: 8 entries, one of which stays free */
#define CORE_RING     (4u << CORE_RING_LOG)
#define CORE_PATIENCE (5 * GV_S)

struct core {
	struct gv_dev *dev;
	struct gv_bus *bus[1 + CORE_VFS];
	struct gv_dma ring[1 + CORE_VFS]; /* IH ring, then a page with the write-back dword */
	uint32_t rptr[1 + CORE_VFS];
};

static inline void core_must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "rig: %s\n", what);
		abort();
	}
}

static inline struct gv_fn *core_fn(struct core *c, unsigned func)
{
	return &c->dev->fn[func];
}

static inline struct gv_dev_stats core_stats(struct core *c, unsigned func)
{
	struct gv_dev_stats s;

	gv_dev_get_stats(c->dev, func, &s);
	return s;
}

static inline uint32_t core_rd(struct core *c, unsigned func, uint32_t byte)
{
	return gv_rd32(c->bus[func], byte);
}
static inline void core_wr(struct core *c, unsigned func, uint32_t byte, uint32_t val)
{
	gv_wr32(c->bus[func], byte, val);
}

static inline void core_gates(struct core *c, uint32_t vfs)
{
	core_wr(c, GV_DEV_PF, GVX_VF_REGWR_EN__BYTE, vfs);
	core_wr(c, GV_DEV_PF, GVX_VF_DOORBELL_EN__BYTE, vfs);
	core_wr(c, GV_DEV_PF, GVX_VF_FB_EN__BYTE, vfs);
}

static inline struct gv_dev_cfg core_cfg(void)
{
	return (struct gv_dev_cfg){.vram_mib = 256,
	                           .max_vfs = CORE_VFS,
	                           .vf_bar0_mib = 16,
	                           .pf_window_mib = 32,
	                           .engine_threads = 1};
}

/* All VFs enabled, gates shut. */
static inline void core_open(struct core *c)
{
	struct gv_dev_cfg cfg = core_cfg();
	struct gv_err err = {0};

	memset(c, 0, sizeof(*c));
	core_must(gv_dev_new(&cfg, NULL, &c->dev, &err) == 0, err.text);
	for (unsigned f = 0; f <= CORE_VFS; f++)
		core_must(gv_dev_bus(c->dev, f, &c->bus[f], &err) == 0, err.text);
	core_must(gv_bus_enable_vfs(c->bus[GV_DEV_PF], CORE_VFS, &err) == 0, err.text);
}

static inline void core_close(struct core *c)
{
	for (unsigned f = 0; f <= CORE_VFS; f++)
		c->bus[f] = gv_bus_close(c->bus[f]);
	c->dev = gv_dev_free(c->dev);
}

/* ---- an IH ring in system memory --------------------------------------------- */

static inline uint32_t core_ih_cntl(unsigned ring_log2_dw)
{
	return GV_PUT(IH_RB_CNTL, RB_ENABLE, 1) | GV_PUT(IH_RB_CNTL, RB_SIZE, ring_log2_dw) |
	       GV_PUT(IH_RB_CNTL, WPTR_WRITEBACK_ENABLE, 1) |
	       GV_PUT(IH_RB_CNTL, WPTR_OVERFLOW_ENABLE, 1) | GV_PUT(IH_RB_CNTL, ENABLE_INTR, 1) |
	       GV_PUT(IH_RB_CNTL, MC_SPACE, GV_IH_MC_SPACE_BUS);
}

/* In the order of vega10_ih_irq_init(); the gate of a VF must be open. */
static inline void core_ih_start(struct core *c, unsigned func, uint32_t cntl)
{
	struct gv_dma *d = &c->ring[func];

	if (!d->bytes)
		core_must(gv_dma_alloc(c->bus[func], 2ull * GV_GPU_PAGE, d) == 0, "ring");
	core_wr(c, func, IH_RB_CNTL__BYTE, 0);
	core_wr(c, func, IH_RB_BASE__BYTE, (uint32_t)(d->iova >> 8));
	core_wr(c, func, IH_RB_BASE_HI__BYTE, (uint32_t)(d->iova >> 40));
	core_wr(c, func, IH_RB_WPTR_ADDR_LO__BYTE, (uint32_t)(d->iova + GV_GPU_PAGE));
	core_wr(c, func, IH_RB_WPTR_ADDR_HI__BYTE, (uint32_t)((d->iova + GV_GPU_PAGE) >> 32));
	core_wr(c, func, IH_RB_WPTR__BYTE, 0);
	core_wr(c, func, IH_RB_RPTR__BYTE, 0);
	core_wr(c, func, IH_DOORBELL_RPTR__BYTE,
	        GV_PUT(IH_DOORBELL_RPTR, OFFSET, GV_DOORBELL_IH) |
	                GV_PUT(IH_DOORBELL_RPTR, ENABLE, 1));
	core_wr(c, func, IH_RB_CNTL__BYTE, cntl);
	c->rptr[func] = 0;
}

/* What the device wrote back. */
static inline uint32_t core_ih_wptr(struct core *c, unsigned func)
{
	const uint8_t *page = c->ring[func].cpu;

	return __atomic_load_n((const uint32_t *)(const void *)(page + GV_GPU_PAGE),
	                       __ATOMIC_ACQUIRE);
}

/* The next entry, within @ns. The ring's read pointer stays behind until core_ih_ack(). */
static inline bool core_ih_next(struct core *c, unsigned func, struct gv_ih_iv *iv, uint64_t ns)
{
	uint64_t end = gv_now_ns() + ns;
	unsigned spins = 0;
	bool late = false;

	while (GV_GET(core_ih_wptr(c, func), IH_RB_WPTR, OFFSET) * 4 == c->rptr[func]) {
		if (late)
			return false;
		late = gv_now_ns() > end;
		gv_poll_pause(&spins);
	}
	memcpy(iv, (const uint8_t *)c->ring[func].cpu + c->rptr[func], sizeof(*iv));
	c->rptr[func] = (c->rptr[func] + (uint32_t)sizeof(*iv)) & (CORE_RING - 1);
	return true;
}

static inline void core_ih_ack(struct core *c, unsigned func)
{
	core_wr(c, func, IH_RB_RPTR__BYTE, c->rptr[func]);
}

/* @quiet_ns pass without an entry. */
static inline bool core_ih_silent(struct core *c, unsigned func)
{
	struct gv_ih_iv iv;

	return !core_ih_next(c, func, &iv, 20 * GV_MS);
}

#define UNTIL(cond)                                                                                \
	({                                                                                         \
		uint64_t until_end_ = gv_now_ns() + CORE_PATIENCE;                                 \
		unsigned until_spins_ = 0;                                                         \
		bool until_late_ = false, until_ok_;                                               \
		while (!(until_ok_ = (cond)) && !until_late_) {                                    \
			until_late_ = gv_now_ns() > until_end_;                                    \
			gv_poll_pause(&until_spins_);                                              \
		}                                                                                  \
		until_ok_;                                                                         \
	})

#endif
