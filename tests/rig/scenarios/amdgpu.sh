# SPDX-License-Identifier: LGPL-2.1-or-later
# scenario: Debian's amdgpu, unmodified, in a guest on a VF from libvirt: tests, jobs, ROCr, reloads, reset by the host, a hung ring
# timeout: 600
. "$RIG_REPO/tests/rig/amdgpu/lib.sh"

amdgpu_guests

scenario()
{
	host_up_with uneven-2 amd1 || return
	ok "VF0 to amd1" gpuvisor vm attach amd1 0 --config
	ok "amd1 comes up" guest_start amd1 || return
	gpuvisor trace start >/dev/null
	in_guest amd1 "amdgpu takes the VF, without any module parameter" 120 amdgpu-driver load || { guest_run amd1 20 amdgpu-driver log; return; }
	note
	works
	mailbox_is 0 load
	in_guest amd1 "ROCr lists the agent" 60 'rocminfo | grep "Name: *gfx900"'
	in_guest amd1 "ROCr's kernels on user queues" 120 gv-rocr /examples
	note
	reloads
	the_host_resets_it
	a_ring_hangs
	all_modelled
}

works()
{
	in_guest amd1 "its ring and IB tests pass" 60 amdgpu-driver tests
	in_guest amd1 "jobs through the render node" 100 gv-render test
	in_guest amd1 "the guest's kernel has no complaint" 30 amdgpu-driver quiet
}

reloads()
{
	local i
	gpuvisor trace start >/dev/null
	for i in 1 2 3; do
		quietly guest_run amd1 60 amdgpu-driver unload && quietly guest_run amd1 60 amdgpu-driver load &&
			quietly guest_run amd1 100 gv-render test || { fail "reload $i"; return; }
	done
	pass "unloaded and loaded three times; jobs run each time"
	mailbox_is 0 unload load unload load unload load
	works
	all_modelled no_mistake
}

the_host_resets_it()
{
	gpuvisor trace start >/dev/null
	ok "the host resets the VF" gpuvisor vf reset 0
	in_guest amd1 "amdgpu recovers by itself" 90 amdgpu-driver recovered 1
	mailbox_is 0 flr
	works
}

a_ring_hangs()
{
	gpuvisor trace start >/dev/null
	in_guest amd1 "a job hangs the graphics ring, and is thrown out" 150 gv-render hang
	note
	in_guest amd1 "amdgpu has recovered" 60 amdgpu-driver recovered 2
	in_guest amd1 "the kernel says so, and nothing else" 30 amdgpu-driver quiet "'ring gfx(_low)? timeout|Process information|Failed to initialize parser'"
	mailbox_is 0 tdr
	works
}
