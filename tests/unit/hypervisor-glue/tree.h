/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A small sysfs in a temporary folder: one PF at 0000:03:00.0 with VFs at 0000:03:02.0 on. */
#ifndef GV_TEST_TREE_H
#define GV_TEST_TREE_H

#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <gv/hypervisor_glue.h>
#include <ut.h>

#define PF_AT "devices/pci0000:00/0000:00:01.0/0000:03:00.0"
#define VF_AT "devices/pci0000:00/0000:00:01.0/0000:03:02."

static char tree[64];
static const struct gv_glue_bdf tree_pf = {0, 3, 0, 0};

static inline void tree_dir(const char *path)
{
	char full[512];
	char *p;

	(void)snprintf(full, sizeof(full), "%s/%s", tree, path);
	for (p = full + strlen(tree) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		(void)mkdir(full, 0700);
		*p = '/';
	}
	(void)mkdir(full, 0700);
}

static inline void tree_file(const char *path, const char *text)
{
	char full[512];
	FILE *f;

	(void)snprintf(full, sizeof(full), "%s/%s", tree, path);
	f = fopen(full, "we");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fputs(text, f);
	fclose(f);
}

static inline void tree_link(const char *path, const char *target)
{
	char full[512];

	(void)snprintf(full, sizeof(full), "%s/%s", tree, path);
	(void)unlink(full);
	CU_ASSERT_EQUAL_FATAL(symlink(target, full), 0);
}

static inline void tree_remove(const char *path)
{
	char full[512];

	(void)snprintf(full, sizeof(full), "%s/%s", tree, path);
	(void)unlink(full);
}

static inline void tree_mode(const char *path, mode_t mode)
{
	char full[512];

	(void)snprintf(full, sizeof(full), "%s/%s", tree, path);
	CU_ASSERT_EQUAL_FATAL(chmod(full, mode), 0);
}

static inline void tree_rmdir(const char *path)
{
	char full[512];

	(void)snprintf(full, sizeof(full), "%s/%s", tree, path);
	CU_ASSERT_EQUAL_FATAL(rmdir(full), 0);
}

static inline void tree_rename(const char *from, const char *to)
{
	char a[512], b[512];

	(void)snprintf(a, sizeof(a), "%s/%s", tree, from);
	(void)snprintf(b, sizeof(b), "%s/%s", tree, to);
	CU_ASSERT_EQUAL_FATAL(rename(a, b), 0);
}

static inline void tree_vf(unsigned i)
{
	char path[256], target[128];

#define VF_PATH(rest) (snprintf(path, sizeof(path), VF_AT "%u" rest, i), path)
	tree_dir(VF_PATH(""));
	tree_file(VF_PATH("/vendor"), "0x1002\n");
	tree_file(VF_PATH("/device"), "0x686c\n");
	tree_file(VF_PATH("/driver_override"), "(null)\n");
	tree_link(VF_PATH("/physfn"), "../0000:03:00.0");
	tree_link(VF_PATH("/driver"), "../../../../bus/pci/drivers/vfio-pci");
	(void)snprintf(target, sizeof(target), "../../../../kernel/iommu_groups/%u", 40 + i);
	tree_link(VF_PATH("/iommu_group"), target);
	(void)snprintf(path, sizeof(path), "bus/pci/devices/0000:03:02.%u", i);
	(void)snprintf(target, sizeof(target), "../../../" VF_AT "%u", i);
	tree_link(path, target);
	(void)snprintf(path, sizeof(path), PF_AT "/virtfn%u", i);
	(void)snprintf(target, sizeof(target), "../0000:03:02.%u", i);
	tree_link(path, target);
#undef VF_PATH
}

static inline void tree_make(unsigned vfs)
{
	strcpy(tree, "/tmp/gv-sysfs-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(tree));
	tree_dir("bus/pci/devices");
	tree_dir("bus/pci/drivers/vfio-pci");
	tree_dir("kernel/iommu_groups");
	tree_dir(PF_AT);
	tree_file(PF_AT "/vendor", "0x1002\n");
	tree_file(PF_AT "/device", "0x6860\n");
	tree_file(PF_AT "/sriov_totalvfs", "16\n");
	tree_file(PF_AT "/sriov_numvfs", vfs == 2 ? "2\n" : "0\n");
	tree_link("bus/pci/devices/0000:03:00.0", "../../../" PF_AT);
	for (unsigned i = 0; i < vfs; i++)
		tree_vf(i);
}

static inline int tree_unlink(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void tree_done(void)
{
	(void)nftw(tree, tree_unlink, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
