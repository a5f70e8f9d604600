# SPDX-License-Identifier: LGPL-2.1-or-later
# scenario: a hostile guest's DMA is stopped by the IOMMU, its frame-buffer accesses by the second-level table
# timeout: 400

scenario()
{
	local fb victim=0 hostile=1 worker
	host_up_with uneven-2 victim hostile || return
	ok "VF$victim to the victim" gpuvisor vm attach victim $victim --config
	ok "VF$hostile to the hostile guest" gpuvisor vm attach hostile $hostile --config
	ok "the victim comes up" guest_start victim
	ok "the hostile guest comes up" guest_start hostile
	guest_run victim 200 'gv-rig-guest --device vfio:$(vf) work 60' >/run/rig/victim.work 2>&1 &
	worker=$!
	ok "DMA outside the guest's memory" guest_run hostile 150 'gv-rig-guest --device vfio:$(vf) dma-outside'
	dmesg >/run/rig/dmesg
	has "the host kernel's log names the VF" "DMAR.*\[$(vf_bdf $hostile | cut -d: -f2-)\].*(fault|0x)" /run/rig/dmesg
	refused "and no other" grep -E "DMAR.*\[$(vf_bdf $victim | cut -d: -f2-)\].*fault" /run/rig/dmesg
	ok "frame buffer outside the share" guest_run hostile 150 'gv-rig-guest --device vfio:$(vf) fb-outside'
	gpuvisor events >/run/rig/events
	has "gpuvisor events name the VF" "vf-fault.*VF$hostile|VF$hostile.*vf-fault" /run/rig/events
	refused "and no other" grep -E "vf-fault.*VF$victim|VF$victim.*vf-fault" /run/rig/events
	wait $worker
	cat /run/rig/victim.work
	has "the victim never noticed" "errors=0" /run/rig/victim.work
	next_tenant
}

# What one guest left in its VF's memory, the next one does not find.
next_tenant()
{
	ok "the hostile guest writes a secret" guest_run hostile 100 'gv-rig-guest --device vfio:$(vf) fill 5ec2e75ec2e75ec2'
	virsh destroy hostile >/dev/null
	ok "its VF is cleaned" wait_for 60 cleaned 1
	ok "it starts again" guest_start hostile
	ok "the secret is gone" guest_run hostile 200 'gv-rig-guest --device vfio:$(vf) find 5ec2e75ec2e75ec2'
	virsh destroy hostile >/dev/null
	virsh destroy victim >/dev/null
}
cleaned() { gpuvisor events | grep -q "VF$1.*back in the pool"; }
