#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The protocol: verbs, variables, stdin, versions. Nothing here depends on what a mode does.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
netns c1
baseline

if group environment; then
	t "no CNI_COMMAND: about text on stderr"
	for empty in -CNI_COMMAND CNI_COMMAND=; do
		plugin "" "" $empty
		is 0 "$RC" rc
		is "" "$OUT" stdout
		like '^CNI awsvpc plugin v[0-9]' "$ERR" stderr
		like '0\.3\.1.*1\.1\.0' "$ERR" stderr
	done

	t "an unknown verb"
	for verb in FOO add Add "ADD " VERSIONS; do
		refused 4 "CNI_COMMAND" "$verb" "$CONF"
	done

	t "each missing variable is named"
	refused 4 'CNI_CONTAINERID.*CNI_NETNS.*CNI_IFNAME|CNI_IFNAME.*CNI_NETNS.*CNI_CONTAINERID' ADD \
		"$CONF" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
	refused 4 'CNI_CONTAINERID' ADD "$CONF" CNI_CONTAINERID=
	refused 4 'CNI_NETNS' ADD "$CONF" -CNI_NETNS
	refused 4 'CNI_IFNAME' ADD "$CONF" -CNI_IFNAME
	refused 4 'CNI_NETNS' CHECK "$CONF" CNI_NETNS=
	refused 4 'CNI_IFNAME' DEL "$CONF" -CNI_IFNAME
	refused 4 'CNI_CONTAINERID' DEL "$CONF" -CNI_CONTAINERID
	t "DEL needs no CNI_NETNS, and nobody but a foreign IPAM needs CNI_PATH"
	works DEL "$CONF" -CNI_NETNS
	works DEL "$CONF" -CNI_NETNS -CNI_PATH
	works ADD "$CONF" -CNI_PATH && works DEL "$CONF" -CNI_PATH
	t "missing variables are told before a bad stdin"
	refused 4 'CNI_IFNAME' ADD '{"name":' -CNI_IFNAME
	t "a bad stdin is told before a bad configuration"
	refused 6 '' ADD '{"name":"../x","cniVersion":"9"'

	t "container ids"
	for id in ../../etc -a 'a b' $'a\n' é . .. a/b ''; do
		refused 4 'CNI_CONTAINERID' ADD "$CONF" CNI_CONTAINERID="$id"
		refused 4 'CNI_CONTAINERID' DEL "$CONF" CNI_CONTAINERID="$id"
	done
	refused 4 'CNI_CONTAINERID' ADD "$CONF" CNI_CONTAINERID="$(printf 'a%.0s' {1..300})"
	id=$(printf 'a%.0s' {1..255})
	works ADD "$CONF" CNI_CONTAINERID="$id"
	works DEL "$CONF" CNI_CONTAINERID="$id"
	works ADD "$CONF" CNI_CONTAINERID=A9_x.y-z && works DEL "$CONF" CNI_CONTAINERID=A9_x.y-z

	t "interface names"
	for name in abcdefghijklmnop a/b a:b . .. 'a b' $'a\tb' $'a\xc2\xa0b' ''; do
		refused 4 'CNI_IFNAME' ADD "$CONF" CNI_IFNAME="$name"
		refused 4 'CNI_IFNAME' DEL "$CONF" CNI_IFNAME="$name"
	done
	works ADD "$CONF" CNI_IFNAME=abcdefghijklmno && works DEL "$CONF" CNI_IFNAME=abcdefghijklmno
	works ADD "$CONF" CNI_IFNAME=eth0.5 && works DEL "$CONF" CNI_IFNAME=eth0.5
	clean
fi

if group stdin; then
	t "stdin that is no JSON object"
	i=0
	while IFS= read -r text; do
		i=$((i + 1))
		printf '%b' "$text" >"$TMP/in.$i"
		refused 6 '' ADD "@$TMP/in.$i"
	done <<-'TEXT'

	{"name":
	[]
	"x"
	3
	true
	{"cniVersion":"1.1.0","name":"lab","type":"awsvpc"} xx
	{"cniVersion":"1.1.0","name":"lab","type":"awsvpc"}{}
	\xef\xbb\xbf{"cniVersion":"1.1.0","name":"lab","type":"awsvpc"}
	{"cniVersion":"1.1.0","name":"lab",\x00"type":"awsvpc"}
	{"cniVersion":"1.1.0","name":"lab","type":"awsvpc"}\x00
	{"cniVersion":"1.1.0","name":"lab","type":"aws\xff\xfevpc"}
	{"cniVersion":"1.1.0","name":"lab","mtu":01}
	{"cniVersion":"1.1.0","name":"lab","mtu":NaN}
	{'name':'lab'}
	{"cniVersion":"1.1.0","name":"lab",}
	TEXT
	is 16 "$i" "number of cases"

	t "a closed stdin"
	RC=0
	env -i CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=$NETNS/c1 CNI_IFNAME=eth0 CNI_PATH="$BIN" \
		"$BIN/awsvpc" <&- >"$TMP/stdout" 2>"$TMP/stderr" || RC=$?
	OUT=$(<"$TMP/stdout") ERR=$(<"$TMP/stderr")
	sane ADD
	expect_error '5|6' ''
	RC=0
	env -i CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=$NETNS/c1 CNI_IFNAME=eth0 CNI_PATH="$BIN" \
		"$BIN/awsvpc" <"$TMP" >"$TMP/stdout" 2>"$TMP/stderr" || RC=$?
	expect_error 5 ''

	t "deep nesting is refused, not followed"
	for n in 600 20000 1000000; do
		{
			printf '{"cniVersion":"1.1.0","name":"lab","x":'
			head -c "$n" /dev/zero | tr '\0' '['
			head -c "$n" /dev/zero | tr '\0' ']'
			printf '}'
		} >"$TMP/deep"
		refused 6 '' ADD "@$TMP/deep"
	done
	t "5 MB of white space are no obstacle"
	{
		printf %s "${CONF%\}}"
		head -c 5000000 /dev/zero | tr '\0' ' '
		printf '}'
	} >"$TMP/big"
	works ADD "@$TMP/big"
	works DEL "@$TMP/big"
	t "5 MB of text in an unknown key neither"
	{
		printf '%s,"x":"' "${CONF%\}}"
		head -c 5000000 /dev/zero | tr '\0' y
		printf '"}'
	} >"$TMP/big"
	works ADD "@$TMP/big"
	works DEL "@$TMP/big"
	clean
fi

if group names; then
	t "the network's name"
	refused 7 'name' ADD null
	refused 7 'name' ADD "$(conf 'del(.name)')"
	refused 7 'name' ADD "$(conf '.name=null')"
	refused 7 'name' ADD "$(conf '.name=""')"
	refused 6 'name' ADD "$(conf '.name=5')"
	refused 6 'name' ADD "$(conf '.name={}')"
	for name in ../x -x 'a b' é a/b; do
		refused 7 "name" ADD "$(conf ".name=\"$name\"")"
	done
	refused 7 'name' DEL "$(conf 'del(.name)')"
	refused 7 'name' ADD "$(conf '.name=("a"*300)')"

	t "keys are found whatever their case"
	upper=$(jq -c 'def name($new): with_entries(.key |= ($new[.] // .));
		name({cniVersion: "CNIVersion", name: "Name", ipam: "IPAM", vpc: "VPC", mtu: "MTU", attach: "Attach"})
		| .IPAM |= (name({ranges: "Ranges", dataDir: "DataDir"}) | .Placement = "first" | del(.placement))
		| .IPAM.Ranges[][] |= name({subnet: "Subnet", id: "ID"})' <<<"$CONF")
	rm -rf "$DATA"
	works ADD "$(jq -c '.MTU=1300' <<<"$upper")"
	is '10.0.1.4/24' "$(jq -r '.ips[0].address' <<<"$OUT")" address
	is 1300 "$(ip -n c1 -j link show eth0 | jq '.[0].mtu')" mtu
	works DEL "$upper"
	t "two keys of one name"
	refused '6|7' 'mtu' ADD "${CONF%\}},\"MTU\":1400}"
	refused '6|7' 'mtu' ADD "${CONF%\}},\"mtu\":1400}"
	refused '6|7' 'name' ADD "${CONF%\}},\"name\":\"other\"}"

	t "what is not ours is ignored"
	works ADD "$(conf '.capabilities={"portMappings":true,"ips":false} | .frobnicate=[1] | .type="other"
		| .args={"cni":{"labels":[{"key":"a","value":"b"}]}} | .["cni.dev/foo"]={} | .disableCheck=true
		| .runtimeConfig={"aliases":{"lab":["a"]},"cgroupPath":"/x","io.kubernetes.cri.pod-annotations":null}
		| .nerdctlID="x" | .ipam.frobnicate=1')"
	works DEL "$CONF"
	works ADD "$(conf '.args=null | .runtimeConfig=null | .dns=null | .prevResult=null | .mtu=null')"
	works DEL "$CONF"
	clean
fi

if group versions; then
	t VERSION
	for text in '' garbage '{}' null '{"cniVersion":"0.4.0"}' '{"cniVersion":5}'; do
		works VERSION "$text" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME -CNI_PATH
		is '["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]' \
			"$(jq -cs 'if length == 1 then .[0].supportedVersions | sort else . end' <<<"$OUT")" \
			"supportedVersions for stdin '$text'"
	done
	works VERSION '{"cniVersion":"0.4.0"}'
	is 0.4.0 "$(jq -r .cniVersion <<<"$OUT")" "cniVersion is the one asked with"
	works VERSION ''
	is 1.1.0 "$(jq -r .cniVersion <<<"$OUT")" "cniVersion is our highest"
	t "VERSION looks at no variable and touches nothing"
	rm -rf "$DATA"
	works VERSION '{"cniVersion":"1.0.0"}' CNI_NETNS=dummy CNI_IFNAME=dummy CNI_PATH=dummy CNI_CONTAINERID=
	fails "a state directory" test -e "$DATA"

	t "cniVersion of the configuration"
	for version in 2.0.0 1.0 v1.0.0 0.9.9 1.1.0x ' 1.0.0'; do
		refused 1 "$version.*1\.1\.0" ADD "$(conf ".cniVersion=\"$version\"")"
		is true "$(jq '.details | contains("0.1.0") and contains("1.1.0")' <<<"$OUT")" \
			"details list what is supported"
	done
	refused 1 2.0.0 DEL "$(conf '.cniVersion="2.0.0"')"
	refused 6 cniVersion ADD "$(conf '.cniVersion=1')"
	for filter in 'del(.cniVersion)' '.cniVersion=""' '.cniVersion=null'; do
		works ADD "$(conf "$filter")"
		is '0.1.0 true' "$(jq -r '"\(.cniVersion) \(has("ip4"))"' <<<"$OUT")" "result of $filter"
		works DEL "$(conf "$filter")"
	done
	t "an error carries the version of the configuration"
	plugin ADD "$(conf '.cniVersion="0.4.0" | .mtu=-1')"
	is 0.4.0 "$(jq -r .cniVersion <<<"$OUT")" cniVersion

	t "verbs that a version does not have"
	for version in 0.1.0 0.2.0 0.3.0 0.3.1; do
		refused 1 'CHECK' CHECK "$(conf ".cniVersion=\"$version\"")"
	done
	for version in 0.4.0 1.0.0; do
		refused 1 'GC' GC "$(conf ".cniVersion=\"$version\"")"
		refused 1 'STATUS' STATUS "$(conf ".cniVersion=\"$version\"")"
	done
	clean
fi

if group loopback; then
	PLUGIN=$BIN/loopback
	t "lo comes up and is reported"
	LO='{"cniVersion":"0.3.1","name":"cni-loopback","type":"loopback"}'
	netns lo1
	works ADD "$LO" CNI_NETNS=$NETNS/lo1 CNI_IFNAME=lo
	is '["lo","127.0.0.1/8"]' "$(jq -c '[.interfaces[0].name, .ips[0].address]' <<<"$OUT")" result
	like '<LOOPBACK,UP' "$(ip -n lo1 -o link show lo)" "link"
	works CHECK "$(jq -c --argjson p "$OUT" '.cniVersion="0.4.0" | .prevResult=($p | .cniVersion="0.4.0")' \
		<<<"$LO")" CNI_NETNS=$NETNS/lo1 CNI_IFNAME=lo
	works DEL "$LO" CNI_NETNS=$NETNS/lo1 CNI_IFNAME=lo
	t "loopback: DEL of what is gone"
	drop lo1
	works DEL "$LO" CNI_NETNS=$NETNS/lo1 CNI_IFNAME=lo
	works DEL "$LO" CNI_NETNS= CNI_IFNAME=lo
	refused 4 'CNI_NETNS' ADD "$LO" CNI_NETNS=$NETNS/lo1 CNI_IFNAME=lo
	works VERSION ''
	plugin "" "" -CNI_COMMAND
	like '^CNI loopback plugin v[0-9]' "$ERR" stderr
	clean
fi

finish
