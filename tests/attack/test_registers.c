/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registers that are the PF's, a neighbour's or nobody's, by every way to a register. */
#include <string.h>

#include "arena.h"
#include "forge.h"

/* Called for every element of every register that a VF may not write (or, @read, not even read). */
static unsigned each_forbidden(bool read, void (*attempt)(uint32_t byte))
{
	unsigned n = 0;

	for (int r = 0; r < GV_REG_COUNT; r++) {
		const struct gv_reg_info *info = gv_reg_info((enum gv_reg)r);

		if (read ? info->vf != GV_NONE : info->vf == GV_RW)
			continue;
		for (uint32_t i = 0; i < info->count; i++, n++)
			attempt(info->byte + i * info->stride);
	}
	return n;
}

/* ---- MMIO ------------------------------------------------------------------ */

static void write_by_mmio(uint32_t byte)
{
	const uint64_t junk = UINT64_MAX;

	forge_wr(byte, UINT32_MAX);
	for (size_t n = 1; n <= 8; n *= 2)
		(void)gv_bus_write(arena_bus(), GV_REGION_MMIO, byte, &junk, n);
	(void)gv_bus_write(arena_bus(), GV_REGION_MMIO, byte + 1, &junk, 2);
}

static void registers_of_the_pf_cannot_be_written_in_any_size(void)
{
	arena_begin();
	CU_ASSERT(each_forbidden(false, write_by_mmio) > 100);
	arena_expect(NAMED_ERROR);
}

static void read_by_mmio(uint32_t byte)
{
	uint8_t buf[8] = {1, 1, 1, 1, 1, 1, 1, 1};

	CU_ASSERT(forge_rd(byte) == 0);
	CU_ASSERT(!gv_bus_read(arena_bus(), GV_REGION_MMIO, byte + 1, buf, 2));
	CU_ASSERT(buf[0] == 0 && buf[1] == 0);
}

static void registers_of_the_pf_read_zero(void)
{
	arena_begin();
	CU_ASSERT(each_forbidden(true, read_by_mmio) > 100);
	arena_expect(NAMED_ERROR);
}

/* What a VF may write is its own copy: whatever it writes there, all others keep theirs. */
static void writing_every_register_that_it_may_changes_nobody_elses(void)
{
	arena_begin();
	for (int r = 0; r < GV_REG_COUNT; r++) {
		const struct gv_reg_info *info = gv_reg_info((enum gv_reg)r);

		/* MM_DATA and RLC_SPARE_INT lead elsewhere and have cases of their own */
		if (info->vf != GV_RW || r == GV_REG_MM_DATA || r == GV_REG_RLC_SPARE_INT)
			continue;
		CU_ASSERT(info->bank != GV_BANK_GPU);
		for (uint32_t i = 0; i < info->count; i++)
			forge_wr(info->byte + i * info->stride, 0xa5a5a5a4u + (uint32_t)r);
	}
	arena_expect(0);
	arena_begin();
}

static void addresses_between_registers_lead_nowhere(void)
{
	unsigned n = 0;

	arena_begin();
	for (uint32_t byte = GVX_MAGIC__BYTE; byte < GVX_MAGIC__BYTE + 0x1000; byte += 4) {
		if (gv_reg_at(byte, NULL) >= 0)
			continue;
		forge_wr(byte, UINT32_MAX);
		CU_ASSERT(forge_rd(byte) == 0);
		n++;
	}
	CU_ASSERT(n > 0);
	arena_expect(NAMED_UNKNOWN);
}

int main(int argc, char **argv)
{
	static const struct ut_case cases[] = {
	        UT(registers_of_the_pf_cannot_be_written_in_any_size),
	        UT(registers_of_the_pf_read_zero),
	        UT(writing_every_register_that_it_may_changes_nobody_elses),
	        UT(addresses_between_registers_lead_nowhere),
	};

	return arena_main(argc, argv, "attack/registers", cases, (int)GV_ARRAY_LEN(cases));
}
