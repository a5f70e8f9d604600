/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Branches, barriers, messages, hardware registers. */
#include <gv/base.h>

#include "salu.h"

static void jump(struct cu_wave *w, const struct cu_inst *i)
{
	if (__builtin_expect(i->target != NULL, 1))
		w->ip = i->target;
	else
		cu_goto(w, cu_pc(w, i) + 4 + (uint64_t)((int64_t)i->simm * 4));
}

static void jump_if(struct cu_wave *w, const struct cu_inst *i, bool taken)
{
	if (taken)
		jump(w, i);
}

CU_HANDLER(branch)
{
	jump(w, i);
}

CU_HANDLER(cbranch_scc0)
{
	jump_if(w, i, !w->scc);
}

CU_HANDLER(cbranch_scc1)
{
	jump_if(w, i, w->scc);
}

CU_HANDLER(cbranch_vccz)
{
	jump_if(w, i, !cu_rd64(&w->s[CU_VCC]));
}

CU_HANDLER(cbranch_vccnz)
{
	jump_if(w, i, cu_rd64(&w->s[CU_VCC]));
}

CU_HANDLER(cbranch_execz)
{
	jump_if(w, i, !cu_exec(w));
}

CU_HANDLER(cbranch_execnz)
{
	jump_if(w, i, cu_exec(w));
}

CU_HANDLER(nothing)
{
	(void)w;
	(void)i;
}

CU_HANDLER(endpgm)
{
	(void)i;
	cu_end_wave(w);
}

CU_HANDLER(barrier)
{
	(void)i;
	w->run->n.barriers++;
	w->state = CU_AT_BARRIER;
	w->attention |= CU_STOP;
}

/* Somebody else's turn: a sleeping wave waits for another wave's store. */
CU_HANDLER(sleep)
{
	(void)i;
	w->attention |= CU_STOP;
}

CU_HANDLER(sendmsg)
{
	(void)i;
	w->run->n.messages++;
}

CU_HANDLER(sendmsghalt)
{
	cu_s_sendmsg(w, i);
	cu_set_halt(w, true);
}

CU_HANDLER(trap)
{
	cu_trap(w, i, (unsigned)i->simm & 0xff);
}

CU_HANDLER(sethalt)
{
	cu_set_halt(w, i->simm & 1);
}

CU_HANDLER(icache_inv)
{
	(void)i;
	cu_code_forget(w->run);
}

CU_HANDLER(gpr_idx_off)
{
	(void)i;
	w->mode &= ~CU_MODE_GPR_IDX_EN;
	cu_mode_changed(w);
}

CU_HANDLER(gpr_idx_mode)
{
	w->s[CU_M0] = (w->s[CU_M0] & ~0xf000u) | ((uint32_t)i->simm & 0xfu) << 12;
}

/* ---- forks: the lanes that pass and those that do not go separate ways. The smaller half goes
 * first; the other waits, as mask and address in four SGPRs, for s_cbranch_join. */
static void push_path(struct cu_wave *w, uint64_t mask, uint64_t to)
{
	uint32_t csp = CU_MODE_CSP(w->mode);

	cu_wr64(&w->s[4 * csp], mask);
	cu_wr64(&w->s[4 * csp + 2], to);
	w->mode += 1u << CU_MODE_CSP_SHIFT; /* of its three bits the carry is lost */
}

static void fork_lanes(struct cu_wave *w, uint64_t mask, uint64_t next, uint64_t target)
{
	uint64_t exec = cu_exec(w), pass = mask & exec, fail = ~mask & exec;
	bool fail_first = __builtin_popcountll(fail) < __builtin_popcountll(pass);

	if (pass == exec) {
		cu_goto(w, target);
	} else if (fail != exec) {
		push_path(w, fail_first ? pass : fail, fail_first ? target : next);
		cu_wr64(&w->s[CU_EXEC], fail_first ? fail : pass);
		if (!fail_first)
			cu_goto(w, target);
	}
}

CU_HANDLER(cbranch_g_fork)
{
	uint64_t source[2];

	for (unsigned n = 0; n < 2; n++)
		source[n] = cu_scalar64(w, i, n);
	fork_lanes(w, source[0], cu_pc(w, i) + 4u * i->len, source[1]);
}

CU_HANDLER(cbranch_i_fork)
{
	uint64_t next = cu_pc(w, i) + 4;

	fork_lanes(w, cu_rd64(&w->s[i->dst]), next, next + (uint64_t)((int64_t)i->simm * 4));
}

CU_HANDLER(cbranch_join)
{
	uint32_t saved = cu_scalar32(w, i, 0);
	uint32_t *path;

	if (CU_MODE_CSP(w->mode) == saved)
		return; /* both have been here */
	w->mode -= 1u << CU_MODE_CSP_SHIFT;
	path = &w->s[4 * CU_MODE_CSP(w->mode)];
	cu_wr64(&w->s[CU_EXEC], cu_rd64(path));
	cu_goto(w, cu_rd64(path + 2));
}

/* ---- hardware registers; which bits mean what: AMD Vega ISA, 3.8 and 5.7 */
enum {
	HW_MODE = 1,
	HW_STATUS,
	HW_TRAPSTS,
	HW_ID,
	HW_GPR_ALLOC,
	HW_LDS_ALLOC,
	HW_IB_STS,
	HW_SH_MEM_BASES = 15,
	HW_TBA_LO,
	HW_TBA_HI,
	HW_TMA_LO,
	HW_TMA_HI,
};

static uint32_t status(const struct cu_wave *w)
{
	return (w->scc & 1) | (uint32_t)w->priv << 5 | (uint32_t)!cu_exec(w) << 9 |
	       (uint32_t)!cu_rd64(&w->s[CU_VCC]) << 10 | /* VCCZ, before it EXECZ */
	       (uint32_t)(w->run->num_waves > 1) << 11 | /* IN_TG */
	       (uint32_t)w->halt << 13 | 1u << 16;       /* VALID */
}

static uint32_t gpr_alloc(const struct cu_wave *w)
{
	/* in units of 4 VGPRs and of 16 SGPRs, less one; RSRC1 counts 8 SGPRs */
	return (w->run->num_vgprs / 4 - 1) << 8 | CU_RSRC1_SGPRS(w->run->d.rsrc1) / 2 << 24;
}

static uint32_t hw_read(const struct cu_wave *w, unsigned id)
{
	const struct gv_cu_run *run = w->run;

	switch (id) {
	case HW_MODE:
		return w->mode;
	case HW_STATUS:
		return status(w);
	case HW_TRAPSTS:
		return w->trapsts & ~CU_TRAPSTS_WATCHED;
	case HW_ID: /* WAVE_ID and SIMD_ID: four SIMDs share the waves */
		return (w->index / 4 & 15) | (w->index & 3) << 4;
	case HW_GPR_ALLOC:
		return gpr_alloc(w);
	case HW_LDS_ALLOC: /* LDS_SIZE in units of 256 bytes */
		return run->lds_bytes / 256 << 12;
	case HW_SH_MEM_BASES:
		return (uint32_t)(run->d.private_base >> 48) | (uint32_t)(run->d.shared_base >> 48)
		                                                       << 16;
	case HW_TBA_LO: /* as the registers SQ_SHADER_TBA and TMA have them */
		return (uint32_t)(run->d.tba >> 8);
	case HW_TBA_HI:
		return (uint32_t)(run->d.tba >> 40);
	case HW_TMA_LO:
		return (uint32_t)(run->d.tma >> 8);
	case HW_TMA_HI:
		return (uint32_t)(run->d.tma >> 40);
	default: /* IB_STS too: nothing is ever in flight here */
		return 0;
	}
}

CU_HANDLER(getreg)
{
	uint32_t k = (uint16_t)i->simm, v = hw_read(w, k & 63), bits = (k >> 11 & 31) + 1;

	if ((k & 63) == HW_TRAPSTS)
		cu_watch_exceptions(w);
	v >>= k >> 6 & 31;
	w->s[i->dst] = bits < 32 ? v & ((1u << bits) - 1) : v;
}

/* MODE and TRAPSTS can be written; the others are what the dispatch made them. */
CU_HANDLER(setreg)
{
	uint32_t k = (uint16_t)i->simm, bits = (k >> 11 & 31) + 1, at = k >> 6 & 31;
	uint32_t mask = (bits < 32 ? (1u << bits) - 1 : ~0u) << at;
	uint32_t v = (i->len == 2 ? i->word[1] : w->s[i->dst]) << at & mask;

	if ((k & 63) == HW_TRAPSTS) {
		w->trapsts = (w->trapsts & ~mask) | v;
		cu_watch_exceptions(w);
	}
	if ((k & 63) != HW_MODE)
		return;
	w->mode = (w->mode & ~mask) | v;
	cu_mode_changed(w);
}

bool cu_salu_is_straight(const struct cu_op *op)
{
	static const cu_fn turns[] = {cu_s_cbranch_g_fork, cu_s_cbranch_i_fork, cu_s_cbranch_join,
	                              cu_s_setpc_b64,      cu_s_swappc_b64,     cu_s_call_b64,
	                              cu_s_rfe_b64,        cu_s_setreg,         cu_s_getreg,
	                              cu_s_setvskip,       cu_s_set_gpr_idx_on};

	for (size_t n = 0; n < GV_ARRAY_LEN(turns); n++)
		if (op->fn == turns[n])
			return false;
	return op->format < GV9_SOPP || op->fn == cu_s_nothing;
}
