/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What sysfs knows about a PCI function that somebody wants to open with VFIO, and, when it
 * cannot be opened, exactly why. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "vfio.h"

#define DEVICES "bus/pci/devices"

static bool parse_bdf(const char *bdf)
{
	static const char form[] = "xxxx:xx:xx.f";

	if (strlen(bdf) != sizeof(form) - 1)
		return false;
	for (size_t i = 0; form[i]; i++) {
		bool ok = form[i] == 'x'   ? isxdigit((unsigned char)bdf[i]) != 0
		          : form[i] == 'f' ? bdf[i] >= '0' && bdf[i] <= '7'
		                           : bdf[i] == form[i];

		if (!ok)
			return false;
	}
	return true;
}

static void device_path(const struct gv_vfio_sys *sys, const char *bdf, const char *leaf,
                        char path[PATH_MAX])
{
	(void)snprintf(path, PATH_MAX, "%s/" DEVICES "/%s%s%s", sys->sysfs, bdf, *leaf ? "/" : "",
	               leaf);
}

static bool exists(const struct gv_vfio_sys *sys, const char *bdf, const char *leaf)
{
	char path[PATH_MAX];

	device_path(sys, bdf, leaf, path);
	return access(path, F_OK) == 0;
}

/* The last part of what a link points to. */
static int link_name(const struct gv_vfio_sys *sys, const char *bdf, const char *leaf, char *name,
                     size_t n)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *slash;
	ssize_t len;

	device_path(sys, bdf, leaf, path);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return -errno;
	target[len] = 0;
	slash = strrchr(target, '/');
	(void)snprintf(name, n, "%s", slash ? slash + 1 : target);
	return 0;
}

int gv_vfio_sysfs_read(const struct gv_vfio_sys *sys, const char *path, char *buf, size_t n)
{
	char full[PATH_MAX];
	gv_auto_fd int fd = -1;
	ssize_t got;

	(void)snprintf(full, sizeof(full), "%s/%s", sys->sysfs, path);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : read(fd, buf, n - 1);
	if (got < 0)
		return -errno;
	buf[got] = 0;
	buf[strcspn(buf, "\n")] = 0;
	return 0;
}

static int check_driver(const struct gv_vfio_sys *sys, const char *bdf, struct gv_err *err)
{
	char driver[64], path[PATH_MAX];
	bool loaded;

	(void)snprintf(path, sizeof(path), "%s/bus/pci/drivers/vfio-pci", sys->sysfs);
	loaded = access(path, F_OK) == 0;
	if (link_name(sys, bdf, "driver", driver, sizeof(driver)))
		return gv_fail(
		        err, -ENXIO, "%s: no driver is bound; %s", bdf,
		        loaded ? "bind it to vfio-pci (driverctl set-override, or "
		                 "driver_override and drivers_probe in sysfs)"
		               : "the module vfio-pci is not loaded: modprobe vfio-pci, then "
		                 "bind the device to it");
	if (!strstr(driver, "vfio"))
		return gv_fail(err, -EBUSY, "%s: driver %s is bound, vfio-pci is needed%s", bdf,
		               driver, loaded ? "" : " (and is not loaded: modprobe vfio-pci)");
	return 0;
}

static int find_group(const struct gv_vfio_sys *sys, struct vfio_facts *f)
{
	char number[32], path[VFIO_PATH_MAX], name[64];

	if (link_name(sys, f->bdf, "iommu_group", number, sizeof(number)))
		return -ENOENT;
	(void)snprintf(path, sizeof(path), DEVICES "/%s/iommu_group/name", f->bdf);
	f->noiommu = gv_vfio_sysfs_read(sys, path, name, sizeof(name)) == 0 &&
	             strcmp(name, "vfio-noiommu") == 0;
	(void)snprintf(f->group, sizeof(f->group), "/dev/vfio/%s%s", f->noiommu ? "noiommu-" : "",
	               number);
	return 0;
}

static void find_cdev(const struct gv_vfio_sys *sys, struct vfio_facts *f)
{
	char path[PATH_MAX];
	const struct dirent *e;
	DIR *dir;

	device_path(sys, f->bdf, "vfio-dev", path);
	dir = opendir(path);
	if (!dir)
		return;
	while ((e = readdir(dir)))
		if (strncmp(e->d_name, "vfio", 4) == 0 && strlen(e->d_name) < 32)
			(void)snprintf(f->cdev, sizeof(f->cdev), "/dev/vfio/devices/%s", e->d_name);
	(void)closedir(dir);
}

int gv_vfio_find(const struct gv_vfio_sys *sys, const char *bdf, struct vfio_facts *facts,
                 struct gv_err *err)
{
	struct vfio_facts f = {.noiommu = false};
	int rc;

	if (!parse_bdf(bdf))
		return gv_fail(err, -EINVAL, "\"%s\" is no PCI address: 0000:03:00.0 is", bdf);
	(void)snprintf(f.bdf, sizeof(f.bdf), "%s", bdf);
	if (!exists(sys, bdf, ""))
		return gv_fail(err, -ENODEV, "%s: there is no such PCI device", bdf);
	rc = check_driver(sys, bdf, err);
	if (rc)
		return rc;
	f.is_vf = exists(sys, bdf, "physfn");
	find_cdev(sys, &f);
	if (find_group(sys, &f))
		return gv_fail(err, -ENODEV,
		               "%s: no IOMMU group: the IOMMU is off (firmware setting, and "
		               "intel_iommu=on or amd_iommu=on on the kernel command line)",
		               bdf);
	*facts = f;
	return 0;
}

/* ---- SR-IOV ---------------------------------------------------------------- */

static int write_numvfs(const char *path, unsigned n)
{
	gv_auto_fd int fd = open(path, O_WRONLY | O_CLOEXEC | O_TRUNC);
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	if (fd < 0)
		return -errno;
	return write(fd, text, (size_t)len) == len ? 0 : -errno;
}

static int read_numvfs(const struct gv_vfio_sys *sys, const char *bdf, unsigned *n)
{
	char path[VFIO_PATH_MAX], text[32];
	int rc;

	(void)snprintf(path, sizeof(path), DEVICES "/%s/sriov_numvfs", bdf);
	rc = gv_vfio_sysfs_read(sys, path, text, sizeof(text));
	if (rc)
		return rc;
	*n = (unsigned)strtoul(text, NULL, 10);
	return 0;
}

static const char *why_numvfs(int rc)
{
	switch (rc) {
	case -ENOENT:
		return "vfio-pci refuses SR-IOV: echo Y > "
		       "/sys/module/vfio_pci/parameters/enable_sriov";
	case -EACCES:
		return "only root may write sriov_numvfs";
	default:
		return strerror(-rc);
	}
}

/* The kernel changes only from and to 0, and may grant less than it was asked without saying. */
int gv_vfio_sysfs_numvfs(const struct gv_vfio_sys *sys, const char *bdf, unsigned num_vfs,
                         struct gv_err *err)
{
	char path[PATH_MAX];
	unsigned now = 0;
	int rc = read_numvfs(sys, bdf, &now);

	if (rc == -ENOENT)
		return gv_fail(err, -ENOTSUP, "%s has no sriov_numvfs, so it is no PF", bdf);
	if (rc || now == num_vfs)
		return rc;
	device_path(sys, bdf, "sriov_numvfs", path);
	if (now && num_vfs)
		rc = write_numvfs(path, 0);
	if (!rc)
		rc = write_numvfs(path, num_vfs);
	if (rc)
		return gv_fail(err, rc, "%s: sriov_numvfs = %u: %s", bdf, num_vfs, why_numvfs(rc));
	rc = read_numvfs(sys, bdf, &now);
	if (!rc && now != num_vfs)
		return gv_fail(err, -EIO, "%s: %u VFs asked, the kernel made %u", bdf, num_vfs,
		               now);
	return rc;
}
