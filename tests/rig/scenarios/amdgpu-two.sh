# SPDX-License-Identifier: LGPL-2.1-or-later
# scenario: two guests with stock amdgpu on uneven VFs at once; one hangs its ring, then dies at work; its VF goes to another driver and back
# timeout: 900
. "$RIG_REPO/tests/rig/amdgpu/lib.sh"

scenario()
{
	amdgpu_guests
	host_up_with uneven-2 amd1 amd2 || return
	comes_up amd1 0 || return
	comes_up amd2 1 || return
	sees amd1 1024
	sees amd2 512
	both_work
	one_hangs
	one_dies
	its_vf_goes_to_another_driver_and_back
	in_guest amd1 "the kernel has no complaint about any of it" 30 amdgpu-driver quiet
	all_modelled
}

comes_up() # NAME VF
{
	ok "VF$2 to $1" gpuvisor vm attach "$1" "$2" --config
	ok "$1 comes up" guest_start "$1" && in_guest "$1" "amdgpu takes the VF" 150 amdgpu-driver load
}

sees() # NAME MIB
{
	in_guest "$1" "jobs through the render node" 100 gv-render test
	has "$1 has $2 MiB" "video memory $2 MiB" /tmp/rig-check
}

# load_in NAME SECONDS FILE: copies and packets, checked, in the background
load_in() { guest_run "$1" $(($2 + 120)) gv-render load "$2" >"$3" 2>&1 & }

both_work()
{
	local one two
	load_in amd1 20 /run/rig/load1
	one=$!
	load_in amd2 20 /run/rig/load2
	two=$!
	ok "amd1 worked for 20 s" wait $one
	ok "amd2 at the same time" wait $two
	has "amd1 got right results" "errors=0" /run/rig/load1
	has "amd2 got right results" "errors=0" /run/rig/load2
	step "amd1 $(tail -n 1 /run/rig/load1), amd2 $(tail -n 1 /run/rig/load2)"
}

one_hangs()
{
	local one
	load_in amd1 20 /run/rig/load1
	one=$!
	in_guest amd2 "a job hangs the graphics ring, and is thrown out" 150 gv-render hang
	in_guest amd2 "amdgpu has recovered" 60 amdgpu-driver recovered 1
	sees amd2 512
	ok "amd1 worked on" wait $one
	has "amd1 got right results" "errors=0" /run/rig/load1
}

one_dies()
{
	local one
	load_in amd1 15 /run/rig/load1
	one=$!
	load_in amd2 60 /run/rig/load2
	sleep 5
	ok "amd2 is destroyed in the middle of its work" virsh destroy amd2
	ok "amd1 worked on" wait $one
	has "amd1 got right results" "errors=0" /run/rig/load1
	ok "VF1 is clean again" wait_for 60 pool_is 1 claimed
}

its_vf_goes_to_another_driver_and_back()
{
	(unset RIG_GUEST_IMAGE RIG_GUEST_CMDLINE; RIG_GUEST_MIB=512 guest_xml web1) >/run/rig/web1.xml
	ok "amd2 gives VF1 back" gpuvisor vm detach amd2 1 --config
	ok "web1 is defined" virsh define --validate /run/rig/web1.xml
	ok "VF1 to web1" gpuvisor vm attach web1 1 --config
	ok "web1 comes up" guest_start web1
	ok "gpuvisor-guest computes on the VF that amdgpu had" guest_compute web1
	virsh destroy web1 >/dev/null
	ok "web1 gives it back" gpuvisor vm detach web1 1 --config
	comes_up amd2 1
	sees amd2 512
}
