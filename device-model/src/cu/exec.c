/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loop that executes: one decoded instruction of one wave after the other. */
#include "state.h"

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

uint64_t cu_exec_wave(struct cu_wave *w, uint64_t budget)
{
	const struct cu_inst *i, *next = w->ip;
	uint64_t n;

	w->attention &= ~(uint32_t)CU_STOP;
	for (n = 0; n < budget; n++) {
		cu_fn fn = NULL;

		i = go_on(w, next);
		if (__builtin_expect(w->attention == 0, 1))
			fn = w->ramped ? i->on_ramps : i->fn;
		if (__builtin_expect(!fn, 0)) {
			fn = attend(w);
			if (!fn)
				break;
			i = w->ip;
		}
		next = i->next;
		w->cur = i;
		w->ip = next;
		fn(w, i);
	}
	w->run->n.instructions += n;
	return n;
}
