/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "oracle_valu.h"
#include "oracle_values.h"

enum { ROW_S = 0, ROW_D = 8, SGPR_S = 4, SGPR_MASK = 8 }; /* as oracle_encode_valu.c has them */

static const struct orc_format *format_of(unsigned t)
{
	switch (t) {
	case GV9_F64:
		return &orc_f64;
	case GV9_F32:
		return &orc_f32;
	case GV9_F16:
	case GV9_PKF16:
		return &orc_f16;
	default:
		return NULL;
	}
}

static uint64_t low_bits(uint64_t v, unsigned n)
{
	return n >= 64 ? v : v & ((1ull << n) - 1);
}

static uint64_t sign_extend(uint64_t v, unsigned n)
{
	return (uint32_t)((int64_t)(v << (64 - n)) >> (64 - n));
}

static uint64_t mask64(const uint32_t *s)
{
	return s[0] | (uint64_t)s[1] << 32;
}

/* ---- DPP: which lane source 0 comes from; -1: none */
static int in_row(unsigned lane, int at)
{
	return at < 0 || at > 15 ? -1 : (int)(lane & ~15u) + at;
}

static int dpp_wave(unsigned ctrl, unsigned lane)
{
	switch (ctrl) {
	case 0x130: /* wave_shl:1 */
		return lane < 63 ? (int)lane + 1 : -1;
	case 0x134: /* wave_rol:1 */
		return (int)(lane + 1) & 63;
	case 0x138: /* wave_shr:1 */
		return (int)lane - 1;
	case 0x13c: /* wave_ror:1 */
		return (int)(lane + 63) & 63;
	case 0x140: /* row_mirror */
		return (int)(lane ^ 15);
	case 0x141: /* row_half_mirror */
		return (int)(lane ^ 7);
	case 0x142: /* row_bcast:15 */
		return lane < 16 ? -1 : (int)(lane & ~15u) - 1;
	default: /* row_bcast:31 */
		return lane < 32 ? -1 : 31;
	}
}

static int dpp_lane(unsigned ctrl, unsigned lane)
{
	int n = (int)(ctrl & 15), at = (int)(lane & 15);

	if (ctrl < 0x100) /* quad_perm */
		return (int)((lane & ~3u) | (ctrl >> 2 * (lane & 3) & 3));
	if (ctrl < 0x110) /* row_shl */
		return in_row(lane, at + n);
	if (ctrl < 0x120) /* row_shr */
		return in_row(lane, at - n);
	if (ctrl < 0x130) /* row_ror */
		return in_row(lane, (at - n) & 15);
	return dpp_wave(ctrl, lane);
}

/* ---- sources */
static uint64_t register_of(const struct bench_block *b, unsigned row, unsigned lane, unsigned bits)
{
	uint64_t v = b->row[row][lane];

	return bits == 64 ? v | (uint64_t)b->row[row + 1][lane] << 32 : v;
}

/* A 32-bit literal: of an f64 the upper half, else the number. */
static uint64_t literal(const struct valu_shape *s, unsigned t)
{
	return t == GV9_F64 ? (uint64_t)s->literal << 32 : s->literal;
}

static uint64_t raw_source(const struct valu_shape *s, const struct bench_block *b, unsigned k,
                           unsigned lane)
{
	unsigned t = s->op->st[k], bits = value_bits(t);

	if ((s->op->flags & GV9_F_MADMK && k == 1) || (s->op->flags & GV9_F_MADK && k == 2))
		return s->literal;
	if (s->op->flags & GV9_F_MAC && k == 2)
		return register_of(b, ROW_D, lane, bits);
	switch ((enum valu_source)s->source[k]) {
	case SOURCE_SGPR:
		return bits == 64 ? mask64(&b->sgpr[SGPR_S + 2 * k]) : b->sgpr[SGPR_S + 2 * k];
	case SOURCE_CONSTANT:
		return value_constant(t, s->code[k]);
	case SOURCE_LITERAL:
		return literal(s, t);
	case SOURCE_VGPR:
		break;
	}
	return register_of(b, ROW_S + 2 * k, lane, bits);
}

static uint64_t sdwa_select(uint64_t v, unsigned sel, bool sext)
{
	unsigned bits = sel < 4 ? 8 : sel < 6 ? 16 : 32;

	v = low_bits(v >> (sel < 4 ? 8 * sel : sel == 5 ? 16 : 0), bits);
	return sext ? sign_extend(v, bits) : v;
}

static uint64_t negated(const struct orc_format *f, uint64_t v, bool neg, bool abs)
{
	if (abs)
		v &= ~orc_sign_bit(f);
	return neg ? v ^ orc_sign_bit(f) : v;
}

/* VOP3P: each half of the operation may come from either half of the source. */
static uint64_t packed_source(const struct valu_shape *s, unsigned k, uint64_t v)
{
	uint64_t low = s->op_sel >> k & 1 ? v >> 16 & 0xffff : v & 0xffff;
	uint64_t high = s->op_sel_hi >> k & 1 ? v >> 16 & 0xffff : v & 0xffff;

	if (s->op->st[k] == GV9_PKF16) {
		low = negated(&orc_f16, low, s->neg >> k & 1, false);
		high = negated(&orc_f16, high, s->abs >> k & 1, false);
	}
	return high << 16 | low;
}

/* v_mad_mix: op_sel_hi says f16, op_sel then which half; the neg_hi bits are abs. */
static uint64_t mix_source(const struct valu_shape *s, unsigned k, uint64_t v)
{
	if (s->op_sel_hi >> k & 1) {
		struct orc_num n = orc_unpack(&orc_f16, s->op_sel >> k & 1 ? v >> 16 : v & 0xffff,
		                              !orc_keeps_in(&s->mode, &orc_f16));

		v = orc_round(&orc_f32, n, (struct orc_pack){ORC_NEAREST, false, false});
	}
	return negated(&orc_f32, v, s->neg >> k & 1, s->abs >> k & 1);
}

static uint64_t shaped_source(const struct valu_shape *s, unsigned k, uint64_t v)
{
	const struct orc_format *f = format_of(s->op->st[k]);
	unsigned bits = value_bits(s->op->st[k]);

	if (s->op->flags & GV9_F_MIX)
		return mix_source(s, k, v);
	if (s->op->format == GV9_VOP3P)
		return packed_source(s, k, v);
	if (s->form == FORM_SDWA && k < 2)
		v = sdwa_select(v, s->sel[k], s->sext >> k & 1);
	if (s->form == FORM_VOP3 && bits == 16 && s->op_sel >> k & 1)
		v >>= 16;
	v = low_bits(v, bits);
	return f ? negated(f, v, s->neg >> k & 1, s->abs >> k & 1) : v;
}

/* ---- results */
static uint64_t clamped(const struct valu_shape *s, const struct orc_format *f, uint64_t v)
{
	struct orc_num n = orc_unpack(f, v, false);

	if (n.kind == ORC_NAN)
		return s->mode.dx10_clamp ? 0 : v;
	if (n.neg)
		return 0;
	return orc_compare(n, orc_from_int(1)) > 0 ? orc_one_bits(f) : v;
}

/* omod is off with IEEE mode and where denormal results are kept. */
static bool omod_acts(const struct valu_shape *s, const struct orc_format *f)
{
	return s->omod && !s->mode.ieee && !orc_keeps_out(&s->mode, f);
}

static uint64_t output(const struct valu_shape *s, const struct orc_format *f, uint64_t v)
{
	static const int8_t by[] = {0, 1, 2, -1};
	struct orc_num n = orc_unpack(f, v, false);

	if (omod_acts(s, f) && n.kind == ORC_FINITE) {
		n.exp += by[s->omod];
		v = orc_round(f, n, (struct orc_pack){orc_mode_round(&s->mode, f), true, false});
	}
	return s->clamp ? clamped(s, f, v) : v;
}

static uint64_t output_halves(const struct valu_shape *s, uint64_t v)
{
	return output(s, &orc_f16, v >> 16 & 0xffff) << 16 | output(s, &orc_f16, v & 0xffff);
}

/* Floats as integers of the same order. */
static int64_t ordered(const struct orc_format *f, uint64_t bits)
{
	int64_t m = (int64_t)(bits & (orc_sign_bit(f) - 1));

	return bits & orc_sign_bit(f) ? -m : m;
}

/* With flushed denormals a number just below the smallest normal one may be rounded up to it
 * first or flushed first: documents do not say, so 0 and it are the same. */
static bool at_the_edge(const struct valu_shape *s, const struct orc_format *f, uint64_t got,
                        uint64_t want)
{
	uint64_t least = 1ull << f->fraction, sign = orc_sign_bit(f);

	return !orc_keeps_out(&s->mode, f) && (want & (sign - 1)) == least &&
	       (got & (sign - 1)) == 0 && (got & sign) == (want & sign);
}

/* What omod makes of a number too large for the format: an infinity and the largest number are the
 * same, since documents do not say whether it is rounded again. */
static bool beyond_omod(const struct valu_shape *s, const struct orc_format *f, uint64_t got,
                        uint64_t want)
{
	uint64_t inf = orc_inf_bits(f), sign = orc_sign_bit(f);

	return omod_acts(s, f) && (got & sign) == (want & sign) && (got & ~sign) >= inf - 1 &&
	       (want & ~sign) >= inf - 1;
}

/* The sign of a zero after omod or clamp is not specified. */
static bool open_zero(const struct valu_shape *s, const struct orc_format *f, uint64_t got,
                      uint64_t want)
{
	return (s->clamp || omod_acts(s, f)) && !(got << (65 - f->bits)) &&
	       !(want << (65 - f->bits));
}

static bool near(const struct orc_format *f, const struct orc_result *r, uint64_t got,
                 uint64_t want)
{
	__int128 off = (__int128)ordered(f, got) - ordered(f, want);
	long double a = 0, b = 0;

	if ((off < 0 ? -off : off) <= (__int128)r->ulps)
		return true;
	a = orc_to_long_double(orc_unpack(f, got, false));
	b = orc_to_long_double(orc_unpack(f, want, false));
	return fabsl(a - b) <= (long double)r->absolute;
}

static bool float_matches(const struct valu_shape *s, const struct orc_format *f,
                          const struct orc_result *r, uint64_t got, uint64_t want)
{
	if (got == want)
		return true;
	if (orc_is_nan(f, want))
		return orc_is_nan(f, got) && (!r->exact_nan || s->clamp || omod_acts(s, f)) &&
		       (r->any_nan || !(s->mode.ieee && orc_is_snan(f, got)));
	if (orc_is_nan(f, got))
		return false;
	if (at_the_edge(s, f, got, want) || beyond_omod(s, f, got, want))
		return true;
	if (open_zero(s, f, got, want))
		return true;
	return near(f, r, got, want);
}

/* Result types that the table has as plain bits but whose halves are floats. */
static bool float_halves(const struct gv_gfx9_op *op)
{
	return op->dt == GV9_PKF16 || !strcmp(op->name, "v_cvt_pkrtz_f16_f32");
}

/* Result types that are integers of a conversion rounded as the document does not say. */
static bool matches(const struct valu_shape *s, const struct orc_result *r, uint64_t got,
                    uint64_t want)
{
	const struct orc_format *f = format_of(s->op->dt);

	if (float_halves(s->op))
		return float_matches(s, &orc_f16, r, got & 0xffff, want & 0xffff) &&
		       float_matches(s, &orc_f16, r, got >> 16, want >> 16);
	return f ? float_matches(s, f, r, got, want) : got == want;
}

/* Where in the register the result goes and what becomes of the rest. */
struct place {
	unsigned at, bits;
	uint64_t rest; /* of the register, the field 0 */
};

static bool keeps_other_half(const struct gv_gfx9_op *op)
{
	bool mix = !strcmp(op->name, "v_mad_mixlo_f16") || !strcmp(op->name, "v_mad_mixhi_f16");

	return mix || (valu_has_op_sel(op) && value_bits(op->dt) == 16);
}

/* AMD documents that these write 0 to the high half, Mesa and LLVM that gfx9 keeps it. */
static bool half_is_open(const struct gv_gfx9_op *op)
{
	return !strcmp(op->name, "v_mac_f16") || !strcmp(op->name, "v_madmk_f16") ||
	       !strcmp(op->name, "v_madak_f16");
}

static struct place place_sdwa(const struct valu_shape *s, uint64_t old, uint64_t result)
{
	struct place p = {.bits = s->dst_sel < 4 ? 8 : s->dst_sel < 6 ? 16 : 32};
	uint64_t field = 0, top = 0;

	if (s->dst_sel < 4)
		p.at = 8u * s->dst_sel;
	else if (s->dst_sel == 5)
		p.at = 16;
	field = (low_bits(~0ull, p.bits)) << p.at;
	top = ~low_bits(~0ull, p.at + p.bits);
	if (s->dst_unused == 2)
		p.rest = old & ~field;
	else if (s->dst_unused == 1 && result >> (p.bits - 1) & 1)
		p.rest = top;
	p.rest = (uint32_t)p.rest;
	return p;
}

static struct place place(const struct valu_shape *s, uint64_t old, uint64_t result)
{
	struct place p = {.bits = value_bits(s->op->dt)};

	if (s->form == FORM_SDWA && s->dst_sel != 6)
		return place_sdwa(s, old, result);
	if (p.bits != 16)
		return p;
	if (s->op_sel & 8 || !strcmp(s->op->name, "v_mad_mixhi_f16"))
		p.at = 16;
	if (keeps_other_half(s->op))
		p.rest = p.at ? old & 0xffff : old & 0xffff0000;
	p.bits = p.at || keeps_other_half(s->op) || half_is_open(s->op) ? 16 : 32;
	return p;
}

/* ---- one lane */
struct lane_state {
	const struct valu_shape *s;
	const struct bench_block *in, *out;
	unsigned lane;
	uint64_t exec, got, want;
};

/* @result is right for this register: its field is that, the rest what the form says. */
static bool register_is(struct lane_state *st, const struct orc_result *r, uint64_t result)
{
	const struct valu_shape *s = st->s;
	unsigned bits = value_bits(s->op->dt), full = bits == 64 ? 64 : 32;
	uint64_t old = register_of(st->in, ROW_D, st->lane, bits);
	struct place p = place(s, old, result);
	uint64_t field = low_bits(st->got >> p.at, p.bits), mask = low_bits(~0ull, p.bits) << p.at;
	const struct orc_format *f = format_of(s->op->dt);
	bool cut = f && p.bits < f->bits, sdwa = s->form == FORM_SDWA;
	bool vague = f && (orc_is_nan(f, result) || r->ulps || beyond_omod(s, f, result, result) ||
	                   open_zero(s, f, result, result));

	if (half_is_open(s->op) && st->got >> 16)
		p.rest = old & 0xffff0000;
	st->want = p.rest | low_bits(result, p.bits) << p.at;
	if (low_bits((st->got ^ p.rest) & ~mask, full) && !(sdwa && vague && s->dst_unused == 1))
		return false;
	if (cut) /* of NaNs and approximations a part means nothing */
		return vague || field == low_bits(result, p.bits);
	return matches(s, r, field, low_bits(result, p.bits));
}

static bool register_differs(struct lane_state *st, const struct orc_result *r)
{
	return !register_is(st, r, r->alt) && !register_is(st, r, r->d);
}

static void finish(const struct valu_shape *s, struct orc_result *r)
{
	const struct orc_format *f = format_of(s->op->dt);

	if (!r->has_alt)
		r->alt = r->d;
	if (s->op->dt == GV9_PKF16) {
		r->d = output_halves(s, r->d);
		r->alt = output_halves(s, r->alt);
	} else if (f) {
		r->d = output(s, f, r->d);
		r->alt = output(s, f, r->alt);
	}
}

static uint64_t mask_read(const struct valu_shape *s, const struct bench_block *in)
{
	bool sgpr = s->form == FORM_VOP3 && s->op->flags & GV9_F_CIN;

	return mask64(&in->sgpr[sgpr ? SGPR_MASK : 2]);
}

/* The DPP controls switch a lane off: no source and bound_ctrl off, or masked. */
static bool dpp_off(const struct lane_state *st, int from)
{
	const struct valu_shape *s = st->s;
	unsigned row = st->lane >> 4, bank = st->lane >> 2 & 3;

	if (!(s->row_mask >> row & 1) || !(s->bank_mask >> bank & 1))
		return true;
	return from < 0 && !s->bound_ctrl;
}

static void gather(const struct lane_state *st, struct orc_lane *l, int from)
{
	const struct valu_shape *s = st->s;

	for (unsigned k = 0; k < 3; k++) {
		unsigned lane = k == 0 && from >= 0 ? (unsigned)from : st->lane;
		bool none = k == 0 && from < 0;

		if (valu_has_source(s->op, k))
			l->s[k] = shaped_source(s, k, none ? 0 : raw_source(s, st->in, k, lane));
	}
}

/* What the oracle says of this lane. False: the lane does nothing. */
static bool evaluate(const struct lane_state *st, struct orc_result *r)
{
	const struct valu_shape *s = st->s;
	const struct orc_format *f = format_of(s->op->dt);
	struct orc_lane l = {.mode = &s->mode, .lane = st->lane, .clamp = s->clamp};
	int from = (int)st->lane;

	if (!(st->exec >> st->lane & 1))
		return false;
	if (s->form == FORM_DPP) {
		from = dpp_lane(s->dpp_ctrl, st->lane);
		if (from >= 0 && !(st->exec >> from & 1))
			from = -1;
		if (dpp_off(st, from))
			return false;
	}
	l.f = f ? f : format_of(s->op->st[0]);
	l.old = register_of(st->in, ROW_D, st->lane, 64);
	l.carry = (mask_read(s, st->in) >> st->lane & 1) != 0;
	l.s2_high = register_of(st->in, ROW_S + 6, st->lane, 64);
	gather(st, &l, from);
	s->fn(&l, r);
	finish(s, r);
	return true;
}

/* The mask that is written: VCC, or s[36:37] in VOP3 and in VOPC's SDWA form. */
static uint64_t mask_written(const struct valu_shape *s, const struct bench_block *out)
{
	bool sgpr = s->form == FORM_VOP3 || (s->form == FORM_SDWA && s->op->format == GV9_VOPC);

	return mask64(&out->sgpr[sgpr ? 6 : 0]);
}

static bool writes_mask(const struct gv_gfx9_op *op)
{
	return (op->flags & (GV9_F_COUT | GV9_F_CMP)) != 0;
}

static void report(const struct lane_state *st, const struct orc_result *r, const char *what,
                   char *why, size_t bytes)
{
	char shape[200];
	uint64_t src[3] = {0};

	for (unsigned k = 0; k < 3; k++)
		if (valu_has_source(st->s->op, k))
			src[k] = raw_source(st->s, st->in, k, st->lane);
	valu_describe(st->s, shape, sizeof(shape));
	snprintf(
	        why, bytes,
	        "%s\n  lane %u sources %llx %llx %llx old %x: %s got %llx, want %llx (mask bit %u)",
	        shape, st->lane, (unsigned long long)src[0], (unsigned long long)src[1],
	        (unsigned long long)src[2], st->in->row[ROW_D][st->lane], what,
	        (unsigned long long)st->got, (unsigned long long)st->want, r->carry);
}

static bool idle_lane_differs(struct lane_state *st)
{
	for (unsigned k = 0; k < 4; k++)
		if (st->out->row[ROW_D + k][st->lane] != st->in->row[ROW_D + k][st->lane]) {
			st->got = st->out->row[ROW_D + k][st->lane];
			st->want = st->in->row[ROW_D + k][st->lane];
			return true;
		}
	return false;
}

/* The second half of a 128-bit result. */
static bool high_differs(struct lane_state *st, const struct orc_result *r)
{
	if (strcmp(st->s->op->name, "v_mqsad_u32_u8"))
		return false;
	st->got = register_of(st->out, ROW_D + 2, st->lane, 64);
	st->want = r->d_high;
	return st->got != st->want;
}

static const char *lane_differs(struct lane_state *st, struct orc_result *r)
{
	const struct gv_gfx9_op *op = st->s->op;
	uint64_t mask = mask_written(st->s, st->out) >> st->lane & 1;
	bool on = evaluate(st, r);

	if (r->anything)
		return NULL;
	if (writes_mask(op) && (on || !(st->exec >> st->lane & 1))) {
		st->got = mask;
		st->want = on && r->carry;
		if (st->got != st->want)
			return "mask";
	}
	if (!on)
		return idle_lane_differs(st) ? "idle lane" : NULL;
	if (op->flags & GV9_F_CMP)
		return NULL;
	st->got = register_of(st->out, ROW_D, st->lane, value_bits(op->dt));
	return register_differs(st, r) ? "result" : high_differs(st, r) ? "high result" : NULL;
}

/* EXEC is what it was; of v_cmpx it is the mask. */
static bool exec_differs(const struct valu_shape *s, const struct bench_block *in,
                         const struct bench_block *out)
{
	uint64_t exec = mask64(&out->sgpr[2]);

	if (s->op->flags & GV9_F_CMPX)
		return exec != mask_written(s, out);
	return exec != mask64(&in->sgpr[0]);
}

unsigned valu_check(const struct valu_shape *s, const struct bench_block *in,
                    const struct bench_block *out, uint64_t *lanes, char *why, size_t bytes)
{
	unsigned bad = 0;
	struct lane_state st = {.s = s, .in = in, .out = out, .exec = mask64(&in->sgpr[0])};

	for (st.lane = 0; st.lane < 64; st.lane++) {
		struct orc_result r = {0};
		const char *what = lane_differs(&st, &r);

		if (what && !bad++)
			report(&st, &r, what, why, bytes);
	}
	if (!bad && exec_differs(s, in, out)) {
		bad++;
		snprintf(why, bytes, "%s: EXEC", s->op->name);
	}
	*lanes += 64;
	return bad;
}
