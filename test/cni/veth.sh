#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# awsvpc, attach veth: what packets do. The host is the VPC's router; each task sees only it.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"

# "The internet": a namespace behind the host's uplink, which knows no way back to the VPC.
netns internet
ip link add up0 type veth peer name net0 netns internet
ip addr add 198.51.100.1/24 dev up0
ip -6 addr add fd00:51::1/64 dev up0 nodad
ip link set up0 up
ip -n internet addr add 198.51.100.2/24 dev net0
ip -n internet -6 addr add fd00:51::2/64 dev net0 nodad
ip -n internet link set net0 up
ip -n internet link set lo up
until_true pings host 198.51.100.2
ip -6 route show >/dev/null
baseline

DUAL=$(conf ".ipam.ranges += [$CONF6] | .ipam.placement=\"spread\"")

# forged FROM TO EXPRESSION COMMAND…: packets that the command sends from FROM arrive in TO: how many?
# HOOK=… where they are counted; the default is before anything else sees them.
forged() {
	local from=$1 to=$2 expression=$3
	shift 3
	in_ns "$to" nft "add table inet forged; delete table inet forged; add table inet forged;" \
		"add chain inet forged in { type filter hook ${HOOK:-prerouting priority -400}; };" \
		"add rule inet forged in $expression counter"
	in_ns "$from" "$@" >/dev/null 2>&1
	sleep 0.05
	in_ns "$to" nft list table inet forged | sed -n 's/.*counter packets \([0-9]*\).*/\1/p'
	in_ns "$to" nft delete table inet forged
}

# assigned NAME LINK: who gave it its MAC. /sys is that of the namespace that mounts it.
assigned() {
	in_ns "$1" unshare --mount sh -c "mount -t sysfs none /sys && cat /sys/class/net/$2/addr_assign_type"
}

if group wiring; then
	add a "$DUAL"
	add b "$DUAL"
	A=$(address a) B=$(address b) A6=$(address a 1) B6=$(address b 1)
	HA=$(host_link a) GA=$(result a '.ips[0].gateway') GA6=$(result a '.ips[1].gateway')
	t "two tasks, two subnets"
	isnt "${A%.*}" "${B%.*}" "subnets"
	t "the link: name, alias, MACs, MTU"
	link=$(ip -j -d link show "$HA" | jq '.[0]')
	like '^eni-[0-9a-f]{17}$' "$(jq -r .ifalias <<<"$link")" alias
	is "$HA" "vpc$(jq -r '.ifalias[4:16]' <<<"$link")" "name"
	like '^02:' "$(ip -n a -j link show eth0 | jq -r '.[0].address')" "MAC of the task"
	like '^06:' "$(jq -r .address <<<"$link")" "MAC of the host's end"
	is "$(jq -r .address <<<"$link")" "$(result a '.interfaces[0].mac')" "MAC in the result"
	is "1500 1500" "$(jq -r .mtu <<<"$link") $(ip -n a -j link show eth0 | jq -r '.[0].mtu')" "MTU of both ends"
	t "MACs that udev leaves alone"
	# 3: given by somebody (NET_ADDR_SET); it makes new ones of those that the kernel drew.
	is "3 3" "$(assigned host "$HA") $(assigned a eth0)" "addr_assign_type of both ends"
	is "1 1" "$(jq -r '"\(.num_tx_queues) \(.num_rx_queues)"' <<<"$link")" "queues"
	is "" "$(ip -6 addr show dev "$HA")" "no IPv6 address on the host's end"
	like 'LOOPBACK,UP' "$(ip -n a -o link show lo)" "lo is up"
	t "routes and neighbours"
	is "$A dev $HA" "$(ip route show "$A/32" | awk '{ print $1, $2, $3 }')" "host route"
	is "$A6 dev $HA" "$(ip -6 route show "$A6/128" | awk '{ print $1, $2, $3 }')" "IPv6 host route"
	MAC=$(ip -n a -j link show eth0 | jq -r '.[0].address')
	HMAC=$(jq -r .address <<<"$link")
	for pair in "host $A $HA $MAC" "host $A6 $HA $MAC" "a $GA eth0 $HMAC" "a $GA6 eth0 $HMAC"; do
		read -r where to dev mac <<<"$pair"
		is "$mac PERMANENT" "$(in_ns "$where" ip neigh show "$to" dev "$dev" | awk '{ print $3, $NF }')" \
			"neighbour $to in $where"
	done
	t "IPv6: on where there is an address, no link-local, no router advertisements of the task"
	is 0 "$(sysctl_of a net/ipv6/conf/eth0/disable_ipv6)" disable_ipv6
	is "" "$(ip -n a -6 addr show dev eth0 scope link; ip -6 addr show dev "$HA" scope link)" "link-local addresses"
	is 0 "$(sysctl_of host "net/ipv6/conf/$HA/accept_ra")" "accept_ra of the host's end"
	is 1 "$(sysctl_of host net/ipv4/ip_forward)" ip_forward

	t "from task to task, over both families"
	ping_ok a "$B"
	ping_ok b "$A"
	ping_ok a "$B6"
	ping_ok b "$A6"
	tcp_ok a b "$B"
	tcp_ok b a "$A"
	tcp_ok a b "$B6"
	tcp_ok b a "$A6"
	t "the gateway answers, though no interface owns the subnet"
	ping_ok a "$GA"
	ping_ok a "$GA6"
	is "" "$(ip addr show | grep -F "$GA/24")" "interfaces with the gateway's subnet"
	t "host and task"
	ping_ok host "$A"
	ping_ok host "$A6"
	ping_ok a 198.51.100.1
	tcp_ok host a "$A"
	tcp_ok a host 198.51.100.1
	t "neighbours of one subnet as well"
	add c "$(jq -c '.ipam.placement="first"' <<<"$DUAL")"
	add d "$(jq -c '.ipam.placement="first"' <<<"$DUAL")"
	is "$(address c | cut -d. -f1-3)" "$(address d | cut -d. -f1-3)" "subnets"
	ping_ok c "$(address d)"
	ping_ok c "$(address d 1)"
	tcp_ok d c "$(address c)"
	del d "$DUAL"
	t "a big packet without fragments"
	ping_ok a "$B" -M "do" -s 1472
	ping_no a "$B" -M "do" -s 1473

	t "a forged source address is dropped"
	C=$(address c) C6=$(address c 1)
	isnt 0 "$(forged a b "ip saddr $A icmp type echo-request" ping -c 2 -i 0.1 -W 0.3 "$B")" "its own arrives"
	ip -n a addr add "$C/32" dev eth0
	is 0 "$(forged a b "ip saddr $C icmp type echo-request" ping -c 2 -i 0.1 -W 0.3 -I "$C" "$B")" \
		"another task's address"
	ip -n a addr del "$C/32" dev eth0
	ip -n a addr add 198.51.100.77/32 dev eth0
	is 0 "$(forged a b "ip saddr 198.51.100.77" ping -c 2 -i 0.1 -W 0.3 -I 198.51.100.77 "$B")" \
		"an address from outside"
	is 0 "$(HOOK="forward priority 0" forged a host "ip saddr 198.51.100.77" \
		ping -c 1 -W 0.3 -I 198.51.100.77 198.51.100.2)" "nor is it sent on to the outside"
	ip -n a addr del 198.51.100.77/32 dev eth0
	ip -n a -6 addr add "$C6/128" dev eth0 nodad
	is 0 "$(forged a b "ip6 saddr $C6 icmpv6 type echo-request" ping -c 2 -i 0.1 -W 0.3 -I "$C6" "$B6")" \
		"another task's IPv6 address"
	ip -n a -6 addr del "$C6/128" dev eth0
	isnt 0 "$(forged a b "ip6 saddr $A6 icmpv6 type echo-request" ping -c 2 -i 0.1 -W 0.3 "$B6")" \
		"its own IPv6 arrives"
	t "the forged source does not reach the host itself"
	ip -n a addr add "$C/32" dev eth0
	is 0 "$(HOOK="input priority 0" forged a host "ip saddr $C" ping -c 1 -W 0.3 -I "$C" 198.51.100.1)" "forged"
	isnt 0 "$(HOOK="input priority 0" forged a host "ip saddr $A" ping -c 1 -W 0.3 -I "$A" 198.51.100.1)" "its own"
	ip -n a addr del "$C/32" dev eth0
	t "a forged MAC is dropped"
	readdress() {
		ip -n a link set eth0 address "$1"
		ip -n a neigh replace "$GA" lladdr "$HMAC" nud permanent dev eth0
		ip -n a neigh replace "$GA6" lladdr "$HMAC" nud permanent dev eth0
	}
	readdress 02:00:00:00:00:99
	is 0 "$(forged a b "ip saddr $A" ping -c 2 -i 0.1 -W 0.3 "$B")" "from another MAC"
	is 0 "$(forged a b "ip6 saddr $A6" ping -c 2 -i 0.1 -W 0.3 "$B6")" "from another MAC, IPv6"
	readdress "$MAC"
	isnt 0 "$(forged a b "ip saddr $A" ping -c 2 -i 0.1 -W 0.3 "$B")" "from its own MAC again"
	t "nobody can take over an address by ARP: it is not asked for"
	ip -n c addr add "$B/32" dev eth0
	in_ns c timeout 2 busybox arping -c 1 -U -I eth0 -s "$B" "$B" >/dev/null 2>&1
	ping_ok a "$B"
	is "$HA" "$(ip -j route get "$A" | jq -r '.[0].dev')" "route to a"
	is "$(host_link b)" "$(ip -j route get "$B" | jq -r '.[0].dev')" "route to b"
	ip -n c addr del "$B/32" dev eth0

	t "all is whole, and all goes"
	verify a "$DUAL"
	verify b "$DUAL"
	for name in a b c; do del "$name" "$DUAL"; done
	drop a b c d
	clean
fi

if group ipv6; then
	t "IPv6 is usable by the first packet"
	for i in 1 2 3; do
		add "s$i" "$DUAL"
		runs "first packet of task $i" in_ns "s$i" ping -n -c 1 -W 1 fd00:51::1
		is "" "$(ip -n "s$i" -6 addr show tentative)" "tentative"
	done
	t "and the first IPv4 packet, from the host"
	add s4 "$DUAL"
	runs "first packet" ping -n -c 1 -W 1 "$(address s4)"
	for i in 1 2 3 4; do del "s$i" "$DUAL"; done
	drop s1 s2 s3 s4
	t "a task with IPv4 only has no IPv6"
	add v4
	is "" "$(ip -n v4 -6 addr show dev eth0)" "IPv6 addresses"
	is "" "$(ip -n v4 -6 route show dev eth0 | grep -v ^multicast)" "IPv6 routes"
	is 1 "$(sysctl_of host "net/ipv6/conf/$(host_link v4)/disable_ipv6")" "disable_ipv6 of the host's end"
	del v4
	drop v4
	t "a task with IPv6 only"
	SIX=$(conf ".ipam.ranges=[$CONF6]")
	add v6 "$SIX"
	ping_ok v6 fd00:51::1
	is "" "$(ip -n v6 -4 addr show dev eth0)" "IPv4 addresses"
	del v6 "$SIX"
	drop v6
	t "a task whose new interfaces have IPv6 off: ours has it on, no other"
	netns off
	for scope in all default; do in_ns off sh -c "echo 1 >/proc/sys/net/ipv6/conf/$scope/disable_ipv6"; done
	add off "$DUAL"
	ping_ok off fd00:51::1
	ping_ok off "$(result off '.ips[0].gateway')"
	ping_ok host "$(address off 1)"
	is "0 1 1" "$(sysctl_of off net/ipv6/conf/eth0/disable_ipv6) $(sysctl_of off net/ipv6/conf/default/disable_ipv6) \
$(sysctl_of off net/ipv6/conf/lo/disable_ipv6)" "disable_ipv6 of eth0, default, lo"
	is "" "$(ip -n off -6 addr show dev eth0 scope link)" "link-local addresses"
	verify off "$DUAL"
	del off "$DUAL"
	is "" "$(ip -n off -o link show eth0 2>/dev/null)" "eth0 after DEL"
	t "and none without an IPv6 address"
	add off
	is 1 "$(sysctl_of off net/ipv6/conf/eth0/disable_ipv6)" disable_ipv6
	del off
	drop off
	t "an uplink that learns its route by router advertisement goes on learning it"
	echo 0 >/proc/sys/net/ipv6/conf/all/forwarding
	echo 1 >/proc/sys/net/ipv6/conf/up0/accept_ra
	ip -6 route add default via fd00:51::2 dev up0 proto ra
	add r "$DUAL"
	is 2 "$(sysctl_of host net/ipv6/conf/up0/accept_ra)" "accept_ra of the uplink with forwarding on"
	del r "$DUAL"
	drop r
	ip -6 route del default
	clean
fi

if group mtu; then
	t "the MTU that is configured, at both ends"
	for mtu in 1280 1400 9001; do
		config=$(conf ".mtu=$mtu")
		add m "$config"
		is "$mtu $mtu" "$(ip -n m -j link show eth0 | jq '.[0].mtu') $(ip -j link show "$(host_link m)" | jq '.[0].mtu')" MTU
		is "$mtu" "$(result m '.interfaces[] | select(.name == "eth0") | .mtu')" "MTU in the result"
		verify m "$config"
		del m "$config"
		drop m
	done
	t "large packets between tasks, 1500 bytes to elsewhere"
	config=$(conf '.mtu=65535 | .ipam.routes=[{"dst":"0.0.0.0/0","mtu":1500},{"dst":"10.0.0.0/16"}]')
	add m "$config"
	add n "$config"
	ping_ok m "$(address n)" -M "do" -s 65000
	ip -n internet route add 10.0.0.0/16 via 198.51.100.1
	like 'mtu[^0-9]*1500|message too long' "$(in_ns m ping -n -c 1 -W 1 -M "do" -s 1473 198.51.100.2 2>&1)" "to elsewhere"
	ping_ok m 198.51.100.2 -M "do" -s 1472
	in_ns internet timeout 20 busybox nc -l -p 7008 -e seq 900000 &
	until_true in_ns internet sh -c 'ss -Hltn "sport = 7008" | grep -q .'
	is "$(seq 900000 | md5sum)" "$(in_ns m bash -c "md5sum </dev/tcp/198.51.100.2/7008")" "6 MB from elsewhere"
	wait $!
	ip -n internet route del 10.0.0.0/16
	verify m "$config"
	for name in m n; do del $name "$config"; done
	drop m n
	t "the default is that of the default route's interface"
	config=$(conf 'del(.mtu)')
	add m "$config"
	is 1500 "$(ip -n m -j link show eth0 | jq '.[0].mtu')" "without a default route"
	del m "$config"
	drop m
	ip link set up0 mtu 1442
	ip route add default via 198.51.100.2
	add m "$config"
	is "1442 1442" "$(ip -n m -j link show eth0 | jq '.[0].mtu') $(ip -j link show "$(host_link m)" | jq '.[0].mtu')" MTU
	del m "$config"
	drop m
	ip route del default
	ip link set up0 mtu 1500
	clean
fi

if group metadata; then
	ip addr add 169.254.169.254/32 dev lo
	ip -6 addr add fd00:ec2::254/128 dev lo
	t "instance metadata can be reached where it is not blocked"
	OPEN=$(jq -c '.blockInstanceMetadata=false' <<<"$DUAL")
	add open "$OPEN"
	ping_ok open 169.254.169.254
	ping_ok open fd00:ec2::254
	t "and not where it is"
	add shut "$DUAL"
	ping_no shut 169.254.169.254
	ping_no shut fd00:ec2::254
	seen=$(echo x | in_ns shut timeout 2 busybox nc -w 1 169.254.169.254 80 2>&1) &&
		fail "TCP to 169.254.169.254: expected refusal, seen: $seen"
	ping_ok shut 198.51.100.1
	ping_ok open 169.254.169.254
	t "nor when root in the task takes the routes away: the host drops it"
	ip -n shut route del blackhole 169.254.169.254
	ip -n shut -6 route del blackhole fd00:ec2::254
	ping_no shut 169.254.169.254
	ping_no shut fd00:ec2::254
	ip -n shut route add blackhole 169.254.169.254 proto static
	ip -n shut -6 route add blackhole fd00:ec2::254 proto static
	t "the default is open"
	NEITHER=$(jq -c 'del(.blockInstanceMetadata)' <<<"$DUAL")
	add default "$NEITHER"
	ping_ok default 169.254.169.254
	verify shut "$DUAL"
	for name in open shut default; do del "$name" "$DUAL"; done
	drop open shut default
	ip addr del 169.254.169.254/32 dev lo
	ip -6 addr del fd00:ec2::254/128 dev lo
	t "two networks of one task that block it share the routes"
	SECOND=$(jq -c '.name="lab2"' <<<"$DUAL")
	add both "$DUAL"
	add both "$SECOND" CNI_IFNAME=eth1
	del both "$DUAL"
	verify both "$SECOND" CNI_IFNAME=eth1
	del both "$SECOND" CNI_IFNAME=eth1
	is "" "$(ip -n both route show type blackhole)$(ip -n both -6 route show type blackhole)" "routes afterwards"
	t "a route that leads there is in the way: an error, and it stays"
	ip -n both link add other0 up type veth peer name other1
	for there in '4 169.254.169.254' '6 fd00:ec2::254'; do
		to=${there#* }
		ip -n both "-${there% *}" route add "$to" dev other0 proto static
		ID=both refused 100 "route add blackhole $to.*another kind.*blockInstanceMetadata" ADD "$DUAL"
		ip -n both "-${there% *}" route del "$to"
	done
	add both "$(jq -c '.name="leads" | .blockInstanceMetadata=false | .ipam.routes=[{dst:"169.254.169.254/32"}]' <<<"$DUAL")"
	ID=both refused 100 'route add blackhole 169\.254\.169\.254.*another kind.*blockInstanceMetadata' ADD "$SECOND" \
		CNI_IFNAME=eth1
	del both "$(jq -c '.name="leads"' <<<"$DUAL")"
	drop both
	clean
fi

if group masquerade; then
	MASQ=$(jq -c '.ipMasq=true | .vpc.cidr=["10.0.0.0/16","fd00:10::/32"]' <<<"$DUAL")
	add m "$MASQ"
	add n "$MASQ"
	t "what leaves the VPC bears the host's address"
	ping_ok m 198.51.100.2
	ping_ok m fd00:51::2
	tcp_ok m internet 198.51.100.2
	isnt 0 "$(forged m internet 'ip saddr 198.51.100.1 icmp type echo-request' ping -c 1 -W 0.3 198.51.100.2)" \
		"from the host's address"
	is 0 "$(forged m internet "ip saddr $(address m)" ping -c 1 -W 0.3 198.51.100.2)" "from the task's"
	t "what stays inside keeps its own"
	isnt 0 "$(forged m n "ip saddr $(address m) icmp type echo-request" ping -c 1 -W 0.3 "$(address n)")" \
		"from the task's address"
	isnt 0 "$(forged m n "ip6 saddr $(address m 1)" ping -c 1 -W 0.3 "$(address n 1)")" \
		"from the task's IPv6 address"
	t "a task without ipMasq beside it is not masqueraded"
	add p "$DUAL"
	isnt 0 "$(forged p internet "ip saddr $(address p)" ping -c 1 -W 0.3 198.51.100.2)" "from its own address"
	is 0 "$(forged p internet "ip saddr 198.51.100.1 icmp type echo-request" ping -c 1 -W 0.3 198.51.100.2)" \
		"from the host's"
	ping_no p 198.51.100.2
	for name in m n p; do verify "$name" "$([ $name = p ] && echo "$DUAL" || echo "$MASQ")"; done
	for name in m n p; do del "$name" "$MASQ"; done
	drop m n p
	clean
	t "of a family that vpc.cidr names no block of, the subnet is one"
	for blocks in '["10.0.0.0/16"]' '["fd00:10::/32"]'; do
		HALF=$(jq -c ".vpc.cidr=$blocks | .ipam.ranges |= map([.[0]])" <<<"$MASQ")
		add m "$HALF"
		add n "$HALF"
		isnt 0 "$(forged m n "ip saddr $(address m) icmp type echo-request" ping -c 1 -W 0.3 "$(address n)")" \
			"$blocks: from the task's address"
		isnt 0 "$(forged m n "ip6 saddr $(address m 1) icmpv6 type echo-request" ping -c 1 -W 0.3 "$(address n 1)")" \
			"$blocks: from the task's IPv6 address"
		ping_ok m 198.51.100.2
		ping_ok m fd00:51::2
		verify m "$HALF"
		for name in m n; do del "$name" "$HALF"; done
		drop m n
		clean
	done
	t "a VPC of eight blocks: what its tasks share stays until the last of them has gone"
	EIGHT=$(jq -c '.vpc.cidr=["10.0.0.0/16",(range(1;8) | "10.\(.).0.0/16")]' <<<"$MASQ")
	add m "$EIGHT"
	add n "$EIGHT"
	is 8 "$(nft list set inet taskvpc vpc4 | grep -c '10\.0\.0\.0/16 \. ')" "pairs of the one block that has tasks, of eight"
	del n "$EIGHT"
	verify m "$EIGHT"
	del m "$EIGHT"
	drop m n
	clean
	t "the VPC is reached from outside where there is a route"
	ip -n internet route add 10.0.0.0/16 via 198.51.100.1
	add o "$DUAL"
	ping_ok internet "$(address o)"
	ping_ok o 198.51.100.2
	is "$(ip -j link show up0 | jq -r '.[0].address')" \
		"$(ip -n internet -j neigh show dev net0 | jq -r '[.[].lladdr // empty] | unique | join(" ")')" "MACs that are seen outside"
	del o "$DUAL"
	drop o
	ip -n internet route del 10.0.0.0/16
	clean
fi

if group router; then
	# A LAN of the host with a router at 10.0.1.1, the first address of the pool's first subnet.
	netns lan
	ip link add lan0 type veth peer name net0 netns lan
	ip link set lan0 up
	ip -n lan link set net0 up
	ip -n lan addr add 10.0.1.1/24 dev net0
	ip -n lan -6 addr add fd00:10:1::1/64 dev net0 nodad
	baseline
	NEAR=$(one 10.0.1.0/24)
	NEAR6=$(one fd00:10:1::/64)
	# taken ROUTER [CONF]: ADD and STATUS refuse to take its place, and it goes on answering.
	taken() {
		refused 7 "the gateway $1 of the subnet .* is a neighbour of the host on lan0.*a subnet that is on no LAN" \
			ADD "${2:-$NEAR}" CNI_CONTAINERID=c CNI_NETNS=$NETNS/c
		refused 50 "the gateway $1 of the subnet .* is a neighbour of the host on lan0" STATUS "${2:-$NEAR}"
		like "the gateway $1 of the subnet .* is a neighbour" "$(CNI_CONTAINERID=c CNI_NETNS=$NETNS/c \
			CNI_IFNAME=eth0 "$PLUGIN" --explain <<<"${2:-$NEAR}" 2>&1)" "explain"
		ping_ok host "$1"
	}
	# spared: an ADD takes nothing from anybody, and STATUS says so.
	spared() {
		works STATUS "$NEAR"
		add c "$NEAR"
		del c "$NEAR"
	}
	netns c
	t "the router is on a LAN of the host: its place is not taken"
	ip addr add 10.0.1.77/24 dev lan0
	taken 10.0.1.1
	ip route add default via 10.0.1.1
	taken 10.0.1.1
	t "nor in a pool where other subnets are free: STATUS names it, an ADD may go elsewhere"
	refused 50 'the gateway 10\.0\.1\.1 of the subnet 10\.0\.1\.0/24' STATUS "$(conf)"
	add c "$(conf '.ipam.placement="first" | .ipam.ranges[0] |= reverse')"
	is 10.0.2.1 "$(result c '.ips[0].gateway')" "gateway"
	del c
	ip addr del 10.0.1.77/24 dev lan0
	t "a host of a cloud: an address without a prefix, the router by a route of its own, or by none"
	ip addr add 10.0.3.77/32 dev lan0
	ip route add 10.0.1.1 dev lan0
	ip -n lan route add 10.0.3.77 dev net0
	taken 10.0.1.1
	ip route add default via 10.0.1.1
	taken 10.0.1.1
	ip route del default
	ip route del 10.0.1.1 dev lan0
	ip route add default via 10.0.1.1 dev lan0 onlink
	taken 10.0.1.1
	ip route del default
	ip addr del 10.0.3.77/32 dev lan0
	t "IPv6 alike"
	ip -6 addr add fd00:10:1::77/64 dev lan0 nodad
	until_true pings host fd00:10:1::1
	taken fd00:10:1::1 "$NEAR6"
	ip -6 addr del fd00:10:1::77/64 dev lan0
	t "whoever is behind a router, or in a tunnel, is no neighbour"
	ip route add default via 198.51.100.2
	ip route add 10.0.0.0/16 via 198.51.100.2
	spared
	ip route del 10.0.0.0/16
	ip route change default nexthop via 198.51.100.2 nexthop via 198.51.100.3
	spared
	ip route del default
	ip link set lan0 arp off
	ip route add 10.0.0.0/16 dev lan0
	spared
	ip route del 10.0.0.0/16
	ip link set lan0 arp on
	ip route add unreachable 10.0.0.0/16
	spared
	ip route del unreachable 10.0.0.0/16
	t "what is the host's already is: by the first task, or given by hand, which stays"
	ip addr add 10.0.1.1/32 dev lo
	ip addr add 10.0.1.77/24 dev lan0
	spared
	is 1 "$(ip -o addr show dev lo | grep -c 'inet 10.0.1.1/32')" "the address on lo"
	ip addr del 10.0.1.77/24 dev lan0
	ip addr del 10.0.1.1/32 dev lo
	add first "$NEAR"
	ip addr add 10.0.1.77/24 dev lan0
	spared
	ip addr del 10.0.1.77/24 dev lan0
	del first "$NEAR"
	drop first c
	clean
	drop lan
	baseline
fi

if group strangers; then
	t "what other people's firewall does is none of ours"
	nft 'add table inet stranger; add chain inet stranger fw { type filter hook forward priority 0; }'
	baseline
	add a
	del a
	drop a
	clean
	nft delete table inet stranger
	baseline
	t "a reverse-path filter of 1 everywhere is no obstacle"
	echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter
	echo 1 >/proc/sys/net/ipv4/conf/default/rp_filter
	add a
	add b
	ping_ok a "$(address b)"
	ping_ok host "$(address a)"
	del a
	del b
	drop a b
	clean
fi

finish
