/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpuvisor check on trees that look like hosts. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../hypervisor-glue/tree.h"
#include "check.h"
#include "ut.h"

static struct check look(const char *pf)
{
	static char dev[80], etc[80];
	struct check c = {.sysfs = tree, .dev = dev, .etc = etc, .pf_text = pf};

	(void)snprintf(dev, sizeof(dev), "%s/dev", tree);
	(void)snprintf(etc, sizeof(etc), "%s/etc", tree);
	check_host(&c);
	check_pf(&c);
	check_boot(&c);
	return c;
}

static const struct check_item *find(const struct check *c, const char *name)
{
	for (unsigned i = 0; i < c->count; i++)
		if (!strcmp(c->item[i].name, name))
			return &c->item[i];
	return NULL;
}

static bool is(const struct check *c, const char *name, enum check_status status, const char *text)
{
	const struct check_item *item = find(c, name);
	bool fits = item && item->status == status && strstr(item->text, text);

	if (!fits)
		printf("%s: %s\n", name, item ? item->text : "missing");
	return fits;
}

/* "resource": six BARs and the ROM, then those of the VFs. */
#define BAR_NONE "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
#define OWN_BARS                                                                                   \
	"0x0000000400000000 0x000000040fffffff 0x000000000014220c\n" BAR_NONE BAR_NONE BAR_NONE    \
	        BAR_NONE BAR_NONE BAR_NONE
#define GOOD_BARS OWN_BARS "0x0000000800000000 0x00000008ffffffff 0x000000000014220c\n"
#define BAD_BARS  OWN_BARS "0x0000000000000000 0x00000000ffffffff 0x000000000014220c\n"

/* A host that lacks nothing: a PF on vfio-pci with two VFs, an Intel IOMMU. */
static void make_host(void)
{
	tree_make(2);
	tree_link(PF_AT "/driver", "../../../../bus/pci/drivers/vfio-pci");
	tree_link(PF_AT "/iommu_group", "../../../../kernel/iommu_groups/39");
	for (unsigned i = 39; i < 42; i++) {
		char path[128], target[128];

		(void)snprintf(path, sizeof(path), "kernel/iommu_groups/%u/devices", i);
		tree_dir(path);
		(void)snprintf(path, sizeof(path), "kernel/iommu_groups/%u/devices/0000:03:0%u.%u",
		               i, i == 39 ? 0 : 2, i == 39 ? 0 : i - 40);
		(void)snprintf(target, sizeof(target), "../../../../bus/pci/devices/%s",
		               strrchr(path, '/') + 1);
		tree_link(path, target);
	}
	tree_dir("class/iommu/dmar0/intel-iommu");
	tree_file("class/iommu/dmar0/intel-iommu/ecap", "f020da\n");
	tree_dir("module/vfio_pci/parameters");
	tree_file("module/vfio_pci/parameters/enable_sriov", "Y\n");
	tree_dir("dev/vfio");
	tree_file("dev/vfio/vfio", "");
	tree_file(PF_AT "/resource", GOOD_BARS);
	tree_file(PF_AT "/ari_enabled", "1\n");
	tree_file(VF_AT "0/reset_method", "flr\n");
	tree_file(VF_AT "1/reset_method", "flr pm\n");
	tree_dir("etc/modprobe.d");
	tree_file("etc/modprobe.d/vfio.conf", "# vfio\noptions vfio-pci ids=10de:1,1002:6860\n");
	tree_dir("etc/systemd/system/multi-user.target.wants");
	tree_link("etc/systemd/system/multi-user.target.wants/gpuvisord.service", "/nowhere");
	tree_dir("etc/gpuvisor");
	tree_file("etc/gpuvisor/profile.json", "{}");
}

static void a_host_that_lacks_nothing_fails_nothing(void)
{
	struct check c;

	make_host();
	c = look(NULL);
	for (unsigned i = 0; i < c.count; i++) {
		if (c.item[i].status == CHECK_FAIL)
			printf("%s: %s\n", c.item[i].name, c.item[i].text);
		CU_ASSERT_NOT_EQUAL(c.item[i].status, CHECK_FAIL);
	}
	CU_ASSERT_TRUE(is(&c, "iommu", CHECK_OK, "3 groups"));
	CU_ASSERT_TRUE(is(&c, "interrupt-remapping", CHECK_OK, ""));
	CU_ASSERT_TRUE(is(&c, "pf", CHECK_OK, "0000:03:00.0 is 1002:6860"));
	CU_ASSERT_TRUE(is(&c, "sriov", CHECK_OK, "2 of 16"));
	CU_ASSERT_TRUE(is(&c, "pf-driver", CHECK_OK, "vfio-pci"));
	CU_ASSERT_TRUE(is(&c, "vfio-pci", CHECK_OK, "on"));
	CU_ASSERT_TRUE(is(&c, "iommu-group", CHECK_OK, "2 VFs"));
	CU_ASSERT_TRUE(is(&c, "vfio-dev", CHECK_OK, ""));
	CU_ASSERT_TRUE(is(&c, "kvm", CHECK_WARN, "No such file"));
	CU_ASSERT_TRUE(is(&c, "mmio-window", CHECK_OK, "4096 MiB"));
	CU_ASSERT_TRUE(is(&c, "ari", CHECK_OK, "on"));
	CU_ASSERT_TRUE(is(&c, "boot-driver", CHECK_OK, "vfio-pci"));
	CU_ASSERT_TRUE(is(&c, "boot-service", CHECK_OK, "profile.json"));
	CU_ASSERT_PTR_NULL(find(&c, "vf-driver"));
	CU_ASSERT_PTR_NULL(find(&c, "vf-reset"));
	tree_done();
}

static void each_thing_that_is_missing_is_named_with_a_remedy(void)
{
	static const struct {
		const char *file, *content; /* content NULL: removed */
		const char *item;
		enum check_status status;
		const char *code, *text;
	} cases[] = {
	        {"dev/vfio/vfio", NULL, "vfio-dev", CHECK_FAIL, "vfio-missing", "No such file"},
	        {"module/vfio_pci/parameters/enable_sriov", "N\n", "vfio-pci", CHECK_WARN,
	         "enable-sriov-off", "off"},
	        {"module/vfio_pci/parameters/enable_sriov", NULL, "vfio-pci", CHECK_FAIL,
	         "kernel-no-sriov", "no SR-IOV"},
	        {"class/iommu/dmar0/intel-iommu/ecap", "f020d2\n", "interrupt-remapping",
	         CHECK_FAIL, "intremap-off", "does not have"},
	        {"class/iommu/dmar0/intel-iommu/ecap", NULL, "interrupt-remapping", CHECK_WARN,
	         "intremap-unknown", "cannot be told"},
	        {PF_AT "/driver", NULL, "pf-driver", CHECK_FAIL, "pf-no-driver", "none"},
	        {PF_AT "/sriov_totalvfs", NULL, "pf", CHECK_FAIL, "sriov-off", "no SR-IOV"},
	        {PF_AT "/resource", BAD_BARS, "mmio-window", CHECK_FAIL, "vf-bar-unassigned",
	         "1 VF BARs"},
	        {PF_AT "/ari_enabled", "0\n", "ari", CHECK_WARN, "ari-off", "16 VFs"},
	        {VF_AT "1/reset_method", "pm bus\n", "vf-reset", CHECK_FAIL, "vf-no-flr", "1 VFs"},
	        {"etc/modprobe.d/vfio.conf", "#options vfio-pci ids=1002:6860\n", "boot-driver",
	         CHECK_WARN, "driver-lost-at-boot", "nothing gives"},
	        {"etc/systemd/system/multi-user.target.wants/gpuvisord.service", NULL,
	         "boot-service", CHECK_WARN, "service-off", "does not start"},
	        {"etc/gpuvisor/profile.json", NULL, "boot-service", CHECK_FAIL, "profile-missing",
	         "is not there"},
	};

	for (size_t i = 0; i < GV_ARRAY_LEN(cases); i++) {
		const struct check_item *item;
		struct check c;

		make_host();
		if (cases[i].content)
			tree_file(cases[i].file, cases[i].content);
		else
			tree_remove(cases[i].file);
		c = look("0000:03:00.0");
		CU_ASSERT_TRUE(is(&c, cases[i].item, cases[i].status, cases[i].text));
		item = find(&c, cases[i].item);
		CU_ASSERT_PTR_NOT_NULL_FATAL(item);
		CU_ASSERT_STRING_EQUAL(item->code, cases[i].code);
		CU_ASSERT_TRUE(item->remedy[0]);
		tree_done();
	}
}

static void drivers_of_the_host_on_vfs_are_noticed(void)
{
	struct check c;

	make_host();
	tree_dir("bus/pci/drivers/amdgpu");
	tree_link(VF_AT "1/driver", "../../../../bus/pci/drivers/amdgpu");
	c = look(NULL);
	CU_ASSERT_TRUE(is(&c, "vf-driver", CHECK_WARN,
	                  "1 VFs have a driver of the host, 0000:03:02.1 has amdgpu"));
	tree_done();
}

static void a_host_without_iommu_fails(void)
{
	struct check c;

	tree_make(0);
	c = look("0000:03:00.0");
	CU_ASSERT_TRUE(is(&c, "iommu", CHECK_FAIL, "no IOMMU group"));
	tree_dir("module/vfio/parameters");
	tree_file("module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n");
	c = look("0000:03:00.0");
	CU_ASSERT_TRUE(is(&c, "iommu", CHECK_WARN, "unsafe"));
	tree_done();
}

static void a_foreign_pf_keeps_its_driver(void)
{
	struct check c;

	make_host();
	tree_file(PF_AT "/vendor", "0x1b36\n");
	tree_file(PF_AT "/device", "0x0010\n");
	tree_dir("bus/pci/drivers/nvme");
	tree_link(PF_AT "/driver", "../../../../bus/pci/drivers/nvme");
	tree_file("module/vfio_pci/parameters/enable_sriov", "N\n");
	c = look(NULL);
	CU_ASSERT_FALSE(c.ours);
	CU_ASSERT_TRUE(is(&c, "pf", CHECK_OK, "not ours"));
	CU_ASSERT_TRUE(is(&c, "pf-driver", CHECK_OK, "nvme"));
	CU_ASSERT_TRUE(is(&c, "vfio-pci", CHECK_OK, "not needed"));
	CU_ASSERT_TRUE(is(&c, "iommu-group", CHECK_OK, "2 VFs"));
	tree_done();
}

static void a_wrong_pf_is_refused_with_a_reason(void)
{
	static const struct {
		const char *pf, *text;
	} cases[] = {{"nonsense", "no PCI address"},
	             {"0000:99:00.0", "0000:99:00.0"},
	             {"0000:03:02.0", "no SR-IOV"}};

	make_host();
	for (size_t i = 0; i < GV_ARRAY_LEN(cases); i++) {
		struct check c = look(cases[i].pf);

		CU_ASSERT_TRUE(is(&c, "pf", CHECK_FAIL, cases[i].text));
		CU_ASSERT_PTR_NULL(find(&c, "pf-driver"));
	}
	tree_done();
}

static void a_group_that_the_host_uses_fails(void)
{
	struct check c;

	make_host();
	tree_dir("devices/pci0000:00/0000:00:1f.0");
	tree_file("devices/pci0000:00/0000:00:1f.0/vendor", "0x8086\n");
	tree_file("devices/pci0000:00/0000:00:1f.0/device", "0x1234\n");
	tree_file("devices/pci0000:00/0000:00:1f.0/class", "0x020000\n");
	tree_dir("bus/pci/drivers/e1000e");
	tree_link("devices/pci0000:00/0000:00:1f.0/driver", "../../../bus/pci/drivers/e1000e");
	tree_link("bus/pci/devices/0000:00:1f.0", "../../../devices/pci0000:00/0000:00:1f.0");
	tree_link("kernel/iommu_groups/41/devices/0000:00:1f.0",
	          "../../../../devices/pci0000:00/0000:00:1f.0");
	c = look(NULL);
	CU_ASSERT_TRUE(is(&c, "iommu-group", CHECK_FAIL, "1 of 2 VFs"));
	tree_done();
}

UT_MAIN("pf-driver/check", UT(a_host_that_lacks_nothing_fails_nothing),
        UT(each_thing_that_is_missing_is_named_with_a_remedy), UT(a_host_without_iommu_fails),
        UT(drivers_of_the_host_on_vfs_are_noticed), UT(a_foreign_pf_keeps_its_driver),
        UT(a_wrong_pf_is_refused_with_a_reason), UT(a_group_that_the_host_uses_fails))
