#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Plugins share one store and one table: what a dead task of one holds, another gives on; what a flush
# takes from all, the next ADD of any puts back; and a network whose `type` was changed ends clean.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/lan.sh
. "$(dirname "$0")/../lan.sh"
lan

BRIDGE=$(ports '[{"hostPort":8080,"containerPort":80},{"hostPort":8053,"containerPort":53,"protocol":"udp"}]' "$DUAL")
VETH='{"cniVersion":"1.1.0","name":"vpc","type":"awsvpc","ipMasq":true,"vpc":{"cidr":"10.0.0.0/16"},"ipam":{"type":"task-ipam","cooldown":0,
"ranges":[[{"subnet":"10.0.1.0/24"}]]}}'
VETH=$(jq -c . <<<"$VETH")
HOST='{"cniVersion":"1.1.0","name":"host","type":"task-host","runtimeConfig":{"portMappings":[{"containerPort":8080}]}}'
IPAM=$(jq -c '{cniVersion, name: "pool", type: "bridge", ipam: {type: "task-ipam", ranges: [[{subnet: "10.88.0.0/16"}]]}}' <<<"$CONF")
OWN=/proc/self/ns/net
# by TYPE COMMAND…: with this plugin.
by() {
	local PLUGIN=$BIN/$1
	shift
	"$@"
}

if group "dead holders"; then
	t "task-host wants the port of a bridge task that lives: refused"
	add dead "$BRIDGE"
	by task-host refused 107 'host port 8080/tcp is held by container dead' ADD "$HOST" CNI_NETNS=$OWN
	t "and gets it when that has died: its rules and its bridge are gone"
	drop dead
	by task-host works ADD "$HOST" CNI_NETNS=$OWN
	fails "a rule that redirects the port" nft list map inet taskvpc ports4
	fails "the bridge" ip link show cni0
	is 1 "$(records)" records
	serve host tcp:8080
	reaches outside host tcp 198.51.100.1 8080
	unserve host
	by task-host works DEL "$HOST" CNI_NETNS=
	del dead
	clean
	t "an address: of a dead bridge task for awsvpc, of a dead awsvpc task for task-bridge, of both for task-ipam"
	SAME=$(jq -c 'del(.ipMasq) | .vpc.cidr="10.88.0.0/16" | .ipam.ranges=[[{subnet:"10.88.0.0/16"}]]' <<<"$VETH")
	add one "$CONF" CNI_ARGS=IP=10.88.0.9
	by awsvpc refused 103 '10.88.0.9 is held by container one' ADD "$SAME" CNI_ARGS=IP=10.88.0.9 CNI_NETNS=$NETNS/third
	drop one
	by awsvpc add two "$SAME" CNI_ARGS=IP=10.88.0.9
	fails "the bridge" ip link show cni0
	drop two
	add three "$CONF" CNI_ARGS=IP=10.88.0.9
	is "" "$(nft list set inet taskvpc tasks | grep elements)" "the guard of the awsvpc task"
	ping_ok three 10.88.0.1
	drop three
	netns four
	by task-ipam works ADD "$IPAM" CNI_CONTAINERID=four CNI_NETNS=$NETNS/four CNI_ARGS=IP=10.88.0.9
	is 1 "$(records)" records
	by task-ipam works DEL "$IPAM" CNI_CONTAINERID=four CNI_NETNS=
	drop four
	clean
fi

if group flush; then
	t "rules of bridge tasks come back with an ADD of awsvpc, and the other way round"
	add web "$BRIDGE"
	by awsvpc add task "$VETH"
	serve web tcp:80
	for by in awsvpc task-bridge; do
		nft flush ruleset
		reaches_not outside tcp 198.51.100.1 8080
		case $by in awsvpc) config=$VETH ;; *) config=$(conf '.name="br2" | .bridge="cni1"
			| .ipam.ranges=[[{subnet:"10.89.0.0/16"}]]') ;; esac
		by $by add next "$config"
		reaches outside web tcp 198.51.100.1 8080
		ping_ok web 203.0.113.2
		ping_ok task 203.0.113.2
		verify web "$BRIDGE"
		by awsvpc verify task "$VETH"
		by $by del next "$config"
		drop next
	done
	unserve web
	t "and by the GC of any network"
	nft flush ruleset
	by awsvpc works GC "$(jq -c '.["cni.dev/valid-attachments"]=[{containerID:"task",ifname:"eth0"}]' <<<"$VETH")"
	verify web "$BRIDGE"
	by awsvpc verify task "$VETH"
	by awsvpc del task "$VETH"
	del web
	drop web task
	clean
fi

if group overlap; then
	t "what is masqueraded out of a block cannot lie within another network's block: told by name"
	WIDE=$(jq -c '.vpc.cidr="10.0.0.0/8"' <<<"$VETH")
	by awsvpc add task "$WIDE"
	netns c1
	refused 100 "vpc4 '\{ 10.88.0.0/16 . 10.88.0.0/16 \}'.*overlaps with that of another network" ADD "$CONF"
	by awsvpc verify task "$WIDE"
	by awsvpc del task "$WIDE"
	t "the other way round the kernel sees no overlap; CHECK and DEL tell them apart"
	add c1
	by awsvpc add task "$WIDE"
	verify c1
	by awsvpc verify task "$WIDE"
	del c1
	by awsvpc verify task "$WIDE"
	by awsvpc del task "$WIDE"
	drop task c1
	clean
fi

if group "type changed"; then
	netns c1
	baseline
	t "DEL by the plugin that the configuration names by now"
	add c1 "$BRIDGE"
	by awsvpc del c1 "$(jq -c '.name="br"' <<<"$VETH")" CNI_NETNS=
	clean
	t "GC by it"
	add c1 "$BRIDGE"
	by awsvpc works GC "$(jq -c '.name="br" | .["cni.dev/valid-attachments"]=[]' <<<"$VETH")"
	clean
	t "ADD by it: what stands is told, what is dead goes"
	add c1 "$BRIDGE"
	by awsvpc refused 102 'c1 has interface eth0 of network br' ADD "$(jq -c '.name="br"' <<<"$VETH")"
	drop c1
	by awsvpc add c1 "$(jq -c '.name="br"' <<<"$VETH")"
	fails "the bridge" ip link show cni0
	del c1
	clean
fi

finish
