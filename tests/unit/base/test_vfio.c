/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Linux VFIO without /dev/vfio: a sysfs tree in /tmp and a kernel made of a table. */
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <linux/vfio.h>

#include "ut.h"
#include "vfio.h"
#include "vfio_uapi.h"

#define BDF   "0000:03:00.0"
#define TOKEN "00112233-4455-6677-8899-aabbccddeeff"

enum { CONTAINER = 1000, GROUP, DEVICE, IOMMU, CDEV };

/* What the kernel has, and what was asked of it. */
struct kernel {
	bool iommufd, bind_knows_token, not_viable, no_reset;
	int open_group;        /* 0 or what opening the group fails with */
	const char *want_name; /* device name that GET_DEVICE_FD accepts */
	uint8_t config[4096];
	uint32_t regs[1024];
	int open_fds;
	uint64_t mapped_iova, mapped_bytes;
	unsigned sets, last_start, last_count;
	uint8_t token[16];
	bool bound, attached;
	bool no_unmap_all; /* as before Linux 5.12 */
	uint64_t unmapped_from[4];
	unsigned unmaps;
};

static struct kernel k;
static char root[] = "/tmp/gv-vfio-XXXXXX";

static int k_open(void *arg, const char *path, int flags)
{
	int fd = -ENOENT;

	(void)arg;
	(void)flags;
	if (strcmp(path, "/dev/vfio/vfio") == 0)
		fd = CONTAINER;
	else if (strcmp(path, "/dev/vfio/7") == 0 || strcmp(path, "/dev/vfio/noiommu-7") == 0)
		fd = k.open_group ? k.open_group : GROUP;
	else if (strcmp(path, "/dev/iommu") == 0 && k.iommufd)
		fd = IOMMU;
	else if (strcmp(path, "/dev/vfio/devices/vfio3") == 0 && k.iommufd)
		fd = CDEV;
	k.open_fds += fd >= 0;
	return fd;
}

static int k_close(void *arg, int fd)
{
	(void)arg;
	(void)fd;
	k.open_fds--;
	return 0;
}

static int device_ioctl(unsigned long request, void *data)
{
	struct vfio_device_info *dev = data;
	struct vfio_region_info *region = data;
	struct vfio_irq_info *irq = data;
	struct vfio_irq_set *set = data;

	switch (request) {
	case VFIO_DEVICE_GET_INFO:
		*dev = (struct vfio_device_info){sizeof(*dev), VFIO_DEVICE_FLAGS_PCI, 9, 5, 0};
		return 0;
	case VFIO_DEVICE_GET_REGION_INFO:
		if (region->index == 8)
			return -EINVAL;
		region->size = region->index == 7 || region->index == 5 ? 4096 : 0;
		region->offset = (uint64_t)region->index << 40;
		region->flags = region->index == 5 ? VFIO_REGION_INFO_FLAG_MMAP : 0;
		return 0;
	case VFIO_DEVICE_GET_IRQ_INFO:
		irq->count = 3;
		return 0;
	case VFIO_DEVICE_SET_IRQS:
		k.sets++;
		k.last_start = set->start;
		k.last_count = set->count;
		return 0;
	case VFIO_DEVICE_RESET:
		return k.no_reset ? -EINVAL : 0;
	case VFIO_DEVICE_FEATURE:
		memcpy(k.token, ((struct vfio_device_feature *)data)->data, 16);
		return 0;
	}
	return -ENOTTY;
}

static int cdev_ioctl(unsigned long request, void *data)
{
	const struct gvu_bind *bind = data;

	if (request == GVU_BIND_IOMMUFD) {
		if (bind->iommufd != IOMMU || (bind->flags && !k.bind_knows_token))
			return -EINVAL;
		if (bind->flags)
			memcpy(k.token, (const void *)(uintptr_t)bind->token_ptr, 16);
		k.bound = true;
		return 0;
	}
	if (request == GVU_ATTACH_PT) {
		k.attached = ((const struct gvu_attach *)data)->pt_id == 42;
		return 0;
	}
	return device_ioctl(request, data);
}

static int group_ioctl(unsigned long request, void *data)
{
	struct vfio_group_status *status = data;

	if (request == VFIO_GROUP_GET_STATUS) {
		status->flags = k.not_viable ? 0 : VFIO_GROUP_FLAGS_VIABLE;
		return 0;
	}
	if (request == VFIO_GROUP_SET_CONTAINER)
		return 0;
	if (request != VFIO_GROUP_GET_DEVICE_FD)
		return -ENOTTY;
	if (strcmp(data, k.want_name ? k.want_name : BDF) != 0)
		return k.want_name ? -EACCES : -EINVAL;
	k.open_fds++;
	return DEVICE;
}

static int iommu_ioctl(int fd, unsigned long request, void *data)
{
	const struct vfio_iommu_type1_dma_map *map = data;
	const struct gvu_ioas_map *ioas = data;

	if (fd == CONTAINER && request == VFIO_GET_API_VERSION)
		return VFIO_API_VERSION;
	if (fd == CONTAINER && request == VFIO_CHECK_EXTENSION)
		return 1;
	if (fd == CONTAINER && request == VFIO_SET_IOMMU)
		return 0;
	if (fd == IOMMU && request == GVU_IOAS_ALLOC) {
		((struct gvu_ioas_alloc *)data)->out_ioas = 42;
		return 0;
	}
	if (fd == CONTAINER && request == VFIO_IOMMU_MAP_DMA) {
		k.mapped_iova = map->iova;
		k.mapped_bytes = map->size;
		return 0;
	}
	if (fd == IOMMU && request == GVU_IOAS_MAP && ioas->ioas == 42) {
		k.mapped_iova = ioas->iova;
		k.mapped_bytes = ioas->bytes;
		return 0;
	}
	if (fd == CONTAINER && request == VFIO_IOMMU_UNMAP_DMA && k.no_unmap_all &&
	    ((const struct vfio_iommu_type1_dma_unmap *)data)->flags)
		return -EINVAL;
	if ((fd == CONTAINER && request == VFIO_IOMMU_UNMAP_DMA) ||
	    (fd == IOMMU && request == GVU_IOAS_UNMAP)) {
		if (fd == CONTAINER && k.unmaps < 4)
			k.unmapped_from[k.unmaps++] =
			        ((const struct vfio_iommu_type1_dma_unmap *)data)->iova;
		k.mapped_bytes = 0;
		return 0;
	}
	return -ENOTTY;
}

static int k_ioctl(void *arg, int fd, unsigned long request, void *data)
{
	(void)arg;
	if (fd == GROUP)
		return group_ioctl(request, data);
	if (fd == CDEV)
		return cdev_ioctl(request, data);
	return fd == DEVICE ? device_ioctl(request, data) : iommu_ioctl(fd, request, data);
}

static ssize_t k_pread(void *arg, int fd, void *buf, size_t n, uint64_t off)
{
	(void)arg;
	(void)fd;
	if (off >> 40 != 7)
		return -EIO;
	memcpy(buf, k.config + (off & 0xfff), n);
	return (ssize_t)n;
}

static ssize_t k_pwrite(void *arg, int fd, const void *buf, size_t n, uint64_t off)
{
	(void)arg;
	(void)fd;
	if (off >> 40 != 7)
		return -EIO;
	memcpy(k.config + (off & 0xfff), buf, n);
	return (ssize_t)n;
}

static int k_mmap(void *arg, int fd, uint64_t off, size_t n, void **p)
{
	(void)arg;
	(void)fd;
	if (off >> 40 != 5 || n != sizeof(k.regs))
		return -EINVAL;
	*p = k.regs;
	return 0;
}

static int k_munmap(void *arg, void *p, size_t n)
{
	(void)arg;
	(void)n;
	return p == k.regs ? 0 : -EINVAL;
}

static const struct gv_vfio_sys sys = {.sysfs = root,
                                       .open = k_open,
                                       .close = k_close,
                                       .ioctl = k_ioctl,
                                       .pread = k_pread,
                                       .pwrite = k_pwrite,
                                       .mmap = k_mmap,
                                       .munmap = k_munmap};

/* ---- a sysfs tree ------------------------------------------------------------- */

static void make_dir(const char *path)
{
	char full[512];

	(void)snprintf(full, sizeof(full), "%s/%s", root, path);
	for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = 0;
		(void)mkdir(full, 0700);
		*p = '/';
	}
	(void)mkdir(full, 0700);
}

static void make_file(const char *path, const char *text)
{
	char full[512];
	FILE *f;

	(void)snprintf(full, sizeof(full), "%s/%s", root, path);
	f = fopen(full, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fputs(text, f);
	(void)fclose(f);
}

static void make_link(const char *path, const char *target)
{
	char full[512], to[512];

	(void)snprintf(full, sizeof(full), "%s/%s", root, path);
	(void)snprintf(to, sizeof(to), "%s/%s", root, target);
	(void)unlink(full);
	CU_ASSERT_EQUAL(symlink(to, full), 0);
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

#define DEV "bus/pci/devices/" BDF

static void start(void)
{
	(void)nftw(root, drop, 8, FTW_DEPTH | FTW_PHYS);
	(void)memcpy(root, "/tmp/gv-vfio-XXXXXX", sizeof(root));
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(root));
	memset(&k, 0, sizeof(k));
	memcpy(k.config, "\x02\x10\x60\x68", 4);
	make_dir("kernel/iommu_groups/7");
	make_dir("bus/pci/drivers/vfio-pci");
	make_dir("bus/pci/drivers/amdgpu");
	make_dir(DEV);
	make_link(DEV "/driver", "bus/pci/drivers/vfio-pci");
	make_link(DEV "/iommu_group", "kernel/iommu_groups/7");
}

static void finish(void)
{
	(void)nftw(root, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static int open_dev(const uint8_t *token, const struct gv_log *log, struct gv_bus **bus,
                    struct gv_err *err)
{
	*bus = NULL;
	*err = (struct gv_err){0};
	return gv_vfio_open_sys(&sys, BDF, token, log, bus, err);
}

static void use_device(struct gv_bus *bus)
{
	struct gv_dma dma;
	uint64_t bytes;
	int efd, again;
	void *p;

	CU_ASSERT_EQUAL(gv_cfg_rd16(bus, 0), 0x1002);
	CU_ASSERT_EQUAL(k.config[4] & 6, 6); /* memory and bus master */
	k.regs[3] = 77;
	CU_ASSERT_EQUAL(gv_rd32(bus, 12), 77);
	gv_wr32(bus, 16, 5);
	CU_ASSERT_EQUAL(k.regs[4], 5);
	CU_ASSERT_EQUAL(gv_rd32(bus, 4096), UINT32_MAX);
	CU_ASSERT_EQUAL(gv_bus_region_bytes(bus, GV_REGION_VRAM, &bytes), -ENOENT);
	CU_ASSERT_EQUAL(gv_bus_map(bus, GV_REGION_CONFIG, 0, 4096, &p), -ENOTSUP);
	CU_ASSERT_EQUAL_FATAL(gv_dma_alloc(bus, 10000, &dma), 0);
	CU_ASSERT(k.mapped_iova == dma.iova && k.mapped_bytes == 12288);
	memset(dma.cpu, 1, 12288);
	gv_dma_free(bus, &dma);
	CU_ASSERT_EQUAL(k.mapped_bytes, 0);
	CU_ASSERT_EQUAL(gv_bus_irq_enable(bus, 3, &efd), -EINVAL);
	CU_ASSERT_EQUAL(gv_bus_irq_enable(bus, 1, &efd), 0);
	CU_ASSERT(k.last_start == 0 && k.last_count == 3); /* all at once, at first */
	CU_ASSERT_EQUAL(gv_bus_irq_enable(bus, 2, &again), 0);
	CU_ASSERT(k.last_start == 2 && k.last_count == 1);
	CU_ASSERT_EQUAL(gv_bus_reset(bus), 0);
	k.no_reset = true;
	CU_ASSERT_EQUAL(gv_bus_reset(bus), -ENOTSUP);
	CU_ASSERT_EQUAL(gv_bus_status(bus), 0);
	memset(k.config, 0xff, 4);
	CU_ASSERT_EQUAL(gv_bus_status(bus), -ENODEV);
}

static void device_opens_through_its_group(void)
{
	struct gv_bus *bus;
	struct gv_err err;

	start();
	CU_ASSERT_EQUAL_FATAL(open_dev(NULL, NULL, &bus, &err), 0);
	use_device(bus);
	gv_bus_close(bus);
	CU_ASSERT_EQUAL(k.open_fds, 0);
	finish();
}

static void device_opens_through_iommufd_where_there_is_one(void)
{
	struct gv_bus *bus;
	struct gv_err err;

	start();
	make_dir(DEV "/vfio-dev/vfio3");
	k.iommufd = true;
	CU_ASSERT_EQUAL_FATAL(open_dev(NULL, NULL, &bus, &err), 0);
	CU_ASSERT(k.bound && k.attached);
	use_device(bus);
	gv_bus_close(bus);
	CU_ASSERT_EQUAL(k.open_fds, 0);
	finish();
}

static void iommufd_that_cannot_leaves_the_group(void)
{
	uint8_t token[16];
	struct gv_bus *bus;
	struct gv_err err;

	start();
	make_dir(DEV "/vfio-dev/vfio3"); /* the node is there, /dev/iommu is not */
	CU_ASSERT_EQUAL_FATAL(open_dev(NULL, NULL, &bus, &err), 0);
	gv_bus_close(bus);
	CU_ASSERT_EQUAL(gv_vfio_parse_uuid(TOKEN, token), 0);
	k.iommufd = true; /* but does not know tokens */
	k.want_name = BDF " vf_token=" TOKEN;
	CU_ASSERT_EQUAL_FATAL(open_dev(token, NULL, &bus, &err), 0);
	CU_ASSERT_FALSE(k.bound);
	gv_bus_close(bus);
	k.bind_knows_token = true;
	CU_ASSERT_EQUAL_FATAL(open_dev(token, NULL, &bus, &err), 0);
	CU_ASSERT(k.bound && memcmp(k.token, token, 16) == 0);
	gv_bus_close(bus);
	CU_ASSERT_EQUAL(k.open_fds, 0);
	finish();
}

static void tokens_are_told_apart(void)
{
	static const uint8_t wrong[16] = {1};
	uint8_t token[16];
	struct gv_bus *bus;
	struct gv_err err;

	start();
	CU_ASSERT_EQUAL(open_dev(wrong, NULL, &bus, &err), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "takes no VF token"));
	k.want_name = BDF " vf_token=" TOKEN;
	CU_ASSERT_EQUAL(open_dev(NULL, NULL, &bus, &err), -EACCES);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "PF's owner"));
	CU_ASSERT_EQUAL(open_dev(wrong, NULL, &bus, &err), -EACCES);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "another VF token"));
	CU_ASSERT_EQUAL(k.open_fds, 0);
	k.want_name = NULL;
	CU_ASSERT_EQUAL(gv_vfio_parse_uuid(TOKEN, token), 0);
	CU_ASSERT_EQUAL_FATAL(open_dev(NULL, NULL, &bus, &err), 0);
	CU_ASSERT_EQUAL(gv_vfio_set_vf_token(bus, token), 0);
	CU_ASSERT_EQUAL(memcmp(k.token, token, 16), 0);
	gv_bus_close(bus);
	CU_ASSERT_EQUAL(gv_vfio_parse_uuid("00112233-4455-6677-8899-aabbccddeef", token), -EINVAL);
	CU_ASSERT_EQUAL(gv_vfio_parse_uuid("0011223344-55-6677-8899-aabbccddeeff", token), -EINVAL);
	CU_ASSERT_EQUAL(gv_vfio_parse_uuid("g0112233-4455-6677-8899-aabbccddeeff", token), -EINVAL);
	finish();
}

static void expect(int rc, const char *word)
{
	struct gv_bus *bus;
	struct gv_err err;

	CU_ASSERT_EQUAL(open_dev(NULL, NULL, &bus, &err), rc);
	CU_ASSERT_PTR_NULL(bus);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, word));
	CU_ASSERT_EQUAL(k.open_fds, 0);
}

static void what_is_missing_is_said(void)
{
	char path[512];
	struct gv_err err;
	struct vfio_facts facts;

	start();
	make_link(DEV "/driver", "bus/pci/drivers/amdgpu");
	expect(-EBUSY, "driver amdgpu is bound");
	(void)snprintf(path, sizeof(path), "%s/" DEV "/driver", root);
	(void)unlink(path);
	expect(-ENXIO, "bind it to vfio-pci");
	(void)snprintf(path, sizeof(path), "%s/bus/pci/drivers/vfio-pci", root);
	(void)rmdir(path);
	expect(-ENXIO, "modprobe vfio-pci");
	start();
	(void)snprintf(path, sizeof(path), "%s/" DEV "/iommu_group", root);
	(void)unlink(path);
	expect(-ENODEV, "IOMMU is off");
	start();
	k.open_group = -EACCES;
	expect(-EACCES, "no permission");
	k.open_group = -EBUSY;
	expect(-EBUSY, "another process");
	k.open_group = -ENOENT;
	expect(-ENOENT, "loaded");
	k.open_group = 0;
	k.not_viable = true;
	expect(-EBUSY, "IOMMU group");
	CU_ASSERT_EQUAL(gv_vfio_find(&sys, "03:00.0", &facts, &err), -EINVAL);
	CU_ASSERT_EQUAL(gv_vfio_find(&sys, "0000:03:00.8", &facts, &err), -EINVAL);
	CU_ASSERT_EQUAL(gv_vfio_find(&sys, "../../../../", &facts, &err), -EINVAL);
	CU_ASSERT_EQUAL(gv_vfio_find(&sys, "0000:04:00.0", &facts, &err), -ENODEV);
	finish();
}

static char warned[512];

static void catch (void *arg, enum gv_log_level level, const char *line)
{
	(void)arg;
	if (level == GV_LOG_WARN)
		(void)snprintf(warned, sizeof(warned), "%s", line);
}

static void no_iommu_is_said_aloud(void)
{
	const struct gv_log log = {.sink = catch, .max = GV_LOG_DEBUG, .who = "t"};
	struct gv_bus *bus;
	struct gv_err err;
	struct gv_dma dma;

	start();
	make_file("kernel/iommu_groups/7/name", "vfio-noiommu\n");
	CU_ASSERT_EQUAL_FATAL(open_dev(NULL, &log, &bus, &err), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(warned, "NO IOMMU"));
	/* More than one huge page is nowhere contiguous. */
	CU_ASSERT_EQUAL(gv_dma_alloc(bus, 4 << 20, &dma), -ENOTSUP);
	gv_bus_close(bus);
	finish();
}

static void vfs_are_enabled_through_sysfs_and_read_back(void)
{
	struct gv_err err = {0};
	char text[16];

	start();
	CU_ASSERT_EQUAL(gv_vfio_sysfs_numvfs(&sys, BDF, 2, &err), -ENOTSUP);
	make_file(DEV "/sriov_numvfs", "0\n");
	CU_ASSERT_EQUAL(gv_vfio_sysfs_numvfs(&sys, BDF, 4, &err), 0);
	CU_ASSERT_EQUAL(gv_vfio_sysfs_read(&sys, DEV "/sriov_numvfs", text, sizeof(text)), 0);
	CU_ASSERT_STRING_EQUAL(text, "4");
	CU_ASSERT_EQUAL(gv_vfio_sysfs_numvfs(&sys, BDF, 4, &err), 0);
	CU_ASSERT_EQUAL(gv_vfio_sysfs_numvfs(&sys, BDF, 0, &err), 0);
	finish();
}

/* The process is gone, its descriptors are somebody's, and what it had mapped still is. */
static void take_over(bool iommufd)
{
	struct gv_vfio_fds fds;
	struct gv_bus *bus;
	struct gv_err err;

	CU_ASSERT_EQUAL_FATAL(open_dev(NULL, NULL, &bus, &err), 0);
	CU_ASSERT_EQUAL(gv_vfio_get_fds(bus, &fds), 0);
	CU_ASSERT_EQUAL(fds.iommufd >= 0, iommufd);
	CU_ASSERT_EQUAL(fds.ioas, iommufd ? 42 : 0);
	gv_bus_close(bus);
	CU_ASSERT_EQUAL(k.open_fds, 0);
	k.open_fds = iommufd ? 2 : 3;
	k.mapped_bytes = 4096;
	k.last_count = 3;
	k.unmaps = 0;
	CU_ASSERT_EQUAL_FATAL(gv_vfio_open_fds_sys(&sys, BDF, &fds, NULL, &bus, &err), 0);
	CU_ASSERT_EQUAL(k.mapped_bytes, 0);
	CU_ASSERT_EQUAL(k.last_count, 0); /* no vectors */
	use_device(bus);
	gv_bus_close(bus);
	CU_ASSERT_EQUAL(k.open_fds, 0);
}

static void kept_descriptors_are_a_device_without_its_past(void)
{
	start();
	take_over(false);
	CU_ASSERT_EQUAL(k.unmapped_from[0], 0);
	finish();
	start();
	k.no_unmap_all = true;
	take_over(false);
	CU_ASSERT(k.unmapped_from[0] == 0 && k.unmapped_from[1] == 1ull << 63);
	finish();
	start();
	make_dir(DEV "/vfio-dev/vfio3");
	k.iommufd = true;
	take_over(true);
	finish();
}

static void what_is_no_open_device_is_not_taken(void)
{
	static const struct gv_vfio_fds bad[] = {
	        {-1, GROUP, CONTAINER, -1, 0},
	        {DEVICE, -1, CONTAINER, -1, 0},
	        {DEVICE, GROUP, -1, -1, 0},
	        {DEVICE, GROUP, CONTAINER, IOMMU, 42},
	};

	for (size_t i = 0; i < GV_ARRAY_LEN(bad); i++) {
		struct gv_bus *bus = NULL;
		struct gv_err err = {0};

		start();
		k.open_fds = (bad[i].device >= 0) + (bad[i].group >= 0) + (bad[i].container >= 0) +
		             (bad[i].iommufd >= 0);
		CU_ASSERT_EQUAL(gv_vfio_open_fds_sys(&sys, BDF, &bad[i], NULL, &bus, &err), -EBADF);
		CU_ASSERT_PTR_NULL(bus);
		CU_ASSERT_EQUAL(k.open_fds, 0);
		finish();
	}
}

/* On this machine, whatever it has: a precise refusal or a device, never a crash. */
static void real_machine_answers(void)
{
	struct gv_bus *bus = NULL;
	struct gv_err err = {0};

	CU_ASSERT_EQUAL(gv_bus_open("vfio:ffff:ff:1f.7", NULL, NULL, &bus, &err), -ENODEV);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no such PCI device"));
}

UT_MAIN("Linux VFIO", UT(device_opens_through_its_group),
        UT(device_opens_through_iommufd_where_there_is_one),
        UT(iommufd_that_cannot_leaves_the_group), UT(tokens_are_told_apart),
        UT(what_is_missing_is_said), UT(no_iommu_is_said_aloud),
        UT(vfs_are_enabled_through_sysfs_and_read_back),
        UT(kept_descriptors_are_a_device_without_its_past), UT(what_is_no_open_device_is_not_taken),
        UT(real_machine_answers))
