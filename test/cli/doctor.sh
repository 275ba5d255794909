#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# taskvpc doctor: each thing that breaks is made to break, found, and repaired by the fix that is told.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/cli.sh
. "$(dirname "$0")/../cli.sh"

need strace

uplink
# finding CHECK: "verdict finding" of a check, a line each. fix CHECK: the first fix.
finding() { jq -r --arg c "$1" '.[] | select(.check == $c) | "\(.verdict) \(.finding)"' <<<"$OUT"; }
fix() { jq -r --arg c "$1" '[.[] | select(.check == $c).fix] | first' <<<"$OUT"; }
# sick RC CHECK REGEX: doctor ends with RC and finds this. well: it finds nothing.
sick() {
	told "$1" doctor --json
	like "$3" "$(finding "$2")" "$2"
}
well() {
	told 0 doctor --json
	is "" "$(jq -r '.[] | select(.verdict != "ok") | "\(.check): \(.finding)"' <<<"$OUT")" "findings"
}

if group "a healthy host"; then
	well
	is "kernel plugins networks store leftovers forwarding firewall flows rp_filter host ends privilege MAC MTU" \
		"$(jq -r 'map(.check) | join(" ")' <<<"$OUT")" "checks"
	start a -- sleep 60
	start b --mode bridge -p 8080:80 -- sleep 60
	well
	told 0 doctor
	like '^ok +kernel' "$OUT" "table"
	t "it changes nothing"
	before=$(state)
	told 0 doctor
	is "$before" "$(state)" "what there is"
	told 0 rm a b
fi

if group "missing modules"; then
	# The kernel of this machine has them all: refuse the requests of doctor, one by one. Its children,
	# which load the rules, are not followed; and behind the last it tries nothing any more.
	for ((i = 1; i <= 14; i++)); do
		strace -qq -o /dev/null -e trace=sendto -e "inject=sendto:error=EOPNOTSUPP:when=$i" \
			"$TASKVPC" doctor --json 2>/dev/null |
			jq -r '[.[] | select(.check == "kernel") | "\(.verdict) \(.finding) (\(.fix))"] | join("; ")'
	done >"$TMP/kernel"
	# alone REGEX: one of the requests, refused, is told so, and as nothing else.
	alone() { is 1 "$(grep -cE "^$1[^;]*$" "$TMP/kernel")" "once and alone '$1', of: $(<"$TMP/kernel")"; }
	alone 'fail no veth, needed by awsvpc and bridge: .*\(modprobe veth, '
	alone 'warn no bridge, needed by bridge: .*\(modprobe bridge, '
	alone 'warn no macvlan, needed by awsvpc with attach: macvlan: .*\(modprobe macvlan, '
	alone 'warn no token bucket, needed by bandwidth limits: .*\(modprobe sch_tbf, '
	alone 'warn no intermediate device, needed by .*\(modprobe ifb, or use a kernel with CONFIG_IFB\)'
	alone 'warn no ingress hook, needed by .*\(modprobe sch_ingress, .*CONFIG_NET_SCH_INGRESS\)'
	alone 'warn no redirection, needed by .*\(modprobe -a cls_u32 act_mirred, .*CONFIG_NET_CLS_U32'
	well
fi

if group forwarding; then
	start a -- sleep 60
	start b --mode bridge -- sleep 60
	ping_ok a "$(ip_of b)"
	sysctl -qw net.ipv4.ip_forward=0
	ping_no a "$(ip_of b)"
	sick 1 forwarding 'fail .*does not forward IPv4'
	sh -c "$(fix forwarding)" >/dev/null
	ping_ok a "$(ip_of b)"
	well
	t "forwarding of one interface off"
	for dev in "$(row a .hostInterface)" br-lab up0; do
		sysctl -qw "net/ipv4/conf/$dev/forwarding=0"
		sick 1 forwarding "fail .*come in by $dev"
		sh -c "$(fix forwarding)" >/dev/null
		well
	done
	told 0 rm a b
	sysctl -qw net.ipv4.ip_forward=0
	well
fi

if group firewall; then
	start a -- sleep 60
	start b -- sleep 60
	start c --mode bridge -- sleep 60
	# cured: the fix as it is told lets tasks of every kind talk, and ends what doctor says.
	cured() {
		bash -c "$(fix firewall)"
		is 0 $? "exit code of the fix: $(fix firewall)"
		ping_ok a "$(ip_of b)"
		ping_ok a "$(ip_of c)"
		ping_ok c "$(ip_of b)"
		well
	}
	t "iptables, as Docker sets it"
	if command -v iptables-nft >/dev/null; then
		# The fix says iptables: that one it shall be.
		mkdir -p "$TMP/bin" && ln -sf "$(command -v iptables-nft)" "$TMP/bin/iptables"
		PATH=$TMP/bin:$PATH
		iptables -P FORWARD DROP
		ping_no a "$(ip_of b)"
		sick 1 firewall 'fail .*policy of FORWARD is DROP'
		unlike 'FORWARD -j ACCEPT' "$(fix firewall)" "fix"
		cured
		iptables -F
		t "Docker itself, which keeps a chain for others"
		ip link add docker0 type bridge
		iptables -N DOCKER-USER
		iptables -A FORWARD -j DOCKER-USER
		ping_no a "$(ip_of b)"
		sick 1 firewall 'fail .*policy of FORWARD is DROP'
		like '^iptables -I DOCKER-USER -i ' "$(fix firewall)" "fix"
		cured
		iptables -P FORWARD ACCEPT
		iptables -F
		iptables -X DOCKER-USER
		ip link del docker0
		well
	else
		skip "needs iptables-nft"
	fi
	t "a chain of somebody's own"
	nft 'table inet mine { chain out { type filter hook forward priority 0; policy drop; }; }'
	ping_no a "$(ip_of b)"
	sick 1 firewall 'fail .*"inet mine out" drops .*forwarded$'
	like 'insert rule inet mine out iifname "vpc.*iifname "br-lab"' "$(fix firewall)" "fix"
	cured
	nft delete table inet mine
	t "rules with conditions at the hook forward: they are evaluated"
	nft 'table inet mine { chain out { type filter hook forward priority 0; ip daddr 10.0.0.0/8 drop; }; }'
	ping_no a "$(ip_of b)"
	sick 1 firewall 'fail .*"inet mine out" drops .*forwarded, by its rule with handle [0-9]+'
	cured
	nft delete table inet mine
	nft 'table inet mine { chain out { type filter hook forward priority 0; ip daddr 192.0.2.0/24 drop; limit rate 9/second log; }; }'
	well
	nft delete table inet mine
	nft 'table inet mine { chain out { type filter hook forward priority 0; limit rate over 9/second drop; }; }'
	sick 0 firewall 'warn .*"inet mine out" may drop .*: a condition of its rules cannot be computed'
	nft delete table inet mine
	if command -v iptables-nft >/dev/null; then
		iptables-nft -A FORWARD -d 10.0.0.0/8 -j DROP
		ping_no a "$(ip_of b)"
		sick 1 firewall 'fail .*"ip filter FORWARD" drops'
		cured
		iptables-nft -F FORWARD
		well
	fi
	if iptables-legacy -S FORWARD >/dev/null 2>&1; then
		t "iptables-legacy besides nftables"
		well
		iptables-legacy -P FORWARD DROP
		ping_no a "$(ip_of b)"
		sick 1 firewall 'fail .*"ip-legacy filter FORWARD" drops|fail .*policy of FORWARD'
		like '^iptables-legacy -I FORWARD -i ' "$(fix firewall)" "fix"
		cured
		iptables-legacy -P FORWARD ACCEPT
		iptables-legacy -F FORWARD
	fi
	t "what drops all before or behind it"
	for hook in prerouting postrouting; do
		nft "table inet mine { chain every { type filter hook $hook priority 0; policy drop; }; }"
		ping_no a "$(ip_of b)"
		sick 1 firewall 'fail .*"inet mine every" drops .*(comes in|goes out)'
		nft add rule inet mine every accept
		ping_ok a "$(ip_of b)"
		well
		nft insert rule inet mine every tcp dport 9 drop
		well
		nft delete table inet mine
	done
	t "firewalld"
	nft add table inet firewalld
	well
	nft 'table inet firewalld { chain filter_FORWARD { type filter hook forward priority 10; ct state established,related accept; reject; }; }'
	sick 1 firewall 'fail .*"inet firewalld filter_FORWARD" drops'
	like 'firewall-cmd --permanent --zone=trusted --add-(source|interface)=' "$(fix firewall)" "fix"
	nft delete table inet firewalld
	well
	told 0 rm a b c
fi

if group leftovers; then
	start a -- sleep 60
	slay a
	until_true eval '[ "$(row a .state)" = dead ]'
	sick 1 leftovers 'fail a is gone, but holds 10\.200'
	is "taskvpc gc" "$(fix leftovers)" "fix"
	told 0 gc
	well
	t "a link without a record"
	ip link add vpcffff type veth peer name vpcpeer
	ip link set vpcffff alias eni-0123456789abcdef0
	sick 0 leftovers 'warn the interface vpcffff \(eni-0123456789abcdef0\) is of no record'
	sh -c "$(fix leftovers)"
	well
	t "a live task of a store that no network here names"
	netns far
	ID=far works ADD "$(jq -c '.ipam.dataDir = "/run/elsewhere"' <<<"$CONF")" CNI_NETNS=$NETNS/far
	link=$(ip -o link show | sed -n 's/^[0-9]*: \(vpc[0-9a-f]*\)@.*/\1/p')
	sick 0 leftovers "warn the interface $link .*a task that lives may have it"
	unlike 'link del' "$(fix leftovers)" "fix"
	ID=far works DEL "$(jq -c '.ipam.dataDir = "/run/elsewhere"' <<<"$CONF")"
	drop far
	well
fi

if group store; then
	start a -- sleep 60
	t "an index that contradicts the records"
	cp $DATA/index "$TMP/index"
	start b -- sleep 60
	cp "$TMP/index" $DATA/index
	told 1 doctor --json
	like 'fail ' "$(finding store)" "store"
	told 0 rm b a
	rm $DATA/index
	until_true eval '[ "$(row b .state)" = dead ]' # its namespace ends behind our back
	told 0 gc
	is "" "$("$TASKVPC" ls -q)" "tasks after gc: $OUT"
	well
	t "an index that contradicts the records where doctor reads it: told before that heals it"
	"$TASKVPC" inspect lab-awsvpc | jq '.plugins[0].ipam.cooldown=1 | .name="quick"' >"$TMP/quick.conflist"
	start a --net "$TMP/quick.conflist" -- sleep 60
	start c --net "$TMP/quick.conflist" -- sleep 60
	told 0 rm c
	cp $DATA/index "$TMP/index"
	sleep 1.2	# the address of c has cooled: the next lease forgets it
	start b --net "$TMP/quick.conflist" -- sleep 60
	cp "$TMP/index" $DATA/index
	sick 1 store 'fail '
	rm $DATA/index
	told 0 rm b a
	well
	t "a store below a directory that another user may rename"
	mkdir -p /run/theirs/store
	chmod 700 /run/theirs/store
	chown 4711 /run/theirs
	"$TASKVPC" inspect lab-awsvpc | jq '.plugins[0].ipam.dataDir="/run/theirs/store" | .name="theirs"' >/etc/cni/net.d/theirs.conflist
	start a --net theirs -- sleep 60
	sick 0 store 'warn .*/run/theirs/store lies below /run/theirs, which others than root may rename'
	told 0 rm a
	rm -r /run/theirs /etc/cni/net.d/theirs.conflist
	well
	t "who may write"
	chmod 0777 $DATA
	sick 1 store 'fail .*may be written by others'
	sh -c "$(fix store)"
	well
fi

if group networks; then
	echo '{' >/etc/cni/net.d/broken.conf
	sick 0 networks 'warn .*broken.conf is no valid JSON'
	rm /etc/cni/net.d/broken.conf
	echo '{"cniVersion":"1.1.0","name":"n","type":"nosuch"}' >/etc/cni/net.d/n.conf
	sick 1 plugins 'fail network n: .*no plugin "nosuch"'
	rm /etc/cni/net.d/n.conf
	t "a LAN of the host behind a subnet"
	ip addr add 10.200.1.200/25 dev up0
	sick 0 networks 'warn network lab-awsvpc: its subnet 10\.200\.1\.0/24 overlaps with 10\.200\.1\.200/25 on up0'
	ip addr del 10.200.1.200/25 dev up0
	t "the bridge of another program with the subnet of a bridge network"
	ip link add other0 type bridge
	ip addr add 10.201.0.1/24 dev other0
	sick 0 networks 'warn network lab-bridge: its subnet 10\.201\.0\.0/24 overlaps with 10\.201\.0\.1/24 on other0'
	ip link del other0
	start b --mode bridge -- sleep 60
	well
	told 0 rm b
	t "full"
	one 10.9.0.0/29 '.ipam.ranges[0][0].reserve = "minimal" | .name = "tiny" | del(.vpc)' >/etc/cni/net.d/tiny.conf
	for i in 1 2 3 4 5; do start s$i --net tiny -- sleep 60; done
	sick 0 networks 'warn network tiny: no address of 10\.9\.0\.0/29 is free'
	told 0 rm --all --time 1
	rm /etc/cni/net.d/tiny.conf
	well
fi

if group "host ends"; then
	start a -- sleep 60
	start b --mode bridge -- sleep 60
	well
	for task in a b; do
		ip addr add 192.168.7.5/24 dev "$(row $task .hostInterface)"
		sick 1 'host ends' "fail $task: its end at the host, vpc[0-9a-f]*, has the address 192.168.7.5/24, which"
		sh -c "$(fix 'host ends')"
		well
	done
	t "the program that does so is named, and how it is stopped"
	cp "$(command -v sleep)" "$TMP/dhcpcd"
	"$TMP/dhcpcd" 60 &
	pid=$!
	ip addr add 192.168.7.5/24 dev "$(row a .hostInterface)"
	sick 1 'host ends' 'perhaps dhcpcd gave it'
	like 'denyinterfaces vpc\*.*; ip addr del 192.168.7.5/24 dev vpc' "$(fix 'host ends')" "fix"
	stop $pid
	told 0 rm a b
fi

if group links; then
	start a -- sleep 60
	t "the MAC that systemd would give"
	link=$(row a .hostInterface)
	mac=$(row a .hostMac)
	ip link set "$link" address 02:00:00:00:00:99
	sick 1 MAC "fail a: $link has the MAC 02:00:00:00:00:99 instead of $mac"
	like 'MACAddressPolicy=none' "$(fix MAC)" "fix"
	ip link set "$link" address "$mac"
	t "an MTU larger than the uplink's"
	ip link set up0 mtu 1300
	sick 0 MTU 'warn a: its MTU is 1500, that of the uplink up0 only 1300'
	start c -- sleep 60
	is 1300 "$(row c .mtu)" "of a new task"
	ip link set up0 mtu 1500
	t "two ends that differ"
	ip link set "$link" mtu 1200
	sick 0 MTU 'warn a: the two ends of its link have the MTUs 1500 and 1200'
	sh -c "$(fix MTU)"
	told 0 rm c
	well
	told 0 rm a
fi

if group flows; then
	jq -n --argjson p "$(conf '.ipMasq=true | .maxFlows=200 | .maxFlowsPerDestination=100 | del(.name, .cniVersion)
		| .blockInstanceMetadata=false')" \
		'{cniVersion: "1.1.0", name: "small", plugins: [$p]}' >/etc/cni/net.d/small.conflist
	start a --network small -- sleep 600
	start b --network small -- sleep 600
	well
	# burst TASK TO NUMBER: datagrams from as many ports.
	burst() {
		local pid
		pid=$(pid_of "$1" main pid)
		nsenter -t "$pid" -n perl -MSocket=:all -e 'my ($to, $n) = @ARGV;
			for my $port (2001 .. 2000 + $n) {
				socket my $s, AF_INET, SOCK_DGRAM, 0 or die; bind $s, pack_sockaddr_in($port, INADDR_ANY) or die;
				send $s, "x", 0, pack_sockaddr_in(9, inet_aton($to)) }' "$2" "$3"
	}
	ip neigh replace 198.51.100.1 dev up0 lladdr 02:00:00:00:00:02
	t "a task that has 80 of 100 flows to one address"
	burst a 198.51.100.1 79
	well
	burst a 198.51.100.1 80
	sick 0 flows '^warn a has 80 of 100 live flows to 198.51.100.1 \(maxFlowsPerDestination\)$'
	t "and in all"
	ip neigh replace 198.51.100.9 dev up0 lladdr 02:00:00:00:00:02
	burst a 198.51.100.9 80
	sick 0 flows 'warn a has 160 of 200 live flows \(maxFlows\)'
	t "one that has reached the bound is named, with the packets that were dropped"
	burst b 198.51.100.1 150
	sick 0 flows 'warn b reached its bound of live flows: 50 packets of new ones were dropped'
	like 'warn b has 100 of 100 live flows to 198.51.100.1' "$(finding flows)" "and has"
	t "a service of the host within the masquerade range, until the key protects it"
	perl -MSocket=:all -e 'socket my $s, AF_INET, SOCK_STREAM, 0; bind $s, pack_sockaddr_in(40022, INADDR_ANY) or die; listen $s, 1; sleep 60' &
	pid=$!
	until_true sh -c 'ss -Hltn "sport = 40022" | grep -q .'
	sick 0 flows 'warn the host serves tcp port 40022, which masqueradePortRange 32768-60999 has too'
	is 'give a network "protectedPorts": ["40022/tcp"]' "$(jq -r '.[] | select(.finding | test("40022")? // false) | .fix' <<<"$OUT")" "fix"
	told 0 rm a b
	jq '.plugins[0].protectedPorts=["40022/tcp"]' /etc/cni/net.d/small.conflist >"$TMP/small" && cp "$TMP/small" /etc/cni/net.d/small.conflist
	start a --network small -- sleep 600
	told 0 doctor --json
	is "" "$(finding flows | grep 40022)" "what is said of the port"
	stop "$pid"
	told 0 rm a
	rm /etc/cni/net.d/small.conflist
fi

if group rp_filter; then
	t "several interfaces of one task"
	netns two
	ID=two works ADD "$CONF" CNI_NETNS=$NETNS/two
	ID=two works ADD "$(jq -c '.name = "lab2"' <<<"$CONF")" CNI_NETNS=$NETNS/two CNI_IFNAME=eth1
	in_ns two sysctl -qw net.ipv4.conf.all.rp_filter=1
	sick 0 rp_filter 'warn two: rp_filter is strict for eth1'
	sh -c "$(fix rp_filter)" >/dev/null
	well
	ID=two works DEL "$CONF"
	ID=two works DEL "$(jq -c '.name = "lab2"' <<<"$CONF")" CNI_IFNAME=eth1
	drop two
	t "two uplinks of the host"
	ip route add default via 198.51.100.7 metric 100
	sysctl -qw net.ipv4.conf.all.rp_filter=1
	sick 0 rp_filter 'warn .*2 default routes'
	sh -c "$(fix rp_filter)" >/dev/null
	well
	ip route del default via 198.51.100.7 metric 100
fi

if group "keys that nobody reads"; then
	jq -n --argjson p "$(conf '.ipMsaq = true | del(.name, .cniVersion)')" \
		'{cniVersion: "1.1.0", name: "slip", disableGc: false, disbleCheck: true, plugins: [$p]}' >/etc/cni/net.d/slip.conflist
	told 0 status slip
	like 'ok .*disbleCheck: unknown key, ignored \(did you mean disableCheck\?\);awsvpc: .*ipMsaq: .*did you mean ipMasq' "$OUT" "status"
	told 0 doctor
	like 'warn +networks +network slip: disbleCheck: unknown key.*did you mean disableCheck' "${OUT//$'\n'/ }" "doctor: of the list"
	like 'network slip: awsvpc: .*ipMsaq: unknown key.*did you mean ipMasq\?\) +fix: correct it in /etc/cni/net.d/slip.conflist' "${OUT//$'\n'/ }" "doctor: of a plugin"
	rm /etc/cni/net.d/slip.conflist
fi

finish
