#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# SIGKILL at random instants of ADD, DEL and GC of all modes, many at once on one host. All the while
# bystanders of each mode answer every ping; no two tasks have one address; whoever is not killed succeeds, or
# says that the attachment exists; and nothing is left but the bystanders, after one DEL of each, one GC of each
# network, the same ADD again or that of another, by turns.
#
#   KILLS=N     calls to be killed (300; SLOW=1: 5000; under sanitizers 100), in rounds of a hundred or more
#   WORKERS=N   at once (4)
[ -z "${SLOW:-}" ] || export TEST_TIMEOUT=${TEST_TIMEOUT:-3600}
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
KILLS=${KILLS:-${SLOW:+5000}}
KILLS=${KILLS:-${SAN:+100}}
KILLS=${KILLS:-300}
WORKERS=${WORKERS:-4}
ROUND=100
[ "$KILLS" -lt 1000 ] || ROUND=500

netns lan
ip link add lan0 type veth peer name lan1 netns lan
ip addr add 10.0.9.2/24 dev lan0
ip link set lan0 up
ip -n lan link set lan1 up

# ---- the networks: TYPE and CONFIG of each; a worker's number makes its ports its own ----
declare -A TYPE=([vpc]=awsvpc [bpf]=awsvpc [far]=awsvpc [lan]=awsvpc [br]=task-bridge [host]=task-host [none]=task-none
	[ipam]=task-ipam) CONFIG
CONFIG[vpc]=$(conf '.name="vpc" | .ipMasq=true | .ipam.cooldown=0 | .ipam.ranges=[[{subnet:"10.0.1.0/27"}],[{subnet:"fd00:10:1::/64"}]]')
CONFIG[bpf]=$(conf '.name="bpf" | .hostRouting="bpf" | .ipam.cooldown=0 | .ipam.ranges=[[{subnet:"10.0.2.0/27"}]]')
# Addresses of a foreign IPAM plugin, with a store of its own; and that plugin alone, as another's delegate.
POOL=$TMP/pool
mkdir -p "$TMP/bin"
cp "$BIN/task-ipam" "$TMP/bin/pool"
CONFIG[far]=$(conf '.name="far" | .ipam={type: "pool", dataDir: "'"$POOL"'", cooldown: 0, ranges: [[{subnet: "10.0.4.0/27"}]]}')
CONFIG[ipam]=$(conf '.name="ipam" | .type="bridge" | .ipam.cooldown=0 | .ipam.ranges=[[{subnet:"10.0.5.0/27"}]]')
CONFIG[lan]=$(conf '.name="lan" | .attach="macvlan" | .master="lan0" | .hostAccess=true | .ipam.cooldown=0
	| .ipam.ranges=[[{subnet:"10.0.9.0/24",rangeStart:"10.0.9.10",rangeEnd:"10.0.9.30"}]]')
CONFIG[br]='{"cniVersion":"1.1.0","name":"br","type":"task-bridge","bridge":"cni0","isDefaultGateway":true,"ipMasq":true,
	"macspoofchk":true,"runtimeConfig":{"portMappings":[{"hostPort":PORT,"containerPort":80},
	{"hostPort":PORT,"containerPort":53,"protocol":"udp"}],"bandwidth":{"ingressRate":10000000,"ingressBurst":800000,
	"egressRate":10000000,"egressBurst":800000}},"ipam":{"cooldown":0,"ranges":[[{"subnet":"10.88.0.0/27"}]]}}'
CONFIG[host]='{"cniVersion":"1.1.0","name":"host","type":"task-host","runtimeConfig":{"portMappings":[{"containerPort":1PORT}]}}'
CONFIG[none]='{"cniVersion":"1.1.0","name":"none","type":"task-none"}'
NETWORKS=(vpc bpf far lan br host none ipam)

config_of() { printf '%s' "${CONFIG[$1]//PORT/$((7000 + $2))}" | tr -d '\n'; }
# line VERB NETWORK ID: the call, in LINE. Tasks of the mode host are in the host's namespace; an interface for
# each network, so that a task can have all.
declare -A IFNAME=([vpc]=eth0 [lan]=eth1 [br]=eth2 [bpf]=eth3 [far]=eth4 [host]=eth0 [none]=eth0 [ipam]=eth5)
line() {
	local at=$NETNS/$3
	[ "$2" != host ] || at=/proc/self/ns/net
	LINE=(env -i ASAN_OPTIONS="${ASAN_OPTIONS:-}" CNI_COMMAND="$1" CNI_CONTAINERID="$3" CNI_NETNS="$at"
		CNI_IFNAME="${IFNAME[$2]}" CNI_PATH="$BIN:$TMP/bin" "$BIN/${TYPE[$2]}")
}
# bare VERB NETWORK ID NUMBER [FILTER]: the call; the configuration through a filter of jq.
bare() {
	local -a LINE
	line "$1" "$2" "$3"
	config_of "$2" "$4" | if [ $# = 5 ]; then jq -c "$5"; else cat; fi | timeout -s KILL 60 "${LINE[@]}"
}

# valid WORKER NETWORK: all but the worker's own, so that its GC takes down what is its own.
valid() {
	local w list="{\"containerID\":\"by\",\"ifname\":\"${IFNAME[$2]}\"}"
	for ((w = 1; w <= WORKERS; w++)); do
		[ "$w" = "$1" ] || list+=",{\"containerID\":\"w$w\",\"ifname\":\"${IFNAME[$2]}\"}"
	done
	echo "[$list]"
}

# ---- the bystander: one task, in each network that gives it an address, and pinged all the time ----

STANDING=(vpc bpf far lan br)

netns by
for ((w = 1; w <= WORKERS; w++)); do netns "w$w"; done
PINGS=()
stand_by() {
	local net ip
	for net in "${STANDING[@]}"; do
		bare ADD "$net" by 999 >"$TMP/by.$net" || fail "ADD of the bystander: $(<"$TMP/by.$net")"
		ip=$(jq -r '.ips[0].address | split("/")[0]' "$TMP/by.$net")
		ping_ok host "$ip"
		ping -n -q -i 0.2 "$ip" >"$TMP/ping.$net" &
		PINGS+=($!)
	done
}
by_checked() {
	local net
	for net in "${STANDING[@]}"; do bare CHECK "$net" by 999 ".prevResult=$(<"$TMP/by.$net")"; done
}

# ---- workers ----

# work NUMBER KILLS: so many calls, killed; what is not killed in time must be right.
work() {
	local w=$1 n=$2 net verb pid rc killed=0 calls=0
	local -a LINE
	RANDOM=$((w + n + PHASE))
	while [ $killed -lt "$n" ] && [ $calls -lt $((n * 4)) ]; do
		calls=$((calls + 1))
		net=${NETWORKS[RANDOM % ${#NETWORKS[@]}]}
		case $((RANDOM % 10)) in [0-4]) verb=ADD ;; [5-7]) verb=DEL ;; *) verb=GC ;; esac
		line $verb "$net" "w$w"
		config_of "$net" "$w" >"$TMP/stdin.$w"
		[ $verb != GC ] || jq -c --argjson v "$(valid "$w" "$net")" '.["cni.dev/valid-attachments"]=$v' <"$TMP/stdin.$w" >"$TMP/gc.$w"
		(exec "${LINE[@]}" <"$TMP/$([ $verb = GC ] && echo gc || echo stdin).$w" >"$TMP/out.$w" 2>"$TMP/err.$w") &
		pid=$!
		sleep "0.0$((RANDOM % 3))$((RANDOM % 10))$((RANDOM % 10))"
		kill -KILL $pid 2>/dev/null
		wait $pid 2>/dev/null
		rc=$?
		case $rc in
		0) ;;
		137) killed=$((killed + 1)) ;;
		*) [ "$(jq .code "$TMP/out.$w" 2>/dev/null)" = 102 ] || echo "$verb of $net: rc $rc: $(<"$TMP/out.$w") $(<"$TMP/err.$w")" ;;
		esac
	done
	echo "killed $killed of $calls"
}

# twice: addresses that two tasks have.
twice() {
	for ns in "$NETNS"/{w*,by,another}; do ip -n "${ns##*/}" -o addr show scope global 2>/dev/null; done |
		awk '{ print $4 }' | sort | uniq -d
}

# ---- what heals, of one task W in one network NET; by turns ----

HEALERS=(DEL GC ADD ANOTHER)
heal_DEL() { is "" "$(bare DEL "$2" "w$1" "$1" 2>&1)" "DEL of $2 w$1"; }
# The list says that nobody lives but the bystander.
heal_GC() {
	is "" "$(bare GC "$2" "w$1" "$1" ".[\"cni.dev/valid-attachments\"]=[{containerID: \"by\", ifname: \"${IFNAME[$2]}\"}]" 2>&1)" "GC of $2"
}
# The same again: it comes about, unless it is there already.
heal_ADD() {
	bare ADD "$2" "w$1" "$1" >"$TMP/out" 2>"$TMP/err" || [ "$(jq .code "$TMP/out")" = 102 ] ||
		fail "ADD of $2 w$1: $(<"$TMP/out")$(<"$TMP/err")"
	heal_DEL "$1" "$2"
}
# Another is served beside what is left, with an address of its own; both go with DEL.
heal_ANOTHER() {
	bare ADD "$2" another 99 >"$TMP/out" 2>"$TMP/err" || fail "ADD of another in $2: $(<"$TMP/out")$(<"$TMP/err")"
	is "" "$(twice)" "addresses given twice"
	is "" "$(bare DEL "$2" another 99 2>&1)" "DEL of another in $2"
	heal_DEL "$1" "$2"
}
each_task() {
	local w net
	for ((w = 1; w <= WORKERS; w++)); do
		for net in "${NETWORKS[@]}"; do "$1" "$w" "$net"; done
	done
}

netns another
baseline
stand_by
snapshot >"$TMP/before"
PHASE=${PHASE:-$RANDOM}
killed=0 calls=0
for ((round = 1; killed < KILLS && round <= 4 * KILLS / ROUND + 1; round++)); do
	t "round $round, from PHASE=$PHASE"
	for ((w = 1; w <= WORKERS; w++)); do work $w $((ROUND / WORKERS)) >"$TMP/job/$w.out" 2>"$TMP/job/$w.err" & JOBS[w]=$!; done
	wait "${JOBS[@]}"
	while read -r _ k _ c; do killed=$((killed + k)) calls=$((calls + c)); done < <(grep -h '^killed' "$TMP"/job/*.out)
	is "" "$(grep -hv '^killed' "$TMP"/job/*.out | sort | uniq -c | head -n 5)" "what those said that were not killed"
	is "" "$(twice)" "addresses given twice"
	is "" "$(by_checked)" "bystanders"
	heal=${HEALERS[PHASE % 4]}
	t "round $round, from PHASE=$PHASE, then $heal"
	each_task "heal_$heal"
	is "" "$(snapshot | diff "$TMP/before" - | grep '^[<>]' | head -n 20)" "residue after $heal"
	is ${#STANDING[@]} "$(records)" "records: the bystanders"
	is 1 "$(DATA=$POOL records)" "leases of the foreign IPAM plugin: the bystander's"
	for ((w = 1; w <= WORKERS; w++)); do is 1 "$(ip -n "w$w" -o link | wc -l)" "links in w$w"; done
	is "" "$(by_checked)" "bystanders"
	PHASE=$((PHASE + 1))
done
t "bystanders answered every ping"
kill -INT "${PINGS[@]}"
wait "${PINGS[@]}" 2>/dev/null
for net in "${STANDING[@]}"; do
	like '[1-9][0-9]* packets transmitted' "$(<"$TMP/ping.$net")" "$net"
	like ' 0% packet loss' "$(<"$TMP/ping.$net")" "$net"
done
within "$killed" "$KILLS" "calls that were killed"
echo "$killed of $calls calls killed"
for net in "${STANDING[@]}"; do is "" "$(bare DEL "$net" by 999)" "DEL of the bystander"; done
clean
finish
