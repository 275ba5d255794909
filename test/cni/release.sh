#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Deferred release: DEL hands the link to a detached child and returns when the link is gone, while
# the kernel still waits for its grace periods. The child must hold nothing of the runtime's, end by itself,
# be no loss if it dies, and ask for nothing when its parent is dead: the index may be another's by then.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
need strace
[[ $BIN != */san/* ]] || { skip "the leak checker does not run under strace"; finish; }
baseline
CONFIG=$(conf .)

# slow_del [CALL [HOW]]: a DEL in the background whose first request (or other system call), and that of its
# child, takes a second to start (or what strace calls HOW); its standard output is a pipe, as a runtime's.
# Sets DEL (the process) and CHILD.
slow_del() {
	local call=${1:-sendto} how=${2:-delay_enter=1000000}
	mkfifo "$TMP/out"
	cat "$TMP/out" >"$TMP/read" &
	READER=$!
	env CNI_COMMAND=DEL CNI_CONTAINERID=a CNI_NETNS="$NETNS/a" CNI_IFNAME=eth0 CNI_PATH="$BIN" \
		strace -f -qq -o "$TMP/trace" -e "trace=$call,kill" -e "inject=$call:$how:when=1" \
		"$PLUGIN" <<<"$CONFIG" >"$TMP/out" 2>"$TMP/err" &
	STRACE=$!
	if [ "$call" = prctl ]; then until_true child_is_there; else until_true child_is_alone; fi
	DEL=$(ps -o ppid= -p "$CHILD" | tr -d ' ')
}

# The child leads a session of its own; until then, it is the one whose parent is another of its name.
child_is_alone() {
	CHILD=$(ps -eo pid=,sid=,comm= | awk '$1 == $2 && $3 == "awsvpc" { print $1 }')
	[ -n "$CHILD" ]
}
child_is_there() {
	CHILD=$(ps -eo pid=,ppid=,comm= | awk '$3 == "awsvpc" { parent[$1] = $2 }
		END { for (pid in parent) if (parent[pid] in parent) print pid }')
	[ -n "$CHILD" ]
}

a_walker() {
	WALKER=$(ps -eo pid=,comm= | awk '$2 == "taskvpc-flows" { print $1 }')
	[ -n "$WALKER" ]
}

after_del() {
	wait "$STRACE" 2>/dev/null
	wait "$READER"
	rm -f "$TMP/out"
}

gone() { ! kill -0 "$1" 2>/dev/null; }

add a "$CONFIG"
HA=$(host_link a)

t "what the child holds: nothing of the runtime's"
slow_del
is "/dev/null /dev/null /dev/null" "$(readlink "/proc/$CHILD/fd/0" "/proc/$CHILD/fd/1" "/proc/$CHILD/fd/2" | xargs)" "standard descriptors"
is "2" "$(find "/proc/$CHILD/fd" -mindepth 1 -printf '%f\n' | awk '$1 > 2' | wc -l)" "descriptors beside them"
like 'socket:.*pipe:|pipe:.*socket:' "$(readlink "/proc/$CHILD"/fd/* | grep -v null | xargs)" "a socket and the pipe to its parent"
runs "the link is still there" ip link show "$HA"
after_del
t "DEL waits until the link is gone, and says nothing"
no_link "$HA" || fail "$HA is still there after DEL"
pass
is "" "$(cat "$TMP/read")" "stdout"
until_true gone "$CHILD"
drop a
clean

for call in prctl sendto; do
	t "its parent is killed before it has asked ($call): it asks no more"
	add a "$CONFIG"
	HA=$(host_link a)
	slow_del $call
	kill -KILL "$DEL"
	after_del
	until_true gone "$CHILD"
	runs "the link is still there" ip link show "$HA"
	is 1 "$(records)" "records"
	t "what the killed DEL left is taken down by the next"
	del a "$CONFIG"
	no_link "$HA" || fail "$HA is still there after the second DEL"
	is 0 "$(records)" "records"
	drop a
	clean
done

t "killed with its parent: the next DEL does all of it"
add a "$CONFIG"
HA=$(host_link a)
slow_del
kill -KILL "$DEL" "$CHILD"
after_del
runs "the link is still there" ip link show "$HA"
del a "$CONFIG"
no_link "$HA" || fail "$HA is still there after the second DEL"
pass
drop a
clean

t "killed alone: its parent deletes the link itself"
add a "$CONFIG"
HA=$(host_link a)
slow_del
kill -KILL "$CHILD"
after_del
no_link "$HA" || fail "$HA is still there after DEL"
pass
is 0 "$(records)" "records"
drop a
clean

t "it shares its parent's memory; where clone3() is unknown, as under valgrind, it is forked"
for inject in "" --inject=clone3:error=ENOSYS; do
	add a "$CONFIG"
	HA=$(host_link a)
	# shellcheck disable=SC2086 # nothing, or an option
	env CNI_COMMAND=DEL CNI_CONTAINERID=a CNI_NETNS="$NETNS/a" CNI_IFNAME=eth0 CNI_PATH="$BIN" \
		strace -qq -o "$TMP/trace" -e trace=clone,clone3,?fork,?vfork $inject "$PLUGIN" <<<"$CONFIG"
	if [ -z "$inject" ]; then
		like 'clone\(.*CLONE_VM\|SIGCHLD' "$(<"$TMP/trace")" "children"
	else
		is 0 "$(grep -c CLONE_VM "$TMP/trace")" "children in our memory"
		like 'clone\(.*SIGCHLD' "$(<"$TMP/trace")" "children"
	fi
	no_link "$HA" || fail "$HA is still there after DEL"
	is 0 "$(records)" "records"
	drop a
done
pass
clean

t "stopped before it has asked: its parent waits for it no longer than ten seconds"
add a "$CONFIG"
HA=$(host_link a)
slow_del setsid signal=STOP
SECONDS=0
for ((i = 0; i < 300; i++)); do
	gone "$DEL" && break
	sleep 0.05
done
within 14 "$SECONDS" "seconds of DEL"
no_link "$HA" || fail "$HA is still there after DEL"
pass
is 0 "$(records)" "records"
t "and has ended it, as it does not wait for what the child asks later"
until_true gone "$CHILD"
runs "the child has ended" gone "$CHILD"
kill -KILL "$CHILD" 2>/dev/null
# strace stops the process that deletes the tracked connections as well
until_true a_walker && kill -KILL "$WALKER"
after_del
like "kill\\($CHILD, SIGKILL\\)" "$(<"$TMP/trace")" "trace"
drop a
clean
finish
