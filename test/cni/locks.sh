#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A call that is stopped (SIGSTOP, a frozen cgroup) holds its locks. Others wait for it within a bound, then
# say who has them; once it is gone, they work.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
need perl
baseline
CONFIG=$(one 10.0.1.0/24 '.ipMasq=true | .ipam.cooldown=0')
WAIT=30	# LOCK_WAIT_S

# hold FILE HOW: a process that has this flock, and is stopped. Sets HOLDER. HOW: 1 shared, 2 alone.
hold() {
	local fd
	exec {fd}< <(exec perl -e '$| = 1; open(my $f, "+<", $ARGV[0]) or die; flock($f, $ARGV[1]) or die; print "held\n"; sleep 1 while 1' \
		"$DATA/$1" "$2")
	HOLDER=$!
	read -r -t 5 -u "$fd" _ || fail "no holder"
	exec {fd}<&-
	kill -STOP $HOLDER
}
# each VERB NAME CONFIG: in the background, its answer in $TMP/VERB.out, its seconds in $TMP/VERB.s
each() {
	local start=$SECONDS
	timeout -s KILL 100 bash -c 'exec "$@"' - env -i CNI_COMMAND="$1" CNI_CONTAINERID="$2" CNI_NETNS="$NETNS/$2" CNI_IFNAME=eth0 \
		CNI_PATH="$BIN" "$BIN/awsvpc" <<<"$3" >"$TMP/$1.out" 2>"$TMP/$1.err"
	echo $((SECONDS - start)) >"$TMP/$1.s"
}
# told_of VERB FILE: it ended with code 11, after the wait and not much later, naming file and holder.
told_of() {
	like "^11 .*$DATA/$2: locked for [0-9]+ seconds by process $HOLDER \(perl\), which is stopped.*kill -KILL $HOLDER" \
		"$(jq -r '"\(.code) \(.msg) \(.details)"' "$TMP/$1.out" 2>/dev/null)" "$1"
	within $((WAIT + 8)) "$(<"$TMP/$1.s")" "seconds of $1"
}

netns c1 c2
add c1 "$CONFIG"
PREV=$(with_prev c1 "$CONFIG")
if group store; then
	t "the store's lock is held by a stopped process: every verb and command ends, and names it"
	hold lock 2
	calls=()
	for verb in ADD DEL CHECK GC STATUS; do
		case $verb in ADD) name=c2 config=$CONFIG ;; CHECK) name=c1 config=$PREV ;; *) name=c1 config=$CONFIG ;; esac
		each $verb $name "$config" &
		calls+=($!)
	done
	start=$SECONDS
	seen=$("$BIN/taskvpc" ls 2>&1)
	like "lock: locked for $WAIT seconds by process $HOLDER \(perl\), which is stopped" "$seen" "taskvpc ls"
	within $((WAIT + 8)) $((SECONDS - start)) "seconds of taskvpc ls"
	wait "${calls[@]}"
	for verb in ADD DEL CHECK GC STATUS; do told_of $verb lock; done
	is "" "$(ip -n c2 -br link show type veth)" "link of c2"
	kill -KILL $HOLDER
	verify c1 "$CONFIG"
fi
if group turn; then
	t "one that restores rules is stopped: what attaches and detaches ends, and names it"
	hold turn 2
	each ADD c2 "$CONFIG" &
	calls=($!)
	each DEL c1 "$CONFIG"
	wait "${calls[@]}"
	told_of ADD turn
	told_of DEL turn
	kill -KILL $HOLDER
	t "one that attaches is stopped: GC, which must be alone, ends after five seconds and names it"
	hold turn 1
	WAIT=5
	each GC c1 "$(jq -c '.["cni.dev/valid-attachments"]=[{containerID: "c1", ifname: "eth0"}]' <<<"$CONFIG")"
	told_of GC turn
	t "others attach beside it"
	add c2 "$CONFIG"
	del c2 "$CONFIG"
	kill -KILL $HOLDER
	works GC "$(jq -c '.["cni.dev/valid-attachments"]=[{containerID: "c1", ifname: "eth0"}]' <<<"$CONFIG")"
fi
if group key && [ -n "${SLOW:-}" ]; then
	t "a call at the same attachment is stopped: the next one ends, and names it"
	WAIT=90
	need strace
	strace -qq -o "$TMP/trace" -e trace=sendto -e inject=sendto:signal=STOP:when=8 env -i CNI_COMMAND=ADD CNI_CONTAINERID=c2 \
		CNI_NETNS=$NETNS/c2 CNI_IFNAME=eth0 CNI_PATH="$BIN" "$BIN/awsvpc" <<<"$CONFIG" >/dev/null 2>&1 &
	STRACE=$!
	until_true grep -qs 'stopped by' "$TMP/trace"
	HOLDER=$(ps -o pid= --ppid $STRACE | xargs)
	each DEL c2 "$CONFIG"
	like "^11 .*/turn: locked for 90 seconds by process $HOLDER \(awsvpc\)" "$(jq -r '"\(.code) \(.msg)"' "$TMP/DEL.out")" DEL
	kill -KILL "$HOLDER"
	wait $STRACE
	del c2 "$CONFIG"
fi
del c1 "$CONFIG"
drop c1 c2
clean

finish
