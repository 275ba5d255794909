#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# task-none: loopback and nothing else, and who asks for more is told so.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"

PLUGIN=$BIN/task-none
NONE='{"cniVersion":"1.1.0","name":"alone","type":"task-none"}'
baseline
netns c1

if group "ADD raises lo"; then
	ping_no c1 127.0.0.1
	works ADD "$NONE"
	is '["lo"]' "$(jq -c '[.interfaces[].name]' <<<"$OUT")" "interfaces"
	is "$NETNS/c1" "$(jq -r '.interfaces[0].sandbox' <<<"$OUT")" "sandbox"
	is "127.0.0.1/8 ::1/128" "$(jq -r '[.ips[].address] | join(" ")' <<<"$OUT")" "addresses"
	is null "$(jq -c .routes <<<"$OUT")" "routes"
	ping_ok c1 127.0.0.1
	ping_ok c1 ::1
	is lo "$(ip -n c1 -j link | jq -r '[.[].ifname] | join(" ")')" "links of the task"
	ping_no c1 192.0.2.1
	works ADD "$NONE"
	is 0 "$(records)" "records"
	fails "a store" test -e "$DATA"
fi
if group "IPv6 off"; then
	netns off
	for scope in all default; do in_ns off sh -c "echo 1 >/proc/sys/net/ipv6/conf/$scope/disable_ipv6"; done
	works ADD "$NONE" CNI_CONTAINERID=off CNI_NETNS=$NETNS/off
	is 127.0.0.1/8 "$(jq -r '[.ips[].address] | join(" ")' <<<"$OUT")" "addresses"
	drop off
fi
if group "behind a plugin that has told of lo"; then
	PLUGIN=$BIN/loopback works ADD '{"cniVersion":"1.1.0","name":"alone","type":"loopback"}'
	told=$OUT
	works ADD "$(jq -c --argjson prev "$told" '.prevResult=$prev' <<<"$NONE")"
	is "$(jq -cS '{interfaces, ips}' <<<"$told")" "$(jq -cS '{interfaces, ips}' <<<"$OUT")" "interfaces and addresses"
fi
if group "every version"; then
	for v in 0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0; do
		works ADD "$(jq -c ".cniVersion=\"$v\"" <<<"$NONE")"
		is "$v 127.0.0.1/8" "$(jq -r '"\(.cniVersion) \(.ip4.ip // .ips[0].address)"' <<<"$OUT")" "result"
		works DEL "$(jq -c ".cniVersion=\"$v\"" <<<"$NONE")" CNI_NETNS=
	done
fi
if group "what it cannot give"; then
	for map in '[{"hostPort":80,"containerPort":80}]' '[{"ContainerPort":80,"HostPort":0}]'; do
		refused 7 'portMappings\[0\].*80.*loopback' ADD "$(jq -c ".runtimeConfig.portMappings=$map" <<<"$NONE")"
	done
	works ADD "$(jq -c '.runtimeConfig.portMappings=[]' <<<"$NONE")"
	refused 7 'ipam' ADD "$(jq -c '.ipam={type:"host-local"}' <<<"$NONE")"
	refused 7 'ipam' ADD "$(jq -c '.ipam={ranges:[[{subnet:"10.0.1.0/24"}]]}' <<<"$NONE")"
	refused 7 'ipam.*keeps no store' ADD "$(jq -c '.ipam={dataDir:"/run/elsewhere"}' <<<"$NONE")"
	refused 7 'bandwidth\.egressRate: 9: the mode none limits no traffic.*use task-bridge' ADD \
		"$(jq -c '.runtimeConfig.bandwidth={egressRate:9,egressBurst:9}' <<<"$NONE")"
	refused 7 'mtu: 1400: the mode none makes no interface' ADD "$(jq -c '.mtu=1400' <<<"$NONE")"
	refused 7 'mtu: 1400' STATUS "$(jq -c '.mtu=1400' <<<"$NONE")"
	refused 7 'address' ADD "$NONE" CNI_ARGS="IP=10.0.1.5"
	refused 7 'address' ADD "$(jq -c '.runtimeConfig.ips=["10.0.1.5"]' <<<"$NONE")"
	refused 7 'MAC' ADD "$NONE" CNI_ARGS="MAC=02:00:00:00:00:09"
	refused 7 'createNamespace' ADD "$(jq -c '.createNamespace=true' <<<"$NONE")" CNI_NETNS="$NETNS/new"
	refused 4 "host's own" ADD "$NONE" CNI_NETNS=/proc/self/ns/net
	refused 4 'CNI_NETNS' ADD "$NONE" CNI_NETNS=/nowhere
	works ADD "$(jq -c '.ipam={}' <<<"$NONE")" CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAME=x"
fi
if group "CHECK"; then
	works ADD "$NONE"
	checked=$(jq -c --argjson prev "$OUT" '.prevResult=$prev' <<<"$NONE")
	works CHECK "$checked"
	ip -n c1 link set lo down
	plugin CHECK "$checked"
	expect_error 106 'lo is down'
fi
if group "DEL, GC, STATUS, VERSION, explain"; then
	works DEL "$NONE" CNI_NETNS=
	works DEL "$NONE"
	works GC "$(jq -c '.["cni.dev/valid-attachments"]=[]' <<<"$NONE")" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
	works STATUS "$NONE" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
	is "" "$ERR" "nothing unknown"
	works VERSION "$NONE"
	seen=$(CNI_CONTAINERID=c1 CNI_NETNS=$NETNS/c1 CNI_IFNAME=eth0 "$PLUGIN" --explain <<<"$NONE" 2>&1)
	like 'ip.* link set dev lo up' "$seen" "explain"
fi
drop c1
clean
finish
