/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guard's rules, without a GPU. */
#include <string.h>

#include "guard.h"
#include "ut.h"

#define K      GV_CFG_GUARD_FAULTS
#define WINDOW (1000 * GV_MS)

static struct gv_cfg_guard rules[GV_CFG_GUARDS];

static const struct gv_cfg_guard *rule(enum gv_cfg_guard_policy policy)
{
	for (unsigned k = 0; k < GV_CFG_GUARDS; k++)
		rules[k] = (struct gv_cfg_guard){10, 1000, policy};
	return &rules[K];
}

/* Count @n, and act if that is too many. */
static enum gv_cfg_guard_policy step(struct pf_guard *g, uint32_t n, uint64_t now)
{
	return pf_guard_count(g, &rules[K], K, n, now) ? pf_guard_hit(g, &rules[K], K, now)
	                                               : GV_CFG_GUARD_IGNORE;
}

static void the_limit_itself_is_allowed_in_any_window(void)
{
	struct pf_guard g = {.state = GV_PF_GUARD_NORMAL};
	uint64_t now = 5 * GV_S;

	rule(GV_CFG_GUARD_THROTTLE);
	for (unsigned i = 0; i < 200; i++, now += WINDOW / 9) /* nine, or ten at the edge */
		CU_ASSERT_EQUAL(step(&g, 1, now), GV_CFG_GUARD_IGNORE);
	CU_ASSERT_EQUAL(g.one[K].hits, 0);
	CU_ASSERT_EQUAL(g.one[K].total, 200);
	memset(&g, 0, sizeof(g));
	CU_ASSERT_EQUAL(step(&g, 10, now), GV_CFG_GUARD_IGNORE);
	CU_ASSERT_EQUAL(pf_guard_in_window(&g, &rules[K], K, now), 10);
	CU_ASSERT_EQUAL(step(&g, 0, now), GV_CFG_GUARD_IGNORE);
	CU_ASSERT_EQUAL(step(&g, 1, now + WINDOW / 2), GV_CFG_GUARD_THROTTLE);
	CU_ASSERT_EQUAL(pf_guard_in_window(&g, &rules[K], K, now + 2 * WINDOW), 0);
}

static void a_step_is_taken_once_until_it_is_calm(void)
{
	struct pf_guard g = {.state = GV_PF_GUARD_NORMAL};
	uint64_t now = GV_S;

	rule(GV_CFG_GUARD_PAUSE);
	CU_ASSERT_EQUAL(step(&g, 11, now), GV_CFG_GUARD_PAUSE);
	CU_ASSERT_EQUAL(g.state, GV_PF_GUARD_PAUSED);
	CU_ASSERT_EQUAL(step(&g, 5, now + GV_MS), GV_CFG_GUARD_IGNORE);
	CU_ASSERT_EQUAL(g.one[K].hits, 2);
	now += GV_MS;
	CU_ASSERT_EQUAL(pf_guard_next(&g, rules), now + WINDOW);
	CU_ASSERT_FALSE(pf_guard_calm(&g, rules, now + WINDOW - 1));
	CU_ASSERT_EQUAL(g.state, GV_PF_GUARD_PAUSED);
	CU_ASSERT_TRUE(pf_guard_calm(&g, rules, now + WINDOW));
	CU_ASSERT_EQUAL(g.state, GV_PF_GUARD_NORMAL);
	CU_ASSERT_EQUAL(pf_guard_next(&g, rules), UINT64_MAX);
	CU_ASSERT_EQUAL(step(&g, 11, now + 2 * WINDOW), GV_CFG_GUARD_PAUSE);
}

static void what_is_throttled_goes_on_when_there_is_room(void)
{
	struct pf_guard g = {.state = GV_PF_GUARD_NORMAL};
	uint64_t now = 7 * GV_S;

	rule(GV_CFG_GUARD_THROTTLE);
	CU_ASSERT_EQUAL(step(&g, 6, now), GV_CFG_GUARD_IGNORE);
	CU_ASSERT_EQUAL(step(&g, 5, now + WINDOW * 3 / 4), GV_CFG_GUARD_THROTTLE);
	now += WINDOW * 3 / 4;
	CU_ASSERT_FALSE(pf_guard_calm(&g, rules, now + WINDOW / 8)); /* the six still count */
	CU_ASSERT_TRUE(pf_guard_calm(&g, rules, now + WINDOW * 3 / 8));
	CU_ASSERT_EQUAL(g.state, GV_PF_GUARD_NORMAL);
}

static void a_reset_comes_once_in_a_window_however_often_it_is_too_much(void)
{
	struct pf_guard g = {.state = GV_PF_GUARD_NORMAL};
	uint64_t now = GV_S;
	unsigned resets = 0;

	rule(GV_CFG_GUARD_FLR);
	for (unsigned i = 0; i < 40; i++, now += WINDOW / 10)
		resets += step(&g, 100, now) == GV_CFG_GUARD_FLR;
	CU_ASSERT_EQUAL(resets, 4);
	CU_ASSERT_EQUAL(g.state, GV_PF_GUARD_NORMAL);
}

static void quarantine_is_for_good(void)
{
	struct pf_guard g = {.state = GV_PF_GUARD_NORMAL};

	rule(GV_CFG_GUARD_QUARANTINE);
	CU_ASSERT_EQUAL(step(&g, 11, GV_S), GV_CFG_GUARD_QUARANTINE);
	CU_ASSERT_EQUAL(g.state, GV_PF_GUARD_QUARANTINED);
	CU_ASSERT_EQUAL(step(&g, 11, 2 * GV_S), GV_CFG_GUARD_IGNORE);
	CU_ASSERT_FALSE(pf_guard_calm(&g, rules, 9999 * GV_S));
	CU_ASSERT_EQUAL(g.state, GV_PF_GUARD_QUARANTINED);
}

static void what_is_ignored_is_counted(void)
{
	struct pf_guard g = {.state = GV_PF_GUARD_NORMAL};

	rule(GV_CFG_GUARD_IGNORE);
	CU_ASSERT_EQUAL(step(&g, 1000, GV_S), GV_CFG_GUARD_IGNORE);
	CU_ASSERT_EQUAL(g.one[K].hits, 1);
	CU_ASSERT_FALSE(g.one[K].over);
	CU_ASSERT_EQUAL(g.state, GV_PF_GUARD_NORMAL);
}

/* The worst of them, and when that is calm the next worst. */
static void the_state_is_that_of_the_worst_kind(void)
{
	struct pf_guard g = {.state = GV_PF_GUARD_NORMAL};

	rule(GV_CFG_GUARD_THROTTLE);
	rules[GV_CFG_GUARD_INTERRUPTS].policy = GV_CFG_GUARD_PAUSE;
	(void)pf_guard_hit(&g, &rules[GV_CFG_GUARD_INTERRUPTS], GV_CFG_GUARD_INTERRUPTS, GV_S);
	(void)pf_guard_hit(&g, &rules[GV_CFG_GUARD_MESSAGES], GV_CFG_GUARD_MESSAGES,
	                   GV_S + WINDOW / 2);
	CU_ASSERT_EQUAL(g.state, GV_PF_GUARD_PAUSED);
	CU_ASSERT_TRUE(pf_guard_calm(&g, rules, GV_S + WINDOW));
	CU_ASSERT_EQUAL(g.state, GV_PF_GUARD_THROTTLED);
	CU_ASSERT_TRUE(pf_guard_calm(&g, rules, GV_S + WINDOW * 3 / 2));
	CU_ASSERT_EQUAL(g.state, GV_PF_GUARD_NORMAL);
}

static void huge_numbers_do_not_wrap(void)
{
	struct pf_guard g = {.state = GV_PF_GUARD_NORMAL};

	rule(GV_CFG_GUARD_IGNORE);
	for (unsigned i = 0; i < 40; i++)
		(void)step(&g, UINT32_MAX, GV_S + i * WINDOW / 40);
	CU_ASSERT_EQUAL(pf_guard_in_window(&g, &rules[K], K, GV_S + WINDOW), UINT32_MAX);
	CU_ASSERT_EQUAL(g.one[K].hits, 40);
}

UT_MAIN("pf-driver/guard", UT(the_limit_itself_is_allowed_in_any_window),
        UT(a_step_is_taken_once_until_it_is_calm), UT(what_is_throttled_goes_on_when_there_is_room),
        UT(a_reset_comes_once_in_a_window_however_often_it_is_too_much), UT(quarantine_is_for_good),
        UT(what_is_ignored_is_counted), UT(the_state_is_that_of_the_worst_kind),
        UT(huge_numbers_do_not_wrap))
