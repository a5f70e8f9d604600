# SPDX-License-Identifier: LGPL-2.1-or-later
# The QEMU that runs the virtual host: the installed one when it is of the version that was asked
# for, else Debian's packages of that version, unpacked and not installed. Sourced by scripts/rig.
# shellcheck shell=bash disable=SC2154 # $rig is the caller's

installed_qemu() { [[ $(qemu-system-x86_64 --version 2>/dev/null) == *" version $1."* ]]; }

# debian_version PACKAGE PATTERN: the newest that apt knows, its version (without epoch) like PATTERN
debian_version()
{
	local v
	gv_private_apt apt-cache madison "$1" | awk -F' *[|] *' '{print $2}' | sort -rV | while read -r v; do
		# shellcheck disable=SC2053 # a pattern
		[[ ${v#*:} != $2 ]] || { echo "$v"; break; }
	done
}

# download VERSION DIR: what QEMU consists of; what it needs beyond that is the release's own
download()
{
	local pkg v why
	why=$(gv_private_apt_why)
	for pkg in qemu-system-x86 qemu-system-common qemu-system-data seabios; do
		case $pkg in qemu-*) v=$(debian_version "$pkg" "$1[.+]*") ;; *) v=$(debian_version "$pkg" '*') ;; esac
		[ -n "$v" ] || die "apt has no $pkg of QEMU $1, neither in this release nor in its backports${why:+ ($why)}"
		(cd "$2" && gv_private_apt apt-get -qq download "$pkg=$v") >"$2/log" 2>&1 ||
			die "cannot download $pkg $v: $(tail -n 1 "$2/log")"
	done
}

libraries_of() # DIR: packages that the downloaded QEMU needs and that are the release's own
{
	dpkg-deb -f "$1"/qemu-system-x86_*.deb Depends | tr ',' '\n' | awk '{print $1}' | grep -v -e '^qemu-' -e '^seabios$'
}

# Once per version; a download that breaks off leaves nothing behind.
unpack_qemu()
{
	local root=$rig/qemu-$1 new=$rig/qemu-$1.new deb
	[ -x "$root/usr/bin/qemu-system-x86_64" ] && return 0
	echo "rig: unpacking QEMU $1" >&2
	rm -rf "$root" "$new"
	mkdir -p "$new/debs"
	gv_private_apt_update "$new/apt" deb "$(gv_codename)-backports" || true # download says what is missing
	download "$1" "$new/debs"
	# shellcheck disable=SC2046
	gv_ensure_packages $(libraries_of "$new/debs") >&2
	for deb in "$new"/debs/*.deb; do dpkg -x "$deb" "$new" || die "cannot unpack ${deb##*/}"; done
	rm -rf "$new/debs" "$new/apt"
	mv "$new" "$root"
}

# rig_qemu VERSION: the command that starts it, a word a line. It gets its own modules, firmware and
# data: a QEMU that loads another's modules aborts. For modules of packages that are not downloaded
# (displays, sound) it would still look in the system's directory; the rig's machine has none.
rig_qemu()
{
	local usr=$rig/qemu-$1/usr
	case $1 in 7.2 | 10.0) ;; *) die "no device for QEMU '$1', only for 7.2 and 10.0" ;; esac
	if installed_qemu "$1"; then
		echo qemu-system-x86_64
		return
	fi
	unpack_qemu "$1"
	printf '%s\n' env "QEMU_MODULE_DIR=$usr/lib/$(uname -m)-linux-gnu/qemu" "$usr/bin/qemu-system-x86_64" \
		-L "$usr/share/qemu" -L "$usr/share/seabios"
}
