/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text of one instruction that grows to the right and never past its buffer. */
#ifndef GV_GFX9_TEXT_H
#define GV_GFX9_TEXT_H

#include "gfx9_bits.h"

struct gv_gfx9_text {
	char *buf;
	size_t bytes, used; /* used < bytes, and buf[used] is the 0 */
};

__attribute__((format(printf, 2, 3))) void gv_gfx9_put(struct gv_gfx9_text *t, const char *fmt,
                                                       ...);

/* What stands where an operand would: constants, counters, messages, attributes, offsets. */
void gv_gfx9_put_imm(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in);
/* What follows the operands. */
void gv_gfx9_put_suffix(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in);
/* " mrt0" */
void gv_gfx9_put_target(struct gv_gfx9_text *t, const struct gv_gfx9_inst *in);

#endif
