/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The recorder: a bus around a bus. One lock is held over each access and its record, so the
 * file's order is the device's. Interrupts pass through a thread that records them first.
 *
 * Memory meets around an access: what the driver wrote goes to the device before it, what the
 * device wrote comes to the driver behind it. A replay does it at the same places.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "clock.h"
#include "record.h"

#define STOP UINT32_MAX

struct recorder {
	struct gv_bus bus;     /* first: ops get a pointer to it */
	struct gv_bus_ops ops; /* enable_vfs only if the inner one has it */
	struct gv_bus *inner;
	const struct gv_log *log;
	struct gv_clock *clock;
	pthread_mutex_t lock; /* all below, but not vectors */
	uint64_t time_ns;     /* of the next record */
	struct gv_record_writer file;
	struct gv_shadow *shadows;
	int lost;
	bool told;
	/* interrupts */
	pthread_t thread;
	int epoll, stop;
	struct vector {
		int inner, ours; /* inner: borrowed; ours: -1 off */
	} vector[GV_RECORD_VECTORS];
};

static struct recorder *of(struct gv_bus *bus)
{
	return (struct recorder *)(void *)bus;
}

/* ---- under the lock ---------------------------------------------------------------- */

static void add(struct recorder *r, enum gv_record_type type, enum gv_region region, int rc,
                uint64_t off, const void *data, size_t bytes)
{
	const struct gv_record rec = {.type = (uint8_t)type,
	                              .region = (uint8_t)region,
	                              .rc = (int16_t)rc,
	                              .bytes = (uint32_t)bytes,
	                              .time_ns = r->time_ns,
	                              .off = off};

	if (gv_record_add(&r->file, &rec, data))
		gv_logf(r->log, GV_LOG_WARN,
		        "the record has reached its %llu MiB, continuing without one",
		        (unsigned long long)(r->file.limit / GV_MIB));
	if (r->file.failed && !r->told)
		gv_logf(r->log, GV_LOG_WARN, "writing the record: %s, continuing without one",
		        strerror(-r->file.failed));
	r->told = r->told || r->file.failed;
}

static void add_value(struct recorder *r, enum gv_record_type type, int rc, uint64_t off,
                      const uint64_t *value)
{
	add(r, type, 0, rc, off, value, value ? sizeof(*value) : 0);
}

static void to_device(void *arg, struct gv_shadow *s, uint64_t off, const uint8_t *data,
                      uint32_t bytes)
{
	struct recorder *r = arg;

	memcpy((uint8_t *)s->device.cpu + off, data, bytes);
	r->time_ns = gv_real_ns();
	add(r, GV_RECORD_DMA_OUT, 0, 0, s->iova + off, data, bytes);
}

static void to_driver(void *arg, struct gv_shadow *s, uint64_t off, const uint8_t *data,
                      uint32_t bytes)
{
	struct recorder *r = arg;

	memcpy(s->driver + off, data, bytes);
	r->time_ns = gv_real_ns();
	add(r, GV_RECORD_DMA_IN, 0, 0, s->iova + off, data, bytes);
}

static void sync_out(struct recorder *r)
{
	for (struct gv_shadow *s = r->shadows; s; s = s->next)
		gv_shadow_diff(s, s->driver, to_device, r);
	gv_dma_to_device();
}

static void sync_in(struct recorder *r)
{
	gv_dma_from_device();
	for (struct gv_shadow *s = r->shadows; s; s = s->next)
		gv_shadow_diff(s, s->device.cpu, to_driver, r);
}

static void begin(struct recorder *r)
{
	(void)pthread_mutex_lock(&r->lock);
	gv_clock_rest(r->clock); /* the inner bus looks at the machine's */
	sync_out(r);
	r->time_ns = gv_real_ns();
}

/* The thread that does accesses is the one whose time counts. */
static void end(struct recorder *r)
{
	gv_clock_use(r->clock);
	(void)pthread_mutex_unlock(&r->lock);
}

static uint64_t on_time(void *arg, uint64_t real_ns)
{
	struct recorder *r = arg;

	begin(r);
	r->time_ns = real_ns;
	add_value(r, GV_RECORD_TIME, 0, real_ns, NULL);
	sync_in(r);
	end(r);
	return real_ns;
}

static uint64_t on_chance(void *arg, uint64_t real)
{
	struct recorder *r = arg;

	begin(r);
	add_value(r, GV_RECORD_CHANCE, 0, real, NULL);
	end(r);
	return real;
}

/* ---- accesses ------------------------------------------------------------------------ */

static int piece(struct gv_bus *bus, bool write, enum gv_region region, uint64_t off, void *buf,
                 size_t n)
{
	struct recorder *r = of(bus);
	int rc;

	begin(r);
	rc = write ? gv_bus_write(r->inner, region, off, buf, n)
	           : gv_bus_read(r->inner, region, off, buf, n);
	add(r, write ? GV_RECORD_WRITE : GV_RECORD_READ, region, rc, off, buf, n);
	if (!write)
		sync_in(r);
	end(r);
	return rc;
}

static int pieces(struct gv_bus *bus, bool write, enum gv_region region, uint64_t off, void *buf,
                  size_t n)
{
	int rc = n ? 0 : piece(bus, write, region, off, buf, 0);

	for (size_t at = 0; !rc && at < n; at += GV_RECORD_MAX_BYTES)
		rc = piece(bus, write, region, off + at, (uint8_t *)buf + at,
		           GV_MIN((size_t)GV_RECORD_MAX_BYTES, n - at));
	return rc;
}

static int rec_read(struct gv_bus *bus, enum gv_region region, uint64_t off, void *buf, size_t n)
{
	return pieces(bus, false, region, off, buf, n);
}

static int rec_write(struct gv_bus *bus, enum gv_region region, uint64_t off, const void *buf,
                     size_t n)
{
	return pieces(bus, true, region, off, (void *)(uintptr_t)buf, n);
}

/* By the inner bus's own short way, which says nothing of errors. */
static uint32_t rec_read32(struct gv_bus *bus, uint32_t byte)
{
	struct recorder *r = of(bus);
	uint32_t val;

	begin(r);
	val = gv_rd32(r->inner, byte);
	add(r, GV_RECORD_READ, GV_REGION_MMIO, 0, byte, &val, sizeof(val));
	sync_in(r);
	end(r);
	return val;
}

static void rec_write32(struct gv_bus *bus, uint32_t byte, uint32_t val)
{
	struct recorder *r = of(bus);

	begin(r);
	gv_wr32(r->inner, byte, val);
	add(r, GV_RECORD_WRITE, GV_REGION_MMIO, 0, byte, &val, sizeof(val));
	end(r);
}

static void rec_doorbell64(struct gv_bus *bus, uint32_t byte, uint64_t val)
{
	struct recorder *r = of(bus);

	begin(r);
	gv_doorbell64(r->inner, byte, val);
	add_value(r, GV_RECORD_DOORBELL, 0, byte, &val);
	end(r);
}

static int rec_region_bytes(struct gv_bus *bus, enum gv_region region, uint64_t *bytes)
{
	struct recorder *r = of(bus);
	uint64_t n = 0;
	int rc;

	begin(r);
	rc = gv_bus_region_bytes(r->inner, region, &n);
	add(r, GV_RECORD_BYTES, region, rc, 0, &n, rc ? 0 : sizeof(n));
	end(r);
	if (!rc)
		*bytes = n;
	return rc;
}

static int rec_reset(struct gv_bus *bus)
{
	struct recorder *r = of(bus);
	int rc;

	begin(r);
	rc = gv_bus_reset(r->inner);
	add_value(r, GV_RECORD_RESET, rc, 0, NULL);
	end(r);
	return rc;
}

/* Asked by any thread, at any time: neither memory nor time has to do with it. */
static int rec_status(struct gv_bus *bus)
{
	struct recorder *r = of(bus);
	int rc = gv_bus_status(r->inner);

	(void)pthread_mutex_lock(&r->lock);
	r->time_ns = gv_real_ns();
	if (rc && !r->lost)
		add_value(r, GV_RECORD_STATUS, rc, 0, NULL);
	r->lost = rc;
	(void)pthread_mutex_unlock(&r->lock);
	return rc;
}

static int rec_enable_vfs(struct gv_bus *bus, unsigned num_vfs)
{
	struct recorder *r = of(bus);
	int rc;

	begin(r);
	rc = r->inner->ops->enable_vfs(r->inner, num_vfs);
	add_value(r, GV_RECORD_VFS, rc, num_vfs, NULL);
	end(r);
	return rc;
}

/* ---- DMA memory ------------------------------------------------------------------------ */

static int rec_dma_alloc(struct gv_bus *bus, uint64_t bytes, struct gv_dma *dma)
{
	struct recorder *r = of(bus);
	struct gv_shadow *s = NULL;
	struct gv_dma device;
	int rc;

	begin(r);
	rc = gv_dma_alloc(r->inner, bytes, &device);
	if (!rc) {
		rc = gv_shadow_new(device.iova, device.bytes, &s);
		if (rc)
			gv_dma_free(r->inner, &device);
	}
	if (!rc) {
		s->device = device;
		s->next = r->shadows;
		r->shadows = s;
		add_value(r, GV_RECORD_DMA_ALLOC, 0, s->iova, &s->bytes);
		*dma = (struct gv_dma){
		        .cpu = s->driver, .iova = s->iova, .bytes = s->bytes, .priv = s};
	}
	end(r);
	return rc;
}

static void rec_dma_free(struct gv_bus *bus, struct gv_dma *dma)
{
	struct recorder *r = of(bus);
	struct gv_shadow *s = dma->priv;

	begin(r);
	gv_shadow_remove(&r->shadows, s);
	gv_dma_free(r->inner, &s->device);
	add_value(r, GV_RECORD_DMA_FREE, 0, s->iova, NULL);
	end(r);
	gv_shadow_free(s);
}

/* ---- interrupts -------------------------------------------------------------------------- */

static void pass_on(struct recorder *r, uint32_t vector)
{
	uint64_t ticks = 0;

	if (read(r->vector[vector].inner, &ticks, sizeof(ticks)) != sizeof(ticks))
		return;
	(void)pthread_mutex_lock(&r->lock);
	r->time_ns = gv_real_ns();
	add_value(r, GV_RECORD_IRQ, 0, vector, NULL);
	(void)pthread_mutex_unlock(&r->lock);
	if (write(r->vector[vector].ours, &ticks, sizeof(ticks)) < 0)
		return; /* full of interrupts: readable it is */
}

static void *watch(void *arg)
{
	struct recorder *r = arg;
	struct epoll_event e;

	for (;;) {
		int n = epoll_wait(r->epoll, &e, 1, -1);

		if (n < 0 && errno != EINTR)
			return NULL;
		if (n > 0 && e.data.u32 == STOP)
			return NULL;
		if (n > 0)
			pass_on(r, e.data.u32);
	}
}

static int wire(struct recorder *r, unsigned vector, int inner)
{
	struct vector *v = &r->vector[vector];
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = vector};

	if (v->ours >= 0)
		return 0;
	v->inner = inner;
	v->ours = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (v->ours >= 0 && !epoll_ctl(r->epoll, EPOLL_CTL_ADD, inner, &e))
		return 0;
	gv_closep(&v->ours);
	return -errno;
}

static int rec_irq_enable(struct gv_bus *bus, unsigned vector, int *eventfd_out)
{
	struct recorder *r = of(bus);
	int inner = -1, rc = vector < GV_RECORD_VECTORS ? 0 : -EINVAL;

	begin(r);
	if (!rc)
		rc = gv_bus_irq_enable(r->inner, vector, &inner);
	if (!rc)
		rc = wire(r, vector, inner);
	add_value(r, GV_RECORD_IRQ_ENABLE, rc, vector, NULL);
	end(r);
	if (!rc)
		*eventfd_out = r->vector[vector].ours;
	return rc;
}

/* ---- life ---------------------------------------------------------------------------------- */

static void rec_close(struct gv_bus *bus)
{
	struct recorder *r = of(bus);
	uint64_t one = 1;

	gv_clock_free(r->clock);
	r->clock = NULL;
	if (r->stop >= 0 && write(r->stop, &one, sizeof(one)) == sizeof(one))
		(void)pthread_join(r->thread, NULL);
	r->time_ns = gv_real_ns();
	if (r->file.buf)
		add_value(r, GV_RECORD_CLOSE, 0, 0, NULL);
	if (gv_record_finish(&r->file) && !r->told)
		gv_logf(r->log, GV_LOG_WARN, "the end of the record is not written: %s",
		        strerror(-r->file.failed));
	gv_shadow_free_all(&r->shadows, r->inner);
	for (unsigned i = 0; i < GV_RECORD_VECTORS; i++)
		gv_closep(&r->vector[i].ours);
	gv_closep(&r->epoll);
	gv_closep(&r->stop);
	(void)gv_bus_close(r->inner);
	(void)pthread_mutex_destroy(&r->lock);
	free(r);
}

static const struct gv_bus_ops ops = {
        .read32 = rec_read32,
        .write32 = rec_write32,
        .doorbell64 = rec_doorbell64,
        .read = rec_read,
        .write = rec_write,
        .region_bytes = rec_region_bytes,
        .map = NULL, /* what goes past us would be missing */
        .dma_alloc = rec_dma_alloc,
        .dma_free = rec_dma_free,
        .irq_enable = rec_irq_enable,
        .reset = rec_reset,
        .status = rec_status,
        .enable_vfs = rec_enable_vfs,
        .close = rec_close,
};

void gv_record_note(struct gv_bus *bus, const char *text)
{
	struct recorder *r = of(bus);
	size_t n = strlen(text);

	if (bus->ops->close != rec_close || n > GV_RECORD_MAX_BYTES)
		return;
	begin(r);
	if (n)
		add(r, GV_RECORD_NOTE, 0, 0, 0, text, n);
	end(r);
}

static int start_thread(struct recorder *r, struct gv_err *err)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = STOP};
	int stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), rc;

	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (stop < 0 || r->epoll < 0 || epoll_ctl(r->epoll, EPOLL_CTL_ADD, stop, &e))
		rc = -errno;
	else
		rc = -pthread_create(&r->thread, NULL, watch, r);
	if (rc) {
		gv_closep(&stop);
		return gv_fail(err, rc, "a thread for recorded interrupts: %s", strerror(-rc));
	}
	r->stop = stop; /* there is a thread */
	return 0;
}

int gv_record_bus(struct gv_bus *inner, const char *path, uint64_t limit, const struct gv_log *log,
                  struct gv_bus **bus, struct gv_err *err)
{
	struct recorder *r = calloc(1, sizeof(*r));
	int rc;

	if (!r) {
		(void)gv_bus_close(inner);
		return gv_fail(err, -ENOMEM, "no memory to record");
	}
	r->ops = ops;
	r->ops.enable_vfs = inner->ops->enable_vfs ? rec_enable_vfs : NULL;
	r->bus.ops = &r->ops;
	memcpy(r->bus.name, inner->name, sizeof(r->bus.name));
	r->inner = inner;
	r->log = log;
	r->epoll = r->stop = -1;
	for (unsigned i = 0; i < GV_RECORD_VECTORS; i++)
		r->vector[i].ours = -1;
	(void)pthread_mutex_init(&r->lock, NULL);
	rc = gv_record_create(path, limit, &r->file, err);
	if (!rc)
		rc = start_thread(r, err);
	if (!rc && gv_clock_new(on_time, on_chance, r, &r->clock))
		rc = gv_fail(err, -ENOSPC, "too many records at once");
	if (rc) {
		rec_close(&r->bus);
		return rc;
	}
	r->time_ns = gv_real_ns();
	add(r, GV_RECORD_OPEN, 0, 0, inner->ops->enable_vfs != NULL, r->bus.name,
	    strlen(r->bus.name));
	*bus = &r->bus;
	return 0;
}
