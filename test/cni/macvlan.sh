#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# awsvpc, attach macvlan: the task sits on the LAN itself. The LAN is a veth pair, its far end the
# router and neighbour of everybody; the host's own end, lan0, is the master.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
netns lan
ip link add lan0 type veth peer name lan1 netns lan
ip addr add 10.0.1.2/24 dev lan0
ip -6 addr add fd00:10:1::fffe/64 dev lan0 nodad
ip link set lan0 up
ip -n lan addr add 10.0.1.1/24 dev lan1
ip -n lan -6 addr add fd00:10:1::1/64 dev lan1 nodad
ip -n lan link set lan1 up
until_true pings host 10.0.1.1
ip -6 neigh flush all
baseline

# mv MODE HOSTACCESS [FILTER]
mv_conf() {
	conf ".attach=\"macvlan\" | .master=\"lan0\" | .mode=\"$1\" | .hostAccess=$2
		| .ipam.ranges=[[{subnet:\"10.0.1.0/24\",rangeStart:\"10.0.1.10\"}],
			[{subnet:\"fd00:10:1::/64\",rangeStart:\"fd00:10:1::10\"}]] | ${3:-.}"
}

if group wiring; then
	CONFIG=$(mv_conf bridge false)
	add a "$CONFIG"
	t "result and link"
	is eth0 "$(result a '[.interfaces[] | select(.sandbox != null and .sandbox != "")][0].name')" "interface"
	is false "$(result a '[.interfaces[].name] | contains(["lan0"])')" "master among the interfaces"
	link=$(ip -n a -j -d link show eth0 | jq '.[0]')
	is "macvlan bridge" "$(jq -r '.linkinfo | "\(.info_kind) \(.info_data.mode)"' <<<"$link")" "kind"
	is "$(jq -r .address <<<"$link")" "$(result a '.interfaces[] | select(.name == "eth0") | .mac')" "MAC"
	like '^02:' "$(jq -r .address <<<"$link")" "own MAC"
	is "10.0.1.10/24 10.0.1.1" "$(result a '.ips[0] | "\(.address) \(.gateway)"')" "address"
	like 'default via 10.0.1.1' "$(ip -n a route)" "default route"
	is 0 "$(sysctl_of a net/ipv6/conf/eth0/accept_ra)" accept_ra
	is "" "$(ip -n a -6 addr show tentative)" "tentative"
	like 'LOOPBACK,UP' "$(ip -n a -o link show lo)" "lo is up"
	verify a "$CONFIG"
	t "the LAN's router is the gateway, and a neighbour"
	ping_ok a 10.0.1.1
	ping_ok a fd00:10:1::1
	ping_ok lan "$(address a)"
	ping_ok lan "$(address a 1)"
	tcp_ok lan a "$(address a)"
	tcp_ok a lan 10.0.1.1
	t "the host does not reach its own children"
	ping_no host "$(address a)"
	ping_no a 10.0.1.2
	t "the MAC that was asked for"
	netns b
	ID=b works ADD "$CONFIG" CNI_ARGS="MAC=02:aa:bb:cc:dd:01"
	is 02:aa:bb:cc:dd:01 "$(ip -n b -j link show eth0 | jq -r '.[0].address')" MAC
	t "an address held by a stranger on the same LAN and the same MAC twice: told"
	netns c
	plugin ADD "$CONFIG" CNI_CONTAINERID=c CNI_NETNS=$NETNS/c CNI_ARGS="MAC=02:aa:bb:cc:dd:01"
	expect_error 100+ 'address already in use'
	like 'another interface on the same master has this MAC' "$(jq -r .details <<<"$OUT")" details
	t "a container that ended is started again at once with the MAC it had"
	for _ in {1..10}; do
		ip netns del b
		netns b
		ID=b works ADD "$CONFIG" CNI_ARGS="MAC=02:aa:bb:cc:dd:01"
	done
	del b "$CONFIG"
	t "CHECK sees what is missing"
	ip -n a route del default
	refused 106 'default|0\.0\.0\.0/0' CHECK "$(with_prev a "$CONFIG")" CNI_CONTAINERID=a CNI_NETNS=$NETNS/a
	ip -n a link del eth0
	refused 106 'eth0' CHECK "$(with_prev a "$CONFIG")" CNI_CONTAINERID=a CNI_NETNS=$NETNS/a
	del a "$CONFIG"
	drop a b c
	clean
fi

if group modes; then
	for mode in bridge private vepa; do
		t "mode $mode"
		CONFIG=$(mv_conf $mode false)
		add a "$CONFIG"
		add b "$CONFIG"
		is "$mode" "$(ip -n a -j -d link show eth0 | jq -r '.[0].linkinfo.info_data.mode')" mode
		ping_ok a 10.0.1.1
		if [ $mode = bridge ]; then ping_ok a "$(address b)"; else ping_no a "$(address b)"; fi
		verify a "$CONFIG"
		del a "$CONFIG"
		del b "$CONFIG"
		drop a b
		clean
	done
	t "mode passthru: one task, alone on the master"
	CONFIG=$(mv_conf passthru false)
	mac=$(ip -j link show lan0 | jq -r '.[0].address')
	add a "$CONFIG"
	is passthru "$(ip -n a -j -d link show eth0 | jq -r '.[0].linkinfo.info_data.mode')" mode
	ping_ok a 10.0.1.1
	netns b
	ID=b refused '7|100' 'lan0|passthru|busy|invalid' ADD "$CONFIG"
	del a "$CONFIG"
	drop a b
	is "$mac" "$(ip -j link show lan0 | jq -r '.[0].address')" "the master's MAC afterwards"
	clean
	t "a task with IPv4 only has no IPv6"
	CONFIG=$(mv_conf bridge false '.ipam.ranges |= .[:1]')
	add a "$CONFIG"
	is 1 "$(sysctl_of a net/ipv6/conf/eth0/disable_ipv6)" disable_ipv6
	is "" "$(ip -n a -6 addr show dev eth0)$(ip -n a -6 route show dev eth0)" "IPv6 addresses and routes"
	ping_ok a 10.0.1.1
	del a "$CONFIG"
	drop a
	t "mode passthru cannot go with hostAccess"
	netns a
	ID=a refused 7 'hostAccess.*passthru|passthru.*hostAccess' ADD "$(mv_conf passthru true)"
	drop a
	t "a route whose gateway is not on the LAN: STATUS says so, and it is right"
	CONFIG=$(mv_conf bridge false '.ipam.routes=[{dst:"0.0.0.0/0"},{dst:"198.18.0.0/24",gw:"203.0.113.9"}]')
	netns a
	ID=a refused 50 'the gateway 203\.0\.113\.9 of 198\.18\.0\.0/24 is in no subnet of the task' STATUS "$CONFIG"
	ID=a refused 7 'the gateway 203\.0\.113\.9 of 198\.18\.0\.0/24 is in no subnet of the task' ADD "$CONFIG"
	drop a
	t "the default is mode bridge, without hostAccess"
	CONFIG=$(mv_conf bridge false 'del(.mode) | del(.hostAccess)')
	add a "$CONFIG"
	is bridge "$(ip -n a -j -d link show eth0 | jq -r '.[0].linkinfo.info_data.mode')" mode
	is "" "$(ip -br link show type macvlan)" "macvlans on the host"
	del a "$CONFIG"
	drop a
	clean
	t "a master that is a port of a bridge: refused, and which would be right"
	ip link add lanbr type bridge
	ip link add spare0 type veth peer name spare1
	ip link set spare0 master lanbr
	netns a
	ID=a refused 7 'master: "spare0" is a port of the bridge "lanbr".*name "lanbr" itself' ADD "$(mv_conf bridge false '.master="spare0"')"
	ip link del spare0
	ip link del lanbr
	drop a
	t "the default master is the default route's interface"
	CONFIG=$(mv_conf bridge false 'del(.master)')
	netns a
	ID=a refused '7|100' 'master|default route' ADD "$CONFIG"
	ip route add default via 10.0.1.1
	add a "$CONFIG"
	ping_ok a 10.0.1.1
	del a "$CONFIG"
	ip route del default
	drop a
	clean
fi

if group hostaccess; then
	t "hostAccess: host and task reach one another, and the LAN still does"
	CONFIG=$(mv_conf bridge true)
	add a "$CONFIG"
	add b "$CONFIG"
	is 1 "$(ip -br link show type macvlan | wc -l)" "macvlans on the host"
	ping_ok host "$(address a)"
	ping_ok host "$(address b)"
	ping_ok host "$(address a 1)"
	ping_ok a 10.0.1.2
	ping_ok b 10.0.1.2
	tcp_ok host a "$(address a)"
	tcp_ok a host 10.0.1.2
	ping_ok a "$(address b)"
	ping_ok a 10.0.1.1
	ping_ok lan "$(address a)"
	ping_ok host 10.0.1.1
	ping_ok lan 10.0.1.2
	verify a "$CONFIG"
	t "the LAN knows the host by the master's MAC alone, whatever host and tasks say to each other"
	MASTER=$(ip -j link show lan0 | jq -r '.[0].address')
	# macs: the MACs that the LAN has for the host's addresses, asked anew.
	macs() {
		in_ns lan ip neigh flush all
		pings lan 10.0.1.2 -W 1
		pings lan fd00:10:1::fffe -W 1
		in_ns lan ip -j neigh | jq -r '[.[] | select(.dst == "10.0.1.2" or .dst == "fd00:10:1::fffe") | .lladdr] | unique | join(" ")'
	}
	is "$MASTER" "$(macs)" "the host's MAC"
	for name in a b; do
		ping_ok host "$(address $name)"
		ping_ok host "$(address $name 1)"
		ping_ok $name fd00:10:1::fffe
	done
	is "$MASTER" "$(in_ns lan ip -j neigh | jq -r '[.[] | select(.dst == "10.0.1.2" or .dst == "fd00:10:1::fffe") | .lladdr] | unique | join(" ")')" "the host's MAC after that"
	if command -v tcpdump >/dev/null; then
		SHIM=$(ip -j link show type macvlan | jq -r '.[0].address')
		in_ns lan timeout 20 tcpdump -n -l -i lan1 --immediate-mode ether src "$SHIM" >"$TMP/dump" 2>"$TMP/dump.err" &
		pid=$!
		until_true grep -q listening "$TMP/dump.err"
		ping_ok host "$(address a)"
		ping_ok a 10.0.1.2
		ping_ok host "$(address a 1)"
		macs >/dev/null
		stop $pid
		is "" "$(<"$TMP/dump")" "frames of the host's macvlan on the LAN"
	fi
	t "hostAccess works with arp_ignore=1 and 2 (kube-proxy's strictARP) and arp_announce=2"
	for ignore in 1 2; do
		sysctl -qw net.ipv4.conf.all.arp_ignore=$ignore net.ipv4.conf.all.arp_announce=2
		ip neigh flush all
		in_ns a ip neigh flush all
		ping_ok a 10.0.1.2
		ping_ok host "$(address a)"
		add c "$CONFIG"
		ping_ok c 10.0.1.2
		ping_ok host "$(address c)"
		verify c "$CONFIG"
		del c "$CONFIG"
		drop c
	done
	sysctl -qw net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.all.arp_announce=0
	t "each address that the host has on the LAN is reached"
	ip addr add 10.0.1.3/24 dev lan0
	add c "$CONFIG"
	ping_ok c 10.0.1.3
	ping_ok c 10.0.1.2
	del c "$CONFIG"
	drop c
	ip addr del 10.0.1.3/24 dev lan0
	t "the shim stays while one task needs it"
	del a "$CONFIG"
	is 1 "$(ip -br link show type macvlan | wc -l)" "macvlans on the host"
	ping_ok host "$(address b)"
	verify b "$CONFIG"
	t "CHECK sees a missing neighbour, a host's macvlan that answers ARP, and one that is missing"
	in_ns b ip neigh del 10.0.1.2 dev eth0
	refused 106 "neighbour 10.0.1.2" CHECK "$(with_prev b "$CONFIG")" CNI_CONTAINERID=b CNI_NETNS=$NETNS/b
	SHIM=$(ip -br link show type macvlan | awk '{ sub(/@.*/, "", $1); print $1 }')
	ip link set "$SHIM" arp on
	refused 106 "$SHIM answers ARP" CHECK "$(with_prev b "$CONFIG")" CNI_CONTAINERID=b CNI_NETNS=$NETNS/b
	ip link del "$(ip -br link show type macvlan | awk '{ sub(/@.*/, "", $1); print $1 }')"
	refused 106 '.' CHECK "$(with_prev b "$CONFIG")" CNI_CONTAINERID=b CNI_NETNS=$NETNS/b
	del b "$CONFIG"
	is "$MASTER" "$(macs)" "the host's MAC after the last task"
	ping_ok lan 10.0.1.2
	ping_ok lan fd00:10:1::fffe
	drop a b
	clean
	t "hostAccess with mode private is refused"
	netns a
	ID=a refused 7 'hostAccess.*private' ADD "$(mv_conf private true)"
	drop a
	t "an MTU that IPv6 does not run with"
	small=$(mv_conf bridge true 'del(.ipam.ranges[1]) | .mtu = 1000')
	add a "$small"
	ping_ok host "$(address a)"
	ping_ok a 10.0.1.1
	verify a "$small"
	del a "$small"
	drop a
	clean
	t "networks of one master with different MTUs share the shim: it stays for the last"
	add a "$CONFIG"
	add b "$(jq -c '.name="lab2" | .mtu=1400' <<<"$CONFIG")"
	del a "$CONFIG"
	verify b "$(jq -c '.name="lab2" | .mtu=1400' <<<"$CONFIG")"
	ping_ok host "$(address b)"
	del b "$(jq -c '.name="lab2"' <<<"$CONFIG")"
	drop a b
	clean
	t "two with hostAccess at once, and away at once"
	job() {
		ip netns add "p$1"
		call ADD "p$1" <<<"$CONFIG"
	}
	undo() { call DEL "p$1" <<<"$CONFIG"; }
	many 8 job
	is 8 "$(many_rc 0)" "ADDs: $(cat "$TMP"/job/*.out | jq -r '.msg // empty' | sort | uniq -c)"
	ping_ok host "$(jq -r '.ips[0].address | split("/")[0]' "$TMP/job/5.out")"
	many 8 undo
	is 8 "$(many_rc 0)" DELs
	for i in 1 2 3 4 5 6 7 8; do drop "p$i"; done
	clean
fi

if group announce; then
	if ! command -v tcpdump >/dev/null; then
		skip "needs tcpdump"
	else
		t "the task announces itself: gratuitous ARP, unsolicited NA"
		CONFIG=$(mv_conf bridge false '.ipam.ranges[0][0].rangeStart="10.0.1.200"
			| .ipam.ranges[1][0].rangeStart="fd00:10:1::200"')
		: >"$TMP/dump.err"
		in_ns lan timeout 10 tcpdump -n -l -i lan1 --immediate-mode \
			'arp or icmp6[icmp6type] == icmp6-neighboradvert' >"$TMP/dump" 2>"$TMP/dump.err" &
		pid=$!
		until_true grep -q listening "$TMP/dump.err"
		add a "$CONFIG"
		until_true grep -q 'ARP.* 10\.0\.1\.200' "$TMP/dump"
		until_true grep -q 'tgt is fd00:10:1::200' "$TMP/dump"
		stop $pid
		like 'ARP, (Request who-has 10.0.1.200.* tell 10.0.1.200|Reply 10.0.1.200 is-at)' "$(<"$TMP/dump")" \
			"gratuitous ARP"
		like 'advertisement, tgt is fd00:10:1::200' "$(<"$TMP/dump")" "unsolicited NA"
		t "so a neighbour with a stale entry learns the new MAC"
		ping_ok lan 10.0.1.200
		del a "$CONFIG"
		drop a
		add b "$CONFIG" CNI_ARGS="IP=10.0.1.200"
		ping_ok lan 10.0.1.200
		del b "$CONFIG"
		drop b
		clean
	fi
fi

if group "announce foreign"; then
	t "addresses of a foreign IPAM plugin are announced too, IPv4 and IPv6"
	if [ ! -x "$CNI_REF/static" ]; then
		skip "needs $CNI_REF/static"
	else
		for access in false true; do
			CONFIG=$(mv_conf bridge $access '.cniVersion="1.0.0" | .ipam={type:"static",
				addresses:[{address:"10.0.1.220/24",gateway:"10.0.1.1"},{address:"fd00:10:1::220/64",gateway:"fd00:10:1::1"}]}')
			for round in first second third; do
				add $round "$CONFIG"
				# The neighbour's entry is that of the task before; it asks no more for a while.
				runs "the $round task by IPv4, hostAccess $access" pings lan 10.0.1.220 -W 1
				runs "the $round task by IPv6, hostAccess $access" pings lan fd00:10:1::220 -W 1
				verify $round "$CONFIG"
				del $round "$CONFIG"
				drop $round
			done
		done
		in_ns lan ip neigh flush all
		clean
	fi
fi

if group "a path that is gone"; then
	t "the process of CNI_NETNS has ended, another is in the namespace: the task has its address still"
	CONFIG=$(mv_conf bridge false)
	runs_sleep() { [ "$(readlink "/proc/$1/exe")" = "$(readlink -f "$(command -v sleep)")" ]; }
	unshare -n sleep 300 &
	first=$!
	until_true runs_sleep $first
	nsenter -t $first -n sleep 300 &
	second=$!
	until_true runs_sleep $second
	ID=pinned works ADD "$CONFIG" CNI_NETNS=/proc/$first/ns/net CNI_ARGS=IP=10.0.1.210
	stop $first
	netns b
	ID=b refused 103 '10\.0\.1\.210 is held by container pinned' ADD "$CONFIG" CNI_ARGS=IP=10.0.1.210
	is 10.0.1.210 "$(nsenter -t $second -n ip -j addr show eth0 | jq -r '.[0].addr_info[0].local')" "its address"
	ID=x works GC "$(jq -c 'del(.["cni.dev/valid-attachments"])' <<<"$CONFIG")"
	is 1 "$(records)" "records after a GC that has no list"
	t "DEL takes the interface out of the namespace that it finds"
	ID=pinned works DEL "$CONFIG" CNI_NETNS=
	fails "the interface" nsenter -t $second -n ip link show eth0
	stop $second
	drop b
	clean
fi

if group "a slow pool"; then
	t "while a foreign pool takes its time over a link, others restore rules"
	FAKE=$TMP/slow
	mkdir -p "$FAKE"
	mkfifo "$FAKE/go"
	cat >"$FAKE/slow" <<-END
		#!/bin/sh
		cat >/dev/null
		[ "\$CNI_COMMAND" != ADD ] || { touch $FAKE/asked; cat $FAKE/go; }
		echo '{"cniVersion":"1.1.0","ips":[{"address":"10.0.1.222/24"}]}'
	END
	chmod +x "$FAKE/slow"
	ROUTED=$(one 10.0.9.0/24)
	add guarded "$ROUTED"
	CONFIG=$(mv_conf bridge false '.ipam={type:"slow"}')
	netns slow
	slow_add() { env -i PATH="$PATH" CNI_COMMAND=ADD CNI_CONTAINERID=slow CNI_NETNS=$NETNS/slow CNI_IFNAME=eth0 CNI_PATH="$FAKE" "$PLUGIN" <<<"$CONFIG" >"$TMP/slow.out"; }
	slow_add &
	slow=$!
	until_true [ -e "$FAKE/asked" ]
	nft flush ruleset
	add second "$ROUTED"
	like "$(host_link guarded)" "$(nft list set inet taskvpc tasks)" "the guard of another, restored meanwhile"
	echo >"$FAKE/go"
	wait $slow || fail "the slow ADD: expected success, seen $(<"$TMP/slow.out")"
	is 10.0.1.222 "$(ip -n slow -j addr show eth0 | jq -r '.[0].addr_info[0].local')" "its address"
	ID=slow works DEL "$CONFIG" CNI_PATH="$FAKE"
	del guarded "$ROUTED"
	del second "$ROUTED"
	drop slow guarded second
	clean
fi

if group "IPv6 off"; then
	t "a task whose new interfaces have IPv6 off has it where it has an address"
	netns off
	for scope in all default; do in_ns off sh -c "echo 1 >/proc/sys/net/ipv6/conf/$scope/disable_ipv6"; done
	CONFIG=$(mv_conf bridge false)
	add off "$CONFIG"
	ping_ok off fd00:10:1::1
	is 0 "$(sysctl_of off net/ipv6/conf/eth0/disable_ipv6)" "disable_ipv6"
	verify off "$CONFIG"
	del off "$CONFIG"
	drop off
	clean
fi

if group mtu; then
	t "MTU: the master's by default, what is configured if the master can, else an error"
	ip link set lan0 mtu 1450
	CONFIG=$(mv_conf bridge false 'del(.mtu)')
	add a "$CONFIG"
	is 1450 "$(ip -n a -j link show eth0 | jq '.[0].mtu')" "master's"
	del a "$CONFIG"
	CONFIG=$(mv_conf bridge false '.mtu=1400')
	add a "$CONFIG"
	is 1400 "$(ip -n a -j link show eth0 | jq '.[0].mtu')" "configured"
	del a "$CONFIG"
	ID=a refused '7|100' 'mtu.*1500|1500.*mtu' ADD "$(mv_conf bridge false '.mtu=1500')"
	drop a
	ip link set lan0 mtu 1500
	clean
fi

if group names; then
	t "a master of so many names that the kernel's answer is longer than any other"
	# altnames VERB: 90 of them, of 101 bytes each.
	altnames() { for ((i = 0; i < 90; i++)); do printf 'link property %s dev lan0 altname x%0100d\n' "$1" $i; done | ip -batch -; }
	if altnames add 2>/dev/null; then
		add a "$(mv_conf bridge true)"
		verify a "$(mv_conf bridge true)"
		ping_ok a 10.0.1.1
		del a
		drop a
	else
		skip "needs altnames of links (Linux 5.5)"
	fi
	altnames del 2>/dev/null
	clean
fi

if group kept; then
	# The pool has one address, so that a second container gets it or nothing.
	ONE=$(mv_conf bridge false '.ipam.cooldown=0 | .ipam.ranges=[[{subnet:"10.0.1.0/24",rangeStart:"10.0.1.77",rangeEnd:"10.0.1.77"}]]')
	# keep HOW: the namespace a lives on without its name: by a descriptor, by a mount in a mount namespace of
	# others, by a socket whose process is elsewhere. release ends that.
	keep() {
		case $1 in
		descriptor) exec {KEPT}<$NETNS/a ;;
		mount)
			: >"$TMP/kept"
			exec {KEPT}< <(exec unshare -m sh -c 'mount --bind "$1" "$2" && echo kept && exec sleep 60' - $NETNS/a "$TMP/kept")
			;;
		socket) exec {KEPT}< <(exec nsenter --net=$NETNS/a perl -e '$| = 1; socket(my $s, 2, 2, 0) or die;
			open(my $host, "<", "/proc/$ARGV[0]/ns/net") or die; syscall(308, fileno $host, 0x40000000) == 0 or die;
			print "kept\n"; sleep 60' $$) ;;
		esac
		KEEPER=$!
		[ "$1" = descriptor ] || read -r -t 5 -u "$KEPT" _ || fail "no keeper"
		ip netns del a
	}
	let_go() {
		[ "$1" = descriptor ] || kill "$KEEPER"
		exec {KEPT}<&-
	}
	answers_lan() { in_ns lan busybox arping -q -c 1 -w 1 -I lan1 10.0.1.77 >/dev/null 2>&1; }
	may_add() { plugin ADD "$ONE" CNI_CONTAINERID=b CNI_NETNS="$NETNS/b" && [ "$RC" = 0 ]; }
	for how in descriptor mount socket; do
		t "the namespace lives by a $how alone: its address is not given to another"
		netns a b
		add a "$ONE"
		keep $how
		runs "the old link still answers" answers_lan
		refused 104 'pool of network lab is exhausted' ADD "$ONE" CNI_CONTAINERID=b CNI_NETNS=$NETNS/b
		refused 103 '10.0.1.77 is held by container a' ADD "$ONE" CNI_CONTAINERID=b CNI_NETNS=$NETNS/b CNI_ARGS=IP=10.0.1.77
		is unknown "$("$BIN/taskvpc" ls --json | jq -r '.[0].state')" "state of a"
		works GC "$(jq -c '.["cni.dev/valid-attachments"]=null' <<<"$ONE")"
		is 1 "$(records)" records
		t "DEL takes its link away: with a $how left, nobody answers any more, and the address is free"
		del a "$ONE" CNI_NETNS=
		fails "the old link is silent" answers_lan
		add b "$ONE"
		del b "$ONE"
		let_go $how
		netns a
		t "so does GC, where the runtime says that it is gone"
		add a "$ONE"
		keep $how
		works GC "$(jq -c '.["cni.dev/valid-attachments"]=[]' <<<"$ONE")"
		fails "the old link is silent" answers_lan
		is 0 "$(records)" records
		let_go $how
		netns a
		t "once the $how is gone as well, the next ADD takes the address over"
		add a "$ONE"
		keep $how
		let_go $how
		until_true may_add || fail "ADD: $OUT"
		is 1 "$(records)" records
		del b "$ONE"
		drop b
		clean
	done
	t "a namespace that the kernel has numbered before: the same"
	netns a b
	ip link add x0 type veth peer name x1 netns a
	add a "$ONE"
	keep descriptor
	refused 104 'exhausted' ADD "$ONE" CNI_CONTAINERID=b CNI_NETNS=$NETNS/b
	del a "$ONE" CNI_NETNS=
	fails "the old link is silent" answers_lan
	add a "$ONE"
	ip link del x0
	drop a
	let_go descriptor
	# Its number is the lowest that is free: another namespace gets it.
	ip link add x0 type veth peer name x1 netns b
	until_true may_add || fail "ADD: $OUT"
	del b "$ONE"
	drop b
	clean
fi

if group del; then
	t "DEL: without a namespace, twice, after it died, after the master went"
	CONFIG=$(mv_conf bridge true)
	add a "$CONFIG"
	del a "$CONFIG" CNI_NETNS=
	is 1 "$(ip -n a -o link | wc -l)" "links in the task"
	del a "$CONFIG"
	drop a
	clean
	add a "$CONFIG"
	drop a
	del a "$CONFIG"
	clean
	t "GC"
	add a "$CONFIG"
	add b "$CONFIG"
	works GC "$(jq -c '.["cni.dev/valid-attachments"]=[{containerID:"b",ifname:"eth0"}]' <<<"$CONFIG")"
	fails "a" ip -n a link show eth0
	verify b "$CONFIG"
	ping_ok host "$(address b)"
	works GC "$(jq -c '.["cni.dev/valid-attachments"]=[]' <<<"$CONFIG")"
	drop a b
	clean
	t "the master is gone"
	add a "$CONFIG"
	ip link del lan0
	del a "$CONFIG"
	is "" "$(ip -br link show type macvlan)" "macvlans"
	is 0 "$(records)" records
	drop a
fi

finish
