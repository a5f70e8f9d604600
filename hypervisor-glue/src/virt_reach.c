/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libvirt does for its own hostdevs and therefore we must for the others:
 * QEMU has to find /dev/vfio/GROUP in its mount namespace, may open it, and may lock its
 * guest's memory. A device cgroup can not be opened from outside: docs/libvirt.md.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "virt.h"

#define RUN_DIR  "/run/libvirt/qemu"
#define MORE_KIB (1u << 20) /* for the device's own regions, as libvirt reckons */

/* Its process, 0: not found. */
static pid_t find_process(const struct gv_virt_domain *domain)
{
	char path[64 + GV_VIRT_NAME], line[24] = "";
	FILE *f;
	long pid;

	(void)snprintf(path, sizeof(path), RUN_DIR "/%s.pid", domain->name);
	f = strchr(domain->name, '/') ? NULL : fopen(path, "re");
	if (!f)
		return 0;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	(void)fclose(f);
	pid = strtol(line, NULL, 10);
	return pid > 1 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

static int raise_memlock(const struct gv_virt_domain *domain, pid_t pid, struct gv_err *err)
{
	rlim_t want = ((rlim_t)virDomainGetMaxMemory(domain->domain) + MORE_KIB) * 1024;
	struct rlimit limit;

	if (prlimit(pid, RLIMIT_MEMLOCK, NULL, &limit))
		return gv_fail(err, -errno, "domain %s: memory lock limit: %s", domain->name,
		               strerror(errno));
	if (limit.rlim_cur >= want) /* RLIM_INFINITY is the largest */
		return 0;
	limit.rlim_cur = want;
	limit.rlim_max = GV_MAX(limit.rlim_max, want);
	if (prlimit(pid, RLIMIT_MEMLOCK, &limit, NULL))
		return gv_fail(err, -errno, "domain %s: memory lock limit: %s", domain->name,
		               strerror(errno));
	return 0;
}

/* The node /dev/vfio/@name in the process's view. One that is there already is the host's own, and
 * only a group (@own) then becomes the process's: the control node is everybody's. */
static int give_node(pid_t pid, const char *name, mode_t mode, bool own, struct gv_err *err)
{
	char host[64], path[96];
	struct stat node, process;
	bool made;

	(void)snprintf(host, sizeof(host), "/dev/vfio/%s", name);
	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	if (stat(host, &node) || !S_ISCHR(node.st_mode) || stat(path, &process))
		return gv_fail(err, -ENOENT, "%s: not there: is the VF on vfio-pci?", host);
	(void)snprintf(path, sizeof(path), "/proc/%d/root/dev/vfio", (int)pid);
	if (mkdir(path, 0755) && errno != EEXIST)
		return gv_fail(err, -errno, "%s: %s", path, strerror(errno));
	(void)snprintf(path, sizeof(path), "/proc/%d/root/dev/vfio/%s", (int)pid, name);
	made = !mknod(path, S_IFCHR | mode, node.st_rdev);
	if ((!made && errno != EEXIST) || (made && chmod(path, mode)) ||
	    ((made || own) && lchown(path, process.st_uid, process.st_gid)))
		return gv_fail(err, -errno, "%s: %s", path, strerror(errno));
	return 0;
}

int gv_virt_reach(const struct gv_virt_domain *domain, int group, const struct gv_log *log,
                  struct gv_err *err)
{
	pid_t pid = geteuid() ? 0 : find_process(domain);
	char name[24];
	int rc;

	if (!pid) {
		gv_logf(log, GV_LOG_WARN,
		        "domain %s: its process is not ours to prepare, trying without",
		        domain->name);
		return 0;
	}
	(void)snprintf(name, sizeof(name), "%d", group);
	rc = raise_memlock(domain, pid, err);
	if (!rc)
		rc = give_node(pid, "vfio", 0666, false, err);
	return rc ? rc : give_node(pid, name, 0600, true, err);
}

/* A node of its own goes away with us, the host's own goes back to root. */
static void take_node(pid_t pid, int group)
{
	char host[64], path[96];
	struct stat a, b;

	(void)snprintf(host, sizeof(host), "/dev/vfio/%d", group);
	(void)snprintf(path, sizeof(path), "/proc/%d/root/dev/vfio/%d", (int)pid, group);
	if (lstat(path, &b) || !S_ISCHR(b.st_mode))
		return;
	if (!lstat(host, &a) && a.st_dev == b.st_dev && a.st_ino == b.st_ino) {
		if (lchown(host, 0, 0))
			return;
	} else {
		(void)unlink(path);
	}
}

void gv_virt_unreach(const struct gv_virt_domain *domain, int group)
{
	pid_t pid = geteuid() || group < 0 ? 0 : find_process(domain);

	if (pid)
		take_node(pid, group);
}
