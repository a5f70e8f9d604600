/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PF for a group that is not root. Without root a group of one's own is all that can be given.
 */
#include <stdio.h>
#include <unistd.h>

#include <gv/pf_host.h>

#include "../hypervisor-glue/tree.h"

static char dev[80];

static void make_host(void)
{
	tree_make(0);
	tree_link(PF_AT "/iommu_group", "../../../../kernel/iommu_groups/39");
	tree_dir(PF_AT "/vfio-dev/vfio0");
	tree_dir("dev/vfio/devices");
	tree_file("dev/vfio/39", "");
	tree_file("dev/vfio/40", "");
	tree_file("dev/vfio/devices/vfio0", "");
	(void)snprintf(dev, sizeof(dev), "%s/dev", tree);
}

static struct stat look(const char *path)
{
	char full[512];
	struct stat st;

	(void)snprintf(full, sizeof(full), "%s/%s", tree, path);
	CU_ASSERT_EQUAL_FATAL(stat(full, &st), 0);
	return st;
}

static int hand_over(gid_t group, struct gv_err *err)
{
	return gv_pf_hand_over(tree, dev, "0000:03:00.0", group, err);
}

static void the_group_gets_the_node_and_the_number_of_vfs_and_no_more(void)
{
	static const char *const given[] = {PF_AT "/sriov_numvfs", "dev/vfio/39",
	                                    "dev/vfio/devices/vfio0"};
	gid_t group = geteuid() ? getegid() : 4711;
	struct gv_err err = {0};
	mode_t mask = umask(0077);

	make_host();
	CU_ASSERT_EQUAL(hand_over(group, &err), 0);
	CU_ASSERT_EQUAL(hand_over(group, &err), 0); /* again, as every start does */
	tree_dir(PF_AT "/vfio-dev/vfio1");          /* of a kernel without such nodes */
	CU_ASSERT_EQUAL(hand_over(group, &err), 0);
	for (size_t i = 0; i < GV_ARRAY_LEN(given); i++) {
		CU_ASSERT_EQUAL(look(given[i]).st_gid, group);
		CU_ASSERT_EQUAL(look(given[i]).st_mode & 07777, 0660);
		CU_ASSERT_EQUAL(look(given[i]).st_uid, geteuid());
	}
	CU_ASSERT_EQUAL(look("dev/vfio/40").st_mode & 07777, 0600);
	CU_ASSERT_EQUAL(look(PF_AT "/sriov_totalvfs").st_mode & 07777, 0600);
	tree_done();
	(void)umask(mask);
}

static void what_is_missing_is_named(void)
{
	struct gv_err err = {0};

	make_host();
	tree_remove("dev/vfio/39");
	CU_ASSERT_EQUAL(hand_over(getegid(), &err), -ENODEV);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "vfio-pci"));
	tree_remove(PF_AT "/iommu_group");
	CU_ASSERT_EQUAL(hand_over(getegid(), &err), -ENODEV);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "IOMMU"));
	tree_remove(PF_AT "/sriov_numvfs");
	CU_ASSERT_EQUAL(hand_over(getegid(), &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "sriov_numvfs"));
	tree_done();
}

UT_MAIN("pf-driver/handover", UT(the_group_gets_the_node_and_the_number_of_vfs_and_no_more),
        UT(what_is_missing_is_named))
