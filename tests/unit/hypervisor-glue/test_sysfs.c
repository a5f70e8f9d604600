/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>
#include <stdatomic.h>

#include "tree.h"

static const struct gv_glue_bdf vf1 = {0, 3, 2, 1};

static void addresses_are_parsed_strictly(void)
{
	static const char *const bad[] = {"",
	                                  "03:00.0",
	                                  "0000:03:00",
	                                  "0000:03:00.8",
	                                  "0000:03:20.0",
	                                  "0000:03:00.0 ",
	                                  " 0000:03:00.0",
	                                  "0000-03-00.0",
	                                  "000g:03:00.0",
	                                  "00000:03:00.0",
	                                  "../../etc",
	                                  "0000:03:00.00"};
	struct gv_glue_bdf bdf = {9, 9, 9, 9};
	char text[GV_GLUE_BDF_TEXT];

	for (size_t i = 0; i < GV_ARRAY_LEN(bad); i++)
		CU_ASSERT_EQUAL(gv_glue_bdf_parse(bad[i], &bdf), -EINVAL);
	CU_ASSERT_EQUAL(bdf.bus, 9);
	CU_ASSERT_EQUAL(gv_glue_bdf_parse("ABcd:fe:1f.7", &bdf), 0);
	CU_ASSERT_STRING_EQUAL(gv_glue_bdf_format(&bdf, text), "abcd:fe:1f.7");
}

static void pf_and_vf_are_what_the_tree_says(void)
{
	struct gv_glue_fn fn;

	tree_make(2);
	CU_ASSERT_EQUAL_FATAL(gv_glue_fn_read(tree, &tree_pf, &fn, NULL), 0);
	CU_ASSERT(fn.is_pf && !fn.is_vf);
	CU_ASSERT_EQUAL(fn.num_vfs, 2);
	CU_ASSERT_EQUAL(fn.total_vfs, 16);
	CU_ASSERT_EQUAL(fn.device, 0x6860);
	CU_ASSERT_EQUAL(fn.iommu_group, -1);
	CU_ASSERT_STRING_EQUAL(fn.driver, "");
	CU_ASSERT_EQUAL_FATAL(gv_glue_vf_read(tree, &tree_pf, 1, &fn, NULL), 0);
	CU_ASSERT(fn.is_vf && !fn.is_pf);
	CU_ASSERT_EQUAL(fn.vf_index, 1);
	CU_ASSERT_EQUAL(fn.bdf.slot, 2);
	CU_ASSERT_EQUAL(fn.bdf.function, 1);
	CU_ASSERT_EQUAL(fn.pf.bus, 3);
	CU_ASSERT_EQUAL(fn.iommu_group, 41);
	CU_ASSERT_STRING_EQUAL(fn.driver, "vfio-pci");
	CU_ASSERT_STRING_EQUAL(fn.driver_override, "");
	tree_done();
}

static void what_is_not_there_is_said(void)
{
	struct gv_glue_bdf nobody = {0, 9, 9, 1};
	struct gv_glue_fn fn = {.vf_index = 77};
	struct gv_err err;

	tree_make(2);
	CU_ASSERT_EQUAL(gv_glue_fn_read(tree, &nobody, &fn, &err), -ENODEV);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "0000:09:09.1"));
	CU_ASSERT_EQUAL(gv_glue_vf_read(tree, &tree_pf, 2, &fn, &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "VF2 is not enabled"));
	CU_ASSERT_EQUAL(gv_glue_fn_read("/nonexistent", &nobody, &fn, &err), -ENOENT);
	CU_ASSERT_EQUAL(fn.vf_index, 77);
	tree_done();
}

/* Spoil one file or link of VF1; reading it must fail with @rc and name the file. */
static void spoiled_file(const char *file, const char *text, int rc)
{
	char path[256];
	struct gv_glue_fn fn;
	struct gv_err err = {0};

	tree_make(2);
	(void)snprintf(path, sizeof(path), VF_AT "1/%s", file);
	tree_file(path, text);
	CU_ASSERT_EQUAL(gv_glue_fn_read(tree, &vf1, &fn, &err), rc);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "0000:03:02.1"));
	tree_done();
}

static void spoiled_link(const char *file, const char *target, int rc)
{
	char path[256];
	struct gv_glue_fn fn;

	tree_make(2);
	(void)snprintf(path, sizeof(path), VF_AT "1/%s", file);
	tree_link(path, target);
	CU_ASSERT_EQUAL(gv_glue_fn_read(tree, &vf1, &fn, NULL), rc);
	tree_done();
}

static void impossible_values_are_refused(void)
{
	char longer[4096];

	memset(longer, '1', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	spoiled_file("vendor", "0x10020\n", -EPROTO);
	spoiled_file("vendor", "-1\n", -EPROTO);
	spoiled_file("vendor", "", -EPROTO);
	spoiled_file("vendor", "0x1002 x\n", -EPROTO);
	spoiled_file("device", longer, -EPROTO);
	spoiled_file("driver_override", "a b\n", -EPROTO);
	spoiled_file("driver_override", "a\nb\n", -EPROTO);
	spoiled_file("driver_override", longer, -EPROTO);
	spoiled_link("vendor", "/etc/passwd", -EPROTO);
	spoiled_link("vendor", "../0000:03:00.0/vendor", -EPROTO);
	spoiled_link("iommu_group", "/x/-1", -EPROTO);
	spoiled_link("iommu_group", "/x/4a", -EPROTO);
	spoiled_link("iommu_group", "/x/99999999999", -EPROTO);
	spoiled_link("driver", "/x/ev il", -EPROTO);
	spoiled_link("driver", "/x/..", -EPROTO);
	spoiled_link("physfn", "/etc/passwd", -EPROTO);
	spoiled_link("physfn", "../0000:09:00.0", -ENODEV);
	spoiled_link("physfn", "../0000:03:02.0", -ESTALE);
}

static void a_link_out_of_the_tree_is_not_followed(void)
{
	struct gv_glue_fn fn;
	struct gv_err err;

	tree_make(2);
	tree_link("bus/pci/devices/0000:03:02.1", "/etc");
	CU_ASSERT_EQUAL(gv_glue_fn_read(tree, &vf1, &fn, &err), -EPROTO);
	tree_link("bus/pci/devices/0000:03:02.1", "../../../../../../../../etc");
	CU_ASSERT_EQUAL(gv_glue_fn_read(tree, &vf1, &fn, &err), -EPROTO);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "out of"));
	tree_link("bus/pci/devices/0000:03:02.1", "0000:03:02.1");
	CU_ASSERT(gv_glue_fn_read(tree, &vf1, &fn, &err) < 0);
	tree_done();
}

static void a_vf_that_its_pf_does_not_know_is_stale(void)
{
	struct gv_glue_fn fn;

	tree_make(2);
	tree_remove(PF_AT "/virtfn1");
	CU_ASSERT_EQUAL(gv_glue_fn_read(tree, &vf1, &fn, NULL), -ESTALE);
	tree_link(PF_AT "/virtfn1", "../0000:03:02.0"); /* the same VF twice */
	CU_ASSERT_EQUAL(gv_glue_vf_read(tree, &tree_pf, 1, &fn, NULL), -ESTALE);
	tree_file(PF_AT "/sriov_numvfs", "17\n");
	CU_ASSERT_EQUAL(gv_glue_fn_read(tree, &tree_pf, &fn, NULL), -EPROTO);
	tree_done();
}

static void a_fifo_in_the_tree_does_not_hang_us(void)
{
	char path[256];
	struct gv_glue_fn fn;

	tree_make(2);
	(void)snprintf(path, sizeof(path), "%s/" VF_AT "1/vendor", tree);
	(void)unlink(path);
	CU_ASSERT_EQUAL_FATAL(mkfifo(path, 0600), 0);
	CU_ASSERT_EQUAL(gv_glue_fn_read(tree, &vf1, &fn, NULL), -EPROTO);
	tree_done();
}

/* What udev does when VFs appear: rename, somewhere else. */
static void *rename_to_and_fro(void *arg)
{
	const _Atomic bool *stop = arg;
	char a[256], b[256];

	(void)snprintf(a, sizeof(a), "%s/a", tree);
	(void)snprintf(b, sizeof(b), "%s/b", tree);
	(void)mkdir(a, 0700);
	while (!atomic_load(stop)) {
		(void)rename(a, b);
		(void)rename(b, a);
	}
	return NULL;
}

static void renames_elsewhere_disturb_nobody(void)
{
	_Atomic bool stop = false;
	struct gv_glue_fn fn;
	unsigned failed = 0;
	pthread_t t;

	tree_make(2);
	CU_ASSERT_FATAL(pthread_create(&t, NULL, rename_to_and_fro, &stop) == 0);
	for (unsigned i = 0; i < 2000; i++)
		failed += gv_glue_vf_read(tree, &tree_pf, 1, &fn, NULL) != 0;
	atomic_store(&stop, true);
	(void)pthread_join(t, NULL);
	CU_ASSERT_EQUAL(failed, 0);
	tree_done();
}

UT_MAIN("hypervisor-glue sysfs", UT(addresses_are_parsed_strictly),
        UT(pf_and_vf_are_what_the_tree_says), UT(what_is_not_there_is_said),
        UT(impossible_values_are_refused), UT(a_link_out_of_the_tree_is_not_followed),
        UT(a_vf_that_its_pf_does_not_know_is_stale), UT(a_fifo_in_the_tree_does_not_hang_us),
        UT(renames_elsewhere_disturb_nobody))
