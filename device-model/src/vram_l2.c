/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A VF's second-level table and the descriptor behind the VF's memory.
 *
 *   table in the PF's window     device range (v->base)          descriptors
 *   entry 0: chunk 40  ------>   [40] mapped from VF fd + 0      VF fd: only this VF's bytes
 *   entry 1: chunk 41  ------>   [41] mapped from VF fd + 2 MiB
 *                                [42] mapped from the pool       pool fd: nobody's
 *
 * The bytes of a chunk live in exactly one file. Changing owner copies what was ever written
 * (holes stay holes) and maps the new file over the device range, so PF, VF engines and VF
 * aperture keep seeing one memory. All of it runs with the mem_locks of the PF and the VF held
 * for writing, VF first.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "mem.h"

/* ---- locks ---------------------------------------------------------------- */

/* The VF first: while its engines leave their slices, which a client can draw out, the PF goes on.
 */
static void lock_both(struct gv_fn *f)
{
	(void)pthread_rwlock_wrlock(&f->mem_lock);
	(void)pthread_rwlock_wrlock(&f->dev->fn[GV_DEV_PF].mem_lock);
}

static void unlock_both(struct gv_fn *f)
{
	atomic_fetch_add(&f->mem_generation, 1);
	atomic_fetch_add(&f->dev->fn[GV_DEV_PF].mem_generation, 1);
	(void)pthread_rwlock_unlock(&f->dev->fn[GV_DEV_PF].mem_lock);
	(void)pthread_rwlock_unlock(&f->mem_lock);
}

/* ---- moving bytes --------------------------------------------------------- */

/* How many bytes of @n from @p on are pages of zeros, or pages of something else (@zero false). */
static uint64_t alike(const uint8_t *p, uint64_t n, bool zero)
{
	uint64_t at = 0;

	while (at < n && gv_is_zero(p + at, GV_GPU_PAGE) == zero)
		at += GV_GPU_PAGE;
	return GV_MIN(at, n);
}

/* Pages of zeros stay behind: who looked into a hole through a mapping has made them. */
static int copy_data(const uint8_t *bytes, uint64_t n, int to_fd, uint64_t to_off)
{
	uint64_t at = alike(bytes, n, true);

	while (at < n) {
		uint64_t some = alike(bytes + at, n - at, false);
		ssize_t put = pwrite(to_fd, bytes + at, some, (off_t)(to_off + at));

		if (put <= 0)
			return put < 0 ? -errno : -EIO;
		at += (uint64_t)put;
		if ((uint64_t)put == some)
			at += alike(bytes + at, n - at, true);
	}
	return 0;
}

/* Write what @from_fd has in [from_off, from_off + n), visible at @bytes, into @to_fd. */
static int copy_range(const uint8_t *bytes, int from_fd, uint64_t from_off, uint64_t n, int to_fd,
                      uint64_t to_off)
{
	off_t end = (off_t)(from_off + n), data = lseek(from_fd, (off_t)from_off, SEEK_DATA);

	while (data >= 0 && data < end) {
		off_t hole = lseek(from_fd, data, SEEK_HOLE);
		uint64_t at = (uint64_t)data - from_off;
		int rc;

		if (hole < 0 || hole > end)
			hole = end;
		rc = copy_data(bytes + at, (uint64_t)(hole - data), to_fd, to_off + at);
		if (rc)
			return rc;
		data = lseek(from_fd, hole, SEEK_DATA);
	}
	return 0;
}

static uint8_t *chunk_ptr(const struct gv_vram *v, uint32_t chunk)
{
	return v->base + ((uint64_t)chunk << GV_L2_SHIFT);
}

/* Give up the chunk for good: what lies there could not be replaced. */
static void lose_chunk(struct gv_fn *f, uint32_t chunk, int rc)
{
	f->dev->vram->owner[chunk] = GV_CHUNK_LOST;
	gv_logf(f->dev->log, GV_LOG_ERR, "%s: 2 MiB of VRAM at chunk %u lost: %s", f->name, chunk,
	        strerror(-rc));
}

/* How many entries from @i on lie side by side on the device. */
static uint32_t run_of(const struct gv_vf_mem *m, uint32_t i)
{
	uint32_t n = 1;

	while (i + n < m->entries && m->entry[i].chunk != GV_NO_CHUNK &&
	       m->entry[i + n].chunk == m->entry[i].chunk + n)
		n++;
	return n;
}

/* Chunks of the entries [i, i + n), which are a run, belong to nobody again. */
static void return_run(struct gv_fn *f, uint32_t i, uint32_t n)
{
	struct gv_vram *v = f->dev->vram;
	const struct gv_vf_mem *m = &v->vf[gv_fn_vf(f)];
	uint32_t first = m->entry[i].chunk;
	uint64_t dev = (uint64_t)first << GV_L2_SHIFT, bytes = (uint64_t)n << GV_L2_SHIFT;
	int rc = copy_range(chunk_ptr(v, first), m->fd, (uint64_t)i << GV_L2_SHIFT, bytes,
	                    v->pool_fd, dev);

	if (!rc)
		rc = gv_vram_map(v, dev, bytes, v->pool_fd, dev);
	for (uint32_t k = 0; k < n; k++) {
		v->owner[first + k] = GV_CHUNK_FREE;
		v->place[first + k] = first + k;
		if (rc)
			lose_chunk(f, first + k, rc);
	}
}

/* All of the VF's chunks that @kept has no mark for; NULL: all. */
static void return_chunks(struct gv_fn *f, const uint8_t *kept)
{
	const struct gv_vf_mem *m = &f->dev->vram->vf[gv_fn_vf(f)];

	for (uint32_t i = 0, n; i < m->entries; i += n) {
		uint32_t first = m->entry[i].chunk, all = run_of(m, i);

		n = 1;
		if (first == GV_NO_CHUNK || (kept && kept[first]))
			continue;
		while (n < all && !(kept && kept[first + n]))
			n++;
		return_run(f, i, n);
	}
}

/* ---- reading the table ---------------------------------------------------- */

static bool entry_ok(const struct gv_fn *f, uint64_t pte)
{
	const struct gv_vram *v = f->dev->vram;
	uint64_t dev = pte & GV_L2PTE_ADDR_MASK;
	uint8_t owner;

	if (dev < v->window_bytes || dev >= v->bytes ||
	    (pte & GV_PTE_ADDR_MASK & ~GV_L2PTE_ADDR_MASK)) /* not on a 2 MiB border */
		return false;
	owner = v->owner[dev >> GV_L2_SHIFT];
	return owner == GV_CHUNK_FREE || owner == f->index;
}

/* Fill @entry from the table. @seen: one bit per chunk, catches duplicates. */
static void check_table(struct gv_fn *f, struct gv_l2_entry *entry, uint32_t n, uint64_t table,
                        uint8_t *seen)
{
	struct gv_vram *v = f->dev->vram;
	const uint64_t *pte_at = (const uint64_t *)(const void *)(v->base + table);
	uint32_t bad = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t pte = __atomic_load_n(&pte_at[i], __ATOMIC_RELAXED); /* once */
		uint32_t chunk = (uint32_t)((pte & GV_L2PTE_ADDR_MASK) >> GV_L2_SHIFT);

		entry[i].chunk = GV_NO_CHUNK;
		if (!(pte & GV_L2PTE_VALID))
			continue;
		if (!entry_ok(f, pte) || (seen[chunk / 8] & (1u << chunk % 8))) {
			bad++;
			continue;
		}
		seen[chunk / 8] |= (uint8_t)(1u << chunk % 8);
		entry[i].chunk = chunk;
		entry[i].access = (uint8_t)((pte & GV_L2PTE_READABLE ? GV_ACC_R : 0) |
		                            (pte & GV_L2PTE_WRITEABLE ? GV_ACC_W : 0));
	}
	for (uint32_t i = 0; i < bad; i++)
		gv_guest_error(&f->dev->fn[GV_DEV_PF], "%s: bad second-level entry (%u of %u)",
		               f->name, i + 1, bad);
}

/* The table named by the registers, into m->entry, m->entries and m->table. */
static int read_table(struct gv_fn *f, struct gv_vf_mem *m)
{
	struct gv_vram *v = f->dev->vram;
	uint32_t vf = gv_fn_vf(f), n = gv_reg_get(f, GV_REG_GVX_VF0_L2_ENTRIES, vf);
	uint64_t table = (uint64_t)gv_reg_get(f, GV_REG_GVX_VF0_L2_BASE_HI, vf) << 32 |
	                 gv_reg_get(f, GV_REG_GVX_VF0_L2_BASE_LO, vf);
	gv_auto_free uint8_t *seen = NULL;

	if (n == 0)
		return 0;
	/* In the PF's window: elsewhere a VF could come to own the table that binds it. */
	if (n > v->chunks || table % 8 || table > v->window_bytes ||
	    8ull * n > v->window_bytes - table) {
		gv_guest_error(&f->dev->fn[GV_DEV_PF], "%s: table of %u entries at 0x%llx refused",
		               f->name, n, (unsigned long long)table);
		return 0;
	}
	seen = calloc(v->chunks / 8 + 1, 1);
	m->entry = calloc(n, sizeof(*m->entry));
	if (!seen || !m->entry)
		return -ENOMEM;
	m->entries = n;
	m->table = table;
	check_table(f, m->entry, n, table, seen);
	return 0;
}

/* ---- putting a table in force --------------------------------------------- */

static bool same_memory(const struct gv_vf_mem *a, const struct gv_vf_mem *b)
{
	if (a->entries != b->entries || a->fd < 0)
		return false;
	for (uint32_t i = 0; i < a->entries; i++)
		if (a->entry[i].chunk != b->entry[i].chunk)
			return false;
	return true;
}

/* Copy contents into the new file. Nothing is visible yet, so an error costs nothing. */
static int gather(const struct gv_vram *v, const struct gv_vf_mem *new)
{
	int rc = 0;

	for (uint32_t i = 0, n; !rc && i < new->entries; i += n) {
		uint32_t c = new->entry[i].chunk, all = run_of(new, i);
		uint64_t from;
		int fd;

		n = 1;
		if (c == GV_NO_CHUNK)
			continue;
		while (n < all && v->owner[c + n] == v->owner[c] &&
		       v->place[c + n] == v->place[c] + n)
			n++;
		fd = gv_vram_file_of(v, c, &from);
		rc = copy_range(chunk_ptr(v, c), fd, from, (uint64_t)n << GV_L2_SHIFT, new->fd,
		                (uint64_t)i << GV_L2_SHIFT);
	}
	return rc;
}

/* Entries [i, i + n) lie side by side on the device: one mapping. */
static void map_run(struct gv_fn *f, struct gv_vf_mem *new, uint32_t i, uint32_t n)
{
	struct gv_vram *v = f->dev->vram;
	uint32_t first = new->entry[i].chunk;
	uint64_t dev = (uint64_t)first << GV_L2_SHIFT, bytes = (uint64_t)n << GV_L2_SHIFT;
	int rc = gv_vram_map(v, dev, bytes, new->fd, (uint64_t)i << GV_L2_SHIFT);

	for (uint32_t k = 0; k < n; k++) {
		if (!rc) {
			v->owner[first + k] = (uint8_t)f->index;
			v->place[first + k] = i + k;
			continue;
		}
		new->entry[i + k].chunk = GV_NO_CHUNK;
		lose_chunk(f, first + k, rc);
	}
	/* No second copy in the pool: memory, and somebody's old bytes. */
	(void)fallocate(v->pool_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)dev,
	                (off_t)bytes);
}

static void map_all(struct gv_fn *f, struct gv_vf_mem *new)
{
	for (uint32_t i = 0, n; i < new->entries; i += n) {
		n = run_of(new, i);
		if (new->entry[i].chunk != GV_NO_CHUNK)
			map_run(f, new, i, n);
	}
}

/* Somebody may hold the descriptor for ever: what it held goes, so that neither old contents nor
 * the memory under them outlive us. Nothing of ours maps the file any more. */
static void drop_table(struct gv_vf_mem *m)
{
	if (m->fd >= 0 && m->handed_out)
		(void)fallocate(m->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		                (off_t)((uint64_t)m->entries << GV_L2_SHIFT));
	gv_closep(&m->fd);
	free(m->entry);
	*m = (struct gv_vf_mem){.fd = -1};
}

/* Replace the VF's memory by @new, which is consumed. On an error the old stays. */
static int install(struct gv_fn *f, struct gv_vf_mem *new)
{
	struct gv_vram *v = f->dev->vram;
	struct gv_vf_mem *old = &v->vf[gv_fn_vf(f)];
	gv_auto_free uint8_t *kept = calloc(v->chunks, 1);
	int rc = kept ? 0 : -ENOMEM;

	if (!rc && new->entries)
		rc = gv_vram_memfd(f->name, (uint64_t) new->entries << GV_L2_SHIFT, &new->fd);
	if (!rc)
		rc = gather(v, new);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < new->entries; i++)
		if (new->entry[i].chunk != GV_NO_CHUNK)
			kept[new->entry[i].chunk] = 1;
	return_chunks(f, kept);
	map_all(f, new);
	drop_table(old);
	*old = *new;
	*new = (struct gv_vf_mem){.fd = -1};
	return 0;
}

/* Same chunks as before: permissions and dirty marks start anew, the descriptor stays. */
static void refresh(struct gv_vf_mem *m, const struct gv_vf_mem *new)
{
	m->table = new->table;
	for (uint32_t i = 0; i < m->entries; i++) {
		m->entry[i].access = new->entry[i].access;
		atomic_store_explicit(&m->entry[i].dirty, false, memory_order_relaxed);
	}
}

/* A client that maps the memory writes unseen: its pages are dirty at once. */
static void redirty(struct gv_vram *v, struct gv_vf_mem *m)
{
	uint64_t *pte = (uint64_t *)(void *)(v->base + m->table);

	for (uint32_t i = 0; m->handed_out && i < m->entries; i++)
		if (m->entry[i].chunk != GV_NO_CHUNK) {
			atomic_store_explicit(&m->entry[i].dirty, true, memory_order_relaxed);
			(void)__atomic_fetch_or(&pte[i], GV_L2PTE_DIRTY, __ATOMIC_RELAXED);
		}
}

static void show_in_force(struct gv_fn *f)
{
	const struct gv_vf_mem *m = &f->dev->vram->vf[gv_fn_vf(f)];
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->entries; i++)
		n += m->entry[i].chunk != GV_NO_CHUNK;
	gv_reg_put(f, GV_REG_GVX_VF0_L2_IN_FORCE, gv_fn_vf(f), n);
}

static void reload_locked(struct gv_fn *f)
{
	struct gv_vram *v = f->dev->vram;
	struct gv_vf_mem *m = &v->vf[gv_fn_vf(f)];
	struct gv_vf_mem new = {.fd = -1};
	int rc = read_table(f, &new);

	if (!rc && same_memory(m, &new)) {
		refresh(m, &new);
		redirty(v, m);
	} else if (!rc) {
		rc = install(f, &new);
	}
	if (rc)
		gv_logf(f->dev->log, GV_LOG_ERR,
		        "%s: second-level table not taken over, the old one stays: %s", f->name,
		        strerror(-rc));
	drop_table(&new);
	show_in_force(f);
}

/* No mem_lock held. */
static void tell(struct gv_fn *f)
{
	const struct gv_dev_host *h = &f->dev->host;

	if (h->region_changed)
		h->region_changed(h->arg, f->index, GV_REGION_VRAM);
}

/* INVALIDATE reads 0 only when no newer request waits. */
static void show_done(struct gv_fn *f)
{
	uint32_t vf = gv_fn_vf(f);

	(void)pthread_mutex_lock(&f->dev->lock);
	if (!((atomic_load(&f->dev->l2_pending) >> vf) & 1))
		gv_reg_put(f, GV_REG_GVX_VF0_L2_INVALIDATE, vf, 0);
	(void)pthread_mutex_unlock(&f->dev->lock);
}

void gv_vram_l2_reload(struct gv_fn *f)
{
	if (!gv_fn_is_vf(f))
		return;
	lock_both(f);
	reload_locked(f);
	unlock_both(f);
	tell(f);
	show_done(f);
}

/* ---- other changes of the descriptor -------------------------------------- */

static int copy_entries(const struct gv_vf_mem *m, struct gv_vf_mem *new)
{
	new->entry = calloc(m->entries, sizeof(*new->entry));
	if (!new->entry)
		return -ENOMEM;
	for (uint32_t i = 0; i < m->entries; i++) {
		new->entry[i].chunk = m->entry[i].chunk;
		new->entry[i].access = m->entry[i].access;
		new->entry[i].dirty = atomic_load(&m->entry[i].dirty);
	}
	new->entries = m->entries;
	new->table = m->table;
	return 0;
}

void gv_vram_rotate(struct gv_fn *f)
{
	struct gv_vf_mem *m, new = {.fd = -1};
	int rc = 0;

	if (!gv_fn_is_vf(f))
		return;
	lock_both(f);
	m = &f->dev->vram->vf[gv_fn_vf(f)];
	if (m->fd >= 0 && m->handed_out) {
		rc = copy_entries(m, &new);
		if (!rc)
			rc = install(f, &new);
	}
	if (rc)
		gv_logf(f->dev->log, GV_LOG_ERR, "%s: no fresh descriptor for its memory: %s",
		        f->name, strerror(-rc));
	drop_table(&new);
	unlock_both(f);
	tell(f);
}

void gv_vram_release(struct gv_fn *f)
{
	struct gv_vf_mem *m;

	if (!gv_fn_is_vf(f))
		return;
	lock_both(f);
	m = &f->dev->vram->vf[gv_fn_vf(f)];
	return_chunks(f, NULL);
	drop_table(m);
	show_in_force(f);
	unlock_both(f);
	tell(f);
}
