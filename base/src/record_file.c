/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The file: blocks of records.
 *
 *   block    magic "gvrb", version, bytes of what follows, its CRC, number of the block
 *   record   struct gv_record, data, zeros up to a multiple of 8
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "record.h"

#define MAGIC       0x62727667u /* "gvrb" */
#define BLOCK_BYTES (64 * GV_KIB)
#define FLUSH_NS    (200 * GV_MS)
#define MAX_PAYLOAD (BLOCK_BYTES + sizeof(struct gv_record) + GV_RECORD_MAX_BYTES)

struct block {
	uint32_t magic, version;
	uint32_t bytes, crc;
	uint64_t seq;
};
_Static_assert(sizeof(struct block) == 24 && sizeof(struct gv_record) == 24, "as in the file");

const char *gv_record_type_name(unsigned type)
{
	static const char *const names[GV_RECORD_TYPES] = {
	        [GV_RECORD_OPEN] = "open",         [GV_RECORD_READ] = "read",
	        [GV_RECORD_WRITE] = "write",       [GV_RECORD_DOORBELL] = "doorbell",
	        [GV_RECORD_BYTES] = "region size", [GV_RECORD_IRQ_ENABLE] = "interrupt enable",
	        [GV_RECORD_IRQ] = "interrupt",     [GV_RECORD_DMA_ALLOC] = "DMA buffer",
	        [GV_RECORD_DMA_FREE] = "DMA free", [GV_RECORD_DMA_OUT] = "driver's DMA memory",
	        [GV_RECORD_RESET] = "reset",       [GV_RECORD_DMA_IN] = "device's DMA memory",
	        [GV_RECORD_VFS] = "enable VFs",    [GV_RECORD_STATUS] = "device lost",
	        [GV_RECORD_TIME] = "time",         [GV_RECORD_FULL] = "file is full",
	        [GV_RECORD_CLOSE] = "close",       [GV_RECORD_CHANCE] = "chance",
	        [GV_RECORD_NOTE] = "note",
	};

	return type < GV_RECORD_TYPES && names[type] ? names[type] : "unknown";
}

/* ---- describing ------------------------------------------------------------------ */

static void describe_where(const struct gv_record *r, const struct gv_play_rules *rules, char *text,
                           size_t bytes)
{
	if (r->region == GV_REGION_MMIO && rules && rules->name)
		rules->name(rules->arg, (uint32_t)r->off, text, bytes);
	else if (r->region == GV_REGION_CONFIG)
		(void)snprintf(text, bytes, "config+0x%llx", (unsigned long long)r->off);
	else
		(void)snprintf(text, bytes, "BAR%u+0x%llx", r->region, (unsigned long long)r->off);
}

/* A number up to 8 bytes, else the first ones as they lie. */
static void describe_data(const void *data, uint32_t n, char *text, size_t bytes)
{
	const uint8_t *p = data;
	uint64_t v = 0;

	if (n <= sizeof(v)) {
		memcpy(&v, data, n);
		(void)snprintf(text, bytes, "0x%0*llx", (int)n * 2, (unsigned long long)v);
		return;
	}
	(void)snprintf(text, bytes, "%u bytes %02x %02x %02x %02x %02x %02x %02x %02x...", n, p[0],
	               p[1], p[2], p[3], p[4], p[5], p[6], p[7]);
}

void gv_record_text(const struct gv_record *r, const void *data, const struct gv_play_rules *rules,
                    char *text, size_t bytes)
{
	bool access = r->type == GV_RECORD_READ || r->type == GV_RECORD_WRITE;
	char where[80], what[80] = "";

	if (access || r->type == GV_RECORD_BYTES)
		describe_where(r, rules, where, sizeof(where));
	else
		(void)snprintf(where, sizeof(where), "0x%llx", (unsigned long long)r->off);
	if (data && gv_record_has_data(r))
		describe_data(data, r->bytes, what, sizeof(what));
	else if (r->rc)
		(void)snprintf(what, sizeof(what), "%s", strerror(-r->rc));
	else if (access)
		(void)snprintf(what, sizeof(what), "%u bytes", r->bytes);
	(void)snprintf(text, bytes, "%s %s%s%s", gv_record_type_name(r->type), where,
	               *what ? ": " : "", what);
}

/* ---- writing --------------------------------------------------------------------- */

int gv_record_create(const char *path, uint64_t limit, struct gv_record_writer *w,
                     struct gv_err *err)
{
	*w = (struct gv_record_writer){.fd = -1, .limit = limit ? limit : GV_RECORD_LIMIT};
	w->buf = malloc(sizeof(struct block) + MAX_PAYLOAD);
	if (!w->buf)
		return gv_fail(err, -ENOMEM, "no memory for a block of records");
	w->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (w->fd >= 0)
		return 0;
	free(w->buf);
	w->buf = NULL;
	return gv_fail(err, -errno, "%s: %s", path, strerror(errno));
}

static void write_all(struct gv_record_writer *w, const uint8_t *p, size_t n)
{
	while (n && !w->failed) {
		ssize_t done = write(w->fd, p, n);

		if (done < 0 && errno != EINTR)
			w->failed = -errno;
		if (done <= 0)
			continue;
		p += done;
		n -= (size_t)done;
	}
}

static void flush(struct gv_record_writer *w)
{
	struct block head = {.magic = MAGIC,
	                     .version = GV_RECORD_VERSION,
	                     .bytes = (uint32_t)w->bytes,
	                     .seq = w->seq++};

	if (!w->bytes)
		return;
	head.crc = gv_crc32(0, w->buf + sizeof(head), w->bytes);
	memcpy(w->buf, &head, sizeof(head));
	write_all(w, w->buf, sizeof(head) + w->bytes);
	w->written += sizeof(head) + w->bytes;
	w->bytes = 0;
}

static void append(struct gv_record_writer *w, const struct gv_record *r, const void *data)
{
	uint8_t *to = w->buf + sizeof(struct block) + w->bytes;
	size_t n = gv_record_has_data(r) ? r->bytes : 0, padded = (n + 7) & ~(size_t)7;

	memcpy(to, r, sizeof(*r));
	if (data)
		memcpy(to + sizeof(*r), data, n);
	memset(to + sizeof(*r) + n, 0, padded - n);
	w->bytes += sizeof(*r) + padded;
}

bool gv_record_add(struct gv_record_writer *w, const struct gv_record *r, const void *data)
{
	size_t n = sizeof(*r) + (gv_record_has_data(r) ? r->bytes : 0);
	uint64_t now_ns = gv_real_ns();
	bool too_much;

	if (w->full || w->failed)
		return false;
	/* Always room for a last one. */
	too_much = w->written + w->bytes + n + 4 * sizeof(struct block) > w->limit;
	if (too_much) {
		append(w, &(struct gv_record){.type = GV_RECORD_FULL, .time_ns = r->time_ns}, NULL);
		w->full = true;
		flush(w);
		return true;
	}
	if (!w->bytes)
		w->flush_ns = now_ns + FLUSH_NS;
	append(w, r, data);
	if (w->bytes >= BLOCK_BYTES || now_ns >= w->flush_ns)
		flush(w);
	return false;
}

int gv_record_finish(struct gv_record_writer *w)
{
	if (!w->buf)
		return 0;
	flush(w);
	if (close(w->fd) && !w->failed)
		w->failed = -errno;
	free(w->buf);
	w->buf = NULL;
	return w->failed;
}

/* ---- reading --------------------------------------------------------------------- */

struct gv_record_file {
	int fd; /* -1: from memory */
	const uint8_t *mem;
	size_t mem_bytes, mem_at;
	uint8_t *buf; /* of a block */
	size_t bytes, at;
	uint64_t seq, number;
	bool ended;
};

/* Returns how much there was. */
static size_t get(struct gv_record_file *f, void *to, size_t n)
{
	size_t have = 0;

	if (f->fd < 0) {
		have = GV_MIN(n, f->mem_bytes - f->mem_at);
		memcpy(to, f->mem + f->mem_at, have);
		f->mem_at += have;
		return have;
	}
	while (have < n) {
		ssize_t got = read(f->fd, (uint8_t *)to + have, n - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		have += (size_t)got;
	}
	return have;
}

static int torn(struct gv_record_file *f, const char *why, struct gv_err *err)
{
	f->ended = true;
	return gv_fail(err, -EBADMSG, "block %llu, behind record %llu: %s",
	               (unsigned long long)f->seq, (unsigned long long)f->number, why);
}

static int next_block(struct gv_record_file *f, struct gv_err *err)
{
	struct block head;
	size_t have = get(f, &head, sizeof(head));

	if (!have) {
		f->ended = true;
		return -ENODATA;
	}
	if (have < sizeof(head))
		return torn(f, "its head is torn", err);
	if (head.magic != MAGIC)
		return torn(f, "this is no block of a record", err);
	if (head.version != GV_RECORD_VERSION) {
		f->ended = true;
		return gv_fail(err, -EINVAL, "version %u, this program reads version %u",
		               head.version, GV_RECORD_VERSION);
	}
	if (head.seq != f->seq || head.bytes < sizeof(struct gv_record) || head.bytes > MAX_PAYLOAD)
		return torn(f, "its head cannot be", err);
	if (get(f, f->buf, head.bytes) != head.bytes)
		return torn(f, "it is torn", err);
	if (gv_crc32(0, f->buf, head.bytes) != head.crc)
		return torn(f, "its CRC is wrong: it was changed", err);
	f->bytes = head.bytes;
	f->at = 0;
	f->seq++;
	return 0;
}

/* What the rest of the program relies on. */
static bool sane(const struct gv_record *r)
{
	static const uint8_t numbers[] = {GV_RECORD_DOORBELL, GV_RECORD_DMA_ALLOC};

	if (!r->type || r->type >= GV_RECORD_TYPES || r->rc > 0 || r->bytes > GV_RECORD_MAX_BYTES)
		return false;
	for (size_t i = 0; i < sizeof(numbers); i++)
		if (r->type == numbers[i] && r->bytes != sizeof(uint64_t))
			return false;
	if (r->type == GV_RECORD_BYTES && r->bytes != (r->rc ? 0 : sizeof(uint64_t)))
		return false;
	if (r->type == GV_RECORD_READ || r->type == GV_RECORD_WRITE || r->type == GV_RECORD_BYTES)
		return r->region < GV_REGION_COUNT;
	return true;
}

int gv_record_next(struct gv_record_file *f, struct gv_record *r, const void **data,
                   uint64_t *number, struct gv_err *err)
{
	size_t n;
	int rc = 0;

	if (f->ended)
		return -ENODATA;
	if (f->at == f->bytes)
		rc = next_block(f, err);
	if (rc)
		return rc;
	if (f->bytes - f->at < sizeof(*r))
		return torn(f, "a record does not fit", err);
	memcpy(r, f->buf + f->at, sizeof(*r));
	if (!sane(r))
		return torn(f, "a record cannot be", err);
	n = gv_record_has_data(r) ? ((size_t)r->bytes + 7) & ~(size_t)7 : 0;
	if (n > f->bytes - f->at - sizeof(*r))
		return torn(f, "a record does not fit", err);
	*data = n ? f->buf + f->at + sizeof(*r) : NULL;
	*number = f->number++;
	f->at += sizeof(*r) + n;
	return 0;
}

static int new_file(int fd, const void *data, size_t bytes, struct gv_record_file **file,
                    struct gv_err *err)
{
	struct gv_record_file *f = calloc(1, sizeof(*f));
	int rc;

	if (f)
		f->buf = malloc(MAX_PAYLOAD);
	if (!f || !f->buf) {
		gv_closep(&fd);
		free(f);
		return gv_fail(err, -ENOMEM, "no memory for a block of records");
	}
	f->fd = fd;
	f->mem = data;
	f->mem_bytes = bytes;
	rc = next_block(f, err);
	if (rc == -ENODATA)
		rc = gv_fail(err, -EINVAL, "an empty file is no record");
	if (rc)
		(void)gv_record_close(f);
	else
		*file = f;
	return rc == -EBADMSG ? -EINVAL : rc;
}

int gv_record_open(const char *path, struct gv_record_file **file, struct gv_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return gv_fail(err, -errno, "%s: %s", path, strerror(errno));
	rc = new_file(fd, NULL, 0, file, err);
	if (rc)
		(void)gv_fail_prefix(err, "%s", path);
	return rc;
}

int gv_record_open_mem(const void *data, size_t bytes, struct gv_record_file **file,
                       struct gv_err *err)
{
	return new_file(-1, data, bytes, file, err);
}

struct gv_record_file *gv_record_close(struct gv_record_file *f)
{
	if (!f)
		return NULL;
	gv_closep(&f->fd);
	free(f->buf);
	free(f);
	return NULL;
}
