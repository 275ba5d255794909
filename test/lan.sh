# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the tests of task-bridge have in common; sourced after lib.sh. The host has a LAN with a
# neighbour, and another network behind it, so that packets come from outside, from the host, from
# containers, and pass through:
#
#   outside 198.51.100.2 ── up0 198.51.100.1, .3  the host  203.0.113.1 far0 ── third 203.0.113.2
#           fd00:51::2          fd00:51::1, ::3             fd00:203::1                fd00:203::2
#
# Neither knows a way back to the containers; third and outside reach each other by the host.

need perl busybox
PLUGIN=$BIN/task-bridge
if [ ! -x "$PLUGIN" ]; then
	fail "no $PLUGIN: run make first"
	finish
fi

CONF='{"cniVersion":"1.1.0","name":"br","type":"task-bridge","bridge":"cni0","isGateway":true,
"isDefaultGateway":true,"ipMasq":true,"mtu":1500,"ipam":{"type":"task-ipam","dataDir":"'$DATA'",
"cooldown":0,"ranges":[[{"subnet":"10.88.0.0/16"}]]}}'
# shellcheck disable=SC2034 # for the scripts
DUAL=$(conf '.ipam.ranges += [[{subnet:"fd00:88::/64"}]]')
# A second network on a bridge of its own.
# shellcheck disable=SC2034
OTHER=$(conf '.name="br2" | .bridge="cni1" | .ipam.ranges=[[{subnet:"10.89.0.0/16"}],[{subnet:"fd00:89::/64"}]]')

# lan: make it, and the baseline.
lan() {
	netns outside third
	ip -batch - <<-'END'
		link add up0 type veth peer name net0 netns outside
		link add far0 type veth peer name net0 netns third
		addr add 198.51.100.1/24 dev up0
		addr add 198.51.100.3/24 dev up0
		addr add fd00:51::1/64 dev up0 nodad
		addr add fd00:51::3/64 dev up0 nodad
		addr add 203.0.113.1/24 dev far0
		addr add fd00:203::1/64 dev far0 nodad
		link set up0 up
		link set far0 up
	END
	ip -n outside -batch - <<-'END'
		link set lo up
		addr add 198.51.100.2/24 dev net0
		addr add fd00:51::2/64 dev net0 nodad
		link set net0 up
		route add 203.0.113.0/24 via 198.51.100.1
		route add fd00:203::/64 via fd00:51::1
	END
	ip -n third -batch - <<-'END'
		link set lo up
		addr add 203.0.113.2/24 dev net0
		addr add fd00:203::2/64 dev net0 nodad
		link set net0 up
		route add 198.51.100.0/24 via 203.0.113.1
		route add fd00:51::/64 via fd00:203::1
	END
	ip route add default via 198.51.100.2
	until_true pings host 198.51.100.2
	until_true pings host fd00:203::2
	baseline
}

# ports JSON [CONF]: the configuration with these port mappings.
ports() { jq -c ".runtimeConfig.portMappings=$1" <<<"${2:-$CONF}"; }

# tell WHERE COMMAND…: peer.pl in a namespace.
tell() {
	local where=$1
	shift
	in_ns "$where" perl "$ROOT/test/peer.pl" "$@"
}

# serve NAME PROTO:PORT…: a server in the namespace NAME that answers "NAME ADDRESS-OF-WHO-ASKS".
# Its process is in SERVER[NAME]; a second one of that name takes the place of the first.
declare -A SERVER=()
serve() {
	local name=$1 fd
	shift
	[ -z "${SERVER[$name]:-}" ] || stop "${SERVER[$name]}"
	if [ "$name" = host ]; then
		exec {fd}< <(exec perl "$ROOT/test/peer.pl" serve host "$@")
	else
		exec {fd}< <(exec nsenter --net="$NETNS/$name" -- perl "$ROOT/test/peer.pl" serve "$name" "$@")
	fi
	SERVER[$name]=$!
	read -r -t 5 -u "$fd" _ || fail "the test's own server in $name"
	exec {fd}<&-
}
# unserve NAME…: end them.
unserve() {
	local name
	for name; do
		[ -z "${SERVER[$name]:-}" ] || stop "${SERVER[$name]}"
		unset "SERVER[$name]"
	done
}

# asks FROM PROTO ADDRESS PORT [SECONDS [SOURCE-PORT]]: the answer of whoever is there.
asks() { tell "$1" ask "${@:2}" 2>/dev/null; }

# reaches FROM WHOM PROTO ADDRESS PORT [AS]: it is WHOM who answers; AS: and it sees this address.
reaches() {
	local seen
	seen=$(asks "$1" "$3" "$4" "$5" 2)
	if [ $# -gt 5 ]; then
		is "$2 $6" "$seen" "$3 from $1 to $4:$5, and who asks"
	else
		is "$2" "${seen%% *}" "$3 from $1 to $4:$5"
	fi
}
# reaches_not FROM PROTO ADDRESS PORT: nobody answers.
reaches_not() { is "" "$(asks "$1" "$2" "$3" "$4" 0.5)" "$2 from $1 to $3:$4"; }

# published: each published port as "PROTO PORT HOST-ADDRESS ADDRESS PORT" a line; HOST-ADDRESS is "any"
# for what stands in the maps of all addresses.
published() {
	nft -j list table inet taskvpc 2>/dev/null | jq -r '.nftables[].map? | select(.) | select(.name | test("ports"))
		| .elem // [] | .[]
		| [(.[0] | .elem.val? // .), .[1]] | map(.concat) | .[0] as $k | .[1] as $v
		| ($k | if length == 3 then .[0] else "any" end) as $host
		| ($k | if length == 3 then .[1:] else . end) as $p
		| {"6": "tcp", "17": "udp", "132": "sctp"} as $names
		| "\($names[$p[0] | tostring] // $p[0]) \($p[1]) \($host) \($v[0]) \($v[1])"' | sort -k1,1 -k2,2n -k3
}
# host_port NAME [CONTAINER-PORT]: the host port that leads to it; several in one line.
host_port() {
	published | awk -v a="$(address "$1")" -v port="${2:-}" '$4 == a && (port == "" || $5 == port) {
		printf "%s%s", sep, $2; sep = " " }'
}

# master NAME: the bridge of its host end. port_flag NAME FLAG: a flag of that port.
master() { ip -j link show "$(host_link "$1")" | jq -r '.[0].master // ""'; }
port_flag() { bridge -d -j link show dev "$(host_link "$1")" | jq -r ".[0].$2"; }

# addresses_of DEV: of the host's link, without link-locals, in one line.
addresses_of() {
	ip -j addr show dev "$1" 2>/dev/null | jq -r '[.[0].addr_info[] | select(.scope != "link")
		| "\(.local)/\(.prefixlen)"] | sort | join(" ")'
}

# host_link of a bridge's result: its second interface, the first is the bridge.
host_link() { result "$1" '.interfaces[1].name' "${2:-eth0}"; }

# flows PROTO PORT: tracked connections to this port, as first sent; not those that pass, to third.
flows() {
	awk -v proto="$1" -v port="dport=$2" '$3 == proto && !/ dst=(203\.0\.113\.(2|99)|fd00:0203:[0-9a-f:]*2) sport=[0-9]+ dport=[0-9]+ .*dst=/ {
		for (i = 5; i <= NF; i++) if ($i ~ /^dport=/) { if ($i == port) n++; break } } END { print n + 0 }' /proc/net/nf_conntrack
}
