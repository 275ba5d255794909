#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An error of the kernel at any system call: ENOMEM, EINTR, ENOSPC, ENOBUFS and EIO, once and from there on,
# at the calls of ADD, DEL and GC in each mode, in whichever of their processes. The verb ends, and says either what
# it did or, in one JSON document, why not; an ADD that failed has left nothing; what it said it did, it
# did; and DEL, GC, the same ADD or that of another heal whatever is left (test/modes.sh).
#
#   SAMPLE=N   cases of each mode and verb, evenly spread, others each day (8; under sanitizers 3)
#   SLOW=1     all of them; `make enumerate` shares that work
#   MODES=REGEX VERBS=REGEX PHASE=N SHARD=I/N (test/modes.sh), KEEP=FILE: what was said, a line each
[ -z "${SLOW:-}" ] || export TEST_TIMEOUT=${TEST_TIMEOUT:-10000}
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/modes.sh
. "$(dirname "$0")/../modes.sh"
need_disturb
SAMPLE=${SAMPLE:-${SAN:+3}}
SAMPLE=${SAMPLE:-8}
KEEP=${KEEP:-/dev/null}
# Under AddressSanitizer memory that is refused is its own affair.
MEMORY='^(brk|mmap|munmap|mprotect|madvise|mremap)$'

# Where a call that was interrupted has to be made again.
AGAIN='^(read|write|sendto|sendmsg|recvfrom|recvmsg|poll|ppoll|flock|fallocate|wait4|waitid|clock_nanosleep)$'

# Calls that only ask, or that cannot fail: one error is as good as another.
DULL='^(brk|mprotect|munmap|madvise|fstat|newfstatat|lseek|prlimit64|uname|get.*id|set_.*|rseq|arch_prctl|rt_sig.*)$'

# Exits do not fail, and a descriptor is closed whatever close() says.
NEVER='^(execve|exit|exit_group|rt_sigreturn|close|close_range)$'

# cases_of VERB: each call with each error, once; and with one of them from there on. What is dull, or is
# done by the loader or a library, gets one error.
cases_of() {
	calls_of "$1" |
		if [ -n "$SAN" ]; then awk -v memory="$MEMORY" '$4 == "own" && $3 !~ memory'; else cat; fi |
		awk -v never="$NEVER" -v dull="$DULL" -v phase="$PHASE" '$3 !~ never {
			n = split("ENOMEM EINTR ENOSPC ENOBUFS EIO", error)
			one = (NR + phase) % n + 1
			for (i = 1; i <= n; i++)
				if (i == one || ($4 == "own" && $3 !~ dull)) print $0, error[i]
			if ($4 == "own" && $3 !~ dull) print $0, error[one % 2 ? 1 : 4] "+" }'
}

# listen: SAID: code and message of the one JSON document on stdout, or nothing.
listen() {
	SAID=
	[ -n "$OUT" ] || return
	printf '%s\n' "${OUT//$'\n'/$'\x1f'}" >&"${JUDGE[1]}"
	IFS= read -r -t 10 -u "${JUDGE[0]}" SAID
}

# did VERB: it succeeded, so it is done.
did() {
	case $1 in
	ADD)
		[ "$(jq -s length "$TMP/stdout" 2>&1)" = 1 ] || echo "not one document: $OUT"
		checked
		;;
	*)
		[ -z "$OUT" ] || echo "stdout: $OUT"
		residue
		;;
	esac
}

# judge VERB PLACE ERROR: what is wrong with how it ended.
judge() {
	# AddressSanitizer ends a process whose own mmap() fails: this call was none of ours.
	if [[ $ERR == *'AddressSanitizer failed to allocate'* ]]; then
		return
	elif [ $RC = 0 ]; then
		did "$1"
	elif [ "$2" = early ] && [ -z "$OUT" ] && [ $RC != 137 ]; then
		residue_of_failed "$1" # the dynamic loader has its own ways to say so
	elif [[ "$DISTURBED $3" == "setns "*+ ]] && [ $RC = 134 ]; then
		return # who cannot come back from the task's namespace has to end (netns_return)
	elif [ $RC -ge 128 ]; then
		echo "died or hung ($RC): $ERR"
	elif [[ "$DISTURBED $3" == "write "*+ ]] || [[ $ERR == *"stdout: cannot write the answer"* ]]; then
		# It was not told of anything. Where nothing can be written any more, an undo that has to
		# write (route_localnet, the stdin of an IPAM plugin) is left to those who heal.
		[[ $3 == *+ ]] || residue_of_failed "$1"
	else
		[ -n "$SAID" ] || echo "rc $RC without an error on stdout: '$OUT' $ERR"
		echo "$1 $DISTURBED $3: $SAID${ERR:+ [$ERR]}" >>"$KEEP"
		[ "$2 $3" != "own EINTR" ] || ! [[ $DISTURBED =~ $AGAIN ]] || echo "does not try again: $SAID"
		[[ $3 == *+ ]] || residue_of_failed "$1"
	fi
	case $ERR in *Sanitizer* | *'runtime error:'*) echo "$ERR" ;; esac
}

# Whatever fails leaves the host as it was; of a DEL and a GC something may be gone already.
residue_of_failed() { [ "$1" != ADD ] || residue; }

# each VERB
each() {
	local verb=$1 process call name place error seen i=0 made=0
	is "" "$(prepare "$verb")" "before $verb"
	until_true no_walker # a DEL that finds one makes fewer calls
	cases_of "$verb" >"$TMP/all"
	run GC "$VALID"
	sampled "$SAMPLE" <"$TMP/all" >"$TMP/cases"
	isnt 0 "$(wc -l <"$TMP/all")" "cases of $verb"
	while read -r process call name place error <&3; do
		is "" "$(prepare "$verb")" "before $verb"
		until_true no_walker
		disturbed "$verb" "$error" "$process" "$call"
		listen
		[ -z "$DISTURBED" ] || made=$((made + 1))
		seen=$(judge "$verb" "$place" "$error")
		seen=${seen//$'\n'/ | }
		if [ -z "$seen" ]; then pass; else fail "$process $call $name ($place) $error: ${seen:0:500}"; fi
		healed "$verb" $((i++)) "$process $call $name ($place) $error"
	done 3<"$TMP/cases"
	CASES=$((CASES + i)) MADE=$((MADE + made))
	within $((i / 20 + 1)) $((i - made)) "errors that did not come about, of $i"
}

CASES=0 MADE=0
for mode in "${MODES_ALL[@]}"; do
	[[ $mode =~ ${MODES:-.} ]] || continue
	scene "$mode"
	for verb in ADD DEL GC; do
		[[ $verb =~ ${VERBS:-.} ]] || continue
		t "$mode: errors of system calls of $verb"
		each $verb
	done
	scene_end
done
echo "$MADE errors in $CASES cases"
finish
