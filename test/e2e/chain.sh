#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# awsvpc as the first of a chain with the packaged tuning, bandwidth, firewall, portmap and sbr, driven as
# libcni does.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
t chain
for type in tuning bandwidth firewall portmap sbr; do
	[ -x "$CNI_REF/$type" ] || { skip "needs $CNI_REF/$type" && finish; }
done
need iptables busybox
netns outside
ip link add up0 type veth peer name net0 netns outside
ip addr add 198.51.100.1/24 dev up0
ip link set up0 up
ip -n outside addr add 198.51.100.2/24 dev net0
ip -n outside link set net0 up
ip -n outside route add 10.0.0.0/16 via 198.51.100.1
until_true pings host 198.51.100.2
# The reference portmap leaves its empty base chains; so they are part of the beginning.
iptables -t nat -L >/dev/null 2>&1
LIST=$TMP/chain.conflist
jq '{cniVersion: "1.0.0", name, plugins: [
	(del(.cniVersion, .name) + {capabilities: {ips: true}}),
	{type: "tuning", capabilities: {mac: true}, sysctl: {"net.ipv4.conf.eth0.log_martians": "1"}, mtu: 1400},
	{type: "bandwidth", ingressRate: 100000000, ingressBurst: 1000000, egressRate: 100000000,
		egressBurst: 1000000},
	{type: "portmap", capabilities: {portMappings: true}, snat: true}]}' <<<"$CONF" >"$LIST"

# chained NAMES…: LIST reduced to these plugins.
chained() {
	jq --arg keep " $* " '.plugins |= map(select(.type as $t | $keep | contains(" \($t) ")))' "$LIST" \
		>"$TMP/part.conflist"
}
# ours: what we may have left (the chains of iptables are portmap's).
ours() {
	ip -br link | grep -v -e '^lo ' -e '^up0'
	ip route | grep '^10\.'
	nft list tables | grep taskvpc
	iptables-save -t nat 2>/dev/null | grep -- '-A CNI-.*7007'
	echo "records $(records)"
}

for version in 0.3.1 0.4.0 1.0.0 1.1.0; do
	export CHAIN_VERSION=$version
	case $version in 1.1.0) chained awsvpc ;; *) chained awsvpc tuning ;; esac
	t "with tuning at $version"
	netns a
	chain_ok ADD "$TMP/part.conflist" a
	A=$(address a)
	ping_ok host "$A"
	if [ $version != 1.1.0 ]; then
		is 1400 "$(ip -n a -j link show eth0 | jq '.[0].mtu')" "mtu set by tuning"
		is 1 "$(sysctl_of a net/ipv4/conf/eth0/log_martians)" "sysctl set by tuning"
	fi
	[ $version = 0.3.1 ] || chain_ok CHECK "$TMP/part.conflist" a
	chain_ok DEL "$TMP/part.conflist" a
	is "records 0" "$(ours)" "left"
	drop a
done

for version in 0.4.0 1.0.0; do
	export CHAIN_VERSION=$version
	t "with bandwidth at $version"
	chained awsvpc bandwidth
	netns a
	chain_ok ADD "$TMP/part.conflist" a
	like 'tbf.*rate 100Mbit' "$(tc qdisc show dev "$(host_link a)")" "shaped on the host's end"
	ping_ok host "$(address a)"
	chain_ok CHECK "$TMP/part.conflist" a
	chain_ok DEL "$TMP/part.conflist" a
	is "records 0" "$(ours)" "left"
	drop a

	t "with sbr at $version, which moves the task's routes to a table of its own"
	jq '.plugins = [.plugins[0], {type: "sbr"}]
		| .plugins[0].ipam.ranges += [[{subnet: "fd00:10:1::/64", id: "subnet-a"}]]
		| .plugins[0].ipam.placement = "first"' "$LIST" >"$TMP/part.conflist"
	netns a
	chain_ok ADD "$TMP/part.conflist" a
	is "" "$(ip -n a route show default)$(ip -n a -6 route show default)" "default routes of the main table"
	ping_ok a 198.51.100.2 -I "$(address a)"
	chain_ok CHECK "$TMP/part.conflist" a
	chain_ok DEL "$TMP/part.conflist" a
	is "records 0" "$(ours)" "left"
	drop a

	t "with firewall at $version: where iptables drops what is forwarded, it accepts what tasks begin"
	jq '.plugins = [.plugins[0], {type: "firewall", backend: "iptables"}]' "$LIST" >"$TMP/part.conflist"
	netns a b
	iptables -P FORWARD DROP
	chain_ok ADD "$TMP/part.conflist" a
	chain_ok ADD "$TMP/part.conflist" b
	ping_ok a 198.51.100.2
	ping_ok a "$(address b)"
	ping_no outside "$(address a)"
	chain_ok CHECK "$TMP/part.conflist" a
	chain_ok DEL "$TMP/part.conflist" b
	chain_ok CHECK "$TMP/part.conflist" a
	ping_ok a 198.51.100.2
	chain_ok DEL "$TMP/part.conflist" a
	iptables -P FORWARD ACCEPT
	is "" "$(iptables-save | grep -e '-[sd] 10\.')" "rules of the tasks"
	is "records 0" "$(ours)" "left"
	t "with firewall at $version, ingressPolicy same-bridge: every task is a bridge of its own to it"
	jq '.plugins[1].ingressPolicy = "same-bridge"' "$TMP/part.conflist" >"$TMP/apart.conflist"
	chain_ok ADD "$TMP/apart.conflist" a
	chain_ok ADD "$TMP/apart.conflist" b
	ping_no a "$(address b)"
	ping_ok a 198.51.100.2
	chain_ok DEL "$TMP/apart.conflist" a
	chain_ok DEL "$TMP/apart.conflist" b
	is "records 0" "$(ours)" "left"
	drop a b

	t "the whole chain at $version"
	netns a b
	CAPS='{"portMappings":[{"hostPort":8080,"containerPort":7007,"protocol":"tcp"}]}'
	chain_ok ADD "$LIST" a "$CAPS"
	chain_ok ADD "$LIST" b
	is "$version" "$(result a .cniVersion)" "cniVersion of the last result"
	is "$NETNS/a" "$(result a '.interfaces[] | select(.name == "eth0") | .sandbox')" "sandbox"
	in_ns a timeout 20 sh -c 'while true; do busybox nc -l -p 7007 -e /bin/cat; done' &
	server=$!
	until_true in_ns a sh -c 'ss -Hltn "sport = 7007" | grep -q .'
	is hello "$(echo hello | in_ns outside timeout 5 busybox nc -w 3 198.51.100.1 8080)" "published port, from outside"
	until_true in_ns a sh -c 'ss -Hltn "sport = 7007" | grep -q .'
	is hello "$(echo hello | in_ns b timeout 5 busybox nc -w 3 "$(address a)" 7007)" "task to task"
	stop $server
	ping_ok a "$(address b)"
	# The reference portmap looks for IPv6 rules that it never made in its CHECK; it is not ours to fix.
	chain CHECK "$LIST" a "$CAPS"
	case "$RC $CHAIN_AT" in
	'0 '*) pass ;;
	*portmap) like 'ipv6' "$OUT" "the error of portmap" ;;
	*) fail "CHECK: expected success, seen $CHAIN_AT: $OUT" ;;
	esac
	chain_ok CHECK "$LIST" b
	t "DEL of the whole chain at $version"
	chain_ok DEL "$LIST" a "$CAPS"
	chain_ok DEL "$LIST" b
	is "records 0" "$(ours)" "left"
	t "DEL again, and after the namespaces died"
	chain_ok DEL "$LIST" a "$CAPS"
	drop a b
	chain_ok DEL "$LIST" b
	is "records 0" "$(ours)" "left"
done

t "a later plugin fails: libcni sends DEL to all, also to those never added"
jq '.plugins[1] = {type: "tuning", sysctl: {"net.ipv4.no_such_key": "1"}}' "$LIST" >"$TMP/bad.conflist"
netns a
if chain ADD "$TMP/bad.conflist" a; then fail "ADD of a bad chain: expected an error"; else pass; fi
is tuning "$CHAIN_AT" "the plugin that failed"
rm -f "$TMP/result/a.eth0"
chain_ok DEL "$TMP/bad.conflist" a
is "records 0" "$(ours)" "left"
drop a

t "ours as a later plugin gets a prevResult and passes it on"
jq '.plugins = [{type: "loopback"}, .plugins[0]]' "$LIST" >"$TMP/second.conflist"
netns a
chain_ok ADD "$TMP/second.conflist" a
is true "$(result a '[.interfaces[].name] | contains(["lo", "eth0"])')" "interfaces"
chain_ok CHECK "$TMP/second.conflist" a
chain_ok DEL "$TMP/second.conflist" a
is "records 0" "$(ours)" "left"
drop a

finish
