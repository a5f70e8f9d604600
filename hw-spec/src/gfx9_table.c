/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rows of the instruction set as an array. */
#include <gv/gfx9.h>

#define SALU(f, n, nm, d, s0, s1, im, behaviour)    {GV_GFX9_SALU(f, n, nm, d, s0, s1, im)},
#define VOP(f, n, nm, d, s0, s1, s2, fl, behaviour) {GV_GFX9_VOP(f, n, nm, d, s0, s1, s2, fl)},
#define MEM(f, n, nm, d, fl, behaviour)             {GV_GFX9_MEM(f, n, nm, d, fl)},

const struct gv_gfx9_op gv_gfx9_ops[] = {
#include <gv/gfx9_salu.def>
#include <gv/gfx9_vop.def>
#include <gv/gfx9_mem.def>
#include <gv/gfx9_gfx.def>
};
const size_t gv_gfx9_num_ops = sizeof(gv_gfx9_ops) / sizeof(gv_gfx9_ops[0]);
