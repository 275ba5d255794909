#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The data plane: what a packet pays on each way to a task, against the bare loopback and the reference
# bridge in the same run; and a new connection to a published port with 10 and 10 000 of them there.
# Run by run.sh inside its namespaces; prints a line of JSON for each figure.
set -eu
NET=$TOOLS/bench_net
ROUNDS=${ROUNDS:-5}
PORT=7777

# call DIR TYPE VERB ID CONF: one plugin, its result on stdout.
call() {
	CNI_COMMAND=$3 CNI_CONTAINERID=$4 CNI_NETNS=/run/netns/$4 CNI_IFNAME=eth0 CNI_PATH=$1:$PEER_DIR \
		"$1/$2" <<<"$5"
}
address() { jq -r '.ips[0].address | sub("/.*"; "")'; }
conf_of() { # NAME: the first plugin of a contestant, as a network of its own; ", bpf": with that key
	jq -c --arg n "$1" '.[] | select(.name == ($n | sub(", bpf$"; "")))
		| .plugins[0] + { cniVersion: "1.0.0", name: ("data-" + ($n | gsub("[ ,]"; "-"))) }
		| if $n | endswith(", bpf") then .hostRouting = "bpf" else . end' \
		"$ROOT/test/bench/contestants.json"
}
serve() {
	local ready
	exec {fd}< <(exec ip netns exec "$1" "$NET" serve "$PORT")
	read -r ready <&$fd
	[ "$ready" = ready ]
}

# way NAME CLIENT ADDRESS PORT: a path to be measured; the host itself is the client "host".
declare -a WAYS=()
way() { WAYS+=("$1|$2|$3|$4"); }
ask() {	# WHAT CLIENT ADDRESS PORT
	if [ "$2" = host ]; then "$NET" ask "$1" "$3" "$4"; else ip netns exec "$2" "$NET" ask "$1" "$3" "$4"; fi
}
emit() {
	printf '{"suite":"data","of":"%s","what":"%s","at":%s,"unit":"%s","value":%s}\n' "$@"
}

# measure AT WHAT…: all ways take turns, so that a noisy minute is everybody's; the median round counts.
measure() {
	local at=$1 what unit way name client address port values
	shift
	for what; do
		unit=us
		[ "$what" != flood ] || unit=Gbit/s
		declare -A seen=()
		for _ in $(seq "$ROUNDS"); do
			for way in "${WAYS[@]}"; do
				IFS='|' read -r name client address port <<<"$way"
				seen[$name]+="$(ask "$what" "$client" "$address" "$port") "
			done
		done
		for way in "${WAYS[@]}"; do
			name=${way%%|*}
			values=$(tr ' ' '\n' <<<"${seen[$name]}" | grep . | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }')
			emit "$name" "$what" "$at" "$unit" "$values"
		done
	done
}

# ---- from task to task ----
ip netns add loop
ip -n loop link set lo up
serve loop
way "loopback" loop 127.0.0.1 $PORT
for name in "awsvpc veth" "awsvpc veth, bpf" "awsvpc macvlan" "task-bridge" "ref bridge" "ref ptp" "ref macvlan"; do
	dir=$BIN
	case $name in ref*) dir=$PEER_DIR ;; esac
	conf=$(conf_of "$name")
	type=$(jq -r .type <<<"$conf")
	id=${name//[ ,]/-}
	ip netns add "$id-1"
	ip netns add "$id-2"
	to=$(call "$dir" "$type" ADD "$id-1" "$conf" | address)
	call "$dir" "$type" ADD "$id-2" "$conf" >/dev/null
	serve "$id-1"
	way "$name" "$id-2" "$to" $PORT
done
measure 0 udp tcp flood

# ---- to a published port, from a machine outside ----
WAYS=()
ip netns add outside
ip link add out0 type veth peer name eth0 netns outside
ip addr add 198.51.100.1/24 dev out0
ip link set out0 up
ip -n outside addr add 198.51.100.2/24 dev eth0
ip -n outside link set eth0 up
ip netns add plain
ip link add plain0 type veth peer name eth0 netns plain
ip addr add 203.0.113.1/24 dev plain0
ip link set plain0 up
ip -n plain addr add 203.0.113.2/24 dev eth0
ip -n plain link set eth0 up
ip -n plain route add default via 203.0.113.1
ip -n outside route add default via 198.51.100.1
serve plain
way "forwarding alone" outside 203.0.113.2 $PORT

publish() { # ID PORT: runtimeConfig
	jq -nc --argjson p "$1" '{ runtimeConfig: { portMappings: [ { hostPort: $p, containerPort: 7777, protocol: "tcp" } ] } }'
}
ip netns add pub-ours
ours=$(jq -c -s '.[0] + .[1]' <(conf_of "task-bridge, 3 ports") <(publish 8080))
call "$BIN" task-bridge ADD pub-ours "$ours" >/dev/null
serve pub-ours
way "task-bridge, a published port" outside 198.51.100.1 8080
OURS=("${WAYS[@]}")
ip netns add pub-ref
ref=$(jq -c '.name = "data-ref-ports"' <(conf_of "ref bridge, 3 ports"))
result=$(call "$PEER_DIR" bridge ADD pub-ref "$ref")
portmap=$(jq -c -s '{ cniVersion: "1.0.0", name: "data-ref-ports", type: "portmap", snat: true, prevResult: .[0] } + .[1]' <(echo "$result") <(publish 8081))
call "$PEER_DIR" portmap ADD pub-ref "$portmap" >/dev/null
serve pub-ref
way "ref bridge + portmap, a published port" outside 198.51.100.1 8081
REF=("${WAYS[2]}")
measure 10 tcp connect

# 10 000 more, of the shape that each makes of a port: an element of a map; a rule in a chain. Each is
# measured with its own alone: the other's rules would be in its way.
seq 10001 20000 | awk '{ printf "%stcp . %d : 10.70.0.2 . 80", (NR > 1 ? ", " : "add element inet taskvpc ports4 { "), $1 } END { print " }" }' |
	nft -f -
WAYS=("${OURS[@]}")
measure 10000 tcp connect
{
	echo '*nat'
	seq 10001 20000 | awk '{ printf "-I CNI-HOSTPORT-DNAT 1 -p tcp -m multiport --destination-ports %d -j RETURN\n", $1 }'
	echo COMMIT
} | iptables-restore -n
WAYS=("${REF[@]}")
measure 10000 tcp connect
