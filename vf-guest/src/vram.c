/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The frame buffer: how much, how we reach it, what is free, and pages for page tables. */
#include <string.h>

#include "guest.h"

#define CHUNK (2 * GV_MIB)

/* A mapping can be of memory that the VF had before (the PF changed its second-level table):
 * a word must be the same seen both ways. Uses the last page of the reserved part. */
static bool aperture_is_live(struct gv_guest *g, uint8_t *map)
{
	uint64_t off = GV_VRAM_RESERVED - GV_GPU_PAGE;
	uint32_t ours = 0x6770761f, seen = 0;

	if (gv_bus_write(g->bus, GV_REGION_VRAM, off, &ours, sizeof(ours)))
		return false;
	memcpy(&seen, map + off, sizeof(seen));
	if (seen != ours)
		return false;
	ours = ~ours;
	memcpy(map + off, &ours, sizeof(ours));
	gv_dma_to_device();
	return !gv_bus_read(g->bus, GV_REGION_VRAM, off, &seen, sizeof(seen)) && seen == ours;
}

static void map_aperture(struct gv_guest *g)
{
	void *map = NULL;
	int rc = gv_bus_map(g->bus, GV_REGION_VRAM, 0, g->visible_bytes, &map);

	g->aperture = NULL;
	if (rc) {
		gv_logf(g->log, GV_LOG_INFO, "BAR0 cannot be mapped (%d): every access traps", rc);
		return;
	}
	if (!aperture_is_live(g, map)) {
		gv_logf(g->log, GV_LOG_WARN,
		        "the mapping of BAR0 does not show the frame buffer, continuing without");
		return;
	}
	g->aperture = map;
}

static int reserve(struct gv_guest *g, struct gv_err *err)
{
	uint64_t end = g->vbios.region_off + g->vbios.region_bytes;
	uint64_t first = GV_MAX(GV_VRAM_RESERVED, (end + CHUNK - 1) & ~(CHUNK - 1));
	uint64_t at = 0;

	if (gv_heap_take(&g->vram, first, CHUNK, 0, first, false, &at))
		return gv_fail(err, -ENOSPC, "frame buffer of %llu bytes is too small",
		               (unsigned long long)g->fb_bytes);
	for (unsigned i = 0; i < g->bad_pages; i++)
		(void)gv_heap_take_at(&g->vram, g->bad_pfn[i] * GV_GPU_PAGE, GV_GPU_PAGE);
	return 0;
}

int gv_vram_up(struct gv_guest *g, struct gv_err *err)
{
	uint32_t base = gv_rd32(g->bus, MMHUB_MC_VM_FB_LOCATION_BASE__BYTE);
	uint32_t off = gv_rd32(g->bus, MC_VM_FB_OFFSET__BYTE), mib;
	uint64_t bar = 0;
	int rc;

	mib = gv_rd32(g->bus, RCC_PF_0_0_RCC_CONFIG_MEMSIZE__BYTE);
	if (!mib || mib > 16u << 20)
		return gv_fail(err, -EPROTO, "CONFIG_MEMSIZE says %u MiB", mib);
	rc = gv_bus_region_bytes(g->bus, GV_REGION_VRAM, &bar);
	if (rc)
		return gv_fail(err, rc, "no BAR0");
	g->fb_bytes = (uint64_t)mib * GV_MIB;
	g->visible_bytes = GV_MIN(bar, g->fb_bytes);
	g->fb_mc = (uint64_t)GV_GET(base, MMHUB_MC_VM_FB_LOCATION_BASE, FB_BASE) << 24;
	g->fb_pa = (uint64_t)GV_GET(off, MC_VM_FB_OFFSET, FB_OFFSET) << 24;
	rc = gv_heap_init(&g->vram, 0, g->fb_bytes);
	if (rc)
		return gv_fail(err, rc, "out of memory");
	g->vram_ready = true;
	map_aperture(g);
	return reserve(g, err);
}

void gv_vram_down(struct gv_guest *g)
{
	free(g->pt_chunk);
	free(g->pt_free);
	g->pt_chunk = NULL;
	g->pt_free = NULL;
	g->pt_chunks = 0;
	g->pt_free_count = g->pt_free_room = 0;
	if (g->vram_ready)
		gv_heap_done(&g->vram);
	g->vram_ready = false;
}

int gv_vram_write(struct gv_guest *g, uint64_t off, const void *data, size_t n)
{
	if (!g->aperture)
		return gv_bus_write(g->bus, GV_REGION_VRAM, off, data, n);
	memcpy(g->aperture + off, data, n);
	gv_dma_to_device();
	return 0;
}

int gv_vram_read(struct gv_guest *g, uint64_t off, void *data, size_t n)
{
	if (!g->aperture)
		return gv_bus_read(g->bus, GV_REGION_VRAM, off, data, n);
	gv_dma_from_device();
	memcpy(data, g->aperture + off, n);
	return 0;
}

void gv_hdp_flush(struct gv_guest *g)
{
	gv_dma_to_device();
	gv_wr32(g->bus, BIF_BX_PF0_HDP_MEM_COHERENCY_FLUSH_CNTL__BYTE, 0);
}

/* ---- pages for page tables --------------------------------------------------- */

/* Cut another 2 MiB of visible memory into pages. */
static int add_chunk(struct gv_guest *g)
{
	struct gv_extent *chunks = realloc(g->pt_chunk, (g->pt_chunks + 1) * sizeof(*chunks));
	size_t pages = CHUNK / GV_GPU_PAGE, room = (g->pt_chunks + 1) * pages;
	uint64_t *stack, at = 0;

	if (!chunks)
		return -ENOMEM;
	g->pt_chunk = chunks;
	stack = realloc(g->pt_free, room * sizeof(*stack));
	if (!stack)
		return -ENOMEM;
	g->pt_free = stack;
	g->pt_free_room = room;
	if (gv_heap_take(&g->vram, CHUNK, CHUNK, 0, g->visible_bytes, false, &at))
		return -ENOMEM;
	g->pt_chunk[g->pt_chunks++] = (struct gv_extent){at, CHUNK};
	for (size_t i = 0; i < pages; i++)
		g->pt_free[g->pt_free_count++] = at + CHUNK - (i + 1) * GV_GPU_PAGE;
	return 0;
}

int gv_vram_table_alloc(void *arg, struct gv_pt_page *page)
{
	struct gv_guest *g = arg;
	uint64_t off;

	if (!g->pt_free_count && add_chunk(g))
		return -ENOMEM;
	off = g->pt_free[g->pt_free_count - 1];
	page->cpu = g->aperture ? (uint64_t *)(void *)(g->aperture + off) : malloc(GV_GPU_PAGE);
	if (!page->cpu)
		return -ENOMEM;
	g->pt_free_count--;
	page->priv = g->aperture ? NULL : page->cpu; /* a copy of ours, pushed when written */
	page->addr = off + g->fb_pa;
	page->system = false;
	return 0;
}

void gv_vram_table_free(void *arg, struct gv_pt_page *page)
{
	struct gv_guest *g = arg;

	free(page->priv);
	g->pt_free[g->pt_free_count++] = page->addr - g->fb_pa;
}

void gv_vram_table_wrote(void *arg, const struct gv_pt_page *page, unsigned first, unsigned count)
{
	struct gv_guest *g = arg;

	if (page->priv)
		(void)gv_bus_write(g->bus, GV_REGION_VRAM,
		                   page->addr - g->fb_pa + first * sizeof(uint64_t),
		                   &page->cpu[first], count * sizeof(uint64_t));
}
