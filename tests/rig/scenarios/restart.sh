# SPDX-License-Identifier: LGPL-2.1-or-later
# scenario: the manager, unprivileged, is killed, restarted and upgraded while two domains compute
# timeout: 1000

KILLS=3
program=/run/rig/bin/gpuvisord # what an upgrade replaces
boot() { gpuvisor --json status | python3 -c "import json, sys; print(json.load(sys.stdin)['boot']['$1'])"; }

scenario()
{
	host_modules && find_pf || { fail "no KVM, VFIO or SR-IOV device"; return; }
	ok "PF $PF on vfio-pci" bind_pf vfio-pci || return
	ok "libvirtd answers" start_libvirt || return
	ok "user gpuvisor, and what systemd-tmpfiles makes" make_user || return
	ok "the PF is handed to group gpuvisor" gpuvisord --prepare --gpu "vfio:$PF" --allow-group gpuvisor || return
	keeper_start uneven-2 || return
	guests_start || return
	guests_work
	kills
	upgrade
	work_ends
	mailbox_while_away
	libvirtd_restarts
	ok "the host saw no fault of the IOMMU" sh -c "! dmesg | grep -i 'DMAR.*fault'"
	the_end
}

# ---- a host on which nothing of it is root's ------------------------------------------

make_user()
{
	useradd --system --user-group --groups libvirt gpuvisor &&
		install -d -o gpuvisor -g gpuvisor -m 755 /run/gpuvisor /run/gpuvisor/claims &&
		install -d -o gpuvisor -g gpuvisor -m 711 /run/gpuvisor/vf &&
		install -d -o gpuvisor -g gpuvisor -m 750 /run/rig/state &&
		install -o gpuvisor -g gpuvisor -m 600 /dev/null /run/gpuvisor/claims/.lock &&
		install -D "$RIG_BIN/gpuvisord" $program && install -D "$RIG_BIN/gpuvisor-keeper" /run/rig/bin/gpuvisor-keeper
}

keeper_start() # PROFILE
{
	cp "$RIG_REPO/configs/profiles/$1.json" /run/rig/profile.json
	ulimit -l unlimited
	setpriv --reuid gpuvisor --regid gpuvisor --init-groups --bounding-set=-all --inh-caps=-all --no-new-privs \
		/run/rig/bin/gpuvisor-keeper $program --gpu "vfio:$PF" --profile /run/rig/profile.json --state-dir /run/rig/state \
		>>"$RIG_OUT/gpuvisord.log" 2>&1 &
	keeper=$!
	ok "gpuvisord with $1, under a keeper" wait_for 60 gpuvisor status || return
	ok "its user is gpuvisor, it has no capability and is in its filter" unprivileged
}

unprivileged()
{
	local s
	s=/proc/$(pidof gpuvisord)/status
	cat "$s"
	[ "$(awk '/^Uid/ {print $2}' "$s")" = "$(id -u gpuvisor)" ] && grep -q '^CapEff:.*\b0000000000000000$' "$s" &&
		grep -q '^Seccomp:.*2$' "$s" && grep -q '^NoNewPrivs:.*1$' "$s"
}

# ---- guests -------------------------------------------------------------------------------

guests_start()
{
	local i=0 d
	for d in web1 web2; do
		guest_xml $d >/run/rig/$d.xml
		ok "domain $d is defined" virsh define --validate /run/rig/$d.xml || return
		ok "VF$i to $d" gpuvisor vm attach $d $i --config || return
		ok "$d starts" virsh start $d || return
		i=$((i + 1))
	done
	for d in web1 web2; do ok "$d is up" guest_up $d 300 || return; done
}

# Verified work in both, for longer than what is done to the manager takes: it ends with the file "stop".
guests_work()
{
	local d
	for d in web1 web2; do
		guest_run $d 10 'rm -f /tmp/rounds; (while [ ! -e /tmp/stop ]; do gv-rig-guest --device vfio:$(vf) work 20 || echo "failed $?"; done; echo over) >/tmp/rounds 2>&1 &'
		ok "$d computes" wait_for 60 guest_run $d 5 'grep -q . /tmp/rounds || pidof gv-rig-guest'
	done
	sleep 10 # into the work of the first round
}

work_ends()
{
	local d i=0 file
	for d in web1 web2; do
		file=$RIG_OUT/rounds.$d.log
		guest_run $d 10 'touch /tmp/stop'
		wait_for 150 guest_run $d 10 grep over /tmp/rounds
		guest_run $d 10 cat /tmp/rounds >"$file"
		ok "$d's work is over" grep over "$file"
		ok "all of it was right: $(grep -c units "$file") rounds" work_is_right "$file" $i
		i=$((i + 1))
	done
}

# A guest that is slower than its time of exclusive access is reset while it sets its VF up: on a busy
# machine this happens, manager or not, and is in the log. Nothing else may end a round.
work_is_right() # FILE VF
{
	local late
	cat "$1"
	late=$(grep -c "VF$2: reset begins: exclusive access was kept too long" "$RIG_OUT/gpuvisord.log")
	[ "$(grep -c failed "$1")" -le "$late" ] && [ "$(grep -c 'units=[1-9]' "$1")" -ge 2 ] && ! grep -q 'errors=[1-9]' "$1"
}

# ---- what is done to the manager -------------------------------------------------------------

# back PID: another than this one answers
back() { local now; now=$(pidof gpuvisord) && [ "$now" != "$1" ] && gpuvisor status; }

nobody_noticed() # WHAT
{
	ok "$1: it took the GPU over" test "$(boot path)" = taken-over
	ok "$1: both VFs are there" test "$(pf_attr sriov_numvfs)" = 2
	ok "$1: both domains run, and the manager knows it of them" wait_for 90 both_run
}

both_run() { [ "$(virsh list --name --state-running | grep -c web)" = 2 ] && pool_is 0 "in use" && pool_is 1 "in use"; }

kills()
{
	local i pid
	for i in $(seq $KILLS); do
		pid=$(pidof gpuvisord)
		sleep "$((RANDOM % 3)).$((RANDOM % 10))"
		kill -KILL "$pid"
		ok "killed, $i of $KILLS: the keeper brings it back" wait_for 60 back "$pid" || return
		nobody_noticed "killed, $i"
	done
}

upgrade()
{
	local pid
	pid=$(pidof gpuvisord)
	cp $program $program.new && mv $program.new $program
	kill -HUP $keeper
	ok "SIGHUP: the keeper replaces it" wait_for 60 back "$pid" || return
	ok "it is the new file" test "$(stat -L -c %i "/proc/$(pidof gpuvisord)/exe")" = "$(stat -c %i $program)"
	nobody_noticed upgraded
}

# A guest that sets its VF up while nobody is there waits, and is served.
mailbox_while_away()
{
	local pid
	pid=$(pidof gpuvisord)
	kill -KILL "$pid"
	ok "web1 sets its VF up and computes, begun without a manager" guest_compute web1
	ok "which is back" wait_for 60 back "$pid"
	ok "web2 as well" guest_compute web2
}

# The manager's connection is made anew inside of its system call filter: else it would not hear of the end.
libvirtd_restarts()
{
	kill "$(cat /run/libvirtd.pid)"
	sleep 1
	ok "libvirtd is back" start_libvirt
}

the_end()
{
	local d
	for d in web1 web2; do virsh destroy $d >/dev/null 2>&1; done
	ok "the VFs are clean and claimed" wait_for 120 sh -c 'gpuvisor vf show 0 | grep -qiE "pool:? +claimed" && gpuvisor vf show 1 | grep -qiE "pool:? +claimed"'
	kill -TERM $keeper
	ok "SIGTERM: the keeper ends it" wait_for 60 sh -c '! pidof gpuvisord && ! pidof gpuvisor-keeper'
	ok "no VF is left" test "$(pf_attr sriov_numvfs)" = 0
}
