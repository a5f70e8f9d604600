/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the gfx9 decoder share. */
#ifndef GV_GFX9_BITS_H
#define GV_GFX9_BITS_H

#include <errno.h>

#include <gv/gfx9.h>

/* The fields of a format into @in, whose op and words are set. 0 or -EINVAL. */
int gv_gfx9_fields_short(struct gv_gfx9_inst *in); /* VOP1, VOP2, VOPC */
int gv_gfx9_fields_vop3(struct gv_gfx9_inst *in);
int gv_gfx9_fields_vop3p(struct gv_gfx9_inst *in);
int gv_gfx9_fields_vintrp(struct gv_gfx9_inst *in);
int gv_gfx9_fields_smem(struct gv_gfx9_inst *in);
int gv_gfx9_fields_ds(struct gv_gfx9_inst *in);
int gv_gfx9_fields_flat(struct gv_gfx9_inst *in);
int gv_gfx9_fields_buffer(struct gv_gfx9_inst *in); /* MUBUF, MTBUF */
int gv_gfx9_fields_image(struct gv_gfx9_inst *in);
int gv_gfx9_fields_export(struct gv_gfx9_inst *in);

/* One operand more, without checks. */
struct gv_gfx9_operand *gv_gfx9_add(struct gv_gfx9_inst *in, enum gv_gfx9_role role, unsigned code,
                                    unsigned dwords);
/* One more of the kind named: 0, or -EINVAL when there is no such register or constant. */
int gv_gfx9_add_vgpr(struct gv_gfx9_inst *in, enum gv_gfx9_role role, unsigned reg,
                     unsigned dwords);
int gv_gfx9_add_sgpr(struct gv_gfx9_inst *in, enum gv_gfx9_role role, unsigned code,
                     unsigned dwords);
int gv_gfx9_add_source(struct gv_gfx9_inst *in, enum gv_gfx9_role role, unsigned code,
                       uint8_t type);

static inline uint32_t gv_gfx9_bits(uint32_t w, unsigned lo, unsigned n)
{
	return w >> lo & ((1u << n) - 1);
}

static inline bool gv_gfx9_bit(uint32_t w, unsigned at)
{
	return w >> at & 1;
}

/* Bits that the instruction has no use for. */
static inline void gv_gfx9_unused(struct gv_gfx9_inst *in, uint32_t bits)
{
	in->loose |= bits != 0;
}

static inline unsigned gv_gfx9_dwords(uint8_t type)
{
	return type == GV9_B64 || type == GV9_F64 ? 2 : 1;
}

static inline bool gv_gfx9_is_half(uint8_t type)
{
	return type == GV9_B16 || type == GV9_F16 || type == GV9_PK16 || type == GV9_PKF16;
}

/* Source codes that are a number, integer or float, and no register or literal. */
static inline bool gv_gfx9_is_number(unsigned code)
{
	return (code >= GV9_INT_0 && code < GV9_SHARED_BASE) ||
	       (code >= GV9_FLOATS && code < GV9_SDWA);
}

static inline bool gv_gfx9_is_float(uint8_t type)
{
	return type == GV9_F16 || type == GV9_F32 || type == GV9_F64;
}

#endif
