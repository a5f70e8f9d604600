/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the host itself must have. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "check.h"

#define ECAP_INTREMAP (1ull << 3) /* VT-d specification, Extended Capability Register: IR */
#define KVM_API       12
#define MEMLOCK_MIN   (8 * GV_MIB) /* what gpuvisord itself locks, with room */

static unsigned count_entries(const char *root, const char *path)
{
	char full[512];
	struct dirent *e;
	unsigned n = 0;
	DIR *dir;

	(void)snprintf(full, sizeof(full), "%s/%s", root, path);
	dir = opendir(full);
	while (dir && (e = readdir(dir)) != NULL)
		n += e->d_name[0] != '.';
	if (dir)
		(void)closedir(dir);
	return n;
}

static bool is_on(const struct check *c, const char *path)
{
	char flag[8];

	return !check_read(c->sysfs, path, flag, sizeof(flag)) && flag[0] == 'Y';
}

static void check_iommu(struct check *c)
{
	unsigned groups = count_entries(c->sysfs, "kernel/iommu_groups");

	if (groups)
		check_add(c, "iommu", CHECK_OK, "", "", "on: %u groups", groups);
	else if (is_on(c, "module/vfio/parameters/enable_unsafe_noiommu_mode"))
		check_add(c, "iommu", CHECK_WARN, "iommu-unsafe",
		          "for test machines only: VMs cannot be given VFs without an IOMMU",
		          "none, and VFIO's unsafe mode without one is on");
	else
		check_add(c, "iommu", CHECK_FAIL, "iommu-off",
		          "switch VT-d or AMD-Vi on in the firmware; boot with intel_iommu=on or "
		          "amd_iommu=on",
		          "no IOMMU group: the IOMMU is off");
}

/* 1: an Intel unit has it, 0: one has not, -1: no Intel unit. */
static int intel_remaps(const struct check *c)
{
	char path[64], text[32];
	int found = -1;

	for (unsigned i = 0; i < 16; i++) {
		(void)snprintf(path, sizeof(path), "class/iommu/dmar%u/intel-iommu/ecap", i);
		if (check_read(c->sysfs, path, text, sizeof(text)))
			continue;
		if (!(strtoull(text, NULL, 16) & ECAP_INTREMAP))
			return 0;
		found = 1;
	}
	return found;
}

static void check_intremap(struct check *c)
{
	int intel = intel_remaps(c);
	char text[32];

	if (intel > 0)
		check_add(c, "interrupt-remapping", CHECK_OK, "", "", "the IOMMU has it");
	else if (intel < 0 &&
	         !check_read(c->sysfs, "class/iommu/ivhd0/amd-iommu/features", text, sizeof(text)))
		check_add(c, "interrupt-remapping", CHECK_OK, "", "", "AMD-Vi has it");
	else if (is_on(c, "module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"))
		check_add(c, "interrupt-remapping", CHECK_WARN, "intremap-unsafe",
		          "a VM can fake interrupts of the host: for guests that are trusted only",
		          "none is known, allow_unsafe_interrupts is on");
	else if (!intel)
		check_add(c, "interrupt-remapping", CHECK_FAIL, "intremap-off",
		          "switch it on in the firmware; for trusted guests only: "
		          "vfio_iommu_type1.allow_unsafe_interrupts=1",
		          "the IOMMU does not have it");
	else
		check_add(c, "interrupt-remapping", CHECK_WARN, "intremap-unknown",
		          "dmesg | grep -i remapping says more",
		          "cannot be told from /sys/class/iommu");
}

static void check_kvm(struct check *c)
{
	char path[512];
	gv_auto_fd int fd = -1;

	(void)snprintf(path, sizeof(path), "%s/kvm", c->dev);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		check_add(c, "kvm", CHECK_WARN, "kvm-missing",
		          "modprobe kvm_intel or kvm_amd; without it guests are emulated, slowly",
		          "%s: %s", path, strerror(errno));
	else if (ioctl(fd, KVM_GET_API_VERSION, 0) != KVM_API)
		check_add(c, "kvm", CHECK_WARN, "kvm-strange", "dmesg | grep kvm tells more",
		          "%s does not answer as KVM", path);
	else
		check_add(c, "kvm", CHECK_OK, "", "", "%s answers", path);
}

static void check_memlock(struct check *c)
{
	if (c->root || c->memlock == UINT64_MAX)
		check_add(c, "memlock", CHECK_OK, "", "", "no limit");
	else if (c->memlock >= MEMLOCK_MIN)
		check_add(c, "memlock", CHECK_OK, "", "", "%llu KiB may be locked",
		          (unsigned long long)c->memlock / 1024);
	else
		check_add(c, "memlock", CHECK_WARN, "memlock-low",
		          "ulimit -l, or LimitMEMLOCK= of the service; libvirt sees to its VMs "
		          "itself",
		          "%llu KiB may be locked, gpuvisord maps more for DMA",
		          (unsigned long long)c->memlock / 1024);
}

/* Nobody needs them; but who reserved some has VMs that do. */
static void check_hugepages(struct check *c)
{
	char total[32] = "0", avail[32] = "0";

	(void)check_read(c->sysfs, "kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", total,
	                 sizeof(total));
	(void)check_read(c->sysfs, "kernel/mm/hugepages/hugepages-2048kB/free_hugepages", avail,
	                 sizeof(avail));
	if (strcmp(total, "0") != 0 && !strcmp(avail, "0"))
		check_add(c, "hugepages", CHECK_WARN, "hugepages-used-up",
		          "sysctl vm.nr_hugepages=N reserves more, at boot most surely",
		          "%s of 2 MiB, none free: a VM that is backed by them does not start",
		          total);
	else
		check_add(c, "hugepages", CHECK_OK, "", "", "%s of 2 MiB, %s free (not required)",
		          total, avail);
}

/* VFs of a vfio-pci PF came with 5.7, and with them their tokens. */
static void check_kernel(struct check *c)
{
	unsigned major = 0, minor = 0;

	if (!c->kernel || sscanf(c->kernel, "%u.%u", &major, &minor) != 2)
		return;
	if (major < 5 || (major == 5 && minor < 7))
		check_add(c, "kernel", CHECK_FAIL, "kernel-no-token", "Linux 5.7 or newer",
		          "%s: vfio-pci knows neither VFs of its PFs nor VF tokens", c->kernel);
	else
		check_add(c, "kernel", CHECK_OK, "", "", "%s knows VF tokens", c->kernel);
}

static void check_vfio_dev(struct check *c)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/vfio/vfio", c->dev);
	if (!access(path, R_OK | W_OK))
		check_add(c, "vfio-dev", CHECK_OK, "", "", "%s can be opened", path);
	else
		check_add(c, "vfio-dev", CHECK_FAIL,
		          errno == ENOENT ? "vfio-missing" : "vfio-denied",
		          errno == ENOENT ? "modprobe vfio-pci" : "be root, or chown the device",
		          "%s: %s", path, strerror(errno));
}

void check_host(struct check *c)
{
	check_kernel(c);
	check_iommu(c);
	check_intremap(c);
	check_vfio_dev(c);
	check_kvm(c);
	check_memlock(c);
	check_hugepages(c);
}
