#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ADD and DEL, thousands of times, in each mode at once: nothing grows. Neither the store's files nor rules,
# elements, routes, neighbours, tracked connections, mounts and processes; nor, within its noise, what the
# kernel has allocated for us.
#
#   CYCLES=N   pairs of ADD and DEL in all (1000; SLOW=1: 50000)
#   WORKERS=N  of each mode at once (3): most of a pair is waiting for the kernel
[ -z "${SLOW:-}" ] || export TEST_TIMEOUT=${TEST_TIMEOUT:-7200}
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
CYCLES=${CYCLES:-${SLOW:+50000}}
CYCLES=${CYCLES:-${SAN:+200}}
CYCLES=${CYCLES:-1000}
WORKERS=${WORKERS:-3}
WARM_UP=400 # until the pool, the store and the tables of the kernel have the size that they need

# Kernel memory is counted for this cgroup alone: others use the machine meanwhile.
CGROUP=/taskvpc-cycles-$$-$RANDOM MEMORY=""
for dir in /sys/fs/cgroup/memory /sys/fs/cgroup; do
	[ -e "$dir/cgroup.procs" ] || continue
	mkdir "$dir$CGROUP" 2>/dev/null && echo $$ >"$dir$CGROUP/cgroup.procs" && MEMORY=$dir$CGROUP && break
done
cleanup() {
	[ -n "$MEMORY" ] || return
	echo $$ >"${MEMORY%"$CGROUP"}/cgroup.procs"
	until_true rmdir "$MEMORY" 2>/dev/null # the last DEL's process that deletes connections ends first
}
kernel_memory() {
	case $MEMORY in
	'') echo 0 ;;
	/sys/fs/cgroup/memory/*) cat "$MEMORY/memory.kmem.usage_in_bytes" ;;
	*) awk '$1 == "kernel" { print $2 }' "$MEMORY/memory.stat" ;;
	esac
}

# ---- the modes ----

netns router
ip link add lan0 type veth peer name lan1 netns router
ip addr add 10.0.3.2/24 dev lan0
ip link set lan0 up
ip -n router addr add 10.0.3.1/24 dev lan1
ip -n router link set lan1 up
MODES="veth lan br host"
declare -A SHARE=([veth]=40 [lan]=25 [br]=15 [host]=20) # of a hundred, by what they cost
declare -A PLUGIN_OF=([veth]=awsvpc [lan]=awsvpc [br]=task-bridge [host]=task-host)
declare -A CONF_OF=(
	[veth]=$(conf '.name="veth" | .ipMasq=true | .ipam.ranges=[[{subnet:"10.0.1.0/26"}],[{subnet:"fd00:10:1::/122"}]]')
	[lan]=$(conf '.name="lan" | .attach="macvlan" | .master="lan0" | .hostAccess=true
		| .ipam.ranges=[[{subnet:"10.0.3.0/26",rangeStart:"10.0.3.10"}]]')
	[br]='{"cniVersion":"1.1.0","name":"br","type":"task-bridge","bridge":"cni0","isDefaultGateway":true,"ipMasq":true,
		"macspoofchk":true,"ingressPolicy":"same-bridge","runtimeConfig":{"portMappings":[{"containerPort":80},
		{"containerPort":53,"protocol":"udp"}],"bandwidth":{"ingressRate":10000000,"ingressBurst":800000,
		"egressRate":10000000,"egressBurst":800000}},"ipam":{"cooldown":0,"ranges":[[{"subnet":"10.88.0.0/16"}]]}}'
	[host]='{"cniVersion":"1.1.0","name":"host","type":"task-host","runtimeConfig":{"portMappings":[{"containerPort":8000}]}}'
)
# A ping every now and then is tracked for a second only, so that at the end none is left.
for protocol in icmp icmpv6 generic; do
	echo 1 >"/proc/sys/net/netfilter/nf_conntrack_${protocol}_timeout"
done
# A namespace and a configuration for each worker: two cannot have one port of the host.
for mode in $MODES; do
	netns "stay-$mode"
	printf %s "${CONF_OF[$mode]}" >"$TMP/conf.stay-$mode"
	for ((w = 1; w <= WORKERS; w++)); do
		netns "$mode-$w"
		printf %s "${CONF_OF[$mode]/8000/800$w}" >"$TMP/conf.$mode-$w"
	done
done
baseline

# ---- the loops ----

# call_mode MODE CONTAINER TASK VERB [FILE]: a bare call, as fast as bash can; TASK names its namespace and its
# configuration. What goes wrong is in $TMP/bad.
call_mode() {
	local verb=$4 at=$NETNS/$3
	[ "$1" != host ] || at=/proc/self/ns/net
	CNI_COMMAND=$verb CNI_CONTAINERID=$2 CNI_NETNS=$at CNI_IFNAME=eth0 CNI_PATH=$BIN \
		"$BIN/${PLUGIN_OF[$1]}" <"${5:-$TMP/conf.$3}" >"$TMP/out.$3" 2>"$TMP/err.$3" &&
		[ ! -s "$TMP/err.$3" ] && return
	echo "$verb of $2 in $3: $(<"$TMP/out.$3") $(<"$TMP/err.$3")" >>"$TMP/bad"
	return 1
}
# probe MODE CONTAINER TASK: in between, it must be whole.
probe() {
	local to
	jq -c --slurpfile p "$TMP/out.$3" '.prevResult=$p[0]' "$TMP/conf.$3" >"$TMP/check.$3"
	to=$(jq -r '.ips[0].gateway // ""' "$TMP/out.$3")
	call_mode "$1" "$2" "$3" CHECK "$TMP/check.$3" || return
	[ "$1" = host ] || in_ns "$3" ping -n -q -c 1 -W 5 "$to" >/dev/null 2>&1 || echo "ping from $2 in $3" >>"$TMP/bad"
}
# turn MODE WORKER NUMBER
turn() {
	local mode=$1 task=$1-$2 i start=${EPOCHREALTIME/./} tenth=$(($3 / 10 + 1)) first=0
	for ((i = 1; i <= $3; i++)); do
		call_mode "$mode" "c$2-$i" "$task" ADD || break
		[ $((i % 97)) != 0 ] || probe "$mode" "c$2-$i" "$task"
		call_mode "$mode" "c$2-$i" "$task" DEL || break
		[ $i != $tenth ] || first=$((${EPOCHREALTIME/./} - start))
		[ $i != $(($3 - tenth)) ] || start=${EPOCHREALTIME/./}
	done
	echo "$task: $((i - 1)) pairs; microseconds a pair, in the first and the last tenth:" \
		$((first / tenth)) $(((${EPOCHREALTIME/./} - start) / tenth)) >"$TMP/time.$task"
}
# cycles NUMBER: all modes at once.
cycles() {
	local mode w
	local -a pids=()
	for mode in $MODES; do
		for ((w = 1; w <= WORKERS; w++)); do
			turn "$mode" $w $(($1 * SHARE[$mode] / 100 / WORKERS)) &
			pids+=($!)
		done
	done
	wait "${pids[@]}"
	is "" "$(head -c 1000 "$TMP/bad" 2>/dev/null)" "what went wrong"
	rm -f "$TMP/bad"
}

# ---- what may not grow ----

# measure: "WHAT VALUE" a line.
measure() {
	stat -c '%n %s' "$DATA"/*
	echo "files $(find /run/taskvpc $NETNS | wc -l)"
	echo "records $(records)"
	nft -j list ruleset | jq -r '[.nftables[] | (.set // .map // empty)
		| select(.flags // [] | index("dynamic") | not) | .elem // [] | length] | "elements \(add)"'
	nft -j list ruleset | jq -r '"rules, chains and sets \(.nftables | length)"'
	echo "links $(ip -o link | wc -l)"
	echo "addresses $(ip -o addr | wc -l)"
	echo "routes $(ip -o route show table all | wc -l) $(ip -6 -o route show table all | grep -vc ' expires ')"
	echo "neighbours $(ip -o neigh show nud permanent | wc -l)"
	echo "tracked connections $(wc -l </proc/net/nf_conntrack)"
	echo "mounts $(wc -l </proc/self/mountinfo)"
	for mode in $MODES; do
		for ((w = 1; w <= WORKERS; w++)); do
			echo "in $mode-$w: links $(ip -n "$mode-$w" -o link | wc -l), routes $(ip -n "$mode-$w" -o route show table all | wc -l)"
		done
	done
	echo "processes of plugins $(pgrep -c -x 'awsvpc|task-.*')"
}
none_tracked() { [ ! -s /proc/net/nf_conntrack ]; }
# What the kernel does in the background may go on for a moment.
same_as() { measure | diff -q "$1" - >/dev/null; }

t "$WARM_UP ADDs and DELs beside tasks that stay"
for mode in $MODES; do
	call_mode "$mode" stay "stay-$mode" ADD
done
cycles $WARM_UP
until_true none_tracked
measure >"$TMP/before"
memory=$(kernel_memory)
unreclaimable=$(awk '/^SUnreclaim/ { print $2 }' /proc/meminfo)

t "$CYCLES ADDs and DELs"
cycles "$CYCLES"
cat "$TMP"/time.*
for ((i = 0; i < 40; i++)); do
	same_as "$TMP/before" && break
	sleep 0.25
done
measure >"$TMP/after"
is "" "$(diff "$TMP/before" "$TMP/after")" "what there is, before and after"
# The kernel keeps the MACs that it has learned, up to its gc_thresh1.
within 200 "$(ip -o neigh show nud all | wc -l)" "neighbours, with those that were learned"
grown=$(($(kernel_memory) - memory))
echo "kernel memory: $((memory / 1024)) KiB of ours before, grown by $((grown / 1024)) KiB; of the machine:" \
	"$unreclaimable KiB unreclaimable before, $(awk '/^SUnreclaim/ { print $2 }' /proc/meminfo) KiB after"
if [ -n "$MEMORY" ]; then
	within $((2 * 1024 * 1024 + CYCLES * 32)) "$grown" "bytes that the kernel holds for us more than before"
fi

t "$((CYCLES / 10)) ADDs and DELs, each of which makes what is shared, and removes it"
for mode in $MODES; do call_mode "$mode" stay "stay-$mode" DEL; done
clean
cycles $((CYCLES / 10))
clean
is "" "$(pgrep -a -x 'awsvpc|task-.*')" "processes"

finish
