/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loop that executes: one decoded instruction of one wave after the other. */
#include "state.h"

/* What CU_STOP and CU_ENTER ask for before the next instruction. False: stop. */
static bool attend(struct cu_wave *w)
{
	if (w->attention & CU_STOP)
		return false;
	return !(w->attention & CU_ENTER) || cu_code_enter(w);
}

/* Where to go on. Nearly always straight on, to what is in a register already: as a branch the
 * host guesses it, while w->ip just stored would have to be waited for. */
static inline const struct cu_inst *go_on(const struct cu_wave *w, const struct cu_inst *next)
{
	const struct cu_inst *guess = next;

	__asm__("" : "+r"(guess)); /* or the compiler sees that w->ip would do */
	return __builtin_expect(w->ip == next, 1) ? guess : w->ip;
}

uint64_t cu_exec_wave(struct cu_wave *w, uint64_t budget)
{
	const struct cu_inst *i = w->ip, *next;
	uint64_t n = 0;

	w->attention &= ~(uint32_t)CU_STOP;
	while (n < budget) {
		if (__builtin_expect(w->attention != 0, 0)) {
			if (!attend(w))
				break;
			i = w->ip;
		}
		if (__builtin_expect(!i->fn, 0) &&
		    !cu_code_decode(w, &w->chunk->slot[i - w->chunk->slot]))
			break;
		next = i + i->len;
		w->cur = i;
		w->ip = next;
		n++;
		if (__builtin_expect(w->attention & (CU_GPR_IDX | CU_VSKIP), 0))
			cu_valu_odd(w, i);
		else
			i->fn(w, i);
		i = go_on(w, next);
	}
	w->run->n.instructions += n;
	return n;
}
