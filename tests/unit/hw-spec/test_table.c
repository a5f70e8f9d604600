/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The register table: consistent in itself, and equal to AMD's headers where it counts. */
#include <stdio.h>
#include <string.h>

#include <gv/hw_spec.h>
#include <gv/layouts.h>

#include "ut.h"

#define DWORDS (GV_BAR5_BYTES / 4)

static void no_two_registers_share_an_address(void)
{
	static uint16_t owner[DWORDS];

	for (int r = 0; r < GV_REG_COUNT; r++) {
		const struct gv_reg_info *i = gv_reg_info((enum gv_reg)r);

		for (uint32_t k = 0; k < i->count; k++) {
			uint32_t dw = (i->byte + k * i->stride) / 4;

			CU_ASSERT_FATAL(dw < DWORDS);
			if (owner[dw]) {
				fprintf(stderr, "%s and %s at 0x%x\n",
				        gv_reg_info((enum gv_reg)(owner[dw] - 1))->name, i->name,
				        dw * 4);
				CU_FAIL("two registers at one address");
			}
			owner[dw] = (uint16_t)(r + 1);
		}
	}
}

static void no_register_lies_in_the_msix_table(void)
{
	for (uint32_t byte = GV_MSIX_TABLE; byte < GV_MSIX_PBA + 8; byte += 4)
		if (byte < GV_MSIX_TABLE + GV_MSIX_VECTORS * 16 || byte >= GV_MSIX_PBA)
			CU_ASSERT_EQUAL(gv_reg_at(byte, NULL), -ENOENT);
}

static void every_register_is_found_at_its_address(void)
{
	for (int r = 0; r < GV_REG_COUNT; r++) {
		const struct gv_reg_info *i = gv_reg_info((enum gv_reg)r);

		CU_ASSERT(i->count >= 1 && i->stride >= 4 && i->stride % 4 == 0);
		for (uint32_t k = 0; k < i->count; k++) {
			uint32_t index = ~0u;

			CU_ASSERT_EQUAL(gv_reg_at(i->byte + k * i->stride, &index), r);
			CU_ASSERT_EQUAL(index, k);
			CU_ASSERT_EQUAL(gv_reg_at(i->byte + k * i->stride + 1, NULL), -ENOENT);
		}
	}
	CU_ASSERT_EQUAL(gv_reg_at(GV_BAR5_BYTES, NULL), -ENOENT);
	CU_ASSERT_EQUAL(gv_reg_at(UINT32_MAX - 3, NULL), -ENOENT);
}

static void fields_fit_and_do_not_overlap(void)
{
	static uint32_t used[GV_REG_COUNT];
	size_t n;
	const struct gv_field_info *f = gv_field_rows(&n);

	for (size_t k = 0; k < n; k++) {
		uint32_t mask;

		CU_ASSERT_FATAL(f[k].bits >= 1 && f[k].lo + f[k].bits <= 32);
		mask = gv_mask(f[k].lo, f[k].bits);
		if (used[f[k].reg] & mask) {
			fprintf(stderr, "%s.%s\n", gv_reg_info(f[k].reg)->name, f[k].name);
			CU_FAIL("fields overlap");
		}
		used[f[k].reg] |= mask;
	}
}

static void masks_come_from_the_fields(void)
{
	static uint32_t rw[GV_REG_COUNT], w1c[GV_REG_COUNT];
	static bool any[GV_REG_COUNT];
	size_t n;
	const struct gv_field_info *f = gv_field_rows(&n);

	for (size_t k = 0; k < n; k++) {
		any[f[k].reg] = true;
		if (f[k].access == GV_RW)
			rw[f[k].reg] |= gv_mask(f[k].lo, f[k].bits);
		if (f[k].access == GV_W1C)
			w1c[f[k].reg] |= gv_mask(f[k].lo, f[k].bits);
	}
	for (int r = 0; r < GV_REG_COUNT; r++) {
		CU_ASSERT_EQUAL(gv_reg_info((enum gv_reg)r)->rw, any[r] ? rw[r] : UINT32_MAX);
		CU_ASSERT_EQUAL(gv_reg_info((enum gv_reg)r)->w1c, w1c[r]);
	}
}

static void slots_are_a_row_without_holes(void)
{
	uint32_t next = 0;

	for (int r = 0; r < GV_REG_COUNT; r++) {
		CU_ASSERT_EQUAL(gv_reg_info((enum gv_reg)r)->slot, next);
		next += gv_reg_info((enum gv_reg)r)->count;
	}
	CU_ASSERT_EQUAL(gv_reg_slots(), next);
}

static void a_vf_never_may_more_than_the_pf(void)
{
	for (int r = 0; r < GV_REG_COUNT; r++) {
		const struct gv_reg_info *i = gv_reg_info((enum gv_reg)r);

		CU_ASSERT(i->vf <= i->pf);
		/* what exists once is not a VF's to write */
		if (i->bank == GV_BANK_GPU && i->vf == GV_RW) {
			fprintf(stderr, "%s\n", i->name);
			CU_FAIL("a VF may write a register that all functions share");
		}
		if (i->block == GV_BLOCK_GVX)
			CU_ASSERT_EQUAL(i->vf, GV_NONE);
	}
}

/* Byte addresses and reset values as computed from the kernel's headers (nbio_6_1, gc_9_0,
 * osssys_4_0, sdma0_4_0, mmhub_1_0 and their *_default.h, Linux 6.1). */
static void addresses_are_those_of_vega10(void)
{
	static const struct {
		enum gv_reg reg;
		uint32_t byte, reset;
	} known[] = {
	        {GV_REG_MM_INDEX, 0x0, 0},
	        {GV_REG_MM_INDEX_HI, 0x18, 0},
	        {GV_REG_PCIE_INDEX2, 0x38, 0},
	        {GV_REG_RCC_PF_0_0_RCC_IOV_FUNC_IDENTIFIER, 0x3794, 0},
	        {GV_REG_RCC_PF_0_0_RCC_CONFIG_MEMSIZE, 0x378c, 0},
	        {GV_REG_MAILBOX_INDEX, 0x3954, 0},
	        {GV_REG_BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW0, 0x3958, 0},
	        {GV_REG_BIF_BX_PF0_MAILBOX_MSGBUF_RCV_DW0, 0x3968, 0},
	        {GV_REG_BIF_BX_PF0_MAILBOX_CONTROL, 0x3978, 0},
	        {GV_REG_BIF_BX_PF0_MAILBOX_INT_CNTL, 0x397c, 0},
	        {GV_REG_BIF_BX_PF0_BIF_VMHV_MAILBOX, 0x3980, 0},
	        {GV_REG_BIF_BX_PF0_GPU_HDP_FLUSH_REQ, 0x3898, 0},
	        {GV_REG_BIF_BX_PF0_DOORBELL_SELFRING_GPA_APER_CNTL, 0x3854, 0x100},
	        {GV_REG_BIF_SDMA0_DOORBELL_RANGE, 0x3bc0, 0},
	        {GV_REG_IH_RB_CNTL, 0x4480, 0},
	        {GV_REG_IH_RB_RPTR, 0x448c, 0},
	        {GV_REG_IH_RB_WPTR, 0x4490, 0},
	        {GV_REG_IH_DOORBELL_RPTR, 0x449c, 0},
	        {GV_REG_IH_VMID_0_LUT, 0x4280, 0},
	        {GV_REG_IH_STATUS, 0x4588, 0},
	        {GV_REG_IH_VIRT_RESET_REQ, 0x4884, 0},
	        {GV_REG_CP_MQD_BASE_ADDR, 0x3245 * 4, 0},
	        {GV_REG_CP_HQD_ACTIVE, 0x3247 * 4, 0},
	        {GV_REG_COMPUTE_DISPATCH_INITIATOR, 0x2e00 * 4, 0},
	        {GV_REG_RLC_GPU_IOV_VF_ENABLE, 0x3ec00, 0},
	        {GV_REG_RLC_GPU_IOV_CFG_REG1, 0x3ecd4, 0},
	        {GV_REG_MC_VM_FB_SIZE_OFFSET_VF0, 0xfa80 * 4, 0},
	        {GV_REG_MMHUB_MC_VM_FB_SIZE_OFFSET_VF0, 0x1a7cc * 4, 0},
	        {GV_REG_VM_CONTEXT0_CNTL, 0x2880 * 4, 0x7ffe80},
	};

	for (size_t k = 0; k < GV_ARRAY_LEN(known); k++) {
		const struct gv_reg_info *i = gv_reg_info(known[k].reg);

		if (i->byte != known[k].byte || i->reset != known[k].reset)
			fprintf(stderr, "%s: 0x%x reset 0x%x\n", i->name, i->byte, i->reset);
		CU_ASSERT_EQUAL(i->byte, known[k].byte);
		CU_ASSERT_EQUAL(i->reset, known[k].reset);
	}
	CU_ASSERT_EQUAL(GV_BYTE_N(VM_CONTEXT0_CNTL, 3), 0x2883 * 4);
	CU_ASSERT_EQUAL(GV_DW_N(VM_CONTEXT0_PAGE_TABLE_BASE_ADDR_HI32, 2), 0x28ec + 4);
}

static void field_macros_agree_with_the_rows(void)
{
	uint32_t v = GV_PUT(IH_RB_CNTL, RB_SIZE, 16) | GV_PUT(IH_RB_CNTL, MC_SPACE, 4);

	CU_ASSERT_EQUAL(v, 16u << 1 | 4u << 28);
	CU_ASSERT_EQUAL(GV_GET(v, IH_RB_CNTL, RB_SIZE), 16);
	CU_ASSERT_EQUAL(GV_SET(v, IH_RB_CNTL, RB_SIZE, 3), 3u << 1 | 4u << 28);
	CU_ASSERT_EQUAL(GV_PUT(IH_RB_CNTL, RB_SIZE, 0xff), 31u << 1); /* does not spill */
	CU_ASSERT_EQUAL(gv_mask(0, 32), UINT32_MAX);
	CU_ASSERT_EQUAL(gv_mask(31, 1), 1u << 31);
	CU_ASSERT_EQUAL(gv_mask(0, 0), 0);
}

/* ---- names ----------------------------------------------------------------------------- */

static void elements_have_amds_names(void)
{
	char name[64];

	gv_reg_name(GV_REG_VM_CONTEXT0_CNTL, 3, name, sizeof(name));
	CU_ASSERT_STRING_EQUAL(name, "VM_CONTEXT3_CNTL");
	gv_reg_name(GV_REG_VM_INVALIDATE_ENG0_REQ, 17, name, sizeof(name));
	CU_ASSERT_STRING_EQUAL(name, "VM_INVALIDATE_ENG17_REQ");
	gv_reg_name(GV_REG_IH_VMID_0_LUT, 15, name, sizeof(name));
	CU_ASSERT_STRING_EQUAL(name, "IH_VMID_15_LUT");
	gv_reg_name(GV_REG_IH_RB_CNTL, 0, name, sizeof(name));
	CU_ASSERT_STRING_EQUAL(name, "IH_RB_CNTL");
	gv_reg_name(GV_REG_CP_ME1_PIPE0_INT_CNTL, 2, name, sizeof(name));
	CU_ASSERT_STRING_EQUAL(name, "CP_ME1_PIPE2_INT_CNTL");
	gv_reg_name(GV_REG_COMPUTE_USER_DATA_0, 11, name, sizeof(name));
	CU_ASSERT_STRING_EQUAL(name, "COMPUTE_USER_DATA_11");
	gv_reg_name(GV_REG_IH_RB_CNTL, 0, name, 4);
	CU_ASSERT_STRING_EQUAL(name, "IH_");
	gv_reg_name(GV_REG_IH_RB_CNTL, 0, name, 0);
}

/* No two registers print alike, or a log would lie. */
static void names_are_unique(void)
{
	static char name[4096][64];
	uint32_t n = 0;

	CU_ASSERT_FATAL(gv_reg_slots() <= 4096);
	for (int r = 0; r < GV_REG_COUNT; r++)
		for (uint32_t k = 0; k < gv_reg_info((enum gv_reg)r)->count; k++)
			gv_reg_name((enum gv_reg)r, k, name[n++], sizeof(name[0]));
	for (uint32_t a = 0; a < n; a++)
		for (uint32_t b = a + 1; b < n; b++)
			if (strcmp(name[a], name[b]) == 0) {
				fprintf(stderr, "%s\n", name[a]);
				CU_FAIL("two registers of one name");
			}
}

static void values_are_printed_field_by_field(void)
{
	char line[200], tiny[12];

	gv_reg_format(line, sizeof(line), BIF_BX_PF0_MAILBOX_CONTROL__BYTE, 0x101);
	CU_ASSERT_STRING_EQUAL(line,
	                       "BIF_BX_PF0_MAILBOX_CONTROL=0x101 TRN_MSG_VALID=1 RCV_MSG_VALID=1");
	gv_reg_format(line, sizeof(line), GV_BYTE_N(VM_CONTEXT0_CNTL, 5), 1);
	CU_ASSERT_STRING_EQUAL(line, "VM_CONTEXT5_CNTL=0x1 ENABLE_CONTEXT=1");
	gv_reg_format(line, sizeof(line), INTERRUPT_CNTL2__BYTE, 7); /* one field: the value */
	CU_ASSERT_STRING_EQUAL(line, "INTERRUPT_CNTL2=0x7");
	gv_reg_format(line, sizeof(line), GV_BAR5_BYTES - 4, 9);
	CU_ASSERT_STRING_EQUAL(line, "reg[0x7fffc]=0x9");
	for (int r = 0; r < GV_REG_COUNT; r++) {
		memset(tiny, 'g', sizeof(tiny));
		gv_reg_format(tiny, sizeof(tiny) - 1, gv_reg_info((enum gv_reg)r)->byte,
		              UINT32_MAX);
		CU_ASSERT(strnlen(tiny, sizeof(tiny)) < sizeof(tiny) - 1);
		CU_ASSERT_EQUAL(tiny[sizeof(tiny) - 1], 'g');
	}
	gv_reg_format(tiny, 0, 0, 0);
}

static void blocks_have_names(void)
{
	for (int b = GV_BLOCK_NBIO; b <= GV_BLOCK_GVX; b++)
		CU_ASSERT(strlen(gv_block_name((enum gv_block)b)) >= 2);
	CU_ASSERT_STRING_EQUAL(gv_block_name((enum gv_block)99), "?");
}

UT_MAIN("table", UT(no_two_registers_share_an_address), UT(no_register_lies_in_the_msix_table),
        UT(every_register_is_found_at_its_address), UT(fields_fit_and_do_not_overlap),
        UT(masks_come_from_the_fields), UT(slots_are_a_row_without_holes),
        UT(a_vf_never_may_more_than_the_pf), UT(addresses_are_those_of_vega10),
        UT(field_macros_agree_with_the_rows), UT(elements_have_amds_names), UT(names_are_unique),
        UT(values_are_printed_field_by_field), UT(blocks_have_names))
