/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who gets the engines next, and for how long. Pure: no register, no clock; the owner (world.c)
 * says what happened when.
 *
 * A round gives every VF `weight` slices of its quantum. In a round those with the higher priority
 * go first, among equals the one that waited longest. Policies differ in who takes part:
 *
 *   fixed        everybody keeps its slices, busy or not, as long as anybody had work of late
 *   best-effort  who has no work has its turn later, if it gets some; who runs out of work ends
 *                its slice
 *   fair         the same; and who kept the engines longer than its slice, because they could not
 *                be stopped at once, gets that much less in its next slices
 *
 * Who is the only one to want the engines keeps them, slice after slice, without a switch. When
 * nobody has work nothing is switched, by no policy.
 */
#ifndef PF_SCHED_ROUNDS_H
#define PF_SCHED_ROUNDS_H

#include <stdbool.h>
#include <stdint.h>

#include <gv/configs.h>

#define SCHED_MAX_VFS     16u
#define SCHED_IDLE_NS     300000ull    /* without work for so long: the slice is over */
#define SCHED_AWAKE_NS    20000000ull  /* so long after the last work nobody is asleep yet */
#define SCHED_MAX_DEBT_NS 200000000ull /* GIM 8: max_debit */

struct sched_vf {
	uint64_t quantum_ns;
	uint32_t weight, priority;
	bool member;                     /* runs: its guest has finished to initialise it */
	bool held;                       /* gets no slices for now */
	bool waits;                      /* for exclusive access, and gets no slices meanwhile */
	bool busy;                       /* as was seen last */
	uint64_t idle_since_ns, work_ns; /* it had work */
	uint32_t left;                   /* slices of this round */
	int64_t credit_ns; /* below 0: debt; above: was cut short by exclusive access */
	uint64_t turn;     /* number of its last slice */

	uint64_t slices, overruns, given_up;
	uint64_t ran_ns, busy_ns; /* had the engines; and had work, too */
};

struct sched {
	enum gv_cfg_sched policy;
	struct sched_vf vf[SCHED_MAX_VFS];
	int running;               /* has a slice, -1 none */
	uint64_t began_ns, end_ns; /* of that slice */
	uint64_t counted_ns;       /* ran_ns and busy_ns are up to date until here */
	uint64_t seen_ns;          /* who has work was looked at */
	uint64_t turns, rounds;
};

/** Nobody takes part, nobody runs. */
void sched_init(struct sched *s, enum gv_cfg_sched policy);
/** From the next slice on. */
void sched_set(struct sched *s, unsigned vf, uint64_t quantum_ns, uint32_t weight,
               uint32_t priority);
/** Who joins starts without debts. */
void sched_join(struct sched *s, unsigned vf, bool member);
/** Bit by bit: does the VF have work? Call it often while something runs: it is what busy_ns and
 *  the end of idle slices know. */
void sched_seen(struct sched *s, uint32_t busy, uint64_t now_ns);

/**
 * Who should have the engines now: the one that runs, for as long as nobody else's turn has come;
 * another, and then they are to be switched; or -1: nobody, they are to be taken away. Begins the
 * next slice of the one that keeps them. *@again_ns: ask again by then; sooner when sched_seen()
 * brings news.
 */
int sched_next(struct sched *s, uint64_t now_ns, uint64_t *again_ns);
/** Did anybody but @but_vf want the engines of late? Who waits for each of its kernels seems idle
 * now and then. */
bool sched_wanted(const struct sched *s, int but_vf);
/** Do others wait for the engines? */
bool sched_contested(const struct sched *s);
/** @vf has the engines, since @from_ns. */
void sched_began(struct sched *s, unsigned vf, uint64_t from_ns);
/** The one that ran has them no more. @cut: not because its time was over. */
void sched_stopped(struct sched *s, bool cut, uint64_t now_ns);

#endif
