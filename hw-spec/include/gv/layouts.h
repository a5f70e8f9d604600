/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the hardware reads and writes in memory: page tables, queue
 * descriptors, interrupt entries, and the GPUIOV configuration capability.
 */
#ifndef GV_LAYOUTS_H
#define GV_LAYOUTS_H

#include <gv/hw_spec.h>

/* ---- page tables (gmc_v9_0.c, amdgpu_vm.h, Linux 6.1) --------------------
 *
 * A VMID walks PAGE_TABLE_DEPTH + 1 levels of 512 entries of 8 bytes (block
 * size field 0), 9 address bits each, down to 4 KiB pages:
 *
 *   depth 3 (48 bit):   VA[47:39] PDB2  [38:30] PDB1  [29:21] PDB0  [20:12] PTB
 *   depth 2 (512 GiB):                  VA[38:30] PDB1 [29:21] PDB0  [20:12] PTB
 *   depth 0 (flat):     the base points straight at PTEs, one per 4 KiB from
 *                       the context's START address (VMID 0's GART)
 *
 * A PDE with PDE_PTE set is a leaf (PDB0: 2 MiB, PDB1: 1 GiB). Addresses
 * without SYSTEM are frame-buffer addresses of the function (a VF: from its own 0);
 * with SYSTEM they are bus addresses (IOVA).
 */
#define GV_PTE_VALID      (1ull << 0)
#define GV_PTE_SYSTEM     (1ull << 1)
#define GV_PTE_SNOOPED    (1ull << 2)
#define GV_PTE_EXECUTABLE (1ull << 4)
#define GV_PTE_READABLE   (1ull << 5)
#define GV_PTE_WRITEABLE  (1ull << 6)
#define GV_PTE_FRAG(n)    ((uint64_t)(n) << 7) /* 2^n pages of 4 KiB are contiguous; 5 bits */
#define GV_PTE_ADDR_MASK  0x0000fffffffff000ull
#define GV_PTE_PRT        (1ull << 51)
#define GV_PDE_PTE        (1ull << 54)
#define GV_PTE_MTYPE(n)   ((uint64_t)(n) << 57) /* 0 NC, 1 WC, 2 CC, 3 UC */
#define GV_PDE_ADDR_MASK  0x0000ffffffffffc0ull
#define GV_PDE_BFS(n)     ((uint64_t)(n) << 59)
#define GV_GPU_PAGE       4096u
#define GV_GPU_PAGE_SHIFT 12
#define GV_PT_ENTRIES     512u
#define GV_GPU_HUGE_SHIFT 21
#define GV_NUM_VMID       16

/* Second-level table of a VF (gpuvisor extension, regs_gvx.def): entry i gives the device
 * address behind bytes [i*2 MiB, (i+1)*2 MiB) of the VF's frame buffer. */
#define GV_L2PTE_VALID     (1ull << 0)
#define GV_L2PTE_READABLE  (1ull << 5)
#define GV_L2PTE_WRITEABLE (1ull << 6)
#define GV_L2PTE_DIRTY     (1ull << 10) /* set by the device at the first write */
#define GV_L2PTE_ADDR_MASK 0x0000ffffffe00000ull
#define GV_L2_PAGE         (2ull << 20)
#define GV_L2_SHIFT        21

/* Apertures of flat addressing after reset: bits 63:48 of a flat address (SH_MEM_BASES). */
#define GV_APERTURE_SHIFT 48

/* ---- memory queue descriptor (v9_structs.h, Linux 6.1) -------------------
 *
 * 512 dwords. Dwords 128..183 are an image of the HQD registers from
 * CP_MQD_BASE_ADDR on, dwords 1..41 of the COMPUTE_* registers from
 * COMPUTE_DISPATCH_INITIATOR on, 65..80 of COMPUTE_USER_DATA_0..15.
 */
enum {
	GV_MQD_DWORDS = 512,
	GV_MQD_HEADER = 0,
	GV_MQD_COMPUTE_FIRST = 1,
	GV_MQD_COMPUTE_COUNT = 41,
	GV_MQD_USER_DATA_FIRST = 65,
	GV_MQD_USER_DATA_COUNT = 16,
	GV_MQD_DYNAMIC_CU_MASK_ADDR_LO = 126,
	GV_MQD_DYNAMIC_CU_MASK_ADDR_HI = 127,
	GV_MQD_HQD_FIRST = 128,
	GV_MQD_HQD_COUNT = 56,
	GV_MQD_HEADER_MAGIC = (int)0xC0310800,
};
/** MQD dword that holds the image of an HQD register: GV_MQD_DW(CP_HQD_PQ_BASE). */
#define GV_MQD_DW(reg) (GV_MQD_HQD_FIRST + (reg##__DW - CP_MQD_BASE_ADDR__DW))
/** MQD dword that holds the image of a COMPUTE_* register. */
#define GV_MQD_COMPUTE_DW(reg) (GV_MQD_COMPUTE_FIRST + (reg##__DW - COMPUTE_DISPATCH_INITIATOR__DW))

/* ---- SDMA queue descriptor (v9_sdma_mqd in v9_structs.h, Linux 6.1) ------
 *
 * 128 dwords: an image of the registers of an RLC queue, packed, in this order.
 */
enum {
	GV_SDMA_MQD_RB_CNTL,
	GV_SDMA_MQD_RB_BASE,
	GV_SDMA_MQD_RB_BASE_HI,
	GV_SDMA_MQD_RB_RPTR,
	GV_SDMA_MQD_RB_RPTR_HI,
	GV_SDMA_MQD_RB_WPTR,
	GV_SDMA_MQD_RB_WPTR_HI,
	GV_SDMA_MQD_RB_WPTR_POLL_CNTL,
	GV_SDMA_MQD_RB_RPTR_ADDR_HI,
	GV_SDMA_MQD_RB_RPTR_ADDR_LO,
	GV_SDMA_MQD_IB_CNTL,
	GV_SDMA_MQD_IB_RPTR,
	GV_SDMA_MQD_IB_OFFSET,
	GV_SDMA_MQD_IB_BASE_LO,
	GV_SDMA_MQD_IB_BASE_HI,
	GV_SDMA_MQD_IB_SIZE,
	GV_SDMA_MQD_SKIP_CNTL,
	GV_SDMA_MQD_CONTEXT_STATUS,
	GV_SDMA_MQD_DOORBELL,
	GV_SDMA_MQD_STATUS,
	GV_SDMA_MQD_DOORBELL_LOG,
	GV_SDMA_MQD_WATERMARK,
	GV_SDMA_MQD_DOORBELL_OFFSET,
	GV_SDMA_MQD_CSA_ADDR_LO,
	GV_SDMA_MQD_CSA_ADDR_HI,
	GV_SDMA_MQD_IB_SUB_REMAIN,
	GV_SDMA_MQD_PREEMPT,
	GV_SDMA_MQD_DUMMY_REG,
	GV_SDMA_MQD_RB_WPTR_POLL_ADDR_HI,
	GV_SDMA_MQD_RB_WPTR_POLL_ADDR_LO,
	GV_SDMA_MQD_RB_AQL_CNTL,
	GV_SDMA_MQD_MINOR_PTR_UPDATE,
	GV_SDMA_MQD_MIDCMD_DATA0,
	GV_SDMA_MQD_MIDCMD_CNTL = GV_SDMA_MQD_MIDCMD_DATA0 + 9,
	GV_SDMA_MQD_DWORDS = 128,
};

/* Queue slots: 2 MECs (ME 1 and 2), 4 pipes, 8 queues (gfx_v9_0.c). */
enum {
	GV_NUM_MEC = 2,
	GV_NUM_PIPE = 4,
	GV_NUM_QUEUE = 8,
	GV_NUM_HQD = GV_NUM_MEC * GV_NUM_PIPE * GV_NUM_QUEUE,
};
/** Number of a slot as in SET_RESOURCES: mec (0 = ME1) * 32 + pipe * 8 + queue. */
#define GV_HQD_SLOT(mec, pipe, queue) ((mec)*32u + (pipe)*8u + (queue))

/* Doorbell dword indexes of Vega10 (vega10_reg_init.c); byte in BAR2 = index * 4. */
enum {
	GV_DOORBELL_KIQ = 0x000,
	GV_DOORBELL_MEC_RING0 = 0x006, /* + 2 per ring */
	GV_DOORBELL_GFX_RING0 = 0x116,
	GV_DOORBELL_SDMA0 = 0x1e0,
	GV_DOORBELL_SDMA1 = 0x1e4,
	GV_DOORBELL_IH = 0x1e8,
	GV_DOORBELL_IH_RING1 = 0x1ea,
	GV_DOORBELL_IH_RING2 = 0x1ec,
	GV_DOORBELL_UVD_RING0 = 0x1f0,
	GV_DOORBELL_VCE_RING0 = 0x1f8,
};

/* ---- interrupt entries (amdgpu_ih.c, soc15_ih_clientid.h, ivsrcid/, Linux 6.1) --- */

struct gv_ih_iv {
	uint32_t dw[8];
};
_Static_assert(sizeof(struct gv_ih_iv) == 32, "an IH entry is 32 bytes");

enum {
	/* dw 0 */
	IH_IV0__CLIENT_ID__LO = 0,
	IH_IV0__CLIENT_ID__BITS = 8,
	IH_IV0__SRC_ID__LO = 8,
	IH_IV0__SRC_ID__BITS = 8,
	IH_IV0__RING_ID__LO = 16,
	IH_IV0__RING_ID__BITS = 8,
	IH_IV0__VMID__LO = 24,
	IH_IV0__VMID__BITS = 4,
	IH_IV0__VMID_SRC__LO = 31, /* 0 GFXHUB, 1 MMHUB */
	IH_IV0__VMID_SRC__BITS = 1,
	/* dw 1: timestamp [31:0]; dw 2: timestamp [47:32] in 15:0; dw 3: PASID in 15:0 */
	/* dw 4..7: src_data[0..3]; page fault: dw 4 = VA[43:12], dw 5 = the bits below */
	IH_IV5_FAULT__VA_47_44__LO = 0,
	IH_IV5_FAULT__VA_47_44__BITS = 4,
	IH_IV5_FAULT__WRITE__LO = 5,
	IH_IV5_FAULT__WRITE__BITS = 1,
	IH_IV5_FAULT__RETRY__LO = 7,
	IH_IV5_FAULT__RETRY__BITS = 1,
	/* RING_ID of a fault that is final: PERMISSION_FAULTS of FAULT_STATUS (kfd_int_process_v9.c
	   reads it as prot_valid, prot_read, prot_write; logs of Vega10: 24 with 3, 56 with 7) */
	IH_FAULT_RING__PERMISSION_FAULTS__LO = 3,
	IH_FAULT_RING__PERMISSION_FAULTS__BITS = 4,
	/* dw 4 of GV_IH_SRC_CP_SQ: what a shader has to say (SQ_INTERRUPT_WORD,
	   kfd_int_process_v9.c) */
	IH_IV4_SQ__DATA__LO = 0,
	IH_IV4_SQ__DATA__BITS = 12,
	IH_IV4_SQ__ENCODING__LO = 26, /* 0 automatic, 1 message of a wave, 2 error */
	IH_IV4_SQ__ENCODING__BITS = 2,
	IH_SQ_ENCODING_MESSAGE = 1,
	IH_SQ_ENCODING_ERROR = 2,
	/* dw 5: of an error. KFD takes others than these two for broken memory of the GPU's own */
	IH_IV5_SQ__ERR_TYPE__LO = 4,
	IH_IV5_SQ__ERR_TYPE__BITS = 4,
	IH_SQ_ERROR_ILLEGAL_INST = 1,
	IH_SQ_ERROR_MEMVIOL = 2,
	/* CP ring id: pipe, me, queue */
	IH_CP_RING__PIPE__LO = 0,
	IH_CP_RING__PIPE__BITS = 2,
	IH_CP_RING__ME__LO = 2,
	IH_CP_RING__ME__BITS = 2,
	IH_CP_RING__QUEUE__LO = 4,
	IH_CP_RING__QUEUE__BITS = 3,
};

enum gv_ih_client {
	GV_IH_CLIENT_IH = 0x00,
	GV_IH_CLIENT_BIF = 0x03,
	GV_IH_CLIENT_RLC = 0x07,
	GV_IH_CLIENT_SDMA0 = 0x08,
	GV_IH_CLIENT_SDMA1 = 0x09,
	GV_IH_CLIENT_UVD = 0x10,
	GV_IH_CLIENT_VCE0 = 0x11,
	GV_IH_CLIENT_VMC = 0x12, /* MMHUB */
	GV_IH_CLIENT_GRBM_CP = 0x14,
	GV_IH_CLIENT_UTCL2 = 0x1b, /* GFXHUB */
};

enum gv_ih_src {
	GV_IH_SRC_VM_FAULT = 0,              /* VMC, UTCL2 */
	GV_IH_SRC_BIF_VF_MSGBUF_VALID = 135, /* to a VF: the PF sent a message */
	GV_IH_SRC_BIF_PF_MSGBUF_ACK = 136,   /* to the PF: a VF acked; src_data[0] = VF */
	GV_IH_SRC_BIF_PF_MSGBUF_VALID = 137, /* to the PF: a VF sent a message; src_data[0] = VF */
	GV_IH_SRC_BIF_VF_MSGBUF_ACK = 138,   /* to a VF: the PF acked */
	/* to the PF; src_data[0] = new bits of GIOV_INTR_STATUS. Our number: GIM 8 has one source
	 * per scheduler and event, for MI300 */
	GV_IH_SRC_BIF_GPUIOV = 140,
	GV_IH_SRC_UVD_ENC_GEN_PURP = 119,
	GV_IH_SRC_VCE_TRAP = 167,
	GV_IH_SRC_CP_IB2 = 178, /* also the KIQ fence (CPC_INT_STATUS.GENERIC0) */
	GV_IH_SRC_CP_RESERVED_BIT = 180,
	GV_IH_SRC_CP_EOP = 181,
	GV_IH_SRC_CP_BAD_OPCODE = 183,
	GV_IH_SRC_CP_PRIV_REG = 184,
	GV_IH_SRC_CP_PRIV_INSTR = 185,
	GV_IH_SRC_CP_QUERY_STATUS = 199,
	GV_IH_SRC_CP_SQ = 239, /* shader message or shader error */
	GV_IH_SRC_SDMA_TRAP = 224,
	GV_IH_SRC_SDMA_VM_HOLE = 242,
	GV_IH_SRC_SDMA_POLL_TIMEOUT = 246,
	GV_IH_SRC_SDMA_SRBM_WRITE = 247,
};

/* MC_SPACE of IH_RB_CNTL (vega10_ih.c): where the ring lies. */
enum { GV_IH_MC_SPACE_BUS = 1, GV_IH_MC_SPACE_GPU_VA = 4 };

/* ---- PCI identity and configuration space of Vega10 (nbio_6_1_offset.h) --- */
enum {
	GV_PCI_VENDOR_AMD = 0x1002,
	GV_PCI_DEVICE_PF = 0x6860,
	GV_PCI_DEVICE_VF = 0x686c,
	GV_PCI_CLASS = 0x038000, /* display controller, other: no VGA arbiter */
	GV_CFG_PM = 0x50,
	GV_CFG_PCIE = 0x64,
	GV_CFG_MSI = 0xa0,
	GV_CFG_MSIX = 0xc0,
	GV_CFG_AER = 0x150,
	GV_CFG_ARI = 0x328,
	GV_CFG_SRIOV = 0x330,
	GV_CFG_GPUIOV = 0x400,
	GV_CFG_BYTES = 4096,
	GV_VSEC_GPUIOV = 0x02, /* VSEC id, GIM 8.0.0.K mi300_gpuiov.c */
	GV_MSIX_VECTORS = 3,
	GV_MSIX_TABLE = 0x42000, /* in BAR5; so Vega10's GIM saves it (GIM 8.0.0.K mi300_reset.c) */
	GV_MSIX_PBA = 0x43000,
	GV_BAR5_BYTES = 0x80000,
	GV_BAR2_BYTES = 0x200000,
	GV_MAX_VFS = 16,
	GV_VF_OFFSET = 16, /* First VF Offset and VF Stride of the SR-IOV capability */
	GV_VF_STRIDE = 1,
};

/* ---- PSP commands in MP0_SMN_C2PMSG_64 and _101 (psp_gfx_if.h, psp_v3_1.c, Linux 6.1) --- */
enum {
	PSP_C2PMSG__STATUS__LO = 0, /* in the answer */
	PSP_C2PMSG__STATUS__BITS = 16,
	PSP_C2PMSG__COMMAND__LO = 16,
	PSP_C2PMSG__COMMAND__BITS = 8,
	PSP_C2PMSG__RESPONSE__LO = 31, /* set by the PSP when it has answered */
	PSP_C2PMSG__RESPONSE__BITS = 1,
	GV_PSP_INIT_GPCOM_RING = 0x02,
	GV_PSP_DESTROY_RINGS = 0x03,
	GV_PSP_MODE1_RST = 0x07, /* PF only; C2PMSG_33.RESPONSE says when it is over */
	GV_PSP_GBR_IH_SET = 0x08,
	GV_PSP_CONSUME_CMD = 0x09, /* of a VF: the write pointer is in C2PMSG_102 */
	GV_PSP_DESTROY_GPCOM_RING = 0x0c,
	GV_PSP_STATUS_UNKNOWN = 0x100, /* unknown command */
};

/* GPCOM ring of the PSP: frames that point at commands and fences (psp_gfx_if.h, amdgpu_psp.c). */
struct gv_psp_frame {
	uint32_t cmd_lo, cmd_hi, cmd_bytes; /* drivers leave the size 0 */
	uint32_t fence_lo, fence_hi, fence;
	uint32_t sid_lo, sid_hi;
	uint8_t vmid, type, reserved[2];
	uint32_t reserved2[7];
};
_Static_assert(sizeof(struct gv_psp_frame) == 64, "PSP frame");
_Static_assert(offsetof(struct gv_psp_frame, fence_lo) == 12, "PSP frame");
_Static_assert(offsetof(struct gv_psp_frame, vmid) == 32, "PSP frame");

struct gv_psp_cmd {
	uint32_t bytes, version, id;
	uint32_t resp_lo, resp_hi, resp_off, resp_bytes; /* not for GPCOM */
	union {
		struct {
			uint32_t lo, hi, bytes, flags, system_lo, system_hi;
		} vmr; /* SETUP_VMR and SETUP_TMR */
		struct {
			uint32_t lo, hi, bytes, type;
		} fw; /* LOAD_IP_FW */
		struct {
			uint32_t val, id;
		} reg; /* PROG_REG */
		uint8_t room[836];
	};
};
_Static_assert(offsetof(struct gv_psp_cmd, vmr) == 28, "PSP command");
_Static_assert(sizeof(struct gv_psp_cmd) == 864, "PSP command");

/* The answer, right behind the command. */
struct gv_psp_resp {
	uint32_t status, session, fw_lo, fw_hi, tmr_bytes;
	uint32_t reserved[19];
};
_Static_assert(sizeof(struct gv_psp_resp) == 96, "PSP response");

enum {
	GV_PSP_RING_DW = 1024, /* of a VF: it never says how large it is (psp_v3_1_ring_create()) */
	GV_PSP_FRAME_DW = sizeof(struct gv_psp_frame) / 4,
	GV_PSP_PAGE = 4096, /* alignment of ring, commands and firmware */
};

enum gv_psp_cmd_id {
	GV_PSP_SETUP_TMR = 5,
	GV_PSP_LOAD_IP_FW = 6,
	GV_PSP_DESTROY_TMR = 7,
	GV_PSP_SETUP_VMR = 9,
	GV_PSP_DESTROY_VMR = 10,
	GV_PSP_PROG_REG = 11,
};

/* PROG_REG.reg.id (enum psp_reg_prog_id) */
enum gv_psp_reg {
	GV_PSP_REG_IH_RB_CNTL,
	GV_PSP_REG_IH_RB_CNTL_RING1,
	GV_PSP_REG_IH_RB_CNTL_RING2,
};

/* LOAD_IP_FW.fw.type, those of Vega10 */
enum gv_psp_fw_type {
	GV_PSP_FW_CP_ME = 1,
	GV_PSP_FW_CP_PFP = 2,
	GV_PSP_FW_CP_CE = 3,
	GV_PSP_FW_CP_MEC = 4,
	GV_PSP_FW_CP_MEC_ME1 = 5, /* jump tables */
	GV_PSP_FW_CP_MEC_ME2 = 6,
	GV_PSP_FW_RLC_G = 8,
	GV_PSP_FW_SDMA0 = 9,
	GV_PSP_FW_UVD = 14,
	GV_PSP_FW_VCE = 15,
	GV_PSP_FW_CAP = 62, /* what a VF may do */
	GV_PSP_FW_TYPES = 64,
};

/* gv_psp_resp.status besides 0 and GV_PSP_STATUS_UNKNOWN. Drivers know the last (TEE_ERROR_*); the
 * others are GlobalPlatform's, whose numbers the PSP uses. */
#define GV_PSP_ACCESS_DENIED  0xffff0001u
#define GV_PSP_BAD_FORMAT     0xffff0005u
#define GV_PSP_BAD_PARAMETERS 0xffff0006u
#define GV_PSP_BAD_STATE      0xffff0007u
#define GV_PSP_NOT_SUPPORTED  0xffff000au
#define GV_PSP_OUT_OF_MEMORY  0xffff000cu

/* ---- multimedia scheduler and encode rings (mmsch_v1_0.h, uvd_v7_0.c, vce_v4_0.c, Linux 6.1) ---
 */

/* What VCE_MMSCH_VF_CTX_ADDR points at: sizes and offsets in dwords. */
struct gv_mmsch_init {
	uint32_t version, header_dw;
	uint32_t vce_status, uvd_status;
	uint32_t vce_off, vce_dw;
	uint32_t uvd_off, uvd_dw;
};
_Static_assert(sizeof(struct gv_mmsch_init) == 32, "MMSCH init header");

enum {
	GV_MMSCH_VERSION = 1,
	GV_MMSCH_INIT = 0x10000001,      /* VCE_MMSCH_VF_MAILBOX_HOST */
	GV_MMSCH_INIT_DONE = 0x10000002, /* VCE_MMSCH_VF_MAILBOX_RESP */
	/* commands of an init table */
	MMSCH_CMD__REG__LO = 0, /* dword address */
	MMSCH_CMD__REG__BITS = 28,
	MMSCH_CMD__TYPE__LO = 28,
	MMSCH_CMD__TYPE__BITS = 4,
	GV_MMSCH_WRITE = 0,    /* value */
	GV_MMSCH_POLL = 2,     /* mask, value */
	GV_MMSCH_MODIFY = 3,   /* bits to set, bits to keep */
	GV_MMSCH_INDIRECT = 8, /* value */
	GV_MMSCH_END = 15,
};

/* Commands of the encode rings of UVD and VCE, the same in both. */
enum gv_enc_cmd {
	GV_ENC_NO_OP = 0,
	GV_ENC_END = 1,
	GV_ENC_FENCE = 3, /* address, value */
	GV_ENC_TRAP = 4,
	GV_ENC_IB_VM = 0x102,     /* VMID, address, dwords */
	GV_ENC_REG_WRITE = 0x109, /* byte address, value */
	GV_ENC_REG_WAIT = 0x10a,  /* byte address, mask, value */
};

/* What an IB is a list of: size in bytes, one of these, arguments. */
enum gv_enc_task {
	GV_ENC_SESSION = 1,
	GV_ENC_TASK_INFO = 2,
	GV_VCE_CREATE = 0x01000001,
	GV_VCE_DESTROY = 0x02000001,
	GV_VCE_FEEDBACK = 0x05000005,
	GV_UVD_OP_INITIALIZE = 0x08000001,
	GV_UVD_OP_CLOSE = 0x08000002,
};

/* ---- GPUIOV capability: GIOV_x__OFF from the capability's start ---------- */
enum {
#define GIOV(name, off) GIOV_##name##__OFF = (off),
#define GIOV_FIELD(name, field, lo, bits)                                                          \
	GIOV_##name##__##field##__LO = (lo), GIOV_##name##__##field##__BITS = (bits),
#include <gv/gpuiov.def>
#undef GIOV
#undef GIOV_FIELD
	GIOV_BYTES = 0x100,
	GIOV_FB_UNIT_SHIFT = 24, /* VFn_FB size and offset are in 16 MiB; size is not minus one */
};
/** Offset of VFn_FB from the capability's start. */
#define GV_GIOV_VF_FB(n) (GIOV_VF0_FB__OFF + 4 * (n))
/** FCN_ID of VF @n in scheduler commands; 0 is the PF. */
#define GV_GIOV_FCN_VF(n) (0x80u | (n))

/* Scheduler commands and their CMD_STATUS (GIM 8, amdgv_gpuiov.h:49-72). Codes that mean several
 * things have the meaning that they have on the GFX scheduler. */
enum gv_giov_cmd {
	GV_GIOV_IDLE = 1,
	GV_GIOV_SAVE = 2,
	GV_GIOV_LOAD = 3,
	GV_GIOV_RUN = 4,
	GV_GIOV_CONTEXT_SWITCH = 5,
	GV_GIOV_ENABLE_AUTO_HW_SWITCH = 6,
	GV_GIOV_INIT = 7,
	GV_GIOV_SAVE_RLCV_STATE = 8,
	GV_GIOV_LOAD_RLCV_STATE = 9,
	GV_GIOV_CLEAR_VF_STATE = 10,
	GV_GIOV_DISABLE_AUTO_HW_SCHED = 11,
	GV_GIOV_DISABLE_AUTO_HW_SCHED_AND_SWITCH = 12,
	GV_GIOV_SHUTDOWN = 13,
	GV_GIOV_CONFIG_AUTO_HW_SCHED_MODE = 15,
};
enum gv_giov_status { GV_GIOV_DONE = 0, GV_GIOV_UNSUPPORTED = 1, GV_GIOV_ABORTED = 2 };
enum gv_giov_fcn_status {
	GV_GIOV_FCN_IDLE,
	GV_GIOV_FCN_ACTIVE,
	GV_GIOV_FCN_IDLING,
	GV_GIOV_FCN_SAVING,
	GV_GIOV_FCN_LOADING,
	GV_GIOV_FCN_STALLED,
};

/* GVX_VFn_WORLD.STATE: where the engine state of a VF is. Ours. */
enum gv_world_state {
	GV_WORLD_FREE,    /* no command ever stopped it: it runs beside the others */
	GV_WORLD_RUNNING, /* started by RUN */
	GV_WORLD_IDLE,    /* stopped; its waves stand between two instructions, in the engines */
	GV_WORLD_OUT,     /* the engines hold nothing of it; SAVED says whether the CSA does */
	GV_WORLD_READY,   /* by LOAD or INIT: RUN lets it go */
};

/* GVX_WORLD_ERROR.WHY: why a command was aborted. Ours. */
enum gv_world_error {
	GV_WORLD_OK,
	GV_WORLD_NO_SUCH_VF,     /* FCN_ID names no VF that is enabled */
	GV_WORLD_WRONG_STATE,    /* not from the state that GVX_VFn_WORLD shows */
	GV_WORLD_NO_AREA,        /* CONTEXT gives no area, or one that is not in the PF's window */
	GV_WORLD_AREA_TOO_SMALL, /* its part of the area does not hold the VF's state */
	GV_WORLD_NOT_SAVED,      /* LOAD: nothing of it is saved */
	GV_WORLD_BAD_IMAGE,      /* LOAD: what is in the area is not what SAVE wrote */
	GV_WORLD_RESET,          /* the VF was reset meanwhile */
	GV_WORLD_NO_MEMORY,      /* of the host */
	GV_WORLD_ERRORS,
};

#endif
