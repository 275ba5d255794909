#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Killed at any instant, the next call heals: SIGKILL at random moments, then at system calls of ADD, DEL
# and GC in each mode. What heals is by turns DEL, GC, the same ADD again, and that of another.
#
#   KILLS=N    random moments (60; under sanitizers 20)
#   SAMPLE=N   system calls of each mode and verb, evenly spread, others each day (10; under sanitizers 4)
#   SLOW=1     all system calls, which takes half an hour
#   MODES=REGEX, PHASE=N (test/modes.sh)
[ -z "${SLOW:-}" ] || export TEST_TIMEOUT=${TEST_TIMEOUT:-3600}
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/modes.sh
. "$(dirname "$0")/../modes.sh"
KILLS=${KILLS:-${SAN:+20}}
KILLS=${KILLS:-60}
SAMPLE=${SAMPLE:-${SAN:+4}}
SAMPLE=${SAMPLE:-10}

# killed VERB: start the verb and kill it after 0 to 9.9 ms.
killed() {
	local pid
	local -a LINE
	line "$1"
	(exec "${LINE[@]}" "$PLUGIN" <<<"$CONFIG" >/dev/null 2>&1) &
	pid=$!
	sleep "0.00$((RANDOM % 10))$((RANDOM % 10))"
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null
}

if group random; then
	scene veth
	t "SIGKILL at $KILLS random moments of ADD"
	for ((i = 0; i < KILLS; i++)); do
		killed ADD
		healed ADD $i "killed"
	done
	t "SIGKILL at $((KILLS / 2)) random moments of DEL"
	for ((i = 0; i < KILLS / 2; i++)); do
		is "" "$(prepare DEL)"
		killed DEL
		healed DEL $i "killed"
	done
	t "SIGKILL of ADD, the namespace dies, another container comes"
	CONFIG=$(one 10.0.1.0/30 '.ipam.ranges[0][0].reserve="minimal"')
	for ((i = 0; i < KILLS / 8; i++)); do
		killed ADD
		drop c1
		netns c1
		add next "$CONFIG"
		del next "$CONFIG"
		del c1 "$CONFIG"
	done
	drop next
	scene_end
fi

# System calls that change something outside of the process; SLOW=1 takes all for such.
CHANGING='sendto|sendmsg|write|pwrite64|ftruncate|fallocate|rename.*|unlink.*|mkdir.*|openat|mount|umount2'
CHANGING+='|clone.*|vfork|setns|unshare|flock|msync|exit_group'

# calls_of VERB: the system calls of the verb to kill it at, in order, as "NAME N" (the N-th of that
# name): those that change something, and what comes after each of them, once the store is open.
calls_of() {
	trace "$1"
	awk -v changing="^(${SLOW:+.*|}$CHANGING)\$" -v pid="$(awk 'NR == 1 { print $1 }' "$TMP/trace")" '
		$1 == pid && match($2, /^[a-z0-9_]+\(/) {
			name = substr($2, 1, RLENGTH - 1); n[name]++
			now = name ~ changing
			if (seen && (now || before)) print name, n[name]
			before = now
		}
		/O_DIRECTORY/ && $1 == pid { seen = 1 }' "$TMP/trace"
}

# each VERB: kill the verb at each of these calls.
each() {
	local verb=$1 name n i=0 killed=0
	local -a LINE
	is "" "$(prepare "$verb")" "before $verb"
	calls_of "$verb" >"$TMP/all"
	run GC "$VALID"
	sampled "$SAMPLE" <"$TMP/all" >"$TMP/calls"
	isnt 0 "$(wc -l <"$TMP/calls")" "system calls of $verb"
	while read -r name n <&3; do
		is "" "$(prepare "$verb")" "before $verb"
		line "$verb"
		# In braces: their redirection takes in what the shell says of a killed job.
		{
			config_of "$verb" | "${LINE[@]}" strace -f -o /dev/null -e "trace=$name" \
				-e "inject=$name:signal=KILL:when=$n" "$PLUGIN" || killed=$((killed + 1))
		} >/dev/null 2>&1
		healed "$verb" $((RANDOM % 4)) "$verb killed at $name $n"
		i=$((i + 1))
	done 3<"$TMP/calls"
	[ "$killed" -gt $((i * 2 / 3)) ] || fail "expected most of $i calls to be killed at, seen $killed"
}

if group syscalls; then
	need_inject
	for mode in veth macvlan bridge beside host ipam foreign; do
		[[ $mode =~ ${MODES:-.} ]] || continue
		scene $mode
		for verb in ADD DEL GC; do
			t "$mode: SIGKILL at system calls of $verb"
			each $verb
		done
		scene_end
	done
fi

finish
