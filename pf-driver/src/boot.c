/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bring-up of the whole GPU: the list of steps, and the short ones. */
#include <string.h>

#include "pf.h"

#define PCI_COMMAND        0x04
#define PCI_COMMAND_MEMORY 0x2
#define PCI_COMMAND_MASTER 0x4
#define PCI_EXT_CAP_SRIOV  0x10
#define PCI_SRIOV_TOTAL_VF 0x0e
#define SCRATCH_PATTERN    0xcafedeadu
#define SDMA_DOORBELLS     4 /* dwords: vega10_reg_init.c */
#define IH_DOORBELLS       6

struct step {
	const char *name;
	int (*init)(struct gv_pf *pf, struct gv_err *err);
	void (*fini)(struct gv_pf *pf); /* besides putting registers back; may be NULL */
};

/* In this order, undone backwards. gmc before everything that has memory behind it; ih before
 * what may interrupt. */
static const struct step steps[] = {
        {"identity", pf_identity_init, NULL}, {"nbio", pf_nbio_init, NULL},
        {"psp", pf_psp_init, NULL},           {"gmc", pf_gmc_init, NULL},
        {"ih", pf_ih_init, pf_ih_fini},       {"rlc", pf_rlc_init, NULL},
        {"gfx", pf_gfx_init, NULL},           {"sdma", pf_sdma_init, pf_sdma_fini},
        {"mailbox", pf_mailbox_init, NULL},   {"gpuiov", pf_gpuiov_init, NULL},
};
_Static_assert(GV_ARRAY_LEN(steps) <= GV_ARRAY_LEN(((struct gv_pf *)0)->saved_at), "room");

const char *gv_pf_boot_step_name(unsigned i)
{
	return i < GV_ARRAY_LEN(steps) ? steps[i].name : NULL;
}

static void undo(struct gv_pf *pf)
{
	while (pf->steps_done) {
		unsigned i = --pf->steps_done;

		if (steps[i].fini)
			steps[i].fini(pf);
		pf_restore(pf, pf->saved_at[i]);
	}
}

int gv_pf_boot(struct gv_pf *pf, struct gv_err *err)
{
	if (pf->booted)
		return gv_fail(err, -EALREADY, "%s is up", pf->bus->name);
	for (unsigned i = 0; i < GV_ARRAY_LEN(steps); i++) {
		uint64_t begin_ns = gv_now_ns();
		int rc;

		pf->saved_at[i] = pf->num_saved;
		pf->steps_done = i + 1; /* a step that failed half-way is undone, too */
		rc = steps[i].init(pf, err);
		pf_trace(pf, GV_PF_TRACE_BOOT, -1, begin_ns, gv_now_ns(), "%s", steps[i].name);
		if (rc) {
			undo(pf);
			(void)gv_fail_prefix(err, "bring-up, step %s", steps[i].name);
			return rc;
		}
		PF_LOG(pf, GV_LOG_DEBUG, "step %s done", steps[i].name);
	}
	pf->booted = true;
	pf_event(pf, GV_PF_EVENT_BOOT, -1, "GPU is up: %u MiB, %u VFs, PF window %u MiB",
	         pf->caps.vram_mib, pf->caps.max_vfs, pf->caps.pf_window_mib);
	return 0;
}

void gv_pf_shutdown(struct gv_pf *pf)
{
	if (!pf->booted)
		return;
	(void)gv_pf_disable(pf, GV_PF_APPLY_FORCE, NULL);
	pf->booted = false;
	undo(pf);
	pf_event(pf, GV_PF_EVENT_BOOT, -1, "GPU is down, no VF is enabled");
}

const struct gv_pf_caps *gv_pf_get_caps(const struct gv_pf *pf)
{
	return pf->booted ? &pf->caps : NULL;
}

static int read_caps(struct gv_pf *pf, struct gv_err *err)
{
	uint64_t bar2 = 0;
	uint16_t cap, total;

	if (gv_cfg_find_ext_cap(pf->bus, PCI_EXT_CAP_SRIOV, &cap))
		return gv_fail(err, -ENOTSUP, "no SR-IOV capability: not a PF");
	total = gv_cfg_rd16(pf->bus, (uint16_t)(cap + PCI_SRIOV_TOTAL_VF));
	if (!total)
		return gv_fail(err, -ENOTSUP, "TotalVFs reads 0: SR-IOV is off in the firmware");
	(void)gv_bus_region_bytes(pf->bus, GV_REGION_DOORBELL, &bar2);
	pf->caps = gv_pf_caps_default(gv_rd32(pf->bus, GVX_VRAM_SIZE_MIB__BYTE),
	                              GV_MIN(total, (uint16_t)GV_PF_MAX_VFS));
	pf->caps.pf_window_mib = gv_rd32(pf->bus, GVX_PF_WINDOW_MIB__BYTE);
	pf->caps.doorbell_pages = (uint32_t)(bar2 / 4096);
	if (!pf->caps.pf_window_mib || pf->caps.pf_window_mib > pf->caps.vram_mib || !bar2)
		return gv_fail(err, -EIO,
		               "PF window of %u MiB in %u MiB of VRAM, doorbell BAR of %llu bytes: "
		               "cannot be",
		               pf->caps.pf_window_mib, pf->caps.vram_mib, (unsigned long long)bar2);
	pf->vram_bytes = pf->caps.vram_mib * GV_MIB;
	if (gv_bus_region_bytes(pf->bus, GV_REGION_VRAM, &pf->bar0_bytes))
		pf->bar0_bytes = 0; /* everything by MM_INDEX */
	return 0;
}

/* What a silicon Vega10 would need that nobody outside of AMD has: the PSP's host side (it
 * programs the VFs' memory registers) and the RLC-V firmware. */
int pf_identity_init(struct gv_pf *pf, struct gv_err *err)
{
	uint16_t vendor = gv_cfg_rd16(pf->bus, 0), device = gv_cfg_rd16(pf->bus, 2);
	uint32_t magic, func;

	if (vendor != GV_PCI_VENDOR_AMD)
		return gv_fail(err, -ENOTSUP, "PCI id %04x:%04x is not an AMD GPU", vendor, device);
	magic = gv_rd32(pf->bus, GVX_MAGIC__BYTE);
	if (magic != gv_reg_info(GV_REG_GVX_MAGIC)->reset)
		return gv_fail(
		        err, -ENOTSUP,
		        "PCI id %04x:%04x reads GVX_MAGIC 0x%08x: silicon, and the second-level "
		        "tables and gates of VFs (GVX registers) are missing there; on silicon "
		        "they are set by PSP and RLC-V firmware interfaces that are not public",
		        vendor, device, magic);
	func = gv_rd32(pf->bus, RCC_PF_0_0_RCC_IOV_FUNC_IDENTIFIER__BYTE);
	if (GV_GET(func, RCC_PF_0_0_RCC_IOV_FUNC_IDENTIFIER, FUNC_IDENTIFIER))
		return gv_fail(err, -ENOTSUP, "RCC_IOV_FUNC_IDENTIFIER reads 0x%08x: this is a VF",
		               func);
	return read_caps(pf, err);
}

static int doorbell_range(struct gv_pf *pf, uint32_t byte, uint32_t index, uint32_t dwords,
                          struct gv_err *err)
{
	/* The fields of all ranges are alike. */
	return pf_set(pf, byte,
	              GV_PUT(BIF_SDMA0_DOORBELL_RANGE, OFFSET, index) |
	                      GV_PUT(BIF_SDMA0_DOORBELL_RANGE, SIZE, dwords),
	              UINT32_MAX, err);
}

int pf_nbio_init(struct gv_pf *pf, struct gv_err *err)
{
	uint32_t command = gv_cfg_rd16(pf->bus, PCI_COMMAND);
	int rc;

	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	/* 32 bits wide, so the status half is written as 0: its bits are write-1-to-clear. */
	rc = pf_set_cfg(pf, PCI_COMMAND, command, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, err);
	if (!rc)
		rc = pf_set(pf, RCC_PF_0_0_RCC_DOORBELL_APER_EN__BYTE,
		            GV_PUT(RCC_PF_0_0_RCC_DOORBELL_APER_EN, BIF_DOORBELL_APER_EN, 1),
		            UINT32_MAX, err);
	if (!rc)
		rc = pf_set(pf, BIF_FB_EN__BYTE,
		            GV_PUT(BIF_FB_EN, FB_READ_EN, 1) | GV_PUT(BIF_FB_EN, FB_WRITE_EN, 1),
		            UINT32_MAX, err);
	/* A VF skips these: the host owns them (soc15.c, vega10_ih.c). */
	if (!rc)
		rc = doorbell_range(pf, BIF_SDMA0_DOORBELL_RANGE__BYTE, GV_DOORBELL_SDMA0,
		                    SDMA_DOORBELLS, err);
	if (!rc)
		rc = doorbell_range(pf, BIF_SDMA1_DOORBELL_RANGE__BYTE, GV_DOORBELL_SDMA1,
		                    SDMA_DOORBELLS, err);
	if (!rc)
		rc = doorbell_range(pf, BIF_IH_DOORBELL_RANGE__BYTE, GV_DOORBELL_IH, IH_DOORBELLS,
		                    err);
	return rc;
}

/* Nothing to load: the emulated GPU has its firmware. On silicon the secure OS must be alive. */
int pf_psp_init(struct gv_pf *pf, struct gv_err *err)
{
	uint32_t sos = gv_rd32(pf->bus, MP0_SMN_C2PMSG_81__BYTE);

	if (sos == UINT32_MAX)
		return gv_fail(err, -EIO, "MP0_SMN_C2PMSG_81 reads 0x%08x: the PSP is gone", sos);
	PF_LOG(pf, GV_LOG_DEBUG, "PSP: C2PMSG_81 0x%08x, nothing to load", sos);
	return 0;
}

int pf_rlc_init(struct gv_pf *pf, struct gv_err *err)
{
	int rc = pf_set(pf, RLC_CNTL__BYTE, GV_PUT(RLC_CNTL, RLC_ENABLE_F32, 1),
	                gv_mask(RLC_CNTL__RLC_ENABLE_F32__LO, RLC_CNTL__RLC_ENABLE_F32__BITS), err);

	/* No VF may use the register interface until it has exclusive access. */
	return rc ? rc : pf_set(pf, RLC_GPM_GENERAL_14__BYTE, 0, UINT32_MAX, err);
}

int pf_gfx_init(struct gv_pf *pf, struct gv_err *err)
{
	int rc = pf_set(pf, GRBM_GFX_CNTL__BYTE, 0, UINT32_MAX, err);

	if (!rc)
		rc = pf_set(pf, GRBM_GFX_INDEX__BYTE,
		            GV_PUT(GRBM_GFX_INDEX, SE_BROADCAST_WRITES, 1) |
		                    GV_PUT(GRBM_GFX_INDEX, SH_BROADCAST_WRITES, 1) |
		                    GV_PUT(GRBM_GFX_INDEX, INSTANCE_BROADCAST_WRITES, 1),
		            UINT32_MAX, err);
	return rc ? rc : pf_set(pf, SCRATCH_REG0__BYTE, SCRATCH_PATTERN, UINT32_MAX, err);
}

static int close_gates(struct gv_pf *pf, struct gv_err *err)
{
	int rc = pf_set(pf, GVX_VF_REGWR_EN__BYTE, 0, UINT32_MAX, err);

	if (!rc)
		rc = pf_set(pf, GVX_VF_DOORBELL_EN__BYTE, 0, UINT32_MAX, err);
	return rc ? rc : pf_set(pf, GVX_VF_FB_EN__BYTE, 0, UINT32_MAX, err);
}

int pf_mailbox_init(struct gv_pf *pf, struct gv_err *err)
{
	int rc = pf_set(pf, MAILBOX_INDEX__BYTE, 0, UINT32_MAX, err);

	return rc ? rc
	          : pf_set(pf, BIF_BX_PF0_MAILBOX_INT_CNTL__BYTE,
	                   GV_PUT(BIF_BX_PF0_MAILBOX_INT_CNTL, VALID_INT_EN, 1) |
	                           GV_PUT(BIF_BX_PF0_MAILBOX_INT_CNTL, ACK_INT_EN, 1),
	                   UINT32_MAX, err);
}

int pf_gpuiov_init(struct gv_pf *pf, struct gv_err *err)
{
	uint32_t head, shadow;
	int rc = gv_cfg_find_vsec(pf->bus, GV_VSEC_GPUIOV, &pf->giov);

	if (rc)
		return gv_fail(err, -ENOTSUP, "no GPUIOV capability (VSEC id 0x%02x)",
		               GV_VSEC_GPUIOV);
	head = gv_cfg_rd32(pf->bus, (uint16_t)(pf->giov + GIOV_HDR__OFF));
	if (GV_GET(head, GIOV_HDR, VSEC_LENGTH) < GV_GIOV_VF_FB(GV_PF_MAX_VFS))
		return gv_fail(err, -EIO, "GPUIOV header reads 0x%08x: too short", head);
	shadow = gv_cfg_rd32(pf->bus, (uint16_t)(pf->giov + GIOV_SRIOV_SHADOW__OFF));
	if (GV_GET(shadow, GIOV_SRIOV_SHADOW, VF_EN)) {
		PF_LOG(pf, GV_LOG_WARN, "%u VFs are left over from somebody else, disabling them",
		       GV_GET(shadow, GIOV_SRIOV_SHADOW, VF_NUM));
		rc = gv_bus_enable_vfs(pf->bus, 0, err);
	}
	return rc ? rc : close_gates(pf, err);
}
