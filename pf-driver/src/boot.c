/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bring-up of the whole GPU: the list of steps, and the short ones. */
#include <string.h>

#include "adopt.h"
#include "boot_state.h"
#include "pf.h"

#define PCI_COMMAND        0x04
#define PCI_COMMAND_MEMORY 0x2
#define PCI_COMMAND_MASTER 0x4
#define PCI_EXT_CAP_SRIOV  0x10
#define PCI_SRIOV_TOTAL_VF 0x0e
#define SCRATCH_PATTERN    0xcafedeadu
#define SDMA_DOORBELLS     4 /* dwords: vega10_reg_init.c */
#define IH_DOORBELLS       6
#define SDMA_DRAIN_NS      (5 * GV_S)
#define MODE1_NS           (5 * GV_S)

struct step {
	const char *name;
	int (*init)(struct gv_pf *pf, struct gv_err *err);
	/* In place of init when we have set the GPU up before, and VFs may run: what they use stays
	 * as it is. NULL: init. */
	int (*adopt)(struct gv_pf *pf, struct gv_err *err);
	void (*fini)(struct gv_pf *pf); /* besides putting registers back; may be NULL */
};

static int nbio_adopt(struct gv_pf *pf, struct gv_err *err);
static int gmc_adopt(struct gv_pf *pf, struct gv_err *err);
static int ih_adopt(struct gv_pf *pf, struct gv_err *err);
static int rlc_adopt(struct gv_pf *pf, struct gv_err *err);
static int sdma_adopt(struct gv_pf *pf, struct gv_err *err);
static int find_gpuiov(struct gv_pf *pf, struct gv_err *err);

/* In this order, undone backwards. gmc before everything that has memory behind it; ih before
 * what may interrupt. */
static const struct step steps[] = {
        {"identity", pf_identity_init, NULL, NULL},
        {"nbio", pf_nbio_init, nbio_adopt, NULL},
        {"psp", pf_psp_init, NULL, NULL},
        {"gmc", pf_gmc_init, gmc_adopt, NULL},
        {"ih", pf_ih_init, ih_adopt, pf_ih_fini},
        {"rlc", pf_rlc_init, rlc_adopt, NULL},
        {"gfx", pf_gfx_init, NULL, NULL},
        {"sdma", pf_sdma_init, sdma_adopt, pf_sdma_fini},
        {"mailbox", pf_mailbox_init, NULL, NULL},
        {"gpuiov", pf_gpuiov_init, find_gpuiov, NULL},
        {"state", pf_state_init, pf_state_adopt, pf_state_fini},
};
_Static_assert(GV_ARRAY_LEN(steps) <= GV_ARRAY_LEN(((struct gv_pf *)0)->saved_at), "room");

const char *gv_pf_boot_step_name(unsigned i)
{
	return i < GV_ARRAY_LEN(steps) ? steps[i].name : NULL;
}

void pf_bring_down(struct gv_pf *pf)
{
	while (pf->steps_done) {
		unsigned i = --pf->steps_done;

		if (steps[i].fini)
			steps[i].fini(pf);
		pf_restore(pf, pf->saved_at[i]);
	}
}

/* A step of the start took so long. @what: a constant. */
static void took(struct gv_pf *pf, const char *what, uint64_t begin_ns)
{
	struct gv_pf_boot_status *b = &pf->boot;
	uint64_t now_ns = gv_now_ns();

	pf_trace(pf, GV_PF_TRACE_BOOT, -1, begin_ns, now_ns, "%s", what);
	PF_LOG(pf, GV_LOG_DEBUG, "step %s done", what);
	if (pf->booted || b->num_steps == GV_PF_BOOT_STEPS) /* a reset later is no start */
		return;
	b->step[b->num_steps].name = what;
	b->step[b->num_steps++].us = (now_ns - begin_ns) / GV_US;
	b->total_us += (now_ns - begin_ns) / GV_US;
}

int pf_bring_up(struct gv_pf *pf, bool adopt, struct gv_err *err)
{
	for (unsigned i = 0; i < GV_ARRAY_LEN(steps); i++) {
		uint64_t begin_ns = gv_now_ns();
		int rc;

		pf->saved_at[i] = pf->num_saved;
		pf->steps_done = i + 1; /* a step that failed half-way is undone, too */
		rc = (adopt && steps[i].adopt ? steps[i].adopt : steps[i].init)(pf, err);
		if (rc) {
			pf_bring_down(pf);
			(void)gv_fail_prefix(err, "bring-up, step %s", steps[i].name);
			return rc;
		}
		took(pf, steps[i].name, begin_ns);
	}
	return 0;
}

/* As psp_v3_1_mode1_reset() of amdgpu: asked for in C2PMSG_64, over when the boot loader shows in
 * C2PMSG_33. */
static int mode1(struct gv_pf *pf)
{
	const uint32_t back = GV_PUT(PSP_C2PMSG, RESPONSE, 1);

	gv_wr32(pf->bus, MP0_SMN_C2PMSG_64__BYTE, GV_PUT(PSP_C2PMSG, COMMAND, GV_PSP_MODE1_RST));
	return gv_wait32(pf->bus, MP0_SMN_C2PMSG_33__BYTE, back, back, MODE1_NS, NULL);
}

/* Nothing of what somebody else has set up is left. VFs go first, as they would vanish. */
static int reset_whole(struct gv_pf *pf, struct gv_err *err)
{
	uint64_t begin_ns = gv_now_ns();
	int rc;

	PF_LOG(pf, GV_LOG_WARN, "resetting the whole GPU: %s", pf->boot.why);
	if (pf_boot_vfs(pf))
		(void)gv_bus_enable_vfs(pf->bus, 0, NULL);
	rc = mode1(pf);
	if (rc) {
		PF_LOG(pf, GV_LOG_WARN, "PSP mode-1 reset: %s; continuing with a reset of the PF",
		       strerror(-rc));
		rc = gv_bus_reset(pf->bus);
	}
	if (rc)
		return gv_fail(err, rc, "resetting the GPU: %s", strerror(-rc));
	took(pf, "reset", begin_ns);
	return 0;
}

/* As far as a reset of the whole GPU had come: mode 1 was asked for, or was about to be. VFs stay.
 */
static int reset_blocks(struct gv_pf *pf, struct gv_err *err)
{
	uint64_t begin_ns = gv_now_ns();
	int rc = mode1(pf);

	if (rc)
		return gv_fail(err, rc, "finishing a reset of the whole GPU: PSP mode 1: %s",
		               strerror(-rc));
	took(pf, "reset", begin_ns);
	return 0;
}

/* Interrupts must not go to memory that is ours no more. The rest waits for the next manager. */
static void let_go(struct gv_pf *pf)
{
	if (pf->steps_done)
		pf_ih_fini(pf);
	pf->steps_done = pf->num_saved = 0;
}

/* Find out which way, and go it. */
static int boot(struct gv_pf *pf, struct pf_state *state, struct gv_err *err)
{
	enum gv_pf_boot_path path;
	uint64_t begin_ns;
	bool anew = false;
	int rc = pf_identity_init(pf, err);

	if (rc)
		return gv_fail_prefix(err, "bring-up, step %s", steps[0].name), rc;
	rc = pf_boot_look(pf, &path, state, err);
	if (!rc && (path == GV_PF_BOOT_OTHER || path == GV_PF_BOOT_FORCED))
		rc = reset_whole(pf, err);
	if (!rc && path == GV_PF_BOOT_TAKEN_OVER) {
		pf->boot_id = state->boot_id;
		pf->boot.generation = state->generation;
		anew = pf->gpu_reset.phase == PF_GPU_RESET;
	}
	if (!rc && anew)
		rc = reset_blocks(pf, err);
	if (!rc)
		rc = pf_bring_up(pf, path == GV_PF_BOOT_TAKEN_OVER && !anew, err);
	if (rc)
		return rc;
	pf->boot.path = path;
	begin_ns = gv_now_ns();
	rc = pf_adopt(pf, path == GV_PF_BOOT_TAKEN_OVER ? state : NULL, err);
	if (rc)
		let_go(pf);
	else
		took(pf, "adopt", begin_ns);
	return rc;
}

int gv_pf_boot(struct gv_pf *pf, struct gv_err *err)
{
	gv_auto_free struct pf_state *state = calloc(1, sizeof(*state));
	int rc;

	if (pf->booted)
		return gv_fail(err, -EALREADY, "%s is up", pf->bus->name);
	if (!state)
		return gv_fail(err, -ENOMEM, "no memory for a boot record");
	pf->boot = (struct gv_pf_boot_status){.path = GV_PF_BOOT_NOT};
	rc = pf_adopt_open(pf, err);
	if (!rc)
		rc = boot(pf, state, err);
	if (rc)
		return rc;
	pf->booted = true;
	pf_event(pf, GV_PF_EVENT_BOOT, -1, "GPU is up (%s: %s): %u MiB, %u VFs, PF window %u MiB",
	         gv_pf_boot_path_name(pf->boot.path), pf->boot.why, pf->caps.vram_mib,
	         pf->caps.max_vfs, pf->caps.pf_window_mib);
	pf_adopt_resume(pf);
	return 0;
}

void gv_pf_shutdown(struct gv_pf *pf)
{
	if (!pf->booted)
		return;
	(void)gv_pf_disable(pf, GV_PF_APPLY_FORCE, NULL);
	pf->booted = false;
	pf_bring_down(pf);
	pf_adopt_forget(pf);
	pf_event(pf, GV_PF_EVENT_BOOT, -1, "GPU is down, no VF is enabled");
}

void gv_pf_leave(struct gv_pf *pf)
{
	if (!pf->booted)
		return;
	pf_sessions_note(pf);
	pf->booted = false;
	let_go(pf);
	pf_event(pf, GV_PF_EVENT_BOOT, -1, "left as it is for the next gpuvisord, %u VFs",
	         pf->has_plan ? pf->plan.num_vfs : 0);
	pf->has_plan = false;
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
	pf->pcie_atomics = pf_pcie_atomics(pf);
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

static int find_gpuiov(struct gv_pf *pf, struct gv_err *err)
{
	uint32_t head;
	int rc = gv_cfg_find_vsec(pf->bus, GV_VSEC_GPUIOV, &pf->giov);

	if (rc)
		return gv_fail(err, -ENOTSUP, "no GPUIOV capability (VSEC id 0x%02x)",
		               GV_VSEC_GPUIOV);
	head = gv_cfg_rd32(pf->bus, (uint16_t)(pf->giov + GIOV_HDR__OFF));
	if (GV_GET(head, GIOV_HDR, VSEC_LENGTH) < GV_GIOV_VF_FB(GV_PF_MAX_VFS))
		return gv_fail(err, -EIO, "GPUIOV header reads 0x%08x: too short", head);
	return 0;
}

int pf_gpuiov_init(struct gv_pf *pf, struct gv_err *err)
{
	int rc = find_gpuiov(pf, err);

	return rc ? rc : close_gates(pf, err);
}

/* ---- what is done when VFs may run ------------------------------------------------- */

/* The rest of nbio was ours all the time; these two bits the kernel may have cleared. */
static int nbio_adopt(struct gv_pf *pf, struct gv_err *err)
{
	uint32_t command = gv_cfg_rd16(pf->bus, PCI_COMMAND);

	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	return pf_set_cfg(pf, PCI_COMMAND, command, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, err);
}

static int gmc_adopt(struct gv_pf *pf, struct gv_err *err)
{
	int rc = pf_expect(pf, MC_VM_FB_LOCATION_BASE__BYTE, UINT32_MAX, 0, err);

	return rc ? rc : pf_expect(pf, MMHUB_MC_VM_FB_LOCATION_BASE__BYTE, UINT32_MAX, 0, err);
}

/* The ring of the one before is in memory that is gone, or, with descriptors that were kept, still
 * mapped and nobody's. Not an entry more may go there. */
static int ih_adopt(struct gv_pf *pf, struct gv_err *err)
{
	pf_ih_quiet(pf);
	return pf_ih_init(pf, err);
}

static int rlc_adopt(struct gv_pf *pf, struct gv_err *err)
{
	return pf_expect(pf, RLC_CNTL__BYTE,
	                 gv_mask(RLC_CNTL__RLC_ENABLE_F32__LO, RLC_CNTL__RLC_ENABLE_F32__BITS),
	                 GV_PUT(RLC_CNTL, RLC_ENABLE_F32, 1), err);
}

/* A scrub may be under way: the ring is set up anew when it has ended. The VF that it was for is
 * scrubbed again. */
static int sdma_adopt(struct gv_pf *pf, struct gv_err *err)
{
	uint32_t wptr = gv_rd32(pf->bus, SDMA0_GFX_RB_WPTR__BYTE), last = 0;
	int rc =
	        gv_wait32(pf->bus, SDMA0_GFX_RB_RPTR__BYTE, UINT32_MAX, wptr, SDMA_DRAIN_NS, &last);

	if (rc)
		PF_LOG(pf, GV_LOG_WARN,
		       "SDMA does not end what it was given (RPTR 0x%x, WPTR 0x%x); continuing "
		       "with a new ring",
		       last, wptr);
	return pf_sdma_init(pf, err);
}
