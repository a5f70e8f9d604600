# SPDX-License-Identifier: LGPL-2.1-or-later
# scenario: one guest with a VF passes its self test and comes back (the quickest whole way)
# timeout: 240

scenario()
{
	host_up_with uneven-2 web1 || return
	gpuvisor vf xml 0 >/dev/null 2>/run/rig/note
	has "vf xml says that a token is needed" "vm attach" /run/rig/note
	ok "VF0 to web1" gpuvisor vm attach web1 0 --config
	ok "web1 comes up" guest_start web1
	ok "self test on the VF" guest_run web1 100 'gpuvisor-guest --device vfio:$(vf) test'
	cat /tmp/rig-check
	ok "a kernel" guest_compute web1
	virsh destroy web1 >/dev/null
	ok "VF0 is back in the pool" wait_for 60 pool_is 0 claimed
	gpuvisor events
}
