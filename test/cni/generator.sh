#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Configurations drawn by a seed. STATUS, ADD, CHECK, packets and DEL must agree: where STATUS is 0 ADD
# succeeds or says that the pool is exhausted, where it is not ADD is refused; after ADD CHECK is 0, and
# each packet that the configuration lets pass is answered; after DEL nothing is left. Configuration N of
# seed S is configuration 0 of seed S + N. `make generate` draws thousands.
#
#   SEED=N    of the first configuration (default 1; of `make generate` the day of the year times 10000)
#   COUNT=N   how many (default 80, about a minute)
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
SEED=${SEED:-1}
COUNT=${COUNT:-80}
echo "generator.sh: SEED=$SEED COUNT=$COUNT"

# The host has a LAN for macvlan, whose router is 10.0.1.1, and an uplink to a host outside, which sends
# everything back by this host.
netns lan outside
ip link add lan0 type veth peer name lan1 netns lan
ip link add up0 type veth peer name net0 netns outside
ip addr add 10.0.1.2/24 dev lan0
ip addr add fd00:10:1::fffe/64 dev lan0 nodad
ip addr add 198.51.100.1/24 dev up0
ip addr add fd00:51::1/64 dev up0 nodad
ip link set lan0 up
ip link set up0 up
ip -n lan addr add 10.0.1.1/24 dev lan1
ip -n lan addr add fd00:10:1::1/64 dev lan1 nodad
ip -n lan link set lan1 up
ip -n outside addr add 198.51.100.2/24 dev net0
ip -n outside addr add fd00:51::2/64 dev net0 nodad
ip -n outside link set net0 up
ip -n outside route add default via 198.51.100.1
ip -n outside -6 route add default via fd00:51::1
ip route add default via 198.51.100.2
ip -6 route add default via fd00:51::2
until_true pings host 10.0.1.1
until_true pings host fd00:51::2
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
baseline

# one_of WORD…: one of them, in DRAWN. A subshell would draw from a copy of the generator.
one_of() {
	shift $((RANDOM % $#))
	DRAWN=$1
}
# often PERCENT: does it happen?
often() { [ $((RANDOM % 100)) -lt "$1" ]; }

# ---- a network: PLUGIN_OF[i], CONF_OF[i], KIND[i] ----

# range4 NET: a range of an IPv4 subnet at NET.0, NET of three bytes; in RANGE.
range4() {
	local net=$1 len
	one_of 24 24 25 26 27 28 29 30
	len=$DRAWN
	RANGE="{\"subnet\":\"$net.0/$len\""
	if often 25; then RANGE+=",\"rangeStart\":\"$net.2\""; fi
	if often 25; then
		one_of 2 3 5 6
		RANGE+=",\"rangeEnd\":\"$net.$DRAWN\""
	fi
	if often 30; then
		one_of 1 1 2 5 0
		RANGE+=",\"gateway\":\"$net.$DRAWN\""
	fi
	if often 25; then
		one_of "$net.2" "$net.4/31" "$net.0/29"
		RANGE+=",\"exclude\":[\"$DRAWN\"]"
	fi
	if often 40; then
		one_of aws minimal
		RANGE+=",\"reserve\":\"$DRAWN\""
	fi
	RANGE+="}"
}

# range6 NET: likewise of an IPv6 subnet, NET ends with "::".
range6() {
	one_of 64 64 80 112 120 125 126
	RANGE="{\"subnet\":\"$1/$DRAWN\""
	if often 20; then RANGE+=",\"rangeStart\":\"${1}2\""; fi
	if often 20; then RANGE+=",\"rangeEnd\":\"${1}6\""; fi
	if often 30; then
		one_of 1 1 2 3
		RANGE+=",\"gateway\":\"$1$DRAWN\""
	fi
	RANGE+="}"
}

# ranges I: of the network I, in RANGES; FAMILIES: 4, 6 or 46.
ranges() {
	local set
	one_of 4 4 6 46 46
	FAMILIES=$DRAWN
	RANGES=
	if [[ $FAMILIES = *4* ]]; then
		range4 "10.2$1.1"
		set=$RANGE
		if often 20; then
			range4 "10.2$1.2"
			set+=",$RANGE"
		fi
		RANGES="[$set]"
	fi
	if [[ $FAMILIES = *6* ]]; then
		range6 "fd00:2$1:1::"
		RANGES+="${RANGES:+,}[$RANGE]"
	fi
}
# Of the macvlan's LAN: what is not on its other hosts.
lan_ranges() {
	one_of 4 6 46
	FAMILIES=$DRAWN
	RANGES=
	if [[ $FAMILIES = *4* ]]; then
		one_of 10 11 254
		RANGES="[{\"subnet\":\"10.0.1.0/24\",\"rangeStart\":\"10.0.1.$DRAWN\"}]"
	fi
	if [[ $FAMILIES = *6* ]]; then RANGES+="${RANGES:+,}[{\"subnet\":\"fd00:10:1::/64\",\"rangeStart\":\"fd00:10:1::10\"}]"; fi
}

# routes I NET4 NET6: in ROUTES, mostly none. NET4 and NET6 begin the subnets.
routes() {
	local more=
	local gw4=",\"gw\":\"$2.1\"" gw6=",\"gw\":\"${3}1\""
	# A first address may be a task's where the gateway is another.
	[[ $RANGES != *gateway* ]] || gw4='' gw6=''
	ROUTES=
	often 35 || return 0
	if [[ $FAMILIES = *4* ]]; then
		if often 70; then ROUTES='{"dst":"0.0.0.0/0"}'; fi
		if often 50 && [[ $RANGES != *10.2$1.2.* ]]; then # the gateway is of one subnet
			one_of "" "$gw4" ",\"mtu\":1400" ",\"priority\":50" ",\"table\":9" ",\"gw\":\"203.0.113.9\""
			ROUTES+="${ROUTES:+,}{\"dst\":\"198.18.$1.0/24\"$DRAWN}"
		fi
	fi
	if [[ $FAMILIES = *6* ]]; then
		if often 70; then more='{"dst":"::/0"}'; fi
		if often 40; then
			one_of "" "$gw6" ",\"mtu\":1400" ",\"table\":9"
			more+="${more:+,}{\"dst\":\"fd00:18:$1::/64\"$DRAWN}"
		fi
	fi
	ROUTES+="${ROUTES:+${more:+,}}$more"
}

# keys KEY PERCENT…: booleans that are true so often, in KEYS.
keys() {
	while [ $# -gt 0 ]; do
		if often "$2"; then KEYS+=",\"$1\":true"; fi
		shift 2
	done
}

veth() {
	ranges "$1"
	routes "$1" "10.2$1.1" "fd00:2$1:1::"
	keys ipMasq 40 blockInstanceMetadata 20
	if often 60; then
		one_of "\"10.2$1.0.0/16\"" "[\"10.2$1.0.0/16\",\"fd00:2$1::/32\"]" "\"10.0.0.0/8\"" "\"10.2$1.1.0/24\"" "\"192.168.0.0/16\""
		KEYS+=",\"vpc\":{\"cidr\":$DRAWN}"
	fi
	if often 30; then KEYS+=',"hostRouting":"bpf"'; fi
	if often 15; then KEYS+=',"guardMark":0'; fi
}
macvlan() {
	lan_ranges
	routes "$1" 10.0.1 fd00:10:1::
	one_of bridge bridge private vepa
	KEYS+=",\"attach\":\"macvlan\",\"master\":\"lan0\",\"mode\":\"$DRAWN\""
	keys hostAccess 40 blockInstanceMetadata 20
}
bridge() {
	ranges "$1"
	routes "$1" "10.2$1.1" "fd00:2$1:1::"
	KEYS+=",\"bridge\":\"cni$1\""
	keys isGateway 60 isDefaultGateway 60 ipMasq 40 macspoofchk 20 portIsolation 15 hairpinMode 15 promiscMode 10
	if often 30; then
		one_of same-bridge isolated
		KEYS+=",\"ingressPolicy\":\"$DRAWN\""
	fi
}

declare -a CONF_OF KIND
network() {
	local i=$1 kind=$2 type=awsvpc
	KEYS=
	[ "$kind" != bridge ] || type=task-bridge
	"$kind" "$i"
	if often 30; then
		one_of 1280 1400 1500
		KEYS+=",\"mtu\":$DRAWN"
	fi
	one_of spread pack first
	KIND[i]=$kind
	CONF_OF[i]="{\"cniVersion\":\"1.1.0\",\"name\":\"gen$i\",\"type\":\"$type\"$KEYS,\"ipam\":{\"dataDir\":\"$DATA\",\"cooldown\":0,\"placement\":\"$DRAWN\",\"ranges\":[$RANGES]${ROUTES:+,\"routes\":[$ROUTES]}}}"
}

# ---- what is compared ----

of() {
	PLUGIN=$BIN/awsvpc
	[ "${KIND[$1]}" != bridge ] || PLUGIN=$BIN/task-bridge
	ID=$2
}
has() { [[ ${CONF_OF[$1]} =~ $2 ]]; }
exhausted() { [[ $OUT = *exhausted* ]]; }

# attach I NAME: ADD to the network I. Return: is NAME on it?
attach() {
	of "$1" "$2"
	plugin ADD "${CONF_OF[$1]}" "CNI_IFNAME=eth$1"
	if [ "$RC" = 0 ]; then
		cp "$TMP/stdout" "$TMP/result/$2.eth$1"
		return
	fi
	rm -f "$TMP/result/$2.eth$1"
	return 1
}

# judged I: STATUS and ADD of c1 agree. Return: is it attached?
judged() {
	local status words
	of "$1" c1
	plugin STATUS "${CONF_OF[$1]}"
	status=$RC words=$OUT
	if attach "$1" c1; then
		is 0 "$status" "STATUS where ADD succeeds ($words)"
		return 0
	fi
	if [ "$status" = 0 ] && ! exhausted; then fail "STATUS is 0, ADD is refused: $OUT"; else pass; fi
	return 1
}

# answered FROM SOURCE TO: a packet from that address.
answered() { ping_ok "$1" "$3" ${2:+-I "$2"}; }

# same_net CIDR ADDRESS: does the task reach it without a gateway? The kernel says.
same_net() { in_ns c1 ip route get "$2" from "${1%/*}" 2>/dev/null | grep -q ' dev ' && ! in_ns c1 ip route get "$2" from "${1%/*}" | grep -q ' via '; }

# packets I: of the attachment of c1 to the network I.
packets() {
	local i=$1 cidr gateway source v6 n=0 peer out
	while read -r cidr gateway; do
		source=${cidr%/*}
		v6=
		[[ $source != *:* ]] || v6=6
		peer=$([ -e "$TMP/result/c2.eth$i" ] && address c2 $n "eth$i")
		out=198.51.100.2
		[ -z "$v6" ] || out=fd00:51::2
		n=$((n + 1))
		case ${KIND[i]} in
		veth)
			answered c1 "$source" "$gateway"
			# Routes without a default leave the rest of the world out, the host's other addresses too.
			if has_way "$i" "$v6"; then
				answered host "" "$source"
				answered c1 "$source" "$out"
				[ -z "$peer" ] || answered c1 "$source" "$peer"
				[ -z "$peer" ] || answered c2 "$peer" "$source"
			fi
			;;
		macvlan)
			answered c1 "$source" "$([ "$v6" ] && echo fd00:10:1::1 || echo 10.0.1.1)"
			answered lan "" "$source"
			if [ -n "$peer" ] && has "$i" '"mode":"bridge"'; then
				answered c1 "$source" "$peer"
				answered c2 "$peer" "$source"
			fi
			# vepa sends all frames to the switch, and this one reflects none.
			if has "$i" hostAccess && ! has "$i" '"mode":"vepa"'; then
				answered host "" "$source"
				answered c1 "$source" "$([ "$v6" ] && echo fd00:10:1::fffe || echo 10.0.1.2)"
			fi
			;;
		bridge)
			if [ -n "$peer" ] && ! has "$i" 'portIsolation|"isolated"' && same_net "$cidr" "$peer"; then
				answered c1 "$source" "$peer"
				answered c2 "$peer" "$source"
			fi
			if has "$i" 'is(Default)?Gateway'; then
				answered c1 "$source" "$gateway"
				answered host "" "$source"
			fi
			if has "$i" isDefaultGateway; then answered c1 "$source" "$out"; fi
			;;
		esac
	done < <(result c1 '.ips[] | "\(.address) \(.gateway // "")"' "eth$i")
}
# has_way I V6: does the result have a default route of the family?
has_way() {
	local dst=0.0.0.0/0
	[ -z "$2" ] || dst=::/0
	[ "$(result c1 "[.routes[]? | select(.dst == \"$dst\" and .table == null)] | length" "eth$1")" != 0 ]
}

checked() {
	of "$1" "$2"
	plugin CHECK "$(with_prev "$2" "${CONF_OF[$1]}" "eth$1")" "CNI_IFNAME=eth$1"
	is 0 "$RC" "CHECK of $2 ($OUT)"
}

# try N: the configuration of this seed.
try() {
	local i name networks=1 kind first=
	RANDOM=$(($1 * 7919 % 32768 + $1 / 32768)) # neighbours of a seed begin alike
	for i in 1 2 3; do : $RANDOM; done
	! often 35 || networks=2
	for ((i = 0; i < networks; i++)); do
		one_of veth veth macvlan bridge bridge
		kind=$DRAWN
		[ "$kind $first" != "macvlan macvlan" ] || kind=veth
		first=$kind
		network "$i" "$kind"
	done
	t "SEED=$1: ${CONF_OF[*]:0:networks}"
	netns c1 c2
	local -a on=()
	for ((i = 0; i < networks; i++)); do
		if judged "$i"; then on+=("$i"); fi
	done
	for i in "${on[@]}"; do
		attach "$i" c2 || exhausted || fail "ADD of a second task: $OUT"
	done
	for i in "${on[@]}"; do checked "$i" c1; done
	for i in "${on[@]}"; do packets "$i"; done
	[ ${#on[@]} = 0 ] || TRIED=$((TRIED + 1))
	for name in c1 c2; do
		for ((i = 0; i < networks; i++)); do
			of "$i" "$name"
			plugin DEL "${CONF_OF[i]}" "CNI_IFNAME=eth$i"
			is 0 "$RC" "DEL of $name from network $i ($OUT)"
			rm -f "$TMP/result/$name.eth$i"
		done
	done
	drop c1 c2
	clean
	forget
}

TRIED=0
for ((n = 0; n < COUNT; n++)); do
	CONF_OF=() KIND=()
	try $((SEED + n))
done
t "drawn"
echo "generator.sh: $TRIED of $COUNT configurations had a task"
within "$TRIED" $((COUNT / 2)) "half of the configurations"
finish
