# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for gpuvisor; put it into /usr/share/bash-completion/completions/gpuvisor
_gpuvisor()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local options="--socket --json --dry-run --force --no-scrub --follow --since --out --seconds --vram-mib --max-vfs --domain --bdf --sysfs --owner --live --config --unmanaged --timeout --connect --driver --pf --claim-dir --help --version"
	local -a tool=("${COMP_WORDS[0]}")

	case $prev in
	--socket | --out | --sysfs | --claim-dir | plan | apply | diff | assert)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	vf)
		mapfile -t COMPREPLY < <(compgen -W "list show reset xml claim release" -- "$cur")
		return
		;;
	trace)
		mapfile -t COMPREPLY < <(compgen -W "start stop status" -- "$cur")
		return
		;;
	vm)
		mapfile -t COMPREPLY < <(compgen -W "attach detach list watch nodedev" -- "$cur")
		return
		;;
	attach | detach)
		mapfile -t COMPREPLY < <(compgen -W "$(virsh -q list --all --name 2>/dev/null)" -- "$cur")
		return
		;;
	show | reset | xml | claim | release | nodedev | bind | unbind)
		mapfile -t COMPREPLY < <(compgen -W "$("${tool[@]}" --json vf list 2>/dev/null |
			sed -n 's/.*"index": *\([0-9]*\).*/\1/p')" -- "$cur")
		return
		;;
	--bdf | --pf)
		mapfile -t COMPREPLY < <(compgen -W "$(ls /sys/bus/pci/devices 2>/dev/null)" -- "$cur")
		return
		;;
	--since | --seconds | --vram-mib | --max-vfs | --owner | --timeout | --connect | --driver)
		return
		;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -W "plan diff assert apply rollback disable status top vf vm bind unbind check events trace version help" -- "$cur")
	fi
}
complete -F _gpuvisor gpuvisor
