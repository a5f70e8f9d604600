# SPDX-License-Identifier: LGPL-2.1-or-later
# scenario: Debian's ROCr, unmodified, on amdgpu on a VF in the rig's host: rocminfo, kernels on user queues by AQL
# timeout: 300
# cmdline: preempt=full
. "$RIG_REPO/tests/rig/amdgpu/lib.sh"

scenario()
{
	ok "placeholder firmware" firmware.py /lib/firmware/amdgpu
	pf_up_with uneven-2 || return
	ok "VF0 is for amdgpu" give_to amdgpu "$(vf_bdf 0)" || return
	ok "amdgpu takes VF0" amdgpu-driver load || return
	ok "rocminfo" timeout 60 rocminfo
	cp /tmp/rig-check "$RIG_OUT/rocminfo.log"
	has "it lists the agent" "Name: +gfx900" "$RIG_OUT/rocminfo.log"
	ok "kernels on user queues" timeout 120 gv-rocr "$RIG_BUILD/examples"
	note
	ok "the kernel has no complaint" amdgpu-driver quiet
	amdgpu-driver log >"$RIG_OUT/amdgpu.log"
	ok "amdgpu lets VF0 go" amdgpu-driver unload
	all_modelled no_mistake
}
