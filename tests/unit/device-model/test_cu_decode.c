/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From hw-spec's decoder to instructions that a wave can execute. That the decoder is right is
 * shown against LLVM by gv-isa-compare; here: nothing that binds leaves the wave's registers.
 */
#include <string.h>

#include <gv/base.h>

#include "cu/state.h"
#include "ut.h"

#define VGPRS 40u

static struct gv_cu_run run = {.num_vgprs = VGPRS, .isa = &cu_isa_base};

static enum gv_cu_reason decode(uint32_t a, uint32_t b, struct cu_inst *i)
{
	memset(i, 0, sizeof(*i));
	return cu_decode(&run, (const uint32_t[]){a, b}, i);
}

static void rows_are_those_of_hw_spec(void)
{
	unsigned executed = 0;

	CU_ASSERT_EQUAL(cu_table.count, gv_gfx9_num_ops);
	for (unsigned n = 0; n < cu_table.count; n++) {
		const struct cu_op *op = &cu_table.row[n];
		const struct gv_gfx9_op *row = &gv_gfx9_ops[n];

		CU_ASSERT_STRING_EQUAL(op->name, row->name);
		CU_ASSERT_TRUE(op->format == row->format && op->num == row->num);
		executed += op->fn || op->core;
	}
	CU_ASSERT_TRUE(executed > 900);
}

static void graphics_is_known_but_not_interpreted(void)
{
	static const uint32_t word[][2] = {{0xf0000000u, 0},     /* image_load */
	                                   {0xc4000000u, 0},     /* exp */
	                                   {0xd4000000u, 0},     /* v_interp_p1_f32 */
	                                   {0xd2740000u, 0x200}, /* v_interp_p1ll_f16 */
	                                   {0xd9330000u, 0}};    /* ds_gws_init */
	struct cu_inst i;

	for (unsigned n = 0; n < GV_ARRAY_LEN(word); n++) {
		unsigned dwords;

		CU_ASSERT_PTR_NOT_NULL(gv_cu_name(word[n], &dwords));
		CU_ASSERT_EQUAL(dwords, n == 2 ? 1 : 2);
		CU_ASSERT_FALSE(gv_cu_implemented(word[n]));
		CU_ASSERT_EQUAL(decode(word[n][0], word[n][1], &i), GV_CU_UNIMPLEMENTED);
	}
}

static void registers_that_the_wave_has_not_are_refused(void)
{
	static const struct {
		uint32_t word[2];
		enum gv_cu_reason why;
	} t[] = {
	        {{0x7e000200 | (VGPRS - 1) << 17, 0}, GV_CU_NO_FAULT}, /* v_mov_b32 v39, s0 */
	        {{0x7e000200 | VGPRS << 17, 0}, GV_CU_BAD_INSTRUCTION},
	        {{0x7e000300 + VGPRS, 0}, GV_CU_BAD_INSTRUCTION},
	        {{0xd1cc0001, (256 + VGPRS - 1) | 0x104 << 9 | 0x106 << 18}, /* a pair */
	         GV_CU_BAD_INSTRUCTION},
	        {{0xdc5c8000, (VGPRS - 4) << 24 | 0x7f0000}, GV_CU_NO_FAULT}, /* dwordx4 */
	        {{0xdc5c8000, (VGPRS - 3) << 24 | 0x7f0000}, GV_CU_BAD_INSTRUCTION},
	        {{0x8001007d, 0}, GV_CU_BAD_INSTRUCTION}, /* code 125 */
	};

	for (unsigned n = 0; n < GV_ARRAY_LEN(t); n++) {
		struct cu_inst i;

		CU_ASSERT_EQUAL(decode(t[n].word[0], t[n].word[1], &i), t[n].why);
	}
}

static bool source_is_inside(const struct cu_inst *i, unsigned n)
{
	const struct cu_src *s = &i->src[n];

	return s->kind == CU_SRC_CONST || s->reg < (s->kind == CU_SRC_VGPR ? VGPRS : CU_NUM_S + 4u);
}

static bool is_inside(const struct cu_inst *i)
{
	bool vector = i->op->format >= GV9_VOP2 && i->op->format <= GV9_VOP3P;
	bool memory = i->op->format >= GV9_DS && i->op->format <= GV9_MTBUF;
	bool in = i->fn && (i->len == 1 || i->len == 2) && i->sdst < CU_NUM_S;

	for (unsigned n = 0; n < 3; n++)
		in &= source_is_inside(i, n);
	in &= i->dst < (vector || memory ? VGPRS : CU_NUM_S);
	if (memory)
		in &= i->addr < VGPRS && i->data < VGPRS && i->data1 < VGPRS;
	return in && i->saddr < CU_NUM_S && i->soffset <= CU_NUM_S;
}

static void whatever_binds_stays_inside_the_wave(void)
{
	uint64_t x = 7;
	unsigned bound = 0, outside = 0;

	for (unsigned n = 0; n < 400000; n++) {
		struct cu_inst i;
		uint32_t word[2];

		for (unsigned k = 0; k < 2; k++) {
			x = x * 6364136223846793005ull + 1442695040888963407ull;
			word[k] = (uint32_t)(x >> 32);
			if (n % 2) /* low register numbers bind more often */
				word[k] &= k ? 0x1f9f3f3f : 0xff9fff3f;
		}
		if (decode(word[0], word[1], &i) != GV_CU_NO_FAULT)
			continue;
		bound++;
		if (!is_inside(&i) && outside++ < 5)
			printf("%08x %08x %s\n", word[0], word[1], i.op->name);
	}
	CU_ASSERT_TRUE(bound > 30000);
	CU_ASSERT_EQUAL(outside, 0);
}

static const struct ut_case cases[] = {
        UT(rows_are_those_of_hw_spec),
        UT(graphics_is_known_but_not_interpreted),
        UT(registers_that_the_wave_has_not_are_refused),
        UT(whatever_binds_stays_inside_the_wave),
};

int main(int argc, char **argv)
{
	return ut_main(argc, argv, "cu decode", cases, (int)GV_ARRAY_LEN(cases));
}
