/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "rig.h"

#define CFG_BYTES 256

struct snapshot {
	uint32_t reg[4096];
	uint32_t cfg[CFG_BYTES / 4];
	unsigned count;
};

/* Every register that the PF may write, but for windows and what the engine itself writes. */
static void take(struct gv_bus *bus, struct snapshot *s)
{
	s->count = 0;
	for (int reg = 0; reg < GV_REG_COUNT; reg++) {
		const struct gv_reg_info *info = gv_reg_info((enum gv_reg)reg);

		if (info->pf != GV_RW || info->bank > GV_BANK_GPU || reg == GV_REG_MM_DATA ||
		    reg == GV_REG_PCIE_DATA2 || reg == GV_REG_SDMA0_GFX_RB_RPTR ||
		    reg == GV_REG_SDMA0_GFX_DOORBELL_LOG)
			continue;
		for (uint32_t i = 0; i < info->count && s->count < GV_ARRAY_LEN(s->reg); i++)
			s->reg[s->count++] = gv_rd32(bus, info->byte + i * info->stride);
	}
	for (uint16_t off = 0; off < CFG_BYTES; off += 4)
		s->cfg[off / 4] = gv_cfg_rd32(bus, off);
	s->cfg[GV_CFG_MSIX / 4] = 0; /* the vector stays enabled: it is the bus's */
}

static bool same(const struct snapshot *a, const struct snapshot *b)
{
	for (unsigned i = 0; i < a->count; i++)
		if (a->reg[i] != b->reg[i]) {
			printf("register no. %u: 0x%x was 0x%x\n", i, b->reg[i], a->reg[i]);
			return false;
		}
	return !memcmp(a->cfg, b->cfg, sizeof(a->cfg));
}

static void every_step_is_done_in_order_and_undone(void)
{
	static struct snapshot before, after;
	struct rig r;

	rig_up(&r, NULL);
	take(r.lying.real, &before);
	CU_ASSERT_EQUAL(gv_pf_boot(r.pf, &r.err), 0);
	CU_ASSERT_STRING_EQUAL(r.err.text, "");
	CU_ASSERT_EQUAL(gv_pf_boot(r.pf, &r.err), -EALREADY);
	CU_ASSERT_PTR_NOT_NULL_FATAL(gv_pf_get_caps(r.pf));
	CU_ASSERT_EQUAL(gv_pf_get_caps(r.pf)->vram_mib, 256);
	CU_ASSERT_EQUAL(gv_pf_get_caps(r.pf)->max_vfs, 4);
	CU_ASSERT_EQUAL(gv_pf_get_caps(r.pf)->doorbell_pages, 512);
	CU_ASSERT(gv_pf_irq_fd(r.pf) >= 0);
	gv_pf_shutdown(r.pf);
	take(r.lying.real, &after);
	CU_ASSERT_TRUE(same(&before, &after));
	/* and again */
	CU_ASSERT_EQUAL(gv_pf_boot(r.pf, &r.err), 0);
	rig_down(&r);
}

struct failure {
	const char *step;
	struct rig_bus how; /* only the lies are used */
	int rc;
	const char *text;
};

static const struct failure failures[] = {
        {"identity", {.ones = GVX_MAGIC__BYTE}, -ENOTSUP, "GVX_MAGIC"},
        {"identity", {.ones = RCC_PF_0_0_RCC_IOV_FUNC_IDENTIFIER__BYTE}, -ENOTSUP, "VF"},
        {"nbio", {.drop = RCC_PF_0_0_RCC_DOORBELL_APER_EN__BYTE}, -EIO, "APER_EN"},
        {"nbio", {.drop = BIF_IH_DOORBELL_RANGE__BYTE}, -EIO, "BIF_IH_DOORBELL_RANGE"},
        {"psp", {.ones = MP0_SMN_C2PMSG_81__BYTE}, -EIO, "C2PMSG_81"},
        {"gmc", {.flip = MMHUB_MC_VM_FB_LOCATION_TOP__BYTE}, -EIO, "MMHUB_MC_VM_FB_LOCATION_TOP"},
        {"gmc", {.flip = MC_VM_FB_LOCATION_BASE__BYTE}, -EIO, "MC_VM_FB_LOCATION_BASE"},
        {"ih", {.fail_dma = true}, -ENOMEM, "interrupt ring"},
        {"ih", {.fail_irq = true}, -ENOSPC, "MSI-X vector 0"},
        {"ih", {.drop = IH_RB_BASE__BYTE}, -EIO, "IH_RB_BASE"},
        {"rlc", {.flip = RLC_GPM_GENERAL_14__BYTE}, -EIO, "RLC_GPM_GENERAL_14"},
        {"gfx", {.drop = SCRATCH_REG0__BYTE}, -EIO, "SCRATCH_REG0"},
        {"sdma", {.drop_doorbells = true}, -ETIMEDOUT, "ring test"},
        {"sdma", {.drop = SDMA0_GFX_RB_BASE__BYTE}, -EIO, "SDMA0_GFX_RB_BASE"},
        {"mailbox", {.drop = BIF_BX_PF0_MAILBOX_INT_CNTL__BYTE}, -EIO, "INT_CNTL"},
        {"gpuiov", {.flip = GVX_VF_FB_EN__BYTE}, -EIO, "GVX_VF_FB_EN"},
        {"state", {.drop = SCRATCH_REG7__BYTE}, -EIO, "SCRATCH_REG7"},
};

static void lie(struct rig_bus *to, const struct rig_bus *how)
{
	to->flip = how->flip;
	to->armed = false;
	to->ones = how->ones;
	to->drop = how->drop;
	to->drop_doorbells = how->drop_doorbells;
	to->fail_dma = how->fail_dma;
	to->fail_irq = how->fail_irq;
}

static void a_failure_in_any_step_is_named_and_everything_is_undone(void)
{
	static struct snapshot before, after;
	static const struct rig_bus honest;

	for (size_t i = 0; i < GV_ARRAY_LEN(failures); i++) {
		const struct failure *f = &failures[i];
		struct rig r;
		int rc;

		rig_up(&r, NULL);
		take(r.lying.real, &before);
		lie(&r.lying, &f->how);
		rc = gv_pf_boot(r.pf, &r.err);
		lie(&r.lying, &honest);
		take(r.lying.real, &after);
		CU_ASSERT_EQUAL(rc, f->rc);
		CU_ASSERT_PTR_NOT_NULL(strstr(r.err.text, f->step));
		CU_ASSERT_PTR_NOT_NULL(strstr(r.err.text, f->text));
		if (rc != f->rc || !strstr(r.err.text, f->text) || !same(&before, &after))
			printf("%s %s: %d %s\n", f->step, f->text, rc, r.err.text);
		CU_ASSERT_TRUE(same(&before, &after));
		CU_ASSERT_EQUAL(r.lying.dma, 0);
		CU_ASSERT_PTR_NULL(gv_pf_get_caps(r.pf));
		rig_down(&r);
	}
}

static void every_step_has_a_failure_above(void)
{
	const char *name;

	for (unsigned i = 0; (name = gv_pf_boot_step_name(i)) != NULL; i++) {
		bool found = false;

		for (size_t k = 0; k < GV_ARRAY_LEN(failures); k++)
			found |= !strcmp(failures[k].step, name);
		CU_ASSERT_TRUE(found);
	}
}

static void registers_are_reached_by_the_rules_of_the_table(void)
{
	struct rig r;
	uint32_t v = 0;

	rig_up(&r, NULL);
	CU_ASSERT_EQUAL_FATAL(gv_pf_boot(r.pf, &r.err), 0);
	CU_ASSERT_EQUAL(gv_pf_reg_read(r.pf, GVX_MAGIC__BYTE, &v), 0);
	CU_ASSERT_EQUAL(v, gv_reg_info(GV_REG_GVX_MAGIC)->reset);
	CU_ASSERT_EQUAL(gv_pf_reg_write(r.pf, GVX_MAGIC__BYTE, 0), -EACCES);
	CU_ASSERT_EQUAL(gv_pf_reg_write(r.pf, SCRATCH_REG1__BYTE, 5), 0);
	CU_ASSERT_EQUAL(gv_pf_reg_read(r.pf, SCRATCH_REG1__BYTE, &v), 0);
	CU_ASSERT_EQUAL(v, 5);
	CU_ASSERT_EQUAL(gv_pf_reg_read(r.pf, SCRATCH_REG1__BYTE + 1, &v), -ENOENT);
	CU_ASSERT_EQUAL(gv_pf_reg_read(r.pf, GV_BAR5_BYTES + 4, &v), -ENOENT);
	rig_down(&r);
}

static void vram_is_reached_up_to_its_end_and_not_beyond(void)
{
	const uint64_t end = 256 * GV_MIB;
	uint32_t v = 0x12345678, got = 0;
	struct rig r;

	rig_up(&r, NULL);
	CU_ASSERT_EQUAL_FATAL(gv_pf_boot(r.pf, &r.err), 0);
	CU_ASSERT_EQUAL(gv_pf_vram_write(r.pf, end - 4, &v, 4), 0);
	CU_ASSERT_EQUAL(gv_pf_vram_read(r.pf, end - 4, &got, 4), 0);
	CU_ASSERT_EQUAL(got, v);
	CU_ASSERT_EQUAL(gv_pf_vram_read(r.pf, end - 3, &got, 4), -ERANGE);
	CU_ASSERT_EQUAL(gv_pf_vram_read(r.pf, UINT64_MAX - 1, &got, 4), -ERANGE);
	CU_ASSERT_EQUAL(gv_pf_vram_write(r.pf, end, &got, 1), -ERANGE);
	rig_down(&r);
}

UT_MAIN("pf-driver/boot", UT(every_step_is_done_in_order_and_undone),
        UT(a_failure_in_any_step_is_named_and_everything_is_undone),
        UT(every_step_has_a_failure_above), UT(registers_are_reached_by_the_rules_of_the_table),
        UT(vram_is_reached_up_to_its_end_and_not_beyond))
