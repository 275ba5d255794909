#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Killed at any instant, the next call heals: SIGKILL at random moments, then at system calls of ADD and
# DEL in each mode. What heals is by turns DEL, GC, and another ADD.
#
#   KILLS=N    random moments (80)
#   SAMPLE=N   system calls of each mode and verb, evenly spread, others in each run (24)
#   SLOW=1     all system calls, which takes a quarter of an hour
#   MODES=REGEX
[ -z "${SLOW:-}" ] || export TEST_TIMEOUT=${TEST_TIMEOUT:-3600}
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
KILLS=${KILLS:-80}
SAMPLE=${SAMPLE:-24}

# ---- the modes: PLUGIN, CONFIG, AT (CNI_NETNS), and who must not be touched: a CHECK of BESIDE ----

scene() {
	netns c1
	AT=$NETNS/c1 BESIDE=
	"scene_$1"
	VALID=$(jq -c '.["cni.dev/valid-attachments"]=[{containerID: "beside", ifname: "eth0"}]' <<<"$CONFIG")
	baseline
	snapshot c1 >"$TMP/before"
}
scene_end() {
	clean
	[ -z "$BESIDE" ] || del beside "$CONFIG"
	[ ! -e $NETNS/beside ] || drop beside
	drop c1
	[ ! -e $NETNS/lan ] || drop lan
}

scene_veth() {
	PLUGIN=$BIN/awsvpc
	CONFIG=$(conf '.ipMasq=true | .ipam.ranges += [[{subnet:"fd00:10:1::/64"}]]')
}
scene_macvlan() {
	PLUGIN=$BIN/awsvpc
	netns lan
	ip link add lan0 type veth peer name lan1 netns lan
	ip addr add 10.0.1.2/24 dev lan0
	ip link set lan0 up
	ip -n lan link set lan1 up
	CONFIG=$(conf '.attach="macvlan" | .master="lan0" | .hostAccess=true
		| .ipam.ranges=[[{subnet:"10.0.1.0/24",rangeStart:"10.0.1.10"}]]')
}
# Everything that a bridge can have.
scene_bridge() {
	PLUGIN=$BIN/task-bridge
	CONFIG='{"cniVersion":"1.1.0","name":"br","type":"task-bridge","bridge":"cni0","isDefaultGateway":true,
		"ipMasq":true,"macspoofchk":true,"ingressPolicy":"same-bridge","runtimeConfig":{
		"portMappings":[{"hostPort":8080,"containerPort":80},{"containerPort":53,"protocol":"udp"},
			{"hostPort":8443,"containerPort":443,"hostIP":"192.0.2.1"}],
		"bandwidth":{"ingressRate":10000000,"ingressBurst":800000,"egressRate":10000000,"egressBurst":800000}},
		"ipam":{"dataDir":"'$DATA'","cooldown":0,"ranges":[[{"subnet":"10.88.0.0/16"}],[{"subnet":"fd00:88::/64"}]]}}'
	CONFIG=$(jq -c . <<<"$CONFIG")
}
# One of many: what is shared stays.
scene_beside() {
	scene_bridge
	netns beside
	add beside "$(jq -c '.runtimeConfig.portMappings=[{containerPort:80}]' <<<"$CONFIG")"
	BESIDE=$(with_prev beside "$CONFIG")
}
scene_host() {
	PLUGIN=$BIN/task-host
	AT=/proc/self/ns/net
	CONFIG='{"cniVersion":"1.1.0","name":"lab","type":"task-host","runtimeConfig":{"portMappings":[
		{"containerPort":80},{"containerPort":53,"protocol":"udp"}]}}'
	CONFIG=$(jq -c . <<<"$CONFIG")
}

# ---- calls ----

# line VERB: the call, in LINE; its configuration comes on stdin.
line() {
	LINE=(env -i ASAN_OPTIONS="${ASAN_OPTIONS:-}" CNI_COMMAND="$1" CNI_CONTAINERID=c1 CNI_IFNAME=eth0
		CNI_NETNS="$AT" CNI_PATH="$BIN" "$PLUGIN")
}
# run VERB [CONFIG]: stdout is kept.
run() {
	local -a LINE
	line "$1"
	"${LINE[@]}" <<<"${2:-$CONFIG}" >"$TMP/stdout" 2>"$TMP/stderr"
}

# residue: what is left, or missing, or does the one beside harm; nothing if all is well.
residue() {
	snapshot c1 | diff "$TMP/before" - | grep '^[<>]'
	[ -z "$BESIDE" ] || call CHECK beside <<<"$BESIDE"
}

# heal N: what may come after a kill, by turns. Prints what goes wrong.
heal() {
	case $(($1 % 3)) in
	0) run DEL || echo "DEL: $(<"$TMP/stdout")" ;;
	1) run GC "$VALID" || echo "GC: $(<"$TMP/stdout")" ;;
	2)
		if run ADD; then
			run CHECK "$(jq -c --slurpfile p "$TMP/stdout" '.prevResult=$p[0]' <<<"$CONFIG")" ||
				echo "CHECK after ADD: $(<"$TMP/stdout")"
		else
			# It came about after all; then it stands, and that is told.
			[ "$(jq .code "$TMP/stdout")" = 102 ] || echo "ADD: $(<"$TMP/stdout")"
		fi
		run DEL || echo "DEL after ADD: $(<"$TMP/stdout")"
		;;
	esac
	residue
}

# healed N WHAT: heal, as a check. After a failure the host is cleaned for the next.
healed() {
	local seen
	seen=$(heal "$1")
	if [ -z "$seen" ]; then
		pass
		return
	fi
	seen=${seen//$'\n'/ | }
	fail "$2, then $(cut -d' ' -f$(($1 % 3 + 1)) <<<"DEL GC ADD"): ${seen:0:400}"
	run GC "$VALID"
	[ -z "$(residue)" ] || fail "not even GC heals that"
}

# killed VERB: start the verb and kill it after 0 to 9.9 ms.
killed() {
	local pid
	local -a LINE
	line "$1"
	(exec "${LINE[@]}" <<<"$CONFIG" >/dev/null 2>&1) &
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
		healed $i "killed"
	done
	t "SIGKILL at $((KILLS / 2)) random moments of DEL"
	for ((i = 0; i < KILLS / 2; i++)); do
		run ADD || fail "ADD: $(<"$TMP/stdout")"
		killed DEL
		healed $i "killed"
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
	local -a LINE
	line "$1"
	strace -f -o "$TMP/trace" "${LINE[@]}" <<<"$CONFIG" >/dev/null 2>&1
	# Of the plugin's own process only; env, which starts it, makes calls of its own before the execve.
	awk -v changing="^(${SLOW:+.*|}$CHANGING)\$" -v pid="$(awk 'NR == 1 { print $1 }' "$TMP/trace")" '
		$1 == pid && match($2, /^[a-z0-9_]+\(/) {
			name = substr($2, 1, RLENGTH - 1); n[name]++
			now = name ~ changing
			if (seen && (now || before)) print name, n[name]
			before = now
		}
		/taskvpc/ && $1 == pid && !/execve/ { seen = 1 }' "$TMP/trace"
}

# sampled: SAMPLE lines of stdin, evenly spread from a random one on; with SLOW=1 all.
sampled() {
	if [ -n "${SLOW:-}" ]; then cat; else
		awk -v want="$SAMPLE" -v phase=$RANDOM '{ line[NR] = $0 } END {
			for (i = 1; i <= NR; i++)
				if (int((i * want + phase % NR) / NR) != int(((i - 1) * want + phase % NR) / NR)) print line[i] }'
	fi
}

# each VERB: kill the verb at each of these calls.
each() {
	local verb=$1 name n i=0 killed=0
	local -a LINE
	[ "$verb" = ADD ] || run ADD || fail "ADD: $(<"$TMP/stdout")"
	calls_of "$verb" >"$TMP/all"
	run DEL
	sampled <"$TMP/all" >"$TMP/calls"
	isnt 0 "$(wc -l <"$TMP/calls")" "system calls of $verb"
	while read -r name n <&3; do
		[ "$verb" = ADD ] || run ADD || fail "ADD: $(<"$TMP/stdout")"
		line "$verb"
		# In braces: their redirection takes in what the shell says of a killed job.
		{
			strace -f -o /dev/null -e "trace=$name" -e "inject=$name:signal=KILL:when=$n" \
				"${LINE[@]}" <<<"$CONFIG" || killed=$((killed + 1))
		} >/dev/null 2>&1
		healed $((RANDOM % 3)) "$verb killed at $name $n"
		i=$((i + 1))
	done 3<"$TMP/calls"
	[ "$killed" -gt $((i * 2 / 3)) ] || fail "expected most of $i calls to be killed at, seen $killed"
}

if group syscalls; then
	if ! command -v strace >/dev/null || ! strace -o /dev/null -e inject=getppid:signal=KILL true 2>/dev/null; then
		skip "needs strace with injection"
		finish
	fi
	for mode in veth macvlan bridge beside host; do
		[[ $mode =~ ${MODES:-.} ]] || continue
		scene $mode
		for verb in ADD DEL; do
			t "$mode: SIGKILL at system calls of $verb"
			each $verb
		done
		scene_end
	done
fi

finish
