#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Task a, which has CAP_NET_RAW, attacks its neighbour b, its router and what is behind that, with real
# frames (test/forge.pl). The table in docs/isolation.md says what each mode lets through, and it is the
# table that is tested: each cell is tried. The last column that is tried is no mode: the bridge with all
# that guards it taken away, where every attack must succeed, or silence would say nothing.
#
#   ONLY=REGEX     columns of the table, by their names below
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/lan.sh
. "$(dirname "$0")/../lan.sh"

TABLE=$ROOT/docs/isolation.md
MODES=(veth bpf macvlan bridge macspoofchk portIsolation closed)
STRANGER=02:00:00:00:00:99
IMDS=169.254.169.254
IMDS6=fd00:ec2::254

# ---- the labs ----

# Whom a attacks, in each: ROUTER is the namespace of its router (GW, GW6, with the MAC GM), OUT one behind
# that; TO_B is the MAC that leads to b, PORT the port of a on its bridge.
POOLS='[[{subnet:"10.88.0.0/24"}],[{subnet:"fd00:88::/64"}]]'

gateway_mac() {
	in_ns "$1" ping -n -c 1 -W 1 "$GW" >/dev/null
	ip -n "$1" neigh show "$GW" | grep -o '..:..:..:..:..:..'
}

facts() {
	A=$(address a) B=$(address b) A6=$(address a 1) B6=$(address b 1)
	GW=$(result a '.ips[0].gateway') GW6=$(result a '.ips[1].gateway')
	AM=$(ip -n a -j link show eth0 | jq -r '.[0].address')
	BM=$(ip -n b -j link show eth0 | jq -r '.[0].address')
	GM=$(gateway_mac a) GM_B=$(gateway_mac b)
	TO_B=$BM
}

# bridge_lab FILTER: publishing a port makes route_localnet necessary, and ipMasq connection tracking.
bridge_lab() {
	CONFIG=$(conf ".ipam.ranges=$POOLS | $1")
	add a "$CONFIG"
	add b "$(ports '[{hostPort:8080,containerPort:80}]' "$CONFIG")"
	ROUTER=host OUT=outside PORT=$(host_link a) DEV=cni0
	facts
}

lab() {
	PLUGIN=$BIN/task-bridge
	case $1 in
	veth | bpf)
		PLUGIN=$BIN/awsvpc
		CONFIG=$(conf ".type=\"awsvpc\" | .vpc.cidr=[\"10.88.0.0/16\",\"fd00:88::/32\"] | .blockInstanceMetadata=true
			| .ipam.ranges=$POOLS | .hostRouting=\"${1/veth/stack}\"")
		add a "$CONFIG"
		add b "$CONFIG"
		ROUTER=host OUT=outside PORT="" DEV=$(result a '.interfaces[0].name')
		facts
		TO_B=$GM
		;;
	macvlan)
		PLUGIN=$BIN/awsvpc
		CONFIG=$(conf ".type=\"awsvpc\" | .attach=\"macvlan\" | .master=\"lan0\" | .blockInstanceMetadata=true
			| .ipMasq=false | .ipam.ranges=[[{subnet:\"10.88.0.0/24\",rangeStart:\"10.88.0.10\"}],
			[{subnet:\"fd00:88::/64\",rangeStart:\"fd00:88::10\"}]]")
		add a "$CONFIG"
		add b "$CONFIG"
		ROUTER=lan OUT=lan PORT="" DEV=lan1
		facts
		;;
	bridge) bridge_lab . ;;
	macspoofchk) bridge_lab '.macspoofchk=true' ;;
	portIsolation) bridge_lab '.portIsolation=true' ;;
	closed) bridge_lab '.macspoofchk=true | .ingressPolicy="isolated"' ;;
	bare)
		bridge_lab .
		nft flush ruleset
		ip link set cni0 type bridge no_linklocal_learn 0
		nft 'add table ip tracking; add chain ip tracking any { type filter hook input priority 0; };
			add rule ip tracking any ct state new counter'
		for key in ipv4/conf/{all,cni0}/{route_localnet,accept_local,accept_source_route}; do
			echo 1 >"/proc/sys/net/$key"
		done
		echo 2 >/proc/sys/net/ipv6/conf/cni0/accept_ra
		in_ns b sh -c 'echo 1 >/proc/sys/net/ipv6/conf/eth0/accept_ra'
		;;
	esac
	credulous
	for where in b "$ROUTER" "$OUT"; do watch "$where"; done
}

unlab() {
	del a "$CONFIG"
	del b "$CONFIG"
	drop a b
	nft delete table inet watch 2>/dev/null
}

# credulous: who has just heard of an address believes no other word for a second, which would only make
# this test slower.
credulous() {
	local key
	in_ns b sh -c 'echo 0 >/proc/sys/net/ipv4/neigh/eth0/locktime'
	in_ns "$ROUTER" sh -c "echo 0 >/proc/sys/net/ipv4/neigh/$DEV/locktime"
}

# watch NAME: count what is delivered there: 7002 is forged, 7001 honest.
watch() {
	in_ns "$1" nft -f - <<-'EOF'
		add table inet watch
		delete table inet watch
		table inet watch {
			counter forged { }
			counter honest { }
			chain in {
				type filter hook input priority 0;
				udp dport 7001 counter name honest
				udp dport 7002 counter name forged
			}
		}
	EOF
}
counted() { in_ns "$1" nft -j list counter inet watch "$2" | jq '.nftables[] | .counter.packets? // empty'; }

# ---- attacks ----

# forge FRAME…: from a, and an honest frame behind it. Return: did that arrive at the router?
forge() {
	local before
	before=$(counted "$ROUTER" honest)
	in_ns a perl "$ROOT/test/forge.pl" eth0 "$@" -- udp dmac="$GM" from="$A" to="$GW" dport=7001 || return
	until_true arrived "$before"
}
arrived() { [ "$(counted "$ROUTER" honest)" -gt "$1" ]; }

# verdict COMMAND…: "passes" if the attack was seen to succeed. What should pass is waited for.
verdict() {
	local seen=blocked
	if [ "$WANT" = passes ]; then ! until_true "$@" || seen=passes; else ! "$@" || seen=passes; fi
	echo "$seen"
}
more() { [ "$(counted "$1" forged)" -gt "$2" ]; }

# lands WHERE FRAME…: does one of these frames get there?
lands() {
	local where=$1 before
	shift
	before=$(counted "$where" forged)
	forge "$@" || { echo "untried: no honest frame arrived either" && return; }
	verdict more "$where" "$before"
}

own_to_b() { lands b udp dmac="$TO_B" from="$A" to="$B" -- udp dmac="$TO_B" from="$A6" to="$B6"; }
own_by_router() { lands b udp dmac="$GM" from="$A" to="$B" -- udp dmac="$GM" from="$A6" to="$B6"; }
address_to_b() { lands b udp dmac="$TO_B" from=10.88.0.77 to="$B"; }
address_to_router() { lands "$ROUTER" udp dmac="$GM" from="$B" to="$GW"; }
address_to_outside() { lands "$OUT" udp dmac="$GM" from=10.88.0.77 to="$FAR"; }
address6_to_b() { lands b udp dmac="$TO_B" from=fd00:88::77 to="$B6"; }
address6_to_router() { lands "$ROUTER" udp dmac="$GM" from="$B6" to="$GW6"; }
address6_to_outside() { lands "$OUT" udp dmac="$GM" from=fd00:88::77 to="$FAR6"; }
mac_to_b() {
	lands b udp smac="$STRANGER" dmac="$TO_B" from="$A" to="$B" -- \
		udp smac="$STRANGER" dmac="$TO_B" from="$A6" to="$B6"
}
mac_to_router() {
	lands "$ROUTER" udp smac="$STRANGER" dmac="$GM" from="$A" to="$GW" -- \
		udp smac="$STRANGER" dmac="$GM" from="$A6" to="$GW6"
}
both_to_router() {
	lands "$ROUTER" udp smac="$BM" dmac="$GM" from="$B" to="$GW" -- \
		udp smac="$BM" dmac="$GM" from="$B6" to="$GW6"
}
# A tag of VLAN 0 is none (802.1p): a receiver takes it off, and as many as there are.
tagged() {
	lands "$ROUTER" udp smac="$STRANGER" vlan=0 dmac="$GM" from="$B" to="$GW" -- \
		udp smac="$STRANGER" vlan=0,0 dmac="$GM" from="$B" to="$GW"
}
# The second half is forged, the first b's own: as a whole it bears b's MAC and comes from b's interface.
fragment_among() {
	local before frame="udp id=4711 from=$1 to=$2"
	before=$(counted "$ROUTER" forged)
	# shellcheck disable=SC2086 # words
	{
		forge $frame part=2 dmac="$GM" || { echo untried && return; }
		in_ns b perl "$ROOT/test/forge.pl" eth0 $frame part=1 dmac="$GM_B"
	}
	verdict more "$ROUTER" "$before"
}
fragment() { fragment_among "$B" "$GW"; }
fragment6() { fragment_among "$B6" "$GW6"; }
from_loopback() {
	lands "$ROUTER" udp dmac="$GM" from=127.0.0.1 to="$GW" -- udp dmac="$GM" from=127.0.0.5 to="$GW"
}
to_loopback() {
	lands "$ROUTER" udp dmac="$GM" from="$A" to=127.0.0.1 -- udp vlan=0 dmac="$GM" from="$A" to=127.0.0.1
}
# Loose source route (option 131): to the router, and from there to the outside.
source_route() {
	local hops
	# shellcheck disable=SC2086 # words
	hops=$(printf '%02x' ${FAR//./ })
	lands "$OUT" udp dmac="$GM" from="$A" to="$GW" options="830704${hops}00"
}
metadata() {
	ip -n a route del blackhole "$IMDS" 2>/dev/null
	ip -n a -6 route del blackhole "$IMDS6" 2>/dev/null
	lands "$ROUTER" udp dmac="$GM" from="$A" to="$IMDS" -- udp dmac="$GM" from="$A6" to="$IMDS6"
}
to_everybody() {
	lands b udp sport=67 from="$A" to=255.255.255.255 -- udp dmac=01:00:5e:00:00:01 from="$A" to=224.0.0.1
}

# taken WHERE ADDRESS MAC: does WHERE take ADDRESS for this MAC, on the way that leads there?
taken() {
	local dev
	dev=$(in_ns "$1" ip -j route get "$2" | jq -r '.[0].dev')
	in_ns "$1" ip neigh show "$2" dev "$dev" | grep -q "lladdr $3"
}
# lie WHERE ADDRESS MAC FRAME…: WHERE asks for the truth, and is told this.
lie() {
	local where=$1 address=$2 mac=$3
	shift 3
	in_ns "$where" ping -n -c 1 -W 0.2 "$address" >/dev/null 2>&1
	forge "$@" || { echo untried && return; }
	verdict taken "$where" "$address" "$mac"
	in_ns "$where" ip neigh flush to "$address" nud reachable nud stale nud delay nud probe >/dev/null 2>&1
}
arp() {
	lie "$1" "$2" "$AM" arp op=2 sha="$AM" spa="$2" tha="$3" tpa="$4" dmac="$3" -- \
		arp op=1 sha="$AM" spa="$2" tpa="$2"
}
arp_gateway() { arp b "$GW" "$BM" "$B"; }
arp_task() { arp "$ROUTER" "$B" "$GM" "$GW"; }
arp_stranger() {
	local frame="arp op=2 sha=$STRANGER spa=$GW tha=$BM tpa=$B dmac=$BM"
	# shellcheck disable=SC2086 # words
	lie b "$GW" $STRANGER $frame -- $frame vlan=0 -- $frame vlan=0,0
}
na_gateway() { lie b "$GW6" "$AM" na dmac="$BM" from="$A6" to="$B6" target="$GW6" lladdr="$AM"; }
na_task() { lie "$ROUTER" "$B6" "$AM" na dmac="$GM" from="$A6" to="$GW6" target="$B6" lladdr="$AM"; }

# Entries that the router makes for senders whom nobody knows. Few: the table is one for all namespaces.
# Not by grep -q: it ends at the first line, and who still writes then dies of that, which is no "no".
strangers() {
	local seen
	seen=$(in_ns "$ROUTER" ip neigh show to 10.88.0.128/25 && in_ns "$ROUTER" ip neigh show to fd00:88::ab00/120)
	[ -n "$seen" ]
}
neighbours() {
	forge arp op=1 n=9 dmac="$GM" sha="$AM" spa=10.88.0.15%d tpa="$GW" -- \
		ns n=9 dmac="$GM" from=fd00:88::ab0%d to="$GW6" target="$GW6" lladdr="$AM" || { echo untried && return; }
	verdict strangers
	in_ns "$ROUTER" ip neigh flush to 10.88.0.128/25
	in_ns "$ROUTER" ip neigh flush to fd00:88::ab00/120
}

# Does the bridge take a's port for that of b? By a frame to b's peer, and by one to a bridge's own
# address, which no rule sees that looks at what is forwarded.
port() {
	forge "$@" || { echo untried && return; }
	verdict leads_to_a
	in_ns b ping -n -c 1 -W 1 "$GW" >/dev/null 2>&1
}
leads_to_a() { bridge fdb show br cni0 | grep -q "^$BM dev $PORT "; }
steal_port() { port udp smac="$BM" dmac="$GM" from="$A" to="$GW"; }
steal_port_below() {
	local below
	for below in 0e 03 0d; do
		set -- "$@" -- udp smac="$BM" dmac=01:80:c2:00:00:"$below" from="$A" to="$GW"
	done
	port "${@:2}"
}

advertises() {
	forge ra from=fe80::bad prefix="2001:db8:bad::" smac="$AM" || { echo untried && return; }
	verdict learned "$1"
	in_ns "$1" ip -6 route flush proto ra
	in_ns "$1" ip -6 route flush proto kernel to 2001:db8:bad::/64
}
learned() { in_ns "$1" ip -6 route show | grep -q -e 'proto ra' -e 2001:db8:bad; }
ra_task() { advertises b; }
ra_router() { advertises "$ROUTER"; }
redirect() {
	forge redirect dmac="$TO_B" from="$GW" to="$B" via="$A" about=198.51.100.2 || { echo untried && return; }
	verdict redirected
	ip -n b route flush cache
}
redirected() { ip -n b route get 198.51.100.2 | grep -q "via $A "; }

# Connections that the router tracks because of a.
tracks() { grep -q "src=$1 .*dport=7003" /proc/net/nf_conntrack; }
flows() {
	forge udp dmac="$GM" from="$1" to="$FAR" n=9 sport=700%d dport=7003 || { echo untried && return; }
	verdict tracks "$1"
}
forged_flows() { flows 10.88.0.77; }
own_flows() { flows "$A"; }

# MACs that nobody has: the bridge learns them all, up to its limit, or none.
made_up() { [ "$(bridge fdb show br cni0 | grep -c '^02:98:')" -ge 90 ]; }
fill_fdb() {
	forge udp n=99 smac=02:98:00:00:00:%d dmac="$GM" from="$A" to="$GW" || { echo untried && return; }
	verdict made_up
}
sent_by_a() { ip -n a -s -j link show eth0 | jq '.[0].stats64.tx.packets'; }
# As many frames as a can write while b asks its router: SYNs, broadcasts, MACs that nobody has.
flood() {
	local answers flooder sent
	sent=$(sent_by_a)
	while in_ns a perl "$ROOT/test/forge.pl" eth0 syn n=500 dmac="$GM" from="$A" to="$GW" sport=1%d dport=7009 -- \
		udp n=500 from="$A" to=255.255.255.255 -- \
		arp n=99 smac=02:98:00:00:01:%d op=1 sha=02:98:00:00:01:%d spa="$A" tpa="$B"; do :; done &
	flooder=$!
	answers=$(in_ns b ping -n -c 5 -i 0.2 -W 2 "$GW" | grep -c ' bytes from ')
	stop "$flooder"
	sent=$(($(sent_by_a) - sent))
	[ "$sent" -gt 1000 ] || { echo "untried: $sent frames" && return; }
	if [ "$answers" -ge 4 ]; then echo blocked; else echo "passes: $answers of 5 answers"; fi
}

# ATTACKS: as the table names them, and the function that tries it; "always": blocked without guards, too.
ATTACKS='own address, to another task|own_to_b
own address, to another task by way of the router|own_by_router
forged IPv4 source, to another task|address_to_b
forged IPv4 source (another task), to the router|address_to_router
forged IPv4 source, to the outside|address_to_outside
forged IPv6 source, to another task|address6_to_b
forged IPv6 source (another task), to the router|address6_to_router
forged IPv6 source, to the outside|address6_to_outside
forged MAC, to another task|mac_to_b
forged MAC, to the router|mac_to_router
MAC and address of another task, to the router|both_to_router
forged MAC and source in VLAN tags, once and twice|tagged
a forged fragment among those of another task|fragment
a forged fragment among those of another task, IPv6|fragment6
source 127.0.0.0/8, to the router|from_loopback
to 127.0.0.1 of the router|to_loopback
source-routed by the router (IP option)|source_route
instance metadata, the route in the task removed|metadata
broadcast, multicast, answers of a DHCP server|to_everybody
ARP: "I am the gateway", to another task|arp_gateway
ARP: "I am that task", to the router|arp_task
ARP with the MAC of a third, also in VLAN tags|arp_stranger
NA: "I am the gateway", to another task|na_gateway
NA: "I am that task", to the router|na_task
neighbour entries of made-up senders in the router|neighbours
another task'\''s port of the bridge, by its MAC|steal_port
the same by frames that bridges do not forward|steal_port_below
router advertisement, to another task|ra_task
router advertisement, to the router|ra_router
ICMP redirect in the gateway'\''s name, to another task|redirect
forged sources in the connection table|forged_flows
own flows in the connection table|own_flows
made-up MACs in the table of the bridge|fill_fdb
a flood of SYNs, broadcasts, made-up MACs: others get no answers|flood|always'

# cell WORDS COLUMN: of the table. What stands behind the first word is said to people.
cell() {
	awk -F ' *[|] *' -v words="$1" -v n="$(($2 + 3))" '$2 == words { split($n, w, " "); print w[1] }' "$TABLE"
}

# tried WANT ATTACK: its verdict. An attack that should pass may lose a race against the truth: again, then.
tried() {
	local WANT=$1 seen _
	for _ in 1 2 3; do
		seen=$("$2")
		[ "$WANT $seen" = "passes blocked" ] || break
	done
	echo "$seen"
}

# column NAME NUMBER: all attacks in this lab. "bare" has no number: all pass, or nearly.
column() {
	local words attack control want
	lab "$1"
	while IFS='|' read -r words attack control; do
		t "$1: $words"
		want=passes
		[ -z "$control" ] || want=blocked
		[ "$1" = bare ] || want=$(cell "$words" "$2")
		case $want in - | n/a) continue ;; esac
		is "$want" "$(tried "$want" "$attack")" "what docs/isolation.md says"
		CELLS=$((CELLS + 1))
	done <<<"$ATTACKS"
	unlab
}

FAR=198.51.100.2 FAR6=fd00:51::2
lan
in_ns outside bash -c 'echo 1 | tee /proc/sys/net/ipv4/conf/{all,net0}/accept_source_route >/dev/null'
ip addr add $IMDS/32 dev lo
ip -6 addr add $IMDS6/128 dev lo
netns lan
ip link add lan0 type veth peer name lan1 netns lan
ip link set lan0 up
ip -n lan -batch - <<-'END_OF_LAN'
	link set lo up
	addr add 10.88.0.1/24 dev lan1
	addr add fd00:88::1/64 dev lan1 nodad
	addr add 169.254.169.254/32 dev lo
	addr add fd00:ec2::254/128 dev lo
	link set lan1 up
END_OF_LAN

t "the table and the attacks are of each other"
is "$(cut -d'|' -f1 <<<"$ATTACKS")" "$(awk -F ' *[|] *' '/^\| /{ if (n++) print $2 }' "$TABLE")" "rows"

CELLS=0
for i in "${!MODES[@]}"; do
	# Sanitizers look at the plugins, not at frames: two ways to attach are enough for them.
	[ -z "$SAN" ] || [[ ${MODES[i]} =~ ^(veth|closed)$ ]] || continue
	if group "${MODES[i]}"; then
		FAR=198.51.100.2 FAR6=fd00:51::2
		[ "${MODES[i]}" != macvlan ] || FAR=10.88.0.1 FAR6=fd00:88::1
		column "${MODES[i]}" "$i"
	fi
done
echo "$CELLS cells"
if group bare; then column bare; fi
finish
