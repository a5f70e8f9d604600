/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The handlers that most instructions of most programs take: VALU without
 * modifiers, and dwords of 64 neighbours in memory. Compiled once for every
 * host ISA, behind cores.h; CU_ISA names the table.
 */
#ifdef __AVX2__
#include <immintrin.h>
#endif

#include "ramp.h"

/* One bit per lane of 0 or ~0. */
CU_INLINE uint64_t fast_pack(const uint32_t *lanes)
{
#ifdef __AVX2__
	const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
	uint64_t mask = 0;

	for (unsigned l = 0; l < CU_LANES; l += 32) {
		const __m256i *p = (const void *)(lanes + l);
		__m256i a = _mm256_packs_epi32(_mm256_loadu_si256(p), _mm256_loadu_si256(p + 1));
		__m256i b =
		        _mm256_packs_epi32(_mm256_loadu_si256(p + 2), _mm256_loadu_si256(p + 3));
		__m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(a, b), order);

		mask |= (uint64_t)(uint32_t)_mm256_movemask_epi8(bytes) << l;
	}
	return mask;
#else
	return cu_pack(lanes);
#endif
}

/* A bit of a mask of 32 lanes, for all of them. */
#define FAST_8_BITS(n)                                                                             \
	1u << (n), 2u << (n), 4u << (n), 8u << (n), 16u << (n), 32u << (n), 64u << (n), 128u << (n)
static const uint32_t fast_bit[32] = {FAST_8_BITS(0), FAST_8_BITS(8), FAST_8_BITS(16),
                                      FAST_8_BITS(24)};

CU_INLINE void fast_unpack(uint32_t *lanes, uint64_t mask)
{
	uint32_t half[2] = {(uint32_t)mask, (uint32_t)(mask >> 32)};

	for (unsigned h = 0; h < 2; h++)
		for (unsigned l = 0; l < 32; l++)
			lanes[32 * h + l] = (half[h] & fast_bit[l]) == fast_bit[l] ? ~0u : 0;
}

static const uint32_t *fast_row(struct cu_wave *w, const struct cu_inst *i, unsigned n)
{
	const struct cu_src *s = &i->src[n];
	uint32_t *row = w->tmp[n];
	uint64_t v;

	if (s->kind == CU_SRC_VGPR)
		return w->v[s->reg];
	v = cu_scalar64(w, i, n);
	for (unsigned l = 0; l < CU_LANES; l++)
		row[l] = (uint32_t)v;
	if (cu_is_wide(i->op->st[n]))
		for (unsigned l = 0; l < CU_LANES; l++)
			row[CU_LANES + l] = (uint32_t)(v >> 32);
	return row;
}

static const uint32_t *fast_mask(struct cu_wave *w)
{
	uint64_t exec = cu_exec(w);

	if (exec != w->exec_of_mask) {
		fast_unpack(w->mask, exec);
		w->exec_of_mask = exec;
	}
	return w->mask;
}

static void fast_blend(uint32_t *restrict d, const uint32_t *restrict t, const uint32_t *restrict m)
{
	for (unsigned l = 0; l < CU_LANES; l++)
		d[l] = (t[l] & m[l]) | (d[l] & ~m[l]);
}

/* A result for the lanes that are on, from the spare row. */
static __attribute__((noinline)) void fast_put_blended(struct cu_wave *w, const struct cu_inst *i)
{
	uint32_t *d = w->v[i->dst];
	const uint32_t *m = fast_mask(w);

	fast_blend(d, w->tmp[3], m);
	if (cu_is_wide(i->op->dt))
		fast_blend(d + CU_LANES, w->tmp[3] + CU_LANES, m);
}

CU_INLINE void fast_run(struct cu_wave *w, const struct cu_inst *i, const uint32_t *a,
                        const uint32_t *b, const uint32_t *c)
{
	if (__builtin_expect(cu_exec(w) == ~0ull, 1)) {
		i->core(w->v[i->dst], a, b, c, &w->aux);
		return;
	}
	i->core(w->tmp[3], a, b, c, &w->aux);
	fast_put_blended(w, i);
}

/* MODE may ask for what the cores do not do. */
CU_INLINE bool fast_refused(struct cu_wave *w, const struct cu_inst *i)
{
	if (__builtin_expect(!(w->fp_slow & i->fp), 1))
		return false;
	cu_valu_slow(w, i);
	return true;
}

static void fast_valu1(struct cu_wave *w, const struct cu_inst *i)
{
	if (!fast_refused(w, i))
		fast_run(w, i, fast_row(w, i, 0), NULL, NULL);
}

static void fast_valu2(struct cu_wave *w, const struct cu_inst *i)
{
	if (!fast_refused(w, i))
		fast_run(w, i, fast_row(w, i, 0), fast_row(w, i, 1), NULL);
}

static void fast_valu3(struct cu_wave *w, const struct cu_inst *i)
{
	if (!fast_refused(w, i))
		fast_run(w, i, fast_row(w, i, 0), fast_row(w, i, 1), fast_row(w, i, 2));
}

/* The lanes in aux.out become a mask register. Who reads it next, as VCC mostly, finds them in
 * aux.in. */
CU_INLINE void fast_put_mask(struct cu_wave *w, const struct cu_inst *i)
{
	uint64_t exec = cu_exec(w), m = fast_pack(w->aux.out) & exec;

	cu_wr64(&w->s[i->sdst], m);
	if (i->op->flags & GV9_F_CMPX)
		cu_wr64(&w->s[CU_EXEC], m);
	if (exec == ~0ull) {
		uint32_t *in = w->aux.out;

		w->aux.out = w->aux.in;
		w->aux.in = in;
		w->in_of = m;
	}
}

/* The mask that a carry or a select reads, into aux.in. */
CU_INLINE void fast_read_mask(struct cu_wave *w, const struct cu_inst *i)
{
	uint64_t m;

	if (i->mask_in_src2) {
		cu_valu_read_mask(w, i);
		return;
	}
	m = cu_lane_mask(w, CU_VCC);
	if (m != w->in_of)
		fast_unpack(w->aux.in, m);
	w->in_of = m;
}

static void fast_compare(struct cu_wave *w, const struct cu_inst *i)
{
	if (fast_refused(w, i))
		return;
	i->core(w->aux.out, fast_row(w, i, 0), fast_row(w, i, 1), NULL, &w->aux);
	fast_put_mask(w, i);
}

static void fast_carry(struct cu_wave *w, const struct cu_inst *i)
{
	if (fast_refused(w, i))
		return;
	if (i->op->flags & (GV9_F_CIN | GV9_F_VCCIN))
		fast_read_mask(w, i);
	fast_run(w, i, fast_row(w, i, 0), fast_row(w, i, 1),
	         i->nsrc > 2 ? fast_row(w, i, 2) : NULL);
	if (i->op->flags & GV9_F_COUT)
		fast_put_mask(w, i);
}

#include "fast_mem.h"
#include "hot.h"

static cu_fn fast_memory_in_ramps(const struct cu_inst *i)
{
	return i->op->format == GV9_GLOBAL ? fast_memory_global(i) : fast_memory_on_ramps(i);
}

const struct cu_isa CU_ISA = {
        .cores = cores,
        .flushing = flushing,
        .plain = {fast_valu1, fast_valu2, fast_valu3},
        .compare = fast_compare,
        .carry = fast_carry,
        .memory = fast_memory,
        .memory_on_ramps = fast_memory_in_ramps,
        .hot = hot_handler,
};
