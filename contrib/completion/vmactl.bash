# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for vmactl(1). Options, columns and kinds are asked of vmactl itself, so that they cannot fall behind.

# Lines "PID COMM": from vmad, else from /proc.
_vmactl_processes()
{
	timeout 2 vmactl "${place[@]}" ps -rn --no-vmas -o pid,comm 2>/dev/null && return
	local file comm
	for file in /proc/[0-9]*/comm; do
		{ read -r comm <"$file"; } 2>/dev/null && printf '%s %s\n' "${file//[!0-9]/}" "$comm"
	done
}

# A pid is shown with its name; a lone one is completed without. Words that are no number: names, units, saved documents.
_vmactl_target()
{
	local pid comm
	COMPREPLY=()
	if [[ $cur == [0-9]* ]]; then
		while read -r pid comm; do
			[[ $pid == "$cur"* ]] && COMPREPLY+=("$pid ($comm)")
		done < <(_vmactl_processes)
		[[ ${#COMPREPLY[@]} -eq 1 ]] && COMPREPLY=("${COMPREPLY[0]%% *}")
		return
	fi
	case $cur in
	name:*)
		mapfile -t COMPREPLY < <(compgen -W "$(_vmactl_processes | while read -r pid comm; do echo "name:$comm"; done | sort -u)" -- "$cur")
		;;
	unit:*)
		mapfile -t COMPREPLY < <(compgen -W "$(timeout 2 vmactl "${place[@]}" ps -rn --no-vmas -o unit 2>/dev/null |
			sort -u | sed '/^-$/d; s/^/unit:/')" -- "$cur")
		;;
	'')
		while read -r pid comm; do
			COMPREPLY+=("$pid ($comm)")
		done < <(_vmactl_processes)
		;;
	*)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -W 'self name: unit:' -- "$cur"; compgen -f -- "$cur")
		[[ ${COMPREPLY[0]-} == *: ]] && compopt -o nospace +o filenames 2>/dev/null
		;;
	esac
	__ltrim_colon_completions "$cur"
}

# The last of several words with commas between: $1 are the words.
_vmactl_list()
{
	local done_with="" word=$cur
	[[ $cur == *,* ]] && done_with=${cur%,*}, word=${cur##*,}
	[[ -z $done_with && $word == +* ]] && done_with=+ word=${word#+}
	compopt -o nospace 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -P "$done_with" -W "$1" -- "$word")
}

_vmactl_columns()
{
	vmactl ${verb:+"$verb"} -o help 2>/dev/null | awk 'NF > 2 { print $2 }' | sort -u
}

# The value of an option; false where it takes none.
_vmactl_value()
{
	case $1 in
	--socket | --token-file | --cacert) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	-o | --output) _vmactl_list "help $(_vmactl_columns)" ;;
	--sort)
		local sign=
		[[ $cur == -* ]] && sign=-
		mapfile -t COMPREPLY < <(compgen -P "$sign" -W "$(_vmactl_columns)" -- "${cur#-}")
		;;
	--kind) _vmactl_list "$(vmactl maps --help | sed -n 's/^KIND: \(.*\)\.$/\1/p')" ;;
	--by) mapfile -t COMPREPLY < <(compgen -W 'flags node cgroup' -- "$cur") ;;
	--perms) mapfile -t COMPREPLY < <(compgen -W '.w.. ..x. .wx. ...s r-xp rw-p' -- "$cur") ;;
	--uid) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
	--comm) mapfile -t COMPREPLY < <(compgen -W "$(_vmactl_processes | while read -r _ comm; do echo "$comm"; done | sort -u)" -- "$cur") ;;
	--url | --limit | --path | --min-size | --length | --align | --start | --end | --unit) ;;
	*) return 1 ;;
	esac
}

# Which word is the verb, and where vmad is.
_vmactl_read_words()
{
	local i verbs=" $1 "
	for ((i = 1; i < cword; i++)); do
		case ${words[i]} in
		--socket | --url) place=("${words[i]}" "${words[i + 1]}"); ((i++)) ;;
		--token-file | --cacert | --sort | --limit | -o | --output) ((i++)) ;;
		-*) ;;
		*) [[ -z $verb && $verbs == *" ${words[i]} "* ]] && verb=${words[i]} ;;
		esac
	done
}

_vmactl()
{
	local cur prev words cword verb="" place=()
	local verbs='ps maps show ops pages rmap frames find file gaps sharing web doctor'

	_get_comp_words_by_ref -n := cur prev words cword || return
	_vmactl_read_words "$verbs"
	_vmactl_value "$prev" && return
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(vmactl ${verb:+"$verb"} --help | grep -oE '^ +(-., )?--[a-z-]+|^ +-.' |
			grep -oE -- '-(-[a-z-]+|[a-zA-Z])')" -- "$cur")
	elif [[ -z $verb ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur")
	elif [[ $verb == ps || $verb == maps || $verb == gaps || $verb == sharing || ($verb == @(show|ops|pages|rmap) && $prev == "$verb") ]]; then
		_vmactl_target
	elif [[ $verb == find || $verb == file || $verb == doctor ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
} &&
	complete -F _vmactl vmactl
