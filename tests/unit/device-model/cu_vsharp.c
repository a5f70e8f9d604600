/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gv/base.h>

#include <string.h>

#include "cu_vsharp.h"

enum { OFFEN = 1, IDXEN = 2, GLC = 4 };

/* ---- where */
static uint32_t index_of(const struct cu_vsharp *b, const struct cu_model *m, unsigned lane)
{
	return (b->idxen ? m->v[CU_VSHARP_ADDR][lane] : 0) + (b->tid ? lane : 0);
}

static uint32_t offset_of(const struct cu_vsharp *b, const struct cu_model *m, unsigned lane)
{
	return b->imm + (b->offen ? m->v[CU_VSHARP_ADDR + b->idxen][lane] : 0);
}

static uint64_t buffer_offset(const struct cu_vsharp *b, const struct cu_model *m, unsigned lane,
                              uint32_t byte)
{
	uint64_t index = index_of(b, m, lane), o = (uint64_t)offset_of(b, m, lane) + byte,
	         is = b->index_stride;

	if (!b->swizzle)
		return index * b->stride + o;
	return (index / is * b->stride + o / 4 * 4) * is + index % is * 4 + o % 4;
}

/* Bytes [first, first + n) of the lane's access: one component. */
static bool fits(const struct cu_vsharp *b, const struct cu_model *m, unsigned lane, uint32_t first,
                 uint32_t n)
{
	if (b->stride && (b->idxen || b->tid))
		return index_of(b, m, lane) < b->records &&
		       (uint64_t)offset_of(b, m, lane) + first + n <= b->stride;
	return buffer_offset(b, m, lane, first) + b->soffset + n <= b->records;
}

static bool in_range(const struct cu_vsharp *b, const struct cu_model *m, unsigned lane,
                     uint32_t byte)
{
	uint32_t first = byte / 4 * 4;

	for (uint32_t c = 0; b->whole && c < b->bytes; c += 4)
		if (!fits(b, m, lane, c, GV_MIN(b->bytes - c, 4u)))
			return false;
	return b->whole || fits(b, m, lane, first, GV_MIN(b->bytes - first, 4u));
}

uint8_t *cu_vsharp_byte(const struct cu_vsharp *b, struct cu_model *m, unsigned lane, uint32_t byte)
{
	if (!in_range(b, m, lane, byte))
		return NULL;
	return cu_model_at(m, b->base + b->soffset + buffer_offset(b, m, lane, byte));
}

/* ---- a buffer; what is in its range is in the memory, so that nothing faults by itself */
void cu_vsharp_choose(struct cu_vsharp *b)
{
	b->stride = cu_one_below(3) ? 4 * (1 + cu_one_below(12)) : 0;
	b->swizzle = cu_one_below(2);
	b->tid = cu_one_below(3) == 0;
	b->idxen = cu_one_below(2);
	b->offen = cu_one_below(2);
	b->index_stride = 8u << cu_one_below(4);
	b->records =
	        b->stride && (b->idxen || b->tid) ? 1 + cu_one_below(200) : 4 * cu_one_below(6000);
	b->soffset = cu_one_below(3) ? 4 * cu_one_below(64) : 0;
	b->imm = cu_one_below(3) ? cu_one_below(b->stride ? b->stride + 4 : 256) : 0;
	b->base = CU_ONE_VA + 4 * cu_one_below(1000);
}

void cu_vsharp_align(struct cu_vsharp *b, uint32_t align)
{
	b->imm -= b->imm % align;
	b->soffset -= b->soffset % 8;
	b->base -= b->base % 8;
}

void cu_vsharp_set(const struct cu_vsharp *b, struct cu_model *m)
{
	uint32_t *s = &m->o.w->s[CU_VSHARP_SRSRC];

	s[0] = (uint32_t)b->base;
	s[1] = (uint32_t)(b->base >> 32) | b->stride << 16 | (uint32_t)b->swizzle << 31;
	s[2] = b->records;
	s[3] = b->sel[0] | b->sel[1] << 3 | b->sel[2] << 6 | b->sel[3] << 9 | b->nfmt << 12 |
	       (uint32_t)__builtin_ctz(b->index_stride / 8) << 21 | (uint32_t)b->tid << 23;
	if (!b->tid) /* the format's place is then the top of the stride */
		s[3] |= b->dfmt << 15;
	m->o.w->s[CU_VSHARP_SOFFSET] = b->soffset;
}

void cu_vsharp_lanes(const struct cu_vsharp *b, struct cu_model *m, uint32_t align)
{
	for (unsigned l = 0; l < CU_LANES; l++) {
		uint32_t o = cu_one_below(b->stride && (b->idxen || b->tid) ? b->stride + 4
		                                                            : b->records + 64);
		unsigned reg = CU_VSHARP_ADDR;

		if (b->idxen)
			m->o.w->v[reg++][l] = cu_one_below(b->stride ? b->records + 4 : 256);
		m->o.w->v[reg][l] = o / align * align;
		if (cu_one_below(50) == 0)
			m->o.w->v[reg][l] = 0u - align * (1 + cu_one_below(16));
	}
}

unsigned cu_vsharp_mode(const struct cu_vsharp *b)
{
	return (b->offen ? OFFEN : 0u) | (b->idxen ? IDXEN : 0u) | (b->glc ? GLC : 0u);
}

void cu_vsharp_load(const struct cu_vsharp *b, struct cu_model *m, unsigned lane, uint8_t to[16])
{
	memset(to, 0, 16);
	for (unsigned n = 0; n < b->bytes; n++) {
		const uint8_t *from = cu_vsharp_byte(b, m, lane, n);

		to[n] = from ? *from : 0;
	}
}
