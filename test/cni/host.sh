#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# task-host: ports that are kept for a container in the host's own namespace, and what its result tells.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"

PLUGIN=$BIN/task-host
HOST='{"cniVersion":"1.1.0","name":"lab","type":"task-host"}'
OWN=/proc/self/ns/net

# The host: an uplink with addresses of both families, a bridge as of another runtime, one port of it.
ip link add up0 address 02:00:00:00:00:0a mtu 1400 type veth peer name up1
ip link set up1 up
ip link set up0 up
ip addr add 198.51.100.2/24 dev up0
ip addr add 198.51.100.3/24 dev up0
ip -6 addr add 2001:db8:1::2/64 dev up0 nodad
ip link add docker0 type bridge
ip addr add 172.17.0.1/16 dev docker0
ip link set docker0 up
ip link add port0 type veth peer name port1
ip link set port0 master docker0 up
ip link add off0 type veth peer name off1
ip addr add 203.0.113.1/24 dev off0
uplink() {
	ip route add default via 198.51.100.1 dev up0
	ip -6 route add default via 2001:db8:1::1 dev up0
}
uplink
netns c1
baseline

# ports JSON [FILTER]: the configuration with these port mappings.
ports() { jq -c --argjson p "$1" ".runtimeConfig.portMappings=\$p | ${2:-.}" <<<"$HOST"; }
WEB=$(ports '[{"hostPort":80,"containerPort":80,"protocol":"tcp"}]')
# hosts NAME [CONF [VAR=VALUE…]]: ADD of the container NAME, kept as `add` does.
hosts() {
	local ID=$1 config=${2:-$HOST}
	shift $(($# > 1 ? 2 : 1))
	works ADD "$config" CNI_NETNS=$OWN "$@" && cp "$TMP/stdout" "$TMP/result/$ID.eth0"
}
off() { del "$1" "${2:-$HOST}" CNI_NETNS=; }

if group "the result"; then
	hosts c1
	is '["up0","docker0"]' "$(jq -c '[.interfaces[].name]' <<<"$OUT")" "interfaces: up, with an address"
	is '["198.51.100.2/24","198.51.100.3/24","2001:db8:1::2/64"]' "$(jq -c '[.ips[].address]' <<<"$OUT")" \
		"addresses of the default route's interface alone"
	is '[0,0,0]' "$(jq -c '[.ips[].interface]' <<<"$OUT")" "whose"
	is '02:00:00:00:00:0a 1400' "$(jq -r '.interfaces[0] | "\(.mac) \(.mtu)"' <<<"$OUT")" "MAC, MTU"
	is "[null,null]" "$(jq -c '[.interfaces[].sandbox]' <<<"$OUT")" "no sandbox"
	is null "$(jq -c '.ips[0].gateway' <<<"$OUT")" "no gateway"
	is null "$(jq -c .routes <<<"$OUT")" "no routes"
	off c1
	t "every version"
	for v in 0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0; do
		hosts c1 "$(jq -c ".cniVersion=\"$v\"" <<<"$HOST")"
		is "$v 198.51.100.2/24" "$(jq -r '"\(.cniVersion) \(.ip4.ip // .ips[0].address)"' <<<"$OUT")" "result"
		is "$([ $v = 1.1.0 ] && echo 1400 || echo null)" "$(jq '.interfaces[0].mtu' <<<"$OUT")" "mtu"
		off c1 "$(jq -c ".cniVersion=\"$v\"" <<<"$HOST")"
	done
	t "dns of the configuration"
	hosts c1 "$(jq -c '.dns.nameservers=["192.0.2.53"]' <<<"$HOST")"
	is 192.0.2.53 "$(jq -r '.dns.nameservers[0]' <<<"$OUT")" "nameserver"
	off c1
	t "behind another plugin: nothing is told twice"
	prev='{"cniVersion":"1.1.0","interfaces":[{"name":"x0"},{"name":"up0"}],
		"ips":[{"address":"198.51.100.2/24","interface":1}]}'
	hosts c1 "$(jq -c --argjson p "$prev" '.prevResult=$p' <<<"$HOST")"
	is '["x0","up0","docker0"]' "$(jq -c '[.interfaces[].name]' <<<"$OUT")" "interfaces"
	is '[["198.51.100.2/24",1],["198.51.100.3/24",1],["2001:db8:1::2/64",1]]' \
		"$(jq -c '[.ips[] | [.address, .interface]]' <<<"$OUT")" "addresses"
	off c1
	t "without a default route: the addresses of all"
	ip route del default
	ip -6 route del default
	hosts c1
	is '[["docker0","172.17.0.1/16"],["up0","198.51.100.2/24"],["up0","198.51.100.3/24"],["up0","2001:db8:1::2/64"]]' \
		"$(jq -c '.interfaces as $i | [.ips[] | [$i[.interface].name, .address]] | sort' <<<"$OUT")" "addresses"
	off c1
	t "addresses that do not last are not told"
	ip -6 addr add 2001:db8:1::dead/64 dev up0 nodad preferred_lft 0
	ip addr add 169.254.7.7/16 dev up0 scope link
	hosts c1
	is null "$(jq '[.ips[].address] | index("2001:db8:1::dead/64", "169.254.7.7/16")' <<<"$OUT" | sort -u)" "told"
	off c1
	ip -6 addr del 2001:db8:1::dead/64 dev up0
	ip addr del 169.254.7.7/16 dev up0
	uplink
	t "many interfaces: the uplink first, the rest as far as there is room"
	for ((i = 0; i < 40; i++)); do
		ip link add "many$i" type bridge && ip addr add "10.99.$i.1/24" dev "many$i" && ip link set "many$i" up
	done
	hosts c1
	is 'up0 16' "$(jq -r '"\(.interfaces[0].name) \(.interfaces | length)"' <<<"$OUT")" "interfaces"
	is 3 "$(jq '.ips | length' <<<"$OUT")" "addresses"
	off c1
	for ((i = 0; i < 40; i++)); do ip link del "many$i"; done
	clean
fi

if group "the namespace"; then
	for path in /proc/1/ns/net /proc/self/ns/net /run/netns/self; do
		[ $path != /run/netns/self ] || { touch $path && mount --bind /proc/self/ns/net $path; }
		t "$path is the host's"
		works ADD "$WEB" CNI_NETNS=$path
		works CHECK "$(jq -c --argjson p "$OUT" '.prevResult=$p' <<<"$HOST")" CNI_NETNS=$path
		works DEL "$HOST" CNI_NETNS=$path
	done
	umount /run/netns/self && rm /run/netns/self
	t "a private one is refused, with the way out"
	refused 4 'not the host.s own.*--network host.*hostNetwork' ADD "$WEB"
	like "$NETNS/c1" "$OUT" "the path"
	refused 4 'CNI_NETNS' ADD "$WEB" CNI_NETNS=/nowhere
	refused 4 'CNI_NETNS' ADD "$WEB" CNI_NETNS=self
	refused 4 'CNI_NETNS' ADD "$WEB" CNI_NETNS=/proc/self/ns/mnt
	refused 4 'CNI_NETNS' ADD "$WEB" -CNI_NETNS
	refused 7 'createNamespace' ADD "$(jq -c '.createNamespace=true' <<<"$WEB")" CNI_NETNS=/run/netns/new
	t "the other plugins still refuse the host's own"
	PLUGIN=$BIN/awsvpc refused 4 "host's own" ADD "$CONF" CNI_NETNS=$OWN
	clean
fi

if group "ports"; then
	t "blank or the container's own; any other is refused by name"
	for map in '[{"containerPort":80}]' '[{"hostPort":0,"containerPort":80}]' \
		'[{"HostPort":80,"ContainerPort":80,"Protocol":"TCP","HostIP":""}]'; do
		hosts c1 "$(ports "$map")"
		ID=c2 refused 107 'host port 80/tcp is held by container c1 \(network lab, interface eth0, since 20' \
			ADD "$WEB" CNI_NETNS=$OWN
		off c1
	done
	refused 7 'portMappings\[1\].hostPort.*8080.*80' ADD "$(ports \
		'[{"containerPort":79},{"hostPort":8080,"containerPort":80}]')" CNI_NETNS=$OWN
	t "what is wrong in itself"
	refused 7 'hostPort.*65536' ADD "$(ports '[{"hostPort":65536,"containerPort":80}]')" CNI_NETNS=$OWN
	refused 7 'containerPort' ADD "$(ports '[{"hostPort":80}]')" CNI_NETNS=$OWN
	refused 7 'protocol.*icmp' ADD "$(ports '[{"containerPort":80,"protocol":"icmp"}]')" CNI_NETNS=$OWN
	refused 7 'hostIP.*nope' ADD "$(ports '[{"containerPort":80,"hostIP":"nope"}]')" CNI_NETNS=$OWN
	t "one port twice in a request is one"
	hosts c1 "$(ports '[{"containerPort":80},{"containerPort":81},{"hostPort":80,"containerPort":80},
		{"containerPort":80,"hostIP":"::"},{"containerPort":80,"hostIP":"127.0.0.1"}]')"
	off c1
	t "one port, two tasks: freed by DEL"
	hosts c1 "$WEB"
	ID=c2 refused 107 'c1' ADD "$WEB" CNI_NETNS=$OWN
	off c1
	hosts c2 "$WEB"
	off c2
	t "by protocol"
	hosts c1 "$WEB"
	hosts c2 "$(ports '[{"containerPort":80,"protocol":"udp"}]')"
	hosts c3 "$(ports '[{"containerPort":80,"protocol":"sctp"}]')"
	ID=c4 refused 107 '80/udp.*c2' ADD "$(ports '[{"containerPort":80,"protocol":"udp"}]')" CNI_NETNS=$OWN
	off c1 && off c2 && off c3
	t "by host address"
	hosts c1 "$(ports '[{"containerPort":80,"hostIP":"198.51.100.2"}]')"
	hosts c2 "$(ports '[{"containerPort":80,"hostIP":"198.51.100.3"}]')"
	hosts c3 "$(ports '[{"containerPort":80,"hostIP":"2001:db8:1::2"}]')"
	ID=c4
	refused 107 '198.51.100.3:80/tcp is held by container c2' ADD \
		"$(ports '[{"containerPort":80,"hostIP":"198.51.100.3"}]')" CNI_NETNS=$OWN
	refused 107 '198.51.100.3:80/tcp is held by container c2' ADD \
		"$(ports '[{"containerPort":80,"hostIP":"::ffff:198.51.100.3"}]')" CNI_NETNS=$OWN
	refused 107 '0.0.0.0:80/tcp is held by container c[12]' ADD \
		"$(ports '[{"containerPort":80,"hostIP":"0.0.0.0"}]')" CNI_NETNS=$OWN
	refused 107 '\[::\]:80/tcp is held by container c3' ADD \
		"$(ports '[{"containerPort":80,"hostIP":"::"}]')" CNI_NETNS=$OWN
	refused 107 'held by' ADD "$WEB" CNI_NETNS=$OWN
	ID=c1
	off c1 && off c2 && off c3
	t "another network asks in vain; another interface of the same container has the port, too"
	hosts c1 "$WEB"
	refused 107 'network lab' ADD "$(jq -c '.name="other"' <<<"$WEB")" CNI_NETNS=$OWN CNI_CONTAINERID=c2
	works ADD "$WEB" CNI_NETNS=$OWN CNI_IFNAME=eth1 CNI_CONTAINERID=c1
	off c1
	ID=c2 refused 107 'held by container c1' ADD "$WEB" CNI_NETNS=$OWN
	works DEL "$WEB" CNI_NETNS= CNI_IFNAME=eth1 CNI_CONTAINERID=c1
	hosts c2 "$WEB"
	off c2
	t "nothing is probed: who listens there already is the runtime's reserver, or the task itself"
	timeout 20 busybox nc -l -p 80 -e /bin/cat &
	pid=$!
	until_true sh -c 'ss -Hltn "sport = 80" | grep -q .'
	hosts c1 "$WEB"
	off c1
	stop "$pid"
	t "1024 ports, and one more"
	all=$(jq -nc '[range(1024) | {containerPort: (. + 20000)}]')
	hosts c1 "$(ports "$all")"
	ID=c2 refused 107 '21023/tcp.*c1' ADD "$(ports '[{"containerPort":21023}]')" CNI_NETNS=$OWN
	off c1
	refused 7 'portMappings.*1025.*1024' ADD "$(ports "$(jq -nc '[range(1025) | {containerPort: (. + 20000)}]')")" \
		CNI_NETNS=$OWN
	clean
fi

if group "what it cannot give"; then
	refused 7 'ipam' ADD "$(jq -c '.ipam={type:"task-ipam",ranges:[[{subnet:"10.0.1.0/24"}]]}' <<<"$HOST")" CNI_NETNS=$OWN
	refused 7 'ipam' ADD "$(jq -c '.ipam={type:"host-local"}' <<<"$HOST")" CNI_NETNS=$OWN
	refused 7 'address' ADD "$HOST" CNI_NETNS=$OWN CNI_ARGS="IgnoreUnknown=1;IP=198.51.100.9"
	refused 7 'address' ADD "$(jq -c '.runtimeConfig.ips=["198.51.100.9"]' <<<"$HOST")" CNI_NETNS=$OWN
	refused 7 'address' ADD "$(jq -c '.runtimeConfig.ipRanges=[[{subnet:"10.0.1.0/24"}]]' <<<"$HOST")" CNI_NETNS=$OWN
	refused 7 'MAC 02:00:00:00:00:09' ADD "$HOST" CNI_NETNS=$OWN CNI_ARGS="MAC=02:00:00:00:00:09"
	refused 7 'bandwidth\.egressRate: 9: the mode host limits no traffic.*use task-bridge' ADD \
		"$(jq -c '.runtimeConfig.bandwidth={egressRate:9,egressBurst:9}' <<<"$HOST")" CNI_NETNS=$OWN
	refused 7 'mtu: 1400: the mode host makes no interface' ADD "$(jq -c '.mtu=1400' <<<"$HOST")" CNI_NETNS=$OWN
	refused 7 'ipam' ADD "$(jq -c '.ipam={dataDir:"/run/elsewhere",ranges:[]}' <<<"$HOST")" CNI_NETNS=$OWN
	t "ipam.dataDir names the store, where it is not the usual one"
	ELSEWHERE=$(jq -c '.ipam={dataDir:"/run/elsewhere"}' <<<"$WEB")
	works STATUS "$ELSEWHERE" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
	hosts c1 "$ELSEWHERE"
	ID=c2 refused 107 'c1' ADD "$ELSEWHERE" CNI_NETNS=$OWN
	netns b1
	PLUGIN=$BIN/task-bridge ID=b1 refused 107 'host port 80/tcp is held by container c1' ADD '{"cniVersion":"1.0.0","name":"br",
		"type":"task-bridge","ipam":{"dataDir":"/run/elsewhere","ranges":[[{"subnet":"10.88.0.0/16"}]]},
		"runtimeConfig":{"portMappings":[{"hostPort":80,"containerPort":80}]}}'
	drop b1
	is 0 "$(records)" "records in the usual one"
	off c1 "$ELSEWHERE"
	hosts c2 "$ELSEWHERE"
	off c2 "$ELSEWHERE"
	rm -rf /run/elsewhere
	t "an empty ipam says nothing"
	hosts c1 "$(jq -c '.ipam={}' <<<"$HOST")" CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAME=x"
	off c1
	clean
fi

if group "the verbs"; then
	t "ADD twice, DEL twice, DEL with nothing known"
	hosts c1 "$WEB"
	plugin ADD "$WEB" CNI_NETNS=$OWN
	expect_error 102 'c1.*eth0.*lab'
	off c1
	off c1
	off never
	t "a namespace that ended with its path: the record is the host's, and stays"
	hosts c1 "$WEB"
	works GC "$HOST" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
	ID=c2 refused 107 'c1' ADD "$WEB" CNI_NETNS=$OWN
	off c1
	sleep 30 &
	pid=$!
	hosts c1 "$WEB" CNI_NETNS=/proc/$pid/ns/net
	stop "$pid"
	works GC "$HOST" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
	ID=c2 refused 107 'c1' ADD "$WEB" CNI_NETNS=$OWN
	t "GC with a list"
	works GC "$(jq -c '.["cni.dev/valid-attachments"]=[{containerID:"c1",ifname:"eth0"}]' <<<"$HOST")" \
		-CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
	ID=c2 refused 107 'c1' ADD "$WEB" CNI_NETNS=$OWN
	works GC "$(jq -c '.["cni.dev/valid-attachments"]=[]' <<<"$HOST")" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
	hosts c2 "$WEB"
	off c2
	t "CHECK"
	hosts c1 "$WEB"
	verify c1 "$WEB" CNI_NETNS=$OWN
	plugin CHECK "$(with_prev c1 "$WEB")"
	expect_error 4 'not the host.s own'
	off c1
	plugin CHECK "$(with_prev c1 "$WEB")" CNI_NETNS=$OWN
	expect_error 106 'no record'
	t "STATUS, VERSION, explain"
	works STATUS "$HOST" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
	is "" "$ERR" "nothing unknown"
	plugin STATUS "$(jq -c '.ipam={type:"task-ipam"}' <<<"$HOST")" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
	expect_error 7 'ipam'
	works VERSION "$HOST"
	seen=$(CNI_CONTAINERID=c1 CNI_NETNS=$OWN CNI_IFNAME=eth0 "$PLUGIN" --explain <<<"$WEB" 2>&1)
	is 0 $? "explain"
	is "# not attached: what ADD would do" "$seen" "nothing to do"
	t "parallel: one of many gets the port"
	one_of_many() {
		jq -c . <<<"$WEB" | CNI_COMMAND=ADD CNI_CONTAINERID=p$1 CNI_NETNS=$OWN CNI_IFNAME=eth0 "$PLUGIN"
	}
	many 20 one_of_many
	is 1 "$(many_rc 0)" "winners"
	is 19 "$(cat "$TMP"/job/*.out | grep -c '"code":107')" "refused"
	works GC "$(jq -c '.["cni.dev/valid-attachments"]=[]' <<<"$HOST")" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
	clean
fi

# A published port and a host task's are one and the same, whoever gives the bridge its addresses.
beside() {
	local bridge=$1 web
	web=$(jq -c '.runtimeConfig.portMappings=[{hostPort:8080,containerPort:80}]' <<<"$bridge")
	netns b1 b2
	PLUGIN=$BIN/task-bridge ID=b1 works ADD "$web"
	ID=c1 refused 107 'host port 8080/tcp is held by container b1 \(network br, interface eth0, since 20' \
		ADD "$(ports '[{"containerPort":8080}]')" CNI_NETNS=$OWN
	hosts c1 "$(ports '[{"containerPort":9090}]')"
	PLUGIN=$BIN/task-bridge
	ID=b2 refused 107 'host port 9090/tcp is held by container c1 \(network lab' \
		ADD "$(jq -c '.runtimeConfig.portMappings=[{hostPort:9090,containerPort:80}]' <<<"$bridge")"
	ID=b2 refused 107 'host port 8080/tcp is held by container b1' ADD "$web"
	ID=b2 refused 7 '\[0\] and \[1\]: 8080/tcp leads to container port 80, 8080/tcp to 81' ADD \
		"$(jq -c '.runtimeConfig.portMappings += [{hostPort:8080,containerPort:81}]' <<<"$web")"
	t "a bridge task that died without DEL gives its port back"
	drop b1
	until_true sh -c '! ip -o link show master cni0 | grep -q .'
	ID=b2 works ADD "$web"
	for ID in b1 b2; do works DEL "$bridge" CNI_NETNS=; done
	drop b2
	PLUGIN=$BIN/task-host ID=c1
	off c1
	clean
}
if group "beside task-bridge"; then
	bridge='{"cniVersion":"1.0.0","name":"br","type":"task-bridge","bridge":"cni0"}'
	beside "$(jq -c '.ipam={ranges:[[{subnet:"10.88.0.0/16"}]]}' <<<"$bridge")"
	t "addresses of a foreign IPAM plugin"
	if [ -x "$CNI_REF/host-local" ]; then
		beside "$(jq -c '.ipam={type:"host-local",dataDir:"/run/host-local",ranges:[[{subnet:"10.88.0.0/16"}]]}' \
			<<<"$bridge")"
	else
		skip "needs host-local"
	fi
fi

finish
