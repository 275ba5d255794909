# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Explain equals apply: the plan that --explain prints, run by sh on a fresh host, must give what ADD
# gave on this one. Sourced after lib.sh by a script that has defined
#
#   fresh_host    what a plan finds on its host, the same each time (fixed MACs and indexes)
#
# and that calls `replayed "$@"` before its first group. For the fresh host the script is run again,
# in namespaces of its own, as `replay PLAN OUTPUT`.

# state NAME…: what ADD makes, on the host and in the tasks, without what changes by itself or comes in the
# background: carriers, and link-local addresses and their routes.
state() {
	local name
	for name in host "$@"; do
		echo "== $name"
		in_ns "$name" sh -c 'ip -o -d link; ip -o addr; ip -4 route show table all
			ip -6 route show table all | sort; ip neigh; bridge -d -o link; tc qdisc; tc filter show
			for dev in /proc/sys/net/ipv4/conf/*; do tc filter show dev "${dev##*/}" ingress 2>/dev/null; done
			for f in /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/*/forwarding \
				/proc/sys/net/ipv4/conf/*/route_localnet \
				/proc/sys/net/ipv6/conf/*/accept_ra /proc/sys/net/ipv6/conf/*/disable_ipv6 \
				/proc/sys/net/ipv4/conf/*/arp_notify /proc/sys/net/ipv6/conf/*/ndisc_notify
			do echo "$f $(cat "$f")"; done'
	done 2>&1 | sed -E 's/expires [0-9.a-z]+//; s/ valid_lft.*//; s/link-netnsid [0-9]+//
		s/(mtu .*)qdisc [a-z_]+/\1/; s/ state [A-Z]+//; s/link-netns [^ ]+//; s/tentative//; s/,LOWER_UP//; s/NO-CARRIER,//
		s/[a-z_]+_timer +[0-9.]+//g; s/state (forwarding|disabled|listening|learning)//
		s/qdisc ([a-z_]+) [0-9a-f]+:/qdisc \1/; s/(not_in_hw) id [0-9]+/\1/
		s/ linkdown//; /(^| )fe80::/d'
	# Elements have no order.
	nft -j list ruleset | jq -S 'del(.nftables[] | select(.metainfo)) | [.nftables[] | .set? // .map? //
		.chain? // .rule? | select(.) | del(.handle)
		| if .flags // [] | index("dynamic") then del(.elem) else . end | if .elem then .elem |= sort else . end] | sort'
}

# replayed "$@": on the fresh host, run the printed plan instead of ADD, and end.
replayed() {
	[ "${1:-}" = replay ] || return 0
	fresh_host
	[ -n "${CREATED:-}" ] || ip netns add c1
	sh -e "$2" || exit 1
	state c1 >"$3"
	# shellcheck disable=SC2034 # for lib.sh
	FINISHED=1
	exit 0
}

# same_as_apply CONF: ADD here, replay there, compare.
same_as_apply() {
	local config=$1 shared
	# Both hosts see /tmp, and so do all scripts that run just now: our /run is our own.
	shared=$(mktemp -d)
	# Forwarding stays on after DEL (see README), and would be part of the next comparison.
	echo 0 >/proc/sys/net/ipv4/ip_forward
	echo 0 >/proc/sys/net/ipv6/conf/all/forwarding
	works ADD "$config" || { rm -rf "$shared"; return; }
	state c1 >"$TMP/applied"
	env -i PATH="$PATH" CNI_CONTAINERID=c1 CNI_NETNS="$NETNS/c1" CNI_IFNAME=eth0 CNI_PATH="$BIN" \
		"$PLUGIN" --explain add <<<"$config" >"$TMP/plan.sh"
	isnt "" "$(cat "$TMP/plan.sh")" "the printed plan"
	# The same private-host frame as this script's own, but without its namespaces.
	runs "replay" unshare --net --mount --propagation private env TASKVPC_TEST=inside BIN="$BIN" \
		CREATED="${CREATED:-}" bash -c "cp $TMP/plan.sh $shared/plan; exec bash '$0' replay \
		$shared/plan $shared/replayed"
	if diff "$TMP/applied" "$shared/replayed" >"$TMP/diff"; then
		pass
	else
		fail "replaying the plan gives another state: $(head -20 "$TMP/diff" | tr '\n' '|')"
	fi
	rm -rf "$shared"
	works DEL "$config"
}

# explain_is_dry CONF REGEX: --explain of what is not attached prints a plan, and changes nothing.
explain_is_dry() {
	local before seen
	before=$(snapshot c1)
	seen=$(env -i PATH="$PATH" CNI_CONTAINERID=c1 CNI_NETNS="$NETNS/c1" CNI_IFNAME=eth0 CNI_PATH="$BIN" \
		"$PLUGIN" --explain add <<<"$1" 2>&1)
	like '# not attached' "$seen" "explain of nothing"
	like "$2" "$seen" "explain of nothing"
	is "$before" "$(snapshot c1)" "state after explain"
}
