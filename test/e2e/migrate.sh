#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Chains of the reference plugins, converted by test/migrate.jq: what a user sees is the same before and
# after, and the end of it leaves nothing.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/lan.sh
. "$(dirname "$0")/../lan.sh"
t migrate
for type in bridge portmap firewall bandwidth tuning host-local; do
	[ -x "$CNI_REF/$type" ] || { skip "needs $CNI_REF/$type" && finish; }
done
need iptables
scratch /var/lib || { skip "needs overlay mounts" && finish; }
LISTS=$TMP/lists
mkdir -p "$LISTS"

# podman's own file, as Debian installs it; and as it was known to be where it is not.
if [ -r /etc/cni/net.d/87-podman-bridge.conflist ]; then
	cp /etc/cni/net.d/87-podman-bridge.conflist "$LISTS/podman.conflist"
else
	cat >"$LISTS/podman.conflist" <<-'END'
		{"cniVersion":"0.4.0","name":"podman","plugins":[{"type":"bridge","bridge":"cni-podman0","isGateway":true,
		"ipMasq":true,"hairpinMode":true,"ipam":{"type":"host-local","routes":[{"dst":"0.0.0.0/0"}],
		"ranges":[[{"subnet":"10.88.0.0/16","gateway":"10.88.0.1"}]]}},
		{"type":"portmap","capabilities":{"portMappings":true}},{"type":"firewall"},{"type":"tuning"}]}
	END
fi
# nerdctl's default network.
cat >"$LISTS/nerdctl.conflist" <<'END'
{"cniVersion":"1.0.0","name":"bridge","nerdctlID":"17f29b073143d8cd97b5bbe492bdeffec1c5fee55cc1fe2112c8b9335f8b6121",
"nerdctlLabels":{"nerdctl/default-network":"true"},"plugins":[{"type":"bridge","bridge":"nerdctl0","isGateway":true,
"ipMasq":true,"hairpinMode":true,"ipam":{"ranges":[[{"gateway":"10.4.0.1","subnet":"10.4.0.0/24"}]],
"routes":[{"dst":"0.0.0.0/0"}],"type":"host-local"}},{"type":"portmap","capabilities":{"portMappings":true}},
{"type":"firewall","ingressPolicy":"same-bridge"},{"type":"tuning"}]}
END
# containerd's own, of its install script.
cat >"$LISTS/containerd.conflist" <<'END'
{"cniVersion":"1.0.0","name":"containerd-net","plugins":[{"type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":true,
"promiscMode":true,"ipam":{"type":"host-local","ranges":[[{"subnet":"10.88.0.0/16"}],[{"subnet":"2001:4860:4860::/64"}]],
"routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"}]}},{"type":"portmap","capabilities":{"portMappings":true}}]}
END
# Everything at once, with the old form of host-local's range and static rates.
cat >"$LISTS/full.conflist" <<'END'
{"cniVersion":"0.4.0","name":"full","plugins":[{"type":"bridge","bridge":"full0","isDefaultGateway":true,"ipMasq":true,
"mtu":1400,"forceAddress":false,"ipam":{"type":"host-local","dataDir":"/var/lib/cni/full","subnet":"10.77.0.0/24",
"rangeStart":"10.77.0.20","rangeEnd":"10.77.0.99","gateway":"10.77.0.254"}},
{"type":"portmap","capabilities":{"portMappings":true},"snat":true,"markMasqBit":13},
{"type":"firewall","backend":"iptables","iptablesAdminChainName":"MY-ADMIN"},
{"type":"bandwidth","ingressRate":10000000,"ingressBurst":800000,"egressRate":10000000,"egressBurst":800000},
{"type":"tuning","sysctl":{"net.ipv4.conf.eth0.log_martians":"1"}}]}
END
# Two of podman's examples. They are documents, which not every Debian keeps: hence copies.
cat >"$LISTS/l2.conflist" <<'END'
{"cniVersion":"0.4.0","name":"podman","plugins":[{"type":"bridge",
"Documentation":"/usr/share/doc/containernetworking-plugins/main_bridge.md","bridge":"br0","ipam":{}},
{"type":"portmap","Documentation":"/usr/share/doc/containernetworking-plugins/meta_portmap.md",
"capabilities":{"portMappings":true}},
{"type":"firewall","Documentation":"/usr/share/doc/containernetworking-plugins/meta_firewall.md","backend":"iptables"}]}
END
cat >"$LISTS/ptp.conflist" <<'END'
{"cniVersion":"0.4.0","name":"podman","plugins":[{"type":"ptp",
"Documentation":"/usr/share/doc/containernetworking-plugins/main_ptp.md","ipMasq":true,"ipam":{"type":"host-local",
"Documentation":"/usr/share/doc/containernetworking-plugins/ipam_host-local.md","subnet":"172.16.16.0/24",
"routes":[{"dst":"0.0.0.0/0"}]}},
{"type":"portmap","Documentation":"/usr/share/doc/containernetworking-plugins/meta_portmap.md",
"capabilities":{"portMappings":true}},
{"type":"firewall","Documentation":"/usr/share/doc/containernetworking-plugins/meta_firewall.md","backend":"iptables"}]}
END
# Ports that hide no client.
jq '.name="plain" | .plugins[0].bridge="plain0" | .plugins[1].snat=false' "$LISTS/containerd.conflist" >"$LISTS/plain.conflist"
lan

CAPS='{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"},{"hostPort":8053,"containerPort":53,"protocol":"udp"}]}'

# facts LIST: what a user of this list sees, a line each.
facts() {
	local list=$1 bridge web far
	bridge=$(jq -r '.plugins[0].bridge' "$list")
	netns web peer
	chain_ok ADD "$list" web "$CAPS" || return
	chain_ok ADD "$list" peer || return
	web=$(result web '.ips[0].address') far=$(result peer '.ips[0].address')
	serve web tcp:80 udp:53
	serve third tcp:80
	{
		echo "cniVersion $(result web .cniVersion)"
		echo "interfaces $(result web '[.interfaces[:3][] | if (.sandbox // "") != "" then .name elif .name == "'"$bridge"'" then
			"bridge" else "host end" end] | join(", ")')"
		echo "addresses $web $far"
		echo "gateways $(result web '[.ips[].gateway] | join(" ")')"
		echo "whose $(result web '[.ips[].interface] | join(" ")')"
		echo "bridge $bridge $(addresses_of "$bridge")"
		echo "default route $(ip -n web -j route show default | jq -c '[.[] | {gateway, dev}]') $(ip -n web -j -6 route show default |
			jq -c '[.[] | {gateway, dev}]')"
		echo "mtu $(ip -n web -j link show eth0 | jq '.[0].mtu')"
		echo "log_martians $(sysctl_of web net/ipv4/conf/eth0/log_martians)"
		echo "shaped $(tc qdisc show | grep -o 'tbf.*rate [0-9A-Za-z]*' | sed 's/tbf [0-9a-f]*:.*rate/rate/' | sort | tr '\n' ' ')"
		echo "outside, 8080: $(asks outside tcp 198.51.100.1 8080)"
		echo "outside, 8053: $(asks outside udp 198.51.100.1 8053)"
		echo "host, LAN: $(asks host tcp 198.51.100.1 8080 | cut -d' ' -f1)"
		echo "host, 127.0.0.1: $(asks host tcp 127.0.0.1 8080 | cut -d' ' -f1)"
		echo "neighbour, LAN: $(asks peer tcp 198.51.100.1 8080 | cut -d' ' -f1)"
		echo "itself, LAN: $(asks web tcp 198.51.100.1 8080 | cut -d' ' -f1)"
		echo "neighbour, directly: $(asks peer tcp "${web%/*}" 80)"
		echo "to a third: $(asks web tcp 203.0.113.2 80)"
	} >"$2"
	unserve web third
	chain CHECK "$list" web "$CAPS"
	CHECKED=$RC
	chain_ok DEL "$list" web "$CAPS"
	chain_ok DEL "$list" peer
	drop web peer
}

for list in podman nerdctl containerd full plain; do
	group "$list" || continue
	t "$list: the reference chain"
	facts "$LISTS/$list.conflist" "$TMP/before"
	nft flush ruleset
	ip link del "$(jq -r '.plugins[0].bridge' "$LISTS/$list.conflist")" 2>/dev/null
	ip link show type ifb | awk '/^[0-9]/ { sub(/:/, "", $2); print $2 }' | while read -r dev; do ip link del "$dev"; done
	baseline
	t "$list: converted"
	jq -f "$ROOT/test/migrate.jq" "$LISTS/$list.conflist" >"$TMP/new.conflist" || fail "the filter"
	is task-bridge "$(jq -r '.plugins[0].type' "$TMP/new.conflist")" "first plugin"
	is "" "$(jq -r '.plugins[].type' "$TMP/new.conflist" | grep -x -e bridge -e portmap -e firewall -e bandwidth)" "plugins left"
	is "$(jq -c '[.name, .nerdctlID]' "$LISTS/$list.conflist")" "$(jq -c '[.name, .nerdctlID]' "$TMP/new.conflist")" "name and id"
	is true "$(jq '.plugins[0].capabilities | .ips and .portMappings' "$TMP/new.conflist")" capabilities
	PLUGIN=$BIN/task-bridge works STATUS "$(jq -c '.plugins[0] + {name, cniVersion: "1.1.0"}' "$TMP/new.conflist")" \
		-CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
	# What the list has that is without effect here.
	case $list in
	full) like '^task-bridge: warning: iptablesAdminChainName: without effect, .* hook forward$' "$ERR" "what STATUS says" ;;
	*) is "" "$ERR" "what STATUS says" ;;
	esac
	forget
	facts "$TMP/new.conflist" "$TMP/after"
	is 0 "$CHECKED" "CHECK"
	t "$list: the same before and after"
	is 18 "$(wc -l <"$TMP/after")" "facts"
	mapfile -t before <"$TMP/before"
	mapfile -t after <"$TMP/after"
	for i in "${!before[@]}"; do
		case ${before[i]} in
		# What did not work before may work now: hairpin without hairpinMode.
		*': ') ;;
		*) is "${before[i]}" "${after[i]}" "before and after" ;;
		esac
	done
	clean
done

# l2_facts LIST: what a user of a list without addresses sees; those of the test are given by hand.
l2_facts() {
	netns web peer
	chain_ok ADD "$1" web && chain_ok ADD "$1" peer || return
	{
		echo "interfaces $(result web '[.interfaces[:3][] | if (.sandbox // "") != "" then .name elif .name == "br0" then .name
			else "host end" end] | join(", ")')"
		echo "addresses $(result web '.ips // [] | length') $(addresses_of br0) $(ip -n web -j -4 addr show eth0 | jq -c '.[0].addr_info // []')"
		echo "up $(ip -n web -j link show eth0 | jq -c '.[0].operstate')"
		ip -n web addr add 10.99.0.1/24 dev eth0
		ip -n peer addr add 10.99.0.2/24 dev eth0
		ping_ok web 10.99.0.2 && echo "they reach each other"
		echo "default route $(ip -n web route show default)"
	} >"$2"
	chain_ok DEL "$1" web
	chain_ok DEL "$1" peer
	drop web peer
}
if group "layer 2"; then
	example=/usr/share/doc/podman/examples/cni/net.d/87-podman-bridge_l2.conflist
	[ ! -r $example ] || is "$(jq -S . $example)" "$(jq -S . "$LISTS/l2.conflist")" "podman's example, and the copy"
	t "layer 2: the reference chain"
	l2_facts "$LISTS/l2.conflist" "$TMP/before"
	netns web
	chain_ok ADD "$LISTS/l2.conflist" web "$CAPS"
	chain_ok DEL "$LISTS/l2.conflist" web "$CAPS"
	drop web
	nft flush ruleset
	ip link del br0
	baseline
	t "layer 2: converted"
	jq -f "$ROOT/test/migrate.jq" "$LISTS/l2.conflist" >"$TMP/new.conflist" || fail "the filter"
	is '["task-bridge"] {}' "$(jq -r '"\([.plugins[].type] | tojson) \(.plugins[0].ipam | tojson)"' "$TMP/new.conflist")" "the list"
	forget
	l2_facts "$TMP/new.conflist" "$TMP/after"
	t "layer 2: the same before and after"
	is 5 "$(wc -l <"$TMP/after")" "facts"
	is "$(<"$TMP/before")" "$(<"$TMP/after")" "before and after"
	t "layer 2: a published port leads nowhere: told, where the reference chain says nothing"
	netns web
	chain ADD "$TMP/new.conflist" web "$CAPS"
	expect_error 7 'portMappings.0.: the task has no address'
	drop web
	clean
fi

if group "in a chain"; then
	t "ours before the reference firewall, portmap and tuning: they find the bridge first"
	jq -f "$ROOT/test/migrate.jq" "$LISTS/nerdctl.conflist" | jq '.cniVersion = "1.0.0" | .plugins[0].capabilities = {ips: true}
		| .plugins += [{type: "portmap", capabilities: {portMappings: true}}, {type: "firewall", ingressPolicy: "same-bridge"}]
		| del(.plugins[0].ingressPolicy)' >"$TMP/chain.conflist"
	forget
	netns web peer
	chain_ok ADD "$TMP/chain.conflist" web "$CAPS"
	chain_ok ADD "$TMP/chain.conflist" peer
	like '-o nerdctl0 .*-j DROP' "$(iptables-save -t filter)" "the rules of firewall"
	serve web tcp:80
	reaches outside web tcp 198.51.100.1 8080
	reaches peer web tcp "$(address web)" 80
	ping_ok peer 203.0.113.2
	chain_ok CHECK "$TMP/chain.conflist" peer
	unserve web
	chain_ok DEL "$TMP/chain.conflist" web "$CAPS"
	chain_ok DEL "$TMP/chain.conflist" peer
	drop web peer
	nft list tables | grep -v taskvpc | while read -r line; do
		# shellcheck disable=SC2086 # "table FAMILY NAME"
		nft delete $line
	done
	clean
fi

if group "the filter"; then
	t "twice is once"
	jq -f "$ROOT/test/migrate.jq" "$LISTS/full.conflist" >"$TMP/once"
	is "$(jq -c . "$TMP/once")" "$(jq -c -f "$ROOT/test/migrate.jq" "$TMP/once")" "converted twice"
	t "portmap's keys of source addresses"
	for pair in 'masqAll=true true,null' 'snat=false null,false' 'snat=false|.plugins[1].masqAll=true null,false'; do
		is "${pair#* }" "$(jq ".plugins[1] |= del(.snat) | .plugins[1].${pair% *}" "$LISTS/full.conflist" |
			jq -r -f "$ROOT/test/migrate.jq" | jq -r '.plugins[0] | "\(.masqAll),\(.snat)"')" "${pair% *}: masqAll,snat"
	done
	t "what has no counterpart is refused by name"
	for filter in '.plugins[0].vlan=5' '.plugins[0].vlanTrunk=[{id:5}]' '.plugins[0].disableContainerInterface=true' \
		'.plugins[1].conditionsV4=["!","-d","192.0.2.0/24"]'; do
		key=${filter#*].}
		like ": ${key%%=*} has no counterpart" "$(jq "$filter" "$LISTS/full.conflist" | jq -f "$ROOT/test/migrate.jq" 2>&1 >/dev/null)" "error"
	done
	t "what says that there is none of it is not"
	jq '.plugins[0] += {vlan: 0, vlanTrunk: [], disableContainerInterface: false} | .plugins[1].conditionsV4 = null' \
		"$LISTS/full.conflist" >"$TMP/nothing"
	runs "the filter" jq -f "$ROOT/test/migrate.jq" "$TMP/nothing"
	t "what is without effect and somebody may rely on: STATUS names it after the conversion"
	jq '.plugins[2].firewalldZone="public" | .plugins[3] += {shapedSubnets: ["10.0.0.0/8"], unshapedSubnets: ["10.1.0.0/16"]}' \
		"$LISTS/full.conflist" | jq -f "$ROOT/test/migrate.jq" >"$TMP/new.conflist"
	PLUGIN=$BIN/task-bridge works STATUS "$(jq -c '.plugins[0] + {name, cniVersion: "1.1.0"}' "$TMP/new.conflist")" \
		-CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
	for key in iptablesAdminChainName firewalldZone shapedSubnets unshapedSubnets; do
		like "(^|[^a-z])$key: without effect" "$ERR" "what STATUS says"
	done
	t "lists of others are left alone, other pools as they are"
	is "$(jq -c . "$LISTS/ptp.conflist")" "$(jq -c -f "$ROOT/test/migrate.jq" "$LISTS/ptp.conflist")" "podman's example of ptp"
	is '{"plugins":[{"type":"macvlan"}]}' "$(jq -c -f "$ROOT/test/migrate.jq" <<<'{"plugins":[{"type":"macvlan"}]}')" list
	is '{"type":"dhcp"}' "$(jq '.plugins[0].ipam={type:"dhcp"}' "$LISTS/full.conflist" | jq -c -f "$ROOT/test/migrate.jq" |
		jq -c '.plugins[0].ipam')" pool
fi

finish
