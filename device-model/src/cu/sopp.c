/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Branches, barriers, messages, hardware registers. */
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
	w->attention &= ~(uint32_t)CU_GPR_IDX;
}

CU_HANDLER(gpr_idx_mode)
{
	w->s[CU_M0] = (w->s[CU_M0] & ~0xf000u) | ((uint32_t)i->simm & 0xfu) << 12;
}

/* ---- hardware registers */
enum {
	HW_MODE = 1,
	HW_STATUS,
	HW_TRAPSTS,
	HW_ID,
	HW_GPR_ALLOC,
	HW_LDS_ALLOC,
	HW_IB_STS,
	HW_SH_MEM_BASES = 15
};

static uint32_t hw_read(const struct cu_wave *w, unsigned id)
{
	const struct gv_cu_run *run = w->run;

	switch (id) {
	case HW_MODE:
		return w->mode;
	case HW_STATUS: /* SCC, EXECZ, VCCZ, VALID */
		return (w->scc & 1) | (uint32_t)!cu_exec(w) << 9 |
		       (uint32_t)!cu_rd64(&w->s[CU_VCC]) << 10 | 1u << 16;
	case HW_ID: /* WAVE_ID */
		return w->index & 15;
	case HW_GPR_ALLOC:
		return (w->num_vgprs / 4 - 1) << 8;
	case HW_LDS_ALLOC:
		return (run->lds_bytes / 512) << 12;
	case HW_SH_MEM_BASES:
		return (uint32_t)(run->d.private_base >> 48) | (uint32_t)(run->d.shared_base >> 48)
		                                                       << 16;
	default:
		return 0;
	}
}

CU_HANDLER(getreg)
{
	uint32_t k = (uint16_t)i->simm, v = hw_read(w, k & 63), bits = (k >> 11 & 31) + 1;

	v >>= k >> 6 & 31;
	w->s[i->dst] = bits < 32 ? v & ((1u << bits) - 1) : v;
}

/* Only MODE can be written by a shader here. */
CU_HANDLER(setreg)
{
	uint32_t k = (uint16_t)i->simm, bits = (k >> 11 & 31) + 1, at = k >> 6 & 31;
	uint32_t mask = (bits < 32 ? (1u << bits) - 1 : ~0u) << at;
	uint32_t v = i->len == 2 ? i->word[1] : w->s[i->dst];

	if ((k & 63) != HW_MODE)
		return;
	w->mode = (w->mode & ~mask) | (v << at & mask);
	cu_mode_changed(w);
}
