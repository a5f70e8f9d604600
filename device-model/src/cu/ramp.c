/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows that are not written out. Addresses are mostly a base plus a multiple of the lane's number,
 * and so is what they are made of: numbers of work items, constants, their sums and multiples. Of
 * such a row, a ramp, only base and step are kept, and an operation on ramps is one on two numbers
 * instead of 64 lanes; loads and stores see a row of neighbours at a glance (fast_mem.h).
 *
 * A wave begins with ramps (run.c), and makes ramps of ramps while EXEC is all ones. As long as it
 * is cu_wave.ramped, instructions take the handlers in cu_inst.on_ramps: those of this file, or of
 * fast_mem.h, or one that writes out what the ordinary handler will read. A wave that long has no
 * use for ramps gives them up, and then costs what it would without.
 */
#include "cores_id.h"
#include "ramp.h"
#include "valu_special.h"

struct ramp {
	uint32_t base, step;
};

void cu_ramp_give_up(struct cu_wave *w)
{
	cu_ramp_settle(w, ~0ull);
	w->ramped = 0;
	w->attention &= ~(uint32_t)CU_NO_RAMPS;
}

void cu_ramp_write_out(struct cu_wave *w, uint64_t rows)
{
	uint64_t left = w->ramps & rows;

	w->ramps &= ~rows;
	for (; left; left &= left - 1) {
		unsigned reg = (unsigned)__builtin_ctzll(left);
		uint32_t base = w->ramp_base[reg], step = w->ramp_step[reg], *row = w->v[reg];

		for (unsigned l = 0; l < CU_LANES; l++)
			row[l] = base + step * l;
	}
}

/* ---- handlers that compute lanes */
/* A VALU instruction. */
static void by_lanes(struct cu_wave *w, const struct cu_inst *i)
{
	if (cu_exec(w) == ~0ull && i->fn != cu_valu_slow) {
		cu_ramp_settle(w, i->reads);
		w->ramps &= ~i->writes;
	} else {
		cu_ramp_settle(w, i->reads | i->writes);
	}
	if (--w->ramp_patience == 0)
		w->attention |= CU_NO_RAMPS;
	i->fn(w, i);
}

/* What knows nothing of ramps. */
static void settled(struct cu_wave *w, const struct cu_inst *i)
{
	cu_ramp_settle(w, ~0ull);
	i->fn(w, i);
}

/* LDS: the registers of the access. */
static void access_settled(struct cu_wave *w, const struct cu_inst *i)
{
	cu_ramp_settle(w, i->reads | i->writes);
	i->fn(w, i);
}

/* ---- operands; @scalar: known when the handler is compiled */
static inline struct ramp source(const struct cu_wave *w, const struct cu_inst *i, unsigned n,
                                 bool scalar)
{
	const struct cu_src *s = &i->src[n];

	if (!scalar)
		return (struct ramp){w->ramp_base[s->reg], w->ramp_step[s->reg]};
	return (struct ramp){cu_scalar32(w, i, n), 0};
}

struct wide {
	uint64_t base, step;
};

static inline struct wide wide_source(const struct cu_wave *w, const struct cu_inst *i, unsigned n,
                                      bool scalar)
{
	const struct cu_src *s = &i->src[n];

	if (!scalar)
		return (struct wide){(uint64_t)w->ramp_base[s->reg + 1] << 32 |
		                             w->ramp_base[s->reg],
		                     ((uint64_t)w->ramp_step[s->reg + 1] << 32) +
		                             (uint64_t)(int64_t)(int32_t)w->ramp_step[s->reg]};
	return (struct wide){cu_scalar64(w, i, n), 0};
}

static inline bool put(struct cu_wave *w, unsigned reg, uint32_t base, uint32_t step)
{
	cu_ramp_put(w, reg, base, step);
	return true;
}

/* The mask that a carry or a select reads; false: not the same for all lanes. */
static inline bool same_mask(const struct cu_wave *w, const struct cu_inst *i, bool *set)
{
	uint64_t m = i->mask_in_src2 ? cu_scalar64(w, i, 2) : cu_lane_mask(w, CU_VCC);

	*set = m & 1;
	return m == 0 || m == ~0ull;
}

static inline bool put_mask(struct cu_wave *w, const struct cu_inst *i, bool set)
{
	cu_wr64(&w->s[i->sdst], set ? ~0ull : 0);
	if (i->op->flags & GV9_F_CMPX)
		cu_wr64(&w->s[CU_EXEC], set ? ~0ull : 0);
	return true;
}

/* ---- what is true of all lanes */
/* As a number without bounds, what the last lane holds: between it and the base lie the others. */
static inline int64_t last(struct ramp r)
{
	return (int64_t)r.base + (CU_LANES - 1) * (int64_t)(int32_t)r.step;
}

/* No lane's value has wrapped. */
static inline bool fits(struct ramp r)
{
	return (uint64_t)last(r) <= UINT32_MAX;
}

/* Signed numbers in the order of unsigned ones. */
static inline struct ramp biased(struct ramp r)
{
	return (struct ramp){r.base ^ 0x80000000u, r.step};
}

/* Is no bit of @r, the same for all, set in any lane of @s? Above the highest bit in which the
 * first lane and the last differ all lanes are the same. */
static inline bool disjoint(struct ramp r, struct ramp s)
{
	uint32_t diff = s.base ^ (uint32_t)last(s);
	uint32_t below = diff ? ~0u >> __builtin_clz(diff) : 0;

	return !r.step && fits(s) && !(r.base & (s.base | below));
}

static inline bool is_24(struct ramp r)
{
	return r.base >> 24 == 0 && (uint64_t)last(r) >> 24 == 0;
}

/* Does a shift by @n leave the same in all lanes? */
static inline bool same_above(struct ramp r, unsigned n)
{
	return r.base >> n == last(r) >> n;
}

static inline struct ramp shifted(struct ramp r, struct ramp by)
{
	return (struct ramp){r.base << (by.base & 31), r.step << (by.base & 31)};
}

/* ---- operations; false: the result is no ramp */
static inline bool put_or(struct cu_wave *w, const struct cu_inst *i, struct ramp a, struct ramp b)
{
	return ((!a.step && !b.step) || disjoint(a, b) || disjoint(b, a)) &&
	       put(w, i->dst, a.base | b.base, a.step + b.step);
}

static inline bool put_product(struct cu_wave *w, const struct cu_inst *i, struct ramp a,
                               struct ramp b, struct ramp c)
{
	return (!a.step || !b.step) &&
	       put(w, i->dst, a.base * b.base + c.base, a.step * b.base + b.step * a.base + c.step);
}

/* The difference goes one way from the first lane to the last. If it has the same sign in both (or
 * is 0), so it has between. */
static inline bool sign_of_difference(struct ramp a, struct ramp b, int *sign)
{
	int64_t first = (int64_t)a.base - b.base, end = last(a) - last(b);

	*sign = (first > 0) - (first < 0);
	return fits(a) && fits(b) && *sign == (end > 0) - (end < 0);
}

/* @sign: of @b. The sum goes one way, too: if it carries in the first lane and the last, or in
 * neither, so it does between. */
static inline bool put_carrying(struct cu_wave *w, const struct cu_inst *i, struct ramp a,
                                struct ramp b, int sign, bool carry)
{
	int64_t first = a.base + sign * ((int64_t)b.base + carry);
	int64_t end = last(a) + sign * (last(b) + carry);

	return fits(a) && fits(b) && first >> 32 == end >> 32 &&
	       put(w, i->dst, (uint32_t)first, a.step + (uint32_t)sign * b.step) &&
	       put_mask(w, i, first >> 32);
}

/* The low half must not wrap, or the high one is no ramp. */
static inline bool put_wide(struct cu_wave *w, const struct cu_inst *i, uint64_t base,
                            uint64_t step)
{
	struct ramp lo = {(uint32_t)base, (uint32_t)step};
	uint64_t high_step = step - (uint64_t)(int64_t)(int32_t)lo.step;

	return fits(lo) && put(w, i->dst, lo.base, lo.step) &&
	       put(w, i->dst + 1u, (uint32_t)(base >> 32), (uint32_t)(high_step >> 32));
}

/* Only when what falls off is the same in all lanes, and no lane has wrapped. */
static inline bool put_shifted_down(struct cu_wave *w, const struct cu_inst *i, struct wide v,
                                    unsigned n)
{
	int64_t end;

	return !(v.step & ((1ull << n) - 1)) &&
	       !__builtin_mul_overflow((int64_t)v.step, CU_LANES - 1, &end) &&
	       !__builtin_add_overflow((int64_t)v.base, end, &end) &&
	       put_wide(w, i, (uint64_t)((int64_t)v.base >> n), (uint64_t)((int64_t)v.step >> n));
}

/* ---- their handlers. A, B, C: the sources; @done makes the result or is false. A shape has a bit
 * for each source, set when it is a scalar. */
static const cu_fn operations[CU_NUM_CORES][4];

#define RAMP_SHAPE(name, shape, has_b, has_c, done)                                                \
	static void ramp_##name##_##shape(struct cu_wave *w, const struct cu_inst *i)              \
	{                                                                                          \
		const bool scalar_b = (shape) >> 1 & 1;                                            \
		const struct ramp none = {0, 0}, A = source(w, i, 0, (shape)&1);                   \
		const struct ramp B = (has_b) ? source(w, i, 1, scalar_b) : none;                  \
		const struct ramp C =                                                              \
		        (has_c) ? source(w, i, 2, i->src[2].kind != CU_SRC_VGPR) : none;           \
		(void)A, (void)B, (void)C, (void)scalar_b;                                         \
		if (i->reads & ~w->ramps || cu_exec(w) != ~0ull || !(done))                        \
			by_lanes(w, i);                                                            \
		else                                                                               \
			w->ramp_patience = CU_RAMP_PATIENCE;                                       \
	}
#define RAMP1(name, done)                                                                          \
	RAMP_SHAPE(name, 0, false, false, done) RAMP_SHAPE(name, 1, false, false, done)
#define RAMP_B_C(name, has_c, done)                                                                \
	RAMP_SHAPE(name, 0, true, has_c, done)                                                     \
	RAMP_SHAPE(name, 1, true, has_c, done)                                                     \
	RAMP_SHAPE(name, 2, true, has_c, done) RAMP_SHAPE(name, 3, true, has_c, done)
#define RAMP2(name, done) RAMP_B_C(name, false, done)
#define RAMP3(name, done) RAMP_B_C(name, true, done)
#define PUT(base, step)   put(w, i->dst, base, step)

RAMP1(mov, PUT(A.base, A.step))
RAMP1(not, PUT(~A.base, 0 - A.step))
RAMP2(add, PUT(A.base + B.base, A.step + B.step))
RAMP2(sub, PUT(A.base - B.base, A.step - B.step))
RAMP2(subrev, PUT(B.base - A.base, B.step - A.step))
RAMP3(add3, PUT(A.base + B.base + C.base, A.step + B.step + C.step))
RAMP2(and, !A.step && !B.step && PUT(A.base & B.base, 0))
RAMP2(xor, !A.step && !B.step &&PUT(A.base ^ B.base, 0))
RAMP2(or, put_or(w, i, A, B))
RAMP2(lshlrev, !A.step && PUT(B.base << (A.base & 31), B.step << (A.base & 31)))
RAMP2(lshrrev, !A.step && same_above(B, A.base & 31) && PUT(B.base >> (A.base & 31), 0))
RAMP2(ashrrev, !A.step && same_above(biased(B), A.base & 31) &&
                       PUT((uint32_t)((int32_t)B.base >> (A.base & 31)), 0))
RAMP3(lshl_add, !B.step && PUT(shifted(A, B).base + C.base, shifted(A, B).step + C.step))
RAMP3(add_lshl,
      !C.step && PUT((A.base + B.base) << (C.base & 31), (A.step + B.step) << (C.base & 31)))
RAMP3(lshl_or, !B.step && put_or(w, i, shifted(A, B), C))
RAMP2(mul_lo, put_product(w, i, A, B, none))
RAMP2(mul_u24, is_24(A) && is_24(B) && put_product(w, i, A, B, none))
RAMP3(mad_u24, is_24(A) && is_24(B) && put_product(w, i, A, B, C))

#define RAMP_CMP(name, with, op)                                                                   \
	static inline bool name##_done(struct cu_wave *w, const struct cu_inst *i, struct ramp a,  \
	                               struct ramp b)                                              \
	{                                                                                          \
		int sign;                                                                          \
		return sign_of_difference(with(a), with(b), &sign) && put_mask(w, i, sign op 0);   \
	}                                                                                          \
	RAMP2(name, name##_done(w, i, A, B))
RAMP_CMP(eq_u32, , ==)
RAMP_CMP(ne_u32, , !=)
RAMP_CMP(lt_u32, , <)
RAMP_CMP(le_u32, , <=)
RAMP_CMP(gt_u32, , >)
RAMP_CMP(ge_u32, , >=)
RAMP_CMP(lt_i32, biased, <)
RAMP_CMP(le_i32, biased, <=)
RAMP_CMP(gt_i32, biased, >)
RAMP_CMP(ge_i32, biased, >=)

static inline bool cndmask_done(struct cu_wave *w, const struct cu_inst *i, struct ramp a,
                                struct ramp b)
{
	bool set;

	return same_mask(w, i, &set) && PUT(set ? b.base : a.base, set ? b.step : a.step);
}
RAMP2(cndmask, cndmask_done(w, i, A, B))

static inline bool carried(struct cu_wave *w, const struct cu_inst *i, struct ramp a, struct ramp b,
                           int sign)
{
	bool carry;

	return same_mask(w, i, &carry) && put_carrying(w, i, a, b, sign, carry);
}
RAMP2(add_co, put_carrying(w, i, A, B, 1, false))
RAMP2(sub_co, put_carrying(w, i, A, B, -1, false))
RAMP2(subrev_co, put_carrying(w, i, B, A, -1, false))
RAMP2(addc_co, carried(w, i, A, B, 1))
RAMP2(subb_co, carried(w, i, A, B, -1))
RAMP2(subbrev_co, carried(w, i, B, A, -1))

/* B is the low half. */
#define WIDE wide_source(w, i, 1, scalar_b)
RAMP2(lshlrev_b64,
      !A.step && fits(B) && put_wide(w, i, WIDE.base << (A.base & 63), WIDE.step << (A.base & 63)))
RAMP2(ashrrev_i64, !A.step && fits(B) && put_shifted_down(w, i, WIDE, A.base & 63))

/* ---- the two instructions of a 64-bit sum; a shape has a bit for each half whose source 0 is a
 * scalar */
/* Nothing yet: one after the other. */
static __attribute__((noinline)) void sum_by_halves(struct cu_wave *w, const struct cu_inst *i)
{
	const struct cu_inst *high = i + i->len;

	operations[i->op->core][i->src[0].kind != CU_SRC_VGPR](w, i);
	high->on_ramps(w, high);
}

#define RAMP_SUM(shape)                                                                            \
	static void ramp_sum_##shape(struct cu_wave *w, const struct cu_inst *i)                   \
	{                                                                                          \
		const struct cu_inst *high = i + i->len;                                           \
		const struct ramp A = source(w, i, 0, (shape)&1), B = source(w, i, 1, false);      \
		const struct ramp C = source(w, high, 0, (shape) >> 1 & 1);                        \
		const struct ramp D = source(w, high, 1, false);                                   \
		int64_t first = (int64_t)A.base + B.base, end = last(A) + last(B);                 \
		uint64_t sum = (uint64_t)C.base + D.base + (uint64_t)(first >> 32);                \
                                                                                                   \
		if (i->reads & ~w->ramps || cu_exec(w) != ~0ull || !fits(A) || !fits(B) ||         \
		    first >> 32 != end >> 32 || C.step | D.step) {                                 \
			sum_by_halves(w, i);                                                       \
			return;                                                                    \
		}                                                                                  \
		put(w, i->dst, (uint32_t)first, A.step + B.step);                                  \
		put(w, high->dst, (uint32_t)sum, 0);                                               \
		cu_wr64(&w->s[CU_VCC], sum >> 32 ? ~0ull : 0);                                     \
		w->ramp_patience = CU_RAMP_PATIENCE;                                               \
	}
RAMP_SUM(0)
RAMP_SUM(1)
RAMP_SUM(2)
RAMP_SUM(3)

#define ROW1(name) [CU_CORE_##name] = {ramp_##name##_0, ramp_##name##_1},
#define ROW2(name)                                                                                 \
	[CU_CORE_##name] = {ramp_##name##_0, ramp_##name##_1, ramp_##name##_2, ramp_##name##_3},
/* clang-format off */
static const cu_fn operations[CU_NUM_CORES][4] = {
	ROW1(mov) ROW1(not)
	ROW2(add) ROW2(sub) ROW2(subrev) ROW2(add3) ROW2(and) ROW2(xor) ROW2(or) ROW2(lshlrev)
	ROW2(lshrrev) ROW2(ashrrev) ROW2(lshl_add) ROW2(add_lshl) ROW2(lshl_or)
	ROW2(mul_lo) ROW2(mul_u24) ROW2(mad_u24) ROW2(cndmask)
	ROW2(eq_u32) ROW2(ne_u32) ROW2(lt_u32) ROW2(le_u32) ROW2(gt_u32) ROW2(ge_u32)
	ROW2(lt_i32) ROW2(le_i32) ROW2(gt_i32) ROW2(ge_i32)
	ROW2(add_co) ROW2(sub_co) ROW2(subrev_co) ROW2(addc_co) ROW2(subb_co) ROW2(subbrev_co)
	ROW2(lshlrev_b64) ROW2(ashrrev_i64)
};
/* clang-format on */

/* ---- at decode */
/* Bits of registers that can be ramps. */
static uint64_t rows(struct cu_inst *i, unsigned reg, unsigned count)
{
	uint64_t mask = 0;

	for (unsigned r = reg; r < reg + count; r++)
		if (r < CU_RAMPS)
			mask |= 1ull << r;
		else
			i->beyond_ramps = 1;
	return mask;
}

static cu_fn bind_valu(struct cu_inst *i)
{
	const struct cu_op *op = i->op;
	unsigned shape = 0;
	cu_fn fn;

	for (unsigned n = 0; n < i->nsrc; n++)
		if (i->src[n].kind == CU_SRC_VGPR)
			i->reads |= rows(i, i->src[n].reg, cu_valu_rows(op, n));
		else
			shape |= 1u << n & 3;
	if (!(op->flags & (GV9_F_CMP | GV9_F_SDST)))
		i->writes = rows(i, i->dst, cu_valu_rows(op, 3));
	fn = operations[op->core][shape];
	return fn && !i->slow && !i->clamp && !i->beyond_ramps ? fn : by_lanes;
}

static cu_fn bind_memory(const struct gv_cu_run *run, struct cu_inst *i)
{
	const struct cu_op *op = i->op;
	bool lds = op->format == GV9_DS;
	unsigned dw = op->kind <= CU_MEM_STORE ? op->dw : 1;
	cu_fn fn = run->isa->memory_on_ramps(i);

	i->reads = rows(i, i->addr, lds || i->saddr < CU_NO_SGPR ? 1 : 2);
	i->writes = rows(i, lds && cu_mem_is_load(op) ? i->dst : i->data,
	                 op->flags & GV9_F_TWICE ? 2 * dw : dw);
	if (op->flags & GV9_F_TWO)
		i->writes |= rows(i, i->data1, dw);
	return fn && !i->beyond_ramps ? fn : access_settled;
}

void cu_ramp_bind(const struct gv_cu_run *run, struct cu_inst *i)
{
	bool special = i->fn == i->op->fn || i->status;

	if (i->op->format < GV9_VOP2 || i->fn == cu_v_readfirstlane || i->fn == cu_v_readlane)
		i->on_ramps = i->fn;
	else if (special)
		i->on_ramps = settled;
	else if (i->op->format <= GV9_VOP3P)
		i->on_ramps = bind_valu(i);
	else
		i->on_ramps = bind_memory(run, i);
}

/* One of the halves of a 64-bit sum by way of VCC. */
static bool is_half(const struct cu_inst *i, unsigned core)
{
	bool scalar = i->src[0].kind != CU_SRC_VGPR;

	return i->op && i->op->core == core && i->src[1].kind == CU_SRC_VGPR && i->sdst == CU_VCC &&
	       !i->mask_in_src2 && i->on_ramps == operations[core][scalar];
}

void cu_ramp_join(struct cu_inst *i, const struct cu_inst *behind)
{
	static const cu_fn sums[] = {ramp_sum_0, ramp_sum_1, ramp_sum_2, ramp_sum_3};

	const struct cu_src *high = &behind->src[0];

	if (!is_half(i, CU_CORE_add_co) || !is_half(behind, CU_CORE_addc_co) ||
	    behind->reads & i->writes || (high->kind == CU_SRC_SGPR && high->reg / 2 == CU_VCC / 2))
		return;
	i->on_ramps =
	        sums[(i->src[0].kind != CU_SRC_VGPR) | (behind->src[0].kind != CU_SRC_VGPR) << 1];
	i->reads |= behind->reads;
	i->next_on_ramps = behind->next_on_ramps;
	i->count_on_ramps = (uint8_t)(1 + behind->count_on_ramps);
}
