#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What taskvpc says about itself: --help, the manual, the completion and the exit codes agree.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/cli.sh
. "$(dirname "$0")/../cli.sh"

MANUAL=$ROOT/man/taskvpc.1
mapfile -t COMMANDS < <("$TASKVPC" --help | awk '/^[A-Z].*:$/ { on = !/^Begin/ } on && /^  [a-z]/ { print $1 }')
# options COMMAND: what its --help offers, one a line.
options() {
	"$TASKVPC" "$1" --help | awk '/^Options:/ { on = 1; next } /^[^ ]/ { on = 0 }
		on { for (i = 1; i <= 2; i++) { sub(/,$/, "", $i); if ($i ~ /^-/) print $i } }'
}
PATH=$BIN:$PATH

if group "help"; then
	within "${#COMMANDS[@]}" 13 "number of commands"
	for command in "${COMMANDS[@]}"; do
		t "$command --help"
		told 0 "$command" --help
		like "^taskvpc $command: " "$OUT" "first line"
		like 'Options:.*--help' "${OUT//$'\n'/ }" "options"
		is "$OUT" "$("$TASKVPC" help "$command")" "taskvpc help $command"
		is "$OUT" "$("$TASKVPC" "$command" -h)" "taskvpc $command -h"
		is "" "$(grep -n '.\{101\}' <<<"$OUT")" "lines over 100 columns"
		isnt "" "$(options "$command")" "options"
	done
	told 0
	is "$OUT" "$("$TASKVPC" --help)" "without a word"
	told 0 --version
	like '^taskvpc [0-9]+\.[0-9]+\.[0-9]+$' "$OUT" "version"
	is "$OUT" "$("$TASKVPC" version)" "taskvpc version"
	for word in 'help \[COMMAND\]' version; do
		like $'\n'"  taskvpc $word"$'\n' "$("$TASKVPC" help)" "taskvpc help"
	done
	t "compare names its modes"
	for mode in awsvpc-veth awsvpc-macvlan bridge host none; do like "[ ,]${mode}[ ,;.]" "$("$TASKVPC" compare --help | tr '\n' ' ')" "$mode"; done
	t "wrong words"
	refuses 64 '"nope" is no command.*--help' nope
	refuses 64 '"nope" is no command' help nope
	refuses 64 'no command' ''
	for pair in stop:rm stauts:status network:status list:ls exce:exec prune:gc; do
		refuses 64 "\"${pair%:*}\" is no command.*did you mean .taskvpc ${pair#*:}" "${pair%:*}"
	done
	t "common options in front, and ps"
	told 0 --json ls
	is '[]' "$OUT" "--json ls"
	told 0 --conf-dir /etc/cni/net.d --json ps
	is '[]' "$OUT" "two of them"
	is "$("$TASKVPC" --version)" "$("$TASKVPC" -v)" "-v"
	for command in ls ports subnets doctor; do refuses 64 'too many words' $command extra; done
	refuses 64 'too many words' inspect a b
	refuses 64 'too many words' explain a b c
	for command in "${COMMANDS[@]}"; do
		refuses 64 '--nope: no such option' "$command" --nope
		refuses 64 '-Z: no such option' "$command" -Z
		refuses 64 '--bin-dir: a value is missing' "$command" --bin-dir
	done
	for word in --quiet --qui --json --help; do refuses 64 "^[^:]*: $word=1: takes no value" ls $word=1; done
	for word in --nope=1 --=1 -Z; do refuses 64 'no such option' ls $word; done
	for command in inspect explain capture exec rm; do refuses 64 'no (task|network)' $command; done
	refuses 64 '--json: no such option' exec --json
	t "an answer that cannot be delivered"
	for words in --version --help 'ls --help' 'ls --json' status; do
		# shellcheck disable=SC2086 # they are words
		"$TASKVPC" $words >/dev/full 2>"$TMP/said"
		is 69 $? "$words: rc"
		like 'cannot write to stdout: No space left' "$(<"$TMP/said")" "$words"
	done
fi

if group "manual"; then
	if command -v mandoc >/dev/null; then
		is "" "$(mandoc -T lint -W warning "$MANUAL" 2>/dev/null)" "mandoc"
	fi
	if command -v groff >/dev/null; then
		is "" "$(groff -mdoc -Tutf8 -ww "$MANUAL" 2>&1 >/dev/null)" "groff"
	fi
	for command in "${COMMANDS[@]}"; do
		runs "command $command" grep -qE "^\.It Cm $command\b" "$MANUAL"
		while read -r option; do
			# "--net" is ".Fl -net", "-n" is ".Fl n"
			runs "option $option of $command" grep -qE "^\.It .*Fl ${option#-}( |$)" "$MANUAL"
		done < <(options "$command")
	done
	t "it names no option that is not there"
	while read -r option; do
		runs "--$option" grep -qx -e "--$option" <(for c in "${COMMANDS[@]}"; do options "$c"; done)
	done < <(sed -n 's/^\.It .*Fl -\([a-z][a-z-]*\).*/\1/p' "$MANUAL" | sort -u)
	t "exit codes: those of the header, no more and no less"
	is "$(sed -n 's/^\tEXIT_[A-Z_]* = \([0-9]*\),.*/\1/p' "$ROOT/cli/cli.h" | grep -vx 128)" \
		"$(sed -n '/^\.Sh EXIT STATUS/,/^\.Sh EXAMPLES/s/^\.It \([0-9]*\)$/\1/p' "$MANUAL")" "codes"
fi

if group "completion"; then
	# shellcheck source=cli/taskvpc.bash
	. "$ROOT/cli/taskvpc.bash"
	# completes WORD…: what is offered for the last one.
	completes() {
		COMP_WORDS=(taskvpc "$@")
		COMP_CWORD=$#
		_taskvpc
		printf '%s\n' "${COMPREPLY[@]}"
	}
	uplink
	start web --mode none -- sleep 60
	is "$(printf '%s\n' "${COMMANDS[@]}" help version | sort)" "$(completes '' | grep -v '^-' | sort)" "commands"
	is subnets "$(completes sub)" "sub"
	for command in "${COMMANDS[@]}"; do
		is "$(options "$command" | sort)" "$(completes "$command" - | sort)" "options of $command"
	done
	is web "$(completes exec '')" "tasks"
	is web "$(completes rm w)" "tasks of rm"
	is web "$(completes topology w)" "tasks of topology"
	told 0 run -d --name ended --mode none -- true
	has_ended() { ! "$TASKVPC" inspect ended >/dev/null 2>&1; }
	runs "its end" until_true has_ended
	is ended "$(completes logs e)" "logs of a task that has ended"
	is "lab-awsvpc" "$(completes run --net lab-a)" "networks"
	is "lab-bridge web" "$(completes inspect '' | grep -E 'bridge|web' | sort | tr '\n' ' ' | sed 's/ $//')" "both"
	is "host lab-host" "$(completes explain h | tr '\n' ' ')$(completes explain lab-h)" "explain: ends and networks"
	is "web host outside" "$(completes explain web '' | tr '\n' ' ' | sed 's/ $//')" "explain: the other end"
	is "host" "$(completes run --mode h)" "modes"
	is "add del" "$(completes explain --verb '' | tr '\n' ' ' | sed 's/ $//')" "verbs"
	is "" "$(completes ls w)" "nothing"
	for before in 'rm -t' 'rm --time' 'run --ip' 'run --mac' 'run -p' 'run --publish' 'run --name' 'explain -p'; do
		# shellcheck disable=SC2086 # they are words
		is "" "$(completes $before '')" "behind $before"
	done
	is web "$(completes run -t '')" "the task that run joins"
	is "$(printf '%s\n' "${COMMANDS[@]}" | sort)" "$(completes help '' | sort)" "help"
	is "" "$(completes help ls '')" "help ls"
	like '(^|[[:space:]])cat([[:space:]]|$)' "$(completes exec web ca)" "exec web: commands"
	t "as a user without root"
	cat >"$TMP/as_user" <<-END
		PATH=$TMP/sudo:$BIN:\$PATH
		. "$ROOT/cli/taskvpc.bash"
		COMP_WORDS=(taskvpc "\$@") COMP_CWORD=\$#
		_taskvpc
		printf '%s\n' "\${COMPREPLY[@]}"
	END
	as_user() { setpriv --reuid 65534 --regid "$1" --clear-groups bash "$TMP/as_user" "${@:2}"; }
	chmod 755 "$TMP" 2>/dev/null
	echo '{"cniVersion":"1.1.0","name":"mine","plugins":[{"type":"task-none"}]}' >/etc/cni/net.d/mine.conflist
	is web "$(as_user 65534 exec w)" "tasks, by their namespaces"
	is "lab-awsvpc mine" "$(as_user 65534 run --net '' | grep -E 'awsvpc|mine' | sort | tr '\n' ' ' | sed 's/ $//')" "networks, by their files"
	t "as one of the group sudo"
	mkdir -p "$TMP/sudo"
	printf '#!/bin/sh\n[ "$1 $2" = "-n taskvpc" ] || exit 1\nshift 2\n[ "$1" = ls ] && echo by-sudo\n' >"$TMP/sudo/sudo"
	chmod 755 "$TMP/sudo" "$TMP/sudo/sudo"
	is by-sudo "$(as_user "$(getent group sudo | cut -d: -f3)" exec b)" "tasks, by sudo -n"
	rm -r "$TMP/sudo" /etc/cni/net.d/mine.conflist
	t "where the other command begins"
	# begins WORD…: the index of its name, as completion sees it at the last word.
	begins() {
		COMP_WORDS=(taskvpc "$@")
		COMP_CWORD=$#
		_taskvpc_begin
	}
	is 2 "$(begins run ls '')" "run ls"
	is 3 "$(begins run -- ls '')" "run -- ls"
	is 4 "$(begins run --net lab-none ls '')" "an option with a value"
	is 4 "$(begins run -d --name=x ls '')" "a flag, and a value behind ="
	is 6 "$(begins run -p 80:80 -d -- ls -l '')" "both, and --"
	is "" "$(begins run --ip '')" "a value is still missing"
	is "" "$(begins run '')" "none yet"
	is 3 "$(begins exec web ls '')" "exec web ls"
	is 4 "$(begins exec web -- ls '')" "exec web -- ls"
	is "" "$(begins exec web '')" "exec web"
	told 0 rm web
fi

if group "as JSON"; then
	uplink 2>/dev/null
	start web --mode bridge -p 8080:80 -- sleep 60
	start dead --mode none -- sleep 60
	for words in ls 'ls -q' 'inspect web' 'inspect lab-bridge' subnets ports topology 'explain lab-awsvpc' \
		'explain --verb del web' 'explain web outside' status 'check web' doctor gc 'compare none' 'rm dead'; do
		# shellcheck disable=SC2086 # they are words
		"$TASKVPC" $words --json >"$TMP/said" 2>"$TMP/errors"
		is 0 $? "$words --json: rc: $(<"$TMP/errors")"
		runs "$words --json" jq -es 'length == 1' "$TMP/said"
	done
	is '["web"]' "$("$TASKVPC" ls -q --json | jq -c .)" "ls -q"
	told 0 rm web
	is '[]' "$("$TASKVPC" ls -q --json | jq -c .)" "ls -q without a task"
	for command in exec logs capture; do refuses 64 '--json: no such option' $command --json; done
fi

if group "colours"; then
	uplink 2>/dev/null
	start web --mode none -- sleep 60
	is "" "$("$TASKVPC" ls | grep -c $'\033' | grep -v '^0$')" "none into a pipe"
	tty() { env -u NO_COLOR TERM=xterm "$@" script -qec "$TASKVPC ls" /dev/null </dev/null; }
	if command -v script >/dev/null; then
		like $'\033\\[' "$(tty)" "on a terminal"
		is 0 "$(tty NO_COLOR=1 | grep -c $'\033\\[')" "NO_COLOR"
		is 0 "$(tty TERM=dumb | grep -c $'\033\\[')" "a dumb terminal"
	else
		skip "needs script"
	fi
	t "bars"
	like '█|·' "$(LC_ALL=C.UTF-8 "$TASKVPC" subnets)" "UTF-8"
	is "" "$("$TASKVPC" subnets | LC_ALL=C grep -P '[^\x00-\x7f]')" "ASCII elsewhere"
	told 0 rm web
fi

finish
