/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * PM4 and SDMA packets. The rows are in pm4.def and sdma_packets.def; a field
 * is used like a register field:
 *   GV_PUT(PM4_MAP_QUEUES, QUEUE, q)   GV_GET(dw[1], SDMA_COPY_LINEAR, count)
 * PM4_x__FIELD__DW says in which dword of the packet (0 = header) it stands.
 */
#ifndef GV_PACKETS_H
#define GV_PACKETS_H

#include <gv/hw_spec.h>

/* ---- PM4 ---------------------------------------------------------------- */

enum {
#define PM4_OP(name, op, min_dw) PM4_##name = (op), PM4_##name##__MIN_DW = (min_dw),
#define PM4_FIELD(pkt, dw, field, lo, bits)                                                        \
	PM4_##pkt##__##field##__DW = (dw), PM4_##pkt##__##field##__LO = (lo),                      \
	PM4_##pkt##__##field##__BITS = (bits),
#include <gv/pm4.def>
#undef PM4_OP
#undef PM4_FIELD
	/* header: bits 31:30 type, 29:16 dwords after the header minus 1, 15:8 opcode (soc15d.h) */
	PM4_HEADER__TYPE__LO = 30,
	PM4_HEADER__TYPE__BITS = 2,
	PM4_HEADER__COUNT__LO = 16,
	PM4_HEADER__COUNT__BITS = 14,
	PM4_HEADER__OP__LO = 8,
	PM4_HEADER__OP__BITS = 8,
	PM4_HEADER__SHADER_TYPE__LO = 1,
	PM4_HEADER__SHADER_TYPE__BITS = 1,
	PM4_HEADER__PREDICATE__LO = 0,
	PM4_HEADER__PREDICATE__BITS = 1,
	PM4_TYPE2 = 2,
	PM4_TYPE3 = 3,
	/* with QUEUE_SEL 1, in place of DOORBELL_OFFSET0 */
	PM4_UNMAP_QUEUES__PASID__DW = 2,
	PM4_UNMAP_QUEUES__PASID__LO = 0,
	PM4_UNMAP_QUEUES__PASID__BITS = 16,
};

/** Header of a type-3 packet with @body dwords after it (body >= 1). */
static inline uint32_t gv_pm4_header(unsigned op, unsigned body)
{
	return GV_PUT(PM4_HEADER, TYPE, PM4_TYPE3) | GV_PUT(PM4_HEADER, COUNT, body - 1) |
	       GV_PUT(PM4_HEADER, OP, op);
}

/** The one-dword NOP that pads rings: count field 0x3fff stands for "no body". */
#define GV_PM4_NOP1                                                                                \
	(GV_PUT(PM4_HEADER, TYPE, PM4_TYPE3) | GV_PUT(PM4_HEADER, COUNT, 0x3fff) |                 \
	 GV_PUT(PM4_HEADER, OP, PM4_NOP))

/** Dwords of a packet, header included: type 2 and the one-dword NOP are 1. 0 for type 0 and 1,
 *  which gfx9 compute does not know. */
unsigned gv_pm4_packet_dw(uint32_t header);

/** "MAP_QUEUES", or NULL for an opcode that is not in the table. */
const char *gv_pm4_name(unsigned op);
/** Smallest number of dwords after the header, or -ENOENT. */
int gv_pm4_min_dw(unsigned op);

/* First register (dword address) and end of the windows of the SET_*_REG packets (soc15d.h). */
enum {
	PM4_SET_CONFIG_REG_START = 0x2000,
	PM4_SET_CONFIG_REG_END = 0x2c00,
	PM4_SET_SH_REG_START = 0x2c00,
	PM4_SET_SH_REG_END = 0x3000,
	PM4_SET_CONTEXT_REG_START = 0xa000,
	PM4_SET_CONTEXT_REG_END = 0xa400,
	PM4_SET_UCONFIG_REG_START = 0xc000,
	PM4_SET_UCONFIG_REG_END = 0x10000,
};

/* EVENT_TYPE and EVENT_INDEX values used here (soc15d.h, gfx_v9_0.c). */
enum {
	PM4_EVENT_CS_PARTIAL_FLUSH = 0x07,
	PM4_EVENT_CACHE_FLUSH_AND_INV_TS = 0x14,
	PM4_EVENT_CS_DONE = 0x2f,
	PM4_EVENT_INDEX_CS_PARTIAL_FLUSH = 4,
	PM4_EVENT_INDEX_EOP = 5,
};

/* TC atomic opcodes of ATOMIC_MEM and of SDMA ATOMIC (gfx9 texture-cache atomics; the RTN forms;
 * source: AMD Vega ISA memory atomics numbering as used by the TC, Mesa ac_pm4/sid.h names). */
enum gv_tc_op {
	GV_TC_SWAP_RTN_32 = 7,
	GV_TC_CMPSWAP_RTN_32 = 8,
	GV_TC_ADD_RTN_32 = 15,
	GV_TC_SUB_RTN_32 = 16,
	GV_TC_SMIN_RTN_32 = 17,
	GV_TC_UMIN_RTN_32 = 18,
	GV_TC_SMAX_RTN_32 = 19,
	GV_TC_UMAX_RTN_32 = 20,
	GV_TC_AND_RTN_32 = 21,
	GV_TC_OR_RTN_32 = 22,
	GV_TC_XOR_RTN_32 = 23,
	GV_TC_INC_RTN_32 = 24,
	GV_TC_DEC_RTN_32 = 25,
	GV_TC_SWAP_RTN_64 = 39,
	GV_TC_CMPSWAP_RTN_64 = 40,
	GV_TC_ADD_RTN_64 = 47,
	GV_TC_SUB_RTN_64 = 48,
	GV_TC_SMIN_RTN_64 = 49,
	GV_TC_UMIN_RTN_64 = 50,
	GV_TC_SMAX_RTN_64 = 51,
	GV_TC_UMAX_RTN_64 = 52,
	GV_TC_AND_RTN_64 = 53,
	GV_TC_OR_RTN_64 = 54,
	GV_TC_XOR_RTN_64 = 55,
	GV_TC_INC_RTN_64 = 56,
	GV_TC_DEC_RTN_64 = 57,
};

/* ---- SDMA --------------------------------------------------------------- */

enum {
#define SDMA_PKT(name, op, sub, dw)                                                                \
	SDMA_##name##__OP = (op), SDMA_##name##__SUB_OP = (sub), SDMA_##name##__DW = (dw),
#define SDMA_FIELD(pkt, dw, field, lo, bits)                                                       \
	SDMA_##pkt##__##field##__DW = (dw), SDMA_##pkt##__##field##__LO = (lo),                    \
	SDMA_##pkt##__##field##__BITS = (bits),
#include <gv/sdma_packets.def>
#undef SDMA_PKT
#undef SDMA_FIELD
	/* bytes per COPY and FILL packet (sdma_v4_0.c) */
	SDMA_MAX_COPY_BYTES = 0x400000,
};

/** First dword of an SDMA packet: GV_SDMA_HEADER(COPY_LINEAR). */
#define GV_SDMA_HEADER(name) ((uint32_t)SDMA_##name##__OP | (uint32_t)SDMA_##name##__SUB_OP << 8)

/** Name of the packet with this op and sub_op, and its fixed dwords; NULL when unknown. */
const char *gv_sdma_packet(unsigned op, unsigned sub_op, unsigned *fixed_dw);

/** FUNCTION of WAIT_REG_MEM and func of POLL_REGMEM: 0 always, 1 <, 2 <=, 3 ==, 4 !=, 5 >=, 6 >; 7
 * is reserved and taken as always (soc15d.h). */
bool gv_packet_compare(unsigned function, uint32_t val, uint32_t reference);

#endif
