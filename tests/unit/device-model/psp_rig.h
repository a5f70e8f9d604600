/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A driver's GPCOM ring on the GPU of mem_rig.h, in frame buffer or system memory. */
#ifndef GV_PSP_RIG_H
#define GV_PSP_RIG_H

#include "mem_rig.h"
#include "ut.h"

#define PSP_RING     0x10000ull /* in the VF's frame buffer, or in its system memory */
#define PSP_CMD      0x11000ull
#define PSP_FENCE    0x12008ull
#define PSP_FIRMWARE 0x100000ull
#define PSP_VMR      0x400000ull
#define PSP_VMR_SIZE 0x400000u
#define PSP_GART     0x100000000000ull /* where that system memory is for VMID 0 */
#define PSP_TABLE    (24 * GV_MIB)     /* the PSP_GART's, in the frame buffer */

/* A driver and its ring. */
struct psp_driver {
	struct mem_rig *r;
	struct gv_fn *f;
	uint64_t at; /* what its memory begins at: 0 frame buffer, or PSP_GART */
	uint32_t wptr, fence;
};

static inline void psp_put(struct psp_driver *d, uint64_t off, const void *buf, size_t n)
{
	if (d->at)
		memcpy(d->r->sys[d->f->index] + off, buf, n);
	else
		rig_put(d->f, off, buf, n);
}

static inline void psp_get(struct psp_driver *d, uint64_t off, void *buf, size_t n)
{
	if (d->at)
		memcpy(buf, d->r->sys[d->f->index] + off, n);
	else
		rig_get(d->f, off, buf, n);
}

static inline uint32_t psp_fence(struct psp_driver *d)
{
	if (!d->at)
		return rig_get32(d->f, PSP_FENCE);
	return __atomic_load_n((uint32_t *)(void *)(d->r->sys[d->f->index] + PSP_FENCE),
	                       __ATOMIC_ACQUIRE);
}

/* The PSP_GART of MMHUB's VMID 0: all of the function's system memory. */
static inline void psp_map_gart(struct psp_driver *d)
{
	for (uint64_t page = 0; page < RIG_SYS / 4096; page++)
		rig_put64(d->f, PSP_TABLE + 8 * page,
		          (RIG_IOVA + 4096 * page) | RIG_PTE | GV_PTE_SYSTEM);
	rig_context(d->f, 0, 0, PSP_TABLE | GV_PTE_VALID, PSP_GART, PSP_GART + RIG_SYS - 1);
	d->at = PSP_GART;
}

/* C2PMSG_101 with its answer. */
static inline uint32_t psp_ask(struct psp_driver *d, uint32_t command)
{
	const uint32_t done = GV_PUT(PSP_C2PMSG, RESPONSE, 1);

	rig_wr(d->f, MP0_SMN_C2PMSG_101__BYTE, GV_PUT(PSP_C2PMSG, COMMAND, command));
	CU_ASSERT(UNTIL(rig_rd(d->f, MP0_SMN_C2PMSG_101__BYTE) & done));
	return GV_GET(rig_rd(d->f, MP0_SMN_C2PMSG_101__BYTE), PSP_C2PMSG, STATUS);
}

static inline uint32_t psp_create_at(struct psp_driver *d, uint64_t va)
{
	rig_wr(d->f, MP0_SMN_C2PMSG_102__BYTE, (uint32_t)va);
	rig_wr(d->f, MP0_SMN_C2PMSG_103__BYTE, (uint32_t)(va >> 32));
	d->wptr = 0;
	return psp_ask(d, GV_PSP_INIT_GPCOM_RING);
}

/* As psp_v3_1_ring_create(). */
static inline void psp_create(struct psp_driver *d)
{
	CU_ASSERT_EQUAL(psp_ask(d, GV_PSP_DESTROY_GPCOM_RING), 0);
	CU_ASSERT_EQUAL(psp_create_at(d, d->at + PSP_RING), 0);
}

static inline struct psp_driver psp_driver_of(struct mem_rig *r, unsigned vf, bool gart)
{
	struct psp_driver d = {.r = r, .f = r->vf[vf]};

	if (gart)
		psp_map_gart(&d);
	psp_create(&d);
	return d;
}

static inline struct gv_psp_frame psp_frame_of(struct psp_driver *d)
{
	return (struct gv_psp_frame){.cmd_lo = (uint32_t)(d->at + PSP_CMD),
	                             .cmd_hi = (uint32_t)((d->at + PSP_CMD) >> 32),
	                             .fence_lo = (uint32_t)(d->at + PSP_FENCE),
	                             .fence_hi = (uint32_t)((d->at + PSP_FENCE) >> 32),
	                             .fence = ++d->fence};
}

static inline void psp_add_frame(struct psp_driver *d, const struct gv_psp_frame *frame)
{
	psp_put(d, PSP_RING + d->wptr * 4ull, frame, sizeof(*frame));
	d->wptr = (d->wptr + GV_PSP_FRAME_DW) % GV_PSP_RING_DW;
}

static inline void psp_kick(struct psp_driver *d, uint32_t wptr)
{
	rig_wr(d->f, MP0_SMN_C2PMSG_102__BYTE, wptr);
	rig_wr(d->f, MP0_SMN_C2PMSG_101__BYTE, GV_PUT(PSP_C2PMSG, COMMAND, GV_PSP_CONSUME_CMD));
}

/* As psp_cmd_submit_buf(): no wait for the answer in C2PMSG_101. */
static inline struct gv_psp_resp psp_run(struct psp_driver *d, const struct gv_psp_cmd *cmd)
{
	static const struct gv_psp_resp none = {.status = 0xdeadbeef};
	struct gv_psp_frame frame = psp_frame_of(d);
	struct gv_psp_resp resp;

	psp_put(d, PSP_CMD, cmd, sizeof(*cmd));
	psp_put(d, PSP_CMD + sizeof(*cmd), &none, sizeof(none));
	psp_add_frame(d, &frame);
	psp_kick(d, d->wptr);
	CU_ASSERT(UNTIL(psp_fence(d) == d->fence));
	psp_get(d, PSP_CMD + sizeof(*cmd), &resp, sizeof(resp));
	return resp;
}

static inline uint32_t psp_prog_reg(struct psp_driver *d, uint32_t id, uint32_t val)
{
	const struct gv_psp_cmd cmd = {.id = GV_PSP_PROG_REG, .reg = {.val = val, .id = id}};

	return psp_run(d, &cmd).status;
}

static inline uint32_t psp_setup_vmr(struct psp_driver *d, uint64_t va, uint32_t bytes)
{
	const struct gv_psp_cmd cmd = {
	        .id = GV_PSP_SETUP_VMR,
	        .vmr = {.lo = (uint32_t)va, .hi = (uint32_t)(va >> 32), .bytes = bytes}};

	return psp_run(d, &cmd).status;
}

static inline struct gv_psp_resp psp_load(struct psp_driver *d, unsigned type, uint64_t va,
                                          uint32_t bytes)
{
	const struct gv_psp_cmd cmd = {.id = GV_PSP_LOAD_IP_FW,
	                               .fw = {.lo = (uint32_t)va,
	                                      .hi = (uint32_t)(va >> 32),
	                                      .bytes = bytes,
	                                      .type = type}};

	return psp_run(d, &cmd);
}

static inline uint64_t psp_errors(struct psp_driver *d)
{
	return atomic_load(&d->f->count.guest_errors);
}

#endif
