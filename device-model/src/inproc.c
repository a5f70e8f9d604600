/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The in-process front end: a struct gv_bus per function over gv_dev_*(), and the host side of a
 * device that was made without one. DMA memory is anonymous memory at made-up bus addresses,
 * interrupts are eventfds.
 */
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "device.h"

#define FIRST_IOVA (4ull << 30)
#define IOVA_GUARD 4096u /* between two pieces: running off one end hits nothing */
#define MAX_PIECES 4096u

struct piece {
	uint64_t iova, bytes;
	uint8_t *cpu;
};

struct side { /* what one function's driver has set up */
	pthread_mutex_t lock;
	struct piece *piece;
	unsigned count;
	uint64_t next_iova;
	int irq_fd[GV_MSIX_VECTORS];
};

struct gv_inproc {
	struct side side[GV_DEV_MAX_FUNCS];
};

struct inproc_bus {
	struct gv_bus bus;
	struct gv_dev *dev;
	unsigned func;
	void *mapped[GV_REGION_COUNT];
	uint64_t mapped_bytes[GV_REGION_COUNT];
};

static struct inproc_bus *of(struct gv_bus *bus)
{
	return (struct inproc_bus *)(void *)bus;
}

static struct side *side_of(struct gv_bus *bus)
{
	return &of(bus)->dev->inproc->side[of(bus)->func];
}

/* ---- host side: what the engines call ----------------------------------------- */

static void *host_dma_ptr(void *arg, unsigned func, uint64_t iova, uint64_t *bytes, bool write)
{
	struct gv_dev *dev = arg;
	struct side *s = &dev->inproc->side[func];
	void *cpu = NULL;

	(void)write;
	(void)pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < s->count && !cpu; i++) {
		const struct piece *p = &s->piece[i];

		if (iova < p->iova || iova - p->iova >= p->bytes)
			continue;
		cpu = p->cpu + (iova - p->iova);
		*bytes = GV_MIN(*bytes, p->bytes - (iova - p->iova));
	}
	(void)pthread_mutex_unlock(&s->lock);
	return cpu;
}

static void host_irq(void *arg, unsigned func, unsigned vector)
{
	struct gv_dev *dev = arg;
	struct side *s = &dev->inproc->side[func];
	uint64_t one = 1;
	int fd;

	if (vector >= GV_MSIX_VECTORS)
		return;
	(void)pthread_mutex_lock(&s->lock);
	fd = s->irq_fd[vector];
	if (fd >= 0 && write(fd, &one, sizeof(one)) < 0)
		gv_logf(dev->log, GV_LOG_WARN, "eventfd of vector %u is full, interrupt merged",
		        vector);
	(void)pthread_mutex_unlock(&s->lock);
}

int gv_inproc_new(struct gv_dev *dev)
{
	struct gv_inproc *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	for (unsigned f = 0; f < GV_DEV_MAX_FUNCS; f++) {
		(void)pthread_mutex_init(&p->side[f].lock, NULL);
		p->side[f].next_iova = FIRST_IOVA;
		for (unsigned v = 0; v < GV_MSIX_VECTORS; v++)
			p->side[f].irq_fd[v] = -1;
	}
	dev->inproc = p;
	dev->host = (struct gv_dev_host){
	        .arg = dev, .dma_ptr = host_dma_ptr, .irq = host_irq, .prompt = true};
	return 0;
}

static void drop_side(struct side *s)
{
	for (unsigned i = 0; i < s->count; i++)
		(void)munmap(s->piece[i].cpu, s->piece[i].bytes);
	free(s->piece);
	s->piece = NULL;
	s->count = 0;
	for (unsigned v = 0; v < GV_MSIX_VECTORS; v++)
		gv_closep(&s->irq_fd[v]);
}

void gv_inproc_free(struct gv_dev *dev)
{
	if (!dev->inproc)
		return;
	for (unsigned f = 0; f < GV_DEV_MAX_FUNCS; f++) {
		drop_side(&dev->inproc->side[f]);
		(void)pthread_mutex_destroy(&dev->inproc->side[f].lock);
	}
	free(dev->inproc);
	dev->inproc = NULL;
}

/* ---- the bus ------------------------------------------------------------------- */

static int bus_read(struct gv_bus *bus, enum gv_region region, uint64_t off, void *buf, size_t n)
{
	return gv_dev_read(of(bus)->dev, of(bus)->func, region, off, buf, n);
}

static int bus_write(struct gv_bus *bus, enum gv_region region, uint64_t off, const void *buf,
                     size_t n)
{
	return gv_dev_write(of(bus)->dev, of(bus)->func, region, off, buf, n);
}

static uint32_t bus_read32(struct gv_bus *bus, uint32_t byte)
{
	uint32_t v = 0;

	return bus_read(bus, GV_REGION_MMIO, byte, &v, sizeof(v)) ? UINT32_MAX : v;
}

static void bus_write32(struct gv_bus *bus, uint32_t byte, uint32_t val)
{
	(void)bus_write(bus, GV_REGION_MMIO, byte, &val, sizeof(val));
}

static void bus_doorbell64(struct gv_bus *bus, uint32_t byte, uint64_t val)
{
	(void)bus_write(bus, GV_REGION_DOORBELL, byte, &val, sizeof(val));
}

static int bus_region_bytes(struct gv_bus *bus, enum gv_region region, uint64_t *bytes)
{
	uint64_t n = gv_dev_region_bytes(of(bus)->dev, of(bus)->func, region);

	if (!n)
		return -ENOENT;
	*bytes = n;
	return 0;
}

static int map_whole(struct inproc_bus *b, enum gv_region region)
{
	gv_auto_fd int fd = -1;
	uint64_t bytes = 0;
	void *cpu;
	int rc = gv_dev_region_fd(b->dev, b->func, region, &fd, &bytes);

	if (rc)
		return rc;
	cpu = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (cpu == MAP_FAILED)
		return -errno;
	b->mapped[region] = cpu;
	b->mapped_bytes[region] = bytes;
	return 0;
}

static int bus_map(struct gv_bus *bus, enum gv_region region, uint64_t off, uint64_t bytes,
                   void **cpu)
{
	struct inproc_bus *b = of(bus);
	int rc = 0;

	if (region >= GV_REGION_COUNT)
		return -ENOENT;
	if (!b->mapped[region])
		rc = map_whole(b, region);
	if (rc)
		return rc;
	if (off > b->mapped_bytes[region] || bytes > b->mapped_bytes[region] - off)
		return -ERANGE;
	*cpu = (uint8_t *)b->mapped[region] + off;
	return 0;
}

static int add_piece(struct side *s, uint8_t *cpu, uint64_t bytes, uint64_t *iova)
{
	struct piece *grown;

	if (s->count == MAX_PIECES)
		return -ENOSPC;
	grown = realloc(s->piece, (s->count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	s->piece = grown;
	grown[s->count++] = (struct piece){.iova = s->next_iova, .bytes = bytes, .cpu = cpu};
	*iova = s->next_iova;
	s->next_iova += bytes + IOVA_GUARD;
	return 0;
}

static int bus_dma_alloc(struct gv_bus *bus, uint64_t bytes, struct gv_dma *dma)
{
	struct side *s = side_of(bus);
	uint64_t iova = 0;
	void *cpu = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int rc;

	if (cpu == MAP_FAILED)
		return -ENOMEM;
	(void)pthread_mutex_lock(&s->lock);
	rc = add_piece(s, cpu, bytes, &iova);
	(void)pthread_mutex_unlock(&s->lock);
	if (rc) {
		(void)munmap(cpu, bytes);
		return rc;
	}
	*dma = (struct gv_dma){.cpu = cpu, .iova = iova, .bytes = bytes};
	return 0;
}

static void bus_dma_free(struct gv_bus *bus, struct gv_dma *dma)
{
	struct side *s = side_of(bus);

	(void)pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < s->count; i++)
		if (s->piece[i].iova == dma->iova) {
			s->piece[i] = s->piece[--s->count];
			break;
		}
	(void)pthread_mutex_unlock(&s->lock);
	gv_dev_dma_changed(of(bus)->dev, of(bus)->func, dma->iova, dma->bytes);
	(void)munmap(dma->cpu, dma->bytes);
}

static int bus_irq_enable(struct gv_bus *bus, unsigned vector, int *eventfd_out)
{
	struct side *s = side_of(bus);
	int rc = 0;

	if (vector >= GV_MSIX_VECTORS)
		return -EINVAL;
	(void)pthread_mutex_lock(&s->lock);
	if (s->irq_fd[vector] < 0)
		s->irq_fd[vector] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->irq_fd[vector] < 0)
		rc = -errno;
	else
		*eventfd_out = s->irq_fd[vector];
	(void)pthread_mutex_unlock(&s->lock);
	return rc;
}

static int bus_reset(struct gv_bus *bus)
{
	return gv_dev_reset(of(bus)->dev, of(bus)->func);
}

static int bus_status(struct gv_bus *bus)
{
	unsigned func = of(bus)->func;

	return func == GV_DEV_PF || func <= gv_dev_num_vfs(of(bus)->dev) ? 0 : -ENODEV;
}

/* As a vfio device does: the function is reset, then its memory goes. */
static void bus_close(struct gv_bus *bus)
{
	struct inproc_bus *b = of(bus);
	struct side *s = side_of(bus);

	for (unsigned r = 0; r < GV_REGION_COUNT; r++)
		if (b->mapped[r])
			(void)munmap(b->mapped[r], b->mapped_bytes[r]);
	if (bus_status(bus) == 0)
		(void)gv_dev_reset(b->dev, b->func);
	gv_dev_dma_changed(b->dev, b->func, 0, UINT64_MAX);
	(void)pthread_mutex_lock(&s->lock);
	drop_side(s);
	(void)pthread_mutex_unlock(&s->lock);
	gv_dev_client_gone(b->dev, b->func);
	free(b);
}

static const struct gv_bus_ops ops = {
        .read32 = bus_read32,
        .write32 = bus_write32,
        .doorbell64 = bus_doorbell64,
        .read = bus_read,
        .write = bus_write,
        .region_bytes = bus_region_bytes,
        .map = bus_map,
        .dma_alloc = bus_dma_alloc,
        .dma_free = bus_dma_free,
        .irq_enable = bus_irq_enable,
        .reset = bus_reset,
        .status = bus_status,
        .close = bus_close,
};

int gv_dev_bus(struct gv_dev *dev, unsigned func, struct gv_bus **bus, struct gv_err *err)
{
	struct inproc_bus *b;

	if (!dev->inproc)
		return gv_fail(err, -EINVAL,
		               "this device has a front end of its own, so no bus in "
		               "process");
	if (func > gv_dev_max_vfs(dev))
		return gv_fail(err, -ENODEV, "function %u asked, 0 to %u exist", func,
		               gv_dev_max_vfs(dev));
	b = calloc(1, sizeof(*b));
	if (!b)
		return gv_fail(err, -ENOMEM, "no memory for a bus");
	b->bus.ops = &ops;
	b->dev = dev;
	b->func = func;
	(void)snprintf(b->bus.name, sizeof(b->bus.name), func ? "inproc:VF%u" : "inproc:PF",
	               func - 1);
	*bus = &b->bus;
	return 0;
}
