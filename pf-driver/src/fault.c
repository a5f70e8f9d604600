/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Faults: read, clear, attribute to a VF, count, tell. */
#include "pf.h"

static void record(struct gv_pf *pf, unsigned vf, struct gv_pf_fault fault, uint64_t more)
{
	struct pf_vf *v = &pf->vf[vf];
	uint64_t now_ns = gv_now_ns();

	fault.count = v->fault.count + more;
	v->fault = fault;
	pf_trace(pf, GV_PF_TRACE_FAULT, (int)vf, now_ns, now_ns, "%s 0x%llx",
	         fault.write ? "write" : "read", (unsigned long long)fault.addr);
	pf_event(pf, GV_PF_EVENT_VF_FAULT, (int)vf,
	         "%llu faults more; last: %s of %s 0x%llx, VMID %u, client %u",
	         (unsigned long long)more, fault.write ? "write" : "read",
	         fault.second_level ? "frame-buffer address" : "virtual address",
	         (unsigned long long)fault.addr, fault.vmid, fault.client);
}

/* Accesses outside of the VF's second-level table. */
static void look_second_level(struct gv_pf *pf, unsigned vf)
{
	uint32_t count = gv_rd32(pf->bus, GV_BYTE_N(GVX_VF0_L2_FAULT_COUNT, vf));
	uint32_t more = count - pf->vf[vf].l2_fault_count, status;
	uint64_t addr;

	if (!more)
		return;
	pf->vf[vf].l2_fault_count = count;
	status = gv_rd32(pf->bus, GV_BYTE_N(GVX_VF0_L2_FAULT_STATUS, vf));
	addr = gv_rd32(pf->bus, GV_BYTE_N(GVX_VF0_L2_FAULT_ADDR_LO, vf)) |
	       (uint64_t)gv_rd32(pf->bus, GV_BYTE_N(GVX_VF0_L2_FAULT_ADDR_HI, vf)) << 32;
	gv_wr32(pf->bus, GV_BYTE_N(GVX_VF0_L2_FAULT_STATUS, vf),
	        GV_PUT(GVX_VF0_L2_FAULT_STATUS, VALID, 1));
	record(pf, vf,
	       (struct gv_pf_fault){.addr = addr,
	                            .second_level = true,
	                            .write = GV_GET(status, GVX_VF0_L2_FAULT_STATUS, RW),
	                            .vmid = GV_GET(status, GVX_VF0_L2_FAULT_STATUS, VMID),
	                            .client = GV_GET(status, GVX_VF0_L2_FAULT_STATUS, CLIENT)},
	       more);
}

/* A hub's fault register: VF and VFID say whose it was; without VF it was the PF itself. */
static void look_hub(struct gv_pf *pf, bool mmhub)
{
	uint32_t status = gv_rd32(pf->bus, mmhub ? MMHUB_VM_L2_PROTECTION_FAULT_STATUS__BYTE
	                                         : VM_L2_PROTECTION_FAULT_STATUS__BYTE);
	uint32_t lo, hi, cntl, vf = GV_GET(status, VM_L2_PROTECTION_FAULT_STATUS, VFID);
	uint32_t cntl_byte =
	        mmhub ? MMHUB_VM_L2_PROTECTION_FAULT_CNTL__BYTE : VM_L2_PROTECTION_FAULT_CNTL__BYTE;
	uint64_t addr;

	if (!status || status == UINT32_MAX)
		return;
	lo = gv_rd32(pf->bus, mmhub ? MMHUB_VM_L2_PROTECTION_FAULT_ADDR_LO32__BYTE
	                            : VM_L2_PROTECTION_FAULT_ADDR_LO32__BYTE);
	hi = gv_rd32(pf->bus, mmhub ? MMHUB_VM_L2_PROTECTION_FAULT_ADDR_HI32__BYTE
	                            : VM_L2_PROTECTION_FAULT_ADDR_HI32__BYTE);
	addr = ((uint64_t)hi << 32 | lo) << GV_GPU_PAGE_SHIFT;
	cntl = gv_rd32(pf->bus, cntl_byte);
	gv_wr32(pf->bus, cntl_byte,
	        GV_SET(cntl, VM_L2_PROTECTION_FAULT_CNTL, CLEAR_PROTECTION_FAULT_STATUS_ADDR, 1));
	gv_wr32(pf->bus, cntl_byte, cntl);
	if (!GV_GET(status, VM_L2_PROTECTION_FAULT_STATUS, VF) || !pf_vf_enabled(pf, vf)) {
		pf_event(pf, GV_PF_EVENT_GPU, -1, "the PF itself faulted at 0x%llx, status 0x%08x",
		         (unsigned long long)addr, status);
		return;
	}
	record(pf, vf,
	       (struct gv_pf_fault){.addr = addr,
	                            .mmhub = mmhub,
	                            .write = GV_GET(status, VM_L2_PROTECTION_FAULT_STATUS, RW),
	                            .vmid = GV_GET(status, VM_L2_PROTECTION_FAULT_STATUS, VMID),
	                            .client = GV_GET(status, VM_L2_PROTECTION_FAULT_STATUS, CID)},
	       1);
}

void pf_faults_look(struct gv_pf *pf)
{
	for (unsigned i = 0; pf->has_plan && i < pf->plan.num_vfs; i++)
		look_second_level(pf, i);
	look_hub(pf, false);
	look_hub(pf, true);
}

void pf_fault_interrupt(struct gv_pf *pf, bool mmhub)
{
	look_hub(pf, mmhub);
}
