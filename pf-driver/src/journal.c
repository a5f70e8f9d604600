/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records in a file. Only the last of each kind and VF counts, so the file is written anew, and
 * shorter, when it has grown. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "journal.h"
#include "pf.h"

#define SLOTS         (GV_MBOX_MAX_VFS + 1) /* by VF + 1 */
#define COMPACT_BYTES (256 * GV_KIB)
#define MAX_FILE      (4 * GV_MIB)

struct entry {
	void *data;
	size_t bytes;
};

struct pf_journal {
	char path[PATH_MAX - 16];
	int fd;
	uint64_t bytes, generation;
	struct entry entry[PF_JOURNAL_KINDS][SLOTS];
};

/* Kinds that are still true after a power cut: profile, quarantine. Sessions are not, as their
 * guests are gone with the machine. */
static const bool synced[PF_JOURNAL_KINDS] = {[PF_JOURNAL_STATE] = true, [PF_JOURNAL_GUARD] = true};

const char *pf_journal_found_name(enum pf_journal_found found)
{
	static const char *const names[] = {[PF_JOURNAL_NEW] = "new",
	                                    [PF_JOURNAL_WHOLE] = "whole",
	                                    [PF_JOURNAL_TORN] = "torn",
	                                    [PF_JOURNAL_NEWER] = "newer",
	                                    [PF_JOURNAL_BAD] = "damaged"};

	return (unsigned)found < GV_ARRAY_LEN(names) ? names[found] : "unknown";
}

static uint32_t crc_of(const struct pf_journal_head *head, const void *data)
{
	struct pf_journal_head h = *head;

	h.crc = 0;
	return gv_crc32(gv_crc32(0, &h, sizeof(h)), data, h.bytes);
}

/* ---- what is known ------------------------------------------------------------------ */

static bool has_place(int kind, int vf, size_t bytes)
{
	return kind > 0 && kind < PF_JOURNAL_KINDS && vf >= PF_JOURNAL_NO_VF && vf + 1 < SLOTS &&
	       bytes <= PF_JOURNAL_MAX_BYTES;
}

static int remember(struct pf_journal *j, int kind, int vf, const void *data, size_t bytes)
{
	struct entry *e = &j->entry[kind][vf + 1];
	void *copy = malloc(bytes ? bytes : 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, bytes);
	free(e->data);
	*e = (struct entry){copy, bytes};
	return 0;
}

static void forget_all(struct pf_journal *j)
{
	for (int kind = 0; kind < PF_JOURNAL_KINDS; kind++)
		for (int slot = 0; slot < SLOTS; slot++) {
			free(j->entry[kind][slot].data);
			j->entry[kind][slot] = (struct entry){NULL, 0};
		}
}

const void *pf_journal_get(const struct pf_journal *j, enum pf_journal_kind kind, int vf,
                           size_t *bytes)
{
	const struct entry *e;

	if (!has_place((int)kind, vf, 0))
		return NULL;
	e = &j->entry[kind][vf + 1];
	*bytes = e->bytes;
	return e->data;
}

/* ---- reading ------------------------------------------------------------------------ */

/* Is there a whole record at @at, of whatever version? */
static bool record_at(const uint8_t *file, size_t n, size_t at, struct pf_journal_head *head)
{
	if (n - at < sizeof(*head))
		return false;
	memcpy(head, file + at, sizeof(*head));
	return head->magic == PF_JOURNAL_MAGIC && head->bytes <= PF_JOURNAL_MAX_BYTES &&
	       head->bytes <= n - at - sizeof(*head) &&
	       head->crc == crc_of(head, file + at + sizeof(*head));
}

/* A writer that is killed leaves nothing behind its last record: whatever is whole there says that
 * the damage is of another kind. */
static bool anything_after(const uint8_t *file, size_t n, size_t at)
{
	struct pf_journal_head head;

	for (; at < n; at++)
		if (file[at] == (PF_JOURNAL_MAGIC & 0xff) && record_at(file, n, at, &head))
			return true;
	return false;
}

static enum pf_journal_found take_record(struct pf_journal *j, const struct pf_journal_head *head,
                                         const uint8_t *data, struct gv_err *why)
{
	if (head->version != PF_JOURNAL_VERSION) {
		(void)gv_fail(why, -ENOTSUP,
		              "%s: record %llu is of version %u, this program knows %u", j->path,
		              (unsigned long long)head->generation, head->version,
		              PF_JOURNAL_VERSION);
		return PF_JOURNAL_NEWER;
	}
	if ((j->generation && head->generation != j->generation + 1) ||
	    !has_place(head->kind, head->vf, head->bytes) ||
	    remember(j, head->kind, head->vf, data, head->bytes)) {
		(void)gv_fail(why, -EBADMSG, "%s: record %llu does not follow record %llu", j->path,
		              (unsigned long long)head->generation,
		              (unsigned long long)j->generation);
		return PF_JOURNAL_BAD;
	}
	j->generation = head->generation;
	return PF_JOURNAL_WHOLE;
}

/* Fill the table; j->bytes: how much of the file is good. */
static enum pf_journal_found parse(struct pf_journal *j, const uint8_t *file, size_t n,
                                   struct gv_err *why)
{
	enum pf_journal_found found = PF_JOURNAL_WHOLE;
	struct pf_journal_head head;

	for (j->bytes = 0; found == PF_JOURNAL_WHOLE && j->bytes < n;) {
		if (!record_at(file, n, j->bytes, &head)) {
			bool torn = !anything_after(file, n, j->bytes + 1);

			(void)gv_fail(why, -EBADMSG, "%s: byte %llu of %zu: no whole record%s",
			              j->path, (unsigned long long)j->bytes, n,
			              torn ? "" : ", but there is one behind it");
			return torn ? PF_JOURNAL_TORN : PF_JOURNAL_BAD;
		}
		found = take_record(j, &head, file + j->bytes + sizeof(head), why);
		if (found == PF_JOURNAL_WHOLE)
			j->bytes += sizeof(head) + head.bytes;
	}
	return found;
}

static int read_all(int fd, uint8_t **data, size_t *n)
{
	gv_auto_free uint8_t *p = NULL;
	struct stat st;
	size_t have = 0;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > MAX_FILE)
		return -EFBIG;
	p = malloc((size_t)st.st_size + 1);
	if (!p)
		return -ENOMEM;
	while (have < (size_t)st.st_size) {
		ssize_t got = pread(fd, p + have, (size_t)st.st_size - have, (off_t)have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		have += (size_t)got;
	}
	*n = have;
	*data = GV_TAKE(p);
	return 0;
}

/* ---- writing ------------------------------------------------------------------------ */

static int write_all(int fd, const void *data, size_t n)
{
	const uint8_t *p = data;

	while (n) {
		ssize_t put = write(fd, p, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		p += put;
		n -= (size_t)put;
	}
	return 0;
}

/* In one write(), so that one who is killed leaves all of it or a tail that is cut. */
static int append(struct pf_journal *j, int fd, int kind, int vf, const struct entry *e)
{
	uint8_t record[sizeof(struct pf_journal_head) + PF_JOURNAL_MAX_BYTES];
	struct pf_journal_head head = {.magic = PF_JOURNAL_MAGIC,
	                               .version = PF_JOURNAL_VERSION,
	                               .kind = (uint16_t)kind,
	                               .vf = vf,
	                               .bytes = (uint32_t)e->bytes,
	                               .generation = j->generation + 1};
	int rc;

	head.crc = crc_of(&head, e->data);
	memcpy(record, &head, sizeof(head));
	memcpy(record + sizeof(head), e->data, e->bytes);
	rc = write_all(fd, record, sizeof(head) + e->bytes);
	if (rc)
		return rc;
	j->generation++;
	j->bytes += sizeof(head) + e->bytes;
	return 0;
}

static void sync_directory(const char *path)
{
	char dir[PATH_MAX];
	gv_auto_fd int fd = -1;
	char *slash;

	(void)snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash)
		*slash = '\0';
	fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		(void)fsync(fd);
}

/* All that counts into @fd; generations start anew. */
static int write_table(struct pf_journal *j, int fd)
{
	int rc = 0;

	j->generation = j->bytes = 0;
	for (int kind = 1; !rc && kind < PF_JOURNAL_KINDS; kind++)
		for (int slot = 0; !rc && slot < SLOTS; slot++)
			if (j->entry[kind][slot].data)
				rc = append(j, fd, kind, slot - 1, &j->entry[kind][slot]);
	return rc;
}

static int compact(struct pf_journal *j)
{
	char path[PATH_MAX];
	gv_auto_fd int fd = -1;
	int rc = 0;

	(void)snprintf(path, sizeof(path), "%s.new", j->path);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB))
		return -errno;
	rc = write_table(j, fd);
	if (!rc && (fsync(fd) || rename(path, j->path)))
		rc = -errno;
	if (rc) {
		(void)unlink(path);
		return rc;
	}
	sync_directory(j->path);
	(void)close(j->fd);
	j->fd = gv_take_fd(&fd);
	return 0;
}

int pf_journal_put(struct pf_journal *j, enum pf_journal_kind kind, int vf, const void *data,
                   size_t bytes)
{
	struct entry *e;
	int rc;

	if (!has_place((int)kind, vf, bytes))
		return -EINVAL;
	e = &j->entry[kind][vf + 1];
	if (e->data && e->bytes == bytes && !memcmp(e->data, data, bytes))
		return 0;
	rc = remember(j, (int)kind, vf, data, bytes);
	if (!rc)
		rc = append(j, j->fd, (int)kind, vf, e);
	if (!rc && synced[kind] && fdatasync(j->fd))
		rc = -errno;
	return !rc && j->bytes > COMPACT_BYTES ? compact(j) : rc;
}

int pf_journal_drop(struct pf_journal *j, enum pf_journal_kind kind)
{
	bool any = false;

	if (!has_place((int)kind, 0, 0))
		return -EINVAL;
	for (int slot = 0; slot < SLOTS; slot++) {
		any |= j->entry[kind][slot].data != NULL;
		free(j->entry[kind][slot].data);
		j->entry[kind][slot] = (struct entry){NULL, 0};
	}
	return any ? compact(j) : 0;
}

/* ---- life --------------------------------------------------------------------------- */

uint64_t pf_journal_bytes(const struct pf_journal *j)
{
	return j->bytes;
}

uint64_t pf_journal_generation(const struct pf_journal *j)
{
	return j->generation;
}

static int open_file(struct pf_journal *j, struct gv_err *why)
{
	j->fd = open(j->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (j->fd < 0)
		return gv_fail(why, -errno, "%s: %s", j->path, strerror(errno));
	if (!flock(j->fd, LOCK_EX | LOCK_NB))
		return 0;
	return gv_fail(why, -EBUSY, "%s: another gpuvisord has it", j->path);
}

static int put_aside(struct pf_journal *j, struct gv_err *why)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s.refused", j->path);
	if (rename(j->path, path))
		return gv_fail(why, -errno, "%s: %s", path, strerror(errno));
	(void)close(j->fd);
	forget_all(j);
	j->bytes = j->generation = 0;
	return open_file(j, why);
}

static int load(struct pf_journal *j, enum pf_journal_found *found, struct gv_err *why)
{
	gv_auto_free uint8_t *file = NULL;
	size_t n = 0;
	int rc = read_all(j->fd, &file, &n);

	if (rc)
		return gv_fail(why, rc, "%s: %s", j->path, strerror(-rc));
	*found = n ? parse(j, file, n, why) : PF_JOURNAL_NEW;
	if (*found == PF_JOURNAL_TORN && ftruncate(j->fd, (off_t)j->bytes))
		return gv_fail(why, -errno, "%s: %s", j->path, strerror(errno));
	return *found == PF_JOURNAL_NEWER || *found == PF_JOURNAL_BAD ? put_aside(j, why) : 0;
}

int pf_journal_open(const char *path, struct pf_journal **out, enum pf_journal_found *found,
                    struct gv_err *why)
{
	struct pf_journal *j = calloc(1, sizeof(*j));
	int rc;

	if (!j)
		return gv_fail(why, -ENOMEM, "no memory for a journal");
	j->fd = -1;
	rc = (size_t)snprintf(j->path, sizeof(j->path), "%s", path) < sizeof(j->path)
	             ? open_file(j, why)
	             : gv_fail(why, -ENAMETOOLONG, "%s: too long", path);
	if (!rc)
		rc = load(j, found, why);
	if (rc) {
		(void)pf_journal_close(j);
		return rc;
	}
	*out = j;
	return 0;
}

struct pf_journal *pf_journal_close(struct pf_journal *j)
{
	if (!j)
		return NULL;
	forget_all(j);
	gv_closep(&j->fd);
	free(j);
	return NULL;
}

struct pf_journal *pf_journal_remove(struct pf_journal *j)
{
	if (j)
		(void)unlink(j->path);
	return pf_journal_close(j);
}

/* ---- of a PF ------------------------------------------------------------------------ */

void pf_journal_note(struct gv_pf *pf, enum pf_journal_kind kind, int vf, const void *data,
                     size_t bytes)
{
	int rc = pf->journal ? pf_journal_put(pf->journal, kind, vf, data, bytes) : 0;

	if (!rc)
		return;
	pf->journal = pf_journal_remove(pf->journal);
	pf_event(pf, GV_PF_EVENT_GPU, vf,
	         "the journal cannot be written (%s) and was removed; continuing without: a "
	         "restart finds out from the hardware what it can",
	         strerror(-rc));
}

const void *pf_journal_last(const struct gv_pf *pf, enum pf_journal_kind kind, int vf,
                            size_t *bytes)
{
	return pf->journal ? pf_journal_get(pf->journal, kind, vf, bytes) : NULL;
}
