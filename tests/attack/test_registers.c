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

/* ---- packets ------------------------------------------------------------------- */

/* Packets are gathered and run together: a refused register does not halt a queue. */
static struct {
	uint32_t dw[2048];
	size_t n;
	bool sdma;
} batch;

static void flush_batch(void)
{
	if (batch.n)
		CU_ASSERT(batch.sdma ? forge_sdma_on(NULL, batch.dw, batch.n)
		                     : forge_cp_on(NULL, batch.dw, batch.n));
	batch.n = 0;
}

static void add(const uint32_t *dw, size_t n)
{
	if (batch.n + n > GV_ARRAY_LEN(batch.dw))
		flush_batch();
	memcpy(batch.dw + batch.n, dw, n * sizeof(*dw));
	batch.n += n;
}
#define ADD(...) add((const uint32_t[]){__VA_ARGS__}, FORGE_COUNT(__VA_ARGS__))

static void run_batch(bool sdma, bool read, void (*attempt)(uint32_t byte))
{
	batch.n = 0;
	batch.sdma = sdma;
	CU_ASSERT(each_forbidden(read, attempt) > 100);
	flush_batch();
}

static void write_by_packet(uint32_t byte)
{
	uint32_t dw = byte / 4;

	ADD(gv_pm4_header(PM4_WRITE_DATA, 4), 0, dw, 0, UINT32_MAX);
	ADD(gv_pm4_header(PM4_COPY_DATA, 5), GV_PUT(PM4_COPY_DATA, SRC_SEL, 5), UINT32_MAX, 0, dw,
	    0);
	ADD(gv_pm4_header(PM4_WAIT_REG_MEM, 6), GV_PUT(PM4_WAIT_REG_MEM, OPERATION, 1), dw, dw,
	    UINT32_MAX, 0, 4);
	if (dw >= PM4_SET_UCONFIG_REG_START && dw < PM4_SET_UCONFIG_REG_END)
		ADD(gv_pm4_header(PM4_SET_UCONFIG_REG, 2), dw - PM4_SET_UCONFIG_REG_START,
		    UINT32_MAX);
	if (dw >= PM4_SET_CONFIG_REG_START && dw < PM4_SET_CONFIG_REG_END)
		ADD(gv_pm4_header(PM4_SET_CONFIG_REG, 2), dw - PM4_SET_CONFIG_REG_START,
		    UINT32_MAX);
}

static void registers_of_the_pf_cannot_be_written_by_packets(void)
{
	arena_begin();
	run_batch(false, false, write_by_packet);
	arena_expect(NAMED_ERROR);
}

/* Where the driver asked for it, the offence is reported by interrupt. */
static void a_refused_register_raises_the_attackers_own_interrupt(void)
{
	arena_begin();
	forge_wr(CPC_INT_CNTL__BYTE, GV_PUT(CPC_INT_CNTL, PRIV_REG_INT_ENABLE, 1));
	CU_ASSERT(FORGE_CP(gv_pm4_header(PM4_WRITE_DATA, 4), 0, GVX_VF_FB_EN__DW, 0, UINT32_MAX));
	CU_ASSERT(ARENA_UNTIL(forge_interrupt(GV_IH_CLIENT_GRBM_CP, GV_IH_SRC_CP_PRIV_REG, NULL)));
	arena_expect(NAMED_ERROR);
}

static void read_by_packet(uint32_t byte)
{
	ADD(gv_pm4_header(PM4_COPY_DATA, 5), GV_PUT(PM4_COPY_DATA, DST_SEL, 1), byte / 4, 0,
	    LO(FORGE_ARGS + byte / 4 % 1024 * 4), 0);
	ADD(gv_pm4_header(PM4_COPY_DATA, 5),
	    GV_PUT(PM4_COPY_DATA, DST_SEL, 1) | GV_PUT(PM4_COPY_DATA, COUNT_SEL, 1), byte / 4, 0,
	    LO(FORGE_ARGS + 8192), 0);
	ADD(gv_pm4_header(PM4_WAIT_REG_MEM, 6), GV_PUT(PM4_WAIT_REG_MEM, FUNCTION, 3), byte / 4, 0,
	    0, UINT32_MAX, 4);
}

static void check_read_zeroes(void)
{
	for (unsigned i = 0; i < 1024; i++) {
		uint32_t v = forge_get32(FORGE_ARGS + i * 4);

		CU_ASSERT(v == 0 || v == FORGE_UNTOUCHED);
	}
}

static void registers_of_the_pf_cannot_be_read_by_packets(void)
{
	arena_begin();
	for (unsigned i = 0; i < 1024; i++)
		forge_put32(FORGE_ARGS + i * 4, FORGE_UNTOUCHED);
	run_batch(false, true, read_by_packet);
	check_read_zeroes();
	arena_expect(NAMED_ERROR);
}

static void write_by_sdma(uint32_t byte)
{
	ADD(GV_SDMA_HEADER(SRBM_WRITE) | GV_PUT(SDMA_SRBM_WRITE, byte_en, 15), byte / 4,
	    UINT32_MAX);
	ADD(GV_SDMA_HEADER(SRBM_WRITE) | GV_PUT(SDMA_SRBM_WRITE, byte_en, 4), byte / 4, UINT32_MAX);
}

static void registers_of_the_pf_cannot_be_written_by_sdma(void)
{
	arena_begin();
	run_batch(true, false, write_by_sdma);
	arena_expect(NAMED_ERROR);
}

static void read_by_sdma(uint32_t byte)
{
	ADD(GV_SDMA_HEADER(POLL_REG_WRITE_MEM), byte, LO(FORGE_ARGS + byte / 4 % 1024 * 4), 0);
	ADD(GV_SDMA_HEADER(POLL_REGMEM) | GV_PUT(SDMA_POLL_REGMEM, func, 3), byte, 0, 0, UINT32_MAX,
	    0);
}

static void registers_of_the_pf_cannot_be_read_by_sdma(void)
{
	arena_begin();
	for (unsigned i = 0; i < 1024; i++)
		forge_put32(FORGE_ARGS + i * 4, FORGE_UNTOUCHED);
	run_batch(true, true, read_by_sdma);
	check_read_zeroes();
	arena_expect(NAMED_ERROR);
}

/* A process of the guest has no registers at all: its IB runs in a VMID. */
static void user_packets_of_sdma_touch_no_register(void)
{
	const uint64_t none = 0;
	uint32_t was;

	arena_begin();
	forge_space(3, &none, 1);
	was = forge_rd(SCRATCH_REG3__BYTE);
	CU_ASSERT(FORGE_SDMA_IB(3,
	                        GV_SDMA_HEADER(SRBM_WRITE) | GV_PUT(SDMA_SRBM_WRITE, byte_en, 15),
	                        SCRATCH_REG3__DW, was + 1));
	CU_ASSERT(forge_rd(SCRATCH_REG3__BYTE) == was);
	CU_ASSERT(FORGE_SDMA_IB(3, GV_SDMA_HEADER(COPY_PHYSICAL_LINEAR), 63, 0, LO(FORGE_ARGS), 0,
	                        LO(FORGE_OWN), 0));
	CU_ASSERT(forge_own_is_untouched());
	CU_ASSERT(
	        ARENA_UNTIL(forge_interrupt(GV_IH_CLIENT_SDMA0, GV_IH_SRC_SDMA_SRBM_WRITE, NULL)));
	arena_expect(NAMED_ERROR);
}

/* Management packets are for the queue that the driver named as its scheduler. */
static void management_packets_are_refused_on_other_queues(void)
{
	const uint32_t packet[][8] = {
	        {0, 0, 0x40, LO(FORGE_MQD), 0, LO(FORGE_WPTR)}, /* MAP_QUEUES */
	        {0, GV_PUT(PM4_UNMAP_QUEUES, QUEUE_SEL, 2)},
	        {0, 0xffff, UINT32_MAX, UINT32_MAX},
	        {0, GV_PUT(PM4_QUERY_STATUS, COMMAND, 2), 0, LO(FORGE_OWN), 0, 1},
	};
	static const unsigned op[] = {PM4_MAP_QUEUES, PM4_UNMAP_QUEUES, PM4_SET_RESOURCES,
	                              PM4_QUERY_STATUS};

	arena_begin();
	for (size_t i = 0; i < GV_ARRAY_LEN(op); i++) {
		uint32_t dw[8];

		memcpy(dw, packet[i], sizeof(dw));
		dw[0] = gv_pm4_header(op[i], 7);
		forge_cp_start(NULL, 0);
		forge_wr(RLC_CP_SCHEDULERS__BYTE, 0);
		forge_cp_more(dw, GV_ARRAY_LEN(dw));
		CU_ASSERT(ARENA_UNTIL(forge_cp_error() != 0));
	}
	CU_ASSERT(forge_own_is_untouched());
	CU_ASSERT(
	        ARENA_UNTIL(forge_interrupt(GV_IH_CLIENT_GRBM_CP, GV_IH_SRC_CP_PRIV_INSTR, NULL)));
	arena_expect(NAMED_ERROR);
}

/* ---- ways around ------------------------------------------------------------------ */

#define RLCG_BUSY_ADDR 0xfffffu /* what is left of the word while it works */

/* RLC-G: SCRATCH_REG0 value, SCRATCH_REG1 command and address. Returns the error bits. */
static uint32_t rlcg(uint32_t command, uint32_t dw, uint32_t *val)
{
	forge_wr(SCRATCH_REG0__BYTE, *val);
	forge_wr(SCRATCH_REG1__BYTE, command << 28 | (dw & RLCG_BUSY_ADDR));
	forge_wr(RLC_SPARE_INT__BYTE, 1);
	CU_ASSERT(ARENA_UNTIL(forge_rd(RLC_SPARE_INT__BYTE) == 0));
	*val = forge_rd(SCRATCH_REG0__BYTE);
	return forge_rd(SCRATCH_REG1__BYTE);
}

static void by_rlcg(uint32_t byte)
{
	static const uint32_t write[] = {0, 2, 8};
	uint32_t val = FORGE_JUNK;

	for (size_t i = 0; i < GV_ARRAY_LEN(write); i++)
		CU_ASSERT(rlcg(write[i], byte / 4, &val) != 0);
}

static void read_by_rlcg(uint32_t byte)
{
	uint32_t val = FORGE_JUNK;

	CU_ASSERT(rlcg(1, byte / 4, &val) != 0);
	CU_ASSERT(val == FORGE_JUNK);
}

static void registers_of_the_pf_are_out_of_range_for_rlcg(void)
{
	arena_begin();
	CU_ASSERT(each_forbidden(false, by_rlcg) > 100);
	CU_ASSERT(each_forbidden(true, read_by_rlcg) > 100);
	arena_expect(NAMED_ERROR);
}

static void addresses_out_of_range_are_refused_by_rlcg(void)
{
	static const uint32_t dw[] = {
	        GV_BAR5_BYTES / 4, GV_BAR5_BYTES / 4 + 1, 0xfffff, 0x80000, 0x1e000, 0x1ffff};
	uint32_t val = 0;

	arena_begin();
	for (uint32_t command = 0; command < 16; command++)
		for (size_t i = 0; i < GV_ARRAY_LEN(dw); i++)
			CU_ASSERT(rlcg(command, dw[i], &val) != 0);
	arena_expect(NAMED_ERROR);
}

static void rlcg_is_shut_until_the_pf_opens_it(void)
{
	uint32_t val = 0, was;

	arena_begin();
	arena_gate(RLC_GPM_GENERAL_14__BYTE, false);
	was = forge_rd(SCRATCH_REG5__BYTE);
	val = was + 1;
	CU_ASSERT(rlcg(0, SCRATCH_REG5__DW, &val) != 0);
	CU_ASSERT(forge_rd(SCRATCH_REG5__BYTE) == was);
	arena_gate(RLC_GPM_GENERAL_14__BYTE, true);
	val = was + 1;
	CU_ASSERT(rlcg(0, SCRATCH_REG5__DW, &val) == 0);
	CU_ASSERT(forge_rd(SCRATCH_REG5__BYTE) == was + 1);
	arena_expect(NAMED_ERROR);
}

static void by_mm_index(uint32_t byte)
{
	forge_wr(MM_INDEX_HI__BYTE, 0);
	forge_wr(MM_INDEX__BYTE, byte);
	forge_wr(MM_DATA__BYTE, UINT32_MAX);
}

static void read_by_mm_index(uint32_t byte)
{
	forge_wr(MM_INDEX__BYTE, byte);
	CU_ASSERT(forge_rd(MM_DATA__BYTE) == 0);
}

static void registers_of_the_pf_are_not_behind_mm_index(void)
{
	arena_begin();
	CU_ASSERT(each_forbidden(false, by_mm_index) > 100);
	CU_ASSERT(each_forbidden(true, read_by_mm_index) > 100);
	arena_expect(NAMED_ERROR);
}

/* The SMN bus behind PCIE_INDEX2 reaches everything on silicon; a VF gets nothing of it. */
static void nothing_is_behind_pcie_index2(void)
{
	static const uint32_t smn[] = {0, 0x3b10528, 0x11180070, 0x30800, UINT32_MAX & ~3u};

	arena_begin();
	for (size_t i = 0; i < GV_ARRAY_LEN(smn); i++) {
		forge_wr(PCIE_INDEX2__BYTE, smn[i]);
		forge_wr(PCIE_DATA2__BYTE, UINT32_MAX);
		CU_ASSERT(forge_rd(PCIE_DATA2__BYTE) == 0);
	}
	arena_expect(NAMED_UNKNOWN);
}

/* Every selection of engines, pipes, queues and VMIDs, and instances of shader engines. */
static void selections_select_only_among_its_own(void)
{
	static const uint32_t index[] = {0, UINT32_MAX, 0x00ff00ff, 0x40000000, 0x1f};

	arena_begin();
	for (uint32_t sel = 0; sel < 1u << 11; sel++) {
		forge_wr(GRBM_GFX_CNTL__BYTE, sel);
		forge_wr(CP_HQD_PQ_BASE__BYTE, FORGE_JUNK);
		forge_wr(CP_HQD_VMID__BYTE, 15);
		forge_wr(SH_MEM_BASES__BYTE, FORGE_JUNK);
	}
	for (size_t i = 0; i < GV_ARRAY_LEN(index); i++) {
		forge_wr(GRBM_GFX_INDEX__BYTE, index[i]);
		forge_wr(SCRATCH_REG0__BYTE, FORGE_JUNK);
	}
	forge_wr(GRBM_GFX_CNTL__BYTE, 0);
	arena_expect(NAMED_ERROR);
}

/* Which mailbox the PF looks at, and what it has in its scratch registers, is the PF's. */
static void the_pfs_scratch_registers_are_not_the_attackers(void)
{
	uint32_t pfs = gv_rd32(arena_pf_bus(), SCRATCH_REG0__BYTE);

	arena_begin();
	for (uint32_t r = 0; r < 8; r++)
		forge_wr(SCRATCH_REG0__BYTE + r * 4, ~pfs + r);
	CU_ASSERT(FORGE_CP(gv_pm4_header(PM4_WRITE_DATA, 11), 0, SCRATCH_REG0__DW, 0, 1, 2, 3, 4, 5,
	                   6, 7, 8));
	CU_ASSERT(gv_rd32(arena_pf_bus(), SCRATCH_REG0__BYTE) == pfs);
	arena_expect(0);
}

static void the_security_processor_takes_no_commands(void)
{
	arena_begin();
	for (uint32_t command = 0; command < 256; command++) {
		forge_wr(MP0_SMN_C2PMSG_64__BYTE, GV_PUT(PSP_C2PMSG, COMMAND, command));
		forge_wr(MP0_SMN_C2PMSG_101__BYTE, GV_PUT(PSP_C2PMSG, COMMAND, command));
	}
	arena_expect(NAMED_UNKNOWN);
}

ARENA_MAIN("attack/registers", UT(registers_of_the_pf_cannot_be_written_in_any_size),
           UT(registers_of_the_pf_read_zero),
           UT(writing_every_register_that_it_may_changes_nobody_elses),
           UT(addresses_between_registers_lead_nowhere),
           UT(registers_of_the_pf_cannot_be_written_by_packets),
           UT(a_refused_register_raises_the_attackers_own_interrupt),
           UT(registers_of_the_pf_cannot_be_read_by_packets),
           UT(registers_of_the_pf_cannot_be_written_by_sdma),
           UT(registers_of_the_pf_cannot_be_read_by_sdma),
           UT(user_packets_of_sdma_touch_no_register),
           UT(management_packets_are_refused_on_other_queues),
           UT(registers_of_the_pf_are_out_of_range_for_rlcg),
           UT(addresses_out_of_range_are_refused_by_rlcg), UT(rlcg_is_shut_until_the_pf_opens_it),
           UT(registers_of_the_pf_are_not_behind_mm_index), UT(nothing_is_behind_pcie_index2),
           UT(selections_select_only_among_its_own),
           UT(the_pfs_scratch_registers_are_not_the_attackers),
           UT(the_security_processor_takes_no_commands))
