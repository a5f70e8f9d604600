# SPDX-License-Identifier: LGPL-2.1-or-later
# What the amdgpu scenarios share. Sourced by them, after host-lib.sh.
# shellcheck shell=bash

PATH=$RIG_REPO/tests/rig/amdgpu:$PATH

# The output of the last check, for the reader.
note() { sed 's/^/rig:      > /' /tmp/rig-check | cut -c1-150 | tail -n 20; }

# give_to DRIVER BDF: it will be that driver's when it is loaded
give_to()
{
	echo "$1" >"/sys/bus/pci/devices/$2/driver_override" || return 1
	[ ! -e "/sys/bus/pci/devices/$2/driver" ] || echo "$2" >"/sys/bus/pci/devices/$2/driver/unbind"
}

# Domains that are defined from now on boot the image with amdgpu in it.
# shellcheck disable=SC2034 # guest_xml's
amdgpu_guests() { RIG_GUEST_IMAGE=amdgpu.img RIG_GUEST_MIB=1024 RIG_GUEST_CMDLINE=; }

in_guest() { ok "$1: $2" guest_run "$1" "$3" "${@:4}"; } # NAME TEXT SECONDS COMMAND...: a check

# What amdgpu says at its turning points, and what it must be told (docs/amdgpu.md has the diagram).
life_of_a_vf() # WHAT
{
	case $1 in
	load) printf '%s\n' '> REQ_GPU_INIT_DATA' '< REQ_GPU_INIT_DATA_READY' '> REQ_GPU_INIT_ACCESS' '< READY_TO_ACCESS_GPU' '> REL_GPU_INIT_ACCESS' ;;
	flr) printf '%s\n' '< FLR_NOTIFICATION' '> READY_TO_RESET' '< FLR_NOTIFICATION_CMPL' '> REQ_GPU_INIT_ACCESS' '< READY_TO_ACCESS_GPU' '> REL_GPU_INIT_ACCESS' ;;
	tdr) printf '%s\n' '> REQ_GPU_RESET_ACCESS' '< READY_TO_ACCESS_GPU' '> REL_GPU_INIT_ACCESS' ;;
	unload) printf '%s\n' '> REQ_GPU_FINI_ACCESS' '< READY_TO_ACCESS_GPU' '> REL_GPU_FINI_ACCESS' ;;
	esac
}

# A guest has 10 ms for READY_TO_RESET. Where it takes longer the PF resets it without, says so, and says it again when
# the word comes after all (docs/mailbox.md).
without_early_end() { sed '/^< FLR_NOTIFICATION$/{n;/^< FLR_NOTIFICATION_CMPL$/d}'; }

# mailbox_is VF WHAT...: since `gpuvisor trace start` just these were said, in this order
mailbox_is()
{
	local vf=$1 what
	shift
	for what; do life_of_a_vf "$what"; done >/run/rig/life
	gpuvisor trace stop --out /run/rig/trace.json >/dev/null && transcript.py /run/rig/trace.json "$vf" | without_early_end >/run/rig/said
	cp /run/rig/trace.json "$RIG_OUT/"
	ok "the mailbox of VF$vf said what it should: $*" diff /run/rig/life /run/rig/said
}

# all_modelled [no_mistake]: the GPU models all that was asked of it; and no guest did what it may not. (A guest that is reset
# cannot know at what moment its doorbells are shut: one that it rings then counts as a mistake.)
all_modelled()
{
	gpuvisor --json status >/run/rig/status.json
	ok "no access that the GPU does not model${1:+, no mistake of a guest}" python3 -c 'import json, sys
s = json.load(open("/run/rig/status.json"))
print("unimplemented", s["unimplemented"], "guest errors", s["guest_errors"])
sys.exit(1 if s["unimplemented"] or (len(sys.argv) > 1 and s["guest_errors"]) else 0)' "$@"
	note
}
