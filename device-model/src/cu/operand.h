/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fields of each format into a cu_inst. 0, -EINVAL (no such register), -EOPNOTSUPP. */
#ifndef GV_CU_OPERAND_H
#define GV_CU_OPERAND_H

#include "state.h"

int cu_operands_salu(const struct gv_cu_run *run, const uint32_t word[2], struct cu_inst *i);
int cu_operands_smem(const uint32_t word[2], struct cu_inst *i);
int cu_operands_short(const struct gv_cu_run *run, const uint32_t word[2], struct cu_inst *i);
int cu_operands_vop3(const struct gv_cu_run *run, const uint32_t word[2], struct cu_inst *i);
int cu_operands_vop3p(const struct gv_cu_run *run, const uint32_t word[2], struct cu_inst *i);
int cu_operands_mem(const struct gv_cu_run *run, const uint32_t word[2], struct cu_inst *i);

/** One source by its 9-bit code, read as @type. */
int cu_source(const struct gv_cu_run *run, struct cu_inst *i, unsigned n, unsigned code,
              uint8_t type);
/** Are registers [reg, reg + count) the wave's? */
int cu_check_vgprs(const struct gv_cu_run *run, unsigned reg, unsigned count);
int cu_check_sgprs(unsigned reg, unsigned count);

#endif
