/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What must hold for every row of the packet tables. */
#include <stdio.h>
#include <string.h>

#include <gv/layouts.h>
#include <gv/packets.h>

#include "ut.h"

struct field {
	const char *packet, *name;
	unsigned dw, lo, bits;
};

static const struct {
	const char *name;
	unsigned op, min_dw;
} pm4[] = {
#define PM4_OP(name, op, min_dw) {#name, op, min_dw},
#define PM4_FIELD(pkt, dw, field, lo, bits)
#include <gv/pm4.def>
#undef PM4_OP
#undef PM4_FIELD
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
	unsigned op, sub_op, dw;
} sdma[] = {
#define SDMA_PKT(name, op, sub, dw) {#name, op, sub, dw},
#define SDMA_FIELD(pkt, dw, field, lo, bits)
#include <gv/sdma_packets.def>
#undef SDMA_PKT
#undef SDMA_FIELD
};

static const struct field sdma_fields[] = {
#define SDMA_PKT(name, op, sub, dw)
#define SDMA_FIELD(pkt, dw, field, lo, bits) {#pkt, #field, dw, lo, bits},
#include <gv/sdma_packets.def>
#undef SDMA_PKT
#undef SDMA_FIELD
};

static const struct field giov_fields[] = {
#define GIOV(name, off)
#define GIOV_FIELD(name, field, lo, bits) {#name, #field, 0, lo, bits},
#include <gv/gpuiov.def>
#undef GIOV
#undef GIOV_FIELD
};

static bool same_bits(const struct field *a, const struct field *b)
{
	return strcmp(a->packet, b->packet) == 0 && a->dw == b->dw &&
	       gv_mask(a->lo, a->bits) & gv_mask(b->lo, b->bits);
}

/* Fields of one packet share no bit, and fit in a dword. */
static void check_fields(const struct field *f, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		CU_ASSERT(f[k].bits >= 1 && f[k].lo + f[k].bits <= 32);
		for (size_t m = 0; m < k; m++) {
			bool clash = same_bits(&f[k], &f[m]);

			if (clash)
				printf("%s: %s and %s\n", f[k].packet, f[k].name, f[m].name);
			CU_ASSERT_FALSE(clash);
		}
	}
}

static void fields_fit_and_do_not_overlap(void)
{
	check_fields(pm4_fields, GV_ARRAY_LEN(pm4_fields));
	check_fields(sdma_fields, GV_ARRAY_LEN(sdma_fields));
	check_fields(giov_fields, GV_ARRAY_LEN(giov_fields));
}

/* Where the payload begins is a field too: the first dword after the fixed part. */
static bool inside(const struct field *f, unsigned fixed_dw)
{
	return f->dw < fixed_dw || (f->dw == fixed_dw && strcmp(f->name, "data0") == 0);
}

/* An engine that checked the smallest length may read every field. */
static void fields_lie_inside_the_smallest_packet(void)
{
	for (size_t k = 0; k < GV_ARRAY_LEN(pm4_fields); k++)
		for (size_t p = 0; p < GV_ARRAY_LEN(pm4); p++)
			if (strcmp(pm4[p].name, pm4_fields[k].packet) == 0) {
				if (pm4_fields[k].dw > pm4[p].min_dw)
					printf("%s.%s\n", pm4[p].name, pm4_fields[k].name);
				CU_ASSERT(pm4_fields[k].dw <= pm4[p].min_dw);
			}
	for (size_t k = 0; k < GV_ARRAY_LEN(sdma_fields); k++)
		for (size_t p = 0; p < GV_ARRAY_LEN(sdma); p++)
			if (strcmp(sdma[p].name, sdma_fields[k].packet) == 0) {
				if (!inside(&sdma_fields[k], sdma[p].dw))
					printf("%s.%s\n", sdma[p].name, sdma_fields[k].name);
				CU_ASSERT(inside(&sdma_fields[k], sdma[p].dw));
			}
}

static void pm4_opcodes_are_unique_and_found(void)
{
	for (size_t k = 0; k < GV_ARRAY_LEN(pm4); k++) {
		CU_ASSERT(pm4[k].op <= UINT8_MAX);
		CU_ASSERT_STRING_EQUAL(gv_pm4_name(pm4[k].op), pm4[k].name);
		CU_ASSERT_EQUAL(gv_pm4_min_dw(pm4[k].op), (int)pm4[k].min_dw);
	}
	CU_ASSERT_PTR_NULL(gv_pm4_name(UINT8_MAX));
	CU_ASSERT_EQUAL(gv_pm4_min_dw(UINT8_MAX), -ENOENT);
}

static void pm4_headers_say_how_long_the_packet_is(void)
{
	const unsigned most = 0x3fff;

	for (unsigned body = 1; body <= most; body += body < 70 ? 1 : 67) {
		uint32_t h = gv_pm4_header(PM4_WRITE_DATA, body);

		CU_ASSERT_EQUAL(gv_pm4_packet_dw(h), body + 1);
		CU_ASSERT_EQUAL(GV_GET(h, PM4_HEADER, OP), PM4_WRITE_DATA);
		CU_ASSERT_EQUAL(GV_GET(h, PM4_HEADER, TYPE), PM4_TYPE3);
	}
	/* Only a NOP may have no body: the same count elsewhere is the longest packet. */
	CU_ASSERT_EQUAL(GV_PM4_NOP1, 0xffff1000u);
	CU_ASSERT_EQUAL(gv_pm4_packet_dw(GV_PM4_NOP1), 1);
	CU_ASSERT_EQUAL(gv_pm4_packet_dw(GV_SET(GV_PM4_NOP1, PM4_HEADER, OP, PM4_WRITE_DATA)),
	                most + 2);
	CU_ASSERT_EQUAL(gv_pm4_packet_dw(GV_PUT(PM4_HEADER, TYPE, PM4_TYPE2)), 1);
	CU_ASSERT_EQUAL(gv_pm4_packet_dw(0), 0);
	CU_ASSERT_EQUAL(gv_pm4_packet_dw(GV_PUT(PM4_HEADER, TYPE, 1)), 0);
}

/* Told from COPY_LINEAR by its broadcast bit, so the codes alone find COPY_LINEAR. */
static bool shares_codes(const char *name)
{
	return strcmp(name, "COPY_BROADCAST_LINEAR") == 0;
}

static void sdma_packets_are_found_by_their_codes(void)
{
	unsigned dw = 0;

	for (size_t k = 0; k < GV_ARRAY_LEN(sdma); k++) {
		const char *name = gv_sdma_packet(sdma[k].op, sdma[k].sub_op, &dw);

		CU_ASSERT(sdma[k].op <= UINT8_MAX && sdma[k].sub_op <= UINT8_MAX);
		CU_ASSERT(sdma[k].dw >= 1);
		CU_ASSERT_PTR_NOT_NULL_FATAL(name);
		if (shares_codes(sdma[k].name)) {
			CU_ASSERT_STRING_EQUAL(name, "COPY_LINEAR");
			continue;
		}
		CU_ASSERT_STRING_EQUAL(name, sdma[k].name);
		CU_ASSERT_EQUAL(dw, sdma[k].dw);
	}
	CU_ASSERT_PTR_NULL(gv_sdma_packet(UINT8_MAX, 0, &dw));
	CU_ASSERT_EQUAL(GV_SDMA_HEADER(COPY_LINEAR), 1);
}

static void windows_of_set_reg_packets_do_not_overlap(void)
{
	static const unsigned edge[] = {
	        PM4_SET_CONFIG_REG_START,  PM4_SET_CONFIG_REG_END,    PM4_SET_SH_REG_START,
	        PM4_SET_SH_REG_END,        PM4_SET_CONTEXT_REG_START, PM4_SET_CONTEXT_REG_END,
	        PM4_SET_UCONFIG_REG_START, PM4_SET_UCONFIG_REG_END,
	};

	for (size_t k = 1; k < GV_ARRAY_LEN(edge); k++)
		CU_ASSERT(edge[k - 1] < edge[k] || (k % 2 == 0 && edge[k - 1] == edge[k]));
	CU_ASSERT(edge[GV_ARRAY_LEN(edge) - 1] * 4ull <= GV_BAR5_BYTES);
}

UT_MAIN("packets", UT(fields_fit_and_do_not_overlap), UT(fields_lie_inside_the_smallest_packet),
        UT(pm4_opcodes_are_unique_and_found), UT(pm4_headers_say_how_long_the_packet_is),
        UT(sdma_packets_are_found_by_their_codes), UT(windows_of_set_reg_packets_do_not_overlap))
