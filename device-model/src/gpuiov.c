/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GPUIOV: AMD's vendor-specific capability of the PF (hw-spec, gpuiov.def)
 * and the registers that mirror it.
 *
 * What the GFX scheduler block shows is kept in its registers, the capability
 * is brought up to date when it is read. Its commands are world.c's. There is
 * no video engine: its blocks answer "unsupported".
 */
#include <linux/pci_regs.h>
#include <string.h>

#include "device.h"

static void set32(uint8_t *at, uint32_t val)
{
	memcpy(at, &val, sizeof(val));
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t val;

	memcpy(&val, at, sizeof(val));
	return val;
}

/* The three scheduler blocks: their first dword, as OFFSETS names them in units of 16 bytes. */
static const unsigned sched[] = {GIOV_UVDSCH_DW0__OFF, GIOV_VCESCH_DW0__OFF, GIOV_GFXSCH_DW0__OFF};
#define SCHED_DW(n)       (4 * (n))
#define SCHED_DWORDS      (1 + (GIOV_GFXSCH_DW8__OFF - GIOV_GFXSCH_DW0__OFF) / 4)
#define SCHED_OFFSET_UNIT 16

/* The GFX scheduler's, dword by dword; what it takes is what the others take. */
static const enum gv_reg mirror[] = {
        GV_REG_RLC_GPU_IOV_SCH_BLOCK, GV_REG_RLC_GPU_IOV_CFG_REG1,
        GV_REG_RLC_GPU_IOV_CFG_REG2,  GV_REG_RLC_GPU_IOV_VM_BUSY_STATUS,
        GV_REG_RLC_GPU_IOV_SCH_0,     GV_REG_RLC_GPU_IOV_ACTIVE_FCN_ID,
        GV_REG_RLC_GPU_IOV_SCH_3,     GV_REG_RLC_GPU_IOV_SCH_1,
        GV_REG_RLC_GPU_IOV_SCH_2,
};

/* Command, active functions, time quanta: the rest only shows something. */
static void fill_sched(uint8_t *cap, uint8_t *rw, unsigned at, unsigned id)
{
	static const unsigned writable[] = {1, 4, 6, 7, 8};

	set32(cap + at, GV_PUT(RLC_GPU_IOV_SCH_BLOCK, Sch_Block_ID, id) |
	                        GV_PUT(RLC_GPU_IOV_SCH_BLOCK, Sch_Block_Ver, 1) |
	                        GV_PUT(RLC_GPU_IOV_SCH_BLOCK, Sch_Block_Size, SCHED_DWORDS * 4));
	for (size_t k = 0; k < GV_ARRAY_LEN(writable); k++)
		set32(rw + at + SCHED_DW(writable[k]), UINT32_MAX);
}

void gv_gpuiov_fill(struct gv_dev *dev, uint8_t *cap, uint8_t *rw, uint8_t *w1c)
{
	static const unsigned writable[] = {GIOV_INTR_ENABLE__OFF, GIOV_HVVM_MBOX_DW0__OFF,
	                                    GIOV_CONTEXT__OFF};
	uint64_t total = GV_MIN(dev->cfg.vram_mib, (uint64_t)UINT16_MAX);

	set32(cap + GIOV_ENH_CAP_LIST__OFF, GV_PUT(GIOV_ENH_CAP_LIST, CAP_ID, PCI_EXT_CAP_ID_VNDR) |
	                                            GV_PUT(GIOV_ENH_CAP_LIST, CAP_VER, 1));
	set32(cap + GIOV_HDR__OFF, GV_PUT(GIOV_HDR, VSEC_ID, GV_VSEC_GPUIOV) |
	                                   GV_PUT(GIOV_HDR, VSEC_REV, 1) |
	                                   GV_PUT(GIOV_HDR, VSEC_LENGTH, GIOV_BYTES));
	for (size_t k = 0; k < GV_ARRAY_LEN(writable); k++)
		set32(rw + writable[k], UINT32_MAX);
	set32(w1c + GIOV_INTR_STATUS__OFF, UINT32_MAX);
	set32(rw + GIOV_RESET_CONTROL__OFF, GV_PUT(GIOV_RESET_CONTROL, SOFT_PF_FLR, 1));
	set32(cap + GIOV_TOTAL_FB__OFF, GV_PUT(GIOV_TOTAL_FB, TOTAL_FB_AVAILABLE, total));
	set32(rw + GIOV_TOTAL_FB__OFF, GV_PUT(GIOV_TOTAL_FB, TOTAL_FB_CONSUMED, UINT16_MAX));
	set32(cap + GIOV_OFFSETS__OFF,
	      GV_PUT(GIOV_OFFSETS, UVDSCH_OFFSET, GIOV_UVDSCH_DW0__OFF / SCHED_OFFSET_UNIT) |
	              GV_PUT(GIOV_OFFSETS, VCESCH_OFFSET,
	                     GIOV_VCESCH_DW0__OFF / SCHED_OFFSET_UNIT) |
	              GV_PUT(GIOV_OFFSETS, GFXSCH_OFFSET,
	                     GIOV_GFXSCH_DW0__OFF / SCHED_OFFSET_UNIT));
	for (unsigned n = 0; n < dev->cfg.max_vfs; n++)
		set32(rw + GV_GIOV_VF_FB(n), UINT32_MAX);
	for (unsigned k = 0; k < GV_ARRAY_LEN(sched); k++)
		fill_sched(cap, rw, sched[k], k);
	GV_RPUT(&dev->fn[GV_DEV_PF], RLC_GPU_IOV_SCH_BLOCK, get32(cap + GIOV_GFXSCH_DW0__OFF));
	gv_world_set_intr(dev, 0, 0);
}

void gv_gpuiov_refresh(struct gv_dev *dev, uint8_t *cap)
{
	struct gv_fn *pf = &dev->fn[GV_DEV_PF];
	unsigned vfs = atomic_load(&dev->num_vfs);

	set32(cap + GIOV_SRIOV_SHADOW__OFF,
	      GV_PUT(GIOV_SRIOV_SHADOW, VF_EN, vfs > 0) | GV_PUT(GIOV_SRIOV_SHADOW, VF_NUM, vfs));
	for (unsigned n = 0; n < dev->cfg.max_vfs; n++)
		set32(cap + GV_GIOV_VF_FB(n), gv_reg_get(pf, GV_REG_MC_VM_FB_SIZE_OFFSET_VF0, n));
	set32(cap + GIOV_INTR_ENABLE__OFF, gv_world_intr_enable(dev));
	set32(cap + GIOV_INTR_STATUS__OFF, gv_world_intr_status(dev));
	set32(cap + GIOV_CONTEXT__OFF, GV_RGET(pf, RLC_GPU_IOV_CFG_REG6));
	GV_RPUT(pf, RLC_GPU_IOV_VM_BUSY_STATUS, gv_world_busy(dev));
	for (unsigned k = 0; k < GV_ARRAY_LEN(mirror); k++)
		set32(cap + GIOV_GFXSCH_DW0__OFF + SCHED_DW(k), gv_reg_get(pf, mirror[k], 0));
}

/* ---- writes: under dev->lock --------------------------------------------------- */

static bool covers(unsigned off, size_t n, unsigned at)
{
	return off < at + 4 && off + n > at;
}

static void refuse(struct gv_fn *pf, uint32_t word, uint32_t *now, uint32_t *status)
{
	gv_unimplemented(pf, "world switch command %u for function 0x%x",
	                 GV_GET(word, RLC_GPU_IOV_CFG_REG1, CMD_TYPE),
	                 GV_GET(word, RLC_GPU_IOV_CFG_REG1, FCN_ID));
	*now = GV_SET(word, RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE, 0);
	*status = GV_GIOV_UNSUPPORTED;
}

/* To the video schedulers. */
static void refuse_commands(struct gv_fn *pf, uint8_t *cap, unsigned off, size_t n)
{
	for (size_t k = 0; k < GV_ARRAY_LEN(sched); k++) {
		uint8_t *at = cap + sched[k];
		uint32_t word = get32(at + SCHED_DW(1)), status = 0;

		if (sched[k] == GIOV_GFXSCH_DW0__OFF || !covers(off, n, sched[k] + SCHED_DW(1)) ||
		    !GV_GET(word, RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE))
			continue;
		refuse(pf, word, &word, &status);
		set32(at + SCHED_DW(1), word);
		set32(at + SCHED_DW(2), status);
	}
}

/* To the GFX scheduler, one at a time: what is written while one executes is lost. */
static void take_command(struct gv_fn *pf, uint32_t was, uint32_t word)
{
	uint32_t status = GV_RGET(pf, RLC_GPU_IOV_CFG_REG2);
	bool taken = false;

	if (GV_GET(was, RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE)) {
		gv_guest_error(pf, "GPUIOV command 0x%08x while 0x%08x executes", word, was);
		word = was;
		taken = true;
	} else if (GV_GET(word, RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE)) {
		status = GV_GIOV_DONE;
		taken = gv_world_takes(word);
		if (!taken)
			refuse(pf, word, &word, &status);
	}
	GV_RPUT(pf, RLC_GPU_IOV_CFG_REG1, word);
	GV_RPUT(pf, RLC_GPU_IOV_CFG_REG2, status);
	if (taken)
		gv_world_give(pf->dev, word);
}

static void write_gfx(struct gv_fn *pf, const uint8_t *cap, unsigned off, size_t n)
{
	for (unsigned k = 0; k < GV_ARRAY_LEN(mirror); k++) {
		unsigned at = GIOV_GFXSCH_DW0__OFF + SCHED_DW(k);

		if (!covers(off, n, at))
			continue;
		if (mirror[k] == GV_REG_RLC_GPU_IOV_CFG_REG1)
			take_command(pf, GV_RGET(pf, RLC_GPU_IOV_CFG_REG1), get32(cap + at));
		else
			gv_reg_put(pf, mirror[k], 0, get32(cap + at));
	}
}

static void mirror_fb(struct gv_fn *pf, unsigned vf, uint32_t val)
{
	gv_reg_put(pf, GV_REG_MC_VM_FB_SIZE_OFFSET_VF0, vf, val);
	gv_reg_put(pf, GV_REG_MMHUB_MC_VM_FB_SIZE_OFFSET_VF0, vf, val);
}

bool gv_gpuiov_wrote(struct gv_dev *dev, uint8_t *cap, unsigned off, size_t n)
{
	struct gv_fn *pf = &dev->fn[GV_DEV_PF];
	uint32_t reset = get32(cap + GIOV_RESET_CONTROL__OFF);

	for (unsigned k = 0; k < dev->cfg.max_vfs; k++)
		if (covers(off, n, GV_GIOV_VF_FB(k)))
			mirror_fb(pf, k, get32(cap + GV_GIOV_VF_FB(k)));
	if (covers(off, n, GIOV_CONTEXT__OFF))
		GV_RPUT(pf, RLC_GPU_IOV_CFG_REG6, get32(cap + GIOV_CONTEXT__OFF));
	if (covers(off, n, GIOV_HVVM_MBOX_DW0__OFF) &&
	    GV_GET(get32(cap + GIOV_HVVM_MBOX_DW0__OFF), GIOV_HVVM_MBOX_DW0, TRN_MSG_VALID))
		gv_unimplemented(pf, "HVVM mailbox message");
	gv_world_set_intr(dev, get32(cap + GIOV_INTR_ENABLE__OFF),
	                  get32(cap + GIOV_INTR_STATUS__OFF));
	refuse_commands(pf, cap, off, n);
	write_gfx(pf, cap, off, n);
	if (!covers(off, n, GIOV_RESET_CONTROL__OFF) ||
	    !GV_GET(reset, GIOV_RESET_CONTROL, SOFT_PF_FLR))
		return false;
	set32(cap + GIOV_RESET_CONTROL__OFF, 0);
	return true;
}

static void wrote_fb(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)was;
	mirror_fb(f, i, now);
}

static void wrote_command(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i;
	take_command(f, was, now);
}

/* Only shows something. */
#define SHOWS(name)                                                                                \
	static void wrote_##name(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)          \
	{                                                                                          \
		(void)i, (void)now;                                                                \
		GV_RPUT(f, RLC_GPU_IOV_##name, was);                                               \
	}
SHOWS(SCH_BLOCK)
SHOWS(CFG_REG2)
SHOWS(ACTIVE_FCN_ID)

static uint32_t read_busy(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	(void)i, (void)stored;
	return gv_world_busy(f->dev);
}

static void wrote_stall(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i, (void)was;
	GV_RPUT(f, GVX_STALL, now & gv_mask(0, f->dev->cfg.max_vfs));
	gv_world_kick(f->dev);
}

static uint32_t read_vf_enable(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	unsigned vfs = atomic_load(&f->dev->num_vfs);

	(void)i;
	(void)stored;
	return GV_PUT(RLC_GPU_IOV_VF_ENABLE, VF_ENABLE, vfs > 0) |
	       GV_PUT(RLC_GPU_IOV_VF_ENABLE, VF_NUM, vfs);
}

/* Reset requests and doorbell status of the hardware scheduler: GVX_VF_RESET is what resets a
 * VF here, so these must not look as if they did. */
static void wrote_scheduler(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i;
	(void)was;
	if (now)
		gv_unimplemented(f, "reset or doorbell request 0x%x to the hardware scheduler",
		                 now);
}

static const struct gv_reg_hook rows[] = {
        {GV_REG_RLC_GPU_IOV_VIRT_RESET_REQ, wrote_scheduler, NULL},
        {GV_REG_MC_SHARED_VIRT_RESET_REQ, wrote_scheduler, NULL},
        {GV_REG_MMHUB_MC_SHARED_VIRT_RESET_REQ, wrote_scheduler, NULL},
        {GV_REG_RLC_GPU_IOV_VF_DOORBELL_STATUS_SET, wrote_scheduler, NULL},
        {GV_REG_RLC_GPU_IOV_VF_DOORBELL_STATUS_CLR, wrote_scheduler, NULL},
        {GV_REG_MC_VM_FB_SIZE_OFFSET_VF0, wrote_fb, NULL},
        {GV_REG_MMHUB_MC_VM_FB_SIZE_OFFSET_VF0, wrote_fb, NULL},
        {GV_REG_RLC_GPU_IOV_CFG_REG1, wrote_command, NULL},
        {GV_REG_RLC_GPU_IOV_SCH_BLOCK, wrote_SCH_BLOCK, NULL},
        {GV_REG_RLC_GPU_IOV_CFG_REG2, wrote_CFG_REG2, NULL},
        {GV_REG_RLC_GPU_IOV_ACTIVE_FCN_ID, wrote_ACTIVE_FCN_ID, NULL},
        {GV_REG_RLC_GPU_IOV_VM_BUSY_STATUS, NULL, read_busy},
        {GV_REG_RLC_GPU_IOV_CFG_REG8, NULL, read_busy},
        {GV_REG_GVX_STALL, wrote_stall, NULL},
        {GV_REG_RLC_GPU_IOV_VF_ENABLE, NULL, read_vf_enable},
};
const struct gv_reg_hooks gv_gpuiov_hooks = {rows, GV_ARRAY_LEN(rows)};
