#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# --explain: the printed plan, run by sh on a fresh host, gives what ADD gave on another: the same
# links, addresses, routes, neighbours, rules and settings. And it changes nothing itself.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"

# state NAME…: what ADD makes, on the host and in the tasks, without what changes by itself.
state() {
	local name
	for name in host "$@"; do
		echo "== $name"
		in_ns "$name" sh -c 'ip -o -d link; ip -o addr; ip route show table all
			ip -6 route show table all; ip neigh
			for f in /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/*/forwarding \
				/proc/sys/net/ipv6/conf/*/accept_ra /proc/sys/net/ipv6/conf/*/disable_ipv6 \
				/proc/sys/net/ipv4/conf/*/arp_notify /proc/sys/net/ipv6/conf/*/ndisc_notify
			do echo "$f $(cat "$f")"; done'
	done 2>&1 | sed -E 's/expires [0-9.a-z]+//; s/ valid_lft.*//; s/link-netnsid [0-9]+//
		s/qdisc [a-z_]+//; s/ state [A-Z]+//; s/link-netns [^ ]+//; s/tentative//; s/,LOWER_UP//'
	# Elements have no order.
	nft -j list ruleset | jq -S 'del(.nftables[] | select(.metainfo)) | [.nftables[] | .set? // .chain? //
		.rule? | select(.) | del(.handle) | if .elem then .elem |= sort else . end] | sort'
}

# fresh_lan: what a plan for macvlan finds on its host, the same each time.
fresh_lan() {
	echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
	ip link add lan0 index 4711 address 02:aa:00:00:00:01 type veth peer name lan1 index 4712 \
		address 02:aa:00:00:00:02
	ip addr add 10.0.1.2/24 dev lan0
	ip link set lan0 up
	ip link set lan1 up
}

# On another host: the printed plan instead of ADD.
if [ "${1:-}" = replay ]; then
	fresh_lan
	[ -n "${CREATED:-}" ] || ip netns add c1
	sh -e "$2" || exit 1
	state c1 >"$3"
	FINISHED=1
	exit 0
fi

# same_as_apply CONF: ADD here, replay there, compare.
same_as_apply() {
	local config=$1
	# Forwarding stays on after DEL (see README), and would be part of the next comparison.
	echo 0 >/proc/sys/net/ipv4/ip_forward
	echo 0 >/proc/sys/net/ipv6/conf/all/forwarding
	works ADD "$config" || return
	state c1 >"$TMP/applied"
	env -i PATH="$PATH" CNI_CONTAINERID=c1 CNI_NETNS=$NETNS/c1 CNI_IFNAME=eth0 CNI_PATH="$BIN" \
		"$BIN/awsvpc" --explain add <<<"$config" >"$TMP/plan.sh"
	isnt "" "$(cat "$TMP/plan.sh")" "the printed plan"
	# The same private-host frame as this script's own, but without its namespaces.
	runs "replay" unshare --net --mount --propagation private env TASKVPC_TEST=inside BIN="$BIN" \
		CREATED="${CREATED:-}" bash -c "cp $TMP/plan.sh /tmp/plan.$$.sh; exec bash '$0' replay \
		/tmp/plan.$$.sh /tmp/replayed.$$"
	rm -f "/tmp/plan.$$.sh"
	if diff "$TMP/applied" "/tmp/replayed.$$" >"$TMP/diff"; then
		pass
	else
		fail "replaying the plan gives another state: $(head -20 "$TMP/diff" | tr '\n' '|')"
	fi
	rm -f "/tmp/replayed.$$"
	works DEL "$config"
}

fresh_lan
ip netns add c1
baseline

if group "veth, IPv4"; then same_as_apply "$(conf)"; fi
if group "veth, dual stack, masquerade"; then
	same_as_apply "$(conf ".ipam.ranges += [$CONF6] | .ipMasq = true | .vpc.cidr = [\"10.0.0.0/16\",\"fd00:10::/32\"]")"
fi
if group "veth, more routes"; then
	same_as_apply "$(conf '.ipam.routes = [{"dst":"0.0.0.0/0"},{"dst":"172.16.0.0/12","mtu":1300,"advmss":1200},
		{"dst":"192.0.2.0/24","priority":7,"table":100}]')"
fi
if group "macvlan"; then same_as_apply "$(conf '.attach="macvlan" | .master="lan0"')"; fi
if group "macvlan, host access"; then
	same_as_apply "$(conf '.attach="macvlan" | .master="lan0" | .hostAccess=true')"
fi
if group "a namespace of our own"; then
	ip netns del c1
	CREATED=1 same_as_apply "$(conf '.createNamespace=true')"
	ip netns add c1
fi

if group "explain changes nothing"; then
	before=$(snapshot c1)
	seen=$(env -i PATH="$PATH" CNI_CONTAINERID=c1 CNI_NETNS=$NETNS/c1 CNI_IFNAME=eth0 CNI_PATH="$BIN" \
		"$BIN/awsvpc" --explain add <<<"$(conf)" 2>&1)
	like '# not attached' "$seen" "explain of nothing"
	like 'ip link add name eni' "$seen" "explain of nothing"
	is "$before" "$(snapshot c1)" "state after explain"
fi

echo 0 >/proc/sys/net/ipv6/conf/all/forwarding
clean
finish
