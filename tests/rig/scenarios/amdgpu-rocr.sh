# SPDX-License-Identifier: LGPL-2.1-or-later
# scenario: Debian's ROCr, unmodified, on amdgpu on a VF in the rig's host: rocminfo, kernels on user queues, a memory fault
# timeout: 300
# cmdline: preempt=full
. "$RIG_REPO/tests/rig/amdgpu/lib.sh"

fault_lines='page fault|for process|in page starting at|sq_intr: error'

scenario()
{
	ok "placeholder firmware" firmware.py /lib/firmware/amdgpu
	pf_up_with uneven-2 || return
	ok "VF0 is for amdgpu" give_to amdgpu "$(vf_bdf 0)" || return
	ok "amdgpu takes VF0" amdgpu-driver load || return
	ok "rocminfo" timeout 60 rocminfo
	cp /tmp/rig-check "$RIG_OUT/rocminfo.log"
	has "it lists the agent" "Name: +gfx900" "$RIG_OUT/rocminfo.log"
	computes
	all_modelled no_mistake
	ok "a memory fault is reported to its process; another one computes beside it" timeout 120 gv-rocr "$RIG_BUILD/examples" fault
	note
	ok "the kernel tells of the fault, and nothing else" amdgpu-driver quiet "$fault_lines"
	amdgpu-driver log >"$RIG_OUT/amdgpu.log"
	has "of the page and what was missing" "no-retry page fault \(src_id:0 ring:40 " "$RIG_OUT/amdgpu.log"
	computes
	ok "amdgpu lets VF0 go" amdgpu-driver unload
	all_modelled
}

computes()
{
	ok "kernels on user queues" timeout 120 gv-rocr "$RIG_BUILD/examples"
	note
	ok "the kernel has no complaint" amdgpu-driver quiet
}
