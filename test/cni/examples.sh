#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every file of netconf-examples, as libcni would run it: ADD, CHECK, DEL, at the lowest and the highest
# version that it offers.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
EXAMPLES=$ROOT/netconf-examples
scratch /var/lib /etc || { skip "needs overlay mounts" && finish; }
printf 'nameserver 10.0.0.2\n' >/etc/resolv.conf

# lan NAME GATEWAY: the interface that an example wants as master, and its router behind it.
lan() {
	netns lan
	ip link add "$1" type veth peer name lan1 netns lan
	ip link set "$1" up
	ip addr add 172.31.255.1/32 dev "$1"
	ip -n lan link set lan1 up
	[ -z "$2" ] || ip -n lan addr add "$2" dev lan1
	until_true sh -c "ip link show $1 | grep -q LOWER_UP"
}
# gateway FILE: the router's address with its prefix, out of the first range.
gateway() {
	jq -r '[.plugins[0].ipam.ranges[0][0]][0] | (.subnet // "") as $s | if $s == "" then "" else
		(.gateway // ($s | split("/")[0] | split(".") | .[3] = ((.[3] | tonumber) + 1 | tostring)
		| join("."))) + "/" + ($s | split("/")[1]) end' "$1" 2>/dev/null
}
# place TYPE NAME: the namespace that a plugin of this type is for.
place() {
	[ "$1" = task-host ] || { netns "$2" && return; }
	touch "$NETNS/$2"
	mount --bind /proc/self/ns/net "$NETNS/$2"
}
# strangers: what the reference plugins leave in the firewall is not ours.
strangers() {
	nft list tables | grep -v taskvpc | while read -r line; do
		# shellcheck disable=SC2086 # "table FAMILY NAME"
		nft delete $line
	done
}

t "there are examples, and only .conflist files"
isnt 0 "$(find "$EXAMPLES" -name '*.conflist' | wc -l)" "files"
is "" "$(find "$EXAMPLES" -type f ! -name '*.conflist' ! -name 'README.md')" "other files"
is "" "$(jq -r .name "$EXAMPLES"/*.conflist | sort | uniq -d)" "names that two files have"

for file in "$EXAMPLES"/*.conflist; do
	name=$(basename "$file" .conflist)
	group "$name" || continue
	runs "valid JSON" jq . "$file"
	# The traps of real runtimes: see the README of the examples.
	is true "$(jq '.plugins[0].capabilities.ips == true' "$file")" "plugins[0] declares ips"
	is 1.0.0 "$(jq -r .cniVersion "$file")" "cniVersion"
	is true "$(jq '.cniVersions | contains(["0.4.0", "1.0.0"])' "$file")" "cniVersions"
	is false "$(jq 'has("nerdctlID")' "$file")" "nerdctlID"
	missing=
	for type in $(jq -r '.plugins[] | .type, (.ipam.type // empty)' "$file"); do
		[ -x "$(find_plugin "$type")" ] || missing=$type
	done
	[ -z "$missing" ] || { skip "needs $missing" && continue; }
	master=$(jq -r '[.plugins[] | .master // empty][0] // ""' "$file")
	type=$(jq -r '.plugins[0].type' "$file")
	[ "$type" != task-host ] || master=up0
	[ -z "$master" ] || lan "$master" "$(gateway "$file")"
	baseline
	create=$(jq '[.plugins[].createNamespace] | any' "$file")
	bridge=$(jq -r '.plugins[0].bridge // "none"' "$file")
	ports='{"portMappings":[{"hostPort":8080,"containerPort":8080,"protocol":"tcp"}]}'
	[ "$type" != task-none ] || ports=null	# it refuses them: test/cni/none.sh
	for version in $(jq -r '.cniVersions | first, last' "$file"); do
		t "$name at $version"
		export CHAIN_VERSION=$version
		ns=t1
		[ "$create" = true ] || place "$type" $ns
		chain_ok ADD "$file" $ns "$ports" "IgnoreUnknown=1;K8S_POD_NAME=$ns" || { drop $ns && continue; }
		read -r seen address via dev < <(result $ns '"\(.cniVersion) \(.ips[0].address) \(.ips[0].gateway) \(.interfaces[.ips[0].interface].name)"')
		is "$version" "$seen" "cniVersion of the result"
		is "$address" "$(ip -n $ns -j addr show "$dev" | jq -r '[.[0].addr_info[]
			| select(.family == "inet")][0] | "\(.local)/\(.prefixlen)"')" "address"
		[ "$via" = null ] || ping_ok $ns "$via"
		chain CHECK "$file" $ns "$ports"
		case "$RC $CHAIN_AT" in
		'0 '*) pass ;;
		# The reference portmap looks for IPv6 rules that it never made.
		*portmap) like 'ipv6' "$OUT" "the error of portmap" ;;
		*) fail "CHECK: expected success, seen $CHAIN_AT: $OUT" ;;
		esac
		chain_ok DEL "$file" $ns "$ports"
		drop $ns
		strangers
		ip link del "$bridge" 2>/dev/null
		clean
	done
	unset CHAIN_VERSION
	# A list that stops at 1.0.0 does so because what it needs knows no STATUS and GC.
	if [[ "$type $(jq -r '.cniVersions | contains(["1.1.0"])' "$file")" =~ ^(awsvpc|task-.*)\ true ]]; then
		t "$name: STATUS and GC"
		first=$(jq -c '.plugins[0] + {name, cniVersion: "1.1.0"}' "$file")
		PLUGIN=$BIN/$type works STATUS "$first" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
		is "" "$ERR" "no unknown key"
		PLUGIN=$BIN/$type works GC "$(jq -c '.["cni.dev/valid-attachments"]=[]' <<<"$first")" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
	fi
	if [ -n "$master" ]; then
		ip link del "$master"
		drop lan
	fi
done

finish
