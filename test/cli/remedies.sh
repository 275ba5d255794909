#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every remedy is tried. A lab is broken in one way after another; explain names the cause, the remedy that
# it prints is run as it stands, and a real packet must arrive. Then check must find the lab as it was made,
# or its own remedies lead there.
#
#   ONLY=REGEX   the groups of that name     CASES=REGEX   the cases of that name
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/cli.sh
. "$(dirname "$0")/../cli.sh"

# The LAN: its router has the addresses of the world as well, and knows no way to any task.
uplink
ip netns add lan
ip link set up1 netns lan
printf '%s\n' 'link set lo up' 'link set up1 up' 'addr add 198.51.100.1/24 dev up1' \
	'addr add 203.0.113.1/32 dev lo' | ip -n lan -batch -
ip -6 addr add 2001:db8:1::2/64 dev up0 nodad
ip -n lan -6 addr add 2001:db8:1::1/64 dev up1 nodad
ip -n lan -6 addr add 2001:db8:9::1/128 dev lo nodad
ip -6 route add default via 2001:db8:1::1
export PATH=$BIN:$PATH # remedies say taskvpc
sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0

SERVER=(busybox nc -ll -p 80 -e /bin/cat)
TRIED=0 ROUNDS=0

# way NS SRC DST ADDRESS [PORT]: from now on that packet is meant.
way() { WAY=("$@"); }
# real: does a packet arrive, and its answer?
real() {
	local ns=${WAY[0]} ip=${WAY[3]} port=${WAY[4]:-} seen
	if [ -z "$port" ]; then
		pings "$ns" "$ip" -W 0.3
		return
	fi
	seen=$(echo hello | in_ns "$ns" timeout -s KILL 0.3 busybox nc -w 1 "$ip" "$port" 2>/dev/null)
	[ "$seen" = hello ]
}
# settled: as real; a port of a bridge and a new address of IPv6 take a moment.
settled() {
	local i
	for ((i = 0; i < ${1:-8}; i++)); do
		real && return
		sleep 0.1
	done
	return 1
}
ask() {
	OUT=$("$TASKVPC" explain "${WAY[1]}" "${WAY[2]}" --json 2>"$TMP/stderr")
	VERDICT=$(jq -r .verdict <<<"$OUT") REASON=$(jq -r .reason <<<"$OUT") FIX=$(jq -r '.fix // ""' <<<"$OUT")
}
# sound: check finds nothing, or what it finds is repaired by what it prints.
sound() {
	local i fix before=
	for ((i = 0; i < 8; i++)); do
		"$TASKVPC" check --json >"$TMP/check" 2>"$TMP/stderr" && return
		fix=$(jq -r '[.[] | select(.check == "wrong").remedy][0]' "$TMP/check")
		[ "$fix" != "$before" ] || break
		before=$fix
		sh -c "$fix" >"$TMP/fixed" 2>&1 || break
	done
	fail "check: $(jq -c '[.[] | select(.check == "wrong") | {task, message, remedy}][0]' "$TMP/check") $(<"$TMP/stderr") $(cat "$TMP/fixed")"
}

# broken NAME CAUSE BREAK [UNDO]: BREAK is done; the packet dies; explain says CAUSE (a regular expression);
# its remedies, one after another, heal. UNDO takes away what is left of BREAK that harms nobody.
broken() {
	local name=$1 cause=$2 harm=$3 undo=${4:-} round before=
	[[ $name =~ ${CASES:-.} ]] || return
	t "$name"
	TRIED=$((TRIED + 1))
	sh -e -c "$harm" >"$TMP/broke" 2>&1 || fail "cannot break: $(<"$TMP/broke")"
	if real; then
		fail "it is not broken"
	else
		for ((round = 1; round <= 5; round++)); do
			ask
			[ "$round" != 1 ] || like "$cause" "$REASON" "cause ($VERDICT)"
			case $VERDICT in dies | refused) ;; *)
				# The last remedy has healed, and the link or the neighbour takes a moment.
				[ "$round" = 1 ] || ! settled || break
				fail "verdict $VERDICT in round $round: $REASON $(<"$TMP/stderr")"
				break
				;;
			esac
			if [ -z "$FIX" ] || [ "$FIX" = "$before" ]; then
				fail "no remedy in round $round: $REASON; fix: $FIX"
				break
			fi
			before=$FIX
			sh -c "${FIX/ROUTER/198.51.100.1}" >"$TMP/fixed" 2>&1 || {
				fail "remedy: $FIX: $(<"$TMP/fixed")"
				break
			}
			ROUNDS=$((ROUNDS + 1))
			! settled 2 || break
		done
		if settled; then pass; else fail "after the remedies it is still broken; the last: $FIX"; fi
		ask
		like 'arrives|leaves' "$VERDICT" "verdict at the end ($REASON)"
	fi
	[ -z "$undo" ] || sh -c "$undo" >/dev/null 2>&1
	sound
	settled && return
	fail "broken after undo and check: the rest is not tried"
	finish
}

link_of() { row "$1" .hostInterface; }
six() { row "$1" '.addresses[1].address | split("/")[0]'; }
other_rules() { nft list tables | grep -v taskvpc; }

conf '.name = "v" | .vpc.cidr = ["10.0.0.0/16", "fd00:10::/32"] | .ipMasq = true | .ipam.ranges = [
	[{subnet: "10.0.1.0/24"}], [{subnet: "fd00:10:1::/64"}]]' >/etc/cni/net.d/v.conf
jq -n '{cniVersion: "1.1.0", name: "br", plugins: [{type: "task-bridge", capabilities: {portMappings: true, ips: true},
	bridge: "br-t", isDefaultGateway: true, ipMasq: true,
	ipam: {type: "task-ipam", ranges: [[{subnet: "10.77.0.0/24"}], [{subnet: "fd00:77::/64"}]]}}]}' >/etc/cni/net.d/br.conflist
conf '.name = "mv" | .attach = "macvlan" | .master = "up0" | del(.vpc) | .hostAccess = true | del(.blockInstanceMetadata)
	| .ipam.ranges = [[{subnet: "198.51.100.0/24", rangeStart: "198.51.100.20", rangeEnd: "198.51.100.29", gateway: "198.51.100.1"}]]' >/etc/cni/net.d/mv.conf
start a --net v -- sleep 9999
start b --net v -- "${SERVER[@]}"
start c --net br -p 8080:80 -- "${SERVER[@]}"
start d --net br -- sleep 9999
start m --net mv -- sleep 9999
start n --net mv -- "${SERVER[@]}"
for task in b c n; do until_true listens $task 80; done

export A B C D M N LA LB LC LD A6 B6 C6 D6 IA MA GW=10.0.1.1 GW6=fd00:10:1::1
A=$(ip_of a) B=$(ip_of b) C=$(ip_of c) D=$(ip_of d) M=$(ip_of m) N=$(ip_of n)
LA=$(link_of a) LB=$(link_of b) LC=$(link_of c) LD=$(link_of d)
A6=$(six a) B6=$(six b) C6=$(six c) D6=$(six d)
IA=$(ip -o link show "$LA" | sed 's/:.*//') MA=$(row a .mac)
BMAC=$(ip -o link show br-t | sed 's/.*ether \([^ ]*\).*/\1/')
export BMAC

if group "awsvpc, IPv4"; then
	way a a b:80 "$B" 80
	settled || fail "the lab does not work"
	t "the task that sends"
	broken "no default route" 'no route' 'ip -n a route del default'
	broken "no route at all" 'no route' 'ip -n a route flush table main'
	broken "no address" . 'ip -n a addr flush dev eth0'
	broken "down" 'eth0 is down' 'ip -n a link set eth0 down'
	broken "no neighbour" "entry of $GW is gone" 'ip -n a neigh del $GW dev eth0'
	broken "wrong neighbour" 'is not the MAC' 'ip -n a neigh replace $GW lladdr 02:00:00:00:00:99 dev eth0 nud permanent'
	broken "another MAC" 'has the MAC address' 'ip -n a link set eth0 address 02:00:00:00:00:66'
	broken "blackhole for one address" '"blackhole .*/32" .*refuses' 'ip -n a route add blackhole $B'
	broken "unreachable for the subnet" 'unreachable 10.0.1.0/24' 'ip -n a route add unreachable 10.0.1.0/24'
	broken "a rule that forbids" 'rule "100: from all to .* prohibit' 'ip -n a rule add pref 100 to $B prohibit' 'ip -n a rule del pref 100; ip -n a rule del pref 99'
	broken "a table that refuses" 'rule "100: from all lookup 100"' 'ip -n a rule add pref 100 lookup 100; ip -n a route add blackhole default table 100' 'ip -n a rule del pref 100; ip -n a rule del pref 99; ip -n a route flush table 100'
	broken "a dummy that takes it" 'dum' 'ip -n a link add dum type veth peer name dum2; ip -n a link set dum up; ip -n a link set dum2 up; ip -n a route add $B dev dum' 'ip -n a link del dum'
	broken "TTL 1" 'TTL' 'ip netns exec a sysctl -qw net.ipv4.ip_default_ttl=1' 'ip netns exec a sysctl -qw net.ipv4.ip_default_ttl=64'
	t "the host"
	broken "no route to the server" 'the route "unreachable 10.0.1.0/24" of table 254 refuses it' 'ip route del $B'
	broken "no route to the client" '^the answer: .*the route "unreachable 10.0.1.0/24"' 'ip route del $A'
	broken "no gateway and no route" . 'ip route del local $GW dev lo; ip route del $B'
	broken "unreachable instead of the route" '"unreachable ' 'ip route replace unreachable $B'
	broken "a blackhole" '"blackhole ' 'ip route replace blackhole $A'
	broken "a rule to another device" 'rule "100: from all lookup 100" sends .* to up0' 'ip route add default via 198.51.100.1 table 100; ip rule add pref 100 lookup 100' 'ip rule del pref 100; ip rule del pref 99; ip route flush table 100'
	broken "a rule by interface" 'rule "100: from all iif .* lookup 100"' 'ip route add default via 198.51.100.1 table 100; ip rule add pref 100 iif $LA lookup 100' 'ip rule del pref 100; ip rule del pref 99; ip route flush table 100'
	broken "a rule for the answer" '^the answer: .*rule "100: from .* lookup 100"' 'ip route add default via 198.51.100.1 table 100; ip rule add pref 100 from $B lookup 100' 'ip rule del pref 100; ip rule del pref 99; ip route flush table 100'
	broken "a rule that refuses" 'rule "100: from all to 10.0.0.0/16 unreachable" refuses' 'ip rule add pref 100 to 10.0.0.0/16 unreachable' 'ip rule del pref 100; ip rule del pref 99'
	broken "a rule for a port" 'rule "100: from all ipproto 6 dport 80 blackhole"' 'ip rule add pref 100 ipproto tcp dport 80 blackhole' 'ip rule del pref 100; ip rule del pref 99'
	broken "a rule with goto" 'rule "200: from all prohibit"' 'ip rule add pref 100 goto 200; ip rule add pref 150 lookup main; ip rule add pref 200 prohibit' 'ip rule del pref 100; ip rule del pref 150; ip rule del pref 200; ip rule del pref 199'
	broken "a host end down" "is down" 'ip link set $LB down'
	broken "the client's host end down" "is down" 'ip link set $LA down'
	broken "a host end of another MAC" 'is not the MAC' 'ip link set $LA address 02:00:00:00:00:77'
	broken "no neighbour of the host" 'entry of .* is gone' 'ip neigh del $B dev $LB'
	broken "a wrong neighbour of the host" 'is not the MAC' 'ip neigh replace $B lladdr 02:00:00:00:00:99 dev $LB nud permanent'
	broken "forwarding off" 'does not forward IPv4: net.ipv4.ip_forward is 0' 'sysctl -qw net.ipv4.ip_forward=0'
	broken "forwarding off at the client" "does not forward IPv4 of .*: net/ipv4/conf/.*/forwarding is 0" 'sysctl -qw net/ipv4/conf/$LA/forwarding=0'
	broken "forwarding off for the answer" "^the answer: .*does not forward IPv4 of" 'sysctl -qw net/ipv4/conf/$LB/forwarding=0'
	broken "strict rp_filter and no route" 'should not come in by' 'sysctl -qw net/ipv4/conf/$LA/rp_filter=1; ip route del $A' 'sysctl -qw net/ipv4/conf/$LA/rp_filter=0'
	broken "the guard's element" 'not what the task may send' 'nft delete element inet taskvpc own4 "{ $IA . $MA . $A }"'
	t "the task that receives"
	broken "the server down" 'eth0 is down' 'ip -n b link set eth0 down'
	broken "no address at the server" 'does not have the address' 'ip -n b addr flush dev eth0'
	broken "no way back" '^the answer: .*no route' 'ip -n b route del default'
	broken "a rule for the way back" '^the answer: .*rule "50: from all prohibit"' 'ip -n b rule add pref 50 prohibit' 'ip -n b rule del pref 50; ip -n b rule del pref 49'
	way a a b "$B"
	broken "echo is ignored" 'icmp_echo_ignore_all' 'ip netns exec b sysctl -qw net.ipv4.icmp_echo_ignore_all=1'
	way a a outside 203.0.113.1
	settled || fail "no way out"
	broken "masquerade: the element" . 'nft delete element inet taskvpc masq4 "{ $A }"'
	broken "no default route of the host" 'no route' 'ip route del default' 'ip route replace default via 198.51.100.1'
fi

if group "rules of others"; then
	way a a b:80 "$B" 80
	settled || fail "the lab does not work"
	broken "output that drops" 'inet mine out drops' 'ip netns exec a nft "table inet mine { chain out { type filter hook output priority 0; policy drop; }; }"' 'ip netns exec a nft delete table inet mine'
	broken "output that drops the port" 'inet mine out' 'ip netns exec a nft "table inet mine { chain out { type filter hook output priority 0; tcp dport 80 drop; }; }"' 'ip netns exec a nft delete table inet mine'
	broken "a policy of drop" 'inet mine fw drops' 'nft "table inet mine { chain fw { type filter hook forward priority 0; policy drop; }; }"' 'nft delete table inet mine'
	broken "a rule of others" 'inet mine fw' 'nft "table inet mine { chain fw { type filter hook forward priority 0; ip daddr 10.0.0.0/16 ct state new tcp dport { 80, 443 } drop; }; }"' 'nft delete table inet mine'
	broken "prerouting of others" 'inet mine fw' 'nft "table inet mine { chain fw { type filter hook prerouting priority 0; iifname $LA drop; }; }"' 'nft delete table inet mine'
	broken "postrouting of others" 'inet mine fw' 'nft "table inet mine { chain fw { type filter hook postrouting priority 0; oifname $LB reject; }; }" || nft "table inet mine { chain fw { type filter hook postrouting priority 0; oifname $LB drop; }; }"' 'nft delete table inet mine'
	broken "ingress of others" 'netdev mine fw' 'nft "table netdev mine { chain fw { type filter hook ingress device $LA priority 0; policy drop; }; }"' 'nft delete table netdev mine'
	broken "an element in a set" 'inet mine fw' 'nft "table inet mine { set bad { type ipv4_addr; flags interval; elements = { 10.0.1.0/25 }; }; chain fw { type filter hook forward priority 0; ip saddr @bad drop; }; }"' 'nft delete table inet mine'
	broken "input that drops" 'inet mine in drops' 'ip netns exec b nft "table inet mine { chain in { type filter hook input priority 0; policy drop; }; }"' 'ip netns exec b nft delete table inet mine'
	broken "input that rejects the port" 'inet mine in' 'ip netns exec b nft "table inet mine { chain in { type filter hook input priority 0; tcp dport 80 reject; }; }"' 'ip netns exec b nft delete table inet mine'
	broken "a drop that a jump leads to" 'inet mine deep' 'nft "table inet mine { chain deep { tcp dport 80 drop; }; chain fw { type filter hook forward priority 0; jump deep; }; }"' 'nft delete table inet mine'
	broken "a map of verdicts" 'inet mine deep' 'nft "table inet mine { chain deep { counter drop; }; chain fw { type filter hook forward priority 0; ip daddr vmap { 10.0.1.0/25 : goto deep }; }; }"' 'nft delete table inet mine'
	broken "a mark that another rule sets" 'inet mine fw' 'nft "table inet mine { chain m { type filter hook prerouting priority 0; ip saddr $A meta mark set mark or 0x40; }; chain fw { type filter hook forward priority 0; meta mark and 0x40 == 0x40 drop; }; }"' 'nft delete table inet mine'
	broken "a policy with an accept for others" 'inet mine fw' 'nft "table inet mine { chain fw { type filter hook forward priority 0; policy drop; ct state established,related accept; iifname docker0 accept; tcp dport 22 accept; }; }"' 'nft delete table inet mine'
	broken "no answers" '^the answer: .*inet mine fw' 'nft "table inet mine { chain fw { type filter hook forward priority 0; ct direction reply drop; }; }"' 'nft delete table inet mine'
	if command -v iptables-nft >/dev/null; then
		broken "iptables' policy" 'ip filter FORWARD' 'iptables-nft -P FORWARD DROP' 'iptables-nft -P FORWARD ACCEPT; iptables-nft -F; nft delete table ip filter'
		broken "iptables' rule" 'ip filter FORWARD' 'iptables-nft -A FORWARD -s $A -m conntrack --ctstate NEW -j DROP' 'iptables-nft -F; nft delete table ip filter'
		broken "iptables' chain" 'ip filter X drops' 'iptables-nft -N X; iptables-nft -A FORWARD -p tcp --dport 80 -j X; iptables-nft -A X -j REJECT' 'iptables-nft -F; nft delete table ip filter'
	else
		skip "needs iptables-nft"
	fi
	if iptables-legacy -S FORWARD >/dev/null 2>&1; then
		broken "the policy of iptables-legacy" 'ip-legacy filter FORWARD drops' 'iptables-legacy -P FORWARD DROP' 'iptables-legacy -P FORWARD ACCEPT; iptables-legacy -F'
		broken "a rule of iptables-legacy" 'ip-legacy filter FORWARD drops' 'iptables-legacy -A FORWARD -i vpc+ -p tcp -m tcp --dport 80 -m conntrack --ctstate NEW -j REJECT' 'iptables-legacy -F'
		broken "a chain of iptables-legacy, for the answer" '^the answer: .*ip-legacy mangle PREROUTING' 'iptables-legacy -t mangle -N X; iptables-legacy -t mangle -A X -p tcp -m multiport --sports 80,443 -j DROP; iptables-legacy -t mangle -A PREROUTING -s $B ! -d 192.0.2.0/24 -j X' 'iptables-legacy -t mangle -F; iptables-legacy -t mangle -X'
		iptables-legacy -A FORWARD -p tcp --dport 443 -j DROP
		iptables-legacy -A FORWARD -s 192.0.2.0/24 -j DROP
		t "rules of iptables-legacy that do not mean the packet"
		ask
		is arrives "$VERDICT" "verdict: $REASON"
		iptables-legacy -F
	else
		skip "needs iptables-legacy"
	fi
fi

if group "a bridge"; then
	way d d c:80 "$C" 80
	settled || fail "the lab does not work"
	broken "the port of the server down" 'is down' 'ip link set $LC down'
	broken "the bridge down" 'br-t is down' 'ip link set br-t down'
	broken "no port of the bridge" 'is no port of br-t' 'ip link set $LC nomaster'
	broken "two isolated ports" 'both isolated' 'bridge link set dev $LC isolated on; bridge link set dev $LD isolated on' 'bridge link set dev $LC isolated off; bridge link set dev $LD isolated off'
	broken "a port that is disabled" 'port .*disabled' 'bridge link set dev $LC state 0'
	broken "the server without ARP" 'ARP' 'ip -n c link set eth0 arp off'
	broken "the client without ARP" 'ARP' 'ip -n d link set eth0 arp off'
	broken "the server told not to answer ARP" 'arp_ignore' 'ip netns exec c sysctl -qw net.ipv4.conf.all.arp_ignore=8; ip -n d neigh flush all' 'ip netns exec c sysctl -qw net.ipv4.conf.all.arp_ignore=0'
	broken "a wrong neighbour" . 'ip -n d neigh replace $C lladdr 02:00:00:00:00:99 dev eth0 nud permanent' 'ip -n d neigh del $C dev eth0'
	broken "the server without its address" . 'ip -n c addr flush dev eth0; ip -n d neigh flush all'
	broken "frames dropped" 'bridge mine fw' 'nft "table bridge mine { chain fw { type filter hook forward priority 0; ip daddr $C drop; }; }"' 'nft delete table bridge mine'
	broken "egress of a device" 'netdev mine fw' 'nft "table netdev mine { chain fw { type filter hook egress device $LC priority 0; policy drop; }; }"' 'nft delete table netdev mine'
	way d d outside 203.0.113.1
	broken "the bridge without its address" . 'ip addr del 10.77.0.1/24 dev br-t; ip -n d neigh flush all'
	broken "no default route of the task" 'no route' 'ip -n d route del default'
	broken "forwarding of the bridge off" 'does not forward IPv4 of br-t' 'sysctl -qw net/ipv4/conf/br-t/forwarding=0'
	broken "the bridge told not to answer ARP" 'arp_ignore' 'sysctl -qw net/ipv4/conf/br-t/arp_ignore=8; ip -n d neigh flush all' 'sysctl -qw net/ipv4/conf/br-t/arp_ignore=0'
	broken "a wrong MAC of the gateway" . 'ip -n d neigh replace 10.77.0.1 lladdr 02:00:00:00:00:99 dev eth0 nud permanent' 'ip -n d neigh del 10.77.0.1 dev eth0'
	broken "not masqueraded" 'rules of the host.s table are missing' 'nft delete element inet taskvpc masq4 "{ $D }"'
	broken "all rules flushed" . 'nft flush ruleset'
	broken "a rule for the bridge" 'rule "100: from all iif br-t prohibit"' 'ip rule add pref 100 iif br-t prohibit' 'ip rule del pref 100; ip rule del pref 99'
	broken "a prerouting drop of the bridge's frames" 'inet mine fw' 'nft "table inet mine { chain fw { type filter hook prerouting priority -300; iifname br-t ip saddr $D drop; }; }"' 'nft delete table inet mine'
	way lan 198.51.100.1 host:8080 198.51.100.2 8080
	settled || fail "the published port does not work"
	broken "a published port: the element" 'port 8080 .*task c.*missing' 'nft delete element inet taskvpc ports4 "{ 6 . 8080 }"'
	broken "a published port: the rules flushed" 'port 8080 .*task c.*missing' 'nft flush ruleset'
	broken "a published port: the server's default route" . 'ip -n c route del default'
	broken "a published port: the uplink does not forward" 'does not forward IPv4 of up0' 'sysctl -qw net/ipv4/conf/up0/forwarding=0'
	broken "a published port: forward drops what is translated" 'inet mine fw' 'nft "table inet mine { chain fw { type filter hook forward priority 0; ct status dnat drop; }; }"' 'nft delete table inet mine'
	broken "a published port: raw drops the first packet" 'inet mine fw' 'nft "table inet mine { chain fw { type filter hook prerouting priority raw; tcp dport 8080 drop; }; }"' 'nft delete table inet mine'
fi

if group "macvlan"; then
	way m m n:80 "$N" 80
	settled || fail "the lab does not work"
	broken "down" 'eth0 is down' 'ip -n m link set eth0 down'
	broken "the server down" 'eth0 is down' 'ip -n n link set eth0 down'
	broken "no address" . 'ip -n n addr flush dev eth0; ip -n m neigh flush all'
	broken "the card down" 'up0 is down' 'ip link set up0 down' ' ip route replace default via 198.51.100.1; ip -6 addr replace 2001:db8:1::2/64 dev up0 nodad; ip -6 route replace default via 2001:db8:1::1'
	broken "a wrong neighbour" . 'ip -n m neigh replace $N lladdr 02:00:00:00:00:99 dev eth0 nud permanent' 'ip -n m neigh del $N dev eth0'
	broken "without ARP" 'ARP' 'ip -n m link set eth0 arp off'
	broken "no route" 'no route' 'ip -n m route flush table main'
	broken "input that drops" 'inet mine fw' 'ip netns exec n nft "table inet mine { chain fw { type filter hook input priority 0; tcp dport 80 drop; }; }"' 'ip netns exec n nft delete table inet mine'
	way host host n:80 "$N" 80
	settled || fail "the host does not reach it"
	SHIM=$(ip -o link show type macvlan | sed 's/^[0-9]*: \([^@:]*\).*/\1/')
	export SHIM
	broken "the host's macvlan down" . 'ip link set $SHIM down'
	broken "the host's route gone" . 'ip route del $N dev $SHIM'
fi

if group "IPv6"; then
	way a a "[$B6]" "$B6"
	settled || fail "the lab does not work"
	broken "no default route" 'no route' 'ip -n a -6 route del default'
	broken "no address" . 'ip -n a -6 addr flush dev eth0'
	broken "no neighbour" 'entry of .* is gone' 'ip -n a -6 neigh del $GW6 dev eth0'
	broken "no neighbour of the host" 'entry of .* is gone' 'ip -6 neigh del $B6 dev $LB'
	broken "a wrong neighbour" 'is not the MAC' 'ip -6 neigh replace $B6 lladdr 02:00:00:00:00:99 dev $LB nud permanent'
	broken "no route of the host" . 'ip -6 route del $B6'
	broken "unreachable" 'unreachable' 'ip -6 route add unreachable $B6 metric 10' 'ip -6 route del unreachable $B6'
	broken "blackhole in the task" '"blackhole ' 'ip -n a -6 route add blackhole $B6'
	broken "a rule" 'rule "100: from all lookup 100" sends' 'ip -6 route add default via 2001:db8:1::1 table 100; ip -6 rule add pref 100 lookup 100' 'ip -6 rule del pref 100; ip -6 rule del pref 99; ip -6 route flush table 100'
	broken "a rule that prohibits" 'rule "100: from fd00:10:1::/64 prohibit" refuses' 'ip -6 rule add pref 100 from fd00:10:1::/64 prohibit' 'ip -6 rule del pref 100; ip -6 rule del pref 99'
	broken "forwarding off" 'does not forward IPv6' 'sysctl -qw net.ipv6.conf.all.forwarding=0' 'ip -6 route replace default via 2001:db8:1::1'
	broken "IPv6 off at the host's end" 'has IPv6 turned off' 'sysctl -qw net/ipv6/conf/$LB/disable_ipv6=1'
	broken "IPv6 off at the client's host end" 'has IPv6 turned off' 'sysctl -qw net/ipv6/conf/$LA/disable_ipv6=1'
	broken "IPv6 off in the task" 'has IPv6 turned off' 'ip netns exec b sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1'
	broken "hop limit 1" 'TTL' 'ip netns exec a sysctl -qw net.ipv6.conf.all.hop_limit=1 net.ipv6.conf.eth0.hop_limit=1' 'ip netns exec a sysctl -qw net.ipv6.conf.all.hop_limit=64 net.ipv6.conf.eth0.hop_limit=64'
	broken "echo is ignored" 'echo_ignore_all' 'ip netns exec b sysctl -qw net.ipv6.icmp.echo_ignore_all=1' 'ip netns exec b sysctl -qw net.ipv6.icmp.echo_ignore_all=0'
	broken "the guard's element" 'not what the task may send' 'nft delete element inet taskvpc own6 "{ $IA . $MA . $A6 }"'
	broken "a rule of others" 'ip6 mine fw' 'nft "table ip6 mine { chain fw { type filter hook forward priority 0; icmpv6 type echo-request drop; }; }"' 'nft delete table ip6 mine'
	broken "a reverse path filter" 'inet mine fw' 'nft "table inet mine { chain fw { type filter hook prerouting priority 10; meta nfproto ipv6 fib saddr . iif oif missing drop; }; }"; ip -6 route del $A6; ip -6 route add $A6 dev up0' 'nft delete table inet mine; ip -6 route del $A6 dev up0'
	way d d "[$C6]" "$C6"
	settled 30 || fail "the bridge does not work"
	broken "bridge: the server's address" . 'ip -n c -6 addr flush dev eth0; ip -n d -6 neigh flush all'
	broken "bridge: a wrong neighbour" . 'ip -n d -6 neigh replace $C6 lladdr 02:00:00:00:00:99 dev eth0 nud permanent' 'ip -n d -6 neigh del $C6 dev eth0'
	broken "bridge: neighbour discovery is dropped" 'inet mine fw' 'ip netns exec c nft "table inet mine { chain fw { type filter hook input priority 0; policy drop; tcp dport 80 accept; }; }"; ip -n d -6 neigh flush all' 'ip netns exec c nft delete table inet mine'
fi

if group "two interfaces"; then
	two() { conf ".name = \"two$1\" | .vpc.cidr = \"10.8.0.0/16\" | .ipam.ranges = [[{subnet: \"10.8.$1.0/24\"}]]"; }
	for i in 1 2; do two $i >/etc/cni/net.d/two$i.conf; done
	netns two
	ID=two works ADD "$(two 1)" CNI_NETNS=$NETNS/two
	ID=two works ADD "$(two 2)" CNI_NETNS=$NETNS/two CNI_IFNAME=eth1
	ip -n lan route add 10.8.0.0/16 via 198.51.100.2
	T=$("$TASKVPC" ls --json | jq -r '.[] | select(.task == "two" and .interface == "eth1").address | split("/")[0]')
	way lan outside "$T" "$T"
	# Where the task sends by the interface of each address of its own, nothing is broken yet.
	in_ns two ip rule flush
	in_ns two ip rule add pref 32766 lookup main
	broken "the answer leaves by the other interface" "is the address of eth1, but it is sent by" true
	ID=two works DEL "$(two 1)"
	ID=two works DEL "$(two 2)" CNI_IFNAME=eth1
	drop two
	rm /etc/cni/net.d/two?.conf
fi

echo "remedies: $TRIED ways to break, $ROUNDS remedies"
finish
