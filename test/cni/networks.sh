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
		verify web "$stays" CNI_IFNAME="$([ "$gone" = eth0 ] && echo eth1 || echo eth0)"
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
		runs "from $(address web $n) to $2" in_ns web ping -n -q -c 1 -W 1 -I "$(address web $n)" "$2"
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

# ---- every address answers by its own interface ----

# Networks of each way, both families: NET[NAME]. Those of the bridges publish ports, the internal one
# has no default route.
declare -A NET=()
VPC=$(conf 'del(.bridge, .isGateway, .isDefaultGateway, .ipMasq) | .type="awsvpc"')
NET[vpc]=$(jq -c '.name="vpc" | .ipam.ranges=[[{subnet:"10.61.0.0/24"}],[{subnet:"fd00:61::/64"}]]' <<<"$VPC")
NET[vpc2]=$(jq -c '.name="vpc2" | .ipam.ranges=[[{subnet:"10.62.0.0/24"}],[{subnet:"fd00:62::/64"}]]
	| .ipam.routes=[{dst:"0.0.0.0/0"},{dst:"::/0"},{dst:"10.61.0.0/16"}]' <<<"$VPC")
NET[bridge]=$(ports "$MAPS" "$(conf '.name="pub" | .bridge="cni3" | .ipam.ranges=[[{subnet:"10.63.0.0/24"}],[{subnet:"fd00:63::/64"}]]')")
NET[internal]=$(ports "$MAPS" "$(conf '.name="int" | .bridge="cni4" | del(.isDefaultGateway) | .ipam.ranges=[[{subnet:"10.64.0.0/24"}],[{subnet:"fd00:64::/64"}]]')")
NET[lan]=$(jq -c '.name="lan" | .attach="macvlan" | .master="up0" | .hostAccess=true
	| .ipam.ranges=[[{subnet:"198.51.100.0/24",rangeStart:"198.51.100.50",gateway:"198.51.100.2"}],
		[{subnet:"fd00:51::/64",rangeStart:"fd00:51::50",gateway:"fd00:51::2"}]]' <<<"$VPC")

# attach NAME NET [IFNAME], detach, checked: ADD, DEL and CHECK of one of them.
with_plugin() { PLUGIN=$BIN/$(jq -r .type <<<"${NET[$1]}"); }
attach() { with_plugin "$2"; add "$1" "${NET[$2]}" CNI_IFNAME="${3:-eth0}"; }
detach() { with_plugin "$2"; del "$1" "${NET[$2]}" CNI_IFNAME="${3:-eth0}"; }
checked() { with_plugin "$2"; verify "$1" "${NET[$2]}" CNI_IFNAME="${3:-eth0}"; }

# peers NET: who can reach an address of the network.
peers() {
	case $1 in
	lan) echo host outside ;;
	*) echo host outside p-vpc p-vpc2 p-bridge ;;
	esac
}

# answers NET IFNAME: the addresses of web on this interface answer to all, and its port does.
answers() {
	local peer n
	checked web "$1" "$2"
	for peer in $(peers "$1"); do
		for n in 0 1; do ping_ok "$peer" "$(address web $n "$2")"; done
	done
	case $1 in bridge | internal)
		for peer in outside host third p-vpc; do
			reaches $peer web tcp "$([ $peer = third ] && echo 203.0.113.1 || echo 198.51.100.1)" 8080
			reaches $peer web tcp "$([ $peer = third ] && echo fd00:203::1 || echo fd00:51::1)" 8080
		done
		reaches host web tcp 127.0.0.1 8080
		;;
	esac
}

# goes_out: web reaches the outside without naming a source.
goes_out() { ping_ok web 198.51.100.2; ping_ok web fd00:51::2; }

# beside FIRST SECOND: eth0 of one, eth1 of the other; then each alone, and eth0 after eth1.
beside() {
	t "every address answers by its own interface: eth0 of $1, eth1 of $2"
	attach web "$1"
	attach web "$2" eth1
	serve web tcp:80 udp:53
	answers "$1" eth0
	answers "$2" eth1
	[ "$1" = internal ] || goes_out
	t "eth1 of $2 alone, after eth0 of $1 has gone"
	detach web "$1"
	answers "$2" eth1
	[ "$2" = internal ] || goes_out
	t "eth0 of $1 after eth1 of $2"
	attach web "$1"
	answers "$1" eth0
	answers "$2" eth1
	t "eth0 of $1 alone, after eth1 of $2 has gone"
	detach web "$2" eth1
	answers "$1" eth0
	is "" "$(in_ns web sh -c 'ip rule; ip -6 rule' | grep -v -e "lookup \(local\|main\|default\)" -e "from $(address web) " -e "from $(address web 1) ")" "rules of eth1 that are left"
	detach web "$1"
	unserve web
	drop web
}

if group beside; then
	ip -n outside route add 10.0.0.0/8 via 198.51.100.1
	for n in 61 62 63 64; do ip -n outside route add fd00:$n::/64 via fd00:51::1; done
	attach p-vpc vpc
	attach p-vpc2 vpc2
	with_plugin bridge
	add p-bridge "$(jq -c 'del(.runtimeConfig)' <<<"${NET[bridge]}")"
	# Each kind beside each other kind in one order; SLOW=1: all of them.
	pairs="vpc-vpc2 bridge-vpc vpc2-bridge internal-vpc2 lan-bridge vpc-lan internal-lan"
	[ -z "${SLOW:-}" ] || pairs=$(echo {vpc,vpc2,bridge,internal,lan}-{vpc,vpc2,bridge,internal,lan})
	for pair in ${PAIRS-$pairs}; do
		# The ports of two bridges would be those of the first.
		case $pair in bridge-internal | internal-bridge | bridge-bridge | internal-internal) continue ;; esac
		beside "${pair%-*}" "${pair#*-}"
	done
	t "two of one network, on one link"
	for net in bridge vpc lan; do
		for name in eth0 eth1; do attach web $net $name; done
		serve web tcp:80 udp:53
		for name in eth0 eth1; do answers $net $name; done
		in_ns web ip neigh flush all
		ip neigh flush all
		for name in eth1 eth0; do answers $net $name; done
		detach web $net
		answers $net eth1
		detach web $net eth1
		unserve web
		drop web
	done
	t "a published UDP port on the second interface"
	attach web vpc
	attach web bridge eth1
	serve web tcp:80 "udp:$(address web 0 eth1):53"
	reaches outside web udp 198.51.100.1 8053 198.51.100.2
	unserve web
	detach web bridge eth1
	detach web vpc
	drop web
	t "strict rp_filter in the task"
	netns web
	in_ns web sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter'
	attach web vpc
	attach web bridge eth1
	serve web tcp:80 udp:53
	answers vpc eth0
	answers bridge eth1
	unserve web
	detach web bridge eth1
	detach web vpc
	drop web
	t "macvlan over a foreign IPAM plugin, which the record tells no address of"
	if [ -x "$CNI_REF/static" ]; then
		PLUGIN=$BIN/awsvpc
		STATIC=$(jq -c '.cniVersion="1.0.0" | .hostAccess=false | .ipam={type:"static",addresses:[{address:"198.51.100.77/24",gateway:"198.51.100.2"},{address:"fd00:51::77/64",gateway:"fd00:51::2"}],routes:[{dst:"0.0.0.0/0"},{dst:"::/0"}]}' <<<"${NET[lan]}")
		attach web vpc
		PLUGIN=$BIN/awsvpc add web "$STATIC" CNI_IFNAME=eth1
		PLUGIN=$BIN/awsvpc verify web "$STATIC" CNI_IFNAME=eth1
		for to in 198.51.100.77 fd00:51::77; do
			ping_ok outside $to
		done
		answers vpc eth0
		del web "$STATIC" CNI_IFNAME=eth1
		is "" "$(in_ns web ip rule | grep 30000)$(in_ns web ip -6 rule | grep 30000)" "rules that are left"
		answers vpc eth0
		detach web vpc
		drop web
	else
		skip "needs $CNI_REF/static"
	fi
	t "the reference plugin sbr behind it"
	if [ -x "$CNI_REF/sbr" ]; then
		for net in vpc2 bridge lan; do
			attach web vpc
			attach web $net eth1
			with_plugin $net
			PLUGIN=$CNI_REF/sbr plugin ADD "$(jq -c '{cniVersion:"1.0.0",name:.name,type:"sbr"}' <<<"${NET[$net]}" |
				jq -c --slurpfile p "$TMP/result/web.eth1" '.prevResult=($p[0] | .cniVersion="1.0.0")')" \
				CNI_CONTAINERID=web CNI_NETNS=$NETNS/web CNI_IFNAME=eth1
			is 0 "$RC" "ADD of sbr"
			serve web tcp:80 udp:53
			answers vpc eth0
			# Its table comes first, and leads to neighbours on the link by the gateway.
			if [ $net = lan ]; then ping_ok outside "$(address web 0 eth1)"; else answers $net eth1; fi
			PLUGIN=$CNI_REF/sbr plugin DEL "$(jq -c '{cniVersion:"1.0.0",name:.name,type:"sbr"}' <<<"${NET[$net]}")" \
				CNI_CONTAINERID=web CNI_NETNS=$NETNS/web CNI_IFNAME=eth1
			is 0 "$RC" "DEL of sbr"
			detach web $net eth1
			answers vpc eth0
			is "" "$(in_ns web sh -c 'ip rule; ip -6 rule' | grep -v "lookup \(local\|main\|default\)")" "rules that are left"
			detach web vpc
			unserve web
			drop web
		done
	else
		skip "needs $CNI_REF/sbr"
	fi
	detach p-vpc vpc
	detach p-vpc2 vpc2
	detach p-bridge bridge
	drop p-vpc p-vpc2 p-bridge
	ip -n outside route del 10.0.0.0/8
	clean
fi

finish
