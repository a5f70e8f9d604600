/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cp_rig.h"
#include "device.h"

#define VF_DEVICE_ADDR(vf) (64 * GV_MIB + (vf)*RIG_FB_BYTES)
#define L2_TABLE(vf)       (32 * GV_MIB + (vf)*GV_GPU_PAGE)

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "rig: %s\n", what);
	exit(2);
}

uint32_t rig_rd(struct rig *r, unsigned fn, uint32_t byte)
{
	uint32_t val = 0;

	must(gv_dev_read(r->dev, fn, GV_REGION_MMIO, byte, &val, sizeof(val)) == 0, "MMIO read");
	return val;
}

void rig_wr(struct rig *r, unsigned fn, uint32_t byte, uint32_t val)
{
	must(gv_dev_write(r->dev, fn, GV_REGION_MMIO, byte, &val, sizeof(val)) == 0, "MMIO write");
}

/* A VF's memory is used as its driver uses it: through the mapped aperture. */
static void map_vf(struct rig *r, unsigned fn)
{
	gv_auto_fd int fd = -1;
	uint64_t bytes = 0;

	if (r->vram[fn])
		(void)munmap(r->vram[fn], RIG_FB_BYTES);
	r->vram[fn] = NULL;
	must(gv_dev_region_fd(r->dev, fn, GV_REGION_VRAM, &fd, &bytes) == 0 &&
	             bytes >= RIG_FB_BYTES,
	     "VRAM descriptor");
	r->vram[fn] = mmap(NULL, RIG_FB_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(r->vram[fn] != MAP_FAILED, "mmap of VRAM");
}

void rig_put(struct rig *r, unsigned fn, uint64_t va, const void *buf, size_t n)
{
	if (fn == GV_DEV_PF)
		must(gv_dev_write(r->dev, fn, GV_REGION_VRAM, va, buf, n) == 0, "VRAM write");
	else
		memcpy(r->vram[fn] + va, buf, n);
}

void rig_get(struct rig *r, unsigned fn, uint64_t va, void *buf, size_t n)
{
	gv_dma_from_device();
	if (fn == GV_DEV_PF)
		must(gv_dev_read(r->dev, fn, GV_REGION_VRAM, va, buf, n) == 0, "VRAM read");
	else
		memcpy(buf, r->vram[fn] + va, n);
}

void rig_put32(struct rig *r, unsigned fn, uint64_t va, uint32_t val)
{
	rig_put(r, fn, va, &val, sizeof(val));
}

uint32_t rig_get32(struct rig *r, unsigned fn, uint64_t va)
{
	uint32_t val = 0;

	rig_get(r, fn, va, &val, sizeof(val));
	return val;
}

bool rig_wait_mem(struct rig *r, unsigned fn, uint64_t va, uint32_t want, unsigned ms)
{
	uint64_t end = gv_now_ns() + ms * GV_MS;
	unsigned spins = 0;

	while (rig_get32(r, fn, va) != want) {
		if (gv_now_ns() > end)
			return false;
		gv_poll_pause(&spins);
	}
	return true;
}

bool rig_wait_reg(struct rig *r, unsigned fn, uint32_t byte, uint32_t want, unsigned ms)
{
	uint64_t end = gv_now_ns() + ms * GV_MS;
	unsigned spins = 0;

	while (rig_rd(r, fn, byte) != want) {
		if (gv_now_ns() > end)
			return false;
		gv_poll_pause(&spins);
	}
	return true;
}

struct gv_dev_stats rig_stats(struct rig *r, unsigned fn)
{
	struct gv_dev_stats s;

	gv_dev_get_stats(r->dev, fn, &s);
	return s;
}

/* ---- the GPU ------------------------------------------------------------- */

void rig_admit_vf(struct rig *r, unsigned vf)
{
	const enum gv_reg gates[] = {GV_REG_GVX_VF_REGWR_EN, GV_REG_GVX_VF_DOORBELL_EN,
	                             GV_REG_GVX_VF_FB_EN};
	unsigned n = RIG_FB_BYTES / GV_L2_PAGE;

	for (unsigned i = 0; i < n; i++) {
		uint64_t entry = (VF_DEVICE_ADDR(vf) + i * GV_L2_PAGE) | GV_L2PTE_VALID |
		                 GV_L2PTE_READABLE | GV_L2PTE_WRITEABLE;

		rig_put(r, GV_DEV_PF, L2_TABLE(vf) + i * 8, &entry, sizeof(entry));
	}
	rig_wr(r, GV_DEV_PF, GV_BYTE_N(GVX_VF0_L2_BASE_LO, vf), (uint32_t)L2_TABLE(vf));
	rig_wr(r, GV_DEV_PF, GV_BYTE_N(GVX_VF0_L2_BASE_HI, vf), 0);
	rig_wr(r, GV_DEV_PF, GV_BYTE_N(GVX_VF0_L2_ENTRIES, vf), n);
	rig_wr(r, GV_DEV_PF, GV_BYTE_N(GVX_VF0_L2_INVALIDATE, vf), 1);
	must(rig_wait_reg(r, GV_DEV_PF, GV_BYTE_N(GVX_VF0_L2_INVALIDATE, vf), 0, 20000),
	     "second-level table was not taken");
	for (size_t i = 0; i < GV_ARRAY_LEN(gates); i++) {
		uint32_t byte = gv_reg_info(gates[i])->byte;

		rig_wr(r, GV_DEV_PF, byte, rig_rd(r, GV_DEV_PF, byte) | 1u << vf);
	}
	map_vf(r, GV_DEV_VF(vf));
	memset(r->queue[GV_DEV_VF(vf)], 0, sizeof(r->queue[0]));
	r->ih_rptr[GV_DEV_VF(vf)] = 0;
}

void rig_open(struct rig *r)
{
	static const struct gv_dev_cfg cfg = {
	        .vram_mib = 256, .max_vfs = RIG_VFS, .engine_threads = 2};
	struct gv_err err;

	memset(r, 0, sizeof(*r));
	if (gv_dev_new(&cfg, NULL, &r->dev, &err))
		must(false, err.text);
	gv_dev_set_vfs(r->dev, RIG_VFS);
	for (unsigned vf = 0; vf < RIG_VFS; vf++)
		rig_admit_vf(r, vf);
}

void rig_close(struct rig *r)
{
	for (unsigned fn = 0; fn < GV_DEV_MAX_FUNCS; fn++)
		if (r->vram[fn])
			(void)munmap(r->vram[fn], RIG_FB_BYTES);
	r->dev = gv_dev_free(r->dev);
}

/* ---- queues -------------------------------------------------------------- */

static uint64_t queue_base(unsigned q)
{
	return 0x100000 + (uint64_t)q * 0x10000;
}

uint64_t rig_ring_va(unsigned q)
{
	return queue_base(q);
}

uint64_t rig_mqd_va(unsigned q)
{
	return queue_base(q) + 0x8000;
}

uint64_t rig_wptr_va(unsigned q)
{
	return queue_base(q) + 0x9000;
}

uint64_t rig_rptr_va(unsigned q)
{
	return queue_base(q) + 0x9008;
}

uint64_t rig_fence_va(unsigned q)
{
	return queue_base(q) + 0x9010;
}

uint32_t rig_doorbell(unsigned q)
{
	if (q == RIG_GFX)
		return GV_DOORBELL_GFX_RING0;
	if (q == RIG_HIQ)
		return 0x800; /* behind amdgpu's two pages */
	return q == RIG_KIQ ? GV_DOORBELL_KIQ : GV_DOORBELL_MEC_RING0 + 2 * (q - 1);
}

/* As amdgpu and KFD place them: KIQ at me2 pipe1 queue0, HIQ at pipe0, compute on me1 pipes first.
 */
static void place(unsigned q, unsigned *mec, unsigned *pipe, unsigned *queue)
{
	bool mec2 = q == RIG_KIQ || q == RIG_HIQ;

	*mec = mec2;
	*pipe = mec2 ? q == RIG_KIQ : (q - 1) % 4;
	*queue = mec2 ? 0 : (q - 1) / 4;
}

void rig_select(struct rig *r, unsigned fn, unsigned q)
{
	unsigned mec, pipe, queue;

	place(q, &mec, &pipe, &queue);
	rig_wr(r, fn, GRBM_GFX_CNTL__BYTE,
	       GV_PUT(GRBM_GFX_CNTL, MEID, mec + 1) | GV_PUT(GRBM_GFX_CNTL, PIPEID, pipe) |
	               GV_PUT(GRBM_GFX_CNTL, QUEUEID, queue));
}

static uint32_t pq_control(void)
{
	return GV_PUT(CP_HQD_PQ_CONTROL, QUEUE_SIZE, 11) | /* 4096 dwords */
	       GV_PUT(CP_HQD_PQ_CONTROL, PRIV_STATE, 1) | GV_PUT(CP_HQD_PQ_CONTROL, KMD_QUEUE, 1);
}

static uint32_t doorbell_control(unsigned q)
{
	return GV_PUT(CP_HQD_PQ_DOORBELL_CONTROL, DOORBELL_OFFSET, rig_doorbell(q)) |
	       GV_PUT(CP_HQD_PQ_DOORBELL_CONTROL, DOORBELL_EN, 1);
}

static void start_ih(struct rig *r, unsigned fn)
{
	rig_wr(r, fn, IH_RB_BASE__BYTE, (uint32_t)(RIG_IH_RING >> 8));
	rig_wr(r, fn, IH_RB_BASE_HI__BYTE, 0);
	rig_wr(r, fn, IH_RB_RPTR__BYTE, 0);
	rig_wr(r, fn, IH_RB_CNTL__BYTE,
	       GV_PUT(IH_RB_CNTL, RB_ENABLE, 1) | GV_PUT(IH_RB_CNTL, RB_SIZE, 12) |
	               GV_PUT(IH_RB_CNTL, MC_SPACE, GV_IH_MC_SPACE_GPU_VA));
	r->ih_rptr[fn] = 0;
}

void rig_start_kiq(struct rig *r, unsigned fn)
{
	start_ih(r, fn);
	rig_wr(r, fn, CP_MEC_CNTL__BYTE, 0);
	rig_wr(r, fn, RLC_CP_SCHEDULERS__BYTE, 0x80 | 2 << 5 | 1 << 3);
	rig_put32(r, fn, rig_fence_va(RIG_KIQ), 0);
	rig_select(r, fn, RIG_KIQ);
	rig_wr(r, fn, CP_HQD_PQ_DOORBELL_CONTROL__BYTE, doorbell_control(RIG_KIQ));
	rig_wr(r, fn, CP_HQD_PQ_BASE__BYTE, (uint32_t)(rig_ring_va(RIG_KIQ) >> 8));
	rig_wr(r, fn, CP_HQD_PQ_CONTROL__BYTE, pq_control());
	rig_wr(r, fn, CP_HQD_PQ_RPTR_REPORT_ADDR__BYTE, (uint32_t)rig_rptr_va(RIG_KIQ));
	rig_wr(r, fn, CP_HQD_PQ_WPTR_POLL_ADDR__BYTE, (uint32_t)rig_wptr_va(RIG_KIQ));
	rig_wr(r, fn, CP_MEC_DOORBELL_RANGE_LOWER__BYTE, 0);
	rig_wr(r, fn, CP_MEC_DOORBELL_RANGE_UPPER__BYTE, 0x450);
	/* empty, from where we write on */
	rig_wr(r, fn, CP_HQD_PQ_RPTR__BYTE, (uint32_t)r->queue[fn][RIG_KIQ].wptr % RIG_RING_DW);
	rig_wr(r, fn, CP_HQD_PQ_WPTR_LO__BYTE, (uint32_t)r->queue[fn][RIG_KIQ].wptr);
	rig_wr(r, fn, CP_HQD_PQ_WPTR_HI__BYTE, 0);
	rig_wr(r, fn, CP_HQD_ACTIVE__BYTE, 1);
	rig_wr(r, fn, CP_PQ_STATUS__BYTE, GV_PUT(CP_PQ_STATUS, DOORBELL_ENABLE, 1));
	rig_wr(r, fn, GRBM_GFX_CNTL__BYTE, 0);
}

/* gfx_v9_0_cp_gfx_resume() and gfx_v9_0_cp_gfx_start() of Linux 6.1, register by register. */
void rig_start_gfx(struct rig *r, unsigned fn)
{
	const uint32_t cntl = GV_PUT(CP_RB0_CNTL, RB_BUFSZ, 11) |
	                      /* 4096 dwords */ GV_PUT(CP_RB0_CNTL, RB_BLKSZ, 9);

	rig_wr(r, fn, CP_RB_WPTR_DELAY__BYTE, 0);
	rig_wr(r, fn, CP_RB_VMID__BYTE, 0);
	rig_wr(r, fn, CP_RB0_CNTL__BYTE, cntl);
	rig_wr(r, fn, CP_RB0_WPTR__BYTE, 0);
	rig_wr(r, fn, CP_RB0_WPTR_HI__BYTE, 0);
	rig_wr(r, fn, CP_RB0_RPTR_ADDR__BYTE, (uint32_t)rig_rptr_va(RIG_GFX));
	rig_wr(r, fn, CP_RB0_RPTR_ADDR_HI__BYTE, 0);
	rig_wr(r, fn, CP_RB_WPTR_POLL_ADDR_LO__BYTE, (uint32_t)rig_wptr_va(RIG_GFX));
	rig_wr(r, fn, CP_RB_WPTR_POLL_ADDR_HI__BYTE, 0);
	rig_wr(r, fn, CP_RB0_CNTL__BYTE, cntl);
	rig_wr(r, fn, CP_RB0_BASE__BYTE, (uint32_t)(rig_ring_va(RIG_GFX) >> 8));
	rig_wr(r, fn, CP_RB0_BASE_HI__BYTE, 0);
	rig_wr(r, fn, CP_RB_DOORBELL_CONTROL__BYTE,
	       GV_PUT(CP_RB_DOORBELL_CONTROL, DOORBELL_OFFSET, GV_DOORBELL_GFX_RING0) |
	               GV_PUT(CP_RB_DOORBELL_CONTROL, DOORBELL_EN, 1));
	rig_wr(r, fn, CP_MAX_CONTEXT__BYTE, 7);
	rig_wr(r, fn, CP_DEVICE_ID__BYTE, 1);
	rig_wr(r, fn, CP_ME_CNTL__BYTE, 0);
	r->queue[fn][RIG_GFX] = (struct rig_queue){0, 0};
	rig_put32(r, fn, rig_fence_va(RIG_GFX), 0);
}

/* ---- address spaces ------------------------------------------------------ */

void rig_make_table(struct rig *r, unsigned fn, uint64_t table, uint64_t pa, unsigned pages)
{
	for (unsigned i = 0; i < pages; i++) {
		uint64_t pte = (pa + i * GV_GPU_PAGE) | GV_PTE_VALID | GV_PTE_READABLE |
		               GV_PTE_WRITEABLE | GV_PTE_EXECUTABLE;

		rig_put(r, fn, table + i * 8, &pte, sizeof(pte));
	}
}

#define OPEN_CONTEXT(hub)                                                                          \
	do {                                                                                       \
		rig_wr(r, fn, GV_BYTE_N(hub##_PAGE_TABLE_BASE_ADDR_LO32, vmid),                    \
		       (uint32_t)(base ? base | GV_PTE_VALID : 0));                                \
		rig_wr(r, fn, GV_BYTE_N(hub##_PAGE_TABLE_BASE_ADDR_HI32, vmid), 0);                \
		rig_wr(r, fn, GV_BYTE_N(hub##_PAGE_TABLE_START_ADDR_LO32, vmid), (uint32_t)first); \
		rig_wr(r, fn, GV_BYTE_N(hub##_PAGE_TABLE_START_ADDR_HI32, vmid),                   \
		       (uint32_t)(first >> 32));                                                   \
		rig_wr(r, fn, GV_BYTE_N(hub##_PAGE_TABLE_END_ADDR_LO32, vmid), (uint32_t)last);    \
		rig_wr(r, fn, GV_BYTE_N(hub##_PAGE_TABLE_END_ADDR_HI32, vmid),                     \
		       (uint32_t)(last >> 32));                                                    \
		rig_wr(r, fn, GV_BYTE_N(hub##_CNTL, vmid),                                         \
		       GV_PUT(VM_CONTEXT0_CNTL, ENABLE_CONTEXT, 1) |                               \
		               GV_PUT(VM_CONTEXT0_CNTL, VALID_PROTECTION_FAULT_ENABLE_INTERRUPT,   \
		                      1));                                                         \
	} while (0)

void rig_open_vmid(struct rig *r, unsigned fn, unsigned vmid, uint64_t va, unsigned pages,
                   uint64_t base)
{
	uint64_t first = va / GV_GPU_PAGE, last = first + pages - 1;

	OPEN_CONTEXT(VM_CONTEXT0);
	OPEN_CONTEXT(MMHUB_VM_CONTEXT0);
}

/* ---- descriptors --------------------------------------------------------- */

void rig_make_mqd(struct rig *r, unsigned fn, unsigned q)
{
	uint32_t mqd[GV_MQD_DWORDS] = {0};

	mqd[GV_MQD_HEADER] = (uint32_t)GV_MQD_HEADER_MAGIC;
	mqd[GV_MQD_COMPUTE_DW(COMPUTE_STATIC_THREAD_MGMT_SE0)] = UINT32_MAX;
	mqd[GV_MQD_DW(CP_MQD_BASE_ADDR)] = (uint32_t)rig_mqd_va(q);
	mqd[GV_MQD_DW(CP_HQD_PQ_BASE)] = (uint32_t)(rig_ring_va(q) >> 8);
	mqd[GV_MQD_DW(CP_HQD_PQ_RPTR_REPORT_ADDR)] = (uint32_t)rig_rptr_va(q);
	mqd[GV_MQD_DW(CP_HQD_PQ_WPTR_POLL_ADDR)] = (uint32_t)rig_wptr_va(q);
	mqd[GV_MQD_DW(CP_HQD_PQ_DOORBELL_CONTROL)] = doorbell_control(q);
	mqd[GV_MQD_DW(CP_HQD_PQ_CONTROL)] = pq_control();
	rig_put(r, fn, rig_mqd_va(q), mqd, sizeof(mqd));
	rig_put(r, fn, rig_wptr_va(q), &(uint64_t){0}, 8);
	rig_put32(r, fn, rig_fence_va(q), 0);
	r->queue[fn][q] = (struct rig_queue){0, 0};
}

void rig_emit_map(struct rig *r, unsigned fn, unsigned q)
{
	unsigned mec, pipe, queue;

	place(q, &mec, &pipe, &queue);
	RIG_EMIT(r, fn, RIG_KIQ, gv_pm4_header(PM4_MAP_QUEUES, 6),
	         GV_PUT(PM4_MAP_QUEUES, QUEUE, queue) | GV_PUT(PM4_MAP_QUEUES, PIPE, pipe) |
	                 GV_PUT(PM4_MAP_QUEUES, ME, mec) | GV_PUT(PM4_MAP_QUEUES, NUM_QUEUES, 1) |
	                 GV_PUT(PM4_MAP_QUEUES, ENGINE_SEL, q == RIG_HIQ),
	         GV_PUT(PM4_MAP_QUEUES, DOORBELL_OFFSET, rig_doorbell(q)), (uint32_t)rig_mqd_va(q),
	         0, (uint32_t)rig_wptr_va(q), 0);
}

void rig_emit_unmap(struct rig *r, unsigned fn, unsigned q, unsigned action)
{
	RIG_EMIT(r, fn, RIG_KIQ, gv_pm4_header(PM4_UNMAP_QUEUES, 5),
	         GV_PUT(PM4_UNMAP_QUEUES, ACTION, action) | GV_PUT(PM4_UNMAP_QUEUES, NUM_QUEUES, 1),
	         GV_PUT(PM4_UNMAP_QUEUES, DOORBELL_OFFSET0, rig_doorbell(q)), 0, 0, 0);
}

bool rig_is_active(struct rig *r, unsigned fn, unsigned q)
{
	bool on;

	rig_select(r, fn, q);
	on = rig_rd(r, fn, CP_HQD_ACTIVE__BYTE) & 1;
	rig_wr(r, fn, GRBM_GFX_CNTL__BYTE, 0);
	return on;
}

bool rig_map(struct rig *r, unsigned fn, unsigned q)
{
	rig_make_mqd(r, fn, q);
	rig_emit_map(r, fn, q);
	return rig_sync(r, fn, RIG_KIQ, 20000) && rig_is_active(r, fn, q);
}

bool rig_start(struct rig *r, unsigned fn, unsigned n)
{
	bool ok = true;

	rig_start_kiq(r, fn);
	RIG_EMIT(r, fn, RIG_KIQ, gv_pm4_header(PM4_SET_RESOURCES, 7), 0, 0x03030303, 0, 0, 0, 0, 0);
	for (unsigned q = 1; q <= n; q++)
		ok = rig_map(r, fn, q) && ok;
	return ok;
}

void rig_emit(struct rig *r, unsigned fn, unsigned q, const uint32_t *dw, size_t n)
{
	struct rig_queue *rq = &r->queue[fn][q];
	size_t at, first;

	while (n) {
		at = rq->wptr % RIG_RING_DW;
		first = GV_MIN(n, RIG_RING_DW - at);
		rig_put(r, fn, rig_ring_va(q) + at * 4, dw, first * 4);
		rq->wptr += first;
		dw += first;
		n -= first;
	}
}

void rig_kick(struct rig *r, unsigned fn, unsigned q)
{
	uint64_t wptr = r->queue[fn][q].wptr;

	rig_put(r, fn, rig_wptr_va(q), &wptr, sizeof(wptr));
	gv_dma_to_device();
	must(gv_dev_write(r->dev, fn, GV_REGION_DOORBELL, rig_doorbell(q) * 4, &wptr,
	                  sizeof(wptr)) == 0,
	     "doorbell");
}

uint32_t rig_emit_fence(struct rig *r, unsigned fn, unsigned q, unsigned int_sel)
{
	uint32_t seq = ++r->queue[fn][q].fence;

	RIG_EMIT(r, fn, q, gv_pm4_header(PM4_RELEASE_MEM, 7),
	         GV_PUT(PM4_RELEASE_MEM, EVENT_TYPE, PM4_EVENT_CACHE_FLUSH_AND_INV_TS) |
	                 GV_PUT(PM4_RELEASE_MEM, EVENT_INDEX, PM4_EVENT_INDEX_EOP),
	         GV_PUT(PM4_RELEASE_MEM, DATA_SEL, 1) | GV_PUT(PM4_RELEASE_MEM, INT_SEL, int_sel),
	         (uint32_t)rig_fence_va(q), 0, seq, 0, 0);
	return seq;
}

bool rig_sync(struct rig *r, unsigned fn, unsigned q, unsigned ms)
{
	uint32_t seq = rig_emit_fence(r, fn, q, 0);

	rig_kick(r, fn, q);
	return rig_wait_mem(r, fn, rig_fence_va(q), seq, ms);
}

/* ---- interrupts ---------------------------------------------------------- */

bool rig_next_iv(struct rig *r, unsigned fn, struct gv_ih_iv *iv, unsigned ms)
{
	uint64_t end = gv_now_ns() + ms * GV_MS;
	uint32_t *rptr = &r->ih_rptr[fn];
	unsigned spins = 0;

	while ((rig_rd(r, fn, IH_RB_WPTR__BYTE) & (RIG_IH_BYTES - 1)) == *rptr) {
		if (gv_now_ns() > end)
			return false;
		gv_poll_pause(&spins);
	}
	rig_get(r, fn, RIG_IH_RING + *rptr, iv, sizeof(*iv));
	*rptr = (*rptr + (uint32_t)sizeof(*iv)) & (RIG_IH_BYTES - 1);
	rig_wr(r, fn, IH_RB_RPTR__BYTE, *rptr);
	return true;
}

bool rig_find_iv(struct rig *r, unsigned fn, unsigned src, struct gv_ih_iv *iv, unsigned ms)
{
	while (rig_next_iv(r, fn, iv, ms))
		if (GV_GET(iv->dw[0], IH_IV0, SRC_ID) == src)
			return true;
	return false;
}
