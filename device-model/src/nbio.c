/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NBIO: the mailbox, identity registers, HDP flush, indirect access.
 *
 * Mailbox of one VF, as kept in the VF's own register file:
 *
 *     VF writes                 kept as (VF's view)           PF writes
 *     TRN_DW0..3      ------->  TRN_DW0..3  (PF: RCV_DW)
 *                               RCV_DW0..3  (PF: TRN_DW) <--- TRN_DW0..3
 *     CONTROL byte 0  ------->  TRN_VALID   TRN_ACK      <--- CONTROL byte 1 (RCV_ACK)
 *     CONTROL byte 1  ------->  RCV_ACK     RCV_VALID    <--- CONTROL byte 0 (TRN_VALID)
 *
 * So one side's CONTROL is the other's with the two low bytes exchanged, and RCV words mirror
 * the peer's TRN words at any time, valid or not. MAILBOX_INT_CNTL is an ordinary register of
 * each function: the PF has one for all its VFs, and src_data[0] of its interrupt says which.
 */
#include <string.h>

#include "device.h"

#define CTL(field, x)    GV_PUT(BIF_BX_PF0_MAILBOX_CONTROL, field, x)
#define CTL_OF(v, field) GV_GET(v, BIF_BX_PF0_MAILBOX_CONTROL, field)

/* The VF whose mailbox an access of @f means, NULL when MAILBOX_INDEX names none. */
static struct gv_fn *mailbox_of(struct gv_fn *f)
{
	uint32_t vf;

	if (gv_fn_is_vf(f))
		return f;
	vf = GV_GET(GV_RGET(f, MAILBOX_INDEX), MAILBOX_INDEX, MAILBOX_INDEX);
	if (vf < f->dev->cfg.max_vfs)
		return &f->dev->fn[GV_DEV_VF(vf)];
	gv_guest_error(f, "MAILBOX_INDEX %u names no VF", vf);
	return NULL;
}

static uint32_t swap_view(uint32_t control)
{
	const unsigned half = BIF_BX_PF0_MAILBOX_CONTROL__RCV_MSG_VALID__LO;
	uint32_t low = gv_mask(0, half);

	return (control & low) << half | (control >> half & low);
}

/* The PF's name for a message word of a VF, and the other way round. */
static enum gv_reg peer_word(enum gv_reg reg)
{
	const int apart =
	        GV_REG_BIF_BX_PF0_MAILBOX_MSGBUF_RCV_DW0 - GV_REG_BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW0;

	return (enum gv_reg)((int)reg +
	                     (reg < GV_REG_BIF_BX_PF0_MAILBOX_MSGBUF_RCV_DW0 ? apart : -apart));
}

uint32_t gv_nbio_mbx_read(struct gv_fn *f, enum gv_reg reg)
{
	struct gv_fn *vf = mailbox_of(f);

	if (!vf)
		return 0;
	if (reg == GV_REG_BIF_BX_PF0_MAILBOX_CONTROL) {
		uint32_t v = GV_RGET(vf, BIF_BX_PF0_MAILBOX_CONTROL);

		return gv_fn_is_vf(f) ? v : swap_view(v);
	}
	return gv_reg_get(vf, gv_fn_is_vf(f) ? reg : peer_word(reg), 0);
}

/* Interrupts that the new state of a mailbox causes at @to, one of its two ends. @rcv_valid and
 * @trn_ack: which of its bits rose. */
static void tell(struct gv_fn *to, struct gv_fn *vf, bool rcv_valid, bool trn_ack)
{
	uint32_t en = GV_RGET(to, BIF_BX_PF0_MAILBOX_INT_CNTL);
	bool pf = !gv_fn_is_vf(to);
	struct gv_ih_iv iv;

	if (rcv_valid && GV_GET(en, BIF_BX_PF0_MAILBOX_INT_CNTL, VALID_INT_EN)) {
		iv = gv_ih_iv(GV_IH_CLIENT_BIF,
		              pf ? GV_IH_SRC_BIF_PF_MSGBUF_VALID : GV_IH_SRC_BIF_VF_MSGBUF_VALID, 0,
		              0, GV_HUB_GC);
		iv.dw[4] = pf ? gv_fn_vf(vf) : 0;
		gv_ih_post(to, &iv);
	}
	if (trn_ack && GV_GET(en, BIF_BX_PF0_MAILBOX_INT_CNTL, ACK_INT_EN)) {
		iv = gv_ih_iv(GV_IH_CLIENT_BIF,
		              pf ? GV_IH_SRC_BIF_PF_MSGBUF_ACK : GV_IH_SRC_BIF_VF_MSGBUF_ACK, 0, 0,
		              GV_HUB_GC);
		iv.dw[4] = pf ? gv_fn_vf(vf) : 0;
		gv_ih_post(to, &iv);
	}
}

/* One side's CONTROL after it wrote @val (bits @be): the coupling rules. Both in that side's
 * view. */
static uint32_t couple(uint32_t was, uint32_t val, uint32_t be)
{
	uint32_t rw = gv_reg_info(GV_REG_BIF_BX_PF0_MAILBOX_CONTROL)->rw & be;
	uint32_t now = (was & ~rw) | (val & rw);

	/* Taking the message back takes the peer's ack with it. */
	if (!CTL_OF(now, TRN_MSG_VALID))
		now &= ~CTL(TRN_MSG_ACK, 1);
	/* There is nothing to ack. */
	if (!CTL_OF(now, RCV_MSG_VALID))
		now &= ~CTL(RCV_MSG_ACK, 1);
	return now;
}

static void write_control(struct gv_fn *f, struct gv_fn *vf, uint32_t val, uint32_t be)
{
	struct gv_fn *peer = gv_fn_is_vf(f) ? &f->dev->fn[GV_DEV_PF] : vf;
	uint32_t stored = GV_RGET(vf, BIF_BX_PF0_MAILBOX_CONTROL);
	uint32_t was = gv_fn_is_vf(f) ? stored : swap_view(stored);
	uint32_t now = couple(was, val, be), rose = now & ~was;

	GV_RPUT(vf, BIF_BX_PF0_MAILBOX_CONTROL, gv_fn_is_vf(f) ? now : swap_view(now));
	tell(peer, vf, CTL_OF(rose, TRN_MSG_VALID), CTL_OF(rose, RCV_MSG_ACK));
}

void gv_nbio_mbx_write(struct gv_fn *f, enum gv_reg reg, uint32_t val, uint32_t be)
{
	struct gv_fn *vf = mailbox_of(f);
	enum gv_reg at;

	if (!vf)
		return;
	if (reg == GV_REG_BIF_BX_PF0_MAILBOX_CONTROL) {
		write_control(f, vf, val, be);
		return;
	}
	at = gv_fn_is_vf(f) ? reg : peer_word(reg);
	gv_reg_put(vf, at, 0, (gv_reg_get(vf, at, 0) & ~be) | (val & be));
}

/* ---- MM_INDEX / MM_DATA ------------------------------------------------------- */

/* MM_APER set: frame buffer at MM_INDEX_HI:MM_OFFSET, else the register at MM_OFFSET. */
static bool mm_target(struct gv_fn *f, uint64_t *at)
{
	uint32_t index = GV_RGET(f, MM_INDEX);

	*at = (uint64_t)GV_RGET(f, MM_INDEX_HI) << MM_INDEX__MM_OFFSET__BITS |
	      GV_GET(index, MM_INDEX, MM_OFFSET);
	*at &= ~3ull;
	return GV_GET(index, MM_INDEX, MM_APER);
}

static bool mm_register(struct gv_fn *f, uint64_t at)
{
	if (at < GV_BAR5_BYTES && at != MM_DATA__BYTE)
		return true;
	gv_unimplemented(f, "MM_DATA at 0x%llx", (unsigned long long)at);
	return false;
}

uint32_t gv_nbio_mm_read(struct gv_fn *f)
{
	uint64_t at;
	uint32_t val = 0;

	if (mm_target(f, &at))
		gv_vram_access(f, at, &val, sizeof(val), false);
	else if (mm_register(f, at))
		val = gv_mmio_read32(f, (uint32_t)at, GV_ORIGIN_HOST);
	return val;
}

void gv_nbio_mm_write(struct gv_fn *f, uint32_t val)
{
	uint64_t at;

	if (mm_target(f, &at))
		gv_vram_access(f, at, &val, sizeof(val), true);
	else if (mm_register(f, at))
		gv_mmio_write32(f, (uint32_t)at, val, GV_ORIGIN_HOST);
}

/* ---- identity, flush, SMN -------------------------------------------------------- */

static uint32_t read_memsize(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	(void)i;
	(void)stored;
	return (uint32_t)(gv_vram_fb_bytes(f) / GV_MIB);
}

static uint32_t read_iov_id(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	bool vf = gv_fn_is_vf(f);
	bool on = vf || atomic_load(&f->dev->num_vfs) > 0;

	(void)i;
	(void)stored;
	return GV_PUT(RCC_PF_0_0_RCC_IOV_FUNC_IDENTIFIER, FUNC_IDENTIFIER, vf) |
	       GV_PUT(RCC_PF_0_0_RCC_IOV_FUNC_IDENTIFIER, IOV_ENABLE, on);
}

static uint32_t read_strap0(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	(void)i;
	return stored | GV_PUT(RCC_DEV0_EPF0_STRAP0, STRAP_DEVICE_ID_DEV0_F0,
	                       gv_fn_is_vf(f) ? GV_PCI_DEVICE_VF : GV_PCI_DEVICE_PF);
}

/* Memory is coherent here: every flush is over before anyone can look. */
static uint32_t read_flush_done(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	(void)f;
	(void)i;
	(void)stored;
	return gv_reg_info(GV_REG_BIF_BX_PF0_GPU_HDP_FLUSH_DONE)->rw;
}

/* The register's own cell takes no part: PCIE_INDEX2 says what PCIE_DATA2 is. What lies there is
 * the GPU's, so a VF, whose driver tunes the PCIe core and the memory controllers, changes nothing.
 */
static void wrote_smn(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	int slot = gv_smn_at(GV_RGET(f, PCIE_INDEX2));

	(void)i;
	(void)was;
	GV_RPUT(f, PCIE_DATA2, 0);
	if (slot < 0)
		gv_unimplemented(f, "SMN write 0x%x = 0x%x", GV_RGET(f, PCIE_INDEX2), now);
	else if (!gv_fn_is_vf(f))
		atomic_store(&f->dev->smn[slot], now);
}

static uint32_t read_smn(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	int slot = gv_smn_at(GV_RGET(f, PCIE_INDEX2));

	(void)i;
	(void)stored;
	if (slot >= 0)
		return atomic_load(&f->dev->smn[slot]);
	gv_unimplemented(f, "SMN read 0x%x", GV_RGET(f, PCIE_INDEX2));
	return 0;
}

void gv_nbio_reset_smn(struct gv_dev *dev)
{
	for (int r = 0; r < GV_SMN_COUNT; r++) {
		const struct gv_smn_info *info = gv_smn_info((enum gv_smn)r);

		for (uint32_t k = 0; k < info->count; k++)
			atomic_store(&dev->smn[info->slot + k], info->reset);
	}
}

static void wrote_vmhv(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i;
	if (GV_GET(now & ~was, BIF_BX_PF0_BIF_VMHV_MAILBOX, VMHV_MAILBOX_TRN_MSG_VALID))
		gv_unimplemented(
		        f, "VMHV mailbox message %u",
		        GV_GET(now, BIF_BX_PF0_BIF_VMHV_MAILBOX, VMHV_MAILBOX_TRN_MSG_DATA));
}

static const struct gv_reg_hook rows[] = {
        {GV_REG_RCC_PF_0_0_RCC_CONFIG_MEMSIZE, NULL, read_memsize},
        {GV_REG_RCC_PF_0_0_RCC_IOV_FUNC_IDENTIFIER, NULL, read_iov_id},
        {GV_REG_RCC_DEV0_EPF0_STRAP0, NULL, read_strap0},
        {GV_REG_BIF_BX_PF0_GPU_HDP_FLUSH_DONE, NULL, read_flush_done},
        {GV_REG_PCIE_DATA2, wrote_smn, read_smn},
        {GV_REG_BIF_BX_PF0_BIF_VMHV_MAILBOX, wrote_vmhv, NULL},
};
const struct gv_reg_hooks gv_nbio_hooks = {rows, GV_ARRAY_LEN(rows)};
