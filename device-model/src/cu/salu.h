/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Program control and hardware registers: the handlers of sopp.c for salu.c's table. */
#ifndef GV_CU_SALU_H
#define GV_CU_SALU_H

#include "state.h"

#define CU_HANDLER(name) void cu_s_##name(struct cu_wave *w, const struct cu_inst *i)

CU_HANDLER(getreg);
CU_HANDLER(setreg);
CU_HANDLER(nothing);
CU_HANDLER(endpgm);
CU_HANDLER(branch);
CU_HANDLER(cbranch_scc0);
CU_HANDLER(cbranch_scc1);
CU_HANDLER(cbranch_vccz);
CU_HANDLER(cbranch_vccnz);
CU_HANDLER(cbranch_execz);
CU_HANDLER(cbranch_execnz);
CU_HANDLER(barrier);
CU_HANDLER(sleep);
CU_HANDLER(sendmsg);
CU_HANDLER(trap);
CU_HANDLER(icache_inv);
CU_HANDLER(gpr_idx_off);
CU_HANDLER(gpr_idx_mode);

#endif
