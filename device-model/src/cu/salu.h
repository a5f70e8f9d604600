/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The handlers that gfx9_salu.def names: salu.c (arithmetic), sopp.c (program control). */
#ifndef GV_CU_SALU_H
#define GV_CU_SALU_H

#include "state.h"

#define CU_HANDLER(name) void cu_s_##name(struct cu_wave *w, const struct cu_inst *i)

/* clang-format off */
#define DECLARE_HANDLER(h) void h(struct cu_wave *w, const struct cu_inst *i);
#define DECLARE_NOT_DONE
#define SALU(f, n, nm, d, s0, s1, im, behaviour) DECLARE_##behaviour
#include <gv/gfx9_salu.def>
#undef SALU
/* clang-format on */

/** See cu_inst.straight. */
bool cu_salu_is_straight(const struct cu_op *op);

#endif
