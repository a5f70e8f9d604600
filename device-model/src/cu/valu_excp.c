/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TRAPSTS.EXCP: which exceptions floating point operations met. Looking for them costs, so it is
 * done for waves that look at TRAPSTS (or cleared it, or enabled a trap) and from then on; all
 * their float operations then go through cu_valu_slow(). What a NaN or an infinity tells is found
 * lane by lane; underflow and inexact are what the host's arithmetic says, and known only for the
 * operations of f32 and f64 that are one operation of the host.
 */
#include <fenv.h>

#include "cores_id.h"
#include "cores_math.h"
#include "state.h"

enum {
	INVALID = 1,
	DENORMAL = 2,
	DIV0 = 4,
	OVERFLOW = 8,
	UNDERFLOW = 16,
	INEXACT = 32,
	INT_DIV0 = 64
};

enum { RCP_IFLAG = 35 }; /* VOP1: it is for dividing integers */

/* Of one number; SMALL: a subnormal, LOUD: a NaN that signals. */
enum { ZERO = 1, SMALL = 2, INFINITE = 4, NOT_A_NUMBER = 8, LOUD = 16 };

static unsigned kind(uint64_t v, unsigned fraction, unsigned exponent)
{
	uint64_t m = v & ((1ull << fraction) - 1), e = v >> fraction & ((1u << exponent) - 1);

	if (e == 0)
		return m ? SMALL : ZERO;
	if (e != (1u << exponent) - 1)
		return 0;
	return !m ? INFINITE : NOT_A_NUMBER | (m >> (fraction - 1) ? 0 : LOUD);
}

static unsigned kind_of(uint8_t type, const uint32_t *row, unsigned lane)
{
	uint32_t lo = row[lane];

	switch (type) {
	case GV9_F32:
		return kind(lo, 23, 8);
	case GV9_F64:
		return kind((uint64_t)row[CU_LANES + lane] << 32 | lo, 52, 11);
	case GV9_F16:
		return kind(lo & 0xffff, 10, 5);
	case GV9_PKF16:
		return kind(lo & 0xffff, 10, 5) | kind(lo >> 16, 10, 5);
	default:
		return 0;
	}
}

/* An infinity made of what is finite: by these a division by zero, else an overflow. */
static uint32_t from_zero(unsigned core)
{
	switch (core) {
	case CU_CORE_rcp_f32:
	case CU_CORE_rcp_f16:
	case CU_CORE_rcp_f64:
	case CU_CORE_rsq_f32:
	case CU_CORE_rsq_f16:
	case CU_CORE_rsq_f64:
	case CU_CORE_log_f32:
	case CU_CORE_log_f16:
	case CU_CORE_div_fixup_f32:
	case CU_CORE_div_fixup_f64:
	case CU_CORE_div_fixup_f16:
		return DIV0;
	default:
		return 0;
	}
}

static bool is_one_operation(unsigned core)
{
	switch (core) {
	case CU_CORE_add_f32:
	case CU_CORE_sub_f32:
	case CU_CORE_subrev_f32:
	case CU_CORE_mul_f32:
	case CU_CORE_fma_f32:
	case CU_CORE_sqrt_f32:
	case CU_CORE_add_f64:
	case CU_CORE_mul_f64:
	case CU_CORE_fma_f64:
	case CU_CORE_sqrt_f64:
	case CU_CORE_cvt_f32_f64:
	case CU_CORE_cvt_f32_i32:
		return true;
	default:
		return false;
	}
}

void cu_excp_begin(struct cu_wave *w, const struct cu_inst *i, uint64_t lanes)
{
	unsigned first = lanes ? (unsigned)__builtin_ctzll(lanes) : 0;

	/* lanes that are off do as one that is on */
	for (unsigned n = 0; n < i->nsrc; n++)
		for (unsigned l = 0; l < CU_LANES; l++)
			if (!(lanes >> l & 1)) {
				w->tmp[n][l] = w->tmp[n][first];
				w->tmp[n][CU_LANES + l] = w->tmp[n][CU_LANES + first];
			}
	(void)feclearexcept(FE_ALL_EXCEPT);
}

static uint32_t of_lane(const struct cu_wave *w, const struct cu_inst *i, unsigned lane)
{
	unsigned all = 0, result = kind_of(i->op->dt, w->tmp[3], lane);
	uint32_t zero = from_zero(i->op->core), excp = 0;

	for (unsigned n = 0; n < i->nsrc; n++)
		all |= kind_of(i->op->st[n], w->tmp[n], lane);
	excp |= all & LOUD ? INVALID : 0;
	excp |= all & SMALL ? DENORMAL : 0;
	if (result & NOT_A_NUMBER && !(all & NOT_A_NUMBER))
		excp |= INVALID;
	if (result & INFINITE && !(all & (INFINITE | NOT_A_NUMBER)))
		excp |= zero && all & ZERO ? zero : OVERFLOW | INEXACT;
	return excp;
}

void cu_excp_end(struct cu_wave *w, const struct cu_inst *i, uint64_t lanes)
{
	int host = is_one_operation(i->op->core) ? fetestexcept(FE_UNDERFLOW | FE_INEXACT) : 0;
	uint32_t excp = (host & FE_UNDERFLOW ? UNDERFLOW : 0) | (host & FE_INEXACT ? INEXACT : 0);

	if (!lanes)
		return;
	for (unsigned l = 0; l < CU_LANES; l++)
		if (lanes >> l & 1)
			excp |= of_lane(w, i, l);
	if (excp & DIV0 && i->op->format == GV9_VOP1 && i->op->num == RCP_IFLAG)
		excp = (excp & ~(uint32_t)DIV0) | INT_DIV0;
	w->trapsts |= excp;
}
