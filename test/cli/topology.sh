#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# topology: what it draws is what ip, nft and the store say; what is broken is drawn so, with a remedy that
# works; it stays readable with 200 tasks, and whole with names that are markup.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/cli.sh
. "$(dirname "$0")/../cli.sh"

uplink
baseline
DOC=$TMP/doc.json

# topology [WORD…]: the document, in DOC.
topology() {
	told 0 topology --json "$@"
	printf '%s\n' "$OUT" >"$DOC"
}
# of TASK FILTER: of the task's part of it. group KIND FILTER: of the first group of that kind.
of() { jq -r --arg t "$1" "[.groups[].tasks[] | select(.task == \$t)] | first | $2" "$DOC"; }
group_of() { jq -r --arg k "$1" "[.groups[] | select(.kind == \$k)] | first | $2" "$DOC"; }
# findings [TASK]: a line each; without a task, all. fix: of the first.
findings() { jq -r --arg t "${1:-}" '.problems[] | select($t == "" or .task == $t) | .finding' "$DOC"; }
fix() { jq -r '.problems[0].fix' "$DOC"; }
# well: nothing is wrong. broken TASK REGEX: it is, and this is why.
well() {
	topology
	is "[]" "$(jq -c .problems "$DOC")" "problems"
	is "up" "$(jq -r '[.groups[].tasks[].state] | unique | join(" ")' "$DOC")" "states"
}
broken() {
	topology
	is broken "$(of "$1" .state)" "state of $1"
	like "$2" "$(findings "$1")" "finding"
}
# repaired: the remedy is a command, and after it nothing is wrong.
repaired() {
	PATH=$BIN:$PATH runs "fix: $(fix)" sh -c "$(fix)"
	well
}
# mended: by what check tells, one remedy after the other.
mended() {
	local i
	for ((i = 0; i < 8; i++)); do
		"$TASKVPC" check --json a >"$TMP/check" && break
		sh -c "$(jq -r '.[0].remedy' "$TMP/check")" >/dev/null 2>&1
	done
	well
}
# shellcheck disable=SC2001 # ${//} knows no such patterns
# widest: characters of the longest line of OUT. The locale is one of UTF-8 then.
widest() { sed 's/\x1b\[[0-9;]*m//g' <<<"$OUT" | LC_ALL=C.UTF-8 wc -L; }
# whole FILE: an SVG that is well-formed, is described, and loads nothing.
whole() {
	if command -v xmllint >/dev/null; then
		is "" "$(xmllint --noout --nonet "$1" 2>&1)" "$1: xmllint"
	fi
	like '^<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 [0-9]+ [0-9]+".* role="img">' "$(head -n 1 "$1")" "first line"
	is '</svg>' "$(tail -n 1 "$1")" "last line"
	like '<title>The network of .*</title>.<desc>Tasks by .*</desc>' "$(head -n 3 "$1" | tr '\n' ' ')" "description"
	for tag in g text title desc style; do
		is "$(grep -oE "<${tag}[ >]" "$1" | wc -l)" "$(grep -o "</$tag>" "$1" | wc -l)" "<$tag> closed"
	done
	is 0 "$(sed 1d "$1" | grep -icE 'https?:|src=|href|url\(|@import|<script|<image|<foreign')" "what it would load"
}
# drawable FILE: a graph, as far as can be told without graphviz: quotes and braces are in pairs.
drawable() {
	if command -v dot >/dev/null; then
		is "" "$(timeout 60 dot -Tsvg "$1" 2>&1 >/dev/null)" "$1: dot"
	fi
	is "" "$(sed 's/\\[\\"]//g' "$1" | awk '{ if (gsub(/"/, "") % 2) print }')" "$1: lines with a quote that is left open"
	is "0" "$(sed 's/\\[\\"]//g; s/"[^"]*"//g; s/<<TABLE.*TABLE>>//' "$1" | tr -dc '{}' |
		awk 'BEGIN { RS = "." } { n = gsub(/{/, "") - gsub(/}/, "") } END { print n }')" "$1: braces left open"
}
# shellcheck disable=SC2143 # grep -q would end the pipe early, and that is a failure as well
# no_ends: the kernel takes namespaces apart in the background.
no_ends() { [ -z "$(ip -o link show | grep vpc)" ]; }
lan() {
	jq -nc '{cniVersion: "1.1.0", name: "lan", plugins: [{type: "awsvpc", attach: "macvlan", master: "up0",
		ipam: {type: "task-ipam", ranges: [[{subnet: "198.51.100.0/24", gateway: "198.51.100.1",
		rangeStart: "198.51.100.100", rangeEnd: "198.51.100.120"}]]}}]}' >/etc/cni/net.d/lan.conflist
}
dual() {
	jq -nc '{cniVersion: "1.1.0", name: "dual", plugins: [{type: "awsvpc", ipam: {type: "task-ipam", ranges: [
		[{subnet: "10.77.1.0/24", id: "both"}], [{subnet: "fd00:77:1::/64", id: "both"}]]}}]}' >/etc/cni/net.d/dual.conflist
}

if group "no tasks"; then
	told 0 topology
	like 'no tasks' "$OUT" "text"
	like 'up0 +198\.51\.100\.2/24 +default via 198\.51\.100\.1' "$OUT" "the way out"
	topology
	is "[] []" "$(jq -c .groups "$DOC") $(jq -c .problems "$DOC")" "groups, problems"
	is "subnet-a subnet-b bridge" "$(jq -r '[.unused[].subnet] | join(" ")' "$DOC")" "subnets without a task"
	told 0 topology --svg "$TMP/none.svg" --dot "$TMP/none.dot"
	is "" "$OUT" "text beside a file"
	whole "$TMP/none.svg"
	drawable "$TMP/none.dot"
	clean
fi

if group "a network of two families"; then
	conf '.name = "six" | del(.vpc) | .ipam.ranges = [[{subnet: "10.78.1.0/24"}], [{subnet: "fd00:78:1::/64"}]]' >/etc/cni/net.d/six.conf
	start s --net six -- sleep 100
	topology
	is "10.78.1.0/24 fd00:78:1::/64" "$(jq -r '[.groups[] | select(.kind == "routed").subnets[].cidr] | join(" ")' "$DOC")" "subnets of the task"
	is "subnet-a subnet-b bridge" "$(jq -r '[.unused[].subnet] | join(" ")' "$DOC")" "subnets without a task"
	told 0 subnets
	like 'fd00:78:1::/64 .* ~2\^64' "$(tr '\n' ' ' <<<"$OUT")" "free addresses"
	jq '.ipam.ranges[1][0].subnet = "fd00:79:1::/64" | .name = "more"' /etc/cni/net.d/six.conf >/etc/cni/net.d/more.conf
	told 0 topology
	like 'fd00:79:1::/64 of more: 0 used, nearly 2\^64 free' "$(tr -s ' \n' ' ' <<<"$OUT")" "text"
	told 0 rm s
	rm /etc/cni/net.d/six.conf /etc/cni/net.d/more.conf
fi

if group "a task of every mode"; then
	lan
	dual
	start a -- sleep 100
	start b --mode bridge -p 8080:80 -p 127.0.0.1:8081:81/udp -- sleep 100
	start d --net dual -- sleep 100
	start h --mode host -p 9000:9000 -- sleep 100
	start m --net lan -- sleep 100
	start n --mode none -- sleep 100
	well
	is "routed routed bridge lan host none" "$(jq -r '[.groups[].kind] | join(" ")' "$DOC")" "groups"
	is "a:routed b:bridge d:routed h:host m:lan n:none" \
		"$(jq -r '[.groups[] | "\(.tasks[].task):\(.kind)"] | sort | join(" ")' "$DOC")" "who is in which"
	t "each task's end is what ip shows there"
	for task in a b d m; do
		is "$(in_ns $task ip -j link show eth0 | jq -r '.[0].address')" "$(of $task .mac)" "MAC of $task"
		is "$(in_ns $task ip -j addr show dev eth0 | jq -r '[.[0].addr_info[] | select(.scope == "global")
			| "\(.local)/\(.prefixlen)"] | sort | join(" ")')" \
			"$(of $task '.addresses | sort | join(" ")')" "addresses of $task"
		is "$NETNS/$task" "$(of $task .netns)" "namespace of $task"
	done
	is 2 "$(of d '.addresses | length')" "addresses of both families"
	t "each host's end is the one that ip shows, and leads there"
	for task in a b d; do
		end=$(of $task .hostInterface)
		is "$(ip -j link show "$end" | jq -r '.[0].address')" "$(of $task .hostMac)" "host's MAC of $task"
		is "$(ip -j link show "$end" | jq -r '.[0].ifindex')" \
			"$(in_ns $task ip -j link show eth0 | jq -r '.[0].link_index')" "where $end leads"
	done
	is "null" "$(of m .hostInterface)" "a macvlan has no end in the host"
	t "the bridge"
	is "$(ip -j addr show br-lab | jq -r '.[0] | [.address, (.addr_info[] | select(.scope == "global")
		| "\(.local)/\(.prefixlen)")] | join(" ")')" \
		"$(group_of bridge '.link | [.mac, .addresses[]] | join(" ")')" "MAC, address"
	is "$(of b .hostInterface)" "$(ip -j link show master br-lab | jq -r '.[].ifname')" "its port"
	t "the LAN's interface"
	is "up0 up $(ip -j link show up0 | jq -r '.[0].address')" \
		"$(group_of lan '.link | "\(.name) \(.state) \(.mac)"')" "master"
	t "the host"
	is "$(hostname)" "$(jq -r .host.name "$DOC")" "name"
	is "$(ip -j route show default | jq -r '.[0] | "\(.dev) \(.gateway)"')" \
		"$(jq -r '.host.interfaces[0] | "\(.name) \(.gateways[0])"' "$DOC")" "default route"
	is "$(sysctl_of host net/ipv4/ip_forward) $(sysctl_of host net/ipv6/conf/all/forwarding)" \
		"$(jq -r '.host.forwarding | [.ipv4, .ipv6] | map(if . then 1 else 0 end) | join(" ")' "$DOC")" \
		"forwarding"
	is "lo up0" "$(jq -r '[.host.interfaces[].name] | sort | join(" ")' "$DOC")" "interfaces with an address"
	t "ports lead where nft says"
	is "8080 80 tcp 8081 81 udp 127.0.0.1" \
		"$(of b '[.ports[] | .hostPort, .containerPort, .protocol, .hostIP // empty] | join(" ")')" "ports of b"
	like "8080 : $(ip_of b) \. 80" "$(nft get element inet taskvpc ports4 '{ tcp . 8080 }')" "nft"
	is 9000 "$(of h '.ports[0].hostPort')" "port of h"
	t "subnets are counted as subnets counts them"
	is "$("$TASKVPC" subnets --json | jq -cS 'sort_by(.network, .cidr)')" \
		"$(jq -cS '[.groups[].subnets[], .unused[]] | sort_by(.network, .cidr)' "$DOC")" "subnets"
	is "both both" \
		"$(jq -r '[.groups[] | select(.name == "both").subnets[].subnet] | join(" ")' "$DOC")" "both families in one group"

	t "the text says the same"
	OUT=$(LC_ALL=C.UTF-8 COLUMNS=120 "$TASKVPC" topology)
	for task in a b d m; do
		like " $(of $task '.hostInterface // ""').*─ eth0 +● $task +$(of $task '.addresses[0]') +$(of $task .mac)" \
			"$(grep "● $task " <<<"$OUT")" "$task"
	done
	like '◀ 8080→80 +◀ 127\.0\.0\.1:8081→81/udp' "$OUT" "ports of b"
	like '● h .*◀ 9000$' "$(grep '● h ' <<<"$OUT")" "port of h"
	like 'subnet-a 10\.200\.1\.0/24 · lab-awsvpc · router 10\.200\.1\.1 · 1 used, 250 free' "$OUT" "subnet"
	like 'bridge br-lab 10\.201\.0\.1/24 · lab-bridge' "$OUT" "bridge"
	like 'LAN of up0' "$OUT" "LAN"
	t "never wider than the terminal, and nothing at the end of a line"
	for locale in C.UTF-8 C; do
		for columns in 40 61 80 100 200; do
			OUT=$(LC_ALL=$locale COLUMNS=$columns "$TASKVPC" topology)
			within $columns "$(widest)" "$locale, $columns"
			is "" "$(grep ' $' <<<"$OUT")" "blanks at the end"
			for task in a b d h m n; do like "[*●] $task " "$OUT" "$task in $columns"; done
			for word in '8080(->|→)80' '198\.51\.100\.2/24' 'via' '198\.51\.100\.1$' "$(of d '.addresses[1]')"; do
				runs "$word in one piece in $columns" grep -qE -- "(^|[ <◀])$word( |$)" <<<"$OUT"
			done
		done
	done
	is "" "$(LC_ALL=C grep -P '[^\x00-\x7f]' <<<"$OUT")" "ASCII in an ASCII locale"
	OUT=$(COLUMNS=7 "$TASKVPC" topology)
	within 40 "$(widest)" "no narrower than 40"
	OUT=$(COLUMNS=none "$TASKVPC" topology)
	within 80 "$(widest)" "80 if nobody says"
	t "SVG and DOT"
	told 0 topology --svg "$TMP/all.svg" --dot "$TMP/all.dot"
	like 'out of the host&#39;s reach' "$(<"$TMP/all.svg")" "a task of the LAN without hostAccess"
	whole "$TMP/all.svg"
	drawable "$TMP/all.dot"
	for fact in "$(of a .mac)" "$(of b .hostInterface)" "$(of d '.addresses[1]')" 'br-lab 10.201.0.1/24' '8080→80' \
		'8080 → b:80' 'default via 198.51.100.1' '/run/netns/m'; do
		runs "SVG: $fact" grep -qF -- "$fact" "$TMP/all.svg"
	done
	for fact in "$(of a .mac)" "$(of b .hostInterface)" "$(of d '.addresses[1]')" 'br-lab 10.201.0.1/24' \
		'host:8080 → 80' 'default via 198.51.100.1' '/run/netns/m'; do
		runs "DOT: $fact" grep -qF -- "$fact" "$TMP/all.dot"
	done
	like 'prefers-color-scheme:dark' "$(<"$TMP/all.svg")" "by night"
	is 644 "$(stat -c %a "$TMP/all.svg")" "mode of the file"
	told 0 topology --svg -
	dateless() { sed 's/20[0-9-]* [0-9:]* UTC//' "$1"; }
	is "" "$(diff <(dateless "$TMP/all.svg") <(dateless "$TMP/stdout"))" "on stdout"
	told 0 topology --dot -
	drawable "$TMP/stdout"
	told 0 topology --json --svg "$TMP/again.svg"
	is "$(jq -S 'del(.date)' "$DOC")" "$(jq -S 'del(.date)' <<<"$OUT")" "JSON beside a file"
	t "colours"
	if command -v script >/dev/null; then
		tty() { env -u NO_COLOR TERM=xterm "$@" script -qec "$TASKVPC topology" /dev/null </dev/null; }
		like $'\033\\[32m' "$(tty)" "on a terminal"
		is 0 "$(tty NO_COLOR=1 | grep -c $'\033\\[')" "NO_COLOR"
	else
		skip "needs script"
	fi
	is "" "$("$TASKVPC" topology | grep $'\033')" "none into a pipe"

	t "some of it"
	topology --net lab-bridge
	is "b" "$(jq -r '[.groups[].tasks[].task] | join(" ")' "$DOC")" "of one network"
	is "" "$(jq -r '.unused[].network' "$DOC")" "subnets of others"
	topology a m
	is "a m" "$(jq -r '[.groups[].tasks[].task] | join(" ")' "$DOC")" "two tasks"
	topology -n lab-none
	is "n" "$(jq -r '[.groups[].tasks[].task] | join(" ")' "$DOC")" "of none"
	refuses 66 'no network "nope".*lab-awsvpc' topology --net nope
	refuses 66 'no task "nope".*a' topology a nope
	refuses 66 'no task "a"' topology --net lab-bridge a
	t "it changes nothing"
	before=$(state)
	told 0 topology
	is "$before" "$(state)" "what there is"
	told 0 rm a b d h m n
	rm /etc/cni/net.d/*
	sysctl -qw net.ipv6.conf.all.forwarding=0
	clean
fi

if group "what is broken"; then
	start a -- sleep 200
	start b --mode bridge -p 8080:80 -- sleep 200
	start c --mode bridge -- sleep 200
	well
	A=$(of a .hostInterface) B=$(of b .hostInterface)
	t "an address that is gone"
	in_ns a ip addr del "$(row a .address)" dev eth0
	broken a "eth0 has not its address $(row a .address)"
	is "[]" "$(of a '.addresses | tostring')" "addresses that it has"
	runs "fix: $(fix)" sh -c "$(fix)"
	broken a "it has no route to its gateway"
	is "taskvpc check a" "$(fix)" "fix"
	mended
	t "a route that is gone"
	ip route del "$(ip_of a)"
	broken a "host has no route to $(ip_of a)"
	repaired
	ping_ok host "$(ip_of a)"
	t "the host's end is down"
	ip link set "$B" down
	broken b "host's end $B is down"
	is "down broken" "$(of b '"\(.wire) \(.state)"')" "wire"
	is "up up" "$(of a '"\(.wire) \(.state)"')" "the others"
	OUT=$(LC_ALL=C.UTF-8 COLUMNS=100 "$TASKVPC" topology)
	like "$B ─╳─ eth0 +✗ b .*broken" "$OUT" "text"
	like "✗ b: the host's end $B is down"$'\n'"  fix: ip link set $B up" "$OUT" "finding below"
	told 0 topology --svg "$TMP/b.svg" --dot "$TMP/b.dot"
	whole "$TMP/b.svg"
	is 1 "$(grep -c 'class="card bad"' "$TMP/b.svg")" "red cards"
	is 1 "$(grep -c 'class="wire cut"' "$TMP/b.svg")" "cut wires"
	like 'b: broken, mode bridge' "$(<"$TMP/b.svg")" "what a reader hears"
	like 'style=dashed' "$(grep -- "-> t1_0" "$TMP/b.dot")" "DOT"
	repaired
	t "the task's end is down"
	in_ns c ip link set eth0 down
	broken c 'its interface eth0 is down'
	like '^ip -n c link set eth0 up && taskvpc check c$' "$(fix)" "fix"
	in_ns c ip link set eth0 up
	well
	t "not at the bridge any more"
	ip link set "$B" nomaster
	broken b "$B is no port of the bridge br-lab"
	repaired
	t "the bridge is down"
	ip link set br-lab down
	topology
	is "the bridge br-lab is down" "$(findings)" "told once"
	is "down: broken broken up" "$(group_of bridge '.link.state'): $(of b .state) $(of c .state) $(of a .state)" "states"
	like 'bridge br-lab .* down' "$("$TASKVPC" topology)" "text"
	repaired
	t "rules that somebody flushed"
	nft flush ruleset
	broken b 'port 8080/tcp of the host does not lead to it'
	repaired
	t "no forwarding"
	sysctl -qw net.ipv4.ip_forward=0
	topology
	like 'does not forward IPv4' "$(findings)" "finding"
	like 'does not forward$' "$("$TASKVPC" topology | head -n 1)" "text"
	repaired
	t "another link under the name of the host's end"
	ip link set "$A" down
	ip link set "$A" name moved
	ip link add "$A" type veth peer name other
	ip link set "$A" up
	broken a "$A is not the other end of its eth0"
	ip link del "$A"
	broken a "host's end $A is gone"
	t "the whole link is gone"
	ip link del moved
	broken a 'its interface eth0 is gone'
	is gone "$(of a .wire)" "wire"
	t "the bridge is gone"
	ip link del br-lab
	topology
	like 'the bridge br-lab is gone' "$(findings)" "finding"
	is "gone broken" "$(group_of bridge '.link.state') $(of b .state)" "states"
	t "dead, what it held is leaked"
	slay c
	until_true eval '[ "$(row c .state)" = dead ]'
	topology
	is "dead gone" "$(of c '"\(.state) \(.wire)"')" "state"
	like 'it is gone, but holds 10\.201\.0\.' "$(findings c)" "finding"
	is 1 "$(group_of bridge '.subnets[0].leaked')" "leaked"
	like ' c +10\.201\.0\.[0-9]+/24.* dead, leaked' "$("$TASKVPC" topology)" "text"
	t "no way out"
	ip route del default
	like 'no default route' "$("$TASKVPC" topology)" "text"
	told 0 topology --svg -
	like 'outside: no default route' "$OUT" "SVG"
	ip route add default via 198.51.100.1
	told 0 rm a b c
	clean
fi

if group "tasks of others, and of networks that are not configured here"; then
	ID64=$(printf '0123456789abcdef%.0s' 1 2 3 4)
	netns other two held
	ID=$ID64 works ADD "$CONF" CNI_NETNS=$NETNS/other
	ID=two works ADD "$CONF" CNI_NETNS=$NETNS/two
	ID=two works ADD "$(jq -c '.name = "lab2"' <<<"$CONF")" CNI_NETNS=$NETNS/two CNI_IFNAME=eth1
	PLUGIN=$BIN/task-ipam ID=two works ADD "$(jq -c '.name = "pool" | .type = "bridge"' <<<"$CONF")" \
		CNI_NETNS=$NETNS/two CNI_IFNAME=net2
	well
	is "other/eth0 two/eth0 two/eth1 two/net2" "$(jq -r '[.groups[].tasks[]
		| "\(.netns | split("/") | last)/\(.interface)"] | sort | join(" ")' "$DOC")" "attachments"
	is "other: ipam" "$(jq -r '.groups[-1] | "\(.kind): \(.name)"' "$DOC")" "of task-ipam alone"
	told 0 topology
	like ' 0123456789ab +10\.0\.[12]\.4/24' "$OUT" "a long id is cut"
	like 'subnet-[ab] 10\.0\.[12]\.0/24 - lab2?, router 10\.0\.[12]\.1, not configured here' "$OUT" \
		"what the record tells of the subnet"
	topology 01234567
	is "$ID64" "$(jq -r '[.groups[].tasks[].task] | join(" ")' "$DOC")" "one by the beginning of its id"
	t "a namespace that lost its name"
	ID=held works ADD "$CONF" CNI_NETNS=$NETNS/held
	nsenter --net="$NETNS/held" sleep 100 &
	pid=$!
	until_true eval '[ "$(ip netns pids held)" = $pid ]'
	umount "$NETNS/held" && rm "$NETNS/held"
	topology held
	is "unknown up" "$(of held '"\(.state) \(.wire)"')" "state, wire"
	is "its namespace is not where it was: taskvpc check held" "$(findings): $(fix)" "finding, fix"
	told 0 topology --svg "$TMP/held.svg"
	is 1 "$(grep -c 'class="card warn"' "$TMP/held.svg")" "amber cards"
	stop $pid
	drop other two
	until_true no_ends
	told 0 gc
	if [ -x "$CNI_REF/ptp" ]; then
		t "another plugin's pair"
		jq -nc '{cniVersion: "1.0.0", name: "ptp", plugins: [{type: "ptp", ipam:
			{type: "host-local", dataDir: "/run/local", subnet: "10.55.0.0/24"}}]}' >/etc/cni/net.d/ptp.conflist
		start p --net ptp -- sleep 100
		well
		is "$(ip -j link show type veth | jq -r '.[].ifname' | grep ^veth)" "$(of p .hostInterface)" "host's end"
		is "lo up0" "$(jq -r '[.host.interfaces[].name] | sort | join(" ")' "$DOC")" "interfaces of the host itself"
		told 0 rm p
		rm /etc/cni/net.d/ptp.conflist
	else
		skip "needs $CNI_REF/ptp"
	fi
	t "ranges of ports, and a name that is longer than a line"
	long=a-name-of-63-letters-$(printf 'x%.0s' {1..42})
	start r --mode bridge -p 8001-8012:81-92 -p 8013:80 -p 9000:9000 -p :53/udp -- sleep 100
	start "$long" -- sleep 100
	like '< 8001-8012->81-92 +< 8013->80 +< 9000 ' "$(COLUMNS=200 "$TASKVPC" topology)" "text"
	like " $long " "$(COLUMNS=200 "$TASKVPC" topology)" "the name where there is room"
	for columns in 40 80; do
		OUT=$(COLUMNS=$columns "$TASKVPC" topology)
		within $columns "$(widest)" "$columns"
		like ' a-name-[a-z0-9-]*~' "$OUT" "the name cut"
	done
	told 0 topology --svg -
	like '8001-8012 → r:81-92.*8013 → r:80.*9000 → r<' "$(tr '\n' ' ' <<<"$OUT")" "SVG"
	like ">a-name-of[a-z0-9-]*…<.*namespace a-name-[a-z0-9-]*…<" "$(tr '\n' ' ' <<<"$OUT")" "the name cut in the SVG"
	like "<title>$long: up" "$OUT" "and whole for who points at it"
	told 0 topology --dot -
	like 'host:8001-8012 → 81-92\\nhost:8013 → 80\\nhost:9000\\nhost:[0-9]+ → 53/udp' "$OUT" "DOT"
	t "wide letters are squeezed into the card"
	start MMMMMMMMMMMMMMM -- sleep 100
	start iiii -- sleep 100
	told 0 topology --svg -
	like 'class="b" textLength="[0-9]+" lengthAdjust="spacingAndGlyphs">MMMMMMM' "$OUT" "wide"
	like 'class="b">iiii<' "$OUT" "narrow"
	told 0 rm -t 0 MMMMMMMMMMMMMMM iiii
	t "a task of the LAN with hostAccess"
	lan
	jq '.plugins[0].hostAccess = true' /etc/cni/net.d/lan.conflist >"$TMP/access.conflist"
	start access --net "$TMP/access.conflist" -- sleep 100
	told 0 topology --svg -
	like 'the host has access' "$OUT" "told"
	told 0 rm -t 0 access
	rm /etc/cni/net.d/lan.conflist
	told 0 rm "$long"
	told 0 rm r
	sysctl -qw net.ipv6.conf.all.forwarding=0
	clean
fi

if group "200 tasks"; then
	PROD=$(one 10.9.0.0/24 'del(.vpc) | .name = "prod" | .ipam.ranges[0][0].id = "prod-a"')
	EDGE=$(jq -c '. + {name: "edge", type: "task-bridge", bridge: "br-edge", isGateway: true, capabilities: {portMappings: true}}
		| del(.vpc, .attach, .ipMasq, .blockInstanceMetadata, .mtu) | .ipam.ranges = [[{subnet: "10.8.0.0/24"}]]' <<<"$CONF")
	echo "$PROD" >/etc/cni/net.d/prod.conf
	echo "$EDGE" >/etc/cni/net.d/edge.conf
	for ((i = 1; i <= 200; i++)); do echo "netns add t$i"; done | ip -batch -
	made=0
	for ((i = 1; i <= 140; i++)); do call ADD t$i <<<"$PROD" >/dev/null && made=$((made + 1)); done
	PORT='"containerPort":80,"protocol":"tcp"'
	for ((i = 141; i <= 200; i++)); do
		PLUGIN=$BIN/task-bridge call ADD t$i >/dev/null \
			<<<"${EDGE%\}},\"runtimeConfig\":{\"portMappings\":[{\"hostPort\":$((8000 + i)),$PORT}]}}" &&
			made=$((made + 1))
	done
	is 200 $made "tasks"
	drop t17
	in_ns t77 ip link set eth0 down
	ms topology
	quick 5000 "$MS" "milliseconds"
	is "200 140 60" "$(jq -r '"\([.groups[].tasks[]] | length) \([.groups[].tasks | length] | join(" "))"' "$DOC")" "tasks, in groups"
	is "dead broken" "$(of t17 .state) $(of t77 .state)" "states"
	is 2 "$(jq '.problems | length' "$DOC")" "problems"
	t "by address"
	is "t1 t2 t3" "$(jq -r '[.groups[0].tasks[0:3][].task] | join(" ")' "$DOC")" "order"
	t "the text: a page, each task in it, and first who is not well"
	OUT=$(LC_ALL=C.UTF-8 COLUMNS=100 "$TASKVPC" topology)
	within 100 "$(widest)" "columns"
	within 70 "$(wc -l <<<"$OUT")" "lines"
	is "" "$(for ((i = 1; i <= 200; i++)); do grep -qE "[●✗] t$i +(\.|10\.9)" <<<"$OUT" || echo t$i; done)" "tasks that are missing"
	like '✗ t17 .* dead, leaked' "$OUT" "t17"
	like '✗ t77 .* broken' "$OUT" "t77"
	like '● t150 +\.11 +◀8150→80' "$OUT" "port of t150"
	t "the pictures: each task in it"
	ms told 0 topology --svg "$TMP/many.svg" --dot "$TMP/many.dot"
	quick 6000 "$MS" "milliseconds"
	whole "$TMP/many.svg"
	drawable "$TMP/many.dot"
	is 200 "$(grep -oE '<title>t[0-9]+: ' "$TMP/many.svg" | sort -u | wc -l)" "tasks of the SVG"
	is 200 "$(grep -oE '<B>t[0-9]+</B>' "$TMP/many.dot" | sort -u | wc -l)" "tasks of the DOT"
	is 2 "$(grep -c 'class="card bad"' "$TMP/many.svg")" "red cells"
	within 4000 "$(sed -n '1s/.*viewBox="0 0 [0-9]* \([0-9]*\)".*/\1/p' "$TMP/many.svg")" "height"
	for ((i = 1; i <= 200; i++)); do echo "netns del t$i"; done | sed '/ t17$/d' | ip -batch -
	until_true no_ends
	told 0 gc
	rm /etc/cni/net.d/*
	clean
fi

if group "names that are markup"; then
	mkdir -p /etc/cni/net.d
	# The name of an interface may hold anything but blanks and a slash, that of a namespace more.
	BR='b<"&>\n'"'"
	jq -c --arg b "$BR" '. + {name: "odd", type: "task-bridge", bridge: $b, isGateway: true}
		| del(.vpc, .attach, .ipMasq, .blockInstanceMetadata, .mtu)
		| .ipam.ranges = [[{subnet: "10.8.0.0/24", id: "</text>\u001b[31m\"\\", az: "<i>"}]]' <<<"$CONF" >/etc/cni/net.d/odd.conf
	jq -c '.name = "odd2" | del(.vpc) | .ipam.ranges = [[{subnet: "10.7.0.0/24",
		id: "<b>&\"\\\u001b]>>;{}\u00e4"}]]' <<<"$CONF" >/etc/cni/net.d/odd2.conf
	NS=$'x<a>&"\\\''
	ip netns add "$NS"
	ip netns add y
	PLUGIN=$BIN/task-bridge works ADD "$(</etc/cni/net.d/odd.conf)" CNI_CONTAINERID=x "CNI_NETNS=$NETNS/$NS" 'CNI_IFNAME=e<&">'
	PLUGIN=$BIN/awsvpc works ADD "$(</etc/cni/net.d/odd2.conf)" CNI_CONTAINERID=y "CNI_NETNS=$NETNS/y"
	well
	is "$BR" "$(group_of bridge .name)" "name of the bridge"
	look() { unshare --uts sh -c 'printf %s "v<m>&\"\\" >/proc/sys/kernel/hostname; exec "$@"' sh "$TASKVPC" topology "$@"; }
	look --svg "$TMP/odd.svg" --dot "$TMP/odd.dot"
	whole "$TMP/odd.svg"
	drawable "$TMP/odd.dot"
	like 'The network of v&lt;m&gt;&amp;&quot;[\]<' "$(<"$TMP/odd.svg")" "the host"
	like 'bridge b&lt;&quot;&amp;&gt;' "$(<"$TMP/odd.svg")" "the bridge"
	like '&lt;b&gt;&amp;&quot;[\][?]' "$(<"$TMP/odd.svg")" "the subnet"
	is "" "$(LC_ALL=C grep -P '[\x00-\x08\x0b-\x1f]' "$TMP/odd.svg" "$TMP/odd.dot")" "control characters in files"
	OUT=$(LC_ALL=C.UTF-8 COLUMNS=80 look)
	within 80 "$(widest)" "columns"
	is "" "$(LC_ALL=C grep -P '[\x00-\x08\x0b-\x1f]' <<<"$OUT")" "control characters in the text"
	t "a remedy with such names is one that sh takes"
	ip link set "$BR" down
	topology
	repaired
	ip netns exec "$NS" ip addr flush dev 'e<&">' scope global
	broken x 'e<&"> has not its address'
	repaired
	ip netns del "$NS"
	ip netns del y
	until_true no_ends
	told 0 gc
	rm /etc/cni/net.d/*
	clean
fi

if group "bad input"; then
	refuses 64 'svg: /nowhere/x.svg: No such file.*--svg' topology --svg /nowhere/x.svg
	refuses 64 'dot: /nowhere/x.dot: No such file.*--dot' topology --dot /nowhere/x.dot
	refuses 64 'not a regular file' topology --svg "$TMP"
	refuses 64 'not a regular file' topology --dot /dev/null
	refuses 64 '--svg' topology --svg ''
	refuses 64 '--svg: a value is missing' topology --svg
	refuses 64 'only one of.*stdout' topology --svg - --json
	refuses 64 'only one of.*stdout' topology --svg - --dot -
	refuses 64 'no such option' topology --pdf
	refuses 66 'no network ""' topology --net ''
	"$TASKVPC" topology --svg - >/dev/full 2>"$TMP/said"
	is 69 $? "a full disk: rc"
	like 'cannot write to stdout: No space left' "$(<"$TMP/said")" "a full disk"
	t "a symbolic link that another user has planted is not followed"
	mkdir -m 1777 "$TMP/sticky" && chmod 1777 "$TMP/sticky"
	echo old >"$TMP/victim"
	ln -s "$TMP/victim" "$TMP/sticky/planted"
	ln -s "$TMP/nowhere" "$TMP/sticky/dangling"
	chown -h nobody "$TMP/sticky/planted" "$TMP/sticky/dangling"
	for link in planted dangling; do
		for option in svg dot; do
			refuses 64 "--$option: .*$link: a symbolic link of another user" topology --$option "$TMP/sticky/$link"
		done
	done
	refuses 64 'a symbolic link of another user' compare --html "$TMP/sticky/planted" none
	is old "$(<"$TMP/victim")" "the file it leads to"
	fails "the other" test -e "$TMP/nowhere"
	t "one's own is"
	ln -s "$TMP/victim" "$TMP/sticky/own"
	told 0 topology --svg "$TMP/sticky/own"
	like '^<svg' "$(<"$TMP/victim")" "the file it leads to"
	t "a file that cannot be written stays as it was"
	mkdir "$TMP/full" && mount -t tmpfs -o size=4k tmpfs "$TMP/full"
	echo old >"$TMP/full/x.svg"
	told 69 topology --svg "$TMP/full/x.svg"
	like 'cannot write .*x.svg: No space left' "$ERR" "stderr"
	is "old x.svg" "$(<"$TMP/full/x.svg") $(ls "$TMP/full")" "file"
	umount "$TMP/full"
	setpriv --reuid 65534 --clear-groups "$TASKVPC" topology >"$TMP/out" 2>&1
	is 77 $? "without root: rc"
	like 'needs root' "$(<"$TMP/out")" "without root"
	clean
fi

finish
