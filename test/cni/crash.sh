#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Killed at any instant, the next call heals: SIGKILL at random moments, then at system calls of ADD, DEL
# and GC in each mode, in whichever process they are. What heals is by turns DEL, GC, the same ADD, and that of another.
#
#   KILLS=N    random moments (60; under sanitizers 20)
#   SAMPLE=N   system calls of each mode and verb, evenly spread, others each day (10; under sanitizers 4)
#   SLOW=1     all system calls; `make enumerate` shares that work
#   MODES=REGEX VERBS=REGEX PHASE=N SHARD=I/N (test/modes.sh)
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

# System calls that change something outside of the process.
CHANGING='sendto|sendmsg|write|pwrite64|ftruncate|fallocate|rename.*|unlink.*|mkdir.*|openat|mount|umount2'
CHANGING+='|clone.*|vfork|setns|unshare|flock|msync|exit_group'

# places_of VERB: the system calls of the verb to kill it at: all, or for a sample those that change something,
# and what comes after each of them, once main() has begun.
places_of() {
	calls_of "$1" | if [ -n "${SLOW:-}" ]; then cat; else
		awk -v changing="^($CHANGING)\$" '$4 != "early" {
			now = $3 ~ changing
			if (now || before) print
			before = now }'
	fi
}

# each VERB: kill the verb, or the process that it started, at each of these calls. Of a process, not all calls
# are the same each time: some are not made, and are tried three times.
each() {
	local verb=$1 process call name i=0 killed=0 try hit
	is "" "$(prepare "$verb")" "before $verb"
	until_true no_walker # a DEL that finds one makes fewer calls
	places_of "$verb" >"$TMP/all"
	run GC "$VALID"
	sampled "$SAMPLE" <"$TMP/all" >"$TMP/calls"
	isnt 0 "$(wc -l <"$TMP/all")" "system calls of $verb"
	while read -r process call name _ <&3; do
		for try in 1 2 3; do
			is "" "$(prepare "$verb")" "before $verb"
			until_true no_walker
			disturbed "$verb" kill "$process" "$call"
			hit=$DISTURBED
			case $process:$RC:$hit in
			1:137:?* | *:0:* | [2-9]*:1:?*) ;;
			*) fail "$verb killed at $process $call $name ($hit, try $try): expected its end, seen rc $RC: $OUT $ERR" ;;
			esac
			healed "$verb" $((RANDOM % 4)) "$verb killed at $process $call $name"
			[ -z "$hit" ] || break
		done
		[ -z "$hit" ] || killed=$((killed + 1))
		i=$((i + 1))
	done 3<"$TMP/calls"
	CALLS=$((CALLS + i)) KILLED=$((KILLED + killed))
	within $((i / 20 + 1)) $((i - killed)) "kills that did not come about, of $i"
}

if group syscalls; then
	need_disturb
	CALLS=0 KILLED=0
	for mode in "${MODES_ALL[@]}"; do
		[[ $mode =~ ${MODES:-.} ]] || continue
		scene "$mode"
		for verb in ADD DEL GC; do
			[[ $verb =~ ${VERBS:-.} ]] || continue
			t "$mode: SIGKILL at system calls of $verb"
			each $verb
		done
		scene_end
	done
	echo "$KILLED killed at $CALLS system calls"
fi

finish
