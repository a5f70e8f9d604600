/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Page tables of one VMID, as memory: builds, changes and frees the tables of
 * <gv/layouts.h>. Pure: where tables lie is the caller's (struct gv_pt_mem),
 * registers and TLBs are not touched. What is mapped is remembered beside the
 * tables, so table memory (often a write-combined aperture) is read only where
 * an unmap cuts a fragment in two.
 *
 * Not thread-safe: one caller at a time per table.
 */
#ifndef GV_PAGE_TABLE_H
#define GV_PAGE_TABLE_H

#include <gv/base.h>

/* One table: GV_PT_ENTRIES entries of 8 bytes. */
struct gv_pt_page {
	uint64_t *cpu; /* write here; contents undefined when new */
	uint64_t addr; /* what a PDE holds: frame-buffer address, or bus address when system */
	bool system;
	void *priv; /* of the owner of the memory */
};

/* Where tables come from. alloc: 0 or -ENOMEM. wrote (may be NULL): entries [first, first +
 * count) of this page were stored to page->cpu; for memory that must be pushed. */
struct gv_pt_mem {
	int (*alloc)(void *arg, struct gv_pt_page *page);
	void (*free)(void *arg, struct gv_pt_page *page);
	void (*wrote)(void *arg, const struct gv_pt_page *page, unsigned first, unsigned count);
	void *arg;
};

struct gv_pt;

/** An empty table of @levels: 3 (512 GiB) or 4 (47 bits: below the address hole). -EINVAL,
 *  -ENOMEM. Caller frees with gv_pt_free(). */
int gv_pt_new(unsigned levels, const struct gv_pt_mem *mem, struct gv_pt **pt);
/** Takes NULL, returns NULL. */
struct gv_pt *gv_pt_free(struct gv_pt *pt);

/** First address that the table cannot map. */
uint64_t gv_pt_end(const struct gv_pt *pt);
/** PAGE_TABLE_DEPTH for the context register: levels - 1. */
unsigned gv_pt_depth(const struct gv_pt *pt);
/** Value of the PAGE_TABLE_BASE_ADDR registers: address of the root and its flags. */
uint64_t gv_pt_root(const struct gv_pt *pt);
/** Tables in use, the root included; entries that map something. */
unsigned gv_pt_tables(const struct gv_pt *pt);

#define GV_PT_NO_HUGE (1u << 0) /* 4 KiB entries even where a 2 MiB leaf is possible */

/**
 * Map [va, va + bytes) to contiguous memory at @pa.
 *
 * @pte_flags: GV_PTE_* without VALID, FRAG and address. A 2 MiB leaf is used where va and pa are
 * both 2 MiB aligned and as much is left; fragments wherever both are aligned alike.
 *
 * -EINVAL: not 4 KiB aligned, 0 bytes, address bits that do not fit; -ERANGE: beyond the table's
 * end; -EEXIST: something is mapped there already (nothing was changed); -ENOMEM (likewise).
 */
int gv_pt_map(struct gv_pt *pt, uint64_t va, uint64_t pa, uint64_t bytes, uint64_t pte_flags,
              unsigned options);

/** Map @count single pages at pa[0], pa[1], ... one after the other from @va. Errors as above. */
int gv_pt_map_pages(struct gv_pt *pt, uint64_t va, const uint64_t *pa, size_t count,
                    uint64_t pte_flags);

/** Unmap [va, va + bytes), whatever is there; a 2 MiB leaf that is only partly in the range is
 *  split first. Tables that become empty are freed. -EINVAL, -ERANGE, -ENOMEM (splitting). */
int gv_pt_unmap(struct gv_pt *pt, uint64_t va, uint64_t bytes);

#endif
