# SPDX-License-Identifier: LGPL-2.1-or-later
# scenario: Debian's amdgpu, unmodified, on a VF in the rig's host itself: ring and IB tests, jobs through the render node
# timeout: 300
# cmdline: preempt=full
#
# The driver waits for its PF without giving the one processor away; only a preemptible kernel lets gpuvisord answer.
. "$RIG_REPO/tests/rig/amdgpu/lib.sh"

scenario()
{
	ok "placeholder firmware" firmware.py /lib/firmware/amdgpu
	pf_up_with uneven-2 || return
	ok "VF0 is for amdgpu" give_to amdgpu "$(vf_bdf 0)" || return
	ok "the timeline begins" gpuvisor trace start
	ok "amdgpu takes VF0, without any module parameter" amdgpu-driver load || return
	note
	ok "its ring and IB tests pass" amdgpu-driver tests
	ok "jobs through the render node" gv-render test
	note
	ok "the kernel has no complaint" amdgpu-driver quiet
	ok "amdgpu lets VF0 go" amdgpu-driver unload
	ok "the kernel has no complaint" amdgpu-driver quiet
	mailbox_is 0 load unload
	all_modelled no_mistake
}
