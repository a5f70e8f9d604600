/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Page walks of a VMID. Every entry is a guest's and is read once; a walk has at most four
 * steps, whatever the tables say.
 *
 *   va -> [START, END] of the context -> table offset = va - START
 *   level n entry covers 2^(12 + 9 + block size + 9 (n - 1)) bytes; level 0 is 4 KiB pages
 */
#include <string.h>

#include "mem.h"

#define VA_BITS       48
#define AGP_SHIFT     24
#define PTE_TF        (1ull << 56)
#define PTE_FRAG_LO   7
#define PTE_FRAG_BITS 5
#define ROOT_BITS     9 /* index bits of the root table */

/* What must agree for neighbouring entries to make one window. */
#define PTE_KIND                                                                                   \
	(GV_PTE_VALID | GV_PTE_SYSTEM | GV_PTE_READABLE | GV_PTE_WRITEABLE | GV_PTE_EXECUTABLE |   \
	 GV_PTE_PRT | PTE_TF)

struct walk {
	struct gv_fn *fn;
	uint64_t va;
	unsigned depth, block; /* PAGE_TABLE_DEPTH, 9 + PAGE_TABLE_BLOCK_SIZE */
	uint64_t start, end;   /* page numbers */
	uint64_t rel;          /* va - start */
	uint64_t table;        /* table or page at the current level, with its flag bits */
	struct gv_fault *fault;
};

static int fail(struct gv_fault *fault, enum gv_walker_error walker, unsigned permission,
                bool mapping)
{
	fault->walker = walker;
	fault->permission = permission;
	fault->mapping = mapping;
	return -EFAULT;
}

/* ---- reading tables ------------------------------------------------------- */

/* Host memory of a table, *@entries of it from @at on. */
static const uint64_t *table_ptr(struct gv_fn *f, uint64_t at, bool system, uint64_t *entries)
{
	const struct gv_dev_host *h = &f->dev->host;
	uint64_t bytes = *entries * 8;
	uint8_t *p = NULL;

	if (system) {
		p = h->dma_ptr ? h->dma_ptr(h->arg, f->index, at, &bytes, false) : NULL;
	} else {
		uint64_t have = bytes;

		if (gv_vram_find(f, at, GV_ACC_R, &p, &have) == 0)
			bytes = GV_MIN(bytes, have);
	}
	*entries = bytes / 8;
	return p && bytes >= 8 ? (const uint64_t *)(void *)p : NULL;
}

static int read_entry(const struct walk *w, uint64_t at, bool system, uint64_t *entry)
{
	struct gv_fn *f = w->fn;
	const struct gv_dev_host *h = &f->dev->host;
	uint64_t n = 1;
	const uint64_t *p = table_ptr(f, at, system, &n);

	if (p) {
		*entry = __atomic_load_n(p, __ATOMIC_RELAXED);
		return 0;
	}
	if (!system) {
		w->fault->l2 = true;
		w->fault->fb = at;
	}
	if (!system || !h->dma_read)
		return -EFAULT;
	return h->dma_read(h->arg, f->index, at, entry, sizeof(*entry)) ? -EFAULT : 0;
}

/* ---- leaves --------------------------------------------------------------- */

static unsigned pte_access(uint64_t pte)
{
	return (pte & GV_PTE_READABLE ? (unsigned)GV_ACC_R : 0) |
	       (pte & GV_PTE_WRITEABLE ? (unsigned)GV_ACC_W : 0) |
	       (pte & GV_PTE_EXECUTABLE ? (unsigned)GV_ACC_X : 0);
}

/* A leaf of 2^shift bytes around w->va. */
static void set_leaf(const struct walk *w, uint64_t pte, unsigned shift, struct gv_leaf *leaf)
{
	uint64_t size = 1ull << shift, off = w->rel & (size - 1);

	leaf->va = w->va - off;
	leaf->bytes = size;
	leaf->target = pte & GV_PTE_ADDR_MASK & ~(size - 1);
	leaf->access = pte_access(pte);
	leaf->system = pte & GV_PTE_SYSTEM;
	leaf->prt = !(pte & GV_PTE_VALID); /* only PRT entries come here without VALID */
	if (leaf->prt)
		leaf->access = GV_ACC_R | GV_ACC_W;
}

static bool joins(uint64_t a, uint64_t b, uint64_t distance)
{
	return (b & PTE_KIND) == (a & PTE_KIND) &&
	       (b & GV_PTE_ADDR_MASK) == (a & GV_PTE_ADDR_MASK) + distance;
}

/* Grow a 4 KiB leaf over its neighbours in @pte[0..n) that continue it; @i is its own place. */
static void grow(struct gv_leaf *leaf, const uint64_t *pte, uint64_t i, uint64_t n)
{
	uint64_t own = __atomic_load_n(&pte[i], __ATOMIC_RELAXED), first = i, last = i;

	if ((own & GV_PTE_ADDR_MASK) != leaf->target)
		return; /* changed under us: the next walk sees it */
	while (last + 1 < n && joins(own, __atomic_load_n(&pte[last + 1], __ATOMIC_RELAXED),
	                             (last + 1 - i) << GV_GPU_PAGE_SHIFT))
		last++;
	while (first > 0 && joins(own, __atomic_load_n(&pte[first - 1], __ATOMIC_RELAXED),
	                          -((i - first + 1) << GV_GPU_PAGE_SHIFT)))
		first--;
	leaf->va -= (i - first) << GV_GPU_PAGE_SHIFT;
	leaf->target -= (i - first) << GV_GPU_PAGE_SHIFT;
	leaf->bytes = (last - first + 1) << GV_GPU_PAGE_SHIFT;
}

/* The fragment field promises that 2^n pages around this one are contiguous. It is believed when
 * both sides are aligned to it, for what the window can reach of it. */
static bool use_fragment(struct gv_leaf *leaf, uint64_t pte, unsigned limit_shift)
{
	unsigned frag = (unsigned)(pte >> PTE_FRAG_LO) & ((1u << PTE_FRAG_BITS) - 1);
	unsigned shift = GV_MIN(frag + GV_GPU_PAGE_SHIFT, limit_shift);
	uint64_t off;

	if (frag == 0 || ((leaf->va ^ leaf->target) & ((1ull << shift) - 1)))
		return false;
	off = leaf->va & ((1ull << shift) - 1);
	leaf->va -= off;
	leaf->target -= off;
	leaf->bytes = 1ull << shift;
	return true;
}

/* Pages of the 2 MiB around the leaf, seen through one pointer. */
static void join_neighbours(struct walk *w, uint64_t table, bool system, uint64_t index,
                            struct gv_leaf *leaf)
{
	uint64_t first = index & ~(uint64_t)(GV_PT_ENTRIES - 1), n = GV_PT_ENTRIES;
	uint64_t last_page = w->end - w->start; /* never past END */
	const uint64_t *p;

	if (last_page >= first)
		n = GV_MIN(n, last_page - first + 1);
	p = table_ptr(w->fn, table + first * 8, system, &n);
	if (p && index - first < n)
		grow(leaf, p, index - first, n);
}

static int page(struct walk *w, struct gv_leaf *leaf)
{
	uint64_t index = w->rel >> GV_GPU_PAGE_SHIFT, pte = 0, table = w->table;
	bool system = table & GV_PTE_SYSTEM;

	if (w->depth > 0)
		index &= (1ull << w->block) - 1;
	table &= GV_PDE_ADDR_MASK;
	if (read_entry(w, table + index * 8, system, &pte))
		return fail(w->fault, GV_WALK_PDE0, 0, true);
	if (!(pte & (GV_PTE_VALID | GV_PTE_PRT)))
		return fail(w->fault, GV_WALK_OK, GV_PERM_VALID, false);
	if (pte & PTE_TF) {
		gv_unimplemented(w->fn, "PTE with translate-further (0x%llx)",
		                 (unsigned long long)pte);
		return fail(w->fault, GV_WALK_FURTHER, 0, false);
	}
	set_leaf(w, pte, GV_GPU_PAGE_SHIFT, leaf);
	if (leaf->prt)
		return 0;
	if (w->depth == 0 || !use_fragment(leaf, pte, GV_MIN(12 + w->block, 30u)))
		join_neighbours(w, table, system, index, leaf);
	return 0;
}

/* ---- directories ---------------------------------------------------------- */

/* One level down: from the table in w->table, level @level (1 = PDB0). 1: a leaf was found. */
static int descend(struct walk *w, unsigned level, struct gv_leaf *leaf)
{
	unsigned shift = GV_GPU_PAGE_SHIFT + w->block + ROOT_BITS * (level - 1);
	uint64_t index = w->rel >> shift, pde = 0;

	if (level < w->depth)
		index &= GV_PT_ENTRIES - 1;
	if (read_entry(w, (w->table & GV_PDE_ADDR_MASK) + index * 8, w->table & GV_PTE_SYSTEM,
	               &pde))
		return fail(w->fault, GV_WALK_PDE0 + level - 1, 0, true);
	if (pde & GV_PDE_PTE) {
		if (!(pde & (GV_PTE_VALID | GV_PTE_PRT)))
			return fail(w->fault, GV_WALK_OK, GV_PERM_VALID, false);
		set_leaf(w, pde, shift, leaf);
		return 1;
	}
	if (!(pde & GV_PTE_VALID))
		return fail(w->fault, GV_WALK_PDE0 + level - 1, GV_PERM_VALID, false);
	w->table = pde;
	return 0;
}

static uint64_t pair(struct gv_fn *f, enum gv_reg lo, enum gv_reg hi, unsigned vmid)
{
	return (uint64_t)gv_reg_get(f, hi, vmid) << 32 | gv_reg_get(f, lo, vmid);
}

static int walk_context(struct walk *w, enum gv_hub hub, unsigned vmid, struct gv_leaf *leaf)
{
	const struct gv_hub_regs *h = &gv_hub[hub];
	uint32_t cntl = gv_reg_get(w->fn, h->cntl, vmid);
	uint64_t page_number = w->va >> GV_GPU_PAGE_SHIFT;
	unsigned span;

	if (!GV_GET(cntl, VM_CONTEXT0_CNTL, ENABLE_CONTEXT))
		return fail(w->fault, GV_WALK_RANGE, 0, true);
	w->depth = GV_GET(cntl, VM_CONTEXT0_CNTL, PAGE_TABLE_DEPTH);
	w->block = ROOT_BITS + GV_GET(cntl, VM_CONTEXT0_CNTL, PAGE_TABLE_BLOCK_SIZE);
	w->start = pair(w->fn, h->start_lo, h->start_hi, vmid);
	w->end = pair(w->fn, h->end_lo, h->end_hi, vmid);
	w->table = pair(w->fn, h->base_lo, h->base_hi, vmid);
	if (page_number < w->start || page_number > w->end)
		return fail(w->fault, GV_WALK_RANGE, 0, false);
	w->rel = w->va - (w->start << GV_GPU_PAGE_SHIFT);
	span = GV_GPU_PAGE_SHIFT + w->block + ROOT_BITS * w->depth;
	if (w->depth > 0 && span < 64 && w->rel >> span) /* past the root table */
		return fail(w->fault, GV_WALK_RANGE, 0, false);
	if (!(w->table & GV_PTE_VALID))
		return fail(w->fault, GV_WALK_PDE0 + GV_MIN(w->depth, 2u), GV_PERM_VALID, false);
	for (unsigned level = w->depth; level > 0; level--) {
		int rc = descend(w, level, leaf);

		if (rc)
			return rc < 0 ? rc : 0;
	}
	return page(w, leaf);
}

/* VMID 0 outside its page table: frame buffer, and the AGP aperture when it is not empty. */
static bool direct(struct gv_fn *f, enum gv_hub hub, uint64_t va, struct gv_leaf *leaf)
{
	uint64_t fb = gv_vram_fb_bytes(f);
	uint64_t bot = (uint64_t)gv_reg_get(f, gv_hub[hub].agp_bot, 0) << AGP_SHIFT;
	uint64_t top = gv_reg_get(f, gv_hub[hub].agp_top, 0);
	uint64_t end = (top + 1) << AGP_SHIFT;

	leaf->access = GV_ACC_R | GV_ACC_W | GV_ACC_X;
	leaf->prt = false;
	if (va < fb) {
		*leaf = (struct gv_leaf){0, fb, 0, leaf->access, false, false};
		return true;
	}
	if (top == 0 || va < bot || va >= end)
		return false;
	*leaf = (struct gv_leaf){bot,
	                         end - bot,
	                         (uint64_t)gv_reg_get(f, gv_hub[hub].agp_base, 0) << AGP_SHIFT,
	                         leaf->access,
	                         true,
	                         false};
	return true;
}

int gv_walk(struct gv_fn *f, enum gv_hub hub, unsigned vmid, uint64_t va, struct gv_leaf *leaf,
            struct gv_fault *fault)
{
	struct walk w = {.fn = f, .va = va, .fault = fault};
	uint64_t sign = va >> (VA_BITS - 1), hole = UINT64_MAX >> (VA_BITS - 1);

	if (vmid >= GV_NUM_VMID) {
		*leaf = (struct gv_leaf){
		        0,    UINT64_MAX, 0, GV_ACC_R | GV_ACC_W | GV_ACC_X, vmid == GV_VMID_BUS,
		        false};
		return 0;
	}
	if (sign != 0 && sign != hole)
		return fail(fault, GV_WALK_RANGE, 0, false);
	if (vmid == 0 && direct(f, hub, va, leaf))
		return 0;
	w.va = va & ((1ull << VA_BITS) - 1); /* tables cover 48 bits */
	if (walk_context(&w, hub, vmid, leaf))
		return -EFAULT;
	leaf->va += va - w.va;
	return 0;
}
