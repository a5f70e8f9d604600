/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A queue of AQL packets, as ROCr sets one up, written by hand. */
#ifndef GV_AQL_RIG_H
#define GV_AQL_RIG_H

#include <stddef.h>
#include <string.h>

#include <gv/hsa.h>

#include "cp_rig.h"
#include "ut.h"

#define VF0      GV_DEV_VF(0)
#define Q        1u /* the AQL queue's slot; 2 is a PM4 queue */
#define SLOTS    64u
#define CODE     RIG_SCRATCH_VA
#define OUT      (RIG_SCRATCH_VA + 0x100000ull)
#define AQ       (RIG_SCRATCH_VA + 0x200000ull)
#define KD       (AQ + 0x1000)
#define IB       (AQ + 0x2000)
#define MAIL     (AQ + 0x3000)
#define SIG(n)   (AQ + 0x4000 + (n) * sizeof(struct gv_amd_signal))
#define INACTIVE SIG(60)

#define AQ_FIELD(field) (AQ + offsetof(struct gv_amd_queue, field))
#define VALUE(n)        (SIG(n) + offsetof(struct gv_amd_signal, value))

static struct rig r;
static uint64_t written; /* packets so far */

/* s[0:1] output, s2 workgroup: out[group * 64 + item] = group * 1000 + item */
static const uint32_t store_ids[] = {0x8e038602, 0x68020003, 0x24020282, 0x9204ff02, 0x000003e8,
                                     0x68040004, 0xdc708000, 0x00000201, 0xbf810000};
static const uint32_t endless[] = {0xbf82ffff}; /* s_branch to itself */
static const uint32_t nothing[] = {0xbf810000}; /* s_endpgm */

/* ---- the queue ------------------------------------------------------------ */

static inline void put64(uint64_t va, uint64_t val)
{
	rig_put(&r, VF0, va, &val, sizeof(val));
}

static inline uint64_t get64(uint64_t va)
{
	uint64_t val;

	rig_get(&r, VF0, va, &val, sizeof(val));
	return val;
}

static inline uint64_t slot_va(uint64_t index)
{
	return rig_ring_va(Q) + index % SLOTS * GV_AQL_BYTES;
}

static inline void make_amd_queue(void)
{
	const struct gv_amd_queue aq = {
	        .hsa = {.base_address = rig_ring_va(Q), .size = SLOTS},
	        .read_dispatch_id_field_base_byte_offset =
	                offsetof(struct gv_amd_queue, read_dispatch_id),
	        .scratch_resource_descriptor = {0x11, 0x22, 0x33, 0x44},
	        .scratch_backing_memory_location = 0x123456789000,
	        .queue_inactive_signal = INACTIVE,
	};

	rig_put(&r, VF0, AQ, &aq, sizeof(aq));
	for (unsigned n = 0; n < 64; n++)
		rig_put(&r, VF0, SIG(n), &(struct gv_amd_signal){.kind = GV_AMD_SIGNAL_USER},
		        sizeof(struct gv_amd_signal));
	for (unsigned i = 0; i < SLOTS; i++)
		rig_put(&r, VF0, slot_va(i), &(uint16_t){GV_AQL_INVALID}, 2);
	written = 0;
}

/* What init_mqd and update_mqd of amdkfd add for this format. */
static inline void make_mqd(void)
{
	const uint32_t control = GV_PUT(CP_HQD_PQ_CONTROL, QUEUE_SIZE, 9) | /* 1024 dwords */
	                         GV_PUT(CP_HQD_PQ_CONTROL, SLOT_BASED_WPTR, 2) |
	                         GV_PUT(CP_HQD_PQ_CONTROL, QUEUE_FULL_EN, 1) |
	                         GV_PUT(CP_HQD_PQ_CONTROL, WPP_CLAMP_EN, 1) |
	                         GV_PUT(CP_HQD_PQ_CONTROL, NO_UPDATE_RPTR, 1);
	const uint64_t mqd = rig_mqd_va(Q);

	rig_make_mqd(&r, VF0, Q);
	rig_put32(&r, VF0, mqd + GV_MQD_DW(CP_HQD_PQ_CONTROL) * 4, control);
	rig_put32(&r, VF0, mqd + GV_MQD_DW(CP_HQD_AQL_CONTROL) * 4,
	          GV_PUT(CP_HQD_AQL_CONTROL, CONTROL0, 1));
	rig_put32(&r, VF0, mqd + GV_MQD_DW(CP_HQD_PQ_RPTR_REPORT_ADDR) * 4,
	          (uint32_t)AQ_FIELD(read_dispatch_id));
}

static inline bool map_queue(void)
{
	RIG_EMIT(&r, VF0, RIG_KIQ, gv_pm4_header(PM4_MAP_QUEUES, 6),
	         GV_PUT(PM4_MAP_QUEUES, NUM_QUEUES, 1),
	         GV_PUT(PM4_MAP_QUEUES, DOORBELL_OFFSET, rig_doorbell(Q)), (uint32_t)rig_mqd_va(Q),
	         0, (uint32_t)AQ_FIELD(write_dispatch_id), 0);
	return rig_sync(&r, VF0, RIG_KIQ, 20000) && rig_is_active(&r, VF0, Q);
}

static inline void put_kernel(const uint32_t *code, size_t bytes, unsigned properties)
{
	const struct gv_kernel_descriptor kd = {
	        .kernel_code_entry_byte_offset = (int64_t)(CODE - KD),
	        .compute_pgm_rsrc1 = GV_PUT(COMPUTE_PGM_RSRC1, VGPRS, 1) |
	                             GV_PUT(COMPUTE_PGM_RSRC1, FLOAT_MODE, 0xc0),
	        .compute_pgm_rsrc2 =
	                GV_PUT(COMPUTE_PGM_RSRC2, TGID_X_EN, 1) |
	                GV_PUT(COMPUTE_PGM_RSRC2, USER_SGPR, properties == GV_KD_SGPRS ? 15 : 2),
	        .kernel_code_properties = (uint16_t)properties,
	};

	rig_put(&r, VF0, CODE, code, bytes);
	rig_put(&r, VF0, KD, &kd, sizeof(kd));
}
#define PUT_KERNEL(words, properties) put_kernel(words, sizeof(words), properties)

static inline void up(void)
{
	rig_open(&r);
	CU_ASSERT_TRUE_FATAL(rig_start(&r, VF0, 2));
	rig_emit_unmap(&r, VF0, Q, 1);
	CU_ASSERT_TRUE_FATAL(rig_sync(&r, VF0, RIG_KIQ, 20000));
	make_amd_queue();
	make_mqd();
	CU_ASSERT_TRUE_FATAL(map_queue());
	PUT_KERNEL(store_ids, GV_KD_KERNARG_SEGMENT_PTR);
}

/* ---- packets --------------------------------------------------------------- */

static inline void ring_doorbell(uint64_t index)
{
	gv_dma_to_device();
	CU_ASSERT_EQUAL(gv_dev_write(r.dev, VF0, GV_REGION_DOORBELL, rig_doorbell(Q) * 4, &index,
	                             sizeof(index)),
	                0);
}

/* As the specification wants it: the header last. */
static inline void put_packet(uint64_t index, const void *packet)
{
	uint16_t header;

	memcpy(&header, packet, sizeof(header));
	rig_put(&r, VF0, slot_va(index) + 2, (const uint8_t *)packet + 2, GV_AQL_BYTES - 2);
	gv_dma_to_device();
	rig_put(&r, VF0, slot_va(index), &header, sizeof(header));
}

static inline void submit(const void *packet)
{
	put_packet(written, packet);
	put64(AQ_FIELD(write_dispatch_id), written + 1);
	ring_doorbell(written++);
}

static inline struct gv_aql_dispatch dispatch_of(uint32_t items, uint16_t group, uint64_t signal)
{
	return (struct gv_aql_dispatch){
	        .header = GV_AQL_KERNEL_DISPATCH,
	        .setup = 1,
	        .workgroup_size = {group, 1, 1},
	        .grid_size = {items, 1, 1},
	        .kernel_object = KD,
	        .kernarg_address = OUT,
	        .completion_signal = signal,
	};
}

static inline bool signal_is(unsigned n, int64_t want)
{
	return rig_wait_mem(&r, VF0, VALUE(n), (uint32_t)want, 20000) &&
	       (int64_t)get64(VALUE(n)) == want;
}

static inline bool read_index_is(uint64_t want)
{
	return rig_wait_mem(&r, VF0, AQ_FIELD(read_dispatch_id), (uint32_t)want, 20000);
}

static inline uint32_t queue_error(unsigned q)
{
	uint32_t error;

	rig_select(&r, VF0, q);
	error = rig_rd(&r, VF0, CP_HQD_ERROR__BYTE);
	rig_wr(&r, VF0, GRBM_GFX_CNTL__BYTE, 0);
	return error;
}

/* Another queue of the VF does its work. */
static inline void others_run(void)
{
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 2, 20000));
}

#endif
