#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# awsvpc, hostRouting bpf: packets go from task to task past the host's stack, and nothing that the
# stack would not have let through. SLOW=1: every checksum that a header can have.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
need tc

BPF=$(conf ".ipam.ranges += [$CONF6] | .hostRouting = \"bpf\"")
STACK=$(jq -c 'del(.hostRouting) | .name = "other"' <<<"$BPF")
# A kernel without bpf() or a container that forbids it; what the verifier refuses (EACCES) is a fault.
ID=probe plugin STATUS "$BPF"
case $RC$OUT in
0*) ;;
*"Function not implemented"* | *"Operation not permitted"*)
	skip "this host loads no BPF programs: $OUT"
	finish
	;;
*)
	t "the kernel takes the program"
	fail "STATUS: $OUT"
	finish
	;;
esac
baseline

# counted FROM IN EXPRESSION COMMAND…: packets like EXPRESSION that the command, run in FROM, brings
# to the namespace IN. HOOK: where they are counted.
counted() {
	local from=$1 in=$2 expression=$3
	shift 3
	in_ns "$in" nft "add table inet seen; add chain inet seen in { type filter hook ${HOOK:-prerouting priority -400}; };" \
		"add rule inet seen in $expression counter"
	in_ns "$from" "$@" >"$TMP/said" 2>&1
	in_ns "$in" nft -j list table inet seen | jq '[.. | .counter? // empty | .packets] | add'
	in_ns "$in" nft delete table inet seen
}
# by_stack FROM COMMAND…: how many packets the host's stack forwards meanwhile.
by_stack() {
	local from=$1
	shift
	HOOK="forward priority 0" counted "$from" host "" "$@"
}
# Three echoes, in any namespace.
ECHOES=(ping -n -q -c 3 -i 0.05 -W 0.5)

add a "$BPF"
add b "$BPF"
add c "$STACK"
A=$(address a) A6=$(address a 1) B=$(address b) B6=$(address b 1) C=$(address c) C6=$(address c 1)

if group "from task to task"; then
	t "both ways, past the stack"
	for to in "$B" "$B6"; do
		is 0 "$(by_stack a "${ECHOES[@]}" "$to")" "forwarded to $to"
		like ' 0% packet loss' "$(<"$TMP/said")" "$to"
	done
	tcp_ok a b "$B"
	tcp_ok b a "$A"
	tcp_ok a b "$B6"
	t "frames are those of a router: its MAC, one hop less"
	MAC=$(ip -j link show "$(host_link b)" | jq -r '.[0].address')
	is 3 "$(counted a b "ether saddr $MAC ip saddr $A ip ttl 63 icmp type echo-request" "${ECHOES[@]}" "$B")" IPv4
	is 3 "$(counted a b "ether saddr $MAC ip6 saddr $A6 ip6 hoplimit 63 icmpv6 type echo-request" "${ECHOES[@]}" "$B6")" IPv6
	t "a task of the stack is reached by the stack, both ways"
	is 6 "$(by_stack a "${ECHOES[@]}" "$C")" "forwarded to and from $C"
	is 6 "$(by_stack c "${ECHOES[@]}" "$A")" "forwarded to and from $A"
	is 6 "$(by_stack c "${ECHOES[@]}" "$A6")" "forwarded to and from $A6"
	like ' 0% packet loss' "$(<"$TMP/said")" "$C6 to $A6"
	t "host and task"
	ping_ok host "$A"
	ping_ok a 192.0.2.1
	ping_ok a "$(result a '.ips[0].gateway')"
	t "a stream arrives as it was sent"
	in_ns b timeout $((30 * EMULATED)) busybox nc -l -p 7008 -e seq 9000000 &
	until_true in_ns b sh -c 'ss -Hltn "sport = 7008" | grep -q .'
	is "$(seq 9000000 | md5sum)" "$(in_ns a bash -c "md5sum </dev/tcp/$B/7008")" "the sum of 71 MB"
	wait $!
	if [ -n "${SLOW:-}" ]; then
		t "every checksum that a header can have"
		like ' 0% packet loss' "$(in_ns a ping -n -q -f -c 70000 "$B")" "70000 identifications"
	fi
fi

if group "who may"; then
	t "a forged source is taken by nobody"
	is 3 "$(counted a b "ip saddr $A" "${ECHOES[@]}" "$B")" "its own arrives"
	for forged in "$C" 198.51.100.77; do
		ip -n a addr add "$forged/32" dev eth0
		is 0 "$(counted a b "ip saddr $forged" "${ECHOES[@]}" -I "$forged" "$B")" "from $forged"
		ip -n a addr del "$forged/32" dev eth0
	done
	ip -n a -6 addr add "$C6/128" dev eth0 nodad
	is 0 "$(counted a b "ip6 saddr $C6" "${ECHOES[@]}" -I "$C6" "$B6")" "from $C6"
	ip -n a -6 addr del "$C6/128" dev eth0
	t "nor from another MAC"
	MAC=$(ip -n a -j link show eth0 | jq -r '.[0].address')
	GW=$(result a '.ips[0].gateway') GW6=$(result a '.ips[1].gateway')
	readdress() {
		ip -n a link set eth0 address "$1"
		for gw in "$GW" "$GW6"; do
			ip -n a neigh replace "$gw" dev eth0 nud permanent \
				lladdr "$(ip -j link show "$(host_link a)" | jq -r '.[0].address')"
		done
	}
	for mac in "${MAC%:*}:00" "00${MAC#??}"; do
		[ "$mac" != "$MAC" ] || continue
		readdress "$mac"
		is 0 "$(counted a b "ip saddr $A" "${ECHOES[@]}" "$B")" "from $mac"
		is 0 "$(counted a b "ip6 saddr $A6" "${ECHOES[@]}" "$B6")" "from $mac, IPv6"
	done
	readdress "$MAC"
	ping_ok a "$B"
	ping_ok a "$B6"
	t "instance metadata, even where a task plays it"
	# No network gives these addresses, so the host is told by hand that this task has them.
	add imds "$(jq -c '.name = "imds"' <<<"$BPF")"
	for ip in 169.254.169.254/32 fd00:ec2::254/128; do
		ip -n imds addr add "$ip" dev eth0
		ip route add "$ip" dev "$(host_link imds)" metric $((0x76627066))
		ip neigh replace "${ip%/*}" dev "$(host_link imds)" nud permanent \
			lladdr "$(ip -n imds -j link show eth0 | jq -r '.[0].address')"
	done
	add open "$(jq -c '.name = "open" | .blockInstanceMetadata = false' <<<"$BPF")"
	# Root in the task takes the courtesy routes away.
	for blackhole in "-4 icmp 169.254.169.254" "-6 icmpv6 fd00:ec2::254"; do
		read -r family icmp to <<<"$blackhole"
		is 3 "$(counted open imds "$icmp type echo-request" "${ECHOES[@]}" "$to")" "of an open task, to $to"
		ip -n a "$family" route del blackhole "$to"
		is 0 "$(counted a imds "$icmp type echo-request" "${ECHOES[@]}" "$to")" "of one that must not, to $to"
		ip -n a "$family" route add blackhole "$to" proto static
	done
	for name in imds open; do
		del "$name" "$(jq -c ".name = \"$name\"" <<<"$BPF")"
		drop "$name"
	done
fi

if group "what the stack must see"; then
	t "a hop too far: the router says so"
	like 'Time to live exceeded' "$(in_ns a ping -n -c 1 -W 1 -t 1 "$B" 2>&1)" "TTL 1"
	like 'Hop limit|Time exceeded' "$(in_ns a ping -n -c 1 -W 1 -t 1 "$B6" 2>&1)" "hop limit 1"
	t "options, which routers read"
	is 2 "$(by_stack a ping -n -q -c 1 -W 1 -R "$B")" "record route, forwarded"
	like ' 0% packet loss' "$(<"$TMP/said")" "record route"
	t "packets that do not fit"
	SMALL=$(jq -c '.name = "small" | .mtu = 1300' <<<"$BPF")
	add small "$SMALL"
	like 'mtu.*1300' "$(in_ns a ping -n -c 1 -W 1 -M "do" -s 1400 "$(address small)" 2>&1)" "too big, don't fragment"
	ping_ok a "$(address small)" -M "dont" -s 1400
	ping_ok small "$B" -s 3000
	ping_ok a "$(address small 1)" -s 1400
	del small "$SMALL"
	drop small
fi

if group "the routing table decides"; then
	t "a route of the host's in front of the task's is obeyed"
	ip route add prohibit "$B/32" metric 1
	ping_no a "$B"
	ip route del prohibit "$B/32" metric 1
	ping_ok a "$B"
	t "so is forwarding that is switched off"
	echo 0 >"/proc/sys/net/ipv4/conf/$(host_link a)/forwarding"
	ping_no a "$B"
	echo 1 >"/proc/sys/net/ipv4/conf/$(host_link a)/forwarding"
	ping_ok a "$B"
	t "a task that is gone is gone, and who has its address next is found"
	del b "$BPF"
	ping_no a "$B"
	drop b
	add b "$(jq -c ".runtimeConfig.ips = [\"$B\", \"$B6\"]" <<<"$BPF")"
	ping_ok a "$B"
	ping_ok a "$B6"
	is 0 "$(by_stack a "${ECHOES[@]}" "$B")" "forwarded to the heir"
fi

if group "what is given up"; then
	t "an answer to what came by a translated address does not find back, unless a task of the stack asks"
	nft "add table ip stranger; add chain ip stranger nat { type nat hook prerouting priority dstnat; };" \
		"add rule ip stranger nat ip daddr 192.0.2.1 tcp dport 7009 dnat to $A:7007"
	in_ns a timeout 30 busybox nc -ll -p 7007 -e /bin/cat &
	SERVER=$!
	until_true in_ns a sh -c 'ss -Hltn "sport = 7007" | grep -q .'
	asks() { echo hello | in_ns "$1" timeout 2 busybox nc -w 1 192.0.2.1 7009 2>/dev/null; }
	is hello "$(asks c)" "c, of the stack"
	is "" "$(asks b)" "b, past the stack"
	stop "$SERVER"
	nft delete table ip stranger
	t "a policy of others is not asked"
	nft 'add table inet stranger; add chain inet stranger fw { type filter hook forward priority 0; policy drop; }'
	ping_no c "$A"
	ping_ok b "$A"
	nft delete table inet stranger
	t "a token bucket at the host's end holds up what comes by the stack alone"
	tc qdisc add dev "$(host_link a)" root tbf rate 8kbit burst 3000 latency 1ms
	is 10 "$(counted b a "icmp type echo-request" ping -n -q -c 10 -i 0.01 -s 1000 -W 0.5 "$A")" "of 10 from b"
	within 4 "$(counted c a "icmp type echo-request" ping -n -q -c 10 -i 0.01 -s 1000 -W 0.5 "$A")" "of 10 from c"
	tc qdisc del dev "$(host_link a)" root
	if [ -x "$CNI_REF/bandwidth" ]; then
		t "the reference bandwidth finds its hook taken, and says so"
		jq -n --argjson c "$BPF" '{cniVersion: "1.0.0", name: "chained", plugins: [$c,
			{type: "bandwidth", ingressRate: 1000000, ingressBurst: 1000000, egressRate: 1000000, egressBurst: 1000000}]}' \
			>"$TMP/chained"
		ip netns add chained
		chain ADD "$TMP/chained" chained
		isnt 0 "$RC" "exit code of the chain"
		like 'exist' "$OUT" "its error"
		chain DEL "$TMP/chained" chained
		drop chained
	else
		skip "needs the reference bandwidth"
	fi
fi

if group "repair"; then
	t "a program that is gone, or another one, is told, with what brings it back"
	HA=$(host_link a)
	tc filter del dev "$HA" ingress
	"$BIN/taskvpc" explain b | sed -n "s/$(host_link b)/$HA/; /mktemp/,/^EOF$/p" | sh
	like "host_routing" "$(tc filter show dev "$HA" ingress)" "the program of b at the link of a"
	ID=a refused 106 "BPF program of $HA.*another one" CHECK "$(with_prev a "$BPF")"
	tc filter del dev "$HA" ingress
	isnt 0 "$(by_stack a "${ECHOES[@]}" "$B")" "forwarded without it"
	ID=a refused 106 "BPF program of $HA.*taskvpc explain" CHECK "$(with_prev a "$BPF")"
	runs "repair" env PATH="$BIN:$PATH" sh -c "$(jq -r '.details | sub("to repair it: "; "")' <<<"$OUT")"
	verify a "$BPF"
	is 0 "$(by_stack a "${ECHOES[@]}" "$B")" "forwarded with it"
fi

t "all is whole, and all goes"
verify a "$BPF"
verify b "$BPF"
verify c "$STACK"
del a "$BPF"
del b "$BPF"
del c "$STACK"
drop a b c
clean

if group "where it cannot be"; then
	t "not with macvlan"
	ip netns add m
	ID=m refused 7 'hostRouting.*bpf.*macvlan' ADD "$(conf '.attach="macvlan" | .hostRouting="bpf" | .master="lo"')"
	t "the kernel's refusal names the key, and nothing is left"
	if command -v strace >/dev/null; then
		printf '#!/bin/sh\nexec strace -qq -f -o /dev/null -e inject=bpf:error=EPERM %s "$@"\n' "$PLUGIN" >"$TMP/denied"
		chmod +x "$TMP/denied"
		ALLOWED=$PLUGIN PLUGIN=$TMP/denied
		export ASAN_OPTIONS=detect_leaks=0 # which wants ptrace for itself
		ID=m refused 100 'hostRouting: bpf.*not permitted.*CAP_BPF' ADD "$BPF"
		ID=m refused 50 'hostRouting: bpf.*not permitted' STATUS "$BPF"
		unset ASAN_OPTIONS
		PLUGIN=$ALLOWED
	else
		skip "needs strace"
	fi
	drop m
fi

clean
finish
