/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loads and stores whose active lanes have the same high half of an address and
 * lie in one window: neighbours are copied as a row, others lane by lane without
 * another look at the window. What is not so is left to cu_global() and
 * cu_flat(), which also find out who faults. Part of fast.h.
 */

#define FAST_WAVES_AHEAD 8u

/* Where the lanes of an access are: @off rows from @base, from @lowest to @highest. */
struct fast_span {
	uint64_t base;
	const uint32_t *off;
	uint32_t lowest, highest;
	uint8_t *host; /* of the lowest */
};

/* Are 64 offsets @step bytes apart, without wrapping? */
CU_INLINE bool fast_in_a_row(const uint32_t *off, uint32_t step)
{
	uint32_t diff = 0, first = off[0];

	for (unsigned l = 0; l < CU_LANES; l++)
		diff |= off[l] ^ (first + step * l);
	return diff == 0 && first <= UINT32_MAX - step * CU_LANES;
}

/* @mask: rows of the lanes that count, NULL: all. */
CU_INLINE bool fast_all_same(const uint32_t *row, uint32_t first, const uint32_t *mask)
{
	uint32_t diff = 0;

	for (unsigned l = 0; l < CU_LANES; l++)
		diff |= (row[l] ^ first) & (mask ? mask[l] : ~0u);
	return diff == 0;
}

CU_INLINE void fast_bounds(struct fast_span *s, uint32_t first, const uint32_t *mask)
{
	uint32_t lo = first, hi = first;

	for (unsigned l = 0; l < CU_LANES; l++) {
		uint32_t v = mask ? (s->off[l] & mask[l]) | (first & ~mask[l]) : s->off[l];

		lo = GV_MIN(lo, v);
		hi = GV_MAX(hi, v);
	}
	s->lowest = lo;
	s->highest = hi;
}

/* The base that all lanes share. False: they do not. */
CU_INLINE bool fast_base(const struct cu_wave *w, const struct cu_inst *i, struct fast_span *s,
                         unsigned first, const uint32_t *mask)
{
	s->off = w->v[i->addr];
	if (i->saddr >= CU_NO_SGPR) {
		const uint32_t *high = w->v[i->addr + 1];

		s->base = ((uint64_t)high[first] << 32) + (uint64_t)(int64_t)i->simm;
		return fast_all_same(high, high[first], mask);
	}
	s->base = cu_rd64(&w->s[i->saddr]) + (uint64_t)(int64_t)i->simm;
	return true;
}

/* All lanes one behind the other. */
CU_INLINE bool fast_find_row(struct cu_wave *w, const struct cu_inst *i, struct fast_span *s,
                             uint32_t bytes)
{
	if (cu_exec(w) != ~0ull || !fast_base(w, i, s, 0, NULL) || !fast_in_a_row(s->off, bytes))
		return false;
	s->lowest = s->off[0];
	s->highest = s->lowest + bytes * (CU_LANES - 1);
	return true;
}

/* The base that all lanes share, as ramps tell. */
CU_INLINE uint64_t fast_ramp_base(const struct cu_wave *w, const struct cu_inst *i)
{
	uint64_t add = (uint64_t)(int64_t)i->simm;

	return add + (i->saddr < CU_NO_SGPR ? cu_rd64(&w->s[i->saddr])
	                                    : (uint64_t)w->ramp_base[i->addr + 1] << 32);
}

/* All lanes one behind the other, or all at the same place, as ramps tell without a look at them.
 */
CU_INLINE bool fast_find_ramp(struct cu_wave *w, const struct cu_inst *i, struct fast_span *s,
                              uint32_t bytes, unsigned access)
{
	uint32_t base = w->ramp_base[i->addr], step = w->ramp_step[i->addr];

	if (cu_exec(w) != ~0ull || i->reads & ~w->ramps ||
	    (step != bytes && (step || access != GV_CU_R)) || base > UINT32_MAX - bytes * CU_LANES)
		return false;
	s->lowest = base;
	s->highest = base + step * (CU_LANES - 1);
	s->base = fast_ramp_base(w, i);
	return i->saddr < CU_NO_SGPR || w->ramp_step[i->addr + 1] == 0;
}

/* Most of all, in a GLOBAL instruction: 64 neighbours, where the last ones were. NULL: not so, or
 * not seen to be. */
CU_INLINE uint8_t *fast_ramp_here(const struct cu_wave *w, const struct cu_inst *i, uint32_t bytes,
                                  unsigned access)
{
	uint32_t base = w->ramp_base[i->addr];

	if (cu_exec(w) != ~0ull || i->reads & ~w->ramps || w->ramp_step[i->addr] != bytes ||
	    base > UINT32_MAX - bytes * CU_LANES ||
	    (i->saddr >= CU_NO_SGPR && w->ramp_step[i->addr + 1] != 0) ||
	    (access == GV_CU_W && i->writes & w->ramps))
		return NULL;
	return cu_mem_here(w, i, fast_ramp_base(w, i) + base, bytes * CU_LANES, access);
}

/* A dword of every lane. */
CU_INLINE void fast_copy_row(void *to, const void *from)
{
#if defined(__AVX2__) && !defined(CU_TSAN)
	for (unsigned at = 0; at < 4 * CU_LANES; at += sizeof(__m256i))
		_mm256_storeu_si256((void *)((uint8_t *)to + at),
		                    _mm256_loadu_si256((const void *)((const uint8_t *)from + at)));
#else
	cu_guest_copy(to, from, 4 * CU_LANES);
#endif
}

/* Waves that follow mostly go on where this one was: their lines are asked for before they are
 * needed. This is never an access: what is there does not matter. */
CU_INLINE void fast_look_ahead(const uint8_t *host, uint32_t bytes)
{
	const uint8_t *ahead = host + FAST_WAVES_AHEAD * bytes * CU_LANES;

	for (uint32_t at = 0; at < bytes * CU_LANES; at += 64)
		__builtin_prefetch(ahead + at);
}

/* Rows that were loaded are all what their lane 0 is. */
CU_INLINE void fast_all_as_first(struct cu_wave *w, uint64_t rows)
{
	for (; rows; rows &= rows - 1) {
		unsigned reg = (unsigned)__builtin_ctzll(rows);

		cu_ramp_put(w, reg, w->v[reg][0], 0);
	}
}

/* Any lanes. */
CU_INLINE bool fast_find(struct cu_wave *w, const struct cu_inst *i, struct fast_span *s)
{
	const uint32_t *mask = fast_mask(w);
	uint64_t exec = cu_exec(w);
	unsigned first = exec ? (unsigned)__builtin_ctzll(exec) : 0;

	if (!exec || !fast_base(w, i, s, first, mask))
		return false;
	fast_bounds(s, s->off[first], mask);
	return true;
}

/* False: not in one window, or not seen to be. */
CU_INLINE bool fast_look_up(struct cu_wave *w, const struct cu_inst *i, struct fast_span *s,
                            uint32_t bytes, unsigned access)
{
	if (s->highest - s->lowest > UINT32_MAX - bytes)
		return false;
	s->host = cu_mem_try(w, i, s->base + s->lowest, s->highest - s->lowest + bytes, access);
	return s->host != NULL;
}

/* An access that the flat apertures would take is not for here. */
CU_INLINE bool fast_is_memory(const struct cu_wave *w, const struct cu_inst *i,
                              const struct fast_span *s)
{
	uint64_t from = (s->base + s->lowest) >> 32, to = (s->base + s->highest) >> 32;
	const struct gv_cu_dispatch *d = &w->run->d;
	uint64_t shared = d->shared_base >> 32, private = d->private_base >> 32;

	return i->op->format == GV9_GLOBAL ||
	       (from != shared && from != private && to != shared && to != private);
}

/* One lane: what it loads from @p, or stores there. */
#define FAST_LOAD(type)                                                                            \
	do {                                                                                       \
		type v_;                                                                           \
                                                                                                   \
		cu_guest_copy(&v_, p, sizeof(v_));                                                 \
		d[L] = (uint32_t)v_;                                                               \
	} while (0)
#define FAST_LOAD_DW(n)                                                                            \
	do {                                                                                       \
		uint32_t v_[n];                                                                    \
                                                                                                   \
		cu_guest_copy(v_, p, sizeof(v_));                                                  \
		for (unsigned k = 0; k < (n); k++)                                                 \
			d[k * CU_LANES + L] = v_[k];                                               \
	} while (0)
#define FAST_STORE(type)                                                                           \
	do {                                                                                       \
		type v_ = (type)d[L];                                                              \
                                                                                                   \
		cu_guest_copy(p, &v_, sizeof(v_));                                                 \
	} while (0)
#define FAST_STORE_DW(n)                                                                           \
	do {                                                                                       \
		uint32_t v_[n];                                                                    \
                                                                                                   \
		for (unsigned k = 0; k < (n); k++)                                                 \
			v_[k] = d[k * CU_LANES + L];                                               \
		cu_guest_copy(p, v_, sizeof(v_));                                                  \
	} while (0)

/* @bytes of each lane. @all: an access of a whole row, when there is a short way. */
#define FAST_ACCESS(name, bytes, access, lane, all)                                                \
	static __attribute__((noinline)) void fast_##name##_lanes(struct cu_wave *w,               \
	                                                          const struct cu_inst *i)         \
	{                                                                                          \
		struct fast_span s;                                                                \
		uint32_t *d = w->v[i->data];                                                       \
                                                                                                   \
		if (!fast_find(w, i, &s) || !fast_is_memory(w, i, &s) ||                           \
		    !fast_look_up(w, i, &s, bytes, access)) {                                      \
			i->op->fn(w, i);                                                           \
			return;                                                                    \
		}                                                                                  \
		if (cu_exec(w) != ~0ull) {                                                         \
			CU_FOR_LANES(L, cu_exec(w))                                                \
			{                                                                          \
				uint8_t *p = s.host + (s.off[L] - s.lowest);                       \
                                                                                                   \
				lane;                                                              \
			}                                                                          \
		} else if ((access) == GV_CU_R && s.lowest == s.highest) {                         \
			uint8_t p[bytes]; /* what all load */                                      \
                                                                                                   \
			cu_guest_copy(p, s.host, bytes);                                           \
			for (unsigned L = 0; L < CU_LANES; L++)                                    \
				lane;                                                              \
		} else {                                                                           \
			for (unsigned L = 0; L < CU_LANES; L++) {                                  \
				uint8_t *p = s.host + (s.off[L] - s.lowest);                       \
                                                                                                   \
				lane;                                                              \
			}                                                                          \
		}                                                                                  \
	}                                                                                          \
	static void fast_##name(struct cu_wave *w, const struct cu_inst *i)                        \
	{                                                                                          \
		struct fast_span s;                                                                \
		uint32_t *d = w->v[i->data];                                                       \
                                                                                                   \
		if (!fast_find_row(w, i, &s, bytes) || !fast_is_memory(w, i, &s) ||                \
		    !fast_look_up(w, i, &s, bytes, access))                                        \
			fast_##name##_lanes(w, i);                                                 \
		else                                                                               \
			all;                                                                       \
	}                                                                                          \
	static __attribute__((noinline)) void fast_##name##_on_ramps(struct cu_wave *w,            \
	                                                             const struct cu_inst *i)      \
	{                                                                                          \
		struct fast_span s;                                                                \
		uint32_t *d = w->v[i->data];                                                       \
                                                                                                   \
		if (!fast_find_ramp(w, i, &s, bytes, access) || !fast_is_memory(w, i, &s) ||       \
		    !fast_look_up(w, i, &s, bytes, access)) {                                      \
			cu_ramp_settle(w, i->reads | i->writes);                                   \
			fast_##name(w, i);                                                         \
		} else if ((access) == GV_CU_R && s.lowest == s.highest) {                         \
			const unsigned L = 0;                                                      \
			uint8_t *p = s.host;                                                       \
                                                                                                   \
			lane;                                                                      \
			fast_all_as_first(w, i->writes);                                           \
		} else {                                                                           \
			if ((access) == GV_CU_W)                                                   \
				cu_ramp_settle(w, i->writes);                                      \
			w->ramps &= ~i->writes;                                                    \
			fast_look_ahead(s.host, bytes);                                            \
			all;                                                                       \
		}                                                                                  \
	}                                                                                          \
	static void fast_##name##_global(struct cu_wave *w, const struct cu_inst *i)               \
	{                                                                                          \
		struct fast_span s = {.host = fast_ramp_here(w, i, bytes, access)};                \
		uint32_t *d = w->v[i->data];                                                       \
                                                                                                   \
		if (__builtin_expect(!s.host, 0)) {                                                \
			fast_##name##_on_ramps(w, i);                                              \
			return;                                                                    \
		}                                                                                  \
		if ((access) == GV_CU_R)                                                           \
			w->ramps &= ~i->writes;                                                    \
		fast_look_ahead(s.host, bytes);                                                    \
		all;                                                                               \
	}
#define FAST_ROW(bytes, lane)                                                                      \
	for (unsigned L = 0; L < CU_LANES; L++) {                                                  \
		uint8_t *p = s.host + (bytes)*L;                                                   \
                                                                                                   \
		lane;                                                                              \
	}

FAST_ACCESS(load_1, 4, GV_CU_R, FAST_LOAD(uint32_t), fast_copy_row(d, s.host))
FAST_ACCESS(load_2, 8, GV_CU_R, FAST_LOAD_DW(2), FAST_ROW(8, FAST_LOAD_DW(2)))
FAST_ACCESS(load_3, 12, GV_CU_R, FAST_LOAD_DW(3), FAST_ROW(12, FAST_LOAD_DW(3)))
FAST_ACCESS(load_4, 16, GV_CU_R, FAST_LOAD_DW(4), FAST_ROW(16, FAST_LOAD_DW(4)))
FAST_ACCESS(load_u8, 1, GV_CU_R, FAST_LOAD(uint8_t), FAST_ROW(1, FAST_LOAD(uint8_t)))
FAST_ACCESS(load_i8, 1, GV_CU_R, FAST_LOAD(int8_t), FAST_ROW(1, FAST_LOAD(int8_t)))
FAST_ACCESS(load_u16, 2, GV_CU_R, FAST_LOAD(uint16_t), FAST_ROW(2, FAST_LOAD(uint16_t)))
FAST_ACCESS(load_i16, 2, GV_CU_R, FAST_LOAD(int16_t), FAST_ROW(2, FAST_LOAD(int16_t)))
FAST_ACCESS(store_1, 4, GV_CU_W, FAST_STORE(uint32_t), fast_copy_row(s.host, d))
FAST_ACCESS(store_2, 8, GV_CU_W, FAST_STORE_DW(2), FAST_ROW(8, FAST_STORE_DW(2)))
FAST_ACCESS(store_3, 12, GV_CU_W, FAST_STORE_DW(3), FAST_ROW(12, FAST_STORE_DW(3)))
FAST_ACCESS(store_4, 16, GV_CU_W, FAST_STORE_DW(4), FAST_ROW(16, FAST_STORE_DW(4)))
FAST_ACCESS(store_8, 1, GV_CU_W, FAST_STORE(uint8_t), FAST_ROW(1, FAST_STORE(uint8_t)))
FAST_ACCESS(store_16, 2, GV_CU_W, FAST_STORE(uint16_t), FAST_ROW(2, FAST_STORE(uint16_t)))

#include "fast_lds.h"

/* The handler of a load or store of FLAT, GLOBAL or DS; NULL: there is none here. */
/* clang-format off */
#define FAST_MEMORY(suffix, lds) \
	static cu_fn fast_memory##suffix(const struct cu_inst *i) \
	{ \
		static const cu_fn dwords[2][5] = { \
			{NULL, fast_load_1##suffix, fast_load_2##suffix, fast_load_3##suffix, \
			 fast_load_4##suffix}, \
			{NULL, fast_store_1##suffix, fast_store_2##suffix, fast_store_3##suffix, \
			 fast_store_4##suffix}}; \
		static const cu_fn small[] = { \
			[CU_MEM_LOAD_U8] = fast_load_u8##suffix, \
			[CU_MEM_LOAD_I8] = fast_load_i8##suffix, \
			[CU_MEM_LOAD_U16] = fast_load_u16##suffix, \
			[CU_MEM_LOAD_I16] = fast_load_i16##suffix, \
			[CU_MEM_STORE_8] = fast_store_8##suffix, \
			[CU_MEM_STORE_16] = fast_store_16##suffix, \
		}; \
		if (i->op->format == GV9_DS) \
			return lds; \
		if ((i->op->fn != cu_global && i->op->fn != cu_flat) || i->lds_dma) \
			return NULL; \
		if (i->op->kind <= CU_MEM_STORE) \
			return dwords[i->op->kind][i->op->dw]; \
		return i->op->kind < GV_ARRAY_LEN(small) ? small[i->op->kind] : NULL; \
	}
/* clang-format on */
FAST_MEMORY(, fast_lds(i))
FAST_MEMORY(_on_ramps, NULL)
FAST_MEMORY(_global, NULL)
