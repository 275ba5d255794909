#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Addresses that no task may have, whoever gives them: our pool, a runtime, a foreign IPAM plugin. And those
# that a LAN has given already, to this host and its router.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
netns lan c1
ip link add lan0 type veth peer name lan1 netns lan
ip addr add 198.51.100.2/24 dev lan0
ip addr add 198.51.100.4/24 dev lan0
ip -6 addr add 2001:db8:f::2/64 dev lan0 nodad
ip link set lan0 up
ip -n lan addr add 198.51.100.254/24 dev lan1
ip -n lan -6 addr add 2001:db8:f::254/64 dev lan1 nodad
ip -n lan link set lan1 up
ip route add default via 198.51.100.254
ip -6 route add default via 2001:db8:f::254
until_true pings host 198.51.100.254
until_true pings host 2001:db8:f::254
baseline

# A foreign IPAM plugin that answers with what is in $TMP/answer.
mkdir -p "$TMP/bin"
printf '#!/bin/sh\ncat >/dev/null\n[ "$CNI_COMMAND" != ADD ] || cat %s\n' "$TMP/answer" >"$TMP/bin/anything"
chmod +x "$TMP/bin/anything"
given() { jq -nc --arg a "$1" --arg g "${2:-}" '{cniVersion: "1.0.0", ips: [{address: $a} + (if $g == "" then {} else {gateway: $g} end)]}' >"$TMP/answer"; }

# Each way to attach, with the pool that a filter gives it.
mode_veth() { PLUGIN=$BIN/awsvpc CONFIG=$(conf "del(.vpc) | $1"); }
mode_macvlan() { PLUGIN=$BIN/awsvpc CONFIG=$(conf "del(.vpc) | .attach=\"macvlan\" | .master=\"lan0\" | $1"); }
mode_bridge() { PLUGIN=$BIN/task-bridge CONFIG=$(conf ".type=\"task-bridge\" | .bridge=\"cni0\" | del(.attach, .vpc, .blockInstanceMetadata) | $1"); }
MODES=(veth macvlan bridge)
FOREIGN='.ipam={type: "anything"}'

SPECIAL='0.0.0.5/8|this network
127.0.0.2/8|loopback
169.254.169.254/16|services
169.254.169.253/32|services
169.254.170.2/24|services
224.0.0.5/24|multicast
240.0.0.9/24|reserved
255.255.255.255/8|reserved or broadcast
::/64|unspecified
::1/64|loopback
::1.2.3.4/120|IPv4-compatible
fe80::5/64|link-local
fd00:ec2::254/64|services
fd00:ec2::23/128|services
ff02::5/64|multicast'

if group foreign; then
	for mode in "${MODES[@]}"; do
		"mode_$mode" "$FOREIGN"
		while IFS='|' read -r address what; do
			t "$mode: a foreign IPAM plugin gives $address: refused by name"
			given "$address"
			refused 105 "result of anything: the address ${address%/*} is .*$what" ADD "$CONFIG" CNI_PATH="$TMP/bin"
		done <<<"$SPECIAL"
		while IFS='|' read -r address what; do
			t "$mode: a foreign IPAM plugin gives $address, which is not a task's in its subnet: refused"
			given "$address"
			refused 105 "result of anything: $address $what" ADD "$CONFIG" CNI_PATH="$TMP/bin"
		done <<-'END'
			10.9.1.0/24|is the network address
			10.9.1.255/24|is the broadcast address
			fd00:9::/64|is the routers' anycast address
			10.9.1.4/0|has the prefix length 0
		END
		t "$mode: an IPv4-mapped address is none that can be told from IPv4's"
		given ::ffff:1.2.3.4/120
		refused 105 'result of anything:' ADD "$CONFIG" CNI_PATH="$TMP/bin"
		for address in 198.51.100.2/24 198.51.100.4/32 2001:db8:f::2/64; do
			t "$mode: a foreign IPAM plugin gives $address, the host's own"
			given "$address"
			refused 105 "result of anything: ${address%/*} is an address of this host" ADD "$CONFIG" CNI_PATH="$TMP/bin"
		done
		for address in 198.51.100.254/24 198.51.100.254/32 2001:db8:f::254/64; do
			t "$mode: a foreign IPAM plugin gives $address, the router's"
			given "$address"
			refused 105 "result of anything: ${address%/*} is the router of this host's default route" ADD "$CONFIG" CNI_PATH="$TMP/bin"
		done
		t "$mode: a gateway that is none"
		given 10.9.1.4/24 169.254.169.254
		refused 105 'the gateway 169.254.169.254 is an address of AWS' ADD "$CONFIG" CNI_PATH="$TMP/bin"
		t "$mode: the second address of a result counts as well"
		jq -nc '{cniVersion: "1.0.0", ips: [{address: "10.9.1.4/24", gateway: "10.9.1.1"}, {address: "fe80::7/64"}]}' >"$TMP/answer"
		refused 105 'the address fe80::7 is a link-local address' ADD "$CONFIG" CNI_PATH="$TMP/bin"
		t "$mode: an ordinary one is taken, also of ECS's own link-local block, of a /32 and a /31"
		for address in 10.9.1.4/24 169.254.172.5/22 10.9.1.4/32 10.9.1.4/31 fd00:9::5/64; do
			[ "$mode ${address#*/}" != "bridge 32" ] || continue
			given "$address"
			works ADD "$CONFIG" CNI_PATH="$TMP/bin" && works DEL "$CONFIG" CNI_PATH="$TMP/bin"
		done
		clean
	done
fi

if group pool; then
	while IFS='|' read -r subnet what; do
		for mode in "${MODES[@]}"; do
			t "$mode: a pool of $subnet: refused by name, by STATUS too"
			"mode_$mode" ".ipam.ranges=[[{subnet:\"$subnet\"}]]"
			refused 7 "ranges.*$subnet.* $what" ADD "$CONFIG"
			refused 7 "ranges.*$subnet.* $what" STATUS "$CONFIG"
		done
	done <<-'END'
		0.0.0.0/16|unspecified
		0.9.0.0/16|this network
		127.9.0.0/16|loopback
		169.254.169.0/24|services
		169.254.170.0/28|services
		224.9.0.0/16|multicast
		240.9.0.0/16|reserved
		::/64|unspecified
		::ffff:10.9.1.0/120|IPv4-mapped
		fe80::/64|link-local
		fd00:ec2::/64|services
		ff02::/64|multicast
	END
	t "a pool that only contains some gives none of them"
	mode_veth '.ipam.ranges=[[{subnet:"169.254.0.0/16",rangeStart:"169.254.168.255",rangeEnd:"169.254.171.0"}]] | .ipam.placement="first" | .ipam.cooldown=0'
	add c1 "$CONFIG"
	is 169.254.168.255 "$(address c1)" "first"
	netns c2 c3
	add c2 "$CONFIG"
	is 169.254.171.0 "$(address c2)" "second"
	refused 104 '' ADD "$CONFIG" CNI_CONTAINERID=c3 CNI_NETNS=$NETNS/c3
	del c1 "$CONFIG"
	del c2 "$CONFIG"
	drop c2 c3
	clean
fi

if group asked; then
	while IFS='|' read -r address what; do
		address=${address%/*}
		t "$address is asked for: refused by name, whoever asks"
		mode_veth '.ipam.ranges=[[{subnet:"10.0.1.0/24"}],[{subnet:"fd00:10::/64"}]]'
		refused 103 "CNI_ARGS IP: $address is .*$what" ADD "$CONFIG" CNI_ARGS="IP=$address"
		refused 103 "runtimeConfig.ips: $address is .*$what" ADD "$(jq -c --arg a "$address" '.runtimeConfig={ips: [$a]}' <<<"$CONFIG")"
		refused 103 "args.cni.ips: $address is .*$what" ADD "$(jq -c --arg a "$address" '.args={cni: {ips: [$a]}}' <<<"$CONFIG")"
	done <<<"$SPECIAL"
	clean
fi

if group lan; then
	# A pool over the LAN itself, whose gateway is not its router; with veth it must be the host.
	POOL='.ipam.cooldown=0 | .ipam.placement="first" | .ipam.ranges=[[{subnet:"198.51.100.0/24",gateway:"%s",reserve:"minimal",%s}],
		[{subnet:"2001:db8:f::/64",gateway:"%s",rangeStart:"2001:db8:f::2",reserve:"minimal"}]]'
	lan_pool() {
		local gateway=198.51.100.1 gateway6=2001:db8:f::1
		[ "$1" != veth ] || gateway=198.51.100.2 gateway6=2001:db8:f::2
		# shellcheck disable=SC2059 # the format is ours
		"mode_$1" "$(printf "$POOL" $gateway "$2" $gateway6)"
	}
	for mode in "${MODES[@]}"; do
		forget
		lan_pool "$mode" 'rangeStart:"198.51.100.2"'
		t "$mode: the pool passes over the addresses of the host and its router"
		names=()
		for i in 1 2 3; do
			netns "p$i" && names+=("p$i")
			add "p$i" "$CONFIG"
		done
		is "198.51.100.3 198.51.100.5 198.51.100.6" "$(for i in 1 2 3; do address p$i; done | xargs)" "addresses"
		is "2001:db8:f::3 2001:db8:f::4 2001:db8:f::5" "$(for i in 1 2 3; do address p$i 1; done | xargs)" "IPv6 addresses"
		for i in 1 2 3; do del "p$i" "$CONFIG"; done
		drop "${names[@]}"
		for ip in 198.51.100.2 198.51.100.4 2001:db8:f::2; do
			[ "$mode $ip" != "veth ${ip%4}" ] || continue	# its gateway: reserved
			t "$mode: $ip is asked for: the host's own"
			refused 103 "CNI_ARGS IP: $ip is an address of this host" ADD "$CONFIG" CNI_ARGS="IP=$ip"
		done
		t "$mode: the router's address is asked for"
		refused 103 "CNI_ARGS IP: 198.51.100.254 is the router of this host's default route" ADD "$CONFIG" CNI_ARGS="IP=198.51.100.254"
		lan_pool "$mode" 'rangeStart:"198.51.100.254",rangeEnd:"198.51.100.254"'
		t "$mode: a pool of nothing else: STATUS and ADD say so"
		refused 50 "all addresses of 198.51.100.0/24 that could be given are this host's own or its router's" STATUS "$CONFIG"
		refused 104 'exhausted' ADD "$CONFIG"
		clean
	done
	t "a LAN's own router counts, where the host's default route goes elsewhere"
	ip link add far0 type veth peer name far1
	ip addr add 203.0.113.2/24 dev far0
	ip link set far0 up
	ip link set far1 up
	ip route replace default via 203.0.113.1 metric 0
	ip route add default via 198.51.100.254 dev lan0 metric 100
	mode_macvlan '.ipam.ranges=[[{subnet:"198.51.100.0/24",gateway:"198.51.100.1",rangeStart:"198.51.100.250",rangeEnd:"198.51.100.254"}]] | .ipam.cooldown=0'
	refused 103 "198.51.100.254 is the router" ADD "$CONFIG" CNI_ARGS=IP=198.51.100.254
	ip link del far0
	ip route del default via 198.51.100.254 dev lan0 metric 100
	ip route replace default via 198.51.100.254
	t "what the host has on a bridge of others is not given to a task of that bridge"
	ip link add br0 type bridge
	ip addr add 192.0.2.129/26 dev br0
	ip link set br0 up
	mode_bridge '.bridge="br0" | .ipam.cooldown=0 | .ipam.placement="first" | .ipam.ranges=[[{subnet:"192.0.2.128/26",reserve:"minimal",gateway:"192.0.2.190"}]]'
	add c1 "$CONFIG"
	is 192.0.2.130 "$(address c1)" address
	del c1 "$CONFIG"
	refused 103 '192.0.2.129 is an address of this host' ADD "$CONFIG" CNI_ARGS=IP=192.0.2.129
	ip link del br0
	clean
fi

finish
