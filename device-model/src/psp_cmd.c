/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Commands of the PSP's rings. Firmware is copied into the memory that the driver set aside for it
 * (VMR), as the PSP does, and its size and checksum are kept; what is in it nobody looks at.
 */
#include <string.h>

#include "psp.h"

/* Drivers give 4 MiB, and firmware has to fit in one (PSP_TMR_SIZE, PSP_1_MEG). */
#define VMR_MAX (64 * GV_MIB)
#define FW_MAX  (1 * GV_MIB)
#define SLICE   (256 * GV_KIB) /* copied in one memory slice */

static uint32_t refuse(struct gv_fn *f, const struct gv_psp_cmd *cmd, uint32_t status,
                       const char *why)
{
	gv_guest_error(f, "PSP command 0x%x refused (0x%x): %s", cmd->id, status, why);
	return status;
}

/* ---- memory for firmware ---------------------------------------------------------- */

static void forget_vmr(struct gv_fn *f)
{
	f->psp->vmr_bytes = 0;
	f->psp->vmr_used = 0;
	(void)pthread_mutex_lock(&f->dev->lock);
	memset(f->psp->fw, 0, sizeof(f->psp->fw));
	(void)pthread_mutex_unlock(&f->dev->lock);
}

static uint32_t setup_vmr(struct gv_fn *f, const struct gv_psp_cmd *cmd)
{
	uint64_t va = gv_psp_va(cmd->vmr.lo, cmd->vmr.hi);

	if (va % GV_PSP_PAGE || cmd->vmr.bytes % GV_PSP_PAGE || !cmd->vmr.bytes ||
	    cmd->vmr.bytes > VMR_MAX || va > UINT64_MAX - cmd->vmr.bytes)
		return refuse(f, cmd, GV_PSP_BAD_PARAMETERS, "no such region");
	forget_vmr(f);
	f->psp->vmr_va = va;
	f->psp->vmr_bytes = cmd->vmr.bytes;
	return 0;
}

/* ---- firmware ----------------------------------------------------------------------- */

/* What a VF's driver loads. The rest is the host's: the driver skips it, too
 * (amdgpu_virt_fw_load_skip_check()). */
static bool may_load(struct gv_fn *f, uint32_t type)
{
	static const enum gv_psp_fw_type vf[] = {
	        GV_PSP_FW_CP_ME,  GV_PSP_FW_CP_PFP,     GV_PSP_FW_CP_CE,
	        GV_PSP_FW_CP_MEC, GV_PSP_FW_CP_MEC_ME1, GV_PSP_FW_CP_MEC_ME2,
	        GV_PSP_FW_UVD,    GV_PSP_FW_VCE,        GV_PSP_FW_CAP};

	for (size_t k = 0; k < GV_ARRAY_LEN(vf); k++)
		if (type == vf[k])
			return true;
	return !gv_fn_is_vf(f) && type < GV_PSP_FW_TYPES;
}

/* Page by page: the checksum is that of what arrives. Whoever waits for the memory, or for the
 * function to stop, gets it after a few. */
static int copy(struct gv_fn *f, uint64_t to, uint64_t from, uint32_t bytes, uint32_t *crc)
{
	struct gv_mem *m = &f->psp->mem;
	uint8_t page[GV_PSP_PAGE];

	*crc = 0;
	for (uint32_t done = 0, n = 0; done < bytes; done += n) {
		if (done && done % SLICE == 0) {
			gv_fn_mem_leave(f);
			gv_fn_mem_enter(f);
		}
		n = GV_MIN((uint32_t)sizeof(page), bytes - done);
		if (gv_fn_stopping(f) || gv_mem_read(m, from + done, page, n) ||
		    gv_mem_write(m, to + done, page, n))
			return -EFAULT;
		*crc = gv_crc32(*crc, page, n);
	}
	return 0;
}

static uint64_t whole_pages(uint32_t bytes)
{
	return (bytes + GV_PSP_PAGE - 1ull) / GV_PSP_PAGE * GV_PSP_PAGE;
}

/* Where in the VMR it goes: again to the place of what it replaces, if it fits there. */
static int find_place(struct gv_psp *p, uint32_t type, uint32_t bytes, uint64_t *va)
{
	uint64_t need = whole_pages(bytes);

	if (p->fw[type].bytes && whole_pages(p->fw[type].bytes) >= need) {
		*va = p->fw[type].va;
		return 0;
	}
	if (need > p->vmr_bytes - p->vmr_used)
		return -ENOSPC;
	*va = p->vmr_va + p->vmr_used;
	p->vmr_used += need;
	return 0;
}

static uint32_t load_fw(struct gv_fn *f, const struct gv_psp_cmd *cmd, struct gv_psp_resp *resp)
{
	struct gv_psp *p = f->psp;
	struct gv_psp_fw fw = {.bytes = cmd->fw.bytes};
	uint64_t from = gv_psp_va(cmd->fw.lo, cmd->fw.hi);

	if (!may_load(f, cmd->fw.type))
		return refuse(f, cmd, GV_PSP_ACCESS_DENIED, "not firmware of a VF");
	if (!p->vmr_bytes)
		return refuse(f, cmd, GV_PSP_BAD_STATE, "no VMR");
	if (from % GV_PSP_PAGE || !fw.bytes || fw.bytes > FW_MAX)
		return refuse(f, cmd, GV_PSP_BAD_PARAMETERS, "no such firmware");
	if (find_place(p, cmd->fw.type, fw.bytes, &fw.va))
		return refuse(f, cmd, GV_PSP_OUT_OF_MEMORY, "the VMR is full");
	if (copy(f, fw.va, from, fw.bytes, &fw.crc))
		return refuse(f, cmd, GV_PSP_BAD_FORMAT, "it cannot be copied");
	(void)pthread_mutex_lock(&f->dev->lock);
	p->fw[cmd->fw.type] = fw;
	(void)pthread_mutex_unlock(&f->dev->lock);
	resp->fw_lo = (uint32_t)fw.va;
	resp->fw_hi = (uint32_t)(fw.va >> 32);
	gv_logf(f->dev->log, GV_LOG_DEBUG, "%s: firmware %u: %u bytes, CRC-32 %08x", f->name,
	        cmd->fw.type, fw.bytes, fw.crc);
	return 0;
}

struct gv_psp_fw gv_psp_firmware(struct gv_fn *f, unsigned type)
{
	struct gv_psp_fw fw = {0};

	(void)pthread_mutex_lock(&f->dev->lock);
	if (type < GV_PSP_FW_TYPES)
		fw = f->psp->fw[type];
	(void)pthread_mutex_unlock(&f->dev->lock);
	return fw;
}

/* ---- registers ------------------------------------------------------------------------ */

static uint32_t prog_reg(struct gv_fn *f, const struct gv_psp_cmd *cmd)
{
	/* Nothing else is to be had this way. */
	static const enum gv_reg regs[] = {
	        [GV_PSP_REG_IH_RB_CNTL] = GV_REG_IH_RB_CNTL,
	        [GV_PSP_REG_IH_RB_CNTL_RING1] = GV_REG_IH_RB_CNTL_RING1,
	        [GV_PSP_REG_IH_RB_CNTL_RING2] = GV_REG_IH_RB_CNTL_RING2,
	};

	if (cmd->reg.id >= GV_ARRAY_LEN(regs))
		return refuse(f, cmd, GV_PSP_ACCESS_DENIED, "not a register of a VF");
	gv_mmio_write32(f, gv_reg_info(regs[cmd->reg.id])->byte, cmd->reg.val, GV_ORIGIN_ENGINE);
	return 0;
}

void gv_psp_command(struct gv_fn *f, const struct gv_psp_cmd *cmd, struct gv_psp_resp *resp)
{
	switch (cmd->id) {
	case GV_PSP_SETUP_TMR:
	case GV_PSP_SETUP_VMR:
		resp->status = setup_vmr(f, cmd);
		break;
	case GV_PSP_DESTROY_TMR:
	case GV_PSP_DESTROY_VMR:
		forget_vmr(f);
		break;
	case GV_PSP_LOAD_IP_FW:
		resp->status = load_fw(f, cmd, resp);
		break;
	case GV_PSP_PROG_REG:
		resp->status = prog_reg(f, cmd);
		break;
	default:
		gv_unimplemented(f, "PSP ring command 0x%x", cmd->id);
		resp->status = GV_PSP_STATUS_UNKNOWN;
	}
}
