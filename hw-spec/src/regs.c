/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <gv/hw_spec.h>

#define BAR5_DWORDS 0x20000u /* 512 KiB */

static const struct gv_field_info fields[] = {
#define REG(name, block, seg, off, count, stride, bank, pf, vf, reset)
#define FIELD(reg, field, lo, bits, access) {GV_REG_##reg, #field, lo, bits, GV_##access},
#include <gv/regs_all.def>
#undef REG
#undef FIELD
};

static struct gv_reg_info regs[GV_REG_COUNT] = {
#define REG(name, block, seg, off, count, stride, bank, pf, vf, reset)                             \
	[GV_REG_##name] = {#name,                                                                  \
	                   GV_BLOCK_##block,                                                       \
	                   name##__BYTE,                                                           \
	                   name##__STRIDE,                                                         \
	                   count,                                                                  \
	                   GV_BANK_##bank,                                                         \
	                   GV_##pf,                                                                \
	                   GV_##vf,                                                                \
	                   reset,                                                                  \
	                   0,                                                                      \
	                   0,                                                                      \
	                   0},
#define FIELD(reg, field, lo, bits, access)
#include <gv/regs_all.def>
#undef REG
#undef FIELD
};

static struct gv_smn_info smn[GV_SMN_COUNT] = {
#define SMN(name, address, count, stride, reset)                                                   \
	[GV_SMN_##name] = {#name, address, count, stride, reset, 0},
#include <gv/regs_smn.def>
#undef SMN
};

/* Dword address to register number + 1 and element; filled once, before main(). */
static struct {
	uint16_t reg_plus_1;
	uint16_t index;
} at_dword[BAR5_DWORDS];
static uint32_t slots;

static void fill_masks(void)
{
	bool has_fields[GV_REG_COUNT] = {false};

	for (size_t i = 0; i < GV_ARRAY_LEN(fields); i++) {
		struct gv_reg_info *r = &regs[fields[i].reg];
		uint32_t m = gv_mask(fields[i].lo, fields[i].bits);

		has_fields[fields[i].reg] = true;
		if (fields[i].access == GV_RW)
			r->rw |= m;
		else if (fields[i].access == GV_W1C)
			r->w1c |= m;
	}
	for (int i = 0; i < GV_REG_COUNT; i++)
		if (!has_fields[i])
			regs[i].rw = UINT32_MAX;
}

__attribute__((constructor)) static void fill(void)
{
	uint32_t smn_slots = 0;

	fill_masks();
	for (int i = 0; i < GV_SMN_COUNT; i++) {
		smn[i].slot = smn_slots;
		smn_slots += smn[i].count;
	}
	for (int i = 0; i < GV_REG_COUNT; i++) {
		regs[i].slot = slots;
		slots += regs[i].count;
		for (uint32_t k = 0; k < regs[i].count; k++) {
			uint32_t dw = (regs[i].byte + k * regs[i].stride) / 4;

			if (dw >= BAR5_DWORDS)
				continue;
			at_dword[dw].reg_plus_1 = (uint16_t)(i + 1);
			at_dword[dw].index = (uint16_t)k;
		}
	}
}

uint32_t gv_reg_slots(void)
{
	return slots;
}

const struct gv_reg_info *gv_reg_info(enum gv_reg reg)
{
	return &regs[reg];
}

int gv_reg_at(uint32_t byte, uint32_t *index)
{
	uint32_t dw = byte / 4;

	if (byte % 4 || dw >= BAR5_DWORDS || !at_dword[dw].reg_plus_1)
		return -ENOENT;
	if (index)
		*index = at_dword[dw].index;
	return at_dword[dw].reg_plus_1 - 1;
}

const struct gv_smn_info *gv_smn_info(enum gv_smn reg)
{
	return &smn[reg];
}

int gv_smn_at(uint32_t address)
{
	for (int i = 0; i < GV_SMN_COUNT; i++)
		for (uint32_t k = 0; k < smn[i].count; k++)
			if (smn[i].address + k * smn[i].stride == address)
				return (int)(smn[i].slot + k);
	return -ENOENT;
}

const struct gv_field_info *gv_field_rows(size_t *count)
{
	*count = GV_ARRAY_LEN(fields);
	return fields;
}

/* AMD numbers arrays in the middle of a name: the first "0" that ends a word part is the index. */
void gv_reg_name(enum gv_reg reg, uint32_t index, char *buf, size_t size)
{
	const char *name = regs[reg].name;
	const char *zero = NULL;

	if (size == 0)
		return;
	for (const char *p = name + 1; regs[reg].count > 1 && *p; p++)
		if (*p == '0' && !isdigit((unsigned char)p[-1]) && (p[1] == '_' || !p[1]))
			zero = p;
	if (!zero)
		(void)snprintf(buf, size, regs[reg].count > 1 ? "%s[%u]" : "%s", name, index);
	else
		(void)snprintf(buf, size, "%.*s%u%s", (int)(zero - name), name, index, zero + 1);
}

void gv_reg_format(char *buf, size_t size, uint32_t byte, uint32_t val)
{
	uint32_t index = 0;
	int reg = gv_reg_at(byte, &index);
	size_t at;

	if (size == 0)
		return;
	if (reg < 0) {
		(void)snprintf(buf, size, "reg[0x%x]=0x%x", byte, val);
		return;
	}
	gv_reg_name((enum gv_reg)reg, index, buf, size);
	at = strlen(buf);
	at += (size_t)snprintf(buf + at, size - at, "=0x%x", val);
	for (size_t i = 0; i < GV_ARRAY_LEN(fields) && at < size; i++) {
		uint32_t part = (val >> fields[i].lo) & gv_mask(0, fields[i].bits);

		if ((int)fields[i].reg == reg && part && fields[i].bits < 32)
			at += (size_t)snprintf(buf + at, size - at, " %s=%u", fields[i].name, part);
	}
}

const char *gv_block_name(enum gv_block block)
{
	static const char *const names[] = {"NBIO", "HDP", "OSSSYS", "SDMA0", "SDMA1",
	                                    "GC",   "MP0", "MMHUB",  "DCE",   "UMC",
	                                    "PWR",  "UVD", "VCE",    "MMSCH", "GVX"};

	return block < GV_ARRAY_LEN(names) ? names[block] : "?";
}
