#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# task-bridge: the plan that --explain prints, run by sh on a fresh host, gives what ADD gave.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/lan.sh
. "$(dirname "$0")/../lan.sh"
# shellcheck source=test/replay.sh
. "$(dirname "$0")/../replay.sh"

# fresh_host: an uplink; with EXISTING a bridge that was there before, of this address if it is one.
fresh_host() {
	echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
	ip link add lan0 index 4711 address 02:aa:00:00:00:01 type veth peer name lan1 index 4712 \
		address 02:aa:00:00:00:02
	ip addr add 198.51.100.1/24 dev lan0
	ip link set lan0 up
	ip link set lan1 up
	ip route add default via 198.51.100.2
	existing
}
existing() {
	[ -n "${EXISTING:-}" ] || return 0
	ip link add cni0 index 4713 address 02:be:00:00:00:01 type bridge
	case $EXISTING in */*) ip addr add "$EXISTING" dev cni0 ;; esac
	ip link set cni0 up
}
replayed "$@"

fresh_host
ip netns add c1
baseline

if group "plain"; then same_as_apply "$CONF"; fi
if group "nothing but layer 2"; then same_as_apply "$(conf 'del(.isGateway, .isDefaultGateway, .ipMasq, .ipam)')"; fi
if group "dual stack"; then same_as_apply "$DUAL"; fi
if group "every switch"; then
	same_as_apply "$(jq -c '.hairpinMode=true | .portIsolation=true | .macspoofchk=true | .ingressPolicy="same-bridge"
		| .mtu=1400' <<<"$DUAL")"
	same_as_apply "$(jq -c '.promiscMode=true | .enabledad=true | .ingressPolicy="isolated"' <<<"$DUAL")"
fi
if group "published ports"; then
	same_as_apply "$(ports '[{"hostPort":8080,"containerPort":80},{"hostPort":8443,"containerPort":443,"hostIP":"198.51.100.1"},
		{"hostPort":53,"containerPort":53,"protocol":"udp","hostIP":"::"},{"containerPort":81},
		{"hostPort":9899,"containerPort":9899,"protocol":"sctp"}]' "$DUAL")"
	for source in masqAll=true snat=false; do
		same_as_apply "$(ports '[{"hostPort":8080,"containerPort":80}]' "$(jq -c ".$source" <<<"$DUAL")")"
		like "${source%=*}" "$(env -i PATH="$PATH" CNI_CONTAINERID=c1 CNI_NETNS=$NETNS/c1 CNI_IFNAME=eth0 "$PLUGIN" --explain add --why \
			<<<"$(ports '[{"hostPort":8080,"containerPort":80}]' "$(jq -c ".$source" <<<"$DUAL")")")" "--why"
	done
fi
if group "bandwidth"; then
	same_as_apply "$(conf '.runtimeConfig.bandwidth={ingressRate:10000000,ingressBurst:800000,egressRate:20000000,egressBurst:900000}')"
fi
if group "more routes"; then
	same_as_apply "$(conf 'del(.isDefaultGateway) | .ipam.routes=[{"dst":"172.16.0.0/12","mtu":1300,"advmss":1200},
		{"dst":"192.0.2.0/24","gw":"10.88.0.9","priority":7,"table":100}]')"
fi
if group "a bridge that was there before"; then
	export EXISTING=yes
	existing
	same_as_apply "$DUAL"
	ip link del cni0
	EXISTING=10.88.0.254/16
	existing
	same_as_apply "$(conf '.forceAddress=true')"
	ip link del cni0
	unset EXISTING
fi
if group "a namespace of our own"; then
	ip netns del c1
	CREATED=1 same_as_apply "$(conf '.createNamespace=true')"
	ip netns add c1
fi
if group "explain changes nothing"; then explain_is_dry "$DUAL" 'ip link add name cni0.*type bridge'; fi

echo 0 >/proc/sys/net/ipv6/conf/all/forwarding
clean
finish
