/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a VF may do: see its frame buffer, ring doorbells, write registers. */
#include "pf.h"

/* A gate is one bit per VF in one or two registers. */
static const struct {
	unsigned gate;
	uint32_t byte;
} gates[] = {
        {PF_GATE_FB, GVX_VF_FB_EN__BYTE},
        {PF_GATE_DOORBELL, GVX_VF_DOORBELL_EN__BYTE},
        {PF_GATE_REGWR, GVX_VF_REGWR_EN__BYTE},
        {PF_GATE_REGWR, RLC_GPM_GENERAL_14__BYTE}, /* indirect register access */
};

static void set(struct gv_pf *pf, unsigned vf, unsigned which, bool open)
{
	for (size_t i = 0; i < GV_ARRAY_LEN(gates); i++) {
		uint32_t was;

		if (!(which & gates[i].gate))
			continue;
		was = gv_rd32(pf->bus, gates[i].byte);
		gv_wr32(pf->bus, gates[i].byte, open ? was | 1u << vf : was & ~(1u << vf));
	}
}

void pf_gates_open(struct gv_pf *pf, unsigned vf, unsigned which)
{
	if (which & PF_GATE_FB)
		pf_scrub_dirty(pf, vf);
	set(pf, vf, which & ~pf->vf[vf].shut, true);
	pf->vf[vf].gates |= which;
	pf_session_note(pf, vf); /* after: what is noted as open and is shut was reset */
}

void pf_gates_close(struct gv_pf *pf, unsigned vf, unsigned which)
{
	pf->vf[vf].gates &= ~which;
	pf_session_note(pf, vf);
	set(pf, vf, which, false);
}

void pf_gates_hold(struct gv_pf *pf, unsigned vf, bool on)
{
	struct pf_vf *v = &pf->vf[vf];

	v->shut = on ? PF_GATE_DOORBELL : 0;
	set(pf, vf, v->gates & PF_GATE_DOORBELL, !on);
}

void pf_gates_close_all(struct gv_pf *pf)
{
	for (size_t i = 0; i < GV_ARRAY_LEN(gates); i++)
		gv_wr32(pf->bus, gates[i].byte, 0);
	for (unsigned vf = 0; vf < GV_PF_MAX_VFS; vf++)
		pf->vf[vf].gates = 0;
}

void pf_gates_read(struct gv_pf *pf, struct pf_gate_words *words)
{
	_Static_assert(GV_ARRAY_LEN(gates) == GV_ARRAY_LEN(words->word), "one word each");
	for (size_t i = 0; i < GV_ARRAY_LEN(gates); i++)
		words->word[i] = gv_rd32(pf->bus, gates[i].byte);
}

unsigned pf_gates_of(const struct pf_gate_words *words, unsigned vf)
{
	unsigned open = PF_GATE_ALL;

	for (size_t i = 0; i < GV_ARRAY_LEN(gates); i++)
		if (!(words->word[i] >> vf & 1))
			open &= ~gates[i].gate;
	return open;
}

unsigned pf_gates(struct gv_pf *pf, unsigned vf)
{
	struct pf_gate_words words;

	pf_gates_read(pf, &words);
	return pf_gates_of(&words, vf);
}
