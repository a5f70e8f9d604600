/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <gv/base.h>

#include "ut.h"

static void fail_records_code_and_text_and_returns_the_code(void)
{
	struct gv_err err = {0};

	CU_ASSERT_EQUAL(gv_fail(&err, -ERANGE, "vfs: %u asked, %u left", 5u, 2u), -ERANGE);
	CU_ASSERT_EQUAL(err.code, -ERANGE);
	CU_ASSERT_STRING_EQUAL(err.text, "vfs: 5 asked, 2 left");
	CU_ASSERT_EQUAL(gv_fail(NULL, -EIO, "nobody reads %s", "this"), -EIO);
}

static void each_caller_adds_its_part_of_the_path(void)
{
	struct gv_err err = {0};

	(void)gv_fail(&err, -EINVAL, "fb_mib: 3 asked");
	CU_ASSERT_EQUAL(gv_fail_prefix(&err, "vfs[%u]", 1u), -EINVAL);
	CU_ASSERT_EQUAL(gv_fail_prefix(&err, "%s", "a.json"), -EINVAL);
	CU_ASSERT_STRING_EQUAL(err.text, "a.json: vfs[1]: fb_mib: 3 asked");
	CU_ASSERT_EQUAL(gv_fail_prefix(NULL, "x"), -EINVAL);
}

static void long_texts_are_cut_not_overrun(void)
{
	struct {
		struct gv_err err;
		char guard[16];
	} box;
	char big[2000];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	memset(&box, 0, sizeof(box));
	memset(box.guard, 'g', sizeof(box.guard));
	(void)gv_fail(&box.err, -EIO, "%s", big);
	CU_ASSERT_EQUAL(strlen(box.err.text), sizeof(box.err.text) - 1);
	(void)gv_fail_prefix(&box.err, "%s", "short");
	CU_ASSERT_EQUAL(strlen(box.err.text), sizeof(box.err.text) - 1);
	CU_ASSERT_EQUAL(strncmp(box.err.text, "short: xxx", 10), 0);
	(void)gv_fail_prefix(&box.err, "%s", big);
	CU_ASSERT_EQUAL(strlen(box.err.text), sizeof(box.err.text) - 1);
	CU_ASSERT_EQUAL(box.guard[0], 'g');
	CU_ASSERT_EQUAL(box.err.code, -EIO);
}

static void ownership_is_handed_on_once(void)
{
	char *text = malloc(4), *taken;
	int fd = dup(0), other;

	taken = GV_TAKE(text);
	CU_ASSERT_PTR_NULL(text);
	CU_ASSERT_PTR_NOT_NULL(taken);
	free(taken);
	other = gv_take_fd(&fd);
	CU_ASSERT_EQUAL(fd, -1);
	gv_closep(&other);
	CU_ASSERT_EQUAL(other, -1);
	gv_closep(&other); /* nothing left to close */
}

UT_MAIN("err", UT(fail_records_code_and_text_and_returns_the_code),
        UT(each_caller_adds_its_part_of_the_path), UT(long_texts_are_cut_not_overrun),
        UT(ownership_is_handed_on_once))
