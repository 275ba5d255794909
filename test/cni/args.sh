#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What comes with one call: CNI_ARGS, args.cni, runtimeConfig. Static addresses and port mappings.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
netns c1 c2
baseline

# given ADDRESS CONF [VAR=VALUE…]: ADD gives this address.
given() {
	local want=$1
	shift
	works ADD "$@"
	is "$want" "$(jq -r '.ips[0].address' <<<"$OUT")" "address"
	like "inet6? $want" "$(ip -n c1 addr show eth0)" "kernel"
	works DEL "$1"
}

if group "names"; then
	POD='IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0;K8S_POD_INFRA_CONTAINER_ID=x'
	t "an error names the pod, and the pod that holds"
	works ADD "$CONF" CNI_ARGS="$POD;IP=10.0.1.44"
	ID=c2 refused 103 '10\.0\.1\.44 is held by container c1, pod shop/web-0 \(network lab.*\(for pod shop/b\)' \
		ADD "$CONF" CNI_NETNS=$NETNS/c2 CNI_ARGS="K8S_POD_NAMESPACE=shop;K8S_POD_NAME=b;IP=10.0.1.44"
	refused 102 'container c1, pod shop/web-0 has interface eth0.*\(for pod shop/web-0\)' ADD "$CONF" CNI_ARGS="$POD"
	refused 7 'name.*\(for pod shop/web-0\)' DEL "$(conf '.name = ""')" CNI_ARGS="$POD"
	works DEL "$CONF" CNI_ARGS="$POD"
	t "a container of podman, a host name of nerdctl"
	refused 103 'outside.*\(for web\)' ADD "$CONF" CNI_ARGS="K8S_POD_NAME=web;IP=10.9.9.9"
	refused 103 'outside.*\(for host name web\)' ADD "$CONF" CNI_ARGS="NERDCTL_CNI_DHCP_HOSTNAME=web;IP=10.9.9.9"
	t "one that is too long or not printable is left out, said so, and never in the way"
	for odd in "K8S_POD_NAME=$(printf 'a%.0s' {1..254})" $'K8S_POD_NAMESPACE=a\eb' $'NERDCTL_CNI_DHCP_HOSTNAME=\xff' \
		"K8S_POD_NAMESPACE=$(printf 'a%.0s' {1..64})"; do
		plugin ADD "$CONF" CNI_ARGS="$odd"
		is 0 "$RC" "rc"
		like "CNI_ARGS: ${odd%%=*} is not recorded" "$ERR" "warning"
		works DEL "$CONF"
	done
	t "the longest"
	works ADD "$CONF" CNI_ARGS="K8S_POD_NAMESPACE=$(printf 'a%.0s' {1..63});K8S_POD_NAME=$(printf 'b%.0s' {1..253})"
	is "" "$ERR" "no warning"
	works CHECK "$(conf ".prevResult = $OUT")"
	works DEL "$CONF"
	clean
fi

if group address; then
	t "a static address by each of the three ways"
	given 10.0.1.44/24 "$CONF" CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAME=x;IP=10.0.1.44"
	given 10.0.1.44/24 "$CONF" CNI_ARGS="IP=10.0.1.44/24;IgnoreUnknown=1"
	given 10.0.2.45/24 "$(conf '.args.cni.ips=["10.0.2.45"]')"
	given 10.0.2.46/24 "$(conf '.runtimeConfig.ips=["10.0.2.46"]')"
	given 10.0.2.47/24 "$(conf '.runtimeConfig.ips=["10.0.2.47/24"]')"
	t "the same address from several of them"
	given 10.0.1.53/24 "$(conf '.runtimeConfig.ips=["10.0.1.53/24"] | .args.cni.ips=["10.0.1.53"]')" \
		CNI_ARGS="IP=10.0.1.53"
	t "a contradiction is refused, with both sources"
	refused 103 'args\.cni\.ips: 10\.0\.1\.52 and runtimeConfig\.ips: 10\.0\.1\.53 are both of set 0' \
		ADD "$(conf '.runtimeConfig.ips=["10.0.1.53"] | .args.cni.ips=["10.0.1.52"]')"
	refused 103 'CNI_ARGS IP: 10\.0\.1\.51 and args\.cni\.ips: 10\.0\.1\.52 are both of set 0' \
		ADD "$(conf '.args.cni.ips=["10.0.1.52"]')" CNI_ARGS="IP=10.0.1.51"
	refused 7 'runtimeConfig\.mac: 02:00:00:00:00:03 differs from CNI_ARGS MAC: 02:00:00:00:00:01' \
		ADD "$(conf '.runtimeConfig.mac="02:00:00:00:00:03"')" CNI_ARGS="MAC=02:00:00:00:00:01"
	t "addresses of the IPAM plugin static are refused by the pool"
	refused 7 'ipam\.addresses: not offered by task-ipam' ADD "$(conf '.ipam.addresses=[{address:"10.0.1.9/24"}]')"
	t "a gateway that is asked for"
	works ADD "$CONF" CNI_ARGS="IP=10.0.1.44;GATEWAY=10.0.1.254"
	is '"10.0.1.254" "10.0.1.254"' "$(jq -c '.ips[0].gateway, .routes[0].gw' <<<"$OUT" | xargs -d '\n')" "gateway and route"
	like 'default via 10.0.1.254' "$(ip -n c1 route)" "kernel"
	ping_ok c1 10.0.1.254
	works DEL "$CONF"
	t "one that cannot be"
	refused 7 'GATEWAY: 10\.0\.1\.44 is the task.s own' ADD "$CONF" CNI_ARGS="IP=10.0.1.44;GATEWAY=10.0.1.44"
	for gateway in 10.0.9.1 fd00::1; do
		refused 7 "GATEWAY: $gateway is in no subnet" ADD "$CONF" CNI_ARGS="IP=10.0.1.44;GATEWAY=$gateway"
	done
	for gateway in 10.0.1.0 10.0.1.255; do
		refused 7 "GATEWAY: $gateway is the network or broadcast" ADD "$CONF" CNI_ARGS="IP=10.0.1.44;GATEWAY=$gateway"
	done
	t "one that is a task's address, of this network or another, while that lives"
	ID=c2 works ADD "$CONF" CNI_ARGS=IP=10.0.1.77
	refused 103 'gateway: 10\.0\.1\.77 is the address of container c2' ADD "$CONF" CNI_ARGS="IP=10.0.1.44;GATEWAY=10.0.1.77"
	refused 103 'gateway: 10\.0\.1\.77 is the address of container c2' ADD "$(one 10.0.1.0/24 '.name="lab2" | .ipam.ranges[0][0].gateway="10.0.1.77"')"
	is 1 "$(records)" records
	like 'gateway: 10.0.1.77 is the address of container c2' "$(env -i PATH="$PATH" CNI_CONTAINERID=c1 CNI_NETNS=$NETNS/c1 CNI_IFNAME=eth0 \
		CNI_PATH="$BIN" CNI_ARGS="IP=10.0.1.44;GATEWAY=10.0.1.77" "$PLUGIN" --explain add <<<"$CONF" 2>&1)" "--explain"
	drop c2
	t "an address that is the gateway of another network's task"
	netns c2
	LAB2=$(one 10.0.1.0/24 '.name="lab2" | .ipam.ranges[0][0].gateway="10.0.1.77"')
	ID=c2 works ADD "$LAB2"
	refused 103 'CNI_ARGS IP: 10\.0\.1\.77 is an address of this host, or the gateway' ADD "$CONF" CNI_ARGS=IP=10.0.1.77
	is 1 "$(records)" records
	ID=c2 works DEL "$LAB2"
	ID=c2 works ADD "$CONF" CNI_ARGS=IP=10.0.1.77
	drop c2
	works ADD "$CONF" CNI_ARGS="IP=10.0.1.44;GATEWAY=10.0.1.77"
	works DEL "$CONF"
	is 0 "$(records)" records
	netns c2
	clean
	t "an IPv6 address, and one of each family"
	dual=$(conf ".ipam.ranges += [$CONF6]")
	works ADD "$(jq -c '.runtimeConfig.ips=["10.0.2.60","fd00:10:2::60/64"]' <<<"$dual")"
	is '["10.0.2.60/24","fd00:10:2::60/64"]' "$(jq -c '[.ips[].address]' <<<"$OUT")" addresses
	works DEL "$dual"
	t "IPv4 by CNI_ARGS and IPv6 by runtimeConfig, as nerdctl hands --ip and --ip6"
	works ADD "$(jq -c '.runtimeConfig.ips=["fd00:10:2::62"]' <<<"$dual")" CNI_ARGS="IgnoreUnknown=1;IP=10.0.2.62"
	is '["10.0.2.62/24","fd00:10:2::62/64"]' "$(jq -c '[.ips[].address]' <<<"$OUT")" addresses
	works DEL "$dual"
	works ADD "$(jq -c '.args.cni.ips=["10.0.2.63"]' <<<"$dual")" CNI_ARGS="IP=fd00:10:2::63"
	is '["10.0.2.63/24","fd00:10:2::63/64"]' "$(jq -c '[.ips[].address]' <<<"$OUT")" addresses
	works DEL "$dual"
	t "one static address, the other family chosen in the same subnet"
	works ADD "$dual" CNI_ARGS="IP=fd00:10:2::61"
	is '["10.0.2","fd00:10:2::61/64"]' "$(jq -c '[(.ips[0].address | split(".")[:3] | join(".")),
		.ips[1].address]' <<<"$OUT")" addresses
	works DEL "$dual"
	clean

	t "an address that is none"
	for bad in foo 10.0.1 10.0.1.300 10.0.1.5/33 10.0.1.5/x '' 1.2.3.4.5 fd00::zz; do
		[ -z "$bad" ] || refused '4|7' "IP.*${bad}" ADD "$CONF" CNI_ARGS="IP=$bad"
		refused '4|7' "ips.*$bad" ADD "$(conf ".args.cni.ips=[\"$bad\"]")"
		refused '4|7' "ips.*$bad" ADD "$(conf ".runtimeConfig.ips=[\"$bad\"]")"
	done
	refused '4|7' 'ips' ADD "$(conf '.runtimeConfig.ips=[5]')"
	refused '4|7' 'ips' ADD "$(conf '.runtimeConfig.ips={"a":1}')"
	t "a prefix length that is not the subnet's"
	refused '4|7|103' '10\.0\.1\.5/16.*' ADD "$CONF" CNI_ARGS="IP=10.0.1.5/16"

	t "gateway, network, broadcast, reserved, outside, taken: each its own message"
	ID=c2 works ADD "$CONF" CNI_ARGS="IP=10.0.1.77"
	: >"$TMP/messages"
	while read -r address regex; do
		refused 103 "$regex" ADD "$CONF" CNI_ARGS="IP=$address"
		like "$address" "$OUT" "the address is in the error"
		jq -r .msg <<<"$OUT" | sed "s/$address/X/" >>"$TMP/messages"
	done <<-'END'
		10.0.1.0 network
		10.0.1.1 gateway
		10.0.1.3 reserve
		10.0.1.255 broadcast
		10.0.9.9 outside
		10.0.1.77 c2
	END
	is 6 "$(sort -u "$TMP/messages" | wc -l)" "distinct messages: $(sort "$TMP/messages" | tr '\n' '|')"
	for word in lab c2 eth0; do like "$word" "$(tail -n 1 "$TMP/messages")" "the holder"; done
	refused 103 'exclu' ADD "$(one 10.0.1.0/24 '.ipam.ranges[0][0].exclude=["10.0.1.64/26"]')" \
		CNI_ARGS="IP=10.0.1.80"
	refused 103 'outside' ADD "$(one 10.0.1.0/24 '.ipam.ranges[0][0].rangeStart="10.0.1.100"')" \
		CNI_ARGS="IP=10.0.1.80"
	refused '4|7|103' '' ADD "$CONF" CNI_ARGS="IP=0.0.0.0"
	refused '4|7|103' '' ADD "$CONF" CNI_ARGS="IP=224.0.0.1"
	refused '4|7|103' '' ADD "$CONF" CNI_ARGS="IP=::1"
	ID=c2 works DEL "$CONF"
	t "two static addresses for one set"
	refused '7|103' '' ADD "$(conf '.runtimeConfig.ips=["10.0.1.80","10.0.1.81"]')"
	refused '7|103' '' ADD "$(conf '.runtimeConfig.ips=["10.0.1.80","10.0.1.80"]')"
	clean
fi

if group grammar; then
	t "CNI_ARGS is lenient"
	for args in FOO=bar A=b=c ';;' 'IgnoreUnknown=1;' 'nonsense' '=' '=x;y=' 'IgnoreUnknown=false;X=1' \
		"$(printf 'A%.0s' {1..70000})" $'K=\xff\xfe' 'ip=10.0.1.9' \
		'NERDCTL_CNI_DHCP_HOSTNAME=a.b;IgnoreUnknown=1'; do
		works ADD "$CONF" CNI_ARGS="$args" && works DEL "$CONF" CNI_ARGS="$args"
	done
	given 10.0.1.44/24 "$CONF" CNI_ARGS=";;A=b=c;IP=10.0.1.44;"
	t "CNI_ARGS: what is empty asks for nothing"
	for args in IP= MAC= GATEWAY= 'IP;MAC;GATEWAY' 'IP=;A=b'; do
		works ADD "$CONF" CNI_ARGS="$args" && works DEL "$CONF" CNI_ARGS="$args"
	done
	t "CNI_ARGS: a value of ours is never passed over"
	while read -r pair; do
		refused 4 "CNI_ARGS: ${pair//./\\.}: wrong value" ADD "$CONF" CNI_ARGS="IgnoreUnknown=1;$pair;A=b"
	done <<-'END'
		IP=10.0.1.9=x
		IP=10.0.1.9=
		IP==10.0.1.9
		MAC=02:00:00:00:00:01=
		MAC=02:00:00:00:00:01=x
		GATEWAY=10.0.1.254=x
		GATEWAY=x
	END
	clean
fi

# ports JSON: the configuration with these port mappings.
ports() { conf ".runtimeConfig.portMappings=$1"; }

if group ports; then
	t "port mappings that ECS accepts: host port blank or the container's"
	for map in '[{"hostPort":80,"containerPort":80,"protocol":"tcp"}]' \
		'[{"HostPort":80,"ContainerPort":80,"Protocol":"tcp","HostIP":"0.0.0.0"}]' \
		'[{"HostPort":80,"ContainerPort":80,"Protocol":"tcp","HostIP":""}]' \
		'[{"containerPort":80,"protocol":"tcp"}]' '[{"hostPort":0,"containerPort":80}]' \
		'[{"hostPort":80,"containerPort":80}]' '[{"hostPort":80,"containerPort":80,"protocol":"TCP"}]' \
		'[{"hostPort":53,"containerPort":53,"protocol":"udp"},{"hostPort":53,"containerPort":53,"protocol":"tcp"}]' \
		'[{"hostPort":80,"containerPort":80,"protocol":"sctp"}]' '[]' null \
		'[{"hostPort":65535,"containerPort":65535}]'; do
		works ADD "$(ports "$map")" && works DEL "$CONF"
	done
	t "another host port is refused by name"
	refused 7 'hostPort.*8080.*80' ADD "$(ports '[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]')"
	refused 7 'hostPort.*8080.*80' ADD "$(ports '[{"HostPort":8080,"ContainerPort":80,"Protocol":"tcp"}]')"
	refused 7 'hostPort.*8080' ADD \
		"$(ports '[{"hostPort":80,"containerPort":80},{"hostPort":8080,"containerPort":81}]')"
	t "port mappings that nobody accepts"
	while read -r regex map; do
		refused 7 "$regex" ADD "$(ports "$map")"
	done <<-'END'
		hostPort.*-1 [{"hostPort":-1,"containerPort":80}]
		hostPort.*65536 [{"hostPort":65536,"containerPort":80}]
		hostPort.*80 [{"hostPort":"80","containerPort":80}]
		hostPort.*80\.5 [{"hostPort":80.5,"containerPort":80}]
		containerPort.*0 [{"hostPort":80,"containerPort":0}]
		containerPort [{"hostPort":80}]
		range.*0 [{"hostPort":80,"containerPort":80,"range":0}]
		range.*1025 [{"hostPort":80,"containerPort":80,"range":1025}]
		range.*beyond [{"hostPort":65535,"containerPort":80,"range":2}]
		containerPort.*65536 [{"containerPort":65536}]
		containerPort.*80 [{"containerPort":"80"}]
		protocol.*icmp [{"containerPort":80,"protocol":"icmp"}]
		protocol.*5 [{"containerPort":80,"protocol":5}]
		hostIP.*nope [{"containerPort":80,"hostIP":"nope"}]
		hostIP.*5 [{"containerPort":80,"hostIP":5}]
		portMappings [5]
		portMappings {"hostPort":80}
		portMappings "80"
	END
	t "two tasks with one port: each has its own address"
	works ADD "$(ports '[{"hostPort":80,"containerPort":80}]')"
	ID=c2 works ADD "$(ports '[{"hostPort":80,"containerPort":80}]')"
	works DEL "$CONF"
	ID=c2 works DEL "$CONF"
	clean
fi

if group bandwidth; then
	# limited LIMITS [FILTER]: the configuration with these limits.
	limited() { conf ".runtimeConfig.bandwidth=$1 | ${2:-.}"; }
	t "a limit that nothing would keep is refused, with who could keep it"
	refused 7 'bandwidth\.ingressRate: 1000000: .*awsvpc limits no traffic.*capabilities and chain the reference plugin bandwidth' \
		ADD "$(limited '{ingressRate:1000000,ingressBurst:800000}')"
	refused 7 'bandwidth\.egressRate: 1000000' ADD "$(limited '{EgressRate:1000000,EgressBurst:4294967295}')"
	refused 7 'bandwidth\.egressBurst: 5' ADD "$(limited '{egressBurst:5}')"
	refused 7 'bandwidth\.ingressRate: 1.*use task-bridge' ADD "$(limited '{ingressRate:1,ingressBurst:8}' '.hostRouting="bpf"')"
	ip link add lan0 type veth peer name lan1
	ip link set lan0 up
	refused 7 'bandwidth\.ingressRate: 1.*attach: veth' ADD \
		"$(limited '{ingressRate:1,ingressBurst:8}' '.attach="macvlan" | .master="lan0"')"
	ip link del lan0
	t "no limit is none"
	for limits in null '{}' '{ingressRate:0,ingressBurst:0,egressRate:0,egressBurst:0}'; do
		works ADD "$(limited "$limits")" && works DEL "$CONF"
	done
	clean
fi

finish
