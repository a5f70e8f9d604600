/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ways in which a guest makes its engines touch memory, and views of any address. */
#include <stdio.h>
#include <string.h>

#include <gv/packets.h>

#include "rig.h"

/* Far above what the driver hands out of its three-level VM. */
#define VIEW_VA   (500ull << 30)
#define VIEW_STEP (64 * GV_KIB)

static int wait_seq(struct rig *r, struct gv_guest_queue *q, int rc, uint64_t seq)
{
	return rc ? rc : rig_wait(r, q, seq);
}

/* ---- SDMA ---------------------------------------------------------------------------- */

static int copy_sdma(struct rig *r, uint64_t dst, uint64_t src, unsigned bytes)
{
	struct gv_guest_queue *q = gv_guest_sdma(r->g, 0);
	uint64_t seq = 0;
	int rc = gv_guest_sdma_copy(q, r->g->vm, dst, src, bytes, &seq, &r->err);

	return wait_seq(r, q, rc, seq);
}

static int copy_sdma0(struct rig *r, uint64_t dst, uint64_t src, unsigned bytes)
{
	struct gv_guest_queue *q = gv_guest_sdma(r->g, 0);
	const uint32_t dw[SDMA_COPY_LINEAR__DW] = {GV_SDMA_HEADER(COPY_LINEAR),
	                                           GV_PUT(SDMA_COPY_LINEAR, count, bytes - 1),
	                                           0,
	                                           (uint32_t)src,
	                                           (uint32_t)(src >> 32),
	                                           (uint32_t)dst,
	                                           (uint32_t)(dst >> 32)};
	uint64_t seq = 0;
	int rc = gv_guest_submit(q, dw, GV_ARRAY_LEN(dw), &seq, &r->err);

	return wait_seq(r, q, rc, seq);
}

/* ---- the command processor, in VMID 0 --------------------------------------------------- */

static int run_pm4(struct rig *r, const uint32_t *dw, unsigned count)
{
	struct gv_guest_queue *q = gv_guest_compute(r->g, 0);
	uint64_t seq = 0;
	int rc = gv_guest_submit(q, dw, count, &seq, &r->err);

	return wait_seq(r, q, rc, seq);
}

static int copy_dma_data(struct rig *r, uint64_t dst, uint64_t src, unsigned bytes)
{
	const uint32_t dw[] = {gv_pm4_header(PM4_DMA_DATA, 6),
	                       GV_PUT(PM4_DMA_DATA, CP_SYNC, 1),
	                       (uint32_t)src,
	                       (uint32_t)(src >> 32),
	                       (uint32_t)dst,
	                       (uint32_t)(dst >> 32),
	                       GV_PUT(PM4_DMA_DATA, BYTE_COUNT, bytes)};

	return run_pm4(r, dw, GV_ARRAY_LEN(dw));
}

static int copy_copy_data(struct rig *r, uint64_t dst, uint64_t src, unsigned bytes)
{
	enum { MEMORY = 1 };
	const uint32_t dw[] = {gv_pm4_header(PM4_COPY_DATA, 5),
	                       GV_PUT(PM4_COPY_DATA, SRC_SEL, MEMORY) |
	                               GV_PUT(PM4_COPY_DATA, DST_SEL, MEMORY) |
	                               GV_PUT(PM4_COPY_DATA, COUNT_SEL, bytes == 8) |
	                               GV_PUT(PM4_COPY_DATA, WR_CONFIRM, 1),
	                       (uint32_t)src,
	                       (uint32_t)(src >> 32),
	                       (uint32_t)dst,
	                       (uint32_t)(dst >> 32)};

	return run_pm4(r, dw, GV_ARRAY_LEN(dw));
}

/* ---- shaders ----------------------------------------------------------------------------- */

/* s_load_dwordx4 s[4:7], s[0:1], 0; v_lshlrev_b32 v1, 2, v0; s_waitcnt lgkmcnt(0);
 * global_load_dword v2, v1, s[4:5]; s_waitcnt vmcnt(0); global_store_dword v1, v2, s[6:7];
 * s_endpgm. From llvm-mc -mcpu=gfx900. */
static const uint32_t copy_code[RIG_CODE_DW] = {
        0xc00a0100, 0x00000000, 0x24020082, 0xbf8cc07f, 0xdc508000,
        0x02040001, 0xbf8c0f70, 0xdc708000, 0x00060201, 0xbf810000,
};

int rig_copier(struct rig *r)
{
	return r->copier ? 0
	                 : gv_guest_program_raw(r->g, copy_code, sizeof(copy_code), &r->copier,
	                                        &r->err);
}

int rig_launch(struct rig *r, struct gv_guest_program *program, const void *kernarg, uint32_t bytes,
               uint32_t items, uint64_t *seq)
{
	const struct gv_co_kernel kernel = {
	        .name = "rig",
	        .kernarg_bytes = bytes,
	        .properties = 1 << 3, /* kernel arguments in the first two user SGPRs */
	        .rsrc1 = 0xaf0041,    /* 8 VGPRs, 16 SGPRs, IEEE and DX10 clamp */
	        .rsrc2 = 2 << COMPUTE_PGM_RSRC2__USER_SGPR__LO,
	};
	const struct gv_guest_launch l = {
	        .grid = {items}, .block = {64}, .kernarg = kernarg, .kernarg_bytes = bytes};

	return gv_guest_launch(gv_guest_compute(r->g, 0), program, &kernel, &l, seq, &r->err);
}

static int copy_shader(struct rig *r, uint64_t dst, uint64_t src, unsigned bytes)
{
	const uint64_t arg[] = {src, dst};
	uint64_t seq = 0;
	int rc = rig_copier(r);

	if (!rc)
		rc = rig_launch(r, r->copier, arg, sizeof(arg), bytes / 4, &seq);
	return wait_seq(r, gv_guest_compute(r->g, 0), rc, seq);
}

const struct rig_way rig_sdma = {"SDMA", RIG_PAGE, false, false, copy_sdma};
const struct rig_way rig_sdma0 = {"SDMA VMID 0", RIG_PAGE, true, false, copy_sdma0};
const struct rig_way rig_dma_data = {"DMA_DATA", RIG_PAGE, true, true, copy_dma_data};
const struct rig_way rig_copy_data = {"COPY_DATA", 8, true, true, copy_copy_data};
const struct rig_way rig_shader = {"shader", 256, false, true, copy_shader};

/* ---- views ----------------------------------------------------------------------------------- */

static int show_gart(struct rig *r, unsigned i, uint64_t page, uint64_t flags)
{
	uint64_t at, pte = page | flags | GV_PTE_VALID | GV_PTE_MTYPE(3);
	int rc = 0;

	if (!r->gart_mc)
		rc = gv_heap_take(&r->g->gart, RIG_VIEWS * RIG_PAGE, RIG_PAGE, 0, UINT64_MAX, false,
		                  &r->gart_mc);
	if (rc)
		return gv_fail(&r->err, rc, "the GART is full");
	at = r->g->gart_table + ((r->gart_mc - GV_GART_START) / RIG_PAGE + i) * sizeof(uint64_t);
	rc = gv_vram_write(r->g, at, &pte, sizeof(pte));
	gv_hdp_flush(r->g);
	return rc ? rc : gv_tlb_flush(r->g, 0, &r->err);
}

int rig_show(struct rig *r, unsigned i, uint64_t address, bool system)
{
	uint64_t page = address & ~(uint64_t)(RIG_PAGE - 1), va = VIEW_VA + i * VIEW_STEP;
	uint64_t flags = GV_PTE_READABLE | GV_PTE_WRITEABLE | GV_PTE_EXECUTABLE |
	                 (system ? GV_PTE_SYSTEM | GV_PTE_SNOOPED : 0);
	int rc;

	(void)gv_pt_unmap(r->g->vm->pt, va, RIG_PAGE);
	rc = gv_pt_map(r->g->vm->pt, va, page, RIG_PAGE, flags, 0);
	if (rc)
		return gv_fail(&r->err, rc, "a page-table entry for 0x%llx",
		               (unsigned long long)address);
	gv_hdp_flush(r->g);
	rc = gv_tlb_flush(r->g, r->g->vm->vmid, &r->err);
	return rc ? rc : show_gart(r, i, page, flags);
}

uint64_t rig_view(const struct rig *r, const struct rig_way *way, unsigned i)
{
	return way->vmid0 ? r->gart_mc + i * RIG_PAGE : VIEW_VA + i * VIEW_STEP;
}

void rig_access_done(struct rig *r)
{
	r->copier = gv_guest_program_free(r->copier);
	if (r->gart_mc)
		(void)gv_heap_give(&r->g->gart, r->gart_mc, RIG_VIEWS * RIG_PAGE);
	r->gart_mc = 0;
}

bool rig_all(const void *p, size_t bytes, uint8_t byte)
{
	const uint8_t *at = p;

	for (size_t i = 0; i < bytes; i++)
		if (at[i] != byte)
			return false;
	return true;
}
