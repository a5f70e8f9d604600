# SPDX-License-Identifier: LGPL-2.1-or-later
# scenario: an SR-IOV device that is not ours (NVMe): check, binding, XML, attach, events, clear refusals
# device: nvme
# timeout: 300

scenario()
{
	local vf other
	modprobe nvme
	host_modules
	wait_for 10 find_pf || { fail "no SR-IOV device"; return; }
	ok "libvirtd answers" start_libvirt
	checks_of_a_foreign_pf
	echo 0 >"/sys/bus/pci/devices/$PF/sriov_drivers_autoprobe"
	ok "two VFs by sysfs" sh -c "echo 2 >/sys/bus/pci/devices/$PF/sriov_numvfs"
	vf=$(vf_bdf 0) other=$(vf_bdf 1)
	binding "$vf"
	refused_by_name "$vf"
	guest_xml web1 >/run/rig/web1.xml
	guest_xml web2 >/run/rig/web2.xml
	ok "domain web1" virsh define --validate /run/rig/web1.xml
	ok "domain web2" virsh define --validate /run/rig/web2.xml
	gpuvisor vm watch >/run/rig/watch 2>&1 &
	cold_plug "$vf"
	hot_plug "$other"
	ok "the PF still has its host driver" driver_is "$PF" nvme
	kill %1 2>/dev/null
}

checks_of_a_foreign_pf()
{
	gpuvisor check --pf "$PF" >/run/rig/check 2>&1
	has "check says whose GPU it is not" "not .*(gpuvisor|ours)|no GPU for gpuvisord" /run/rig/check
	ok "check finds nothing wrong with it" gpuvisor check --pf "$PF" --json
}

binding() # VF
{
	ok "bind $1 to vfio-pci" gpuvisor bind "$1"
	ok "the kernel agrees" driver_is "$1" vfio-pci
	ok "again changes nothing" gpuvisor bind "$1"
	refused "the PF is never bound" gpuvisor bind "$PF"
	ok "unbind" gpuvisor unbind "$1"
	refused "the kernel agrees" driver_is "$1" vfio-pci
	refused "a driver that is not there" gpuvisor bind "$1" --driver nosuch
}

refused_by_name() # VF
{
	gpuvisor vf show "$1" >/run/rig/show 2>&1
	has "verbs of a manager say that this PF has none" "not managed by gpuvisord \(driver nvme\)" /run/rig/show
	refused "reset of a foreign VF" gpuvisor vf reset "$1"
}

cold_plug() # VF
{
	ok "XML of the VF is valid in a domain" sh -c "gpuvisor --bdf $1 vf xml --domain >/run/rig/vf.xml && virt-xml-validate /run/rig/vf.xml domain"
	ok "attach to the definition" gpuvisor vm attach web1 "$1" --config
	gpuvisor vm list
	refused "the same VF to another domain" gpuvisor vm attach web2 "$1" --config
	ok "web1 comes up" guest_start web1
	ok "the guest sees an NVMe controller" guest_run web1 10 'grep -l 0x010802 /sys/bus/pci/devices/*/class'
	refused "a VF in use is not unbound" gpuvisor unbind "$1"
	virsh destroy web1 >/dev/null
	ok "the watch saw it start" wait_for 10 grep -q "domain-started.*web1" /run/rig/watch
	ok "the watch saw it stop" wait_for 10 grep -q "domain-stopped.*web1" /run/rig/watch
	ok "detach from the definition" gpuvisor vm detach web1 "$1" --config
}

hot_plug() # VF
{
	ok "web2 comes up" guest_start web2
	ok "attach to the running domain" gpuvisor vm attach web2 "$1" --live
	ok "the guest sees it" wait_for 20 guest_run web2 5 'grep -l 0x010802 /sys/bus/pci/devices/*/class'
	ok "detach" gpuvisor vm detach web2 "$1" --live --timeout 30
	refused "the guest sees it no more" guest_run web2 10 'grep -l 0x010802 /sys/bus/pci/devices/*/class'
	ok "the watch saw it leave" wait_for 10 grep -q "device-removed.*web2" /run/rig/watch
	virsh destroy web2 >/dev/null
}
