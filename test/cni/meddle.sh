#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What others do behind our back, row by row: what CHECK says of it, what the next ADD of another task makes of
# it, and that DEL leaves nothing. What CHECK sees of each single part of an attachment is in verbs.sh and
# bridge_verbs.sh.
#
#   ROW=REGEX   only these
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"

uplink() {
	ip link add up0 address 02:00:00:00:51:01 type veth peer name up1 address 02:00:00:00:51:02
	ip addr add 198.51.100.1/24 dev up0
	ip link set up1 up
	ip link set up0 up
	ip route add default via 198.51.100.2
}
master() {
	ip link add lan0 address 02:00:00:00:03:02 type veth peer name lan1 netns router
	ip addr add 10.0.3.2/24 dev lan0
	ip link set lan0 up
	ip -n router addr add 10.0.3.1/24 dev lan1
	ip -n router link set lan1 up
}
netns router c1 c2 other
uplink
master
declare -A PLUGIN_OF=([veth]=awsvpc [macvlan]=awsvpc [bridge]=task-bridge)
declare -A CONF_OF=(
	[veth]=$(one 10.0.1.0/24 '.ipMasq=true | .ipam.cooldown=0')
	[macvlan]=$(conf '.attach="macvlan" | .master="lan0" | .hostAccess=true | .ipam.cooldown=0
		| .ipam.ranges=[[{subnet:"10.0.3.0/24",rangeStart:"10.0.3.10"}]]')
	[bridge]='{"cniVersion":"1.1.0","name":"br","type":"task-bridge","isDefaultGateway":true,"ipMasq":true,
		"runtimeConfig":{"portMappings":[{"containerPort":80}]},
		"ipam":{"cooldown":0,"ranges":[[{"subnet":"10.88.0.0/16"}]]}}'
)
until_true sh -c 'ip -6 addr show dev lan0 | grep -q "scope link" && ! ip -6 addr show tentative | grep -q .'
baseline

# link_of MODE: the host's end of c1; for macvlan, what the host reaches its tasks by.
link_of() {
	case $1 in
	macvlan) ip -o link show type macvlan | awk -F'[ :@]+' '{ print $2 }' ;;
	*) result c1 '[.interfaces[] | select((.sandbox // "") == "") | .name][-1]' ;;
	esac
}

# ---- what others do: H is the host's end of the task c1, A its address, G its gateway ----

rename() { ip -n "$1" link set "$2" down && ip -n "$1" link set "$2" name "$3" && ip -n "$1" link set "$3" up; }
host_rename() { ip link set "$1" down && ip link set "$1" name "$2" && ip link set "$2" up; }
# The namespace lives on without a name, held by a process.
unname() {
	nsenter --net="$NETNS/c1" sleep 60 &
	KEEPER=$!
	until_true sh -c "[ \$(readlink /proc/$KEEPER/ns/net) != \$(readlink /proc/self/ns/net) ]"
	umount "$NETNS/c1"
}
reload() {
	nft -f - <<-'END'
		flush ruleset
		table inet firewalld {
			chain filter_INPUT { type filter hook input priority filter + 10; ct state invalid drop; }
			chain filter_FORWARD { type filter hook forward priority filter + 10; ct state invalid drop; }
		}
	END
}
first_rule() { nft -a list chain inet taskvpc "$1" | awk '/# handle/ && !/chain/ { print $NF; exit }'; }

# ---- the table: MODES | WHAT | COMMAND | CHECK | AFTER | NEXT ----
#   CHECK  what it says (code 106 unless it begins with another); "-": all is well
#   AFTER  after the ADD of another task CHECK of the first: "well", or "-": as before
#   NEXT   the error of that ADD, if it cannot succeed

table() {
	cat <<'END'
veth bridge | its host's end is renamed | host_rename "$H" else0 | interface vpc.* is now called else0 | - |
veth bridge macvlan | its interface is renamed | rename c1 eth0 else0 | interface eth0 .*(is now called else0\|is gone) | - |
veth bridge | its host's end is moved to another namespace | ip link set "$H" netns other | interface vpc.* is gone | - |
veth bridge | its interface is moved to another namespace | ip -n c1 link set eth0 netns other | interface eth0 .*is gone | - |
macvlan | its interface is deleted | ip -n c1 link del eth0 | interface eth0 is gone | - |
macvlan | its interface is set down | ip -n c1 link set eth0 down | eth0 is down\|10.0.3.1 | - |
veth bridge macvlan | lo is set down in it | ip -n c1 link set lo down | lo is down | - |
veth bridge macvlan | the MTU is changed | ip -n c1 link set eth0 mtu 1300 | - | |
veth bridge | the MTU of the host's end is changed | ip link set "$H" mtu 1300 | - | |
veth bridge macvlan | its namespace loses its name | unname | 4 cannot open.*c1\|c1.*no network namespace | - |
veth bridge | the uplink is gone | ip link del up0 | - | |
macvlan | the master is gone | ip link del lan0 | gone | - | 7 master: the host has no interface "lan0"
macvlan | the host's macvlan is gone | ip link del "$H" | interface tvh.* is gone | neighbour 10.0.3.* is gone |
veth bridge | forwarding is turned off | echo 0 >/proc/sys/net/ipv4/ip_forward | ip_forward is 0 instead of 1 | well |
bridge | the bridge takes router advertisements | echo 1 >/proc/sys/net/ipv6/conf/cni0/accept_ra | accept_ra is 1 instead of 0 | well |
veth | the gateway does not answer any more | ip route del local "$G" dev lo | route .*"?10.0.[12].1.* is gone | well |
bridge | the bridge is set down | ip link set cni0 down | cni0 is down | well |
bridge | the bridge loses its address | ip addr flush dev cni0 | cni0 has lost the address | well |
bridge | the bridge is deleted | ip link del cni0 | bridge cni0 is gone | is not in its bridge |
bridge | the bridge is renamed | host_rename cni0 cni7 | bridge cni0 is now called cni7 | - | 7 "cni0" is now called "cni7"
veth bridge | tracked connections are flushed | conntrack -F | - | |
veth bridge | all rules are flushed | nft flush ruleset | rules of table inet taskvpc | well |
veth bridge | the firewall is loaded anew | reload | rules of table inet taskvpc | well |
veth bridge | the table is deleted | nft delete table inet taskvpc | rules of table inet taskvpc | well |
veth bridge | the table is emptied | nft flush table inet taskvpc | rules of table inet taskvpc | well |
veth | a rule is deleted | nft delete rule inet taskvpc guard handle "$(first_rule guard)" | source guard.* gone or changed | well |
bridge | a rule is inserted | nft insert rule inet taskvpc publish drop | published ports.* gone or changed | well |
veth bridge | one set is flushed | nft flush set inet taskvpc masq4 | masq4 | - |
END
}

# said CODE-AND-REGEX: CHECK of c1 said so; "-": that all is well.
said() {
	ID=c1 plugin CHECK "$(with_prev c1 "$CONFIG")"
	case $1 in
	-) is 0 "$RC" "CHECK: $OUT" ;;
	[0-9]*) expect_error "${1%% *}" "${1#* }" ;;
	*) expect_error 106 "$1" ;;
	esac
}

# row MODE WHAT COMMAND CHECK AFTER NEXT
row() {
	local H A G ID name KEEPER=""
	t "$1: $2"
	PLUGIN=$BIN/${PLUGIN_OF[$1]} CONFIG=${CONF_OF[$1]}
	add c1 "$CONFIG" || return
	# shellcheck disable=SC2034 # of the commands
	H=$(link_of "$1") A=$(address c1) G=$(result c1 .ips[0].gateway)
	eval "$3" || fail "the test's own '$3'"
	said "$4"
	if [ -z "$6" ]; then
		add c2 "$CONFIG"
		verify c2 "$CONFIG"
		ping_ok c2 "$(result c2 .ips[0].gateway)"
		case $5 in
		well) said - ;;
		- | '') said "$4" ;;
		*) said "$5" ;;
		esac
		del c2 "$CONFIG"
	else
		ID=c2 plugin ADD "$CONFIG"
		expect_error "${6%% *}" "${6#* }"
	fi
	del c1 "$CONFIG"
	restore
	is 1 "$(ip -n c1 -o link | wc -l)" "links in the task"
	is 1 "$(ip -n other -o link | wc -l)" "links in the other namespace"
	clean
}

# restore: what the row has changed that was not ours.
restore() {
	[ -z "$KEEPER" ] || { stop "$KEEPER"; rm -f "$NETNS/c1"; netns c1; }
	nft delete table inet firewalld 2>/dev/null
	if no_link up0 || no_link lan0; then
		ip link del up0 2>/dev/null
		ip link del lan0 2>/dev/null
		uplink
		master
	fi
	until_true sh -c '! ip -6 addr show tentative | grep -q .'
}

while IFS='|' read -r modes what command check after next <&3; do
	for text in what command check after next; do
		read -r "${text?}" <<<"${!text//$'\x1f'/|}"
	done
	[[ $what =~ ${ROW:-.} ]] || continue
	case $command in conntrack*) command -v conntrack >/dev/null || { skip "$what: needs conntrack" && continue; } ;; esac
	for mode in $modes; do
		row "$mode" "$what" "$command" "$check" "$after" "$next"
	done
done 3< <(table | sed 's/\\|/\x1f/g')

finish
