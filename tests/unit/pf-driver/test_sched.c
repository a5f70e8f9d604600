/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rounds, credits, weights and idle VFs, on a clock of our own. */
#include <string.h>

#include "sched_rounds.h"
#include "ut.h"

#define SWITCH_NS (50 * GV_US) /* what taking the engines away and giving them costs here */

struct sim {
	struct sched s;
	uint64_t now_ns;
	uint32_t busy;
	uint64_t late_ns[SCHED_MAX_VFS]; /* how long it takes until the VF lets go */
	unsigned switches;
	int order[64]; /* who had a slice by a switch */
};

static void up(struct sim *m, enum gv_cfg_sched policy, unsigned vfs)
{
	memset(m, 0, sizeof(*m));
	m->now_ns = GV_S;
	sched_init(&m->s, policy);
	for (unsigned i = 0; i < vfs; i++) {
		sched_join(&m->s, i, true);
		m->busy |= 1u << i;
	}
}

static void change(struct sim *m, int next)
{
	if (m->s.running >= 0) {
		m->now_ns += m->late_ns[m->s.running];
		sched_stopped(&m->s, false, m->now_ns);
	}
	if (next < 0)
		return;
	m->now_ns += SWITCH_NS;
	m->order[m->switches++ % 64] = next;
	sched_began(&m->s, (unsigned)next, m->now_ns);
}

/* Does what the manager does, for @ms. */
static void run(struct sim *m, unsigned ms)
{
	uint64_t end = m->now_ns + ms * GV_MS, again;

	while (m->now_ns < end) {
		int next;

		sched_seen(&m->s, m->busy, m->now_ns);
		next = sched_next(&m->s, m->now_ns, &again);
		if (next != m->s.running)
			change(m, next);
		else
			m->now_ns = GV_MIN(GV_MAX(again, m->now_ns), end);
	}
	sched_seen(&m->s, m->busy, m->now_ns);
}

static double part(const struct sim *m, unsigned vf)
{
	uint64_t all = 0;

	for (unsigned i = 0; i < SCHED_MAX_VFS; i++)
		all += m->s.vf[i].ran_ns;
	return (double)m->s.vf[vf].ran_ns / (double)all;
}

static bool near(double is, double should, double by)
{
	return is > should * (1 - by) && is < should * (1 + by);
}

static void four_equal_ones_get_a_quarter_each(void)
{
	static const enum gv_cfg_sched all[] = {GV_CFG_SCHED_FAIR, GV_CFG_SCHED_FIXED,
	                                        GV_CFG_SCHED_BEST_EFFORT};

	for (size_t p = 0; p < GV_ARRAY_LEN(all); p++) {
		struct sim m;

		up(&m, all[p], 4);
		run(&m, 10000);
		for (unsigned i = 0; i < 4; i++)
			CU_ASSERT(near(part(&m, i), 0.25, 0.005));
		CU_ASSERT(near(m.switches, 10000 / 6.05, 0.01));
		CU_ASSERT(near((double)m.s.vf[0].ran_ns, (double)m.s.vf[0].busy_ns, 0.001));
	}
}

static void weights_and_quanta_are_shares(void)
{
	struct sim m;

	up(&m, GV_CFG_SCHED_FAIR, 3);
	sched_set(&m.s, 0, 6 * GV_MS, 3, 0);
	sched_set(&m.s, 1, 6 * GV_MS, 1, 0);
	sched_set(&m.s, 2, 12 * GV_MS, 1, 0);
	run(&m, 10000);
	CU_ASSERT(near(part(&m, 0), 3 / 6., 0.01));
	CU_ASSERT(near(part(&m, 1), 1 / 6., 0.01));
	CU_ASSERT(near(part(&m, 2), 2 / 6., 0.01));
}

static void who_lets_go_late_pays_it_back_under_fair_only(void)
{
	struct sim m;

	for (unsigned late_ms = 1; late_ms < 40; late_ms += 7) {
		up(&m, GV_CFG_SCHED_FAIR, 3);
		m.late_ns[1] = late_ms * GV_MS;
		run(&m, 20000);
		CU_ASSERT(near(part(&m, 1), 1 / 3., 0.02));
		CU_ASSERT(m.s.vf[1].overruns > 0);
		CU_ASSERT_EQUAL(m.s.vf[0].overruns, 0);
	}
	up(&m, GV_CFG_SCHED_BEST_EFFORT, 3);
	m.late_ns[1] = 12 * GV_MS;
	run(&m, 10000);
	CU_ASSERT(near(part(&m, 1), 18 / 30., 0.02));
}

static void a_debt_has_a_limit(void)
{
	struct sim m;

	up(&m, GV_CFG_SCHED_FAIR, 2);
	run(&m, 100);
	m.late_ns[0] = 5 * GV_S;
	run(&m, 20);
	m.late_ns[0] = 0;
	CU_ASSERT(m.s.vf[0].credit_ns >= -(int64_t)SCHED_MAX_DEBT_NS);
	m.s.vf[0].ran_ns = m.s.vf[1].ran_ns = 0;
	run(&m, 1000);
	CU_ASSERT(near((double)m.s.vf[0].ran_ns, 400e6, 0.05)); /* (1000 - 200) / 2 */
}

static void an_idle_ones_time_goes_to_the_others_but_not_under_fixed(void)
{
	struct sim m;

	up(&m, GV_CFG_SCHED_BEST_EFFORT, 3);
	m.busy = 3;
	run(&m, 3000);
	CU_ASSERT(near((double)m.s.vf[0].ran_ns, 1.5e9, 0.02));
	CU_ASSERT(near((double)m.s.vf[1].ran_ns, 1.5e9, 0.02));
	CU_ASSERT_EQUAL(m.s.vf[2].slices, 0);
	up(&m, GV_CFG_SCHED_FIXED, 3);
	m.busy = 3;
	run(&m, 3000);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT(near((double)m.s.vf[i].ran_ns, 1e9, 0.02));
	CU_ASSERT_EQUAL(m.s.vf[2].busy_ns, 0);
}

static void who_runs_out_of_work_ends_its_slice(void)
{
	struct sim m;
	uint64_t had;

	up(&m, GV_CFG_SCHED_FAIR, 2);
	run(&m, 1);
	CU_ASSERT_EQUAL_FATAL(m.s.running, 0);
	m.busy = 2;
	run(&m, 1);
	CU_ASSERT_EQUAL(m.s.running, 1);
	CU_ASSERT_EQUAL(m.s.vf[0].given_up, 1);
	CU_ASSERT(m.s.vf[0].ran_ns < 2 * GV_MS);
	m.busy = 3; /* idle time is not saved up: it gets no more than the other from here on */
	had = m.s.vf[0].ran_ns;
	run(&m, 2000);
	CU_ASSERT(near((double)(m.s.vf[0].ran_ns - had), 1e9, 0.02));
}

static void a_short_gap_does_not_end_a_slice(void)
{
	struct sim m;
	uint64_t end;

	up(&m, GV_CFG_SCHED_FAIR, 2);
	run(&m, 1);
	end = m.now_ns + 4 * GV_MS;
	while (m.now_ns < end) { /* waits for each of its kernels */
		m.busy = m.busy == 2 ? 3 : 2;
		sched_seen(&m.s, m.busy, m.now_ns);
		CU_ASSERT_EQUAL(sched_next(&m.s, m.now_ns, &(uint64_t){0}), 0);
		m.now_ns += 200 * GV_US;
	}
}

static void who_is_alone_is_not_switched(void)
{
	static const enum gv_cfg_sched all[] = {GV_CFG_SCHED_FAIR, GV_CFG_SCHED_FIXED,
	                                        GV_CFG_SCHED_BEST_EFFORT};

	for (size_t p = 0; p < GV_ARRAY_LEN(all); p++) {
		struct sim m;

		up(&m, all[p], 1);
		run(&m, 1000);
		CU_ASSERT_EQUAL(m.switches, 1);
		CU_ASSERT_EQUAL(m.s.vf[0].overruns, 0);
	}
}

static void who_is_late_while_nobody_waits_owes_nothing(void)
{
	struct sim m;
	uint64_t again;

	up(&m, GV_CFG_SCHED_FAIR, 2);
	m.busy = 1;
	run(&m, 1);
	m.now_ns += 50 * GV_MS; /* it was us who did not look */
	CU_ASSERT_EQUAL(sched_next(&m.s, m.now_ns, &again), 0);
	CU_ASSERT_EQUAL(m.s.vf[0].credit_ns, 0);
	CU_ASSERT_EQUAL(m.s.vf[0].overruns, 0);
	CU_ASSERT_EQUAL(m.s.vf[0].slices, 2);
	m.busy = 3;
	sched_seen(&m.s, m.busy, m.now_ns);
	m.now_ns += 50 * GV_MS;
	CU_ASSERT_EQUAL(sched_next(&m.s, m.now_ns, &again), 1);
	change(&m, 1);
	CU_ASSERT(near((double)-m.s.vf[0].credit_ns, 44e6, 0.05));
	CU_ASSERT_EQUAL(m.s.vf[0].overruns, 1);
}

static void nothing_is_switched_while_nobody_has_work(void)
{
	struct sim m;
	uint64_t again;

	up(&m, GV_CFG_SCHED_FIXED, 4);
	run(&m, 100);
	m.busy = 0;
	m.switches = 0;
	run(&m, 10); /* who waits for each of its kernels looks idle, too */
	CU_ASSERT(m.switches > 0);
	run(&m, 20);
	m.switches = 0;
	run(&m, 1000);
	CU_ASSERT_EQUAL(m.switches, 0);
	CU_ASSERT_EQUAL(sched_next(&m.s, m.now_ns, &again), m.s.running);
	CU_ASSERT_EQUAL(again, UINT64_MAX);
	m.busy = 1u << ((m.s.running + 1) % 4); /* comes at once, and nobody is to blame */
	run(&m, 1);
	CU_ASSERT(m.switches > 0);
	for (unsigned i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(m.s.vf[i].overruns, 0);
		CU_ASSERT_EQUAL(m.s.vf[i].credit_ns, 0);
	}
}

static void higher_priority_goes_first_and_gets_no_more(void)
{
	struct sim m;

	up(&m, GV_CFG_SCHED_FAIR, 3);
	sched_set(&m.s, 2, 6 * GV_MS, 2, 7);
	run(&m, 1);
	CU_ASSERT_EQUAL(m.order[0], 2);
	run(&m, 10000);
	CU_ASSERT(near(part(&m, 2), 0.5, 0.01));
	m.busy = 3;
	run(&m, 30);
	CU_ASSERT_NOT_EQUAL(m.s.running, 2);
	m.busy = 7; /* wakes: the next slice is its */
	m.switches = 0;
	run(&m, 8);
	CU_ASSERT_EQUAL(m.order[0], 2);
}

static void changes_count_within_one_round(void)
{
	struct sim m;
	uint64_t round;

	up(&m, GV_CFG_SCHED_FAIR, 2);
	sched_set(&m.s, 0, 6 * GV_MS, 100, 0);
	run(&m, 700);
	sched_set(&m.s, 0, 2 * GV_MS, 1, 0);
	round = m.s.rounds;
	run(&m, 20);
	CU_ASSERT(m.s.rounds >= round + 1);
	m.s.vf[0].ran_ns = m.s.vf[1].ran_ns = 0;
	run(&m, 2000);
	CU_ASSERT(near(part(&m, 0), 0.25, 0.02));
}

static void who_is_held_or_leaves_loses_the_engines_at_once(void)
{
	struct sim m;
	uint64_t again;

	up(&m, GV_CFG_SCHED_FAIR, 2);
	run(&m, 1);
	m.s.vf[0].held = true;
	CU_ASSERT_EQUAL(sched_next(&m.s, m.now_ns, &again), 1);
	run(&m, 100);
	CU_ASSERT(m.s.vf[0].ran_ns < 2 * GV_MS);
	sched_join(&m.s, 1, false);
	CU_ASSERT_EQUAL(sched_next(&m.s, m.now_ns, &again), -1);
	run(&m, 1);
	CU_ASSERT_EQUAL(m.s.running, -1);
	m.s.vf[0].held = false;
	run(&m, 100);
	CU_ASSERT_EQUAL(m.s.running, 0);
}

static void who_was_cut_short_gets_the_rest_later(void)
{
	struct sim m;

	up(&m, GV_CFG_SCHED_FAIR, 2);
	run(&m, 2); /* VF0, 2 of its 6 ms */
	sched_stopped(&m.s, true, m.now_ns);
	CU_ASSERT(near((double)m.s.vf[0].credit_ns, 4e6, 0.1));
	CU_ASSERT_EQUAL(m.s.vf[0].given_up, 0);
	run(&m, 1000);
	CU_ASSERT(m.s.vf[0].ran_ns + 7 * GV_MS > m.s.vf[1].ran_ns);
}

static void nobody_starves_whatever_is_set(void)
{
	uint64_t x = 0x9e3779b97f4a7c15ull;

	for (unsigned n = 0; n < 200; n++) {
		struct sim m;
		unsigned vfs = 2 + n % 15;

		up(&m, n % 2 ? GV_CFG_SCHED_FAIR : GV_CFG_SCHED_FIXED, vfs);
		for (unsigned i = 0; i < vfs; i++) {
			x = x * 6364136223846793005ull + 1442695040888963407ull;
			sched_set(&m.s, i, (1 + (x >> 40 & 15)) * GV_MS, 1 + (x >> 50 & 7),
			          (uint32_t)(x >> 60));
			m.late_ns[i] = x >> 30 & 1 ? (x >> 44 & 63) * GV_MS : 0;
		}
		run(&m, 20000);
		for (unsigned i = 0; i < vfs; i++)
			CU_ASSERT(m.s.vf[i].slices >= 2);
	}
}

UT_MAIN("sched", UT(four_equal_ones_get_a_quarter_each), UT(weights_and_quanta_are_shares),
        UT(who_lets_go_late_pays_it_back_under_fair_only), UT(a_debt_has_a_limit),
        UT(an_idle_ones_time_goes_to_the_others_but_not_under_fixed),
        UT(who_runs_out_of_work_ends_its_slice), UT(a_short_gap_does_not_end_a_slice),
        UT(who_is_alone_is_not_switched), UT(who_is_late_while_nobody_waits_owes_nothing),
        UT(nothing_is_switched_while_nobody_has_work),
        UT(higher_priority_goes_first_and_gets_no_more), UT(changes_count_within_one_round),
        UT(who_is_held_or_leaves_loses_the_engines_at_once),
        UT(who_was_cut_short_gets_the_rest_later), UT(nobody_starves_whatever_is_set))
