#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Plugins share one store and one table.
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

finish
