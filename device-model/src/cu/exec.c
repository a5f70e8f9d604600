/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loop that executes: one decoded instruction of one wave after the other. */
#include <assert.h>

#include "ramp.h"

/* Before the instruction at w->ip: is it there, and decoded? False: stop. */
static bool attend(struct cu_wave *w)
{
	const struct cu_inst *i;

	if (w->attention & CU_NO_RAMPS)
		cu_ramp_give_up(w);
	if (w->attention & CU_STOP || (w->attention & CU_ENTER && !cu_code_enter(w)))
		return false;
	i = w->ip;
	return i->fn || cu_code_decode(w, &w->chunk->slot[i - w->chunk->slot]);
}

/* Where to go on. Nearly always straight on, to what is in a register already: as a branch the
 * host guesses it, while w->ip just stored would have to be waited for. */
static inline const struct cu_inst *go_on(const struct cu_wave *w, const struct cu_inst *next)
{
	const struct cu_inst *guess = next;

	__asm__("" : "+r"(guess)); /* or the compiler sees that w->ip would do */
	if (__builtin_expect(w->ip != next, 0)) {
		__asm__ volatile(""); /* or it makes a conditional move of it */
		return w->ip;
	}
	return guess;
}

/* One instruction, or with those that are joined to it. */
static inline const struct cu_inst *run_one(struct cu_wave *w, const struct cu_inst *i, cu_fn fn)
{
	const struct cu_inst *next = i->next;

	w->cur = i;
	w->ip = next;
	fn(w, i);
	return go_on(w, next);
}

/* As long as all is ordinary. Returns what is left of the budget. */
static inline int64_t run(struct cu_wave *w, int64_t left, bool on_ramps)
{
	const struct cu_inst *i = w->ip;

	do {
		cu_fn fn;

		for (; i->straight && left > 0; i = on_ramps ? i->next_on_ramps : i->next) {
			(on_ramps ? i->on_ramps : i->fn)(w, i);
			assert((w->attention & ~(uint32_t)CU_NO_RAMPS) == 0);
			left -= on_ramps ? i->count_on_ramps : i->count;
		}
		fn = on_ramps ? i->on_ramps : i->fn;
		if (left <= 0 || !fn)
			break;
		left -= i->count;
		i = run_one(w, i, fn);
	} while (__builtin_expect(w->attention == 0, 1));
	w->ip = i;
	return left;
}

uint64_t cu_exec_wave(struct cu_wave *w, uint64_t budget)
{
	int64_t left = (int64_t)budget;

	w->attention &= ~(uint32_t)CU_STOP;
	for (;;) {
		if (w->attention == 0)
			left = w->ramped ? run(w, left, true) : run(w, left, false);
		if (left <= 0 || !attend(w))
			break;
		if (w->attention) {
			left -= w->ip->count;
			w->ip = run_one(w, w->ip, cu_valu_odd);
		}
	}
	budget -= (uint64_t)left;
	w->run->n.instructions += budget;
	return budget;
}
