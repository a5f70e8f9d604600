# SPDX-License-Identifier: LGPL-2.1-or-later
# scenario: 50 cycles of attach, compute, unplug, reset, kill, libvirtd restart; nothing leaks
# timeout: 900

scenario()
{
	local i
	host_up_with uneven-2 web1 || return
	guest_start web1 >/dev/null || fail "web1 does not come up"
	for i in $(seq 50); do
		cycle "$i" || { fail "cycle $i"; break; }
		[ $i -ne 4 ] || census >/run/rig/census.before # what is opened or allocated once has been
	done
	[ $i -lt 50 ] || pass "50 cycles of attach, compute, detach"
	unplug_that_nobody_answers
	reset_through_sysfs
	killed_in_the_middle_of_a_kernel
	libvirtd_restarts
	virsh destroy web1 >/dev/null 2>&1
	ok "all VFs are back in the pool" wait_for 60 all_free
	nothing_leaked
}

# One in ten cycles says what it does; each checks the result on the CPU.
cycle() # NUMBER
{
	local vf=$(($1 % 2))
	[ $(($1 % 10)) -ne 1 ] || step "cycle $1: VF$vf"
	quietly gpuvisor vm attach web1 $vf --live &&
		quietly wait_for 20 guest_run web1 5 vf &&
		quietly guest_compute web1 &&
		quietly gpuvisor vm detach web1 $vf --live --timeout 30 &&
		quietly wait_for 30 pool_is $vf free
}

# A guest that is stopped does not press any button.
unplug_that_nobody_answers()
{
	ok "attach to a guest that will not let go" gpuvisor vm attach web1 0 --live
	virsh suspend web1 >/dev/null
	refused "unplug from a suspended guest ends in time" gpuvisor vm detach web1 0 --live --timeout 3
	ok "by force it is taken away" gpuvisor vm detach web1 0 --live --force --timeout 3
	ok "VF0 is back in the pool" wait_for 60 pool_is 0 free
	virsh destroy web1 >/dev/null 2>&1
	ok "the guest starts again" guest_start web1
}

reset_through_sysfs()
{
	ok "attach" gpuvisor vm attach web1 0 --live
	ok "computes" guest_compute web1
	ok "detach" gpuvisor vm detach web1 0 --live --timeout 30
	ok "VF0 is free" wait_for 60 pool_is 0 free
	ok "FLR through sysfs" sh -c "echo 1 >/sys/bus/pci/devices/$(vf_bdf 0)/reset"
	ok "attach after the reset" gpuvisor vm attach web1 0 --live
	ok "computes after the reset" guest_compute web1
	ok "detach" gpuvisor vm detach web1 0 --live --timeout 30
}

killed_in_the_middle_of_a_kernel()
{
	ok "attach" gpuvisor vm attach web1 1 --live
	wait_for 20 guest_run web1 5 vf
	guest_run web1 10 'gv-rig-guest --device vfio:$(vf) spin 100 >/tmp/spin 2>&1 &'
	ok "a kernel spins on VF1" wait_for 30 guest_run web1 5 grep -q spinning /tmp/spin
	kill -9 "$(cat /run/libvirt/qemu/web1.pid)"
	ok "VF1 is back in the pool after SIGKILL" wait_for 60 pool_is 1 free
	ok "the guest starts again" guest_start web1
	ok "attach the same VF" gpuvisor vm attach web1 1 --live
	ok "computes on it" guest_compute web1
	ok "detach" gpuvisor vm detach web1 1 --live --timeout 30
}

libvirtd_restarts()
{
	ok "attach" gpuvisor vm attach web1 0 --live
	kill "$(cat /run/libvirtd.pid)"
	sleep 1
	ok "libvirtd is back" start_libvirt
	ok "the VF is still with web1" wait_for 30 pool_is 0 "in use"
	ok "computes" guest_compute web1
	ok "detach after the restart" gpuvisor vm detach web1 0 --live --timeout 30
	ok "VF0 is free" wait_for 60 pool_is 0 free
}

# What must not grow: descriptors of the manager, IOMMU groups, claims, VFs, memory.
census()
{
	local pid
	pid=$(pidof gpuvisord)
	echo "fds=$(ls "/proc/$pid/fd" | wc -l)"
	echo "groups=$(ls /sys/kernel/iommu_groups | wc -l)"
	echo "vfio=$(ls /dev/vfio | wc -l)"
	echo "claims=$(ls /run/gpuvisor/claims 2>/dev/null | wc -l)"
	echo "vfs=$(pf_attr sriov_numvfs)"
	awk '/VmRSS/ {print $2}' "/proc/$pid/status" >/run/rig/rss_kib
}

nothing_leaked()
{
	local was
	was=$(cat /run/rig/rss_kib)
	census >/run/rig/census.after
	ok "no descriptor, group, claim or VF leaked: $(tr '\n' ' ' </run/rig/census.after)" diff /run/rig/census.before /run/rig/census.after
	ok "the manager's memory stayed: $was, then $(cat /run/rig/rss_kib) KiB" [ "$(cat /run/rig/rss_kib)" -lt $((was + 4096)) ]
}
