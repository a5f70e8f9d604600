/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Decoded code: chunks of CU_CHUNK_BYTES, one slot per dword, filled when a
 * wave first gets there. Two slots behind the end lead into the next chunk.
 *
 * Chunks outlive a dispatch, which costs less than a decode otherwise. Who
 * wrote the code meanwhile (CPU, SDMA, a shader) is not known, so a chunk is
 * compared with memory when a dispatch first enters it.
 */
#include <stdlib.h>

#include <gv/base.h>

#include "ramp.h"
#include "salu.h"

#define MOST_JOINED 8

static void set_handler(struct cu_inst *i, cu_fn fn)
{
	i->fn = i->on_ramps = fn;
	i->straight = 0;
}

static struct cu_chunk **hash_of(struct gv_cu_run *run, uint64_t va)
{
	return &run->chunk_of[va / CU_CHUNK_BYTES % 64];
}

static void cross(struct cu_wave *w, const struct cu_inst *i)
{
	cu_goto(w, w->chunk->va + (uint64_t)(i - w->chunk->slot) * 4);
}

/* What is a bad register depends on how many the waves have, so that is part of the key. */
static bool is_chunk(const struct gv_cu_run *run, const struct cu_chunk *c, uint64_t va)
{
	return c->va == va && c->num_vgprs == run->num_vgprs;
}

static struct cu_chunk *find(struct gv_cu_run *run, uint64_t va)
{
	struct cu_chunk **first = hash_of(run, va);

	if (*first && is_chunk(run, *first, va))
		return *first;
	for (struct cu_chunk *c = run->chunks; c; c = c->next)
		if (is_chunk(run, c, va))
			return *first = c;
	return NULL;
}

/* Every wave must find its place again by address. */
static void leave_chunks(struct gv_cu_run *run)
{
	for (unsigned n = 0; n < run->num_waves; n++) {
		struct cu_wave *w = run->wave[n];

		if (w->ip)
			w->pc = cu_pc(w, w->ip);
		w->ip = w->cur = NULL;
		w->chunk = NULL;
		w->attention |= CU_ENTER;
	}
}

/* A run's first chunk is always there: with one it gets on, if slowly. */
static bool take_room(struct gv_cu_run *run)
{
	uint32_t *room = run->num_chunks ? run->d.code_room : NULL;
	uint32_t left = room ? __atomic_load_n(room, __ATOMIC_RELAXED) : 0;

	if (!room)
		return true;
	while (left && !__atomic_compare_exchange_n(room, &left, left - 1, true, __ATOMIC_RELAXED,
	                                            __ATOMIC_RELAXED))
		;
	return left != 0;
}

static void give_room(struct gv_cu_run *run, uint32_t chunks)
{
	if (run->d.code_room)
		(void)__atomic_fetch_add(run->d.code_room, chunks, __ATOMIC_RELAXED);
}

void cu_code_free(struct gv_cu_run *run)
{
	if (run->num_chunks)
		give_room(run, run->num_chunks - 1);
	while (run->chunks) {
		struct cu_chunk *c = run->chunks;

		run->chunks = c->next;
		free(c);
	}
	memset(run->chunk_of, 0, sizeof(run->chunk_of));
	run->num_chunks = 0;
}

static struct cu_chunk *make(struct gv_cu_run *run, uint64_t va)
{
	struct cu_chunk *c = calloc(1, sizeof(*c));

	if (!c) {
		give_room(run, run->num_chunks != 0);
		return NULL;
	}
	c->va = va;
	c->num_vgprs = run->num_vgprs;
	c->epoch = run->code_epoch;
	c->first = CU_CHUNK_DW;
	for (unsigned n = CU_CHUNK_DW; n < CU_CHUNK_DW + 2; n++) {
		set_handler(&c->slot[n], cross);
		c->slot[n].len = 1;
		c->slot[n].next = &c->slot[n]; /* not used: it goes elsewhere */
	}
	c->next = run->chunks;
	run->chunks = c;
	run->num_chunks++;
	*hash_of(run, va) = c;
	return c;
}

uint64_t cu_pc(const struct cu_wave *w, const struct cu_inst *i)
{
	return w->chunk->va + (uint64_t)(i - w->chunk->slot) * 4;
}

/* Chunks are made and freed only between instructions, by cu_code_enter(). */
void cu_goto(struct cu_wave *w, uint64_t va)
{
	struct cu_chunk *c;

	va &= ~3ull;
	c = find(w->run, va - va % CU_CHUNK_BYTES);
	if (!c || c->epoch != w->run->code_epoch) {
		w->pc = va;
		w->ip = NULL;
		w->attention |= CU_ENTER;
		return;
	}
	w->chunk = c;
	w->ip = &c->slot[va % CU_CHUNK_BYTES / 4];
}

/* And what was joined to that. */
static void forget_changed(struct cu_chunk *c, const uint32_t *now)
{
	for (unsigned n = c->end; n-- > c->first;) {
		struct cu_inst *i = &c->slot[n];
		bool whole = n + i->len <= CU_CHUNK_DW;
		bool joined = i->count_on_ramps > 1 && !i[i->len].fn;

		if (i->fn && (joined || !(whole && i->word[0] == now[n] &&
		                          (i->len == 1 || i->word[1] == now[n + 1]))))
			set_handler(i, NULL);
	}
}

/* Forget what memory no longer holds. A chunk lies in one page, so after the word at pc the rest of
 * it can be read, too; that of an instruction which goes on behind the chunk may not. */
static bool verify(struct cu_wave *w, struct cu_chunk *c)
{
	uint32_t now[CU_CHUNK_DW], bytes = c->first < c->end ? (c->end - c->first) * 4 : 0;

	if (!cu_mem_fetch(w, w->pc, now, 4, GV_CU_X) ||
	    !cu_mem_fetch(w, c->va + c->first * 4, &now[c->first], bytes, GV_CU_X))
		return false;
	if (bytes != c->seen_bytes || memcmp(&c->seen[c->first], &now[c->first], bytes) != 0) {
		forget_changed(c, now);
		memcpy(&c->seen[c->first], &now[c->first], bytes);
		c->seen_bytes = bytes;
	}
	c->epoch = w->run->code_epoch;
	return true;
}

void cu_code_keep(struct gv_cu_run *run)
{
	run->code_epoch++;
	if (run->num_chunks > CU_KEPT_CHUNKS)
		cu_code_free(run);
}

bool cu_code_enter(struct cu_wave *w)
{
	struct gv_cu_run *run = w->run;
	uint64_t base = w->pc - w->pc % CU_CHUNK_BYTES;
	struct cu_chunk *c;

	w->attention &= ~(uint32_t)CU_ENTER;
	c = find(run, base);
	if (!c && (run->num_chunks >= CU_MAX_CHUNKS || !take_room(run))) {
		leave_chunks(run);
		w->attention &= ~(uint32_t)CU_ENTER;
		cu_code_free(run);
	}
	if (!c)
		c = make(run, base);
	if (!c) {
		cu_fault(w, NULL, GV_CU_NO_MEMORY, w->pc);
		return false;
	}
	if (c->epoch != run->code_epoch && !verify(w, c))
		return false;
	w->chunk = c;
	w->ip = &c->slot[w->pc % CU_CHUNK_BYTES / 4];
	return true;
}

void cu_code_forget(struct gv_cu_run *run)
{
	for (struct cu_chunk *c = run->chunks; c; c = c->next)
		for (unsigned n = 0; n < CU_CHUNK_DW; n++)
			set_handler(&c->slot[n], NULL);
}

/* The word behind the last one of a chunk may be unmapped, so it is read only if needed. */
static bool fetch(struct cu_wave *w, uint64_t va, uint32_t word[2])
{
	unsigned dwords;

	if (!cu_mem_fetch(w, va, &word[0], 4, GV_CU_X))
		return false;
	word[1] = 0;
	(void)cu_decode_op(word, &dwords);
	return dwords < 2 || cu_mem_fetch(w, va + 4, &word[1], 4, GV_CU_X);
}

/* The part of the chunk that verify() looks at; what it saw last may not be what is decoded. */
static void note_decoded(struct cu_chunk *c, const struct cu_inst *i)
{
	uint32_t n = (uint32_t)(i - c->slot);

	c->seen_bytes = 0;
	c->first = GV_MIN(c->first, n);
	c->end = GV_MAX(c->end, GV_MIN(n + i->len, CU_CHUNK_DW));
}

/* @i and the instruction behind it become one where that is possible: there is less to do between
 * them. Each alone is still there for who jumps to it. */
static void join(const struct cu_chunk *c, struct cu_inst *i)
{
	const struct cu_inst *behind = i + i->len;

	if (behind >= &c->slot[CU_CHUNK_DW] || !behind->fn)
		return;
	if (behind->fn == cu_s_nothing && behind->count < MOST_JOINED) {
		i->next = i->next_on_ramps = behind->next;
		i->count = i->count_on_ramps = (uint8_t)(1 + behind->count);
	} else {
		cu_ramp_join(i, behind);
	}
}

static void join_neighbours(const struct cu_chunk *c, struct cu_inst *i)
{
	ptrdiff_t at = i - c->slot;

	join(c, i);
	for (uint8_t len = 1; len <= 2 && len <= at; len++)
		if (i[-len].fn && i[-len].len == len)
			join(c, i - len);
}

static void find_target(const struct cu_wave *w, struct cu_inst *i)
{
	ptrdiff_t at = i - w->chunk->slot + 1 + i->simm;

	i->target = at >= 0 && at < (ptrdiff_t)CU_CHUNK_DW ? &w->chunk->slot[at] : NULL;
}

bool cu_code_decode(struct cu_wave *w, struct cu_inst *i)
{
	uint64_t pc = cu_pc(w, i);
	struct cu_inst fresh = {0};
	uint32_t word[2];
	enum gv_cu_reason why;

	w->cur = i;
	w->pc = pc;
	if (!fetch(w, pc, word))
		return false;
	why = cu_decode(w->run, word, &fresh);
	memcpy(i, &fresh, sizeof(*i));
	memcpy(i->word, word, sizeof(i->word));
	i->next = i->next_on_ramps = i + i->len;
	i->count = i->count_on_ramps = 1;
	i->site = (uint8_t)((i - w->chunk->slot) % CU_SITES);
	if (why == GV_CU_NO_FAULT) {
		if (i->op->format == GV9_SOPP)
			find_target(w, i);
		note_decoded(w->chunk, i);
		join_neighbours(w->chunk, i);
		return true;
	}
	set_handler(i, NULL);
	if (why == GV_CU_UNIMPLEMENTED)
		w->run->n.unimplemented++;
	cu_fault(w, i, why, 0);
	return false;
}
