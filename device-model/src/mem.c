/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One engine's view of memory: windows, copies, atomics.
 *
 * The cache has two halves, each direct mapped: windows of at least 64 KiB are found by their
 * 2 MiB number, small ones by their page number.
 */
#include <string.h>

#include "mem.h"

#define HALF       (GV_MEM_TLB_ENTRIES / 2)
#define BIG_WINDOW (64 * GV_KIB)
#define BOUNCE     4096u
/* Windows over memory without page tables are cut to this, so that a fault is where it is. */
#define MAX_WINDOW GV_GIB

static const uint8_t zero_page[GV_GPU_PAGE] __attribute__((aligned(GV_GPU_PAGE)));

void gv_mem_init(struct gv_mem *m, struct gv_fn *fn, enum gv_hub hub, uint8_t vmid, uint8_t client)
{
	memset(m, 0, sizeof(*m));
	m->fn = fn;
	m->hub = hub;
	m->vmid = vmid;
	m->client = client;
	m->generation = atomic_load(&fn->mem_generation);
}

/* ---- translating ---------------------------------------------------------- */

/* Small buffers start at 64 KiB borders, so the low bits of a page number alone would put them all
 * into two slots: the 64 KiB number shifts them against each other. */
static struct gv_window *slot(struct gv_mem *m, uint64_t va, bool big)
{
	uint64_t page = va >> GV_GPU_PAGE_SHIFT;

	return big ? &m->tlb[(va >> GV_L2_SHIFT) % HALF]
	           : &m->tlb[HALF + (page + (page >> 4) * 7) % HALF];
}

static bool hit(const struct gv_window *w, uint64_t va, unsigned access)
{
	return va - w->va < w->bytes && !(access & ~w->access);
}

static void refresh(struct gv_mem *m)
{
	uint64_t now = atomic_load_explicit(&m->fn->mem_generation, memory_order_acquire);

	if (now == m->generation)
		return;
	for (unsigned i = 0; i < GV_MEM_TLB_ENTRIES; i++)
		m->tlb[i].bytes = 0;
	memset(m->retried, 0, sizeof(m->retried));
	m->generation = now;
}

static void prt_window(struct gv_mem *m, uint64_t va, unsigned access, struct gv_window *w)
{
	w->va = va & ~(uint64_t)(GV_GPU_PAGE - 1);
	w->bytes = GV_GPU_PAGE;
	w->iova = 0;
	w->access = access & GV_ACC_W ? GV_ACC_W : GV_ACC_R;
	w->host = access & GV_ACC_W ? m->fn->gmc->sink : (uint8_t *)(uintptr_t)zero_page;
}

/* Cut the leaf to host memory around @va: from the 2 MiB border of the target, where that is
 * inside the leaf, because up to there everything is one piece in VRAM. */
static uint64_t clip(const struct gv_leaf *leaf, uint64_t va, struct gv_window *w)
{
	uint64_t off = va - leaf->va;
	uint64_t back = GV_MIN(off, (leaf->target + off) & (GV_L2_PAGE - 1));

	w->va = va - back;
	w->bytes = GV_MIN(leaf->bytes - (off - back), MAX_WINDOW);
	return leaf->target + off - back;
}

static int vram_window(struct gv_mem *m, uint64_t va, unsigned access, const struct gv_leaf *leaf,
                       struct gv_window *w)
{
	uint64_t fb = clip(leaf, va, w), have = w->bytes;

	w->iova = 0;
	if (gv_vram_find(m->fn, fb, access, &w->host, &have)) {
		if (!m->quiet)
			gv_vram_fault(m->fn, fb + (va - w->va), access, m->client,
			              m->vmid % GV_NUM_VMID);
		return -EFAULT;
	}
	w->bytes = GV_MIN(w->bytes, have);
	return 0;
}

static int system_window(struct gv_mem *m, uint64_t va, unsigned access, const struct gv_leaf *leaf,
                         struct gv_window *w)
{
	const struct gv_dev_host *h = &m->fn->dev->host;
	bool write = access & GV_ACC_W;
	uint64_t bytes;

	w->iova = clip(leaf, va, w);
	bytes = w->bytes;
	w->host = h->dma_ptr ? h->dma_ptr(h->arg, m->fn->index, w->iova, &bytes, write) : NULL;
	if (!w->host || bytes <= va - w->va) { /* what precedes va is elsewhere or not mapped */
		w->bytes -= va - w->va;
		w->iova += va - w->va;
		w->va = va;
		bytes = w->bytes;
		w->host = h->dma_ptr ? h->dma_ptr(h->arg, m->fn->index, w->iova, &bytes, write)
		                     : NULL;
	}
	if (w->host) {
		w->bytes = GV_MIN(w->bytes, bytes);
		return w->bytes ? 0 : -EFAULT;
	}
	if (!h->dma_read || !h->dma_write)
		return -EFAULT;
	w->bytes = GV_MIN(w->bytes, GV_GPU_PAGE - (w->iova & (GV_GPU_PAGE - 1)));
	return 0;
}

static unsigned refused(unsigned access, unsigned permitted)
{
	unsigned no = access & ~permitted;

	return (no & GV_ACC_R ? (unsigned)GV_PERM_READ : 0) |
	       (no & GV_ACC_W ? (unsigned)GV_PERM_WRITE : 0) |
	       (no & GV_ACC_X ? (unsigned)GV_PERM_EXECUTE : 0);
}

static int translate(struct gv_mem *m, uint64_t va, unsigned access, struct gv_window *w)
{
	unsigned need = access & (GV_ACC_R | GV_ACC_W | GV_ACC_X);
	struct gv_fault fault = {0};
	struct gv_leaf leaf;
	int rc = gv_walk(m->fn, m->hub, m->vmid, va, &leaf, &fault);

	if (rc) {
		if (fault.permission & GV_PERM_VALID)
			fault.permission |= refused(need, 0);
		if (fault.l2 && !m->quiet)
			gv_vram_fault(m->fn, fault.fb, GV_ACC_R, m->client, m->vmid % GV_NUM_VMID);
		return gv_gmc_fault(m, va, access, &fault);
	}
	fault.permission = refused(need, leaf.access);
	if (fault.permission)
		return gv_gmc_fault(m, va, access, &fault);
	if (leaf.prt) {
		prt_window(m, va, need, w);
		return 0;
	}
	/* Write access is only granted when asked for: dirty bits and copy-on-write memory. */
	w->access = leaf.access & ~(unsigned)(need & GV_ACC_W ? 0 : GV_ACC_W);
	rc = leaf.system ? system_window(m, va, need, &leaf, w)
	                 : vram_window(m, va, need, &leaf, w);
	if (rc) {
		fault.mapping = true;
		return gv_gmc_fault(m, va, access, &fault);
	}
	return 0;
}

int gv_mem_window(struct gv_mem *m, uint64_t va, unsigned access, struct gv_window *w)
{
	unsigned need = access & (GV_ACC_R | GV_ACC_W | GV_ACC_X);
	struct gv_window *s = slot(m, va, true), found;
	int rc;

	refresh(m);
	if (!hit(s, va, need))
		s = slot(m, va, false);
	if (hit(s, va, need)) {
		*w = *s;
		return 0;
	}
	rc = translate(m, va, access, &found);
	if (rc)
		return rc;
	*slot(m, va, found.bytes >= BIG_WINDOW) = found;
	*w = found;
	return 0;
}

/* ---- copies --------------------------------------------------------------- */

/* An aligned word is one access: the other side may be reading or writing the same fence or
 * pointer. */
static void move_word(void *host, void *buf, size_t n, bool write)
{
	uint64_t word = 0;

	if (write)
		memcpy(&word, buf, n);
	if (write && n == 4)
		__atomic_store_n((uint32_t *)host, (uint32_t)word, __ATOMIC_RELEASE);
	else if (write)
		__atomic_store_n((uint64_t *)host, word, __ATOMIC_RELEASE);
	else if (n == 4)
		word = __atomic_load_n((uint32_t *)host, __ATOMIC_ACQUIRE);
	else
		word = __atomic_load_n((uint64_t *)host, __ATOMIC_ACQUIRE);
	if (!write)
		memcpy(buf, &word, n);
}

void gv_mem_move(uint8_t *host, uint8_t *buf, size_t n, bool write)
{
	if ((n == 4 || n == 8) && (uintptr_t)host % n == 0)
		move_word(host, buf, n, write);
	else
		memcpy(write ? host : buf, write ? buf : host, n);
}

/* Memory without a pointer: up to the end of the window. */
static int slow_access(struct gv_mem *m, const struct gv_window *w, uint64_t va, void *buf,
                       size_t n, bool write)
{
	const struct gv_dev_host *h = &m->fn->dev->host;
	const struct gv_fault fault = {.mapping = true};
	uint64_t iova = w->iova + (va - w->va);
	int rc = write ? h->dma_write(h->arg, m->fn->index, iova, buf, n)
	               : h->dma_read(h->arg, m->fn->index, iova, buf, n);

	return rc ? gv_gmc_fault(m, va, write ? GV_ACC_W : GV_ACC_R, &fault) : 0;
}

static int access_all(struct gv_mem *m, uint64_t va, uint8_t *buf, size_t n, bool write)
{
	while (n) {
		struct gv_window w;
		size_t now;
		int rc = gv_mem_window(m, va, write ? GV_ACC_W : GV_ACC_R, &w);

		if (rc)
			return rc;
		now = (size_t)GV_MIN(n, w.va + w.bytes - va);
		if (!w.host)
			rc = slow_access(m, &w, va, buf, now, write);
		else
			gv_mem_move(w.host + (va - w.va), buf, now, write);
		if (rc)
			return rc;
		va += now;
		buf += now;
		n -= now;
	}
	return 0;
}

int gv_mem_read(struct gv_mem *m, uint64_t va, void *buf, size_t n)
{
	return access_all(m, va, buf, n, false);
}

int gv_mem_write(struct gv_mem *m, uint64_t va, const void *buf, size_t n)
{
	return access_all(m, va, (uint8_t *)(uintptr_t)buf, n, true);
}

/* A pointer for a single aligned access of @n bytes, or NULL: take the long way. */
static void *word(struct gv_mem *m, uint64_t va, unsigned access, size_t n, int *rc)
{
	struct gv_window w;

	*rc = 0;
	if (va % n)
		return NULL;
	*rc = gv_mem_window(m, va, access, &w);
	if (*rc || !w.host || w.va + w.bytes - va < n || ((uintptr_t)w.host + (va - w.va)) % n)
		return NULL;
	return w.host + (va - w.va);
}

int gv_mem_read32(struct gv_mem *m, uint64_t va, uint32_t *val)
{
	int rc;
	uint32_t *p = word(m, va, GV_ACC_R, sizeof(*p), &rc);

	if (!p)
		return rc ? rc : gv_mem_read(m, va, val, sizeof(*val));
	*val = __atomic_load_n(p, __ATOMIC_ACQUIRE);
	return 0;
}

int gv_mem_write32(struct gv_mem *m, uint64_t va, uint32_t val)
{
	int rc;
	uint32_t *p = word(m, va, GV_ACC_W, sizeof(*p), &rc);

	if (!p)
		return rc ? rc : gv_mem_write(m, va, &val, sizeof(val));
	__atomic_store_n(p, val, __ATOMIC_RELEASE);
	return 0;
}

int gv_mem_read64(struct gv_mem *m, uint64_t va, uint64_t *val)
{
	int rc;
	uint64_t *p = word(m, va, GV_ACC_R, sizeof(*p), &rc);

	if (!p)
		return rc ? rc : gv_mem_read(m, va, val, sizeof(*val));
	*val = __atomic_load_n(p, __ATOMIC_ACQUIRE);
	return 0;
}

int gv_mem_write64(struct gv_mem *m, uint64_t va, uint64_t val)
{
	int rc;
	uint64_t *p = word(m, va, GV_ACC_W, sizeof(*p), &rc);

	if (!p)
		return rc ? rc : gv_mem_write(m, va, &val, sizeof(val));
	__atomic_store_n(p, val, __ATOMIC_RELEASE);
	return 0;
}

/* One side has no pointer: through a buffer. */
static int bounce(struct gv_mem *to, uint64_t to_va, struct gv_mem *from, uint64_t from_va,
                  uint64_t n)
{
	uint8_t buf[BOUNCE];

	while (n) {
		size_t now = (size_t)GV_MIN(n, sizeof(buf));
		int rc = gv_mem_read(from, from_va, buf, now);

		if (!rc)
			rc = gv_mem_write(to, to_va, buf, now);
		if (rc)
			return rc;
		to_va += now;
		from_va += now;
		n -= now;
	}
	return 0;
}

int gv_mem_copy(struct gv_mem *to, uint64_t to_va, struct gv_mem *from, uint64_t from_va,
                uint64_t n)
{
	while (n) {
		struct gv_window s, d;
		uint64_t now;
		int rc = gv_mem_window(from, from_va, GV_ACC_R, &s);

		if (!rc)
			rc = gv_mem_window(to, to_va, GV_ACC_W, &d);
		if (rc)
			return rc;
		now = GV_MIN(GV_MIN(s.va + s.bytes - from_va, d.va + d.bytes - to_va), n);
		if (!s.host || !d.host)
			rc = bounce(to, to_va, from, from_va, now);
		else
			memmove(d.host + (to_va - d.va), s.host + (from_va - s.va), now);
		if (rc)
			return rc;
		to_va += now;
		from_va += now;
		n -= now;
	}
	return 0;
}

/* ---- system memory without page tables ------------------------------------ */

static int bus_access(struct gv_fn *f, uint64_t iova, uint8_t *buf, size_t n, bool write)
{
	const struct gv_dev_host *h = &f->dev->host;

	while (n) {
		uint64_t now = n;
		uint8_t *p = h->dma_ptr ? h->dma_ptr(h->arg, f->index, iova, &now, write) : NULL;

		if (!p && write)
			return h->dma_write ? h->dma_write(h->arg, f->index, iova, buf, n)
			                    : -EFAULT;
		if (!p)
			return h->dma_read ? h->dma_read(h->arg, f->index, iova, buf, n) : -EFAULT;
		now = GV_MIN(now, n);
		if (now == 0)
			return -EFAULT;
		gv_mem_move(p, buf, (size_t)now, write);
		iova += now;
		buf += now;
		n -= (size_t)now;
	}
	return 0;
}

int gv_mem_bus_write(struct gv_fn *f, uint64_t iova, const void *buf, size_t n)
{
	return bus_access(f, iova, (uint8_t *)(uintptr_t)buf, n, true);
}

int gv_mem_bus_read(struct gv_fn *f, uint64_t iova, void *buf, size_t n)
{
	return bus_access(f, iova, buf, n, false);
}
