/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fields, for every row: those of packets share no bit, and what logs print of a register says all
 * of its value. */
#include <stdio.h>
#include <string.h>

#include <gv/layouts.h>
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

static void packet_and_capability_fields_do_not_overlap(void)
{
	check_fields(pm4_fields, GV_ARRAY_LEN(pm4_fields));
	check_fields(sdma_fields, GV_ARRAY_LEN(sdma_fields));
	check_fields(giov_fields, GV_ARRAY_LEN(giov_fields));
}

static uint32_t byte_of(const struct gv_reg_info *r, uint32_t k)
{
	return r->byte + k * r->stride;
}

/* Value that a formatted line stands for, read from its field words; *@name gets the register. */
static uint32_t parse(char *line, int reg, char *name, uint32_t *whole)
{
	size_t n;
	const struct gv_field_info *f = gv_field_rows(&n);
	char *save = NULL, *word = strtok_r(line, " ", &save);
	uint32_t sum = 0;

	CU_ASSERT_EQUAL(sscanf(word, "%95[^=]=0x%x", name, whole), 2);
	while ((word = strtok_r(NULL, " ", &save)) != NULL) {
		char *eq = strchr(word, '=');

		CU_ASSERT_PTR_NOT_NULL_FATAL(eq);
		*eq = '\0';
		for (size_t k = 0; k < n; k++)
			if ((int)f[k].reg == reg && strcmp(f[k].name, word) == 0)
				sum |= (uint32_t)strtoul(eq + 1, NULL, 10) << f[k].lo;
	}
	return sum;
}

static uint32_t part_bits(int reg)
{
	size_t n;
	const struct gv_field_info *f = gv_field_rows(&n);
	uint32_t mask = 0;

	for (size_t k = 0; k < n; k++)
		if ((int)f[k].reg == reg && f[k].bits < 32)
			mask |= gv_mask(f[k].lo, f[k].bits);
	return mask;
}

static void a_formatted_value_can_be_read_back(void)
{
	static const uint32_t patterns[] = {0, UINT32_MAX, 0xa5a5a5a5, 0x12345678};

	for (int r = 0; r < GV_REG_COUNT; r++)
		for (size_t p = 0; p < GV_ARRAY_LEN(patterns); p++) {
			const struct gv_reg_info *i = gv_reg_info((enum gv_reg)r);
			char line[4096], name[96] = "", want[96];
			uint32_t whole = 0, last = i->count - 1;

			gv_reg_format(line, sizeof(line), byte_of(i, last), patterns[p]);
			gv_reg_name((enum gv_reg)r, last, want, sizeof(want));
			CU_ASSERT_EQUAL(parse(line, r, name, &whole), patterns[p] & part_bits(r));
			CU_ASSERT_STRING_EQUAL(name, want);
			CU_ASSERT_EQUAL(whole, patterns[p]);
		}
}

static void a_short_buffer_is_never_overrun(void)
{
	for (size_t size = 0; size < 80; size++) {
		char buf[96];

		memset(buf, '#', sizeof(buf));
		gv_reg_format(buf, size, IH_RB_CNTL__BYTE, UINT32_MAX);
		CU_ASSERT_EQUAL(buf[size], '#');
		CU_ASSERT(size == 0 || memchr(buf, '\0', size) != NULL);
		memset(buf, '#', sizeof(buf));
		gv_reg_name(GV_REG_GVX_VF0_L2_BASE_LO, 15, buf, size);
		CU_ASSERT_EQUAL(buf[size], '#');
		CU_ASSERT(size == 0 || memchr(buf, '\0', size) != NULL);
	}
}

UT_MAIN("fields", UT(packet_and_capability_fields_do_not_overlap),
        UT(a_formatted_value_can_be_read_back), UT(a_short_buffer_is_never_overrun))
