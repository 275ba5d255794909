#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ADD and DEL, thousands of times, in each mode at once: nothing grows. Neither the store's files nor rules,
# elements, routes, neighbours, tracked connections, mounts and processes; nor, within its noise, what the
# kernel has allocated for us.
#
#   CYCLES=N   pairs of ADD and DEL in all (1000; SLOW=1: 50000)
[ -z "${SLOW:-}" ] || export TEST_TIMEOUT=${TEST_TIMEOUT:-3600}
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
CYCLES=${CYCLES:-${SLOW:+50000}}
CYCLES=${CYCLES:-${SAN:+200}}
CYCLES=${CYCLES:-1000}
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
	rmdir "$MEMORY"
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
for mode in $MODES; do
	netns "$mode" "stay-$mode"
	printf %s "${CONF_OF[$mode]}" >"$TMP/conf.$mode"
done
baseline

# ---- the loops ----

# pair MODE CONTAINER NAMESPACE VERB…: bare calls, as fast as bash can. What goes wrong is in $TMP/bad.
call_mode() {
	local mode=$1 verb=$4 at=$NETNS/$3
	[ "$mode" != host ] || at=/proc/self/ns/net
	CNI_COMMAND=$verb CNI_CONTAINERID=$2 CNI_NETNS=$at CNI_IFNAME=eth0 CNI_PATH=$BIN \
		"$BIN/${PLUGIN_OF[$mode]}" <"${5:-$TMP/conf.$mode}" >"$TMP/out.$mode" 2>"$TMP/err.$mode" &&
		[ ! -s "$TMP/err.$mode" ] && return
	echo "$verb of $2 in $mode: $(<"$TMP/out.$mode") $(<"$TMP/err.$mode")" >>"$TMP/bad"
	return 1
}
# probe MODE CONTAINER: in between, it must be whole.
probe() {
	local to
	jq -c --slurpfile p "$TMP/out.$1" '.prevResult=$p[0]' "$TMP/conf.$1" >"$TMP/check.$1"
	to=$(jq -r '.ips[0].gateway // ""' "$TMP/out.$1")
	call_mode "$1" "$2" "$1" CHECK "$TMP/check.$1" || return
	[ "$1" = host ] || in_ns "$1" ping -n -q -c 1 -W 5 "$to" >/dev/null 2>&1 || echo "ping from $2 in $1" >>"$TMP/bad"
}
# turn MODE NUMBER
turn() {
	local mode=$1 i start=${EPOCHREALTIME/./} tenth=$(($2 / 10 + 1)) first=0
	for ((i = 1; i <= $2; i++)); do
		call_mode "$mode" "c$i" "$mode" ADD || break
		[ $((i % 97)) != 0 ] || probe "$mode" "c$i"
		call_mode "$mode" "c$i" "$mode" DEL || break
		[ $i != $tenth ] || first=$((${EPOCHREALTIME/./} - start))
		[ $i != $(($2 - tenth)) ] || start=${EPOCHREALTIME/./}
	done
	echo "$mode: $((i - 1)) pairs; microseconds a pair, in the first and the last tenth:" \
		$((first / tenth)) $(((${EPOCHREALTIME/./} - start) / tenth)) >"$TMP/time.$mode"
}
# cycles NUMBER: all modes at once.
cycles() {
	local mode
	local -a pids=()
	for mode in $MODES; do
		turn "$mode" $(($1 * SHARE[$mode] / 100)) &
		pids+=($!)
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
	nft -j list ruleset | jq -r '[.nftables[] | (.set // .map // empty).elem // [] | length] | "elements \(add)"'
	nft -j list ruleset | jq -r '"rules, chains and sets \(.nftables | length)"'
	echo "links $(ip -o link | wc -l)"
	echo "addresses $(ip -o addr | wc -l)"
	echo "routes $(ip -o route show table all | wc -l) $(ip -6 -o route show table all | grep -vc ' expires ')"
	echo "neighbours $(ip -o neigh show nud permanent | wc -l)"
	echo "tracked connections $(wc -l </proc/net/nf_conntrack)"
	echo "mounts $(wc -l </proc/self/mountinfo)"
	for mode in $MODES; do
		echo "in $mode: links $(ip -n "$mode" -o link | wc -l), routes $(ip -n "$mode" -o route show table all | wc -l)"
	done
	echo "processes of plugins $(pgrep -c -x 'awsvpc|task-.*')"
}
none_tracked() { [ ! -s /proc/net/nf_conntrack ]; }
# What the kernel does in the background may go on for a moment.
same_as() { measure | diff -q "$1" - >/dev/null; }

t "$WARM_UP ADDs and DELs beside tasks that stay"
for mode in $MODES; do
	[ "$mode" != host ] || sed 's/8000/8001/' "$TMP/conf.host" >"$TMP/conf.stay"
	case $mode in
	host) call_mode host stay stay-host ADD "$TMP/conf.stay" ;;
	*) call_mode "$mode" stay "stay-$mode" ADD ;;
	esac
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
