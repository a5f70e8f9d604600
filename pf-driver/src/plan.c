/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From what the admin wants and what the GPU has to what will be done. Pure. */
#include <stdio.h>
#include <string.h>

#include "pf.h"

#define CSA_KIB_WANTED    1024u /* waves in flight and queue state of one function */
#define CSA_KIB_UNIT      256u  /* of GPUIOV CONTEXT_SIZE and CONTEXT_OFFSET */
#define TABLE_ALIGN       4096u
#define DOORBELLS_IN_PAGE 512u
#define DEFAULT_VRAM_MIB  4096u
#define DEFAULT_MAX_VFS   16u
#define DEFAULT_PF_WINDOW 64u

struct gv_pf_caps gv_pf_caps_default(uint32_t vram_mib, uint32_t max_vfs)
{
	return (struct gv_pf_caps){
	        .vram_mib = vram_mib ? vram_mib : DEFAULT_VRAM_MIB,
	        .pf_window_mib = DEFAULT_PF_WINDOW,
	        .max_vfs = max_vfs ? max_vfs : DEFAULT_MAX_VFS,
	        .fb_unit_mib = GV_CFG_FB_MIB_UNIT,
	        .fb_min_mib = GV_CFG_FB_MIB_MIN,
	        .doorbell_pages = GV_BAR2_BYTES / 4096,
	};
}

static uint32_t round_down(uint32_t x, uint32_t unit)
{
	return x - x % unit;
}

static uint64_t round_up(uint64_t x, uint64_t unit)
{
	return (x + unit - 1) / unit * unit;
}

static int check_caps(const struct gv_pf_caps *caps, struct gv_err *err)
{
	if (!caps->fb_unit_mib || !caps->doorbell_pages || !caps->max_vfs ||
	    caps->max_vfs > GV_PF_MAX_VFS)
		return gv_fail(err, -EINVAL,
		               "this GPU says that it has %u VFs, units of %u MiB, "
		               "%u doorbell pages",
		               caps->max_vfs, caps->fb_unit_mib, caps->doorbell_pages);
	if (caps->vram_mib < caps->pf_window_mib)
		return gv_fail(err, -EINVAL, "this GPU has %u MiB, less than the PF's %u",
		               caps->vram_mib, caps->pf_window_mib);
	return 0;
}

/* Sizes: first who asked for one, then equal shares of the rest. */
static int share_fb(const struct gv_cfg *cfg, struct gv_pf_plan *p, uint32_t left,
                    struct gv_err *err)
{
	uint32_t autos = 0, share;

	for (uint32_t i = 0; i < p->num_vfs; i++) {
		uint32_t asked = cfg->vfs[i].fb_mib;

		autos += !asked;
		if (asked % p->caps.fb_unit_mib)
			return gv_fail(err, -EINVAL,
			               "vfs[%u].fb_mib: %u asked, not a multiple of %u", i, asked,
			               p->caps.fb_unit_mib);
		if (asked > left)
			return gv_fail(err, -ENOSPC, "vfs[%u].fb_mib: %u asked, %u MiB left", i,
			               asked, left);
		left -= asked;
		p->vf[i].fb_mib = asked;
	}
	share = autos ? round_down(left / autos, p->caps.fb_unit_mib) : 0;
	for (uint32_t i = 0; i < p->num_vfs; i++) {
		if (p->vf[i].fb_mib)
			continue;
		if (share < p->caps.fb_min_mib)
			return gv_fail(
			        err, -ENOSPC,
			        "vfs[%u].fb_mib: an equal share asked, %u MiB left for %u of "
			        "them, at least %u each",
			        i, left, autos, p->caps.fb_min_mib);
		p->vf[i].fb_mib = share;
	}
	return 0;
}

static int share_doorbells(const struct gv_cfg *cfg, struct gv_pf_plan *p, struct gv_err *err)
{
	for (uint32_t i = 0; i < p->num_vfs; i++) {
		uint32_t asked = cfg->vfs[i].doorbells;
		uint32_t pages = (asked + DOORBELLS_IN_PAGE - 1) / DOORBELLS_IN_PAGE;

		/* Every VF has a doorbell BAR of its own, so nobody takes from another. */
		if (pages > p->caps.doorbell_pages)
			return gv_fail(err, -ERANGE, "vfs[%u].doorbells: %u asked, a VF has %u", i,
			               asked, p->caps.doorbell_pages * DOORBELLS_IN_PAGE);
		/* The amdgpu driver maps two pages, whatever it uses. */
		p->vf[i].doorbell_pages = asked ? GV_MAX(pages, 2u) : p->caps.doorbell_pages;
	}
	return 0;
}

static void place_slices(struct gv_pf_plan *p)
{
	uint32_t at = p->pf_mib, usable = p->caps.vram_mib - p->pf_mib;
	uint64_t table = PF_TABLES;

	for (uint32_t i = 0; i < p->num_vfs; i++) {
		struct gv_pf_plan_vf *v = &p->vf[i];

		v->fb_offset_mib = at;
		v->capacity = (uint32_t)(UINT16_MAX * (uint64_t)v->fb_mib / usable);
		v->l2_offset = table;
		v->l2_entries = (uint32_t)(v->fb_mib * GV_MIB >> GV_L2_SHIFT);
		table = round_up(table + v->l2_entries * sizeof(uint64_t), TABLE_ALIGN);
		at += v->fb_mib;
	}
	p->free_mib = p->caps.vram_mib - at;
	p->csa_offset = round_up(table, CSA_KIB_UNIT * GV_KIB);
}

/* One area per function, PF first; smaller ones when the window is small. */
static int place_csa(struct gv_pf_plan *p, struct gv_err *err)
{
	uint64_t end = p->caps.pf_window_mib * GV_MIB;
	uint64_t room = end > p->csa_offset ? end - p->csa_offset : 0;
	uint64_t each = room / (p->num_vfs + 1) / GV_KIB;

	p->csa_kib = round_down((uint32_t)GV_MIN(each, CSA_KIB_WANTED), CSA_KIB_UNIT);
	if (!p->csa_kib)
		return gv_fail(
		        err, -ENOSPC,
		        "num_vfs: %u asked, the PF's %u MiB have no room for their tables and "
		        "context save areas",
		        p->num_vfs, p->caps.pf_window_mib);
	return 0;
}

static uint32_t preempt_ms(const struct gv_cfg *cfg, const struct gv_cfg_vf *vf)
{
	uint32_t all = cfg->preempt_timeout_ms ? cfg->preempt_timeout_ms : GV_CFG_PREEMPT_MS;

	return vf->preempt_timeout_ms ? vf->preempt_timeout_ms : all;
}

int gv_pf_plan(const struct gv_pf_caps *caps, const struct gv_cfg *cfg, struct gv_pf_plan *plan,
               struct gv_err *err)
{
	struct gv_pf_plan p;
	uint32_t usable;
	int rc = check_caps(caps, err);

	if (!rc)
		rc = gv_cfg_check(cfg, err);
	if (rc)
		return rc;
	if (cfg->num_vfs > caps->max_vfs)
		return gv_fail(err, -ERANGE, "num_vfs: %u asked, this GPU has %u", cfg->num_vfs,
		               caps->max_vfs);
	memset(&p, 0, sizeof(p)); /* padding too: plans are compared by memcmp() */
	p.caps = *caps;
	p.policy = cfg->policy;
	p.num_vfs = cfg->num_vfs;
	p.pf_mib = (uint32_t)round_up(caps->pf_window_mib, caps->fb_unit_mib);
	snprintf(p.name, sizeof(p.name), "%s", cfg->name);
	for (unsigned k = 0; k < GV_CFG_GUARDS; k++)
		p.guard[k] = gv_cfg_guard_of(&cfg->guard[k], k);
	for (uint32_t i = 0; i < p.num_vfs; i++) {
		snprintf(p.vf[i].label, sizeof(p.vf[i].label), "%s", cfg->vfs[i].label);
		p.vf[i].quantum_ms = cfg->vfs[i].quantum_ms;
		p.vf[i].weight = cfg->vfs[i].weight;
		p.vf[i].priority = cfg->vfs[i].priority;
		p.vf[i].preempt_timeout_ms = preempt_ms(cfg, &cfg->vfs[i]);
	}
	usable = caps->vram_mib > p.pf_mib ? caps->vram_mib - p.pf_mib : 0;
	rc = share_fb(cfg, &p, round_down(usable, caps->fb_unit_mib), err);
	if (!rc)
		rc = share_doorbells(cfg, &p, err);
	if (rc)
		return rc;
	place_slices(&p);
	rc = place_csa(&p, err);
	if (!rc)
		*plan = p;
	return rc;
}

int gv_pf_l2_fill(uint64_t *entries, size_t count, uint64_t device)
{
	uint64_t entry = device | GV_L2PTE_VALID | GV_L2PTE_READABLE | GV_L2PTE_WRITEABLE;

	if (device & (GV_L2_PAGE - 1))
		return -EINVAL;
	for (size_t i = 0; i < count; i++)
		entries[i] = entry + (i << GV_L2_SHIFT);
	return 0;
}
