#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The result of ADD: its shape in each version, that it tells the kernel's truth, and what it must refuse.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
baseline

# truth NAME [IFNAME]: the kept result of 0.3.0 or later agrees with the kernel and with itself.
truth() {
	local name=$1 ifname=${2:-eth0} link
	link=$(ip -n "$name" -j addr show "$ifname")
	is "$NETNS/$name" "$(result "$name" ".interfaces[] | select(.name == \"$ifname\") | .sandbox" "$ifname")" \
		"sandbox"
	is "$(jq -r '.[0].address' <<<"$link")" \
		"$(result "$name" ".interfaces[] | select(.name == \"$ifname\") | .mac" "$ifname")" "mac"
	is "$(jq -r '[.[0].addr_info[] | select(.scope == "global") | "\(.local)/\(.prefixlen)"] | sort | join(" ")' \
		<<<"$link")" \
		"$(result "$name" "[.interfaces as \$i | .ips[]
			| select(\$i[.interface].name == \"$ifname\") | .address] | sort | join(\" \")" "$ifname")" \
		"addresses"
	is true "$(result "$name" '(.interfaces | length) as $n | [.ips[].interface] | all(. >= 0 and . < $n)' \
		"$ifname")" "each interface index"
	is true "$(result "$name" '[.interfaces[].name] | length == (unique | length)' "$ifname")" \
		"no two interfaces of one name"
}

if group versions; then
	t "shape of 0.1.0 and 0.2.0"
	for version in 0.1.0 0.2.0; do
		forget
		add c1 "$(one 10.0.1.0/24 ".cniVersion=\"$version\"")"
		is "{\"cniVersion\":\"$version\",\"ip4\":{\"ip\":\"10.0.1.4/24\",\"gateway\":\"10.0.1.1\"," \
			"$(jq -c 'del(.dns | select(. == {})) | .ip4 |= {ip, gateway, routes}' "$TMP/result/c1.eth0" |
				sed 's/"routes".*//')" "$version"
		is '0.0.0.0/0' "$(result c1 '.ip4.routes[0].dst')" "$version route"
		is '["cniVersion","ip4"]' "$(result c1 'del(.dns) | keys' | jq -c .)" "$version keys"
		del c1 "$(one 10.0.1.0/24 ".cniVersion=\"$version\"")"
		drop c1
	done
	for version in 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0; do
		t "shape of $version"
		forget
		config=$(one 10.0.1.0/24 ".cniVersion=\"$version\"")
		add c1 "$config"
		truth c1
		is "$version" "$(result c1 .cniVersion)" cniVersion
		is '10.0.1.4/24 10.0.1.1' "$(result c1 '.ips[0] | "\(.address) \(.gateway)"')" "address"
		like '^vpc[0-9a-f]{12}$' "$(result c1 '.interfaces[0].name')" "host end comes first"
		is '' "$(result c1 '.interfaces[0].sandbox // ""')" "sandbox of the host end"
		is 'eth0' "$(result c1 '.interfaces[.ips[0].interface].name')" "interface of the address"
		is '[{"dst":"0.0.0.0/0","gw":"10.0.1.1"}]' \
			"$(jq -c '[.routes[] | {dst, gw}]' "$TMP/result/c1.eth0")" routes
		case $version in
		0.*) is 4 "$(result c1 '.ips[0].version')" "ips[0].version" ;;
		*) is false "$(result c1 '.ips[0] | has("version")')" "ips[0] has version" ;;
		esac
		case $version in
		1.1.0) is 1500 "$(result c1 '.interfaces[] | select(.name == "eth0") | .mtu')" mtu ;;
		*)
			is '["mac","name","sandbox"]' "$(result c1 '[.interfaces[] | keys[]] | unique' | jq -c .)" \
				"keys of interfaces"
			is '["dst","gw"]' "$(result c1 '[.routes[] | keys[]] | unique' | jq -c .)" "keys of routes"
			;;
		esac
		case $version in
		1.*) is false "$(result c1 'has("dns")')" "empty dns left out" ;;
		esac
		is '[]' "$(jq -c --arg v "$version" 'keys - ["cniVersion", "interfaces", "ips", "routes", "dns"]' \
			"$TMP/result/c1.eth0")" "unknown keys"
		del c1 "$config"
		drop c1
	done
	t "the route's 1.1 fields are in a result of 1.1.0 only"
	routes='.ipam.routes=[{dst:"0.0.0.0/0",mtu:1400,priority:50}]'
	add c1 "$(one 10.0.1.0/24 "$routes")"
	is '{"dst":"0.0.0.0/0","gw":"10.0.1.1","mtu":1400,"priority":50}' \
		"$(jq -Sc '.routes[0]' "$TMP/result/c1.eth0")" "1.1.0"
	del c1
	drop c1
	add c1 "$(one 10.0.1.0/24 "$routes | .cniVersion=\"1.0.0\"")"
	is '["dst","gw"]' "$(jq -c '.routes[0] | keys' "$TMP/result/c1.eth0")" "1.0.0"
	del c1
	drop c1
	t "a dual-stack result of 0.2.0 has the first address of each family"
	forget
	add c1 "$(conf ".cniVersion=\"0.2.0\" | .ipam.ranges += [$CONF6] | .ipam.placement=\"first\"")"
	is '10.0.1.4/24 fd00:10:1::4/64' "$(result c1 '"\(.ip4.ip) \(.ip6.ip)"')" "addresses"
	del c1
	drop c1
	clean
fi

if group twice; then
	t "the same key twice"
	add c1
	ip -n c1 addr >"$TMP/before"
	refused 102 'eth0|exists' ADD "$CONF"
	runs "first attachment untouched" diff "$TMP/before" <(ip -n c1 addr)
	verify c1
	t "the interface is there already, made by somebody else"
	netns c2
	ip -n c2 link add eth0 type veth peer name other
	ID=c2 refused 102 'eth0' ADD "$CONF"
	ID=c2 refused '4|7|102' 'lo' ADD "$CONF" CNI_IFNAME=lo
	drop c2
	del c1
	drop c1
	clean
fi

if group namespace; then
	netns c1
	touch "$TMP/file" "$NETNS/file"
	t "CNI_NETNS that is no other network namespace"
	for path in $NETNS/none "$TMP/file" $NETNS/file run/netns/c1 "$TMP" /proc/self/ns/net \
		/proc/self/ns/mnt /proc/self/ns/pid /proc/1/ns/net /dev/null /proc/99999/ns/net; do
		refused 4 'CNI_NETNS' ADD "$CONF" CNI_NETNS="$path"
		like "$path" "$OUT" "the path is in the error"
	done
	t "a symbolic link to a namespace is fine"
	ln -s $NETNS/c1 "$TMP/link"
	works ADD "$CONF" CNI_NETNS="$TMP/link"
	is "$TMP/link" "$(jq -r '.interfaces[1].sandbox' <<<"$OUT")" "sandbox verbatim"
	works DEL "$CONF" CNI_NETNS="$TMP/link"
	t "a namespace by its process"
	nsenter --net=$NETNS/c1 sleep 30 &
	pid=$!
	until_true test "/proc/$pid/ns/net" -ef $NETNS/c1
	works ADD "$CONF" CNI_NETNS=/proc/$pid/ns/net
	is "/proc/$pid/ns/net" "$(jq -r '.interfaces[1].sandbox' <<<"$OUT")" "sandbox verbatim"
	stop $pid
	works DEL "$CONF" CNI_NETNS=
	is 1 "$(ip -n c1 -o link | wc -l)" "links in the namespace"
	rm "$NETNS/file"
	drop c1
	clean
fi

if group mac; then
	netns c1
	t "bad MACs"
	for mac in zz 01:00:5e:00:00:01 ff:ff:ff:ff:ff:ff 02:00:00:00:00 02:00:00:00:00:0g '02:00:00:00:00:01:02'; do
		refused '4|7' "MAC.*$mac" ADD "$CONF" CNI_ARGS="MAC=$mac"
		refused '4|7' "mac.*$mac" ADD "$(conf ".runtimeConfig.mac=\"$mac\"")"
	done
	refused '4|7' "mac" ADD "$(conf ".runtimeConfig.mac=5")"
	t "MAC of CNI_ARGS, of args.cni, of runtimeConfig: each counts, two that differ are refused"
	works ADD "$CONF" CNI_ARGS="IgnoreUnknown=1;MAC=02:11:22:33:44:55"
	is 02:11:22:33:44:55 "$(ip -n c1 -j link show eth0 | jq -r '.[0].address')" "kernel"
	is 02:11:22:33:44:55 "$(jq -r '.interfaces[1].mac' <<<"$OUT")" "result"
	works DEL "$CONF"
	ID=c1 refused 7 'args.cni.mac.*differs from CNI_ARGS MAC' ADD "$(conf '.args.cni.mac="02:11:22:33:44:66"')" \
		CNI_ARGS="MAC=02:11:22:33:44:55"
	works ADD "$(conf '.args.cni.mac="02:11:22:33:44:66"')" CNI_ARGS="MAC=02:11:22:33:44:66"
	is 02:11:22:33:44:66 "$(ip -n c1 -j link show eth0 | jq -r '.[0].address')" "kernel"
	works DEL "$CONF"
	ID=c1 refused 7 'mac.*differs from' ADD "$(conf '.runtimeConfig.mac="02:11:22:33:44:77" | .args.cni.mac="02:11:22:33:44:66"')"
	works ADD "$(conf '.runtimeConfig.mac="02:11:22:33:44:77"')"
	is 02:11:22:33:44:77 "$(ip -n c1 -j link show eth0 | jq -r '.[0].address')" "kernel"
	works DEL "$CONF"
	drop c1
	clean
fi

if group master; then
	netns c1
	MV=$(conf '.attach="macvlan" | .master="lan0"')
	t "a master that is not there, or no name"
	refused '7|[1-9][0-9]{2}' 'lan0' ADD "$MV"
	refused '7|[1-9][0-9]{2}' 'abcdefghijklmnop' ADD "$(jq -c '.master="abcdefghijklmnop"' <<<"$MV")"
	refused '7|[1-9][0-9]{2}' 'a/b' ADD "$(jq -c '.master="a/b"' <<<"$MV")"
	refused '7|[1-9][0-9]{2}' 'master' ADD "$(jq -c '.master=""' <<<"$MV")"
	t "a master that cannot be one"
	refused '7|[1-9][0-9]{2}' 'lo' ADD "$(jq -c '.master="lo"' <<<"$MV")"
	drop c1
	clean
fi

if group prevresult; then
	t "prevResult on ADD is passed through, indexes corrected"
	forget
	prev='{"cniVersion":"1.1.0","interfaces":[{"name":"br9","mac":"02:00:00:00:00:09"},
		{"name":"net0","mac":"02:00:00:00:00:08","sandbox":"/x"}],
		"ips":[{"address":"192.0.2.5/24","interface":1,"gateway":"192.0.2.1"}],
		"routes":[{"dst":"198.51.100.0/24","gw":"192.0.2.1"}],"dns":{"nameservers":["192.0.2.53"]}}'
	add c1 "$(one 10.0.1.0/24 ".prevResult=$prev")"
	truth c1
	is '{"br9":null,"net0":"192.0.2.5/24","eth0":"10.0.1.4/24"}' "$(jq -c '.interfaces as $i
		| [.ips[] | {(($i[.interface]).name): .address}] | add | {br9, net0, eth0}' "$TMP/result/c1.eth0")" \
		"addresses by interface"
	is true "$(result c1 '[.interfaces[].name] | contains(["br9", "net0", "eth0"])')" "interfaces"
	is true "$(result c1 '[.routes[].dst] | contains(["198.51.100.0/24", "0.0.0.0/0"])')" "routes"
	is '["192.0.2.53"]' "$(jq -c .dns.nameservers "$TMP/result/c1.eth0")" "dns of the previous result"
	del c1
	drop c1
	t "a prevResult with an interface of the task's name, on the host or in another sandbox"
	netns c1
	for sandbox in '' ',"sandbox":"/x"'; do
		prev='{"cniVersion":"1.1.0","interfaces":[{"name":"br9"},{"name":"eth0"'$sandbox'}]}'
		refused 7 'CNI_IFNAME: "eth0".*prevResult' ADD "$(conf ".prevResult=$prev")"
		works ADD "$(conf ".prevResult=$prev")" CNI_IFNAME=eth1
		works DEL "$CONF" CNI_IFNAME=eth1
	done
	BRIDGE=$(conf '.type="task-bridge" | .bridge="br9" | .isGateway=true | del(.vpc, .attach, .blockInstanceMetadata)')
	PLUGIN=$BIN/task-bridge refused 7 'CNI_IFNAME: "br9".*the bridge' ADD "$BRIDGE" CNI_IFNAME=br9
	t "an interface that is told once stays one: the bridge, and lo"
	PLUGIN=$BIN/task-bridge works ADD \
		"$(jq -c '.prevResult={cniVersion: "1.1.0", interfaces: [{name: "br9"}]}' <<<"$BRIDGE")"
	is "eth0" "$(jq -r '.interfaces[.ips[0].interface].name' <<<"$OUT")" "interface of the address"
	is "br9 vpc eth0" "$(jq -r '[.interfaces[].name[:4] | sub("^vpc.*"; "vpc")] | join(" ")' <<<"$OUT")" "interfaces"
	PLUGIN=$BIN/task-bridge works DEL "$BRIDGE"
	NONE='{"cniVersion":"1.1.0","name":"none","type":"task-none"}'
	PLUGIN=$BIN/task-none works ADD "$NONE" CNI_IFNAME=lo
	cp "$TMP/stdout" "$TMP/result/c1.lo"
	PLUGIN=$BIN/loopback works ADD "$(with_prev c1 "${NONE/task-none/loopback}" lo)" CNI_IFNAME=lo
	is "lo" "$(jq -r '[.interfaces[].name] | join(" ")' <<<"$OUT")" "interfaces"
	drop c1
	clean
	t "a prevResult that is none"
	netns c1
	for bad in 5 '"x"' '[]' '{"cniVersion":"7.0.0","ips":[]}' \
		'{"cniVersion":"1.0.0","interfaces":[],"ips":[{"address":"10.9.0.1/24","interface":3}]}' \
		'{"cniVersion":"1.0.0","ips":[{"address":"nope"}]}'; do
		refused '1|6|7' 'prevResult' ADD "$(conf ".prevResult=$bad")"
	done
	drop c1
	clean
fi

if group dualstack; then
	t "two families"
	netns warm
	ID=warm works ADD "$CONF" && ID=warm works DEL "$CONF"
	netns c1
	forget
	config=$(conf ".ipam.ranges += [$CONF6] | .ipam.placement=\"first\"")
	ms add c1 "$config"
	quick 1000 "$MS" milliseconds
	is "" "$(ip -n c1 -6 addr show tentative)" "tentative addresses"
	is "" "$(ip -6 addr show tentative)" "tentative addresses on the host"
	truth c1
	is '["10.0.1.4/24","fd00:10:1::4/64"]' "$(jq -c '[.ips[].address]' "$TMP/result/c1.eth0")" addresses
	is '["0.0.0.0/0 10.0.1.1","::/0 fd00:10:1::1"]' \
		"$(jq -c '[.routes[] | "\(.dst) \(.gw)"]' "$TMP/result/c1.eth0")" routes
	like 'default via 10.0.1.1 dev eth0' "$(ip -n c1 route)" "IPv4 route"
	like 'default via fd00:10:1::1 dev eth0' "$(ip -n c1 -6 route)" "IPv6 route"
	t "both addresses come from one subnet id"
	for i in 2 3 4 5; do
		add "c$i" "$(conf ".ipam.ranges += [$CONF6]")"
		is "$(result "c$i" '.ips[0].address | split(".")[2]')" \
			"$(result "c$i" '.ips[1].address | split(":")[2]')" "subnet of c$i"
		del "c$i"
	done
	del c1 "$config"
	t "several sets of one family"
	forget
	add m "$(conf '.ipam.ranges=[[{subnet:"10.0.1.0/24"}],[{subnet:"10.0.3.0/24"}]]')"
	is '["10.0.1.4/24","10.0.3.4/24"]' "$(jq -c '[.ips[].address]' "$TMP/result/m.eth0")" addresses
	truth m
	del m
	drop warm m c1 c2 c3 c4 c5
	clean
fi

if group second; then
	t "a second network with a default route of its own"
	LAB2=$(one 10.0.9.0/24 '.name="lab2"')
	add c1
	default=$(ip -n c1 route show default)
	netns peer
	ID=peer add peer
	add c1 "$LAB2" CNI_IFNAME=eth1
	truth c1 eth1
	like "10.0.9.4/24" "$(ip -n c1 addr show eth1)" eth1
	like 'default via 10.0.9.1 dev eth1 .*metric [0-9]' "$(ip -n c1 route show default)" "its default route"
	gateway=${default#*via }
	is "${gateway%% *}" "$(ip -n c1 -j route get 8.8.8.8 | jq -r '.[0].gateway')" "gateway in use"
	ping_ok c1 "$(address peer)"
	ping_ok c1 10.0.9.1 -I 10.0.9.4
	del c1 "$LAB2" CNI_IFNAME=eth1
	is "$default" "$(ip -n c1 route show default)" "default route afterwards"
	verify c1
	t "a second network with other routes that eth0 has as well"
	BOTH=$(one 10.0.1.0/24 '.ipam.ranges += [[{subnet:"fd00:10:1::/64"}]] | .ipam.routes=[{dst:"10.200.0.0/16"},
		{dst:"fd00:200::/32"},{dst:"10.201.0.0/16",table:100},{dst:"10.202.0.0/16",priority:77}]')
	BOTH2=$(jq -c '.name="lab2" | .ipam.routes[3].priority=76' <<<"$BOTH")
	add c3 "$BOTH"
	add c3 "$BOTH2" CNI_IFNAME=eth1
	used() { ip -n c3 -j route get "$1" | jq -r '.[0].dev'; }
	is "eth0 eth0 eth1" "$(used 10.200.0.1) $(used fd00:200::1) $(used 10.202.0.1)" "interfaces in use"
	is 2 "$(ip -n c3 route show table 100 10.201.0.0/16 | wc -l)" "routes of the other table"
	like 'dev eth1 .*metric 76 ' "$(ip -n c3 route show 10.202.0.0/16)" "a priority that is set is kept"
	verify c3 "$BOTH"
	verify c3 "$BOTH2" CNI_IFNAME=eth1
	del c3 "$BOTH"
	is "eth1 eth1" "$(used 10.200.0.1) $(used fd00:200::1)" "interfaces in use without eth0"
	verify c3 "$BOTH2" CNI_IFNAME=eth1
	add c3 "$BOTH"
	is eth0 "$(used 10.200.0.1)" "interface in use with eth0 again"
	del c3 "$BOTH2" CNI_IFNAME=eth1
	verify c3 "$BOTH"
	t "two routes with one priority: the error names the key"
	ID=c3 refused 100 'route add 10\.202\.0\.0/16.*metric 77.*File exists.*routes\[\]\.priority' ADD \
		"$(jq -c '.ipam.routes[3].priority=77' <<<"$BOTH2")" CNI_IFNAME=eth1
	del c3 "$BOTH"
	drop c3
	t "eth0 and eth1 of one namespace in parallel"
	netns c2
	job() {
		case $1 in
		1) call ADD c2 eth0 <<<"$CONF" ;;
		2) call ADD c2 eth1 <<<"$(jq -c '.ipam.routes=[{dst:"192.0.2.0/24"}]' <<<"$LAB2")" ;;
		esac
	}
	many 2 job
	is 2 "$(many_rc 0)" "both succeed: $(cat "$TMP"/job/*.out | jq -r '.msg // empty')"
	is "eth0 eth1" "$(ip -n c2 -br link | awk '/eth/ { sub(/@.*/, "", $1); print $1 }' | sort | xargs)" "links"
	job() {
		case $1 in
		1) call DEL c2 eth0 <<<"$CONF" ;;
		2) call DEL c2 eth1 <<<"$LAB2" ;;
		esac
	}
	many 2 job
	is 2 "$(many_rc 0)" "both DELs succeed"
	del c1
	ID=peer del peer
	drop c1 c2 peer
	clean
fi

if group dns; then
	printf 'nameserver 10.0.0.2\nsearch a.example b.example\noptions ndots:2\n# comment\n' >"$TMP/resolv.conf"
	netns c1
	ip link add lan0 type veth peer name lan1
	ip link set lan0 up
	for attach in veth macvlan; do
		t "dns, $attach"
		base=".attach=\"$attach\" | if .attach == \"macvlan\" then .master=\"lan0\" else . end"
		works ADD "$(conf "$base | .ipam.resolvConf=\"$TMP/resolv.conf\"")"
		is '{"nameservers":["10.0.0.2"],"options":["ndots:2"],"search":["a.example","b.example"]}' \
			"$(jq -Sc .dns <<<"$OUT")" "from resolvConf"
		works DEL "$(conf "$base")"
		works ADD "$(conf "$base | .ipam.resolvConf=\"$TMP/resolv.conf\"
			| .dns={nameservers:[\"10.0.0.9\"],domain:\"d.example\"}")"
		is '{"domain":"d.example","nameservers":["10.0.0.9"]}' "$(jq -Sc .dns <<<"$OUT")" \
			"the configuration's wins"
		works DEL "$(conf "$base")"
		works ADD "$(conf "$base")"
		is null "$(jq -c .dns <<<"$OUT")" "none"
		works DEL "$(conf "$base")"
	done
	t "a resolvConf that is not there"
	refused '7|5' 'resolvConf.*none' ADD "$(conf '.ipam.resolvConf="/run/test/none"')"
	ip link del lan0
	drop c1
	clean
fi

if group routes; then
	t "each field of a route reaches the kernel"
	config=$(one 10.0.1.0/24 '.ipam.routes=[{dst:"0.0.0.0/0"},
		{dst:"198.51.100.0/24",gw:"10.0.1.1",mtu:1400,advmss:1300,priority:77},
		{dst:"203.0.113.0/24",table:100}]')
	add c1 "$config"
	is 'default via 10.0.1.1' "$(ip -n c1 route show default | grep -o 'default via [^ ]*')" "default"
	route=$(ip -n c1 -d route show 198.51.100.0/24)
	for word in 'via 10.0.1.1' 'metric 77' 'mtu 1400' 'advmss 1300'; do
		like "$word" "$route" "198.51.100.0/24"
	done
	like 'via 10.0.1.1' "$(ip -n c1 route show table 100 203.0.113.0/24)" "table 100"
	verify c1 "$config"
	is '{"advmss":1300,"dst":"198.51.100.0/24","gw":"10.0.1.1","mtu":1400,"priority":77}' \
		"$(jq -Sc '.routes[] | select(.dst == "198.51.100.0/24")' "$TMP/result/c1.eth0")" "result"
	is '[100]' "$(jq -c '[.routes[] | .table // empty]' "$TMP/result/c1.eth0")" "table in the result"
	del c1 "$config"
	drop c1
	t "the scope, where a link has neighbours"
	ip link add lan0 type veth peer name lan1
	ip link set lan0 up
	config=$(one 10.0.1.0/24 '.attach="macvlan" | .master="lan0" | .ipam.routes=[{dst:"192.0.2.0/24",scope:253}]')
	add c1 "$config"
	like 'scope link' "$(ip -n c1 route show 192.0.2.0/24)" "scope"
	is '[253]' "$(jq -c '[.routes[].scope]' "$TMP/result/c1.eth0")" "scope in the result"
	verify c1 "$config"
	del c1 "$config"
	drop c1
	ip link del lan0
	t "routes without a default: none is made"
	add c1 "$(one 10.0.1.0/24 '.ipam.routes=[{dst:"198.51.100.0/24"}]')"
	isnt "" "$(ip -n c1 route show 198.51.100.0/24)" "route"
	is "" "$(ip -n c1 route show default)" "default route"
	del c1
	drop c1
	t "a route that the kernel refuses: its own words, and nothing is left"
	netns c1
	refused 100 'route add 10\.0\.1\.1.*File exists' ADD "$(one 10.0.1.0/24 '.ipam.routes=[{dst:"10.0.1.1/32"}]')"
	t "a route by a router that is not on the subnet"
	refused '7|100' '192\.0\.2\.1.*(nexthop|unreachable|gateway)' ADD \
		"$(one 10.0.1.0/24 '.ipam.routes=[{dst:"198.51.100.0/24",gw:"192.0.2.1"}]')"
	drop c1
	clean
fi

finish
