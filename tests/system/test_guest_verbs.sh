#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every verb of gpuvisor-guest with real processes: emulated GPU, manager, guests on four VFs.
set -u
bin=${GV_BIN:?} tests=${GV_TESTS:?} examples=${GV_EXAMPLES:?}
for p in gpuvisor-gpu gpuvisord gpuvisor-guest gv-example; do
	[ -x "$bin/$p" ] || { echo "SKIP: $bin/$p is not built"; exit 77; }
done

dir=$(mktemp -d) failed=0 passed=0 gpu="" daemon=""
cleanup()
{
	[ -z "$daemon" ] || { kill "$daemon" && wait "$daemon"; } 2>/dev/null
	[ -z "$gpu" ] || { kill "$gpu" && wait "$gpu"; } 2>/dev/null
	rm -rf "$dir"
}
trap cleanup EXIT

wait_for() # SOCKET
{
	local i
	for ((i = 0; i < 200; i++)); do
		[ -S "$1" ] && return 0
		sleep 0.1
	done
	echo "FAIL: $1 did not appear"
	tail -n 5 "$dir"/*.log
	exit 1
}

check() # NAME STATUS OUTPUT-FILE
{
	if [ "$2" -eq 0 ]; then
		passed=$((passed + 1)) && echo "ok   $1"
	else
		failed=$((failed + 1)) && echo "FAIL $1" && sed 's/^/     /' "$3"
	fi
}

guest() # VF ARGS...: output in $dir/out
{
	local vf=$1
	shift
	"$bin/gpuvisor-guest" --device "vfio-user:$dir/gpu/vf$vf.sock" "$@" >"$dir/out" 2>&1
}

refuses() # NAME STATUS TEXT ARGS...: without a device
{
	local name=$1 want=$2 text=$3 rc=0
	shift 3
	"$bin/gpuvisor-guest" --device "vfio-user:$dir/none.sock" "$@" >"$dir/out" 2>&1 || rc=$?
	[ $rc -eq "$want" ] && grep -qF -- "$text" "$dir/out"
	check "refuses $name" $? "$dir/out"
}

run_kernel() # VF KERNEL SIZE GRID BLOCK ARGS...
{
	local vf=$1 k=$2 size=$3 grid=$4 block=$5 rc=0
	shift 5
	mkdir -p "$dir/$k"
	{ "$bin/gv-example" gen "$k" "$size" "$dir/$k" &&
		(cd "$dir/$k" && "$bin/gpuvisor-guest" --device "vfio-user:$dir/gpu/vf$vf.sock" run \
			"$examples/$k.co" "$k" --grid "$grid" --block "$block" "$@") &&
		"$bin/gv-example" check "$k" "$size" "$dir/$k"; } >"$dir/out" 2>&1 || rc=$?
	check "run $k${aql:+ as an AQL packet}" $rc "$dir/out"
}

mkdir "$dir/gpu"
cat >"$dir/profile.json" <<END
{"num_vfs": 4, "vfs": [{"fb_mib": 128}, {"fb_mib": 64}, {"fb_mib": 64}, {"fb_mib": 64}]}
END
"$bin/gpuvisor-gpu" --run-dir "$dir/gpu" >"$dir/gpu.log" 2>&1 &
gpu=$!
wait_for "$dir/gpu/pf.sock"
"$bin/gpuvisord" --gpu "vfio-user:$dir/gpu/pf.sock" --profile "$dir/profile.json" \
	--socket "$dir/gpuvisor.sock" >"$dir/daemon.log" 2>&1 &
daemon=$!
wait_for "$dir/gpu/vf3.sock"
wait_for "$dir/gpuvisor.sock"

guest 0 --json info && grep -q '"fb_mib": 128' "$dir/out"
check "info says the frame buffer of the profile" $? "$dir/out"
guest 0 test
check "test passes" $? "$dir/out"
guest 0 --page-table-levels 4 --rlcg --json test && grep -q '"failed": 0' "$dir/out"
check "test passes with 4 levels and RLC-G" $? "$dir/out"
guest 1 --json copy 16M && grep -q '"verified": true' "$dir/out"
check "copy is verified" $? "$dir/out"
guest 1 --page-table-levels 4 copy 1000001
check "copy of an odd size" $? "$dir/out"
! guest 1 copy 1G && grep -q 'out of video memory' "$dir/out"
check "copy beyond the frame buffer says so" $? "$dir/out"

if [ -f "$examples/vector_add.co" ]; then
	# shellcheck disable=SC2086
	for aql in "" --aql; do
		run_kernel 2 vector_add 1003 1003 64 $aql --arg buf:a.bin --arg buf:b.bin --arg out:4012:out.bin --arg u32:1003
		run_kernel 2 matmul_lds 64 64,64 16,16 $aql --arg buf:a.bin --arg buf:b.bin --arg out:16384:out.bin --arg u32:64
		run_kernel 2 reduction_atomics 10000 10240 256 $aql --arg buf:a.bin --arg inout:b.bin:out.bin --arg lds:1024 --arg u32:10000
		run_kernel 2 scratch 1000 1000 64 $aql --arg buf:a.bin --arg out:4000:out.bin --arg u32:1000
		run_kernel 3 seed_ds_read 64 64 64 $aql --arg out:256:out.bin --arg lds:256
	done
	: >"$dir/empty"
	va="$examples/vector_add.co vector_add --grid 64 --block 64"
	# shellcheck disable=SC2086
	{
		refuses "a missing argument" 1 "takes 4 arguments, 3 given" run $va --arg buf:x --arg buf:y --arg out:4:z
		refuses "a wrong kind" 1 "takes buf:, inout: or out:, not u32:" run $va --arg u32:1 --arg buf:y --arg out:4:z --arg u32:1
		refuses "an unknown kernel" 1 "there is: vector_add" run "$examples/vector_add.co" nope --grid 1 --block 1
		refuses "a SPEC of no kind" 2 "unknown kind" run $va --arg foo:1
		refuses "a missing grid" 2 "--grid" run "$examples/vector_add.co" vector_add
		refuses "an empty code object" 1 "the file is empty" run "$dir/empty" x --grid 1 --block 1
		refuses "what is no code object" 1 "not an ELF" run "$0" x --grid 1 --block 1
	}
	guest 3 run $va --arg "buf:$dir/empty" --arg "buf:$dir/empty" --arg out:4:"$dir/z" --arg u32:1
	[ $? -eq 1 ] && grep -q 'the file is empty' "$dir/out"
	check "refuses an empty input" $? "$dir/out"
else
	echo "SKIP: example kernels are not built"
fi
refuses "a size with =" 2 "takes a SIZE" --timeout=5 copy
refuses "an unknown verb" 2 "is no verb" dance
refuses "a size of nothing" 2 "takes a SIZE" copy 0

if [ -x "$tests/system-guest_recover" ]; then
	"$tests/system-guest_recover" "vfio-user:$dir/gpu/vf3.sock" >"$dir/out" 2>&1
	check "a hang and a fault are survived" $? "$dir/out"
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
