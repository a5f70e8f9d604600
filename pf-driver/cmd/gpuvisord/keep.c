/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The profile in force, kept over reboots in --state-dir:
 *
 *   asked.json     --profile as it was when it was last put into force
 *   profile.json   what was applied instead since then; empty: VFs were disabled
 *
 * So a changed --profile counts, and else what was last applied.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gpuvisord.h"

#define ASKED "asked.json"
#define KEPT  "profile.json"

static int read_file(int dir, const char *name, char **text, size_t *bytes)
{
	gv_auto_fd int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	gv_auto_free char *buf = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > GV_CFG_MAX_FILE_BYTES)
		return -E2BIG;
	buf = malloc((size_t)st.st_size + 1);
	if (!buf)
		return -ENOMEM;
	n = read(fd, buf, (size_t)st.st_size);
	if (n < 0)
		return -errno;
	*bytes = (size_t)n;
	*text = GV_TAKE(buf);
	return 0;
}

/* All of it, or what was there before: also when the power goes. */
static int write_file(int dir, const char *name, const char *text, size_t bytes)
{
	char temp[64];
	gv_auto_fd int fd = -1;

	(void)snprintf(temp, sizeof(temp), ".%s.new", name);
	fd = openat(dir, temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	if (write(fd, text, bytes) != (ssize_t)bytes || fsync(fd) || renameat(dir, temp, dir, name))
		return errno ? -errno : -EIO;
	return fsync(dir) ? -errno : 0;
}

static int open_dir(struct daemon *d, int *fd, struct gv_err *err)
{
	const char *dir = d->opt.state_dir;

	if (mkdir(dir, 0750) && errno != EEXIST)
		return gv_fail(err, -errno, "--state-dir %s: %s", dir, strerror(errno));
	*fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd < 0 ? gv_fail(err, -errno, "--state-dir %s: %s", dir, strerror(errno)) : 0;
}

/* Is --profile what it was when something else was put into force? */
static bool is_unchanged(const struct daemon *d, int dir)
{
	gv_auto_free char *asked = NULL, *now = NULL;
	size_t asked_bytes = 0, now_bytes = 0;

	if (!d->opt.profile)
		return true;
	return !read_file(dir, ASKED, &asked, &asked_bytes) &&
	       !read_file(AT_FDCWD, d->opt.profile, &now, &now_bytes) && asked_bytes == now_bytes &&
	       !memcmp(asked, now, now_bytes);
}

/* From now on --profile counts until something else is applied. */
static int start_anew(const struct daemon *d, int dir)
{
	gv_auto_free char *text = NULL;
	size_t bytes = 0;
	int rc = 0;

	if (unlinkat(dir, KEPT, 0) && errno != ENOENT)
		return -errno;
	if (d->opt.profile)
		rc = read_file(AT_FDCWD, d->opt.profile, &text, &bytes);
	return rc || !d->opt.profile ? rc : write_file(dir, ASKED, text, bytes);
}

int keep_load(struct daemon *d, struct gv_err *err)
{
	gv_auto_free char *text = NULL;
	gv_auto_fd int dir = -1;
	struct gv_cfg cfg = {0};
	size_t bytes = 0;
	int rc;

	if (!d->opt.state_dir)
		return 0;
	rc = open_dir(d, &dir, err);
	if (rc)
		return rc;
	if (!is_unchanged(d, dir) || read_file(dir, KEPT, &text, &bytes)) {
		rc = start_anew(d, dir);
		return rc ? gv_fail(err, rc, "--state-dir %s: %s", d->opt.state_dir, strerror(-rc))
		          : 0;
	}
	rc = bytes ? gv_cfg_parse(text, bytes, &cfg, err) : 0;
	if (rc)
		return gv_fail_prefix(err, "%s/" KEPT, d->opt.state_dir), rc;
	gv_logf(&d->log, GV_LOG_INFO, "%s/" KEPT " is in force: it was applied after %s",
	        d->opt.state_dir, d->opt.profile ? d->opt.profile : "the last start");
	if (d->cfg.gpu[0])
		memcpy(cfg.gpu, d->cfg.gpu, sizeof(cfg.gpu));
	d->cfg = cfg;
	d->has_cfg = cfg.num_vfs > 0;
	return 0;
}

void keep_store(struct daemon *d, const struct gv_cfg *cfg)
{
	gv_auto_free char *text = NULL;
	gv_auto_fd int dir = -1;
	struct gv_err err = {0};
	int rc = 0;

	d->cfg = *cfg;
	(void)snprintf(d->cfg.gpu, sizeof(d->cfg.gpu), "%s", d->gpu_uri);
	if (!d->opt.state_dir)
		return;
	if (cfg->num_vfs)
		rc = gv_cfg_to_json(&d->cfg, &text);
	if (!rc && !open_dir(d, &dir, &err))
		rc = write_file(dir, KEPT, text ? text : "", text ? strlen(text) : 0);
	if (rc || err.code)
		gv_logf(&d->log, GV_LOG_WARN,
		        "the profile in force is not kept over a reboot, continuing without: %s",
		        err.code ? err.text : strerror(-rc));
}
