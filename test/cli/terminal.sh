#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# taskvpc run and exec on a terminal: shells with job control in the task, and a shell with job control
# around taskvpc; ^C, ^Z, fg, bg; and rm of what was stopped.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/cli.sh
. "$(dirname "$0")/../cli.sh"
need script

uplink
baseline
PATH=$BIN:$PATH
TTY=$TMP/tty
mkfifo "$TMP/keys"

# terminal COMMAND: run it on a terminal; its keys come by `keys`, what it shows is $TTY.
terminal() {
	: >"$TTY"
	env --default-signal TERM=dumb PS1='$ ' script -qefc "$1" "$TTY" <"$TMP/keys" >/dev/null 2>&1 &
	SCRIPT=$!
	exec 7>"$TMP/keys"
	SEEN=0
}
keys() {
	SEEN=$(stat -c %s "$TTY")
	# shellcheck disable=SC2059 # escapes of printf
	printf "$1" >&7
}
has_shown() { tail -c "+$((SEEN + 1))" "$TTY" | tr -d '\r' | grep -qE -- "$1"; }
# shows REGEX: a line, since the last keys.
shows() { if until_true has_shown "$1"; then pass; else fail "expected /$1/, seen: $(tail -c "+$((SEEN + 1))" "$TTY")"; fi; }
# ends RC: the terminal's command.
ends() {
	exec 7>&-
	wait "$SCRIPT"
	is "$1" $? "exit code"
}

if group "a shell in the task"; then
	start t --mode none -- sleep 300
	for shell in dash bash 'busybox sh'; do
		command -v "${shell%% *}" >/dev/null || { skip "needs ${shell%% *}"; continue; }
		for words in 'run --mode none --' 'exec t --'; do
			t "$shell, $words"
			options=
			[ "$shell" != bash ] || options='--norc -i'
			terminal "taskvpc $words $shell $options"
			keys 'echo is${X}up\n'
			shows isup
			keys 'read _ _ _ _ group _ </proc/$$/stat; test $group = $$ && echo le${X}ads\n'
			shows leads
			keys 'sleep 301\n'
			until_true runs_anywhere 'sleep 301' || fail "sleep runs"
			keys '\032'
			shows 'Stopped'
			keys 'echo al${X}ive\n'
			shows '^alive'
			keys 'fg\n'
			shows '^sleep 301'
			keys '\003'
			until_true gone 'sleep 301' || fail "^C after fg"
			keys 'exit 5\n'
			ends 5
			fails "complaints" grep -iE 'cannot|can.t|no job control|tty' "$TTY"
		done
	done
	told 0 rm -t 0 t
	clean
fi

if group "a shell around it"; then
	for words in 'run --name s --mode none --' 'exec t --'; do
		[ "${words%% *}" = run ] || start t --mode none -- sleep 300
		t "$words: ^Z, fg, ^C"
		terminal 'bash --norc -i'
		keys 'taskvpc '"$words"' sh -c "sleep 302; true"\n'
		until_true runs_anywhere 'sleep 302' || fail "it runs"
		keys '\032'
		shows 'Stopped'
		until_true is_stopped 'sleep 302' || fail "the command is stopped"
		keys 'fg\n'
		until_true is_running 'sleep 302' || fail "the command goes on"
		keys '\003'
		shows '[#$] $'
		keys 'echo rc=$?\n'
		shows '^rc=130'
		t "$words: ^Z, bg, fg, ^C"
		keys 'taskvpc '"$words"' sh -c "sleep 303; true"\n'
		until_true runs_anywhere 'sleep 303' || fail "it runs"
		keys '\032'
		shows 'Stopped'
		keys 'bg\n'
		until_true is_running 'sleep 303' || fail "it goes on in the background"
		keys 'echo free$((1 + 1))\n'
		shows '^free2'
		keys 'fg\n'
		shows '^taskvpc'
		keys '\003'
		shows '[#$] $'
		keys 'echo rc=$?\n'
		shows '^rc=130'
		t "$words: the background may not read, the foreground may"
		keys 'taskvpc '"$words"' sh -c "read x; echo got-\\$x" &\n'
		keys 'echo free$((1 + 1))\n'
		shows '^free2'
		keys 'fg\n'
		shows '^taskvpc'
		keys 'line\n'
		shows '^got-line'
		keys 'exit 3\n'
		ends 3
		[ "${words%% *}" = run ] || told 0 rm -t 0 t
	done
	t "a pipe to a pager: the terminal stays the pager's"
	terminal 'bash --norc -i'
	keys 'taskvpc run --mode none -- echo out | (read l; stty -a >/dev/null </dev/tty && echo pager-$l)\n'
	shows '^pager-out'
	keys 'exit 0\n'
	ends 0
	t "no shell around it: ^Z stops nothing for ever"
	terminal 'exec taskvpc run --mode none -- sh -c "trap : TSTP; sleep 1; echo later"'
	keys '\032'
	shows 'later'
	ends 0
	clean
fi

if group "rm of what was stopped"; then
	for how in terminal supervisor command; do
		t "by $how"
		if [ $how = terminal ]; then
			terminal 'bash --norc -i'
			keys 'taskvpc run --name s --mode none -- sleep 304\n'
			until_true runs_anywhere 'sleep 304' || fail "it runs"
			keys '\032'
			shows 'Stopped'
		else
			start s --mode none -- sleep 304
			if [ $how = supervisor ]; then kill -STOP "$(pid_of s main)"; else pkill -STOP -fx 'sleep 304'; fi
		fi
		ms "$TASKVPC" rm --time 5 s
		within 2000 "$MS" "milliseconds"
		until_true gone 'sleep 304' || fail "it runs on"
		[ $how != terminal ] || { keys 'exit 0\n'; keys 'exit 0\n'; ends 0; }
	done
	t "which stops again, by its own hand"
	start s --mode none -- sh -c 'trap "" TERM; while :; do kill -STOP $PPID; sleep 0.1; done'
	kill -STOP "$(pid_of s main)"
	ms "$TASKVPC" rm --time 1 s
	within 4000 "$MS" "milliseconds"
	is "" "$(tasks)" "tasks"
	clean
fi

finish
