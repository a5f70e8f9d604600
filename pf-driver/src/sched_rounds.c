/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "sched_rounds.h"

#define NO_END UINT64_MAX /* a slice that goes on until somebody has work */

void sched_init(struct sched *s, enum gv_cfg_sched policy)
{
	memset(s, 0, sizeof(*s));
	s->policy = policy;
	s->running = -1;
	for (unsigned i = 0; i < SCHED_MAX_VFS; i++)
		sched_set(s, i, GV_CFG_QUANTUM_MS * GV_MS, GV_CFG_WEIGHT, 0);
}

void sched_set(struct sched *s, unsigned vf, uint64_t quantum_ns, uint32_t weight,
               uint32_t priority)
{
	struct sched_vf *v = &s->vf[vf];

	v->quantum_ns = quantum_ns;
	v->weight = weight;
	v->priority = priority;
	v->left = GV_MIN(v->left, weight);
}

void sched_join(struct sched *s, unsigned vf, bool member)
{
	struct sched_vf *v = &s->vf[vf];

	if (v->member == member)
		return;
	v->member = member;
	v->credit_ns = 0;
	v->left = member ? v->weight : 0;
}

/* ---- who wants the engines --------------------------------------------------- */

static bool entitled(const struct sched_vf *v)
{
	return v->member && !v->held && !v->waits;
}

static bool awake(const struct sched *s, const struct sched_vf *v)
{
	return entitled(v) && v->work_ns && s->seen_ns - v->work_ns < SCHED_AWAKE_NS;
}

bool sched_wanted(const struct sched *s, int but_vf)
{
	for (unsigned i = 0; i < SCHED_MAX_VFS; i++)
		if ((int)i != but_vf && awake(s, &s->vf[i]))
			return true;
	return false;
}

/* Would take them now, if it was its turn? */
static bool wants(const struct sched *s, unsigned vf)
{
	const struct sched_vf *v = &s->vf[vf];

	return entitled(v) && (v->busy || (s->policy == GV_CFG_SCHED_FIXED && sched_wanted(s, -1)));
}

bool sched_contested(const struct sched *s)
{
	for (unsigned i = 0; i < SCHED_MAX_VFS; i++)
		if ((int)i != s->running && wants(s, i))
			return true;
	return false;
}

/* ---- time -------------------------------------------------------------------- */

static void count(struct sched *s, uint64_t now_ns)
{
	struct sched_vf *v;

	if (s->running < 0 || now_ns <= s->counted_ns)
		return;
	v = &s->vf[s->running];
	v->ran_ns += now_ns - s->counted_ns;
	if (v->busy)
		v->busy_ns += now_ns - s->counted_ns;
	s->counted_ns = now_ns;
}

void sched_seen(struct sched *s, uint32_t busy, uint64_t now_ns)
{
	count(s, now_ns);
	for (unsigned i = 0; i < SCHED_MAX_VFS; i++) {
		struct sched_vf *v = &s->vf[i];
		bool now = busy >> i & 1;

		if (v->busy && !now)
			v->idle_since_ns = now_ns;
		v->busy = now;
		v->work_ns = now ? now_ns : v->work_ns;
	}
	s->seen_ns = now_ns;
}

/* What of its quantum it gets: all, less its debts, but half of it at least. */
static uint64_t granted(const struct sched_vf *v)
{
	int64_t quantum = (int64_t)v->quantum_ns;

	return (uint64_t)GV_MAX(quantum + v->credit_ns, quantum / 2);
}

void sched_began(struct sched *s, unsigned vf, uint64_t from_ns)
{
	struct sched_vf *v = &s->vf[vf];

	s->running = (int)vf;
	s->began_ns = s->counted_ns = from_ns;
	s->end_ns = from_ns + granted(v);
	v->turn = ++s->turns;
	v->idle_since_ns = from_ns; /* it may need a moment to take its work up again */
	v->left -= v->left > 0;
	v->slices++;
}

/* The slice is over: what did it take, measured by what it was to have? */
static void settle(struct sched *s, bool contested, bool cut, uint64_t now_ns)
{
	struct sched_vf *v = &s->vf[s->running];
	uint64_t ran = now_ns > s->began_ns ? now_ns - s->began_ns : 0,
	         late = now_ns > s->end_ns ? now_ns - s->end_ns : 0;
	int64_t credit =
	        v->credit_ns + (int64_t)v->quantum_ns - (int64_t)GV_MIN(ran, INT64_MAX / 2);

	v->overruns += contested && late > v->quantum_ns / 10;
	v->given_up += !late && !cut;
	if (cut && !late)
		v->credit_ns = GV_MIN(credit, (int64_t)v->quantum_ns);
	else if (s->policy != GV_CFG_SCHED_FAIR || !contested)
		v->credit_ns = 0;
	else
		v->credit_ns = GV_MAX(GV_MIN(credit, 0), -(int64_t)SCHED_MAX_DEBT_NS);
}

void sched_stopped(struct sched *s, bool cut, uint64_t now_ns)
{
	if (s->running < 0)
		return;
	count(s, now_ns);
	settle(s, sched_contested(s), cut, now_ns);
	s->running = -1;
}

/* ---- the order ----------------------------------------------------------------- */

static bool goes_before(const struct sched_vf *a, const struct sched_vf *b)
{
	return a->priority != b->priority ? a->priority > b->priority : a->turn < b->turn;
}

static int first_with_slices(const struct sched *s)
{
	int best = -1;

	for (unsigned i = 0; i < SCHED_MAX_VFS; i++)
		if (wants(s, i) && s->vf[i].left &&
		    (best < 0 || goes_before(&s->vf[i], &s->vf[best])))
			best = (int)i;
	return best;
}

static void new_round(struct sched *s)
{
	s->rounds++;
	for (unsigned i = 0; i < SCHED_MAX_VFS; i++)
		s->vf[i].left = s->vf[i].member ? s->vf[i].weight : 0;
}

/* Whose slice comes now? It ends: every step takes a slice of a round or pays some debt back, and
 * debts have a limit. */
static int pick(struct sched *s)
{
	int vf = -1;

	for (unsigned i = 0; i < SCHED_MAX_VFS && vf < 0; i++)
		vf = wants(s, i) ? (int)i : -1;
	if (vf < 0)
		return -1;
	for (;;) {
		struct sched_vf *v;

		vf = first_with_slices(s);
		if (vf < 0) {
			new_round(s);
			continue;
		}
		v = &s->vf[vf];
		if (v->credit_ns + (int64_t)v->quantum_ns > 0)
			return vf;
		v->credit_ns += (int64_t)v->quantum_ns;
		v->left--;
	}
}

/* Has the one that runs had enough? */
static bool over(const struct sched *s, uint64_t now_ns, uint64_t *again_ns)
{
	const struct sched_vf *v = &s->vf[s->running];

	*again_ns = s->end_ns;
	if (now_ns >= s->end_ns || (s->end_ns == NO_END && (v->busy || sched_contested(s))))
		return true;
	if (v->busy || s->policy == GV_CFG_SCHED_FIXED || !sched_contested(s))
		return false;
	*again_ns = GV_MIN(s->end_ns, v->idle_since_ns + SCHED_IDLE_NS);
	return now_ns >= *again_ns;
}

int sched_next(struct sched *s, uint64_t now_ns, uint64_t *again_ns)
{
	bool keeps = s->running >= 0 && entitled(&s->vf[s->running]);
	int next;

	*again_ns = UINT64_MAX;
	if (keeps && !over(s, now_ns, again_ns))
		return s->running;
	next = pick(s);
	if (next < 0 && keeps) { /* nobody has work: leave everything as it is */
		*again_ns = s->end_ns = NO_END;
		return s->running;
	}
	if (next >= 0 && next == s->running) {
		settle(s, sched_contested(s), false, now_ns);
		count(s, now_ns);
		sched_began(s, (unsigned)next, now_ns);
		*again_ns = s->end_ns;
	}
	return next;
}
