/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What may be done to a VALU operand on its way in and to a result on its way out. */
#include "cores_math.h"
#include "state.h"

/* ---- DPP */

/* DPP_CTRL (AMD Vega ISA, VOP_DPP); below DPP_ROW_SL the quad permutation itself. The row shifts
 * carry their distance in the low four bits. */
enum {
	DPP_ROW_SL = 0x100,
	DPP_ROW_SR = 0x110,
	DPP_ROW_RR = 0x120,
	DPP_WF_SL1 = 0x130,
	DPP_WF_RL1 = 0x134,
	DPP_WF_SR1 = 0x138,
	DPP_WF_RR1 = 0x13c,
	DPP_ROW_MIRROR = 0x140,
	DPP_ROW_HALF_MIRROR = 0x141,
	DPP_ROW_BCAST15 = 0x142,
	DPP_ROW_BCAST31 = 0x143,
};

/* Lane that @lane reads, or -1: outside. */
static int dpp_lane(unsigned ctrl, int lane)
{
	int row = lane & ~15, in = lane & 15, n = (int)(ctrl & 15);

	if (ctrl < DPP_ROW_SL)
		return (lane & ~3) | (int)(ctrl >> (2 * (lane & 3)) & 3);
	switch (ctrl & ~15u) {
	case DPP_ROW_SL:
		return in + n < 16 ? lane + n : -1;
	case DPP_ROW_SR:
		return in >= n ? lane - n : -1;
	case DPP_ROW_RR:
		return row | ((in - n) & 15);
	default:
		break;
	}
	switch (ctrl) {
	case DPP_WF_SL1:
		return lane < 63 ? lane + 1 : -1;
	case DPP_WF_RL1:
		return (lane + 1) & 63;
	case DPP_WF_SR1:
		return lane - 1;
	case DPP_WF_RR1:
		return (lane - 1) & 63;
	case DPP_ROW_MIRROR:
		return row | (15 - in);
	case DPP_ROW_HALF_MIRROR:
		return (lane & ~7) | (7 - (lane & 7));
	case DPP_ROW_BCAST15:
		return row - 1;
	case DPP_ROW_BCAST31:
		return lane >= 32 ? 31 : -1;
	default:
		return -1;
	}
}

uint64_t cu_mod_dpp(const struct cu_wave *w, const struct cu_inst *i, uint32_t *row)
{
	uint32_t old[CU_LANES];
	uint64_t exec = cu_exec(w), lanes = 0;

	memcpy(old, row, sizeof(old));
	for (int l = 0; l < (int)CU_LANES; l++) {
		int from = dpp_lane(i->dpp_ctrl, l);
		bool valid = from >= 0 && (exec >> from & 1);
		bool enabled =
		        (i->dpp_row_mask >> (l / 16) & 1) && (i->dpp_bank_mask >> (l % 16 / 4) & 1);

		row[l] = valid ? old[from] : 0;
		if (enabled && (valid || i->bound_ctrl))
			lanes |= 1ull << l;
	}
	return lanes;
}

/* ---- sources */
static void select_part(const struct cu_src *s, uint32_t *row)
{
	unsigned shift = s->sel < 4 ? 8u * s->sel : s->sel == 5 ? 16 : 0;
	unsigned bits = s->sel < 4 ? 8 : s->sel < 6 ? 16 : 32;

	if (bits == 32)
		return;
	for (unsigned l = 0; l < CU_LANES; l++) {
		uint32_t v = row[l] << (32 - bits - shift);

		row[l] = s->sext ? (uint32_t)((int32_t)v >> (32 - bits)) : v >> (32 - bits);
	}
}

static void packed_source(const struct cu_src *s, bool is_float, uint32_t *row)
{
	uint32_t flip = is_float ? (s->neg ? 0x8000u : 0) | (s->neg_hi ? 0x80000000u : 0) : 0;

	for (unsigned l = 0; l < CU_LANES; l++) {
		uint32_t lo = s->sel ? row[l] >> 16 : row[l] & 0xffff;
		uint32_t hi = s->sel_hi ? row[l] >> 16 : row[l] & 0xffff;

		row[l] = (lo | hi << 16) ^ flip;
	}
}

/* v_mad_mix: op_sel_hi says the source is f16, op_sel which half; neg_hi means abs. */
static void mix_source(const struct cu_src *s, bool flush16, uint32_t *row)
{
	for (unsigned l = 0; l < CU_LANES; l++) {
		uint32_t v = row[l], h = s->sel ? v >> 16 : v & 0xffff;

		if (s->sel_hi)
			v = cu_u(cu_h2f(flush16 ? cu_flush16(h) : h));
		if (s->neg_hi)
			v &= 0x7fffffffu;
		row[l] = cu_flush(s->neg ? v ^ 0x80000000u : v);
	}
}

static void sign_bits(const struct cu_src *s, uint32_t bit, uint32_t *row)
{
	uint32_t keep = s->abs ? ~bit : ~0u, flip = s->neg ? bit : 0;

	for (unsigned l = 0; l < CU_LANES; l++)
		row[l] = (row[l] & keep) ^ flip;
}

/* ---- subnormals */

static uint32_t flush_pair(uint32_t v)
{
	return cu_flush16(v & 0xffff) | cu_flush16(v >> 16) << 16;
}

static void flush_row(uint8_t type, uint32_t *row)
{
	uint32_t *high = row + CU_LANES;

	for (unsigned l = 0; l < CU_LANES; l++) {
		if (type == GV9_F32)
			row[l] = cu_flush(row[l]);
		else if (type == GV9_F16)
			row[l] = cu_flush16(row[l] & 0xffff);
		else if (type == GV9_PKF16)
			row[l] = flush_pair(row[l]);
		else if (!(high[l] & 0x7ff00000u)) {
			high[l] &= 0x80000000u;
			row[l] = 0;
		}
	}
}

static bool is_float(uint8_t type)
{
	return type == GV9_F32 || type == GV9_F16 || type == GV9_PKF16 || type == GV9_F64;
}

/* Does @i flush subnormals of @type? @way: 1 on the way in, 2 out. */
static bool flushes(const struct cu_wave *w, const struct cu_inst *i, uint8_t type, uint32_t way)
{
	uint32_t kept = type == GV9_F32 ? CU_MODE_DENORM32(w->mode) : CU_MODE_DENORM64(w->mode);

	if (way == 1 && i->op->flags & GV9_F_VCCIN) /* v_div_fmas takes what it gets */
		return false;
	return is_float(type) && !(i->op->flags & GV9_F_NOFLUSH) &&
	       (i->op->flags & GV9_F_FLUSH || !(kept & way));
}

/* neg and abs are for floats only; op_sel and SDWA for all. */
void cu_mod_source(struct cu_wave *w, const struct cu_inst *i, unsigned n, uint32_t *row)
{
	const struct cu_src *s = &i->src[n];
	uint8_t type = i->op->st[n];

	if (i->op->flags & GV9_F_MIX) {
		mix_source(s, !(CU_MODE_DENORM64(w->mode) & 1), row);
		return;
	}
	if (type == GV9_PK16 || type == GV9_PKF16)
		packed_source(s, type == GV9_PKF16, row);
	else if (i->sdwa)
		select_part(s, row);
	else if (s->sel && (type == GV9_F16 || type == GV9_B16))
		for (unsigned l = 0; l < CU_LANES; l++)
			row[l] >>= 16;
	if ((s->abs || s->neg) && is_float(type) && type != GV9_PKF16)
		sign_bits(s, type == GV9_F16 ? 0x8000u : 0x80000000u,
		          type == GV9_F64 ? row + CU_LANES : row);
	if (flushes(w, i, type, 1))
		flush_row(type, row);
}

/* ---- results */
static const float omod_factor[] = {1.0f, 2.0f, 4.0f, 0.5f};

static float clamp_unit(float f, bool dx10)
{
	if (f != f)
		return dx10 ? 0 : f;
	return f > 1 ? 1 : f > 0 ? f : 0;
}

/* What is left of the result's modifiers: omod does nothing in IEEE mode or where subnormals
 * come out, and loses the sign of 0. */
struct finish {
	float factor; /* 0: no omod */
	bool clamp, dx10, max16;
	uint32_t round16;
};

static struct finish finishing(const struct cu_wave *w, const struct cu_inst *i)
{
	uint8_t type = i->op->dt;
	uint32_t kept = type == GV9_F32 ? CU_MODE_DENORM32(w->mode) : CU_MODE_DENORM64(w->mode);
	bool omod = i->omod && !(w->mode & CU_MODE_IEEE) && !(kept & 2);

	return (struct finish){.factor = omod ? omod_factor[i->omod] : 0,
	                       .clamp = i->clamp,
	                       .dx10 = w->mode & CU_MODE_DX10_CLAMP,
	                       .max16 = w->mode & CU_MODE_FP16_OVFL,
	                       .round16 = CU_MODE_ROUND64(w->mode)};
}

static float finish_float(const struct finish *fin, float f)
{
	if (fin->factor != 0)
		f = f * fin->factor + 0.0f;
	return fin->clamp ? clamp_unit(f, fin->dx10) : f;
}

static uint32_t finish_half(const struct finish *fin, uint32_t h)
{
	if ((h & 0x7fff) > 0x7c00 && !fin->dx10)
		return h; /* as it is */
	return cu_f2h_mode(finish_float(fin, cu_h2f(h)), fin->round16, fin->max16);
}

static void finish_f64(const struct finish *fin, uint32_t *row)
{
	for (unsigned l = 0; l < CU_LANES; l++) {
		double d = cu_d((uint64_t)row[CU_LANES + l] << 32 | row[l]);
		uint64_t u;

		if (fin->factor != 0)
			d = d * (double)fin->factor + 0.0;
		if (fin->clamp)
			d = d != d ? (fin->dx10 ? 0 : d) : d > 1 ? 1 : d > 0 ? d : 0;
		u = cu_ud(d);
		row[l] = (uint32_t)u;
		row[CU_LANES + l] = (uint32_t)(u >> 32);
	}
}

static void finish_row(const struct finish *fin, uint8_t type, uint32_t *row)
{
	if (type == GV9_F64) {
		finish_f64(fin, row);
		return;
	}
	for (unsigned l = 0; l < CU_LANES; l++) {
		if (type == GV9_F32)
			row[l] = cu_u(finish_float(fin, cu_f(row[l])));
		else if (type == GV9_F16)
			row[l] = finish_half(fin, row[l] & 0xffff);
		else
			row[l] = finish_half(fin, row[l] & 0xffff) | finish_half(fin, row[l] >> 16)
			                                                     << 16;
	}
}

/* Integers that are clamped are another core's: decode chose it. The host rounds as MODE says. */
void cu_mod_result(const struct cu_wave *w, const struct cu_inst *i, uint32_t *row)
{
	struct finish fin = finishing(w, i);
	uint8_t type = i->op->dt;

	if (!is_float(type))
		return;
	if (flushes(w, i, type, 2))
		flush_row(type, row);
	if (fin.factor != 0 || fin.clamp)
		finish_row(&fin, type, row);
	if (fin.factor != 0)
		flush_row(type, row);
}

static uint32_t merge_sdwa(const struct cu_inst *i, uint32_t v, uint32_t old)
{
	unsigned sel = i->dst_sel, shift = sel < 4 ? 8u * sel : sel == 5 ? 16 : 0;
	uint32_t part = sel < 4 ? 0xffu : 0xffffu;

	if (sel >= 6)
		return v;
	if (i->dst_unused == 2)
		return (old & ~(part << shift)) | (v & part) << shift;
	if (i->dst_unused == 1) {
		unsigned up = sel < 4 ? 24 : 16;

		return (uint32_t)((int32_t)(v << up) >> up) << shift;
	}
	return (v & part) << shift;
}

void cu_mod_merge(const struct cu_inst *i, uint32_t *row, const uint32_t *old)
{
	bool half = i->op->dt == GV9_B16 || i->op->dt == GV9_F16;

	if (i->sdwa) {
		for (unsigned l = 0; l < CU_LANES; l++)
			row[l] = merge_sdwa(i, row[l], old[l]);
	} else if (half && (i->op->flags & GV9_F_KEEPHI || i->op_sel_dst)) {
		for (unsigned l = 0; l < CU_LANES; l++)
			row[l] = i->op_sel_dst ? (old[l] & 0xffff) | row[l] << 16
			                       : (old[l] & 0xffff0000u) | (row[l] & 0xffff);
	}
}
