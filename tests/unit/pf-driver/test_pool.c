/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <gv/pf_pool.h>

#include "ut.h"

#define WEB    "domain:web1"
#define UUID_A "11111111-1111-4111-8111-111111111111"
#define UUID_B "22222222-2222-4222-8222-222222222222"

static enum gv_pool_state state(const struct gv_pool *p, unsigned vf)
{
	return gv_pool_state(p, vf, GV_MBOX_IDLE);
}

static int claim(struct gv_pool *p, unsigned vf, const char *owner)
{
	struct gv_err err = {0};
	bool fresh;

	return gv_pool_claim(p, vf, GV_MBOX_IDLE, owner, &fresh, &err);
}

static int release(struct gv_pool *p, unsigned vf, const char *owner, bool force)
{
	return gv_pool_release(p, vf, GV_MBOX_IDLE, owner, force, NULL);
}

static void a_vf_has_one_owner(void)
{
	struct gv_pool p = {.num_vfs = 2};
	struct gv_err err = {0};
	bool fresh = false;

	CU_ASSERT_EQUAL(gv_pool_claim(&p, 0, GV_MBOX_IDLE, WEB, &fresh, &err), 0);
	CU_ASSERT_TRUE(fresh);
	CU_ASSERT_EQUAL(gv_pool_claim(&p, 0, GV_MBOX_IDLE, WEB, &fresh, &err), 0);
	CU_ASSERT_FALSE(fresh);
	CU_ASSERT_EQUAL(gv_pool_claim(&p, 0, GV_MBOX_IDLE, "bob", &fresh, &err), -EBUSY);
	CU_ASSERT_STRING_EQUAL(err.text, "VF0 is claimed by domain:web1");
	CU_ASSERT_EQUAL(claim(&p, 1, "bob"), 0);
	CU_ASSERT_EQUAL(claim(&p, 2, "bob"), -ENODEV);
	CU_ASSERT_EQUAL(state(&p, 0), GV_POOL_CLAIMED);
}

static void owners_are_one_printable_line(void)
{
	struct gv_pool p = {.num_vfs = 1};
	char longest[GV_POOL_TEXT + 1];

	memset(longest, 'x', sizeof(longest));
	longest[GV_POOL_TEXT] = '\0';
	CU_ASSERT_EQUAL(claim(&p, 0, longest), -EINVAL);
	CU_ASSERT_EQUAL(claim(&p, 0, ""), -EINVAL);
	CU_ASSERT_EQUAL(claim(&p, 0, "a\nb"), -EINVAL);
	CU_ASSERT_EQUAL(claim(&p, 0, " a"), -EINVAL);
	CU_ASSERT_EQUAL(claim(&p, 0, "a\xc3\xa4"), -EINVAL);
	CU_ASSERT_EQUAL(state(&p, 0), GV_POOL_FREE);
	longest[GV_POOL_TEXT - 1] = '\0';
	CU_ASSERT_EQUAL(claim(&p, 0, longest), 0);
}

static void released_vfs_are_cleaned_before_they_are_free(void)
{
	struct gv_pool p = {.num_vfs = 1};

	CU_ASSERT_EQUAL(claim(&p, 0, "bob"), 0);
	CU_ASSERT_EQUAL(release(&p, 0, "eve", false), -EPERM);
	CU_ASSERT_EQUAL(release(&p, 0, "bob", false), 0);
	CU_ASSERT_EQUAL(state(&p, 0), GV_POOL_CLEANING);
	CU_ASSERT_EQUAL(claim(&p, 0, "bob"), -EBUSY);
	CU_ASSERT_EQUAL(release(&p, 0, "bob", false), -EBUSY);
	gv_pool_cleaned(&p, 0, true);
	CU_ASSERT_EQUAL(state(&p, 0), GV_POOL_FREE);
	CU_ASSERT_EQUAL(claim(&p, 0, "eve"), 0);
}

static void a_dirty_vf_is_handed_out_to_nobody(void)
{
	struct gv_pool p = {.num_vfs = 1};

	CU_ASSERT_EQUAL(claim(&p, 0, "bob"), 0);
	CU_ASSERT_EQUAL(release(&p, 0, NULL, false), 0);
	gv_pool_cleaned(&p, 0, false);
	CU_ASSERT_EQUAL(state(&p, 0), GV_POOL_DIRTY);
	CU_ASSERT_EQUAL(claim(&p, 0, "eve"), -EIO);
	CU_ASSERT_EQUAL(claim(&p, 0, "bob"), -EIO);
	CU_ASSERT_FALSE(gv_pool_used(&p, 0, "web1", UUID_A));
	CU_ASSERT_TRUE(gv_pool_left(&p, 0, UUID_A));
	gv_pool_cleaned(&p, 0, true);
	CU_ASSERT_NOT_EQUAL(state(&p, 0), GV_POOL_DIRTY);
	/* What the session says counts as well. */
	CU_ASSERT_EQUAL(gv_pool_state(&p, 0, GV_MBOX_FAILED), GV_POOL_DIRTY);
}

static void a_stopped_domain_keeps_its_claim_and_leaves_a_vf_to_clean(void)
{
	struct gv_pool p = {.num_vfs = 1};

	CU_ASSERT_EQUAL(claim(&p, 0, WEB), 0);
	CU_ASSERT_TRUE(gv_pool_used(&p, 0, "web1", UUID_A));
	CU_ASSERT_EQUAL(state(&p, 0), GV_POOL_IN_USE);
	CU_ASSERT_EQUAL(release(&p, 0, WEB, false), -EBUSY);
	CU_ASSERT_FALSE(gv_pool_left(&p, 0, UUID_B));
	CU_ASSERT_EQUAL(state(&p, 0), GV_POOL_IN_USE);
	CU_ASSERT_TRUE(gv_pool_left(&p, 0, UUID_A));
	CU_ASSERT_EQUAL(state(&p, 0), GV_POOL_CLEANING);
	gv_pool_cleaned(&p, 0, true);
	CU_ASSERT_EQUAL(state(&p, 0), GV_POOL_CLAIMED);
	CU_ASSERT_STRING_EQUAL(p.vf[0].owner, WEB);
}

static void a_stop_that_nobody_saw_start_is_cleaned_up_after(void)
{
	struct gv_pool p = {.num_vfs = 1};

	CU_ASSERT_TRUE(gv_pool_left(&p, 0, UUID_A));
	CU_ASSERT_EQUAL(state(&p, 0), GV_POOL_CLEANING);
}

static void late_news_of_a_vf_taken_by_force_disturb_nobody(void)
{
	struct gv_pool p = {.num_vfs = 1};

	(void)gv_pool_used(&p, 0, "web1", UUID_A);
	CU_ASSERT_EQUAL(release(&p, 0, WEB, true), 0);
	gv_pool_cleaned(&p, 0, true);
	CU_ASSERT_EQUAL(claim(&p, 0, "domain:web2"), 0);
	CU_ASSERT_FALSE(gv_pool_left(&p, 0, UUID_A));
	CU_ASSERT_EQUAL(state(&p, 0), GV_POOL_CLAIMED);
	(void)gv_pool_used(&p, 0, "web2", UUID_B);
	CU_ASSERT_TRUE(gv_pool_left(&p, 0, UUID_B));
}

static void a_vf_that_is_cleaned_anyway_can_be_released(void)
{
	struct gv_pool p = {.num_vfs = 1};

	(void)gv_pool_used(&p, 0, "web1", UUID_A);
	CU_ASSERT_TRUE(gv_pool_left(&p, 0, UUID_A));
	CU_ASSERT_EQUAL(release(&p, 0, NULL, true), 0);
	gv_pool_cleaned(&p, 0, true);
	CU_ASSERT_EQUAL(state(&p, 0), GV_POOL_FREE);
}

static void a_domain_without_claim_gets_one_and_a_foreign_claim_is_noticed(void)
{
	struct gv_pool p = {.num_vfs = 2};

	CU_ASSERT_TRUE(gv_pool_used(&p, 0, "web1", UUID_A));
	CU_ASSERT_STRING_EQUAL(p.vf[0].owner, WEB);
	CU_ASSERT_EQUAL(claim(&p, 1, "domain:" UUID_A), 0);
	CU_ASSERT_TRUE(gv_pool_used(&p, 1, "web1", UUID_A));
	CU_ASSERT_TRUE(gv_pool_left(&p, 1, UUID_A));
	gv_pool_cleaned(&p, 1, true);
	CU_ASSERT_FALSE(gv_pool_used(&p, 1, "web2", UUID_B));
	CU_ASSERT_STRING_EQUAL(p.vf[1].owner, "domain:" UUID_A);
}

static void after_a_new_connection_what_has_gone_is_cleaned(void)
{
	struct gv_pool p = {.num_vfs = 3};

	(void)gv_pool_used(&p, 0, "web1", UUID_A);
	(void)gv_pool_used(&p, 1, "web2", UUID_B);
	gv_pool_sync_begin(&p);
	(void)gv_pool_used(&p, 1, "web2", UUID_B);
	CU_ASSERT_EQUAL(gv_pool_sync_end(&p), 1);
	CU_ASSERT_EQUAL(state(&p, 0), GV_POOL_CLEANING);
	CU_ASSERT_EQUAL(state(&p, 1), GV_POOL_IN_USE);
	CU_ASSERT_EQUAL(state(&p, 2), GV_POOL_FREE);
}

static void only_a_domains_old_claim_is_forgotten(void)
{
	struct gv_pool p = {.num_vfs = 2};
	uint32_t number;

	CU_ASSERT_EQUAL(claim(&p, 0, "bob"), 0);
	CU_ASSERT_FALSE(gv_pool_forget(&p, 0, p.vf[0].claims));
	CU_ASSERT_EQUAL(claim(&p, 1, WEB), 0);
	number = p.vf[1].claims;
	CU_ASSERT_EQUAL(claim(&p, 1, WEB), 0); /* asked for again meanwhile */
	CU_ASSERT_FALSE(gv_pool_forget(&p, 1, number));
	number = p.vf[1].claims;
	(void)gv_pool_used(&p, 1, "web1", UUID_A);
	CU_ASSERT_FALSE(gv_pool_forget(&p, 1, number));
	(void)gv_pool_left(&p, 1, UUID_A);
	CU_ASSERT_TRUE(gv_pool_forget(&p, 1, number));
	CU_ASSERT_EQUAL(state(&p, 1), GV_POOL_CLEANING);
	CU_ASSERT_FALSE(gv_pool_forget(&p, 7, 0));
}

static void a_guest_that_no_domain_has_counts(void)
{
	struct gv_pool p = {.num_vfs = 1};
	struct gv_err err = {0};
	bool fresh;

	CU_ASSERT_EQUAL(gv_pool_claim(&p, 0, GV_MBOX_ACTIVE, "bob", &fresh, &err), -EBUSY);
	CU_ASSERT_EQUAL(gv_pool_claim(&p, 0, GV_MBOX_RESET, "bob", &fresh, &err), -EBUSY);
	CU_ASSERT_EQUAL(gv_pool_release(&p, 0, GV_MBOX_ACTIVE, NULL, false, &err), -EBUSY);
	CU_ASSERT_EQUAL(gv_pool_release(&p, 0, GV_MBOX_ACTIVE, NULL, true, &err), 0);
}

/* What the PF driver says of it counts, whoever asks. */
static void a_vf_that_is_not_clean_or_in_quarantine_is_given_to_nobody(void)
{
	struct gv_pool p = {.num_vfs = 2, .vf = {{.unscrubbed = true}, {.quarantined = true}}};

	CU_ASSERT_EQUAL(gv_pool_state(&p, 0, GV_MBOX_IDLE), GV_POOL_UNSCRUBBED);
	CU_ASSERT_EQUAL(gv_pool_state(&p, 1, GV_MBOX_OFF), GV_POOL_QUARANTINED);
	CU_ASSERT_EQUAL(claim(&p, 0, "bob"), -EUCLEAN);
	CU_ASSERT_EQUAL(claim(&p, 1, "bob"), -EPERM);
	CU_ASSERT_STRING_EQUAL(p.vf[0].owner, "");
	CU_ASSERT_FALSE(gv_pool_used(&p, 0, "web", UUID_A)); /* it is, all the same */
	CU_ASSERT_EQUAL(gv_pool_state(&p, 0, GV_MBOX_IDLE), GV_POOL_IN_USE);
	CU_ASSERT_TRUE(gv_pool_left(&p, 0, UUID_A));
	p.vf[0].unscrubbed = p.vf[1].quarantined = false;
	gv_pool_cleaned(&p, 0, true);
	CU_ASSERT_EQUAL(gv_pool_state(&p, 0, GV_MBOX_IDLE), GV_POOL_CLAIMED);
	CU_ASSERT_EQUAL(claim(&p, 1, "bob"), 0);
	p.vf[1].unscrubbed = true; /* its owner's own data */
	CU_ASSERT_EQUAL(claim(&p, 1, "bob"), 0);
	CU_ASSERT_EQUAL(gv_pool_state(&p, 1, GV_MBOX_IDLE), GV_POOL_CLAIMED);
}

/* libvirt's names may be long, or not ASCII: such a domain must know its own claim again. */
static void a_domain_whose_name_is_no_owner_owns_by_uuid(void)
{
	char longest[GV_POOL_TEXT];
	const char *const names[] = {longest, "web\xc3\xa4", "tab\there", "web "};

	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i < GV_ARRAY_LEN(names); i++) {
		struct gv_pool p = {.num_vfs = 1};

		CU_ASSERT_TRUE(gv_pool_used(&p, 0, names[i], UUID_A));
		CU_ASSERT_STRING_EQUAL(p.vf[0].owner, "domain:" UUID_A);
		CU_ASSERT_TRUE(gv_pool_owned_by(&p.vf[0], names[i], UUID_A));
		CU_ASSERT_EQUAL(claim(&p, 0, p.vf[0].owner), 0);
	}
}

UT_MAIN("pf-driver/pool", UT(a_domain_whose_name_is_no_owner_owns_by_uuid), UT(a_vf_has_one_owner),
        UT(owners_are_one_printable_line), UT(released_vfs_are_cleaned_before_they_are_free),
        UT(a_dirty_vf_is_handed_out_to_nobody),
        UT(a_stopped_domain_keeps_its_claim_and_leaves_a_vf_to_clean),
        UT(a_stop_that_nobody_saw_start_is_cleaned_up_after),
        UT(late_news_of_a_vf_taken_by_force_disturb_nobody),
        UT(a_vf_that_is_cleaned_anyway_can_be_released),
        UT(a_domain_without_claim_gets_one_and_a_foreign_claim_is_noticed),
        UT(after_a_new_connection_what_has_gone_is_cleaned),
        UT(only_a_domains_old_claim_is_forgotten),
        UT(a_vf_that_is_not_clean_or_in_quarantine_is_given_to_nobody),
        UT(a_guest_that_no_domain_has_counts))
