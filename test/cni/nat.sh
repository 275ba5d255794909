#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What tasks share when their packets have the host's address as their source: its ports and the table of
# connections; and whose addresses are whose. Tasks of awsvpc and task-bridge attack, IPv4 and IPv6, TCP and
# UDP, with an accomplice outside; the host's services, published ports and other tasks must go on as if
# nobody did.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/lan.sh
. "$(dirname "$0")/../lan.sh"

BRIDGE=$DUAL
VPC=$(conf '.type="awsvpc" | .name="vpc" | .attach="veth" | .vpc.cidr=["10.0.0.0/16","fd00:10::/32"]
	| .ipam.ranges=[[{subnet:"10.0.1.0/24"}],[{subnet:"fd00:10:1::/64"}]]')
lan
# The host answers the outside for its tasks' sources, and the way back to what is not masqueraded leads to it.
ip -n outside route add 10.0.0.0/16 via 198.51.100.1
ip -n outside -6 route add fd00:10::/32 via fd00:51::1
ip -6 route add default via fd00:51::2
baseline

# vpc VERB-FUNCTION NAME [CONF …]: by the plugin awsvpc.
vpc() {
	local PLUGIN=$BIN/awsvpc
	"$1" "$2" "${3:-$VPC}" "${@:4}"
}
mac_of() { in_ns "$1" ip -j link show "$2" | jq -r '.[0].address'; }
rules() { nft list table inet taskvpc; }

# ---- ports ----

# Who serves what: the host its own ports, two of which lie within the masquerade range; victim the published.
SERVICES='tcp:22:host udp:123:host udp:51820:host tcp:50022:host tcp:80:victim tcp:8080:victim udp:5353:victim tcp:40001:victim udp:40002:victim'
MAPPINGS='[{hostPort:80,containerPort:8},{hostPort:8080,containerPort:8},{hostPort:40001,containerPort:8},
	{hostPort:5353,containerPort:9,protocol:"udp"},{hostPort:40002,containerPort:9,protocol:"udp"}]'
PROTECTED='.protectedPorts=["50022/tcp"]'

# shadow NAME FAMILY: the task NAME holds flows from each of these ports; all who ask get what they ask for.
shadow() {
	local name=$1 host=198.51.100.1 outside=198.51.100.2 base=20000 row proto port whom task out go outs=() ins=() line
	[ "$2" = 4 ] || host=fd00:51::1 outside=fd00:51::2
	for row in $SERVICES; do
		IFS=: read -r proto port whom <<<"$row"
		outs+=("$proto:$port:$base") ins+=("$proto:$port:$base")
		base=$((base + 10))
	done
	rm -f "$TMP/go"
	mkfifo "$TMP/go"
	exec {out}< <(exec nsenter --net="$NETNS/outside" -- perl "$ROOT/test/shadow.pl" accomplice "$host" "${outs[@]}" <"$TMP/go")
	exec {go}>"$TMP/go"
	read -r -t 5 -u "$out" _ || fail "the accomplice"
	exec {task}< <(exec nsenter --net="$NETNS/$name" -- perl "$ROOT/test/shadow.pl" task "$outside" "${ins[@]}")
	local pid=$!
	line=""
	read -r -t 120 -u "$task" line
	# A flow whose reply would come to such a port is dropped; a TCP connection draws another and comes through.
	like "ready (8[5-9]|90)" "$line" "flows that $name holds, of 90"
	echo go >&"$go"
	for row in $SERVICES; do
		IFS=: read -r proto port whom <<<"$row"
		line=""
		read -r -t 30 -u "$out" line
		is "$proto:$port $whom×10" "$line" "IPv$2: who answers, $name holding flows from $port/$proto"
	done
	stop "$pid"
	exec {task}<&- {out}<&- {go}>&-
}

if group shadow; then
	t "published ports and the host's services cannot be taken by flows of a task"
	vpc add veth "$(jq -c "$PROTECTED" <<<"$VPC")"
	add evil "$(jq -c "$PROTECTED" <<<"$BRIDGE")"
	add victim "$(ports "$MAPPINGS" "$BRIDGE")"
	serve host tcp:22 udp:123 udp:51820 tcp:50022
	serve victim tcp:8 udp:9
	for name in veth evil; do
		shadow "$name" 4
		shadow "$name" 6
	done

	t "two ends that begin at once do not become one connection"
	in_ns outside nft 'add table inet deaf { chain in { type filter hook input priority 0; tcp dport 41011 tcp flags & (syn|ack) == syn drop; }; }'
	for address in 198.51.100.2 fd00:51::2; do
		for name in veth evil; do
			in_ns "$name" perl "$ROOT/test/peer.pl" ask tcp "$address" 41011 3 >"$TMP/evil" 2>/dev/null &
			pid=$!
			port=
			until_true eval 'port=$(awk '\''/dport=41011 / && /SYN_SENT/ { sub(/.*dport=/, ""); print $1; exit }'\'' /proc/net/nf_conntrack); [ -n "$port" ]'
			[[ $address == *:* ]] && to=fd00:51::1 || to=198.51.100.1
			[ -n "$port" ] || fail "no connection of $name is tracked"
			is "" "$(asks outside tcp "$to" "${port:-1}" 1 41011)" "an answer from port ${port:-?} of $name's connection"
			like "SYN_SENT" "$(grep 'dport=41011 ' /proc/net/nf_conntrack)" "its state"
			wait "$pid"
			is "" "$(<"$TMP/evil")" "what $name reads"
		done
	done
	in_ns outside nft delete table inet deaf

	t "masqueraded ports lie in the range, echo requests keep what they have"
	tell outside serve out udp:7000 tcp:7000 >/dev/null &
	pid=$!
	until_true eval '[ "$(asks veth udp 198.51.100.2 7000 1 53)" ]'
	for source in 22 80 8080 5353 31000 61001; do
		asks veth udp 198.51.100.2 7000 1 "$source" >/dev/null
		asks evil tcp 198.51.100.2 7000 1 "$source" >/dev/null
	done
	is "" "$(awk '/ dport=7000 / { sub(/.*dport=/, ""); if ($1 < 32768 || $1 > 60999) print $1 }' /proc/net/nf_conntrack)" \
		"ports outside of the range"
	ping_ok veth 198.51.100.2
	ping_ok evil fd00:51::2
	stop "$pid"
	unserve host victim
	vpc del veth
	del evil
	del victim
	drop veth evil victim
	clean
fi

# ---- bounds ----

# flood NAME FROM TO SPORT NUMBER: datagrams from as many source ports; TO may hold %d.
flood() {
	local dev=eth0 gw mac
	gw=$(result "$1" "[.ips[].gateway | select($([[ $2 == *:* ]] && echo 'contains(":")' || echo 'contains(":") | not'))][0]")
	pings "$1" "$gw"
	mac=$(ip -n "$1" neigh show "$gw" | grep -o '..:..:..:..:..:..')
	in_ns "$1" perl "$ROOT/test/forge.pl" "$dev" udp n="$5" dmac="$mac" from="$2" to="$3" sport="$4" dport=9
}
tracked() { awk -v src="src=$1" -v dport="dport=9" '{ for (i = 5; i <= NF; i++) if ($i ~ /^src=/) { n += $i == src && $(i + 3) == dport; break } } END { print n + 0 }' /proc/net/nf_conntrack; }
long() { perl -MSocket=inet_pton,AF_INET6 -e 'print join ":", map { sprintf "%04x", $_ } unpack "n8", inet_pton(AF_INET6, shift)' "$1"; }
ten() {
	local i n=0
	for ((i = 0; i < 10; i++)); do [ -z "$(asks "$1" udp "$2" 53 0.5)" ] || n=$((n + 1)); done
	echo "$n"
}

if group bounds; then
	SMALL='.maxFlows=200 | .maxFlowsPerDestination=100'
	t "a task has so many live flows, to one destination and in all; the others go on"
	vpc add veth "$(jq -c "$SMALL" <<<"$VPC")"
	vpc add calm "$(jq -c "$SMALL" <<<"$VPC")"
	add evil "$(jq -c "$SMALL" <<<"$BRIDGE")"
	add friend "$(jq -c "$SMALL" <<<"$BRIDGE")"
	serve outside udp:53
	for name in veth evil; do
		four=$(address "$name") six=$(address "$name" 1)
		flood "$name" "$four" 198.51.100.2 2%d 900
		is 100 "$(tracked "$four")" "flows of $name to one destination"
		flood "$name" "$four" 198.51.100.%d 3%d 150
		# The router was pinged for its MAC, which are flows as well.
		like '^(19[6-9]|200)$' "$(tracked "$four")" "flows of $name"
		flood "$name" "$six" fd00:51::2 2%d 300
		is 0 "$(tracked "$(long "$six")")" "more flows, by IPv6"
		for who in calm friend host; do is 10 "$(ten "$who" 198.51.100.2)" "answers of 10 to $who"; done
		like "$(mac_of "$name" eth0) counter packets [1-9]" \
			"$(nft list set inet taskvpc refused_flows)" "the refused flows are counted for $name"
	done

	t "flows that ended make room"
	conntrack -F 2>/dev/null || fail "conntrack"
	sleep 0.1
	flood veth "$(address veth 1)" fd00:51::2 2%d 300
	is 100 "$(tracked "$(long "$(address veth 1)")")" "flows by IPv6"

	t "what a bridge's task sends with other addresses is counted for the bridge"
	conntrack -F 2>/dev/null
	flood evil 10.88.9.%d 198.51.100.2 2%d 250
	flood evil 10.88.10.%d 198.51.100.2 2%d 250
	is 200 "$(awk '/src=10.88.(9|10)/ && / dport=9 / { n++ } END { print n + 0 }' /proc/net/nf_conntrack)" "flows of made-up sources"
	is 10 "$(ten friend 198.51.100.2)" "answers of 10 to the neighbour"
	is 10 "$(ten calm 198.51.100.2)" "answers of 10 to another task"
	unserve outside
	vpc del veth
	vpc del calm
	del evil
	del friend
	drop veth calm evil friend
	clean

	t "the bounds by default"
	vpc add veth
	like "ct count over 8192.*ct count over 4096" "$(nft list chain inet taskvpc bound | tr -d '\n')" "the chain bound"
	flood veth "$(address veth)" 198.51.100.2 1%d 9999
	is 4096 "$(tracked "$(address veth)")" "flows to one destination"
	vpc del veth
	drop veth
	clean
fi

# ---- addresses ----

# arrives WHERE FROM COMMAND…: does a datagram of FROM to port 7003 reach WHERE? By its own counter.
arrives() {
	local where=$1 from=$2 n
	shift 2
	in_ns "$where" nft "add table inet seen { chain in { type filter hook prerouting priority -300; ip$([[ $from == *:* ]] && echo 6) saddr $from udp dport 7003 counter; }; }"
	"$@"
	sleep 0.1
	n=$(in_ns "$where" nft list table inet seen | grep -o 'packets [0-9]*')
	in_ns "$where" nft delete table inet seen
	[ "$n" != "packets 0" ]
}
forge() {
	local where=$1 dev=$2
	shift 2
	in_ns "$where" perl "$ROOT/test/forge.pl" "$dev" udp dport=7003 sport=7 "$@"
}

if group addresses; then
	t "the address of a veth task comes from its own interface only"
	vpc add veth
	vpc add peer
	add evil "$BRIDGE"
	up=$(mac_of host up0) br=$(mac_of host cni0)
	for i in 0 1; do
		from=$(address peer "$i") to=$(address veth "$i")
		arrives veth "$from" forge peer eth0 dmac="$(in_ns peer ip neigh show | grep -om1 '..:..:..:..:..:..')" from="$from" to="$to" ||
			fail "$from from its own task: expected to arrive"
		! arrives veth "$from" forge outside net0 dmac="$up" from="$from" to="$to" || fail "$from from the LAN reached $to"
		! arrives veth "$from" forge evil eth0 dmac="$br" from="$from" to="$to" || fail "$from from a bridge reached $to"
		! arrives outside "$from" forge evil eth0 dmac="$br" from="$from" to="$([ "$i" = 0 ] && echo 198.51.100.2 || echo fd00:51::2)" ||
			fail "$from from a bridge reached the outside"
		pass
	done
	is "" "$(grep -E 'dport=7003 .*(mark|use)' /proc/net/nf_conntrack | grep -v "src=$(address peer) \|src=$(long "$(address peer 1)") ")" \
		"what is tracked of it"
	ping_ok host "$(address veth)"
	ping_ok host "$(address veth 1)"
	ping_ok veth "$(address peer)"
	ping_ok veth "$(address peer 1)"

	t "nor does a bridge task send as the host itself"
	! arrives outside fd00:51::1 forge evil eth0 dmac="$br" from=fd00:51::1 to=fd00:51::2 || fail "fd00:51::1 from a bridge reached the outside"
	! arrives outside 198.51.100.1 forge evil eth0 dmac="$br" from=198.51.100.1 to=198.51.100.2 || fail "198.51.100.1 from a bridge reached the outside"
	is "" "$(grep -E "src=(198.51.100.1|$(long fd00:51::1)) .*dport=7003" /proc/net/nf_conntrack)" "what is tracked of it"

	t "what the host sends to itself is left alone"
	serve host udp:7004
	ip addr add "$(address veth)/32" dev lo 2>/dev/null
	like "host" "$(asks host udp 127.0.0.1 7004)" "127.0.0.1"
	like "host" "$(asks host udp 10.0.1.1 7004)" "the router's address"
	ip addr del "$(address veth)/32" dev lo 2>/dev/null

	t "127.0.0.0/8 and ::1 are out of reach where another program set route_localnet"
	for dev in "$(ip -o link show | awk -F'[ :@]+' '/vpc/ && !/cni0/ { print $2; exit }')" cni0; do
		echo 1 >"/proc/sys/net/ipv4/conf/$dev/route_localnet"
	done
	serve host udp:127.0.0.1:7005
	for dev in all up0; do echo 1 >"/proc/sys/net/ipv4/conf/$dev/route_localnet"; done
	gw=$(in_ns veth ip neigh show | grep -om1 '..:..:..:..:..:..')
	! arrives host "$(address veth)" forge veth eth0 dmac="$gw" from="$(address veth)" to=127.0.0.1 || fail "a veth task reached 127.0.0.1"
	! arrives host 127.0.0.1 forge veth eth0 dmac="$gw" from=127.0.0.1 to=10.0.1.1 || fail "a veth task sent from 127.0.0.1"
	! arrives host "$(address evil)" forge evil eth0 dmac="$br" from="$(address evil)" to=127.0.0.1 || fail "a bridge task reached 127.0.0.1"
	! arrives host 127.0.0.1 forge evil eth0 dmac="$br" from=127.0.0.1 to=10.88.0.1 || fail "a bridge task sent from 127.0.0.1"
	! arrives host "$(address veth 1)" forge veth eth0 dmac="$gw" from="$(address veth 1)" to=::1 || fail "a veth task reached ::1"
	like "host" "$(asks host udp 127.0.0.1 7005)" "the host itself"
	for dev in all up0; do echo 0 >"/proc/sys/net/ipv4/conf/$dev/route_localnet"; done
	unserve host

	t "published ports are the host's own addresses', not those of the subnets' routers"
	add victim "$(ports '[{hostPort:8080,containerPort:8},{hostPort:5353,containerPort:9,protocol:"udp"}]' "$BRIDGE")"
	serve victim tcp:8 udp:9
	reaches veth victim tcp 198.51.100.1 8080
	reaches veth victim udp fd00:51::1 5353
	reaches outside victim tcp 198.51.100.3 8080
	reaches_not veth tcp 10.0.1.1 8080
	reaches_not veth tcp fd00:10:1::1 8080
	reaches_not outside udp 10.0.1.1 5353
	reaches_not host tcp 10.0.1.1 8080
	reaches evil victim tcp 10.88.0.1 8080
	reaches evil victim udp fd00:88::1 5353
	serve host tcp:8080
	reaches veth host tcp 10.0.1.1 8080
	unserve host victim
	vpc del veth
	vpc del peer
	del evil
	del victim
	drop veth peer evil victim
	clean
fi

# ---- keys ----

if group keys; then
	t "one range for the host: another one is refused, none takes what is loaded"
	vpc add veth "$(jq -c '.masqueradePortRange="40000-50000"' <<<"$VPC")"
	like "masquerade to :40000-50000" "$(rules)" "the rules"
	netns x
	ID=x refused 7 'masqueradePortRange: 41000-51000 differs from .* 40000-50000' ADD "$(jq -c '.masqueradePortRange="41000-51000"' <<<"$BRIDGE")"
	ID=x refused 7 'maxFlows: 100 differs from .* maxFlows 8192' ADD "$(jq -c '.maxFlows=100' <<<"$BRIDGE")"
	plugin STATUS "$(jq -c '.maxFlowsPerDestination=100' <<<"$BRIDGE")"
	expect_error 50 'maxFlowsPerDestination: 100 differs'
	add c1 "$(jq -c '.masqueradePortRange="40000-50000"' <<<"$BRIDGE")"
	add c2 "$BRIDGE"
	verify c2 "$BRIDGE"

	t "a dynamic port range within it is refused, by STATUS too"
	CLASH=$(jq -c '.dynamicPortRange="31000-32000"' <<<"$BRIDGE")
	ID=x works STATUS "$CLASH"
	CLASH=$(jq -c '.dynamicPortRange="31000-32000" | .masqueradePortRange="30000-40000"' <<<"$BRIDGE")
	ID=x refused 7 'differs|overlaps' ADD "$CLASH"
	del c1 "$BRIDGE"
	del c2 "$BRIDGE"
	vpc del veth
	drop c1 c2 veth
	baseline
	ID=x refused 7 'dynamicPortRange: 31000-32000 overlaps with 30000-40000' ADD "$CLASH"
	plugin STATUS "$CLASH"
	expect_error 50 'dynamicPortRange: 31000-32000 overlaps with 30000-40000'

	t "with the last task the values go, and others come"
	add c1 "$(jq -c '.masqueradePortRange="41000-51000" | .maxFlows=5000 | .maxFlowsPerDestination=500' <<<"$BRIDGE")"
	like "to :41000-51000.*over 5000.*over 500 " "$(rules | tr '\n' ' ')" "the rules"
	verify c1 "$(jq -c '.masqueradePortRange="41000-51000"' <<<"$BRIDGE")"
	del c1 "$BRIDGE"
	drop c1
	baseline

	t "by default it is the kernel's range of local ports"
	read -r first last </proc/sys/net/ipv4/ip_local_port_range
	echo "20000 30000" >/proc/sys/net/ipv4/ip_local_port_range
	add c1 "$BRIDGE"
	like "masquerade to :20000-30000" "$(rules)" "the rules"
	echo "$first $last" >/proc/sys/net/ipv4/ip_local_port_range
	add c2 "$BRIDGE"
	like "masquerade to :20000-30000" "$(rules)" "the rules that are loaded stay"
	nft flush ruleset
	works GC "$(jq -c '."cni.dev/valid-attachments" = [{containerID:"c1",ifname:"eth0"},{containerID:"c2",ifname:"eth0"}]' <<<"$BRIDGE")"
	like "masquerade to :20000-30000" "$(rules)" "the rules after a flush"
	del c1 "$BRIDGE"
	del c2 "$BRIDGE"
	drop c1 c2

	t "protectedPorts stand while a task of the network does, 51820/udp always"
	add c1 "$(jq -c '.protectedPorts=["50022/tcp","51820/udp"]' <<<"$BRIDGE")"
	add c2 "$BRIDGE"
	like "tcp . 50022" "$(nft list set inet taskvpc protected)" "the set"
	del c1 "$BRIDGE"
	seen=$(nft list set inet taskvpc protected)
	like "udp sport 51820 drop" "$(rules)" "the rules"
	is "" "$(grep -o 50022 <<<"$seen")" "the set without c1"
	del c2 "$BRIDGE"
	drop c1 c2
	clean

	t "what cannot be is refused"
	ID=x refused 7 'masqueradePortRange: "1-65535"' ADD "$(jq -c '.masqueradePortRange="1-65535"' <<<"$BRIDGE")"
	ID=x refused 7 'masqueradePortRange: "40000-40999"' ADD "$(jq -c '.masqueradePortRange="40000-40999"' <<<"$BRIDGE")"
	ID=x refused 7 'masqueradePortRange: "40000"' ADD "$(jq -c '.masqueradePortRange="40000"' <<<"$BRIDGE")"
	ID=x refused 7 'protectedPorts\[0\]: "ssh"' ADD "$(jq -c '.protectedPorts=["ssh"]' <<<"$BRIDGE")"
	ID=x refused 7 'protectedPorts\[1\]: "1/icmp"' ADD "$(jq -c '.protectedPorts=["22/tcp","1/icmp"]' <<<"$BRIDGE")"
	ID=x refused 7 'maxFlows' ADD "$(jq -c '.maxFlows=1' <<<"$BRIDGE")"
	PLUGIN=$BIN/awsvpc ID=x refused 7 'cannot go with attach: "macvlan"' ADD "$(jq -c '.attach="macvlan" | .master="up0" | .ipMasq=false | .maxFlows=100 | .ipam.ranges=[[{subnet:"10.0.1.0/24"}]]' <<<"$VPC")"
	drop x c1 c2
	baseline

	t "rules of an earlier version are replaced, flows go on"
	nft -f - <<-'END_OF_OLD'
		table inet taskvpc {
			set masq4 { type ipv4_addr; flags timeout; elements = { 10.88.0.77 }; }
			chain egress { type nat hook postrouting priority srcnat; ip saddr 10.88.0.77 masquerade; }
			chain hairpin { type nat hook postrouting priority srcnat; ct status dnat masquerade; }
			chain loopback { type filter hook prerouting priority raw; iif != "lo" ip daddr 127.0.0.0/8 drop; }
		}
	END_OF_OLD
	add c1 "$BRIDGE"
	is "" "$(rules | grep -e 'chain hairpin {' -e 'chain loopback')" "chains of the earlier version"
	verify c1 "$BRIDGE"
	like "10.88.0.77" "$(nft list set inet taskvpc masq4)" "its elements"
	nft delete element inet taskvpc masq4 '{ 10.88.0.77 }'
	del c1 "$BRIDGE"
	drop c1
	clean

	t "an ADD finds the rules as it loads them: none loads them twice"
	add c1 "$BRIDGE"
	add c2 "$(ports "$MAPPINGS" "$BRIDGE")"
	vpc add veth
	before=$(nft -a list table inet taskvpc | grep -v elements | grep handle)
	add c3 "$(ports '[{hostPort:8081,containerPort:8}]' "$BRIDGE")"
	vpc add peer
	is "$before" "$(nft -a list table inet taskvpc | grep -v elements | grep handle)" "the handles of all rules"
	for name in c1 c2 c3; do del "$name" "$BRIDGE"; done
	vpc del veth
	vpc del peer
	drop c1 c2 c3 veth peer
	clean
fi
finish
