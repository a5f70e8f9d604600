/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handlers with one core inside, made from hot.def: no call of the core, and a
 * scalar source stays in a register instead of being spread over a row. Part of
 * fast.h. A shape has a bit for each source, set when it is a scalar; shapes
 * that are not made take the handlers of fast.h.
 */
CU_INLINE const uint32_t *hot_source(const struct cu_wave *w, const struct cu_inst *i, unsigned n,
                                     bool scalar, uint32_t room[2])
{
	const struct cu_src *s = &i->src[n];

	if (!scalar)
		return w->v[s->reg];
	if (s->kind == CU_SRC_CONST) {
		room[0] = (uint32_t)i->imm[n];
		room[1] = (uint32_t)(i->imm[n] >> 32);
	} else {
		room[0] = w->s[s->reg];
		room[1] = w->s[s->reg + 1];
	}
	return room;
}

/* clang-format off */
#define HOT_SOURCE(n, count, shape) \
	((n) < (count) ? hot_source(w, i, (n), (shape) >> (n) & 1, room[n]) : NULL)
#define HOT_CORE(core, d, count, shape) \
	core##_lanes(d, HOT_SOURCE(0, count, shape), HOT_SOURCE(1, count, shape), \
	             HOT_SOURCE(2, count, shape), &rows, !((shape) & 1), !((shape) & 2), \
	             !((shape) & 4))
#define HOT_HANDLER(core, count, shape, before, to, after) \
	static void core##_hot_##shape(struct cu_wave *w, const struct cu_inst *i) \
	{ \
		uint32_t room[3][2], *d; \
		struct cu_aux rows; \
		if (fast_refused(w, i)) \
			return; \
		before; \
		rows = w->aux; \
		d = to; \
		HOT_CORE(core, d, count, shape); \
		after; \
	}
#define HOT_ALL_ON __builtin_expect(cu_exec(w) == ~0ull, 1)
#define HOT_RESULT(core, count, shape, before, after) \
	HOT_HANDLER(core, count, shape, before, HOT_ALL_ON ? w->v[i->dst] : w->tmp[3], \
	            if (!HOT_ALL_ON) fast_put_blended(w, i); after)
#define HOT_PLAIN(core, count, shape) HOT_RESULT(core, count, shape, (void)0, (void)0)
#define HOT_MASKED(core, shape, before, after) HOT_RESULT(core, 2, shape, before, after)
#define HOT_PUT_CARRY fast_put_mask(w, i)

#define HOT1(n) HOT_PLAIN(n, 1, 0) HOT_PLAIN(n, 1, 1)
#define HOT2(n) HOT_PLAIN(n, 2, 0) HOT_PLAIN(n, 2, 1) HOT_PLAIN(n, 2, 2)
#define HOT3(n) HOT_PLAIN(n, 3, 0) HOT_PLAIN(n, 3, 1) HOT_PLAIN(n, 3, 2) HOT_PLAIN(n, 3, 4) \
	HOT_PLAIN(n, 3, 6)
#define HOT_CMP_SHAPE(n, shape) \
	HOT_HANDLER(n, 2, shape, (void)0, rows.out, fast_put_mask(w, i))
#define HOT_CMP(n) HOT_CMP_SHAPE(n, 0) HOT_CMP_SHAPE(n, 1) HOT_CMP_SHAPE(n, 2)
#define HOT_COUT_SHAPE(n, shape) HOT_MASKED(n, shape, (void)0, HOT_PUT_CARRY)
#define HOT_COUT(n) HOT_COUT_SHAPE(n, 0) HOT_COUT_SHAPE(n, 1) HOT_COUT_SHAPE(n, 2)
#define HOT_CARRY_SHAPE(n, shape) HOT_MASKED(n, shape, fast_read_mask(w, i), HOT_PUT_CARRY)
#define HOT_CARRY(n) HOT_CARRY_SHAPE(n, 0) HOT_CARRY_SHAPE(n, 1) HOT_CARRY_SHAPE(n, 2)
#define HOT_SELECT_SHAPE(n, shape) HOT_MASKED(n, shape, fast_read_mask(w, i), (void)0)
#define HOT_SELECT(n) HOT_SELECT_SHAPE(n, 0) HOT_SELECT_SHAPE(n, 1) HOT_SELECT_SHAPE(n, 2) \
	HOT_SELECT_SHAPE(n, 3)
#include "hot.def"

#undef HOT1
#undef HOT2
#undef HOT3
#undef HOT_CMP
#undef HOT_COUT
#undef HOT_CARRY
#undef HOT_SELECT
#define HOT1(n) [CU_CORE_##n] = {n##_hot_0, n##_hot_1},
#define HOT2(n) [CU_CORE_##n] = {n##_hot_0, n##_hot_1, n##_hot_2},
#define HOT3(n) [CU_CORE_##n] = {n##_hot_0, n##_hot_1, n##_hot_2, NULL, n##_hot_4, NULL, n##_hot_6},
#define HOT_CMP HOT2
#define HOT_COUT HOT2
#define HOT_CARRY HOT2
#define HOT_SELECT(n) [CU_CORE_##n] = {n##_hot_0, n##_hot_1, n##_hot_2, n##_hot_3},
static const cu_fn hot[CU_NUM_CORES][8] = {
#include "hot.def"
};
/* clang-format on */

/* The handler of an instruction without modifiers, NULL: it has none of its own. */
static cu_fn hot_handler(const struct cu_inst *i)
{
	unsigned shape = 0;

	if (i->core != cores[i->op->core]) /* an integer operation that saturates */
		return NULL;
	for (unsigned n = 0; n < i->nsrc; n++)
		shape |= (i->src[n].kind != CU_SRC_VGPR) << n;
	return hot[i->op->core][shape];
}
