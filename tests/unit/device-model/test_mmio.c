/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every register of the table against its columns: who reaches it, which bits, which bank. */
#include "core_rig.h"
#include "ut.h"

#define PATTERN 0x5a5a5a5au

/* What a VF's driver needs while VF_REGWR_EN is closed. */
static const enum gv_reg always_open[] = {
        GV_REG_MM_INDEX,
        GV_REG_MM_INDEX_HI,
        GV_REG_MM_DATA,
        GV_REG_BIF_BX_PF0_MAILBOX_INT_CNTL,
        GV_REG_BIF_BX_PF0_BIF_VMHV_MAILBOX,
        GV_REG_BIF_BX_PF0_GPU_HDP_FLUSH_REQ,
        GV_REG_BIF_BX_PF0_HDP_MEM_COHERENCY_FLUSH_CNTL,
        GV_REG_HDP_READ_CACHE_INVALIDATE,
        GV_REG_VM_INVALIDATE_ENG0_REQ,
        GV_REG_MMHUB_VM_INVALIDATE_ENG0_REQ,
        GV_REG_IH_RB_CNTL,
        GV_REG_IH_RB_CNTL_RING1,
        GV_REG_IH_RB_CNTL_RING2,
        GV_REG_IH_RB_RPTR,
        GV_REG_IH_RB_RPTR_RING1,
        GV_REG_IH_RB_RPTR_RING2,
        GV_REG_IH_RB_WPTR,
        GV_REG_IH_RB_WPTR_RING1,
        GV_REG_IH_RB_WPTR_RING2,
};

static bool is_always_open(enum gv_reg reg)
{
	for (size_t i = 0; i < GV_ARRAY_LEN(always_open); i++)
		if (always_open[i] == reg)
			return true;
	return gv_reg_info(reg)->bank == GV_BANK_MBX;
}

static enum gv_access column(unsigned func, enum gv_reg reg)
{
	return func == GV_DEV_PF ? gv_reg_info(reg)->pf : gv_reg_info(reg)->vf;
}

static uint32_t byte_of(enum gv_reg reg, uint32_t i)
{
	return gv_reg_info(reg)->byte + i * gv_reg_info(reg)->stride;
}

/* So that banked registers have somewhere to be. */
static void select_queue(struct core *c, unsigned func)
{
	gv_reg_put(core_fn(c, func), GV_REG_GRBM_GFX_CNTL, 0, GV_PUT(GRBM_GFX_CNTL, MEID, 1));
}

/* Calls @each for every register and element. */
static void sweep(struct core *c, unsigned func,
                  void (*each)(struct core *c, unsigned func, enum gv_reg reg, uint32_t i))
{
	for (int r = 0; r < GV_REG_COUNT; r++)
		for (uint32_t i = 0; i < gv_reg_info((enum gv_reg)r)->count; i++) {
			select_queue(c, func);
			each(c, func, (enum gv_reg)r, i);
		}
}

/* A write must change nothing and count once. */
static void must_refuse_write(struct core *c, unsigned func, enum gv_reg reg, uint32_t i)
{
	struct gv_fn *f = core_fn(c, func);
	uint64_t before = core_stats(c, func).guest_errors;
	uint32_t was = gv_reg_get(f, reg, i);

	core_wr(c, func, byte_of(reg, i), ~was);
	if (gv_reg_get(f, reg, i) != was || core_stats(c, func).guest_errors != before + 1) {
		fprintf(stderr, "%s of %s\n", gv_reg_info(reg)->name, f->name);
		CU_FAIL("a write that is not allowed did something");
	}
}

static void refuse_hidden(struct core *c, unsigned func, enum gv_reg reg, uint32_t i)
{
	uint64_t before;

	if (column(func, reg) != GV_NONE)
		return;
	gv_reg_put(core_fn(c, func), reg, i, PATTERN);
	before = core_stats(c, func).guest_errors;
	CU_ASSERT_EQUAL(core_rd(c, func, byte_of(reg, i)), 0);
	CU_ASSERT_EQUAL(core_stats(c, func).guest_errors, before + 1);
	must_refuse_write(c, func, reg, i);
	gv_reg_put(core_fn(c, func), reg, i, 0);
}

static void vf_cannot_reach_pf_registers(void)
{
	struct core c;

	core_open(&c);
	core_gates(&c, 0xf);
	sweep(&c, GV_DEV_VF(1), refuse_hidden);
	core_close(&c);
}

static void refuse_read_only(struct core *c, unsigned func, enum gv_reg reg, uint32_t i)
{
	if (column(func, reg) == GV_RO)
		must_refuse_write(c, func, reg, i);
}

static void read_only_registers_ignore_writes(void)
{
	struct core c;

	core_open(&c);
	core_gates(&c, 0xf);
	sweep(&c, GV_DEV_PF, refuse_read_only);
	sweep(&c, GV_DEV_VF(0), refuse_read_only);
	core_close(&c);
}

static void ignore_write(struct core *c, unsigned func, enum gv_reg reg, uint32_t i)
{
	uint64_t before = core_stats(c, func).guest_errors;
	uint32_t was;

	if (column(func, reg) != GV_WI)
		return;
	was = core_rd(c, func, byte_of(reg, i));
	core_wr(c, func, byte_of(reg, i), was);
	CU_ASSERT_EQUAL(core_stats(c, func).guest_errors, before);
	core_wr(c, func, byte_of(reg, i), ~was);
	CU_ASSERT_EQUAL(core_rd(c, func, byte_of(reg, i)), was);
	CU_ASSERT_EQUAL(core_stats(c, func).guest_errors - before,
	                gv_reg_info(reg)->bank == GV_BANK_FN);
}

/* amdgpu writes FB_LOCATION back on a VF; on silicon the host has locked it. */
static void what_a_vf_may_not_change_but_drivers_write_stays(void)
{
	struct core c;

	core_open(&c);
	core_gates(&c, 0xf);
	CU_ASSERT_EQUAL(column(GV_DEV_VF(0), GV_REG_MMHUB_MC_VM_FB_LOCATION_BASE), GV_WI);
	sweep(&c, GV_DEV_VF(0), ignore_write);
	core_close(&c);
}

static void keep_fields(struct core *c, unsigned func, enum gv_reg reg, uint32_t i)
{
	const struct gv_reg_info *info = gv_reg_info(reg);
	struct gv_fn *f = core_fn(c, func);
	uint32_t was = gv_reg_get(f, reg, i), byte = byte_of(reg, i);

	if (column(func, reg) != GV_RW || c->dev->wrote_hook[reg] || c->dev->read_hook[reg] ||
	    info->bank == GV_BANK_MBX || reg == GV_REG_MM_DATA || reg == GV_REG_GRBM_GFX_CNTL)
		return;
	if (reg == GV_REG_GVX_VF_REGWR_EN)
		return;
	for (unsigned round = 0; round < 4; round++) {
		static const uint32_t write[4] = {UINT32_MAX, PATTERN, ~PATTERN, 0};
		uint32_t want =
		        (was & ~info->rw & ~(write[round] & info->w1c)) | (write[round] & info->rw);

		core_wr(c, func, byte, write[round]);
		if (core_rd(c, func, byte) != want) {
			fprintf(stderr, "%s of %s: wrote 0x%x, reads 0x%x, not 0x%x\n", info->name,
			        f->name, write[round], core_rd(c, func, byte), want);
			CU_FAIL("bits that are no fields changed");
		}
		was = want;
	}
}

static void writes_change_the_bits_of_fields_only(void)
{
	struct core c;

	core_open(&c);
	core_gates(&c, 0xf);
	sweep(&c, GV_DEV_PF, keep_fields);
	core_gates(&c, 0xf);
	sweep(&c, GV_DEV_VF(3), keep_fields);
	CU_ASSERT_EQUAL(core_stats(&c, GV_DEV_VF(3)).guest_errors, 0);
	core_close(&c);
}

static void writing_one_clears_and_writing_zero_does_not(void)
{
	struct core c;
	unsigned seen = 0;

	core_open(&c);
	for (int r = 0; r < GV_REG_COUNT; r++) {
		const struct gv_reg_info *info = gv_reg_info((enum gv_reg)r);
		struct gv_fn *pf = core_fn(&c, GV_DEV_PF);

		if (!info->w1c || info->pf != GV_RW)
			continue;
		seen++;
		for (uint32_t i = 0; i < info->count; i++) {
			gv_reg_put(pf, (enum gv_reg)r, i, info->w1c);
			core_wr(&c, GV_DEV_PF, byte_of((enum gv_reg)r, i), 0);
			CU_ASSERT_EQUAL(gv_reg_get(pf, (enum gv_reg)r, i) & info->w1c, info->w1c);
			core_wr(&c, GV_DEV_PF, byte_of((enum gv_reg)r, i), info->w1c);
			CU_ASSERT_EQUAL(gv_reg_get(pf, (enum gv_reg)r, i) & info->w1c, 0);
		}
	}
	CU_ASSERT(seen > 0);
	core_close(&c);
}

static void unknown_registers_read_zero_and_are_counted(void)
{
	struct core c;
	uint64_t holes = 0;

	core_open(&c);
	core_gates(&c, 0xf);
	for (uint32_t byte = 0; byte < GV_BAR5_BYTES; byte += 4) {
		if (gv_reg_at(byte, NULL) >= 0 || gv_pci_in_msix(byte))
			continue;
		if (core_rd(&c, GV_DEV_VF(2), byte))
			CU_FAIL("something is there");
		core_wr(&c, GV_DEV_VF(2), byte, 1);
		holes++;
	}
	CU_ASSERT(holes > 100000);
	CU_ASSERT_EQUAL(core_stats(&c, GV_DEV_VF(2)).unimplemented, 2 * holes);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, GVX_UNIMPLEMENTED__BYTE), 2 * holes);
	CU_ASSERT_EQUAL(core_stats(&c, GV_DEV_VF(2)).guest_errors, 0);
	core_close(&c);
}

/* ---- banks ---------------------------------------------------------------------- */

static void each_function_has_registers_of_its_own(void)
{
	struct core c;

	core_open(&c);
	core_gates(&c, 0xf);
	for (unsigned f = 0; f <= CORE_VFS; f++)
		core_wr(&c, f, INTERRUPT_CNTL2__BYTE, 100 + f);
	for (unsigned f = 0; f <= CORE_VFS; f++)
		CU_ASSERT_EQUAL(core_rd(&c, f, INTERRUPT_CNTL2__BYTE), 100 + f);
	/* one for the whole GPU: the PF writes, VFs see it */
	core_wr(&c, GV_DEV_PF, BIF_SDMA0_DOORBELL_RANGE__BYTE,
	        GV_PUT(BIF_SDMA0_DOORBELL_RANGE, OFFSET, 0x78));
	for (unsigned f = 0; f <= CORE_VFS; f++)
		CU_ASSERT_EQUAL(GV_GET(core_rd(&c, f, BIF_SDMA0_DOORBELL_RANGE__BYTE),
		                       BIF_SDMA0_DOORBELL_RANGE, OFFSET),
		                0x78);
	core_close(&c);
}

static void every_queue_slot_has_its_bank(void)
{
	struct core c;
	unsigned vf = GV_DEV_VF(0);

	core_open(&c);
	core_gates(&c, 1);
	for (unsigned round = 0; round < 2; round++)
		for (unsigned me = 0; me < 4; me++)
			for (unsigned pq = 0; pq < 32; pq++) {
				uint32_t val = me == 0 || me == 3 ? 0 : 1000 + me * 32 + pq;

				core_wr(&c, vf, GRBM_GFX_CNTL__BYTE,
				        GV_PUT(GRBM_GFX_CNTL, MEID, me) |
				                GV_PUT(GRBM_GFX_CNTL, PIPEID, pq / 8) |
				                GV_PUT(GRBM_GFX_CNTL, QUEUEID, pq % 8));
				if (round == 0)
					core_wr(&c, vf, CP_HQD_PQ_BASE__BYTE, 1000 + me * 32 + pq);
				else
					CU_ASSERT_EQUAL(core_rd(&c, vf, CP_HQD_PQ_BASE__BYTE), val);
				if (round == 1 && val)
					CU_ASSERT_EQUAL(gv_hqd_get(core_fn(&c, vf),
					                           (me - 1) * 32 + pq,
					                           GV_REG_CP_HQD_PQ_BASE),
					                val);
			}
	CU_ASSERT_EQUAL(core_stats(&c, vf).guest_errors, 64); /* ME 0 and 3 have no queues */
	core_close(&c);
}

static void every_vmid_has_its_bank(void)
{
	struct core c;

	core_open(&c);
	for (unsigned vmid = 0; vmid < GV_NUM_VMID; vmid++) {
		core_wr(&c, GV_DEV_PF, GRBM_GFX_CNTL__BYTE, GV_PUT(GRBM_GFX_CNTL, VMID, vmid));
		core_wr(&c, GV_DEV_PF, SH_MEM_BASES__BYTE, vmid << 16 | (vmid + 1));
	}
	for (unsigned vmid = 0; vmid < GV_NUM_VMID; vmid++) {
		CU_ASSERT_EQUAL(gv_vmid_get(core_fn(&c, GV_DEV_PF), vmid, GV_REG_SH_MEM_BASES),
		                vmid << 16 | (vmid + 1));
		CU_ASSERT_EQUAL(gv_vmid_get(core_fn(&c, GV_DEV_VF(0)), vmid, GV_REG_SH_MEM_BASES),
		                gv_reg_info(GV_REG_SH_MEM_BASES)->reset);
	}
	core_close(&c);
}

/* ---- sizes -------------------------------------------------------------------------- */

static void bytes_and_words_are_merged(void)
{
	struct core c;
	struct gv_bus *pf;
	uint64_t two;
	uint16_t word = 0xbeef;

	core_open(&c);
	pf = c.bus[GV_DEV_PF];
	core_wr(&c, GV_DEV_PF, INTERRUPT_CNTL2__BYTE, 0x11223344);
	gv_wr8(pf, INTERRUPT_CNTL2__BYTE + 1, 0xaa);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, INTERRUPT_CNTL2__BYTE), 0x1122aa44);
	CU_ASSERT_EQUAL(gv_bus_write(pf, GV_REGION_MMIO, INTERRUPT_CNTL2__BYTE + 2, &word, 2), 0);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, INTERRUPT_CNTL2__BYTE), 0xbeefaa44);
	CU_ASSERT_EQUAL(gv_rd8(pf, INTERRUPT_CNTL2__BYTE + 3), 0xbe);
	/* two registers at once, and across a dword boundary */
	two = 0x99887766ull << 32 | 0x55443322;
	CU_ASSERT_EQUAL(gv_bus_write(pf, GV_REGION_MMIO, PCIE_INDEX2__BYTE - 4, &two, 8), 0);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, PCIE_INDEX2__BYTE), 0x99887766);
	word = 0;
	CU_ASSERT_EQUAL(gv_bus_read(pf, GV_REGION_MMIO, INTERRUPT_CNTL2__BYTE - 1, &word, 2), 0);
	CU_ASSERT_EQUAL(word, 0x4400);
	core_close(&c);
}

static void accesses_outside_the_bar_are_refused(void)
{
	struct core c;
	static const uint64_t off[] = {GV_BAR5_BYTES, GV_BAR5_BYTES - 2, UINT64_MAX, UINT64_MAX - 3,
	                               1ull << 32};
	uint8_t buf[8] = {0};

	core_open(&c);
	for (size_t i = 0; i < GV_ARRAY_LEN(off); i++) {
		CU_ASSERT_EQUAL(gv_dev_read(c.dev, 0, GV_REGION_MMIO, off[i], buf, 4), -ERANGE);
		CU_ASSERT_EQUAL(gv_dev_write(c.dev, 0, GV_REGION_MMIO, off[i], buf, 4), -ERANGE);
		CU_ASSERT_EQUAL(gv_mmio_access(core_fn(&c, 0), off[i], buf, 8, false), -ERANGE);
	}
	CU_ASSERT_EQUAL(gv_dev_read(c.dev, 0, GV_REGION_MMIO, GV_BAR5_BYTES - 4, buf, 4), 0);
	core_close(&c);
}

/* ---- indirect --------------------------------------------------------------------------- */

static uint32_t mm_rd(struct core *c, unsigned func, uint32_t byte)
{
	core_wr(c, func, MM_INDEX__BYTE, byte);
	return core_rd(c, func, MM_DATA__BYTE);
}

static void mm_index_leads_to_registers_through_the_same_checks(void)
{
	struct core c;
	unsigned vf = GV_DEV_VF(0);
	uint64_t errors;

	core_open(&c);
	core_gates(&c, 1);
	core_wr(&c, vf, MM_INDEX__BYTE, INTERRUPT_CNTL2__BYTE);
	core_wr(&c, vf, MM_DATA__BYTE, 0xfeed);
	CU_ASSERT_EQUAL(core_rd(&c, vf, INTERRUPT_CNTL2__BYTE), 0xfeed);
	CU_ASSERT_EQUAL(mm_rd(&c, vf, INTERRUPT_CNTL2__BYTE), 0xfeed);
	CU_ASSERT_EQUAL(mm_rd(&c, GV_DEV_PF, GVX_MAGIC__BYTE),
	                gv_reg_info(GV_REG_GVX_MAGIC)->reset);
	errors = core_stats(&c, vf).guest_errors;
	CU_ASSERT_EQUAL(mm_rd(&c, vf, GVX_MAGIC__BYTE), 0);
	CU_ASSERT_EQUAL(core_stats(&c, vf).guest_errors, errors + 1);
	/* the gate counts behind MM_DATA as well, though MM_DATA itself is open */
	core_gates(&c, 0);
	core_wr(&c, vf, MM_INDEX__BYTE, INTERRUPT_CNTL2__BYTE);
	core_wr(&c, vf, MM_DATA__BYTE, 0xdead);
	CU_ASSERT_EQUAL(core_rd(&c, vf, INTERRUPT_CNTL2__BYTE), 0xfeed);
	core_close(&c);
}

static void mm_data_that_names_itself_or_nothing_is_counted(void)
{
	struct core c;
	static const uint32_t at[] = {MM_DATA__BYTE, MM_DATA__BYTE + 3, GV_BAR5_BYTES, 0x7ffffffc};
	uint64_t before;

	core_open(&c);
	before = core_stats(&c, GV_DEV_PF).unimplemented;
	for (size_t i = 0; i < GV_ARRAY_LEN(at); i++) {
		CU_ASSERT_EQUAL(mm_rd(&c, GV_DEV_PF, at[i]), 0);
		core_wr(&c, GV_DEV_PF, MM_DATA__BYTE, 1);
	}
	CU_ASSERT_EQUAL(core_stats(&c, GV_DEV_PF).unimplemented, before + 2 * GV_ARRAY_LEN(at));
	core_close(&c);
}

static void mm_index_reaches_the_frame_buffer(void)
{
	struct core c;
	uint32_t val = 0xc0ffee, got = 0;

	core_open(&c);
	core_wr(&c, GV_DEV_PF, MM_INDEX_HI__BYTE, 0);
	core_wr(&c, GV_DEV_PF, MM_INDEX__BYTE, GV_PUT(MM_INDEX, MM_APER, 1) | 0x1000);
	core_wr(&c, GV_DEV_PF, MM_DATA__BYTE, val);
	CU_ASSERT_EQUAL(gv_bus_read(c.bus[0], GV_REGION_VRAM, 0x1000, &got, 4), 0);
	CU_ASSERT_EQUAL(got, val);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, MM_DATA__BYTE), val);
	/* far outside: all ones, and a VF behind a closed gate sees nothing either */
	core_wr(&c, GV_DEV_PF, MM_INDEX_HI__BYTE, 0xffffffff);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, MM_DATA__BYTE), UINT32_MAX);
	core_wr(&c, GV_DEV_VF(0), MM_INDEX__BYTE, GV_PUT(MM_INDEX, MM_APER, 1) | 0x1000);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_VF(0), MM_DATA__BYTE), UINT32_MAX);
	core_close(&c);
}

static uint32_t smn_rd(struct core *c, unsigned func, uint32_t address)
{
	core_wr(c, func, PCIE_INDEX2__BYTE, address);
	return core_rd(c, func, PCIE_DATA2__BYTE);
}

static void smn_registers_are_the_gpus(void)
{
	struct core c;
	uint32_t last = gv_smn_info(GV_SMN_UMC_CHANNEL_CNTL_12)->address + 3 * 0x2000;
	uint64_t before;

	core_open(&c);
	core_gates(&c, 0xf);
	before = core_stats(&c, GV_DEV_VF(1)).unimplemented;
	CU_ASSERT_EQUAL(smn_rd(&c, GV_DEV_PF, last), 0);
	core_wr(&c, GV_DEV_PF, PCIE_DATA2__BYTE, 0x1002);
	CU_ASSERT_EQUAL(smn_rd(&c, GV_DEV_PF, last - 0x2000), 0);
	CU_ASSERT_EQUAL(smn_rd(&c, GV_DEV_VF(1), last), 0x1002);
	core_wr(&c, GV_DEV_VF(1), PCIE_DATA2__BYTE, 7);
	CU_ASSERT_EQUAL(smn_rd(&c, GV_DEV_PF, last), 0x1002);
	CU_ASSERT_EQUAL(core_stats(&c, GV_DEV_VF(1)).unimplemented, before);
	CU_ASSERT_EQUAL(core_stats(&c, GV_DEV_VF(1)).guest_errors, 0);
	CU_ASSERT_EQUAL(gv_dev_reset(c.dev, GV_DEV_PF), 0);
	CU_ASSERT_EQUAL(smn_rd(&c, GV_DEV_PF, last), 0);
	core_close(&c);
}

static void smn_accesses_are_counted_and_read_zero(void)
{
	struct core c;
	uint64_t before;

	core_open(&c);
	before = core_stats(&c, GV_DEV_PF).unimplemented;
	core_wr(&c, GV_DEV_PF, PCIE_INDEX2__BYTE, 0x12345678);
	core_wr(&c, GV_DEV_PF, PCIE_DATA2__BYTE, 7);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, PCIE_DATA2__BYTE), 0);
	CU_ASSERT_EQUAL(core_stats(&c, GV_DEV_PF).unimplemented, before + 2);
	core_close(&c);
}

/* ---- gates -------------------------------------------------------------------------------- */

static void refuse_gated(struct core *c, unsigned func, enum gv_reg reg, uint32_t i)
{
	if (column(func, reg) == GV_RW && !is_always_open(reg))
		must_refuse_write(c, func, reg, i);
}

static void a_closed_gate_stops_writes_but_those_of_run_time(void)
{
	struct core c;
	unsigned vf = GV_DEV_VF(1);
	uint64_t errors;

	core_open(&c);
	core_gates(&c, 0xf & ~2u);
	sweep(&c, vf, refuse_gated);
	errors = core_stats(&c, vf).guest_errors;
	for (size_t i = 0; i < GV_ARRAY_LEN(always_open); i++)
		core_wr(&c, vf, gv_reg_info(always_open[i])->byte, 0);
	for (uint32_t b = BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW0__BYTE;
	     b <= BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW3__BYTE; b += 4)
		core_wr(&c, vf, b, 0);
	gv_wr8(c.bus[vf], BIF_BX_PF0_MAILBOX_CONTROL__BYTE, 0);
	CU_ASSERT_EQUAL(core_stats(&c, vf).guest_errors, errors);
	core_close(&c);
}

static void the_gate_does_not_stop_the_engines_of_a_vf(void)
{
	struct core c;
	struct gv_fn *vf;

	core_open(&c);
	vf = core_fn(&c, GV_DEV_VF(0));
	gv_mmio_write32(vf, INTERRUPT_CNTL2__BYTE, 5, GV_ORIGIN_ENGINE);
	CU_ASSERT_EQUAL(gv_mmio_read32(vf, INTERRUPT_CNTL2__BYTE, GV_ORIGIN_ENGINE), 5);
	/* but columns count for them */
	gv_mmio_write32(vf, GVX_VF_REGWR_EN__BYTE, 1, GV_ORIGIN_ENGINE);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, GVX_VF_REGWR_EN__BYTE), 0);
	CU_ASSERT_EQUAL(core_stats(&c, GV_DEV_VF(0)).guest_errors, 1);
	gv_mmio_write32(vf, MM_DATA__BYTE, 1, GV_ORIGIN_ENGINE);
	CU_ASSERT_EQUAL(gv_mmio_read32(vf, MM_DATA__BYTE, GV_ORIGIN_ENGINE), 0);
	CU_ASSERT_EQUAL(core_stats(&c, GV_DEV_VF(0)).unimplemented, 2);
	core_close(&c);
}

static void reset_restores_every_register_of_the_function(void)
{
	struct core c;
	struct gv_fn *vf;
	uint32_t *fresh;

	core_open(&c);
	vf = core_fn(&c, GV_DEV_VF(0));
	fresh = calloc(gv_reg_slots(), sizeof(*fresh));
	core_must(fresh != NULL, "memory");
	for (uint32_t s = 0; s < gv_reg_slots(); s++)
		fresh[s] = atomic_load(&vf->reg[s]);
	for (uint32_t s = 0; s < gv_reg_slots(); s++)
		atomic_store(&vf->reg[s], PATTERN);
	gv_hqd_put(vf, 63, GV_REG_CP_HQD_PQ_BASE, PATTERN);
	CU_ASSERT_EQUAL(gv_dev_reset(c.dev, GV_DEV_VF(0)), 0);
	for (int r = 0; r < GV_REG_COUNT; r++) {
		const struct gv_reg_info *info = gv_reg_info((enum gv_reg)r);

		if (info->bank != GV_BANK_FN && info->bank != GV_BANK_MBX)
			continue;
		for (uint32_t s = info->slot; s < info->slot + info->count; s++)
			CU_ASSERT_EQUAL(atomic_load(&vf->reg[s]), fresh[s]);
	}
	CU_ASSERT_EQUAL(gv_hqd_get(vf, 63, GV_REG_CP_HQD_PQ_BASE),
	                gv_reg_info(GV_REG_CP_HQD_PQ_BASE)->reset);
	free(fresh);
	core_close(&c);
}

UT_MAIN("mmio", UT(vf_cannot_reach_pf_registers), UT(read_only_registers_ignore_writes),
        UT(writes_change_the_bits_of_fields_only), UT(writing_one_clears_and_writing_zero_does_not),
        UT(unknown_registers_read_zero_and_are_counted), UT(each_function_has_registers_of_its_own),
        UT(every_queue_slot_has_its_bank), UT(every_vmid_has_its_bank),
        UT(bytes_and_words_are_merged), UT(accesses_outside_the_bar_are_refused),
        UT(mm_index_leads_to_registers_through_the_same_checks),
        UT(mm_data_that_names_itself_or_nothing_is_counted), UT(mm_index_reaches_the_frame_buffer),
        UT(what_a_vf_may_not_change_but_drivers_write_stays), UT(smn_registers_are_the_gpus),
        UT(smn_accesses_are_counted_and_read_zero),
        UT(a_closed_gate_stops_writes_but_those_of_run_time),
        UT(the_gate_does_not_stop_the_engines_of_a_vf),
        UT(reset_restores_every_register_of_the_function))
