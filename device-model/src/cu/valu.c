/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a VALU instruction runs: rows of 64 lanes in, one core, a row out under
 * EXEC. The plain cases are in fast.h; anything with modifiers, SDWA, DPP or an
 * unusual MODE takes cu_valu_slow().
 */
#include <fenv.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "cores_id.h"
#include "ramp.h"
#include "valu_special.h"

static void unpack(uint32_t *lanes, uint64_t mask)
{
	uint32_t half[2] = {(uint32_t)mask, (uint32_t)(mask >> 32)};

	for (unsigned h = 0; h < 2; h++)
		for (unsigned l = 0; l < 32; l++)
			lanes[32 * h + l] = 0u - (half[h] >> l & 1u);
}

uint64_t cu_pack(const uint32_t *lanes)
{
	uint64_t mask = 0;

#ifdef __SSE2__
	for (unsigned l = 0; l < CU_LANES; l += 16) {
		const __m128i *p = (const void *)(lanes + l);
		__m128i a = _mm_packs_epi32(_mm_loadu_si128(p), _mm_loadu_si128(p + 1));
		__m128i b = _mm_packs_epi32(_mm_loadu_si128(p + 2), _mm_loadu_si128(p + 3));

		mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_packs_epi16(a, b)) << l;
	}
#else
	for (unsigned l = 0; l < CU_LANES; l++)
		mask |= (uint64_t)(lanes[l] & 1) << l;
#endif
	return mask;
}

const uint32_t *cu_mask(struct cu_wave *w)
{
	uint64_t exec = cu_exec(w);

	if (exec != w->exec_of_mask) {
		unpack(w->mask, exec);
		w->exec_of_mask = exec;
	}
	return w->mask;
}

static void spread(uint32_t *row, uint32_t v)
{
	for (unsigned l = 0; l < CU_LANES; l++)
		row[l] = v;
}

static const uint32_t *spread_scalar(struct cu_wave *w, const struct cu_inst *i, unsigned n)
{
	uint64_t v = cu_scalar64(w, i, n);

	spread(w->tmp[n], (uint32_t)v);
	if (cu_is_wide(i->op->st[n]))
		spread(w->tmp[n] + CU_LANES, (uint32_t)(v >> 32));
	return w->tmp[n];
}

const uint32_t *cu_row(struct cu_wave *w, const struct cu_inst *i, unsigned n)
{
	if (i->src[n].kind == CU_SRC_VGPR)
		return w->v[i->src[n].reg];
	return spread_scalar(w, i, n);
}

static void blend(uint32_t *restrict d, const uint32_t *restrict t, const uint32_t *restrict m)
{
	for (unsigned l = 0; l < CU_LANES; l++)
		d[l] = (t[l] & m[l]) | (d[l] & ~m[l]);
}

static void write_mask(struct cu_wave *w, const struct cu_inst *i, const uint32_t *lanes)
{
	uint64_t m = cu_pack(lanes) & cu_exec(w);

	cu_wr64(&w->s[i->sdst], m);
	if (i->op->flags & GV9_F_CMPX)
		cu_wr64(&w->s[CU_EXEC], m);
}

/* The mask register of a carry or a select: VCC, or src2 of the VOP3 form. */
void cu_valu_read_mask(struct cu_wave *w, const struct cu_inst *i)
{
	uint64_t m = cu_rd64(&w->s[CU_VCC]);

	if (i->op->flags & GV9_F_CIN && i->mask_in_src2)
		m = cu_scalar64(w, i, 2);
	unpack(w->aux.in, m);
	w->in_of = m;
}

static int host_round(uint32_t mode)
{
	static const int of[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};

	return of[mode & 3];
}

static bool is_16(uint8_t type)
{
	return type == GV9_F16 || type == GV9_PKF16;
}

/* What a result is rounded as: numbers made of floats, as these are. */
static uint8_t rounded_type(const struct cu_op *op)
{
	bool to_bits = op->dt == GV9_B32 || op->dt == GV9_B16;

	return to_bits && !(op->flags & GV9_F_CMP) ? op->st[0] : op->dt;
}

/* MODE's rounding for what the host computes. v_mad_mix computes in f32, whatever it makes of the
 * result. */
static uint32_t rounding(const struct cu_wave *w, const struct cu_op *op)
{
	uint8_t type = rounded_type(op);

	if (op->flags & GV9_F_NOROUND)
		return 0;
	if (type == GV9_F32 || op->flags & GV9_F_MIX)
		return CU_MODE_ROUND32(w->mode);
	return type == GV9_F64 || is_16(type) ? CU_MODE_ROUND64(w->mode) : 0;
}

/* The core of @i as the wave's MODE has it. */
static void run_core(struct cu_wave *w, const struct cu_inst *i, const uint32_t *const src[3])
{
	const struct cu_op *op = i->op;
	unsigned id = i->clamp && op->clamp_core ? op->clamp_core : op->core;
	uint32_t asked = w->fp_slow & i->fp;
	cu_core core =
	        asked & ~(unsigned)(CU_FP_FLUSH32 | CU_FP_EXCP) ? cu_cores_modes[id] : i->core;

	w->aux.round16 = op->flags & GV9_F_NOROUND ? 0 : CU_MODE_ROUND64(w->mode);
	w->aux.ieee = w->mode & CU_MODE_IEEE;
	w->aux.max16 = w->mode & CU_MODE_FP16_OVFL;
	core(w->tmp[3], src[0], src[1], src[2], &w->aux);
}

static void put_result(struct cu_wave *w, const struct cu_inst *i, uint64_t lanes)
{
	uint32_t m[CU_LANES], *d = w->v[i->dst];

	cu_mod_merge(i, w->tmp[3], d);
	unpack(m, lanes);
	blend(d, w->tmp[3], m);
	if (cu_is_wide(i->op->dt))
		blend(d + CU_LANES, w->tmp[3] + CU_LANES, m);
}

/* f32 subnormals flushed both ways and nothing else, as -cl-denorms-are-zero has it: there are
 * cores for that. */
static bool run_flushing(struct cu_wave *w, const struct cu_inst *i)
{
	cu_core core = w->run->isa->flushing[i->op->core];
	bool is_mask = i->op->flags & GV9_F_CMP;
	const uint32_t *src[3] = {NULL, NULL, NULL};
	uint32_t *d = is_mask || cu_exec(w) != ~0ull ? w->tmp[3] : w->v[i->dst];

	if (i->slow || (w->fp_slow & i->fp) != CU_FP_FLUSH32 || !core)
		return false;
	for (unsigned n = 0; n < i->nsrc; n++)
		src[n] = cu_row(w, i, n);
	core(d, src[0], src[1], src[2], &w->aux);
	if (is_mask)
		write_mask(w, i, d);
	else if (d == w->tmp[3])
		blend(w->v[i->dst], d, cu_mask(w));
	return true;
}

void cu_valu_slow(struct cu_wave *w, const struct cu_inst *i)
{
	uint64_t lanes = cu_exec(w), old;
	const uint32_t *src[3] = {NULL, NULL, NULL};
	uint32_t round;
	bool watched;

	if (run_flushing(w, i))
		return;
	for (unsigned n = 0; n < i->nsrc; n++) {
		const uint32_t *row = cu_row(w, i, n);

		if (row != w->tmp[n])
			memcpy(w->tmp[n], row, (cu_is_wide(i->op->st[n]) ? 2 : 1) * 4 * CU_LANES);
		src[n] = w->tmp[n];
		if (n == 0 && i->dpp)
			lanes &= cu_mod_dpp(w, i, w->tmp[0]);
		cu_mod_source(w, i, n, w->tmp[n]);
	}
	if (i->op->flags & (GV9_F_CIN | GV9_F_VCCIN))
		cu_valu_read_mask(w, i);
	round = rounding(w, i->op);
	if (round)
		(void)fesetround(host_round(round));
	watched = w->fp_slow & i->fp & CU_FP_EXCP;
	if (watched)
		cu_excp_begin(w, i, lanes);
	run_core(w, i, src);
	if (watched)
		cu_excp_end(w, i, lanes);
	if (!(i->op->flags & GV9_F_CMP))
		cu_mod_result(w, i, w->tmp[3]);
	if (round)
		(void)fesetround(FE_TONEAREST);
	old = cu_exec(w);
	cu_wr64(&w->s[CU_EXEC], lanes); /* what DPP switched off counts as off */
	if (i->op->flags & GV9_F_CMP) {
		write_mask(w, i, w->tmp[3]);
	} else {
		put_result(w, i, lanes);
		if (i->op->flags & GV9_F_COUT)
			write_mask(w, i, w->aux.out);
	}
	if (!(i->op->flags & GV9_F_CMPX))
		cu_wr64(&w->s[CU_EXEC], old);
}

unsigned cu_valu_rows(const struct cu_op *op, unsigned n)
{
	if (op->fn == cu_v_mqsad && n >= 2)
		return 4;
	return cu_is_wide(n == 3 ? op->dt : op->st[n]) ? 2 : 1;
}

/* s_set_gpr_idx_*: M0 moves the register numbers of sources or destination. The moved copy is
 * checked like a decoded one. */
static void run_indexed(struct cu_wave *w, const struct cu_inst *i)
{
	struct cu_inst moved = *i;
	uint32_t by = w->s[CU_M0] & 0xff, which = w->s[CU_M0] >> 12 & 0xf;
	bool ok = true;

	for (unsigned n = 0; n < i->nsrc; n++) {
		struct cu_src *s = &moved.src[n];

		if (s->kind != CU_SRC_VGPR || !(which & 1u << n))
			continue;
		s->reg = (uint16_t)(s->reg + by);
		ok &= s->reg + cu_valu_rows(i->op, n) <= w->run->num_vgprs;
	}
	if (which & 8 && !(i->op->flags & (GV9_F_CMP | GV9_F_SDST))) {
		moved.dst = (uint16_t)(moved.dst + by);
		ok &= moved.dst + cu_valu_rows(i->op, 3) <= w->run->num_vgprs;
	}
	if (!ok)
		cu_fault(w, i, GV_CU_BAD_INSTRUCTION, 0);
	else
		i->fn(w, &moved);
}

/* Skipped are all vector instructions, memory too. */
void cu_valu_odd(struct cu_wave *w, const struct cu_inst *i)
{
	bool vector = i->op && i->op->format >= GV9_VOP2;

	cu_ramp_settle(w, ~0ull);
	if (vector && w->attention & CU_VSKIP)
		return;
	if (vector && i->op->format <= GV9_VOP3P && w->attention & CU_GPR_IDX)
		run_indexed(w, i);
	else
		i->fn(w, i);
}

uint32_t cu_mode_fp(uint32_t mode)
{
	uint32_t denorm32 = CU_MODE_DENORM32(mode);

	return (CU_MODE_ROUND32(mode) ? CU_FP_ROUND32 : 0) |
	       (CU_MODE_ROUND64(mode) ? CU_FP_ROUND64 : 0) |
	       (denorm32 == 0   ? CU_FP_FLUSH32
	        : denorm32 != 3 ? CU_FP_FLUSH32_PART
	                        : 0) |
	       (CU_MODE_DENORM64(mode) != 3 ? CU_FP_FLUSH64 : 0) |
	       (mode & CU_MODE_IEEE ? 0 : CU_FP_NO_IEEE) |
	       (mode & CU_MODE_FP16_OVFL ? CU_FP_MAX16 : 0) |
	       (CU_MODE_EXCP_EN(mode) ? CU_FP_EXCP : 0);
}

void cu_mode_changed(struct cu_wave *w)
{
	w->fp_slow = cu_mode_fp(w->mode) | (w->trapsts & CU_TRAPSTS_WATCHED ? CU_FP_EXCP : 0);
	w->attention &= ~(uint32_t)(CU_GPR_IDX | CU_VSKIP);
	w->attention |= (w->mode & CU_MODE_GPR_IDX_EN ? CU_GPR_IDX : 0) |
	                (w->mode & CU_MODE_VSKIP ? CU_VSKIP : 0);
}

void cu_watch_exceptions(struct cu_wave *w)
{
	w->trapsts |= CU_TRAPSTS_WATCHED;
	cu_mode_changed(w);
}

static bool is_minimum(const struct cu_op *op)
{
	switch (op->core) {
	case CU_CORE_min_f32:
	case CU_CORE_max_f32:
	case CU_CORE_min3_f32:
	case CU_CORE_max3_f32:
	case CU_CORE_med3_f32:
	case CU_CORE_min_f16:
	case CU_CORE_max_f16:
	case CU_CORE_min3_f16:
	case CU_CORE_max3_f16:
	case CU_CORE_med3_f16:
	case CU_CORE_pk_min_f16:
	case CU_CORE_pk_max_f16:
	case CU_CORE_min_f64:
	case CU_CORE_max_f64:
		return true;
	default:
		return false;
	}
}

uint8_t cu_valu_fp(const struct cu_op *op)
{
	bool flushes = !(op->flags & GV9_F_FLUSH), to16 = is_16(op->dt);
	uint8_t rounded = op->flags & GV9_F_NOROUND ? (uint8_t)GV9_NONE : rounded_type(op);
	bool round64 = rounded == GV9_F64 || is_16(rounded);
	bool has32 = op->dt == GV9_F32, has64 = to16 || op->dt == GV9_F64;

	for (unsigned n = 0; n < 3; n++) {
		has32 |= op->st[n] == GV9_F32;
		has64 |= is_16(op->st[n]) || op->st[n] == GV9_F64;
	}
	if (op->flags & GV9_F_NOFLUSH)
		return 0;
	if (op->flags & GV9_F_MIX) /* computes in f32, takes f16 */
		return UINT8_MAX;
	return (uint8_t)((rounded == GV9_F32 ? CU_FP_ROUND32 : 0) | (round64 ? CU_FP_ROUND64 : 0) |
	                 (flushes && has32 ? CU_FP_FLUSH32 | CU_FP_FLUSH32_PART : 0) |
	                 (flushes && has64 ? CU_FP_FLUSH64 : 0) |
	                 (has32 || has64 ? CU_FP_EXCP : 0) | (is_minimum(op) ? CU_FP_NO_IEEE : 0) |
	                 (to16 ? CU_FP_MAX16 : 0));
}

cu_fn cu_valu_handler(const struct gv_cu_run *run, const struct cu_inst *i)
{
	const struct cu_isa *isa = run->isa;
	cu_fn hot;

	if (i->slow || i->op->flags & (GV9_F_KEEPHI | GV9_F_MIX))
		return cu_valu_slow;
	hot = isa->hot(i);
	if (hot)
		return hot;
	if (i->op->flags & GV9_F_CMP)
		return isa->compare;
	if (i->op->flags & (GV9_F_CIN | GV9_F_COUT | GV9_F_VCCIN))
		return isa->carry;
	return isa->plain[i->nsrc - 1];
}
