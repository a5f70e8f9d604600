/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpuvisor check on trees that look like hosts. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../hypervisor-glue/tree.h"
#include "check.h"
#include "ut.h"

static struct check look(const char *pf)
{
	static char dev[80], etc[80];
	struct check c = {.sysfs = tree,
	                  .dev = dev,
	                  .etc = etc,
	                  .kernel = "6.1.0-40-amd64",
	                  .memlock = UINT64_MAX,
	                  .pf_text = pf};

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

/* ---- one tree per symptom ------------------------------------------------------------- */

/* What is wrong with a host that else lacks nothing: a file, and what is in it (NULL: removed). */
struct symptom {
	const char *file, *content;
	const char *item;
	enum check_status status;
	const char *code, *text;
	void (*make)(void); /* besides */
	const char *pf;     /* NULL: 0000:03:00.0; "": find it */
};

static void with_stub(void)
{
	tree_link(PF_AT "/driver", "../../../../bus/pci/drivers/pci-pf-stub");
}

static void with_amdgpu(void)
{
	tree_link(PF_AT "/driver", "../../../../bus/pci/drivers/amdgpu");
}

static void without_vfio(void)
{
	tree_remove("module/vfio_pci/parameters/enable_sriov");
	tree_rmdir("module/vfio_pci/parameters");
	tree_rmdir("module/vfio_pci");
}

static void without_iommu(void)
{
	tree_rename("kernel/iommu_groups", "kernel/none");
	tree_dir("kernel/iommu_groups");
}

static void with_noiommu(void)
{
	without_iommu();
	tree_dir("module/vfio/parameters");
	tree_file("module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n");
}

static void with_unsafe_interrupts(void)
{
	tree_dir("module/vfio_iommu_type1/parameters");
	tree_file("module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "Y\n");
}

static void with_neighbour(void)
{
	tree_dir("devices/pci0000:00/0000:00:1f.0");
	tree_file("devices/pci0000:00/0000:00:1f.0/vendor", "0x8086\n");
	tree_file("devices/pci0000:00/0000:00:1f.0/device", "0x1234\n");
	tree_file("devices/pci0000:00/0000:00:1f.0/class", "0x020000\n");
	tree_dir("bus/pci/drivers/e1000e");
	tree_link("devices/pci0000:00/0000:00:1f.0/driver", "../../../bus/pci/drivers/e1000e");
	tree_link("bus/pci/devices/0000:00:1f.0", "../../../devices/pci0000:00/0000:00:1f.0");
	tree_link("kernel/iommu_groups/41/devices/0000:00:1f.0",
	          "../../../../devices/pci0000:00/0000:00:1f.0");
}

/* Both VFs behind a bridge without ACS. */
static void with_one_group(void)
{
	tree_link("kernel/iommu_groups/40/devices/0000:03:02.1",
	          "../../../../bus/pci/devices/0000:03:02.1");
	tree_link(VF_AT "1/iommu_group", "../../../../kernel/iommu_groups/40");
}

static void with_two_pfs(void)
{
	tree_dir("devices/pci0000:00/0000:04:00.0");
	tree_file("devices/pci0000:00/0000:04:00.0/vendor", "0x1002\n");
	tree_file("devices/pci0000:00/0000:04:00.0/device", "0x6860\n");
	tree_file("devices/pci0000:00/0000:04:00.0/sriov_totalvfs", "16\n");
	tree_file("devices/pci0000:00/0000:04:00.0/sriov_numvfs", "0\n");
	tree_link("bus/pci/devices/0000:04:00.0", "../../../devices/pci0000:00/0000:04:00.0");
}

static void with_amdgpu_on_a_vf(void)
{
	tree_dir("bus/pci/drivers/amdgpu");
	tree_link(VF_AT "1/driver", "../../../../bus/pci/drivers/amdgpu");
}

static void with_service_group(void)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "gpuvisor:x:%u:alice\n", getegid());
	tree_file("etc/group", path);
}

static void with_used_up_pages(void)
{
	tree_dir("kernel/mm/hugepages/hugepages-2048kB");
	tree_file("kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "512\n");
	tree_file("kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "0\n");
}

static void with_template(void)
{
	tree_link("etc/systemd/system/multi-user.target.wants/gpuvisord@left.service", "/nowhere");
}

#define WANTS     "etc/systemd/system/multi-user.target.wants/gpuvisord.service"
#define VFIO_FLAG "module/vfio_pci/parameters/enable_sriov"

static const struct symptom symptoms[] = {
        {"x", "", "iommu", CHECK_FAIL, "iommu-off", "no IOMMU group", without_iommu, NULL},
        {"x", "", "iommu", CHECK_WARN, "iommu-unsafe", "unsafe", with_noiommu, NULL},
        {"class/iommu/dmar0/intel-iommu/ecap", "f020d2\n", "interrupt-remapping", CHECK_FAIL,
         "intremap-off", "does not have", NULL, NULL},
        {"class/iommu/dmar0/intel-iommu/ecap", "f020d2\n", "interrupt-remapping", CHECK_WARN,
         "intremap-unsafe", "allow_unsafe_interrupts", with_unsafe_interrupts, NULL},
        {"class/iommu/dmar0/intel-iommu/ecap", NULL, "interrupt-remapping", CHECK_WARN,
         "intremap-unknown", "cannot be told", NULL, NULL},
        {"dev/vfio/vfio", NULL, "vfio-dev", CHECK_FAIL, "vfio-missing", "No such file", NULL, NULL},
        {"dev/kvm", NULL, "kvm", CHECK_WARN, "kvm-missing", "No such file", NULL, NULL},
        {"dev/kvm", "", "kvm", CHECK_WARN, "kvm-strange", "does not answer", NULL, NULL},
        {"x", "", "hugepages", CHECK_WARN, "hugepages-used-up", "512", with_used_up_pages, NULL},
        {PF_AT "/sriov_totalvfs", NULL, "pf", CHECK_FAIL, "pf-none", "0 functions", NULL, ""},
        {"x", "", "pf", CHECK_FAIL, "pf-none", "0000:99:00.0", NULL, "0000:99:00.0"},
        {"x", "", "pf", CHECK_FAIL, "pf-several", "2 functions", with_two_pfs, ""},
        {"x", "", "pf", CHECK_FAIL, "pf-address", "no PCI address", NULL, "nonsense"},
        {"x", "", "pf", CHECK_FAIL, "pf-is-vf", "no SR-IOV", NULL, "0000:03:02.0"},
        {PF_AT "/sriov_totalvfs", NULL, "pf", CHECK_FAIL, "sriov-off", "no SR-IOV", NULL, NULL},
        {PF_AT "/config", "\xff\xff\xff\xff", "pf-answers", CHECK_FAIL, "pf-dead", "0xff", NULL,
         NULL},
        {"x", "", "sriov", CHECK_WARN, "vfs-left-over", "EBUSY", with_stub, NULL},
        {"x", "", "pf-driver", CHECK_FAIL, "pf-driver-stub", "pci-pf-stub", with_stub, NULL},
        {"x", "", "pf-driver", CHECK_FAIL, "pf-driver-wrong", "amdgpu", with_amdgpu, NULL},
        {PF_AT "/driver_override", "vfio-pci\n", "pf-driver", CHECK_FAIL, "pf-driver-override",
         "amdgpu has it", with_amdgpu, NULL},
        {PF_AT "/driver", NULL, "pf-driver", CHECK_FAIL, "pf-no-driver", "none", NULL, NULL},
        {VFIO_FLAG, "N\n", "vfio-pci", CHECK_WARN, "enable-sriov-off", "off", NULL, NULL},
        {VFIO_FLAG, NULL, "vfio-pci", CHECK_FAIL, "kernel-no-sriov", "no SR-IOV", NULL, NULL},
        {"x", "", "vfio-pci", CHECK_FAIL, "vfio-missing", "not loaded", without_vfio, NULL},
        {"x", "", "iommu-group", CHECK_FAIL, "group-shared", "1 of 2 VFs", with_neighbour, NULL},
        {"x", "", "iommu-group", CHECK_FAIL, "group-several-vfs", "1 of 2 VFs", with_one_group,
         NULL},
        {PF_AT "/resource", BAD_BARS, "mmio-window", CHECK_FAIL, "vf-bar-unassigned", "1 VF BARs",
         NULL, NULL},
        {PF_AT "/ari_enabled", "0\n", "ari", CHECK_WARN, "ari-off", "16 VFs", NULL, NULL},
        {"x", "", "rights", CHECK_WARN, "not-handed-over", "sriov_numvfs", with_service_group,
         NULL},
        {"x", "", "vf-driver", CHECK_WARN, "vf-driver-wrong",
         "1 VFs have a driver of the host, 0000:03:02.1 has amdgpu", with_amdgpu_on_a_vf, NULL},
        {VF_AT "1/reset_method", "pm bus\n", "vf-reset", CHECK_FAIL, "vf-no-flr", "1 VFs", NULL,
         NULL},
        {"etc/modprobe.d/vfio.conf", "#options vfio-pci ids=1002:6860\n", "boot-driver", CHECK_WARN,
         "driver-lost-at-boot", "nothing gives", NULL, NULL},
        {WANTS, NULL, "boot-service", CHECK_WARN, "service-off", "does not start", NULL, NULL},
        {"etc/gpuvisor/profile.json", NULL, "boot-service", CHECK_FAIL, "profile-missing",
         "profile.json is not there", NULL, NULL},
        {WANTS, NULL, "boot-service", CHECK_FAIL, "profile-missing", "left.json is not there",
         with_template, NULL},
};

static bool has(const struct check *c, const struct symptom *s)
{
	const struct check_item *item = find(c, s->item);

	return is(c, s->item, s->status, s->text) && item && !strcmp(item->code, s->code) &&
	       item->remedy[0];
}

static void each_symptom_has_its_code_and_a_remedy(void)
{
	for (size_t i = 0; i < GV_ARRAY_LEN(symptoms); i++) {
		const struct symptom *s = &symptoms[i];
		struct check c;

		make_host();
		if (s->content)
			tree_file(s->file, s->content);
		else
			tree_remove(s->file);
		if (s->make)
			s->make();
		c = look(!s->pf ? "0000:03:00.0" : s->pf[0] ? s->pf : NULL);
		if (!has(&c, s))
			printf("%s, case %zu\n", s->code, i);
		CU_ASSERT_TRUE(has(&c, s));
		tree_done();
	}
}

/* Symptoms that are no file. */
static const char *const others[] = {"vfio-denied",      "memlock-low",    "kernel-no-token",
                                     "libvirt-no-token", "libvirt-silent", "daemon-silent"};

static void what_we_may_not_open_is_told_apart_from_what_is_not_there(void)
{
	int status = -1;
	pid_t pid;

	make_host();
	tree_mode("dev/vfio/vfio", 0);
	pid = fork();
	CU_ASSERT_FATAL(pid >= 0);
	if (!pid) {
		struct check c;

		if (!geteuid() && setresuid(65534, 65534, 65534))
			_exit(2);
		c = look("0000:03:00.0");
		_exit(strcmp(find(&c, "vfio-dev")->code, "vfio-denied") != 0);
	}
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT_EQUAL(status, 0);
	tree_done();
}

static void limits_and_versions_are_looked_at(void)
{
	static const struct {
		const char *kernel;
		bool ok;
	} kernels[] = {{"5.6.19", false}, {"4.19.0-27", false}, {"5.7.0", true}, {"10.1", true}};
	struct check c = {.memlock = 64 * 1024, .sysfs = "/none", .dev = "/none", .etc = "/none"};

	check_host(&c);
	CU_ASSERT_STRING_EQUAL(find(&c, "memlock")->code, "memlock-low");
	CU_ASSERT_TRUE(find(&c, "memlock")->remedy[0]);
	c.count = 0;
	c.root = true;
	check_host(&c);
	CU_ASSERT_TRUE(is(&c, "memlock", CHECK_OK, "no limit"));
	for (size_t i = 0; i < GV_ARRAY_LEN(kernels); i++) {
		c.count = 0;
		c.kernel = kernels[i].kernel;
		check_host(&c);
		CU_ASSERT_STRING_EQUAL(find(&c, "kernel")->code,
		                       kernels[i].ok ? "" : "kernel-no-token");
	}
}

static void a_libvirt_without_the_way_of_the_token_fails(void)
{
	struct check c = {.ours = true, .uri = "nonsense:///"};

	check_virt_versions(&c, 7000000, 6000000);
	CU_ASSERT_STRING_EQUAL(c.item[0].code, "libvirt-no-token");
	CU_ASSERT_EQUAL(c.item[0].status, CHECK_FAIL);
	check_virt_versions(&c, 9000000, 7002000);
	CU_ASSERT_TRUE(c.item[1].status == CHECK_OK && strstr(c.item[1].text, "link"));
	check_virt_versions(&c, 8002000, 8001000);
	CU_ASSERT_TRUE(c.item[2].status == CHECK_OK && strstr(c.item[2].text, "property"));
	c.ours = false; /* no token then */
	check_virt_versions(&c, 7000000, 6000000);
	CU_ASSERT_EQUAL(c.item[3].status, CHECK_OK);
	check_virt(&c);
	CU_ASSERT_STRING_EQUAL(c.item[4].code, "libvirt-silent");
}

static bool is_tried(const char *code)
{
	for (size_t i = 0; i < GV_ARRAY_LEN(symptoms); i++)
		if (!strcmp(symptoms[i].code, code))
			return true;
	for (size_t i = 0; i < GV_ARRAY_LEN(others); i++)
		if (!strcmp(others[i], code))
			return true;
	return false;
}

/* Codes of the document are the second column of its table: `code`, `code`; ... */
static void every_documented_code_is_tried_and_every_tried_one_documented(void)
{
	gv_auto_free char *text = calloc(1, 1 << 16);
	FILE *f = fopen(GV_DOCUMENT, "re");
	const char *at, *end;
	unsigned codes = 0;

	CU_ASSERT_FATAL(f && text && fread(text, 1, (1 << 16) - 1, f) > 0);
	(void)fclose(f);
	at = strstr(text, "\n| item | codes | |");
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	end = strstr(at, "\n\n");
	while ((at = strstr(at + 1, "\n| `")) != NULL && at < end) {
		const char *column = strstr(at + 3, " | "), *stop = strstr(column + 3, " | ");

		while ((column = strchr(column, '`')) != NULL && column < stop) {
			char code[64];

			(void)snprintf(code, sizeof(code), "%.*s", (int)strcspn(column + 1, "`"),
			               column + 1);
			column += strlen(code) + 2;
			codes++;
			if (!is_tried(code))
				printf("%s: documented, no tree\n", code);
			CU_ASSERT_TRUE(is_tried(code));
		}
	}
	CU_ASSERT_TRUE(codes >= 30);
	for (size_t i = 0; i < GV_ARRAY_LEN(symptoms); i++) {
		char word[64];

		(void)snprintf(word, sizeof(word), "`%s`", symptoms[i].code);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, word));
	}
}

static void what_the_service_needs_is_its_group_s(void)
{
	struct check c;

	make_host();
	c = look(NULL);
	CU_ASSERT_PTR_NULL(find(&c, "rights")); /* no such group on this host */
	with_service_group();
	tree_file("dev/vfio/39", "");
	tree_mode("dev/vfio/39", 0660);
	tree_mode(PF_AT "/sriov_numvfs", 0664);
	c = look(NULL);
	CU_ASSERT_TRUE(is(&c, "rights", CHECK_OK, "gpuvisor"));
	tree_mode("dev/vfio/39", 0600);
	c = look(NULL);
	CU_ASSERT_TRUE(is(&c, "rights", CHECK_WARN, "dev/vfio/39"));
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

UT_MAIN("pf-driver/check", UT(a_host_that_lacks_nothing_fails_nothing),
        UT(each_symptom_has_its_code_and_a_remedy),
        UT(what_we_may_not_open_is_told_apart_from_what_is_not_there),
        UT(limits_and_versions_are_looked_at), UT(a_libvirt_without_the_way_of_the_token_fails),
        UT(every_documented_code_is_tried_and_every_tried_one_documented),
        UT(what_the_service_needs_is_its_group_s), UT(a_foreign_pf_keeps_its_driver))
