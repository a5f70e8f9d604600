/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Operands of a decoded instruction into a cu_inst, with a look at what the wave has. 0; -EINVAL:
 * a register that the wave does not have; -EOPNOTSUPP: not interpreted.
 */
#ifndef GV_CU_OPERAND_H
#define GV_CU_OPERAND_H

#include "state.h"

int cu_bind_salu(const struct gv_cu_run *run, const struct gv_gfx9_inst *in, struct cu_inst *i);
int cu_bind_valu(const struct gv_cu_run *run, const struct gv_gfx9_inst *in, struct cu_inst *i);
int cu_bind_mem(const struct gv_cu_run *run, const struct gv_gfx9_inst *in, struct cu_inst *i);

/** Source @n of @i is @o. */
int cu_bind_source(const struct gv_cu_run *run, struct cu_inst *i, unsigned n,
                   const struct gv_gfx9_operand *o);
/** The number of a register in its file; are these VGPRs the wave's? */
int cu_bind_register(const struct gv_cu_run *run, const struct gv_gfx9_operand *o, uint8_t *reg);

#endif
