/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Both hubs' translation: GART in VMID 0, page tables of the other VMIDs, TLB invalidation. */
#include "guest.h"

/* Registers of one hub; GC and MM have the same ones at different places. */
struct hub {
	const char *name;
	uint32_t cntl, base_lo, base_hi, start_lo, start_hi, end_lo, end_hi;
	uint32_t req, ack, range_lo, range_hi;
	uint32_t agp_base, agp_bot, agp_top, sys_low, sys_high, l1_tlb;
};

#define HUB(p)                                                                                     \
	p##VM_CONTEXT0_CNTL__BYTE, p##VM_CONTEXT0_PAGE_TABLE_BASE_ADDR_LO32__BYTE,                 \
	        p##VM_CONTEXT0_PAGE_TABLE_BASE_ADDR_HI32__BYTE,                                    \
	        p##VM_CONTEXT0_PAGE_TABLE_START_ADDR_LO32__BYTE,                                   \
	        p##VM_CONTEXT0_PAGE_TABLE_START_ADDR_HI32__BYTE,                                   \
	        p##VM_CONTEXT0_PAGE_TABLE_END_ADDR_LO32__BYTE,                                     \
	        p##VM_CONTEXT0_PAGE_TABLE_END_ADDR_HI32__BYTE, p##VM_INVALIDATE_ENG0_REQ__BYTE,    \
	        p##VM_INVALIDATE_ENG0_ACK__BYTE, p##VM_INVALIDATE_ENG0_ADDR_RANGE_LO32__BYTE,      \
	        p##VM_INVALIDATE_ENG0_ADDR_RANGE_HI32__BYTE, p##MC_VM_AGP_BASE__BYTE,              \
	        p##MC_VM_AGP_BOT__BYTE, p##MC_VM_AGP_TOP__BYTE,                                    \
	        p##MC_VM_SYSTEM_APERTURE_LOW_ADDR__BYTE, p##MC_VM_SYSTEM_APERTURE_HIGH_ADDR__BYTE, \
	        p##MC_VM_MX_L1_TLB_CNTL__BYTE

static const struct hub hubs[] = {
        {"GFXHUB", HUB()},
        {"MMHUB", HUB(MMHUB_)},
};

_Static_assert(VM_CONTEXT0_CNTL__STRIDE == MMHUB_VM_CONTEXT0_CNTL__STRIDE, "hubs are alike");
_Static_assert(VM_INVALIDATE_ENG0_REQ__STRIDE == MMHUB_VM_INVALIDATE_ENG0_REQ__STRIDE, "alike");

static uint32_t context_reg(uint32_t first, unsigned vmid)
{
	return first + vmid * VM_CONTEXT0_PAGE_TABLE_BASE_ADDR_LO32__STRIDE;
}

/* Base and range of one context; range in 4 KiB pages, the last one included. */
static int set_table(struct gv_guest *g, const struct hub *h, unsigned vmid, uint64_t base,
                     uint64_t first_pfn, uint64_t last_pfn, struct gv_err *err)
{
	const struct gv_regval list[] = {
	        {context_reg(h->base_lo, vmid), (uint32_t)base},
	        {context_reg(h->base_hi, vmid), (uint32_t)(base >> 32)},
	        {context_reg(h->start_lo, vmid), (uint32_t)first_pfn},
	        {context_reg(h->start_hi, vmid), (uint32_t)(first_pfn >> 32)},
	        {context_reg(h->end_lo, vmid), (uint32_t)last_pfn},
	        {context_reg(h->end_hi, vmid), (uint32_t)(last_pfn >> 32)},
	};

	return gv_reg_wr_list(g, list, GV_ARRAY_LEN(list), err);
}

static uint32_t context_cntl(unsigned depth)
{
	return GV_PUT(VM_CONTEXT0_CNTL, ENABLE_CONTEXT, 1) |
	       GV_PUT(VM_CONTEXT0_CNTL, PAGE_TABLE_DEPTH, depth) |
	       GV_PUT(VM_CONTEXT0_CNTL, RANGE_PROTECTION_FAULT_ENABLE_DEFAULT, 1) |
	       GV_PUT(VM_CONTEXT0_CNTL, RANGE_PROTECTION_FAULT_ENABLE_INTERRUPT, 1) |
	       GV_PUT(VM_CONTEXT0_CNTL, DUMMY_PAGE_PROTECTION_FAULT_ENABLE_DEFAULT, 1) |
	       GV_PUT(VM_CONTEXT0_CNTL, DUMMY_PAGE_PROTECTION_FAULT_ENABLE_INTERRUPT, 1) |
	       GV_PUT(VM_CONTEXT0_CNTL, PDE0_PROTECTION_FAULT_ENABLE_DEFAULT, 1) |
	       GV_PUT(VM_CONTEXT0_CNTL, PDE0_PROTECTION_FAULT_ENABLE_INTERRUPT, 1) |
	       GV_PUT(VM_CONTEXT0_CNTL, VALID_PROTECTION_FAULT_ENABLE_DEFAULT, 1) |
	       GV_PUT(VM_CONTEXT0_CNTL, VALID_PROTECTION_FAULT_ENABLE_INTERRUPT, 1) |
	       GV_PUT(VM_CONTEXT0_CNTL, READ_PROTECTION_FAULT_ENABLE_DEFAULT, 1) |
	       GV_PUT(VM_CONTEXT0_CNTL, READ_PROTECTION_FAULT_ENABLE_INTERRUPT, 1) |
	       GV_PUT(VM_CONTEXT0_CNTL, WRITE_PROTECTION_FAULT_ENABLE_DEFAULT, 1) |
	       GV_PUT(VM_CONTEXT0_CNTL, WRITE_PROTECTION_FAULT_ENABLE_INTERRUPT, 1) |
	       GV_PUT(VM_CONTEXT0_CNTL, EXECUTE_PROTECTION_FAULT_ENABLE_DEFAULT, 1) |
	       GV_PUT(VM_CONTEXT0_CNTL, EXECUTE_PROTECTION_FAULT_ENABLE_INTERRUPT, 1);
}

/* What every hub needs once: apertures, L1 TLB, whole-range invalidation engines. */
static int hub_up(struct gv_guest *g, const struct hub *h, struct gv_err *err)
{
	uint64_t last = g->fb_mc + g->fb_bytes - 1;
	const struct gv_regval list[] = {
	        /* no AGP: its bottom lies above its top */
	        {h->agp_base, 0},
	        {h->agp_bot, gv_mask(MC_VM_AGP_BOT__AGP_BOT__LO, MC_VM_AGP_BOT__AGP_BOT__BITS)},
	        {h->agp_top, 0},
	        {h->sys_low, (uint32_t)(g->fb_mc >> 18)},
	        {h->sys_high, (uint32_t)(last >> 18)},
	        {h->l1_tlb, GV_PUT(MC_VM_MX_L1_TLB_CNTL, ENABLE_L1_TLB, 1) |
	                            GV_PUT(MC_VM_MX_L1_TLB_CNTL, SYSTEM_ACCESS_MODE, 3) |
	                            GV_PUT(MC_VM_MX_L1_TLB_CNTL, ENABLE_ADVANCED_DRIVER_MODEL, 1) |
	                            GV_PUT(MC_VM_MX_L1_TLB_CNTL, MTYPE, 3) |
	                            GV_PUT(MC_VM_MX_L1_TLB_CNTL, ATC_EN, 1)},
	};
	uint32_t lo = UINT32_MAX,
	         hi = gv_mask(VM_INVALIDATE_ENG0_ADDR_RANGE_HI32__LOGI_PAGE_ADDR_RANGE_HI5__LO,
	                      VM_INVALIDATE_ENG0_ADDR_RANGE_HI32__LOGI_PAGE_ADDR_RANGE_HI5__BITS);
	int rc = gv_reg_wr_list(g, list, GV_ARRAY_LEN(list), err);

	for (unsigned i = 0; !rc && i < VM_INVALIDATE_ENG0_REQ__COUNT; i++) {
		uint32_t at = i * VM_INVALIDATE_ENG0_ADDR_RANGE_LO32__STRIDE;

		rc = gv_reg_wr(g, h->range_lo + at, lo, err);
		if (!rc)
			rc = gv_reg_wr(g, h->range_hi + at, hi, err);
	}
	return rc;
}

/* ---- GART ------------------------------------------------------------------- */

#define GART_TABLE_BYTES (GV_GART_BYTES / GV_GPU_PAGE * sizeof(uint64_t))

static int clear_table(struct gv_guest *g)
{
	static const uint8_t zero[4096];
	int rc = 0;

	for (uint64_t at = 0; at < GART_TABLE_BYTES && !rc; at += sizeof(zero))
		rc = gv_vram_write(g, g->gart_table + at, zero, sizeof(zero));
	return rc;
}

/* Point @bytes of the GART at @iova, or at nothing. */
static int gart_write(struct gv_guest *g, uint64_t mc, uint64_t iova, uint64_t bytes, bool valid)
{
	uint64_t flags = GV_PTE_VALID | GV_PTE_SYSTEM | GV_PTE_SNOOPED | GV_PTE_READABLE |
	                 GV_PTE_WRITEABLE | GV_PTE_EXECUTABLE | GV_PTE_MTYPE(3);
	uint64_t at = g->gart_table + (mc - GV_GART_START) / GV_GPU_PAGE * sizeof(uint64_t);

	for (uint64_t done = 0; done < bytes; done += GV_GPU_PAGE, at += sizeof(uint64_t)) {
		uint64_t pte = valid ? ((iova + done) & GV_PTE_ADDR_MASK) | flags : 0;
		int rc = gv_vram_write(g, at, &pte, sizeof(pte));

		if (rc)
			return rc;
	}
	gv_hdp_flush(g);
	return 0;
}

static int remap(struct gv_guest *g, const struct gv_gmem *m)
{
	return m->dma.cpu ? gart_write(g, m->mc, m->dma.iova, m->dma.bytes, true) : 0;
}

/* What lived in the GART before a reset lives there again. */
static int remap_all(struct gv_guest *g)
{
	int rc = remap(g, &g->wb);

	if (!rc)
		rc = remap(g, &g->kiq.ring);
	if (!rc)
		rc = remap(g, &g->kiq.eop);
	for (unsigned i = 0; i < GV_MAX_COMPUTE && !rc; i++) {
		rc = remap(g, &g->compute[i].ring);
		if (!rc)
			rc = remap(g, &g->compute[i].eop);
	}
	for (unsigned i = 0; i < GV_NUM_SDMA && !rc; i++)
		rc = remap(g, &g->sdma[i].ring);
	return rc;
}

int gv_gart_up(struct gv_guest *g, struct gv_err *err)
{
	uint64_t pfn = GV_GART_START >> GV_GPU_PAGE_SHIFT;
	int rc = gv_heap_take(&g->vram, GART_TABLE_BYTES, GV_GPU_PAGE, 0, g->visible_bytes, false,
	                      &g->gart_table);

	if (rc)
		return gv_fail(err, -ENOMEM, "no room for the GART table in visible memory");
	if (!g->gart_ready) { /* a reset keeps what lives in the GART */
		rc = gv_heap_init(&g->gart, GV_GART_START, GV_GART_BYTES);
		if (rc)
			return gv_fail(err, rc, "out of memory");
		g->gart_ready = true;
	}
	rc = clear_table(g);
	if (!rc)
		rc = remap_all(g);
	if (rc)
		return gv_fail(err, rc, "writing the GART table failed");
	for (size_t i = 0; i < GV_ARRAY_LEN(hubs); i++) {
		rc = set_table(g, &hubs[i], 0, (g->gart_table + g->fb_pa) | GV_PTE_VALID, pfn,
		               pfn + GV_GART_BYTES / GV_GPU_PAGE - 1, err);
		if (!rc)
			rc = hub_up(g, &hubs[i], err);
		if (!rc)
			rc = gv_reg_wr(g, hubs[i].cntl, context_cntl(0), err);
		if (rc)
			return gv_fail_prefix(err, "%s", hubs[i].name);
	}
	gv_hdp_flush(g);
	return gv_tlb_flush(g, 0, err);
}

void gv_gart_down(struct gv_guest *g)
{
	for (size_t i = 0; i < GV_ARRAY_LEN(hubs); i++)
		(void)gv_reg_wr(g, hubs[i].cntl, 0, NULL);
	if (g->gart_ready)
		gv_heap_done(&g->gart);
	g->gart_ready = false;
}

int gv_gmem_alloc(struct gv_guest *g, uint64_t bytes, struct gv_gmem *m)
{
	struct gv_gmem mem = {0};
	int rc = gv_dma_alloc(g->bus, bytes, &mem.dma);

	if (rc)
		return rc;
	rc = gv_heap_take(&g->gart, mem.dma.bytes, GV_GPU_PAGE, 0, UINT64_MAX, false, &mem.mc);
	if (!rc)
		rc = gart_write(g, mem.mc, mem.dma.iova, mem.dma.bytes, true);
	if (!rc)
		rc = gv_tlb_flush(g, 0, NULL);
	if (rc) {
		gv_dma_free(g->bus, &mem.dma);
		return rc;
	}
	*m = mem;
	return 0;
}

void gv_gmem_free(struct gv_guest *g, struct gv_gmem *m)
{
	if (!m->dma.cpu)
		return;
	if (g->gart_ready) {
		(void)gart_write(g, m->mc, 0, m->dma.bytes, false);
		(void)gv_tlb_flush(g, 0, NULL);
		(void)gv_heap_give(&g->gart, m->mc, m->dma.bytes);
	}
	gv_dma_free(g->bus, &m->dma);
	*m = (struct gv_gmem){0};
}

/* ---- contexts ----------------------------------------------------------------- */

int gv_context_set(struct gv_guest *g, unsigned vmid, const struct gv_pt *pt, struct gv_err *err)
{
	uint64_t last = (gv_pt_end(pt) >> GV_GPU_PAGE_SHIFT) - 1;
	int rc = 0;

	for (size_t i = 0; i < GV_ARRAY_LEN(hubs) && !rc; i++) {
		rc = set_table(g, &hubs[i], vmid, gv_pt_root(pt), 0, last, err);
		if (!rc)
			rc = gv_reg_wr(g, hubs[i].cntl + vmid * VM_CONTEXT0_CNTL__STRIDE,
			               context_cntl(gv_pt_depth(pt)), err);
	}
	return rc ? rc : gv_tlb_flush(g, vmid, err);
}

int gv_context_off(struct gv_guest *g, unsigned vmid, struct gv_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < GV_ARRAY_LEN(hubs) && !rc; i++)
		rc = gv_reg_wr(g, hubs[i].cntl + vmid * VM_CONTEXT0_CNTL__STRIDE, 0, err);
	return rc ? rc : gv_tlb_flush(g, vmid, err);
}

int gv_contexts_up(struct gv_guest *g, struct gv_err *err)
{
	/* after a reset there are VMs already, with buffers in them */
	if (g->vms)
		return gv_vms_rebuild(g, err);
	return gv_vm_make(g, 1, g->cfg.page_table_levels, &g->vm, err);
}

void gv_contexts_down(struct gv_guest *g)
{
	g->vm = gv_vm_free(g->vm);
}

/* Flat addressing: private and shared apertures, the same for every VMID. */
int gv_sh_mem_up(struct gv_guest *g, struct gv_err *err)
{
	enum { UNALIGNED = 3 };
	int rc = 0;

	for (unsigned vmid = 0; vmid < GV_NUM_VMID && !rc; vmid++) {
		rc = gv_grbm_select(g, 0, 0, 0, vmid, err);
		if (!rc)
			rc = gv_reg_wr(g, SH_MEM_CONFIG__BYTE,
			               GV_PUT(SH_MEM_CONFIG, ALIGNMENT_MODE, UNALIGNED) |
			                       GV_PUT(SH_MEM_CONFIG, RETRY_DISABLE, 1),
			               err);
		if (!rc)
			rc = gv_reg_wr(g, SH_MEM_BASES__BYTE,
			               GV_PUT(SH_MEM_BASES, PRIVATE_BASE, GV_PRIVATE_BASE) |
			                       GV_PUT(SH_MEM_BASES, SHARED_BASE, GV_SHARED_BASE),
			               err);
	}
	return rc ? rc : gv_grbm_select(g, 0, 0, 0, 0, err);
}

/* ---- TLBs -------------------------------------------------------------------------- */

static uint32_t flush_request(unsigned vmid)
{
	return GV_PUT(VM_INVALIDATE_ENG0_REQ, PER_VMID_INVALIDATE_REQ, 1u << vmid) |
	       GV_PUT(VM_INVALIDATE_ENG0_REQ, INVALIDATE_L2_PTES, 1) |
	       GV_PUT(VM_INVALIDATE_ENG0_REQ, INVALIDATE_L2_PDE0, 1) |
	       GV_PUT(VM_INVALIDATE_ENG0_REQ, INVALIDATE_L2_PDE1, 1) |
	       GV_PUT(VM_INVALIDATE_ENG0_REQ, INVALIDATE_L2_PDE2, 1) |
	       GV_PUT(VM_INVALIDATE_ENG0_REQ, INVALIDATE_L1_PTES, 1);
}

static uint32_t engine_reg(uint32_t first)
{
	return first + GV_CPU_ENGINE * VM_INVALIDATE_ENG0_REQ__STRIDE;
}

static int flush_direct(struct gv_guest *g, const struct hub *h, unsigned vmid, struct gv_err *err)
{
	uint32_t last = 0;
	int rc;

	gv_wr32(g->bus, engine_reg(h->req), flush_request(vmid));
	rc = gv_wait32(g->bus, engine_reg(h->ack), 1u << vmid, 1u << vmid, GV_REG_TIMEOUT_NS,
	               &last);
	return rc ? gv_fail(err, rc, "%s: TLB flush of VMID %u not acknowledged (0x%x)", h->name,
	                    vmid, last)
	          : 0;
}

/* WAIT_REG_MEM that first writes the request: both hubs in one go. */
static int flush_by_kiq(struct gv_guest *g, unsigned vmid, struct gv_err *err)
{
	enum { WRITE_THEN_WAIT = 1, EQUAL = 3, INTERVAL = 0x20 };
	uint32_t dw[2 * 7];
	unsigned n = 0;

	for (size_t i = 0; i < GV_ARRAY_LEN(hubs); i++) {
		dw[n++] = gv_pm4_header(PM4_WAIT_REG_MEM, 6);
		dw[n++] = GV_PUT(PM4_WAIT_REG_MEM, OPERATION, WRITE_THEN_WAIT) |
		          GV_PUT(PM4_WAIT_REG_MEM, FUNCTION, EQUAL);
		dw[n++] = engine_reg(hubs[i].req) / 4;
		dw[n++] = engine_reg(hubs[i].ack) / 4;
		dw[n++] = flush_request(vmid);
		dw[n++] = 1u << vmid;
		dw[n++] = INTERVAL;
	}
	if (gv_kiq_run(g, dw, n, err))
		return gv_fail_prefix(err, "TLB flush of VMID %u", vmid);
	return 0;
}

int gv_tlb_flush(struct gv_guest *g, unsigned vmid, struct gv_err *err)
{
	int rc = 0;

	gv_dma_to_device();
	atomic_fetch_add(&g->tlb_flushes, 1);
	if (g->runtime)
		return flush_by_kiq(g, vmid, err);
	for (size_t i = 0; i < GV_ARRAY_LEN(hubs) && !rc; i++)
		rc = flush_direct(g, &hubs[i], vmid, err);
	return rc;
}
