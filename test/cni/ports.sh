#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Published ports of task-bridge: from everywhere, for every protocol and host address, dynamic ones,
# conflicts, and what must not happen to others' traffic.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/lan.sh
. "$(dirname "$0")/../lan.sh"
lan

WEB='[{"hostPort":8080,"containerPort":80,"protocol":"tcp"},{"hostPort":8053,"containerPort":53,"protocol":"udp"}]'

# rules: the number of chains and rules in the ruleset, whatever their elements.
rules() { nft -j list ruleset | jq -c '[.nftables[] | keys[0]] | [(map(select(. == "chain")) | length), (map(select(. == "rule")) | length)]'; }

# br_netfilter 0|1: do packets within a bridge pass through iptables and nftables? (Where the module is.)
br_netfilter() {
	[ ! -e /proc/sys/net/bridge ] || for key in ip ip6; do echo "$1" >/proc/sys/net/bridge/bridge-nf-call-${key}tables; done
}

# access: from everywhere to the ports of one container.
access() {
	PORTS=$(ports "$WEB" "$DUAL")
	add web "$PORTS"
	add peer "$DUAL"
	serve web tcp:80 udp:53
	W=$(address web) W6=$(address web 1)
	t "from a client outside, which is seen by its own address"
	reaches outside web tcp 198.51.100.1 8080 198.51.100.2
	reaches outside web udp 198.51.100.1 8053 198.51.100.2
	reaches outside web tcp fd00:51::1 8080 fd00:51::2
	reaches outside web udp fd00:51::1 8053 fd00:51::2
	reaches outside web tcp 198.51.100.3 8080 198.51.100.2
	t "by another network of the host"
	reaches third web tcp 203.0.113.1 8080 203.0.113.2
	t "from the host, by its LAN address"
	reaches host web tcp 198.51.100.1 8080
	reaches host web udp 198.51.100.1 8053
	reaches host web tcp fd00:51::1 8080
	reaches host web udp fd00:51::1 8053
	t "from the host, by 127.0.0.1"
	reaches host web tcp 127.0.0.1 8080
	reaches host web udp 127.0.0.1 8053
	reaches host web tcp 127.1.2.3 8080
	t "from the host, by the gateway's address"
	reaches host web tcp 10.88.0.1 8080
	reaches host web tcp fd00:88::1 8080
	t "from another container of the bridge, by the host's addresses"
	for to in 198.51.100.1 10.88.0.1; do
		reaches peer web tcp $to 8080
		reaches peer web udp $to 8053
	done
	for to in fd00:51::1 fd00:88::1; do
		reaches peer web tcp $to 8080
		reaches peer web udp $to 8053
	done
	t "from the container itself, by the host's addresses"
	for to in 198.51.100.1 10.88.0.1 fd00:51::1; do
		reaches web web tcp $to 8080
		reaches web web udp $to 8053
	done
	t "from a container of another bridge"
	add far "$OTHER"
	reaches far web tcp 198.51.100.1 8080
	reaches far web tcp fd00:51::1 8080
	del far "$OTHER"
	t "not by another port, not by the other protocol, and directly as ever"
	reaches_not outside tcp 198.51.100.1 80
	reaches_not outside udp 198.51.100.1 8080
	reaches_not outside tcp 198.51.100.1 8053
	reaches host web tcp "$W" 80
	reaches peer web tcp "$W6" 80 "$(address peer 1)"
	t "::1 is not published, and nothing hangs for long"
	ms asks host tcp ::1 8080 1 >/dev/null
	within 2500 "$MS" "milliseconds until ::1 was given up"
	verify web "$PORTS"
	t "after DEL nobody answers"
	del web "$DUAL"
	for from in outside host peer; do reaches_not $from tcp 198.51.100.1 8080; done
	reaches_not host tcp 127.0.0.1 8080
	unserve web
	del peer "$DUAL"
	drop web peer far
	clean
}
if group access; then
	access
	# Without it, what a container sends to its own port by the host is turned back by other rules.
	if [ -e /proc/sys/net/bridge ]; then
		br_netfilter 0
		access
		br_netfilter 1
	else
		skip "needs br_netfilter for the other half"
	fi
fi

if group localhost; then
	t "127.0.0.1 of the host stays the host's own: route_localnet opens no door"
	add web "$(ports "$WEB")"
	serve host tcp:127.0.0.1:9999 udp:127.0.0.1:9999
	is "host 127.0.0.1" "$(asks host tcp 127.0.0.1 9999)" "the host reaches it"
	# What counts is what gets in; whether the answer finds back is another matter.
	nft 'add table inet seen; add chain inet seen in { type filter hook input priority 0; };
		add rule inet seen in iifname != "lo" ip daddr 127.0.0.0/8 counter'
	for from in web outside; do
		in_ns $from sh -c 'for f in /proc/sys/net/ipv4/conf/*/route_localnet; do echo 1 >$f; done
			for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$f; done
			ip route flush table local 127.0.0.0/8
			ip route del local 127.0.0.0/8 dev lo table local; ip route del local 127.0.0.1 dev lo table local' 2>/dev/null
		via=198.51.100.1 dev=net0
		[ $from = outside ] || via=10.88.0.1 dev=eth0
		in_ns $from ip route add 127.0.0.0/8 via $via dev $dev
		like "via $via" "$(in_ns $from ip route get 127.0.0.1)" "the test's own route in $from"
		reaches_not $from tcp 127.0.0.1 9999
		reaches_not $from udp 127.0.0.1 9999
		t "nor by a published port"
		[ $from = web ] || reaches_not $from tcp 127.0.0.1 8080
	done
	like 'counter packets 0 ' "$(nft list chain inet seen in)" "what came in for 127.0.0.0/8"
	t "nor when the last port has gone, and the rules with it"
	PLAIN=$(conf 'del(.ipMasq)')
	LOCALNET=/proc/sys/net/ipv4/conf/cni0/route_localnet
	add peer "$PLAIN"
	isnt 0 "$(<$LOCALNET)" "route_localnet while a port is published"
	del web
	is 0 "$(<$LOCALNET)" "route_localnet"
	add web "$(ports "$WEB" "$PLAIN")"
	del web
	is "" "$(published)" "published ports"
	in_ns peer sh -c 'for f in /proc/sys/net/ipv4/conf/*/route_localnet; do echo 1 >$f; done
		ip route flush table local 127.0.0.0/8
		ip route del local 127.0.0.0/8 dev lo table local; ip route del local 127.0.0.1 dev lo table local
		ip route add 127.0.0.0/8 via 10.88.0.1 dev eth0' 2>/dev/null
	reaches_not peer tcp 127.0.0.1 9999
	like 'counter packets 0 ' "$(nft list chain inet seen in)" "what came in for 127.0.0.0/8"
	del peer
	drop peer
	nft delete table inet seen
	t "what somebody else has switched on stays on"
	for had in 0 1; do
		ip link add lent0 type bridge
		echo $had >/proc/sys/net/ipv4/conf/lent0/route_localnet
		add web "$(ports "$WEB" "$(conf '.bridge="lent0"')")"
		serve web tcp:80
		reaches host web tcp 127.0.0.1 8080
		unserve web
		verify web "$(ports "$WEB" "$(conf '.bridge="lent0"')")"
		echo 0 >/proc/sys/net/ipv4/conf/lent0/route_localnet
		ID=web refused 106 'route_localnet is 0' CHECK "$(with_prev web "$(ports "$WEB" "$(conf '.bridge="lent0"')")")"
		echo $had >/proc/sys/net/ipv4/conf/lent0/route_localnet
		del web
		is $had "$(</proc/sys/net/ipv4/conf/lent0/route_localnet)" "route_localnet after DEL"
		ip link del lent0
	done
	in_ns outside ip route del 127.0.0.0/8
	in_ns outside sh -c 'ip link set lo down; ip link set lo up'
	unserve host
	del web
	drop web
	clean
fi

if group "source addresses"; then
	# With it, answers within the bridge find back even if nobody replaces the source.
	br_netfilter 0
	# watch NAME: from then on, came_from NAME ADDRESS: did anything come from there to its port 80?
	watch() {
		in_ns "$1" nft 'add table inet seen; add set inet seen from { type ipv4_addr; size 64; flags dynamic; };
			add chain inet seen in { type filter hook input priority 0; };
			add rule inet seen in th dport 80 add @from { ip saddr }'
	}
	came_from() { in_ns "$1" nft get element inet seen from "{ $2 }"; }
	MAP='[{"hostPort":8080,"containerPort":80},{"hostPort":8080,"containerPort":80,"protocol":"udp"}]'
	t "masqAll: the container sees the bridge, whoever asks"
	ALL=$(ports "$MAP" "$(jq -c '.masqAll=true' <<<"$DUAL")")
	add web "$ALL"
	add peer "$DUAL"
	serve web tcp:80 udp:80
	for proto in tcp udp; do
		reaches outside web $proto 198.51.100.1 8080 10.88.0.1
		reaches outside web $proto fd00:51::1 8080 fd00:88::1
		reaches third web $proto 203.0.113.1 8080 10.88.0.1
		reaches host web $proto 127.0.0.1 8080 10.88.0.1
		reaches peer web $proto 198.51.100.1 8080 10.88.0.1
		reaches web web $proto 198.51.100.1 8080 10.88.0.1
	done
	t "masqAll: what does not come by a published port is as ever"
	reaches peer web tcp "$(address web)" 80 "$(address peer)"
	t "masqAll: another container of the bridge without it"
	add plain "$(ports '[{"hostPort":8081,"containerPort":80}]' "$DUAL")"
	serve plain tcp:80
	reaches outside plain tcp 198.51.100.1 8081 198.51.100.2
	unserve plain
	del plain
	verify web "$ALL"
	nft flush set inet taskvpc masq_all4
	ID=web refused 106 'masq_all4' CHECK "$(with_prev web "$ALL")"
	del web
	t "snat: false: every client is seen by its own address, and 127.0.0.1 reaches nobody"
	NONE=$(ports "$MAP" "$(jq -c '.snat=false' <<<"$DUAL")")
	add web "$NONE"
	watch web
	serve web tcp:80 udp:80
	reaches outside web tcp 198.51.100.1 8080 198.51.100.2
	reaches outside web tcp fd00:51::1 8080 fd00:51::2
	reaches host web tcp 198.51.100.1 8080 198.51.100.1
	reaches_not host tcp 127.0.0.1 8080
	# The answer takes the short way and is none for who asked: as with the reference plugin.
	fails "a neighbour's address, before it asks" came_from web "$(address peer)"
	reaches_not peer udp 198.51.100.1 8080
	runs "a neighbour's address" came_from web "$(address peer)"
	fails "the bridge's address" came_from web 10.88.0.1
	t "snat: false beside a network of the bridge that has it"
	add plain "$(ports '[{"hostPort":8081,"containerPort":80}]' "$(jq -c '.name="br-snat"' <<<"$DUAL")")"
	serve plain tcp:80
	reaches host plain tcp 127.0.0.1 8081
	reaches peer plain tcp 198.51.100.1 8081 10.88.0.1
	reaches_not peer udp 198.51.100.1 8080
	reaches_not host tcp 127.0.0.1 8080
	unserve plain
	del plain "$(conf '.name="br-snat"')"
	verify web "$NONE"
	unserve web
	del web
	t "values that cannot be"
	ID=peer
	for key in snat masqAll; do
		for bad in 1 '"yes"' '[]'; do
			refused '6|7' "$key" ADD "$(conf ".$key=$bad")" CNI_IFNAME=eth1
		done
	done
	refused 7 'masqAll: true cannot go with snat: false' ADD "$(conf '.masqAll=true | .snat=false')" CNI_IFNAME=eth1
	ID=c1
	del peer
	drop web peer plain
	br_netfilter 1
	clean
fi

if group hostIP; then
	# only "EXPECTED" MAPPING: where from the mapped port is reached; the places in order.
	only() {
		local want=$1 place seen="" from to
		t "hostIP: $2"
		add web "$(ports "[$2]" "$DUAL")"
		serve web tcp:80
		for place in lan:outside,198.51.100.1 other:outside,198.51.100.3 lan6:outside,fd00:51::1 \
			loop:host,127.0.0.1 gw:peer,10.88.0.1; do
			IFS=, read -r from to <<<"${place#*:}"
			[ -z "$(asks "$from" tcp "$to" 8080 0.4)" ] || seen+=" ${place%%:*}"
		done
		is "$want" "${seen# }" "where it is reached"
		verify web "$(ports "[$2]" "$DUAL")"
		unserve web
		del web "$DUAL"
		drop web
	}
	add peer "$DUAL"
	only "lan other lan6 loop gw" '{"hostPort":8080,"containerPort":80}'
	only "lan other lan6 loop gw" '{"hostPort":8080,"containerPort":80,"hostIP":""}'
	only "lan other loop gw" '{"hostPort":8080,"containerPort":80,"hostIP":"0.0.0.0"}'
	only "lan6" '{"hostPort":8080,"containerPort":80,"hostIP":"::"}'
	only "lan" '{"hostPort":8080,"containerPort":80,"hostIP":"198.51.100.1"}'
	only "other" '{"hostPort":8080,"containerPort":80,"hostIP":"198.51.100.3"}'
	only "lan6" '{"hostPort":8080,"containerPort":80,"hostIP":"fd00:51::1"}'
	only "loop" '{"hostPort":8080,"containerPort":80,"hostIP":"127.0.0.1"}'
	only "gw" '{"hostPort":8080,"containerPort":80,"hostIP":"10.88.0.1"}'
	t "one port of two host addresses for two containers"
	add one "$(ports '[{"hostPort":8080,"containerPort":80,"hostIP":"198.51.100.1"}]')"
	add two "$(ports '[{"hostPort":8080,"containerPort":80,"hostIP":"198.51.100.3"}]')"
	serve one tcp:80
	serve two tcp:80
	reaches outside one tcp 198.51.100.1 8080
	reaches outside two tcp 198.51.100.3 8080
	t "but not beside all addresses, nor the other way round"
	netns three
	ID=three refused 107 '8080.*one|8080.*two' ADD "$(ports '[{"hostPort":8080,"containerPort":80}]')"
	ID=three refused 107 '8080.*one|8080.*two' ADD "$(ports '[{"hostPort":8080,"containerPort":80,"hostIP":"0.0.0.0"}]')"
	add three "$(ports '[{"hostPort":8080,"containerPort":80,"hostIP":"::"}]' "$DUAL")"
	del three
	unserve one two
	for name in one two; do del $name; done
	add one "$(ports '[{"hostPort":8080,"containerPort":80}]')"
	ID=three refused 107 '8080.*one' ADD "$(ports '[{"hostPort":8080,"containerPort":80,"hostIP":"198.51.100.3"}]')"
	del one
	drop one two
	t "a host address of a family that the container has not"
	ID=three refused 7 'hostIP.*fd00:51::1' ADD "$(ports '[{"hostPort":8080,"containerPort":80,"hostIP":"fd00:51::1"}]')"
	ID=three refused 7 'hostIP.*::' ADD "$(ports '[{"hostPort":8080,"containerPort":80,"hostIP":"::"}]')"
	ID=three refused 7 'hostIP.*198\.51\.100\.1' ADD \
		"$(ports '[{"hostPort":8080,"containerPort":80,"hostIP":"198.51.100.1"}]' "$(conf '.ipam.ranges=[[{subnet:"fd00:88::/64"}]]')")"
	t "addresses at which nobody would ever reach it"
	while read -r ip why; do
		ID=three refused 7 "hostIP: \"$ip\": .*$why" ADD "$(ports "[{\"hostPort\":8080,\"containerPort\":80,\"hostIP\":\"$ip\"}]" "$DUAL")"
	done <<-'END'
		::1 to a task
		255.255.255.255 no address of a host
		240.0.0.1 no address of a host
		0.1.2.3 no address of a host
		224.0.0.1 no address of a host
		ff02::1 no address of a host
		fe80::1 without its interface
	END
	for ip in 127.0.0.1 127.1.2.3 ::ffff:127.0.0.1; do
		ID=three refused 7 'hostIP: "127\..*snat: false' ADD \
			"$(ports "[{\"hostPort\":8080,\"containerPort\":80,\"hostIP\":\"$ip\"}]" "$(jq -c '.snat=false' <<<"$DUAL")")"
	done
	t "an IPv4 address in the dress of IPv6 is that address"
	add one "$(ports '[{"hostPort":8080,"containerPort":80,"hostIP":"::ffff:198.51.100.1"}]')"
	is "tcp 8080 198.51.100.1 $(address one) 80" "$(published)" "the rule"
	ID=three refused 107 '8080.*one' ADD "$(ports '[{"hostPort":8080,"containerPort":80,"hostIP":"198.51.100.1"}]')"
	del one
	add one "$(ports '[{"hostPort":8080,"containerPort":80,"hostIP":"198.51.100.1"}]')"
	ID=three refused 107 '8080.*one' ADD "$(ports '[{"hostPort":8080,"containerPort":80,"hostIP":"::ffff:198.51.100.1"}]')"
	del one
	t "an address that the host has not yet"
	add one "$(ports '[{"hostPort":8080,"containerPort":80,"hostIP":"198.51.100.9"}]')"
	serve one tcp:80
	ip addr add 198.51.100.9/24 dev up0
	reaches outside one tcp 198.51.100.9 8080
	ip addr del 198.51.100.9/24 dev up0
	unserve one
	del one
	drop one
	del peer
	drop peer three
	clean
fi

if group protocols; then
	t "tcp and udp of one number, for two containers"
	add one "$(ports '[{"hostPort":5353,"containerPort":53,"protocol":"tcp"}]')"
	add two "$(ports '[{"hostPort":5353,"containerPort":53,"protocol":"udp"}]')"
	serve one tcp:53 udp:53
	serve two tcp:53 udp:53
	reaches outside one tcp 198.51.100.1 5353
	reaches outside two udp 198.51.100.1 5353
	unserve one two
	del one
	del two
	drop one two
	t "the protocol: upper case, absent"
	for map in '"protocol":"TCP",' '"protocol":"tcp",' ''; do
		add web "$(ports "[{\"hostPort\":8080,$map\"containerPort\":80}]")"
		serve web tcp:80
		reaches outside web tcp 198.51.100.1 8080
		unserve web
		del web
	done
	t "sctp: an INIT and its answer, from everywhere, with the right ports and checksums both ways"
	add web "$(ports '[{"hostPort":9899,"containerPort":99,"protocol":"sctp"},{"containerPort":98,"protocol":"sctp"}]' "$DUAL")"
	add peer "$DUAL"
	serve web sctp:99 sctp:98
	reaches outside web sctp 198.51.100.1 9899 198.51.100.2
	reaches outside web sctp fd00:51::1 9899 fd00:51::2
	reaches host web sctp 198.51.100.1 9899
	reaches host web sctp fd00:51::1 9899
	reaches host web sctp 127.0.0.1 9899
	for to in 198.51.100.1 10.88.0.1 fd00:51::1 fd00:88::1; do
		reaches peer web sctp $to 9899
		reaches web web sctp $to 9899
	done
	reaches peer web sctp "$(address web)" 99 "$(address peer)"
	t "sctp: a dynamic port"
	port=$(host_port web 98 | cut -d' ' -f1)
	reaches outside web sctp 198.51.100.1 "$port" 198.51.100.2
	reaches outside web sctp fd00:51::1 "$port" fd00:51::2
	t "sctp: not by another port or protocol"
	reaches_not outside sctp 198.51.100.1 9898
	reaches_not outside sctp 198.51.100.1 99
	reaches_not outside tcp 198.51.100.1 9899
	unserve web
	del web
	reaches_not outside sctp 198.51.100.1 9899
	del peer
	drop web peer
	clean
fi

if group keys; then
	t "keys as nerdctl and containerd write them: the same rules"
	netns web
	rule_set() {
		works ADD "$(ports "$1")" CNI_CONTAINERID=web CNI_NETNS=$NETNS/web CNI_ARGS="IP=10.88.0.77"
		published
		works DEL "$CONF" CNI_CONTAINERID=web
	}
	lower=$(rule_set '[{"hostPort":8080,"containerPort":80,"protocol":"tcp","hostIP":"198.51.100.1"},{"hostPort":53,"containerPort":53,"protocol":"udp"}]')
	upper=$(rule_set '[{"HostPort":8080,"ContainerPort":80,"Protocol":"tcp","HostIP":"198.51.100.1"},{"HostPort":53,"ContainerPort":53,"Protocol":"udp"}]')
	isnt "" "$lower" rules
	is "$lower" "$upper" "rules"
	is $'tcp 8080 198.51.100.1 10.88.0.77 80\nudp 53 any 10.88.0.77 53' "$upper" "the rules"
	t "a range, as runtimes expand it: one entry each"
	add web "$(ports "$(jq -nc '[range(0;20) | {hostPort: (7000 + .), containerPort: (80 + .), protocol: "tcp"}]')")"
	serve web tcp:80 tcp:90 tcp:99
	reaches outside web tcp 198.51.100.1 7000
	reaches outside web tcp 198.51.100.1 7010
	reaches outside web tcp 198.51.100.1 7019
	reaches_not outside tcp 198.51.100.1 7020
	unserve web
	t "several host ports for one container port"
	del web
	add web "$(ports '[{"hostPort":8080,"containerPort":80},{"hostPort":8081,"containerPort":80}]')"
	serve web tcp:80
	reaches outside web tcp 198.51.100.1 8080
	reaches outside web tcp 198.51.100.1 8081
	unserve web
	del web
	t "none, empty and null: nothing is published"
	for map in '[]' null; do
		works ADD "$(ports "$map")" CNI_CONTAINERID=web CNI_NETNS=$NETNS/web
		is "" "$(published)" "published ports"
		del web
	done
	drop web
	clean
fi

if group dynamic; then
	DYNAMIC='[{"containerPort":80}]'
	t "a host port of 0 or none is chosen, outside the kernel's own range"
	for map in "$DYNAMIC" '[{"hostPort":0,"containerPort":80}]' '[{"HostPort":0,"ContainerPort":80,"Protocol":"tcp"}]'; do
		add web "$(ports "$map")"
		port=$(host_port web 80)
		like '^[0-9]+$' "$port" "port"
		if ((port >= 1024 && port < 32768 || port > 60999 && port < 65536)); then pass; else fail "port $port"; fi
		serve web tcp:80
		reaches outside web tcp 198.51.100.1 "$port"
		reaches host web tcp 127.0.0.1 "$port"
		unserve web
		t "it is printed by --explain"
		like "(^|[^0-9])$port([^0-9]|$)" "$(env -i PATH="$PATH" CNI_CONTAINERID=web CNI_NETNS=$NETNS/web CNI_IFNAME=eth0 \
			CNI_PATH="$BIN" "$PLUGIN" --explain <<<"$CONF")" "--explain"
		verify web "$(ports "$map")"
		del web
	done
	t "another range of the kernel's: the default stays outside of it"
	echo 10000 65000 >/proc/sys/net/ipv4/ip_local_port_range
	add web "$(ports "$DYNAMIC")"
	port=$(host_port web 80)
	if ((port >= 1024 && port < 10000 || port > 65000)); then pass; else fail "port $port"; fi
	del web
	t "a configured range that overlaps with it is refused"
	ID=web refused 7 'dynamicPortRange.*61000-65535' ADD "$(ports "$DYNAMIC" "$(conf '.dynamicPortRange="61000-65535"')")"
	t "the kernel's range leaves none"
	for whole in "1024 65535" "1024 65000"; do
		echo "$whole" >/proc/sys/net/ipv4/ip_local_port_range
		ID=web refused 7 "dynamicPortRange: net.ipv4.ip_local_port_range is ${whole% *}-${whole#* } and leaves no ports" \
			ADD "$(ports "$DYNAMIC")"
		add web "$(ports '[{"hostPort":8080,"containerPort":80}]')"
		del web
	done
	echo 32768 60999 >/proc/sys/net/ipv4/ip_local_port_range
	for bad in 60999-61000 32000-32768 40000-40001 1024-65535; do
		ID=web refused 7 "dynamicPortRange.*$bad" ADD "$(ports "$DYNAMIC" "$(conf ".dynamicPortRange=\"$bad\"")")"
	done
	t "a small range: each port once, tcp and udp apart, then exhausted"
	SMALL=$(conf '.dynamicPortRange="61000-61002"')
	for i in 1 2 3; do add "d$i" "$(ports "$DYNAMIC" "$SMALL")"; done
	is "61000 61001 61002" "$(published | awk '{ print $2 }' | sort | tr '\n' ' ' | sed 's/ $//')" "ports"
	netns d4
	ID=d4 refused '107|104' '61000-61002' ADD "$(ports "$DYNAMIC" "$SMALL")"
	add d4 "$(ports '[{"containerPort":53,"protocol":"udp"}]' "$SMALL")"
	del d4
	t "two are asked for where one is free: neither is taken"
	del d2
	ID=d4 refused '107|104' '61000-61002' ADD "$(ports '[{"containerPort":80},{"containerPort":81}]' "$SMALL")"
	t "one that was given back is given again"
	add d4 "$(ports "$DYNAMIC" "$SMALL")"
	is 3 "$(published | wc -l)" "ports"
	for i in 1 3 4; do del "d$i"; done
	t "static ports of the range are not given a second time"
	add d1 "$(ports '[{"hostPort":61001,"containerPort":80}]')"
	add d2 "$(ports '[{"containerPort":80},{"containerPort":81}]' "$SMALL")"
	is "61000 61002" "$(host_port d2)" "ports of the second"
	del d1
	del d2
	t "nor is one that this very container asks for"
	add d1 "$(ports '[{"containerPort":80},{"hostPort":61000,"containerPort":81},{"hostPort":61001,"containerPort":82}]' "$SMALL")"
	is 61002 "$(host_port d1 80)" "the dynamic one"
	del d1
	drop web d1 d2 d3 d4
	clean

	t "200 ADDs at once: 200 distinct ports inside the range"
	CONFIG=$(ports "$DYNAMIC" "$(conf '.dynamicPortRange="62000-62999"')")
	job() {
		ip netns add "p$1"
		call ADD "p$1" <<<"$CONFIG"
	}
	undo() { call DEL "p$1" <<<"$CONF"; }
	many 200 job
	is 200 "$(many_rc 0)" "ADDs: $(jq -r '.msg // empty' "$TMP"/job/*.out | sort | uniq -c)"
	is 200 "$(published | awk '{ print $2 }' | sort -u | awk '$1 >= 62000 && $1 <= 62999' | wc -l)" "distinct ports in the range"
	is 200 "$(published | awk '{ print $4 }' | sort -u | wc -l)" "containers"
	many 200 undo
	is 200 "$(many_rc 0)" "DELs: $(jq -r '.msg // empty' "$TMP"/job/*.out | sort | uniq -c)"
	for ((i = 1; i <= 200; i++)); do drop "p$i"; done
	clean
fi

if group conflicts; then
	add web "$(ports "$WEB")"
	netns late
	t "a port that is taken: who has it, and since when"
	ID=late refused 107 '8080' ADD "$(ports "$WEB")"
	for word in web br 'since 20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]'; do like "$word" "$OUT" "the holder"; done
	t "by another network as well, and by the second of two mappings"
	ID=late refused 107 '8053.*web|web.*8053' ADD \
		"$(ports '[{"hostPort":9000,"containerPort":80},{"hostPort":8053,"containerPort":53,"protocol":"udp"}]' "$OTHER")"
	t "the first is untouched"
	serve web tcp:80 udp:53
	reaches outside web tcp 198.51.100.1 8080
	verify web "$(ports "$WEB")"
	unserve web
	t "one host port to two container ports: both mappings are named"
	ID=late refused 7 'portMappings.0. and .1.: 9000/tcp leads to container port 80, 9000/tcp to 81' ADD \
		"$(ports '[{"hostPort":9000,"containerPort":80},{"hostPort":9000,"containerPort":81}]')"
	ID=late refused 7 '.1. and .2.: 9000/udp leads to container port 80, 198.51.100.1:9000/udp to 81' ADD \
		"$(ports '[{"hostPort":9000,"containerPort":80},{"hostPort":9000,"containerPort":80,"protocol":"udp"},
			{"hostPort":9000,"containerPort":81,"protocol":"udp","hostIP":"198.51.100.1"}]')"
	t "after DEL it is free"
	del web
	add late "$(ports "$WEB")"
	del late
	drop web late
	clean

	t "a listener of the host does not stop ADD, as nerdctl needs: no bind"
	serve host tcp:8080 udp:8053
	reaches outside host tcp 198.51.100.1 8080
	add web "$(ports "$WEB")"
	serve web tcp:80 udp:53
	reaches outside web tcp 198.51.100.1 8080
	reaches outside web udp 198.51.100.1 8053
	reaches host web tcp 127.0.0.1 8080
	del web
	reaches outside host tcp 198.51.100.1 8080
	unserve web host
	drop web
	clean

	t "the port of a container whose namespace is gone goes to the next"
	add dead "$(ports "$WEB")"
	drop dead
	add next "$(ports "$WEB")"
	serve next tcp:80 udp:53
	reaches outside next tcp 198.51.100.1 8080
	reaches outside next udp 198.51.100.1 8053
	t "a late DEL of the dead one does the living no harm"
	del dead "$CONF" CNI_NETNS=
	reaches outside next tcp 198.51.100.1 8080
	verify next "$(ports "$WEB")"
	unserve next
	del next
	drop next
	clean
fi

if group redundant; then
	# twice IP IP PUBLISHED: a mapping on each of two host addresses ("": on all) to one container port.
	twice() {
		local first=$1 second=$2 want=$3 proto config
		for proto in tcp udp; do
			config=$(ports "$(jq -nc --arg a "$first" --arg b "$second" --arg p $proto \
				'[$a, $b] | map({hostPort: 8080, containerPort: 80, protocol: $p} + if . == "" then {} else {hostIP: .} end)')" "$DUAL")
			add web "$config"
			is "$want" "$(published | cut -d' ' -f3,4 | sed "s/$(address web)/4/; s/$(address web 1)/6/" | xargs)" \
				"published, $proto, on '$first' and '$second'"
			verify web "$config"
			del web
		done
	}
	t "mappings that lead to the same container port are one"
	twice "" "" "any 4 any 6"
	twice "" :: "any 4 any 6"
	twice 0.0.0.0 :: "any 4 any 6"
	twice 0.0.0.0 0.0.0.0 "any 4"
	twice 127.0.0.1 0.0.0.0 "any 4"
	twice :: fd00:51::1 "any 6"
	twice 198.51.100.1 "" "any 4 any 6"
	twice 198.51.100.1 198.51.100.3 "198.51.100.1 4 198.51.100.3 4"
	t "and work from everywhere"
	add web "$(ports '[{"hostPort":8080,"containerPort":80},{"hostPort":8080,"containerPort":80,"hostIP":"::"},
		{"hostPort":8080,"containerPort":80,"hostIP":"127.0.0.1"}]' "$DUAL")"
	serve web tcp:80
	reaches outside web tcp 198.51.100.1 8080
	reaches outside web tcp fd00:51::1 8080
	reaches host web tcp 127.0.0.1 8080
	del web
	t "a range is as many ports in a row"
	add web "$(ports '[{"hostPort":8080,"containerPort":79,"range":3},{"hostPort":8081,"containerPort":80}]')"
	is "8080 79 8081 80 8082 81" "$(published | cut -d' ' -f2,5 | xargs)" "published ports"
	reaches outside web tcp 198.51.100.1 8081
	unserve web
	del web
	drop web
	clean
fi

if group strangers; then
	t "what passes through the host on the same port is left alone"
	serve third tcp:8080 udp:8053
	add web "$(ports "$WEB" "$DUAL")"
	serve web tcp:80 udp:53
	reaches outside third tcp 203.0.113.2 8080 198.51.100.2
	reaches outside third udp 203.0.113.2 8053 198.51.100.2
	reaches outside third tcp fd00:203::2 8080 fd00:51::2
	reaches host third tcp 203.0.113.2 8080
	reaches web third tcp 203.0.113.2 8080
	t "what a container sends to another's own port of that number as well"
	add peer "$DUAL"
	serve peer tcp:8080
	reaches web peer tcp "$(address peer)" 8080 "$(address web)"
	reaches outside web tcp 198.51.100.1 8080
	unserve peer web third
	del peer
	del web
	drop peer web
	clean
fi

if group conntrack; then
	# Connections are tracked only where a rule asks for it, as on every host with a firewall.
	nft 'add table inet stranger; add chain inet stranger in { type filter hook input priority 0; };
		add rule inet stranger in ct state new counter'
	baseline
	# answered_by PORT: the flow from port 40005 is tracked, and this port answers it.
	answered_by() { grep -q "sport=40005 dport=8053 .*sport=$1 dport=40005 " /proc/net/nf_conntrack; }
	answered_by_none() { ! answered_by "$1"; }
	no_flows() { [ "$(flows "$@")" = 0 ]; }
	ask_from() { asks outside udp 198.51.100.1 8053 1.2 "$1"; }
	t "UDP: a flow that was there before ADD goes to the container at once"
	serve host udp:8053
	is "host 198.51.100.2" "$(ask_from 40001)" "before"
	isnt 0 "$(flows udp 8053)" "tracked flows"
	add web "$(ports "$WEB")"
	is 0 "$(flows udp 8053)" "tracked flows after ADD"
	serve web udp:53
	is "web 198.51.100.2" "$(ask_from 40001)" "the same flow, after"
	t "UDP: after DEL it goes to the host again, or to the next container"
	del web
	runs "no tracked flows after DEL" until_true no_flows udp 8053
	is "host 198.51.100.2" "$(ask_from 40001)" "the same flow, after DEL"
	unserve host web
	add next "$(ports "$WEB")"
	serve next udp:53
	is "next 198.51.100.2" "$(ask_from 40001)" "the same flow, next container"
	t "UDP: of the host's own, by 127.0.0.1"
	is next "$(asks host udp 127.0.0.1 8053 1.2 40002 | cut -d' ' -f1)" "from the host"
	del next "$CONF" CNI_NETNS=
	runs "no tracked flows after DEL" until_true no_flows udp 8053
	add last "$(ports "$WEB")"
	serve last udp:53
	is last "$(asks host udp 127.0.0.1 8053 1.2 40002 | cut -d' ' -f1)" "from the host, next container"
	unserve next last
	t "UDP: of another port, and of another address of the host, are kept"
	serve host udp:9053 udp:198.51.100.3:8053
	del last
	asks outside udp 198.51.100.1 9053 1 40003 >/dev/null
	asks outside udp 198.51.100.3 8053 1 40004 >/dev/null
	add web "$(ports '[{"hostPort":8053,"containerPort":53,"protocol":"udp","hostIP":"198.51.100.1"}]')"
	is "1 1" "$(flows udp 9053) $(flows udp 8053)" "tracked flows"
	del web
	is "1 1" "$(flows udp 9053) $(flows udp 8053)" "tracked flows after DEL"
	unserve host
	drop web next last
	t "UDP: what passes through the host on the same port is left alone, tracked as it is"
	nft 'add chain inet stranger to { type nat hook prerouting priority dstnat; };
		add rule inet stranger to ip daddr 203.0.113.99 dnat ip to 203.0.113.2'
	echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
	# passing: the tracked flows to that port of others.
	passing() { grep -oE 'dst=(203\.0\.113\.|fd00:0203:)[^ ]* sport=40006 dport=8053' /proc/net/nf_conntrack | sort; }
	serve third udp:8053
	serve host udp:8053
	for host_ip in "" 0.0.0.0; do
		for to in 203.0.113.2 203.0.113.99 fd00:203::2; do
			is third "$(asks outside udp $to 8053 1 40006 | cut -d' ' -f1)" "by way of the host, to $to"
		done
		PASSING=$(passing)
		is 3 "$(wc -l <<<"$PASSING")" "tracked flows that pass"
		is "host 198.51.100.2" "$(asks outside udp 198.51.100.1 8053 1 40007)" "the host"
		add web "$(ports "$(jq -c --arg ip "$host_ip" 'map(.hostIP=$ip)' <<<"$WEB")" "$DUAL")"
		is "$PASSING" "$(passing)" "tracked flows that pass, after ADD, hostIP '$host_ip'"
		serve web udp:53
		is "web 198.51.100.2" "$(asks outside udp 198.51.100.1 8053 1 40007)" "the container"
		unserve web
		del web
		runs "no flows to the container" until_true sh -c "! grep -q 'src=$(address web) ' /proc/net/nf_conntrack"
		is "$PASSING" "$(passing)" "tracked flows that pass, after DEL, hostIP '$host_ip'"
		is "host 198.51.100.2" "$(asks outside udp 198.51.100.1 8053 1 40007)" "the host again"
	done
	unserve third host
	nft delete chain inet stranger to
	t "UDP: what flows on while the port goes is not tracked to the container that had it"
	for address in 198.51.100.1 fd00:51::1; do
		for i in 1 2 3 4 5; do
			add web "$(ports "$WEB" "$DUAL")"
			exec {fd}< <(exec nsenter --net=$NETNS/outside -- perl "$ROOT/test/peer.pl" flood $address 8053 5 40005)
			flood=$!
			runs "a flow to the container" until_true answered_by 53
			del web
			runs "no flow to the container after DEL $i" until_true answered_by_none 53
			runs "a flow to the host" until_true answered_by 8053
			stop $flood
			exec {fd}<&-
		done
	done
	drop web
	sed -i '/table inet stranger/,/^}/d' "$TMP/baseline"
	nft delete table inet stranger
	clean
fi

if group del; then
	PORTS=$(ports "$WEB" "$DUAL")
	t "DEL without runtimeConfig and without a namespace: every rule is gone"
	for how in "" "$NETNS/web" /proc/99999/ns/net; do
		add web "$PORTS"
		isnt "" "$(published)" "published ports"
		del web "$CONF" CNI_NETNS="$how"
		is "" "$(published)" "published ports after DEL"
		drop web
		clean
	done
	t "DEL with another's ports in runtimeConfig takes its own away, no other"
	add web "$PORTS"
	add peer "$(ports '[{"hostPort":9000,"containerPort":80}]')"
	del web "$(ports '[{"hostPort":9000,"containerPort":80}]')"
	is "tcp 9000" "$(published | cut -d' ' -f1,2)" "published ports"
	serve peer tcp:80
	reaches outside peer tcp 198.51.100.1 9000
	unserve peer
	del peer
	drop web peer
	clean
	t "two interfaces of one container publish, each on its own"
	add web "$(ports '[{"hostPort":9000,"containerPort":80}]')"
	ID=web works ADD "$(ports '[{"hostPort":9001,"containerPort":80}]')" CNI_IFNAME=eth1
	is "9000 9001" "$(published | awk '{ print $2 }' | tr '\n' ' ' | sed 's/ $//')" "published ports"
	del web "$CONF" CNI_IFNAME=eth1
	is 9000 "$(published | awk '{ print $2 }')" "published ports after DEL of eth1"
	del web
	drop web
	clean
fi

if group elsewhere; then
	t "a port that a task of another dataDir has: refused with words, and it stays published"
	THEIRS=$(ports "$WEB" "$(jq -c '.ipam.dataDir="/run/theirs"' <<<"$OTHER")")
	add web "$THEIRS"
	serve web tcp:80
	had=$(published)
	netns peer
	for _ in 1 2; do
		ID=peer plugin ADD "$(ports "$WEB" "$DUAL")"
		expect_error 100 "ports4.*8080.*File exists.*leads elsewhere already.*nft delete element inet taskvpc ports4 '. 6 . 8080 .'"
		del peer "$DUAL"
		is "$had" "$(published)" "published ports"
		reaches outside web tcp 198.51.100.1 8080
	done
	fails "the bridge of the refused one" ip link show cni0
	t "and once its holder is gone it can be had, at once"
	del web "$THEIRS"
	add peer "$(ports "$WEB" "$DUAL")"
	unserve web
	serve peer tcp:80
	reaches outside peer tcp 198.51.100.1 8080
	t "an element that somebody has added by hand: the same"
	nft add element inet taskvpc ports4 '{ tcp . 7000 : 10.77.0.1 . 80 }'
	had=$(published)
	ID=web plugin ADD "$(ports '[{"hostPort":7000,"containerPort":80}]')"
	expect_error 100 '7000.*leads elsewhere already'
	is "$had" "$(published)" "published ports"
	nft delete element inet taskvpc ports4 '{ tcp . 7000 }'
	add web "$(ports '[{"hostPort":7000,"containerPort":80}]')"
	unserve peer
	del web
	del peer
	drop web peer
	rm -rf /run/theirs
	clean
fi

if group thousand; then
	t "a thousand published ports: as many rules and chains as for one"
	add one "$(ports '[{"hostPort":20000,"containerPort":80}]')"
	few=$(rules)
	serve one tcp:80
	for ((i = 0; i < 10; i++)); do
		add "m$i" "$(ports "$(jq -nc --argjson i $i '[range(0;100) | {hostPort: (21000 + 100 * $i + .), containerPort: (80 + .)}]')")"
	done
	is 1001 "$(published | wc -l)" "published ports"
	is "$few" "$(rules)" "chains and rules"
	serve m7 tcp:179
	reaches outside m7 tcp 198.51.100.1 21799
	reaches outside one tcp 198.51.100.1 20000
	verify m7 "$(conf)"
	ms del m3
	quick 5000 "$MS" "milliseconds of a DEL of 100 ports"
	is 901 "$(published | wc -l)" "published ports after one DEL"
	unserve one m7
	t "1024 ports of one container, of both families"
	for proto in tcp udp; do
		MANY=$(ports "$(jq -nc --arg p $proto '[range(1024) | {hostPort: (30000 + .), containerPort: (80 + .), protocol: $p}]')" "$DUAL")
		add big "$MANY"
		is 2048 "$(published | grep -c " 3[01][0-9][0-9][0-9] ")" "published ports"
		verify big "$MANY"
		serve big $proto:80 $proto:1103
		reaches outside big $proto 198.51.100.1 30000
		reaches outside big $proto fd00:51::1 31023
		unserve big
		del big
		is 0 "$(published | grep -c " 3[01][0-9][0-9][0-9] ")" "published ports after DEL"
	done
	t "200 UDP ports cost what 200 TCP ports cost"
	# best PROTO: the least milliseconds of three ADDs and of three DELs of 200 ports.
	best() {
		local i config best_add=99999 best_del=99999
		config=$(ports "$(jq -nc --arg p "$1" '[range(200) | {hostPort: (30000 + .), containerPort: (80 + .), protocol: $p}]')" "$DUAL")
		for i in 1 2 3; do
			ms add big "$config"
			[ "$MS" -ge "$best_add" ] || best_add=$MS
			ms del big "$config"
			[ "$MS" -ge "$best_del" ] || best_del=$MS
		done
		BEST_ADD=$best_add BEST_DEL=$best_del
	}
	best tcp
	TCP_ADD=$BEST_ADD TCP_DEL=$BEST_DEL
	best udp
	# ADD walks over the table of connections once for each family.
	quick $((TCP_ADD * 3 / 2 + 40)) "$BEST_ADD" "milliseconds of ADD, TCP: $TCP_ADD"
	quick $((TCP_DEL * 3 / 2 + 20)) "$BEST_DEL" "milliseconds of DEL, TCP: $TCP_DEL"
	t "more than one container may have is refused by number"
	ID=big refused 7 'portMappings' ADD "$(ports "$(jq -nc '[range(0;1025) | {hostPort: (30000 + .), containerPort: (80 + .)}]')")"
	for ((i = 0; i < 10; i++)); do
		[ $i = 3 ] || del "m$i"
		drop "m$i"
	done
	del one
	drop one big
	clean
fi

finish
