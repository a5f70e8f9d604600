/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cores_id.h"
#include "ramp.h"
#include "valu_special.h"

/* Source 0 of one lane. */
static uint32_t lane_of(const struct cu_wave *w, const struct cu_inst *i, unsigned lane)
{
	unsigned reg = i->src[0].reg;

	if (i->src[0].kind != CU_SRC_VGPR)
		return cu_scalar32(w, i, 0);
	return cu_ramp_is(w, reg) ? w->ramp_base[reg] + w->ramp_step[reg] * lane : w->v[reg][lane];
}

void cu_v_nop(struct cu_wave *w, const struct cu_inst *i)
{
	(void)w;
	(void)i;
}

void cu_v_clrexcp(struct cu_wave *w, const struct cu_inst *i)
{
	(void)i;
	w->trapsts &= ~CU_TRAPSTS_EXCP;
	cu_watch_exceptions(w);
}

void cu_v_readfirstlane(struct cu_wave *w, const struct cu_inst *i)
{
	uint64_t exec = cu_exec(w);
	unsigned lane = exec ? (unsigned)__builtin_ctzll(exec) : 0;

	w->s[i->sdst] = lane_of(w, i, lane);
}

void cu_v_readlane(struct cu_wave *w, const struct cu_inst *i)
{
	unsigned lane = cu_scalar32(w, i, 1) & 63;

	w->s[i->sdst] = lane_of(w, i, lane);
}

void cu_v_writelane(struct cu_wave *w, const struct cu_inst *i)
{
	w->v[i->dst][cu_scalar32(w, i, 1) & 63] = cu_scalar32(w, i, 0);
}

void cu_v_swap(struct cu_wave *w, const struct cu_inst *i)
{
	uint32_t *a = w->v[i->dst], *b = w->v[i->src[0].reg];
	const uint32_t *m = cu_mask(w);

	for (unsigned l = 0; l < CU_LANES; l++) {
		uint32_t diff = (a[l] ^ b[l]) & m[l];

		a[l] ^= diff;
		b[l] ^= diff;
	}
}

/* The only result of four registers; decode checked dst..dst+3 and, as source, src2..src2+3. */
void cu_v_mqsad(struct cu_wave *w, const struct cu_inst *i)
{
	uint32_t row[4 * CU_LANES];
	const uint32_t *m = cu_mask(w);

	w->run->isa->cores[CU_CORE_mqsad_u32_u8](row, cu_row(w, i, 0), cu_row(w, i, 1),
	                                         w->v[i->src[2].reg], &w->aux);
	for (unsigned n = 0; n < 4; n++)
		for (unsigned l = 0; l < CU_LANES; l++)
			if (m[l])
				w->v[i->dst + n][l] = row[n * CU_LANES + l];
}

uint32_t cu_lds_direct(const struct cu_wave *w)
{
	/* M0[18:16]: AMD Vega ISA, 10.1; a type that is not there reads 0 */
	static const struct {
		uint8_t bytes, is_signed;
	} type[8] = {{1, 0}, {2, 0}, {4, 0}, {0, 0}, {1, 1}, {2, 1}};
	uint32_t at = w->s[CU_M0] & 0xffff, t = cu_bits(w->s[CU_M0], 16, 3), v = 0;
	uint32_t bytes = type[t].bytes, unused = 32 - 8 * bytes;

	if (bytes == 0 || w->run->lds_bytes < bytes || at > w->run->lds_bytes - bytes)
		return 0;
	memcpy(&v, w->run->lds + at, bytes);
	return type[t].is_signed ? (uint32_t)((int32_t)(v << unused) >> unused) : v;
}
