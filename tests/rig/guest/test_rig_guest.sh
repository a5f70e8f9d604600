#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The verbs of gv-rig-guest on a sandbox: what the nested rig's guests do, without the rig.
set -u
source=${GV_SOURCE:?} build=${GV_BUILD:?}
for p in gpuvisor-gpu gpuvisord gpuvisor gv-rig-guest; do
	[ -x "$build/bin/$p" ] || { echo "SKIP: $build/bin/$p is not built"; exit 77; }
done
export GV_BUILD=$build
dir=$(mktemp -d /tmp/gvrg-XXXXXX) failed=0
sandbox=$source/scripts/sandbox
cleanup()
{
	"$sandbox" stop --dir "$dir/box"
	rm -rf "$dir"
}
trap cleanup EXIT

rig() # VF VERB [ARG]
{
	local vf=$1
	shift
	timeout 60 "$build/bin/gv-rig-guest" --device "vfio-user:$dir/box/gpu/vf$vf.sock" "$@"
}

check() # STATUS-WANTED TEXT VF VERB [ARG]: TEXT is in what it prints
{
	local want=$1 text=$2 rc=0
	shift 2
	rig "$@" >"$dir/out" 2>&1 || rc=$?
	if [ $rc -eq "$want" ] && grep -q -- "$text" "$dir/out"; then
		echo "ok   $* ($(grep -c '^ok' "$dir/out") findings)"
	else
		failed=$((failed + 1))
		echo "FAIL $*: status $rc, '$text' wanted"
		sed 's/^/     /' "$dir/out"
	fi
}

# VF1's share is smaller than its aperture, so that the aperture has an outside.
echo '{"num_vfs": 2, "vfs": [{"fb_mib": 256}, {"fb_mib": 128}]}' >"$dir/profile.json"
"$sandbox" start --config "$dir/profile.json" --dir "$dir/box" >"$dir/out" 2>&1 ||
	{ cat "$dir/out"; exit 1; }

check 0 "fb_mib=256" 0 fb-provisioned
check 0 "fb_mib=128" 1 fb-provisioned
check 0 "bad=0" 1 irq

rig 0 work 8 >"$dir/victim" 2>&1 &
victim=$!
check 0 "bad=0" 1 dma-outside
check 0 "aperture past the share: 0 of" 1 fb-outside
check 0 "spinning" 1 spin 1
wait $victim
if grep -q "^units=[1-9][0-9]* .* errors=0 " "$dir/victim"; then
	echo "ok   the neighbour did not notice: $(tail -n 1 "$dir/victim")"
else
	failed=$((failed + 1))
	echo "FAIL the neighbour:"
	cat "$dir/victim"
fi

check 0 "filled_mib=" 1 fill 5ec2e75ec2e75ec2
check 0 "SDMA: not in 128 MiB" 1 find 5ec2e75ec2e75ec2
check 1 "FOUND" 1 find 0
check 1 "no 64-bit" 1 find secret
check 2 "wrong number" 1 spin
[ $failed -eq 0 ]
