/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How the token gets to QEMU. From 8.1 on vfio-pci has a property for it. Before,
 * QEMU names the device to the kernel by the last part of sysfsdev, and the kernel
 * takes "ADDRESS vf_token=UUID" as a name: a link called so does it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "owner.h"
#include "virt.h"

#define UUID_TEXT 36
#define DIR_MOST  200
#define DIR_MODE  0711

int gv_virt_check_token(const char *token, struct gv_err *err)
{
	size_t n = token ? strlen(token) : 0;
	bool ok = n == UUID_TEXT;

	for (size_t i = 0; ok && i < n; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		ok = dash ? token[i] == '-'
		          : token[i] && strchr("0123456789abcdefABCDEF", token[i]) != NULL;
	}
	return ok ? 0 : gv_fail(err, -EINVAL, "vf_token: not a UUID");
}

/* The names in it are secret, and QEMU's user must get through: whatever the umask, and whoever
 * made it. */
static int close_to_others(int fd, const char *path, struct gv_err *err)
{
	struct stat st;

	if (fstat(fd, &st))
		return gv_fail(err, -errno, "%s: %s", path, strerror(errno));
	if (!glue_is_ours(st.st_uid))
		return gv_fail(err, -EPERM,
		               "%s: belongs to user %u, not to us: VF tokens in it would be "
		               "known to him",
		               path, (unsigned)st.st_uid);
	if ((st.st_mode & 07777) != DIR_MODE && fchmod(fd, DIR_MODE))
		return gv_fail(err, -errno, "%s: %s", path, strerror(errno));
	return 0;
}

/* Others may go through, to a link whose name they know, but not list. */
static int open_dir(const char *path, struct gv_err *err)
{
	char parent[DIR_MOST];
	char *slash;
	int fd, rc;

	if (*path != '/' || strlen(path) >= sizeof(parent))
		return gv_fail(err, -EINVAL,
		               "link_dir: an absolute path of up to %d bytes is possible",
		               DIR_MOST - 1);
	memcpy(parent, path, strlen(path) + 1);
	slash = strrchr(parent, '/');
	*slash = '\0';
	if (*parent && mkdir(parent, 0755) && errno != EEXIST)
		return gv_fail(err, -errno, "%s: %s", parent, strerror(errno));
	if (mkdir(path, DIR_MODE) && errno != EEXIST)
		return gv_fail(err, -errno, "%s: %s", path, strerror(errno));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return gv_fail(err, -errno, "%s: %s", path, strerror(errno));
	rc = close_to_others(fd, path, err);
	if (!rc)
		return fd;
	(void)close(fd);
	return rc;
}

/* Links of @bdf with a token that no longer holds. */
static void remove_stale(int dir, const char *address, const char *keep)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	size_t n = strlen(address);

	if (!d && fd >= 0)
		(void)close(fd);
	while (d && (e = readdir(d)))
		if (!strncmp(e->d_name, address, n) && e->d_name[n] == ' ' &&
		    strcmp(e->d_name, keep))
			(void)unlinkat(dir, e->d_name, 0);
	if (d)
		(void)closedir(d);
}

static int make_link(const char *path, const struct gv_glue_bdf *bdf, const char *token,
                     char **value, struct gv_err *err)
{
	char address[GV_GLUE_BDF_TEXT], name[80], target[64];
	gv_auto_fd int dir = open_dir(path, err);
	char *text;

	if (dir < 0)
		return dir;
	gv_glue_bdf_format(bdf, address);
	(void)snprintf(name, sizeof(name), "%s vf_token=%s", address, token);
	(void)snprintf(target, sizeof(target), "/sys/bus/pci/devices/%s", address);
	remove_stale(dir, address, name);
	if (symlinkat(target, dir, name) && errno != EEXIST)
		return gv_fail(err, -errno, "%s: link for %s: %s", path, address, strerror(errno));
	if (asprintf(&text, "%s/%s", path, name) < 0)
		return gv_fail(err, -ENOMEM, "out of memory");
	*value = text;
	return 0;
}

int gv_virt_token_property(unsigned long qemu, const struct gv_glue_bdf *bdf, const char *token,
                           const char *link_dir, const char **name, char **value,
                           struct gv_err *err)
{
	int rc = gv_virt_check_token(token, err);

	if (rc)
		return rc;
	if (qemu < GV_VIRT_VF_TOKEN) {
		*name = "sysfsdev";
		return make_link(link_dir ? link_dir : GV_VIRT_LINK_DIR, bdf, token, value, err);
	}
	*name = "vf-token";
	*value = strdup(token);
	return *value ? 0 : gv_fail(err, -ENOMEM, "out of memory");
}
