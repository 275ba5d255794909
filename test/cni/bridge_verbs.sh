#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# task-bridge: DEL, CHECK, GC, STATUS, and what the configuration may not be.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/lan.sh
. "$(dirname "$0")/../lan.sh"
lan

# Everything at once, so that each part can be damaged.
FULL=$(jq -c '.macspoofchk=true | .ingressPolicy="same-bridge" | .hairpinMode=true
	| .runtimeConfig={portMappings:[{hostPort:8080,containerPort:80},
		{hostPort:8443,containerPort:443,hostIP:"198.51.100.1"},
		{hostPort:8443,containerPort:443,hostIP:"fd00:51::1"},
		{hostPort:8053,containerPort:53,protocol:"udp"}],
		bandwidth:{ingressRate:10000000,ingressBurst:800000,egressRate:10000000,egressBurst:800000}}' <<<"$DUAL")
netns c1
baseline

if group del; then
	t "DEL of what was never added"
	forget
	for netns in "" $NETNS/missing $NETNS/c1 /proc/99999/ns/net relative; do
		works DEL "$CONF" CNI_NETNS="$netns"
		works DEL "$FULL" CNI_NETNS="$netns" CNI_CONTAINERID=other
	done
	clean
	t "DEL three times, the first without a namespace"
	add c1 "$FULL"
	del c1 "$CONF" CNI_NETNS=
	clean
	is 1 "$(ip -n c1 -o link | wc -l)" "links in the container"
	del c1 "$FULL"
	del c1 "$(with_prev c1 "$FULL")"
	clean
	t "DEL without a published port asks nothing of the firewall"
	if command -v strace >/dev/null; then
		# firewall CONFIG: the sockets to it that ADD, then DEL opens; not the process that deletes connections
		# later. Leaks cannot be looked for under strace.
		firewall() {
			local verb
			for verb in ADD DEL; do
				ASAN_OPTIONS=detect_leaks=0 CNI_COMMAND=$verb CNI_CONTAINERID=c1 CNI_NETNS=$NETNS/c1 CNI_IFNAME=eth0 \
					strace -qq -o "$TMP/trace" -e trace=socket "$PLUGIN" <<<"$1" >/dev/null
				grep -c NETLINK_NETFILTER "$TMP/trace"
			done
		}
		PLAIN=$(jq -c 'del(.runtimeConfig, .ipMasq, .macspoofchk, .ingressPolicy, .isGateway, .isDefaultGateway)
			| del(.ipam.routes)' <<<"$FULL")
		is "0 0" "$(firewall "$PLAIN" | xargs)" "sockets of ADD and DEL"
		like '[1-9].* [1-9]' "$(firewall "$FULL" | xargs)" "and with ports"
		clean
	else
		skip "needs strace"
	fi
	# after WHAT COMMAND…: DEL leaves nothing, whatever went before. HOSTLINK is the host's end.
	after() {
		t "DEL after: $1"
		shift
		[ -e $NETNS/c1 ] || netns c1
		add c1 "$FULL"
		local -a command=("${@/HOSTLINK/$(host_link c1)}")
		"${command[@]}" || fail "the test's own '${command[*]}'"
		del c1 "$FULL"
		[ -e $NETNS/c1 ] || netns c1
		clean
	}
	after "its link went" ip link del HOSTLINK
	after "its other end went" ip -n c1 link del eth0
	after "the ruleset was flushed" nft flush ruleset
	after "the table was deleted" nft delete table inet taskvpc
	after "the bridge was deleted" ip link del cni0
	after "the bridge lost its address" ip addr flush dev cni0
	after "the bridge was set down" ip link set cni0 down
	after "its link left the bridge" ip link set HOSTLINK nomaster
	after "its namespace died" drop c1
	all() { ip link del cni0 && ip link del "$(host_link c1)" && nft flush ruleset && drop c1; }
	after "all of it" all
	after "its ifb went" sh -c 'ip link del "$(ip -o link show type ifb | cut -d: -f2 | tr -d " ")"'
	t "another's bridge has the name by now: it stays"
	add c1 "$FULL"
	ip link del cni0
	ip link add cni0 type bridge
	del c1 "$FULL"
	runs "the stranger's bridge" ip link show cni0
	ip link del cni0
	clean
	t "a bad prevResult does not stop DEL"
	for bad in 5 '"x"' '[]' '{"ips":"x"}' '{"cniVersion":"9.9.9"}'; do
		add c1 "$FULL"
		del c1 "$(jq -c ".prevResult=$bad" <<<"$FULL")"
	done
	clean
	t "the configuration was edited since: DEL goes by the record"
	add c1 "$FULL"
	del c1 "$(conf '.bridge="other0" | .ipam.ranges=[] | del(.ipMasq)')" CNI_NETNS=
	clean
	t "one of two goes, the other stays whole"
	add c1 "$FULL"
	OPEN=$(jq -c 'del(.runtimeConfig.portMappings)' <<<"$FULL")
	add c2 "$OPEN"
	del c1 "$FULL"
	verify c2 "$OPEN"
	ping_ok c2 10.88.0.1
	del c2 "$OPEN"
	drop c2
	clean
fi

if group check; then
	t "CHECK after ADD, in each version that has it"
	for version in 0.4.0 1.0.0 1.1.0; do
		config=$(jq -c ".cniVersion=\"$version\"" <<<"$FULL")
		add c1 "$config"
		verify c1 "$config"
		del c1 "$config"
	done
	# sees WHAT REGEX COMMAND…: CHECK tells what the command did to a fresh attachment. In the command
	# HOSTLINK is the host's end, ADDRESS the container's IPv4 address.
	sees() {
		local regex=$2
		t "CHECK sees: $1"
		shift 2
		[ -e $NETNS/c1 ] || netns c1
		add c1 "$FULL"
		local -a command=("${@/HOSTLINK/$(host_link c1)}")
		"${command[@]/ADDRESS/$(address c1)}" || fail "the test's own '${command[*]}'"
		refused 106 "$regex" CHECK "$(with_prev c1 "$FULL")"
		isnt "" "$(jq -r '.details // ""' <<<"$OUT")" "details: the command that repairs it"
		del c1 "$FULL"
		drop c1
		netns c1
		clean
	}
	sees "address gone" '10\.88\.' ip -n c1 addr del ADDRESS/16 dev eth0
	sees "IPv6 address gone" 'fd00:88' ip -n c1 -6 addr flush dev eth0 scope global
	sees "link down" 'eth0' ip -n c1 link set eth0 down
	sees "link gone" 'eth0|vpc' ip link del HOSTLINK
	sees "host's end down" 'vpc' ip link set HOSTLINK down
	sees "wrong MAC" 'eth0|mac|02:' ip -n c1 link set eth0 address 02:00:00:00:00:77
	sees "default route gone" 'default|0\.0\.0\.0/0' ip -n c1 route del default
	sees "IPv6 default route gone" 'default|::/0' ip -n c1 -6 route del default
	sees "default route elsewhere" 'default|0\.0\.0\.0/0' ip -n c1 route replace default dev lo
	sees "off the bridge" 'cni0|master|vpc' ip link set HOSTLINK nomaster
	moved() { ip link add other0 type bridge && ip link set "$1" master other0; }
	t "CHECK sees: on another bridge"
	add c1 "$FULL"
	moved "$(host_link c1)"
	refused 106 'cni0|master|vpc' CHECK "$(with_prev c1 "$FULL")"
	del c1 "$FULL"
	ip link del other0
	clean
	sees "hairpin off" 'hairpin|vpc' bridge link set dev HOSTLINK hairpin off
	sees "bridge down" 'cni0' ip link set cni0 down
	sees "bridge gone" 'cni0' ip link del cni0
	sees "another MAC of the bridge" 'cni0 has the MAC 02:00:00:00:00:77 instead of 0e:' \
		ip link set cni0 address 02:00:00:00:00:77
	sees "the bridge's address gone" '10\.88\.0\.1' ip addr del 10.88.0.1/16 dev cni0
	sees "the bridge's IPv6 address gone" 'fd00:88::1' ip addr del fd00:88::1/64 dev cni0
	sees "the bridge's route to its subnet gone" 'cni0.*10\.88\.0\.0/16' ip route del 10.88.0.0/16 dev cni0
	sees "the bridge's IPv6 route to its subnet gone" 'cni0.*fd00:88::/64' ip route del fd00:88::/64 dev cni0
	FULL=$(jq -c '.isDefaultGateway=false' <<<"$FULL") \
		sees "the task's route to its subnet gone" 'eth0.*10\.88\.0\.0/16' ip -n c1 route del 10.88.0.0/16 dev eth0
	FULL=$(jq -c '.isDefaultGateway=false' <<<"$FULL") \
		sees "the task's IPv6 route to its subnet gone" 'eth0.*fd00:88::/64' ip -n c1 route del fd00:88::/64 dev eth0
	t "CHECK: the command that it tells repairs the route"
	for route in "ip route del 10.88.0.0/16 dev cni0" "ip route del fd00:88::/64 dev cni0" \
		"ip -n c1 route del 10.88.0.0/16 dev eth0" "ip -n c1 route del fd00:88::/64 dev eth0"; do
		add c1 "$FULL"
		before=$(ip route; ip -6 route; ip -n c1 route; ip -n c1 -6 route)
		$route
		refused 106 'lost the route' CHECK "$(with_prev c1 "$FULL")"
		eval "$(jq -r '.details | sub("to repair it: "; "")' <<<"$OUT")"
		is "$before" "$(ip route; ip -6 route; ip -n c1 route; ip -n c1 -6 route)" "routes after: $route, and its repair"
		verify c1 "$FULL"
		del c1 "$FULL"
	done
	t "CHECK: the route of an address that others gave the bridge is their matter"
	ip link add cni0 type bridge
	ip addr add 10.88.0.1/16 dev cni0 noprefixroute
	ip link set cni0 up
	add c1
	verify c1
	del c1
	ip link del cni0
	clean
	sees "forwarding off" 'ip_forward' sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward'
	sees "ruleset flushed" 'taskvpc|nft' nft flush ruleset
	sees "table emptied" 'taskvpc|nft' nft flush table inet taskvpc
	sees "table of frames gone" 'taskvpc|nft' nft delete table bridge taskvpc
	sees "limit towards it gone" 'qdisc|tbf|vpc' tc qdisc del dev HOSTLINK root
	sees "limit out of it gone" 'qdisc|tbf|ifb|vpc|ingress' tc qdisc del dev HOSTLINK ingress
	sees "ifb gone" 'ifb' sh -c 'ip link del "$(ip -o link show type ifb | cut -d: -f2 | tr -d " ")"'
	sees "limit changed" 'qdisc|tbf|vpc' tc qdisc replace dev HOSTLINK root tbf rate 99mbit burst 100kb latency 25ms
	for family in inet bridge; do
		t "CHECK sees: sets and maps of table $family emptied, one by one"
		add c1 "$FULL"
		mapfile -t sets < <(nft -j list table $family taskvpc | jq -r '.nftables[] | (.set // .map // empty)
			| select((.elem // []) | length > 0) | select(.flags // [] | index("dynamic") | not) | .name')
		isnt 0 "${#sets[@]}" "sets with elements"
		for set in "${sets[@]}"; do
			t "CHECK sees: $family $set emptied"
			nft flush set $family taskvpc "$set" 2>/dev/null || nft flush map $family taskvpc "$set"
			refused 106 'nft|taskvpc' CHECK "$(with_prev c1 "$FULL")"
			del c1 "$FULL"
			add c1 "$FULL"
		done
		del c1 "$FULL"
	done
	clean
	t "CHECK sees: one published port gone, another port of the same in its place"
	add c1 "$FULL"
	nft delete element inet taskvpc ports4 '{ tcp . 8080 }'
	nft add element inet taskvpc ports4 '{ tcp . 8080 : 10.88.0.99 . 80 }'
	refused 106 'nft|taskvpc' CHECK "$(with_prev c1 "$FULL")"
	del c1 "$FULL"
	nft delete table inet taskvpc 2>/dev/null
	clean
	t "CHECK sees: another namespace, no reservation, no prevResult, another's result"
	add c1 "$FULL"
	refused '100+|6|7' prevResult CHECK "$FULL"
	refused '100+|7' '10\.88\.0\.99' CHECK "$(with_prev c1 "$FULL" | jq -c '.prevResult.ips[0].address="10.88.0.99/16"')"
	mv "$DATA" "$DATA.away"
	refused '100+|3' c1 CHECK "$(with_prev c1 "$FULL")"
	rm -rf "$DATA"
	mv "$DATA.away" "$DATA"
	drop c1
	netns c1
	refused '100+|3|4' c1 CHECK "$(with_prev c1 "$FULL")"
	del c1 "$FULL"
	clean
	t "CHECK lets chained plugins and others do their work"
	add c1 "$FULL"
	ip -n c1 link set eth0 mtu 1400
	ip -n c1 addr add 192.0.2.9/32 dev eth0
	ip -n c1 route add 198.18.0.0/24 via 10.88.0.1
	ip addr add 10.77.0.1/24 dev cni0
	nft 'add table inet stranger; add chain inet stranger fw { type filter hook forward priority 0; }'
	verify c1 "$FULL"
	works CHECK "$(with_prev c1 "$FULL" | jq -c '.prevResult.interfaces += [{name:"tap0",sandbox:"/x"}]
		| .prevResult.ips += [{address:"192.0.2.9/32",interface:2}]')"
	nft delete table inet stranger
	ip addr del 10.77.0.1/24 dev cni0
	del c1 "$FULL"
	drop c1
	netns c1
	clean
	t "CHECK lets a chained plugin move the route to the task's subnet, as sbr does"
	add c1 "$FULL"
	ip -n c1 route add 10.88.0.0/16 dev eth0 table 100
	ip -n c1 route del 10.88.0.0/16
	verify c1 "$FULL"
	ip -n c1 route flush table 100
	refused 106 'eth0 has lost the route to its subnet 10\.88\.0\.0/16' CHECK "$(with_prev c1 "$FULL")"
	del c1 "$FULL"
	drop c1
	netns c1
	clean
	t "CHECK without runtimeConfig, as a runtime that forgot: what was published counts"
	add c1 "$FULL"
	BARE=$(jq -c 'del(.runtimeConfig)' <<<"$FULL")
	verify c1 "$BARE"
	nft flush map inet taskvpc ports4
	refused 106 'nft|taskvpc' CHECK "$(with_prev c1 "$BARE")"
	del c1 "$FULL"
	clean
fi

# gc JSON-FILTER [CONF]: GC with these keys.
gc() { works GC "$(jq -c "$1" <<<"${2:-$CONF}")" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME; }
VALID='.["cni.dev/valid-attachments"]'

if group gc; then
	t "GC keeps what is listed, and its rules"
	add a "$FULL"
	for name in b c; do add $name; done
	add d "$OTHER"
	gc "$VALID=[{containerID:\"a\",ifname:\"eth0\"}]"
	verify a "$FULL"
	verify d "$OTHER"
	fails "b/eth0" ip -n b link show eth0
	is 1 "$(ip -o link show master cni0 | wc -l)" "ports of the bridge"
	t "GC of nobody takes the network's bridge, and not the other's"
	gc "$VALID=[]"
	fails "cni0" ip link show cni0
	verify d "$OTHER"
	is "" "$(published)" "published ports"
	is 0 "$(ip -o link show type ifb | wc -l)" "ifb devices"
	gc "$VALID=[]" "$OTHER"
	drop a b c d
	clean
	t "GC after namespaces, rules and the bridge went"
	add a "$FULL"
	add b
	drop a
	nft flush ruleset
	ip link del cni0
	gc "$VALID=[]"
	drop b
	clean
	t "GC restores what a flush took from those that stay"
	add a "$FULL"
	nft flush ruleset
	gc "$VALID=[{containerID:\"a\",ifname:\"eth0\"}]"
	verify a "$FULL"
	del a
	drop a
	clean
	t "an ADD restores what a flush took from the others"
	add a "$FULL"
	nft flush ruleset
	add b "$(ports '[{"hostPort":9000,"containerPort":80}]')"
	serve a tcp:80
	reaches outside a tcp 198.51.100.1 8080
	unserve a
	verify a "$FULL"
	del a
	del b
	drop a b
	clean
fi

if group status; then
	# status CONF: STATUS without the variables of an attachment.
	status() { works STATUS "$1" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME; }
	t "STATUS ok, silent, and it makes nothing"
	forget
	status "$CONF"
	is "" "$ERR" stderr
	status "$(jq -c 'del(.runtimeConfig)' <<<"$FULL")"
	is "" "$ERR" stderr
	fails "a state directory" test -e "$DATA"
	clean
	t "STATUS names the keys of the reference chain that have no effect here"
	status "$(jq -c '.preserveDefaultVlan=true | .markMasqBit=13 | .externalSetMarkChain="KUBE-MARK-MASQ" | .backend="iptables"
		| .iptablesAdminChainName="MINE" | .firewalldZone="public" | .unshapedSubnets=["10.0.0.0/8"]
		| .shapedSubnets=["10.0.0.0/8"]' <<<"$CONF")"
	for key in preserveDefaultVlan markMasqBit externalSetMarkChain backend iptablesAdminChainName firewalldZone \
		shapedSubnets unshapedSubnets; do
		like "$key: without effect, [a-z]" "$ERR" "warning"
	done
	t "STATUS is silent of those that say nothing"
	status "$(jq -c '.preserveDefaultVlan=false | .externalSetMarkChain=null | .backend="" | .unshapedSubnets=[] | .conditionsV4=[]
		| .vlanTrunk=null | .disableContainerInterface=false | .snat=true' <<<"$CONF")"
	is "" "$ERR" stderr
	t "STATUS warns of the bridge of another program with the same subnet"
	ip link add other0 type bridge
	ip addr add 10.88.7.1/24 dev other0
	status "$(jq -c '.ipam.ranges = [[{subnet: "10.88.0.0/16"}]]' <<<"$CONF")"
	like '10\.88\.0\.0/16 overlaps with 10\.88\.7\.1/24 on other0' "$ERR" "warning"
	ip link del other0
	t "STATUS warns of another table that drops what is forwarded, by name"
	for family in inet ip; do
		nft "add table $family docker0; add chain $family docker0 fw { type filter hook forward priority 0; policy drop; }"
		status "$CONF"
		like "\"$family docker0 fw\" drops .*nft 'insert rule $family docker0 fw iifname \"cni0\" accept; insert .* oifname \"cni0\"" \
			"$ERR" "warning for family $family"
		nft delete table $family docker0
	done
	t "STATUS has no word for rules of a family that the network has not"
	nft 'add table ip6 docker0; add chain ip6 docker0 fw { type filter hook forward priority 0; policy drop; }'
	status "$CONF"
	is "" "$ERR" stderr
	status "$(jq -c '.ipam.ranges += [[{subnet: "fd00:9::/64"}]]' <<<"$CONF")"
	like '"ip6 docker0 fw" drops' "$ERR" "warning of a network of both"
	nft delete table ip6 docker0
	if command -v iptables >/dev/null; then
		t "STATUS warns of iptables' policy, as Docker sets it"
		iptables -P FORWARD DROP
		status "$CONF"
		like '"ip filter FORWARD" drops .*: iptables -I FORWARD -i cni0 -j ACCEPT; iptables -I FORWARD -o cni0 -j ACCEPT' "$ERR" "warning"
		unlike 'FORWARD -j ACCEPT' "$ERR" "advice"
		t "the advice ends the warning"
		sh -c "$(sed -n 's/.*: \(iptables .*\)/\1/p' <<<"$ERR")"
		status "$CONF"
		is "" "$ERR" "once the advice is followed"
		iptables -F FORWARD
		t "STATUS warns of iptables' last rule, as RHEL had it"
		iptables -P FORWARD ACCEPT
		iptables -A FORWARD -m state --state ESTABLISHED -j ACCEPT
		iptables -A FORWARD -m comment --comment last -j REJECT --reject-with icmp-host-prohibited
		status "$CONF"
		like '"ip filter FORWARD" drops .* by its rule with handle' "$ERR" "warning"
		like '^[^"]*"[^"]*"[^"]*$' "$ERR" "one warning"
		iptables -I FORWARD -j ACCEPT
		status "$CONF"
		is "" "$ERR" "once all is accepted before it"
		nft delete table ip filter
	fi
	t "STATUS warns of a last rule, as firewalld ends its chain; it is right, and so is its advice"
	nft -f - <<-'END'
		table inet firewalld {
			chain filter_FORWARD {
				type filter hook forward priority filter + 10; policy accept;
				ct state { established, related } accept
				ct status dnat accept
				iifname "lo" accept
				ct state invalid drop
				ip6 daddr { ::/96, ::ffff:0:0/96 } reject with icmpv6 type addr-unreachable
				jump filter_FORWARD_ZONES
				reject with icmpx type admin-prohibited
			}
			chain filter_FORWARD_ZONES {
			}
		}
	END
	status "$CONF"
	like '"inet firewalld filter_FORWARD" drops .* by its rule with handle' "$ERR" "warning"
	like 'firewall-cmd --permanent --zone=trusted --add-interface=cni0' "$ERR" "advice"
	add c1
	ping_no c1 203.0.113.2
	# What firewalld makes of that advice.
	nft 'add rule inet firewalld filter_FORWARD_ZONES iifname "cni0" accept'
	ping_ok c1 203.0.113.2
	nft delete table inet firewalld
	t "STATUS: the advice for a chain of anybody"
	nft 'add table inet other; add chain inet other fw { type filter hook forward priority 0; policy drop; }'
	status "$CONF"
	ping_no c1 203.0.113.2
	advice=$(sed -n "s/.*: \\(nft 'insert .* accept'\\)$/\\1/p" <<<"$ERR")
	eval "$advice" || fail "the advice: $advice"
	ping_ok c1 203.0.113.2
	nft delete table inet other
	del c1
	t "STATUS: verdicts that are none for all packets"
	while read -r rule; do
		nft "add table inet other; add chain inet other fw { type filter hook forward priority 0; }; add chain inet other sub;
			add rule inet other fw $rule"
		status "$CONF"
		is "" "$ERR" "after: $rule"
		nft delete table inet other
	done <<-'END'
		ip daddr 192.0.2.0/24 drop
		limit rate over 10/second drop
		ct state invalid counter drop
		meta nfproto ipv6 reject
		jump sub
		counter
		counter log prefix "x" accept
		goto sub
	END
	t "STATUS: verdicts that are"
	while read -r rule; do
		nft "add table inet other; add chain inet other fw { type filter hook forward priority 0; }; add rule inet other fw $rule"
		status "$CONF"
		like '"inet other fw" drops' "$ERR" "after: $rule"
		nft delete table inet other
	done <<-'END'
		drop
		counter drop
		log prefix "x" counter drop
		reject
		counter reject with icmpx type admin-prohibited
	END
	t "STATUS: what is no matter of ours"
	nft 'add table inet other; add chain inet other in { type filter hook input priority 0; policy drop; };
		add chain inet other fw { type filter hook forward priority 0; policy drop; }; add rule inet other fw accept;
		add table bridge other; add chain bridge other fw { type filter hook forward priority 0; policy drop; };
		add table inet taskvpc; add chain inet taskvpc fw { type filter hook forward priority 0; policy drop; }'
	status "$CONF"
	is "" "$ERR" "an input policy, a policy behind accept, frames of a bridge, our own table"
	for table in "inet other" "bridge other" "inet taskvpc"; do
		# shellcheck disable=SC2086 # FAMILY NAME
		nft delete table $table
	done
	t "STATUS: the pool is full"
	SMALL=$(conf '.ipam.ranges=[[{subnet:"10.88.0.0/30"}]]')
	add full "$SMALL"
	full 'exhausted.*10\.88\.0\.0/30' "$SMALL"
	del full "$SMALL"
	drop full
	t "STATUS: the bridge's name belongs to another link"
	ip link add cni0 type veth peer name peer0
	refused '50|7' 'cni0' STATUS "$CONF"
	ip link del cni0
	# hopeless REGEX CONF: STATUS says so, and it is right.
	hopeless() {
		refused 50 "$1" STATUS "$2" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
		refused '7|100+' "$1" ADD "$2"
	}
	t "STATUS: the bridge has another address of the subnet"
	ip link add cni0 type bridge
	ip addr add 10.88.0.254/16 dev cni0
	ip link set cni0 up
	hopeless '"cni0" already has the address 10\.88\.0\.254/16.*forceAddress' "$CONF"
	status "$(conf '.forceAddress=true')"
	status "$(conf 'del(.isGateway, .isDefaultGateway)')"
	status "$(conf '.ipam.ranges=[[{subnet:"10.89.0.0/16"}]]')"
	is 10.88.0.254/16 "$(addresses_of cni0)" "its addresses"
	t "STATUS: the bridge has IPv6 off, or new ones will"
	echo 1 >/proc/sys/net/ipv6/conf/cni0/disable_ipv6
	SIX=$(conf '.ipam.ranges=[[{subnet:"fd00:88::/64"}]]')
	hopeless 'fd00:88::1/64 dev cni0.*IPv6 is .*leave the IPv6 range out' "$SIX"
	status "$(jq -c 'del(.isGateway, .isDefaultGateway, .ipMasq)' <<<"$SIX")"
	ip link del cni0
	status "$SIX"
	echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
	hopeless 'fd00:88::1/64 dev cni0.*IPv6 is .*leave the IPv6 range out' "$SIX"
	echo 0 >/proc/sys/net/ipv6/conf/default/disable_ipv6
	t "STATUS: a subnet within another network's block"
	add full "$(conf '.ipam.ranges=[[{subnet:"10.88.0.0/16",rangeEnd:"10.88.0.9"}]]')"
	hopeless 'vpc4 .*10\.88\.7\.0/24.*overlaps with that of another' \
		"$(conf '.name="within" | .bridge="cni1" | .ipam.ranges=[[{subnet:"10.88.7.0/24"}]]')"
	del full
	drop full
	t "STATUS: a route by a gateway that is not on the link"
	while read -r routes; do
		hopeless 'routes: the gateway .* is in no subnet of the task.*leave "gw" out' "$(jq -c ".ipam.routes=$routes" <<<"$DUAL")"
	done <<-'END'
		[{dst:"172.16.0.0/12",gw:"10.3.0.1"}]
		[{dst:"172.16.0.0/12",gw:"10.3.0.1"},{dst:"10.3.0.1/32",scope:253}]
		[{dst:"fd09::/32",gw:"fd03::9"}]
	END
	while read -r routes; do
		LINKED=$(jq -c ".ipam.routes=$routes" <<<"$DUAL")
		status "$LINKED"
		add c1 "$LINKED"
		del c1 "$LINKED"
	done <<-'END'
		[{dst:"172.16.0.0/12",gw:"10.88.7.7"}]
		[{dst:"10.3.0.1/32",scope:253},{dst:"172.16.0.0/12",gw:"10.3.0.1"}]
		[{dst:"fd09::/32",gw:"fe80::9"}]
		[{dst:"fd03::9/128",scope:253},{dst:"fd09::/32",gw:"fd03::9"}]
	END
	fails "the bridge" ip link show cni0
	t "STATUS: a configuration that ADD would refuse"
	refused '7|50' 'bridge' STATUS "$(conf '.bridge="abcdefghijklmnop"')"
	refused '7|50' 'dynamicPortRange' STATUS "$(conf '.dynamicPortRange="40000-50000"')"
	t "STATUS warns of unknown keys"
	status "$(conf '.ipam.frobnicate=1 | .toplevel=1 | .capabilities={portMappings:true}')"
	like frobnicate "$ERR" warning
	like 'toplevel: unknown key, ignored' "$ERR" "one of the top level"
	clean
fi

if group "bad input"; then
	# bad REGEX FILTER…: ADD with this change is refused with 7 and words that match; nothing is left.
	bad() {
		local regex=$1 filter
		shift
		for filter; do
			t "bad input: $filter"
			refused '6|7' "$regex" ADD "$(conf "$filter")"
			[ "$RC" != 0 ] || del c1
		done
	}
	for key in isGateway isDefaultGateway forceAddress ipMasq hairpinMode promiscMode macspoofchk enabledad portIsolation; do
		bad "$key" ".$key=\"yes\"" ".$key=1" ".$key={}"
	done
	bad 'bridge' '.bridge=""' '.bridge=5' '.bridge=["cni0"]' '.bridge="a b"' '.bridge="aaaaaaaaaaaaaaaa"' '.bridge="a/b"'
	bad 'mtu' '.mtu=-1' '.mtu=70000' '.mtu="1400"' '.mtu=1500.5' '.mtu=1e9'
	bad 'mtu' '.mtu=67' '.ipam.ranges=[[{subnet:"fd00:88::/64"}]] | .mtu=1279'
	bad 'vlan' '.vlan=-1' '.vlan=4095' '.vlan="7"' '.vlan=1.5'
	bad 'ingressPolicy' '.ingressPolicy="shut"' '.ingressPolicy=1'
	bad 'ipMasqBackend' '.ipMasqBackend="pf"' '.ipMasqBackend=1'
	bad 'dynamicPortRange' '.dynamicPortRange=61000' '.dynamicPortRange="61000"' '.dynamicPortRange="65535-61000"' \
		'.dynamicPortRange="0-100"' '.dynamicPortRange="61000-65536"' '.dynamicPortRange="a-b"' \
		'.dynamicPortRange="61000-61010x"' '.dynamicPortRange="-5-10"' '.dynamicPortRange=" 61000-61010"' \
		'.dynamicPortRange="61000-"' '.dynamicPortRange="99999999999999999999-1"'
	bad 'conditionsV4: not offered.*hostIP.*table of your own' '.conditionsV4=["-s","10.0.0.0/8"]'
	bad 'conditionsV6: not offered.*hostIP.*table of your own' '.conditionsV6=["-s","fd00::/8"]'
	bad 'vlanTrunk: not offered.*a bridge per VLAN' '.vlanTrunk=[{id:5}]'
	bad 'disableContainerInterface: not offered.*ipam' '.disableContainerInterface=true'
	for key in ingressRate ingressBurst egressRate egressBurst; do
		bad "$key" ".$key=-1" ".$key=\"1M\"" ".$key=1.5"
	done
	bad 'ingress(Rate|Burst)' '.ingressBurst=8000'
	bad 'runtimeConfig' '.runtimeConfig=5' '.runtimeConfig=[]'
	bad 'mac' '.runtimeConfig.mac="zz"' '.runtimeConfig.mac="01:00:00:00:00:01"' '.runtimeConfig.mac=5'
	t "bad input: port mappings"
	while read -r regex map; do
		t "bad input: portMappings $map"
		refused 7 "$regex" ADD "$(ports "$map")"
		[ "$RC" != 0 ] || del c1
	done <<-'END'
		hostPort.*-1 [{"hostPort":-1,"containerPort":80}]
		hostPort.*65536 [{"hostPort":65536,"containerPort":80}]
		hostPort.*80 [{"hostPort":"80","containerPort":80}]
		hostPort.*80\.5 [{"hostPort":80.5,"containerPort":80}]
		containerPort.*0 [{"hostPort":80,"containerPort":0}]
		containerPort [{"hostPort":80}]
		containerPort [{}]
		containerPort.*-1 [{"hostPort":80,"containerPort":-1}]
		containerPort.*65536 [{"containerPort":65536}]
		containerPort.*80 [{"containerPort":"80"}]
		containerPort.*80\.5 [{"hostPort":8080,"containerPort":80.5}]
		protocol.*icmp [{"hostPort":80,"containerPort":80,"protocol":"icmp"}]
		protocol.*tcpx [{"hostPort":80,"containerPort":80,"protocol":"tcpx"}]
		protocol.*5 [{"containerPort":80,"protocol":5}]
		hostIP.*nope [{"hostPort":80,"containerPort":80,"hostIP":"nope"}]
		hostIP.*1\.2\.3 [{"hostPort":80,"containerPort":80,"hostIP":"1.2.3"}]
		hostIP.*198\.51\.100\.1/24 [{"hostPort":80,"containerPort":80,"hostIP":"198.51.100.1/24"}]
		hostIP.*5 [{"containerPort":80,"hostIP":5}]
		hostIP.*224\.0\.0\.1 [{"hostPort":80,"containerPort":80,"hostIP":"224.0.0.1"}]
		portMappings [5]
		portMappings {"hostPort":80}
		portMappings "80"
		hostPort.*65536 [{"hostPort":80,"containerPort":80},{"HostPort":65536,"ContainerPort":81}]
	END
	clean
	t "bad input does not stop DEL"
	for filter in '.mtu=-1' '.vlan=9999' '.bridge=""' '.ingressPolicy="shut"' '.dynamicPortRange="x"' \
		'.runtimeConfig.portMappings=[{"hostPort":-1}]' '.ipam.ranges=[]' '.hairpinMode=true | .promiscMode=true'; do
		add c1 "$FULL"
		del c1 "$(conf "$filter")"
	done
	clean
	t "keys in another letter case, unknown keys, comments of runtimes"
	add c1 "$(conf 'with_entries(if .key == "bridge" then .key = "BRIDGE" else . end) | .ISGATEWAY = .isGateway
		| del(.isGateway) | .capabilities={portMappings:true,ips:true} | .args={cni:{labels:[]}} | .["cni.dev/foo"]=1 | .nothing=null')"
	is cni0 "$(master c1)" master
	del c1
	clean
fi

finish
