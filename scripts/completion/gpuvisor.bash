# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for gpuvisor and the other programs; each is asked for its --help, so nothing is missing
# here. Goes to /usr/share/bash-completion/completions/PROGRAM; zsh: autoload -U bashcompinit && bashcompinit.

# _gpuvisor_verbs: "plan", "vf list", ... one per line
_gpuvisor_verbs()
{
	sed -nE 's/^  ([a-z]+( [a-z]+)?)( .*)?$/\1/p' <<<"$1"
}

# _gpuvisor_value HELP OPTION: what follows the option: "PATH", "keep|disable", or nothing
_gpuvisor_value()
{
	sed -nE "s/.*$2 (\[?[A-Za-z0-9:|.]+\]?[A-Za-z]*)( .*|,.*|)$/\1/p" <<<"$1" | head -n 1
}

_gpuvisor_files() { mapfile -t COMPREPLY < <(compgen -f -- "$1"); }
_gpuvisor_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2"); }

_gpuvisor_vfs()
{
	"$1" --json vf list 2>/dev/null | sed -n 's/.*"index": *\([0-9]*\).*/\1/p'
}

# _gpuvisor_argument KIND CUR: a value of that kind; 1: none is known
_gpuvisor_argument()
{
	case $1 in
	PATH | FILE | DIR | ROOT | CODE.co) _gpuvisor_files "$2" ;;
	BDF) _gpuvisor_words "$(ls /sys/bus/pci/devices 2>/dev/null)" "$2" ;;
	N | VF | "[N]") _gpuvisor_words "$(_gpuvisor_vfs "${COMP_WORDS[0]}")" "$2" ;;
	DOMAIN) _gpuvisor_words "$(virsh -q list --all --name 2>/dev/null)" "$2" ;;
	LEVEL) _gpuvisor_words "error warn info debug" "$2" ;;
	MODE) _gpuvisor_words "off log enforce kill" "$2" ;;
	*[a-z0-9]"|"*) _gpuvisor_words "${1//|/ }" "$2" ;;
	*) return 1 ;;
	esac
}

_gpuvisor()
{
	local tool=${COMP_WORDS[0]} cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local help kind verbs i word said=""
	help=$("$tool" --help 2>/dev/null) || return
	COMPREPLY=()
	if [[ $prev == --* ]]; then
		kind=$(_gpuvisor_value "$help" "$prev")
		[ "$kind" != N ] || return # of an option it is just a number
		if [ -n "$kind" ] && [[ $kind =~ [A-Z|] ]]; then
			_gpuvisor_argument "$kind" "$cur"
			return
		fi
	fi
	if [[ $cur == -* ]]; then
		_gpuvisor_words "$(sed -nE 's/^  (--.*)/\1/; s/  .*//; /^--/p' <<<"$help" |
			grep -oE -- '--[a-z][a-z0-9-]+' | sort -u)" "$cur"
		return
	fi
	# The words before this one that are neither options nor their values.
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $word == --* ]]; then
			kind=$(_gpuvisor_value "$help" "$word")
			[[ ! $kind =~ [A-Z|] ]] || i=$((i + 1))
		else
			said="$said $word"
		fi
	done
	verbs=$(_gpuvisor_verbs "$help")
	said=${said# }
	if [ -z "$said" ]; then
		_gpuvisor_words "$(cut -d' ' -f1 <<<"$verbs" | sort -u)" "$cur"
	elif [[ $said != *" "* ]] && grep -q "^$said " <<<"$verbs"; then
		_gpuvisor_words "$(sed -n "s/^$said //p" <<<"$verbs")" "$cur"
	else
		# "  vm attach  DOMAIN VF  give a VF ...": the argument that comes next
		verbs=$(grep -xE "$(cut -d' ' -f1-2 <<<"$said")|${said%% *}" <<<"$verbs" | tail -n 1)
		i=$(($(wc -w <<<"$said") - $(wc -w <<<"$verbs") + 1))
		kind=$(grep -E "^  $verbs " <<<"$help" | head -n 1 | sed -E "s/^  $verbs +//" | cut -d' ' -f$i)
		_gpuvisor_argument "$kind" "$cur"
	fi
}
complete -F _gpuvisor gpuvisor gpuvisord gpuvisor-keeper gpuvisor-replay gpuvisor-guest gpuvisor-gpu
