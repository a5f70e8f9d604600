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

#include "state.h"

static bool is_wide(uint8_t type)
{
	return type == GV9_B64 || type == GV9_F64;
}

void cu_unpack(uint32_t *lanes, uint64_t mask)
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
		cu_unpack(w->mask, exec);
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
	const struct cu_src *s = &i->src[n];
	uint64_t v = s->kind == CU_SRC_CONST ? i->imm[n] : cu_rd64(&w->s[s->reg]);

	spread(w->tmp[n], (uint32_t)v);
	if (is_wide(i->op->st[n]))
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
	const struct cu_src *s = &i->src[2];
	uint64_t m = cu_rd64(&w->s[CU_VCC]);

	if (i->op->flags & GV9_F_CIN && i->mask_in_src2)
		m = s->kind == CU_SRC_CONST ? i->imm[2] : cu_rd64(&w->s[s->reg]);
	cu_unpack(w->aux.in, m);
	w->in_of = m;
}

static int host_round(uint32_t mode)
{
	static const int of[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};

	return of[mode & 3];
}

/* A core under the wave's rounding mode. */
static void run_rounded(struct cu_wave *w, const struct cu_inst *i, const uint32_t *const src[3])
{
	uint8_t dt = i->op->dt;
	uint32_t mode = dt == GV9_F32 ? CU_MODE_ROUND32(w->mode)
	                : dt == GV9_F64 || dt == GV9_F16 || dt == GV9_PKF16
	                        ? CU_MODE_ROUND64(w->mode)
	                        : 0;

	if (mode)
		(void)fesetround(host_round(mode));
	i->core(w->tmp[3], src[0], src[1], src[2], &w->aux);
	if (mode)
		(void)fesetround(FE_TONEAREST);
}

static void put_result(struct cu_wave *w, const struct cu_inst *i, uint64_t lanes)
{
	uint32_t m[CU_LANES], *d = w->v[i->dst];

	cu_mod_result(w, i, w->tmp[3]);
	cu_mod_merge(i, w->tmp[3], d);
	cu_unpack(m, lanes);
	blend(d, w->tmp[3], m);
	if (is_wide(i->op->dt))
		blend(d + CU_LANES, w->tmp[3] + CU_LANES, m);
}

void cu_valu_slow(struct cu_wave *w, const struct cu_inst *i)
{
	uint64_t lanes = cu_exec(w), old;
	const uint32_t *src[3] = {NULL, NULL, NULL};

	for (unsigned n = 0; n < i->nsrc; n++) {
		const uint32_t *row = cu_row(w, i, n);

		if (row != w->tmp[n])
			memcpy(w->tmp[n], row, (is_wide(i->op->st[n]) ? 2 : 1) * 4 * CU_LANES);
		src[n] = w->tmp[n];
		if (n == 0 && i->dpp)
			lanes &= cu_mod_dpp(w, i, w->tmp[0]);
		cu_mod_source(w, i, n, w->tmp[n]);
	}
	if (i->op->flags & (GV9_F_CIN | GV9_F_VCCIN))
		cu_valu_read_mask(w, i);
	run_rounded(w, i, src);
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

/* s_set_gpr_idx_*: M0 moves the register numbers of sources or destination. The moved copy is
 * checked like a decoded one. */
void cu_valu_indexed(struct cu_wave *w, const struct cu_inst *i)
{
	struct cu_inst moved = *i;
	uint32_t by = w->s[CU_M0] & 0xff, which = w->s[CU_M0] >> 12 & 0xf;
	bool ok = true;

	for (unsigned n = 0; n < i->nsrc; n++) {
		struct cu_src *s = &moved.src[n];

		if (s->kind != CU_SRC_VGPR || !(which & 1u << n))
			continue;
		s->reg = (uint16_t)(s->reg + by);
		ok &= s->reg + (is_wide(i->op->st[n]) ? 2u : 1u) <= w->num_vgprs;
	}
	if (which & 8 && !(i->op->flags & (GV9_F_CMP | GV9_F_SDST))) {
		moved.dst = (uint16_t)(moved.dst + by);
		ok &= moved.dst + (is_wide(i->op->dt) ? 2u : 1u) <= w->num_vgprs;
	}
	if (!ok)
		cu_fault(w, i, GV_CU_BAD_INSTRUCTION, 0);
	else
		i->fn(w, &moved);
}

void cu_mode_changed(struct cu_wave *w)
{
	w->fp_slow = CU_MODE_DENORM32(w->mode) != 3 || (w->mode & 0xf) != 0;
}

cu_fn cu_valu_handler(const struct gv_cu_run *run, const struct cu_inst *i)
{
	const struct cu_isa *isa = run->isa;
	cu_fn hot;

	if (i->slow || i->op->flags & (GV9_F_FLUSH | GV9_F_KEEPHI | GV9_F_MIX))
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
