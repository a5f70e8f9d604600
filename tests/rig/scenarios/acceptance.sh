# SPDX-License-Identifier: LGPL-2.1-or-later
# scenario: acceptance, under the names of IGT's and tp-libvirt's SR-IOV tests
# timeout: 700

scenario()
{
	# libvirt hears of VFs that come later from udev. The host has no other use for amdgpu, which
	# udev would load for them.
	echo "blacklist amdgpu" >/etc/modprobe.d/rig.conf
	/lib/systemd/systemd-udevd --daemon
	host_up_with uneven-2 web1 web2 || return
	ok "nodedev: libvirt knows VF0, and its PF" nodedev_names_pf 0
	igt_sriov_basic
	igt_provisioning
	igt_flr
	tp_libvirt
	igt_throughput
}

# ---- IGT: sriov_basic -----------------------------------------------------------

igt_sriov_basic()
{
	local d=/sys/bus/pci/devices/$PF i
	manager_stop
	echo 0 >"$d/sriov_drivers_autoprobe"
	manager_start uneven-2
	# vfio-pci sets driver_override on VFs of its PFs, and that counts more than autoprobe.
	ok "enable-vfs-autoprobe-off: no host driver gets a VF" all_on vfio-pci 0 1
	manager_stop
	echo 1 >"$d/sriov_drivers_autoprobe"
	manager_start even-4
	ok "enable-vfs-autoprobe-on: 4 VFs, all on vfio-pci" all_on vfio-pci 0 1 2 3
	for i in 0 1 2 3; do
		ok "bind-unbind-vf: unbind VF$i" gpuvisor unbind "$(vf_bdf $i)"
		ok "bind-unbind-vf: bind VF$i" gpuvisor bind "$(vf_bdf $i)"
	done
	refused "bind-unbind-vf: the PF is left alone" gpuvisor unbind "$PF"
}

# ---- IGT: xe_sriov_auto_provisioning, xe_sriov_vram --------------------------------

igt_provisioning()
{
	gpuvisor --json vf list >/run/rig/vfs.json
	ok "fair-allocation: equal shares" python3 "$RIG_REPO/tests/rig/shares.py" equal /run/rig/vfs.json
	ok "exclusive-ranges: no two VFs share memory" python3 "$RIG_REPO/tests/rig/shares.py" exclusive /run/rig/vfs.json
	ok "resources-released-on-vfs-disabling" gpuvisor disable
	ok "resources-released-on-vfs-disabling: no VF in the kernel" test "$(pf_attr sriov_numvfs)" = 0
	ok "selfconfig-reprovision: another split" gpuvisor apply "$RIG_REPO/configs/profiles/uneven-2.json"
	gpuvisor --json vf list >/run/rig/vfs.json
	ok "exclusive-ranges: uneven as well" python3 "$RIG_REPO/tests/rig/shares.py" exclusive /run/rig/vfs.json
	vram_of_vf1 512
	sed 's/"fb_mib": 512/"fb_mib": 256/' "$RIG_REPO/configs/profiles/uneven-2.json" >/run/rig/down.json
	sed 's/"fb_mib": 512/"fb_mib": 768/' "$RIG_REPO/configs/profiles/uneven-2.json" >/run/rig/up.json
	ok "vf-access-after-resize-down: apply" gpuvisor apply /run/rig/down.json
	vram_of_vf1 256
	ok "vf-access-after-resize-up: apply" gpuvisor apply /run/rig/up.json
	vram_of_vf1 768
	ok "back to uneven-2" gpuvisor apply "$RIG_REPO/configs/profiles/uneven-2.json"
}

# The VF on the host itself, opened with the token: no guest has to boot for it.
vram_of_vf1() # MIB
{
	on_vf 1 fb-provisioned >/run/rig/fb 2>&1
	has "vf-access-provisioned: VF1 has all of $1 MiB" "fb_mib=$1" /run/rig/fb
	refused "vf-access-provisioned: nothing is wrong" grep -E "bad=[1-9]" /run/rig/fb
	ok "vf-access-beyond: VF1 reaches nothing behind $1 MiB" on_vf 1 fb-outside
}

on_vf() # VF VERB...
{
	local vf=$1 d=/run/rig/on-vf$1 rc
	shift
	mkdir -p "$d"
	gpuvisor --json vf claim "$vf" --owner rig >"$d/claim" || { cat "$d/claim"; return 1; }
	sed -n 's/.*"vf_token": *"\([^"]*\)".*/\1/p' "$d/claim" >"$d/token"
	gv-rig-guest --device "vfio:$(vf_bdf "$vf")" --vf-token-file "$d/token" "$@"
	rc=$?
	gpuvisor vf release "$vf" --owner rig >"$d/release" 2>&1 || { cat "$d/release"; return 1; }
	return $rc
}

# ---- IGT: xe_sriov_flr ---------------------------------------------------------

igt_flr()
{
	local i pids
	for i in 0 1; do
		ok "flr-each-isolation: VF$i" flr "$i"
		ok "flr-each-isolation: VF$((1 - i)) computes on" on_vf $((1 - i)) work 2
	done
	ok "flr-twice: once" flr 0
	ok "flr-twice: again" flr 0
	ok "flr-twice: VF0 computes" on_vf 0 work 2
	flr 0 & pids=$!
	flr 1 & pids="$pids $!"
	# shellcheck disable=SC2086
	ok "flr-vfs-parallel" wait $pids
	ok "flr-vfs-parallel: VF0 computes" on_vf 0 work 2
	ok "flr-vfs-parallel: VF1 computes" on_vf 1 work 2
}
flr() { echo 1 >"/sys/bus/pci/devices/$(vf_bdf "$1")/reset"; }

# ---- tp-libvirt: sriov, gpu ------------------------------------------------------

tp_libvirt()
{
	ok "hostdev attach, managed no" gpuvisor vm attach web1 0 --config --unmanaged
	ok "hostdev attach: in the definition" sh -c "virsh dumpxml --inactive web1 | grep -q \"managed='no'\""
	refused "exclusive_check: two VMs, one VF" gpuvisor vm attach web2 0 --config
	ok "start_vm_with_gpu_managed_disabled" guest_start web1
	ok "it computes" guest_compute web1
	ok "lifecycle: suspend, resume" sh -c "virsh suspend web1 && sleep 1 && virsh resume web1"
	ok "it computes on" guest_compute web1
	ok "lifecycle: reset" virsh reset web1
	ok "it comes up again" guest_up web1
	ok "it computes after the reset" guest_compute web1
	virsh destroy web1 >/dev/null
	ok "hostdev detach" gpuvisor vm detach web1 0 --config
	ok "start_negative: a VF without a driver, managed no" gpuvisor vm attach web1 0 --config --unmanaged
	refused "start_negative: a claimed VF keeps its driver" gpuvisor unbind "$(vf_bdf 0)"
	gpuvisor unbind "$(vf_bdf 0)" --force
	refused "start_negative: libvirt does not start it" virsh start web1
	gpuvisor bind "$(vf_bdf 0)" --force
	ok "hostdev detach" gpuvisor vm detach web1 0 --config
	ok "all VFs are in the pool" wait_for 60 all_free
	multiple_devices_and_a_new_token
}

# The token in a definition is that of the manager's last start: a restart puts the new one there.
multiple_devices_and_a_new_token()
{
	ok "multiple_devices_passthrough: VF0 to web2" gpuvisor vm attach web2 0 --config
	ok "multiple_devices_passthrough: VF1 to web2" gpuvisor vm attach web2 1 --config
	virsh dumpxml --inactive web2 | grep -o 'vf_token=[^"'"'"']*' | sort -u >/run/rig/token.1
	manager_stop
	manager_start uneven-2
	ok "claims survive the manager" pool_is 0 claimed
	ok "the definition gets the new token" wait_for 20 new_token web2
	ok "web2 starts with it" guest_start web2
	ok "multiple_devices_passthrough: both are there" guest_run web2 10 '[ $(grep -l 0x686c /sys/bus/pci/devices/*/device | wc -l) = 2 ]'
	ok "it computes" guest_compute web2
	virsh destroy web2 >/dev/null
	ok "hostdev detach VF0" gpuvisor vm detach web2 0 --config
	ok "hostdev detach VF1" gpuvisor vm detach web2 1 --config
}
new_token()
{
	virsh dumpxml --inactive "$1" | grep -o 'vf_token=[^"'"'"']*' | sort -u >/run/rig/token.2
	[ "$(wc -l </run/rig/token.2)" = 1 ] && ! cmp -s /run/rig/token.1 /run/rig/token.2
}

# ---- IGT: xe_sriov_scheduling ------------------------------------------------------

# Side by side for ten seconds; neither may have less than half of what the other has.
igt_throughput()
{
	local a b first
	gpuvisor apply "$RIG_REPO/configs/profiles/even-4.json" --force >/dev/null 2>&1
	on_vf 0 work 10 >/run/rig/work.0 2>&1 &
	first=$!
	on_vf 1 work 10 >/run/rig/work.1 2>&1
	wait $first
	a=$(sed -n 's/.*units=\([0-9]*\).*/\1/p' /run/rig/work.0) b=$(sed -n 's/.*units=\([0-9]*\).*/\1/p' /run/rig/work.1)
	ok "equal-throughput: $a and $b units" [ "${a:-0}" -gt $((${b:-1} / 2)) -a "${b:-0}" -gt $((${a:-1} / 2)) ]
}

nodedev_names_pf()
{
	gpuvisor vm nodedev "$1" >/run/rig/nodedev && grep -q phys_function /run/rig/nodedev || { cat /run/rig/nodedev; return 1; }
}

# ---- helpers -------------------------------------------------------------------

all_on() { local want=$1 i; shift; for i; do driver_is "$(vf_bdf "$i")" "$want" || return 1; done; }
manager_stop()
{
	kill "$(pidof gpuvisord)"
	ok "the manager stops and leaves no VF" wait_for 30 sh -c '! pidof gpuvisord'
	[ "$(pf_attr sriov_numvfs)" = 0 ] || fail "VFs are left"
}
