/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A kernel that answers what is written to the tree, and can be told to misbehave. */
#include <signal.h>
#include <bind.h>
#include "tree.h"

static const struct gv_glue_bdf vf0 = {0, 3, 2, 0}, vf1 = {0, 3, 2, 1};

static struct {
	char log[1024];          /* what was written, in order */
	const char *probes_to;   /* probe gives this driver, not what driver_override says */
	int unbind_rc, probe_rc; /* the next one fails */
} fake;

static void set_driver(unsigned i, const char *driver)
{
	char path[256], target[256];

	(void)snprintf(path, sizeof(path), VF_AT "%u/driver", i);
	tree_remove(path);
	if (!*driver)
		return;
	(void)snprintf(target, sizeof(target), "../../../../bus/pci/drivers/%s", driver);
	tree_link(path, target);
	(void)snprintf(path, sizeof(path), "bus/pci/drivers/%s", driver);
	tree_dir(path);
}

static int do_unbind(unsigned i)
{
	if (fake.unbind_rc)
		return fake.unbind_rc;
	set_driver(i, "");
	return 0;
}

static int do_probe(unsigned i, const struct gv_glue_bdf *bdf)
{
	struct gv_glue_fn fn;
	int rc = fake.probe_rc;

	fake.probe_rc = 0;
	if (rc)
		return rc;
	CU_ASSERT_EQUAL(gv_glue_fn_read(tree, bdf, &fn, NULL), 0);
	if (!*fn.driver)
		set_driver(i, fake.probes_to ? fake.probes_to : fn.driver_override);
	fake.probes_to = NULL;
	return 0;
}

static int do_override(const char *path, const char *text)
{
	char full[300];

	(void)snprintf(full, sizeof(full), "%s", path);
	tree_file(full, *text == '\n' ? "(null)\n" : text);
	return 0;
}

static int answer(void *arg, const char *root, const char *path, const char *text,
                  unsigned timeout_ms)
{
	const char *address = strstr(path, "0000:03:02.") ? strstr(path, "0000:03:02.") : text;
	unsigned i = (unsigned)(address[11] - '0');
	struct gv_glue_bdf bdf = i ? vf1 : vf0;
	size_t n = strlen(fake.log);

	(void)arg;
	(void)timeout_ms;
	CU_ASSERT_STRING_EQUAL(root, tree);
	(void)snprintf(fake.log + n, sizeof(fake.log) - n, "%s=%s;", strrchr(path, '/') + 1, text);
	if (strstr(path, "/driver_override"))
		return do_override(path, text);
	if (strstr(path, "/unbind"))
		return do_unbind(i);
	CU_ASSERT_STRING_EQUAL(path, "bus/pci/drivers_probe");
	return do_probe(i, &bdf);
}

static const struct gv_glue_kernel kernel = {.write = answer, .timeout_ms = 10};

static void group(unsigned i)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "kernel/iommu_groups/%u/devices/0000:03:02.%u", 40 + i,
	               i);
	tree_dir(path);
}

static void make(const char *driver)
{
	memset(&fake, 0, sizeof(fake));
	tree_make(2);
	group(0);
	group(1);
	set_driver(1, driver);
}

static void override_is(const char *want)
{
	struct gv_glue_fn fn;

	CU_ASSERT_EQUAL(gv_glue_fn_read(tree, &vf1, &fn, NULL), 0);
	CU_ASSERT_STRING_EQUAL(fn.driver_override, want);
}

static void driver_is(const char *want)
{
	struct gv_glue_fn fn;

	CU_ASSERT_EQUAL(gv_glue_fn_read(tree, &vf1, &fn, NULL), 0);
	CU_ASSERT_STRING_EQUAL(fn.driver, want);
}

static void a_vf_changes_its_driver(void)
{
	make("amdgpu");
	CU_ASSERT_EQUAL(gv_glue_bind_with(&kernel, tree, &vf1, "vfio-pci", NULL), 0);
	CU_ASSERT_STRING_EQUAL(fake.log, "driver_override=vfio-pci\n;unbind=0000:03:02.1;"
	                                 "drivers_probe=0000:03:02.1;");
	driver_is("vfio-pci");
	override_is("vfio-pci");
	fake.log[0] = '\0';
	CU_ASSERT_EQUAL(gv_glue_bind_with(&kernel, tree, &vf1, "vfio-pci", NULL), 0);
	CU_ASSERT_STRING_EQUAL(fake.log, "");
	CU_ASSERT_EQUAL(gv_glue_unbind_with(&kernel, tree, &vf1, NULL), 0);
	driver_is("");
	override_is("");
	tree_done();
}

static void a_pf_is_refused_by_name(void)
{
	struct gv_err err;

	make("amdgpu");
	CU_ASSERT_EQUAL(gv_glue_bind_with(&kernel, tree, &tree_pf, "vfio-pci", &err), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "0000:03:00.0: a PF"));
	CU_ASSERT_EQUAL(gv_glue_unbind_with(&kernel, tree, &tree_pf, &err), -EINVAL);
	CU_ASSERT_STRING_EQUAL(fake.log, "");
	tree_done();
}

static void what_cannot_be_is_refused_before_anything_is_written(void)
{
	static const char *const bad[] = {"", "../x", "a/b", "a b", "vfio-pci\n"};
	struct gv_err err;

	make("amdgpu");
	for (size_t i = 0; i < GV_ARRAY_LEN(bad); i++)
		CU_ASSERT_EQUAL(gv_glue_bind_with(&kernel, tree, &vf1, bad[i], &err), -EINVAL);
	CU_ASSERT_EQUAL(gv_glue_bind_with(&kernel, tree, &vf1, "nobody", &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "modprobe nobody"));
	tree_remove(VF_AT "1/iommu_group");
	CU_ASSERT_EQUAL(gv_glue_bind_with(&kernel, tree, &vf1, "vfio-pci", &err), -ENOTSUP);
	CU_ASSERT_STRING_EQUAL(fake.log, "");
	tree_done();
}

/* VF0 is put into VF1's group. */
static void a_group_that_the_host_uses_is_not_given_away(void)
{
	struct gv_err err;

	make("amdgpu");
	tree_dir("kernel/iommu_groups/41/devices/0000:03:02.0");
	CU_ASSERT_EQUAL(gv_glue_bind_with(&kernel, tree, &vf1, "vfio-pci", &err), 0);
	set_driver(1, "");
	set_driver(0, "amdgpu");
	fake.log[0] = '\0';
	CU_ASSERT_EQUAL(gv_glue_bind_with(&kernel, tree, &vf1, "vfio-pci", &err), -EBUSY);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "0000:03:02.0"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "amdgpu"));
	CU_ASSERT_STRING_EQUAL(fake.log, "");
	tree_file(VF_AT "0/class", "0x060400\n");
	CU_ASSERT_EQUAL(gv_glue_bind_with(&kernel, tree, &vf1, "vfio-pci", &err), 0);
	tree_done();
}

static void who_does_not_let_go_keeps_it(void)
{
	struct gv_err err;

	make("amdgpu");
	fake.unbind_rc = -ETIMEDOUT;
	CU_ASSERT_EQUAL(gv_glue_bind_with(&kernel, tree, &vf1, "vfio-pci", &err), -EBUSY);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "did not let go"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "(amdgpu) restored"));
	driver_is("amdgpu");
	override_is("");
	CU_ASSERT_EQUAL(gv_glue_unbind_with(&kernel, tree, &vf1, &err), -EBUSY);
	tree_done();
}

static void a_wrong_driver_is_noticed_and_said(void)
{
	struct gv_err err;

	make("amdgpu");
	fake.probes_to = "snatcher";
	CU_ASSERT_EQUAL(gv_glue_bind_with(&kernel, tree, &vf1, "vfio-pci", &err), -EIO);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "snatcher"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "could not be restored"));
	tree_done();
}

static void a_failed_probe_brings_the_former_driver_back(void)
{
	struct gv_err err;

	make("nvme");
	tree_file(VF_AT "1/driver_override", "nvme\n");
	fake.probe_rc = -EINVAL;
	CU_ASSERT_EQUAL(gv_glue_bind_with(&kernel, tree, &vf1, "vfio-pci", &err), -EIO);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "(nvme) restored"));
	driver_is("nvme");
	override_is("nvme");
	tree_done();
}

static void a_write_that_blocks_is_given_up(void)
{
	char path[128];
	uint64_t start = gv_now_ns();

	make("");
	(void)snprintf(path, sizeof(path), "%s/pipe", tree);
	CU_ASSERT_EQUAL(gv_glue_sysfs_write(NULL, tree, "../x", "1", 10), -EXDEV);
	CU_ASSERT_EQUAL(gv_glue_sysfs_write(NULL, tree, "nothing", "1", 10), -ENOENT);
	tree_file("attribute", "");
	CU_ASSERT_EQUAL(gv_glue_sysfs_write(NULL, tree, "attribute", "1", 5000), 0);
	CU_ASSERT(signal(SIGCHLD, SIG_IGN) != SIG_ERR); /* as some supervisors hand it down */
	CU_ASSERT_EQUAL(gv_glue_sysfs_write(NULL, tree, "attribute", "1", 5000), 0);
	CU_ASSERT(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
	CU_ASSERT_EQUAL_FATAL(mkfifo(path, 0600), 0);
	{
		gv_auto_fd int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
		char fill[4096] = {0};

		while (write(fd, fill, sizeof(fill)) > 0)
			;
		CU_ASSERT_EQUAL(gv_glue_sysfs_write(NULL, tree, "pipe", "1", 100), -ETIMEDOUT);
	}
	CU_ASSERT(gv_now_ns() - start < 4 * GV_S);
	tree_done();
}

UT_MAIN("bind", UT(a_vf_changes_its_driver), UT(a_pf_is_refused_by_name),
        UT(what_cannot_be_is_refused_before_anything_is_written),
        UT(a_group_that_the_host_uses_is_not_given_away), UT(who_does_not_let_go_keeps_it),
        UT(a_wrong_driver_is_noticed_and_said), UT(a_failed_probe_brings_the_former_driver_back),
        UT(a_write_that_blocks_is_given_up))
