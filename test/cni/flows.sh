#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Tracked connections end with their task: after DEL none of its addresses is in the table of connections,
# and nobody gets such an address before. One process deletes them for all calls; what becomes of the
# addresses where it is killed, stopped or not there at all.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
need perl conntrack
# shellcheck source=test/lan.sh
. "$(dirname "$0")/../lan.sh"
# Connections are tracked only where a rule asks for it, as on every host with a firewall.
nft 'add table inet stranger; add chain inet stranger in { type filter hook prerouting priority 0; };
	add rule inet stranger in ct state new counter'
lan
for ns in outside third; do
	ip -n $ns route replace 10.0.0.0/8 via "$([ $ns = third ] && echo 203.0.113.1 || echo 198.51.100.1)"
	ip -n $ns route replace fd00:88::/32 via "$([ $ns = third ] && echo fd00:203::1 || echo fd00:51::1)"
done
baseline

VETH='{"cniVersion":"1.1.0","name":"vpc","type":"awsvpc","attach":"veth","ipMasq":true,"mtu":1500,
"vpc":{"cidr":["10.90.0.0/16","fd00:88:90::/48"]},"ipam":{"type":"task-ipam","dataDir":"'$DATA'","cooldown":30,
"ranges":[[{"subnet":"10.90.1.0/24"}],[{"subnet":"fd00:88:90:1::/64"}]]}}'

# of ADDRESS…: the tracked connections that one of them takes part in.
of() {
	local address pattern=""
	for address; do pattern+="${pattern:+|}(src|dst)=$address "; done
	{ conntrack -L; conntrack -L -f ipv6; } 2>/dev/null | grep -E "$pattern"
}
# flows_of ADDRESS…: theirs as they were first sent, without the task's that is about to go.
flows_of() {
	of "$@" | grep -vE "=($(address one)|$(address one 1)) " | sed -E 's/^[^=]* (src=[^ ]* dst=[^ ]* [a-z]*=[0-9]* [a-z]*=[0-9]*) .*/\1/' | sort -u
}
none_of() { [ -z "$(of "$@")" ]; }
some_of() { ! none_of "$@"; }
# walkers: the processes that wait to delete connections, and stopped ones of them.
walkers() { walker | wc -l; }
walker() { ps -eo pid=,comm= | awk '$2 == "taskvpc-flows" { print $1 }'; }
a_walker() { [ "$(walkers)" != 0 ]; }
# hold: nobody walks until release: the byte of the file "turn" that whoever walks has locked (lib/cni/flows.c).
hold() {
	exec {HELD}<>"$DATA/turn"
	perl -e 'open(my $f, "+<&=", $ARGV[0]) or die;
		my $lock = pack("s s x4 q q l x4", 1, 0, 9223372036854775806, 1, 0);
		fcntl($f, 38, $lock) or die "F_OFD_SETLKW: $!"' "$HELD"
}
release() { exec {HELD}>&-; }
# del_and_kill NAME: a DEL, whose process that deletes connections is killed before it has.
del_and_kill() {
	until_true no_walker
	hold
	del "$1"
	until_true a_walker
	kill -KILL "$(walker)"
	release
}

# use PLUGIN: of the next calls.
use() { PLUGIN=$BIN/$1; }

# talk NAME: connections of the task, by all ways: from outside to it, from it to others; masqueraded ones.
talk() {
	local name=$1 v4 v6
	v4=$(address "$name") v6=$(address "$name" 1)
	for proto in tcp udp; do
		reaches outside "$name" $proto "$v4" 7000
		reaches outside "$name" $proto "$v6" 7000
		reaches "$name" third $proto 203.0.113.2 7001
		reaches "$name" third $proto fd00:203::2 7001
		reaches host "$name" $proto "$v4" 7000
	done
	ping_ok outside "$v4"
}

serve third tcp:7001 udp:7001
for mode in task-bridge awsvpc; do
	use $mode
	config=$VETH
	[ $mode = awsvpc ] || config=$(ports '[{"hostPort":8080,"containerPort":7000},
		{"hostPort":8080,"containerPort":7000,"protocol":"udp"}]' "$DUAL")
	t "$mode: after DEL no connection of the task is tracked"
	add one "$config"
	add two "$(jq -c 'del(.runtimeConfig)' <<<"$config")"
	ONE=("$(address one)" "$(address one 1)") TWO=("$(address two)" "$(address two 1)")
	for name in one two; do
		serve $name tcp:7000 udp:7000
		talk $name
	done
	if [ $mode = task-bridge ]; then
		for proto in tcp udp; do
			reaches outside one $proto 198.51.100.1 8080
			reaches outside one $proto fd00:51::1 8080
		done
		isnt "" "$(of "$(address one)" | grep 'dport=8080')" "connections to published ports"
	fi
	isnt "" "$(of "$(address one)" | grep icmp)" "echo requests"
	isnt "" "$(of "$(address one 1)")" "connections of IPv6"
	unserve one
	before=$(flows_of "${TWO[@]}")
	del one "$config"
	runs "no connection of the task" until_true none_of "${ONE[@]}"
	runs "nobody waits" until_true no_walker
	t "$mode: those of its neighbours stay"
	is "$before" "$(flows_of "${TWO[@]}")" "connections of the other task"
	for family in "${TWO[@]}"; do runs "connections of $family" some_of "$family"; done
	t "$mode: whose address is given again at once: none is left when ADD returns"
	for flag in "" "$mode"; do
		add again "$config" CNI_ARGS="IP=$(address one),$(address one 1)"
		is "$(address one) $(address one 1)" "$(address again) $(address again 1)" "addresses"
		is "" "$(of "${ONE[@]}" | grep -v "=$(address two) ")" "connections${flag:+, once more}"
		serve again tcp:7000 udp:7000
		talk again
		unserve again
		isnt "" "$(of "$(address again)")" "connections"
		del again "$config"
	done
	t "$mode: taken down by GC"
	until_true no_walker
	add again "$config" CNI_ARGS="IP=$(address one),$(address one 1)"
	serve again tcp:7000 udp:7000
	talk again
	unserve again
	works GC "$(jq -c '.["cni.dev/valid-attachments"]=[{containerID:"two",ifname:"eth0"}]' <<<"$config")" \
		-CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
	is "" "$(of "$(address again)" "$(address again 1)")" "connections after GC"
	unserve two
	del two "$config"
	drop one two again
	until_true no_walker
	clean
done

use task-bridge
CONF=$(conf '.ipam.ranges=[[{subnet:"10.88.0.0/29"}]]')

# dead: a task that has gone with a connection, whose address is in quarantine; in ADDRESS.
dead() {
	add dead "$CONF"
	ADDRESS=$(address dead)
	serve dead udp:7000
	reaches outside dead udp "$ADDRESS" 7000
	unserve dead
	del_and_kill dead
}

t "who should delete them is killed: the address is for nobody, and the next DEL goes on"
dead
runs "the connection stays" some_of "$ADDRESS"
add live
isnt "$ADDRESS" "$(address live)" "the address of the next"
del live
runs "no connection" until_true none_of "$ADDRESS"
t "GC goes on"
dead
works GC "$CONF" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
is "" "$(of "$ADDRESS")" "connections after GC"
t "an ADD that needs the address goes on"
dead
add live "$CONF" CNI_ARGS="IP=$ADDRESS"
is "" "$(of "$ADDRESS")" "connections after ADD"
del live
t "so does one whose pool is exhausted otherwise; STATUS does not call that exhausted"
until_true no_walker
for i in 1 2 3 4 5; do add "m$i"; done
refused 104 'exhausted' ADD "$CONF" CNI_CONTAINERID=late CNI_NETNS=$NETNS/third
serve m3 udp:7000
reaches outside m3 udp "$(address m3)" 7000
unserve m3
del_and_kill m3
works STATUS "$CONF" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
add late
is "$(address m3)" "$(address late)" "the address"
is "" "$(of "$(address m3)")" "connections after ADD"

t "who should delete them is stopped: DEL, ADD and GC go on without it"
until_true no_walker
hold
del m4
until_true a_walker
stopped=$(walker)
kill -STOP "$stopped"
release
del m5
is "$stopped" "$(walker)" "the processes that wait"
add m4
add m5
works GC "$(jq -c '.["cni.dev/valid-attachments"]=["m1","m2"] | .["cni.dev/valid-attachments"] |= map({containerID: ., ifname: "eth0"})' \
	<<<"$CONF")" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
for i in 3 4 5; do add "m$i"; done
kill -CONT "$stopped"
runs "it ends" until_true no_walker

t "many DELs at once: one process for all of them"
for i in 1 2 3 4 5; do
	env CNI_COMMAND=DEL CNI_CONTAINERID="m$i" CNI_NETNS= CNI_IFNAME=eth0 CNI_PATH="$BIN" "$PLUGIN" <<<"$CONF" &
	pids[i]=$!
done
most=0
for ((i = 0; i < 20; i++)); do
	now=$(walkers)
	[ "$now" -le "$most" ] || most=$now
	sleep 0.02
done
for pid in "${pids[@]}"; do wait "$pid"; done
within 1 "$most" "processes at once"
isnt 0 "$most" "processes at once"
until_true no_walker
drop m1 m2 m3 m4 m5 late live dead

t "it holds nothing of the runtime's: the end of stdout comes at once, and no lock"
add last
hold
is "" "$(env CNI_COMMAND=DEL CNI_CONTAINERID=last CNI_NETNS= CNI_IFNAME=eth0 CNI_PATH="$BIN" "$PLUGIN" <<<"$CONF" 2>&1)" "output"
runs "it waits still" until_true a_walker
std() { [ "$(readlink "/proc/$(walker)/fd/"{0,1,2} | xargs)" = "/dev/null /dev/null /dev/null" ]; }
runs "its standard descriptors are /dev/null" until_true std
release
add last
del last
until_true no_walker
drop last
t "the directory is removed under it: it ends"
add last
hold
del last
runs "it waits" until_true a_walker
forget
release
runs "it ends" until_true no_walker
drop last
unserve third

t "task-ipam for other plugins"
use task-ipam
add ipam "$(jq -c '.type="bridge"' <<<"$CONF")"
ADDRESS=$(address ipam)
ip addr add "$ADDRESS/32" dev lo
ping_ok host 198.51.100.2 -I "$ADDRESS"
runs "a connection" some_of "$ADDRESS"
ip addr del "$ADDRESS/32" dev lo
del ipam "$(jq -c '.type="bridge"' <<<"$CONF")"
runs "no connection" until_true none_of "$ADDRESS"
drop ipam
clean

baseline
t "macvlan with hostAccess"
use awsvpc
ip link add dummy7 type veth peer name dummy8
ip link set dummy8 up
ip addr add 192.168.7.1/24 dev dummy7
ip link set dummy7 up
MAC='{"cniVersion":"1.1.0","name":"mac","type":"awsvpc","attach":"macvlan","master":"dummy7","hostAccess":true,
"ipam":{"type":"task-ipam","dataDir":"'$DATA'","ranges":[[{"subnet":"192.168.7.0/24","rangeStart":"192.168.7.10"}]]}}'
add mac "$MAC"
serve mac udp:7000
reaches host mac udp "$(address mac)" 7000
unserve mac
runs "a connection" some_of "$(address mac)"
del mac "$MAC"
runs "no connection" until_true none_of "$(address mac)"
t "without hostAccess the host tracks nothing of it, and nobody waits"
until_true no_walker
add mac "$(jq -c '.hostAccess=false' <<<"$MAC")"
del mac "$MAC"
is 0 "$(walkers)" "processes"
drop mac
ip link del dummy7
clean
finish
