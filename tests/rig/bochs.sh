# SPDX-License-Identifier: LGPL-2.1-or-later
# scripts/rig run avx512: what the compute engine compiles for AVX-512 runs on machines without it, in Bochs, an
# interpreter of x86 (QEMU's TCG has no AVX-512). A stock kernel boots there from a CD and runs tests of this build; their
# kernels are compiled out here. tests/rig/avx512/init tells what has to hold. Sourced by scripts/rig.
# shellcheck shell=bash disable=SC2154,SC2034,SC2086 # $rig, $kernel, $out, GV_TARGETS, ... are the caller's; lists of words

PKGS_BOCHS="bochs bochsbios bochs-term vgabios isolinux syslinux-common xorriso"
# Instructions one by one against oracles and models, then kernels of compilers. The first also compares AVX-512 and
# AVX2 with plain C, and tells that AVX-512 is what runs take by themselves. RIG_AVX512_TESTS: only some.
AVX512_TESTS=${RIG_AVX512_TESTS:-cu_modes cu_lanes cu_asm cu_save cu_demo cu_oracle_lanes cu_oracle_salu cu_smem cu_ramp
	cu_buffer cu_memory cu_lds cu_typed cu_items cu_oracle_mem cu_oracle}
# Guest seconds are made of instructions, not of time: so no deadline in a test is too short for Bochs.
AVX512_IPS=400000000

# Fills tests/rig/avx512/clang's folder, and shows what the tests say out here.
avx512_compile() # TOOLS
{
	local t
	mkdir -p "$1/kept"
	cp "$GV_ROOT/tests/rig/avx512/clang" "$1/clang-14"
	for t in lanes asm save demo items; do
		timeout 300 env PATH="$1:$PATH" "$GV_BUILD/tests/device-model-test_cu_$t" >"$out/host-$t.log" 2>&1 ||
			die "test_cu_$t fails even without Bochs: $out/host-$t.log"
	done
	timeout 1200 "$GV_BUILD/tests/gv-programs" --quiet --cache "$rig/programs" >"$out/host-programs.log" 2>&1 ||
		die "gv-programs fails even without Bochs: $out/host-programs.log"
}

# The compiler of the programs does not run in there, but its date is part of the names of what it made. Bochs 2.7
# has one instruction of AVX-512 wrong that we use: VCVTUDQ2PS drops the lowest bit of numbers from 2^31 on before it
# rounds. Only the program "conversions" and two kernels of test_cu_items (see init) meet numbers to which that matters.
avx512_image() # TOOLS
{
	local t=$rig/avx512.tree n
	rm -rf "$t"
	add_busybox "$t"
	mkdir -p "$t"/{tmp,tools,programs} "$t$GV_ROOT/tests"
	for n in $AVX512_TESTS; do add_program "$t" "$GV_BUILD/tests/device-model-test_$n"; done
	add_program "$t" "$GV_BUILD/tests/gv-programs"
	cp -r "$1/." "$t/tools/"
	ln -s clang-14 "$t/tools/ld.lld-14" # the tests ask for it
	cp -r "$GV_ROOT/tests/programs" "$t$GV_ROOT/tests/"
	cp "$rig"/programs/*.{co,ref} "$t/programs/"
	find "$GV_ROOT/tests/programs/src" -type f -printf '%f\n' | cut -d. -f1 | grep -vx conversions >"$t/names"
	echo '#!/bin/false' >"$t/bin/clang-of-programs"
	chmod +x "$t/bin/clang-of-programs"
	touch -r "$(readlink -f "$(command -v clang-14)")" "$t/bin/clang-of-programs"
	cp "$GV_ROOT/tests/rig/avx512/init" "$t/init"
	echo "$AVX512_TESTS" >"$t/tests"
	(cd "$t" && find . | cpio -o -H newc --quiet -R 0:0) >"$1.initrd"
	rm -rf "$t"
}

# Bochs 2.7 names a wrong size for the compact form of XSAVE, at which the kernel would do without AVX: it must not
# use XSAVEC and XSAVES (321, 323). Nor ERMS (297): Bochs stores "rep stosb" byte by byte.
avx512_cd() # INITRD CD
{
	local d=$rig/avx512.cd
	rm -rf "$d"
	mkdir -p "$d/isolinux"
	cp "$kernel"/boot/vmlinuz-* "$d/isolinux/vmlinuz"
	mv "$1" "$d/isolinux/initrd"
	cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$d/isolinux/"
	cat >"$d/isolinux/isolinux.cfg" <<-'X'
		DEFAULT rig
		LABEL rig
		KERNEL vmlinuz
		INITRD initrd
		APPEND console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=reliable no_timer_check clearcpuid=297,321,323
	X
	xorriso -as mkisofs -quiet -o "$2" -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot \
		-boot-load-size 4 -boot-info-table "$d" 2>"$out/xorriso.log" || die "cannot make a CD: $out/xorriso.log"
	rm -rf "$d"
}

# Debian's Bochs has its debugger built in: "c" is to go on.
avx512_config() # CD
{
	printf 'c\nq\n' >"$work/commands"
	cat >"$work/bochsrc" <<-X
		plugin_ctrl: unmapped=1, biosdev=1, extfpuirq=1, serial=1, speaker=0, parallel=0
		display_library: term
		cpu: model=corei7_skylake_x, count=1, ips=$AVX512_IPS, ignore_bad_msrs=1
		megs: 1024
		romimage: file=/usr/share/bochs/BIOS-bochs-latest
		vgaromimage: file=/usr/share/vgabios/vgabios.bin
		ata0-master: type=cdrom, path=$1, status=inserted
		boot: cdrom
		com1: enabled=1, mode=file, dev=$out/console.log
		clock: sync=none
		log: $out/bochs.log
		panic: action=fatal
		error: action=report
		info: action=ignore
	X
}

# Its display is a terminal that it makes itself, and when nobody reads there it stands still.
avx512_screen()
{
	local line
	gv_wait_for 20 grep -qa 'connected to screen' "$out/bochs.out" || return
	line=$(grep -a -m 1 'connected to screen' "$out/bochs.out" | cut -d'"' -f2)
	stty -F "$line" raw -echo && cat "$line" >/dev/null 2>&1
}

run_avx512()
{
	local limit=${timeout_s:-7200} started=$SECONDS bochs line
	out=$rig/logs/avx512
	gv_ensure_packages $PKGS_BOCHS
	GV_TARGETS="gv-programs $(printf 'device-model-test_%s ' $AVX512_TESTS)"
	gv_build "$GV_BUILD" -DCMAKE_BUILD_TYPE=Release
	rm -rf "$out"
	mkdir -p "$out"
	work=$(mktemp -d "$rig/run-XXXXXX")
	avx512_compile "$work/tools"
	avx512_image "$work/tools"
	avx512_cd "$work/tools.initrd" "$work/cd.iso"
	say "rig: avx512 (Bochs, at most $limit s)"
	avx512_config "$work/cd.iso"
	: >"$out/console.log"
	timeout -k 5 "$limit" bochs -f "$work/bochsrc" -rc "$work/commands" </dev/null >"$out/bochs.out" 2>&1 &
	bochs=$!
	avx512_screen &
	tail -s 1 -n +1 -f --pid=$bochs "$out/console.log" | tr -d '\r' | while IFS= read -r line; do
		[ $verbose = yes ] || [[ $line == rig:* ]] || continue
		echo "[$((SECONDS - started)) s] ${line#rig: }"
	done
	wait $bochs
	rm -rf "$work"
	work=""
	if tr -d '\r' <"$out/console.log" | grep -qx 'rig: result 0'; then
		echo "rig: avx512 passed in $((SECONDS - started)) s"
		return 0
	fi
	[ $verbose = yes ] || show_logs
	echo "rig: avx512 FAILED after $((SECONDS - started)) s; logs: $out"
	return 1
}
