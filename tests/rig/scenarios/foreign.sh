# SPDX-License-Identifier: LGPL-2.1-or-later
# scenario: an SR-IOV device that is not ours (NVMe): binding, XML, attach, events, clear refusals
# device: nvme
# timeout: 300

scenario()
{
	modprobe nvme
	host_modules
	wait_for 10 find_pf || fail "no SR-IOV device"
	step "PF $PF on $(driver_of "$PF")"
	sleep 1
	echo 2 >"/sys/bus/pci/devices/$PF/sriov_numvfs"
	VF=$(vf_bdf 0)
	step "VF $VF, IOMMU group $(group_of "$VF")"
	ok "libvirtd answers" start_libvirt
	guest_xml web1 >/run/rig/web1.xml
	ok "the domain is valid and defined" virsh define --validate /run/rig/web1.xml
	ok "the guest comes up" guest_start web1
	ok "commands run in the guest" guest_run web1 20 uname -a
	virsh destroy web1
}
