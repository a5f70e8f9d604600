/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * VRAM: one reserved address range, so that device address = offset from v->base, always. What
 * is mapped there changes: the PF's window and the pool have a memfd each, and every VF with a
 * second-level table has its own (vram_l2.c). Nothing is touched before somebody writes it.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif

#include "mem.h"

/* How many table entries one look-up joins; each is 2 MiB. */
#define MAX_JOIN      64u
#define FB_UNIT_SHIFT 24 /* FB_LOCATION_BASE, FB_LOCATION_TOP: 16 MiB */

/* ---- making it ------------------------------------------------------------ */

int gv_vram_map(struct gv_vram *v, uint64_t dev, uint64_t bytes, int fd, uint64_t off)
{
	void *p = mmap(v->base + dev, bytes, PROT_READ | PROT_WRITE,
	               MAP_SHARED | MAP_FIXED | MAP_NORESERVE, fd, (off_t)off);

	if (p == MAP_FAILED)
		return -errno;
	(void)madvise(p, bytes, MADV_HUGEPAGE); /* advice: kernels without it go on with 4 KiB */
	return 0;
}

/* Clients hold these descriptors too: without the seals one of them could shorten the file under
 * our mappings (SIGBUS), let it grow without end, or forbid us to write it. */
int gv_vram_memfd(const char *name, uint64_t bytes, int *out)
{
	gv_auto_fd int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, (off_t)bytes) != 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
		return -errno;
	*out = gv_take_fd(&fd);
	return 0;
}

static int reserve(struct gv_vram *v)
{
	v->map_bytes = v->bytes + GV_L2_PAGE;
	v->map = mmap(NULL, v->map_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
	              -1, 0);
	if (v->map == MAP_FAILED) {
		v->map = NULL;
		return -errno;
	}
	v->base = v->map + (-(uintptr_t)v->map & (GV_L2_PAGE - 1));
	return 0;
}

static int back(struct gv_vram *v)
{
	int rc = gv_vram_memfd("gv-vram-pf", v->window_bytes, &v->window_fd);

	if (!rc)
		rc = gv_vram_memfd("gv-vram-pool", v->bytes, &v->pool_fd);
	if (!rc)
		rc = gv_vram_map(v, 0, v->window_bytes, v->window_fd, 0);
	if (!rc && v->bytes > v->window_bytes)
		rc = gv_vram_map(v, v->window_bytes, v->bytes - v->window_bytes, v->pool_fd,
		                 v->window_bytes);
	return rc;
}

/* Can the processor zero a cache line without having read it? AMD's can. */
static bool has_clzero(void)
{
#ifdef __x86_64__
	unsigned a, b = 0, c, d;

	return __get_cpuid(0x80000008, &a, &b, &c, &d) && (b & 1);
#else
	return false;
#endif
}

int gv_vram_init(struct gv_dev *dev)
{
	struct gv_vram *v = calloc(1, sizeof(*v));
	int rc;

	if (!v)
		return -ENOMEM;
	dev->vram = v;
	v->window_fd = v->pool_fd = -1;
	for (unsigned i = 0; i < GV_MAX_VFS; i++)
		v->vf[i].fd = -1;
	(void)pthread_mutex_init(&v->fault_lock, NULL);
	v->clzero = has_clzero();
	v->bytes = dev->cfg.vram_mib * GV_MIB;
	v->window_bytes = GV_MIN(dev->cfg.pf_window_mib * GV_MIB, v->bytes);
	v->chunks = (uint32_t)(v->bytes >> GV_L2_SHIFT);
	v->owner = calloc(v->chunks, 1);
	v->place = calloc(v->chunks, sizeof(*v->place));
	rc = v->owner && v->place ? reserve(v) : -ENOMEM;
	for (uint32_t i = 0; !rc && i < v->chunks; i++)
		v->place[i] = i;
	if (!rc)
		rc = back(v);
	if (rc)
		gv_vram_done(dev);
	return rc;
}

void gv_vram_done(struct gv_dev *dev)
{
	struct gv_vram *v = dev->vram;

	if (!v)
		return;
	for (unsigned i = 0; i < GV_MAX_VFS; i++) {
		gv_closep(&v->vf[i].fd);
		free(v->vf[i].entry);
	}
	if (v->map)
		(void)munmap(v->map, v->map_bytes);
	gv_closep(&v->window_fd);
	gv_closep(&v->pool_fd);
	(void)pthread_mutex_destroy(&v->fault_lock);
	free(v->owner);
	free(v->place);
	free(v);
	dev->vram = NULL;
}

/* ---- looking up ----------------------------------------------------------- */

uint64_t gv_vram_fb_bytes(struct gv_fn *f)
{
	struct gv_vram *v = f->dev->vram;

	if (!gv_fn_is_vf(f))
		return v->bytes;
	return (uint64_t)__atomic_load_n(&v->vf[gv_fn_vf(f)].entries, __ATOMIC_RELAXED)
	       << GV_L2_SHIFT;
}

/* First write through an entry: the PF finds it in its table (live migration, scrubbing). */
static void mark_dirty(struct gv_vram *v, struct gv_vf_mem *m, uint32_t i)
{
	uint64_t *pte = (uint64_t *)(void *)(v->base + m->table + 8ull * i);

	if (atomic_exchange_explicit(&m->entry[i].dirty, true, memory_order_relaxed))
		return;
	(void)__atomic_fetch_or(pte, GV_L2PTE_DIRTY, __ATOMIC_RELAXED);
}

/* How many entries from @i on, as far as @most, are one contiguous piece that permits @access. A
 * write ends where dirty marks begin to be missing. */
static uint32_t join(const struct gv_vf_mem *m, uint32_t i, unsigned access, uint64_t most)
{
	uint32_t n = 1;

	while (n < most && n < MAX_JOIN && i + n < m->entries) {
		const struct gv_l2_entry *e = &m->entry[i + n];

		if (e->chunk != m->entry[i].chunk + n || (access & ~e->access) ||
		    ((access & GV_ACC_W) && !atomic_load_explicit(&e->dirty, memory_order_relaxed)))
			break;
		n++;
	}
	return n;
}

static int find_vf(struct gv_vram *v, struct gv_vf_mem *m, uint64_t fb, unsigned access,
                   uint8_t **host, uint64_t *bytes)
{
	uint64_t off = fb & (GV_L2_PAGE - 1);
	uint32_t i = (uint32_t)(fb >> GV_L2_SHIFT);
	uint64_t want;

	if (fb >> GV_L2_SHIFT >= m->entries || m->entry[i].chunk == GV_NO_CHUNK ||
	    (access & ~m->entry[i].access))
		return -EFAULT;
	if (access & GV_ACC_W)
		mark_dirty(v, m, i);
	*host = v->base + ((uint64_t)m->entry[i].chunk << GV_L2_SHIFT) + off;
	want = (GV_MIN(*bytes, UINT64_MAX - GV_L2_PAGE - off) + off + GV_L2_PAGE - 1) >>
	       GV_L2_SHIFT;
	*bytes = ((uint64_t)join(m, i, access, want) << GV_L2_SHIFT) - off;
	return 0;
}

int gv_vram_find(struct gv_fn *f, uint64_t fb, unsigned access, uint8_t **host, uint64_t *bytes)
{
	struct gv_vram *v = f->dev->vram;

	if (gv_fn_is_vf(f))
		return find_vf(v, &v->vf[gv_fn_vf(f)], fb, access & (GV_ACC_R | GV_ACC_W), host,
		               bytes);
	if (fb >= v->bytes)
		return -EFAULT;
	*host = v->base + fb;
	*bytes = v->bytes - fb;
	return 0;
}

bool gv_vram_dirty(struct gv_fn *f, uint64_t fb)
{
	struct gv_vf_mem *m;

	if (!gv_fn_is_vf(f))
		return true;
	m = &f->dev->vram->vf[gv_fn_vf(f)];
	return fb >> GV_L2_SHIFT < m->entries &&
	       atomic_load_explicit(&m->entry[fb >> GV_L2_SHIFT].dirty, memory_order_relaxed);
}

void gv_vram_fault(struct gv_fn *f, uint64_t fb, unsigned access, unsigned client, unsigned vmid)
{
	struct gv_vram *v = f->dev->vram;
	uint32_t vf, n;

	if (!gv_fn_is_vf(f))
		return;
	vf = gv_fn_vf(f);
	(void)pthread_mutex_lock(&v->fault_lock);
	n = gv_reg_get(f, GV_REG_GVX_VF0_L2_FAULT_COUNT, vf);
	gv_reg_put(f, GV_REG_GVX_VF0_L2_FAULT_COUNT, vf, n + (n != UINT32_MAX));
	gv_reg_put(f, GV_REG_GVX_VF0_L2_FAULT_ADDR_LO, vf, (uint32_t)fb);
	gv_reg_put(f, GV_REG_GVX_VF0_L2_FAULT_ADDR_HI, vf, (uint32_t)(fb >> 32));
	gv_reg_put(f, GV_REG_GVX_VF0_L2_FAULT_STATUS, vf,
	           GV_PUT(GVX_VF0_L2_FAULT_STATUS, VALID, 1) |
	                   GV_PUT(GVX_VF0_L2_FAULT_STATUS, RW, !!(access & GV_ACC_W)) |
	                   GV_PUT(GVX_VF0_L2_FAULT_STATUS, CLIENT, client) |
	                   GV_PUT(GVX_VF0_L2_FAULT_STATUS, VMID, vmid));
	(void)pthread_mutex_unlock(&v->fault_lock);
}

int gv_vram_ptr(struct gv_fn *f, uint64_t fb, unsigned access, uint8_t **host, uint64_t *bytes)
{
	uint64_t have = UINT64_MAX;
	int rc = gv_vram_find(f, fb, access, host, &have);

	if (rc) {
		atomic_fetch_add(&f->count.vm_faults, 1);
		gv_vram_fault(f, fb, access, 0, 0);
		return rc;
	}
	*bytes = have;
	return 0;
}

/* ---- the CPU's side ------------------------------------------------------- */

static bool gate_open(struct gv_fn *f)
{
	return !gv_fn_is_vf(f) || ((GV_RGET(f, GVX_VF_FB_EN) >> gv_fn_vf(f)) & 1);
}

static void access_piecewise(struct gv_fn *f, uint64_t fb, uint8_t *buf, size_t n, bool write)
{
	while (n) {
		uint8_t *host;
		uint64_t have;
		size_t now;

		if (gv_vram_ptr(f, fb, write ? GV_ACC_W : GV_ACC_R, &host, &have)) {
			now = GV_MIN(n, GV_L2_PAGE - (fb & (GV_L2_PAGE - 1)));
			if (!write)
				memset(buf, 0xff, now);
		} else {
			now = GV_MIN(n, have);
			gv_mem_move(host, buf, now, write);
		}
		fb += now;
		buf += now;
		n -= now;
	}
}

void gv_vram_access(struct gv_fn *f, uint64_t fb, void *buf, size_t n, bool write)
{
	if (!gate_open(f) || fb > UINT64_MAX - n) {
		gv_guest_error(f, "frame buffer %s at 0x%llx refused", write ? "write" : "read",
		               (unsigned long long)fb);
		if (!write)
			memset(buf, 0xff, n);
		return;
	}
	gv_fn_mem_enter(f);
	access_piecewise(f, fb, buf, n, write);
	gv_fn_mem_leave(f);
}

/* A descriptor permits reading and writing all it holds, also beyond the aperture: it is handed
 * out only when the table permits the VF no less. */
static int vf_fd_bytes(const struct gv_vf_mem *m, uint64_t aperture, uint64_t *bytes)
{
	uint64_t n = GV_MIN((uint64_t)m->entries << GV_L2_SHIFT, aperture);

	if (n == 0)
		return -ENOTSUP;
	for (uint64_t i = 0; i < m->entries; i++) {
		bool there = m->entry[i].chunk != GV_NO_CHUNK;

		if (there ? m->entry[i].access != (GV_ACC_R | GV_ACC_W) : i < n >> GV_L2_SHIFT)
			return -ENOTSUP;
	}
	*bytes = n;
	return 0;
}

/* Stores through the descriptor are not seen: call all of it dirty. */
static void hand_out(struct gv_vram *v, struct gv_vf_mem *m, uint64_t bytes)
{
	m->handed_out = true;
	for (uint32_t i = 0; i < bytes >> GV_L2_SHIFT; i++)
		mark_dirty(v, m, i);
}

static int dup_fd(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return copy < 0 ? -errno : copy;
}

static int dup_vf_fd(struct gv_fn *f, int *fd, uint64_t *bytes)
{
	struct gv_vram *v = f->dev->vram;
	struct gv_vf_mem *m = &v->vf[gv_fn_vf(f)];
	uint64_t n = 0;
	int rc = vf_fd_bytes(m, f->dev->cfg.vf_bar0_mib * GV_MIB, &n), copy;

	if (rc)
		return rc;
	copy = dup_fd(m->fd);
	if (copy < 0)
		return copy;
	hand_out(v, m, n);
	*fd = copy;
	*bytes = n;
	return 0;
}

int gv_vram_fd(struct gv_fn *f, int *fd, uint64_t *bytes)
{
	struct gv_vram *v = f->dev->vram;
	int rc = 0, copy;

	/* For writing: handed_out belongs to the reloader. */
	(void)pthread_rwlock_wrlock(&f->mem_lock);
	if (gv_fn_is_vf(f)) {
		rc = dup_vf_fd(f, fd, bytes);
	} else {
		copy = dup_fd(v->window_fd);
		if (copy < 0) {
			rc = copy;
		} else {
			*fd = copy;
			*bytes = v->window_bytes;
		}
	}
	(void)pthread_rwlock_unlock(&f->mem_lock);
	return rc;
}

/* ---- registers ------------------------------------------------------------ */

static uint32_t read_zero(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	(void)f, (void)i, (void)stored;
	return 0; /* a frame buffer starts at MC address 0 and is not offset */
}

static uint32_t read_fb_top(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	uint64_t bytes = gv_vram_fb_bytes(f);

	(void)i, (void)stored;
	return bytes ? (uint32_t)((bytes - 1) >> FB_UNIT_SHIFT) : 0;
}

static uint32_t read_vram_mib(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	(void)i, (void)stored;
	return (uint32_t)(f->dev->vram->bytes / GV_MIB);
}

static uint32_t read_window_mib(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	(void)i, (void)stored;
	return (uint32_t)(f->dev->vram->window_bytes / GV_MIB);
}

static void wrote_fault_status(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)was;
	if (GV_GET(now, GVX_VF0_L2_FAULT_STATUS, VALID))
		return;
	gv_reg_put(f, GV_REG_GVX_VF0_L2_FAULT_STATUS, i, 0);
	gv_reg_put(f, GV_REG_GVX_VF0_L2_FAULT_ADDR_LO, i, 0);
	gv_reg_put(f, GV_REG_GVX_VF0_L2_FAULT_ADDR_HI, i, 0);
}

static void wrote_invalidate(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)was;
	if (!(now & 1)) { /* only the device says that it is done */
		gv_reg_put(f, GV_REG_GVX_VF0_L2_INVALIDATE, i,
		           (atomic_load(&f->dev->l2_pending) >> i) & 1);
		return;
	}
	atomic_fetch_or(&f->dev->l2_pending, 1u << i);
	gv_worker_kick(&f->dev->housekeeper);
}

static const struct gv_reg_hook hooks[] = {
        {GV_REG_MC_VM_FB_LOCATION_BASE, NULL, read_zero},
        {GV_REG_MC_VM_FB_LOCATION_TOP, NULL, read_fb_top},
        {GV_REG_MC_VM_FB_OFFSET, NULL, read_zero},
        {GV_REG_MMHUB_MC_VM_FB_LOCATION_BASE, NULL, read_zero},
        {GV_REG_MMHUB_MC_VM_FB_LOCATION_TOP, NULL, read_fb_top},
        {GV_REG_MMHUB_MC_VM_FB_OFFSET, NULL, read_zero},
        {GV_REG_GVX_VRAM_SIZE_MIB, NULL, read_vram_mib},
        {GV_REG_GVX_PF_WINDOW_MIB, NULL, read_window_mib},
        {GV_REG_GVX_VF0_L2_FAULT_STATUS, wrote_fault_status, NULL},
        {GV_REG_GVX_VF0_L2_INVALIDATE, wrote_invalidate, NULL},
};
const struct gv_reg_hooks gv_vram_hooks = {hooks, GV_ARRAY_LEN(hooks)};

/* ---- zeros ---------------------------------------------------------------- */

int gv_vram_file_of(const struct gv_vram *v, uint32_t chunk, uint64_t *off)
{
	uint8_t owner = v->owner[chunk];

	*off = (uint64_t)v->place[chunk] << GV_L2_SHIFT;
	if (chunk < v->window_bytes >> GV_L2_SHIFT)
		return v->window_fd;
	if (owner == GV_CHUNK_LOST)
		return -1;
	return owner == GV_CHUNK_FREE ? v->pool_fd : v->vf[owner - 1].fd;
}

/* Has most of it been written? Looked at in so many places; to look for the end of data would mean
 * to walk through all that is there. */
#define PROBES 4u

static bool is_data(int fd, uint64_t at)
{
	return lseek(fd, (off_t)at, SEEK_DATA) == (off_t)at;
}

static bool is_dense(int fd, uint64_t off, uint64_t n)
{
	for (unsigned i = 1; i < PROBES; i++)
		if (!is_data(fd, off + (n / PROBES * i & ~(uint64_t)(GV_GPU_PAGE - 1))))
			return false;
	return true;
}

/* Whole pages. A memset of this size reads all that it overwrites: that takes half as long again.
 */
static void zero_pages(const struct gv_vram *v, uint8_t *host, uint64_t n)
{
	if (!v->clzero) {
		memset(host, 0, n);
		return;
	}
#ifdef __x86_64__
	for (uint64_t at = 0; at < n; at += 64)
		__asm__ volatile("clzero" : : "a"(host + at) : "memory");
	__asm__ volatile("sfence" : : : "memory");
#endif
}

/* What is visible at @host is in @fd at [off, off + n). Holes are zeros already. To give pages back
 * costs ten times as much as to overwrite them. */
static bool zero_data(const struct gv_vram *v, uint8_t *host, int fd, uint64_t off, uint64_t n)
{
	off_t data = lseek(fd, (off_t)off, SEEK_DATA);

	if (data < 0)
		return errno == ENXIO;
	if ((uint64_t)data >= off + n)
		return true;
	if ((uint64_t)data > off || !is_dense(fd, off, n))
		return madvise(host, n, MADV_REMOVE) == 0;
	zero_pages(v, host, n);
	return true;
}

bool gv_vram_zero(struct gv_dev *dev, uint8_t *host, uint64_t bytes)
{
	const struct gv_vram *v = dev->vram;

	if (bytes < 16 * GV_GPU_PAGE || host < v->base || host >= v->base + v->bytes ||
	    ((uintptr_t)host | bytes) % GV_GPU_PAGE)
		return false;
	while (bytes) {
		uint64_t dev_at = (uint64_t)(host - v->base), in = dev_at % GV_L2_PAGE, off;
		uint64_t n = GV_MIN(bytes, GV_L2_PAGE - in);
		int fd = gv_vram_file_of(v, (uint32_t)(dev_at >> GV_L2_SHIFT), &off);

		if (fd < 0 || !zero_data(v, host, fd, off + in, n))
			memset(host, 0, n);
		host += n;
		bytes -= n;
	}
	return true;
}
