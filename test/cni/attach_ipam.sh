#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# task-ipam under the reference bridge, ptp and macvlan; awsvpc over the reference host-local and static.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
for type in bridge ptp macvlan host-local static; do
	if [ ! -x "$CNI_REF/$type" ]; then
		skip "needs $CNI_REF/$type"
		finish
	fi
done
netns lan
ip link add lan0 type veth peer name lan1 netns lan
ip link set lan0 up
ip -n lan addr add 10.0.1.1/24 dev lan1
ip -n lan link set lan1 up
until_true sh -c 'ip link show lan0 | grep -q LOWER_UP'
baseline

IPAM='{"type":"task-ipam","placement":"first","routes":[{"dst":"0.0.0.0/0"}],
"ranges":[[{"subnet":"10.0.1.0/24","rangeStart":"10.0.1.10","id":"subnet-a"}]]}'

# under TYPE EXTRA: ADD, CHECK, DEL of a reference plugin over task-ipam, in each version.
under() {
	local version config
	for version in 0.3.1 0.4.0 1.0.0; do
		t "$1 over task-ipam at $version"
		config=$(jq -nc --argjson i "$IPAM" "{cniVersion: \"$version\", name: \"ref\", type: \"$1\", ipam: \$i} + $2")
		PLUGIN=$CNI_REF/$1
		netns c1
		plugin ADD "$config"
		is 0 "$RC" "ADD: $OUT $ERR"
		cp "$TMP/stdout" "$TMP/result/c1.eth0"
		like '^10\.0\.1\.1[0-9]/24$' "$(result c1 '.ips[0].address')" "address"
		like "inet $(address c1)/24" "$(ip -n c1 addr show eth0)" "kernel"
		is 1 "$(records)" "records"
		ping_ok c1 10.0.1.1
		if [ $version != 0.3.1 ]; then
			plugin CHECK "$(with_prev c1 "$config")"
			is 0 "$RC" "CHECK: $OUT $ERR"
		fi
		plugin DEL "$config" CNI_NETNS=$NETNS/c1
		is 0 "$RC" "DEL: $OUT $ERR"
		is 0 "$(records)" "records"
		t "$1 at $version: DEL again, its namespace gone"
		drop c1
		plugin DEL "$config" CNI_NETNS=
		is 0 "$RC" "DEL: $OUT $ERR"
	done
	PLUGIN=$BIN/awsvpc
}
under bridge '{bridge: "br0", isGateway: true}'
ip link del br0
under ptp '{}'
under macvlan '{master: "lan0"}'

t "the pool under bridge is exhausted: our words reach the runtime"
PLUGIN=$CNI_REF/bridge
config=$(jq -nc --argjson i "$IPAM" '{cniVersion: "1.0.0", name: "ref", type: "bridge", bridge: "br0",
	ipam: ($i | .ranges[0][0].rangeEnd = "10.0.1.10")}')
netns c1 c2
plugin ADD "$config"
is 0 "$RC" "ADD"
ID=c2 plugin ADD "$config"
expect_error 104 'exhausted'
plugin DEL "$config"
ID=c2 plugin DEL "$config"
is 0 "$(records)" "records"
PLUGIN=$BIN/awsvpc
ip link del br0
drop c1 c2
clean

t "awsvpc over host-local"
HL=$(conf '.cniVersion="1.0.0" | .ipam={type:"host-local",dataDir:"/run/test/hl",routes:[{dst:"0.0.0.0/0"},{dst:"::/0"}],
	ranges:[[{subnet:"10.0.1.0/24",rangeStart:"10.0.1.20"}],[{subnet:"fd00:10:1::/64"}]]}')
add a "$HL"
add b "$HL"
is "10.0.1.20/24 10.0.1.21/24" "$(result a '.ips[0].address') $(result b '.ips[0].address')" "addresses"
ping_ok a "$(address b)"
ping_ok a "$(address b 1)"
ping_ok a 10.0.1.1
ping_ok host "$(address a)"
verify a "$HL"
t "awsvpc over host-local without routes: its own subnet is reached all the same"
BARE=$(jq -c 'del(.ipam.routes) | .name="bare" | .ipam.ranges=[[{subnet:"10.0.3.0/24"}]]' <<<"$HL")
add d "$BARE"
add e "$BARE"
ping_ok d 10.0.3.1
ping_ok d "$(address e)"
del d "$BARE"
del e "$BARE"
drop d e
t "awsvpc over host-local: an address asked for, and one that is taken"
netns c
ID=c works ADD "$HL" CNI_ARGS="IgnoreUnknown=1;IP=10.0.1.77"
is '10.0.1.77/24' "$(jq -r '.ips[0].address' <<<"$OUT")" address
del c "$HL"
ID=c refused 100+ '10\.0\.1\.20|allocat|available' ADD "$HL" CNI_ARGS="IgnoreUnknown=1;IP=10.0.1.20"
del a "$HL" CNI_NETNS=
del b "$HL"
is "" "$(find /run/test/hl/lab -type f ! -name 'last_reserved*' ! -name lock)" "host-local's reservations"
drop a b c
clean
# dead_again TYPE CONF: a container dies without a DEL, and another ADD of the same key takes its place.
dead_again() {
	local PLUGIN=$BIN/$1
	t "$1 over host-local: ADD again for a container that died without a DEL"
	add a "$2"
	drop a
	add a "$2"
	is 10.0.1.20/24 "$(result a '.ips[0].address')" "its address is free again"
	is 1 "$(records)" "records"
	verify a "$2"
	del a "$2"
	t "$1 over host-local: ADD where the IPAM plugin alone knows the key"
	PLUGIN=$CNI_REF/host-local ID=a plugin ADD "$2"
	is 0 "$RC" "host-local: $OUT"
	ID=a refused 100+ 'duplicate' ADD "$2"
	ID=a works ADD "$2"
	del a "$2"
	drop a
	is "" "$(find /run/test/hl -type f ! -name 'last_reserved*' ! -name lock)" "host-local's reservations"
	clean
}
FRESH=$(jq -c '.ipam.dataDir="/run/test/hl/fresh" | .ipam.ranges=[[{subnet:"10.0.1.0/24",rangeStart:"10.0.1.20",
	rangeEnd:"10.0.1.20"}]] | .ipam.routes=[{dst:"0.0.0.0/0"}]' <<<"$HL")
dead_again awsvpc "$FRESH"
dead_again task-bridge "$(jq -c '{cniVersion, name, ipam, type: "task-bridge", bridge: "br0", isGateway: true}' <<<"$FRESH")"
t "awsvpc over static"
ST=$(conf '.cniVersion="1.0.0" | .ipam={type:"static",routes:[{dst:"0.0.0.0/0"}],
	addresses:[{address:"10.0.1.30/24",gateway:"10.0.1.1"}],dns:{nameservers:["10.0.0.2"]}}')
add a "$ST"
is '10.0.1.30/24 10.0.0.2' "$(result a '"\(.ips[0].address) \(.dns.nameservers[0])"')" "address and dns"
ping_ok a 10.0.1.1
verify a "$ST"
t "awsvpc over static: the same address twice on one host is refused"
netns b
plugin ADD "$ST" CNI_CONTAINERID=b CNI_NETNS=$NETNS/b
if [ "$RC" = 0 ]; then
	fail "expected an error: a holds 10.0.1.30 and its route"
	works DEL "$ST" CNI_CONTAINERID=b CNI_NETNS=$NETNS/b
else
	expect_error 100+ '10\.0\.1\.30'
	ping_ok host 10.0.1.30
fi
del a "$ST"
drop a b
clean
t "awsvpc macvlan over host-local"
MV=$(jq -c '.attach="macvlan" | .master="lan0" | del(.ipam.ranges[1], .ipam.routes[1])' <<<"$HL")
add a "$MV"
ping_ok a 10.0.1.1
verify a "$MV"
del a "$MV"
drop a
clean
t "awsvpc macvlan over static: an answer that cannot be given takes the link back"
netns a
ID=a refused 7 'more than 32 entries' ADD "$(jq -c '.attach="macvlan" | .master="lan0"
	| .prevResult={cniVersion: "1.0.0", dns: {search: [range(20) | "a\(.)"]}}
	| .ipam.dns.search=[range(20) | "b\(.)"]' <<<"$ST")"
drop a
clean

finish
