/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packet tables: lengths, fields, and words that a Linux driver really sends. */
#include <stdio.h>
#include <string.h>

#include <gv/packets.h>

#include "ut.h"

struct field {
	const char *packet, *name;
	unsigned dw, lo, bits;
};

static const struct field pm4_fields[] = {
#define PM4_OP(name, op, min_dw)
#define PM4_FIELD(pkt, dw, field, lo, bits) {#pkt, #field, dw, lo, bits},
#include <gv/pm4.def>
#undef PM4_OP
#undef PM4_FIELD
};

static const struct {
	const char *name;
	unsigned op, min_dw;
} pm4_ops[] = {
#define PM4_OP(name, op, min_dw) {#name, op, min_dw},
#define PM4_FIELD(pkt, dw, field, lo, bits)
#include <gv/pm4.def>
#undef PM4_OP
#undef PM4_FIELD
};

static const struct field sdma_fields[] = {
#define SDMA_PKT(name, op, sub, dw)
#define SDMA_FIELD(pkt, dw, field, lo, bits) {#pkt, #field, dw, lo, bits},
#include <gv/sdma_packets.def>
#undef SDMA_PKT
#undef SDMA_FIELD
};

static const struct {
	const char *name;
	unsigned op, sub, dw;
} sdma_ops[] = {
#define SDMA_PKT(name, op, sub, dw) {#name, op, sub, dw},
#define SDMA_FIELD(pkt, dw, field, lo, bits)
#include <gv/sdma_packets.def>
#undef SDMA_PKT
#undef SDMA_FIELD
};

static void lengths_follow_from_the_header(void)
{
	for (unsigned body = 1; body < 0x3fff; body += 7)
		CU_ASSERT_EQUAL(gv_pm4_packet_dw(gv_pm4_header(PM4_WRITE_DATA, body)), body + 1);
	CU_ASSERT_EQUAL(gv_pm4_packet_dw(gv_pm4_header(PM4_WRITE_DATA, 0x4000)), 0x4001);
	CU_ASSERT_EQUAL(GV_PM4_NOP1, 0xffff1000); /* what amdgpu pads with */
	CU_ASSERT_EQUAL(gv_pm4_packet_dw(GV_PM4_NOP1), 1);
	CU_ASSERT_EQUAL(gv_pm4_packet_dw(0x80000000), 1);
	CU_ASSERT_EQUAL(gv_pm4_packet_dw(0x00001000), 0);
	CU_ASSERT_EQUAL(gv_pm4_packet_dw(0x40001000), 0);
	/* the pad pattern is special for NOP only */
	CU_ASSERT_EQUAL(gv_pm4_packet_dw(0xffff3700), 0x4001);
}

static void words_of_the_kernel_decode(void)
{
	static const uint32_t map[] = {0xc005a200, 0x20000000, 0x00000018};

	CU_ASSERT_EQUAL(GV_GET(map[0], PM4_HEADER, OP), PM4_MAP_QUEUES);
	CU_ASSERT_EQUAL(gv_pm4_packet_dw(map[0]), 7);
	CU_ASSERT_EQUAL(GV_GET(map[1], PM4_MAP_QUEUES, NUM_QUEUES), 1);
	CU_ASSERT_EQUAL(GV_GET(map[1], PM4_MAP_QUEUES, QUEUE_SEL), 0);
	CU_ASSERT_EQUAL(GV_GET(map[2], PM4_MAP_QUEUES, DOORBELL_OFFSET), 6);
	CU_ASSERT_EQUAL(gv_pm4_header(PM4_SET_RESOURCES, 7), 0xc006a000);
	CU_ASSERT_EQUAL(gv_pm4_header(PM4_UNMAP_QUEUES, 5), 0xc004a300);
	CU_ASSERT_EQUAL(gv_pm4_header(PM4_RELEASE_MEM, 7), 0xc0064900);
	CU_ASSERT_EQUAL(gv_pm4_header(PM4_WAIT_REG_MEM, 6), 0xc0053c00);
}

static void opcodes_are_unique_and_named(void)
{
	for (size_t a = 0; a < GV_ARRAY_LEN(pm4_ops); a++) {
		CU_ASSERT(pm4_ops[a].op <= 0xff);
		CU_ASSERT_STRING_EQUAL(gv_pm4_name(pm4_ops[a].op), pm4_ops[a].name);
		CU_ASSERT_EQUAL(gv_pm4_min_dw(pm4_ops[a].op), (int)pm4_ops[a].min_dw);
		for (size_t b = a + 1; b < GV_ARRAY_LEN(pm4_ops); b++)
			CU_ASSERT_NOT_EQUAL(pm4_ops[a].op, pm4_ops[b].op);
	}
	CU_ASSERT_PTR_NULL(gv_pm4_name(0xff));
	CU_ASSERT_EQUAL(gv_pm4_min_dw(0xff), -ENOENT);
	CU_ASSERT_EQUAL(gv_pm4_min_dw(256 + PM4_NOP), -ENOENT);
}

/* A field beyond the smallest packet would be read past its end. */
static void pm4_fields_lie_in_the_smallest_packet(void)
{
	for (size_t k = 0; k < GV_ARRAY_LEN(pm4_fields); k++) {
		const struct field *f = &pm4_fields[k];
		unsigned min_dw = 0;
		bool known = false;

		CU_ASSERT(f->bits >= 1 && f->lo + f->bits <= 32);
		for (size_t o = 0; o < GV_ARRAY_LEN(pm4_ops); o++)
			if (strcmp(pm4_ops[o].name, f->packet) == 0) {
				min_dw = pm4_ops[o].min_dw;
				known = true;
			}
		if (!known || f->dw > min_dw) {
			fprintf(stderr, "%s.%s: dword %u, packet has %u\n", f->packet, f->name,
			        f->dw, min_dw);
			CU_FAIL("field outside its packet");
		}
	}
}

static void sdma_packets_are_found_by_op_and_sub_op(void)
{
	unsigned dw = 0;

	CU_ASSERT_STRING_EQUAL(gv_sdma_packet(5, 0, &dw), "FENCE");
	CU_ASSERT_EQUAL(dw, 4);
	CU_ASSERT_STRING_EQUAL(gv_sdma_packet(1, 0, &dw), "COPY_LINEAR");
	CU_ASSERT_EQUAL(dw, 7);
	CU_ASSERT_STRING_EQUAL(gv_sdma_packet(4, 0, NULL), "INDIRECT");
	CU_ASSERT_PTR_NULL(gv_sdma_packet(5, 1, &dw));
	CU_ASSERT_PTR_NULL(gv_sdma_packet(255, 255, NULL));
	CU_ASSERT_PTR_NULL(gv_sdma_packet(256 + 5, 0, NULL));
	CU_ASSERT_EQUAL(GV_SDMA_HEADER(CONSTANT_FILL), 11);
	CU_ASSERT_EQUAL(GV_SDMA_HEADER(TIMESTAMP_GET_GLOBAL), 13 | 2 << 8);
	for (size_t k = 0; k < GV_ARRAY_LEN(sdma_ops); k++) {
		CU_ASSERT(sdma_ops[k].dw >= 1 && sdma_ops[k].dw <= 32);
		CU_ASSERT_PTR_NOT_NULL(gv_sdma_packet(sdma_ops[k].op, sdma_ops[k].sub, NULL));
	}
}

static void sdma_fields_lie_in_their_packets(void)
{
	for (size_t k = 0; k < GV_ARRAY_LEN(sdma_fields); k++) {
		const struct field *f = &sdma_fields[k];
		unsigned dw = 0;

		CU_ASSERT(f->bits >= 1 && f->lo + f->bits <= 32);
		for (size_t o = 0; o < GV_ARRAY_LEN(sdma_ops); o++)
			if (strcmp(sdma_ops[o].name, f->packet) == 0)
				dw = sdma_ops[o].dw;
		/* what follows the fixed part begins with data0 */
		if (f->dw > dw || (f->dw == dw && strcmp(f->name, "data0") != 0)) {
			fprintf(stderr, "%s.%s: dword %u of %u\n", f->packet, f->name, f->dw, dw);
			CU_FAIL("field outside its packet");
		}
	}
}

static void register_windows_hold_their_registers(void)
{
	const uint32_t pgm = COMPUTE_PGM_LO__DW, grbm = GRBM_GFX_CNTL__DW;

	CU_ASSERT(pgm >= PM4_SET_SH_REG_START && pgm < PM4_SET_SH_REG_END);
	CU_ASSERT(grbm >= PM4_SET_CONFIG_REG_START && grbm < PM4_SET_CONFIG_REG_END);
}

UT_MAIN("packets", UT(lengths_follow_from_the_header), UT(words_of_the_kernel_decode),
        UT(opcodes_are_unique_and_named), UT(pm4_fields_lie_in_the_smallest_packet),
        UT(sdma_packets_are_found_by_op_and_sub_op), UT(sdma_fields_lie_in_their_packets),
        UT(register_windows_hold_their_registers))
