/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which way to a register: directly or through RLC-G in exclusive access, through the KIQ
 * afterwards. Some registers are always reached directly.
 */
#include "guest.h"

/* SCRATCH_REG1 of the RLC-G interface (amdgpu_virt.c, Linux 6.1): register dword address in
 * 19:0, error bits, command in 31:28. */
enum {
	RLCG_REG1__ADDR__LO = 0,
	RLCG_REG1__ADDR__BITS = 20,
	RLCG_REG1__ERROR__LO = 24,
	RLCG_REG1__ERROR__BITS = 4,
	RLCG_REG1__COMMAND__LO = 28,
	RLCG_REG1__COMMAND__BITS = 4,
	RLCG_GC_WRITE = 0,
	RLCG_GC_READ = 1,
	RLCG_MMHUB_WRITE = 2,
	RLCG_LEGACY_WRITE = 8,
};

/* Reached directly at all times: no queue is needed for the mailbox or for interrupts. */
static bool always_direct(uint32_t byte)
{
	static const struct {
		uint32_t first, last;
	} rows[] = {
	        {BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW0__BYTE, BIF_BX_PF0_MAILBOX_INT_CNTL__BYTE},
	        {BIF_BX_PF0_HDP_MEM_COHERENCY_FLUSH_CNTL__BYTE,
	         BIF_BX_PF0_HDP_MEM_COHERENCY_FLUSH_CNTL__BYTE},
	        {IH_RB_CNTL__BYTE, IH_RB_CNTL__BYTE},
	        {IH_RB_RPTR__BYTE, IH_RB_WPTR__BYTE},
	        {MM_INDEX__BYTE, MM_DATA__BYTE},
	        {MM_INDEX_HI__BYTE, MM_INDEX_HI__BYTE},
	        {RCC_PF_0_0_RCC_CONFIG_MEMSIZE__BYTE, RCC_PF_0_0_RCC_IOV_FUNC_IDENTIFIER__BYTE},
	};

	for (size_t i = 0; i < GV_ARRAY_LEN(rows); i++) {
		if (byte >= rows[i].first && byte <= rows[i].last)
			return true;
	}
	return false;
}

static enum gv_block block_of(uint32_t byte)
{
	int reg = gv_reg_at(byte, NULL);

	return reg < 0 ? GV_BLOCK_NBIO : gv_reg_info((enum gv_reg)reg)->block;
}

/* RLC-G for this register? *@command: which. */
static bool by_rlcg(struct gv_guest *g, uint32_t byte, bool write, unsigned *command)
{
	uint32_t flags = g->pf2vf.reg_access_flags;
	bool gc = flags & GV_MBOX_REG_ACCESS_GC;

	/* the registers of the interface itself */
	if ((byte >= SCRATCH_REG0__BYTE && byte <= SCRATCH_REG3__BYTE) ||
	    byte == RLC_SPARE_INT__BYTE)
		return false;
	switch (block_of(byte)) {
	case GV_BLOCK_GC:
		*command = write ? (gc ? RLCG_GC_WRITE : RLCG_LEGACY_WRITE) : RLCG_GC_READ;
		return write ? gc || g->cfg.force_rlcg : gc;
	case GV_BLOCK_MMHUB:
		*command = RLCG_MMHUB_WRITE;
		return write && (flags & GV_MBOX_REG_ACCESS_MMHUB);
	default:
		return false;
	}
}

static int rlcg(struct gv_guest *g, unsigned command, uint32_t byte, uint32_t *val,
                struct gv_err *err)
{
	uint32_t last = 0, addr = gv_mask(RLCG_REG1__ADDR__LO, RLCG_REG1__ADDR__BITS);
	int rc;

	/* the selectors are mirrored, so that the RLC can restore them, and written directly */
	if (byte == GRBM_GFX_CNTL__BYTE || byte == GRBM_GFX_INDEX__BYTE) {
		gv_wr32(g->bus,
		        byte == GRBM_GFX_CNTL__BYTE ? SCRATCH_REG2__BYTE : SCRATCH_REG3__BYTE,
		        *val);
		gv_wr32(g->bus, byte, *val);
		return 0;
	}
	gv_wr32(g->bus, SCRATCH_REG0__BYTE, *val);
	gv_wr32(g->bus, SCRATCH_REG1__BYTE,
	        GV_PUT(RLCG_REG1, ADDR, byte / 4) | GV_PUT(RLCG_REG1, COMMAND, command));
	gv_wr32(g->bus, RLC_SPARE_INT__BYTE, GV_PUT(RLC_SPARE_INT, INTERRUPT, 1));
	rc = gv_wait32(g->bus, SCRATCH_REG1__BYTE, addr, 0, GV_REG_TIMEOUT_NS, &last);
	if (rc || GV_GET(last, RLCG_REG1, ERROR)) {
		char name[96];

		gv_reg_format(name, sizeof(name), byte, *val);
		return gv_fail(err, rc ? rc : -EIO, "RLC-G: %s: SCRATCH_REG1 is 0x%x", name, last);
	}
	*val = gv_rd32(g->bus, SCRATCH_REG0__BYTE);
	return 0;
}

int gv_reg_wr(struct gv_guest *g, uint32_t byte, uint32_t val, struct gv_err *err)
{
	unsigned command = 0;

	if (g->runtime && !always_direct(byte))
		return gv_kiq_wreg(g, byte, val, err);
	if (!g->runtime && by_rlcg(g, byte, true, &command))
		return rlcg(g, command, byte, &val, err);
	gv_wr32(g->bus, byte, val);
	return 0;
}

int gv_reg_rd(struct gv_guest *g, uint32_t byte, uint32_t *val, struct gv_err *err)
{
	unsigned command = 0;
	uint32_t v = 0;
	int rc;

	if (g->runtime && !always_direct(byte))
		return gv_kiq_rreg(g, byte, val, err);
	if (!g->runtime && by_rlcg(g, byte, false, &command)) {
		rc = rlcg(g, command, byte, &v, err);
		if (!rc)
			*val = v;
		return rc;
	}
	*val = gv_rd32(g->bus, byte);
	rc = gv_bus_status(g->bus);
	return rc ? gv_fail(err, rc, "the device is lost") : 0;
}

int gv_grbm_select(struct gv_guest *g, unsigned me, unsigned pipe, unsigned queue, unsigned vmid,
                   struct gv_err *err)
{
	return gv_reg_wr(g, GRBM_GFX_CNTL__BYTE,
	                 GV_PUT(GRBM_GFX_CNTL, MEID, me) | GV_PUT(GRBM_GFX_CNTL, PIPEID, pipe) |
	                         GV_PUT(GRBM_GFX_CNTL, QUEUEID, queue) |
	                         GV_PUT(GRBM_GFX_CNTL, VMID, vmid),
	                 err);
}

int gv_reg_wr_list(struct gv_guest *g, const struct gv_regval *list, size_t count,
                   struct gv_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++)
		rc = gv_reg_wr(g, list[i].byte, list[i].val, err);
	return rc;
}

int gv_guest_rreg(struct gv_guest *g, uint32_t byte, uint32_t *val, struct gv_err *err)
{
	return gv_reg_rd(g, byte, val, err);
}

int gv_guest_wreg(struct gv_guest *g, uint32_t byte, uint32_t val, struct gv_err *err)
{
	return gv_reg_wr(g, byte, val, err);
}
