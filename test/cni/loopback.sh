#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# loopback: what containerd's CRI asks of it, with the configuration it sends.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"

PLUGIN=$BIN/loopback
LO='{"cniVersion":"0.3.1","name":"cni-loopback","type":"loopback"}'
baseline
netns c1

if group "ADD raises lo"; then
	ping_no c1 127.0.0.1
	works ADD "$LO" CNI_IFNAME=lo
	is lo "$(jq -r '.interfaces[0].name' <<<"$OUT")" "interface"
	is "$NETNS/c1" "$(jq -r '.interfaces[0].sandbox' <<<"$OUT")" "sandbox"
	is "127.0.0.1/8 ::1/128" "$(jq -r '[.ips[].address] | join(" ")' <<<"$OUT")" "addresses"
	is 0.3.1 "$(jq -r .cniVersion <<<"$OUT")" "version"
	ping_ok c1 127.0.0.1
	works ADD "$LO" CNI_IFNAME=lo
fi
if group "IPv6 off"; then
	netns off
	for scope in all default; do in_ns off sh -c "echo 1 >/proc/sys/net/ipv6/conf/$scope/disable_ipv6"; done
	works ADD "$LO" CNI_IFNAME=lo CNI_CONTAINERID=off CNI_NETNS=$NETNS/off
	is 127.0.0.1/8 "$(jq -r '[.ips[].address] | join(" ")' <<<"$OUT")" "addresses"
	drop off
fi
if group "every version"; then
	for v in 0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0; do
		works ADD "$(jq -c ".cniVersion=\"$v\"" <<<"$LO")" CNI_IFNAME=lo
		is "$v" "$(jq -r .cniVersion <<<"$OUT")" "version"
	done
fi
if group "CHECK"; then
	works ADD "$(jq -c '.cniVersion="1.0.0"' <<<"$LO")" CNI_IFNAME=lo
	checked=$(jq -c --argjson prev "$OUT" '.cniVersion="1.0.0" | .prevResult=$prev' <<<"$LO")
	works CHECK "$checked" CNI_IFNAME=lo
	ip -n c1 link set lo down
	plugin CHECK "$checked" CNI_IFNAME=lo
	expect_error 106 'lo is down'
fi
if group "DEL, VERSION"; then
	works DEL "$LO" CNI_IFNAME=lo CNI_NETNS=
	works DEL "$LO" CNI_IFNAME=lo
	works VERSION '{"cniVersion":"0.3.1"}'
fi
drop c1
clean
if group "behind another plugin of ours in one list"; then
	for LAST in loopback task-none; do
		cat >"$TMP/list" <<-END
			{"cniVersion":"1.0.0","name":"lab","plugins":[
			{"type":"task-bridge","isGateway":true,"ipam":{"ranges":[[{"subnet":"10.88.0.0/16"}]]}},{"type":"$LAST"}]}
		END
		netns c1
		chain_ok ADD "$TMP/list" c1
		chain_ok CHECK "$TMP/list" c1
		chain_ok DEL "$TMP/list" c1
		is 0 "$(records)" records
		drop c1
		clean
	done
fi
finish
