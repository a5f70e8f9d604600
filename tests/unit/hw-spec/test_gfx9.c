/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gfx900 decoder and its text; gv-isa-compare holds them against LLVM, here is the rest. */
#include <errno.h>
#include <string.h>

#include <gv/base.h>
#include <gv/gfx9.h>

#include "ut.h"

static const char *text_of(uint32_t a, uint32_t b)
{
	static char line[GV_GFX9_TEXT];
	struct gv_gfx9_inst in;

	(void)gv_gfx9_decode((const uint32_t[]){a, b}, 2, &in);
	return gv_gfx9_print(&in, line, sizeof(line));
}

static void every_format_has_its_text(void)
{
	static const struct {
		uint32_t word[2];
		const char *text;
	} t[] = {
	        {{0x80010203, 0}, "s_add_u32 s1, s3, s2"},
	        {{0x8001ff03, 0x1234}, "s_add_u32 s1, s3, 0x1234"},
	        {{0xbe8001f8, 0}, "s_mov_b64 s[0:1], 0.15915494309189532"},
	        {{0xb8850801, 0}, "s_getreg_b32 s5, hwreg(HW_REG_MODE, 0, 2)"},
	        {{0xbf8c0f70, 0}, "s_waitcnt vmcnt(0)"},
	        {{0xbf820005, 0}, "s_branch 5"},
	        {{0xc0020202, 0x1ffff0}, "s_load_dword s8, s[4:5], -0x10"},
	        {{0xc0024202, 0x0a000010}, "s_load_dword s8, s[4:5], s5 offset:0x10"},
	        {{0x020002ff, 0x3f800000}, "v_add_f32_e32 v0, 1.0, v1"},
	        {{0x2e0202ff, 5}, "v_madmk_f32 v1, 5, 0x5, v1"},
	        {{0xd1c10001, 0x241206c1}, "v_mad_f32 v1, neg(-1), v3, v4"},
	        {{0xd11c8601, 0x00220702}, "v_addc_co_u32_e64 v1, s[6:7], v2, v3, s[8:9] clamp"},
	        {{0xd1f47801, 0x04120702}, "v_min3_f16 v1, v2, v3, v4 op_sel:[1,1,1,1]"},
	        {{0xd3a00701, 0xe4120702}, "v_mad_mix_f32 v1, -|v2|, -|v3|, -|v4|"},
	        {{0x020206f9, 0x36361602},
	         "v_add_f32_sdwa v1, -|v2|, -|v3| dst_sel:DWORD dst_unused:UNUSED_PRESERVE "
	         "src0_sel:DWORD src1_sel:DWORD"},
	        {{0x020206fa, 0xff014202},
	         "v_add_f32_dpp v1, v2, v3 row_bcast:15 row_mask:0xf bank_mask:0xf"},
	        {{0xd81c0102, 0x00040201}, "ds_write2_b32 v1, v2, v4 offset0:2 offset1:1"},
	        {{0xdd018000, 0x08020402}, "global_atomic_swap v8, v2, v4, s[2:3] glc"},
	        {{0xdc505ffc, 0x08040000}, "scratch_load_dword v8, off, s4 offset:-4"},
	        {{0xe0527fff, 0x80020402},
	         "buffer_load_dword v4, v[2:3], s[8:11], 0 idxen offen offset:4095 glc slc"},
	        {{0xe8087007, 0x80c20402},
	         "tbuffer_load_format_x v4, v[2:3], s[8:11], 0 idxen offen offset:7 glc slc tfe"},
	        {{0xf0800100, 0x00620804}, "image_sample v8, v4, s[8:15], s[12:15] dmask:0x1"},
	        {{0xc4001c0f, 0x04030201}, "exp mrt0 v1, v1, v2, v2 done compr vm"},
	        {{0xd4120601, 0}, "v_interp_mov_f32_e32 v4, p20, attr1.z"},
	        {{0x8001d1d1, 0}, ".long 0x8001d1d1"},
	};

	for (unsigned n = 0; n < GV_ARRAY_LEN(t); n++)
		CU_ASSERT_STRING_EQUAL(text_of(t[n].word[0], t[n].word[1]), t[n].text);
}

static void a_missing_second_dword_is_asked_for(void)
{
	const uint32_t literal = 0x8001ff03, load = 0xc0020202, plain = 0x80010203;
	struct gv_gfx9_inst in;

	CU_ASSERT_EQUAL(gv_gfx9_decode(&literal, 1, &in), -ENODATA);
	CU_ASSERT_EQUAL(in.dwords, 2);
	CU_ASSERT_EQUAL(gv_gfx9_decode(&load, 1, &in), -ENODATA);
	CU_ASSERT_STRING_EQUAL(in.op->name, "s_load_dword");
	CU_ASSERT_EQUAL(gv_gfx9_decode(&plain, 1, &in), 0);
	CU_ASSERT_EQUAL(in.dwords, 1);
}

static void what_hardware_ignores_is_told_apart_from_what_it_refuses(void)
{
	struct gv_gfx9_inst in;

	/* v_mad_i32_i24 with neg: the bit has no meaning; with a literal: no such encoding */
	CU_ASSERT_EQUAL(gv_gfx9_decode((const uint32_t[]){0xd1c20001, 0x24120702}, 2, &in), 0);
	CU_ASSERT_TRUE(in.loose);
	CU_ASSERT_EQUAL(gv_gfx9_decode((const uint32_t[]){0xd1c20001, 0x041206ff}, 2, &in),
	                -EINVAL);
	CU_ASSERT_FALSE(in.valid);
	CU_ASSERT_EQUAL(in.num_operands, 0);
}

static void trap_registers_are_marked(void)
{
	struct gv_gfx9_inst in;

	CU_ASSERT_EQUAL(gv_gfx9_decode((const uint32_t[]){0x80016c00}, 1, &in), 0);
	CU_ASSERT_TRUE(in.privileged);
	CU_ASSERT_EQUAL(gv_gfx9_decode((const uint32_t[]){0x80010100}, 1, &in), 0);
	CU_ASSERT_FALSE(in.privileged);
}

static void branches_know_where_they_go(void)
{
	struct gv_gfx9_inst in;
	uint64_t to = 0;

	(void)gv_gfx9_decode((const uint32_t[]){0xbf82fffe}, 1, &in);
	CU_ASSERT_TRUE(gv_gfx9_target(&in, 0x1000, &to));
	CU_ASSERT_EQUAL(to, 0x1000 + 4 - 8);
	(void)gv_gfx9_decode((const uint32_t[]){0xbf800000}, 1, &in);
	CU_ASSERT_FALSE(gv_gfx9_target(&in, 0x1000, &to));
}

static void text_is_cut_to_its_buffer(void)
{
	char line[12];
	struct gv_gfx9_inst in;

	(void)gv_gfx9_decode((const uint32_t[]){0x80010203}, 1, &in);
	for (size_t bytes = 1; bytes <= sizeof(line); bytes++) {
		memset(line, 'x', sizeof(line));
		(void)gv_gfx9_print(&in, line, bytes);
		CU_ASSERT_EQUAL(strlen(line), bytes - 1);
	}
}

/* GV_GFX9_TEXT is a promise. */
static void the_longest_text_fits(void)
{
	uint64_t x = 1;
	size_t longest = 0;

	for (unsigned n = 0; n < 300000; n++) {
		struct gv_gfx9_inst in;
		char line[GV_GFX9_TEXT];
		uint32_t word[2];

		x = x * 6364136223846793005ull + 1442695040888963407ull;
		word[0] = (uint32_t)(x >> 32);
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		word[1] = (uint32_t)(x >> 32);
		(void)gv_gfx9_decode(word, 2, &in);
		if (strlen(gv_gfx9_print(&in, line, sizeof(line))) > longest)
			longest = strlen(line);
	}
	CU_ASSERT_TRUE(longest > 60 && longest < GV_GFX9_TEXT - 1);
}

static const struct ut_case cases[] = {
        UT(every_format_has_its_text),
        UT(a_missing_second_dword_is_asked_for),
        UT(what_hardware_ignores_is_told_apart_from_what_it_refuses),
        UT(trap_registers_are_marked),
        UT(branches_know_where_they_go),
        UT(text_is_cut_to_its_buffer),
        UT(the_longest_text_fits),
};

int main(int argc, char **argv)
{
	return ut_main(argc, argv, "gfx9", cases, (int)GV_ARRAY_LEN(cases));
}
