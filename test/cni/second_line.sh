#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The second line: after a flush of nftables policy routing lets no packet of a task pass, but for what
# the host itself sends; before a flush nothing is different, whatever rules others have.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"

netns outside
ip link add up0 type veth peer name out0 netns outside
ip addr add 198.51.100.1/24 dev up0
ip -6 addr add fd00:51::1/64 dev up0 nodad
ip link set up0 up
ip -n outside addr add 198.51.100.2/24 dev out0
ip -n outside -6 addr add fd00:51::2/64 dev out0 nodad
ip -n outside link set out0 up
ip -n outside link set lo up
ip -n outside route add 10.0.0.0/8 via 198.51.100.1
ip -n outside -6 route add fd00:10::/32 via fd00:51::1
ip route add default via 198.51.100.2
ip -6 route add default via fd00:51::2
until_true pings host 198.51.100.2
until_true pings host fd00:51::2
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
baseline
RULES=$(ip rule; ip -6 rule)

DUAL=$(conf '.vpc.cidr=["10.0.0.0/16","fd00:10::/32"] | .ipam.cooldown=0
	| .ipam.ranges=[[{subnet:"10.0.1.0/24"}],[{subnet:"fd00:10:1::/64"}]]')

# strict 0|1: reverse path filtering on every interface that there is, and that there will be.
strict() {
	local dev
	for dev in /proc/sys/net/ipv4/conf/*/rp_filter; do echo "$1" >"$dev"; done
}
pair() { add a "$DUAL"; add b "$DUAL"; A=$(address a) A6=$(address a 1) B=$(address b) B6=$(address b 1); }
unpair() { del a "$DUAL"; del b "$DUAL"; drop a b; clean; is "$RULES" "$(ip rule; ip -6 rule)" "rules"; }

# open: all ways that a packet may take do work.
open() {
	ping_ok a "$B"; ping_ok a "$B6"
	ping_ok a 198.51.100.2; ping_ok a fd00:51::2
	ping_ok outside "$A"; ping_ok outside "$A6"
	ping_ok host "$A"; ping_ok host "$A6"
	ping_ok a 198.51.100.1; ping_ok a fd00:51::1
	tcp_ok host a "$A"; tcp_ok a b "$B"; tcp_ok outside a "$A"; tcp_ok outside a "$A6"
}

# passes FROM TO EXPRESSION COMMAND…: how many packets that match the expression arrive in TO.
passes() {
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
# closed: nothing of or to a task passes the host, but for what the host sends.
closed() {
	ping_no a "$B"; ping_no a "$B6"
	ping_no a 198.51.100.2; ping_no a fd00:51::2
	ping_no outside "$A"; ping_no outside "$A6"
	is 0 "$(passes a b "ip saddr $A" ping -c 2 -i 0.1 -W 0.2 "$B")" "packets of a that arrive in b"
	is 0 "$(passes a outside "ip6 saddr $A6" ping -c 2 -i 0.1 -W 0.2 fd00:51::2)" "IPv6 packets of a that leave"
	is 0 "$(passes outside a "ip saddr 198.51.100.2" ping -c 2 -i 0.1 -W 0.2 "$A")" "packets from outside"
	ping_ok host "$A"; ping_ok host "$A6"
	tcp_ok host a "$A"; tcp_ok host a "$A6"
}

for rp in 0 1; do
	if group "flush-$rp"; then
		strict $rp
		t "rp_filter $rp: all ways are open, and closed after a flush"
		pair
		open
		verify a "$DUAL"
		nft flush ruleset
		closed
		t "rp_filter $rp: a forged source, after the flush"
		ip -n a addr add "$B/32" dev eth0
		ip -n a addr add 203.0.113.7/32 dev eth0
		ip -n a -6 addr add "$B6/128" dev eth0 nodad
		is 0 "$(passes a outside "ip saddr $B" ping -c 2 -i 0.1 -W 0.2 -I "$B" 198.51.100.2)" "another task's"
		[ $rp = 0 ] || is 0 "$(passes a outside "ip saddr 203.0.113.7" ping -c 2 -i 0.1 -W 0.2 -I 203.0.113.7 198.51.100.2)" "of nobody"
		is 0 "$(passes a outside "ip6 saddr $B6" ping -c 2 -i 0.1 -W 0.2 -I "$B6" fd00:51::2)" "another task's, IPv6"
		ip -n a addr del "$B/32" dev eth0
		ip -n a addr del 203.0.113.7/32 dev eth0
		ip -n a -6 addr del "$B6/128" dev eth0
		t "rp_filter $rp: GC opens them again"
		works GC "$(jq -c '."cni.dev/valid-attachments"=[{containerID:"a",ifname:"eth0"},{containerID:"b",ifname:"eth0"}]' <<<"$DUAL")"
		open
		verify a "$DUAL"
		unpair
		is 0 "$(sysctl_of host net/ipv4/conf/all/src_valid_mark)" "src_valid_mark after the last task"
		strict 0
	fi
done

if group record; then
	t "src_valid_mark that others set stays"
	sysctl -qw net.ipv4.conf.all.src_valid_mark=1
	add a "$DUAL"
	del a "$DUAL"
	drop a
	is 1 "$(sysctl_of host net/ipv4/conf/all/src_valid_mark)" "src_valid_mark"
	sysctl -qw net.ipv4.conf.all.src_valid_mark=0
	t "CHECK sees each rule that is gone, and the sysctls"
	add a "$DUAL"
	while read -r family rule; do
		# shellcheck disable=SC2086 # words
		ip $family rule del $rule
		ID=a plugin CHECK "$(with_prev a "$DUAL")"
		expect_error 106 'routing rule.*is gone on the host.*to repair it: ip '
		sh -c "$(jq -r .details <<<"$OUT" | sed 's/^to repair it: //')"
		verify a "$DUAL"
	done <<-END
		-4 pref 76
		-4 pref 77 from 10.0.1.0/24
		-6 pref 77 to fd00:10:1::/64
		-4 pref 78
	END
	sysctl -qw net.ipv4.conf.all.src_valid_mark=0
	ID=a plugin CHECK "$(with_prev a "$DUAL")"
	expect_error 106 'src_valid_mark is 0: rp_filter drops packets to and from tasks'
	t "GC puts all of them back"
	ip rule flush
	ip rule add pref 32766 table main
	ip -6 rule flush
	ip -6 rule add pref 32766 table main
	works GC "$(jq -c '."cni.dev/valid-attachments"=[{containerID:"a",ifname:"eth0"}]' <<<"$DUAL")"
	verify a "$DUAL"
	t "the rules of a subnet go with its last task, the others with the last task of all"
	OTHER=$(jq -c '.name="other" | .ipam.ranges=[[{subnet:"10.0.2.0/24"}]]' <<<"$DUAL")
	add b "$OTHER"
	del a "$DUAL"
	is "76 77 77 78" "$(ip rule | sed -n 's/:.*proto 118$//p' | xargs)" "preferences"
	is "" "$(ip rule | grep 10.0.1.0)" "rules of the first subnet"
	is "" "$(ip -6 rule | grep 'proto 118')" "IPv6 rules"
	del b "$OTHER"
	drop a b
	ip rule add pref 32767 table default 2>/dev/null
	clean
	t "the frame stays for the tasks of another store"
	SECOND=$(jq -c '.name="second" | .ipam.dataDir="'$DATA'/second" | .vpc.cidr="10.7.0.0/16"
		| .ipam.ranges=[[{subnet:"10.7.4.0/24"}]]' <<<"$DUAL")
	ip -n outside route replace 10.7.0.0/16 via 198.51.100.1
	add a "$DUAL"
	add b "$SECOND"
	del a "$DUAL"
	is "76 77 77 78" "$(ip rule | sed -n 's/:.*proto 118$//p' | xargs)" "preferences"
	is 118 "$(sysctl_of host net/ipv4/conf/all/src_valid_mark)" "src_valid_mark"
	ping_ok host "$(address b)"
	ping_ok outside "$(address b)"
	verify b "$SECOND"
	del b "$SECOND"
	is "" "$(ip rule | grep 'proto 118')" "rules"
	is 0 "$(sysctl_of host net/ipv4/conf/all/src_valid_mark)" "src_valid_mark"
	drop a b
	clean
	t "another bit, and none"
	add a "$(jq -c '.guardMark=8388608' <<<"$DUAL")"
	add b "$(jq -c '.name="plain" | .ipam.ranges=[[{subnet:"10.0.3.0/24"}]] | .guardMark=0' <<<"$DUAL")"
	like '77:.*from 10.0.1.0/24 fwmark 0/0x800000' "$(ip rule | xargs -d '\n')" "rules"
	is "" "$(ip rule | grep 10.0.3.0)" "rules of the network without a second line"
	ping_ok a "$(address b)"
	ping_ok outside "$(address a)"
	del a "$(jq -c '.guardMark=8388608' <<<"$DUAL")"
	del b "$(jq -c '.name="plain"' <<<"$DUAL")"
	drop a b
	clean
	ID=x refused 7 'guardMark: 4097 .* more than one bit' ADD "$(jq -c .guardMark=4097 <<<"$DUAL")"
fi

if group peers; then
	strict 1
	t "a peer that restores the mark of each connection at priority -150, in both directions"
	nft -f - <<-END
		table inet peer {
			chain in { type filter hook prerouting priority -150; meta mark set ct mark; }
			chain out { type filter hook postrouting priority 0; ct mark set 0x5; }
		}
	END
	pair
	open
	nft flush ruleset
	closed
	works GC "$(jq -c '."cni.dev/valid-attachments"=[{containerID:"a",ifname:"eth0"},{containerID:"b",ifname:"eth0"}]' <<<"$DUAL")"
	unpair
	t "the rules of wg-quick for a default route by WireGuard, before the tasks"
	# A dummy takes what the tunnel would.
	wg() {
		ip link add wg0 type veth peer name wg1
		ip link set wg1 up
		ip addr add 172.16.9.2/32 dev wg0
		ip link set wg0 up
		ip route add default dev wg0 table 51820
		ip rule add not fwmark 0xca6c table 51820
		ip rule add table main suppress_prefixlength 0
	}
	unwg() {
		ip rule del not fwmark 0xca6c table 51820
		ip rule del table main suppress_prefixlength 0
		ip link del wg0
	}
	wg
	pair
	ping_ok a "$B"; ping_ok a 198.51.100.2; ping_ok outside "$A"; ping_ok host "$A"
	like 'dev wg0' "$(ip route get 203.0.113.9)" "the way of the host to the world"
	like 'dev wg0' "$(ip route get 203.0.113.9 from "$A" iif "$(host_link a)" mark 0x1000)" "that of the task"
	like 'dev up0' "$(ip route get 203.0.113.9 mark 0xca6c)" "that of the tunnel itself"
	nft flush ruleset
	closed
	works GC "$(jq -c '."cni.dev/valid-attachments"=[{containerID:"a",ifname:"eth0"},{containerID:"b",ifname:"eth0"}]' <<<"$DUAL")"
	del a "$DUAL"; del b "$DUAL"; drop a b
	unwg
	is "$RULES" "$(ip rule; ip -6 rule)" "rules"
	t "firewalld's reverse path filter of IPv6"
	nft -f - <<-END
		table inet peer {
			chain mangle { type filter hook prerouting priority -140; policy accept;
				meta nfproto ipv6 fib saddr . mark . iif oif missing drop; }
			chain filter { type filter hook prerouting priority 10; policy accept;
				meta nfproto ipv6 fib saddr . mark . iif oif missing drop; }
		}
	END
	pair
	open
	nft delete table inet peer
	unpair
	strict 0
fi
finish
