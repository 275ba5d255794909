#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# task-bridge: wiring, results, addresses, what each switch of the reference bridge does to packets.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/lan.sh
. "$(dirname "$0")/../lan.sh"
lan

# mac_of NAME [DEV], mtu_of: of a link in a namespace.
mac_of() { in_ns "$1" ip -j link show "${2:-eth0}" | jq -r '.[0].address'; }
mtu_of() { in_ns "$1" ip -j link show "${2:-eth0}" | jq -r '.[0].mtu'; }
gone() { fails "the bridge $1 afterwards" ip link show "$1"; }

# arrives FROM TO EXPRESSION COMMAND…: packets that the command sends from FROM and TO sees: how many?
arrives() {
	local from=$1 to=$2 expression=$3
	shift 3
	in_ns "$to" nft "add table inet seen; delete table inet seen; add table inet seen;" \
		"add chain inet seen in { type filter hook prerouting priority -400; };" \
		"add rule inet seen in $expression counter"
	in_ns "$from" "$@" >/dev/null 2>&1
	sleep 0.05
	in_ns "$to" nft list table inet seen | sed -n 's/.*counter packets \([0-9]*\).*/\1/p'
	in_ns "$to" nft delete table inet seen
}

if group wiring; then
	forget
	add a "$DUAL"
	add b "$DUAL"
	t "the first addresses behind the gateway"
	is "10.88.0.2/16 fd00:88::2/64" "$(result a '[.ips[].address] | join(" ")')" "addresses of a"
	is "10.88.0.3/16 fd00:88::3/64" "$(result b '[.ips[].address] | join(" ")')" "addresses of b"
	A=$(address a) B=$(address b) A6=$(address a 1) B6=$(address b 1) HA=$(host_link a)
	t "result: bridge, host's end, container"
	is "cni0 $HA eth0" "$(result a '[.interfaces[].name] | join(" ")')" "interfaces"
	is "- - $NETNS/a" "$(result a '[.interfaces[] | if (.sandbox // "") == "" then "-" else .sandbox end] | join(" ")')" \
		"sandboxes"
	is "$(mac_of host cni0) $(mac_of host "$HA") $(mac_of a)" "$(result a '[.interfaces[].mac] | join(" ")')" MACs
	is "2 2" "$(result a '[.ips[].interface] | join(" ")')" "ips[].interface"
	is "10.88.0.1 fd00:88::1" "$(result a '[.ips[].gateway] | join(" ")')" gateways
	is "0.0.0.0/0 ::/0" "$(result a '[.routes[].dst] | sort | join(" ")')" routes
	t "the bridge"
	is bridge "$(ip -d -j link show cni0 | jq -r '.[0].linkinfo.info_kind')" kind
	is "10.88.0.1/16 fd00:88::1/64" "$(addresses_of cni0)" "its addresses, once each"
	is "cni0 cni0" "$(master a) $(master b)" "masters of the host's ends"
	like 'UP' "$(ip -j link show cni0 | jq -r '.[0].flags | join(",")')" flags
	is 1 "$(sysctl_of host net/ipv4/ip_forward)" ip_forward
	is 1 "$(sysctl_of host net/ipv6/conf/all/forwarding)" "IPv6 forwarding"
	is "" "$(ip -6 -o addr show dev "$HA")" "IPv6 addresses of a port"
	t "the container"
	like '^10\.88\.0\.2/16$' "$(ip -n a -j -4 addr show eth0 | jq -r '.[0].addr_info[0] | "\(.local)/\(.prefixlen)"')" \
		"its address"
	like '^default via 10\.88\.0\.1 dev eth0' "$(ip -n a route show default)" "default route"
	like '^default via fd00:88::1 dev eth0' "$(ip -n a -6 route show default)" "IPv6 default route"
	like '^10\.88\.0\.0/16 dev eth0' "$(ip -n a route show 10.88.0.0/16)" "the subnet is on the link"
	# The link-local address, of which the kernel asks nobody either, is looked after in the background.
	is "" "$(ip -n a -6 addr show tentative scope global)" tentative
	is 0 "$(sysctl_of a net/ipv6/conf/eth0/accept_ra)" accept_ra
	like 'LOOPBACK,UP' "$(ip -n a -o link show lo)" "lo is up"
	t "everybody reaches everybody"
	for pair in "a $B" "b $A" "a $B6" "b $A6" "a 10.88.0.1" "a fd00:88::1" "host $A" "host $A6" \
		"a 198.51.100.1" "a fd00:51::1"; do
		read -r from to <<<"$pair"
		ping_ok "$from" "$to"
	done
	tcp_ok a b "$B"
	tcp_ok host a "$A"
	tcp_ok a host 10.88.0.1
	tcp_ok b a "$A6"
	t "within the bridge the container's own address is seen"
	serve a tcp:80
	reaches b a tcp "$A" 80 "$B"
	reaches b a tcp "$A6" 80 "$B6"
	reaches host a tcp "$A" 80 10.88.0.1
	unserve a
	verify a "$DUAL"
	verify b "$DUAL"
	t "one goes, the other stays as it was"
	mac=$(mac_of host cni0)
	del a "$DUAL"
	is "$mac" "$(mac_of host cni0)" "the bridge's MAC"
	is "10.88.0.1/16 fd00:88::1/64" "$(addresses_of cni0)" "its addresses"
	ping_ok b 10.88.0.1
	verify b "$DUAL"
	t "the last goes, and the bridge with it"
	del b "$DUAL"
	gone cni0
	drop a b
	clean
fi

if group versions; then
	for version in 0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0; do
		t "result at $version"
		config=$(jq -c ".cniVersion=\"$version\"" <<<"$DUAL")
		add v "$config"
		is "$version" "$(result v .cniVersion)" cniVersion
		case $version in
		0.1.0 | 0.2.0)
			is '10.88.0.1 fd00:88::1' "$(result v '"\(.ip4.gateway) \(.ip6.gateway)"')" gateways
			like '^10\.88\.[0-9.]+/16 fd00:88::[0-9a-f]+/64$' "$(result v '"\(.ip4.ip) \(.ip6.ip)"')" addresses
			is '0.0.0.0/0 ::/0' "$(result v '"\(.ip4.routes[0].dst) \(.ip6.routes[0].dst)"')" routes
			is '[]' "$(result v '[keys[] | select(IN("interfaces", "ips"))]' | jq -c .)" "keys of later versions"
			;;
		*)
			is 'cni0 eth0 2 2' "$(result v '"\(.interfaces[0].name) \(.interfaces[2].name) \(.ips[0].interface) \(.ips[1].interface)"')" \
				"interfaces"
			case $version in 0.*) want='4 6' ;; *) want='null null' ;; esac
			is "$want" "$(result v '"\(.ips[0].version) \(.ips[1].version)"')" "ips[].version"
			case $version in 1.1.0) want='1500 1500 1500' ;; *) want='null null null' ;; esac
			is "$want" "$(result v '[.interfaces[].mtu | tostring] | join(" ")')" "interfaces[].mtu"
			is "" "$(result v '[.interfaces[].name] | group_by(.)[] | select(length > 1)[0]')" "names twice"
			;;
		esac
		del v "$config"
		drop v
	done
	clean
fi

if group gateway; then
	t "isGateway without isDefaultGateway: addresses, no default route"
	CONFIG=$(conf 'del(.isDefaultGateway)')
	add a "$CONFIG"
	is 10.88.0.1/16 "$(addresses_of cni0)" "the bridge's"
	is "" "$(ip -n a route show default)" "default route"
	is '[]' "$(result a '.routes // []')" "routes in the result"
	ping_ok a 10.88.0.1
	ping_no a 198.51.100.1
	verify a "$CONFIG"
	del a "$CONFIG"
	drop a
	t "ipam.routes give one, as podman's own network has it"
	CONFIG=$(conf 'del(.isDefaultGateway) | .ipam.routes=[{dst:"0.0.0.0/0"},{dst:"172.16.0.0/12",gw:"10.88.0.9"}]')
	add a "$CONFIG"
	like '^default via 10\.88\.0\.1 dev eth0' "$(ip -n a route show default)" "default route"
	like 'via 10\.88\.0\.9' "$(ip -n a route show 172.16.0.0/12)" "a route with a gateway of its own"
	ping_ok a 198.51.100.1
	del a "$CONFIG"
	drop a
	t "a gateway of a route that is not on the link: refused by name, before anything is made"
	netns a
	ID=a refused 7 'routes: the gateway 10\.3\.0\.1 of 172\.16\.0\.0/12 is in no subnet of the task' \
		ADD "$(conf '.ipam.routes=[{dst:"172.16.0.0/12",gw:"10.3.0.1"}]')"
	drop a
	t "isDefaultGateway beside other routes of ipam.routes: the default route comes all the same"
	CONFIG=$(conf '.ipam.routes=[{dst:"192.168.5.0/24"}]')
	add a "$CONFIG"
	like '^default via 10\.88\.0\.1 dev eth0' "$(ip -n a route show default)" "default route"
	like 'via 10\.88\.0\.1' "$(ip -n a route show 192.168.5.0/24)" "the other"
	del a "$CONFIG"
	drop a
	t "without it, dual stack, a default route of one family named: none of the other"
	CONFIG=$(conf 'del(.isDefaultGateway) | .ipam.ranges=[[{subnet:"10.88.0.0/16"}],[{subnet:"fd00:88::/64"}]]
		| .ipam.routes=[{dst:"0.0.0.0/0"}]')
	add a "$CONFIG"
	like '^default via 10\.88\.0\.1 dev eth0' "$(ip -n a route show default)" "default route"
	is "" "$(ip -n a -6 route show default)" "IPv6 default route"
	del a "$CONFIG"
	drop a
	t "isDefaultGateway implies isGateway"
	CONFIG=$(conf 'del(.isGateway)')
	add a "$CONFIG"
	is 10.88.0.1/16 "$(addresses_of cni0)" "the bridge's"
	ping_ok a 198.51.100.1
	del a "$CONFIG"
	drop a
	t "neither: no address on the bridge; containers reach each other"
	CONFIG=$(conf 'del(.isGateway, .isDefaultGateway, .ipMasq)')
	echo 0 >/proc/sys/net/ipv4/ip_forward
	add a "$CONFIG"
	add b "$CONFIG"
	is "" "$(addresses_of cni0)" "the bridge's"
	is "" "$(ip -n a route show default)" "default route"
	is 0 "$(sysctl_of host net/ipv4/ip_forward)" ip_forward
	ping_ok a "$(address b)"
	ping_no a 10.88.0.1
	verify a "$CONFIG"
	del a "$CONFIG"
	del b "$CONFIG"
	drop a b
	clean
	t "the gateway that the range names"
	CONFIG=$(conf '.ipam.ranges=[[{subnet:"10.88.0.0/16",gateway:"10.88.255.254"}]]')
	add a "$CONFIG"
	is "10.88.255.254/16 10.88.255.254" "$(addresses_of cni0) $(result a '.ips[0].gateway')" gateway
	ping_ok a 198.51.100.1
	del a "$CONFIG"
	drop a
	t "two ranges of one network: the bridge is the gateway of both"
	CONFIG=$(conf '.ipam.placement="spread" | .ipam.ranges=[[{subnet:"10.88.0.0/24"},{subnet:"10.88.1.0/24"}]]')
	add a "$CONFIG"
	add b "$CONFIG"
	isnt "$(address a | cut -d. -f3)" "$(address b | cut -d. -f3)" "subnets"
	is "10.88.0.1/24 10.88.1.1/24" "$(addresses_of cni0)" "the bridge's"
	ping_ok a "$(address b)"
	ping_ok b 198.51.100.1
	del a "$CONFIG"
	del b "$CONFIG"
	drop a b
	clean
fi

if group masquerade; then
	serve third tcp:80 udp:53
	add a "$DUAL"
	add b "$DUAL"
	t "what leaves the subnet bears the host's address"
	reaches a third tcp 203.0.113.2 80 203.0.113.1
	reaches a third udp 203.0.113.2 53 203.0.113.1
	reaches a third tcp fd00:203::2 80 fd00:203::1
	ping_ok a 203.0.113.2
	t "what stays inside keeps its own"
	serve b tcp:80
	reaches a b tcp "$(address b)" 80 "$(address a)"
	reaches a b tcp "$(address b 1)" 80 "$(address a 1)"
	t "a network without ipMasq beside it is not masqueraded"
	PLAIN=$(jq -c 'del(.ipMasq)' <<<"$OTHER")
	add p "$PLAIN"
	ping_no p 203.0.113.2
	ip -n third route add 10.89.0.0/16 via 203.0.113.1
	reaches p third tcp 203.0.113.2 80 "$(address p)"
	ip -n third route del 10.89.0.0/16
	unserve b third
	verify a "$DUAL"
	for name in a b; do del $name "$DUAL"; done
	del p "$PLAIN"
	drop a b p
	clean
	t "ipMasqBackend of the reference is read, and changes nothing"
	for backend in iptables nftables; do
		CONFIG=$(conf ".ipMasqBackend=\"$backend\"")
		add a "$CONFIG"
		ping_ok a 203.0.113.2
		del a "$CONFIG"
		drop a
	done
	clean
fi

if group mtu; then
	t "the MTU that is configured, at both ends and on the bridge"
	for mtu in 1280 1400 9000; do
		CONFIG=$(conf ".mtu=$mtu")
		add m "$CONFIG"
		is "$mtu $mtu $mtu" "$(mtu_of m) $(mtu_of host "$(host_link m)") $(mtu_of host cni0)" MTU
		is "[$mtu,$mtu,$mtu]" "$(result m '[.interfaces[].mtu]' | jq -c .)" "MTU in the result"
		verify m "$CONFIG"
		del m "$CONFIG"
		drop m
	done
	t "the default is that of the default route's interface"
	CONFIG=$(conf 'del(.mtu)')
	ip link set up0 mtu 1442
	add m "$CONFIG"
	is "1442 1442 1442" "$(mtu_of m) $(mtu_of host "$(host_link m)") $(mtu_of host cni0)" MTU
	del m "$CONFIG"
	drop m
	ip link set up0 mtu 1500
	t "big packets between two containers"
	CONFIG=$(conf '.mtu=1400')
	add m "$CONFIG"
	add n "$CONFIG"
	ping_ok m "$(address n)" -M "do" -s 1372
	ping_no m "$(address n)" -M "do" -s 1373
	del m "$CONFIG"
	del n "$CONFIG"
	drop m n
	clean
fi

if group switches; then
	t "by default nothing of it"
	add a
	is "false false" "$(port_flag a hairpin) $(port_flag a isolated)" "flags of the port"
	like '^[^P]*$' "$(ip -j link show cni0 | jq -r '.[0].flags[] | select(. == "PROMISC")')" "promiscuous"
	del a
	t hairpinMode
	CONFIG=$(conf '.hairpinMode=true')
	add a "$CONFIG"
	is true "$(port_flag a hairpin)" "hairpin of the port"
	verify a "$CONFIG"
	del a "$CONFIG"
	t promiscMode
	CONFIG=$(conf '.promiscMode=true')
	add a "$CONFIG"
	is PROMISC "$(ip -j link show cni0 | jq -r '.[0].flags[] | select(. == "PROMISC")')" "flag of the bridge"
	verify a "$CONFIG"
	del a "$CONFIG"
	t "one excludes the other"
	ID=a refused 7 'hairpinMode.*promiscMode|promiscMode.*hairpinMode' ADD "$(conf '.hairpinMode=true | .promiscMode=true')"
	drop a
	clean

	t "portIsolation: the bridge, the outside, not each other"
	CONFIG=$(jq -c '.portIsolation=true' <<<"$DUAL")
	add a "$CONFIG"
	add b "$CONFIG"
	add c "$DUAL"
	is "true true false" "$(port_flag a isolated) $(port_flag b isolated) $(port_flag c isolated)" isolated
	ping_no a "$(address b)"
	ping_no b "$(address a)"
	ping_no a "$(address b 1)"
	ping_ok a 10.88.0.1
	ping_ok a 203.0.113.2
	ping_ok host "$(address b)"
	ping_ok c "$(address a)"
	verify a "$CONFIG"
	for name in a b c; do del $name "$CONFIG"; done
	drop a b c
	clean
fi

if group macspoofchk; then
	# forge NAME MAC: another MAC on its eth0, with what the container needs to send at once.
	forge() {
		local to
		ip -n "$1" link set eth0 address "$2"
		for to in "$B" "$B6"; do ip -n "$1" neigh replace "$to" lladdr "$(mac_of b)" nud permanent dev eth0; done
	}
	for check in true false; do
		t "macspoofchk $check: frames of a forged MAC"
		CONFIG=$(jq -c ".macspoofchk=$check" <<<"$DUAL")
		add a "$CONFIG"
		add b "$DUAL"
		B=$(address b) B6=$(address b 1) A=$(address a) MAC=$(mac_of a)
		isnt 0 "$(arrives a b "ip saddr $A icmp type echo-request" ping -c 2 -i 0.1 -W 0.2 "$B")" "its own MAC"
		forge a 02:00:00:00:00:99
		seen=$(arrives a b "ip saddr $A icmp type echo-request" ping -c 2 -i 0.1 -W 0.2 "$B")
		seen6=$(arrives a b "icmpv6 type echo-request" ping -c 2 -i 0.1 -W 0.2 "$B6")
		if [ $check = true ]; then
			is "0 0" "$seen $seen6" "packets from a forged MAC"
			refused 106 '.' CHECK "$(with_prev a "$CONFIG")" CNI_CONTAINERID=a CNI_NETNS=$NETNS/a
		else
			is "2 2" "$seen $seen6" "packets from a forged MAC"
		fi
		forge a "$MAC"
		t "macspoofchk $check: ARP that names another's MAC"
		ip -n b neigh flush dev eth0
		# eth0 would answer for the address of the other interface too.
		in_ns a sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore'
		ip -n a link add link eth0 name mv0 address 02:00:00:00:00:98 type macvlan mode private 2>/dev/null
		ip -n a addr add 10.88.77.1/32 dev mv0
		ip -n a link set mv0 up
		in_ns a timeout 2 busybox arping -c 2 -w 1 -U -I mv0 -s 10.88.77.1 10.88.77.1 >/dev/null 2>&1
		in_ns b ping -c 1 -W 0.3 10.88.77.1 >/dev/null 2>&1
		seen=$(ip -n b neigh show 10.88.77.1 | grep -c 02:00:00:00:00:98)
		if [ $check = true ]; then is 0 "$seen" "b learned the forged MAC"; else is 1 "$seen" "b learned it"; fi
		ip -n a link del mv0
		t "macspoofchk $check: ARP that names another's MAC, in frames of its own"
		ip -n a addr add 10.88.77.2/32 dev eth0
		in_ns a nft -f - <<-'END'
			table arp forge {
				chain out {
					type filter hook output priority 0
					arp saddr ip 10.88.77.2 arp saddr ether set 02:00:00:00:00:97
				}
			}
		END
		in_ns b ping -c 1 -W 0.3 10.88.77.2 >/dev/null 2>&1
		seen=$(ip -n b neigh show 10.88.77.2 | grep -c 02:00:00:00:00:97)
		if [ $check = true ]; then is 0 "$seen" "b learned the forged MAC"; else is 1 "$seen" "b learned it"; fi
		in_ns a nft delete table arp forge
		ip -n a addr del 10.88.77.2/32 dev eth0
		ping_ok a "$B"
		t "macspoofchk $check: the others, and the host, are not touched"
		ping_ok b 10.88.0.1
		ping_ok host "$B6"
		verify a "$CONFIG"
		del a "$CONFIG"
		is "" "$(nft list tables | grep '^table bridge')" "table bridge after the last"
		del b "$DUAL"
		drop a b
		clean
	done
fi

if group names; then
	netns n1
	t "a bridge that is none"
	ip link add cni0 type veth peer name peer0
	ID=n1 refused '7|100+' 'cni0.*bridge|bridge.*cni0' ADD "$(conf)"
	ip link del cni0
	t "names that cannot be"
	ID=n1 refused 7 'bridge.*abcdefghijklmnop' ADD "$(conf '.bridge="abcdefghijklmnop"')"
	for bad in a/b a:b a%d . .. 'a b' lo all default 'a\r' 'a\u00a0' 'a\u2003' 'a\u00e0' ''; do
		ID=n1 refused 7 '^bridge: "[^"]*" (is|has) ' ADD "$(conf ".bridge=\"$bad\"")"
	done
	t "names that cannot be, of the task's interface"
	for bad in all default $'a\r' $'a\xc2\xa0' $'\xc3\xa0'; do
		ID=n1 refused 4 '^CNI_IFNAME: "[^"]*" (is|has) ' ADD "$(conf)" CNI_IFNAME="$bad"
	done
	CONFIG=$(conf '.bridge="all0"')
	add n1 "$CONFIG" CNI_IFNAME=Default
	del n1 "$CONFIG" CNI_IFNAME=Default
	gone all0
	ID=n1 refused 7 "bridge.*5" ADD "$(conf '.bridge=5')"
	t "15 bytes are a name"
	CONFIG=$(conf '.bridge="abcdefghijklmno"')
	add n1 "$CONFIG"
	is abcdefghijklmno "$(master n1)" master
	del n1 "$CONFIG"
	gone abcdefghijklmno
	t "the default is cni0"
	CONFIG=$(conf 'del(.bridge)')
	add n1 "$CONFIG"
	is cni0 "$(master n1)" master
	del n1 "$CONFIG"
	drop n1
	clean
fi

if group address; then
	t "a bridge that has another address of this subnet: both are named, and the remedy"
	ip link add cni0 type bridge
	ip addr add 10.88.0.254/16 dev cni0
	ip -6 addr add fd00:88::fffe/64 dev cni0 nodad
	ip link set cni0 up
	netns f
	ID=f refused '7|100+' '10\.88\.0\.254.*10\.88\.0\.1([^0-9]|$)' ADD "$CONF"
	like forceAddress "$(jq -r '.details // ""' <<<"$OUT")" details
	like cni0 "$(jq -r .msg <<<"$OUT")" "the bridge is named"
	ID=f refused '7|100+' 'fd00:88::fffe.*fd00:88::1([^0-9a-f]|$)' ADD "$(conf '.ipam.ranges=[[{subnet:"fd00:88::/64"}]]')"
	t "forceAddress takes it away, but not where ADD fails"
	CONFIG=$(jq -c '.forceAddress=true' <<<"$DUAL")
	add far "$OTHER"
	nft add element inet taskvpc vpc4 '{ 10.80.0.0/12 . 10.80.0.0/12 }'
	had=$(addresses_of cni0)
	ID=f plugin ADD "$CONFIG"
	expect_error 100 'vpc4.*10.88.0.0/16'
	is "$had" "$(addresses_of cni0)" addresses
	del far "$OTHER"
	drop far
	# Where it is 0, the first address of a subnet takes the later ones along.
	for promote in 0 1; do
		t "forceAddress takes it away: promote_secondaries $promote"
		echo $promote >/proc/sys/net/ipv4/conf/cni0/promote_secondaries
		ip addr replace 10.88.0.254/16 dev cni0
		add f "$CONFIG"
		is "10.88.0.1/16 fd00:88::1/64" "$(addresses_of cni0)" addresses
		ping_ok f 10.88.0.1
		ping_ok f fd00:88::1
		verify f "$CONFIG"
		del f "$CONFIG"
		is "" "$(addresses_of cni0)" "addresses after DEL"
	done
	runs "a bridge that was there before stays" ip link show cni0
	ip link del cni0
	drop f
	clean
	t "a bridge that others gave many addresses, the gateway's among them: all of them stay"
	ip link add cni0 type bridge
	for ((i = 1; i <= 31; i++)); do echo "addr add 10.7.$i.1/24 dev cni0"; done | ip -batch -
	ip addr add 10.88.0.1/16 dev cni0
	had=$(addresses_of cni0)
	add f
	verify f
	del f
	is "$had" "$(addresses_of cni0)" "addresses after DEL"
	t "more than can be remembered: refused by name, unless the host is no gateway"
	ip addr add 10.7.33.1/24 dev cni0
	ID=f refused 7 '"cni0" has more than 32 addresses' ADD "$CONF"
	CONFIG=$(conf '.isGateway=false | .isDefaultGateway=false')
	add f "$CONFIG"
	del f "$CONFIG"
	ip link del cni0
	drop f
	clean
	t "an address of another subnet: a second one, or both named"
	ip link add cni0 type bridge
	ip addr add 10.99.0.1/24 dev cni0
	netns f
	ID=f plugin ADD "$CONF"
	if [ "$RC" = 0 ]; then
		like '10\.99\.0\.1/24' "$(addresses_of cni0)" "the stranger's address"
		like '10\.88\.0\.1/16' "$(addresses_of cni0)" "ours"
		ping_ok f 10.99.0.1
		del f
		like '10\.99\.0\.1/24' "$(addresses_of cni0)" "the stranger's address after DEL"
	else
		expect_error '7|100+' '10\.99\.0\.1.*10\.88\.0\.1'
	fi
	ip link del cni0
	drop f
	clean
fi

if group heir; then
	for gone in del drop; do
		t "an address has a new owner: the host, its neighbours and who comes by its port reach it at once ($gone)"
		HEIR=$(ports '[{"hostPort":8080,"containerPort":80}]' "$DUAL")
		add neighbour "$DUAL"
		add before "$HEIR" CNI_ARGS='IP=10.88.0.9,fd00:88::9'
		for from in host neighbour; do
			for to in 10.88.0.9 fd00:88::9; do ping_ok $from $to; done
		done
		[ $gone = drop ] || del before "$HEIR"
		drop before
		add after "$HEIR" CNI_ARGS='IP=10.88.0.9,fd00:88::9'
		for from in host neighbour; do
			for to in 10.88.0.9 fd00:88::9; do
				pings $from $to -W 2 || fail "the first ping from $from to $to: expected an answer"
			done
		done
		serve after tcp:80
		reaches outside after tcp 198.51.100.1 8080
		unserve after
		del after "$HEIR"
		del neighbour "$DUAL"
		drop after neighbour
		clean
	done
fi

# heard COMMAND…: ARP that a task of the bridge hears meanwhile, as all do. (Neighbours ask one another again by
# unicast.)
heard() {
	in_ns listener nft 'table arp heard { chain in { type filter hook input priority 0; meta pkttype broadcast counter; }; }'
	"$@"
	sleep 0.05
	in_ns listener nft list table arp heard | sed -n 's/.*counter packets \([0-9]*\).*/\1/p'
	in_ns listener nft delete table arp heard
}

if group newcomer; then
	forget
	CONFIG=$(one 10.88.0.0/24 '.ipam.ranges[0][0] += {rangeStart:"10.88.0.2",rangeEnd:"10.88.0.5"}')
	add listener "$CONFIG"
	t "an address that nobody had is not announced, and reached at once"
	is 0 "$(heard add first "$CONFIG")" "announcements"
	is 10.88.0.3 "$(address first)" address
	pings host 10.88.0.3 -W 2 || fail "the first ping from the host: expected an answer"
	pings listener 10.88.0.3 -W 2 || fail "the first ping from a neighbour: expected an answer"
	t "one that was asked for is announced: somebody may be waiting for it"
	is 1 "$(heard add asked "$CONFIG" CNI_ARGS=IP=10.88.0.5)" "announcements"
	t "one that somebody had is announced, and its new owner reached at once"
	del first "$CONFIG"
	drop first
	add between "$CONFIG"
	is 1 "$(heard add second "$CONFIG")" "announcements"
	is 10.88.0.3 "$(address second)" address
	pings listener 10.88.0.3 -W 2 || fail "the first ping from a neighbour: expected an answer"
	for task in second between asked; do del $task "$CONFIG"; done
	drop second between asked
	t "so is a new one of both families, as it is not certain of IPv6"
	CONFIG=$(conf '.ipam.ranges=[[{subnet:"10.88.0.0/24",rangeStart:"10.88.0.77"}],[{subnet:"fd00:88::/64"}]]')
	is 1 "$(heard add both "$CONFIG")" "announcements"
	is 10.88.0.77 "$(address both)" address
	del both "$CONFIG"
	del listener "$CONFIG"
	drop both listener
	clean
	t "so is any on a bridge of others, who may have known the address before"
	forget
	ip link add cni0 type bridge
	ip link set cni0 up
	add listener
	is 1 "$(heard add first)" "announcements"
	del first
	del listener
	drop first listener
	ip link del cni0
	clean
fi

if group existing; then
	t "a bridge that existed before stays, as it was"
	ip link add cni0 address 02:be:00:00:00:01 type bridge
	ip link set cni0 mtu 1450 up
	ip link add stranger0 type veth peer name stranger1
	ip link set stranger0 master cni0 up
	ip link set stranger1 up
	cp "$TMP/baseline" "$TMP/baseline.kept"
	baseline
	add a "$DUAL"
	add b "$DUAL"
	ping_ok a "$(address b)"
	ping_ok a 203.0.113.2
	is 02:be:00:00:00:01 "$(mac_of host cni0)" "its MAC"
	is 02:be:00:00:00:01 "$(result a '.interfaces[0].mac')" "its MAC in the result"
	is "1450 1500 1500" "$(result a '[.interfaces[].mtu | tostring] | join(" ")')" "its MTU in the result, and the task's"
	is 1450 "$(ip -j link show cni0 | jq '.[0].mtu')" "its MTU"
	verify a "$DUAL"
	del a "$DUAL"
	del b "$DUAL"
	runs "the bridge" ip link show cni0
	is cni0 "$(ip -j link show stranger0 | jq -r '.[0].master')" "the stranger's port"
	is 02:be:00:00:00:01 "$(mac_of host cni0)" "its MAC"
	drop a b
	# The reference leaves the gateway's address on it; whether ours does is in the documents.
	ip addr flush dev cni0 scope global
	clean
	ip link del stranger0
	ip link del cni0
	cp "$TMP/baseline.kept" "$TMP/baseline"
	t "a bridge of ours with a stranger's port in it stays as long as that is there"
	add a
	ip link add stranger0 type veth peer name stranger1
	ip link set stranger0 master cni0
	del a
	runs "the bridge" ip link show cni0
	t "and an ADD takes it up again"
	add a
	ping_ok a 203.0.113.2
	is 10.88.0.1/16 "$(addresses_of cni0)" "its address"
	ip link del stranger0
	del a
	if ip link show cni0 >/dev/null 2>&1; then ip link del cni0; fi
	drop a
	clean
	t "a bridge of ours that was set down, and one without its address: the next ADD repairs it"
	add a
	ip link set cni0 down
	ip addr flush dev cni0
	add b
	ping_ok b 10.88.0.1
	ping_ok a 10.88.0.1
	verify a
	del a
	del b
	drop a b
	clean
fi

if group vlan; then
	netns v
	kernel=no
	if ip link add probe0 type bridge vlan_filtering 1 2>/dev/null; then
		ip link del probe0
		kernel=yes
	fi
	t "vlan: refused, with whose fault it is (the kernel has VLAN filtering: $kernel)"
	case $kernel in no) why='this kernel has no VLAN filtering' ;; yes) why='task-bridge puts no port' ;; esac
	ID=v refused 7 "vlan: 100: $why.*a bridge per VLAN" ADD "$(conf '.vlan=100')"
	ID=v refused 50 "vlan: 100: $why" STATUS "$(conf '.vlan=100')"
	t "vlan: a bridge per VLAN, as the message says"
	# A port of the LAN's VLAN; here a veth stands for eth0.100, which needs 8021q.
	ip link add br100 type bridge
	ip link add lan100 type veth peer name net100 netns outside
	ip link set lan100 master br100 up
	ip link set br100 up
	ip -n outside addr add 10.100.0.1/24 dev net100
	ip -n outside link set net100 up
	add v "$(conf '.bridge="br100" | .isGateway=false | .isDefaultGateway=false | .ipMasq=false
		| .ipam.ranges=[[{subnet:"10.100.0.0/24"}]]')"
	ping_ok v 10.100.0.1
	del v
	ip link del br100
	ip link del lan100
	t "vlan out of range"
	for bad in -1 4095 70000 1.5 '"5"' true; do
		ID=v refused 7 'vlan' ADD "$(conf ".vlan=$bad")"
	done
	t "vlan 0 is none"
	CONFIG=$(conf '.vlan=0')
	add v "$CONFIG"
	del v "$CONFIG"
	drop v
	clean
fi

if group enabledad; then
	SIX=$(conf '.enabledad=true | .ipam.ranges=[[{subnet:"fd00:88::/64"}]]')
	t "enabledad: the address is usable when ADD returns"
	add d "$SIX"
	is "" "$(ip -n d -6 addr show tentative scope global)" tentative
	runs "first packet" in_ns d ping -n -c 1 -W 1 fd00:88::1
	verify d "$SIX"
	t "enabledad: an address that somebody has is refused"
	netns twin
	ip link add twin0 type veth peer name eth0 netns twin
	ip link set twin0 master cni0 up
	ip -n twin -6 addr add fd00:88::77/64 dev eth0 nodad
	ip -n twin link set eth0 up
	until_true pings host fd00:88::77
	netns d2
	ID=d2 refused 103 'fd00:88::77 is in use on the link' ADD "$SIX" CNI_ARGS="IP=fd00:88::77"
	t "without it nobody waits"
	CONFIG=$(jq -c 'del(.enabledad)' <<<"$SIX")
	ms add d2 "$CONFIG"
	quick 1000 "$MS" "milliseconds"
	is "" "$(ip -n d2 -6 addr show tentative scope global)" tentative
	del d2 "$CONFIG"
	drop twin
	until_true fails "the twin" ip link show twin0 >/dev/null
	ip link del twin0 2>/dev/null
	del d "$SIX"
	drop d d2
	clean
fi

if group "IPv6 off"; then
	t "a task whose new interfaces have IPv6 off has it where it has an address"
	netns off
	for scope in all default; do in_ns off sh -c "echo 1 >/proc/sys/net/ipv6/conf/$scope/disable_ipv6"; done
	for filter in . '.enabledad=true'; do
		CONFIG=$(jq -c "$filter" <<<"$DUAL")
		add off "$CONFIG"
		ping_ok off fd00:88::1
		ping_ok off 10.88.0.1
		is 0 "$(sysctl_of off net/ipv6/conf/eth0/disable_ipv6)" "disable_ipv6"
		is 1 "$(sysctl_of off net/ipv6/conf/default/disable_ipv6)" "disable_ipv6 of others"
		verify off "$CONFIG"
		del off "$CONFIG"
	done
	drop off
	clean
fi

if group "router advertisement"; then
	# The uplink learns its default route from outside, which is a router of the LAN.
	advertise() { in_ns outside perl "$ROOT/test/forge.pl" net0 ra from=fe80::51 prefix=fd00:51::; }
	learned() { ip -6 route show default proto ra dev up0 | grep -q .; }
	unlearn() { ip -6 route flush default proto ra; }
	learn() {
		echo 0 >/proc/sys/net/ipv6/conf/all/forwarding
		echo 1 >/proc/sys/net/ipv6/conf/up0/accept_ra
		advertise
		until_true learned
	}
	# uplink: what it would do with advertisements, does the host forward, has the uplink its route?
	uplink() {
		echo "$(cat /proc/sys/net/ipv6/conf/up0/accept_ra /proc/sys/net/ipv6/conf/all/forwarding | xargs)" \
			"$(learned && echo learned)"
	}
	echo 0 >/proc/sys/net/ipv6/conf/up0/accept_ra_pinfo # the route alone: no prefix, no address
	t "a gateway bridge with IPv6: the uplink keeps what it has learned, and goes on learning"
	netns ra
	learn
	is "1 0 learned" "$(uplink)" before
	like 'default route came by router advertisement.*sysctl -qw net/ipv6/conf/up0/accept_ra=2' \
		"$(CNI_CONTAINERID=ra CNI_NETNS=$NETNS/ra CNI_IFNAME=eth0 "$PLUGIN" --explain add --why <<<"$DUAL")" explained
	add ra "$DUAL"
	is "2 1 learned" "$(uplink)" "with a task"
	verify ra "$DUAL"
	unlearn
	advertise
	runs "the next advertisement is heard" until_true learned
	del ra "$DUAL"
	is "2 1 learned" "$(uplink)" "afterwards"
	for filter in 'del(.isGateway, .isDefaultGateway)' '.ipam.ranges |= .[:1]'; do
		t "where IPv6 is not forwarded nothing is touched: $filter"
		unlearn
		learn
		add ra "$(jq -c "$filter" <<<"$DUAL")"
		is "1 0 learned" "$(uplink)" uplink
		del ra "$DUAL"
	done
	echo 0 >/proc/sys/net/ipv6/conf/up0/accept_ra
	echo 1 >/proc/sys/net/ipv6/conf/up0/accept_ra_pinfo
	unlearn
	drop ra
	clean
fi

if group "layer 2 only"; then
	for filter in 'del(.ipam)' '.ipam={}' '.ipam=null'; do
		t "without ipam: $filter"
		CONFIG=$(conf "del(.isGateway, .isDefaultGateway, .ipMasq) | $filter")
		add l "$CONFIG"
		add m "$CONFIG"
		is 0 "$(result l '.ips // [] | length')" "addresses in the result"
		is "cni0 eth0" "$(result l '"\(.interfaces[0].name) \(.interfaces[2].name)"')" interfaces
		like 'UP' "$(ip -n l -o link show eth0)" "eth0 is up"
		is "" "$(ip -n l -4 addr show dev eth0)" addresses
		ip -n l addr add 192.168.7.1/24 dev eth0
		ip -n m addr add 192.168.7.2/24 dev eth0
		ping_ok l 192.168.7.2
		verify l "$CONFIG"
		del l "$CONFIG"
		del m "$CONFIG"
		drop l m
		clean
	done
	t "without ipam nothing can be published"
	netns l
	ID=l refused 7 'portMappings\[0\]: the task has no address that the port could lead to' ADD \
		"$(ports '[{"hostPort":80,"containerPort":80}]' "$(conf 'del(.isGateway, .isDefaultGateway, .ipMasq, .ipam)')")"
	drop l
fi

if group prevResult; then
	for version in 0.3.1 0.4.0 1.0.0 1.1.0; do
		t "prevResult at $version is kept and extended"
		case $version in 0.*) v4=',"version":"4"' ;; *) v4='' ;; esac
		CONFIG=$(conf ".cniVersion=\"$version\" | .prevResult={cniVersion:\"$version\",
			interfaces:[{name:\"x0\",mac:\"02:00:00:00:00:01\"},{name:\"net7\",mac:\"02:00:00:00:00:02\",sandbox:\"$NETNS/c1\"}],
			ips:[{address:\"192.0.2.7/24\",interface:1$v4}],routes:[{dst:\"192.0.2.128/25\"}],
			dns:{nameservers:[\"192.0.2.53\"]}}")
		add c1 "$CONFIG"
		is 5 "$(result c1 '.interfaces | length')" "interfaces"
		is "net7 eth0" "$(result c1 '. as $r | [.ips[] | $r.interfaces[.interface].name] | join(" ")')" "whose addresses"
		is "192.0.2.7/24" "$(result c1 '.ips[0].address')" "the first address"
		like '192\.0\.2\.128/25' "$(result c1 '[.routes[].dst] | join(" ")')" "routes"
		like '192\.0\.2\.53' "$(result c1 '.dns.nameservers | join(" ")')" "dns"
		is cni0 "$(result c1 '[.interfaces[].name] | map(select(. == "cni0"))[0]')" "our bridge"
		case $version in 0.3.1) ;; *) verify c1 "$CONFIG" ;; esac
		del c1 "$CONFIG"
		drop c1
	done
	clean
fi

if group "two networks"; then
	t "two networks of one container at once"
	netns w
	for round in 1 2 3; do
		job() {
			case $1 in
			1) call ADD w eth0 <<<"$DUAL" ;;
			2) call ADD w eth1 <<<"$OTHER" ;;
			esac
		}
		many 2 job
		is 2 "$(many_rc 0)" "ADDs: $(jq -r '.msg // empty' "$TMP"/job/*.out)"
		is "cni0 cni1" "$(jq -r '.interfaces[0].name' "$TMP"/job/[12].out | tr '\n' ' ' | sed 's/ $//')" bridges
		like '^default via 10\.88\.0\.1 dev eth0' "$(ip -n w route show default | head -n 1)" "the default route is eth0's"
		ping_ok w 10.88.0.1
		ping_ok w 10.89.0.1
		ping_ok w fd00:89::1
		ping_ok w 203.0.113.2
		job_del() {
			case $1 in
			1) call DEL w eth0 <<<"$DUAL" ;;
			2) call DEL w eth1 <<<"$OTHER" ;;
			esac
		}
		many 2 job_del
		is 2 "$(many_rc 0)" "DELs: $(jq -r '.msg // empty' "$TMP"/job/*.out)"
		is 1 "$(ip -n w -o link | wc -l)" "links left, round $round"
	done
	t "two networks on one bridge"
	SAME=$(jq -c '.bridge="cni0"' <<<"$OTHER")
	add w "$DUAL"
	add x "$SAME"
	is "10.88.0.1/16 10.89.0.1/16 fd00:88::1/64 fd00:89::1/64" "$(addresses_of cni0)" "addresses of the bridge"
	ping_ok w "$(address x)"
	del w "$DUAL"
	ping_ok x 203.0.113.2
	is "10.89.0.1/16 fd00:89::1/64" "$(addresses_of cni0)" "addresses after the first network went"
	verify x "$SAME"
	del x "$SAME"
	drop w x
	clean
fi

if group identity; then
	t "the MAC that was asked for, by each of the three ways"
	netns i
	for how in '.runtimeConfig.mac="02:11:22:33:44:55"' '.args.cni.mac="02:11:22:33:44:55"'; do
		ID=i works ADD "$(conf "$how")"
		is 02:11:22:33:44:55 "$(mac_of i)" "$how"
		is 02:11:22:33:44:55 "$(jq -r '.interfaces[2].mac' <<<"$OUT")" "in the result"
		del i
	done
	ID=i works ADD "$CONF" CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAME=web;MAC=02:11:22:33:44:55;IP=10.88.0.50"
	is "02:11:22:33:44:55 10.88.0.50/16" "$(mac_of i) $(jq -r '.ips[0].address' <<<"$OUT")" "by CNI_ARGS"
	t "a second ADD of the same key is refused, and the first keeps its own"
	ID=i refused 102 'i.*eth0|eth0.*i' ADD "$CONF"
	ping_ok i 10.88.0.1
	del i
	t "eth0 is there already"
	ip -n i link add eth0 type veth peer name other
	ID=i refused '102|100' 'eth0' ADD "$CONF"
	drop i
	clean
	t "dns of the configuration goes before that of the pool"
	CONFIG=$(conf '.dns={nameservers:["192.0.2.53"],search:["lab"]}')
	add i "$CONFIG"
	is "192.0.2.53 lab" "$(result i '"\(.dns.nameservers[0]) \(.dns.search[0])"')" dns
	del i "$CONFIG"
	drop i
	clean
fi

if group "other pools"; then
	for type in host-local static; do
		[ -x "$CNI_REF/$type" ] || { skip "needs $CNI_REF/$type" && continue; }
		t "over $type"
		case $type in
		host-local)
			CONFIG=$(conf '.cniVersion="1.0.0" | .ipam={type:"host-local",dataDir:"/run/test/hl",routes:[{dst:"0.0.0.0/0"}],
				ranges:[[{subnet:"10.88.0.0/16"}],[{subnet:"fd00:88::/64"}]]}')
			;;
		static)
			CONFIG=$(conf '.cniVersion="1.0.0" | .ipam={type:"static",routes:[{dst:"0.0.0.0/0"}],
				addresses:[{address:"10.88.0.2/16",gateway:"10.88.0.1"}]}')
			;;
		esac
		add h "$CONFIG"
		is 10.88.0.2/16 "$(result h '.ips[0].address')" address
		ping_ok h 10.88.0.1
		ping_ok h 203.0.113.2
		[ $type = static ] || ping_ok h fd00:88::1
		verify h "$CONFIG"
		t "over $type: DEL without a namespace gives the address back"
		del h "$CONFIG" CNI_NETNS=
		is "" "$(find /run/test/hl -type f ! -name 'last_reserved*' ! -name lock 2>/dev/null)" "host-local's reservations"
		drop h
		clean
	done
	if [ -x "$CNI_REF/static" ]; then
		# over_static FILTER ADDRESS…: the pool names these and nothing else; FILTER changes the rest.
		over_static() {
			jq -c '.cniVersion="1.0.0" | .ipam={type:"static",addresses:($ARGS.positional | map({address:.}))} | '"$1" \
				--args "${@:2}" <<<"$CONF"
		}
		t "a pool that names no gateway: it is the first address of the subnet, as the reference has it"
		CONFIG=$(over_static . 10.88.7.2/16 fd00:88::7/64)
		add h "$CONFIG"
		is "10.88.0.1/16 fd00:88::1/64" "$(addresses_of cni0)" "the bridge's"
		is "10.88.0.1 fd00:88::1" "$(result h '[.ips[].gateway] | join(" ")')" "gateways in the result"
		like '^default via 10\.88\.0\.1 dev eth0' "$(ip -n h route show default)" "default route"
		like '^default via fd00:88::1 dev eth0' "$(ip -n h -6 route show default)" "IPv6 default route"
		ping_ok h 203.0.113.2
		ping_ok h fd00:88::1
		verify h "$CONFIG"
		del h "$CONFIG"
		t "isGateway alone: the bridge has it, the task no default route"
		CONFIG=$(over_static 'del(.isDefaultGateway)' 10.88.7.2/16)
		add h "$CONFIG"
		is "10.88.0.1/16 - " "$(addresses_of cni0) - $(ip -n h route show default)" "the bridge's, and the default route"
		del h "$CONFIG"
		t "neither: no gateway"
		CONFIG=$(over_static 'del(.isDefaultGateway, .isGateway)' 10.88.7.2/16)
		add h "$CONFIG"
		is " - null" "$(addresses_of cni0) - $(result h '.ips[0].gateway')" "the bridge's, and that in the result"
		del h "$CONFIG"
		t "a gateway that would be the task itself, named or not, or has no room: refused"
		for config in "$(over_static . 10.88.0.1/16)" "$(over_static . fd00:88::1/64)" \
			"$(over_static '.ipam.addresses[0].gateway="10.88.7.2"' 10.88.7.2/16)"; do
			ID=h refused 7 'isGateway: .* would be the bridge.s as well .*another gateway' ADD "$config"
		done
		ID=h refused 7 'isGateway: .* 10.88.0.5/32 leaves the bridge none in its subnet' ADD "$(over_static . 10.88.0.5/32)"
		drop h
		clean
	fi
	t "a pool that is full: refused, nothing left, the next is served when there is room"
	CONFIG=$(conf '.ipam.ranges=[[{subnet:"10.88.0.0/30"}]]')
	add h "$CONFIG"
	netns k
	ID=k refused 104 'exhausted.*10\.88\.0\.0/30' ADD "$CONFIG"
	del h "$CONFIG"
	add k "$CONFIG"
	is 10.88.0.2 "$(address k)" address
	del k "$CONFIG"
	drop h k
	clean
fi

if group parallel; then
	job() {
		[ -e "$NETNS/p$1" ] || ip netns add "p$1"
		call ADD "p$1" <<<"$DUAL"
	}
	undo() { call DEL "p$1" <<<"$DUAL"; }
	t "40 ADDs at once make one bridge, 40 DELs at once take it away"
	many 40 job
	is 40 "$(many_rc 0)" "ADDs: $(jq -r '.msg // empty' "$TMP"/job/*.out | sort | uniq -c)"
	is "10.88.0.1/16 fd00:88::1/64" "$(addresses_of cni0)" "addresses of the bridge"
	is 40 "$(ip -o link show master cni0 | wc -l)" "ports of the bridge"
	is 40 "$(jq -r '.ips[0].address' "$TMP"/job/*.out | sort -u | wc -l)" "distinct addresses"
	is 1 "$(jq -r '.interfaces[0].mac' "$TMP"/job/*.out | sort -u | wc -l)" "the bridge's MAC in all results"
	ping_ok host "$(jq -r '.ips[0].address | split("/")[0]' "$TMP/job/17.out")"
	ping_ok p23 203.0.113.2
	many 40 undo
	is 40 "$(many_rc 0)" "DELs: $(jq -r '.msg // empty' "$TMP"/job/*.out | sort | uniq -c)"
	gone cni0
	for ((i = 1; i <= 40; i++)); do drop "p$i"; done
	clean
	# The bridge is made by the first and removed by the last: others come and go meanwhile.
	mixed() {
		job "$1" || return
		[ $(($1 % 2)) = 0 ] || undo "$1"
	}
	for round in 1 2; do
		t "ADDs and DELs mixed, round $round"
		many 20 mixed
		is 20 "$(many_rc 0)" "calls: $(jq -r '.msg // empty' "$TMP"/job/*.out | sort | uniq -c)"
		is 10 "$(ip -o link show master cni0 | wc -l)" "ports of the bridge"
		ping_ok p2 203.0.113.2
		many 20 undo
		is 20 "$(many_rc 0)" "DELs"
		for ((i = 1; i <= 20; i++)); do drop "p$i"; done
		clean
	done
	t "one after the other, each the first and the last"
	flip() {
		local i
		for i in 1 2 3 4 5; do
			job "$1" >/dev/null && undo "$1" || return
		done
	}
	many 4 flip
	is 4 "$(many_rc 0)" "calls: $(cat "$TMP"/job/*.out "$TMP"/job/*.err)"
	gone cni0
	for ((i = 1; i <= 4; i++)); do drop "p$i"; done
	clean
fi

finish
