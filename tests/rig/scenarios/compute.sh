# SPDX-License-Identifier: LGPL-2.1-or-later
# scenario: docs/walkthrough.md as it stands: PF on vfio-pci, two domains with a VF each, both compute
# timeout: 420

scenario()
{
	host_modules || fail "no KVM or VFIO"
	ok "libvirtd answers" start_libvirt
	mkdir -p /run/rig/domains
	guest_xml web1 >/run/rig/domains/web1.xml
	guest_xml web2 >/run/rig/domains/web2.xml
	export PROFILES=$RIG_REPO/configs/profiles DOMAINS=/run/rig/domains
	walk "$RIG_REPO/docs/walkthrough.md" || fail "the walk ended early"
	find_pf
	cp /run/gpuvisord.log /run/rig/*.log "$RIG_OUT/"
	lspci -vv -s "$PF" >"$RIG_OUT/lspci.txt" 2>&1
	has "lspci decodes SR-IOV" "Single Root I/O Virtualization" "$RIG_OUT/lspci.txt"
	has "two of four VFs are enabled" "Number of VFs: 2" "$RIG_OUT/lspci.txt"
	has "lspci shows the GPUIOV capability" "Vendor Specific Information: ID=0002 Rev=[0-9]+ Len=" "$RIG_OUT/lspci.txt"
	ok "the manager says that VF0 is free" pool_is 0 free
	ok "the manager says that VF1 is free" pool_is 1 free
	ok "no token is in the manager's log" token_free /run/gpuvisord.log
}

token_free() { ! grep -qiE '[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}' "$1"; }
