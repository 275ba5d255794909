#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An address of a subnet or of vpc.cidr that no task has: its sender hears that it is unreachable, and
# no packet leaves by the uplink, whatever routes the host has besides.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"

# A router behind the uplink that sends every address of the VPC back to the host.
netns router
ip link add up0 type veth peer name up1 netns router
ip addr add 198.51.100.2/24 dev up0
ip -6 addr add fd00:51::2/64 dev up0 nodad
ip link set up0 up
ip -n router addr add 198.51.100.1/24 dev up1
ip -n router -6 addr add fd00:51::1/64 dev up1 nodad
ip -n router link set up1 up
ip -n router link set lo up
ip netns exec router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
until_true pings host 198.51.100.1
until_true pings host fd00:51::1
ip -n router route add 10.0.0.0/8 via 198.51.100.2
ip -n router -6 route add fd00:10::/32 via fd00:51::2
ip route add default via 198.51.100.1
ip -6 route add default via fd00:51::1
# The errors themselves are what is looked for: let the kernel not hold any back.
sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
baseline

# leaked NET COMMAND…: how many packets to NET the router sees while the command runs.
leaked() {
	local net=$1 family=ip
	shift
	[[ $net != *:* ]] || family=ip6
	in_ns router nft "table inet seen; delete table inet seen; table inet seen {
		chain in { type filter hook prerouting priority -400; iif up1 $family daddr $net counter; }; }"
	"$@" >/dev/null 2>&1
	sleep 0.1
	in_ns router nft list table inet seen | sed -n 's/.*counter packets \([0-9]*\).*/\1/p'
	in_ns router nft delete table inet seen
}
# said FROM TO: what the sender of an echo request hears, by ICMP or (on the host) from the kernel. The
# kernel limits how often it sends these errors.
said() {
	in_ns "$1" ping -n -c 20 -i 0.3 -W 1 "$2" 2>&1 |
		sed -nEu 's/.*(unreachable|No route to host).*/unreachable/I; T; p; q'
}

# unreachable FROM ADDRESS: it is, at once, and nothing leaves.
unreachable() {
	like '^unreachable$' "$(said "$1" "$2")" "what $1 hears of $2"
	is 0 "$(leaked "$2" in_ns "$1" ping -n -c 5 -i 0.01 -W 0.2 "$2")" "packets to $2 on the uplink"
}

DUAL=$(conf '.ipMasq=true | .vpc.cidr=["10.0.0.0/16","fd00:10::/32"] | .ipam.cooldown=0
	| .ipam.ranges=[[{subnet:"10.0.1.0/24"}],[{subnet:"fd00:10:1::/64"}]]')
BRIDGE='{"cniVersion":"1.1.0","name":"br","type":"task-bridge","bridge":"br9","isGateway":true,
"isDefaultGateway":true,"ipam":{"type":"task-ipam","dataDir":"'$DATA'","cooldown":0,
"ranges":[[{"subnet":"10.9.0.0/24"}],[{"subnet":"fd00:10:9::/64"}]]}}'

if group veth; then
	t "awsvpc: unused addresses of the subnet and of the rest of the VPC, from a task and from the host"
	add a "$DUAL"
	for from in a host; do
		for address in 10.0.1.99 10.0.77.7 fd00:10:1::99 fd00:10:7::7; do
			unreachable "$from" "$address"
		done
	done
	t "the same from outside: the router gets the error, and no packet loops"
	for address in 10.0.1.99 fd00:10:1::99; do
		like unreachable "$(said router "$address")" "what the router hears of $address"
		is 0 "$(leaked "$address" in_ns router ping -n -c 5 -i 0.01 -W 0.2 "$address")" "packets that come back"
	done
	t "the address of a task that has ended"
	add b "$DUAL"
	B=$(address b) B6=$(address b 1)
	ping_ok a "$B"
	ping_ok a "$B6"
	del b "$DUAL"
	unreachable a "$B"
	unreachable a "$B6"
	t "CHECK sees a route that is gone, and prints the one that repairs it"
	ip route del unreachable 10.0.0.0/16 metric 4000000000
	ID=a plugin CHECK "$(with_prev a "$DUAL")"
	expect_error 106 'the route 10.0.0.0/16 is gone on the host.*to repair it: ip route (add|replace) unreachable 10.0.0.0/16'
	sh -c "$(jq -r .details <<<"$OUT" | sed 's/^to repair it: //')"
	verify a "$DUAL"
	t "GC puts it back"
	ip -6 route del unreachable fd00:10:1::/64 metric 4000000000
	ID=a works GC "$(jq -c '."cni.dev/valid-attachments"=[{containerID:"a",ifname:"eth0"}]' <<<"$DUAL")"
	verify a "$DUAL"
	t "the routes stay until the last task of the subnet, of any network, has gone"
	OTHER=$(jq -c '.name="other"' <<<"$DUAL")
	add c "$OTHER"
	del a "$DUAL"
	unreachable c 10.0.1.99
	unreachable c fd00:10:77::99
	del c "$OTHER"
	drop a b c
	clean
fi

if group lan; then
	t "the host's own networks within vpc.cidr, or equal to it, keep their routes"
	netns lan
	ip link add lan0 type veth peer name lan1 netns lan
	ip -n lan link set lan1 up
	ip link set lan0 up
	for net in 10.0.0 10.0.200; do
		len=$([ $net = 10.0.0 ] && echo 16 || echo 24)
		ip addr add "$net.1/$len" dev lan0
		# Else the gateway's address is that of a neighbour on the LAN.
		ip addr add 10.0.1.1/32 dev lo
		ip -6 addr add fd00:10:1::1/128 dev lo nodad
		ip -6 addr add "fd00:10:c8::1/$([ "$net" = 10.0.0 ] && echo 32 || echo 64)" dev lan0 nodad
		ip -n lan addr add "$net.9/$len" dev lan1
		ip -n lan -6 addr add fd00:10:c8::9/64 dev lan1 nodad
		ip -n lan route add 10.0.1.0/24 via $net.1
		ip -n lan -6 route add fd00:10:1::/64 via fd00:10:c8::1
		add a "$DUAL"
		ping_ok host $net.9
		ping_ok host fd00:10:c8::9
		ping_ok a $net.9
		ping_ok a fd00:10:c8::9
		ping_ok lan "$(address a)"
		unreachable a 10.0.1.99
		unreachable a fd00:10:1::99
		del a "$DUAL"
		ip addr del 10.0.1.1/32 dev lo
		ip -6 addr del fd00:10:1::1/128 dev lo
		ip addr flush dev lan0
		ip -n lan addr flush dev lan1
		drop a
	done
	t "a part of the VPC that lies behind another router has a route of its own, which counts"
	ip route add 10.0.50.0/24 via 198.51.100.1
	add a "$DUAL"
	isnt 0 "$(leaked 10.0.50.5 in_ns a ping -n -c 2 -i 0.01 -W 0.2 10.0.50.5)" "packets to 10.0.50.5 by the router"
	del a "$DUAL"
	ip route del 10.0.50.0/24
	ip link del lan0
	drop a lan
	clean
fi

if group bridge; then
	t "task-bridge: a bridge that is down sends its subnet nowhere else"
	PLUGIN=$BIN/task-bridge
	add a "$BRIDGE"
	add b "$BRIDGE"
	ping_ok host "$(address a)"
	ip link set br9 down
	for address in "$(address a)" 10.9.0.77 "$(address a 1)" fd00:10:9::77; do
		unreachable host "$address"
	done
	ip link set br9 up
	until_true pings host "$(address a)"
	ip -6 addr replace fd00:10:9::1/64 dev br9 nodad
	t "without isGateway the subnet is a LAN of others, and the host has no route for it"
	PLAIN=$(jq -c '.name="plain" | .bridge="br8" | del(.isGateway, .isDefaultGateway)
		| .ipam.ranges=[[{subnet:"10.8.0.0/24"}]]' <<<"$BRIDGE")
	add c "$PLAIN"
	is "" "$(ip route show 10.8.0.0/24)" "routes to the subnet"
	del c "$PLAIN"
	del a "$BRIDGE"
	del b "$BRIDGE"
	drop a b c
	clean
	PLUGIN=$BIN/awsvpc
fi
finish
