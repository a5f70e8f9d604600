# SPDX-License-Identifier: LGPL-2.1-or-later
# What the scripts share: where things are, packages, build, messages. Sourced, not run.
# shellcheck shell=bash

GV_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
GV_BUILD=${GV_BUILD:-$GV_ROOT/build}

# Debian packages by what needs them.
GV_PKGS_BUILD="gcc libc6-dev make cmake ninja-build pkg-config libjson-c-dev libcunit1-dev libelf-dev
	libmsgpack-dev libsystemd-dev libvirt-dev libxml2-dev"
GV_PKGS_KERNELS="clang-14 lld-14 llvm-14"
GV_PKGS_XML="libvirt-clients libvirt0 libxml2-utils"
GV_PKGS_TEST="clang libclang-rt-14-dev clang-format python3 python3-jsonschema $GV_PKGS_XML"

die()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

say()
{
	printf '\n== %s\n' "$*"
}

gv_missing_packages()
{
	local p
	for p in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || echo "$p"
	done
}

# gv_ensure_packages PKG...: install what is missing, or say clearly what to install.
gv_ensure_packages()
{
	local missing run=""

	command -v dpkg-query >/dev/null || die "this is not a Debian machine: install the equivalents of: $*"
	missing=$(gv_missing_packages "$@")
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
			run="sudo -n"
		else
			die "Debian packages are missing and this user may not install them; as root run:
  apt-get install --no-install-recommends $(echo $missing)"
		fi
	fi
	echo "installing Debian packages: $(echo $missing)"
	$run apt-get -qq update >/dev/null || die "apt-get update failed: check /etc/apt/sources.list and the network"
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive $run apt-get -qq install -y --no-install-recommends $missing >/dev/null ||
		die "apt-get could not install: $(echo $missing)"
}

# gv_build DIR [cmake args]: configure, build (all, or $GV_TARGETS), quiet unless it fails.
gv_build()
{
	local dir=$1 log=$1.log
	shift

	mkdir -p "$dir"
	if ! { [ -f "$dir/build.ninja" ] && [ $# -eq 0 ]; }; then
		cmake -S "$GV_ROOT" -B "$dir" -G Ninja "$@" >"$log" 2>&1 || { cat "$log" >&2; die "configuring $dir failed"; }
		grep -E '^-- +GV_WITH|^-- gpuvisor' "$log" || true
	fi
	# shellcheck disable=SC2086
	ninja -C "$dir" ${GV_TARGETS:-} >"$log" 2>&1 || { tail -n 60 "$log" >&2; die "building $dir failed (whole log: $log)"; }
	rm -f "$log"
}

# gv_wait_for SECONDS COMMAND...: until the command succeeds; 1 when the time is over.
gv_wait_for()
{
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.05
	done
}
