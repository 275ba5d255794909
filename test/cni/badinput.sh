#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every field of the configuration with every kind of wrong value: code 7 that names the key and the
# value, and nothing made.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
netns c1
ip link add lan0 type veth peer name lan1
ip link set lan0 up
baseline

# Rows: where the value goes (a jq path), then the wrong values, in JSON. A value before `:` is that of
# every row of its kind. The key that the error must name is the path's last word.
BOOL='5 "yes" "true" [] {} 1'
TEXT='5 true [] {}'
LIST='5 "x" true {}'
OBJECT='5 "x" true []'
NUMBER='"5" true [] {} 1.5 -1 1e12'
ADDRESS='5 true [] {} "x" "" "10.0.1" "10.0.1.1/24" "10.0.1.256" " 10.0.1.1"'
SUBNET='5 true [] {} "x" "" "10.0.1.0" "10.0.1.0/33" "10.0.1.0/-1" "10.0.1.0/24/24" "10.0.1.9/24"'
SERVERS='["foo"] [""] ["10.0.0.2","10.0.0"] ["10.0.0.2/24"] ["10.0.0.2\n"]'
CONTROLS='["a\nb"] ["ok","a\tb"] ["\u0001"] ["\u0085"]'
rows() {
	cat <<-END
		.attach $TEXT "ipvlan" "vet" "veth "
		.vpc $OBJECT
		.vpc.cidr 5 true {} "x" "" "10.0.0.0" "10.0.0.1/16" ["x"] [5] "10.0.0.0/33"
		.ipMasq $BOOL
		.blockInstanceMetadata $BOOL
		.hostRouting $TEXT "ebpf" "kernel"
		.masqueradePortRange $TEXT "40000" "1-65535" "50000-40000" "40000-40010" "a-b"
		.guardMark $NUMBER 3 4097
		.maxFlows $NUMBER 1 70000
		.maxFlowsPerDestination $NUMBER 1 70000
		.protectedPorts $LIST [5] ["ssh"] ["22"] ["22/icmp"] ["0/tcp"] ["65536/udp"] ["22/tcp "]
		.createNamespace $BOOL
		.statusExhausted $TEXT "code" "warn "
		.mtu $NUMBER 70000 1 67
		.dns $OBJECT
		.dns.nameservers $LIST [5] [{}] $SERVERS
		.dns.domain $TEXT "a\nb" "\u007f"
		.dns.search $LIST [5] $CONTROLS
		.dns.options $LIST [5] $CONTROLS
		.ipam $OBJECT
		.ipam.dataDir $TEXT "relative"
		.ipam.placement $TEXT "random"
		.ipam.cooldown $NUMBER
		.ipam.resolvConf $TEXT
		.ipam.ranges $OBJECT [5] [[5]] [{}] [[]]
		.ipam.ranges[0][0].subnet $SUBNET
		.ipam.ranges[0][0].rangeStart $ADDRESS
		.ipam.ranges[0][0].rangeEnd $ADDRESS
		.ipam.ranges[0][0].gateway $ADDRESS
		.ipam.ranges[0][0].exclude 5 true {} ["x"] [5]
		.ipam.ranges[0][0].id $TEXT
		.ipam.ranges[0][0].az $TEXT
		.ipam.ranges[0][0].reserve $TEXT "none"
		.ipam.routes $LIST [5] ["x"]
		.ipam.routes[0].dst 5 true [] {} "x" "" "10.0.1.0/33" "10.0.1.0/-1" "10.0.1.0/24/24"
		.ipam.routes[0].gw $ADDRESS
		.ipam.routes[0].mtu "5" true [] {} 1.5 -1 1e12
		.ipam.routes[0].advmss "5" true [] {} 1.5 -1 1e12
		.ipam.routes[0].priority "5" true [] {} 1.5 -1 1e12
		.ipam.routes[0].table "5" true [] {} 1.5 -1 1e12
		.ipam.routes[0].scope "5" true [] {} 1.5 -1 1e12 255 7
		.ipam.dns $OBJECT
		.ipam.dns.nameservers $LIST [5] $SERVERS
		.ipam.dns.domain $TEXT "a\nb" "\u007f"
		.ipam.dns.search $LIST [5] $CONTROLS
		.ipam.dns.options $LIST [5] $CONTROLS
		.ipam.subnet $SUBNET
		.ipam.rangeStart $ADDRESS
		.ipam.rangeEnd $ADDRESS
		.ipam.gateway $ADDRESS
		.runtimeConfig $OBJECT
		.runtimeConfig.ips $LIST [5] ["x"]
		.runtimeConfig.mac $TEXT "x"
		.runtimeConfig.portMappings $LIST [5]
		.runtimeConfig.ipRanges 5 true "x" [5] [[5]] [[{"subnet":"x"}]] [[{"subnet":"10.0.1.5/24"}]]
		.runtimeConfig.bandwidth $OBJECT
		.runtimeConfig.bandwidth.ingressRate "5" true [] {} 1.5 -1 1e17
		.runtimeConfig.bandwidth.ingressBurst "5" true [] {} 1.5 -1 1e17
		.runtimeConfig.bandwidth.egressRate "5" true [] {} 1.5 -1 1e17
		.runtimeConfig.bandwidth.egressBurst "5" true [] {} 1.5 -1 1e17
		.runtimeConfig.dns 5 true "x"
		.runtimeConfig.dns.servers $LIST [5] $SERVERS
		.runtimeConfig.dns.searches $LIST [5] $CONTROLS
		.runtimeConfig.dns.options $LIST [5] $CONTROLS
		.args $OBJECT
		.args.cni $OBJECT
		.args.cni.ips $LIST [5] ["x"]
		.args.cni.mac $TEXT "x"
	END
}
macvlan_rows() {
	cat <<-END
		.master $TEXT "" "lo" "abcdefghijklmnop" "a/b"
		.mode $TEXT "l2" "bridges"
		.hostAccess $BOOL
	END
}

# bad BASE: try all rows of stdin on BASE. One jq makes the configurations of a row, and what is on the
# host is compared once for each row.
bad() {
	local path value config key before after
	while read -r path line; do
		key=${path##*.}
		key=${key%%[*}
		before=$(snapshot c1)
		while IFS=$'\t' read -r value config; do
			t "$path = $value"
			plugin ADD "$config"
			expect_error 7 "$key"
			[ "$RC" != 0 ] || plugin DEL "$CONF"
			# The value itself is shown, where it can be told from the rest of the words.
			case $value in
			5 | true | *[][{}]* | *\\* | '""' | 1e12 | *E+*) ;; # jq 1.7 and newer write 1E+12
			*) named "${value//\"/}" ;;
			esac
		done < <(printf '%s' "$line" | jq -rcs --argjson base "$1" --arg p "$path" '
			($p | [scan("[a-zA-Z]+|[0-9]+") | if test("^[0-9]+$") then tonumber else . end]) as $path
			| .[] | . as $v | [($v | tojson), ($base | if $path[:2] == ["ipam", "routes"] and
				($path | length) > 2 then .ipam.routes = [{dst: "192.0.2.0/24"}] else . end
				| if $path[0] == "ipam" and $path[1] == "subnet" then del(.ipam.ranges)
				elif $path[0] == "ipam" and ($path | length) == 2 and
				(["rangeStart", "rangeEnd", "gateway"] | index($path[1])) then
				del(.ipam.ranges) | .ipam.subnet = "10.0.1.0/24" else . end
				| setpath($path; $v) | tojson)] | "\(.[0])\t\(.[1])"')
		t "$path"
		after=$(snapshot c1)
		[ "$before" = "$after" ] || fail "expected nothing changed, seen $(diff <(echo "$before") \
			<(echo "$after") | grep '^[<>]' | tr '\n' '|')"
	done
}
named() {
	local text
	text=$(jq -r '"\(.msg) \(.details // "")"' <<<"$OUT" 2>/dev/null)
	if [[ $text == *"$1"* ]]; then pass; else fail "the value: expected '$1' in '$text'"; fi
}

if group veth; then
	bad "$CONF" < <(rows)
fi
if group macvlan; then
	bad "$(conf '.attach="macvlan" | .master="lan0"')" < <(macvlan_rows)
fi

if group lengths; then
	t "texts that are too long, lists that are too long"
	long=$(printf 'x%.0s' {1..70000})
	for filter in '.name=$l' '.attach=$l' '.ipam.dataDir="/"+$l' '.ipam.resolvConf="/"+$l' \
		'.ipam.ranges[0][0].subnet=$l' '.ipam.ranges[0][0].id=$l' '.ipam.placement=$l' \
		'.dns.domain=$l' '.dns.search=[$l]' '.vpc.cidr=[range(2000)|"10.0.0.0/16"]' \
		'.ipam.routes=[range(2000)|{dst:"192.0.2.0/24"}]' \
		'.ipam.ranges=[[range(2000)|{subnet:"10.\(. / 256 | floor).\(. % 256).0/24"}]]' \
		'.ipam.ranges[0][0].exclude=[range(2000)|"10.0.1.9/32"]' \
		'.dns.nameservers=[range(2000)|"10.0.0.2"]' \
		'.runtimeConfig.portMappings=[range(70000)|{containerPort:80}]'; do
		t "too long: $filter"
		printf '%s' "$CONF" | jq -c --arg l "$long" "$filter" >"$TMP/long"
		refused 7 '.' ADD "@$TMP/long"
	done
	t "numbers that Go would not take"
	for number in 1e400 -0 1e3 99999999999999999999 0x10; do
		printf '%s' "${CONF/\"mtu\":1500/\"mtu\":$number}" >"$TMP/number"
		case $number in
		1e3) works ADD "@$TMP/number" && works DEL "$CONF" ;;
		-0) plugin ADD "@$TMP/number" && { [ "$RC" != 0 ] || works DEL "$CONF"; } ;;
		*) refused '6|7' '.' ADD "@$TMP/number" ;;
		esac
	done
fi

if group combinations; then
	t "fields that contradict one another"
	refused 7 'master' ADD "$(conf '.attach="macvlan" | .master=null | .ipam.ranges=[]')"
	refused 7 'resolvConf|dns' ADD "$(conf '.ipam.resolvConf="/none/resolv.conf"')"
	refused 7 'gw|gateway' ADD "$(one 10.0.1.0/24 '.ipam.routes=[{dst:"::/0",gw:"10.0.1.1"}]')"
	refused 7 '::/0|famil' ADD "$(one 10.0.1.0/24 '.ipam.routes=[{dst:"::/0"}]')"
	refused 7 'ipMasq: true needs vpc\.cidr' ADD "$(conf '.ipMasq=true | del(.vpc)')"
	refused 7 'ipMasq: true needs vpc\.cidr' ADD "$(conf '.ipMasq=true | .vpc.cidr=[]')"
	refused 7 'ipMasq: true.*macvlan' ADD "$(conf '.attach="macvlan" | .master="lan0" | .ipMasq=true')"
	t "a subnet outside of the VPC, wherever it comes from"
	for filter in '.ipam.ranges=[[{subnet:"10.9.1.0/24"}]]' '.ipam.ranges[0][1].subnet="10.9.1.0/24"' \
		'.ipam.ranges+=[[{subnet:"10.9.1.0/24"}]]' 'del(.ipam.ranges) | .ipam.subnet="10.9.1.0/24"' \
		'.runtimeConfig.ipRanges=[[{subnet:"10.9.1.0/24"}]]' '.runtimeConfig.ipRanges=[{Subnet:"10.9.1.0/24"}]'; do
		refused 7 '10\.9\.1\.0/24 lies outside vpc\.cidr' ADD "$(conf "$filter")"
		refused 7 '10\.9\.1\.0/24 lies outside vpc\.cidr' ADD \
			"$(conf "$filter | .attach=\"macvlan\" | .master=\"lan0\"")"
	done
	refused 7 '10\.0\.0\.0/15 lies outside vpc\.cidr' ADD "$(one 10.0.0.0/15)"
	refused 7 'fd00:9::/64 lies outside vpc\.cidr' ADD \
		"$(conf '.vpc.cidr=["10.0.0.0/16","fd00:10::/32"] | .ipam.ranges+=[[{subnet:"fd00:9::/64"}]]')"
	t "a route to the metadata that is blocked"
	for dst in 169.254.169.254/32 fd00:ec2::254/128; do
		for filter in . '.attach="macvlan" | .master="lan0"'; do
			refused 7 "ipam\.routes: the route to $dst cannot go with blockInstanceMetadata: true.*leave the route out" \
				ADD "$(conf "$filter | .ipam.ranges+=[[{subnet:\"fd00:9::/64\"}]] | .ipam.routes=[{dst:\"0.0.0.0/0\"},{dst:\"$dst\"}]")"
		done
	done
	refused 7 'ipam\.routes: the route to 169\.254\.169\.254/32' STATUS "$(conf '.ipam.routes=[{dst:"169.254.169.254/32"}]')"
	for filter in '.blockInstanceMetadata=false | .ipam.routes=[{dst:"169.254.169.254/32"}]' \
		'.ipam.routes=[{dst:"169.254.0.0/16"},{dst:"169.254.169.253/32"}]'; do
		works ADD "$(conf "$filter")" && works DEL "$CONF"
	done
	t "blocks of the VPC that overlap; one that is named twice is one"
	for filter in . '.ipMasq=true' '.attach="macvlan" | .master="lan0"'; do
		refused 7 'vpc\.cidr: 10\.0\.0\.0/16 and 10\.0\.2\.0/24 overlap.*leave the smaller one out' \
			ADD "$(conf "$filter | .vpc.cidr=[\"10.0.0.0/16\",\"fd00::/16\",\"10.0.2.0/24\"]")"
	done
	refused 7 'fd00:1::/32 and fd00::/16 overlap' ADD "$(conf '.vpc.cidr=["fd00:1::/32","fd00::/16"]')"
	refused 7 'vpc\.cidr.*overlap' STATUS "$(conf '.vpc.cidr=["10.0.0.0/16","10.0.2.0/24"]')"
	works ADD "$(conf '.ipMasq=true | .vpc.cidr=["10.0.0.0/16","10.0.0.0/16"]')" && works DEL "$CONF"
	t "a subnet of a family that the VPC does not name"
	works ADD "$(conf '.ipam.ranges+=[[{subnet:"fd00:9::/64"}]]')" && works DEL "$CONF"
fi

if group fields; then
	t "every field that the plugin documents has a row above"
	env -i ASAN_OPTIONS="${ASAN_OPTIONS:-}" "$BIN/awsvpc" --fields >"$TMP/fields" </dev/null
	is 0 $? "rc of --fields"
	count=0
	known=$(rows && macvlan_rows && echo ".hostPort .containerPort .protocol .hostIP .range ") # these: args.sh
	while read -r key; do
		count=$((count + 1))
		key=${key##*.}
		key=${key//[][]/}
		case $key in cniVersion | name | type | prevResult | cni.dev*) continue ;; esac
		case $known in
		*".$key "* | *".${key}["*) pass ;;
		*) fail "no row for the field '$key'" ;;
		esac
	done < <(sed -n 's/^| *`\([^`]*\)`.*/\1/p' "$TMP/fields")
	[ "$count" -ge 20 ] || fail "expected at least 20 fields in --fields, seen $count"
fi
clean

finish
