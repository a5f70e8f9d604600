/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What root gives away so that the rest needs no root. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gv/pf_host.h>

#define PATH_BYTES 512

/* The owner stays; the group may read and write. */
static int give(const char *path, gid_t group, struct gv_err *err)
{
	gv_auto_fd int fd = open(path, O_PATH | O_CLOEXEC);
	char self[64];
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return gv_fail(err, -errno, "%s: %s", path, strerror(errno));
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (st.st_gid != group && chown(self, (uid_t)-1, group))
		return gv_fail(err, -errno, "%s: to group %u: %s", path, group, strerror(errno));
	if ((st.st_mode & 0060) != 0060 && chmod(self, (st.st_mode & 07777) | 0060))
		return gv_fail(err, -errno, "%s: for the group: %s", path, strerror(errno));
	return 0;
}

/* The node of VFIO's newer interface. Kernels name it in sysfs although they were built without. */
static int give_cdev(const char *sys, const char *dev, const char *bdf, gid_t group,
                     struct gv_err *err)
{
	char path[PATH_BYTES];
	const struct dirent *e;
	int rc = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/vfio-dev", sys, bdf);
	dir = opendir(path);
	while (dir && !rc && (e = readdir(dir)) != NULL) {
		if (strncmp(e->d_name, "vfio", 4) != 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/vfio/devices/%s", dev, e->d_name);
		if (!access(path, F_OK))
			rc = give(path, group, err);
	}
	if (dir)
		(void)closedir(dir);
	return rc;
}

static int give_group(const char *sys, const char *dev, const char *bdf, gid_t group,
                      struct gv_err *err)
{
	char path[PATH_BYTES], link[PATH_BYTES];
	const char *number;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/iommu_group", sys, bdf);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return gv_fail(err, -ENODEV, "%s: no IOMMU group: gpuvisor check says more", bdf);
	link[n] = '\0';
	number = strrchr(link, '/');
	(void)snprintf(path, sizeof(path), "%s/vfio/%s", dev, number ? number + 1 : link);
	if (access(path, F_OK))
		return gv_fail(err, -ENODEV, "%s is not there: is %s on vfio-pci?", path, bdf);
	return give(path, group, err);
}

int gv_pf_hand_over(const char *sys, const char *dev, const char *bdf, gid_t group,
                    struct gv_err *err)
{
	char path[PATH_BYTES];
	int rc;

	(void)snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/sriov_numvfs", sys, bdf);
	rc = give(path, group, err);
	if (!rc)
		rc = give_group(sys, dev, bdf, group, err);
	return rc ? rc : give_cdev(sys, dev, bdf, group, err);
}
