/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Claims: DIR/ADDRESS holds one line, the owner. The lock is flock() on DIR/.lock: it goes with
 * its holder, so nobody has to clean up after a crash. Only who may write claims can open that
 * file: a lock of DIR itself could be held by whoever may look into it. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gv/binding.h>

#include "owner.h"

#define LOCK_MS 5000

static int check_owner(const char *owner, struct gv_err *err)
{
	size_t n = strlen(owner);

	if (!n || n >= GV_GLUE_OWNER_TEXT)
		return gv_fail(err, -EINVAL, "owner: 1 to %d bytes are possible",
		               GV_GLUE_OWNER_TEXT - 1);
	for (const char *p = owner; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return gv_fail(err, -EINVAL, "owner: control characters are not possible");
	return 0;
}

/* As mkdir -p. */
static int make_dirs(const char *dir, struct gv_err *err)
{
	char path[512];

	if (!*dir || strlen(dir) >= sizeof(path))
		return gv_fail(err, -EINVAL, "claims: a path of up to %zu bytes is possible",
		               sizeof(path) - 1);
	memcpy(path, dir, strlen(dir) + 1);
	for (char *p = path + 1;; p++) {
		char end = *p;

		if (end && end != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			return gv_fail(err, -errno, "%s: %s", path, strerror(errno));
		*p = end;
		if (!end)
			return 0;
	}
}

/* Where everybody may write, a claim is worth nothing. */
static int open_dir(const char *dir, int *fd, struct gv_err *err)
{
	gv_auto_fd int d = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (d < 0 || fstat(d, &st))
		return gv_fail(err, -errno, "%s: %s", dir, strerror(errno));
	if ((st.st_mode & S_IWOTH) || (st.st_uid && !glue_is_ours(st.st_uid)))
		return gv_fail(err, -EPERM,
		               "%s: belongs to user %u, mode %04o: claims need a directory of root "
		               "or of ours that others cannot write",
		               dir, (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777));
	*fd = gv_take_fd(&d);
	return 0;
}

struct locked {
	int dir, lock;
};

static void unlock(struct locked *l)
{
	gv_closep(&l->lock);
	gv_closep(&l->dir);
}

#define auto_locked GV_CLEANUP(unlock) struct locked

static int lock_dir(const char *dir, struct locked *l, struct gv_err *err)
{
	uint64_t end = gv_now_ns() + LOCK_MS * GV_MS;
	unsigned spins = 0;
	int rc = open_dir(dir, &l->dir, err);

	if (rc)
		return rc;
	l->lock = openat(l->dir, ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (l->lock < 0)
		return gv_fail(err, -errno, "%s/.lock: %s", dir, strerror(errno));
	while (flock(l->lock, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return gv_fail(err, -errno, "%s: lock: %s", dir, strerror(errno));
		if (gv_now_ns() > end)
			return gv_fail(err, -ETIMEDOUT, "%s: locked by somebody for %d ms", dir,
			               LOCK_MS);
		gv_poll_pause(&spins);
	}
	return 0;
}

/* -ENOENT: nobody (no text); -EPROTO: not a claim. */
static int read_owner(int dir, const char *name, char *owner, struct gv_err *err)
{
	gv_auto_fd int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char line[GV_GLUE_OWNER_TEXT + 1];
	struct stat st;
	ssize_t n = 0;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode))
		n = read(fd, line, sizeof(line) - 1);
	line[n > 0 ? n : 0] = '\0';
	if (n > 1 && line[n - 1] == '\n' && strlen(line) == (size_t)n) {
		line[n - 1] = '\0';
		if (!check_owner(line, NULL)) {
			memcpy(owner, line, (size_t)n);
			return 0;
		}
	}
	return gv_fail(err, -EPROTO, "%s: its claim file is damaged: remove it", name);
}

/* Whole or not at all: a claim without an owner must not be left by a crash. */
static int write_owner(int dir, const char *name, const char *owner, struct gv_err *err)
{
	char temp[GV_GLUE_BDF_TEXT + 8], line[GV_GLUE_OWNER_TEXT + 1];
	int n = snprintf(line, sizeof(line), "%s\n", owner);
	gv_auto_fd int fd = -1;
	ssize_t done;

	(void)snprintf(temp, sizeof(temp), ".%s.new", name);
	fd = openat(dir, temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	done = fd < 0 ? -1 : write(fd, line, (size_t)n);
	if (done == n && !renameat(dir, temp, dir, name))
		return 0;
	n = done >= 0 && done < n ? -ENOSPC : -errno;
	(void)unlinkat(dir, temp, 0);
	return gv_fail(err, n, "%s: claim: %s", name, strerror(-n));
}

int gv_glue_claim_take(const char *dir, const struct gv_glue_bdf *vf, const char *owner,
                       struct gv_err *err)
{
	char name[GV_GLUE_BDF_TEXT], has[GV_GLUE_OWNER_TEXT];
	auto_locked l = {-1, -1};
	int rc = check_owner(owner, err);

	if (!rc)
		rc = make_dirs(dir, err);
	if (!rc)
		rc = lock_dir(dir, &l, err);
	if (rc)
		return rc;
	rc = read_owner(l.dir, gv_glue_bdf_format(vf, name), has, err);
	if (rc == -ENOENT)
		return write_owner(l.dir, name, owner, err);
	if (!rc && strcmp(has, owner))
		return gv_fail(err, -EBUSY, "%s: %s has it", name, has);
	return rc;
}

int gv_glue_claim_drop(const char *dir, const struct gv_glue_bdf *vf, const char *owner,
                       struct gv_err *err)
{
	char name[GV_GLUE_BDF_TEXT], has[GV_GLUE_OWNER_TEXT];
	auto_locked l = {-1, -1};
	int rc = lock_dir(dir, &l, err);

	if (rc)
		return rc;
	rc = read_owner(l.dir, gv_glue_bdf_format(vf, name), has, err);
	if (rc == -ENOENT)
		return gv_fail(err, -ENOENT, "%s: nobody has claimed it", name);
	if (rc && owner)
		return rc;
	if (owner && strcmp(has, owner))
		return gv_fail(err, -EPERM, "%s: %s has it, not %.*s", name, has,
		               GV_GLUE_OWNER_TEXT, owner);
	if (unlinkat(l.dir, name, 0))
		return gv_fail(err, -errno, "%s: claim: %s", name, strerror(errno));
	return 0;
}

int gv_glue_claim_read(const char *dir, const struct gv_glue_bdf *vf, char *owner,
                       struct gv_err *err)
{
	gv_auto_fd int fd = -1;
	char name[GV_GLUE_BDF_TEXT];
	int rc = open_dir(dir, &fd, err);

	gv_glue_bdf_format(vf, name);
	if (!rc)
		rc = read_owner(fd, name, owner, err);
	return rc == -ENOENT ? gv_fail(err, rc, "%s: nobody has claimed it", name) : rc;
}
