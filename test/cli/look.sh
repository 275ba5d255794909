#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# taskvpc ls, inspect, subnets, ports and capture: of its own tasks, and of those that others attached.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/cli.sh
. "$(dirname "$0")/../cli.sh"

uplink
baseline
# listing WORD…: the JSON of a reading, in OUT; it must be one document.
listing() {
	told 0 "$@" --json
	jq -e . >/dev/null <<<"$OUT" || fail "taskvpc $* --json: no JSON: $OUT"
}
# count FILTER: of the last listing.
count() { jq -r "$1" <<<"$OUT"; }
subnet() { "$TASKVPC" subnets --json | jq -r --arg s "$1" ".[] | select(.subnet == \$s) | $2"; }

if group "nothing"; then
	told 0 ls
	is "" "$OUT" "stdout"
	like 'no tasks' "$ERR" "stderr"
	listing ls
	is "[]" "$(jq -c . <<<"$OUT")" "JSON"
	told 0 ports
	listing ports
	is "[]" "$(jq -c . <<<"$OUT")" "JSON"
	told 0 subnets
	like 'subnet-a +10\.200\.1\.0/24' "$OUT" "the built-in VPC"
	is "0 251 5" "$(subnet subnet-a '"\(.used) \(.free) \(.reserved)"')" "of 256"
	clean
fi

if group "tasks of its own"; then
	start a -- sleep 60
	start b --mode bridge -p 8080:80 -p :53/udp -p 127.0.0.1:8081:81 -- sleep 60
	start h --mode host -p 9000:9000 -- sleep 60
	start n --mode none -- sleep 60
	listing ls
	is "a b h n" "$(count 'map(.task) | sort | join(" ")')" "tasks"
	is "awsvpc-veth bridge host none" "$(count 'sort_by(.task) | map(.mode) | join(" ")')" "modes"
	is "up" "$(count 'map(.state) | unique | join(" ")')" "states"
	is "taskvpc" "$(count 'map(.runtime) | unique | join(" ")')" "runtime"
	t "what it says is what the kernel has"
	is "$(row a .address)" "$(in_ns a ip -o -4 addr show eth0 | awk '{ print $4 }')" "address"
	is "$(row a .mac)" "$(in_ns a ip -o link show eth0 | sed 's/.*ether \([^ ]*\).*/\1/')" "MAC"
	is "$(row a .eni)" "$(ip -o link show "$(row a .hostInterface)" | sed -n 's/.*alias \([^ \]*\).*/\1/p')" "ENI"
	is "$(row a .hostMac)" "$(ip -o link show "$(row a .hostInterface)" | sed 's/.*ether \([^ ]*\).*/\1/')" "host's MAC"
	is "$(row a .mtu)" "$(in_ns a ip -o link show eth0 | sed 's/.* mtu \([0-9]*\).*/\1/')" "MTU"
	t "the table says the same"
	told 0 ls
	is "$(row a '"\(.task) \(.mode) \(.address) \(.mac) \(.eni) \(.subnet) \(.network)"')" \
		"$(awk '$1 == "a" { print $1, $2, $3, $4, $5, $6, $7 }' <<<"$OUT")" "row"
	is "$(printf 'a\nb\nh\nn')" "$("$TASKVPC" ls -q | sort)" "names"
	t "inspect"
	listing inspect b
	is "3 main" "$(count '.[0] | "\(.ports | length) \(.containers[0].name)"')" "ports, containers"
	told 0 inspect b
	like '8080 -> 80/tcp, [0-9]+ -> 53/udp, 127.0.0.1:8081 -> 81/tcp' "$OUT" "ports"
	like 'main \(up, pid [0-9]+\): sleep 60' "$OUT" "container"
	t "inspect of a network"
	told 0 inspect lab-bridge
	is task-bridge "$(jq -r '.plugins[0].type' <<<"$OUT")" "type"
	printf '%s' "$OUT" >"$TMP/copy.conflist"
	told 0 status "$TMP/copy.conflist"
	t "ports"
	listing ports
	is "4 9000" "$(count '"\(length) \(.[] | select(.task == "h") | .hostPort)"')" "rows"
	dynamic=$(count '.[] | select(.protocol == "udp") | .hostPort')
	within 65535 "$dynamic" "dynamic port"
	within "$dynamic" 61000 "dynamic port"
	told 0 ports
	like '\*:8080/tcp +b +80 ' "$OUT" "8080"
	like '127\.0\.0\.1:8081/tcp +b +81 ' "$OUT" "8081"
	like "\\*:$dynamic/udp +b +53 " "$OUT" "dynamic"
	like '\*:9000/tcp +h +9000 ' "$OUT" "9000"
	fails "an awsvpc task holds none" grep -qE ' a +' <<<"$OUT"
	t "refused"
	refuses 66 'there is no task "nope".*a' inspect nope
	told 0 rm a b h n
	clean
fi

if group "subnets"; then
	one 10.9.0.0/28 '.ipam.ranges[0][0].id = "small" | .name = "tiny" | .cniVersion = "1.1.0" | del(.vpc)' >/etc/cni/net.d/tiny.conf
	is "16 11 5 0" "$(subnet small '"\(.size) \(.free) \(.reserved) \(.used)"')" "a /28: 11 addresses"
	for i in 1 2 3; do start s$i --net tiny -- sleep 60; done
	is "3 8" "$(subnet small '"\(.used) \(.free)"')" "three tasks"
	told 0 rm s1
	is "2 1 8" "$(subnet small '"\(.used) \(.cooling) \(.free)"')" "one of them cools"
	slay s2
	until_true eval '[ "$(row s2 .state)" = dead ]'
	is "1 1 1 8" "$(subnet small '"\(.used) \(.leaked) \(.cooling) \(.free)"')" "one leaked"
	t "the bar has a character for each"
	told 0 subnets
	like ' =====#!~\.\.\.\.\.\.\.\. ' "$OUT" "bar"
	is 16 "$(subnet small '.used + .leaked + .cooling + .reserved + .free')" "they are all"
	t "exhausted"
	told 0 gc
	for i in 4 5 6 7 8 9 10 11 12 13; do start s$i --net tiny -- sleep 60; done
	is "11 0" "$(subnet small '"\(.used) \(.free)"')" "full"
	refuses 73 'pool of network tiny is exhausted.*11 used, 5 reserved' run --net tiny -- true
	told 0 rm --all --time 1
	rm /etc/cni/net.d/tiny.conf
	clean
fi

if group "tasks of other runtimes"; then
	ID64=$(printf '0123456789abcdef%.0s' 1 2 3 4)
	ip netns add other
	ID=$ID64 works ADD "$CONF" CNI_NETNS=$NETNS/other
	listing ls
	is "other up lab subnet-a" "$(count '.[0] | "\(.runtime) \(.state) \(.network) \(.subnet)"')" "row"
	told 0 ls
	like '^0123456789ab +awsvpc-veth' "$(tail -n 1 <<<"$OUT")" "its id is cut"
	told 0 inspect 0123456789
	like "Task +$ID64" "$OUT" "found by the beginning of its id"
	told 0 inspect 0
	refuses 66 'no task "12"' inspect 12
	told 0 check 0123456789
	for words in "exec $ID64 true" "rm 0123" "run --task 0123456789ab -- true"; do
		# shellcheck disable=SC2086 # words
		refuses 66 'that taskvpc runs: it is a task of another runtime.*nerdctl, podman, crictl' $words
	done
	t "a store of its own"
	dir=$TMP/store
	jq --arg d "$dir" '.ipam.dataDir = $d | .name = "apart" | .ipam.ranges = [[{subnet: "10.7.0.0/24"}]] | .vpc.cidr = "10.7.0.0/16"' <<<"$CONF" >/etc/cni/net.d/apart.conf
	ip netns add apart
	ID=apart works ADD "$(</etc/cni/net.d/apart.conf)" CNI_NETNS=$NETNS/apart
	is "$dir" "$(row apart .store)" "store"
	t "dead: without its namespace"
	drop apart other
	is "dead dead" "$("$TASKVPC" ls --json | jq -r 'map(.state) | join(" ")')" "states"
	told 1 check apart
	like 'gone.*taskvpc gc' "$OUT" "verdict"
	told 0 gc
	is 2 "$(grep -c 'awsvpc-veth' <<<"$OUT")" "removed"
	rm -r /etc/cni/net.d/apart.conf "$dir"
	clean
	t "an IPAM-only attachment, and several interfaces of one task"
	netns two
	ID=two works ADD "$CONF" CNI_NETNS=$NETNS/two
	ID=two works ADD "$(jq -c '.name = "lab2"' <<<"$CONF")" CNI_NETNS=$NETNS/two CNI_IFNAME=eth1
	PLUGIN=$BIN/task-ipam ID=two works ADD "$(jq -c '.name = "pool" | .type = "bridge"' <<<"$CONF")" CNI_NETNS=$NETNS/two CNI_IFNAME=net2
	told 0 inspect two
	is "eth0 eth1 net2" "$(awk '$1 == "Interface" { print $2 }' <<<"$OUT" | sort | tr '\n' ' ' | sed 's/ $//')" "interfaces"
	drop two
	told 0 gc
	clean
fi

if group "what other runtimes call their tasks"; then
	netns p q r s
	A=$(printf 'abcdef012345%.0s' 1 2 3 4 5 6) && A=${A:0:64} B=${A:0:14}f${A:15}
	bridge=$(jq -c '.plugins[0] + {name, cniVersion} | .runtimeConfig.portMappings = [{hostPort: 8080, containerPort: 80, protocol: "tcp"}]' \
		"$ROOT/netconf-examples/task-bridge.conflist")
	PLUGIN=$BIN/task-bridge ID=default-$A works ADD "$bridge" CNI_NETNS=$NETNS/p CNI_ARGS="NERDCTL_CNI_DHCP_HOSTNAME=web"
	ID=$B works ADD "$CONF" CNI_NETNS=$NETNS/q CNI_ARGS="K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0"
	ID=${A//a/9} works ADD "$CONF" CNI_NETNS=$NETNS/r CNI_ARGS="K8S_POD_NAME=db"
	ID=ns-ctr works ADD "$CONF" CNI_NETNS=$NETNS/s
	t "tables are shortened where it is unique, and name them"
	told 0 ls
	is "TASK NAME" "$(head -n 1 <<<"$OUT" | awk '{ print $1, $2 }')" "head"
	is "9bcdef012345 db,abcdef012345abc web,abcdef012345abf shop/web-0,ns-ctr -" \
		"$(tail -n +2 <<<"$OUT" | awk '{ print $1, $2 }' | sort | paste -sd,)" "tasks"
	told 0 ports
	like '\*:8080/tcp +abcdef012345abc +web +80 ' "$OUT" "ports"
	told 0 check
	like 'abcdef012345abf +shop/web-0 +lab +ok' "$OUT" "check"
	is "default-$A web web" "$(row "default-$A" '"\(.task) \(.name) \(.hostname)"')" "JSON has all of it"
	t "found by each of them, by every command that looks"
	for word in "default-$A" "$A" abcdef012345abc default-abcdef012345abc web; do
		is "default-$A" "$("$TASKVPC" inspect "$word" --json | jq -r '.[0].task')" "inspect $word"
	done
	for word in "$B" abcdef012345abf web-0 shop/web-0; do
		is "$B" "$("$TASKVPC" inspect "$word" --json | jq -r '.[0].task')" "inspect $word"
	done
	is "${A//a/9}" "$("$TASKVPC" inspect 9 --json | jq -r '.[0].task')" "one digit, if that is unique"
	for word in web shop/web-0 db ctr 9b; do
		for words in check topology explain; do told 0 $words "$word"; done
		told 0 explain "$word" host
	done
	told 64 inspect abc
	like 'several tasks begin so.*abcdef012345abc \(web\) abcdef012345abf \(shop/web-0\)' "${ERR//$'\n'/ }" "told"
	t "a host name that is the begin of the id is no name"
	drop s && told 0 gc
	netns s
	ID=default-$(printf 'c%.0s' {1..64}) works ADD "$CONF" CNI_NETNS=$NETNS/s CNI_ARGS="NERDCTL_CNI_DHCP_HOSTNAME=cccccccccccc"
	is "null cccccccccccc" "$(row "default-$(printf 'c%.0s' {1..64})" '"\(.name) \(.short)"')" "name"
	drop p q r s
	told 0 gc
	like 'abcdef012345abc +web ' "$OUT" "gc names what it removed"
	clean
fi

if group "capture"; then
	if command -v tcpdump >/dev/null; then
		start a -- sleep 60
		timeout 10 "$TASKVPC" capture a -c 2 icmp >"$TMP/packets" 2>"$TMP/said" &
		pid=$!
		until_true grep -q 'listening on eth0' "$TMP/said"
		ping -c 2 -i 0.2 "$(ip_of a)" >/dev/null
		wait $pid
		is 0 $? "rc"
		like "> $(ip_of a): ICMP echo request" "$(<"$TMP/packets")" "packets"
		start h --mode host -- sleep 60
		timeout 10 "$TASKVPC" capture h -- -i lo -c 1 icmp >"$TMP/packets" 2>"$TMP/said" &
		pid=$!
		until_true grep -q 'listening on lo' "$TMP/said"
		ping -c 1 127.0.0.1 >/dev/null
		wait $pid
		is 0 $? "rc of host"
		like "# h is in the host's own network: what follows is of the whole host" "$(<"$TMP/said")" "told"
		told 0 inspect h
		like "Namespace +the host's" "$OUT" "inspect"
		refuses 66 'no task "nope"' capture nope
		slay a
		until_true eval '[ "$(row a .state)" = dead ]'
		refuses 66 'is dead' capture a
		told 0 rm a h
		PATH=/nowhere "$TASKVPC" capture a >"$TMP/said" 2>&1
		is 127 $? "without tcpdump: rc"
		like 'tcpdump: there is no such command' "$(<"$TMP/said")" "without tcpdump"
	else
		skip "needs tcpdump"
	fi
	clean
fi

if group "a store that cannot be read"; then
	mkdir -p $DATA && chmod 0777 $DATA
	told 69 ls
	like 'may be written by others.*chmod 0700' "${ERR//$'\n'/ }" "says so"
	told 1 doctor
	like 'fail +store.*may be written by others' "$OUT" "doctor says so"
	chmod 0700 $DATA
	told 0 ls
fi

finish
