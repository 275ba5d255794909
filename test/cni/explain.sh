#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# --explain: the printed plan, run by sh on a fresh host, gives what ADD gave on another: the same
# links, addresses, routes, neighbours, rules and settings. And it changes nothing itself.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"

# shellcheck source=test/replay.sh
. "$(dirname "$0")/../replay.sh"

# fresh_host: what a plan for macvlan finds on its host, the same each time.
fresh_host() {
	echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
	ip link add lan0 index 4711 address 02:aa:00:00:00:01 type veth peer name lan1 index 4712 \
		address 02:aa:00:00:00:02
	ip addr add 172.31.255.2/24 dev lan0
	ip link set lan0 up
	ip link set lan1 up
}

replayed "$@"

fresh_host
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
if group "veth, hostRouting bpf"; then
	same_as_apply "$(conf ".ipam.ranges += [$CONF6] | .hostRouting = \"bpf\"")"
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
	explain_is_dry "$(conf)" 'ip link add name vpc'
	t "where there is no store yet, none is made"
	forget
	explain_is_dry "$(conf)" 'ip link add name vpc'
	fails "the store" test -e "$DATA"
fi

if group "why"; then
	t "the same commands, each with its reason above it or above its neighbour"
	PLAIN=$(conf | CNI_CONTAINERID=c1 CNI_NETNS=$NETNS/c1 CNI_IFNAME=eth0 "$PLUGIN" --explain)
	WHY=$(conf | CNI_CONTAINERID=c1 CNI_NETNS=$NETNS/c1 CNI_IFNAME=eth0 "$PLUGIN" --explain add --why)
	same() { sed -E '/^#/d;/^$/d;s/(eni-|vpc)[0-9a-f]{12,}/ENI/g;s/(0[26]):[0-9a-f:]{14}/\1/g;s/[0-9]{6,}/N/g' <<<"$1"; }
	is "$(same "$PLAIN")" "$(same "$WHY")" "commands"
	like '# The way to the task: one route for its one address.' "$WHY" "a reason"
	is 0 "$(grep -c '.\{101\}' <<<"$(grep '^#' <<<"$WHY")")" "lines of comments that are too long"
	t "del, before there is anything, and without a namespace"
	OUT=$(conf | CNI_CONTAINERID=c1 CNI_NETNS=$NETNS/c1 CNI_IFNAME=eth0 "$PLUGIN" --explain del --why)
	like 'what DEL would do after ADD.*# The link goes.*ip link del dev vpc' "${OUT//$'\n'/ }" "del"
	OUT=$(conf | CNI_CONTAINERID=c1 CNI_IFNAME=eth0 "$PLUGIN" --explain del)
	is '# not attached: nothing to remove' "$OUT" "del without a namespace"
	OUT=$(conf | CNI_CONTAINERID=c1 CNI_NETNS=$NETNS/gone CNI_IFNAME=eth0 "$PLUGIN" --explain del)
	is '# not attached: nothing to remove' "$OUT" "del of what died with its namespace"
	t "wrong words"
	for words in --why '--why add' '--explain why' '--explain add --why --why' '--explain add del'; do
		# shellcheck disable=SC2086 # they are words
		conf | "$PLUGIN" $words >/dev/null 2>&1
		is 2 $? "$words"
	done
fi

echo 0 >/proc/sys/net/ipv6/conf/all/forwarding
clean
finish
