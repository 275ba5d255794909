#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An error of the kernel at any system call: ENOMEM, EINTR, ENOSPC, ENOBUFS and EIO, once and from there on,
# at the calls of ADD, DEL and GC in each mode, enumerated by strace. The verb ends, and says either what
# it did or, in one JSON document, why not; an ADD that failed has left nothing; what it said it did, it
# did; and DEL, GC, the same ADD or that of another heal whatever is left (test/modes.sh).
#
#   SAMPLE=N   cases of each mode and verb, evenly spread, others each day (8; under sanitizers 3)
#   SLOW=1     all of them
#   SHARD=I/N  only each N-th, so that several of these share the work
#   MODES=REGEX VERBS=REGEX PHASE=N, KEEP=FILE: what was said, a line each
[ -z "${SLOW:-}" ] || export TEST_TIMEOUT=${TEST_TIMEOUT:-10000}
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/modes.sh
. "$(dirname "$0")/../modes.sh"
need_inject
SAMPLE=${SAMPLE:-${SAN:+3}}
SAMPLE=${SAMPLE:-8}
SHARD=${SHARD:-0/1}
KEEP=${KEEP:-/dev/null}
# Under AddressSanitizer memory that is refused is its own affair.
MEMORY='^(brk|mmap|munmap|mprotect|madvise|mremap)$'

# Where a call that was interrupted has to be made again.
AGAIN='^(read|write|sendto|sendmsg|recvfrom|recvmsg|poll|ppoll|flock|fallocate|wait4|waitid|clock_nanosleep)$'

# Calls that only ask, or that cannot fail: one error is as good as another.
DULL='^(brk|mprotect|munmap|madvise|fstat|newfstatat|lseek|prlimit64|uname|get.*id|set_.*|rseq|arch_prctl|rt_sig.*)$'

# calls_of VERB: its system calls, in order, as "NAME N PLACE": the N-th of that name; PLACE: "early", before
# main() has begun; "own"; "child", of a process that it started: strace counts anew in it and disturbs all
# processes alike, so there only what comes behind the calls of that name that the parent makes.
# Exits do not fail, and a descriptor is closed whatever close() says.
calls_of() {
	trace "$1"
	awk -v pid="$(awk 'NR == 1 { print $1 }' "$TMP/trace")" '
		# The kernel makes a sysctl wait for its lock by restarts.
		!match($2, /^[a-z0-9_]+\(/) || /ERESTARTNOINTR/ { next }
		{ name = substr($2, 1, RLENGTH - 1) }
		name ~ /^(execve|exit|exit_group|rt_sigreturn|close|close_range)$/ { next }
		name == "fcntl" { main = 1 }
		$1 == pid { print name, ++own[name], main ? "own" : "early" }
		$1 != pid { of[NR] = $1; name_of[NR] = name }
		END { for (i = 1; i <= NR; i++)
			if (i in of) {
				n = ++other[of[i] " " name_of[i]]
				if (n > own[name_of[i]] && !seen[name_of[i], n]++) print name_of[i], n, "child"
			} }' "$TMP/trace"
}

# cases_of VERB: each call with each error, once; and with one of them from there on. What is dull, or is
# done by the loader or a library, gets one error.
cases_of() {
	calls_of "$1" |
		if [ -n "$SAN" ]; then awk -v memory="$MEMORY" '$3 == "own" && $1 !~ memory'; else cat; fi |
		awk -v dull="$DULL" -v phase="$PHASE" '{
			n = split("ENOMEM EINTR ENOSPC ENOBUFS EIO", error)
			one = (NR + phase) % n + 1
			for (i = 1; i <= n; i++)
				if (i == one || ($3 == "own" && $1 !~ dull)) print $0, error[i], "once"
			if ($3 == "own" && $1 !~ dull) print $0, error[one % 2 ? 1 : 4], "on" }' |
		awk -v shard="${SHARD%/*}" -v of="${SHARD#*/}" 'NR % of == shard'
}

# disturbed VERB NAME N PLACE ERROR HOW: the call, with its error. Sets RC, OUT, ERR.
disturbed() {
	local -a LINE
	local follow=
	[ "$4" != child ] || follow=-f
	line "$1"
	RC=0
	config_of "$1" >"$TMP/stdin"
	# In braces: their redirection takes in what the shell says of a job that died.
	{
		timeout -s KILL 60 "${LINE[@]}" strace $follow -o /dev/null -e "trace=$2" \
			-e "inject=$2:$(result "$2" "$5"):when=$3$([ "$6" = once ] || echo +)" "$PLUGIN" \
			<"$TMP/stdin" >"$TMP/stdout" 2>"$TMP/stderr" || RC=$?
	} 2>/dev/null
	OUT=$(<"$TMP/stdout") ERR=$(<"$TMP/stderr")
}

# result NAME ERROR: what the call returns. brk() has no errors: it returns where the heap ends.
result() { if [ "$1" = brk ]; then echo retval=0; else echo "error=$2"; fi; }

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

# judge VERB PLACE NAME ERROR HOW: what is wrong with how it ended.
judge() {
	if [ $RC = 0 ]; then
		did "$1"
	elif [ "$2" = early ] && [ -z "$OUT" ] && [ $RC != 137 ]; then
		residue_of_failed "$1" # the dynamic loader has its own ways to say so
	elif [ "$3 $5" = "setns on" ] && [ $RC = 134 ]; then
		return # who cannot come back from the task's namespace has to end (netns_return)
	elif [ $RC -ge 128 ]; then
		echo "died or hung ($RC): $ERR"
	elif [ "$3 $5" = "write on" ] || [[ $ERR == *"stdout: cannot write the answer"* ]]; then
		residue_of_failed "$1" # it was not told of anything
	else
		[ -n "$SAID" ] || echo "rc $RC without an error on stdout: '$OUT' $ERR"
		echo "$1 $3 $4 $5: $SAID${ERR:+ [$ERR]}" >>"$KEEP"
		[ "$2 $4" != "own EINTR" ] || ! [[ $3 =~ $AGAIN ]] || echo "does not try again: $SAID"
		[ "$5" = on ] || residue_of_failed "$1"
	fi
	case $ERR in *Sanitizer* | *'runtime error:'*) echo "$ERR" ;; esac
}

# Whatever fails leaves the host as it was; of a DEL and a GC something may be gone already.
residue_of_failed() { [ "$1" != ADD ] || residue; }

# each VERB
each() {
	local verb=$1 name n place error how seen i=0
	is "" "$(prepare "$verb")" "before $verb"
	cases_of "$verb" >"$TMP/all"
	run GC "$VALID"
	sampled "$SAMPLE" <"$TMP/all" >"$TMP/cases"
	isnt 0 "$(wc -l <"$TMP/cases")" "cases of $verb"
	while read -r name n place error how <&3; do
		is "" "$(prepare "$verb")" "before $verb"
		disturbed "$verb" "$name" "$n" "$place" "$error" "$how"
		listen
		seen=$(judge "$verb" "$place" "$name" "$error" "$how")
		seen=${seen//$'\n'/ | }
		if [ -z "$seen" ]; then pass; else fail "$name $n ($place) $error $how: ${seen:0:500}"; fi
		healed "$verb" $((i++)) "$name $n ($place) $error $how"
	done 3<"$TMP/cases"
	CASES=$((${CASES:-0} + i))
}

for mode in "${MODES_ALL[@]}"; do
	[[ $mode =~ ${MODES:-.} ]] || continue
	scene "$mode"
	for verb in ADD DEL GC; do
		[[ $verb =~ ${VERBS:-.} ]] || continue
		t "$mode: errors of system calls of $verb"
		each $verb
		[ -z "${SLOW:-}" ] || echo "$mode $verb: $CASES cases so far, $FAILED failures, $SECONDS s"
	done
	scene_end
done
echo "$CASES cases, begun at $PHASE"
finish
