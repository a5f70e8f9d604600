/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gv/packets.h>

static const struct {
	const char *name;
	uint8_t op, min_dw;
} pm4[] = {
#define PM4_OP(name, op, min_dw) {#name, op, min_dw},
#define PM4_FIELD(pkt, dw, field, lo, bits)
#include <gv/pm4.def>
#undef PM4_OP
#undef PM4_FIELD
};

static const struct {
	const char *name;
	uint8_t op, sub_op, dw;
} sdma[] = {
#define SDMA_PKT(name, op, sub, dw) {#name, op, sub, dw},
#define SDMA_FIELD(pkt, dw, field, lo, bits)
#include <gv/sdma_packets.def>
#undef SDMA_PKT
#undef SDMA_FIELD
};

unsigned gv_pm4_packet_dw(uint32_t header)
{
	switch (GV_GET(header, PM4_HEADER, TYPE)) {
	case PM4_TYPE2:
		return 1;
	case PM4_TYPE3:
		if (GV_GET(header, PM4_HEADER, OP) == PM4_NOP &&
		    GV_GET(header, PM4_HEADER, COUNT) == gv_mask(0, PM4_HEADER__COUNT__BITS))
			return 1;
		return GV_GET(header, PM4_HEADER, COUNT) + 2;
	default:
		return 0;
	}
}

const char *gv_pm4_name(unsigned op)
{
	for (size_t i = 0; i < GV_ARRAY_LEN(pm4); i++)
		if (pm4[i].op == op)
			return pm4[i].name;
	return NULL;
}

int gv_pm4_min_dw(unsigned op)
{
	for (size_t i = 0; i < GV_ARRAY_LEN(pm4); i++)
		if (pm4[i].op == op)
			return pm4[i].min_dw;
	return -ENOENT;
}

const char *gv_sdma_packet(unsigned op, unsigned sub_op, unsigned *fixed_dw)
{
	for (size_t i = 0; i < GV_ARRAY_LEN(sdma); i++)
		if (sdma[i].op == op && sdma[i].sub_op == sub_op) {
			if (fixed_dw)
				*fixed_dw = sdma[i].dw;
			return sdma[i].name;
		}
	return NULL;
}

bool gv_packet_compare(unsigned function, uint32_t val, uint32_t reference)
{
	switch (function) {
	case 1:
		return val < reference;
	case 2:
		return val <= reference;
	case 3:
		return val == reference;
	case 4:
		return val != reference;
	case 5:
		return val >= reference;
	case 6:
		return val > reference;
	default:
		return true;
	}
}
