#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DEL, CHECK, GC and STATUS.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
netns c1
baseline
ROUTES='.ipam.routes=[{dst:"0.0.0.0/0"}]'
MASQ=$(one 10.0.1.0/24 ".ipMasq=true | $ROUTES")

if group del; then
	t "DEL of what was never added"
	rm -rf "$DATA"
	for netns in "" $NETNS/missing $NETNS/c1 /proc/99999/ns/net relative; do
		works DEL "$CONF" CNI_NETNS="$netns"
		works DEL "$CONF" CNI_NETNS="$netns" CNI_CONTAINERID=other
	done

	t "DEL without a namespace leaves nothing"
	add c1 "$MASQ"
	isnt "" "$(nft list tables)" "table"
	del c1 "$MASQ" CNI_NETNS=
	clean
	is 1 "$(ip -n c1 -o link | wc -l)" "links in the task"
	t "DEL three times"
	add c1 "$MASQ"
	for _ in 1 2 3; do del c1 "$MASQ"; done
	clean
	t "DEL without prevResult and runtimeConfig, and with"
	PORTS=$(jq -c '.runtimeConfig.portMappings=[{hostPort:80,containerPort:80}]' <<<"$MASQ")
	add c1 "$PORTS"
	del c1 "$MASQ"
	clean
	add c1 "$PORTS"
	del c1 "$(with_prev c1 "$PORTS")"
	clean
	t "DEL after the link, the namespace or the rules went"
	add c1 "$MASQ"
	ip link del "$(host_link c1)"
	del c1 "$MASQ"
	clean
	add c1 "$MASQ"
	ip -n c1 link del eth0
	del c1 "$MASQ"
	clean
	add gone "$MASQ"
	drop gone
	del gone "$MASQ"
	clean
	add c1 "$MASQ"
	nft flush ruleset
	del c1 "$MASQ"
	clean
	add c1 "$MASQ"
	nft flush ruleset
	ip link del "$(host_link c1)"
	del c1 "$MASQ"
	clean
	t "DEL after the store was lost, and ADD after that"
	add c1 "$MASQ"
	ip link del "$(host_link c1)"
	forget
	del c1 "$MASQ"
	add c1 "$MASQ"
	verify c1 "$MASQ"
	del c1 "$MASQ"
	nft delete table inet taskvpc
	clean
	t "DEL in another namespace than that of ADD: its links are not ours"
	add c1 "$MASQ"
	netns c2
	ip -n c2 link add eth0 type veth peer name x
	del c1 "$MASQ" CNI_NETNS=$NETNS/c2
	runs "the stranger's eth0" ip -n c2 link show eth0
	is 1 "$(ip -n c1 -o link | wc -l)" "links in the task"
	drop c2
	clean
	t "DEL where another link has the name by now"
	add c1
	name=$(host_link c1)
	ip link del "$name"
	ip link add "$name" type veth peer name stranger
	del c1
	runs "the stranger" ip link show "$name"
	ip link del "$name"
	clean
	t "DEL where another link has the index by now"
	add c1
	index=$(ip -j link show "$(host_link c1)" | jq '.[0].ifindex')
	ip link del "$(host_link c1)"
	ip link add stranger index "$index" type veth peer name stranger2
	del c1
	runs "the stranger" ip link show stranger
	ip link del stranger
	clean
	t "the host's end was renamed: DEL still finds it"
	add c1
	ip link set "$(host_link c1)" down
	ip link set "$(host_link c1)" name renamed0
	del c1
	fails "the renamed link" ip link show renamed0
	clean
	t "a bad prevResult does not stop DEL"
	for bad in 5 '"x"' '[]' '{"ips":"x"}' '{"cniVersion":"9.9.9"}'; do
		add c1
		del c1 "$(conf ".prevResult=$bad")"
		clean
	done
	t "one of two goes, the other stays whole"
	add c1 "$MASQ"
	add c2 "$MASQ"
	del c1 "$MASQ"
	verify c2 "$MASQ"
	ping_ok host "$(address c2)"
	del c2 "$MASQ"
	drop c2
	clean
fi

if group check; then
	t "CHECK after ADD"
	add c1 "$MASQ"
	verify c1 "$MASQ"
	t "CHECK in each version that has it"
	for version in 0.4.0 1.0.0 1.1.0; do
		config=$(jq -c ".cniVersion=\"$version\"" <<<"$MASQ")
		add v "$config"
		verify v "$config"
		del v "$config"
	done
	drop v
	t "CHECK without a prevResult, and with a bad one"
	refused 100+\|6\|7 'prevResult' CHECK "$MASQ"
	for bad in 5 '"x"' '[]' '{"ips":"x"}' '{"cniVersion":"9.9.9"}'; do
		refused '1|6|7' '' CHECK "$(jq -c ".prevResult=$bad" <<<"$MASQ")"
	done
	t "CHECK of what was never added"
	refused 100+\|3 'other' CHECK "$(with_prev c1 "$MASQ")" CNI_CONTAINERID=other
	refused 100+\|3 'eth7' CHECK "$(with_prev c1 "$MASQ")" CNI_IFNAME=eth7
	t "CHECK of a result that is another's"
	refused 100+\|7 '10\.0\.1\.' CHECK \
		"$(with_prev c1 "$MASQ" | jq -c '.prevResult.ips[0].address="10.0.1.99/24"')"
	del c1 "$MASQ"
	clean

	# broken WHAT REGEX COMMAND…: CHECK tells what the command did to a fresh attachment.
	# In the command, HOSTLINK stands for the host's end, ADDRESS for the task's address.
	broken() {
		local regex=$2
		t "CHECK sees: $1"
		shift 2
		add c1 "$MASQ"
		local -a command=("${@/HOSTLINK/$(host_link c1)}")
		"${command[@]/ADDRESS/$(address c1)}" || fail "the test's own '${command[*]}'"
		refused 106 "$regex" CHECK "$(with_prev c1 "$MASQ")"
		isnt "" "$(jq -r '.details // ""' <<<"$OUT")" "details: the command that repairs it"
		del c1 "$MASQ"
		ip route del "$(address c1)" 2>/dev/null
		drop c1
		netns c1
		clean
	}
	broken "address removed" 'eth0 has lost the address 10\.0\.1\.[0-9]+/24' ip -n c1 addr del ADDRESS/24 dev eth0
	broken "link down" 'eth0 is down' ip -n c1 link set eth0 down
	broken "host end down" 'vpc.* is down' ip link set HOSTLINK down
	broken "link gone" 'vpc.* on the host is gone' ip link del HOSTLINK
	broken "wrong MAC" 'eth0 in the task has the MAC 02:00:00:00:00:77 instead of' ip -n c1 link set eth0 address 02:00:00:00:00:77
	broken "default route gone" 'route default on eth0 is gone in the task' ip -n c1 route del default
	broken "default route elsewhere" 'route default on eth0 is gone in the task' ip -n c1 route replace default dev lo
	broken "host route gone" 'route 10\.0\.1\.[0-9]+ on vpc.* is gone on the host' ip route del ADDRESS
	broken "host route elsewhere" 'route 10\.0\.1\.[0-9]+ on vpc.* is gone on the host' ip route replace ADDRESS dev lo
	broken "neighbour of the host gone" 'neighbour 10\.0\.1\.[0-9]+ of vpc.* is gone' ip neigh del ADDRESS dev HOSTLINK
	broken "neighbour of the task gone" 'neighbour 10\.0\.1\.1 of eth0 is gone' ip -n c1 neigh del 10.0.1.1 dev eth0
	broken "rules flushed" 'taskvpc|nft' nft flush ruleset
	broken "chains emptied" 'taskvpc|nft' nft flush table inet taskvpc
	renamed() { ip -n c1 link set eth0 down && ip -n c1 link set eth0 name eth5 && ip -n c1 link set eth5 up; }
	broken "link renamed" 'eth0 in the task is now called eth5' renamed
	# changed WHAT ROUTE COMMAND…: CHECK tells what the command made of one route; its remedy brings it back.
	ROUTED=$(conf '.ipam.ranges=[[{subnet:"10.0.1.0/24"}],[{subnet:"fd00:10:1::/64"}]] | .ipam.routes=[
		{dst:"0.0.0.0/0",mtu:1300},{dst:"::/0",mtu:1300},{dst:"198.51.100.0/24",advmss:1200,priority:77},
		{dst:"203.0.113.0/24",mtu:100000,advmss:100000,table:100},{dst:"192.0.2.0/24",scope:0}]')
	changed() {
		local what=$1 regex="route $2 has changed"
		t "CHECK sees: $what of a route"
		shift 2
		"$@" || fail "the test's own '$*'"
		refused 106 "$regex" CHECK "$(with_prev c1 "$ROUTED")"
		sh -c "$(jq -r '.details | ltrimstr("to repair it: ")' <<<"$OUT")" || fail "the remedy: $OUT"
		verify c1 "$ROUTED"
	}
	add c1 "$ROUTED"
	verify c1 "$ROUTED"
	HOST_END=$(host_link c1)
	changed "the lost mtu" 'default on eth0' ip -n c1 route replace default via 10.0.1.1 dev eth0
	changed "the lost mtu (IPv6)" 'default on eth0' ip -n c1 -6 route replace default via fd00:10:1::1 dev eth0
	changed "another mtu" 'default on eth0' ip -n c1 route replace default via 10.0.1.1 dev eth0 mtu 1200
	changed "a larger mtu (IPv6)" 'default on eth0' \
		ip -n c1 -6 route replace default via fd00:10:1::1 dev eth0 mtu 1400
	changed "another advmss" '198\.51\.100\.0/24 on eth0' \
		ip -n c1 route replace 198.51.100.0/24 via 10.0.1.1 dev eth0 metric 77 advmss 1300
	metric() {
		ip -n c1 route add 198.51.100.0/24 via 10.0.1.1 dev eth0 metric 78 advmss 1200
		ip -n c1 route del 198.51.100.0/24 metric 77
	}
	changed "another metric" '198\.51\.100\.0/24 on eth0' metric
	ip -n c1 route del 198.51.100.0/24 metric 78
	changed "the gateway" '203\.0\.113\.0/24 on eth0' \
		ip -n c1 route replace 203.0.113.0/24 dev eth0 table 100 mtu 65520 advmss 65495
	changed "the scope" '192\.0\.2\.0/24 on eth0' ip -n c1 route replace 192.0.2.0/24 via 10.0.1.1 dev eth0 scope 200
	changed "the kind" '169\.254\.169\.254' ip -n c1 route replace 169.254.169.254 via 10.0.1.1 dev eth0
	changed "the kind (IPv6)" 'fd00:ec2::254' \
		ip -n c1 -6 route replace fd00:ec2::254 via fd00:10:1::1 dev eth0
	changed "the lost source" "$(address c1) on $HOST_END" ip route replace "$(address c1)" dev "$HOST_END"
	changed "the kind on the host" '10\.0\.1\.1 on lo' \
		ip route replace broadcast 10.0.1.1 dev lo table local proto static
	t "the kernel lowers the MTU of an IPv6 route along with that of its link"
	ip -n c1 link set eth0 mtu 1290
	like 'mtu 1290' "$(ip -n c1 -6 route show default)" "route"
	verify c1 "$ROUTED"
	del c1 "$ROUTED"
	drop c1
	netns c1
	clean

	t "CHECK sees: each set element deleted"
	add c1 "$MASQ"
	sets=$(nft -j list table inet taskvpc | jq -r '.nftables[] | (.set // .map // empty)
		| select((.elem // []) | length > 0) | select(.flags // [] | index("dynamic") | not) | .name')
	isnt "" "$sets" "sets with elements"
	for set in $sets; do
		t "CHECK sees: set $set emptied"
		nft flush set inet taskvpc "$set" 2>/dev/null || nft flush map inet taskvpc "$set"
		refused 106 'nft|taskvpc' CHECK "$(with_prev c1 "$MASQ")"
		del c1 "$MASQ"
		add c1 "$MASQ"
	done
	del c1 "$MASQ"
	clean
	t "CHECK sees: the reservation is gone"
	add c1 "$MASQ"
	mv "$DATA" "$DATA.away"
	refused 100+\|3 'c1' CHECK "$(with_prev c1 "$MASQ")"
	rm -rf "$DATA"
	mv "$DATA.away" "$DATA"
	verify c1 "$MASQ"
	t "CHECK sees: the namespace is another one"
	drop c1
	netns c1
	refused 106 'c1 is not the namespace of the attachment' CHECK "$(with_prev c1 "$MASQ")"
	del c1 "$MASQ"
	clean

	t "CHECK finds a route that the kernel prefers another to: of two interfaces with one gateway"
	ONE=$(one 10.0.1.0/24)
	add c1 "$ONE"
	add c1 "$ONE" CNI_IFNAME=eth1
	verify c1 "$ONE"
	verify c1 "$ONE" CNI_IFNAME=eth1
	ip -n c1 route del 10.0.1.1 dev eth1
	plugin CHECK "$(with_prev c1 "$ONE" eth1)" CNI_IFNAME=eth1
	expect_error 106 'route 10\.0\.1\.1 on eth1 is gone in the task'
	del c1 "$ONE" CNI_IFNAME=eth1
	t "CHECK finds a route that a rule of the host's stands in front of"
	for rule in 'lookup 200' prohibit blackhole; do
		# shellcheck disable=SC2086 # words
		ip rule add pref 100 to 10.0.0.0/8 $rule
		ip route replace blackhole 10.0.0.0/8 table 200
		verify c1 "$ONE"
		ip rule del pref 100
	done
	ip route del blackhole 10.0.0.0/8 table 200
	del c1 "$ONE"

	t "CHECK takes the gateway's address for ours where the host has it on a link"
	ip link add gw0 up type veth peer name gw1
	ip addr add 10.0.1.1/32 dev gw0
	add c1 "$ONE"
	verify c1 "$ONE"
	ip addr del 10.0.1.1/32 dev gw0
	refused 106 'route 10\.0\.1\.1 on lo is gone on the host' CHECK "$(with_prev c1 "$ONE")"
	del c1 "$ONE"
	ip link del gw0
	clean

	t "CHECK lets chained plugins do their work"
	add c1 "$MASQ"
	ip -n c1 link set eth0 mtu 1400
	verify c1 "$MASQ"
	ip -n c1 addr add 192.0.2.9/32 dev eth0
	verify c1 "$MASQ"
	ip -n c1 route add 198.51.100.0/24 via 10.0.1.1
	verify c1 "$MASQ"
	ip -n c1 link set eth0 address 02:00:00:00:00:55
	ip -n c1 neigh replace 10.0.1.1 lladdr "$(ip -j link show "$(host_link c1)" | jq -r '.[0].address')" \
		nud permanent dev eth0
	works CHECK "$(with_prev c1 "$MASQ" | jq -c '(.prevResult.interfaces[] | select(.name == "eth0")).mac
		= "02:00:00:00:00:55"')"
	works CHECK "$(with_prev c1 "$MASQ" | jq -c '.prevResult.interfaces += [{name:"tap0",sandbox:"/x"}]
		| (.prevResult.interfaces[] | select(.name == "eth0")).mac = "02:00:00:00:00:55"
		| .prevResult.ips += [{address:"192.0.2.9/32",interface:1}]')"
	del c1 "$MASQ"
	drop c1
	netns c1
	clean
	t "CHECK lets a chained plugin move the task's routes to another table, as sbr does"
	add c1 "$MASQ"
	ip -n c1 route show dev eth0 >"$TMP/routes"
	while read -r route; do
		# shellcheck disable=SC2086 # words
		ip -n c1 route add $route dev eth0 table 100
	done <"$TMP/routes"
	ip -n c1 route flush dev eth0
	is "" "$(ip -n c1 route show dev eth0)" "routes of the main table"
	verify c1 "$MASQ"
	ip -n c1 route replace default dev lo table 100
	refused 106 'route default on eth0 is gone in the task' CHECK "$(with_prev c1 "$MASQ")"
	del c1 "$MASQ"
	drop c1
	netns c1
	t "CHECK does not take a route of another table for the host's"
	add c1 "$MASQ"
	ip route add "$(address c1)" dev "$(host_link c1)" table 100
	ip route del "$(address c1)"
	refused 106 'route 10\.0\.1\.[0-9]+ on vpc.* is gone on the host' CHECK "$(with_prev c1 "$MASQ")"
	del c1 "$MASQ"
	clean
fi

if group again; then
	t "an ADD of what stands is refused and touches nothing, also where something of it is missing"
	netns again
	add again
	before=$(ip -n again -o addr show eth0 && ip -n again -o link show eth0)
	ID=again refused 102 'since' ADD "$CONF"
	route=$(ip -n again route show default)
	ip -n again route del default
	nft flush set inet taskvpc tasks
	ID=again refused 102 'since' ADD "$CONF"
	is "$before" "$(ip -n again -o addr show eth0 && ip -n again -o link show eth0)" "the interface"
	works GC "$(jq -c '. + {"cni.dev/valid-attachments":[{"containerID":"again","ifname":"eth0"}]}' <<<"$CONF")" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
	like "$(host_link again)" "$(nft list set inet taskvpc tasks)" "the guard after GC"
	# shellcheck disable=SC2086 # it is words
	ip -n again route add $route
	verify again
	t "one whose interface is gone is made anew"
	ip -n again link del eth0
	add again
	verify again
	del again
	drop again
	clean
fi

# gc JSON-FILTER [CONF]: GC with these keys.
gc() { works GC "$(jq -c "$1" <<<"${2:-$CONF}")" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME; }
VALID='.["cni.dev/valid-attachments"]'

if group gc; then
	LAB2=$(one 10.0.9.0/24 '.name="lab2"')
	populate() {
		add a && add a "$LAB2" CNI_IFNAME=eth9
		ID=a works ADD "$CONF" CNI_IFNAME=eth1
		add b && add c
	}
	populate
	t "GC keeps what is listed, key by key"
	gc "$VALID=[{containerID:\"a\",ifname:\"eth0\"},{containerID:\"zz\",ifname:\"eth0\"}]"
	verify a
	ping_ok host "$(address a)"
	fails "a/eth1" ip -n a link show eth1
	fails "b/eth0" ip -n b link show eth0
	is 2 "$(records)" "records: a/eth0 and that of lab2"
	is 2 "$(ip -br link | grep -c '^vpc')" "links on the host"
	t "GC leaves other networks alone"
	gc "$VALID=[]"
	fails "a/eth0" ip -n a link show eth0
	runs "a/eth9 of lab2" ip -n a link show eth9
	verify a "$LAB2" CNI_IFNAME=eth9
	gc "$VALID=[]" "$LAB2"
	drop a b c
	clean
	t "GC twice, and with nothing there at all"
	gc "$VALID=[]"
	rm -rf "$DATA"
	gc "$VALID=[]"
	fails "a state directory" test -e "$DATA"

	t "GC by the tag's older name"
	populate
	gc '.["cni.dev/attachments"]=[{containerID:"a",ifname:"eth0"}]'
	verify a
	fails "b/eth0" ip -n b link show eth0
	t "GC with both keys"
	add b
	gc "$VALID=[{containerID:\"b\",ifname:\"eth0\"}] | .[\"cni.dev/attachments\"]=[{containerID:\"b\",ifname:\"eth0\"}]"
	verify b
	fails "a/eth0" ip -n a link show eth0
	t "GC without a list: only what is provably dead; said so, unless the caller knows"
	for absent in . "$VALID=null"; do
		add c
		drop c
		plugin GC "$(conf "$absent")" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
		is 0 "$RC" "rc: $OUT"
		case $absent in
		.) like 'cni.dev/valid-attachments' "$ERR" "warning on stderr" ;;
		*) is "" "$ERR" "warning on stderr" ;;
		esac
		verify b
		is 2 "$(records)" "records: b/eth0 and that of lab2"
	done
	t "GC with a key that is none"
	for bad in 5 '"x"' '{}' '[5]' '[{"containerID":5,"ifname":"eth0"}]'; do
		refused '6|7' 'valid-attachments' GC "$(conf "$VALID=$bad")"
		verify b
	done
	t "GC with what only other versions of the key have"
	gc "$VALID=[{containerID:\"b\",ifname:\"eth0\",extra:1},{containerID:\"\",ifname:\"\"}]"
	verify b
	gc "$VALID=[]"
	gc "$VALID=[]" "$LAB2"
	drop a b c
	clean
	t "GC takes what another of our plugins has made under the same name"
	OTHERS=$(jq -c '{cniVersion, name, type: "task-bridge", bridge: "br9", isGateway: true,
		ipam: (.ipam | {dataDir, cooldown: 0, ranges: [[{subnet: "10.0.8.0/24"}]]})}' <<<"$CONF")
	add a
	PLUGIN=$BIN/task-bridge add b "$OTHERS"
	PLUGIN=$BIN/task-bridge add c "$OTHERS"
	gc "$VALID=[{containerID:\"c\",ifname:\"eth0\"}]"
	PLUGIN=$BIN/task-bridge verify c "$OTHERS"
	is 1 "$(records)" "records: c"
	gc "$VALID=[]"
	is 0 "$(records)" "records"
	fails "the bridge" ip link show br9
	drop a b c
	clean
	t "GC after links, rules and namespaces went"
	add a && add b && add c
	ip link del "$(host_link a)"
	nft flush ruleset
	drop b
	gc "$VALID=[]"
	drop a c
	clean
	t "GC of the stand-alone IPAM"
	PLUGIN=$BIN/task-ipam
	for id in a b; do works ADD "$CONF" CNI_CONTAINERID=$id; done
	gc "$VALID=[{containerID:\"a\",ifname:\"eth0\"}]"
	is 1 "$(records)" records
	gc "$VALID=[]"
	is 0 "$(records)" records
	PLUGIN=$BIN/awsvpc
	t "GC restores elements that a flush took from those that stay"
	add a "$MASQ"
	nft flush ruleset
	gc "$VALID=[{containerID:\"a\",ifname:\"eth0\"}]"
	verify a "$MASQ"
	t "GC restores what was taken out of single sets: the table looks whole, so no ADD notices"
	add b "$MASQ"
	for set in tasks own4 no_imds masq4 vpc4; do
		nft flush set inet taskvpc $set
		refused 106 "taskvpc $set" CHECK "$(with_prev a "$MASQ")" CNI_CONTAINERID=a CNI_NETNS=$NETNS/a
		gc "$VALID=[{containerID:\"a\",ifname:\"eth0\"},{containerID:\"b\",ifname:\"eth0\"}]"
		verify a "$MASQ"
		verify b "$MASQ"
	done
	del a "$MASQ"
	del b "$MASQ"
	drop a b
	clean
fi

if group status; then
	# status CONF: STATUS without the variables of an attachment.
	status() { works STATUS "$1" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME; }
	t "STATUS ok, and it makes nothing"
	rm -rf "$DATA"
	status "$CONF"
	is "" "$ERR" stderr
	fails "a state directory" test -e "$DATA"
	status "$(conf '.type="awsvpc"')"
	t "STATUS warns of unknown keys, on stderr only"
	status "$(conf '.ipam.frobnicate=1 | .ipam.ranges[0][0].colour="red" | .vpc.cider="x" | .toplevel=1
		| .dns={nameserver:["10.0.0.2"]} | .ipam.dns={server:[]}')"
	for key in frobnicate colour vpc.cider dns.nameserver ipam.dns.server; do like "$key" "$ERR" "warning"; done
	like 'toplevel: unknown key, ignored' "$ERR" "one of the top level"
	t "with the key that was meant; and not of what others may say"
	status "$(conf '.ipMsaq = true | .vpc.cdir = "10.0.0.0/16" | .ipam.ranges[0][0].subnets = "x" | .bridg = 1')"
	for pair in ipMsaq:ipMasq vpc.cdir:cidr; do
		like "${pair%:*}: unknown key, ignored \(did you mean ${pair#*:}\?\)" "$ERR" "${pair%:*}"
	done
	status "$(conf '.capabilities = {ips: true} | .args = {cni: {labels: []}} | .["cni.dev/x"] = 1 | ._comment = "x"
		| .comment = "y" | .nothing = null | del(.mtu) | .Mtu = 1400 | .master = "lan0" | .disableCheck = true')"
	is "" "$ERR" "stderr"
	t "STATUS: the pool is full"
	FULL=$(one 10.0.1.0/30 '.ipam.ranges[0][0].reserve="minimal"')
	add full "$FULL"
	full 'exhausted.*10\.0\.1\.0/30' "$FULL"
	del full "$FULL"
	drop full
	t "STATUS: no master"
	refused 50 'lan0' STATUS "$(conf '.attach="macvlan" | .master="lan0"')"
	ip link add lan0 type veth peer name lan1
	ip link set lan0 up
	status "$(conf '.attach="macvlan" | .master="lan0"')"
	t "STATUS: a master that cannot bear the tasks"
	refused 50 'mtu: 1600.*1500.*lan0' STATUS "$(conf '.attach="macvlan" | .master="lan0" | .mtu=1600')"
	refused 50 'master.*"lo".*loopback' STATUS "$(conf '.attach="macvlan" | .master="lo"')"
	ip link del lan0
	t "STATUS: the state directory cannot be used"
	touch "$TMP/plain"
	refused '50|101' 'plain' STATUS "$(conf ".ipam.dataDir=\"$TMP/plain\"")"
	t "STATUS: a configuration that ADD would refuse"
	refused '7|50' 'mtu' STATUS "$(conf '.mtu=-1')"
	while read -r regex filter; do
		refused 7 "$regex" STATUS "$(conf "$filter")"
		refused 7 "$regex" ADD "$(conf "$filter")"
	done <<-END
		1279.*IPv6 .ipam.ranges=[[{subnet:"fd00:10:1::/64"}]] | .mtu=1279
		1279.*IPv6 .ipam.ranges+=[$CONF6] | .mtu=1279
		::/0.*family .ipam.routes=[{dst:"::/0"}]
		0\.0\.0\.0/0.*family .ipam.ranges=[[{subnet:"fd00:10:1::/64"}]] | .ipam.routes=[{dst:"0.0.0.0/0"}]
		ipam\.ranges del(.ipam.ranges)
	END
	t "STATUS: ranges come with the container"
	BROUGHT=$(conf '.capabilities={ipRanges:true} | .ipam={routes:[{dst:"::/0"}]}')
	status "$BROUGHT"
	refused 7 'ipam\.ranges' ADD "$BROUGHT"
	works ADD "$(jq -c '.runtimeConfig.ipRanges=[[{subnet:"fd00:10:1::/64"}]]' <<<"$BROUGHT")"
	works DEL "$BROUGHT"
	t "STATUS: the foreign IPAM is missing"
	refused 50 'missing' STATUS "$(conf '.ipam={type:"missing"}')"
	# hopeless REGEX CONF: STATUS says so, and it is right.
	hopeless() {
		refused 50 "$1" STATUS "$2" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
		ID=s refused '7|100+' "$1" ADD "$2"
	}
	netns s
	t "STATUS: the host has IPv6 off, for all or for new interfaces, and the pool an IPv6 range"
	DUAL=$(conf ".ipam.ranges+=[$CONF6]")
	status "$DUAL"
	for off in default lo all; do
		echo 1 >/proc/sys/net/ipv6/conf/$off/disable_ipv6
		hopeless 'fd00:10:.*IPv6 is .*leave the IPv6 range out' "$DUAL"
		status "$CONF"
		echo 0 >/proc/sys/net/ipv6/conf/all/disable_ipv6
		echo 0 >/proc/sys/net/ipv6/conf/lo/disable_ipv6
	done
	ip -6 addr replace 2001:db8::1/128 dev lo nodad
	t "STATUS: a block within another network's"
	MASQ=$(conf '.ipMasq=true')
	add a "$MASQ"
	status "$MASQ"
	hopeless 'vpc4 .*10\.0\.7\.0/24.*overlaps with that of another' \
		"$(one 10.0.7.0/24 '.ipMasq=true | .vpc.cidr="10.0.7.0/24" | .name="within"')"
	status "$(one 10.3.7.0/24 '.ipMasq=true | .vpc.cidr="10.3.0.0/16" | .name="apart"')"
	del a "$MASQ"
	drop a
	t "STATUS: a master that is a port of a bridge"
	ip link add lan0 type veth peer name lan1
	ip link add lanbr type bridge
	ip link set lan0 master lanbr
	hopeless 'master: "lan0" is a port of the bridge "lanbr"' "$(conf '.attach="macvlan" | .master="lan0" | del(.vpc)')"
	status "$(conf '.attach="macvlan" | .master="lanbr" | del(.vpc)')"
	ip link del lan0
	ip link del lanbr
	t "STATUS: a route that can never be"
	hopeless '10\.0\.9\.9 of 172\.16\.0\.0/12 is not the subnet.s gateway' \
		"$(conf '.ipam.routes=[{dst:"172.16.0.0/12",gw:"10.0.9.9"}]')"
	t "STATUS: one subnet that can be served is enough; one that a container brings is not known"
	SECOND=$(conf '.ipam.routes=[{dst:"172.16.0.0/12",gw:"10.0.2.1"}]')
	status "$SECOND"
	hopeless 'not the subnet.s gateway' "$(jq -c '.ipam.ranges[0] |= .[:1]' <<<"$SECOND")"
	status "$(jq -c '.ipam.ranges[0] |= .[:1] | .capabilities={ipRanges:true}' <<<"$SECOND")"
	drop s
	clean
fi

if group "routes twice"; then
	t "a route that stands in ipam.routes twice: refused by name"
	netns s
	while read -r routes; do
		for verb in STATUS ADD; do
			ID=s refused 7 'ipam\.routes\[0\] and \[1\]: both are to .*priorit' $verb "$(conf ".ipam.ranges+=[$CONF6] | .ipam.routes=$routes")"
		done
	done <<-'END'
		[{dst:"0.0.0.0/0"},{dst:"0.0.0.0/0"}]
		[{dst:"172.16.0.0/12"},{dst:"172.16.0.0/12",mtu:1400}]
		[{dst:"fd09::/32"},{dst:"fd09::/32",priority:1024}]
	END
	TWICE=$(conf '.ipam.routes=[{dst:"172.16.0.0/12"},{dst:"172.16.0.0/12",priority:5},{dst:"172.16.0.0/12",table:7}]')
	works STATUS "$TWICE"
	add s "$TWICE"
	del s "$TWICE"
	drop s
	clean
fi

if group parallel; then
	job() {
		[ -e "$NETNS/p$1" ] || ip netns add "p$1"
		call ADD "p$1" <<<"$MASQ"
	}
	undo() { call DEL "p$1" <<<"$MASQ"; }
	t "40 ADDs, then 40 DELs at once"
	many 40 job
	is 40 "$(many_rc 0)" "ADDs: $(cat "$TMP"/job/*.out | jq -r '.msg // empty' | sort | uniq -c)"
	is 40 "$(records)" "records"
	pings host "$(jq -r '.ips[0].address | split("/")[0]' "$TMP/job/17.out")" || fail "no answer of one of them"
	many 40 undo
	is 40 "$(many_rc 0)" "DELs: $(cat "$TMP"/job/*.out | jq -r '.msg // empty' | sort | uniq -c)"
	# The rules are loaded by the first and dropped by the last: others come and go meanwhile.
	mixed() {
		job "$1" || return
		[ $(($1 % 2)) = 0 ] || undo "$1"
	}
	for round in 1 2 3; do
		t "ADDs and DELs mixed, round $round"
		many 40 mixed
		is 40 "$(many_rc 0)" "calls: $(cat "$TMP"/job/*.out | jq -r '.msg // empty' | sort | uniq -c)"
		is 20 "$(records)" "records"
		many 40 undo
		is 40 "$(many_rc 0)" "DELs"
		for ((i = 1; i <= 40; i++)); do drop "p$i"; done
		clean
	done
fi

finish
