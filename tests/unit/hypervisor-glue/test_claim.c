/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <gv/binding.h>

#include "tree.h"

static const struct gv_glue_bdf vf = {0, 3, 2, 1};
static char dir[80];

static void make(void)
{
	strcpy(tree, "/tmp/gv-claims-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(tree));
	(void)snprintf(dir, sizeof(dir), "%s/run/claims", tree);
}

static void a_vf_has_one_owner(void)
{
	char owner[GV_GLUE_OWNER_TEXT];
	struct gv_err err;

	make();
	CU_ASSERT_EQUAL(gv_glue_claim_read(dir, &vf, owner, &err), -ENOENT);
	CU_ASSERT_EQUAL_FATAL(gv_glue_claim_take(dir, &vf, "domain a", &err), 0);
	CU_ASSERT_EQUAL(gv_glue_claim_take(dir, &vf, "domain a", &err), 0);
	CU_ASSERT_EQUAL(gv_glue_claim_take(dir, &vf, "domain b", &err), -EBUSY);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "domain a"));
	CU_ASSERT_EQUAL(gv_glue_claim_read(dir, &vf, owner, &err), 0);
	CU_ASSERT_STRING_EQUAL(owner, "domain a");
	CU_ASSERT_EQUAL(gv_glue_claim_drop(dir, &vf, "domain b", &err), -EPERM);
	CU_ASSERT_EQUAL(gv_glue_claim_drop(dir, &vf, "domain a", &err), 0);
	CU_ASSERT_EQUAL(gv_glue_claim_drop(dir, &vf, "domain a", &err), -ENOENT);
	CU_ASSERT_EQUAL(gv_glue_claim_take(dir, &vf, "domain b", &err), 0);
	CU_ASSERT_EQUAL(gv_glue_claim_drop(dir, &vf, NULL, &err), 0);
	tree_done();
}

static void owners_are_printable_and_short(void)
{
	char longest[GV_GLUE_OWNER_TEXT], owner[GV_GLUE_OWNER_TEXT], longer[GV_GLUE_OWNER_TEXT + 1];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	make();
	CU_ASSERT_EQUAL(gv_glue_claim_take(dir, &vf, "", NULL), -EINVAL);
	CU_ASSERT_EQUAL(gv_glue_claim_take(dir, &vf, "a\nb", NULL), -EINVAL);
	CU_ASSERT_EQUAL(gv_glue_claim_take(dir, &vf, longer, NULL), -EINVAL);
	CU_ASSERT_EQUAL(gv_glue_claim_take(dir, &vf, longest, NULL), 0);
	CU_ASSERT_EQUAL(gv_glue_claim_read(dir, &vf, owner, NULL), 0);
	CU_ASSERT_STRING_EQUAL(owner, longest);
	tree_done();
}

/* A file that is no claim belongs to nobody whom we could ask: only an administrator drops it. */
static void damaged(const char *text)
{
	char owner[GV_GLUE_OWNER_TEXT] = "before";
	struct gv_err err;

	make();
	tree_dir("run/claims");
	tree_file("run/claims/0000:03:02.1", text);
	CU_ASSERT_EQUAL(gv_glue_claim_read(dir, &vf, owner, &err), -EPROTO);
	CU_ASSERT_EQUAL(gv_glue_claim_take(dir, &vf, "a", &err), -EPROTO);
	CU_ASSERT_EQUAL(gv_glue_claim_drop(dir, &vf, "a", &err), -EPROTO);
	CU_ASSERT_STRING_EQUAL(owner, "before");
	CU_ASSERT_EQUAL(gv_glue_claim_drop(dir, &vf, NULL, &err), 0);
	tree_done();
}

static void damaged_claims_are_refused(void)
{
	char big[300];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	damaged("");
	damaged("\n");
	damaged("no line end");
	damaged("two\nlines\n");
	damaged(big);
}

static void a_link_is_not_followed(void)
{
	char owner[GV_GLUE_OWNER_TEXT];

	make();
	tree_dir("run/claims");
	tree_file("secret", "secret\n");
	tree_link("run/claims/0000:03:02.1", "../../secret");
	CU_ASSERT_EQUAL(gv_glue_claim_read(dir, &vf, owner, NULL), -EPROTO);
	tree_done();
}

static void a_directory_that_others_write_is_refused(void)
{
	char owner[GV_GLUE_OWNER_TEXT];
	struct gv_err err;

	make();
	CU_ASSERT_EQUAL(gv_glue_claim_take(dir, &vf, "a", &err), 0);
	CU_ASSERT_EQUAL(chmod(dir, 0777), 0);
	CU_ASSERT_EQUAL(gv_glue_claim_read(dir, &vf, owner, &err), -EPERM);
	CU_ASSERT_EQUAL(gv_glue_claim_take(dir, &vf, "a", &err), -EPERM);
	CU_ASSERT_EQUAL(gv_glue_claim_drop(dir, &vf, NULL, &err), -EPERM);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "0777"));
	CU_ASSERT_EQUAL(chmod(dir, 0755), 0);
	CU_ASSERT_EQUAL(gv_glue_claim_drop(dir, &vf, NULL, &err), 0);
	tree_done();
}

/* Whoever may list the directory could lock it; the daemon must not wait for him. */
static void who_only_looks_holds_nobody_up(void)
{
	uint64_t start = gv_now_ns();
	struct stat st;
	char lock[96];
	int fd;

	make();
	CU_ASSERT_EQUAL(gv_glue_claim_take(dir, &vf, "a", NULL), 0);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CU_ASSERT_FATAL(fd >= 0 && !flock(fd, LOCK_EX));
	CU_ASSERT_EQUAL(gv_glue_claim_drop(dir, &vf, "a", NULL), 0);
	CU_ASSERT(gv_now_ns() - start < 2 * GV_S);
	(void)close(fd);
	(void)snprintf(lock, sizeof(lock), "%s/.lock", dir);
	CU_ASSERT(!stat(lock, &st) && (st.st_mode & 07777) == 0600);
	tree_done();
}

#define ROUNDS  200
#define THREADS 4

struct racer {
	pthread_t thread;
	char name[8];
	unsigned won[ROUNDS];
};

static pthread_barrier_t barrier;

static void *race(void *arg)
{
	struct racer *r = arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct gv_glue_bdf at = {0, (uint8_t)i, 2, 1};

		(void)pthread_barrier_wait(&barrier);
		r->won[i] = !gv_glue_claim_take(dir, &at, r->name, NULL);
	}
	return NULL;
}

static void of_those_who_ask_at_once_one_wins(void)
{
	static struct racer r[THREADS];

	make();
	CU_ASSERT_EQUAL_FATAL(pthread_barrier_init(&barrier, NULL, THREADS), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		(void)snprintf(r[i].name, sizeof(r[i].name), "t%u", i);
		CU_ASSERT_EQUAL_FATAL(pthread_create(&r[i].thread, NULL, race, &r[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		(void)pthread_join(r[i].thread, NULL);
	for (unsigned n = 0; n < ROUNDS; n++) {
		unsigned winners = 0;

		for (unsigned i = 0; i < THREADS; i++)
			winners += r[i].won[n];
		CU_ASSERT_EQUAL(winners, 1);
	}
	(void)pthread_barrier_destroy(&barrier);
	tree_done();
}

UT_MAIN("claim", UT(a_vf_has_one_owner), UT(owners_are_printable_and_short),
        UT(damaged_claims_are_refused), UT(a_link_is_not_followed),
        UT(a_directory_that_others_write_is_refused), UT(who_only_looks_holds_nobody_up),
        UT(of_those_who_ask_at_once_one_wins))
