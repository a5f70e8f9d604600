# SPDX-License-Identifier: LGPL-2.1-or-later
# What the scripts share: where things are, packages, build, messages. Sourced, not run.
# shellcheck shell=bash

GV_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
GV_BUILD=${GV_BUILD:-$GV_ROOT/build}

# Debian packages by what needs them.
GV_PKGS_BUILD="gcc libc6-dev make cmake ninja-build pkg-config libjson-c-dev libcunit1-dev libelf-dev
	libmsgpack-dev libsystemd-dev libmicrohttpd-dev libseccomp-dev libvirt-dev libxml2-dev"
GV_PKGS_KERNELS="clang-14 lld-14 llvm-14"
GV_PKGS_ROCM="clang-15 lld-15 rocm-device-libs" # math builtins
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

gv_codename() { (. /etc/os-release && echo "${VERSION_CODENAME:-}"); }

# ---- an apt state of our own: looks at other suites and changes nothing on this machine ----

# gv_apt_sources TYPE [SUITE...]: the machine's own archives of its Debian release as TYPE (deb,
# deb-src), plus the suites on the archive that carries the release itself.
gv_apt_sources()
{
	python3 - "$(gv_codename)" "$@" <<'X'
import glob, re, sys

codename, kind, extra = sys.argv[1], sys.argv[2], sys.argv[3:]

def stanzas():
    for name in glob.glob("/etc/apt/sources.list.d/*.sources"):
        for text in re.split(r"\n\s*\n", open(name).read()):
            fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t].*)*)", text, re.M))
            if fields.get("Enabled", "yes").strip().lower() == "no":
                continue
            yield (fields.get("URIs", "").split(), fields.get("Suites", "").split(),
                   fields.get("Components", "").split(), fields.get("Signed-By", ""))
    for name in ["/etc/apt/sources.list"] + glob.glob("/etc/apt/sources.list.d/*.list"):
        try:
            lines = open(name).read().splitlines()
        except OSError:
            continue
        for line in lines:
            m = re.match(r"\s*deb(?:-src)?\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)", line)
            if m:
                key = re.search(r"signed-by=(\S+)", m[1] or "", re.I)
                yield [m[2]], [m[3]], m[4].split(), key[1] if key else ""

seen = set()
for uris, suites, components, key in stanzas():
    ours = [s for s in suites if s == codename or s.startswith(codename + "-")
            or s.startswith(codename + "/")]
    if codename in ours:
        ours += [s for s in extra if s not in ours]
    what = (tuple(uris), tuple(ours))
    if not ours or "main" not in components or what in seen:
        continue
    seen.add(what)
    print("Types: %s\nURIs: %s\nSuites: %s\nComponents: main%s\n" % (
        kind, " ".join(uris), " ".join(ours), "\nSigned-By: " + key if key else ""))
X
}

# gv_private_apt_update DIR TYPE [SUITE...]: indexes in DIR, for gv_private_apt from now on
gv_private_apt_update()
{
	gv_apt_dir=$1
	shift
	mkdir -p "$gv_apt_dir"/{sources,lists/partial,cache/archives/partial}
	rm -f "$gv_apt_dir/update.log"
	gv_apt_sources "$@" >"$gv_apt_dir/sources/gpuvisor.sources"
	[ -s "$gv_apt_dir/sources/gpuvisor.sources" ] || return 1
	gv_private_apt apt-get -qq update >"$gv_apt_dir/update.log" 2>&1
}

# The last line of what the update said, for the message of whoever then finds nothing.
gv_private_apt_why()
{
	tail -n 1 "$gv_apt_dir/update.log" 2>/dev/null || echo 'no archive of this release in apt sources'
}

# gv_private_apt TOOL ARG...: apt-get, apt-cache
gv_private_apt()
{
	local tool=$1

	shift
	"$tool" -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$gv_apt_dir/sources" \
		-o Dir::State::Lists="$gv_apt_dir/lists" -o Dir::Cache="$gv_apt_dir/cache" \
		-o APT::Sandbox::User=root -o Acquire::Languages=none -o Debug::NoLocking=1 "$@"
}

# ---- build ----

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
