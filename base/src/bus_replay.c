/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A bus that is a record: what the driver does is held against the next record, answers come from
 * there. Behind each access its consequences are taken at once: memory that the device wrote,
 * interrupts.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "clock.h"
#include "record.h"

struct replay {
	struct gv_bus bus;     /* first: ops get a pointer to it */
	struct gv_bus_ops ops; /* enable_vfs only if it had one when it was recorded */
	const struct gv_log *log;
	char *path; /* for messages */
	struct gv_clock *clock;
	pthread_mutex_t lock; /* all below */
	struct gv_record_file *file;
	struct gv_record next; /* what must come next */
	const void *data;
	uint64_t number, first_ns;
	int lost;
	uint64_t now_ns, real_ns; /* what gv_now_ns() said last, and when that was */
	struct gv_shadow *shadows;
	int vector[GV_RECORD_VECTORS]; /* eventfd, -1 off */
};

static struct replay *of(struct gv_bus *bus)
{
	return (struct replay *)(void *)bus;
}

/* ---- the next record ------------------------------------------------------------------ */

static void lose(struct replay *p, int rc, const char *text)
{
	if (!p->lost)
		gv_logf(p->log, GV_LOG_ERR, "%s: %s", p->path, text);
	p->lost = rc;
}

static void advance(struct replay *p)
{
	struct gv_err err = {0};
	int rc = gv_record_next(p->file, &p->next, &p->data, &p->number, &err);

	if (rc == -ENODATA)
		lose(p, rc, "the record ends here");
	else if (rc)
		lose(p, rc, err.text);
}

static void take_memory(struct replay *p)
{
	struct gv_shadow *s = gv_shadow_find(p->shadows, p->next.off, p->next.bytes);

	if (!s || !p->data)
		return; /* freed meanwhile, or nonsense in the file */
	memcpy(s->driver + (p->next.off - s->iova), p->data, p->next.bytes);
	memcpy(s->synced + (p->next.off - s->iova), p->data, p->next.bytes);
}

static void fire(struct replay *p)
{
	uint64_t one = 1;

	if (p->next.off >= GV_RECORD_VECTORS || p->vector[p->next.off] < 0)
		return;
	if (write(p->vector[p->next.off], &one, sizeof(one)) < 0)
		return; /* readable it is */
}

/* What the device did by itself. */
static void consequences(struct replay *p)
{
	while (!p->lost) {
		if (p->next.type == GV_RECORD_DMA_IN)
			take_memory(p);
		else if (p->next.type == GV_RECORD_IRQ)
			fire(p);
		else if (p->next.type == GV_RECORD_STATUS && p->next.rc)
			lose(p, p->next.rc, "the device was lost here");
		else
			return;
		advance(p);
	}
}

static void used(struct replay *p)
{
	advance(p);
	consequences(p);
}

static void differs(struct replay *p, const struct gv_record *came, const void *data)
{
	char want[200], got[200], text[512];

	gv_record_text(&p->next, p->data, NULL, want, sizeof(want));
	gv_record_text(came, data, NULL, got, sizeof(got));
	(void)snprintf(text, sizeof(text),
	               "first difference at record %llu, %.6f s: %s expected, %s came",
	               (unsigned long long)p->number, (double)(p->next.time_ns - p->first_ns) / 1e9,
	               want, got);
	lose(p, -EPROTO, text);
}

/* The time was looked at more often then. */
static void skip_times(struct replay *p)
{
	while (!p->lost && p->next.type == GV_RECORD_TIME)
		used(p);
}

/* Hold what came against the next record, data too unless it is an answer. */
static bool expect(struct replay *p, const struct gv_record *came, const void *data)
{
	skip_times(p);
	if (p->lost)
		return false;
	if (p->next.type == came->type && p->next.region == came->region &&
	    p->next.bytes == came->bytes && p->next.off == came->off &&
	    (!data || (p->data && !memcmp(data, p->data, came->bytes))))
		return true;
	differs(p, came, data);
	return false;
}

static void driver_wrote(void *arg, struct gv_shadow *s, uint64_t off, const uint8_t *data,
                         uint32_t bytes)
{
	struct replay *p = arg;
	const struct gv_record came = {
	        .type = GV_RECORD_DMA_OUT, .bytes = bytes, .off = s->iova + off};

	if (expect(p, &came, data))
		used(p);
}

static void begin(struct replay *p)
{
	(void)pthread_mutex_lock(&p->lock);
	gv_clock_rest(p->clock);
	for (struct gv_shadow *s = p->shadows; s && !p->lost; s = s->next)
		gv_shadow_diff(s, s->driver, driver_wrote, p);
}

static int end(struct replay *p, int rc)
{
	gv_clock_use(p->clock);
	(void)pthread_mutex_unlock(&p->lock);
	return rc;
}

/* An access without an answer but its success. */
static int plain(struct gv_bus *bus, struct gv_record came, const void *data)
{
	struct replay *p = of(bus);
	int rc;

	begin(p);
	if (!expect(p, &came, data))
		return end(p, p->lost);
	rc = p->next.rc;
	used(p);
	return end(p, rc);
}

/* Looked at more often than then: it goes on as fast as it does here. */
static uint64_t on_time(void *arg, uint64_t real_ns)
{
	struct replay *p = arg;
	uint64_t now_ns;

	begin(p);
	if (!p->lost && p->next.type == GV_RECORD_TIME) {
		p->now_ns = p->next.off;
		used(p);
	} else {
		p->now_ns += GV_MAX(real_ns - p->real_ns, GV_US);
	}
	p->real_ns = real_ns;
	now_ns = p->now_ns;
	(void)end(p, 0);
	return now_ns;
}

static uint64_t on_chance(void *arg, uint64_t real)
{
	struct replay *p = arg;

	begin(p);
	skip_times(p);
	if (!p->lost && p->next.type == GV_RECORD_CHANCE) {
		real = p->next.off;
		used(p);
	}
	(void)end(p, 0);
	return real;
}

/* ---- accesses ---------------------------------------------------------------------------- */

static int piece(struct gv_bus *bus, struct gv_record came, void *buf)
{
	struct replay *p = of(bus);
	int rc;

	begin(p);
	if (!expect(p, &came, NULL))
		return end(p, p->lost);
	rc = p->next.rc;
	if (!rc && p->data)
		memcpy(buf, p->data, came.bytes);
	used(p);
	return end(p, rc);
}

static struct gv_record made(bool write, enum gv_region region, uint64_t off, size_t n)
{
	return (struct gv_record){
	        .type = write ? GV_RECORD_WRITE : GV_RECORD_READ,
	        .region = (uint8_t)region,
	        .bytes = (uint32_t)GV_MIN(n, (size_t)GV_RECORD_MAX_BYTES),
	        .off = off,
	};
}

static int play_read(struct gv_bus *bus, enum gv_region region, uint64_t off, void *buf, size_t n)
{
	int rc = n ? 0 : piece(bus, made(false, region, off, 0), buf);

	for (size_t at = 0; !rc && at < n; at += GV_RECORD_MAX_BYTES)
		rc = piece(bus, made(false, region, off + at, n - at), (uint8_t *)buf + at);
	return rc;
}

static int play_write(struct gv_bus *bus, enum gv_region region, uint64_t off, const void *buf,
                      size_t n)
{
	int rc = n ? 0 : plain(bus, made(true, region, off, 0), NULL);

	for (size_t at = 0; !rc && at < n; at += GV_RECORD_MAX_BYTES)
		rc = plain(bus, made(true, region, off + at, n - at), (const uint8_t *)buf + at);
	return rc;
}

static uint32_t play_read32(struct gv_bus *bus, uint32_t byte)
{
	uint32_t val = UINT32_MAX;

	return play_read(bus, GV_REGION_MMIO, byte, &val, sizeof(val)) ? UINT32_MAX : val;
}

static void play_write32(struct gv_bus *bus, uint32_t byte, uint32_t val)
{
	(void)play_write(bus, GV_REGION_MMIO, byte, &val, sizeof(val));
}

static void play_doorbell64(struct gv_bus *bus, uint32_t byte, uint64_t val)
{
	(void)plain(
	        bus,
	        (struct gv_record){.type = GV_RECORD_DOORBELL, .bytes = sizeof(val), .off = byte},
	        &val);
}

static int play_region_bytes(struct gv_bus *bus, enum gv_region region, uint64_t *bytes)
{
	struct replay *p = of(bus);
	struct gv_record came = {.type = GV_RECORD_BYTES, .region = (uint8_t)region};
	int rc;

	begin(p);
	skip_times(p);
	came.bytes = p->next.bytes; /* an answer */
	if (!expect(p, &came, NULL))
		return end(p, p->lost);
	rc = p->next.rc;
	if (!rc)
		memcpy(bytes, p->data, sizeof(*bytes));
	used(p);
	return end(p, rc);
}

static int play_dma_alloc(struct gv_bus *bus, uint64_t bytes, struct gv_dma *dma)
{
	struct replay *p = of(bus);
	struct gv_record came = {.type = GV_RECORD_DMA_ALLOC, .bytes = sizeof(bytes)};
	struct gv_shadow *s = NULL;
	int rc;

	begin(p);
	skip_times(p);
	came.off = p->next.off; /* an answer */
	if (!expect(p, &came, &bytes))
		return end(p, p->lost);
	rc = gv_shadow_new(p->next.off, bytes, &s);
	if (!rc) {
		s->next = p->shadows;
		p->shadows = s;
		*dma = (struct gv_dma){
		        .cpu = s->driver, .iova = s->iova, .bytes = bytes, .priv = s};
		used(p);
	}
	return end(p, rc);
}

static void play_dma_free(struct gv_bus *bus, struct gv_dma *dma)
{
	struct replay *p = of(bus);
	struct gv_shadow *s = dma->priv;

	begin(p);
	gv_shadow_remove(&p->shadows, s);
	if (expect(p, &(struct gv_record){.type = GV_RECORD_DMA_FREE, .off = s->iova}, NULL))
		used(p);
	(void)end(p, 0);
	gv_shadow_free(s);
}

static int play_irq_enable(struct gv_bus *bus, unsigned vector, int *fd)
{
	struct replay *p = of(bus);
	int rc = 0;

	if (vector < GV_RECORD_VECTORS && p->vector[vector] < 0)
		p->vector[vector] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vector < GV_RECORD_VECTORS && p->vector[vector] < 0)
		return -errno;
	rc = plain(bus, (struct gv_record){.type = GV_RECORD_IRQ_ENABLE, .off = vector}, NULL);
	if (!rc && vector >= GV_RECORD_VECTORS)
		rc = -EINVAL;
	if (!rc)
		*fd = p->vector[vector];
	return rc;
}

static int play_reset(struct gv_bus *bus)
{
	return plain(bus, (struct gv_record){.type = GV_RECORD_RESET}, NULL);
}

static int play_enable_vfs(struct gv_bus *bus, unsigned num_vfs)
{
	return plain(bus, (struct gv_record){.type = GV_RECORD_VFS, .off = num_vfs}, NULL);
}

static int play_status(struct gv_bus *bus)
{
	struct replay *p = of(bus);
	int rc;

	(void)pthread_mutex_lock(&p->lock);
	rc = p->lost;
	(void)pthread_mutex_unlock(&p->lock);
	return rc;
}

/* ---- life ---------------------------------------------------------------------------------- */

static void play_close(struct gv_bus *bus)
{
	struct replay *p = of(bus);

	gv_clock_free(p->clock);
	if (!p->lost && p->file)
		(void)expect(p, &(struct gv_record){.type = GV_RECORD_CLOSE}, NULL);
	if (!p->lost && p->file)
		gv_logf(p->log, GV_LOG_INFO, "%s: as recorded, to the end", p->path);
	gv_shadow_free_all(&p->shadows, NULL);
	for (unsigned i = 0; i < GV_RECORD_VECTORS; i++)
		gv_closep(&p->vector[i]);
	(void)gv_record_close(p->file);
	free(p->path);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

static const struct gv_bus_ops ops = {
        .read32 = play_read32,
        .write32 = play_write32,
        .doorbell64 = play_doorbell64,
        .read = play_read,
        .write = play_write,
        .region_bytes = play_region_bytes,
        .dma_alloc = play_dma_alloc,
        .dma_free = play_dma_free,
        .irq_enable = play_irq_enable,
        .reset = play_reset,
        .status = play_status,
        .enable_vfs = play_enable_vfs,
        .close = play_close,
};

char *gv_replay_note(struct gv_bus *bus)
{
	struct replay *p = of(bus);
	char *text = NULL;

	if (bus->ops->close != play_close)
		return NULL;
	begin(p);
	if (!p->lost && p->next.type == GV_RECORD_NOTE && p->data) {
		text = strndup(p->data, p->next.bytes);
		used(p);
	}
	(void)end(p, 0);
	return text;
}

static int begin_file(struct replay *p, const char *path, struct gv_err *err)
{
	size_t n;
	int rc = gv_record_open(path, &p->file, err);

	if (!rc)
		rc = gv_record_next(p->file, &p->next, &p->data, &p->number, err);
	if (!rc && p->next.type != GV_RECORD_OPEN)
		rc = gv_fail(err, -EINVAL, "%s does not begin where a record begins", path);
	if (rc)
		return rc;
	n = p->data ? GV_MIN((size_t)p->next.bytes, sizeof(p->bus.name) - 1) : 0;
	p->ops = ops;
	p->ops.enable_vfs = p->next.off ? play_enable_vfs : NULL;
	p->bus.ops = &p->ops;
	/* The driver may have looked at it. */
	if (n)
		memcpy(p->bus.name, p->data, n);
	p->bus.name[n] = '\0';
	p->first_ns = p->now_ns = p->next.time_ns;
	p->real_ns = gv_real_ns();
	used(p);
	return 0;
}

int gv_replay_bus(const char *path, const struct gv_log *log, struct gv_bus **bus,
                  struct gv_err *err)
{
	struct replay *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return gv_fail(err, -ENOMEM, "no memory for a replay");
	p->path = strdup(path);
	for (unsigned i = 0; i < GV_RECORD_VECTORS; i++)
		p->vector[i] = -1;
	(void)pthread_mutex_init(&p->lock, NULL);
	p->log = log;
	rc = p->path ? begin_file(p, path, err) : gv_fail(err, -ENOMEM, "no memory for a replay");
	if (!rc && gv_clock_new(on_time, on_chance, p, &p->clock))
		rc = gv_fail(err, -ENOSPC, "too many replays at once");
	if (rc) {
		p->lost = rc;
		play_close(&p->bus);
		return rc;
	}
	*bus = &p->bus;
	return 0;
}
