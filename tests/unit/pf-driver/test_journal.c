/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "journal.h"
#include "ut.h"

struct file {
	char dir[64], path[128];
};

static void file_up(struct file *f)
{
	snprintf(f->dir, sizeof(f->dir), "gv-journal-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/a.journal", f->dir);
}

static void file_down(struct file *f)
{
	static const char *const more[] = {"", ".new", ".refused"};

	for (size_t i = 0; i < GV_ARRAY_LEN(more); i++) {
		char path[160];

		snprintf(path, sizeof(path), "%s%s", f->path, more[i]);
		(void)unlink(path);
	}
	CU_ASSERT_EQUAL(rmdir(f->dir), 0);
}

static struct pf_journal *open_as(const struct file *f, enum pf_journal_found want)
{
	enum pf_journal_found found = PF_JOURNAL_NEW;
	struct pf_journal *j = NULL;
	struct gv_err why = {0};

	CU_ASSERT_EQUAL_FATAL(pf_journal_open(f->path, &j, &found, &why), 0);
	CU_ASSERT_EQUAL(found, want);
	if (found != want)
		printf("found %s: %s\n", pf_journal_found_name(found), why.text);
	return j;
}

static void put(struct pf_journal *j, enum pf_journal_kind kind, int vf, const char *text)
{
	CU_ASSERT_EQUAL(pf_journal_put(j, kind, vf, text, strlen(text) + 1), 0);
}

static bool has(const struct pf_journal *j, enum pf_journal_kind kind, int vf, const char *text)
{
	size_t bytes = 0;
	const char *got = pf_journal_get(j, kind, vf, &bytes);

	return text ? got && bytes == strlen(text) + 1 && !strcmp(got, text) : !got;
}

/* Three records of 32 + 4 bytes. */
static void three(const struct file *f)
{
	struct pf_journal *j = open_as(f, PF_JOURNAL_NEW);

	put(j, PF_JOURNAL_SESSION, 0, "one");
	put(j, PF_JOURNAL_SESSION, 1, "two");
	put(j, PF_JOURNAL_STATE, -1, "6+6");
	CU_ASSERT_EQUAL(pf_journal_bytes(j), 108);
	(void)pf_journal_close(j);
}

static void change(const struct file *f, off_t at, const void *data, size_t n)
{
	gv_auto_fd int fd = open(f->path, O_WRONLY | O_CLOEXEC);

	CU_ASSERT_EQUAL(pwrite(fd, data, n, at), (ssize_t)n);
}

static void the_last_record_of_a_kind_and_vf_counts(void)
{
	struct pf_journal *j;
	struct file f;

	file_up(&f);
	three(&f);
	j = open_as(&f, PF_JOURNAL_WHOLE);
	CU_ASSERT_TRUE(has(j, PF_JOURNAL_SESSION, 0, "one"));
	put(j, PF_JOURNAL_SESSION, 0, "uno");
	put(j, PF_JOURNAL_SESSION, 0, "uno"); /* is known */
	CU_ASSERT_EQUAL(pf_journal_generation(j), 4);
	(void)pf_journal_close(j);
	j = open_as(&f, PF_JOURNAL_WHOLE);
	CU_ASSERT_TRUE(has(j, PF_JOURNAL_SESSION, 0, "uno"));
	CU_ASSERT_TRUE(has(j, PF_JOURNAL_SESSION, 1, "two"));
	CU_ASSERT_TRUE(has(j, PF_JOURNAL_SESSION, 2, NULL));
	CU_ASSERT_TRUE(has(j, PF_JOURNAL_STATE, -1, "6+6"));
	(void)pf_journal_close(j);
	file_down(&f);
}

/* Killed in a write: wherever it was cut, what was whole is read, and writing goes on. */
static void a_tail_torn_at_any_byte_is_cut(void)
{
	for (off_t length = 0; length <= 108; length++) {
		struct pf_journal *j;
		struct file f;

		file_up(&f);
		three(&f);
		CU_ASSERT_EQUAL(truncate(f.path, length), 0);
		j = open_as(&f, !length            ? PF_JOURNAL_NEW
		                : length % 36 == 0 ? PF_JOURNAL_WHOLE
		                                   : PF_JOURNAL_TORN);
		CU_ASSERT_TRUE(has(j, PF_JOURNAL_SESSION, 0, length >= 36 ? "one" : NULL));
		CU_ASSERT_TRUE(has(j, PF_JOURNAL_SESSION, 1, length >= 72 ? "two" : NULL));
		CU_ASSERT_TRUE(has(j, PF_JOURNAL_STATE, -1, length >= 108 ? "6+6" : NULL));
		put(j, PF_JOURNAL_POOL, 3, "new");
		(void)pf_journal_close(j);
		j = open_as(&f, PF_JOURNAL_WHOLE);
		CU_ASSERT_TRUE(has(j, PF_JOURNAL_POOL, 3, "new"));
		(void)pf_journal_close(j);
		file_down(&f);
	}
}

static void refused_at(off_t at, uint8_t value, enum pf_journal_found want)
{
	struct pf_journal *j;
	char path[160];
	struct file f;

	file_up(&f);
	three(&f);
	change(&f, at, &value, 1);
	j = open_as(&f, want);
	for (int vf = -1; vf < 3; vf++)
		CU_ASSERT_TRUE(has(j, PF_JOURNAL_SESSION, vf, NULL));
	CU_ASSERT_EQUAL(pf_journal_bytes(j), 0);
	put(j, PF_JOURNAL_SESSION, 0, "new");
	(void)pf_journal_close(j);
	snprintf(path, sizeof(path), "%s.refused", f.path);
	CU_ASSERT_EQUAL(access(path, F_OK), 0);
	j = open_as(&f, PF_JOURNAL_WHOLE);
	(void)pf_journal_close(j);
	file_down(&f);
}

/* Of the first two records: what is behind them proves that it is no torn tail. */
static void damage_before_the_end_is_refused(void)
{
	for (off_t at = 0; at < 72; at++)
		refused_at(at, 0xa5, PF_JOURNAL_BAD);
}

static void damage_of_the_last_record_is_a_torn_tail(void)
{
	struct pf_journal *j;
	struct file f;

	file_up(&f);
	three(&f);
	change(&f, 106, "x", 1);
	j = open_as(&f, PF_JOURNAL_TORN);
	CU_ASSERT_TRUE(has(j, PF_JOURNAL_SESSION, 1, "two"));
	CU_ASSERT_TRUE(has(j, PF_JOURNAL_STATE, -1, NULL));
	(void)pf_journal_close(j);
	file_down(&f);
}

/* A whole record in place of the second one. */
static void forge(const struct file *f, struct pf_journal_head head)
{
	uint8_t record[36];

	head.magic = PF_JOURNAL_MAGIC;
	head.bytes = 4;
	memcpy(record, &head, 32);
	memcpy(record + 32, "two", 4);
	head.crc = gv_crc32(0, record, 36);
	memcpy(record, &head, 32);
	change(f, 36, record, sizeof(record));
}

static void a_newer_version_a_gap_and_an_unknown_kind_are_refused(void)
{
	static const struct {
		struct pf_journal_head head;
		enum pf_journal_found want;
	} cases[] = {
	        {{.version = 2, .kind = 2, .vf = 1, .generation = 2}, PF_JOURNAL_NEWER},
	        {{.version = 1, .kind = 2, .vf = 1, .generation = 3}, PF_JOURNAL_BAD},
	        {{.version = 1, .kind = 2, .vf = 1, .generation = 1}, PF_JOURNAL_BAD},
	        {{.version = 1, .kind = 99, .vf = 1, .generation = 2}, PF_JOURNAL_BAD},
	        {{.version = 1, .kind = 0, .vf = 1, .generation = 2}, PF_JOURNAL_BAD},
	        {{.version = 1, .kind = 2, .vf = 32, .generation = 2}, PF_JOURNAL_BAD},
	        {{.version = 1, .kind = 2, .vf = -2, .generation = 2}, PF_JOURNAL_BAD},
	        {{.version = 1, .kind = 2, .vf = 1, .generation = 2}, PF_JOURNAL_WHOLE},
	};

	for (size_t i = 0; i < GV_ARRAY_LEN(cases); i++) {
		struct pf_journal *j;
		struct file f;

		file_up(&f);
		three(&f);
		forge(&f, cases[i].head);
		j = open_as(&f, cases[i].want);
		CU_ASSERT_EQUAL(pf_journal_bytes(j), cases[i].want == PF_JOURNAL_WHOLE ? 108 : 0);
		(void)pf_journal_close(j);
		file_down(&f);
	}
}

static void it_does_not_grow_for_ever(void)
{
	struct pf_journal *j;
	char text[64];
	struct file f;

	file_up(&f);
	j = open_as(&f, PF_JOURNAL_NEW);
	put(j, PF_JOURNAL_POOL, 7, "keep me");
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text), "session %u", i);
		put(j, PF_JOURNAL_SESSION, (int)(i % 4), text);
		CU_ASSERT_TRUE_FATAL(pf_journal_bytes(j) < 300 * GV_KIB);
	}
	(void)pf_journal_close(j);
	j = open_as(&f, PF_JOURNAL_WHOLE);
	CU_ASSERT_TRUE(has(j, PF_JOURNAL_SESSION, 3, "session 19999"));
	CU_ASSERT_TRUE(has(j, PF_JOURNAL_SESSION, 0, "session 19996"));
	CU_ASSERT_TRUE(has(j, PF_JOURNAL_POOL, 7, "keep me"));
	CU_ASSERT_EQUAL(pf_journal_drop(j, PF_JOURNAL_SESSION), 0);
	(void)pf_journal_close(j);
	j = open_as(&f, PF_JOURNAL_WHOLE);
	CU_ASSERT_TRUE(has(j, PF_JOURNAL_SESSION, 3, NULL));
	CU_ASSERT_TRUE(has(j, PF_JOURNAL_POOL, 7, "keep me"));
	(void)pf_journal_remove(j);
	file_down(&f);
}

static void two_daemons_do_not_share_it(void)
{
	enum pf_journal_found found;
	struct pf_journal *j, *second = NULL;
	struct gv_err why = {0};
	struct file f;

	file_up(&f);
	j = open_as(&f, PF_JOURNAL_NEW);
	CU_ASSERT_EQUAL(pf_journal_open(f.path, &second, &found, &why), -EBUSY);
	CU_ASSERT_PTR_NULL(second);
	(void)pf_journal_close(j);
	j = open_as(&f, PF_JOURNAL_NEW);
	CU_ASSERT_EQUAL(pf_journal_put(j, PF_JOURNAL_KINDS, 0, "", 1), -EINVAL);
	CU_ASSERT_EQUAL(pf_journal_put(j, PF_JOURNAL_POOL, 32, "", 1), -EINVAL);
	CU_ASSERT_EQUAL(pf_journal_put(j, PF_JOURNAL_POOL, 0, "", PF_JOURNAL_MAX_BYTES + 1),
	                -EINVAL);
	(void)pf_journal_remove(j);
	file_down(&f);
}

UT_MAIN("pf-driver/journal", UT(the_last_record_of_a_kind_and_vf_counts),
        UT(a_tail_torn_at_any_byte_is_cut), UT(damage_before_the_end_is_refused),
        UT(damage_of_the_last_record_is_a_torn_tail),
        UT(a_newer_version_a_gap_and_an_unknown_kind_are_refused), UT(it_does_not_grow_for_ever),
        UT(two_daemons_do_not_share_it))
