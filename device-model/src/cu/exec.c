/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loop that executes: one decoded instruction of one wave after the other. */
#include <assert.h>

#include "ramp.h"

/* What is out of the ordinary before the instruction at w->ip: the handler to call, which may be
 * another than the instruction's own. NULL: stop. */
static cu_fn attend(struct cu_wave *w)
{
	const struct cu_inst *i;

	if (w->attention & CU_STOP || (w->attention & CU_ENTER && !cu_code_enter(w)))
		return NULL;
	i = w->ip;
	if (!i->fn && !cu_code_decode(w, &w->chunk->slot[i - w->chunk->slot]))
		return NULL;
	if (w->attention & (CU_GPR_IDX | CU_VSKIP))
		return cu_valu_odd;
	return w->ramped ? i->on_ramps : i->fn;
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

static inline const struct cu_inst *run_one(struct cu_wave *w, const struct cu_inst *i, cu_fn fn)
{
	const struct cu_inst *next = i->next;

	w->cur = i;
	w->ip = next;
	fn(w, i);
	return go_on(w, next);
}

/* As long as all is ordinary. Returns what is left of the budget. */
static inline uint64_t run(struct cu_wave *w, uint64_t left, bool on_ramps)
{
	const struct cu_inst *i = w->ip;

	do {
		cu_fn fn;

		for (; i->straight && left; left--) {
			(on_ramps ? i->on_ramps : i->fn)(w, i);
			assert(w->attention == 0);
			i = i->next;
		}
		fn = on_ramps ? i->on_ramps : i->fn;
		if (!left || !fn)
			break;
		i = run_one(w, i, fn);
		left--;
	} while (__builtin_expect(w->attention == 0, 1) && (!on_ramps || cu_ramp_wanted(w)));
	w->ip = i;
	return left;
}

uint64_t cu_exec_wave(struct cu_wave *w, uint64_t budget)
{
	uint64_t left = budget;

	w->attention &= ~(uint32_t)CU_STOP;
	for (;;) {
		cu_fn fn;

		if (w->attention == 0)
			left = cu_ramp_wanted(w) ? run(w, left, true) : run(w, left, false);
		fn = left ? attend(w) : NULL;
		if (!fn)
			break;
		w->ip = run_one(w, w->ip, fn);
		left--;
	}
	w->run->n.instructions += budget - left;
	return budget - left;
}
