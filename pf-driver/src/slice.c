/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has which part of VRAM: second-level tables, size and offset registers, doorbells. */
#include <string.h>

#include "pf.h"

#define FB_UNIT_MIB   16u
#define CSA_UNIT_KIB  256u
#define TABLE_BATCH   4096u /* entries built at once */
#define INVALIDATE_NS (5 * GV_S)

static uint16_t giov(const struct gv_pf *pf, unsigned off)
{
	return (uint16_t)(pf->giov + off);
}

/* The same words in GPUIOV, GFXHUB and MMHUB: size and offset in 16 MiB. */
static uint32_t fb_word(const struct gv_pf_plan_vf *v)
{
	return GV_PUT(MC_VM_FB_SIZE_OFFSET_VF0, VF_FB_SIZE, v->fb_mib / FB_UNIT_MIB) |
	       GV_PUT(MC_VM_FB_SIZE_OFFSET_VF0, VF_FB_OFFSET, v->fb_offset_mib / FB_UNIT_MIB);
}

static uint32_t context_word(const struct gv_pf_plan *plan)
{
	return GV_PUT(GIOV_CONTEXT, CONTEXT_SIZE, plan->csa_kib / CSA_UNIT_KIB) |
	       GV_PUT(GIOV_CONTEXT, CONTEXT_OFFSET, plan->csa_offset / (CSA_UNIT_KIB * GV_KIB));
}

/* @plan NULL: nothing is given away. */
static uint32_t total_word(const struct gv_pf *pf, const struct gv_pf_plan *plan)
{
	uint32_t max = gv_mask(0, GIOV_TOTAL_FB__TOTAL_FB_CONSUMED__BITS);
	uint32_t consumed = plan ? plan->caps.vram_mib - plan->pf_mib : 0;

	return GV_PUT(GIOV_TOTAL_FB, TOTAL_FB_AVAILABLE, GV_MIN(pf->caps.vram_mib, max)) |
	       GV_PUT(GIOV_TOTAL_FB, TOTAL_FB_CONSUMED, GV_MIN(consumed, max));
}

/* ---- tables ---------------------------------------------------------------- */

/* Walk a VF's table in batches: write it, or compare it with what is there. */
static int table_pass(struct gv_pf *pf, const struct gv_pf_plan_vf *v, bool write,
                      struct gv_err *err)
{
	gv_auto_free uint64_t *want = malloc(2ul * TABLE_BATCH * sizeof(*want));
	uint64_t device = v->fb_offset_mib * GV_MIB;
	int rc = want ? 0 : -ENOMEM;

	for (uint32_t i = 0; !rc && i < v->l2_entries; i += TABLE_BATCH) {
		uint32_t n = GV_MIN(TABLE_BATCH, v->l2_entries - i);
		uint64_t at = v->l2_offset + i * sizeof(*want), *got = want + TABLE_BATCH;

		(void)gv_pf_l2_fill(want, n, device + ((uint64_t)i << GV_L2_SHIFT));
		rc = write ? gv_pf_vram_write(pf, at, want, n * sizeof(*want))
		           : gv_pf_vram_read(pf, at, got, n * sizeof(*want));
		for (uint32_t k = 0; !rc && !write && k < n; k++)
			if ((got[k] & ~GV_L2PTE_DIRTY) != want[k])
				return gv_fail(err, -EIO,
				               "table entry %u reads 0x%llx, must be 0x%llx", i + k,
				               (unsigned long long)got[k],
				               (unsigned long long)want[k]);
	}
	return rc ? gv_fail(err, rc, "table of %u entries: %s", v->l2_entries, strerror(-rc)) : 0;
}

int pf_tables_write(struct gv_pf *pf, const struct gv_pf_plan *plan, struct gv_err *err)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < plan->num_vfs; i++) {
		rc = table_pass(pf, &plan->vf[i], true, err);
		if (rc)
			(void)gv_fail_prefix(err, "VF%u", i);
	}
	return rc;
}

/* Let the tables of @count VFs from @first on come into force: all are asked for, then waited for.
 */
static int invalidate(struct gv_pf *pf, unsigned first, unsigned count, struct gv_err *err)
{
	uint32_t last = 0;
	int rc = 0;

	gv_dma_to_device();
	for (unsigned i = first; i < first + count; i++)
		gv_wr32(pf->bus, GV_BYTE_N(GVX_VF0_L2_INVALIDATE, i), 1);
	for (unsigned i = first; !rc && i < first + count; i++) {
		rc = gv_wait32(pf->bus, GV_BYTE_N(GVX_VF0_L2_INVALIDATE, i), UINT32_MAX, 0,
		               INVALIDATE_NS, &last);
		if (rc)
			(void)gv_fail(err, rc, "VF%u: GVX_L2_INVALIDATE stays 0x%x", i, last);
	}
	return rc;
}

/* ---- registers of a VF: one list to write, check and clear -------------------- */

struct vf_reg {
	uint32_t byte, val;
};
#define VF_REGS 6

static void vf_regs(const struct gv_pf_plan_vf *v, unsigned vf, struct vf_reg reg[VF_REGS])
{
	const struct vf_reg all[VF_REGS] = {
	        {GV_BYTE_N(MC_VM_FB_SIZE_OFFSET_VF0, vf), fb_word(v)},
	        {GV_BYTE_N(MMHUB_MC_VM_FB_SIZE_OFFSET_VF0, vf), fb_word(v)},
	        {GV_BYTE_N(GVX_VF0_DOORBELL_PAGES, vf), v->doorbell_pages},
	        {GV_BYTE_N(GVX_VF0_L2_BASE_LO, vf), (uint32_t)v->l2_offset},
	        {GV_BYTE_N(GVX_VF0_L2_BASE_HI, vf), (uint32_t)(v->l2_offset >> 32)},
	        {GV_BYTE_N(GVX_VF0_L2_ENTRIES, vf), v->l2_entries},
	};

	memcpy(reg, all, sizeof(all));
}

static int cfg_expect(struct gv_pf *pf, uint16_t off, uint32_t want, const char *name,
                      struct gv_err *err)
{
	uint32_t got = gv_cfg_rd32(pf->bus, off);

	return got == want ? 0
	                   : gv_fail(err, -EIO, "GPUIOV %s reads 0x%08x, must be 0x%08x", name, got,
	                             want);
}

static void slice_write(struct gv_pf *pf, unsigned vf, const struct gv_pf_plan_vf *v)
{
	struct vf_reg reg[VF_REGS];

	vf_regs(v, vf, reg);
	for (unsigned i = 0; i < VF_REGS; i++)
		gv_wr32(pf->bus, reg[i].byte, reg[i].val);
	gv_cfg_wr32(pf->bus, giov(pf, GV_GIOV_VF_FB(vf)), fb_word(v));
}

static int slice_check(struct gv_pf *pf, unsigned vf, const struct gv_pf_plan_vf *v,
                       struct gv_err *err)
{
	struct vf_reg reg[VF_REGS];
	int rc = 0;

	vf_regs(v, vf, reg);
	for (unsigned i = 0; !rc && i < VF_REGS; i++)
		rc = pf_expect(pf, reg[i].byte, UINT32_MAX, reg[i].val, err);
	if (!rc)
		rc = cfg_expect(pf, giov(pf, GV_GIOV_VF_FB(vf)), fb_word(v), "VFn_FB", err);
	if (rc)
		(void)gv_fail_prefix(err, "VF%u", vf);
	return rc;
}

int pf_slices_write(struct gv_pf *pf, const struct gv_pf_plan *plan, struct gv_err *err)
{
	int rc = 0;

	for (unsigned i = 0; i < plan->num_vfs; i++)
		slice_write(pf, i, &plan->vf[i]);
	gv_cfg_wr32(pf->bus, giov(pf, GIOV_CONTEXT__OFF), context_word(plan));
	gv_cfg_wr32(pf->bus, giov(pf, GIOV_TOTAL_FB__OFF), total_word(pf, plan));
	for (unsigned i = 0; !rc && i < plan->num_vfs; i++)
		rc = slice_check(pf, i, &plan->vf[i], err);
	return rc ? rc : invalidate(pf, 0, plan->num_vfs, err);
}

/* ---- taking it back ------------------------------------------------------------- */

static const struct gv_pf_plan_vf none;

/* Whatever is taken back is looked at and, if need be, taken back once more: there is no step
 * behind it that would notice. */
#define TRIES 2

static bool slice_is_clear(struct gv_pf *pf, unsigned vf)
{
	return slice_check(pf, vf, &none, NULL) == 0 &&
	       pf_expect(pf, GV_BYTE_N(GVX_VF0_L2_IN_FORCE, vf), UINT32_MAX, 0, NULL) == 0;
}

static void slice_clear(struct gv_pf *pf, unsigned vf)
{
	for (unsigned i = 0; i < TRIES; i++) {
		slice_write(pf, vf, &none);
		if (!invalidate(pf, vf, 1, NULL) && slice_is_clear(pf, vf))
			return;
	}
}

static void cfg_put(struct gv_pf *pf, uint16_t off, uint32_t val)
{
	for (unsigned i = 0; i < TRIES && (!i || gv_cfg_rd32(pf->bus, off) != val); i++)
		gv_cfg_wr32(pf->bus, off, val);
}

void pf_slices_clear(struct gv_pf *pf, const struct gv_pf_plan *plan)
{
	for (unsigned i = 0; i < plan->num_vfs; i++)
		slice_clear(pf, i);
	cfg_put(pf, giov(pf, GIOV_CONTEXT__OFF), 0);
	cfg_put(pf, giov(pf, GIOV_TOTAL_FB__OFF), total_word(pf, NULL));
}

static void clear_batch(struct gv_pf *pf, uint64_t at, size_t bytes)
{
	static const uint64_t zeros[TABLE_BATCH];
	gv_auto_free uint64_t *got = malloc(sizeof(zeros));
	bool clear = false;

	for (unsigned i = 0; i < TRIES && !clear; i++) {
		(void)gv_pf_vram_write(pf, at, zeros, bytes);
		clear = got && !gv_pf_vram_read(pf, at, got, bytes) && !memcmp(got, zeros, bytes);
	}
}

/* Nobody reads them any more: what is in force says GVX_VFn_L2_ENTRIES. */
void pf_tables_clear(struct gv_pf *pf, const struct gv_pf_plan *plan)
{
	for (unsigned i = 0; i < plan->num_vfs; i++)
		for (uint32_t k = 0; k < plan->vf[i].l2_entries; k += TABLE_BATCH)
			clear_batch(pf, plan->vf[i].l2_offset + k * sizeof(uint64_t),
			            GV_MIN(TABLE_BATCH, plan->vf[i].l2_entries - k) *
			                    sizeof(uint64_t));
}

/* ---- read-back ---------------------------------------------------------------------- */

int pf_slices_check(struct gv_pf *pf, const struct gv_pf_plan *plan, struct gv_err *err)
{
	int rc = cfg_expect(pf, giov(pf, GIOV_CONTEXT__OFF), context_word(plan), "CONTEXT", err);

	if (!rc)
		rc = cfg_expect(pf, giov(pf, GIOV_TOTAL_FB__OFF), total_word(pf, plan), "TOTAL_FB",
		                err);
	for (unsigned i = 0; !rc && i < plan->num_vfs; i++) {
		rc = slice_check(pf, i, &plan->vf[i], err);
		if (!rc)
			rc = table_pass(pf, &plan->vf[i], false, err);
		if (!rc)
			rc = pf_expect(pf, GV_BYTE_N(GVX_VF0_L2_IN_FORCE, i), UINT32_MAX,
			               plan->vf[i].l2_entries, err);
	}
	return rc;
}
