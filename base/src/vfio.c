/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bus over Linux VFIO: real silicon, or a guest's view of an emulated device. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "vfio.h"

#define MAX_VECTORS 64u
#define BIG_PAGE    (2 * GV_MIB)

struct region {
	uint64_t bytes, offset; /* offset inside the device's descriptor */
	uint32_t flags;
	uint8_t *cpu; /* all of it mapped, or NULL */
};

struct dma {
	struct dma *next;
	void *cpu;
	uint64_t iova, bytes;
};

struct mapping {
	struct mapping *next;
	void *cpu;
	size_t bytes;
};

struct vfio {
	struct gv_bus bus; /* first: ops get a pointer to it */
	const struct gv_log *log;
	const struct gv_vfio_sys *sys;
	struct vfio_facts facts;
	struct vfio_link link;
	struct region region[GV_REGION_COUNT];
	unsigned num_vectors;
	int eventfd[MAX_VECTORS];
	bool vectors_on;
	struct dma *dma;
	struct mapping *mappings;
	struct gv_iova iova;
};

static int call(struct vfio *v, unsigned long request, void *data)
{
	return v->sys->ioctl(v->sys->arg, v->link.device, request, data);
}

/* ---- regions ----------------------------------------------------------------- */

static int check_range(const struct vfio *v, enum gv_region region, uint64_t off, uint64_t n)
{
	if ((unsigned)region >= GV_REGION_COUNT || off > v->region[region].bytes ||
	    n > v->region[region].bytes - off)
		return -ERANGE;
	return 0;
}

static int vfio_read(struct gv_bus *bus, enum gv_region region, uint64_t off, void *buf, size_t n)
{
	struct vfio *v = (struct vfio *)bus;
	int rc = check_range(v, region, off, n);
	ssize_t got;

	if (rc)
		return rc;
	got = v->sys->pread(v->sys->arg, v->link.device, buf, n, v->region[region].offset + off);
	if (got < 0)
		return (int)got;
	return (size_t)got == n ? 0 : -EIO;
}

static int vfio_write(struct gv_bus *bus, enum gv_region region, uint64_t off, const void *buf,
                      size_t n)
{
	struct vfio *v = (struct vfio *)bus;
	int rc = check_range(v, region, off, n);
	ssize_t put;

	if (rc)
		return rc;
	put = v->sys->pwrite(v->sys->arg, v->link.device, buf, n, v->region[region].offset + off);
	if (put < 0)
		return (int)put;
	return (size_t)put == n ? 0 : -EIO;
}

static uint32_t vfio_read32(struct gv_bus *bus, uint32_t byte)
{
	const struct region *r = &((struct vfio *)bus)->region[GV_REGION_MMIO];
	uint32_t val = UINT32_MAX;

	if (r->cpu && byte % 4 == 0 && byte < r->bytes)
		return *(const volatile uint32_t *)(const void *)(r->cpu + byte);
	if (vfio_read(bus, GV_REGION_MMIO, byte, &val, sizeof(val)))
		return UINT32_MAX;
	return val;
}

static void vfio_write32(struct gv_bus *bus, uint32_t byte, uint32_t val)
{
	const struct region *r = &((struct vfio *)bus)->region[GV_REGION_MMIO];

	if (r->cpu && byte % 4 == 0 && byte < r->bytes)
		*(volatile uint32_t *)(void *)(r->cpu + byte) = val;
	else
		(void)vfio_write(bus, GV_REGION_MMIO, byte, &val, sizeof(val));
}

static void vfio_doorbell64(struct gv_bus *bus, uint32_t byte, uint64_t val)
{
	const struct region *r = &((struct vfio *)bus)->region[GV_REGION_DOORBELL];

	if (r->cpu && byte % 8 == 0 && byte < r->bytes)
		*(volatile uint64_t *)(void *)(r->cpu + byte) = val;
	else
		(void)vfio_write(bus, GV_REGION_DOORBELL, byte, &val, sizeof(val));
}

static int vfio_region_bytes(struct gv_bus *bus, enum gv_region region, uint64_t *bytes)
{
	const struct vfio *v = (struct vfio *)bus;

	if ((unsigned)region >= GV_REGION_COUNT || v->region[region].bytes == 0)
		return -ENOENT;
	*bytes = v->region[region].bytes;
	return 0;
}

static int vfio_map(struct gv_bus *bus, enum gv_region region, uint64_t off, uint64_t bytes,
                    void **cpu)
{
	struct vfio *v = (struct vfio *)bus;
	gv_auto_free struct mapping *m = NULL;
	int rc = check_range(v, region, off, bytes);

	if (rc || bytes == 0)
		return -ERANGE;
	if (!(v->region[region].flags & VFIO_REGION_INFO_FLAG_MMAP))
		return -ENOTSUP;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->bytes = bytes;
	rc = v->sys->mmap(v->sys->arg, v->link.device, v->region[region].offset + off, bytes,
	                  &m->cpu);
	if (rc)
		return rc;
	*cpu = m->cpu;
	m->next = v->mappings;
	v->mappings = m;
	m = NULL; /* the bus owns it now */
	return 0;
}

/* ---- DMA ------------------------------------------------------------------- */

/* Pinned memory costs the IOMMU one entry per page: large pages where there are any. */
static void *get_memory(uint64_t bytes)
{
	const int prot = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
	void *p = MAP_FAILED;

	if (bytes % BIG_PAGE == 0)
		p = mmap(NULL, bytes, prot, flags | MAP_HUGETLB | MAP_POPULATE, -1, 0);
	if (p != MAP_FAILED)
		return p;
	p = mmap(NULL, bytes, prot, flags, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	(void)madvise(p, bytes, MADV_HUGEPAGE);
	(void)madvise(p, bytes, MADV_DONTFORK); /* a child's copy must not take our pages */
	return p;
}

/* Without an IOMMU the device sees physical addresses: only a huge page is contiguous, and stays
 * where it is. */
static int physical(struct vfio *v, const void *cpu, uint64_t *iova)
{
	uint64_t entry = 0, at = (uint64_t)(uintptr_t)cpu / 4096 * sizeof(entry);
	int fd = v->sys->open(v->sys->arg, "/proc/self/pagemap", O_RDONLY);
	ssize_t got;

	if (fd < 0)
		return fd;
	got = v->sys->pread(v->sys->arg, fd, &entry, sizeof(entry), at);
	(void)v->sys->close(v->sys->arg, fd);
	if (got != sizeof(entry) || !(entry >> 63) || !(entry & ((1ull << 55) - 1)))
		return -EPERM; /* the kernel hides frame numbers from the unprivileged */
	*iova = (entry & ((1ull << 55) - 1)) * 4096;
	return 0;
}

static int give_physical(struct vfio *v, struct dma *d)
{
	if (d->bytes > BIG_PAGE)
		return -ENOTSUP;
	d->bytes = BIG_PAGE;
	d->cpu = mmap(NULL, BIG_PAGE, PROT_READ | PROT_WRITE,
	              MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE | MAP_LOCKED, -1, 0);
	if (d->cpu == MAP_FAILED) {
		d->cpu = NULL;
		return -ENOMEM;
	}
	return physical(v, d->cpu, &d->iova);
}

static int give_mapped(struct vfio *v, struct dma *d)
{
	int rc;

	d->cpu = get_memory(d->bytes);
	if (!d->cpu)
		return -ENOMEM;
	rc = gv_iova_get(&v->iova, d->bytes, &d->iova);
	if (rc)
		return rc;
	rc = gv_vfio_dma_map(&v->link, d->cpu, d->iova, d->bytes);
	if (rc) {
		gv_iova_put(&v->iova, d->iova);
		if (rc == -ENOMEM)
			gv_logf(v->log, GV_LOG_WARN,
			        "%s: %llu KiB of DMA memory refused: is RLIMIT_MEMLOCK too low?",
			        v->bus.name, (unsigned long long)(d->bytes / GV_KIB));
	}
	return rc;
}

static int vfio_dma_alloc(struct gv_bus *bus, uint64_t bytes, struct gv_dma *dma)
{
	struct vfio *v = (struct vfio *)bus;
	struct dma *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return -ENOMEM;
	d->bytes = bytes;
	rc = v->link.noiommu ? give_physical(v, d) : give_mapped(v, d);
	if (rc) {
		if (d->cpu)
			(void)munmap(d->cpu, d->bytes);
		free(d);
		return rc;
	}
	d->next = v->dma;
	v->dma = d;
	*dma = (struct gv_dma){.cpu = d->cpu, .iova = d->iova, .bytes = bytes, .priv = d};
	return 0;
}

static void free_dma(struct vfio *v, struct dma *d)
{
	if (!v->link.noiommu) {
		(void)gv_vfio_dma_unmap(&v->link, d->iova, d->bytes);
		gv_iova_put(&v->iova, d->iova);
	}
	(void)munmap(d->cpu, d->bytes);
	free(d);
}

static void vfio_dma_free(struct gv_bus *bus, struct gv_dma *dma)
{
	struct vfio *v = (struct vfio *)bus;

	for (struct dma **at = &v->dma; *at; at = &(*at)->next)
		if (*at == dma->priv) {
			*at = (*at)->next;
			break;
		}
	free_dma(v, dma->priv);
}

/* ---- interrupts ---------------------------------------------------------------- */

static int set_vectors(struct vfio *v, unsigned start, unsigned count)
{
	uint32_t buf[(sizeof(struct vfio_irq_set) + sizeof(v->eventfd)) / sizeof(uint32_t)];
	const size_t bytes = sizeof(struct vfio_irq_set) + count * sizeof(int32_t);
	const struct vfio_irq_set head = {.argsz = (uint32_t)bytes,
	                                  .flags = VFIO_IRQ_SET_DATA_EVENTFD |
	                                           VFIO_IRQ_SET_ACTION_TRIGGER,
	                                  .index = VFIO_PCI_MSIX_IRQ_INDEX,
	                                  .start = start,
	                                  .count = count};

	memcpy(buf, &head, sizeof(head));
	memcpy((uint8_t *)buf + sizeof(head), &v->eventfd[start], count * sizeof(int32_t));
	return call(v, VFIO_DEVICE_SET_IRQS, buf);
}

/* Before Linux 6.5 vectors cannot be added later: the first call takes them all, empty. */
static int vfio_irq_enable(struct gv_bus *bus, unsigned vector, int *eventfd_out)
{
	struct vfio *v = (struct vfio *)bus;
	int rc;

	if (vector >= v->num_vectors)
		return -EINVAL;
	if (v->eventfd[vector] < 0) {
		v->eventfd[vector] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (v->eventfd[vector] < 0)
			return -errno;
		rc = v->vectors_on ? set_vectors(v, vector, 1) : set_vectors(v, 0, v->num_vectors);
		if (rc) {
			gv_closep(&v->eventfd[vector]);
			return rc;
		}
		v->vectors_on = true;
	}
	*eventfd_out = v->eventfd[vector];
	return 0;
}

/* ---- life ---------------------------------------------------------------------- */

/* VFIO leaves bus mastering off; memory decoding is restored by some resets only. */
static int enable_dma(struct vfio *v)
{
	uint16_t command;
	int rc = gv_bus_read(&v->bus, GV_REGION_CONFIG, PCI_COMMAND, &command, sizeof(command));

	if (rc)
		return rc;
	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	return gv_bus_write(&v->bus, GV_REGION_CONFIG, PCI_COMMAND, &command, sizeof(command));
}

static int vfio_reset(struct gv_bus *bus)
{
	struct vfio *v = (struct vfio *)bus;
	int rc = call(v, VFIO_DEVICE_RESET, NULL);

	if (rc)
		return rc == -ENOTTY || rc == -EINVAL ? -ENOTSUP : rc;
	return enable_dma(v);
}

static int vfio_status(struct gv_bus *bus)
{
	uint16_t vendor = 0;
	int rc = gv_bus_read(bus, GV_REGION_CONFIG, PCI_VENDOR_ID, &vendor, sizeof(vendor));

	if (rc)
		return rc;
	return vendor == UINT16_MAX ? -ENODEV : 0;
}

static int vfio_enable_vfs(struct gv_bus *bus, unsigned num_vfs)
{
	struct vfio *v = (struct vfio *)bus;
	struct gv_err err = {0};
	int rc = gv_vfio_sysfs_numvfs(v->sys, v->facts.bdf, num_vfs, &err);

	if (rc &&
	    err.code) /* the interface has room for a number only: the reason goes to the log */
		gv_logf(v->log, GV_LOG_ERR, "%s", err.text);
	return rc;
}

static void vfio_close(struct gv_bus *bus)
{
	struct vfio *v = (struct vfio *)bus;

	while (v->mappings) {
		struct mapping *m = v->mappings;

		v->mappings = m->next;
		(void)v->sys->munmap(v->sys->arg, m->cpu, m->bytes);
		free(m);
	}
	while (v->dma) {
		struct dma *d = v->dma;

		v->dma = d->next;
		free_dma(v, d);
	}
	gv_iova_done(&v->iova);
	gv_vfio_detach(&v->link);
	for (unsigned i = 0; i < MAX_VECTORS; i++)
		gv_closep(&v->eventfd[i]);
	free(v);
}

static const struct gv_bus_ops vfio_ops = {
        .read32 = vfio_read32,
        .write32 = vfio_write32,
        .doorbell64 = vfio_doorbell64,
        .read = vfio_read,
        .write = vfio_write,
        .region_bytes = vfio_region_bytes,
        .map = vfio_map,
        .dma_alloc = vfio_dma_alloc,
        .dma_free = vfio_dma_free,
        .irq_enable = vfio_irq_enable,
        .reset = vfio_reset,
        .status = vfio_status,
        .enable_vfs = vfio_enable_vfs,
        .close = vfio_close,
};

/* ---- opening -------------------------------------------------------------------- */

static int learn_region(struct vfio *v, unsigned index, struct gv_err *err)
{
	struct vfio_region_info info = {.argsz = sizeof(info), .index = index};
	int rc = call(v, VFIO_DEVICE_GET_REGION_INFO, &info);

	if (rc == -EINVAL && index > GV_REGION_CONFIG)
		return 0; /* VGA: only VGA devices have it */
	if (rc)
		return gv_fail(err, rc, "%s: region %u: %s", v->facts.bdf, index, strerror(-rc));
	v->region[index] =
	        (struct region){.bytes = info.size, .offset = info.offset, .flags = info.flags};
	return 0;
}

/* Registers and doorbells are mapped where that is possible; without, each access is a call. */
static void map_hot(struct vfio *v, enum gv_region region)
{
	void *p;

	if (v->region[region].bytes &&
	    vfio_map(&v->bus, region, 0, v->region[region].bytes, &p) == 0)
		v->region[region].cpu = p;
}

static int learn(struct vfio *v, struct gv_err *err)
{
	struct vfio_device_info info = {.argsz = sizeof(info)};
	struct vfio_irq_info irq = {.argsz = sizeof(irq), .index = VFIO_PCI_MSIX_IRQ_INDEX};
	int rc = call(v, VFIO_DEVICE_GET_INFO, &info);

	if (rc)
		return gv_fail(err, rc, "%s: device information: %s", v->facts.bdf, strerror(-rc));
	if (!(info.flags & VFIO_DEVICE_FLAGS_PCI) || info.num_regions <= GV_REGION_CONFIG)
		return gv_fail(err, -ENODEV, "%s is no PCI function", v->facts.bdf);
	for (unsigned i = 0; !rc && i < GV_MIN(info.num_regions, (uint32_t)GV_REGION_COUNT); i++)
		rc = learn_region(v, i, err);
	if (rc)
		return rc;
	if (call(v, VFIO_DEVICE_GET_IRQ_INFO, &irq) == 0)
		v->num_vectors = GV_MIN(irq.count, MAX_VECTORS);
	rc = enable_dma(v);
	if (rc)
		return gv_fail(err, rc, "%s: configuration space: %s", v->facts.bdf, strerror(-rc));
	map_hot(v, GV_REGION_MMIO);
	map_hot(v, GV_REGION_DOORBELL);
	return 0;
}

static struct vfio *new_bus(const struct gv_vfio_sys *sys, const char *bdf,
                            const struct gv_log *log)
{
	struct vfio *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->bus.ops = &vfio_ops;
	v->sys = sys;
	v->log = log;
	for (unsigned i = 0; i < MAX_VECTORS; i++)
		v->eventfd[i] = -1;
	gv_vfio_link_init(&v->link, sys);
	(void)snprintf(v->bus.name, sizeof(v->bus.name), "vfio:%s", bdf);
	return v;
}

/* @rc: of what came before. */
static int finish_open(struct vfio *v, int rc, struct gv_bus **bus, struct gv_err *err)
{
	if (!rc)
		rc = learn(v, err);
	if (rc)
		vfio_close(&v->bus);
	else
		*bus = &v->bus;
	return rc;
}

int gv_vfio_open_sys(const struct gv_vfio_sys *sys, const char *bdf, const uint8_t *token,
                     const struct gv_log *log, struct gv_bus **bus, struct gv_err *err)
{
	struct vfio *v = new_bus(sys, bdf, log);
	int rc;

	if (!v)
		return gv_fail(err, -ENOMEM, "out of memory");
	rc = gv_vfio_find(sys, bdf, &v->facts, err);
	if (!rc)
		rc = gv_vfio_attach(&v->link, &v->facts, token, log, err);
	return finish_open(v, rc, bus, err);
}

int gv_vfio_get_fds(struct gv_bus *bus, struct gv_vfio_fds *fds)
{
	const struct vfio *v = (struct vfio *)bus;

	if (bus->ops != &vfio_ops)
		return -ENOTSUP;
	*fds = (struct gv_vfio_fds){.device = v->link.device,
	                            .group = v->link.group,
	                            .container = v->link.container,
	                            .iommufd = v->link.iommufd,
	                            .ioas = v->link.ioas};
	return 0;
}

/* Interrupts would ring eventfds, and DMA would go to memory, that nobody has any more. */
static int drop_what_was(struct vfio *v, struct gv_err *err)
{
	struct vfio_irq_set none = {.argsz = sizeof(none),
	                            .flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
	                            .index = VFIO_PCI_MSIX_IRQ_INDEX};
	int rc = call(v, VFIO_DEVICE_SET_IRQS, &none);

	if (rc && rc != -EINVAL) /* -EINVAL: none were on */
		return gv_fail(err, rc, "%s: the interrupts of before: %s", v->facts.bdf,
		               strerror(-rc));
	rc = gv_vfio_dma_unmap_all(&v->link);
	return rc ? gv_fail(err, rc, "%s: the DMA mappings of before: %s", v->facts.bdf,
	                    strerror(-rc))
	          : 0;
}

int gv_vfio_open_fds_sys(const struct gv_vfio_sys *sys, const char *bdf,
                         const struct gv_vfio_fds *fds, const struct gv_log *log,
                         struct gv_bus **bus, struct gv_err *err)
{
	struct vfio *v = new_bus(sys, bdf, log);
	bool one = fds->iommufd >= 0, other = fds->group >= 0 && fds->container >= 0;
	int rc;

	if (!v)
		return gv_fail(err, -ENOMEM, "out of memory");
	v->link.device = fds->device;
	v->link.group = fds->group;
	v->link.container = fds->container;
	v->link.iommufd = fds->iommufd;
	v->link.ioas = fds->ioas;
	rc = fds->device >= 0 && one != other
	             ? gv_vfio_find(sys, bdf, &v->facts, err)
	             : gv_fail(err, -EBADF, "%s: what was kept is no open VFIO device", bdf);
	v->link.noiommu = v->facts.noiommu;
	if (!rc)
		rc = drop_what_was(v, err);
	return finish_open(v, rc, bus, err);
}

int gv_vfio_open_fds(const char *bdf, const struct gv_vfio_fds *fds, const struct gv_log *log,
                     struct gv_bus **bus, struct gv_err *err)
{
	return gv_vfio_open_fds_sys(gv_vfio_real(), bdf, fds, log, bus, err);
}

int gv_vfio_open(const char *bdf, const uint8_t *token, const struct gv_log *log,
                 struct gv_bus **bus, struct gv_err *err)
{
	return gv_vfio_open_sys(gv_vfio_real(), bdf, token, log, bus, err);
}

/* ---- VF tokens -------------------------------------------------------------------- */

int gv_vfio_set_vf_token(struct gv_bus *bus, const uint8_t token[16])
{
	uint32_t buf[(sizeof(struct vfio_device_feature) + 16) / sizeof(uint32_t)];
	const struct vfio_device_feature head = {.argsz = sizeof(buf),
	                                         .flags = VFIO_DEVICE_FEATURE_SET |
	                                                  VFIO_DEVICE_FEATURE_PCI_VF_TOKEN};
	int rc;

	if (bus->ops != &vfio_ops)
		return -ENOTSUP;
	memcpy(buf, &head, sizeof(head));
	memcpy((uint8_t *)buf + sizeof(head), token, 16);
	rc = call((struct vfio *)bus, VFIO_DEVICE_FEATURE, buf);
	return rc == -ENOTTY || rc == -EINVAL ? -ENOTSUP : rc;
}
