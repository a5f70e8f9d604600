#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# scripts/sandbox as a user meets it: odd directories, twice, after a crash, wrong use; and eight
# guests at once, each coming back at once, on the VFs of max-16.
set -u
source=${GV_SOURCE:?} build=${GV_BUILD:?}
for p in gpuvisor-gpu gpuvisord gpuvisor gpuvisor-guest; do
	[ -x "$build/bin/$p" ] || { echo "SKIP: $build/bin/$p is not built"; exit 77; }
done
export GV_BUILD=$build
dir=$(mktemp -d /tmp/gvsb-XXXXXX) failed=0
box="$dir/a \"b --c"
sandbox=$source/scripts/sandbox
cleanup()
{
	"$sandbox" stop --dir "$box"
	rm -rf "$dir"
}
trap cleanup EXIT

check() # NAME STATUS
{
	if [ "$2" -eq 0 ]; then
		echo "ok   $1"
	else
		failed=$((failed + 1))
		echo "FAIL $1"
		sed 's/^/     /' "$dir/out" "$dir/err"
	fi
}

sb() # ARGS...: output in out, err
{
	"$sandbox" "$@" >"$dir/out" 2>"$dir/err"
}

one_line() # STATUS-WANTED STATUS: nothing but one line on stderr
{
	[ "$1" -eq "$2" ] && [ ! -s "$dir/out" ] && [ "$(wc -l <"$dir/err")" -eq 1 ]
}

sb start --dir; one_line 2 $?; check "an option without value is wrong use" $?
sb start --dir "$box"; one_line 2 $?; check "start without a profile is wrong use" $?
sb start --dir "$box" --config "$dir/none.json"; one_line 1 $?; check "a profile that is not there" $?
sb status --dir "$box" --json; [ $? -eq 1 ] && grep -q '"ready":false' "$dir/out"; check "not running, says status" $?

began=$SECONDS
sb start --dir "$box" --config "$source/configs/profiles/single.json" --vram-mib 100
[ $? -eq 1 ] && grep -q 'vram_mib: 100 asked' "$dir/err" && [ $((SECONDS - began)) -lt 15 ]
check "a GPU that cannot be ends at once, with its reason" $?

sb start --dir "$box" --config "$source/configs/profiles/max-16.json" --json; check "start in a directory of an odd name" $?
python3 -c '
import json, os, sys
s = json.load(open(sys.argv[1]))
assert s["ready"] and len(s["vfs"]) == 16
for p in [s["socket"], s["pf"]] + [v["socket"] for v in s["vfs"]]:
    assert os.path.isabs(p) and os.path.exists(p), p
' "$dir/out" 2>>"$dir/err"; check "its sockets are where the JSON says" $?
sb start --dir "$box" --config "$source/configs/profiles/single.json"
[ $? -eq 1 ] && grep -q 'already running' "$dir/err"; check "a second start is refused" $?
"$build/bin/gpuvisor" --socket "$box/gpuvisor.sock" vf xml 1 >"$dir/out" 2>"$dir/err" &&
	python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$dir/out" 2>>"$dir/err"
check "its XML is well formed" $?

: >"$dir/out"
for vf in 0 1 2 3 4 5 6 7; do
	for _ in 1 2 3; do
		"$build/bin/gpuvisor-guest" --device="vfio-user:$box/gpu/vf$vf.sock" copy 1M >>"$dir/out" 2>&1 || echo "VF$vf failed" >>"$dir/err"
	done &
	guests="${guests:-} $!"
done
# shellcheck disable=SC2086
wait $guests
! grep -q failed "$dir/err"; check "eight guests at once, three times each" $?

kill -9 "$(cat "$box/daemon.pid")"
sb start --dir "$box" --config "$source/configs/profiles/single.json"; check "start after the manager was killed" $?
kill -9 "$(cat "$box/daemon.pid")" "$(cat "$box/gpu.pid")"
sb start --dir "$box" --config "$source/configs/profiles/single.json"; check "start after both were killed" $?
sb stop --dir "$box"; check "stop" $?
! grep -lsF -f <(echo "$dir") /proc/[0-9]*/cmdline >"$dir/out"; check "nothing is left running" $?
sb stop --dir "$box"; check "stop again" $?
[ $failed -eq 0 ]
