/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rows of hw-spec with what executes them: their last column. */
#include <gv/gfx9.h>

#include "cores_id.h"
#include "memop.h"
#include "salu.h"
#include "valu_special.h"

/* Behaviour: a core of cores.def, one with another for clamp, a handler that does everything, a
 * handler of memory operations and their kind; or nothing, the instruction is only known. */
#define CORE(c)      .core = CU_CORE_##c
#define CORES(c, cc) .core = CU_CORE_##c, .clamp_core = CU_CORE_##cc
#define HANDLER(h)   .fn = h
#define ACCESS(h, k) .fn = h, .kind = CU_MEM_##k
#define ATOMIC(h, k) .fn = h, .kind = CU_AT_##k
#define NOT_DONE     .fn = NULL

/* clang-format off */
#define SALU(f, n, nm, d, s0, s1, im, behaviour)    {GV_GFX9_SALU(f, n, nm, d, s0, s1, im), behaviour},
#define VOP(f, n, nm, d, s0, s1, s2, fl, behaviour) {GV_GFX9_VOP(f, n, nm, d, s0, s1, s2, fl), behaviour},
#define MEM(f, n, nm, d, fl, behaviour)             {GV_GFX9_MEM(f, n, nm, d, fl), behaviour},
/* clang-format on */

static const struct cu_op rows[] = {
#include <gv/gfx9_salu.def>
#include <gv/gfx9_vop.def>
#include <gv/gfx9_mem.def>
#include <gv/gfx9_gfx.def>
};

const struct cu_table cu_table = {rows, sizeof(rows) / sizeof(rows[0])};
