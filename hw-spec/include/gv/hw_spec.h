/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The register table and everything derived from it.
 *
 * A register is one REG row and its bit fields are FIELD rows, in one .def
 * file per hardware block (regs_*.def). From those rows come: the offset and
 * field constants below, the names printed in logs, the masks and reset
 * values the device model enforces, and docs/registers.md. Nothing else
 * states an offset or a shift.
 *
 *   REG(name, block, segment, offset, count, stride, bank, pf, vf, reset)
 *       block and segment give the base (dwords), offset is AMD's header
 *       value (dwords). count > 1 makes an array whose elements are `stride`
 *       dwords apart; AMD's name of element 0 names the row.
 *       bank: how many copies exist, see enum gv_bank.
 *       pf, vf: what each side may do: RW, RO or NONE; a VF's WI: read, and writes are ignored,
 * because drivers write back what they read. Of a register of the VF's own (FN) another value
 * counts as its mistake.
 *
 *   FIELD(register, field, lowest bit, bits, RW | RO | W1C)
 *       Bits of no field are read-only zero. A register without fields is wholly writable.
 *
 *   SMN(name, address, count, stride, reset)
 *       a register outside BAR5, reached through PCIE_INDEX2 and PCIE_DATA2; stride in bytes. It is
 * the GPU's: the PF may do all, what a VF writes is ignored.
 *
 * Packets are in <gv/packets.h>, memory layouts (PTE, MQD, IH entry, GPUIOV)
 * in <gv/layouts.h>.
 */
#ifndef GV_HW_SPEC_H
#define GV_HW_SPEC_H

#include <gv/base.h>

/* Segment bases in dwords (vega10_ip_offset.h, Linux 6.1); GVX is our extension range. */
enum {
	GV_BASE_NBIO_0 = 0x0,
	GV_BASE_NBIO_1 = 0x14,
	GV_BASE_NBIO_2 = 0xd20,
	GV_BASE_NBIO_3 = 0x10400,
	GV_BASE_DCE_1 = 0xc0,
	GV_BASE_GC_0 = 0x2000,
	GV_BASE_GC_1 = 0xa000,
	GV_BASE_MMHUB_0 = 0x1a000,
	GV_BASE_SDMA0_0 = 0x1260,
	GV_BASE_SDMA1_0 = 0x1460,
	GV_BASE_OSSSYS_0 = 0x10a0,
	GV_BASE_HDP_0 = 0xf20,
	GV_BASE_MP0_0 = 0x16000,
	GV_BASE_UMC_0 = 0x14000,
	GV_BASE_PWR_0 = 0x16a00,
	GV_BASE_UVD_1 = 0x7e00,
	GV_BASE_VCE_0 = 0x7e00,
	GV_BASE_MMSCH_0 = 0x7e00, /* its registers are VCE's */
	GV_BASE_GVX_0 = 0x1e000,
};

/* How many copies of a register exist and which one an access means. */
enum gv_bank {
	GV_BANK_FN,   /* one per function (PF and each VF) */
	GV_BANK_GPU,  /* one for the whole GPU */
	GV_BANK_HQD,  /* per function and queue slot: GRBM_GFX_CNTL MEID, PIPEID, QUEUEID select */
	GV_BANK_VMID, /* per function and VMID: GRBM_GFX_CNTL.VMID selects */
	GV_BANK_MBX,  /* per VF; the PF sees that of the VF named by MAILBOX_INDEX */
};

enum gv_access { GV_NONE, GV_RO, GV_WI, GV_RW, GV_W1C };

enum gv_block {
	GV_BLOCK_NBIO,
	GV_BLOCK_HDP,
	GV_BLOCK_OSSSYS,
	GV_BLOCK_SDMA0,
	GV_BLOCK_SDMA1,
	GV_BLOCK_GC,
	GV_BLOCK_MP0,
	GV_BLOCK_MMHUB,
	GV_BLOCK_DCE,
	GV_BLOCK_UMC,
	GV_BLOCK_PWR,
	GV_BLOCK_UVD,
	GV_BLOCK_VCE,
	GV_BLOCK_MMSCH,
	GV_BLOCK_GVX,
};

enum gv_reg {
#define REG(name, block, seg, off, count, stride, bank, pf, vf, reset) GV_REG_##name,
#define FIELD(reg, field, lo, bits, access)
#include <gv/regs_all.def>
#undef REG
#undef FIELD
	GV_REG_COUNT
};

enum gv_smn {
#define SMN(name, address, count, stride, reset) GV_SMN_##name,
#include <gv/regs_smn.def>
#undef SMN
	GV_SMN_COUNT
};

/* All elements of all SMN registers, laid in a row. */
enum {
	GV_SMN_SLOTS = 0
#define SMN(name, address, count, stride, reset) +(count)
#include <gv/regs_smn.def>
#undef SMN
};

/* NAME__BYTE: byte offset in BAR5 of element 0. NAME__DW: the same in dwords (what packets and
 * the RLC interface use). NAME__STRIDE: bytes between elements. NAME__COUNT: elements.
 * NAME__FIELD__LO and __BITS: for GV_GET and GV_PUT. */
enum {
#define REG(name, block, seg, off, count, stride, bank, pf, vf, reset)                             \
	name##__DW = GV_BASE_##block##_##seg + (off), name##__BYTE = name##__DW * 4,               \
	name##__STRIDE = (stride)*4, name##__COUNT = (count),
#define FIELD(reg, field, lo, bits, access)                                                        \
	reg##__##field##__LO = (lo), reg##__##field##__BITS = (bits),
#include <gv/regs_all.def>
#undef REG
#undef FIELD
};

/** Byte offset of element @i of a register array: GV_BYTE_N(VM_CONTEXT0_CNTL, 3). */
#define GV_BYTE_N(reg, i) ((uint32_t)(reg##__BYTE + (i)*reg##__STRIDE))
/** Dword address of element @i. */
#define GV_DW_N(reg, i) ((uint32_t)(GV_BYTE_N(reg, i) / 4))

static inline uint32_t gv_mask(unsigned lo, unsigned bits)
{
	return (uint32_t)(((1ull << bits) - 1) << lo);
}

/** Field of a value:  GV_GET(v, BIF_BX_PF0_MAILBOX_CONTROL, TRN_MSG_ACK). A misspelt field does
 *  not compile. Works for packet dwords too: GV_GET(dw1, PM4_MAP_QUEUES, QUEUE). */
#define GV_GET(val, reg, field)                                                                    \
	(((val)&gv_mask(reg##__##field##__LO, reg##__##field##__BITS)) >> reg##__##field##__LO)

/** Value of a field:  GV_PUT(CP_HQD_ACTIVE, ACTIVE, 1). Or several together. */
#define GV_PUT(reg, field, x)                                                                      \
	(((uint32_t)(x) << reg##__##field##__LO) &                                                 \
	 gv_mask(reg##__##field##__LO, reg##__##field##__BITS))

/** @val with one field replaced. */
#define GV_SET(val, reg, field, x)                                                                 \
	(((val) & ~gv_mask(reg##__##field##__LO, reg##__##field##__BITS)) | GV_PUT(reg, field, x))

struct gv_field_info {
	enum gv_reg reg;
	const char *name;
	uint8_t lo, bits;
	enum gv_access access;
};

struct gv_reg_info {
	const char *name;
	enum gv_block block;
	uint32_t byte;   /* of element 0 */
	uint32_t stride; /* bytes */
	uint32_t count;
	enum gv_bank bank;
	enum gv_access pf, vf;
	uint32_t reset;
	uint32_t slot; /* index of element 0 when all elements of all registers are laid in a row */
	uint32_t rw, w1c; /* writable bits, from the FIELD rows */
};

/** Number of slots (see struct gv_reg_info). */
uint32_t gv_reg_slots(void);

/** Table row of @reg; never NULL for reg < GV_REG_COUNT. */
const struct gv_reg_info *gv_reg_info(enum gv_reg reg);

/** Register at byte offset @byte of BAR5 (4-byte aligned), its element in *@index (may be NULL).
 *  -ENOENT when the table has none. Constant time. */
int gv_reg_at(uint32_t byte, uint32_t *index);

struct gv_smn_info {
	const char *name;
	uint32_t address; /* of element 0 */
	uint32_t count, stride;
	uint32_t reset;
	uint32_t slot; /* of element 0, of GV_SMN_SLOTS */
};

/** Table row of @reg; never NULL for reg < GV_SMN_COUNT. */
const struct gv_smn_info *gv_smn_info(enum gv_smn reg);

/** Slot of the SMN register at @address, -ENOENT when the table has none. */
int gv_smn_at(uint32_t address);

/** All field rows; *@count gets their number. */
const struct gv_field_info *gv_field_rows(size_t *count);

/** AMD's name of element @index ("VM_CONTEXT3_CNTL") into @buf. */
void gv_reg_name(enum gv_reg reg, uint32_t index, char *buf, size_t size);

/** "BIF_BX_PF0_MAILBOX_CONTROL=0x101 TRN_MSG_VALID=1 RCV_MSG_VALID=1" into @buf. */
void gv_reg_format(char *buf, size_t size, uint32_t byte, uint32_t val);

/** "GC", "NBIO", ... */
const char *gv_block_name(enum gv_block block);

#endif
