#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Several networks on one container: published ports that every network brings, addresses that answer
# by their own interface, and what stays when one of the networks goes.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/lan.sh
. "$(dirname "$0")/../lan.sh"
lan

MAPS='[{"hostPort":8080,"containerPort":80,"protocol":"tcp"},{"hostPort":8053,"containerPort":53,"protocol":"udp"}]'

# joint FRONT BACK: two networks with the same portMappings, whichever goes first.
joint() {
	local front back first=$1 second=$2 gone stays
	front=$(ports "$MAPS" "$first")
	back=$(ports "$MAPS" "$second")
	for gone in eth0 eth1; do
		add web "$front"
		add web "$back" CNI_IFNAME=eth1
		serve web tcp:80 udp:53
		is "$(address web)" "$(published | awk '$1 == "tcp" && $4 !~ /:/ { print $4 }')" "who serves the port"
		verify web "$front"
		verify web "$back" CNI_IFNAME=eth1
		reaches outside web tcp 198.51.100.1 8080 198.51.100.2
		reaches outside web udp 198.51.100.1 8053 198.51.100.2
		reaches host web tcp 127.0.0.1 8080
		reaches host web tcp 198.51.100.1 8080
		if [ $gone = eth0 ]; then
			stays="$back"
			del web "$first"
		else
			stays="$front"
			del web "$second" CNI_IFNAME=eth1
		fi
		CASE+=", $gone goes"
		verify web "$stays" CNI_IFNAME=$([ $gone = eth0 ] && echo eth1 || echo eth0)
		reaches outside web tcp 198.51.100.1 8080 198.51.100.2
		reaches outside web udp 198.51.100.1 8053 198.51.100.2
		reaches host web tcp 127.0.0.1 8080
		t "the other one goes too"
		del web "$first"
		del web "$second" CNI_IFNAME=eth1
		is "" "$(published)" "rules that are left"
		unserve web
		drop web
		clean
	done
}

if group joint; then
	t "two bridges, the same portMappings on both"
	joint "$CONF" "$OTHER"
	t "the same network twice, under two names"
	joint "$DUAL" "$DUAL"
	t "IPv4 first, both families second: the second network brings IPv6"
	add web "$(ports "$MAPS")"
	add web "$(ports "$MAPS" "$OTHER")" CNI_IFNAME=eth1
	serve web tcp:80
	is "$(address web)" "$(published | awk '$1 == "tcp" && $4 !~ /:/ { print $4 }')" "IPv4"
	is "$(address web 1 eth1)" "$(published | awk '$1 == "tcp" && $4 ~ /:/ { print $4 }')" "IPv6"
	reaches host web tcp fd00:51::1 8080
	t "after a flush, GC gives the port to the network that had it first"
	nft delete table inet taskvpc
	works GC "$(conf '.["cni.dev/valid-attachments"]=[{containerID:"web",ifname:"eth0"}]')"
	is "$(address web)" "$(published | awk '$1 == "tcp" && $4 !~ /:/ { print $4 }')" "IPv4"
	is "$(address web 1 eth1)" "$(published | awk '$1 == "tcp" && $4 ~ /:/ { print $4 }')" "IPv6"
	verify web "$(ports "$MAPS" "$OTHER")" CNI_IFNAME=eth1
	t "the network that serves is the one that came first, after the first has come back as well"
	del web
	add web "$(ports "$MAPS")"
	is "$(address web 0 eth1)" "$(published | awk '$1 == "tcp" && $4 !~ /:/ { print $4 }')" "IPv4"
	verify web "$(ports "$MAPS")"
	t "the port is held until the last network goes"
	netns other
	ID=other refused 107 '8080.*web' ADD "$(ports "$MAPS")"
	del web "$OTHER" CNI_IFNAME=eth1
	ID=other refused 107 '8080.*web' ADD "$(ports "$MAPS")"
	del web
	add other "$(ports "$MAPS")"
	del other
	unserve web
	drop web other
	clean
	t "a third network, and CHECK that sees what is gone"
	THIRD=$(conf '.name="br3" | .bridge="cni2" | .ipam.ranges=[[{subnet:"10.90.0.0/16"}]]')
	add web "$(ports "$MAPS")"
	add web "$(ports "$MAPS" "$OTHER")" CNI_IFNAME=eth1
	add web "$(ports "$MAPS" "$THIRD")" CNI_IFNAME=eth2
	del web
	verify web "$(ports "$MAPS" "$OTHER")" CNI_IFNAME=eth1
	verify web "$(ports "$MAPS" "$THIRD")" CNI_IFNAME=eth2
	nft flush map inet taskvpc ports4
	ID=web refused 106 'ports4' CHECK "$(with_prev web "$(ports "$MAPS" "$THIRD")" eth2)" CNI_IFNAME=eth2
	nft add element inet taskvpc ports4 "{ tcp . 8080 : $(address web 0 eth1) . 81 }"
	ID=web refused 106 'another port' CHECK "$(with_prev web "$(ports "$MAPS" "$THIRD")" eth2)" CNI_IFNAME=eth2
	nft flush map inet taskvpc ports4
	del web "$OTHER" CNI_IFNAME=eth1
	verify web "$(ports "$MAPS" "$THIRD")" CNI_IFNAME=eth2
	del web "$THIRD" CNI_IFNAME=eth2
	drop web
	clean
	t "another container port under the same host port is refused, and says why"
	add web "$(ports "$MAPS")"
	ID=web refused 107 '8080.*web.*same portMappings' ADD \
		"$(ports '[{"hostPort":8080,"containerPort":81,"protocol":"tcp"}]' "$OTHER")" CNI_IFNAME=eth1
	ID=web refused 107 '8080.*web' ADD \
		"$(ports '[{"hostPort":8080,"containerPort":80,"protocol":"tcp","hostIP":"198.51.100.1"}]' "$OTHER")" CNI_IFNAME=eth1
	del web
	drop web
	t "a container that was started again does not join what its dead namespace holds"
	add web "$(ports "$MAPS")"
	add web "$(ports "$MAPS" "$OTHER")" CNI_IFNAME=eth1
	drop web
	add web "$(ports "$MAPS" "$OTHER")" CNI_IFNAME=eth1
	is "$(address web 0 eth1)" "$(published | awk '$1 == "tcp" && $4 !~ /:/ { print $4 }')" "who serves the port"
	del web
	del web "$OTHER" CNI_IFNAME=eth1
	drop web
	clean
	t "the printed plan of a joined port leaves the rule to the network that serves it"
	add web "$(ports "$MAPS")"
	plan=$(CNI_CONTAINERID=web CNI_NETNS=$NETNS/web CNI_IFNAME=eth1 "$PLUGIN" --explain add <<<"$(ports "$MAPS" "$OTHER")")
	like "nft get element inet taskvpc ports4 .* \|\| nft add element" "$plan" "the plan"
	before=$(published)
	grep '^nft get' <<<"$plan" | sh
	isnt "$before" "$(published)" "the map of IPv6 ports"
	is "$before" "$(published | grep -v ' fd00:')" "the map of IPv4 ports"
	grep '^nft get.*ports6' <<<"$plan" | sed 's/.*|| nft add/nft delete/' | sh
	del web
	drop web
	clean
fi

# twin CONF: two addresses of one subnet on one interface.
twin() {
	local n
	add web "$1"
	serve web tcp:80
	for ((n = 0; n < $(result web '.ips | length'); n++)); do
		ping_ok host "$(address web $n)"
		reaches host web tcp "$(address web $n)" 80
		in_ns web ping -n -q -c 1 -W 1 -I "$(address web $n)" "$2" >/dev/null && pass || fail "from $(address web $n) to $2"
	done
	verify web "$1"
	unserve web
	del web "$1"
	drop web
	clean
}

if group "one subnet"; then
	SETS='[[{subnet:"10.51.0.0/24",rangeEnd:"10.51.0.20"}],[{subnet:"10.51.0.0/24",rangeStart:"10.51.0.30"}]]'
	SETS6='[[{subnet:"fd00:51a::/64",rangeEnd:"fd00:51a::20"}],[{subnet:"fd00:51a::/64",rangeStart:"fd00:51a::30"}]]'
	PLUGIN=$BIN/awsvpc
	VETH=$(conf 'del(.bridge, .isGateway, .isDefaultGateway) | .type="awsvpc" | .vpc.cidr="10.51.0.0/16"')
	for sets in "$SETS" "$SETS6" "$SETS + $SETS6"; do
		t "veth: two addresses of one subnet, $sets"
		twin "$(jq -c ".ipam.ranges=$sets" <<<"$VETH")" "$([ "$sets" = "$SETS6" ] && echo fd00:51::1 || echo 198.51.100.1)" 2>/dev/null
	done
	t "veth: two addresses of one subnet with a gateway each"
	twin "$(jq -c ".ipam.ranges=$SETS | .ipam.ranges[1][0].gateway=\"10.51.0.254\"" <<<"$VETH")" 198.51.100.1
	PLUGIN=$BIN/task-bridge
	for sets in "$SETS" "$SETS6"; do
		t "bridge: two addresses of one subnet, $sets"
		twin "$(jq -c ".ipam.ranges=$sets" <<<"$CONF")" "$([ "$sets" = "$SETS6" ] && echo fd00:51::1 || echo 198.51.100.1)"
	done
fi

finish
