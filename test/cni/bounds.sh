#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What can be made large has a limit, and passing it is told with the number; and other odd input that no
# runtime sends, but a person may.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
netns c1
baseline

# list N FILTER: a JSON list of FILTER for each number below N, which is `.` in it.
list() { jq -nc "[range($1) | $2]"; }

t "addresses of one attachment"
NINE=$(jq -nr '[range(9) | "10.0.1.\(10 + .)"] | join(",")')
refused 4 'CNI_ARGS: IP=.*at most 8 addresses' ADD "$CONF" CNI_ARGS="IP=$NINE"
refused 7 'runtimeConfig.ips: 9 addresses, at most 8' ADD \
	"$(conf ".runtimeConfig.ips=$(list 9 '"10.0.1.\(10 + .)"')")"
refused 7 'args.cni.ips: 9 addresses, at most 8' ADD "$(conf ".args.cni.ips=$(list 9 '"10.0.1.\(10 + .)"')")"
t "ranges of one set, and sets"
refused 7 'ipam.ranges\[0\]: 65 ranges are too many, allowed: 64' ADD \
	"$(conf ".vpc.cidr=\"10.0.0.0/8\" | .ipam.ranges=[$(list 65 '{subnet: "10.1.\(.).0/24"}')]")"
refused 7 'ipam.ranges\[8\]: one set too many, allowed: 8' ADD \
	"$(conf ".ipam.ranges=$(list 9 '[{subnet: "10.0.\(.).0/24"}]')")"
t "port mappings"
refused 7 'portMappings: 1025 ports, at most 1024' ADD \
	"$(conf ".runtimeConfig.portMappings=$(list 1025 '{containerPort: (. + 1)}')")"
t "routes: 64, one of which is the default route"
refused 7 'ipam.routes: 65 entries are too many.*at most 64' ADD "$(conf ".ipam.routes=$(list 65 '{dst: "172.16.\(.).0/24"}')")"
refused 7 'ipam.routes: no room for a default route, allowed: 64' ADD "$(conf ".ipam.ranges += [$CONF6]
	| .ipam.routes=$(list 64 '{dst: "172.16.\(.).0/24"}')")"
t "the configuration itself: 16 MiB"
{
	printf %s "${CONF%\}}"
	head -c 17000000 /dev/zero | tr '\0' ' '
	printf '}'
} >"$TMP/big"
refused 5 'stdin: the network configuration is larger than 16 MiB' ADD "@$TMP/big"
t "a path of a namespace, and the name of an IPAM plugin"
LONG=$(printf 'x%.0s' {1..600})
refused 4 'CNI_NETNS: .* is too long for a path' ADD "$CONF" CNI_NETNS="/run/netns/$LONG"

# foreign TEXT: the configuration with an IPAM plugin whose ADD gives this.
mkdir "$TMP/fake"
foreign() {
	printf '#!/bin/sh\n[ "$CNI_COMMAND" != ADD ] || cat <<"END"\n%s\nEND\n' "$1" >"$TMP/fake/fake"
	chmod +x "$TMP/fake/fake"
	conf '.ipam={type: "fake"}'
}
# too_much REGEX FILTER: such a result is refused.
too_much() {
	local result
	result=$(jq -nc "{cniVersion: \"1.1.0\", ips: [{address: \"10.0.7.7/24\"}]} | $2")
	refused 100+\|7 "$1" ADD "$(foreign "$result")" CNI_PATH="$TMP/fake"
}
t "what a foreign IPAM plugin gives"
too_much 'more than 8 addresses' ".ips=$(list 9 '{address: "10.0.7.\(10 + .)/24"}')"
too_much 'more than 64 routes' ".routes=$(list 65 '{dst: "172.16.\(.).0/24"}')"
too_much 'routes\[256\].*too many routes|more than' ".routes=$(list 257 '{dst: "172.\(. / 256 | floor).\(. % 256).0/24"}')"
too_much 'nameservers.*a list of at most 32 strings' ".dns.nameservers=$(list 33 '"192.0.2.\(.)"')"
too_much 'nameservers.*a list of strings' '.dns.nameservers=[5]'
too_much 'ips\[0\].*an object' '.ips=[5]'
too_much 'ips.*more than 64' ".ips=$(list 65 '{address: "10.0.7.\(10 + .)/24"}')"
mv "$TMP/fake/fake" "$TMP/fake/$(printf 'y%.0s' {1..70})"
refused 7 'ipam.type: "y+" is too long' ADD "$(conf ".ipam={type: \"$(printf 'y%.0s' {1..70})\"}")" CNI_PATH="$TMP/fake"

# prev FILTER: the configuration with a prevResult.
prev() { conf ".prevResult={cniVersion: \"1.1.0\"} | .prevResult |= ($1)"; }
t "a prevResult that has no room for ours"
refused 7 'the result would have more than 64 interfaces' ADD "$(prev ".interfaces=$(list 62 '{name: "i\(.)"}')")"
refused 7 'the result would have more than 64 addresses' ADD "$(prev ".ips=$(list 64 '{address: "192.0.2.\(.)/24"}')")"
refused 7 'the result would have more than 256 routes' ADD "$(prev ".routes=$(list 256 '{dst: "172.16.\(.).0/24"}')")"
refused 7 'mtu.*a number of bytes' ADD "$(prev '.interfaces=[{name: "i", mtu: "big"}]')"
t "and a DNS list that is full"
refused 7 'the result would have more than 32 entries in a list of dns' ADD \
	"$(prev ".dns.nameservers=$(list 32 '"192.0.2.\(.)"')" | jq -c '.dns.nameservers=["192.0.2.99"]')"

t "a MAC of a group"
refused 4 'MAC=01:00:00:00:00:01' ADD "$CONF" CNI_ARGS=MAC=01:00:00:00:00:01
refused 7 'runtimeConfig.mac: "01:00:00:00:00:01"' ADD "$(conf '.runtimeConfig.mac="01:00:00:00:00:01"')"
refused 7 'args.cni.mac: "00:00:00:00:00:00"' ADD "$(conf '.args.cni.mac="00:00:00:00:00:00"')"

t "the plan of what a foreign plugin has not given yet"
OUT=$(foreign '{}' | CNI_CONTAINERID=c1 CNI_NETNS=$NETNS/c1 CNI_IFNAME=eth0 CNI_PATH="$TMP/fake" \
	"$PLUGIN" --explain 2>&1)
like 'no plan before fake has given an address.*explain an attachment that exists' "${OUT//$'\n'/ }" "--explain"
t "--version and --help go to stdout"
like '^CNI awsvpc plugin v[0-9]' "$("$PLUGIN" --version 2>/dev/null)" "--version"
like 'ADD .*attach the container.*--explain' "$("$PLUGIN" --help 2>/dev/null | tr '\n' ' ')" "--help"
clean
finish
