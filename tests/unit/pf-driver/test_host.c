/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gv/pf_host.h>
#include <gv/vfio.h>

#include "ut.h"

/* ROOT/module/vfio_pci/parameters/enable_sriov with @flag in it. */
struct tree {
	char root[64], path[160];
};

static void make(struct tree *t, const char *flag)
{
	static const char *const dirs[] = {"module", "module/vfio_pci",
	                                   "module/vfio_pci/parameters"};
	FILE *f;

	snprintf(t->root, sizeof(t->root), "/tmp/gv-host-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(t->root));
	for (size_t i = 0; i < GV_ARRAY_LEN(dirs); i++) {
		snprintf(t->path, sizeof(t->path), "%s/%s", t->root, dirs[i]);
		CU_ASSERT_EQUAL_FATAL(mkdir(t->path, 0700), 0);
	}
	snprintf(t->path, sizeof(t->path), "%s/%s/enable_sriov", t->root, dirs[2]);
	f = fopen(t->path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	(void)fputs(flag, f);
	(void)fclose(f);
}

static void forget(struct tree *t)
{
	(void)unlink(t->path);
	for (unsigned i = 0; i < 4; i++) {
		*strrchr(t->path, '/') = '\0';
		(void)rmdir(t->path);
	}
}

static void sriov_is_switched_on_where_it_is_off(void)
{
	struct gv_err err = {0};
	bool changed = false;
	struct tree t;

	make(&t, "N\n");
	CU_ASSERT_EQUAL(gv_pf_allow_sriov(t.root, &changed, &err), 0);
	CU_ASSERT_TRUE(changed);
	CU_ASSERT_EQUAL(gv_pf_allow_sriov(t.root, &changed, &err), 0);
	CU_ASSERT_FALSE(changed);
	forget(&t);
}

static void a_module_that_is_not_there_is_named(void)
{
	struct gv_err err = {0};

	CU_ASSERT_EQUAL(gv_pf_allow_sriov("/nowhere", NULL, &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "modprobe vfio-pci"));
}

/* /dev/full reads as no Y and refuses every write, to root, too. */
static void who_may_not_change_it_is_told_what_to_do(void)
{
	struct gv_err err = {0};
	struct tree t;

	make(&t, "N\n");
	(void)unlink(t.path);
	CU_ASSERT_EQUAL_FATAL(symlink("/dev/full", t.path), 0);
	CU_ASSERT_EQUAL(gv_pf_allow_sriov(t.root, NULL, &err), -ENOSPC);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "echo Y >"));
	forget(&t);
}

static void tokens_are_fresh_uuids(void)
{
	struct gv_pf_token *a = NULL, *b = NULL;
	char text[GV_PF_TOKEN_TEXT];
	uint8_t back[16];

	CU_ASSERT_EQUAL_FATAL(gv_pf_token_new(&a, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(gv_pf_token_new(&b, NULL), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(gv_pf_token_bytes(a), gv_pf_token_bytes(b), 16), 0);
	gv_pf_token_text(a, text);
	CU_ASSERT_EQUAL(strlen(text), GV_PF_TOKEN_TEXT - 1);
	CU_ASSERT_EQUAL(text[14], '4');
	CU_ASSERT_PTR_NOT_NULL(strchr("89ab", text[19]));
	CU_ASSERT_EQUAL(gv_vfio_parse_uuid(text, back), 0);
	CU_ASSERT_EQUAL(memcmp(back, gv_pf_token_bytes(a), 16), 0);
	CU_ASSERT_PTR_NULL(gv_pf_token_free(a));
	CU_ASSERT_PTR_NULL(gv_pf_token_free(b));
	CU_ASSERT_PTR_NULL(gv_pf_token_free(NULL));
}

/* "dd" in VmFlags of its mapping: do not dump. */
static bool is_left_out_of_dumps(const void *at)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long want = (unsigned long)at, first, end;
	bool inside = false, found = false;
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &first, &end) == 2)
			inside = want >= first && want < end;
		else if (inside && !strncmp(line, "VmFlags:", 8))
			found = strstr(line, " dd") != NULL;
	}
	if (f)
		(void)fclose(f);
	return found;
}

static void tokens_are_not_in_core_dumps(void)
{
	struct gv_pf_token *t = NULL;

	CU_ASSERT_EQUAL_FATAL(gv_pf_token_new(&t, NULL), 0);
	CU_ASSERT_TRUE(is_left_out_of_dumps(gv_pf_token_bytes(t)));
	t = gv_pf_token_free(t);
}

UT_MAIN("pf-driver/host", UT(sriov_is_switched_on_where_it_is_off),
        UT(a_module_that_is_not_there_is_named), UT(who_may_not_change_it_is_told_what_to_do),
        UT(tokens_are_fresh_uuids), UT(tokens_are_not_in_core_dumps))
