/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What must hold for every row of the register table, and a few rows by their known addresses. */
#include <stdio.h>
#include <string.h>

#include <gv/layouts.h>

#include "ut.h"

#define DWORDS (GV_BAR5_BYTES / 4)

static uint32_t byte_of(const struct gv_reg_info *r, uint32_t k)
{
	return r->byte + k * r->stride;
}

static void no_two_registers_share_an_address(void)
{
	static int owner[DWORDS];

	memset(owner, 0, sizeof(owner));
	for (int r = 0; r < GV_REG_COUNT; r++) {
		const struct gv_reg_info *i = gv_reg_info((enum gv_reg)r);

		for (uint32_t k = 0; k < i->count; k++) {
			uint32_t dw = byte_of(i, k) / 4;

			CU_ASSERT_FATAL(dw < DWORDS);
			if (owner[dw])
				printf("%s and %s\n", i->name,
				       gv_reg_info((enum gv_reg)(owner[dw] - 1))->name);
			CU_ASSERT_EQUAL(owner[dw], 0);
			owner[dw] = r + 1;
		}
	}
}

static void every_element_is_found_at_its_address(void)
{
	for (int r = 0; r < GV_REG_COUNT; r++) {
		const struct gv_reg_info *i = gv_reg_info((enum gv_reg)r);

		CU_ASSERT(i->count >= 1);
		CU_ASSERT(i->count == 1 || i->stride >= 4);
		for (uint32_t k = 0; k < i->count; k++) {
			uint32_t index = UINT32_MAX;

			CU_ASSERT_EQUAL(gv_reg_at(byte_of(i, k), &index), r);
			CU_ASSERT_EQUAL(index, k);
		}
	}
}

static void addresses_without_a_register_are_refused(void)
{
	CU_ASSERT_EQUAL(gv_reg_at(GV_BAR5_BYTES, NULL), -ENOENT);
	CU_ASSERT_EQUAL(gv_reg_at(UINT32_MAX - 3, NULL), -ENOENT);
	for (uint32_t odd = 1; odd < 4; odd++)
		CU_ASSERT_EQUAL(gv_reg_at(MM_DATA__BYTE + odd, NULL), -ENOENT);
	/* The MSI-X table and pending bits live in the same BAR and must not meet a register. */
	for (uint32_t at = 0; at < GV_GPU_PAGE; at += 4) {
		CU_ASSERT_EQUAL(gv_reg_at(GV_MSIX_TABLE + at, NULL), -ENOENT);
		CU_ASSERT_EQUAL(gv_reg_at(GV_MSIX_PBA + at, NULL), -ENOENT);
	}
}

static void fields_fit_and_do_not_overlap(void)
{
	static uint32_t taken[GV_REG_COUNT];
	size_t n;
	const struct gv_field_info *f = gv_field_rows(&n);

	memset(taken, 0, sizeof(taken));
	for (size_t k = 0; k < n; k++) {
		uint32_t mask = gv_mask(f[k].lo, f[k].bits);

		CU_ASSERT(f[k].bits >= 1 && f[k].lo + f[k].bits <= 32);
		if (taken[f[k].reg] & mask)
			printf("%s.%s\n", gv_reg_info(f[k].reg)->name, f[k].name);
		CU_ASSERT_EQUAL(taken[f[k].reg] & mask, 0);
		taken[f[k].reg] |= mask;
	}
}

/* Masks again, from the rows alone. */
static void masks_are_those_of_the_fields(void)
{
	size_t n;
	const struct gv_field_info *f = gv_field_rows(&n);

	for (int r = 0; r < GV_REG_COUNT; r++) {
		const struct gv_reg_info *i = gv_reg_info((enum gv_reg)r);
		uint32_t rw = 0, w1c = 0;
		bool any = false;

		for (size_t k = 0; k < n; k++) {
			if ((int)f[k].reg != r)
				continue;
			any = true;
			rw |= f[k].access == GV_RW ? gv_mask(f[k].lo, f[k].bits) : 0;
			w1c |= f[k].access == GV_W1C ? gv_mask(f[k].lo, f[k].bits) : 0;
		}
		CU_ASSERT_EQUAL(i->rw, any ? rw : UINT32_MAX);
		CU_ASSERT_EQUAL(i->w1c, w1c);
		CU_ASSERT_EQUAL(i->rw & i->w1c, 0);
	}
}

static void slots_are_laid_in_a_row(void)
{
	uint32_t next = 0;

	for (int r = 0; r < GV_REG_COUNT; r++) {
		CU_ASSERT_EQUAL(gv_reg_info((enum gv_reg)r)->slot, next);
		next += gv_reg_info((enum gv_reg)r)->count;
	}
	CU_ASSERT_EQUAL(gv_reg_slots(), next);
}

static int rank(enum gv_access a)
{
	return a == GV_NONE ? 0 : a == GV_RO ? 1 : 2;
}

static void a_vf_may_never_do_more_than_the_pf(void)
{
	for (int r = 0; r < GV_REG_COUNT; r++) {
		const struct gv_reg_info *i = gv_reg_info((enum gv_reg)r);

		CU_ASSERT(rank(i->vf) <= rank(i->pf));
		/* One VF must not change what all others see; the extension is the PF's. */
		if (i->bank == GV_BANK_GPU)
			CU_ASSERT(i->vf != GV_RW);
		if (i->block == GV_BLOCK_GVX)
			CU_ASSERT_EQUAL(i->vf, GV_NONE);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void every_element_has_a_name_of_its_own(void)
{
	uint32_t n = gv_reg_slots(), at = 0;
	char(*names)[96] = calloc(n, sizeof(*names));

	CU_ASSERT_PTR_NOT_NULL_FATAL(names);
	for (int r = 0; r < GV_REG_COUNT; r++)
		for (uint32_t k = 0; k < gv_reg_info((enum gv_reg)r)->count; k++)
			gv_reg_name((enum gv_reg)r, k, names[at++], sizeof(*names));
	qsort(names, n, sizeof(*names), by_name);
	for (uint32_t k = 1; k < n; k++)
		CU_ASSERT_STRING_NOT_EQUAL(names[k - 1], names[k]);
	free(names);
}

/* Value that a formatted line stands for, read from its field words; *@name gets the register. */
static uint32_t parse(char *line, int reg, char *name, uint32_t *whole)
{
	size_t n;
	const struct gv_field_info *f = gv_field_rows(&n);
	char *save = NULL, *word = strtok_r(line, " ", &save);
	uint32_t sum = 0;

	CU_ASSERT_EQUAL(sscanf(word, "%95[^=]=0x%x", name, whole), 2);
	while ((word = strtok_r(NULL, " ", &save)) != NULL) {
		char *eq = strchr(word, '=');

		CU_ASSERT_PTR_NOT_NULL_FATAL(eq);
		*eq = '\0';
		for (size_t k = 0; k < n; k++)
			if ((int)f[k].reg == reg && strcmp(f[k].name, word) == 0)
				sum |= (uint32_t)strtoul(eq + 1, NULL, 10) << f[k].lo;
	}
	return sum;
}

static uint32_t part_bits(int reg)
{
	size_t n;
	const struct gv_field_info *f = gv_field_rows(&n);
	uint32_t mask = 0;

	for (size_t k = 0; k < n; k++)
		if ((int)f[k].reg == reg && f[k].bits < 32)
			mask |= gv_mask(f[k].lo, f[k].bits);
	return mask;
}

static void a_formatted_value_can_be_read_back(void)
{
	static const uint32_t patterns[] = {0, UINT32_MAX, 0xa5a5a5a5, 0x12345678};

	for (int r = 0; r < GV_REG_COUNT; r++)
		for (size_t p = 0; p < GV_ARRAY_LEN(patterns); p++) {
			const struct gv_reg_info *i = gv_reg_info((enum gv_reg)r);
			char line[4096], name[96] = "", want[96];
			uint32_t whole = 0, last = i->count - 1;

			gv_reg_format(line, sizeof(line), byte_of(i, last), patterns[p]);
			gv_reg_name((enum gv_reg)r, last, want, sizeof(want));
			CU_ASSERT_EQUAL(parse(line, r, name, &whole), patterns[p] & part_bits(r));
			CU_ASSERT_STRING_EQUAL(name, want);
			CU_ASSERT_EQUAL(whole, patterns[p]);
		}
}

static void a_short_buffer_is_never_overrun(void)
{
	for (size_t size = 0; size < 80; size++) {
		char buf[96];

		memset(buf, '#', sizeof(buf));
		gv_reg_format(buf, size, IH_RB_CNTL__BYTE, UINT32_MAX);
		CU_ASSERT_EQUAL(buf[size], '#');
		CU_ASSERT(size == 0 || memchr(buf, '\0', size) != NULL);
		memset(buf, '#', sizeof(buf));
		gv_reg_name(GV_REG_GVX_VF0_L2_BASE_LO, 15, buf, size);
		CU_ASSERT_EQUAL(buf[size], '#');
		CU_ASSERT(size == 0 || memchr(buf, '\0', size) != NULL);
	}
}

static void unknown_registers_are_printed_by_address(void)
{
	char line[64];

	gv_reg_format(line, sizeof(line), GV_MSIX_TABLE, 7);
	CU_ASSERT_STRING_EQUAL(line, "reg[0x42000]=0x7");
}

/* Addresses as mxgpu_ai.c, gfx_v9_0.c and vega10_ih.c of Linux 6.1 have them. */
static void registers_are_where_vega10_has_them(void)
{
	CU_ASSERT_EQUAL(BIF_BX_PF0_MAILBOX_CONTROL__BYTE, 0x3978);
	CU_ASSERT_EQUAL(RCC_PF_0_0_RCC_IOV_FUNC_IDENTIFIER__DW, 0xde5);
	CU_ASSERT_EQUAL(SCRATCH_REG0__DW, 0xc040);
	CU_ASSERT_EQUAL(RLC_SPARE_INT__DW, 0xeccc);
	CU_ASSERT_EQUAL(IH_RB_CNTL__DW, 0x1120);
	CU_ASSERT_EQUAL(CP_MQD_BASE_ADDR__DW, 0x3245);
	CU_ASSERT_EQUAL(MP0_SMN_C2PMSG_101__DW, 0x160a5);
	CU_ASSERT_EQUAL(GV_BYTE_N(MMHUB_VM_CONTEXT0_CNTL, 3), (0x1a6c0 + 3) * 4);
}

static void the_mqd_is_an_image_of_the_queue_registers(void)
{
	CU_ASSERT_EQUAL(GV_MQD_DW(CP_MQD_BASE_ADDR), 128);
	CU_ASSERT_EQUAL(GV_MQD_DW(CP_HQD_ACTIVE), 130);
	CU_ASSERT_EQUAL(GV_MQD_DW(CP_HQD_PQ_RPTR), 138);
	CU_ASSERT_EQUAL(GV_MQD_DW(CP_HQD_PQ_WPTR_HI), GV_MQD_HQD_FIRST + GV_MQD_HQD_COUNT - 1);
	for (int r = GV_REG_CP_MQD_BASE_ADDR; r <= GV_REG_CP_HQD_PQ_WPTR_HI; r++)
		CU_ASSERT_EQUAL(gv_reg_info((enum gv_reg)r)->bank, GV_BANK_HQD);
}

static void field_macros_take_apart_and_put_together(void)
{
	uint32_t v = GV_PUT(IH_RB_CNTL, RB_SIZE, 0xff) | GV_PUT(IH_RB_CNTL, WPTR_OVERFLOW_CLEAR, 1);

	CU_ASSERT_EQUAL(GV_GET(v, IH_RB_CNTL, RB_SIZE), 0x1f);
	CU_ASSERT_EQUAL(GV_GET(v, IH_RB_CNTL, WPTR_OVERFLOW_CLEAR), 1);
	CU_ASSERT_EQUAL(v, 0x8000003eu);
	CU_ASSERT_EQUAL(GV_SET(v, IH_RB_CNTL, RB_SIZE, 2), 0x80000004u);
	CU_ASSERT_EQUAL(gv_mask(0, 32), UINT32_MAX);
	CU_ASSERT_EQUAL(gv_mask(31, 1), 1u << 31);
}

UT_MAIN("regs", UT(no_two_registers_share_an_address), UT(every_element_is_found_at_its_address),
        UT(addresses_without_a_register_are_refused), UT(fields_fit_and_do_not_overlap),
        UT(masks_are_those_of_the_fields), UT(slots_are_laid_in_a_row),
        UT(a_vf_may_never_do_more_than_the_pf), UT(every_element_has_a_name_of_its_own),
        UT(a_formatted_value_can_be_read_back), UT(a_short_buffer_is_never_overrun),
        UT(unknown_registers_are_printed_by_address), UT(registers_are_where_vega10_has_them),
        UT(the_mqd_is_an_image_of_the_queue_registers),
        UT(field_macros_take_apart_and_put_together))
