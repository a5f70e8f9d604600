/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A GPU with two open VFs, in process, and queues on them as a driver makes them: for tests of
 * the command processor. All memory is VRAM, reached through VMID 0.
 */
#ifndef GV_CP_RIG_H
#define GV_CP_RIG_H

#include <gv/device_model.h>
#include <gv/layouts.h>
#include <gv/packets.h>

enum {
	RIG_VFS = 2,
	RIG_KIQ = 0, /* queue numbers: 0 KIQ, 1..8 compute, 9 the graphics ring, 10 KFD's HIQ */
	RIG_GFX = 9,
	RIG_HIQ = 10,
	RIG_QUEUES,
	RIG_RING_DW = 4096,
};
#define RIG_FB_BYTES   (16 * GV_MIB) /* of each VF */
#define RIG_IH_RING    0x200000ull
#define RIG_IH_BYTES   0x4000u
#define RIG_SCRATCH_VA 0x300000ull /* from here on a test does what it likes */

struct rig {
	struct gv_dev *dev;
	struct rig_queue {
		uint64_t wptr;
		uint32_t fence;
	} queue[GV_DEV_MAX_FUNCS][RIG_QUEUES];
	uint32_t ih_rptr[GV_DEV_MAX_FUNCS];
	uint8_t *vram[GV_DEV_MAX_FUNCS]; /* of the VFs */
};

void rig_open(struct rig *r);
void rig_close(struct rig *r);
/** Open the VF's gates and its second-level table (again, after a reset). */
void rig_admit_vf(struct rig *r, unsigned vf);

uint32_t rig_rd(struct rig *r, unsigned fn, uint32_t byte);
void rig_wr(struct rig *r, unsigned fn, uint32_t byte, uint32_t val);
void rig_put(struct rig *r, unsigned fn, uint64_t va, const void *buf, size_t n);
void rig_get(struct rig *r, unsigned fn, uint64_t va, void *buf, size_t n);
void rig_put32(struct rig *r, unsigned fn, uint64_t va, uint32_t val);
uint32_t rig_get32(struct rig *r, unsigned fn, uint64_t va);
/** Whether memory or a register shows @want within @ms. */
bool rig_wait_mem(struct rig *r, unsigned fn, uint64_t va, uint32_t want, unsigned ms);
bool rig_wait_reg(struct rig *r, unsigned fn, uint32_t byte, uint32_t want, unsigned ms);
struct gv_dev_stats rig_stats(struct rig *r, unsigned fn);

/* Where queue @q of a function has its things. */
uint64_t rig_ring_va(unsigned q);
uint64_t rig_mqd_va(unsigned q);
uint64_t rig_wptr_va(unsigned q);
uint64_t rig_rptr_va(unsigned q);
uint64_t rig_fence_va(unsigned q);
uint32_t rig_doorbell(unsigned q);
/** GRBM_GFX_CNTL selects the slot of queue @q. */
void rig_select(struct rig *r, unsigned fn, unsigned q);

/** Bring up the KIQ by registers, and the interrupt ring. */
void rig_start_kiq(struct rig *r, unsigned fn);
/** Set up the graphics ring, from its start, as amdgpu does. */
void rig_start_gfx(struct rig *r, unsigned fn);
/** Write the MQD of compute queue @q (wptr and rptr 0). */
void rig_make_mqd(struct rig *r, unsigned fn, unsigned q);
/** MAP_QUEUES of compute queue @q through the KIQ, waits until it is active. */
bool rig_map(struct rig *r, unsigned fn, unsigned q);
void rig_emit_map(struct rig *r, unsigned fn, unsigned q);
void rig_emit_unmap(struct rig *r, unsigned fn, unsigned q, unsigned action);
bool rig_is_active(struct rig *r, unsigned fn, unsigned q);
/** A page table at @table with @pages pages from @pa on, for contexts of depth 0. */
void rig_make_table(struct rig *r, unsigned fn, uint64_t table, uint64_t pa, unsigned pages);
/** The VMID's contexts of both hubs see @pages from @va on through the table at @base, which may
 *  be 0: none yet. */
void rig_open_vmid(struct rig *r, unsigned fn, unsigned vmid, uint64_t va, unsigned pages,
                   uint64_t base);
/** Everything: KIQ, then @n compute queues. */
bool rig_start(struct rig *r, unsigned fn, unsigned n);

void rig_emit(struct rig *r, unsigned fn, unsigned q, const uint32_t *dw, size_t n);
#define RIG_EMIT(r, fn, q, ...)                                                                    \
	rig_emit(r, fn, q, (const uint32_t[]){__VA_ARGS__},                                        \
	         sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))
/** Store wptr to memory and ring the doorbell. */
void rig_kick(struct rig *r, unsigned fn, unsigned q);
/** Fence (RELEASE_MEM, 32 bit), doorbell, wait for it. */
bool rig_sync(struct rig *r, unsigned fn, unsigned q, unsigned ms);
uint32_t rig_emit_fence(struct rig *r, unsigned fn, unsigned q, unsigned int_sel);
/** Next interrupt entry within @ms. */
bool rig_next_iv(struct rig *r, unsigned fn, struct gv_ih_iv *iv, unsigned ms);
/** Next entry with this source, others are skipped. */
bool rig_find_iv(struct rig *r, unsigned fn, unsigned src, struct gv_ih_iv *iv, unsigned ms);

#endif
