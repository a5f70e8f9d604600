/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where LLVM 14 and the table may differ. docs/isa.md has these rows and says why. */
#include <string.h>

#include "isa_sample.h"

struct reason {
	const char *text;
	bool (*applies)(const struct isa_sample *s, const struct gv_gfx9_inst *in);
};

static bool bit(uint32_t w, unsigned at)
{
	return w >> at & 1;
}

static bool is(const struct gv_gfx9_inst *in, unsigned format)
{
	return in->op && in->op->format == format;
}

static bool soffset_en(const struct isa_sample *s, const struct gv_gfx9_inst *in)
{
	return is(in, GV9_SMEM) && bit(s->word[0], 14);
}

static bool null_register(const struct isa_sample *s, const struct gv_gfx9_inst *in)
{
	return !in->valid && !is(in, GV9_EXP) && strstr(s->llvm, "null");
}

static bool wide_above_sgprs(const struct isa_sample *s, const struct gv_gfx9_inst *in)
{
	static const char *const name[] = {"flat_scratch", "xnack_mask", "vcc", "exec"};
	bool wide = is(in, GV9_SMEM) || is(in, GV9_MUBUF) || is(in, GV9_MTBUF) || is(in, GV9_MIMG);

	for (unsigned n = 0; n < 4; n++)
		if (!in->valid && wide && strstr(s->llvm, name[n]))
			return true;
	return false;
}

static bool later_image(const struct isa_sample *s, const struct gv_gfx9_inst *in)
{
	return is(in, GV9_MIMG) && bit(s->word[0], 0) && strstr(s->llvm, "_g16 ");
}

static bool gather_half_status(const struct isa_sample *s, const struct gv_gfx9_inst *in)
{
	(void)s;
	return is(in, GV9_MIMG) && in->op->flags & GV9_F_GATHER && in->d16 && in->tfe;
}

static bool image_past_the_end(const struct isa_sample *s, const struct gv_gfx9_inst *in)
{
	return is(in, GV9_MIMG) && (s->word[1] >> 8 & 0xff) > 251;
}

/* v_readfirstlane, v_swap, v_readlane of an SGPR, v_writelane of a VGPR */
static bool wrong_file(const struct isa_sample *s, const struct gv_gfx9_inst *in)
{
	(void)s;
	return !in->valid && ((is(in, GV9_VOP1) && (in->op->num == 81 || in->op->num == 2)) ||
	                      (is(in, GV9_VOP3) && (in->op->num == 649 || in->op->num == 650)));
}

static bool wide_sad_from_sgprs(const struct isa_sample *s, const struct gv_gfx9_inst *in)
{
	return is(in, GV9_VOP3) && in->op->num == 487 && !bit(s->word[1], 26);
}

static bool status_for_register(const struct isa_sample *s, const struct gv_gfx9_inst *in)
{
	return is(in, GV9_SOP1) && in->op->imm == GV9_I_REGISTER && bit(s->word[0], 7);
}

static bool compare_into_constant(const struct isa_sample *s, const struct gv_gfx9_inst *in)
{
	return is(in, GV9_VOPC) && in->form == GV9_VOP3_FORM && bit(s->word[0], 7);
}

static bool sdwa_exponent(const struct isa_sample *s, const struct gv_gfx9_inst *in)
{
	return is(in, GV9_VOP2) && in->op->num == 51 && in->form == GV9_SDWA_FORM &&
	       bit(s->word[1], 31);
}

static bool old_cache_control(const struct isa_sample *s, const struct gv_gfx9_inst *in)
{
	return !in->op && strcmp(s->llvm, "buffer_wbinvl1") == 0;
}

static bool sext_where_none_is(const struct isa_sample *s, const struct gv_gfx9_inst *in)
{
	return in->loose && strstr(s->llvm, "sext(") &&
	       (in->form == GV9_VOP3_FORM || in->form == GV9_DPP_FORM);
}

static bool flat_offset_of_13_bits(const struct isa_sample *s, const struct gv_gfx9_inst *in)
{
	return is(in, GV9_FLAT) && bit(s->word[0], 12);
}

static bool nop_with_a_second_word(const struct isa_sample *s, const struct gv_gfx9_inst *in)
{
	uint32_t src0 = s->word[0] & 0x1ff;

	return is(in, GV9_VOP1) && (in->op->num == 0 || in->op->num == 53) &&
	       !bit(s->word[0], 31) && (src0 == 249 || src0 == 250 || src0 == 255);
}

static bool mask_in_vgprs(const struct isa_sample *s, const struct gv_gfx9_inst *in)
{
	return in->form == GV9_VOP3_FORM && in->op->flags & GV9_F_CIN && !in->valid &&
	       bit(s->word[1], 26);
}

static const struct reason reasons[] = {
        {"SMEM with soffset_en", soffset_en},
        {"code 125", null_register},
        {"four or more SGPRs from 102 on", wide_above_sgprs},
        {"image opcodes of gfx10", later_image},
        {"gather4 with d16 and tfe", gather_half_status},
        {"image data beyond v255", image_past_the_end},
        {"lane access from the other register file", wrong_file},
        {"v_mqsad_u32_u8 with SGPRs as source 2", wide_sad_from_sgprs},
        {"status where a register must be", status_for_register},
        {"compare into what is no register", compare_into_constant},
        {"constant exponent of v_ldexp_f16_sdwa", sdwa_exponent},
        {"buffer_wbinvl1 under its old number", old_cache_control},
        {"neg of an integer source in VOP3 and DPP", sext_where_none_is},
        {"FLAT offset bit 12", flat_offset_of_13_bits},
        {"v_nop, v_clrexcp with a second word", nop_with_a_second_word},
        {"lane mask in VGPRs", mask_in_vgprs},
};

#define NUM_REASONS (sizeof(reasons) / sizeof(reasons[0]))

unsigned isa_num_reasons(void)
{
	return NUM_REASONS;
}

const char *isa_reason(unsigned n)
{
	return reasons[n].text;
}

int isa_explain(const struct isa_sample *s, const struct gv_gfx9_inst *in)
{
	for (unsigned n = 0; n < NUM_REASONS; n++)
		if (reasons[n].applies(s, in))
			return (int)n;
	return -1;
}
