# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Completion of taskvpc for bash. Commands and options are what --help tells, tasks and networks what
# there is now, so nothing here has to follow the program.

_taskvpc_help() { # [COMMAND]: the words that its --help offers
	taskvpc ${1:+"$1"} --help 2>/dev/null | case ${1:-} in
	'') awk '/^[A-Z].*:$/ { on = !/^Begin/ } on && /^  [a-z]/ { print $1 }' ;;
	*) awk '/^Options:/ { on = 1; next } /^[^ ]/ { on = 0 }
		on { for (i = 1; i <= 2; i++) { sub(/,$/, "", $i); if ($i ~ /^-/) print $i } }' ;;
	esac
}

# Most commands need root. A user whom sudo asks no password, at the moment, is as good.
_taskvpc_as_root() {
	if [ "$EUID" = 0 ]; then
		taskvpc "$@" 2>/dev/null
	elif id -nG | grep -qwE 'root|sudo|wheel|admin'; then
		sudo -n taskvpc "$@" 2>/dev/null
	else
		false
	fi
}

# Else what anybody may see: tasks of taskvpc have a namespace of their name.
_taskvpc_tasks() { _taskvpc_as_root ls --quiet || (cd /run/netns 2>/dev/null && printf '%s\n' *) | grep -vFx '*'; }

_taskvpc_all() { _taskvpc_as_root ls --all --quiet || _taskvpc_tasks; } # those that have ended, too

# What logs can read, of tasks that have ended too: "web.main" is web's, "web.c2" its second container's.
_taskvpc_logs() {
	[ -r /run/taskvpc/log ] || { _taskvpc_all && return; }
	find /run/taskvpc/log -type f ! -name '*~' -printf '%f\n' 2>/dev/null | sed 's/\.main$//; t; s/\.\([^.]*\)$/\/\1/'
}

_taskvpc_networks() {
	local said
	if ! said=$(_taskvpc_as_root status --json) && [ -z "$said" ]; then
		printf 'lab-%s\n' awsvpc bridge host none
		cat /etc/cni/net.d/*.conf* 2>/dev/null |
			sed 's/[,{]/\n/g' | sed -n 's/^[[:space:]]*"name"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p'
		return
	fi
	printf '%s\n' "$said" | sed -n 's/^[[:space:]]*"network":[[:space:]]*"\([^"]*\)".*/\1/p'
}

# The word that names the command behind "run" or "exec": from there on it is that command's business.
_taskvpc_begin() {
	local i skip=
	for ((i = 2; i < COMP_CWORD; i++)); do
		[ -z "$skip" ] || { skip= && continue; }
		case ${COMP_WORDS[i]} in
		--) echo $((i + 1)) && return ;;
		-n | -m | -p | -t | --net | --network | --mode | --publish | --ip | --mac | --dns | --dns-search | --name | \
			--task | --log | --conf-dir | --bin-dir) skip=1 ;;
		-*) ;;
		*)
			[ "${COMP_WORDS[1]}" = exec ] && [ -z "${task:-}" ] && local task=1 && continue
			echo "$i" && return
			;;
		esac
	done
}

_taskvpc() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words='' begin
	local command=${COMP_WORDS[1]}
	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_taskvpc_help) help version --help --version" -- "$word")
		return
	fi
	if [ "$command" = help ]; then
		[ "$COMP_CWORD" != 2 ] || mapfile -t COMPREPLY < <(compgen -W "$(_taskvpc_help)" -- "$word")
		return
	fi
	case $command in
	run | exec)
		begin=$(_taskvpc_begin)
		if [ -n "$begin" ] && declare -F _command_offset >/dev/null; then
			_command_offset "$begin"
			return
		fi
		;;
	esac
	case $command$before in
	rm-t | rm--time | restart-t | restart--time | logs-n | logs--tail) return ;; # numbers
	esac
	case $before in
	--ip | --mac | --dns | --dns-search | --publish | -p | --name) return ;;
	--net | --network | -n) words=$(_taskvpc_networks) ;;
	--mode | -m) words='awsvpc bridge host none' ;;
	--verb) words='add del' ;;
	--task | -t) words=$(_taskvpc_tasks) ;;
	--bin-dir | --conf-dir) mapfile -t COMPREPLY < <(compgen -d -- "$word") && return ;;
	--log | --html | --svg | --dot) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
	*)
		case $word in
		-*) words=$(_taskvpc_help "$command") ;;
		*)
			case $command in
			exec)
				# behind the task it is a command's name
				[ "$COMP_CWORD" != 2 ] && [[ $before != -* ]] &&
					mapfile -t COMPREPLY < <(compgen -c -- "$word") && return
				words=$(_taskvpc_tasks)
				;;
			logs) words=$(_taskvpc_logs) ;;
			restart) words=$(_taskvpc_all) ;;
			rm | capture | check | topology) words=$(_taskvpc_tasks) ;;
			inspect) words="$(_taskvpc_tasks) $(_taskvpc_networks)" ;;
			explain)
				words="$(_taskvpc_tasks) host outside"
				[ "$COMP_CWORD" != 2 ] || words+=" $(_taskvpc_networks)"
				;;
			status | gc) words=$(_taskvpc_networks) ;;
			compare) words='awsvpc-veth awsvpc-macvlan bridge host none' ;;
			run) mapfile -t COMPREPLY < <(compgen -c -- "$word") && return ;;
			esac
			;;
		esac
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -o default -F _taskvpc taskvpc
