/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What user-mode queues (AQL), compilers and the compute micro engine agree on, in memory: packets,
 * the queue and its signals, kernel descriptors. Little endian, addresses are GPU virtual ones.
 *
 * Sources: HSA Runtime and HSA Platform System Architecture 1.2 (hsa.h); AMD's extensions in
 * ROCR-Runtime (amd_hsa_queue.h, amd_hsa_signal.h, hsa_ext_amd.h, amd_gpu_pm4.h); LLVM's
 * AMDGPUUsage, "Kernel Descriptor". Only what someone here reads or writes has a name.
 */
#ifndef GV_HSA_H
#define GV_HSA_H

#include <stddef.h>
#include <stdint.h>

/* ---- AQL packets: 64 bytes each ------------------------------------------ */

enum {
	GV_AQL_BYTES = 64,
	GV_AQL_DW = 16,
	GV_AQL_DEPS = 5, /* signals that a barrier names */
};

/* Packet header: type, a barrier bit, fence scopes (which this model needs not). */
#define GV_AQL_HEADER__TYPE__LO      0
#define GV_AQL_HEADER__TYPE__BITS    8
#define GV_AQL_HEADER__BARRIER__LO   8
#define GV_AQL_HEADER__BARRIER__BITS 1

enum gv_aql_type {
	GV_AQL_VENDOR_SPECIFIC = 0,
	GV_AQL_INVALID = 1, /* nobody has written this one yet, or it has been processed */
	GV_AQL_KERNEL_DISPATCH = 2,
	GV_AQL_BARRIER_AND = 3,
	GV_AQL_AGENT_DISPATCH = 4, /* not for GPUs */
	GV_AQL_BARRIER_OR = 5,
	GV_AQL_TYPES,
};

/* Of vendor-specific packets, in the byte behind the header. */
enum gv_aql_format {
	GV_AQL_FORMAT_PM4_IB = 1,
	GV_AQL_FORMAT_BARRIER_VALUE = 2,
};

enum gv_hsa_condition { GV_HSA_EQ, GV_HSA_NE, GV_HSA_LT, GV_HSA_GTE };

#define GV_AQL_SETUP__DIMENSIONS__LO   0
#define GV_AQL_SETUP__DIMENSIONS__BITS 2

struct gv_aql_dispatch {
	uint16_t header, setup;
	uint16_t workgroup_size[3];
	uint16_t reserved0;
	uint32_t grid_size[3];                             /* work items */
	uint32_t private_segment_size, group_segment_size; /* bytes per item, per workgroup */
	uint64_t kernel_object, kernarg_address, reserved1, completion_signal;
};

struct gv_aql_barrier {
	uint16_t header, reserved0;
	uint32_t reserved1;
	uint64_t dep_signal[GV_AQL_DEPS]; /* 0: none */
	uint64_t reserved2, completion_signal;
};

/* Waits until (value of the signal & mask) compares to @value. */
struct gv_aql_barrier_value {
	uint16_t header;
	uint8_t format, reserved0;
	uint32_t reserved1;
	uint64_t signal;
	int64_t value, mask;
	uint32_t condition; /* enum gv_hsa_condition */
	uint32_t reserved2;
	uint64_t reserved3, reserved4, completion_signal;
};

struct gv_aql_pm4_ib {
	uint16_t header;
	uint8_t format, reserved0;
	uint32_t ib_jump[4]; /* an INDIRECT_BUFFER packet */
	uint32_t dw_count_remain, reserved1[8];
	uint64_t completion_signal;
};

union gv_aql_packet {
	struct gv_aql_dispatch dispatch;
	struct gv_aql_barrier barrier;
	struct gv_aql_barrier_value barrier_value;
	struct gv_aql_pm4_ib pm4_ib;
};
_Static_assert(sizeof(union gv_aql_packet) == GV_AQL_BYTES, "AQL packet");
_Static_assert(offsetof(struct gv_aql_dispatch, kernel_object) == 32, "AQL packet");
_Static_assert(offsetof(struct gv_aql_dispatch, completion_signal) == 56, "AQL packet");
_Static_assert(offsetof(struct gv_aql_barrier, completion_signal) == 56, "AQL packet");
_Static_assert(offsetof(struct gv_aql_barrier_value, completion_signal) == 56, "AQL packet");
_Static_assert(offsetof(struct gv_aql_pm4_ib, completion_signal) == 56, "AQL packet");

/* ---- signals and queues -------------------------------------------------- */

enum gv_amd_signal_kind { GV_AMD_SIGNAL_USER = 1 };

struct gv_amd_signal {
	int64_t kind, value;
	uint64_t event_mailbox_ptr; /* 0: nobody sleeps; else event_id goes there, and interrupts */
	uint32_t event_id, reserved1;
	uint64_t start_ts, end_ts; /* GPU clock, with GV_AMD_QUEUE_ENABLE_PROFILING */
	uint64_t reserved2[2];
};
_Static_assert(sizeof(struct gv_amd_signal) == 64, "amd_signal_t");
_Static_assert(offsetof(struct gv_amd_signal, event_mailbox_ptr) == 16, "amd_signal_t");
_Static_assert(offsetof(struct gv_amd_signal, start_ts) == 32, "amd_signal_t");

#define GV_AMD_QUEUE_IS_PTR64         (1u << 1)
#define GV_AMD_QUEUE_ENABLE_PROFILING (1u << 3)

struct gv_amd_queue {
	struct {
		uint32_t type, features;
		uint64_t base_address, doorbell_signal;
		uint32_t size, reserved; /* packets */
		uint64_t id;
	} hsa;
	uint32_t reserved1[4];
	uint64_t write_dispatch_id;
	uint32_t group_segment_aperture_base_hi, private_segment_aperture_base_hi;
	uint32_t max_cu_id, max_wave_id;
	uint64_t max_legacy_doorbell_dispatch_id_plus_1;
	uint32_t legacy_doorbell_lock, reserved2[9];
	uint64_t read_dispatch_id;
	/* of read_dispatch_id in here: the engine knows only where that is */
	uint32_t read_dispatch_id_field_base_byte_offset;
	uint32_t compute_tmpring_size, scratch_resource_descriptor[4];
	uint64_t scratch_backing_memory_location, scratch_backing_memory_byte_size;
	uint32_t scratch_workitem_byte_size, queue_properties, reserved3[2];
	uint64_t queue_inactive_signal; /* enum gv_aql_error goes there */
	uint32_t reserved4[14];
};
_Static_assert(sizeof(struct gv_amd_queue) == 256, "amd_queue_t");
_Static_assert(offsetof(struct gv_amd_queue, write_dispatch_id) == 56, "amd_queue_t");
/* compilers know these two */
_Static_assert(offsetof(struct gv_amd_queue, group_segment_aperture_base_hi) == 0x40, "");
_Static_assert(offsetof(struct gv_amd_queue, private_segment_aperture_base_hi) == 0x44, "");
_Static_assert(offsetof(struct gv_amd_queue, read_dispatch_id) == 128, "amd_queue_t");
_Static_assert(offsetof(struct gv_amd_queue, compute_tmpring_size) == 140, "amd_queue_t");
_Static_assert(offsetof(struct gv_amd_queue, scratch_workitem_byte_size) == 176, "amd_queue_t");
_Static_assert(offsetof(struct gv_amd_queue, queue_inactive_signal) == 192, "amd_queue_t");

/* Why the queue stopped at a packet (AqlQueue's error handler in ROCR-Runtime). */
enum gv_aql_error {
	GV_AQL_ERROR_SCRATCH = 1, /* more private memory than the queue has */
	GV_AQL_ERROR_DIMENSIONS = 2,
	GV_AQL_ERROR_GROUP_MEMORY = 4,
	GV_AQL_ERROR_CODE = 8,
	GV_AQL_ERROR_PACKET = 32,
	GV_AQL_ERROR_GROUP_SIZE = 64,
	GV_AQL_ERROR_REGISTERS = 128,
	GV_AQL_ERROR_VENDOR_PACKET = 256,
};

/* ---- kernel descriptors -------------------------------------------------- */

struct gv_kernel_descriptor {
	uint32_t group_segment_fixed_size, private_segment_fixed_size, kernarg_size, reserved0;
	int64_t kernel_code_entry_byte_offset; /* from the descriptor */
	uint8_t reserved1[20];
	uint32_t compute_pgm_rsrc3, compute_pgm_rsrc1, compute_pgm_rsrc2;
	uint16_t kernel_code_properties;
	uint8_t reserved2[6];
};
_Static_assert(sizeof(struct gv_kernel_descriptor) == 64, "kernel descriptor");
_Static_assert(offsetof(struct gv_kernel_descriptor, compute_pgm_rsrc1) == 48, "");
_Static_assert(offsetof(struct gv_kernel_descriptor, kernel_code_properties) == 56, "");

/* kernel_code_properties: which user SGPRs the kernel wants, in this order. */
enum {
	GV_KD_PRIVATE_SEGMENT_BUFFER = 1 << 0,
	GV_KD_DISPATCH_PTR = 1 << 1,
	GV_KD_QUEUE_PTR = 1 << 2,
	GV_KD_KERNARG_SEGMENT_PTR = 1 << 3,
	GV_KD_DISPATCH_ID = 1 << 4,
	GV_KD_FLAT_SCRATCH_INIT = 1 << 5,
	GV_KD_PRIVATE_SEGMENT_SIZE = 1 << 6,
	GV_KD_SGPRS = (1 << 7) - 1, /* all of them */
	GV_MAX_USER_SGPRS = 16,
};

/** What the user SGPRs of a dispatch are made of. */
struct gv_user_sgprs {
	uint32_t private_segment_buffer[4]; /* scratch as a buffer resource */
	uint64_t dispatch_ptr, queue_ptr, kernarg_segment_ptr, dispatch_id, flat_scratch_init;
	uint32_t private_segment_size; /* bytes per work item */
};

/** Fill @sgpr as kernel_code_properties (@properties) asks, the rest with 0. Returns how many the
 *  kernel gets: all kinds together are 15. */
unsigned gv_user_sgprs(const struct gv_user_sgprs *u, unsigned properties,
                       uint32_t sgpr[GV_MAX_USER_SGPRS]);

/** Buffer resource of gfx9 for scratch at @va: swizzled, 64 lanes interleaved, lane numbers added
 *  (LLVM SIInstrInfo::getScratchRsrcWords23). */
void gv_scratch_resource(uint64_t va, uint64_t bytes, uint32_t word[4]);

#endif
