# SPDX-License-Identifier: LGPL-2.1-or-later
# What scenarios are written with. Sourced inside the rig's host machine.
# shellcheck shell=bash
#
#   step TEXT                 progress, with the host's uptime
#   ok TEXT COMMAND...        a check: the command must succeed (its output is shown when it does not)
#   refused TEXT COMMAND...   a check: the command must fail, and not by a signal or a timeout
#   has TEXT PATTERN FILE     a check: the file has a line that matches
#   wait_for SECONDS COMMAND...
# The scenario is the function `scenario`. It has passed when every check held and at least one ran.

RIG_BIN=$RIG_BUILD/bin
RIG_SOCKET=/run/gpuvisor/gpuvisor.sock
rig_checks=0 rig_failed=0
export PATH=$RIG_BIN:$PATH

uptime_s() { cut -d' ' -f1 /proc/uptime; }
step() { echo "rig: [$(uptime_s)] $*"; }
pass() { rig_checks=$((rig_checks + 1)); echo "rig: [$(uptime_s)] ok      $*"; }
fail()
{
	rig_checks=$((rig_checks + 1)) rig_failed=$((rig_failed + 1))
	echo "rig: [$(uptime_s)] FAILED  $*"
}

ok()
{
	local what=$1 rc
	shift
	"$@" >/tmp/rig-check 2>&1
	rc=$?
	if [ $rc -eq 0 ]; then pass "$what"; else fail "$what (exit $rc: $*)"; sed 's/^/rig:      | /' /tmp/rig-check | tail -n 40; fi
	return $rc
}

# quietly COMMAND...: its output only when it fails
quietly()
{
	local rc
	"$@" >/tmp/rig-check 2>&1
	rc=$?
	[ $rc -eq 0 ] || { echo "rig:      $* (exit $rc)"; sed 's/^/rig:      | /' /tmp/rig-check | tail -n 20; }
	return $rc
}

refused()
{
	local what=$1 rc
	shift
	"$@" >/tmp/rig-check 2>&1
	rc=$?
	if [ $rc -ne 0 ] && [ $rc -lt 124 ]; then pass "$what: $(tail -n 1 /tmp/rig-check)"; else fail "$what (exit $rc: $*)"; sed 's/^/rig:      | /' /tmp/rig-check | tail -n 20; fi
}

has()
{
	if grep -qE -- "$2" "$3"; then pass "$1"; else fail "$1: no line of ${3##*/} matches $2"; tail -n 15 "$3" | sed 's/^/rig:      | /'; fi
}

wait_for()
{
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.2
	done
}

rig_finish()
{
	step "$rig_checks checks, $rig_failed failed"
	cp /var/log/libvirt/qemu/*.log "$RIG_OUT" 2>/dev/null
	[ $rig_failed -eq 0 ] && [ $rig_checks -gt 0 ]
}

# ---- the SR-IOV device -------------------------------------------------------

# find_pf: sets PF to the address of the one SR-IOV device of this machine
find_pf()
{
	local d
	PF=
	for d in /sys/bus/pci/devices/*; do
		[ -e "$d/sriov_totalvfs" ] && PF=${d##*/} && break
	done
	[ -n "$PF" ]
}
pf_attr() { cat "/sys/bus/pci/devices/$PF/$1"; }
vf_bdf() { basename "$(readlink "/sys/bus/pci/devices/$PF/virtfn$1")"; }
driver_of() { basename "$(readlink "/sys/bus/pci/devices/$1/driver" 2>/dev/null)" 2>/dev/null; }
driver_is() { [ "$(driver_of "$1")" = "$2" ]; }

# host_modules: KVM and VFIO, as a host administrator would
host_modules()
{
	modprobe -q kvm_amd || modprobe -q kvm_intel || true
	modprobe vfio_iommu_type1 && modprobe vfio-pci enable_sriov=1
}

bind_pf() # DRIVER
{
	echo "$1" >"/sys/bus/pci/devices/$PF/driver_override" && echo "$PF" >/sys/bus/pci/drivers_probe && driver_is "$PF" "$1"
}

# ---- libvirt -----------------------------------------------------------------

# Probing QEMU takes libvirtd ten seconds here: its own cache is kept between runs.
start_libvirt()
{
	mkdir -p /var/cache/libvirt /run/libvirt
	[ ! -d "$RIG_OUT/cache" ] || cp -a "$RIG_OUT/cache/." /var/cache/libvirt/
	printf '%s\n' 'user="root"' 'group="root"' 'security_driver="none"' 'stdio_handler="file"' 'cgroup_controllers=[]' \
		'namespaces=[]' >/etc/libvirt/qemu.conf
	libvirtd -d
	wait_for 90 virsh domcapabilities --virttype "${RIG_DOMAIN_TYPE:-kvm}" || return 1
	mkdir -p "$RIG_OUT/cache" && cp -a /var/cache/libvirt/. "$RIG_OUT/cache/"
}

# ---- guests ------------------------------------------------------------------

# guest_xml NAME: a domain without VF. Its second serial port takes commands (see guest_run).
# RIG_GUEST_IMAGE: its initramfs; RIG_GUEST_CMDLINE: what its kernel is told, by default to use its IOMMU.
guest_xml()
{
	local name=$1 port
	port=$(guest_port "$name")
	cat <<X
<domain type='${RIG_DOMAIN_TYPE:-kvm}' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>$name</name><memory unit='MiB'>${RIG_GUEST_MIB:-512}</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type><kernel>$RIG_KERNEL/vmlinux</kernel><initrd>$RIG_KERNEL/${RIG_GUEST_IMAGE:-guest.img}</initrd>
    <cmdline>console=ttyS0 quiet panic=-1 ${RIG_GUEST_CMDLINE-intel_iommu=on,sm_off} mitigations=off nokaslr tsc=reliable no_timer_check</cmdline></os>
  <features><acpi/><ioapic driver='qemu'/></features>
  <cpu mode='host-passthrough'/>
  <on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</on_crash>
  <devices>
    <controller type='pci' model='pcie-root'/>
    <controller type='pci' model='pcie-root-port'/><controller type='pci' model='pcie-root-port'/>
    <controller type='pci' model='pcie-root-port'/><controller type='usb' model='none'/>
    <serial type='file'><source path='/run/rig/$name.log'/><target port='0'/></serial>
    <serial type='tcp'><source mode='bind' host='127.0.0.1' service='$port'/><protocol type='raw'/><target port='1'/></serial>
    <memballoon model='none'/>
    <iommu model='intel'><driver intremap='on' caching_mode='on'/></iommu>
  </devices>
  <!-- Room for a VF's 256 MiB aperture in ports where one may be plugged in later. -->
  <qemu:commandline>
    <qemu:arg value='-global'/><qemu:arg value='pcie-root-port.pref64-reserve=512M'/>
  </qemu:commandline>
</domain>
X
}
guest_port() { echo $((5000 + $(printf '%s' "$1" | cksum | cut -d' ' -f1) % 1000)); }

guest_start() # NAME
{
	virsh start "$1" && guest_up "$1"
}
guest_up() { wait_for "${2:-120}" guest_run "$1" 5 true || { tail -n 30 "/run/rig/$1.log"; return 1; }; }

# guest_run NAME SECONDS COMMAND...: run a command in the guest, print its output, give its status.
# 124: no answer in time. One at a time per guest.
guest_run()
{
	local name=$1 seconds=$2 line fd deadline tag=$RANDOM$RANDOM
	shift 2
	exec {fd}<>"/dev/tcp/127.0.0.1/$(guest_port "$name")" || return 125
	printf '%s %s\n' "@$tag" "$*" >&$fd
	deadline=$((SECONDS + seconds))
	while [ $SECONDS -le $deadline ] && IFS= read -r -t $((deadline - SECONDS + 1)) line <&$fd; do
		line=${line%$'\r'}
		if [[ $line == "@$tag "* ]]; then
			exec {fd}>&-
			return "${line##* }"
		fi
		[[ $line == @* ]] || printf '%s\n' "$line"
	done
	exec {fd}>&-
	return 124
}

# ---- documents that are run ----------------------------------------------------

# walk FILE: runs the shell blocks of a document. A fence says where: "```sh host", "```sh host refused"
# (must fail), "```sh guest NAME", "```sh guests NAME NAME" (at the same time). Variables of host
# blocks live on. The walk ends with the first block that fails.
walk()
{
	local file=$1 dir=/run/rig/walk n=0 head
	rm -rf $dir && mkdir -p $dir
	: >$dir/env
	awk -v dir=$dir '
		/^```sh / { n++; sub(/^```sh /, ""); print > (dir "/" n ".head"); inside = 1; next }
		/^```/ { inside = 0; next }
		inside { print > (dir "/" n ".sh") }' "$file"
	while n=$((n + 1)) && [ -f $dir/$n.sh ]; do
		head=$(cat $dir/$n.head)
		case $head in
		host) ok "$head: $(head -n 1 $dir/$n.sh | cut -c1-70) ..." walk_host $dir $n || return 1 ;;
		"host refused") refused "$(head -n 1 $dir/$n.sh)" walk_host $dir $n ;;
		"guest "* | "guests "*)
			# shellcheck disable=SC2086
			ok "$head: $(tail -n 1 $dir/$n.sh | cut -c1-60)" walk_guests $dir/$n.sh ${head#* } || return 1
			;;
		*) fail "$file: a block of an unknown kind: $head"; return 1 ;;
		esac
		sed "s/^/rig:      > /" /tmp/rig-check | cut -c1-150 | tail -n 60
	done
	[ $n -gt 1 ]
}

walk_host() # DIR N
{
	bash -euo pipefail -c '. "$1/env"; set -a; . "$1/$2.sh"; set +a; export -p >"$1/env"' walk "$1" "$2"
}

walk_guests() # FILE NAME...
{
	local file=$1 name pids=() rc=0 p
	shift
	for name; do walk_guest "$name" "$file" & pids+=($!); done
	for p in "${pids[@]}"; do wait "$p" || rc=$?; done
	return $rc
}

walk_guest() # NAME FILE
{
	local line rc=0
	guest_up "$1" || return 1
	while IFS= read -r line <&9; do
		guest_run "$1" 150 "$line" || { rc=$?; break; }
	done 9<"$2"
	return $rc
}

# ---- a host with our GPU --------------------------------------------------------

# host_up_with PROFILE DOMAIN...: PF on vfio-pci, manager with the profile, libvirtd, domains defined
host_up_with()
{
	local profile=$1 d
	shift
	pf_up_with "$profile" || return 1
	ok "libvirtd answers" start_libvirt || return 1
	for d; do
		guest_xml "$d" >"/run/rig/$d.xml"
		ok "domain $d is defined" virsh define --validate "/run/rig/$d.xml" || return 1
	done
}

pf_up_with() # PROFILE: PF on vfio-pci, manager with the profile
{
	host_modules && find_pf || { fail "no KVM, VFIO or SR-IOV device"; return 1; }
	ok "PF $PF on vfio-pci" bind_pf vfio-pci || return 1
	manager_start "$1"
}

manager_start() # PROFILE
{
	mkdir -p /run/gpuvisor
	gpuvisord --gpu "vfio:$PF" --profile "$RIG_REPO/configs/profiles/$1.json" >>"$RIG_OUT/gpuvisord.log" 2>&1 &
	ok "gpuvisord with $1" wait_for 60 gpuvisor status
}

guest_compute() # NAME: a kernel whose result is compared with the CPU's
{
	# shellcheck disable=SC2016 # $(vf) is the guest's
	guest_run "$1" 60 'mkdir -p /tmp/v && gv-example gen vector_add 10007 /tmp/v && gpuvisor-guest --device vfio:$(vf) run /examples/vector_add.co vector_add --grid 10007 --block 256 --arg buf:/tmp/v/a.bin --arg buf:/tmp/v/b.bin --arg out:40028:/tmp/v/out.bin --arg u32:10007 && gv-example check vector_add 10007 /tmp/v'
}

pool_is() # VF STATE
{
	gpuvisor vf show "$1" >/tmp/rig-pool 2>&1
	grep -qiE "pool:? +$2" /tmp/rig-pool
}
all_free() { pool_is 0 free && pool_is 1 free; }
