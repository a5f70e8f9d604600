/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Facts of a PCI function from sysfs. The tree may be a copy, and a copy may
 * be made by somebody who means harm: only the way to the device's own folder
 * may go through a link, and not out of the tree; every other link is read as
 * text, of which the last part is used and checked.
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <gv/hypervisor_glue.h>

#include "sysfs_open.h"

#define MAX_VFS 256u /* links to look at; far above any GPU */

struct dev {
	int fd;
	char name[GV_GLUE_BDF_TEXT];
	struct gv_err *err;
};

/* The kernel gives up with EAGAIN when something anywhere was renamed while it followed "..":
 * udev does so at the very moment in which VFs appear. */
#define OPEN_TRIES 1000

int glue_open_beneath(int root, const char *path, int flags)
{
	struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC,
	                       .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	long fd = -1;

	for (unsigned i = 0; i < OPEN_TRIES; i++) {
		fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd >= 0 ? (int)fd : -errno;
}

static void close_dev(struct dev *d)
{
	gv_closep(&d->fd);
}

static int open_dev(const char *root, const struct gv_glue_bdf *bdf, struct dev *d,
                    struct gv_err *err)
{
	gv_auto_fd int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char path[64];

	d->fd = -1;
	d->err = err;
	gv_glue_bdf_format(bdf, d->name);
	if (dir < 0)
		return gv_fail(err, -errno, "%s: %s", root, strerror(errno));
	(void)snprintf(path, sizeof(path), "bus/pci/devices/%s", d->name);
	d->fd = glue_open_beneath(dir, path, O_RDONLY | O_DIRECTORY);
	if (d->fd == -ENOENT)
		return gv_fail(err, -ENODEV, "%s: no such PCI function under %s", d->name, root);
	if (d->fd == -EXDEV)
		return gv_fail(err, -EPROTO, "%s: its link leads out of %s", d->name, root);
	if (d->fd < 0)
		return gv_fail(err, d->fd, "%s: %s", d->name, strerror(-d->fd));
	return 0;
}

/* One short line of text; -ENOENT when there is no such file. */
static int get_line(const struct dev *d, const char *file, char *line, size_t room)
{
	gv_auto_fd int fd = openat(d->fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	ssize_t n;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return gv_fail(d->err, -EPROTO, "%s/%s: not a readable file", d->name, file);
	n = read(fd, line, room);
	if (n < 0 || (size_t)n >= room)
		return gv_fail(d->err, -EPROTO, "%s/%s: longer than any value of sysfs", d->name,
		               file);
	while (n && line[n - 1] == '\n')
		n--;
	line[n] = '\0';
	if (strlen(line) != (size_t)n)
		return gv_fail(d->err, -EPROTO, "%s/%s: not text", d->name, file);
	return 0;
}

static int get_number(const struct dev *d, const char *file, int base, uint32_t max, uint32_t *v)
{
	char line[32];
	char *end;
	unsigned long n;
	int rc = get_line(d, file, line, sizeof(line));

	if (rc)
		return rc;
	errno = 0;
	n = strtoul(line, &end, base);
	if (errno || end == line || *end || line[0] == '-' || n > max)
		return gv_fail(d->err, -EPROTO, "%s/%s: \"%s\" found, a number up to %u expected",
		               d->name, file, line, max);
	*v = (uint32_t)n;
	return 0;
}

/* Last part of a link's target; -ENOENT when there is no such link. */
static int get_link(const struct dev *d, const char *file, char *last, size_t room)
{
	char target[512];
	const char *slash;
	ssize_t n = readlinkat(d->fd, file, target, sizeof(target) - 1);

	if (n < 0 && errno == ENOENT)
		return -ENOENT;
	if (n < 0 || (size_t)n >= sizeof(target) - 1)
		return gv_fail(d->err, -EPROTO, "%s/%s: not a link of sysfs", d->name, file);
	target[n] = '\0';
	slash = strrchr(target, '/');
	slash = slash ? slash + 1 : target;
	if (!*slash || strlen(slash) >= room || !strcmp(slash, ".."))
		return gv_fail(d->err, -EPROTO, "%s/%s: a link to nothing that sysfs has", d->name,
		               file);
	memcpy(last, slash, strlen(slash) + 1);
	return 0;
}

static int get_bdf_link(const struct dev *d, const char *file, struct gv_glue_bdf *bdf)
{
	char last[64];
	int rc = get_link(d, file, last, sizeof(last));

	if (rc)
		return rc;
	if (gv_glue_bdf_parse(last, bdf))
		return gv_fail(d->err, -EPROTO, "%s/%s: \"%s\" is no PCI address", d->name, file,
		               last);
	return 0;
}

static bool same(const struct gv_glue_bdf *a, const struct gv_glue_bdf *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->slot == b->slot &&
	       a->function == b->function;
}

/* Names go into XML and logs. */
static bool plain(const char *text)
{
	for (; *text; text++)
		if (*text < '!' || *text > '~')
			return false;
	return true;
}

static int get_ids(const struct dev *d, struct gv_glue_fn *fn)
{
	uint32_t vendor = 0, device = 0;
	int rc = get_number(d, "vendor", 16, 0xffff, &vendor);

	if (!rc)
		rc = get_number(d, "device", 16, 0xffff, &device);
	if (rc == -ENOENT)
		return gv_fail(d->err, -EPROTO, "%s: no vendor or device file", d->name);
	fn->vendor = (uint16_t)vendor;
	fn->device = (uint16_t)device;
	return rc;
}

static int get_driver(const struct dev *d, struct gv_glue_fn *fn)
{
	int rc = get_link(d, "driver", fn->driver, sizeof(fn->driver));

	if (rc && rc != -ENOENT)
		return rc;
	rc = get_line(d, "driver_override", fn->driver_override, sizeof(fn->driver_override));
	if (rc && rc != -ENOENT)
		return rc;
	if (!strcmp(fn->driver_override, "(null)")) /* the kernel's way to say: none */
		fn->driver_override[0] = '\0';
	if (!plain(fn->driver) || !plain(fn->driver_override))
		return gv_fail(d->err, -EPROTO, "%s: a driver's name that no driver has", d->name);
	return 0;
}

static int get_iommu_group(const struct dev *d, struct gv_glue_fn *fn)
{
	char last[32];
	char *end;
	long n;
	int rc = get_link(d, "iommu_group", last, sizeof(last));

	fn->iommu_group = -1;
	if (rc == -ENOENT)
		return 0;
	if (rc)
		return rc;
	errno = 0;
	n = strtol(last, &end, 10);
	if (errno || *end || n < 0 || n > INT32_MAX || last[0] < '0' || last[0] > '9')
		return gv_fail(d->err, -EPROTO, "%s/iommu_group: \"%s\" is no group", d->name,
		               last);
	fn->iommu_group = (int)n;
	return 0;
}

static int get_pf(const struct dev *d, struct gv_glue_fn *fn)
{
	int rc = get_number(d, "sriov_totalvfs", 10, 0xffff, &fn->total_vfs);

	if (rc == -ENOENT)
		return 0;
	if (!rc)
		rc = get_number(d, "sriov_numvfs", 10, 0xffff, &fn->num_vfs);
	if (rc == -ENOENT || (!rc && fn->num_vfs > fn->total_vfs))
		return gv_fail(d->err, -EPROTO, "%s: %u of %u VFs enabled cannot be", d->name,
		               fn->num_vfs, fn->total_vfs);
	fn->is_pf = !rc;
	return rc;
}

/* The PF must know this VF, else one of both is stale. */
static int find_index(const char *root, struct gv_glue_fn *fn, const struct dev *vf)
{
	GV_CLEANUP(close_dev) struct dev pf = {.fd = -1};
	struct gv_glue_bdf at;
	char link[24];
	int rc = open_dev(root, &fn->pf, &pf, vf->err);

	if (rc)
		return rc;
	for (unsigned i = 0; i < MAX_VFS; i++) {
		(void)snprintf(link, sizeof(link), "virtfn%u", i);
		rc = get_bdf_link(&pf, link, &at);
		if (rc == -ENOENT)
			break;
		if (rc)
			return rc;
		if (!same(&at, &fn->bdf))
			continue;
		fn->vf_index = (int)i;
		return 0;
	}
	return gv_fail(vf->err, -ESTALE, "%s: its PF %s has no virtfn for it", vf->name, pf.name);
}

static int get_vf(const char *root, const struct dev *d, struct gv_glue_fn *fn)
{
	int rc = get_bdf_link(d, "physfn", &fn->pf);

	fn->vf_index = -1;
	if (rc == -ENOENT)
		return 0;
	if (rc)
		return rc;
	fn->is_vf = true;
	return find_index(root, fn, d);
}

int gv_glue_fn_read(const char *root, const struct gv_glue_bdf *bdf, struct gv_glue_fn *fn,
                    struct gv_err *err)
{
	struct gv_glue_fn f = {.bdf = *bdf};
	GV_CLEANUP(close_dev) struct dev d = {.fd = -1};
	int rc = open_dev(root, bdf, &d, err);

	if (!rc)
		rc = get_ids(&d, &f);
	if (!rc)
		rc = get_driver(&d, &f);
	if (!rc)
		rc = get_iommu_group(&d, &f);
	if (!rc)
		rc = get_pf(&d, &f);
	if (!rc)
		rc = get_vf(root, &d, &f);
	if (!rc)
		*fn = f;
	return rc;
}

static int find_vf(const char *root, const struct gv_glue_bdf *pf, unsigned index,
                   struct gv_glue_bdf *bdf, struct gv_err *err)
{
	GV_CLEANUP(close_dev) struct dev d = {.fd = -1};
	char link[24];
	int rc = open_dev(root, pf, &d, err);

	if (rc)
		return rc;
	(void)snprintf(link, sizeof(link), "virtfn%u", index);
	rc = get_bdf_link(&d, link, bdf);
	if (rc == -ENOENT)
		return gv_fail(err, -ENOENT, "%s: VF%u is not enabled", d.name, index);
	return rc;
}

int gv_glue_vf_read(const char *root, const struct gv_glue_bdf *pf, unsigned index,
                    struct gv_glue_fn *fn, struct gv_err *err)
{
	struct gv_glue_fn f;
	struct gv_glue_bdf bdf;
	int rc = find_vf(root, pf, index, &bdf, err);

	if (!rc)
		rc = gv_glue_fn_read(root, &bdf, &f, err);
	if (rc)
		return rc;
	if (!f.is_vf || !same(&f.pf, pf) || f.vf_index != (int)index)
		return gv_fail(err, -ESTALE, "VF%u: it does not name the PF that names it", index);
	*fn = f;
	return 0;
}
